/* SPDX-License-Identifier: 0BSD */
/*
 * Key files as GLib's GKeyFile reads them: system.conf, manifest.raucm,
 * lifeboat.conf, central.raucs. A tokenizer over memory: no copy, no table;
 * the caller assigns as keys come, and groups of one name merge, as in GLib.
 * Pure.
 *
 * Grammar: blank lines, '#' comments, [group], key=value; LF or CRLF; no
 * byte order mark; a key before the first group, a line without '=', and
 * invalid UTF-8 are errors.
 */
#ifndef LIFEBOAT_KEYFILE_H
#define LIFEBOAT_KEYFILE_H

#include "base/base.h"
#include "base/reason.h"

enum kf_item { KF_END, KF_GROUP, KF_KEY };

struct keyfile {
	const char *p;
	size_t len;
	size_t pos;
	unsigned line;      /* of the item returned last, from 1 */
	size_t start;       /* of that line: offset in p */
	struct slice group; /* of the item returned last */
	struct slice key;   /* KF_KEY: name */
	struct slice value; /* KF_KEY: raw, leading blanks stripped */
};

/* text stays the caller's and is not changed. */
void kf_init(struct keyfile *kf, const void *text, size_t len);

/* KF_END, KF_GROUP or KF_KEY, or R_KEYFILE_SYNTAX (negative; d names the
 * line). */
int kf_next(struct keyfile *kf, struct diag *d) MUST_CHECK;

/* True when the key at hand stood before in a group of this name: in GLib the
 * last one counts, RAUC refuses both. Reads the text up to here once more. */
bool kf_repeated(const struct keyfile *kf);

/*
 * Typed readings of kf->value with GLib's rules. All return 0,
 * R_KEYFILE_VALUE (d names line, key and what was expected).
 * Strings: escapes \s \n \t \r \\; an empty value is allowed here and left to
 * the caller; longer than cap - 1 bytes is an error.
 * Booleans: true, false, 1, 0, trailing blanks allowed.
 * Numbers: decimal digits only.
 */
int kf_string(
    const struct keyfile *kf, char *dst, size_t cap, struct diag *d) MUST_CHECK;
int kf_bool(const struct keyfile *kf, bool *dst, struct diag *d) MUST_CHECK;
int kf_u64(const struct keyfile *kf, uint64_t *dst, struct diag *d) MUST_CHECK;
int kf_hex(const struct keyfile *kf, uint8_t *dst, size_t n,
    struct diag *d) MUST_CHECK;

/* Walks a ';' list: false at the end. Items are raw and not trimmed; the
 * empty item behind a trailing ';' is not returned. Start with *pos = 0. */
bool kf_list_next(struct slice list, size_t *pos, struct slice *item);

#endif
