/* SPDX-License-Identifier: 0BSD */
/*
 * Every pair of cuts, the second one during the run that repairs the first, on
 * a small install; and chains of cuts at random places.
 *
 * pairs_test [STRIDE PART PARTS [CHAINS]]: one scenario in STRIDE of all, and
 * of those every PARTS-th from PART on, instead of the selection below, with
 * so many chains each.
 */
#include "check.h"

#include <stdlib.h>

#include "cuts.h"
#include "scenario_double.h"

#define DEEP 5 /* cuts in a chain; never-a-loop allows 8 */

static const struct scenario set_ups[] = {
    {.env = ENV_REDUNDANT, .store = STORE_OLD, .sector = 512},
    {.env = ENV_SINGLE, .start = START_FRESH, .sector = 512},
    {.env = ENV_NOR,
        .start = START_EXHAUSTED,
        .sector = 512,
        .kind = KIND_EXT4},
};

static struct tally pairs, chains;

static void try_all(const struct scenario *s, unsigned count)
{
	struct cuts p = {.random = 8,
	    .pairs = 1,
	    .random2 = 3,
	    .reruns = true,
	    .loud = true,
	    .seed = 7};
	struct cuts c = {.reruns = true, .loud = true, .seed = 11};

	scenario_make(s);
	cuts_everywhere(&p);
	tally_add(&pairs, &p.tally);
	cuts_chains(&c, count, DEEP);
	tally_add(&chains, &c.tally);
}

static void print(const char *what, const struct tally *t)
{
	printf("| %s | all | %lu | %lu | %lu | %lu | %lu | %lu | %lu | %lu |\n",
	    what, t->scenarios, t->cuts, t->states, t->bricks, t->unfinished,
	    t->by_hand, t->lost, t->pending);
}

int main(int argc, char **argv)
{
	if (argc > 3) {
		unsigned long stride = strtoul(argv[1], NULL, 10), found = 0;
		unsigned long part = strtoul(argv[2], NULL, 10);
		unsigned long parts = strtoul(argv[3], NULL, 10);
		unsigned long count =
		    argc > 4 ? strtoul(argv[4], NULL, 10) : 100;
		struct scenario s;

		for (unsigned long n = 0; scenario_next(&n, &s);)
			if (found++ % stride == 0 &&
			    found / stride % parts == part)
				try_all(&s, (unsigned)count);
	} else {
		for (size_t i = 0; i < ARRAY_LEN(set_ups); i++)
			try_all(&set_ups[i], 200);
	}
	print("pairs", &pairs);
	print("chains", &chains);
	CHECK_INT(pairs.bricks + chains.bricks, 0);
	CHECK_INT(pairs.unfinished + chains.unfinished, 0);
	CHECK(pairs.states > 500 && chains.states > 100);
	return check_done("pairs");
}
