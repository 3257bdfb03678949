/* SPDX-License-Identifier: 0BSD */
/* What the children say: nothing in it is trusted, and what they must not
 * say ends the job. */
#include "base/fmt.h"
#include "options.h"
#include "worker/owner.h"

#define MESSAGES_AT_ONCE 64 /* of one child in one step */
#define LINES_MAX 10000     /* of one child in one job; see usb.c */
#define RESTARTS_MAX 100    /* phases begun in one job */

bool text_valid(char *s, size_t room)
{
	if (memchr(s, '\0', room) == NULL)
		return false;
	log_clean(s);
	return true;
}

/* Only progress that goes on counts as life. */
static bool on_progress(const struct msg_progress *p)
{
	const struct job_setup *s = job.work.setup;
	bool again = p->phase != job.phase || p->done < job.done;

	if (p->phase > PHASE_RECEIVE || p->done > p->total ||
	    (again && job.restarts++ == RESTARTS_MAX))
		return false;
	if (again || p->done > job.done)
		job_alive();
	job.phase = p->phase;
	job.done = p->done;
	if (s->progress)
		s->progress(
		    s->ctx, (enum install_phase)p->phase, p->done, p->total);
	return true;
}

static bool on_log(struct child *c, struct msg_log *l)
{
	const struct job_setup *s = job.work.setup;

	if (l->level > LOG_DEBUG || !text_valid(l->line, sizeof l->line) ||
	    c->lines++ == LINES_MAX)
		return false;
	job_alive();
	if (s->log)
		s->log(s->ctx, (enum log_level)l->level, l->line);
	return true;
}

/* Keeps line ends and tabs, and cleans what is between them. */
static bool on_output(struct msg_output *o)
{
	const struct job_setup *s = job.work.setup;
	char *p = o->text;
	size_t len;

	if (memchr(o->text, '\0', sizeof o->text) == NULL)
		return false;
	len = strlen(o->text);
	while (p <= o->text + len) {
		char *end = p + strcspn(p, "\n\t");
		char was = *end;

		*end = '\0';
		log_clean(p);
		*end = was;
		p = end + 1;
	}
	job_alive();
	if (s->output)
		s->output(s->ctx, o->text, len);
	return true;
}

static bool on_candidate(struct job_candidate *c)
{
	const struct job_setup *s = job.work.setup;

	if (s->verb != JOB_RESCUE || job.candidates++ == JOB_CANDIDATES ||
	    !text_valid(c->where, sizeof c->where) ||
	    !text_valid(c->line, sizeof c->line))
		return false;
	job_alive();
	if (s->candidate)
		s->candidate(s->ctx, c);
	return true;
}

static bool on_probed(const struct msg_probed *p)
{
	struct diag d = {0};

	if (job.probed)
		return false;
	for (unsigned i = 0; i < MSG_SPECS; i++)
		if (p->index[i] < -2 ||
		    p->index[i] >= (int32_t)job.work.devices.count)
			return false;
	job.probed = true;
	if (start_workers(p->index, &d) != 0)
		job_end_diag(&d);
	return true;
}

void answer_installer(const int *fds, unsigned count)
{
	static struct msg m;

	m.type = MSG_GRANT;
	memcpy(m.u.grant.version, job.version, sizeof job.version);
	if (!msg_send(job.child[INSTALLER].fd, &m, fds, count))
		job.child[INSTALLER].lost = true;
}

static bool on_result(unsigned which, struct msg_result *r)
{
	if (r->reason > 0 || r->reason <= -1000 ||
	    !text_valid(r->seen, sizeof r->seen))
		return false;
	job.child[which].ended = true;
	if (which == RECORDER) {
		if (r->reason != 0)
			(void)diag_fail(
			    &job.recorded, r->reason, "%s", r->seen);
		else if (job.work.change->kind == STATUS_QUESTION)
			fmt(job.version, sizeof job.version, "%s", r->seen);
		return true;
	}
	if (which == INSTALLER)
		job.result.bytes = r->bytes;
	if (which == INSTALLER || r->reason != 0 ||
	    job.work.setup->verb == JOB_SEND)
		job_end(r->reason, "%s", r->seen);
	return true;
}

static bool on_message(unsigned which, struct msg *m)
{
	bool installer = which == INSTALLER;

	switch (m->type) {
	case MSG_LOG:
		return on_log(&job.child[which], &m->u.log);
	case MSG_PROGRESS:
		return which != PROBE && which != RECORDER &&
		       on_progress(&m->u.progress);
	case MSG_PROBED:
		return which == PROBE && on_probed(&m->u.probed);
	case MSG_FACTS:
		return installer && grant_on_facts(&m->u.facts);
	case MSG_FILE:
		return installer && unpack_on_file(&m->u.file);
	case MSG_STATUS:
		return OPT_STATUS && installer &&
		       record_on_status(&m->u.status);
	case MSG_CANDIDATE:
		return installer && on_candidate(&m->u.candidate);
	case MSG_OUTPUT:
		return installer && on_output(&m->u.output);
	case MSG_RESULT:
		return on_result(which, &m->u.result);
	default:
		return false;
	}
}

static struct msg received[CHILDREN]; /* the last one of each */

/* False when there is nothing to handle, now or ever. */
static bool receive(unsigned which)
{
	struct child *c = &job.child[which];
	int r;

	if (c->fd < 0 || job.stage == ENDING)
		return false;
	r = msg_receive(c->fd, &received[which], NULL, NULL, false);
	if (r < 0) {
		c->lost = !c->ended;
		close_fd(&c->fd);
	}
	return r > 0;
}

static void handle(unsigned which)
{
	if (job.stage == ENDING || on_message(which, &received[which]))
		return;
	if (which == RECORDER)
		kill_child(&job.child[which]);
	else
		job_end(R_CHILD,
		    "the %s process sent a message it must not send",
		    child_names[which]);
}

void hear_child(unsigned which)
{
	for (unsigned i = 0; i < MESSAGES_AT_ONCE && receive(which); i++) {
		/* the source's lines come before what they led to: facts may
		 * end the job */
		for (unsigned n = 0; which == INSTALLER &&
		                     n < MESSAGES_AT_ONCE && receive(SOURCE);
		     n++)
			handle(SOURCE);
		handle(which);
	}
}
