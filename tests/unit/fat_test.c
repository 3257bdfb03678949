/* SPDX-License-Identifier: 0BSD */
#include "media/fs.h"

#include "../check.h"

/* A small FAT made by hand: 1 reserved sector, 1 table, clusters of 512. */
#define SECTORS 5000
static uint8_t img[SECTORS * 512];
static unsigned bits;
static uint32_t table_off, table_len, root_off, data_off;
static struct fat fat;
static struct blk_mem mem;
static struct diag diag;

static void le16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void link_cluster(uint32_t c, uint32_t next)
{
	uint8_t *p = img + table_off + c * bits / 8;

	if (bits == 32) {
		store_le32(p, next);
	} else if (bits == 16) {
		le16(p, next);
	} else if (c & 1) {
		p[0] = (uint8_t)((p[0] & 0x0f) | next << 4);
		p[1] = (uint8_t)(next >> 4);
	} else {
		p[0] = (uint8_t)next;
		p[1] = (uint8_t)((p[1] & 0xf0) | (next >> 8 & 0x0f));
	}
}

static uint32_t end_mark(void)
{
	return bits == 32 ? 0x0fffffff : (1u << bits) - 1;
}

static void make(unsigned kind)
{
	uint32_t sectors = kind == 12 ? 400 : kind == 16 ? 4900 : 300;
	uint32_t spf = (sectors * kind / 8 + 511) / 512;

	bits = kind;
	memset(img, 0, sizeof img);
	img[0] = 0xeb;
	img[1] = 0x3c;
	img[2] = 0x90;
	le16(img + 11, 512);
	img[13] = 1;
	le16(img + 14, 1);
	img[16] = 1;
	img[21] = 0xf8;
	le16(img + 19, sectors);
	table_off = 512;
	table_len = spf * 512;
	root_off = table_off + table_len;
	data_off = root_off;
	if (kind == 32) {
		store_le32(img + 36, spf);
		store_le32(img + 44, 2);
	} else {
		le16(img + 22, spf);
		le16(img + 17, 32);
		data_off += 1024;
	}
	img[kind == 32 ? 66 : 38] = 0x29;
	store_le32(img + (kind == 32 ? 67 : 39), 0xcafe0123);
	memcpy(img + (kind == 32 ? 71 : 43), "BOOTLABEL  ", 11);
	img[510] = 0x55;
	img[511] = 0xaa;
	if (kind == 32)
		link_cluster(2, end_mark());
	blk_mem_init_const(&mem, img, sectors * 512u);
}

static uint8_t *data(uint32_t c)
{
	return img + data_off + (c - 2) * 512;
}

static uint8_t *entry(uint32_t dir, unsigned i)
{
	return (dir ? data(dir) : img + root_off) + i * 32;
}

static void put_short(
    uint8_t *e, const char *name, unsigned attr, uint32_t start, uint32_t size)
{
	memset(e, 0, 32);
	memcpy(e, name, 11);
	e[11] = (uint8_t)attr;
	le16(e + 20, start >> 16);
	le16(e + 26, start);
	store_le32(e + 28, size);
}

static uint8_t sum_of(const char *name)
{
	uint8_t s = 0;

	for (int i = 0; i < 11; i++)
		s = (uint8_t)(((s & 1) << 7) + (s >> 1) + (uint8_t)name[i]);
	return s;
}

/* One piece of a long name; units behind the end are 0, then 0xffff. */
static void put_long(
    uint8_t *e, unsigned order, uint8_t sum, const uint16_t *units, unsigned n)
{
	static const uint8_t at[13] = {
	    1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

	memset(e, 0, 32);
	e[0] = (uint8_t)order;
	e[11] = 0x0f;
	e[13] = sum;
	for (unsigned i = 0; i < 13; i++)
		le16(e + at[i], i < n ? units[i] : i == n ? 0 : 0xffff);
}

static int open_fat(void)
{
	diag_clear(&diag);
	return fat_open(&fat, &mem.blk, &diag);
}

/* Names of a folder, each behind the other with a '|'. */
static int list(struct fat_dir *dir, char *out, size_t cap)
{
	struct fat_entry e;
	size_t n = 0;
	int r;

	diag_clear(&diag);
	out[0] = '\0';
	while ((r = fat_dir_next(&fat, dir, &e, &diag)) > 0) {
		size_t len = strlen(e.name);

		if (n + len + 2 > cap)
			return -1000;
		memcpy(out + n, e.name, len);
		n += len;
		out[n++] = '|';
		out[n] = '\0';
	}
	return r;
}

static int list_root(char *out, size_t cap)
{
	struct fat_dir dir;

	fat_dir_root(&fat, &dir);
	return list(&dir, out, cap);
}

static void test_boot_sector(void)
{
	static const struct {
		unsigned off, len;
		uint32_t value;
	} bad[] = {
	    {0, 1, 0},
	    {510, 1, 0},
	    {11, 2, 0},
	    {11, 2, 256},
	    {11, 2, 513},
	    {11, 2, 8192},
	    {13, 1, 0},
	    {13, 1, 3},
	    {14, 2, 0},
	    {14, 2, 65535},
	    {16, 1, 0},
	    {21, 1, 0},
	    {21, 1, 0xf7},
	    {19, 2, 1},
	    {36, 4, 0},
	    {36, 4, 0xffffffff},
	    {44, 4, 0},
	    {44, 4, 1},
	    {44, 4, 0x0fffffff},
	    {40, 2, 0x81},
	};
	struct fat_geo g;

	make(32);
	CHECK(fat_parse(&g, img));
	CHECK_INT(g.bits, 32);
	CHECK_INT(g.cluster, 512);
	CHECK_INT(g.root_cluster, 2);
	CHECK_STR(g.label, "BOOTLABEL");
	CHECK(g.has_serial && g.serial == 0xcafe0123);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		make(32);
		for (unsigned k = 0; k < bad[i].len; k++)
			img[bad[i].off + k] = (uint8_t)(bad[i].value >> 8 * k);
		if (fat_parse(&g, img))
			fprintf(stderr, "case %zu\n", i);
		CHECK(!fat_parse(&g, img));
	}
	make(12);
	CHECK(fat_parse(&g, img) && g.bits == 12);
	le16(img + 17, 0); /* no root folder */
	CHECK(!fat_parse(&g, img));
	make(16);
	CHECK(fat_parse(&g, img) && g.bits == 16);

	/* Microsoft's limits, to the cluster */
	for (uint32_t n = 4083; n < 4088; n++) {
		make(16);
		le16(img + 19, 1 + 20 + 2 + n);
		le16(img + 22, 20);
		CHECK(fat_parse(&g, img));
		CHECK_INT(g.bits, n < 4085 ? 12 : 16);
		CHECK_INT(g.clusters, n);
	}
	for (uint32_t n = 65523; n < 65527; n++) {
		make(16);
		le16(img + 19, 0);
		store_le32(img + 32, 1 + 300 + 2 + n);
		le16(img + 22, 300);
		CHECK(fat_parse(&g, img) == (n < 65525));
		CHECK(n >= 65525 || (g.bits == 16 && g.clusters == n));
	}
	/* a table too small for the clusters bounds them */
	make(16);
	le16(img + 22, 10);
	CHECK(fat_parse(&g, img));
	CHECK_INT(g.clusters, 10 * 256 - 2);

	/* a file system larger than what holds it */
	make(32);
	CHECK_INT(open_fat(), 0);
	mem.blk.size -= 512;
	CHECK_INT(open_fat(), R_FAT_DAMAGED);
	mem.blk.size = 100;
	CHECK_INT(open_fat(), R_FAT_DAMAGED);
}

static void test_names(void)
{
	static const uint16_t first[13] = {'l', 'o', 'n', 'g', ' ', 'n', 'a',
	    'm', 'e', ' ', 0xd83d, 0xdcbe, ' '};
	static const uint16_t second[] = {
	    '.', 'r', 'a', 'u', 'c', 'b', 0xd800, 0xdc, '/'};
	uint8_t s = sum_of("LONGNA~1RAU");
	char names[2000];

	make(12);
	put_short(entry(0, 0), "MY LABEL   ", 0x08, 0, 0);
	put_short(entry(0, 1), "PLAIN   TXT", 0x20, 0, 0);
	put_short(entry(0, 2), "LOWER   TXT", 0x20, 0, 0);
	entry(0, 2)[12] = 0x18;
	put_short(entry(0, 3), "BASE    TXT", 0x20, 0, 0);
	entry(0, 3)[12] = 0x08;
	put_short(entry(0, 4), "NOEXT      ", 0x20, 0, 0);
	put_short(entry(0, 5), "DELETED TXT", 0x20, 0, 0);
	entry(0, 5)[0] = 0xe5;
	put_long(entry(0, 6), 0x42, s, second, 9);
	put_long(entry(0, 7), 0x01, s, first, 13);
	put_short(entry(0, 8), "LONGNA~1RAU", 0x20, 0, 0);
	/* wrong checksum, wrong order, missing piece, an intruder */
	put_long(entry(0, 9), 0x41, 0, first, 13);
	put_short(entry(0, 10), "WRONGSUM   ", 0x20, 0, 0);
	s = sum_of("ORDER      ");
	put_long(entry(0, 11), 0x42, s, second, 9);
	put_long(entry(0, 12), 0x02, s, first, 13);
	put_short(entry(0, 13), "ORDER      ", 0x20, 0, 0);
	s = sum_of("MISSING    ");
	put_long(entry(0, 14), 0x42, s, second, 9);
	put_short(entry(0, 15), "MISSING    ", 0x20, 0, 0);
	s = sum_of("INTRUDER   ");
	put_long(entry(0, 16), 0x41, s, first, 13);
	put_short(entry(0, 17), "GONE       ", 0x20, 0, 0);
	entry(0, 17)[0] = 0xe5;
	put_short(entry(0, 18), "INTRUDER   ", 0x20, 0, 0);
	put_short(entry(0, 19), "\005BC\200\001   /X ", 0x20, 0, 0);
	/* 21 pieces are none */
	s = sum_of("TOOMANY    ");
	put_long(entry(0, 20), 0x55, s, first, 13);
	put_short(entry(0, 21), "TOOMANY    ", 0x20, 0, 0);
	/* empty long name */
	s = sum_of("EMPTY      ");
	put_long(entry(0, 22), 0x41, s, first, 0);
	put_short(entry(0, 23), "EMPTY      ", 0x20, 0, 0);
	put_short(entry(0, 25), "BEHIND  END", 0x20, 0, 0);
	CHECK_INT(open_fat(), 0);
	CHECK_INT(list_root(names, sizeof names), 0);
	CHECK_STR(names,
	    "PLAIN.TXT|lower.txt|base.TXT|NOEXT|"
	    "long name \360\237\222\276 .raucb\357\277\275\303\234_|"
	    "WRONGSUM|ORDER|MISSING|INTRUDER|_BC__._X|TOOMANY|EMPTY|");

	/* 20 pieces of 13 three-byte characters do not fit: passed over */
	make(12);
	s = sum_of("LONGEST    ");
	for (unsigned i = 0; i < 20; i++) {
		static uint16_t cjk[13];

		for (unsigned k = 0; k < 13; k++)
			cjk[k] = 0x65e5;
		put_long(
		    entry(0, i), (20 - i) | (i == 0 ? 0x40 : 0), s, cjk, 13);
	}
	put_short(entry(0, 20), "LONGEST    ", 0x20, 0, 0);
	put_short(entry(0, 21), "NEXT       ", 0x20, 0, 0);
	CHECK_INT(open_fat(), 0);
	CHECK_INT(list_root(names, sizeof names), 0);
	CHECK_STR(names, "NEXT|");
}

static void test_labels(void)
{
	struct fat_geo g;
	char label[12];

	make(32);
	CHECK(fat_parse(&g, img));
	CHECK_INT(fat_label(&g, &mem.blk, label), 0);
	CHECK_STR(label, "BOOTLABEL");
	put_short(entry(2, 0), "ROOT LABEL ", 0x08, 0, 0);
	CHECK_INT(fat_label(&g, &mem.blk, label), 0);
	CHECK_STR(label, "ROOT LABEL");
	entry(2, 0)[0] = 0xe5;
	CHECK_INT(fat_label(&g, &mem.blk, label), 0);
	CHECK_STR(label, "BOOTLABEL");
	memcpy(img + 71, "NO NAME    ", 11);
	CHECK(fat_parse(&g, img));
	CHECK_INT(fat_label(&g, &mem.blk, label), 0);
	CHECK_STR(label, "");
	/* a root folder behind the end of the medium is no reason to fail */
	mem.blk.size = 512;
	CHECK_INT(fat_label(&g, &mem.blk, label), 0);
}

static void test_folders(void)
{
	struct fat_dir dir;
	struct fat_entry e;
	char names[4096];

	/* a folder over two clusters that are not neighbours, full to the end
	 */
	make(32);
	link_cluster(2, 9);
	link_cluster(9, end_mark());
	for (unsigned i = 0; i < 16; i++) {
		put_short(entry(2, i), "A          ", 0x20, 0, 0);
		put_short(entry(9, i), "B          ", 0x20, 0, 0);
	}
	CHECK_INT(open_fat(), 0);
	CHECK_INT(list_root(names, sizeof names), 0);
	CHECK_INT(strlen(names), 64);

	/* a loop, a free, bad and wild cluster in it */
	link_cluster(9, 2);
	CHECK_INT(open_fat(), 0);
	fat_dir_root(&fat, &dir);
	{
		int r, n = 0;

		diag_clear(&diag);
		while ((r = fat_dir_next(&fat, &dir, &e, &diag)) > 0)
			n++;
		CHECK_INT(r, R_FAT_DAMAGED);
		CHECK_INT(n, FAT_DIR_ENTRIES);
	}
	for (unsigned i = 0; i < 5; i++) {
		static const uint32_t bad[] = {
		    0, 1, 0x0ffffff7, 300, 0x0ffffff0};

		link_cluster(9, bad[i]);
		CHECK_INT(open_fat(), 0);
		CHECK_INT(list_root(names, sizeof names), R_FAT_DAMAGED);
		CHECK(diag.seen[0] != '\0');
	}

	/* the upper four bits are not part of the number */
	link_cluster(2, 0xf0000009);
	link_cluster(9, 0x7fffffff);
	CHECK_INT(open_fat(), 0);
	CHECK_INT(list_root(names, sizeof names), 0);

	memset(&e, 0, sizeof e);
	for (e.start = 0; e.start < 2; e.start++)
		CHECK_INT(fat_dir_sub(&fat, &e, &dir, NULL), R_FAT_DAMAGED);
	e.start = fat.geo.clusters + 2;
	CHECK_INT(fat_dir_sub(&fat, &e, &dir, NULL), R_FAT_DAMAGED);
	e.start = fat.geo.clusters + 1;
	CHECK_INT(fat_dir_sub(&fat, &e, &dir, NULL), 0);
}

/* Every byte of cluster c holds c; a file's chain is given. */
static void test_read(unsigned kind)
{
	static const uint32_t chain[] = {
	    10, 11, 12, 20, 19, 18, 30, 31, 33, 32, 34, 35, 36, 5, 40};
	const unsigned n = ARRAY_LEN(chain);
	const uint32_t size = (uint32_t)(n - 1) * 512 + 17;
	static struct fat_file file;
	static uint8_t got[ARRAY_LEN(chain) * 512];
	uint32_t seed = 1;

	make(kind);
	for (uint32_t c = 2; c < 60; c++)
		memset(data(c), (int)c, 512);
	for (unsigned i = 0; i < n; i++)
		link_cluster(chain[i], i + 1 < n ? chain[i + 1] : end_mark());
	CHECK_INT(open_fat(), 0);
	CHECK_INT(fat.geo.bits, kind);
	CHECK_INT(fat_file_open(&fat, &file, 10, size, &diag), 0);
	for (unsigned round = 0; round < 2000; round++) {
		uint32_t off, len, i;

		seed = seed * 1103515245 + 12345;
		off = (seed >> 8) % size;
		seed = seed * 1103515245 + 12345;
		len = (seed >> 8) % (round % 3 ? 700 : size);
		if (len > size - off)
			len = size - off;
		if (fat_file_read(&fat, &file, off, got, len) != 0)
			break;
		for (i = 0; i < len; i++)
			if (got[i] != chain[(off + i) / 512])
				break;
		if (i != len)
			break;
		if (round == 1999)
			CHECK(true);
	}

	/* one byte more or less than the chain holds */
	CHECK_INT(
	    fat_file_open(&fat, &file, 10, (n - 1) * 512 + 512, &diag), 0);
	CHECK_INT(
	    fat_file_open(&fat, &file, 10, n * 512 + 1, NULL), R_FAT_DAMAGED);
	CHECK_INT(fat_file_open(&fat, &file, 10, (uint32_t)(n - 1) * 512, NULL),
	    R_FAT_DAMAGED);
	CHECK_INT(
	    fat_file_open(&fat, &file, 10, 0xffffffff, NULL), R_FAT_DAMAGED);
	CHECK_INT(fat_file_open(&fat, &file, 0, 1, NULL), R_FAT_DAMAGED);
	CHECK_INT(fat_file_open(&fat, &file, 0, 0, NULL), 0);
	/* loops: to itself, to the start, into the middle */
	link_cluster(40, 40);
	fat.window_len = 0;
	CHECK_INT(fat_file_open(&fat, &file, 10, size, NULL), R_FAT_DAMAGED);
	link_cluster(40, 10);
	fat.window_len = 0;
	CHECK_INT(fat_file_open(&fat, &file, 10, size, NULL), R_FAT_DAMAGED);
	link_cluster(30, 12);
	fat.window_len = 0;
	CHECK_INT(fat_file_open(&fat, &file, 10, size, NULL), R_FAT_DAMAGED);

	/* the chain changes after it was opened: no wild read */
	link_cluster(30, 31);
	link_cluster(40, end_mark());
	fat.window_len = 0;
	CHECK_INT(fat_file_open(&fat, &file, 10, size, NULL), 0);
	file.step = n; /* only the first point is known */
	link_cluster(11, 0);
	fat.window_len = 0;
	CHECK_INT(fat_file_read(&fat, &file, 3 * 512, got, 1), R_FAT_DAMAGED);
	link_cluster(11, end_mark());
	fat.window_len = 0;
	CHECK_INT(fat_file_read(&fat, &file, 3 * 512, got, 1), R_FAT_DAMAGED);
	CHECK_INT(fat_file_read(&fat, &file, 512, got, 512), 0);
	CHECK_INT(got[0], 11);
}

static int broken_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	if (off + len > 512)
		return R_IO;
	memcpy(dst, ((struct blk_mem *)b)->p + off, len);
	return 0;
}

static void test_io_error(void)
{
	static const struct blk_ops ops = {broken_read, NULL, NULL, NULL};
	static struct fat_file file;
	char names[100];

	make(32);
	mem.blk.ops = &ops;
	CHECK_INT(open_fat(), 0);
	CHECK_INT(list_root(names, sizeof names), R_IO);
	CHECK_INT(diag.reason, R_IO);
	CHECK_INT(fat_file_open(&fat, &file, 2, 512, NULL), R_IO);
}

int main(void)
{
	test_boot_sector();
	test_names();
	test_labels();
	test_folders();
	test_read(12);
	test_read(16);
	test_read(32);
	test_io_error();
	return check_done("fat");
}
