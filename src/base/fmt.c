/* SPDX-License-Identifier: 0BSD */
#include "base/fmt.h"

struct out {
	char *p;
	size_t cap;
	size_t len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->cap)
		o->p[o->len++] = c;
}

static void put_text(struct out *o, const char *s, size_t len, size_t width)
{
	for (size_t i = len; i < width; i++)
		put(o, ' ');
	while (len-- > 0)
		put(o, *s++);
}

static void put_number(struct out *o, uint64_t v, unsigned base, bool minus,
    size_t width, char pad)
{
	char digits[24];
	size_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0);
	if (minus && pad == '0')
		put(o, '-');
	for (size_t i = n + (minus ? 1 : 0); i < width; i++)
		put(o, pad);
	if (minus && pad != '0')
		put(o, '-');
	while (n > 0)
		put(o, digits[--n]);
}

static size_t text_len(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0')
		n++;
	return n;
}

size_t fmt_v(char *dst, size_t cap, const char *f, va_list ap)
{
	struct out o = {dst, cap, 0};

	while (*f != '\0') {
		const char *start = f;
		size_t width = 0;
		size_t precision = SIZE_MAX;
		unsigned longs = 0;
		char pad = ' ';

		if (*f != '%') {
			put(&o, *f++);
			continue;
		}
		f++;
		if (*f == '0') {
			pad = '0';
			f++;
		}
		while (*f >= '0' && *f <= '9')
			width = width * 10 + (size_t)(*f++ - '0');
		if (f[0] == '.' && f[1] == '*') {
			int given = va_arg(ap, int);

			precision = given < 0 ? SIZE_MAX : (size_t)given;
			f += 2;
		}
		for (; *f == 'l'; f++)
			longs++;
		if (*f == 'z') {
			longs = sizeof(size_t) == sizeof(long) ? 1 : 0;
			f++;
		}
		switch (*f) {
		case 's': {
			const char *s = va_arg(ap, const char *);

			if (!s)
				s = "(null)";
			put_text(&o, s, text_len(s, precision), width);
			break;
		}
		case 'c':
			put(&o, (char)va_arg(ap, int));
			break;
		case 'd': {
			int64_t v = longs > 1    ? va_arg(ap, long long)
			            : longs == 1 ? va_arg(ap, long)
			                         : va_arg(ap, int);

			put_number(&o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v,
			    10, v < 0, width, pad);
			break;
		}
		case 'u':
		case 'x': {
			uint64_t v = longs > 1 ? va_arg(ap, unsigned long long)
			             : longs == 1 ? va_arg(ap, unsigned long)
			                          : va_arg(ap, unsigned);

			put_number(
			    &o, v, *f == 'x' ? 16 : 10, false, width, pad);
			break;
		}
		case '%':
			put(&o, '%');
			break;
		default:
			while (start < f)
				put(&o, *start++);
			continue;
		}
		f++;
	}
	if (cap > 0)
		dst[o.len] = '\0';
	return o.len;
}

size_t fmt(char *dst, size_t cap, const char *format, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, format);
	n = fmt_v(dst, cap, format, ap);
	va_end(ap);
	return n;
}
