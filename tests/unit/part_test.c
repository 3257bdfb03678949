/* SPDX-License-Identifier: 0BSD */
#include "media/part.h"

#include "base/log.h"
#include "media/text.h"

#include "../check.h"

#define SIZE (1024 * 1024)
static uint8_t img[SIZE];
static struct blk_mem mem;
static struct part_table t;
static struct diag diag;
static unsigned warnings;

static void count_line(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)line;
	warnings += level == LOG_WARN;
}

static void clear(void)
{
	memset(img, 0, sizeof img);
	blk_mem_init_const(&mem, img, sizeof img);
	warnings = 0;
}

static int parse(void)
{
	diag_clear(&diag);
	return part_read(&t, &mem.blk, &diag);
}

static void mbr(
    uint32_t at, unsigned i, unsigned type, uint32_t start, uint32_t sectors)
{
	uint8_t *p = img + at + 446 + 16 * i;

	p[4] = (uint8_t)type;
	store_le32(p + 8, start);
	store_le32(p + 12, sectors);
	img[at + 510] = 0x55;
	img[at + 511] = 0xaa;
}

static bool is_part(
    unsigned i, unsigned number, uint64_t off, uint64_t size, const char *uuid)
{
	const struct part *p = &t.part[i];

	return i < t.count && p->number == number && p->off == off &&
	       p->size == size && strcmp(p->uuid, uuid) == 0;
}

static void test_none(void)
{
	clear();
	CHECK_INT(parse(), 0);
	CHECK_INT(t.kind, PART_NONE);
	CHECK(is_part(0, 0, 0, SIZE, ""));
	mem.blk.size = 100;
	CHECK_INT(parse(), 0);
	CHECK(is_part(0, 0, 0, 100, ""));
	mem.blk.size = 0;
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, 0);

	/* 55AA and an empty table */
	clear();
	mbr(0, 0, 0, 0, 0);
	CHECK_INT(parse(), 0);
	CHECK_INT(t.kind, PART_NONE);
	CHECK_INT(t.count, 1);
}

static void put_bpb(void)
{
	static const uint8_t boot[] = {0xeb, 0x3c, 0x90, 'M', 'S', 'D', 'O',
	    'S', '5', '.', '0', 0, 2, 1, 1, 0, 1, 32, 0, 200, 0, 0xf8, 1, 0};

	memcpy(img, boot, sizeof boot);
	img[510] = 0x55;
	img[511] = 0xaa;
}

static void test_boot_sector(void)
{
	/* a FAT without a table: code and text where the table would be */
	clear();
	put_bpb();
	CHECK_INT(parse(), 0);
	CHECK_INT(t.kind, PART_NONE);
	memset(img + 446, 'R', 64);
	CHECK_INT(parse(), 0);
	CHECK_INT(t.kind, PART_NONE);
	CHECK(is_part(0, 0, 0, SIZE, ""));
	/* the same text without the FAT is a damaged table */
	img[13] = 3;
	CHECK_INT(parse(), R_PART_TABLE);
	CHECK_INT(diag.reason, R_PART_TABLE);
	memcpy(img + 3, "NTFS    ", 8);
	CHECK_INT(parse(), 0);
	CHECK_INT(t.kind, PART_NONE);

	/* GRUB keeps the old parameters in the MBR: the table counts */
	clear();
	put_bpb();
	mbr(0, 0, 0x0c, 100, 200);
	CHECK_INT(parse(), 0);
	CHECK_INT(t.kind, PART_MBR);
	CHECK_INT(t.count, 1);
}

static void test_mbr(void)
{
	clear();
	store_le32(img + 440, 0x0badcafe);
	mbr(0, 0, 0x0c, 8, 100);
	mbr(0, 2, 0x83, 1000, 1048);
	img[446 + 32] = 0x80;
	CHECK_INT(parse(), 0);
	CHECK_INT(t.kind, PART_MBR);
	CHECK_INT(t.count, 2);
	CHECK(is_part(0, 1, 4096, 51200, "0badcafe-01"));
	CHECK(is_part(1, 3, 512000, 536576, "0badcafe-03"));
	CHECK_INT(warnings, 0);
	/* one sector more does not fit: passed over, the other stays */
	mbr(0, 2, 0x83, 1000, 1049);
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, 1);
	CHECK_INT(warnings, 1);
	mbr(0, 2, 0x83, 107, 5); /* overlaps */
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, 1);
	mbr(0, 2, 0x83, 108, 5); /* touches */
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, 2);
	/* sectors of 4096 */
	mem.blk.sector = 4096;
	mbr(0, 2, 0x83, 200, 56);
	CHECK_INT(parse(), 0);
	CHECK(is_part(0, 1, 32768, 409600, "0badcafe-01"));
	CHECK(is_part(1, 3, 819200, 229376, "0badcafe-03"));
	/* nothing usable */
	clear();
	mbr(0, 0, 0x0c, 4000, 100);
	mbr(0, 1, 0x0c, 0xffffffff, 0xffffffff);
	CHECK_INT(parse(), R_PART_TABLE);
	clear();
	mbr(0, 0, 0x0c, 8, 100);
	img[446] = 0x13;
	CHECK_INT(parse(), R_PART_TABLE);
}

static void test_logical(void)
{
	clear();
	store_le32(img + 440, 0x12);
	mbr(0, 0, 0x0c, 8, 92);
	mbr(0, 1, 0x0f, 100, 1900);
	mbr(100 * 512, 0, 0x83, 10, 90);   /* 110 + 90 */
	mbr(100 * 512, 1, 0x05, 500, 200); /* next at 600 */
	mbr(600 * 512, 0, 0x83, 10, 90);   /* 610 + 90 */
	mbr(600 * 512, 1, 0x05, 300, 100); /* next at 400: backwards */
	mbr(400 * 512, 0, 0x83, 10, 90);   /* 410 + 90 */
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, 4);
	CHECK(is_part(1, 5, 110 * 512, 90 * 512, "00000012-05"));
	CHECK(is_part(2, 6, 610 * 512, 90 * 512, "00000012-06"));
	CHECK(is_part(3, 7, 410 * 512, 90 * 512, "00000012-07"));
	CHECK_INT(warnings, 0);

	/* loops: to an earlier record, to itself without a partition */
	mbr(400 * 512, 1, 0x05, 500, 100);
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, 4);
	CHECK(warnings > 0 && warnings < 4);
	warnings = 0;
	mbr(400 * 512, 0, 0, 0, 0);
	mbr(400 * 512, 1, 0x05, 300, 100);
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, 3);
	CHECK(warnings > 0 && warnings < 4);
	/* a record without its mark, one outside */
	img[400 * 512 + 510] = 0;
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, 3);
	mbr(600 * 512, 1, 0x05, 1900, 100);
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, 3);
	mbr(0, 1, 0x0f, 3000, 4000000000u);
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, 1);

	/* more than the table holds */
	clear();
	mbr(0, 0, 0x0f, 10, 2000);
	for (unsigned i = 0; i < 80; i++) {
		mbr((10 + i * 8) * 512, 0, 0x83, 1, 7);
		mbr((10 + i * 8) * 512, 1, 0x05, (i + 1) * 8, 8);
	}
	CHECK_INT(parse(), 0);
	CHECK_INT(t.count, PART_MAX);
	CHECK_INT(t.part[PART_MAX - 1].number, PART_MAX + 4);
	CHECK(warnings > 0 && warnings < 4);
}

static uint32_t sec;

static uint64_t gpt_last(void)
{
	return SIZE / sec - 1;
}

/* Sets the checksums of a header and its entries. */
static void seal(uint64_t lba)
{
	uint8_t *h = img + lba * sec;
	uint64_t at = load_le64(h + 72) * sec;
	uint64_t len = (uint64_t)load_le32(h + 80) * load_le32(h + 84);

	if (at <= SIZE && len <= SIZE - at)
		store_le32(h + 88, crc32_update(0, img + at, len));
	store_le32(h + 16, 0);
	store_le32(h + 16, crc32_update(0, h, load_le32(h + 12)));
}

static void header(uint64_t lba, uint64_t other, uint64_t entries,
    uint32_t count, uint32_t size)
{
	uint8_t *h = img + lba * sec;

	memcpy(h, "EFI PART\0\0\1\0\134\0\0\0", 16);
	store_le64(h + 24, lba);
	store_le64(h + 32, other);
	store_le64(h + 40, 6);
	store_le64(h + 48, gpt_last() - 6);
	store_le64(h + 72, entries);
	store_le32(h + 80, count);
	store_le32(h + 84, size);
}

static void gpt_entry(uint8_t *e, uint64_t first, uint64_t last)
{
	static const uint8_t guid[16] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8,
	    0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};

	memcpy(e, guid, 16);
	memcpy(e + 16, guid, 16);
	store_le64(e + 32, first);
	store_le64(e + 40, last);
	memcpy(e + 56, "r\0o\0\344\0\075\330\276\334\0\330f\0", 14);
}

#define GUID "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

static void make_gpt(uint32_t sector)
{
	uint32_t entries = 16384 / sector;

	clear();
	sec = sector;
	mem.blk.sector = sector;
	mbr(0, 0, 0xee, 1, 0xffffffff);
	header(1, gpt_last(), 2, 128, 128);
	header(gpt_last(), 1, gpt_last() - entries, 128, 128);
	for (unsigned k = 0; k < 2; k++) {
		uint8_t *e =
		    img + (k == 0 ? 2 : gpt_last() - entries) * (size_t)sector;

		gpt_entry(e, 40, 49);
		gpt_entry(e + 5 * 128, 50, 50);
		gpt_entry(e + 127 * 128, 60, 79);
	}
	seal(1);
	seal(gpt_last());
}

static void check_gpt(bool backup)
{
	CHECK_INT(parse(), 0);
	CHECK_INT(t.kind, PART_GPT);
	CHECK_INT(t.backup, backup);
	CHECK_INT(t.count, 3);
	CHECK(is_part(0, 1, 40 * sec, 10 * sec, GUID));
	CHECK(is_part(1, 6, 50 * sec, sec, GUID));
	CHECK(is_part(2, 128, 60 * sec, 20 * sec, GUID));
	CHECK_STR(t.part[0].label, "ro\303\244\360\237\222\276\357\277\275f");
}

static void test_gpt(uint32_t sector)
{
	static const unsigned damage[] = {
	    0, 8, 12, 16, 20, 24, 40, 72, 80, 84, 88, 91};

	make_gpt(sector);
	check_gpt(false);
	mem.blk.sector = 0;
	check_gpt(false);
	for (size_t i = 0; i < ARRAY_LEN(damage); i++) {
		make_gpt(sector);
		img[sec + damage[i]] ^= 1;
		check_gpt(true);
		CHECK(warnings > 0);
		img[gpt_last() * sec + damage[i]] ^= 1;
		CHECK_INT(parse(), R_PART_TABLE);
		CHECK_INT(t.count, 0);
	}
	make_gpt(sector);
	img[2 * sec + 127 * 128 + 127] ^= 1;
	check_gpt(true);
	mem.blk.sector = 0;
	check_gpt(true);
	img[(gpt_last() - 1) * sec] ^= 1;
	CHECK_INT(parse(), R_PART_TABLE);

	/* hybrid */
	make_gpt(sector);
	mbr(0, 0, 0x0c, 40, 10);
	mbr(0, 3, 0xee, 1, 39);
	check_gpt(false);

	/* entries outside, upside down and overlapping are passed over */
	make_gpt(sector);
	gpt_entry(img + 2 * sec + 128, gpt_last() + 1, gpt_last() + 1);
	gpt_entry(img + 2 * sec + 256, 45, 44);
	gpt_entry(img + 2 * sec + 384, 49, 49);
	gpt_entry(img + 2 * sec + 512, 1, UINT64_MAX);
	seal(1);
	check_gpt(false);
	CHECK_INT(warnings, 1);

	/* hostile headers with good checksums */
	for (unsigned i = 0; i < 8; i++) {
		static const struct {
			unsigned off;
			uint64_t value;
		} bad[] = {{72, UINT64_MAX}, {72, UINT64_MAX / 512},
		    {72, SIZE / 512 - 1}, {80, 0xffffffff}, {84, 64}, {84, 192},
		    {84, 0x80000000}, {24, 2}};
		uint8_t *p = img + sector + bad[i].off;

		make_gpt(sector);
		if (bad[i].off == 72 || bad[i].off == 24)
			store_le64(p, bad[i].value);
		else
			store_le32(p, (uint32_t)bad[i].value);
		seal(1);
		check_gpt(true);
	}
	make_gpt(sector);
	store_le32(img + sec + 12, 0xffffffff); /* header size */
	check_gpt(true);

	/* more used entries than the library keeps; larger entries */
	make_gpt(sector);
	header(1, gpt_last(), 100, 100, 256);
	for (unsigned i = 0; i < 100; i++)
		gpt_entry(img + 100 * sec + i * 256, 10 + i / 2 * 2 % 20,
		    10 + i / 2 * 2 % 20);
	seal(1);
	CHECK_INT(parse(), 0);
	CHECK(!t.backup);
	CHECK_INT(t.count, 10);
	if (sector == 512) {
		make_gpt(sector);
		for (unsigned i = 0; i < 128; i++)
			gpt_entry(img + 1024 + i * 128, 40 + i, 40 + i);
		seal(1);
		CHECK_INT(parse(), 0);
		CHECK_INT(t.count, PART_MAX);
		CHECK(!t.backup);
	}
	/* empty, but intact */
	make_gpt(sector);
	memset(img + 2 * sec, 0, 16384);
	seal(1);
	CHECK_INT(parse(), 0);
	CHECK_INT(t.kind, PART_GPT);
	CHECK_INT(t.count, 0);

	/* too small for a table */
	make_gpt(sector);
	mem.blk.size = 512;
	CHECK_INT(parse(), R_PART_TABLE);
}

static uint64_t broken_from, broken_to;

static int broken_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	if (off < broken_to && broken_from < off + len)
		return R_IO;
	memcpy(dst, ((struct blk_mem *)b)->p + off, len);
	return 0;
}

static void test_io_error(void)
{
	static const struct blk_ops ops = {broken_read, NULL, NULL, NULL};

	make_gpt(512);
	mem.blk.ops = &ops;
	broken_from = 512;
	broken_to = 1024;
	check_gpt(true); /* a bad sector does not hide the backup */
	broken_to = SIZE;
	CHECK_INT(parse(), R_IO);
	broken_from = 0;
	CHECK_INT(parse(), R_IO);
	CHECK_INT(diag.reason, R_IO);
}

static void test_text(void)
{
	char out[16];

	CHECK(text_utf16(out, 7, (const uint8_t *)"\345e\254N", 2));
	CHECK_STR(out, "\346\227\245\344\272\254");
	CHECK(!text_utf16(out, 6, (const uint8_t *)"\345e\254N", 2));
	CHECK_STR(out, "");
	CHECK(text_utf16(out, 1, (const uint8_t *)"", 0));
	CHECK_STR(out, "");
	/* low surrogate first; high one at the end */
	CHECK(text_utf16(out, 16, (const uint8_t *)"\0\334=\330", 2));
	CHECK_STR(out, "\357\277\275\357\277\275");
	text_padded(out, (const uint8_t *)"A B\1\377  \0", 8);
	CHECK_STR(out, "A B__");
	text_padded(out, (const uint8_t *)"    ", 4);
	CHECK_STR(out, "");
}

int main(void)
{
	log_to(count_line, NULL, LOG_INFO);
	test_none();
	test_boot_sector();
	test_mbr();
	test_logical();
	test_gpt(512);
	test_gpt(4096);
	test_io_error();
	test_text();
	return check_done("part");
}
