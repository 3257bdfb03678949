/* SPDX-License-Identifier: 0BSD */
/*
 * The block pipe: the installer's only way to a medium. Both ends run in a
 * child. What arrives was read by a process that may have been taken over:
 * lengths are checked here, bytes are believed only after verity.
 */
#ifndef LIFEBOAT_PIPE_H
#define LIFEBOAT_PIPE_H

#include "base/blk.h"
#include "source/source.h"
#include "worker/msg.h"

#define PIPE_SINGLE 4096u

/*
 * The installer's end. Reads that follow one another are served from a
 * read-ahead, so that a large file costs one exchange for PIPE_DATA bytes.
 *
 * Always true: ahead holds the len bytes of the file from start on.
 */
struct pipe_blk {
	struct blk blk; /* the file opened last */
	int fd;
	/* The file comes once: only the read behind the last one succeeds, and
	 * blk.size is UINT64_MAX. At its end: R_STREAM_CUT. */
	bool forward;
	uint64_t announced; /* its size, or FEED_UNKNOWN */
	struct diag diag;   /* what the source said of its last failure */
	uint64_t start;
	size_t len;
	uint64_t next;       /* where the last sequential read ended */
	uint64_t single_end; /* where the last other read ended */
	uint8_t single[sizeof(struct pipe_answer) + PIPE_SINGLE];
	uint8_t ahead[sizeof(struct pipe_answer) + PIPE_DATA];
};

void pipe_init(struct pipe_blk *p, int fd);

/* Candidate i: its name (SOURCE_WHERE bytes) and the number of all of them in
 * *count. The reason the source gave, R_CHILD when it is gone or answers
 * nonsense. */
int pipe_list(struct pipe_blk *p, unsigned i, char *where, unsigned *count,
    struct diag *d) MUST_CHECK;

/* Candidate i becomes p->blk. */
int pipe_open(struct pipe_blk *p, unsigned i, struct diag *d) MUST_CHECK;

/* Of what comes once, instead of reading through p->blk: the next bytes, which
 * stay valid until the next call; *n is 0 at the end. */
int pipe_next(struct pipe_blk *p, const uint8_t **data, size_t *n,
    struct diag *d) MUST_CHECK;

/* The source's end: answers until the installer closes. */
void pipe_serve(int fd, struct source *s);

#endif
