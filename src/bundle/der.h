/* SPDX-License-Identifier: 0BSD */
/*
 * Strict DER over the bounded reader: definite, minimal lengths of at most
 * four octets, single-byte tags. Errors are the reader's sticky error, so a
 * whole structure is read first and der_end() asked once. Nothing recurses:
 * the caller walks the levels it knows. Pure.
 */
#ifndef LIFEBOAT_DER_H
#define LIFEBOAT_DER_H

#include "base/buf.h"

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8 = 0x0c,
	DER_NUMERIC = 0x12,
	DER_PRINTABLE = 0x13,
	DER_T61 = 0x14,
	DER_IA5 = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_UNIVERSAL = 0x1c,
	DER_BMP = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};

/* Context tag n: primitive (IMPLICIT string) and constructed. */
#define DER_CTX(n) (0x80 | (n))
#define DER_CTX_CONS(n) (0xa0 | (n))

/* One element; both slices point into the reader's bytes. */
struct der {
	uint8_t tag;
	struct slice raw;  /* tag, length, contents */
	struct slice body; /* contents */
};

/* The next element of any tag; false, and b bad, when there is none. */
bool der_next(struct buf *b, struct der *e);

/* The next element, which must have this tag: else false, and b bad. */
bool der_get(struct buf *b, uint8_t tag, struct der *e);

/* True when there is a next element and it has this tag; reads nothing. */
bool der_is(const struct buf *b, uint8_t tag);

/* False, with b untouched, when the next element has another tag or b is at
 * its end. Malformed: false, and b bad. */
bool der_optional(struct buf *b, uint8_t tag, struct der *e);

/* A reader over the contents of the next element, which must have this tag;
 * it is bad from birth, and so is b, when there is none. */
struct buf der_enter(struct buf *b, uint8_t tag);

struct buf der_buf(struct slice s);

/* All read, and all of it well-formed. */
static inline bool der_end(const struct buf *b)
{
	return !b->bad && b->pos == b->len;
}

/*
 * True when s is elements of DER to the innermost, also those that nobody
 * reads: each ends with the one that holds it, and of the universal types each
 * is constructed or not as DER wants it, with contents of its kind.
 */
bool der_sound(struct slice s);

bool slice_same(struct slice a, struct slice b);

/* The contents of an OID are these bytes. */
bool oid_is(struct slice oid, const char *bytes, size_t len);

/* The typed readers make b bad, and return zero values, on anything else. */
struct slice der_oid(struct buf *b);
bool der_boolean(struct buf *b);
/* Contents of a minimal INTEGER of either sign. */
struct slice der_integer(struct buf *b);
/* A non-negative INTEGER below 2^31. */
uint32_t der_u31(struct buf *b);
/* Contents of a BIT STRING with no unused bits. */
struct slice der_bits(struct buf *b);
/* These are the contents of a BIT STRING, whatever its tag: a count of unused
 * bits, which are there, and the octets. */
bool der_bits_ok(struct slice s);
/* UTCTime or GeneralizedTime in Zulu time, to the second, as seconds since
 * 1970; years 1950 to 2049 and 0000 to 9999. */
int64_t der_time(struct buf *b);

/* The magnitude of an INTEGER's contents without its leading zero; empty when
 * it is negative or zero. */
struct slice der_magnitude(struct slice integer);

/* A well-formed ECDSA-Sig-Value with r and s positive and of at most max
 * bytes each. */
bool der_ecdsa_ok(struct slice signature, size_t max);

/*
 * Why strict reading failed: true when the elements, as far as they can be
 * followed, have an indefinite length or a constructed OCTET STRING.
 */
bool der_is_ber(struct slice s);

#define OID_TEXT 64
/* "1.2.840.113549.1.7.2" into dst (OID_TEXT bytes), cut when longer. */
void oid_text(char *dst, struct slice oid);

#define TIME_TEXT 40
/* "2026-11-22 09:30:00 UTC" into dst (TIME_TEXT bytes). */
void time_text(char *dst, int64_t t);

#endif
