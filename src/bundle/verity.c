/* SPDX-License-Identifier: 0BSD */
#include "bundle/verity.h"

#include <bearssl_hash.h>

#define DIGEST 32u
#define FAN_BITS VERITY_FAN_BITS
#define FAN (1u << FAN_BITS)

static bool matches(
    const struct verity *v, const uint8_t *block, const uint8_t *want)
{
	br_sha256_context ctx;
	uint8_t digest[DIGEST];

	br_sha256_init(&ctx);
	br_sha256_update(&ctx, v->salt, sizeof v->salt);
	br_sha256_update(&ctx, block, VERITY_BLOCK);
	br_sha256_out(&ctx, digest);
	return memcmp(digest, want, DIGEST) == 0;
}

static int read_blocks(
    struct verity *v, uint64_t first, uint64_t count, uint8_t *dst)
{
	int r = blk_read(
	    v->below, first * VERITY_BLOCK, dst, (size_t)count * VERITY_BLOCK);

	if (r != 0)
		return diag_fail(&v->diag, r,
		    "reading blocks %llu to %llu of the bundle",
		    (unsigned long long)first,
		    (unsigned long long)(first + count - 1));
	return 0;
}

/* How many digests the block of a level holds. */
static size_t digests(const struct verity *v, unsigned level, uint64_t index)
{
	uint64_t below = ((v->blocks - 1) >> FAN_BITS * (level - 1)) + 1;

	return (size_t)MIN(below - index * FAN, FAN);
}

/* Brings a block of a level, whose digest is want, into its cache. */
static int load_tree(
    struct verity *v, unsigned level, uint64_t index, const uint8_t *want)
{
	uint8_t *block = v->cache[level - 1];
	uint64_t at = v->start[level] + index;
	size_t used = digests(v, level, index) * DIGEST;
	bool match = false;

	v->cached[level - 1] = UINT64_MAX;
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		int r = read_blocks(v, at, 1, block);

		if (r != 0)
			return r;
		match = matches(v, block, want);
		if (match && all_zero(block + used, VERITY_BLOCK - used)) {
			v->cached[level - 1] = index;
			return 0;
		}
	}
	/* Is all that is wrong what follows the digests? */
	memset(block + used, 0, VERITY_BLOCK - used);
	match = match || matches(v, block, want);
	return diag_fail(&v->diag, match ? R_VERITY_PADDING : R_VERITY_TREE,
	    "hash tree level %u, block %llu%s", level, (unsigned long long)at,
	    match ? ": padding is not zero" : " does not match its parent");
}

/* The digest of a data block, out of a verified block of level 1. */
static int find_digest(struct verity *v, uint64_t block, const uint8_t **digest)
{
	*digest = v->root;
	for (unsigned level = v->levels; level > 0; level--) {
		uint64_t index = block >> FAN_BITS * level;
		uint64_t below = block >> FAN_BITS * (level - 1);

		if (v->cached[level - 1] != index) {
			int r = load_tree(v, level, index, *digest);

			if (r != 0)
				return r;
		}
		*digest = v->cache[level - 1] + below % FAN * DIGEST;
	}
	return 0;
}

/* Makes *data point to the verified bytes of a data block. */
static int get_block(struct verity *v, uint64_t block, const uint8_t **data)
{
	unsigned in = (unsigned)(block % v->run_blocks);
	uint64_t start = block - in;
	uint8_t *slot = v->run[in];
	const uint8_t *want;
	int r;

	*data = slot;
	if (v->run_start == start && (v->verified >> in & 1) != 0)
		return 0;
	/* first the tree: what comes in order comes in this one */
	r = find_digest(v, block, &want);
	if (r == 0 && v->run_start != start) {
		v->run_start = UINT64_MAX;
		v->verified = 0;
		r = read_blocks(
		    v, start, MIN(v->run_blocks, v->blocks - start), v->run[0]);
		if (r == 0)
			v->run_start = start;
	}
	if (r == 0 && !matches(v, slot, want)) {
		r = read_blocks(v, block, 1, slot);
		if (r == 0 && !matches(v, slot, want))
			return diag_fail(&v->diag, R_VERITY_DATA,
			    "data block %llu of %llu does not match the hash "
			    "tree",
			    (unsigned long long)block,
			    (unsigned long long)v->blocks);
	}
	if (r == 0)
		v->verified |= 1u << in;
	return r;
}

static int verity_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct verity *v = (struct verity *)b;
	uint8_t *out = dst;
	size_t done = 0;

	diag_clear(&v->diag);
	while (done < len) {
		const uint8_t *data = NULL;
		size_t in = (size_t)(off % VERITY_BLOCK);
		size_t n = MIN(len - done, VERITY_BLOCK - in);
		int r = get_block(v, off / VERITY_BLOCK, &data);

		if (r != 0) {
			memset(dst, 0, len);
			return r;
		}
		memcpy(out + done, data + in, n);
		done += n;
		off += n;
	}
	return 0;
}

static const struct blk_ops verity_ops = {.read = verity_read};

static void forget(struct verity *v)
{
	for (unsigned i = 0; i < VERITY_LEVELS; i++)
		v->cached[i] = UINT64_MAX;
	v->run_start = UINT64_MAX;
	v->verified = 0;
}

bool verity_tree(uint64_t blocks, uint64_t end, unsigned *levels,
    uint64_t start[VERITY_LEVELS + 1])
{
	uint64_t at = end;
	uint64_t n;

	start[0] = end;
	*levels = 0;
	for (n = blocks; n > 1 && *levels < VERITY_LEVELS;) {
		n = (n - 1) / FAN + 1;
		at -= n;
		start[++*levels] = at;
	}
	return n == 1 && *levels > 0 && at == blocks;
}

int verity_init(struct verity *v, struct blk *below, uint64_t size,
    uint64_t tree_size, const uint8_t root[32], const uint8_t salt[32],
    struct diag *d)
{
	uint64_t end = size / VERITY_BLOCK;
	bool fits;

	v->blk.ops = &verity_ops;
	v->blk.size = size - tree_size;
	v->blk.sector = 0;
	v->below = below;
	v->blocks = v->blk.size / VERITY_BLOCK;
	memcpy(v->root, root, sizeof v->root);
	memcpy(v->salt, salt, sizeof v->salt);
	diag_clear(&v->diag);
	forget(v);
	v->run_blocks = VERITY_RUN;
	fits = verity_tree(v->blocks, end, &v->levels, v->start);
	if (fits && tree_size < size && size <= below->size &&
	    (size | tree_size) % VERITY_BLOCK == 0)
		return 0;
	v->blk.size = 0;
	return diag_fail(d, R_VERITY_SIZE,
	    "hash tree of %llu bytes in a payload of %llu, expected a tree of "
	    "%llu and multiples of 4096",
	    (unsigned long long)tree_size, (unsigned long long)size,
	    (unsigned long long)(end - v->start[v->levels]) * VERITY_BLOCK);
}

int verity_check_all(struct verity *v,
    int (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct diag *d)
{
	uint64_t total = v->start[0] * VERITY_BLOCK;
	int r;

	forget(v);
	diag_clear(&v->diag);
	/* Every tree block is an ancestor of some data block, so the walk over
	 * the data meets them all. */
	for (uint64_t block = 0;; block++) {
		bool end = block == v->blocks;
		const uint8_t *data = NULL;

		if (progress && (end || block % VERITY_RUN == 0) &&
		    progress(ctx, end ? total : block * VERITY_BLOCK, total) !=
		        0)
			return diag_fail(d, R_CANCELLED, "while verifying");
		if (end)
			return 0;
		r = get_block(v, block, &data);
		if (r != 0)
			return diag_fail(d, r, "%s", v->diag.seen);
	}
}
