/* SPDX-License-Identifier: 0BSD */
/*
 * What a boot loader does with the bytes of its environment: a small model,
 * written from U-Boot's environment code and from RAUC's boot script, and on
 * purpose not from src/boot. It decides what boots next.
 */
#ifndef LIFEBOAT_BOOTMODEL_H
#define LIFEBOAT_BOOTMODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model {
	const uint8_t *copy[2];
	unsigned copies;
	size_t size; /* of each */
	bool nor;
	const char *const *names; /* the script's default BOOT_ORDER */
	unsigned count;
	int use; /* set by model_load: the copy U-Boot uses, -1: none valid */
};

enum { MODEL_RECOVERY = -1 };

/* Looks at the copies; again after their bytes have changed. */
void model_load(struct model *m);

/* The value of a variable in that copy; false when unset. */
bool model_get(const struct model *m, const char *name, char *dst, size_t cap);

/*
 * Boots until something stays up. starts tells whether the system of name i
 * comes up when it is started; if not, the machine is reset, one attempt
 * poorer. tried[i], if given, counts the attempts. Returns what stays up.
 */
int model_boot(const struct model *m, bool (*starts)(void *ctx, unsigned i),
    void *ctx, unsigned *tried);

#endif
