/* SPDX-License-Identifier: 0BSD */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/init.h"

static const struct {
	const char *type, *dir, *options;
	unsigned long flags;
} mounts[] = {
    {"devtmpfs", "/dev", "mode=0755", MS_NOSUID | MS_NOEXEC},
    {"proc", "/proc", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
    {"sysfs", "/sys", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
    {"tmpfs", "/run", "mode=0755,size=1m", MS_NOSUID | MS_NOEXEC | MS_NODEV},
};
static int failed[ARRAY_LEN(mounts)]; /* errno */

/* Nobody else has the kernel look every 2 s for cards in readers that are
 * there already. */
static void poll_readers(void)
{
	int fd = open("/sys/module/block/parameters/events_dfl_poll_msecs",
	    O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, "2000", 4);
		(void)close(fd);
	}
}

void early_mounts(void)
{
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		(void)mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type,
		        mounts[i].flags, mounts[i].options) < 0 &&
		    errno != EBUSY)
			failed[i] = errno;
	}
	poll_readers();
}

void early_report(void)
{
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
		if (failed[i] != 0)
			log_warn("cannot mount %s on %s (errno %d)",
			    mounts[i].type, mounts[i].dir, failed[i]);
}

void early_stdio(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK);

	for (int i = 0; i < 3; i++) {
		if (fd >= 0)
			(void)dup2(fd, i);
		else if (fcntl(i, F_GETFD) < 0)
			/* takes the lowest free number, which is i */
			(void)open("/dev/null", O_RDWR);
	}
	if (fd > 2)
		(void)close(fd);
}

int early_read(const char *path, char *dst, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;
	ssize_t n;

	dst[0] = '\0';
	if (fd < 0)
		return errno == ENOENT ? R_NOT_FOUND : R_IO;
	while ((n = read(fd, dst + len, cap - len)) > 0)
		len += (size_t)n;
	(void)close(fd);
	dst[MIN(len, cap - 1)] = '\0';
	if (n < 0)
		return R_IO;
	return len < cap ? (int)len : R_LIMIT;
}
