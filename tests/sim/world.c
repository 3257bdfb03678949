/* SPDX-License-Identifier: 0BSD */
/* What a device of a scenario is made of; rig.c is what it does. */
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "rig.h"
#include "worker/installer.h"

#define world rig_world

const char *const rig_env_name[RIG_ENVS] = {
    [ENV_NONE] = "noop",
    [ENV_SINGLE] = "single",
    [ENV_REDUNDANT] = "redundant",
    [ENV_HALF] = "redundant-half",
    [ENV_NOR] = "redundant-nor",
    [ENV_OWN_SINGLE] = "own-single",
    [ENV_OWN] = "own-redundant",
    [ENV_NOR_SINGLE] = "single-nor",
};

static bool is_single(enum rig_env env)
{
	return env == ENV_SINGLE || env == ENV_OWN_SINGLE ||
	       env == ENV_NOR_SINGLE;
}

bool scenario_valid(const struct scenario *s)
{
	bool noop = s->env == ENV_NONE;

	/* bootloader=noop goes with a loader without environment, which starts
	 * the first group and no other; so does a boot count. */
	if (noop != (s->loader == LOADER_NOOP))
		return false;
	if (!model_loader[s->loader].order && s->groups == GROUPS_TWO)
		return false;
	/* Without an environment there are no attempts to use up. */
	if (noop && (s->start == START_EXHAUSTED || s->start == START_REARM))
		return false;
	if (s->start == START_REARM && s->groups != GROUPS_ONE)
		return false;
	return true;
}

static void scenario_at(unsigned long n, struct scenario *s)
{
#define DIGIT(field, type, count) \
	do { \
		s->field = (type)(n % (count)); \
		n /= (count); \
	} while (0)
	memset(s, 0, sizeof *s);
	DIGIT(env, enum rig_env, RIG_ENVS);
	DIGIT(loader, enum loader_kind, LOADERS);
	DIGIT(start, enum rig_start, RIG_STARTS);
	DIGIT(store, enum rig_store, RIG_STORES);
	DIGIT(kind, enum rig_kind, RIG_KINDS);
	DIGIT(classes, enum rig_classes, RIG_CLASSES);
	DIGIT(groups, enum rig_groups, RIG_GROUPS);
	DIGIT(shared, bool, 2);
	DIGIT(stream, bool, 2);
	s->sector = n % 2 ? 4096 : 512;
#undef DIGIT
}

bool scenario_next(unsigned long *n, struct scenario *s)
{
	const unsigned long all = (unsigned long)RIG_ENVS * LOADERS *
	                          RIG_STARTS * RIG_STORES * RIG_KINDS *
	                          RIG_CLASSES * RIG_GROUPS * 2 * 2 * 2;

	while (*n < all) {
		/* a prime that divides none of the counts */
		scenario_at(*n * 1000003 % all, s);
		++*n;
		if (scenario_valid(s))
			return true;
	}
	return false;
}

void scenario_print(const struct scenario *s, char *dst, size_t cap)
{
	static const char *const start[] = {"upgrade", "exhausted", "fresh",
	    "reinstall", "rearm", "interrupted"};
	static const char *const kind[] = {
	    "first", "ext4", "ext4-boot", "chain", "changed"};
	static const char *const store[] = {"none", "empty", "old", "damaged"};
	static const char *const classes[] = {
	    "rootfs", "kernel+rootfs", "small-kernel+rootfs"};
	static const char *const groups[] = {"A", "A+B", "A+B-runs"};

	snprintf(dst, cap,
	    "%s, %s, %s, groups %s, %s, status %s, %s, sector %u, %s%s",
	    rig_env_name[s->env], model_loader[s->loader].name,
	    classes[s->classes], groups[s->groups],
	    s->shared ? "one disk" : "several disks", store[s->store],
	    start[s->start], s->sector, kind[s->kind],
	    s->stream ? ", stream" : "");
}

/* ---- images ---- */

static void fill(uint8_t *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(sim_random(&seed) | 1);
}

/* Makes of random bytes what is recognised as it should be. */
static void dress(uint8_t *p, enum rig_kind kind, bool before)
{
	switch (kind) {
	case KIND_FIRST:
	case KIND_CHAIN:
		return;
	case KIND_EXT4:
		memset(p, 0, 1024);
		return;
	case KIND_EXT4_BOOT:
		memset(p + 512, 0, 512);
		return;
	case KIND_CHANGED:
		if (before) {
			memcpy(p, "hsqs", 4);
			memset(p + 1080, 0x11, 2);
		} else {
			memset(p, 0, 1024);
			memcpy(p + 1080, "\x53\xef", 2);
		}
		return;
	case RIG_KINDS:
		break;
	}
}

void rig_images(const struct scenario *s, uint8_t *rootfs, size_t *rootfs_size,
    uint8_t *kernel, size_t *kernel_size)
{
	*rootfs_size = 4096 + 2048 + 700;
	*kernel_size = s->classes == CLASSES_SMALL_KERNEL ? 1300 : 4096 + 1300;
	fill(rootfs, RIG_SLOT, 1);
	fill(kernel, RIG_SLOT, 2);
	memset(rootfs + 4608, 0, 512);
	dress(rootfs, s->kind, false);
}

/* ---- a device before the first run ---- */

static bool two(void)
{
	return world.sc.groups != GROUPS_ONE;
}

static void configure(void)
{
	char text[512];
	struct diag d = {0};
	size_t n = fmt(text, sizeof text,
	    "[system]\ncompatible=dev\nbootloader=%s\n"
	    "[slot.rootfs.0]\ndevice=a\nbootname=A\n"
	    "[slot.kernel.0]\ndevice=b\nparent=rootfs.0\n",
	    world.sc.env == ENV_NONE ? "noop" : "uboot");

	if (two())
		n += fmt(text + n, sizeof text - n,
		    "[slot.rootfs.1]\ndevice=c\nbootname=B\n"
		    "[slot.kernel.1]\ndevice=d\nparent=rootfs.1\n");
	if (conf_parse(&world.conf, text, n, &d) != 0)
		fprintf(stderr, "rig: %s\n", d.seen);
	world.names = two() ? 2 : 1;
	world.booted = world.sc.groups == GROUPS_BOOTED ? "B" : "";
	world.copies = world.sc.env == ENV_NONE  ? 0
	               : is_single(world.sc.env) ? 1
	                                         : 2;
}

/* What is before fills a sector, so that the rest lies in the next one. */
static void make_env(unsigned i, uint8_t flag, const char *text)
{
	const char *count =
	    world.sc.loader != LOADER_BOOTCOUNT ? ""
	    : world.sc.start == START_UPGRADE
	        ? "upgrade_available=1;bootlimit=3;bootcount=1;"
	        : "upgrade_available=1;bootlimit=3;bootcount=4;";
	uint8_t *e = world.env[i];
	size_t head = world.copies == 2 ? 5 : 4;
	size_t n = fmt((char *)e + head, RIG_ENV - head,
	    "keep=%0460u;%s;also=kept;%s", 1u, text, count);

	for (size_t k = 0; k < n; k++)
		if (e[head + k] == ';')
			e[head + k] = 0;
	if (head == 5)
		e[4] = flag;
	store_le32(e, crc32_update(0, e + head, RIG_ENV - head));
}

static void make_envs(void)
{
	const char *good = two() ? "BOOT_ORDER=A B;BOOT_A_LEFT=3;BOOT_B_LEFT=3"
	                         : "BOOT_ORDER=A;BOOT_A_LEFT=3";
	const char *out = two() ? "BOOT_ORDER=B A;BOOT_A_LEFT=0;BOOT_B_LEFT=2"
	                        : "BOOT_ORDER=A;BOOT_A_LEFT=0";
	bool nor = world.sc.env == ENV_NOR || world.sc.env == ENV_NOR_SINGLE;

	memset(world.env, nor ? 0xff : 0, sizeof world.env);
	if (world.sc.start == START_FRESH || world.copies == 0)
		return; /* erased: no copy is valid */
	memset(world.env, 0, sizeof world.env);
	make_env(0, 1, world.sc.start == START_UPGRADE ? good : out);
	if (world.copies == 2 && world.sc.env != ENV_HALF)
		make_env(1, 0, good);
}

static void make_slots(void)
{
	for (unsigned i = 0; i < RIG_SLOTS; i++) {
		uint8_t *p = world.before[i];
		const struct rig_image *im = &world.image[i % 2];

		fill(p, RIG_SLOT, 100 + i);
		if (i % 2 == 0)
			dress(p, world.sc.kind, true);
		if (!world.target[i])
			continue;
		if (world.sc.start == START_FRESH)
			memset(p, 0, RIG_SLOT);
		if (world.sc.start == START_REINSTALL ||
		    world.sc.start == START_REARM)
			memcpy(p, im->p, im->size);
		if (world.sc.start == START_INTERRUPTED)
			memset(p, 0, INSTALL_HEAD);
	}
}

static void make_data(void)
{
	static const char old[] =
	    "# of the device's maker\n"
	    "[slot.rootfs.0]\nbundle.version=0.9\nstatus=ok\n"
	    "sha256=0000000000000000000000000000000000000000000000000000000000"
	    "000001\nsize=12288\n"
	    "installed.timestamp=2025-01-02T03:04:05Z\ninstalled.count=2\n\n"
	    "[slot.rootfs.1]\nbundle.version=0.8\nstatus=ok\n"
	    "sha256=0000000000000000000000000000000000000000000000000000000000"
	    "000002\nsize=12288\n\n"
	    "[recovery]\nkeep=me\n";
	static const char damaged[] = "[slot.rootfs.0\n\1\2status=ok\n";
	bool is_old = world.sc.store == STORE_OLD;

	world.data_size = (size_t)simfile_size(world.sc.sector);
	simfile_format(world.data, world.sc.sector,
	    is_old                            ? old
	    : world.sc.store == STORE_DAMAGED ? damaged
	                                      : NULL,
	    is_old ? sizeof old - 1 : sizeof damaged - 1);
}

/* Where only one copy of the environment is, or none is valid and it is not
 * ours to make, the choice of the group may change, and either of two may be
 * meant. */
static void choose_targets(void)
{
	bool a = true, b = false, either;

	if (world.sc.groups == GROUPS_TWO) {
		either =
		    is_single(world.sc.env) ||
		    (world.sc.env == ENV_OWN && world.sc.start == START_FRESH);
		b = either || world.sc.start == START_UPGRADE;
		a = either || !b;
	}
	for (unsigned i = 0; i < RIG_SLOTS; i++)
		world.target[i] =
		    (i < 2 ? a : b) && (i % 2 == 0 || world.image[1].p);
}

static void hash_image(struct rig_image *im)
{
	const struct manifest *m = &self.bundle.manifest;

	for (unsigned i = 0; i < m->images; i++)
		if (m->image[i].size == im->size)
			hex_encode(im->sha256, m->image[i].sha256, 32);
}

void rig_world_make(const struct scenario *s, const struct rig_image *rootfs,
    const struct rig_image *kernel)
{
	memset(&world, 0, sizeof world);
	world.env_before = MODEL_UNLOADED;
	world.sc = *s;
	world.image[0] = *rootfs;
	if (kernel)
		world.image[1] = *kernel;
	hash_image(&world.image[0]);
	hash_image(&world.image[1]);
	configure();
	choose_targets();
	make_slots();
	make_envs();
	make_data();
}

static void window(struct rig *r, struct blk_window *w, unsigned *disk,
    uint64_t *at, uint64_t size, uint64_t stride)
{
	struct blk *b = &r->sim.disk[world.sc.shared ? 0 : (*disk)++].blk;

	if (blk_window_init(w, b, *at, size) != 0)
		fprintf(stderr, "rig: the disk is too small\n");
	*at += world.sc.shared ? stride : 0;
}

void rig_build(struct rig *r)
{
	uint32_t sector = world.sc.sector;
	uint64_t env = sector > 1024 ? sector : 1024, at = 0;
	unsigned disk = 0;

	sim_init(&r->sim);
	r->env_was_lost = false;
	if (world.sc.shared) {
		sim_add(
		    &r->sim, 4 * RIG_SLOT + 2 * env + world.data_size, sector);
	} else {
		for (unsigned i = 0; i < RIG_SLOTS; i++)
			sim_add(&r->sim, RIG_SLOT, sector);
		for (unsigned i = 0; i < 2; i++)
			sim_add(&r->sim, env, sector);
		sim_add(&r->sim, world.data_size, sector);
	}
	for (unsigned i = 0; i < RIG_SLOTS; i++) {
		window(r, &r->slot[i], &disk, &at, RIG_SLOT, RIG_SLOT);
		sim_load((struct simdisk *)r->slot[i].below, r->slot[i].off,
		    world.before[i], RIG_SLOT);
	}
	for (unsigned i = 0; i < 2; i++) {
		window(r, &r->env[i], &disk, &at, RIG_ENV, env);
		sim_load((struct simdisk *)r->env[i].below, r->env[i].off,
		    world.env[i], RIG_ENV);
	}
	window(r, &r->data, &disk, &at, world.data_size, world.data_size);
	sim_load((struct simdisk *)r->data.below, r->data.off, world.data,
	    world.data_size);
	sim_start(&r->sim);
}
