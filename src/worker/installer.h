/* SPDX-License-Identifier: 0BSD */
/*
 * Private to the installer child: installer.c is its flow, judge.c chooses
 * the bundle, facts.c says how things stand, fill.c unpacks, report.c tells
 * what the status file is to say.
 */
#ifndef LIFEBOAT_INSTALLER_H
#define LIFEBOAT_INSTALLER_H

#include "base/blk_fd.h"
#include "worker/pipe.h"
#include "worker/work.h"

/* A file that may be the bundle. */
struct candidate {
	bool good;  /* may be installed, as far as is known yet */
	int reason; /* else why not */
	char where[SOURCE_WHERE];
	char who[LOG_LINE]; /* where, version and signer: for the log */
	char version[MANIFEST_TEXT];
	char seen[DIAG_SEEN];
	int64_t signed_at;
	uint8_t sha256[32]; /* of its manifest; zero before it is judged */
};

/* A slot or a copy of the environment as the child sees it. */
struct store {
	struct blk_fd fd;
	struct blk_mtd mtd;
	struct blk *blk;
};

/* All of this process's state: 2.5 MiB, of which little is ever touched. */
struct installer {
	const struct work *w;
	const struct conf *conf;
	struct trust_policy trust;
	struct limits limits;
	int64_t judged_at; /* by certificates' dates, as last said */
	const char *names[BOOTNAMES];
	unsigned name_count;
	unsigned name_slot[BOOTNAMES];
	struct store slot[CONF_SLOTS];
	bool intact[CONF_SLOTS];
	struct store env[BOOT_STORES];
	struct blk_window copy[BOOT_STORES];
	struct pipe_blk pipe;
	struct candidate candidate[SOURCE_FILES];
	unsigned candidates;
	const struct candidate *refused; /* the last one */
	struct plan plan;
	struct boot boot;
	struct bundle bundle;
	struct install in; /* of compare, then of run */
	unsigned tries;    /* made for this content, as the owner was told */
	uint64_t written;
	struct msg m; /* to the owner, then its answer */
	int fds[MSG_FDS];
	unsigned fd_count; /* that came with the answer */
	struct msg report; /* to the owner, for the status file */
};

extern struct installer *volatile const installer_at;
#define self (*installer_at)

/* r with, in d, the source's words if it was the one that failed; a read that
 * failed says no more than that. */
int because(int r, struct diag *d) MUST_CHECK;

/* Fills self.limits, before the first bundle is judged. */
void learn_limits(void);
/* info: who signed, and what each policy says of it. */
void describe_trust(void);
/* Asks the source for the list. The source's reasons, R_CHILD. */
int list_candidates(struct diag *d) MUST_CHECK;
/* Everything but the contents: signature, compatible, plan, devices; and that
 * it is what it was when it was judged before: R_PLAIN_CHANGED. */
int judge_candidate(unsigned i, struct diag *d) MUST_CHECK;
/* Tells the owner how far a verification is. */
int verify_progress(void *ctx, uint64_t done, uint64_t total);
/* All blocks of the bundle that is open. */
int verify_bundle(struct diag *d) MUST_CHECK;
/* Judges all; the best that is sound to its last block is then open and
 * planned, and it is returned. The last one's reason when there is none. */
int choose_candidate(
    const struct candidate **chosen, struct diag *d) MUST_CHECK;

/* Finds out which slots are intact. */
void look_at_heads(void);
/* As before, and takes the attempts of bootnames whose slots are not: nothing
 * boots from an empty head, and such a slot is given up first. */
void judge_heads(void);
/* The bootname that new attempts would be given to: the one that was planned,
 * else the first in the order if it is whole, else any that is both. */
unsigned rearm_name(void);
/* Whether the planned slots hold the bundle already, into the facts. */
int compare_content(struct diag *d) MUST_CHECK;
/* Whether the planned slots may be given up for the stream that is open, into
 * self.in; 0 for all that is none. R_LAST_GOOD. */
int check_stream(struct diag *d) MUST_CHECK;
/* Completes the facts in self.m, tells the owner, and waits for its decision
 * and descriptors. chosen: the bundle it is about, or NULL. */
enum policy_action ask_owner(const struct candidate *chosen);

/* Unpacks all of the bundle that is open. */
int extract_bundle(struct diag *d) MUST_CHECK;
/* All that comes through the pipe that is open, into a file. */
int fetch_file(struct diag *d) MUST_CHECK;

#endif
