/* SPDX-License-Identifier: 0BSD */
/* Deliberately wrong installers: a proof that cannot fail is none. */
#include "check.h"

#include "faults.h"
#include "mutants.h"
#include "scenario_double.h"

/* Where a mutant could do harm. */
static const struct scenario set_ups[] = {
    {.env = ENV_REDUNDANT,
        .classes = CLASSES_TWO,
        .store = STORE_OLD,
        .sector = 512},
    {.env = ENV_SINGLE,
        .classes = CLASSES_TWO,
        .groups = GROUPS_BOOTED,
        .store = STORE_OLD,
        .sector = 512,
        .kind = KIND_CHAIN},
    {.env = ENV_REDUNDANT,
        .classes = CLASSES_TWO,
        .groups = GROUPS_BOOTED,
        .shared = true,
        .store = STORE_OLD,
        .sector = 512,
        .kind = KIND_CHANGED},
    {.env = ENV_HALF,
        .classes = CLASSES_TWO,
        .store = STORE_EMPTY,
        .sector = 512,
        .kind = KIND_EXT4},
    {.env = ENV_REDUNDANT,
        .groups = GROUPS_TWO,
        .store = STORE_OLD,
        .start = START_EXHAUSTED,
        .sector = 4096},
};

/* How often the oracle objects. stream: the bundle is verified only as it is
 * written. */
static unsigned long hunt(
    enum mutant m, const struct mischief *mischief, bool stream)
{
	struct cuts c = {.random = 16, .seed = 1, .mischief = mischief};
	struct faults f = {.cuts = &c};

	for (size_t i = 0; i < ARRAY_LEN(set_ups); i++) {
		struct scenario s = set_ups[i];

		s.stream = stream;
		scenario_make(&s);
		if (m < MUTANT_NO_READ_BACK)
			cuts_everywhere(&c);
		else if (set_ups[i].groups != GROUPS_TWO)
			faults_everywhere(&f, FAULT_ALTER);
	}
	return c.tally.bricks;
}

int main(void)
{
	struct cuts c = {.random = 16, .seed = 1, .loud = true};
	struct faults f = {.cuts = &c};

	/* the right installer first, in the same mill */
	for (size_t i = 0; i < 2 * ARRAY_LEN(set_ups); i++) {
		struct scenario s = set_ups[i / 2];

		s.stream = i % 2 == 1;
		scenario_make(&s);
		cuts_everywhere(&c);
		if (s.groups != GROUPS_TWO)
			faults_everywhere(&f, FAULT_ALTER);
	}
	CHECK_INT(c.tally.bricks, 0);
	for (unsigned m = 0; m < MUTANTS; m++) {
		const struct mischief *bad = mutant_make((enum mutant)m);
		unsigned long caught = hunt((enum mutant)m, bad, false);
		unsigned long stream = hunt((enum mutant)m, bad, true);

		printf("| %s | %lu | %lu |\n", mutant_text((enum mutant)m),
		    caught, stream);
		CHECK(caught > 0);
		CHECK(stream > 0);
	}
	return check_done("mutants");
}
