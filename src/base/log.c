/* SPDX-License-Identifier: 0BSD */
#include "base/log.h"

#include "base/fmt.h"

static log_sink *sink_fn;
static void *sink_ctx;
static enum log_level max_level;

void log_to(log_sink *sink, void *ctx, enum log_level max)
{
	sink_fn = sink;
	sink_ctx = ctx;
	max_level = max;
}

void log_clean(char *text)
{
	size_t len = strlen(text);
	size_t at = 0;

	while (at < len) {
		unsigned char *c = (unsigned char *)text + at;
		struct slice rest = {text + at, len - at};
		size_t n = utf8_len(rest);

		/* U+0080 to U+009F are terminal controls as much as ESC is */
		if (n == 0 || c[0] < 0x20 || c[0] == 0x7f ||
		    (c[0] == 0xc2 && c[1] < 0xa0)) {
			c[0] = '?';
			n = 1;
		}
		at += n;
	}
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LOG_LINE];
	va_list ap;

	if (!sink_fn || level > max_level)
		return;
	va_start(ap, format);
	fmt_v(line, sizeof line, format, ap);
	va_end(ap);
	log_clean(line);
	sink_fn(sink_ctx, level, line);
}

void log_diag(const char *context, const struct diag *d)
{
	log_err("%s%s%s [%s]", context ? context : "", context ? ": " : "",
	    d->seen, reason_name(d->reason));
	log_err("  what to do: %s", reason_help(d->reason));
}
