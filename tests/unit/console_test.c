/* SPDX-License-Identifier: 0BSD */
/* The console on this test's own descriptors 0 and 1, a pipe each. */
#include "init/console.c"

#include "check.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

uint64_t clock_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static unsigned kept;

void report_line(const char *line)
{
	kept += line[0] != '\0';
}

int early_read(const char *path, char *dst, size_t cap)
{
	(void)path;
	dst[0] = '\0';
	return cap > 0 ? R_NOT_FOUND : R_LIMIT;
}

#define DEVELOPMENT "lifeboat: " DEVELOPMENT_WARNING "\n"

const bool keyring_is_development = true;

static int from_console, to_console;
static unsigned which; /* console a key came from */

static const char *seen(void)
{
	static char text[3 * RING];
	ssize_t n = read(from_console, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void attach(bool screen)
{
	int in[2], out[2];

	if (pipe(in) < 0 || pipe(out) < 0)
		exit(1);
	for (int i = 0; i < 2; i++)
		if (fcntl(out[i], F_SETFL, O_NONBLOCK) < 0 ||
		    fcntl(in[i], F_SETFL, O_NONBLOCK) < 0)
			exit(1);
	console_count = 0;
	add(out[1], in[0], screen ? "tty0" : "ttyS0");
	from_console = out[0];
	to_console = in[1];
	flush(&consoles[0]);
	CHECK_STR(seen(), DEVELOPMENT);
	consoles[0].head = 0;
}

/* Every console says whose keys it has, one that comes late, too. */
static void test_development(void)
{
	int late[2];

	attach(false);
	console_say("lifeboat 1: recovery");
	if (pipe(late) < 0 || fcntl(late[0], F_SETFL, O_NONBLOCK) < 0)
		exit(1);
	add(late[1], -1, "ttyUSB0");
	console_sink(NULL, LOG_INFO, "later");
	CHECK_STR(seen(), "lifeboat 1: recovery\nlifeboat: later\n");
	from_console = late[0];
	CHECK_STR(seen(), DEVELOPMENT "lifeboat: later\n");
}

static void test_names(void)
{
	static const char text[] = " ttyS0  tty0\nhvc0\n"
	                           "../sda averyveryverylongconsolename x";
	const char *p = text;
	char name[NAME];

	CHECK(console_name_next(&p, name, sizeof name));
	CHECK_STR(name, "ttyS0");
	CHECK(console_name_next(&p, name, sizeof name));
	CHECK_STR(name, "tty0");
	CHECK(console_name_next(&p, name, sizeof name));
	CHECK_STR(name, "hvc0");
	/* no way out of /dev, and nothing cut */
	CHECK(console_name_next(&p, name, sizeof name));
	CHECK_STR(name, "x");
	CHECK(!console_name_next(&p, name, sizeof name));

	CHECK(is_screen("tty0") && is_screen("tty12"));
	CHECK(!is_screen("ttyS0") && !is_screen("tty") && !is_screen("hvc0"));
}

static void test_progress_text(void)
{
	char t[120];

	progress_format(t, sizeof t, PHASE_WRITE, 12345678, 64000000, 5200000);
	CHECK_STR(t, "writing 12.3 of 64.0 MB, 19 %, 5.2 MB/s, 10 s left");
	progress_format(t, sizeof t, PHASE_VERIFY, 0, 64000000, 0);
	CHECK_STR(t, "verifying the bundle 0.0 of 64.0 MB, 0 %");
	progress_format(t, sizeof t, PHASE_COMPARE, 50, 50, 1);
	CHECK_STR(t, "comparing with the slots 0.0 of 0.0 MB, 100 %, 0.0 MB/s");
	progress_format(t, sizeof t, PHASE_READ_BACK, 9, 0, 0);
	CHECK_STR(t, "reading back 0.0 of 0.0 MB, 100 %");
	/* nothing overflows, and nothing is above 100 % */
	progress_format(t, sizeof t, PHASE_WRITE, UINT64_MAX, UINT64_MAX, 1);
	CHECK(strstr(t, ", 100 %, 0.0 MB/s") != NULL);
	CHECK(strstr(t, "left") == NULL);
	progress_format(
	    t, sizeof t, PHASE_WRITE, UINT64_MAX / 2, UINT64_MAX, 1);
	CHECK(strstr(t, ", 49 %, ") != NULL);
	progress_format(t, sizeof t, PHASE_CHECK, 1, 199, 1);
	CHECK_STR(
	    t, "checking the images 0.0 of 0.0 MB, 0 %, 0.0 MB/s, 198 s left");
	CHECK_INT(progress_format(t, 8, PHASE_WRITE, 1, 2, 3), 7);
	progress_format(t, sizeof t, PHASE_RECEIVE, 3456789, UINT64_MAX, 11520);
	CHECK_STR(t, "receiving 3.4 MB, 0.0 MB/s");
	progress_format(t, sizeof t, PHASE_RECEIVE, 100000, 200000, 0);
	CHECK_STR(t, "receiving 0.1 of 0.2 MB, 49 %");
}

static void test_serial_line(void)
{
	attach(false);
	console_say("lifeboat 1: recovery");
	console_sink(NULL, LOG_INFO, "hello");
	console_progress("half", false);
	console_progress("all", true);
	CHECK_STR(seen(), "lifeboat 1: recovery\nlifeboat: hello\n"
	                  "lifeboat: all\n");
}

static void test_screen(void)
{
	attach(true);
	console_progress("10 %", true);
	console_progress("20 %", false);
	console_sink(NULL, LOG_INFO, "done");
	console_sink(NULL, LOG_INFO, "next");
	CHECK_STR(seen(), "\r10 %\033[K\r20 %\033[K\r\033[K"
	                  "lifeboat: done\nlifeboat: next\n");
}

/* A console that takes nothing costs lines, never time. */
static void test_stuck(void)
{
	struct pollfd p[CONSOLE_FDS];
	char line[LOG_LINE];
	uint64_t start = clock_ms();
	const char *note;

	attach(false);
	(void)fcntl(consoles[0].out, F_SETPIPE_SZ, 4096);
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	for (int i = 0; i < 1000; i++)
		console_sink(NULL, LOG_INFO, line);
	CHECK(consoles[0].lost > 900);
	CHECK(clock_ms() - start < 1000);
	start = clock_ms();
	console_drain(50);
	CHECK(clock_ms() - start < 1000);

	/* whole lines survive, and the loss is told */
	CHECK_INT(strlen(seen()) % (sizeof "lifeboat: " - 1 + sizeof line),
	    4096 % (sizeof "lifeboat: " - 1 + sizeof line));
	CHECK_INT(console_poll_fds(p), 2);
	CHECK_INT(p[1].fd, consoles[0].out);
	for (int i = 0; i < 4; i++) {
		p[1].revents = POLLOUT;
		(void)console_handle(p, 2, &which);
		(void)seen();
	}
	CHECK_INT(console_poll_fds(p), 2);
	CHECK_INT(p[1].fd, -1);
	console_sink(NULL, LOG_INFO, "again");
	note = seen();
	CHECK(strncmp(note, "lifeboat: 9", 11) == 0);
	CHECK(
	    strstr(note, " lines did not fit here\nlifeboat: again\n") != NULL);
}

static void test_keys_and_hangup(void)
{
	struct pollfd p[CONSOLE_FDS];

	attach(false);
	CHECK(write(to_console, "ri", 2) == 2);
	CHECK_INT(poll(p, console_poll_fds(p), 0), 1);
	CHECK_INT(console_handle(p, 2, &which), 'r');
	CHECK_INT(poll(p, console_poll_fds(p), 0), 1);
	CHECK_INT(console_handle(p, 2, &which), 'i');
	CHECK_INT(poll(p, console_poll_fds(p), 0), 0);
	CHECK_INT(console_handle(p, 2, &which), 0);

	/* gone: no key, and it wakes nobody again */
	(void)close(to_console);
	CHECK_INT(poll(p, console_poll_fds(p), 0), 1);
	CHECK_INT(console_handle(p, 2, &which), 0);
	CHECK_INT(poll(p, console_poll_fds(p), 0), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)close(from_console);
	console_sink(NULL, LOG_INFO, "into the void");
	CHECK_INT(consoles[0].out, -1);
	CHECK_INT(poll(p, console_poll_fds(p), 0), 0);
}

/* A child must not write what its parent had not yet written. */
static void test_forget(void)
{
	attach(false);
	consoles[0].out = -2;
	(void)put_line(&consoles[0], "", "parent's", "\n");
	console_forget();
	CHECK_INT(consoles[0].len, 0);
}

/* While a line is away for a transfer nothing of ours is on it; afterwards
 * all that was said comes. */
static void test_lent(void)
{
	struct pollfd p[CONSOLE_FDS];
	char name[NAME];

	attach(false);
	CHECK(console_is("serial:/dev/ttyS0"));
	CHECK(console_is("serial:/dev/ttyS0,115200"));
	CHECK(!console_is("serial:/dev/ttyS00") &&
	      !console_is("serial:/dev/ttyS"));
	CHECK(!console_is("tftp://10.0.0.1/ttyS0"));
	attach(true);
	CHECK_INT(console_lend(0, name, sizeof name), R_LINE_CONFIG);
	console_take_back();
	attach(false);
	CHECK(console_lend(0, name, sizeof name) > 2);
	CHECK_STR(name, "ttyS0");
	CHECK_INT(console_lend(0, name, sizeof name), R_LINE_CONFIG);
	console_sink(NULL, LOG_INFO, "kept");
	console_progress("12 %", true);
	CHECK(write(to_console, "rr", 2) == 2);
	CHECK_INT(console_poll_fds(p), 2);
	CHECK_INT(p[0].fd, -1);
	CHECK_INT(p[1].fd, -1);
	CHECK_STR(seen(), "");
	for (unsigned i = 0; i < 1000; i++)
		console_sink(NULL, LOG_INFO, "more than it can keep");
	console_take_back();
	CHECK(strncmp(seen(), "lifeboat: kept\nlifeboat: more", 29) == 0);
	CHECK(kept > 1000);
	console_sink(NULL, LOG_INFO, "as ever");
	CHECK(strstr(seen(), " lines did not fit here\nlifeboat: as ever\n"));
	CHECK_INT(console_poll_fds(p), 2);
	CHECK_INT(p[0].fd, consoles[0].in);
}

static int last_key(const char *typed)
{
	struct pollfd p[CONSOLE_FDS];
	int key = 0;

	CHECK(write(to_console, typed, strlen(typed)) > 0);
	while (poll(p, console_poll_fds(p), 0) > 0)
		key = console_handle(p, 2, &which);
	return key;
}

/* A ZMODEM sender may begin without a word to us. */
static void test_zmodem(void)
{
	attach(false);
	CHECK_INT(last_key("rz\r**\030B00"), CONSOLE_ZMODEM);
	CHECK_INT(which, 0);
	CHECK_INT(last_key("***\030B00"), CONSOLE_ZMODEM);
	CHECK_INT(last_key("**\030B0"), '0');
	CHECK_INT(last_key("1"), '1');
	CHECK_INT(last_key("0"), '0');
}

int main(void)
{
	test_names();
	test_progress_text();
	test_serial_line();
	test_screen();
	test_development();
	test_stuck();
	test_keys_and_hangup();
	test_forget();
	test_lent();
	test_zmodem();
	return check_done("console");
}
