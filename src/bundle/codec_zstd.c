/* SPDX-License-Identifier: 0BSD */
#include "bundle/codec.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

static int zstd_decode(
    void *work, const void *src, size_t len, void *dst, size_t cap, size_t *out)
{
	ZSTD_DCtx *ctx = ZSTD_initStaticDCtx(work, CODEC_WORK);
	size_t n;

	if (!ctx)
		return R_INTERNAL;
	/* In one call, so the window is dst itself, however large the frame
	 * says that it is. */
	n = ZSTD_decompressDCtx(ctx, dst, cap, src, len);
	if (ZSTD_isError(n))
		return R_SQFS_DECOMPRESS;
	*out = n;
	return 0;
}

const struct codec_ops codec_zstd = {"zstd", 6, zstd_decode};
