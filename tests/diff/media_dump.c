/* SPDX-License-Identifier: 0BSD */
/*
 * What the library sees on an image, one line each, for media.sh:
 *   media_dump parts IMAGE [SECTOR]
 *   media_dump id IMAGE
 *   media_dump ls IMAGE
 *   media_dump extract IMAGE FOLDER	what ls lists, into a new folder, but
 *					for files of 4 GiB and more
 *   media_dump read IMAGE PATH OFFSET LENGTH
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/blk_fd.h"
#include "base/log.h"
#include "media/fs.h"
#include "media/part.h"

static void to_stderr(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "log: %s\n", line);
}

static int refuse(int r, const struct diag *d)
{
	printf("refused %s: %s\n", reason_name(r), d->seen);
	return 3;
}

static int parts(struct blk *b)
{
	static struct part_table t;
	struct diag d = {0};
	int r = part_read(&t, b, &d);

	if (r != 0)
		return refuse(r, &d);
	printf("%s%s\n",
	    t.kind == PART_GPT   ? "gpt"
	    : t.kind == PART_MBR ? "dos"
	                         : "none",
	    t.backup ? " backup" : "");
	for (unsigned i = 0; i < t.count; i++) {
		const struct part *p = &t.part[i];

		printf("%u %llu %llu %s %s\n", p->number,
		    (unsigned long long)p->off, (unsigned long long)p->size,
		    p->uuid[0] ? p->uuid : "-", p->label);
	}
	return 0;
}

static int id(struct blk *b)
{
	struct fs_id i;
	struct diag d = {0};
	int r = fs_identify(b, &i, &d);

	if (r != 0)
		return refuse(r, &d);
	printf("%s|%s|%s\n", fs_kind_name(i.kind), i.uuid, i.label);
	return 0;
}

static int print_file(void *ctx, const struct fs_file *f)
{
	(void)ctx;
	printf("%llu %s\n", (unsigned long long)f->size, f->path);
	return 0;
}

struct job {
	struct fs *fs;
	const char *folder;
};

static int extract_file(void *ctx, const struct fs_file *f)
{
	static struct fs_blk file;
	static uint8_t chunk[100000]; /* no multiple of any cluster */
	struct diag d = {0};
	const char *folder = ((struct job *)ctx)->folder;
	char path[FS_PATH + 256];
	FILE *out;
	int r;

	if (f->size > UINT32_MAX)
		return 0;
	snprintf(path, sizeof path, "%s%s", folder, f->path);
	*strrchr(path, '/') = '\0';
	(void)mkdir(path, 0755);
	snprintf(path, sizeof path, "%s%s", folder, f->path);
	out = fopen(path, "wxb");
	if (!out) {
		perror(path);
		return R_SYSTEM;
	}
	r = fs_file_open(((struct job *)ctx)->fs, f, &file, &d);
	for (uint64_t off = 0; r == 0 && off < f->size; off += sizeof chunk) {
		size_t n = (size_t)MIN(f->size - off, sizeof chunk);

		r = blk_read(&file.blk, off, chunk, n);
		if (r == 0 && fwrite(chunk, 1, n, out) != n)
			r = R_SYSTEM;
	}
	return fclose(out) != 0 ? R_SYSTEM : r;
}

struct piece {
	struct fs *fs;
	const char *path;
	uint64_t off, len;
};

static int read_file(void *ctx, const struct fs_file *f)
{
	static struct fs_blk file;
	static uint8_t bytes[65536];
	const struct piece *p = ctx;
	struct diag d = {0};
	int r;

	if (strcmp(f->path, p->path) != 0)
		return 0;
	r = fs_file_open(p->fs, f, &file, &d);
	if (r == 0)
		r = blk_read(&file.blk, p->off, bytes, (size_t)p->len);
	if (r == 0)
		fwrite(bytes, 1, (size_t)p->len, stdout);
	return r == 0 ? R_CANCELLED : r;
}

int main(int argc, char **argv)
{
	static struct fs fs;
	struct job job = {&fs, argc > 3 ? argv[3] : NULL};
	struct blk_fd fd;
	struct diag d = {0};
	struct stat st;
	int f, r;

	if (argc < 3)
		return 2;
	f = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (f < 0 || fstat(f, &st) != 0)
		return 2;
	log_to(to_stderr, NULL, LOG_DEBUG);
	blk_fd_init(&fd, f, -1, (uint64_t)st.st_size, 0, false);
	if (strcmp(argv[1], "parts") == 0) {
		if (argc > 3)
			fd.blk.sector = (uint32_t)strtoul(argv[3], NULL, 10);
		return parts(&fd.blk);
	}
	if (strcmp(argv[1], "id") == 0)
		return id(&fd.blk);
	r = fs_open(&fs, &fd.blk, &d);
	if (r == 0 && strcmp(argv[1], "extract") == 0 && argc == 4)
		r = mkdir(argv[3], 0755) == 0
		        ? fs_walk(&fs, extract_file, &job, &d)
		        : R_SYSTEM;
	else if (r == 0 && strcmp(argv[1], "read") == 0 && argc == 6) {
		struct piece p = {&fs, argv[3], strtoull(argv[4], NULL, 10),
		    strtoull(argv[5], NULL, 10)};

		r = fs_walk(&fs, read_file, &p, &d);
		return r == R_CANCELLED ? 0 : 3;
	} else if (r == 0)
		r = fs_walk(&fs, print_file, NULL, &d);
	return r != 0 ? refuse(r, &d) : 0;
}
