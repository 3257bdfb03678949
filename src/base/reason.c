/* SPDX-License-Identifier: 0BSD */
#include "base/reason.h"

#include "base/fmt.h"

/* The name and the help of each reason, all in one row: a table of pointers
 * would be a quarter of it. The last two are for any other number. */
#define ROOM(code, value, name, help) \
	char code##_name[sizeof name]; \
	char code##_help[sizeof help];
#define TEXTS(code, value, name, help) name, help,
#define NUMBER(code, value, name, help) -(value),

static const struct {
	ROOM(none, 0, "ok", "")
	REASONS(ROOM)
	ROOM(other, 0, "unknown", "")
} texts = {
    TEXTS(none, 0, "ok", "") REASONS(TEXTS) TEXTS(other, 0, "unknown", "")};
static const uint8_t numbers[] = {0, REASONS(NUMBER)};

static const char *after(const char *text)
{
	return text + strlen(text) + 1;
}

const char *reason_name(int reason)
{
	const char *text = (const char *)&texts;

	for (size_t i = 0; i < sizeof numbers && -reason != numbers[i]; i++)
		text = after(after(text));
	return text;
}

const char *reason_help(int reason)
{
	return after(reason_name(reason));
}

int diag_fail(struct diag *d, int reason, const char *format, ...)
{
	va_list ap;

	if (!d || d->reason != 0)
		return reason;
	d->reason = reason;
	va_start(ap, format);
	fmt_v(d->seen, sizeof d->seen, format, ap);
	va_end(ap);
	return reason;
}

void diag_clear(struct diag *d)
{
	d->reason = 0;
	d->seen[0] = '\0';
}
