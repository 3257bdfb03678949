/* SPDX-License-Identifier: 0BSD */
/*
 * Text formatting without the C library's printf (which costs 12 KiB and, on
 * 64-bit ARM, software long double). Pure.
 */
#ifndef LIFEBOAT_FMT_H
#define LIFEBOAT_FMT_H

#include <stdarg.h>

#include "base/base.h"

/*
 * Formats into dst (cap bytes; always NUL-terminated when cap > 0) and
 * returns the length of what is in dst, which is cut when it did not fit.
 * Understood: %s %.*s %c %d %u %x %% with a width and a leading 0, and the
 * length modifiers l, ll, z. Anything else is printed as it stands.
 */
size_t fmt(char *dst, size_t cap, const char *format, ...) PRINTF_LIKE(3, 4);
size_t fmt_v(char *dst, size_t cap, const char *format, va_list ap)
    PRINTF_LIKE(3, 0);

#endif
