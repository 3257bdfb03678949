/* SPDX-License-Identifier: 0BSD */
/*
 * exFAT: open, walk and read, with checksums that fit whatever the input is,
 * so that what they guard is reached.
 */
#include "medium.h"

#define ENTRY 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t image[65536];
static size_t image_size;
static unsigned files;

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
	int r = read_all_ways(f);

	(void)ctx;
	if (r != 0 && r != R_EXFAT_DAMAGED)
		__builtin_trap();
	return ++files < FILES ? 0 : R_CANCELLED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blk b = {&sparse_ops, SIZE, 512};
	struct diag d = {0};
	int r;

	memset(image, 0, 512);
	image_size = MIN(size, sizeof image);
	memcpy(image, data, image_size);
	memcpy(image + 3, "EXFAT   ", 8);
	image_size = image_size < 512 ? 512 : image_size;
	seal_boot();
	seal_sets();
	input = image;
	input_size = image_size;
	files = 0;
	r = fs_open(&fs, &b, &d);
	if (r == 0)
		r = fs_walk(&fs, found, NULL, &d);
	if (r != 0 && r != R_CANCELLED && r != R_EXFAT_DAMAGED)
		__builtin_trap();
	return 0;
}
