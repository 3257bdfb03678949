/* SPDX-License-Identifier: 0BSD */
#include "check.h"

#include "base/fmt.h"
#include "boot/boot.h"
#include "sim/simdisk.h"

#define SIZE 1024u

static struct sim sim;
static struct simdisk *disk[2];
static struct blk *store[2];
static struct boot b;
static struct diag d;
static const char *const names[] = {"A", "B", "C"};

/* text: entries separated by '|'; a trailing "||" is the empty entry. */
static void put_env(unsigned i, unsigned copies, uint8_t flag, const char *text)
{
	uint8_t env[SIZE] = {0};
	size_t head = copies > 1 ? 5 : 4;

	for (size_t k = 0; text[k]; k++)
		env[head + k] = text[k] == '|' ? 0 : (uint8_t)text[k];
	if (copies > 1)
		env[4] = flag;
	store_le32(env, crc32_update(0, env + head, SIZE - head));
	sim_load(disk[i], 0, env, SIZE);
}

static void machine(unsigned copies)
{
	sim_init(&sim);
	for (unsigned i = 0; i < copies; i++) {
		disk[i] = sim_add(&sim, SIZE, 512);
		store[i] = &disk[i]->blk;
	}
	memset(&b, 0, sizeof b);
	diag_clear(&d);
}

static void load(unsigned copies, unsigned count)
{
	diag_clear(&d);
	CHECK_INT(boot_open(&b, "uboot", store, copies, names, count, &d), 0);
	sim.reads = sim.writes = sim.flushes = 0;
}

/* One copy with this text, two names. */
static void single(const char *text)
{
	machine(1);
	put_env(0, 1, 0, text);
	load(1, 2);
}

/* Compares the data of a copy, written as in put_env, and its checksum. */
static void holds(unsigned i, unsigned copies, const char *text)
{
	const uint8_t *p = disk[i]->durable;
	size_t head = copies > 1 ? 5 : 4, n = strlen(text);
	char seen[SIZE + 1] = "";
	size_t k;

	for (k = 0; k < n && head + k < SIZE; k++)
		seen[k] = p[head + k] == 0 ? '|' : (char)p[head + k];
	CHECK_STR(seen, text);
	CHECK(all_zero(p + head + n, SIZE - head - n));
	CHECK_INT(load_le32(p), crc32_update(0, p + head, SIZE - head));
}

static void test_read(void)
{
	single("x=1|BOOT_ORDER=B A|BOOT_A_LEFT=2|BOOT_B_LEFT=0|y=2||");
	CHECK(b.state.valid);
	CHECK_INT(b.state.count, 2);
	CHECK(b.state.name[0].in_order && b.state.name[0].known);
	CHECK_INT(b.state.name[0].attempts, 2);
	CHECK_INT(b.state.name[1].attempts, 0);
	CHECK_INT(b.state.primary, 0);
	CHECK_STR(
	    b.state.text, "BOOT_ORDER=\"B A\" BOOT_A_LEFT=2 BOOT_B_LEFT=0");
	CHECK_INT(b.state.tries, 0);
	CHECK_INT(b.state.first, 1); /* whatever its attempts */

	single("BOOT_ORDER=B|BOOT_A_LEFT=3|BOOT_B_LEFT=0||");
	CHECK(!b.state.name[0].in_order);
	CHECK_INT(b.state.primary, -1);

	single("x=1||"); /* missing: all, with the scripts' default */
	CHECK(b.state.valid && b.state.name[1].in_order);
	CHECK(!b.state.name[1].known);
	CHECK_INT(b.state.name[1].attempts, 3);
	CHECK_INT(b.state.primary, 0);
	CHECK_INT(b.state.first, 0);
	CHECK(strstr(b.state.text, "not set") != NULL);

	single("BOOT_ORDER=|BOOT_A_LEFT=|BOOT_B_LEFT=1||");
	CHECK(b.state.name[0].in_order && !b.state.name[0].known);
	CHECK_INT(b.state.name[1].attempts, 1);
	/* Blanks are not empty: scripts find no name in them. */
	single("BOOT_ORDER=  |BOOT_A_LEFT=1|BOOT_B_LEFT=1||");
	CHECK(!b.state.name[0].in_order && !b.state.name[1].in_order);
	CHECK_INT(b.state.primary, -1);
	CHECK_INT(boot_set_primary(&b, 0, 3, &d), 0);
	holds(0, 1, "BOOT_ORDER=A B|BOOT_A_LEFT=3|BOOT_B_LEFT=1||");

	/* Values are hexadecimal, and never more than 9 for us. */
	single("BOOT_ORDER=B A|BOOT_A_LEFT=ff|BOOT_B_LEFT=xyz||");
	CHECK_INT(b.state.name[0].attempts, 9);
	CHECK_INT(b.state.name[1].attempts, 0);
	CHECK_INT(b.state.primary, 0);
	single("BOOT_A_LEFT=7fffffffffffffff|BOOT_B_LEFT=A||");
	CHECK_INT(b.state.name[0].attempts, 9);
	single("BOOT_A_LEFT=fffffffffffffffffffffff1|BOOT_B_LEFT=A||");
	CHECK_INT(b.state.name[0].attempts, 0); /* negative in 64 bits */
	CHECK_INT(b.state.name[1].attempts, 9);

	/* Of two entries the later one counts, as in U-Boot. */
	single("BOOT_A_LEFT=1|BOOT_A_LEFT=2||");
	CHECK_INT(b.state.name[0].attempts, 2);

	/* Words that only begin like a name are not that name. */
	single("BOOT_ORDER=AB BA|XBOOT_A_LEFT=1|BOOT_A_LEFTX=1||");
	CHECK(!b.state.name[0].in_order && !b.state.name[0].known);
	CHECK_INT(b.state.first, -1);

	single("LIFEBOAT_TRIES=a:0123abCD||");
	CHECK_INT(b.state.tries, 10);
	CHECK_MEM(b.state.tries_id, "\x01\x23\xab\xcd", 4);
	single("LIFEBOAT_TRIES=2:123||");
	CHECK_INT(b.state.tries, 0);
	single("LIFEBOAT_TRIES=:01234567||");
	CHECK_INT(b.state.tries, 0);
	single("LIFEBOAT_TRIES=ffffffffff:01234567||");
	CHECK_INT(b.state.tries, 255);

	single("BOOT_ORDER=\033[2J A||");
	CHECK(strchr(b.state.text, '\033') == NULL);
}

/* CRC-valid, and yet no environment. */
static void test_malformed(void)
{
	char text[SIZE + 1];

	single("garbage|=empty key|BOOT_ORDER=B A|no value|BOOT_A_LEFT=0||");
	CHECK(b.state.valid);
	CHECK_INT(b.state.primary, 1);
	CHECK_INT(boot_mark_good(&b, 0, 3, &d), 0);
	holds(0, 1, "BOOT_ORDER=B A|BOOT_A_LEFT=3||");

	single("");
	CHECK(b.state.valid);
	CHECK_INT(b.env_len, 0);

	/* What stands behind the empty entry is stale. */
	single("a=b||BOOT_ORDER=B|BOOT_A_LEFT=0||");
	CHECK_INT(b.state.primary, 0);
	CHECK_INT(b.env_len, 4);

	/* No NUL at all, and one that is missing at the end only. */
	memset(text, 'x', SIZE - 4);
	text[SIZE - 4] = '\0';
	text[5] = '=';
	single(text);
	CHECK(b.state.valid);
	CHECK_INT(b.env_len, 0);
	memcpy(text, "BOOT_ORDER=B|", 13);
	single(text);
	CHECK_INT(b.state.primary, 1);
	CHECK_INT(b.env_len, 13);

	/* An entry that ends with the last byte leaves no room for the empty
	 * one: read, but not written back larger. */
	text[SIZE - 5] = '|';
	text[20] = '=';
	single(text);
	CHECK_INT(b.env_len, SIZE - 4);
	CHECK_INT(boot_mark_bad(&b, 0, &d), R_BOOT_FULL);
	CHECK_MEM(disk[0]->durable + 4, "BOOT_ORDER=B", 12);
}

static void test_verbs(void)
{
	single("x=1|BOOT_ORDER=A B|y=2|BOOT_A_LEFT=3|BOOT_B_LEFT=2|z=||");
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	holds(0, 1, "x=1|BOOT_ORDER=B|y=2|BOOT_A_LEFT=0|BOOT_B_LEFT=2|z=||");
	CHECK_INT(b.state.primary, 1);
	CHECK_INT(sim.writes, 1);
	CHECK_INT(sim.flushes, 1);
	CHECK_INT(boot_set_primary(&b, 0, 3, &d), 0);
	holds(0, 1, "x=1|BOOT_ORDER=A B|y=2|BOOT_A_LEFT=3|BOOT_B_LEFT=2|z=||");
	CHECK_INT(b.state.primary, 0);

	/* Attempts stay one digit. */
	CHECK_INT(boot_mark_good(&b, 1, 15, &d), 0);
	CHECK_INT(b.state.name[1].attempts, 9);
	CHECK_INT(boot_mark_good(&b, 1, 0, &d), 0);
	CHECK_INT(b.state.name[1].attempts, 3);

	CHECK_INT(boot_mark_bad(&b, 2, &d), R_BOOT_NAME);
}

/* The order never ends without a known name. */
static void test_order(void)
{
	single("BOOT_ORDER=A|BOOT_A_LEFT=3||");
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	holds(0, 1, "BOOT_ORDER=A|BOOT_A_LEFT=0||");
	CHECK_INT(b.state.primary, -1);

	single("BOOT_ORDER=A rescue A|BOOT_A_LEFT=3||");
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	holds(0, 1, "BOOT_ORDER=A rescue A|BOOT_A_LEFT=0||");

	single("BOOT_ORDER=rescue||");
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	holds(0, 1, "BOOT_ORDER=rescue A|BOOT_A_LEFT=0||");

	single("BOOT_ORDER=rescue A B x||");
	CHECK_INT(boot_mark_bad(&b, 1, &d), 0);
	holds(0, 1, "BOOT_ORDER=rescue A x|BOOT_B_LEFT=0||");
	CHECK_INT(boot_set_primary(&b, 1, 2, &d), 0);
	holds(0, 1, "BOOT_ORDER=B rescue A x|BOOT_B_LEFT=2||");

	/* Missing or empty: made with all names, the target first. */
	single("BOOT_ORDER=|x=1||");
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	holds(0, 1, "BOOT_ORDER=B|x=1|BOOT_A_LEFT=0||");
	single("x=1||");
	CHECK_INT(boot_set_primary(&b, 1, 3, &d), 0);
	holds(0, 1, "x=1|BOOT_ORDER=B A|BOOT_B_LEFT=3||");
	single("BOOT_ORDER= ||");
	CHECK_INT(boot_mark_good(&b, 1, 3, &d), 0);
	holds(0, 1, "BOOT_ORDER=B A|BOOT_B_LEFT=3||");
	single("BOOT_ORDER=B|BOOT_A_LEFT=0||");
	CHECK_INT(boot_mark_good(&b, 0, 3, &d), 0);
	holds(0, 1, "BOOT_ORDER=B|BOOT_A_LEFT=3||");

	machine(1);
	put_env(0, 1, 0, "x=1||");
	load(1, 1);
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	holds(0, 1, "x=1|BOOT_ORDER=A|BOOT_A_LEFT=0||");

	/* Strangers go when the whole order would be too long. */
	{
		char text[SIZE] = "BOOT_ORDER=B";
		size_t n = strlen(text);

		while (n < 900)
			n += fmt(text + n, sizeof text - n, " stranger");
		fmt(text + n, sizeof text - n, " A||");
		single(text);
		CHECK_INT(boot_set_primary(&b, 0, 1, &d), 0);
		holds(0, 1, "BOOT_ORDER=A B|BOOT_A_LEFT=1||");
	}
}

static void test_tries(void)
{
	single("BOOT_ORDER=A||");
	b.state.tries = 1;
	memcpy(b.state.tries_id, "\xde\xad\xbe\xef", 4);
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	holds(0, 1, "BOOT_ORDER=A|BOOT_A_LEFT=0|LIFEBOAT_TRIES=1:deadbeef-||");
	CHECK_INT(b.state.tries, 1);
	load(1, 1);
	CHECK_INT(b.state.tries, 1);
	CHECK_MEM(b.state.tries_id, "\xde\xad\xbe\xef", 4);
	CHECK(!b.state.name[0].in_order);
	b.state.tries = 2;
	CHECK_INT(boot_set_primary(&b, 0, 3, &d), 0);
	holds(0, 1, "BOOT_ORDER=A|BOOT_A_LEFT=3|LIFEBOAT_TRIES=2:deadbeef||");
	load(1, 2);
	CHECK_INT(b.state.tries, 2);
	CHECK_MEM(b.state.tries_id, "\xde\xad\xbe\xef", 4);
	CHECK_INT(boot_mark_good(&b, 0, 3, &d), 0);
	holds(0, 1, "BOOT_ORDER=A|BOOT_A_LEFT=3||");
	CHECK_INT(b.state.tries, 0);
}

/* What is there already is not written again, but made durable. */
static void test_unchanged(void)
{
	single("BOOT_ORDER=A|BOOT_A_LEFT=3||");
	CHECK_INT(boot_mark_good(&b, 0, 3, &d), 0);
	CHECK_INT(sim.writes, 0);
	CHECK_INT(sim.flushes, 1);

	machine(2);
	put_env(0, 2, 7, "BOOT_ORDER=A|BOOT_A_LEFT=3||");
	load(2, 2);
	CHECK_INT(boot_mark_good(&b, 0, 3, &d), 0);
	CHECK_INT(sim.writes, 0);
}

static void test_redundant(void)
{
	static const struct {
		uint8_t flag[2];
		bool bad[2];
		unsigned newest;
		uint8_t next;
	} row[] = {
	    {{1, 2}, {0, 0}, 1, 3},
	    {{2, 1}, {0, 0}, 0, 3},
	    {{5, 5}, {0, 0}, 0, 6},
	    {{255, 0}, {0, 0}, 1, 1},
	    {{0, 255}, {0, 0}, 0, 1},
	    {{255, 254}, {0, 0}, 0, 0},
	    {{0, 254}, {0, 0}, 1, 255},
	    {{255, 1}, {0, 0}, 0, 0},
	    {{9, 1}, {1, 0}, 1, 2},
	    {{1, 9}, {0, 1}, 0, 2},
	};
	const char *text[2] = {"c=0|BOOT_ORDER=A||", "c=1|BOOT_ORDER=B||"};

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		unsigned old = row[i].newest, new = 1 - old;
		uint8_t before[SIZE];

		machine(2);
		for (unsigned k = 0; k < 2; k++) {
			put_env(k, 2, row[i].flag[k], text[k]);
			if (row[i].bad[k])
				disk[k]->durable[9] ^= 1;
		}
		sim_start(&sim);
		load(2, 2);
		CHECK_INT(b.active, old);
		CHECK_INT(b.state.primary, old);
		memcpy(before, disk[old]->durable, SIZE);
		CHECK_INT(boot_set_primary(&b, 0, 3, &d), 0);
		CHECK_MEM(disk[old]->durable, before, SIZE);
		CHECK_INT(disk[new]->durable[4], row[i].next);
		holds(new, 2,
		    old ? "c=1|BOOT_ORDER=A B|BOOT_A_LEFT=3||"
		        : "c=0|BOOT_ORDER=A|BOOT_A_LEFT=3||");
		CHECK_INT(sim.writes, 1);
		load(2, 2);
		CHECK_INT(b.active, new);
		CHECK_INT(b.state.primary, 0);
		/* And the next one goes to the other copy. */
		CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
		CHECK_INT(b.active, old);
		load(2, 2);
		CHECK_INT(b.active, old);
	}
}

static void test_nor(void)
{
	static const struct {
		uint8_t flag[2];
		unsigned newest;
	} row[] = {
	    {{1, 0}, 0},
	    {{0, 1}, 1},
	    {{1, 1}, 0},
	    {{0, 0}, 0},
	    {{255, 1}, 0},
	    {{1, 255}, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		unsigned old = row[i].newest;

		machine(2);
		b.nor = true;
		put_env(0, 2, row[i].flag[0], "BOOT_ORDER=A||");
		put_env(1, 2, row[i].flag[1], "BOOT_ORDER=B||");
		load(2, 2);
		CHECK_INT(b.state.primary, old);
		CHECK_INT(boot_mark_good(&b, 0, 3, &d), 0);
		CHECK_INT(disk[1 - old]->durable[4], 1);
		CHECK_INT(disk[old]->durable[4], 0);
		load(2, 2);
		CHECK_INT(b.active, 1 - old);
		CHECK_INT(b.state.name[0].attempts, 3);
		CHECK(b.state.name[0].known);
	}
}

static void test_invalid(void)
{
	static const char initial[] = "# U-Boot\nbootcmd=run x=y\r\n\n"
	                              "no value\n=no key\nBOOT_ORDER=B A\n"
	                              "last=1";

	/* U-Boot's own, its defaults unknown: left alone. */
	for (unsigned copies = 1; copies <= 2; copies++) {
		machine(copies);
		load(copies, 2);
		CHECK(!b.state.valid);
		CHECK_INT(b.state.primary, 0);
		CHECK_INT(b.state.name[1].attempts, 3);
		CHECK(b.state.text[0] != '\0');
		CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
		CHECK_INT(boot_set_primary(&b, 0, 3, &d), 0);
		CHECK_INT(boot_mark_good(&b, 0, 3, &d), 0);
		CHECK_INT(sim.writes, 0);
	}

	/* A private block: made anew. */
	machine(1);
	b.defaults.p = "";
	load(1, 2);
	CHECK_INT(boot_mark_bad(&b, 1, &d), 0);
	holds(0, 1, "BOOT_ORDER=A|BOOT_B_LEFT=0||");
	CHECK(b.state.valid);
	machine(2);
	b.defaults.p = "";
	load(2, 2);
	CHECK_INT(boot_set_primary(&b, 1, 3, &d), 0);
	holds(0, 2, "BOOT_ORDER=B A|BOOT_B_LEFT=3||");
	CHECK_INT(disk[0]->durable[4], 1);
	CHECK(all_zero(disk[1]->durable, SIZE));

	/* U-Boot's own, with its defaults. */
	machine(1);
	b.defaults.p = initial;
	b.defaults.len = sizeof initial - 1;
	load(1, 2);
	CHECK(!b.state.valid);
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	holds(0, 1, "bootcmd=run x=y|BOOT_ORDER=B|last=1|BOOT_A_LEFT=0||");

	/* Defaults that do not fit. */
	{
		static char big[2 * SIZE];

		memset(big, 'x', sizeof big);
		big[1] = '=';
		machine(1);
		b.defaults.p = big;
		b.defaults.len = sizeof big;
		load(1, 2);
		CHECK_INT(boot_mark_bad(&b, 0, &d), R_BOOT_FULL);
		CHECK_INT(sim.writes, 0);
	}
}

static void test_full(void)
{
	char text[SIZE] = "BOOT_ORDER=A|x=";
	size_t n = strlen(text);

	/* Room for exactly BOOT_A_LEFT=0 with its NUL, and one byte less. */
	for (unsigned less = 0; less < 2; less++) {
		size_t fill = SIZE - 4 - n - 2 - 14 + less;

		memset(text + n, 'y', fill);
		memcpy(text + n + fill, "||", 3);
		single(text);
		CHECK_INT(boot_mark_bad(&b, 0, &d), less ? R_BOOT_FULL : 0);
		CHECK_INT(sim.writes, less ? 0 : 1);
		if (less) {
			CHECK_INT(d.reason, R_BOOT_FULL);
			CHECK_MEM(disk[0]->durable + 4, "BOOT_ORDER=A\0x=", 15);
		} else {
			CHECK(b.state.name[0].attempts == 0);
		}
	}
}

/* Every operation of every verb, failing in every way. */
static void test_faults(void)
{
	static const enum sim_fault faults[] = {FAULT_EIO, FAULT_SHORT,
	    FAULT_NO_SPACE, FAULT_PROTECTED, FAULT_ALTER};
	unsigned failures = 0;

	for (unsigned copies = 1; copies <= 2; copies++)
		for (size_t f = 0; f < ARRAY_LEN(faults); f++)
			for (unsigned op = 0;; op++) {
				int r;

				machine(copies);
				put_env(0, copies, 2, "BOOT_ORDER=A|k=0||");
				if (copies > 1)
					put_env(1, 2, 1, "BOOT_ORDER=A||");
				load(copies, 2);
				sim_start(&sim);
				sim.fault = faults[f];
				sim.fault_at = op;
				diag_clear(&d);
				r = boot_mark_bad(&b, 0, &d);
				if (sim.ops <= op)
					break;
				if (r != 0) {
					failures++;
					CHECK_INT(r, R_BOOT_IO);
					CHECK_INT(d.reason, R_BOOT_IO);
					/* The newest copy is as it was. */
					if (copies > 1)
						CHECK_MEM(disk[0]->durable + 5,
						    "BOOT_ORDER=A\0k=0", 16);
				} else {
					load(copies, 2);
					CHECK_INT(b.state.name[0].attempts, 0);
				}
				sim.fault_at = UINT32_MAX;
				diag_clear(&d);
				/* A retry ends well, if anything can be read:
				 * a single copy may be gone. */
				b.defaults.p = "";
				CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
				CHECK_INT(b.state.name[0].attempts, 0);
			}
	CHECK(failures > 20);
}

static void test_open(void)
{
	const char *const nine[9] = {
	    "1", "2", "3", "4", "5", "6", "7", "8", "9"};
	const char *const none[1] = {""};
	const char *const longer[1] = {"abcdefghijklmnopqrstuvwx"};
	struct simdisk *small;

	machine(2);
	CHECK_INT(
	    boot_open(&b, "grub", store, 1, names, 2, &d), R_BOOT_UNSUPPORTED);
	diag_clear(&d);
	CHECK_INT(
	    boot_open(&b, "uboot", store, 0, names, 2, &d), R_BOOT_CONFIG);
	CHECK_INT(
	    boot_open(&b, "uboot", store, 3, names, 2, &d), R_BOOT_CONFIG);
	CHECK_INT(boot_open(&b, "uboot", store, 1, nine, 9, &d), R_LIMIT);
	CHECK_INT(boot_open(&b, "uboot", store, 1, none, 1, &d), R_BOOT_NAME);
	CHECK_INT(boot_open(&b, "uboot", store, 1, longer, 1, &d), R_BOOT_NAME);
	small = sim_add(&sim, 512, 512);
	store[1] = &small->blk;
	CHECK_INT(
	    boot_open(&b, "uboot", store, 2, names, 2, &d), R_BOOT_CONFIG);
	disk[0]->blk.size = BOOT_ENV_MAX + 1;
	CHECK_INT(boot_open(&b, "uboot", store, 1, names, 2, &d), R_LIMIT);

	diag_clear(&d);
	CHECK_INT(boot_open(&b, "noop", NULL, 0, names, 2, &d), 0);
	CHECK(!b.state.valid);
	CHECK_INT(b.state.count, 2);
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	CHECK_INT(boot_mark_good(&b, 0, 3, &d), 0);
	CHECK_INT(boot_set_primary(&b, 1, 3, &d), 0);
	CHECK_INT(boot_mark_bad(&b, 2, &d), R_BOOT_NAME);
}

/* Reads fail: told in the state, and a reason to write nothing. */
static void test_unreadable(void)
{
	machine(1);
	put_env(0, 1, 0, "BOOT_ORDER=A||");
	b.defaults.p = "";
	sim.fault = FAULT_EIO;
	sim.fault_at = 0;
	load(1, 2);
	CHECK(!b.state.valid);
	CHECK(strstr(b.state.text, "flush error") != NULL);
	/* once is not enough: a copy that seems damaged is read again */
	sim.fault_at = sim.ops + 1;
	load(1, 2);
	CHECK(b.state.valid);
	sim.cut_at = sim.ops + 1;
	load(1, 2);
	CHECK(!b.state.valid);
	CHECK(strstr(b.state.text, "cannot be read") != NULL);
	CHECK_INT(boot_mark_bad(&b, 0, &d), R_BOOT_IO);
	CHECK_INT(d.reason, R_BOOT_IO);
	CHECK_INT(sim.writes, 0);
}

/* U-Boot's own boot counter, where the environment has it. */
static void test_bootcount(void)
{
	single("BOOT_ORDER=A|BOOT_A_LEFT=3|bootcount=4|bootlimit=3|"
	       "upgrade_available=1||");
	CHECK_INT(b.state.primary, -1); /* altbootcmd is next */
	CHECK_INT(b.state.first, 0);
	CHECK(b.state.name[0].in_order);
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	holds(0, 1,
	    "BOOT_ORDER=A|BOOT_A_LEFT=0|bootcount=4|bootlimit=3|"
	    "upgrade_available=1||");
	CHECK_INT(boot_set_primary(&b, 0, 3, &d), 0);
	holds(0, 1,
	    "BOOT_ORDER=A|BOOT_A_LEFT=3|bootcount=0|bootlimit=3|"
	    "upgrade_available=1||");
	CHECK_INT(sim.writes, 2);
	CHECK_INT(b.state.primary, 0);

	/* A system that is not counted any more is left alone, as long as it
	 * can be started. */
	single("BOOT_A_LEFT=3|upgrade_available=0|bootcount=9|bootlimit=3||");
	CHECK_INT(b.state.primary, 0);
	CHECK_INT(boot_mark_good(&b, 0, 3, &d), 0);
	holds(0, 1,
	    "BOOT_A_LEFT=3|upgrade_available=0|bootcount=0|bootlimit=3|"
	    "BOOT_ORDER=A B||");
	CHECK_INT(boot_mark_bad(&b, 1, &d), 0);
	holds(0, 1,
	    "BOOT_A_LEFT=3|upgrade_available=0|bootcount=0|bootlimit=3|"
	    "BOOT_ORDER=A|BOOT_B_LEFT=0||");
	single("BOOT_ORDER=A B|BOOT_A_LEFT=3|bootcount=5|bootlimit=3|"
	       "upgrade_available=0||");
	CHECK_INT(boot_mark_bad(&b, 1, &d), 0);
	CHECK_INT(b.state.primary, 0);
	/* What is the last one has to be counted, or it is started for ever. */
	CHECK_INT(boot_mark_bad(&b, 0, &d), 0);
	holds(0, 1,
	    "BOOT_ORDER=A|BOOT_A_LEFT=0|bootcount=5|bootlimit=3|"
	    "upgrade_available=1|BOOT_B_LEFT=0||");

	/* Decimal, and as many as the limit are attempts. */
	single("bootcount=9|bootlimit=10|upgrade_available=1||");
	CHECK_INT(b.state.primary, 0);
	single("bootcount=10|bootlimit=10|upgrade_available=1||");
	CHECK_INT(b.state.primary, 0);
	single("bootcount=11|bootlimit=10|upgrade_available=1||");
	CHECK_INT(b.state.primary, -1);
	single("bootcount=10|bootlimit=9|upgrade_available=1||");
	CHECK_INT(b.state.primary, -1);
	/* No limit, or 0: never. */
	single("bootcount=4|upgrade_available=1||");
	CHECK_INT(b.state.primary, 0);
	single("bootcount=4|bootlimit=0|upgrade_available=1||");
	CHECK_INT(b.state.primary, 0);

	/* Not invented where U-Boot does not count. */
	single("BOOT_ORDER=A|BOOT_A_LEFT=0||");
	CHECK_INT(boot_set_primary(&b, 0, 3, &d), 0);
	holds(0, 1, "BOOT_ORDER=A|BOOT_A_LEFT=3||");
}

int main(void)
{
	test_open();
	test_read();
	test_malformed();
	test_verbs();
	test_order();
	test_tries();
	test_unchanged();
	test_redundant();
	test_nor();
	test_invalid();
	test_full();
	test_faults();
	test_unreadable();
	test_bootcount();
	sim_init(&sim);
	return check_done("uboot");
}
