/* SPDX-License-Identifier: 0BSD */
#include "faults.h"

#include <stdio.h>
#include <string.h>

static struct rig first, after;

static const char *const texts[FAULTS] = {"none", "error", "short", "full",
    "protected", "stall", "misread", "altered", "lost"};

const char *fault_text(enum sim_fault kind)
{
	return texts[kind];
}

enum part { PART_SLOT, PART_ENV, PART_DATA };

static bool is_in(
    const struct rig *r, const struct blk_window *w, const struct sim_seen *s)
{
	if (w->below != &r->sim.disk[s->disk].blk)
		return false;
	return s->op == SIM_FLUSH ||
	       (s->at >= w->off && s->at - w->off < w->blk.size);
}

/* A flush of a disk that carries all is a slot's, as far as can be told. */
static enum part part_of(const struct rig *r)
{
	for (unsigned i = 0; i < RIG_SLOTS; i++)
		if (is_in(r, &r->slot[i], &r->sim.hit))
			return PART_SLOT;
	return is_in(r, &r->data, &r->sim.hit) ? PART_DATA : PART_ENV;
}

static bool fails(enum sim_fault kind)
{
	return kind == FAULT_EIO || kind == FAULT_SHORT ||
	       kind == FAULT_NO_SPACE || kind == FAULT_PROTECTED;
}

/* The reasons that a fault may have, and whether it may pass unnoticed. */
static bool is_right(
    const struct rig *r, enum sim_fault kind, const struct visit *v)
{
	enum sim_op op = r->sim.hit.op;
	enum part part = part_of(r);
	int reason = v->reason;

	if (kind == FAULT_STALL)
		return v->stalled && reason == R_TIMEOUT;
	if (reason != 0 && v->d.reason != reason)
		return false;
	if (part == PART_DATA)
		return reason == 0 && (!fails(kind) || !v->told);
	/* What reads badly may look broken, or lost. A part of a head that
	 * cannot be zeroed is zeroed with the rest; that no other write
	 * passes unnoticed is judged by what stands in the slot. */
	if (reason == 0)
		return op == SIM_READ || !fails(kind) ||
		       (op == SIM_FLUSH && part == PART_ENV) ||
		       (op == SIM_WRITE && part == PART_SLOT);
	if (part == PART_ENV)
		return reason == R_BOOT_IO;
	if (op == SIM_READ || !fails(kind))
		return reason == R_TARGET_READBACK;
	if (op == SIM_FLUSH)
		return reason == R_TARGET_FLUSH;
	return reason ==
	       (kind == FAULT_PROTECTED ? R_TARGET_READ_ONLY : R_TARGET_WRITE);
}

static void copy(struct rig *to, const struct rig *from, bool survive)
{
	rig_build(to);
	sim_copy(&to->sim, &from->sim);
	for (unsigned i = 0; survive && i < from->sim.cached; i++) {
		const struct sim_sector *s = &from->sim.cache[i];

		sim_load(&to->sim.disk[s->disk], s->at, s->data,
		    to->sim.disk[s->disk].sector);
	}
	to->env_was_lost = from->env_was_lost;
}

/* What the data partition holds is its device's word; and where a device has
 * changed a slot, and the run has said so, the slot is marked bad, but
 * recognised it is all the same. */
static void forgive(
    struct oracle_verdict *look, bool lying, enum sim_fault kind)
{
	if (lying)
		look->wrong &= ~(unsigned)(ORACLE_STATUS | ORACLE_STATUS_TORN |
		                           ORACLE_NOT_TOLD);
	if (kind == FAULT_ALTER || kind == FAULT_LOSE)
		look->wrong &= ~(unsigned)(ORACLE_STRANGE | ORACLE_DEFAULTS);
}

static void say(enum sim_fault kind, const struct visit *v)
{
	static const char *const op[] = {"read", "write", "flush"};
	const struct sim_seen *hit = &first.sim.hit;

	fprintf(stderr, "%s of disk %u at %llu, %s: %s %s\n", op[hit->op],
	    hit->disk, (unsigned long long)hit->at, texts[kind],
	    v->reason ? reason_name(v->reason) : "no reason", v->d.seen);
}

/* The power fails after the fault. */
static void power_off(struct faults *f, enum sim_fault kind,
    const struct visit *v, bool survive, bool lying)
{
	struct oracle_verdict look;

	copy(&after, &first, survive);
	rig_judge(&after,
	    v->reason == 0 && v->action == POLICY_INSTALL ? ORACLE_DONE
	                                                  : ORACLE_CUT,
	    v->told, &look);
	forgive(&look, lying, v->reason != 0 ? kind : FAULT_NONE);
	if (look.wrong != 0 && f->cuts->loud)
		say(kind, v);
	cuts_wrong(f->cuts, &look);
	if (f->cuts->reruns && !lying)
		cuts_live_on(f->cuts, &after);
}

static void retry(struct faults *f, enum sim_fault kind, bool lying)
{
	struct visit v = {.stick = true};
	struct oracle_verdict look;

	v.forced = rig_world.sc.start == START_REINSTALL;
	sim_go_on(&first.sim);
	if (rig_world.copies == 1 && part_of(&first) == PART_ENV)
		first.env_was_lost = true;
	rig_visit(&first, &v);
	if (v.reason != 0 && !cuts_nothing_stored(&first, &v)) {
		cuts_unfinished(f->cuts, "a retry after a fault fails");
		return;
	}
	rig_cut(&first, false);
	rig_judge(&first, ORACLE_DONE,
	    v.told && v.action == POLICY_INSTALL && !lying, &look);
	forgive(&look, lying || v.action != POLICY_INSTALL, FAULT_NONE);
	if (look.wrong != 0 && f->cuts->loud)
		say(kind, &v);
	cuts_wrong(f->cuts, &look);
}

/* False: the run has no such operation. */
static bool fail_at(struct faults *f, enum sim_fault kind, unsigned at)
{
	struct visit v = {.stick = true, .mischief = f->cuts->mischief};
	bool lying;

	v.forced = rig_world.sc.start == START_REINSTALL;
	rig_build(&first);
	first.sim.fault = kind;
	first.sim.fault_at = at;
	rig_visit(&first, &v);
	first.sim.fault_at = UINT32_MAX;
	if (first.sim.ops <= at)
		return false;
	if (kind == FAULT_MISREAD && first.sim.hit.op != SIM_READ)
		return true;
	if ((kind == FAULT_ALTER || kind == FAULT_LOSE) &&
	    first.sim.hit.op != SIM_WRITE)
		return true;
	f->tried++;
	f->cuts->tally.cuts++;
	if (v.reason != 0)
		f->told++;
	lying =
	    part_of(&first) == PART_DATA && !fails(kind) && kind != FAULT_STALL;
	if (!f->cuts->mischief && !is_right(&first, kind, &v)) {
		f->wrong_reason++;
		say(kind, &v);
	}
	power_off(f, kind, &v, false, lying);
	power_off(f, kind, &v, true, lying);
	if (!f->cuts->mischief)
		retry(f, kind, lying);
	return true;
}

void faults_everywhere(struct faults *f, enum sim_fault kind)
{
	f->cuts->tally.scenarios++;
	for (unsigned at = 0; fail_at(f, kind, at); at++)
		;
}
