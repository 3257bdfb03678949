/* SPDX-License-Identifier: 0BSD */
/*
 * Every child of a rescue job fails at every system call, in every way:
 *
 *   fault_job DIR KEYRING STICK IMAGES [all] [PART OF]
 *
 * DIR is for the slots and the environment. STICK is an image of a stick with
 * a bundle of IMAGES/rootfs.img and IMAGES/kernel.img. One process is the
 * owner of all jobs, as process 1 is. After each fault: the reason is one that
 * this fault may have, what stands on the disks keeps the invariants, nothing
 * is left of the children, and the next job in the same owner ends in the new
 * system. PART of OF: for several at a time.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/blk_fd.h"
#include "fault_owner.h"
#include "fault_trace.h"

#define SLOT_SIZE 262144u
#define ENV_SIZE 4096u
#define STALL_S 60u
#define PROGRESS_CALLS 8 /* that come or do not, as time passes */
#define VISIT_EVERY 3    /* faults */
#define REAL_EVERY 199   /* of the stopped ones waits in real time, 1 s */

static char text[131072];

/* ---- the disks */

enum { ROOT_A, KERNEL_A, ROOT_B, KERNEL_B, ENV, FILES };

static const char *const file_names[FILES] = {"rootfs-a.slot", "kernel-a.slot",
    "rootfs-b.slot", "kernel-b.slot", "env.slot"};
static int file_fd[FILES];
static uint8_t before[FILES][SLOT_SIZE], after[FILES][SLOT_SIZE];
static uint8_t image[2][SLOT_SIZE]; /* what a group is to hold */
static size_t image_size[2];

const struct trace_file trace_files[] = {{"-a.slot", ON_SLOT},
    {"-b.slot", ON_SLOT}, {"env.slot", ON_ENV}, {"stick.img", ON_MEDIUM},
    {NULL, ON_NOTHING}};

static size_t file_size(int f)
{
	return f == ENV ? 2 * ENV_SIZE : SLOT_SIZE;
}

static size_t read_file(const char *path, void *room, size_t cap)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, room, cap);

	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		perror(path);
		exit(3);
	}
	return (size_t)n;
}

static void make_env(uint8_t *copy, uint8_t flag)
{
	static const char vars[] = "BOOT_ORDER=B A\0BOOT_A_LEFT=2\0"
	                           "BOOT_B_LEFT=3\0ethaddr=00:11:22:33:44:55\0";

	memset(copy, 0, ENV_SIZE);
	memcpy(copy + 5, vars, sizeof vars);
	copy[4] = flag;
	store_le32(copy, crc32_update(0, copy + 5, ENV_SIZE - 5));
}

/* Both groups are old and can be booted, B first. */
static void make_disks(const char *images)
{
	char path[256];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s.img", images,
		    i == 0 ? "rootfs" : "kernel");
		image_size[i] = read_file(path, image[i], SLOT_SIZE);
	}
	for (int f = 0; f < FILES; f++) {
		snprintf(path, sizeof path, "%s/%s", dir, file_names[f]);
		file_fd[f] = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		for (size_t i = 0; i < file_size(f); i++)
			before[f][i] = (uint8_t)(i % 251 + (unsigned)f + 1);
	}
	make_env(before[ENV], 7);
	make_env(before[ENV] + ENV_SIZE, 6);
}

static void reset_disks(void)
{
	for (int f = 0; f < FILES; f++)
		if (pwrite(file_fd[f], before[f], file_size(f), 0) !=
		    (ssize_t)file_size(f)) {
			perror("disk");
			exit(3);
		}
}

static void read_disks(void)
{
	for (int f = 0; f < FILES; f++)
		if (pread(file_fd[f], after[f], file_size(f), 0) !=
		    (ssize_t)file_size(f)) {
			perror("disk");
			exit(3);
		}
}

static bool is_old(int f)
{
	return memcmp(before[f], after[f], file_size(f)) == 0;
}

/* The image, and behind it what was there. */
static bool is_new(int f)
{
	size_t n = image_size[f % 2];
	size_t end = (n + 4095) / 4096 * 4096;

	return memcmp(after[f], image[f % 2], n) == 0 &&
	       memcmp(after[f] + end, before[f] + end, SLOT_SIZE - end) == 0;
}

static bool head_is_zero(int f)
{
	return all_zero(after[f], 512);
}

/* What the boot loader would find: the state of the two copies. */
static const struct boot_state *boot_state(void)
{
	static struct boot boot;
	static const char *const names[] = {"A", "B"};
	static struct blk_fd b;
	static struct blk_window copy[2];
	struct blk *copies[2];

	blk_fd_init(&b, file_fd[ENV], -1, 2 * ENV_SIZE, 0, false);
	for (unsigned i = 0; i < 2; i++) {
		if (blk_window_init(&copy[i], &b.blk, (uint64_t)i * ENV_SIZE,
		        ENV_SIZE) != 0)
			exit(3);
		copies[i] = &copy[i].blk;
	}
	if (boot_open(&boot, "uboot", copies, 2, names, 2, NULL) != 0)
		exit(3);
	return &boot.state;
}

/* ---- what has to be true */

static unsigned passed, failed;
static const char *const kind_names[FAULT_KINDS] = {"none", "kill", "stop",
    "EIO", "ENOSPC", "EROFS", "ENODEV", "EINTR", "short", "zero"};
static const char *const object_names[OBJECTS] = {
    "nothing", "socket", "medium", "slot", "environment"};
static const char *const names[TRACE_CHILDREN] = {
    "probe", "source", "installer", "fourth"};

static const struct trace *current;
static const char *phase;

static void check(bool good, const char *what)
{
	const struct trace *t = current;

	if (good) {
		passed++;
		return;
	}
	failed++;
	fprintf(stderr,
	    "FAILED: %s: %s at call %u of the %s (%s on %s%s%s), %s: "
	    "%s [%s], action %d, refused %s\n",
	    what, kind_names[t->kind], t->at, names[t->child],
	    trace_call_name(t->op.nr), object_names[t->op.on],
	    t->op.setup ? ", setting up" : "", t->op.granted ? ", granted" : "",
	    phase, shared->result.seen, reason_name(shared->result.reason),
	    (int)shared->result.action, reason_name(shared->facts.refused));
}

/* What people are told: of the job, or of the search that found nothing. */
static int told(void)
{
	if (shared->started != 0)
		return shared->started;
	if (shared->result.reason == 0 && shared->asked && !shared->granted)
		return shared->facts.refused;
	return shared->result.reason;
}

/* The group the installer chose, by the owner's words. */
static int target(void)
{
	return strcmp(shared->facts.targets, "rootfs.1, kernel.1") == 0 ||
	               strcmp(shared->facts.targets, "kernel.1, rootfs.1") == 0
	           ? ROOT_B
	           : ROOT_A;
}

static void check_disks(void)
{
	int root = target(), other = root == ROOT_A ? ROOT_B : ROOT_A;
	const struct boot_state *b = boot_state();
	unsigned name = root == ROOT_A ? 0 : 1;
	bool new = is_new(root) && is_new(root + 1);

	read_disks();
	new = is_new(root) && is_new(root + 1);
	check(is_old(other) && is_old(other + 1), "the other group is kept");
	if (!shared->granted) {
		check(is_old(root) && is_old(root + 1) && is_old(ENV),
		    "nothing is written before the decision");
		return;
	}
	check(b->valid, "the environment stays valid");
	if (is_old(root) && is_old(root + 1))
		return;
	check(new || (head_is_zero(root) && b->primary != (int)name),
	    "a slot is whole, or marked bad and without a head");
	check(new || b->name[name].attempts == 0, "marked bad: no attempts");
	if (b->primary == (int)name)
		check(new, "what boots next is whole");
}

static void check_new_system(void)
{
	const struct boot_state *b = boot_state();
	int root;

	read_disks();
	check(b->valid && b->primary >= 0 && b->primary < 2, "a group boots");
	root = b->primary == 1 ? ROOT_B : ROOT_A;
	check(is_new(root) && is_new(root + 1), "the new system boots");
	check(b->name[root / 2].attempts == 3, "it has its attempts");
	check(memmem(after[ENV], file_size(ENV), "ethaddr=00:11:22:33:44:55",
	          26) != NULL,
	    "other variables are kept");
}

/* ---- which reasons a fault may have */

struct rule {
	int child; /* -1: any */
	long nr;   /* -1: any */
	int on;    /* -1: any */
	int setup; /* 0, 1, -1: either */
	int granted;
	unsigned kinds; /* bits */
	int reason[4];  /* 0: the end of them; R_NONE is in `ok` */
	bool ok;        /* the job may succeed */
};

#define KIND(k) (1u << FAULT_##k)
#define ERRORS \
	(KIND(EIO) | KIND(ENOSPC) | KIND(EROFS) | KIND(ENODEV) | KIND(ZERO))

enum { PROBE_CHILD, SOURCE_CHILD, INSTALLER_CHILD };

/* The first that matches. */
static const struct rule rules[] = {
    /* its last word was heard before */
    {-1, SYS_exit_group, -1, -1, -1, KIND(KILL) | KIND(STOP),
        {R_CHILD, R_TIMEOUT}, true},
    {-1, -1, -1, -1, -1, KIND(KILL), {R_CHILD}, false},
    /* what it said is heard all the same, and may have been the last word */
    {-1, SYS_sendmsg, -1, 0, -1, KIND(STOP), {R_TIMEOUT}, true},
    {-1, -1, -1, -1, -1, KIND(STOP), {R_TIMEOUT}, false},
    {-1, -1, -1, -1, -1, KIND(EINTR) | KIND(SHORT), {0}, true},
    /* signals and descriptors: what is not closed is not used */
    {-1, SYS_rt_sigaction, -1, 1, -1, ERRORS, {0}, true},
    {-1, SYS_rt_sigprocmask, -1, 1, -1, ERRORS, {0}, true},
    {-1, SYS_close_range, -1, 1, -1, ERRORS, {0}, true},
    {-1, -1, -1, 1, -1, ERRORS, {R_SYSTEM}, false},
    /* nobody can be told anything any more */
    {-1, -1, ON_SOCKET, 0, -1, ERRORS, {R_CHILD}, false},
    /* a table that cannot be read names no device */
    {PROBE_CHILD, -1, ON_MEDIUM, 0, -1, ERRORS, {0}, true},
    {SOURCE_CHILD, -1, ON_MEDIUM, 0, -1, KIND(ENODEV), {R_MEDIUM_GONE}, false},
    {SOURCE_CHILD, -1, ON_MEDIUM, 0, -1, ERRORS, {R_IO}, false},
    {INSTALLER_CHILD, -1, ON_ENV, 0, 0, ERRORS, {0}, true},
    {INSTALLER_CHILD, SYS_pread64, ON_SLOT, 0, 0, ERRORS, {0}, true},
    {INSTALLER_CHILD, SYS_pread64, ON_SLOT, 0, 1, ERRORS, {R_TARGET_READBACK},
        true},
    /* a part of a head that cannot be zeroed is zeroed with the rest; that no
     * other write passes is judged by what the slots then hold */
    {INSTALLER_CHILD, SYS_pwrite64, ON_SLOT, 0, 1, KIND(EROFS),
        {R_TARGET_READ_ONLY}, true},
    {INSTALLER_CHILD, SYS_pwrite64, ON_SLOT, 0, 1, ERRORS, {R_TARGET_WRITE},
        true},
    {INSTALLER_CHILD, SYS_fsync, ON_SLOT, 0, 1, ERRORS, {R_TARGET_FLUSH},
        false},
    {INSTALLER_CHILD, SYS_fadvise64, -1, 0, -1, ERRORS, {0}, true},
    {INSTALLER_CHILD, -1, ON_ENV, 0, 1, ERRORS, {R_BOOT_IO}, true},
};

static bool may_be(const struct trace *t, int reason, bool late)
{
	const struct op *op = &t->op;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const struct rule *r = &rules[i];

		if ((r->child >= 0 && r->child != (int)t->child) ||
		    (r->nr >= 0 && r->nr != op->nr) ||
		    (r->on >= 0 && r->on != (int)op->on) ||
		    (r->setup >= 0 && r->setup != (int)op->setup) ||
		    (r->granted >= 0 && r->granted != (int)op->granted) ||
		    (r->kinds >> t->kind & 1) == 0)
			continue;
		if (reason == 0)
			return r->ok || late;
		for (size_t k = 0; k < ARRAY_LEN(r->reason); k++)
			if (r->reason[k] == reason)
				return true;
		return false;
	}
	return false;
}

/* Calls that fail in no kernel, or whose answer the C library looks at. */
static bool can_fail(const struct op *op, enum fault_kind kind)
{
	bool data = op->nr == SYS_pread64 || op->nr == SYS_pwrite64;
	bool write = op->nr == SYS_pwrite64 || op->nr == SYS_fsync;

	switch (kind) {
	case FAULT_KILL:
	case FAULT_STOP:
		return true;
	case FAULT_ENOSPC:
	case FAULT_EROFS:
		return write;
	case FAULT_ENODEV:
		return op->on == ON_MEDIUM;
	case FAULT_EINTR:
		return data || op->nr == SYS_fsync || op->on == ON_SOCKET;
	case FAULT_SHORT:
	case FAULT_ZERO:
		return data;
	default:
		return op->nr != SYS_getppid && op->nr != SYS_geteuid &&
		       op->nr != SYS_exit_group && op->nr != SYS_getpid &&
		       op->nr != SYS_gettid && op->nr != SYS_clock_gettime &&
		       op->nr != SYS_set_robust_list && op->nr != SYS_rseq;
	}
}

/* ---- one fault */

static struct trace good; /* of an undisturbed job */
static struct trace t;
static bool real_time;

static void on_fault(void)
{
	shared->hangs = t.kind == FAULT_STOP && !real_time;
}

static bool run(const char *what)
{
	phase = what;
	shared->hangs = false;
	if (trace_run(&t)) {
		check(shared->clean, "no child and no descriptor is left");
		return true;
	}
	check(false, "the owner lives");
	return false;
}

/* The job after it, undisturbed. */
static bool run_again(void)
{
	enum fault_kind kind = t.kind;
	bool alive;

	shared->visit = false;
	t.kind = FAULT_NONE;
	shared->stall_s = STALL_S;
	alive = run("the next job");
	t.kind = kind;
	if (alive) {
		check(shared->started == 0 && shared->result.reason == 0,
		    "the next job succeeds");
		check_new_system();
	}
	return alive;
}

static bool try(unsigned child, unsigned at, enum fault_kind kind)
{
	/* the source waits for the last time: it is not needed any more */
	bool late = child == SOURCE_CHILD && at + 3 >= good.ops[child];
	bool is_last = at + PROGRESS_CALLS >= good.ops[child];
	int reason;

	memset(&t.op, 0, sizeof t.op);
	t.kind = kind;
	t.child = child;
	t.at = at;
	t.watch = false;
	reset_disks();
	shared->visit = false;
	shared->stall_s = real_time ? 1 : STALL_S;
	if (!run("the job"))
		return false;
	reason = told();
	printf("fault %s %s %s %s %s %s\n", names[child],
	    trace_call_name(t.op.nr), object_names[t.op.on],
	    t.op.setup     ? "sandbox"
	    : t.op.granted ? "writing"
	                   : "reading",
	    kind_names[kind], reason_name(reason));
	check(t.hit || is_last, "the call came");
	check(t.hit ? may_be(&t, reason, late) : reason == 0, "the reason");
	check_disks();
	if (reason == 0 && t.hit)
		check_new_system();
	return run_again();
}

/* The [reason] of the first failure that the console shows, or 0. */
static int shown(void)
{
	static const char *const says[] = {
	    "install: ", "search: ", "nothing to install: "};
	const char *line = NULL, *end, *name;

	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		const char *at = strstr(shared->v.log, says[i]);

		if (at && (!line || at < line))
			line = at;
	}
	end = line ? strchr(line, '\n') : NULL;
	name = end ? memrchr(line, '[', (size_t)(end - line)) : NULL;
	for (int r = -1; name && r > -256; r--) {
		size_t n = strlen(reason_name(r));

		if (strncmp(name + 1, reason_name(r), n) == 0 &&
		    name[n + 1] == ']')
			return r;
	}
	return 0;
}

/* Process 1 tries again after these by itself. */
static bool is_passing(int reason)
{
	return reason == R_IO || reason == R_CHILD || reason == R_TIMEOUT;
}

/* A visit to recovery whose first search has the fault. What passes does so
 * without a person, and for the rest one key is enough. */
static bool visit(unsigned child, unsigned at, enum fault_kind kind)
{
	bool late = child == SOURCE_CHILD && at + 3 >= good.ops[child];
	bool is_last = at + PROGRESS_CALLS >= good.ops[child];
	bool hit;
	int reason;

	shared->visit = true;
	shared->again = false;
	shared->stall_s = STALL_S;
	memset(&t.op, 0, sizeof t.op);
	t.watch = false;
	t.kind = FAULT_NONE;
	reset_disks();
	if (!run("a visit"))
		return false;
	check(shared->begins, "process 1 searches");
	t.kind = kind;
	t.child = child;
	t.at = at;
	if (!run("a visit: the search"))
		return false;
	hit = t.hit;
	check(hit || is_last, "the call came");
	check_disks();
	t.kind = FAULT_NONE;
	for (unsigned i = 0; shared->begins; i++) {
		check(i < 10, "there are not too many attempts");
		if (i == 10 || !run("a visit: later searches"))
			return false;
	}
	t.kind = kind;
	reason = shown();
	check(hit ? may_be(&t, reason, late) : reason == 0,
	    "the reason on the console");
	printf("visit %s %s %s %s %u\n", names[child], kind_names[kind],
	    reason_name(reason), shared->v.left ? "by itself" : "waits",
	    shared->v.searches);
	if (is_passing(reason)) {
		check(shared->v.left, "what passes needs no person");
		check_new_system();
	}
	if (shared->v.left)
		return true;
	shared->again = true;
	t.kind = FAULT_NONE;
	do {
		if (!run("a visit: i was pressed"))
			return false;
	} while (shared->begins);
	t.kind = kind;
	check(shared->v.left, "i helps");
	check_new_system();
	return true;
}

static bool look(void)
{
	current = &t;
	t.granted = &shared->granted;
	t.on_fault = on_fault;
	t.watch = true;
	t.kind = FAULT_NONE;
	reset_disks();
	shared->stall_s = STALL_S;
	if (!run("a good job"))
		return false;
	check(told() == 0 && shared->granted, "a good job succeeds");
	check_disks();
	check_new_system();
	good = t;
	return run_again();
}

/* Of the many equal steps of setting up a sandbox the first is tried. */
static bool is_repeated(const struct op *op, unsigned at)
{
	return op->setup && at > 0 && op[-1].nr == op->nr &&
	       op[-1].arg == op->arg;
}

static void sweep(bool all, unsigned part, unsigned of)
{
	unsigned n = 0, stops = 0;

	for (unsigned c = 0; c < good.children; c++)
		for (unsigned i = 0; i < good.ops[c]; i++)
			for (int k = FAULT_KILL; k < FAULT_KINDS; k++) {
				const struct op *op = &good.seen[c][i];

				if (!can_fail(op, (enum fault_kind)k) ||
				    (!all && is_repeated(op, i)))
					continue;
				if (k == FAULT_STOP && !all && stops++ % 7 != 0)
					continue;
				real_time =
				    k == FAULT_STOP && stops % REAL_EVERY == 1;
				if (n++ % of != part)
					continue;
				if (!try(c, i, (enum fault_kind)k))
					return;
				if ((all || n % VISIT_EVERY == 0) &&
				    !visit(c, i, (enum fault_kind)k))
					return;
			}
}

/* ---- the beginning */

static void load(const char *keyring_path)
{
	struct diag d = {0};
	int n = snprintf(
	    text, sizeof text, "[system]\ncompatible=Test\nbootloader=uboot\n");
	int r;

	for (int i = 0; i < 2; i++)
		n += snprintf(text + n, sizeof text - (size_t)n,
		    "[slot.rootfs.%d]\ndevice=%s/%s\nbootname=%c\n"
		    "[slot.kernel.%d]\ndevice=%s/%s\nparent=rootfs.%d\n",
		    i, dir, file_names[2 * i], 'A' + i, i, dir,
		    file_names[2 * i + 1], i);
	/* for the probe to look for */
	n += snprintf(text + n, sizeof text - (size_t)n,
	    "[slot.data.0]\ndevice=PARTLABEL=none-such\n");
	r = conf_parse(&config.conf, text, (size_t)n, &d);
	if (r == 0)
		r = keyring_load(&config.keyring, text,
		    read_file(keyring_path, text, sizeof text), &d);
	if (r != 0) {
		fprintf(stderr, "%s [%s]\n", d.seen, reason_name(r));
		exit(3);
	}
	settings_default(&config.settings);
	config.have_fw_env = true;
	config.initial_env = "";
	config.fw_env.copies = 2;
	for (unsigned i = 0; i < 2; i++) {
		config.fw_env.copy[i].size = ENV_SIZE;
		config.fw_env.copy[i].offset = i * ENV_SIZE;
		snprintf(config.fw_env.copy[i].device,
		    sizeof config.fw_env.copy[i].device, "%s/%s", dir,
		    file_names[ENV]);
	}
}

int main(int argc, char **argv)
{
	bool all = argc > 5 && strcmp(argv[5], "all") == 0;
	char **parts = argv + (all ? 6 : 5);
	unsigned part = 0, of = 1;

	if (argc < 5)
		return 2;
	if (parts[0] && parts[1]) {
		part = (unsigned)atoi(parts[0]);
		of = (unsigned)atoi(parts[1]);
	}
	dir = argv[1];
	stick = argv[3];
	load(argv[2]);
	make_disks(argv[4]);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 3;
	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)trace_start(owner);
	if (look()) {
		for (unsigned c = 0; part == 0 && c < good.children; c++)
			printf("calls of the %s: %u\n", names[c], good.ops[c]);
		sweep(all, part, of);
	}
	printf("fault_job: %u passed, %u failed\n", passed, failed);
	return failed != 0 || passed == 0;
}
