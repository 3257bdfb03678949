/* SPDX-License-Identifier: 0BSD */
/*
 * What every file may use: fixed-width types, byte order, attributes, and
 * the few string helpers that work on slices. Pure.
 */
#ifndef LIFEBOAT_BASE_H
#define LIFEBOAT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The result decides what happens next; ignoring it is a bug. */
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/*
 * A large object, zero at first, and the pointer by which it is reached. Such
 * objects lie behind all others, which are then near enough to the code on
 * arm64 for one instruction (src/far.ld). volatile keeps the compiler from
 * using the address itself.
 */
#define FAR(type, name) \
	static type name##_far __attribute__((section(".bss.far"))); \
	static type *volatile const name = &name##_far

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)

/* What a bundle in stream order begins with: src/FORMAT.md. */
#define STREAM_MAGIC "raucs\r\n\x1a"
#define STREAM_MAGIC_LEN 8u

/* A run of bytes somebody else owns; not NUL-terminated. */
struct slice {
	const char *p;
	size_t len;
};

/* True when s is this text. */
bool slice_is(struct slice s, const char *text);

/* Takes the next word off the front of *left: what stands between blanks
 * (space, \t \n \v \f \r). False when there is none. */
bool slice_word(struct slice *left, struct slice *word);

/* Which of these words it is, counted from 0, or -1. */
int slice_index(struct slice words, struct slice word);

/* Takes the next line off the front of *left, without its \n or \r\n. False
 * at the end. */
bool slice_line(struct slice *left, struct slice *line);

/*
 * Copies s into dst (cap bytes, always NUL-terminated when cap > 0).
 * Returns false, with dst empty, when it does not fit or holds a NUL.
 */
bool slice_copy(char *dst, size_t cap, struct slice s) MUST_CHECK;

/* Cuts s at the first c and makes *tail what stands behind it. False, with
 * *tail {NULL, 0}, when there is no c. */
bool slice_cut(struct slice *s, char c, struct slice *tail);

/* True when s is not empty and has only ASCII letters, digits and characters
 * of `others`. */
bool slice_alnum(struct slice s, const char *others);

/* Bytes of the valid UTF-8 sequence (as RFC 3629) that s starts with; 0 when
 * there is none. A NUL is a sequence of one byte. */
size_t utf8_len(struct slice s);

/* True when all of s is valid UTF-8 without NUL. */
bool utf8_valid(struct slice s);

/* True when s is not empty, valid UTF-8, and without control characters. */
bool slice_printable(struct slice s);

/* Parses all of s as an unsigned decimal number; false on anything else. */
bool slice_u64(struct slice s, uint64_t *out) MUST_CHECK;

/* The value of a hexadecimal digit of either case, or -1. */
int hex_digit(char c);

/* Could text be what was meant? Equal but for case, for '_' instead of '-', and
 * for one letter; of more than six, for two side by side. */
bool slice_resembles(struct slice s, const char *text);
/* Parses exactly 2 * n hexadecimal digits of either case into dst. */
bool slice_hex(struct slice s, uint8_t *dst, size_t n) MUST_CHECK;

/* Writes 2 * n lower-case digits and a NUL into dst (2 * n + 1 bytes). */
void hex_encode(char *dst, const uint8_t *src, size_t n);

/* True when all n bytes are zero. */
bool all_zero(const void *p, size_t n);

/* Zeros that the compiler may not leave out: for secrets. */
void wipe(void *p, size_t n);

/* Byte order: one access where the processor can. */
#define LITTLE_ENDIAN_HOST (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

static inline uint16_t load_le16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return LITTLE_ENDIAN_HOST ? v : __builtin_bswap16(v);
}

static inline uint32_t load_le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return LITTLE_ENDIAN_HOST ? v : __builtin_bswap32(v);
}

static inline uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return LITTLE_ENDIAN_HOST ? v : __builtin_bswap64(v);
}

static inline uint16_t load_be16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return LITTLE_ENDIAN_HOST ? __builtin_bswap16(v) : v;
}

static inline uint32_t load_be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return LITTLE_ENDIAN_HOST ? __builtin_bswap32(v) : v;
}

static inline uint64_t load_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return LITTLE_ENDIAN_HOST ? __builtin_bswap64(v) : v;
}

static inline void store_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static inline void store_le64(uint8_t *p, uint64_t v)
{
	store_le32(p, (uint32_t)v);
	store_le32(p + 4, (uint32_t)(v >> 32));
}

/* CRC-32 as in IEEE 802.3, zlib, GPT and the U-Boot environment. */
uint32_t crc32_update(uint32_t crc, const void *data, size_t len);

#endif
