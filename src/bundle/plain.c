/* SPDX-License-Identifier: 0BSD */
#include "bundle/plain.h"

#include <bearssl_hash.h>

static int read_piece(struct plain *p, uint64_t index, size_t *len)
{
	uint64_t at = index * PLAIN_PIECE;
	int r;

	*len = (size_t)MIN(p->size - at, PLAIN_PIECE);
	r = blk_read(p->below, at, p->piece, *len);
	return r == 0 ? 0
	              : diag_fail(&p->diag, r,
	                    "reading %zu bytes at %llu of the bundle", *len,
	                    (unsigned long long)at);
}

/* The state behind the piece in memory, given that before it. */
static void advance(const struct plain *p, uint64_t index, size_t len,
    br_sha256_context *ctx, uint8_t state[32])
{
	br_sha256_init(ctx);
	if (index > 0)
		br_sha256_set_state(
		    ctx, p->state[index - 1], index * PLAIN_PIECE);
	br_sha256_update(ctx, p->piece, len);
	/* Only the last piece can be one that has no such state; behind it
	 * stands the digest. */
	if (len == PLAIN_PIECE)
		br_sha256_state(ctx, state);
	else
		br_sha256_out(ctx, state);
}

static int get_piece(struct plain *p, uint64_t index)
{
	br_sha256_context ctx;
	uint8_t state[32];

	if (p->held == index)
		return 0;
	p->held = UINT64_MAX;
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		size_t len;
		int r = read_piece(p, index, &len);

		if (r != 0)
			return r;
		advance(p, index, len, &ctx, state);
		if (memcmp(state, p->state[index], sizeof state) == 0) {
			p->held = index;
			return 0;
		}
	}
	return diag_fail(&p->diag, R_PLAIN_CHANGED,
	    "the 64 KiB at %llu of the bundle are not those that were verified",
	    (unsigned long long)(index * PLAIN_PIECE));
}

static int plain_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct plain *p = (struct plain *)b;
	uint8_t *out = dst;
	size_t done = 0;

	diag_clear(&p->diag);
	while (done < len) {
		size_t in = (size_t)(off % PLAIN_PIECE);
		size_t n = MIN(len - done, PLAIN_PIECE - in);
		int r = get_piece(p, off / PLAIN_PIECE);

		if (r != 0) {
			memset(dst, 0, len);
			return r;
		}
		memcpy(out + done, p->piece + in, n);
		done += n;
		off += n;
	}
	return 0;
}

static const struct blk_ops plain_ops = {.read = plain_read};

int plain_init(
    struct plain *p, struct blk *below, uint64_t size, struct diag *d)
{
	p->blk.ops = &plain_ops;
	p->blk.size = 0;
	p->blk.sector = 0;
	p->below = below;
	p->size = size;
	p->held = UINT64_MAX;
	if (size == 0 || size > PLAIN_MAX)
		return diag_fail(d, R_PLAIN_SIZE,
		    "payload of %llu bytes, expected 1 to %u",
		    (unsigned long long)size, PLAIN_MAX);
	return 0;
}

int plain_hash(struct plain *p, unsigned wanted, struct content_digest *is,
    int (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct diag *d)
{
	br_sha256_context sha256;
	br_sha384_context sha384;
	br_sha512_context sha512;
	uint64_t done = 0;

	diag_clear(&p->diag);
	is->have = 0;
	p->blk.size = 0;
	p->held = UINT64_MAX;
	br_sha384_init(&sha384);
	br_sha512_init(&sha512);
	for (uint64_t i = 0; done < p->size; i++) {
		size_t len;
		int r = read_piece(p, i, &len);

		if (r != 0)
			return diag_fail(d, r, "%s", p->diag.seen);
		advance(p, i, len, &sha256, p->state[i]);
		if (wanted & DIGEST_SHA384)
			br_sha384_update(&sha384, p->piece, len);
		if (wanted & DIGEST_SHA512)
			br_sha512_update(&sha512, p->piece, len);
		done += len;
		if (progress && progress(ctx, done, p->size) != 0)
			return diag_fail(d, R_CANCELLED, "while hashing");
	}
	br_sha256_out(&sha256, is->of[0]);
	br_sha384_out(&sha384, is->of[1]);
	br_sha512_out(&sha512, is->of[2]);
	is->have = wanted | DIGEST_SHA256;
	p->blk.size = p->size;
	return 0;
}
