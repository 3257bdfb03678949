/* SPDX-License-Identifier: 0BSD */
/*
 * X, Y and ZMODEM: the first byte chooses the protocol and how much comes at
 * a time, the rest is what comes over the line; then it is silent. Virtual
 * time: whatever comes, it ends in time, with all bytes handed out or a
 * reason, and what a broken ZMODEM sender sent is not forgotten.
 */
#include "source/modem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t input_size, used, piece;
static uint64_t now;
static uint64_t written;

static int line_read(struct line_io *io, void *dst, size_t cap, size_t *n,
    unsigned ms, struct diag *d)
{
	(void)io;
	(void)d;
	*n = MIN(MIN(cap, piece), input_size - used);
	if (*n == 0) {
		now += ms;
		return 0;
	}
	memcpy(dst, input + used, *n);
	used += *n;
	/* a pause where the input says so, of the length it says */
	if (input[used - 1] == 0xfe)
		now += MIN(ms, 40u * used % 4096);
	return 0;
}

static int line_write(
    struct line_io *io, const void *src, size_t len, struct diag *d)
{
	const uint8_t *p = src;

	(void)io;
	(void)d;
	for (size_t i = 0; i < len; i++)
		written += p[i];
	return 0;
}

static uint64_t line_now(struct line_io *io)
{
	(void)io;
	return now;
}

static void needs(bool truth)
{
	if (!truth)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct line_io io = {line_read, line_write, line_now};
	static struct modem m;
	static uint8_t got[3000];
	struct modem_request q = {&io, MODEM_AUTO, 20, 0};
	struct diag d = {0};
	uint64_t all = 0, from;
	size_t n = 1;
	int rc;

	if (size == 0)
		return 0;
	q.protocol = (enum modem_protocol)(data[0] % 5);
	piece = 1 + (size_t)(data[0] / 5) * 9;
	input = data + 1;
	input_size = size - 1;
	used = 0;
	now = from = 1000;
	rc = modem_open(&m, &q, &d);
	needs(now - from <= 31000 + 5000 + input_size * 5);
	while (rc == 0 && n > 0) {
		needs(strlen(m.feed.name) < sizeof m.feed.name);
		from = now;
		rc = m.feed.ops->read(&m.feed, got, sizeof got, &n, &d);
		needs(n <= sizeof got && (rc == 0 || n == 0));
		needs(now - from <=
		      MODEM_STALL_S * 1000 + 12000 + 5000 + 4096 * 4);
		all += n;
	}
	needs(rc == d.reason);
	needs(all <= input_size + 1024);
	if (rc == 0) {
		needs(m.feed.size == FEED_UNKNOWN || m.feed.size == all);
		rc = m.feed.ops->read(&m.feed, got, 1, &n, &d);
		needs(rc == 0 && n == 0);
	} else {
		needs(m.feed.ops->read(&m.feed, got, 1, &n, &d) == rc);
		needs(n == 0);
	}
	modem_close(&m);
	return 0;
}
