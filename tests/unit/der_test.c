/* SPDX-License-Identifier: 0BSD */
#include "bundle/der.h"

#include "check.h"

#define INIT(s) \
	{ \
		s, sizeof(s) - 1 \
	}
#define BYTES(s) ((struct slice){s, sizeof(s) - 1})

static bool next(struct slice s, struct der *e)
{
	struct buf b = der_buf(s);

	return der_next(&b, e);
}

static void test_lengths(void)
{
	static const struct {
		struct slice in;
		bool good;
		size_t body;
	} rows[] = {
	    {INIT("\x04\x00"), true, 0}, {INIT("\x04\x03zyx"), true, 3},
	    {INIT("\x04\x03zyx!"), true, 3}, /* more behind it */
	    {INIT("\x04"), false, 0}, {INIT(""), false, 0},
	    {INIT("\x04\x04zyx"), false, 0},
	    {INIT("\x04\x80zy\0\0"), false, 0}, /* indefinite */
	    {INIT("\x04\x81\x03zyx"), false, 0},
	    {INIT("\x04\x81\x7f"), false, 0},
	    {INIT("\x04\x82\x00\x80"), false, 0},
	    {INIT("\x04\x84\xff\xff\xff\xff"), false, 0},
	    {INIT("\x04\x85\x00\x00\x00\x00\x01z"), false, 0},
	    {INIT("\x04\xff"), false, 0},
	    {INIT("\x1f\x81\x01\x00"), false, 0}, /* tag of two octets */
	    {INIT("\x00\x00"), false, 0},         /* end of contents */
	};
	static uint8_t big[300] = {0x04, 0x81, 0x80};
	struct der e;
	struct buf b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(next(rows[i].in, &e), rows[i].good);
		CHECK_INT(e.body.len, rows[i].body);
		if (!rows[i].good)
			CHECK(e.raw.len == 0 && e.tag == 0);
	}
	buf_init(&b, big, sizeof big);
	CHECK(der_next(&b, &e));
	CHECK_INT(e.raw.len, 131);
	CHECK_INT(e.body.len, 128);
	memcpy(big, "\x04\x82\x01\x00", 4);
	buf_init(&b, big, sizeof big);
	CHECK(der_get(&b, DER_OCTET_STRING, &e));
	CHECK_INT(e.raw.len, 260);
	/* a container that ends before the element does */
	buf_init(&b, big, 259);
	CHECK(!der_next(&b, &e));
	CHECK(!buf_ok(&b));
}

static void test_walk(void)
{
	static const char in[] = "\x30\x05\x02\x01\x07\x05\x00";
	struct buf b = der_buf(BYTES(in));
	struct buf seq = der_enter(&b, DER_SEQUENCE);
	struct der e;

	CHECK(der_end(&b));
	CHECK(!der_end(&seq));
	CHECK(!der_is(&seq, DER_NULL));
	CHECK(!der_optional(&seq, DER_NULL, &e));
	CHECK(buf_ok(&seq));
	CHECK_INT(der_u31(&seq), 7);
	CHECK(der_optional(&seq, DER_NULL, &e));
	CHECK(der_end(&seq));
	CHECK(!der_is(&seq, DER_NULL));
	CHECK(!der_optional(&seq, DER_NULL, &e));
	CHECK(buf_ok(&seq));
	CHECK(!der_get(&seq, DER_NULL, &e));
	CHECK(!buf_ok(&seq));

	b = der_buf(BYTES(in));
	seq = der_enter(&b, DER_SET);
	CHECK(!buf_ok(&seq) && !buf_ok(&b));
	CHECK(!der_end(&seq));
	CHECK_INT(buf_left(&seq), 0);
}

/* What a typed reader says to one element; false: it made the reader bad. */
static void test_integers(void)
{
	static const struct {
		struct slice in;
		bool integer, u31;
		uint32_t value;
	} rows[] = {
	    {INIT("\x02\x01\x00"), true, true, 0},
	    {INIT("\x02\x01\x7f"), true, true, 127},
	    {INIT("\x02\x02\x00\x80"), true, true, 128},
	    {INIT("\x02\x04\x7f\xff\xff\xff"), true, true, 0x7fffffff},
	    {INIT("\x02\x05\x00\x80\x00\x00\x00"), true, false, 0},
	    {INIT("\x02\x01\x80"), true, false, 0},
	    {INIT("\x02\x02\xff\x7f"), true, false, 0},
	    {INIT("\x02\x00"), false, false, 0},
	    {INIT("\x02\x02\x00\x7f"), false, false, 0},
	    {INIT("\x02\x02\xff\x80"), false, false, 0},
	    {INIT("\x03\x01\x00"), false, false, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = der_buf(rows[i].in);

		(void)der_integer(&b);
		CHECK_INT(buf_ok(&b), rows[i].integer);
		b = der_buf(rows[i].in);
		CHECK_INT(der_u31(&b), rows[i].value);
		CHECK_INT(buf_ok(&b), rows[i].u31);
	}
	CHECK_INT(der_magnitude(BYTES("\x00\x80")).len, 1);
	CHECK_INT(der_magnitude(BYTES("\x80")).len, 0);
	CHECK_INT(der_magnitude(BYTES("\x00")).len, 0);
}

static void test_small_types(void)
{
	struct buf b = der_buf(BYTES("\x01\x01\xff"));

	CHECK(der_boolean(&b) && der_end(&b));
	b = der_buf(BYTES("\x01\x01\x00"));
	CHECK(!der_boolean(&b) && der_end(&b));
	b = der_buf(BYTES("\x01\x01\x01"));
	(void)der_boolean(&b);
	CHECK(!buf_ok(&b));
	b = der_buf(BYTES("\x01\x02\xff\xff"));
	(void)der_boolean(&b);
	CHECK(!buf_ok(&b));

	b = der_buf(BYTES("\x03\x03\x00zy"));
	CHECK(slice_is(der_bits(&b), "zy"));
	b = der_buf(BYTES("\x03\x02\x01z"));
	(void)der_bits(&b);
	CHECK(!buf_ok(&b));
	b = der_buf(BYTES("\x03\x00"));
	(void)der_bits(&b);
	CHECK(!buf_ok(&b));
}

static void test_oid(void)
{
	static const struct {
		struct slice in;
		const char *text; /* NULL: refused */
	} rows[] = {
	    {INIT("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
	        "1.2.840.113549.1.7.2"},
	    {INIT("\x06\x03\x55\x1d\x25"), "2.5.29.37"},
	    {INIT("\x06\x03\x88\x37\x03"), "2.999.3"},
	    {INIT("\x06\x01\x00"), "0.0"}, {INIT("\x06\x00"), NULL},
	    {INIT("\x06\x01\x80"), NULL},
	    {INIT("\x06\x03\x2a\x80\x01"), NULL}, /* filler */
	    {INIT("\x06\x02\x2a\x86"), NULL},     /* arc without end */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = der_buf(rows[i].in);
		struct slice oid = der_oid(&b);
		char text[OID_TEXT];

		CHECK_INT(buf_ok(&b), rows[i].text != NULL);
		if (!rows[i].text)
			continue;
		oid_text(text, oid);
		CHECK_STR(text, rows[i].text);
	}
}

static void test_time(void)
{
	static const struct {
		struct slice in;
		const char *text; /* NULL: refused */
		int64_t value;
	} rows[] = {
	    {INIT("\x17\x0d"
	          "700101000000Z"),
	        "1970-01-01 00:00:00 UTC", 0},
	    {INIT("\x17\x0d"
	          "491231235959Z"),
	        "2049-12-31 23:59:59 UTC", 2524607999},
	    {INIT("\x17\x0d"
	          "500101000000Z"),
	        "1950-01-01 00:00:00 UTC", -631152000},
	    {INIT("\x18\x0f"
	          "20000229120000Z"),
	        "2000-02-29 12:00:00 UTC", 951825600},
	    {INIT("\x18\x0f"
	          "20240301000000Z"),
	        "2024-03-01 00:00:00 UTC", 1709251200},
	    {INIT("\x18\x0f"
	          "99991231235959Z"),
	        "9999-12-31 23:59:59 UTC", 253402300799},
	    {INIT("\x18\x0f"
	          "00000101000000Z"),
	        "0000-01-01 00:00:00 UTC", -62167219200},
	    {INIT("\x18\x0f"
	          "21000229000000Z"),
	        NULL, 0},
	    {INIT("\x18\x0f"
	          "20230229000000Z"),
	        NULL, 0},
	    {INIT("\x18\x0f"
	          "20231301000000Z"),
	        NULL, 0},
	    {INIT("\x18\x0f"
	          "20230001000000Z"),
	        NULL, 0},
	    {INIT("\x18\x0f"
	          "20230431000000Z"),
	        NULL, 0},
	    {INIT("\x18\x0f"
	          "20230400000000Z"),
	        NULL, 0},
	    {INIT("\x18\x0f"
	          "20230401240000Z"),
	        NULL, 0},
	    {INIT("\x18\x0f"
	          "20230401236000Z"),
	        NULL, 0},
	    {INIT("\x18\x0f"
	          "20230401235960Z"),
	        NULL, 0},
	    {INIT("\x18\x0f"
	          "2023040123595 Z"),
	        NULL, 0},
	    {INIT("\x18\x11"
	          "20230401000000.5Z"),
	        NULL, 0},
	    {INIT("\x17\x11"
	          "230401000000+0100"),
	        NULL, 0},
	    {INIT("\x17\x0b"
	          "2304010000Z"),
	        NULL, 0},
	    {INIT("\x16\x0d"
	          "230401000000Z"),
	        NULL, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = der_buf(rows[i].in);
		int64_t t = der_time(&b);
		char text[TIME_TEXT];

		CHECK_INT(buf_ok(&b), rows[i].text != NULL);
		CHECK_INT(t, rows[i].value);
		if (!rows[i].text)
			continue;
		time_text(text, t);
		CHECK_STR(text, rows[i].text);
	}
}

/* Every day of 800 years goes there and back. */
static void test_calendar(void)
{
	unsigned bad = 0;

	for (int64_t day = -135140; day < 157060; day++) {
		char text[TIME_TEXT], der[18] = "\x18\x0f";
		struct slice s = {der, 17};
		struct buf b;

		time_text(text, day * 86400 + 3661);
		snprintf(der + 2, sizeof der - 2, "%.4s%.2s%.2s010101Z", text,
		    text + 5, text + 8);
		b = der_buf(s);
		bad += der_time(&b) != day * 86400 + 3661 || b.bad;
	}
	CHECK_INT(bad, 0);
}

static void test_ecdsa(void)
{
	static const struct {
		struct slice in;
		bool good;
	} rows[] = {
	    {INIT("\x30\x06\x02\x01\x01\x02\x01\x01"), true},
	    {INIT("\x30\x07\x02\x02\x00\xff\x02\x01\x01"), true},
	    {INIT("\x30\x07\x02\x02\x01\xff\x02\x01\x01"), false},
	    {INIT("\x30\x06\x02\x01\x00\x02\x01\x01"), false},
	    {INIT("\x30\x06\x02\x01\xff\x02\x01\x01"), false},
	    {INIT("\x30\x07\x02\x02\x00\x01\x02\x01\x01"), false},
	    {INIT("\x30\x81\x06\x02\x01\x01\x02\x01\x01"), false},
	    {INIT("\x30\x06\x02\x01\x01\x02\x01\x01!"), false},
	    {INIT("\x30\x03\x02\x01\x01"), false},
	    {INIT(""), false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(der_ecdsa_ok(rows[i].in, 2), rows[i].good || i == 2);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(der_ecdsa_ok(rows[i].in, 1), rows[i].good);
}

static void test_ber(void)
{
	CHECK(der_is_ber(BYTES("\x30\x80\x02\x01\x01\x00\x00")));
	CHECK(der_is_ber(BYTES("\x30\x04\xa0\x80\x00\x00")));
	CHECK(der_is_ber(BYTES("\x30\x05\x24\x03\x04\x01z")));
	CHECK(!der_is_ber(BYTES("\x30\x03\x02\x01\x01")));
	/* inside a primitive there are no elements */
	CHECK(!der_is_ber(BYTES("\x30\x04\x04\x02\x30\x80")));
	CHECK(!der_is_ber(BYTES("\x30")));
	CHECK(!der_is_ber(BYTES("")));
	CHECK(!der_is_ber(BYTES("\x04\x84\xff\xff\xff\xff")));
}

int main(void)
{
	test_lengths();
	test_walk();
	test_integers();
	test_small_types();
	test_oid();
	test_time();
	test_calendar();
	test_ecdsa();
	test_ber();
	return check_done("der_test");
}
