/* SPDX-License-Identifier: 0BSD */
/*
 * Every operation of an install fails once, in every way, or never returns
 * and the worker is ended by its owner. The right reason is reported, the
 * device lives on whether power is lost then or not, and a retry succeeds.
 */
#ifndef LIFEBOAT_FAULTS_H
#define LIFEBOAT_FAULTS_H

#include "cuts.h"

struct faults {
	struct cuts *cuts;   /* whose tally and mischief */
	unsigned long tried; /* faults */
	unsigned long told;  /* of them, those that ended the run */
	unsigned long wrong_reason;
};

/* One kind at every operation of the scenario's first run. */
void faults_everywhere(struct faults *f, enum sim_fault kind);

const char *fault_text(enum sim_fault kind);

#endif
