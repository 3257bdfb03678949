/* SPDX-License-Identifier: 0BSD */
#include "bundle/codec.h"

#include <lz4.h>

static int lz4_decode(
    void *work, const void *src, size_t len, void *dst, size_t cap, size_t *out)
{
	int n;

	(void)work;
	/* Squashfs's "lz4" blocks are single lz4 blocks, without a frame. Both
	 * lengths are at most SQFS_BLOCK_MAX. */
	n = LZ4_decompress_safe(src, dst, (int)len, (int)cap);
	if (n < 0)
		return R_SQFS_DECOMPRESS;
	*out = (size_t)n;
	return 0;
}

const struct codec_ops codec_lz4 = {"lz4", 5, lz4_decode};
