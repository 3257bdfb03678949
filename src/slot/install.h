/* SPDX-License-Identifier: 0BSD */
/*
 * The transaction: which slots, in which order, and what is durable when.
 * src/DESIGN.md has the argument step by step. Pure: slots are blks.
 */
#ifndef LIFEBOAT_INSTALL_H
#define LIFEBOAT_INSTALL_H

#include "base/blk.h"
#include "boot/boot.h"
#include "bundle/bundle.h"
#include "slot/conf.h"
#include "slot/status.h"

#define INSTALL_HEAD 4096u       /* written last (head-last) */
#define INSTALL_KEY 512u         /* see install_run */
#define INSTALL_FLUSH (4u << 20) /* bytes between flushes */
#define INSTALL_PIECE (128u << 10)

/* Which image goes to which slot. */
struct plan_item {
	unsigned image; /* index in manifest.image */
	unsigned slot;  /* index in conf.slot */
};

struct plan {
	unsigned root; /* the group's slot with the bootname, if it has one */
	int boot_name; /* its index among conf's bootnames, or -1 */
	unsigned count;
	struct plan_item item[MANIFEST_IMAGES]; /* the bootable one last */
};

/* What an owner asks of a bundle beyond its signature: [trust] of
 * lifeboat.conf, and what the status file says. All zero: nothing. */
struct limits {
	char floor[MANIFEST_TEXT]; /* no older version; empty: none */
	const char *floor_by;      /* whose it is, for people */
	unsigned ignored; /* enum manifest_code: accepted, and not run */
};

/* What the settings say. */
void limits_init(struct limits *l, const struct settings *s);

/* The higher floor wins. R_MANIFEST_VERSION: version is none. */
int limits_raise(struct limits *l, const char *version, const char *by,
    struct diag *d) MUST_CHECK;

enum install_rule {
	RULE_COMPATIBLE,  /* R_COMPATIBLE */
	RULE_CODE,        /* hooks and handlers: R_MANIFEST_HOOK */
	RULE_MIN_VERSION, /* min-bundle-version: R_MANIFEST_VERSION */
	RULE_FLOOR,       /* limits.floor: R_MANIFEST_VERSION */
	INSTALL_RULES
};

/* One of the rules for a bundle as such. l may be NULL. Where a floor is set,
 * a version that is no semantic version is refused. */
int install_check(enum install_rule rule, const struct conf *c,
    const struct limits *l, const struct manifest *m,
    struct diag *d) MUST_CHECK;

/*
 * Chooses the group and matches images to slots, if the bundle passes all
 * rules above. booted is the bootname or
 * slot that runs now: its group is never a target; "" for a recovery system
 * or _external_ (all are candidates).
 *
 * A group is a slot with a bootname and its children; where no slot has a
 * bootname, a slot without a parent and its children. Candidates are the
 * groups that have a slot for at least one image, and for the others there
 * must be a slot outside of them that is the only one of its class.
 * Preference among candidates: a group the boot loader would not boot, then
 * one that is not primary, then the first in system.conf (the only rule when
 * boot is NULL). An image with a variant is never taken.
 *
 * install_check's reasons, R_NO_SLOT_CLASS, R_IMAGE_TYPE, R_IMAGE_NONE,
 * R_NO_TARGET, R_TARGET_READ_ONLY.
 */
int install_plan(struct plan *p, const struct conf *c, const struct limits *l,
    const struct manifest *m, const struct boot_state *boot, const char *booted,
    struct diag *d) MUST_CHECK;

/* What stands in the planned slots now. */
enum slot_content {
	CONTENT_HALF,  /* a head is zero: an install was interrupted */
	CONTENT_OTHER, /* something else than this bundle */
	CONTENT_SAME,  /* this bundle's images, read to the last byte */
};

enum install_phase {
	PHASE_VERIFY,  /* reading the bundle to its last block */
	PHASE_COMPARE, /* is it there already? */
	PHASE_CHECK,   /* unpacking the images to their last byte */
	PHASE_WRITE,
	PHASE_READ_BACK,
	PHASE_RECEIVE, /* taking in what comes once; total UINT64_MAX: unknown
	                */
};

/* Bytes of all images. A non-zero return cancels, at a point where that is
 * safe; before the first PHASE_WRITE has returned nothing is touched. */
typedef int install_progress(
    void *ctx, enum install_phase phase, uint64_t done, uint64_t total);

/* Told what the status file is to say next. It returns when that is durable,
 * or when it cannot be, which is the callee's to tell: an install goes on
 * without. */
typedef void install_record(void *ctx, enum status_kind kind);

/* About 200 KiB: one static per process. The caller fills the first part. */
struct install {
	struct bundle *bundle; /* opened; verified, unless it is a stream */
	struct boot *boot;     /* NULL: bootloader=noop */
	const struct conf *conf;
	const struct plan *plan;
	struct blk *target[MANIFEST_IMAGES]; /* of plan->item[i] */
	install_progress *progress;          /* may be NULL */
	install_record *record;              /* may be NULL */
	void *ctx;
	/* What stands in the targets may be given up for a bundle that was not
	 * verified to its last block, which a stream cannot be; see
	 * policy_may_stream. */
	bool give_up_good;

	struct diag *d;       /* of the call */
	uint64_t done, total; /* of the phase, in bytes of images */
	struct bundle_image image;
	/* The item that is being worked on. */
	const struct manifest_image *what;
	struct blk *slot;
	const char *name; /* of the slot */
	uint64_t at;      /* offset of the last access to the slot */
	uint8_t *head;

	/* Of a stream: each image's two runs, and where each goes on. */
	struct bundle_image run[2 * MANIFEST_IMAGES];
	uint64_t where[2 * MANIFEST_IMAGES];
	uint8_t heads[MANIFEST_IMAGES][INSTALL_HEAD];
	uint8_t piece[INSTALL_PIECE];
};

/*
 * Reads slots (need not be writable) against the bundle, from the devices
 * themselves; ends at the first difference. Writable ones are flushed before,
 * so that CONTENT_SAME is durable. Of a stream nothing but its first bytes are
 * read: what counts then is the manifest's SHA-256, and a zero head is
 * CONTENT_HALF whatever the image begins with. Any reason of bundle_image_open
 * and bundle_image_read, R_TARGET_FLUSH, R_TARGET_READBACK (cannot be read),
 * R_CANCELLED.
 */
int install_compare(
    struct install *in, enum slot_content *content, struct diag *d) MUST_CHECK;

/* True when the first 4 KiB of a slot (all of a smaller one) are zero; for
 * boot state tables. R_TARGET_READBACK: it cannot be read. */
int install_head_empty(
    struct blk *slot, bool *empty, struct diag *d) MUST_CHECK;

/*
 * Mark bad, status pending, zero heads, bodies, flush, read back, heads,
 * flush, read back, mark primary (unless activate-installed is false), status
 * ok. Each step is durable before the next begins. boot->state.tries/tries_id
 * are set by the caller before. Heads are zeroed with the bootable one first
 * and written with it last.
 *
 * Within a head the sectors by which a system is known (INSTALL_KEY bytes at
 * 0: kernels, squashfs, vfat; at 1024: ext4, erofs, f2fs) go first when it is
 * zeroed and come last when it is written, that at 0 as the very first and
 * last, each in a write of its own: a head that a cut has torn inside is
 * recognised by nothing, and one that is recognised is whole. A device whose
 * sectors hold a whole head does not tear it.
 *
 * What is written: the image's bytes, holes as zeros, and behind the last one
 * zeros to the end of the device's sector where that fits the device; an
 * image below 4096 bytes is filled up to that. The rest of the slot keeps what
 * it had. What is read back and compared with the manifest's SHA-256: the head
 * in memory and the body from the device, then the head from the device.
 *
 * Nothing is touched on R_LAST_GOOD (the bundle was not verified to its last
 * block), R_IMAGE_MISSING, R_IMAGE_SIZE, R_TARGET_SMALL, R_TARGET_READ_ONLY,
 * R_BOOT_* of the first mark; nor, unless a head is zero already, on
 * R_IMAGE_HASH, R_VERITY_* and R_SQFS_*: every image is read once to its end
 * (PHASE_CHECK) before the slot is given up; a head that cannot be read is
 * taken for one that is there. On any other reason
 * (R_TARGET_WRITE, _FLUSH, _READBACK, R_CANCELLED, R_BOOT_*) the slot stays
 * marked bad, its bootable head zero or, if only the last step failed, wholly
 * new.
 *
 * A stream is not unpacked before: nothing is touched on R_LAST_GOOD (what
 * give_up_good forbids) and on what its first bytes tell (R_STREAM_INDEX,
 * R_IMAGE_MISSING, ...). The bodies of all images are written in the order in
 * which they come, and no head is before all of the stream was verified, to
 * its last block: on R_STREAM_*, R_VERITY_* and R_SQFS_* the heads stay zero.
 */
int install_run(struct install *in, struct diag *d) MUST_CHECK;

#endif
