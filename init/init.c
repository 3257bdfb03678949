/* SPDX-License-Identifier: 0BSD */
#include "init/init.h"

#include <errno.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/embedded.h"
#include "base/fmt.h"
#include "init/network.h"
#include "options.h"
#include "worker/job.h"

#define LOADER_MS 10000   /* a module that takes longer is not waited for */
#define CONFIRM_MS 5000   /* between the two presses of r or p */
#define LOOK_MS 2000      /* at /proc/partitions, where there are no uevents */
#define UEVENTS_A_TURN 64 /* so that a flood cannot keep us */

static struct config config;
static int signals, netlink;
static pid_t loader; /* of the modules; 0: none */
static uint64_t loader_end;

uint64_t clock_ms(void)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void say_hello(void)
{
	char line[80];

	fmt(line, sizeof line, "lifeboat %s: recovery", lifeboat_version);
	console_say(line);
	log_info("repairs this device from a medium with a bundle (*.raucb): a "
	         "USB stick or SD card, FAT or exFAT");
	early_report();
}

static void say_clock(void)
{
	if (time(NULL) < build_epoch)
		log_warn("the clock is earlier than this image");
}

/* ---- devices and modules */

static void read_uevents(uint64_t now)
{
	struct uevent e;

	for (unsigned i = 0; i < UEVENTS_A_TURN; i++) {
		switch (netlink_read(netlink, &e)) {
		case NETLINK_NONE:
			return;
		case NETLINK_EVENT:
			rescue_uevent(&e, now);
			break;
		case NETLINK_LOST:
			rescue_plugged(now);
			break;
		case NETLINK_OTHER:
			break;
		}
	}
}

/* Where the kernel has no uevents for us, its list of disks tells. */
static void look_at_partitions(uint64_t now)
{
	static char text[8192];
	static uint32_t seen;
	static uint64_t next;
	uint32_t sum;

	if (now < next)
		return;
	next = now + LOOK_MS;
	(void)!early_read("/proc/partitions", text, sizeof text);
	sum = crc32_update(0, text, strlen(text));
	if (sum != seen)
		rescue_plugged(now);
	seen = sum;
}

static void look_at_loader(uint64_t now)
{
	if (loader == 0 || now < loader_end)
		return;
	loader = 0;
	console_open();
	watchdog_open(&config.settings);
	rescue_loaded(now);
}

/* ---- keys */

static int asked; /* the key before, if it was one of these */

static void ask_to_leave(int key, int before, uint64_t now)
{
	static uint64_t asked_at;
	bool off = key == 'p';

	/* noise on an open serial line is not two keys in a row, nor is what a
	 * ZMODEM sender begins with, "rz" */
	if (before != key || now - asked_at > CONFIRM_MS) {
		asked = key;
		asked_at = now;
		log_info("%spress %c again to %s",
		    rescue_writes() ? "the install is not done; " : "", key,
		    off ? "power off" : "reboot");
		return;
	}
	rescue_end();
	leave(off, "asked for at the console");
}

static void on_key(int key, unsigned console, uint64_t now)
{
	int before = asked;

	asked = 0;
	switch (key) {
	case 'h':
	case '?':
	case '\n':
		rescue_say();
		break;
	case 'i':
		rescue_again(now);
		break;
	case 'x':
	case CONSOLE_ZMODEM:
		if (!OPT_SERIAL)
			return;
		rescue_receive(console, key == 'x');
		break;
	case 'r':
	case 'p':
		ask_to_leave(key, before, now);
		break;
	case 'l':
		rescue_list();
		break;
	default:
		if (key < '1' || key > '9')
			return;
		rescue_choose((unsigned)(key - '0'), now);
	}
	rescue_attended(now);
}

/* ---- signals */

static void reap(uint64_t now)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == loader)
			loader_end = now;
		else
			(void)job_reaped(pid, status);
	}
}

/* SIGINT is Ctrl-Alt-Del (the kernel sends it), SIGTERM what busybox's
 * reboot sends, SIGUSR2 its poweroff. */
static void read_signals(void)
{
	struct signalfd_siginfo s;

	while (read(signals, &s, sizeof s) == (ssize_t)sizeof s) {
		if (s.ssi_signo == SIGCHLD)
			continue;
		rescue_end();
		leave(s.ssi_signo == SIGUSR2, "asked for by a signal");
	}
}

static void open_signals(void)
{
	static const int handled[] = {SIGCHLD, SIGINT, SIGTERM, SIGUSR2};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(handled); i++)
		(void)sigaddset(&set, handled[i]);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	/* without this the kernel does not ask us, it resets at once */
	(void)reboot(RB_DISABLE_CAD);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		log_warn("no signals (errno %d): looking every second", errno);
}

/* ---- the loop */

static int time_to_sleep(uint64_t now)
{
	int ms = rescue_timeout_ms(now);
	int feed = watchdog_timeout_ms(now);

	if (signals < 0 || loader > 0)
		ms = MIN(ms, 1000);
	if (netlink < 0)
		ms = MIN(ms, LOOK_MS);
	/* a feed that is withheld stays due: no busy loop for it */
	if (feed >= 0)
		ms = MIN(ms, feed > 0 ? feed : 1000);
	return ms;
}

static void turn(void)
{
	struct pollfd p[2 + CONSOLE_FDS + JOB_FDS + NETWORK_FDS] = {
	    {.fd = signals, .events = POLLIN},
	    {.fd = netlink, .events = POLLIN},
	};
	unsigned consoles = console_poll_fds(p + 2);
	unsigned which = 0;
	unsigned jobs = rescue_poll_fds(p + 2 + consoles);
	struct pollfd *net = p + 2 + consoles + jobs;
	unsigned nets = OPT_TFTP ? network_poll_fds(net) : 0;
	uint64_t now;
	int key;

	if (poll(p, 2 + consoles + jobs + nets, time_to_sleep(clock_ms())) <
	    0) {
		memset(p, 0, sizeof p);
		(void)poll(NULL, 0, 100); /* no memory just now */
	}
	now = clock_ms();
	read_signals();
	reap(now);
	if (netlink < 0)
		look_at_partitions(now);
	else if (p[1].revents != 0)
		read_uevents(now);
	look_at_loader(now);
	if (OPT_TFTP)
		network_step(net, nets, now);
	rescue_step(p + 2 + consoles, jobs, now);
	key = console_handle(p + 2, consoles, &which);
	if (key != 0)
		on_key(key, which, now);
	if (rescue_moves(now))
		watchdog_feed(now);
	else if (watchdog_timeout_ms(now) < 0) /* there is none to do it */
		leave(false, "nothing moves any more");
}

int init_run(int argc, char **argv)
{
	uint64_t now;

	(void)argc;
	(void)argv;
	early_mounts();
	early_stdio();
	console_open();
	log_to(console_sink, NULL, LOG_INFO);
	say_hello();
	config_read_settings(&config);
	watchdog_open(&config.settings);
	say_clock();
	config_read(&config);
	open_signals();
	reboot_on_crash();
	netlink = netlink_open();
	if (netlink < 0)
		log_warn("no uevents (errno %d): looking every 2 s", errno);

	/* The line: from here on process 1 does not fail. What goes wrong is
	 * said and tried again; what cannot be is fatal(), which reboots. */
	loader = modules_start();
	if (loader < 0) {
		log_err("no child to load the modules");
		loader = 0;
	}
	now = clock_ms();
	loader_end = now + LOADER_MS;
	rescue_begin(&config, loader > 0, now);
	for (;;)
		turn();
}
