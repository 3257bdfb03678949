/* SPDX-License-Identifier: 0BSD */
#include "boot/boot.h"

/*
 * A number below 2^62 that all readers of this file take for the same: with
 * 0x, of one digit, or decimal where they agree on that. A leading zero would
 * be octal.
 */
static bool number(struct slice s, bool decimal, uint64_t *v)
{
	if (s.len < 3 || s.p[0] != '0' || (s.p[1] | 0x20) != 'x')
		return (s.len == 1 || (decimal && s.len > 0 && *s.p != '0')) &&
		       slice_u64(s, v) && *v >> 62 == 0;
	*v = 0;
	for (size_t i = 2; i < s.len; i++) {
		int digit = hex_digit(s.p[i]);

		if (digit < 0 || *v >> 58 != 0)
			return false;
		*v = *v << 4 | (unsigned)digit;
	}
	return true;
}

static int bad(struct diag *d, unsigned line, const char *expected)
{
	return diag_fail(d, R_BOOT_CONFIG, "fw_env.config line %u: expected %s",
	    line, expected);
}

enum field { OFFSET, SIZE, SECTOR, SECTORS, FIELDS };

static int parse_copy(
    struct fw_env_copy *c, struct slice left, unsigned line, struct diag *d)
{
	static const char *const expected[FIELDS] = {
	    "an offset, decimal or with 0x in front",
	    "a size with 0x in front: readers disagree on one without",
	    "a sector size with 0x in front",
	    "a number of sectors with 0x in front",
	};
	uint64_t v[FIELDS] = {0};
	struct slice f;
	bool minus = false;

	if (!slice_word(&left, &f) ||
	    !slice_copy(c->device, sizeof c->device, f))
		return bad(d, line, "a device of at most 95 bytes");
	for (unsigned i = 0; i < FIELDS; i++) {
		if (!slice_word(&left, &f)) {
			if (i > SIZE)
				break;
			f.len = 0;
		}
		if (i == OFFSET && f.len > 0 && f.p[0] == '-') {
			minus = true;
			f.p++;
			f.len--;
		}
		if (!number(f, i == OFFSET, &v[i]) ||
		    (i == SECTORS && v[i] > 65536))
			return bad(d, line, expected[i]);
	}
	c->offset = minus ? -(int64_t)v[OFFSET] : (int64_t)v[OFFSET];
	c->size = v[SIZE];
	c->sector = v[SECTOR];
	c->sectors = (unsigned)v[SECTORS];
	if (c->size > BOOT_ENV_MAX)
		return diag_fail(d, R_LIMIT,
		    "fw_env.config line %u: environment of %llu bytes, at "
		    "most %u",
		    line, (unsigned long long)c->size, BOOT_ENV_MAX);
	return c->size >= 16 ? 0 : bad(d, line, "a size that is not so small");
}

int fw_env_config_parse(
    struct fw_env_config *c, const void *text, size_t len, struct diag *d)
{
	struct slice left = {text, len}, s;
	unsigned line = 0;

	memset(c, 0, sizeof *c);
	while (slice_line(&left, &s)) {
		struct slice rest = s, field;
		int r;

		line++;
		if (!slice_word(&rest, &field) || field.p[0] == '#')
			continue;
		if (c->copies == BOOT_STORES)
			return bad(d, line, "two copies at most");
		r = parse_copy(&c->copy[c->copies], s, line, d);
		if (r != 0)
			return r;
		c->copies++;
	}
	if (c->copies == 0)
		return bad(d, line,
		    "a place for the environment, no copy is "
		    "named");
	if (c->copies == 2 && c->copy[0].size != c->copy[1].size)
		return bad(d, line, "copies that do not differ in size");
	return 0;
}
