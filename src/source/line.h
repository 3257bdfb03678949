/* SPDX-License-Identifier: 0BSD */
/*
 * A serial line. The owner of the descriptor (process 1, the command line)
 * sets it up and puts it back with ioctl; who only talks over it, in the
 * sandbox, needs read, write, poll and clock_gettime.
 *
 * Rates above 38400 and odd ones alike are asked for as numbers (BOTHER), so
 * every rate the hardware divides down to is there.
 */
#ifndef LIFEBOAT_LINE_H
#define LIFEBOAT_LINE_H

#include "base/base.h"
#include "base/reason.h"

#define LINE_BAUD_MAX 4000000
#define LINE_WINDOW 2048 /* for a line with LINE_FLOW_OFF, see modem.h */

/* Who holds the sender back while nobody reads here. */
enum line_flow {
	LINE_FLOW_AUTO, /* RTS/CTS when CTS is asserted now, and XON/XOFF */
	LINE_FLOW_ON,   /* RTS/CTS, and XON/XOFF */
	LINE_FLOW_OFF   /* nobody: give the modem a window */
};

/* What a line was set to before; filled by line_set, for line_restore. */
struct line_saved {
	bool valid;
	uint32_t termios2[16];
};

/* A rate in decimal, 50 to LINE_BAUD_MAX; 0 when text is none. */
unsigned line_baud(struct slice text);

/*
 * Makes fd raw (8 bits, no parity, one stop bit), at this rate (0: as it is).
 * What has come in stays: it may be how a sender begins. saved may be NULL.
 * R_LINE_CONFIG when fd is no terminal or refuses; a rate that the driver
 * replaces by one more than 3 % off is refused, and what was set before is put
 * back.
 */
int line_set(int fd, unsigned baud, enum line_flow flow,
    struct line_saved *saved, struct diag *d) MUST_CHECK;

/* Back to what it was, with what has come in meanwhile dropped, once all that
 * was written is sent, or a second is over. Does nothing when saved is not
 * valid. */
void line_restore(int fd, struct line_saved *saved);

/*
 * What a protocol needs of a line; the tests have one that is made up.
 * read waits at most ms (0: not at all) for at least one byte, *n is 0 when
 * there was none. write sends all of it, or gives up after LINE_WRITE_MS with
 * R_TIMEOUT. Both give R_IO when the line is gone. now is in milliseconds,
 * from any point on, and never goes back.
 */
#define LINE_WRITE_MS 10000
struct line_io {
	int (*read)(struct line_io *io, void *dst, size_t cap, size_t *n,
	    unsigned ms, struct diag *d);
	int (*write)(
	    struct line_io *io, const void *src, size_t len, struct diag *d);
	uint64_t (*now)(struct line_io *io);
};

/* A descriptor, as line_set left it; best opened O_NONBLOCK, so that no write
 * waits for a sender that holds us back. It stays the caller's. */
struct line_fd {
	struct line_io io;
	int fd;
};

void line_fd_init(struct line_fd *l, int fd);

#endif
