/* SPDX-License-Identifier: 0BSD */
/*
 * Squashfs's compressions: which of them this build decodes, and what the
 * others are called. A codec is one const struct in one table. Pure.
 */
#ifndef LIFEBOAT_CODEC_H
#define LIFEBOAT_CODEC_H

#include "base/base.h"
#include "base/reason.h"

/* What the largest decoder needs: zstd's context with a 1 KiB literal buffer.
 * xz's state takes 30 KiB (its dictionary is the block that it decodes into,
 * however large one the stream asks for), libdeflate's tables 11,568 bytes,
 * lz4 none. */
#define CODEC_WORK 32768u

struct codec_ops {
	const char *name; /* as mksquashfs -comp names it */
	uint16_t id;      /* of squashfs's superblock */
	/*
	 * Decodes one whole block into at most cap bytes and sets *out to how
	 * many they are. work is CODEC_WORK bytes aligned to 16, all zero
	 * before the first call and left to this codec between calls. 0,
	 * R_SQFS_DECOMPRESS (dst then holds anything), R_INTERNAL.
	 */
	int (*decode)(void *work, const void *src, size_t len, void *dst,
	    size_t cap, size_t *out);
};

extern const struct codec_ops codec_gzip; /* libdeflate */
extern const struct codec_ops codec_zstd; /* libzstd */
extern const struct codec_ops codec_xz;   /* XZ Embedded, all its filters */
extern const struct codec_ops codec_lz4;  /* lz4 */

/* NULL when this build has no decoder for it. */
const struct codec_ops *codec_find(uint16_t id);

/* "gzip", "lzma", "lzo", "xz", "lz4", "zstd", "unknown". */
const char *codec_name(uint16_t id);

#endif
