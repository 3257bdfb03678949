/* SPDX-License-Identifier: 0BSD */
/* What udhcpc tells its script, one variable a NUL-terminated text; and the
 * same bytes as what the script tells process 1. */
#include <stdlib.h>

#include "source/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool v)
{
	if (!v)
		abort();
}

static void must_text(const char *s, size_t cap)
{
	const char *end = memchr(s, '\0', cap);

	must(end);
	for (; s < end; s++)
		must((uint8_t)*s >= ' ' && *s != 0x7f);
}

static void must_hold(const struct lease *l)
{
	must(ipv4_is_host(l->ip) && ipv4_is_mask(l->mask));
	must(ipv4_none(l->gateway) || ipv4_is_host(l->gateway));
	must(ipv4_none(l->server) || ipv4_is_host(l->server));
	must(l->mtu == 0 || (l->mtu >= 576 && l->mtu <= 65535));
	must_text(l->server_name, sizeof l->server_name);
	must_text(l->file, sizeof l->file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[8193];
	const char *env[300];
	struct diag d = {0}, e = {0};
	struct lease l;
	size_t n = 0;
	int r;

	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t at = 0; at < size && n + 1 < ARRAY_LEN(env);
	     at += strlen(text + at) + 1)
		env[n++] = text + at;
	env[n] = NULL;
	r = lease_read(&l, env, &d);
	must(r == d.reason && (r == 0 || r == R_NET_LEASE));
	/* both sides of the pipe say the same */
	must(lease_check(&l, &e) == r && strcmp(d.seen, e.seen) == 0);
	if (r == 0)
		must_hold(&l);
	if (size < sizeof l)
		return 0;
	memcpy(&l, data, sizeof l);
	e = (struct diag){0};
	if (lease_check(&l, &e) == 0)
		must_hold(&l);
	return 0;
}
