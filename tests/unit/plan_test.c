/* SPDX-License-Identifier: 0BSD */
#include "check.h"

#include "base/fmt.h"
#include "slot/install.h"

#define SYSTEM "[system]\ncompatible=dev\nbootloader=uboot\n"
#define GROUP_A \
	"[slot.kernel.0]\ndevice=k0\nparent=rootfs.0\n" \
	"[slot.rootfs.0]\ndevice=r0\ntype=ext4\nbootname=A\n"
#define GROUP_B \
	"[slot.rootfs.1]\ndevice=r1\ntype=ext4\nbootname=B\n" \
	"[slot.kernel.1]\ndevice=k1\nparent=rootfs.1\n"

static struct conf c;
static struct manifest m;
static struct boot_state boot;
static struct plan p;
static struct limits limits; /* none but in their own tests */
static struct diag d;

static void conf(const char *text)
{
	diag_clear(&d);
	CHECK_INT(conf_parse(&c, text, strlen(text), &d), 0);
	memset(&boot, 0, sizeof boot);
	boot.valid = true;
	boot.primary = -1;
	for (unsigned i = 0; i < c.slots; i++) {
		if (c.slot[i].bootname[0] == '\0')
			continue;
		boot.name[boot.count].in_order = true;
		boot.name[boot.count].attempts = 3;
		boot.count++;
	}
}

static struct manifest_image *image(
    const char *cls, enum image_type type, const char *variant)
{
	struct manifest_image *im = &m.image[m.images++];

	memset(im, 0, sizeof *im);
	fmt(im->slotclass, sizeof im->slotclass, "%s", cls);
	fmt(im->filename, sizeof im->filename, "%s.img", cls);
	fmt(im->variant, sizeof im->variant, "%s", variant);
	fmt(im->type_name, sizeof im->type_name, "type%d", (int)type);
	im->type = type;
	return im;
}

static void bundle(void)
{
	memset(&m, 0, sizeof m);
	memcpy(m.compatible, "dev", 4);
	memcpy(m.version, "1.0", 4);
	m.format = FORMAT_VERITY;
}

static void kernel_and_rootfs(void)
{
	bundle();
	image("rootfs", IMAGE_EXT4, "");
	image("kernel", IMAGE_RAW, "");
}

static int plan(const char *booted)
{
	diag_clear(&d);
	return install_plan(&p, &c, &limits, &m, &boot, booted, &d);
}

static void refused(int reason, const char *about)
{
	CHECK_INT(plan(""), reason);
	CHECK_INT(d.reason, reason);
	if (!strstr(d.seen, about))
		CHECK_STR(d.seen, about);
}

/* The group whose root this is, its items in the order kernel, rootfs. */
static void planned(const char *booted, const char *root, const char *kernel)
{
	CHECK_INT(plan(booted), 0);
	CHECK_STR(c.slot[p.root].name, root);
	CHECK_INT(p.count, 2);
	CHECK_STR(c.slot[p.item[0].slot].name, kernel);
	CHECK_STR(c.slot[p.item[1].slot].name, root);
	CHECK_STR(m.image[p.item[0].image].slotclass, "kernel");
	CHECK_INT(p.boot_name, strcmp(root, "rootfs.1") == 0 ? 1 : 0);
}

static void test_choice(void)
{
	conf(SYSTEM GROUP_A);
	kernel_and_rootfs();
	planned("", "rootfs.0", "kernel.0");

	conf(SYSTEM GROUP_A GROUP_B);
	planned("", "rootfs.0", "kernel.0");
	planned("A", "rootfs.1", "kernel.1");
	planned("B", "rootfs.0", "kernel.0");
	planned("rootfs.0", "rootfs.1", "kernel.1");
	planned("kernel.1", "rootfs.0", "kernel.0");
	boot.primary = 0;
	planned("", "rootfs.1", "kernel.1");
	boot.name[0].attempts = 0; /* would not boot: nothing is lost */
	boot.primary = 1;
	planned("", "rootfs.0", "kernel.0");
	boot.name[0].attempts = 3;
	boot.name[1].in_order = false;
	boot.primary = 0;
	planned("", "rootfs.1", "kernel.1");

	conf(SYSTEM GROUP_A);
	CHECK_INT(plan("A"), R_NO_TARGET);
	CHECK(strstr(d.seen, "rootfs.0") != NULL);
	CHECK_INT(plan("Z"), R_NO_TARGET);
	CHECK(strstr(d.seen, "\"Z\"") != NULL);

	/* A recovery group in system.conf takes none of these images. */
	conf(SYSTEM "[slot.rescue.0]\ndevice=x\nbootname=R\n" GROUP_A);
	CHECK_INT(plan("R"), 0);
	CHECK_STR(c.slot[p.root].name, "rootfs.0");
	CHECK_INT(p.boot_name, 1);
	bundle();
	image("rescue", IMAGE_RAW, "");
	CHECK_INT(plan("R"), R_NO_TARGET);
}

static void test_partial(void)
{
	conf(SYSTEM GROUP_A GROUP_B);
	bundle();
	image("kernel", IMAGE_RAW, "");
	CHECK_INT(plan("A"), 0);
	CHECK_INT(p.count, 1);
	CHECK_STR(c.slot[p.item[0].slot].name, "kernel.1");
	CHECK_STR(c.slot[p.root].name, "rootfs.1");
	CHECK_INT(p.boot_name, 1);
}

static void test_outside(void)
{
	/* One slot that belongs to nobody serves all groups. */
	conf(SYSTEM GROUP_A GROUP_B "[slot.fpga.0]\ndevice=f\n");
	kernel_and_rootfs();
	image("fpga", IMAGE_RAW, "");
	CHECK_INT(plan(""), 0);
	CHECK_INT(p.count, 3);
	CHECK_STR(c.slot[p.item[1].slot].name, "fpga.0");
	CHECK_STR(c.slot[p.item[2].slot].name, "rootfs.0");

	bundle();
	image("fpga", IMAGE_RAW, "");
	CHECK_INT(plan("A"), 0);
	CHECK_INT(p.boot_name, -1);
	CHECK_STR(c.slot[p.root].name, "fpga.0");

	/* Two of them would be a guess. */
	conf(SYSTEM "[slot.kernel.0]\ndevice=k0\n[slot.kernel.1]\ndevice=k1\n"
	            "[slot.rootfs.0]\ndevice=r0\nbootname=A\n"
	            "[slot.rootfs.1]\ndevice=r1\nbootname=B\n");
	kernel_and_rootfs();
	refused(R_NO_SLOT_CLASS, "kernel");

	conf(SYSTEM GROUP_A);
	bundle();
	image("rootfs", IMAGE_EXT4, "");
	image("app", IMAGE_RAW, "");
	refused(R_NO_SLOT_CLASS, "app");
	bundle();
	image("app", IMAGE_RAW, "");
	refused(R_NO_SLOT_CLASS, "app");
}

static void test_noop(void)
{
	conf("[system]\ncompatible=dev\nbootloader=noop\n"
	     "[slot.rootfs.0]\ndevice=r\n[slot.kernel.0]\ndevice=k\n"
	     "parent=rootfs.0\n");
	bundle();
	image("rootfs", IMAGE_RAW, "");
	image("kernel", IMAGE_RAW, "");
	diag_clear(&d);
	CHECK_INT(install_plan(&p, &c, &limits, &m, NULL, "", &d), 0);
	CHECK_INT(p.boot_name, -1);
	CHECK_INT(p.count, 2);
	CHECK_STR(c.slot[p.item[1].slot].name, "rootfs.0");
	CHECK_INT(plan(""), 0);
	CHECK_INT(p.boot_name, -1);
	CHECK_INT(p.count, 2);
	CHECK_INT(plan("kernel.0"), R_NO_TARGET);

	/* Without parents, where a class leaves no choice. */
	conf("[system]\ncompatible=dev\nbootloader=noop\n"
	     "[slot.rootfs.0]\ndevice=r\ntype=ext4\n"
	     "[slot.kernel.0]\ndevice=k\n");
	kernel_and_rootfs();
	CHECK_INT(plan(""), 0);
	CHECK_INT(p.count, 2);
	CHECK_STR(c.slot[p.root].name, "rootfs.0");

	/* bootnames may be there all the same. */
	conf(SYSTEM GROUP_A GROUP_B);
	kernel_and_rootfs();
	CHECK_INT(install_plan(&p, &c, &limits, &m, NULL, "A", &d), 0);
	CHECK_STR(c.slot[p.root].name, "rootfs.1");
}

static void test_refusals(void)
{
	conf(SYSTEM GROUP_A);
	kernel_and_rootfs();
	memcpy(m.compatible, "Dev", 4);
	refused(R_COMPATIBLE, "\"Dev\"");
	memcpy(m.compatible, "dev ", 5);
	refused(R_COMPATIBLE, "\"dev \"");

	kernel_and_rootfs();
	memcpy(m.wants_code, "[hooks] filename=hook.sh", 25);
	refused(R_MANIFEST_HOOK, "hook.sh");

	bundle();
	refused(R_IMAGE_NONE, "");

	conf(SYSTEM "min-bundle-version=1.2\n" GROUP_A);
	kernel_and_rootfs();
	memcpy(m.version, "1.1.9", 6);
	refused(R_MANIFEST_VERSION, "1.1.9");
	memcpy(m.version, "1.2.0", 6);
	CHECK_INT(plan(""), 0);
	memcpy(m.version, "1.10", 5);
	CHECK_INT(plan(""), 0);
	m.version[0] = '\0';
	refused(R_MANIFEST_VERSION, "no version");
	memcpy(m.version, "spring", 7);
	refused(R_MANIFEST_VERSION, "");

	conf(SYSTEM "[slot.rootfs.0]\ndevice=r\ntype=ext4\nbootname=A\n"
	            "readonly=true\n");
	bundle();
	image("rootfs", IMAGE_EXT4, "");
	refused(R_TARGET_READ_ONLY, "rootfs.0");
}

/* Hooks that the owner does not need run; a bundle that has more is refused,
 * by their names. */
static void test_hooks(void)
{
	struct settings s;

	conf(SYSTEM GROUP_A);
	kernel_and_rootfs();
	memcpy(m.wants_code, "[hooks] filename=hook.sh", 25);
	m.code = CODE_FILE | CODE_INSTALL_CHECK;
	refused(R_MANIFEST_HOOK,
	    "[hooks] filename=hook.sh: ignore-hooks does not name "
	    "install-check");
	m.code |= CODE_POST_INSTALL;
	refused(R_MANIFEST_HOOK,
	    "[hooks] filename=hook.sh: not run here: post-install");
	m.code = CODE_FILE; /* no hook is in it */
	CHECK_INT(plan(""), 0);
	m.code |= CODE_INSTALL_CHECK;
	settings_default(&s);
	s.ignore_hooks = CODE_PRE_INSTALL;
	limits_init(&limits, &s);
	refused(R_MANIFEST_HOOK, "ignore-hooks does not name install-check");
	s.ignore_hooks |= CODE_INSTALL_CHECK;
	limits_init(&limits, &s);
	CHECK_INT(plan(""), 0);
	m.code |= CODE_PRE_INSTALL;
	CHECK_INT(plan(""), 0);
	m.code |= CODE_POST_INSTALL;
	refused(R_MANIFEST_HOOK, "not run here: post-install");
	m.code = CODE_FILE | CODE_INSTALL;
	refused(R_MANIFEST_HOOK, "not run here: install");
	m.code = CODE_HANDLER;
	refused(R_MANIFEST_HOOK, "not run here: handler");
	m.code = 0; /* something that has no word yet */
	refused(R_MANIFEST_HOOK, "hook.sh");
	memset(&limits, 0, sizeof limits);
}

/* The higher floor wins, and with a floor every version has to be one. */
static void test_floor(void)
{
	static const struct {
		const char *version;
		int reason;
	} cases[] = {
	    {"2.0", 0},
	    {"2.0.0+build", 0},
	    {"2.0.1-rc.1", 0},
	    {"10", 0},
	    {"1.99", R_MANIFEST_VERSION},
	    {"2.0.0-rc.1", R_MANIFEST_VERSION},
	    {"spring", R_MANIFEST_VERSION},
	    {"3.x", R_MANIFEST_VERSION},
	    {"", R_MANIFEST_VERSION},
	};
	static const char *const floors[][2] = {{"1.5", "2.0"}, {"2", "1.5"}};
	struct settings s;

	conf(SYSTEM GROUP_A);
	kernel_and_rootfs();
	memcpy(m.version, "spring", 7);
	CHECK_INT(plan(""), 0);
	for (size_t f = 0; f < ARRAY_LEN(floors); f++) {
		settings_default(&s);
		fmt(s.min_version, sizeof s.min_version, "%s", floors[f][0]);
		limits_init(&limits, &s);
		CHECK_STR(limits.floor, floors[f][0]);
		CHECK_INT(limits_raise(&limits, floors[f][1], "B", &d), 0);
		CHECK_STR(limits.floor_by,
		    f == 0 ? "B" : "min-version of lifeboat.conf");
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			fmt(m.version, sizeof m.version, "%s",
			    cases[i].version);
			CHECK_INT(plan(""), cases[i].reason);
		}
		memcpy(m.version, "1.9", 4);
		refused(R_MANIFEST_VERSION, limits.floor_by);
		CHECK_INT(limits_raise(&limits, "winter", "C", NULL),
		    R_MANIFEST_VERSION);
		CHECK(limits.floor_by[0] != 'C');
		/* both are asked: RAUC's key is no floor's ceiling */
		conf(SYSTEM "min-bundle-version=3\n" GROUP_A);
		memcpy(m.version, "2.5", 4);
		refused(R_MANIFEST_VERSION, "system.conf");
		conf(SYSTEM GROUP_A);
	}
	/* as a development image may */
	s.ignore_floor = true;
	limits_init(&limits, &s);
	memcpy(m.version, "0.1", 4);
	CHECK_INT(plan(""), 0);
	memset(&limits, 0, sizeof limits);
}

static void test_types(void)
{
	static const char *const slots[4] = {"raw", "ext4", "vfat", "ubivol"};
	/* RAUC's table, for what is written here. */
	static const bool takes[5][4] = {
	    [IMAGE_RAW] = {1, 1, 1, 0},
	    [IMAGE_EXT4] = {1, 1, 0, 0},
	    [IMAGE_VFAT] = {1, 0, 1, 0},
	    [IMAGE_SQUASHFS] = {1, 0, 0, 0},
	    [IMAGE_OTHER] = {0, 0, 0, 0},
	};

	for (unsigned s = 0; s < 4; s++)
		for (unsigned i = 0; i < 5; i++) {
			char text[256];

			fmt(text, sizeof text,
			    SYSTEM "[slot.rootfs.0]\ndevice=r\n"
			           "bootname=A\ntype=%s\n",
			    slots[s]);
			conf(text);
			bundle();
			image("rootfs", (enum image_type)i, "");
			if (takes[i][s])
				CHECK_INT(plan(""), 0);
			else
				refused(R_IMAGE_TYPE, slots[s]);
		}
}

static void test_variants(void)
{
	conf(SYSTEM GROUP_A);
	bundle();
	image("rootfs", IMAGE_EXT4, "big");
	image("rootfs", IMAGE_EXT4, "");
	image("kernel", IMAGE_RAW, "");
	CHECK_INT(plan(""), 0);
	CHECK_INT(p.count, 2);
	CHECK_INT(p.item[1].image, 1);

	bundle();
	image("kernel", IMAGE_RAW, "");
	image("rootfs", IMAGE_EXT4, "big");
	refused(R_NO_SLOT_CLASS, "rootfs.big");
}

int main(void)
{
	test_choice();
	test_partial();
	test_outside();
	test_noop();
	test_refusals();
	test_hooks();
	test_floor();
	test_types();
	test_variants();
	return check_done("plan");
}
