/* SPDX-License-Identifier: 0BSD */
/*
 * Bounded reader over foreign bytes: the only way the parsers touch them.
 * The error is sticky: a read past the end returns zero, leaves pos where it
 * was and sets bad, so a whole header is read first and checked once. Pure.
 *
 * Always true: pos <= len. Once bad, bad for ever.
 */
#ifndef LIFEBOAT_BUF_H
#define LIFEBOAT_BUF_H

#include "base/base.h"

struct buf {
	const uint8_t *p; /* owned by the caller, outlives the reader */
	size_t len;
	size_t pos;
	bool bad;
};

void buf_init(struct buf *b, const void *p, size_t len);

static inline size_t buf_left(const struct buf *b)
{
	return b->len - b->pos;
}

static inline bool buf_ok(const struct buf *b)
{
	return !b->bad;
}

uint8_t buf_u8(struct buf *b);
uint16_t buf_le16(struct buf *b);
uint32_t buf_le32(struct buf *b);
uint64_t buf_le64(struct buf *b);
uint16_t buf_be16(struct buf *b);
uint32_t buf_be32(struct buf *b);
uint64_t buf_be64(struct buf *b);

/* The next n bytes, or NULL (and bad) when there are fewer. */
const uint8_t *buf_take(struct buf *b, size_t n);
void buf_skip(struct buf *b, size_t n);

/* Goes to an absolute position; bad when pos > len. */
void buf_seek(struct buf *b, size_t pos);

/* A reader over the next n bytes, which b then stands behind. */
struct buf buf_sub(struct buf *b, size_t n);

#endif
