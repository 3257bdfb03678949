/* SPDX-License-Identifier: 0BSD */
/*
 * RAUC's status file: a change (the first 12 bytes) to any file (the others).
 * What comes out says what was asked for, all else is as it was, and the same
 * change again changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/keyfile.h"
#include "slot/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct conf conf = {.slots = 4,
    .slot = {{.name = "rootfs.0"}, {.name = "rootfs.1"}, {.name = "app.0"},
        {.name = "x.0"}}};
static const char *const known[] = {"status", "sha256", "size", "bundle.hash",
    "bundle.compatible", "bundle.version", "bundle.description", "bundle.build",
    "installed.transaction", "installed.timestamp", "installed.count",
    "activated.timestamp", "activated.count"};
enum { CLEARED = 3 }; /* of known, by STATUS_PENDING and STATUS_FAILED */

#define must(v) \
	do { \
		if (!(v)) { \
			fprintf(stderr, "line %d: %s\n", __LINE__, #v); \
			abort(); \
		} \
	} while (0)

static bool has_image(const struct status_change *ch, unsigned slot)
{
	for (unsigned i = 0; i < ch->images; i++)
		if (ch->kind != STATUS_ACTIVATED && ch->image[i].slot == slot)
			return true;
	return false;
}

static bool is_activated(const struct status_change *ch, unsigned slot)
{
	return (ch->kind == STATUS_OK || ch->kind == STATUS_ACTIVATED) &&
	       ch->activated == (int)slot;
}

/* Of [slot.NAME], if the change is about it, or -1. */
static int touched(const struct status_change *ch, struct slice group)
{
	for (unsigned i = 0; i < conf.slots; i++) {
		char name[SLOT_NAME + 8];

		snprintf(name, sizeof name, "slot.%s", conf.slot[i].name);
		if (slice_is(group, name) &&
		    (has_image(ch, i) || is_activated(ch, i)))
			return (int)i;
	}
	return -1;
}

/* The text without the known keys of the slots that the change is about;
 * their last values, raw. */
static size_t rest(char *dst, struct slice values[][ARRAY_LEN(known)],
    bool *found, const struct status_change *ch, struct slice text)
{
	struct keyfile kf;
	size_t from = 0, n = 0;
	int item;

	kf_init(&kf, text.p, text.len);
	while ((item = kf_next(&kf, NULL)) > 0) {
		int slot = touched(ch, kf.group);
		unsigned k = 0;

		if (slot < 0)
			continue;
		found[slot] = true;
		while (k < ARRAY_LEN(known) && !slice_is(kf.key, known[k]))
			k++;
		if (item != KF_KEY || k == ARRAY_LEN(known))
			continue;
		values[slot][k] = kf.value;
		memcpy(dst + n, text.p + from, kf.start - from);
		n += kf.start - from;
		from = kf.pos;
	}
	must(item == 0);
	memcpy(dst + n, text.p + from, text.len - from);
	return n + text.len - from;
}

static bool same(struct slice a, struct slice b)
{
	return (a.p != NULL) == (b.p != NULL) && a.len == b.len &&
	       (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static void check_rest(
    const struct status_change *ch, struct slice old, struct slice new)
{
	static char was[STATUS_MAX * 2], is[STATUS_MAX];
	struct slice before[CONF_SLOTS][ARRAY_LEN(known)] = {0};
	struct slice after[CONF_SLOTS][ARRAY_LEN(known)] = {0};
	bool found[CONF_SLOTS] = {0}, there[CONF_SLOTS] = {0};
	size_t n = rest(was, before, found, ch, old);
	size_t m = rest(is, after, there, ch, new);

	for (unsigned i = 0; i < conf.slots; i++) {
		bool image = has_image(ch, i), active = is_activated(ch, i);

		if (!image && !active)
			continue;
		must(there[i]);
		/* a group that is new comes behind all others */
		if (!found[i]) {
			if (n > 0 && was[n - 1] == '\r')
				was[n++] = '\r';
			if (n > 0 && was[n - 1] != '\n')
				was[n++] = '\n';
			if (n > 1 && was[n - 2] != '\n' && is[n] == '\n')
				was[n++] = '\n';
			n += (size_t)sprintf(
			    was + n, "[slot.%s]\n", conf.slot[i].name);
		}
		for (unsigned k = 0; k < ARRAY_LEN(known); k++)
			if (image && ch->kind != STATUS_OK
			        ? k >= CLEARED
			        : !image &&
			              strncmp(known[k], "activated.", 10) != 0)
				must(same(before[i][k], after[i][k]));
	}
	/* the end of the old text may have got the line's end it lacked */
	must(m >= n || n - m <= 2);
	must(memcmp(was, is, m < n ? m : n) == 0);
	for (size_t i = n; i < m; i++)
		must(is[i] == '\r' || is[i] == '\n');
}

static void check_slot(const struct status_change *ch, unsigned slot,
    const struct status_slot *was, const struct status_slot *s)
{
	static const char *const words[] = {"pending", "ok", "failed"};
	const struct status_image *image = ch->image;
	char hex[65];
	int64_t time;

	must(s->found);
	if (is_activated(ch, slot)) {
		must(s->activated_count > was->activated_count ||
		     was->activated_count == UINT32_MAX);
		must(ch->time <= 0 || s->activated_timestamp[0] != '\0');
	}
	if (!has_image(ch, slot))
		return;
	must(strcmp(s->status, words[ch->kind]) == 0);
	if (ch->kind != STATUS_OK) {
		must(s->sha256[0] == '\0' && s->size == 0);
		return;
	}
	while (image->slot != slot)
		image++;
	hex_encode(hex, image->sha256, 32);
	must(strcmp(s->sha256, hex) == 0 && s->size == image->size);
	hex_encode(hex, ch->hash, 32);
	must(strcmp(s->hash, hex) == 0);
	must(strcmp(s->compatible, ch->compatible) == 0);
	must(!ch->description[0] || !utf8_valid((struct slice){ch->description,
	                                strlen(ch->description)})
	         ? s->description[0] == '\0'
	         : strcmp(s->description, ch->description) == 0);
	must(s->installed_count == (was->installed_count == UINT32_MAX
	                                   ? UINT32_MAX
	                                   : was->installed_count + 1));
	must(ch->time <= 0 || s->installed_timestamp[0] != '\0');
	if (status_time_parse((struct slice){was->installed_timestamp,
	                          strlen(was->installed_timestamp)},
	        &time))
		must(strcmp(s->installed_timestamp, was->installed_timestamp) >
		         0 ||
		     was->installed_timestamp[0] == '9');
	must(is_activated(ch, slot) || s->activated_timestamp[0] == '\0');
}

static void read_change(struct status_change *ch, const uint8_t *p, size_t size)
{
	ch->kind = p[0] % (STATUS_KINDS + 1);
	ch->images = p[1] % 5;
	ch->activated = p[2] % 6 - 1;
	memcpy(&ch->time, p + 3, 4);
	ch->time = p[7] & 1 ? ch->time : -ch->time;
	memcpy(ch->compatible, "  d\\v", 6);
	for (size_t i = 12; i < size && i < 80; i++)
		/* GLib has no escape for a form feed, and strips it */
		ch->description[i - 12] = p[i] == '\f' ? 'f' : (char)p[i];
	for (unsigned i = 0; i < 4; i++) {
		ch->image[i].slot = (p[8] >> i * 2 & 3) + p[9] / 250;
		ch->image[i].size = (uint64_t)p[10] << p[11] % 57;
		memset(ch->image[i].sha256, p[10] + (int)i, 32);
	}
	memset(ch->hash, p[11], 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dst[STATUS_MAX], again[STATUS_MAX];
	static struct status_slot before[CONF_SLOTS], s;
	struct status_change ch = {0};
	struct slice old;
	struct diag d = {0};
	size_t n, m;
	bool changed, damaged;
	int r;

	if (size < 12)
		return 0;
	read_change(&ch, data, size);
	old.p = (const char *)data + 12;
	old.len = size - 12;
	r = status_update(dst, &n, &changed, &damaged, old, &conf, &ch, &d);
	must(r == d.reason && r <= 0);
	if (r != 0) {
		must(r == R_LIMIT || r == R_INTERNAL);
		must(r == R_INTERNAL || size > STATUS_MAX - 4096);
		return 0;
	}
	must(n < STATUS_MAX);
	if (!damaged && !changed && ch.kind == STATUS_OK)
		return 0;
	must(changed == (n != old.len || memcmp(dst, old.p, n) != 0));
	for (unsigned i = 0; i < conf.slots; i++) {
		int bad = status_read(&before[i], old, conf.slot[i].name, NULL);

		must((bad != 0) == damaged);
		must(status_read(&s, (struct slice){dst, n}, conf.slot[i].name,
		         &d) == 0);
		if (has_image(&ch, i) || is_activated(&ch, i))
			check_slot(&ch, i, &before[i], &s);
		else
			must(memcmp(&s, &before[i], sizeof s) == 0);
	}
	check_rest(
	    &ch, damaged ? (struct slice){"", 0} : old, (struct slice){dst, n});
	if (ch.kind == STATUS_ACTIVATED)
		return 0;
	r = status_update(again, &m, &changed, &damaged, (struct slice){dst, n},
	    &conf, &ch, &d);
	must(r == 0 || n > STATUS_MAX - 100);
	must(r != 0 || (!changed && !damaged));
	return 0;
}
