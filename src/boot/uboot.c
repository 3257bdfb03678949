/* SPDX-License-Identifier: 0BSD */
/*
 * The U-Boot environment as U-Boot and libubootenv keep it: CRC-32 (4, little
 * endian) over the data, with two copies a flag (1) in between, then entries
 * "name=value", each with a NUL, and an empty one at the end.
 *
 * Always true of b->env: behind room for the header come env_len bytes of
 * well-formed entries (a '=' that is not the first byte, a NUL at the end),
 * and nothing else. Malformed entries of a store are dropped when it is read,
 * so that they are neither interpreted nor written again.
 */
#include "boot/backends.h"

#include "base/fmt.h"
#include "base/log.h"

#define CHUNK 1024
#define ORDER_MAX 512 /* longest BOOT_ORDER we write; 8 names need 192 */
#define VAR_NAME 48
#define FLAG_AT 4 /* of the redundant format's flag byte */
#define NOR_ACTIVE 1
#define NOR_OBSOLETE 0
#define TRIES_MAX 255
#define UNDERWAY '-' /* behind the tries: marked bad, not made primary yet */

static const char no_valid_copy[] =
    "no copy of the environment has a valid checksum";

struct copy {
	bool readable;
	bool valid;
	uint8_t flag;
};

/* ---- the data area in memory ---- */

static char *area(struct boot *b)
{
	return (char *)b->env + b->head;
}

static size_t area_size(const struct boot *b)
{
	return b->size - b->head;
}

/* Takes the next entry, with its NUL, off the front of what is left. */
static bool next_entry(struct slice *left, struct slice *entry)
{
	const char *end =
	    left->len > 0 ? memchr(left->p, '\0', left->len) : NULL;

	if (!end || end == left->p)
		return false;
	entry->p = left->p;
	entry->len = (size_t)(end - left->p) + 1;
	left->p += entry->len;
	left->len -= entry->len;
	return true;
}

static bool entry_is(struct slice entry, const char *name)
{
	size_t n = strlen(name);

	return entry.len > n && entry.p[n] == '=' &&
	       memcmp(entry.p, name, n) == 0;
}

/* Drops what is not well-formed from len bytes of data area. */
static void keep_well_formed(struct boot *b, size_t len)
{
	struct slice left = {area(b), len};
	struct slice e;
	size_t kept = 0;

	while (next_entry(&left, &e)) {
		const char *eq = memchr(e.p, '=', e.len);

		if (!eq || eq == e.p)
			continue;
		memmove(area(b) + kept, e.p, e.len);
		kept += e.len;
	}
	b->env_len = kept;
}

/* The value, or false. Of several entries the last counts, as in U-Boot. */
static bool get(struct boot *b, const char *name, struct slice *value)
{
	struct slice left = {area(b), b->env_len};
	struct slice e;
	bool found = false;

	while (next_entry(&left, &e)) {
		if (!entry_is(e, name))
			continue;
		value->p = e.p + strlen(name) + 1;
		value->len = e.len - strlen(name) - 2;
		found = true;
	}
	return found;
}

/* Removes all entries of the name; returns where the first one stood. */
static size_t drop(struct boot *b, const char *name)
{
	struct slice left = {area(b), b->env_len};
	struct slice e;
	size_t at = b->env_len;
	size_t kept = 0;

	while (next_entry(&left, &e)) {
		if (entry_is(e, name)) {
			at = MIN(at, kept);
			continue;
		}
		memmove(area(b) + kept, e.p, e.len);
		kept += e.len;
	}
	b->env_len = kept;
	return MIN(at, kept);
}

/* Where there is no room, b->full is set and nothing written in the end. */
static void insert(
    struct boot *b, size_t at, struct slice name, struct slice value)
{
	size_t room = area_size(b) - 1; /* the empty entry */
	size_t need = name.len + value.len + 2;
	char *p = area(b) + at;

	if (need > room || b->env_len > room - need) {
		b->full = true;
		return;
	}
	memmove(p + need, p, b->env_len - at);
	memcpy(p, name.p, name.len);
	p[name.len] = '=';
	memcpy(p + name.len + 1, value.p, value.len);
	p[need - 1] = '\0';
	b->env_len += need;
}

/* In the old place if there is one; text must not lie in b->env. */
static void set(struct boot *b, const char *name, const char *text)
{
	struct slice n = {name, strlen(name)};
	struct slice v = {text, strlen(text)};

	insert(b, drop(b, name), n, v);
}

static int check_room(struct boot *b, struct diag *d)
{
	return b->full ? diag_fail(d, R_BOOT_FULL,
	                     "%zu of %zu bytes are in use, and more are needed",
	                     b->env_len, area_size(b))
	               : 0;
}

/* ---- the stores ---- */

static int io_error(struct diag *d, int r, unsigned i, const char *what)
{
	return diag_fail(d, R_BOOT_IO, "copy %u of the environment: %s%s", i,
	    what, r == R_READ_ONLY ? " (write-protected)" : "");
}

static uint32_t checksum(struct boot *b)
{
	return crc32_update(0, area(b), area_size(b));
}

/* Fills env, with whatever the store holds. */
static void read_copy(struct boot *b, unsigned i, struct copy *c)
{
	c->readable = blk_read(b->store[i], 0, b->env, b->size) == 0;
	c->valid = c->readable && load_le32(b->env) == checksum(b);
	c->flag = b->stores > 1 ? b->env[FLAG_AT] : 0;
}

/*
 * U-Boot's and libubootenv's rule: the larger flag, which of a counter is also
 * 0 after 255. c[1] is used with two stores only.
 */
static unsigned newest(const struct boot *b, const struct copy *c)
{
	if (b->stores < 2 || !c[1].valid)
		return 0;
	if (!c[0].valid)
		return 1;
	if (!b->nor && c[0].flag == 0xff && c[1].flag == 0)
		return 1;
	if (!b->nor && c[0].flag == 0 && c[1].flag == 0xff)
		return 0;
	return c[1].flag > c[0].flag ? 1 : 0;
}

/* u-boot-initial-env: a variable a line. */
static void import_defaults(struct boot *b)
{
	struct slice left = b->defaults, name, value;

	while (slice_line(&left, &name)) {
		const char *eq = memchr(name.p, '=', name.len);

		if (!eq || eq == name.p || name.p[0] == '#' ||
		    memchr(name.p, '\0', name.len))
			continue;
		value.p = eq + 1;
		value.len = (size_t)(name.p + name.len - value.p);
		name.len = (size_t)(eq - name.p);
		insert(b, b->env_len, name, value);
	}
}

/*
 * Fills env from the newest valid copy, or from the defaults when there is
 * none. R_BOOT_IO: no valid copy, and one could not be read. R_BOOT_FULL: the
 * defaults do not fit. R_BOOT_CRC, which d is not told: no valid copy, and no
 * defaults.
 */
static int fetch(struct boot *b, bool *valid, struct diag *d)
{
	struct copy c[BOOT_STORES] = {{0}};
	bool all_read = true;

	for (unsigned i = 0; i < b->stores; i++) {
		read_copy(b, i, &c[i]);
		if (!c[i].valid)
			read_copy(b, i, &c[i]);
		all_read = all_read && c[i].readable;
	}
	b->env_len = 0;
	b->full = false;
	b->active = newest(b, c);
	b->serial = c[b->active].flag;
	*valid = c[b->active].valid;
	if (*valid) {
		/* Read a second time, so checked a second time. */
		read_copy(b, b->active, c);
		if (!c->valid)
			return io_error(
			    d, 0, b->active, "it reads differently each time");
		keep_well_formed(b, area_size(b));
		return 0;
	}
	if (!all_read)
		return diag_fail(
		    d, R_BOOT_IO, "the environment cannot be read");
	b->active = b->stores - 1;
	b->serial = 0;
	if (!b->defaults.p)
		return R_BOOT_CRC;
	import_defaults(b);
	return check_room(b, d);
}

/* Compares env from `from` on with what store i really holds: 0, 1 where they
 * differ, or blk_read_back's reason. */
static int compare(struct boot *b, unsigned i, size_t from)
{
	uint8_t chunk[CHUNK];
	int r = 0;

	while (r == 0 && from < b->size) {
		size_t n = MIN(b->size - from, (size_t)CHUNK);

		r = blk_read_back(b->store[i], from, chunk, n);
		if (r == 0)
			r = memcmp(chunk, b->env + from, n) != 0;
		from += n;
	}
	return r;
}

/* Durable and read back: what is in env, over all of store i. */
static int write_copy(struct boot *b, unsigned i, struct diag *d)
{
	const char *what = "write error";
	int r = blk_write(b->store[i], 0, b->env, b->size);

	if (r == 0) {
		what = "flush error";
		r = blk_flush(b->store[i]);
	}
	if (r == 0) {
		r = compare(b, i, 0);
		what = r > 0 ? "it did not keep what was written"
		             : "read error after the write";
	}
	return r == 0 ? 0 : io_error(d, r, i, what);
}

static int make_obsolete(struct boot *b, unsigned i, struct diag *d)
{
	uint8_t flag = NOR_OBSOLETE;
	int r = blk_write(b->store[i], FLAG_AT, &flag, 1);

	if (r == 0)
		r = blk_flush(b->store[i]);
	if (r == 0)
		r = blk_read_back(b->store[i], FLAG_AT, &flag, 1);
	if (r != 0 || flag != NOR_OBSOLETE)
		return io_error(d, r, i, "cannot be made obsolete");
	return 0;
}

/*
 * One write of the whole environment: in place, or into the older of two
 * copies, which only then becomes the newer one. What stands there already is
 * made durable, not written again.
 */
static int commit(struct boot *b, bool valid, struct diag *d)
{
	unsigned to = b->stores > 1 ? 1 - b->active : 0;
	int r;

	memset(area(b) + b->env_len, 0, area_size(b) - b->env_len);
	store_le32(b->env, checksum(b));
	if (b->stores > 1)
		b->env[FLAG_AT] =
		    b->nor ? NOR_ACTIVE : (uint8_t)(b->serial + 1);
	if (valid && compare(b, b->active, b->head) == 0 &&
	    blk_flush(b->store[b->active]) == 0 &&
	    compare(b, b->active, b->head) == 0)
		return 0;
	r = write_copy(b, to, d);
	if (r == 0 && b->nor && valid && to != b->active)
		r = make_obsolete(b, b->active, d);
	if (r != 0)
		return r;
	b->serial = b->stores > 1 ? b->env[FLAG_AT] : 0;
	b->active = to;
	return 0;
}

/* ---- what the variables mean ---- */

/* BOOT_ORDER with a word in it; an empty one counts as unset. */
static bool get_order(struct boot *b, struct slice *order)
{
	struct slice left, word;

	if (!get(b, "BOOT_ORDER", order))
		return false;
	left = *order;
	return slice_word(&left, &word);
}

static struct slice name_of(const struct boot *b, unsigned i)
{
	const char *name = b->state.name[i].name;

	return (struct slice){name, strlen(name)};
}

/* The known name that this word is, or -1. */
static int name_index(const struct boot *b, struct slice word)
{
	for (unsigned i = 0; i < b->state.count; i++)
		if (slice_is(word, b->state.name[i].name))
			return (int)i;
	return -1;
}

static void left_name(char *dst, const char *bootname)
{
	fmt(dst, VAR_NAME, "BOOT_%s_LEFT", bootname);
}

/* The digits it begins with, as U-Boot's own number parser on 64 bits: modulo
 * 2^64, and negative is not more than 0; none is 0. */
static unsigned hex_prefix(struct slice s, unsigned max)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.len && hex_digit(s.p[i]) >= 0; i++)
		v = v << 4 | (unsigned)hex_digit(s.p[i]);
	return v >> 63 ? 0 : (unsigned)MIN(v, max);
}

/* Digits of any base; of two numbers in one base the larger one is larger. */
static unsigned count_of(struct boot *b, const char *name)
{
	struct slice v;

	return get(b, name, &v) ? hex_prefix(v, 0xffffff) : 0;
}

/*
 * "<count>:<8 digits>", both hexadecimal; anything else counts as unset. True
 * when a UNDERWAY follows.
 */
static bool read_tries(struct boot *b, struct boot_state *s)
{
	struct slice v, id;
	const char *colon;
	bool underway;

	s->tries = 0;
	memset(s->tries_id, 0, sizeof s->tries_id);
	if (!get(b, "LIFEBOAT_TRIES", &v))
		return false;
	underway = v.len > 0 && v.p[v.len - 1] == UNDERWAY;
	v.len -= underway;
	colon = memchr(v.p, ':', v.len);
	if (!colon || colon == v.p)
		return false;
	id.p = colon + 1;
	id.len = v.len - (size_t)(id.p - v.p);
	if (!slice_hex(id, s->tries_id, sizeof s->tries_id))
		return false;
	s->tries = hex_prefix(v, TRIES_MAX);
	return underway;
}

static void describe(struct boot_state *s, bool has_order, struct slice order)
{
	size_t n = has_order
	               ? fmt(s->text, sizeof s->text, "BOOT_ORDER=\"%.*s\"",
	                     (int)MIN(order.len, 80), order.p)
	               : fmt(s->text, sizeof s->text, "BOOT_ORDER is not set");

	for (unsigned i = 0; i < s->count; i++) {
		const struct boot_name_state *bn = &s->name[i];

		n += fmt(s->text + n, sizeof s->text - n,
		    bn->known ? " BOOT_%s_LEFT=%x" : " BOOT_%s_LEFT is not set",
		    bn->name, bn->attempts);
	}
	log_clean(s->text);
}

static void interpret(struct boot *b)
{
	struct boot_state *s = &b->state;
	struct slice order = {NULL, 0}, left, word;
	bool has_order = get(b, "BOOT_ORDER", &order) && order.len > 0;

	s->valid = true;
	s->primary = -1;
	s->first = has_order || s->count == 0 ? -1 : 0;
	for (unsigned i = 0; i < s->count; i++) {
		struct boot_name_state *bn = &s->name[i];
		char var[VAR_NAME];
		struct slice v;

		left_name(var, bn->name);
		bn->known = get(b, var, &v) && v.len > 0;
		bn->attempts = bn->known ? hex_prefix(v, BOOT_ATTEMPTS_MAX)
		                         : BOOT_ATTEMPTS_UNSET;
		bn->in_order =
		    !has_order || slice_index(order, name_of(b, i)) >= 0;
		if (!has_order && s->primary < 0 && bn->attempts > 0)
			s->primary = (int)i;
	}
	for (left = order; s->primary < 0 && slice_word(&left, &word);) {
		int k = name_index(b, word);

		if (s->first < 0)
			s->first = k;
		if (k >= 0 && s->name[k].attempts > 0)
			s->primary = k;
	}
	/* U-Boot's own boot counter: altbootcmd is next, whatever the order. No
	 * limit, or 0, is none. */
	if (count_of(b, "upgrade_available") > 0 &&
	    count_of(b, "bootlimit") > 0 &&
	    count_of(b, "bootcount") > count_of(b, "bootlimit"))
		s->primary = -1;
	/* The only name stays in the order when it is marked bad. */
	if (read_tries(b, s) && s->count == 1 && s->name[0].attempts == 0)
		s->name[0].in_order = false;
	describe(s, has_order, order);
}

/* ---- the verbs ---- */

static int uboot_load(struct boot *b, struct diag *d)
{
	struct diag why = {0};
	bool valid;
	int r = 0;

	if (b->stores == 0)
		return diag_fail(d, R_BOOT_CONFIG,
		    "bootloader=uboot needs a place for its environment");
	for (unsigned i = 0; i < b->stores; i++) {
		uint64_t size = b->store[i]->size;

		if (size < 16 || size > BOOT_ENV_MAX ||
		    size != b->store[0]->size)
			return diag_fail(d,
			    size > BOOT_ENV_MAX ? R_LIMIT : R_BOOT_CONFIG,
			    "copy %u of the environment has %llu bytes: "
			    "expected 16 to %u, and all the same",
			    i, (unsigned long long)size, BOOT_ENV_MAX);
	}
	b->size = (size_t)b->store[0]->size;
	b->head = b->stores > 1 ? 5 : 4;
	/* So that what is told is durable (an earlier flush may have failed,
	 * and the cache of the device would answer as if it had not). */
	for (unsigned i = 0; r == 0 && i < b->stores; i++)
		if (blk_flush(b->store[i]) != 0)
			r = io_error(&why, 0, i, "flush error");
	if (r == 0)
		r = fetch(b, &valid, &why);
	if (r == 0 && valid)
		interpret(b);
	else
		boot_state_default(
		    &b->state, why.reason ? why.seen : no_valid_copy);
	return 0;
}

struct order {
	char text[ORDER_MAX];
	size_t len;
	bool cut;
};

static void order_add(struct order *o, struct slice word)
{
	if (word.len + 2 > sizeof o->text - o->len) {
		o->cut = true;
		return;
	}
	if (o->len > 0)
		o->text[o->len++] = ' ';
	memcpy(o->text + o->len, word.p, word.len);
	o->len += word.len;
	o->text[o->len] = '\0';
}

/*
 * Name i first in the order or out of it; where no other known name is in it,
 * it stays. An unset order is one of all names. Words that are nobody's
 * bootname stay, unless the whole does not fit: then they go.
 */
static void set_order(struct boot *b, unsigned i, bool first)
{
	struct slice self = name_of(b, i), order, left, word;
	struct order all = {{0}, 0, false}, o;
	bool has_order = get_order(b, &order);

	if (!has_order) {
		for (unsigned k = 0; k < b->state.count; k++)
			order_add(&all, name_of(b, k));
		order.p = all.text;
		order.len = all.len;
	}
	for (bool strangers = true;; strangers = false) {
		bool others = false;

		o.len = 0;
		o.cut = false;
		if (first)
			order_add(&o, self);
		for (left = order; slice_word(&left, &word);) {
			int k = name_index(b, word);
			struct slice so_far = {o.text, o.len};

			if (k == (int)i)
				continue;
			if (k >= 0)
				others = true;
			if (strangers ||
			    (k >= 0 && slice_index(so_far, word) < 0))
				order_add(&o, word);
		}
		if (!first && !others) {
			if (has_order && slice_index(order, self) >= 0)
				return;
			order_add(&o, self);
		}
		if (!o.cut || !strangers)
			break;
	}
	set(b, "BOOT_ORDER", o.text);
}

static void set_left(struct boot *b, unsigned i, unsigned attempts)
{
	char var[VAR_NAME], value[12];

	left_name(var, b->state.name[i].name);
	fmt(value, sizeof value, "%x", attempts);
	set(b, var, value);
}

static void set_tries(struct boot *b, enum boot_place place)
{
	unsigned tries = place == BOOT_REPAIRED ? 0 : b->state.tries;
	char value[24], id[9];
	size_t n;

	hex_encode(id, b->state.tries_id, sizeof b->state.tries_id);
	n = fmt(value, sizeof value, "%x:%s", MIN(tries, TRIES_MAX), id);
	if (place == BOOT_OUT)
		fmt(value + n, sizeof value - n, "%c", UNDERWAY);
	if (tries > 0)
		set(b, "LIFEBOAT_TRIES", value);
	else
		(void)drop(b, "LIFEBOAT_TRIES");
}

static void set_known(struct boot *b, const char *name, const char *text)
{
	struct slice v;

	if (get(b, name, &v))
		set(b, name, text);
}

static bool has_other(const struct boot *b, unsigned i)
{
	for (unsigned k = 0; k < b->state.count; k++)
		if (k != i && b->state.name[k].in_order &&
		    b->state.name[k].attempts > 0)
			return true;
	return false;
}

/*
 * Nobody but us sets back a bootcount that is over the limit: it would lead to
 * recovery for ever. U-Boot counts only while upgrade_available is not 0: where
 * nothing but the slot that is given up could be started, it has to, or what
 * does not start would be started for ever. A system that can be started is
 * left to its own rules.
 */
static void set_bootcount(struct boot *b, unsigned i, enum boot_place place)
{
	if (place != BOOT_OUT)
		set_known(b, "bootcount", "0");
	else if (!has_other(b, i))
		set_known(b, "upgrade_available", "1");
}

/*
 * Reads anew what the stores hold: another program may have written since.
 * Without a valid copy and without defaults nothing is written.
 */
static int uboot_change(struct boot *b, unsigned i, enum boot_place place,
    unsigned attempts, struct diag *d)
{
	bool valid;
	struct slice order;
	int r = fetch(b, &valid, d);

	if (r == R_BOOT_CRC) {
		log_warn("%s: it is left to the boot loader's own defaults",
		    no_valid_copy);
		return 0;
	}
	if (r != 0)
		return r;
	if (place != BOOT_REPAIRED || !get_order(b, &order))
		set_order(b, i, place != BOOT_OUT);
	set_left(b, i, attempts);
	set_tries(b, place);
	set_bootcount(b, i, place);
	r = check_room(b, d);
	if (r == 0)
		r = commit(b, valid, d);
	if (r == 0)
		interpret(b);
	return r;
}

const struct boot_ops boot_uboot = {"uboot", uboot_load, uboot_change};
