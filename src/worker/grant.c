/* SPDX-License-Identifier: 0BSD */
/* The decision, and what is handed over after it. */
#include <unistd.h>

#include "base/fmt.h"
#include "worker/owner.h"

static bool is_booted_group(const struct conf *c, const struct slot *s)
{
	const char *booted = job.work.setup->booted;
	const struct slot *root = s->parent >= 0 ? &c->slot[s->parent] : s;

	return booted[0] != '\0' && (strcmp(root->bootname, booted) == 0 ||
	                                strcmp(root->name, booted) == 0 ||
	                                strcmp(s->name, booted) == 0);
}

/* Whatever the installer planned, these are never opened for writing. */
int check_grant(unsigned slot, struct diag *d)
{
	const struct work *w = &job.work;
	const struct conf *c = w->setup->conf;
	const struct slot *s = &c->slot[slot];
	const struct target *t = &w->slot[slot];

	if (t->reason != 0)
		return diag_fail(d, t->reason, "slot %s: %s", s->name, t->seen);
	if (s->readonly)
		return diag_fail(d, R_TARGET_READ_ONLY,
		    "slot %s is readonly in system.conf", s->name);
	if (is_booted_group(c, s))
		return diag_fail(d, R_NO_TARGET,
		    "slot %s belongs to the running system", s->name);
	if (w->bundle.fd >= 0 && target_overlaps(t, &w->bundle, &w->devices))
		return diag_fail(d, R_TARGET_SOURCE,
		    "the bundle lies on slot %s (%s)", s->name, t->path);
	for (unsigned i = 0; i < w->media; i++)
		if (t->device >= 0 && devices_disk(&w->devices,
		                          (unsigned)t->device) == w->medium[i])
			return diag_fail(d, R_TARGET_SOURCE,
			    "slot %s lies on a medium", s->name);
	return 0;
}

/* A grant in the making: its message, and what goes with it. */
struct grant {
	struct msg m;
	unsigned count;
	int fd[MSG_FDS];
};

static void add_fd(struct grant *g, int fd)
{
	g->fd[g->count++] = fd;
}

static int open_targets(
    const struct msg_facts *f, struct grant *g, struct diag *d)
{
	const struct work *w = &job.work;

	for (unsigned i = 0; i < f->targets; i++) {
		int fd, direct;
		int r = check_grant(f->target[i], d);

		if (r == 0)
			r = target_open_write(&w->slot[f->target[i]],
			    &w->devices, true, &fd, &direct, d);
		if (r != 0)
			return r;
		job.targets |= 1u << f->target[i];
		add_fd(g, fd);
		if (direct >= 0) {
			g->m.u.grant.direct |= 1u << i;
			add_fd(g, direct);
		}
	}
	g->m.u.grant.targets = f->targets;
	return 0;
}

static int open_env(struct grant *g, struct diag *d)
{
	const struct work *w = &job.work;
	int r = 0;

	if (w->stores > 0)
		r = lock_boot_env(&job.lock, d);
	for (unsigned i = 0; r == 0 && i < w->stores; i++) {
		struct diag inner = {0};
		int fd, direct;

		/* both copies often share one device: no exclusive claim */
		r = target_open_write(
		    &w->env[i], &w->devices, false, &fd, &direct, &inner);
		if (r != 0)
			return diag_fail(
			    d, R_BOOT_IO, "boot environment: %s", inner.seen);
		close_fd(&direct);
		add_fd(g, fd);
	}
	return r;
}

static void grant(const struct msg_facts *f, enum policy_action action)
{
	static struct grant g;
	struct diag d = {0};
	int r = 0;

	memset(&g, 0, sizeof g);
	g.m.type = MSG_GRANT;
	g.m.u.grant.action = (uint32_t)action;
	if (action == POLICY_INSTALL)
		r = open_targets(f, &g, &d);
	if (r == 0)
		r = open_env(&g, &d);
	if (r == 0 && !msg_send(job.child[INSTALLER].fd, &g.m, g.fd, g.count))
		r = diag_fail(&d, R_CHILD, "the installer process is gone");
	while (g.count > 0)
		(void)close(g.fd[--g.count]);
	if (r != 0)
		job_end_diag(&d);
	else
		job.result.action = action;
}

/* So an installer that was taken over does not get hold of the other group. */
bool targets_valid(const uint8_t *target, uint32_t count)
{
	const struct conf *c = job.work.setup->conf;
	uint32_t seen = 0;
	int group = -1;

	if (count > MANIFEST_IMAGES)
		return false;
	for (unsigned i = 0; i < count; i++) {
		unsigned t = target[i];
		int root;

		if (t >= job.work.slots || (seen >> t & 1) != 0)
			return false;
		seen |= 1u << t;
		root = c->slot[t].parent < 0 ? (int)t : c->slot[t].parent;
		if (c->slot[root].bootname[0] == '\0')
			continue;
		if (group >= 0 && group != root)
			return false;
		group = root;
	}
	return true;
}

static bool facts_valid(struct job_facts *f)
{
	return f->boot <= POLICY_UNKNOWN && f->slots <= POLICY_BROKEN &&
	       f->medium <= POLICY_SAME && f->refused <= 0 &&
	       f->refused > -1000 && f->env_valid <= 1 &&
	       text_valid(f->env_text, sizeof f->env_text) &&
	       text_valid(f->version, sizeof f->version) &&
	       text_valid(f->path, sizeof f->path);
}

/* What the verb says is done. */
static enum policy_action own_decision(enum job_verb v)
{
	return v == JOB_INSTALL || v == JOB_RESCUE ? POLICY_INSTALL
	       : v == JOB_REARM || v == JOB_MARK   ? POLICY_REARM
	                                           : POLICY_WAIT;
}

bool grant_on_facts(struct msg_facts *f)
{
	const struct job_setup *s = job.work.setup;
	struct job_facts *facts = &f->facts;
	enum policy_action action = own_decision(s->verb);
	size_t n = 0;

	if (job.granted || !job_needs(NEEDS_ENV) || !facts_valid(facts) ||
	    !targets_valid(f->target, f->targets))
		return false;
	job.granted = true;
	facts->targets[0] = '\0';
	for (unsigned i = 0; i < f->targets; i++)
		n += fmt(facts->targets + n, sizeof facts->targets - n, "%s%s",
		    i ? ", " : "", s->conf->slot[f->target[i]].name);
	if (s->decide && s->verb != JOB_MARK)
		action = s->decide(s->ctx, facts);
	if (action == POLICY_INSTALL && f->targets == 0) {
		job_end(R_INTERNAL, "there is nothing to install");
	} else if (action == POLICY_INSTALL || action == POLICY_REARM) {
		grant(f, action);
	} else {
		job.result.action = action;
		job_end(0, "%s", "");
	}
	return true;
}
