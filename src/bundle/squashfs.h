/* SPDX-License-Identifier: 0BSD */
/*
 * Squashfs 4.0, read-only, over a blk whose bytes are authentic but still
 * foreign: nothing in here trusts them. Regular files, directories and
 * symbolic links; other types are named and passed over. No extended
 * attributes, no export table. Pure.
 */
#ifndef LIFEBOAT_SQUASHFS_H
#define LIFEBOAT_SQUASHFS_H

#include "base/blk.h"
#include "bundle/codec.h"

#define SQFS_BLOCK_MAX (1u << 20)
#define SQFS_META 8192u    /* bytes in a metadata block, at most */
#define SQFS_NAME 256      /* longest name, without NUL */
#define SQFS_DEPTH 8       /* directories below each other */
#define SQFS_PATH 1024     /* longest path, with NUL */
#define SQFS_ENTRIES 65536 /* names one walk returns */

/* What an image consists of, in this order. */
enum sqfs_area {
	SQFS_DATA, /* of files and of fragments */
	SQFS_INODES,
	SQFS_DIRS,
	SQFS_FRAGMENTS,
	SQFS_INDEX, /* of the fragment table, and what comes behind it */
	SQFS_AREAS,
};

/* The metadata block read last, of one area. */
struct sqfs_meta {
	uint64_t at;   /* where the block starts */
	uint64_t next; /* where the one behind it starts */
	uint32_t len;  /* bytes of data; 0 when empty */
	uint8_t data[SQFS_META];
};

/*
 * About 2.1 MiB, of which only what the image's block size needs is ever
 * touched: block size times two, 24 KiB of metadata, the decoder's 32 KiB.
 * So it belongs into static storage of its owner.
 */
struct sqfs {
	struct blk *blk;
	struct diag *d; /* of the call at hand */
	const struct codec_ops *codec;
	uint32_t block_size;
	uint32_t inodes;
	uint32_t fragments;
	uint64_t root; /* inode reference */
	/* Always true: they ascend, from 96 to the bytes of the file system;
	 * an area is [bound[area], bound[area + 1]). */
	uint64_t bound[SQFS_AREAS + 1];
	struct sqfs_meta meta[SQFS_FRAGMENTS]; /* from SQFS_INODES on */
	uint64_t out_at;   /* the block that out holds starts here; 0: none */
	uint32_t out_word; /* and has this size word */
	uint32_t out_len;
	_Alignas(16) uint8_t work[CODEC_WORK];
	uint8_t in[SQFS_BLOCK_MAX];
	uint8_t out[SQFS_BLOCK_MAX];
};

/*
 * Reads the superblock and the root inode. blk outlives s, which is zero when
 * it was never used before. R_SQFS_MAGIC, R_SQFS_VERSION, R_SQFS_CODEC,
 * R_SQFS_DAMAGED, R_SQFS_RANGE, R_SQFS_DECOMPRESS, or what reading blk
 * returned: then without a text, for only the blk knows more.
 */
int sqfs_open(struct sqfs *s, struct blk *blk, struct diag *d) MUST_CHECK;

/* Where the superblock says that the tables begin, which is where the data
 * end; nothing of it is judged. What reading blk returned. */
int sqfs_tables(struct blk *blk, uint64_t *at) MUST_CHECK;

/* A place in a table. */
struct sqfs_pos {
	uint64_t at; /* of a metadata block */
	enum sqfs_area area;
	uint32_t off; /* in that block's data */
};

enum sqfs_type { SQFS_DIR, SQFS_REG, SQFS_LINK, SQFS_OTHER };

/* An inode, opened: a file for one sequential read. */
struct sqfs_file {
	struct sqfs *fs;
	enum sqfs_type type;
	uint16_t mode;        /* permission bits */
	uint64_t size;        /* bytes: of the file, of a link's text */
	uint64_t pos;         /* of what is read next */
	struct sqfs_pos more; /* block sizes, a link's text, a listing */
	uint32_t listing;     /* SQFS_DIR: bytes of its listing */
	uint64_t disk;        /* where the block at hand starts */
	uint32_t word;        /* its size word */
	bool have_word;
	uint32_t fragment; /* UINT32_MAX: none */
	uint32_t fragment_off;
};

/* The name in the root directory; any type. R_NOT_FOUND (without a text) and
 * the reasons of sqfs_open. */
int sqfs_lookup(struct sqfs *s, const char *name, struct sqfs_file *f,
    struct diag *d) MUST_CHECK;

/*
 * The next bytes of a regular file, up to cap, into *n (0 at the end); *hole
 * is set instead of filling dst when all of them are a hole (dst is then not
 * touched). R_SQFS_TYPE, R_SQFS_RANGE, R_SQFS_DAMAGED, R_SQFS_DECOMPRESS.
 */
int sqfs_read(struct sqfs_file *f, void *dst, size_t cap, size_t *n, bool *hole,
    struct diag *d) MUST_CHECK;

/*
 * Makes f, just opened, begin with the bytes that lie in a fragment, which it
 * shares with other files, and returns where in the file these are: its size
 * when there are none. What is before them and what is there ascend, each.
 */
uint64_t sqfs_split(struct sqfs_file *f);

/* Where the block starts that the next bytes are in; 0: they are a hole. Not
 * at the end of the file. Reasons as sqfs_read. */
int sqfs_where(struct sqfs_file *f, uint64_t *at, struct diag *d) MUST_CHECK;

/* The text of a symbolic link, NUL-terminated. R_SQFS_TYPE; R_LIMIT when it
 * does not fit; R_SQFS_DAMAGED when it is empty or holds a NUL. */
int sqfs_readlink(
    struct sqfs_file *f, char *dst, size_t cap, struct diag *d) MUST_CHECK;

/* A directory, read from front to end. */
struct sqfs_dir {
	struct sqfs_pos pos;
	uint64_t inode;    /* its own reference, to notice a loop */
	uint32_t left;     /* bytes of listing */
	uint32_t run;      /* entries left under the header at hand */
	uint32_t base;     /* inode metadata block of that header */
	uint16_t name;     /* where in path its names start */
	uint16_t name_len; /* of the name read last */
};

/* All of a file system, every directory before what is in it. */
struct sqfs_walk {
	struct sqfs *fs;
	unsigned depth; /* of dir[] in use, the root being 1 */
	uint32_t names, dirs;
	struct sqfs_dir dir[SQFS_DEPTH];
	char path[SQFS_PATH]; /* of the entry returned last: "a/b/c" */
};

int sqfs_walk_start(
    struct sqfs_walk *w, struct sqfs *s, struct diag *d) MUST_CHECK;

/*
 * 1 with the next entry in w->path and *f, 0 at the end. No component of a
 * path is empty, ".", "..", or holds '/' or NUL, and the names in one
 * directory are in ascending order, so none comes twice. R_SQFS_LOOP;
 * R_LIMIT (depth, path, number of names); the reasons of sqfs_open.
 */
int sqfs_walk_next(
    struct sqfs_walk *w, struct sqfs_file *f, struct diag *d) MUST_CHECK;

#endif
