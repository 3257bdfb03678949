/* SPDX-License-Identifier: 0BSD */
#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/init.h"

static int fd = -1;
static uint64_t period_ms; /* between feeds: a quarter of the time-out */
static uint64_t fed_ms;

/* The C libraries do not agree on the type of ioctl's second argument. */
static int request(unsigned long code, int *value)
{
	return (int)syscall(SYS_ioctl, fd, code, value);
}

void watchdog_open(const struct settings *s)
{
	int seconds = (int)MIN(s->watchdog_s, 3600u);
	int status = 0;

	if (fd >= 0 || s->watchdog_s == 0)
		return;
	fd = open(s->watchdog, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* a driver with a fixed time-out says which */
	if (request(WDIOC_SETTIMEOUT, &seconds) < 0)
		(void)request(WDIOC_GETTIMEOUT, &seconds);
	if (seconds < 1)
		seconds = 1;
	period_ms = MIN((uint64_t)seconds * 250, 10000);
	log_info("watchdog %s armed: %d s", s->watchdog, seconds);
	if (request(WDIOC_GETBOOTSTATUS, &status) == 0 &&
	    (status & WDIOF_CARDRESET) != 0)
		log_warn("the last reset came from the watchdog");
	fed_ms = 0;
	watchdog_feed(clock_ms());
}

void watchdog_feed(uint64_t now_ms)
{
	if (fd < 0 || (fed_ms != 0 && now_ms - fed_ms < period_ms))
		return;
	(void)request(WDIOC_KEEPALIVE, NULL);
	fed_ms = now_ms;
}

int watchdog_timeout_ms(uint64_t now_ms)
{
	uint64_t since = now_ms - fed_ms;

	if (fd < 0)
		return -1;
	return since < period_ms ? (int)(period_ms - since) : 0;
}
