/* SPDX-License-Identifier: 0BSD */
#include "source/tftp.h"

#include "base/fmt.h"
#include "base/log.h"

enum { RRQ = 1, WRQ, DATA, ACK, ERROR, OACK };
enum { E_UNDEFINED = 0, E_ILLEGAL = 4, E_TID = 5, E_OPTION = 8 };

#define HEAD 4
#define REQUEST 1024 /* where in the pool it stands while it is made */
#define REQUEST_MAX (TFTP_NAME + 100)

/* Milliseconds: before anything is known of the network, and bounds. */
#define RTO_FIRST 500
#define RTO_MIN 8
#define RTO_MAX 5000

/* Packets without use, one after the other, that end a transfer: more than
 * can wait in a socket's buffer. */
#define USELESS_MAX 20000

static const char option_names[] = "tsize blksize windowsize timeout";
enum { O_TSIZE, O_BLKSIZE, O_WINDOW, O_TIMEOUT, OPTIONS };

struct answer {
	struct tftp_peer from;
	size_t len; /* of the body */
};

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void header(uint8_t *p, unsigned op, uint64_t number)
{
	p[0] = 0;
	p[1] = (uint8_t)op;
	p[2] = (uint8_t)(number >> 8);
	p[3] = (uint8_t)number;
}

static void send_error(
    struct tftp *t, struct tftp_peer to, unsigned code, const char *text)
{
	uint8_t packet[HEAD + 32];
	size_t len = fmt((char *)packet + HEAD, 32, "%s", text);

	header(packet, ERROR, code);
	t->io->ops->send(t->io, to, packet, HEAD + len + 1);
}

/* ---- time */

static void arm(struct tftp *t, uint32_t ms)
{
	t->wait = t->backoff = ms;
}

/* Something came that helps. */
static void helped(struct tftp *t)
{
	t->useless = 0;
	t->quiet = 0;
	arm(t, t->rto);
}

/* Mean and deviation as in RFC 6298. */
static void measure(struct tftp *t)
{
	uint32_t took = t->io->ops->now(t->io) - t->sent;
	uint32_t mean = t->srtt / 8;
	uint32_t off = took > mean ? took - mean : mean - took;

	if (!t->timing)
		return;
	t->timing = false;
	took = MIN(took, RTO_MAX);
	off = MIN(off, RTO_MAX);
	if (t->srtt == 0) {
		t->srtt = took * 8;
		t->spread = took * 2;
	} else {
		t->srtt += took - mean;
		t->spread += off - t->spread / 4;
	}
	t->rto = t->srtt / 8 + t->spread;
	t->rto = t->rto < RTO_MIN ? RTO_MIN : MIN(t->rto, RTO_MAX);
}

/* What was just sent is the first of its kind, or was sent before. */
static void sent(struct tftp *t, bool first)
{
	t->sent = t->io->ops->now(t->io);
	t->timing = first;
}

/* ---- packets */

static bool same_peer(const struct tftp *t, struct tftp_peer p)
{
	return p.host == t->peer.host &&
	       (t->peer.port == 0 || p.port == t->peer.port);
}

/*
 * Waits for a packet of the server's. 1: it is in head and body, all of it; 0:
 * it is time to send again; or the reason why there will be none.
 */
static int receive(struct tftp *t, uint8_t head[HEAD], uint8_t *body,
    size_t cap, struct answer *a, struct diag *d)
{
	while (t->useless++ < USELESS_MAX && t->quiet < TFTP_QUIET) {
		uint32_t wait = t->wait;
		int r = t->io->ops->receive(
		    t->io, &a->from, head, body, cap, &a->len, &t->wait);

		t->quiet += wait - t->wait;
		if (r < 0) {
			/* an error of ours may have told a stranger as well */
			if (t->peer.port == 0 && same_peer(t, a->from))
				return t->failed = diag_fail(d, R_NET_SERVER,
				           "nobody answers on that port");
			continue;
		}
		if (r == 0) {
			if (t->quiet >= TFTP_QUIET)
				break;
			arm(t, MIN(t->backoff * 2, RTO_MAX));
			return 0;
		}
		if (a->len < HEAD || head[0] != 0)
			continue;
		if (!same_peer(t, a->from)) {
			if (head[1] != ERROR)
				send_error(
				    t, a->from, E_TID, "unknown transfer ID");
			continue;
		}
		a->len -= HEAD;
		if (head[1] != DATA)
			a->len = MIN(a->len, cap); /* the server's words, cut */
		if (a->len <= cap)
			return 1;
		send_error(t, a->from, E_ILLEGAL, "longer than agreed on");
		return t->failed = diag_fail(d, R_TFTP_SYNTAX,
		           "a packet of %zu bytes, %zu were agreed on", a->len,
		           cap);
	}
	if (t->peer.port == 0)
		return t->failed = diag_fail(d, R_NET_SERVER,
		           "no answer in %u s", TFTP_QUIET / 1000);
	return t->failed = diag_fail(d, R_TIMEOUT,
	           "nothing of use for %u s, at byte %llu", t->quiet / 1000,
	           (unsigned long long)t->bytes);
}

/* The server's ERROR, in its own words. */
static int said(struct tftp *t, const uint8_t *head, const uint8_t *body,
    size_t len, struct diag *d)
{
	static const int16_t reasons[] = {
	    R_TFTP_ERROR,
	    R_TFTP_NOT_FOUND,
	    R_TFTP_ACCESS,
	    R_TFTP_FULL,
	    R_TFTP_ERROR,
	    R_TFTP_ERROR,
	    R_TFTP_ERROR,
	    R_TFTP_ERROR,
	    R_TFTP_OPTION,
	};
	unsigned code = be16(head + 2);
	char text[100];

	fmt(text, sizeof text, "%.*s", (int)len, (const char *)body);
	log_clean(text);
	t->peer.port = 0; /* it wants to hear no more */
	return t->failed = diag_fail(d,
	           code < ARRAY_LEN(reasons) ? reasons[code] : R_TFTP_ERROR,
	           "the server says: %s (error %u)", text, code);
}

/* ---- the request */

static void set_block(struct tftp *t, unsigned block)
{
	t->block = block;
	t->slots = TFTP_HELD;
	while ((t->slots + 1) * block > TFTP_POOL)
		t->slots /= 2;
}

/* Makes the request in the pool. most: what the answer to each option may be
 * at most, 0 for those that are not asked for. */
static size_t make_request(struct tftp *t, const struct tftp_request *q,
    unsigned op, bool plain, uint64_t most[OPTIONS])
{
	char *p = (char *)t->pool + REQUEST;
	size_t len = 2 + fmt(p + 2, TFTP_NAME, "%s", q->file) + 1;
	struct slice names = {option_names, sizeof option_names - 1};
	struct slice name;

	p[0] = 0;
	p[1] = (char)op;
	len += fmt(p + len, 6, "octet") + 1;
	memset(most, 0, OPTIONS * sizeof *most);
	if (plain)
		return len;
	if (op == RRQ || t->feed.size != FEED_UNKNOWN)
		most[O_TSIZE] = UINT64_MAX;
	if (q->mtu >= TFTP_BLOCK_MIN + TFTP_HEADERS)
		most[O_BLKSIZE] = MIN(q->mtu - TFTP_HEADERS, TFTP_BLOCK_MAX);
	if (op == RRQ && q->window != 1)
		most[O_WINDOW] = MIN(q->window - 1, TFTP_WINDOW - 1) + 1;
	most[O_TIMEOUT] = q->timeout;
	for (unsigned i = 0; slice_word(&names, &name); i++) {
		uint64_t value = i != O_TSIZE ? most[i]
		                 : op == RRQ  ? 0
		                              : t->feed.size;

		if (most[i] == 0)
			continue;
		len += fmt(p + len, 24, "%.*s", (int)name.len, name.p) + 1;
		len += fmt(p + len, 24, "%llu", (unsigned long long)value) + 1;
	}
	return len;
}

/* Takes over what the server agrees to. */
static int take_options(struct tftp *t, char *p, size_t len,
    const uint64_t most[OPTIONS], struct diag *d)
{
	struct slice left = {p, len},
	             names = {option_names, sizeof option_names - 1};

	for (size_t i = 0; i < len; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] | 0x20);
	while (left.len > 0) {
		struct slice name = left, value;
		int which;
		uint64_t v;

		if (!slice_cut(&name, '\0', &value) ||
		    !slice_cut(&value, '\0', &left)) {
			value = name;
			left.len = 0;
			which = -1;
		} else {
			which = slice_index(names, name);
		}
		/* atftpd has 32 bits for it, and a sign */
		if (which == O_TSIZE && value.len > 0 && value.p[0] == '-')
			value = (struct slice){"0", 1};
		if (which < 0 || !slice_u64(value, &v) || v > most[which] ||
		    (which == O_BLKSIZE && v < TFTP_BLOCK_MIN) ||
		    (which == O_WINDOW && v == 0)) {
			send_error(t, t->peer, E_OPTION, "not asked for");
			return t->failed = diag_fail(d, R_TFTP_OPTION,
			           "the server's option %.*s=%.*s was not "
			           "asked for",
			           (int)name.len, name.p, (int)value.len,
			           value.p);
		}
		if (which == O_BLKSIZE)
			set_block(t, (unsigned)v);
		else if (which == O_WINDOW)
			t->use = 8 * (t->window = (unsigned)v);
		else if (which == O_TSIZE && v > 0 && most[which] == UINT64_MAX)
			t->feed.size = v;
	}
	return 0;
}

static bool arrived(
    struct tftp *t, uint64_t number, const uint8_t *body, size_t len);

/*
 * Sends the request until there is an answer, and once more without options
 * when they are what the server does not like.
 */
static int ask(struct tftp *t, struct tftp_io *io, const struct tftp_request *q,
    unsigned op, struct diag *d)
{
	struct tftp_peer to = {
	    q->server.host, q->server.port ? q->server.port : TFTP_PORT};
	uint64_t most[OPTIONS];
	struct answer a;
	bool plain = false, refused;
	unsigned code;
	size_t len;
	int r;

	memset((uint8_t *)t + sizeof t->feed, 0,
	    offsetof(struct tftp, pool) - sizeof t->feed);
	t->io = io;
	t->peer.host = to.host;
	t->out = t->next = t->cursor = 1;
	t->last = UINT64_MAX;
	t->rto = RTO_FIRST;
	t->window = 1;
	t->use = 8;
	fmt(t->feed.name, sizeof t->feed.name, "tftp://%u.%u.%u.%u/%s",
	    to.host >> 24, to.host >> 16 & 0xff, to.host >> 8 & 0xff,
	    to.host & 0xff, q->file);
	if (strlen(q->file) >= TFTP_NAME)
		return t->failed = diag_fail(d, R_LIMIT,
		           "a file name of more than %d bytes", TFTP_NAME - 1);
again:
	set_block(t, TFTP_BLOCK);
	len = make_request(t, q, op, plain, most);
	arm(t, t->rto);
	for (bool first = true;; first = false) {
		io->ops->send(io, to, t->pool + REQUEST, len);
		sent(t, first);
		do {
			r = receive(
			    t, t->pool, t->pool + HEAD, TFTP_BLOCK, &a, d);
			if (r < 0)
				return r;
			if (r == 0)
				break;
			code = be16(t->pool + 2);
			t->peer = a.from;
			switch (t->pool[1]) {
			case OACK:
				measure(t);
				helped(t);
				return take_options(
				    t, (char *)t->pool + 2, a.len + 2, most, d);
			case DATA:
				if (op != RRQ || code != 1)
					break;
				(void)arrived(t, 1, t->pool + HEAD, a.len);
				t->out = 2;
				t->from = HEAD;
				t->left = (unsigned)a.len;
				return 0;
			case ACK:
				if (op != WRQ || code != 0)
					break;
				measure(t);
				helped(t);
				return 0;
			case ERROR:
				refused = code == E_OPTION ||
				          code == E_ILLEGAL ||
				          code == E_UNDEFINED;
				/* one of the options, come twice or late */
				if (refused && plain && first)
					break;
				if (plain || !refused)
					return said(t, t->pool, t->pool + HEAD,
					    a.len, d);
				plain = true;
				t->peer.port = 0;
				goto again;
			default:
				break;
			}
			t->peer.port = 0;
		} while (r > 0);
	}
}

/* ---- reading */

static void acknowledge(struct tftp *t, bool first)
{
	uint8_t packet[HEAD];

	t->acked = t->next - 1;
	header(packet, ACK, t->acked);
	t->io->ops->send(t->io, t->peer, packet, sizeof packet);
	sent(t, first);
}

static uint8_t *slot(struct tftp *t, uint64_t number)
{
	/* the first is where a block comes in */
	return t->pool + (1 + (number & (t->slots - 1))) * t->block;
}

static bool kept(const struct tftp *t, uint64_t number)
{
	return t->held[number & (t->slots - 1)] != 0;
}

/*
 * A block came: keeps it, unless it is the next one, and acknowledges what is
 * due. True when it is the next one, which the caller has. Only called when all
 * that came before that has been handed out.
 */
static bool arrived(
    struct tftp *t, uint64_t number, const uint8_t *body, size_t len)
{
	uint64_t end = t->acked + t->window; /* the server sends up to there */
	bool is_next = number == t->next, turn = false;

	if (number <= t->acked || number > t->last) {
		t->repeated++;
		return false;
	}
	arm(t, t->rto); /* it is still sending */
	if (is_next || (number - t->next < t->slots && !kept(t, number))) {
		helped(t);
		if (len < t->block)
			t->last = number;
		if (!is_next) {
			memcpy(slot(t, number), body, len);
			t->held[number & (t->slots - 1)] = (uint16_t)(len + 1);
		}
	} else {
		t->repeated++;
		if (t->missing == 0)
			t->use = t->window * 8;
	}
	if (is_next) {
		measure(t);
		t->missing = 0;
		do
			t->next++;
		while (t->next <= t->last && kept(t, t->next));
	} else if (number > t->next) {
		/* What the server sends now has passed over a block; noticed
		 * anew when it started again and did so again. Two packets may
		 * have changed places, so that only the second one tells. */
		if (t->cursor <= t->next || number < t->cursor)
			t->missing = 1;
		else if (t->missing == 1)
			turn = true;
		/* there will be no second one */
		if (t->missing == 1 && (number >= end || number == t->last))
			turn = true;
	}
	t->cursor = number + 1;
	if (turn) {
		t->missing = 2;
		t->turned++;
	}
	if (turn || t->next > t->acked + t->use / 8 || t->next > t->last) {
		acknowledge(t, !turn);
		if (!turn && t->use < t->window * 8)
			t->use++;
	}
	return is_next;
}

/* The block nearest to the one waited for that has this number. */
static uint64_t full_number(const struct tftp *t, unsigned number)
{
	int16_t ahead = (int16_t)(uint16_t)(number - (unsigned)t->next);

	return ahead < 0 && (uint64_t)-ahead > t->next
	           ? 0
	           : t->next + (uint64_t)ahead;
}

static int wrong_size(struct tftp *t, struct diag *d)
{
	return t->failed = diag_fail(d, R_NET_SIZE,
	           "%llu bytes came, the server told of %llu",
	           (unsigned long long)t->bytes,
	           (unsigned long long)t->feed.size);
}

static int read_feed(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d)
{
	struct tftp *t = (struct tftp *)f;
	uint8_t head[HEAD];
	struct answer a;
	int r;

	*n = 0;
	if (t->failed)
		return diag_fail(d, t->failed, "the transfer has failed");
	for (;;) {
		bool direct = cap >= t->block;
		uint8_t *body = direct ? dst : t->pool;

		if (t->left > 0) {
			*n = MIN(cap, t->left);
			memcpy(dst, t->pool + t->from, *n);
			t->from += (unsigned)*n;
			t->left -= (unsigned)*n;
			break;
		}
		if (t->out > t->last) {
			if (t->bytes == t->feed.size ||
			    t->feed.size == FEED_UNKNOWN ||
			    (t->bytes > UINT32_MAX &&
			        (uint32_t)t->bytes == t->feed.size))
				return 0;
			return wrong_size(t, d);
		}
		if (t->out < t->next) {
			uint16_t *held = &t->held[t->out & (t->slots - 1)];

			t->from = (unsigned)(slot(t, t->out) - t->pool);
			t->left = *held - 1u;
			*held = 0;
			t->out++;
			continue;
		}
		r = receive(t, head, body, t->block, &a, d);
		if (r < 0)
			return r;
		if (r == 0) {
			uint64_t came = t->next - 1 - t->acked;

			if (came > 0 && came < t->use / 8)
				t->use = (unsigned)came * 8;
			acknowledge(t, false);
			continue;
		}
		if (head[1] == ERROR)
			return said(t, head, body, a.len, d);
		if (head[1] != DATA)
			continue;
		if (!arrived(t, full_number(t, be16(head + 2)), body, a.len))
			continue;
		t->out++;
		if (!direct) {
			t->from = 0;
			t->left = (unsigned)a.len;
		} else if (a.len > 0) {
			*n = a.len;
			break;
		}
	}
	t->bytes += *n;
	/* servers with 32 bits for it tell of the rest of larger ones */
	if (t->bytes > t->feed.size && t->feed.size > UINT32_MAX)
		return wrong_size(t, d);
	return 0;
}

static const struct feed_ops ops = {"tftp", read_feed};

int tftp_open(struct tftp *t, struct tftp_io *io, const struct tftp_request *q,
    struct diag *d)
{
	int r;

	t->feed.ops = &ops;
	t->feed.size = FEED_UNKNOWN;
	r = ask(t, io, q, RRQ, d);
	if (r == 0 && t->next == 1)
		acknowledge(t, true); /* the options */
	return r;
}

void tftp_close(struct tftp *t)
{
	uint8_t head[HEAD];
	struct answer a;

	if (t->peer.port == 0)
		return;
	if (t->next <= t->last) {
		send_error(t, t->peer, E_UNDEFINED, "cancelled");
		return;
	}
	/* Once more when the last block came again. */
	t->useless = USELESS_MAX - 100;
	arm(t, 0);
	while (receive(t, head, t->pool, t->block, &a, NULL) > 0)
		if (head[1] == DATA) {
			acknowledge(t, false);
			return;
		}
}

/* ---- writing */

/* Fills the block in the pool. */
static int fill(struct tftp *t, struct feed *from, size_t *len, struct diag *d)
{
	uint8_t *block = t->pool + HEAD;
	size_t n = 1;
	int r = 0;

	for (*len = 0; *len < t->block && n > 0 && r == 0; *len += n)
		r = from->ops->read(from, block + *len, t->block - *len, &n, d);
	return r;
}

/* Until the block in the pool is acknowledged. */
static int put_block(
    struct tftp *t, uint64_t number, size_t len, struct diag *d)
{
	uint8_t head[HEAD], *body = t->pool + TFTP_POOL - TFTP_BLOCK;
	struct answer a;
	int r = 0;

	header(t->pool, DATA, number);
	arm(t, t->rto);
	for (bool first = true;; first = false) {
		t->io->ops->send(t->io, t->peer, t->pool, HEAD + len);
		sent(t, first);
		while ((r = receive(t, head, body, TFTP_BLOCK, &a, d)) > 0) {
			if (head[1] == ERROR)
				return said(t, head, body, a.len, d);
			if (head[1] == ACK &&
			    be16(head + 2) == (uint16_t)number) {
				measure(t);
				helped(t);
				return 0;
			}
		}
		if (r < 0)
			return r;
	}
}

int tftp_put(struct tftp *t, struct tftp_io *io, const struct tftp_request *q,
    struct feed *from, struct diag *d)
{
	size_t len;
	int r;

	t->feed.size = from->size;
	r = ask(t, io, q, WRQ, d);
	if (r)
		return r;
	do {
		r = fill(t, from, &len, d);
		if (r)
			send_error(t, t->peer, E_UNDEFINED, "cancelled");
		else
			r = put_block(t, t->next++, len, d);
		t->bytes += len;
	} while (r == 0 && len == t->block);
	return r;
}
