/* SPDX-License-Identifier: 0BSD */
/*
 * The key-file reader against GLib itself, which is opened at run time: random
 * texts that look like key files have to be accepted or refused alike, with
 * the same groups, keys and values. Prints what differs.
 *   keyfile_diff ROUNDS [SEED]
 *
 * Known and wanted differences, all in the strict direction: NUL bytes and
 * invalid UTF-8 outside comments are refused here when read, by GLib when
 * asked for; numbers have no sign and no blanks, and do not saturate at 2^64.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/keyfile.h"

struct gerror;
static void *(*g_new)(void);
static void (*g_unref)(void *);
static int (*g_load)(void *, const char *, size_t, int, struct gerror **);
static char **(*g_groups)(void *, size_t *);
static char **(*g_keys)(void *, const char *, size_t *, struct gerror **);
static char *(*g_value)(void *, const char *, const char *, struct gerror **);
static char *(*g_string)(void *, const char *, const char *, struct gerror **);
static int (*g_bool)(void *, const char *, const char *, struct gerror **);
static uint64_t (*g_u64)(void *, const char *, const char *, struct gerror **);
static void (*g_strfreev)(char **);
static void (*g_free)(void *);
static void (*g_error_free)(struct gerror *);

static void load(void *fn, const char *name)
{
	static void *lib;

	if (!lib)
		lib = dlopen("libglib-2.0.so.0", RTLD_NOW);
	*(void **)fn = lib ? dlsym(lib, name) : NULL;
	if (!*(void **)fn) {
		fprintf(stderr, "libglib-2.0.so.0: no %s\n", name);
		exit(2);
	}
}

#define KEEP_TRANSLATIONS 2

static uint64_t state;

static unsigned rnd(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static size_t make(char *out)
{
	static const char *const pieces[] = {"[", "]", "=", "\n", "\n", "\n",
	    "\r\n", "#", " ", "\t", "\f", "\v", "a", "b", "key",
	    "key=", "[group]\n", "[g]\n", "[group] \n", "true", "false", "1",
	    "0", "yes", "12", "18446744073709551615", "\\s", "\\n", "\\\\",
	    "\\x", "\\", ";", "a;b;", "\303\274",
	    "x[de]=", "y[d.e@x_-]=", "[a.b.c]\n", "\r", "\177", "\1", "-",
	    "\342\202\254", "key=value\n", "b = true\n"};
	unsigned n = rnd(30);
	size_t len = 0;

	if (rnd(4) != 0)
		len = (size_t)sprintf(out, "[group]\n");
	while (n-- > 0)
		len += (size_t)sprintf(
		    out + len, "%s", pieces[rnd(ARRAY_LEN(pieces))]);
	return len;
}

/* The value that the last of several keys of this name has. */
static int find(const char *text, size_t len, const char *group,
    const char *key, struct keyfile *found)
{
	struct keyfile kf;
	int r, n = 0;

	kf_init(&kf, text, len);
	while ((r = kf_next(&kf, NULL)) > 0) {
		if (r == KF_KEY && slice_is(kf.group, group) &&
		    slice_is(kf.key, key)) {
			*found = kf;
			n++;
		}
	}
	return n;
}

static const char *compare(const char *text, size_t len)
{
	struct keyfile kf;
	struct gerror *err = NULL;
	void *g = g_new();
	const char *bad = NULL;
	char **groups = NULL;
	size_t n_groups = 0, ours = 0, theirs = 0;
	int accepted = g_load(g, text, len, KEEP_TRANSLATIONS, &err);
	int r;

	if (err)
		g_error_free(err);
	kf_init(&kf, text, len);
	while ((r = kf_next(&kf, NULL)) > 0)
		;
	if ((r == 0) != (accepted != 0)) {
		g_unref(g);
		return accepted ? "GLib accepts" : "GLib refuses";
	}
	if (!accepted) {
		g_unref(g);
		return NULL;
	}
	groups = g_groups(g, &n_groups);
	for (size_t i = 0; i < n_groups; i++) {
		size_t n = 0;
		char **keys = g_keys(g, groups[i], &n, NULL);

		for (size_t k = 0; keys && k < n && !bad; k++) {
			char *v = g_value(g, groups[i], keys[k], NULL);
			char *s;
			char mine[1000];
			bool flag = false;
			uint64_t number = 0;
			int b;
			uint64_t u;

			theirs++;
			if (find(text, len, groups[i], keys[k], &kf) == 0) {
				bad = "a key is missing";
			} else if (!slice_is(kf.value, v)) {
				bad = "a value differs";
			} else {
				err = NULL;
				s = g_string(g, groups[i], keys[k], &err);
				r = kf_string(&kf, mine, sizeof mine, NULL);
				if ((r == 0) != (err == NULL) ||
				    (s && r == 0 && strcmp(s, mine) != 0))
					bad = "string";
				if (err)
					g_error_free(err);
				g_free(s);
				err = NULL;
				b = g_bool(g, groups[i], keys[k], &err);
				r = kf_bool(&kf, &flag, NULL);
				if ((r == 0) != (err == NULL) ||
				    (r == 0 && b != flag))
					bad = "boolean";
				if (err)
					g_error_free(err);
				err = NULL;
				u = g_u64(g, groups[i], keys[k], &err);
				r = kf_u64(&kf, &number, NULL);
				if ((r == 0 && (err != NULL || u != number)) ||
				    (r != 0 && err == NULL && v[0] != '-' &&
				        v[0] != '\v' && u != UINT64_MAX))
					bad = "number";
				if (err)
					g_error_free(err);
			}
			g_free(v);
		}
		g_strfreev(keys);
	}
	/* and none that GLib does not have; it lists repeated ones too */
	kf_init(&kf, text, len);
	while ((r = kf_next(&kf, NULL)) > 0)
		ours += r == KF_KEY;
	if (!bad && ours != theirs)
		bad = "number of keys";
	g_strfreev(groups);
	g_unref(g);
	return bad;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	unsigned long failed = 0;

	state = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	load(&g_new, "g_key_file_new");
	load(&g_unref, "g_key_file_unref");
	load(&g_load, "g_key_file_load_from_data");
	load(&g_groups, "g_key_file_get_groups");
	load(&g_keys, "g_key_file_get_keys");
	load(&g_value, "g_key_file_get_value");
	load(&g_string, "g_key_file_get_string");
	load(&g_bool, "g_key_file_get_boolean");
	load(&g_u64, "g_key_file_get_uint64");
	load(&g_strfreev, "g_strfreev");
	load(&g_free, "g_free");
	load(&g_error_free, "g_error_free");
	for (unsigned long i = 0; i < rounds; i++) {
		static char text[4096];
		size_t len = make(text);
		const char *bad = compare(text, len);

		if (!bad)
			continue;
		if (failed++ < 10) {
			printf("%s:", bad);
			for (size_t k = 0; k < len; k++)
				printf(text[k] >= 0x20 && text[k] < 0x7f
				           ? "%c"
				           : "\\%03o",
				    (unsigned char)text[k]);
			printf("\n");
		}
	}
	printf("keyfile: %lu passed, %lu failed\n", rounds - failed, failed);
	return failed != 0;
}
