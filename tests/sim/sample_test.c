/* SPDX-License-Identifier: 0BSD */
/*
 * The same mill with nothing left out: a real verity bundle made by rauc, its
 * signature, its manifest, and every block verified in the read that uses it.
 */
#include "check.h"
#include "load.h"

#include <stdlib.h>
#include <time.h>

#include "cuts.h"
#include "worker_double.h"

#define DIR "build/tests/bundles/"

static uint8_t file[1u << 20], image[RIG_SLOT];
static struct blk_mem source;
static struct keyring keyring;
static struct trust_policy policy;

static size_t load(const char *name, void *dst, size_t cap)
{
	size_t n = load_file(dst, cap, DIR "%s", name);

	CHECK(n > 0 && n < cap);
	return n;
}

/* The bundle's only image goes to rootfs. */
static void sample(const struct scenario *s, struct tally *all)
{
	struct bundle *b = &worker_double.bundle;
	struct rig_image im = {.p = image};
	struct cuts c = {.random = 8,
	    .pairs = 8,
	    .random2 = 1,
	    .reruns = true,
	    .loud = true,
	    .seed = 3};
	struct diag d = {0};
	struct conf *conf = &rig_world.conf;

	im.size = load("small.img", image, sizeof image);
	CHECK_INT(bundle_open(b, &source.blk, &keyring, &policy, &d), 0);
	CHECK_INT(bundle_verify(b, NULL, NULL, &d), 0);
	rig_world_make(s, &im, NULL);
	memcpy(conf->compatible, b->manifest.compatible,
	    sizeof b->manifest.compatible);
	for (unsigned i = 0; i < conf->slots; i++)
		if (strcmp(conf->slot[i].slotclass, "rootfs") == 0)
			memcpy(conf->slot[i].slotclass,
			    b->manifest.image[0].slotclass,
			    sizeof conf->slot[i].slotclass);
	cuts_everywhere(&c);
	tally_add(all, &c.tally);
}

int main(void)
{
	static const struct scenario set_ups[] = {
	    {.env = ENV_REDUNDANT, .store = STORE_OLD, .sector = 512},
	    {.env = ENV_SINGLE,
	        .groups = GROUPS_BOOTED,
	        .start = START_FRESH,
	        .sector = 512},
	    {.env = ENV_NONE,
	        .loader = LOADER_NOOP,
	        .start = START_INTERRUPTED,
	        .store = STORE_EMPTY,
	        .sector = 4096},
	};
	struct tally all = {0};
	size_t n;

	if (system("tests/data/mkbundles.sh " DIR " >&2") != 0)
		return 1;
	policy.now = time(NULL);
	n = load("keyring.pem", file, sizeof file);
	CHECK_INT(keyring_load(&keyring, (const char *)file, n, NULL), 0);
	n = load("small.raucb", file, sizeof file);
	blk_mem_init_const(&source, file, n);
	for (size_t i = 0; i < ARRAY_LEN(set_ups); i++)
		sample(&set_ups[i], &all);
	printf("| sample | all | %lu | %lu | %lu | %lu | %lu |\n",
	    all.scenarios, all.cuts, all.states, all.bricks, all.unfinished);
	CHECK_INT(all.bricks, 0);
	CHECK_INT(all.unfinished, 0);
	CHECK(all.states > 100);
	return check_done("sample");
}
