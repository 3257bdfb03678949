/* SPDX-License-Identifier: 0BSD */
/*
 * A medium that shows one signed bundle while all are judged, and another one
 * when the best is to be installed. The installer is the real one; the source
 * child is replaced by a liar.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "load.h"
#include "worker/pipe.h"
#include "worker/work.h"

#define DIR "build/tests/bundles/"
#define BUNDLE_MAX (2u << 20)
#define SLOT (3u << 20)

struct shown {
	struct blk blk;
	uint8_t data[BUNDLE_MAX];
};

/* What is shown, the second from the n-th time on that the file is opened. */
static struct shown first, second;
static unsigned lies_from;

static int shown_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	memcpy(dst, ((struct shown *)b)->data + off, len);
	return 0;
}

static const struct blk_ops shown_ops = {.read = shown_read};

static int liar_list(struct source *s, struct diag *d)
{
	(void)d;
	s->files = 1;
	strcpy(s->file[0].where, "sda1:/x.raucb");
	return 0;
}

static int liar_open(
    struct source *s, unsigned i, struct blk **out, struct diag *d)
{
	static unsigned opened;

	(void)s;
	(void)i;
	(void)d;
	*out = ++opened < lies_from ? &first.blk : &second.blk;
	return 0;
}

void source_child(const struct work *w, int fd, int pipe)
{
	static const struct source_ops liar = {"liar", liar_list, liar_open};
	static struct source source = {.ops = &liar};
	int keep[] = {fd, pipe};
	struct diag d = {0};

	if (child_enter(w, SANDBOX_READ, fd, keep, 2, &d) == 0)
		pipe_serve(pipe, &source);
	child_end(&d, POLICY_WAIT, 0);
}

static struct conf conf;
static struct settings settings;
static struct keyring keyring;
static struct job_facts facts;
static char log_text[4096];
static char dir[] = "/tmp/second_look.XXXXXX";
static char slot[2][64];

static void on_log(void *ctx, enum log_level level, const char *line)
{
	size_t n = strlen(log_text);

	(void)ctx;
	(void)level;
	snprintf(log_text + n, sizeof log_text - n, "%s\n", line);
}

static enum policy_action decide(void *ctx, const struct job_facts *f)
{
	(void)ctx;
	facts = *f;
	return f->medium == POLICY_NEW ? POLICY_INSTALL : POLICY_WAIT;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static size_t load(const char *name, uint8_t *dst, size_t cap)
{
	size_t n = load_file(dst, cap, DIR "%s", name);

	CHECK(n > 0 && n < cap);
	return n;
}

static void show(struct shown *s, const char *name)
{
	s->blk.ops = &shown_ops;
	s->blk.size = load(name, s->data, BUNDLE_MAX);
}

static void make_slots(void)
{
	for (unsigned i = 0; i < 2; i++) {
		int fd = open(slot[i], O_RDWR | O_CREAT | O_TRUNC, 0600);

		CHECK_INT(pwrite(fd, "old", 3, 0), 3);
		CHECK_INT(ftruncate(fd, SLOT), 0);
		close(fd);
	}
}

/* True when the first slot starts as it did, or as the image does. */
static bool starts_with(const void *text, size_t n)
{
	char head[16] = "";
	int fd = open(slot[0], O_RDONLY);
	bool is =
	    pread(fd, head, n, 0) == (ssize_t)n && memcmp(head, text, n) == 0;

	close(fd);
	return is;
}

static struct job_result rescue(unsigned from)
{
	struct job_setup s = {.verb = JOB_RESCUE,
	    .conf = &conf,
	    .settings = &settings,
	    .keyring = &keyring,
	    .booted = "",
	    .extract_dir = -1,
	    .now = time(NULL),
	    .log = on_log,
	    .decide = decide};
	struct job_result r = {.reason = 1};
	struct pollfd p[JOB_FDS];

	make_slots();
	memset(&facts, 0, sizeof facts);
	log_text[0] = '\0';
	lies_from = from;
	CHECK_INT(job_start(&s, NULL), 0);
	do {
		unsigned n = job_poll_fds(p);

		(void)poll(p, n, job_timeout_ms(now_ms()));
	} while (job_step(p, 0, now_ms(), &r) == 1);
	return r;
}

static void add_slot(const char *name, const char *cls, int parent)
{
	struct slot *s = &conf.slot[conf.slots];

	snprintf(slot[conf.slots], sizeof slot[0], "%s/%s", dir, name);
	strcpy(s->name, name);
	strcpy(s->slotclass, cls);
	strcpy(s->device, slot[conf.slots]);
	s->parent = parent;
	conf.slots++;
}

int main(void)
{
	static uint8_t text[65536], image[2u << 20];
	struct job_result r;
	char command[64];
	size_t n;

	if (system("tests/data/mkbundles.sh " DIR " >&2") != 0)
		return 1;
	CHECK(mkdtemp(dir) != NULL);
	n = load("keyring.pem", text, sizeof text);
	CHECK_INT(keyring_load(&keyring, (const char *)text, n, NULL), 0);
	show(&first, "good.raucb");
	show(&second, "zstd.raucb");
	(void)load("rootfs.ext4", image, sizeof image);
	strcpy(conf.compatible, "Test");
	strcpy(conf.bootloader_name, "noop");
	add_slot("rootfs.0", "rootfs", -1);
	add_slot("kernel.0", "kernel", 0);
	settings_default(&settings);

	/* honest, and what is shown is good from the start */
	r = rescue(99);
	CHECK_INT(r.reason, 0);
	CHECK_INT(r.action, POLICY_INSTALL);
	CHECK_INT(facts.medium, POLICY_NEW);
	CHECK(starts_with(image, 16));
	r = rescue(1);
	CHECK_INT(r.reason, 0);
	CHECK_INT(r.action, POLICY_INSTALL);
	CHECK(starts_with(image, 16));

	/* the other one, as well signed, once it was chosen */
	r = rescue(2);
	CHECK_INT(r.reason, 0);
	CHECK_INT(r.action, POLICY_WAIT);
	CHECK_INT(facts.medium, POLICY_REFUSED);
	CHECK_INT(facts.refused, R_PLAIN_CHANGED);
	CHECK(strstr(log_text, "[medium-changed]") != NULL);
	CHECK(strstr(log_text, "another bundle than before") != NULL);
	CHECK(starts_with("old", 4));

	snprintf(command, sizeof command, "rm -r %s", dir);
	CHECK_INT(system(command), 0);
	return check_done("second_look");
}
