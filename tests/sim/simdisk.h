/* SPDX-License-Identifier: 0BSD */
/*
 * Disks that can lose power. Each is a blk with a durable image and a
 * volatile cache of sectors that were written and not flushed; reads see the
 * cache. A sector is what a power cut cannot tear. All disks of a machine
 * share one clock of operations (reads, writes and flushes), one power switch
 * and one scheduled fault, so that "the n-th operation of an install" means
 * one thing.
 *
 * A machine may also keep a log of its writes and flushes, which sim_step
 * does again, so that any moment of a run can be made anew.
 */
#ifndef LIFEBOAT_SIMDISK_H
#define LIFEBOAT_SIMDISK_H

#include <setjmp.h>

#include "base/blk.h"

#define SIM_SECTOR_MAX 4096u
#define SIM_DISKS 8
#define SIM_DISK_MAX (80u << 10)
#define SIM_CACHE 256 /* unflushed sectors, all disks together */
#define SIM_LOG 1024  /* logged operations */

enum sim_fault {
	FAULT_NONE,
	FAULT_EIO,       /* the operation fails, nothing is done */
	FAULT_SHORT,     /* half of its sectors are done, then it fails */
	FAULT_NO_SPACE,  /* R_FULL, nothing is done */
	FAULT_PROTECTED, /* R_READ_ONLY, nothing is done */
	FAULT_STALL,     /* it never returns: the jump of sim.stalled */
	FAULT_MISREAD,   /* a read returns the sector after the right one, or
	                  * at the end of the disk a changed one */
	FAULT_ALTER,     /* it succeeds; the next flush alters one bit of what
	                  * was written last, as a worn-out device does */
	FAULT_LOSE,      /* it succeeds, and is forgotten (a lying flush or a
	                  * write that never reaches the medium) */
	FAULTS,
};

struct sim_sector {
	unsigned disk;
	unsigned op; /* of the write it came with */
	uint64_t at; /* byte offset, a multiple of the disk's sector */
	uint8_t data[SIM_SECTOR_MAX]; /* as many as its sector has */
};

struct sim_entry { /* of the log */
	bool flush;
	unsigned disk;
	uint64_t at;
	uint32_t len;
	uint8_t *data; /* whole sectors; heap of the machine */
};

struct sim;

struct simdisk {
	struct blk blk;
	struct sim *sim;
	unsigned index;
	uint32_t sector;  /* what is not torn; blk.sector is what is told */
	uint64_t altered; /* sector that FAULT_ALTER hit, or UINT64_MAX */
	uint8_t durable[SIM_DISK_MAX];
	uint8_t now[SIM_DISK_MAX];
};

/* What an operation was, for those who plan faults. */
enum sim_op { SIM_READ, SIM_WRITE, SIM_FLUSH };

struct sim_seen {
	enum sim_op op;
	unsigned disk;
	uint64_t at;
};

struct sim {
	unsigned disks;
	unsigned ops; /* operations that were begun since sim_start */
	unsigned writes, flushes, reads;
	unsigned cut_at; /* operation at which the power fails; UINT32_MAX */
	bool off;        /* it has failed: nothing works any more */
	unsigned fault_at;
	enum sim_fault fault;
	struct sim_seen hit; /* what the fault met */
	jmp_buf stalled;
	unsigned cached;
	struct sim_sector cache[SIM_CACHE]; /* in the order of the writes */
	bool logging;
	unsigned logged;
	struct sim_entry log[SIM_LOG];
	struct simdisk disk[SIM_DISKS];
};

/* A machine without disks. Frees the log of the one before. */
void sim_init(struct sim *s);
/* Forgets the log, and begins one. */
void sim_log(struct sim *s, bool on);
/* Adds one of size bytes (a multiple of its sector, 512 or 4096), all zero.
 * sector 0: one of 512 that tells nobody. */
struct simdisk *sim_add(struct sim *s, uint64_t size, uint32_t sector);
/* Puts bytes onto the medium, past all counting. */
void sim_load(struct simdisk *d, uint64_t at, const void *p, size_t len);

/* Power on: cache empty, counters zero, no fault, no cut. What is durable is
 * what is there. */
void sim_start(struct sim *s);
/* The next process: counters zero, no fault, no cut; the cache is kept. */
void sim_go_on(struct sim *s);

/* Chooses the survivors: keep[i] tells whether cache[i] reached the medium.
 * Then as sim_start. */
void sim_power_cut(struct sim *s, const bool *keep);

/* Does entry n of a log again, on a machine with the same disks that stands
 * where the logged one stood before it. */
void sim_step(const struct sim *from, unsigned n, struct sim *to);

/* Copies disks (sizes and durable images), no cache, no log. */
void sim_copy(struct sim *to, const struct sim *from);

/* A hash over all durable images: the exclusive or of sim_sector_hash over
 * all sectors, so that it can be kept up when sectors change. */
uint64_t sim_hash(const struct sim *s);
uint64_t sim_sector_hash(
    const struct simdisk *d, uint64_t at, const uint8_t *data);

/* Deterministic pseudo-random numbers (xorshift64*); *state is never 0. */
uint64_t sim_random(uint64_t *state);

#endif
