/* SPDX-License-Identifier: 0BSD */
/*
 * What a boot loader does with the bytes of its environment: a small model of
 * each kind, written from its documentation, and on purpose not from src/boot.
 * It decides what boots next and what the environment holds then.
 * tests/diff/loaders.sh compares the models with the real loaders.
 *
 * The environment itself is U-Boot's (env/common.c, env/flash.c and
 * lib/hashtable.c of 2023.01): the data of the newer valid copy counts; an
 * entry without a value deletes the name, of several the last counts, blanks
 * before a name are none of it, # begins a comment, and a backslash goes from
 * before any character. It is written sorted by name, backslashes doubled,
 * into the other copy with the next flag; on NOR the flag is 1 and the old
 * copy's becomes 0 afterwards. What has no room is not written at all. The
 * model leaves out what loaders do at an entry with an empty name.
 */
#ifndef LIFEBOAT_BOOTMODEL_H
#define LIFEBOAT_BOOTMODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_NAMES 8
#define MODEL_ENV 16384 /* largest copy, bytes */

enum loader_kind {
	/*
	 * board/qemu-arm64/boot.cmd, and what board/PORTING.md asks for, with
	 * any names: the first in BOOT_ORDER whose BOOT_x_LEFT is not 0.
	 * Hexadecimal, 9 at most, unset is 3; an unset order is all names.
	 * Decremented, written and read back before the start; what cannot be
	 * counted or started leads to recovery, and nothing is ever refilled.
	 * An environment without a valid copy becomes a new one.
	 */
	LOADER_SCRIPT,
	/*
	 * RAUC's contrib/uboot.sh as of 2025 (docs/integration.rst, "Set up
	 * U-Boot Boot Script"): the same choice, not capped. When nothing
	 * is left all counters, not the order, are set to 3, and it resets: no
	 * way to recovery. A failed saveenv is ignored. The model leaves out
	 * bootargs and load_kernel, which saveenv stores too.
	 */
	LOADER_RAUC,
	/* contrib/uboot.sh of RAUC 1.8 (Debian 12): the counter is compared as
	 * `test` reads numbers (0x, 0 for octal, else decimal) and decremented
	 * as hexadecimal. */
	LOADER_RAUC_18,
	/*
	 * U-Boot's bootmeth_rauc (boot/bootmeth_rauc.c and
	 * doc/develop/bootstd/rauc.rst, 2025; no U-Boot in Debian 12 has it,
	 * so that only these two stand behind this): decimal; unset means 3; a
	 * word in the order that is no configured name, or has no boot script
	 * (has), fails the whole method before anything is counted, and so
	 * does a variable that cannot be saved. After a method that fails,
	 * bootcmd starts recovery.
	 */
	LOADER_BOOTMETH,
	/* With BOOTMETH_RAUC_RESET_ALL_ZERO_TRIES: when nothing is left, all
	 * counters become 3 (the order stays, whatever the document says), and
	 * it resets. */
	LOADER_BOOTMETH_RESET,
	/*
	 * U-Boot's boot count limit, kept in the environment
	 * (doc/api/bootcount.rst, drivers/bootcount/bootcount_env.c): only
	 * while upgrade_available is not 0 each boot adds 1 to bootcount and
	 * saves it. bootcmd starts name 0, whatever BOOT_ORDER says; more than
	 * bootlimit (unset or 0: never) runs altbootcmd, which starts
	 * recovery. Decimal.
	 */
	LOADER_BOOTCOUNT,
	/* RAUC's bootloader=noop: name 0 is started by something that has no
	 * environment; where it does not start, the ROM or a button leads to
	 * recovery. */
	LOADER_NOOP,
	LOADERS,
};

struct loader {
	const char *name;
	bool order;    /* BOOT_ORDER and BOOT_x_LEFT decide */
	bool recovery; /* ends in recovery by itself when nothing starts */
};

extern const struct loader model_loader[LOADERS];

struct model {
	const uint8_t *copy[2];
	unsigned copies;
	size_t size; /* of each */
	bool nor;
	const char *const *names; /* the loader's configured ones, in order */
	unsigned count;
	int use; /* set by model_load: the copy U-Boot uses, -1: none valid */
	enum loader_kind loader;
	bool read_only; /* the environment cannot be written */
	/* Whether there is anything to start for name i; NULL: always. */
	bool (*has)(void *ctx, unsigned i);
};

enum {
	MODEL_RECOVERY = -1,
	MODEL_RESET = -2, /* the loader resets by itself, and begins anew */
	MODEL_STUCK = -3, /* goes round in circles: nothing stays up, ever */
};

/* Looks at the copies; again after their bytes have changed. */
void model_load(struct model *m);

/* The value of a variable in that copy; false when unset. */
bool model_get(const struct model *m, const char *name, char *dst, size_t cap);

/*
 * Boots until something stays up. starts tells whether the system of name i
 * comes up when it is started; if not, the machine is reset, one attempt
 * poorer. tried[i], if given, counts the attempts. Returns what stays up:
 * a name's index, MODEL_RECOVERY or MODEL_STUCK. Writes nothing.
 */
int model_boot(const struct model *m, bool (*starts)(void *ctx, unsigned i),
    void *ctx, unsigned *tried);

/* One boot: what is started, and what was written before. */
struct model_next {
	int start;    /* index, MODEL_RECOVERY or MODEL_RESET */
	int attempt;  /* index of what was counted, started or not; -1 */
	int written;  /* the copy that becomes bytes; -1: none */
	int obsolete; /* NOR: the copy whose flag then becomes 0; -1 */
	uint8_t bytes[MODEL_ENV];
};

/* ctx is for has. Apply it with model_apply, or not at all: then the power
 * failed before the write. */
void model_next(const struct model *m, void *ctx, struct model_next *n);

/* Puts what was written into the copies, and loads them. copy: m's own. */
void model_apply(
    struct model *m, uint8_t *const *copy, const struct model_next *n);

#endif
