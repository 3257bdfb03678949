/* SPDX-License-Identifier: 0BSD */
/*
 * Stands in for the bundle in tests of the install transaction: the images
 * are in memory, so that thousands of installs a second are possible. Defines
 * the functions of bundle.h that the transaction calls, so it is included by
 * exactly one file of a test program.
 */
#ifndef LIFEBOAT_BUNDLE_DOUBLE_H
#define LIFEBOAT_BUNDLE_DOUBLE_H

#include <bearssl_hash.h>

#include "base/fmt.h"
#include "bundle/bundle.h"

struct double_image {
	const uint8_t *p;
	size_t size;
};

static struct {
	struct double_image image[MANIFEST_IMAGES];
	size_t step;      /* bytes one read returns at most; 0: no limit */
	unsigned reads;   /* so far */
	unsigned fail_at; /* read that fails with `fail` */
	int fail;
	int open_fail; /* what opening answers */
	/* Of a stream, whose blocks are 4096 bytes, and in which the images lie
	 * one block of each in turn: */
	bool tails_first; /* what is no whole block comes before all others */
	uint64_t at;      /* where it was read last */
	unsigned back;    /* times it was read backwards */
	int finish;       /* what finishing answers */
	unsigned finished;
} bundle_double;

static struct bundle double_bundle;

static void double_reset(void)
{
	memset(&bundle_double, 0, sizeof bundle_double);
	memset(&double_bundle.manifest, 0, sizeof double_bundle.manifest);
	double_bundle.manifest.format = FORMAT_VERITY;
	double_bundle.verified = true;
	double_bundle.forward = false;
}

static inline void double_sha256(
    const void *p, size_t len, uint8_t sum[static 32])
{
	br_sha256_context c;

	br_sha256_init(&c);
	br_sha256_update(&c, p, len);
	br_sha256_out(&c, sum);
}

/* Adds image.CLASS, a raw one. */
static void double_add(const char *cls, const uint8_t *p, size_t size)
{
	struct manifest *m = &double_bundle.manifest;
	struct manifest_image *im = &m->image[m->images];

	fmt(im->slotclass, sizeof im->slotclass, "%s", cls);
	fmt(im->filename, sizeof im->filename, "%s.img", cls);
	fmt(im->type_name, sizeof im->type_name, "raw");
	im->type = IMAGE_RAW;
	im->size = size;
	double_sha256(p, size, im->sha256);
	bundle_double.image[m->images] = (struct double_image){p, size};
	m->images++;
}

int bundle_image_open(struct bundle *b, const struct manifest_image *m,
    struct bundle_image *i, struct diag *d)
{
	if (bundle_double.open_fail != 0)
		return diag_fail(d, bundle_double.open_fail, "%s", m->filename);
	memset(&i->file, 0, sizeof i->file);
	i->bundle = b;
	i->size = m->size;
	i->pos = 0;
	bundle_double.at = 0;
	i->file.pos = (uint64_t)(m - b->manifest.image);
	return 0;
}

/* A tail is marked by its inode's `disk`. */
void bundle_image_split(struct bundle_image *i, struct bundle_image *tail)
{
	*tail = *i;
	i->size -= i->size % 4096;
	tail->pos = i->size;
	tail->file.disk = 1;
}

static bool double_hole(const struct bundle_image *i)
{
	const struct double_image *im = &bundle_double.image[i->file.pos];

	return i->size - i->pos >= 512 && all_zero(im->p + i->pos, 512);
}

int bundle_image_where(struct bundle_image *i, uint64_t *at, struct diag *d)
{
	(void)d;
	*at = 2 + i->pos / 4096 * MANIFEST_IMAGES + i->file.pos;
	if (i->file.disk == 1)
		*at = bundle_double.tails_first ? 1 : *at + 1000;
	if (double_hole(i))
		*at = 0;
	return 0;
}

/* A stream is read forwards, and no block twice but by those who share it. */
static void double_look(struct bundle_image *i)
{
	uint64_t at;

	if (!i->bundle->forward || double_hole(i) ||
	    bundle_image_where(i, &at, NULL) != 0)
		return;
	bundle_double.back += at < bundle_double.at;
	bundle_double.at = at;
}

int bundle_finish(struct bundle *b, struct diag *d)
{
	(void)b;
	bundle_double.finished++;
	if (bundle_double.finish != 0)
		return diag_fail(d, bundle_double.finish, "planned");
	return 0;
}

/* Runs of zeros that fill a whole 512 are holes. */
int bundle_image_read(struct bundle_image *i, void *dst, size_t cap, size_t *n,
    bool *sparse, struct diag *d)
{
	const struct double_image *im = &bundle_double.image[i->file.pos];
	const uint8_t *p = im->p + i->pos;
	size_t left = (size_t)(MIN(i->size, im->size) - i->pos);

	if (bundle_double.fail != 0 &&
	    bundle_double.reads == bundle_double.fail_at)
		return diag_fail(d, bundle_double.fail, "planned");
	bundle_double.reads++;
	*n = MIN(left, cap);
	double_look(i);
	if (i->bundle->forward)
		*n = MIN(*n, 4096 - (size_t)(i->pos % 4096));
	if (bundle_double.step > 0)
		*n = MIN(*n, bundle_double.step);
	*sparse = *n >= 512 && all_zero(p, 512);
	if (*sparse)
		*n = 512;
	else
		memcpy(dst, p, *n);
	i->pos += *n;
	return 0;
}

#endif
