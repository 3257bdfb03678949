/* SPDX-License-Identifier: 0BSD */
/* The back ends' const structs, for the table in boot.c. Pure. */
#ifndef LIFEBOAT_BOOT_BACKENDS_H
#define LIFEBOAT_BOOT_BACKENDS_H

#include "boot/boot.h"

extern const struct boot_ops boot_uboot;
extern const struct boot_ops boot_noop;

/* Everything but count and the names: what holds without a readable store,
 * and in text why there is none. */
void boot_state_default(struct boot_state *s, const char *why);

#endif
