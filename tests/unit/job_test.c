/* SPDX-License-Identifier: 0BSD */
/* The owner's side of a job against children that were taken over: the two
 * functions the real children are made of are replaced by what is below. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "worker/work.h"

/* What the next children do; they inherit it. */
static void (*installer_does)(const struct work *w, int fd);
static void (*source_does)(const struct work *w, int fd, int pipe);

void installer_child(const struct work *w, int fd, int pipe)
{
	int keep[] = {fd, pipe < 0 ? fd : pipe};
	struct diag d = {0};

	if (child_enter(w, SANDBOX_WRITE, fd, keep, pipe < 0 ? 1 : 2, &d) == 0)
		installer_does(w, fd);
	child_end(&d, POLICY_WAIT, 0);
}

void source_child(const struct work *w, int fd, int pipe)
{
	int keep[] = {fd, pipe};
	struct diag d = {0};

	if (child_enter(w, SANDBOX_READ, fd, keep, 2, &d) == 0)
		source_does(w, fd, pipe);
	child_end(&d, POLICY_WAIT, 0);
}

/* ---- the owner */

static struct conf conf;
static struct settings settings;
static char dir[] = "/tmp/job_test.XXXXXX";
static char path[8][64];

static struct {
	unsigned lines, outputs, decisions;
	char line[LOG_LINE];
	char output[MSG_TEXT];
	struct job_facts facts;
	enum policy_action answer;
	uint64_t cancel_at_line;
	unsigned candidates;
	struct job_candidate candidate;
} seen;

static void on_log(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	seen.lines++;
	snprintf(seen.line, sizeof seen.line, "%s", line);
	if (seen.cancel_at_line == seen.lines)
		job_cancel(R_CANCELLED, "pulled");
}

static void on_output(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	seen.outputs++;
	snprintf(seen.output, sizeof seen.output, "%.*s", (int)len, text);
}

static void on_candidate(void *ctx, const struct job_candidate *c)
{
	(void)ctx;
	seen.candidates++;
	seen.candidate = *c;
}

static enum policy_action decide(void *ctx, const struct job_facts *f)
{
	(void)ctx;
	seen.decisions++;
	seen.facts = *f;
	return seen.answer;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static unsigned open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void wait_forever(const struct work *w, int fd, int pipe)
{
	char c;

	(void)w;
	(void)fd;
	(void)!read(pipe, &c, 1);
}

/* Runs one job to its end; checks that nothing is left behind. */
static struct job_result run(
    enum job_verb verb, void (*installer)(const struct work *w, int fd))
{
	struct job_setup s = {.verb = verb,
	    .conf = &conf,
	    .settings = &settings,
	    .booted = "B",
	    .bundle = verb == JOB_FETCH ? "-" : path[7],
	    .to = "fetched",
	    .mark_slot = "rootfs.0",
	    .extract_dir = -1,
	    .log = on_log,
	    .output = on_output,
	    .candidate = on_candidate,
	    .decide = decide};
	struct job_result r = {.reason = 1};
	struct pollfd p[JOB_FDS];
	struct diag d = {0};
	unsigned before;
	uint64_t cancel = seen.cancel_at_line;

	memset(&seen, 0, sizeof seen);
	seen.answer = POLICY_INSTALL;
	seen.cancel_at_line = cancel;
	installer_does = installer;
	if (!source_does)
		source_does = wait_forever;
	s.extract_dir = open(dir, O_RDONLY | O_DIRECTORY);
	before = open_fds();
	CHECK_INT(job_start(&s, &d), 0);
	CHECK_INT(job_start(&s, NULL), R_INTERNAL);
	while (d.reason == 0) {
		unsigned n = job_poll_fds(p);

		(void)poll(p, n, job_timeout_ms(now_ms()));
		if (job_step(p, n, now_ms(), &r) == 0)
			break;
	}
	CHECK_INT(open_fds(), before);
	close(s.extract_dir);
	source_does = NULL;
	seen.cancel_at_line = 0;
	return r;
}

static void expect(enum job_verb verb,
    void (*installer)(const struct work *w, int fd), int reason,
    const char *text)
{
	struct job_result r = run(verb, installer);

	if (r.reason != reason || !strstr(r.seen, text))
		fprintf(stderr, "got %s \"%s\", expected %s \"%s\"\n",
		    reason_name(r.reason), r.seen, reason_name(reason), text);
	CHECK_INT(r.reason, reason);
	CHECK(strstr(r.seen, text) != NULL);
}

/* ---- ways to misbehave */

static struct msg m;

static void facts(uint32_t targets, uint8_t a, uint8_t b)
{
	memset(&m, 0, sizeof m);
	m.type = MSG_FACTS;
	m.u.facts.facts.medium = POLICY_NEW;
	m.u.facts.targets = targets;
	m.u.facts.target[0] = a;
	m.u.facts.target[1] = b;
}

static void send_and_wait(int fd)
{
	char c;

	(void)msg_send(fd, &m, NULL, 0);
	(void)!read(fd, &c, 1);
}

static void nothing(const struct work *w, int fd)
{
	(void)w;
	(void)fd;
}

static void unknown_type(const struct work *w, int fd)
{
	(void)w;
	m.type = 99;
	send_and_wait(fd);
}

static void short_message(const struct work *w, int fd)
{
	char c;

	(void)w;
	(void)!write(fd, "hello", 5);
	(void)!read(fd, &c, 1);
}

static void long_message(const struct work *w, int fd)
{
	static char big[sizeof(struct msg) + 1] = {MSG_LOG};
	char c;

	(void)w;
	(void)!write(fd, big, sizeof big);
	(void)!read(fd, &c, 1);
}

static void bad_index(const struct work *w, int fd)
{
	(void)w;
	facts(1, 200, 0);
	send_and_wait(fd);
}

static void twice(const struct work *w, int fd)
{
	(void)w;
	facts(2, 0, 0);
	send_and_wait(fd);
}

static void too_many(const struct work *w, int fd)
{
	(void)w;
	facts(UINT32_MAX, 0, 0);
	send_and_wait(fd);
}

static void bad_enum(const struct work *w, int fd)
{
	(void)w;
	facts(1, 0, 0);
	m.u.facts.facts.boot = 1000;
	send_and_wait(fd);
}

static void bad_bool(const struct work *w, int fd)
{
	(void)w;
	facts(1, 0, 0);
	m.u.facts.facts.env_valid = 2;
	send_and_wait(fd);
}

static void endless_text(const struct work *w, int fd)
{
	(void)w;
	facts(1, 0, 0);
	memset(m.u.facts.facts.version, 'x', sizeof m.u.facts.facts.version);
	send_and_wait(fd);
}

static void facts_again(const struct work *w, int fd)
{
	(void)w;
	facts(1, 0, 0);
	(void)msg_send(fd, &m, NULL, 0);
	send_and_wait(fd);
}

static void booted_slot(const struct work *w, int fd)
{
	(void)w;
	facts(1, 1, 0);
	send_and_wait(fd);
}

static void two_groups(const struct work *w, int fd)
{
	(void)w;
	facts(2, 0, 2);
	send_and_wait(fd);
}

static void booted_child(const struct work *w, int fd)
{
	(void)w;
	facts(1, 2, 0);
	send_and_wait(fd);
}

static void readonly_slot(const struct work *w, int fd)
{
	(void)w;
	facts(1, 3, 0);
	send_and_wait(fd);
}

static void missing_slot(const struct work *w, int fd)
{
	(void)w;
	facts(1, 4, 0);
	send_and_wait(fd);
}

static void source_slot(const struct work *w, int fd)
{
	(void)w;
	facts(1, 5, 0);
	send_and_wait(fd);
}

static void no_target(const struct work *w, int fd)
{
	(void)w;
	facts(0, 0, 0);
	send_and_wait(fd);
}

/* The honest way: gets a descriptor, and only of the slot it asked for. */
static void good_slot(const struct work *w, int fd)
{
	int fds[MSG_FDS];
	unsigned count = MSG_FDS;
	struct diag d = {0};

	(void)w;
	(void)fd;
	facts(1, 0, 0);
	child_ask(&m, fds, &count);
	if (m.u.grant.targets != 1 || count < 1 ||
	    count != 1 + (m.u.grant.direct & 1) ||
	    m.u.grant.action != POLICY_INSTALL)
		(void)diag_fail(&d, R_INTERNAL, "the grant is wrong");
	else if (pwrite(fds[0], "written", 7, 0) != 7)
		(void)diag_fail(&d, R_INTERNAL, "no write");
	else if (count > 1 && pwrite(fds[1], "written", 7, 0) != -1)
		(void)diag_fail(&d, R_INTERNAL, "the other can be written");
	child_end(&d, POLICY_INSTALL, 7);
}

static void bad_result(const struct work *w, int fd)
{
	(void)w;
	memset(&m, 0, sizeof m);
	m.type = MSG_RESULT;
	m.u.result.reason = 5;
	send_and_wait(fd);
}

static void candidate(void)
{
	memset(&m, 0, sizeof m);
	m.type = MSG_CANDIDATE;
	strcpy(m.u.candidate.where, "sda1:/x.raucb");
	strcpy(m.u.candidate.line, "sda1:/x.raucb: a\033[2Jb");
}

static void endless_candidate(const struct work *w, int fd)
{
	(void)w;
	candidate();
	memset(m.u.candidate.where, 'x', sizeof m.u.candidate.where);
	send_and_wait(fd);
}

static void endless_line(const struct work *w, int fd)
{
	(void)w;
	candidate();
	memset(m.u.candidate.line, 'x', sizeof m.u.candidate.line);
	send_and_wait(fd);
}

static void a_candidate(const struct work *w, int fd)
{
	(void)w;
	candidate();
	(void)msg_send(fd, &m, NULL, 0);
}

static void candidates(const struct work *w, int fd)
{
	(void)w;
	candidate();
	while (msg_send(fd, &m, NULL, 0))
		;
}

static void bad_progress(const struct work *w, int fd)
{
	(void)w;
	memset(&m, 0, sizeof m);
	m.type = MSG_PROGRESS;
	m.u.progress.phase = 77;
	send_and_wait(fd);
}

/* Talks all the time and does nothing. */
static void idle_talk(const struct work *w, int fd)
{
	(void)w;
	memset(&m, 0, sizeof m);
	m.type = MSG_PROGRESS;
	m.u.progress.total = 100;
	m.u.progress.done = 50;
	while (msg_send(fd, &m, NULL, 0))
		;
}

static void flood(const struct work *w, int fd)
{
	(void)w;
	(void)fd;
	for (;;)
		log_info("hello");
}

static void restarts(const struct work *w, int fd)
{
	(void)w;
	memset(&m, 0, sizeof m);
	m.type = MSG_PROGRESS;
	m.u.progress.total = 100;
	do
		m.u.progress.done = 60 - m.u.progress.done;
	while (msg_send(fd, &m, NULL, 0));
}

/* A byte more each time. */
static void endless(const struct work *w, int fd)
{
	(void)w;
	memset(&m, 0, sizeof m);
	m.type = MSG_PROGRESS;
	m.u.progress.total = UINT64_MAX;
	do
		m.u.progress.done++;
	while (msg_send(fd, &m, NULL, 0));
}

static void controls(const struct work *w, int fd)
{
	(void)w;
	memset(&m, 0, sizeof m);
	m.type = MSG_LOG;
	m.u.log.level = LOG_INFO;
	strcpy(m.u.log.line, "a\033[2Jb\n");
	(void)msg_send(fd, &m, NULL, 0);
	memset(&m, 0, sizeof m);
	m.type = MSG_OUTPUT;
	strcpy(m.u.output.text, "a\tb\033]0;x\007\n");
	(void)msg_send(fd, &m, NULL, 0);
}

static void with_fds(const struct work *w, int fd)
{
	int fds[4] = {fd, fd, fd, fd};

	(void)w;
	memset(&m, 0, sizeof m);
	m.type = MSG_LOG;
	strcpy(m.u.log.line, "take these");
	for (unsigned i = 0; i < 20; i++)
		(void)msg_send(fd, &m, fds, 4);
}

static void crash(const struct work *w, int fd)
{
	(void)w;
	(void)fd;
	(void)syscall(SYS_getpid);
}

static void quiet_end(const struct work *w, int fd)
{
	(void)w;
	(void)fd;
	(void)syscall(SYS_exit_group, 0);
}

static void hang(const struct work *w, int fd)
{
	char c;

	(void)w;
	log_info("hanging");
	(void)!read(fd, &c, 1);
}

static void fail_politely(const struct work *w, int fd)
{
	struct diag d = {0};

	(void)w;
	(void)fd;
	(void)diag_fail(&d, R_VERITY_DATA, "block 3");
	child_end(&d, POLICY_WAIT, 0);
}

static void source_fails(const struct work *w, int fd, int pipe)
{
	struct diag d = {0};

	(void)w;
	(void)fd;
	(void)pipe;
	(void)diag_fail(&d, R_MEDIUM_GONE, "pulled");
	child_end(&d, POLICY_WAIT, 0);
}

static void source_opens(const struct work *w, int fd, int pipe)
{
	(void)w;
	(void)fd;
	(void)pipe;
	(void)open("/dev/null", O_RDONLY);
}

static void source_sends_facts(const struct work *w, int fd, int pipe)
{
	facts(1, 0, 0);
	(void)msg_send(fd, &m, NULL, 0);
	wait_forever(w, fd, pipe);
}

static void test_messages(void)
{
	static const char must_not[] = "must not send";
	static void (*const bad[])(const struct work *w, int fd) = {
	    unknown_type, bad_index, twice, too_many, bad_enum, bad_bool,
	    endless_text, facts_again, bad_result, bad_progress, flood,
	    restarts};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect(JOB_INSTALL, bad[i], R_CHILD, must_not);
	expect(JOB_INSTALL, a_candidate, R_CHILD, must_not);
	CHECK_INT(seen.candidates, 0);
	expect(JOB_RESCUE, endless_candidate, R_CHILD, must_not);
	expect(JOB_RESCUE, endless_line, R_CHILD, must_not);
	CHECK_INT(seen.candidates, 0);
	expect(JOB_RESCUE, candidates, R_CHILD, must_not);
	CHECK_INT(seen.candidates, JOB_CANDIDATES);
	expect(JOB_RESCUE, a_candidate, 0, "");
	CHECK_STR(seen.candidate.where, "sda1:/x.raucb");
	CHECK_STR(seen.candidate.line, "sda1:/x.raucb: a?[2Jb");
	expect(JOB_INSTALL, short_message, R_CHILD, "");
	expect(JOB_INSTALL, long_message, R_CHILD, "");
	expect(JOB_INFO, good_slot, R_CHILD, must_not);
	expect(JOB_EXTRACT, good_slot, R_CHILD, must_not);
	source_does = source_sends_facts;
	expect(JOB_INSTALL, hang, R_CHILD, "source process sent");
	CHECK_INT(seen.decisions, 0);
	expect(JOB_INSTALL, nothing, 0, "");
	expect(JOB_INSTALL, controls, 0, "");
	CHECK_STR(seen.line, "a?[2Jb?");
	CHECK_STR(seen.output, "a\tb?]0;x?\n");
	expect(JOB_INSTALL, with_fds, 0, "");
	expect(JOB_INSTALL, fail_politely, R_VERITY_DATA, "block 3");
}

static void test_targets(void)
{
	char head[8] = "";
	int fd;

	expect(JOB_INSTALL, booted_slot, R_NO_TARGET, "rootfs.1");
	expect(JOB_INSTALL, booted_child, R_NO_TARGET, "kernel.1");
	expect(JOB_INSTALL, two_groups, R_CHILD, "must not send");
	expect(JOB_INSTALL, readonly_slot, R_TARGET_READ_ONLY, "data.0");
	expect(JOB_INSTALL, missing_slot, R_TARGET_MISSING, "gone.0");
	expect(JOB_INSTALL, source_slot, R_TARGET_SOURCE, "src.0");
	expect(JOB_INSTALL, no_target, R_INTERNAL, "nothing to install");
	expect(JOB_INSTALL, good_slot, 0, "");
	CHECK_INT(seen.decisions, 1);
	CHECK_STR(seen.facts.targets, "rootfs.0");
	fd = open(path[0], O_RDONLY);
	CHECK_INT(read(fd, head, 7), 7);
	close(fd);
	CHECK_STR(head, "written");
}

static void test_ends(void)
{
	expect(JOB_INSTALL, crash, R_CHILD,
	    "installer process was ended by SIGSYS");
	expect(JOB_INSTALL, quiet_end, R_CHILD, "ended without a word");
	source_does = source_fails;
	expect(JOB_INSTALL, hang, R_MEDIUM_GONE, "pulled");
	source_does = source_opens;
	expect(
	    JOB_INSTALL, hang, R_CHILD, "source process was ended by SIGSYS");
	settings.stall_s = 1;
	expect(JOB_INSTALL, hang, R_TIMEOUT, "1 s");
	expect(JOB_INSTALL, idle_talk, R_TIMEOUT, "1 s");
	settings.stall_s = 60;
	seen.cancel_at_line = 1;
	expect(JOB_INSTALL, hang, R_CANCELLED, "pulled");
}

/* Stopped from outside in the middle of its work. */
static void test_stopped(void)
{
	struct job_setup s = {.verb = JOB_INSTALL,
	    .conf = &conf,
	    .settings = &settings,
	    .booted = "B",
	    .bundle = path[7],
	    .extract_dir = -1};
	static const int signals[] = {SIGSTOP, SIGKILL};

	settings.stall_s = 1;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct job_result r = {.reason = 1};
		char children[64] = "", name[64];
		int fd;
		pid_t pid;

		installer_does = idle_talk;
		source_does = wait_forever;
		CHECK_INT(job_start(&s, NULL), 0);
		snprintf(name, sizeof name, "/proc/self/task/%d/children",
		    (int)getpid());
		fd = open(name, O_RDONLY);
		if (fd < 0 || read(fd, children, sizeof children - 1) <= 0)
			children[0] = '\0';
		close(fd);
		/* the source is forked first */
		pid = atoi(children);
		if (pid > 0)
			CHECK_INT(kill(pid, signals[i]), 0);
		while (job_step(NULL, 0, now_ms(), &r) == 1)
			(void)poll(NULL, 0, 5);
		if (pid > 0)
			CHECK_INT(r.reason, i == 0 ? R_TIMEOUT : R_CHILD);
	}
	source_does = NULL;
	settings.stall_s = 60;
}

/* Pretends to work for ever. */
static void test_endless(void)
{
	struct job_setup s = {.verb = JOB_INSTALL,
	    .conf = &conf,
	    .settings = &settings,
	    .booted = "B",
	    .bundle = path[7],
	    .extract_dir = -1};
	const uint64_t day = UINT64_C(24) * 3600 * 1000;
	struct job_result r = {.reason = 1};
	int steps = 0;

	settings.stall_s = 1000000; /* more than a day */
	installer_does = endless;
	source_does = wait_forever;
	CHECK_INT(job_start(&s, NULL), 0);
	while (steps++ < 100)
		CHECK_INT(job_step(NULL, 0, now_ms() + day - 60000, &r), 1);
	CHECK(job_moves() > 1000);
	CHECK_INT(job_timeout_ms(now_ms() + day), 0);
	while (job_step(NULL, 0, now_ms() + day, &r) == 1)
		(void)poll(NULL, 0, 5);
	CHECK_INT(r.reason, R_TIMEOUT);
	CHECK(strstr(r.seen, "no end") != NULL);
	source_does = NULL;
	settings.stall_s = 60;
}

/* ---- extract: nothing is made outside of the folder */

static const struct msg_file *make;
static unsigned make_count;

static void make_files(const struct work *w, int fd)
{
	(void)w;
	(void)fd;
	for (unsigned i = 0; i < make_count; i++) {
		int got;
		unsigned count = 1;

		memset(&m, 0, sizeof m);
		m.type = MSG_FILE;
		m.u.file = make[i];
		child_ask(&m, &got, &count);
		if (make[i].kind == FILE_REGULAR && count == 1)
			(void)!pwrite(got, "x", 1, 0);
	}
}

static void test_extract(void)
{
	static const struct msg_file good[] = {
	    {FILE_FOLDER, 0755, "sub", ""},
	    {FILE_REGULAR, 0640, "sub/file", ""},
	    {FILE_LINK, 0777, "sub/link", "file"},
	};
	static const struct msg_file link[] = {
	    {FILE_LINK, 0777, "out", "/tmp"},
	    {FILE_REGULAR, 0644, "out/job_test_escaped", ""},
	};
	static const struct msg_file bad[] = {
	    {FILE_REGULAR, 0644, "../escaped", ""},
	    {FILE_REGULAR, 0644, "/tmp/job_test_escaped", ""},
	    {FILE_REGULAR, 0644, "sub/../../escaped", ""},
	    {FILE_REGULAR, 0644, "", ""},
	    {FILE_REGULAR, 0644, "sub/", ""},
	    {FILE_REGULAR, 0644, ".", ""},
	    {FILE_REGULAR, 0644, "1/2/3/4/5/6/7/8/9", ""},
	    {7, 0644, "kind", ""},
	};
	char name[512];
	struct stat st;

	make = good;
	make_count = 3;
	expect(JOB_EXTRACT, make_files, 0, "");
	snprintf(name, sizeof name, "%s/sub/file", dir);
	CHECK(stat(name, &st) == 0 && (st.st_mode & 0777) == 0640);
	/* a second time it is there already */
	expect(JOB_EXTRACT, make_files, R_SYSTEM, "exists already");
	make = link;
	make_count = 2;
	expect(JOB_EXTRACT, make_files, R_SYSTEM, "out: ");
	CHECK(access("/tmp/job_test_escaped", F_OK) != 0);
	make_count = 1;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct job_result r;

		make = &bad[i];
		r = run(JOB_EXTRACT, make_files);
		CHECK(r.reason != 0);
	}
	CHECK(access("/tmp/job_test_escaped", F_OK) != 0);
	CHECK(access("/tmp/escaped", F_OK) != 0);
	make = good;
	expect(JOB_INSTALL, make_files, R_CHILD, "must not send");
}

/* Nothing but the one file that was named. */
static void test_fetch(void)
{
	static const struct msg_file other[] = {
	    {FILE_REGULAR, 0644, "fetched2", ""},
	    {FILE_FOLDER, 0755, "fetched", ""},
	    {FILE_LINK, 0777, "fetched", "/etc/passwd"},
	};
	static const struct msg_file one = {FILE_REGULAR, 0644, "fetched", ""};
	struct job_result r;
	char name[512];

	make_count = 1;
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		make = &other[i];
		expect(JOB_FETCH, make_files, R_CHILD, "must not send");
		snprintf(name, sizeof name, "%s/%s", dir, other[i].path);
		CHECK(
		    faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0);
	}
	make = &one;
	r = run(JOB_FETCH, make_files);
	CHECK_INT(r.reason, 0);
	CHECK(r.made);
	/* there was one, and it is not this job's */
	r = run(JOB_FETCH, make_files);
	CHECK_INT(r.reason, R_SYSTEM);
	CHECK(!r.made);
}

static void add_slot(
    const char *name, const char *bootname, int parent, bool readonly)
{
	struct slot *s = &conf.slot[conf.slots];

	snprintf(path[conf.slots], sizeof path[0], "%s/%s", dir, name);
	strcpy(s->name, name);
	strcpy(s->device, path[conf.slots]);
	strcpy(s->bootname, bootname);
	s->parent = parent;
	s->readonly = readonly;
	conf.slots++;
}

static void make_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600);

	CHECK_INT(ftruncate(fd, 8192), 0);
	close(fd);
}

int main(void)
{
	CHECK(mkdtemp(dir) != NULL);
	strcpy(conf.compatible, "test");
	strcpy(conf.bootloader_name, "noop");
	add_slot("rootfs.0", "A", -1, false);
	add_slot("rootfs.1", "B", -1, false);
	add_slot("kernel.1", "", 1, false);
	add_slot("data.0", "", -1, true);
	add_slot("gone.0", "", -1, false);
	add_slot("src.0", "", -1, false);
	for (unsigned i = 0; i < 6; i++)
		if (i != 4)
			make_file(path[i]);
	strcpy(path[7], path[5]);
	settings_default(&settings);
	settings.stall_s = 60;

	test_messages();
	test_targets();
	test_ends();
	test_stopped();
	test_endless();
	test_extract();
	test_fetch();
	/* what never began answers too */
	{
		struct job_result r;

		CHECK_INT(job_step(NULL, 0, now_ms(), &r), 0);
		CHECK_INT(job_timeout_ms(now_ms()), -1);
		CHECK(!job_reaped(1, 0));
	}
	{
		char command[64];

		snprintf(command, sizeof command, "rm -rf %s", dir);
		CHECK_INT(system(command), 0);
	}
	return check_done("job");
}
