/* SPDX-License-Identifier: 0BSD */
/*
 * mutate KEYRING CMS...: flips every byte of each signature in ten ways and
 * cuts it at every length. Whatever lifeboat still accepts, libcrypto has to
 * accept too, with the same content. Prints a line; exit 1 on a difference.
 */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bundle/trust.h"

static uint8_t original[65536], mutant[65536];
static char pem[65536];
static struct keyring ring;
static X509_STORE *store;
enum verdict { REFUSED, BOTH, ALONE };
static unsigned long count[3];

static size_t load(const char *path, void *dst, size_t cap)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		perror(path);
		exit(2);
	}
	n = fread(dst, 1, cap, f);
	fclose(f);
	return n;
}

static int libcrypto_accepts(size_t len, struct slice content)
{
	const unsigned char *p = mutant;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	long n;
	int ok =
	    cms && CMS_verify(cms, NULL, store, NULL, out, CMS_BINARY) == 1;

	n = BIO_get_mem_data(out, &data);
	ok = ok && n == (long)content.len &&
	     memcmp(data, content.p, content.len) == 0;
	BIO_free(out);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return ok;
}

static enum verdict attempt(size_t len)
{
	static struct signer who;
	struct trust_policy policy = {.now = time(NULL)};
	struct slice content;

	if (cms_verify(mutant, len, &ring, &policy, &content, &who, NULL))
		return REFUSED;
	return libcrypto_accepts(len, content) ? BOTH : ALONE;
}

static void note(const char *name, size_t len, size_t at)
{
	enum verdict v = attempt(len);

	count[v]++;
	if (v == ALONE)
		fprintf(stderr, "%s: byte %zu: accepted by lifeboat only\n",
		    name, at);
}

int main(int argc, char **argv)
{
	static const uint8_t flips[] = {
	    0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff, 0x7f};

	if (argc < 3)
		return 2;
	if (keyring_load(&ring, pem, load(argv[1], pem, sizeof pem), NULL))
		return 2;
	store = X509_STORE_new();
	if (!X509_STORE_load_locations(store, argv[1], NULL))
		return 2;
	for (int i = 2; i < argc; i++) {
		size_t len = load(argv[i], original, sizeof original);

		memcpy(mutant, original, len);
		if (attempt(len) != BOTH) {
			fprintf(stderr, "%s: not accepted as it is\n", argv[i]);
			return 2;
		}
		for (size_t at = 0; at < len; at++) {
			for (size_t f = 0; f < sizeof flips; f++) {
				mutant[at] = original[at] ^ flips[f];
				note(argv[i], len, at);
			}
			mutant[at] = original[at];
			note(argv[i], at, at);
		}
	}
	printf(
	    "mutate: %lu mutants, %lu accepted by both, %lu by lifeboat only\n",
	    count[REFUSED] + count[BOTH] + count[ALONE], count[BOTH],
	    count[ALONE]);
	return count[ALONE] != 0;
}
