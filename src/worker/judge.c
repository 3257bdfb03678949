/* SPDX-License-Identifier: 0BSD */
/* Which of the files is the bundle to install: all are judged, and every one
 * that is not taken gets its line in the log. */
#include "base/fmt.h"
#include "bundle/der.h"
#include "worker/installer.h"

int verify_progress(void *ctx, uint64_t done, uint64_t total)
{
	return child_progress(ctx, PHASE_VERIFY, done, total);
}

int because(int r, struct diag *d)
{
	if (r == 0)
		return 0;
	if (self.pipe.diag.reason == r)
		*d = self.pipe.diag;
	return diag_fail(d, r, "%s", reason_help(r));
}

int list_candidates(struct diag *d)
{
	unsigned count = 1;

	for (unsigned i = 0; i < count; i++) {
		struct candidate *c = &self.candidate[i];
		int r = pipe_list(&self.pipe, i, c->where, &count, d);

		if (r != 0)
			return r;
		fmt(c->who, sizeof c->who, "%s", c->where);
		self.candidates++;
	}
	return 0;
}

static int check_targets(struct diag *d)
{
	for (unsigned i = 0; i < self.plan.count; i++) {
		const struct plan_item *p = &self.plan.item[i];
		const struct target *t = &self.w->slot[p->slot];
		const char *name = self.conf->slot[p->slot].name;
		const struct manifest_image *m =
		    &self.bundle.manifest.image[p->image];

		if (t->reason != 0)
			return diag_fail(
			    d, t->reason, "slot %s: %s", name, t->seen);
		if (m->size > t->size)
			return diag_fail(d, R_TARGET_SMALL,
			    "%s has %llu bytes, slot %s has %llu", m->filename,
			    (unsigned long long)m->size, name,
			    (unsigned long long)t->size);
	}
	return 0;
}

static const char *version_of(const struct candidate *c)
{
	return c->version[0] != '\0' ? c->version : "no version";
}

int judge_candidate(unsigned i, struct diag *d)
{
	struct candidate *c = &self.candidate[i];
	const struct manifest *m = &self.bundle.manifest;
	const struct signer *who = &self.bundle.signer;
	int r = pipe_open(&self.pipe, i, d);
	char when[TIME_TEXT];

	self.bundle.forward = self.pipe.forward;
	/* what comes once comes alone, and not from a medium */
	if (r == 0 && self.pipe.forward &&
	    (self.w->feed < 0 || self.candidates > 1))
		return diag_fail(
		    d, R_CHILD, "the source gave a malformed answer");
	if (r == 0)
		r = bundle_open(&self.bundle, &self.pipe.blk,
		    self.w->setup->keyring, &self.trust, d);
	if (r != 0)
		return because(r, d);
	/* Chosen was what the first look saw, and its manifest says it all. */
	if (!all_zero(c->sha256, sizeof c->sha256) &&
	    memcmp(c->sha256, m->sha256, sizeof c->sha256) != 0)
		return diag_fail(d, R_PLAIN_CHANGED,
		    "another bundle than before: version %s, now %s",
		    c->version, m->version);
	if (who->at.now != self.judged_at) {
		time_text(when, who->at.now);
		log_info("certificates are judged at %s, %s", when, who->at.by);
		self.judged_at = who->at.now;
	}
	fmt(c->version, sizeof c->version, "%s", m->version);
	fmt(c->who, sizeof c->who, "%s (%s, signed by %s)", c->where,
	    version_of(c), who->cn[0] ? who->cn : "no name");
	c->signed_at = who->has_time ? who->signing_time : 0;
	memcpy(c->sha256, m->sha256, sizeof c->sha256);
	if (self.w->slots == 0)
		return 0;
	if (m->format == FORMAT_CRYPT && !self.bundle.enveloped)
		return diag_fail(d, R_CRYPT_OPEN,
		    "the key of what is encrypted can be read by everybody");
	r = install_plan(&self.plan, self.conf, &self.limits, m,
	    &self.boot.state, self.w->setup->booted, d);
	return r == 0 ? check_targets(d) : r;
}

int verify_bundle(struct diag *d)
{
	return because(
	    bundle_verify(&self.bundle, verify_progress, NULL, d), d);
}

static void refuse(struct candidate *c, const struct diag *d)
{
	c->good = false;
	c->reason = d->reason;
	self.refused = c;
	fmt(c->seen, sizeof c->seen, "%s", d->seen);
	log_warn(
	    "%s: not taken: %s [%s]", c->who, c->seen, reason_name(c->reason));
}

/* By their versions; false when one of them is no semantic version. */
static bool compare_versions(
    const struct candidate *a, const struct candidate *b, int *order)
{
	return semver_compare(a->version, b->version, order, NULL) == 0;
}

/* Of two that cannot be compared, with a third one that can, either could be
 * called newer than the other: so it is all of them by version, or none. */
static bool all_comparable(void)
{
	int order;

	for (unsigned i = 0; i < self.candidates; i++) {
		const struct candidate *c = &self.candidate[i];

		if (c->good && !compare_versions(c, c, &order))
			return false;
	}
	return true;
}

/* < 0 when a is the lesser one. */
static int compare(
    const struct candidate *a, const struct candidate *b, bool by_version)
{
	int order;

	if (by_version && compare_versions(a, b, &order))
		return order;
	return a->signed_at < b->signed_at ? -1 : a->signed_at > b->signed_at;
}

static bool is_same(const struct candidate *a, const struct candidate *b)
{
	return memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

static struct candidate *best_candidate(bool by_version)
{
	struct candidate *best = NULL;

	for (unsigned i = 0; i < self.candidates; i++) {
		struct candidate *c = &self.candidate[i];

		if (c->good && (!best || compare(best, c, by_version) < 0))
			best = c;
	}
	return best;
}

/* Different bundles that nothing tells apart: one version, or none to compare
 * and one time. */
static bool are_rivals(
    const struct candidate *a, const struct candidate *b, bool by_version)
{
	int order;

	if (is_same(a, b))
		return false;
	if (compare_versions(a, b, &order)
	        ? order == 0
	        : a->version[0] != '\0' && strcmp(a->version, b->version) == 0)
		return true;
	return compare(a, b, by_version) == 0;
}

/*
 * Nobody is there to choose, and an older one is not what was meant either:
 * of rivals none is taken.
 */
static bool is_rivalled(const struct candidate *a, bool by_version)
{
	struct diag d = {0};

	for (unsigned i = 0; i < self.candidates; i++) {
		const struct candidate *b = &self.candidate[i];

		if (b->good && are_rivals(a, b, by_version))
			(void)diag_fail(&d, R_BUNDLE_CHOICE,
			    "%.*s (%.*s) and %.*s (%.*s) are different "
			    "bundles, neither newer",
			    46, a->where, 28, version_of(a), 46, b->where, 28,
			    version_of(b));
	}
	for (unsigned i = 0; d.reason != 0 && i < self.candidates; i++)
		if (self.candidate[i].good)
			refuse(&self.candidate[i], &d);
	return d.reason != 0;
}

/* lifeboat.bundle= names one file: "/x.raucb", "sda1:/x.raucb". */
static bool is_named(const char *where, const char *name)
{
	size_t n = strlen(where), m = strlen(name);

	if (m > n || strcmp(where + n - m, name) != 0)
		return false;
	return m == n || where[n - m - 1] == (name[0] == '/' ? ':' : '/');
}

/* Of a person at the console, else of the settings; or "". */
static const char *asked_for(void)
{
	const struct job_setup *s = self.w->setup;

	if (s->verb != JOB_RESCUE || s->bundle)
		return "";
	return s->chosen ? s->chosen : s->settings->bundle;
}

static void judge_all(const char *name)
{
	for (unsigned i = 0; i < self.candidates; i++) {
		struct candidate *c = &self.candidate[i];
		struct diag d = {0};

		c->good = name[0] == '\0' || is_named(c->where, name);
		if (!c->good) {
			fmt(c->seen, sizeof c->seen, "not the one asked for");
			log_info("%s: not taken: %s", c->who, c->seen);
		} else if (judge_candidate(i, &d) != 0) {
			refuse(c, &d);
		}
	}
}

/* Why best is, and why each of the others that are good is not, taken. */
static void say_choice(struct candidate *best, bool named, bool by_version)
{
	const char *why = named ? "asked for" : "the only one";

	for (unsigned i = 0; i < self.candidates; i++) {
		struct candidate *c = &self.candidate[i];
		const char *word =
		    by_version ? "of a lower version than" : "signed before";

		if (c == best || !c->good)
			continue;
		if (is_same(c, best))
			word = "the same as";
		else if (!named)
			why = by_version ? "the highest version"
			                 : "the newest signing time (versions "
			                   "cannot be compared)";
		fmt(c->seen, sizeof c->seen, "%s %s", word, best->where);
		log_info("%s: not taken: %s", c->who, c->seen);
	}
	fmt(best->seen, sizeof best->seen, "%s", why);
	log_info("%s: taken: %s", best->who, why);
}

/* What was judged is open again, and sound to its last block. What comes once
 * is open still, and verified as it comes. */
static int confirm(const struct candidate *c, struct diag *d)
{
	int r;

	if (self.pipe.forward && self.candidates == 1)
		return 0;
	log_info("%s: verifying it", c->who);
	r = judge_candidate((unsigned)(c - self.candidate), d);
	return r == 0 ? verify_bundle(d) : r;
}

static struct candidate *choose(const char *name)
{
	struct candidate *best;
	bool by_version;

	judge_all(name);
	while (by_version = all_comparable(),
	    (best = best_candidate(by_version)) != NULL) {
		struct diag why = {0};

		if (is_rivalled(best, by_version))
			continue;
		if (confirm(best, &why) != 0) {
			refuse(best, &why);
			continue;
		}
		say_choice(best, name[0] != '\0', by_version);
		break;
	}
	return best;
}

/* The owner, so that a person can choose: what may be taken comes first. */
static void tell_candidates(const struct candidate *chosen)
{
	unsigned told = 0;

	for (int last = 0; last < 2; last++)
		for (unsigned i = 0; i < self.candidates; i++) {
			const struct candidate *c = &self.candidate[i];
			bool first = c->good || c->reason == R_BUNDLE_CHOICE;
			char line[LOG_LINE];

			if (first == last || told++ >= JOB_CANDIDATES)
				continue;
			fmt(line, sizeof line, "%s: %staken: %s", c->who,
			    c == chosen ? "" : "not ", c->seen);
			child_candidate(c->where, line);
		}
}

int choose_candidate(const struct candidate **chosen, struct diag *d)
{
	const struct candidate *best = choose(asked_for());

	if (self.w->setup->verb == JOB_RESCUE)
		tell_candidates(best);
	*chosen = best;
	if (best)
		return 0;
	if (self.refused)
		return diag_fail(d, self.refused->reason, "%.*s: %s", 60,
		    self.refused->where, self.refused->seen);
	return diag_fail(d, R_NO_BUNDLE, "none of the bundles was asked for");
}
