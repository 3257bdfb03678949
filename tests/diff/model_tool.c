/* SPDX-License-Identifier: 0BSD */
/*
 * The boot loader models on environments from standard input, one a line:
 *   LOADER NOR COPIES READ-ONLY HAS NAME,NAME... HEX [HEX]
 * with HAS a mask of the names that have something to start, and each copy in
 * hexadecimal. Answers: the copy in use, what is started, and, for each copy,
 * what it holds then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootmodel.h"

static char line[4 * MODEL_ENV + 1024];
static uint8_t bytes[2][MODEL_ENV];
static struct model_next next;
static unsigned has_mask;

static bool has(void *ctx, unsigned i)
{
	(void)ctx;
	return has_mask >> i & 1;
}

static void fail(const char *what)
{
	fprintf(stderr, "model_tool: %s\n", what);
	exit(2);
}

static char *word(char *from)
{
	char *w = strtok(from, " \n");

	if (!w)
		fail("a word is missing");
	return w;
}

static size_t from_hex(uint8_t *dst, const char *hex)
{
	size_t n = strlen(hex) / 2;

	if (n > MODEL_ENV)
		fail("too large");
	for (size_t i = 0; i < n; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &dst[i]) != 1)
			fail("not hexadecimal");
	return n;
}

static enum loader_kind kind_of(const char *name)
{
	for (unsigned k = 0; k < LOADERS; k++)
		if (strcmp(model_loader[k].name, name) == 0)
			return (enum loader_kind)k;
	fail("no such loader");
	return LOADERS;
}

int main(void)
{
	while (fgets(line, sizeof line, stdin)) {
		uint8_t *copy[2] = {bytes[0], bytes[1]};
		const char *names[MODEL_NAMES];
		struct model m = {
		    .copy = {bytes[0], bytes[1]}, .names = names, .has = has};
		char *all, *rest;

		m.loader = kind_of(word(line));
		m.nor = atoi(word(NULL)) != 0;
		m.copies = (unsigned)atoi(word(NULL));
		m.read_only = atoi(word(NULL)) != 0;
		has_mask = (unsigned)atoi(word(NULL));
		all = word(NULL);
		for (unsigned i = 0; i < m.copies && i < 2; i++)
			m.size = from_hex(bytes[i], word(NULL));
		while (m.count < MODEL_NAMES &&
		       (names[m.count] = strtok_r(all, ",", &rest))) {
			all = NULL;
			m.count++;
		}
		model_load(&m);
		printf("%d ", m.use);
		model_next(&m, NULL, &next);
		model_apply(&m, copy, &next);
		printf("%d", next.start);
		for (unsigned i = 0; i < m.copies; i++) {
			putchar(' ');
			for (size_t k = 0; k < m.size; k++)
				printf("%02x", bytes[i][k]);
		}
		putchar('\n');
		fflush(stdout);
	}
	return 0;
}
