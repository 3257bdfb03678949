/* SPDX-License-Identifier: 0BSD */
/* XMODEM and YMODEM: a block is sent, answered, and only then the next. */
#include "source/modem_private.h"

#define HEAD 2       /* number, and its complement */
#define BYTE_MS 1000 /* within a block */
#define LAST_MS 300  /* before we take it that there is no second CRC byte */
#define AGAIN_MS 500 /* before a block that came twice is answered */
#define CLOSE_TRIES 3

_Static_assert(MODEM_BLOCK >= HEAD + 1024 + 2, "block fits");

/*
 * The rest of a block into block[], its data from at to len: 0 when the check
 * is right, 1 when not, or a reason. Which check it is, the first one tells.
 */
static int block_read(struct modem *m, int start, struct diag *d)
{
	size_t end = HEAD + (start == STX ? 1024u : 128u);
	size_t all = end + (m->checksum ? 1 : 2);
	uint8_t *b = m->block, sum = 0;

	for (size_t i = 0; i < all; i++) {
		bool last = m->first && i == end + 1;
		int c = modem_byte(m, last ? LAST_MS : BYTE_MS, d);

		if (c < 0)
			return c;
		if (c == SILENT && last) {
			m->checksum = true;
			break;
		}
		if (c == SILENT)
			return 1;
		b[i] = (uint8_t)c;
		if (i == 1 && b[0] + b[1] != 0xff)
			return 1;
	}
	m->at = HEAD;
	m->len = (uint16_t)end;
	if (!m->checksum)
		return modem_crc16(0, b + HEAD, all - HEAD) != 0;
	for (size_t i = HEAD; i < end; i++)
		sum = (uint8_t)(sum + b[i]);
	if (sum == b[end])
		return 0;
	m->checksum = !m->first;
	return 1;
}

/* 1, or a reason */
static int refuse(struct modem *m, struct diag *d)
{
	int rc = modem_put(m, NAK, d);

	return rc ? rc : 1;
}

/* A block was bad: 1, or a reason. */
static int again(struct modem *m, struct diag *d)
{
	int rc = modem_bad(m, d);

	if (rc == 0)
		rc = modem_purge(m, QUIET_MS, d);
	return rc ? rc : refuse(m, d);
}

int xmodem_first(struct modem *m, uint8_t start, struct diag *d)
{
	bool named = m->protocol != MODEM_XMODEM;
	int rc = block_read(m, start, d);

	if (rc < 0)
		return rc;
	if (rc == 0 && m->block[0] == 1 &&
	    (m->protocol == MODEM_AUTO || !named)) {
		named = false;
		m->protocol = MODEM_XMODEM;
	} else if (rc || m->block[0] != 0 || !named || !modem_info(m)) {
		return again(m, d);
	} else if (!m->block[HEAD]) {
		(void)!modem_put(m, ACK, d);
		return modem_no_file(d);
	}
	m->first = false;
	/* The sender of this took our ZRINIT for answers that make no sense,
	 * and waits now for one that it knows. */
	if (m->confused) {
		m->confused = false;
		return refuse(m, d);
	}
	m->begun = true;
	if (!named) {
		m->expected = 2;
		rc = modem_good(m, (size_t)m->len - m->at, d);
		return rc ? rc : modem_put(m, ACK, d);
	}
	m->at = m->len = 0;
	m->expected = 1;
	if (m->protocol == MODEM_YMODEM_G)
		return modem_put(m, 'G', d);
	m->protocol = MODEM_YMODEM;
	return modem_send(m,
	    "\x06"
	    "C",
	    2, d);
}

/*
 * All bytes are here: what goes wrong from now on is nobody's loss. YMODEM
 * has one more block, with the next name, which is empty at the end.
 */
static void session_end(struct modem *m)
{
	uint8_t more = m->protocol == MODEM_YMODEM_G ? 'G' : 'C';
	int c = EOT;

	for (unsigned tries = 0; tries < CLOSE_TRIES && c >= 0; tries++) {
		if (c == EOT)
			(void)!modem_put(m, ACK, NULL);
		if (m->protocol == MODEM_XMODEM)
			break;
		(void)!modem_put(m, more, NULL);
		c = modem_byte(m, ASK_MS, NULL);
		if (c == SILENT && m->protocol == MODEM_YMODEM_G)
			break; /* waits for nothing, and is gone */
		if (c != SOH && c != STX)
			continue;
		c = block_read(m, c, NULL);
		if (c == 0 && m->block[HEAD])
			modem_close(m); /* another file */
		else if (c == 0)
			(void)!modem_put(m, ACK, NULL);
		if (c == 0)
			break;
	}
	m->at = m->len = 0;
	m->ended = true;
}

/* EOT: 0 it is the end, 1 it may be noise, and is asked for again, or a
 * reason. Noise that looks like it would cut the file. */
static int end(struct modem *m, bool again_seen, struct diag *d)
{
	if (m->offset != m->feed.size && !again_seen &&
	    m->protocol != MODEM_YMODEM_G)
		return refuse(m, d);
	if (m->offset != m->feed.size && m->feed.size != FEED_UNKNOWN)
		return diag_fail(d, R_NET_SIZE,
		    "%llu bytes came of the %llu announced",
		    (unsigned long long)m->offset,
		    (unsigned long long)m->feed.size);
	session_end(m);
	return 0;
}

/* After SOH or STX: 0 new bytes are here, 1 none are, or a reason. */
static int block(struct modem *m, int start, bool *twice, struct diag *d)
{
	int rc = block_read(m, start, d);
	uint64_t left = m->feed.size - m->offset;
	size_t n;

	*twice = false;
	if (rc < 0)
		return rc;
	if (rc == 0 && m->block[0] == (uint8_t)(m->expected - 1)) {
		*twice = true;
		return 1;
	}
	if (rc || m->block[0] != m->expected) {
		if (m->protocol != MODEM_YMODEM_G)
			return again(m, d);
		return diag_fail(d, R_LINE_NOISE,
		    "a bad block, and YMODEM-G sends none twice: use YMODEM");
	}
	n = (size_t)m->len - m->at;
	/* the last block is filled up */
	if (m->feed.size != FEED_UNKNOWN && left > 0)
		n = (size_t)MIN(left, (uint64_t)n);
	m->len = (uint16_t)(m->at + n);
	m->expected++;
	m->first = false;
	rc = modem_good(m, n, d);
	/* answered now: the next one comes while this one is used */
	if (rc == 0 && m->protocol != MODEM_YMODEM_G)
		rc = modem_put(m, ACK, d);
	return rc;
}

/* Nothing came: what moves the sender on. */
static int ask(struct modem *m, bool twice, struct diag *d)
{
	bool nothing = m->offset == 0 && m->protocol != MODEM_XMODEM;

	if (twice) /* our answer was lost */
		return modem_send(m,
		    "\x06"
		    "C",
		    nothing ? 2 : 1, d);
	if (m->protocol == MODEM_YMODEM_G)
		return nothing ? modem_put(m, 'G', d) : 0;
	return modem_put(m, nothing ? 'C' : NAK, d);
}

/*
 * A block that came twice is not answered at once: its sender may have had
 * two answers and be one block ahead, and an answer too many would confirm a
 * block that we have not seen. Bytes that are no block are passed over up to
 * one or to the end of the burst, where no end of the file is believed.
 */
int xmodem_next(struct modem *m, struct diag *d)
{
	bool twice = false, ending = false, burst = false;
	int c, rc;

	for (;;) {
		c = modem_byte(m,
		    burst   ? QUIET_MS
		    : twice ? AGAIN_MS
		            : ASK_MS,
		    d);
		rc = 1;
		if (c < 0)
			return c;
		if (c == SILENT) {
			rc = ask(m, twice && !burst, d);
			if (rc)
				return rc;
			twice = burst = false;
			continue;
		}
		if (c == EOT && !burst) {
			rc = end(m, ending, d);
			ending = true;
		} else if (c == SOH || c == STX) {
			burst = ending = false;
			rc = block(m, c, &twice, d);
		} else if (c == CAN && !burst) {
			c = modem_byte(m, BYTE_MS, d);
			if (c == CAN)
				return diag_fail(
				    d, R_LINE_CANCELLED, "by the sender");
			burst = true;
		} else {
			burst = true;
		}
		if (rc <= 0)
			return rc;
	}
}
