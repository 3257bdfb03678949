/* SPDX-License-Identifier: 0BSD */
/*
 * good-system-kept: which groups may be given up for a stream, from the boot
 * state and the heads of the slots as the installer child sees them.
 */
#include "check.h"

#include "sim/worker_double.h"

static const char system_conf[] =
    "[system]\ncompatible=x\nbootloader=uboot\n"
    "[slot.rootfs.0]\ndevice=a\nbootname=A\n"
    "[slot.kernel.0]\ndevice=b\nparent=rootfs.0\n"
    "[slot.rootfs.1]\ndevice=c\nbootname=B\n"
    "[slot.kernel.1]\ndevice=d\nparent=rootfs.1\n";

static struct conf conf;
static struct work work;
static struct job_setup setup;

enum group { GOOD, EXHAUSTED, MARKED_BAD, NO_HEAD, NO_CHILD, GROUPS };

static void set_group(unsigned i, enum group g)
{
	struct boot_name_state *n = &self.boot.state.name[i];

	n->in_order = g != MARKED_BAD;
	n->attempts = g == EXHAUSTED || g == MARKED_BAD ? 0 : 2;
	self.intact[2 * i] = g != NO_HEAD;
	self.intact[2 * i + 1] = g != NO_CHILD;
}

static unsigned written; /* 2: the child, then the root */

static int ask(unsigned target, bool named, bool valid)
{
	struct diag d = {0};
	int r;

	self.boot.state.valid = valid;
	self.boot.state.count = named ? 2 : 0;
	self.plan.boot_name = named ? (int)target : -1;
	self.plan.root = 2 * target;
	self.plan.count = written;
	for (unsigned i = 0; i < written; i++)
		self.plan.item[i].slot = 2 * target + 1 - i;
	r = check_stream(&d);
	CHECK_INT(d.reason, r);
	if (self.bundle.forward)
		CHECK_INT(self.in.give_up_good, r == 0);
	return r;
}

static void test_groups(void)
{
	for (int mine = GOOD; mine < GROUPS; mine++)
		for (int other = GOOD; other < GROUPS; other++)
			for (unsigned target = 0; target < 2; target++) {
				bool last = mine == GOOD && other != GOOD;
				bool whole = mine < NO_HEAD;

				set_group(target, (enum group)mine);
				set_group(1 - target, (enum group)other);
				CHECK_INT(ask(target, true, true),
				    last ? R_LAST_GOOD : 0);
				/* nobody knows what can be booted */
				CHECK_INT(ask(target, true, false),
				    whole ? R_LAST_GOOD : 0);
				CHECK_INT(ask(target, false, true),
				    whole ? R_LAST_GOOD : 0);
				setup.give_up_good = true;
				CHECK_INT(ask(target, true, true), 0);
				CHECK_INT(ask(target, true, false), 0);
				setup.give_up_good = false;
				/* it was verified before */
				self.bundle.forward = false;
				CHECK_INT(ask(target, true, true), 0);
				self.bundle.forward = true;
			}
}

/* A child that is not written, and is broken or gone, makes no group bad that
 * the loader starts. */
static void test_other_child(void)
{
	self.plan.item[0].slot = 0;
	set_group(0, NO_CHILD);
	set_group(1, MARKED_BAD);
	self.boot.state.valid = true;
	self.boot.state.count = 2;
	self.plan.boot_name = 0;
	self.plan.root = 0;
	self.plan.count = 1;
	CHECK_INT(check_stream(&(struct diag){0}), R_LAST_GOOD);
	set_group(1, GOOD);
	CHECK_INT(check_stream(&(struct diag){0}), 0);
	/* nor one good that could be kept instead */
	set_group(0, GOOD);
	set_group(1, NO_CHILD);
	CHECK_INT(check_stream(&(struct diag){0}), R_LAST_GOOD);
	set_group(0, NO_HEAD);
	CHECK_INT(check_stream(&(struct diag){0}), 0);
}

int main(void)
{
	work.setup = &setup;
	work.slots = 4;
	self.w = &work;
	self.conf = &conf;
	self.bundle.forward = true;
	CHECK_INT(
	    conf_parse(&conf, system_conf, sizeof system_conf - 1, NULL), 0);
	for (unsigned i = 0; i < 2; i++)
		self.name_slot[i] = 2 * i;
	written = 2;
	test_groups();
	test_other_child();
	return check_done("keep");
}
