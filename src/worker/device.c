/* SPDX-License-Identifier: 0BSD */
#include "worker/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <mtd/mtd-user.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/log.h"
#include "options.h"

#define BLOCK_DIR "/sys/class/block"
#define MTD_MAJOR 90
#define LOCK_TRIES 100
#define LOCK_PAUSE_MS 100

/* The C libraries disagree on the type of the request. */
static int control(int fd, unsigned long request, void *arg)
{
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

/* ---- small readings of kernel files */

static bool read_text(const char *path, char *dst, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, dst, cap - 1);
	(void)close(fd);
	if (n < 0)
		return false;
	while (n > 0 && dst[n - 1] == '\n')
		n--;
	dst[n] = '\0';
	return true;
}

static bool sys_u64(const char *name, const char *file, uint64_t *v)
{
	char path[128], text[32];
	struct slice s = {text, 0};

	fmt(path, sizeof path, BLOCK_DIR "/%s/%s", name, file);
	if (!read_text(path, text, sizeof text))
		return false;
	s.len = strlen(text);
	return slice_u64(s, v);
}

static bool parse_dev(const char *text, dev_t *dev)
{
	const char *colon = strchr(text, ':');
	uint64_t major, minor;

	if (!colon ||
	    !slice_u64((struct slice){text, (size_t)(colon - text)}, &major) ||
	    !slice_u64((struct slice){colon + 1, strlen(colon + 1)}, &minor))
		return false;
	*dev = makedev((unsigned)major, (unsigned)minor);
	return true;
}

static const char *errno_text(int err)
{
	static char number[24];

	switch (err) {
	case ENOENT:
		return "does not exist";
	case EACCES:
	case EPERM:
		return "permission denied";
	case EBUSY:
		return "in use";
	case EROFS:
		return "read-only";
	case ENODEV:
	case ENXIO:
	case ENOMEDIUM:
		return "no such device";
	case EEXIST:
		return "exists already";
	case ENOTDIR:
		return "no folder";
	case EISDIR:
		return "is a folder";
	case ELOOP:
		return "a symbolic link";
	case ENOSPC:
		return "no space left";
	default:
		fmt(number, sizeof number, "error %d", err);
		return number;
	}
}

int errno_fail(struct diag *d, int reason, const char *what)
{
	return diag_fail(d, reason, "%s: %s", what, errno_text(errno));
}

/* ---- the table of block devices */

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), m = strlen(with);

	return n >= m && strcmp(s + n - m, with) == 0;
}

/* Opening a floppy or optical drive takes seconds, and a RAM disk is nobody's
 * slot. */
static bool never_opened(const char *name)
{
	return starts(name, "ram") || starts(name, "zram") ||
	       starts(name, "fd") || starts(name, "sr") || ends(name, "rpmb");
}

static bool built_in(const char *name)
{
	return starts(name, "mtdblock") || starts(name, "dm-") ||
	       starts(name, "md") || starts(name, "ubiblock") ||
	       (starts(name, "mmcblk") &&
	           (ends(name, "boot0") || ends(name, "boot1")));
}

/* What sysfs says of a device that was just opened. */
static bool learn(struct devices *t, struct device *d, const char *name)
{
	uint64_t v;

	if (!sys_u64(name, "size", &v) || v == 0)
		return false;
	if (t->count == DEVICES - 1)
		log_warn("more than %u block devices: the rest is not used",
		    DEVICES - 1);
	if (t->count >= DEVICES - 1)
		return false;
	d->size = v * 512;
	d->disk = -1;
	if (sys_u64(name, "partition", &v)) {
		d->number = (unsigned)v;
		if (sys_u64(name, "start", &v))
			d->start = v * 512;
	}
	if (sys_u64(name, "queue/logical_block_size", &v))
		d->sector = (uint32_t)v;
	d->no_medium = built_in(name);
	return true;
}

static void add_device(void *ctx, const char *name)
{
	struct devices *t = ctx;
	struct device *d = &t->d[t->count];
	char path[128], text[32];

	memset(d, 0, sizeof *d);
	if (never_opened(name) || strlen(name) >= sizeof d->name)
		return;
	fmt(path, sizeof path, BLOCK_DIR "/%s/dev", name);
	if (!read_text(path, text, sizeof text) || !parse_dev(text, &d->dev))
		return;
	fmt(d->name, sizeof d->name, "%s", name);
	for (char *s = d->name; *s != '\0'; s++)
		if (*s == '!')
			*s = '/';
	/* When it is opened, and not before, the kernel sees that there is
	 * another card in a reader's slot, or one at all. */
	fmt(path, sizeof path, "/dev/%s", d->name);
	d->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (learn(t, d, name))
		t->count++;
	else if (d->fd >= 0)
		(void)close(d->fd);
}

/* A partition's folder in sysfs lies in that of its disk, whose device
 * number stands in ../dev. */
static void find_disks(struct devices *t)
{
	for (unsigned i = 0; i < t->count; i++) {
		struct device *d = &t->d[i];
		char path[128], text[32];
		dev_t dev;

		if (d->number == 0)
			continue;
		fmt(path, sizeof path, "/sys/dev/block/%u:%u/../dev",
		    major(d->dev), minor(d->dev));
		if (!read_text(path, text, sizeof text) ||
		    !parse_dev(text, &dev))
			continue;
		d->disk = devices_find(t, dev);
		if (d->disk >= 0) {
			d->sector = t->d[d->disk].sector;
			d->no_medium = t->d[d->disk].no_medium;
		}
	}
}

struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

bool folder_each(
    const char *path, void *ctx, void (*each)(void *ctx, const char *name))
{
	/* opendir would bring the heap along */
	static char room[4096] __attribute__((aligned(8)));
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n;

	if (dir < 0)
		return false;
	while ((n = syscall(SYS_getdents64, dir, room, sizeof room)) > 0)
		for (long at = 0; at < n;) {
			const struct dirent64 *e =
			    (const struct dirent64 *)(const void *)(room + at);

			if (e->name[0] != '.')
				each(ctx, e->name);
			at += e->reclen;
		}
	(void)close(dir);
	return n == 0;
}

void devices_scan(struct devices *t)
{
	t->count = 0;
	if (folder_each(BLOCK_DIR, t, add_device))
		find_disks(t);
}

void devices_close(struct devices *t)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->d[i].fd >= 0) {
			(void)close(t->d[i].fd);
			t->d[i].fd = -1;
		}
}

int devices_find(const struct devices *t, dev_t dev)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->d[i].dev == dev)
			return (int)i;
	return -1;
}

unsigned devices_disk(const struct devices *t, unsigned d)
{
	return t->d[d].disk >= 0 ? (unsigned)t->d[d].disk : d;
}

/* One device, or a disk and a partition of it. */
static bool related(const struct devices *t, int a, int b)
{
	return a == b || t->d[a].disk == b || t->d[b].disk == a;
}

/* The third field of every line of mountinfo is the device number. */
bool device_mounted(const struct devices *all, unsigned d)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char room[512], word[24];
	unsigned field = 0;
	size_t len = 0;
	bool hit = false;
	ssize_t n;

	if (fd < 0)
		return false;
	while (!hit && (n = read(fd, room, sizeof room)) > 0)
		for (ssize_t i = 0; i < n && !hit; i++) {
			dev_t dev;
			int other;

			if (room[i] == '\n') {
				field = 0;
				len = 0;
			} else if (room[i] == ' ' && field++ == 2) {
				word[len] = '\0';
				other = parse_dev(word, &dev)
				            ? devices_find(all, dev)
				            : -1;
				hit = other >= 0 && related(all, other, (int)d);
			} else if (field == 2 && len < sizeof word - 1 &&
			           room[i] != ' ') {
				word[len++] = room[i];
			}
		}
	(void)close(fd);
	return hit;
}

/* ---- what a name means */

/* udev writes what does not suit a file name as \xHH. */
static void unescape(char *dst, size_t cap, const char *src)
{
	size_t n = 0;

	while (*src != '\0' && n + 1 < cap) {
		uint8_t c;

		if (src[0] == '\\' && src[1] == 'x' && src[2] != '\0' &&
		    slice_hex((struct slice){src + 2, 2}, &c, 1)) {
			dst[n++] = (char)c;
			src += 4;
		} else {
			dst[n++] = *src++;
		}
	}
	dst[n] = '\0';
}

void spec_parse(struct spec *s, const char *text)
{
	static const struct {
		const char *prefix;
		enum spec_kind kind;
		bool escaped;
	} forms[] = {
	    {"PARTLABEL=", SPEC_PARTLABEL, false},
	    {"PARTUUID=", SPEC_PARTUUID, false},
	    {"UUID=", SPEC_UUID, false},
	    {"/dev/disk/by-partlabel/", SPEC_PARTLABEL, true},
	    {"/dev/disk/by-partuuid/", SPEC_PARTUUID, true},
	    {"/dev/disk/by-uuid/", SPEC_UUID, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (starts(text, forms[i].prefix)) {
			const char *value = text + strlen(forms[i].prefix);

			s->kind = forms[i].kind;
			if (forms[i].escaped)
				unescape(s->value, sizeof s->value, value);
			else
				fmt(s->value, sizeof s->value, "%s", value);
			return;
		}
	s->kind = SPEC_PATH;
	fmt(s->value, sizeof s->value, "%s", text);
}

/* ---- targets */

void target_fail(struct target *t, int reason, const char *format, ...)
{
	va_list ap;

	t->reason = reason;
	va_start(ap, format);
	fmt_v(t->seen, sizeof t->seen, format, ap);
	va_end(ap);
	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = -1;
}

/* NAND has bad blocks, which nothing here knows of. */
static bool usable(const struct mtd_info_user *m)
{
	return m->erasesize > 0 && m->erasesize <= FLASH_ERASE_MAX &&
	       (m->type == MTD_NORFLASH || m->type == MTD_DATAFLASH ||
	           m->type == MTD_RAM);
}

static void look_at(struct target *t, const struct devices *all,
    const struct stat *st, bool flash)
{
	struct mtd_info_user mtd;
	uint64_t bytes = 0;
	int sector = 0;

	t->device = -1;
	if (S_ISREG(st->st_mode)) {
		t->kind = TARGET_FILE;
		t->dev = st->st_dev;
		t->ino = st->st_ino;
		t->size = (uint64_t)st->st_size;
	} else if (S_ISBLK(st->st_mode)) {
		t->kind = TARGET_BLOCK;
		t->dev = st->st_rdev;
		t->device = devices_find(all, st->st_rdev);
		if (control(t->fd, BLKGETSIZE64, &bytes) != 0 ||
		    control(t->fd, BLKSSZGET, &sector) != 0) {
			target_fail(t, R_TARGET_MISSING, "%s: %s", t->path,
			    errno_text(errno));
			return;
		}
		t->size = bytes;
		t->sector = (uint32_t)sector;
	} else if (OPT_MTD && flash && S_ISCHR(st->st_mode) &&
	           major(st->st_rdev) == MTD_MAJOR &&
	           control(t->fd, MEMGETINFO, &mtd) == 0 && usable(&mtd)) {
		t->kind = TARGET_MTD;
		t->dev = st->st_rdev;
		t->size = mtd.size;
		t->erase = mtd.erasesize;
	} else {
		target_fail(t, R_TARGET_MISSING,
		    "%s is no file, block device or NOR flash", t->path);
	}
}

void target_open(
    struct target *t, const struct devices *all, const char *path, bool flash)
{
	struct stat st;

	memset(t, 0, sizeof *t);
	t->fd = t->device = -1;
	if (!slice_copy(
	        t->path, sizeof t->path, (struct slice){path, strlen(path)})) {
		target_fail(
		    t, R_LIMIT, "the path %.*s... is too long", 100, path);
		return;
	}
	t->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0) {
		target_fail(
		    t, R_TARGET_MISSING, "%s: %s", path, errno_text(errno));
		return;
	}
	if (fstat(t->fd, &st) != 0)
		target_fail(
		    t, R_TARGET_MISSING, "%s: %s", path, errno_text(errno));
	else
		look_at(t, all, &st, flash);
}

static bool same_object(const struct target *t, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (t->kind == TARGET_FILE)
		return S_ISREG(st.st_mode) && st.st_dev == t->dev &&
		       st.st_ino == t->ino;
	return !S_ISREG(st.st_mode) && st.st_rdev == t->dev;
}

static int check_writable(const struct target *t, int fd, struct diag *d)
{
	int ro = 0;

	if (t->kind == TARGET_BLOCK && control(fd, BLKROGET, &ro) == 0 && ro)
		return diag_fail(
		    d, R_TARGET_READ_ONLY, "%s is a read-only device", t->path);
	if (!same_object(t, fd))
		return diag_fail(d, R_TARGET_MISSING,
		    "%s is another device than before", t->path);
	return 0;
}

int target_open_write(const struct target *t, const struct devices *all,
    bool exclusive, int *fd, int *direct, struct diag *d)
{
	/* A kernel claims a mounted device for itself: EBUSY with O_EXCL. */
	int excl = exclusive && t->kind == TARGET_BLOCK ? O_EXCL : 0;
	int r;

	*fd = *direct = -1;
	if (excl != 0 && t->device >= 0 &&
	    device_mounted(all, (unsigned)t->device))
		return diag_fail(d, R_TARGET_BUSY, "%s is mounted", t->path);
	*fd = open(t->path, O_RDWR | O_NONBLOCK | O_CLOEXEC | excl);
	if (*fd < 0) {
		int err = errno;

		return diag_fail(d,
		    err == EBUSY ? R_TARGET_BUSY
		    : err == ENOENT || err == ENXIO || err == ENODEV
		        ? R_TARGET_MISSING
		        : R_TARGET_READ_ONLY,
		    "%s: %s", t->path, errno_text(err));
	}
	r = check_writable(t, *fd, d);
	if (r != 0) {
		(void)close(*fd);
		*fd = -1;
		return r;
	}
	if (t->kind != TARGET_MTD)
		*direct = open(t->path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (*direct >= 0 && !same_object(t, *direct)) {
		(void)close(*direct);
		*direct = -1;
	}
	return 0;
}

/* A file is on the device whose number its file system has. */
bool target_overlaps(
    const struct target *a, const struct target *b, const struct devices *all)
{
	int da = a->device, db = b->device;

	if (a->kind == TARGET_FILE && b->kind == TARGET_FILE)
		return a->dev == b->dev && a->ino == b->ino;
	if (da < 0)
		da = devices_find(all, a->dev);
	if (db < 0)
		db = devices_find(all, b->dev);
	if (da < 0 || db < 0)
		return a->dev == b->dev;
	return related(all, da, db);
}

/* ---- the lock of fw_printenv and fw_setenv */

int lock_boot_env(int *fd, struct diag *d)
{
	static const char path[] = "/run/lock/fw_printenv.lock";

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (*fd < 0)
		return 0;
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		(void)poll(NULL, 0, LOCK_PAUSE_MS);
	}
	(void)close(*fd);
	*fd = -1;
	return diag_fail(d, R_BOOT_LOCKED, "%s is locked for 10 s", path);
}
