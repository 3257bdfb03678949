/* SPDX-License-Identifier: 0BSD */
/*
 * Stream order: the order itself against one that is written down the other
 * way round, bundles of rauc there and back, and streams with every block
 * damaged, swapped, dropped, repeated and cut.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "load.h"
#include "slot/install.h"

#define DIR "build/tests/bundles/"
#define FILE_MAX (3u << 20)
#define SLOT (2u << 20)
#define BLOCK VERITY_BLOCK

static uint8_t file[FILE_MAX], back[FILE_MAX], raucs[FILE_MAX];
static size_t file_size, raucs_size;
static struct stream_job job;
static struct diag d;

/* ---- the order ---- */

static uint64_t tree_blocks(uint64_t n)
{
	uint64_t all = 0;

	do {
		n = (n + 127) / 128;
		all += n;
	} while (n > 1);
	return all;
}

/*
 * All blocks before this one in a list of data blocks have been sent: is this
 * tree block the one of its level that was sent last? By asking for every
 * block what the whole history says.
 */
static void test_one_order(uint64_t n, uint32_t index)
{
	static uint64_t data[70000];
	uint64_t tree = tree_blocks(n), step = 0, at = 0, blocks = 0;
	struct stream_header h = {(n + tree) * BLOCK, n, index, 1};
	struct stream_order o;
	struct stream_next next;
	unsigned wrong = 0, expected = 0;
	static bool seen[80000];

	memset(seen, 0, sizeof seen);
	data[at++] = 0;
	for (uint64_t b = n - index; b < n; b++)
		data[at++] = b;
	for (uint64_t b = 1; b < n - index; b++)
		data[at++] = b;
	CHECK_INT(at, n);
	stream_order_init(&o, &h);
	for (step = 0; step < n; step++) {
		uint64_t above[8], count[8], starts[8], where = n;
		unsigned levels = 0;

		for (uint64_t c = n; c > 1;) {
			c = (c + 127) / 128;
			count[levels++] = c;
		}
		for (unsigned l = levels; l-- > 0;) {
			starts[l] = where;
			where += count[l];
		}
		for (unsigned l = 0; l < levels; l++)
			above[l] = data[step] >> 7 * (l + 1);
		for (unsigned l = levels; l-- > 0;) {
			if (step > 0 &&
			    data[step - 1] >> 7 * (l + 1) == above[l])
				continue;
			expected++;
			if (!stream_order_next(&o, &next) || next.data ||
			    next.block != starts[l] + above[l] ||
			    next.again != seen[next.block])
				wrong++;
			else
				seen[next.block] = true;
			blocks++;
		}
		if (!stream_order_next(&o, &next) || !next.data || next.again ||
		    next.block != data[step] || seen[next.block])
			wrong++;
		else
			seen[next.block] = true;
	}
	for (uint64_t b = 0; b < n + tree; b++)
		wrong += !seen[b];
	CHECK(!stream_order_next(&o, &next));
	CHECK(!stream_order_next(&o, &next));
	CHECK(expected >= tree);
	if (wrong > 0)
		printf("%u wrong of %llu blocks, index %u\n", wrong,
		    (unsigned long long)n, index);
	CHECK_INT(wrong, 0);
}

static void test_order(void)
{
	static const uint64_t sizes[] = {2, 3, 9, 64, 65, 66, 127, 128, 129,
	    130, 192, 256, 257, 5000, 16383, 16384, 16385, 16450, 40000};
	static const uint32_t indices[] = {1, 2, 8, 31, 63, 64};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t k = 0; k < ARRAY_LEN(indices); k++)
			if (indices[k] < sizes[i])
				test_one_order(sizes[i], indices[k]);
}

/* ---- the header ---- */

static void be(uint8_t *p, uint64_t v, unsigned n)
{
	while (n-- > 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static void make_header(uint8_t *raw, uint64_t version, uint64_t index,
    uint64_t payload, uint64_t cms)
{
	memcpy(raw, "raucs\r\n\x1a", 8);
	be(raw + 8, version, 4);
	be(raw + 12, index, 4);
	be(raw + 16, payload, 8);
	be(raw + 24, cms, 8);
}

static int parse(
    uint64_t version, uint64_t index, uint64_t payload, uint64_t cms)
{
	struct stream_header h;
	uint8_t raw[STREAM_HEADER];
	int r;

	make_header(raw, version, index, payload, cms);
	diag_clear(&d);
	r = stream_header_parse(&h, raw, &d);
	CHECK_INT(d.reason, r);
	if (r == 0) {
		CHECK_INT(h.index, index);
		CHECK_INT(h.payload, payload);
		CHECK_INT(h.cms, cms);
		CHECK_INT(h.blocks + tree_blocks(h.blocks), payload / BLOCK);
	}
	return r;
}

static void test_header(void)
{
	uint64_t wrong = 0;

	CHECK_INT(parse(1, 1, 3 * BLOCK, 1), 0);
	CHECK_INT(parse(1, 1, 3 * BLOCK, 65536), 0);
	CHECK_INT(parse(1, 64, (65 + 1) * BLOCK, 1), 0);
	CHECK_INT(parse(1, 64, (64 + 1) * BLOCK, 1), R_STREAM_HEADER);
	CHECK_INT(parse(1, 65, (200 + 3) * BLOCK, 1), R_STREAM_HEADER);
	CHECK_INT(parse(1, 0, 3 * BLOCK, 1), R_STREAM_HEADER);
	CHECK_INT(parse(1, 2, 3 * BLOCK, 1), R_STREAM_HEADER);
	CHECK_INT(parse(0, 1, 3 * BLOCK, 1), R_STREAM_HEADER);
	CHECK_INT(parse(2, 1, 3 * BLOCK, 1), R_STREAM_HEADER);
	CHECK_INT(parse(1, 1, 3 * BLOCK, 0), R_STREAM_HEADER);
	CHECK_INT(parse(1, 1, 3 * BLOCK, 65537), R_STREAM_HEADER);
	CHECK_INT(parse(1, 1, 3 * BLOCK, 1ull << 32), R_STREAM_HEADER);
	CHECK_INT(parse(1, 1, 3 * BLOCK + 1, 1), R_STREAM_HEADER);
	CHECK_INT(parse(1, 1, 0, 1), R_STREAM_HEADER);
	CHECK_INT(parse(1, 1, BLOCK, 1), R_STREAM_HEADER);
	CHECK_INT(parse(1, 1, 2 * BLOCK, 1), R_STREAM_HEADER);
	/* 128 data blocks and 1, 129 and 3: in between there is nothing */
	CHECK_INT(parse(1, 1, 129 * BLOCK, 1), 0);
	CHECK_INT(parse(1, 1, 130 * BLOCK, 1), R_STREAM_HEADER);
	CHECK_INT(parse(1, 1, 131 * BLOCK, 1), R_STREAM_HEADER);
	CHECK_INT(parse(1, 1, 132 * BLOCK, 1), 0);
	CHECK_INT(parse(1, 1, UINT64_MAX / BLOCK * BLOCK, 1), R_STREAM_HEADER);
	for (uint64_t n = 1ull << 41; n < (1ull << 41) + 2; n++)
		CHECK_INT(parse(1, 1, (n + tree_blocks(n)) * BLOCK, 1),
		    R_STREAM_HEADER);
	for (unsigned bit = 12; bit < 53; bit++)
		for (uint64_t n = 1; n < 200; n++)
			wrong +=
			    parse(1, 1, (1ull << bit) + n * BLOCK, 1) != 0 &&
			    d.reason != R_STREAM_HEADER;
	CHECK_INT(wrong, 0);
	for (uint64_t n = 2; n < 40000; n += n < 17000 ? 1 : 977)
		if (parse(1, 1, (n + tree_blocks(n)) * BLOCK, 1) != 0)
			CHECK_INT(n, 0);
}

/* ---- there and back ---- */

static int put(void *ctx, const void *p, size_t len)
{
	(void)ctx;
	if (len > sizeof raucs - raucs_size)
		return R_FULL;
	memcpy(raucs + raucs_size, p, len);
	raucs_size += len;
	return 0;
}

/* A source that cannot seek: it gives the next bytes, or none. */
struct pipe {
	struct blk blk;
	const uint8_t *p;
	size_t size;
	uint64_t at;
	unsigned seeks;
};

static int pipe_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct pipe *p = (struct pipe *)b;

	if (off != p->at) {
		p->seeks++;
		return R_IO;
	}
	if (len > p->size - off)
		return R_STREAM_CUT;
	memcpy(dst, p->p + off, len);
	p->at += len;
	return 0;
}

static const struct blk_ops pipe_ops = {.read = pipe_read};
static struct pipe pipe_blk = {.blk = {&pipe_ops, UINT64_MAX, 0}};

static void pipe_start(const uint8_t *p, size_t size)
{
	pipe_blk.p = p;
	pipe_blk.size = size;
	pipe_blk.at = 0;
}

static uint64_t told, told_total;

static int tell(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	CHECK(done > told && done <= total);
	told = done;
	told_total = total;
	return 0;
}

static int make(void)
{
	struct blk_mem in;

	diag_clear(&d);
	blk_mem_init_const(&in, file, file_size);
	raucs_size = 0;
	told = 0;
	job.in = &in.blk;
	job.put = put;
	job.progress = tell;
	return stream_make(&job, &d);
}

static int restore(const uint8_t *p, size_t size, uint64_t *restored)
{
	struct blk_mem out;

	diag_clear(&d);
	told = 0;
	pipe_start(p, size);
	blk_mem_init(&out, back, sizeof back, true);
	job.in = &pipe_blk.blk;
	job.progress = tell;
	return stream_restore(&job, &out.blk, restored, &d);
}

static void test_round_trip(const char *name)
{
	uint64_t restored = 0;

	file_size = load_file(file, FILE_MAX, DIR "%s", name);
	CHECK(file_size > 0);
	CHECK_INT(make(), 0);
	CHECK(told == told_total && told > 0);
	memset(back, 0xee, sizeof back);
	CHECK_INT(restore(raucs, raucs_size, &restored), 0);
	CHECK_INT(told, told_total);
	CHECK_INT(restored, file_size);
	CHECK_MEM(back, file, file_size);
	CHECK(back[file_size] == 0xee);
	CHECK_INT(restore(file, file_size, &restored), R_STREAM_HEADER);
}

static void test_bundles(void)
{
	static const char *const good[] = {"small", "good", "zstd", "xz",
	    "crypt", "enc", "lz4", "lzo", "tiny", "tinycrypt", "lie",
	    "liecrypt", "lielz4", "hook"};
	char name[64];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		snprintf(name, sizeof name, "%s.raucb", good[i]);
		test_round_trip(name);
	}
}

/* The payload is no squashfs: as if it were encrypted. */
static void fake(uint64_t blocks, size_t cms)
{
	uint64_t all = blocks + tree_blocks(blocks);
	uint32_t seed = (uint32_t)(blocks + 1);

	file_size = (size_t)(all * BLOCK + cms + 8);
	CHECK(file_size <= sizeof file);
	for (size_t i = 0; i < file_size; i++) {
		seed = seed * 1664525 + 1013904223;
		file[i] = (uint8_t)(seed >> 24);
	}
	be(file + file_size - 8, cms, 8);
}

static uint32_t made_index(void)
{
	return load_be32(raucs + 12);
}

static void set_tables(uint64_t at)
{
	memcpy(file, "hsqs", 4);
	store_le64(file + 64, at);
}

static void test_index(void)
{
	uint64_t restored;

	for (uint64_t n = 2; n < 300; n += n < 12 ? 1 : 13) {
		fake(n, 100 + (size_t)n);
		CHECK_INT(make(), 0);
		CHECK_INT(made_index(), n - 1 < 8 ? n - 1 : 8);
		CHECK_INT(restore(raucs, raucs_size, &restored), 0);
		CHECK_INT(restored, file_size);
		CHECK_MEM(back, file, file_size);
	}
	fake(300, 1);
	set_tables(299 * BLOCK + 17);
	CHECK_INT(make(), 0);
	CHECK_INT(made_index(), 1);
	set_tables(290 * BLOCK);
	CHECK_INT(make(), 0);
	CHECK_INT(made_index(), 10);
	set_tables(236 * BLOCK);
	CHECK_INT(make(), 0);
	CHECK_INT(made_index(), 64);
	set_tables(236 * BLOCK - 1);
	CHECK_INT(make(), R_STREAM_INDEX);
	set_tables(300 * BLOCK); /* senseless: as if it were encrypted */
	CHECK_INT(make(), 0);
	CHECK_INT(made_index(), 8);
	fake(40, 1);
	set_tables(100); /* all of it but the first block */
	CHECK_INT(make(), 0);
	CHECK_INT(made_index(), 39);
}

static void test_no_bundle(void)
{
	static const struct {
		const char *name;
		int reason;
	} no[] = {
	    {"plain", R_STREAM_FORMAT},
	    {"tinyplain", R_STREAM_FORMAT},
	    {"plainodd", R_STREAM_FORMAT},
	};
	uint64_t restored;

	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		file_size =
		    load_file(file, FILE_MAX, DIR "%s.raucb", no[i].name);
		CHECK_INT(make(), no[i].reason);
		CHECK_INT(d.reason, no[i].reason);
		CHECK_INT(raucs_size, 0);
	}
	file_size = 8;
	CHECK_INT(make(), R_BUNDLE_SHORT);
	fake(20, 100);
	be(file + file_size - 8, 0, 8);
	CHECK_INT(make(), R_SIG_SIZE_ZERO);
	be(file + file_size - 8, 65537, 8);
	CHECK_INT(make(), R_SIG_SIZE_LARGE);
	be(file + file_size - 8, 99, 8);
	CHECK_INT(make(), R_PAYLOAD_SIZE);
	fake(128, 100);
	file_size += BLOCK;
	be(file + file_size - 8, 100, 8);
	CHECK_INT(make(), R_VERITY_SIZE);
	/* a tree block that comes twice has to be the same */
	fake(300, 100);
	CHECK_INT(make(), 0);
	for (size_t at = STREAM_HEADER + 100; at < raucs_size; at += BLOCK) {
		unsigned copies = 0;
		int r;

		for (size_t k = STREAM_HEADER + 100; k < raucs_size; k += BLOCK)
			copies += memcmp(raucs + at, raucs + k, BLOCK) == 0;
		raucs[at + 5] ^= 1;
		r = restore(raucs, raucs_size, &restored);
		CHECK_INT(r, copies > 1 ? R_STREAM_HEADER : 0);
		raucs[at + 5] ^= 1;
	}
	/* every length it may be cut to, and what stands behind it */
	for (size_t n = 0; n < raucs_size; n += 997) {
		CHECK_INT(restore(raucs, n, &restored), R_STREAM_CUT);
		CHECK_INT(d.reason, R_STREAM_CUT);
	}
	CHECK_INT(restore(raucs, raucs_size - 1, &restored), R_STREAM_CUT);
	memset(raucs + raucs_size, 0x1a, 1024);
	CHECK_INT(restore(raucs, raucs_size + 1023, &restored), 0);
	CHECK_INT(restored, file_size);
	CHECK_INT(
	    restore(raucs, raucs_size + 1024, &restored), R_STREAM_HEADER);
	raucs[raucs_size + 10] = 0;
	CHECK_INT(restore(raucs, raucs_size + 10, &restored), 0);
	CHECK_INT(restore(raucs, raucs_size + 11, &restored), R_STREAM_HEADER);
	CHECK_INT(pipe_blk.seeks, 0);
}

/* ---- stopped, and large ---- */

static int stop(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)total;
	return done > 5 * BLOCK;
}

static int count(void *ctx, const void *p, size_t len)
{
	if (raucs_size == 0)
		memcpy(raucs, p, STREAM_HEADER);
	raucs_size += len;
	(void)ctx;
	return 0;
}

static int zeros(struct blk *b, uint64_t off, void *dst, size_t len)
{
	memset(dst, 0, len);
	if (off + len == b->size)
		((uint8_t *)dst)[len - 1] = 9;
	return 0;
}

static void test_stop(void)
{
	static const struct blk_ops ops = {.read = zeros};
	static const uint64_t sizes[] = {2048, 4000, 8191, 8192, 9000};
	static const uint32_t indices[] = {8, 15, 31, 32, 32};
	struct blk large = {&ops, 0, 0};
	struct blk_mem in, out;
	uint64_t restored;
	size_t size;

	fake(300, 100);
	CHECK_INT(make(), 0);
	size = raucs_size;
	blk_mem_init_const(&in, file, file_size);
	job.in = &in.blk;
	job.put = count;
	job.progress = stop;
	CHECK_INT(stream_make(&job, &d), R_CANCELLED);
	/* a file that ends says so in its own way */
	job.progress = NULL;
	blk_mem_init_const(&in, raucs, size - 1);
	blk_mem_init(&out, back, sizeof back, true);
	CHECK_INT(stream_restore(&job, &out.blk, &restored, &d), R_STREAM_CUT);
	blk_mem_init_const(&in, raucs, size);
	CHECK_INT(stream_restore(&job, &out.blk, &restored, &d), 0);
	job.progress = stop;
	CHECK_INT(stream_restore(&job, &out.blk, &restored, &d), R_CANCELLED);
	job.progress = NULL;
	job.in = &large;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		large.size = (sizes[i] + tree_blocks(sizes[i])) * BLOCK + 17;
		raucs_size = 0;
		CHECK_INT(stream_make(&job, &d), 0);
		CHECK_INT(made_index(), indices[i]);
	}
}

/* ---- installed as it comes ---- */

static const char system_conf[] = "[system]\ncompatible=Test\nbootloader=noop\n"
                                  "[slot.root.0]\ndevice=r\ntype=ext4\n"
                                  "[slot.boot.0]\ndevice=b\nparent=root.0\n"
                                  "[slot.rootfs.0]\ndevice=r\ntype=ext4\n"
                                  "[slot.kernel.0]\ndevice=b\nparent=rootfs.0\n"
                                  "[slot.small.0]\ndevice=b\n";

/* A slot that looks at what is written. */
struct watch {
	struct blk blk;
	uint8_t *image, *data;
	size_t size; /* of the image */
	bool headed; /* something but zeros was written to the head */
};

static uint8_t room[4][SLOT];
static struct watch slots[2] = {
    {.image = room[0], .data = room[1]}, {.image = room[2], .data = room[3]}};
static unsigned forged, writes;
static struct keyring keyring;
static struct trust_policy policy;
static struct recipient recipient;
static struct bundle bundle;
static struct conf conf;
static struct plan plan;
static struct install in;

static int watch_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	memcpy(dst, ((struct watch *)b)->data + off, len);
	return 0;
}

static int watch_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct watch *w = (struct watch *)b;
	const uint8_t *p = src;

	writes++;
	memcpy(w->data + off, src, len);
	for (size_t i = 0; i < len; i++) {
		uint64_t at = off + i;
		bool zeroed = p[i] == 0 && (at < INSTALL_HEAD || at >= w->size);

		w->headed |= at < INSTALL_HEAD && p[i] != 0;
		if (!zeroed && (at >= w->size || p[i] != w->image[at]))
			forged++;
	}
	return 0;
}

static const struct blk_ops watch_ops = {
    .read = watch_read, .write = watch_write};

static void expect(const char *first, const char *second)
{
	const char *const names[] = {first, second};

	for (unsigned i = 0; i < 2; i++) {
		slots[i].blk.ops = &watch_ops;
		slots[i].blk.size = SLOT;
		slots[i].size =
		    load_file(slots[i].image, SLOT, DIR "%s", names[i]);
		CHECK(slots[i].size > 0);
	}
}

static bool give_up;
static unsigned refused; /* for an index that is too small */

static int open_stream(const uint8_t *p, size_t size)
{
	diag_clear(&d);
	pipe_start(p, size);
	bundle.forward = true;
	return bundle_open(&bundle, &pipe_blk.blk, &keyring, &policy, &d);
}

/* All that the installer child does. The first two classes are `first` and
 * `second`, whatever they are called. */
static int install(const uint8_t *p, size_t size)
{
	int r = open_stream(p, size);

	writes = 0;
	for (unsigned i = 0; i < 2; i++) {
		memset(slots[i].data, 0xa1, SLOT);
		slots[i].headed = false;
	}
	if (r == 0)
		r = install_plan(
		    &plan, &conf, NULL, &bundle.manifest, NULL, "", &d);
	in.bundle = &bundle;
	in.conf = &conf;
	in.plan = &plan;
	in.give_up_good = give_up;
	for (unsigned i = 0; r == 0 && i < plan.count; i++) {
		const char *cls = conf.slot[plan.item[i].slot].slotclass;

		in.target[i] = &slots[cls[0] != 'r'].blk;
	}
	return r == 0 ? install_run(&in, &d) : r;
}

static bool whole(const struct watch *w)
{
	return memcmp(w->data, w->image, w->size) == 0 &&
	       w->data[SLOT - 1] == 0xa1;
}

/* A stream with an index of this many blocks. */
static void make_with(uint32_t index)
{
	struct stream_header h = job.header;
	struct stream_order o;
	struct stream_next next;

	h.index = index;
	raucs_size = 0;
	make_header(raucs, 1, index, h.payload, h.cms);
	raucs_size = STREAM_HEADER;
	(void)put(NULL, file + h.payload, h.cms);
	stream_order_init(&o, &h);
	while (stream_order_next(&o, &next))
		(void)put(NULL, file + next.block * BLOCK, BLOCK);
}

static void load_stream(const char *name)
{
	file_size = load_file(file, FILE_MAX, DIR "%s", name);
	CHECK(file_size > 0);
	CHECK_INT(make(), 0);
}

static void test_install(const char *name)
{
	load_stream(name);
	give_up = false;
	CHECK_INT(install(raucs, raucs_size), R_LAST_GOOD);
	CHECK_INT(writes, 0);
	give_up = true;
	CHECK_INT(install(raucs, raucs_size), 0);
	CHECK_STR(d.seen, "");
	CHECK(whole(&slots[0]) && whole(&slots[1]));
	CHECK_INT(forged, 0);
	CHECK_INT(pipe_blk.seeks, 0);
	CHECK_INT(pipe_blk.at, raucs_size);
	/* any index will do that the tables fit into */
	for (uint32_t i = 1; i < job.header.blocks && i <= 64; i++) {
		make_with(i);
		if (i < job.header.index &&
		    bundle.manifest.format != FORMAT_CRYPT) {
			CHECK_INT(install(raucs, raucs_size), R_STREAM_INDEX);
			CHECK_INT(writes, 0);
			refused++;
			continue;
		}
		if (i < job.header.index || i > job.header.index + 9)
			continue;
		CHECK_INT(install(raucs, raucs_size), 0);
		CHECK(whole(&slots[0]) && whole(&slots[1]));
	}
	CHECK_INT(forged, 0);
}

static int stop_soon(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	return done >= total / 2;
}

/* What no image needs is verified too, to the last block. */
static void test_finish(void)
{
	unsigned wrong = 0;
	uint8_t byte;

	load_stream("good.raucb");
	CHECK_INT(open_stream(raucs, raucs_size), 0);
	CHECK_INT(bundle_finish(&bundle, &d), 0);
	CHECK_INT(pipe_blk.at, raucs_size);
	for (size_t at = STREAM_HEADER + job.header.cms; at < raucs_size;
	     at += 7 * BLOCK) {
		raucs[at + 99] ^= 1;
		CHECK_INT(open_stream(raucs, raucs_size), 0);
		wrong += bundle_finish(&bundle, &d) == 0;
		raucs[at + 99] ^= 1;
		/* and so it stays, whatever is asked for */
		wrong += bundle_finish(&bundle, &d) != d.reason;
		wrong += blk_read(bundle.content, 0, &byte, 1) != d.reason;
		CHECK_INT(open_stream(raucs, at), 0);
		wrong += bundle_finish(&bundle, &d) != R_STREAM_CUT;
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(open_stream(raucs, raucs_size), 0);
	bundle.stream.progress = stop_soon;
	CHECK_INT(bundle_finish(&bundle, &d), R_CANCELLED);
}

/* What a stream that is open tells besides. */
static void test_open(void)
{
	enum slot_content content;
	uint8_t byte[2];

	load_stream("good.raucb");
	CHECK_INT(open_stream(raucs, raucs_size), 0);
	CHECK_INT(bundle.size, file_size);
	/* of no use for info: nothing but header and signature was read */
	CHECK_INT(pipe_blk.at, STREAM_HEADER + job.header.cms);
	CHECK_INT(bundle_verify(&bundle, NULL, NULL, &d), R_STREAM_TWICE);
	/* once by, a block is gone; the index stays, and so does the last */
	CHECK_INT(blk_read(bundle.content, 20 * BLOCK, byte, 2), 0);
	CHECK_MEM(byte, file + 20 * BLOCK, 2);
	CHECK_INT(blk_read(bundle.content, 20 * BLOCK + 9, byte, 2), 0);
	CHECK_MEM(byte, file + 20 * BLOCK + 9, 2);
	CHECK_INT(blk_read(bundle.content, 0, byte, 2), 0);
	CHECK_MEM(byte, file, 2);
	CHECK_INT(blk_read(bundle.content, (job.header.blocks - 1) * BLOCK + 5,
	              byte, 2),
	    0);
	CHECK_MEM(byte, file + (job.header.blocks - 1) * BLOCK + 5, 2);
	CHECK_INT(
	    blk_read(bundle.content, 20 * BLOCK - 1, byte, 2), R_STREAM_LAYOUT);
	CHECK(strstr(bundle.stream.diag.seen, "block 19 is needed again"));
	CHECK(all_zero(byte, 2));
	CHECK_INT(blk_read(bundle.content, 20 * BLOCK, byte, 2), 0);

	/* what stands in the slots is known by its hash */
	expect("rootfs.ext4", "kernel.img");
	CHECK_INT(install(raucs, raucs_size), 0);
	CHECK_INT(open_stream(raucs, raucs_size), 0);
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_SAME);
	CHECK_INT(pipe_blk.at, STREAM_HEADER + job.header.cms);
	slots[1].data[70000] ^= 1;
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_OTHER);
	slots[1].data[70000] ^= 1;
	slots[0].data[1] ^= 1;
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_OTHER);
	memset(slots[0].data, 0, INSTALL_HEAD);
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_HALF);

	file_size = load_file(raucs, FILE_MAX, DIR "good.raucb");
	CHECK_INT(open_stream(raucs, file_size), R_STREAM_HEADER);
	/* a detached signature in a stream */
	file_size = load_file(file, FILE_MAX, DIR "plain.raucb");
	job.header.cms = (uint32_t)load_be64(file + file_size - 8);
	job.header.payload = file_size - 8 - job.header.cms;
	make_header(raucs, 1, 1, 66 * BLOCK, job.header.cms);
	memcpy(
	    raucs + STREAM_HEADER, file + job.header.payload, job.header.cms);
	CHECK_INT(open_stream(raucs, FILE_MAX), R_STREAM_FORMAT);
	CHECK_INT(d.reason, R_STREAM_FORMAT);
}

/* ---- streams that are not what they should be ---- */

enum harm { BIT, SWAP, DROP, REPEAT, CUT, HARMS };

static uint8_t bad[FILE_MAX];

/* Does it to block k (the k-th of the stream); where it has to be noticed, or
 * 0: it changes nothing. */
static size_t do_harm(enum harm harm, size_t k, size_t *size)
{
	size_t first = STREAM_HEADER + job.header.cms;
	size_t at = first + k * BLOCK, rest = raucs_size - at - BLOCK;
	bool twin =
	    rest > 0 && memcmp(raucs + at, raucs + at + BLOCK, BLOCK) == 0;

	memcpy(bad, raucs, raucs_size);
	*size = raucs_size;
	switch (harm) {
	case BIT:
		bad[at + k * 37 % BLOCK] ^= (uint8_t)(1u << k % 8);
		return at;
	case SWAP:
		if (rest == 0 || twin)
			return 0;
		memcpy(bad + at, raucs + at + BLOCK, BLOCK);
		memcpy(bad + at + BLOCK, raucs + at, BLOCK);
		return at;
	case DROP:
		if (twin)
			return 0;
		memcpy(bad + at, raucs + at + BLOCK, rest);
		*size -= BLOCK;
		return at;
	case REPEAT:
		if (twin)
			return 0;
		memcpy(bad + at + BLOCK, raucs + at, BLOCK + rest);
		*size += BLOCK;
		return at + BLOCK;
	case CUT:
		*size = at + k * 41 % BLOCK;
		return at;
	case HARMS:
		break;
	}
	return 0;
}

static bool told_where(size_t at)
{
	const char *p = strstr(d.seen, "at byte ");

	if (!p)
		p = strstr(d.seen, "stream, at ");
	while (p && (*p < '0' || *p > '9'))
		p++;
	return p && strtoul(p, NULL, 10) == at;
}

static void test_harm(const char *name, size_t step)
{
	static const int reason[] = {R_VERITY_DATA, R_VERITY_TREE,
	    R_VERITY_PADDING, R_STREAM_CUT, R_STREAM_HEADER};
	unsigned tried = 0, accepted = 0, elsewhere = 0, headed = 0;
	size_t blocks;

	load_stream(name);
	blocks = (raucs_size - STREAM_HEADER - job.header.cms) / BLOCK;
	for (size_t k = 0; k < blocks; k += step)
		for (int harm = 0; harm < HARMS; harm++) {
			size_t size, at = do_harm((enum harm)harm, k, &size);
			bool known = false;
			int r;

			if (at == 0)
				continue;
			tried++;
			r = install(bad, size);
			for (size_t i = 0; i < ARRAY_LEN(reason); i++)
				known |= r == reason[i];
			accepted += r == 0;
			headed += slots[0].headed || slots[1].headed;
			if (r != d.reason || !known || !told_where(at)) {
				elsewhere++;
				printf("%s: block %zu, harm %d: %s, %s\n", name,
				    k, harm, reason_name(r), d.seen);
			}
		}
	printf("%s: %zu blocks, %u harmed, %u accepted, %u forged bytes\n",
	    name, blocks, tried, accepted, forged);
	CHECK(tried > 0);
	CHECK_INT(accepted, 0);
	CHECK_INT(elsewhere, 0);
	CHECK_INT(headed, 0);
	CHECK_INT(forged, 0);
	CHECK_INT(pipe_blk.seeks, 0);
}

/* Every byte of header and signature, in one bit and in all. */
static void test_head_harm(const char *name)
{
	unsigned accepted = 0, unexplained = 0, headed = 0;

	load_stream(name);
	memcpy(bad, raucs, raucs_size);
	for (size_t i = 0; i < STREAM_HEADER + job.header.cms;
	     i += i < STREAM_HEADER ? 1 : 5)
		for (unsigned bit = 0; bit < 9; bit++) {
			int r;

			if (bit > 0 && i >= STREAM_HEADER)
				break;
			bad[i] ^= (uint8_t)(bit == 8 ? 0xff : 1u << bit);
			r = install(bad, raucs_size);
			bad[i] = raucs[i];
			if (r == 0)
				printf(
				    "%s: byte %zu may be changed\n", name, i);
			accepted += r == 0;
			unexplained += r != d.reason || d.seen[0] == '\0';
			headed += slots[0].headed || slots[1].headed;
		}
	CHECK_INT(accepted, 0);
	CHECK_INT(unexplained, 0);
	CHECK_INT(headed, 0);
	CHECK_INT(forged, 0);
}

static void prepare(void)
{
	size_t n;

	policy.now = time(NULL);
	n = load_file(file, FILE_MAX, DIR "keyring.pem");
	CHECK_INT(keyring_load(&keyring, (const char *)file, n, NULL), 0);
	n = load_file(file, FILE_MAX, DIR "crypt-rsa.key");
	CHECK_INT(recipient_load(&recipient, (const char *)file, n, NULL), 0);
	/* without it, for whom a bundle is encrypted is not looked at */
	n = load_file(file, FILE_MAX, DIR "crypt-rsa.pem");
	CHECK_INT(
	    recipient_load_cert(&recipient, (const char *)file, n, NULL), 0);
	bundle.recipient = &recipient;
	CHECK_INT(
	    conf_parse(&conf, system_conf, sizeof system_conf - 1, NULL), 0);
}

int main(void)
{
	if (system("tests/data/mkbundles.sh " DIR " >&2") != 0)
		return 1;
	test_order();
	test_header();
	test_bundles();
	test_index();
	test_no_bundle();
	test_stop();
	prepare();
	expect("rootfs.ext4", "kernel.img");
	test_install("good.raucb");
	test_install("zstd.raucb");
	test_harm("good.raucb", 11);
	test_open();
	test_finish();
	expect("root.ext4", "boot.img");
	test_install("lie.raucb");
	test_install("lielz4.raucb");
	test_install("liecrypt.raucb");
	test_install("index.raucb");
	CHECK(refused > 0);
	test_harm("lie.raucb", 1);
	test_harm("liecrypt.raucb", 3);
	expect("small.img", "small.img");
	test_head_harm("tiny.raucb");
	test_head_harm("tinycrypt.raucb");
	return check_done("stream");
}
