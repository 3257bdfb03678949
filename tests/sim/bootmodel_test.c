/* SPDX-License-Identifier: 0BSD */
/*
 * The boot loader models: what their documents say, case by case, and what
 * src/boot makes of the same environments.
 */
#include "check.h"

#include <stdlib.h>

#include "bootmodel.h"
#include "simdisk.h"

#include "boot/boot.h"

#define SIZE 512u
#define RANDOM 10000

static const char *const names[] = {"A", "B"};
static uint8_t bytes[2][SIZE];
static struct model_next n;
static struct boot boot;
static struct diag d;
static unsigned empty_slots; /* a mask */

static bool has(void *ctx, unsigned i)
{
	(void)ctx;
	return !(empty_slots >> i & 1);
}

static bool never(void *ctx, unsigned i)
{
	(void)ctx;
	(void)i;
	return false;
}

static bool second(void *ctx, unsigned i)
{
	(void)ctx;
	return i == 1;
}

/* text: entries separated by '|'. */
static void put(unsigned i, unsigned copies, uint8_t flag, const char *text)
{
	size_t head = copies > 1 ? 5 : 4;

	memset(bytes[i], 0, SIZE);
	for (size_t k = 0; text[k]; k++)
		bytes[i][head + k] = text[k] == '|' ? 0 : (uint8_t)text[k];
	if (copies > 1)
		bytes[i][4] = flag;
	store_le32(bytes[i], crc32_update(0, bytes[i] + head, SIZE - head));
}

static struct model model(enum loader_kind loader, unsigned copies)
{
	struct model m = {.copy = {bytes[0], bytes[1]},
	    .copies = copies,
	    .size = SIZE,
	    .names = names,
	    .count = 2,
	    .loader = loader,
	    .has = has};

	model_load(&m);
	return m;
}

/* One boot of one copy with this text; checks what is started and, if after
 * is given, the whole environment then. */
static void boots(
    enum loader_kind loader, const char *text, int start, const char *after)
{
	uint8_t *copy[2] = {bytes[0], bytes[1]};
	char seen[SIZE + 1] = "";
	struct model m;

	put(0, 1, 0, text);
	m = model(loader, 1);
	model_next(&m, NULL, &n);
	CHECK_INT(n.start, start);
	model_apply(&m, copy, &n);
	CHECK_INT(m.use, 0);
	for (size_t k = 4; k < SIZE - 1; k++) {
		if (bytes[0][k] == 0 && bytes[0][k + 1] == 0)
			break;
		seen[k - 4] = bytes[0][k] ? (char)bytes[0][k] : '|';
	}
	if (after)
		CHECK_STR(seen, after);
}

static void test_scripts(void)
{
	boots(LOADER_SCRIPT, "BOOT_ORDER=B A|BOOT_A_LEFT=1|BOOT_B_LEFT=1f", 1,
	    "BOOT_A_LEFT=1|BOOT_B_LEFT=8|BOOT_ORDER=B A");
	boots(LOADER_SCRIPT, "x=1", 0,
	    "BOOT_A_LEFT=2|BOOT_B_LEFT=3|BOOT_ORDER=A B|x=1");
	boots(LOADER_SCRIPT, "BOOT_ORDER=A|BOOT_A_LEFT=0", MODEL_RECOVERY,
	    "BOOT_ORDER=A|BOOT_A_LEFT=0");
	boots(LOADER_RAUC, "BOOT_ORDER=B A|BOOT_B_LEFT=10", 1,
	    "BOOT_A_LEFT=3|BOOT_B_LEFT=f|BOOT_ORDER=B A");
	boots(LOADER_RAUC, "BOOT_ORDER=C|BOOT_A_LEFT=0", MODEL_RESET,
	    "BOOT_A_LEFT=3|BOOT_B_LEFT=3|BOOT_ORDER=C");
	boots(LOADER_RAUC, "BOOT_ORDER=B A|BOOT_B_LEFT=a", 1, NULL);
	boots(LOADER_RAUC_18, "BOOT_ORDER=B A|BOOT_B_LEFT=a", 0, NULL);
	boots(LOADER_RAUC_18, "BOOT_ORDER=B A|BOOT_B_LEFT=10", 1,
	    "BOOT_A_LEFT=3|BOOT_B_LEFT=f|BOOT_ORDER=B A");
	empty_slots = 1;
	boots(LOADER_SCRIPT, "BOOT_ORDER=A B", MODEL_RECOVERY,
	    "BOOT_A_LEFT=2|BOOT_B_LEFT=3|BOOT_ORDER=A B");
	empty_slots = 0;
}

static void test_bootmeth(void)
{
	boots(LOADER_BOOTMETH, "BOOT_ORDER=B A|BOOT_A_LEFT=1|BOOT_B_LEFT=10", 1,
	    "BOOT_A_LEFT=1|BOOT_B_LEFT=9|BOOT_ORDER=B A");
	boots(LOADER_BOOTMETH, "", 0,
	    "BOOT_A_LEFT=2|BOOT_B_LEFT=3|BOOT_ORDER=A B");
	/* Hexadecimal digits are none, so that B is next. */
	boots(LOADER_BOOTMETH, "BOOT_A_LEFT=f|BOOT_ORDER=A B", 1, NULL);
	boots(LOADER_BOOTMETH, "BOOT_ORDER=A C", MODEL_RECOVERY,
	    "BOOT_ORDER=A C");
	boots(LOADER_BOOTMETH, "BOOT_A_LEFT=0|BOOT_B_LEFT=0", MODEL_RECOVERY,
	    "BOOT_A_LEFT=0|BOOT_B_LEFT=0");
	boots(LOADER_BOOTMETH_RESET,
	    "BOOT_A_LEFT=0|BOOT_B_LEFT=0|BOOT_ORDER=B A", MODEL_RESET,
	    "BOOT_A_LEFT=3|BOOT_B_LEFT=3|BOOT_ORDER=B A");
	empty_slots = 2;
	boots(LOADER_BOOTMETH, "BOOT_ORDER=A B", MODEL_RECOVERY, NULL);
	boots(LOADER_BOOTMETH, "BOOT_ORDER=A", 0, NULL);
	empty_slots = 0;
}

/* doc/api/bootcount.rst, sentence by sentence. */
static void test_bootcount(void)
{
	boots(LOADER_BOOTCOUNT, "bootlimit=3|upgrade_available=1", 0,
	    "bootcount=1|bootlimit=3|upgrade_available=1");
	boots(LOADER_BOOTCOUNT, "bootcount=2|bootlimit=3|upgrade_available=1",
	    0, "bootcount=3|bootlimit=3|upgrade_available=1");
	boots(LOADER_BOOTCOUNT, "bootcount=3|bootlimit=3|upgrade_available=1",
	    MODEL_RECOVERY, "bootcount=4|bootlimit=3|upgrade_available=1");
	/* not saved, nor read */
	boots(LOADER_BOOTCOUNT, "bootcount=9|bootlimit=3|upgrade_available=0",
	    0, "bootcount=9|bootlimit=3|upgrade_available=0");
	boots(LOADER_BOOTCOUNT, "bootcount=9|bootlimit=3", 0, NULL);
	/* disabled */
	boots(LOADER_BOOTCOUNT, "bootcount=9|upgrade_available=1", 0, NULL);
	/* decimal, and whatever the order says */
	boots(LOADER_BOOTCOUNT,
	    "bootcount=9|bootlimit=10|upgrade_available=1|BOOT_ORDER=B|"
	    "BOOT_A_LEFT=0",
	    0, NULL);
}

static int all_boots(enum loader_kind loader, const char *text,
    bool (*starts)(void *ctx, unsigned i), unsigned tried[2])
{
	struct model m;

	put(0, 1, 0, text);
	m = model(loader, 1);
	return model_boot(&m, starts, NULL, tried);
}

static void test_boots(void)
{
	static const char both[] = "BOOT_ORDER=A B|BOOT_A_LEFT=2|BOOT_B_LEFT=1";
	static const char count[] = "bootlimit=3|upgrade_available=1";
	unsigned tried[2];

	for (unsigned k = 0; k < LOADERS; k++) {
		const struct loader *l = &model_loader[k];
		int up = all_boots((enum loader_kind)k,
		    k == LOADER_BOOTCOUNT ? count : both, never, tried);

		CHECK_INT(up, l->recovery ? MODEL_RECOVERY : MODEL_STUCK);
		if (l->order && l->recovery)
			CHECK(tried[0] == 2 && tried[1] == 1);
		up = all_boots((enum loader_kind)k,
		    k == LOADER_BOOTCOUNT ? count : both, second, tried);
		CHECK_INT(up, l->order ? 1 : MODEL_RECOVERY);
		CHECK_INT(tried[0], l->order                ? 2
		                    : k == LOADER_BOOTCOUNT ? 3
		                                            : 1);
	}
	CHECK_INT(all_boots(LOADER_BOOTCOUNT, "", never, NULL), MODEL_STUCK);
}

/* Which copy is read, and where the next one goes. */
static void test_copies(void)
{
	static const struct {
		bool nor;
		uint8_t flag[2];
		int use;
	} cases[] = {{false, {1, 2}, 1}, {false, {2, 1}, 0},
	    {false, {255, 0}, 1}, {false, {0, 255}, 0}, {false, {7, 7}, 0},
	    {true, {1, 0}, 0}, {true, {0, 1}, 1}, {true, {1, 1}, 0}};
	uint8_t *copy[2] = {bytes[0], bytes[1]};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model m;
		int to = 1 - cases[i].use;

		put(0, 2, cases[i].flag[0], "BOOT_A_LEFT=3");
		put(1, 2, cases[i].flag[1], "BOOT_A_LEFT=3");
		m = model(LOADER_RAUC, 2);
		m.nor = cases[i].nor;
		model_load(&m);
		CHECK_INT(m.use, cases[i].use);
		model_next(&m, NULL, &n);
		CHECK_INT(n.written, to);
		CHECK_INT(n.obsolete, m.nor ? cases[i].use : -1);
		model_apply(&m, copy, &n);
		CHECK_INT(m.use, to);
		bytes[to][9] ^= 1;
		model_load(&m);
		CHECK_INT(m.use, cases[i].use);
	}
}

/* ---- the same environments for src/boot */

static uint64_t seed = 1;

static const char *pick(const char *const *from, unsigned count)
{
	return from[sim_random(&seed) % count];
}

static void random_text(char *text, size_t cap)
{
	static const char *const order[] = {
	    "A", "B", "A B", "B A", "C A", "A A", "", " ", "C", "  B  A"};
	static const char *const count[] = {"0", "1", "3", "9", "a", "1f", "x",
	    "", "-1", "0x3", "7fffffffffffffff", "8000000000000000",
	    "10000000000000000", "10000000000000002"};
	static const char *const limit[] = {"0", "1", "2", "9", "10", "11"};
	static const char *const flag[] = {"0", "1"};
	size_t len = 0;

#define ENTRY(odds, name, from) \
	if (sim_random(&seed) % 8 < odds) \
	len += (size_t)snprintf(text + len, cap - len, name "=%s|", \
	    pick(from, (unsigned)ARRAY_LEN(from)))
	text[0] = '\0';
	ENTRY(6, "BOOT_ORDER", order);
	ENTRY(7, "BOOT_A_LEFT", count);
	ENTRY(6, "BOOT_B_LEFT", count);
	ENTRY(1, "BOOT_A_LEFT", count);
	ENTRY(4, "bootcount", limit);
	ENTRY(6, "bootlimit", limit);
	ENTRY(4, "upgrade_available", flag);
}

/* Puts the copies on simulated disks, and has src/boot load them. */
static void open_product(struct sim *sim, unsigned copies)
{
	struct blk *store[2];

	sim_init(sim);
	for (unsigned i = 0; i < copies; i++) {
		struct simdisk *disk = sim_add(sim, SIZE, 512);

		sim_load(disk, 0, bytes[i], SIZE);
		store[i] = &disk->blk;
	}
	memset(&boot.state, 0, sizeof boot.state);
	boot.defaults.p = "";
	CHECK_INT(boot_open(&boot, "uboot", store, copies, names, 2, &d), 0);
}

static int first_start(struct sim *sim, enum loader_kind loader)
{
	struct model m = model(loader, sim->disks);

	for (unsigned i = 0; i < sim->disks; i++)
		m.copy[i] = sim->disk[i].durable;
	model_load(&m);
	model_next(&m, NULL, &n);
	return n.start;
}

static bool counting(struct sim *sim)
{
	char value[8] = "0";
	struct model m = model(LOADER_BOOTCOUNT, sim->disks);

	for (unsigned i = 0; i < sim->disks; i++)
		m.copy[i] = sim->disk[i].durable;
	model_load(&m);
	return model_get(&m, "upgrade_available", value, sizeof value) &&
	       value[0] != '0';
}

/* Where U-Boot's counter leads to recovery, src/boot sees it there. */
static bool judge_recovery(struct sim *sim, unsigned copies)
{
	uint8_t *copy[2] = {bytes[0], bytes[1]};
	struct model m;

	if (first_start(sim, LOADER_BOOTCOUNT) != MODEL_RECOVERY)
		return false;
	m = model(LOADER_BOOTCOUNT, copies);
	model_next(&m, NULL, &n);
	model_apply(&m, copy, &n);
	open_product(sim, copies);
	CHECK_INT(boot.state.primary, -1);
	return true;
}

static void test_product(void)
{
	static struct sim sim;
	char text[SIZE];
	unsigned recovery = 0;

	for (unsigned round = 0; round < RANDOM; round++) {
		unsigned copies = 1 + round % 2;

		for (unsigned i = 0; i < copies; i++) {
			random_text(text, sizeof text);
			put(i, copies, (uint8_t)sim_random(&seed), text);
			if (sim_random(&seed) % 8 == 0)
				bytes[i][20] ^= 4;
		}
		open_product(&sim, copies);
		/* Where U-Boot counts itself, its counter comes first. */
		if (boot.state.primary >= 0 || !counting(&sim))
			CHECK_INT(boot.state.primary,
			    first_start(&sim, LOADER_SCRIPT));
		recovery += judge_recovery(&sim, copies);

		CHECK_INT(boot_mark_bad(&boot, 0, &d), 0);
		CHECK(first_start(&sim, LOADER_SCRIPT) != 0);
		CHECK(first_start(&sim, LOADER_RAUC) != 0);
		CHECK(first_start(&sim, LOADER_RAUC_18) != 0);
		CHECK_INT(boot_set_primary(&boot, 0, 3, &d), 0);
		for (unsigned k = 0; k < LOADERS; k++)
			if (k != LOADER_BOOTMETH && k != LOADER_BOOTMETH_RESET)
				CHECK_INT(
				    first_start(&sim, (enum loader_kind)k), 0);
	}
	CHECK(recovery > RANDOM / 100);
	sim_init(&sim);
}

int main(void)
{
	test_scripts();
	test_bootmeth();
	test_bootcount();
	test_boots();
	test_copies();
	test_product();
	return check_done("bootmodel");
}
