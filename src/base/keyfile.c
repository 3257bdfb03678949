/* SPDX-License-Identifier: 0BSD */
#include "base/keyfile.h"

#include "base/fmt.h"

void kf_init(struct keyfile *kf, const void *text, size_t len)
{
	memset(kf, 0, sizeof *kf);
	kf->p = text;
	kf->len = len;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

static struct slice strip_front(struct slice s)
{
	while (s.len > 0 && blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	return s;
}

static struct slice strip_back(struct slice s)
{
	while (s.len > 0 && blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* The next line without its end; false at the end of the text. */
static bool next_line(struct keyfile *kf, struct slice *line)
{
	const char *start, *end;

	if (kf->pos >= kf->len)
		return false;
	start = kf->p + kf->pos;
	end = memchr(start, '\n', kf->len - kf->pos);
	kf->start = kf->pos;
	line->p = start;
	line->len = end ? (size_t)(end - start) : kf->len - kf->pos;
	kf->pos += line->len + (end ? 1 : 0);
	if (end && line->len > 0 && line->p[line->len - 1] == '\r')
		line->len--;
	kf->line++;
	return true;
}

static int syntax(struct keyfile *kf, struct diag *d, const char *what)
{
	kf->pos = kf->len;
	return diag_fail(d, R_KEYFILE_SYNTAX, "line %u: %s", kf->line, what);
}

static int take_group(struct keyfile *kf, struct slice s, struct diag *d)
{
	while (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t')
		s.len--;
	if (s.len < 3 || s.p[s.len - 1] != ']')
		return syntax(kf, d, "expected [group]");
	kf->group.p = s.p + 1;
	kf->group.len = s.len - 2;
	for (size_t i = 0; i < kf->group.len; i++) {
		unsigned char c = (unsigned char)kf->group.p[i];

		if (c == '[' || c == ']' || c < 0x20 || c == 0x7f)
			return syntax(kf, d, "invalid character in group name");
	}
	kf->key.len = kf->value.len = 0;
	return KF_GROUP;
}

/* A name, which has no brackets but at its end: name[locale]. */
static bool key_valid(struct slice key)
{
	const char *open = memchr(key.p, '[', key.len);
	const char *close = memchr(key.p, ']', key.len);
	const char *last = key.p + key.len - 1;

	if (!open && !close)
		return true;
	if (!open || open == key.p || close != last)
		return false;
	while (++open < close) {
		unsigned char c = (unsigned char)*open;

		/* letters and digits of all scripts, as far as we can tell */
		if (c < 0x80 && c != '-' && c != '_' && c != '.' && c != '@' &&
		    (c < '0' || c > '9') &&
		    ((c | 0x20) < 'a' || (c | 0x20) > 'z'))
			return false;
	}
	return true;
}

int kf_next(struct keyfile *kf, struct diag *d)
{
	struct slice line;

	while (next_line(kf, &line)) {
		struct slice s = strip_front(line);
		const char *eq;

		if (s.len == 0 || s.p[0] == '#')
			continue;
		if (!utf8_valid(s))
			return syntax(kf, d, "invalid UTF-8");
		if (s.p[0] == '[')
			return take_group(kf, s, d);
		eq = memchr(s.p, '=', s.len);
		if (!eq || eq == s.p)
			return syntax(kf, d, "expected key=value");
		if (!kf->group.p)
			return syntax(kf, d, "key before the first [group]");
		kf->key.p = s.p;
		kf->key.len = (size_t)(eq - s.p);
		kf->key = strip_back(kf->key);
		if (!key_valid(kf->key))
			return syntax(kf, d, "invalid key name");
		kf->value.p = eq + 1;
		kf->value.len = s.len - (size_t)(eq + 1 - s.p);
		kf->value = strip_front(kf->value);
		return KF_KEY;
	}
	return KF_END;
}

static bool same(struct slice a, struct slice b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

bool kf_repeated(const struct keyfile *kf)
{
	struct keyfile before;

	kf_init(&before, kf->p, kf->start);
	while (kf_next(&before, NULL) > 0)
		if (before.key.len > 0 && same(before.key, kf->key) &&
		    same(before.group, kf->group))
			return true;
	return false;
}

static int bad_value(
    const struct keyfile *kf, struct diag *d, const char *expected)
{
	return diag_fail(d, R_KEYFILE_VALUE, "line %u: %.*s=%.*s: expected %s",
	    kf->line, (int)MIN(kf->key.len, 60), kf->key.p,
	    (int)MIN(kf->value.len, 60), kf->value.p, expected);
}

int kf_string(const struct keyfile *kf, char *dst, size_t cap, struct diag *d)
{
	size_t n = 0;

	if (cap == 0)
		return bad_value(kf, d, "a shorter text");
	for (size_t i = 0; i < kf->value.len; i++) {
		char c = kf->value.p[i];

		if (c == '\\') {
			static const char from[] = "sntr\\";
			static const char to[] = " \n\t\r\\";
			const char *at = NULL;

			if (++i < kf->value.len)
				at = memchr(from, kf->value.p[i], 5);
			if (!at) {
				dst[0] = '\0';
				return bad_value(
				    kf, d, "escapes \\s \\n \\t \\r \\\\ only");
			}
			c = to[at - from];
		}
		if (n + 1 >= cap) {
			dst[0] = '\0';
			return bad_value(kf, d, "a shorter text");
		}
		dst[n++] = c;
	}
	dst[n] = '\0';
	return 0;
}

int kf_bool(const struct keyfile *kf, bool *dst, struct diag *d)
{
	struct slice s = strip_back(kf->value);

	if (slice_is(s, "true") || slice_is(s, "1"))
		*dst = true;
	else if (slice_is(s, "false") || slice_is(s, "0"))
		*dst = false;
	else
		return bad_value(kf, d, "true or false");
	return 0;
}

int kf_u64(const struct keyfile *kf, uint64_t *dst, struct diag *d)
{
	if (!slice_u64(kf->value, dst))
		return bad_value(kf, d, "a decimal number");
	return 0;
}

int kf_hex(const struct keyfile *kf, uint8_t *dst, size_t n, struct diag *d)
{
	char expected[32];

	if (slice_hex(kf->value, dst, n))
		return 0;
	fmt(expected, sizeof expected, "%zu hexadecimal digits", 2 * n);
	return bad_value(kf, d, expected);
}

bool kf_list_next(struct slice list, size_t *pos, struct slice *item)
{
	const char *end;

	if (*pos >= list.len)
		return false;
	item->p = list.p + *pos;
	end = memchr(item->p, ';', list.len - *pos);
	item->len = end ? (size_t)(end - item->p) : list.len - *pos;
	*pos += item->len + 1;
	return true;
}
