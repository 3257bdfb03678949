/* SPDX-License-Identifier: 0BSD */
/*
 * Names and identifiers on media as text. Pure.
 */
#ifndef LIFEBOAT_TEXT_H
#define LIFEBOAT_TEXT_H

#include "base/base.h"

/*
 * UTF-16LE of at most units units, ended by 0 or by units, as UTF-8 into dst
 * (cap bytes, always NUL-terminated). Lone surrogates become U+FFFD. Returns
 * false, with dst empty, when it does not fit: cap 3 * units + 1 always does.
 */
bool text_utf16(
    char *dst, size_t cap, const uint8_t *src, size_t units) MUST_CHECK;

/* 16 bytes as 8-4-4-4-12 lower-case digits; dst holds 37 bytes. mixed: the
 * first three groups are little-endian, as in a GPT. */
void text_uuid(char *dst, const uint8_t uuid[16], bool mixed);

/* n bytes of ASCII padded with blanks, without the padding; what is not
 * printable ASCII becomes '_'. dst holds n + 1 bytes. */
void text_padded(char *dst, const uint8_t *src, size_t n);

#endif
