/* SPDX-License-Identifier: 0BSD */
/*
 * Partition tables: MBR (primary and logical), GPT (the backup when the first
 * is damaged), or none at all. Read-only, bounded, pure. UEFI 2.10 chapter 5.
 */
#ifndef LIFEBOAT_PART_H
#define LIFEBOAT_PART_H

#include "base/blk.h"

#define PART_MAX 64
#define PART_LABEL 109 /* 36 UTF-16 units as UTF-8, with NUL */
#define PARTUUID_TEXT 37

enum part_kind { PART_NONE, PART_MBR, PART_GPT };

struct part {
	unsigned number; /* as Linux counts: 1.., logical from 5; 0: whole */
	uint64_t off;    /* bytes from the start of the medium */
	uint64_t size;   /* bytes; inside the medium, checked */
	char label[PART_LABEL];   /* GPT name as UTF-8; empty on MBR */
	char uuid[PARTUUID_TEXT]; /* PARTUUID as Linux writes it, lower case */
};

struct part_table {
	enum part_kind kind;
	bool backup; /* GPT: the backup header was used */
	unsigned count;
	struct part part[PART_MAX];
};

/*
 * PART_NONE (no table) yields one part, the whole medium, number 0. sector is
 * blk->sector; 0 (a file) tries 512 and 4096 for a GPT and means 512 for an
 * MBR. Partitions that overlap an earlier one or leave the medium are passed
 * over with a warning in the log. R_PART_TABLE: there is a table and it is
 * damaged beyond use; R_IO.
 */
int part_read(
    struct part_table *t, struct blk *medium, struct diag *d) MUST_CHECK;

#endif
