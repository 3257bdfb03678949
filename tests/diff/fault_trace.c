/* SPDX-License-Identifier: 0BSD */
#include "fault_trace.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL_STOP (SIGTRAP | 0x80)
#define OPTIONS \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	    PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)

/* A call that is allowed everywhere, and does nothing with this argument. */
#define HARMLESS SYS_clock_gettime
#define NO_CLOCK 0xffff

struct tracee {
	pid_t pid;    /* 0: none, or dead */
	bool known;   /* the owner's event has come */
	bool waiting; /* for that, in its first stop */
	unsigned index;
	bool entered; /* its sandbox */
	bool inside;  /* a call */
	bool replace; /* the answer of the call that it is inside */
	long answer;
	unsigned long arg;
	bool last; /* then it runs freely */
};

static pid_t owner;
static struct tracee tracees[64];

static void die(const char *what)
{
	perror(what);
	exit(3);
}

/* ---- registers */

#if defined(__x86_64__)
#define ARG0(r) (r).rdi
#define ARG1(r) (r).rsi
#define ARG2(r) (r).rdx
#define RESULT(r) (r).rax
#elif defined(__aarch64__)
#define ARG0(r) (r).regs[0]
#define ARG1(r) (r).regs[1]
#define ARG2(r) (r).regs[2]
#define RESULT(r) (r).regs[0]
#endif

/* False: it was killed meanwhile. */
static bool get_registers(pid_t pid, struct user_regs_struct *r)
{
	struct iovec v = {r, sizeof *r};

	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v) == 0)
		return true;
	if (errno != ESRCH)
		die("PTRACE_GETREGSET");
	return false;
}

static void set_registers(pid_t pid, struct user_regs_struct *r)
{
	struct iovec v = {r, sizeof *r};

	if (ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &v) != 0 &&
	    errno != ESRCH)
		die("PTRACE_SETREGSET");
}

static long number(pid_t pid, const struct user_regs_struct *r)
{
#if defined(__x86_64__)
	(void)pid;
	return (long)r->orig_rax;
#else
	int nr = -1;
	struct iovec v = {&nr, sizeof nr};

	(void)r;
	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &v) != 0)
		die("PTRACE_GETREGSET");
	return nr;
#endif
}

static void set_number(pid_t pid, struct user_regs_struct *r, int nr)
{
#if defined(__x86_64__)
	(void)pid;
	r->orig_rax = (unsigned)nr;
#else
	struct iovec v = {&nr, sizeof nr};

	(void)r;
	if (ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &v) != 0)
		die("PTRACE_SETREGSET");
#endif
}

/* ---- what a call is */

static bool has_descriptor(long nr)
{
	return nr == SYS_pread64 || nr == SYS_pwrite64 || nr == SYS_fsync ||
	       nr == SYS_sendmsg || nr == SYS_recvmsg || nr == SYS_read ||
	       nr == SYS_write || nr == SYS_fadvise64;
}

static enum op_object object(pid_t pid, unsigned fd)
{
	char link[64], path[512];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/%d/fd/%u", (int)pid, fd);
	n = readlink(link, path, sizeof path - 1);
	if (n < 0 && (errno == ENOENT || errno == ESRCH))
		return ON_NOTHING; /* it was killed meanwhile */
	if (n < 0)
		die(link);
	path[n] = '\0';
	if (strncmp(path, "socket:", 7) == 0)
		return ON_SOCKET;
	for (const struct trace_file *f = trace_files; f->end; f++) {
		size_t m = strlen(f->end);

		if ((size_t)n >= m && strcmp(path + n - m, f->end) == 0)
			return f->on;
	}
	fprintf(stderr, "an unexpected file is read or written: %s\n", path);
	exit(3);
}

const char *trace_call_name(long nr)
{
	static char text[24];

	switch (nr) {
	case SYS_pread64:
		return "pread";
	case SYS_pwrite64:
		return "pwrite";
	case SYS_fsync:
		return "fsync";
	case SYS_sendmsg:
		return "sendmsg";
	case SYS_recvmsg:
		return "recvmsg";
	case SYS_fadvise64:
		return "fadvise";
	case SYS_exit_group:
		return "exit_group";
	case SYS_prctl:
		return "prctl";
	default:
		snprintf(text, sizeof text, "call %ld", nr);
		return text;
	}
}

/* ---- a call begins, and ends */

static void resume(struct tracee *c, enum __ptrace_request how)
{
	/* it may have been killed meanwhile */
	if (ptrace(how, c->pid, 0, 0) != 0 && errno != ESRCH)
		die("ptrace");
	if (how == PTRACE_DETACH)
		c->pid = 0;
}

static const long answers[FAULT_KINDS] = {
    [FAULT_EIO] = -EIO,
    [FAULT_ENOSPC] = -ENOSPC,
    [FAULT_EROFS] = -EROFS,
    [FAULT_ENODEV] = -ENODEV,
    [FAULT_EINTR] = -EINTR,
    [FAULT_ZERO] = 0,
};

static void inject(
    struct trace *t, struct tracee *c, struct user_regs_struct *r)
{
	c->last = true;
	switch (t->kind) {
	case FAULT_KILL:
	case FAULT_STOP:
		if (kill(c->pid, t->kind == FAULT_KILL ? SIGKILL : SIGSTOP))
			die("kill");
		if (t->kind == FAULT_STOP)
			resume(c, PTRACE_DETACH);
		return;
	case FAULT_SHORT:
		ARG2(*r) /= 2;
		break;
	default:
		c->replace = true;
		c->answer = answers[t->kind];
		c->arg = ARG0(*r);
		ARG0(*r) = NO_CLOCK;
		set_number(c->pid, r, HARMLESS);
	}
	set_registers(c->pid, r);
}

static void enter_call(struct trace *t, struct tracee *c)
{
	struct user_regs_struct r;
	struct op op = {.on = ON_NOTHING};
	unsigned at = t->ops[c->index];

	c->inside = true;
	if (!get_registers(c->pid, &r))
		return;
	t->ops[c->index]++;
	op.nr = number(c->pid, &r);
	op.setup = !c->entered;
	op.granted = t->granted && *t->granted;
	op.arg = (unsigned)ARG0(r);
	/* so that its descriptors can be looked at by whoever may trace it */
	if (op.nr == SYS_prctl && ARG0(r) == PR_SET_DUMPABLE) {
		ARG1(r) = 1;
		set_registers(c->pid, &r);
	}
	if (op.nr == SYS_prctl && ARG0(r) == PR_SET_SECCOMP)
		c->entered = true;
	if (has_descriptor(op.nr))
		op.on = object(c->pid, (unsigned)ARG0(r));
	if (t->watch && at < TRACE_OPS)
		t->seen[c->index][at] = op;
	if (t->kind == FAULT_NONE || t->child != c->index || t->at != at)
		return;
	t->hit = true;
	t->op = op;
	inject(t, c, &r);
	if (t->on_fault)
		t->on_fault();
}

static void leave_call(struct tracee *c)
{
	struct user_regs_struct r;

	c->inside = false;
	if (!c->replace)
		return;
	c->replace = false;
	if (!get_registers(c->pid, &r))
		return;
	ARG0(r) = c->arg;
	RESULT(r) = (unsigned long)c->answer;
	set_registers(c->pid, &r);
}

/* ---- children come and go */

static struct tracee *find(pid_t pid)
{
	struct tracee *room = NULL;

	for (size_t i = 0; i < sizeof tracees / sizeof *tracees; i++) {
		if (tracees[i].pid == pid)
			return &tracees[i];
		if (!room && tracees[i].pid == 0)
			room = &tracees[i];
	}
	if (!room) {
		fputs("too many children\n", stderr);
		exit(3);
	}
	memset(room, 0, sizeof *room);
	room->pid = pid;
	return room;
}

static void begin(const struct trace *t, struct tracee *c)
{
	bool wanted =
	    t->watch || (t->kind != FAULT_NONE && t->child == c->index);

	c->waiting = false;
	resume(c, wanted ? PTRACE_SYSCALL : PTRACE_DETACH);
}

static void on_fork(struct trace *t)
{
	unsigned long pid = 0;
	struct tracee *c;

	if (ptrace(PTRACE_GETEVENTMSG, owner, 0, &pid) != 0)
		die("PTRACE_GETEVENTMSG");
	c = find((pid_t)pid);
	c->known = true;
	c->index = t->children++;
	if (c->waiting)
		begin(t, c);
}

static void on_child(struct trace *t, struct tracee *c, int status)
{
	int sig = WSTOPSIG(status);

	if (!WIFSTOPPED(status)) {
		c->pid = 0;
	} else if (status >> 16 == PTRACE_EVENT_STOP && !c->known) {
		c->waiting = true;
	} else if (status >> 16 == PTRACE_EVENT_STOP) {
		begin(t, c);
	} else if (sig == SYSCALL_STOP) {
		if (!c->inside)
			enter_call(t, c);
		else
			leave_call(c);
		if (c->pid != 0)
			resume(c, c->last && !c->inside ? PTRACE_DETACH
			                                : PTRACE_SYSCALL);
	} else if (ptrace(PTRACE_SYSCALL, c->pid, 0, sig) != 0 &&
	           errno != ESRCH) {
		die("PTRACE_SYSCALL");
	}
}

bool trace_run(struct trace *t)
{
	int status;

	t->children = 0;
	t->hit = false;
	memset(t->ops, 0, sizeof t->ops);
	if (ptrace(PTRACE_CONT, owner, 0, 0) != 0)
		die("PTRACE_CONT");
	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0)
			die("waitpid");
		if (pid != owner) {
			on_child(t, find(pid), status);
			continue;
		}
		if (!WIFSTOPPED(status))
			return false;
		if (status >> 16 == 0 && WSTOPSIG(status) == SIGUSR1)
			return true;
		if (status >> 16 != 0 && status >> 16 != PTRACE_EVENT_STOP)
			on_fork(t);
		if (ptrace(PTRACE_CONT, owner, 0,
		        status >> 16 == 0 ? WSTOPSIG(status) : 0) != 0)
			die("PTRACE_CONT");
	}
}

void trace_pause(void)
{
	raise(SIGUSR1);
}

pid_t trace_start(void (*body)(void))
{
	int status, gate[2];
	char c;

	if (pipe(gate) != 0)
		die("pipe");
	owner = fork();
	if (owner < 0)
		die("fork");
	if (owner == 0) {
		close(gate[1]);
		(void)!read(gate[0], &c, 1);
		close(gate[0]);
		body();
		_exit(3);
	}
	close(gate[0]);
	if (ptrace(PTRACE_SEIZE, owner, 0, OPTIONS) != 0)
		die("PTRACE_SEIZE");
	close(gate[1]);
	do {
		if (waitpid(owner, &status, 0) != owner)
			die("waitpid");
		if (WIFSTOPPED(status) && status >> 16 == 0 &&
		    WSTOPSIG(status) == SIGUSR1)
			return owner;
		if (WIFSTOPPED(status))
			ptrace(PTRACE_CONT, owner, 0, 0);
	} while (WIFSTOPPED(status));
	die("the owner");
	return -1;
}
