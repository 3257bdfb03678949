/* SPDX-License-Identifier: 0BSD */
#include "init/uevent.h"

#include "base/buf.h"

/* The next NUL-terminated text; false, and the reader bad, without a NUL. */
static bool next_text(struct buf *b, struct slice *out)
{
	const char *start = (const char *)b->p + b->pos;
	const char *end = memchr(start, '\0', buf_left(b));
	size_t n = end ? (size_t)(end - start) : buf_left(b);

	buf_skip(b, n + 1);
	*out = (struct slice){start, n};
	return buf_ok(b);
}

enum { ACTION, SUBSYSTEM, DEVNAME, MEDIA_CHANGE, KEYS };

static const char *const keys[KEYS] = {
    [ACTION] = "ACTION=",
    [SUBSYSTEM] = "SUBSYSTEM=",
    [DEVNAME] = "DEVNAME=",
    [MEDIA_CHANGE] = "DISK_MEDIA_CHANGE=",
};

static void take_variable(struct slice *values, struct slice text)
{
	for (unsigned i = 0; i < KEYS; i++) {
		size_t n = strlen(keys[i]);

		if (text.len >= n && memcmp(text.p, keys[i], n) == 0)
			values[i] = (struct slice){text.p + n, text.len - n};
	}
}

static enum uevent_action action_of(struct slice s)
{
	static const char *const names[] = {
	    [UEVENT_ADD] = "add",
	    [UEVENT_REMOVE] = "remove",
	    [UEVENT_CHANGE] = "change",
	};

	for (unsigned i = UEVENT_ADD; i <= UEVENT_CHANGE; i++)
		if (slice_is(s, names[i]))
			return (enum uevent_action)i;
	return UEVENT_OTHER;
}

bool uevent_parse(struct uevent *e, const void *msg, size_t len)
{
	struct slice values[KEYS] = {{NULL, 0}};
	struct slice text;
	struct buf b;
	unsigned vars = 0;

	*e = (struct uevent){.action = UEVENT_OTHER};
	if (len == 0)
		return false;
	buf_init(&b, msg, len);
	if (!next_text(&b, &text) || !memchr(text.p, '@', text.len))
		return false;
	while (buf_left(&b) > 0) {
		if (++vars > UEVENT_VARS || !next_text(&b, &text))
			return false;
		take_variable(values, text);
	}
	e->action = action_of(values[ACTION]);
	e->subsystem = values[SUBSYSTEM];
	e->devname = values[DEVNAME];
	e->media_change = slice_is(values[MEDIA_CHANGE], "1");
	return true;
}
