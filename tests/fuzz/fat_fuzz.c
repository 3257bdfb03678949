/* SPDX-License-Identifier: 0BSD */
/*
 * File systems: identify, walk, open and read.
 */
#include "medium.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned files;

static int found(void *ctx, const struct fs_file *f)
{
	(void)ctx;
	(void)fs_is_bundle_name(f->path);
	if (read_all_ways(f) == R_INTERNAL)
		__builtin_trap();
	return ++files < FILES ? 0 : R_CANCELLED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blk b = {&sparse_ops, SIZE, 512};
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
