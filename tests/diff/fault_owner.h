/* SPDX-License-Identifier: 0BSD */
/*
 * The process that owns all jobs, as process 1 does: it runs a single job or a
 * visit to recovery, whichever the tracer asks for.
 */
#ifndef LIFEBOAT_FAULT_OWNER_H
#define LIFEBOAT_FAULT_OWNER_H

#include "fault_rescue.h"
#include "worker/job.h"

/* What owner and tracer both see. */
struct shared {
	/* for the owner */
	bool visit;    /* what to do: as process 1, or one job */
	bool again;    /* somebody pressed i */
	bool hangs;    /* a child was stopped */
	uint64_t skip; /* its clock is so much ahead */
	unsigned stall_s;
	/* from it */
	bool begins; /* a search for media in a visit; else: all done */
	int started; /* of job_start */
	struct job_result result;
	struct job_facts facts;
	bool asked;
	volatile bool granted; /* it said install */
	bool clean;            /* no child, no descriptor is left */
	struct visit v;
};

extern struct shared *shared;

/* Set before the owner is forked. */
extern struct config config;
extern const char *dir, *stick;

/* Its whole life: waits for the tracer (trace_pause), does what is asked for,
 * and again. */
void owner(void);

#endif
