/* SPDX-License-Identifier: 0BSD */
/*
 * The TFTP client in a world of its own: a server that does what it is told,
 * good and bad, a network that loses, doubles, delays and exchanges packets,
 * and a clock that jumps. Nothing here waits.
 */
#include <limits.h>
#include <stdlib.h>

#include "check.h"
#include "source/tftp.h"

#define HOST 0x0a000202u
#define PACKETS 4096
#define LONGEST 1600
#define FOREVER UINT64_MAX

enum options { HONEST, IGNORED, REFUSED, REFUSED_PLAIN_TOO };

struct packet {
	uint64_t due;   /* microseconds */
	unsigned order; /* of those due together */
	bool to_server;
	struct tftp_peer peer; /* the client's port does not matter */
	size_t len;
	uint8_t data[LONGEST];
};

static struct world {
	struct tftp_io io;
	uint64_t now;
	uint64_t random;
	/* the network: of 1000 packets, and microseconds on the way */
	unsigned lose, twice, exchange;
	uint64_t way;
	struct packet wire[PACKETS];
	unsigned on_wire, put;
	/* the server */
	enum options options;
	const char *oack; /* says this instead, with '|' for NUL */
	uint64_t size, told;
	unsigned error; /* + 1, to the request */
	const char *text;
	unsigned refusal;  /* code of the error that refuses options */
	bool silent;       /* from the request on */
	uint64_t dies_at;  /* block that is never sent */
	bool deaf;         /* passes over an ACK that it had, as tftpd-hpa */
	unsigned room;     /* packets that its way holds, 0: all */
	bool longer;       /* blocks than agreed on */
	uint64_t patience; /* until it sends again */
	/* its state */
	bool running, finished;
	unsigned block, window;
	uint64_t base, alarm;
	unsigned sent, requests, plain_requests;
	unsigned port;   /* of the last request */
	char asked[100]; /* its options, with '|' for NUL */
	unsigned errors_4, errors_5, cancelled, errors_8;
	uint8_t *written;
	size_t written_len, written_block;
	uint64_t expect;
	struct tftp_peer at;
	char answer[200]; /* its OACK */
	bool twin; /* answers a request that came again, from another port */
	unsigned refused; /* by ICMP, so often */
	struct tftp_peer nobody;
	unsigned lose_ack; /* the first one of this number */
	char acks[64];     /* the numbers, until then */
	uint64_t listen_until;
	bool timing;
} w;

static struct tftp t;
static uint8_t read_buf[1 << 15];

static unsigned chance(void)
{
	w.random = w.random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(w.random >> 33) % 1000;
}

static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)((i * 0x9e3779b97f4a7c15u) >> 53 ^ i);
}

static void put_on_wire(bool to_server, struct tftp_peer peer, const void *p,
    size_t len, uint64_t after)
{
	for (unsigned n = chance() < w.twice ? 2 : 1; n > 0; n--) {
		struct packet *k = &w.wire[w.on_wire];

		if (chance() < w.lose || w.on_wire == PACKETS)
			continue;
		k->due = w.now + w.way + after;
		if (chance() < w.exchange)
			k->due += chance() % 100 * 20;
		k->order = w.put++;
		k->to_server = to_server;
		k->peer = peer;
		k->len = len;
		memcpy(k->data, p, len);
		w.on_wire++;
	}
}

static void from_server(const void *p, size_t len, uint64_t after)
{
	struct tftp_peer from = w.at;

	if (w.twin)
		from.port = (uint16_t)(1024 + w.requests);
	put_on_wire(false, from, p, len, after);
}

static void server_error(unsigned code, const char *text)
{
	uint8_t p[LONGEST] = {0, 5, 0, (uint8_t)code};

	strcpy((char *)p + 4, text);
	from_server(p, 5 + strlen(text), 0);
}

static void send_window(void)
{
	static uint8_t p[LONGEST];
	uint64_t last = w.size / w.block + 1;

	w.alarm = w.now + w.patience;
	for (unsigned i = 0; i < w.window && w.base + i <= last; i++) {
		uint64_t number = w.base + i, at = (number - 1) * w.block;
		size_t len = (size_t)MIN(w.block, w.size - at);

		if (number >= w.dies_at || (w.room && i >= w.room))
			break;
		p[0] = 0;
		p[1] = 3;
		p[2] = (uint8_t)(number >> 8);
		p[3] = (uint8_t)number;
		for (size_t j = 0; j < len; j++)
			p[4 + j] = byte_at(at + j);
		from_server(
		    p, 4 + len + (w.longer && len == w.block), i * 100u);
		w.sent++;
	}
}

static void reply_ack(uint64_t number)
{
	uint8_t p[4] = {0, 4, (uint8_t)(number >> 8), (uint8_t)number};

	from_server(p, 4, 0);
}

/* name NUL value NUL ..., from "name|value|" */
static void reply_oack(const char *text)
{
	uint8_t p[200] = {0, 6};
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		p[2 + i] = text[i] == '|' ? 0 : (uint8_t)text[i];
	from_server(p, 2 + len, 0);
}

static void request(const uint8_t *p, size_t len, unsigned at)
{
	char oack[200] = "";
	const char *s = (const char *)p + 2, *end = (const char *)p + len;
	bool write = p[1] == 2;

	CHECK(end[-1] == 0);
	w.requests++;
	w.port = at;
	w.twin = w.running;
	if (!w.twin)
		w.at = (struct tftp_peer){HOST, (uint16_t)(1024 + w.requests)};
	s += strlen(s) + 1;
	CHECK_STR(s, "octet");
	s += strlen(s) + 1;
	for (size_t i = 0; s + i < end; i++) {
		w.asked[i] = s[i] ? s[i] : '|';
		w.asked[i + 1] = 0;
	}
	if (w.silent)
		return;
	if (w.error) {
		server_error(w.error - 1, w.text);
		return;
	}
	if (s == end)
		w.plain_requests++;
	if (w.options == REFUSED_PLAIN_TOO ||
	    (w.options == REFUSED && s < end)) {
		server_error(w.refusal, "no options here");
		return;
	}
	if (w.twin) {
		if (w.answer[0])
			reply_oack(w.answer);
		else if (write)
			reply_ack(0);
		else if (w.base == 1)
			send_window();
		return;
	}
	w.block = 512;
	w.window = 1;
	w.running = true;
	w.base = 1;
	w.expect = 1;
	w.written_len = 0;
	while (w.options == HONEST && s < end) {
		const char *value = s + strlen(s) + 1;
		unsigned long v = strtoul(value, NULL, 10);

		if (strcmp(s, "blksize") == 0)
			w.block = (unsigned)v;
		if (strcmp(s, "windowsize") == 0)
			w.window = (unsigned)v;
		if (strcmp(s, "tsize") == 0 && !write)
			v = (unsigned long)w.told;
		if (strcmp(s, "tsize") != 0 || w.told != FEED_UNKNOWN || write)
			snprintf(oack + strlen(oack), 60, "%s|%lu|", s, v);
		s = value + strlen(value) + 1;
	}
	if (w.oack)
		strcpy(oack, w.oack);
	w.written_block = w.block;
	w.alarm = w.now + w.patience;
	if (oack[0]) {
		w.base = 0;
		strcpy(w.answer, oack);
		reply_oack(oack);
	} else if (write) {
		reply_ack(0);
	} else {
		send_window();
	}
}

static void written(const uint8_t *p, size_t len)
{
	unsigned number = (unsigned)p[2] << 8 | p[3];

	if (number == (w.expect & 0xffff) && w.written) {
		CHECK(len - 4 <= w.written_block);
		memcpy(w.written + w.written_len, p + 4, len - 4);
		w.written_len += len - 4;
		w.expect++;
		if (len - 4 < w.written_block)
			w.finished = true;
	}
	if (number == ((w.expect - 1) & 0xffff))
		reply_ack(number);
}

static void server(const struct packet *k)
{
	const uint8_t *p = k->data;
	uint64_t number;

	if (p[1] == 1 || p[1] == 2) {
		request(p, k->len, k->peer.port);
		w.twin = false;
		return;
	}
	if (p[1] == 5) {
		w.errors_5 += p[3] == 5;
		w.errors_8 += p[3] == 8;
		w.errors_4 += p[3] == 4;
		w.cancelled += p[3] == 0;
		if (k->peer.port == w.at.port && p[3] != 5)
			w.running = false;
		return;
	}
	/* whichever twin the client took */
	if (w.base <= 1 && w.expect == 1)
		w.at = k->peer;
	if (!w.running || k->peer.port != w.at.port)
		return;
	if (p[1] == 3)
		written(p, k->len);
	if (p[1] != 4)
		return;
	number = w.base +
	         (uint64_t)(int16_t)(uint16_t)(((unsigned)p[2] << 8 | p[3]) -
	                                       (unsigned)w.base);
	if (w.deaf ? number != w.base + w.window - 1 && w.base != 0
	           : number + 1 < w.base)
		return;
	w.base = number + 1;
	if (w.base > w.size / w.block + 1) {
		w.running = false;
		w.finished = true;
		return;
	}
	send_window();
}

/* ---- the world as the client sees it */

static uint32_t world_now(struct tftp_io *io)
{
	(void)io;
	return (uint32_t)(w.now / 1000);
}

static void world_send(
    struct tftp_io *io, struct tftp_peer to, const void *p, size_t len)
{
	(void)io;
	CHECK(len <= LONGEST);
	if (((const uint8_t *)p)[1] == 5 && to.host != HOST)
		w.errors_5++;
	else if (((const uint8_t *)p)[1] == 4 && w.lose_ack > 0 &&
	         ((const uint8_t *)p)[3] == w.lose_ack)
		w.lose_ack = 0;
	else if (to.host == HOST)
		put_on_wire(true, to, p, len, 0);
	if (((const uint8_t *)p)[1] == 4 && w.now < w.listen_until)
		snprintf(
		    w.acks + strlen(w.acks), 8, " %u", ((const uint8_t *)p)[3]);
}

static bool earlier(const struct packet *a, const struct packet *b)
{
	return a->due < b->due || (a->due == b->due && a->order < b->order);
}

static int world_receive(struct tftp_io *io, struct tftp_peer *from,
    uint8_t head[4], void *body, size_t cap, size_t *len, uint32_t *wait)
{
	uint64_t start = w.now, until = w.now + *wait * 1000u;
	uint32_t waited;

	(void)io;
	if (w.now < w.listen_until)
		w.timing = t.timing;
	if (w.refused) {
		*from = w.nobody;
		w.refused--;
		return R_NET_SERVER;
	}
	for (;;) {
		struct packet k;
		unsigned first = 0;
		bool alarm = w.running && w.alarm <= until;

		for (unsigned i = 1; i < w.on_wire; i++)
			if (earlier(&w.wire[i], &w.wire[first]))
				first = i;
		if (alarm && (w.on_wire == 0 || w.alarm < w.wire[first].due)) {
			w.now = w.now > w.alarm ? w.now : w.alarm;
			if (w.base > 0)
				send_window();
			else
				reply_oack(w.answer);
			w.alarm = w.now + w.patience;
			continue;
		}
		if (w.on_wire == 0 || w.wire[first].due > until) {
			w.now = until;
			*wait = 0;
			return 0;
		}
		k = w.wire[first];
		w.wire[first] = w.wire[--w.on_wire];
		if (w.now < k.due)
			w.now = k.due;
		if (k.to_server) {
			server(&k);
			continue;
		}
		*from = k.peer;
		*len = k.len;
		memcpy(head, k.data, MIN(k.len, 4u));
		if (k.len > 4)
			memcpy(body, k.data + 4, MIN(k.len - 4, cap));
		waited = (uint32_t)(w.now / 1000 - start / 1000);
		*wait -= MIN(waited, *wait);
		return 1;
	}
}

static const struct tftp_io_ops world_ops = {
    world_send, world_receive, world_now};

static struct tftp_request q;

static void fresh(uint64_t size)
{
	memset(&w, 0, sizeof w);
	w.io.ops = &world_ops;
	w.now = 4294960000000u; /* the clock wraps soon */
	w.random = 1;
	w.way = 500;
	w.size = w.told = size;
	w.dies_at = FOREVER;
	w.refusal = 8;
	w.patience = 1000000;
	w.nobody.host = HOST;
	q = (struct tftp_request){{HOST, 0}, "a/x.raucb", 1500, 64, 0};
}

/* Reads to the end in pieces of so many bytes; what failed, or 0. */
static int read_all(size_t piece, struct diag *d)
{
	uint64_t at = 0;
	size_t n;
	int r;

	do {
		r = t.feed.ops->read(&t.feed, read_buf, piece, &n, d);
		CHECK(n <= piece);
		for (size_t i = 0; i < n && r == 0; i++)
			if (read_buf[i] != byte_at(at + i)) {
				CHECK(read_buf[i] == byte_at(at + i));
				return R_INTERNAL;
			}
		at += n;
	} while (r == 0 && n > 0);
	if (r == 0) {
		CHECK_INT(at, w.size);
		CHECK_INT(t.feed.ops->read(&t.feed, read_buf, 9, &n, d), 0);
		CHECK_INT(n, 0);
	} else {
		CHECK_INT(d->reason, r);
		/* and again */
		CHECK_INT(t.feed.ops->read(&t.feed, read_buf, 9, &n, d), r);
	}
	return r;
}

/* What is still on its way arrives. */
static void settle(void)
{
	struct tftp_peer from;
	uint32_t wait = 10;
	size_t len;

	while (wait > 0)
		(void)world_receive(
		    &w.io, &from, read_buf, read_buf + 4, 2000, &len, &wait);
}

static int get(size_t piece, struct diag *d)
{
	int r;

	memset(d, 0, sizeof *d);
	r = tftp_open(&t, &w.io, &q, d);
	if (r == 0)
		r = read_all(piece, d);
	tftp_close(&t);
	if (!w.refused)
		settle();
	return r;
}

static double seconds(void)
{
	return (double)(w.now - 4294960000000u) / 1e6;
}

/* ---- tests */

static int put(uint64_t size, struct diag *d);

static void test_sizes(void)
{
	static const uint64_t sizes[] = {
	    0, 1, 511, 512, 513, 1467, 1468, 1469, 2936, 93952, 300000};
	static const size_t pieces[] = {1, 700, 1468, 1469, 32768};
	struct diag d;

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned p = 0; p < ARRAY_LEN(pieces); p++) {
			fresh(sizes[i]);
			CHECK_INT(get(pieces[p], &d), 0);
			CHECK(w.finished);
			CHECK_INT(
			    t.feed.size, sizes[i] ? sizes[i] : FEED_UNKNOWN);
			CHECK_INT(w.requests, 1);
			CHECK_INT(t.repeated, 0);
			CHECK_INT(t.turned, 0);
		}
	CHECK_STR(t.feed.name, "tftp://10.0.2.2/a/x.raucb");
	fresh(1000000);
	CHECK_INT(get(32768, &d), 0);
	CHECK_INT(t.block, 1468);
	CHECK_INT(t.window, 64);
	/* each window costs one way there and back, no more */
	CHECK(seconds() < 0.2);
	fresh(100000);
	q.mtu = 300;
	q.window = 0;
	q.timeout = 3;
	CHECK_INT(get(32768, &d), 0);
	CHECK_INT(t.block, 268);
	CHECK_INT(t.window, TFTP_WINDOW);
	CHECK_INT(w.port, TFTP_PORT);
	CHECK_STR(w.asked, "tsize|0|blksize|268|windowsize|128|timeout|3|");
	fresh(1);
	q.server.port = 6969;
	CHECK_INT(get(32768, &d), 0);
	CHECK_INT(w.port, 6969);
	/* as many as fit with one more */
	fresh(100000);
	q.mtu = TFTP_POOL / 64 + TFTP_HEADERS;
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	CHECK_INT(t.slots, 32);
	/* the options are acknowledged at once */
	CHECK_INT(w.on_wire, 1);
	tftp_close(&t);
}

static void test_round_trip(void)
{
	struct diag d = {0};
	size_t n;

	fresh(100000);
	w.way = 50000;
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	CHECK_INT(t.rto, 300);
	CHECK_INT(t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), 0);
	CHECK_INT(t.rto, 250);
	tftp_close(&t);
	fresh(100000);
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	CHECK_INT(t.rto, 8);
	tftp_close(&t);
	/* what went out twice tells nothing */
	fresh(100000);
	w.way = 400000;
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	CHECK_INT(t.srtt, 0);
	CHECK_INT(t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), 0);
	CHECK_INT(t.srtt, 0);
	CHECK_INT(t.rto, 500);
	tftp_close(&t);
}

static void test_options(void)
{
	static const char *const wrong[] = {"blksize|1469|", "blksize|7|",
	    "windowsize|65|", "windowsize|0|", "timeout|3|", "multicast||",
	    "blksize|x|", "blksize|", "blksize", "tsize||"};
	struct diag d;

	fresh(100000);
	w.options = IGNORED;
	CHECK_INT(get(32768, &d), 0);
	CHECK_INT(t.block, 512);
	CHECK_INT(t.window, 1);
	CHECK_INT(t.feed.size, FEED_UNKNOWN);
	fresh(100000);
	for (unsigned code = 0; code <= 8; code += 4) {
		fresh(100000);
		w.options = REFUSED;
		w.refusal = code;
		CHECK_INT(get(32768, &d), 0);
		CHECK_INT(w.requests, 2);
		CHECK_INT(w.plain_requests, 1);
	}
	fresh(100000);
	w.options = REFUSED_PLAIN_TOO;
	CHECK_INT(get(32768, &d), R_TFTP_OPTION);
	CHECK_INT(w.plain_requests, 2);
	/* the refusal comes twice, or to a request that went out twice */
	for (unsigned late = 0; late < 2; late++) {
		fresh(100000);
		w.options = REFUSED;
		w.twice = late ? 0 : 1000;
		w.way = late ? 280000 : 500;
		CHECK_INT(get(32768, &d), 0);
	}
	fresh(100000);
	w.oack = "BLKSIZE|1000|";
	w.block = 1000;
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	CHECK_INT(t.block, 1000);
	CHECK_INT(t.window, 1);
	tftp_close(&t);
	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
		fresh(100000);
		w.oack = wrong[i];
		CHECK_INT(get(32768, &d), R_TFTP_OPTION);
		CHECK_INT(w.errors_8, 1);
	}
	CHECK(strstr(d.seen, "tsize=") != NULL);
	fresh(100000);
	w.told = FEED_UNKNOWN;
	CHECK_INT(get(32768, &d), 0);
	CHECK_INT(t.feed.size, FEED_UNKNOWN);
	/* twice, and longer than a block */
	fresh(100000);
	q.mtu = 40;
	w.twice = 1000;
	CHECK_INT(get(32768, &d), 0);
	CHECK_INT(t.block, 8);
	/* of 2,164,418,400 bytes, as atftpd says it */
	fresh(100000);
	w.oack = "tsize|-2130548896|blksize|1468|";
	w.block = 1468;
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	CHECK_INT(t.feed.size, FEED_UNKNOWN);
	tftp_close(&t);
}

static void test_errors(void)
{
	static const int reasons[] = {R_TFTP_ERROR, R_TFTP_NOT_FOUND,
	    R_TFTP_ACCESS, R_TFTP_FULL, R_TFTP_ERROR, R_TFTP_ERROR,
	    R_TFTP_ERROR, R_TFTP_ERROR, R_TFTP_OPTION, R_TFTP_ERROR};
	static char name[TFTP_NAME + 1], words[600];
	struct diag d;
	size_t n;

	for (unsigned i = 0; i < ARRAY_LEN(reasons); i++) {
		fresh(1000);
		w.error = i + 1;
		w.text = "no\033[1m such \xc3\xa4";
		CHECK_INT(get(32768, &d), reasons[i]);
		CHECK(strstr(d.seen, "no?[1m such \xc3\xa4") != NULL);
	}
	/* more words than a block holds */
	memset(words, '.', sizeof words - 1);
	memcpy(words, "no such file", 12);
	fresh(1000);
	w.error = 2;
	w.text = words;
	CHECK_INT(get(32768, &d), R_TFTP_NOT_FOUND);
	CHECK(strstr(d.seen, "no such file") != NULL);
	/* in the middle, and nothing is sent after it */
	fresh(1000000);
	memset(&d, 0, sizeof d);
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	CHECK_INT(t.feed.ops->read(&t.feed, read_buf, 1468, &n, &d), 0);
	w.on_wire = 0;
	server_error(3, "full");
	CHECK_INT(
	    t.feed.ops->read(&t.feed, read_buf, 1468, &n, &d), R_TFTP_FULL);
	tftp_close(&t);
	CHECK_INT(w.on_wire, 0);
	memset(name, 'x', TFTP_NAME);
	fresh(1000);
	q.file = name;
	CHECK_INT(get(32768, &d), R_LIMIT);
	name[TFTP_NAME - 1] = 0;
	fresh(1000);
	q.file = name;
	CHECK_INT(get(32768, &d), 0);
	fresh(1000);
	w.told = 1001;
	CHECK_INT(get(32768, &d), R_NET_SIZE);
	fresh(100000);
	w.told = 9999;
	CHECK_INT(get(32768, &d), R_NET_SIZE);
	CHECK_INT(t.bytes, 100000);
	fresh(100000);
	w.longer = true;
	CHECK_INT(get(32768, &d), R_TFTP_SYNTAX);
	CHECK_INT(w.errors_4, 1);
}

static void test_silence(void)
{
	static const uint8_t kept[4 + 512] = {0, 3, 0, 3};
	struct diag d;

	fresh(1000);
	w.silent = true;
	CHECK_INT(get(32768, &d), R_NET_SERVER);
	CHECK(seconds() >= 30 && seconds() < 36);
	/* after 0.5, 1, 2, 4, 5, 5, ... s */
	CHECK_INT(w.requests, 9);
	fresh(1000);
	w.refused = UINT_MAX;
	CHECK_INT(get(32768, &d), R_NET_SERVER);
	CHECK(seconds() < 1);
	/* a stranger that our error 5 did not find any more */
	fresh(1000);
	w.refused = 1;
	w.nobody.host++;
	CHECK_INT(get(32768, &d), 0);
	fresh(1000000);
	w.dies_at = 100;
	CHECK_INT(get(32768, &d), R_TIMEOUT);
	CHECK(seconds() >= 30 && seconds() < 40);
	/* sends for ever, but never what is needed */
	fresh(1000000);
	w.dies_at = 100;
	w.patience = 1;
	CHECK_INT(get(32768, &d), R_TIMEOUT);
	/* and slowly, but before it is asked again */
	fresh(1000000);
	w.options = IGNORED;
	w.dies_at = 2;
	memset(&d, 0, sizeof d);
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	t.window = 2;
	t.rto = 5000;
	while (w.on_wire < 1000)
		put_on_wire(
		    false, w.at, kept, sizeof kept, w.on_wire * 1000000u);
	CHECK_INT(read_all(32768, &d), R_TIMEOUT);
	CHECK(seconds() < 36);
	tftp_close(&t);
}

/* The reader goes away for a minute in the middle. */
static void test_slow(void)
{
	struct diag d = {0};
	size_t n;

	fresh(1000000);
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	for (uint64_t at = 0; at < w.size; at += n) {
		if (t.feed.ops->read(&t.feed, read_buf, 5000, &n, &d) != 0 ||
		    n == 0) {
			CHECK(false);
			break;
		}
		if (at < 500000 && at + n >= 500000)
			w.now += 60000000;
	}
	CHECK_INT(d.reason, 0);
	tftp_close(&t);
	settle();
	CHECK(w.finished);
}

static void test_strangers(void)
{
	static const uint8_t data[] = {0, 3, 0, 3, 'x'};
	static const uint8_t error[] = {0, 5, 0, 1, 'x', 0};
	static const uint8_t junk[] = {0, 9, 0, 0};
	static const uint8_t other[] = {1, 5, 0, 1, 'x', 0};
	struct tftp_peer port = {HOST, 9}, host = {HOST + 1, 1025};
	struct diag d = {0};
	size_t n;

	fresh(100000);
	q.window = 1;
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	CHECK_INT(t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), 0);
	put_on_wire(false, port, data, sizeof data, 0);
	put_on_wire(false, host, data, sizeof data, 0);
	put_on_wire(false, host, error, sizeof error, 0);
	put_on_wire(false, w.at, junk, sizeof junk, 0);
	put_on_wire(false, w.at, data, 3, 0);
	put_on_wire(false, w.at, other, sizeof other, 0);
	put_on_wire(false, w.at, "", 0, 0);
	CHECK_INT(t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), 0);
	while (n > 0 && d.reason == 0)
		CHECK_INT(
		    t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), 0);
	CHECK_INT(t.bytes, w.size);
	CHECK_INT(w.errors_5, 2);
	tftp_close(&t);
	/* two answers to a request sent twice: one of them is sent away */
	fresh(100000);
	w.way = 400000;
	CHECK_INT(get(32768, &d), 0);
	CHECK_INT(w.requests, 2);
	/* before the server has answered */
	fresh(1000);
	put_on_wire(false, host, data, sizeof data, 0);
	put_on_wire(false, port, junk, sizeof junk, 0);
	put_on_wire(false, port, data, sizeof data, 0);
	CHECK_INT(get(32768, &d), 0);
	/* no answers to what was asked */
	for (unsigned i = 0; i < 3; i++) {
		uint8_t none[] = {0, i == 0 ? 3 : 4, 0, i != 1, 'x'};

		fresh(0);
		w.silent = true;
		put_on_wire(false, port, none, sizeof none, 0);
		CHECK_INT(i == 1 ? get(32768, &d) : put(9, &d), R_NET_SERVER);
	}
}

/* Doubled packets must not double what follows, whichever way they came. */
static void test_doubled(void)
{
	struct diag d;
	unsigned blocks = 1000000 / 1468 + 1;

	for (unsigned window = 1; window <= 64; window *= 8) {
		fresh(1000000);
		q.window = window;
		w.twice = 1000;
		CHECK_INT(get(32768, &d), 0);
		/* every ACK comes twice, and so every window is sent twice */
		CHECK(w.sent <= 2 * blocks);
		CHECK_INT(t.turned, 0);
	}
}

static void test_wrap(void)
{
	struct diag d;
	size_t n;

	/* all the way round, in small blocks */
	fresh(70000u * 8);
	q.mtu = 40;
	q.window = 32;
	CHECK_INT(get(32768, &d), 0);
	CHECK_INT(t.block, 8);
	fresh(70000u * 8 + 5);
	q.mtu = 40;
	q.window = 1;
	w.lose = 5;
	CHECK_INT(get(32768, &d), 0);
	/* as many blocks as more than 4 GiB have */
	fresh(70000000);
	w.told = FEED_UNKNOWN;
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	w.on_wire = 0;
	t.out = t.next = t.cursor = 3000000 - 5;
	t.acked = t.next - 1;
	w.base = t.next;
	w.size = 3000100ull * 1468 + 7;
	/* which some servers tell in 32 bits */
	t.bytes = (t.next - 1) * 1468;
	t.feed.size = (uint32_t)w.size;
	send_window();
	for (uint64_t at = (t.next - 1) * 1468;;) {
		CHECK_INT(
		    t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), 0);
		if (n == 0 || read_buf[n - 1] != byte_at(at + n - 1)) {
			CHECK_INT(at, w.size);
			break;
		}
		at += n;
	}
	tftp_close(&t);
	/* in more it is more than was told */
	fresh(100000);
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	t.bytes = t.feed.size = UINT32_MAX + 1ull;
	CHECK_INT(
	    t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), R_NET_SIZE);
	tftp_close(&t);
}

/* What is acknowledged when these blocks come, with windows of 8. "." behind
 * a number: the file ends there. */
static const char *acks(const char *blocks)
{
	struct diag d = {0};
	unsigned order = 0;
	size_t n;

	fresh(1000000);
	q.window = 8;
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	w.on_wire = 0;
	w.running = false;
	w.listen_until = w.now + w.way + 1000;
	while (*blocks != '\0') {
		char *end;
		long number = strtol(blocks, &end, 10);
		uint8_t p[4 + 1468] = {
		    0, 3, (uint8_t)(number >> 8), (uint8_t)number};
		bool last = *end == '.';

		put_on_wire(false, w.at, p, last ? 100 : sizeof p, order++);
		blocks = end + last;
	}
	while (t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d) == 0 && n > 0)
		;
	return w.acks;
}

static void test_acknowledged(void)
{
	CHECK_STR(acks("1 2 3 4 5 6 7 8"), " 8");
	CHECK_STR(acks("1 2 3 4."), " 4");
	/* changed places; or lost, with a second one behind */
	CHECK_STR(acks("1 2 4"), "");
	CHECK_STR(acks("1 2 4 3 5 6 7 8"), " 8");
	CHECK_STR(acks("1 2 4 5"), " 2");
	CHECK(!w.timing);
	/* once, until the server has begun again and lost it again */
	CHECK_STR(acks("1 2 4 5 6 7 8"), " 2");
	CHECK_STR(acks("1 2 4 5 2 6 7"), " 2");
	CHECK_STR(acks("1 2 4 5 4 5"), " 2 2");
	CHECK_STR(acks("1 2 4 5 3 6 7 8 9 10"), " 2 10");
	/* there will be no second one */
	CHECK_STR(acks("1 2 3 4 5 6 8"), " 6");
	CHECK_STR(acks("1 2 4."), " 2");
	/* of long ago, as numbers go */
	CHECK_STR(acks("0 65535 65530 1 2 3"), "");
	CHECK_INT(t.turned, 0);
}

static void test_weather(void)
{
	struct diag d;

	for (unsigned seed = 1; seed <= 36; seed++)
		for (unsigned window = 1; window <= 128; window *= 2) {
			fresh(200000 + seed);
			w.random = seed * 1000 + window;
			w.lose = seed % 4 * 30;
			w.twice = seed / 4 % 3 * 50;
			w.exchange = seed / 12 % 3 * 100;
			w.deaf = window == 1 && seed % 2;
			q.window = window;
			CHECK_INT(get(seed % 5 ? 32768 : 999, &d), 0);
		}
}

/* One block lost in each of many windows: what a loss costs. */
static void test_turns(void)
{
	struct diag d;
	unsigned blocks = 2000000 / 1468 + 1;

	fresh(2000000);
	w.lose = 10;
	CHECK_INT(get(32768, &d), 0);
	CHECK(t.turned > 3);
	/* the server is sent back to the gap at once, not a time-out later */
	CHECK(seconds() < 1);
	CHECK(w.sent < 2 * blocks);
	/* neighbours that change places send nobody back */
	fresh(2000000);
	w.exchange = 0;
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	for (unsigned i = 0; i < 2; i++) {
		size_t n;

		CHECK_INT(
		    t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), 0);
	}
	for (unsigned i = 0; i + 1 < w.on_wire; i += 2)
		if (!w.wire[i].to_server && !w.wire[i + 1].to_server) {
			uint64_t due = w.wire[i].due;

			w.wire[i].due = w.wire[i + 1].due;
			w.wire[i + 1].due = due;
		}
	for (unsigned i = 0; i < 50; i++) {
		size_t n;

		CHECK_INT(
		    t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), 0);
	}
	CHECK_INT(t.turned, 0);
	CHECK_INT(t.repeated, 0);
	tftp_close(&t);
}

/* The way holds 20 packets of each window of 64: only so many are used. */
static void test_narrow(void)
{
	struct diag d;
	double narrow, wide;
	unsigned use;

	fresh(2000000);
	w.room = 20;
	CHECK_INT(get(32768, &d), 0);
	narrow = seconds();
	use = t.use / 8;
	CHECK(use >= 20 && use < 30);
	fresh(2000000);
	q.window = 20;
	CHECK_INT(get(32768, &d), 0);
	wide = seconds();
	/* no time-out for each window, but now and then one */
	CHECK(narrow < 2 * wide);
	/* it gets room again */
	fresh(4000000);
	w.room = 20;
	memset(&d, 0, sizeof d);
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	while (t.bytes < w.size) {
		size_t n;

		if (t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d) != 0)
			break;
		if (t.bytes > 500000)
			w.room = 0;
	}
	CHECK_INT(t.bytes, w.size);
	CHECK_INT(t.use, 8 * 64);
	tftp_close(&t);
}

static void test_close(void)
{
	struct diag d = {0};
	size_t n;

	fresh(1000000);
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	CHECK_INT(t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), 0);
	tftp_close(&t);
	settle();
	CHECK_INT(w.cancelled, 1);
	/* the last acknowledgement is lost: the block comes again */
	fresh(1000);
	w.patience = 10000;
	memset(&d, 0, sizeof d);
	CHECK_INT(tftp_open(&t, &w.io, &q, &d), 0);
	w.lose_ack = 1;
	do
		CHECK_INT(
		    t.feed.ops->read(&t.feed, read_buf, 32768, &n, &d), 0);
	while (n > 0);
	CHECK(!w.finished);
	w.way = 0;
	w.now += 10000;
	tftp_close(&t);
	settle();
	CHECK(w.finished);
}

struct memory_feed {
	struct feed feed;
	uint64_t at, len;
	int fail;
};

static int memory_read(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d)
{
	struct memory_feed *m = (struct memory_feed *)f;
	uint8_t *p = dst;

	*n = 0;
	if (m->fail && m->at > 3000)
		return diag_fail(d, m->fail, "broken");
	while (*n < cap && *n < 333 && m->at < m->len)
		p[(*n)++] = byte_at(m->at++);
	return 0;
}

static int put(uint64_t size, struct diag *d)
{
	static const struct feed_ops ops = {"memory", memory_read};
	static uint8_t written_to[200000];
	struct memory_feed m = {{&ops, size, ""}, 0, 0, 0};
	int r;

	size = MIN(size, sizeof written_to - 100);
	m.len = size;

	memset(d, 0, sizeof *d);
	w.written = w.deaf ? NULL : written_to;
	if (w.dies_at == 1)
		m.fail = R_IO;
	r = tftp_put(&t, &w.io, &q, &m.feed, d);
	if (r == 0) {
		bool same = w.written_len == size && w.finished;

		for (size_t i = 0; i < w.written_len && same; i++)
			same = w.written[i] == byte_at(i);
		CHECK(same);
		CHECK_INT(t.bytes, size);
		CHECK_INT(t.next - 1, size / t.block + 1);
	}
	return r;
}

static void test_put(void)
{
	static const uint64_t sizes[] = {
	    0, 1, 511, 512, 1467, 1468, 1469, 150000};
	struct diag d;

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned how = 0; how < 6; how++) {
			fresh(0);
			w.patience = FOREVER / 2;
			w.options = how == 1   ? IGNORED
			            : how == 2 ? REFUSED
			                       : HONEST;
			w.lose = how == 3 ? 50 : 0;
			w.twice = how == 4 ? 300 : 0;
			w.exchange = how == 5 ? 300 : 0;
			CHECK_INT(put(sizes[i], &d), 0);
		}
	fresh(0);
	w.error = 3;
	w.text = "read-only";
	CHECK_INT(put(100, &d), R_TFTP_ACCESS);
	fresh(0);
	w.silent = true;
	CHECK_INT(put(100, &d), R_NET_SERVER);
	fresh(0);
	w.dies_at = 1;
	w.patience = FOREVER / 2;
	CHECK_INT(put(100000, &d), R_IO);
	settle();
	CHECK_INT(w.cancelled, 1);
	fresh(0);
	CHECK_INT(put(FEED_UNKNOWN, &d), 0);
	CHECK_STR(w.asked, "blksize|1468|");
	/* what looks like an acknowledgement, and is none */
	fresh(0);
	w.deaf = true;
	w.patience = FOREVER / 2;
	put_on_wire(false, (struct tftp_peer){HOST, 1025},
	    (const uint8_t[]){0, 9, 0, 1}, 4, 1200);
	CHECK_INT(put(100, &d), R_TIMEOUT);
	fresh(0);
	w.oack = "windowsize|4|";
	CHECK_INT(put(100, &d), R_TFTP_OPTION);
}

int main(void)
{
	test_sizes();
	test_round_trip();
	test_acknowledged();
	test_options();
	test_errors();
	test_silence();
	test_slow();
	test_strangers();
	test_doubled();
	test_wrap();
	test_weather();
	test_turns();
	test_narrow();
	test_close();
	test_put();
	return check_done("tftp");
}
