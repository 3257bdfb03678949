/* SPDX-License-Identifier: 0BSD */
/*
 * Process 1 of the recovery system: what its files offer each other.
 *
 * Always true: it reads no foreign byte but kernel uevents, keys and a lease of
 * fixed size, never waits for a device, and does not end. What it needs is
 * static.
 */
#ifndef LIFEBOAT_INIT_H
#define LIFEBOAT_INIT_H

#include <poll.h>
#include <sys/types.h>

#include "base/log.h"
#include "boot/boot.h"
#include "init/uevent.h"
#include "slot/conf.h"
#include "slot/install.h"

/* The whole life; called by main() when getpid() is 1. Does not return. */
int init_run(int argc, char **argv);

/* Milliseconds of CLOCK_BOOTTIME. */
uint64_t clock_ms(void);

/* ---- early.c: what the kernel does not do for an initramfs */

/* Mounts /dev, /proc, /sys and /run, and has the kernel look for cards in
 * readers. What is mounted already is passed over, what cannot be is said by
 * early_report, when there is a console. */
void early_mounts(void);
void early_report(void);

/* Descriptors 0 to 2 lead to /dev/console, else stay as they were given,
 * else to /dev/null. */
void early_stdio(void);

/*
 * Reads a whole file into dst and adds a NUL. Returns its length, or
 * R_NOT_FOUND, R_LIMIT (cap - 1 bytes or more; dst holds the beginning),
 * R_IO. The longest of these files are system.conf and the environment.
 */
int early_read(const char *path, char *dst, size_t cap) MUST_CHECK;

/* ---- config.c: what the image says of its device */

#define CONFIG_TEXT 16384u

struct config {
	struct conf conf;
	struct settings settings;
	struct keyring keyring;
	struct recipient recipient; /* secret */
	struct fw_env_config fw_env;
	bool have_fw_env;
	const char *initial_env; /* NULL: none */
	struct diag broken;      /* why nothing can be installed, or empty */
	char text[CONFIG_TEXT];  /* of the file read last */
};

/* lifeboat.conf, then the kernel command line; first, because the watchdog
 * needs them. What is wrong is said and passed over. */
void config_read_settings(struct config *c);

/* system.conf, fw_env.config, the keyring and the environment's defaults.
 * What is wrong is said and kept in c->broken. */
void config_read(struct config *c);

/* ---- modules.c */

struct module {
	char *path;   /* below /lib/modules */
	char *params; /* "delay_use=0", or empty */
};

/*
 * The next line of an order file: "path.ko [parameters]"; blank lines and '#'
 * comments are passed over. Cuts text (NUL-terminated, changed) into *m and
 * moves *text behind it; false at the end.
 */
bool module_next(char **text, struct module *m) MUST_CHECK;

/*
 * Loads all of /lib/modules/order in a child, so that a driver that hangs
 * hangs nothing else. Returns its pid, 0 when there is nothing to load, or
 * R_SYSTEM. Modules that are missing, loaded already or have no device are
 * normal; every other failure is one line.
 */
pid_t modules_start(void);

/* ---- netlink.c: the kernel's uevent socket */

/* Opened before any device is looked for. The descriptor, or -1. */
int netlink_open(void);

/* What one read brought. */
enum netlink_event {
	NETLINK_NONE,  /* nothing waits */
	NETLINK_EVENT, /* *e is one uevent, valid until the next call */
	NETLINK_LOST,  /* events were lost: look at everything again */
	NETLINK_OTHER, /* something that is no uevent of the kernel's */
};

enum netlink_event netlink_read(int fd, struct uevent *e);

/* ---- console.c: every console the kernel lists, in and out */

#define CONSOLES 4
#define CONSOLE_FDS (2 * CONSOLES)

/* Opens them; again later for those that came with a module. */
void console_open(void);

/* The log's sink: "lifeboat: LINE". Never blocks: a console that takes
 * nothing loses lines, which are counted and said when it takes again. */
void console_sink(void *ctx, enum log_level level, const char *line);

/* A line as it is. */
void console_say(const char *line);

/* The progress line: in place on screens; on serial lines only when line is
 * true, so that logs stay readable. */
void console_progress(const char *text, bool line);

/* Fills p (CONSOLE_FDS entries); returns how many. */
unsigned console_poll_fds(struct pollfd *p);

/* Writes what waits and reads one key: 0, the character, or CONSOLE_ZMODEM
 * when a ZMODEM sender began; *which console it came from. */
#define CONSOLE_ZMODEM 256
int console_handle(const struct pollfd *p, unsigned count, unsigned *which);

/* True for "serial:/dev/ttyS0,115200" when ttyS0 is one of them. */
bool console_is(const char *origin);

/*
 * Gives a serial console away for a transfer: a descriptor that is no
 * standard one, and its name. What is said meanwhile is kept for it, as far as
 * it fits, and comes when it is taken back. R_LINE_CONFIG: a screen, or one is
 * away; R_SYSTEM.
 */
int console_lend(unsigned which, char *name, size_t cap) MUST_CHECK;
void console_take_back(void);

/* Waits up to ms until all is written. */
void console_drain(unsigned ms);

/* For a forked child: what the parent has not yet written is not its own. */
void console_forget(void);

/* The progress of one phase as text. rate in bytes a second, 0: unknown. */
size_t progress_format(char *dst, size_t cap, enum install_phase phase,
    uint64_t done, uint64_t total, uint64_t rate);

/* The next name of /sys/class/tty/console/active, moving behind it; names with
 * a slash are passed over. False at the end. */
bool console_name_next(const char **active, char *dst, size_t cap);

/* ---- report.c */

/* Keeps a line; of many the first and the last ones. */
void report_line(const char *line);

/*
 * From now on the machine goes down: at once, or when the report has been sent
 * to the TFTP server that s names, or cannot be. why stays valid. Then
 * departure_step() is true, and does not return when it is time.
 */
void departure_begin(
    const struct settings *s, bool poweroff, const char *why, uint64_t now_ms);
bool departure_step(uint64_t now_ms) MUST_CHECK;
/* Milliseconds until departure_step has something to do; -1: never. */
int departure_timeout_ms(uint64_t now_ms);

/* ---- rescue.c: when a job runs, what it may do, what follows */

/* loading: modules are still being loaded; rescue_loaded comes later. */
void rescue_begin(const struct config *c, bool loading, uint64_t now_ms);
void rescue_loaded(uint64_t now_ms);

/* Devices: of a uevent, or unknown ones. */
void rescue_uevent(const struct uevent *e, uint64_t now_ms);
void rescue_plugged(uint64_t now_ms);

/* The operator: is there; wants another search, and what is found installed
 * in any case; wants to know. */
void rescue_attended(uint64_t now_ms);
void rescue_again(uint64_t now_ms);
/* Receive over this console's line; a person wants what comes installed in
 * any case, a sender that began by itself is one more source. */
void rescue_receive(unsigned console, bool person);
void rescue_say(void);
/* The operator wants to see what the last search found; and then just this
 * one installed, 1 being the first. What was not listed is no number. */
void rescue_list(void);
void rescue_choose(unsigned number, uint64_t now_ms);

/* True while slots are being written. */
bool rescue_writes(void);
/* Ends a running job, before the machine goes down. */
void rescue_end(void);

/* Polling as with job.h; rescue_step starts and ends jobs and speaks. */
unsigned rescue_poll_fds(struct pollfd *p);
void rescue_step(const struct pollfd *p, unsigned count, uint64_t now_ms);
int rescue_timeout_ms(uint64_t now_ms);

/* False when a job has stood still for so long that only a reset helps. */
bool rescue_moves(uint64_t now_ms);

/* ---- watchdog.c */

/* Opens and arms it, says so, and why the last reset came; does nothing when
 * it is open. Call again after modules were loaded. */
void watchdog_open(const struct settings *s);

/* Feeds it if it is time. It is never closed: an armed watchdog guards the
 * reboot too. */
void watchdog_feed(uint64_t now_ms);

/* Milliseconds until watchdog_feed has something to do; -1: never. */
int watchdog_timeout_ms(uint64_t now_ms);

/* ---- reboot.c */

/* Catches faults of process 1 itself: they end in fatal(). */
void reboot_on_crash(void);

/* Says why, and reboots or powers off. Does not return; the watchdog, fed no
 * more, ends what the kernel does not. */
_Noreturn void leave(bool poweroff, const char *why);

/* Below the line: says what happened and reboots after FATAL_S seconds, or
 * when a key is pressed. */
#define FATAL_S 20
_Noreturn void fatal(const char *what);

#endif
