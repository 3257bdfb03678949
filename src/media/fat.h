/* SPDX-License-Identifier: 0BSD */
/*
 * FAT12, FAT16 and FAT32 with long names, read-only. Microsoft's "FAT: General
 * Overview of On-Disk Format", version 1.03. Every field is foreign: what is
 * used was checked first, every chain and folder has an upper bound. Pure.
 *
 * exFAT has the same table with other marks in it, so its volumes are a struct
 * fat, too: exfat.h opens them and reads their folders.
 */
#ifndef LIFEBOAT_FAT_H
#define LIFEBOAT_FAT_H

#include "base/blk.h"

#define FAT_NAME 256          /* a name as UTF-8, with NUL; longer: skipped */
#define FAT_WINDOW 4096       /* bytes of the medium kept in memory */
#define FAT_POINTS 128        /* clusters of a file remembered for seeking */
#define FAT_DIR_ENTRIES 65536 /* a folder may have no more */
#define FAT_LONG_PARTS 20     /* entries that make up one long name */

/*
 * Where things are, in bytes from the start of the file system.
 *
 * Always true: clusters are numbered 2 .. clusters + 1; the entry of each lies
 * in the table and its data in [data_off, size).
 */
struct fat_geo {
	int damaged;      /* R_FAT_DAMAGED, R_EXFAT_DAMAGED */
	unsigned bits;    /* of a table entry: 12, 16 or 32 */
	uint32_t mask;    /* of them those that make up a number */
	uint32_t end;     /* this number and all above: no cluster follows */
	uint32_t entries; /* a folder may have no more */
	uint32_t cluster; /* bytes */
	uint32_t clusters;
	uint64_t fat_off; /* the active table */
	uint64_t fat_len;
	uint64_t root_off; /* root folder of FAT12 and FAT16 */
	uint32_t root_len;
	uint32_t root_cluster; /* of FAT32 and exFAT, else 0 */
	uint64_t data_off;
	uint64_t size; /* that the file system says it has */
	bool has_serial;
	uint32_t serial;
	char label[12]; /* of the boot sector, or "" */
};

struct fat {
	struct blk *b; /* the caller's, outlives this */
	struct fat_geo geo;
	/* of the table or of a folder, whichever was read last */
	uint64_t window_off;
	size_t window_len;
	uint8_t window[FAT_WINDOW];
	uint8_t long_name[FAT_LONG_PARTS * 26];
};

/*
 * One chain of clusters.
 *
 * Always true after a successful fat_file_open: point[i] is the cluster number
 * i * step of the file; the clusters [run_index, run_index + run_len) of the
 * file lie one behind the other from cluster run_cluster on.
 */
struct fat_file {
	uint32_t clusters;
	uint32_t run_index;
	uint32_t run_cluster;
	uint32_t run_len;
	uint32_t step;
	uint32_t point[FAT_POINTS];
};

struct fat_dir {
	uint32_t cluster; /* 0: the root folder of FAT12 and FAT16 */
	uint32_t off;     /* in the cluster, or in that root folder */
	uint32_t left;    /* entries that may still come */
	bool sized;       /* exFAT: so many, and no more, come */
	bool contiguous;  /* exFAT: not in the table, cluster behind cluster */
};

struct fat_entry {
	char name[FAT_NAME];
	bool is_dir;
	bool contiguous; /* exFAT, as above */
	bool damaged;    /* exFAT: it contradicts itself; nothing else counts */
	uint32_t start;
	uint64_t size;
	uint64_t valid; /* bytes that were written; behind them are zeros */
};

/* False when these are not the first bytes of a FAT file system. Does not know
 * how large the medium is. */
bool fat_parse(struct fat_geo *g, const uint8_t boot[512]) MUST_CHECK;

/* R_FAT_DAMAGED (also when larger than b), R_IO. */
int fat_open(struct fat *f, struct blk *b, struct diag *d) MUST_CHECK;

/* The label entry of the root folder, else that of the boot sector, else "".
 * label holds 12 bytes. R_IO. */
int fat_label(const struct fat_geo *g, struct blk *b, char *label) MUST_CHECK;

void fat_dir_root(const struct fat *f, struct fat_dir *dir);
/* R_FAT_DAMAGED when e's first cluster is none. */
int fat_dir_sub(const struct fat *f, const struct fat_entry *e,
    struct fat_dir *dir, struct diag *d) MUST_CHECK;

/*
 * The next file or folder: 1; 0 at the end; R_FAT_DAMAGED, R_IO. Deleted
 * entries, labels, "." and ".." are not returned, nor are names longer than
 * FAT_NAME - 1 bytes. '/' and control characters in a name become '_', and so
 * do the characters of an old code page in a short name.
 */
int fat_dir_next(struct fat *f, struct fat_dir *dir, struct fat_entry *e,
    struct diag *d) MUST_CHECK;

/* Follows the whole chain once: R_FAT_DAMAGED when it is not exactly as long
 * as size needs, so also when it is a loop; R_IO. */
int fat_file_open(struct fat *f, struct fat_file *file, uint32_t start,
    uint64_t size, struct diag *d) MUST_CHECK;

/* The caller keeps [off, off + len) inside the file. R_FAT_DAMAGED when the
 * chain changed since it was opened, R_IO. */
int fat_file_read(struct fat *f, struct fat_file *file, uint64_t off, void *dst,
    size_t len) MUST_CHECK;

/* ---- for exfat.c */

bool fat_is_cluster(const struct fat_geo *g, uint32_t c);
/* Damage: "WHOSE: cluster C of 2 to N". */
int fat_bad_cluster(
    const struct fat *f, const char *whose, uint32_t c, struct diag *d);
/* Makes *p point to need bytes at off of the medium, the first of which lies
 * before end; reads nothing behind end. R_IO. */
int fat_load(struct fat *f, uint64_t off, size_t need, uint64_t end,
    const uint8_t **p, struct diag *d) MUST_CHECK;
/* At the first entry of a folder that begins with this cluster. */
void fat_dir_start(const struct fat *f, struct fat_dir *dir, uint32_t cluster);
/* The next 32 bytes of a folder: 1, 0 at its end, or a reason. */
int fat_dir_raw(struct fat *f, struct fat_dir *dir, const uint8_t **e,
    struct diag *d) MUST_CHECK;

#endif
