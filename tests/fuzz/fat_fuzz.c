/* SPDX-License-Identifier: 0BSD */
/*
 * File systems: identify, walk, open and read. Reads in pieces, backwards and
 * forwards have to give the same bytes.
 */
#include "media/fs.h"

#define SIZE 0x400000u /* behind the input: zeros */
#define FILES 16
#define READ 20000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t input_size;
static struct fs fs;
static unsigned files;

static int sparse_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	(void)b;
	memset(dst, 0, len);
	if (off < input_size)
		memcpy(dst, input + off, MIN(len, input_size - (size_t)off));
	return 0;
}

static int found(void *ctx, const struct fs_file *f)
{
	static struct fs_blk file;
	static uint8_t forward[READ], piece[READ];
	struct diag d = {0};
	size_t n;

	(void)ctx;
	(void)fs_is_bundle_name(f->path);
	if (strlen(f->path) < 1 || f->path[0] != '/')
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
		if (f->size > 0 &&
		    blk_read(&file.blk, f->size - 1, piece, 1) != 0)
			__builtin_trap();
	} else if (d.reason == 0) {
		__builtin_trap();
	}
	return ++files < FILES ? 0 : R_CANCELLED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct blk_ops ops = {sparse_read, NULL, NULL, NULL};
	struct blk b = {&ops, SIZE, 512};
	struct diag d = {0};
	struct fs_id id;

	input = data;
	input_size = size;
	files = 0;
	if (fs_identify(&b, &id, &d) != 0 ||
	    strlen(id.label) >= sizeof id.label ||
	    strlen(id.uuid) >= sizeof id.uuid)
		__builtin_trap();
	if (fs_open(&fs, &b, &d) == 0)
		(void)!fs_walk(&fs, found, NULL, &d);
	return 0;
}
