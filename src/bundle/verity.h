/* SPDX-License-Identifier: 0BSD */
/*
 * dm-verity version 1 in user space: SHA-256, 4096-byte blocks, salt first,
 * no superblock, tree right behind the data, top level first. Pure.
 */
#ifndef LIFEBOAT_VERITY_H
#define LIFEBOAT_VERITY_H

#include "base/blk.h"

#define VERITY_BLOCK 4096u
#define VERITY_FAN_BITS 7u /* digests in a tree block: 128 */
#define VERITY_LEVELS 6    /* 128^6 blocks: 2^54 bytes */

/* Data is asked for in aligned runs of this many blocks, since a request may
 * cross a process boundary: 64 KiB. */
#define VERITY_RUN 16u

struct verity {
	struct blk blk; /* the verified data, read-only, as every blk */
	struct blk *below;
	uint64_t blocks; /* of data */
	/* Level 1 of the tree has the digests of data blocks, level `levels`
	 * is one block. Level i is the blocks [start[i], start[i - 1]), so the
	 * last level comes first and start[0] is the end of it all. */
	unsigned levels;
	uint64_t start[VERITY_LEVELS + 1];
	uint8_t root[32];
	uint8_t salt[32];
	/* One verified block a level, from level 1 on, and which it is in its
	 * level; UINT64_MAX when empty. */
	uint64_t cached[VERITY_LEVELS];
	uint8_t cache[VERITY_LEVELS][VERITY_BLOCK];
	/* Blocks in a run: VERITY_RUN, or less when the owner says so behind
	 * verity_init; 1 asks for no block before what authenticates it. */
	unsigned run_blocks;
	/* The run read last. Bit i of verified: block run_start + i is what
	 * the tree says; the others are foreign bytes and stay in here. */
	uint64_t run_start; /* UINT64_MAX when empty */
	uint32_t verified;
	uint8_t run[VERITY_RUN][VERITY_BLOCK];
	struct diag diag; /* of the last failed read */
};

/*
 * The hash tree over so many data blocks, ending at block `end`: its levels
 * and where each starts, as in struct verity. False unless it begins right
 * behind the data, and there are two data blocks at least.
 */
bool verity_tree(uint64_t blocks, uint64_t end, unsigned *levels,
    uint64_t start[VERITY_LEVELS + 1]);

/*
 * size is that of data and tree together, tree_size that of the tree. Reads
 * nothing. R_VERITY_SIZE when the numbers do not belong together: both
 * multiples of 4096, tree smaller than size, and exactly as large as this
 * many data blocks need (two at least: one has no tree); v->blk is empty then.
 */
int verity_init(struct verity *v, struct blk *below, uint64_t size,
    uint64_t tree_size, const uint8_t root[32], const uint8_t salt[32],
    struct diag *d) MUST_CHECK;

/*
 * Reads through v->blk (blk_read) are verified: R_VERITY_DATA, R_VERITY_TREE,
 * R_VERITY_PADDING, or what the reader below returned; v->diag tells the
 * block. Bytes that were not verified never reach the caller's memory beyond
 * the call that fails (it is zeroed). A block that does not match is read
 * once more, since flaky media exist, and judged anew.
 *
 * The whole of it: every data block against its leaf, every tree block
 * against its parent, padding zero (R_VERITY_PADDING). Sequential reads,
 * nothing from a cache. progress (may be NULL) gets bytes of data and tree
 * and cancels with a non-zero return: R_CANCELLED.
 */
int verity_check_all(struct verity *v,
    int (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct diag *d) MUST_CHECK;

#endif
