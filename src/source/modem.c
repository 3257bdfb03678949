/* SPDX-License-Identifier: 0BSD */
#include "source/modem_private.h"

#include "base/fmt.h"

#define LISTEN_MS 300  /* before we send anything: who sent already? */
#define DRAIN_MS 5000  /* of what still comes after we have cancelled */
#define DRAINED_MS 500 /* silence after which nothing more will come */
#define CANCELS 5
#define WORDS "auto xmodem ymodem ymodem-g zmodem"

static int feed_read(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d);

const struct feed_ops modem_ops[] = {{"auto", feed_read}, {"xmodem", feed_read},
    {"ymodem", feed_read}, {"ymodem-g", feed_read}, {"zmodem", feed_read}};

int modem_protocol(struct slice text)
{
	static const char words[] = WORDS;

	return slice_index((struct slice){words, sizeof words - 1}, text);
}

/* ---- bytes */

static int over(struct modem *m, struct diag *d)
{
	if (m->begun)
		return diag_fail(d, R_TIMEOUT,
		    "nothing new for %u s, %llu bytes have arrived",
		    MODEM_STALL_S, (unsigned long long)m->offset);
	if (m->heard)
		return diag_fail(d, R_LINE_PROTOCOL,
		    "something came, but no file by XMODEM, YMODEM or ZMODEM");
	return diag_fail(d, R_LINE_SILENT, "not one byte came");
}

static int refill(struct modem *m, unsigned ms, struct diag *d)
{
	uint64_t left;
	size_t n = 0;
	int rc;

	m->clock = m->io->now(m->io);
	if (m->clock >= m->deadline)
		return over(m, d);
	left = m->deadline - m->clock;
	rc = m->io->read(m->io, m->in, sizeof m->in, &n,
	    (unsigned)MIN(left, (uint64_t)ms), d);
	m->in_at = 0;
	m->in_len = (uint16_t)n;
	if (n == 0)
		m->clock = m->io->now(m->io);
	return rc;
}

/*
 * Five CAN in a row, with backspaces, cancel: at once where no data looks so,
 * else when nothing follows, for a sender may break off amid a block.
 */
int modem_byte(struct modem *m, unsigned ms, struct diag *d)
{
	int c = SILENT;

	if (m->in_at == m->in_len) {
		int rc = refill(m, ms, d);

		if (rc)
			return rc;
	}
	if (m->in_at < m->in_len) {
		m->heard = true;
		c = m->in[m->in_at++];
		if (c == CAN)
			m->cancels = (uint8_t)MIN(m->cancels + 1, CANCELS);
		else if (c != '\b')
			m->cancels = 0;
	}
	if (m->cancels == CANCELS &&
	    (c == SILENT || m->protocol == MODEM_ZMODEM))
		return diag_fail(
		    d, R_LINE_CANCELLED, "the sender has cancelled");
	return c;
}

int modem_send(struct modem *m, const void *p, size_t n, struct diag *d)
{
	return m->io->write(m->io, p, n, d);
}

int modem_put(struct modem *m, uint8_t c, struct diag *d)
{
	return modem_send(m, &c, 1, d);
}

int modem_purge(struct modem *m, unsigned ms, struct diag *d)
{
	int c;

	do
		c = modem_byte(m, ms, d);
	while (c >= 0 && c != SILENT);
	return c < 0 ? c : 0;
}

/* ---- what both families need */

uint16_t modem_crc16(uint16_t crc, const void *p, size_t n)
{
	const uint8_t *s = p;

	while (n-- > 0) {
		unsigned x = crc >> 8 ^ *s++;

		x ^= x >> 4;
		crc = (uint16_t)((unsigned)crc << 8 ^ x << 12 ^ x << 5 ^ x);
	}
	return crc;
}

int modem_bad(struct modem *m, struct diag *d)
{
	if (++m->errors <= MODEM_TRIES)
		return 0;
	return diag_fail(d, R_LINE_NOISE,
	    "%u bad blocks in a row, %llu bytes have arrived", MODEM_TRIES,
	    (unsigned long long)m->offset);
}

int modem_good(struct modem *m, size_t n, struct diag *d)
{
	if (m->feed.size != FEED_UNKNOWN && n > m->feed.size - m->offset)
		return diag_fail(d, R_NET_SIZE,
		    "more came than the %llu bytes announced",
		    (unsigned long long)m->feed.size);
	m->offset += n;
	m->errors = 0;
	return 0;
}

int modem_no_file(struct diag *d)
{
	return diag_fail(d, R_LINE_CANCELLED, "the sender has no file");
}

bool modem_info(struct modem *m)
{
	struct slice all = {
	    (const char *)m->block + m->at, (size_t)m->len - m->at};
	struct slice rest, word;
	char *name = m->feed.name;
	size_t n = 0;

	if (!slice_cut(&all, '\0', &rest))
		return false;
	/* for people: what could move the cursor is shown as '?' */
	for (; n < all.len && n < sizeof m->feed.name - 1; n++)
		name[n] = (uint8_t)all.p[n] < ' ' || all.p[n] == 0x7f
		              ? '?'
		              : all.p[n];
	while (!utf8_valid((struct slice){name, n}))
		n--;
	name[n] = '\0';
	m->identity = crc32_update(0, all.p, all.len);
	(void)slice_cut(&rest, '\0', &word);
	m->feed.size = FEED_UNKNOWN;
	if (slice_word(&rest, &word)) {
		m->identity = crc32_update(m->identity, word.p, word.len);
		if (!slice_u64(word, &m->feed.size))
			m->feed.size = FEED_UNKNOWN;
	}
	return true;
}

/* ---- the session */

static void cancel(struct modem *m)
{
	static const char stop[] = "\x18\x18\x18\x18\x18\x18\x18\x18"
	                           "\b\b\b\b\b\b\b\b";

	m->ended = true;
	if (modem_send(m, stop, sizeof stop - 1, NULL) != 0)
		return;
	m->deadline = m->io->now(m->io) + DRAIN_MS;
	m->in_at = m->in_len;
	(void)modem_purge(m, DRAINED_MS, NULL);
}

void modem_close(struct modem *m)
{
	if ((m->begun || m->restarted) && !m->ended)
		cancel(m);
}

static int feed_read(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d)
{
	struct modem *m = (struct modem *)f;

	*n = 0;
	if (m->failed)
		return diag_fail(d, m->failed, "the serial transfer failed");
	if (m->at == m->len && !m->ended) {
		m->clock = m->asked = m->io->now(m->io);
		m->deadline = m->clock + MODEM_STALL_S * 1000;
		m->at = m->len = 0;
		m->failed = m->protocol == MODEM_ZMODEM ? zmodem_next(m, d)
		                                        : xmodem_next(m, d);
		if (m->failed) {
			modem_close(m);
			return m->failed;
		}
	}
	*n = MIN(cap, (size_t)m->len - m->at);
	memcpy(dst, m->block + m->at, *n);
	m->at = (uint16_t)(m->at + *n);
	return 0;
}

/*
 * What makes a sender begin. A sender of X or YMODEM waits for C (CRC) or NAK
 * (checksum) and takes the first that it sees, so that those who know CRC use
 * it. One of ZMODEM speaks first, and is answered; only one that was not heard
 * needs ZRINIT. That has CAN in it, which ends a waiting sx: so C comes first
 * here, too, and what sx makes of the rest is put right by xmodem_first.
 */
static int invite(struct modem *m, unsigned round, struct diag *d)
{
	int rc;

	if (m->protocol == MODEM_ZMODEM || m->restarted)
		return zmodem_invite(m, d);
	m->confused = false;
	if (m->protocol == MODEM_YMODEM_G)
		return modem_put(m, 'G', d);
	rc = modem_send(m, "C\x15", round % 4 == 2 ? 2 : 1, d);
	if (rc == 0 && m->protocol == MODEM_AUTO && round % 4 == 3)
		rc = zmodem_invite(m, d);
	return rc;
}

static int begin(struct modem *m, struct diag *d)
{
	bool z = m->protocol == MODEM_AUTO || m->protocol == MODEM_ZMODEM;
	uint64_t due = m->clock + (m->protocol == MODEM_AUTO ? LISTEN_MS : 0);
	unsigned round = 0;
	int c, rc = 1;

	while (rc > 0) {
		if (m->clock >= due) {
			rc = invite(m, round++, d);
			if (rc)
				return rc;
			due = m->clock + ASK_MS;
		}
		c = modem_byte(m, (unsigned)(due - m->clock), d);
		if (c < 0)
			return c;
		rc = 1;
		if ((c == SOH || c == STX) && m->protocol != MODEM_ZMODEM)
			rc = xmodem_first(m, (uint8_t)c, d);
		else if (c == ZPAD && z)
			rc = zmodem_first(m, d);
		else
			continue;
		due = m->clock + ASK_MS;
	}
	return rc;
}

int modem_open(struct modem *m, const struct modem_request *q, struct diag *d)
{
	memset(m, 0, offsetof(struct modem, in));
	m->io = q->io;
	m->protocol = q->protocol;
	m->window = q->window;
	m->first = true;
	m->feed.size = FEED_UNKNOWN;
	m->clock = m->io->now(m->io);
	m->deadline = m->clock + (uint64_t)q->patience * 1000;
	m->failed = begin(m, d);
	m->feed.ops = &modem_ops[m->protocol];
	if (m->failed)
		modem_close(m);
	return m->failed;
}
