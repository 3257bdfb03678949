/* SPDX-License-Identifier: 0BSD */
#include "fault_owner.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fault_trace.h"
#include "worker/device.h"

#define QUIET_POLLS 50 /* of 2 ms; then nothing comes any more */

struct shared *shared;
struct config config;
const char *dir, *stick;

/* the linker's names: GNU ld, --wrap */
void __wrap_devices_scan(struct devices *t);
int __wrap_lock_boot_env(int *fd, struct diag *d);
int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __real_job_start(const struct job_setup *s, struct diag *d);
int __wrap_job_start(const struct job_setup *s, struct diag *d);

/* The stick is the only disk. */
void __wrap_devices_scan(struct devices *t)
{
	struct device *d = &t->d[0];

	*d = (struct device){.dev = makedev(240, 0), .sector = 512, .disk = -1};
	snprintf(d->name, sizeof d->name, "fault-stick");
	d->fd = open(stick, O_RDONLY | O_CLOEXEC);
	d->size = (uint64_t)lseek(d->fd, 0, SEEK_END);
	t->count = 1;
}

/* One of its own: other tests run beside this one. */
int __wrap_lock_boot_env(int *fd, struct diag *d)
{
	char path[256];

	snprintf(path, sizeof path, "%s/lock", dir);
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0 || flock(*fd, LOCK_EX | LOCK_NB) != 0)
		return diag_fail(d, R_BOOT_LOCKED, "the lock is held");
	return 0;
}

/* What is only waited for is skipped. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	int r = __real_clock_gettime(clock, t);

	if (clock == CLOCK_BOOTTIME && shared) {
		t->tv_sec += (time_t)(shared->skip / 1000);
		t->tv_nsec += (long)(shared->skip % 1000) * 1000000;
		if (t->tv_nsec >= 1000000000) {
			t->tv_nsec -= 1000000000;
			t->tv_sec++;
		}
	}
	return r;
}

void skip(uint64_t ms)
{
	shared->skip += ms;
}

void poll_job(struct pollfd *p, unsigned n, int ms)
{
	static unsigned quiet;

	/* what the tracer says, and the end, are seen at once */
	if (poll(p, n, MIN(ms, 2)) != 0 || !shared->hangs)
		quiet = 0;
	else if (++quiet > QUIET_POLLS)
		skip((uint64_t)ms);
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

/* Where nobody waits any more; as process 1, but for retries. */
static enum policy_action decide(void *ctx, const struct job_facts *f)
{
	struct policy_in in = {.boot = f->boot,
	    .slots = f->slots,
	    .medium = f->medium,
	    .tries = f->tries,
	    .retries = 2};
	const char *why;

	(void)ctx;
	return policy_decide(&in, &why);
}

static unsigned fds; /* open before the first job */

static void look_for_remains(void)
{
	int status;

	/* orphans would have become children of this process */
	shared->clean =
	    open_fds() == fds && waitpid(-1, &status, WNOHANG | __WALL) == -1;
}

static struct job_setup asked; /* by the one who starts a job */

static enum policy_action on_facts(void *ctx, const struct job_facts *f)
{
	enum policy_action action = asked.decide(ctx, f);

	if (asked.verb != JOB_RESCUE)
		return action;
	shared->asked = true;
	shared->facts = *f;
	shared->granted = action == POLICY_INSTALL || action == POLICY_REARM;
	return action;
}

int __wrap_job_start(const struct job_setup *s, struct diag *d)
{
	static struct job_setup mine;

	asked = mine = *s;
	mine.decide = on_facts;
	if (s->verb != JOB_RESCUE)
		return __real_job_start(&mine, d);
	if (shared->visit) {
		look_for_remains();
		shared->begins = true;
		shared->v.searches++;
		trace_pause();
	}
	shared->asked = shared->granted = shared->begins = false;
	memset(&shared->result, 0, sizeof shared->result);
	shared->started = __real_job_start(&mine, d);
	return shared->started;
}

static void on_log(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	(void)line;
}

static void one_job(void)
{
	struct job_setup s = {.verb = JOB_RESCUE,
	    .conf = &config.conf,
	    .settings = &config.settings,
	    .keyring = &config.keyring,
	    .fw_env = &config.fw_env,
	    .initial_env = "",
	    .booted = "",
	    .extract_dir = -1,
	    .now = time(NULL),
	    .log = on_log,
	    .decide = decide};
	struct pollfd p[JOB_FDS];
	struct diag d = {0};
	int r = job_start(&s, &d);

	while (r == 0) {
		unsigned n = job_poll_fds(p);
		int ms = job_timeout_ms(clock_ms());

		poll_job(p, n, ms);
		if (job_step(p, n, clock_ms(), &shared->result) == 0)
			break;
	}
}

void owner(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fds = open_fds();
	for (;;) {
		trace_pause();
		config.settings.stall_s = shared->stall_s;
		if (shared->visit)
			visit_run(&shared->v, &config, shared->again, 200);
		else
			one_job();
		shared->begins = false;
		look_for_remains();
	}
}
