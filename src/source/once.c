/* SPDX-License-Identifier: 0BSD */
/* What comes once: served as it comes, or kept in memory and served from
 * there. */
#include "source/source.h"

#include "base/blk_fd.h"
#include "base/fmt.h"
#include "options.h"

#define PIECE 65536u
#define SIGNATURE_MAX 65536u
#define PADDING 0x1au /* XMODEM fills its last block with it */
#define BLOCK 1024u   /* the longest one */

/* A feed that was begun, its first bytes put back. */
static struct {
	struct feed feed;
	struct feed *below;
	uint8_t head[STREAM_MAGIC_LEN];
	size_t have, taken;
} once;

static struct blk_fd kept;

static int once_read(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d)
{
	(void)f;
	if (once.taken == once.have)
		return once.below->ops->read(once.below, dst, cap, n, d);
	*n = MIN(cap, once.have - once.taken);
	memcpy(dst, once.head + once.taken, *n);
	once.taken += *n;
	return 0;
}

static const struct feed_ops once_ops = {"once", once_read};

static int take_head(bool raw, struct diag *d)
{
	size_t n;
	int r;

	do {
		r = once.below->ops->read(once.below, once.head + once.have,
		    sizeof once.head - once.have, &n, d);
		if (r != 0)
			return r;
		once.have += n;
	} while (n > 0 && once.have < sizeof once.head);
	return once.have > 0 || raw
	           ? 0
	           : diag_fail(d, R_STREAM_CUT, "nothing was sent");
}

static int too_large(const struct source *s, uint64_t size, struct diag *d)
{
	return diag_fail(d, R_SPOOL_FULL,
	    "%llu bytes%s, and of %llu bytes of free memory %llu may be used",
	    (unsigned long long)size,
	    once.feed.size == FEED_UNKNOWN ? " or more" : "",
	    (unsigned long long)s->spool.free,
	    (unsigned long long)s->spool.limit);
}

/*
 * XMODEM does not tell where its file ends. A bundle does, with the size of its
 * signature, which is small: padding behind it reads as a larger one. What is
 * signed is judged elsewhere.
 */
static int drop_padding(uint64_t *size, struct diag *d)
{
	uint8_t tail[BLOCK + 8];
	size_t have = (size_t)MIN(*size, sizeof tail);
	int r = blk_read(&kept.blk, *size - have, tail, have);

	if (r != 0)
		return diag_fail(d, r, "reading what was received");
	for (size_t end = have; end >= 8 && have - end < BLOCK; end--) {
		uint64_t sig = load_be64(tail + end - 8);

		if (sig <= SIGNATURE_MAX) {
			*size -= have - end;
			return 0;
		}
		if (tail[end - 1] != PADDING)
			return 0;
	}
	return 0;
}

static int keep(struct source *s, struct diag *d)
{
	static uint8_t piece[PIECE];
	uint64_t size = 0, total = once.feed.size;
	size_t n;
	int r;

	if (total != FEED_UNKNOWN && total > s->spool.limit)
		return too_large(s, total, d);
	blk_fd_init(&kept, s->spool.fd, -1, s->spool.limit, 0, true);
	for (;;) {
		r = once_read(&once.feed, piece, sizeof piece, &n, d);
		if (r != 0 || n == 0)
			break;
		if (n > s->spool.limit - size)
			return too_large(s, size + n, d);
		if (blk_write(&kept.blk, size, piece, n) != 0)
			return diag_fail(d, R_FULL, "no memory left");
		size += n;
		s->progress(size, total);
	}
	if (r == 0 && total == FEED_UNKNOWN)
		r = drop_padding(&size, d);
	kept.blk.size = size;
	return r;
}

static int once_list(struct source *s, struct diag *d)
{
	struct source_entry *e = &s->file[0];
	int r = s->begin(s, &once.below, d);

	if (r != 0)
		return r;
	once.feed = *once.below;
	once.feed.ops = &once_ops;
	r = take_head(s->raw, d);
	if (r != 0)
		return r;
	if (s->raw ||
	    (OPT_STREAM && once.have == STREAM_MAGIC_LEN &&
	        memcmp(once.head, STREAM_MAGIC, STREAM_MAGIC_LEN) == 0))
		s->forward = &once.feed;
	else
		r = keep(s, d);
	if (r != 0)
		return r;
	fmt(e->where, sizeof e->where, "%s", once.feed.name);
	s->files = 1;
	return 0;
}

static int once_open(
    struct source *s, unsigned i, struct blk **out, struct diag *d)
{
	(void)i;
	(void)d;
	if (s->forward)
		kept.blk.size = once.feed.size;
	*out = &kept.blk;
	return 0;
}

const struct source_ops source_once = {"once", once_list, once_open};
