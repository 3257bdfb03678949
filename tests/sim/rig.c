/* SPDX-License-Identifier: 0BSD */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "worker/installer.h"

struct rig_world rig_world;
#define world rig_world

static const char *const names[] = {"A", "B"};
static struct work work;
static struct model_next next;

/* ---- one visit to recovery: worker/installer.c without its process ---- */

static struct visit *asking;
static struct rig *asking_rig;

static enum policy_action decide(const struct job_facts *f, bool late)
{
	const char *why;
	struct policy_in in = {
	    .boot = f->boot,
	    .slots = f->slots,
	    .medium = f->medium,
	    .tries = f->tries,
	    .retries = 2,
	    .waited = late,
	};

	if (asking->forced && f->medium >= POLICY_NEW) {
		in.medium = POLICY_NEW;
		in.tries = 0;
		in.retries = 1;
	}
	return policy_decide(&in, &why);
}

/* As things stand, and else what the end of the wait brings. */
enum policy_action rig_decide(const struct job_facts *f);
enum policy_action rig_decide(const struct job_facts *f)
{
	enum policy_action now = decide(f, false), late = decide(f, true);

	if (now == POLICY_INSTALL || now == POLICY_REARM)
		return now;
	return late == POLICY_REARM || late == POLICY_REBOOT ? late : now;
}

/* NOR flash: a write that sets bits erases all of the copy before, and
 * nothing stays in a cache. */
struct nor {
	struct blk blk;
	struct blk *below;
};

static int nor_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	return blk_read(((struct nor *)b)->below, off, dst, len);
}

static int nor_put(struct blk *b, uint64_t off, const void *src, size_t len)
{
	int r = blk_write(b, off, src, len);

	return r == 0 ? blk_flush(b) : r;
}

static int nor_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct blk *below = ((struct nor *)b)->below;
	uint8_t all[RIG_ENV], erased[RIG_ENV];
	bool erase = false;
	int r = blk_read(below, 0, all, sizeof all);

	for (size_t i = 0; i < len; i++)
		erase |= (((const uint8_t *)src)[i] & ~all[off + i]) != 0;
	if (r != 0 || !erase)
		return r != 0 ? r : nor_put(below, off, src, len);
	memset(erased, 0xff, sizeof erased);
	r = nor_put(below, 0, erased, sizeof erased);
	memcpy(all + off, src, len);
	return r == 0 ? nor_put(below, 0, all, sizeof all) : r;
}

static int nor_flush(struct blk *b)
{
	return blk_flush(((struct nor *)b)->below);
}

static const struct blk_ops nor_ops = {nor_read, nor_write, nor_flush, NULL};

static bool is_nor(void)
{
	return world.sc.env == ENV_NOR || world.sc.env == ENV_NOR_SINGLE;
}

static int open_boot(struct rig *r, const struct mischief *bad, struct diag *d)
{
	static struct nor nor[2];
	struct blk *store[2];
	bool own = world.sc.env == ENV_OWN || world.sc.env == ENV_OWN_SINGLE;
	int rc;

	for (unsigned i = 0; i < world.copies; i++) {
		store[i] = &r->env[i].blk;
		if (is_nor()) {
			nor[i] = (struct nor){r->env[i].blk, store[i]};
			nor[i].blk.ops = &nor_ops;
			store[i] = &nor[i].blk;
		}
		if (bad && bad->env)
			store[i] = bad->env(bad->ctx, i, store[i]);
	}
	self.boot.nor = is_nor();
	self.boot.defaults = (struct slice){own ? NULL : "", 0};
	rc = boot_open(&self.boot, world.conf.bootloader_name, store,
	    world.copies, names, world.names, d);
	if (rc == 0 && bad && bad->boot)
		bad->boot(bad->ctx, &self.boot);
	return rc;
}

/* What a one-shot helper does with the mounted data partition. */
void rig_write_status(const struct status_change *ch);
void rig_write_status(const struct status_change *ch)
{
	static char old[SIMFILE_MAX], new[STATUS_MAX];
	static struct status_change change;
	const struct mischief *bad = asking->mischief;
	struct simfile f = {
	    .blk = &asking_rig->data.blk, .sector = world.sc.sector};
	size_t old_len = 0, len;
	bool changed = false, damaged;
	struct diag d = {0};
	enum status_kind kind = (enum status_kind)ch->kind;
	int r;

	if (bad && bad->file)
		bad->file(bad->ctx, &f);
	if (bad && bad->record && !bad->record(bad->ctx, &kind))
		return;
	change = *ch;
	change.kind = kind;
	change.time = 1795000000;
	r = simfile_read(&f, old, &old_len);
	if (r == R_NOT_FOUND)
		r = 0;
	if (r == 0)
		r = status_update(new, &len, &changed, &damaged,
		    (struct slice){old, old_len}, &world.conf, &change, &d);
	if (r == 0 && changed)
		r = simfile_replace(&f, new, len);
	if (r != 0)
		asking->told = false;
}

void rig_record(enum status_kind kind)
{
	report_status(NULL, kind);
}

static void reset_worker(struct rig *r)
{
	static struct conf *const conf = &world.conf;
	static struct job_setup setup = {.give_up_good = true};

	work.setup = &setup;
	self.bundle.forward = world.sc.stream;
	work.slots = conf->slots;
	fmt(work.status_path, sizeof work.status_path, "%s",
	    world.sc.store == STORE_NONE ? "" : "central.raucs");
	self.w = &work;
	self.conf = conf;
	self.name_count = 0;
	for (unsigned i = 0; i < conf->slots; i++) {
		self.slot[i].blk = &r->slot[i].blk;
		if (conf->slot[i].bootname[0] != '\0') {
			self.name_slot[self.name_count] = i;
			self.names[self.name_count] = conf->slot[i].bootname;
			self.name_count++;
		}
	}
	memset(&self.plan, 0, sizeof self.plan);
	self.tries = 0;
	self.in.bundle = &self.bundle;
	self.in.boot = &self.boot;
	self.in.conf = conf;
	self.in.plan = &self.plan;
	self.in.progress = NULL;
}

static void set_tries(unsigned tries)
{
	struct boot_state *b = &self.boot.state;

	b->tries = tries;
	if (self.plan.count > 0)
		memcpy(b->tries_id, self.bundle.manifest.sha256,
		    sizeof b->tries_id);
}

static int do_install(struct rig *r, struct visit *v)
{
	const struct mischief *bad = v->mischief;
	int rc;

	if (bad && bad->plan)
		bad->plan(bad->ctx, &self.plan);
	for (unsigned i = 0; i < self.plan.count; i++) {
		unsigned slot = self.plan.item[i].slot;

		self.in.target[i] = &r->slot[slot].blk;
		if (bad && bad->slot)
			self.in.target[i] =
			    bad->slot(bad->ctx, slot, &r->slot[slot].blk);
	}
	self.in.record = report_status;
	rc = open_boot(r, bad, &v->d);
	if (rc != 0)
		return rc;
	set_tries(v->forced ? 0 : self.tries + 1);
	return install_run(&self.in, &v->d);
}

static int do_rearm(struct rig *r, struct visit *v)
{
	int rc = open_boot(r, v->mischief, &v->d);

	if (rc != 0)
		return rc;
	set_tries(self.tries + 1);
	rc = boot_set_primary(&self.boot, rearm_name(), 3, &v->d);
	return rc == 0 && !self.boot.state.valid
	           ? diag_fail(&v->d, R_BOOT_IO, "nothing is stored")
	           : rc;
}

static int run_rescue(struct rig *r, struct visit *v)
{
	static struct candidate stick = {.where = "sda1:/a.raucb"};
	struct job_facts *f = &self.m.u.facts.facts;
	bool good = false;
	int rc = open_boot(r, NULL, &v->d);

	if (rc != 0)
		return rc;
	judge_heads();
	f->medium = POLICY_NONE;
	if (v->stick) {
		rc = install_plan(&self.plan, &world.conf, NULL,
		    &self.bundle.manifest, &self.boot.state, world.booted,
		    &v->d);
		if (rc == 0)
			rc = compare_content(&v->d);
		if (rc == 0)
			rc = check_stream(&v->d);
		if (rc != 0)
			return rc;
		good = true;
	}
	v->action = ask_owner(good ? &stick : NULL);
	if (v->action == POLICY_INSTALL)
		return do_install(r, v);
	return v->action == POLICY_REARM ? do_rearm(r, v) : 0;
}

void rig_visit(struct rig *r, struct visit *v)
{
	asking = v;
	asking_rig = r;
	v->action = POLICY_WAIT;
	v->d = (struct diag){0};
	v->told = world.sc.store != STORE_NONE;
	v->stalled = false;
	reset_worker(r);
	if (setjmp(r->sim.stalled) == 0) {
		v->reason = run_rescue(r, v);
		return;
	}
	v->stalled = true;
	v->reason = R_TIMEOUT;
}

/* ---- the oracle's view ---- */

static struct model model_of(struct rig *r)
{
	struct model m = {.copies = world.copies,
	    .size = RIG_ENV,
	    .nor = is_nor(),
	    .names = names,
	    .count = world.names,
	    .loader = world.sc.loader};

	for (unsigned i = 0; i < 2; i++)
		m.copy[i] = ((struct simdisk *)r->env[i].below)->durable +
		            r->env[i].off;
	return m;
}

static enum oracle_kind kind_of(unsigned slot)
{
	static const enum oracle_kind kinds[RIG_KINDS] = {
	    [KIND_FIRST] = ORACLE_SECTOR0,
	    [KIND_EXT4] = ORACLE_EXT4,
	    [KIND_EXT4_BOOT] = ORACLE_EXT4,
	    [KIND_CHAIN] = ORACLE_EXT4_BOOT,
	    [KIND_CHANGED] = ORACLE_ANY,
	};

	return slot % 2 == 0 ? kinds[world.sc.kind] : ORACLE_MEMBER;
}

static const uint8_t *durable(const struct blk_window *w)
{
	return ((const struct simdisk *)w->below)->durable + w->off;
}

static void look_at(struct rig *r, struct oracle *o)
{
	static const char *const slots[] = {
	    "rootfs.0", "kernel.0", "rootfs.1", "kernel.1"};
	size_t len;

	for (unsigned i = 0; i < RIG_SLOTS; i++) {
		struct oracle_slot *s = &o->slot[i];
		const struct rig_image *im = &world.image[i % 2];

		s->name = slots[i];
		s->group = i / 2 < world.names ? (int)(i / 2) : -1;
		s->kind = kind_of(i);
		s->size = RIG_SLOT;
		s->now = durable(&r->slot[i]);
		s->before = world.before[i];
		s->sector = world.sc.sector;
		s->image = world.target[i] ? im->p : NULL;
		s->image_size = im->size;
		s->image_sha256 = im->sha256;
	}
	o->slots = RIG_SLOTS;
	o->model = o->model_before = model_of(r);
	o->model_before.copy[0] = world.env[0];
	o->model_before.copy[1] = world.env[1];
	o->marks = model_loader[world.sc.loader].order;
	if (world.sc.store == STORE_NONE)
		return;
	o->keeps = 1;
	o->keep[0].name = "neighbour of the status file";
	o->keep[0].now = durable(&r->data) +
	                 simfile_neighbour(world.sc.sector, &o->keep[0].len);
	o->keep[0].before =
	    world.data + simfile_neighbour(world.sc.sector, &len);
	o->status_before.text =
	    simfile_look(world.data, world.sc.sector, &o->status_before.len);
}

/* ---- life from power-on ---- */

bool rig_env_valid(struct rig *r)
{
	struct model m = model_of(r);

	model_load(&m);
	return m.use >= 0;
}

/* The loader counts before it starts something, durably. */
static void loader_writes(struct rig *r, const struct model_next *n)
{
	static const uint8_t zero;

	if (n->written >= 0)
		sim_load((struct simdisk *)r->env[n->written].below,
		    r->env[n->written].off, n->bytes, RIG_ENV);
	if (n->obsolete >= 0)
		sim_load((struct simdisk *)r->env[n->obsolete].below,
		    r->env[n->obsolete].off + 4, &zero, 1);
}

enum rig_end rig_live(struct rig *r, struct visit *v)
{
	unsigned resets = 0;

	for (v->boots = 0; v->boots < RIG_BOOTS; v->boots++) {
		struct model m = model_of(r);
		struct oracle o = {.when = ORACLE_CUT};
		struct oracle_verdict look;
		unsigned n;

		model_load(&m);
		model_next(&m, NULL, &next);
		look_at(r, &o);
		oracle_look(&o, &look);
		n = (unsigned)next.start;
		if (next.start >= 0 && look.recognised[n]) {
			if (!look.whole_old[n] && !look.whole_new[n])
				return END_HALF;
			return look.exact[n] && world.target[2 * n] ? END_UP_NEW
			                                            : END_UP;
		}
		loader_writes(r, &next); /* what comes up marks itself good */
		if (next.start >= 0 && world.sc.loader != LOADER_NOOP) {
			if (next.written < 0)
				return END_STUCK;
			continue;
		}
		if (next.start == MODEL_RESET) {
			if (next.written < 0 || ++resets > 3)
				return END_STUCK;
			continue;
		}
		rig_visit(r, v);
		rig_cut(r, false);
		if (v->reason != 0)
			return END_FAILED;
		if (v->action == POLICY_WAIT || v->action == POLICY_EXPLAIN)
			return END_WAITS;
	}
	return END_NEVER;
}

void rig_cut(struct rig *r, bool survive)
{
	bool keep[SIM_CACHE];

	for (unsigned i = 0; i < SIM_CACHE; i++)
		keep[i] = survive;
	sim_power_cut(&r->sim, keep);
}

bool rig_judge(
    struct rig *r, enum oracle_when when, bool told, struct oracle_verdict *v)
{
	struct oracle o = {.when = when};

	look_at(r, &o);
	if (world.env_before == MODEL_UNLOADED) {
		model_load(&o.model_before);
		world.env_before = o.model_before.use;
	}
	o.model_before.use = world.env_before;
	o.env_was_lost = r->env_was_lost;
	o.status_works = told;
	if (world.sc.store != STORE_NONE)
		o.status.text = simfile_look(
		    durable(&r->data), world.sc.sector, &o.status.len);
	oracle_judge(&o, v);
	if (world.copies == 1 && !v->env_valid)
		r->env_was_lost = true;
	return v->wrong == 0;
}
