/* SPDX-License-Identifier: 0BSD */
#include "bootmodel.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARS 1024
#define TEXT 1024
#define CIRCLES 64 /* boots after which nothing new can come */

const struct loader model_loader[LOADERS] = {
    [LOADER_SCRIPT] = {"script", true, true},
    [LOADER_RAUC] = {"rauc", true, false},
    [LOADER_RAUC_18] = {"rauc-1.8", true, false},
    [LOADER_BOOTMETH] = {"bootmeth", true, true},
    [LOADER_BOOTMETH_RESET] = {"bootmeth-reset", true, false},
    [LOADER_BOOTCOUNT] = {"bootcount", false, true},
    [LOADER_NOOP] = {"noop", false, true},
};

/* The variables of an environment. Values point into text or elsewhere. */
struct vars {
	const char *name[VARS], *value[VARS];
	unsigned count;
	char text[MODEL_ENV + 1];
	char set[MODEL_NAMES + 4][TEXT]; /* values given by the loader */
	char names[MODEL_NAMES][40];     /* "BOOT_x_LEFT" */
	unsigned sets;
};

/* ---- the copies ---- */

/* CRC-32, from a table made bit by bit. */
static uint32_t crc(const uint8_t *p, size_t len)
{
	static uint32_t table[256];
	uint32_t c = 0xffffffff;

	if (table[1] == 0)
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t v = i;

			for (int k = 0; k < 8; k++)
				v = v & 1 ? 0xedb88320 ^ v >> 1 : v >> 1;
			table[i] = v;
		}
	for (size_t i = 0; i < len; i++)
		c = table[(c ^ p[i]) & 255] ^ c >> 8;
	return ~c;
}

static size_t data_at(const struct model *m)
{
	return m->copies == 2 ? 5 : 4;
}

static bool valid(const struct model *m, unsigned i)
{
	const uint8_t *p = m->copy[i];
	uint32_t stored = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	                  (uint32_t)p[3] << 24;

	return stored == crc(p + data_at(m), m->size - data_at(m));
}

static int newer(const struct model *m)
{
	bool ok0 = m->copies > 0 && valid(m, 0);
	bool ok1 = m->copies == 2 && valid(m, 1);
	uint8_t f0, f1;

	if (!ok0 && !ok1)
		return -1;
	if (!ok1)
		return 0;
	if (!ok0)
		return 1;
	f0 = m->copy[0][4];
	f1 = m->copy[1][4];
	if (m->nor) {
		if (f0 == 1 && f1 == 0)
			return 0;
		if (f0 == 0 && f1 == 1)
			return 1;
		if (f0 == f1 || f0 == 0xff)
			return 0;
		return f1 == 0xff ? 1 : 0;
	}
	if (f0 == 255 && f1 == 0)
		return 1;
	if (f1 == 255 && f0 == 0)
		return 0;
	return f1 > f0 ? 1 : 0;
}

void model_load(struct model *m)
{
	m->use = newer(m);
}

/* ---- the variables ---- */

static unsigned find(const struct vars *v, const char *name)
{
	unsigned i = 0;

	while (i < v->count && strcmp(v->name[i], name) != 0)
		i++;
	return i;
}

/* "" when unset. */
static const char *get(const struct vars *v, const char *name)
{
	unsigned i = find(v, name);

	return i < v->count ? v->value[i] : "";
}

static void assign(struct vars *v, const char *name, const char *value)
{
	unsigned i = find(v, name);

	if (value[0] == '\0') {
		if (i == v->count)
			return;
		v->count--;
		v->name[i] = v->name[v->count];
		v->value[i] = v->value[v->count];
		return;
	}
	if (i == VARS)
		abort();
	v->name[i] = name;
	v->value[i] = value;
	v->count += i == v->count;
}

/* text: copied; name: a literal, or one of v->names. */
static void set(struct vars *v, const char *name, const char *text)
{
	unsigned i = find(v, name);
	char *to = NULL;

	for (unsigned k = 0; i < v->count && k < v->sets; k++)
		if (v->value[i] == v->set[k])
			to = v->set[k];
	if (!to)
		to = v->set[v->sets++];
	snprintf(to, TEXT, "%s", text);
	assign(v, name, to);
}

static void set_number(
    struct vars *v, const char *name, const char *format, unsigned long n)
{
	char text[24];

	snprintf(text, sizeof text, format[1] == 'x' ? "%lx" : "%lu", n);
	set(v, name, text);
}

/* What `env import` makes of the data; false: no copy is valid. */
static bool import(const struct model *m, struct vars *v)
{
	char *p = v->text, *end;

	v->count = v->sets = 0;
	for (unsigned i = 0; i < m->count; i++)
		snprintf(v->names[i], sizeof v->names[i], "BOOT_%s_LEFT",
		    m->names[i]);
	if (m->use < 0)
		return false;
	if (m->size > MODEL_ENV)
		abort();
	memcpy(p, m->copy[m->use] + data_at(m), m->size - data_at(m));
	end = p + m->size - data_at(m);
	*end = '\0';
	/* The first entry may be empty, and others follow all the same. */
	do {
		char *name, *value, *to;

		while (*p == ' ' || *p == '\t')
			p++;
		name = p;
		p += strlen(p) + 1;
		value = strchr(name, '=');
		if (!value) {
			assign(v, name, "");
			continue;
		}
		if (name[0] == '#')
			continue;
		*value++ = '\0';
		to = value;
		for (const char *from = value; *from; from++) {
			if (*from == '\\' && from[1])
				from++;
			*to++ = *from;
		}
		*to = '\0';
		assign(v, name, value);
	} while (p < end && *p);
	return true;
}

bool model_get(const struct model *m, const char *name, char *dst, size_t cap)
{
	int c = m->use;
	const char *p, *end;
	size_t n = strlen(name);
	bool found = false;

	if (c < 0)
		return false;
	p = (const char *)m->copy[c] + data_at(m);
	end = (const char *)m->copy[c] + m->size;
	while (p < end && *p) {
		size_t len = strnlen(p, (size_t)(end - p));

		if (len > n && p[n] == '=' && memcmp(p, name, n) == 0) {
			snprintf(
			    dst, cap, "%.*s", (int)(len - n - 1), p + n + 1);
			found = true;
		}
		p += len + 1;
	}
	return found;
}

/* ---- U-Boot's numbers: digits as far as they go, modulo 2^64 ---- */

static unsigned long number(const char *s, unsigned base)
{
	unsigned long n = 0;

	for (; isxdigit((unsigned char)*s); s++) {
		unsigned digit = (unsigned)(isdigit((unsigned char)*s)
		                                ? *s - '0'
		                                : (*s | 32) - 'a' + 10);

		if (digit >= base)
			break;
		n = n * base + digit;
	}
	return n;
}

static bool has_0x(const char *s)
{
	return s[0] == '0' && (s[1] | 32) == 'x';
}

/* setexpr's */
static unsigned long hexadecimal(const char *s)
{
	return number(has_0x(s) ? s + 2 : s, 16);
}

/* env_get_ulong's with base 10: a 0x is seen all the same */
static unsigned long decimal(const char *s)
{
	return has_0x(s) ? number(s + 2, 16) : number(s, 10);
}

/* test's */
static long any_base(const char *s)
{
	if (*s == '-')
		return -any_base(s + 1);
	if (has_0x(s))
		return (long)number(s + 2, 16);
	return (long)number(s, *s == '0' ? 8 : 10);
}

/* ---- the loaders: one boot each, on the variables ---- */

struct boot {
	const struct model *m;
	void *ctx;
	struct vars v;
	bool write; /* the variables are saved before the start */
	int attempt;
};

static struct boot now;

static int index_of(const struct model *m, const char *word)
{
	for (unsigned i = 0; i < m->count; i++)
		if (strcmp(m->names[i], word) == 0)
			return (int)i;
	return -1;
}

/* Stores the variables, if there is room for them and the end. */
static bool save(struct boot *b)
{
	size_t need = data_at(b->m) + 1;

	for (unsigned i = 0; i < b->v.count; i++) {
		const char *value = b->v.value[i];

		need += strlen(b->v.name[i]) + strlen(value) + 2;
		for (; *value; value++)
			need += *value == '\\';
	}
	b->write = !b->m->read_only && need <= b->m->size;
	return b->write;
}

static bool there(const struct boot *b, int i)
{
	return !b->m->has || b->m->has(b->ctx, (unsigned)i);
}

/* Unset variables get what the scripts begin with. */
static void defaults(struct boot *b)
{
	char all[TEXT] = "";

	for (unsigned i = 0; i < b->m->count; i++) {
		if (i > 0)
			strcat(all, " ");
		strcat(all, b->m->names[i]);
		if (!*get(&b->v, b->v.names[i]))
			set(&b->v, b->v.names[i], "3");
	}
	if (!*get(&b->v, "BOOT_ORDER"))
		set(&b->v, "BOOT_ORDER", all);
}

static void refill(struct boot *b)
{
	for (unsigned i = 0; i < b->m->count; i++)
		set(&b->v, b->v.names[i], "3");
}

/* The first word of the order for which left says more than 0, or -1. */
static int first_left(
    const struct boot *b, long (*left)(const struct vars *v, const char *name))
{
	char order[TEXT], *rest = NULL;

	snprintf(order, sizeof order, "%s", get(&b->v, "BOOT_ORDER"));
	for (char *word = strtok_r(order, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		int i = index_of(b->m, word);

		if (i >= 0 && left(&b->v, b->v.names[i]) > 0)
			return i;
	}
	return -1;
}

/* test 0x${BOOT_x_LEFT} -gt 0 */
static long left_hexadecimal(const struct vars *v, const char *name)
{
	return (long)number(get(v, name), 16);
}

static long left_any_base(const struct vars *v, const char *name)
{
	return any_base(get(v, name));
}

static int boot_script(struct boot *b)
{
	int i;

	defaults(b);
	for (unsigned k = 0; k < b->m->count; k++)
		if (left_hexadecimal(&b->v, b->v.names[k]) > 9)
			set(&b->v, b->v.names[k], "9");
	i = first_left(b, left_hexadecimal);
	if (i < 0)
		return MODEL_RECOVERY;
	set_number(&b->v, b->v.names[i], "%x",
	    hexadecimal(get(&b->v, b->v.names[i])) - 1);
	if (!save(b))
		return MODEL_RECOVERY;
	b->attempt = i;
	return there(b, i) ? i : MODEL_RECOVERY;
}

static int boot_rauc(struct boot *b)
{
	int i;

	defaults(b);
	i = first_left(b,
	    b->m->loader == LOADER_RAUC_18 ? left_any_base : left_hexadecimal);
	if (i < 0) {
		refill(b);
		(void)save(b);
		return MODEL_RESET;
	}
	set_number(&b->v, b->v.names[i], "%x",
	    hexadecimal(get(&b->v, b->v.names[i])) - 1);
	(void)save(b);
	b->attempt = i;
	return there(b, i) ? i : MODEL_RESET;
}

static int boot_bootmeth(struct boot *b)
{
	char order[TEXT], *rest, *word;
	unsigned long left;
	int i;

	defaults(b);
	/* The list is split at each single blank. */
	snprintf(order, sizeof order, "%s", get(&b->v, "BOOT_ORDER"));
	for (rest = order; (word = strsep(&rest, " "));) {
		i = index_of(b->m, word);
		if (i < 0 || !there(b, i))
			return MODEL_RECOVERY;
	}
	snprintf(order, sizeof order, "%s", get(&b->v, "BOOT_ORDER"));
	for (rest = order; (word = strsep(&rest, " "));) {
		i = index_of(b->m, word);
		left = decimal(get(&b->v, b->v.names[i]));
		if (left == (unsigned long)-1)
			return MODEL_RECOVERY;
		if (left == 0)
			continue;
		set_number(&b->v, b->v.names[i], "%u", left - 1);
		if (!save(b))
			return MODEL_RECOVERY;
		b->attempt = i;
		return i;
	}
	if (b->m->loader != LOADER_BOOTMETH_RESET)
		return MODEL_RECOVERY;
	refill(b);
	return save(b) ? MODEL_RESET : MODEL_RECOVERY;
}

static int boot_bootcount(struct boot *b)
{
	unsigned long limit = decimal(get(&b->v, "bootlimit")), count = 0;

	if (decimal(get(&b->v, "upgrade_available")) != 0) {
		count = decimal(get(&b->v, "bootcount")) + 1;
		set_number(&b->v, "bootcount", "%u", count);
		(void)save(b);
	}
	if (limit != 0 && count > limit)
		return MODEL_RECOVERY;
	b->attempt = 0;
	return there(b, 0) ? 0 : MODEL_RESET;
}

static int boot_noop(struct boot *b)
{
	b->attempt = 0;
	return there(b, 0) ? 0 : MODEL_RECOVERY;
}

static int boot_once(struct boot *b)
{
	b->write = false;
	b->attempt = -1;
	switch (b->m->loader) {
	case LOADER_SCRIPT:
		return boot_script(b);
	case LOADER_RAUC:
	case LOADER_RAUC_18:
		return boot_rauc(b);
	case LOADER_BOOTMETH:
	case LOADER_BOOTMETH_RESET:
		return boot_bootmeth(b);
	case LOADER_BOOTCOUNT:
		return boot_bootcount(b);
	case LOADER_NOOP:
		return boot_noop(b);
	case LOADERS:
		break;
	}
	abort();
}

/* ---- boots ---- */

int model_boot(const struct model *m, bool (*starts)(void *ctx, unsigned i),
    void *ctx, unsigned *tried)
{
	now.m = m;
	now.ctx = ctx;
	import(m, &now.v);
	for (unsigned i = 0; tried && i < m->count; i++)
		tried[i] = 0;
	for (unsigned circles = 0; circles < CIRCLES; circles++) {
		int i = boot_once(&now);

		if (tried && now.attempt >= 0)
			tried[now.attempt]++;
		if (i == MODEL_RECOVERY)
			return i;
		if (i >= 0 && starts(ctx, (unsigned)i))
			return i;
		if (i >= 0 && m->loader == LOADER_NOOP)
			return MODEL_RECOVERY;
		if (!now.write)
			return MODEL_STUCK; /* the next boot does the same */
	}
	return MODEL_STUCK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)*(const char *const *const *)a,
	    *(const char *const *)*(const char *const *const *)b);
}

static size_t append(
    uint8_t *dst, size_t at, size_t size, const char *text, char end)
{
	for (; *text; text++) {
		if (*text == '\\' && at < size)
			dst[at++] = '\\';
		if (at < size)
			dst[at++] = (uint8_t)*text;
	}
	if (at < size)
		dst[at++] = (uint8_t)end;
	return at;
}

/* saveenv, and what boot.cmd does with env export. */
static void export(const struct model *m, struct vars *v, struct model_next *n)
{
	const char **order[VARS];
	size_t at = data_at(m);
	uint32_t sum;

	memset(n->bytes, 0, m->size);
	for (unsigned i = 0; i < v->count; i++)
		order[i] = &v->name[i];
	qsort(order, v->count, sizeof order[0], by_name);
	for (unsigned i = 0; i < v->count; i++) {
		size_t k = (size_t)(order[i] - v->name);

		at = append(n->bytes, at, m->size, v->name[k], '=');
		at = append(n->bytes, at, m->size, v->value[k], '\0');
	}
	n->written = m->copies == 2 && m->use == 0 ? 1 : 0;
	if (m->copies == 2) {
		n->bytes[4] = 1;
		if (!m->nor && m->use >= 0)
			n->bytes[4] = (uint8_t)(m->copy[m->use][4] + 1);
		if (m->nor && m->use >= 0)
			n->obsolete = m->use;
	}
	sum = crc(n->bytes + data_at(m), m->size - data_at(m));
	for (unsigned i = 0; i < 4; i++)
		n->bytes[i] = (uint8_t)(sum >> 8 * i);
}

void model_next(const struct model *m, void *ctx, struct model_next *n)
{
	now.m = m;
	now.ctx = ctx;
	import(m, &now.v);
	n->start = boot_once(&now);
	n->attempt = now.attempt;
	n->written = n->obsolete = -1;
	if (now.write)
		export(m, &now.v, n);
}

void model_apply(
    struct model *m, uint8_t *const *copy, const struct model_next *n)
{
	if (n->written >= 0)
		memcpy(copy[n->written], n->bytes, m->size);
	if (n->obsolete >= 0)
		copy[n->obsolete][4] = 0;
	model_load(m);
}
