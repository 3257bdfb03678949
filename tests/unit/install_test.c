/* SPDX-License-Identifier: 0BSD */
#include "check.h"

#include "sim/bundle_double.h"
#include "sim/simdisk.h"
#include "slot/install.h"

#define ROOTFS (3 * 4096 + 700u)
#define KERNEL (2 * 4096 + 100u)
#define DISK 16384u
#define ENV 512u

static const char system_conf[] = "[system]\ncompatible=dev\nbootloader=uboot\n"
                                  "[slot.kernel.0]\ndevice=k\nparent=rootfs.0\n"
                                  "[slot.rootfs.0]\ndevice=r\nbootname=A\n";

static uint8_t rootfs[ROOTFS], kernel[KERNEL], old[DISK];
static struct sim sim;
static struct simdisk *disk[2], *env; /* rootfs, kernel */
static struct conf conf;
static struct plan plan;
static struct boot boot;
static struct install in;
static struct diag d;
static unsigned cancel_at, calls;
static enum install_phase phase_told; /* last */

static int progress(
    void *ctx, enum install_phase phase, uint64_t done, uint64_t total)
{
	static uint64_t last[PHASE_READ_BACK + 1];

	(void)ctx;
	CHECK(done <= total);
	CHECK(done == 0 || done >= last[phase]);
	last[phase] = done;
	phase_told = phase;
	return calls++ == cancel_at;
}

static void put_env(const char *order, unsigned left)
{
	uint8_t e[ENV] = {0};
	size_t n = 4;

	n += fmt((char *)e + n, 60, "BOOT_ORDER=%s", order) + 1;
	fmt((char *)e + n, 60, "BOOT_A_LEFT=%x", left);
	store_le32(e, crc32_update(0, e + 4, ENV - 4));
	sim_load(env, 0, e, ENV);
}

/* A device with an old system, and a bundle for it. */
static void machine(uint32_t sector)
{
	static const char *const names[] = {"A"};
	struct blk *store;

	for (size_t i = 0; i < sizeof rootfs; i++)
		rootfs[i] = (uint8_t)(i * 7 + i / 256 + 1);
	memset(rootfs + 8192, 0, 1024);
	for (size_t i = 0; i < sizeof kernel; i++)
		kernel[i] = (uint8_t)(i * 5 + i / 200 + 3);
	memset(old, 0xee, sizeof old);

	sim_init(&sim);
	for (unsigned i = 0; i < 2; i++) {
		disk[i] = sim_add(&sim, DISK, sector);
		sim_load(disk[i], 0, old, DISK);
	}
	env = sim_add(&sim, ENV, 512);
	put_env("A", 3);
	store = &env->blk;

	double_reset();
	memcpy(double_bundle.manifest.compatible, "dev", 4);
	double_add("rootfs", rootfs, sizeof rootfs);
	double_add("kernel", kernel, sizeof kernel);

	diag_clear(&d);
	CHECK_INT(
	    conf_parse(&conf, system_conf, sizeof system_conf - 1, &d), 0);
	memset(&boot, 0, sizeof boot);
	boot.defaults.p = "";
	CHECK_INT(boot_open(&boot, "uboot", &store, 1, names, 1, &d), 0);
	CHECK_INT(install_plan(&plan, &conf, NULL, &double_bundle.manifest,
	              &boot.state, "", &d),
	    0);
	in.bundle = &double_bundle;
	in.boot = &boot;
	in.conf = &conf;
	in.plan = &plan;
	in.target[0] = &disk[1]->blk;
	in.target[1] = &disk[0]->blk;
	in.progress = progress;
	cancel_at = UINT32_MAX;
	calls = 0;
	sim_start(&sim);
}

static bool untouched(void)
{
	return memcmp(disk[0]->now, old, DISK) == 0 &&
	       memcmp(disk[1]->now, old, DISK) == 0 &&
	       boot.state.name[0].attempts == 3;
}

static bool is_new(void)
{
	return memcmp(disk[0]->durable, rootfs, ROOTFS) == 0 &&
	       memcmp(disk[1]->durable, kernel, KERNEL) == 0;
}

static bool env_says(const char *text)
{
	return memcmp(env->durable + 4, text, strlen(text) + 1) == 0 &&
	       load_le32(env->durable) ==
	           crc32_update(0, env->durable + 4, ENV - 4);
}

static bool head_zero(unsigned i)
{
	return all_zero(disk[i]->durable, INSTALL_HEAD);
}

static void refused_untouched(int reason)
{
	diag_clear(&d);
	CHECK_INT(install_run(&in, &d), reason);
	CHECK_INT(d.reason, reason);
	CHECK(untouched());
	CHECK_INT(sim.writes, 0);
}

static void test_install(uint32_t sector, size_t pad_rootfs, size_t pad_kernel)
{
	enum slot_content content;

	machine(sector);
	bundle_double.step = 1000; /* reads come in any size */
	memcpy(boot.state.tries_id, "\1\2\3\4", 4);
	boot.state.tries = 1;
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_OTHER);
	CHECK_INT(install_run(&in, &d), 0);
	CHECK(is_new());
	CHECK_INT(sim.cached, 0);
	CHECK(all_zero(disk[0]->durable + ROOTFS, pad_rootfs));
	CHECK(all_zero(disk[1]->durable + KERNEL, pad_kernel));
	CHECK_MEM(disk[0]->durable + ROOTFS + pad_rootfs, old,
	    DISK - ROOTFS - pad_rootfs);
	CHECK_MEM(disk[1]->durable + KERNEL + pad_kernel, old,
	    DISK - KERNEL - pad_kernel);
	CHECK(env_says("BOOT_ORDER=A"));
	CHECK_INT(boot.state.name[0].attempts, 3);
	CHECK_INT(boot.state.primary, 0);
	CHECK_INT(boot.state.tries, 1);
	CHECK_MEM(boot.state.tries_id, "\1\2\3\4", 4);
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_SAME);
	CHECK_INT(d.reason, 0);

	conf.activate_installed = false;
	CHECK_INT(install_run(&in, &d), 0);
	CHECK(is_new());
	CHECK_INT(boot.state.name[0].attempts, 0);
	in.boot = NULL;
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_INT(boot.state.name[0].attempts, 0);
}

/* A device whose end is not a whole sector away: exact, nothing padded. */
static void test_exact_end(void)
{
	machine(4096);
	disk[0]->blk.size = ROOTFS;
	CHECK_INT(install_run(&in, &d), 0);
	CHECK(is_new());
	CHECK_MEM(disk[0]->durable + ROOTFS, old, DISK - ROOTFS);
}

static void test_small(void)
{
	static const uint8_t tiny[] = "a very small image";
	enum slot_content content;

	machine(512);
	double_bundle.manifest.images = 1;
	double_add("kernel", tiny, sizeof tiny);
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_MEM(disk[1]->durable, tiny, sizeof tiny);
	CHECK(all_zero(disk[1]->durable + sizeof tiny, 4096 - sizeof tiny));
	CHECK_MEM(disk[1]->durable + 4096, old, DISK - 4096);
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_SAME);

	machine(512);
	double_bundle.manifest.images = 1;
	double_add("kernel", tiny, sizeof tiny);
	disk[1]->blk.size = sizeof tiny;
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_MEM(disk[1]->durable, tiny, sizeof tiny);
	CHECK_MEM(disk[1]->durable + sizeof tiny, old, 100);

	/* An image that begins with 4 KiB of zeros is not half an install. */
	machine(512);
	memset(kernel, 0, 4096);
	double_bundle.manifest.images = 1;
	double_add("kernel", kernel, sizeof kernel);
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_SAME);
}

static void test_refusals(void)
{
	machine(512);
	double_bundle.verified = false;
	refused_untouched(R_LAST_GOOD);

	machine(512);
	bundle_double.open_fail = R_IMAGE_MISSING;
	refused_untouched(R_IMAGE_MISSING);
	bundle_double.open_fail = R_IMAGE_SIZE;
	refused_untouched(R_IMAGE_SIZE);

	machine(512);
	bundle_double.image[1].size = 100; /* ends early */
	refused_untouched(R_IMAGE_SIZE);

	for (unsigned i = 0; i < 2; i++) {
		machine(512);
		disk[i]->blk.size = i == 0 ? ROOTFS - 1 : KERNEL - 1;
		refused_untouched(R_TARGET_SMALL);
	}

	for (unsigned i = 0; i < 2; i++) {
		static struct blk_mem ro;

		machine(512);
		blk_mem_init_const(&ro, old, DISK);
		in.target[i] = &ro.blk;
		refused_untouched(R_TARGET_READ_ONLY);
	}

	/* An image the manifest's SHA-256 does not belong to. */
	machine(512);
	double_bundle.manifest.image[0].sha256[7] ^= 1;
	refused_untouched(R_IMAGE_HASH);

	/* No room in the environment, and none that can be written. */
	machine(512);
	memset(env->durable, 'x', ENV - 2);
	memcpy(env->durable + 4, "BOOT_ORDER=A\0var=", 17);
	env->durable[ENV - 2] = env->durable[ENV - 1] = 0;
	store_le32(env->durable, crc32_update(0, env->durable + 4, ENV - 4));
	sim_start(&sim);
	refused_untouched(R_BOOT_FULL);
}

/* Every read of the bundle fails once, in the unpacking sense. */
static void test_bundle_fails(void)
{
	for (unsigned half = 0; half < 2; half++)
		for (unsigned at = 0;; at++) {
			int r;

			machine(512);
			bundle_double.step = 2048;
			bundle_double.fail = R_SQFS_DECOMPRESS;
			bundle_double.fail_at = at;
			if (half) {
				memset(disk[0]->durable, 0, INSTALL_HEAD);
				put_env("A", 0);
				sim_start(&sim);
			}
			r = install_run(&in, &d);
			if (r == 0)
				break;
			CHECK_INT(r, R_SQFS_DECOMPRESS);
			CHECK_INT(d.reason, R_SQFS_DECOMPRESS);
			if (sim.writes == 0)
				continue;
			CHECK(head_zero(0) && head_zero(1));
			CHECK(env_says("BOOT_ORDER=A"));
			CHECK(env_says("BOOT_ORDER=A\0BOOT_A_LEFT=0"));
			CHECK_INT(boot.state.name[0].attempts, 0);
		}
}

/* With an intact slot the bundle is unpacked once before the first write, so
 * a malformed one is found while nothing is touched. */
static void test_unpacked_first(void)
{
	unsigned reads;

	machine(512);
	CHECK_INT(install_run(&in, &d), 0);
	reads = bundle_double.reads;
	machine(512);
	memset(disk[1]->durable, 0, INSTALL_HEAD);
	sim_start(&sim);
	CHECK_INT(install_run(&in, &d), 0);
	CHECK(bundle_double.reads < reads);

	machine(512);
	double_bundle.manifest.image[1].sha256[0] ^= 1;
	memset(disk[0]->durable, 0, INSTALL_HEAD);
	sim_start(&sim);
	CHECK_INT(install_run(&in, &d), R_IMAGE_HASH);
	CHECK(head_zero(0) && head_zero(1));
	CHECK_INT(boot.state.name[0].attempts, 0);
}

static void test_cancel(void)
{
	for (unsigned at = 0;; at++) {
		machine(512);
		cancel_at = at;
		diag_clear(&d);
		if (install_run(&in, &d) == 0) {
			CHECK(at > 8);
			break;
		}
		CHECK_INT(d.reason, R_CANCELLED);
		if (sim.writes == 0) {
			CHECK(untouched());
		} else {
			CHECK(head_zero(0) && head_zero(1));
			CHECK_INT(boot.state.name[0].attempts, 0);
			CHECK_INT(boot.state.primary, -1);
		}
		/* And again, to the end. */
		cancel_at = UINT32_MAX;
		CHECK_INT(install_run(&in, &d), 0);
		CHECK(is_new());
		CHECK_INT(boot.state.primary, 0);
	}
}

/* Every operation on every device fails once, in every way. */
static void test_faults(void)
{
	static const enum sim_fault faults[] = {FAULT_EIO, FAULT_SHORT,
	    FAULT_NO_SPACE, FAULT_PROTECTED, FAULT_ALTER, FAULT_LOSE};
	unsigned refused = 0, seen[200] = {0};

	for (size_t f = 0; f < ARRAY_LEN(faults); f++)
		for (unsigned at = 0;; at++) {
			int r;

			machine(512);
			sim.fault = faults[f];
			sim.fault_at = at;
			diag_clear(&d);
			r = install_run(&in, &d);
			if (sim.ops <= at)
				break;
			sim.fault_at = UINT32_MAX;
			if (r == 0) {
				/* Harmless, or a flush that lied: what is
				 * there is whole. */
				CHECK(
				    memcmp(disk[0]->now, rootfs, ROOTFS) == 0);
				CHECK(
				    memcmp(disk[1]->now, kernel, KERNEL) == 0);
				continue;
			}
			refused++;
			CHECK_INT(d.reason, r);
			seen[-r]++;
			CHECK(r == R_TARGET_WRITE || r == R_TARGET_FLUSH ||
			      r == R_TARGET_READBACK || r == R_BOOT_IO ||
			      r == R_TARGET_READ_ONLY);
			/* Whatever failed: nothing half is bootable. */
			if (!is_new() && !untouched() &&
			    boot.state.name[0].attempts != 0)
				CHECK(memcmp(disk[0]->now, old, DISK) == 0 &&
				      memcmp(disk[1]->now, old, DISK) == 0);
			diag_clear(&d);
			CHECK_INT(install_run(&in, &d), 0);
			CHECK(is_new());
			CHECK_INT(boot.state.primary, 0);
		}
	CHECK(refused > 60);
	CHECK(seen[-R_TARGET_WRITE] > 0);
	CHECK(seen[-R_TARGET_FLUSH] > 0);
	CHECK(seen[-R_TARGET_READBACK] > 0);
	CHECK(seen[-R_TARGET_READ_ONLY] > 0);
	CHECK(seen[-R_BOOT_IO] > 0);
}

/* One sector is altered behind our back, after the flush. */
static void test_altered_sector(void)
{
	unsigned caught = 0, checked = 0, ops;

	machine(512);
	/* Writes: mark, two zero heads in three parts, two bodies, two heads
	 * in three parts, mark. */
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_INT(sim.writes, 16);
	ops = sim.ops;
	for (unsigned at = 0; at < ops; at++) {
		int r;

		machine(512);
		sim.fault = FAULT_ALTER;
		sim.fault_at = at;
		diag_clear(&d);
		r = install_run(&in, &d);
		if (r == 0)
			continue;
		caught++;
		CHECK(r == R_TARGET_READBACK || r == R_BOOT_IO);
		if (r == R_TARGET_READBACK) {
			CHECK_INT(boot.state.name[0].attempts, 0);
			CHECK_INT(boot.state.primary, -1);
			CHECK(strstr(d.seen, "slot ") != NULL);
			checked += phase_told == PHASE_CHECK;
		}
	}
	/* Whose fault a body is takes as long to find out as a check, and
	 * nobody must take that for a standstill. */
	CHECK_INT(checked, 2);
	/* What was zeroed is written over later, and so is the sector that is
	 * altered of the heads' first parts; the other eight count. */
	CHECK_INT(caught, 8);
}

static void test_compare(void)
{
	enum slot_content content;

	machine(512);
	CHECK_INT(install_run(&in, &d), 0);
	for (unsigned i = 0; i < 2; i++) {
		size_t size = i == 0 ? ROOTFS : KERNEL;

		disk[i]->now[size - 1] ^= 1;
		CHECK_INT(install_compare(&in, &content, &d), 0);
		CHECK_INT(content, CONTENT_OTHER);
		disk[i]->now[size - 1] ^= 1;
		disk[i]->now[size] ^= 1; /* behind the image: not ours */
		CHECK_INT(install_compare(&in, &content, &d), 0);
		CHECK_INT(content, CONTENT_SAME);
		memset(disk[i]->now, 0, INSTALL_HEAD);
		CHECK_INT(install_compare(&in, &content, &d), 0);
		CHECK_INT(content, CONTENT_HALF);
		memcpy(disk[i]->now, i == 0 ? rootfs : kernel, INSTALL_HEAD);
	}
	disk[0]->blk.size = ROOTFS - 1;
	CHECK_INT(install_compare(&in, &content, &d), 0);
	CHECK_INT(content, CONTENT_OTHER);

	machine(512);
	CHECK_INT(install_run(&in, &d), 0);
	for (unsigned at = 0;; at++) {
		int r;

		sim_start(&sim);
		sim.fault = FAULT_EIO;
		sim.fault_at = at;
		diag_clear(&d);
		r = install_compare(&in, &content, &d);
		if (sim.ops <= at)
			break;
		/* a look at the head alone is made up for later */
		CHECK(r == R_TARGET_READBACK || r == R_TARGET_FLUSH ||
		      (r == 0 && content == CONTENT_SAME));
		CHECK_INT(d.reason, r);
	}
	sim_start(&sim);
	cancel_at = calls + 2;
	diag_clear(&d);
	CHECK_INT(install_compare(&in, &content, &d), R_CANCELLED);
}

static void test_head_empty(void)
{
	bool empty;

	machine(512);
	CHECK_INT(install_head_empty(&disk[0]->blk, &empty, &d), 0);
	CHECK(!empty);
	memset(disk[0]->now, 0, 4095);
	CHECK_INT(install_head_empty(&disk[0]->blk, &empty, &d), 0);
	CHECK(!empty);
	disk[0]->now[4095] = 0;
	CHECK_INT(install_head_empty(&disk[0]->blk, &empty, &d), 0);
	CHECK(empty);
	sim.fault = FAULT_EIO;
	sim.fault_at = sim.ops + 1;
	CHECK_INT(
	    install_head_empty(&disk[0]->blk, &empty, &d), R_TARGET_READBACK);
}

/* ---- a target larger than the simulated disks ---- */

#define BIG (9u << 20)

static uint8_t big_image[BIG], big_disk[BIG];
static uint64_t unflushed, most;

static int big_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	(void)b;
	memcpy(dst, big_disk + off, len);
	return 0;
}

static int big_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	(void)b;
	CHECK(len <= INSTALL_PIECE);
	CHECK_INT(off % (off < INSTALL_HEAD ? 512 : 4096), 0);
	memcpy(big_disk + off, src, len);
	unflushed += len;
	if (unflushed > most)
		most = unflushed;
	return 0;
}

static int big_flush(struct blk *b)
{
	(void)b;
	unflushed = 0;
	return 0;
}

static void test_flushes(void)
{
	static const struct blk_ops ops = {
	    big_read, big_write, big_flush, NULL};
	static struct blk big = {&ops, BIG, 512};
	uint64_t seed = 7;

	machine(512);
	for (size_t i = 0; i < BIG; i += 8) {
		uint64_t v = sim_random(&seed);

		memcpy(big_image + i, &v, 8);
	}
	double_bundle.manifest.images = 1;
	double_add("kernel", big_image, BIG);
	in.target[0] = &big;
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_MEM(big_disk, big_image, BIG);
	CHECK_INT(unflushed, 0);
	CHECK(most >= INSTALL_FLUSH && most < INSTALL_FLUSH + INSTALL_PIECE);
}

/* A write in the log, and that it was flushed before anything else. */
static const struct sim_entry *next_write(unsigned *n)
{
	const struct sim_entry *e;

	while (*n < sim.logged && sim.log[*n].flush)
		++*n;
	CHECK(*n + 1 < sim.logged);
	e = &sim.log[(*n)++];
	CHECK(sim.log[*n].flush && sim.log[*n].disk == e->disk);
	return e;
}

static void check_write(
    unsigned *n, unsigned disk_at, uint64_t at, const void *p, size_t len)
{
	const struct sim_entry *e = next_write(n);

	CHECK_INT(e->disk, disk_at);
	CHECK(e->at == at);
	CHECK_INT(e->len, len);
	CHECK_MEM(e->data, p, len);
}

/* head-last: what a system is known by goes first and comes last. */
static void test_head_order(void)
{
	static const uint8_t zero[INSTALL_HEAD];
	static const uint8_t *const image[] = {rootfs, kernel};
	uint8_t keyless[INSTALL_HEAD];
	unsigned n = 0;

	machine(512);
	sim.logging = true;
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_INT(next_write(&n)->disk, 2);
	for (unsigned i = 0; i < 2; i++) {
		check_write(&n, i, 0, zero, 512);
		check_write(&n, i, 1024, zero, 512);
		check_write(&n, i, 0, zero, INSTALL_HEAD);
	}
	CHECK_INT(next_write(&n)->disk, 1);
	CHECK_INT(next_write(&n)->disk, 0);
	for (unsigned i = 2; i-- > 0;) {
		memcpy(keyless, image[i], INSTALL_HEAD);
		memset(keyless, 0, 512);
		memset(keyless + 1024, 0, 512);
		check_write(&n, i, 0, keyless, INSTALL_HEAD);
		check_write(&n, i, 1024, image[i] + 1024, 512);
		check_write(&n, i, 0, image[i], 512);
	}
	CHECK_INT(next_write(&n)->disk, 2);

	/* A sector that holds all of it is not torn; a slot that ends within
	 * the second part has it written with the rest. */
	machine(4096);
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_INT(sim.writes, 8);
	CHECK(is_new());
	machine(0);
	double_bundle.manifest.images = 1;
	double_add("kernel", kernel, 1200);
	disk[1]->blk.size = 1200;
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_MEM(disk[1]->durable, kernel, 1200);
}

static char recorded[60];

/* P, O, F and how much had been written. */
static void record(void *ctx, enum status_kind kind)
{
	size_t n = strlen(recorded);

	(void)ctx;
	CHECK_INT(sim.cached, 0);
	fmt(recorded + n, sizeof recorded - n, "%c%u ", "POFA"[kind],
	    sim.writes);
}

static const struct blk_ops *below;
static bool cured;

static int deaf_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	return below->read(b, off, dst, len);
}

static int deaf_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	(void)b;
	(void)off;
	(void)src;
	(void)len;
	return R_IO;
}

static const struct blk_ops deaf = {deaf_read, deaf_write, NULL, NULL};

/* A block that cannot be read: the system reads it before it writes a part of
 * it, and a whole one cures it. */
static int torn_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	cured = cured || (off == 0 && len >= INSTALL_HEAD);
	if (off < INSTALL_HEAD && !cured)
		return R_IO;
	return below->write(b, off, src, len);
}

static int torn_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	return off < INSTALL_HEAD && !cured ? R_IO
	                                    : below->read(b, off, dst, len);
}

static int torn_flush(struct blk *b)
{
	return below->flush(b);
}

static void test_unreadable_head(void)
{
	static const struct blk_ops torn = {
	    torn_read, torn_write, torn_flush, torn_read};

	machine(512);
	below = disk[0]->blk.ops;
	disk[0]->blk.ops = &torn;
	CHECK_INT(install_run(&in, &d), 0);
	CHECK(cured);
	CHECK(is_new());
	CHECK_INT(boot.state.primary, 0);
}

/* bad-before-touched, good-after-durable: the status file too. */
static void test_record(void)
{
	in.record = record;
	machine(512);
	CHECK_INT(install_run(&in, &d), 0);
	CHECK_STR(recorded, "P1 O16 ");

	recorded[0] = '\0';
	machine(512);
	sim.fault = FAULT_EIO;
	sim.fault_at = sim.ops + 30;
	CHECK(install_run(&in, &d) != 0);
	CHECK(strncmp(recorded, "P1 F", 4) == 0);

	/* Nothing was touched: nothing is to be said. */
	recorded[0] = '\0';
	machine(512);
	env->blk.ops = &deaf;
	CHECK_INT(install_run(&in, &d), R_BOOT_IO);
	CHECK_STR(recorded, "");

	recorded[0] = '\0';
	machine(512);
	double_bundle.verified = false;
	refused_untouched(R_LAST_GOOD);
	CHECK_STR(recorded, "");
	in.record = NULL;
}

int main(void)
{
	test_install(0, 0, 0);
	test_install(512, 512 - ROOTFS % 512, 512 - KERNEL % 512);
	test_install(4096, 4096 - ROOTFS % 4096, 4096 - KERNEL % 4096);
	test_exact_end();
	test_small();
	test_refusals();
	test_bundle_fails();
	test_unpacked_first();
	test_cancel();
	test_faults();
	test_altered_sector();
	test_compare();
	test_head_empty();
	test_flushes();
	test_head_order();
	test_unreadable_head();
	test_record();
	sim_init(&sim);
	return check_done("install");
}
