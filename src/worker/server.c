/* SPDX-License-Identifier: 0BSD */
/* The source child: media on one side, the block pipe on the other. */
#include "worker/work.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/blk_fd.h"
#include "base/fmt.h"
#include "options.h"
#include "worker/pipe.h"

/* A medium that may be pulled out at any time. */
struct medium {
	struct blk blk;
	struct blk_fd fd;
};

/* A damaged block is one thing; a device that cannot give its first and last
 * sector either is gone. */
static bool is_gone(struct medium *m)
{
	uint8_t sector[512];
	uint64_t last =
	    m->blk.size < sizeof sector ? 0 : m->blk.size - sizeof sector;

	if (m->fd.err == ENODEV || m->fd.err == ENXIO || m->fd.err == ENOMEDIUM)
		return true;
	return m->fd.err == EIO && m->blk.size >= sizeof sector &&
	       blk_read(&m->fd.blk, 0, sector, sizeof sector) != 0 &&
	       blk_read(&m->fd.blk, last, sector, sizeof sector) != 0;
}

static int medium_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct medium *m = (struct medium *)b;
	int r = blk_read(&m->fd.blk, off, dst, len);

	return r != 0 && is_gone(m) ? R_MEDIUM_GONE : r;
}

static const struct blk_ops medium_ops = {medium_read, NULL, NULL, NULL};

static void medium_init(
    struct medium *m, int fd, uint64_t size, uint32_t sector)
{
	blk_fd_init(&m->fd, fd, -1, size, sector, false);
	m->blk = m->fd.blk;
	m->blk.ops = &medium_ops;
}

static struct medium media[SOURCE_MEDIA];
static struct source source;

/* ---- what comes once */

#define PATIENCE_S 60 /* with a person who has to start the sender */

static const struct work *work;

static int pipe_feed_read(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d)
{
	ssize_t got;

	(void)f;
	do {
		struct pollfd p = {work->feed, POLLIN, 0};

		/* whoever shares the pipe may have made it not wait */
		(void)poll(&p, 1, -1);
		got = read(work->feed, dst, cap);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	*n = got > 0 ? (size_t)got : 0;
	return got < 0 ? diag_fail(d, R_IO, "reading the pipe: error %d", errno)
	               : 0;
}

static union {
	struct feed feed; /* the first member of each */
	struct tftp tftp;
	struct modem modem;
} begun;
static struct tftp_socket udp;
static bool asked; /* a server, for a file */

static int open_modem(const struct origin *o, struct diag *d)
{
	static struct line_fd line;
	const struct modem_request q = {.io = &line.io,
	    .protocol = o->protocol,
	    .patience = PATIENCE_S,
	    .window = o->flow == LINE_FLOW_OFF ? LINE_WINDOW : 0};

	line_fd_init(&line, work->feed);
	return modem_open(&begun.modem, &q, d);
}

static int begin(struct source *s, struct feed **feed, struct diag *d)
{
	static const struct feed_ops pipe_feed = {"pipe", pipe_feed_read};
	const struct origin *o = &work->origin;
	struct feed *f = &begun.feed;
	int r = 0;

	(void)s;
	f->ops = &pipe_feed;
	f->size = FEED_UNKNOWN;
	asked = o->kind == ORIGIN_TFTP;
	if (OPT_TFTP && asked)
		r = tftp_open(&begun.tftp, &udp.io, &o->tftp, d);
	else if (OPT_SERIAL && o->kind == ORIGIN_SERIAL)
		r = open_modem(o, d);
	if (f->name[0] == '\0')
		fmt(f->name, sizeof f->name, "%s", o->name);
	*feed = f;
	return r;
}

static void receiving(uint64_t done, uint64_t total)
{
	/* some servers tell of less than they send */
	(void)child_progress(
	    NULL, PHASE_RECEIVE, done, done > total ? UINT64_MAX : total);
}

/* A file as a feed, to be sent. */
struct sent {
	struct feed feed;
	struct blk *blk;
	uint64_t pos;
};

static int sent_read(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d)
{
	struct sent *s = (struct sent *)f;
	int r;

	*n = (size_t)MIN(cap, s->blk->size - s->pos);
	r = blk_read(s->blk, s->pos, dst, *n);
	s->pos += *n;
	(void)child_progress(NULL, PHASE_WRITE, s->pos, s->blk->size);
	return r == 0 ? 0 : diag_fail(d, r, "reading the file");
}

static int send_file(struct diag *d)
{
	static const struct feed_ops ops = {"file", sent_read};
	static struct sent s;

	s.feed.ops = &ops;
	s.blk = &media[0].blk;
	s.feed.size = s.blk->size;
	return tftp_put(&begun.tftp, &udp.io, &work->origin.tftp, &s.feed, d);
}

static unsigned prepare_feed(const struct work *w, int *keep)
{
	unsigned count = 0;

	work = w;
	if (OPT_TFTP)
		tftp_socket_io(&udp, w->feed);
	source.ops = &source_once;
	source.begin = begin;
	source.spool = w->spool;
	source.raw = w->setup->verb == JOB_FETCH;
	source.progress = receiving;
	keep[count++] = w->feed;
	if (w->spool.fd >= 0)
		keep[count++] = w->spool.fd;
	return count;
}

void source_child(const struct work *w, int fd, int pipe)
{
	int keep[SOURCE_MEDIA + 4] = {fd};
	unsigned count = 1;
	enum sandbox kind = SANDBOX_READ;
	struct diag d = {0};

	if (pipe >= 0)
		keep[count++] = pipe;
	if (OPT_FEED && w->feed >= 0) {
		kind = SANDBOX_FEED;
		count += prepare_feed(w, keep + count);
	} else if (!OPT_USB || w->bundle.fd >= 0)
		source.ops = &source_file;
	else
		source.ops = &source_usb;
	if (w->bundle.fd >= 0) {
		medium_init(
		    &media[0], w->bundle.fd, w->bundle.size, w->bundle.sector);
		fmt(source.medium[0].name, SOURCE_NAME, "%s", w->setup->bundle);
		source.medium[0].blk = &media[0].blk;
		source.media = 1;
		keep[count++] = w->bundle.fd;
	}
	for (unsigned i = 0; OPT_USB && i < w->media; i++) {
		const struct device *m = &w->devices.d[w->medium[i]];

		medium_init(&media[i], m->fd, m->size, m->sector);
		fmt(source.medium[i].name, SOURCE_NAME, "%s", m->name);
		source.medium[i].blk = &media[i].blk;
		keep[count++] = m->fd;
		source.media = i + 1;
	}
	if (child_enter(w, kind, fd, keep, count, &d) == 0) {
		if (w->setup->verb != JOB_SEND)
			pipe_serve(pipe, &source);
		else if (OPT_TFTP)
			(void)!send_file(&d);
		if (OPT_TFTP && asked)
			tftp_close(&begun.tftp);
	}
	child_end(&d, POLICY_WAIT, 0);
}
