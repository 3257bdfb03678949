/* SPDX-License-Identifier: 0BSD */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/network.h"
#include "worker/sandbox.h"

#define LEASER 65533 /* a user who cannot end the children that install */
#define PROCESSES 4  /* it needs two */
#define LEASE_FD 9   /* where the script writes: udhcpc takes 3 and 4 */
#define MARK "LIFEBOAT_LEASE=yes" /* in its environment */

/* 32-bit ARM has older calls with 16-bit numbers, which a kernel may lack. */
#if defined(__arm__)
#define SET_GROUPS SYS_setgroups32
#define SET_GID SYS_setresgid32
#define SET_UID SYS_setresuid32
#else
#define SET_GROUPS SYS_setgroups
#define SET_GID SYS_setresgid
#define SET_UID SYS_setresuid
#endif

/*
 * A user of its own, who may open packet sockets and nothing else: the disks
 * belong to root. The capability is ambient, so that it survives exec; there is
 * no way back to any other. In a user namespace that maps one user only there
 * is no second one to become: EINVAL.
 */
static bool drop_rights(void)
{
	static struct __user_cap_header_struct header = {
	    _LINUX_CAPABILITY_VERSION_3, 0};
	static const struct __user_cap_data_struct raw[2] = {
	    {1u << CAP_NET_RAW, 1u << CAP_NET_RAW, 1u << CAP_NET_RAW}};
	static const uint64_t few[2] = {PROCESSES, PROCESSES};
	long user;

	for (unsigned long cap = 0; cap < 64; cap++)
		if (cap != CAP_NET_RAW &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 &&
		    errno != EINVAL)
			return false;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
	    (syscall(SET_GROUPS, 0, NULL) != 0 && errno != EPERM) ||
	    (syscall(SET_GID, LEASER, LEASER, LEASER) != 0 && errno != EINVAL))
		return false;
	user = syscall(SET_UID, LEASER, LEASER, LEASER);
	if (user == 0 ? syscall(SYS_prlimit64, 0, RLIMIT_NPROC, few, NULL) != 0
	              : errno != EINVAL)
		return false;
	return syscall(SYS_capset, &header, raw) == 0 &&
	       prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) ==
	           0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0;
}

/* Sends its questions until it is ended from outside; ends by itself when it
 * has a lease. Its words go nowhere. */
static void run_client(const char *interface, int out)
{
	static const char *argv[] = {"udhcpc", "-f", "-q", "-s", "/init", "-t",
	    "9999", "-T", "2", "-V", "lifeboat", "-o", "-O", "subnet", "-O",
	    "router", "-O", "mtu", "-O", "tftp", "-O", "bootfile", "-i", NULL,
	    NULL};
	static const char *const env[] = {MARK, NULL};
	sigset_t none;

	argv[ARRAY_LEN(argv) - 2] = interface;
	sandbox_close(&out, 1);
	(void)open("/dev/null", O_RDWR); /* 0 */
	(void)dup2(0, 1);
	(void)dup2(0, 2);
	if (out != LEASE_FD) {
		(void)dup2(out, LEASE_FD);
		(void)close(out);
	}
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (drop_rights())
		(void)syscall(SYS_execve, DHCP_CLIENT, argv, env);
}

pid_t dhcp_start(const char *interface, int *fd, struct diag *d)
{
	int ends[2];
	pid_t pid = -1;

	if (syscall(SYS_pipe2, ends, O_NONBLOCK) == 0) {
		pid = fork();
		/* by both, whoever comes first: it is ended with its script */
		if (pid >= 0)
			(void)syscall(SYS_setpgid, pid, 0);
		if (pid == 0) {
			run_client(interface, ends[1]);
			_exit(127);
		}
		(void)close(ends[1]);
		*fd = ends[0];
		if (pid < 0)
			(void)close(ends[0]);
	}
	if (pid < 0)
		return diag_fail(
		    d, R_SYSTEM, "no child for DHCP (errno %d)", errno);
	return pid;
}

/* The environment lies behind the arguments. */
static const char *const *environment(int argc, char **argv)
{
	return (const char *const *)(uintptr_t)(argv + argc + 1);
}

bool dhcp_is_script(int argc, char **argv)
{
	const char *const *env = environment(argc, argv);

	if (argc != 2)
		return false;
	for (unsigned i = 0; i < LEASE_VARS && env[i]; i++)
		if (strcmp(env[i], MARK) == 0)
			return true;
	return false;
}

/* What is wrong with the lease is seen again by whoever reads it. */
int dhcp_script(int argc, char **argv)
{
	static struct lease l;

	if (strcmp(argv[1], "bound") != 0)
		return 0;
	if (sandbox_filter(SANDBOX_READ, NULL) != 0)
		return 1;
	(void)!lease_read(&l, environment(argc, argv), NULL);
	return write(LEASE_FD, &l, sizeof l) == (ssize_t)sizeof l ? 0 : 1;
}
