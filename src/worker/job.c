/* SPDX-License-Identifier: 0BSD */
#include "worker/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"
#include "worker/work.h"

#define MESSAGES_AT_ONCE 64 /* of one child in one step */
#define LINES_MAX 10000     /* of one child in one job; see usb.c */
#define RESTARTS_MAX 100    /* phases begun in one job */
#define REAP_MS 20          /* between looks at a child that was killed */
#define STALL_S 60          /* without settings */
#define FOLDERS_MAX 8       /* below each other in an extracted bundle */

enum { PROBE, SOURCE, INSTALLER, CHILDREN };

static const char *const child_name[] = {"probe", "source", "installer"};

/* Always true: pid is 0 when there is none to be reaped. */
struct child {
	pid_t pid;
	int fd;     /* socket, or -1 */
	int status; /* of waitpid, valid once pid is 0 again */
	bool ended; /* said its last message */
	bool lost;  /* closed its socket without one */
	unsigned lines;
};

enum stage { IDLE, PROBING, WORKING, ENDING };

static struct {
	enum stage stage;
	struct work work;
	struct child child[CHILDREN];
	struct job_result result;
	uint64_t started;  /* CLOCK_BOOTTIME, ms */
	uint64_t moved_at; /* when a child last showed life */
	uint64_t moves;
	uint64_t done; /* of the last progress */
	uint32_t phase;
	unsigned restarts;
	bool granted;
	bool probed;
	int lock; /* of the boot environment, or -1 */
} job;

static uint64_t boottime_ms(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the end */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void release(void)
{
	struct work *w = &job.work;

	devices_close(&w->devices);
	for (unsigned i = 0; i < CONF_SLOTS; i++)
		close_fd(&w->slot[i].fd);
	for (unsigned i = 0; i < BOOT_STORES; i++)
		close_fd(&w->env[i].fd);
	close_fd(&w->bundle.fd);
}

/* The first reason stays. Kills what is left; reaping comes later. */
static void PRINTF_LIKE(2, 3) finish(int reason, const char *format, ...)
{
	va_list ap;

	if (job.stage == ENDING || job.stage == IDLE)
		return;
	job.stage = ENDING;
	job.result.reason = reason;
	va_start(ap, format);
	fmt_v(job.result.seen, sizeof job.result.seen, format, ap);
	va_end(ap);
	for (unsigned i = 0; i < CHILDREN; i++) {
		if (job.child[i].pid > 0)
			(void)kill(job.child[i].pid, SIGKILL);
		close_fd(&job.child[i].fd);
	}
	release();
}

static void finish_diag(const struct diag *d)
{
	finish(d->reason, "%s", d->seen);
}

void job_cancel(int reason, const char *seen)
{
	finish(reason, "%s", seen);
}

/* Of those a child is ended by; the kernel's numbers of the others. */
static const char *signal_name(int sig)
{
	static char number[24];

	switch (sig) {
	case SIGKILL:
		return "SIGKILL";
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	case SIGSYS:
		return "SIGSYS";
	default:
		fmt(number, sizeof number, "signal %d", sig);
		return number;
	}
}

bool job_reaped(pid_t pid, int status)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		if (pid > 0 && job.child[i].pid == pid) {
			job.child[i].pid = 0;
			job.child[i].status = status;
			return true;
		}
	return false;
}

/* ECHILD: somebody else reaped it and will not tell. */
static void reap(void)
{
	for (unsigned i = 0; i < CHILDREN; i++) {
		struct child *c = &job.child[i];
		int status = 0;
		pid_t pid;

		if (c->pid == 0)
			continue;
		pid = waitpid(c->pid, &status, WNOHANG);
		if (pid == c->pid)
			(void)job_reaped(pid, status);
		else if (pid < 0 && errno == ECHILD)
			c->pid = 0;
	}
}

static bool all_reaped(void)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		if (job.child[i].pid != 0)
			return false;
	return true;
}

/* A child that is gone without a last word: how, is known only once it is
 * reaped. */
static void lost(unsigned i)
{
	const struct child *c = &job.child[i];

	if (c->pid != 0)
		return;
	if (WIFSIGNALED(c->status))
		finish(R_CHILD, "the %s process was ended by %s", child_name[i],
		    signal_name(WTERMSIG(c->status)));
	else
		finish(R_CHILD, "the %s process ended without a word",
		    child_name[i]);
}

/* ---- the beginning: what the verb needs is opened, read-only */

static bool needs_slots(enum job_verb v)
{
	return v == JOB_RESCUE || v == JOB_STATE || v == JOB_INSTALL ||
	       v == JOB_REARM;
}

static bool needs_env(enum job_verb v)
{
	return needs_slots(v) || v == JOB_MARK;
}

static bool needs_bundle(enum job_verb v)
{
	return v == JOB_INSTALL || v == JOB_INFO || v == JOB_EXTRACT;
}

static int open_bundle(struct work *w, struct diag *d)
{
	target_open(&w->bundle, &w->devices, w->setup->bundle);
	if (w->bundle.reason != 0)
		return diag_fail(d, R_NOT_FOUND, "%s", w->bundle.seen);
	if (w->bundle.kind == TARGET_MTD)
		return diag_fail(
		    d, R_NOT_A_FILE, "%s is a raw flash", w->setup->bundle);
	return 0;
}

static void parse_specs(struct work *w)
{
	const struct job_setup *s = w->setup;

	memset(w->spec, 0, sizeof w->spec);
	for (unsigned i = 0; i < w->slots; i++)
		spec_parse(&w->spec[i], s->conf->slot[i].device);
	for (unsigned i = 0; i < w->stores; i++)
		spec_parse(&w->spec[CONF_SLOTS + i], s->fw_env->copy[i].device);
}

static bool must_probe(const struct work *w)
{
	for (unsigned i = 0; i < MSG_SPECS; i++)
		if (w->spec[i].kind != SPEC_PATH)
			return true;
	return false;
}

/* Forks a child with a socket to it. */
static int start_child(unsigned which, int pipe, struct diag *d)
{
	struct child *c = &job.child[which];
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return diag_fail(
		    d, R_SYSTEM, "no socket: %s", errno_text(errno));
	pid = fork();
	if (pid < 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
		return diag_fail(
		    d, R_SYSTEM, "no process: %s", errno_text(errno));
	}
	if (pid == 0) {
		switch (which) {
		case PROBE:
			probe_child(&job.work, pair[1]);
			break;
		case SOURCE:
			source_child(&job.work, pair[1], pipe);
			break;
		default:
			installer_child(&job.work, pair[1], pipe);
		}
	}
	(void)close(pair[1]);
	*c = (struct child){.pid = pid, .fd = pair[0]};
	return 0;
}

/* Every disk that carries nothing of the device itself. */
static void find_media(struct work *w)
{
	const struct devices *t = &w->devices;
	bool own[DEVICES] = {false};

	for (unsigned i = 0; i < w->slots; i++)
		if (w->slot[i].device >= 0)
			own[devices_disk(t, (unsigned)w->slot[i].device)] =
			    true;
	for (unsigned i = 0; i < w->stores; i++)
		if (w->env[i].device >= 0)
			own[devices_disk(t, (unsigned)w->env[i].device)] = true;
	w->media = 0;
	for (unsigned i = 0; i < t->count; i++) {
		const struct device *m = &t->d[i];

		if (own[i] || m->number != 0 || m->no_medium || m->fd < 0 ||
		    device_mounted(t, i))
			continue;
		if (w->media == SOURCE_MEDIA) {
			log_warn("%s: only %u media are looked at", m->name,
			    SOURCE_MEDIA);
			continue;
		}
		w->medium[w->media++] = i;
	}
}

/* What the probe found, or the path as it stands. */
static void open_target(
    struct work *w, struct target *t, unsigned spec, const int32_t *index)
{
	const struct spec *s = &w->spec[spec];
	char path[DEVICE_NAME + 8];
	int32_t found = index ? index[spec] : -1;

	if (s->kind == SPEC_PATH) {
		target_open(t, &w->devices, s->value);
		return;
	}
	memset(t, 0, sizeof *t);
	t->fd = t->device = -1;
	if (found == -2) {
		target_fail(
		    t, R_TARGET_AMBIGUOUS, "several devices are %s", s->value);
	} else if (found < 0) {
		target_fail(t, R_TARGET_MISSING, "no device is %s", s->value);
	} else {
		const struct device *d = &w->devices.d[found];

		fmt(path, sizeof path, "/dev/%s", d->name);
		target_open(t, &w->devices, path);
		if (t->reason == 0 &&
		    (t->kind != TARGET_BLOCK || t->dev != d->dev))
			target_fail(t, R_TARGET_MISSING,
			    "%s is another device than before", path);
	}
}

static int start_workers(const int32_t *index, struct diag *d)
{
	struct work *w = &job.work;
	int pipe[2] = {-1, -1};
	bool source;
	int r = 0;

	for (unsigned i = 0; i < w->slots; i++)
		open_target(w, &w->slot[i], i, index);
	for (unsigned i = 0; i < w->stores; i++) {
		struct target *t = &w->env[i];

		open_target(w, t, CONF_SLOTS + i, index);
		if (t->reason != 0)
			return diag_fail(d,
			    t->reason == R_TARGET_AMBIGUOUS ? t->reason
			                                    : R_BOOT_IO,
			    "boot environment: %s", t->seen);
	}
	if (w->setup->verb == JOB_RESCUE)
		find_media(w);
	source = w->setup->verb == JOB_RESCUE || w->bundle.fd >= 0;
	if (source &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pipe) != 0)
		return diag_fail(
		    d, R_SYSTEM, "no socket: %s", errno_text(errno));
	if (source)
		r = start_child(SOURCE, pipe[0], d);
	if (r == 0)
		r = start_child(INSTALLER, pipe[1], d);
	close_fd(&pipe[0]);
	close_fd(&pipe[1]);
	job.stage = WORKING;
	return r;
}

static int check_setup(const struct job_setup *s, struct diag *d)
{
	if (needs_env(s->verb) && !s->conf)
		return diag_fail(d, R_CONF_MISSING, "there is no system.conf");
	if (needs_env(s->verb) && s->conf->bootloader == BOOT_UBOOT &&
	    (!s->fw_env || s->fw_env->copies == 0))
		return diag_fail(d, R_BOOT_CONFIG, "there is no fw_env.config");
	if (needs_bundle(s->verb) && !s->bundle)
		return diag_fail(d, R_USAGE, "no bundle was named");
	return 0;
}

int job_start(const struct job_setup *s, struct diag *d)
{
	struct work *w = &job.work;
	int r = check_setup(s, d);

	if (job.stage != IDLE)
		return diag_fail(d, R_INTERNAL, "a job is running");
	if (r != 0)
		return r;
	memset(&job.result, 0, sizeof job.result);
	job.result.action = POLICY_WAIT;
	job.started = job.moved_at = boottime_ms();
	job.done = 0;
	job.phase = 0;
	job.restarts = 0;
	job.granted = job.probed = false;
	job.lock = -1;
	for (unsigned i = 0; i < CHILDREN; i++)
		job.child[i] = (struct child){.fd = -1};
	w->setup = s;
	w->owner = getpid();
	w->bundle.fd = -1;
	w->bundle.device = -1;
	for (unsigned i = 0; i < CONF_SLOTS; i++)
		w->slot[i].fd = -1;
	for (unsigned i = 0; i < BOOT_STORES; i++)
		w->env[i].fd = -1;
	w->slots = needs_slots(s->verb) ? s->conf->slots : 0;
	w->stores = needs_env(s->verb) && s->conf->bootloader == BOOT_UBOOT
	                ? s->fw_env->copies
	                : 0;
	parse_specs(w);
	w->devices.count = 0;
	if (needs_env(s->verb))
		devices_scan(&w->devices);
	job.stage = PROBING;
	if (needs_bundle(s->verb))
		r = open_bundle(w, d);
	if (r == 0)
		r = must_probe(w) ? start_child(PROBE, -1, d)
		                  : start_workers(NULL, d);
	if (r != 0) {
		finish(r, "%s", "");
		/* at most one child, which was just killed or never began */
		while (!all_reaped())
			reap();
		job.stage = IDLE;
	}
	return r;
}

/* ---- the decision, and what is handed over */

static bool is_booted_group(const struct conf *c, unsigned slot)
{
	const char *booted = job.work.setup->booted;
	const struct slot *s = &c->slot[slot];
	const struct slot *root = s->parent >= 0 ? &c->slot[s->parent] : s;

	return booted[0] != '\0' && (strcmp(root->bootname, booted) == 0 ||
	                                strcmp(root->name, booted) == 0 ||
	                                strcmp(s->name, booted) == 0);
}

/* Whatever the installer planned, these are never opened for writing. */
static int check_target(unsigned slot, struct diag *d)
{
	const struct work *w = &job.work;
	const struct conf *c = w->setup->conf;
	const struct target *t = &w->slot[slot];
	const char *name = c->slot[slot].name;

	if (t->reason != 0)
		return diag_fail(d, t->reason, "slot %s: %s", name, t->seen);
	if (c->slot[slot].readonly)
		return diag_fail(d, R_TARGET_READ_ONLY,
		    "slot %s is readonly in system.conf", name);
	if (is_booted_group(c, slot))
		return diag_fail(d, R_NO_TARGET,
		    "slot %s belongs to the running system", name);
	if (w->bundle.dev != 0 && needs_bundle(w->setup->verb) &&
	    target_overlaps(t, &w->bundle, &w->devices))
		return diag_fail(d, R_TARGET_SOURCE,
		    "the bundle lies on slot %s (%s)", name, t->path);
	for (unsigned i = 0; i < w->media; i++)
		if (t->device >= 0 && devices_disk(&w->devices,
		                          (unsigned)t->device) == w->medium[i])
			return diag_fail(d, R_TARGET_SOURCE,
			    "slot %s lies on a medium", name);
	return 0;
}

/* Checked with the facts: every index is a slot of conf, none comes twice. */
static bool targets_valid(const struct msg_facts *f)
{
	uint32_t seen = 0;

	if (f->targets > MANIFEST_IMAGES || f->targets > job.work.slots)
		return false;
	for (unsigned i = 0; i < f->targets; i++) {
		if (f->target[i] >= job.work.slots ||
		    (seen >> f->target[i] & 1) != 0)
			return false;
		seen |= 1u << f->target[i];
	}
	return true;
}

struct granted {
	int fd[MSG_FDS];
	unsigned count;
};

static int open_targets(const struct msg_facts *f, struct msg_grant *g,
    struct granted *fds, struct diag *d)
{
	const struct work *w = &job.work;

	for (unsigned i = 0; i < f->targets; i++) {
		int fd, direct;
		int r = check_target(f->target[i], d);

		if (r == 0)
			r = target_open_write(&w->slot[f->target[i]],
			    &w->devices, true, &fd, &direct, d);
		if (r != 0)
			return r;
		fds->fd[fds->count++] = fd;
		if (direct >= 0) {
			g->direct |= 1u << i;
			fds->fd[fds->count++] = direct;
		}
	}
	g->targets = f->targets;
	return 0;
}

static int open_env(struct msg_grant *g, struct granted *fds, struct diag *d)
{
	const struct work *w = &job.work;
	int r = 0;

	if (w->stores > 0)
		r = lock_boot_env(&job.lock, d);
	for (unsigned i = 0; r == 0 && i < w->stores; i++) {
		struct diag inner = {0};
		int fd, direct;

		/* both copies often share one device: no exclusive claim */
		r = target_open_write(
		    &w->env[i], &w->devices, false, &fd, &direct, &inner);
		if (r != 0)
			return diag_fail(
			    d, R_BOOT_IO, "boot environment: %s", inner.seen);
		close_fd(&direct);
		fds->fd[fds->count++] = fd;
		g->env++;
	}
	return r;
}

static void grant(const struct msg_facts *f, enum policy_action action)
{
	static struct msg m;
	struct granted fds = {.count = 0};
	struct diag d = {0};
	int r = 0;

	memset(&m, 0, sizeof m);
	m.type = MSG_GRANT;
	m.u.grant.action = (uint32_t)action;
	if (action == POLICY_INSTALL)
		r = open_targets(f, &m.u.grant, &fds, &d);
	if (r == 0)
		r = open_env(&m.u.grant, &fds, &d);
	if (r == 0 && !msg_send(job.child[INSTALLER].fd, &m, fds.fd, fds.count))
		r = diag_fail(&d, R_CHILD, "the installer process is gone");
	for (unsigned i = 0; i < fds.count; i++)
		(void)close(fds.fd[i]);
	if (r != 0)
		finish_diag(&d);
	else
		job.result.action = action;
}

static bool text_valid(char *s, size_t cap)
{
	if (memchr(s, '\0', cap) == NULL)
		return false;
	log_clean(s);
	return true;
}

static bool facts_valid(struct msg_facts *f)
{
	return f->boot <= POLICY_UNKNOWN && f->slots <= POLICY_BROKEN &&
	       f->medium <= POLICY_SAME && f->refused <= 0 &&
	       f->refused > -1000 && f->env_valid <= 1 && targets_valid(f) &&
	       text_valid(f->env_text, sizeof f->env_text) &&
	       text_valid(f->version, sizeof f->version) &&
	       text_valid(f->path, sizeof f->path);
}

static enum policy_action own_decision(enum job_verb v)
{
	switch (v) {
	case JOB_INSTALL:
	case JOB_RESCUE:
		return POLICY_INSTALL;
	case JOB_REARM:
	case JOB_MARK:
		return POLICY_REARM;
	case JOB_STATE:
	case JOB_INFO:
	case JOB_EXTRACT:
		break;
	}
	return POLICY_WAIT;
}

static bool on_facts(struct msg_facts *f)
{
	static struct job_facts facts;
	const struct job_setup *s = job.work.setup;
	enum policy_action action;
	size_t n = 0;

	if (job.granted || !needs_env(s->verb) || !facts_valid(f))
		return false;
	job.granted = true;
	if (s->verb == JOB_MARK) {
		f->targets = 0;
		grant(f, POLICY_REARM);
		return true;
	}
	memset(&facts, 0, sizeof facts);
	facts.boot = (enum policy_boot)f->boot;
	facts.slots = (enum policy_slots)f->slots;
	facts.medium = (enum policy_medium)f->medium;
	facts.tries = f->tries;
	facts.refused = f->refused;
	facts.env_valid = f->env_valid != 0;
	memcpy(facts.env_text, f->env_text, sizeof facts.env_text);
	memcpy(facts.version, f->version, sizeof facts.version);
	memcpy(facts.path, f->path, sizeof facts.path);
	for (unsigned i = 0; i < f->targets; i++)
		n += fmt(facts.targets + n, sizeof facts.targets - n, "%s%s",
		    i ? ", " : "", s->conf->slot[f->target[i]].name);
	action = s->decide ? s->decide(s->ctx, &facts) : own_decision(s->verb);
	if (action == POLICY_INSTALL && f->targets == 0) {
		finish(R_INTERNAL, "there is nothing to install");
	} else if (action == POLICY_INSTALL || action == POLICY_REARM) {
		grant(f, action);
	} else {
		job.result.action = action;
		finish(0, "%s", "");
	}
	return true;
}

/* ---- files of an extracted bundle */

/* A name that stays below the folder it is made in. */
static bool name_valid(struct slice s)
{
	return s.len > 0 && s.len < 256 && !slice_is(s, ".") &&
	       !slice_is(s, "..");
}

static int make_file(int dir, const struct msg_file *f, const char *name,
    int *fd, struct diag *d)
{
	mode_t mode = f->mode & 0777;
	int r = 0;

	switch (f->kind) {
	case FILE_FOLDER:
		r = mkdirat(dir, name, 0700);
		break;
	case FILE_LINK:
		r = symlinkat(f->link, dir, name);
		break;
	default:
		*fd = openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		r = *fd < 0 ? -1 : fchmod(*fd, mode);
		break;
	}
	if (r != 0)
		return diag_fail(d, errno == ENOSPC ? R_FULL : R_SYSTEM,
		    "%s: %s", name, errno_text(errno));
	return 0;
}

static int extract_file(const struct msg_file *f, int *fd, struct diag *d)
{
	int dir = dup(job.work.setup->extract_dir);
	char name[256];
	struct slice rest = {f->path, strlen(f->path)};
	int r = 0;

	for (unsigned depth = 0; r == 0; depth++) {
		const char *slash = memchr(rest.p, '/', rest.len);
		struct slice part = {
		    rest.p, slash ? (size_t)(slash - rest.p) : rest.len};
		int next;

		if (depth == FOLDERS_MAX || !name_valid(part) ||
		    !slice_copy(name, sizeof name, part)) {
			r = diag_fail(d, R_CHILD, "a bad path");
			break;
		}
		if (!slash) {
			r = make_file(dir, f, name, fd, d);
			break;
		}
		next = openat(
		    dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			r = diag_fail(
			    d, R_SYSTEM, "%s: %s", name, errno_text(errno));
		(void)close(dir);
		dir = next;
		rest.p += part.len + 1;
		rest.len -= part.len + 1;
	}
	close_fd(&dir);
	return r;
}

static bool on_file(struct msg_file *f)
{
	static struct msg m;
	struct diag d = {0};
	int fd = -1;
	bool sent;

	if (job.work.setup->verb != JOB_EXTRACT || f->kind > FILE_LINK ||
	    memchr(f->path, '\0', sizeof f->path) == NULL ||
	    memchr(f->link, '\0', sizeof f->link) == NULL)
		return false;
	if (extract_file(f, &fd, &d) != 0) {
		finish_diag(&d);
	} else {
		memset(&m, 0, sizeof m);
		m.type = MSG_GRANT;
		sent =
		    msg_send(job.child[INSTALLER].fd, &m, &fd, fd >= 0 ? 1 : 0);
		if (!sent)
			job.child[INSTALLER].lost = true;
	}
	close_fd(&fd);
	return true;
}

/* ---- messages */

static void alive(void)
{
	job.moves++;
	job.moved_at = boottime_ms();
}

/* Only progress that goes on counts as life. */
static bool on_progress(const struct msg_progress *p)
{
	const struct job_setup *s = job.work.setup;

	if (p->phase > PHASE_READ_BACK || p->done > p->total)
		return false;
	if (p->phase != job.phase || p->done < job.done) {
		if (job.restarts++ == RESTARTS_MAX)
			return false;
		alive();
	} else if (p->done > job.done) {
		alive();
	}
	job.phase = p->phase;
	job.done = p->done;
	if (s->progress)
		s->progress(
		    s->ctx, (enum install_phase)p->phase, p->done, p->total);
	return true;
}

static bool on_log(struct child *c, struct msg_log *l)
{
	const struct job_setup *s = job.work.setup;

	if (l->level > LOG_DEBUG || !text_valid(l->line, sizeof l->line) ||
	    c->lines++ == LINES_MAX)
		return false;
	alive();
	if (s->log)
		s->log(s->ctx, (enum log_level)l->level, l->line);
	return true;
}

/* Keeps line ends and tabs, and cleans what is between them. */
static bool on_output(struct msg_output *o)
{
	const struct job_setup *s = job.work.setup;
	char *p = o->text;
	size_t len;

	if (memchr(o->text, '\0', sizeof o->text) == NULL)
		return false;
	len = strlen(o->text);
	while (p <= o->text + len) {
		char *end = p;
		char was;

		while (*end != '\0' && *end != '\n' && *end != '\t')
			end++;
		was = *end;
		*end = '\0';
		log_clean(p);
		*end = was;
		p = end + 1;
	}
	alive();
	if (s->output)
		s->output(s->ctx, o->text, len);
	return true;
}

static bool on_probed(const struct msg_probed *p)
{
	struct diag d = {0};

	if (job.probed)
		return false;
	for (unsigned i = 0; i < MSG_SPECS; i++)
		if (p->index[i] < -2 ||
		    p->index[i] >= (int32_t)job.work.devices.count)
			return false;
	job.probed = true;
	if (start_workers(p->index, &d) != 0)
		finish_diag(&d);
	return true;
}

static bool on_result(unsigned which, struct msg_result *r)
{
	if (r->reason > 0 || r->reason <= -1000 ||
	    !text_valid(r->seen, sizeof r->seen))
		return false;
	job.child[which].ended = true;
	if (which == INSTALLER) {
		job.result.bytes = r->bytes;
		finish(r->reason, "%s", r->seen);
	} else if (r->reason != 0) {
		finish(r->reason, "%s", r->seen);
	}
	return true;
}

static bool on_message(unsigned which, struct msg *m)
{
	struct child *c = &job.child[which];
	bool installer = which == INSTALLER;

	switch (m->type) {
	case MSG_LOG:
		return on_log(c, &m->u.log);
	case MSG_PROGRESS:
		return installer && on_progress(&m->u.progress);
	case MSG_PROBED:
		return which == PROBE && on_probed(&m->u.probed);
	case MSG_FACTS:
		return installer && on_facts(&m->u.facts);
	case MSG_FILE:
		return installer && on_file(&m->u.file);
	case MSG_OUTPUT:
		return installer && on_output(&m->u.output);
	case MSG_RESULT:
		return on_result(which, &m->u.result);
	default:
		return false;
	}
}

static void drain(unsigned which)
{
	static struct msg m;
	struct child *c = &job.child[which];

	for (unsigned i = 0; i < MESSAGES_AT_ONCE; i++) {
		int r;

		if (c->fd < 0 || job.stage == ENDING)
			return;
		r = msg_receive(c->fd, &m, NULL, NULL, false);
		if (r == 0)
			return;
		if (r < 0) {
			c->lost = !c->ended;
			close_fd(&c->fd);
		} else if (!on_message(which, &m)) {
			finish(R_CHILD,
			    "the %s process sent a message it must not send",
			    child_name[which]);
		}
	}
}

/* ---- the step */

unsigned job_poll_fds(struct pollfd *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CHILDREN; i++)
		if (job.child[i].fd >= 0) {
			p[n].fd = job.child[i].fd;
			p[n].events = POLLIN;
			p[n++].revents = 0;
		}
	return n;
}

static uint64_t stall_ms(void)
{
	const struct settings *s = job.work.setup->settings;

	return (uint64_t)(s ? s->stall_s : STALL_S) * 1000;
}

static void check_stall(uint64_t now)
{
	uint64_t limit = stall_ms();

	if (now >= job.moved_at + limit)
		finish(R_TIMEOUT, "nothing moved for %u s",
		    (unsigned)(limit / 1000));
}

static void check_lost(void)
{
	bool any = false;

	for (unsigned i = 0; i < CHILDREN; i++)
		any = any || job.child[i].lost;
	if (!any || job.stage == ENDING)
		return;
	/* the installer's last word may have come after the source's end */
	drain(INSTALLER);
	for (unsigned i = 0; i < CHILDREN; i++)
		if (job.child[i].lost && job.stage != ENDING) {
			/* it closed its socket, so it is dead or hostile */
			if (job.child[i].pid > 0)
				(void)kill(job.child[i].pid, SIGKILL);
			lost(i);
		}
}

int job_step(const struct pollfd *p, unsigned count, uint64_t now_ms,
    struct job_result *r)
{
	(void)p;
	(void)count;
	if (job.stage == IDLE) {
		memset(r, 0, sizeof *r);
		return 0;
	}
	for (unsigned i = CHILDREN; i > 0; i--)
		drain(i - 1);
	reap();
	check_lost();
	if (job.stage != ENDING)
		check_stall(now_ms);
	if (job.stage != ENDING || !all_reaped())
		return 1;
	close_fd(&job.lock);
	job.stage = IDLE;
	*r = job.result;
	r->ms = boottime_ms() - job.started;
	return 0;
}

int job_timeout_ms(uint64_t now_ms)
{
	uint64_t due;

	if (job.stage == IDLE)
		return -1;
	due = job.moved_at + stall_ms();
	for (unsigned i = 0; i < CHILDREN; i++)
		if (job.stage == ENDING || job.child[i].lost)
			return REAP_MS;
	return due <= now_ms ? 0 : (int)(due - now_ms);
}

uint64_t job_moves(void)
{
	return job.moves;
}
