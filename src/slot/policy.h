/* SPDX-License-Identifier: 0BSD */
/*
 * What recovery does when nobody is there: one pure function over one table,
 * in which every combination has a row (never-a-loop, never-a-dead-wait).
 * src/DESIGN.md prints the table; a test walks every cell.
 */
#ifndef LIFEBOAT_POLICY_H
#define LIFEBOAT_POLICY_H

#include "base/base.h"

enum policy_boot {
	POLICY_BOOTABLE,  /* the loader would start a slot: we were called */
	POLICY_EXHAUSTED, /* in the order, no attempts left */
	POLICY_BAD,       /* marked bad, or an install was interrupted */
	POLICY_UNKNOWN,   /* the environment cannot be read */
};

enum policy_slots {
	POLICY_INTACT, /* every head of the group is there */
	POLICY_BROKEN, /* a head is zero, or the device is missing */
};

enum policy_medium {
	POLICY_NONE,    /* nothing plugged in, or no bundle on it */
	POLICY_REFUSED, /* bundles, none of them acceptable */
	POLICY_NEW,     /* a good bundle, not what stands in the slots */
	POLICY_SAME,    /* a good bundle, and the slots hold just that */
};

enum policy_action {
	POLICY_WAIT,    /* for a medium, for ever, watchdog fed, announced */
	POLICY_INSTALL, /* then reboot */
	POLICY_REARM,   /* new attempts for the intact slot, then reboot */
	POLICY_REBOOT,  /* into the system that is bootable already */
	POLICY_EXPLAIN, /* say why nothing more is tried, then wait */
};

/* tries: unattended attempts made so far for this content (the bundle's, or
 * the slot's when there is none); retries: settings.retries; waited: wait_s
 * has passed without a change. */
struct policy_in {
	enum policy_boot boot;
	enum policy_slots slots;
	enum policy_medium medium;
	unsigned tries;
	unsigned retries;
	bool waited;
};

/* Groups, for what cannot be verified before it is written (a stream). */
struct policy_groups {
	bool target_intact;   /* no head of what would be written is zero */
	bool target_bootable; /* the loader would start it, or may */
	bool other_good;      /* another group is both, for sure */
	bool asked;           /* somebody takes the risk */
};

/* good-system-kept: the last group that is good is not given up for a bundle
 * that may turn out to be damaged at its last block. */
bool policy_may_stream(const struct policy_groups *g);

/* *why: the reason, for people. */
enum policy_action policy_decide(const struct policy_in *in, const char **why);

#endif
