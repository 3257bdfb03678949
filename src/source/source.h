/* SPDX-License-Identifier: 0BSD */
/*
 * Where a bundle comes from. A source lists candidate files and opens one of
 * them as a read-only blk; it is a const struct, and one more is one file and
 * one line where it is used. Runs in the source child. Nothing a source says
 * is trusted by whoever reads from it.
 */
#ifndef LIFEBOAT_SOURCE_H
#define LIFEBOAT_SOURCE_H

#include "base/blk.h"
#include "base/reason.h"
#include "media/fs.h"
#include "source/feed.h"

#define SOURCE_MEDIA 8   /* sticks and cards at a time; more are passed over */
#define SOURCE_FILES 32  /* candidates in all */
#define SOURCE_NAME 40   /* "sda", with NUL */
#define SOURCE_WHERE 160 /* "sda1:/sub/x.raucb", cut, for people */

struct source_medium {
	char name[SOURCE_NAME]; /* of the device, or the path of a file */
	struct blk *blk;        /* the caller's, read-only */
};

struct source_entry {
	char where[SOURCE_WHERE];
	unsigned medium;
	uint64_t off; /* of the partition on the medium */
	uint64_t len;
	struct fs_file file;
};

struct source_ops;

/* Where what comes once is kept when it has to be read twice. */
struct spool {
	int fd;         /* a file in memory, to read and write; -1: none */
	uint64_t limit; /* bytes it may take */
	uint64_t free;  /* of which this is a share: for people */
};

/* Large (30 KiB): one static per process. Fill ops, media and medium. */
struct source {
	const struct source_ops *ops;
	unsigned media;
	struct source_medium medium[SOURCE_MEDIA];
	unsigned files;
	struct source_entry file[SOURCE_FILES];
	/* The file that is open, and what it lies on. */
	struct blk_window part;
	struct fs fs;
	struct fs_blk open;
	/*
	 * source_once: what begins the transfer, where it may be kept, and
	 * whom to tell how far it is. Afterwards forward is not NULL when the
	 * file can only be read once and in order: from it, and not from the
	 * blk that open() gives, which only knows the size.
	 */
	int (*begin)(struct source *s, struct feed **feed, struct diag *d);
	const struct origin *origin;
	struct spool spool;
	bool raw; /* not a bundle: whatever it is, it is read once */
	void (*progress)(uint64_t done, uint64_t total);
	struct feed *forward;
};

struct source_ops {
	const char *name;
	/*
	 * Fills file[]. Logs one line for every file that is passed over and
	 * for everything that cannot be read. 0 with at least one candidate;
	 * else the reason there is none: R_NO_MEDIUM, R_PART_TABLE,
	 * R_FS_UNKNOWN, R_FS_UNSUPPORTED, R_FAT_DAMAGED, R_EXFAT_DAMAGED,
	 * R_NO_BUNDLE, R_IO.
	 */
	int (*list)(struct source *s, struct diag *d);
	/* The file as a blk that is valid until the next call. */
	int (*open)(
	    struct source *s, unsigned i, struct blk **out, struct diag *d);
};

extern const struct source_ops source_usb;  /* partitions with FAT or exFAT */
extern const struct source_ops source_file; /* medium[0] is the bundle */

/*
 * What comes once: a pipe, TFTP, a serial line. In stream order (by its first
 * eight bytes) it is forward; anything else is taken into the spool whole
 * before list() returns, and is then a file like others. The reasons of the
 * feed; R_SPOOL_FULL, R_FULL, R_STREAM_CUT (nothing came).
 */
extern const struct source_ops source_once;

#endif
