/* SPDX-License-Identifier: 0BSD */
/* Sticks and cards: every partition of every medium, each with its own file
 * system. What cannot be read is said and passed over. */
#include "source/source.h"

#include "base/fmt.h"
#include "base/log.h"
#include "media/part.h"

#define SKIPPED_LINES 64 /* in one listing; then only their number */

struct search {
	struct source *source;
	unsigned medium;
	const struct part *part;
	char where[SOURCE_NAME + 8]; /* "sda1" */
	unsigned *lines;             /* for passed-over files, so far */
	unsigned skipped;
	unsigned taken;
	bool full;
};

static const char *base_name(const char *path)
{
	const char *name = path;

	for (const char *s = path; *s != '\0'; s++)
		if (*s == '/')
			name = s + 1;
	return name;
}

static const char *why_not(const struct fs_file *f)
{
	const char *name = base_name(f->path);

	if (fs_is_bundle_name(name))
		return f->size == 0 ? "empty: the copy is incomplete" : NULL;
	if (fs_is_stream_name(name))
		return "in stream order, for TFTP and serial lines";
	if (name[0] == '.' && name[1] == '_')
		return "a macOS side file (._)";
	if (name[0] == '.')
		return "a hidden file";
	return "no bundle name (*.raucb)";
}

static int found(void *ctx, const struct fs_file *f)
{
	struct search *s = ctx;
	struct source *source = s->source;
	struct source_entry *e;
	const char *why = why_not(f);

	if (!why && source->files == SOURCE_FILES) {
		why = "too many bundles";
		s->full = true;
	}
	if (why) {
		s->skipped++;
		if ((*s->lines)++ < SKIPPED_LINES)
			log_info(
			    "%s:%s: not taken: %s", s->where, f->path, why);
		return 0;
	}
	s->taken++;
	e = &source->file[source->files++];
	fmt(e->where, sizeof e->where, "%s:%s", s->where, f->path);
	e->medium = s->medium;
	e->off = s->part->off;
	e->len = s->part->size;
	e->file = *f;
	return 0;
}

static void part_name(char *dst, size_t cap, const char *disk, unsigned number)
{
	size_t n = strlen(disk);
	bool digit = n > 0 && disk[n - 1] >= '0' && disk[n - 1] <= '9';

	if (number == 0)
		fmt(dst, cap, "%s", disk);
	else
		fmt(dst, cap, "%s%s%u", disk, digit ? "p" : "", number);
}

static int search_part(struct search *s, struct diag *d)
{
	struct source *source = s->source;
	struct blk *medium = source->medium[s->medium].blk;
	int r =
	    blk_window_init(&source->part, medium, s->part->off, s->part->size);

	if (r != 0)
		return diag_fail(d, r, "the partition ends behind the medium");
	r = fs_open(&source->fs, &source->part.blk, d);
	if (r == 0)
		r = fs_walk(&source->fs, found, s, d);
	if (*s->lines > SKIPPED_LINES && s->skipped > 0)
		log_info("%s: %u files are no bundles, not all are named",
		    s->where, s->skipped);
	if (s->full)
		log_warn("%s: only the first %u bundles are looked at",
		    s->where, SOURCE_FILES);
	if (r == 0 && s->taken == 0)
		return diag_fail(d, R_NO_BUNDLE,
		    "%s has %u files and no *.raucb", s->where, s->skipped);
	return r;
}

static int usb_list(struct source *s, struct diag *d)
{
	static struct part_table table;
	unsigned lines = 0;

	s->files = 0;
	for (unsigned m = 0; m < s->media; m++) {
		struct diag why = {0};
		int r = part_read(&table, s->medium[m].blk, &why);

		if (r != 0) {
			log_diag(s->medium[m].name, &why);
			(void)diag_fail(
			    d, r, "%s: %s", s->medium[m].name, why.seen);
			continue;
		}
		for (unsigned i = 0; i < table.count; i++) {
			struct search search = {.source = s,
			    .medium = m,
			    .part = &table.part[i],
			    .lines = &lines};

			diag_clear(&why);
			part_name(search.where, sizeof search.where,
			    s->medium[m].name, table.part[i].number);
			r = search_part(&search, &why);
			if (r != 0) {
				log_diag(search.where, &why);
				(void)diag_fail(
				    d, r, "%s: %s", search.where, why.seen);
			}
		}
	}
	if (s->files > 0) {
		if (d)
			diag_clear(d);
		return 0;
	}
	if (s->media == 0)
		return diag_fail(d, R_NO_MEDIUM, "no stick or card is there");
	if (d && d->reason != 0)
		return d->reason;
	return diag_fail(d, R_NO_BUNDLE, "no partition holds a *.raucb");
}

static int usb_open(
    struct source *s, unsigned i, struct blk **out, struct diag *d)
{
	const struct source_entry *e = &s->file[i];
	int r =
	    blk_window_init(&s->part, s->medium[e->medium].blk, e->off, e->len);

	if (r == 0)
		r = fs_open(&s->fs, &s->part.blk, d);
	if (r == 0)
		r = fs_file_open(&s->fs, &e->file, &s->open, d);
	if (r != 0)
		return diag_fail(d, r, "%s cannot be opened", e->where);
	*out = &s->open.blk;
	return 0;
}

const struct source_ops source_usb = {"usb", usb_list, usb_open};
