/* SPDX-License-Identifier: 0BSD */
/* Text of any characters comes out whole, in pieces that are text each: what
 * sends them replaces what is none. */
#include <stdarg.h>

#include "base/fmt.h"
#include "check.h"
#include "worker/show.h"
#include "worker/work.h"

static char said[4096];
static size_t used;
static bool torn;

void child_output(const char *format, ...)
{
	char piece[MSG_TEXT];
	va_list ap;
	size_t n;

	va_start(ap, format);
	n = fmt_v(piece, sizeof piece, format, ap);
	va_end(ap);
	CHECK(n < sizeof piece);
	torn = torn || !utf8_valid((struct slice){piece, n});
	CHECK(used + n < sizeof said);
	memcpy(said + used, piece, n + 1);
	used += n;
}

static void shows(enum job_format format, const char *value, const char *want)
{
	used = 0;
	show_start(format);
	show_open(NULL, "{");
	show_field("Version:    \t'|RAUC_MF_VERSION|version", value, 0);
	show_close("}");
	CHECK(!torn);
	CHECK_STR(said, want);
}

int main(void)
{
	static const char *const around[][2] = {
	    [JOB_READABLE] = {"Version:    \t'", "'\n"},
	    [JOB_SHELL] = {"RAUC_MF_VERSION='", "'\n"},
	    [JOB_JSON] = {"{\"version\":\"", "\"}\n"},
	    [JOB_JSON_PRETTY] = {"{\n  \"version\" : \"", "\"\n}\n"},
	};
	char value[400], want[500];

	/* wherever a piece ends */
	for (unsigned before = 0; before < 12; before++) {
		size_t n = 0;

		for (unsigned i = 0; i < before; i++)
			value[n++] = 'a';
		for (unsigned i = 0; i < 30; i++)
			n += fmt(value + n, sizeof value - n, "ü€😀");
		for (unsigned f = JOB_READABLE; f <= JOB_JSON_PRETTY; f++) {
			fmt(want, sizeof want, "%s%s%s", around[f][0], value,
			    around[f][1]);
			shows((enum job_format)f, value, want);
		}
	}
	shows(JOB_SHELL, "it's", "RAUC_MF_VERSION='it'\\''s'\n");
	shows(JOB_JSON, "\"\\\n€", "{\"version\":\"\\\"\\\\\\u000a€\"}\n");
	shows(JOB_JSON, "", "{\"version\":\"\"}\n");
	return check_done("show");
}
