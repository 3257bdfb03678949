/* SPDX-License-Identifier: 0BSD */
/*
 * The judge of the power-cut proof. It sees bytes and nothing else: what the
 * slots hold now, what they held before the first run, what they are meant to
 * hold, the boot loader's memory (bootmodel.h), the status file. It answers
 * what boots next, and what is wrong. It knows nothing of how an install is
 * made, and calls nothing of src/. Works on simulated disks and on mapped
 * images of real ones alike; nothing is copied, nothing is changed.
 */
#ifndef LIFEBOAT_ORACLE_H
#define LIFEBOAT_ORACLE_H

#include "bootmodel.h"

#define ORACLE_SLOTS 16
#define ORACLE_GROUPS 8
#define ORACLE_KEEPS 8

/* By what a boot loader (or the kernel that it starts) takes a slot for a
 * system. Anything but zeros there counts as recognised, which is more than
 * any real one takes. */
enum oracle_kind {
	ORACLE_MEMBER,    /* not looked at: its group's other slots decide */
	ORACLE_SECTOR0,   /* kernel, squashfs, vfat: bytes 0 to 511 */
	ORACLE_EXT4,      /* bytes 1024 to 1535; what is before is not read */
	ORACLE_EXT4_BOOT, /* started by its boot sector: both */
	ORACLE_ANY,       /* by magic: squashfs at 0, arm64 Image at 56, ext4 at
	                   * 1080 (then what is before 1024 is not read) */
};

struct oracle_slot {
	const char *name; /* in system.conf and the status file: "rootfs.0" */
	int group;        /* index in model.names, or -1: in none */
	enum oracle_kind kind;
	size_t size;
	const uint8_t *now, *before; /* size bytes each */
	/* What it is to hold; NULL: no target. Two groups may be targets: the
	 * one that boots at the end is then judged as the one that was. */
	const uint8_t *image;
	size_t image_size;
	const char *image_sha256; /* 64 lower-case digits; NULL: not judged */
	uint32_t sector;          /* of its device: what is filled up */
};

/* Bytes of anybody else, which must stay as they are. */
struct oracle_keep {
	const char *name;
	const uint8_t *now, *before;
	size_t len;
};

/* What the run before the look had come to. */
enum oracle_when {
	ORACLE_CUT,  /* it was cut, or it failed */
	ORACLE_DONE, /* it said that it is done */
};

struct oracle {
	enum oracle_when when;
	unsigned slots, keeps;
	struct oracle_slot slot[ORACLE_SLOTS];
	struct oracle_keep keep[ORACLE_KEEPS];
	struct model model;        /* the copies as they are */
	struct model model_before; /* as they were; loaded by the caller */
	bool marks; /* the loader knows bad slots: BOOT_ORDER, BOOT_x_LEFT */
	/* A cut has lost the environment before (a single copy): what was in
	 * it is not asked for any more. */
	bool env_was_lost;
	/* The status file; text NULL: there is none. */
	struct oracle_status {
		const char *text;
		size_t len;
	} status, status_before;
	bool status_works; /* a finished run must have left its record */
};

/* What is wrong, or-ed. */
#define ORACLE_WRONGS(X) \
	X(HALF_STARTED, "half a system is started") \
	X(NOT_BAD, "an untrustworthy slot is not marked bad") \
	X(ORDER_EMPTY, "the boot order is empty") \
	X(VARIABLE, "a foreign variable is lost or changed") \
	X(COPIES, "both copies of the environment are invalid") \
	X(OUTSIDE, "something outside of the images was written") \
	X(STRANGE, "a target holds bytes that are nobody's") \
	X(OTHER_LOST, "the other system is not found any more") \
	X(DEFAULTS, "half a system is started by a lost environment") \
	X(STATUS, "the status file claims what its slot does not hold") \
	X(STATUS_TORN, "the status file is lost or torn") \
	X(NOT_NEW, "it is done, and a slot is not the new system") \
	X(NOT_NEXT, "it is done, and the new system does not boot") \
	X(NOT_TOLD, "it is done, and the status file does not say so")

enum oracle_bit {
#define ORACLE_BIT(name, text) ORACLE_BIT_##name,
	ORACLE_WRONGS(ORACLE_BIT)
#undef ORACLE_BIT
	    ORACLE_BITS
};

enum {
#define ORACLE_MASK(name, text) ORACLE_##name = 1 << ORACLE_BIT_##name,
	ORACLE_WRONGS(ORACLE_MASK)
#undef ORACLE_MASK
};

struct oracle_verdict {
	int boots;       /* index in model.names, or a MODEL_ value */
	unsigned wrong;  /* ORACLE_* */
	char where[128]; /* slot, variable or area of the last wrong thing */
	bool env_valid;
	unsigned tried[ORACLE_GROUPS];
	/* Of the slots of each group that are targets, and do they start. */
	bool whole_old[ORACLE_GROUPS], whole_new[ORACLE_GROUPS];
	bool recognised[ORACLE_GROUPS];
	bool exact[ORACLE_GROUPS]; /* whole_new, to the bytes nobody reads */
};

/* Loads model (model_load), not model_before. True when nothing is wrong. */
bool oracle_judge(struct oracle *o, struct oracle_verdict *v);

/* Only the slots: boots, tried and env_valid are not filled, and of what is
 * wrong only what concerns their bytes. */
void oracle_look(const struct oracle *o, struct oracle_verdict *v);

/* The text of one bit of wrong. */
const char *oracle_text(enum oracle_bit bit);

/* The value of a key in [slot.NAME] of a status file; false: none. */
bool oracle_status_get(struct oracle_status s, const char *slot,
    const char *key, char *dst, size_t cap);

#endif
