/* SPDX-License-Identifier: 0BSD */
/*
 * Data with its right hash tree, on a medium that changes bytes: what is
 * read is right, or is not read. Input: 2 bytes number of blocks, 8 bytes of
 * sizes to try, then changes of 6 bytes each: where, to what, at which read.
 */
#include <bearssl_hash.h>

#include "base/buf.h"
#include "bundle/verity.h"

#define BLOCKS 300
#define TREE 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t image[(BLOCKS + TREE) * VERITY_BLOCK];
static uint8_t salt[32], root[32];
static struct {
	struct blk blk;
	unsigned calls;
	struct buf changes;
} medium;

static void hash(const uint8_t *block, uint8_t *out)
{
	br_sha256_context c;

	br_sha256_init(&c);
	br_sha256_update(&c, salt, sizeof salt);
	br_sha256_update(&c, block, VERITY_BLOCK);
	br_sha256_out(&c, out);
}

static void build(void)
{
	uint8_t *top = image + BLOCKS * VERITY_BLOCK;

	for (size_t i = 0; i < BLOCKS * VERITY_BLOCK; i++)
		image[i] = (uint8_t)(i * 31 + i / VERITY_BLOCK);
	for (size_t i = 0; i < BLOCKS; i++)
		hash(image + i * VERITY_BLOCK, top + VERITY_BLOCK + i * 32);
	for (size_t i = 1; i < TREE; i++)
		hash(top + i * VERITY_BLOCK, top + (i - 1) * 32);
	hash(top, root);
}

static int medium_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct buf changes = medium.changes;

	(void)b;
	memcpy(dst, image + off, len);
	medium.calls++;
	while (buf_left(&changes) >= 6) {
		uint32_t where = buf_le32(&changes) % sizeof image;
		uint8_t what = buf_u8(&changes);
		uint8_t when = buf_u8(&changes);

		if ((when == 0 || when == medium.calls) && where >= off &&
		    where - off < len)
			((uint8_t *)dst)[where - off] ^= what;
	}
	return 0;
}

static const struct blk_ops medium_ops = {.read = medium_read};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct verity v;
	static uint8_t got[9 * VERITY_BLOCK];
	struct buf in;
	uint64_t from, total, tree;
	struct diag d = {0};

	if (root[0] == 0)
		build();
	buf_init(&in, data, size);
	from = buf_le16(&in) * 64u;
	total = buf_le32(&in);
	tree = buf_le32(&in);
	medium.blk.ops = &medium_ops;
	medium.blk.size = sizeof image;
	medium.calls = 0;
	medium.changes = in;
	/* Any pair of sizes is judged, and the right one is accepted. */
	if (verity_init(&v, &medium.blk, total, tree, root, salt, &d) == 0 &&
	    verity_check_all(&v, NULL, NULL, &d) > 0)
		__builtin_trap();
	if (verity_init(&v, &medium.blk, sizeof image,
	        (uint64_t)TREE * VERITY_BLOCK, root, salt, NULL) != 0)
		__builtin_trap();
	medium.calls = 0;
	for (unsigned i = 0; i < 8 && from + sizeof got <= v.blk.size; i++) {
		if (blk_read(&v.blk, from, got, sizeof got) == 0) {
			if (memcmp(got, image + from, sizeof got) != 0)
				__builtin_trap();
		} else if (!all_zero(got, sizeof got)) {
			__builtin_trap();
		}
		from += sizeof got / 2;
	}
	return 0;
}
