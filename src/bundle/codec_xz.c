/* SPDX-License-Identifier: 0BSD */
#include "bundle/codec.h"

#include <xz_block.h>

static int xz_decode(
    void *work, const void *src, size_t len, void *dst, size_t cap, size_t *out)
{
	/* Squashfs's "xz" blocks are whole .xz streams with a CRC-32. */
	return xz_block(work, src, len, dst, cap, out) ? 0 : R_SQFS_DECOMPRESS;
}

const struct codec_ops codec_xz = {"xz", 4, xz_decode};
