/* SPDX-License-Identifier: 0BSD */
#include "worker/pipe.h"

#include <errno.h>
#include <sys/socket.h>

/* One message; false when the peer is gone. */
static bool put(int fd, const void *data, size_t len)
{
	struct iovec iov = {(void *)(uintptr_t)data, len};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	do
		n = sendmsg(fd, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

/* One message of at most cap bytes: its length, 0 when the peer is gone,
 * SIZE_MAX when it is longer. */
static size_t get(int fd, void *dst, size_t cap)
{
	struct iovec iov = {dst, cap};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	do
		n = recvmsg(fd, &h, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0 && (h.msg_flags & MSG_TRUNC) != 0)
		return SIZE_MAX;
	return n < 0 ? 0 : (size_t)n;
}

/* ---- the installer's end */

static int malformed(struct diag *d)
{
	return diag_fail(d, R_CHILD, "the source gave a malformed answer");
}

/* Sends the request and checks the answer's form; at most max bytes of data
 * then stand at room + sizeof *a. */
static int ask(struct pipe_blk *p, const struct pipe_request *q, uint8_t *room,
    size_t max, struct pipe_answer *a)
{
	size_t n;

	diag_clear(&p->diag);
	if (!put(p->fd, q, sizeof *q) ||
	    (n = get(p->fd, room, sizeof *a + max)) < sizeof *a)
		return diag_fail(&p->diag, R_CHILD, "the source is gone");
	memcpy(a, room, sizeof *a);
	if (n == SIZE_MAX || a->len != n - sizeof *a || a->reason > 0)
		return malformed(&p->diag);
	if (a->reason != 0) {
		a->seen[sizeof a->seen - 1] = '\0';
		log_clean(a->seen);
		return diag_fail(&p->diag, a->reason, "%s", a->seen);
	}
	return 0;
}

static int report(const struct pipe_blk *p, struct diag *d)
{
	return diag_fail(d, p->diag.reason, "%s", p->diag.seen);
}

/* *len becomes less only where the file comes once. */
static int fetch(struct pipe_blk *p, uint8_t *room, uint64_t off, size_t *len)
{
	struct pipe_request q = {.op = PIPE_READ, .off = off};
	struct pipe_answer a;

	q.len = (uint32_t)*len;
	if (ask(p, &q, room, *len, &a) != 0)
		return p->diag.reason;
	if (a.len != *len && !p->forward)
		return malformed(&p->diag);
	*len = a.len;
	return 0;
}

/* Makes [off, ...) stand at the start of ahead or inside it. */
static int fill(struct pipe_blk *p, uint64_t off, size_t len)
{
	int r;

	if (off == p->next || off == p->single_end || p->forward)
		len = PIPE_DATA;
	len = (size_t)MIN(MIN(len, PIPE_DATA), p->blk.size - off);
	p->len = 0;
	r = fetch(p, p->ahead, off, &len);
	if (r == 0 && len == 0)
		return diag_fail(&p->diag, R_STREAM_CUT, "it ends at byte %llu",
		    (unsigned long long)off);
	if (r == 0) {
		p->start = off;
		p->len = len;
	}
	return r;
}

/*
 * A small read somewhere else is a block of the hash tree: it must not cost
 * the read-ahead of the data around it.
 */
static bool is_single(const struct pipe_blk *p, uint64_t off, size_t len)
{
	return len <= PIPE_SINGLE && off != p->next && off != p->single_end &&
	       !p->forward;
}

static int pipe_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct pipe_blk *p = (struct pipe_blk *)b;
	uint8_t *to = dst;

	while (len > 0) {
		size_t n;
		int r;

		if (off >= p->start && off - p->start < p->len) {
			n = MIN(len, p->len - (size_t)(off - p->start));
			memcpy(to,
			    p->ahead + sizeof(struct pipe_answer) +
			        (size_t)(off - p->start),
			    n);
			p->next = off + n;
		} else if (is_single(p, off, len)) {
			n = len;
			r = fetch(p, p->single, off, &n);
			if (r != 0)
				return r;
			memcpy(to, p->single + sizeof(struct pipe_answer), n);
			p->single_end = off + n;
		} else {
			r = fill(p, off, len);
			if (r != 0)
				return r;
			continue;
		}
		to += n;
		off += n;
		len -= n;
	}
	return 0;
}

static const struct blk_ops pipe_ops = {pipe_read, NULL, NULL, NULL};

void pipe_init(struct pipe_blk *p, int fd)
{
	p->blk.ops = &pipe_ops;
	p->blk.size = 0;
	p->blk.sector = 0;
	p->fd = fd;
	p->next = 0;
	p->start = 0;
	p->len = 0;
	p->single_end = 0;
	diag_clear(&p->diag);
}

int pipe_list(struct pipe_blk *p, unsigned i, char *where, unsigned *count,
    struct diag *d)
{
	struct pipe_request q = {.op = PIPE_LIST, .index = i};
	struct pipe_answer a;

	if (ask(p, &q, p->single, SOURCE_WHERE - 1, &a) != 0)
		return report(p, d);
	if (a.count > SOURCE_FILES || i >= a.count || a.len >= SOURCE_WHERE)
		return malformed(d);
	memcpy(where, p->single + sizeof a, a.len);
	where[a.len] = '\0';
	log_clean(where);
	*count = a.count;
	return 0;
}

int pipe_open(struct pipe_blk *p, unsigned i, struct diag *d)
{
	struct pipe_request q = {.op = PIPE_OPEN, .index = i};
	struct pipe_answer a;

	if (ask(p, &q, p->single, 0, &a) != 0)
		return report(p, d);
	p->forward = a.forward != 0;
	p->announced = a.size;
	p->blk.size = p->forward ? UINT64_MAX : a.size;
	p->next = 0;
	p->single_end = 0;
	p->len = 0;
	return 0;
}

int pipe_next(
    struct pipe_blk *p, const uint8_t **data, size_t *n, struct diag *d)
{
	*n = PIPE_DATA;
	if (fetch(p, p->ahead, p->next, n) != 0) {
		*n = 0;
		return report(p, d);
	}
	*data = p->ahead + sizeof(struct pipe_answer);
	p->next += *n;
	p->len = 0;
	return 0;
}

/* ---- the source's end */

struct served {
	struct source *source;
	struct blk *open;
	bool listed;
	uint64_t pos; /* of what comes once */
};

/* Of the request that was last; one message. */
static struct {
	struct pipe_answer a;
	uint8_t data[PIPE_DATA];
} reply;

static int read_on(struct served *s, const struct pipe_request *q,
    uint32_t *len, struct diag *d)
{
	struct feed *f = s->source->forward;
	size_t n = 0;
	int r;

	if (q->off != s->pos || q->len == 0)
		return diag_fail(d, R_STREAM_TWICE,
		    "byte %llu was asked for, the next one is %llu",
		    (unsigned long long)q->off, (unsigned long long)s->pos);
	r = f->ops->read(f, reply.data, q->len, &n, d);
	s->pos += n;
	*len = (uint32_t)n;
	return r;
}

static int serve_one(
    struct served *s, const struct pipe_request *q, struct diag *d)
{
	struct source *source = s->source;
	struct pipe_answer *a = &reply.a;
	bool known = s->listed && q->index < source->files;
	const char *where;
	int r;

	switch (q->op) {
	case PIPE_LIST:
		if (!s->listed && source->ops->list(source, d) != 0)
			return d->reason;
		s->listed = true;
		if (q->index >= source->files)
			break;
		where = source->file[q->index].where;
		a->count = source->files;
		a->len = (uint32_t)strlen(where);
		memcpy(reply.data, where, a->len);
		return 0;
	case PIPE_OPEN:
		s->open = NULL;
		if (!known)
			break;
		r = source->ops->open(source, q->index, &s->open, d);
		if (r == 0)
			a->size = s->open->size;
		a->forward = source->forward != NULL;
		return r;
	case PIPE_READ:
		if (!s->open || q->len > PIPE_DATA)
			break;
		if (source->forward)
			return read_on(s, q, &a->len, d);
		a->len = q->len;
		r = blk_read(s->open, q->off, reply.data, q->len);
		return r == 0 ? 0
		              : diag_fail(d, r, "%s at byte %llu of the bundle",
		                    r == R_MEDIUM_GONE ? "gone" : "unreadable",
		                    (unsigned long long)q->off);
	default:
		break;
	}
	return diag_fail(d, R_INTERNAL, "the installer asked nonsense");
}

void pipe_serve(int fd, struct source *source)
{
	struct served s = {.source = source};
	struct pipe_request q;
	struct pipe_answer *a = &reply.a;

	while (get(fd, &q, sizeof q) == sizeof q) {
		struct diag d = {0};

		memset(a, 0, sizeof *a);
		a->reason = serve_one(&s, &q, &d);
		if (a->reason != 0) {
			a->len = 0;
			memcpy(a->seen, d.seen, sizeof a->seen);
		}
		if (!put(fd, &reply, sizeof *a + a->len))
			return;
	}
}
