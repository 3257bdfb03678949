/* SPDX-License-Identifier: 0BSD */
/*
 * The installer child without its process, for tests that link the real
 * src/worker/facts.c and report.c: its state, and an owner that answers at
 * once. Included by exactly one file of a test program.
 */
#ifndef LIFEBOAT_WORKER_DOUBLE_H
#define LIFEBOAT_WORKER_DOUBLE_H

#include "worker/installer.h"

static struct installer worker_double;
struct installer *volatile const installer_at = &worker_double;

/* rig.c: what process 1 decides, and what it has a helper do. */
enum policy_action rig_decide(const struct job_facts *f);
void rig_write_status(const struct status_change *ch);

int because(int r, struct diag *d)
{
	(void)d;
	return r;
}

void child_ask(struct msg *m, int *fds, unsigned *count)
{
	(void)fds;
	if (count)
		*count = 0;
	if (m->type == MSG_STATUS)
		rig_write_status(&m->u.status);
	else
		m->u.grant.action = rig_decide(&m->u.facts.facts);
}

#endif
