/* SPDX-License-Identifier: 0BSD */
#include "base/blk.h"

static bool inside(const struct blk *b, uint64_t off, uint64_t len)
{
	return off <= b->size && len <= b->size - off;
}

int blk_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	if (!inside(b, off, len))
		return R_RANGE;
	return len == 0 ? 0 : b->ops->read(b, off, dst, len);
}

int blk_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	if (!b->ops->write)
		return R_READ_ONLY;
	if (!inside(b, off, len))
		return R_RANGE;
	return len == 0 ? 0 : b->ops->write(b, off, src, len);
}

int blk_flush(struct blk *b)
{
	return b->ops->flush ? b->ops->flush(b) : 0;
}

int blk_read_back(struct blk *b, uint64_t off, void *dst, size_t len)
{
	if (!inside(b, off, len))
		return R_RANGE;
	if (len == 0)
		return 0;
	if (!b->ops->read_back)
		return b->ops->read(b, off, dst, len);
	return b->ops->read_back(b, off, dst, len);
}

static int window_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct blk_window *w = (struct blk_window *)b;

	return blk_read(w->below, w->off + off, dst, len);
}

static int window_write(
    struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct blk_window *w = (struct blk_window *)b;

	return blk_write(w->below, w->off + off, src, len);
}

static int window_flush(struct blk *b)
{
	return blk_flush(((struct blk_window *)b)->below);
}

static int window_read_back(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct blk_window *w = (struct blk_window *)b;

	return blk_read_back(w->below, w->off + off, dst, len);
}

static const struct blk_ops window_ops = {
    window_read, window_write, window_flush, window_read_back};

int blk_window_init(
    struct blk_window *w, struct blk *below, uint64_t off, uint64_t size)
{
	if (!inside(below, off, size))
		return R_RANGE;
	w->blk.ops = &window_ops;
	w->blk.size = size;
	w->blk.sector = below->sector;
	w->below = below;
	w->off = off;
	return 0;
}

static int mem_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	memcpy(dst, ((struct blk_mem *)b)->p + off, len);
	return 0;
}

static int mem_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	memcpy(((struct blk_mem *)b)->p + off, src, len);
	return 0;
}

static const struct blk_ops mem_ops = {mem_read, mem_write, NULL, NULL};
static const struct blk_ops mem_ops_const = {mem_read, NULL, NULL, NULL};

void blk_mem_init(struct blk_mem *m, void *p, size_t size, bool writable)
{
	m->blk.ops = writable ? &mem_ops : &mem_ops_const;
	m->blk.size = size;
	m->blk.sector = 0;
	m->p = p;
}

void blk_mem_init_const(struct blk_mem *m, const void *p, size_t size)
{
	/* mem_ops_const has no write: the bytes stay const in fact. */
	blk_mem_init(m, (void *)(uintptr_t)p, size, false);
}
