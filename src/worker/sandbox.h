/* SPDX-License-Identifier: 0BSD */
/*
 * What a child gives up before it looks at a foreign byte: descriptors, user,
 * capabilities, limits, and with seccomp every system call but a few.
 */
#ifndef LIFEBOAT_SANDBOX_H
#define LIFEBOAT_SANDBOX_H

#include <sys/types.h>

#include "base/reason.h"

/* What a child may still do; each adds to the one before. */
enum sandbox {
	SANDBOX_READ,  /* read descriptors, talk over sockets, tell time */
	SANDBOX_WRITE, /* also pwrite, fsync, fadvise, close */
	SANDBOX_MTD,   /* also erases and unlocks MTD, nothing else, by ioctl */
	/* as SANDBOX_WRITE, and opens, renames and removes files; its user
	 * stays root's, so it must have changed its root to where they lie */
	SANDBOX_FILES,
	SANDBOX_FEED, /* as SANDBOX_READ, and waits for input, and pwrite */
};

/* Closes all descriptors but those in keep (sorted here). */
void sandbox_close(int *keep, unsigned count);

/*
 * Takes away everything but the descriptors in keep (sorted here). owner is
 * the process that forked this one: when it ends, so does this. R_SYSTEM: d
 * names the step, and nothing may be read.
 */
int sandbox_enter(enum sandbox kind, int *keep, unsigned count, pid_t owner,
    struct diag *d) MUST_CHECK;

/* The filter alone, as sandbox_enter sets it. R_SYSTEM. */
int sandbox_filter(enum sandbox kind, struct diag *d) MUST_CHECK;

#endif
