/* SPDX-License-Identifier: 0BSD */
#include "slot/install.h"

#include <bearssl_hash.h>

#include "options.h"

/* What a step may answer besides 0 and a reason; it ends each(). */
#define DIFFERS 1

/* Two pieces side by side, or the only one where memory is short: beside a
 * stream there is its index. */
#define HALF (INSTALL_PIECE / 2)

/* ---- one item of the plan ---- */

/* The bundle comes once, and is verified as it comes. */
static bool is_stream(const struct install *in)
{
	return OPT_STREAM && in->bundle->forward;
}

static void choose(struct install *in, unsigned i)
{
	const struct plan_item *item = &in->plan->item[i];

	in->what = &in->bundle->manifest.image[item->image];
	in->slot = in->target[i];
	in->name = in->conf->slot[item->slot].name;
	in->at = 0;
	in->head = in->heads[i];
}

/* Does a step with one item after the other. */
static int each(struct install *in, int (*step)(struct install *in))
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < in->plan->count; i++) {
		choose(in, i);
		r = step(in);
	}
	return r;
}

static int failed(const struct install *in, int reason, const char *what)
{
	return diag_fail(in->d, reason, "slot %s, byte %llu: %s", in->name,
	    (unsigned long long)in->at, what);
}

static int put(struct install *in, uint64_t at, const void *p, size_t len)
{
	int r = blk_write(in->slot, at, p, len);

	in->at = at;
	if (r == R_READ_ONLY)
		return failed(in, R_TARGET_READ_ONLY, "write-protected");
	return r == 0 ? 0 : failed(in, R_TARGET_WRITE, "write error");
}

static int flush(struct install *in)
{
	if (blk_flush(in->slot) == 0)
		return 0;
	return failed(in, R_TARGET_FLUSH, "flush error");
}

/* From the device itself. */
static int get(struct install *in, uint64_t at, void *p, size_t len)
{
	in->at = at;
	if (blk_read_back(in->slot, at, p, len) == 0)
		return 0;
	return failed(in, R_TARGET_READBACK, "read error");
}

static int forgot(const struct install *in)
{
	return failed(
	    in, R_TARGET_READBACK, "it does not hold what was written");
}

/* ---- the bundle's side ---- */

/* The image's next n bytes, with zeros for holes. */
static int take(struct install *in, uint8_t *dst, size_t n)
{
	while (n > 0) {
		bool sparse = false;
		size_t got = 0;
		int r =
		    bundle_image_read(&in->image, dst, n, &got, &sparse, in->d);

		if (r != 0)
			return r;
		if (got == 0)
			return diag_fail(in->d, R_IMAGE_SIZE, "%s ends early",
			    in->what->filename);
		if (sparse)
			memset(dst, 0, got);
		dst += got;
		n -= got;
	}
	return 0;
}

/* Opens the image and takes its first bytes into head, filled up with zeros. */
static int open_head(struct install *in)
{
	int r = bundle_image_open(in->bundle, in->what, &in->image, in->d);

	memset(in->head, 0, INSTALL_HEAD);
	if (r == 0)
		r = take(
		    in, in->head, (size_t)MIN(in->what->size, INSTALL_HEAD));
	return r;
}

static int progress(struct install *in, enum install_phase phase, uint64_t step)
{
	in->done += step;
	if (in->progress &&
	    in->progress(in->ctx, phase, in->done, in->total) != 0)
		return diag_fail(in->d, R_CANCELLED, "stopped by the operator");
	return 0;
}

static int start_phase(struct install *in, enum install_phase phase)
{
	in->done = 0;
	in->total = 0;
	for (unsigned i = 0; i < in->plan->count; i++) {
		choose(in, i);
		in->total += in->what->size;
	}
	return progress(in, phase, 0);
}

/* ---- from the first byte to the last ---- */

/* Where a write that ends at `end` ends on the device. */
static uint64_t padded(const struct blk *t, uint64_t end)
{
	uint64_t sector = t->sector > 1 ? t->sector : 1;
	uint64_t rest = end % sector;

	if (rest == 0 || sector - rest > t->size - end)
		return end;
	return end + sector - rest;
}

/* n bytes of piece to the slot, durable from time to time. */
static int put_piece(struct install *in, uint64_t at, size_t n)
{
	/* Only the last piece can end inside a sector, and then it has room: a
	 * whole piece is a multiple of every sector. */
	size_t len = (size_t)(padded(in->slot, at + n) - at);
	int r;

	memset(in->piece + n, 0, len - n);
	r = put(in, at, in->piece, len);
	if (r == 0 && (at + n) / INSTALL_FLUSH != at / INSTALL_FLUSH)
		r = flush(in);
	return r;
}

/*
 * Goes over the image piece by piece, the first one being the head: reads it
 * from the bundle (read back: from the slot, the head from memory), then
 * writes it to the slot (not the head), or compares the two, or hashes it. What
 * a slot has to hold of a stream is known by its hash alone.
 * DIFFERS: it is not what the slot holds, or not what the manifest's SHA-256
 * belongs to.
 */
static int pass(struct install *in, enum install_phase phase)
{
	uint64_t size = in->what->size, at = 0;
	bool compare = phase == PHASE_COMPARE && !is_stream(in);
	bool device =
	    phase == PHASE_READ_BACK || (phase == PHASE_COMPARE && !compare);
	br_sha256_context sha;
	uint8_t sum[32];
	int r = device ? 0 : open_head(in);

	br_sha256_init(&sha);
	while (r == 0 && at < size) {
		uint8_t *p = at == 0 ? in->head : in->piece;
		size_t cap = at == 0                    ? INSTALL_HEAD
		             : compare || is_stream(in) ? HALF
		                                        : INSTALL_PIECE;
		size_t n = (size_t)MIN(size - at, cap);

		if (at > 0)
			r = device ? get(in, at, p, n) : take(in, p, n);
		if (r != 0)
			break;
		if (compare) {
			r = get(in, at, in->piece + HALF, n);
			if (r == 0 && memcmp(p, in->piece + HALF, n) != 0)
				r = DIFFERS;
		} else if (phase == PHASE_WRITE) {
			if (at > 0)
				r = put_piece(in, at, n);
		} else {
			br_sha256_update(&sha, p, n);
		}
		at += n;
		if (r == 0)
			r = progress(in, phase, n);
	}
	if (r != 0 || compare)
		return r;
	if (phase == PHASE_WRITE)
		return flush(in);
	br_sha256_out(&sha, sum);
	return memcmp(sum, in->what->sha256, sizeof sum) != 0 ? DIFFERS : 0;
}

static int verify_image(struct install *in)
{
	int r = pass(in, PHASE_CHECK);

	if (r != DIFFERS)
		return r;
	return diag_fail(in->d, R_IMAGE_HASH,
	    "%s is not what the manifest's sha256 says", in->what->filename);
}

/* ---- compare ---- */

int install_head_empty(struct blk *slot, bool *empty, struct diag *d)
{
	uint8_t chunk[512];
	size_t size = (size_t)MIN(slot->size, INSTALL_HEAD);

	*empty = true;
	for (size_t at = 0; *empty && at < size; at += sizeof chunk) {
		size_t n = MIN(size - at, sizeof chunk);

		if (blk_read_back(slot, at, chunk, n) != 0)
			return diag_fail(
			    d, R_TARGET_READBACK, "the slot cannot be read");
		*empty = all_zero(chunk, n);
	}
	return 0;
}

/* DIFFERS: the head is zero. One that cannot be read is not, and a write may
 * cure it. */
static int check_head_empty(struct install *in)
{
	bool empty;

	return install_head_empty(in->slot, &empty, NULL) == 0 && empty
	           ? DIFFERS
	           : 0;
}

/* DIFFERS: a zero head where the image has something, half an install. */
static int compare_head(struct install *in)
{
	int r = flush(in);

	if (r == 0)
		r = check_head_empty(in);
	if (r != DIFFERS || is_stream(in))
		return r;
	r = open_head(in);
	return r == 0 && !all_zero(in->head, INSTALL_HEAD) ? DIFFERS : r;
}

static int compare_image(struct install *in)
{
	uint64_t size = in->what->size;
	int r = 0;

	if (size > in->slot->size)
		return DIFFERS;
	if (is_stream(in))
		r = get(in, 0, in->head, (size_t)MIN(size, INSTALL_HEAD));
	return r == 0 ? pass(in, PHASE_COMPARE) : r;
}

int install_compare(
    struct install *in, enum slot_content *content, struct diag *d)
{
	int r;

	in->d = d;
	*content = CONTENT_SAME;
	r = start_phase(in, PHASE_COMPARE);
	if (r == 0) {
		r = each(in, compare_head);
		if (r == DIFFERS)
			*content = CONTENT_HALF;
	}
	if (r == 0) {
		r = each(in, compare_image);
		if (r == DIFFERS)
			*content = CONTENT_OTHER;
	}
	return r == DIFFERS ? 0 : r;
}

/* ---- the steps of the transaction ---- */

/* Everything that can be known without a write. */
static int check(struct install *in)
{
	int r = is_stream(in)
	            ? bundle_image_open(in->bundle, in->what, &in->image, in->d)
	            : open_head(in);

	if (r != 0)
		return r;
	if (in->what->size > in->slot->size)
		return diag_fail(in->d, R_TARGET_SMALL,
		    "%s has %llu bytes, slot %s has %llu", in->what->filename,
		    (unsigned long long)in->what->size, in->name,
		    (unsigned long long)in->slot->size);
	if (!in->slot->ops->write)
		return failed(in, R_TARGET_READ_ONLY, "write-protected");
	return 0;
}

/*
 * What stands in the slots is given up only for images that were unpacked to
 * their last byte. Where a head is zero there is nothing left to give up, and
 * the time is saved.
 */
static int check_images(struct install *in)
{
	int r = each(in, check_head_empty);

	if (r == DIFFERS)
		return 0;
	if (r == 0)
		r = start_phase(in, PHASE_CHECK);
	return r == 0 ? each(in, verify_image) : r;
}

/* A small image is filled up to a whole head, a small device is not. */
static size_t head_size(const struct install *in)
{
	return (size_t)MIN(in->slot->size, INSTALL_HEAD);
}

/* Where in a head a system is known by; the order in which they are zeroed. */
static const uint16_t keys[] = {0, 1024};

static int put_durably(
    struct install *in, uint64_t at, const uint8_t *p, size_t n)
{
	int r = put(in, at, p, n);

	return r == 0 ? flush(in) : r;
}

/* False: the device does not tear it, or has no room for it. */
static bool has_key(const struct install *in, unsigned k)
{
	return in->slot->sector < INSTALL_HEAD &&
	       head_size(in) >= keys[k] + INSTALL_KEY;
}

/* From p, which holds the head to be. */
static int put_key(struct install *in, const uint8_t *p, unsigned k)
{
	if (!has_key(in, k))
		return 0;
	return put_durably(in, keys[k], p + keys[k], INSTALL_KEY);
}

/* The bootable one first: from here on no boot loader starts this group. */
static int zero_heads(struct install *in)
{
	int r = 0;

	memset(in->piece, 0, INSTALL_HEAD);
	for (unsigned i = in->plan->count; r == 0 && i-- > 0;) {
		choose(in, i);
		/* Of a head that cannot be read no part can be written, because
		 * the system reads the rest of the block before; all of it can
		 * be, which also cures it. */
		for (unsigned k = 0; r == 0 && k < ARRAY_LEN(keys); k++)
			if (has_key(in, k) && blk_write(in->slot, keys[k],
			                          in->piece, INSTALL_KEY) == 0)
				r = flush(in);
		if (r == 0)
			r = put_durably(in, 0, in->piece, head_size(in));
	}
	return r;
}

static int write_body(struct install *in)
{
	return pass(in, PHASE_WRITE);
}

/* ---- a stream: all images in the order in which they come ---- */

static int tell_stream(void *ctx, uint64_t done, uint64_t total)
{
	const struct install *in = ctx;

	return in->progress ? in->progress(in->ctx, PHASE_WRITE, done, total)
	                    : 0;
}

static bool is_read(const struct bundle_image *run)
{
	return run->pos == run->size;
}

/* Where this run goes on. */
static int find_run(struct install *in, unsigned k)
{
	if (is_read(&in->run[k]))
		return 0;
	return bundle_image_where(&in->run[k], &in->where[k], in->d);
}

static int open_runs(struct install *in)
{
	unsigned k = (unsigned)(in->head - in->heads[0]) / INSTALL_HEAD * 2;
	int r = bundle_image_open(in->bundle, in->what, &in->run[k], in->d);

	memset(in->head, 0, INSTALL_HEAD);
	if (r != 0)
		return r;
	bundle_image_split(&in->run[k], &in->run[k + 1]);
	r = find_run(in, k);
	return r == 0 ? find_run(in, k + 1) : r;
}

/* The next bytes of a run: the head is kept for later. */
static int write_run(struct install *in, unsigned k)
{
	struct bundle_image *run = &in->run[k];
	uint64_t at = run->pos;
	bool head = at < INSTALL_HEAD, hole = false;
	uint8_t *p = head ? in->head + at : in->piece;
	size_t n = 0;
	int r = bundle_image_read(
	    run, p, head ? INSTALL_HEAD - (size_t)at : HALF, &n, &hole, in->d);

	if (r != 0)
		return r;
	if (n == 0)
		return diag_fail(
		    in->d, R_IMAGE_SIZE, "%s ends early", in->what->filename);
	if (hole)
		memset(p, 0, n);
	r = head ? 0 : put_piece(in, at, n);
	return r == 0 ? find_run(in, k) : r;
}

/* Every body, and then what no image needs, to the last block. */
static int write_stream(struct install *in)
{
	unsigned runs = 2 * in->plan->count;
	int r;

	in->bundle->stream.progress = tell_stream;
	in->bundle->stream.ctx = in;
	r = each(in, open_runs);
	while (r == 0) {
		unsigned low = runs;

		for (unsigned k = runs; k-- > 0;)
			if (!is_read(&in->run[k]) &&
			    (low == runs || in->where[k] <= in->where[low]))
				low = k;
		if (low == runs)
			break;
		choose(in, low / 2);
		r = write_run(in, low);
	}
	if (r == 0)
		r = bundle_finish(in->bundle, in->d);
	if (r == 0)
		r = each(in, flush);
	return r == 0 ? progress(in, PHASE_WRITE, in->total) : r;
}

/* Tells a device that forgets from an image that is not what it says. */
static int read_back_body(struct install *in)
{
	int r = pass(in, PHASE_READ_BACK);

	if (r == DIFFERS && is_stream(in))
		return forgot(in);
	if (r == DIFFERS) {
		/* as long as a check is, so it has to be told */
		in->done = 0;
		r = progress(in, PHASE_CHECK, 0);
		if (r == 0)
			r = verify_image(in);
		if (r == 0)
			r = forgot(in);
	}
	return r;
}

static int write_keyless(struct install *in)
{
	size_t n = head_size(in);

	memcpy(in->piece, in->head, n);
	for (unsigned k = 0; k < ARRAY_LEN(keys); k++)
		if (has_key(in, k))
			memset(in->piece + keys[k], 0, INSTALL_KEY);
	return put_durably(in, 0, in->piece, n);
}

/* There are loaders that start what they recognise, marked bad or not. */
static void take_back_head(struct install *in)
{
	size_t n = head_size(in);

	memset(in->piece, 0, n);
	if (blk_write(in->slot, 0, in->piece, n) == 0)
		(void)!blk_flush(in->slot);
}

/* One after the other, durable each: the bootable one is the last item. */
static int write_head(struct install *in)
{
	size_t n = head_size(in);
	int r = write_keyless(in);

	for (unsigned k = ARRAY_LEN(keys); r == 0 && k-- > 0;)
		r = put_key(in, in->head, k);
	if (r == 0)
		r = get(in, 0, in->piece, n);
	if (r == 0 && memcmp(in->piece, in->head, n) != 0)
		r = forgot(in);
	if (r != 0)
		take_back_head(in);
	return r;
}

static void record(struct install *in, enum status_kind kind)
{
	if (in->record)
		in->record(in->ctx, kind);
}

static bool is_booted(const struct install *in)
{
	return in->boot && in->plan->boot_name >= 0;
}

/* From the first write to a slot to the last. */
static int replace(struct install *in)
{
	int r = zero_heads(in);

	if (r == 0)
		r = is_stream(in) ? write_stream(in) : each(in, write_body);
	if (r == 0)
		r = start_phase(in, PHASE_READ_BACK);
	if (r == 0)
		r = each(in, read_back_body);
	if (r == 0)
		r = each(in, write_head);
	if (r == 0 && is_booted(in) && in->conf->activate_installed)
		r = boot_set_primary(in->boot, (unsigned)in->plan->boot_name,
		    in->conf->boot_attempts_primary, in->d);
	return r;
}

int install_run(struct install *in, struct diag *d)
{
	int r;

	in->d = d;
	if (!(is_stream(in) ? in->give_up_good : in->bundle->verified))
		return diag_fail(d, R_LAST_GOOD,
		    "the bundle was not verified to its last block");
	r = each(in, check);
	if (r == 0 && !is_stream(in))
		r = check_images(in);
	if (r == 0)
		r = start_phase(in, PHASE_WRITE);
	/* The attempt is counted first: whatever storing the status may do to
	 * the machine, it does not do it for ever. */
	if (r == 0 && is_booted(in))
		r = boot_mark_bad(in->boot, (unsigned)in->plan->boot_name, d);
	if (r != 0)
		return r;
	record(in, STATUS_PENDING);
	r = replace(in);
	record(in, r == 0 ? STATUS_OK : STATUS_FAILED);
	return r;
}
