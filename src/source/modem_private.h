/* SPDX-License-Identifier: 0BSD */
/*
 * What modem.c, xmodem.c and zmodem.c share. All bytes come through
 * modem_byte, which fails when the deadline of the call is over: so every
 * loop that reads ends.
 */
#ifndef LIFEBOAT_MODEM_PRIVATE_H
#define LIFEBOAT_MODEM_PRIVATE_H

#include "source/modem.h"

enum {
	SOH = 0x01,
	STX = 0x02,
	EOT = 0x04,
	ACK = 0x06,
	XON = 0x11,
	XOFF = 0x13,
	NAK = 0x15,
	CAN = 0x18,
	ZPAD = '*',
	SILENT = 0x100 /* in place of a byte: there was none */
};

#define ASK_MS 3000  /* silence before we ask (again) for what we wait for */
#define QUIET_MS 150 /* silence that ends a burst of bytes */

/* The next byte, SILENT after ms without one, or a reason, which is
 * R_LINE_CANCELLED when the sender has sent CAN five times. */
int modem_byte(struct modem *m, unsigned ms, struct diag *d);
int modem_send(struct modem *m, const void *p, size_t n, struct diag *d);
int modem_put(struct modem *m, uint8_t c, struct diag *d);

/* Drops what comes, until nothing came for ms: 0 or a reason. */
int modem_purge(struct modem *m, unsigned ms, struct diag *d);

/* Counts a bad block: 0, or R_LINE_NOISE when there were too many. */
int modem_bad(struct modem *m, struct diag *d);

/* n new bytes of the file are in block: 0, or R_NET_SIZE. */
int modem_good(struct modem *m, size_t n, struct diag *d);

/* Name and size of "name NUL size ...", block[at] to block[len]; false when
 * it is none. An empty name is one. */
bool modem_info(struct modem *m);

int modem_no_file(struct diag *d);
uint16_t modem_crc16(uint16_t crc, const void *p, size_t n);

/* After SOH or STX, after ZPAD while no file has begun: 0 it has, 1 not yet,
 * or a reason. */
int xmodem_first(struct modem *m, uint8_t start, struct diag *d);
int zmodem_first(struct modem *m, struct diag *d);

/* The next bytes into block from at to len, or sets ended: 0 or a reason. */
int xmodem_next(struct modem *m, struct diag *d);
int zmodem_next(struct modem *m, struct diag *d);

/* Says that we are ready to receive by ZMODEM. */
int zmodem_invite(struct modem *m, struct diag *d);

/* feed.ops of each protocol, in the order of enum modem_protocol. */
extern const struct feed_ops modem_ops[];

#endif
