/* SPDX-License-Identifier: 0BSD */
#include "media/fs.h"

#include "base/log.h"

#include "../check.h"

static uint8_t img[64 * 1024];
static struct blk_mem mem;
static struct diag diag;

static void clear(void)
{
	memset(img, 0, sizeof img);
	blk_mem_init_const(&mem, img, sizeof img);
	diag_clear(&diag);
}

static void check_id(enum fs_kind kind, const char *uuid, const char *label)
{
	struct fs_id id;

	CHECK_INT(fs_identify(&mem.blk, &id, &diag), 0);
	CHECK_INT(id.kind, kind);
	CHECK_STR(id.uuid, uuid);
	CHECK_STR(id.label, label);
}

/* A FAT32 of 100 clusters of 512 bytes, data from byte 2048 on. */
static void make_fat(void)
{
	static const uint8_t boot[] = {0xeb, 0x58, 0x90, 'm', 'k', 'f', 's',
	    ' ', ' ', ' ', ' ', 0, 2, 1, 2, 0, 1, 0, 0, 104, 0, 0xf8};

	clear();
	memcpy(img, boot, sizeof boot);
	img[36] = 2;
	img[44] = 2;
	img[66] = 0x29;
	store_le32(img + 67, 0x1a2b3c4d);
	memcpy(img + 71, "NO NAME    ", 11);
	img[510] = 0x55;
	img[511] = 0xaa;
	store_le32(img + 1024 + 8, 0x0fffffff);
}

static uint8_t *cluster(unsigned c)
{
	return img + 2048 + (c - 2) * 512;
}

static void put(unsigned dir, unsigned i, const char *name, unsigned attr,
    unsigned start, unsigned size)
{
	uint8_t *e = cluster(dir) + i * 32;

	memcpy(e, name, 11);
	e[11] = (uint8_t)attr;
	e[26] = (uint8_t)start;
	e[27] = (uint8_t)(start >> 8);
	store_le32(e + 28, size);
}

static void test_identify(void)
{
	static const char *const other[] = {"NTFS", "exFAT", "ext4", "ISO 9660",
	    "squashfs", "FAT", "empty", "unknown"};
	static struct fs fs;

	clear();
	check_id(FS_EMPTY, "", "");
	CHECK_INT(fs_open(&fs, &mem.blk, &diag), R_FS_UNKNOWN);
	mem.blk.size = 0;
	check_id(FS_EMPTY, "", "");
	mem.blk.size = 1100;
	check_id(FS_EMPTY, "", "");
	clear();
	img[40000] = 1;
	check_id(FS_EMPTY, "", "");
	img[33000] = 1;
	check_id(FS_UNKNOWN, "", "");
	CHECK_INT(fs_open(&fs, &mem.blk, &diag), R_FS_UNKNOWN);

	clear();
	memcpy(img + 3, "NTFS    ", 8);
	store_le64(img + 72, 0x0123456789abcdef);
	check_id(FS_NTFS, "0123456789ABCDEF", "");
	CHECK_INT(fs_open(&fs, &mem.blk, &diag), R_FS_UNSUPPORTED);
	CHECK(strstr(diag.seen, "NTFS") != NULL);

	clear();
	memcpy(img + 3, "EXFAT   ", 8);
	store_le32(img + 100, 0x00ab12cd);
	check_id(FS_EXFAT, "00AB-12CD", "");
	CHECK_INT(fs_open(&fs, &mem.blk, &diag), R_EXFAT_DAMAGED);

	clear();
	img[1024 + 56] = 0x53;
	img[1024 + 57] = 0xef;
	for (unsigned i = 0; i < 16; i++)
		img[1024 + 104 + i] = (uint8_t)(i * 17);
	memcpy(img + 1024 + 120, "sixteen bytes\033[m", 16);
	check_id(FS_EXT4, "00112233-4455-6677-8899-aabbccddeeff",
	    "sixteen bytes?[m");
	img[1024 + 24] = 7; /* blocks of 128 KiB: no ext4 */
	check_id(FS_UNKNOWN, "", "");

	clear();
	memcpy(img + 32768, "\1CD001", 6);
	memcpy(img + 32768 + 40, "MY CD                           ", 32);
	memcpy(img + 32768 + 813, "2024010203040506", 16);
	memcpy(img + 32768 + 830, "0000000000000000", 16);
	check_id(FS_ISO9660, "2024-01-02-03-04-05-06", "MY CD");
	memcpy(img + 32768 + 813, "20240102030\0", 12);
	check_id(FS_ISO9660, "", "MY CD");

	clear();
	memcpy(img, "hsqs", 4);
	check_id(FS_SQUASHFS, "", "");

	make_fat();
	check_id(FS_FAT, "1A2B-3C4D", "");
	diag_clear(&diag);
	CHECK_INT(fs_open(&fs, &mem.blk, &diag), 0);
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		static const enum fs_kind kind[] = {FS_NTFS, FS_EXFAT, FS_EXT4,
		    FS_ISO9660, FS_SQUASHFS, FS_FAT, FS_EMPTY, FS_UNKNOWN};

		CHECK_STR(fs_kind_name(kind[i]), other[i]);
	}
}

struct seen {
	char text[4000];
	unsigned count;
	int stop_at;
	int give;
	struct fs_file last;
};

static int note(void *ctx, const struct fs_file *f)
{
	struct seen *s = ctx;

	s->last = *f;
	if (s->count++ < 50) {
		strcat(s->text, f->path);
		strcat(s->text, "|");
	}
	return (int)s->count == s->stop_at ? s->give : 0;
}

static unsigned warnings;

static void count_line(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)line;
	warnings += level == LOG_WARN;
}

static void test_walk(void)
{
	static struct fs fs;
	static struct seen s;
	static struct fs_blk file;
	uint8_t got[700];

	make_fat();
	put(2, 0, "SUB        ", 0x10, 3, 0);
	put(2, 1, "A       RAU", 0x20, 5, 600);
	put(2, 2, "BROKEN     ", 0x10, 0, 0);
	put(2, 3, "LOOP       ", 0x10, 4, 0);
	put(2, 4, "LAST    TXT", 0x20, 0, 0);
	put(3, 0, ".          ", 0x10, 3, 0);
	put(3, 1, "..         ", 0x10, 0, 0);
	put(3, 2, "DEEPER     ", 0x10, 3, 0);
	put(3, 3, "B       RAU", 0x20, 5, 600);
	for (unsigned i = 0; i < 16; i++)
		put(4, i, "X          ", 0x20, 0, 0);
	store_le32(img + 1024 + 3 * 4, 0x0fffffff);
	store_le32(img + 1024 + 4 * 4, 4);
	store_le32(img + 1024 + 5 * 4, 7);
	store_le32(img + 1024 + 7 * 4, 0x0fffffff);
	memset(cluster(5), 5, 512);
	memset(cluster(7), 7, 512);

	log_to(count_line, NULL, LOG_INFO);
	CHECK_INT(fs_open(&fs, &mem.blk, &diag), 0);
	CHECK_INT(fs.kind, FS_FAT);
	CHECK_INT(fs_walk(&fs, note, &s, &diag), 0);
	/* the root folder first; a broken subfolder hides no other */
	CHECK(strncmp(s.text, "/A.RAU|/LAST.TXT|/SUB/B.RAU|/LOOP/X|", 36) == 0);
	CHECK_INT(s.count, 3 + FAT_DIR_ENTRIES);
	CHECK_INT(warnings, 2);

	/* found's answer ends the walk */
	memset(&s, 0, sizeof s);
	s.stop_at = 3;
	s.give = R_CANCELLED;
	CHECK_INT(fs_walk(&fs, note, &s, &diag), R_CANCELLED);
	CHECK_INT(s.count, 3);
	s.count = 0;
	s.give = R_FAT_DAMAGED; /* the caller's own, not the folder's */
	CHECK_INT(fs_walk(&fs, note, &s, &diag), R_FAT_DAMAGED);
	CHECK_INT(s.count, 3);

	diag_clear(&diag);
	CHECK_STR(s.last.path, "/SUB/B.RAU");
	CHECK_INT(fs_file_open(&fs, &s.last, &file, &diag), 0);
	CHECK_INT(file.blk.size, 600);
	CHECK_INT(blk_read(&file.blk, 0, got, 600), 0);
	CHECK_INT(got[0], 5);
	CHECK_INT(got[511], 5);
	CHECK_INT(got[512], 7);
	CHECK_INT(got[599], 7);
	CHECK_INT(blk_read(&file.blk, 1, got, 600), R_RANGE);
	CHECK_INT(blk_write(&file.blk, 0, got, 1), R_READ_ONLY);
	s.last.size = 1ull << 32;
	CHECK_INT(fs_file_open(&fs, &s.last, &file, &diag), R_FAT_DAMAGED);

	/* many folders that all point to one loop: the walk still ends */
	make_fat();
	for (unsigned i = 0; i < 16; i++)
		put(2, i, "LOOP       ", 0x10, 4, 0);
	for (unsigned i = 0; i < 16; i++)
		put(4, i, "X          ", 0x20, 0, 0);
	store_le32(img + 1024 + 4 * 4, 4);
	memset(&s, 0, sizeof s);
	warnings = 0;
	CHECK_INT(fs_open(&fs, &mem.blk, &diag), R_NONE);
	CHECK_INT(fs_walk(&fs, note, &s, &diag), 0);
	CHECK(s.count <= 8u * FAT_DIR_ENTRIES);
	CHECK(warnings > 0 && warnings < 12);

	/* a damaged root folder is an error */
	make_fat();
	store_le32(img + 1024 + 8, 1);
	for (unsigned i = 0; i < 16; i++)
		put(2, i, "X          ", 0x20, 0, 0);
	CHECK_INT(fs_open(&fs, &mem.blk, &diag), 0);
	CHECK_INT(fs_walk(&fs, note, &s, &diag), R_FAT_DAMAGED);
	log_to(NULL, NULL, LOG_ERR);
}

static int no_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	(void)b;
	(void)off;
	(void)dst;
	(void)len;
	return R_MEDIUM_GONE;
}

static void test_io_error(void)
{
	static const struct blk_ops ops = {no_read, NULL, NULL, NULL};
	static struct fs fs;

	make_fat();
	mem.blk.ops = &ops;
	CHECK_INT(fs_open(&fs, &mem.blk, &diag), R_MEDIUM_GONE);
	CHECK_INT(diag.reason, R_MEDIUM_GONE);
}

static void test_bundle_names(void)
{
	CHECK(fs_is_bundle_name("a.raucb"));
	CHECK(fs_is_bundle_name("Update 1.2.RaucB"));
	CHECK(!fs_is_bundle_name(".raucb"));
	CHECK(!fs_is_bundle_name("._a.raucb"));
	CHECK(!fs_is_bundle_name(".a.raucb"));
	CHECK(!fs_is_bundle_name("araucb"));
	CHECK(!fs_is_bundle_name("a.raucb.part"));
	CHECK(!fs_is_bundle_name("raucb"));
	CHECK(!fs_is_bundle_name(""));
	CHECK(!fs_is_bundle_name("a.raucs"));
	CHECK(!fs_is_bundle_name("a.rauc"));
	CHECK(fs_is_stream_name("a.RAUCs"));
	CHECK(!fs_is_stream_name("a.raucb"));
	CHECK(!fs_is_stream_name("._a.raucs"));
}

int main(void)
{
	test_identify();
	test_walk();
	test_io_error();
	test_bundle_names();
	return check_done("fs");
}
