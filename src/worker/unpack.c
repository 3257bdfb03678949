/* SPDX-License-Identifier: 0BSD */
/* The owner makes the files of an extracted bundle; the installer fills
 * them. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/owner.h"

#define FOLDERS_MAX 8 /* below each other */

static int make_file(int dir, const struct msg_file *f, const char *name,
    int *fd, struct diag *d)
{
	int r;

	switch (f->kind) {
	case FILE_FOLDER:
		r = mkdirat(dir, name, 0700);
		break;
	case FILE_LINK:
		r = symlinkat(f->link, dir, name);
		break;
	default:
		*fd = openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		r = *fd < 0 ? -1 : fchmod(*fd, f->mode & 0777);
		break;
	}
	if (r != 0)
		return errno_fail(d, errno == ENOSPC ? R_FULL : R_SYSTEM, name);
	return 0;
}

/* Every part of the path is a name that stays below the folder it is in. */
static int make_path(struct msg_file *f, int *fd, struct diag *d)
{
	int dir = dup(job.work.setup->extract_dir);
	char *name = f->path;
	int r = 0;

	for (unsigned depth = 0; r == 0; depth++) {
		char *slash = strchr(name, '/');
		int next;

		if (slash)
			*slash = '\0';
		if (depth == FOLDERS_MAX || name[0] == '\0' ||
		    strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
			r = diag_fail(d, R_CHILD, "a bad path");
			break;
		}
		if (!slash) {
			r = make_file(dir, f, name, fd, d);
			break;
		}
		next = openat(
		    dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			r = errno_fail(d, R_SYSTEM, name);
		(void)close(dir);
		dir = next;
		name = slash + 1;
	}
	close_fd(&dir);
	return r;
}

bool unpack_on_file(struct msg_file *f)
{
	const struct job_setup *s = job.work.setup;
	struct diag d = {0};
	int fd = -1;

	if ((s->verb != JOB_EXTRACT && s->verb != JOB_FETCH) ||
	    f->kind > FILE_LINK ||
	    memchr(f->path, '\0', sizeof f->path) == NULL ||
	    memchr(f->link, '\0', sizeof f->link) == NULL)
		return false;
	/* the folder is no new one: only what was named is made in it */
	if (s->verb == JOB_FETCH &&
	    (f->kind != FILE_REGULAR || strcmp(f->path, s->to) != 0))
		return false;
	if (make_path(f, &fd, &d) != 0) {
		job_end_diag(&d);
	} else {
		job.result.made = true;
		answer_installer(&fd, fd >= 0 ? 1 : 0);
	}
	close_fd(&fd);
	return true;
}
