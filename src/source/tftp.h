/* SPDX-License-Identifier: 0BSD */
/*
 * TFTP client over IPv4: RFC 1350, options RFC 2347, blksize 2348, timeout
 * and tsize 2349, windowsize 7440. Reads a file as a feed, writes one from a
 * feed. The protocol knows the world only as struct tftp_io; tftp_socket_io()
 * is the real one, over one unconnected UDP socket on a random port, with
 * sendmsg, recvmsg, ppoll and clock_gettime.
 *
 * The window is agreed on once, and a server sends all of it behind whatever
 * was acknowledged. While nothing is lost a whole window is acknowledged at a
 * time. When a block is missing, the last one in order is acknowledged at once,
 * so that the server turns round there and not at the window's end; what came
 * behind the gap is kept. When the end of a window got lost, so much as came
 * is from then on acknowledged without waiting for more; it grows by a block
 * with eight windows, and to the whole as soon as blocks come twice. Nothing is
 * acknowledged because it came twice, so that doubled packets stay without
 * consequence.
 */
#ifndef LIFEBOAT_TFTP_H
#define LIFEBOAT_TFTP_H

#include "source/feed.h"

#define TFTP_PORT 69
#define TFTP_POOL KIB(96) /* blocks kept: as many as fit */
#define TFTP_HELD 64      /* blocks kept behind a gap, at most */
#define TFTP_WINDOW 128   /* blocks asked for at a time, at most */
#define TFTP_BLOCK_MIN 8
#define TFTP_BLOCK 512        /* without the option blksize */
#define TFTP_BLOCK_MAX 16384u /* of larger ones too few would be kept */
#define TFTP_HEADERS 32       /* of IPv4, UDP and TFTP */
#define TFTP_NAME 256         /* of a file on the server, with NUL */

/* Milliseconds of silence after which a server counts as not there, and a
 * transfer as ended; only time spent waiting counts. */
#define TFTP_QUIET 30000u

struct tftp_peer {
	uint32_t host; /* 0x0a000202 is 10.0.2.2 */
	uint16_t port;
};

struct tftp_io;

struct tftp_io_ops {
	/* One datagram. What cannot be sent is lost, as on any network. */
	void (*send)(
	    struct tftp_io *io, struct tftp_peer to, const void *p, size_t len);
	/*
	 * Waits at most *wait milliseconds (0: takes what is there) for one
	 * datagram, and takes off *wait what it waited. The first bytes go
	 * into head, the others, as far as they fit, into body; *len is the
	 * length of all, also of what did not fit. Returns 1; 0 when none
	 * came; R_NET_SERVER when the network says that nobody is there, at
	 * *from.
	 */
	int (*receive)(struct tftp_io *io, struct tftp_peer *from,
	    uint8_t head[4], void *body, size_t cap, size_t *len,
	    uint32_t *wait);
	/* Milliseconds, from any moment on; may wrap. */
	uint32_t (*now)(struct tftp_io *io);
};

struct tftp_io {
	const struct tftp_io_ops *ops;
};

struct tftp_request {
	struct tftp_peer server; /* port 0: TFTP_PORT */
	const char *file;        /* at most TFTP_NAME with NUL */
	unsigned mtu;            /* of the interface; 0: blocks of 512 bytes */
	unsigned window;  /* 1 to TFTP_WINDOW, 0: TFTP_WINDOW; reads only */
	unsigned timeout; /* the server's, 1 to 255 s; 0: as it likes */
};

/*
 * One transfer at a time; all of it is this module's. Large: a static object.
 * Of the pool only what is used is touched: three blocks while nothing is
 * lost.
 */
struct tftp {
	struct feed feed;
	struct tftp_io *io;
	struct tftp_peer peer; /* port 0: has not answered yet, or has ended */
	/* Blocks are counted from 1 and do not wrap. out <= next. */
	uint64_t out;    /* to be handed out next */
	uint64_t next;   /* the first that has not come */
	uint64_t acked;  /* acknowledged last */
	uint64_t cursor; /* behind the one that came last */
	uint64_t last;   /* of the file, UINT64_MAX until it is known */
	uint64_t bytes;  /* handed out, or sent */
	unsigned block, window;
	unsigned use;          /* of the window: 8 to 8 * window, eighths */
	unsigned slots;        /* a power of two */
	unsigned from, left;   /* bytes of the pool still to be handed out */
	unsigned missing;      /* blocks that came from behind a gap: 0 to 2 */
	unsigned useless;      /* packets since something came that helped */
	uint32_t repeated;     /* blocks that came more than once */
	uint32_t turned;       /* times the server was sent back */
	uint32_t rto;          /* ms */
	uint32_t srtt, spread; /* ms, times 8 and times 4 */
	uint32_t sent;         /* when, by now() */
	uint32_t wait;         /* ms until it is asked again */
	uint32_t backoff;      /* what wait was at first */
	uint32_t quiet;        /* ms waited since something came that helped */
	bool timing;           /* the answer tells the round trip */
	int failed;            /* reason, once it has */
	uint16_t held[TFTP_HELD]; /* bytes + 1 of a kept block, 0: none */
	uint8_t pool[TFTP_POOL];
};

/*
 * Asks for the file and waits for the first answer. t->feed is then the file;
 * its size is FEED_UNKNOWN when the server does not tell. feed.name is
 * "tftp://10.0.2.2/x.raucb". Reading may use all of dst, also behind the
 * bytes it returns.
 *
 * R_NET_SERVER: nothing ever came. R_TIMEOUT: it went quiet. R_TFTP_NOT_FOUND,
 * R_TFTP_ACCESS, R_TFTP_FULL, R_TFTP_OPTION, R_TFTP_ERROR: the server says so,
 * in words that are shown. R_TFTP_OPTION also: it answers with options nobody
 * asked for. R_TFTP_SYNTAX: no TFTP. R_NET_SIZE: shorter or longer than it
 * told. R_LIMIT: the name is too long.
 */
int tftp_open(struct tftp *t, struct tftp_io *io, const struct tftp_request *q,
    struct diag *d) MUST_CHECK;

/* Ends a transfer, without waiting: tells the server when it is not complete;
 * else acknowledges the last block again if that has come again, so that the
 * later it is called the better. Not after tftp_put(). */
void tftp_close(struct tftp *t);

/* Writes all that `from` has as the file. Its reasons are those above and
 * those of from. */
int tftp_put(struct tftp *t, struct tftp_io *io, const struct tftp_request *q,
    struct feed *from, struct diag *d) MUST_CHECK;

/* The real world. fd stays the caller's. */
struct tftp_socket {
	struct tftp_io io;
	int fd;
};

/* For the owner: a UDP socket on a random port, ready for the child. Returns
 * it, or R_SYSTEM. */
int tftp_socket_open(struct diag *d) MUST_CHECK;
void tftp_socket_io(struct tftp_socket *s, int fd);

#endif
