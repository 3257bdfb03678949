/* SPDX-License-Identifier: 0BSD */
/*
 * squashfs against images built here, field by field, first right and then
 * wrong in every way a hostile signer could think of. That it reads what
 * mksquashfs writes is shown by bundle_test and tests/diff/squashfs.sh.
 */
#include <libdeflate.h>

#include "bundle/squashfs.h"
#include "check.h"

#define BS 4096u
#define IMAGE_MAX 65536u

static uint8_t image[IMAGE_MAX];
static size_t used;
static struct sqfs s;

/* Where things are in the image that make_image() builds. */
static struct {
	size_t data, fragment;           /* blocks */
	size_t inodes, dirs, frag_block; /* metadata blocks: their headers */
	size_t frag_index, ids;
	size_t a, b, link, deep, sub, root; /* inodes, in the block */
	size_t a_words;                     /* block sizes of a */
	size_t sub_list, root_list;         /* listings, in their block */
} at;

static void put(const void *p, size_t n)
{
	memcpy(image + used, p, n);
	used += n;
}

static void put_n(uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		image[used++] = (uint8_t)(v >> 8 * i);
}

static void patch(size_t off, unsigned bytes, uint64_t v)
{
	for (unsigned i = 0; i < bytes; i++)
		image[off + i] = (uint8_t)(v >> 8 * i);
}

/* A stored metadata block: its header, to be filled in by meta_end(). */
static size_t meta_begin(void)
{
	used += 2;
	return used - 2;
}

static void meta_end(size_t header)
{
	patch(header, 2, (used - header - 2) | 0x8000);
}

static size_t inode(unsigned type, unsigned number)
{
	size_t start = used - at.inodes - 2;

	put_n(type, 2);
	put_n(0644, 2);
	put_n(0, 4);      /* uid, gid */
	put_n(0, 4);      /* time */
	put_n(number, 4); /* number */
	return start;
}

static void name(size_t target, unsigned type, const char *text)
{
	put_n(target, 2);
	put_n(0, 2);
	put_n(type, 2);
	put_n(strlen(text) - 1, 2);
	put(text, strlen(text));
}

/* A header for count entries of the first inode block. */
static size_t listing(unsigned count)
{
	size_t start = used - at.dirs - 2;

	put_n(count - 1, 4);
	put_n(0, 4);
	put_n(1, 4);
	return start;
}

static size_t dir_inode(unsigned number, size_t list, size_t size)
{
	size_t start = inode(1, number);

	put_n(0, 4); /* block */
	put_n(2, 4); /* links */
	put_n(size + 3, 2);
	put_n(list, 2);
	put_n(1, 4); /* parent */
	return start;
}

#define SUB_LIST (12 + 8 + 4)
#define ROOT_LIST (12 + 4 * 8 + 1 + 1 + 4 + 3)

/*
 * /a: a whole block, a hole, a compressed block, a tail in the fragment;
 * /b: extended, only a tail; /link -> b; /sub/deep: no content.
 */
static uint8_t content_a[3 * BS + 100], content_b[50];

static const uint8_t zlib_zeros[] = {/* 4096 zeros */ 0x78, 0xda, 0xed, 0xc1,
    0x01, 0x0d, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xf7, 0x4f, 0x6d, 0x0f, 0x07,
    0x14, 0x00, 0x00, 0x00, 0xf0, 0x6e, 0x10, 0x00, 0x00, 0x01};

static void make_data(void)
{
	at.data = used;
	for (size_t i = 0; i < BS; i++)
		content_a[i] = (uint8_t)(i * 7 + i / 256);
	put(content_a, BS);
	put(zlib_zeros, sizeof zlib_zeros);
	at.fragment = used;
	for (size_t i = 0; i < 100; i++)
		content_a[3 * BS + i] = (uint8_t)(200 - i);
	for (size_t i = 0; i < sizeof content_b; i++)
		content_b[i] = (uint8_t)i;
	put(content_a + 3 * BS, 100);
	put(content_b, sizeof content_b);
}

static void make_inodes(void)
{
	at.inodes = meta_begin();
	at.a = inode(2, 1);
	put_n(at.data, 4);
	put_n(0, 4); /* fragment */
	put_n(0, 4); /* offset in it */
	put_n(sizeof content_a, 4);
	at.a_words = used;
	put_n(BS | 1u << 24, 4);
	put_n(0, 4);
	put_n(sizeof zlib_zeros, 4);
	at.b = inode(9, 2);
	put_n(at.data, 8);
	put_n(sizeof content_b, 8);
	put_n(0, 8); /* sparse */
	put_n(1, 4); /* links */
	put_n(0, 4); /* fragment */
	put_n(100, 4);
	put_n(UINT32_MAX, 4); /* attributes */
	at.link = inode(3, 3);
	put_n(1, 4);
	put_n(1, 4);
	put("b", 1);
	at.deep = inode(2, 4);
	put_n(0, 4);
	put_n(UINT32_MAX, 4);
	put_n(0, 4);
	put_n(0, 4);
	at.sub = dir_inode(5, 0, SUB_LIST);
	at.root = dir_inode(6, SUB_LIST, ROOT_LIST);
	meta_end(at.inodes);
}

static void make_dirs(void)
{
	at.dirs = meta_begin();
	at.sub_list = listing(1);
	name(at.deep, 2, "deep");
	at.root_list = listing(4);
	name(at.a, 2, "a");
	name(at.b, 2, "b");
	name(at.link, 3, "link");
	name(at.sub, 1, "sub");
	meta_end(at.dirs);
}

/* All that comes behind the data, and the superblock. */
static void make_tables(void)
{
	make_inodes();
	make_dirs();
	at.frag_block = meta_begin();
	put_n(at.fragment, 8);
	put_n(150 | 1u << 24, 4);
	put_n(0, 4);
	meta_end(at.frag_block);
	at.frag_index = used;
	put_n(at.frag_block, 8);
	at.ids = meta_begin();
	put_n(0, 4);
	meta_end(at.ids);
	put_n(at.ids, 8);

	patch(0, 4, 0x73717368);
	patch(4, 4, 6); /* inodes */
	patch(12, 4, BS);
	patch(16, 4, 1); /* fragments */
	patch(20, 2, 1); /* gzip */
	patch(22, 2, 12);
	patch(26, 2, 1);
	patch(28, 2, 4);
	patch(32, 8, at.root);
	patch(40, 8, used);
	patch(48, 8, used - 8);   /* ids */
	patch(56, 8, UINT64_MAX); /* attributes */
	patch(64, 8, at.inodes);
	patch(72, 8, at.dirs);
	patch(80, 8, at.frag_index);
	patch(88, 8, UINT64_MAX); /* export */
}

static void make_image(void)
{
	memset(image, 0, sizeof image);
	used = 96;
	make_data();
	make_tables();
}

static struct blk_mem mem;

static int open_image(struct diag *d)
{
	blk_mem_init_const(&mem, image, used);
	return sqfs_open(&s, &mem.blk, d);
}

/* Reads a whole file of the root: its reason, or its size. */
static int64_t read_file(
    const char *path, uint8_t *dst, size_t cap, size_t *holes, struct diag *d)
{
	struct sqfs_file f;
	uint64_t total = 0;
	int r = open_image(d);

	*holes = 0;
	if (r == 0)
		r = sqfs_lookup(&s, path, &f, d);
	while (r == 0) {
		uint8_t piece[1000];
		size_t n = 0;
		bool hole = false;

		r = sqfs_read(&f, piece, sizeof piece, &n, &hole, d);
		if (r != 0 || n == 0)
			break;
		if (hole) {
			*holes += n;
			memset(piece, 0, n);
		}
		if (total < cap)
			memcpy(dst + total, piece, MIN(n, cap - total));
		total += n;
		if (total > 100 * BS)
			break;
	}
	return r != 0 ? r : (int64_t)total;
}

/* Everything: the walk, all bytes, all links. The first reason, or 0. */
static int read_all(struct diag *d)
{
	static struct sqfs_walk w;
	static uint8_t sink[BS];
	struct sqfs_file f;
	uint64_t budget = 1000000;
	int r = open_image(d);

	if (r == 0)
		r = sqfs_walk_start(&w, &s, d);
	while (r == 0 && (r = sqfs_walk_next(&w, &f, d)) == 1) {
		size_t n = f.type == SQFS_REG;
		bool hole;
		char text[64];

		r = 0;
		CHECK(w.path[0] != '\0' && w.path[0] != '/');
		if (f.type == SQFS_LINK)
			r = sqfs_readlink(&f, text, sizeof text, d);
		while (r == 0 && n > 0 && budget > 0) {
			r = sqfs_read(&f, sink, sizeof sink, &n, &hole, d);
			budget -= MIN(budget, n);
		}
	}
	return r;
}

static void test_good(void)
{
	static uint8_t got[4 * BS];
	static struct sqfs_walk w;
	struct sqfs_file f;
	struct diag d = {0};
	char all[200] = "", text[8];
	size_t holes;

	make_image();
	CHECK_INT(
	    read_file("a", got, sizeof got, &holes, &d), sizeof content_a);
	CHECK_STR(d.seen, "");
	CHECK_MEM(got, content_a, sizeof content_a);
	CHECK_INT(holes, BS);
	CHECK_INT(
	    read_file("b", got, sizeof got, &holes, &d), sizeof content_b);
	CHECK_MEM(got, content_b, sizeof content_b);
	CHECK_INT(read_file("c", got, sizeof got, &holes, &d), R_NOT_FOUND);
	CHECK_INT(read_file("", got, sizeof got, &holes, &d), R_NOT_FOUND);
	CHECK_INT(
	    read_file("link", got, sizeof got, &holes, NULL), R_SQFS_TYPE);
	CHECK_INT(read_file("sub", got, sizeof got, &holes, NULL), R_SQFS_TYPE);
	CHECK_INT(sqfs_walk_start(&w, &s, &d), 0);
	while (sqfs_walk_next(&w, &f, &d) == 1) {
		strcat(all, w.path);
		strcat(all, f.type == SQFS_DIR    ? "/ "
		            : f.type == SQFS_LINK ? "@ "
		                                  : " ");
		CHECK_INT(f.mode, 0644);
		if (f.type == SQFS_LINK) {
			CHECK_INT(sqfs_readlink(&f, text, 1, NULL), R_LIMIT);
			CHECK_INT(sqfs_readlink(&f, text, 2, &d), 0);
			CHECK_STR(text, "b");
		} else {
			CHECK_INT(
			    sqfs_readlink(&f, text, 8, NULL), R_SQFS_TYPE);
		}
	}
	CHECK_STR(all, "a b link@ sub/ sub/deep ");
	CHECK_STR(d.seen, "");
}

/* A field of the image, set to a value, and the reason that follows. */
static void expect(
    size_t off, unsigned bytes, uint64_t v, int reason, const char *what)
{
	struct diag d = {0};
	int r;

	make_image();
	patch(off, bytes, v);
	r = read_all(&d);
	if (r != reason || d.reason != reason) {
		fprintf(stderr, "%s = %llx: %s (%s), expected %s\n", what,
		    (unsigned long long)v, reason_name(r), d.seen,
		    reason_name(reason));
		check_failed++;
	} else {
		check_passed++;
	}
}

#define EXPECT(off, bytes, v, reason) expect(off, bytes, v, reason, #off)

static void test_superblock(void)
{
	make_image();
	EXPECT(0, 4, 0x73717367, R_SQFS_MAGIC);
	EXPECT(28, 2, 3, R_SQFS_VERSION);
	EXPECT(30, 2, 1, R_SQFS_VERSION);
	EXPECT(20, 2, 0, R_SQFS_CODEC);
	EXPECT(20, 2, 3, R_SQFS_CODEC);
	EXPECT(20, 2, 7, R_SQFS_CODEC);
	EXPECT(12, 4, 0, R_SQFS_DAMAGED);
	EXPECT(12, 4, 2048, R_SQFS_DAMAGED);
	EXPECT(12, 4, 4097, R_SQFS_DAMAGED);
	EXPECT(12, 4, 1u << 21, R_SQFS_DAMAGED);
	EXPECT(22, 2, 13, R_SQFS_DAMAGED);
	EXPECT(22, 2, 11, R_SQFS_DAMAGED);
	EXPECT(22, 2, 0xffff, R_SQFS_DAMAGED);
	EXPECT(40, 8, 95, R_SQFS_RANGE);
	EXPECT(40, 8, used + 1, R_SQFS_RANGE);
	EXPECT(40, 8, UINT64_MAX, R_SQFS_RANGE);
	/* tables: missing, overlapping, in the wrong order, outside */
	EXPECT(64, 8, UINT64_MAX, R_SQFS_RANGE);
	EXPECT(64, 8, 95, R_SQFS_RANGE);
	EXPECT(64, 8, at.dirs, R_SQFS_RANGE);
	EXPECT(64, 8, at.dirs + 1, R_SQFS_RANGE);
	EXPECT(64, 8, used, R_SQFS_RANGE);
	EXPECT(72, 8, UINT64_MAX, R_SQFS_RANGE);
	EXPECT(72, 8, at.inodes, R_SQFS_RANGE);
	EXPECT(72, 8, at.inodes + 1, R_SQFS_RANGE);
	EXPECT(72, 8, at.frag_block, R_SQFS_RANGE);
	EXPECT(72, 8, used + 1, R_SQFS_RANGE);
	EXPECT(80, 8, UINT64_MAX, R_SQFS_RANGE);
	EXPECT(80, 8, at.dirs, R_SQFS_RANGE);
	EXPECT(80, 8, 0, R_SQFS_RANGE);
	EXPECT(80, 8, used - 7, R_SQFS_RANGE);
	EXPECT(48, 8, at.inodes, R_SQFS_RANGE);
	EXPECT(48, 8, used + 1, R_SQFS_RANGE);
	EXPECT(56, 8, 96, R_SQFS_RANGE);
	EXPECT(88, 8, 96, R_SQFS_RANGE);
	EXPECT(16, 4, UINT32_MAX, R_SQFS_RANGE);
	EXPECT(16, 4, 0, R_SQFS_RANGE); /* then a's fragment is none */
	EXPECT(at.frag_index, 8, UINT64_MAX, R_SQFS_RANGE);
	EXPECT(at.frag_index, 8, at.dirs, R_SQFS_RANGE);
	EXPECT(at.frag_index, 8, at.frag_index, R_SQFS_RANGE);
	EXPECT(at.frag_index, 8, 0, R_SQFS_RANGE);
	/* root */
	EXPECT(32, 8, at.a, R_SQFS_DAMAGED);
	EXPECT(32, 8, 8192, R_SQFS_DAMAGED);
	EXPECT(32, 8, (uint64_t)1 << 48, R_SQFS_RANGE);
	EXPECT(32, 8, (uint64_t)0xffffffff << 16, R_SQFS_RANGE);
	EXPECT(32, 8, 0xffff, R_SQFS_DAMAGED);
}

static void test_metadata(void)
{
	size_t inodes;

	make_image();
	inodes = at.inodes + 2;
	EXPECT(at.inodes, 2, 0x8000, R_SQFS_DAMAGED);
	EXPECT(at.inodes, 2, 0, R_SQFS_DAMAGED);
	EXPECT(at.inodes, 2, 0xa001, R_SQFS_DAMAGED);
	EXPECT(at.inodes, 2, 0x9fff, R_SQFS_RANGE);
	EXPECT(at.inodes, 2, 0x8010, R_SQFS_DAMAGED);
	EXPECT(at.inodes, 2, 0x0010, R_SQFS_DECOMPRESS);
	EXPECT(at.dirs, 2, 0x9fff, R_SQFS_RANGE);
	EXPECT(at.dirs, 2, 0x8020, R_SQFS_DAMAGED);
	EXPECT(at.frag_block, 2, 0x8008, R_SQFS_DAMAGED);
	EXPECT(at.frag_block, 2, 0x9fff, R_SQFS_RANGE);
	/* inodes */
	EXPECT(inodes + at.a, 2, 0, R_SQFS_DAMAGED);
	EXPECT(inodes + at.a, 2, 15, R_SQFS_DAMAGED);
	EXPECT(inodes + at.a, 2, 0xffff, R_SQFS_DAMAGED);
	EXPECT(inodes + at.a, 2, 6, 0); /* a fifo is passed over */
	/* a: start, fragment, offset in it, size */
	EXPECT(inodes + at.a + 16, 4, 95, R_SQFS_RANGE);
	EXPECT(inodes + at.a + 16, 4, at.inodes, R_SQFS_RANGE);
	EXPECT(inodes + at.a + 16, 4, at.inodes - BS + 1, R_SQFS_RANGE);
	EXPECT(inodes + at.a + 16, 4, UINT32_MAX, R_SQFS_RANGE);
	EXPECT(inodes + at.a + 20, 4, 1, R_SQFS_RANGE);
	EXPECT(inodes + at.a + 20, 4, 0x80000000, R_SQFS_RANGE);
	EXPECT(inodes + at.a + 24, 4, 51, R_SQFS_DECOMPRESS);
	EXPECT(inodes + at.a + 24, 4, BS, R_SQFS_DAMAGED);
	EXPECT(inodes + at.a + 24, 4, UINT32_MAX, R_SQFS_DAMAGED);
	EXPECT(inodes + at.a + 28, 4, 3 * BS, R_SQFS_DAMAGED);
	EXPECT(inodes + at.a + 28, 4, 3 * BS + 151, R_SQFS_DECOMPRESS);
	/* Then b's inode is taken for block sizes. */
	EXPECT(inodes + at.a + 28, 4, 9 * BS + 1, R_SQFS_DAMAGED);
	/* block sizes */
	EXPECT(at.a_words, 4, (BS - 1) | 1u << 24, R_SQFS_DECOMPRESS);
	EXPECT(at.a_words, 4, (BS + 1) | 1u << 24, R_SQFS_DAMAGED);
	EXPECT(at.a_words, 4, 1u << 24, R_SQFS_DAMAGED);
	EXPECT(at.a_words, 4, 1u << 25 | 1, R_SQFS_DAMAGED);
	EXPECT(at.a_words, 4, UINT32_MAX, R_SQFS_DAMAGED);
	EXPECT(at.a_words, 4, BS, R_SQFS_DECOMPRESS);
	EXPECT(at.a_words + 8, 4, sizeof zlib_zeros - 1, R_SQFS_DECOMPRESS);
	/* b, extended: start is not used, size, fragment */
	EXPECT(inodes + at.b + 24, 8, UINT64_MAX, R_SQFS_DAMAGED);
	EXPECT(inodes + at.b + 24, 8, 51, R_SQFS_DECOMPRESS);
	EXPECT(inodes + at.b + 44, 4, 1, R_SQFS_RANGE);
	/* link: size */
	EXPECT(inodes + at.link + 20, 4, 0, R_SQFS_DAMAGED);
	EXPECT(inodes + at.link + 20, 4, 64, R_LIMIT);
	EXPECT(inodes + at.link + 20, 4, UINT32_MAX, R_LIMIT);
	EXPECT(inodes + at.link + 24, 1, 0, R_SQFS_DAMAGED);
	/* sub: block, size, offset */
	EXPECT(inodes + at.sub + 16, 4, 1, R_SQFS_RANGE);
	EXPECT(inodes + at.sub + 16, 4, UINT32_MAX, R_SQFS_RANGE);
	EXPECT(inodes + at.sub + 24, 2, 3, 0);
	EXPECT(inodes + at.sub + 24, 2, 0, 0);
	EXPECT(inodes + at.sub + 24, 2, SUB_LIST + 4, R_SQFS_DAMAGED);
	EXPECT(inodes + at.sub + 24, 2, SUB_LIST + 2, R_SQFS_DAMAGED);
	EXPECT(inodes + at.sub + 26, 2, 8191, R_SQFS_DAMAGED);
	/* The fragment's own entry. */
	EXPECT(at.frag_block + 2, 8, 95, R_SQFS_RANGE);
	EXPECT(at.frag_block + 2, 8, at.inodes - 149, R_SQFS_RANGE);
	EXPECT(at.frag_block + 2, 8, UINT64_MAX, R_SQFS_RANGE);
	EXPECT(at.frag_block + 10, 4, 0, R_SQFS_DAMAGED);
	EXPECT(at.frag_block + 10, 4, 149 | 1u << 24, R_SQFS_DECOMPRESS);
	EXPECT(at.frag_block + 10, 4, (BS + 1) | 1u << 24, R_SQFS_DAMAGED);
}

static void test_directories(void)
{
	size_t sub, root, entry;

	make_image();
	sub = at.dirs + 2 + at.sub_list;
	root = at.dirs + 2 + at.root_list;
	entry = sub + 12;
	EXPECT(root, 4, 256, R_SQFS_DAMAGED);
	EXPECT(root, 4, UINT32_MAX, R_SQFS_DAMAGED);
	EXPECT(root, 4, 2, R_SQFS_DAMAGED);
	EXPECT(root, 4, 4, R_SQFS_DAMAGED);
	EXPECT(root + 4, 4, 1, R_SQFS_RANGE);
	EXPECT(root + 4, 4, UINT32_MAX, R_SQFS_RANGE);
	EXPECT(entry, 2, 8192, R_SQFS_DAMAGED);
	EXPECT(entry + 6, 2, 256, R_SQFS_DAMAGED);
	EXPECT(entry + 6, 2, 0xffff, R_SQFS_DAMAGED);
	EXPECT(entry + 8, 1, '/', R_SQFS_DAMAGED);
	EXPECT(entry + 9, 1, 0, R_SQFS_DAMAGED);
	/* "." and ".." */
	EXPECT(root + 12 + 8, 1, '.', R_SQFS_DAMAGED);
	make_image();
	patch(entry + 8, 2, 0x2e2e);
	patch(entry + 6, 2, 1);
	patch(at.inodes + 2 + at.sub + 24, 2, SUB_LIST - 2 + 3);
	CHECK_INT(read_all(NULL), R_SQFS_DAMAGED);
	/* not sorted, and twice the same */
	EXPECT(root + 12 + 8, 1, 'c', R_SQFS_DAMAGED);
	EXPECT(root + 12 + 8, 1, 'b', R_SQFS_DAMAGED);
	/* loops: sub holds the root, and itself */
	EXPECT(entry, 2, at.root, R_SQFS_LOOP);
	EXPECT(entry, 2, at.sub, R_SQFS_LOOP);
	EXPECT(4, 4, 1, R_SQFS_LOOP); /* two directories in one inode */
	/* One directory under two names is no loop, but is bounded. */
	EXPECT(root + 12, 2, at.sub, 0);
}

/* A loop is one even if there seem to be inodes enough for it. */
static void test_loop(void)
{
	struct diag d = {0};

	make_image();
	patch(4, 4, 1000);
	patch(at.dirs + 2 + at.sub_list + 12, 2, at.root);
	CHECK_INT(read_all(&d), R_SQFS_LOOP);
	CHECK(strstr(d.seen, "directory sub/deep contains itself"));
}

/* Index entries behind the first may point anywhere, too. */
static void test_fragment_index(void)
{
	struct diag d = {0};

	make_image();
	patch(16, 4, 513);
	patch(at.frag_index + 8, 8, at.inodes);
	patch(at.inodes + 2 + at.a + 20, 4, 512);
	CHECK_INT(read_all(&d), R_SQFS_RANGE);
	CHECK(strstr(d.seen, "expected between"));
}

/* A fragment that starts where a data block does is not that block. */
static void test_shared_start(void)
{
	static uint8_t got[2 * BS];
	struct diag d = {0};
	size_t holes;

	make_image();
	patch(at.frag_block + 2, 8, at.data);
	patch(at.inodes + 2 + at.a + 28, 4, BS + 100);
	CHECK_INT(read_file("a", got, sizeof got, &holes, &d), BS + 100);
	CHECK_MEM(got + BS, content_a, 100);
	patch(at.inodes + 2 + at.a + 24, 4, 51);
	CHECK_INT(
	    read_file("a", got, sizeof got, &holes, &d), R_SQFS_DECOMPRESS);
}

/* A chain of directories, each with the next. */
static void test_depth(void)
{
	for (unsigned depth = SQFS_DEPTH - 1; depth <= SQFS_DEPTH; depth++) {
		struct diag d = {0};

		make_image();
		used = at.inodes;
		at.inodes = meta_begin();
		for (unsigned i = 0; i <= depth; i++)
			at.root =
			    dir_inode(i + 1, (i - 1) * 21, i == 0 ? 0 : 21);
		meta_end(at.inodes);
		at.dirs = meta_begin();
		for (unsigned i = 0; i < depth; i++) {
			listing(1);
			name(i * 32, 1, "d");
		}
		meta_end(at.dirs);
		patch(4, 4, 100);
		patch(16, 4, 0);
		patch(32, 8, at.root);
		patch(40, 8, used);
		patch(48, 8, used);
		patch(64, 8, at.inodes);
		patch(72, 8, at.dirs);
		patch(80, 8, UINT64_MAX);
		CHECK_INT(read_all(&d), depth < SQFS_DEPTH ? 0 : R_LIMIT);
	}
}

/* Compressed blocks that hold more, or less, than the file says. */

static void put_bit(unsigned *bit, unsigned v)
{
	if (*bit == 0)
		image[used] = 0;
	image[used] |= (uint8_t)(v << *bit);
	if (++*bit == 8) {
		*bit = 0;
		used++;
	}
}

/* zlib: 1 + 258 * matches zeros; 13 bits for each 258 of them. */
static void zlib_bomb(unsigned matches)
{
	static const char match[] = "1100010100000";
	uint32_t n = 1 + 258 * matches;
	unsigned bit = 0;

	put("\x78\x01", 2);
	for (const char *p = "110"
	                     "00110000";
	     *p; p++)
		put_bit(&bit, *p == '1');
	while (matches-- > 0)
		for (const char *p = match; *p; p++)
			put_bit(&bit, *p == '1');
	for (unsigned i = 0; i < 7; i++)
		put_bit(&bit, 0);
	if (bit != 0)
		used++;
	put_n(__builtin_bswap32(n % 65521 << 16 | 1), 4);
}

/* zstd: a frame of one run of n zeros. */
static void zstd_bomb(uint32_t n)
{
	put_n(0xfd2fb528, 4);
	put_n(0xa0, 1);
	put_n(n, 4);
	put_n(1 | 1 << 1 | n << 3, 3);
	put_n(0, 1);
}

/* Reads /a with another third block, which decodes to something like n. */
static int64_t bomb(uint16_t codec, unsigned n, struct diag *d)
{
	static uint8_t got[4 * BS];
	size_t holes, len;

	make_image();
	used = at.data + BS;
	if (codec == 1)
		zlib_bomb(n);
	else
		zstd_bomb(n);
	len = used - at.data - BS;
	at.fragment = used;
	put(content_a + 3 * BS, 100);
	put(content_b, sizeof content_b);
	make_tables();
	patch(at.a_words + 8, 4, len);
	patch(20, 2, codec);
	return read_file("a", got, sizeof got, &holes, d);
}

static void test_bombs(void)
{
	struct diag d = {0};

	CHECK_INT(bomb(6, BS, &d), sizeof content_a);
	CHECK_STR(d.seen, "");
	CHECK_INT(bomb(6, BS + 1, NULL), R_SQFS_DECOMPRESS);
	CHECK_INT(bomb(6, BS - 1, NULL), R_SQFS_DECOMPRESS);
	CHECK_INT(bomb(6, 0, NULL), R_SQFS_DECOMPRESS);
	CHECK_INT(bomb(6, 131072, &d), R_SQFS_DECOMPRESS);
	CHECK(strstr(d.seen, "zstd do not decode into 4096"));
	diag_clear(&d);
	CHECK_INT(bomb(1, 15, &d), R_SQFS_DECOMPRESS); /* 3871 bytes */
	CHECK(strstr(d.seen, "3871 bytes, expected 4096"));
	CHECK_INT(bomb(1, 16, NULL), R_SQFS_DECOMPRESS);
	diag_clear(&d);
	CHECK_INT(bomb(1, 2000, &d), R_SQFS_DECOMPRESS); /* 516 kB */
	CHECK(strstr(d.seen, "gzip do not decode into 4096"));
}

/* Every byte of the image changed, every length: a reason or none, never
 * harm, and never many requests. */
static void test_mutations(void)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff, 0x10};
	size_t size;

	make_image();
	size = used;
	for (size_t i = 0; i < size; i++) {
		for (size_t k = 0; k < ARRAY_LEN(masks); k++) {
			image[i] ^= masks[k];
			CHECK(read_all(NULL) <= 0);
			image[i] ^= masks[k];
		}
	}
	CHECK_INT(read_all(NULL), 0);
	for (used = 0; used < size; used++)
		CHECK(read_all(NULL) < 0);
	CHECK_INT(used, size);
	CHECK_INT(read_all(NULL), 0);
}

/* What libdeflate would allocate has to fit into CODEC_WORK. */

static size_t asked;

void *libdeflate_malloc(size_t size);
void libdeflate_free(void *p);

void *libdeflate_malloc(size_t size)
{
	asked = size;
	return NULL;
}

void libdeflate_free(void *p)
{
	(void)p;
}

static void test_codecs(void)
{
	CHECK(!libdeflate_alloc_decompressor());
	CHECK(asked > 0 && asked <= CODEC_WORK);
	CHECK(codec_find(1) == &codec_gzip);
	CHECK(codec_find(4) == &codec_xz);
	CHECK(codec_find(5) == &codec_lz4);
	CHECK(codec_find(6) == &codec_zstd);
	for (uint16_t id = 0; id < 20; id++)
		CHECK(id == 1 || (id >= 4 && id <= 6) || !codec_find(id));
	CHECK_STR(codec_name(0), "unknown");
	CHECK_STR(codec_name(2), "lzma");
	CHECK_STR(codec_name(3), "lzo");
	CHECK_STR(codec_name(4), "xz");
	CHECK_STR(codec_name(5), "lz4");
	CHECK_STR(codec_name(6), "zstd");
	CHECK_STR(codec_name(7), "unknown");
}

int main(void)
{
	test_codecs();
	test_good();
	test_superblock();
	test_metadata();
	test_directories();
	test_loop();
	test_fragment_index();
	test_shared_start();
	test_depth();
	test_bombs();
	test_mutations();
	return check_done("squashfs");
}
