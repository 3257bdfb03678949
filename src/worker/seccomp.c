/* SPDX-License-Identifier: 0BSD */
#include "worker/sandbox.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>

#include <mtd/mtd-user.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCH AUDIT_ARCH_ARM
#endif

/* Calls with a number of their own on some architectures only; those of the
 * C library here are all that is ever made. */
static const uint16_t allowed_read[] = {
    __NR_pread64, __NR_read, __NR_write, __NR_sendmsg, __NR_recvmsg,
    __NR_exit_group, __NR_rt_sigreturn, __NR_restart_syscall,
#if defined(__arm__)
    403, /* clock_gettime64 */
#else
    __NR_clock_gettime,
#endif
};

static const uint16_t allowed_write[] = {
    __NR_pwrite64,
    __NR_fsync,
    __NR_close,
#if defined(__arm__)
    __NR_arm_fadvise64_64,
#else
    __NR_fadvise64,
#endif
};

static const uint32_t allowed_ioctl[] = {
    MEMGETINFO,
    MEMERASE,
    MEMUNLOCK,
    MEMLOCK,
};

#define DATA(field) ((uint32_t)offsetof(struct seccomp_data, field))
#define LOAD(field) \
	(struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(field))
#define RETURN(action) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action)
/* Skips yes or no instructions. */
#define IF_EQUAL(value, yes, no) \
	(struct sock_filter) \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))

#define PROGRAM_MAX 64

struct program {
	unsigned len;
	struct sock_filter code[PROGRAM_MAX];
};

static void add(struct program *p, struct sock_filter f)
{
	if (p->len < PROGRAM_MAX)
		p->code[p->len++] = f;
}

static void allow(struct program *p, uint32_t value)
{
	add(p, IF_EQUAL(value, 0, 1));
	add(p, RETURN(SECCOMP_RET_ALLOW));
}

int sandbox_filter(enum sandbox kind, struct diag *d)
{
	struct program p = {0};
	struct sock_fprog prog;

	add(&p, LOAD(arch));
	add(&p, IF_EQUAL(ARCH, 1, 0));
	add(&p, RETURN(SECCOMP_RET_KILL_PROCESS));
	add(&p, LOAD(nr));
	for (size_t i = 0; i < ARRAY_LEN(allowed_read); i++)
		allow(&p, allowed_read[i]);
	for (size_t i = 0; kind != SANDBOX_READ && i < ARRAY_LEN(allowed_write);
	     i++)
		allow(&p, allowed_write[i]);
	if (kind == SANDBOX_MTD) {
		/* the last call looked at: the argument may stay loaded */
		add(&p, IF_EQUAL(__NR_ioctl, 1, 0));
		add(&p, RETURN(SECCOMP_RET_KILL_PROCESS));
		add(&p, LOAD(args[1]));
		for (size_t i = 0; i < ARRAY_LEN(allowed_ioctl); i++)
			allow(&p, allowed_ioctl[i]);
	}
	add(&p, RETURN(SECCOMP_RET_KILL_PROCESS));

	prog.len = (unsigned short)p.len;
	prog.filter = p.code;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) != 0)
		return diag_fail(
		    d, R_SYSTEM, "no seccomp filter (CONFIG_SECCOMP_FILTER)");
	return 0;
}
