/* SPDX-License-Identifier: 0BSD */
/* The installer child: judges bundles, compares, asks, writes. It opens
 * nothing; what it may write was handed to it after the owner decided. */
#include "worker/installer.h"

#include "base/fmt.h"
#include "options.h"

/* as FAR() in base/base.h, for more than one file */
static struct installer installer __attribute__((section(".bss.far")));
struct installer *volatile const installer_at = &installer;

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

/* Copies in one erase block would be lost together. */
static bool share_block(const struct work *w)
{
	const struct blk_window *c = self.copy;
	uint64_t last = c->blk.size - 1;
	uint32_t erase = w->env[0].erase;

	return w->stores > 1 && erase > 0 && w->env[0].dev == w->env[1].dev &&
	       (c[0].off + last) / erase >= c[1].off / erase &&
	       (c[1].off + last) / erase >= c[0].off / erase;
}

/* Loads the boot state from fds, or from what the owner opened for reading
 * when fds is NULL. */
static int open_boot(const int *fds, struct diag *d)
{
	const struct work *w = self.w;
	const struct job_setup *s = w->setup;
	struct blk *copies[BOOT_STORES];

	for (unsigned i = 0; i < w->stores; i++) {
		const struct target *t = &w->env[i];
		const struct fw_env_copy *c = &s->fw_env->copy[i];
		struct blk *below = store_init(
		    &self.env[i], t, fds ? fds[i] : t->fd, -1, fds != NULL);

		if (blk_window_init(&self.copy[i], below,
		        (uint64_t)c->offset + (c->offset < 0 ? t->size : 0),
		        c->size) != 0)
			return diag_fail(d, R_BOOT_CONFIG,
			    "%s: the environment ends behind it", t->path);
		copies[i] = &self.copy[i].blk;
	}
	if (OPT_MTD && share_block(w))
		return diag_fail(d, R_BOOT_CONFIG,
		    "%s: both copies in one erase block", w->env[0].path);
	self.boot.nor = w->stores > 0 && w->env[0].kind == TARGET_MTD;
	if (s->initial_env)
		self.boot.defaults =
		    (struct slice){s->initial_env, strlen(s->initial_env)};
	return boot_open(&self.boot, self.conf->bootloader_name, copies,
	    w->stores, self.names, self.name_count, d);
}

/* ---- what is done with a grant */

/* The environment's descriptors are the last ones that came. */
static int take_env(unsigned before, struct diag *d)
{
	if (self.fd_count != before + self.w->stores)
		return diag_fail(d, R_INTERNAL, "grant does not fit");
	return open_boot(self.fds + before, d);
}

/* What the next write to the boot state stores. */
static void set_tries(unsigned tries)
{
	struct boot_state *b = &self.boot.state;

	b->tries = tries;
	if (self.plan.count > 0)
		memcpy(b->tries_id, self.bundle.manifest.sha256,
		    sizeof b->tries_id);
}

/* What an owner allowed is not skipped in silence. */
static void say_ignored(void)
{
	unsigned code = self.bundle.manifest.code;
	char words[80];

	manifest_code_text(words, code);
	if (words[0] != '\0')
		log_warn(
		    "the bundle's hooks are not run (ignore-hooks): %s", words);
}

static int do_install(unsigned tries, struct diag *d)
{
	const struct msg_grant *g = &self.m.u.grant;
	unsigned next = 0;
	int r;

	if (g->targets != self.plan.count)
		return diag_fail(d, R_INTERNAL, "grant does not fit");
	for (unsigned i = 0; i < self.plan.count; i++) {
		unsigned slot = self.plan.item[i].slot;
		bool direct = (g->direct >> i & 1) != 0;

		/* of MSG_FDS: take_env checks how many came */
		self.in.target[i] =
		    store_init(&self.slot[slot], &self.w->slot[slot],
		        self.fds[next], direct ? self.fds[next + 1] : -1, true);
		next += direct ? 2 : 1;
	}
	r = take_env(next, d);
	if (r != 0)
		return r;
	say_ignored();
	set_tries(tries);
	return because(install_run(&self.in, d), d);
}

static int do_rearm(struct diag *d)
{
	const struct boot_state *b = &self.boot.state;
	int r = take_env(0, d);

	if (r != 0)
		return r;
	if (b->count == 0)
		return diag_fail(d, R_NO_TARGET, "no slot has a bootname");
	set_tries(self.tries + 1);
	r = boot_set_primary(
	    &self.boot, rearm_name(), self.conf->boot_attempts_primary, d);
	/* what is not stored is not counted, and would go round for ever */
	if (r == 0 && !b->valid)
		r = diag_fail(d, R_BOOT_IO, "%s", b->text);
	if (OPT_STATUS && r == 0 && self.plan.count > 0)
		report_status(NULL, STATUS_OK);
	return r;
}

/* ---- the verbs */

static int run_mark(struct diag *d)
{
	const struct conf *c = self.conf;
	const char *name = self.w->setup->mark_slot;
	unsigned i = 0;
	int r;

	while (i < self.name_count && strcmp(self.names[i], name) != 0 &&
	       strcmp(c->slot[self.name_slot[i]].name, name) != 0)
		i++;
	if (i == self.name_count)
		return diag_fail(
		    d, R_BOOT_NAME, "%s is no slot with a bootname", name);
	(void)ask_owner(NULL);
	r = take_env(0, d);
	if (r != 0)
		return r;
	switch (self.w->setup->mark) {
	case JOB_MARK_GOOD:
		r = boot_mark_good(&self.boot, i, c->boot_attempts, d);
		break;
	case JOB_MARK_BAD:
		r = boot_mark_bad(&self.boot, i, d);
		break;
	case JOB_MARK_ACTIVE:
		r = boot_set_primary(
		    &self.boot, i, c->boot_attempts_primary, d);
		break;
	}
	/* an install can do without one, but here nothing was done */
	if (r == 0 && self.boot.stores > 0 && !self.boot.state.valid)
		r = diag_fail(d, R_BOOT_CRC, "%s", self.boot.state.text);
	if (OPT_STATUS && r == 0 && self.w->setup->mark == JOB_MARK_ACTIVE)
		report_activated(self.name_slot[i]);
	return r;
}

/* The one bundle of the command line; its reason is the job's. */
static int open_named(bool verify, struct diag *d)
{
	int r = list_candidates(d);

	if (r == 0)
		r = judge_candidate(0, d);
	/* an install verifies a stream as it comes */
	if (self.bundle.forward && self.w->setup->verb == JOB_INSTALL)
		verify = false;
	return r == 0 && verify ? verify_bundle(d) : r;
}

static int run_info(struct diag *d)
{
	int r = open_named(false, d);

	if (r != 0)
		return r;
	learn_limits();
	describe_bundle(&self.bundle, self.w->setup->format);
	return 0;
}

static int run_extract(struct diag *d)
{
	int r = open_named(true, d);

	return r == 0 ? extract_bundle(d) : r;
}

static int run_install(enum policy_action *action, struct diag *d)
{
	int r;

	judge_heads();
	learn_limits();
	r = open_named(true, d);
	if (r == 0)
		r = check_stream(d);
	if (r != 0)
		return r;
	self.m.u.facts.facts.medium = POLICY_NEW;
	*action = ask_owner(&self.candidate[0]);
	/* somebody is there: not an unattended attempt */
	return *action == POLICY_INSTALL ? do_install(0, d) : 0;
}

static int run_rescue(enum policy_action *action, struct diag *d)
{
	struct job_facts *f = &self.m.u.facts.facts;
	const struct candidate *chosen = NULL;
	struct diag why = {0};
	int r = R_NO_MEDIUM;

	judge_heads();
	f->medium = POLICY_NONE;
	if (self.w->setup->verb == JOB_RESCUE)
		r = list_candidates(&why);
	if (r == 0) {
		f->medium = POLICY_REFUSED;
		learn_limits();
		r = choose_candidate(&chosen, &why);
		if (r == 0)
			r = compare_content(&why);
		if (r == 0 && check_stream(&why) != 0 &&
		    f->medium == POLICY_NEW)
			r = R_LAST_GOOD;
		if (r != 0)
			f->medium = POLICY_REFUSED;
	}
	if (r == R_MEDIUM_GONE || r == R_CHILD ||
	    (r != 0 && self.w->setup->bundle))
		return diag_fail(d, r, "%s", why.seen);
	if (r != 0)
		self.plan.count = 0; /* it is none's */
	f->refused = r;
	*action = ask_owner(r == 0 ? chosen : NULL);
	if (*action == POLICY_INSTALL)
		return do_install(self.tries + 1, d);
	return *action == POLICY_REARM ? do_rearm(d) : 0;
}

static int run_state(enum policy_action *action, struct diag *d)
{
	if (self.w->setup->format == JOB_QUIET)
		return run_rescue(action, d);
	look_at_heads();
	describe_status(self.w, &self.boot, self.intact);
	return 0;
}

/* Whatever it is: nothing is judged. */
static int run_fetch(struct diag *d)
{
	int r = list_candidates(d);

	if (r == 0)
		r = pipe_open(&self.pipe, 0, d);
	return r == 0 ? fetch_file(d) : because(r, d);
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
	case JOB_FETCH:
		return OPT_FEED ? run_fetch(d) : R_INTERNAL;
	case JOB_MARK:
		return run_mark(d);
	case JOB_SEND:
		break;
	}
	return R_INTERNAL;
}

/* Status shows the slots even where there is no environment. */
static int prepare_boot(struct diag *d)
{
	const struct conf *c = self.conf;
	const struct diag *none = &self.w->no_env;
	struct boot_state *b = &self.boot.state;

	for (unsigned i = 0; i < c->slots; i++)
		if (c->slot[i].bootname[0] != '\0' &&
		    self.name_count < BOOTNAMES) {
			self.name_slot[self.name_count] = i;
			self.names[self.name_count++] = c->slot[i].bootname;
		}
	if (none->reason == 0)
		return open_boot(NULL, d);
	fmt(b->text, sizeof b->text, "unknown: %s [%s]", none->seen,
	    reason_name(none->reason));
	log_warn("boot state %s", b->text);
	return 0;
}

static int prepare(int fd, int pipe, struct diag *d)
{
	const struct work *w = self.w;
	const struct job_setup *s = w->setup;
	enum sandbox kind = SANDBOX_WRITE;
	int keep[MSG_SPECS + 2] = {fd, pipe};
	unsigned count = pipe >= 0 ? 2 : 1;
	int r;

	/* all but the data partition */
	for (unsigned i = 0; i < MSG_SPECS - 1; i++) {
		const struct target *t = &w->target[i];

		if (t->fd < 0)
			continue;
		keep[count++] = t->fd;
		if (i < CONF_SLOTS)
			(void)store_init(&self.slot[i], t, t->fd, -1, false);
		else if (t->kind == TARGET_MTD)
			kind = SANDBOX_MTD;
	}
	r = child_enter(w, kind, fd, keep, count, d);
	if (r != 0)
		return r;
	pipe_init(&self.pipe, pipe);
	if (self.conf) {
		self.trust = self.conf->trust;
		self.bundle.formats = self.conf->formats;
	}
	self.bundle.progress = verify_progress;
	self.bundle.recipient = s->recipient;
	if (s->settings)
		settings_apply(s->settings, &self.trust);
	self.trust.now = s->now;
	self.trust.floor = s->floor;
	if (s->keyring && s->keyring->crls > 0 && !self.trust.check_crl)
		log_warn("the keyring has CRLs, but check-crl is not set");
	self.in.bundle = &self.bundle;
	self.in.boot = &self.boot;
	self.in.conf = self.conf;
	self.in.plan = &self.plan;
	self.in.progress = child_progress;
	if (OPT_STATUS)
		self.in.record = report_status;
	self.in.ctx = &self.written;
	if (!self.conf || s->verb == JOB_INFO || s->verb == JOB_EXTRACT ||
	    s->verb == JOB_FETCH)
		return 0;
	return prepare_boot(d);
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
	bundle_close(&self.bundle);
	child_end(&d, action, self.written);
}
