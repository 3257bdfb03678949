/* SPDX-License-Identifier: 0BSD */
/*
 * exFAT, read-only: Microsoft's "exFAT file system specification", revision
 * 1.00. What it has in common with FAT is fat.h's: a volume is a struct fat,
 * and its folders and files are read with fat_dir_root and fat_file_read. Pure.
 *
 * Not read are:
 *   the allocation bitmap, which matters to those who write;
 *   the up-case table and the hashes of names made with it. Names are compared
 *   with "*.raucb" only, and what a table says of ASCII is fixed by the
 *   specification; each name is guarded by the checksum of its entry;
 *   the second copy of the boot sectors: whatever wrote both of them
 *   differently has more to repair.
 */
#ifndef LIFEBOAT_EXFAT_H
#define LIFEBOAT_EXFAT_H

#include "media/fat.h"

#define EXFAT_DIR_ENTRIES (1u << 23) /* a folder may have no more: 256 MiB */

/* R_EXFAT_DAMAGED (also when larger than b, or of another major revision),
 * R_IO. */
int exfat_open(struct fat *f, struct blk *b, struct diag *d) MUST_CHECK;

/* R_EXFAT_DAMAGED when e's clusters are none. */
int exfat_dir_sub(const struct fat *f, const struct fat_entry *e,
    struct fat_dir *dir, struct diag *d) MUST_CHECK;

/*
 * As fat_dir_next. An entry whose parts contradict each other or its checksum
 * comes as damaged, so that a write that was cut does not hide all others; an
 * entry of a kind that readers have to know and this one does not makes the
 * whole folder R_EXFAT_DAMAGED.
 */
int exfat_dir_next(struct fat *f, struct fat_dir *dir, struct fat_entry *e,
    struct diag *d) MUST_CHECK;

/* As fat_file_open; contiguous is the entry's. */
int exfat_file_open(struct fat *f, struct fat_file *file, uint32_t start,
    uint64_t size, bool contiguous, struct diag *d) MUST_CHECK;

#endif
