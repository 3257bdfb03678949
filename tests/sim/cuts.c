/* SPDX-License-Identifier: 0BSD */
#include "cuts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 2
#define SAY 30 /* wrong things that are printed */

/* A run that is cut: recorded, then stepped through again. */
struct level {
	struct rig first, cursor;
	uint64_t base; /* hash of what the cursor has durable */
	uint64_t old[SIM_CACHE], new[SIM_CACHE]; /* of each cached sector */
	bool shadowed[SIM_CACHE];
};

static struct level level[LEVELS];
static struct rig again, other;

/* Hashes of the states of this scenario that were judged. */
static uint64_t *seen;
static size_t seen_size, seen_count;

void tally_add(struct tally *to, const struct tally *t)
{
	to->scenarios += t->scenarios;
	to->cuts += t->cuts;
	to->states += t->states;
	to->bricks += t->bricks;
	to->unfinished += t->unfinished;
	to->by_hand += t->by_hand;
	to->lost += t->lost;
	to->pending += t->pending;
}

/* ---- what is wrong ---- */

static void say(struct cuts *c, const char *what, const char *where)
{
	char text[200];

	static unsigned said;

	if (!c->loud || said++ > SAY)
		return;
	scenario_print(&rig_world.sc, text, sizeof text);
	fprintf(
	    stderr, "%s%s%s (%s)\n", what, where[0] ? ": " : "", where, text);
}

void cuts_wrong(struct cuts *c, const struct oracle_verdict *v)
{
	if (v->wrong == 0)
		return;
	c->tally.bricks++;
	for (unsigned i = 0; i < ORACLE_BITS; i++)
		if (v->wrong >> i & 1) {
			c->wrong[i]++;
			say(c, oracle_text((enum oracle_bit)i), v->where);
		}
}

void cuts_unfinished(struct cuts *c, const char *what)
{
	c->tally.unfinished++;
	say(c, what, "");
}

/* ---- which states were there already ---- */

static void grow(void)
{
	uint64_t *was = seen;
	size_t size = seen_size;

	seen_size = size ? 2 * size : 1u << 12;
	seen = calloc(seen_size, sizeof *seen);
	if (!seen)
		abort();
	for (size_t i = 0; i < size; i++) {
		size_t at = was[i] % seen_size;

		if (was[i] == 0)
			continue;
		while (seen[at] != 0)
			at = (at + 1) % seen_size;
		seen[at] = was[i];
	}
	free(was);
}

static bool is_new_state(uint64_t h)
{
	size_t at;

	if (2 * seen_count >= seen_size)
		grow();
	h |= 1; /* 0 is an empty place */
	for (at = h % seen_size; seen[at] != 0; at = (at + 1) % seen_size)
		if (seen[at] == h)
			return false;
	seen[at] = h;
	seen_count++;
	return true;
}

static void forget_states(void)
{
	if (seen)
		memset(seen, 0, seen_size * sizeof *seen);
	seen_count = 0;
}

/* ---- machines ---- */

/* The same windows onto the disks of another machine. */
static void rewire(struct rig *to, const struct rig *from)
{
	const struct blk_window *w[] = {&from->slot[0], &from->slot[1],
	    &from->slot[2], &from->slot[3], &from->env[0], &from->env[1],
	    &from->data};
	struct blk_window *t[] = {&to->slot[0], &to->slot[1], &to->slot[2],
	    &to->slot[3], &to->env[0], &to->env[1], &to->data};

	for (unsigned i = 0; i < sizeof w / sizeof w[0]; i++) {
		*t[i] = *w[i];
		t[i]->below =
		    &to->sim.disk[((struct simdisk *)w[i]->below)->index].blk;
	}
	to->env_was_lost = from->env_was_lost;
}

/* What is durable, and nothing else. */
static void copy(struct rig *to, const struct rig *from)
{
	sim_copy(&to->sim, &from->sim);
	rewire(to, from);
}

/* ---- living on ---- */

bool cuts_nothing_stored(struct rig *r, const struct visit *v)
{
	return v->reason == R_BOOT_IO && v->action == POLICY_REARM &&
	       !rig_env_valid(r);
}

static bool third_run(struct cuts *c, struct rig *r)
{
	struct visit v = {.stick = true};
	bool compare = c->tally.states % 16 == 0;
	uint64_t before = compare ? sim_hash(&r->sim) : 0;

	/* in recovery the second group would be its turn */
	if (rig_world.sc.groups == GROUPS_TWO)
		return true;
	rig_visit(r, &v);
	/* where nothing can be counted nothing is re-armed */
	if (v.reason != 0 && !cuts_nothing_stored(r, &v)) {
		cuts_unfinished(c, "the third run fails");
		return false;
	}
	if (v.reason == 0 &&
	    (v.action == POLICY_INSTALL || v.action == POLICY_REARM)) {
		cuts_unfinished(c, "the third run does something");
		return false;
	}
	if (r->sim.writes != 0)
		cuts_unfinished(c, "the third run writes");
	rig_cut(r, true);
	if (compare && sim_hash(&r->sim) != before)
		cuts_unfinished(c, "the third run changes something");
	return true;
}

/* The stick was pulled out, and the device is left to itself. */
static void live_without(struct cuts *c, const struct rig *r)
{
	struct visit v = {.stick = false};

	copy(&other, r);
	if (rig_live(&other, &v) == END_HALF) {
		c->tally.bricks++;
		say(c, "half a system is started, the stick being out", "");
	}
}

static const char *const end_text[] = {
    [END_UP_NEW] = "",
    [END_UP] = "the new system does not come up",
    [END_WAITS] = "recovery waits for a person",
    [END_STUCK] = "the loader goes round in circles",
    [END_FAILED] = "the second run fails",
    [END_HALF] = "half a system is started",
    [END_NEVER] = "it comes to no end",
};

/*
 * U-Boot's own environment is not made anew, because what else is in it is not
 * known: U-Boot goes on with the defaults that it was built with, and they
 * start the first group, which is whole, even where the second one is new.
 */
static bool defaults_win(void)
{
	return (rig_world.sc.env == ENV_OWN_SINGLE ||
	           rig_world.sc.env == ENV_OWN) &&
	       rig_world.sc.groups == GROUPS_TWO;
}

static bool status_pending(const struct oracle_verdict *v)
{
	return (v->wrong & ~(unsigned)ORACLE_NOT_TOLD) == 0;
}

/* On purpose. True: an install was made. */
static bool call_recovery(
    struct rig *r, struct visit *v, enum rig_end *end, bool forced)
{
	bool installed;

	v->forced = forced;
	rig_visit(r, v);
	rig_cut(r, false);
	v->forced = false;
	installed = v->reason == 0 && v->action == POLICY_INSTALL;
	if (v->reason != 0 && !cuts_nothing_stored(r, v))
		*end = END_FAILED;
	else
		*end = rig_live(r, v);
	return installed;
}

bool cuts_live_on(struct cuts *c, struct rig *r)
{
	struct visit v = {.stick = true};
	struct oracle_verdict look;
	enum rig_end end = rig_live(r, &v);
	bool installed = v.action == POLICY_INSTALL && v.boots > 0;
	bool circles = !model_loader[rig_world.sc.loader].recovery ||
	               rig_world.sc.loader == LOADER_BOOTCOUNT;

	if (end == END_STUCK && circles)
		c->tally.by_hand++;
	if (!installed &&
	    ((end == END_UP_NEW && rig_world.sc.groups != GROUPS_TWO) ||
	        end == END_UP || (end == END_STUCK && circles)))
		installed = call_recovery(r, &v, &end,
		    end == END_UP && rig_world.sc.start == START_REINSTALL);
	if (!installed && v.reason == 0 &&
	    (end == END_UP || (end == END_STUCK && circles))) {
		/* a slot that boots, or a loader that gives new attempts, and
		 * the unattended tries are used up: recovery says so, and
		 * somebody has to press i */
		c->tally.by_hand++;
		installed = call_recovery(r, &v, &end, true);
	}
	if (end == END_UP && defaults_win() && !rig_env_valid(r)) {
		c->tally.by_hand++;
		return true;
	}
	if (end != END_UP_NEW) {
		cuts_unfinished(c, end_text[end]);
		if (c->loud && v.reason != 0 && c->tally.unfinished <= SAY)
			fprintf(stderr, "  %s: %s\n", reason_name(v.reason),
			    v.d.seen);
		return false;
	}
	rig_judge(r, ORACLE_DONE, rig_world.sc.store != STORE_NONE, &look);
	if (look.wrong != 0 && !installed && status_pending(&look))
		c->tally.pending++;
	else
		cuts_wrong(c, &look);
	return third_run(c, r);
}

/* ---- one cut ---- */

static void cut_run(struct cuts *c, unsigned depth);

/* The durable state that this choice of survivors leaves. */
static uint64_t hash_of(const struct level *l, const bool *keep)
{
	const struct sim *s = &l->cursor.sim;
	uint64_t h = l->base;

	for (unsigned i = s->cached; i-- > 0;) {
		bool later = false;

		if (!keep[i])
			continue;
		/* only sectors that are cached twice need a look */
		for (unsigned k = i + 1; l->shadowed[i] && k < s->cached; k++)
			later |= keep[k] && s->cache[k].at == s->cache[i].at &&
			         s->cache[k].disk == s->cache[i].disk;
		if (!later)
			h ^= l->old[i] ^ l->new[i];
	}
	return h;
}

/* False: there is nothing left to repair, and with two groups another run
 * would turn to the second one. */
static bool judge_state(struct cuts *c, struct rig *r)
{
	struct oracle_verdict v;

	rig_judge(r, ORACLE_CUT, false, &v);
	cuts_wrong(c, &v);
	if (rig_world.copies == 1 && !v.env_valid &&
	    rig_world.sc.start != START_FRESH)
		c->tally.lost++;
	return rig_world.sc.groups != GROUPS_TWO || v.boots < 0 ||
	       !rig_world.target[2 * v.boots] || !v.exact[v.boots];
}

static void cut_with(struct cuts *c, unsigned depth, const bool *keep)
{
	struct level *l = &level[depth];
	const struct sim *s = &l->cursor.sim;
	uint64_t h = hash_of(l, keep);

	c->tally.cuts++;
	if (!is_new_state(h ^ (l->cursor.env_was_lost ? 0x5555 : 0)))
		return;
	c->tally.states++;
	copy(&again, &l->cursor);
	for (unsigned i = 0; i < s->cached; i++)
		if (keep[i])
			sim_load(&again.sim.disk[s->cache[i].disk],
			    s->cache[i].at, s->cache[i].data,
			    again.sim.disk[s->cache[i].disk].sector);
	if (judge_state(c, &again) && depth + 1 < LEVELS && c->pairs > 0 &&
	    c->tally.states % c->pairs == 0) {
		copy(&level[depth + 1].first, &again);
		cut_run(c, depth + 1);
		copy(&again, &level[depth + 1].cursor);
	}
	if (!c->reruns)
		return;
	if (h % 4 == 0)
		live_without(c, &again);
	cuts_live_on(c, &again);
}

static void set(bool *keep, unsigned from, unsigned to, bool v)
{
	while (from < to)
		keep[from++] = v;
}

/* Where the run of cached sectors ends that came with one write and lie in
 * one block of this size. */
static unsigned block_end(const struct sim *s, unsigned i, uint64_t block)
{
	unsigned k = i;

	while (k < s->cached && s->cache[k].op == s->cache[i].op &&
	       s->cache[k].at / block == s->cache[i].at / block)
		k++;
	return k;
}

/* Each write dropped, alone, and torn inside at this size, with all others
 * on the medium and with none. */
static void tear(struct cuts *c, unsigned depth, uint64_t block)
{
	const struct sim *s = &level[depth].cursor.sim;
	bool keep[SIM_CACHE] = {false};

	for (unsigned i = 0; i < s->cached;) {
		unsigned end = block_end(s, i, UINT64_MAX);

		for (unsigned others = 0; others < 2; others++)
			for (unsigned k = i;; k = block_end(s, k, block)) {
				set(keep, 0, s->cached, others == 1);
				set(keep, i, k, true);
				set(keep, k, end, false);
				cut_with(c, depth, keep);
				set(keep, i, k, false);
				set(keep, k, end, true);
				cut_with(c, depth, keep);
				if (k == end)
					break;
			}
		i = end;
	}
}

static void cut_random(struct cuts *c, unsigned depth, unsigned count)
{
	const struct sim *s = &level[depth].cursor.sim;
	bool keep[SIM_CACHE];

	for (unsigned k = 0; s->cached > 1 && k < count; k++) {
		uint64_t bits = 0;

		for (unsigned i = 0; i < s->cached; i++) {
			if (i % 32 == 0)
				bits = sim_random(&c->seed);
			keep[i] = bits >> (i % 32) & 1;
		}
		cut_with(c, depth, keep);
	}
}

/* The power fails where the cursor stands. */
static void cut_here(struct cuts *c, unsigned depth)
{
	const struct sim *s = &level[depth].cursor.sim;
	bool keep[SIM_CACHE] = {false};

	cut_with(c, depth, keep);
	if (depth > 0) { /* of a pair: none, all, random */
		set(keep, 0, s->cached, true);
		cut_with(c, depth, keep);
		cut_random(c, depth, c->random2);
		return;
	}
	for (unsigned i = 0; i < s->cached; i++) { /* every prefix to all */
		keep[i] = true;
		cut_with(c, depth, keep);
	}
	for (unsigned i = 0; i < s->cached; i++) { /* each dropped, alone */
		set(keep, 0, s->cached, true);
		keep[i] = false;
		cut_with(c, depth, keep);
		set(keep, 0, s->cached, false);
		keep[i] = true;
		cut_with(c, depth, keep);
	}
	tear(c, depth, 512);
	tear(c, depth, 4096);
	cut_random(c, depth, c->random);
}

/* Hashes of what is cached before the next operation. */
static void look_at_cache(struct level *l)
{
	const struct sim *s = &l->cursor.sim;

	for (unsigned i = 0; i < s->cached; i++) {
		const struct sim_sector *e = &s->cache[i];
		const struct simdisk *d = &s->disk[e->disk];

		l->old[i] = sim_sector_hash(d, e->at, d->durable + e->at);
		l->new[i] = sim_sector_hash(d, e->at, e->data);
		l->shadowed[i] = false;
		for (unsigned k = i + 1; k < s->cached; k++)
			l->shadowed[i] |= s->cache[k].at == e->at &&
			                  s->cache[k].disk == e->disk;
	}
}

/*
 * Records the run that the level's first machine is about to make, and cuts
 * it everywhere. The cursor ends as the machine was before.
 */
static void cut_run(struct cuts *c, unsigned depth)
{
	struct level *l = &level[depth];
	struct visit v = {.stick = true};
	static struct rig start[LEVELS];

	copy(&start[depth], &l->first);
	copy(&l->cursor, &l->first);
	sim_log(&l->first.sim, true);
	if (depth == 0) {
		v.mischief = c->mischief;
		v.forced = rig_world.sc.start == START_REINSTALL;
	}
	rig_visit(&l->first, &v);
	if (v.reason != 0 && !c->mischief &&
	    !cuts_nothing_stored(&l->first, &v)) {
		cuts_unfinished(c, "a run that is not disturbed fails");
		if (c->loud)
			fprintf(stderr, "  %s: %s\n", reason_name(v.reason),
			    v.d.seen);
	}
	for (unsigned n = 0; n <= l->first.sim.logged; n++) {
		l->base = sim_hash(&l->cursor.sim);
		look_at_cache(l);
		cut_here(c, depth);
		if (n < l->first.sim.logged)
			sim_step(&l->first.sim, n, &l->cursor.sim);
	}
	sim_log(&l->first.sim, false);
	copy(&l->cursor, &start[depth]);
}

void cuts_everywhere(struct cuts *c)
{
	forget_states();
	c->tally.scenarios++;
	rig_build(&level[0].first);
	cut_run(c, 0);
	if (c->mischief)
		return;
	/* and the run that nothing disturbed */
	copy(&again, &level[0].first);
	cuts_live_on(c, &again);
}

void cuts_chains(struct cuts *c, unsigned chains, unsigned deep)
{
	struct rig *r = &level[0].first;

	forget_states();
	c->tally.scenarios++;
	for (unsigned n = 0; n < chains; n++) {
		rig_build(r);
		for (unsigned k = 0; k < deep; k++) {
			struct visit v = {.stick = true};
			bool keep[SIM_CACHE], more, fresh;
			struct tally before;

			v.forced =
			    k == 0 && rig_world.sc.start == START_REINSTALL;
			r->sim.cut_at = (unsigned)(sim_random(&c->seed) % 64);
			rig_visit(r, &v);
			for (unsigned i = 0; i < SIM_CACHE; i++)
				keep[i] = sim_random(&c->seed) & 1;
			sim_power_cut(&r->sim, keep);
			c->tally.cuts++;
			fresh = is_new_state(sim_hash(&r->sim));
			before = c->tally;
			more = judge_state(c, r);
			if (fresh) {
				c->tally.states++;
				copy(&again, r);
				cuts_live_on(c, &again);
			} else {
				c->tally = before;
			}
			if (!more)
				break;
		}
	}
}
