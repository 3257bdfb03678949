/* SPDX-License-Identifier: 0BSD */
/*
 * Devices as the owner sees them: named by the kernel in sysfs, opened, and
 * never read by it (pid1-parses-nothing). Which one is meant by PARTLABEL=,
 * PARTUUID= and UUID= is found by the probe child, which answers with indices
 * into struct devices.
 */
#ifndef LIFEBOAT_DEVICE_H
#define LIFEBOAT_DEVICE_H

#include <sys/types.h>

#include "base/reason.h"
#include "boot/boot.h"
#include "slot/conf.h"

#define DEVICES 64 /* disks and partitions; more are passed over */
#define DEVICE_NAME 40

struct device {
	char name[DEVICE_NAME]; /* below /dev */
	dev_t dev;
	uint64_t size;
	uint64_t start; /* on its disk, bytes */
	uint32_t sector;
	int disk;        /* index of the disk this is a partition of, or -1 */
	unsigned number; /* of the partition; 0: a disk */
	bool no_medium;  /* built in by its kind: eMMC boot area, RAM, ... */
	int fd;          /* read-only, or -1 */
};

struct devices {
	unsigned count;
	struct device d[DEVICES];
};

/* Calls each with every name in a folder but those that begin with a dot.
 * False when the folder cannot be opened or read. */
bool folder_each(const char *path, void *ctx,
    void (*each)(void *ctx, const char *name)) MUST_CHECK;

/* Reads /sys/class/block and opens everything read-only. What cannot be
 * opened is left out, or has fd -1. */
void devices_scan(struct devices *t);
void devices_close(struct devices *t);
/* The index of this device number, or -1. */
int devices_find(const struct devices *t, dev_t dev);
/* The disk d lies on: itself or the one it is a partition of. */
unsigned devices_disk(const struct devices *t, unsigned d);

enum spec_kind { SPEC_PATH, SPEC_PARTLABEL, SPEC_PARTUUID, SPEC_UUID };

struct spec {
	enum spec_kind kind;
	char value[CONF_TEXT];
};

/* A device as in system.conf and fw_env.config: a path, PARTLABEL= and its
 * likes, or /dev/disk/by-partlabel/ and its likes, without udev's help. */
void spec_parse(struct spec *s, const char *text);

enum target_kind { TARGET_FILE, TARGET_BLOCK, TARGET_MTD };

/* What a slot, a copy of the environment or a bundle really is. */
/* longest erase block of a flash */
#define FLASH_ERASE_MAX 262144u

struct target {
	int reason; /* not 0: it cannot be used, and seen says why */
	char seen[DIAG_SEEN];
	enum target_kind kind;
	char path[CONF_TEXT];
	dev_t dev; /* TARGET_FILE: of the file system, else of the device */
	ino_t ino; /* TARGET_FILE */
	uint64_t size;
	uint32_t sector;
	uint32_t erase; /* TARGET_MTD: block size, 1 to FLASH_ERASE_MAX */
	int device;     /* index in struct devices, or -1 */
	int fd;         /* read-only, or -1 */
};

/* Opens path read-only and finds out what it is: 0 or what t->reason then
 * says, R_TARGET_MISSING, R_TARGET_READ_ONLY. flash: it may be TARGET_MTD. */
void target_open(
    struct target *t, const struct devices *all, const char *path, bool flash);

/* Writes why t cannot be used. */
void target_fail(struct target *t, int reason, const char *format, ...)
    PRINTF_LIKE(3, 4);

/*
 * Opens a target again, to be written: *fd, and *direct (O_DIRECT, for
 * reading back) or -1. The caller closes both. exclusive: a device must not
 * be mounted, and nobody may mount it meanwhile. R_TARGET_BUSY,
 * R_TARGET_READ_ONLY, R_TARGET_MISSING (also when it is another device now).
 */
int target_open_write(const struct target *t, const struct devices *all,
    bool exclusive, int *fd, int *direct, struct diag *d) MUST_CHECK;

/* True when a and b share a byte: one file, one device, disk and partition. */
bool target_overlaps(
    const struct target *a, const struct target *b, const struct devices *all);

/* True when the device, a partition of it, or its disk is mounted. */
bool device_mounted(const struct devices *all, unsigned d);

/* Fails with "WHAT: " and a word for errno: "permission denied", "error 95".
 */
int errno_fail(struct diag *d, int reason, const char *what);

/* libubootenv's lock: *fd is -1 where /run/lock is missing. Waits up to 10 s
 * and then fails with R_BOOT_LOCKED. */
int lock_boot_env(int *fd, struct diag *d) MUST_CHECK;

#endif
