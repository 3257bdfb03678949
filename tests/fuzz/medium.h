/* SPDX-License-Identifier: 0BSD */
/* The input as a medium, and a file on it read in pieces, backwards and
 * forwards, which has to give the same bytes. */
#ifndef LIFEBOAT_TESTS_MEDIUM_H
#define LIFEBOAT_TESTS_MEDIUM_H

#include "media/fs.h"

#define SIZE 0x400000u /* behind the input: zeros */
#define FILES 16
#define READ 20000u

static const uint8_t *input;
static size_t input_size;
static struct fs fs;

static int sparse_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	(void)b;
	memset(dst, 0, len);
	if (off < input_size)
		memcpy(dst, input + off, MIN(len, input_size - (size_t)off));
	return 0;
}

static const struct blk_ops sparse_ops = {sparse_read, NULL, NULL, NULL};

/* The reason for which it cannot be opened, or 0. */
static int read_all_ways(const struct fs_file *f)
{
	static struct fs_blk file;
	static uint8_t forward[READ], piece[READ];
	struct diag d = {0};
	size_t n = (size_t)MIN(f->size, READ);

	if (f->path[0] != '/' || f->valid > f->size)
		__builtin_trap();
	if (fs_file_open(&fs, f, &file, &d) != 0)
		return d.reason != 0 ? d.reason : R_INTERNAL;
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
	if (f->size > 0 && blk_read(&file.blk, f->size - 1, piece, 1) != 0)
		__builtin_trap();
	return 0;
}

#endif
