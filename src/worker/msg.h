/* SPDX-License-Identifier: 0BSD */
/*
 * What crosses the sockets between the processes: messages of one fixed size,
 * with descriptors where the owner grants some. The receiver trusts nothing
 * in them: a child may have been taken over.
 */
#ifndef LIFEBOAT_MSG_H
#define LIFEBOAT_MSG_H

#include "base/log.h"
#include "boot/boot.h"
#include "bundle/manifest.h"
#include "slot/conf.h"
#include "slot/status.h"
#include "worker/job.h"

#define MSG_TEXT 700 /* of one MSG_OUTPUT, with NUL */
#define MSG_FDS 36   /* two for every target, the environment */
#define MSG_SPECS (CONF_SLOTS + BOOT_STORES + 1)

enum msg_type {
	MSG_LOG = 1,   /* child: a line for people */
	MSG_PROGRESS,  /* child */
	MSG_PROBED,    /* probe: which device is which */
	MSG_FACTS,     /* installer: decide, then grant */
	MSG_FILE,      /* installer: make this file (extract) */
	MSG_STATUS,    /* installer: record this, then grant nothing */
	MSG_CANDIDATE, /* installer: a line of the list to choose from */
	MSG_OUTPUT,    /* installer: text for standard output */
	MSG_RESULT,    /* child: its last message */
	MSG_GRANT,     /* owner: go on, with these descriptors */
};

struct msg_log {
	uint32_t level;
	char line[LOG_LINE];
};

struct msg_progress {
	uint64_t done;
	uint64_t total;
	uint32_t phase;
};

/* Index into the owner's device table, -1: none, -2: more than one. */
struct msg_probed {
	int32_t index[MSG_SPECS];
};

struct msg_facts {
	struct job_facts facts; /* its targets: the owner's words */
	uint32_t targets;       /* entries in target: slots of conf */
	uint8_t target[MANIFEST_IMAGES];
};

enum msg_file_kind { FILE_REGULAR, FILE_FOLDER, FILE_LINK };

#define MSG_PATH 420 /* of an extracted file, with NUL */

/* Answered by a grant: of one descriptor for FILE_REGULAR, of none else. */
struct msg_file {
	uint32_t kind;
	uint32_t mode; /* permission bits */
	char path[MSG_PATH];
	char link[256]; /* FILE_LINK: its text */
};

struct msg_output {
	char text[MSG_TEXT];
};

struct msg_result {
	uint64_t bytes;
	int32_t reason;
	uint32_t action;
	char seen[DIAG_SEEN];
};

/* Descriptors in this order: for every target one to write, then, if its bit
 * is set in direct, one with O_DIRECT; then those of the environment. */
struct msg_grant {
	uint32_t action;
	uint32_t targets;
	uint32_t direct;
	char version[MANIFEST_TEXT]; /* to STATUS_QUESTION */
};

struct msg {
	uint32_t type;
	union {
		struct msg_log log;
		struct msg_progress progress;
		struct msg_probed probed;
		struct msg_facts facts;
		struct msg_file file;
		struct status_change status; /* its time: the owner's */
		struct job_candidate candidate;
		struct msg_output output;
		struct msg_result result;
		struct msg_grant grant;
	} u;
};

/* Sends whole messages; fds may be NULL. False when the peer is gone. */
bool msg_send(int fd, const struct msg *m, const int *fds, unsigned count);

/* 1: *m is filled. 0: nothing there yet (only with wait false). -1: the peer
 * is gone, or sent something that is no message. *count is the room in fds
 * and then how many came; descriptors without room are closed. */
int msg_receive(int fd, struct msg *m, int *fds, unsigned *count, bool wait);

/* The block pipe between installer (asks) and source (answers). */
enum pipe_op { PIPE_LIST = 1, PIPE_OPEN, PIPE_READ };

#define PIPE_DATA 65536u /* most bytes in one answer */

struct pipe_request {
	uint32_t op;
	uint32_t index; /* LIST, OPEN: of the candidate */
	uint64_t off;
	uint32_t len;
};

/* Followed by len bytes: LIST: the name, without NUL; READ: the data, which
 * is all that was asked for, or of what comes once at least a byte of it, and
 * nothing at its end. */
struct pipe_answer {
	int32_t reason;
	uint32_t len;
	uint32_t count;   /* LIST: candidates in all */
	uint64_t size;    /* LIST, OPEN: of the file; FEED_UNKNOWN: forward */
	uint32_t forward; /* OPEN: 1: it comes once and in order */
	char seen[DIAG_SEEN];
};

#endif
