/* SPDX-License-Identifier: 0BSD */
/* The sandbox: what may still be called, that all else kills, and that the
 * rest was given up before. */
#include <errno.h>
#include <fcntl.h>
#include <mtd/mtd-user.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bundle/envelope.h"
#include "check.h"
#include "worker/work.h"

static int sockets[2];
static int file;

static long call_open(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0) < 0;
}

static long call_socket(void)
{
	return syscall(SYS_socket, 1, 1, 0);
}

static long call_exec(void)
{
	static char name[] = "true";
	static char *argv[] = {name, NULL};

	return syscall(SYS_execve, "/bin/true", argv, NULL);
}

static long call_ptrace(void)
{
	return syscall(SYS_ptrace, 16 /* attach */, getppid(), 0, 0);
}

static long call_mount(void)
{
	return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
}

static long call_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long call_kill(void)
{
	return syscall(SYS_kill, 0, 0);
}

static long call_mmap(void)
{
	return syscall(SYS_mmap, 0, 4096, 7, 0x22, -1, 0);
}

static long call_ioctl(void)
{
	return syscall(SYS_ioctl, file, 0x5401, 0);
}

static long call_reboot(void)
{
	return syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL);
}

static long call_connect(void)
{
	return syscall(SYS_connect, sockets[0], NULL, 0);
}

static long call_unlink(void)
{
	return syscall(SYS_unlinkat, AT_FDCWD, "/nothing", 0) == -1 &&
	               errno == ENOENT
	           ? 0
	           : 1;
}

static long call_rename(void)
{
	return syscall(SYS_renameat, AT_FDCWD, "/nothing", AT_FDCWD, "/none") ==
	                   -1 &&
	               errno == ENOENT
	           ? 0
	           : 1;
}

static long call_link(void)
{
	return syscall(SYS_linkat, AT_FDCWD, "/nothing", AT_FDCWD, "/no", 0);
}

static long call_symlink(void)
{
	return syscall(SYS_symlinkat, "/nothing", AT_FDCWD, "/none/none");
}

static long call_mkdir(void)
{
	return syscall(SYS_mkdirat, AT_FDCWD, "/none/none", 0700);
}

static long call_mknod(void)
{
	return syscall(SYS_mknodat, AT_FDCWD, "/none/none", 0600, 0);
}

static long call_chmod(void)
{
	return syscall(SYS_fchmod, file, 0600);
}

static long call_chroot(void)
{
	return syscall(SYS_chroot, "/none");
}

static long call_unshare(void)
{
	return syscall(SYS_unshare, 0);
}

static long call_pwrite(void)
{
	return pwrite(file, "x", 1, 0) - 1;
}

static long call_poll(void)
{
	return poll(NULL, 0, 0);
}

static long call_fsync(void)
{
	return fsync(file);
}

static long call_fadvise(void)
{
	return posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
}

static long call_erase(void)
{
	/* no flash behind it, so no more than an error */
	return syscall(SYS_ioctl, file, MEMERASE, 0) == -1 && errno == ENOTTY
	           ? 0
	           : 1;
}

static long call_pread(void)
{
	char c;

	return pread(file, &c, 1, 0) < 0;
}

static long call_write(void)
{
	return write(sockets[0], "x", 1) - 1;
}

static long call_clock(void)
{
	struct timespec t;

	return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
}

static const struct {
	const char *name;
	long (*call)(void);
	const char *may; /* the first letters of the kinds that may */
} calls[] = {
    {"socket", call_socket, ""},
    {"exec", call_exec, ""},
    {"ptrace", call_ptrace, ""},
    {"mount", call_mount, ""},
    {"fork", call_fork, ""},
    {"kill", call_kill, ""},
    {"mmap", call_mmap, ""},
    {"ioctl", call_ioctl, ""},
    {"reboot", call_reboot, ""},
    {"connect", call_connect, ""},
    {"link", call_link, ""},
    {"symlink", call_symlink, ""},
    {"mkdir", call_mkdir, ""},
    {"mknod", call_mknod, ""},
    {"chmod", call_chmod, ""},
    {"chroot", call_chroot, ""},
    {"unshare", call_unshare, ""},
    {"open", call_open, "F"},
    {"unlink", call_unlink, "F"},
    {"rename", call_rename, "F"},
    {"ioctl MEMERASE", call_erase, "M"},
    {"pwrite", call_pwrite, "WMFD"},
    {"poll", call_poll, "D"},
    {"fsync", call_fsync, "WMF"},
    {"fadvise", call_fadvise, "WMF"},
    {"pread", call_pread, "RWMFD"},
    {"write", call_write, "RWMFD"},
    {"clock_gettime", call_clock, "RWMFD"},
};

static const char letters[] = {[SANDBOX_READ] = 'R',
    [SANDBOX_WRITE] = 'W',
    [SANDBOX_MTD] = 'M',
    [SANDBOX_FILES] = 'F',
    [SANDBOX_FEED] = 'D'};

static void end(long status)
{
	(void)syscall(SYS_exit_group, status);
}

static int status_of(pid_t pid)
{
	int status = 0;

	CHECK_INT(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_calls(void)
{
	for (int kind = SANDBOX_READ; kind <= SANDBOX_FEED; kind++)
		for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
			bool may = strchr(calls[i].may, letters[kind]) != NULL;
			int status;
			pid_t pid = fork();

			if (pid == 0) {
				(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
				if (sandbox_filter((enum sandbox)kind, NULL) !=
				    0)
					end(2);
				end(calls[i].call());
			}
			status = status_of(pid);
			if (may ? !WIFEXITED(status) || WEXITSTATUS(status) != 0
			        : !WIFSIGNALED(status) ||
			              WTERMSIG(status) != SIGSYS)
				fprintf(stderr, "%s in sandbox %d: %#x\n",
				    calls[i].name, kind, (unsigned)status);
			CHECK(
			    may ? WIFEXITED(status) && WEXITSTATUS(status) == 0
			        : WIFSIGNALED(status) &&
			              WTERMSIG(status) == SIGSYS);
		}
}

/* What the child says of itself, and what the kernel says of it. */
static void test_enter(enum sandbox kind)
{
	int p[2], stop[2];
	char text[4096] = "", path[64], found = 0;
	int open_fds = -1;
	ssize_t n;
	pid_t owner = getpid(), pid;
	int fd;

	CHECK_INT(pipe(p), 0);
	CHECK_INT(pipe(stop), 0);
	/* something high that must go */
	CHECK(fcntl(p[0], F_DUPFD, 700) >= 700);
	pid = fork();
	if (pid == 0) {
		int keep[] = {stop[0], p[1]};
		char c;

		if (sandbox_enter(kind, keep, 2, owner, NULL) != 0)
			end(2);
		open_fds = 0;
		for (int i = 0; i < 1024; i++)
			if (write(i, "", 0) == 0 || errno != EBADF ||
			    read(i, &c, 0) == 0)
				open_fds++;
		(void)!write(p[1], &open_fds, sizeof open_fds);
		(void)!read(stop[0], &c, 1);
		end(0);
	}
	CHECK_INT(read(p[0], &open_fds, sizeof open_fds), sizeof open_fds);
	/* of the pipe to the test, which can be written, and of the other,
	 * which answers EBADF to a write and 0 to an empty read */
	CHECK_INT(open_fds, 2);
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof text - 1);
	close(fd);
	CHECK(n > 0);
	CHECK(strstr(text, "Seccomp:\t2\n") != NULL);
	CHECK(strstr(text, "NoNewPrivs:\t1\n") != NULL);
	CHECK(strstr(text, "CapPrm:\t0000000000000000\n") != NULL);
	CHECK(strstr(text, "CapEff:\t0000000000000000\n") != NULL);
	CHECK(strstr(text, "CapAmb:\t0000000000000000\n") != NULL);
	if (geteuid() == 0) {
		CHECK(strstr(text, "CapBnd:\t0000000000000000\n") != NULL);
		found = strstr(text,
		            kind == SANDBOX_FILES
		                ? "Uid:\t0\t0\t0\t0"
		                : "Uid:\t65534\t65534\t65534\t65534") != NULL;
		/* a user namespace may know one user only */
		CHECK(found || access("/proc/self/uid_map", R_OK) == 0);
	}
	CHECK_INT(write(stop[1], "x", 1), 1);
	CHECK_INT(status_of(pid), 0);
	close(700);
}

/* A child ends with its owner, however that ended. */
static void test_owner_dies(void)
{
	int p[2];
	char c;
	pid_t middle;

	CHECK_INT(pipe(p), 0);
	middle = fork();
	if (middle == 0) {
		pid_t owner = getpid();

		if (fork() == 0) {
			int keep[] = {sockets[0], p[1]};

			if (sandbox_enter(SANDBOX_READ, keep, 2, owner, NULL) ==
			    0)
				(void)!write(p[1], "e", 1);
			for (;;)
				(void)!read(sockets[0], &c, 1);
		}
		(void)!read(p[0], &c, 1);
		(void)kill(owner, SIGKILL);
	}
	CHECK_INT(status_of(middle), SIGKILL);
	close(p[1]);
	CHECK_INT(read(p[0], &c, 1), 0);
	close(p[0]);
}

static void test_wrong_owner(void)
{
	pid_t pid = fork();
	struct diag d = {0};

	if (pid == 0) {
		int keep[] = {sockets[0]};

		end(sandbox_enter(SANDBOX_READ, keep, 1, 1, &d) == R_SYSTEM
		        ? 0
		        : 1);
	}
	CHECK_INT(status_of(pid), 0);
}

/* A device's own key is in the memory of no child but the installer. */
static void test_key(enum sandbox kind, bool keeps)
{
	static struct recipient key;
	static struct work w;
	const struct job_setup setup = {.recipient = &key};
	pid_t pid;

	memset(&key, 0x5a, sizeof key);
	w.setup = &setup;
	w.owner = getpid();
	pid = fork();
	if (pid == 0) {
		int keep[] = {sockets[0]};

		if (child_enter(&w, kind, sockets[0], keep, 1, NULL) != 0)
			end(2);
		end(all_zero(&key, sizeof key) ? 0 : 1);
	}
	pid = status_of(pid);
	CHECK(WIFEXITED(pid));
	CHECK_INT(WEXITSTATUS(pid), keeps ? 1 : 0);
}

int main(void)
{
	char name[] = "/tmp/seccomp_test.XXXXXX";

	file = mkstemp(name);
	CHECK(file >= 0);
	unlink(name);
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	test_calls();
	test_enter(SANDBOX_READ);
	test_enter(SANDBOX_FILES);
	test_enter(SANDBOX_FEED);
	test_key(SANDBOX_READ, false);
	test_key(SANDBOX_WRITE, true);
	test_key(SANDBOX_MTD, true);
	test_key(SANDBOX_FILES, false);
	test_key(SANDBOX_FEED, false);
	test_owner_dies();
	test_wrong_owner();
	return check_done("seccomp");
}
