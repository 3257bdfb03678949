/* SPDX-License-Identifier: 0BSD */
/*
 * Lines for people, through one replaceable sink. The only global state in
 * the library: a process has one place where its words go.
 */
#ifndef LIFEBOAT_LOG_H
#define LIFEBOAT_LOG_H

#include "base/base.h"
#include "base/reason.h"

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

#define LOG_LINE 320 /* longest line, bytes with NUL; longer ones are cut */

/* line is NUL-terminated, has no line end, and holds only printable bytes
 * (others were replaced by '?'), so foreign text may be logged. */
typedef void log_sink(void *ctx, enum log_level level, const char *line);

/* NULL sink: lines are dropped, as before the first call. */
void log_to(log_sink *sink, void *ctx, enum log_level max);

void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_err(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/* Two lines at LOG_ERR: "CONTEXT: SEEN [reason-name]", "  what to do: HELP".
 * context may be NULL. */
void log_diag(const char *context, const struct diag *d);

/* Replaces every byte that is not printable ASCII or UTF-8 by '?'. */
void log_clean(char *text);

#endif
