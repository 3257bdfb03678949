/* SPDX-License-Identifier: 0BSD */
/*
 * One search for media as process 1 makes it, on this machine's disks:
 *
 *   rescue_job SYSTEM.CONF FW_ENV.CONFIG KEYRING [LIFEBOAT-SETTING...]
 *
 * Prints lines, facts, decision and result. Where there are no loop devices,
 * RESCUE_DISKS names image files that stand for the disks of the machine;
 * linked with --wrap=devices_scan. RESCUE_CONF names a lifeboat.conf,
 * RESCUE_CHOSEN the bundle that a person chose.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/blk_fd.h"
#include "media/part.h"
#include "worker/device.h"
#include "worker/job.h"

/* the linker's names: GNU ld, --wrap */
void __real_devices_scan(struct devices *t);
void __wrap_devices_scan(struct devices *t);

static struct device *add_device(struct devices *t, int fd, int disk)
{
	struct device *d = &t->d[t->count];

	*d = (struct device){
	    .dev = makedev(240, t->count), .sector = 512, .disk = disk};
	snprintf(d->name, sizeof d->name, "rescue-image%u", t->count++);
	d->fd = fd;
	return d;
}

/* A disk, and the partitions the kernel would see on it. */
static void add_disk(struct devices *t, const char *path)
{
	static struct part_table table;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int disk = (int)t->count;
	struct device *d = add_device(t, fd, -1);
	struct blk_fd b;

	d->size = (uint64_t)lseek(fd, 0, SEEK_END);
	blk_fd_init(&b, fd, -1, d->size, d->sector, false);
	if (part_read(&table, &b.blk, NULL) != 0)
		return;
	for (unsigned i = 0; i < table.count; i++) {
		if (table.part[i].number == 0)
			continue;
		d = add_device(t, open(path, O_RDONLY | O_CLOEXEC), disk);
		d->number = table.part[i].number;
		d->start = table.part[i].off;
		d->size = table.part[i].size;
	}
}

void __wrap_devices_scan(struct devices *t)
{
	const char *disks = getenv("RESCUE_DISKS");
	char path[256];
	int n;

	if (!disks) {
		__real_devices_scan(t);
		return;
	}
	t->count = 0;
	for (; sscanf(disks, "%255s%n", path, &n) == 1; disks += n)
		add_disk(t, path);
}

static struct conf conf;
static struct settings settings;
static struct keyring keyring;
static struct fw_env_config fw_env;

static size_t read_file(const char *path, char *room, size_t cap)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, room, cap);

	if (fd >= 0)
		close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static void on_log(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	printf("%s\n", line);
}

static void on_candidate(void *ctx, const struct job_candidate *c)
{
	(void)ctx;
	printf("choice: %s: %s\n", c->where, c->line);
}

static enum policy_action decide(void *ctx, const struct job_facts *f)
{
	struct policy_in in = {.boot = f->boot,
	    .slots = f->slots,
	    .medium = f->medium,
	    .tries = f->tries,
	    .retries = 2,
	    .waited = true};
	const char *why = "";
	enum policy_action action = policy_decide(&in, &why);

	(void)ctx;
	printf("facts: boot %d, slots %d, medium %d, tries %u, refused %s\n",
	    (int)f->boot, (int)f->slots, (int)f->medium, f->tries,
	    reason_name(f->refused));
	printf("bundle: %s %s for %s\n", f->version, f->path, f->targets);
	printf("decision: %d, %s\n", (int)action, why);
	return action;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int load(char **argv, struct diag *d)
{
	static char room[131072];
	int r =
	    conf_parse(&conf, room, read_file(argv[1], room, sizeof room), d);

	if (r == 0)
		r = fw_env_config_parse(
		    &fw_env, room, read_file(argv[2], room, sizeof room), d);
	if (r == 0)
		r = keyring_load(
		    &keyring, room, read_file(argv[3], room, sizeof room), d);
	settings_default(&settings);
	if (r == 0 && getenv("RESCUE_CONF"))
		r = settings_parse(&settings, room,
		    read_file(getenv("RESCUE_CONF"), room, sizeof room), d);
	for (unsigned i = 4; r == 0 && argv[i]; i++)
		r = settings_cmdline(&settings, argv[i], d);
	return r;
}

int main(int argc, char **argv)
{
	struct job_setup s = {.verb = JOB_RESCUE,
	    .conf = &conf,
	    .settings = &settings,
	    .keyring = &keyring,
	    .fw_env = &fw_env,
	    .initial_env = "",
	    .booted = "",
	    .chosen = getenv("RESCUE_CHOSEN"),
	    .extract_dir = -1,
	    .now = time(NULL),
	    .log = on_log,
	    .candidate = on_candidate,
	    .decide = decide};
	struct job_result r;
	struct pollfd p[JOB_FDS];
	struct diag d = {0};
	unsigned n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_to(on_log, NULL, LOG_INFO);
	if (argc < 4 || load(argv, &d) != 0 || job_start(&s, &d) != 0) {
		printf("%s [%s]\n", d.seen, reason_name(d.reason));
		return 2;
	}
	do {
		n = job_poll_fds(p);
		(void)poll(p, n, job_timeout_ms(now_ms()));
	} while (job_step(p, n, now_ms(), &r) == 1);
	printf("result: %s [%s], action %d, %llu bytes\n", r.seen,
	    reason_name(r.reason), (int)r.action, (unsigned long long)r.bytes);
	return r.reason != 0;
}
