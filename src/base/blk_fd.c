/* SPDX-License-Identifier: 0BSD */
#include "base/blk_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* O_DIRECT wants memory, offset and length aligned; 4096 suits all devices. */
#define DIRECT_ALIGN 4096u
#define DIRECT_CHUNK 65536u

static int fail(struct blk_fd *f, int err)
{
	f->err = err;
	return err == EROFS || err == EPERM ? R_READ_ONLY
	       : err == ENOSPC              ? R_FULL
	                                    : R_IO;
}

static int read_all(struct blk_fd *f, int fd, uint64_t off, uint8_t *dst,
    size_t len, size_t need)
{
	size_t done = 0;

	while (done < need) {
		ssize_t n =
		    pread(fd, dst + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(f, n < 0 ? errno : EIO);
		done += (size_t)n;
	}
	return 0;
}

static int fd_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct blk_fd *f = (struct blk_fd *)b;

	return read_all(f, f->fd, off, dst, len, len);
}

static int fd_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct blk_fd *f = (struct blk_fd *)b;
	const uint8_t *p = src;
	size_t done = 0;

	while (done < len) {
		ssize_t n =
		    pwrite(f->fd, p + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(f, n < 0 ? errno : EIO);
		done += (size_t)n;
	}
	return 0;
}

static int fd_flush(struct blk *b)
{
	struct blk_fd *f = (struct blk_fd *)b;

	while (fsync(f->fd) != 0)
		if (errno != EINTR)
			return fail(f, errno);
	return 0;
}

/* The file's end need not be aligned: the last piece may come back short. */
static int read_direct(struct blk_fd *f, uint64_t off, uint8_t *dst, size_t len)
{
	static uint8_t bounce[DIRECT_CHUNK]
	    __attribute__((aligned(DIRECT_ALIGN)));

	while (len > 0) {
		size_t skip = (size_t)(off % DIRECT_ALIGN);
		size_t want = MIN(len, DIRECT_CHUNK - skip);
		size_t span = (skip + want + DIRECT_ALIGN - 1) &
		              ~(size_t)(DIRECT_ALIGN - 1);
		int r = read_all(
		    f, f->direct_fd, off - skip, bounce, span, skip + want);

		if (r != 0)
			return r;
		memcpy(dst, bounce + skip, want);
		dst += want;
		off += want;
		len -= want;
	}
	return 0;
}

static int fd_read_back(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct blk_fd *f = (struct blk_fd *)b;

	if (f->direct_fd >= 0)
		return read_direct(f, off, dst, len);
	(void)posix_fadvise(f->fd, (off_t)off, (off_t)len, POSIX_FADV_DONTNEED);
	return read_all(f, f->fd, off, dst, len, len);
}

static const struct blk_ops ops = {fd_read, fd_write, fd_flush, fd_read_back};
static const struct blk_ops ops_ro = {fd_read, NULL, NULL, fd_read_back};

void blk_fd_init(struct blk_fd *b, int fd, int direct_fd, uint64_t size,
    uint32_t sector, bool writable)
{
	b->blk.ops = writable ? &ops : &ops_ro;
	b->blk.size = size;
	b->blk.sector = sector;
	b->fd = fd;
	b->direct_fd = direct_fd;
	b->err = 0;
}
