/* SPDX-License-Identifier: 0BSD */
/*
 * The power fails at every operation of a run, every choice is made of what
 * the caches still brought to the medium, and what is durable then is judged
 * and lived on. A durable state is judged once: what is counted are states,
 * and cuts beside them.
 */
#ifndef LIFEBOAT_CUTS_H
#define LIFEBOAT_CUTS_H

#include "rig.h"

struct tally {
	unsigned long scenarios;
	unsigned long cuts;       /* tried */
	unsigned long states;     /* of them, durable states never seen before
	                           * in this scenario */
	unsigned long bricks;     /* half a system, lost data: see oracle.h */
	unsigned long unfinished; /* no new system after one more run, or a
	                           * third one that changes something */
	unsigned long by_hand;    /* the loader goes round in circles, and
	                           * somebody has to call recovery */
	unsigned long lost;       /* a single copy of the environment is gone */
	unsigned long pending;    /* whole and booted, the status file still
	                           * says pending */
};
void tally_add(struct tally *to, const struct tally *t);

/* How thorough. */
struct cuts {
	unsigned random;  /* random subsets of the cache at each operation */
	unsigned pairs;   /* 1: every cut of the repairing run, too, of one in
	                   * `pairs` states; 0: none */
	unsigned random2; /* random subsets there */
	bool reruns;      /* lives on after each */
	bool loud;        /* says what is wrong, the first few times */
	const struct mischief *mischief; /* of the first run */
	uint64_t seed;
	/* filled: */
	struct tally tally;
	unsigned long wrong[ORACLE_BITS]; /* how often */
};

/* One scenario; rig_world has been made. */
void cuts_everywhere(struct cuts *c);

/* Sequences of up to `deep` cuts at random places, each while the last one is
 * being repaired. */
void cuts_chains(struct cuts *c, unsigned chains, unsigned deep);

/* After a cut (or a fault) the device lives on. False: not as it should. */
bool cuts_live_on(struct cuts *c, struct rig *r);

/* The visit failed because nothing can be counted, so nothing is re-armed: the
 * loader's defaults hold. */
bool cuts_nothing_stored(struct rig *r, const struct visit *v);

/* Says what is wrong, and counts it. */
void cuts_wrong(struct cuts *c, const struct oracle_verdict *v);
void cuts_unfinished(struct cuts *c, const char *what);

#endif
