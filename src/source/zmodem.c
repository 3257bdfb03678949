/* SPDX-License-Identifier: 0BSD */
/*
 * ZMODEM: headers say what follows and at which byte of the file; data comes
 * in subpackets without waiting for answers. What is wrong is asked for again
 * by its position, which works after a broken cable and with a sender that
 * was started anew just as well.
 */
#include "source/modem_private.h"

enum {
	ZRQINIT = 0,
	ZRINIT = 1,
	ZSINIT = 2,
	ZACK = 3,
	ZFILE = 4,
	ZSKIP = 5,
	ZNAK = 6,
	ZABORT = 7,
	ZFIN = 8,
	ZRPOS = 9,
	ZDATA = 10,
	ZEOF = 11,
	ZFERR = 12,
	ZCAN = 16,
	ZFREECNT = 17,
	/* what ends a subpacket */
	ZCRCE = 'h', /* a header comes */
	ZCRCG = 'i', /* another subpacket comes */
	ZCRCQ = 'j', /* the same, and an answer is wanted */
	ZCRCW = 'k', /* a header comes, after our answer */
	ZRUB0 = 'l',
	ZRUB1 = 'm',
	/* in place of a byte or header */
	Z_BAD = 0x101,
	Z_END = 0x200 /* added to what ends a subpacket */
};

/* in ZRINIT: full duplex, receives while it writes, CRC of 32 bits */
#define FLAGS 0x23000000u
#define BYTE_MS 3000    /* within a header or a subpacket */
#define BACK (1u << 20) /* a sender this far back is let come up */
#define FLOOD_MS 1000   /* between two answers to headers out of place */
#define DELAY_MAX 2     /* doublings of the time between two questions */
#define ANSWER_S 10     /* more patience once a sender speaks */
#define CLOSE_S 12
#define CLOSE_TRIES 3
#define BYE_MS 500 /* for "OO", which lrzsz loses now and then */

/* ---- bytes, headers, subpackets */

static int raw(struct modem *m, struct diag *d)
{
	int c;

	do
		c = modem_byte(m, BYTE_MS, d);
	while (c >= 0 && c <= 0xff && (c & 0x7d) == XON);
	return c;
}

/* A byte without its escape, SILENT, Z_BAD, Z_END and more, or a reason. */
static int unescaped(struct modem *m, struct diag *d)
{
	int c = raw(m, d);

	if (c != CAN)
		return c;
	c = raw(m, d);
	if (c < 0 || c == SILENT)
		return c;
	if (c >= ZCRCE && c <= ZCRCW)
		return Z_END + c;
	if (c == ZRUB0 || c == ZRUB1)
		return c == ZRUB0 ? 0x7f : 0xff;
	return (c & 0x60) == 0x40 ? c ^ 0x40 : Z_BAD;
}

static int hex(struct modem *m, struct diag *d)
{
	int value = 0;

	for (int i = 0; i < 2; i++) {
		int c = raw(m, d);

		if (c < 0 || c == SILENT)
			return c;
		c = hex_digit((char)(c & 0x7f));
		if (c < 0)
			return Z_BAD;
		value = value << 4 | c;
	}
	return value;
}

/* A header, after its ZPAD: its type, SILENT, Z_BAD or a reason. */
static int header(struct modem *m, struct diag *d)
{
	uint8_t b[9];
	size_t n;
	int c, kind;

	do
		c = raw(m, d);
	while (c == ZPAD);
	if (c != CAN)
		return c < 0 || c == SILENT ? c : Z_BAD;
	kind = raw(m, d);
	if (kind != 'A' && kind != 'B' && kind != 'C')
		return kind < 0 || kind == SILENT ? kind : Z_BAD;
	n = kind == 'C' ? 9 : 7;
	for (size_t i = 0; i < n; i++) {
		c = kind == 'B' ? hex(m, d) : unescaped(m, d);
		if (c < 0 || c == SILENT)
			return c;
		if (c > 0xff)
			return Z_BAD;
		b[i] = (uint8_t)c;
	}
	if (kind == 'C' ? crc32_update(0, b, 5) != load_le32(b + 5)
	                : modem_crc16(0, b, 7) != 0)
		return Z_BAD;
	/* a line end, which no data may be mistaken for */
	if (kind == 'B' && (c = raw(m, d)) != SILENT) {
		if (c < 0)
			return c;
		c = raw(m, d);
		if (c < 0)
			return c;
	}
	m->crc32 = kind == 'C';
	m->pos = load_le32(b + 1);
	return b[0];
}

/* The data of a subpacket into block[]: Z_END and how it ended, SILENT, Z_BAD
 * or a reason. */
static int subpacket(struct modem *m, struct diag *d)
{
	uint8_t check[5];
	size_t n = 0, more = m->crc32 ? 4 : 2;
	int c, end;

	while ((c = unescaped(m, d)) >= 0 && c <= 0xff) {
		if (n == MODEM_BLOCK) {
			c = Z_BAD;
			break;
		}
		m->block[n++] = (uint8_t)c;
	}
	m->at = m->len = (uint16_t)n; /* nothing to hand out yet */
	if (c < Z_END)
		return c;
	end = c;
	check[0] = (uint8_t)c;
	for (size_t i = 1; i <= more; i++) {
		c = unescaped(m, d);
		if (c < 0 || c == SILENT)
			return c;
		if (c > 0xff)
			return Z_BAD;
		check[i] = (uint8_t)c;
	}
	if (m->crc32 ? crc32_update(crc32_update(0, m->block, n), check, 1) !=
	                   load_le32(check + 1)
	             : modem_crc16(modem_crc16(0, m->block, n), check, 3) != 0)
		return Z_BAD;
	m->at = 0;
	return end;
}

static int answer(struct modem *m, uint8_t type, uint32_t pos, struct diag *d)
{
	uint8_t b[7] = {type}, text[24] = {ZPAD, ZPAD, CAN, 'B'};
	uint16_t crc;

	store_le32(b + 1, pos);
	crc = modem_crc16(0, b, 5);
	b[5] = (uint8_t)(crc >> 8);
	b[6] = (uint8_t)crc;
	hex_encode((char *)text + 4, b, sizeof b);
	memcpy(text + 18, "\r\x8a\x11", 3);
	m->asked = m->clock;
	return modem_send(m, text, type == ZACK || type == ZFIN ? 20 : 21, d);
}

int zmodem_invite(struct modem *m, struct diag *d)
{
	m->confused = true;
	return answer(m, ZRINIT, FLAGS | m->window, d);
}

/* Says what we wait for. */
static int ask(struct modem *m, struct diag *d)
{
	if (m->restarted || !m->begun)
		return zmodem_invite(m, d);
	m->in_frame = false;
	return answer(m, ZRPOS, (uint32_t)m->offset, d);
}

/* ---- the session */

/* ZFILE: asks for the file from where we are, when it is ours. */
static int file(struct modem *m, struct diag *d)
{
	uint64_t size = m->feed.size;
	uint32_t identity = m->identity;
	int c = subpacket(m, d);
	bool good = c >= Z_END && modem_info(m);

	m->at = m->len = 0;
	if (c < 0 || c == SILENT)
		return c < 0 ? c : 0;
	if (!good)
		return answer(m, ZNAK, 0, d);
	if (m->begun && m->identity != identity)
		return diag_fail(d, R_STREAM_CUT,
		    "another file begins: %s, after %llu of %llu bytes",
		    m->feed.name, (unsigned long long)m->offset,
		    (unsigned long long)size);
	m->protocol = MODEM_ZMODEM;
	m->begun = true;
	m->restarted = false;
	return ask(m, d);
}

/* A header that is not for data: 0 or a reason. */
static int control(struct modem *m, int type, struct diag *d)
{
	int c;

	switch (type) {
	case ZFILE:
		return file(m, d);
	case ZRQINIT:
		if (!m->begun && !m->restarted)
			m->deadline += ANSWER_S * 1000;
		m->restarted = true;
		return zmodem_invite(m, d);
	case ZSINIT:
		c = subpacket(m, d);
		m->at = m->len = 0;
		if (c < 0)
			return c;
		return answer(m, c < Z_END ? ZNAK : ZACK, 1, d);
	case ZFREECNT:
		return answer(m, ZACK, UINT32_MAX, d);
	case ZNAK:
		return ask(m, d);
	case ZABORT:
	case ZFERR:
	case ZCAN:
		(void)!answer(m, ZFIN, 0, d);
		return diag_fail(
		    d, R_LINE_CANCELLED, "the sender gave up: %d", type);
	case ZFIN:
		(void)!answer(m, ZFIN, 0, d);
		m->ended = true;
		return !m->begun
		           ? modem_no_file(d)
		           : diag_fail(d, R_STREAM_CUT,
		                 "the sender ended after %llu of %llu bytes",
		                 (unsigned long long)m->offset,
		                 (unsigned long long)m->feed.size);
	default:
		return 0;
	}
}

int zmodem_first(struct modem *m, struct diag *d)
{
	int type = header(m, d);
	int rc = type < 0 ? type : control(m, type, d);

	return rc ? rc : !m->begun;
}

/* The next header, SILENT when it is time to ask again, or a reason. */
static int scan(struct modem *m, struct diag *d)
{
	uint64_t due = m->asked + ((uint64_t)ASK_MS << m->asks);

	while (m->clock < due) {
		int c = modem_byte(m, (unsigned)(due - m->clock), d);

		if (c < 0)
			return c;
		if (c != ZPAD)
			continue;
		c = header(m, d);
		if (c != Z_BAD && c != SILENT)
			return c;
	}
	return SILENT;
}

/*
 * All bytes are here: what goes wrong from now on is nobody's loss. Whatever
 * else the sender has is skipped, so that it ends as if all were well.
 */
static void session_end(struct modem *m)
{
	unsigned tries = 0;
	bool fin = false;
	int c = 0;

	m->ended = true;
	m->asks = 0;
	m->deadline = m->clock + CLOSE_S * 1000;
	(void)!zmodem_invite(m, NULL);
	while (c >= 0 && tries < CLOSE_TRIES) {
		c = scan(m, NULL);
		if (c == ZFILE) {
			(void)!subpacket(m, NULL);
			(void)!answer(m, ZSKIP, 0, NULL);
			tries = 0;
		} else if (c == ZFIN) {
			fin = true;
			(void)!answer(m, ZFIN, 0, NULL);
			c = modem_byte(m, BYE_MS, NULL);
			if (c == 'O')
				c = modem_byte(m, QUIET_MS, NULL);
			if (c == 'O' || c == SILENT)
				break;
		} else if (fin) {
			break;
		} else {
			tries++;
			(void)!zmodem_invite(m, NULL);
		}
	}
	m->at = m->len = 0;
}

/* A header while data is due: 0 or a reason. */
static int place(struct modem *m, struct diag *d)
{
	uint32_t here = (uint32_t)m->offset;
	int type = scan(m, d);

	if (type == SILENT) {
		m->asks = (uint8_t)MIN(m->asks + 1, DELAY_MAX);
		return ask(m, d);
	}
	if (type == ZEOF && m->pos == here) {
		if (m->feed.size != FEED_UNKNOWN && m->offset != m->feed.size)
			return diag_fail(d, R_NET_SIZE,
			    "%llu bytes came of the %llu announced",
			    (unsigned long long)m->offset,
			    (unsigned long long)m->feed.size);
		session_end(m);
		return 0;
	}
	if (type == ZDATA && here - m->pos <= BACK) {
		m->skip = here - m->pos;
		m->in_frame = true;
		m->restarted = false;
		return 0;
	}
	if (type == ZDATA || type == ZEOF)
		return m->clock < m->asked + FLOOD_MS ? 0 : ask(m, d);
	return type < 0 ? type : control(m, type, d);
}

/* A sender that was started anew speaks amid a subpacket: its ZRQINIT as data,
 * the last before it waits. */
static bool begins_anew(const struct modem *m)
{
	static const char init[] = "**\x02"
	                           "00000000000000\r\x8a";
	size_t n = sizeof init - 1;

	return m->len >= n && memcmp(m->block + m->len - n, init, n) == 0;
}

/* A subpacket: 0, even when it was bad and is asked for again, or a reason. */
static int data(struct modem *m, struct diag *d)
{
	int c = subpacket(m, d), rc = 0;
	uint32_t n;

	if (c < 0)
		return c;
	if (c == SILENT && begins_anew(m)) {
		m->in_frame = false;
		return control(m, ZRQINIT, d);
	}
	if (c < Z_END) {
		rc = modem_bad(m, d);
		return rc ? rc : ask(m, d);
	}
	m->in_frame = c == Z_END + ZCRCG || c == Z_END + ZCRCQ;
	n = MIN(m->skip, m->len);
	m->skip -= n;
	m->at = (uint16_t)n;
	if (m->at < m->len) {
		m->asks = 0;
		rc = modem_good(m, (size_t)m->len - m->at, d);
	}
	if (rc == 0 && c >= Z_END + ZCRCQ)
		rc = answer(m, ZACK, (uint32_t)m->offset - m->skip, d);
	return rc;
}

int zmodem_next(struct modem *m, struct diag *d)
{
	int rc = 0;

	while (rc == 0 && m->at == m->len && !m->ended)
		rc = m->in_frame ? data(m, d) : place(m, d);
	return rc;
}
