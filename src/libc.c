/* SPDX-License-Identifier: 0BSD */
/*
 * What the program needs of a C library on 64-bit Linux: the start, the
 * system calls, and short string functions. musl's own bring along threads,
 * cancellation, thread-local storage and the vDSO, 15 kB that one thread
 * never uses; its headers and its memcpy, memset and memcmp stay.
 * src/build-deps.sh links this in place of musl's start files; 32-bit ARM
 * and the tests have their C library whole.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8, "32-bit structures differ from the kernel's");

int libc_errno __attribute__((visibility("hidden")));

int *__errno_location(void)
{
	return &libc_errno;
}

/* The program begins with argc and, behind it, argv on the stack. A call has
 * its number in a register of its own and the arguments where C has them, or
 * nearly; the last 4095 results are errors. */
#if defined(__aarch64__)
__asm__(".text\n"
        ".global _start, syscall\n"
        "_start:\n"
        "	mov x29, #0\n"
        "	mov x30, #0\n"
        "	ldr w0, [sp]\n"
        "	add x1, sp, #8\n"
        "	bl main\n"
        "	b _exit\n"
        "syscall:\n"
        "	mov x8, x0\n"
        "	mov x0, x1\n"
        "	mov x1, x2\n"
        "	mov x2, x3\n"
        "	mov x3, x4\n"
        "	mov x4, x5\n"
        "	mov x5, x6\n"
        "enter:\n"
        "	svc #0\n"
        "	cmn x0, #4095\n"
        "	b.cs 1f\n"
        "	ret\n"
        "1:	neg w0, w0\n"
        "	adrp x1, libc_errno\n"
        "	str w0, [x1, :lo12:libc_errno]\n"
        "	mov x0, #-1\n"
        "	ret\n");
#define ENTER(number) "	mov w8, #" #number "\n	b enter\n"
#elif defined(__x86_64__)
__asm__(".text\n"
        ".global _start, syscall\n"
        "_start:\n"
        "	xor %ebp, %ebp\n"
        "	mov (%rsp), %edi\n"
        "	lea 8(%rsp), %rsi\n"
        "	call main\n"
        "	mov %eax, %edi\n"
        "	jmp _exit\n"
        "syscall:\n"
        "	mov %rdi, %rax\n"
        "	mov %rsi, %rdi\n"
        "	mov %rdx, %rsi\n"
        "	mov %rcx, %rdx\n"
        "	mov %r8, %rcx\n"
        "	mov %r9, %r8\n"
        "	mov 8(%rsp), %r9\n"
        "enter:\n"
        "	mov %rcx, %r10\n"
        "	syscall\n"
        "	cmp $-4095, %rax\n"
        "	jae 1f\n"
        "	ret\n"
        "1:	neg %eax\n"
        "	mov %eax, libc_errno(%rip)\n"
        "	or $-1, %rax\n"
        "	ret\n"
        "libc_restore:\n"
        "	mov $15, %eax\n" /* rt_sigreturn */
        "	syscall\n");
void libc_restore(void) __attribute__((visibility("hidden")));
#define ENTER(number) "	mov $" #number ", %eax\n	jmp enter\n"
#endif

/* A function whose arguments are the call's. */
#define SAME_AS(name, number) SAME(name, number)
#define SAME(name, number) \
	__asm__(".global " #name "\n" #name ":\n" ENTER(number))

SAME_AS(_exit, SYS_exit_group);
SAME_AS(bind, SYS_bind);
SAME_AS(chdir, SYS_chdir);
SAME_AS(clock_gettime, SYS_clock_gettime);
SAME_AS(close, SYS_close);
SAME_AS(connect, SYS_connect);
SAME_AS(dup, SYS_dup);
SAME_AS(fchmod, SYS_fchmod);
SAME_AS(fcntl, SYS_fcntl);
SAME_AS(flock, SYS_flock);
SAME_AS(fstat, SYS_fstat);
SAME_AS(fsync, SYS_fsync);
SAME_AS(geteuid, SYS_geteuid);
SAME_AS(getpid, SYS_getpid);
SAME_AS(getppid, SYS_getppid);
SAME_AS(getsockopt, SYS_getsockopt);
SAME_AS(ioctl, SYS_ioctl);
SAME_AS(kill, SYS_kill);
SAME_AS(mkdirat, SYS_mkdirat);
SAME_AS(mount, SYS_mount);
SAME_AS(nanosleep, SYS_nanosleep);
SAME_AS(openat, SYS_openat);
SAME_AS(prctl, SYS_prctl);
SAME_AS(pread, SYS_pread64);
SAME_AS(pwrite, SYS_pwrite64);
SAME_AS(read, SYS_read);
SAME_AS(setsockopt, SYS_setsockopt);
SAME_AS(socket, SYS_socket);
SAME_AS(socketpair, SYS_socketpair);
SAME_AS(symlinkat, SYS_symlinkat);
SAME_AS(write, SYS_write);

int open(const char *path, int flags, ...)
{
	va_list ap;
	unsigned mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0;
	va_end(ap);
	return openat(AT_FDCWD, path, flags, mode);
}

int access(const char *path, int mode)
{
	return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int stat(const char *restrict path, struct stat *restrict st)
{
	return (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, 0);
}

int dup2(int from, int to)
{
	/* dup3 refuses two that are the same */
	if (from == to)
		return fcntl(from, F_GETFD) < 0 ? -1 : to;
	return (int)syscall(SYS_dup3, from, to, 0);
}

int posix_fadvise(int fd, off_t from, off_t len, int advice)
{
	return syscall(SYS_fadvise64, fd, from, len, advice) < 0 ? libc_errno
	                                                         : 0;
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct timespec t = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};

	return (int)syscall(
	    SYS_ppoll, fds, n, timeout_ms < 0 ? NULL : &t, NULL, 0L);
}

/* The kernel's lengths are 64 bits where POSIX has 32 and padding. */
ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct msghdr h = *m;
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	h.__pad1 = h.__pad2 = 0;
	if (c)
		c->__pad1 = 0;
	return syscall(SYS_sendmsg, fd, &h, flags);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	m->__pad1 = m->__pad2 = 0;
	return syscall(SYS_recvmsg, fd, m, flags);
}

pid_t fork(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	return (pid_t)syscall(SYS_wait4, pid, status, options, NULL);
}

int reboot(int how)
{
	return (int)syscall(SYS_reboot, 0xfee1deadL, 672274793L, how, NULL);
}

int setrlimit(int what, const struct rlimit *limit)
{
	return (int)syscall(SYS_prlimit64, 0L, what, limit, NULL);
}

time_t time(time_t *at)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (at)
		*at = t.tv_sec;
	return t.tv_sec;
}

int tcgetattr(int fd, struct termios *t)
{
	return ioctl(fd, TCGETS, t);
}

int tcsetattr(int fd, int when, const struct termios *t)
{
	return ioctl(fd, TCSETS + when, t);
}

int isatty(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0;
}

/* The kernel's sets of signals have 64 bits. */
#define SET_BYTES 8L

int sigemptyset(sigset_t *set)
{
	memset(set, 0, sizeof *set);
	return 0;
}

int sigaddset(sigset_t *set, int number)
{
	set->__bits[0] |= 1UL << (number - 1);
	return 0;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	return (int)syscall(SYS_rt_sigprocmask, how, set, old, SET_BYTES);
}

int signalfd(int fd, const sigset_t *set, int flags)
{
	return (int)syscall(SYS_signalfd4, fd, set, SET_BYTES, flags);
}

int sigaction(int number, const struct sigaction *restrict to,
    struct sigaction *restrict old)
{
	/* the kernel's structure */
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restore)(void);
		unsigned long mask;
	} k = {to->sa_handler, (unsigned)to->sa_flags, NULL,
	    to->sa_mask.__bits[0]};

#if defined(__x86_64__)
	k.flags |= 0x04000000; /* SA_RESTORER */
	k.restore = libc_restore;
#endif
	if (old) { /* nobody here asks */
		libc_errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_rt_sigaction, number, &k, NULL, SET_BYTES);
}

void (*signal(int number, void (*handler)(int)))(int)
{
	struct sigaction to = {.sa_handler = handler, .sa_flags = SA_RESTART};

	return sigaction(number, &to, NULL) < 0 ? SIG_ERR : SIG_DFL;
}

/* The machines it is for are little-endian. */
uint32_t htonl(uint32_t v)
{
	return __builtin_bswap32(v);
}

uint16_t htons(uint16_t v)
{
	return __builtin_bswap16(v);
}

uint32_t ntohl(uint32_t v)
{
	return htonl(v);
}

uint16_t ntohs(uint16_t v)
{
	return htons(v);
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

void *memchr(const void *p, int c, size_t n)
{
	for (const unsigned char *s = p; n > 0; s++, n--)
		if (*s == (unsigned char)c)
			return (void *)(uintptr_t)s;
	return NULL;
}

char *strchr(const char *s, int c)
{
	return memchr(s, c, strlen(s) + 1);
}

char *strrchr(const char *s, int c)
{
	for (size_t n = strlen(s) + 1; n-- > 0;)
		if (s[n] == (char)c)
			return (char *)(uintptr_t)(s + n);
	return NULL;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0 && *a && *a == *b; a++, b++)
		n--;
	return n > 0 ? (unsigned char)*a - (unsigned char)*b : 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

size_t strspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && strchr(set, s[n]))
		n++;
	return n;
}

size_t strcspn(const char *s, const char *set)
{
	size_t n = 0;

	while (!strchr(set, s[n]))
		n++;
	return n;
}

char *strstr(const char *s, const char *part)
{
	size_t n = strlen(part);

	for (; *s || n == 0; s++)
		if (strncmp(s, part, n) == 0)
			return (char *)(uintptr_t)s;
	return NULL;
}

void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	if ((uintptr_t)d - (uintptr_t)s >= n &&
	    (uintptr_t)s - (uintptr_t)d >= n)
		return memcpy(to, from, n);
	if (d < s)
		for (; n > 0; n--)
			*d++ = *s++;
	else
		while (n-- > 0)
			d[n] = s[n];
	return to;
}
