/* SPDX-License-Identifier: 0BSD */
/*
 * corpus_tool: answers questions on standard input, a line each, with a line.
 *
 *   cert PATH                         DER of one certificate: "ok SERIAL FROM
 *                                     TO CA" or the reason
 *   sign SPKI ALGORITHM MESSAGE SIG   all DER or bytes in hexadecimal: "yes",
 *                                     "no", or what is not offered
 */
#include <stdio.h>
#include <stdlib.h>

#include "bundle/key.h"
#include "bundle/x509.h"
#include "load.h"

#define WORDS 5
#define LINE (1 << 17)

static size_t load(const char *path, uint8_t *dst, size_t cap)
{
	size_t n = load_file(dst, cap, "%s", path);

	if (n == 0) {
		perror(path);
		exit(2);
	}
	return n;
}

static void answer_cert(const char *path)
{
	static uint8_t der[1 << 16];
	struct diag d = {0};
	struct cert c;
	size_t n = load(path, der, sizeof der);
	int r = x509_parse((struct slice){(const char *)der, n}, &c, &d);

	if (r != 0) {
		printf("%s: %s\n", reason_name(r), d.seen);
		return;
	}
	printf("ok ");
	for (size_t i = 0; i < c.serial.len; i++)
		printf("%02X", (unsigned)(uint8_t)c.serial.p[i]);
	printf(" %lld %lld %d\n", (long long)c.not_before,
	    (long long)c.not_after, c.ca);
}

/* The bytes, in memory that ends with them, so that a read beyond is seen. */
static struct slice unhex(const char *text)
{
	size_t n = strlen(text) / 2;
	char *bytes = malloc(n ? n : 1);

	for (size_t i = 0; i < n; i++) {
		unsigned byte;

		if (sscanf(&text[2 * i], "%2x", &byte) != 1)
			exit(2);
		bytes[i] = (char)byte;
	}
	return (struct slice){bytes, n};
}

static void answer_sign(char **word)
{
	struct slice part[4];
	uint8_t digest[HASH_MAX];
	struct buf b;
	struct key k;
	struct alg alg;
	bool good = false;

	for (unsigned i = 0; i < 4; i++)
		part[i] = unhex(word[i]);
	b = der_buf(part[0]);
	(void)key_read(&b, &k);
	if (b.bad || k.type == KEY_UNKNOWN) {
		puts("key");
		goto out;
	}
	b = der_buf(part[1]);
	alg = alg_read(&b);
	if (b.bad || alg.hash == HASH_NONE || alg.params.len > 0) {
		puts("algorithm");
		goto out;
	}
	(void)hash_two(alg.hash, part[2], (struct slice){"", 0}, digest);
	good = key_verify(&k, &alg, alg.hash, digest, part[3]);
	puts(good ? "yes" : "no");
out:
	for (unsigned i = 0; i < 4; i++)
		free((void *)(uintptr_t)part[i].p);
}

int main(void)
{
	static char line[LINE];
	char *word[WORDS];

	while (fgets(line, sizeof line, stdin)) {
		unsigned n = 0;

		for (char *w = strtok(line, " \n"); w && n < WORDS;
		     w = strtok(NULL, " \n"))
			word[n++] = w;
		if (n == 2 && strcmp(word[0], "cert") == 0)
			answer_cert(word[1]);
		else if (n == 5 && strcmp(word[0], "sign") == 0)
			answer_sign(&word[1]);
		else
			return 2;
		fflush(stdout);
	}
	return 0;
}
