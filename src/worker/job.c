/* SPDX-License-Identifier: 0BSD */
#include "worker/job.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"
#include "options.h"
#include "worker/owner.h"

#define REAP_MS 20 /* between looks at a child that was killed */
#define STALL_S 60 /* without settings */
#define LINE_GRACE_S 15
/* Whatever moves: a child that was taken over can show life for ever. 64 GB
 * through USB 2 are done in a quarter of it. */
#define LIMIT_H 24u

struct job job;
const char *const child_names[CHILDREN] = {
    "probe", "source", "installer", "recorder"};

static uint64_t boottime_ms(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool job_needs(unsigned what)
{
	static const uint8_t needs[] = {
	    [JOB_RESCUE] = NEEDS_SLOTS | NEEDS_ENV | NEEDS_MEDIA | NEEDS_STATUS,
	    [JOB_STATE] = NEEDS_SLOTS | NEEDS_ENV,
	    [JOB_INSTALL] =
	        NEEDS_SLOTS | NEEDS_ENV | NEEDS_BUNDLE | NEEDS_STATUS,
	    [JOB_INFO] = NEEDS_BUNDLE,
	    [JOB_EXTRACT] = NEEDS_BUNDLE,
	    [JOB_FETCH] = NEEDS_BUNDLE,
	    [JOB_SEND] = NEEDS_BUNDLE | NEEDS_SOURCE,
	    [JOB_MARK] = NEEDS_ENV | NEEDS_STATUS,
	    [JOB_REARM] = NEEDS_SLOTS | NEEDS_ENV,
	};

	const struct job_setup *s = job.work.setup;
	unsigned all = needs[s->verb];

	if (s->verb == JOB_RESCUE && s->bundle)
		all = (all & ~(unsigned)NEEDS_MEDIA) | NEEDS_BUNDLE;
	return (all & what) != 0;
}

void job_alive(void)
{
	job.moves++;
	job.moved_at = boottime_ms();
}

/* ---- the end */

void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void kill_child(const struct child *c)
{
	if (c->pid > 0)
		(void)kill(c->pid, SIGKILL);
}

void job_end(int reason, const char *format, ...)
{
	struct work *w = &job.work;
	va_list ap;

	if (job.stage == ENDING || job.stage == IDLE)
		return;
	job.stage = ENDING;
	job.result.reason = reason;
	va_start(ap, format);
	fmt_v(job.result.seen, sizeof job.result.seen, format, ap);
	va_end(ap);
	record_end();
	for (unsigned i = 0; i < CHILDREN; i++) {
		kill_child(&job.child[i]);
		close_fd(&job.child[i].fd);
	}
	devices_close(&w->devices);
	for (size_t i = 0; i < ARRAY_LEN(w->target); i++)
		close_fd(&w->target[i].fd);
	if (OPT_FEED)
		feed_close(w, reason == 0);
}

void job_end_diag(const struct diag *d)
{
	job_end(d->reason, "%s", d->seen);
}

void job_cancel(int reason, const char *seen)
{
	job_end(reason, "%s", seen);
}

/* Of those a child is ended by; the kernel's numbers of the others. */
static const char *signal_name(int sig)
{
	static char number[24];

	switch (sig) {
	case SIGKILL:
		return "SIGKILL";
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	case SIGSYS:
		return "SIGSYS";
	default:
		fmt(number, sizeof number, "signal %d", sig);
		return number;
	}
}

bool job_reaped(pid_t pid, int status)
{
	if (pid == job.stuck)
		job.stuck = 0;
	for (unsigned i = 0; i < CHILDREN; i++)
		if (pid > 0 && job.child[i].pid == pid) {
			job.child[i].pid = 0;
			job.child[i].status = status;
			return true;
		}
	return false;
}

/* True when there is none left. ECHILD: somebody else reaped it and will not
 * tell. */
static bool reap(void)
{
	bool all = true;

	for (unsigned i = 0; i < CHILDREN; i++) {
		struct child *c = &job.child[i];
		int status = 0;
		pid_t pid;

		if (c->pid == 0)
			continue;
		pid = waitpid(c->pid, &status, WNOHANG);
		if (pid == c->pid || (pid < 0 && errno == ECHILD)) {
			c->pid = 0;
			c->status = status;
		} else {
			all = false;
		}
	}
	return all;
}

static bool any_lost(void)
{
	for (unsigned i = 0; i < RECORDER; i++)
		if (job.child[i].lost)
			return true;
	return false;
}

/* A child that is gone without a last word: how, is known only once it is
 * reaped. */
static void check_lost(void)
{
	if (!any_lost())
		return;
	/* the installer's last word may have come after the source's end */
	hear_child(INSTALLER);
	for (unsigned i = 0; i < RECORDER; i++) {
		const struct child *c = &job.child[i];

		if (!c->lost || job.stage == ENDING)
			continue;
		/* it closed its socket, so it is dead or hostile */
		kill_child(c);
		if (c->pid == 0)
			job_end(R_CHILD, "the %s process %s %s", child_names[i],
			    WIFSIGNALED(c->status) ? "was ended by" : "ended",
			    WIFSIGNALED(c->status)
			        ? signal_name(WTERMSIG(c->status))
			        : "without a word");
	}
}

/* ---- the beginning */

int socket_pair(int *pair, struct diag *d)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return errno_fail(d, R_SYSTEM, "socket");
	return 0;
}

int start_child(unsigned which, int pipe, struct diag *d)
{
	int pair[2];
	int r = socket_pair(pair, d);
	pid_t pid;

	if (r != 0)
		return r;
	pid = fork();
	if (pid == 0) {
		switch (which) {
		case PROBE:
			probe_child(&job.work, pair[1]);
			break;
		case SOURCE:
			source_child(&job.work, pair[1], pipe);
			break;
		case RECORDER:
			if (OPT_STATUS)
				recorder_child(&job.work, pair[1]);
			break;
		default:
			installer_child(&job.work, pair[1], pipe);
		}
	}
	if (pid < 0) {
		r = errno_fail(d, R_SYSTEM, "fork");
		(void)close(pair[0]);
	} else {
		job.child[which] = (struct child){.pid = pid, .fd = pair[0]};
	}
	(void)close(pair[1]);
	return r;
}

/* What may be missing for a look at the slots ends any other verb. */
static int check_setup(const struct job_setup *s, struct diag *d)
{
	struct work *w = &job.work;

	w->setup = s;
	if (job_needs(NEEDS_ENV) && !s->conf)
		return diag_fail(d, R_CONF_MISSING, "there is no system.conf");
	if (job_needs(NEEDS_ENV) && s->conf->bootloader == BOOT_UBOOT &&
	    (!s->fw_env || s->fw_env->copies == 0)) {
		(void)diag_fail(
		    &w->no_env, R_BOOT_CONFIG, "there is no fw_env.config");
		if (s->verb != JOB_STATE || s->format == JOB_QUIET)
			return diag_fail(
			    d, w->no_env.reason, "%s", w->no_env.seen);
	}
	if (OPT_STATUS && job_needs(NEEDS_STATUS))
		(void)!status_path(
		    w->status_path, s->conf, s->settings, &w->no_status);
	if (!job_needs(NEEDS_BUNDLE))
		return 0;
	if (!s->bundle)
		return diag_fail(d, R_USAGE, "no bundle was named");
	if (!OPT_FEED)
		return 0;
	return origin_parse(
	    &w->origin, s->verb == JOB_SEND ? s->to : s->bundle, d);
}

static int open_bundle(struct work *w, struct diag *d)
{
	struct target *b = &w->bundle;
	int r = OPT_FEED ? feed_open(w, d) : 0;

	if (r != 0 ||
	    (w->origin.kind != ORIGIN_FILE && w->setup->verb != JOB_SEND))
		return r;
	target_open(b, &w->devices, w->setup->bundle, false);
	if (b->reason != 0)
		return diag_fail(d, R_NOT_FOUND, "%s", b->seen);
	return 0;
}

int job_start(const struct job_setup *s, struct diag *d)
{
	struct work *w = &job.work;
	uint64_t moves = job.moves;
	pid_t stuck = job.stuck;
	int r;

	if (job.stage != IDLE)
		return diag_fail(d, R_INTERNAL, "a job is running");
	memset(&job, 0, sizeof job);
	job.moves = moves;
	job.stuck = stuck;
	for (unsigned i = 0; i < CHILDREN; i++)
		job.child[i].fd = -1;
	r = check_setup(s, d);
	if (r != 0)
		return r;
	job.result.action = POLICY_WAIT;
	job.started = job.moved_at = boottime_ms();
	job.lock = -1;
	w->owner = getpid();
	w->feed = w->spool.fd = -1;
	for (size_t i = 0; i < ARRAY_LEN(w->target); i++)
		w->target[i].fd = w->target[i].device = -1;
	if (job_needs(NEEDS_SLOTS))
		w->slots = s->conf->slots;
	if (job_needs(NEEDS_ENV)) {
		if (s->conf->bootloader == BOOT_UBOOT && s->fw_env)
			w->stores = s->fw_env->copies;
		devices_scan(&w->devices);
	}
	job.stage = PROBING;
	if (job_needs(NEEDS_BUNDLE))
		r = open_bundle(w, d);
	if (r == 0)
		r = parse_specs(w) ? start_child(PROBE, -1, d)
		                   : start_workers(NULL, d);
	if (r != 0) {
		job_end(r, "%s", "");
		/* at most one child, which was just killed or never began */
		while (!reap())
			;
		job.stage = IDLE;
	}
	return r;
}

/* ---- the step */

unsigned job_poll_fds(struct pollfd *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CHILDREN; i++)
		if (job.stage != IDLE && job.child[i].fd >= 0)
			p[n++] = (struct pollfd){job.child[i].fd, POLLIN, 0};
	return n;
}

unsigned job_stall_s(void)
{
	/* there is none before the first job */
	const struct job_setup *setup = job.work.setup;
	const struct settings *s = setup ? setup->settings : NULL;
	unsigned stall = s ? s->stall_s : STALL_S;

	/* a sender that was unplugged may go on: modem.h gives up first */
	if (OPT_SERIAL && job.work.origin.kind == ORIGIN_SERIAL &&
	    stall < MODEM_STALL_S + LINE_GRACE_S)
		stall = MODEM_STALL_S + LINE_GRACE_S;
	return stall;
}

/* When the job ends by itself unless something moves. */
static uint64_t stall_at(void)
{
	return MIN(job.moved_at + job_stall_s() * UINT64_C(1000),
	    job.started + LIMIT_H * UINT64_C(3600000));
}

int job_step(const struct pollfd *p, unsigned count, uint64_t now_ms,
    struct job_result *r)
{
	bool reaped;

	(void)p;
	(void)count;
	if (job.stage == IDLE) {
		memset(r, 0, sizeof *r);
		return 0;
	}
	for (unsigned i = CHILDREN; i > 0; i--)
		hear_child(i - 1);
	reaped = reap();
	check_lost();
	if (OPT_STATUS)
		record_step(now_ms);
	if (job.stage != ENDING && job.record_until == 0 &&
	    now_ms >= stall_at())
		job_end(R_TIMEOUT, "nothing moved for %u s, or no end in %u h",
		    job_stall_s(), LIMIT_H);
	if (job.stage != ENDING || !reaped)
		return 1;
	close_fd(&job.lock);
	job.stage = IDLE;
	*r = job.result;
	r->ms = boottime_ms() - job.started;
	return 0;
}

int job_timeout_ms(uint64_t now_ms)
{
	uint64_t due;

	if (job.stage == IDLE)
		return -1;
	if (job.stage == ENDING || any_lost() ||
	    (job.record_until != 0 && job.child[RECORDER].fd < 0))
		return REAP_MS;
	due = job.record_until != 0 ? job.record_until : stall_at();
	return due <= now_ms ? 0 : (int)(due - now_ms);
}

uint64_t job_moves(void)
{
	return job.moves;
}
