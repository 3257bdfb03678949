/* SPDX-License-Identifier: 0BSD */
/*
 * The recorder child: writes RAUC's status file, once. With the privileges of
 * its owner it mounts the partition in a mount namespace of its own and opens
 * the folder; without them, in a sandbox that has that folder for its root, it
 * reads the first byte of the file. Its end closes and unmounts everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fmt.h"
#include "worker/work.h"

#define MOUNT_POINT "/mnt"
#define OPEN_FILE (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* The file as it is and as it will be. */
struct texts {
	char old[STATUS_MAX];
	char new[STATUS_MAX];
};
FAR(struct texts, texts);

static struct {
	int dir, fd; /* of its folder; its own, or -1 */
	const char *name;
	char beside[CONF_TEXT + 8]; /* NAME.new, NAME.broken */
	bool odd;                   /* something else than a status file */
	int error;                  /* why it cannot be read: left alone */
	size_t room;                /* bytes that it has now */
	size_t old_len, new_len;
} file;

/* Nothing is changed then. */
static bool is_question(const struct work *w)
{
	return w->change->kind == STATUS_QUESTION;
}

/* ---- with privileges */

/* By its descriptor: the name could lead to another device by now. */
static int mount_data(const struct work *w, struct diag *d)
{
	const struct settings *s = w->setup->settings;
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME;
	char source[32];

	if (is_question(w))
		flags |= MS_RDONLY;
	fmt(source, sizeof source, "/proc/self/fd/%d", w->data.fd);
	(void)mkdir(MOUNT_POINT, 0755);
	if (syscall(SYS_unshare, CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount(source, MOUNT_POINT, s->data_type, flags, s->data_options) !=
	        0)
		return errno_fail(d, R_STATUS_MOUNT, w->data.path);
	return 0;
}

/* Opens it, and makes it where it is missing. On the partition it may not be
 * a link; in the running system links are root's. */
static int open_below(int dir, const char *name, bool mounted)
{
	int flags =
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | (mounted ? O_NOFOLLOW : 0);
	int fd = openat(dir, name, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	(void)mkdirat(dir, name, 0700);
	return openat(dir, name, flags);
}

static int open_folder(char *name, bool mounted, struct diag *d)
{
	char *slash;

	file.dir = open_below(AT_FDCWD, mounted ? MOUNT_POINT : "/", false);
	while (file.dir >= 0 && (slash = strchr(name, '/')) != NULL) {
		*slash = '\0';
		if (slash > name)
			file.dir = open_below(file.dir, name, mounted);
		if (file.dir >= 0)
			name = slash + 1;
	}
	file.name = name;
	if (file.dir >= 0)
		return 0;
	return errno_fail(
	    d, errno == ENOTDIR ? R_STATUS_PLACE : R_STATUS_MOUNT, name);
}

static void open_file(void)
{
	struct stat st;

	file.fd = openat(file.dir, file.name, O_RDONLY | OPEN_FILE);
	if (file.fd < 0) {
		/* a link, a socket, a device where there are none */
		file.odd = errno == ELOOP || errno == ENXIO ||
		           (errno == EACCES && geteuid() == 0);
		file.error = file.odd || errno == ENOENT ? 0 : errno;
	} else {
		file.odd = fstat(file.fd, &st) != 0 || !S_ISREG(st.st_mode) ||
		           st.st_size > (off_t)STATUS_MAX;
	}
}

static int open_all(struct work *w, struct diag *d)
{
	bool mounted = w->data.fd >= 0;
	int r = mounted ? mount_data(w, d) : 0;

	if (r == 0)
		r = open_folder(w->status_path, mounted, d);
	if (r != 0)
		return r;
	open_file();
	/* only root has devices to be kept from, and may do this */
	if ((syscall(SYS_fchdir, file.dir) != 0 ||
	        syscall(SYS_chroot, ".") != 0) &&
	    geteuid() == 0)
		return errno_fail(d, R_SYSTEM, "chroot");
	return 0;
}

/* ---- without */

static void read_file(void)
{
	ssize_t n = 0;

	while (!file.odd && file.fd >= 0 && file.old_len < STATUS_MAX &&
	       (n = read(file.fd, texts->old + file.old_len,
	            STATUS_MAX - file.old_len)) > 0)
		file.old_len += (size_t)n;
	if (n < 0)
		file.error = errno;
	/* what write_file has filled up is room */
	file.room = file.old_len;
	while (file.old_len > 1 && texts->old[file.old_len - 1] == '\n' &&
	       texts->old[file.old_len - 2] == '\n')
		file.old_len--;
}

static const char *beside(const char *end)
{
	fmt(file.beside, sizeof file.beside, "%s%s", file.name, end);
	return file.beside;
}

static bool rename_file(const char *from, const char *to)
{
	return syscall(SYS_renameat, file.dir, from, file.dir, to) == 0;
}

/* All of the new text into a file, durably. */
static bool fill(const char *name, int flags)
{
	int fd = openat(file.dir, name, O_WRONLY | OPEN_FILE | flags, 0644);
	size_t done = 0;

	if (fd < 0)
		return false;
	while (done < file.new_len) {
		ssize_t n = write(fd, texts->new + done, file.new_len - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return fsync(fd) == 0;
}

/*
 * A new file, which then takes the place of the old one. Where there is no
 * room for it the old one is overwritten if it is long enough: a slot that is
 * about to be given up must not stay "ok".
 */
static bool write_file(bool damaged)
{
	int err;

	(void)syscall(SYS_unlinkat, file.dir, beside(".new"), 0);
	if (fill(file.beside, O_CREAT | O_EXCL)) {
		if (damaged)
			(void)rename_file(file.name, beside(".broken"));
		return rename_file(beside(".new"), file.name) &&
		       fsync(file.dir) == 0;
	}
	err = errno;
	(void)syscall(SYS_unlinkat, file.dir, file.beside, 0);
	errno = err;
	if ((err != ENOSPC && err != EDQUOT) || damaged ||
	    file.new_len > file.room)
		return false;
	memset(texts->new + file.new_len, '\n', file.room - file.new_len);
	file.new_len = file.room;
	return fill(file.name, 0);
}

static int update(const struct work *w, struct diag *d)
{
	bool changed, damaged;
	int r;

	read_file();
	errno = file.error;
	if (errno != 0)
		return errno_fail(d, R_STATUS_WRITE, file.name);
	r = status_update(texts->new, &file.new_len, &changed, &damaged,
	    (struct slice){texts->old, file.old_len}, w->setup->conf, w->change,
	    d);
	if (r != 0)
		return r;
	damaged = damaged || file.odd;
	if ((changed || damaged) && !write_file(damaged))
		return errno_fail(d, R_STATUS_WRITE, file.name);
	if (damaged)
		return diag_fail(d, R_STATUS_DAMAGED,
		    "%s was none: it is %s.broken now", file.name, file.name);
	return 0;
}

/* The version is what was seen. */
static int answer(const struct work *w, struct diag *d)
{
	char version[MANIFEST_TEXT];
	int r;

	read_file();
	errno = file.error;
	if (errno != 0)
		return errno_fail(d, R_STATUS_MOUNT, file.name);
	r = status_version(version, (struct slice){texts->old, file.old_len},
	    w->setup->conf, d);
	if (r == 0 && file.odd)
		r = diag_fail(d, R_STATUS_DAMAGED, "it cannot be read");
	if (r == 0)
		fmt(d->seen, sizeof d->seen, "%s", version);
	return r;
}

void recorder_child(struct work *w, int fd)
{
	int keep[3] = {fd, w->data.fd};
	struct diag d = {0};
	int r;

	/* what it may hang with is nothing that anybody waits for */
	sandbox_close(keep, w->data.fd >= 0 ? 2 : 1);
	r = open_all(w, &d);
	keep[0] = fd;
	keep[1] = file.dir;
	keep[2] = file.fd;
	if (child_enter(w, SANDBOX_FILES, fd, keep,
	        r != 0         ? 1
	        : file.fd >= 0 ? 3
	                       : 2,
	        &d) == 0 &&
	    r == 0)
		r = is_question(w) ? answer(w, &d) : update(w, &d);
	child_end(&d, POLICY_WAIT, 0);
}
