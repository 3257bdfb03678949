/* SPDX-License-Identifier: 0BSD */
/*
 * Trust decisions: a table of cases, most of them refusals, under a stopped
 * clock. Every reason of the CMS and certificate blocks occurs.
 */
#include "bundle/trust.h"

#include <stdlib.h>

#include "bundle/x509.h"
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

/* names: PEM files, of certificates without suffix, separated by blanks */
static void load_keyring(const char *names)
{
	char copy[256];

	memset(&ring, 0, sizeof ring);
	snprintf(copy, sizeof copy, "%s", names);
	for (char *n = strtok(copy, " "); n; n = strtok(NULL, " ")) {
		struct diag d = {0};
		const char *suffix = strstr(n, ".crl") ? "" : ".pem";
		size_t len = load(n, suffix, pem, sizeof pem);

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
	bool crl;
	unsigned min;
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
	p.check_crl = row->crl;
	p.min_signers = row->min;
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
    {"root that signed itself with SHA-1", "under-sha1", "root-sha1",
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
    {"its last second", "signer", "root", .want = 0, .now = 4070908799},
    {"RSA-PSS", "pss", "root-rsa", .want = 0},
    {"RSA-PSS, no salt", "pss-0", "root-rsa", .want = 0},
    {"RSA-PSS, salt of 20, the default", "pss-20", "root-rsa", .want = 0},
    {"RSA-PSS, salt of 32", "pss-32", "root-rsa", .want = 0},
    {"RSA-PSS, longest salt", "pss-max", "root-rsa", .want = 0},
    {"RSA-PSS with SHA-512", "pss-sha512", "root-rsa", .want = 0},
    {"RSA-PSS certificate", "pss-cert", "root-rsa", .want = 0},
    {"RSA-PSS certificate with SHA-512", "pss-cert-sha512", "root-rsa",
        .want = 0},
    {"clock policy, clock in order", "signer", "root", .want = 0,
        .time = TIME_CLOCK, .floor = Y2026 + 86400},
    {"two signers, two keys", "twice", "root root-rsa", .want = 0, .min = 2},
    {"two signers, one asked for", "twice", "root root-rsa", .want = 0,
        .min = 1},
    {"two signers, one by key id", "twice-id", "root root-rsa", .want = 0,
        .min = 2},
    {"three signers", "thrice", "root root-rsa", .want = 0, .min = 2},
    {"one signer, one asked for", "signer", "root", .want = 0, .min = 1},

    /* revocation */
    {"CRL", "signer", "root root.crl", .want = 0, .crl = true},
    {"CRL v1", "signer", "root root-v1.crl", .want = 0, .crl = true},
    {"CRL of others", "signer", "root root-many.crl", .want = 0, .crl = true},
    {"CRL with an unknown extension", "signer", "root root-number.crl",
        .want = 0, .crl = true},
    {"CRL, and the chain's", "with-int", "root root.crl int.crl", .want = 0,
        .crl = true},
    {"CRL signed with PSS", "rsa", "root-rsa root-rsa-pss.crl", .want = 0,
        .crl = true},
    {"removed from CRL", "signer", "root root-removed.crl", .want = 0,
        .crl = true},
    {"the newer CRL is the one that is current", "signer",
        "root root-old.crl root.crl root-later.crl", .want = 0, .crl = true},
    {"a current CRL and one of the future", "signer",
        "root root-new.crl root.crl", .want = 0, .crl = true},
    {"CRL at the signing time", "signer", "root root.crl", .want = 0,
        .crl = true, .time = TIME_SIGNING, .now = 1},
    {"CRL at its first second", "signer", "root root.crl", .want = 0,
        .crl = true, .now = 1735689600},
    {"CRL at its last second", "signer", "root root-old.crl", .want = 0,
        .crl = true, .now = 1735689599},
    {"revoked, nobody asks", "signer", "root root-signer.crl", .want = 0},
    {"no CRL", "signer", "root", .want = R_CRL_MISSING, "CN=Root", .crl = true},
    {"no CRL of the intermediate", "with-int", "root root.crl",
        .want = R_CRL_MISSING, "CN=Intermediate", .crl = true},
    {"no CRL of the root", "with-int", "root int.crl", .want = R_CRL_MISSING,
        "CN=Root", .crl = true},
    {"CRL of another key", "signer", "root-next root root-rsa.crl",
        .want = R_CRL_MISSING, .crl = true},
    {"CRL of the same name, other key", "under-bare",
        "root-bare root-bare-next.crl", .want = R_CRL_BAD, "did not sign",
        .crl = true},
    {"CRL not yet valid", "signer", "root root-future.crl",
        .want = R_CRL_NOT_YET, "before 2090-01-01", .crl = true},
    {"CRL, clock at 1970", "self", "self root.crl", .want = R_CERT_NOT_YET,
        .crl = true, .now = 1},
    {"CRL expired", "signer", "root root-old.crl", .want = R_CRL_EXPIRED,
        "expired on 2025-01-01 00:00:00 UTC; judged at 2026-01-01 00:00:00 "
        "UTC, by the clock",
        .crl = true},
    {"CRL at its end", "signer", "root root-old.crl", .want = R_CRL_EXPIRED,
        .crl = true, .now = 1735689600},
    {"CRL before its begin", "signer", "root root.crl", .want = R_CRL_NOT_YET,
        .crl = true, .now = 1735689599},
    {"revoked", "signer", "root root-signer.crl", .want = R_CERT_REVOKED,
        "CN=Signer,O=lifeboat tests\" was revoked on 2025-06-01 00:00:00 UTC: "
        "unspecified",
        .crl = true},
    {"revoked, with a reason", "signer", "root root-signer-reason.crl",
        .want = R_CERT_REVOKED, "keyCompromise", .crl = true},
    {"held", "signer", "root root-signer-held.crl", .want = R_CERT_REVOKED,
        "certificateHold", .crl = true},
    {"revoked by the newer CRL", "signer",
        "root root.crl root-later-signer.crl", .want = R_CERT_REVOKED,
        .crl = true},
    {"revoked by the newer CRL, which stands first", "signer",
        "root root-later-signer.crl root.crl", .want = R_CERT_REVOKED,
        .crl = true},
    {"revoked by the older CRL, too", "signer",
        "root root-signer.crl root-later.crl", .want = R_CERT_REVOKED,
        .crl = true},
    {"revoked by the older CRL, which stands last", "signer",
        "root root-later.crl root-signer.crl", .want = R_CERT_REVOKED,
        .crl = true},
    {"revoked by a CRL that has expired", "signer",
        "root root.crl root-old-signer.crl", .want = R_CERT_REVOKED,
        .crl = true},
    {"revoked by a CRL that nobody vouches for", "under-bare",
        "root-bare root-bare.crl root-bare-next-under.crl", .want = 0,
        .crl = true},
    {"every path looked at, with 60 checks", "with-loop",
        "decoys loop5 loop.crl", .want = 0, .crl = true},
    {"the 65th check is of the last CRL", "with-loop",
        "decoys decoy8 loop5 loop.crl", .want = R_LIMIT, "64 signature checks",
        .crl = true},
    {"more paths than are looked at", "with-circle", "loop5", .want = 0},
    {"more paths than are looked at, CRL", "with-circle", "loop5 loop.crl",
        .want = R_LIMIT, "64 signature checks", .crl = true},
    {"longer paths than are looked at", "with-loops", "loop0", .want = 0},
    {"longer paths than are looked at, CRL", "with-loops", "loop0 loop.crl",
        .want = R_CERT_PATHLEN, "first 8", .crl = true},
    {"revoked intermediate", "with-int", "root root-int.crl int.crl",
        .want = R_CERT_REVOKED, "CN=Intermediate", .crl = true},
    {"revoked intermediate, below it nobody knows", "with-int",
        "root root-int.crl", .want = R_CERT_REVOKED, "CN=Intermediate",
        .crl = true},
    {"revoked intermediate, below it the list is over", "with-int",
        "root int-old.crl root-int.crl", .want = R_CERT_REVOKED,
        "CN=Intermediate", .crl = true},
    {"nobody knows, twice", "with-int", "root", .want = R_CRL_MISSING,
        "has no CRL of \"CN=Intermediate", .crl = true},
    {"revoked root, below it nobody knows", "with-int", "root root-root.crl",
        .want = R_CERT_REVOKED, "CN=Root", .crl = true},
    {"revoked, another path, of whose leaf nobody knows", "with-crosses",
        "root root-next root-int.crl root-next.crl", .want = R_CERT_REVOKED,
        .crl = true},
    {"revoked, beside a CRL of a part", "signer",
        "root root-idp.crl root-signer.crl", .want = R_CERT_REVOKED,
        .crl = true},
    {"revoked below the intermediate", "with-int",
        "root root.crl int-under.crl", .want = R_CERT_REVOKED, "CN=Under Int",
        .crl = true},
    {"revoked root", "signer", "root root-root.crl", .want = R_CERT_REVOKED,
        "CN=Root", .crl = true},
    {"not revoked on any path", "with-crosses",
        "root root-next root.crl root-next.crl int.crl", .want = 0,
        .crl = true},
    {"revoked, another path", "with-crosses",
        "root root-next root-int.crl root-next.crl int.crl",
        .want = R_CERT_REVOKED, .crl = true},
    {"revoked, another path, which is over", "with-crosses",
        "root-expired root-next root-int.crl root-next.crl int.crl",
        .want = R_CERT_REVOKED, .crl = true},
    {"another path is over", "with-crosses",
        "root-expired root-next root.crl root-next.crl int.crl", .want = 0,
        .crl = true},
    {"CRL, critical extension", "signer", "root root-critical.crl",
        .want = R_CRL_BAD, "1.2.3.4", .crl = true},
    {"CRL, of a part", "signer", "root root-idp.crl", .want = R_CRL_BAD,
        "2.5.29.28", .crl = true},
    {"CRL, of a part, beside another", "signer",
        "root root.crl root-idp.crl root-later.crl", .want = R_CRL_BAD,
        .crl = true},
    {"delta CRL", "signer", "root root-delta.crl", .want = R_CRL_BAD,
        "2.5.29.27", .crl = true},
    {"CRL with SHA-1", "rsa", "root-rsa root-rsa-sha1.crl", .want = R_CRL_BAD,
        "SHA-1", .crl = true},
    {"CRL, no cRLSign", "under-nocrl", "root root.crl int-nocrl.crl",
        .want = R_CRL_BAD, "cRLSign", .crl = true},
    {"CRL, partial chain", "under-int", "int int.crl", .want = R_CRL_MISSING,
        "not in its chain", .partial = true, .crl = true},
    {"CRL of a self-signed signer", "self", "self", .want = R_CRL_MISSING,
        .crl = true},

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
    {"RSA-PSS with SHA-1", "pss-sha1", "root-rsa", .want = R_CMS_ALGORITHM},
    {"RSA-PSS, MGF with SHA-1", "pss-mgf", "root-rsa", .want = R_CMS_ALGORITHM,
        "RSA-PSS"},
    {"RSA-PSS certificate, MGF with SHA-1", "pss-cert-mgf", "root-rsa",
        .want = R_CERT_ALGORITHM, "RSA-PSS"},
    {"key for RSA-PSS only", "psskey", "root", .want = R_CERT_KEY},
    {"RSA-PSS signature changed", "pss", "root-rsa", .want = R_CMS_SIGNATURE,
        .change = flip_signature},
    {"two signers, one key", "twice-key", "root", .want = R_CMS_FEW_SIGNERS,
        "1 different key, min-signers=2", .min = 2},
    {"one signer, two asked for", "signer", "root", .want = R_CMS_FEW_SIGNERS,
        .min = 2},
    {"two signers, three asked for", "twice", "root root-rsa",
        .want = R_CMS_FEW_SIGNERS, .min = 3},
    {"two signers, one unknown", "twice-bad", "root", .want = R_CERT_UNKNOWN,
        "Stranger", .min = 1},
    {"two signers, one root", "twice", "root", .want = R_CERT_UNKNOWN,
        .min = 1},
    {"two signers, one changed", "twice", "root root-rsa",
        .want = R_CMS_SIGNATURE, .min = 2, .change = flip_signature},
    {"two signers, one not allowed", "twice", "root root-rsa",
        .want = R_CERT_CN, .cn = "Signer", .min = 2},
    {"nine signers", "nine", "root", .want = R_LIMIT, .min = 1},
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
    {"the second it ends", "signer", "root", .want = R_CERT_EXPIRED,
        .now = 4070908800},
    {"not yet valid", "future", "root", .want = R_CERT_NOT_YET,
        "before 2090-01-01 00:00:00 UTC"},
    {"clock at 1970", "signer", "root", .want = R_CERT_NOT_YET,
        "judged at 1970-01-01 00:00:01 UTC", .now = 1},
    {"signing time, expired then", "expired", "root", .want = R_CERT_EXPIRED,
        .time = TIME_SIGNING, .now = 1300000000},
    {"floor ends it", "expired", "root", .want = R_CERT_EXPIRED,
        .now = 1300000000, .floor = Y2026},
    {"clock policy, clock at 1970", "signer", "root", .want = R_CERT_NOT_YET,
        "by the clock", .time = TIME_CLOCK, .now = 1, .floor = Y2026},
    {"floor policy, floor too early", "signer", "root", .want = R_CERT_NOT_YET,
        "by the date of this image", .now = 1, .floor = 2},
    {"signing time, too early", "future", "root", .want = R_CERT_NOT_YET,
        "by the signing time", .time = TIME_SIGNING, .now = 3800000000},
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
		bool found = all[i] > -50 || all[i] < -88 ||
		             all[i] == R_KEYRING || all[i] == R_KEYRING_KEY ||
		             all[i] == R_CERT_SYNTAX || /* test_bad_cert */
		             all[i] == R_CMS_INLINE;    /* test_detached */

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

/* Puts more in front of the SignerInfos; all lengths there have two octets. */
static void insert_crls(const char *more, size_t len)
{
	static const size_t headers[] = {0, 15, 19};
	struct buf b;
	struct der e;
	size_t at;

	buf_init(&b, cms + 19, cms_len - 19);
	b = der_enter(&b, DER_SEQUENCE);
	for (unsigned i = 0; i < 5; i++)
		CHECK(der_next(&b, &e));
	CHECK_INT(e.tag, DER_SET);
	at = (size_t)((const uint8_t *)e.raw.p - cms);
	memmove(cms + at + len, cms + at, cms_len - at);
	memcpy(cms + at, more, len);
	cms_len += len;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		uint8_t *p = cms + headers[i];
		size_t n = (size_t)(p[2] << 8 | p[3]) + len;

		CHECK_INT(p[1], 0x82);
		p[2] = (uint8_t)(n >> 8);
		p[3] = (uint8_t)n;
	}
}

/* CRLs in the CMS: nobody looks there, and nobody may hope for it. */
static void test_crls_inside(void)
{
	const struct row row = {.cms = "signer", .keyring = "root root.crl"};
	struct trust_policy p = {.now = Y2026};
	static struct signer who;
	struct slice content;
	struct diag d = {0};

	CHECK_INT(run(&row, &content, &who, &d), 0);
	insert_crls("\xa1\x02\x30\x00", 4);
	CHECK_INT(
	    cms_verify(cms, cms_len, &ring, &p, &content, &who, &d), R_CRL_BAD);
	CHECK(strstr(d.seen, "only those of the keyring") != NULL);
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

/* The parts of a SignedData, whole. */
static void split(struct slice part[5])
{
	struct buf b;
	struct der e;

	buf_init(&b, cms, cms_len);
	b = der_enter(&b, DER_SEQUENCE);
	(void)der_oid(&b);
	b = der_enter(&b, DER_CTX_CONS(0));
	b = der_enter(&b, DER_SEQUENCE);
	for (unsigned i = 0; i < 5; i++) {
		CHECK(der_next(&b, &e));
		part[i] = i < 3 ? e.raw : e.body;
	}
}

/* Puts what stands at the end of cms, from a place on, into an element. */
static void wrap(uint8_t tag, size_t from)
{
	size_t len = cms_len - from;

	memmove(cms + from + 4, cms + from, len);
	cms[from] = tag;
	cms[from + 1] = 0x82;
	cms[from + 2] = (uint8_t)(len >> 8);
	cms[from + 3] = (uint8_t)len;
	cms_len += 4;
}

static void append(struct slice s)
{
	memcpy(cms + cms_len, s.p, s.len);
	cms_len += s.len;
}

/* The signers and certificates of two detached signatures in one. */
static void merge(const char *one, const char *other)
{
	static uint8_t keep[2][8192];
	struct slice a[5], b[5];

	cms_len = load(one, ".cms", cms, sizeof cms);
	memcpy(keep[0], cms, cms_len);
	split(a);
	for (unsigned i = 0; i < 5; i++)
		a[i].p = (char *)keep[0] + ((const uint8_t *)a[i].p - cms);
	cms_len = load(other, ".cms", cms, sizeof cms);
	memcpy(keep[1], cms, cms_len);
	split(b);
	for (unsigned i = 0; i < 5; i++)
		b[i].p = (char *)keep[1] + ((const uint8_t *)b[i].p - cms);
	cms_len = 0;
	append((struct slice){"\x06\x09" OID_SIGNED, 11});
	for (unsigned i = 0; i < 3; i++)
		append(a[i]);
	for (unsigned i = 3; i < 5; i++) {
		size_t from = cms_len;

		append(a[i]);
		append(b[i]);
		wrap(i == 3 ? DER_CTX_CONS(0) : DER_SET, from);
	}
	wrap(DER_SEQUENCE, 11);
	wrap(DER_CTX_CONS(0), 11);
	wrap(DER_SEQUENCE, 0);
}

/* A detached signature: only over what was hashed, by its own algorithm; and
 * over one content, however many signed. */
static void test_detached(void)
{
	static const struct {
		const char *cms;
		unsigned has;
	} kinds[] = {
	    {"detached", DIGEST_SHA256},
	    {"detached-sha384", DIGEST_SHA384},
	    {"detached-sha512", DIGEST_SHA512},
	};
	static char manifest[4096];
	static struct signer who;
	struct trust_policy p = {.now = Y2026};
	struct content_digest digest = {.have = 7}, found;
	struct slice content = {manifest, 0};
	struct diag d = {0};

	content.len = load("manifest", "", manifest, sizeof manifest);
	for (unsigned i = 0; i < 3; i++)
		(void)hash_two((enum hash_id)(HASH_SHA256 + i), content,
		    (struct slice){"", 0}, digest.of[i]);
	load_keyring("root");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		cms_len = load(kinds[i].cms, ".cms", cms, sizeof cms);
		CHECK(cms_is_detached(cms, cms_len));
		CHECK(!cms_is_detached(cms, cms_len - 1));
		CHECK_INT(cms_verify_detached(
		              cms, cms_len, &digest, &ring, &p, &who, &d),
		    0);
		CHECK_INT(digest.have, 7);
		CHECK_STR(who.cn, "Signer");
		digest.of[i][31] ^= 1;
		CHECK_INT(cms_verify_detached(
		              cms, cms_len, &digest, &ring, &p, &who, NULL),
		    R_CMS_DIGEST);
		CHECK_STR(who.cn, "");
		digest.of[i][31] ^= 1;
		/* What is not known comes out of it. */
		memset(&found, 0, sizeof found);
		CHECK_INT(cms_verify_detached(
		              cms, cms_len, &found, &ring, &p, &who, NULL),
		    0);
		CHECK_INT(found.have, kinds[i].has);
		CHECK_MEM(found.of[i], digest.of[i], sizeof found.of[i]);
		flip_signature();
		CHECK_INT(cms_verify_detached(
		              cms, cms_len, &digest, &ring, &p, &who, NULL),
		    R_CMS_SIGNATURE);
	}
	/* inline is not detached, and the other way round */
	cms_len = load("signer", ".cms", cms, sizeof cms);
	CHECK(!cms_is_detached(cms, cms_len));
	CHECK_INT(
	    cms_verify_detached(cms, cms_len, &digest, &ring, &p, &who, &d),
	    R_CMS_INLINE);
	/* two signers: of the same, with the same and another digest */
	p.min_signers = 2;
	load_keyring("root root-rsa");
	merge("detached", "detached-rsa");
	memset(&found, 0, sizeof found);
	CHECK_INT(
	    cms_verify_detached(cms, cms_len, &found, &ring, &p, &who, NULL),
	    0);
	CHECK_INT(found.have, DIGEST_SHA256);
	merge("detached-sha512", "detached-rsa");
	/* which a digestAlgorithms of the first one alone does not allow */
	CHECK_INT(
	    cms_verify_detached(cms, cms_len, &found, &ring, &p, &who, NULL),
	    R_CMS_ALGORITHM);
	/* of two contents */
	merge("detached", "detached-other");
	memset(&found, 0, sizeof found);
	CHECK_INT(
	    cms_verify_detached(cms, cms_len, &found, &ring, &p, &who, NULL),
	    R_CMS_DIGEST);
	merge("detached-other", "detached");
	CHECK_INT(
	    cms_verify_detached(cms, cms_len, &digest, &ring, &p, &who, NULL),
	    R_CMS_DIGEST);
}

int main(void)
{
	if (system("sh tests/data/mkcerts.sh build/tests/certs") != 0)
		return 1;
	test_table();
	test_reasons_covered();
	test_bad_cert();
	test_crls_inside();
	test_signer();
	test_truncation();
	test_detached();
	return check_done("cms_test");
}
