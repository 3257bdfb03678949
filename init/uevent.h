/* SPDX-License-Identifier: 0BSD */
/*
 * One kernel uevent ("add@/devices/...", then KEY=VALUE texts) as slices into
 * the message. Pure: the socket is in netlink.c.
 */
#ifndef LIFEBOAT_UEVENT_H
#define LIFEBOAT_UEVENT_H

#include "base/base.h"

#define UEVENT_MAX 8192 /* largest message read; the kernel's are <= 4 KiB */
#define UEVENT_VARS 64  /* as the kernel's UEVENT_NUM_ENVP */

enum uevent_action { UEVENT_OTHER, UEVENT_ADD, UEVENT_REMOVE, UEVENT_CHANGE };

struct uevent {
	enum uevent_action action;
	struct slice subsystem; /* "block"; empty when not given */
	struct slice devname;   /* "sda1" */
	bool media_change;      /* a card reader has another card */
};

/*
 * False, with *e empty, when the message has no '@' in its first text, does
 * not end in a NUL, or has more than UEVENT_VARS variables.
 */
bool uevent_parse(struct uevent *e, const void *msg, size_t len) MUST_CHECK;

#endif
