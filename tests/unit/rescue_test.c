/* SPDX-License-Identifier: 0BSD */
/*
 * Process 1's rescue with a scripted job and a clock that jumps: which jobs
 * start, how often, and how a visit to recovery ends.
 */
#include "init/rescue.c"

#include <setjmp.h>
#include <stdio.h>

#include "check.h"
#include "init/network.h"

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

void departure_begin(
    const struct settings *s, bool poweroff, const char *why, uint64_t now_ms)
{
	CHECK(s == &life.config->settings && now_ms == now);
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

static char lent[32]; /* of the console that is away */

int console_lend(unsigned which, char *name, size_t cap)
{
	if (which != 1 || lent[0] != '\0')
		return R_LINE_CONFIG;
	fmt(lent, sizeof lent, "ttyS1");
	fmt(name, cap, "%s", lent);
	return 77;
}

bool console_is(const char *origin)
{
	return strcmp(origin, "serial:/dev/ttyS1") == 0;
}

void console_take_back(void)
{
	lent[0] = '\0';
}

/* ---- the network, whose address comes with the first look */

static struct network_state net;
static unsigned net_begun, net_ended;

const struct network_state *network_state(void)
{
	return &net;
}

void network_begin(const struct net_conf *n, uint64_t now_ms)
{
	(void)n;
	(void)now_ms;
	net_begun++;
	net.phase = net.failed.reason != 0 && net.file[0] != '\0'
	                ? NETWORK_FAILED
	                : NETWORK_UP;
}

void network_end(void)
{
	net_ended++;
	net.phase = NETWORK_IDLE;
}

int network_timeout_ms(uint64_t now_ms)
{
	(void)now_ms;
	return 100;
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
	unsigned candidates; /* that a search finds */
	char asked[160];     /* setup.chosen of the last search */

	unsigned feeds;   /* searches elsewhere than on media */
	char bundle[160]; /* setup.bundle of the last of them */
	bool give_up_good;
	int line;
	int feed_fails;                 /* reason of a feed that has nothing */
	bool feed_waits;                /* or it waits for a sender */
	enum policy_medium feed_medium; /* what it has instead */
	int rearm_fails;

	const struct job_setup *setup;
	bool cancelled;
	int cancel; /* why */
	char cancel_seen[DIAG_SEEN];
} job;

int job_start(const struct job_setup *s, struct diag *d)
{
	job.setup = s;
	job.cancelled = false;
	if (s->bundle) {
		job.feeds++;
		fmt(job.bundle, sizeof job.bundle, "%s", s->bundle);
		job.give_up_good = s->give_up_good;
		job.line = s->line;
	}
	if (s->verb == JOB_STATE)
		job.states++;
	else
		job.searches++;
	fmt(job.asked, sizeof job.asked, "%s", s->chosen ? s->chosen : "");
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
	struct job_facts facts;

	(void)p;
	(void)count;
	(void)now_ms;
	if ((job.silent || (job.feed_waits && job.setup->bundle)) &&
	    !job.cancelled)
		return 1;
	*r = job.end;
	if (job.cancelled) {
		r->reason = job.cancel;
		fmt(r->seen, sizeof r->seen, "%s", job.cancel_seen);
		return 0;
	}
	if (job.feed_fails != 0 && job.setup->bundle) {
		r->reason = job.feed_fails;
		return 0;
	}
	if (job.no_facts)
		return 0;
	for (unsigned i = 0;
	     job.setup->verb == JOB_RESCUE && i < job.candidates; i++) {
		struct job_candidate c;

		fmt(c.where, sizeof c.where, "sda1:/%u.raucb", i + 1);
		fmt(c.line, sizeof c.line, "sda1:/%u.raucb: why %u", i + 1, i);
		job.setup->candidate(job.setup->ctx, &c);
	}
	facts = job.facts;
	if (job.setup->bundle && job.feed_medium != POLICY_NONE)
		facts.medium = job.feed_medium;
	r->action = job.setup->decide(job.setup->ctx, &facts);
	if (r->action == POLICY_REARM && job.rearm_fails != 0)
		r->reason = job.rearm_fails;
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
	job.cancel = reason;
	fmt(job.cancel_seen, sizeof job.cancel_seen, "%s", seen);
}

unsigned job_stall_s(void)
{
	return life.config->settings.stall_s;
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

/* A person chooses where two bundles of one version were refused. */
static void test_choosing(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_REFUSED);
	job.facts.refused = R_BUNDLE_CHOICE;
	rescue_list();
	CHECK_INT(times_said("the last search found no bundle"), 1);
	job.candidates = 2;
	CHECK(!live(10));
	CHECK_INT(job.writes, 0);
	/* a digit that comes from nowhere is noise */
	rescue_choose(1, now);
	CHECK(!live(10));
	CHECK_INT(job.searches, 1);
	rescue_list();
	CHECK_INT(times_said("1: sda1:/1.raucb: why 0"), 1);
	CHECK_INT(times_said("2: sda1:/2.raucb: why 1"), 1);
	CHECK_INT(times_said("3: "), 0);
	rescue_choose(3, now);
	CHECK(!live(10));
	CHECK_INT(job.searches, 1);
	rescue_choose(2, now);
	job.facts.medium = POLICY_NEW;
	job.facts.refused = 0;
	CHECK(live(10));
	CHECK_STR(job.asked, "sda1:/2.raucb");
	CHECK_INT(job.searches, 2);
	CHECK_INT(job.writes, 1);

	/* what a person chose is written in any case ... */
	begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_SAME);
	job.facts.tries = 2;
	job.candidates = 1;
	job.end.reason = R_TARGET_WRITE;
	CHECK(!live(10));
	CHECK_INT(job.writes, 0);
	rescue_list();
	rescue_choose(1, now);
	CHECK(!live(600));
	CHECK_INT(job.writes, 1);
	/* ... once, and what is plugged in then is looked at as ever */
	CHECK_STR(job.asked, "sda1:/1.raucb");
	event(UEVENT_ADD, "sdb1");
	CHECK(!live(10));
	CHECK_STR(job.asked, "");
	CHECK_INT(job.writes, 1);
	/* as with any other search */
	rescue_list();
	rescue_choose(1, now);
	rescue_again(now);
	CHECK(!live(10));
	CHECK_STR(job.asked, "");
	/* while a job runs nothing is chosen */
	rescue_list();
	job.silent = true;
	event(UEVENT_ADD, "sdb1");
	CHECK(!live(2));
	CHECK(life.running);
	rescue_list();
	rescue_choose(1, now);
	CHECK_STR(life.asked, "");
	/* more than there is room for */
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_REFUSED);
	job.candidates = 40;
	CHECK(!live(10));
	rescue_list();
	CHECK_INT(times_said("9: sda1:/9.raucb"), 1);
	CHECK_INT(times_said("10: "), 0);
}

/* A stick needs 20 s to be there: the wait for one that never comes is longer,
 * with a slot that could be booted or be given new attempts, too. */
static void test_a_stick_that_takes_its_time(void)
{
	static const enum policy_boot boots[] = {
	    POLICY_BOOTABLE, POLICY_EXHAUSTED, POLICY_BAD, POLICY_UNKNOWN};

	for (size_t i = 0; i < ARRAY_LEN(boots); i++) {
		begin(boots[i], POLICY_INTACT, POLICY_NONE);
		CHECK(!live(20));
		CHECK_INT(job.writes, 0);
		job.facts.medium = POLICY_NEW;
		event(UEVENT_ADD, "sda");
		event(UEVENT_ADD, "sda1");
		CHECK(live(2));
		CHECK_STR(left_why, "the new system is in place");
		CHECK_INT(job.writes, 1);
		CHECK_INT(job.searches, 2);
	}

	/* its disk is there at once, what is on it 20 s later */
	begin(POLICY_BOOTABLE, POLICY_INTACT, POLICY_NONE);
	event(UEVENT_ADD, "sda");
	CHECK(!live(20));
	job.facts.medium = POLICY_NEW;
	{
		struct uevent e = {.action = UEVENT_CHANGE,
		    .subsystem = text_of("block"),
		    .devname = text_of("sda"),
		    .media_change = true};

		rescue_uevent(&e, now);
	}
	CHECK(live(2));
	CHECK_INT(job.writes, 1);
}

/* Pulled out in the middle of an install, and plugged in again. */
static void test_plugged_in_again(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NONE);
	CHECK(!live(5));
	job.silent = true;
	event(UEVENT_ADD, "sda1");
	CHECK(!live(2));
	life.acted = true; /* as after the decision */
	fmt(life.facts.path, sizeof life.facts.path, "sda1:/x.raucb");
	event(UEVENT_REMOVE, "sda1");
	event(UEVENT_REMOVE, "sda");
	CHECK(job.cancelled);
	job.silent = false;
	job.facts.medium = POLICY_NONE;
	CHECK(!live(300));
	CHECK_INT(times_said("install: the medium was pulled out"), 1);
	CHECK_INT(job.writes, 0);
	job.facts.medium = POLICY_NEW;
	job.end.reason = 0;
	event(UEVENT_ADD, "sdb");
	event(UEVENT_ADD, "sdb1");
	CHECK(live(5));
	CHECK_STR(left_why, "the new system is in place");
	CHECK_INT(job.writes, 1);
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

static void begin_with_server(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NONE);
	memset(&net, 0, sizeof net);
	net_begun = net_ended = 0;
	config.settings.net.tftp = true;
	net.server[0] = 10;
	net.server[3] = 2;
	net.port = 6969;
	fmt(net.file, sizeof net.file, "x.raucb");
}

static void test_far_away_comes_after_media(void)
{
	begin_with_server();
	job.feed_fails = R_NET_SERVER;
	CHECK(!live(3600));
	CHECK_INT(job.searches - job.feeds, 1);
	CHECK_STR(job.bundle, "tftp://10.0.0.2:6969/x.raucb");
	CHECK(!job.give_up_good);
	CHECK_INT(job.line, 0);
	CHECK(net_begun - job.feeds <= 1);
	CHECK_INT(net_ended, job.feeds);
	/* 5, 10, 20, ... 300 s, and then every 300 s */
	CHECK(job.feeds >= 15 && job.feeds <= 20);
	CHECK(times_said("no-server") >= job.feeds);
	CHECK_INT(job.writes, 0);

	/* a bundle there is installed as one of a medium is */
	job.feed_fails = 0;
	job.facts.medium = POLICY_NEW;
	CHECK(live(400));
	CHECK_INT(job.writes, 1);
	CHECK_STR(left_why, "the new system is in place");

	/* none is asked where a medium has one */
	begin_with_server();
	job.facts.medium = POLICY_NEW;
	CHECK(live(10));
	CHECK_INT(job.feeds, 0);
}

static void test_no_link(void)
{
	begin_with_server();
	(void)diag_fail(&net.failed, R_NET_LINK, "eth0: no cable");
	CHECK(!live(600));
	CHECK_INT(job.feeds, 0);
	CHECK(net_begun > 3);
	CHECK(times_said("eth0: no cable [no-link]") >= net_begun);
	CHECK(times_said("the last attempt failed: eth0: no cable") > 3);
}

static void test_no_file_there(void)
{
	begin_with_server();
	net.file[0] = '\0';
	(void)diag_fail(&net.failed, R_NET_CONFIG, "no file to ask for");
	CHECK(!live(600));
	CHECK_INT(job.feeds, 0);
	CHECK(times_said("no file to ask for [network-config]") > 0);
}

static void test_network_and_line_in_turn(void)
{
	begin_with_server();
	memcpy(config.settings.serial, "/dev/ttyS3,9600", 16);
	job.feed_fails = R_TIMEOUT;
	CHECK(!live(2));
	CHECK_INT(job.feeds, 2);
	CHECK_STR(job.bundle, "serial:/dev/ttyS3,9600");
	CHECK(!live(10));
	CHECK_INT(job.feeds, 4);
}

/* Its line is the operator's: it is not taken away every few seconds. */
static void test_a_console_is_no_line_to_listen_on(void)
{
	begin_with_server();
	config.settings.net.tftp = false;
	memcpy(config.settings.serial, "/dev/ttyS1", 11);
	CHECK(!live(600));
	CHECK_INT(job.feeds, 0);
	CHECK(times_said("is a console: start sz there") >= 3);
}

/* Nothing far away keeps a slot that can be booted from being booted. */
static void test_the_wait_ends_all_the_same(void)
{
	begin_with_server();
	job.facts.boot = POLICY_BOOTABLE;
	job.facts.slots = POLICY_INTACT;
	job.feed_fails = R_NET_SERVER;
	CHECK(live(config.settings.wait_s + 5));
	CHECK_STR(left_why, "a slot can be booted");
}

static void test_a_stick_ends_a_transfer_that_waits(void)
{
	begin_with_server();
	job.feed_waits = true;
	CHECK(!live(20));
	CHECK_INT(job.feeds, 1);
	event(UEVENT_ADD, "sdb");
	job.facts.medium = POLICY_NEW;
	CHECK(!live(0));
	CHECK_INT(net_ended, 1);
	CHECK(live(5));
	CHECK_INT(job.writes, 1);
	CHECK_INT(job.feeds, 1);
}

static void test_receives_where_it_was_asked(void)
{
	begin(POLICY_BOOTABLE, POLICY_INTACT, POLICY_NONE);
	job.feed_waits = true;
	CHECK(!live(5));
	rescue_receive(0, true); /* a screen */
	CHECK(!live(1));
	CHECK_INT(job.feeds, 0);
	CHECK_INT(times_said("press it there"), 1);
	rescue_receive(1, true);
	CHECK_INT(rescue_timeout_ms(now), 0);
	CHECK(!live(1));
	CHECK_INT(job.feeds, 1);
	CHECK_STR(job.bundle, "serial:/dev/ttyS1");
	CHECK_INT(job.line, 77);
	CHECK(job.give_up_good);
	CHECK_STR(lent, "ttyS1");
	rescue_receive(1, true); /* it is a sender's byte */
	/* a stick has to wait: somebody stands at the line */
	event(UEVENT_ADD, "sdb");
	CHECK(!live(5));
	CHECK_INT(job.feeds, 1);
	job.feed_waits = false;
	job.feed_fails = R_LINE_SILENT;
	CHECK(!live(1));
	CHECK_STR(lent, "");
	CHECK_INT(times_said("[line-silent]"), 1);
	CHECK_INT(job.searches - job.feeds, 2);

	/* in the midst of a search */
	job.silent = true;
	rescue_again(now);
	CHECK(!live(1));
	job.facts.medium = POLICY_SAME;
	job.feed_fails = 0;
	rescue_receive(1, true);
	job.silent = false;
	CHECK(live(5));
	CHECK_INT(job.writes, 1);
}

/* A transfer that broke amid an install is begun again: nobody comes who would
 * plug something in. */
static void test_a_broken_transfer_is_begun_again(void)
{
	begin_with_server();
	job.feed_fails = R_NET_SERVER;
	CHECK(!live(3));
	job.feed_fails = 0;
	job.facts.medium = POLICY_NEW;
	job.breaks = true;
	job.end.reason = R_TIMEOUT;
	CHECK(!live(120));
	CHECK(job.writes >= 2);
	/* but not for ever */
	CHECK(!live(7200));
	CHECK_INT(job.writes, FAILED_MAX);
	/* a person may */
	job.end.reason = 0;
	rescue_again(now);
	CHECK(live(600));
}

/* What a server has that does not help today may be another one tomorrow, and
 * what a person is told to do does what it says. */
static void test_a_server_is_asked_again(void)
{
	for (unsigned i = 0; i < 2; i++) {
		begin_with_server();
		job.facts.boot = POLICY_EXHAUSTED;
		job.facts.slots = POLICY_INTACT;
		job.facts.tries = 2;
		job.feed_fails = R_NET_SERVER;
		CHECK(!live(3));
		job.feed_fails = 0;
		job.feed_medium = POLICY_NEW;
		CHECK(!live(1800));
		CHECK_INT(job.writes, 0);
		CHECK(job.feeds >= 6 && job.feeds < 20);
		CHECK(times_said("press i to install it again") > 3);
		if (i == 0)
			job.facts.tries = 0;
		else
			rescue_again(now);
		CHECK(live(i == 0 ? 400 : 5));
		CHECK_STR(left_why, "the new system is in place");
	}
}

/* A search that ends without facts is no reason not to look elsewhere. */
static void test_far_away_without_facts(void)
{
	begin_with_server();
	job.no_facts = true;
	job.end.reason = R_CHILD;
	CHECK(!live(60));
	CHECK(job.feeds > 1);
	job.no_facts = false;
	job.end.reason = 0;
	job.facts.medium = POLICY_NEW;
	CHECK(live(600));
}

/* What a server has does not begin the wait anew, nor what failed then. */
static void test_what_is_far_away_is_no_news(void)
{
	begin_with_server();
	job.facts.boot = POLICY_EXHAUSTED;
	job.facts.slots = POLICY_INTACT;
	job.facts.env_valid = true;
	job.feed_medium = POLICY_REFUSED;
	job.rearm_fails = R_BOOT_IO;
	CHECK(!live(3600));
	CHECK_INT(times_said("install: "), 1);
}

/* A sender that is left on begins by itself in every boot: its bundle that
 * does not boot is not written for ever, unless a person wants it. */
static void test_a_sender_left_on(void)
{
	for (unsigned i = 0; i < 3; i++) {
		begin(POLICY_EXHAUSTED, POLICY_INTACT, POLICY_NONE);
		job.facts.tries = 2;
		job.feed_medium = POLICY_NEW;
		CHECK(!live(3));
		rescue_receive(1, i == 1);
		CHECK(live(3) == (i == 1));
		CHECK_INT(job.give_up_good, i == 1);
		if (i == 2) {
			rescue_again(now);
			CHECK(!live(3));
			rescue_receive(1, false);
			CHECK(live(3));
		}
		CHECK_INT(job.writes, i > 0);
	}
}

/* A transfer that is being written keeps its address, whatever is plugged in:
 * half a slot is worse than a stick that has to wait. */
static void test_plugged_in_amid_a_transfer(void)
{
	begin_with_server();
	job.feed_waits = true;
	CHECK(!live(20));
	CHECK_INT(job.feeds, 1);
	life.acted = true; /* as after the decision */
	net_ended = 0;
	event(UEVENT_ADD, "sdb");
	rescue_plugged(now);
	CHECK(!live(20));
	CHECK(life.running && !job.cancelled);
	CHECK_INT(net_ended, 0);
	job.feed_waits = false;
	job.feed_fails = R_TIMEOUT;
	CHECK(!live(3));
	CHECK_INT(job.searches - job.feeds, 2);
	CHECK_INT(net_ended, 1);
}

/* A byte of noise, x, does not cost a stick that is being read. */
static void test_receiving_waits_for_a_search(void)
{
	begin(POLICY_BAD, POLICY_BROKEN, POLICY_NEW);
	job.silent = true;
	CHECK(!live(3));
	CHECK(life.running);
	rescue_receive(1, true);
	CHECK(!job.cancelled);
	job.silent = false;
	CHECK(live(5));
	CHECK_INT(job.writes, 1);
	CHECK_INT(job.feeds, 0);
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
	test_choosing();
	test_a_stick_that_takes_its_time();
	test_plugged_in_again();
	test_devices_that_never_settle();
	test_nothing_starts_while_modules_load();
	test_broken_image();
	test_watchdog_wants_moves();
	test_progress_is_readable();
	test_far_away_comes_after_media();
	test_no_link();
	test_no_file_there();
	test_network_and_line_in_turn();
	test_a_console_is_no_line_to_listen_on();
	test_the_wait_ends_all_the_same();
	test_a_stick_ends_a_transfer_that_waits();
	test_receives_where_it_was_asked();
	test_a_broken_transfer_is_begun_again();
	test_a_server_is_asked_again();
	test_far_away_without_facts();
	test_what_is_far_away_is_no_news();
	test_a_sender_left_on();
	test_plugged_in_amid_a_transfer();
	test_receiving_waits_for_a_search();
	return check_done("rescue");
}
