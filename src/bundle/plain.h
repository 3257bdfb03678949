/* SPDX-License-Identifier: 0BSD */
/*
 * A payload without a hash tree (format=plain): signed is the digest of all of
 * it, so it is read once from front to end and judged, and read again to be
 * used, and the medium may lie the second time. Pure.
 *
 * So the first pass keeps the state of its SHA-256 at each piece's end, and a
 * piece that is read again must lead from the state before it to the one
 * behind it. To find another that does is a second preimage of SHA-256's
 * compression; and the pass costs one SHA-256, as without.
 */
#ifndef LIFEBOAT_PLAIN_H
#define LIFEBOAT_PLAIN_H

#include "base/blk.h"
#include "bundle/trust.h"

#define PLAIN_MAX 0x7fffffffu /* bytes: RAUC's limit */
#define PLAIN_PIECE 65536u
#define PLAIN_PIECES (PLAIN_MAX / PLAIN_PIECE + 1)

/*
 * 1.1 MiB, of which 1 MiB is the table: 32 bytes for each 64 KiB of payload,
 * touched only as far as the payload reaches.
 */
struct plain {
	struct blk blk; /* what was hashed, read-only; empty before */
	struct blk *below;
	uint64_t size;
	uint64_t held; /* the piece in memory; UINT64_MAX: none */
	uint8_t piece[PLAIN_PIECE];
	uint8_t state[PLAIN_PIECES][32];
	struct diag diag; /* of the last failed read through blk */
};

/* Takes the first size bytes of below, which outlives p, and reads nothing.
 * R_PLAIN_SIZE: none, or more than PLAIN_MAX. */
int plain_init(struct plain *p, struct blk *below, uint64_t size,
    struct diag *d) MUST_CHECK;

/*
 * The first pass: the digests of all bytes that are wanted (DIGEST_*, or-ed),
 * and SHA-256. From then on p->blk hands out
 * exactly those bytes, or fails: R_PLAIN_CHANGED, or what the reader below
 * returned; bytes of which nothing is known never reach the caller's memory
 * beyond the call that fails (it is zeroed). A piece that is not the same is
 * read once more, since flaky media exist. Whether these bytes are the signed
 * ones is for the caller to find out, by the digests.
 *
 * progress (may be NULL) gets bytes and cancels with a non-zero return:
 * R_CANCELLED.
 */
int plain_hash(struct plain *p, unsigned wanted, struct content_digest *is,
    int (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct diag *d) MUST_CHECK;

#endif
