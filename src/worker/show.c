/* SPDX-License-Identifier: 0BSD */
#include "worker/show.h"

#include "base/fmt.h"
#include "worker/work.h"

struct showing showing;

static bool is_json(void)
{
	return showing.format >= JOB_JSON;
}

/* s between quotes, with what the format needs in front of its special
 * characters. */
static void put(const char *quote, const char *s)
{
	struct slice left = {s, strlen(s)};
	char text[64];
	size_t n;

	child_output("%s", quote);
	do {
		for (n = 0; left.len > 0 && n + 8 < sizeof text;) {
			char c = left.p[0];
			bool control = (unsigned char)c < 0x20;
			/* half a character is none */
			size_t len = utf8_len(left);

			len += len == 0;
			if (showing.format == JOB_SHELL && c == '\'')
				n += fmt(text + n, sizeof text - n, "'\\''");
			else if (is_json() &&
			         (control || c == '"' || c == '\\'))
				n += fmt(text + n, sizeof text - n,
				    control ? "\\u%04x" : "\\%c", c);
			else
				for (size_t i = 0; i < len; i++)
					text[n++] = left.p[i];
			left.p += len;
			left.len -= len;
		}
		text[n] = '\0';
		child_output("%s", text);
	} while (left.len > 0);
	child_output("%s", quote);
}

/* Where the next item of a list or object goes. */
static void next(void)
{
	if (!showing.first)
		child_output(",");
	showing.first = false;
	if (showing.format != JOB_JSON_PRETTY)
		return;
	child_output("\n");
	for (unsigned i = 0; i < showing.depth; i++)
		child_output("  ");
}

static void name(const char *key)
{
	next();
	put("\"", key);
	child_output(showing.format == JOB_JSON_PRETTY ? " : " : ":");
}

void show_open(const char *key, const char *bracket)
{
	if (!is_json())
		return;
	if (key)
		name(key);
	else if (showing.depth > 0)
		next();
	child_output("%s", bracket);
	showing.depth++;
	showing.first = true;
}

void show_close(const char *bracket)
{
	bool empty = showing.first;

	if (!is_json())
		return;
	showing.depth--;
	showing.first = true;
	if (!empty)
		next();
	showing.first = false;
	child_output(showing.depth > 0 ? "%s" : "%s\n", bracket);
}

void show_item(const char *text)
{
	if (!is_json())
		return;
	next();
	put("\"", text);
}

/* The part of "readable|shell|json" that the format needs: its length. */
static size_t pick(const char **names)
{
	unsigned skip = showing.format == JOB_READABLE ? 0
	                : showing.format == JOB_SHELL  ? 1
	                                               : 2;
	size_t n = 0;

	while (skip > 0)
		if (*(*names)++ == '|')
			skip--;
	while ((*names)[n] != '|' && (*names)[n] != '\0')
		n++;
	return n;
}

void show_field(const char *names, const char *value, unsigned how)
{
	size_t n = pick(&names);
	const char *quote = (how & NUMBER) != 0 ? "" : is_json() ? "\"" : "'";
	char key[48];

	if (n == 0)
		return;
	if (showing.format == JOB_READABLE) {
		if ((how & HIDE_IF_EMPTY) == 0 || value[0] != '\0')
			child_output("%.*s%s%s\n", (int)n, names, value,
			    names[n - 1] == '\'' ? "'" : "");
		return;
	}
	fmt(key, sizeof key, "%.*s", (int)n, names);
	if (showing.format == JOB_SHELL) {
		for (char *p = key; *p != '\0'; p++)
			*p = *p == '-'   ? '_'
			     : *p >= 'a' ? (char)(*p - 'a' + 'A')
			                 : *p;
		child_output("%s", key);
		if (showing.indexed)
			child_output("_%u", showing.index);
		child_output("=");
		put(quote, value);
		child_output("\n");
		return;
	}
	if ((how & LIST) != 0) {
		struct slice left = {value, strlen(value)}, word;

		show_open(key, "[");
		while (slice_word(&left, &word)) {
			next();
			child_output("\"%.*s\"", (int)word.len, word.p);
		}
		show_close("]");
		return;
	}
	name(key);
	if ((how & NULL_IF_EMPTY) != 0 && value[0] == '\0')
		child_output("null");
	else
		put(quote, value);
}

void show_own(
    const char *label, const char *name, const char *value, unsigned how)
{
	char names[100];

	fmt(names, sizeof names, "%s|LIFEBOAT_%s|%s", label, name, name);
	show_field(names, value, how);
}

void show_number(const char *names, uint64_t value)
{
	char text[24];

	fmt(text, sizeof text, "%llu", (unsigned long long)value);
	show_field(names, text, NUMBER);
}

void show_hash(const char *names, const uint8_t value[32])
{
	char text[65];

	hex_encode(text, value, 32);
	show_field(names, text, 0);
}

void show_start(enum job_format format)
{
	showing.format = format;
	showing.depth = 0;
	showing.first = true;
	showing.indexed = false;
}
