/* SPDX-License-Identifier: 0BSD */
#include "oracle.h"

#include <stdio.h>
#include <string.h>

#define HEAD 4096u
#define SECTOR 512u

static const char *const texts[ORACLE_BITS] = {
#define ORACLE_TEXT(name, text) text,
    ORACLE_WRONGS(ORACLE_TEXT)
#undef ORACLE_TEXT
};

const char *oracle_text(enum oracle_bit bit)
{
	return texts[bit];
}

static void wrong(struct oracle_verdict *v, unsigned bit, const char *where)
{
	v->wrong |= bit;
	snprintf(v->where, sizeof v->where, "%s", where);
}

/* ---- slots ---- */

static bool is_zero(const uint8_t *p, size_t n)
{
	static const uint8_t zeros[HEAD];

	while (n > HEAD) {
		if (memcmp(p, zeros, HEAD) != 0)
			return false;
		p += HEAD;
		n -= HEAD;
	}
	return memcmp(p, zeros, n) == 0;
}

static bool sector_there(const struct oracle_slot *s, size_t at)
{
	return at + SECTOR <= s->size && !is_zero(s->now + at, SECTOR);
}

static bool magic_at(
    const struct oracle_slot *s, size_t at, const char *magic, size_t n)
{
	return at + n <= s->size && memcmp(s->now + at, magic, n) == 0;
}

static bool is_ext4(const struct oracle_slot *s)
{
	return magic_at(s, 1080, "\x53\xef", 2);
}

static bool is_first(const struct oracle_slot *s)
{
	return magic_at(s, 0, "hsqs", 4) || magic_at(s, 56, "ARM\x64", 4);
}

static bool recognised(const struct oracle_slot *s)
{
	switch (s->kind) {
	case ORACLE_SECTOR0:
		return sector_there(s, 0);
	case ORACLE_EXT4:
		return sector_there(s, 1024);
	case ORACLE_EXT4_BOOT:
		return sector_there(s, 0) && sector_there(s, 1024);
	case ORACLE_ANY:
		return is_first(s) || is_ext4(s);
	case ORACLE_MEMBER:
		break;
	}
	return true;
}

/* From where on a slot's bytes are part of what is started. */
static size_t counts_from(const struct oracle_slot *s)
{
	bool ext4 = s->kind == ORACLE_EXT4 ||
	            (s->kind == ORACLE_ANY && is_ext4(s) && !is_first(s));

	return ext4 && s->image_size > 1024 ? 1024 : 0;
}

static bool is_old(const struct oracle_slot *s, size_t from)
{
	return memcmp(s->now + from, s->before + from, s->image_size - from) ==
	       0;
}

static bool is_new(const struct oracle_slot *s, size_t from)
{
	return memcmp(s->now + from, s->image + from, s->image_size - from) ==
	       0;
}

/* Where the zeros behind an image may end at most. */
static size_t end_of(const struct oracle_slot *s)
{
	size_t end = s->image_size < HEAD ? HEAD : s->image_size;

	if (s->sector > 0 && end % s->sector != 0)
		end += s->sector - end % s->sector;
	return end < s->size ? end : s->size;
}

/* Every sector of the image is old, new or, in the head, zero; where a write
 * was short, every byte is. */
static bool is_known(const struct oracle_slot *s)
{
	for (size_t at = 0; at < s->image_size; at += SECTOR) {
		size_t left = s->image_size - at;
		size_t n = left < SECTOR ? left : SECTOR;
		const uint8_t *p = s->now + at;

		if (memcmp(p, s->image + at, n) == 0 ||
		    memcmp(p, s->before + at, n) == 0 ||
		    (at < HEAD && is_zero(p, n)))
			continue;
		for (size_t i = 0; i < n; i++)
			if (p[i] != s->image[at + i] &&
			    p[i] != s->before[at + i] &&
			    (at >= HEAD || p[i] != 0))
				return false;
	}
	return true;
}

static void judge_slot(const struct oracle_slot *s, struct oracle_verdict *v)
{
	size_t end, from = counts_from(s);
	bool was_old, is_done;

	if (!s->image) {
		if (memcmp(s->now, s->before, s->size) != 0)
			wrong(v, ORACLE_OUTSIDE, s->name);
		return;
	}
	end = end_of(s);
	if (memcmp(s->now + end, s->before + end, s->size - end) != 0)
		wrong(v, ORACLE_OUTSIDE, s->name);
	for (size_t i = s->image_size; i < end; i++)
		if (s->now[i] != 0 && s->now[i] != s->before[i]) {
			wrong(v, ORACLE_STRANGE, s->name);
			break;
		}
	was_old = is_old(s, from);
	is_done = is_new(s, from);
	if (!was_old && !is_done && !is_known(s))
		wrong(v, ORACLE_STRANGE, s->name);
	if (s->group >= 0) {
		v->exact[s->group] &= is_done && is_new(s, 0);
		v->whole_old[s->group] &= was_old;
		v->whole_new[s->group] &= is_done;
	}
}

void oracle_look(const struct oracle *o, struct oracle_verdict *v)
{
	v->wrong = 0;
	v->where[0] = '\0';
	for (unsigned i = 0; i < ORACLE_GROUPS; i++)
		v->whole_old[i] = v->whole_new[i] = v->recognised[i] =
		    v->exact[i] = true;
	for (unsigned i = 0; i < o->slots; i++) {
		const struct oracle_slot *s = &o->slot[i];

		judge_slot(s, v);
		if (s->group >= 0)
			v->recognised[s->group] &= recognised(s);
	}
	for (unsigned i = 0; i < o->keeps; i++)
		if (memcmp(o->keep[i].now, o->keep[i].before, o->keep[i].len))
			wrong(v, ORACLE_OUTSIDE, o->keep[i].name);
}

static bool is_target(const struct oracle *o, unsigned group)
{
	for (unsigned i = 0; i < o->slots; i++)
		if (o->slot[i].image && o->slot[i].group == (int)group)
			return true;
	return false;
}

static bool is_half(const struct oracle_verdict *v, unsigned group)
{
	return !v->whole_old[group] && !v->whole_new[group];
}

/* Of the group that boots, or of none. */
static bool is_meant(
    const struct oracle_verdict *v, const struct oracle_slot *s)
{
	return s->group < 0 || s->group == v->boots;
}

/* ---- what the loader does ---- */

struct look {
	const struct oracle *o;
	const struct oracle_verdict *v;
	int half; /* group that was started though it is neither, or -1 */
};

static bool starts(void *ctx, unsigned group)
{
	struct look *l = ctx;

	if (!l->v->recognised[group])
		return false;
	if (is_half(l->v, group))
		l->half = (int)group;
	return true;
}

/* Nothing that is a target starts. */
static bool others_start(void *ctx, unsigned group)
{
	struct look *l = ctx;

	return l->v->recognised[group] && !is_target(l->o, group);
}

static bool has_order(const struct model *m)
{
	char order[512];

	return model_get(m, "BOOT_ORDER", order, sizeof order) &&
	       order[strspn(order, " ")] != '\0';
}

/* Of what lifeboat and boot scripts keep for themselves. */
static bool is_own(const char *name, size_t len)
{
	static const char *const own[] = {"BOOT_ORDER", "LIFEBOAT_TRIES",
	    "bootcount", "upgrade_available", "bootlimit"};

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strlen(own[i]) == len && memcmp(own[i], name, len) == 0)
			return true;
	return len > 10 && memcmp(name, "BOOT_", 5) == 0 &&
	       memcmp(name + len - 5, "_LEFT", 5) == 0;
}

/* Every foreign variable there was is there, and says the same. */
static void judge_variables(const struct oracle *o, struct oracle_verdict *v)
{
	const struct model *m = &o->model_before;
	const uint8_t *copy = m->copy[m->use];
	const char *p = (const char *)copy + (m->copies == 2 ? 5 : 4);
	const char *end = (const char *)copy + m->size;
	static char was[65536], is[65536];

	while (p < end && *p) {
		size_t len = strnlen(p, (size_t)(end - p));
		const char *eq = memchr(p, '=', len);
		char name[128];

		if (eq && eq != p && (size_t)(eq - p) < sizeof name &&
		    !is_own(p, (size_t)(eq - p))) {
			snprintf(name, sizeof name, "%.*s", (int)(eq - p), p);
			if (model_get(m, name, was, sizeof was) &&
			    (!model_get(&o->model, name, is, sizeof is) ||
			        strcmp(was, is) != 0))
				wrong(v, ORACLE_VARIABLE, name);
		}
		p += len + 1;
	}
}

static void judge_boot(struct oracle *o, struct oracle_verdict *v)
{
	struct look l = {o, v, -1};
	struct model *m = &o->model, *b = &o->model_before;
	struct model gone;
	bool was_valid, had_order;

	model_load(m);
	v->env_valid = m->use >= 0;
	was_valid = b->use >= 0 && !o->env_was_lost;
	had_order = !was_valid || has_order(b);
	v->boots = model_boot(m, starts, &l, v->tried);
	if (l.half >= 0)
		wrong(v, ORACLE_HALF_STARTED, m->names[l.half]);
	/* where a loader that finds nothing gives all new attempts, only the
	 * slot itself can keep it from starting */
	for (unsigned i = 0; o->marks && v->env_valid && i < m->count; i++)
		if (model_loader[m->loader].recovery && is_half(v, i) &&
		    v->tried[i] > 0)
			wrong(v, ORACLE_NOT_BAD, m->names[i]);
	if (o->marks && v->env_valid && had_order && !has_order(m))
		wrong(v, ORACLE_ORDER_EMPTY, "BOOT_ORDER");
	if (!v->env_valid && was_valid && m->copies == 2)
		wrong(v, ORACLE_COPIES, "environment");
	if (v->env_valid && was_valid)
		judge_variables(o, v);
	if (v->boots < 0 && !o->env_was_lost &&
	    (v->env_valid || m->copies == 2 || m->copies == 0)) {
		int was = model_boot(b, others_start, &l, NULL);

		if (was >= 0)
			wrong(v, ORACLE_OTHER_LOST, m->names[was]);
	}
	for (unsigned i = 0; o->when == ORACLE_DONE && i < o->slots; i++)
		if (o->slot[i].image && is_meant(v, &o->slot[i]) &&
		    !is_new(&o->slot[i], 0))
			wrong(v, ORACLE_NOT_NEW, o->slot[i].name);
	if (o->when == ORACLE_DONE &&
	    (v->boots < 0 || !is_target(o, (unsigned)v->boots) ||
	        !v->whole_new[v->boots]))
		wrong(v, ORACLE_NOT_NEXT,
		    v->boots < 0 ? "recovery boots" : m->names[v->boots]);
	/* head-last: the same bytes without any environment */
	if (m->copies == 0)
		return;
	gone = *m;
	gone.use = -1;
	l.half = -1;
	(void)model_boot(&gone, starts, &l, NULL);
	if (l.half >= 0)
		wrong(v, ORACLE_DEFAULTS, m->names[l.half]);
}

/* ---- the status file ---- */

/* The line at p without its end; the next one, or NULL. */
static const char *next_line(const char *p, const char *end, size_t *len)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	*len = (size_t)((nl ? nl : end) - p);
	return nl ? nl + 1 : NULL;
}

bool oracle_status_get(struct oracle_status s, const char *slot,
    const char *key, char *dst, size_t cap)
{
	const char *end = s.text + s.len, *next;
	size_t n = strlen(slot), k = strlen(key), len;
	bool inside = false, found = false;

	for (const char *p = s.text; p && p < end; p = next) {
		next = next_line(p, end, &len);
		if (len > 0 && p[0] == '[')
			inside = len == n + 7 && memcmp(p, "[slot.", 6) == 0 &&
			         memcmp(p + 6, slot, n) == 0 &&
			         p[len - 1] == ']';
		else if (inside && len > k && memcmp(p, key, k) == 0 &&
		         p[k] == '=') {
			snprintf(
			    dst, cap, "%.*s", (int)(len - k - 1), p + k + 1);
			found = true;
		}
	}
	return found;
}

/* It ends with a line, and every line is one. */
static bool is_whole(struct oracle_status s)
{
	if (memchr(s.text, '\0', s.len))
		return false;
	return s.len == 0 || s.text[s.len - 1] == '\n';
}

static void judge_status_of(const struct oracle *o, const struct oracle_slot *s,
    struct oracle_verdict *v)
{
	char state[32] = "", sha[80] = "", size[32] = "", expect[32];
	char old_state[32] = "", old_sha[80] = "";
	bool ok, told;

	(void)oracle_status_get(
	    o->status, s->name, "status", state, sizeof state);
	(void)oracle_status_get(o->status, s->name, "sha256", sha, sizeof sha);
	(void)oracle_status_get(o->status, s->name, "size", size, sizeof size);
	if (o->status_before.text) {
		(void)oracle_status_get(o->status_before, s->name, "status",
		    old_state, sizeof old_state);
		(void)oracle_status_get(o->status_before, s->name, "sha256",
		    old_sha, sizeof old_sha);
	}
	if (!s->image &&
	    (strcmp(state, old_state) != 0 || strcmp(sha, old_sha) != 0))
		wrong(v, ORACLE_STATUS_TORN, s->name);
	ok = strcmp(state, "ok") == 0;
	told = s->image && s->image_sha256 && o->when == ORACLE_DONE &&
	       o->status_works && is_meant(v, s);
	snprintf(expect, sizeof expect, "%zu", s->image_size);
	if (s->image && s->image_sha256 && strcmp(sha, s->image_sha256) == 0) {
		if (!is_new(s, 0) || (ok && strcmp(size, expect) != 0))
			wrong(v, ORACLE_STATUS, s->name);
		if (told && !ok)
			wrong(v, ORACLE_NOT_TOLD, s->name);
		return;
	}
	if (told)
		wrong(v, ORACLE_NOT_TOLD, s->name);
	/* what was said before stays true only of what was there before */
	if ((ok || sha[0]) &&
	    (strcmp(state, old_state) != 0 || strcmp(sha, old_sha) != 0 ||
	        (s->image && !is_old(s, 0))))
		wrong(v, ORACLE_STATUS, s->name);
}

static void judge_status(const struct oracle *o, struct oracle_verdict *v)
{
	if (!o->status.text) {
		if (o->status_before.text)
			wrong(v, ORACLE_STATUS_TORN, "it is gone");
		if (o->when == ORACLE_DONE && o->status_works)
			wrong(v, ORACLE_NOT_TOLD, "there is none");
		return;
	}
	if (!is_whole(o->status) &&
	    (!o->status_before.text || is_whole(o->status_before)))
		wrong(v, ORACLE_STATUS_TORN, "status file");
	for (unsigned i = 0; i < o->slots; i++)
		judge_status_of(o, &o->slot[i], v);
}

bool oracle_judge(struct oracle *o, struct oracle_verdict *v)
{
	oracle_look(o, v);
	judge_boot(o, v);
	judge_status(o, v);
	return v->wrong == 0;
}
