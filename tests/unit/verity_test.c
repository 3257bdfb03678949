/* SPDX-License-Identifier: 0BSD */
/*
 * verity against a tree built here, the other way round (leaves first, whole
 * levels in memory), and against media that lie.
 */
#include <bearssl_hash.h>
#include <stdlib.h>

#include "bundle/verity.h"
#include "check.h"

#define BLOCK VERITY_BLOCK
#define BLOCKS_MAX 17000

static uint8_t *image; /* data, then the tree */
static uint8_t root[32], salt[32];
static uint64_t tree_size;
static struct verity v;

static void digest(const uint8_t *block, uint8_t out[32])
{
	br_sha256_context c;

	br_sha256_init(&c);
	br_sha256_update(&c, salt, 32);
	br_sha256_update(&c, block, BLOCK);
	br_sha256_out(&c, out);
}

/* Puts the tree over `blocks` blocks of data behind them. */
static void build(uint64_t blocks)
{
	static uint8_t level[8][(BLOCKS_MAX / 128 + 2) * BLOCK];
	uint64_t count[8], n = blocks, at = blocks;
	const uint8_t *from = image;
	unsigned levels = 0;

	while (n > 1) {
		uint64_t up = (n + 127) / 128;

		memset(level[levels], 0, up * BLOCK);
		for (uint64_t i = 0; i < n; i++)
			digest(from + i * BLOCK, level[levels] + i * 32);
		from = level[levels];
		count[levels++] = n = up;
	}
	digest(from, root);
	while (levels-- > 0) {
		memcpy(
		    image + at * BLOCK, level[levels], count[levels] * BLOCK);
		at += count[levels];
	}
	tree_size = (at - blocks) * BLOCK;
}

static uint32_t seed = 1;

static void fill(uint64_t blocks)
{
	for (size_t i = 0; i < blocks * BLOCK; i++) {
		seed = seed * 1664525 + 1013904223;
		image[i] = (uint8_t)(seed >> 24);
	}
	build(blocks);
}

/* A reader that counts, and changes what it gives out from its nth call on. */
struct liar {
	struct blk blk;
	unsigned calls, lie_from, lie_to, fail_at;
	size_t largest;
};

static struct liar liar;

static int liar_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct liar *l = (struct liar *)b;
	uint8_t *p = dst;

	l->calls++;
	l->largest = len > l->largest ? len : l->largest;
	memcpy(dst, image + off, len);
	if (l->calls == l->fail_at)
		return R_IO;
	if (l->calls >= l->lie_from && l->calls < l->lie_to)
		for (size_t i = 0; i < len; i += 512)
			p[i] ^= 0xff;
	return 0;
}

static const struct blk_ops liar_ops = {.read = liar_read};

static void start(uint64_t blocks)
{
	struct diag d = {0};
	uint64_t size = blocks * BLOCK + tree_size;

	memset(&liar, 0, sizeof liar);
	liar.blk.ops = &liar_ops;
	liar.blk.size = size;
	liar.lie_from = liar.lie_to = UINT32_MAX;
	CHECK_INT(
	    verity_init(&v, &liar.blk, size, tree_size, root, salt, &d), 0);
	CHECK_INT(v.blk.size, blocks * BLOCK);
}

static void test_sizes(void)
{
	/* Tree blocks of n data blocks, from the format's description. */
	static const struct {
		uint64_t blocks, tree;
	} known[] = {{2, 1}, {128, 1}, {129, 3}, {16384, 129}, {16385, 132},
	    {2097152, 16513}, {2097153, 16517}};
	struct blk_mem none;

	blk_mem_init_const(&none, image, 0);
	none.blk.size = UINT64_MAX;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		uint64_t data = known[i].blocks * BLOCK;
		uint64_t tree = known[i].tree * BLOCK;

		CHECK_INT(verity_init(&v, &none.blk, data + tree, tree, root,
		              salt, NULL),
		    0);
		CHECK_INT(v.start[v.levels], known[i].blocks);
		CHECK_INT(v.start[v.levels - 1] - v.start[v.levels], 1);
		for (int by = -1; by <= 1; by += 2) {
			uint64_t other = tree + (uint64_t)(by * (int)BLOCK);

			CHECK_INT(verity_init(&v, &none.blk, data + other,
			              other, root, salt, NULL),
			    R_VERITY_SIZE);
		}
	}
}

static void test_bad_sizes(void)
{
	static const struct {
		uint64_t size, tree;
	} bad[] = {{0, 0}, {BLOCK, 0}, {BLOCK, BLOCK}, {BLOCK, 2 * BLOCK},
	    {2 * BLOCK, BLOCK}, {3 * BLOCK + 1, BLOCK}, {3 * BLOCK, BLOCK - 1},
	    {3 * BLOCK, 0}, {3 * BLOCK, UINT64_MAX - BLOCK + 1},
	    {UINT64_MAX - BLOCK + 1, BLOCK}};
	struct diag d = {0};
	struct blk_mem m;

	blk_mem_init_const(&m, image, 3 * BLOCK);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_INT(verity_init(&v, &m.blk, bad[i].size, bad[i].tree,
		              root, salt, NULL),
		    R_VERITY_SIZE);
	CHECK_INT(v.blk.size, 0);
	/* One byte less than is claimed. */
	blk_mem_init_const(&m, image, 3 * BLOCK - 1);
	CHECK_INT(verity_init(&v, &m.blk, 3 * BLOCK, BLOCK, root, salt, &d),
	    R_VERITY_SIZE);
	CHECK(d.seen[0] != '\0');
}

static void test_good(void)
{
	static const uint64_t counts[] = {
	    2, 3, 15, 16, 17, 127, 128, 129, 300, 16384, 16385};
	static uint8_t got[3 * 65536];

	for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
		uint64_t size = counts[k] * BLOCK;

		fill(counts[k]);
		start(counts[k]);
		CHECK_INT(verity_check_all(&v, NULL, NULL, NULL), 0);
		/* Requests cross a process boundary: few, but bounded. */
		CHECK(liar.largest <= 65536);
		CHECK(liar.calls <= counts[k] / 16 + 1 + tree_size / BLOCK);
		for (unsigned i = 0; i < 50; i++) {
			uint64_t off, len;

			seed = seed * 1664525 + 1013904223;
			off = seed % size;
			len = MIN(size - off, seed >> 8 & 0x1ffff);
			CHECK_INT(blk_read(&v.blk, off, got, len), 0);
			CHECK_MEM(got, image + off, len);
		}
		CHECK_INT(blk_read(&v.blk, size - 1, got, 1), 0);
		CHECK_INT(blk_read(&v.blk, size, got, 1), R_RANGE);
		CHECK_INT(blk_write(&v.blk, 0, got, 1), R_READ_ONLY);
	}
}

static int check_flipped(uint64_t blocks, uint64_t at, struct diag *d)
{
	int r;

	image[at] ^= 1;
	start(blocks);
	r = verity_check_all(&v, NULL, NULL, d);
	image[at] ^= 1;
	return r;
}

static void test_flips(void)
{
	static const uint64_t data_at[] = {
	    0, 150 * BLOCK + 77, 300 * BLOCK - 1};
	struct diag d = {0};

	fill(300); /* a top, three leaves: 44 digests in the last */
	for (size_t i = 0; i < ARRAY_LEN(data_at); i++)
		CHECK_INT(check_flipped(300, data_at[i], NULL), R_VERITY_DATA);
	CHECK_INT(check_flipped(300, 300 * BLOCK - 1, &d), R_VERITY_DATA);
	CHECK_STR(d.seen, "data block 299 of 300 does not match the hash tree");
	diag_clear(&d);
	/* Top: digests, then padding. */
	CHECK_INT(check_flipped(300, 300 * BLOCK, &d), R_VERITY_TREE);
	CHECK_STR(
	    d.seen, "hash tree level 2, block 300 does not match its parent");
	diag_clear(&d);
	CHECK_INT(check_flipped(300, 300 * BLOCK + 96, &d), R_VERITY_PADDING);
	CHECK_STR(d.seen, "hash tree level 2, block 300: padding is not zero");
	diag_clear(&d);
	/* Leaves: first, middle, last, padding of the last. */
	CHECK_INT(check_flipped(300, 301 * BLOCK, NULL), R_VERITY_TREE);
	CHECK_INT(check_flipped(300, 302 * BLOCK + 9, NULL), R_VERITY_TREE);
	CHECK_INT(
	    check_flipped(300, 303 * BLOCK + 44 * 32 - 1, &d), R_VERITY_TREE);
	CHECK_STR(
	    d.seen, "hash tree level 1, block 303 does not match its parent");
	CHECK_INT(
	    check_flipped(300, 303 * BLOCK + 44 * 32, NULL), R_VERITY_PADDING);
	CHECK_INT(check_flipped(300, 304 * BLOCK - 1, NULL), R_VERITY_PADDING);
	root[31] ^= 1;
	start(300);
	CHECK_INT(verity_check_all(&v, NULL, NULL, NULL), R_VERITY_TREE);
	root[31] ^= 1;
	salt[0] ^= 1;
	start(300);
	CHECK_INT(verity_check_all(&v, NULL, NULL, NULL), R_VERITY_TREE);
	salt[0] ^= 1;
}

/* Every block, every level, of a tree with two. */
static void test_every_block(void)
{
	uint64_t blocks = 129 + 3;
	unsigned refused = 0;

	fill(129);
	for (uint64_t i = 0; i < blocks; i++)
		refused +=
		    check_flipped(129, i * BLOCK + i * 31 % BLOCK, NULL) != 0;
	CHECK_INT(refused, blocks);
}

/* Padding that the signer himself filled: the hashes are right. */
static void test_signed_padding(void)
{
	fill(2);
	memset(image + 3 * BLOCK - 8, 'x', 8);
	digest(image + 2 * BLOCK, root);
	start(2);
	CHECK_INT(verity_check_all(&v, NULL, NULL, NULL), R_VERITY_PADDING);
}

/* authenticated-before-written: a medium that gives other bytes the second
 * time, or the first, gets none of them through. */
static void test_authenticated_before_written(void)
{
	static uint8_t got[40 * BLOCK];
	struct diag d = {0};

	fill(300);
	for (unsigned from = 1; from < 12; from++) {
		for (unsigned width = 1; width < 12; width++) {
			unsigned bad = 0;

			start(300);
			liar.lie_from = from;
			liar.lie_to = from + width;
			for (uint64_t b = 0; b + 40 <= 300; b += 20) {
				int r;

				memset(got, 0xaa, sizeof got);
				r = blk_read(
				    &v.blk, b * BLOCK, got, sizeof got);
				bad += r == 0 ? memcmp(got, image + b * BLOCK,
				                    sizeof got) != 0
				              : !all_zero(got, sizeof got);
			}
			CHECK_INT(bad, 0);
		}
	}
	/* One bad read of a block is made good by the next. */
	start(300);
	liar.lie_from = 1;
	liar.lie_to = 2; /* the first run, all 16 blocks of it */
	CHECK_INT(verity_check_all(&v, NULL, NULL, &d), 0);
	/* And two are not. */
	start(300);
	liar.lie_from = 1;
	liar.lie_to = UINT32_MAX;
	CHECK_INT(verity_check_all(&v, NULL, NULL, &d), R_VERITY_TREE);
}

/* A leaf that was refused must not be taken for the one it displaced: here it
 * holds the hash of forged data in that leaf's range. */
static void test_forged_leaf(void)
{
	static uint8_t got[BLOCK];
	uint8_t *leaf = image + 302 * BLOCK;

	fill(300);
	start(300);
	CHECK_INT(blk_read(&v.blk, 0, got, BLOCK), 0);
	memset(image + 16 * BLOCK, 'F', BLOCK);
	digest(image + 16 * BLOCK, leaf + 16 * 32);
	CHECK_INT(blk_read(&v.blk, 128 * BLOCK, got, BLOCK), R_VERITY_TREE);
	CHECK_INT(blk_read(&v.blk, 16 * BLOCK, got, BLOCK), R_VERITY_DATA);
	CHECK(all_zero(got, BLOCK));
}

/* The whole check believes no cache, not even of the top of the tree. */
static void test_nothing_cached(void)
{
	fill(300);
	start(300);
	CHECK_INT(verity_check_all(&v, NULL, NULL, NULL), 0);
	image[300 * BLOCK] ^= 1;
	CHECK_INT(verity_check_all(&v, NULL, NULL, NULL), R_VERITY_TREE);
	fill(2);
	start(2);
	CHECK_INT(verity_check_all(&v, NULL, NULL, NULL), 0);
	image[0] ^= 1;
	CHECK_INT(verity_check_all(&v, NULL, NULL, NULL), R_VERITY_DATA);
}

static void test_io_error(void)
{
	static uint8_t got[BLOCK];
	fill(300);
	for (unsigned at = 1; at < 24; at++) {
		start(300);
		liar.fail_at = at;
		CHECK_INT(verity_check_all(&v, NULL, NULL, NULL), R_IO);
	}
	start(300);
	liar.fail_at = 3; /* behind two blocks of the tree */
	CHECK_INT(blk_read(&v.blk, 0, got, 1), R_IO);
	CHECK_STR(v.diag.seen, "reading blocks 0 to 15 of the bundle");
	CHECK_INT(blk_read(&v.blk, 0, got, 1), 0);
	CHECK_INT(got[0], image[0]);
}

static int progress(void *ctx, uint64_t done, uint64_t total)
{
	uint64_t *last = ctx;

	CHECK(done <= total && done >= *last);
	CHECK_INT(total, 304 * BLOCK);
	*last = done;
	return 0;
}

static int cancel(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	return done > total / 2;
}

static void test_progress(void)
{
	uint64_t last = 0;

	fill(300);
	start(300);
	CHECK_INT(verity_check_all(&v, progress, &last, NULL), 0);
	CHECK_INT(last, 304 * BLOCK);
	CHECK_INT(verity_check_all(&v, cancel, NULL, NULL), R_CANCELLED);
}

int main(void)
{
	image = calloc(BLOCKS_MAX + 200, BLOCK);
	if (!image)
		return 1;
	for (unsigned i = 0; i < 32; i++)
		salt[i] = (uint8_t)(i * 7 + 1);
	test_sizes();
	test_bad_sizes();
	test_good();
	test_flips();
	test_every_block();
	test_signed_padding();
	test_authenticated_before_written();
	test_forged_leaf();
	test_nothing_cached();
	test_io_error();
	test_progress();
	free(image);
	return check_done("verity");
}
