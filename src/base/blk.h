/* SPDX-License-Identifier: 0BSD */
/*
 * Random-access storage as function pointers: a slot, a medium, a file in a
 * FAT, a bundle behind a pipe. The library opens nothing; it is handed blks.
 * Offsets and sizes are in bytes. Pure (blk_fd.h is the one that is not).
 */
#ifndef LIFEBOAT_BLK_H
#define LIFEBOAT_BLK_H

#include "base/base.h"
#include "base/reason.h"

struct blk;

struct blk_ops {
	/* Required. Reads exactly len bytes or fails. */
	int (*read)(struct blk *b, uint64_t off, void *dst, size_t len);
	/* Optional: NULL means write-protected. Writes all or fails; what a
	 * failed or unflushed write leaves behind is unknown. */
	int (*write)(struct blk *b, uint64_t off, const void *src, size_t len);
	/* Optional with write. Returns once all earlier writes are durable. */
	int (*flush)(struct blk *b);
	/* Optional. As read, but from the device itself after its cache was
	 * flushed, never from memory (O_DIRECT). NULL: read is used. */
	int (*read_back)(struct blk *b, uint64_t off, void *dst, size_t len);
};

/*
 * Always true: every access that reaches an op lies inside [0, size).
 * Implementations embed this as their first member.
 */
struct blk {
	const struct blk_ops *ops;
	uint64_t size;
	uint32_t sector; /* logical sector in bytes: 512 or 4096, 0 if none */
};

/*
 * All return 0, R_IO (or what the op returned), R_RANGE when [off, off+len)
 * is not inside the storage, R_READ_ONLY when it cannot be written.
 */
int blk_read(struct blk *b, uint64_t off, void *dst, size_t len) MUST_CHECK;
int blk_write(
    struct blk *b, uint64_t off, const void *src, size_t len) MUST_CHECK;
int blk_flush(struct blk *b) MUST_CHECK;
int blk_read_back(
    struct blk *b, uint64_t off, void *dst, size_t len) MUST_CHECK;

/* A window [off, off + size) of another blk, which must outlive it. */
struct blk_window {
	struct blk blk;
	struct blk *below;
	uint64_t off;
};

/* R_RANGE when the window does not lie inside below. */
int blk_window_init(struct blk_window *w, struct blk *below, uint64_t off,
    uint64_t size) MUST_CHECK;

/* Memory of the caller as a blk; writable only when told so. */
struct blk_mem {
	struct blk blk;
	uint8_t *p;
};

void blk_mem_init(struct blk_mem *m, void *p, size_t size, bool writable);
void blk_mem_init_const(struct blk_mem *m, const void *p, size_t size);

#endif
