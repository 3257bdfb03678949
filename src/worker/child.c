/* SPDX-License-Identifier: 0BSD */
#include "worker/work.h"

#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"

#define PROGRESS_MS 200u

static int channel = -1;

/* A child is not its owner: no handlers, no buffers, only the system call,
 * which does not return. */
static void stop(int status)
{
	(void)syscall(SYS_exit_group, status);
}

static void send_line(void *ctx, enum log_level level, const char *line)
{
	static struct msg m;

	(void)ctx;
	m.type = MSG_LOG;
	m.u.log.level = (uint32_t)level;
	fmt(m.u.log.line, sizeof m.u.log.line, "%s", line);
	if (!msg_send(channel, &m, NULL, 0))
		stop(1);
}

int child_enter(const struct work *w, enum sandbox kind, int fd, int *keep,
    unsigned count, struct diag *d)
{
	channel = fd;
	log_to(send_line, NULL, LOG_DEBUG);
	return sandbox_enter(kind, keep, count, w->owner, d);
}

static uint64_t now_ms(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void child_progress(enum install_phase phase, uint64_t done, uint64_t total)
{
	static struct msg m;
	static uint64_t last;
	static enum install_phase last_phase;
	uint64_t now = now_ms();

	if (phase == last_phase && done != total && done != 0 &&
	    now - last < PROGRESS_MS)
		return;
	last = now;
	last_phase = phase;
	m.type = MSG_PROGRESS;
	m.u.progress.phase = (uint32_t)phase;
	m.u.progress.done = done;
	m.u.progress.total = total;
	if (!msg_send(channel, &m, NULL, 0))
		stop(1);
}

void child_output(const char *format, ...)
{
	static struct msg m;
	va_list ap;

	m.type = MSG_OUTPUT;
	va_start(ap, format);
	fmt_v(m.u.output.text, sizeof m.u.output.text, format, ap);
	va_end(ap);
	if (!msg_send(channel, &m, NULL, 0))
		stop(1);
}

void child_end(const struct diag *d, enum policy_action action, uint64_t bytes)
{
	static struct msg m;

	memset(&m, 0, sizeof m);
	m.type = MSG_RESULT;
	m.u.result.reason = d->reason;
	m.u.result.action = (uint32_t)action;
	m.u.result.bytes = bytes;
	memcpy(m.u.result.seen, d->seen, sizeof m.u.result.seen);
	(void)msg_send(channel, &m, NULL, 0);
	stop(0);
}

void child_ask(struct msg *m, int *fds, unsigned *count)
{
	if (!msg_send(channel, m, NULL, 0) ||
	    msg_receive(channel, m, fds, count, true) != 1 ||
	    m->type != MSG_GRANT)
		stop(1);
}
