/* SPDX-License-Identifier: 0BSD */
/*
 * The work, done by two sandboxed children (pid1-parses-nothing):
 *   source     has the medium, read-only, and serves blocks and file lists;
 *   installer  has a pipe to the source and the slots, read-only until the
 *              owner has decided; judges bundles, compares, writes.
 * Before them a third, short-lived one, probe, finds which block device is
 * which slot. Process 1 and the command line own a job the same way: they
 * start it, poll its descriptors, and get facts, lines and a result of fixed
 * size. The children hold no capability, run under seccomp, and may die or
 * hang at any time without harm.
 */
#ifndef LIFEBOAT_JOB_H
#define LIFEBOAT_JOB_H

#include <poll.h>
#include <sys/types.h>

#include "base/log.h"
#include "boot/boot.h"
#include "slot/conf.h"
#include "slot/install.h"
#include "slot/policy.h"

enum job_verb {
	JOB_RESCUE,  /* media: find, judge, ask, install (process 1) */
	JOB_STATE,   /* boot state and slot heads only: no medium (status) */
	JOB_INSTALL, /* one bundle file: judge, install (lifeboat install) */
	JOB_INFO,    /* one bundle file: judge, describe; conf may be NULL */
	JOB_EXTRACT, /* one bundle file: verify, hand out its files; same */
	JOB_FETCH,   /* what comes once, whatever it is: into a file */
	JOB_SEND,    /* one file to a TFTP server */
	JOB_MARK,    /* good, bad or active; decide is not called */
	JOB_REARM,   /* new attempts for the bootable group, tries + 1 */
};

enum job_mark { JOB_MARK_GOOD, JOB_MARK_BAD, JOB_MARK_ACTIVE };

/* How text for standard output looks (INFO, STATE). */
enum job_format {
	JOB_QUIET,
	JOB_READABLE,
	JOB_SHELL,
	JOB_JSON,
	JOB_JSON_PRETTY,
};

/* What the owner decides on. Fixed size, no pointers: it crosses a socket. */
struct job_facts {
	enum policy_boot boot;
	enum policy_slots slots;
	enum policy_medium medium;
	unsigned tries;     /* for this content, see policy.h */
	int refused;        /* POLICY_REFUSED: reason of the last candidate */
	unsigned env_valid; /* 0 or 1 */
	char env_text[160];
	char version[MANIFEST_TEXT]; /* of the chosen bundle */
	char path[160];              /* and its file */
	char targets[128];           /* "rootfs.0, kernel.0" */
};

/* A file that was looked at, and what became of it: what a person chooses
 * from. Fixed size, as the facts. */
#define JOB_CANDIDATES 9 /* of one search: a digit names each */

struct job_candidate {
	char where[160];     /* "sda1:/x.raucb", as setup.chosen takes it */
	char line[LOG_LINE]; /* for people: taken or not, and why */
};

struct job_result {
	int reason; /* 0: done as decided; else one of enum reason */
	char seen[DIAG_SEEN];
	enum policy_action action; /* what was done (INSTALL, REARM, ...) */
	uint64_t bytes;            /* written to slots */
	uint64_t ms;               /* from start to end */
	bool made;                 /* FETCH: the file, whatever is in it */
};

struct job_setup {
	enum job_verb verb;
	enum job_mark mark;
	const char *mark_slot; /* slot name or bootname */
	bool booted_known;     /* STATE: booted was really found out */
	const struct conf *conf;
	enum job_format format;
	/* STATE, INFO: what the status file holds, for the installer
	 * to read; p is NULL: it is not shown, and sets no floor. */
	struct slice status;
	const struct settings *settings;
	const struct keyring *keyring;
	/* NULL: none. Secret: the children that do not need it wipe it. */
	const struct recipient *recipient;
	const struct fw_env_config *fw_env; /* NULL: none */
	const char *initial_env; /* u-boot-initial-env text or NULL */
	const char *booted;      /* "": recovery or _external_ */
	/* RESCUE: the file on a medium that a person chose, as
	 * lifeboat.bundle= has it, or NULL: what the settings say. */
	const char *chosen;
	/* For INSTALL, INFO, EXTRACT, FETCH, and RESCUE where it is not from
	 * media (NULL): as source/origin.h has it. For SEND: a file. */
	const char *bundle;
	int line; /* a serial line that is open already, for bundle; 0: none */
	const char *to;  /* SEND: an origin; FETCH: name in extract_dir */
	int extract_dir; /* descriptor of the folder, for EXTRACT, FETCH */
	/* A bundle in stream order may cost the last slot that is good. */
	bool give_up_good;
	int64_t now;   /* seconds since 1970 */
	int64_t floor; /* no earlier than this, see trust.h */

	void *ctx; /* given to the calls below */
	void (*log)(void *ctx, enum log_level level, const char *line);
	void (*progress)(
	    void *ctx, enum install_phase phase, uint64_t done, uint64_t total);
	/* Text for standard output, a piece of it; NULL: dropped. */
	void (*output)(void *ctx, const char *text, size_t len);
	/* RESCUE: called for at most JOB_CANDIDATES of the files, those that
	 * may be installed first, before decide. NULL: dropped. */
	void (*candidate)(void *ctx, const struct job_candidate *c);
	/* Called once when the facts are in and before anything writable is
	 * handed over. Returns POLICY_INSTALL or POLICY_REARM to go on; any
	 * other action ends the job with that action and reason 0. NULL: what
	 * the verb says is done. */
	enum policy_action (*decide)(void *ctx, const struct job_facts *f);
};

#define JOB_FDS 4

struct job; /* one in job.c: one job at a time in a process */

/* Starts the children; returns at once. R_SYSTEM, R_CONF_*, R_TARGET_*. The
 * setup's pointers must stay valid until the job has ended. */
int job_start(const struct job_setup *s, struct diag *d) MUST_CHECK;

/* Fills p (JOB_FDS entries) with what to poll; returns how many. */
unsigned job_poll_fds(struct pollfd *p);

/*
 * Handles what is ready (p as polled, count 0 allowed for a pure time check)
 * and the time-outs (now_ms: CLOCK_BOOTTIME): nothing moves for stall_s, or
 * the job takes a day. Returns 1 while the job runs, 0 when it has ended and
 * *r is filled: its children are dead and reaped.
 */
int job_step(const struct pollfd *p, unsigned count, uint64_t now_ms,
    struct job_result *r);

/* Milliseconds of CLOCK_BOOTTIME until job_step must be called anyway. */
int job_timeout_ms(uint64_t now_ms);

/* True if pid was one of the job's children: for a reaper that got it. */
bool job_reaped(pid_t pid, int status);

/* Ends the children at once (medium pulled, shutdown). job_step then returns
 * 0 with R_CANCELLED or the reason given. */
void job_cancel(int reason, const char *seen);

/* Seconds without a sign of life after which the job ends. */
unsigned job_stall_s(void);

/* Monotonic count of blocks served and written: the watchdog's evidence that
 * work moves. */
uint64_t job_moves(void);

#endif
