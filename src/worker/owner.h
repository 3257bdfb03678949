/* SPDX-License-Identifier: 0BSD */
/*
 * Private to the owner's side of a job: job.c is its life from start to end,
 * prepare.c opens what the children get, hear.c checks and handles what they
 * say, grant.c decides and hands over what may be written, unpack.c makes the
 * files of an extracted bundle, record.c has the status file written.
 */
#ifndef LIFEBOAT_OWNER_H
#define LIFEBOAT_OWNER_H

#include "worker/work.h"

enum { PROBE, SOURCE, INSTALLER, RECORDER, CHILDREN };

/* Always true: pid is 0 when there is none to be reaped. */
struct child {
	pid_t pid;
	int fd;     /* socket, or -1 */
	int status; /* of waitpid, valid once pid is 0 again */
	bool ended; /* said its last message */
	bool lost;  /* closed its socket without one */
	unsigned lines;
};

enum stage { IDLE, PROBING, WORKING, ENDING };

struct job {
	enum stage stage;
	struct work work;
	struct child child[CHILDREN];
	struct job_result result;
	uint64_t started;  /* CLOCK_BOOTTIME, ms */
	uint64_t moved_at; /* when a child last showed life */
	uint64_t moves;
	uint64_t done; /* of the last progress */
	uint32_t phase;
	unsigned restarts;
	unsigned candidates; /* that were told of */
	bool granted;
	uint32_t targets; /* that were granted: a bit for each slot */
	bool probed;
	int lock; /* of the boot environment, or -1 */

	uint64_t record_until;       /* 0: there is no recorder */
	struct diag recorded;        /* what came of it */
	unsigned records;            /* that were asked for */
	bool record_failed;          /* and it was said */
	bool asked;                  /* the question was: once in a job */
	char version[MANIFEST_TEXT]; /* the answer */
	pid_t stuck;                 /* given up and not yet reaped, or 0 */
};

extern struct job job;
extern const char *const child_names[CHILDREN];

/* What a verb needs. */
enum {
	NEEDS_SLOTS = 1,
	NEEDS_ENV = 2,
	NEEDS_BUNDLE = 4,
	NEEDS_MEDIA = 8,
	NEEDS_STATUS = 16,
	NEEDS_SOURCE = 32, /* and no installer */
};

/* True when this job needs it. */
bool job_needs(unsigned what);

/* The first reason stays. Kills what is left; reaping comes later. */
void job_end(int reason, const char *format, ...) PRINTF_LIKE(2, 3);
void job_end_diag(const struct diag *d);

/* A child showed life. */
void job_alive(void);

/* Closes what is open and makes it -1. */
void close_fd(int *fd);

/* Unless it was reaped already. */
void kill_child(const struct child *c);

/* A pair of message sockets. R_SYSTEM. */
int socket_pair(int *pair, struct diag *d) MUST_CHECK;

/* Forks a child with a socket to it; pipe is its end of the block pipe, or
 * -1. R_SYSTEM. */
int start_child(unsigned which, int pipe, struct diag *d) MUST_CHECK;

/* Reads the names of all devices that are needed: true when the probe has to
 * find one of them. */
bool parse_specs(struct work *w);

/* Opens what is no file: socket, line or pipe, and room to keep what comes.
 * R_NET_CONFIG, R_NET_SERVER, R_LINE_CONFIG, R_NOT_FOUND, R_SYSTEM. */
int feed_open(struct work *w, struct diag *d) MUST_CHECK;
/* done: else a sender on a line is told to stop. */
void feed_close(struct work *w, bool done);

/* Opens what the verb needs, read-only, and starts source and installer.
 * index: what the probe found, or NULL. R_BOOT_IO, R_TARGET_AMBIGUOUS,
 * R_SYSTEM. */
int start_workers(const int32_t *index, struct diag *d) MUST_CHECK;

/* Handles all that the child has said. */
void hear_child(unsigned which);

/* True when s ends within its room; what is not printable becomes '?'. */
bool text_valid(char *s, size_t room);

/* True when every one of them is a slot of conf, none comes twice, and of the
 * bootable groups there is one at most. */
bool targets_valid(const uint8_t *target, uint32_t count);

/* Lets the installer go on that waits in child_ask. */
void answer_installer(const int *fds, unsigned count);

/* Whether this slot may ever be opened for writing. R_TARGET_*, R_NO_TARGET. */
int check_grant(unsigned slot, struct diag *d) MUST_CHECK;

/* These return false when the message may not be sent. */
bool grant_on_facts(struct msg_facts *f);
bool unpack_on_file(struct msg_file *f);
bool record_on_status(struct status_change *ch);

/* Answers the installer when the recorder has ended, or not in time. */
void record_step(uint64_t now_ms);
/* Gives up the recorder. */
void record_end(void);

#endif
