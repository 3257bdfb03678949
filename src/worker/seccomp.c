/* SPDX-License-Identifier: 0BSD */
#include "worker/sandbox.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>

#include <mtd/mtd-user.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Calls with a number of their own on some architectures only; those of the
 * C library here are all that is ever made. */
#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define NR_CLOCK_GETTIME __NR_clock_gettime
#define NR_FADVISE __NR_fadvise64
#define NR_PPOLL __NR_ppoll
#define NR_POLL __NR_poll
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#define NR_CLOCK_GETTIME __NR_clock_gettime
#define NR_FADVISE __NR_fadvise64
#define NR_PPOLL __NR_ppoll
#define NR_POLL __NR_ppoll
#elif defined(__arm__)
#define ARCH AUDIT_ARCH_ARM
#define NR_CLOCK_GETTIME 403 /* clock_gettime64 */
#define NR_FADVISE __NR_arm_fadvise64_64
#define NR_PPOLL 414 /* ppoll_time64 */
#define NR_POLL __NR_poll
#endif

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
	    (uint32_t)offsetof(struct seccomp_data, field))
/* Skips yes or no instructions. */
#define IF_EQUAL(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
/* Two instructions. */
#define ALLOW(value) \
	IF_EQUAL(value, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* Four instructions: leaves the number of the call to be looked at. */
#define CALL LOAD(arch), IF_EQUAL(ARCH, 1, 0), KILL, LOAD(nr)

/* Where each kind's program starts; each goes on with the one below it, but
 * FEED with READ and FILES with WRITE. */
enum {
	START_FEED = 0,
	START_FILES = 11,
	START_MTD = 22,
	START_WRITE = 33,
	START_READ = 45,
};

/* clang-format off */
static const struct sock_filter program[] = {
    [START_FEED] = CALL,
    ALLOW(__NR_pwrite64),
    ALLOW(NR_PPOLL),
    ALLOW(NR_POLL),
    BPF_STMT(BPF_JMP | BPF_JA, START_READ - START_FILES),
    [START_FILES] = CALL,
    ALLOW(__NR_openat),
    ALLOW(__NR_renameat),
    ALLOW(__NR_unlinkat),
    BPF_STMT(BPF_JMP | BPF_JA, START_WRITE - START_MTD),
    [START_MTD] = CALL,
    IF_EQUAL(__NR_ioctl, 0, 6),
        LOAD(args[1]),
        ALLOW(MEMERASE),
        ALLOW(MEMUNLOCK),
        KILL,
    [START_WRITE] = CALL,
    ALLOW(__NR_pwrite64),
    ALLOW(__NR_fsync),
    ALLOW(__NR_close),
    ALLOW(NR_FADVISE),
    [START_READ] = CALL,
    ALLOW(__NR_pread64),
    ALLOW(__NR_read),
    ALLOW(__NR_write),
    ALLOW(__NR_sendmsg),
    ALLOW(__NR_recvmsg),
    ALLOW(__NR_exit_group),
    ALLOW(__NR_rt_sigreturn),
    ALLOW(__NR_restart_syscall),
    ALLOW(NR_CLOCK_GETTIME),
    KILL,
};
/* clang-format on */

int sandbox_filter(enum sandbox kind, struct diag *d)
{
	static const uint8_t start[] = {
	    [SANDBOX_FEED] = START_FEED,
	    [SANDBOX_READ] = START_READ,
	    [SANDBOX_WRITE] = START_WRITE,
	    [SANDBOX_MTD] = START_MTD,
	    [SANDBOX_FILES] = START_FILES,
	};
	struct sock_fprog p = {
	    (unsigned short)(ARRAY_LEN(program) - start[kind]),
	    (struct sock_filter *)(uintptr_t)(program + start[kind])};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0) != 0)
		return diag_fail(
		    d, R_SYSTEM, "no seccomp filter (CONFIG_SECCOMP_FILTER)");
	return 0;
}
