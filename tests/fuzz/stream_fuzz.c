/* SPDX-License-Identifier: 0BSD */
/*
 * Streams. Even inputs: foreign bytes are turned back into a bundle, and what
 * is accepted makes the same stream again. Odd ones: a right stream whose
 * blocks are changed, swapped, dropped or repeated, and which is cut; what is
 * read of it are the bytes that were hashed, or zeros and a reason.
 */
#include <bearssl_hash.h>

#include "base/buf.h"
#include "bundle/stream.h"

#define BLOCK VERITY_BLOCK
#define BLOCKS 260u
#define LEAVES 3u
#define ALL (BLOCKS + LEAVES + 1)
#define CMS 100u
#define SENT (ALL + 64) /* blocks of a stream: some come again */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t image[ALL * BLOCK + CMS + 8];
static uint8_t root[32];
static const uint8_t salt[32] = {5};
static uint8_t raucs[STREAM_HEADER + CMS + SENT * BLOCK];
static size_t raucs_size, limit;
static struct stream_job job;

static void hash(const uint8_t *block, uint8_t *to)
{
	br_sha256_context c;

	br_sha256_init(&c);
	br_sha256_update(&c, salt, 32);
	br_sha256_update(&c, block, BLOCK);
	br_sha256_out(&c, to);
}

static void build(void)
{
	uint8_t *top = image + (size_t)BLOCKS * BLOCK;
	uint8_t *leaves = top + BLOCK;

	for (size_t i = 0; i < (size_t)BLOCKS * BLOCK; i++)
		image[i] = (uint8_t)(i * 31 + i / BLOCK + i / 70000);
	for (size_t i = 0; i < BLOCKS; i++)
		hash(image + i * BLOCK, leaves + i * 32);
	for (size_t i = 0; i < LEAVES; i++)
		hash(leaves + i * BLOCK, top + i * 32);
	hash(top, root);
	memset(image + sizeof image - CMS - 8, 0x30, CMS);
	image[sizeof image - 1] = CMS;
}

/* ---- foreign bytes there and back */

static int put(void *ctx, const void *p, size_t len)
{
	(void)ctx;
	if (len > limit - raucs_size)
		return R_FULL;
	memcpy(raucs + raucs_size, p, len);
	raucs_size += len;
	return 0;
}

static void turn_back(const uint8_t *data, size_t size)
{
	static uint8_t out[32 * BLOCK];
	struct blk_mem in, bundle;
	struct diag d = {0};
	uint64_t n;
	uint32_t index;

	blk_mem_init_const(&in, data, size);
	blk_mem_init(&bundle, out, sizeof out, true);
	job.in = &in.blk;
	if (stream_restore(&job, &bundle.blk, &n, &d) != 0) {
		if (d.reason == 0 || d.seen[0] == '\0')
			__builtin_trap();
		return;
	}
	index = job.header.index;
	blk_mem_init_const(&in, out, (size_t)n);
	raucs_size = 0;
	limit = sizeof raucs;
	job.in = &in.blk;
	job.put = put;
	/* it may be one that nobody makes: plain, or with another index */
	if (stream_make(&job, &d) == 0 && job.header.index == index &&
	    memcmp(raucs, data, raucs_size) != 0)
		__builtin_trap();
}

/* ---- a stream that was changed */

struct wire {
	struct blk blk;
	struct buf changes;
	size_t size;
};

static int wire_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct wire *w = (struct wire *)b;
	struct buf changes = w->changes;

	if (off > w->size || len > w->size - off)
		return R_STREAM_CUT;
	memcpy(dst, raucs + off, len);
	while (buf_left(&changes) >= 5) {
		uint32_t where = buf_le32(&changes) % sizeof raucs;
		uint8_t what = buf_u8(&changes);

		if (where >= off && where - off < len)
			((uint8_t *)dst)[where - off] ^= what;
	}
	return 0;
}

static const struct blk_ops wire_ops = {.read = wire_read};

static void make(uint32_t index)
{
	struct blk_mem in;

	if (root[0] == 0)
		build();
	/* its tables begin where the index is to begin */
	memcpy(image, "hsqs", 4);
	store_le64(image + 64, (uint64_t)(BLOCKS - index) * BLOCK);
	hash(image, image + (size_t)(BLOCKS + 1) * BLOCK);
	hash(image + (size_t)(BLOCKS + 1) * BLOCK,
	    image + (size_t)BLOCKS * BLOCK);
	hash(image + (size_t)BLOCKS * BLOCK, root);
	blk_mem_init_const(&in, image, sizeof image);
	raucs_size = 0;
	limit = sizeof raucs;
	job.in = &in.blk;
	job.put = put;
	if (stream_make(&job, NULL) != 0 || job.header.index != index)
		__builtin_trap();
}

/* Moves blocks of the stream about. */
static void harm(uint8_t how, uint32_t k)
{
	size_t first = STREAM_HEADER + CMS;
	size_t count = (raucs_size - first) / BLOCK;
	uint8_t *at = raucs + first + (k % (count - 1)) * BLOCK;
	size_t rest = raucs_size - (size_t)(at - raucs) - BLOCK;
	uint8_t swap[BLOCK];

	switch (how % 4) {
	case 1:
		memcpy(swap, at, BLOCK);
		memcpy(at, at + BLOCK, BLOCK);
		memcpy(at + BLOCK, swap, BLOCK);
		break;
	case 2:
		memmove(at, at + BLOCK, rest);
		raucs_size -= BLOCK;
		break;
	case 3:
		if (raucs_size + BLOCK > sizeof raucs)
			break;
		memmove(at + BLOCK, at, rest + BLOCK);
		raucs_size += BLOCK;
		break;
	default:
		break;
	}
}

static void read_changed(struct buf *in)
{
	static struct verity v;
	static struct stream s;
	static uint8_t got[3 * BLOCK], cms[STREAM_CMS_MAX];
	struct wire w = {.blk = {&wire_ops, UINT64_MAX, 0}};
	struct diag d = {0};
	uint64_t at = 0;
	int r;

	make(1 + buf_u8(in) % STREAM_INDEX_MAX);
	for (unsigned i = buf_u8(in) % 3; i > 0; i--)
		harm(buf_u8(in), buf_le16(in));
	w.size = raucs_size;
	if (buf_u8(in) % 2 == 1)
		w.size = buf_le32(in) % (raucs_size + 1);
	w.changes = *in;
	if (stream_open(&s, &w.blk, cms, &d) != 0)
		return;
	if (verity_init(&v, &s.raw.blk, s.header.payload,
	        s.header.payload - s.header.blocks * BLOCK, root, salt,
	        NULL) != 0)
		return;
	stream_init(&s, &v);
	for (unsigned i = 0; i < 40; i++) {
		size_t len = buf_le16(in) % sizeof got;

		at += buf_le16(in) * 3u;
		if (buf_u8(in) % 8 == 0)
			at = s.blk.size - sizeof got;
		if (at > s.blk.size || len > s.blk.size - at)
			at = 0;
		memset(got, 0xee, sizeof got);
		r = blk_read(&s.blk, at, got, len);
		if (r == 0 ? at + len <= sizeof image &&
		                 memcmp(got, image + at, len) != 0
		           : r > 0 || s.diag.reason != r || !all_zero(got, len))
			__builtin_trap();
	}
	r = stream_finish(&s);
	if (r == 0 ? s.next < s.header.blocks - s.header.index
	           : s.diag.reason != r || r == R_INTERNAL)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in;

	buf_init(&in, data, size);
	if (buf_u8(&in) % 2 == 1)
		read_changed(&in);
	else
		turn_back(data + 1, size > 0 ? size - 1 : 0);
	return 0;
}
