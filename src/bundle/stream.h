/* SPDX-License-Identifier: 0BSD */
/*
 * Stream order: a bundle of format=verity or crypt with its blocks in such an
 * order that each comes behind what authenticates and what describes it, for
 * sources that cannot seek. src/FORMAT.md has it byte by byte. It is made and
 * turned back without any key, and nothing here judges a bundle. Pure.
 */
#ifndef LIFEBOAT_STREAM_H
#define LIFEBOAT_STREAM_H

#include "bundle/verity.h"

#define STREAM_HEADER 32u
#define STREAM_INDEX_MAX 64u /* blocks; a reader keeps them */
#define STREAM_CMS_MAX 65536u

struct stream_header {
	uint64_t payload; /* bytes of data and hash tree */
	uint64_t blocks;  /* of data; always follows from payload */
	uint32_t index;   /* how many of the last ones come first */
	uint32_t cms;     /* bytes of the signature */
};

/* R_STREAM_HEADER: no header, another version, or numbers that do not belong
 * together. */
int stream_header_parse(struct stream_header *h,
    const uint8_t raw[STREAM_HEADER], struct diag *d) MUST_CHECK;

/* ---- the order */

struct stream_order {
	uint64_t blocks; /* of data */
	uint32_t index;
	unsigned levels;
	uint64_t start[VERITY_LEVELS + 1]; /* as in struct verity */
	uint64_t sent[VERITY_LEVELS];      /* last of each level, as there */
	uint64_t step;                     /* data blocks that came */
};

/* What comes next: a block of the payload. */
struct stream_next {
	uint64_t block;
	bool data;  /* and not of the tree */
	bool again; /* one of the tree that came before */
};

void stream_order_init(struct stream_order *o, const struct stream_header *h);
/* False behind the last one. */
bool stream_order_next(struct stream_order *o, struct stream_next *next);

/* ---- made and turned back */

/* done and total in bytes of data. A non-zero return cancels: R_CANCELLED. */
typedef int stream_progress(void *ctx, uint64_t done, uint64_t total);

/* One static. The caller fills the first part. */
struct stream_job {
	struct blk *in;
	/* The next bytes of a stream: 0 or what stream_make then returns. */
	int (*put)(void *ctx, const void *p, size_t len);
	stream_progress *progress; /* may be NULL */
	void *ctx;

	struct stream_header header;
	uint8_t cms[STREAM_CMS_MAX];
	uint8_t block[VERITY_BLOCK];
	uint8_t before[VERITY_BLOCK];
};

/*
 * Reads the bundle at random and puts its stream. R_BUNDLE_SHORT,
 * R_SIG_SIZE_ZERO, R_SIG_SIZE_LARGE, R_PAYLOAD_SIZE, R_VERITY_SIZE (no hash
 * tree has this size), R_STREAM_FORMAT (plain), R_STREAM_INDEX, R_LIMIT,
 * R_CANCELLED, or what in and put returned.
 */
int stream_make(struct stream_job *j, struct diag *d) MUST_CHECK;

/*
 * Reads the stream in one go, forwards, and writes the bundle it was made of
 * to out, whose size is at least that: *size is how many bytes it has. in
 * fails with R_STREAM_CUT (or R_RANGE) at its end. R_STREAM_HEADER
 * (also for bytes behind the end, and for a block of the tree that comes again
 * as another one), R_STREAM_CUT, R_CANCELLED, or what in and out returned.
 */
int stream_restore(struct stream_job *j, struct blk *out, uint64_t *size,
    struct diag *d) MUST_CHECK;

/* ---- read as it comes */

struct stream_raw {
	struct blk
	    blk; /* data and tree, unverified, each when it is its turn */
	struct stream *stream;
};

/*
 * Stands above the verity it is given, which stands upon raw: reads of blk
 * are verified. They may go forwards, and to the first block and the index at
 * any time. Large (280 KiB, of which 12 KiB and the index are touched).
 */
struct stream {
	struct blk blk;
	struct stream_raw raw;
	stream_progress *progress; /* of data blocks that came; may be NULL */
	void *ctx;
	struct blk *source;
	struct verity *verity;
	struct stream_header header;
	struct stream_order order;
	uint64_t at;   /* bytes of the source that were read */
	uint64_t came; /* the block of the payload in `last`; UINT64_MAX */
	uint64_t next; /* data block that comes next, behind the index */
	bool kept;     /* the index is there */
	int failed;    /* a block did not come, or was not right: so it stays */
	struct diag diag; /* of the last failed read */
	uint8_t last[VERITY_BLOCK];
	/* block 0, then the index */
	uint8_t index[1 + STREAM_INDEX_MAX][VERITY_BLOCK];
};

/*
 * Reads header and signature: h->cms bytes into cms (STREAM_CMS_MAX). raw.blk
 * then is for verity_init, and after that comes stream_init. R_STREAM_HEADER,
 * R_STREAM_CUT, or what source returned.
 */
int stream_open(struct stream *s, struct blk *source, uint8_t *cms,
    struct diag *d) MUST_CHECK;

/* Reads nothing. v was initialised upon s->raw.blk. */
void stream_init(struct stream *s, struct verity *v);

/*
 * Reads through s->blk: R_VERITY_* for a block that is not the one whose turn
 * it is, R_STREAM_CUT, R_STREAM_LAYOUT (it came before and is gone),
 * R_CANCELLED, or what source returned. s->diag tells the block, and where in
 * the stream.
 *
 * All that has not come yet, and that nothing comes behind it but what XMODEM
 * fills up with: the same, R_STREAM_HEADER.
 */
int stream_finish(struct stream *s) MUST_CHECK;

#endif
