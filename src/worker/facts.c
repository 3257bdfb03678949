/* SPDX-License-Identifier: 0BSD */
/* How things stand: what the owner decides on. */
#include "options.h"
#include "worker/installer.h"

static bool group_intact(unsigned root)
{
	for (unsigned i = 0; i < self.conf->slots; i++)
		if ((i == root || self.conf->slot[i].parent == (int)root) &&
		    !self.intact[i])
			return false;
	return true;
}

void look_at_heads(void)
{
	for (unsigned i = 0; i < self.w->slots; i++) {
		bool empty = true;

		self.intact[i] =
		    self.w->slot[i].reason == 0 &&
		    install_head_empty(self.slot[i].blk, &empty, NULL) == 0 &&
		    !empty;
	}
}

void judge_heads(void)
{
	struct boot_state *b = &self.boot.state;

	look_at_heads();
	for (unsigned i = 0; i < b->count; i++) {
		if (self.intact[self.name_slot[i]])
			continue;
		b->name[i].attempts = 0;
		if (b->primary == (int)i)
			b->primary = -1;
	}
}

unsigned rearm_name(void)
{
	const struct boot_state *b = &self.boot.state;
	unsigned choice = 0;

	if (self.plan.count > 0 && self.plan.boot_name >= 0)
		return (unsigned)self.plan.boot_name;
	if (b->first >= 0 && group_intact(self.name_slot[b->first]))
		return (unsigned)b->first;
	for (unsigned i = b->count; i > 0; i--)
		if (b->name[i - 1].in_order)
			choice = i - 1;
	for (unsigned i = choice; i < b->count; i++)
		if (b->name[i].in_order && group_intact(self.name_slot[i]))
			return i;
	return choice;
}

static enum policy_boot boot_fact(void)
{
	const struct boot_state *b = &self.boot.state;

	if (!b->valid)
		return POLICY_UNKNOWN;
	if (b->primary >= 0)
		return POLICY_BOOTABLE;
	return b->count > 0 && b->name[rearm_name()].in_order ? POLICY_EXHAUSTED
	                                                      : POLICY_BAD;
}

int compare_content(struct diag *d)
{
	struct job_facts *f = &self.m.u.facts.facts;
	struct install *in = &self.in;
	const struct boot_state *b = &self.boot.state;
	int name = self.plan.boot_name;
	enum slot_content content;
	int r;

	for (unsigned i = 0; i < self.plan.count; i++)
		in->target[i] = self.slot[self.plan.item[i].slot].blk;
	r = because(install_compare(in, &content, d), d);
	/* what cannot be read is not this bundle, and a write may cure it */
	if (r == R_TARGET_READBACK)
		content = CONTENT_OTHER;
	else if (r != 0)
		return r;
	f->medium = content == CONTENT_SAME ? POLICY_SAME : POLICY_NEW;
	/* Whole, but still marked bad: the install was cut short before its
	 * last step, and only another one ends it. */
	if (b->valid && name >= 0 && !b->name[name].in_order &&
	    self.conf->activate_installed)
		f->medium = POLICY_NEW;
	/* power may have failed between the last step and the record of it;
	 * where nothing can be booted the attempt is counted first */
	if (OPT_STATUS && f->medium == POLICY_SAME && b->primary >= 0)
		report_status(NULL, STATUS_OK);
	return 0;
}

/* Would the loader start this one? */
static bool is_bootable(unsigned i)
{
	const struct boot_name_state *n = &self.boot.state.name[i];

	return n->in_order && n->attempts > 0;
}

/* Is the group whole, as far as what would be written goes? That another child
 * of it is broken, or not there, keeps nobody from booting it. */
static bool target_intact(void)
{
	bool intact = self.intact[self.plan.root];

	for (unsigned i = 0; i < self.plan.count; i++)
		if (!self.intact[self.plan.item[i].slot])
			intact = false;
	return intact;
}

int check_stream(struct diag *d)
{
	const struct boot_state *b = &self.boot.state;
	int name = self.plan.boot_name;
	struct policy_groups g = {
	    .target_intact = target_intact(),
	    .target_bootable =
	        !b->valid || name < 0 || is_bootable((unsigned)name),
	    .asked = self.w->setup->give_up_good,
	};

	if (!OPT_STREAM || !self.bundle.forward)
		return 0;
	for (unsigned i = 0; b->valid && i < b->count; i++)
		if ((int)i != name && is_bootable(i) &&
		    group_intact(self.name_slot[i]))
			g.other_good = true;
	self.in.give_up_good = policy_may_stream(&g);
	if (self.in.give_up_good)
		return 0;
	return diag_fail(d, R_LAST_GOOD,
	    "nothing else can be booted, and a stream is verified only while "
	    "it is written: restore it, or allow it (--give-up-last-good)");
}

enum policy_action ask_owner(const struct candidate *chosen)
{
	const struct boot_state *b = &self.boot.state;
	const struct manifest *m = &self.bundle.manifest;
	struct msg_facts *out = &self.m.u.facts;
	struct job_facts *f = &out->facts;
	unsigned root = self.name_slot[rearm_name()];

	self.m.type = MSG_FACTS;
	f->boot = boot_fact();
	f->env_valid = b->valid;
	memcpy(f->env_text, b->text, sizeof f->env_text);
	f->tries = b->tries;
	if (chosen) {
		root = self.plan.root;
		if (memcmp(b->tries_id, m->sha256, sizeof b->tries_id) != 0)
			f->tries = 0;
		memcpy(f->version, m->version, sizeof f->version);
		memcpy(f->path, chosen->where, sizeof f->path);
		out->targets = self.plan.count;
		for (unsigned i = 0; i < self.plan.count; i++)
			out->target[i] = (uint8_t)self.plan.item[i].slot;
	}
	f->slots =
	    b->count > 0 && group_intact(root) ? POLICY_INTACT : POLICY_BROKEN;
	self.tries = f->tries;
	self.fd_count = MSG_FDS;
	child_ask(&self.m, self.fds, &self.fd_count);
	return (enum policy_action)self.m.u.grant.action;
}
