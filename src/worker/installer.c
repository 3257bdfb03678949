/* SPDX-License-Identifier: 0BSD */
/* The installer child: judges bundles, compares, asks, writes. It opens
 * nothing; what it may write was handed to it after the owner decided. */
#include "worker/work.h"

#include "base/blk_fd.h"
#include "base/fmt.h"
#include "options.h"
#include "worker/pipe.h"

#define NO_CANDIDATE UINT32_MAX

/* A file that may be the bundle; text for its one line in the log. */
struct candidate {
	bool good; /* may be installed, as far as is known yet */
	bool judged;
	int reason; /* else why not */
	char where[SOURCE_WHERE];
	char version[MANIFEST_TEXT];
	char cn[TRUST_CN + 1];
	char seen[DIAG_SEEN];
	int64_t signed_at;
	uint8_t sha256[32];
};

/* A slot or a copy of the environment as the child sees it. */
struct store {
	struct blk_fd fd;
	struct blk_mtd mtd;
	struct blk *blk;
};

/* All of this process's state: 2.5 MiB, of which little is ever touched. */
struct self {
	const struct work *w;
	const struct conf *conf;
	struct trust_policy trust;
	const char *names[BOOTNAMES];
	unsigned name_count;
	unsigned name_slot[BOOTNAMES];
	struct store slot[CONF_SLOTS];
	bool intact[CONF_SLOTS];
	struct store env[BOOT_STORES];
	struct blk_window copy[BOOT_STORES];
	struct pipe_blk pipe;
	struct candidate candidate[SOURCE_FILES];
	unsigned candidates;
	unsigned chosen;
	const struct candidate *refused; /* the last one */
	struct plan plan;
	struct boot boot;
	struct bundle bundle;
	struct install in; /* of compare, then of run */
};
FAR(struct self, self_at);
#define self (*self_at)

/* ---- stores */

static struct blk *store_init(
    struct store *s, const struct target *t, int fd, int direct, bool writable)
{
	if (OPT_MTD && t->kind == TARGET_MTD) {
		blk_mtd_init(&s->mtd, fd, t->size, t->erase, writable);
		s->blk = &s->mtd.blk;
	} else {
		blk_fd_init(&s->fd, fd, direct, t->size, t->sector, writable);
		s->blk = &s->fd.blk;
	}
	return s->blk;
}

static void find_names(const struct conf *c)
{
	for (unsigned i = 0; i < c->slots; i++)
		if (c->slot[i].bootname[0] != '\0' &&
		    self.name_count < BOOTNAMES) {
			self.name_slot[self.name_count] = i;
			self.names[self.name_count++] = c->slot[i].bootname;
		}
}

/* Loads the boot state from fds, or from what the owner opened for reading
 * when fds is NULL. */
static int open_boot(const int *fds, struct diag *d)
{
	const struct work *w = self.w;
	const struct fw_env_config *f = w->setup->fw_env;
	struct blk *copies[BOOT_STORES];

	for (unsigned i = 0; i < w->stores; i++) {
		const struct target *t = &w->env[i];
		uint64_t off = (uint64_t)f->copy[i].offset;
		struct blk *below = store_init(
		    &self.env[i], t, fds ? fds[i] : t->fd, -1, fds != NULL);

		if (f->copy[i].offset < 0)
			off += t->size;
		if (blk_window_init(
		        &self.copy[i], below, off, f->copy[i].size) != 0)
			return diag_fail(d, R_BOOT_CONFIG,
			    "%s: the environment ends behind it", t->path);
		copies[i] = &self.copy[i].blk;
	}
	self.boot.nor = w->stores > 0 && w->env[0].kind == TARGET_MTD;
	if (w->setup->initial_env) {
		self.boot.defaults.p = w->setup->initial_env;
		self.boot.defaults.len = strlen(w->setup->initial_env);
	}
	return boot_open(&self.boot, self.conf->bootloader_name, copies,
	    w->stores, self.names, self.name_count, d);
}

/* ---- candidates */

static int progress(
    void *ctx, enum install_phase phase, uint64_t done, uint64_t total)
{
	(void)ctx;
	child_progress(phase, done, total);
	return 0;
}

static int verify_progress(void *ctx, uint64_t done, uint64_t total)
{
	return progress(ctx, PHASE_VERIFY, done, total);
}

/* A failed read says no more than that; the source knows why. */
static int because(int r, struct diag *d, struct diag *out)
{
	const struct diag *p = &self.pipe.diag;

	if (p->reason != 0 && p->reason == r)
		return diag_fail(out, p->reason, "%s", p->seen);
	if (d->reason == 0)
		return diag_fail(out, r, "%s", reason_help(r));
	return diag_fail(out, d->reason, "%s", d->seen);
}

static int check_targets(struct diag *d)
{
	const struct work *w = self.w;

	for (unsigned i = 0; i < self.plan.count; i++) {
		const struct plan_item *p = &self.plan.item[i];
		const struct target *t = &w->slot[p->slot];
		const struct slot *s = &self.conf->slot[p->slot];
		const struct manifest_image *m =
		    &self.bundle.manifest.image[p->image];

		if (t->reason != 0)
			return diag_fail(
			    d, t->reason, "slot %s: %s", s->name, t->seen);
		if (m->size > t->size)
			return diag_fail(d, R_TARGET_SMALL,
			    "%s has %llu bytes, slot %s has %llu", m->filename,
			    (unsigned long long)m->size, s->name,
			    (unsigned long long)t->size);
	}
	return 0;
}

static int open_candidate(unsigned i, struct diag *d)
{
	struct diag inner = {0};
	int r = pipe_open(&self.pipe, i, &inner);

	if (r == 0)
		r = bundle_open(&self.bundle, &self.pipe.blk,
		    self.w->setup->keyring, &self.trust, &inner);
	return r == 0 ? 0 : because(r, &inner, d);
}

/* Everything but the contents: signature, compatible, plan, devices. */
static int judge(unsigned i, struct diag *d)
{
	struct candidate *c = &self.candidate[i];
	const struct manifest *m = &self.bundle.manifest;
	const struct signer *who = &self.bundle.signer;
	int r = open_candidate(i, d);

	if (r != 0)
		return r;
	c->judged = true;
	fmt(c->version, sizeof c->version, "%s", m->version);
	fmt(c->cn, sizeof c->cn, "%s", who->cn);
	c->signed_at = who->has_time ? who->signing_time : 0;
	memcpy(c->sha256, m->sha256, sizeof c->sha256);
	if (self.w->slots == 0)
		return 0;
	r = install_plan(&self.plan, self.conf, m, &self.boot.state,
	    self.w->setup->booted, d);
	return r == 0 ? check_targets(d) : r;
}

static void say(const struct candidate *c, enum log_level level,
    const char *verdict, const char *why, int reason)
{
	const char *l = reason ? " [" : "", *r = reason ? "]" : "";
	const char *name = reason ? reason_name(reason) : "";

	if (c->judged)
		log_line(level, "%s (%s, signed by %s): %s%s%s%s%s", c->where,
		    c->version[0] ? c->version : "no version",
		    c->cn[0] ? c->cn : "no name", verdict, why, l, name, r);
	else
		log_line(level, "%s: %s%s%s%s%s", c->where, verdict, why, l,
		    name, r);
}

static void refuse(struct candidate *c, const struct diag *d)
{
	c->good = false;
	c->reason = d->reason;
	self.refused = c;
	fmt(c->seen, sizeof c->seen, "%s", d->seen);
	say(c, LOG_WARN, "not taken: ", d->seen, d->reason);
}

/* Higher version, else signed later; < 0 when a is the lesser one. */
static int compare(const struct candidate *a, const struct candidate *b)
{
	int order;

	if (semver_compare(a->version, b->version, &order, NULL) == 0)
		return order;
	return a->signed_at < b->signed_at ? -1 : a->signed_at > b->signed_at;
}

static unsigned best_candidate(void)
{
	unsigned best = NO_CANDIDATE;

	for (unsigned i = 0; i < self.candidates; i++)
		if (self.candidate[i].good &&
		    (best == NO_CANDIDATE ||
		        compare(&self.candidate[best], &self.candidate[i]) < 0))
			best = i;
	return best;
}

/*
 * Different bundles that claim to be equally new: nobody is there to choose,
 * and an older one is not what was meant either, so none is taken.
 */
static int check_choice(unsigned best, struct diag *d)
{
	struct candidate *a = &self.candidate[best];

	for (unsigned i = 0; i < self.candidates; i++) {
		struct candidate *b = &self.candidate[i];

		if (!b->good || compare(a, b) != 0 ||
		    memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0)
			continue;
		(void)diag_fail(d, R_BUNDLE_CHOICE,
		    "%.*s and %.*s are different bundles of version %.*s", 56,
		    a->where, 56, b->where, 32, a->version);
		for (i = 0; i < self.candidates; i++)
			if (self.candidate[i].good)
				refuse(&self.candidate[i], d);
		return R_BUNDLE_CHOICE;
	}
	return 0;
}

/* lifeboat.bundle= names one file: "/x.raucb", "sda1:/x.raucb". */
static bool is_named(const char *where, const char *name)
{
	size_t n = strlen(where), m = strlen(name);

	if (m > n || strcmp(where + n - m, name) != 0)
		return false;
	return m == n || where[n - m - 1] == (name[0] == '/' ? ':' : '/');
}

static void judge_all(void)
{
	const struct settings *s = self.w->setup->settings;
	bool named = self.w->setup->verb == JOB_RESCUE && s->bundle[0] != '\0';

	for (unsigned i = 0; i < self.candidates; i++) {
		struct candidate *c = &self.candidate[i];
		struct diag d = {0};

		if (named && !is_named(c->where, s->bundle)) {
			say(c, LOG_INFO, "not taken: not the one asked for", "",
			    0);
			continue;
		}
		c->good = true;
		if (judge(i, &d) != 0)
			refuse(c, &d);
	}
}

static int verify_chosen(struct diag *d)
{
	struct diag inner = {0};
	int r = bundle_verify(&self.bundle, verify_progress, NULL, &inner);

	return r == 0 ? 0 : because(r, &inner, d);
}

/* From best to worst until one is sound to its last block; self.bundle and
 * self.plan are then its. The last one's reason when there is none. */
static int choose(struct diag *d)
{
	unsigned best;

	while ((best = best_candidate()) != NO_CANDIDATE) {
		struct candidate *c = &self.candidate[best];
		struct diag why = {0};

		if (check_choice(best, &why) != 0)
			continue;
		say(c, LOG_INFO, "verifying it", "", 0);
		if (judge(best, &why) != 0 || verify_chosen(&why) != 0) {
			refuse(c, &why);
			continue;
		}
		say(c, LOG_INFO, "taken", "", 0);
		self.chosen = best;
		for (unsigned i = 0; i < self.candidates; i++)
			if (i != best && self.candidate[i].good)
				say(&self.candidate[i], LOG_INFO,
				    memcmp(self.candidate[i].sha256, c->sha256,
				        32) == 0
				        ? "not taken: the same as "
				        : "not taken: older than ",
				    c->where, 0);
		return 0;
	}
	if (self.refused)
		return diag_fail(d, self.refused->reason, "%.*s: %s", 60,
		    self.refused->where, self.refused->seen);
	return diag_fail(d, R_NO_BUNDLE, "none of the bundles was asked for");
}

static int list_candidates(struct diag *d)
{
	unsigned count = 1;

	self.candidates = 0;
	for (unsigned i = 0; i < count; i++) {
		struct candidate *c = &self.candidate[i];
		int r;

		memset(c, 0, sizeof *c);
		r = pipe_list(&self.pipe, i, c->where, &count, d);
		if (r != 0)
			return r;
		self.candidates++;
	}
	return 0;
}

/* ---- facts */

static unsigned group_root(unsigned slot)
{
	int parent = self.conf->slot[slot].parent;

	return parent >= 0 ? (unsigned)parent : slot;
}

static bool group_intact(unsigned root)
{
	for (unsigned i = 0; i < self.conf->slots; i++)
		if (group_root(i) == root && !self.intact[i])
			return false;
	return true;
}

static void look_at_heads(void)
{
	for (unsigned i = 0; i < self.w->slots; i++) {
		bool empty = true;

		self.intact[i] =
		    self.w->slot[i].reason == 0 &&
		    install_head_empty(self.slot[i].blk, &empty, NULL) == 0 &&
		    !empty;
	}
}

/* The bootname that new attempts would be given to: in the order and whole
 * if there is one. */
static unsigned rearm_name(void)
{
	const struct boot_state *b = &self.boot.state;
	unsigned choice = 0;

	for (unsigned i = 0; i < b->count; i++)
		if (b->name[i].in_order && group_intact(self.name_slot[i]))
			return i;
	for (unsigned i = b->count; i > 0; i--)
		if (b->name[i - 1].in_order)
			choice = i - 1;
	return choice;
}

static enum policy_boot boot_fact(void)
{
	const struct boot_state *b = &self.boot.state;

	if (!b->valid)
		return POLICY_UNKNOWN;
	if (b->primary >= 0)
		return POLICY_BOOTABLE;
	for (unsigned i = 0; i < b->count; i++)
		if (b->name[i].in_order)
			return POLICY_EXHAUSTED;
	return POLICY_BAD;
}

static void list_targets(struct msg_facts *f)
{
	f->targets = self.plan.count;
	for (unsigned i = 0; i < self.plan.count; i++)
		f->target[i] = (uint8_t)self.plan.item[i].slot;
}

static int content_fact(uint32_t *medium, struct diag *d)
{
	struct install *in = &self.in;
	enum slot_content content;
	struct diag inner = {0};
	int r;

	in->bundle = &self.bundle;
	in->conf = self.conf;
	in->plan = &self.plan;
	in->progress = progress;
	for (unsigned i = 0; i < self.plan.count; i++)
		in->target[i] = self.slot[self.plan.item[i].slot].blk;
	r = install_compare(in, &content, &inner);
	if (r != 0)
		return because(r, &inner, d);
	*medium = content == CONTENT_SAME ? POLICY_SAME : POLICY_NEW;
	return 0;
}

static unsigned tries_fact(bool have_bundle)
{
	const struct boot_state *b = &self.boot.state;

	if (have_bundle && memcmp(b->tries_id, self.bundle.manifest.sha256,
	                       sizeof b->tries_id) != 0)
		return 0;
	return b->tries;
}

/* Tells the owner, and waits for its decision and its descriptors. */
static enum policy_action ask_owner(struct msg *m, int *fds, unsigned *count)
{
	const struct boot_state *b = &self.boot.state;
	bool have = m->u.facts.targets > 0;
	unsigned root;

	m->type = MSG_FACTS;
	if (self.conf->slots > 0 && b->count > 0) {
		root = have ? self.plan.root : self.name_slot[rearm_name()];
		m->u.facts.slots =
		    group_intact(root) ? POLICY_INTACT : POLICY_BROKEN;
	} else {
		m->u.facts.slots = POLICY_BROKEN;
	}
	m->u.facts.boot = boot_fact();
	m->u.facts.tries = tries_fact(have);
	m->u.facts.env_valid = b->valid;
	memcpy(m->u.facts.env_text, b->text, sizeof m->u.facts.env_text);
	if (have) {
		memcpy(m->u.facts.version, self.bundle.manifest.version,
		    sizeof m->u.facts.version);
		memcpy(m->u.facts.path, self.candidate[self.chosen].where,
		    sizeof m->u.facts.path);
	}
	*count = MSG_FDS;
	child_ask(m, fds, count);
	return (enum policy_action)m->u.grant.action;
}

/* ---- what is done */

static uint64_t written;

static int install_progressed(
    void *ctx, enum install_phase phase, uint64_t done, uint64_t total)
{
	if (phase == PHASE_WRITE)
		written = done;
	return progress(ctx, phase, done, total);
}

static int do_install(const struct msg_grant *g, const int *fds, unsigned count,
    unsigned tries, struct diag *d)
{
	struct install *in = &self.in;
	const struct work *w = self.w;
	struct diag inner = {0};
	unsigned next = 0;
	int r;

	if (g->targets != self.plan.count)
		return diag_fail(d, R_INTERNAL, "grant does not fit the plan");
	in->bundle = &self.bundle;
	in->boot = &self.boot;
	in->conf = self.conf;
	in->plan = &self.plan;
	in->progress = install_progressed;
	for (unsigned i = 0; i < self.plan.count; i++) {
		unsigned slot = self.plan.item[i].slot;
		unsigned need = (g->direct >> i & 1) != 0 ? 2 : 1;

		if (count - next < need)
			return diag_fail(d, R_INTERNAL, "grant is too small");
		in->target[i] = store_init(&self.slot[slot], &w->slot[slot],
		    fds[next], need == 2 ? fds[next + 1] : -1, true);
		next += need;
	}
	if (count - next != w->stores)
		return diag_fail(d, R_INTERNAL, "grant without environment");
	r = open_boot(fds + next, d);
	if (r != 0)
		return r;
	self.boot.state.tries = tries;
	memcpy(self.boot.state.tries_id, self.bundle.manifest.sha256,
	    sizeof self.boot.state.tries_id);
	r = install_run(in, &inner);
	return r == 0 ? 0 : because(r, &inner, d);
}

static int do_rearm(const int *fds, unsigned count, struct diag *d)
{
	unsigned i;
	int r;

	if (count != self.w->stores)
		return diag_fail(d, R_INTERNAL, "grant without environment");
	r = open_boot(fds, d);
	if (r != 0)
		return r;
	if (self.boot.state.count == 0)
		return diag_fail(d, R_NO_TARGET, "no slot has a bootname");
	i = rearm_name();
	self.boot.state.tries++;
	return boot_set_primary(
	    &self.boot, i, self.conf->boot_attempts_primary, d);
}

static int do_mark(const struct conf *c, struct diag *d)
{
	const struct job_setup *s = self.w->setup;
	struct msg m = {.type = MSG_FACTS};
	int fds[MSG_FDS];
	unsigned count, i;
	int r;

	for (i = 0; i < self.name_count; i++)
		if (strcmp(self.names[i], s->mark_slot) == 0 ||
		    strcmp(c->slot[self.name_slot[i]].name, s->mark_slot) == 0)
			break;
	if (i == self.name_count)
		return diag_fail(d, R_BOOT_NAME,
		    "%s is no slot with a bootname", s->mark_slot);
	(void)ask_owner(&m, fds, &count);
	if (count != self.w->stores)
		return diag_fail(d, R_INTERNAL, "grant without environment");
	r = open_boot(fds, d);
	if (r != 0)
		return r;
	switch (s->mark) {
	case JOB_MARK_GOOD:
		return boot_mark_good(&self.boot, i, c->boot_attempts, d);
	case JOB_MARK_BAD:
		return boot_mark_bad(&self.boot, i, d);
	case JOB_MARK_ACTIVE:
		return boot_set_primary(
		    &self.boot, i, c->boot_attempts_primary, d);
	}
	return R_INTERNAL;
}

/* ---- extract */

static int extract_file(struct bundle_image *f, int fd, struct diag *d)
{
	static uint8_t room[65536];
	struct blk_fd out;
	uint64_t off = 0;
	bool hole = false;
	size_t n = 0;
	int r;

	/* the size is not known to the file yet: blk only checks against it */
	blk_fd_init(&out, fd, -1, f->size, 0, true);
	do {
		r = bundle_image_read(f, room, sizeof room, &n, &hole, d);
		if (r != 0)
			return r;
		if (n > f->size - off)
			return diag_fail(d, R_INTERNAL, "a file grew");
		/* a hole stays one, but its last byte makes the length */
		if (n > 0 && !hole)
			r = blk_write(&out.blk, off, room, n);
		else if (n > 0)
			r = blk_write(&out.blk, off + n - 1, "", 1);
		if (r != 0)
			return diag_fail(d, r, "write error in the output");
		off += n;
	} while (n > 0);
	return 0;
}

static int extract_entry(
    struct sqfs_walk *walk, struct bundle_image *f, struct diag *d)
{
	static struct msg m;
	int fd = -1;
	unsigned count = 1;
	int r = 0;

	memset(&m, 0, sizeof m);
	m.type = MSG_FILE;
	m.u.file.mode = f->file.mode;
	if (strlen(walk->path) >= MSG_PATH)
		return diag_fail(d, R_LIMIT, "the path %.*s... is too long",
		    100, walk->path);
	fmt(m.u.file.path, MSG_PATH, "%s", walk->path);
	switch (f->file.type) {
	case SQFS_DIR:
		m.u.file.kind = FILE_FOLDER;
		break;
	case SQFS_REG:
		m.u.file.kind = FILE_REGULAR;
		break;
	case SQFS_LINK:
		m.u.file.kind = FILE_LINK;
		r = bundle_readlink(f, m.u.file.link, sizeof m.u.file.link, d);
		if (r != 0)
			return r;
		break;
	case SQFS_OTHER:
		log_warn("%s: not extracted: a special file", walk->path);
		return 0;
	}
	child_ask(&m, &fd, &count);
	if (f->file.type != SQFS_REG)
		return 0;
	if (count != 1)
		return diag_fail(d, R_INTERNAL, "grant without file");
	return extract_file(f, fd, d);
}

static int do_extract(struct diag *d)
{
	static struct sqfs_walk walk;
	static struct bundle_image f;
	struct bundle *b = &self.bundle;
	int r = bundle_walk_start(b, &walk, d);

	while (r == 0 && (r = bundle_walk_next(b, &walk, &f, d)) == 1)
		r = extract_entry(&walk, &f, d);
	return r;
}

/* ---- the verbs */

/* The one bundle of the command line; its reason is the job's. */
static int open_named(struct diag *d)
{
	int r = list_candidates(d);

	return r == 0 ? judge(0, d) : r;
}

/* An authentic bundle may still be for another device. */
static void say_verdict(void)
{
	const struct manifest *m = &self.bundle.manifest;
	struct diag d = {0};

	if (self.conf && strcmp(self.conf->compatible, m->compatible) != 0)
		(void)diag_fail(&d, R_COMPATIBLE,
		    "it is for \"%s\", this device is \"%s\"", m->compatible,
		    self.conf->compatible);
	else if (m->wants_code[0] != '\0')
		(void)diag_fail(&d, R_MANIFEST_HOOK, "%s", m->wants_code);
	if (d.reason != 0)
		log_warn("this bundle cannot be installed here: %s [%s]",
		    d.seen, reason_name(d.reason));
}

static int run_info(struct diag *d)
{
	int r = open_named(d);

	if (r != 0)
		return r;
	describe_bundle(&self.bundle, self.w->setup->format);
	say_verdict();
	return 0;
}

static int run_extract(struct diag *d)
{
	int r = open_named(d);

	if (r == 0)
		r = verify_chosen(d);
	return r == 0 ? do_extract(d) : r;
}

static int run_install(enum policy_action *action, struct diag *d)
{
	static struct msg m;
	int fds[MSG_FDS];
	unsigned count;
	int r = open_named(d);

	if (r == 0)
		r = verify_chosen(d);
	if (r != 0)
		return r;
	look_at_heads();
	m.u.facts.medium = POLICY_NEW;
	list_targets(&m.u.facts);
	*action = ask_owner(&m, fds, &count);
	if (*action != POLICY_INSTALL)
		return 0;
	/* somebody is there: not an unattended attempt */
	return do_install(&m.u.grant, fds, count, 0, d);
}

static int run_rescue(enum policy_action *action, struct diag *d)
{
	static struct msg m;
	struct diag why = {0};
	unsigned count;
	unsigned tries;
	int fds[MSG_FDS];
	int r;

	look_at_heads();
	r = self.w->setup->verb == JOB_RESCUE ? list_candidates(&why)
	                                      : R_NO_MEDIUM;
	if (r != 0) {
		m.u.facts.medium = POLICY_NONE;
		m.u.facts.refused = r;
		if (r == R_MEDIUM_GONE || r == R_CHILD)
			return diag_fail(d, r, "%s", why.seen);
	} else {
		judge_all();
		r = choose(&why);
		if (r == 0) {
			r = content_fact(&m.u.facts.medium, &why);
			list_targets(&m.u.facts);
		}
		if (r == R_MEDIUM_GONE || r == R_CHILD)
			return diag_fail(d, r, "%s", why.seen);
		if (r != 0) {
			m.u.facts.medium = POLICY_REFUSED;
			m.u.facts.refused = r;
			m.u.facts.targets = 0;
		}
	}
	tries = tries_fact(m.u.facts.targets > 0);
	*action = ask_owner(&m, fds, &count);
	if (*action == POLICY_INSTALL)
		return do_install(&m.u.grant, fds, count, tries + 1, d);
	if (*action == POLICY_REARM)
		return do_rearm(fds, count, d);
	return 0;
}

static int run_state(enum policy_action *action, struct diag *d)
{
	const struct job_setup *s = self.w->setup;

	if (s->format == JOB_QUIET)
		return run_rescue(action, d);
	look_at_heads();
	describe_status(self.w, &self.boot, self.intact);
	return 0;
}

static int run(enum policy_action *action, struct diag *d)
{
	switch (self.w->setup->verb) {
	case JOB_RESCUE:
	case JOB_REARM:
		return run_rescue(action, d);
	case JOB_STATE:
		return run_state(action, d);
	case JOB_INSTALL:
		return run_install(action, d);
	case JOB_INFO:
		return run_info(d);
	case JOB_EXTRACT:
		return run_extract(d);
	case JOB_MARK:
		return do_mark(self.conf, d);
	}
	return R_INTERNAL;
}

static int prepare(int fd, int pipe, struct diag *d)
{
	const struct work *w = self.w;
	enum sandbox kind = SANDBOX_WRITE;
	int keep[CONF_SLOTS + BOOT_STORES + 2] = {fd};
	unsigned count = 1;
	int r;

	if (pipe >= 0)
		keep[count++] = pipe;
	for (unsigned i = 0; i < w->slots; i++) {
		if (w->slot[i].fd < 0)
			continue;
		(void)store_init(
		    &self.slot[i], &w->slot[i], w->slot[i].fd, -1, false);
		keep[count++] = w->slot[i].fd;
	}
	for (unsigned i = 0; i < w->stores; i++) {
		if (w->env[i].kind == TARGET_MTD)
			kind = SANDBOX_MTD;
		if (w->env[i].fd >= 0)
			keep[count++] = w->env[i].fd;
	}
	r = child_enter(w, kind, fd, keep, count, d);
	if (r != 0)
		return r;
	pipe_init(&self.pipe, pipe);
	if (self.conf)
		self.trust = self.conf->trust;
	self.trust.now = w->setup->now;
	self.trust.floor = w->setup->floor;
	if (w->setup->verb == JOB_INFO || w->setup->verb == JOB_EXTRACT)
		return 0;
	find_names(self.conf);
	return open_boot(NULL, d);
}

void installer_child(const struct work *w, int fd, int pipe)
{
	enum policy_action action = POLICY_WAIT;
	struct diag d = {0};
	int r;

	self.w = w;
	self.conf = w->setup->conf;
	r = prepare(fd, pipe, &d);
	if (r == 0)
		r = run(&action, &d);
	if (r != 0)
		(void)diag_fail(&d, r, "%s", reason_help(r));
	child_end(&d, action, written);
}
