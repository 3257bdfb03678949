/* SPDX-License-Identifier: 0BSD */
/*
 * RAUC's status file from the command line, for status.sh. The slots are
 * rootfs.0, rootfs.1 and app.0.
 *   status_tool update FILE KIND TIME ACTIVATED VERSION DESCRIPTION
 *               [SLOT SHA256 SIZE]...    the file becomes what it is to be
 *   status_tool read FILE SLOT           what it says, a line a key
 *   status_tool random ROUNDS [SEED]     random changes to random files
 * The last against GLib itself, which is opened at run time: it loads the
 * file, is told the same change key by key, and has to see no difference to
 * the file that we made.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "slot/status.h"

static const struct conf conf = {.slots = 3,
    .slot = {{.name = "rootfs.0"}, {.name = "rootfs.1"}, {.name = "app.0"}}};

static char old[STATUS_MAX], new[STATUS_MAX];
static size_t old_len, new_len;

static void die(const char *what)
{
	fprintf(stderr, "status_tool: %s\n", what);
	exit(2);
}

/* ---- files ---- */

static void load_file(const char *path)
{
	FILE *f = fopen(path, "rb");

	if (!f)
		return;
	old_len = fread(old, 1, sizeof old, f);
	fclose(f);
}

static void store_file(const char *path)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(new, 1, new_len, f) != new_len || fclose(f) != 0)
		die("cannot write");
}

static int slot_of(const char *name)
{
	int i = conf_slot(&conf, name);

	if (i < 0 && strcmp(name, "-") != 0)
		die("no such slot");
	return i;
}

static int update_file(int argc, char **argv)
{
	static const char *const kinds[] = {
	    "pending", "ok", "failed", "activated"};
	struct status_change ch = {.compatible = "dev"};
	bool changed, damaged;
	struct diag d = {0};
	int r;

	while (ch.kind < STATUS_KINDS && strcmp(argv[3], kinds[ch.kind]) != 0)
		ch.kind++;
	ch.time = strtoll(argv[4], NULL, 10);
	ch.activated = slot_of(argv[5]);
	snprintf(ch.version, sizeof ch.version, "%s", argv[6]);
	snprintf(ch.description, sizeof ch.description, "%s", argv[7]);
	memset(ch.hash, 0x5a, sizeof ch.hash);
	for (int i = 8; i + 2 < argc; i += 3) {
		struct status_image *im = &ch.image[ch.images++];
		struct slice hex = {argv[i + 1], strlen(argv[i + 1])};

		im->slot = (uint32_t)slot_of(argv[i]);
		im->size = strtoull(argv[i + 2], NULL, 10);
		if (!slice_hex(hex, im->sha256, sizeof im->sha256))
			die("no sha256");
	}
	load_file(argv[2]);
	r = status_update(new, &new_len, &changed, &damaged,
	    (struct slice){old, old_len}, &conf, &ch, &d);
	if (r != 0)
		die(d.seen);
	if (changed)
		store_file(argv[2]);
	printf("changed=%d damaged=%d\n", changed, damaged);
	return 0;
}

static void print(const char *key, const char *value)
{
	if (value[0] != '\0')
		printf("%s=%s\n", key, value);
}

static int read_slot(char **argv)
{
	struct status_slot s;
	struct diag d = {0};

	load_file(argv[2]);
	if (status_read(&s, (struct slice){old, old_len}, argv[3], &d) != 0)
		die(d.seen);
	print("bundle.compatible", s.compatible);
	print("bundle.version", s.version);
	print("bundle.description", s.description);
	print("bundle.build", s.build);
	print("status", s.status);
	print("checksum.sha256", s.sha256);
	if (s.sha256[0] != '\0')
		printf("checksum.size=%llu\n", (unsigned long long)s.size);
	print("installed.timestamp", s.installed_timestamp);
	if (s.installed_timestamp[0] != '\0')
		printf("installed.count=%u\n", s.installed_count);
	print("activated.timestamp", s.activated_timestamp);
	if (s.activated_timestamp[0] != '\0')
		printf("activated.count=%u\n", s.activated_count);
	return 0;
}

/* ---- GLib ---- */

struct gerror;
static void *(*g_new)(void);
static void (*g_unref)(void *);
static int (*g_load)(void *, const char *, size_t, int, struct gerror **);
static char **(*g_groups)(void *, size_t *);
static char **(*g_keys)(void *, const char *, size_t *, struct gerror **);
static char *(*g_value)(void *, const char *, const char *, struct gerror **);
static uint64_t (*g_u64)(void *, const char *, const char *, struct gerror **);
static int (*g_has_group)(void *, const char *);
static void (*g_set)(void *, const char *, const char *, const char *);
static void (*g_set_u64)(void *, const char *, const char *, uint64_t);
static int (*g_remove)(void *, const char *, const char *, struct gerror **);
static void (*g_strfreev)(char **);
static void (*g_free)(void *);
static void *(*g_date)(const char *, void *);
static int64_t (*g_date_unix)(void *);
static void (*g_date_unref)(void *);
static void *(*g_utc)(void);

#define KEEP_TRANSLATIONS 2

static void load(void *fn, const char *name)
{
	static void *lib;

	if (!lib)
		lib = dlopen("libglib-2.0.so.0", RTLD_NOW);
	*(void **)fn = lib ? dlsym(lib, name) : NULL;
	if (!*(void **)fn)
		die(name);
}

static void load_glib(void)
{
	load(&g_new, "g_key_file_new");
	load(&g_unref, "g_key_file_unref");
	load(&g_load, "g_key_file_load_from_data");
	load(&g_groups, "g_key_file_get_groups");
	load(&g_keys, "g_key_file_get_keys");
	load(&g_value, "g_key_file_get_value");
	load(&g_u64, "g_key_file_get_uint64");
	load(&g_has_group, "g_key_file_has_group");
	load(&g_set, "g_key_file_set_string");
	load(&g_set_u64, "g_key_file_set_uint64");
	load(&g_remove, "g_key_file_remove_key");
	load(&g_strfreev, "g_strfreev");
	load(&g_free, "g_free");
	load(&g_date, "g_date_time_new_from_iso8601");
	load(&g_date_unix, "g_date_time_to_unix");
	load(&g_date_unref, "g_date_time_unref");
	load(&g_utc, "g_time_zone_new_utc");
}

/* ---- random files and changes ---- */

static uint64_t state;

static unsigned rnd(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static void make_file(void)
{
	static const char *const pieces[] = {"[slot.rootfs.0]\n",
	    "[slot.rootfs.1]\n", "[slot.rootfs.1]\r\n", " [slot.app.0] \n",
	    "[slot.gone.1]\n", "[system]\n", "[slot]\n", "status=ok\n",
	    "status=failed\n", " status = pending\n", "sha256=ab\n",
	    "sha256=\n", "size=12\n", "size=7\r\n", "bundle.version=1\n",
	    "bundle.version=\\s \\\\\n", "bundle.hash=00\n",
	    "bundle.compatible=dev\n", "bundle.description=a b\n",
	    "bundle.build=\303\274\n", "installed.transaction=x\n",
	    "installed.count=3\n", "installed.count=-1\n",
	    "installed.count=4294967295\n", "installed.count=4294967296\n",
	    "installed.count=99999999999999999999\n", "installed.count=5 \n",
	    "activated.count=8\n", "activated.count=x\n", "status[de]=1\n",
	    "other=1\n", "boot-id=a=b\n", "# text\n", "\n", "\n", "\r\n",
	    " \t\n", "#status=no\n", "Status=1\n", "key=[x]\n", "size=1",
	    "a=b\r", "status", "\n[", "="};
	unsigned n = rnd(40);

	old_len = 0;
	if (rnd(8) != 0)
		old_len = (size_t)sprintf(old, "[system]\n");
	while (n-- > 0) {
		unsigned i = rnd(ARRAY_LEN(pieces) + 4);

		/* those at the end, which spoil a file, less often */
		if (i >= ARRAY_LEN(pieces) - 5 && i < ARRAY_LEN(pieces) &&
		    rnd(6) != 0)
			i = 0;
		if (i < ARRAY_LEN(pieces))
			old_len +=
			    (size_t)sprintf(old + old_len, "%s", pieces[i]);
		else
			old_len += (size_t)sprintf(old + old_len,
			    "%s.timestamp=%04u-%02u-%02uT%02u:%02u:%02uZ\n",
			    rnd(2) ? "installed" : "activated", 1971 + rnd(60),
			    rnd(14), rnd(33), rnd(25), rnd(60), rnd(60));
	}
}

static void make_text(char *dst, size_t cap)
{
	static const char *const pieces[] = {"", " ", "\t", "\n", "\r", "\\",
	    "a", "1.0", "=", "#", "[x]", ";", "\303\274", "\342\202\254"};
	size_t n = 0;

	for (unsigned i = rnd(8); i > 0 && n + 8 < cap; i--)
		n += (size_t)sprintf(
		    dst + n, "%s", pieces[rnd(ARRAY_LEN(pieces))]);
	dst[n] = '\0';
}

static void make_change(struct status_change *ch)
{
	unsigned first = rnd(3);

	memset(ch, 0, sizeof *ch);
	ch->kind = rnd(STATUS_KINDS);
	ch->images = rnd(3);
	ch->activated = (int)rnd(4) - 1;
	ch->time = rnd(3) ? 1700000000 + rnd(1000000) : 0;
	make_text(ch->compatible, sizeof ch->compatible);
	make_text(ch->version, sizeof ch->version);
	make_text(ch->description, sizeof ch->description);
	make_text(ch->build, sizeof ch->build);
	memset(ch->hash, (int)rnd(256), sizeof ch->hash);
	for (unsigned i = 0; i < ch->images; i++) {
		ch->image[i].slot = (first + i) % 3;
		ch->image[i].size = (uint64_t)rnd(1u << 31) << rnd(33);
		memset(ch->image[i].sha256, (int)rnd(256), 32);
	}
}

/* ---- what GLib makes of it ---- */

static void set_or_remove(
    void *g, const char *group, const char *key, const char *value)
{
	if (value[0] != '\0')
		g_set(g, group, key, value);
	else
		g_remove(g, group, key, NULL);
}

static void add_one(void *g, const char *group, const char *key)
{
	uint64_t n = g_u64(g, group, key, NULL);

	if (n > UINT32_MAX)
		n = 0;
	g_set_u64(g, group, key, n < UINT32_MAX ? n + 1 : n);
}

static void apply(void *g, const struct status_change *ch, const char *time)
{
	static const char *const words[] = {"pending", "ok", "failed"};
	bool ok = ch->kind == STATUS_OK;
	char group[80], hex[65];

	for (unsigned i = 0; ch->kind <= STATUS_FAILED && i < ch->images; i++) {
		const struct status_image *im = &ch->image[i];

		sprintf(group, "slot.%s", conf.slot[im->slot].name);
		g_set(g, group, "status", words[ch->kind]);
		g_remove(g, group, "sha256", NULL);
		g_remove(g, group, "size", NULL);
		if (!ok)
			continue;
		set_or_remove(g, group, "bundle.compatible", ch->compatible);
		set_or_remove(g, group, "bundle.version", ch->version);
		set_or_remove(g, group, "bundle.description", ch->description);
		set_or_remove(g, group, "bundle.build", ch->build);
		hex_encode(hex, ch->hash, 32);
		g_set(g, group, "bundle.hash", hex);
		hex_encode(hex, im->sha256, 32);
		g_set(g, group, "sha256", hex);
		g_set_u64(g, group, "size", im->size);
		g_remove(g, group, "installed.transaction", NULL);
		set_or_remove(g, group, "installed.timestamp", time);
		add_one(g, group, "installed.count");
		g_remove(g, group, "activated.timestamp", NULL);
	}
	if (ch->activated < 0 || (!ok && ch->kind != STATUS_ACTIVATED))
		return;
	sprintf(group, "slot.%s", conf.slot[ch->activated].name);
	set_or_remove(g, group, "activated.timestamp", time);
	add_one(g, group, "activated.count");
}

/* The newest time of a slot, or 0; whether we and GLib agree on each. */
static int64_t newest(void *g, bool *agree)
{
	char **groups = g_groups(g, NULL);
	int64_t max = 0;

	for (unsigned i = 0; groups[i]; i++) {
		static const char *const keys[] = {
		    "installed.timestamp", "activated.timestamp"};

		for (unsigned k = 0; k < 2; k++) {
			char *v = g_value(g, groups[i], keys[k], NULL);
			struct slice s = {v, v ? strlen(v) : 0};
			int64_t t = 0;
			bool ours = v && status_time_parse(s, &t);
			void *date = v ? g_date(v, g_utc()) : NULL;

			if (ours != (date != NULL) ||
			    (date && g_date_unix(date) != t))
				*agree = false;
			if (date)
				g_date_unref(date);
			if (ours && strncmp(groups[i], "slot.", 5) == 0 &&
			    t > max)
				max = t;
			g_free(v);
		}
	}
	g_strfreev(groups);
	return max;
}

/* All that a says b says too. */
static bool within(void *a, void *b)
{
	char **groups = g_groups(a, NULL);
	bool same = true;

	for (unsigned i = 0; groups[i]; i++) {
		char **keys = g_keys(a, groups[i], NULL, NULL);

		same = same && g_has_group(b, groups[i]);
		for (unsigned k = 0; same && keys[k]; k++) {
			char *v = g_value(a, groups[i], keys[k], NULL);
			char *w = g_value(b, groups[i], keys[k], NULL);

			/* GLib lists a repeated key that was removed */
			same = v ? w && strcmp(v, w) == 0 : !w;
			g_free(v);
			g_free(w);
		}
		g_strfreev(keys);
	}
	g_strfreev(groups);
	return same;
}

/* The time that we gave, or "". */
static void given_time(
    char dst[static 40], void *g, const struct status_change *ch)
{
	static const char *const keys[] = {
	    "installed.timestamp", "activated.timestamp"};
	bool images = ch->kind == STATUS_OK && ch->images > 0;
	char group[80], *v = NULL;

	dst[0] = '\0';
	if (images || ch->activated >= 0) {
		sprintf(group, "slot.%s",
		    conf.slot[images ? ch->image[0].slot
		                     : (uint32_t)ch->activated]
		        .name);
		v = g_value(g, group, keys[!images], NULL);
	}
	if (v)
		snprintf(dst, 40, "%s", v);
	g_free(v);
}

static const char *compare(const struct status_change *ch)
{
	void *was = g_new(), *is = g_new();
	const char *bad = NULL;
	bool accepted = g_load(was, old, old_len, KEEP_TRANSLATIONS, NULL);
	bool changed, damaged, agree = true;
	bool stamps = ch->kind == STATUS_ACTIVATED || ch->kind == STATUS_OK;
	int r = status_update(new, &new_len, &changed, &damaged,
	    (struct slice){old, old_len}, &conf, ch, NULL);
	char time[40];
	int64_t last, t = 0;

	if (!accepted) {
		g_unref(was);
		was = g_new();
	}
	if (r != 0)
		bad = "it is refused";
	else if (accepted == damaged)
		bad = damaged ? "GLib accepts" : "GLib refuses";
	else if (!g_load(is, new, new_len, KEEP_TRANSLATIONS, NULL))
		bad = "GLib refuses the result";
	if (!bad && (changed || ch->kind != STATUS_OK)) {
		last = newest(was, &agree);
		given_time(time, is, ch);
		if (stamps && time[0] != '\0' &&
		    !status_time_parse((struct slice){time, strlen(time)}, &t))
			bad = "the time is none";
		else if (stamps && t > 0 && (t <= last || t < ch->time))
			bad = "the time is not the newest";
		apply(was, ch, time);
		if (!agree)
			bad = "a timestamp";
		else if (!within(was, is))
			bad = "something is missing";
		else if (!within(is, was))
			bad = "something is too much";
	}
	g_unref(was);
	g_unref(is);
	return bad;
}

static int compare_random(unsigned long rounds)
{
	unsigned long failed = 0;

	load_glib();
	for (unsigned long i = 0; i < rounds; i++) {
		struct status_change ch;
		const char *bad;

		make_file();
		make_change(&ch);
		bad = compare(&ch);
		if (bad && failed++ < 5)
			printf("%s: kind %u\n%.*s---\n%.*s---\n", bad, ch.kind,
			    (int)old_len, old, (int)new_len, new);
	}
	printf("random: %lu passed, %lu failed\n", rounds - failed, failed);
	return failed != 0;
}

int main(int argc, char **argv)
{
	if (argc >= 8 && strcmp(argv[1], "update") == 0)
		return update_file(argc, argv);
	if (argc == 4 && strcmp(argv[1], "read") == 0)
		return read_slot(argv);
	state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	if (argc >= 3 && strcmp(argv[1], "random") == 0)
		return compare_random(strtoul(argv[2], NULL, 10));
	die("update, read or random");
	return 2;
}
