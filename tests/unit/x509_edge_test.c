/* SPDX-License-Identifier: 0BSD */
/*
 * Extensions that a certificate may bring along though nothing here acts on
 * them, whole and bent: each alone in an otherwise good certificate.
 */
#include "bundle/x509.h"
#include "check.h"

static uint8_t file[4096], made[8192];

/* Puts tag and length in front of the len bytes that end at end. */
static uint8_t *wrap(uint8_t *at, const uint8_t *end, uint8_t tag)
{
	size_t len = (size_t)(end - at);

	*--at = (uint8_t)len;
	if (len >= 0x100)
		*--at = (uint8_t)(len >> 8);
	if (len >= 0x80)
		*--at = len < 0x100 ? 0x81 : 0x82;
	*--at = tag;
	return at;
}

static uint8_t *put(uint8_t *at, const void *p, size_t len)
{
	at -= len;
	if (len > 0)
		memcpy(at, p, len);
	return at;
}

/* The certificate with unique identifiers (none, mostly) and one extension
 * instead of its own. */
static struct slice with(struct slice unique, struct slice oid, bool critical,
    const char *value, size_t len)
{
	uint8_t *end = made + sizeof made, *p = end, *tbs_end, *oid_end;
	FILE *f = fopen("build/tests/certs/signer.der", "rb");
	struct buf b, tbs;
	struct der e, first, version, alg;

	CHECK(f != NULL);
	buf_init(&b, file, f ? fread(file, 1, sizeof file, f) : 0);
	if (f)
		fclose(f);
	b = der_enter(&b, DER_SEQUENCE);
	CHECK(der_next(&b, &first) && der_next(&b, &alg));
	p = put(p, b.p + b.pos, buf_left(&b));
	p = put(p, alg.raw.p, alg.raw.len);
	tbs_end = p;
	p = put(p, value, len);
	p = wrap(p, tbs_end, DER_OCTET_STRING);
	if (critical)
		p = put(p, "\x01\x01\xff", 3);
	oid_end = p;
	p = put(p, oid.p, oid.len);
	p = wrap(p, oid_end, DER_OID);
	p = wrap(p, tbs_end, DER_SEQUENCE);
	p = wrap(p, tbs_end, DER_SEQUENCE);
	p = wrap(p, tbs_end, DER_CTX_CONS(3));
	tbs = der_buf(first.body);
	CHECK(der_next(&tbs, &version));
	while (buf_left(&tbs) > 0 && !der_is(&tbs, DER_CTX_CONS(3)))
		CHECK(der_next(&tbs, &e));
	p = put(p, unique.p, unique.len);
	p = put(p, first.body.p, tbs.pos);
	p = wrap(p, tbs_end, DER_SEQUENCE);
	p = wrap(p, end, DER_SEQUENCE);
	return (struct slice){(const char *)p, (size_t)(end - p)};
}

static struct slice with_extension(
    uint8_t id, bool critical, const char *value, size_t len)
{
	const char oid[] = {0x55, 0x1d, (char)id};

	return with((struct slice){"", 0}, (struct slice){oid, sizeof oid},
	    critical, value, len);
}

enum { GOOD, MALFORMED, UNHANDLED };

#define NAME "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02xy"
#define NAME_OF(tag) "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03" tag "\x02xy"
#define V(s) s, sizeof(s) - 1

static const struct {
	const char *what;
	uint8_t id;
	bool critical;
	const char *value;
	size_t len;
	int want;
} rows[] = {
    {"mail, host, URI, address", 17, false,
        V("\x30\x0f\x81\x01m\x82\x01h\x86\x01u\x87\x04\x7f\x00\x00\x01"), GOOD},
    {"a critical one", 17, true, V("\x30\x03\x82\x01h"), GOOD},
    {"no names", 17, false, V("\x30\x00"), GOOD},
    {"a directory name", 17, false, V("\x30\x11\xa4\x0f" NAME), GOOD},
    {"of printable text", 17, false, V("\x30\x11\xa4\x0f" NAME_OF("\x13")),
        GOOD},
    {"of a bit string", 17, false, V("\x30\x11\xa4\x0f" NAME_OF("\x03")),
        MALFORMED},
    {"of another class", 17, false, V("\x30\x11\xa4\x0f" NAME_OF("\x8c")),
        MALFORMED},
    {"of nothing", 17, false, V("\x30\x06\xa4\x04\x30\x02\x31\x00"), MALFORMED},
    {"two directory names in one", 17, false, V("\x30\x20\xa4\x1e" NAME NAME),
        MALFORMED},
    {"another name", 17, false,
        V("\x30\x0c\xa0\x0a\x06\x03\x2a\x03\x04\xa0\x03\x0c\x01x"), GOOD},
    {"another name without value", 17, false,
        V("\x30\x07\xa0\x05\x06\x03\x2a\x03\x04"), MALFORMED},
    {"another name with two values", 17, false,
        V("\x30\x0f\xa0\x0d\x06\x03\x2a\x03\x04\xa0\x06\x0c\x01x\x0c\x01x"),
        MALFORMED},
    {"another name with more", 17, false,
        V("\x30\x0e\xa0\x0c\x06\x03\x2a\x03\x04\xa0\x03\x0c\x01x\x05\x00"),
        MALFORMED},
    {"X.400", 17, false, V("\x30\x02\xa3\x00"), MALFORMED},
    {"no GeneralName", 17, false, V("\x30\x03\x0c\x01x"), MALFORMED},
    {"cut", 17, false, V("\x30\x03\x82\x02x"), MALFORMED},
    {"no SEQUENCE", 17, false, V("\x31\x03\x82\x01x"), MALFORMED},
    {"a distribution point", 31, false,
        V("\x30\x09\x30\x07\xa0\x05\xa0\x03\x86\x01u"), GOOD},
    {"with reasons and issuer", 31, false,
        V("\x30\x12\x30\x10\xa0\x05\xa0\x03\x86\x01u\x81\x02\x06\x40"
          "\xa2\x03\x82\x01h"),
        GOOD},
    {"with all reasons", 31, false,
        V("\x30\x0e\x30\x0c\xa0\x05\xa0\x03\x86\x01u\x81\x03\x07\x7f\x80"),
        GOOD},
    {"with no reasons", 31, false,
        V("\x30\x0c\x30\x0a\xa0\x05\xa0\x03\x86\x01u\x81\x01\x00"), GOOD},
    {"with reasons of no octet", 31, false,
        V("\x30\x0b\x30\x09\xa0\x05\xa0\x03\x86\x01u\x81\x00"), MALFORMED},
    {"with reasons that lack bits", 31, false,
        V("\x30\x0c\x30\x0a\xa0\x05\xa0\x03\x86\x01u\x81\x01\x01"), MALFORMED},
    {"with reasons of eight unused bits", 31, false,
        V("\x30\x0d\x30\x0b\xa0\x05\xa0\x03\x86\x01u\x81\x02\x08\x00"),
        MALFORMED},
    {"a critical one, which restricts", 31, true,
        V("\x30\x09\x30\x07\xa0\x05\xa0\x03\x86\x01u"), UNHANDLED},
    {"two names of one point", 31, false,
        V("\x30\x0e\x30\x0c\xa0\x0a\xa0\x03\x86\x01u\xa0\x03\x86\x01u"),
        MALFORMED},
    {"a relative name", 31, false,
        V("\x30\x11\x30\x0f\xa0\x0d\xa1\x0b\x30\x09\x06\x03\x55\x04\x03"
          "\x0c\x02xy"),
        GOOD},
    {"a relative name that is no SET", 31, false,
        V("\x30\x0f\x30\x0d\xa0\x0b\xa1\x09\x06\x03\x55\x04\x03\x0c\x02xy"),
        MALFORMED},
    {"an empty relative name", 31, false, V("\x30\x06\x30\x04\xa0\x02\xa1\x00"),
        MALFORMED},
    {"something behind", 31, false,
        V("\x30\x0b\x30\x09\xa0\x05\xa0\x03\x86\x01u\x05\x00"), MALFORMED},
    {"no point", 31, false, V("\x30\x02\x05\x00"), MALFORMED},
    {"policies", 32, true, V("\x30\x07\x30\x05\x06\x03\x2a\x03\x04"), GOOD},
    {"no policies", 32, false, V("\x05\x00"), MALFORMED},
    {"name constraints", 30, false, V("\x30\x00"), UNHANDLED},
    {"key identifier", 14, false, V("\x04\x01k"), GOOD},
    {"key identifier, no string", 14, false, V("\x05\x00"), MALFORMED},
    {"key usage", 15, false, V("\x03\x02\x07\x80"), GOOD},
    {"key usage of two octets", 15, false, V("\x03\x03\x07\x80\x80"), GOOD},
    {"key usage with unused bits set", 15, false, V("\x03\x02\x07\xc0"),
        MALFORMED},
    {"key usage of nothing", 15, false, V("\x03\x02\x07\x00"), MALFORMED},
    {"key usage of two octets of nothing", 15, false, V("\x03\x03\x07\x00\x00"),
        MALFORMED},
    {"key usage of the ninth bit", 15, false, V("\x03\x03\x07\x00\x80"), GOOD},
    {"key usage with more", 15, false, V("\x03\x04\x07\x80\x80\x80"),
        MALFORMED},
    {"a path length, no CA", 19, false, V("\x30\x03\x02\x01\x00"), MALFORMED},
    {"an authority's name", 35, false, V("\x30\x13\xa1\x11\xa4\x0f" NAME),
        GOOD},
    {"an authority's name of bits", 35, false,
        V("\x30\x13\xa1\x11\xa4\x0f" NAME_OF("\x03")), MALFORMED},
    {"one that nobody knows", 99, false, V("\xff"), GOOD},
    {"a critical one that nobody knows", 99, true, V("\xff"), UNHANDLED},
};

/* Those of id-pe that say what the key is good for: restrictions, which are
 * not implemented, critical or not. */
static void test_pkix(void)
{
	for (unsigned critical = 0; critical < 2; critical++) {
		for (unsigned i = 0; i < 256; i++) {
			const char oid[] = {
			    0x2b, 6, 1, 5, 5, 7, 1, (char)(i & 0x7f)};
			struct slice der = with((struct slice){"", 0},
			    (struct slice){oid, i < 128 ? 8 : 7}, critical,
			    V("\x30\x00"));
			bool limit = i == 7 || i == 8 || i == 14;
			struct cert c;

			CHECK_INT(x509_parse(der, &c, NULL), 0);
			CHECK_INT(c.unhandled.len > 0, critical || limit);
		}
	}
}

/* issuerUniqueID, subjectUniqueID: BIT STRINGs that nobody reads. */
static void test_unique(void)
{
	static const struct {
		const char *p;
		size_t len;
		bool good;
	} all[] = {
	    {V("\x81\x02\x00\x61"), true},
	    {V("\x82\x02\x07\x80"), true},
	    {V("\x81\x01\x00\x82\x01\x00"), true},
	    {V("\x81\x00"), false},
	    {V("\x82\x00"), false},
	    {V("\x81\x01\x01"), false},
	    {V("\x82\x01\x07"), false},
	    {V("\x82\x02\x08\x61"), false},
	    {V("\x82\x02\x00\x61\x81\x02\x00\x61"), false},
	    {V("\x81\x02\x00\x61\x81\x02\x00\x61"), false},
	};
	struct slice oid = {"\x2a\x03", 2};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct slice der = with((struct slice){all[i].p, all[i].len},
		    oid, false, V("\x05\x00"));
		struct cert c;

		CHECK_INT(
		    x509_parse(der, &c, NULL), all[i].good ? 0 : R_CERT_SYNTAX);
	}
}

/* An empty key identifier is one, and fits no other. */
static void test_empty_identifier(void)
{
	struct authority_key none = {0}, empty = {.id = {"", 0}},
	                     serial = {.serial = {"", 0}};
	struct cert c = {.ski = {"k", 1}, .serial = {"\1", 1}};
	struct slice name = {"n", 1};

	c.subject = name;
	CHECK(x509_names_issuer(name, &none, &c));
	CHECK(!x509_names_issuer(name, &empty, &c));
	CHECK(!x509_names_issuer(name, &serial, &c));
	c.ski = (struct slice){NULL, 0};
	CHECK(x509_names_issuer(name, &empty, &c));
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct slice der = with_extension(
		    rows[i].id, rows[i].critical, rows[i].value, rows[i].len);
		struct diag d = {0};
		struct cert c;
		int before = check_failed;
		int r = x509_parse(der, &c, &d);

		CHECK_INT(r, rows[i].want == MALFORMED ? R_CERT_SYNTAX : 0);
		CHECK_INT(c.unhandled.len > 0, rows[i].want == UNHANDLED);
		if (r)
			CHECK(strstr(d.seen, "extension") != NULL);
		if (check_failed != before)
			fprintf(stderr, "  in %s: %s\n", rows[i].what, d.seen);
	}
	test_pkix();
	test_unique();
	test_empty_identifier();
	return check_done("x509_edge");
}
