/* SPDX-License-Identifier: 0BSD */
#include "bundle/x509.h"

#include <stdlib.h>

#include "bundle/trust.h"
#include "check.h"

static uint8_t der[16384];
static size_t der_len;

static struct slice load(const char *name)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "build/tests/certs/%s.der", name);
	f = fopen(path, "rb");
	der_len = f ? fread(der, 1, sizeof der, f) : 0;
	CHECK(der_len > 0);
	if (f)
		fclose(f);
	return (struct slice){(const char *)der, der_len};
}

static void test_fields(void)
{
	struct diag d = {0};
	struct cert c;

	CHECK_INT(x509_parse(load("root"), &c, &d), 0);
	CHECK(c.ca && !c.has_pathlen);
	CHECK(c.has_ku);
	CHECK_INT(c.ku, 0x06);
	CHECK(!c.has_eku);
	CHECK_INT(c.ski.len, 20);
	CHECK(slice_same(c.subject, c.issuer));
	CHECK(x509_names_issuer(&c, &c));
	CHECK_INT(c.not_before, 1577836800);
	CHECK_INT(c.not_after, 4070908800);
	CHECK_INT(c.key.type, KEY_EC);
	CHECK_INT(c.key.bits, 256);
	CHECK_INT(c.key.q.len, 65);
	CHECK_INT(x509_check_signature(&c, &c, &d), 0);

	CHECK_INT(x509_parse(load("rsa"), &c, &d), 0);
	CHECK_INT(c.key.type, KEY_RSA);
	CHECK_INT(c.key.bits, 2048);
	CHECK_INT(c.key.n.len, 256);
	CHECK_INT(c.key.e.len, 3);
	CHECK(!c.ca);

	CHECK_INT(x509_parse(load("eku-both"), &c, &d), 0);
	CHECK(c.has_eku);
	CHECK_INT(c.eku, EKU_CODE_SIGNING | EKU_EMAIL);
	CHECK_INT(c.unhandled.len, 0);
}

/* Each field patched to something a lenient reader would take. */
static void test_malformed(void)
{
	static const struct {
		const char *name, *from, *to;
		size_t len;
		const char *says;
	} rows[] = {
	    {"version 1 written out", "\xa0\x03\x02\x01\x02",
	        "\xa0\x03\x02\x01\x00", 5, "version"},
	    {"version 4", "\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x03", 5,
	        "version"},
	    {"version 2 with extensions", "\xa0\x03\x02\x01\x02",
	        "\xa0\x03\x02\x01\x01", 5, "behind the last field"},
	    {"inner algorithm", "\x2a\x86\x48\xce\x3d\x04\x03\x02",
	        "\x2a\x86\x48\xce\x3d\x04\x03\x03", 8, "two different"},
	    {"month 13", "200101", "201301", 6, "validity"},
	    {"extension twice", "\x06\x03\x55\x1d\x0e", "\x06\x03\x55\x1d\x0f",
	        5, "twice"},
	    {"critical is 1", "\x01\x01\xff\x04", "\x01\x01\x01\x04", 4,
	        "extension"},
	    {"cA is 1", "\x30\x03\x01\x01\xff", "\x30\x03\x01\x01\x01", 5,
	        "contents"},
	    {"keyUsage of 9 unused bits", "\x03\x02\x01\x06",
	        "\x03\x02\x09\x06", 4, "contents"},
	};
	struct cert c;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct slice s = load("root");
		struct diag d = {0};
		uint8_t *p = memmem(der, der_len, rows[i].from, rows[i].len);

		CHECK(p != NULL);
		if (!p)
			continue;
		memcpy(p, rows[i].to, rows[i].len);
		CHECK_INT(x509_parse(s, &c, &d), R_CERT_SYNTAX);
		CHECK(strstr(d.seen, rows[i].says) != NULL);
		if (!strstr(d.seen, rows[i].says))
			fprintf(stderr, "  %s: %s\n", rows[i].name, d.seen);
		CHECK_INT(c.der.len, 0);
	}
}

static void test_cut(void)
{
	struct slice s = load("rsa");
	size_t accepted = 0;
	struct cert c;

	for (size_t n = 0; n < s.len; n++) {
		static uint8_t copy[16384];
		uint8_t *start = copy + sizeof copy - n;

		memcpy(start, s.p, n);
		accepted +=
		    x509_parse((struct slice){(char *)start, n}, &c, NULL) == 0;
	}
	CHECK_INT(accepted, 0);
	der[der_len] = 0;
	s.len++;
	CHECK_INT(x509_parse(s, &c, NULL), R_CERT_SYNTAX);
}

/* No flipped bit of a certificate keeps its signature. */
static void test_flips(void)
{
	struct cert root, c;
	static uint8_t keep[sizeof der];
	struct slice s = load("root");
	size_t accepted = 0;

	memcpy(keep, der, der_len);
	CHECK_INT(
	    x509_parse((struct slice){(char *)keep, s.len}, &root, NULL), 0);
	s = load("signer");
	CHECK_INT(x509_parse(s, &c, NULL), 0);
	CHECK_INT(x509_check_signature(&c, &root, NULL), 0);
	for (size_t i = 0; i < s.len; i++) {
		uint8_t bit = (uint8_t)(1 << i % 8);

		der[i] ^= bit;
		accepted += x509_parse(s, &c, NULL) == 0 &&
		            x509_check_signature(&c, &root, NULL) == 0;
		der[i] ^= bit;
	}
	CHECK_INT(accepted, 0);
}

static void test_names(void)
{
	static const struct {
		struct slice name;
		const char *text, *cn;
	} rows[] = {
#define N(s) {s, sizeof(s) - 1}
	    {N("\x30\x00"), "", NULL},
	    {N("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01z"), "CN=z",
	        "z"},
	    /* two parts: last first; the first CN is the one that counts */
	    {N("\x30\x18\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01z"
	       "\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01y"),
	        "CN=y,CN=z", "z"},
	    /* two attributes in one part */
	    {N("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x0a\x0c\x01z"
	       "\x30\x08\x06\x03\x55\x04\x03\x13\x01y"),
	        "O=z+CN=y", "y"},
	    {N("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03,\x1b\xc3"),
	        "CN=\\,\\1b\\c3", NULL},
	    {N("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02z\0"),
	        "CN=z\\00", NULL},
	    /* T61String: no CN to compare with */
	    {N("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x14\x01z"), "CN=z",
	        NULL},
	    {N("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x05\x0c\x01z"),
	        "2.5.4.5=z", NULL},
	    /* malformed: no text, no harm */
	    {N("\x30\x03\x31\x01\x30"), "", NULL},
	    {N("\x31\x00"), "", NULL},
	    {N("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x02z"), "",
	        NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[64];
		struct slice cn;

		name_text(text, sizeof text, rows[i].name);
		CHECK_STR(text, rows[i].text);
		CHECK_INT(name_cn(rows[i].name, &cn), rows[i].cn != NULL);
		CHECK(slice_is(cn, rows[i].cn ? rows[i].cn : ""));
	}
	/* cut, and still terminated */
	for (size_t cap = 1; cap < 6; cap++) {
		char text[8] = "!!!!!!!";

		name_text(text, cap, rows[2].name);
		CHECK_INT(strlen(text), cap - 1);
		CHECK_INT(text[cap], '!');
	}
}

static void test_describe(void)
{
	struct cert_view v;
	struct diag d = {0};

	CHECK_INT(cert_describe(load("int"), &v, &d), 0);
	CHECK_STR(v.subject, "CN=Intermediate,O=lifeboat tests");
	CHECK_STR(v.issuer, "CN=Root,O=lifeboat tests");
	CHECK(!all_zero(v.spki_sha256, sizeof v.spki_sha256));
	CHECK_INT(cert_describe((struct slice){"0", 1}, &v, &d), R_CERT_SYNTAX);
	CHECK_STR(v.subject, "");
}

int main(void)
{
	if (system("sh tests/data/mkcerts.sh build/tests/certs") != 0)
		return 1;
	test_fields();
	test_malformed();
	test_cut();
	test_flips();
	test_names();
	test_describe();
	return check_done("x509_test");
}
