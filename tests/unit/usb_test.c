/* SPDX-License-Identifier: 0BSD */
/* What a medium without a bundle is called, and which files of one with
 * bundles are candidates. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "check.h"
#include "source/source.h"

#define SIZE (4u << 20)

static uint8_t image[SOURCE_MEDIA][SIZE];
static struct blk_mem mem[SOURCE_MEDIA];
static bool broken[SOURCE_MEDIA]; /* every read of it fails */
static struct source source;
static char said[8192];
static unsigned lines;

static void on_line(void *ctx, enum log_level level, const char *line)
{
	size_t n = strlen(said);

	(void)ctx;
	(void)level;
	lines++;
	snprintf(said + n, sizeof said - n, "%s\n", line);
}

static int no_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	(void)b;
	(void)off;
	(void)dst;
	(void)len;
	return R_IO;
}

static int list(unsigned media, struct diag *d)
{
	static const struct blk_ops none = {no_read, NULL, NULL, NULL};

	memset(&source, 0, sizeof source);
	memset(d, 0, sizeof *d);
	said[0] = '\0';
	lines = 0;
	source.ops = &source_usb;
	source.media = media;
	for (unsigned i = 0; i < media; i++) {
		blk_mem_init_const(&mem[i], image[i], SIZE);
		if (broken[i])
			mem[i].blk.ops = &none;
		source.medium[i].blk = &mem[i].blk;
		snprintf(source.medium[i].name, SOURCE_NAME, "sd%c", 'a' + i);
	}
	return source_usb.list(&source, d);
}

static void expect(int reason, const char *text)
{
	struct diag d;
	int r = list(1, &d);

	if (r != reason || !strstr(d.seen, text))
		fprintf(stderr, "%s: %s\n", reason_name(r), d.seen);
	CHECK_INT(r, reason);
	CHECK_INT(d.reason, reason);
	CHECK(strstr(d.seen, text) != NULL);
	CHECK(strstr(said, "sda") != NULL);
}

static void test_none(void)
{
	struct diag d;

	CHECK_INT(list(0, &d), R_NO_MEDIUM);
	memset(image[0], 0, SIZE);
	expect(R_FS_UNKNOWN, "");
	memset(image[0], 'x', 512);
	expect(R_FS_UNKNOWN, "");
	memset(image[0], 0, SIZE);
	memcpy(image[0] + 3, "NTFS    ", 8);
	expect(R_FS_UNSUPPORTED, "NTFS");
	memcpy(image[0] + 3, "EXFAT   ", 8);
	expect(R_EXFAT_DAMAGED, "boot sector");
	memset(image[0], 0, SIZE);
	image[0][1024 + 56] = 0x53;
	image[0][1024 + 57] = 0xef;
	expect(R_FS_UNSUPPORTED, "ext4");
	memset(image[0], 0, SIZE);
	memcpy(image[0] + 32768, "\1CD001", 6);
	expect(R_FS_UNSUPPORTED, "ISO 9660");
	/* a GPT of which neither copy is right */
	memset(image[0], 0, SIZE);
	image[0][510] = 0x55;
	image[0][511] = 0xaa;
	image[0][450] = 0xee;
	image[0][454] = 1;
	memset(image[0] + 458, 0xff, 4);
	memcpy(image[0] + 512, "EFI PART", 8);
	expect(R_PART_TABLE, "");
}

/* FAT as mtools makes it; offset in bytes, behind which it is put. */
static void fat(unsigned which, size_t offset, const char *files)
{
	char name[] = "/tmp/usb_test.XXXXXX", command[512];
	int fd = mkstemp(name);

	snprintf(command, sizeof command,
	    "f=%s; d=$f.d; mkdir $d && truncate -s %u $f && mformat -i $f :: &&"
	    " for n in %s; do echo bundle >$d/x; case $n in */*) mmd -D s -i $f"
	    " ::${n%%/*} ;; esac; mcopy -D s -i $f $d/x ::$n; done 2>/dev/null;"
	    " rm -r $d",
	    name, (unsigned)(SIZE - offset), files);
	CHECK_INT(system(command), 0);
	memset(image[which] + offset, 0, SIZE - offset);
	CHECK(read(fd, image[which] + offset, SIZE - offset) ==
	      (ssize_t)(SIZE - offset));
	close(fd);
	unlink(name);
}

static void test_files(void)
{
	struct diag d;
	struct blk *b;
	char text[8] = "";

	memset(image[0], 0, SIZE);
	fat(0, 0, "readme.txt .hidden.raucb");
	expect(R_NO_BUNDLE, "2 files");

	fat(0, 0, "a.raucb ._a.raucb b.RAUCB notes.txt d.raucs sub/c.raucb");
	CHECK_INT(list(1, &d), 0);
	CHECK_INT(d.reason, 0);
	CHECK_INT(source.files, 3);
	CHECK_STR(source.file[0].where, "sda:/a.raucb");
	CHECK_STR(source.file[2].where, "sda:/sub/c.raucb");
	CHECK(strstr(said, "sda:/._a.raucb: not taken: a macOS") != NULL);
	CHECK(strstr(said, "sda:/notes.txt: not taken: no bundle") != NULL);
	CHECK(strstr(said, "sda:/d.raucs: not taken: in stream order, for TFTP "
	                   "and serial lines") != NULL);
	CHECK_INT(source_usb.open(&source, 2, &b, &d), 0);
	CHECK_INT(b->size, 7);
	CHECK_INT(blk_read(b, 0, text, 7), 0);
	CHECK_STR(text, "bundle\n");
}

/* A medium that cannot be read does not hide the next one. */
static void test_two(void)
{
	struct diag d;

	memset(image[0], 0, SIZE);
	memcpy(image[0] + 3, "NTFS    ", 8);
	memset(image[1], 0, SIZE);
	fat(1, 1u << 20, "new.raucb");
	/* MBR: partition 1 from 1 MiB to the end */
	image[1][450] = 0x0c;
	image[1][455] = 8;
	image[1][459] = (SIZE - (1u << 20)) >> 17;
	image[1][510] = 0x55;
	image[1][511] = 0xaa;
	CHECK_INT(list(2, &d), 0);
	CHECK_INT(source.files, 1);
	CHECK_STR(source.file[0].where, "sdb1:/new.raucb");
	CHECK(strstr(said, "[unsupported-filesystem]") != NULL);
}

/* A stick full of files that are none does not fill the log. */
static void test_many(void)
{
	struct diag d;

	memset(image[0], 0, SIZE);
	fat(0, 0, "$(seq 1 100)");
	CHECK_INT(list(1, &d), R_NO_BUNDLE);
	CHECK(lines < 70);
	CHECK(strstr(said, "100 files are no bundles") != NULL);
	fat(0, 0, "$(seq -f %g.raucb 1 40)");
	CHECK_INT(list(1, &d), 0);
	CHECK_INT(source.files, SOURCE_FILES);
	CHECK(strstr(said, "too many bundles") != NULL);
}

/* A hub full of sticks, of which one after the other is of no use. */
static void test_all_media(void)
{
	struct diag d;

	memset(image, 0, sizeof image);
	broken[0] = true;
	memcpy(image[1] + 3, "NTFS    ", 8);
	memcpy(image[2] + 3, "EXFAT   ", 8);
	fat(3, 0, "readme.txt");
	/* a GPT of which neither copy is right */
	image[4][510] = 0x55;
	image[4][511] = 0xaa;
	image[4][450] = 0xee;
	image[4][454] = 1;
	memset(image[4] + 458, 0xff, 4);
	memcpy(image[4] + 512, "EFI PART", 8);
	fat(5, 0, "first.raucb");
	/* a partition that is longer than its stick */
	image[6][450] = 0x0c;
	image[6][455] = 8;
	memset(image[6] + 458, 0x7f, 4);
	image[6][510] = 0x55;
	image[6][511] = 0xaa;
	fat(7, 0, "second.raucb");
	CHECK_INT(list(SOURCE_MEDIA, &d), 0);
	CHECK_INT(source.files, 2);
	CHECK_STR(source.file[0].where, "sdf:/first.raucb");
	CHECK_STR(source.file[1].where, "sdh:/second.raucb");
	for (const char *name = "abcdg"; *name; name++) {
		char text[8];

		snprintf(text, sizeof text, "sd%c", *name);
		if (!strstr(said, text))
			fprintf(stderr, "nothing of %s in\n%s", text, said);
		CHECK(strstr(said, text) != NULL);
	}
	CHECK(strstr(said, "[io-error]") != NULL);
	/* all of them gone */
	for (unsigned i = 0; i < SOURCE_MEDIA; i++)
		broken[i] = true;
	CHECK_INT(list(SOURCE_MEDIA, &d), R_IO);
	CHECK_INT(d.reason, R_IO);
	memset(broken, 0, sizeof broken);
}

int main(void)
{
	log_to(on_line, NULL, LOG_DEBUG);
	test_none();
	test_files();
	test_two();
	test_many();
	test_all_media();
	return check_done("usb");
}
