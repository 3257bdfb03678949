/* SPDX-License-Identifier: 0BSD */
/* stream: a bundle to stream order, and back. No key is needed, and nothing
 * is judged: that is done by whoever installs it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/blk_fd.h"
#include "base/fmt.h"
#include "bundle/stream.h"
#include "cli/cli.h"
#include "options.h"
#include "worker/device.h"

FAR(struct stream_job, job);

/* What cannot seek, as a blk that is read forwards. */
struct reader {
	struct blk blk;
	int fd;
};

static int read_on(struct blk *b, uint64_t off, void *dst, size_t len)
{
	const struct reader *r = (const struct reader *)b;
	uint8_t *to = dst;

	(void)off; /* it is always the next byte */
	while (len > 0) {
		ssize_t n = read(r->fd, to, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? R_IO : R_STREAM_CUT;
		to += n;
		len -= (size_t)n;
	}
	return 0;
}

static const struct blk_ops reader_ops = {.read = read_on};

/* Where a stream goes to. */
struct writer {
	int fd;
	bool tty;    /* somebody looks on */
	bool shown;  /* a line without its end is on the terminal */
	time_t told; /* when */
};

static int write_on(void *ctx, const void *p, size_t len)
{
	const struct writer *w = ctx;
	const uint8_t *from = p;

	while (len > 0) {
		ssize_t n = write(w->fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == ENOSPC ? R_FULL : R_IO;
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

/* What takes no second is not worth a line. */
static int on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct writer *w = ctx;
	time_t now = time(NULL);
	char line[16];

	if (!w->tty || now == w->told)
		return 0;
	if (w->told != 0) {
		fmt(line, sizeof line, "\r%u %%",
		    (unsigned)(done / (total / 100 + 1)));
		cli_write(STDERR_FILENO, line, strlen(line));
		w->shown = true;
	}
	w->told = now;
	return 0;
}

static bool is_dash(const char *name)
{
	return strcmp(name, "-") == 0;
}

static int run(const struct cli *o, int in, int out, struct diag *d)
{
	static struct reader reader;
	static struct blk_fd file;
	struct writer w = {.fd = out, .tty = isatty(STDERR_FILENO) == 1};
	struct stat st;
	uint64_t size;
	int r;

	job->put = write_on;
	job->progress = on_progress;
	job->ctx = &w;
	if (o->restore) {
		reader = (struct reader){{&reader_ops, UINT64_MAX, 0}, in};
		blk_fd_init(&file, out, -1, INT64_MAX, 0, true);
		job->in = &reader.blk;
		r = stream_restore(job, &file.blk, &size, d);
	} else {
		if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode))
			return diag_fail(d, R_USAGE,
			    "%s: a bundle is read from its end, so it has to "
			    "be a file",
			    o->arg[0]);
		blk_fd_init(&file, in, -1, (uint64_t)st.st_size, 0, false);
		job->in = &file.blk;
		r = stream_make(job, d);
	}
	if (w.shown)
		cli_write(STDERR_FILENO, "\n", 1);
	return r;
}

/* Beside its place, which it takes when it is whole. */
static int run_into(const struct cli *o, int in, struct diag *d)
{
	const char *to = o->arg[1];
	char part[CONF_TEXT];
	struct stat st, from;
	int out, r;

	if (stat(to, &st) == 0 && !S_ISREG(st.st_mode))
		return diag_fail(d, R_USAGE, "%s: no file", to);
	if (!slice_copy(part, sizeof part - 5, (struct slice){to, strlen(to)}))
		return diag_fail(d, R_LIMIT, "the path is too long");
	fmt(part + strlen(part), 6, ".part");
	if (stat(part, &st) == 0 && fstat(in, &from) == 0 &&
	    st.st_ino == from.st_ino && st.st_dev == from.st_dev)
		return diag_fail(d, R_USAGE, "%s is what is read", part);
	out = open(
	    part, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (out < 0)
		return errno_fail(d, R_SYSTEM, part);
	r = run(o, in, out, d);
	if (r == 0 && fsync(out) != 0)
		r = errno_fail(d, R_IO, part);
	(void)close(out);
	if (r == 0 && syscall(SYS_renameat, AT_FDCWD, part, AT_FDCWD, to) != 0)
		r = errno_fail(d, R_SYSTEM, to);
	if (r != 0)
		(void)syscall(SYS_unlinkat, AT_FDCWD, part, 0);
	return r;
}

int cli_stream(const struct cli *o, struct diag *d)
{
	int in = STDIN_FILENO, r;

	if (o->restore && is_dash(o->arg[1]))
		return diag_fail(d, R_USAGE,
		    "a bundle is not restored in its order: name a file");
	if (!is_dash(o->arg[0]))
		in = open(o->arg[0], O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return errno_fail(d, R_NOT_FOUND, o->arg[0]);
	r = is_dash(o->arg[1]) ? run(o, in, STDOUT_FILENO, d)
	                       : run_into(o, in, d);
	if (in != STDIN_FILENO)
		(void)close(in);
	return r;
}
