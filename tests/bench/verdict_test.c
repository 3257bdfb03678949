/* SPDX-License-Identifier: 0BSD */
/*
 * verdict_test BUNDLE KEYRING: how long the verdict on a verity bundle takes,
 * from its bytes in memory to the manifest that may be believed, and how long
 * BearSSL's own RSA takes for the signatures of its chain alone: PKCS#1 v1.5
 * of the message and of each certificate but the anchor. Both in turns, so
 * that what slows down one slows down the other. Fails when the verdict takes
 * more than MOST times as long.
 */
#include <bearssl.h>
#include <stdlib.h>
#include <time.h>

#include "bundle/bundle.h"
#include "bundle/x509.h"
#include "check.h"

#define ROUNDS 401
#define MOST 1.5

static uint8_t file[1 << 20];
static char pem[65536];
static struct bundle bundle;
static struct keyring ring;
static double verdicts[ROUNDS], bare[ROUNDS], ratios[ROUNDS];

/* One signature and whose it is. */
static struct {
	struct slice value;
	br_rsa_public_key key;
} checks[CHAIN_MAX];
static unsigned count;

static size_t load(const char *path, void *dst, size_t cap)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(dst, 1, cap, f) : 0;

	CHECK(n > 0 && n < cap);
	if (f)
		fclose(f);
	return n;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool judge(size_t len)
{
	struct trust_policy policy = {
	    .now = (int64_t)time(NULL), .time = TIME_CLOCK};
	struct blk_mem medium;

	blk_mem_init_const(&medium, file, len);
	return bundle_open(&bundle, &medium.blk, &ring, &policy, NULL) == 0;
}

/* The message's signature ends it; each certificate brings its own. */
static void collect(void)
{
	const struct signer *who = &bundle.signer;
	struct slice value = {
	    (const char *)bundle.cms + bundle.cms_len - 256, 256};

	for (unsigned i = 0; i < who->chain_len; i++) {
		struct cert c;

		CHECK_INT(x509_parse(who->chain[i], &c, NULL), 0);
		checks[count].value = value;
		checks[count].key.n = (uint8_t *)(uintptr_t)c.key.n.p;
		checks[count].key.nlen = c.key.n.len;
		checks[count].key.e = (uint8_t *)(uintptr_t)c.key.e.p;
		checks[count++].key.elen = c.key.e.len;
		value = c.sig.value;
	}
}

static bool check_all(void)
{
	const unsigned char *sha256 = BR_HASH_OID_SHA256;
	unsigned char digest[32];
	bool ok = true;

	for (unsigned i = 0; i < count; i++)
		ok &= br_rsa_i31_pkcs1_vrfy(
		          (const unsigned char *)checks[i].value.p,
		          checks[i].value.len, sha256, sizeof digest,
		          &checks[i].key, digest) == 1;
	return ok;
}

static int order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void show(const char *what, double *values, double unit)
{
	qsort(values, ROUNDS, sizeof *values, order);
	printf("%s: least %.3f, median %.3f, 90 %% below %.3f\n", what,
	    values[0] * unit, values[ROUNDS / 2] * unit,
	    values[ROUNDS * 9 / 10] * unit);
}

int main(int argc, char **argv)
{
	size_t len;
	bool ok = true;

	if (argc != 3)
		return 2;
	len = load(argv[1], file, sizeof file);
	CHECK_INT(
	    keyring_load(&ring, pem, load(argv[2], pem, sizeof pem), NULL), 0);
	CHECK(judge(len));
	CHECK_INT(bundle.manifest.format, FORMAT_VERITY);
	CHECK_INT(bundle.signer.chain_len, 3);
	collect();
	CHECK(check_all());
	for (unsigned i = 0; i < ROUNDS; i++) {
		double a = seconds(), b, c;

		ok &= judge(len);
		b = seconds();
		ok &= check_all();
		c = seconds();
		verdicts[i] = b - a;
		bare[i] = c - b;
		ratios[i] = (b - a) / (c - b);
	}
	CHECK(ok);
	show("verdict, ms", verdicts, 1e3);
	show("three signatures, ms", bare, 1e3);
	show("ratio", ratios, 1);
	printf("ratio of the least: %.3f, at most %.1f\n",
	    verdicts[0] / bare[0], MOST);
	CHECK(verdicts[0] <= MOST * bare[0]);
	CHECK(ratios[ROUNDS / 2] <= MOST);
	return check_done("verdict");
}
