/* SPDX-License-Identifier: 0BSD */
/*
 * The owner has the status file written by a child of its own for each change.
 * It never waits for it: one that hangs in the kernel is killed, forgotten,
 * and reaped when the kernel lets go of it, and the job goes on without.
 */
#include <sys/wait.h>
#include <time.h>

#include "base/log.h"
#include "options.h"
#include "worker/owner.h"

#define RECORD_MS 30000
#define RECORDS_MAX 4 /* of one job: same, pending, the end, and no more */

/* Every index is a slot of conf, and what is activated their group. Before
 * slots were granted, those that could be may only be said to hold what was
 * just read. */
static bool images_valid(const struct status_change *ch)
{
	const struct conf *c = job.work.setup->conf;
	uint8_t slot[MANIFEST_IMAGES];
	bool activated = ch->activated < 0;
	uint32_t seen = 0;

	if (ch->images == 0 || ch->images > MANIFEST_IMAGES)
		return false;
	for (unsigned i = 0; i < ch->images; i++) {
		if (ch->image[i].slot >= CONF_SLOTS)
			return false;
		slot[i] = (uint8_t)ch->image[i].slot;
		seen |= 1u << slot[i];
		activated = activated || slot[i] == ch->activated ||
		            c->slot[slot[i]].parent == ch->activated;
	}
	if (!activated || !targets_valid(slot, ch->images))
		return false;
	if (job.targets != 0)
		return (seen & ~job.targets) == 0;
	for (unsigned i = 0; i < CONF_SLOTS; i++) {
		struct diag d = {0};

		if ((seen >> i & 1) != 0 && check_grant(i, &d) != 0)
			return false;
	}
	return ch->kind == STATUS_OK && job_needs(NEEDS_MEDIA);
}

/* Once, before anything is decided. */
static bool question_valid(void)
{
	const struct job_setup *s = job.work.setup;
	bool first = !job.asked;

	job.asked = true;
	return first && !job.granted && s->verb != JOB_MARK &&
	       s->settings->status_floor;
}

/* The texts are looked at where they are written: status_update. */
static bool change_valid(const struct status_change *ch)
{
	const struct job_setup *s = job.work.setup;
	const struct slot *slot;

	if (ch->kind == STATUS_QUESTION)
		return question_valid();
	if (ch->activated < -1 || ch->activated >= (int32_t)s->conf->slots)
		return false;
	if (ch->kind < STATUS_ACTIVATED)
		return images_valid(ch);
	if (ch->kind != STATUS_ACTIVATED || ch->images != 0 ||
	    ch->activated < 0 || s->verb != JOB_MARK ||
	    s->mark != JOB_MARK_ACTIVE)
		return false;
	slot = &s->conf->slot[ch->activated];
	return strcmp(slot->name, s->mark_slot) == 0 ||
	       strcmp(slot->bootname, s->mark_slot) == 0;
}

static int start(struct status_change *ch, struct diag *d)
{
	struct work *w = &job.work;
	const struct diag *no = &w->no_status;

	w->change = ch;
	if (no->reason != 0)
		return diag_fail(d, no->reason, "%s", no->seen);
	/* a recovery system's own files end with it */
	if (job_needs(NEEDS_MEDIA) && w->setup->settings->data_device[0] == 0)
		return diag_fail(d, R_STATUS_PLACE,
		    "there is no device in [data] of lifeboat.conf");
	if (w->data.reason != 0)
		return diag_fail(d,
		    w->data.reason == R_STATUS_PLACE ? R_STATUS_PLACE
		                                     : R_STATUS_MOUNT,
		    "%s", w->data.seen);
	/* a second one would hang with it */
	if (job.stuck > 0 && waitpid(job.stuck, NULL, WNOHANG) == 0)
		return diag_fail(
		    d, R_STATUS_MOUNT, "an earlier attempt still hangs");
	job.stuck = 0;
	ch->time = time(NULL);
	if (ch->time < w->setup->floor)
		ch->time = w->setup->floor;
	return start_child(RECORDER, -1, d);
}

/* The installer goes on, whatever came of it. One failed change tells of the
 * others; a question makes nothing anew, and tells of no change. */
static void finish(const struct diag *d)
{
	bool question = job.work.change->kind == STATUS_QUESTION;

	if (d->reason != 0 && (question || !job.record_failed)) {
		log_warn("status file: %s [%s]%s%s", d->seen,
		    reason_name(d->reason), question ? "" : ": ",
		    question ? "" : reason_help(d->reason));
		job.record_failed = !question;
	}
	job_alive();
	answer_installer(NULL, 0);
}

bool record_on_status(struct status_change *ch)
{
	diag_clear(&job.recorded);
	if ((job.work.status_path[0] == '\0' &&
	        job.work.no_status.reason == 0) ||
	    job.record_until != 0 || !change_valid(ch) ||
	    (ch->kind != STATUS_QUESTION && job.records++ == RECORDS_MAX))
		return false;
	if (start(ch, &job.recorded) != 0) {
		finish(&job.recorded);
	} else {
		job_alive();
		job.record_until = job.moved_at + RECORD_MS;
	}
	return true;
}

void record_step(uint64_t now_ms)
{
	struct child *c = &job.child[RECORDER];

	if (job.record_until == 0 || (c->pid > 0 && now_ms < job.record_until))
		return;
	if (c->pid > 0)
		(void)diag_fail(&job.recorded, R_STATUS_MOUNT,
		    "no answer for %d s", RECORD_MS / 1000);
	else if (hear_child(RECORDER), !c->ended)
		(void)diag_fail(&job.recorded, R_STATUS_WRITE,
		    "the recorder process is gone");
	record_end();
	finish(&job.recorded);
}

void record_end(void)
{
	struct child *c = &job.child[RECORDER];

	kill_child(c);
	if (c->pid > 0) {
		job.stuck = c->pid;
		c->pid = 0;
	}
	close_fd(&c->fd);
	job.record_until = 0;
}
