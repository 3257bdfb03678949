/* SPDX-License-Identifier: 0BSD */
/*
 * A fragmented file on FAT32 against a contiguous one of the same size, both
 * read in order in pieces of 128 KiB, in turns, from the page cache: at its
 * rate, what a fragment costs shows most. What a device itself needs to go
 * from one fragment to the next is not part of it.
 *   fat_fragment IMAGE MIB CLUSTER RUN [made]
 * makes IMAGE: two files of MIB, one
 *   contiguous, one in runs of RUN clusters of CLUSTER bytes with a gap of
 *   the same size behind each, every eighth run out of order; then measures
 *   and prints both rates and their ratio. made: IMAGE is there, with two such
 *   files on exFAT.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/blk_fd.h"
#include "media/fs.h"

#define PIECE 131072u
#define ROUNDS 5
#define RESERVED 32u
#define STRETCH (8u << 20)
#define STRETCHES 512

static uint8_t boot[512], info[512], root[64];
static uint32_t *table;

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put_file(
    uint8_t *e, const char *name, uint32_t start, uint32_t size)
{
	memcpy(e, name, 11);
	e[11] = 0x20;
	put16(e + 20, start >> 16);
	put16(e + 26, start);
	store_le32(e + 28, size);
}

static void write_at(int fd, const void *p, size_t len, uint64_t off)
{
	if (pwrite(fd, p, len, (off_t)off) != (ssize_t)len) {
		perror("image");
		exit(1);
	}
}

/* Returns the size of the image. */
static uint64_t make(int fd, uint32_t size, uint32_t cluster, uint32_t run)
{
	uint32_t n = size / cluster;
	uint32_t clusters = 1 + 3 * n + 2 * run;
	uint32_t spf = (clusters + 2 + 127) / 128;
	uint64_t data = (RESERVED + (uint64_t)spf) * 512;
	uint64_t total = data + (uint64_t)clusters * cluster;
	uint32_t last = 0;

	table = calloc(spf, 512);
	if (!table)
		exit(1);
	memcpy(boot,
	    "\xeb\x58\x90"
	    "mkfs.fat",
	    11);
	put16(boot + 11, 512);
	boot[13] = (uint8_t)(cluster / 512);
	put16(boot + 14, RESERVED);
	boot[16] = 1;
	boot[21] = 0xf8;
	store_le32(boot + 32, (uint32_t)(total / 512));
	store_le32(boot + 36, spf);
	store_le32(boot + 44, 2);
	put16(boot + 48, 1); /* information sector */
	put16(boot + 50, 6); /* copy of this one */
	boot[66] = 0x29;
	memcpy(boot + 71, "NO NAME    FAT32   ", 19);
	put16(boot + 510, 0xaa55);
	memcpy(info, "RRaA", 4);
	memcpy(info + 484, "rrAa\xff\xff\xff\xff\xff\xff\xff\xff", 12);
	put16(info + 510, 0xaa55);
	table[0] = 0x0ffffff8;
	table[1] = table[2] = 0x0fffffff;
	for (uint32_t i = 0; i < n; i++)
		table[3 + i] = i + 1 < n ? 4 + i : 0x0fffffff;
	put_file(root, "WHOLE   BIN", 3, size);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t r = i / run;
		uint32_t c;

		/* runs 8k and 8k + 1 change places */
		if (r % 8 < 2 && (r ^ 1) < n / run)
			r ^= 1;
		c = 3 + n + r * 2 * run + i % run;
		if (i == 0)
			put_file(root + 32, "PIECES  BIN", c, size);
		else
			table[last] = c;
		last = c;
	}
	table[last] = 0x0fffffff;
	if (ftruncate(fd, 0) != 0 || ftruncate(fd, (off_t)total) != 0)
		exit(1);
	write_at(fd, boot, sizeof boot, 0);
	write_at(fd, info, sizeof info, 512);
	write_at(fd, boot, sizeof boot, 6 * 512);
	write_at(fd, table, (size_t)spf * 512, RESERVED * 512);
	write_at(fd, root, sizeof root, data);
	free(table);
	return total;
}

static struct fs_file files[2];

static int keep(void *ctx, const struct fs_file *f)
{
	unsigned *n = ctx;

	files[(*n)++ & 1] = *f;
	return 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds to read [off, off + STRETCH) of a file in pieces. */
static double measure(struct fs_blk *file, uint64_t off)
{
	static uint8_t piece[PIECE];
	double start = now();

	for (uint32_t i = 0; i < STRETCH; i += PIECE)
		if (blk_read(&file->blk, off + i, piece, PIECE) != 0)
			exit(1);
	return now() - start;
}

static double open_file(struct fs *fs, unsigned k, struct fs_blk *file)
{
	struct diag d = {0};
	double start = now();

	if (fs_file_open(fs, &files[k], file, &d) != 0) {
		fprintf(stderr, "%s: %s\n", files[k].path, d.seen);
		exit(1);
	}
	return now() - start;
}

static void least(double *best, double t, int round)
{
	if (round == 0 || t < *best)
		*best = t;
}

int main(int argc, char **argv)
{
	static struct fs fs;
	struct diag d = {0};
	struct blk_fd b;
	static double best[2][STRETCHES + 1];
	static struct fs_blk file[2];
	static uint8_t fill[1 << 20];
	double sum[2] = {0, 0};
	unsigned n = 0;
	uint32_t mib, cluster, run;
	int fd;

	if (argc != 5 && argc != 6)
		return 2;
	mib = (uint32_t)strtoul(argv[2], NULL, 10);
	cluster = (uint32_t)strtoul(argv[3], NULL, 10);
	run = (uint32_t)strtoul(argv[4], NULL, 10);
	fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || mib == 0 || mib % 8 != 0 || mib > 4095 || cluster < 512 ||
	    run == 0)
		return 2;
	blk_fd_init(&b, fd, -1,
	    argc == 6 ? (uint64_t)lseek(fd, 0, SEEK_END)
	              : make(fd, mib << 20, cluster, run),
	    512, false);
	if (fs_open(&fs, &b.blk, &d) != 0 || fs_walk(&fs, keep, &n, &d) != 0 ||
	    n != 2) {
		fprintf(stderr, "%s\n", d.seen);
		return 1;
	}
	/* both files come into the page cache in the same way */
	for (uint64_t off = 0; off < b.blk.size; off += sizeof fill)
		if (blk_read(&b.blk, off, fill,
		        (size_t)MIN(b.blk.size - off, sizeof fill)) != 0)
			return 1;
	for (int i = 0; i < ROUNDS; i++) {
		for (unsigned k = 0; k < 2; k++)
			least(&best[k][0], open_file(&fs, k, &file[k]), i);
		/* in turns, so that what else the machine does hits both */
		for (unsigned s = 0; s < mib / (STRETCH >> 20); s++)
			for (unsigned k = 0; k < 2; k++)
				least(&best[k][s + 1],
				    measure(&file[k], (uint64_t)s * STRETCH),
				    i);
	}
	for (unsigned k = 0; k < 2; k++)
		for (unsigned s = 0; s <= mib / (STRETCH >> 20); s++)
			sum[k] += best[k][s];
	printf("%u MiB, clusters of %u, runs of %u: contiguous %.0f MiB/s, "
	       "fragmented %.0f MiB/s, %.2f us more per fragment, ratio %.2f\n",
	    mib, cluster, run, mib / sum[0], mib / sum[1],
	    (sum[1] - sum[0]) * 1e6 /
	        (double)(((uint64_t)mib << 20) / cluster / run),
	    sum[0] / sum[1]);
	return 0;
}
