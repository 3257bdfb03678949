/* SPDX-License-Identifier: 0BSD */
#include <errno.h>
#include <signal.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "base/fmt.h"
#include "init/init.h"

/* Without sync(2): what was written is on its device already, and what is
 * mounted may be a file system that never answers. */
void leave(bool poweroff, const char *why)
{
	console_take_back(); /* it hears this, too */
	log_info("%s: %s", poweroff ? "powering off" : "rebooting", why);
	console_drain(1000);
	(void)reboot(poweroff ? RB_POWER_OFF : RB_AUTOBOOT);
	/* without a power switch in software a reset is the next best */
	log_err("refused (errno %d): switch the device off and on", errno);
	for (;;) {
		console_drain(1000);
		(void)poll(NULL, 0, 10000);
		(void)reboot(RB_AUTOBOOT);
	}
}

void fatal(const char *what)
{
	uint64_t end = clock_ms() + FATAL_S * 1000u;
	struct pollfd p[CONSOLE_FDS];
	unsigned which;

	console_take_back();
	log_err("fatal: %s", what);
	log_err("  what to do: report this line; reboots in %d s or with a key",
	    FATAL_S);
	while (clock_ms() < end) {
		unsigned n = console_poll_fds(p);

		(void)poll(p, n, 1000);
		if (console_handle(p, n, &which) != 0)
			break;
	}
	leave(false, "after a fatal error");
}

/* Process 1 has one thread and nothing to clean up, so the handler may go on
 * with ordinary code; a second fault in it panics the kernel, which is armed
 * to reboot (panic=, watchdog). */
static void crashed(int sig)
{
	char what[64];

	fmt(what, sizeof what, "process 1 crashed with signal %d", sig);
	fatal(what);
}

void reboot_on_crash(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)signal(signals[i], crashed);
}
