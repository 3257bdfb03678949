/* SPDX-License-Identifier: 0BSD */
#include "base/buf.h"

void buf_init(struct buf *b, const void *p, size_t len)
{
	b->p = p;
	b->len = len;
	b->pos = 0;
	b->bad = false;
}

const uint8_t *buf_take(struct buf *b, size_t n)
{
	const uint8_t *p;

	if (b->bad || n > b->len - b->pos) {
		b->bad = true;
		return NULL;
	}
	p = b->p + b->pos;
	b->pos += n;
	return p;
}

void buf_skip(struct buf *b, size_t n)
{
	(void)buf_take(b, n);
}

void buf_seek(struct buf *b, size_t pos)
{
	if (b->bad || pos > b->len)
		b->bad = true;
	else
		b->pos = pos;
}

struct buf buf_sub(struct buf *b, size_t n)
{
	struct buf sub;
	const uint8_t *p = buf_take(b, n);

	buf_init(&sub, p, p ? n : 0);
	sub.bad = p == NULL;
	return sub;
}

uint8_t buf_u8(struct buf *b)
{
	const uint8_t *p = buf_take(b, 1);

	return p ? p[0] : 0;
}

uint16_t buf_le16(struct buf *b)
{
	const uint8_t *p = buf_take(b, 2);

	return p ? load_le16(p) : 0;
}

uint32_t buf_le32(struct buf *b)
{
	const uint8_t *p = buf_take(b, 4);

	return p ? load_le32(p) : 0;
}

uint64_t buf_le64(struct buf *b)
{
	const uint8_t *p = buf_take(b, 8);

	return p ? load_le64(p) : 0;
}

uint16_t buf_be16(struct buf *b)
{
	const uint8_t *p = buf_take(b, 2);

	return p ? load_be16(p) : 0;
}

uint32_t buf_be32(struct buf *b)
{
	const uint8_t *p = buf_take(b, 4);

	return p ? load_be32(p) : 0;
}

uint64_t buf_be64(struct buf *b)
{
	const uint8_t *p = buf_take(b, 8);

	return p ? load_be64(p) : 0;
}
