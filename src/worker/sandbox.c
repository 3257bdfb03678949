/* SPDX-License-Identifier: 0BSD */
#include "worker/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534
#define CHILD_FDS 64u        /* a grant brings up to MSG_FDS */
#define FDS_LOOKED_AT 65536u /* where the kernel has no close_range */

/* 32-bit ARM has an older set with 16-bit numbers, which a kernel may lack. */
#if defined(__arm__)
#define SET_GROUPS SYS_setgroups32
#define SET_GID SYS_setresgid32
#define SET_UID SYS_setresuid32
#else
#define SET_GROUPS SYS_setgroups
#define SET_GID SYS_setresgid
#define SET_UID SYS_setresuid
#endif

/* Not in every C library's headers; one number on all architectures. */
#define CLOSE_RANGE 436

static int failed(struct diag *d, const char *step)
{
	return diag_fail(
	    d, R_SYSTEM, "sandbox: %s failed, error %d", step, errno);
}

static void close_between(unsigned first, unsigned last)
{
	if (first > last || syscall(CLOSE_RANGE, first, last, 0) == 0)
		return;
	last = MIN(last, FDS_LOOKED_AT);
	for (unsigned fd = first; fd <= last; fd++)
		(void)close((int)fd);
}

static void close_others(int *keep, unsigned count)
{
	unsigned next = 0;

	for (unsigned i = 1; i < count; i++)
		for (unsigned j = i; j > 0 && keep[j] < keep[j - 1]; j--) {
			int swap = keep[j];

			keep[j] = keep[j - 1];
			keep[j - 1] = swap;
		}
	for (unsigned i = 0; i < count; i++) {
		unsigned fd = (unsigned)keep[i];

		if (fd > next)
			close_between(next, fd - 1);
		next = fd + 1;
	}
	close_between(next, ~0u);
}

/* The owner's handlers and masks are not ours. */
static void reset_signals(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int sig = 1; sig < 65; sig++)
		(void)sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* None on memory: the filter lets nobody ask for more. */
static int set_limits(struct diag *d)
{
	/* the kernel's struct has 64 bits everywhere; the C library's call
	 * brings its threads along */
	const uint64_t fds[2] = {CHILD_FDS, CHILD_FDS}, none[2] = {0, 0};

	if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, fds, NULL) != 0 ||
	    syscall(SYS_prlimit64, 0, RLIMIT_CORE, none, NULL) != 0)
		return failed(d, "setrlimit");
	return 0;
}

/*
 * In a user namespace that maps one user only there is no second one to
 * become: EINVAL. The capabilities below go in any case.
 */
static int drop_user(struct diag *d)
{
	if (syscall(SET_GROUPS, 0, NULL) != 0 && errno != EPERM)
		return failed(d, "setgroups");
	if (syscall(SET_GID, NOBODY, NOBODY, NOBODY) != 0 && errno != EINVAL)
		return failed(d, "setresgid");
	if (syscall(SET_UID, NOBODY, NOBODY, NOBODY) != 0 && errno != EINVAL)
		return failed(d, "setresuid");
	return 0;
}

static int drop_capabilities(struct diag *d)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	if (syscall(SYS_capset, &h, none) != 0)
		return failed(d, "capset");
	return 0;
}

int sandbox_enter(
    enum sandbox kind, int *keep, unsigned count, pid_t owner, struct diag *d)
{
	bool root = geteuid() == 0;
	int r;

	close_others(keep, count);
	reset_signals();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed(d, "no_new_privs");
	if (root) {
		/* EINVAL behind the last one this kernel knows */
		for (unsigned long cap = 0; cap < 64; cap++)
			if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 &&
			    errno != EINVAL)
				return failed(d, "bounding set");
		r = drop_user(d);
		if (r != 0)
			return r;
	}
	r = drop_capabilities(d);
	if (r != 0)
		return r;
	r = set_limits(d);
	if (r != 0)
		return r;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return failed(d, "PR_SET_DUMPABLE");
	/* after the change of user, which clears it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return failed(d, "PR_SET_PDEATHSIG");
	if (getppid() != owner)
		return diag_fail(d, R_SYSTEM, "the owner is gone");
	return sandbox_filter(kind, d);
}
