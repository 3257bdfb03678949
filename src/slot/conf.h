/* SPDX-License-Identifier: 0BSD */
/*
 * RAUC's system.conf and our lifeboat.conf as fixed structs. Both are part
 * of the image, so they are trusted, but parsed as strictly as anything.
 * In system.conf unknown groups and keys are told and passed over (a newer RAUC
 * may know more), except in [keyring]: there a key that is not implemented
 * refuses. In lifeboat.conf unknown groups refuse, and unknown keys in [trust];
 * elsewhere they are told. What resembles a known name refuses, and so do a
 * known key in another group, one that comes twice, and a group in the wrong
 * one of both files. Pure.
 */
#ifndef LIFEBOAT_CONF_H
#define LIFEBOAT_CONF_H

#include "base/base.h"
#include "base/reason.h"
#include "bundle/manifest.h"
#include "bundle/trust.h"
#include "slot/net_conf.h"

#define CONF_SLOTS 16
#define CONF_TEXT 128
#define SLOT_NAME 48
#define BOOTNAME 24
#define BOOTNAMES 8 /* slots with a bootname */

enum slot_type {
	SLOT_RAW,
	SLOT_EXT4,
	SLOT_VFAT,
	SLOT_OTHER, /* known to RAUC, not written by lifeboat: type_name */
};

struct slot {
	char name[SLOT_NAME]; /* "rootfs.0" */
	char slotclass[32];
	char device[CONF_TEXT]; /* as written: path, PARTLABEL=, UUID=, ... */
	char type_name[24];
	enum slot_type type;
	char bootname[BOOTNAME];     /* empty: none */
	char parent_name[SLOT_NAME]; /* as written; empty: none */
	int parent;                  /* index of the root of its group, or -1 */
	bool readonly;
};

enum bootloader { BOOT_NOOP, BOOT_UBOOT, BOOT_OTHER };

struct conf {
	char compatible[CONF_TEXT];
	char bootloader_name[16];
	enum bootloader bootloader;
	unsigned formats; /* bundle-formats: 1 << enum bundle_format, or-ed */
	char min_bundle_version[CONF_TEXT]; /* empty: none */
	unsigned boot_attempts;         /* mark-good; default 3, at most 9 */
	unsigned boot_attempts_primary; /* install, mark-active; the same */
	bool activate_installed;
	char data_directory[CONF_TEXT - sizeof "/central.raucs"];
	char statusfile[CONF_TEXT];        /* empty or "per-slot": none */
	bool statusfile_derived;           /* from data_directory */
	char keyring_path[CONF_TEXT];      /* empty: none */
	char keyring_directory[CONF_TEXT]; /* the same */
	char encryption_key[CONF_TEXT]; /* what opens crypt bundles, or empty */
	char encryption_cert[CONF_TEXT]; /* its certificate, or empty */
	struct trust_policy trust; /* [keyring]; now and floor left at 0 */
	unsigned slots;
	struct slot slot[CONF_SLOTS];
};

/* R_KEYFILE_*, R_CONF_MISSING, R_CONF_VALUE, R_KEYRING_KEY, R_LIMIT; d names
 * line or key. */
int conf_parse(
    struct conf *c, const void *text, size_t len, struct diag *d) MUST_CHECK;

/* Applies one "group:key=value" (rauc's -C) on top. Same errors. */
int conf_override(
    struct conf *c, const char *assignment, struct diag *d) MUST_CHECK;

/* A relative path of a file in either starts from the folder of that file,
 * whose name is conf; "pkcs11:" is no path. path: CONF_TEXT bytes. R_LIMIT. */
int conf_resolve(char *path, const char *conf, struct diag *d) MUST_CHECK;

/* What both do at their end: parents, and keys that exclude each other. */
int conf_check(struct conf *c, struct diag *d) MUST_CHECK;

/* The slot of this name, or -1. */
int conf_slot(const struct conf *c, const char *name);

/*
 * What RAUC has no word for: /etc/lifeboat.conf, then lifeboat.* of the
 * kernel command line. [recovery] wait=, retries=, ...; [trust] ...;
 * board/PORTING.md lists them.
 */
struct settings {
	unsigned settle_ms;     /* quiet time after the last device; 500 */
	unsigned wait_s;        /* without a medium, before the table's next
	                         * step; 60 */
	unsigned retries;       /* unattended new attempts for one content; 2 */
	unsigned stall_s;       /* a worker without progress is ended; 60 */
	unsigned watchdog_s;    /* hardware watchdog time-out; 60, 0: unused */
	char watchdog[32];      /* its device; "/dev/watchdog" */
	char bundle[CONF_TEXT]; /* lifeboat.bundle=: only this path */
	char serial[CONF_TEXT]; /* a line to receive over, as origin.h has it
	                         * behind "serial:"; "" */
	char report[CONF_TEXT]; /* what was said goes to the TFTP server under
	                         * this name, "%s": hardware address; "" */
	bool reinstall;         /* install even if the content is there */
	bool poweroff;          /* at the end instead of reboot */
	/* No floor for versions, by whoever writes the command line: only
	 * where the keyring is the development one (settings_release). */
	bool ignore_floor;
	/* [trust]: only the file says, never the command line, which the old
	 * system may have written */
	unsigned min_signers; /* see struct trust_policy; 0 */
	unsigned time;        /* 1 + enum time_policy; 0: as system.conf says */
	char min_version[CONF_TEXT]; /* no bundle below it; empty: none */
	bool status_floor;           /* nor below what the status file names */
	unsigned ignore_hooks;       /* enum manifest_code: see struct limits */
	char rauc_slot[BOOTNAME];    /* rauc.slot= of the command line, or "" */
	/* [data]: the partition on which RAUC keeps its status file */
	char data_device[CONF_TEXT];      /* as slot.device; empty: none */
	char data_type[16];               /* file system; "ext4" */
	char data_mount_point[CONF_TEXT]; /* in the main system; "/data" */
	char data_options[CONF_TEXT];     /* "errors=remount-ro"; may be "" */
	struct net_conf net;              /* [network], [tftp], ip= */
};

void settings_default(struct settings *s);

/* R_KEYFILE_*, R_CONF_VALUE, R_NET_CONFIG. An error may stand before what
 * [trust] says, so nothing may be installed after one. */
int settings_parse(struct settings *s, const void *text, size_t len,
    struct diag *d) MUST_CHECK;

/* The lifeboat.*, ip= and rauc.slot= words of a kernel command line; others are
 * passed over. A bad value is R_CONF_VALUE or R_NET_CONFIG; the rest is still
 * applied. */
int settings_cmdline(
    struct settings *s, const char *cmdline, struct diag *d) MUST_CHECK;

/* Takes back what only development images allow. */
void settings_release(struct settings *s);

/* What [trust] says, on top of what system.conf's [keyring] does. */
void settings_apply(const struct settings *s, struct trust_policy *t);

#endif
