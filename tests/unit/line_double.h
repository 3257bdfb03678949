/* SPDX-License-Identifier: 0BSD */
/* A line that is made up, with a clock that only waiting moves. The script is
 * what the sender sends, and when. */
#ifndef LIFEBOAT_LINE_DOUBLE_H
#define LIFEBOAT_LINE_DOUBLE_H

#include "source/modem.h"

#include "../check.h"

enum { SOH = 1, STX = 2, EOT = 4, ACK = 6, NAK = 0x15, CAN = 0x18 };

#define STEPS 64
#define BYTES 40000

/* What comes once so many bytes were written and so much time has gone by
 * since that was seen; each step is read by itself. */
struct step {
	uint8_t p[BYTES];
	size_t len;
	size_t written;
	uint64_t delay, due;
};

static struct fake {
	struct line_io io;
	struct step step[STEPS];
	unsigned steps, at;
	size_t used;
	uint64_t clock;
	uint8_t out[BYTES];
	size_t out_len;
	bool flood; /* rubbish without end, a byte a millisecond */
	bool gone;
} line;

static struct modem m;
static struct diag diag;
static uint8_t got[200000];
static size_t got_len;

static inline uint64_t fake_now(struct line_io *io)
{
	(void)io;
	return line.clock;
}

static inline int fake_read(struct line_io *io, void *dst, size_t cap,
    size_t *n, unsigned ms, struct diag *d)
{
	struct step *s = &line.step[line.at];

	(void)io;
	*n = 0;
	if (line.gone)
		return diag_fail(d, R_IO, "gone");
	if (line.flood) {
		line.clock++;
		*(uint8_t *)dst = (uint8_t)(line.clock * 2654435761u >> 13);
		*n = 1;
		return 0;
	}
	if (line.at < line.steps && line.out_len >= s->written) {
		if (s->due == 0)
			s->due = line.clock + s->delay;
		if (s->due <= line.clock + ms) {
			if (line.clock < s->due)
				line.clock = s->due;
			*n = MIN(cap, s->len - line.used);
			memcpy(dst, s->p + line.used, *n);
			line.used += *n;
			if (line.used == s->len) {
				line.at++;
				line.used = 0;
			}
			return 0;
		}
	}
	line.clock += ms;
	return 0;
}

static inline int fake_write(
    struct line_io *io, const void *src, size_t len, struct diag *d)
{
	(void)io;
	if (line.gone)
		return diag_fail(d, R_IO, "gone");
	if (len > sizeof line.out - line.out_len)
		len = sizeof line.out - line.out_len;
	memcpy(line.out + line.out_len, src, len);
	line.out_len += len;
	return 0;
}

static inline void start(void)
{
	memset(&line, 0, sizeof line);
	line.io = (struct line_io){fake_read, fake_write, fake_now};
	line.clock = 12345;
	diag_clear(&diag);
	got_len = 0;
}

/* Bytes that come ms after so many more were written. */
static inline struct step *say(
    const void *p, size_t len, size_t after, uint64_t ms)
{
	struct step *s = &line.step[line.steps++];

	memcpy(s->p, p, len);
	s->len = len;
	s->written = after;
	s->delay = ms;
	return s;
}

static inline uint16_t crc16(const uint8_t *p, size_t n)
{
	unsigned crc = 0;

	for (; n > 0; n--) {
		crc ^= (unsigned)*p++ << 8;
		for (int i = 0; i < 8; i++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
	}
	return (uint16_t)crc;
}

static inline uint8_t content(size_t at)
{
	return (uint8_t)(at * 7 + at / 251 + 24);
}

/* Receives: the reason, with what came in got. */
static inline int receive(enum modem_protocol protocol)
{
	struct modem_request q = {&line.io, protocol, 30, 0};
	int rc = modem_open(&m, &q, &diag);
	size_t n = 1;

	while (rc == 0 && n > 0) {
		rc = m.feed.ops->read(&m.feed, got + got_len,
		    MIN(sizeof got - got_len, 777u), &n, &diag);
		got_len += n;
	}
	if (rc) {
		size_t len;

		CHECK_INT(rc, diag.reason);
		CHECK(diag.seen[0] != '\0');
		CHECK_INT(m.feed.ops->read(&m.feed, got, 1, &len, &diag), rc);
		CHECK_INT(len, 0);
	}
	return rc;
}

static inline bool got_is(size_t n)
{
	for (size_t i = 0; i < n && i < got_len; i++)
		if (got[i] != content(i))
			return false;
	return got_len == n;
}

static inline bool sent(const char *what, size_t len)
{
	return line.out_len == len && memcmp(line.out, what, len) == 0;
}

static inline bool cancelled(void)
{
	static const char stop[] = "\x18\x18\x18\x18\x18\x18\x18\x18"
	                           "\b\b\b\b\b\b\b\b";

	return line.out_len >= 16 &&
	       memcmp(line.out + line.out_len - 16, stop, 16) == 0;
}

#endif
