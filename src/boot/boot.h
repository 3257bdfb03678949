/* SPDX-License-Identifier: 0BSD */
/*
 * The boot loader's memory: which bootname is tried next, how often. A back
 * end is a const struct in one table; one more is one file and one line.
 * The verbs are RAUC's. Pure: the stores are blks.
 */
#ifndef LIFEBOAT_BOOT_H
#define LIFEBOAT_BOOT_H

#include "base/blk.h"

#define BOOT_NAMES 8
#define BOOT_NAME 24
#define BOOT_STORES 2
#define BOOT_ENV_MAX 262144u   /* largest environment copy, bytes */
#define BOOT_ATTEMPTS_MAX 9u   /* U-Boot's own bootmeth reads decimal */
#define BOOT_ATTEMPTS_UNSET 3u /* what scripts take for a missing counter */
#define BOOT_MARK 72

struct boot_name_state {
	char name[BOOT_NAME];
	bool in_order;     /* may be tried at all */
	bool known;        /* has a counter of its own */
	unsigned attempts; /* left; capped at BOOT_ATTEMPTS_MAX */
};

/* What the store says, for decisions and for people. */
struct boot_state {
	bool valid; /* false: no readable store; the rest is defaults */
	unsigned count;
	struct boot_name_state name[BOOT_NAMES]; /* as given to boot_open */
	int primary;    /* index of the one to boot next, or -1: recovery */
	int first;      /* in the order, attempts or not; -1: none of them */
	char text[160]; /* 'BOOT_ORDER="A B" BOOT_A_LEFT=0 ...', printable */
	/* Unattended attempts made for one content, and which (LIFEBOAT_TRIES);
	 * kept in the same store, changed in the same write. */
	unsigned tries;
	uint8_t tries_id[4]; /* first bytes of the manifest's SHA-256 */
};

struct boot;

/* Out of the order, first in it, or, only when it is unset, made anew. */
enum boot_place { BOOT_OUT, BOOT_FIRST, BOOT_REPAIRED };

struct boot_ops {
	const char *name; /* as in system.conf: "uboot" */
	int (*load)(struct boot *b, struct diag *d);
	/* All of one verb in one durable write, or nothing. */
	int (*change)(struct boot *b, unsigned i, enum boot_place place,
	    unsigned attempts, struct diag *d);
};

/*
 * One static per process: holds a whole environment. The caller sets nor and
 * defaults before boot_open; the rest is the back end's.
 *
 * defaults is what an environment without a valid copy is made anew from: the
 * text of u-boot-initial-env. Empty (p not NULL, len 0): a private block that
 * holds nothing but the boot variables. p NULL: U-Boot's own environment, and
 * its defaults are not known: it is then left alone, since a valid one without
 * bootcmd would boot nothing. The verbs below succeed without a write, U-Boot
 * goes on with its built-in defaults, and head-last keeps that safe.
 */
struct boot {
	const struct boot_ops *ops;
	unsigned stores;
	struct blk *store[BOOT_STORES]; /* one copy each, exactly its size */
	bool nor; /* flags are NOR's: active 1, obsolete 0. A write of the
	           * one byte at offset 4 must then need no erase. */
	struct slice defaults;
	struct boot_state state; /* as last loaded or written */
	unsigned active;         /* store that is valid and newest */
	uint8_t serial;          /* its counter byte */
	size_t size;             /* of one copy */
	size_t head;             /* its bytes before the entries */
	bool full;               /* a variable found no room */
	size_t env_len;          /* bytes of "name=value" entries in env */
	uint8_t env[BOOT_ENV_MAX];
};

/*
 * bootloader is system.conf's word. names are all bootnames of system.conf,
 * in its order. Loads the state; a store that cannot be read or is invalid
 * is no error (state.valid is false, state.text says why).
 * R_BOOT_UNSUPPORTED, R_BOOT_NAME, R_BOOT_CONFIG, R_LIMIT.
 */
int boot_open(struct boot *b, const char *bootloader, struct blk *const *store,
    unsigned stores, const char *const *names, unsigned count,
    struct diag *d) MUST_CHECK;

/*
 * Attempts 0 and out of the order, which never ends without a known name: the
 * last one stays, with its 0. state.tries and tries_id as the caller set them
 * in b->state are stored with it. Durable and read back on return, as the two
 * below. R_BOOT_NAME: no such index. R_BOOT_FULL: no room, nothing written.
 * R_BOOT_IO: unreadable, or not written, flushed or kept; nothing but the
 * older copy was touched. U-Boot's own boot counter, where the environment has
 * one, is set along (src/FORMAT.md).
 */
int boot_mark_bad(struct boot *b, unsigned i, struct diag *d) MUST_CHECK;
/* Attempts as given (1..9); clears tries; repairs a missing order. */
int boot_mark_good(
    struct boot *b, unsigned i, unsigned attempts, struct diag *d) MUST_CHECK;
/* First in the order, attempts as given (1..9); tries as in boot_mark_bad. */
int boot_set_primary(
    struct boot *b, unsigned i, unsigned attempts, struct diag *d) MUST_CHECK;

/*
 * /etc/fw_env.config: up to two lines "device offset size [sector [count]]".
 * The offset is decimal or 0x. The others must be written with 0x (or be one
 * digit), because libubootenv reads them as hexadecimal in any case and
 * u-boot-tools do not. R_BOOT_CONFIG names the line; R_LIMIT.
 */
struct fw_env_copy {
	char device[96];
	int64_t offset; /* negative: from the end, as libubootenv */
	uint64_t size;
	uint64_t sector; /* erase size on MTD; 0: not given */
	unsigned sectors;
};

struct fw_env_config {
	unsigned copies;
	struct fw_env_copy copy[BOOT_STORES];
};

int fw_env_config_parse(struct fw_env_config *c, const void *text, size_t len,
    struct diag *d) MUST_CHECK;

#endif
