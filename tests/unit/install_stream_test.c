/* SPDX-License-Identifier: 0BSD */
/*
 * The transaction with a bundle that comes once: written in the order in which
 * it comes, and no head before its very end was verified.
 */
#include "check.h"

#include "sim/bundle_double.h"
#include "sim/simdisk.h"
#include "slot/install.h"

#define ROOTFS (5 * 4096 + 700u)
#define KERNEL (2 * 4096 + 100u)
#define SMALL 900u
#define DISK 32768u
#define DISKS 3u

static const char system_conf[] = "[system]\ncompatible=dev\nbootloader=noop\n"
                                  "[slot.kernel.0]\ndevice=k\nparent=rootfs.0\n"
                                  "[slot.small.0]\ndevice=s\nparent=rootfs.0\n"
                                  "[slot.rootfs.0]\ndevice=r\n";

static uint8_t image[DISKS][ROOTFS];
static const size_t size[DISKS] = {ROOTFS, KERNEL, SMALL};
static const char *const classes[DISKS] = {"rootfs", "kernel", "small"};
static uint8_t old[DISK];
static struct sim sim;
static struct simdisk *disk[DISKS];
static struct conf conf;
static struct plan plan;
static struct install in;
static struct diag d;
static unsigned cancel_at, calls;

static int progress(
    void *ctx, enum install_phase phase, uint64_t done, uint64_t total)
{
	(void)ctx;
	CHECK(phase == PHASE_WRITE || phase == PHASE_READ_BACK);
	CHECK(done <= total);
	return calls++ == cancel_at;
}

static void machine(uint32_t sector, bool tails_first)
{
	memset(old, 0xee, sizeof old);
	sim_init(&sim);
	double_reset();
	memcpy(double_bundle.manifest.compatible, "dev", 4);
	double_bundle.forward = true;
	double_bundle.verified = false;
	bundle_double.tails_first = tails_first;
	for (unsigned i = 0; i < DISKS; i++) {
		for (size_t k = 0; k < size[i]; k++)
			image[i][k] =
			    (uint8_t)(k * (7 + 2 * i) + k / 256 + i + 1);
		disk[i] = sim_add(&sim, DISK, sector);
		sim_load(disk[i], 0, old, DISK);
	}
	memset(image[0] + 8192, 0, 4096); /* a whole block that is a hole */
	for (unsigned i = 0; i < DISKS; i++)
		double_add(classes[i], image[i], size[i]);
	diag_clear(&d);
	CHECK_INT(
	    conf_parse(&conf, system_conf, sizeof system_conf - 1, &d), 0);
	CHECK_INT(install_plan(&plan, &conf, NULL, &double_bundle.manifest,
	              NULL, "", &d),
	    0);
	in.bundle = &double_bundle;
	in.boot = NULL;
	in.conf = &conf;
	in.plan = &plan;
	in.give_up_good = true;
	for (unsigned i = 0; i < plan.count; i++)
		in.target[i] = &disk[plan.item[i].image]->blk;
	in.progress = progress;
	cancel_at = UINT32_MAX;
	calls = 0;
	sim_start(&sim);
}

static bool is_new(void)
{
	for (unsigned i = 0; i < DISKS; i++)
		if (memcmp(disk[i]->durable, image[i], size[i]) != 0 ||
		    disk[i]->durable[DISK - 1] != 0xee)
			return false;
	return true;
}

static bool heads_zero(void)
{
	for (unsigned i = 0; i < DISKS; i++)
		if (!all_zero(disk[i]->now, INSTALL_HEAD) ||
		    !all_zero(disk[i]->durable, INSTALL_HEAD))
			return false;
	return true;
}

static bool untouched(void)
{
	for (unsigned i = 0; i < DISKS; i++)
		if (memcmp(disk[i]->now, old, DISK) != 0)
			return false;
	return true;
}

/* Whatever went wrong before: the same stream, from its beginning. */
static void finish_it(void)
{
	bundle_double.finish = 0;
	bundle_double.fail = 0;
	cancel_at = UINT32_MAX;
	diag_clear(&d);
	CHECK_INT(install_run(&in, &d), 0);
	CHECK(is_new());
}

static void test_order(uint32_t sector, bool tails_first, size_t step)
{
	machine(sector, tails_first);
	bundle_double.step = step;
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_INT(d.reason, 0);
	CHECK_INT(bundle_double.back, 0);
	CHECK_INT(bundle_double.finished, 1);
	CHECK(is_new());
	CHECK_INT(sim.cached, 0);
	CHECK(calls > 2);
}

static void test_last_good(void)
{
	machine(512, false);
	in.give_up_good = false;
	CHECK_INT(install_run(&in, &d), R_LAST_GOOD);
	CHECK_INT(d.reason, R_LAST_GOOD);
	CHECK(untouched());
	/* what was verified before is something else */
	double_bundle.verified = true;
	CHECK_INT(install_run(&in, &d), R_LAST_GOOD);
	double_bundle.verified = false;
	double_bundle.forward = false;
	in.give_up_good = true;
	CHECK_INT(install_run(&in, &d), R_LAST_GOOD);
	CHECK(untouched());
}

static void test_first_bytes(void)
{
	machine(512, false);
	bundle_double.open_fail = R_STREAM_INDEX;
	CHECK_INT(install_run(&in, &d), R_STREAM_INDEX);
	CHECK(untouched());
	bundle_double.open_fail = 0;
	disk[0]->blk.size = ROOTFS - 1;
	diag_clear(&d);
	CHECK_INT(install_run(&in, &d), R_TARGET_SMALL);
	CHECK(untouched());
}

/* At its end, and at every read before. */
static void test_bundle_fails(bool tails_first)
{
	static const int reason[] = {
	    R_STREAM_CUT, R_STREAM_HEADER, R_VERITY_DATA, R_VERITY_TREE};

	for (size_t i = 0; i < ARRAY_LEN(reason); i++) {
		machine(512, tails_first);
		bundle_double.finish = reason[i];
		CHECK_INT(install_run(&in, &d), reason[i]);
		CHECK_INT(d.reason, reason[i]);
		CHECK(heads_zero());
		finish_it();
	}
	for (unsigned at = 0;; at++) {
		machine(512, tails_first);
		bundle_double.fail = R_VERITY_DATA;
		bundle_double.fail_at = at;
		if (install_run(&in, &d) == 0) {
			CHECK(at > 10);
			break;
		}
		CHECK_INT(d.reason, R_VERITY_DATA);
		CHECK(heads_zero());
		CHECK_INT(bundle_double.finished, 0);
		finish_it();
	}
	/* it ends before the image does */
	machine(512, tails_first);
	bundle_double.image[0].size = 4096 * 5 + 10;
	CHECK_INT(install_run(&in, &d), R_IMAGE_SIZE);
	CHECK(heads_zero());
}

static void test_cancel(void)
{
	for (unsigned at = 0;; at++) {
		machine(512, false);
		cancel_at = at;
		if (install_run(&in, &d) == 0) {
			CHECK(at > 3);
			break;
		}
		CHECK_INT(d.reason, R_CANCELLED);
		CHECK(sim.writes == 0 ? untouched() : heads_zero());
		finish_it();
	}
}

/* An image that is not what the manifest says, or a slot that forgets. */
static void test_hash(void)
{
	machine(512, false);
	double_bundle.manifest.image[1].sha256[0] ^= 1;
	CHECK_INT(install_run(&in, &d), R_TARGET_READBACK);
	CHECK_INT(d.reason, R_TARGET_READBACK);
	CHECK(heads_zero());
	double_bundle.manifest.image[1].sha256[0] ^= 1;
	finish_it();
}

int main(void)
{
	static const size_t steps[] = {0, 100, 512, 4096};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		test_order(0, false, steps[i]);
		test_order(512, false, steps[i]);
		test_order(4096, true, steps[i]);
	}
	test_last_good();
	test_first_bytes();
	test_bundle_fails(false);
	test_bundle_fails(true);
	test_cancel();
	test_hash();
	sim_init(&sim);
	return check_done("install_stream");
}
