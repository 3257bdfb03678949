/* SPDX-License-Identifier: 0BSD */
/* All of an image, with the codec that its superblock names. */
#include "bundle/squashfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(struct sqfs_file *f)
{
	static uint8_t piece[10000];
	uint64_t sum = 0;
	size_t n = 1;
	bool hole;

	/* A file may be one large hole: bounded here, by time elsewhere. */
	for (unsigned i = 0; i < 200 && n > 0; i++) {
		if (sqfs_read(f, piece, sizeof piece, &n, &hole, NULL) != 0)
			return;
		sum += n;
	}
	if (sum > f->size || (n == 0 && sum != f->size))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sqfs s;
	static struct sqfs_walk w;
	struct sqfs_file f;
	struct blk_mem m;
	struct diag d = {0};
	char text[100];

	blk_mem_init_const(&m, data, size);
	if (sqfs_open(&s, &m.blk, &d) != 0 || sqfs_walk_start(&w, &s, &d) != 0)
		return 0;
	for (unsigned i = 0; i < 300; i++) {
		if (sqfs_walk_next(&w, &f, &d) != 1)
			break;
		if (strlen(w.path) >= sizeof w.path)
			__builtin_trap();
		if (f.type == SQFS_REG)
			read_file(&f);
		else if (sqfs_readlink(&f, text, sizeof text, NULL) == 0 &&
		         strlen(text) != f.size)
			__builtin_trap();
	}
	return 0;
}
