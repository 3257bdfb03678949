/* SPDX-License-Identifier: 0BSD */
/*
 * The transaction with real bundles, made by rauc (tests/data/mkbundles.sh):
 * what arrives in the slots, and what a bundle that is signed and yet wrong,
 * or a medium that changes after the verification, does to them.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "load.h"
#include "slot/install.h"

#define DIR "build/tests/bundles/"
#define FILE_MAX 4000000
#define SLOT (2u << 20)

static const char system_conf[] =
    "[system]\ncompatible=Test\nbootloader=noop\n"
    "[slot.rootfs.0]\ndevice=r\ntype=ext4\n"
    "[slot.kernel.0]\ndevice=k\nparent=rootfs.0\n";

static uint8_t file[FILE_MAX], want[FILE_MAX];
static uint8_t rootfs[SLOT], kernel[SLOT];
static struct keyring keyring;
static struct trust_policy policy;
static struct bundle bundle;
static struct blk_mem source, slot[2];
static struct conf conf;
static struct plan plan;
static struct install in;
static struct diag d;
static size_t size;

static size_t load(const char *name, uint8_t *dst)
{
	size_t n = load_file(dst, FILE_MAX, DIR "%s", name);

	CHECK(n > 0 && n < FILE_MAX);
	return n;
}

/* A bundle, opened and planned, and slots with something old. */
static int start(const char *name)
{
	int r;

	diag_clear(&d);
	size = load(name, file);
	blk_mem_init(&source, file, size, false);
	memset(rootfs, 0xaa, SLOT);
	memset(kernel, 0xbb, SLOT);
	blk_mem_init(&slot[0], kernel, SLOT, true);
	blk_mem_init(&slot[1], rootfs, SLOT, true);
	CHECK_INT(
	    conf_parse(&conf, system_conf, sizeof system_conf - 1, &d), 0);
	r = bundle_open(&bundle, &source.blk, &keyring, &policy, &d);
	if (r == 0)
		r = install_plan(
		    &plan, &conf, NULL, &bundle.manifest, NULL, "", &d);
	in.bundle = &bundle;
	in.boot = NULL;
	in.conf = &conf;
	in.plan = &plan;
	for (unsigned i = 0; r == 0 && i < plan.count; i++)
		in.target[i] =
		    plan.item[i].slot == 0 ? &slot[1].blk : &slot[0].blk;
	return r;
}

static bool untouched(void)
{
	for (size_t i = 0; i < SLOT; i++)
		if (rootfs[i] != 0xaa || kernel[i] != 0xbb)
			return false;
	return true;
}

static void holds(const uint8_t *got, const char *name, uint8_t rest)
{
	size_t n = load(name, want);

	CHECK_MEM(got, want, n);
	CHECK(got[n] == rest && got[SLOT - 1] == rest);
}

static void test_install(const char *name)
{
	enum slot_content content;

	CHECK_INT(start(name), 0);
	CHECK_INT(install_run(&in, &d), R_LAST_GOOD);
	CHECK(untouched());
	diag_clear(&d);
	CHECK_INT(bundle_verify(&bundle, NULL, NULL, &d), 0);
	CHECK(bundle.verified);
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_OTHER);
	CHECK_INT(install_run(&in, &d), 0);
	holds(rootfs, "rootfs.ext4", 0xaa);
	holds(kernel, "kernel.img", 0xbb);
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_SAME);
	kernel[70000] ^= 1;
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_OTHER);
	memset(rootfs, 0, INSTALL_HEAD);
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_HALF);
}

static void test_refused(const char *name, int reason)
{
	int r = start(name);

	if (r == 0)
		r = bundle_verify(&bundle, NULL, NULL, &d);
	if (r == 0)
		r = install_run(&in, &d);
	CHECK_INT(r, reason);
	CHECK_INT(d.reason, reason);
	CHECK(untouched());
}

/* Blocks that change behind our back, when all was verified already. */
static void test_changed_medium(void)
{
	CHECK_INT(start("good.raucb"), 0);
	CHECK_INT(bundle_verify(&bundle, NULL, NULL, &d), 0);
	file[300000] ^= 1;
	CHECK_INT(install_run(&in, &d), R_VERITY_DATA);
	CHECK_INT(d.reason, R_VERITY_DATA);
	CHECK(untouched());

	/* Nothing was left to lose: found when it is reached. */
	CHECK_INT(start("good.raucb"), 0);
	CHECK_INT(bundle_verify(&bundle, NULL, NULL, &d), 0);
	memset(rootfs, 0, INSTALL_HEAD);
	file[300000] ^= 1;
	CHECK_INT(install_run(&in, &d), R_VERITY_DATA);
	CHECK(all_zero(rootfs, INSTALL_HEAD));
	CHECK(all_zero(kernel, INSTALL_HEAD));
	/* And every byte that was written is the image's. */
	load("rootfs.ext4", want);
	for (size_t i = INSTALL_HEAD; i < 300000; i++)
		if (rootfs[i] != want[i] && rootfs[i] != 0xaa) {
			CHECK_INT(rootfs[i], want[i]);
			break;
		}
	file[300000] ^= 1;
	diag_clear(&d);
	CHECK_INT(install_run(&in, &d), 0);
	holds(rootfs, "rootfs.ext4", 0xaa);
}

int main(void)
{
	size_t n;

	if (system("tests/data/mkbundles.sh " DIR " >&2") != 0)
		return 1;
	policy.now = time(NULL);
	n = load("keyring.pem", file);
	CHECK_INT(keyring_load(&keyring, (const char *)file, n, NULL), 0);
	test_install("good.raucb");
	test_install("zstd.raucb");
	test_refused("lzo.raucb", R_SQFS_CODEC);
	test_refused("hook.raucb", R_MANIFEST_HOOK);
	test_refused("imagesize.raucb", R_IMAGE_SIZE);
	test_refused("imagename.raucb", R_IMAGE_MISSING);
	test_refused("small.raucb", R_NO_SLOT_CLASS);
	test_changed_medium();
	return check_done("install_bundle");
}
