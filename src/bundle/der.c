/* SPDX-License-Identifier: 0BSD */
#include "bundle/der.h"

#include "base/fmt.h"

/* Elements in each other; libcrypto has the same limit. */
#define DER_DEPTH 30

static struct slice slice_of(const uint8_t *p, size_t len)
{
	return (struct slice){(const char *)p, p ? len : 0};
}

struct buf der_buf(struct slice s)
{
	struct buf b;

	buf_init(&b, s.p, s.len);
	return b;
}

bool slice_same(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool oid_is(struct slice oid, const char *bytes, size_t len)
{
	return slice_same(oid, (struct slice){bytes, len});
}

bool der_next(struct buf *b, struct der *e)
{
	size_t from = b->pos;
	uint8_t first;
	size_t len;

	memset(e, 0, sizeof *e);
	e->tag = buf_u8(b);
	first = buf_u8(b);
	len = first;
	if (first >= 0x80) {
		unsigned octets = first & 0x7f;

		len = 0;
		if (octets == 0 || octets > 4)
			b->bad = true;
		for (unsigned i = 0; i < octets && !b->bad; i++)
			len = len << 8 | buf_u8(b);
		/* The shortest form: short, or no leading zero octet. */
		if (len < 0x80 || (octets > 1 && len >> 8 * (octets - 1) == 0))
			b->bad = true;
	}
	if ((e->tag & 0x1f) == 0x1f || e->tag == 0)
		b->bad = true;
	e->body = slice_of(buf_take(b, len), len);
	if (b->bad) {
		memset(e, 0, sizeof *e);
		return false;
	}
	e->raw = slice_of(b->p + from, b->pos - from);
	return true;
}

bool der_get(struct buf *b, uint8_t tag, struct der *e)
{
	if (der_next(b, e) && e->tag == tag)
		return true;
	memset(e, 0, sizeof *e);
	b->bad = true;
	return false;
}

bool der_is(const struct buf *b, uint8_t tag)
{
	struct buf look = *b;

	return buf_left(b) > 0 && buf_u8(&look) == tag && buf_ok(&look);
}

bool der_optional(struct buf *b, uint8_t tag, struct der *e)
{
	memset(e, 0, sizeof *e);
	return der_is(b, tag) && der_next(b, e);
}

struct buf der_enter(struct buf *b, uint8_t tag)
{
	struct der e;
	bool ok = der_get(b, tag, &e);
	struct buf body = der_buf(e.body);

	body.bad = !ok;
	return body;
}

struct slice der_oid(struct buf *b)
{
	struct der e;

	if (!der_get(b, DER_OID, &e))
		return e.body;
	/* The last octet ends the last arc; no arc starts with a filler. */
	for (size_t i = 0; i < e.body.len; i++)
		if ((uint8_t)e.body.p[i] == 0x80 &&
		    (i == 0 || !(e.body.p[i - 1] & 0x80)))
			b->bad = true;
	if (e.body.len == 0 || e.body.p[e.body.len - 1] & 0x80)
		b->bad = true;
	return e.body;
}

bool der_boolean(struct buf *b)
{
	struct buf v = der_enter(b, DER_BOOLEAN);
	uint8_t value = buf_u8(&v);

	if (!der_end(&v) || (value != 0 && value != 0xff))
		b->bad = true;
	return value != 0;
}

/* Minimal: the first octet is more than a sign. */
static bool integer_ok(struct slice s)
{
	uint8_t first = s.len > 0 ? (uint8_t)s.p[0] : 0;
	bool next = s.len > 1 && s.p[1] & 0x80;

	return s.len == 1 || (s.len > 1 && first != (next ? 0xff : 0));
}

struct slice der_integer(struct buf *b)
{
	struct der e;

	if (der_get(b, DER_INTEGER, &e) && !integer_ok(e.body))
		b->bad = true;
	return e.body;
}

uint32_t der_u31(struct buf *b)
{
	struct slice s = der_integer(b);
	uint32_t v = 0;

	if (s.len > 4 || (s.len > 0 && s.p[0] & 0x80))
		b->bad = true;
	for (size_t i = 0; i < s.len && !b->bad; i++)
		v = v << 8 | (uint8_t)s.p[i];
	return v;
}

struct slice der_bits(struct buf *b)
{
	struct buf v = der_enter(b, DER_BIT_STRING);
	size_t len;

	if (buf_u8(&v) != 0 || v.bad)
		b->bad = true;
	len = buf_left(&v);
	return slice_of(buf_take(&v, len), len);
}

bool der_bits_ok(struct slice s)
{
	uint8_t unused = s.len > 0 ? (uint8_t)s.p[0] : 8;

	return unused == 0 || (unused < 8 && s.len > 1);
}

struct slice der_magnitude(struct slice i)
{
	if (i.len > 0 && i.p[0] & 0x80)
		i.len = 0;
	if (i.len > 0 && i.p[0] == 0) {
		i.p++;
		i.len--;
	}
	return i;
}

bool der_ecdsa_ok(struct slice signature, size_t max)
{
	struct buf b = der_buf(signature);
	struct buf pair = der_enter(&b, DER_SEQUENCE);
	struct slice r = der_magnitude(der_integer(&pair));
	struct slice s = der_magnitude(der_integer(&pair));

	return der_end(&b) && der_end(&pair) && r.len > 0 && r.len <= max &&
	       s.len > 0 && s.len <= max;
}

/* n decimal digits; b is bad on anything else. */
static unsigned digits(struct buf *b, unsigned n)
{
	unsigned v = 0;

	while (n-- > 0) {
		unsigned digit = (unsigned)buf_u8(b) - '0';

		if (digit > 9)
			b->bad = true;
		v = v * 10 + digit;
	}
	return v;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. The year begins in
 * March, so that the leap day is its last. */
static int64_t days_from_date(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t shifted = (month + 9) % 12;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	       (153 * shifted + 2) / 5 + day - 1 - 719468;
}

int64_t der_time(struct buf *b)
{
	static const uint8_t days[] = {
	    31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	struct der e;
	struct buf v;
	unsigned year, month, day, hour, minute, second;
	bool leap;

	if (!der_next(b, &e))
		return 0;
	v = der_buf(e.body);
	year = digits(&v, e.tag == DER_UTC_TIME ? 2 : 4);
	if (e.tag == DER_UTC_TIME)
		year += year < 50 ? 2000 : 1900;
	else if (e.tag != DER_GENERALIZED_TIME)
		v.bad = true;
	month = digits(&v, 2);
	day = digits(&v, 2);
	hour = digits(&v, 2);
	minute = digits(&v, 2);
	second = digits(&v, 2);
	if (buf_u8(&v) != 'Z' || !der_end(&v) || month < 1 || month > 12 ||
	    day < 1 || hour > 23 || minute > 59 || second > 59) {
		b->bad = true;
		return 0;
	}
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (day > days[month - 1] || (month == 2 && day > 28 && !leap)) {
		b->bad = true;
		return 0;
	}
	return days_from_date(year, month, day) * 86400 + hour * 3600 +
	       minute * 60 + second;
}

/* The contents of a universal type; the others have any. */
static bool contents_ok(const struct der *e)
{
	struct buf b = der_buf(e->raw);

	if (e->tag & 0xc0)
		return true;
	switch (e->tag) {
	case DER_SEQUENCE:
	case DER_SET:
		return true;
	case DER_BOOLEAN:
		(void)der_boolean(&b);
		return !b.bad;
	case DER_ENUMERATED:
	case DER_INTEGER:
		return integer_ok(e->body);
	case DER_OID:
		(void)der_oid(&b);
		return !b.bad;
	case DER_BIT_STRING:
		return der_bits_ok(e->body);
	case DER_NULL:
		return e->body.len == 0;
	case DER_UTF8:
		return utf8_valid(e->body);
	case DER_UNIVERSAL:
		return e->body.len % 4 == 0;
	case DER_BMP:
		return e->body.len % 2 == 0;
	default: /* any string or time; none of them is constructed */
		return (e->tag & 0x20) == 0 && e->tag != 0x10 && e->tag != 0x11;
	}
}

bool der_sound(struct slice s)
{
	struct buf b = der_buf(s);
	size_t end[DER_DEPTH];
	unsigned depth = 0;
	struct der e;

	for (;;) {
		while (b.pos == b.len) {
			if (depth == 0)
				return true;
			b.len = end[--depth];
		}
		if (!der_next(&b, &e) || !contents_ok(&e))
			return false;
		if (e.tag & 0x20) {
			if (depth == DER_DEPTH)
				return false;
			end[depth++] = b.len;
			b.len = b.pos;
			b.pos -= e.body.len;
		}
	}
}

bool der_is_ber(struct slice s)
{
	struct buf b = der_buf(s);

	/* Headers in the order they stand: the contents of a constructed
	 * element are the next headers, so no stack is needed. */
	while (!b.bad && buf_left(&b) > 0) {
		uint8_t tag = buf_u8(&b);
		uint8_t first = buf_u8(&b);
		size_t len = first;

		if (b.bad || (tag & 0x1f) == 0x1f || first > 0x84)
			return false;
		if (first == 0x80 || tag == (DER_OCTET_STRING | 0x20))
			return true;
		if (first > 0x80) {
			len = 0;
			for (unsigned i = first & 0x7f; i > 0; i--)
				len = len << 8 | buf_u8(&b);
		}
		if (!(tag & 0x20))
			buf_skip(&b, len);
	}
	return false;
}

void oid_text(char *dst, struct slice oid)
{
	struct buf b = der_buf(oid);
	size_t len = 0;

	dst[0] = '\0';
	while (!b.bad && buf_left(&b) > 0) {
		uint64_t arc = 0;
		uint8_t octet;

		do {
			octet = buf_u8(&b);
			arc = arc << 7 | (octet & 0x7f);
		} while (octet & 0x80);
		if (len == 0) {
			unsigned root = arc < 80 ? (unsigned)arc / 40 : 2;

			len += fmt(dst, OID_TEXT, "%u", root);
			arc -= 40 * (uint64_t)root;
		}
		len += fmt(dst + len, OID_TEXT - len, ".%llu",
		    (unsigned long long)arc);
	}
}

void time_text(char *dst, int64_t t)
{
	int64_t days = t / 86400;
	unsigned seconds, year, month;
	int64_t of_era, of_year, era;

	if (t % 86400 < 0)
		days--;
	seconds = (unsigned)(t - days * 86400);
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	of_era = days - era * 146097;
	year = (unsigned)((of_era - of_era / 1460 + of_era / 36524 -
	                      of_era / 146096) /
	                  365);
	of_year = of_era - (365 * (int64_t)year + year / 4 - year / 100);
	month = (unsigned)(5 * of_year + 2) / 153;
	fmt(dst, TIME_TEXT, "%04lld-%02u-%02u %02u:%02u:%02u UTC",
	    (long long)(era * 400 + year + (month >= 10 ? 1 : 0)),
	    (month + 2) % 12 + 1,
	    (unsigned)(of_year - (153 * (int64_t)month + 2) / 5 + 1),
	    seconds / 3600, seconds / 60 % 60, seconds % 60);
}
