/* SPDX-License-Identifier: 0BSD */
/*
 * exFAT: open, walk and read, with checksums that fit whatever the input is,
 * so that what they guard is reached. Reads in pieces, backwards and forwards
 * have to give the same bytes.
 */
#include "media/fs.h"

#define SIZE 0x400000u /* behind the input: zeros */
#define FILES 16
#define READ 20000u
#define ENTRY 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t image[65536];
static size_t image_size;
static struct fs fs;
static unsigned files;

static int sparse_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	(void)b;
	memset(dst, 0, len);
	if (off < image_size)
		memcpy(dst, image + off, MIN(len, image_size - (size_t)off));
	return 0;
}

/* Of the boot sectors, unless the first byte says no. */
static void seal_boot(void)
{
	uint32_t sector = 1u << (image[108] & 15), sum = 0;

	if (image[0] != 0xeb || sector < 512 || sector > 4096 ||
	    image_size < (size_t)12 * sector)
		return;
	for (uint32_t i = 0; i < 11 * sector; i++)
		if (i != 106 && i != 107 && i != 112)
			sum = (sum << 31 | sum >> 1) + image[i];
	for (uint32_t i = 0; i < sector; i += 4)
		store_le32(image + 11 * sector + i, sum);
}

/* Of what looks like the entries of a file, unless its sum is 0xffff. */
static void seal_sets(void)
{
	for (size_t at = 512; at + ENTRY <= image_size; at += ENTRY) {
		uint8_t *e = image + at;
		size_t len = (e[1] + (size_t)1) * ENTRY;
		uint32_t sum = 0;

		if (e[0] != 0x85 || len > image_size - at ||
		    load_le16(e + 2) == 0xffff)
			continue;
		for (size_t i = 0; i < len; i++)
			if (i != 2 && i != 3)
				sum = ((sum << 15 | sum >> 1) + e[i]) & 0xffff;
		e[2] = (uint8_t)sum;
		e[3] = (uint8_t)(sum >> 8);
	}
}

static int found(void *ctx, const struct fs_file *f)
{
	static struct fs_blk file;
	static uint8_t forward[READ], piece[READ];
	struct diag d = {0};
	size_t n;

	(void)ctx;
	if (f->path[0] != '/' || f->valid > f->size)
		__builtin_trap();
	if (fs_file_open(&fs, f, &file, &d) == 0) {
		n = (size_t)MIN(f->size, READ);
		if (f->size > SIZE || blk_read(&file.blk, 0, forward, n) != 0)
			__builtin_trap();
		for (size_t end = n; end > 0;) {
			size_t len = MIN(end, 777u);

			end -= len;
			if (blk_read(&file.blk, end, piece, len) != 0 ||
			    memcmp(piece, forward + end, len) != 0)
				__builtin_trap();
		}
		for (size_t i = (size_t)MIN(f->valid, n); i < n; i++)
			if (forward[i] != 0)
				__builtin_trap();
		if (f->size > 0 &&
		    blk_read(&file.blk, f->size - 1, piece, 1) != 0)
			__builtin_trap();
	} else if (d.reason != R_EXFAT_DAMAGED) {
		__builtin_trap();
	}
	return ++files < FILES ? 0 : R_CANCELLED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct blk_ops ops = {sparse_read, NULL, NULL, NULL};
	struct blk b = {&ops, SIZE, 512};
	struct diag d = {0};
	int r;

	memset(image, 0, 512);
	image_size = MIN(size, sizeof image);
	memcpy(image, data, image_size);
	memcpy(image + 3, "EXFAT   ", 8);
	image_size = image_size < 512 ? 512 : image_size;
	seal_boot();
	seal_sets();
	files = 0;
	r = fs_open(&fs, &b, &d);
	if (r == 0)
		r = fs_walk(&fs, found, NULL, &d);
	if (r != 0 && r != R_CANCELLED && r != R_EXFAT_DAMAGED)
		__builtin_trap();
	return 0;
}
