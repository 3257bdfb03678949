/* SPDX-License-Identifier: 0BSD */
/*
 * Every operation of an install fails once in every way, and the worker is
 * ended at every operation.
 *
 * faults_test [STRIDE PART PARTS]: one scenario in STRIDE of all, and of those
 * every PARTS-th from PART on, instead of the selection below.
 */
#include "check.h"

#include <stdlib.h>

#include "faults.h"
#include "scenario_double.h"

static const struct scenario set_ups[] = {
    {.env = ENV_REDUNDANT,
        .classes = CLASSES_TWO,
        .store = STORE_OLD,
        .sector = 512},
    {.env = ENV_SINGLE,
        .groups = GROUPS_BOOTED,
        .store = STORE_EMPTY,
        .start = START_EXHAUSTED,
        .sector = 512,
        .kind = KIND_CHANGED},
    {.env = ENV_NOR,
        .start = START_REINSTALL,
        .store = STORE_DAMAGED,
        .sector = 4096},
    {.env = ENV_NONE,
        .loader = LOADER_NOOP,
        .classes = CLASSES_SMALL_KERNEL,
        .store = STORE_OLD,
        .start = START_FRESH,
        .sector = 512,
        .kind = KIND_CHAIN},
    {.env = ENV_OWN,
        .loader = LOADER_BOOTMETH,
        .groups = GROUPS_BOOTED,
        .start = START_INTERRUPTED,
        .sector = 512,
        .kind = KIND_EXT4},
};

static struct tally all;
static unsigned long tried[FAULTS], told[FAULTS], wrong_reason;

static void try_all(const struct scenario *s)
{
	for (unsigned k = FAULT_NONE + 1; k < FAULTS; k++) {
		struct cuts c = {.reruns = true, .loud = true};
		struct faults f = {.cuts = &c};

		scenario_make(s);
		faults_everywhere(&f, (enum sim_fault)k);
		tally_add(&all, &c.tally);
		tried[k] += f.tried;
		told[k] += f.told;
		wrong_reason += f.wrong_reason;
	}
}

/* A second loss beside the fault is more than is promised, and both groups may
 * be chosen where one operation hides which was meant. */
static bool is_sensible(const struct scenario *s)
{
	return s->groups != GROUPS_TWO && !s->shared &&
	       s->start != START_REARM && model_loader[s->loader].order &&
	       model_loader[s->loader].recovery;
}

int main(int argc, char **argv)
{
	if (argc > 3) {
		unsigned long stride = strtoul(argv[1], NULL, 10), found = 0;
		unsigned long part = strtoul(argv[2], NULL, 10);
		unsigned long parts = strtoul(argv[3], NULL, 10);
		struct scenario s;

		for (unsigned long n = 0; scenario_next(&n, &s);)
			if (is_sensible(&s) && found++ % stride == 0 &&
			    found / stride % parts == part)
				try_all(&s);
	} else {
		for (size_t i = 0; i < ARRAY_LEN(set_ups); i++)
			try_all(&set_ups[i]);
	}
	for (unsigned k = FAULT_NONE + 1; k < FAULTS; k++)
		printf("| fault | %s | %lu | %lu |\n",
		    fault_text((enum sim_fault)k), tried[k], told[k]);
	printf("| faults | all | %lu | %lu bricks | %lu unfinished | %lu wrong "
	       "reasons |\n",
	    all.cuts, all.bricks, all.unfinished, wrong_reason);
	CHECK_INT(all.bricks, 0);
	CHECK_INT(all.unfinished, 0);
	CHECK_INT(wrong_reason, 0);
	CHECK(told[FAULT_EIO] > 0 && told[FAULT_STALL] == tried[FAULT_STALL]);
	return check_done("faults");
}
