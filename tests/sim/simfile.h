/* SPDX-License-Identifier: 0BSD */
/*
 * A file in a folder on a simulated disk, as a journalling file system leaves
 * it to a power cut: a sector with the folder's names, one with each inode,
 * and the data. Every one of them reaches the medium when it likes, until the
 * disk is flushed. A second file stands beside it, which nobody writes.
 */
#ifndef LIFEBOAT_SIMFILE_H
#define LIFEBOAT_SIMFILE_H

#include "base/blk.h"

#define SIMFILE_MAX 4096u /* longest text */

struct simfile {
	struct blk *blk; /* simfile_size() bytes */
	uint32_t sector;
	/* Mutants: no fsync before the rename; none after it; the file itself
	 * is overwritten. */
	bool hasty, lazy, in_place;
};

uint64_t simfile_size(uint32_t sector);

/* Fills dst (simfile_size bytes) with a folder that has the file (text NULL:
 * has not) and the neighbour. */
void simfile_format(
    uint8_t *dst, uint32_t sector, const char *text, size_t len);

/* Where the neighbour lies, and how long it is. */
size_t simfile_neighbour(uint32_t sector, size_t *len);

/* The file in the bytes of a medium; NULL: there is none. */
const char *simfile_look(const uint8_t *p, uint32_t sector, size_t *len);

/* R_NOT_FOUND, R_IO. dst: SIMFILE_MAX bytes. */
int simfile_read(struct simfile *f, char *dst, size_t *len) MUST_CHECK;

/* Temporary file, fsync, rename, fsync of the folder. R_FULL: too long; else
 * what the disk says. */
int simfile_replace(struct simfile *f, const char *text, size_t len) MUST_CHECK;

#endif
