/* SPDX-License-Identifier: 0BSD */
/* A key that is trusted under one name only; a signature that is judged again
 * by other rules, as `info` does; and what of a bundle is no link has no text.
 */
#include <time.h>

#include "bundle/bundle.h"
#include "bundle/path.h"
#include "check.h"
#include "load.h"

#define Y2026 1767225600
#define Y2100 4102444800

static uint8_t cms[65536], file[1 << 20];
static char pem[65536];
static struct keyring ring;
static struct bundle bundle;

static size_t load(const char *name, void *dst, size_t cap)
{
	size_t n = load_file(dst, cap, "build/tests/%s", name);

	CHECK(n > 0 && n < cap);
	return n;
}

static void add(const char *name)
{
	CHECK_INT(
	    keyring_load(&ring, pem, load(name, pem, sizeof pem), NULL), 0);
}

/* Of two signers, of whom the first alone would do. */
static void test_judge(void)
{
	struct trust_policy policy = {
	    .now = Y2026, .time = TIME_CLOCK, .min_signers = 2};
	static struct signer who;
	struct slice content;
	struct diag d = {0};
	size_t len = load("certs/twice-eku.cms", cms, sizeof cms);

	memset(&ring, 0, sizeof ring);
	add("certs/root.pem");
	add("certs/root-rsa.pem");
	CHECK_INT(
	    cms_verify(cms, len, &ring, &policy, &content, &who, NULL), 0);
	CHECK(strstr(who.subject, "CN=EKU both") != NULL);
	bundle.signature = (struct slice){(const char *)cms, len};
	CHECK_INT(bundle_judge(&bundle, &ring, &policy, &d), 0);
	policy.purpose = PURPOSE_CODESIGN;
	CHECK_INT(bundle_judge(&bundle, &ring, &policy, &d), R_CERT_PURPOSE);
	CHECK(strstr(d.seen, "EKU both") == NULL);
	policy.purpose = PURPOSE_ANY;
	policy.check_crl = true;
	CHECK_INT(bundle_judge(&bundle, &ring, &policy, &d), R_CRL_MISSING);
	policy.check_crl = false;
	policy.now = Y2100;
	CHECK_INT(bundle_judge(&bundle, &ring, &policy, &d), R_CERT_EXPIRED);
	/* a detached one, of a plain bundle that was hashed before */
	len = load("certs/detached.cms", cms, sizeof cms);
	bundle.signature.len = len;
	policy = (struct trust_policy){.now = Y2026, .time = TIME_CLOCK};
	CHECK_INT(bundle_judge(&bundle, &ring, &policy, &d), R_CMS_DETACHED);
	bundle.content = &bundle.plain.blk;
	CHECK_INT(bundle_judge(&bundle, &ring, &policy, &d), 0);
	policy.purpose = PURPOSE_CODESIGN;
	CHECK_INT(bundle_judge(&bundle, &ring, &policy, &d), R_CERT_PURPOSE);
	memset(&bundle, 0, sizeof bundle);
}

/* Signed with a key that stands alone: of the name and key of the root in the
 * keyring, and not that root. */
static void test_stands_alone(void)
{
	struct trust_policy policy = {.now = Y2026, .time = TIME_CLOCK};
	static struct signer who;
	struct slice content;
	size_t len = load("certs/self.cms", cms, sizeof cms);

	memset(&ring, 0, sizeof ring);
	add("certs/self.pem");
	CHECK_INT(
	    cms_verify(cms, len, &ring, &policy, &content, &who, NULL), 0);
	memset(&ring, 0, sizeof ring);
	add("certs/signer.pem");
	CHECK_INT(cms_verify(cms, len, &ring, &policy, &content, &who, NULL),
	    R_CERT_UNKNOWN);
}

static void test_no_link(void)
{
	struct trust_policy policy = {.now = time(NULL)};
	static struct bundle_image i;
	struct blk_mem medium;
	struct diag d = {0};
	char text[64];
	size_t len = load("bundles/tiny.raucb", file, sizeof file);

	memset(&ring, 0, sizeof ring);
	add("bundles/keyring.pem");
	blk_mem_init(&medium, file, len, false);
	CHECK_INT(bundle_open(&bundle, &medium.blk, &ring, &policy, &d), 0);
	CHECK_INT(
	    bundle_image_open(&bundle, &bundle.manifest.image[0], &i, &d), 0);
	CHECK_INT(bundle_readlink(&i, text, sizeof text, &d), R_SQFS_TYPE);
}

int main(void)
{
	test_judge();
	test_stands_alone();
	test_no_link();
	return check_done("path_edge");
}
