/* SPDX-License-Identifier: 0BSD */
/* Files that tests are made of. */
#ifndef LIFEBOAT_TESTS_LOAD_H
#define LIFEBOAT_TESTS_LOAD_H

#include <stdarg.h>
#include <stdio.h>

/* All of the file into dst; its length, which is cap where it may be longer,
 * and 0 where there is none. */
__attribute__((format(printf, 3, 4))) static inline size_t load_file(
    void *dst, size_t cap, const char *format, ...)
{
	char path[256];
	va_list ap;
	size_t n = 0;
	FILE *f;

	va_start(ap, format);
	vsnprintf(path, sizeof path, format, ap);
	va_end(ap);
	f = fopen(path, "rb");
	if (f) {
		n = fread(dst, 1, cap, f);
		fclose(f);
	}
	return n;
}

#endif
