/* SPDX-License-Identifier: 0BSD */
/*
 * A lying medium: one that returns other bytes on the n-th read, for every n
 * of an install, of each format. Whatever it does, no byte reaches a slot that
 * is not the signed image's, or a zero that the install itself puts there; and
 * an install that says it is done has put all of the image there.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "load.h"
#include "slot/install.h"

#define DIR "build/tests/bundles/"
#define FILE_MAX 400000
#define SLOT (200u << 10)

enum lie {
	LIE_NONE,
	LIE_BIT,        /* one bit of one read */
	LIE_BITS,       /* one bit of this read and all later ones */
	LIE_ZERO,       /* nothing but zeros, once */
	LIE_ELSEWHERE,  /* authentic bytes of another place, once */
	LIE_ELSEWHERES, /* and from then on */
	LIES
};

struct liar {
	struct blk blk;
	const uint8_t *truth;
	unsigned reads, at;
	enum lie lie;
};

static bool lies(const struct liar *l, unsigned n)
{
	return l->lie == LIE_BITS || l->lie == LIE_ELSEWHERES ? n >= l->at
	                                                      : n == l->at;
}

static int liar_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct liar *l = (struct liar *)b;
	uint8_t *out = dst;

	memcpy(dst, l->truth + off, len);
	if (!lies(l, l->reads++))
		return 0;
	switch (l->lie) {
	case LIE_BIT:
	case LIE_BITS:
		out[len / 2] ^= 1;
		break;
	case LIE_ZERO:
		memset(dst, 0, len);
		break;
	case LIE_ELSEWHERE:
	case LIE_ELSEWHERES:
		for (size_t i = 0; i < len; i++)
			out[i] = l->truth[(off + i + 4096) % b->size];
		break;
	case LIE_NONE:
	case LIES:
		break;
	}
	return 0;
}

static const struct blk_ops liar_ops = {.read = liar_read};

/* A slot, and the image that may be written to it. */
struct watch {
	struct blk blk;
	uint8_t image[SLOT], data[SLOT];
	size_t size; /* of the image */
};

static unsigned forged; /* bytes that reached a slot */

static int watch_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	memcpy(dst, ((struct watch *)b)->data + off, len);
	return 0;
}

static int watch_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct watch *w = (struct watch *)b;
	const uint8_t *p = src;

	memcpy(w->data + off, src, len);
	for (size_t i = 0; i < len; i++) {
		uint64_t at = off + i;
		bool zeroed = p[i] == 0 && (at < INSTALL_HEAD || at >= w->size);

		if (!zeroed && (at >= w->size || p[i] != w->image[at]))
			forged++;
	}
	return 0;
}

static const struct blk_ops watch_ops = {
    .read = watch_read, .write = watch_write};

static const char system_conf[] = "[system]\ncompatible=Test\nbootloader=noop\n"
                                  "[slot.root.0]\ndevice=r\ntype=ext4\n"
                                  "[slot.boot.0]\ndevice=b\nparent=root.0\n";

static uint8_t file[FILE_MAX];
static struct keyring keyring;
static struct trust_policy policy;
static struct recipient recipient;
static struct bundle bundle;
static struct conf conf;
static struct install in;
static struct watch root, boot;
static struct liar liar;

static size_t load(const char *name, uint8_t *dst, size_t cap)
{
	size_t n = load_file(dst, cap, DIR "%s", name);

	CHECK(n > 0 && n < cap);
	return n;
}

/* All that the installer child does, in its order. */
static int install(struct diag *d)
{
	static struct plan plan;
	enum slot_content content;
	int r = 0;

	/* Once to choose among all bundles, once because it was chosen. */
	for (unsigned i = 0; r == 0 && i < 2; i++) {
		r = bundle_open(&bundle, &liar.blk, &keyring, &policy, d);
		if (r == 0)
			r = install_plan(
			    &plan, &conf, NULL, &bundle.manifest, NULL, "", d);
	}
	if (r == 0)
		r = bundle_verify(&bundle, NULL, NULL, d);
	in.bundle = &bundle;
	in.conf = &conf;
	in.plan = &plan;
	for (unsigned i = 0; r == 0 && i < plan.count; i++)
		in.target[i] = plan.item[i].slot == 0 ? &root.blk : &boot.blk;
	if (r == 0)
		r = install_compare(&in, &content, d);
	return r == 0 ? install_run(&in, d) : r;
}

static bool whole(const struct watch *w)
{
	return memcmp(w->data, w->image, w->size) == 0;
}

static void watch_init(struct watch *w, const char *name, uint8_t old)
{
	w->blk.ops = &watch_ops;
	w->blk.size = SLOT;
	w->size = load(name, w->image, SLOT);
	memset(w->data, old, SLOT);
}

static int run(enum lie lie, unsigned at, bool half, struct diag *d)
{
	memset(root.data, 0xaa, SLOT);
	memset(boot.data, 0xbb, SLOT);
	/* With nothing left to lose there is no pass over the images before
	 * the first write. */
	if (half)
		memset(root.data, 0, INSTALL_HEAD);
	diag_clear(d);
	liar.reads = 0;
	liar.at = at;
	liar.lie = lie;
	return install(d);
}

static void test_format(const char *name, enum bundle_format format)
{
	unsigned installed = 0, refused = 0, unexplained = 0, broken = 0;
	struct diag d = {0};

	liar.blk.ops = &liar_ops;
	liar.blk.size = load(name, file, FILE_MAX);
	liar.truth = file;
	for (int half = 0; half < 2; half++) {
		unsigned reads;

		CHECK_INT(run(LIE_NONE, 0, half, &d), 0);
		CHECK_STR(d.seen, "");
		CHECK_INT(bundle.manifest.format, format);
		CHECK(whole(&root) && whole(&boot));
		reads = liar.reads;
		CHECK(reads > 10);
		for (unsigned n = TURN; n < reads; n += 2) {
			for (int lie = LIE_BIT; lie < LIES; lie++) {
				int r = run((enum lie)lie, n, half, &d);

				installed += r == 0;
				refused += r != 0;
				unexplained += r != d.reason ||
				               (r != 0 && d.seen[0] == '\0');
				broken +=
				    r == 0 && !(whole(&root) && whole(&boot));
			}
		}
	}
	printf("%s: %u installs refused, %u done all the same, "
	       "%u forged bytes written\n",
	    name, refused, installed, forged);
	CHECK(refused > installed / 4);
	CHECK_INT(unexplained, 0);
	CHECK_INT(broken, 0);
	CHECK_INT(forged, 0);
}

int main(void)
{
	size_t n;

	if (system("tests/data/mkbundles.sh " DIR " >&2") != 0)
		return 1;
	policy.now = time(NULL);
	n = load("keyring.pem", file, FILE_MAX);
	CHECK_INT(keyring_load(&keyring, (const char *)file, n, NULL), 0);
	n = load("crypt-rsa.key", file, FILE_MAX);
	CHECK_INT(recipient_load(&recipient, (const char *)file, n, NULL), 0);
	bundle.recipient = &recipient;
	CHECK_INT(
	    conf_parse(&conf, system_conf, sizeof system_conf - 1, NULL), 0);
	watch_init(&root, "root.ext4", 0xaa);
	watch_init(&boot, "boot.img", 0xbb);
	test_format("lie.raucb", FORMAT_VERITY);
	test_format("lielz4.raucb", FORMAT_VERITY);
	test_format("lieplain.raucb", FORMAT_PLAIN);
	test_format("sha512.raucb", FORMAT_PLAIN);
	test_format("liecrypt.raucb", FORMAT_CRYPT);
	return check_done("lying");
}
