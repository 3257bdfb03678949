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
	CHECK(x509_self_signed(&c));
	CHECK_INT(c.not_before, 1577836800);
	CHECK_INT(c.not_after, 4070908800);
	CHECK_INT(c.key.type, KEY_EC);
	CHECK_INT(c.key.bits, 256);
	CHECK_INT(c.key.q.len, 65);
	CHECK_INT(x509_check_signature(&c.sig, c.subject, &c, &d), 0);

	CHECK_INT(x509_parse(load("rsa"), &c, &d), 0);
	CHECK_INT(c.key.type, KEY_RSA);
	CHECK_INT(c.key.bits, 2048);
	CHECK_INT(c.key.n.len, 256);
	CHECK_INT(c.key.e.len, 3);
	CHECK(!c.ca);

	/* keyUsage of two octets, and what is read and then not needed */
	CHECK_INT(x509_parse(load("exts"), &c, &d), 0);
	CHECK_INT(c.ku, 0x08);
	CHECK_INT(c.unhandled.len, 0);

	CHECK_INT(x509_parse(load("eku-both"), &c, &d), 0);
	CHECK(c.has_eku);
	CHECK_INT(c.eku, EKU_CODE_SIGNING | EKU_EMAIL);
	CHECK_INT(c.unhandled.len, 0);
}

/* Each field patched to something a lenient reader would take. */
static void test_malformed(void)
{
	static const struct {
		const char *of, *name, *from, *to;
		size_t len;
		const char *says;
	} rows[] = {
	    {"root", "version 1 written out", "\xa0\x03\x02\x01\x02",
	        "\xa0\x03\x02\x01\x00", 5, "version"},
	    {"root", "version 4", "\xa0\x03\x02\x01\x02",
	        "\xa0\x03\x02\x01\x03", 5, "version"},
	    {"root", "version 2 with extensions", "\xa0\x03\x02\x01\x02",
	        "\xa0\x03\x02\x01\x01", 5, "behind the last field"},
	    {"root", "inner algorithm", "\x2a\x86\x48\xce\x3d\x04\x03\x02",
	        "\x2a\x86\x48\xce\x3d\x04\x03\x03", 8, "two different"},
	    {"root", "month 13", "200101", "201301", 6, "validity"},
	    {"root", "extension twice", "\x06\x03\x55\x1d\x0e",
	        "\x06\x03\x55\x1d\x0f", 5, "twice"},
	    {"root", "critical is 1", "\x01\x01\xff\x04", "\x01\x01\x01\x04", 4,
	        "extension"},
	    {"root", "cA is 1", "\x30\x03\x01\x01\xff", "\x30\x03\x01\x01\x01",
	        5, "contents"},
	    {"root", "keyUsage of 9 unused bits", "\x03\x02\x01\x06",
	        "\x03\x02\x09\x06", 4, "contents"},
	    {"root", "keyUsage with an unused bit set", "\x03\x02\x01\x06",
	        "\x03\x02\x02\x06", 4, "contents"},
	    {"root", "keyUsage of 8 unused bits", "\x03\x02\x01\x06",
	        "\x03\x02\x08\x00", 4, "contents"},
	    {"root", "keyUsage of three octets", "\x04\x04\x03\x02\x01\x06",
	        "\x04\x04\x03\x04\x01\x06", 6, "contents"},
	    {"exts", "keyUsage with an unused bit set in its second octet",
	        "\x03\x03\x07\x08\x80", "\x03\x03\x07\x08\xc0", 5, "contents"},
	    {"eku-both", "extKeyUsage of something else",
	        "\x06\x08\x2b\x06\x01\x05\x05", "\x05\x08\x2b\x06\x01\x05\x05",
	        7, "contents"},
	    {"exts", "SAN of x400Address", "\x82\x01\x62", "\x83\x01\x62", 3,
	        "contents"},
	    {"exts", "SAN, a length too long", "\x82\x01\x62", "\x82\x7f\x62",
	        3, "contents"},
	    {"exts", "SAN, a name of no SEQUENCE", "\xa4\x0e\x30\x0c",
	        "\xa4\x0e\x31\x0c", 4, "contents"},
	    {"exts", "SAN, a name and more", "\xa4\x0e\x30\x0c\x31\x0a",
	        "\xa4\x0e\x30\x0a\x31\x08", 6, "contents"},
	    {"exts", "SAN, otherName without a type", "\x06\x02\x2a\x03\xa0",
	        "\x04\x02\x2a\x03\xa0", 5, "contents"},
	    {"exts", "SAN, otherName without a value", "\xa0\x03\x0c\x01z",
	        "\xa1\x03\x0c\x01z", 5, "contents"},
	    {"exts", "SAN, otherName of two values", "\xa0\x03\x0c\x01z",
	        "\xa0\x03\x0c\x00z", 5, "contents"},
	    {"exts", "a point of no SEQUENCE", "\x30\x1f\xa0\x07",
	        "\x31\x1f\xa0\x07", 4, "contents"},
	    {"exts", "a point by the name of its issuer only",
	        "\xa0\x07\xa0\x05", "\xa0\x07\xa1\x05", 4, "contents"},
	    {"exts", "a point and more", "\xa0\x05\x86\x03", "\xa0\x05\x86\x02",
	        4, "contents"},
	    {"exts", "a point whose issuer is a mail address",
	        "\xa2\x10\xa4\x0e", "\xa2\x10\xa5\x0e", 4, "contents"},
	    {"exts", "a point with a fourth part", "\x81\x02\x06\x40",
	        "\x83\x02\x06\x40", 4, "contents"},
	    {"exts", "policies of no SEQUENCE", "\x30\x06\x30\x04\x06\x02",
	        "\x31\x06\x30\x04\x06\x02", 6, "contents"},
	};
	struct cert c;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct slice s = load(rows[i].of);
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
	CHECK_INT(x509_check_signature(&c.sig, c.subject, &root, NULL), 0);
	for (size_t i = 0; i < s.len; i++) {
		uint8_t bit = (uint8_t)(1 << i % 8);

		der[i] ^= bit;
		accepted +=
		    x509_parse(s, &c, NULL) == 0 &&
		    x509_check_signature(&c.sig, c.subject, &root, NULL) == 0;
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

/* Each part of an authorityKeyIdentifier has to fit, where it is there. */
static void test_issuer(void)
{
	struct authority_key aki = {0};
	struct cert c;

	CHECK_INT(x509_parse(load("root"), &c, NULL), 0);
	CHECK(x509_names_issuer(c.subject, &aki, &c));
	aki.id = c.ski;
	aki.issuer = c.issuer;
	aki.serial = c.serial;
	CHECK(x509_names_issuer(c.subject, &aki, &c));
	CHECK(!x509_names_issuer(c.serial, &aki, &c));
	aki.id = c.serial;
	CHECK(!x509_names_issuer(c.subject, &aki, &c));
	aki.id = c.ski;
	aki.issuer = c.serial;
	CHECK(!x509_names_issuer(c.subject, &aki, &c));
	aki.issuer = c.issuer;
	aki.serial = c.ski;
	CHECK(!x509_names_issuer(c.subject, &aki, &c));
	/* the same name, another key's signature */
	CHECK(x509_self_signed(&c));
	c.sig.alg.key = KEY_RSA;
	CHECK(!x509_self_signed(&c));
	c.sig.alg.key = KEY_UNKNOWN;
	CHECK(x509_self_signed(&c));
}

static void test_aki(void)
{
	static const struct {
		const char *der;
		size_t len;
		bool good;
		size_t id, issuer, serial;
	} rows_of[] = {
#define ROW(s) s, sizeof(s) - 1
	    {ROW("\x30\x00"), true, 0, 0, 0},
	    {ROW("\x30\x03\x80\x01z"), true, 1, 0, 0},
	    {ROW("\x30\x09\xa1\x04\xa4\x02\x30\x00\x82\x01\x07"), true, 0, 2,
	        1},
	    /* a DNS name, and then two directory names: the first counts */
	    {ROW("\x30\x0d\xa1\x0b\x82\x01z\xa4\x02\x30\x00\xa4\x02\x30\x00"),
	        true, 0, 2, 0},
	    {ROW("\x30\x03\x83\x01z"), false, 0, 0, 0},
	    {ROW("\x30\x03\xa1\x01z"), false, 0, 0, 0},
	    {ROW("\x31\x00"), false, 0, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows_of); i++) {
		struct buf b =
		    der_buf((struct slice){rows_of[i].der, rows_of[i].len});
		struct authority_key a = authority_key_read(&b);

		CHECK_INT(der_end(&b), rows_of[i].good);
		if (!rows_of[i].good)
			continue;
		CHECK_INT(a.id.len, rows_of[i].id);
		CHECK_INT(a.issuer.len, rows_of[i].issuer);
		CHECK_INT(a.serial.len, rows_of[i].serial);
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
	test_issuer();
	test_aki();
	test_describe();
	return check_done("x509_test");
}
