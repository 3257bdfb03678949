/* SPDX-License-Identifier: 0BSD */
/* Walks every cell of the table and plays whole histories against it. */
#include "slot/policy.c"

#include "check.h"

static unsigned rows_for(const struct policy_in *in)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		n += holds(&table[i], cell_of(in));
	return n;
}

static void check_cell(const struct policy_in *in)
{
	const char *why = NULL;
	enum policy_action a = policy_decide(in, &why);
	bool loadable = in->boot == POLICY_BOOTABLE;
	bool whole = in->slots == POLICY_INTACT;
	bool fresh = in->tries < in->retries;
	bool cut = !whole || (in->boot == POLICY_BAD && in->tries > 0);
	bool may = fresh || (cut && in->tries - in->retries < CUTS);

	CHECK_INT(rows_for(in), 1);
	CHECK(why && strlen(why) > 10);

	/* only a good bundle that is not there yet is installed */
	if (a == POLICY_INSTALL)
		CHECK(in->medium == POLICY_NEW);
	/* half a slot is never started, and never given attempts */
	if (a == POLICY_REARM || a == POLICY_REBOOT)
		CHECK(whole);
	/* what nobody counts does not happen by itself */
	if (a == POLICY_REBOOT)
		CHECK(loadable && in->waited);
	if (a == POLICY_REARM)
		CHECK(may && !loadable);
	if (a == POLICY_INSTALL)
		CHECK(may);
	/* without a bundle nothing happens before the time is up */
	if (in->medium == POLICY_NONE || in->medium == POLICY_REFUSED) {
		if (!in->waited)
			CHECK(a == POLICY_WAIT || a == POLICY_EXPLAIN);
	}
	/* a fresh good bundle is always taken */
	if (in->medium == POLICY_NEW && fresh)
		CHECK_INT(a, POLICY_INSTALL);
	/* so is one whose install was cut short, between any two writes */
	if (in->medium == POLICY_NEW && in->tries > 0 && may)
		CHECK_INT(a, POLICY_INSTALL);
	/* a slot that could run is not kept waiting for ever */
	if (whole && in->waited && loadable &&
	    !(in->medium == POLICY_NEW && fresh))
		CHECK_INT(a, POLICY_REBOOT);
	if (whole && in->boot == POLICY_EXHAUSTED && in->waited && fresh &&
	    in->medium != POLICY_NEW)
		CHECK_INT(a, POLICY_REARM);
	/* a refused medium left in changes nothing against none at all */
	if (in->medium == POLICY_REFUSED) {
		struct policy_in none = *in;

		none.medium = POLICY_NONE;
		CHECK_INT(policy_decide(&none, &why), a);
	}
	/* an unreadable boot state is no reason to refuse a rescue */
	if (in->boot == POLICY_UNKNOWN && in->medium == POLICY_NEW && fresh)
		CHECK_INT(a, POLICY_INSTALL);
}

static void test_every_cell(void)
{
	static const unsigned counts[] = {0, 1, 2, 3, 7, 8, 9, 100, 0xffffffff};
	static const unsigned limits[] = {0, 1, 2, 9};
	unsigned cells = 4 * 2 * 4 * 2 * 9 * 4;

	for (unsigned i = 0; i < cells; i++) {
		struct policy_in in = {
		    .boot = (enum policy_boot)(i % 4),
		    .slots = (enum policy_slots)(i / 4 % 2),
		    .medium = (enum policy_medium)(i / 8 % 4),
		    .waited = i / 32 % 2 != 0,
		    .tries = counts[i / 64 % 9],
		    .retries = limits[i / 576],
		};

		check_cell(&in);
	}
}

/*
 * A device whose slots never boot, left alone with one medium: how many
 * times it starts anew before it rests. The loader takes its attempts, each
 * count stands in the store. fresh_copy: the system changes its own slot, so
 * that the bundle looks new each time.
 */
static unsigned visits_until_rest(enum policy_boot boot,
    enum policy_slots slots, enum policy_medium medium, bool fresh_copy)
{
	struct policy_in in = {boot, slots, medium, 0, 2, false};
	const char *why;
	unsigned left = boot == POLICY_BOOTABLE ? 9 : 0;

	for (unsigned visit = 0; visit < 1000; visit++) {
		enum policy_action a;

		in.waited = false;
		a = policy_decide(&in, &why);
		if (a == POLICY_WAIT || a == POLICY_EXPLAIN) {
			in.waited = true;
			a = policy_decide(&in, &why);
		}
		switch (a) {
		case POLICY_WAIT:
		case POLICY_EXPLAIN:
			return visit;
		case POLICY_INSTALL:
			in.slots = POLICY_INTACT;
			in.medium = fresh_copy ? POLICY_NEW : POLICY_SAME;
			in.tries++;
			left = 3;
			break;
		case POLICY_REARM:
			in.tries++;
			left = 3;
			break;
		case POLICY_REBOOT:
			break;
		}
		/* the loader starts the slot left times, then calls us */
		if (a == POLICY_REBOOT && left > 1) {
			left--;
			in.boot = POLICY_BOOTABLE;
		} else {
			in.boot = POLICY_EXHAUSTED;
		}
	}
	return 1000;
}

static void test_no_history_is_endless(void)
{
	for (unsigned i = 0; i < 4 * 2 * 4; i++) {
		enum policy_boot boot = (enum policy_boot)(i % 4);
		enum policy_slots slots = (enum policy_slots)(i / 4 % 2);
		enum policy_medium medium = (enum policy_medium)(i / 8);

		CHECK(visits_until_rest(boot, slots, medium, false) <= 12);
		CHECK(visits_until_rest(boot, slots, medium, true) <= 12);
	}
	/* a bundle that does not boot: installed, tried once
	 * more, explained */
	CHECK_INT(visits_until_rest(
	              POLICY_EXHAUSTED, POLICY_INTACT, POLICY_NEW, false),
	    2);
	/* counters run out by power cuts: revived twice without
	 * a medium */
	CHECK_INT(visits_until_rest(
	              POLICY_EXHAUSTED, POLICY_INTACT, POLICY_NONE, false),
	    2);
	/* half a slot and no medium: waits at once, for ever */
	CHECK_INT(visits_until_rest(
	              POLICY_BOOTABLE, POLICY_BROKEN, POLICY_NONE, false),
	    0);
}

/*
 * An install that loses its power again and again is finished in the end,
 * wherever it is cut: before the heads are zeroed, while they are, and when
 * all is written but the slot is not yet marked.
 */
static void test_cut_installs_are_finished(void)
{
	static const struct {
		struct policy_in in;
		enum policy_action action;
	} cuts[] = {
	    {{POLICY_EXHAUSTED, POLICY_BROKEN, POLICY_NEW, 0, 2, false},
	        POLICY_INSTALL},
	    {{POLICY_BAD, POLICY_INTACT, POLICY_NEW, 0, 2, false},
	        POLICY_INSTALL},
	    {{POLICY_BAD, POLICY_INTACT, POLICY_SAME, 0, 2, false},
	        POLICY_REARM},
	};

	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		struct policy_in in = cuts[i].in;
		const char *why;

		for (in.tries = 0; in.tries < 2 + CUTS; in.tries++)
			CHECK_INT(policy_decide(&in, &why), cuts[i].action);
		CHECK_INT(policy_decide(&in, &why), POLICY_EXPLAIN);
	}
}

/* A slot somebody marked bad is no cut install: retries = 0 is obeyed. */
static void test_no_tries_at_all(void)
{
	struct policy_in in = {
	    POLICY_BAD, POLICY_INTACT, POLICY_NEW, 0, 0, true};
	const char *why;

	CHECK_INT(policy_decide(&in, &why), POLICY_EXPLAIN);
}

static void test_values_from_nowhere(void)
{
	const char *why;

	for (unsigned i = 0; i < 512; i++) {
		struct policy_in in = {(enum policy_boot)(i % 8),
		    (enum policy_slots)(i / 8 % 8),
		    (enum policy_medium)(i / 64), 1, 2, true};

		if (i % 8 > 3 || i / 8 % 8 > 1 || i / 64 > 3)
			CHECK_INT(policy_decide(&in, &why), POLICY_WAIT);
	}
}

/* good-system-kept: every combination. */
static void test_streams(void)
{
	/* refused: the target is intact and can be booted, nothing else can,
	 * and nobody has asked for it */
	for (unsigned i = 0; i < 16; i++) {
		struct policy_groups g = {
		    (i & 1) != 0, (i & 2) != 0, (i & 4) != 0, (i & 8) != 0};

		CHECK_INT(policy_may_stream(&g), i != 3);
	}
}

int main(void)
{
	test_streams();
	test_every_cell();
	test_no_history_is_endless();
	test_cut_installs_are_finished();
	test_no_tries_at_all();
	test_values_from_nowhere();
	return check_done("policy");
}
