/* SPDX-License-Identifier: 0BSD */
/*
 * Every cut of every operation in a selection of scenarios, or in all of them.
 *
 * powercut_test [STRIDE [PART PARTS [RANDOM]]]: one scenario in STRIDE (in a
 * fixed shuffled order), of those every PARTS-th from PART on, and RANDOM
 * random subsets of the cache at each operation.
 */
#include "check.h"

#include <stdlib.h>
#include <time.h>

#include "cuts.h"
#include "scenario_double.h"

static struct tally tally[RIG_ENVS][LOADERS];

/* The log tells the truth: a run that is really cut at each operation leaves
 * what the replay says. */
static void check_replay(void)
{
	static struct rig r, again;
	struct scenario s = {.env = ENV_REDUNDANT,
	    .classes = CLASSES_TWO,
	    .store = STORE_OLD,
	    .sector = 512};

	scenario_make(&s);
	for (unsigned at = 0;; at++) {
		struct visit v = {.stick = true};

		rig_build(&r);
		rig_build(&again);
		sim_log(&r.sim, true);
		r.sim.cut_at = at;
		rig_visit(&r, &v);
		if (!r.sim.off)
			break;
		for (unsigned n = 0; n < r.sim.logged; n++)
			sim_step(&r.sim, n, &again.sim);
		CHECK_INT(again.sim.cached, r.sim.cached);
		CHECK(sim_hash(&again.sim) == sim_hash(&r.sim));
		for (unsigned i = 0; i < r.sim.cached; i++)
			CHECK(again.sim.cache[i].at == r.sim.cache[i].at &&
			      memcmp(again.sim.cache[i].data,
			          r.sim.cache[i].data, 512) == 0);
	}
	sim_log(&r.sim, false);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_row(const char *env, const char *loader, struct tally *t)
{
	printf("| %s | %s | %lu | %lu | %lu | %lu | %lu | %lu | %lu | %lu |\n",
	    env, loader, t->scenarios, t->cuts, t->states, t->bricks,
	    t->unfinished, t->by_hand, t->lost, t->pending);
}

int main(int argc, char **argv)
{
	unsigned long stride = argc > 1 ? strtoul(argv[1], NULL, 10) : 662;
	unsigned long part = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long parts = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
	unsigned long found = 0;
	struct tally all = {0};
	struct scenario s;
	double start = seconds();

	check_replay();
	for (unsigned long n = 0; scenario_next(&n, &s);) {
		struct cuts c = {.random = 24, .reruns = true, .loud = true};

		if (found++ % stride != 0 || found / stride % parts != part)
			continue;
		if (argc > 4)
			c.random = (unsigned)strtoul(argv[4], NULL, 10);
		c.seed = 88172645463325252u + n;
		scenario_make(&s);
		cuts_everywhere(&c);
		tally_add(&tally[s.env][s.loader], &c.tally);
		tally_add(&all, &c.tally);
	}
	for (unsigned e = 0; e < RIG_ENVS; e++)
		for (unsigned l = 0; l < LOADERS; l++)
			if (tally[e][l].scenarios > 0)
				print_row(rig_env_name[e], model_loader[l].name,
				    &tally[e][l]);
	print_row("all", "all", &all);
	printf("%.1f s\n", seconds() - start);
	CHECK_INT(all.bricks, 0);
	CHECK_INT(all.unfinished, 0);
	CHECK(all.states > 1000);
	return check_done("powercut");
}
