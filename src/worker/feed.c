/* SPDX-License-Identifier: 0BSD */
/* The owner's side of what comes once: opens the socket, the line or the pipe
 * and the room to keep it in, before the source begins. */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fmt.h"
#include "options.h"
#include "worker/owner.h"

#define SPOOL_SHARE 2u /* a half of the free memory, and no more */
#define MTU_LEAST 576  /* every IPv4 host takes that */

/* ---- the spool */

/* MemAvailable of the kernel, in bytes; 0: it does not say. */
static uint64_t memory_available(void)
{
	char text[2048];
	int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	struct slice left, line, word;
	uint64_t kib;

	if (fd >= 0)
		(void)close(fd);
	left = (struct slice){text, n > 0 ? (size_t)n : 0};
	while (slice_line(&left, &line))
		if (slice_word(&line, &word) &&
		    slice_is(word, "MemAvailable:") &&
		    slice_word(&line, &word) && slice_u64(word, &kib))
			return kib * 1024;
	return 0;
}

static int open_spool(struct spool *s, struct diag *d)
{
	s->free = memory_available();
	s->limit = s->free / SPOOL_SHARE;
	s->fd = (int)syscall(SYS_memfd_create, "spool", MFD_CLOEXEC);
	return s->fd < 0 ? errno_fail(d, R_SYSTEM, "memfd_create") : 0;
}

/* ---- TFTP */

/* Of the way to the server, as the kernel knows it. */
static int find_mtu(struct tftp_request *q, const char *name, struct diag *d)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons(q->server.port),
	    .sin_addr.s_addr = htonl(q->server.host)};
	socklen_t len = sizeof(int);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int mtu = 0, r = 0;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof a) != 0)
		r = errno_fail(d, R_NET_SERVER, name);
	else if (getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &len) != 0 ||
	         mtu < MTU_LEAST)
		mtu = MTU_LEAST;
	q->mtu = (unsigned)mtu;
	close_fd(&fd);
	return r;
}

static int open_socket(struct work *w, struct diag *d)
{
	int r = find_mtu(&w->origin.tftp, w->origin.name, d);

	if (r != 0)
		return r;
	r = tftp_socket_open(d);
	w->feed = r < 0 ? -1 : r;
	return r < 0 ? r : 0;
}

/* ---- a serial line */

static int open_line(struct work *w, struct diag *d)
{
	const struct origin *o = &w->origin;
	int r;

	if (w->setup->line > 0)
		w->feed = dup(w->setup->line);
	else
		w->feed =
		    open(o->device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (w->feed < 0)
		return errno_fail(d, R_LINE_CONFIG, o->device);
	r = line_set(w->feed, o->baud, o->flow, &w->line, d);
	/* nothing is written to what is no line: it may be a disk */
	if (r != 0)
		close_fd(&w->feed);
	return r;
}

/* ---- all of them */

int feed_open(struct work *w, struct diag *d)
{
	int r = 0;

	if (w->setup->verb == JOB_SEND && w->origin.kind != ORIGIN_TFTP)
		return diag_fail(
		    d, R_USAGE, "%s: expected tftp://IP/FILE", w->setup->to);
	switch (w->origin.kind) {
	case ORIGIN_FILE:
		if (w->setup->verb == JOB_FETCH)
			return diag_fail(d, R_USAGE,
			    "%s is a file: expected tftp://IP/FILE, "
			    "serial:DEVICE or -",
			    w->setup->bundle);
		return 0;
	case ORIGIN_PIPE:
		w->feed = dup(STDIN_FILENO);
		if (w->feed < 0)
			r = errno_fail(d, R_NOT_FOUND, w->origin.name);
		break;
	case ORIGIN_TFTP:
		r = OPT_TFTP ? open_socket(w, d) : R_INTERNAL;
		break;
	case ORIGIN_SERIAL:
		r = OPT_SERIAL ? open_line(w, d) : R_INTERNAL;
		break;
	}
	return r == 0 && job_needs(NEEDS_BUNDLE) && !job_needs(NEEDS_SOURCE)
	           ? open_spool(&w->spool, d)
	           : r;
}

void feed_close(struct work *w, bool done)
{
	/* stops a sender of any of the protocols */
	static const char cancel[] = "\30\30\30\30\30\30\30\30"
	                             "\b\b\b\b\b\b\b\b";

	if (OPT_SERIAL && w->feed >= 0 && w->origin.kind == ORIGIN_SERIAL) {
		if (!done)
			(void)!write(w->feed, cancel, sizeof cancel - 1);
		line_restore(w->feed, &w->line);
	}
	close_fd(&w->feed);
	close_fd(&w->spool.fd);
}
