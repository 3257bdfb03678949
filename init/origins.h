/* SPDX-License-Identifier: 0BSD */
/*
 * Where else a bundle may come from when no medium has one: a TFTP server, a
 * serial line, as the settings name them, one after the other and then again
 * after a pause that grows. Never waits.
 */
#ifndef LIFEBOAT_ORIGINS_H
#define LIFEBOAT_ORIGINS_H

#include <poll.h>

#include "slot/conf.h"
#include "source/feed.h"

/* s stays valid. */
void origins_begin(const struct settings *s);

/* From now on: a search found nothing on media, and no pause is under way. */
void origins_want(uint64_t now_ms);
/* No more: something was plugged in, a person decided. The next
 * origins_want() begins with the first, without a pause. */
void origins_forget(void);

/*
 * 1: origin (FEED_NAME bytes) is to be tried now, and origins_tried() told
 * what came of it. 0: nothing yet, or nothing wanted. A reason of
 * network_begin(), or R_LINE_CONFIG: this one cannot be tried, and the next
 * will be.
 */
int origins_step(char *origin, uint64_t now_ms, struct diag *d) MUST_CHECK;
void origins_tried(uint64_t now_ms);

/* Milliseconds until origins_step may have something; -1: nothing. */
int origins_timeout_ms(uint64_t now_ms);

#endif
