/* SPDX-License-Identifier: 0BSD */
/*
 * Process 1's rescue with a scripted job and a clock that jumps: which jobs
 * start, how often, and how a visit to recovery ends.
 */
#include "init/rescue.c"

#include <setjmp.h>
#include <stdio.h>

#include "check.h"

/* ---- the world */

static uint64_t now;
static jmp_buf left_by;
static bool left_off;
static char left_why[200];

uint64_t clock_ms(void)
{
	return now;
}

void leave(bool poweroff, const char *why)
{
	left_off = poweroff;
	fmt(left_why, sizeof left_why, "%s", why);
	longjmp(left_by, 1);
}

static unsigned drawn, lines;

void console_progress(const char *text, bool line)
{
	(void)text;
	drawn++;
	lines += line;
}

size_t progress_format(char *dst, size_t cap, enum install_phase phase,
    uint64_t done, uint64_t total, uint64_t rate)
{
	return fmt(dst, cap, "%d %llu %llu %llu", phase,
	    (unsigned long long)done, (unsigned long long)total,
	    (unsigned long long)rate);
}

/* ---- the job: its facts, its end, and how often it was asked for */

static struct {
	struct job_facts facts;
	struct job_result end; /* once told to write */
	bool silent;           /* never comes to an end */
	bool breaks;           /* a failed install leaves half a slot */
	bool no_facts;         /* ends without asking */
	int start_fails;
	unsigned states, searches, writes;
	uint64_t moves;

	const struct job_setup *setup;
	bool cancelled;
} job;

int job_start(const struct job_setup *s, struct diag *d)
{
	job.setup = s;
	job.cancelled = false;
	if (s->verb == JOB_STATE)
		job.states++;
	else
		job.searches++;
	if (job.start_fails != 0)
		return diag_fail(d, job.start_fails, "no start");
	return 0;
}

unsigned job_poll_fds(struct pollfd *p)
{
	(void)p;
	return 0;
}

int job_step(const struct pollfd *p, unsigned count, uint64_t now_ms,
    struct job_result *r)
{
	(void)p;
	(void)count;
	(void)now_ms;
	if (job.silent && !job.cancelled)
		return 1;
	*r = job.end;
	if (job.no_facts || job.cancelled)
		return 0;
	r->action = job.setup->decide(job.setup->ctx, &job.facts);
	if (r->action == POLICY_INSTALL && r->reason != 0)
		job.facts.slots = job.breaks ? POLICY_BROKEN : job.facts.slots;
	if (r->action == POLICY_INSTALL || r->action == POLICY_REARM)
		job.writes++;
	else
		r->reason = 0;
	return 0;
}

int job_timeout_ms(uint64_t now_ms)
{
	(void)now_ms;
	return 10;
}

void job_cancel(int reason, const char *seen)
{
	job.cancelled = true;
	job.end.reason = reason;
	fmt(job.end.seen, sizeof job.end.seen, "%s", seen);
}

uint64_t job_moves(void)
{
	return job.moves;
}

/* ---- what is said */

static unsigned said;
static char all[65536];

static void sink(void *ctx, enum log_level level, const char *line)
{
	size_t n = strlen(all);

	(void)ctx;
	(void)level;
	said++;
	fmt(all + n, sizeof all - n, "%s\n", line);
}

static unsigned times_said(const char *text)
{
	unsigned n = 0;

	for (const char *p = all; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

/* ---- helpers */

static struct config config;

static void begin(
    enum policy_boot boot, enum policy_slots slots, enum policy_medium medium)
{
	memset(&life, 0, sizeof life);
	memset(&job, 0, sizeof job);
	memset(&config, 0, sizeof config);
	settings_default(&config.settings);
	job.facts.boot = boot;
	job.facts.slots = slots;
	job.facts.medium = medium;
	job.facts.env_valid = boot != POLICY_UNKNOWN;
	fmt(job.facts.env_text, sizeof job.facts.env_text, "BOOT_A_LEFT=0");
	fmt(job.facts.path, sizeof job.facts.path, "sda1:/x.raucb");
	said = 0;
	all[0] = '\0';
	left_why[0] = '\0';
	now = 5000;
	log_to(sink, NULL, LOG_INFO);
	rescue_begin(&config, false, now);
}

/* Lives for so long; true when it left. Every sleep is as long as it asked
 * for, which also shows that it never asks for none in vain. */
static bool live(unsigned seconds)
{
	uint64_t end = now + seconds * UINT64_C(1000);
	static unsigned idle;

	idle = 0;
	if (setjmp(left_by) != 0)
		return true;
	while (now < end) {
		int ms = rescue_timeout_ms(now);

		CHECK(ms >= 0);
		idle = ms == 0 ? idle + 1 : 0;
		if (idle > 20) {
			CHECK(idle == 0); /* a busy loop */
			break;
		}
		now += (uint64_t)ms;
		rescue_step(NULL, 0, now);
	}
	return false;
}

static struct slice text_of(const char *s)
{
	return (struct slice){s, strlen(s)};
}

static void event(enum uevent_action action, const char *devname)
{
	struct uevent e = {
	    .action = action,
	    .subsystem = text_of("block"),
	    .devname = text_of(devname),
	};

	rescue_uevent(&e, now);
}

/* ---- tests */

static void test_waits_for_ever(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NONE);
	job.facts.refused = R_NO_MEDIUM;
	CHECK(!live(3600));
	CHECK_INT(job.states, 1);
	CHECK_INT(job.searches, 1);
	CHECK_INT(job.writes, 0);
	CHECK_INT(times_said("boot state: BOOT_A_LEFT=0"), 1);
	/* alive, but no flood: a line every 10 to 30 s */
	CHECK(said >= 3600 / 30 && said < 3600 / 10);
}

static void test_first_words_come_soon(void)
{
	begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_NONE);
	CHECK(!live(1));
	CHECK_INT(times_said("boot state: BOOT_A_LEFT=0: its boot"), 1);
	CHECK(times_said("waiting for a medium with a bundle") >= 1);
}

static void test_installs(void)
{
	begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_NEW);
	fmt(job.facts.version, sizeof job.facts.version, "2.0");
	fmt(job.facts.targets, sizeof job.facts.targets, "rootfs.0");
	job.end.bytes = 4096000;
	job.end.ms = 1234;
	CHECK(live(10));
	CHECK_STR(left_why, "the new system is in place");
	CHECK_INT(times_said("installed 2.0 to rootfs.0: 4.0 MB in 1.2 s"), 1);
	CHECK(!left_off);
	CHECK_INT(job.writes, 1);
	CHECK_INT(times_said("installing 2.0 from sda1:/x.raucb"), 1);

	begin(POLICY_UNKNOWN, POLICY_BROKEN, POLICY_NEW);
	config.settings.poweroff = true;
	CHECK(live(10));
	CHECK(left_off);
}

static void test_gives_new_attempts_when_nobody_comes(void)
{
	begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_NONE);
	CHECK(!live(config.settings.wait_s));
	CHECK_INT(job.writes, 0);
	CHECK(times_said("reboots in") >= 3);
	CHECK(live(3));
	CHECK_INT(job.writes, 1);
	CHECK_INT(job.searches, 2);

	/* the attempts are used up */
	begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_NONE);
	job.facts.tries = 2;
	CHECK(!live(3600));
	CHECK_INT(job.writes, 0);
	CHECK_INT(job.searches, 1);
	CHECK(times_said("did not boot") >= 1);
}

static void test_a_key_puts_the_reboot_off(void)
{
	begin(POLICY_BOOTABLE, POLICY_INTACT, POLICY_NONE);
	for (int i = 0; i < 10; i++) {
		CHECK(!live(50));
		rescue_attended(now);
	}
	CHECK(live(70));
	CHECK_STR(left_why, "a slot can be booted");
	CHECK_INT(job.writes, 0);
}

static void test_same_bundle_left_in(void)
{
	begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_SAME);
	job.facts.tries = 2;
	CHECK(!live(3600));
	CHECK_INT(job.writes, 0);
	CHECK_INT(times_said("byte for byte"), 1);

	/* ... until somebody insists */
	rescue_again(now);
	CHECK(live(10));
	CHECK_INT(job.writes, 1);

	/* lifeboat.reinstall= is bounded like any other bundle */
	begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_SAME);
	config.settings.reinstall = true;
	CHECK(live(10));
	CHECK_INT(job.writes, 1);
	begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_SAME);
	config.settings.reinstall = true;
	job.facts.tries = 2;
	CHECK(!live(3600));
	CHECK_INT(job.writes, 0);

	/* and where nobody counts it, it is no reason to write */
	begin(POLICY_BOOTABLE, POLICY_INTACT, POLICY_SAME);
	config.settings.reinstall = true;
	job.facts.env_valid = false;
	CHECK(live(3600));
	CHECK_INT(job.writes, 0);
}

static void test_failed_install_is_not_repeated(void)
{
	begin(POLICY_EXHAUSTED, POLICY_BROKEN, POLICY_NEW);
	job.end.reason = R_TARGET_WRITE;
	fmt(job.end.seen, sizeof job.end.seen, "at 4096");
	CHECK(!live(3600));
	CHECK_INT(job.writes, 1);
	CHECK_INT(times_said("install: at 4096 [target-write-error]"), 1);
	CHECK(times_said("last attempt failed: at 4096") > 10);

	/* plugged in anew: once more */
	event(UEVENT_ADD, "sda1");
	CHECK(!live(60));
	CHECK_INT(job.writes, 2);
	/* a device that makes change events of its own is no new medium */
	event(UEVENT_CHANGE, "sda");
	CHECK(!live(60));
	CHECK_INT(job.writes, 2);

	/* a loose contact does not wear the disk out */
	for (int i = 0; i < 100; i++) {
		event(UEVENT_REMOVE, "sda1");
		event(UEVENT_ADD, "sda1");
		CHECK(!live(10));
	}
	CHECK_INT(job.writes, FAILED_MAX);
	rescue_again(now);
	CHECK(!live(10));
	CHECK_INT(job.writes, FAILED_MAX + 1);
}

static void test_failed_bundle_does_not_keep_a_good_slot_waiting(void)
{
	begin(POLICY_BOOTABLE, POLICY_INTACT, POLICY_NEW);
	job.end.reason = R_TARGET_SMALL;
	CHECK(live(200));
	CHECK_STR(left_why, "a slot can be booted");
	CHECK_INT(job.writes, 1);
}

static void test_half_a_slot_is_not_promised_a_reboot(void)
{
	begin(POLICY_BOOTABLE, POLICY_INTACT, POLICY_NEW);
	job.end.reason = R_TARGET_FLUSH;
	job.breaks = true;
	CHECK(!live(3600));
	CHECK_INT(job.writes, 1);
	CHECK_INT(times_said("reboots in"), 0);
}

static void test_failed_rearm_is_not_repeated(void)
{
	begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_NONE);
	job.end.reason = R_BOOT_IO;
	CHECK(!live(3600));
	CHECK_INT(job.writes, 1);

	/* at once, and when the wait is over */
	begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_SAME);
	job.end.reason = R_BOOT_IO;
	CHECK(!live(3600));
	CHECK_INT(job.writes, 2);
}

static void test_passing_failures_are_repeated_a_little(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NEW);
	job.end.reason = R_CHILD;
	CHECK(!live(3600));
	CHECK_INT(job.writes, 1 + AGAIN_MAX);

	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NONE);
	job.no_facts = true;
	job.end.reason = R_TIMEOUT;
	CHECK(!live(3600));
	CHECK_INT(job.searches, 1 + AGAIN_MAX);

	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NONE);
	job.start_fails = R_TARGET_MISSING;
	CHECK(!live(3600));
	CHECK_INT(job.searches, 1);
	CHECK_INT(times_said("search: no start [target-missing]"), 1);
}

/* The wait is over while a job hangs: no busy loop until it is repeated. */
static void test_hangs_longer_than_the_wait(void)
{
	begin(POLICY_BOOTABLE, POLICY_INTACT, POLICY_NONE);
	for (int i = 0; i < 3; i++) {
		now += 40;
		rescue_step(NULL, 0, now);
	}
	CHECK(life.known);
	job.silent = true;
	CHECK(!live(config.settings.wait_s + 10));
	CHECK(life.running);
	job.silent = false;
	job.no_facts = true;
	job.end.reason = R_TIMEOUT;
	CHECK(!live(1));
	job.no_facts = false;
	job.end.reason = 0;
	job.facts.medium = POLICY_NEW;
	CHECK(live(10));
	CHECK_STR(left_why, "the new system is in place");
}

/* What is plugged in cannot be read, once or for ever. */
static void test_unreadable_medium(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_REFUSED);
	job.facts.refused = R_IO;
	CHECK(!live(5));
	CHECK(times_said("[io-error]") >= 1);
	job.facts.refused = 0;
	job.facts.medium = POLICY_NEW;
	CHECK(live(10));
	CHECK_STR(left_why, "the new system is in place");

	begin(POLICY_BAD, POLICY_BROKEN, POLICY_REFUSED);
	job.facts.refused = R_IO;
	CHECK(!live(3600));
	CHECK_INT(job.searches, 1 + AGAIN_MAX);
	CHECK_INT(job.writes, 0);

	/* a slot that can be booted is not kept waiting for ever */
	begin(POLICY_BOOTABLE, POLICY_INTACT, POLICY_REFUSED);
	job.facts.refused = R_IO;
	CHECK(live(3600));
	CHECK_STR(left_why, "a slot can be booted");

	/* anything else that is wrong with a bundle stays wrong */
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_REFUSED);
	job.facts.refused = R_CMS_DIGEST;
	CHECK(!live(3600));
	CHECK_INT(job.searches, 1);
}

static void test_pulled_out(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NONE);
	CHECK(!live(5));
	job.silent = true;
	job.facts.medium = POLICY_NEW;
	event(UEVENT_ADD, "sda1");
	CHECK(!live(2));
	CHECK(life.running);
	life.acted = true; /* as after the decision */
	event(UEVENT_REMOVE, "sda");
	event(UEVENT_REMOVE, "sda11");
	event(UEVENT_REMOVE, "");
	CHECK(!job.cancelled);
	event(UEVENT_REMOVE, "sda1");
	CHECK(job.cancelled);
	job.silent = false;
	job.facts.medium = POLICY_NONE;
	CHECK(!live(60));
	CHECK(times_said("[medium-removed]") >= 1);
	CHECK_INT(times_said("install: the medium was pulled out"), 1);

	/* the read error may come before the event's job is known */
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NONE);
	CHECK(!live(5));
	event(UEVENT_REMOVE, "sdb");
	job.no_facts = true;
	job.end.reason = R_IO;
	CHECK(!live(1));
	CHECK_INT(times_said("search: a device was pulled out"), 1);
}

static void test_devices_that_never_settle(void)
{
	uint64_t start;

	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NONE);
	CHECK(!live(5));
	job.searches = 0;
	start = now;
	while (job.searches == 0 && now - start < 60000) {
		event(UEVENT_ADD, "sdx");
		now += 100;
		rescue_step(NULL, 0, now);
	}
	CHECK(now - start <= 6000);
}

static void test_nothing_starts_while_modules_load(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NONE);
	rescue_begin(&config, true, now);
	CHECK(!live(30));
	CHECK_INT(job.searches, 0);
	CHECK_INT(job.states, 1); /* but the boot state is looked at */
	rescue_loaded(now);
	CHECK(!live(2));
	CHECK_INT(job.searches, 1);
}

static void test_broken_image(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NEW);
	(void)!diag_fail(&config.broken, R_CONF_MISSING, "system.conf: gone");
	CHECK(!live(300));
	CHECK_INT(job.searches + job.states, 0);
	CHECK(times_said("nothing can be installed: system.conf: gone "
	                 "[system-conf-missing-key]") >= 10);
}

static void test_watchdog_wants_moves(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NEW);
	CHECK(rescue_moves(now += 1000000)); /* nothing to do */
	job.silent = true;
	CHECK(!live(2));
	CHECK(life.running && rescue_moves(now));
	for (int i = 0; i < 50; i++) {
		now += 30000;
		job.moves++;
		CHECK(rescue_moves(now));
	}
	now += (config.settings.stall_s + STALL_GRACE_S) * UINT64_C(1000);
	CHECK(rescue_moves(now));
	CHECK(!rescue_moves(now + 1));
}

static void test_progress_is_readable(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NEW);
	drawn = lines = 0;
	/* 60 s at 100 calls a second */
	for (uint64_t i = 0; i <= 6000; i++, now += 10)
		on_progress(NULL, PHASE_WRITE, i * 1000, 6000000);
	CHECK(lines >= 30 && lines <= 32);
	CHECK(drawn >= 150 && drawn <= 240);
	lines = 0;
	on_progress(NULL, PHASE_READ_BACK, 0, 100);
	CHECK_INT(lines, 1);
	on_progress(NULL, PHASE_READ_BACK, 1, 100);
	CHECK_INT(lines, 1);
	on_progress(NULL, PHASE_READ_BACK, 100, 100);
	CHECK_INT(lines, 2);
	on_progress(NULL, PHASE_READ_BACK, 100, 100);
	CHECK_INT(lines, 2);
	/* the same phase from its beginning: another bundle */
	on_progress(NULL, PHASE_READ_BACK, 1, 100);
	CHECK_INT(lines, 3);
}

int main(void)
{
	test_waits_for_ever();
	test_first_words_come_soon();
	test_installs();
	test_gives_new_attempts_when_nobody_comes();
	test_a_key_puts_the_reboot_off();
	test_same_bundle_left_in();
	test_failed_install_is_not_repeated();
	test_failed_bundle_does_not_keep_a_good_slot_waiting();
	test_half_a_slot_is_not_promised_a_reboot();
	test_failed_rearm_is_not_repeated();
	test_passing_failures_are_repeated_a_little();
	test_hangs_longer_than_the_wait();
	test_unreadable_medium();
	test_pulled_out();
	test_devices_that_never_settle();
	test_nothing_starts_while_modules_load();
	test_broken_image();
	test_watchdog_wants_moves();
	test_progress_is_readable();
	return check_done("rescue");
}
