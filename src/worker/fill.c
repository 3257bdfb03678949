/* SPDX-License-Identifier: 0BSD */
/* Fills files that the owner makes: those in a bundle one by one, or one with
 * all that comes. */
#include <errno.h>
#include <unistd.h>

#include "base/fmt.h"
#include "worker/installer.h"

static int fill_file(struct bundle_image *f, int fd, struct diag *d)
{
	static uint8_t room[65536];
	struct blk_fd out;
	uint64_t off = 0;
	bool hole = false;
	size_t n = 0;
	int r;

	/* the size is not known to the file yet: blk only checks against it */
	blk_fd_init(&out, fd, -1, f->size, 0, true);
	do {
		r = bundle_image_read(f, room, sizeof room, &n, &hole, d);
		if (r != 0)
			return r;
		if (n > f->size - off)
			return diag_fail(d, R_INTERNAL, "a file grew");
		/* a hole stays one, but its last byte makes the length */
		if (n > 0 && !hole)
			r = blk_write(&out.blk, off, room, n);
		else if (n > 0)
			r = blk_write(&out.blk, off + n - 1, "", 1);
		if (r != 0)
			return diag_fail(d, r, "write error in the output");
		off += n;
		/* of all files: less than before would be another phase */
		self.written += n;
		(void)child_progress(
		    NULL, PHASE_WRITE, self.written, UINT64_MAX);
	} while (n > 0);
	return 0;
}

static int extract_entry(
    struct sqfs_walk *walk, struct bundle_image *f, struct diag *d)
{
	struct msg *m = &self.m;
	struct msg_file *file = &m->u.file;
	unsigned count = 1;
	int fd = -1;
	int r;

	if (f->file.type == SQFS_OTHER) {
		log_warn("%s: not extracted: a special file", walk->path);
		return 0;
	}
	if (strlen(walk->path) >= MSG_PATH)
		return diag_fail(d, R_LIMIT, "the path %.*s... is too long",
		    100, walk->path);
	memset(m, 0, sizeof *m);
	m->type = MSG_FILE;
	file->mode = f->file.mode;
	fmt(file->path, MSG_PATH, "%s", walk->path);
	file->kind = FILE_REGULAR;
	if (f->file.type == SQFS_DIR)
		file->kind = FILE_FOLDER;
	if (f->file.type == SQFS_LINK) {
		file->kind = FILE_LINK;
		r = bundle_readlink(f, file->link, sizeof file->link, d);
		if (r != 0)
			return r;
	}
	child_ask(m, &fd, &count);
	if (f->file.type != SQFS_REG)
		return 0;
	if (count != 1)
		return diag_fail(d, R_INTERNAL, "grant without file");
	r = fill_file(f, fd, d);
	(void)close(fd); /* there may be more files than descriptors */
	return r;
}

int extract_bundle(struct diag *d)
{
	static struct sqfs_walk walk;
	static struct bundle_image f;
	struct bundle *b = &self.bundle;
	int r = bundle_walk_start(b, &walk, d);

	while (r == 0 && (r = bundle_walk_next(b, &walk, &f, d)) == 1)
		r = extract_entry(&walk, &f, d);
	return r;
}

int fetch_file(struct diag *d)
{
	struct pipe_blk *p = &self.pipe;
	struct msg *m = &self.m;
	const uint8_t *data = NULL;
	struct blk_fd out;
	uint64_t off = 0;
	unsigned count = 1;
	size_t n = 0;
	int fd = -1;
	int r;

	memset(m, 0, sizeof *m);
	m->type = MSG_FILE;
	m->u.file.mode = 0644;
	m->u.file.kind = FILE_REGULAR;
	fmt(m->u.file.path, MSG_PATH, "%s", self.w->setup->to);
	child_ask(m, &fd, &count);
	if (count != 1)
		return diag_fail(d, R_INTERNAL, "grant without file");
	blk_fd_init(&out, fd, -1, UINT64_MAX, 0, true);
	for (;;) {
		r = pipe_next(p, &data, &n, d);
		if (r != 0 || n == 0)
			break;
		r = blk_write(&out.blk, off, data, n);
		if (r != 0)
			return diag_fail(d, out.err == ENOSPC ? R_FULL : r,
			    "write error in the output");
		off += n;
		(void)child_progress(NULL, PHASE_RECEIVE, off,
		    off > p->announced ? UINT64_MAX : p->announced);
	}
	self.written = off;
	return r == 0 ? child_progress(NULL, PHASE_RECEIVE, off, off) : r;
}
