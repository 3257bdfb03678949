/* SPDX-License-Identifier: 0BSD */
/*
 * A source whose bytes come once and in order: a pipe, TFTP, a serial line.
 * Runs in the source child, over descriptors that the owner opened. Nothing
 * in the bytes is trusted by whoever reads them.
 */
#ifndef LIFEBOAT_FEED_H
#define LIFEBOAT_FEED_H

#include "base/base.h"
#include "base/reason.h"

#define FEED_UNKNOWN UINT64_MAX
#define FEED_NAME 160 /* "tftp://10.0.2.2/x.raucb", for people */

struct feed;

struct feed_ops {
	const char *name;
	/*
	 * The next bytes: waits until there is at least one, and returns 1 to
	 * cap of them in *n; 0 in *n only at the end, every time again. What
	 * fails once goes on failing with the same reason. Never waits longer
	 * than the protocol's own time-outs. R_IO, R_TIMEOUT, and the reasons
	 * of the protocol.
	 */
	int (*read)(
	    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d);
};

/* Implementations embed this as their first member. */
struct feed {
	const struct feed_ops *ops;
	uint64_t size; /* bytes in all, as announced, or FEED_UNKNOWN */
	char name[FEED_NAME];
};

#endif
