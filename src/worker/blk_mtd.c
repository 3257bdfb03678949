/* SPDX-License-Identifier: 0BSD */
#include "worker/work.h"

#include <errno.h>
#include <mtd/mtd-user.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int control(int fd, unsigned long request, void *arg)
{
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

/* Reads into p, or programs what is there. */
static int transfer(
    const struct blk_mtd *m, bool program, uint64_t off, uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = program ? pwrite(m->fd, p, len, (off_t)off)
		                    : pread(m->fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return R_IO;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int mtd_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	return transfer((struct blk_mtd *)b, false, off, dst, len);
}

/* A program operation clears bits; only setting one needs an erase. */
static bool only_clears(const uint8_t *old, const uint8_t *new, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((old[i] & new[i]) != new[i])
			return false;
	return true;
}

struct block {
	uint8_t data[FLASH_ERASE_MAX];
};

/* One erase block: what of it is not written keeps its content. */
static int write_block(struct blk_mtd *m, uint64_t start, size_t skip,
    const uint8_t *p, size_t len)
{
	FAR(struct block, block);
	uint8_t *room = block->data;
	struct erase_info_user e = {(uint32_t)start, m->erase};
	size_t from = 0, to = m->erase;
	int r = transfer(m, false, start, room, to);
	bool erase;

	if (r != 0)
		return r;
	if (memcmp(room + skip, p, len) == 0)
		return 0;
	erase = !only_clears(room + skip, p, len);
	memcpy(room + skip, p, len);
	/* not every chip has locks */
	(void)control(m->fd, MEMUNLOCK, &e);
	if (!erase) {
		from = skip;
		to = skip + len;
	} else if (control(m->fd, MEMERASE, &e) != 0) {
		return R_IO;
	}
	return transfer(m, true, start + from, room + from, to - from);
}

static int mtd_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct blk_mtd *m = (struct blk_mtd *)b;
	const uint8_t *p = src;

	while (len > 0) {
		size_t skip = (size_t)(off % m->erase);
		size_t n = MIN(len, m->erase - skip);
		int r = write_block(m, off - skip, skip, p, n);

		if (r != 0)
			return r;
		p += n;
		off += n;
		len -= n;
	}
	return 0;
}

/* NOR has no cache to flush. */
static int mtd_flush(struct blk *b)
{
	(void)b;
	return 0;
}

static const struct blk_ops ops = {mtd_read, mtd_write, mtd_flush, NULL};
static const struct blk_ops ops_ro = {mtd_read, NULL, NULL, NULL};

void blk_mtd_init(
    struct blk_mtd *b, int fd, uint64_t size, uint32_t erase, bool writable)
{
	b->blk.ops = writable ? &ops : &ops_ro;
	b->blk.size = size;
	b->blk.sector = 0;
	b->fd = fd;
	b->erase = erase;
}
