/* SPDX-License-Identifier: 0BSD */
/*
 * A file descriptor as a blk: block device, regular file, or a sub-range of
 * either. Makes system calls (pread, pwrite, fsync, posix_fadvise) and no
 * others, so that it runs inside the sandboxed children.
 */
#ifndef LIFEBOAT_BLK_FD_H
#define LIFEBOAT_BLK_FD_H

#include "base/blk.h"

struct blk_fd {
	struct blk blk;
	int fd;        /* for read, write and flush */
	int direct_fd; /* the same object opened O_DIRECT, or -1 */
	int err;       /* errno of the last failure, 0 before */
};

/*
 * The descriptors stay the caller's. size and sector are what the opener
 * found (BLKGETSIZE64, BLKSSZGET or fstat): a child has no ioctl.
 * direct_fd is -1 where the file system has no O_DIRECT; read_back then
 * drops the page cache (POSIX_FADV_DONTNEED) before it reads.
 */
void blk_fd_init(struct blk_fd *b, int fd, int direct_fd, uint64_t size,
    uint32_t sector, bool writable);

#endif
