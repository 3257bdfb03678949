/* SPDX-License-Identifier: 0BSD */
#include "simdisk.h"

#include <stdlib.h>

static struct simdisk *disk_of(struct blk *b)
{
	return (struct simdisk *)b;
}

/* Begins an operation: false when the power is off. */
static bool begin(
    struct simdisk *d, enum sim_op what, uint64_t at, enum sim_fault *fault)
{
	struct sim *s = d->sim;
	unsigned op = s->ops;

	*fault = FAULT_NONE;
	if (!s->off && op == s->cut_at)
		s->off = true;
	if (s->off)
		return false;
	s->ops++;
	if (op != s->fault_at)
		return true;
	s->hit = (struct sim_seen){what, d->index, at};
	if (s->fault == FAULT_STALL)
		longjmp(s->stalled, 1);
	*fault = s->fault;
	return true;
}

static int error_of(enum sim_fault fault)
{
	static const int reason[FAULTS] = {
	    [FAULT_EIO] = R_IO,
	    [FAULT_SHORT] = R_IO,
	    [FAULT_NO_SPACE] = R_FULL,
	    [FAULT_PROTECTED] = R_READ_ONLY,
	};

	return reason[fault];
}

static void misread(
    const struct simdisk *d, uint64_t off, uint8_t *dst, size_t len)
{
	if (len <= d->blk.size - off && d->sector <= d->blk.size - off - len)
		memcpy(dst, d->now + off + d->sector, len);
	else
		dst[0] ^= 1;
}

static int disk_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct simdisk *d = disk_of(b);
	enum sim_fault fault;

	if (!begin(d, SIM_READ, off, &fault))
		return R_IO;
	d->sim->reads++;
	if (fault == FAULT_SHORT)
		memcpy(dst, d->now + off, len / 2);
	if (error_of(fault) != 0)
		return error_of(fault);
	memcpy(dst, d->now + off, len);
	if (fault == FAULT_MISREAD)
		misread(d, off, dst, len);
	return 0;
}

static void cache_sector(struct simdisk *d, unsigned op, uint64_t at)
{
	struct sim *s = d->sim;
	struct sim_sector *c = &s->cache[s->cached];

	if (s->cached == SIM_CACHE)
		abort(); /* the test wrote more than it may between flushes */
	c->disk = d->index;
	c->op = op;
	c->at = at;
	memcpy(c->data, d->now + at, d->sector);
	s->cached++;
}

static void apply_write(
    struct simdisk *d, uint64_t off, const uint8_t *p, size_t len)
{
	uint64_t first = off - off % d->sector;

	if (len == 0)
		return;
	memcpy(d->now + off, p, len);
	for (uint64_t at = first; at < off + len; at += d->sector)
		cache_sector(d, d->sim->ops - 1, at);
}

static struct sim_entry *next_entry(struct sim *s)
{
	if (s->logged == SIM_LOG)
		abort();
	return &s->log[s->logged++];
}

/* Whole sectors, with what is in them after the write. */
static void log_write(struct simdisk *d, uint64_t off, size_t len)
{
	struct sim *s = d->sim;
	uint64_t first = off - off % d->sector;
	uint64_t end = off + len;
	struct sim_entry *e;

	if (!s->logging || len == 0)
		return;
	e = next_entry(s);
	end += (d->sector - end % d->sector) % d->sector;
	e->flush = false;
	e->disk = d->index;
	e->at = first;
	e->len = (uint32_t)(end - first);
	e->data = malloc(e->len);
	if (!e->data)
		abort();
	memcpy(e->data, d->now + first, e->len);
}

static void do_write(
    struct simdisk *d, uint64_t off, const void *src, size_t len)
{
	apply_write(d, off, src, len);
	log_write(d, off, len);
}

static int disk_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct simdisk *d = disk_of(b);
	enum sim_fault fault;

	if (!begin(d, SIM_WRITE, off, &fault))
		return R_IO;
	d->sim->writes++;
	if (fault == FAULT_SHORT) /* whole sectors */
		do_write(d, off, src, len / 2 - len / 2 % d->sector);
	if (error_of(fault) != 0)
		return error_of(fault);
	if (fault == FAULT_LOSE)
		return 0;
	if (fault == FAULT_ALTER)
		d->altered = off;
	do_write(d, off, src, len);
	return 0;
}

/* Drops the disk's sectors from the cache, onto the medium. */
static void write_through(struct sim *s, unsigned disk)
{
	struct simdisk *d = &s->disk[disk];
	unsigned kept = 0;

	for (unsigned i = 0; i < s->cached; i++) {
		struct sim_sector *c = &s->cache[i];

		if (c->disk != disk) {
			if (kept != i)
				s->cache[kept] = *c;
			kept++;
			continue;
		}
		memcpy(d->durable + c->at, c->data, d->sector);
	}
	s->cached = kept;
}

static int disk_flush(struct blk *b)
{
	struct simdisk *d = disk_of(b);
	struct sim *s = d->sim;
	enum sim_fault fault;

	if (!begin(d, SIM_FLUSH, 0, &fault))
		return R_IO;
	s->flushes++;
	if (error_of(fault) != 0)
		return error_of(fault);
	if (fault == FAULT_LOSE)
		return 0;
	write_through(s, d->index);
	if (d->altered != UINT64_MAX) {
		d->durable[d->altered] ^= 0x10;
		d->now[d->altered] ^= 0x10;
		d->altered = UINT64_MAX;
	}
	if (s->logging) {
		struct sim_entry *e = next_entry(s);

		memset(e, 0, sizeof *e);
		e->flush = true;
		e->disk = d->index;
	}
	return 0;
}

static const struct blk_ops ops = {disk_read, disk_write, disk_flush, NULL};

void sim_log(struct sim *s, bool on)
{
	for (unsigned i = 0; i < s->logged; i++)
		free(s->log[i].data);
	s->logged = 0;
	s->logging = on;
}

void sim_init(struct sim *s)
{
	sim_log(s, false);
	s->disks = 0;
	sim_start(s);
}

struct simdisk *sim_add(struct sim *s, uint64_t size, uint32_t sector)
{
	struct simdisk *d = &s->disk[s->disks];
	uint32_t whole = sector < 512 ? 512 : sector;

	if (s->disks == SIM_DISKS || size > SIM_DISK_MAX ||
	    whole > SIM_SECTOR_MAX || size % whole != 0)
		abort();
	memset(d, 0, sizeof *d);
	d->blk.ops = &ops;
	d->blk.size = size;
	d->blk.sector = sector;
	d->sector = whole;
	d->sim = s;
	d->index = s->disks++;
	d->altered = UINT64_MAX;
	return d;
}

void sim_load(struct simdisk *d, uint64_t at, const void *p, size_t len)
{
	memcpy(d->durable + at, p, len);
	memcpy(d->now + at, p, len);
}

void sim_go_on(struct sim *s)
{
	s->ops = s->reads = s->writes = s->flushes = 0;
	s->cut_at = s->fault_at = UINT32_MAX;
	s->fault = FAULT_NONE;
	s->off = false;
}

void sim_start(struct sim *s)
{
	sim_go_on(s);
	s->cached = 0;
	for (unsigned i = 0; i < s->disks; i++) {
		struct simdisk *d = &s->disk[i];

		d->altered = UINT64_MAX;
		memcpy(d->now, d->durable, (size_t)d->blk.size);
	}
}

void sim_power_cut(struct sim *s, const bool *keep)
{
	for (unsigned i = 0; i < s->cached; i++) {
		const struct sim_sector *c = &s->cache[i];
		struct simdisk *d = &s->disk[c->disk];

		if (keep[i])
			memcpy(d->durable + c->at, c->data, d->sector);
	}
	sim_start(s);
}

void sim_step(const struct sim *from, unsigned n, struct sim *to)
{
	const struct sim_entry *e = &from->log[n];

	to->ops++;
	if (e->flush)
		write_through(to, e->disk);
	else
		apply_write(&to->disk[e->disk], e->at, e->data, e->len);
}

void sim_copy(struct sim *to, const struct sim *from)
{
	to->disks = from->disks;
	for (unsigned i = 0; i < from->disks; i++) {
		struct simdisk *d = &to->disk[i];
		const struct simdisk *f = &from->disk[i];

		d->blk = f->blk;
		d->sector = f->sector;
		d->sim = to;
		d->index = i;
		memcpy(d->durable, f->durable, (size_t)f->blk.size);
	}
	sim_start(to);
}

uint64_t sim_sector_hash(
    const struct simdisk *d, uint64_t at, const uint8_t *data)
{
	const uint64_t prime = 0x9e3779b97f4a7c15u;
	uint64_t h[4] = {(at + 1) * prime, d->index + 1, 3, 4};

	for (uint32_t i = 0; i < d->sector; i += 32) {
		uint64_t v[4];

		memcpy(v, data + i, 32);
		for (unsigned k = 0; k < 4; k++) {
			h[k] = (h[k] ^ v[k]) * prime;
			h[k] ^= h[k] >> 29;
		}
	}
	for (unsigned k = 1; k < 4; k++) {
		h[0] = (h[0] ^ h[k]) * prime;
		h[0] ^= h[0] >> 31;
	}
	return h[0];
}

uint64_t sim_hash(const struct sim *s)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < s->disks; i++) {
		const struct simdisk *d = &s->disk[i];

		for (uint64_t at = 0; at < d->blk.size; at += d->sector)
			h ^= sim_sector_hash(d, at, d->durable + at);
	}
	return h;
}

uint64_t sim_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1du;
}
