/* SPDX-License-Identifier: 0BSD */
/*
 * The power fails at every operation of an install, and every choice is made
 * of what the disks' caches still brought to the medium. After each cut the
 * boot loader model must come to a whole system or to recovery, a second run
 * must end in the new system, and a third must change nothing.
 *
 * Deliberately wrong installers go through the same mill, and each must be
 * caught: a proof that cannot fail is none.
 *
 * powercut_test [RANDOM]: RANDOM is how many random subsets of the cache are
 * tried at each operation (24).
 */
#include "check.h"

#include <stdlib.h>
#include <time.h>

#include "bootmodel.h"
#include "bundle_double.h"
#include "simdisk.h"
#include "slot/install.h"

#define SLOT 12288u
#define ROOTFS (2 * 4096 + 2700u)
#define KERNEL (4096 + 1300u)
#define ENV 1024u
#define STATES (1u << 16)

enum env_kind { ENV_SINGLE, ENV_REDUNDANT, ENV_NOR };
enum start {
	START_UPGRADE,     /* an old system, boots */
	START_EXHAUSTED,   /* an old system, attempts used up */
	START_FRESH,       /* empty slots, no environment */
	START_REINSTALL,   /* the new system already, marked bad */
	START_INTERRUPTED, /* zero heads, marked bad */
	STARTS,
};

struct scenario {
	enum env_kind env;
	unsigned classes; /* 1: rootfs; 2: kernel and rootfs */
	unsigned groups;  /* 1: A and recovery; 2: A and B */
	bool shared;      /* all on one disk with one cache */
	enum start start;
};

/* What is wrong with the installer. */
enum mutant {
	MUTANT_NONE,
	MUTANT_NO_FLUSH,        /* slots are never flushed */
	MUTANT_HEADS_UNFLUSHED, /* active before the heads are durable */
	MUTANT_HEAD_FIRST,      /* the head before the body */
	MUTANT_HEADS_SWAPPED,   /* the bootable head before the others */
	MUTANT_NO_MARK_BAD,
	MUTANT_ORDER_EMPTIED, /* mark-bad leaves an empty BOOT_ORDER */
	MUTANT_EARLY_ACTIVE,  /* active when it should be marked bad */
	MUTANT_ENV_UNFLUSHED, /* slots are touched before the mark is durable */
	MUTANT_NO_READ_BACK,
	MUTANTS,
};

static const char *const mutant_name[MUTANTS] = {
    [MUTANT_NO_FLUSH] = "slots never flushed",
    [MUTANT_HEADS_UNFLUSHED] = "active before the heads are flushed",
    [MUTANT_HEAD_FIRST] = "head first",
    [MUTANT_HEADS_SWAPPED] = "heads in the wrong order",
    [MUTANT_NO_MARK_BAD] = "mark-bad missing",
    [MUTANT_ORDER_EMPTIED] = "boot order emptied by mark-bad",
    [MUTANT_EARLY_ACTIVE] = "active from the beginning",
    [MUTANT_ENV_UNFLUSHED] = "environment never flushed",
    [MUTANT_NO_READ_BACK] = "no read-back",
};

/* A blk between installer and disk that does a mutant's mischief. */
struct mischief {
	struct blk blk;
	struct blk *below;
	enum mutant mutant;
	const uint8_t *image; /* what the slot is to hold */
	bool head_written;
};

/* Slots: rootfs.0, kernel.0, rootfs.1, kernel.1. */
struct machine {
	struct sim sim;
	struct blk_window slot[4], env[2];
	struct mischief bad[4], bad_env[2];
};

static uint8_t rootfs[SLOT], kernel[SLOT], old[4][SLOT];
static struct machine first, again;
static struct scenario sc;
static struct conf conf;
static struct plan plan;
static struct boot boot;
static struct install in;
static unsigned bricks; /* what the oracle did not accept */
static bool loud;       /* a brick is a failed test */
static unsigned long cuts, distinct, torn_and_lost;
static uint64_t seen[STATES];
static unsigned random_subsets = 24;

static const char *const names[] = {"A", "B"};

/* ---- the machine ---- */

static void fill(uint8_t *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(sim_random(&seed) | 1);
}

static size_t image_size(unsigned slot)
{
	return slot % 2 == 0 ? ROOTFS : KERNEL;
}

static const uint8_t *image(unsigned slot)
{
	return slot % 2 == 0 ? rootfs : kernel;
}

static struct simdisk *add_disk(struct machine *m, uint64_t size)
{
	return sim_add(&m->sim, size, 512);
}

/* Windows onto the disks, in the same places for equal scenarios. */
static void wire(struct machine *m)
{
	unsigned disk = 0;
	uint64_t at = 0;

	for (unsigned i = 0; i < 4; i++) {
		struct blk *b = &m->sim.disk[sc.shared ? 0 : disk++].blk;

		CHECK_INT(blk_window_init(&m->slot[i], b, at, SLOT), 0);
		at += sc.shared ? SLOT : 0;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct blk *b = &m->sim.disk[sc.shared ? 0 : disk++].blk;

		CHECK_INT(blk_window_init(&m->env[i], b, at, ENV), 0);
		at += sc.shared ? ENV : 0;
	}
}

static uint8_t *durable(const struct blk_window *w)
{
	return ((struct simdisk *)w->below)->durable + w->off;
}

static unsigned copies(void)
{
	return sc.env == ENV_SINGLE ? 1 : 2;
}

static void load_env(
    struct machine *m, unsigned i, uint8_t flag, const char *text, size_t n)
{
	uint8_t e[ENV] = {0};
	size_t head = copies() == 2 ? 5 : 4;

	memcpy(e + head, text, n);
	if (head == 5)
		e[4] = flag;
	store_le32(e, crc32_update(0, e + head, ENV - head));
	sim_load((struct simdisk *)m->env[i].below, m->env[i].off, e, ENV);
}

static void load_envs(struct machine *m)
{
	static const char good_a[] = "keep=1\0BOOT_ORDER=A B\0BOOT_A_LEFT=3\0"
	                             "BOOT_B_LEFT=3\0also=kept\0";
	static const char good[] = "keep=1\0BOOT_ORDER=A\0BOOT_A_LEFT=3\0"
	                           "also=kept\0";
	static const char out_a[] = "keep=1\0BOOT_ORDER=B A\0BOOT_A_LEFT=0\0"
	                            "BOOT_B_LEFT=2\0also=kept\0";
	static const char out[] = "keep=1\0BOOT_ORDER=A\0BOOT_A_LEFT=0\0"
	                          "also=kept\0";
	bool two = sc.groups == 2;

	if (sc.start == START_FRESH)
		return; /* erased: no copy is valid */
	if (sc.start == START_UPGRADE)
		load_env(m, 0, 1, two ? good_a : good,
		    two ? sizeof good_a : sizeof good);
	else
		load_env(m, 0, 1, two ? out_a : out,
		    two ? sizeof out_a : sizeof out);
	if (copies() == 2)
		load_env(m, 1, 0, two ? good_a : good,
		    two ? sizeof good_a : sizeof good);
}

static void build(struct machine *m)
{
	sim_init(&m->sim);
	if (sc.shared) {
		add_disk(m, 4 * SLOT + 2 * ENV);
	} else {
		for (unsigned i = 0; i < 4; i++)
			add_disk(m, SLOT);
		for (unsigned i = 0; i < 2; i++)
			add_disk(m, ENV);
	}
	wire(m);
	for (unsigned i = 0; i < 4; i++) {
		bool target = i < 2 && i < sc.classes;

		fill(old[i], SLOT, 100 + i);
		if (target && sc.start == START_FRESH)
			memset(old[i], 0, SLOT);
		if (target && sc.start == START_REINSTALL)
			memcpy(old[i], image(i), image_size(i));
		if (target && sc.start == START_INTERRUPTED)
			memset(old[i], 0, INSTALL_HEAD);
		sim_load((struct simdisk *)m->slot[i].below, m->slot[i].off,
		    old[i], SLOT);
	}
	load_envs(m);
	sim_start(&m->sim);
}

static void configure(void)
{
	char text[512];
	struct diag d = {0};
	size_t n = fmt(text, sizeof text,
	    "[system]\ncompatible=dev\nbootloader=uboot\n"
	    "[slot.rootfs.0]\ndevice=a\nbootname=A\n"
	    "[slot.kernel.0]\ndevice=b\nparent=rootfs.0\n");

	if (sc.groups == 2)
		n += fmt(text + n, sizeof text - n,
		    "[slot.rootfs.1]\ndevice=c\nbootname=B\n"
		    "[slot.kernel.1]\ndevice=d\nparent=rootfs.1\n");
	CHECK_INT(conf_parse(&conf, text, n, &d), 0);
	fill(rootfs, SLOT, 1);
	fill(kernel, SLOT, 2);
	memset(rootfs + 5120, 0, 1024);
	double_reset();
	memcpy(double_bundle.manifest.compatible, "dev", 4);
	double_add("rootfs", rootfs, ROOTFS);
	if (sc.classes == 2)
		double_add("kernel", kernel, KERNEL);
}

/* ---- mutants ---- */

static int bad_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	return blk_read(((struct mischief *)b)->below, off, dst, len);
}

static int bad_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct mischief *m = (struct mischief *)b;

	if (off == 0)
		m->head_written = !all_zero(src, len);
	if (off == 0 && m->mutant == MUTANT_HEAD_FIRST)
		src = m->image;
	return blk_write(m->below, off, src, len);
}

static int bad_flush(struct blk *b)
{
	struct mischief *m = (struct mischief *)b;

	if (m->mutant == MUTANT_NO_FLUSH || m->mutant == MUTANT_ENV_UNFLUSHED ||
	    (m->mutant == MUTANT_HEADS_UNFLUSHED && m->head_written))
		return 0;
	return blk_flush(m->below);
}

static int bad_read_back(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct mischief *m = (struct mischief *)b;

	if (m->mutant != MUTANT_NO_READ_BACK)
		return blk_read_back(m->below, off, dst, len);
	memcpy(dst, m->image + off, len);
	return 0;
}

static const struct blk_ops bad_ops = {
    bad_read, bad_write, bad_flush, bad_read_back};
static const struct boot_ops *real_ops;
static struct boot_ops bad_boot_ops;

static int skip_mark_bad(struct boot *b, unsigned i, enum boot_place place,
    unsigned attempts, struct diag *d)
{
	return place == BOOT_OUT ? 0
	                         : real_ops->change(b, i, place, attempts, d);
}

static int mark_bad_active(struct boot *b, unsigned i, enum boot_place place,
    unsigned attempts, struct diag *d)
{
	if (place == BOOT_OUT) {
		place = BOOT_FIRST;
		attempts = 3;
	}
	return real_ops->change(b, i, place, attempts, d);
}

/* As `fw_setenv BOOT_ORDER ""` after the removal of the last name. */
static int mark_bad_empty(struct boot *b, unsigned i, enum boot_place place,
    unsigned attempts, struct diag *d)
{
	static const char text[] = "keep=1\0BOOT_ORDER=\0BOOT_A_LEFT=0\0"
	                           "BOOT_B_LEFT=2\0also=kept\0";
	uint8_t e[ENV] = {0};
	size_t head = b->stores == 2 ? 5 : 4;
	unsigned to = b->stores == 2 ? 1 - b->active : 0;
	int r = real_ops->change(b, i, place, attempts, d);

	if (r != 0 || place != BOOT_OUT)
		return r;
	to = b->active;
	memcpy(e + head, text, sizeof text);
	e[4] = head == 5 ? b->serial : e[4];
	store_le32(e, crc32_update(0, e + head, ENV - head));
	r = blk_write(b->store[to], 0, e, ENV);
	return r != 0 ? r : blk_flush(b->store[to]);
}

static void corrupt_boot(enum mutant mutant)
{
	real_ops = boot.ops;
	bad_boot_ops = *real_ops;
	if (mutant == MUTANT_NO_MARK_BAD)
		bad_boot_ops.change = skip_mark_bad;
	if (mutant == MUTANT_EARLY_ACTIVE)
		bad_boot_ops.change = mark_bad_active;
	if (mutant == MUTANT_ORDER_EMPTIED)
		bad_boot_ops.change = mark_bad_empty;
	boot.ops = &bad_boot_ops;
}

static struct blk *wrap(struct mischief *b, struct blk *below,
    enum mutant mutant, const uint8_t *holds)
{
	b->blk.ops = &bad_ops;
	b->blk.size = below->size;
	b->blk.sector = below->sector;
	b->below = below;
	b->mutant = mutant;
	b->image = holds;
	b->head_written = false;
	return &b->blk;
}

static struct blk *target(struct machine *m, unsigned slot, enum mutant mutant)
{
	struct blk *b = &m->slot[slot].blk;

	if (mutant == MUTANT_NONE || mutant == MUTANT_ENV_UNFLUSHED)
		return b;
	return wrap(&m->bad[slot], b, mutant, image(slot));
}

static struct blk *env_store(struct machine *m, unsigned i, enum mutant mutant)
{
	struct blk *b = &m->env[i].blk;

	if (mutant != MUTANT_ENV_UNFLUSHED)
		return b;
	return wrap(&m->bad_env[i], b, mutant, NULL);
}

/* ---- one run of lifeboat, from what is on the disks and nothing else ---- */

static int run(struct machine *m, enum mutant mutant, struct diag *d)
{
	struct blk *store[2] = {
	    env_store(m, 0, mutant), env_store(m, 1, mutant)};
	enum slot_content content;
	int r;

	boot.nor = sc.env == ENV_NOR;
	boot.defaults.p = "";
	boot.defaults.len = 0;
	r = boot_open(&boot, "uboot", store, copies(), names, sc.groups, d);
	if (r == 0)
		r = install_plan(&plan, &conf, &double_bundle.manifest,
		    &boot.state, sc.groups == 2 ? "B" : "", d);
	if (r != 0)
		return r;
	if (mutant == MUTANT_HEADS_SWAPPED && plan.count == 2) {
		struct plan_item it = plan.item[0];

		plan.item[0] = plan.item[1];
		plan.item[1] = it;
	}
	if (mutant != MUTANT_NONE)
		corrupt_boot(mutant);
	in.bundle = &double_bundle;
	in.boot = &boot;
	in.conf = &conf;
	in.plan = &plan;
	in.progress = NULL;
	for (unsigned i = 0; i < plan.count; i++)
		in.target[i] = target(m, plan.item[i].slot, mutant);
	r = install_compare(&in, &content, d);
	if (r != 0)
		return r;
	if (content == CONTENT_SAME && boot.state.valid &&
	    boot.state.primary == plan.boot_name)
		return 0;
	boot.state.tries = 1;
	return install_run(&in, d);
}

/* ---- the oracle ---- */

struct judged {
	bool whole_old, whole_new;
	bool torn;      /* a head is neither zero, old nor new */
	bool head_zero; /* of the bootable slot, rootfs.0 */
	bool strange;   /* something else was written */
	bool half_started;
};

static void brick(const char *what)
{
	bricks++;
	if (loud && bricks <= 5)
		fprintf(stderr,
		    "brick: %s (env %d, classes %u, groups %u, shared %d, "
		    "start %d)\n",
		    what, sc.env, sc.classes, sc.groups, sc.shared, sc.start);
}

static struct judged judge_slots(const struct machine *m)
{
	struct judged j = {.whole_old = true, .whole_new = true};

	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *p = durable(&m->slot[i]);
		size_t size = image_size(i);
		size_t end = (size + 511) / 512 * 512;
		bool zero, is_old, is_new;

		if (i >= 2 || i >= sc.classes) {
			if (memcmp(p, old[i], SLOT) != 0)
				j.strange = true;
			continue;
		}
		if (memcmp(p + end, old[i] + end, SLOT - end) != 0)
			j.strange = true;
		zero = all_zero(p, INSTALL_HEAD);
		is_old = memcmp(p, old[i], INSTALL_HEAD) == 0;
		is_new = memcmp(p, image(i), INSTALL_HEAD) == 0;
		if (!zero && !is_old && !is_new)
			j.torn = true;
		if (i == 0)
			j.head_zero = zero;
		if (memcmp(p, old[i], size) != 0)
			j.whole_old = false;
		if (memcmp(p, image(i), size) != 0)
			j.whole_new = false;
	}
	return j;
}

static bool starts(void *ctx, unsigned i)
{
	struct judged *j = ctx;

	if (i == 1)
		return true;
	if (j->head_zero)
		return false;
	if (!j->whole_old && !j->whole_new)
		j->half_started = true;
	return true;
}

static struct model model_of(const struct machine *m)
{
	struct model mo = {.copies = copies(),
	    .size = ENV,
	    .nor = sc.env == ENV_NOR,
	    .names = names,
	    .count = sc.groups};

	mo.copy[0] = durable(&m->env[0]);
	mo.copy[1] = durable(&m->env[1]);
	model_load(&mo);
	return mo;
}

/* any-cut, bad-before-touched, head-last, from the durable bytes alone. */
static void judge_cut(const struct machine *m)
{
	static const uint8_t lost_env[ENV];
	struct judged j = judge_slots(m);
	struct model mo = model_of(m);
	struct model lost = mo;
	bool valid = mo.use >= 0;
	unsigned tried[2];
	char order[64] = "", kept[8] = "";
	int up;

	if (j.strange)
		brick("something outside of the images was written");
	up = model_boot(&mo, starts, &j, tried);
	if (j.half_started)
		brick("half a system is started");
	if (valid && !j.whole_old && !j.whole_new && tried[0] > 0)
		brick("an untrustworthy slot is not marked bad");
	if (!valid && sc.env != ENV_SINGLE && sc.start != START_FRESH)
		brick("both copies of the environment are invalid");
	if (valid && (!model_get(&mo, "BOOT_ORDER", order, sizeof order) ||
	                 order[0] == '\0'))
		brick("the boot order is empty");
	if (valid && sc.start != START_FRESH &&
	    (!model_get(&mo, "also", kept, sizeof kept) ||
	        strcmp(kept, "kept") != 0))
		brick("a foreign variable is lost");
	if (up == MODEL_RECOVERY && sc.groups == 2 && valid)
		brick("the other system is not found any more");

	/* head-last: also when the environment is lost altogether. */
	lost.copy[0] = lost.copy[1] = lost_env;
	model_load(&lost);
	j.half_started = false;
	(void)model_boot(&lost, starts, &j, NULL);
	if (j.half_started && j.torn)
		torn_and_lost++; /* needs both: the cut and the loss */
	else if (j.half_started)
		brick("half a system is started by a lost environment");
}

/* After a run that said it is done. */
static void judge_done(const struct machine *m)
{
	struct judged j = judge_slots(m);
	struct model mo = model_of(m);

	if (!j.whole_new || j.strange)
		brick("the install is done, the slot is not the new system");
	if (model_boot(&mo, starts, &j, NULL) != 0)
		brick("the install is done, the new system does not boot");
}

static void cut_now(struct machine *m, bool survive)
{
	bool keep[SIM_CACHE];

	for (unsigned i = 0; i < SIM_CACHE; i++)
		keep[i] = survive;
	sim_power_cut(&m->sim, keep);
}

static void judge_reruns(struct machine *m)
{
	struct diag d = {0};
	uint64_t before;

	if (run(m, MUTANT_NONE, &d) != 0) {
		brick("the second run fails");
		if (loud)
			fprintf(
			    stderr, "%s: %s\n", reason_name(d.reason), d.seen);
		return;
	}
	cut_now(m, false);
	judge_done(m);
	before = sim_hash(&m->sim);
	if (run(m, MUTANT_NONE, &d) != 0)
		brick("the third run fails");
	if (m->sim.writes != 0)
		brick("the third run writes");
	cut_now(m, true);
	if (sim_hash(&m->sim) != before)
		brick("the third run changes something");
}

/* False when this durable state was judged before. */
static bool is_new_state(uint64_t h)
{
	size_t at = h % STATES;

	h |= 1; /* 0 is an empty place */
	while (seen[at] != 0) {
		if (seen[at] == h)
			return false;
		at = (at + 1) % STATES;
	}
	seen[at] = h;
	return true;
}

/* ---- the cuts ---- */

static bool reruns = true;

static void judge_state(unsigned n, const bool *keep)
{
	sim_replay(&first.sim, n, &again.sim);
	sim_power_cut(&again.sim, keep);
	cuts++;
	if (!is_new_state(sim_hash(&again.sim)))
		return;
	distinct++;
	judge_cut(&again);
	if (reruns)
		judge_reruns(&again);
}

/* sim_replay changes durable images, so they are put back before each. */
static struct sim pristine;

static void restore(void)
{
	for (unsigned i = 0; i < pristine.disks; i++)
		memcpy(again.sim.disk[i].durable, pristine.disk[i].durable,
		    (size_t)pristine.disk[i].blk.size);
}

static void cut_with(unsigned n, const bool *keep)
{
	restore();
	judge_state(n, keep);
}

static unsigned cached_before(unsigned n, unsigned op[SIM_CACHE])
{
	restore();
	sim_replay(&first.sim, n, &again.sim);
	for (unsigned i = 0; i < again.sim.cached; i++)
		op[i] = again.sim.cache[i].op;
	return again.sim.cached;
}

static void set(bool *keep, unsigned from, unsigned to, bool v)
{
	while (from < to)
		keep[from++] = v;
}

/* The power fails before entry n of the log. */
static void cut_before(unsigned n, uint64_t *seed)
{
	unsigned op[SIM_CACHE];
	unsigned c = cached_before(n, op);
	bool keep[SIM_CACHE] = {false};

	cut_with(n, keep);
	for (unsigned i = 0; i < c; i++) { /* every prefix; the last is all */
		keep[i] = true;
		cut_with(n, keep);
	}
	for (unsigned i = 0; i < c; i++) { /* each sector dropped, kept */
		set(keep, 0, c, true);
		keep[i] = false;
		cut_with(n, keep);
		set(keep, 0, c, false);
		keep[i] = true;
		cut_with(n, keep);
	}
	for (unsigned i = 0; i < c;) { /* each write dropped, alone, torn */
		unsigned end = i;

		while (end < c && op[end] == op[i])
			end++;
		for (unsigned others = 0; others < 2; others++)
			for (unsigned k = i; k <= end; k++) {
				set(keep, 0, c, others == 1);
				set(keep, i, k, true);
				set(keep, k, end, false);
				cut_with(n, keep);
				set(keep, i, k, false);
				set(keep, k, end, true);
				cut_with(n, keep);
			}
		i = end;
	}
	for (unsigned k = 0; c > 1 && k < random_subsets; k++) {
		uint64_t bits = 0;

		for (unsigned i = 0; i < c; i++) {
			if (i % 32 == 0)
				bits = sim_random(seed);
			keep[i] = bits >> (i % 32) & 1;
		}
		cut_with(n, keep);
	}
}

/* Runs a good install (or a mutant) and cuts it everywhere. */
static void cut_everywhere(enum mutant mutant)
{
	struct diag d = {0};
	uint64_t seed = 88172645463325252u;

	configure();
	build(&first);
	build(&again);
	sim_copy(&pristine, &first.sim);
	first.sim.logging = true;
	if (run(&first, mutant, &d) != 0) {
		brick("the first run fails");
		return;
	}
	for (unsigned n = 0; n <= first.sim.logged; n++)
		cut_before(n, &seed);
	if (mutant == MUTANT_NONE) {
		cut_now(&first, false);
		judge_done(&first);
	}
}

/* The log tells the truth: a run that is really cut at each operation leaves
 * what the replay says, and reports a reason. */
static void check_replay(void)
{
	configure();
	build(&first);
	sim_copy(&pristine, &first.sim);
	for (unsigned at = 0;; at++) {
		struct diag d = {0};
		unsigned n;
		int r;

		build(&first);
		first.sim.logging = true;
		first.sim.cut_at = at;
		r = run(&first, MUTANT_NONE, &d);
		if (!first.sim.off)
			break;
		CHECK(r != 0 || d.reason == 0);
		n = first.sim.logged;
		build(&again);
		sim_replay(&first.sim, n, &again.sim);
		CHECK_INT(again.sim.cached, first.sim.cached);
		CHECK(sim_hash(&again.sim) == sim_hash(&first.sim));
		for (unsigned i = 0; i < first.sim.cached; i++)
			CHECK(again.sim.cache[i].at == first.sim.cache[i].at &&
			      memcmp(again.sim.cache[i].data,
			          first.sim.cache[i].data, SIM_SECTOR) == 0);
	}
}

/* Every operation of an install fails once in every way; then power is lost,
 * or the next run begins at once. */
static unsigned long faults_tried, faults_told;

static void fail_everywhere(enum mutant mutant)
{
	static const enum sim_fault kinds[] = {FAULT_EIO, FAULT_SHORT,
	    FAULT_NO_SPACE, FAULT_PROTECTED, FAULT_ALTER};

	configure();
	for (size_t f = 0; f < ARRAY_LEN(kinds); f++)
		for (unsigned at = 0;; at++) {
			struct diag d = {0};
			bool end;
			int r;

			build(&first);
			first.sim.fault = kinds[f];
			first.sim.fault_at = at;
			r = run(&first, mutant, &d);
			end = first.sim.ops <= at;
			first.sim.fault_at = UINT32_MAX;
			if (end)
				break;
			faults_tried++;
			if (r != 0) {
				faults_told++;
				if (d.reason != r)
					brick("a failure without its reason");
			}
			sim_copy(&again.sim, &first.sim);
			wire(&again);
			if (r == 0)
				judge_done(&again);
			judge_cut(&again);
			judge_reruns(&again);
			/* The worker is started again, the power stays on. */
			d = (struct diag){0};
			if (run(&first, MUTANT_NONE, &d) != 0)
				brick("a retry after a fault fails");
			cut_now(&first, false);
			judge_done(&first);
		}
}

/* ---- what is tried ---- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void each_scenario(void)
{
	for (unsigned env = ENV_SINGLE; env <= ENV_NOR; env++)
		for (sc.classes = 1; sc.classes <= 2; sc.classes++)
			for (sc.groups = 1; sc.groups <= 2; sc.groups++)
				for (unsigned k = 0; k < 2; k++)
					for (unsigned s = 0; s < STARTS; s++) {
						sc.env = (enum env_kind)env;
						sc.shared = k == 1;
						sc.start = (enum start)s;
						memset(seen, 0, sizeof seen);
						cut_everywhere(MUTANT_NONE);
					}
}

/* Each mutant in the set-ups where it could do harm. */
static void each_mutant(void)
{
	reruns = false;
	loud = false;
	for (unsigned m = MUTANT_NONE + 1; m < MUTANTS; m++) {
		unsigned caught = 0;

		for (unsigned env = ENV_SINGLE; env <= ENV_REDUNDANT; env++)
			for (sc.groups = 1; sc.groups <= 2; sc.groups++) {
				sc.env = (enum env_kind)env;
				sc.classes = 2;
				sc.shared = false;
				sc.start = START_UPGRADE;
				bricks = 0;
				memset(seen, 0, sizeof seen);
				if (m == MUTANT_NO_READ_BACK)
					fail_everywhere((enum mutant)m);
				else
					cut_everywhere((enum mutant)m);
				caught += bricks;
			}
		printf("mutant caught %5u times: %s\n", caught, mutant_name[m]);
		CHECK(caught > 0);
	}
	bricks = 0;
	reruns = true;
	loud = true;
}

int main(int argc, char **argv)
{
	double start = seconds();

	if (argc > 1)
		random_subsets = (unsigned)strtoul(argv[1], NULL, 10);
	loud = true;
	sc = (struct scenario){ENV_REDUNDANT, 2, 1, false, START_UPGRADE};
	check_replay();
	each_scenario();
	CHECK_INT(bricks, 0);
	CHECK(distinct >= 20000);
	printf("%lu cuts, %lu distinct states, %u bricks; %lu need a torn head "
	       "and a lost environment at once; %.1f s\n",
	    cuts, distinct, bricks, torn_and_lost, seconds() - start);
	for (unsigned env = ENV_SINGLE; env <= ENV_NOR; env++) {
		sc = (struct scenario){
		    (enum env_kind)env, 2, 1, false, START_UPGRADE};
		fail_everywhere(MUTANT_NONE);
	}
	printf("%lu faults, %lu of them reported, %u bricks\n", faults_tried,
	    faults_told, bricks);
	CHECK_INT(bricks, 0);
	CHECK(faults_told > 0);
	each_mutant();
	sim_init(&first.sim);
	sim_init(&again.sim);
	printf("%.1f s\n", seconds() - start);
	return check_done("powercut");
}
