/* SPDX-License-Identifier: 0BSD */
#include "source/line.h"

#include <asm/termbits.h>
#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BAUD_MIN 50
#define DRAIN_MS 1000
#define DRAIN_TICKS 40
/* from <asm/ioctls.h>, which clashes with the C library's */
#define GET_MODEM 0x5415 /* TIOCMGET */
#define GET 0x802c542aU  /* TCGETS2 */
#define SET 0x402c542bU  /* TCSETS2 */
#define HELD 0x5411      /* TIOCOUTQ: bytes not sent yet */
#define DROP 0x540b      /* TCFLSH: 0 what came in, 2 and what goes out */
#define BOTH_WAYS 2      /* TCIOFLUSH */
#define CTS 0x20         /* TIOCM_CTS */

_Static_assert(sizeof(struct termios2) == 44, "is part of the numbers above");
_Static_assert(sizeof(struct termios2) <= sizeof(uint32_t[16]), "is kept");

/* The C libraries do not agree on the type of ioctl's second argument. */
static int tty(int fd, unsigned long what, void *p)
{
	return (int)syscall(SYS_ioctl, fd, what, p);
}

unsigned line_baud(struct slice text)
{
	uint64_t n;

	if (!slice_u64(text, &n) || n < BAUD_MIN || n > LINE_BAUD_MAX)
		return 0;
	return (unsigned)n;
}

/* Waits until all is sent, but not for ever, as the calls do that set a
 * terminal when all is sent, while the other end holds us back: true when it
 * is. */
static bool drain(int fd)
{
	struct timespec tick = {0, DRAIN_MS / DRAIN_TICKS * 1000000};
	int held = 0;

	for (int i = 0; i < DRAIN_TICKS; i++) {
		bool sent = tty(fd, HELD, &held) < 0 || held == 0;

		if (sent && i == 0)
			return true;
		(void)nanosleep(&tick, NULL); /* for its FIFO at the end */
		if (sent)
			return true;
	}
	return false;
}

void line_restore(int fd, struct line_saved *saved)
{
	if (saved->valid) {
		(void)syscall(
		    SYS_ioctl, fd, (unsigned long)DROP, drain(fd) ? 0L : 2L);
		(void)tty(fd, SET, saved->termios2);
	}
	saved->valid = false;
}

int line_set(int fd, unsigned baud, enum line_flow flow,
    struct line_saved *saved, struct diag *d)
{
	struct line_saved before;
	struct termios2 t;
	int lines = 0;

	if (tty(fd, GET, &t) < 0)
		return diag_fail(
		    d, R_LINE_CONFIG, "no serial line (error %d)", errno);
	memcpy(before.termios2, &t, sizeof t);
	before.valid = true;
	t.c_iflag = flow == LINE_FLOW_OFF ? 0 : IXOFF;
	t.c_oflag = t.c_lflag = 0;
	t.c_cflag =
	    (t.c_cflag & (CBAUD | CBAUD << IBSHIFT)) | CS8 | CREAD | CLOCAL;
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 0;
	t.c_cc[VSTART] = 0x11;
	t.c_cc[VSTOP] = 0x13;
	if (baud) {
		t.c_cflag &= ~(tcflag_t)(CBAUD | CBAUD << IBSHIFT);
		t.c_cflag |= BOTHER;
		t.c_ospeed = t.c_ispeed = baud;
	}
	if (flow == LINE_FLOW_AUTO &&
	    (tty(fd, GET_MODEM, &lines) < 0 || !(lines & CTS)))
		flow = LINE_FLOW_OFF;
	if (flow != LINE_FLOW_OFF)
		t.c_cflag |= CRTSCTS;
	(void)drain(fd);
	if (tty(fd, SET, &t) < 0 || tty(fd, GET, &t) < 0 ||
	    (baud && (t.c_ospeed < baud - baud / 32 ||
	                 t.c_ospeed > baud + baud / 32))) {
		line_restore(fd, &before);
		return diag_fail(d, R_LINE_CONFIG,
		    "the line cannot do %u baud without parity", baud);
	}
	if (saved)
		*saved = before;
	return 0;
}

/* ---- a descriptor */

static uint64_t fd_now(struct line_io *io)
{
	struct timespec t = {0, 0};

	(void)io;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* 1 when fd is ready, 0 when it is not in time. */
static int wait_for(struct line_fd *l, short what, unsigned ms, struct diag *d)
{
	struct pollfd p = {l->fd, what, 0};
	int n = poll(&p, 1, (int)ms);

	if (n > 0 && !(p.revents & what))
		return diag_fail(d, R_IO, "the serial line is gone");
	if (n < 0 && errno != EINTR)
		return diag_fail(d, R_IO, "serial line: poll, error %d", errno);
	return n > 0;
}

static int fd_read(struct line_io *io, void *dst, size_t cap, size_t *n,
    unsigned ms, struct diag *d)
{
	struct line_fd *l = (struct line_fd *)io;
	int ready = wait_for(l, POLLIN, ms, d);
	ssize_t got;

	*n = 0;
	if (ready <= 0)
		return ready;
	got = read(l->fd, dst, cap);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (got <= 0)
		return diag_fail(
		    d, R_IO, "serial line: read, error %d", got ? errno : 0);
	*n = (size_t)got;
	return 0;
}

static int fd_write(
    struct line_io *io, const void *src, size_t len, struct diag *d)
{
	struct line_fd *l = (struct line_fd *)io;
	uint64_t end = fd_now(io) + LINE_WRITE_MS;
	const char *p = src;

	while (len > 0) {
		uint64_t now = fd_now(io);
		ssize_t put;
		int ready;

		if (now >= end)
			return diag_fail(d, R_TIMEOUT,
			    "the other end takes nothing (flow control)");
		ready = wait_for(l, POLLOUT, (unsigned)(end - now), d);
		if (ready < 0)
			return ready;
		if (ready == 0)
			continue;
		put = write(l->fd, p, len);
		if (put < 0 && errno != EINTR && errno != EAGAIN)
			return diag_fail(
			    d, R_IO, "serial line: write, error %d", errno);
		if (put > 0) {
			p += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

void line_fd_init(struct line_fd *l, int fd)
{
	l->io = (struct line_io){fd_read, fd_write, fd_now};
	l->fd = fd;
}
