/* SPDX-License-Identifier: 0BSD */
/*
 * Where a bundle comes from, as people write it: a path, "-", or
 *   tftp://ADDRESS[:PORT]/FILE       an IPv4 address: there is no resolver
 *   serial:DEVICE[,WORD...]          words: a baud rate, xmodem, ymodem,
 *                                    ymodem-g, zmodem, rtscts, noflow
 * What opens it is the owner's business.
 */
#ifndef LIFEBOAT_ORIGIN_H
#define LIFEBOAT_ORIGIN_H

#include "source/feed.h"
#include "source/line.h"
#include "source/modem.h"
#include "source/tftp.h"

enum origin_kind { ORIGIN_FILE, ORIGIN_PIPE, ORIGIN_TFTP, ORIGIN_SERIAL };

struct origin {
	enum origin_kind kind;
	char name[FEED_NAME];     /* as it was written, cut */
	struct tftp_request tftp; /* its file is the one below */
	char file[TFTP_NAME];
	char device[64];
	unsigned baud; /* 0: as it is */
	enum line_flow flow;
	enum modem_protocol protocol;
};

/* R_NET_CONFIG, R_LINE_CONFIG. What names no other kind is a path. */
int origin_parse(struct origin *o, const char *text, struct diag *d) MUST_CHECK;

#endif
