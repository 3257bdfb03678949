/* SPDX-License-Identifier: 0BSD */
/*
 * Real processes that fail at a chosen system call. The tracer watches the
 * children that a process, the owner, forks; the owner itself runs freely.
 * Linux on x86-64 and arm64; no privilege is needed.
 */
#ifndef LIFEBOAT_FAULT_TRACE_H
#define LIFEBOAT_FAULT_TRACE_H

#include <stdbool.h>
#include <sys/types.h>

#define TRACE_CHILDREN 4
#define TRACE_OPS 8192 /* of one child */

/* What happens at the call. All but the first three: once, and the child goes
 * on with that answer. */
enum fault_kind {
	FAULT_NONE,
	FAULT_KILL, /* instead of the call */
	FAULT_STOP, /* with the call: SIGSTOP */
	FAULT_EIO,
	FAULT_ENOSPC,
	FAULT_EROFS,
	FAULT_ENODEV,
	FAULT_EINTR, /* before anything was done */
	FAULT_SHORT, /* half of the bytes are really read or written */
	FAULT_ZERO,  /* 0 is returned */
	FAULT_KINDS,
};

/* What the descriptor of the call is. */
enum op_object { ON_NOTHING, ON_SOCKET, ON_MEDIUM, ON_SLOT, ON_ENV, OBJECTS };

struct op {
	long nr;
	enum op_object on;
	bool setup;   /* before the child has entered its sandbox */
	bool granted; /* the owner had decided to write */
	unsigned arg; /* the call's first argument */
};

struct trace {
	/* What is asked for: at call `at` (from 0) of child `child` (in the
	 * order in which they are forked). */
	enum fault_kind kind;
	unsigned child;
	unsigned at;
	bool watch;                   /* count all calls of all children */
	const volatile bool *granted; /* the owner says, where both see it */
	/* Called when it has happened. */
	void (*on_fault)(void);

	/* The answer. */
	unsigned children;
	bool hit;
	struct op op; /* that it hit */
	unsigned ops[TRACE_CHILDREN];
	struct op seen[TRACE_CHILDREN][TRACE_OPS]; /* only with watch */
};

/* Forks the owner, which runs body; body calls trace_pause where the tracer is
 * to go on, and never returns. */
pid_t trace_start(void (*body)(void));
void trace_pause(void);

/* Lets the owner run until its next trace_pause. False: it has ended. */
bool trace_run(struct trace *t);

/* The first file that matches says what the descriptor is. */
struct trace_file {
	const char *end; /* of the path */
	enum op_object on;
};
extern const struct trace_file trace_files[];

const char *trace_call_name(long nr);

#endif
