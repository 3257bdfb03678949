/* SPDX-License-Identifier: 0BSD */
/*
 * sqfs_extract IMAGE DIR: what is in a squashfs, written by src/bundle's
 * reader. Holes become holes. Prints the reason and exits 1 when refused.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle/squashfs.h"

struct file_blk {
	struct blk blk;
	int fd;
};

static int file_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct file_blk *f = (struct file_blk *)b;
	ssize_t n = pread(f->fd, dst, len, (off_t)off);

	return n == (ssize_t)len ? 0 : R_IO;
}

static const struct blk_ops file_ops = {.read = file_read};

static int copy_file(struct sqfs_file *f, const char *path, struct diag *d)
{
	static uint8_t buffer[50001];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	int r = fd < 0 ? R_IO : 0;
	off_t at = 0;

	while (r == 0) {
		size_t n;
		bool hole;

		r = sqfs_read(f, buffer, sizeof buffer, &n, &hole, d);
		if (r != 0 || n == 0)
			break;
		if (!hole && pwrite(fd, buffer, n, at) != (ssize_t)n)
			r = R_IO;
		at += (off_t)n;
	}
	if (r == 0 && (ftruncate(fd, at) != 0 || fchmod(fd, f->mode) != 0))
		r = R_IO;
	close(fd);
	return r;
}

static int extract(struct sqfs_file *f, const char *path, struct diag *d)
{
	char target[4096];
	int r;

	switch (f->type) {
	case SQFS_DIR:
		return mkdir(path, f->mode) == 0 ? 0 : R_IO;
	case SQFS_REG:
		return copy_file(f, path, d);
	case SQFS_LINK:
		r = sqfs_readlink(f, target, sizeof target, d);
		if (r == 0 && symlink(target, path) != 0)
			r = R_IO;
		return r;
	case SQFS_OTHER:
		break;
	}
	printf("other %s\n", path);
	return 0;
}

int main(int argc, char **argv)
{
	static struct sqfs s;
	static struct sqfs_walk w;
	static struct file_blk file;
	struct sqfs_file f;
	struct diag d = {0};
	struct stat st;
	int r;

	umask(0);
	if (argc != 3 || (file.fd = open(argv[1], O_RDONLY)) < 0 ||
	    fstat(file.fd, &st) != 0 || mkdir(argv[2], 0777) != 0 ||
	    chdir(argv[2]) != 0) {
		fprintf(stderr, "usage: sqfs_extract IMAGE DIR\n");
		return 2;
	}
	file.blk.ops = &file_ops;
	file.blk.size = (uint64_t)st.st_size;
	r = sqfs_open(&s, &file.blk, &d);
	if (r == 0)
		r = sqfs_walk_start(&w, &s, &d);
	while (r == 0 && (r = sqfs_walk_next(&w, &f, &d)) == 1)
		r = extract(&f, w.path, &d);
	if (r != 0)
		printf("%s: %s\n", reason_name(r), d.seen);
	return r != 0;
}
