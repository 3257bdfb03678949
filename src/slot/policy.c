/* SPDX-License-Identifier: 0BSD */
/*
 * Why no row can go round for ever. A row ends a visit in one of three ways:
 *   WAIT and EXPLAIN  nothing happens until a person acts;
 *   REARM and INSTALL are counted in LIFEBOAT_TRIES, in the same write that
 *	     gives the new attempts, and have a row for every count: after
 *	     `retries` the answer is EXPLAIN;
 *   REBOOT    is only chosen when the boot loader would start a slot, and
 *	     the loader takes one attempt off its counter for every start:
 *	     after at most 9 the state is EXHAUSTED, which has the rows above.
 * An incomplete slot is started by no row. Finishing an install that was cut
 * short (half a slot, or one marked bad after a try was counted) is allowed
 * CUTS more times than trying a content that does not boot, because power cuts
 * are no fault of the content.
 */
#include "slot/policy.h"

#define CUTS 6u

/* Sets of states, four bits a column; a cell is one bit of each. */
#define BIT(n) (1u << (n))
#define ANY 15u
#define LOADABLE BIT(POLICY_BOOTABLE)
#define BAD BIT(POLICY_BAD)
#define REVIVABLE (BIT(POLICY_EXHAUSTED) | BIT(POLICY_UNKNOWN))
#define STUCK (REVIVABLE | BAD)
#define WHOLE BIT(POLICY_INTACT)
#define HALF BIT(POLICY_BROKEN)
#define NOTHING (BIT(POLICY_NONE) | BIT(POLICY_REFUSED))
#define NEW BIT(POLICY_NEW)
#define SAME BIT(POLICY_SAME)
#define FRESH BIT(0) /* tries, see is_spent() */
#define SPENT BIT(1)
#define EARLY BIT(0) /* waited */
#define LATE BIT(1)

#define CELL(boot, slots, medium, tries, waited) \
	((boot) | (slots) << 4 | (medium) << 8 | (tries) << 12 | (waited) << 16)
#define ROW(boot, slots, medium, tries, waited, action, why) \
	{ \
		CELL(boot, slots, medium, tries, waited), POLICY_##action, why \
	}

struct row {
	uint32_t cells;
	enum policy_action action;
	const char *why;
};

/* Every combination matches exactly one row. */
static const struct row table[] = {
    ROW(ANY, HALF, NEW, FRESH, ANY, INSTALL,
        "the slots are incomplete, and here is a good bundle"),
    ROW(ANY, HALF, NEW, SPENT, ANY, EXPLAIN,
        "this install was cut short too often: check the power supply and "
        "the disk, then press i"),
    ROW(ANY, WHOLE, NEW, FRESH, ANY, INSTALL, "here is a good bundle"),
    ROW(LOADABLE, WHOLE, NEW, SPENT, EARLY, EXPLAIN,
        "this bundle was installed before; press i to install it again"),
    ROW(LOADABLE, WHOLE, NEW, SPENT, LATE, REBOOT, "a slot can be booted"),
    ROW(STUCK, WHOLE, NEW, SPENT, ANY, EXPLAIN,
        "this bundle did not boot: use another, or press i to install it "
        "again"),

    ROW(ANY, HALF, SAME, ANY, ANY, EXPLAIN,
        "this bundle is installed, but a slot it does not fill is empty or "
        "missing: use a bundle with all images"),
    ROW(LOADABLE, WHOLE, SAME, ANY, EARLY, WAIT,
        "this bundle is installed and can be booted"),
    ROW(LOADABLE, WHOLE, SAME, ANY, LATE, REBOOT,
        "this bundle is installed and can be booted"),
    ROW(STUCK, WHOLE, SAME, FRESH, ANY, REARM,
        "this bundle is installed; it gets new boot attempts"),
    ROW(STUCK, WHOLE, SAME, SPENT, ANY, EXPLAIN,
        "this bundle is installed, byte for byte, and does not boot: use "
        "another, or press i"),

    ROW(ANY, HALF, NOTHING, ANY, ANY, WAIT,
        "the slots are incomplete: only a good bundle helps"),
    ROW(LOADABLE, WHOLE, NOTHING, ANY, EARLY, WAIT, "a slot can be booted"),
    ROW(LOADABLE, WHOLE, NOTHING, ANY, LATE, REBOOT, "a slot can be booted"),
    ROW(REVIVABLE, WHOLE, NOTHING, FRESH, EARLY, WAIT,
        "the slots are whole, but their boot attempts are used up"),
    ROW(REVIVABLE, WHOLE, NOTHING, FRESH, LATE, REARM,
        "the slots are whole: they get new boot attempts"),
    ROW(REVIVABLE, WHOLE, NOTHING, SPENT, ANY, EXPLAIN,
        "the slots are whole, but did not boot: plug in a good bundle"),
    ROW(BAD, WHOLE, NOTHING, ANY, ANY, WAIT,
        "the slots were marked bad: plug in a good bundle"),
};

static bool holds(const struct row *r, uint32_t cell)
{
	return (r->cells & cell) == cell;
}

static bool is_spent(const struct policy_in *in)
{
	bool cut = in->slots == POLICY_BROKEN ||
	           (in->boot == POLICY_BAD && in->tries > 0);

	return in->tries >= in->retries + (cut ? CUTS : 0);
}

static uint32_t cell_of(const struct policy_in *in)
{
	if (in->boot > 3 || in->slots > 3 || in->medium > 3)
		return UINT32_MAX; /* in no row */
	return CELL(BIT(in->boot), BIT(in->slots), BIT(in->medium),
	    BIT(is_spent(in)), BIT(in->waited));
}

bool policy_may_stream(const struct policy_groups *g)
{
	bool good = g->target_intact && g->target_bootable;

	return !good || g->other_good || g->asked;
}

enum policy_action policy_decide(const struct policy_in *in, const char **why)
{
	uint32_t cell = cell_of(in);

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (!holds(&table[i], cell))
			continue;
		*why = table[i].why;
		return table[i].action;
	}
	*why = "a state this lifeboat does not know";
	return POLICY_WAIT;
}
