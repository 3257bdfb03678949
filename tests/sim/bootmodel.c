/* SPDX-License-Identifier: 0BSD */
#include "bootmodel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CRC-32, bit by bit: slow and simple. */
static uint32_t crc(const uint8_t *p, size_t len)
{
	static uint32_t table[256];
	uint32_t c = 0xffffffff;

	if (table[1] == 0)
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t v = i;

			for (int k = 0; k < 8; k++)
				v = v & 1 ? 0xedb88320 ^ v >> 1 : v >> 1;
			table[i] = v;
		}
	for (size_t i = 0; i < len; i++)
		c = table[(c ^ p[i]) & 255] ^ c >> 8;
	return ~c;
}

static size_t data_at(const struct model *m)
{
	return m->copies == 2 ? 5 : 4;
}

static bool valid(const struct model *m, unsigned i)
{
	const uint8_t *p = m->copy[i];
	uint32_t stored = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	                  (uint32_t)p[3] << 24;

	return stored == crc(p + data_at(m), m->size - data_at(m));
}

/* env/common.c: env_check_redund; env/flash.c for NOR. */
static int newer(const struct model *m)
{
	bool ok0 = valid(m, 0);
	bool ok1 = m->copies == 2 && valid(m, 1);
	uint8_t f0, f1;

	if (!ok0 && !ok1)
		return -1;
	if (!ok1)
		return 0;
	if (!ok0)
		return 1;
	f0 = m->copy[0][4];
	f1 = m->copy[1][4];
	if (m->nor) {
		if (f0 == 1 && f1 == 0)
			return 0;
		if (f0 == 0 && f1 == 1)
			return 1;
		if (f0 == f1 || f0 == 0xff)
			return 0;
		return f1 == 0xff ? 1 : 0;
	}
	if (f0 == 255 && f1 == 0)
		return 1;
	if (f1 == 255 && f0 == 0)
		return 0;
	return f1 > f0 ? 1 : 0;
}

void model_load(struct model *m)
{
	m->use = newer(m);
}

bool model_get(const struct model *m, const char *name, char *dst, size_t cap)
{
	int c = m->use;
	const char *p, *end;
	size_t n = strlen(name);
	bool found = false;

	if (c < 0)
		return false;
	p = (const char *)m->copy[c] + data_at(m);
	end = (const char *)m->copy[c] + m->size;
	while (p < end && *p) {
		size_t len = strnlen(p, (size_t)(end - p));

		if (len > n && p[n] == '=' && memcmp(p, name, n) == 0) {
			snprintf(
			    dst, cap, "%.*s", (int)(len - n - 1), p + n + 1);
			found = true;
		}
		p += len + 1;
	}
	return found;
}

int model_boot(const struct model *m, bool (*starts)(void *ctx, unsigned i),
    void *ctx, unsigned *tried)
{
	char order[256] = "";
	unsigned long left[8];

	/* test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B" and so on */
	if (!model_get(m, "BOOT_ORDER", order, sizeof order) ||
	    strspn(order, " ") == strlen(order)) {
		order[0] = '\0';
		for (unsigned i = 0; i < m->count; i++) {
			strcat(order, m->names[i]);
			strcat(order, " ");
		}
	}
	for (unsigned i = 0; i < m->count; i++) {
		char var[40], value[40] = "";

		snprintf(var, sizeof var, "BOOT_%s_LEFT", m->names[i]);
		if (!model_get(m, var, value, sizeof value) || !value[0])
			strcpy(value, "3");
		left[i] = strtoul(value, NULL, 16);
		if (tried)
			tried[i] = 0;
	}
	for (;;) {
		char copy[256], *word, *rest = NULL;
		bool reset = false;

		strcpy(copy, order);
		for (word = strtok_r(copy, " ", &rest); word && !reset;
		     word = strtok_r(NULL, " ", &rest))
			for (unsigned i = 0; i < m->count && !reset; i++) {
				if (strcmp(word, m->names[i]) != 0 ||
				    left[i] == 0)
					continue;
				left[i]--;
				if (tried)
					tried[i]++;
				if (starts(ctx, i))
					return (int)i;
				reset = true;
			}
		if (!reset)
			return MODEL_RECOVERY;
	}
}
