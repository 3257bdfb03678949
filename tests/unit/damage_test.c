/* SPDX-License-Identifier: 0BSD */
/*
 * A damaged bundle: every byte of it changed, in one bit and in all, and every
 * length it can be cut to, for each format. None is accepted, each is refused
 * for exactly one reason, and the slot is not touched.
 *
 * usage: damage_test [full]. Without `full` one byte in 7 of the signature and
 * its size, and one in 41 of the payload and of the lengths, in one bit with
 * gcc, in all with clang; with it all.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "load.h"
#include "slot/install.h"

#define DIR "build/tests/bundles/"
#define FILE_MAX 40000
#define SLOT 16384u
/* Without `full`: prime to all that a format aligns to. */
#define STRIDE_PAYLOAD 41
#define STRIDE_CMS 7

static const char system_conf[] = "[system]\ncompatible=Test\nbootloader=noop\n"
                                  "[slot.small.0]\ndevice=r\n";

static uint8_t file[FILE_MAX], slot[SLOT], want[FILE_MAX];
static struct keyring keyring;
static struct trust_policy policy;
static struct recipient recipient;
static struct bundle bundle;
static struct conf conf;
static struct plan plan;
static struct install in;
static unsigned writes;

static size_t load(const char *name, uint8_t *dst)
{
	size_t n = load_file(dst, FILE_MAX, DIR "%s", name);

	CHECK(n > 0 && n < FILE_MAX);
	return n;
}

static int slot_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	(void)b;
	memcpy(dst, slot + off, len);
	return 0;
}

static int slot_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	(void)b;
	writes++;
	memcpy(slot + off, src, len);
	return 0;
}

static const struct blk_ops slot_ops = {.read = slot_read, .write = slot_write};
static struct blk slot_blk = {.ops = &slot_ops, .size = SLOT};

static int install(size_t size, struct diag *d)
{
	struct blk_mem source;
	int r;

	diag_clear(d);
	blk_mem_init(&source, file, size, false);
	r = bundle_open(&bundle, &source.blk, &keyring, &policy, d);
	if (r == 0)
		r = install_plan(
		    &plan, &conf, NULL, &bundle.manifest, NULL, "", d);
	if (r == 0)
		r = bundle_verify(&bundle, NULL, NULL, d);
	in.bundle = &bundle;
	in.conf = &conf;
	in.plan = &plan;
	in.target[0] = &slot_blk;
	return r == 0 ? install_run(&in, d) : r;
}

struct totals {
	unsigned tried, accepted, unexplained;
};

static void try(struct totals *t, size_t size)
{
	struct diag d;
	int r = install(size, &d);

	t->tried++;
	t->accepted += r == 0;
	t->unexplained += r != 0 && (r != d.reason || d.seen[0] == '\0');
}

static void test_format(const char *name, enum bundle_format format, bool full)
{
	struct totals t = {0};
	size_t payload_step = full ? 1 : STRIDE_PAYLOAD;
	size_t cms_step = full ? 1 : STRIDE_CMS;
	size_t size = load(name, file), cms;
	struct diag d;

	CHECK_INT(install(size, &d), 0);
	CHECK_STR(d.seen, "");
	CHECK_INT(bundle.manifest.format, format);
	CHECK_MEM(slot, want, load("small.img", want));
	CHECK(writes > 0);
	cms = (size_t)bundle.payload_size;
	writes = 0;
	for (size_t at = 0; at < size;
	     at += at < cms ? payload_step : cms_step) {
		uint8_t was = file[at];
		unsigned accepted = t.accepted;

		file[at] = was ^ (uint8_t)(1u << at % 8);
		if (full || !TURN)
			try(&t, size);
		file[at] = (uint8_t)~was;
		if (full || TURN)
			try(&t, size);
		file[at] = was;
		if (t.accepted != accepted)
			printf("%s: byte %zu (%zu of the signature) may be "
			       "changed\n",
			    name, at, at - cms);
	}
	for (size_t n = 0; n < size; n += payload_step)
		try(&t, n);
	try(&t, size - 1);
	printf("%s: %zu bytes, %u damages, %u accepted, %u writes\n", name,
	    size, t.tried, t.accepted, writes);
	CHECK_INT(t.accepted, 0);
	CHECK_INT(t.unexplained, 0);
	CHECK_INT(writes, 0);
}

int main(int argc, char **argv)
{
	bool full = argc > 1 && strcmp(argv[1], "full") == 0;
	size_t n;

	if (system("tests/data/mkbundles.sh " DIR " >&2") != 0)
		return 1;
	policy.now = time(NULL);
	n = load("keyring.pem", file);
	CHECK_INT(keyring_load(&keyring, (const char *)file, n, NULL), 0);
	n = load("crypt-rsa.key", file);
	CHECK_INT(recipient_load(&recipient, (const char *)file, n, NULL), 0);
	/* Without it, for whom a bundle is encrypted is not looked at. */
	n = load("crypt-rsa.pem", file);
	CHECK_INT(
	    recipient_load_cert(&recipient, (const char *)file, n, NULL), 0);
	bundle.recipient = &recipient;
	CHECK_INT(
	    conf_parse(&conf, system_conf, sizeof system_conf - 1, NULL), 0);
	test_format("tiny.raucb", FORMAT_VERITY, full);
	test_format("tinyplain.raucb", FORMAT_PLAIN, full);
	test_format("tinycrypt.raucb", FORMAT_CRYPT, full);
	return check_done("damage");
}
