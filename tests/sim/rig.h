/* SPDX-License-Identifier: 0BSD */
/*
 * A whole device on simulated disks: four slots in two groups, the boot
 * loader's memory, a data partition, a boot loader (bootmodel.h) and a
 * recovery that does what process 1 and its installer child do with a stick
 * in. What it does is the product's own code: facts.c, policy.c, plan.c,
 * install.c, status.c and src/boot; only the processes are not there.
 *
 * A program that uses it includes worker_double.h in one of its files.
 */
#ifndef LIFEBOAT_RIG_H
#define LIFEBOAT_RIG_H

#include "oracle.h"
#include "simdisk.h"
#include "simfile.h"
#include "slot/install.h"
#include "slot/policy.h"

#define RIG_SLOTS 4 /* rootfs.0, kernel.0, rootfs.1, kernel.1 */
#define RIG_SLOT 12288u
#define RIG_ENV 640u /* one sector and a bit */
#define RIG_BOOTS 40 /* a device that comes to no end in these never does */

/* Where the boot state is, and who makes it when it is lost. */
enum rig_env {
	ENV_NONE,       /* bootloader=noop */
	ENV_SINGLE,     /* one copy, a private block */
	ENV_REDUNDANT,  /* two of them */
	ENV_HALF,       /* the same, only the first is valid */
	ENV_NOR,        /* two on NOR flash: erased before they are written */
	ENV_OWN_SINGLE, /* U-Boot's own environment, defaults unknown */
	ENV_OWN,        /* the same, two copies */
	ENV_NOR_SINGLE, /* one copy on NOR flash */
	RIG_ENVS,
};

enum rig_start {
	START_UPGRADE,     /* an old system, boots */
	START_EXHAUSTED,   /* an old system, attempts used up */
	START_FRESH,       /* empty slots, no environment */
	START_REINSTALL,   /* the new system already; the operator insists */
	START_REARM,       /* the new system, attempts used up */
	START_INTERRUPTED, /* zero heads, marked bad */
	RIG_STARTS,
};

enum rig_classes {
	CLASSES_ROOTFS,       /* an image for rootfs */
	CLASSES_TWO,          /* kernel and rootfs */
	CLASSES_SMALL_KERNEL, /* the same, the kernel is below 4096 bytes */
	RIG_CLASSES,
};

enum rig_groups {
	GROUPS_ONE,    /* A and recovery */
	GROUPS_TWO,    /* A and B, both of which may be written */
	GROUPS_BOOTED, /* A and B, and B is the one that runs */
	RIG_GROUPS,
};

enum rig_store {
	STORE_NONE,    /* no status file is configured */
	STORE_EMPTY,   /* no file yet */
	STORE_OLD,     /* one that RAUC has written */
	STORE_DAMAGED, /* one that is no key file */
	RIG_STORES,
};

/* What is on rootfs; see oracle_kind. */
enum rig_kind {
	KIND_FIRST,     /* known by sector 0 */
	KIND_EXT4,      /* by sector 2, the two before are zero */
	KIND_EXT4_BOOT, /* by sector 2, with a boot sector that is not run */
	KIND_CHAIN,     /* by both */
	KIND_CHANGED,   /* squashfs before, ext4 after: by their magic */
	RIG_KINDS,
};

struct scenario {
	enum rig_env env;
	enum loader_kind loader;
	enum rig_classes classes;
	enum rig_groups groups;
	bool shared; /* all on one disk with one cache */
	enum rig_store store;
	enum rig_start start;
	uint32_t sector; /* 512 or 4096 */
	enum rig_kind kind;
	bool stream; /* the bundle comes once, and is verified as it comes */
};

/* False for set-ups that make no sense (a loader without its environment). */
bool scenario_valid(const struct scenario *s);
/* The next sensible combination of all values, in a fixed, shuffled order;
 * *n is 0 before the first. False: that was the last. */
bool scenario_next(unsigned long *n, struct scenario *s);
void scenario_print(const struct scenario *s, char *dst, size_t cap);
extern const char *const rig_env_name[RIG_ENVS];

/* What is wrong with the installer: see mutants.h. A hook that is NULL does
 * nothing. */
struct mischief {
	void *ctx;
	struct blk *(*slot)(void *ctx, unsigned slot, struct blk *b);
	struct blk *(*env)(void *ctx, unsigned i, struct blk *b);
	void (*boot)(void *ctx, struct boot *b);
	void (*plan)(void *ctx, struct plan *p);
	void (*file)(void *ctx, struct simfile *f);
	bool (*record)(void *ctx, enum status_kind *kind);
};

/* Windows onto a machine's disks. */
struct rig {
	struct sim sim;
	struct blk_window slot[RIG_SLOTS], env[2], data;
	bool env_was_lost;
};

/* Images of the bundle; the worker double's bundle is made from them. */
struct rig_image {
	const uint8_t *p;
	size_t size;
	char sha256[65];
};

#define MODEL_UNLOADED (-9)

/* Everything about the scenario that no run changes. */
struct rig_world {
	struct scenario sc;
	struct conf conf;
	unsigned names;  /* bootnames in use */
	unsigned copies; /* of the environment */
	const char *booted;
	struct rig_image image[2]; /* rootfs, kernel */
	uint8_t before[RIG_SLOTS][RIG_SLOT], env[2][RIG_ENV];
	int env_before; /* model_load's answer for env, or MODEL_UNLOADED */
	uint8_t data[24576];
	size_t data_size;
	bool target[RIG_SLOTS]; /* what may be written */
};
extern struct rig_world rig_world;

/*
 * Prepares rig_world; the bundle of the worker double must be there, with
 * images as given (kernel NULL: rootfs only).
 */
void rig_world_make(const struct scenario *s, const struct rig_image *rootfs,
    const struct rig_image *kernel);
/* Images for a scenario, of the kind it says; p: RIG_SLOT bytes each. */
void rig_images(const struct scenario *s, uint8_t *rootfs, size_t *rootfs_size,
    uint8_t *kernel, size_t *kernel_size);
/* A device as it was before the first run. */
void rig_build(struct rig *r);

/* One visit to recovery. */
struct visit {
	bool stick;  /* a medium with the bundle is plugged in */
	bool forced; /* somebody presses i */
	const struct mischief *mischief;
	/* filled: */
	enum policy_action action; /* what was decided, and done if ok */
	int reason;                /* 0, or why it was not done */
	bool stalled;              /* the worker was ended by its owner */
	bool told;                 /* the status file said all it should */
	unsigned boots;            /* rig_live: until then */
	struct diag d;
};
void rig_visit(struct rig *r, struct visit *v);
/* For mutants: what install_run would have recorded now. */
void rig_record(enum status_kind kind);

/* The power comes on: loader, and recovery whenever that is what boots, until
 * a system is up or nothing happens any more. */
enum rig_end {
	END_UP_NEW, /* the new system runs */
	END_UP,     /* another one does */
	END_WAITS,  /* recovery waits for a person */
	END_STUCK,  /* the loader goes round in circles */
	END_FAILED, /* a visit ended with v->reason */
	END_HALF,   /* half a system was started */
	END_NEVER,  /* RIG_BOOTS were not enough */
};
enum rig_end rig_live(struct rig *r, struct visit *v);

/* Asks the oracle. told: the status file must have the record. */
bool rig_judge(
    struct rig *r, enum oracle_when when, bool told, struct oracle_verdict *v);

/* A copy of the environment is valid. */
bool rig_env_valid(struct rig *r);

/* All caches gone, or all on the medium. */
void rig_cut(struct rig *r, bool survive);

#endif
