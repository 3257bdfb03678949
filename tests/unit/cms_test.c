/* SPDX-License-Identifier: 0BSD */
/*
 * Trust decisions: a table of cases, most of them refusals, under a stopped
 * clock. Every reason of the CMS and certificate blocks occurs.
 */
#include "bundle/trust.h"

#include <stdlib.h>

#include "check.h"

#define CERTS "build/tests/certs/"

#define Y2026 1767225600 /* 2026-01-01 */

static uint8_t cms[65536];
static size_t cms_len;
static char pem[65536];
static struct keyring ring;

static size_t load(const char *name, const char *suffix, void *dst, size_t cap)
{
	char path[128];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, CERTS "%s%s", name, suffix);
	f = fopen(path, "rb");
	if (!f) {
		perror(path);
		return 0;
	}
	n = fread(dst, 1, cap, f);
	fclose(f);
	return n;
}

/* names: PEM files without suffix, separated by blanks */
static void load_keyring(const char *names)
{
	char copy[128];

	memset(&ring, 0, sizeof ring);
	snprintf(copy, sizeof copy, "%s", names);
	for (char *n = strtok(copy, " "); n; n = strtok(NULL, " ")) {
		struct diag d = {0};
		size_t len = load(n, ".pem", pem, sizeof pem);

		CHECK_INT(keyring_load(&ring, pem, len, &d), 0);
	}
}

/* Replaces the nth occurrence of a byte string by one as long. */
static void patch(unsigned nth, const char *from, const char *to, size_t len)
{
	size_t i = 0;

	while (i + len <= cms_len &&
	       (memcmp(cms + i, from, len) != 0 || nth-- > 0))
		i++;
	CHECK(i + len <= cms_len);
	if (i + len <= cms_len)
		memcpy(cms + i, to, len);
}

#define OID_DATA "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define OID_SIGNED "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define OID_ATTR "\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define OID_SHA2 "\x60\x86\x48\x01\x65\x03\x04\x02"
#define OID_ECDSA "\x2a\x86\x48\xce\x3d\x04\x03"

/* The last occurrence, by counting: SignerInfo stands at the end. */
static void patch_last(const char *from, const char *to, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i + len <= cms_len; i++)
		n += memcmp(cms + i, from, len) == 0;
	patch(n - 1, from, to, len);
}

struct row {
	const char *name;
	const char *cms;
	const char *keyring;
	int want;
	/* what stands in the text */
	const char *says;
	enum purpose purpose;
	bool partial;
	enum time_policy time;
	int64_t now; /* 0: 2026 */
	int64_t floor;
	const char *cn;
	void (*change)(void);
};

static int run(const struct row *row, struct slice *content, struct signer *who,
    struct diag *d)
{
	static struct trust_policy p;

	memset(&p, 0, sizeof p);
	p.purpose = row->purpose;
	p.allow_partial_chain = row->partial;
	p.time = row->time;
	p.now = row->now ? row->now : Y2026;
	p.floor = row->floor;
	if (row->cn) {
		snprintf(p.cn[0], sizeof p.cn[0], "somebody else");
		snprintf(p.cn[1], sizeof p.cn[1], "%s", row->cn);
		p.cns = 2;
	}
	cms_len = load(row->cms, ".cms", cms, sizeof cms);
	load_keyring(row->keyring);
	if (row->change)
		row->change();
	return cms_verify(cms, cms_len, &ring, &p, content, who, d);
}

static void flip_content(void)
{
	patch(0, "compatible=lifeboat", "compatible=lifebost", 19);
}

static void flip_signature(void)
{
	cms[cms_len - 1] ^= 1;
}

static void flip_cert(void)
{
	patch(0, "Signer", "signer", 6);
}

static void version_3(void)
{
	patch(0, "\x02\x01\x01\x31", "\x02\x01\x03\x31", 4);
}

static void sid_version_3(void)
{
	patch_last("\x02\x01\x01\x30", "\x02\x01\x03\x30", 4);
}

static void no_content_type(void)
{
	patch_last(OID_ATTR "\x03", OID_ATTR "\x7f", 9);
}

static void no_message_digest(void)
{
	patch_last(OID_ATTR "\x04", OID_ATTR "\x7f", 9);
}

static void two_signing_times(void)
{
	patch_last(OID_ATTR "\x03", OID_ATTR "\x05", 9);
}

static void two_content_types(void)
{
	patch_last(OID_ATTR "\x05", OID_ATTR "\x03", 9);
}

static void other_content_type(void)
{
	patch_last(OID_DATA, OID_SIGNED, 9);
}

static void not_signed_data(void)
{
	patch(0, OID_SIGNED, OID_DATA, 9);
}

static void digest_not_listed(void)
{
	patch(0, OID_SHA2 "\x01", OID_SHA2 "\x02", 9);
}

static void digest_differs(void)
{
	patch(0, OID_SHA2 "\x01", OID_SHA2 "\x02", 9);
	patch_last(OID_SHA2 "\x01", OID_SHA2 "\x02", 9);
}

static void sign_with_sha3(void)
{
	patch_last(OID_ECDSA "\x02", OID_ECDSA "\x0a", 8);
}

static void trailing_byte(void)
{
	cms[cms_len++] = 0;
}

static void truncated(void)
{
	cms_len--;
}

static void empty(void)
{
	cms_len = 0;
}

static void long_length(void)
{
	/* 30 82 xx xx -> 30 83 00 xx xx */
	memmove(cms + 3, cms + 2, cms_len - 2);
	cms[1] = 0x83;
	cms[2] = 0;
	cms_len++;
}

static const struct row rows[] = {
    /* good */
    {"EC chain of two", "signer", "root", .want = 0},
    {"RSA", "rsa", "root-rsa", .want = 0},
    {"RSA-3072 under EC", "rsa3072", "root", .want = 0},
    {"P-384", "p384", "root", .want = 0},
    {"P-521", "p521", "root", .want = 0},
    {"SHA-384", "md-sha384", "root", .want = 0},
    {"SHA-512", "md-sha512", "root", .want = 0},
    {"RSA with SHA-512", "rsa-sha512", "root-rsa", .want = 0},
    {"certificate with SHA-512", "sha512", "root", .want = 0},
    {"signer by key id", "keyid", "root", .want = 0},
    {"more attributes", "smimecap", "root", .want = 0},
    {"CAdES", "cades", "root", .want = 0},
    {"unrelated certificates", "with-unrelated", "root root-rsa", .want = 0},
    {"anchor among others", "signer", "root-rsa root-next root", .want = 0},
    {"intermediate in keyring", "under-int", "root int", .want = 0},
    {"intermediate in bundle", "with-int", "root", .want = 0},
    {"no key identifiers", "under-bare", "root-bare", .want = 0},
    {"rotated CA, same name", "under-bare", "root-bare-next root-bare",
        .want = 0},
    {"cross-signed, one root", "with-crosses", "root", .want = 0},
    {"cross-signed, other root", "with-crosses", "root-next", .want = 0},
    {"expired anchor beside a good one", "signer", "root-expired root",
        .want = 0},
    {"eight certificates", "with-links6", "root", .want = 0},
    {"path length kept", "under-pathlen", "root", .want = 0},
    {"self-signed signer", "self", "self", .want = 0},
    {"partial: intermediate", "under-int", "int", .want = 0, .partial = true},
    {"partial: signer", "signer", "signer", .want = 0, .partial = true},
    {"CN allowed", "signer", "root", .want = 0, .cn = "Signer"},
    {"CN of 64 characters", "longcn", "root", .want = 0,
        .cn = "A common name of exactly sixty-four characters, not one more "
              "xxx"},
    {"signing time, clock at 1970", "signer", "root", .want = 0,
        .time = TIME_SIGNING, .now = 1},
    {"floor lifts the clock", "signer", "root", .want = 0, .now = 1,
        .floor = Y2026},
    {"the second it begins", "signer", "root", .want = 0, .now = 1577836800},
    {"the second it ends", "signer", "root", .want = 0, .now = 4070908800},

    /* purposes: RAUC's matrix */
    {"plain, default", "plain", "root", .want = 0},
    {"plain, codesign", "plain", "root", .want = R_CERT_PURPOSE, "codeSigning",
        PURPOSE_CODESIGN},
    {"plain, any", "plain", "root", .want = 0, .purpose = PURPOSE_ANY},
    {"CA:TRUE, default", "ca-signer", "root", .want = 0},
    {"CA:TRUE, codesign", "ca-signer", "root", .want = R_CERT_PURPOSE,
        .purpose = PURPOSE_CODESIGN},
    {"KU ds, default", "ku-ds", "root", .want = 0},
    {"KU ds, codesign", "ku-ds", "root", .want = R_CERT_PURPOSE,
        .purpose = PURPOSE_CODESIGN},
    {"KU ds, any", "ku-ds", "root", .want = 0, .purpose = PURPOSE_ANY},
    {"KU nr, default", "ku-nr", "root", .want = 0},
    {"KU nr, codesign", "ku-nr", "root", .want = R_CERT_PURPOSE,
        .purpose = PURPOSE_CODESIGN},
    {"KU ke, default", "ku-ke", "root", .want = R_CERT_PURPOSE,
        "digitalSignature"},
    {"KU ke, codesign", "ku-ke", "root", .want = R_CERT_PURPOSE,
        .purpose = PURPOSE_CODESIGN},
    {"KU ke, any", "ku-ke", "root", .want = 0, .purpose = PURPOSE_ANY},
    {"EKU email, default", "eku-email", "root", .want = 0},
    {"EKU email, codesign", "eku-email", "root", .want = R_CERT_PURPOSE,
        .purpose = PURPOSE_CODESIGN},
    {"EKU server, default", "eku-server", "root", .want = R_CERT_PURPOSE,
        "emailProtection"},
    {"EKU server, any", "eku-server", "root", .want = 0,
        .purpose = PURPOSE_ANY},
    {"EKU time, default", "eku-time", "root", .want = R_CERT_PURPOSE},
    {"EKU any, default", "eku-any", "root", .want = R_CERT_PURPOSE},
    {"EKU any, codesign", "eku-any", "root", .want = R_CERT_PURPOSE,
        .purpose = PURPOSE_CODESIGN},
    {"EKU any, any", "eku-any", "root", .want = 0, .purpose = PURPOSE_ANY},
    {"EKU code, default", "eku-code", "root", .want = R_CERT_PURPOSE},
    {"EKU code, codesign", "eku-code", "root", .want = 0,
        .purpose = PURPOSE_CODESIGN},
    {"EKU code, any", "eku-code", "root", .want = 0, .purpose = PURPOSE_ANY},
    {"EKU critical code, default", "eku-code-ds", "root",
        .want = R_CERT_PURPOSE},
    {"EKU critical code, codesign", "eku-code-ds", "root", .want = 0,
        .purpose = PURPOSE_CODESIGN},
    {"EKU code KU nr, codesign", "eku-code-nr", "root", .want = R_CERT_PURPOSE,
        "digitalSignature", PURPOSE_CODESIGN},
    {"EKU code KU nr, any", "eku-code-nr", "root", .want = 0,
        .purpose = PURPOSE_ANY},
    {"EKU both, default", "eku-both", "root", .want = 0},
    {"EKU both, codesign", "eku-both", "root", .want = 0,
        .purpose = PURPOSE_CODESIGN},
    {"CA for servers, default", "under-server", "root", .want = R_CERT_PURPOSE,
        "Server CA"},
    {"CA for servers, any", "under-server", "root", .want = 0,
        .purpose = PURPOSE_ANY},
    {"CA for code, codesign", "under-code", "root", .want = 0,
        .purpose = PURPOSE_CODESIGN},
    {"self-signed signer, codesign", "self", "self", .want = R_CERT_PURPOSE,
        .purpose = PURPOSE_CODESIGN},

    /* CMS */
    {"empty", "signer", "root", .want = R_CMS_SYNTAX, .change = empty},
    {"truncated", "signer", "root", .want = R_CMS_SYNTAX, .change = truncated},
    {"trailing byte", "signer", "root", .want = R_CMS_SYNTAX, "1 bytes between",
        .change = trailing_byte},
    {"length not minimal", "signer", "root", .want = R_CMS_SYNTAX,
        .change = long_length},
    {"BER", "stream", "root", .want = R_CMS_BER, "indefinite"},
    {"other type", "signer", "root", .want = R_CMS_TYPE, "1.2.840.113549.1.7.1",
        .change = not_signed_data},
    {"digested data", "digested", "root", .want = R_CMS_TYPE,
        "1.2.840.113549.1.7.5"},
    {"other content type", "econtent", "root", .want = R_CMS_TYPE, "1.2.3.4"},
    {"encrypted", "enveloped", "root", .want = R_CMS_ENCRYPTED},
    {"detached", "detached", "root", .want = R_CMS_DETACHED},
    {"two signers", "twice", "root root-rsa", .want = R_CMS_SIGNERS,
        "2 signers"},
    {"no attributes", "noattr", "root", .want = R_CMS_NO_ATTRS},
    {"no contentType", "signer", "root", .want = R_CMS_ATTRS, "contentType",
        .change = no_content_type},
    {"no messageDigest", "signer", "root", .want = R_CMS_ATTRS, "messageDigest",
        .change = no_message_digest},
    {"two signing times", "signer", "root", .want = R_CMS_ATTRS, "signingTime",
        .change = two_signing_times},
    {"two content types", "signer", "root", .want = R_CMS_ATTRS, "contentType",
        .change = two_content_types},
    {"contentType differs", "signer", "root", .want = R_CMS_ATTRS,
        "contentType", .change = other_content_type},
    {"content changed", "signer", "root", .want = R_CMS_DIGEST,
        .change = flip_content},
    {"signature changed", "signer", "root", .want = R_CMS_SIGNATURE,
        .change = flip_signature},
    {"RSA signature changed", "rsa", "root-rsa", .want = R_CMS_SIGNATURE,
        .change = flip_signature},
    {"SHA-1", "md-sha1", "root", .want = R_CMS_ALGORITHM, "SHA-1"},
    {"SHA-224", "md-sha224", "root", .want = R_CMS_ALGORITHM, "SHA-224"},
    {"RSA-PSS", "pss", "root-rsa", .want = R_CMS_ALGORITHM, "RSA-PSS"},
    {"unknown signature algorithm", "signer", "root", .want = R_CMS_ALGORITHM,
        "1.2.840.10045.4.3.10", .change = sign_with_sha3},
    {"digest not listed", "signer", "root", .want = R_CMS_ALGORITHM, "lacks",
        .change = digest_not_listed},
    {"digests differ", "signer", "root", .want = R_CMS_ALGORITHM, "differs",
        .change = digest_differs},
    {"SignedData version", "signer", "root", .want = R_CMS_VERSION, "version 3",
        .change = version_3},
    {"SignerInfo version", "signer", "root", .want = R_CMS_VERSION, "version 3",
        .change = sid_version_3},
    {"no certificate", "nocerts", "signer root", .want = R_CMS_NO_CERT},
    {"too many certificates", "with-many", "root", .want = R_LIMIT},

    /* certificates */
    {"stranger", "stranger", "root", .want = R_CERT_UNKNOWN, "CN=Stranger"},
    {"impostor CA", "stranger", "signer", .want = R_CERT_UNKNOWN,
        .partial = true},
    {"no intermediate", "under-int", "root", .want = R_CERT_UNKNOWN,
        "CN=Intermediate"},
    {"intermediate alone", "under-int", "int", .want = R_CERT_UNKNOWN,
        "CN=Root"},
    {"self-signed, not in keyring", "self", "root", .want = R_CERT_UNKNOWN},
    {"same name, other key", "under-bare", "root-bare-next",
        .want = R_CERT_SIGNATURE, "CN=Under Bare"},
    {"key ids differ", "signer", "root-next", .want = R_CERT_UNKNOWN},
    {"expired", "expired", "root", .want = R_CERT_EXPIRED,
        "expired on 2012-01-01 00:00:00 UTC"},
    {"expired anchor", "signer", "root-expired", .want = R_CERT_EXPIRED,
        "CN=Root"},
    {"the second after", "signer", "root", .want = R_CERT_EXPIRED,
        .now = 4070908801},
    {"not yet valid", "future", "root", .want = R_CERT_NOT_YET,
        "before 2090-01-01 00:00:00 UTC"},
    {"clock at 1970", "signer", "root", .want = R_CERT_NOT_YET,
        "judged at 1970-01-01 00:00:01 UTC", .now = 1},
    {"signing time, expired then", "expired", "root", .want = R_CERT_EXPIRED,
        .time = TIME_SIGNING, .now = 1300000000},
    {"floor ends it", "expired", "root", .want = R_CERT_EXPIRED,
        .now = 1300000000, .floor = Y2026},
    {"no signing time", "signer", "root", .want = R_CMS_ATTRS, "signingTime",
        .time = TIME_SIGNING, .change = two_signing_times},
    {"unknown critical extension", "critical", "root", .want = R_CERT_CRITICAL,
        "1.2.3.4"},
    {"unknown critical extension, any", "critical", "root",
        .want = R_CERT_CRITICAL, .purpose = PURPOSE_ANY},
    {"critical extension of a CA", "under-critical", "root",
        .want = R_CERT_CRITICAL, "Critical CA"},
    {"name constraints", "under-names", "root", .want = R_CERT_CRITICAL,
        "2.5.29.30"},
    {"netscape type", "ns-type", "root", .want = R_CERT_CRITICAL},
    {"RSA-1024", "rsa1024", "root", .want = R_CERT_KEY, "1024 bits"},
    {"secp256k1", "k1", "root", .want = R_CERT_KEY},
    {"Ed25519 root", "under-ed", "root-ed", .want = R_CERT_KEY, "Ed25519"},
    {"certificate with SHA-1", "sha1", "root", .want = R_CERT_ALGORITHM,
        "SHA-1"},
    {"certificate changed", "signer", "root", .want = R_CERT_SIGNATURE,
        .change = flip_cert},
    {"not a CA", "under-noca", "root", .want = R_CERT_NOT_CA, "CN=Not a CA"},
    {"no keyCertSign", "under-noku", "root", .want = R_CERT_NOT_CA,
        "keyCertSign"},
    {"path length", "under-sub", "root", .want = R_CERT_PATHLEN,
        "CN=Path Zero"},
    {"ten certificates", "with-links8", "root", .want = R_CERT_PATHLEN,
        "first 8"},
    /* 12 * 11 * ... * 6 paths, if nobody counted */
    {"CAs in a circle", "with-loops", "root", .want = R_CERT_PATHLEN},
    {"CN not allowed", "signer", "root", .want = R_CERT_CN, "CN=Signer",
        .cn = "signer"},
    {"empty keyring", "signer", "", .want = R_CERT_UNKNOWN},
};

static void test_table(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct slice content = {"x", 1};
		static struct signer who;
		struct diag d = {0};
		int before = check_failed;
		int r = run(row, &content, &who, &d);

		CHECK_STR(reason_name(r), reason_name(row->want));
		CHECK_INT(d.reason, row->want);
		if (row->want == 0) {
			CHECK(content.len > 60 &&
			      memcmp(content.p, "[update]", 8) == 0);
			CHECK(
			    who.chain_len > 0 && who.chain[0].p == who.cert.p);
		} else {
			CHECK_INT(content.len, 0);
			CHECK_INT(who.chain_len, 0);
			CHECK_STR(who.subject, "");
			CHECK(d.seen[0] != '\0');
		}
		if (row->says)
			CHECK(strstr(d.seen, row->says) != NULL);
		if (check_failed != before)
			fprintf(stderr, "  in \"%s\": %s: %s\n", row->name,
			    reason_name(r), d.seen);
	}
}

/* Every reason of the two blocks that cms_verify can give has a row. */
static void test_reasons_covered(void)
{
	static const int all[] = {
#define NUMBER(code, value, name, help) value,
	    REASONS(NUMBER)
#undef NUMBER
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		bool found = all[i] > -50 || all[i] < -81 ||
		             all[i] == R_CERT_SYNTAX; /* see test_bad_cert */

		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			found = found || rows[k].want == all[i];
		if (!found)
			fprintf(
			    stderr, "no case for %s\n", reason_name(all[i]));
		CHECK(found);
	}
}

/* A certificate that cannot be read refuses, whosever it is. */
static void test_bad_cert(void)
{
	const struct row row = {.cms = "signer", .keyring = ""};
	static struct signer who;
	struct trust_policy p = {.now = Y2026};
	struct diag d = {0};
	struct slice content;

	(void)!run(&row, &content, &who, &d);
	diag_clear(&d);
	/* [3] EXPLICIT version of the certificate: v3 becomes v9 */
	patch(0, "\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x08", 5);
	CHECK_INT(cms_verify(cms, cms_len, &ring, &p, &content, &who, &d),
	    R_CERT_SYNTAX);
	CHECK(strstr(d.seen, "version") != NULL);

	load_keyring("root");
	cms_len = load("with-unrelated", ".cms", cms, sizeof cms);
	for (unsigned i = 0; i < 2; i++) {
		patch(i, "\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x08", 5);
		CHECK_INT(
		    cms_verify(cms, cms_len, &ring, &p, &content, &who, NULL),
		    R_CERT_SYNTAX);
		patch(0, "\xa0\x03\x02\x01\x08", "\xa0\x03\x02\x01\x02", 5);
	}
	CHECK_INT(cms_verify(cms, cms_len, &ring, &p, &content, &who, NULL), 0);
}

static void test_signer(void)
{
	const struct row row = {.cms = "under-int", .keyring = "root int"};
	static struct signer who;
	struct slice content;
	struct diag d = {0};
	struct cert_view v;

	CHECK_INT(run(&row, &content, &who, &d), 0);
	CHECK_STR(who.subject, "CN=Under Int,O=lifeboat tests");
	CHECK_STR(who.issuer, "CN=Intermediate,O=lifeboat tests");
	CHECK_STR(who.cn, "Under Int");
	CHECK(who.has_time);
	CHECK(who.signing_time > Y2026 - 86400 * 30);
	CHECK_INT(who.chain_len, 3);
	CHECK_INT(cert_describe(who.chain[2], &v, &d), 0);
	CHECK_STR(v.subject, "CN=Root,O=lifeboat tests");
	CHECK_STR(v.issuer, "CN=Root,O=lifeboat tests");
	CHECK_INT(v.not_before, 1577836800);
	CHECK_INT(v.not_after, 4070908800);
}

/* The signature's bytes, cut anywhere, or with any bit flipped, are never
 * accepted: all of it is either signed or judged. */
static void test_truncation(void)
{
	const struct row row = {.cms = "with-int", .keyring = "root"};
	static struct signer who;
	struct trust_policy p = {.now = Y2026};
	struct slice content;
	struct diag d = {0};
	size_t accepted = 0;

	CHECK_INT(run(&row, &content, &who, &d), 0);
	for (size_t n = 0; n < cms_len; n++) {
		static uint8_t copy[65536];
		uint8_t *end = copy + sizeof copy - n;

		memcpy(end, cms, n); /* so that a read past it is noticed */
		accepted +=
		    cms_verify(end, n, &ring, &p, &content, &who, NULL) == 0;
		if (content.len != 0)
			accepted++;
	}
	CHECK_INT(accepted, 0);
}

int main(void)
{
	if (system("sh tests/data/mkcerts.sh build/tests/certs") != 0)
		return 1;
	test_table();
	test_reasons_covered();
	test_bad_cert();
	test_signer();
	test_truncation();
	return check_done("cms_test");
}
