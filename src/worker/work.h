/* SPDX-License-Identifier: 0BSD */
/*
 * Private to src/worker: what the owner prepares before it forks, so what a
 * child finds in its copy of the memory.
 */
#ifndef LIFEBOAT_WORK_H
#define LIFEBOAT_WORK_H

#include <sys/types.h>

#include "source/origin.h"
#include "source/source.h"
#include "worker/device.h"
#include "worker/job.h"
#include "worker/msg.h"
#include "worker/sandbox.h"

struct work {
	const struct job_setup *setup;
	pid_t owner;
	struct devices devices;
	struct spec spec[MSG_SPECS]; /* of slot, env, data */
	union {
		struct target target[MSG_SPECS + 1]; /* all of them */
		struct {
			struct target slot[CONF_SLOTS];
			struct target env[BOOT_STORES];
			struct target data; /* the status file's partition */
			struct target bundle;
		};
	};
	unsigned slots;  /* in use: conf's, or 0 when the verb needs none */
	unsigned stores; /* in use in env */
	/* Why there is no environment (stores is 0), where status goes on
	 * without. */
	struct diag no_env;
	unsigned media;
	unsigned medium[SOURCE_MEDIA]; /* indices in devices */
	/* The status file: where it is (as status_path() has it), or why it
	 * can be nowhere; both empty: there is none. */
	char status_path[CONF_TEXT];
	struct diag no_status;
	const struct status_change *change; /* for the recorder */
	/* What comes once, or goes out: -1 where it is a file. */
	struct origin origin;
	int feed;
	struct spool spool;
	struct line_saved line; /* how the line was before */
};

/* The life of each child: ends in child_end, so the process
 * does not return from it. fd is the socket
 * to the owner, pipe that of the block pipe (-1: none). */
void probe_child(const struct work *w, int fd);
void source_child(const struct work *w, int fd, int pipe);
void installer_child(const struct work *w, int fd, int pipe);
void recorder_child(struct work *w, int fd);

/* What all of them use. */

/* Enters the sandbox and sends everything that is logged to the owner. */
int child_enter(const struct work *w, enum sandbox kind, int fd, int *keep,
    unsigned count, struct diag *d) MUST_CHECK;
/* An install_progress: sends at most five a second, and always the first and
 * last of a phase. ctx: where to count the bytes written, or NULL. */
int child_progress(
    void *ctx, enum install_phase phase, uint64_t done, uint64_t total);
/* Text for standard output. */
void child_output(const char *format, ...) PRINTF_LIKE(1, 2);
/* One more of the list to choose from. */
void child_candidate(const char *where, const char *line);
/* The last message, and the end. */
void child_end(const struct diag *d, enum policy_action action, uint64_t bytes);
/* Sends m and waits for what the owner grants: at most *count descriptors,
 * *count is how many came. */
void child_ask(struct msg *m, int *fds, unsigned *count);

/* What installer_child uses. */

/* A NOR flash behind /dev/mtdN as a blk: erases before it writes what needs
 * it. size and erase are what the owner found in struct target. */
struct blk_mtd {
	struct blk blk;
	int fd;
	uint32_t erase;
};

void blk_mtd_init(
    struct blk_mtd *b, int fd, uint64_t size, uint32_t erase, bool writable);

/* info: what a bundle says, in setup's format. */
void describe_bundle(const struct bundle *b, enum job_format format);

/* status: slots and boot state, in setup's format. */
void describe_status(
    const struct work *w, const struct boot *boot, const bool *intact);

/* Tells the owner what the status file is to say, and waits until it says so,
 * or cannot. An install_record, of the bundle and the plan. */
void report_status(void *ctx, enum status_kind kind);
/* The same for a slot that was made primary. */
void report_activated(unsigned slot);

#endif
