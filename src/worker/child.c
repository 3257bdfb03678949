/* SPDX-License-Identifier: 0BSD */
#include "worker/work.h"

#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"
#include "options.h"

#define PROGRESS_MS 200u

static int channel = -1;

/* A child is not its owner: no handlers, no buffers, only the system call,
 * which does not return. */
static void stop(int status)
{
	(void)syscall(SYS_exit_group, status);
}

/* The message that is being sent. */
static struct msg out;

static void send_out(enum msg_type type)
{
	out.type = type;
	if (!msg_send(channel, &out, NULL, 0))
		stop(1);
}

static void send_line(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	out.u.log.level = (uint32_t)level;
	fmt(out.u.log.line, sizeof out.u.log.line, "%s", line);
	send_out(MSG_LOG);
}

int child_enter(const struct work *w, enum sandbox kind, int fd, int *keep,
    unsigned count, struct diag *d)
{
	channel = fd;
	log_to(send_line, NULL, LOG_DEBUG);
	/* Only the installer, which opens nothing, has business with it. */
	if (OPT_CRYPT && kind != SANDBOX_WRITE && kind != SANDBOX_MTD &&
	    w->setup->recipient)
		recipient_wipe(
		    (struct recipient *)(uintptr_t)w->setup->recipient);
	return sandbox_enter(kind, keep, count, w->owner, d);
}

static uint64_t now_ms(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int child_progress(
    void *ctx, enum install_phase phase, uint64_t done, uint64_t total)
{
	static uint64_t last;
	static enum install_phase last_phase;
	uint64_t now = now_ms();

	if (ctx && phase == PHASE_WRITE)
		*(uint64_t *)ctx = done;
	if (phase == last_phase && done != total && done != 0 &&
	    now - last < PROGRESS_MS)
		return 0;
	last = now;
	last_phase = phase;
	out.u.progress.phase = (uint32_t)phase;
	out.u.progress.done = done;
	out.u.progress.total = total;
	send_out(MSG_PROGRESS);
	return 0;
}

void child_output(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fmt_v(out.u.output.text, sizeof out.u.output.text, format, ap);
	va_end(ap);
	send_out(MSG_OUTPUT);
}

void child_candidate(const char *where, const char *line)
{
	struct job_candidate *c = &out.u.candidate;

	fmt(c->where, sizeof c->where, "%s", where);
	fmt(c->line, sizeof c->line, "%s", line);
	send_out(MSG_CANDIDATE);
}

void child_end(const struct diag *d, enum policy_action action, uint64_t bytes)
{
	out.u.result.reason = d->reason;
	out.u.result.action = (uint32_t)action;
	out.u.result.bytes = bytes;
	memcpy(out.u.result.seen, d->seen, sizeof out.u.result.seen);
	send_out(MSG_RESULT);
	stop(0);
}

void child_ask(struct msg *m, int *fds, unsigned *count)
{
	if (!msg_send(channel, m, NULL, 0) ||
	    msg_receive(channel, m, fds, count, true) != 1 ||
	    m->type != MSG_GRANT)
		stop(1);
}
