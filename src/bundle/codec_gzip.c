/* SPDX-License-Identifier: 0BSD */
#include "bundle/codec.h"

#include <libdeflate.h>

/*
 * libdeflate's own way to make a decompressor is to allocate it and to zero
 * it; ours is zero already. Nothing calls these two, but the allocating
 * functions refer to them. Weak: the test that compares CODEC_WORK with what
 * libdeflate asks for has its own.
 */
void *libdeflate_malloc(size_t size);
void libdeflate_free(void *p);

__attribute__((weak)) void *libdeflate_malloc(size_t size)
{
	(void)size;
	return NULL;
}

__attribute__((weak)) void libdeflate_free(void *p)
{
	(void)p;
}

static int gzip_decode(
    void *work, const void *src, size_t len, void *dst, size_t cap, size_t *out)
{
	/* Squashfs's "gzip" blocks are zlib streams, with an Adler-32. */
	if (libdeflate_zlib_decompress(work, src, len, dst, cap, out) !=
	    LIBDEFLATE_SUCCESS)
		return R_SQFS_DECOMPRESS;
	return 0;
}

const struct codec_ops codec_gzip = {"gzip", 1, gzip_decode};
