/* SPDX-License-Identifier: 0BSD */
/*
 * TFTP packets from a hostile server and from strangers: the input is a list
 * of datagrams, each with two bytes before it: what it does (a time-out, from
 * whom, how often) and its length. Opening, reading, closing, and writing
 * have to end, to stay within what was asked for, and to say why.
 */
#include "source/tftp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOST 0x0a000202u

struct world {
	struct tftp_io io;
	const uint8_t *p;
	size_t len;
	uint32_t now;
	unsigned again;
	const uint8_t *packet;
	size_t packet_len;
	struct tftp_peer from;
};

static struct tftp t;

static uint32_t world_now(struct tftp_io *io)
{
	return ((struct world *)io)->now;
}

static void world_send(
    struct tftp_io *io, struct tftp_peer to, const void *p, size_t len)
{
	const uint8_t *b = p;

	(void)io;
	(void)to;
	if (len < 4 || b[0] != 0 || b[1] < 1 || b[1] > 5)
		__builtin_trap();
}

static int world_receive(struct tftp_io *io, struct tftp_peer *from,
    uint8_t head[4], void *body, size_t cap, size_t *len, uint32_t *wait)
{
	struct world *w = (struct world *)io;
	unsigned how;

	if (w->again == 0) {
		if (w->len < 2) {
			w->now += *wait;
			*wait = 0;
			return 0;
		}
		how = w->p[0];
		w->packet_len = w->p[1];
		w->p += 2;
		w->len -= 2;
		if (w->packet_len > w->len)
			w->packet_len = w->len;
		w->packet = w->p;
		w->p += w->packet_len;
		w->len -= w->packet_len;
		w->from.host = HOST + (how & 1);
		w->from.port = (uint16_t)(1000 + (how >> 1 & 1));
		w->again = 1u << (how >> 2 & 7);
		if (how & 0x20) {
			w->again = 0;
			w->now += *wait;
			*wait = 0;
			return 0;
		}
		if (how & 0x40) {
			w->again = 0;
			*from = w->from;
			return R_NET_SERVER;
		}
	}
	w->again--;
	*from = w->from;
	*len = w->packet_len;
	memcpy(head, w->packet, MIN(w->packet_len, 4u));
	if (w->packet_len > 4)
		memcpy(body, w->packet + 4, MIN(w->packet_len - 4, cap));
	return 1;
}

static int zero_read(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d)
{
	(void)d;
	*n = (size_t)MIN(cap, f->size);
	memset(dst, 0, *n);
	f->size -= *n;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tftp_io_ops ops = {
	    world_send, world_receive, world_now};
	static const struct feed_ops zeros = {"zeros", zero_read};
	static uint8_t dst[2000];
	struct world w = {.io = {&ops}};
	struct tftp_request q = {.server = {HOST, 0}, .file = "f"};
	struct feed from = {&zeros, 3000, ""};
	struct diag d = {0};
	uint64_t total = 0;
	size_t n = 1, cap;
	int r;

	if (size < 3)
		return 0;
	q.mtu = data[0] * 8u;
	q.window = data[1];
	q.timeout = data[2] & 3;
	cap = 1 + data[2] * 7u;
	w.p = data + 3;
	w.len = size - 3;
	if (data[2] & 4) {
		r = tftp_put(&t, &w.io, &q, &from, &d);
		if (r != 0 && (d.reason != r || d.seen[0] == 0))
			__builtin_trap();
		return 0;
	}
	r = tftp_open(&t, &w.io, &q, &d);
	while (r == 0 && n > 0) {
		uint64_t before = t.bytes;

		r = t.feed.ops->read(&t.feed, dst, cap, &n, &d);
		if (n > cap || t.bytes != before + n)
			__builtin_trap();
		total += n;
	}
	if (r == 0 && t.feed.size != FEED_UNKNOWN && t.feed.size != total)
		__builtin_trap();
	if (r != d.reason || (r != 0 && d.seen[0] == 0))
		__builtin_trap();
	tftp_close(&t);
	return 0;
}
