/* SPDX-License-Identifier: 0BSD */
/* The owner and the status file: what an installer that was taken over may
 * not have recorded, and recorders that fail, lie or stand still. The children
 * are replaced by what is below. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "worker/work.h"

static void (*installer_does)(int fd);
static void (*recorder_does)(struct work *w, int fd);

/* What the recorders were given, in memory that all processes share. */
static struct {
	unsigned count;
	struct status_change change[8];
	char path[CONF_TEXT];
} * given;

void installer_child(const struct work *w, int fd, int pipe)
{
	struct diag d = {0};

	(void)pipe;
	if (child_enter(w, SANDBOX_WRITE, fd, &fd, 1, &d) == 0)
		installer_does(fd);
	child_end(&d, POLICY_INSTALL, 0);
}

void source_child(const struct work *w, int fd, int pipe)
{
	char c;

	(void)pipe;
	if (child_enter(w, SANDBOX_READ, fd, &fd, 1, NULL) == 0)
		(void)!read(fd, &c, 1);
}

void recorder_child(struct work *w, int fd)
{
	struct diag d = {0};

	if (given->count < ARRAY_LEN(given->change))
		given->change[given->count] = *w->change;
	given->count++;
	strcpy(given->path, w->status_path);
	if (child_enter(w, SANDBOX_FILES, fd, &fd, 1, &d) == 0)
		recorder_does(w, fd);
	child_end(&d, POLICY_WAIT, 0);
}

/* ---- the owner */

static struct conf conf;
static struct settings settings;
static char dir[] = "/tmp/record_test.XXXXXX";
static enum job_mark mark;
static unsigned lines;
static char line[LOG_LINE];

static void on_log(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	if (level != LOG_WARN)
		return;
	lines++;
	snprintf(line, sizeof line, "%s", text);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* As process 1 does, before the job hears of it. */
static bool reap_first;

static void reap(void)
{
	int status;
	pid_t pid;

	while (reap_first && (pid = waitpid(-1, &status, WNOHANG)) > 0)
		(void)job_reaped(pid, status);
}

/* late: how far the clock is put forward once a recorder runs */
static struct job_result run(enum job_verb verb, void (*installer)(int fd),
    void (*recorder)(struct work *w, int fd), uint64_t late)
{
	struct job_setup s = {.verb = verb,
	    .mark = mark,
	    .mark_slot = "rootfs.0",
	    .conf = &conf,
	    .settings = &settings,
	    .booted = "B",
	    .floor = 1000,
	    .extract_dir = -1};
	struct job_result r = {.reason = 1};
	struct pollfd p[JOB_FDS];
	char bundle[64];

	snprintf(bundle, sizeof bundle, "%s/bundle", dir);
	if (verb != JOB_RESCUE) /* it looks at media */
		s.bundle = bundle;
	lines = 0;
	line[0] = '\0';
	given->count = 0;
	installer_does = installer;
	recorder_does = recorder;
	log_to(on_log, NULL, LOG_INFO);
	CHECK_INT(job_start(&s, NULL), 0);
	for (;;) {
		unsigned n = job_poll_fds(p);
		uint64_t at = given->count > 0 ? now_ms() + late : now_ms();

		(void)poll(p, n, late ? 5 : job_timeout_ms(at));
		if (reap_first)
			(void)poll(NULL, 0, 50);
		reap();
		if (job_step(p, n, at, &r) == 0)
			break;
	}
	return r;
}

/* ---- installers */

static struct msg m;

static void change(enum status_kind kind, unsigned images, int activated)
{
	memset(&m, 0, sizeof m);
	m.type = MSG_STATUS;
	m.u.status.kind = kind;
	m.u.status.images = images;
	m.u.status.activated = activated;
	m.u.status.image[1].slot = 3;
	strcpy(m.u.status.version, "1.2");
}

static void get_grant(void)
{
	int fds[MSG_FDS];
	unsigned count = MSG_FDS;

	memset(&m, 0, sizeof m);
	m.type = MSG_FACTS;
	m.u.facts.facts.medium = POLICY_NEW;
	m.u.facts.targets = 2;
	m.u.facts.target[1] = 3;
	child_ask(&m, fds, &count);
}

static void ask(enum status_kind kind, unsigned images, int activated)
{
	change(kind, images, activated);
	child_ask(&m, NULL, NULL);
}

static void honest(int fd)
{
	(void)fd;
	get_grant();
	ask(STATUS_PENDING, 2, 0);
	ask(STATUS_OK, 2, 0);
}

static void same(int fd)
{
	(void)fd;
	ask(STATUS_OK, 2, -1);
}

/* Asks first; what it was told is its version. */
static void asks(int fd)
{
	char told[MANIFEST_TEXT];

	(void)fd;
	ask(STATUS_QUESTION, 0, 0);
	memcpy(told, m.u.grant.version, sizeof told);
	get_grant();
	change(STATUS_PENDING, 2, 0);
	memcpy(m.u.status.version, told, sizeof told);
	child_ask(&m, NULL, NULL);
}

static void send_and_wait(int fd)
{
	char c;

	(void)msg_send(fd, &m, NULL, 0);
	(void)!read(fd, &c, 1);
}

static void before_grant(int fd)
{
	change(STATUS_OK, 2, 0);
	send_and_wait(fd);
}

static void pending_before_grant(int fd)
{
	change(STATUS_PENDING, 2, 0);
	send_and_wait(fd);
}

static void not_granted(int fd)
{
	get_grant();
	change(STATUS_OK, 2, 0);
	m.u.status.image[1].slot = 2;
	send_and_wait(fd);
}

static void no_slot(int fd)
{
	get_grant();
	change(STATUS_OK, 2, 0);
	m.u.status.image[1].slot = 0x10000;
	send_and_wait(fd);
}

static void slot_twice(int fd)
{
	get_grant();
	change(STATUS_OK, 2, 0);
	m.u.status.image[1].slot = 0;
	send_and_wait(fd);
}

static void no_images(int fd)
{
	get_grant();
	change(STATUS_OK, 0, 0);
	send_and_wait(fd);
}

static void many_images(int fd)
{
	get_grant();
	change(STATUS_OK, UINT32_MAX, 0);
	send_and_wait(fd);
}

static void bad_kind(int fd)
{
	get_grant();
	change((enum status_kind)77, 2, 0);
	send_and_wait(fd);
}

static void bad_activated(int fd)
{
	get_grant();
	change(STATUS_OK, 2, 4);
	send_and_wait(fd);
}

static void negative(int fd)
{
	get_grant();
	change(STATUS_OK, 2, INT32_MIN);
	send_and_wait(fd);
}

static void activates(int fd)
{
	get_grant();
	change(STATUS_ACTIVATED, 0, 0);
	send_and_wait(fd);
}

static void impatient(int fd)
{
	get_grant();
	change(STATUS_PENDING, 2, 0);
	(void)msg_send(fd, &m, NULL, 0);
	send_and_wait(fd);
}

static void endless(int fd)
{
	(void)fd;
	get_grant();
	for (;;)
		ask(STATUS_PENDING, 2, 0);
}

static void marks(int fd)
{
	(void)fd;
	ask(STATUS_ACTIVATED, 0, 0);
}

static void marks_another(int fd)
{
	change(STATUS_ACTIVATED, 0, 1);
	send_and_wait(fd);
}

static void marks_none(int fd)
{
	change(STATUS_ACTIVATED, 0, -1);
	send_and_wait(fd);
}

static void asks_twice(int fd)
{
	ask(STATUS_QUESTION, 0, 0);
	change(STATUS_QUESTION, 0, 0);
	send_and_wait(fd);
}

static void asks_late(int fd)
{
	get_grant();
	change(STATUS_QUESTION, 0, 0);
	send_and_wait(fd);
}

static void ends_early(int fd)
{
	get_grant();
	change(STATUS_PENDING, 2, 0);
	(void)msg_send(fd, &m, NULL, 0);
}

/* ---- recorders */

static void good(struct work *w, int fd)
{
	(void)w;
	(void)fd;
}

static void fails(struct work *w, int fd)
{
	struct diag d = {0};

	(void)w;
	(void)fd;
	(void)diag_fail(&d, R_STATUS_WRITE, "no\033 room");
	child_end(&d, POLICY_WAIT, 0);
}

/* A version, and what no terminal should see. */
static void answers(struct work *w, int fd)
{
	struct diag d = {0};

	(void)fd;
	if (w->change->kind == STATUS_QUESTION)
		snprintf(d.seen, sizeof d.seen, "1.5\033");
	child_end(&d, POLICY_WAIT, 0);
}

/* Of a file that cannot be read, and then is made anew. */
static void knows_nothing(struct work *w, int fd)
{
	struct diag d = {0};

	(void)fd;
	if (w->change->kind == STATUS_QUESTION)
		(void)diag_fail(&d, R_STATUS_DAMAGED, "junk");
	child_end(&d, POLICY_WAIT, 0);
}

/* No version is as long as what there is room for. */
static void answers_long(struct work *w, int fd)
{
	struct diag d = {0};

	(void)fd;
	if (w->change->kind == STATUS_QUESTION)
		memset(d.seen, '7', sizeof d.seen - 1);
	child_end(&d, POLICY_WAIT, 0);
}

static void hangs(struct work *w, int fd)
{
	char c;

	(void)w;
	for (;;)
		(void)!read(fd, &c, 1);
}

static void slow(struct work *w, int fd)
{
	uint64_t until = now_ms() + 1300;

	(void)w;
	(void)fd;
	while (now_ms() < until)
		;
}

/* Says that it is done and does not end. */
static void lingers(struct work *w, int fd)
{
	(void)w;
	memset(&m, 0, sizeof m);
	m.type = MSG_RESULT;
	(void)msg_send(fd, &m, NULL, 0);
	hangs(w, fd);
}

static void crashes(struct work *w, int fd)
{
	(void)w;
	(void)fd;
	(void)syscall(SYS_getpid);
}

static void silent(struct work *w, int fd)
{
	(void)w;
	(void)fd;
	(void)syscall(SYS_exit_group, 0);
}

static void sends_facts(struct work *w, int fd)
{
	memset(&m, 0, sizeof m);
	m.type = MSG_FACTS;
	(void)msg_send(fd, &m, NULL, 0);
	hangs(w, fd);
}

static void sends_and_ends(struct work *w, int fd)
{
	(void)w;
	memset(&m, 0, sizeof m);
	m.type = MSG_FACTS;
	(void)msg_send(fd, &m, NULL, 0);
	(void)syscall(SYS_exit_group, 0);
}

static void floods(struct work *w, int fd)
{
	(void)w;
	(void)fd;
	for (;;)
		log_info("hello");
}

/* ---- */

static void test_honest(void)
{
	struct job_result r = run(JOB_INSTALL, honest, good, 0);
	const struct status_change *c = given->change;

	CHECK_INT(r.reason, 0);
	CHECK_INT(given->count, 2);
	CHECK_STR(given->path, "/status/file");
	CHECK_INT(c[0].kind, STATUS_PENDING);
	CHECK_INT(c[1].kind, STATUS_OK);
	CHECK_INT(c[1].image[1].slot, 3);
	CHECK_STR(c[1].version, "1.2");
	/* the clock's time, not the child's */
	CHECK(c[0].time > 1000000);
	CHECK_INT(lines, 0);

	mark = JOB_MARK_ACTIVE;
	r = run(JOB_MARK, marks, good, 0);
	CHECK_INT(r.reason, 0);
	CHECK_INT(given->count, 1);
	CHECK_INT(c[0].kind, STATUS_ACTIVATED);
	/* recovery has no files of its own that last */
	r = run(JOB_RESCUE, same, good, 0);
	CHECK_INT(r.reason, 0);
	CHECK_INT(given->count, 0);
	CHECK_INT(lines, 1);
	CHECK(strstr(line, "[data] of lifeboat.conf [status-place]") != NULL);
}

static void refused(enum job_verb verb, void (*installer)(int fd))
{
	struct job_result r = run(verb, installer, good, 0);

	CHECK_INT(r.reason, R_CHILD);
	CHECK(strstr(r.seen, "installer process sent a message") != NULL);
}

static void test_messages(void)
{
	static void (*const bad[])(int fd) = {pending_before_grant, not_granted,
	    no_slot, slot_twice, no_images, many_images, bad_kind,
	    bad_activated, negative, activates, impatient, endless,
	    before_grant};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		refused(JOB_INSTALL, bad[i]);
		CHECK(given->count <= 4);
		if (bad[i] != impatient && bad[i] != endless)
			CHECK_INT(given->count, 0);
	}
	mark = JOB_MARK_ACTIVE;
	refused(JOB_MARK, marks_another);
	refused(JOB_MARK, marks_none);
	refused(JOB_MARK, before_grant);
	mark = JOB_MARK_GOOD;
	refused(JOB_MARK, marks);
	refused(JOB_INFO, same);
	refused(JOB_STATE, same);
	refused(JOB_REARM, same);
	strcpy(conf.statusfile, "per-slot");
	refused(JOB_INSTALL, honest);
	strcpy(conf.statusfile, "/status/file");
}

/* The status file's version, which bounds that of the bundle. */
static void test_question(void)
{
	const struct status_change *c = given->change;

	refused(JOB_INSTALL, asks); /* not what lifeboat.conf says */
	CHECK_INT(given->count, 0);
	settings.status_floor = true;
	CHECK_INT(run(JOB_INSTALL, asks, answers, 0).reason, 0);
	CHECK_INT(given->count, 2);
	CHECK_INT(c[0].kind, STATUS_QUESTION);
	CHECK_STR(c[1].version, "1.5?");
	CHECK_INT(run(JOB_INSTALL, asks, answers_long, 0).reason, 0);
	CHECK_INT(strnlen(c[1].version, MANIFEST_TEXT), MANIFEST_TEXT - 1);
	/* none is no answer's fault */
	CHECK_INT(run(JOB_INSTALL, asks, good, 0).reason, 0);
	CHECK_STR(c[1].version, "");
	CHECK_INT(lines, 0);
	/* what is not written is said, too; and of a question that only */
	CHECK_INT(run(JOB_INSTALL, asks, fails, 0).reason, 0);
	CHECK_STR(c[1].version, "");
	CHECK_INT(lines, 2);
	CHECK(strstr(line, "[status-not-written]: make room") != NULL);
	CHECK_INT(run(JOB_INSTALL, asks, knows_nothing, 0).reason, 0);
	CHECK_INT(lines, 1);
	CHECK_STR(line, "status file: junk [status-damaged]");
	CHECK_INT(run(JOB_INSTALL, asks, crashes, 0).reason, 0);
	CHECK_INT(run(JOB_INSTALL, asks, hangs, 31000).reason, 0);
	CHECK_INT(lines, 2);
	refused(JOB_INSTALL, asks_twice);
	refused(JOB_INSTALL, asks_late);
	mark = JOB_MARK_ACTIVE;
	refused(JOB_MARK, asks);
	refused(JOB_INFO, asks);
	settings.status_floor = false;
}

/* The install goes on, and why is said once. */
static void goes_on(
    void (*recorder)(struct work *w, int fd), uint64_t late, const char *why)
{
	struct job_result r = run(JOB_INSTALL, honest, recorder, late);

	CHECK_INT(r.reason, 0);
	CHECK_INT(lines, 1);
	if (!strstr(line, why))
		fprintf(stderr, "said \"%s\", expected \"%s\"\n", line, why);
	CHECK(strstr(line, why) != NULL);
	CHECK(strncmp(line, "status file: ", 13) == 0);
}

static void test_recorders(void)
{
	goes_on(fails, 0, "no? room [status-not-written]: make room");
	goes_on(crashes, 0, "[status-not-written]");
	goes_on(silent, 0, "[status-not-written]");
	goes_on(sends_facts, 0, "[status-not-written]");
	reap_first = true;
	goes_on(sends_and_ends, 0, "[status-not-written]");
	reap_first = false;
	goes_on(floods, 0, "[status-not-written]");
	goes_on(hangs, 31000, "30 s [status-unreachable]");
	goes_on(lingers, 31000, "30 s [status-unreachable]");
	/* its patience is not the job's */
	settings.stall_s = 1;
	CHECK_INT(run(JOB_INSTALL, honest, slow, 0).reason, 0);
	CHECK_INT(lines, 0);
	settings.stall_s = 60;
}

static void test_place(void)
{
	struct job_result r;

	strcpy(conf.statusfile, "relative");
	goes_on(good, 0, "[status-place]");
	CHECK_INT(given->count, 0);
	strcpy(conf.statusfile, "/status/file");
	/* a device of its own, which is a file here, a slot, or missing */
	snprintf(settings.data_device, sizeof settings.data_device, "%s/bundle",
	    dir);
	strcpy(settings.data_mount_point, "/");
	goes_on(good, 0, "[status-place]");
	strcpy(settings.data_device, conf.slot[1].device);
	goes_on(good, 0, "[status-place]");
	strcpy(settings.data_device, "/none");
	goes_on(good, 0, "/none: does not exist [status-unreachable]");
	CHECK_INT(given->count, 0);
	settings.data_device[0] = '\0';
	r = run(JOB_INSTALL, honest, good, 0);
	CHECK_INT(r.reason, 0);
	CHECK_INT(lines, 0);
}

/* The installer's end is the job's, whatever the recorder does. */
static void test_end(void)
{
	struct job_result r = run(JOB_INSTALL, ends_early, hangs, 0);
	int status;

	CHECK_INT(r.reason, 0);
	/* it was killed, and is nobody's any more */
	CHECK(waitpid(-1, &status, 0) > 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	r = run(JOB_INSTALL, honest, good, 0);
	CHECK_INT(r.reason, 0);
	CHECK_INT(given->count, 2);
}

static void add_slot(const char *name, const char *bootname, int parent)
{
	struct slot *s = &conf.slot[conf.slots++];

	strcpy(s->name, name);
	strcpy(s->bootname, bootname);
	s->parent = parent;
	snprintf(s->device, sizeof s->device, "%s/%s", dir, name);
}

static void make_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600);

	CHECK_INT(ftruncate(fd, 8192), 0);
	close(fd);
}

int main(void)
{
	char text[128];

	given = mmap(NULL, sizeof *given, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(given != MAP_FAILED);
	CHECK(mkdtemp(dir) != NULL);
	strcpy(conf.compatible, "test");
	strcpy(conf.bootloader_name, "noop");
	strcpy(conf.statusfile, "/status/file");
	add_slot("rootfs.0", "A", -1);
	add_slot("rootfs.1", "B", -1);
	add_slot("kernel.1", "", 1);
	add_slot("kernel.0", "", 0);
	for (unsigned i = 0; i < conf.slots; i++)
		make_file(conf.slot[i].device);
	snprintf(text, sizeof text, "%s/bundle", dir);
	make_file(text);
	settings_default(&settings);

	test_honest();
	test_messages();
	test_question();
	test_recorders();
	test_place();
	test_end();
	snprintf(text, sizeof text, "rm -rf %s", dir);
	CHECK_INT(system(text), 0);
	return check_done("record");
}
