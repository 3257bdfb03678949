/* SPDX-License-Identifier: 0BSD */
/*
 * Receives one file over a serial line by XMODEM (checksum, CRC, blocks of
 * 1024), YMODEM (the same with name and size, and -G) or ZMODEM (CRC of 16
 * and 32 bits). src/FORMAT.md, "Serial", has what goes over the line and when.
 *
 * Always true, whatever comes in: only bytes of a block whose check was right
 * are handed out, each once and in order; a call returns within
 * MODEM_STALL_S (modem_open: patience, and 10 seconds more for a sender that
 * has begun to speak), 12 seconds to close the session, and what a write may
 * take (line.h), and either goes on or ends with a reason. What was begun and
 * fails is cancelled, so that the sender stops.
 *
 * XMODEM has no length: the last block is filled up with 0x1a, which belongs
 * to the file as far as anybody can tell. Whoever reads has to know by itself
 * where its data ends, and should read on to the end all the same, so that
 * the sender learns that all has arrived.
 */
#ifndef LIFEBOAT_MODEM_H
#define LIFEBOAT_MODEM_H

#include "source/feed.h"
#include "source/line.h"

#define MODEM_STALL_S 120 /* without a new byte; to restart a ZMODEM sender */
#define MODEM_TRIES 24    /* bad blocks with no good one among them */
#define MODEM_BLOCK 8192  /* longest ZMODEM subpacket */

enum modem_protocol {
	MODEM_AUTO, /* what the sender begins with, but not YMODEM-G */
	MODEM_XMODEM,
	MODEM_YMODEM,
	MODEM_YMODEM_G, /* nothing is sent twice: for lines without errors */
	MODEM_ZMODEM
};

struct modem_request {
	struct line_io *io; /* the caller's, outlives the modem */
	enum modem_protocol protocol;
	unsigned patience; /* seconds until a file has to begin */
	/*
	 * What a ZMODEM sender may send before it has to wait for an answer:
	 * LINE_WINDOW on a line that nobody holds back, so that a reader that
	 * pauses loses nothing as long as the kernel keeps 4 KiB; else 0.
	 * lrzsz up to 0.12.21 takes no notice; what is lost comes again.
	 */
	unsigned window;
};

/* About 9 KiB. feed.ops->name is the protocol: "xmodem", "ymodem",
 * "ymodem-g" or "zmodem". */
struct modem {
	struct feed feed;
	struct line_io *io;
	enum modem_protocol protocol;
	unsigned window;
	int failed;        /* what every further read gives, or 0 */
	uint64_t clock;    /* when the line was last looked at */
	uint64_t deadline; /* when this call fails */
	uint64_t offset;   /* bytes of the file that arrived */
	uint64_t asked;    /* when ZMODEM last said what it waits for */
	unsigned errors;   /* since the last good block */
	uint32_t identity; /* CRC of a ZMODEM file's name and size */
	uint32_t pos;      /* of the last ZMODEM header */
	uint32_t skip;     /* bytes to come that are here already */
	uint16_t in_at, in_len, at, len; /* in in[] and block[] */
	uint8_t expected;                /* X/Y: number of the next block */
	uint8_t asks;                    /* ZMODEM: without an answer */
	uint8_t cancels;                 /* CAN in a row */
	bool begun, ended, heard;        /* the file; any byte at all */
	bool checksum, first;            /* X/Y: check of one byte; unknown */
	bool confused;                   /* X/Y: the sender, by our ZRINIT */
	bool crc32, in_frame;            /* ZMODEM: what comes next */
	bool restarted;                  /* ZMODEM: the sender, needs ZRINIT */
	uint8_t in[512];
	uint8_t block[MODEM_BLOCK];
};

/*
 * Waits until a file begins; feed then has its name and, but for XMODEM,
 * mostly its size. The feed's read gives its bytes; at its end the session
 * has been closed properly, further files of a batch were refused (YMODEM
 * has no way but to cancel then). Besides those of a feed:
 * R_LINE_SILENT nothing came; R_LINE_PROTOCOL something came, but none of
 * the protocols; R_LINE_CANCELLED by the sender; R_LINE_NOISE MODEM_TRIES
 * bad blocks; R_TIMEOUT the sender stopped; R_STREAM_CUT it ended, or began
 * with another file, before the end of this one; R_NET_SIZE the file has
 * another size than was announced.
 */
int modem_open(
    struct modem *m, const struct modem_request *q, struct diag *d) MUST_CHECK;

/* Ends what is under way: cancels, so that the sender stops, and drops what
 * it still sends for at most 5 seconds. Nothing when the end was read. */
void modem_close(struct modem *m);

/* "auto", "xmodem", "ymodem", "ymodem-g", "zmodem"; -1 when text is none. */
int modem_protocol(struct slice text);

#endif
