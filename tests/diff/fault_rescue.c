/* SPDX-License-Identifier: 0BSD */
#include "init/rescue.c"

#include <setjmp.h>
#include <string.h>

#include "fault_rescue.h"
#include "init/network.h"

static struct visit *visit;
static jmp_buf left_by;

uint64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void leave(bool poweroff, const char *why)
{
	(void)poweroff;
	visit->left = true;
	fmt(visit->why, sizeof visit->why, "%s", why);
	longjmp(left_by, 1);
}

void departure_begin(
    const struct settings *s, bool poweroff, const char *why, uint64_t now_ms)
{
	(void)s;
	(void)now_ms;
	leave(poweroff, why);
}

bool departure_step(uint64_t now_ms)
{
	(void)now_ms;
	return false;
}

int departure_timeout_ms(uint64_t now_ms)
{
	(void)now_ms;
	return -1;
}

const struct network_state *network_state(void)
{
	static struct network_state none;

	return &none;
}

void network_begin(const struct net_conf *n, uint64_t now_ms)
{
	(void)n;
	(void)now_ms;
}

void network_end(void)
{
}

int network_timeout_ms(uint64_t now_ms)
{
	(void)now_ms;
	return -1;
}

int console_lend(unsigned which, char *name, size_t cap)
{
	(void)which;
	(void)name;
	(void)cap;
	return R_LINE_CONFIG;
}

bool console_is(const char *origin)
{
	(void)origin;
	return false;
}

void console_take_back(void)
{
}

void console_progress(const char *text, bool line)
{
	(void)text;
	(void)line;
}

size_t progress_format(char *dst, size_t cap, enum install_phase phase,
    uint64_t done, uint64_t total, uint64_t rate)
{
	(void)phase;
	(void)done;
	(void)total;
	(void)rate;
	return fmt(dst, cap, "%s", "");
}

const long long build_epoch = 0;

static void sink(void *ctx, enum log_level level, const char *line)
{
	size_t n = strlen(visit->log);

	(void)ctx;
	(void)level;
	fmt(visit->log + n, VISIT_LOG - n, "%s\n", line);
}

void visit_run(
    struct visit *v, const struct config *c, bool again, unsigned seconds)
{
	uint64_t end = clock_ms() + seconds * UINT64_C(1000);
	struct pollfd p[JOB_FDS];

	visit = v;
	v->left = false;
	if (!again) {
		memset(&life, 0, sizeof life);
		v->searches = 0;
		v->log[0] = '\0';
		log_to(sink, NULL, LOG_INFO);
		rescue_begin(c, false, clock_ms());
	} else {
		rescue_again(clock_ms());
	}
	if (setjmp(left_by) != 0)
		return;
	while (life.running || clock_ms() < end) {
		unsigned n = rescue_poll_fds(p);
		int ms = rescue_timeout_ms(clock_ms());

		if (life.running)
			poll_job(p, n, ms);
		else
			skip((uint64_t)ms);
		rescue_step(p, n, clock_ms());
	}
}
