/* SPDX-License-Identifier: 0BSD */
/*
 * File systems on media: told apart by their first bytes, read by a driver.
 * Pure.
 */
#ifndef LIFEBOAT_FS_H
#define LIFEBOAT_FS_H

#include "base/blk.h"
#include "media/exfat.h"

enum fs_kind {
	FS_UNKNOWN,
	FS_FAT,
	FS_EXFAT,
	FS_NTFS,
	FS_EXT4, /* ext2 and ext3 too */
	FS_ISO9660,
	FS_SQUASHFS,
	FS_EMPTY, /* only zeros where a file system would say what it is */
};

#define FS_UUID 37
#define FS_LABEL 64

struct fs_id {
	enum fs_kind kind;
	char uuid[FS_UUID]; /* as blkid writes it (FAT: "XXXX-XXXX"); or "" */
	char label[FS_LABEL];
};

const char *fs_kind_name(enum fs_kind k); /* "FAT", "NTFS", ... */

/* Never an error but R_IO: what is not known is FS_UNKNOWN. */
int fs_identify(struct blk *b, struct fs_id *id, struct diag *d) MUST_CHECK;

#define FS_NAME 256 /* a file name as UTF-8, with NUL; longer: skipped */
#define FS_PATH 512
#define FS_BUNDLES \
	32 /* candidates listed on one medium; more: R_LIMIT line \
	    */

/* A file on a medium, as found: enough to open it without a name. */
struct fs_file {
	char path[FS_PATH]; /* "/sub/x.raucb", for people */
	uint64_t size;
	uint64_t valid;  /* bytes written; behind them are zeros (exFAT) */
	uint32_t start;  /* first cluster */
	bool contiguous; /* no table look-ups needed (exFAT) */
};

struct fs {
	enum fs_kind kind;
	struct fat fat; /* exFAT's, too */
};

/* R_FS_UNKNOWN, R_FS_UNSUPPORTED (d names what it is), R_FAT_DAMAGED,
 * R_EXFAT_DAMAGED, R_IO. */
int fs_open(struct fs *fs, struct blk *b, struct diag *d) MUST_CHECK;

/*
 * Walks the root folder, then its direct subfolders. Calls found for every
 * regular file; what is passed over (a damaged subfolder) is said in the log.
 * A non-zero return of found ends the walk and is returned. R_FAT_DAMAGED or
 * R_EXFAT_DAMAGED when the root folder is damaged, R_IO.
 */
typedef int fs_found(void *ctx, const struct fs_file *f);
int fs_walk(
    struct fs *fs, fs_found *found, void *ctx, struct diag *d) MUST_CHECK;

/* A file as a read-only blk of f->size bytes; fs must outlive it. */
struct fs_blk {
	struct blk blk;
	struct fs *fs;
	uint64_t valid;
	struct fat_file fat;
};

int fs_file_open(struct fs *fs, const struct fs_file *f, struct fs_blk *out,
    struct diag *d) MUST_CHECK;

/* *.raucb in any case, not hidden and no "._" AppleDouble litter. */
bool fs_is_bundle_name(const char *name);
/* The same of *.raucs, a bundle in stream order. */
bool fs_is_stream_name(const char *name);

#endif
