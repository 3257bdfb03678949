/* SPDX-License-Identifier: 0BSD */
#include "base/base.h"

bool slice_is(struct slice s, const char *text)
{
	size_t n = strlen(text);

	return s.len == n && (n == 0 || memcmp(s.p, text, n) == 0);
}

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool slice_word(struct slice *left, struct slice *word)
{
	size_t from = 0, to;

	while (from < left->len && blank(left->p[from]))
		from++;
	for (to = from; to < left->len && !blank(left->p[to]);)
		to++;
	if (to == from)
		return false;
	word->p = left->p + from;
	word->len = to - from;
	left->p += to;
	left->len -= to;
	return true;
}

int slice_index(struct slice words, struct slice word)
{
	struct slice w;

	for (int i = 0; slice_word(&words, &w); i++)
		if (w.len == word.len && memcmp(w.p, word.p, w.len) == 0)
			return i;
	return -1;
}

static int fold(char c)
{
	return c == '_' ? '-' : c | 0x20;
}

bool slice_resembles(struct slice s, const char *name)
{
	size_t n = strlen(name), most = n > 6 ? 2 : 1;

	while (s.len > 0 && n > 0 && fold(*s.p) == fold(*name)) {
		s.p++;
		s.len--;
		name++;
		n--;
	}
	while (
	    s.len > 0 && n > 0 && fold(s.p[s.len - 1]) == fold(name[n - 1])) {
		s.len--;
		n--;
	}
	return s.len <= most && n <= most;
}

bool slice_line(struct slice *left, struct slice *line)
{
	const char *end;

	if (left->len == 0)
		return false;
	end = memchr(left->p, '\n', left->len);
	*line = *left;
	if (end)
		line->len = (size_t)(end - left->p);
	left->p += line->len + (end ? 1 : 0);
	left->len -= line->len + (end ? 1 : 0);
	if (line->len > 0 && line->p[line->len - 1] == '\r')
		line->len--;
	return true;
}

bool slice_copy(char *dst, size_t cap, struct slice s)
{
	if (cap == 0)
		return false;
	dst[0] = '\0';
	if (s.len == 0)
		return true;
	if (s.len >= cap || memchr(s.p, '\0', s.len))
		return false;
	memcpy(dst, s.p, s.len);
	dst[s.len] = '\0';
	return true;
}

bool slice_cut(struct slice *s, char c, struct slice *tail)
{
	const char *at = s->len > 0 ? memchr(s->p, c, s->len) : NULL;
	size_t before = at ? (size_t)(at - s->p) : s->len;

	tail->p = at ? at + 1 : NULL;
	tail->len = at ? s->len - before - 1 : 0;
	s->len = before;
	return at != NULL;
}

bool slice_alnum(struct slice s, const char *others)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c - (unsigned)'0' > 9 && (c | 0x20) - (unsigned)'a' > 25 &&
		    (c == '\0' || !strchr(others, c)))
			return false;
	}
	return s.len > 0;
}

size_t utf8_len(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n;

	if (s.len == 0)
		return 0;
	n = p[0] < 0x80                   ? 1
	    : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
	    : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
	    : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
	                                  : 0;
	if (n > s.len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* overlong forms, surrogates, more than U+10FFFF */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
		return 0;
	return n;
}

bool utf8_valid(struct slice s)
{
	while (s.len > 0) {
		size_t n = utf8_len(s);

		if (n == 0 || s.p[0] == '\0')
			return false;
		s.p += n;
		s.len -= n;
	}
	return true;
}

bool slice_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		/* U+0080 to U+009F are controls, too: C2 80 to C2 9F */
		if ((uint8_t)s.p[i] < ' ' || s.p[i] == 0x7f ||
		    ((uint8_t)s.p[i] == 0xc2 && i + 1 < s.len &&
		        (uint8_t)s.p[i + 1] < 0xa0))
			return false;
	return s.len > 0 && utf8_valid(s);
}

bool slice_u64(struct slice s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool slice_hex(struct slice s, uint8_t *dst, size_t n)
{
	if (s.len % 2 != 0 || s.len / 2 != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(s.p[2 * i]);
		int lo = hex_digit(s.p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		dst[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

void hex_encode(char *dst, const uint8_t *src, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*dst++ = digits[src[i] >> 4];
		*dst++ = digits[src[i] & 15];
	}
	*dst = '\0';
}

bool all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n-- > 0)
		if (*b++ != 0)
			return false;
	return true;
}

void wipe(void *p, size_t n)
{
	volatile uint8_t *bytes = p;

	while (n-- > 0)
		*bytes++ = 0;
}

uint32_t crc32_update(uint32_t crc, const void *data, size_t len)
{
	static const uint32_t nibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8,
	    0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0,
	    0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
	const uint8_t *p = data;

	crc = ~crc;
	while (len-- > 0) {
		crc ^= *p++;
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}
