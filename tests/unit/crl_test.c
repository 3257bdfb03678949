/* SPDX-License-Identifier: 0BSD */
/*
 * Reading revocation lists; what they decide is in cms_test. Lists that no
 * tool makes are put together here, without a signature that anyone checks.
 */
#include "bundle/crl.h"

#include <stdlib.h>

#include "check.h"

static uint8_t list[4096];
static size_t list_len;

static struct slice load(const char *name)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path,
	    "openssl crl -in build/tests/certs/%s.crl "
	    "-outform DER",
	    name);
	f = popen(path, "r");
	list_len = f ? fread(list, 1, sizeof list, f) : 0;
	CHECK(list_len > 0);
	if (f)
		pclose(f);
	return (struct slice){(char *)list, list_len};
}

/* A header around what is in p; returns the new length. */
static size_t wrap(uint8_t tag, uint8_t *p, size_t len)
{
	memmove(p + 4, p, len);
	p[0] = tag;
	if (len < 128) {
		memmove(p + 2, p + 4, len);
		p[1] = (uint8_t)len;
		return len + 2;
	}
	CHECK(len < 256);
	memmove(p + 3, p + 4, len);
	p[1] = 0x81;
	p[2] = (uint8_t)len;
	return len + 3;
}

#define ALG "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define ALG384 "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"
#define V2 "\x02\x01\x01"
#define NAME "\x30\x00"
#define THIS \
	"\x17\x0d" \
	"250101000000Z"
#define NEXT \
	"\x18\x0f" \
	"20990101000000Z"
#define HEAD V2 ALG NAME THIS NEXT
#define DATE \
	"\x17\x0d" \
	"250601000000Z"
#define ENTRY "\x02\x01\x07" DATE
#define REASON(r) "\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01" r
#define AKI "\x30\x0b\x06\x03\x55\x1d\x23\x04\x04\x30\x02\x80\x00"

/* tbs: its contents */
static int parse(const char *tbs, size_t len, struct crl *c, struct diag *d)
{
	static uint8_t copy[1024];
	uint8_t *p = list;

	memcpy(p, tbs, len);
	len = wrap(DER_SEQUENCE, p, len);
	memcpy(p + len, ALG "\x03\x03\x00zz", 17);
	len = wrap(DER_SEQUENCE, p, len + 17);
	p = copy + sizeof copy - len;
	memcpy(p, list, len); /* so that a read past it is noticed */
	return crl_parse((struct slice){(char *)p, len}, c, d);
}

static void test_rows(void)
{
#define ROW(s) s, sizeof(s) - 1
	static const struct {
		const char *name;
		const char *tbs;
		size_t len;
		const char *says;  /* NULL: good */
		const char *limit; /* the OID of what is not handled */
	} rows[] = {
	    {"plain", ROW(HEAD), NULL, NULL},
	    {"v1", ROW(ALG NAME THIS NEXT), NULL, NULL},
	    {"no nextUpdate", ROW(V2 ALG NAME THIS), NULL, NULL},
	    {"an entry", ROW(HEAD "\x30\x14\x30\x12" ENTRY), NULL, NULL},
	    {"a reason",
	        ROW(HEAD "\x30\x20\x30\x1e" ENTRY "\x30\x0a"
	                 "\x30\x08\x06\x03\x55\x1d\x15\x04\x01z"),
	        "an entry", NULL},
	    {"a good reason",
	        ROW(HEAD "\x30\x22\x30\x20" ENTRY "\x30\x0c" REASON("\x01")),
	        NULL, NULL},
	    {"reason 7",
	        ROW(HEAD "\x30\x22\x30\x20" ENTRY "\x30\x0c" REASON("\x07")),
	        "an entry", NULL},
	    {"reason 11",
	        ROW(HEAD "\x30\x22\x30\x20" ENTRY "\x30\x0c" REASON("\x0b")),
	        "an entry", NULL},
	    {"reason -1",
	        ROW(HEAD "\x30\x22\x30\x20" ENTRY "\x30\x0c" REASON("\xff")),
	        "an entry", NULL},
	    {"reasons twice",
	        ROW(HEAD "\x30\x2e\x30\x2c" ENTRY "\x30\x18" REASON("\x01")
	                REASON("\x01")),
	        "an entry", NULL},
	    {"no extensions in it",
	        ROW(HEAD "\x30\x16\x30\x14" ENTRY "\x30\x00"), "an entry",
	        NULL},
	    {"extensions of a v1 entry",
	        ROW(ALG NAME THIS NEXT "\x30\x22\x30\x20" ENTRY
	                               "\x30\x0c" REASON("\x01")),
	        "an entry", NULL},
	    {"entry of another issuer",
	        ROW(HEAD "\x30\x21\x30\x1f" ENTRY "\x30\x0b"
	                 "\x30\x09\x06\x03\x55\x1d\x1d\x04\x02\x30\x00"),
	        NULL, "2.5.29.29"},
	    {"entry with a critical extension",
	        ROW(HEAD "\x30\x22\x30\x20" ENTRY "\x30\x0c"
	                 "\x30\x0a\x06\x02\x2a\x03\x01\x01\xff\x04\x01z"),
	        NULL, "1.2.3"},
	    {"no date", ROW(HEAD "\x30\x05\x30\x03\x02\x01\x07"), "an entry",
	        NULL},
	    {"entry too long", ROW(HEAD "\x30\x16\x30\x14" ENTRY "\x05\x00"),
	        "an entry", NULL},
	    {"an empty list", ROW(HEAD "\x30\x00"), "revokedCertificates",
	        NULL},
	    {"key identifier", ROW(HEAD "\xa0\x0f\x30\x0d" AKI), NULL, NULL},
	    {"key identifier twice", ROW(HEAD "\xa0\x1c\x30\x1a" AKI AKI),
	        "twice", NULL},
	    {"key identifier, malformed",
	        ROW(HEAD "\xa0\x0d\x30\x0b\x30\x09\x06\x03\x55\x1d\x23\x04\x02"
	                 "\x05\x00"),
	        "authorityKeyIdentifier", NULL},
	    {"unknown",
	        ROW(HEAD "\xa0\x0b\x30\x09\x30\x07\x06\x02\x2a\x03\x04"
	                 "\x01z"),
	        NULL, NULL},
	    {"unknown and critical",
	        ROW(HEAD "\xa0\x0e\x30\x0c\x30\x0a\x06\x02\x2a\x03\x01\x01\xff"
	                 "\x04\x01z"),
	        NULL, "1.2.3"},
	    {"a part, not critical",
	        ROW(HEAD "\xa0\x0d\x30\x0b\x30\x09\x06\x03\x55\x1d\x1c\x04\x02"
	                 "\x30\x00"),
	        NULL, "2.5.29.28"},
	    {"a delta, not critical",
	        ROW(HEAD "\xa0\x0e\x30\x0c\x30\x0a\x06\x03\x55\x1d\x1b\x04\x03"
	                 "\x02\x01\x01"),
	        NULL, "2.5.29.27"},
	    {"extensions of v1", ROW(ALG NAME THIS NEXT "\xa0\x0f\x30\x0d" AKI),
	        "behind the last field", NULL},
	    {"no extensions", ROW(HEAD "\xa0\x02\x30\x00"), "extensions", NULL},
	    {"v1 written out", ROW("\x02\x01\x00" ALG NAME THIS NEXT),
	        "version", NULL},
	    {"v3", ROW("\x02\x01\x02" ALG NAME THIS NEXT), "version", NULL},
	    {"another algorithm", ROW(V2 ALG384 NAME THIS NEXT),
	        "two different", NULL},
	    {"no issuer", ROW(V2 ALG THIS NEXT), "issuer", NULL},
	    {"no thisUpdate", ROW(V2 ALG NAME), "thisUpdate", NULL},
	    {"month 13",
	        ROW(V2 ALG NAME "\x17\x0d"
	                        "251301000000Z"),
	        "thisUpdate", NULL},
	    {"something behind", ROW(HEAD "\x05\x00"), "extensions", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int before = check_failed;
		struct diag d = {0};
		char oid[OID_TEXT];
		struct crl c;
		int r = parse(rows[i].tbs, rows[i].len, &c, &d);

		CHECK_INT(r, rows[i].says ? R_CRL_BAD : 0);
		if (rows[i].says)
			CHECK(strstr(d.seen, rows[i].says) != NULL);
		oid_text(oid, c.unhandled);
		CHECK_STR(oid, rows[i].limit ? rows[i].limit : "");
		if (check_failed != before)
			fprintf(stderr, "  in %s: %s\n", rows[i].name, d.seen);
	}
}

static void test_fields(void)
{
	struct diag d = {0};
	struct crl c;

	CHECK_INT(crl_parse(load("root-signer-reason"), &c, &d), 0);
	CHECK_INT(c.version, 1);
	CHECK_INT(c.this_update, 1735689600);
	CHECK(c.has_next);
	CHECK_INT(c.next_update, 4070908800);
	CHECK_INT(c.aki.id.len, 20);
	CHECK_INT(c.aki.serial.len, 0);
	CHECK_INT(c.unhandled.len, 0);
	CHECK(c.revoked.len > 60);
	CHECK_INT(crl_parse(load("root-v1"), &c, &d), 0);
	CHECK_INT(c.version, 0);
	CHECK_INT(c.revoked.len, 0);
	CHECK_INT(crl_parse(load("root-idp"), &c, &d), 0);
	CHECK_INT(c.unhandled.len, 3);
}

static void test_cut(void)
{
	struct slice s = load("root-signer-reason");
	size_t accepted = 0;
	struct crl c;

	for (size_t n = 0; n < s.len; n++) {
		static uint8_t copy[4096];
		uint8_t *start = copy + sizeof copy - n;

		memcpy(start, s.p, n);
		accepted +=
		    crl_parse((struct slice){(char *)start, n}, &c, NULL) == 0;
	}
	CHECK_INT(accepted, 0);
	list[s.len++] = 0;
	CHECK_INT(crl_parse(s, &c, NULL), R_CRL_BAD);
}

/* No list that was changed in any bit lets a certificate pass. */
static void test_flips(void)
{
	static struct keyring ring;
	static char pem[4096];
	static uint8_t keep[sizeof list];
	const struct trust_now at = {1767225600, "by the test"};
	struct cert root;
	struct diag d = {0};
	size_t passed = 0;
	struct slice s;
	FILE *f = fopen("build/tests/certs/root.pem", "rb");

	CHECK(f != NULL);
	if (!f)
		return;
	s.len = fread(pem, 1, sizeof pem, f);
	fclose(f);
	CHECK_INT(keyring_load(&ring, pem, s.len, &d), 0);
	CHECK_INT(x509_parse(ring.cert[0], &root, &d), 0);
	s = load("root-many");
	memcpy(keep, list, s.len);
	ring.crl[0] = (struct slice){(char *)keep, s.len};
	ring.crls = 1;
	CHECK_INT(
	    crl_check(&ring, root.serial, root.subject, &root, &at, &d), 0);
	for (size_t i = 0; i < s.len * 8; i++) {
		keep[i / 8] ^= (uint8_t)(1 << i % 8);
		passed += crl_check(&ring, root.serial, root.subject, &root,
		              &at, NULL) == 0;
		keep[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	CHECK_INT(passed, 0);
	CHECK_INT(
	    crl_check(&ring, root.serial, root.subject, &root, &at, &d), 0);
}

/* One without an end is never current. */
static void test_no_next(void)
{
	static struct keyring ring;
	const struct trust_now at = {1767225600, "by the test"};
	struct cert issuer = {.subject = {NAME, 2}};
	struct diag d = {0};
	struct crl c;

	CHECK_INT(parse(ROW(V2 ALG NAME THIS), &c, &d), 0);
	ring.crls = 1;
	ring.crl[0] = c.sig.tbs;
	ring.crl[0].p -= 2; /* the whole of it */
	ring.crl[0].len += 2 + 17;
	CHECK_INT(
	    crl_check(&ring, issuer.serial, issuer.subject, &issuer, &at, &d),
	    R_CRL_BAD);
	CHECK(strstr(d.seen, "no nextUpdate") != NULL);
}

int main(void)
{
	if (system("sh tests/data/mkcerts.sh build/tests/certs") != 0)
		return 1;
	test_rows();
	test_fields();
	test_cut();
	test_flips();
	test_no_next();
	return check_done("crl_test");
}
