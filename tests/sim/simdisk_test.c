/* SPDX-License-Identifier: 0BSD */
/* The simulated disk itself: a proof is worth what its disk is worth. */
#include "check.h"

#include "simdisk.h"
#include "simfile.h"

static struct sim s, t;
static uint8_t a[2048], b[2048], got[2048];

static struct simdisk *machine(void)
{
	struct simdisk *d;

	sim_init(&s);
	d = sim_add(&s, 8192, 512);
	for (size_t i = 0; i < sizeof a; i++) {
		a[i] = (uint8_t)(i / 3 + 1);
		b[i] = (uint8_t)~a[i];
	}
	sim_load(d, 0, a, sizeof a);
	sim_start(&s);
	return d;
}

static void cut(bool survive)
{
	bool keep[SIM_CACHE];

	for (unsigned i = 0; i < SIM_CACHE; i++)
		keep[i] = survive;
	sim_power_cut(&s, keep);
}

static void test_cache(void)
{
	struct simdisk *d = machine();

	CHECK_INT(blk_write(&d->blk, 0, b, 1024), 0);
	CHECK_INT(s.cached, 2);
	CHECK_INT(blk_read(&d->blk, 0, got, 1024), 0);
	CHECK_MEM(got, b, 1024);
	CHECK_MEM(d->durable, a, 2048);
	cut(false);
	CHECK_INT(blk_read(&d->blk, 0, got, 1024), 0);
	CHECK_MEM(got, a, 1024);

	CHECK_INT(blk_write(&d->blk, 0, b, 1024), 0);
	cut(true);
	CHECK_MEM(d->durable, b, 1024);
	CHECK_MEM(d->durable + 1024, a + 1024, 1024);

	CHECK_INT(blk_write(&d->blk, 0, a, 512), 0);
	CHECK_INT(blk_flush(&d->blk), 0);
	CHECK_INT(s.cached, 0);
	CHECK_INT(blk_write(&d->blk, 512, a, 512), 0);
	cut(false);
	CHECK_MEM(d->durable, a, 512);
	CHECK_MEM(d->durable + 512, b + 512, 512);
}

static void test_torn(void)
{
	struct simdisk *d = machine();
	bool keep[SIM_CACHE] = {false, true};

	CHECK_INT(blk_write(&d->blk, 0, b, 1536), 0);
	CHECK_INT(s.cached, 3);
	CHECK(s.cache[0].op == s.cache[2].op);
	sim_power_cut(&s, keep);
	CHECK_MEM(d->durable, a, 512);
	CHECK_MEM(d->durable + 512, b + 512, 512);
	CHECK_MEM(d->durable + 1024, a + 1024, 512);

	/* Two writes to one sector: the later one alone, the earlier one
	 * alone, both. */
	for (unsigned mask = 0; mask < 4; mask++) {
		d = machine();
		CHECK_INT(blk_write(&d->blk, 0, b, 512), 0);
		CHECK_INT(blk_write(&d->blk, 100, a, 12), 0);
		CHECK_INT(s.cached, 2);
		keep[0] = mask & 1;
		keep[1] = mask & 2;
		sim_power_cut(&s, keep);
		CHECK_MEM(d->durable, mask == 0 ? a : b, 100);
		CHECK_MEM(d->durable + 100,
		    mask & 2   ? a
		    : mask & 1 ? b + 100
		               : a + 100,
		    12);
	}
}

static void test_cut_at_operation(void)
{
	struct simdisk *d = machine();

	s.cut_at = 2;
	CHECK_INT(blk_write(&d->blk, 0, b, 512), 0);
	CHECK_INT(blk_flush(&d->blk), 0);
	CHECK_INT(blk_write(&d->blk, 512, b, 512), R_IO);
	CHECK(s.off);
	CHECK_INT(blk_flush(&d->blk), R_IO);
	CHECK_INT(blk_read(&d->blk, 0, got, 512), R_IO);
	CHECK_INT(s.ops, 2);
	cut(true);
	CHECK(!s.off);
	CHECK_MEM(d->durable, b, 512);
	CHECK_MEM(d->durable + 512, a + 512, 512);
}

static void test_faults(void)
{
	static const struct {
		enum sim_fault fault;
		int write, flush, read;
	} row[] = {
	    {FAULT_EIO, R_IO, R_IO, R_IO},
	    {FAULT_SHORT, R_IO, R_IO, R_IO},
	    {FAULT_NO_SPACE, R_FULL, R_FULL, R_FULL},
	    {FAULT_PROTECTED, R_READ_ONLY, R_READ_ONLY, R_READ_ONLY},
	};
	struct simdisk *d;

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		d = machine();
		s.fault = row[i].fault;
		s.fault_at = 1;
		CHECK_INT(blk_write(&d->blk, 0, b, 512), 0);
		CHECK_INT(blk_write(&d->blk, 512, b, 1024), row[i].write);
		CHECK_INT(blk_flush(&d->blk), 0);
		CHECK_MEM(d->durable, b, 512);
		CHECK(memcmp(d->durable + 512,
		          row[i].fault == FAULT_SHORT ? b : a + 512, 512) == 0);
		CHECK_MEM(d->durable + 1024, a + 1024, 512);
		s.fault_at = s.ops;
		CHECK_INT(blk_flush(&d->blk), row[i].flush);
		s.fault_at = s.ops;
		CHECK_INT(blk_read(&d->blk, 0, got, 8), row[i].read);
		CHECK_INT(blk_read(&d->blk, 0, got, 8), 0);
	}

	d = machine();
	s.fault = FAULT_ALTER;
	s.fault_at = 0;
	CHECK_INT(blk_write(&d->blk, 512, b, 512), 0);
	CHECK_INT(blk_read(&d->blk, 512, got, 512), 0);
	CHECK_MEM(got, b, 512);
	CHECK_INT(blk_flush(&d->blk), 0);
	CHECK_INT(blk_read_back(&d->blk, 512, got, 512), 0);
	CHECK(got[0] == (b[0] ^ 0x10));
	CHECK_MEM(got + 1, b + 1, 511);

	d = machine();
	s.fault = FAULT_LOSE;
	s.fault_at = 0;
	CHECK_INT(blk_write(&d->blk, 0, b, 512), 0);
	CHECK_INT(blk_flush(&d->blk), 0);
	CHECK_MEM(d->durable, a, 512);
	s.fault_at = 3;
	CHECK_INT(blk_write(&d->blk, 0, b, 512), 0);
	CHECK_INT(blk_flush(&d->blk), 0);
	CHECK_MEM(d->durable, a, 512);
}

static void test_two_disks(void)
{
	struct simdisk *d = machine(), *e = sim_add(&s, 4096, 4096);

	CHECK_INT(blk_write(&d->blk, 0, b, 512), 0);
	CHECK_INT(blk_write(&e->blk, 0, b, 512), 0);
	CHECK_INT(blk_flush(&e->blk), 0);
	CHECK_INT(s.cached, 1);
	CHECK_INT(s.cache[0].disk, d->index);
	CHECK_MEM(e->durable, b, 512);
	CHECK_MEM(d->durable, a, 512);
	CHECK_INT(blk_write(&e->blk, 4096 - 100, b, 200), R_RANGE);
}

/* A whole sector lives or dies, also one that was written in part. */
static void test_large_sectors(void)
{
	struct simdisk *d;
	bool keep[SIM_CACHE] = {true, false};

	sim_init(&s);
	d = sim_add(&s, 12288, 4096);
	CHECK_INT(d->blk.sector, 4096);
	sim_load(d, 4000, a, 2048);
	CHECK_INT(blk_write(&d->blk, 3584, b, 1024), 0);
	CHECK_INT(s.cached, 2);
	CHECK_INT(s.cache[0].at, 0);
	CHECK_INT(s.cache[1].at, 4096);
	sim_power_cut(&s, keep);
	CHECK_MEM(d->durable + 3584, b, 512);
	CHECK_MEM(d->durable + 4096, a + 96, 1952);
	CHECK_INT(d->durable[0], 0);

	sim_copy(&t, &s);
	sim_log(&s, true);
	CHECK_INT(blk_write(&d->blk, 100, b, 8), 0);
	CHECK_INT(s.log[0].len, 4096);
	CHECK_INT(s.log[0].at, 0);
	sim_step(&s, 0, &t);
	CHECK_MEM(t.disk[0].now, d->now, 12288);
	sim_log(&s, false);
}

/* A worker that hangs in an operation is ended; the power stays on. */
static void test_stall(void)
{
	static struct simdisk *d;
	static volatile int reached, kind;

	for (kind = 0; kind < 3; kind++) {
		d = machine();
		reached = 0;
		CHECK_INT(blk_write(&d->blk, 0, b, 512), 0);
		s.fault = FAULT_STALL;
		s.fault_at = 1;
		if (setjmp(s.stalled) == 0) {
			if (kind == 0)
				CHECK_INT(blk_write(&d->blk, 512, b, 512), 0);
			else if (kind == 1)
				CHECK_INT(blk_flush(&d->blk), 0);
			else
				CHECK_INT(blk_read(&d->blk, 0, got, 512), 0);
			reached = 1;
		}
		CHECK_INT(reached, 0);
		CHECK_INT(s.hit.op, kind == 0   ? SIM_WRITE
		                    : kind == 1 ? SIM_FLUSH
		                                : SIM_READ);
		CHECK_INT(s.hit.disk, d->index);
		sim_go_on(&s);
		CHECK_INT(s.cached, 1);
		CHECK_INT(blk_read(&d->blk, 0, got, 1024), 0);
		CHECK_MEM(got, b, 512);
		CHECK_MEM(got + 512, a + 512, 512);
		CHECK_MEM(d->durable, a, 512);
		CHECK_INT(blk_flush(&d->blk), 0);
		CHECK_MEM(d->durable, b, 512);
	}
}

static void test_misread(void)
{
	struct simdisk *d = machine();

	s.fault = FAULT_MISREAD;
	s.fault_at = 0;
	CHECK_INT(blk_read(&d->blk, 0, got, 512), 0);
	CHECK_MEM(got, a + 512, 512);
	CHECK_INT(blk_read(&d->blk, 0, got, 512), 0);
	CHECK_MEM(got, a, 512);
	s.fault_at = 2;
	CHECK_INT(blk_read(&d->blk, 7680, got, 512), 0);
	CHECK_INT(got[0], d->now[7680] ^ 1);
	CHECK_MEM(got + 1, d->now + 7681, 511);
}

/* Kept up sector by sector, it is the same as made anew. */
static void test_hash(void)
{
	struct simdisk *d = machine();
	uint64_t h = sim_hash(&s);
	bool keep[SIM_CACHE] = {true};

	CHECK_INT(blk_write(&d->blk, 1024, b, 512), 0);
	h ^= sim_sector_hash(d, 1024, d->durable + 1024);
	h ^= sim_sector_hash(d, 1024, s.cache[0].data);
	CHECK(sim_hash(&s) != h);
	sim_power_cut(&s, keep);
	CHECK(sim_hash(&s) == h);
	CHECK(sim_sector_hash(d, 0, a) != sim_sector_hash(d, 512, a));
}

static void test_replay(void)
{
	struct simdisk *d = machine();

	sim_copy(&t, &s);
	sim_log(&s, true);
	CHECK_INT(blk_write(&d->blk, 100, b, 1000), 0);
	CHECK_INT(blk_flush(&d->blk), 0);
	CHECK_INT(blk_write(&d->blk, 0, b, 512), 0);
	CHECK_INT(s.logged, 3);
	for (unsigned n = 0; n < 3; n++)
		sim_step(&s, n, &t);
	CHECK_INT(t.cached, 1);
	CHECK_MEM(t.disk[0].durable, d->durable, 8192);
	CHECK_MEM(t.disk[0].now, d->now, 8192);
	CHECK_MEM(t.cache[0].data, b, 512);
	CHECK_INT(t.cache[0].op, 2);
	CHECK(sim_hash(&t) == sim_hash(&s));
	sim_copy(&t, &s);
	t.disk[0].durable[8191] ^= 1;
	CHECK(sim_hash(&t) != sim_hash(&s));
	sim_init(&s);
}

/* Every subset of what a replacement writes leaves the old text or the new
 * one, and the neighbour; without the first fsync it does not. */
static void test_file(uint32_t sector, bool hasty)
{
	static uint8_t disk[24576];
	static char text[3][700], was[SIMFILE_MAX];
	struct simdisk *d;
	struct simfile f;
	size_t len, n;
	unsigned torn = 0;

	for (unsigned i = 0; i < 3; i++)
		memset(text[i], (int)('a' + i), sizeof text[i]);
	simfile_format(disk, sector, text[0], 600);
	for (unsigned at = 0; at < 16; at++)
		for (unsigned mask = 0; mask < 64; mask++) {
			bool keep[SIM_CACHE];
			const char *p;

			sim_init(&s);
			d = sim_add(&s, simfile_size(sector), sector);
			sim_load(d, 0, disk, (size_t)d->blk.size);
			f = (struct simfile){
			    .blk = &d->blk, .sector = sector, .hasty = hasty};
			s.cut_at = at;
			if (simfile_replace(&f, text[1], 700) == 0)
				CHECK(!s.off);
			for (unsigned i = 0; i < SIM_CACHE; i++)
				keep[i] = mask >> i % 6 & 1;
			sim_power_cut(&s, keep);
			p = simfile_look(d->durable, sector, &len);
			if (!p ||
			    !((len == 600 && memcmp(p, text[0], 600) == 0) ||
			        (len == 700 && memcmp(p, text[1], 700) == 0)))
				torn++;
			n = simfile_neighbour(sector, &len);
			CHECK(d->durable[n] == 'n' &&
			      d->durable[n + len - 1] == 'n');
			f.hasty = false;
			CHECK_INT(simfile_replace(&f, text[2], 100), 0);
			CHECK_INT(simfile_read(&f, was, &len), 0);
			CHECK(len == 100 && memcmp(was, text[2], 100) == 0);
		}
	CHECK(hasty == (torn > 0));
	sim_init(&s);
	d = sim_add(&s, simfile_size(sector), sector);
	f = (struct simfile){.blk = &d->blk, .sector = sector};
	CHECK_INT(simfile_read(&f, was, &len), R_NOT_FOUND);
	CHECK_INT(simfile_replace(&f, text[0], SIMFILE_MAX + 1), R_FULL);
	simfile_format(disk, sector, NULL, 0);
	CHECK(!simfile_look(disk, sector, &len));
}

int main(void)
{
	uint64_t seed = 1;

	test_cache();
	test_torn();
	test_cut_at_operation();
	test_faults();
	test_two_disks();
	test_large_sectors();
	test_stall();
	test_misread();
	test_hash();
	test_file(512, false);
	test_file(4096, false);
	test_file(512, true);
	test_file(4096, true);
	test_replay();
	CHECK(sim_random(&seed) != sim_random(&seed));
	return check_done("simdisk");
}
