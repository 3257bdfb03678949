/* SPDX-License-Identifier: 0BSD */
#include <stdlib.h>

#include "init/uevent.h"

static void check_inside(struct slice s, const uint8_t *data, size_t size)
{
	const uint8_t *p = (const uint8_t *)s.p;

	if (s.len == 0)
		return;
	/* a text, and the NUL behind it, inside the message */
	if (p < data || s.len >= size || p - data > (ptrdiff_t)(size - s.len) ||
	    p[s.len] != 0 || memchr(p, 0, s.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct uevent e;
	bool ok = uevent_parse(&e, data, size);

	if (!ok && (e.action != UEVENT_OTHER || e.subsystem.len != 0 ||
	               e.devname.len != 0 || e.media_change))
		abort();
	check_inside(e.subsystem, data, size);
	check_inside(e.devname, data, size);
	return 0;
}
