/* SPDX-License-Identifier: 0BSD */
#include "bundle/stream.h"

#include "bundle/trust.h"

#define VERSION 1u
#define PADDING 0x1a /* XMODEM's, in blocks of at most 1024 bytes */
#define PADDING_MAX 1024u
#define TRAILER 8u /* of a bundle: the size of the CMS */
#define BUNDLE_MAX (1ull << 53)

/* Of a squashfs's superblock. */
#define SUPER_MAGIC 0x73717368u
#define SUPER_INODES 64u

static void store_be32(uint8_t *p, uint32_t v)
{
	store_le32(p, __builtin_bswap32(v));
}

static void store_be64(uint8_t *p, uint64_t v)
{
	store_le64(p, __builtin_bswap64(v));
}

/* How many data blocks, with the tree over them, are so many bytes; 0: there
 * is no such number. */
static uint64_t data_blocks(uint64_t payload)
{
	uint64_t end = payload / VERITY_BLOCK;
	uint64_t low = 2, high = end, start[VERITY_LEVELS + 1];
	unsigned levels;

	if (payload % VERITY_BLOCK != 0 || payload > BUNDLE_MAX)
		return 0;
	while (low < high) {
		uint64_t n = low + (high - low) / 2;

		/* its size is all that counts */
		(void)verity_tree(n, end, &levels, start);
		if (n + (end - start[levels]) >= end)
			high = n;
		else
			low = n + 1;
	}
	return verity_tree(low, end, &levels, start) ? low : 0;
}

int stream_header_parse(
    struct stream_header *h, const uint8_t raw[STREAM_HEADER], struct diag *d)
{
	uint32_t version = load_be32(raw + 8);
	uint64_t cms = load_be64(raw + 24);

	h->index = load_be32(raw + 12);
	h->payload = load_be64(raw + 16);
	h->blocks = data_blocks(h->payload);
	h->cms = (uint32_t)cms;
	if (memcmp(raw, STREAM_MAGIC, STREAM_MAGIC_LEN) != 0)
		return diag_fail(d, R_STREAM_HEADER,
		    "it starts with %08x%08x, no bundle in stream order",
		    load_be32(raw), load_be32(raw + 4));
	if (version != VERSION)
		return diag_fail(d, R_STREAM_HEADER,
		    "stream order version %u, expected %u", version, VERSION);
	if (h->blocks == 0 || h->index == 0 || h->index > STREAM_INDEX_MAX ||
	    h->index >= h->blocks || cms == 0 || cms > STREAM_CMS_MAX)
		return diag_fail(d, R_STREAM_HEADER,
		    "payload of %llu bytes, index of %u blocks, signature of "
		    "%llu bytes",
		    (unsigned long long)h->payload, h->index,
		    (unsigned long long)cms);
	return 0;
}

static void put_header(const struct stream_header *h, uint8_t *raw)
{
	memcpy(raw, STREAM_MAGIC, STREAM_MAGIC_LEN);
	store_be32(raw + 8, VERSION);
	store_be32(raw + 12, h->index);
	store_be64(raw + 16, h->payload);
	store_be64(raw + 24, h->cms);
}

/* ---- the order */

void stream_order_init(struct stream_order *o, const struct stream_header *h)
{
	o->blocks = h->blocks;
	o->index = h->index;
	o->step = 0;
	memset(o->sent, 0xff, sizeof o->sent);
	(void)verity_tree(
	    o->blocks, h->payload / VERITY_BLOCK, &o->levels, o->start);
}

bool stream_order_next(struct stream_order *o, struct stream_next *next)
{
	uint64_t first = o->blocks - o->index; /* of the index */
	uint64_t data;

	if (o->step == o->blocks)
		return false;
	data = o->step;
	if (data > o->index)
		data -= o->index;
	else if (data > 0)
		data += first - 1;
	for (unsigned i = o->levels; i > 0; i--) {
		uint64_t at = data >> VERITY_FAN_BITS * i;

		if (o->sent[i - 1] == at)
			continue;
		o->sent[i - 1] = at;
		next->block = o->start[i] + at;
		next->data = false;
		next->again =
		    o->step > 0 &&
		    (at == 0 || (o->step > o->index &&
		                    at >= first >> VERITY_FAN_BITS * i));
		return true;
	}
	next->block = data;
	next->data = true;
	next->again = false;
	o->step++;
	return true;
}

/* ---- made */

static int report(const struct stream_job *j, uint64_t done, struct diag *d)
{
	if (j->progress && j->progress(j->ctx, done * VERITY_BLOCK,
	                       j->header.blocks * VERITY_BLOCK) != 0)
		return diag_fail(d, R_CANCELLED, "stopped by the operator");
	return 0;
}

static int put(struct stream_job *j, const void *p, size_t len, struct diag *d)
{
	int r = j->put(j->ctx, p, len);

	return r == 0 ? 0 : diag_fail(d, r, "writing the stream");
}

/* How many of the last blocks the squashfs's tables reach into. Its superblock
 * is believed for what it costs: time. */
static int choose_index(struct stream_job *j, struct diag *d)
{
	struct stream_header *h = &j->header;
	uint64_t tables, count = 0;
	int r = blk_read(j->in, 0, j->block, sizeof j->block);

	if (r != 0)
		return diag_fail(d, r, "reading the first block of the bundle");
	tables = load_le64(j->block + SUPER_INODES) / VERITY_BLOCK;
	if (load_le32(j->block) == SUPER_MAGIC && tables < h->blocks)
		count = h->blocks - tables;
	else /* encrypted: one in 256, 8 to 32 */
		count = MIN(h->blocks / 256 < 8 ? 8 : h->blocks / 256, 32);
	if (count == h->blocks)
		count--;
	count = MIN(count, h->blocks - 1);
	if (count > STREAM_INDEX_MAX)
		return diag_fail(d, R_STREAM_INDEX,
		    "the squashfs's tables have %llu blocks, at most %u",
		    (unsigned long long)count, STREAM_INDEX_MAX);
	h->index = (uint32_t)count;
	return 0;
}

static int read_bundle(struct stream_job *j, struct diag *d)
{
	struct stream_header *h = &j->header;
	uint64_t room = j->in->size - TRAILER, cms;
	uint8_t raw[TRAILER];
	int r;

	if (j->in->size <= TRAILER)
		return diag_fail(d, R_BUNDLE_SHORT, "%llu bytes",
		    (unsigned long long)j->in->size);
	r = blk_read(j->in, room, raw, sizeof raw);
	if (r != 0)
		return diag_fail(d, r, "reading the end of the bundle");
	cms = load_be64(raw);
	if (cms == 0 || cms > MIN(room, STREAM_CMS_MAX))
		return diag_fail(d,
		    cms == 0 ? R_SIG_SIZE_ZERO : R_SIG_SIZE_LARGE,
		    "signature of %llu bytes, expected 1 to %llu",
		    (unsigned long long)cms,
		    (unsigned long long)MIN(room, STREAM_CMS_MAX));
	h->cms = (uint32_t)cms;
	h->payload = room - cms;
	r = blk_read(j->in, h->payload, j->cms, h->cms);
	if (r != 0)
		return diag_fail(d, r, "reading the signature");
	if (cms_is_detached(j->cms, h->cms))
		return diag_fail(d, R_STREAM_FORMAT,
		    "format=plain has no hash tree that could be sent first");
	if (h->payload % VERITY_BLOCK != 0)
		return diag_fail(d, R_PAYLOAD_SIZE, "payload of %llu bytes",
		    (unsigned long long)h->payload);
	h->blocks = data_blocks(h->payload);
	if (h->blocks == 0)
		return diag_fail(d, R_VERITY_SIZE,
		    "payload of %llu bytes, which no hash tree fits",
		    (unsigned long long)h->payload);
	return choose_index(j, d);
}

int stream_make(struct stream_job *j, struct diag *d)
{
	uint8_t raw[STREAM_HEADER];
	struct stream_order o;
	struct stream_next next;
	int r = read_bundle(j, d);

	if (r != 0)
		return r;
	put_header(&j->header, raw);
	r = put(j, raw, sizeof raw, d);
	if (r == 0)
		r = put(j, j->cms, j->header.cms, d);
	stream_order_init(&o, &j->header);
	while (r == 0 && stream_order_next(&o, &next)) {
		r = blk_read(j->in, next.block * VERITY_BLOCK, j->block,
		    sizeof j->block);
		if (r != 0)
			return diag_fail(d, r, "reading block %llu",
			    (unsigned long long)next.block);
		r = put(j, j->block, sizeof j->block, d);
		if (r == 0 && next.data)
			r = report(j, o.step, d);
	}
	return r;
}

/* ---- read forwards */

static bool at_end(int r)
{
	return r == R_STREAM_CUT || r == R_RANGE;
}

/* The next len bytes of a stream. */
static int take(struct blk *in, uint64_t *at, void *dst, size_t len)
{
	int r = blk_read(in, *at, dst, len);

	if (r == 0)
		*at += len;
	return at_end(r) ? R_STREAM_CUT : r;
}

static int take_start(struct blk *in, uint64_t *at, struct stream_header *h,
    uint8_t *cms, struct diag *d)
{
	uint8_t raw[STREAM_HEADER];
	int r;

	*at = 0;
	r = take(in, at, raw, sizeof raw);
	if (r == 0) {
		r = stream_header_parse(h, raw, d);
		if (r != 0)
			return r;
		r = take(in, at, cms, h->cms);
	}
	if (r != 0)
		return diag_fail(d, r, "reading the first bytes of the stream");
	return 0;
}

/* XMODEM knows no size: it fills its last block up. */
static int check_end(struct blk *in, uint64_t at, struct diag *d)
{
	for (unsigned n = 0;; n++) {
		uint8_t byte;
		int r = take(in, &at, &byte, 1);

		if (r == R_STREAM_CUT)
			return 0;
		if (r != 0)
			return diag_fail(
			    d, r, "waiting for the end of the stream");
		if (byte != PADDING || n + 1 == PADDING_MAX)
			return diag_fail(d, R_STREAM_HEADER,
			    "bytes behind the end of the stream, at %llu",
			    (unsigned long long)at - 1);
	}
}

/* ---- turned back */

static int failed_at(
    int r, const char *what, uint64_t block, uint64_t at, struct diag *d)
{
	return diag_fail(d, r, "%s block %llu, at byte %llu of the stream",
	    what, (unsigned long long)block, (unsigned long long)at);
}

static int put_block(struct stream_job *j, struct blk *out,
    const struct stream_next *next, uint64_t at, struct diag *d)
{
	uint64_t to = next->block * VERITY_BLOCK;
	int r;

	if (next->again) {
		r = blk_read(out, to, j->before, sizeof j->before);
		if (r == 0 && memcmp(j->before, j->block, sizeof j->block) != 0)
			return failed_at(R_STREAM_HEADER,
			    "it comes again as another one:", next->block, at,
			    d);
	} else {
		r = blk_write(out, to, j->block, sizeof j->block);
	}
	return r == 0 ? 0 : failed_at(r, "storing", next->block, at, d);
}

int stream_restore(
    struct stream_job *j, struct blk *out, uint64_t *size, struct diag *d)
{
	struct stream_header *h = &j->header;
	struct stream_order o;
	struct stream_next next;
	uint8_t raw[TRAILER];
	uint64_t at;
	int r = take_start(j->in, &at, h, j->cms, d);

	if (r != 0)
		return r;
	stream_order_init(&o, h);
	while (stream_order_next(&o, &next)) {
		r = take(j->in, &at, j->block, sizeof j->block);
		if (r != 0)
			return failed_at(r, "reading", next.block, at, d);
		r = put_block(j, out, &next, at - sizeof j->block, d);
		if (r == 0 && next.data)
			r = report(j, o.step, d);
		if (r != 0)
			return r;
	}
	r = check_end(j->in, at, d);
	if (r != 0)
		return r;
	*size = h->payload + h->cms + TRAILER;
	store_be64(raw, h->cms);
	r = blk_write(out, h->payload, j->cms, h->cms);
	if (r == 0)
		r = blk_write(out, h->payload + h->cms, raw, sizeof raw);
	return r == 0 ? 0 : diag_fail(d, r, "storing the signature");
}

/* ---- read as it comes */

/* verity asks for a block once more when it does not like it. */
static int raw_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct stream *s = ((struct stream_raw *)b)->stream;
	uint64_t block = off / VERITY_BLOCK;
	struct stream_next next;
	int r;

	if (len != VERITY_BLOCK)
		return R_INTERNAL;
	if (block != s->came) {
		s->came = UINT64_MAX;
		if (!stream_order_next(&s->order, &next) || next.block != block)
			return R_INTERNAL;
		r = take(s->source, &s->at, s->last, sizeof s->last);
		if (r != 0)
			return r;
		s->came = block;
	}
	memcpy(dst, s->last, len);
	return 0;
}

/* Names the place, too: of the block at hand, or the one that did not come. */
static int failed_here(struct stream *s, int r)
{
	uint64_t at = s->at - (s->came == UINT64_MAX ? 0 : VERITY_BLOCK);

	return diag_fail(&s->diag, r, "%s, at byte %llu of the stream",
	    s->verity->diag.seen, (unsigned long long)at);
}

/* Brings one data block, verified, to dst (len bytes of it). */
static int bring(struct stream *s, uint64_t block, uint8_t *dst, size_t len)
{
	int r = blk_read(&s->verity->blk, block * VERITY_BLOCK, dst, len);

	if (r != 0)
		r = failed_here(s, r);
	else if (s->progress &&
	         s->progress(
	             s->ctx, s->order.step * VERITY_BLOCK, s->blk.size) != 0)
		r = diag_fail(&s->diag, R_CANCELLED, "while reading");
	s->failed = r;
	return r;
}

static int keep_index(struct stream *s)
{
	uint64_t first = s->header.blocks - s->header.index;
	int r = 0;

	for (uint32_t i = 0; r == 0 && !s->kept && i <= s->header.index; i++)
		r = bring(
		    s, i == 0 ? 0 : first + i - 1, s->index[i], VERITY_BLOCK);
	s->kept = r == 0;
	return r;
}

/* Once it has failed it goes on failing. */
static int begin(struct stream *s)
{
	if (s->failed != 0)
		return s->failed;
	diag_clear(&s->diag);
	return keep_index(s);
}

/* Lets all blocks before this one of the data pass. */
static int pass(struct stream *s, uint64_t end)
{
	uint8_t byte;
	int r = 0;

	while (r == 0 && s->next < end)
		r = bring(s, s->next++, &byte, 1);
	return r;
}

static int get(
    struct stream *s, uint64_t block, size_t in, uint8_t *dst, size_t len)
{
	uint64_t first = s->header.blocks - s->header.index;
	int r;

	if (block == 0 || block >= first) {
		memcpy(dst, s->index[block == 0 ? 0 : block - first + 1] + in,
		    len);
		return 0;
	}
	if (block + 1 < s->next)
		return diag_fail(&s->diag, R_STREAM_LAYOUT,
		    "block %llu is needed again, and block %llu is at hand",
		    (unsigned long long)block, (unsigned long long)s->next - 1);
	r = pass(s, block + 1);
	if (r != 0)
		return r;
	/* it is the one that verity holds */
	r = blk_read(&s->verity->blk, block * VERITY_BLOCK + in, dst, len);
	return r == 0 ? 0 : failed_here(s, r);
}

static int stream_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct stream *s = (struct stream *)b;
	uint8_t *out = dst;
	size_t done = 0;
	int r = begin(s);

	while (r == 0 && done < len) {
		size_t in = (size_t)(off % VERITY_BLOCK);
		size_t n = MIN(len - done, VERITY_BLOCK - in);

		r = get(s, off / VERITY_BLOCK, in, out + done, n);
		done += n;
		off += n;
	}
	if (r != 0)
		memset(dst, 0, len);
	return r;
}

static const struct blk_ops raw_ops = {.read = raw_read};
static const struct blk_ops stream_ops = {.read = stream_read};

int stream_open(
    struct stream *s, struct blk *source, uint8_t *cms, struct diag *d)
{
	int r = take_start(source, &s->at, &s->header, cms, d);

	s->source = source;
	s->raw.blk.ops = &raw_ops;
	s->raw.blk.size = r == 0 ? s->header.payload : 0;
	s->raw.blk.sector = 0;
	s->raw.stream = s;
	s->blk.size = 0;
	return r;
}

void stream_init(struct stream *s, struct verity *v)
{
	v->run_blocks = 1;
	stream_order_init(&s->order, &s->header);
	s->blk.ops = &stream_ops;
	s->blk.size = v->blk.size;
	s->blk.sector = 0;
	s->verity = v;
	s->came = UINT64_MAX;
	s->next = 1;
	s->kept = false;
	s->failed = 0;
	diag_clear(&s->diag);
}

int stream_finish(struct stream *s)
{
	int r = begin(s);

	if (r == 0)
		r = pass(s, s->header.blocks - s->header.index);
	return r == 0 ? check_end(s->source, s->at, &s->diag) : r;
}
