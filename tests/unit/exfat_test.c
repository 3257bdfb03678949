/* SPDX-License-Identifier: 0BSD */
#include "media/fs.h"

#include "base/log.h"

#include "../check.h"

/* A small exFAT made by hand: boot sectors, table, clusters of 512 behind
 * each other. Root folder in cluster 2. */
#define SECTOR 512u
#define TABLE 24u
#define TABLE_SECTORS 4u
#define HEAP (TABLE + 2 * TABLE_SECTORS)
#define CLUSTERS 400u
#define SECTORS (HEAP + CLUSTERS)
static uint8_t img[SECTORS * SECTOR];
static struct fat fat;
static struct blk_mem mem;
static struct diag diag;

static void le16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static uint8_t *data(uint32_t c)
{
	return img + (HEAP + c - 2) * SECTOR;
}

static void link_cluster(uint32_t c, uint32_t next)
{
	store_le32(img + TABLE * SECTOR + c * 4, next);
}

/* As the specification writes it. */
static void seal_boot(uint32_t sector)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < 11 * sector; i++)
		if (i != 106 && i != 107 && i != 112)
			sum =
			    ((sum & 1) ? 0x80000000u : 0) + (sum >> 1) + img[i];
	for (uint32_t i = 0; i < sector; i += 4)
		store_le32(img + 11 * sector + i, sum);
}

static void make(void)
{
	memset(img, 0, sizeof img);
	memcpy(img,
	    "\xeb\x76\x90"
	    "EXFAT   ",
	    11);
	store_le64(img + 72, SECTORS);
	store_le32(img + 80, TABLE);
	store_le32(img + 84, TABLE_SECTORS);
	store_le32(img + 88, HEAP);
	store_le32(img + 92, CLUSTERS);
	store_le32(img + 96, 2);
	store_le32(img + 100, 0x00ab12cd);
	le16(img + 104, 0x100);
	img[108] = 9;
	img[110] = 1;
	img[112] = 0xff;
	le16(img + 510, 0xaa55);
	seal_boot(SECTOR);
	link_cluster(0, 0xfffffff8);
	link_cluster(1, 0xffffffff);
	link_cluster(2, 0xffffffff);
	blk_mem_init_const(&mem, img, sizeof img);
}

static int open_it(void)
{
	diag_clear(&diag);
	return exfat_open(&fat, &mem.blk, &diag);
}

/* ---- entries */

struct set {
	const char *name; /* ASCII; or units of u'x' */
	unsigned units;   /* 0: as long as name is */
	unsigned attributes;
	uint32_t start;
	uint64_t size, valid;
	unsigned flags;
	unsigned extra; /* one more entry of this type */
};

static void seal_set(uint8_t *e, unsigned count)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < count * 32; i++)
		if (i != 2 && i != 3)
			sum = (((sum & 1) ? 0x8000u : 0) + (sum >> 1) + e[i]) &
			      0xffff;
	le16(e + 2, sum);
}

/* Returns how many entries it took. */
static unsigned put(uint8_t *e, const struct set *s)
{
	unsigned units = s->units ? s->units : (unsigned)strlen(s->name);
	unsigned names = (units + 14) / 15;
	unsigned count = 2 + names + (s->extra != 0);

	memset(e, 0, (size_t)count * 32);
	e[0] = 0x85;
	e[1] = (uint8_t)(count - 1);
	le16(e + 4, s->attributes);
	e[32] = 0xc0;
	e[33] = (uint8_t)s->flags;
	e[35] = (uint8_t)units;
	store_le64(e + 40, s->valid);
	store_le32(e + 52, s->start);
	store_le64(e + 56, s->size);
	for (unsigned i = 0; i < names * 15; i++) {
		uint8_t *p = e + (2 + i / 15) * 32;

		p[0] = 0xc1;
		if (i < units)
			le16(p + 2 + i % 15 * 2,
			    s->units ? 'x' : (unsigned char)s->name[i]);
	}
	if (s->extra)
		e[(count - 1) * 32] = (uint8_t)s->extra;
	seal_set(e, count);
	return count;
}

static unsigned put_file(uint8_t *e, const char *name)
{
	struct set s = {.name = name, .attributes = 0x20};

	return put(e, &s);
}

/* Names of a folder, each with a '|' behind it; '!' for a damaged one. */
static char names[20000];

static int list(struct fat_dir *dir)
{
	struct fat_entry e;
	size_t n = 0;
	int r;

	diag_clear(&diag);
	names[0] = '\0';
	while ((r = exfat_dir_next(&fat, dir, &e, &diag)) > 0) {
		const char *name = e.damaged ? "!" : e.name;

		if (n + strlen(name) + 2 > sizeof names)
			return -1000;
		strcpy(names + n, name);
		n += strlen(name);
		strcpy(names + n++, "|");
	}
	return r;
}

static int list_root(void)
{
	struct fat_dir dir;
	int r = open_it();

	if (r != 0)
		return r;
	fat_dir_root(&fat, &dir);
	return list(&dir);
}

/* ---- tests */

static void test_boot(void)
{
	static const struct {
		unsigned at, bytes;
		uint64_t value;
	} bad[] = {
	    {0, 1, 0xe9},
	    {3, 1, 'e'},
	    {11, 1, 1},
	    {63, 1, 1},
	    {72, 8, SECTORS + 1}, /* longer than the medium */
	    {72, 8, UINT64_MAX},
	    {72, 8, HEAP + CLUSTERS - 1}, /* shorter than its clusters */
	    {72, 8, HEAP - 1},
	    {80, 4, 23}, /* the table in the boot sectors */
	    {80, 4, HEAP - TABLE_SECTORS + 1},
	    {80, 4, UINT32_MAX},
	    {84, 4, 3}, /* fewer entries than clusters */
	    {84, 4, 2 * TABLE_SECTORS + 1},
	    {84, 4, UINT32_MAX},
	    {88, 4, SECTORS},
	    {88, 4, UINT32_MAX},
	    {92, 4, CLUSTERS + 1},
	    {92, 4, UINT32_MAX},
	    {96, 4, 1},
	    {96, 4, CLUSTERS + 2},
	    {104, 2, 0x200}, /* another major revision */
	    {106, 1, 1},     /* a second table that is not there */
	    {108, 1, 8},
	    {108, 1, 13},
	    {108, 1, 255},
	    {109, 1, 17},
	    {109, 1, 255},
	    {110, 1, 0},
	    {110, 1, 3},
	    {510, 1, 0},
	};

	make();
	CHECK_INT(open_it(), 0);
	CHECK_INT(fat.geo.cluster, 512);
	CHECK_INT(fat.geo.clusters, CLUSTERS);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		make();
		for (unsigned k = 0; k < bad[i].bytes; k++)
			img[bad[i].at + k] = (uint8_t)(bad[i].value >> 8 * k);
		seal_boot(SECTOR);
		if (open_it() != R_EXFAT_DAMAGED)
			fprintf(stderr, "byte %u is taken\n", bad[i].at);
		CHECK_INT(open_it(), R_EXFAT_DAMAGED);
	}
	/* two tables that would reach into the clusters */
	make();
	img[110] = 2;
	store_le32(img + 84, TABLE_SECTORS + 1);
	seal_boot(SECTOR);
	CHECK_INT(open_it(), R_EXFAT_DAMAGED);
	/* minor revisions and what changes while it is mounted */
	make();
	img[104] = 99;
	seal_boot(SECTOR);
	img[106] = 2;
	img[112] = 50;
	CHECK_INT(open_it(), 0);
	/* every other byte counts, and so does every copy of the sum */
	for (unsigned i = 0; i < 12 * SECTOR; i += 97) {
		make();
		img[i] ^= 0x10;
		CHECK_INT(open_it(), R_EXFAT_DAMAGED);
	}
	make();
	mem.blk.size = 511;
	CHECK_INT(open_it(), R_EXFAT_DAMAGED);
	mem.blk.size = 12 * SECTOR;
	CHECK_INT(open_it(), R_EXFAT_DAMAGED);

	/* the second table is the one that is kept up */
	make();
	img[110] = 2;
	img[106] = 1;
	seal_boot(SECTOR);
	memmove(img + (TABLE + TABLE_SECTORS) * SECTOR, img + TABLE * SECTOR,
	    TABLE_SECTORS * SECTOR);
	memset(img + TABLE * SECTOR, 0x55, TABLE_SECTORS * SECTOR);
	put_file(data(2), "a");
	CHECK_INT(list_root(), 0);
	CHECK_STR(names, "a|");
	CHECK_INT(fat.geo.fat_off, (TABLE + TABLE_SECTORS) * SECTOR);
}

/* Sectors of 4096, where nothing is where it is with 512. */
static void test_large_sectors(void)
{
	static uint8_t big[(26 + 20) * 4096];
	struct blk_mem m;
	struct fat_dir dir;

	make();
	img[108] = 12;
	store_le64(img + 72, 46);
	store_le32(img + 84, 1);
	store_le32(img + 88, 26);
	store_le32(img + 92, 20);
	store_le32(img + 96, 3);
	memset(img + 512, 0, 12 * 4096 - 512);
	seal_boot(4096);
	memcpy(big, img, 12 * 4096);
	store_le32(big + 24 * 4096 + 3 * 4, 0xffffffff);
	put_file(big + (26 + 1) * 4096, "large");
	blk_mem_init_const(&m, big, sizeof big);
	diag_clear(&diag);
	CHECK_INT(exfat_open(&fat, &m.blk, &diag), 0);
	CHECK_INT(fat.geo.cluster, 4096);
	fat_dir_root(&fat, &dir);
	CHECK_INT(list(&dir), 0);
	CHECK_STR(names, "large|");
}

static void test_names(void)
{
	static const unsigned lengths[] = {1, 14, 15, 16, 30, 31, 240, 255};

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct set s = {.name = "", .units = lengths[i]};
		char want[300];

		make();
		/* in the middle of a cluster, so that it goes on in the next */
		link_cluster(2, 9);
		link_cluster(9, 0xffffffff);
		{
			uint8_t room[32 * 32];
			unsigned n = put(room, &s);

			memset(data(2), 0x05, 10 * 32); /* deleted */
			memcpy(data(2) + 10 * 32, room, MIN(n, 6) * 32);
			if (n > 6)
				memcpy(data(9), room + 6 * 32, (n - 6) * 32);
		}
		memset(want, 'x', lengths[i]);
		strcpy(want + lengths[i], "|");
		CHECK_INT(list_root(), 0);
		CHECK_STR(names, want);
	}
	/* what no console should see; a surrogate pair; and one too long */
	make();
	{
		uint8_t *e = data(2);
		unsigned n = put_file(e, "a/b\033c.raucb");
		unsigned k;

		e += n * 32;
		k = put_file(e, "..");
		le16(e + 66, 0xd83d);
		le16(e + 68, 0xdcbe);
		seal_set(e, k);
		e += k * 32;
		CHECK_INT(list_root(), 0);
		CHECK_STR(names, "a_b_c.raucb|\xf0\x9f\x92\xbe|");
	}
	make();
	{
		struct set s = {.name = "", .units = 100};
		uint8_t *e = data(2);
		unsigned n = put(e, &s);

		for (unsigned i = 0; i < 100; i++)
			le16(e + (2 + i / 15) * 32 + 2 + i % 15 * 2, 0x9577);
		seal_set(e, n);
		put_file(e + n * 32, "next");
		CHECK_INT(list_root(), 0);
		CHECK_STR(names, "next|");
	}
}

/* What is wrong with one file is not another one's fault. */
static void test_damaged_sets(void)
{
	static const struct {
		unsigned at;
		uint8_t xor ;
		bool seal;
	} bad[] = {
	    {1, 1, true},      /* one entry more, which is the next file */
	    {1, 3, true},      /* only one behind it */
	    {1, 2, true},      /* none */
	    {1, 0xff, true},   /* hundreds */
	    {2, 1, false},     /* the sum */
	    {20, 0x80, false}, /* what it guards */
	    {60, 4, false},
	    {70, 8, false},
	    {32, 0x20, true}, /* no stream extension */
	    {32, 0x01, true},
	    {32, 0x80, true}, /* deleted, but only that */
	    {35, 'x', true},  /* name lengths */
	    {40, 1, true},    /* more written than there is */
	    {64, 0x20, true}, /* no name */
	    {64, 0x01, true},
	    {64, 0x80, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t *e = data(2);
		unsigned n;

		make();
		n = put_file(e, "bad");
		CHECK_INT(n, 3);
		put_file(e + 3 * 32, "good");
		e[bad[i].at] ^= bad[i].xor ;
		if (bad[i].seal)
			seal_set(e, bad[i].at == 1 ? MIN(e[1], 6u) + 1 : n);
		CHECK_INT(list_root(), 0);
		if (strcmp(names, "!|good|") != 0)
			fprintf(stderr, "byte %u: %s\n", bad[i].at, names);
		CHECK_STR(names, "!|good|");
	}
	/* a name of length 0 */
	make();
	{
		unsigned n = put_file(data(2), "bad");

		data(2)[35] = 0;
		seal_set(data(2), n);
		CHECK_INT(list_root(), 0);
		CHECK_STR(names, "!|");
	}
	/* a set that the end of the folder cuts, and one that its chain does */
	make();
	put_file(data(2), "bad");
	memset(data(2) + 64, 0, 32);
	CHECK_INT(list_root(), 0);
	CHECK_STR(names, "!|");
	make();
	memset(data(2), 0x05, 14 * 32);
	{
		uint8_t room[96];

		put_file(room, "bad");
		memcpy(data(2) + 14 * 32, room, 64);
	}
	CHECK_INT(list_root(), 0);
	CHECK_STR(names, "!|");
}

static void test_other_entries(void)
{
	struct set vendor = {.name = "vendor", .extra = 0xe0};
	struct set critical = {.name = "critical", .extra = 0xc2};
	uint8_t *e = data(2);

	make();
	e[0] = 0x83;
	e[32] = 0x81;
	e[64] = 0x82;
	e[96] = 0xa0;  /* a GUID: who does not know it passes it over */
	e[128] = 0x03; /* no label */
	e += 160;
	e += put(e, &vendor) * 32;
	put(e, &critical);
	CHECK_INT(list_root(), 0);
	CHECK_STR(names, "vendor|!|");

	for (unsigned type = 0x80; type < 0x100; type++) {
		bool known = type >= 0x81 && type <= 0x83;

		if (type == 0x85)
			continue;
		make();
		data(2)[0] = (uint8_t)type;
		put_file(data(2) + 32, "x");
		if (known || type >= 0xa0) {
			CHECK_INT(list_root(), 0);
			CHECK_STR(names, "x|");
		} else {
			CHECK_INT(list_root(), R_EXFAT_DAMAGED);
			CHECK(strstr(diag.seen, "unknown kind") != NULL);
		}
	}
	/* unused ones of any kind */
	for (unsigned type = 1; type < 0x80; type++) {
		make();
		data(2)[0] = (uint8_t)type;
		put_file(data(2) + 32, "x");
		CHECK_INT(list_root(), 0);
		CHECK_STR(names, "x|");
	}
}

static struct fat_entry find(const char *name)
{
	struct fat_entry e = {0};
	struct fat_dir dir;

	CHECK_INT(open_it(), 0);
	fat_dir_root(&fat, &dir);
	while (exfat_dir_next(&fat, &dir, &e, &diag) > 0)
		if (strcmp(e.name, name) == 0)
			return e;
	CHECK(false);
	return e;
}

static void test_folders(void)
{
	struct set whole = {.name = "whole",
	    .attributes = 0x10,
	    .start = 10,
	    .size = 1024,
	    .valid = 1024,
	    .flags = 3};
	struct set chain = whole;
	struct fat_entry e;
	struct fat_dir dir;
	unsigned n;

	chain.name = "chain";
	chain.flags = 1;
	make();
	n = put(data(2), &whole);
	put(data(2) + n * 32, &chain);
	/* in one: the table has nothing to say; of 16 entries each */
	memset(data(10), 0x05, 512);
	memset(data(11), 0x05, 512);
	memset(data(20), 0x05, 512);
	put_file(data(10) + 15 * 32 - 64, "one");
	put_file(data(11) + 32, "two");
	put_file(data(20), "elsewhere");
	put_file(data(12), "behind");
	e = find("whole");
	CHECK(e.is_dir);
	CHECK_INT(exfat_dir_sub(&fat, &e, &dir, &diag), 0);
	CHECK_INT(list(&dir), 0);
	CHECK_STR(names, "one|two|");
	/* a cut set costs no entry of those that are left */
	put_file(data(11), "cut");
	memset(data(11) + 32, 0x05, 512 - 32);
	put_file(data(11) + 13 * 32, "last");
	CHECK_INT(exfat_dir_sub(&fat, &e, &dir, &diag), 0);
	CHECK_INT(list(&dir), 0);
	CHECK_STR(names, "one|!|last|");
	/* linked, and no longer than it says */
	link_cluster(10, 20);
	link_cluster(20, 12);
	e = find("chain");
	CHECK_INT(exfat_dir_sub(&fat, &e, &dir, &diag), 0);
	CHECK_INT(list(&dir), 0);
	CHECK_STR(names, "one|elsewhere|");
	/* shorter than it says is where it ends */
	link_cluster(10, 0xffffffff);
	CHECK_INT(exfat_dir_sub(&fat, &e, &dir, &diag), 0);
	CHECK_INT(list(&dir), 0);
	CHECK_STR(names, "one|");
	/* what is no cluster, and what only looks like an end */
	static const uint32_t bad[] = {
	    0, 1, CLUSTERS + 2, 0xfffffff7, 0xfffffff8, 0xfffffffe, 0x0fffffff};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		link_cluster(10, bad[i]);
		CHECK_INT(open_it(), 0);
		CHECK_INT(exfat_dir_sub(&fat, &e, &dir, &diag), 0);
		CHECK_INT(list(&dir), R_EXFAT_DAMAGED);
	}

	/* clusters that are not there */
	e.contiguous = true;
	e.start = CLUSTERS + 1;
	e.size = 512;
	CHECK_INT(exfat_dir_sub(&fat, &e, &dir, &diag), 0);
	e.size = 513;
	CHECK_INT(exfat_dir_sub(&fat, &e, &dir, &diag), R_EXFAT_DAMAGED);
	e.size = 512;
	e.start = CLUSTERS + 2;
	CHECK_INT(exfat_dir_sub(&fat, &e, &dir, &diag), R_EXFAT_DAMAGED);
	e.start = 0;
	CHECK_INT(exfat_dir_sub(&fat, &e, &dir, &diag), R_EXFAT_DAMAGED);
	e.start = 10;
	e.contiguous = false;
	e.size = CLUSTERS * 512 + 32;
	CHECK_INT(exfat_dir_sub(&fat, &e, &dir, &diag), R_EXFAT_DAMAGED);

	/* a root folder that never ends */
	make();
	link_cluster(2, 2);
	memset(data(2), 0x05, 512);
	CHECK_INT(list_root(), R_EXFAT_DAMAGED);
	CHECK(strstr(diag.seen, "more than 6400") != NULL);
}

/* Every byte of a file of size bytes is that of its cluster and place. */
static uint8_t expected(const uint32_t *clusters, uint64_t off)
{
	return (uint8_t)(clusters[off / 512] * 7 + off % 512 * 3 % 251);
}

static void fill(const uint32_t *clusters, uint32_t n)
{
	for (uint32_t i = 0; i < n * 512; i++)
		data(clusters[i / 512])[i % 512] = expected(clusters, i);
}

static void test_files(void)
{
	static uint32_t order[300];
	static struct fat_file file;
	static uint8_t got[300 * 512];
	uint64_t size = 299 * 512 + 100;

	make();
	/* in one piece */
	for (uint32_t i = 0; i < 300; i++)
		order[i] = 50 + i;
	fill(order, 300);
	CHECK_INT(open_it(), 0);
	CHECK_INT(exfat_file_open(&fat, &file, 50, size, true, &diag), 0);
	CHECK_INT(fat_file_read(&fat, &file, 0, got, (size_t)size), 0);
	for (uint64_t i = 0; i < size; i++)
		if (got[i] != expected(order, i))
			CHECK_INT(i, 0);
	CHECK_INT(fat_file_read(&fat, &file, 1000, got, 100), 0);
	CHECK_INT(got[0], expected(order, 1000));
	/* up to the last cluster, and not one further */
	CHECK_INT(exfat_file_open(&fat, &file, 102, 300 * 512, true, &diag), 0);
	CHECK_INT(exfat_file_open(&fat, &file, 103, 300 * 512, true, &diag),
	    R_EXFAT_DAMAGED);
	CHECK_INT(exfat_file_open(&fat, &file, 2, UINT64_MAX, true, &diag),
	    R_EXFAT_DAMAGED);
	CHECK_INT(exfat_file_open(&fat, &file, 2, UINT64_MAX, false, &diag),
	    R_EXFAT_DAMAGED);
	CHECK_INT(
	    exfat_file_open(&fat, &file, 0, 5, true, &diag), R_EXFAT_DAMAGED);
	CHECK_INT(exfat_file_open(&fat, &file, 0, 0, true, &diag), 0);
	CHECK_INT(exfat_file_open(&fat, &file, 0, 0, false, &diag), 0);

	/* in pieces, backwards in pairs */
	for (uint32_t i = 0; i < 300; i++)
		order[i] = 350 - (i & ~1u) + (i & 1);
	for (uint32_t i = 0; i < 300; i++)
		link_cluster(order[i], i < 299 ? order[i + 1] : 0xffffffff);
	fill(order, 300);
	CHECK_INT(open_it(), 0);
	CHECK_INT(exfat_file_open(&fat, &file, 350, size, false, &diag), 0);
	CHECK_INT(fat_file_read(&fat, &file, 0, got, (size_t)size), 0);
	for (uint64_t i = 0; i < size; i++)
		if (got[i] != expected(order, i))
			CHECK_INT(i, 0);
	for (uint64_t off = size; off >= 777; off -= 777) {
		CHECK_INT(fat_file_read(&fat, &file, off - 777, got, 777), 0);
		CHECK_INT(got[0], expected(order, off - 777));
		CHECK_INT(got[776], expected(order, off - 1));
	}
	/* too long, too short, a loop */
	CHECK_INT(
	    exfat_file_open(&fat, &file, 350, 300 * 512 + 1, false, &diag),
	    R_EXFAT_DAMAGED);
	CHECK_INT(exfat_file_open(&fat, &file, 350, 299 * 512, false, &diag),
	    R_EXFAT_DAMAGED);
	link_cluster(order[298], order[0]);
	CHECK_INT(open_it(), 0);
	CHECK_INT(exfat_file_open(&fat, &file, 350, size, false, &diag),
	    R_EXFAT_DAMAGED);
}

static struct fs fs;
static struct fs_file found[4];
static unsigned founds;

static int note(void *ctx, const struct fs_file *f)
{
	(void)ctx;
	found[founds++ & 3] = *f;
	return 0;
}

static unsigned warnings;

static void count_line(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)line;
	warnings += level == LOG_WARN;
}

static int walk(void)
{
	int r;

	founds = warnings = 0;
	diag_clear(&diag);
	log_to(count_line, NULL, LOG_INFO);
	r = fs_open(&fs, &mem.blk, &diag);
	if (r == 0)
		r = fs_walk(&fs, note, NULL, &diag);
	log_to(NULL, NULL, LOG_ERR);
	return r;
}

/* What was not written yet is zeros, whatever the clusters hold. */
static void test_valid_length(void)
{
	static const uint64_t valid[] = {0, 1, 511, 512, 700, 1000};
	static struct fs_blk file;
	uint8_t got[1000];

	for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
		struct set s = {.name = "half.raucb",
		    .start = 30,
		    .size = 1000,
		    .valid = valid[i],
		    .flags = 3};

		make();
		put(data(2), &s);
		memset(data(30), 7, 1024);
		CHECK_INT(walk(), 0);
		CHECK_INT(founds, 1);
		CHECK_INT(fs_file_open(&fs, &found[0], &file, &diag), 0);
		CHECK_INT(file.blk.size, 1000);
		for (unsigned step = 1; step <= 1000; step += 333) {
			memset(got, 9, sizeof got);
			for (unsigned off = 0; off + step <= 1000; off += step)
				CHECK_INT(
				    blk_read(&file.blk, off, got + off, step),
				    0);
			for (unsigned k = 0; k < 1000 / step * step; k++)
				if (got[k] != (k < valid[i] ? 7 : 0))
					CHECK_INT(k, 0);
		}
		CHECK_INT(blk_read(&file.blk, 1, got, 1000), R_RANGE);
	}
}

static void test_walk(void)
{
	struct set sub = {.name = "sub",
	    .attributes = 0x10,
	    .start = 10,
	    .size = 512,
	    .valid = 512,
	    .flags = 3};
	struct set broken = sub;
	uint8_t *e = data(2);

	broken.name = "broken";
	broken.start = 0;
	make();
	link_cluster(2, 3);
	link_cluster(3, 0xffffffff);
	memset(data(2), 0x05, 1024);
	e += put(e, &sub) * 32;
	e += put(e, &broken) * 32;
	put_file(e, "damaged");
	e[70] ^= 1;
	e += 3 * 32;
	put_file(e, "a.raucb");
	put_file(data(10), "b.RAUCB");
	CHECK_INT(walk(), 0);
	CHECK_INT(fs.kind, FS_EXFAT);
	CHECK_INT(founds, 2);
	CHECK_STR(found[0].path, "/a.raucb");
	CHECK_STR(found[1].path, "/sub/b.RAUCB");
	CHECK_INT(warnings, 2);
	/* a stick full of damaged entries does not fill the log */
	for (unsigned c = 2; c < 202; c++) {
		link_cluster(c, c < 201 ? c + 1 : 0xffffffff);
		for (unsigned i = 0; i < 16; i++)
			data(c)[i * 32] = 0x85;
	}
	CHECK_INT(walk(), 0);
	CHECK_INT(founds, 0);
	CHECK(warnings > 0 && warnings < 10);
	/* the root folder is another matter */
	data(2)[0] = 0x99;
	CHECK_INT(walk(), R_EXFAT_DAMAGED);
}

/* ---- a file of more than 4 GiB, on a medium made as it is read */

#define BIG_CLUSTER 131072u
#define BIG_HEAP (1u << 20)
#define BIG_CLUSTERS 130000u

/* The file's clusters are every second one, from the last one down. */
static uint32_t big_cluster(uint64_t i)
{
	return BIG_CLUSTERS - 2 * (uint32_t)i;
}

static uint8_t big_byte(uint64_t off)
{
	return (uint8_t)((off >> 32) + (off >> 16) * 3 + off * 5);
}

static int big_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	uint8_t *to = dst;

	(void)b;
	for (size_t i = 0; i < len; i++, off++) {
		uint64_t in = off - BIG_HEAP;
		uint32_t c = (uint32_t)(in / BIG_CLUSTER) + 2;
		uint32_t entry = (uint32_t)((off - TABLE * SECTOR) / 4);
		uint8_t word[4];

		if (off < TABLE * SECTOR) {
			to[i] = img[off];
		} else if (off < BIG_HEAP) {
			uint32_t next = entry % 2 == 0 && entry > 40000
			                    ? entry - 2
			                    : 0xffffffff;

			store_le32(word, next);
			to[i] = word[off % 4];
		} else if (c == 2) {
			to[i] = in < 512 ? data(2)[in] : 0;
		} else {
			to[i] = big_byte(
			    (uint64_t)((BIG_CLUSTERS - c) / 2) * BIG_CLUSTER +
			    in % BIG_CLUSTER);
		}
	}
	return 0;
}

static void test_large_file(void)
{
	static const struct blk_ops ops = {big_read, NULL, NULL, NULL};
	static struct fs_blk file;
	struct blk b = {
	    &ops, BIG_HEAP + (uint64_t)BIG_CLUSTERS * BIG_CLUSTER, 512};
	uint32_t n = (BIG_CLUSTERS - 40000) / 2 + 1;
	uint64_t size = (uint64_t)n * BIG_CLUSTER - 5;
	struct set s = {.name = "big.raucb",
	    .start = big_cluster(0),
	    .size = size,
	    .valid = size,
	    .flags = 1};
	static const uint64_t at[] = {0, 0x7fffffff - 50, 0xffffffff - 50,
	    0x100000000, 0x100000000 + 131072 - 50};

	make();
	img[109] = 8;
	store_le64(img + 72, b.size / 512);
	store_le32(img + 84, 2000);
	store_le32(img + 88, BIG_HEAP / 512);
	store_le32(img + 92, BIG_CLUSTERS);
	seal_boot(SECTOR);
	put(data(2), &s);
	CHECK(size > UINT64_C(5) << 30);
	founds = 0;
	CHECK_INT(fs_open(&fs, &b, &diag), 0);
	CHECK_INT(fs_walk(&fs, note, NULL, &diag), 0);
	CHECK_INT(founds, 1);
	/* the chain ends at the size, or it is damaged */
	CHECK_INT(found[0].size, size);
	diag_clear(&diag);
	CHECK_INT(fs_file_open(&fs, &found[0], &file, &diag), 0);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		uint8_t got[100];

		if (at[i] + 100 > size)
			continue;
		CHECK_INT(blk_read(&file.blk, at[i], got, 100), 0);
		for (unsigned k = 0; k < 100; k++)
			CHECK_INT(got[k], big_byte(at[i] + k));
	}
	found[0].size = UINT64_MAX;
	CHECK_INT(fs_file_open(&fs, &found[0], &file, &diag), R_EXFAT_DAMAGED);
}

static int reads_left;

static int failing_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	(void)b;
	if (reads_left-- <= 0)
		return R_IO;
	memcpy(dst, img + off, len);
	return 0;
}

/* A read that fails, wherever it is, is said to be one. */
static void test_read_errors(void)
{
	static const struct blk_ops ops = {failing_read, NULL, NULL, NULL};
	struct set sub = {.name = "sub",
	    .attributes = 0x10,
	    .start = 10,
	    .size = 512,
	    .valid = 512,
	    .flags = 3};
	int reads = 0;

	make();
	link_cluster(2, 5);
	link_cluster(5, 0xffffffff);
	memset(data(2), 0x05, 1024);
	put(data(2), &sub);
	put_file(data(5), "x");
	put_file(data(10), "y");
	mem.blk.ops = &ops;
	for (;; reads++) {
		int r;

		reads_left = reads;
		r = walk();
		if (r == 0)
			break;
		CHECK_INT(r, R_IO);
		CHECK_INT(diag.reason, R_IO);
		CHECK(reads < 100);
	}
	CHECK(reads > 5);
	CHECK_INT(founds, 2);
}

int main(void)
{
	test_boot();
	test_large_sectors();
	test_names();
	test_damaged_sets();
	test_other_entries();
	test_folders();
	test_files();
	test_valid_length();
	test_walk();
	test_large_file();
	test_read_errors();
	return check_done("exfat");
}
