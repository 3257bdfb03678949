/* SPDX-License-Identifier: 0BSD */
/* A visit to recovery as process 1 makes it, with real jobs and a clock that
 * skips what is only waited for. */
#ifndef LIFEBOAT_FAULT_RESCUE_H
#define LIFEBOAT_FAULT_RESCUE_H

#include "init/init.h"

#define VISIT_LOG 65536

struct visit {
	bool left;           /* it rebooted by itself */
	char why[200];       /* and said this */
	unsigned searches;   /* for media */
	char log[VISIT_LOG]; /* all that the console shows */
};

/* Runs until it leaves, or seconds have passed. again: somebody pressed i,
 * and the visit before goes on. */
void visit_run(
    struct visit *v, const struct config *c, bool again, unsigned seconds);

/* The owner's: moves its clock on, and polls a running job. */
void skip(uint64_t ms);
void poll_job(struct pollfd *p, unsigned n, int ms);

#endif
