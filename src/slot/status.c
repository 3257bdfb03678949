/* SPDX-License-Identifier: 0BSD */
#include "slot/status.h"

#include "base/fmt.h"
#include "base/keyfile.h"
#include "base/log.h"

#define TIME_MAX 253402300799 /* 9999-12-31T23:59:59Z */
#define DAY 86400
#define EPOCH 719468 /* days from 0000-03-01 to 1970-01-01 */

/* ---- where it is ---- */

/* The absolute path of a file, without "..". */
static bool is_file(struct slice path)
{
	struct slice left;
	bool ok = path.p[0] == '/';

	while (slice_cut(&path, '/', &left)) {
		ok = ok && !slice_is(path, "..");
		path = left;
	}
	return ok && path.len > 0 && !slice_is(path, "..");
}

int status_path(char dst[static CONF_TEXT], const struct conf *c,
    const struct settings *s, struct diag *d)
{
	struct slice path = {c->statusfile, strlen(c->statusfile)};
	const char *folder =
	    s->data_device[0] != '\0' ? s->data_mount_point : "";
	size_t n = strlen(folder);

	dst[0] = '\0';
	if (path.len == 0 || slice_is(path, "per-slot"))
		return 0;
	while (n > 0 && folder[n - 1] == '/')
		n--;
	if (!is_file(path) || path.len <= n || path.p[n] != '/' ||
	    memcmp(path.p, folder, n) != 0)
		return diag_fail(d, R_STATUS_PLACE,
		    "%s: expected an absolute path of a file below %s/",
		    c->statusfile, folder);
	while (folder[0] != '\0' && path.p[n] == '/')
		n++;
	memcpy(dst, path.p + n, path.len - n + 1);
	return 0;
}

/* ---- time ---- */

/* Days from 0000-03-01, where a leap day is the last of its year, to 1 March
 * of this year. */
static unsigned days_to_year(unsigned year)
{
	return year * 365 + year / 4 - year / 100 + year / 400;
}

/* Days from 1 March to the first of this month, March being 0. */
static unsigned days_to_month(unsigned month)
{
	return (153 * month + 2) / 5;
}

void status_time_format(char dst[static 21], int64_t time)
{
	unsigned days = (unsigned)(time / DAY) + EPOCH;
	unsigned left = (unsigned)(time % DAY);
	unsigned year = days / 366, month = 0;

	while (days_to_year(year + 1) <= days)
		year++;
	days -= days_to_year(year);
	while (days_to_month(month + 1) <= days)
		month++;
	days -= days_to_month(month);
	fmt(dst, 21, "%04u-%02u-%02uT%02u:%02u:%02uZ", year + month / 10,
	    (month + 2) % 12 + 1, days + 1, left / 3600, left / 60 % 60,
	    left % 60);
}

/* By bisection: the text grows with the time. */
bool status_time_parse(struct slice text, int64_t *time)
{
	char probe[21];

	*time = 0;
	if (text.len != sizeof probe - 1)
		return false;
	for (int64_t step = (int64_t)1 << 37; step > 0; step >>= 1) {
		if (*time + step > TIME_MAX)
			continue;
		status_time_format(probe, *time + step);
		if (memcmp(probe, text.p, sizeof probe - 1) <= 0)
			*time += step;
	}
	status_time_format(probe, *time);
	return slice_is(text, probe);
}

/* ---- reading ---- */

/* In the order in which RAUC writes them; the first four are strings. */
enum key {
	COMPATIBLE,
	VERSION,
	DESCRIPTION,
	BUILD,
	HASH,
	STATUS,
	SHA256,
	SIZE,
	TRANSACTION,
	INSTALLED,
	INSTALLED_COUNT,
	ACTIVATED,
	ACTIVATED_COUNT,
	KEYS
};

static const char key_names[] =
    "bundle.compatible bundle.version bundle.description bundle.build "
    "bundle.hash status sha256 size installed.transaction "
    "installed.timestamp installed.count activated.timestamp "
    "activated.count";

static int key_index(struct slice name)
{
	return slice_index(
	    (struct slice){key_names, sizeof key_names - 1}, name);
}

#define GROUP "slot."

/* The slot's name in [slot.NAME]; false: another group. */
static bool slot_name(struct slice *group)
{
	if (group->len < sizeof GROUP ||
	    memcmp(group->p, GROUP, sizeof GROUP - 1) != 0)
		return false;
	group->p += sizeof GROUP - 1;
	group->len -= sizeof GROUP - 1;
	return true;
}

/* What a file says of one slot, as it is written there: the last of several
 * keys. p is NULL: nothing. */
struct known {
	bool found;
	int64_t newest; /* timestamp of all slots, or -1 */
	struct slice raw[KEYS];
};

static int read_known(
    struct known *k, struct slice text, const char *name, struct diag *d)
{
	struct keyfile kf;
	int r;

	memset(k, 0, sizeof *k);
	k->newest = -1;
	if (text.len == 0)
		return 0;
	if (!utf8_valid(text))
		return diag_fail(
		    d, R_KEYFILE_SYNTAX, "NUL bytes or invalid UTF-8");
	kf_init(&kf, text.p, text.len);
	while ((r = kf_next(&kf, d)) > 0) {
		struct slice group = kf.group;
		int64_t time;
		int i = key_index(kf.key);

		if (!slot_name(&group))
			continue;
		if ((i == INSTALLED || i == ACTIVATED) &&
		    status_time_parse(kf.value, &time) && time > k->newest)
			k->newest = time;
		if (!slice_is(group, name))
			continue;
		k->found = true;
		if (i >= 0)
			k->raw[i] = kf.value;
	}
	return r;
}

/* The string as it is meant, or nothing. */
static void take(char *dst, size_t cap, struct slice raw)
{
	struct keyfile kf = {.value = raw};

	if (kf_string(&kf, dst, cap, NULL) != 0)
		dst[0] = '\0';
}

/* Bad and too large ones count as 0, as in RAUC. */
static uint32_t count(struct slice raw)
{
	uint64_t v;

	return slice_u64(raw, &v) && v <= UINT32_MAX ? (uint32_t)v : 0;
}

static uint32_t counted(struct slice raw)
{
	uint32_t n = count(raw);

	return n < UINT32_MAX ? n + 1 : n;
}

int status_read(
    struct status_slot *s, struct slice text, const char *name, struct diag *d)
{
	struct known k;
	int r = read_known(&k, text, name, d);

	memset(s, 0, sizeof *s);
	if (r != 0)
		return r;
	s->found = k.found;
	take(s->compatible, sizeof s->compatible, k.raw[COMPATIBLE]);
	take(s->version, sizeof s->version, k.raw[VERSION]);
	take(s->description, sizeof s->description, k.raw[DESCRIPTION]);
	take(s->build, sizeof s->build, k.raw[BUILD]);
	take(s->hash, sizeof s->hash, k.raw[HASH]);
	take(s->status, sizeof s->status, k.raw[STATUS]);
	take(s->sha256, sizeof s->sha256, k.raw[SHA256]);
	if (!slice_u64(k.raw[SIZE], &s->size) || s->sha256[0] == '\0')
		s->size = 0;
	take(s->installed_timestamp, sizeof s->installed_timestamp,
	    k.raw[INSTALLED]);
	s->installed_count = count(k.raw[INSTALLED_COUNT]);
	take(s->activated_timestamp, sizeof s->activated_timestamp,
	    k.raw[ACTIVATED]);
	s->activated_count = count(k.raw[ACTIVATED_COUNT]);
	return 0;
}

int status_version(char dst[static MANIFEST_TEXT], struct slice text,
    const struct conf *c, struct diag *d)
{
	dst[0] = '\0';
	for (unsigned i = 0; i < c->slots; i++) {
		struct status_slot s;
		int order = 0;
		int r = status_read(&s, text, c->slot[i].name, d);

		if (r != 0)
			return r;
		if (strcmp(s.status, "ok") != 0 || s.version[0] == '\0')
			continue;
		if (semver_compare(
		        s.version, dst[0] ? dst : s.version, &order, NULL) != 0)
			log_warn("status file: the version of %s, %s, is no "
			         "semantic version",
			    c->slot[i].name, s.version);
		else if (order > 0 || dst[0] == '\0')
			memcpy(dst, s.version, MANIFEST_TEXT);
	}
	return 0;
}

/* ---- writing ---- */

struct update {
	char *dst;
	size_t len;
	struct slice old;
	const struct conf *c;
	const struct status_change *ch;
	uint32_t images;    /* slots that got one, or are to, 1 << index */
	uint32_t activated; /* the one made primary */
	uint32_t done;      /* those that are in dst */
	bool news;          /* old did not say it all */
	char time[21];      /* empty: not known */
};

/* Text without NUL; what does not fit is cut, which leaves len at its end. */
static void put(struct update *u, const char *p, size_t n)
{
	u->len += fmt(u->dst + u->len, STATUS_MAX - u->len, "%.*s", (int)n, p);
}

/* Of two carriage returns at the end one is in the value. */
static void end_line(struct update *u)
{
	char last = u->len > 0 ? u->dst[u->len - 1] : '\n';
	size_t n = last == '\r' ? 2 : last != '\n';

	put(u, &"\r\n"[2 - n], n);
}

#define ESCAPED (2 * MANIFEST_DESCRIPTION)

/* One of the change's texts, with GLib's escapes; nothing if it is none. */
static void escape(
    char dst[static ESCAPED], const struct status_change *ch, unsigned key)
{
	static const char from[] = "\\\n\r\t ", to[] = "\\nrts";
	static const uint16_t at[] = {
	    offsetof(struct status_change, compatible),
	    offsetof(struct status_change, version),
	    offsetof(struct status_change, description),
	    offsetof(struct status_change, build),
	    offsetof(struct status_change, hash),
	};
	struct slice tail;
	struct slice s = {
	    (const char *)ch + at[key], (size_t)(at[key + 1] - at[key])};
	size_t special = 5; /* blanks only in front */

	if (slice_cut(&s, '\0', &tail) && utf8_valid(s)) {
		for (; s.len > 0; s.len--) {
			char c = *s.p++;
			const char *special_c = memchr(from, c, special);

			if (special_c) {
				*dst++ = '\\';
				c = to[special_c - from];
			}
			if (!special_c || special_c == from)
				special = 3;
			*dst++ = c;
		}
	}
	*dst = '\0';
}

#define BIT(key) (1u << (key))

/* The known keys of a slot's group. */
static void put_slot(struct update *u, unsigned slot)
{
	const struct status_change *ch = u->ch;
	const struct status_image *image = ch->image;
	struct slice left = {key_names, sizeof key_names - 1}, name;
	unsigned set = 0;
	struct known k;

	/* it was read before as a whole */
	(void)!read_known(&k, u->old, u->c->slot[slot].name, NULL);
	u->done |= 1u << slot;
	if (u->images & 1u << slot) {
		while (image->slot != slot)
			image++;
		set = BIT(STATUS);
		if (ch->kind == STATUS_OK) {
			set = (BIT(SIZE + 1) - 1) | BIT(INSTALLED) |
			      BIT(INSTALLED_COUNT);
			k.raw[TRANSACTION].p = k.raw[ACTIVATED].p = NULL;
		} else {
			k.raw[SHA256].p = k.raw[SIZE].p = NULL;
		}
	}
	if (u->activated & 1u << slot) {
		set |= BIT(ACTIVATED) | BIT(ACTIVATED_COUNT);
		if (!k.raw[ACTIVATED_COUNT].p)
			u->news = true;
	}
	for (unsigned i = 0; slice_word(&left, &name); i++) {
		static const char words[][8] = {"pending", "ok", "failed"};
		struct slice value = k.raw[i];
		bool is_set = set & BIT(i);
		char text[ESCAPED];

		if (is_set) {
			if (i <= BUILD)
				escape(text, ch, i);
			else if (i == STATUS)
				memcpy(text, words[ch->kind], sizeof words[0]);
			else if (i == HASH || i == SHA256)
				hex_encode(text,
				    i == HASH ? ch->hash : image->sha256,
				    sizeof ch->hash);
			else if (i == INSTALLED || i == ACTIVATED)
				memcpy(text, u->time, sizeof u->time);
			else
				fmt(text, sizeof text, "%llu",
				    i == SIZE ? (unsigned long long)image->size
				              : counted(value));
			if (i >= HASH && i <= SIZE && !slice_is(value, text))
				u->news = true;
			value.p = text[0] != '\0' ? text : NULL;
			value.len = strlen(text);
		}
		if (!value.p)
			continue;
		put(u, name.p, name.len);
		put(u, "=", 1);
		put(u, value.p, value.len);
		end_line(u);
	}
}

/* The slot that the group is about, if the change is about it too, or -1. */
static int touched(const struct update *u, struct slice group)
{
	if (slot_name(&group))
		for (unsigned i = 0; i < u->c->slots; i++)
			if ((u->images | u->activated) & 1u << i &&
			    slice_is(group, u->c->slot[i].name))
				return (int)i;
	return -1;
}

/* Copies the old file, with the known keys of our groups replaced. */
static void edit(struct update *u)
{
	struct keyfile kf;
	size_t from = 0;
	int item, slot = -1;

	kf_init(&kf, u->old.p, u->old.len);
	while ((item = kf_next(&kf, NULL)) > 0) {
		size_t to = kf.pos;

		if (item == KF_GROUP)
			slot = touched(u, kf.group);
		else if (slot >= 0 && key_index(kf.key) >= 0)
			to = kf.start;
		else
			continue;
		put(u, u->old.p + from, to - from);
		from = kf.pos;
		if (item == KF_GROUP && slot >= 0 && !(u->done & 1u << slot)) {
			end_line(u);
			put_slot(u, (unsigned)slot);
		}
	}
	put(u, u->old.p + from, u->old.len - from);
}

/* Appends the groups that the file did not have. */
static void append(struct update *u)
{
	for (unsigned i = 0; i < u->c->slots; i++) {
		if (!((u->images | u->activated) & ~u->done & 1u << i))
			continue;
		end_line(u);
		u->len += fmt(u->dst + u->len, STATUS_MAX - u->len,
		    "%s[" GROUP "%s]\n",
		    u->len < 2 || u->dst[u->len - 2] == '\n' ? "" : "\n",
		    u->c->slot[i].name);
		put_slot(u, i);
	}
}

/* Which slots it is about; false: it is none. */
static bool read_change(struct update *u)
{
	const struct status_change *ch = u->ch;

	if (ch->kind >= STATUS_KINDS || ch->images > MANIFEST_IMAGES ||
	    ch->activated >= (int)u->c->slots)
		return false;
	for (uint32_t i = 0; i < ch->images; i++) {
		if (ch->image[i].slot >= u->c->slots)
			return false;
		if (ch->kind != STATUS_ACTIVATED)
			u->images |= 1u << ch->image[i].slot;
	}
	if (ch->activated >= 0 &&
	    (ch->kind == STATUS_OK || ch->kind == STATUS_ACTIVATED))
		u->activated = 1u << ch->activated;
	return true;
}

int status_update(char *dst, size_t *len, bool *changed, bool *damaged,
    struct slice old, const struct conf *c, const struct status_change *ch,
    struct diag *d)
{
	struct update u = {.dst = dst, .old = old, .c = c, .ch = ch};
	struct known k;
	int64_t time = ch->time > 0 ? ch->time : 0;

	if (!read_change(&u))
		return diag_fail(d, R_INTERNAL, "a damaged status change");
	*damaged = read_known(&k, old, "", NULL) != 0;
	if (*damaged || old.len == 0)
		u.old = (struct slice){"", 0};
	else if (time <= k.newest)
		time = k.newest + 1;
	if (time > 0)
		status_time_format(u.time, MIN(time, TIME_MAX));
	edit(&u);
	append(&u);
	if (u.len == STATUS_MAX - 1)
		return diag_fail(d, R_LIMIT,
		    "a status file of %u bytes or more", STATUS_MAX - 1);
	*len = u.len;
	*changed =
	    *damaged ||
	    ((ch->kind != STATUS_OK || u.news) &&
	        (u.len != u.old.len || memcmp(dst, u.old.p, u.len) != 0));
	return 0;
}
