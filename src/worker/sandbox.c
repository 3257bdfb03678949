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

static void close_between(unsigned first, unsigned last)
{
	if (first > last || syscall(CLOSE_RANGE, first, last, 0) == 0)
		return;
	last = MIN(last, FDS_LOOKED_AT);
	for (unsigned fd = first; fd <= last; fd++)
		(void)close((int)fd);
}

void sandbox_close(int *keep, unsigned count)
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

/* The kernel's struct has 64 bits everywhere; the C library's call brings its
 * threads along. None on memory: the filter lets nobody ask for more. */
static const uint64_t few_fds[2] = {CHILD_FDS, CHILD_FDS};
static const uint64_t nothing[2];
static struct __user_cap_header_struct cap_header = {
    _LINUX_CAPABILITY_VERSION_3, 0};
static const struct __user_cap_data_struct no_caps[2];

#define ADDRESS(object) (uintptr_t) & (object)

/*
 * What is given up, in this order. In a user namespace that maps one user
 * only there is no second one to become: EINVAL; the capabilities go in any
 * case. PDEATHSIG comes after the change of user, which clears it.
 */
static const struct step {
	const char *name;
	long nr;
	uintptr_t arg[4];
	bool root;    /* only root has it to give */
	int accepted; /* an errno that is no failure */
} steps[] = {
    {"no_new_privs", SYS_prctl, {PR_SET_NO_NEW_PRIVS, 1}, false, 0},
    {"setgroups", SET_GROUPS, {0}, true, EPERM},
    {"setresgid", SET_GID, {NOBODY, NOBODY, NOBODY}, true, EINVAL},
    {"setresuid", SET_UID, {NOBODY, NOBODY, NOBODY}, true, EINVAL},
    {"capset", SYS_capset, {ADDRESS(cap_header), ADDRESS(no_caps)}, false, 0},
    {"RLIMIT_NOFILE", SYS_prlimit64, {0, RLIMIT_NOFILE, ADDRESS(few_fds)},
        false, 0},
    {"RLIMIT_CORE", SYS_prlimit64, {0, RLIMIT_CORE, ADDRESS(nothing)}, false,
        0},
    {"PR_SET_DUMPABLE", SYS_prctl, {PR_SET_DUMPABLE, 0}, false, 0},
    {"PR_SET_PDEATHSIG", SYS_prctl, {PR_SET_PDEATHSIG, SIGKILL}, false, 0},
};

int sandbox_enter(
    enum sandbox kind, int *keep, unsigned count, pid_t owner, struct diag *d)
{
	bool root = geteuid() == 0;

	sandbox_close(keep, count);
	reset_signals();
	/* the bounding set, to the last one this kernel knows: EINVAL */
	for (unsigned long cap = 0; root && cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 &&
		    errno != EINVAL)
			return diag_fail(d, R_SYSTEM,
			    "sandbox: bounding set: error %d", errno);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const struct step *s = &steps[i];

		if ((!s->root || (root && kind != SANDBOX_FILES)) &&
		    syscall(s->nr, s->arg[0], s->arg[1], s->arg[2], s->arg[3],
		        0) != 0 &&
		    errno != s->accepted)
			return diag_fail(d, R_SYSTEM, "sandbox: %s: error %d",
			    s->name, errno);
	}
	if (getppid() != owner)
		return diag_fail(d, R_SYSTEM, "the owner is gone");
	return sandbox_filter(kind, d);
}
