/* SPDX-License-Identifier: 0BSD */
#include "simdisk.h"

#include <stdlib.h>

static struct simdisk *disk_of(struct blk *b)
{
	return (struct simdisk *)b;
}

/* Begins an operation: false when the power is off. */
static bool begin(struct sim *s, enum sim_fault *fault)
{
	unsigned op = s->ops;

	*fault = FAULT_NONE;
	if (!s->off && op == s->cut_at)
		s->off = true;
	if (s->off)
		return false;
	s->ops++;
	if (op == s->fault_at)
		*fault = s->fault;
	return true;
}

static int error_of(enum sim_fault fault)
{
	switch (fault) {
	case FAULT_NO_SPACE:
		return R_FULL;
	case FAULT_PROTECTED:
		return R_READ_ONLY;
	case FAULT_EIO:
	case FAULT_SHORT:
		return R_IO;
	case FAULT_NONE:
	case FAULT_ALTER:
	case FAULT_LOSE:
		break;
	}
	return 0;
}

static int disk_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct simdisk *d = disk_of(b);
	enum sim_fault fault;

	if (!begin(d->sim, &fault))
		return R_IO;
	d->sim->reads++;
	if (fault == FAULT_SHORT)
		memcpy(dst, d->now + off, len / 2);
	if (error_of(fault) != 0)
		return error_of(fault);
	memcpy(dst, d->now + off, len);
	return 0;
}

static void cache_sector(struct sim *s, unsigned disk, unsigned op, uint64_t at)
{
	struct sim_sector *c = &s->cache[s->cached];

	if (s->cached == SIM_CACHE)
		abort(); /* the test wrote more than it may between flushes */
	c->disk = disk;
	c->op = op;
	c->at = at;
	memcpy(c->data, s->disk[disk].now + at, SIM_SECTOR);
	s->cached++;
}

static void apply_write(
    struct simdisk *d, uint64_t off, const uint8_t *p, size_t len)
{
	uint64_t first = off - off % SIM_SECTOR;

	if (len == 0)
		return;
	memcpy(d->now + off, p, len);
	for (uint64_t at = first; at < off + len; at += SIM_SECTOR)
		cache_sector(d->sim, d->index, d->sim->ops - 1, at);
}

static void log_write(struct simdisk *d, uint64_t off, size_t len)
{
	struct sim *s = d->sim;
	struct sim_entry *e = &s->log[s->logged];
	uint64_t first = off - off % SIM_SECTOR;
	uint64_t end = off + len;

	if (!s->logging)
		return;
	if (s->logged == SIM_LOG)
		abort();
	end += (SIM_SECTOR - end % SIM_SECTOR) % SIM_SECTOR;
	e->flush = false;
	e->disk = d->index;
	e->at = first;
	e->len = (uint32_t)(end - first);
	e->data = malloc(e->len);
	if (!e->data)
		abort();
	memcpy(e->data, d->now + first, e->len);
	s->logged++;
}

static int disk_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct simdisk *d = disk_of(b);
	enum sim_fault fault;

	if (!begin(d->sim, &fault))
		return R_IO;
	d->sim->writes++;
	if (fault == FAULT_SHORT)
		apply_write(d, off, src, len / 2);
	if (error_of(fault) != 0)
		return error_of(fault);
	if (fault == FAULT_LOSE)
		return 0;
	if (fault == FAULT_ALTER)
		d->altered = off;
	apply_write(d, off, src, len);
	log_write(d, off, len);
	return 0;
}

/* Drops the disk's sectors from the cache, onto the medium. */
static void write_through(struct sim *s, unsigned disk)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->cached; i++) {
		struct sim_sector *c = &s->cache[i];

		if (c->disk != disk) {
			if (kept != i)
				s->cache[kept] = *c;
			kept++;
			continue;
		}
		memcpy(s->disk[disk].durable + c->at, c->data, SIM_SECTOR);
	}
	s->cached = kept;
}

static int disk_flush(struct blk *b)
{
	struct simdisk *d = disk_of(b);
	struct sim *s = d->sim;
	enum sim_fault fault;

	if (!begin(s, &fault))
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
		if (s->logged == SIM_LOG)
			abort();
		memset(&s->log[s->logged], 0, sizeof s->log[0]);
		s->log[s->logged].flush = true;
		s->log[s->logged].disk = d->index;
		s->logged++;
	}
	return 0;
}

static const struct blk_ops ops = {disk_read, disk_write, disk_flush, NULL};

void sim_init(struct sim *s)
{
	for (unsigned i = 0; i < s->logged; i++)
		free(s->log[i].data);
	s->logged = 0;
	s->logging = false;
	s->disks = 0;
	sim_start(s);
}

struct simdisk *sim_add(struct sim *s, uint64_t size, uint32_t sector)
{
	struct simdisk *d = &s->disk[s->disks];

	if (s->disks == SIM_DISKS || size > SIM_DISK_MAX ||
	    size % SIM_SECTOR != 0)
		abort();
	memset(d, 0, sizeof *d);
	d->blk.ops = &ops;
	d->blk.size = size;
	d->blk.sector = sector;
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

void sim_start(struct sim *s)
{
	s->ops = s->reads = s->writes = s->flushes = 0;
	s->cut_at = s->fault_at = UINT32_MAX;
	s->fault = FAULT_NONE;
	s->off = false;
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

		if (keep[i])
			memcpy(s->disk[c->disk].durable + c->at, c->data,
			    SIM_SECTOR);
	}
	sim_start(s);
}

void sim_replay(const struct sim *from, unsigned n, struct sim *to)
{
	sim_start(to);
	for (unsigned i = 0; i < n; i++) {
		const struct sim_entry *e = &from->log[i];
		struct simdisk *d = &to->disk[e->disk];

		to->ops++;
		if (e->flush)
			write_through(to, e->disk);
		else
			apply_write(d, e->at, e->data, e->len);
	}
}

void sim_copy(struct sim *to, const struct sim *from)
{
	to->disks = from->disks;
	for (unsigned i = 0; i < from->disks; i++) {
		struct simdisk *d = &to->disk[i];
		const struct simdisk *f = &from->disk[i];

		d->blk = f->blk;
		d->sim = to;
		d->index = i;
		memcpy(d->durable, f->durable, (size_t)f->blk.size);
	}
	sim_start(to);
}

uint64_t sim_hash(const struct sim *s)
{
	uint64_t h[4] = {0xcbf29ce484222325u, 2, 3, 4};

	for (unsigned i = 0; i < s->disks; i++) {
		const struct simdisk *d = &s->disk[i];

		for (uint64_t at = 0; at < d->blk.size; at += 32) {
			uint64_t v[4];

			memcpy(v, d->durable + at, 32);
			for (unsigned k = 0; k < 4; k++) {
				h[k] = (h[k] ^ v[k]) * 0x9e3779b97f4a7c15u;
				h[k] ^= h[k] >> 29;
			}
		}
	}
	for (unsigned k = 1; k < 4; k++)
		h[0] = (h[0] ^ h[k]) * 0x9e3779b97f4a7c15u;
	return h[0] ^ h[0] >> 29;
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
