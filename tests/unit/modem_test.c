/* SPDX-License-Identifier: 0BSD */
/* X and YMODEM over a line that is made up, and how a session begins. */
#include "line_double.h"

/* A block of X or YMODEM: data is the file's content from `from` on, or text.
 */
static size_t block(uint8_t *b, unsigned number, size_t len, size_t from,
    const char *text, bool sum)
{
	size_t n = 0;
	uint8_t check = 0;

	b[n++] = len == 1024 ? STX : SOH;
	b[n++] = (uint8_t)number;
	b[n++] = (uint8_t)~number;
	for (size_t i = 0; i < len; i++)
		b[n++] = text ? 0 : content(from + i);
	if (text)
		memcpy(b + 3, text, strlen(text));
	for (char *p = text ? strchr((char *)b + 3, '|') : NULL; p;
	     p = strchr(p, '|'))
		*p = '\0';
	if (sum) {
		for (size_t i = 0; i < len; i++)
			check = (uint8_t)(check + b[3 + i]);
		b[n++] = check;
	} else {
		uint16_t crc = crc16(b + 3, len);

		b[n++] = (uint8_t)(crc >> 8);
		b[n++] = (uint8_t)crc;
	}
	return n;
}

static struct step *say_block(
    unsigned number, size_t len, size_t from, const char *text, size_t after)
{
	uint8_t b[1100];

	return say(b, block(b, number, len, from, text, false), after, 1);
}

/* ---- X and YMODEM */

static void xmodem(void)
{
	uint8_t b[1100];
	uint64_t from;

	start();
	say_block(1, 128, 0, NULL, 1);
	say_block(2, 1024, 128, NULL, 2);
	say_block(3, 128, 1152, NULL, 3);
	say("\4", 1, 4, 1);
	say("\4", 1, 5, 1);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(1280));
	CHECK(sent("C\6\6\6\x15\6", 6));
	CHECK_STR(m.feed.ops->name, "xmodem");
	CHECK(m.feed.size == FEED_UNKNOWN);

	/* a checksum, for a sender that knows only NAK */
	start();
	say(b, block(b, 1, 128, 0, NULL, true), 4, 1);
	say(b, block(b, 2, 128, 128, NULL, true), 5, 1);
	say("\4", 1, 6, 1);
	say("\4", 1, 7, 1);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(256));
	CHECK(sent("CCC\x15\6\6\x15\6", 8));

	/* damaged, cut short, with a byte too many, twice, and an answer that
	 * was lost; a false end in between; each costs less than 4 s */
	start();
	from = line.clock;
	say_block(1, 128, 0, NULL, 1)->p[50] ^= 4;
	say_block(1, 128, 0, NULL, 2)->len -= 1;
	say_block(1, 128, 0, NULL, 3)->p[2] ^= 1;
	say_block(1, 128, 0, NULL, 4);
	say_block(1, 128, 0, NULL, 5); /* twice: is answered */
	say("\4", 1, 6, 1);            /* noise */
	say("x", 1, 7, 1);
	say_block(2, 128, 128, NULL, 7);
	say_block(2, 128, 128, NULL, 8); /* twice, and ahead at once */
	say_block(3, 128, 256, NULL, 8);
	say_block(4, 128, 384, NULL, 9)->p[0] = 'Q';
	say_block(4, 128, 384, NULL, 10);
	say("\4", 1, 11, 1);
	say("\4", 1, 12, 1);
	CHECK_INT(receive(MODEM_XMODEM), 0);
	CHECK(got_is(512));
	CHECK(sent("C\x15\x15\x15\6\6\x15\6\6\x15\6\x15\6", 13));
	CHECK(line.clock - from < 6000);

	/* numbers go round */
	start();
	for (unsigned i = 1; i <= 60; i++)
		say_block(i, 1024, (i - 1) * 1024, NULL, i);
	line.steps--;
	say_block(62, 1024, 0, NULL, 60); /* one is missing */
	CHECK_INT(receive(MODEM_XMODEM), R_TIMEOUT);
	CHECK(got_is(59 * 1024));
	CHECK(cancelled());

	start();
	say_block(1, 128, 0, NULL, 1);
	say("\x18\x18", 2, 2, 1);
	CHECK_INT(receive(MODEM_AUTO), R_LINE_CANCELLED);

	start();
	from = line.clock;
	say_block(1, 128, 0, NULL, 1);
	for (int i = 0; i < 40; i++)
		say_block(2, 128, 0, NULL, 2 + (size_t)i)->p[40] ^= 1;
	CHECK_INT(receive(MODEM_AUTO), R_LINE_NOISE);
	CHECK(cancelled());
	CHECK(line.clock - from < 120000);
}

/* What stands in for others in noise: ends and cancels. */
static void xmodem_noise(void)
{
	uint8_t b[1100];

	/* an end, a bad block, and an end again: neither is believed */
	start();
	say_block(1, 128, 0, NULL, 1);
	say("\4", 1, 2, 1);
	say_block(2, 128, 128, NULL, 3)->p[9] ^= 1;
	say("\4", 1, 4, 1);
	say_block(2, 128, 128, NULL, 5);
	say("\4", 1, 6, 1);
	say("\4", 1, 7, 1);
	CHECK_INT(receive(MODEM_XMODEM), 0);
	CHECK(got_is(256));
	CHECK(sent("C\6\x15\x15\x15\6\x15\6", 8));

	/* two CAN amid a burst, one alone, and five with a block behind */
	start();
	say_block(1, 128, 0, NULL, 1);
	say("x\x18\x18", 3, 2, 1);
	say_block(2, 128, 128, NULL, 3);
	say("\x18\6", 2, 4, 1);
	say_block(3, 128, 256, NULL, 5);
	say("\4", 1, 6, 1);
	say("\4", 1, 7, 1);
	CHECK_INT(receive(MODEM_XMODEM), 0);
	CHECK(got_is(384));

	/* in a file they are bytes like others */
	start();
	memset(got, CAN, 128);
	(void)block(b, 1, 128, 0, NULL, false);
	memset(b + 3, CAN, 128);
	b[131] = (uint8_t)(crc16(b + 3, 128) >> 8);
	b[132] = (uint8_t)crc16(b + 3, 128);
	say(b, 133, 1, 1);
	say("\4", 1, 2, 1);
	say("\4", 1, 3, 1);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_len == 128 && got[0] == CAN && got[127] == CAN);

	/* four cancel nothing; with backspaces they are five all the same */
	start();
	say("\x18\x18\x18\x18", 4, 1, 1);
	say_block(1, 128, 0, NULL, 2);
	say("\4", 1, 3, 1);
	say("\4", 1, 4, 1);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(128));
	start();
	say("\x18\b\x18\b\x18\b\x18\b\x18\b", 10, 1, 1);
	CHECK_INT(receive(MODEM_AUTO), R_LINE_CANCELLED);

	/* as many bad blocks as may be, twice, and then one more */
	start();
	for (unsigned i = 0; i < 2 * MODEM_TRIES; i++) {
		unsigned n = i / MODEM_TRIES;

		say_block(n + 1, 128, n * 128, NULL, i + n + 1)->p[40] ^= 1;
		if (i % MODEM_TRIES == MODEM_TRIES - 1)
			say_block(n + 1, 128, n * 128, NULL, i + n + 2);
	}
	say("\4", 1, 2 * MODEM_TRIES + 3, 1);
	say("\4", 1, 2 * MODEM_TRIES + 4, 1);
	CHECK_INT(receive(MODEM_XMODEM), 0);
	CHECK(got_is(256));
	start();
	for (unsigned i = 0; i <= MODEM_TRIES; i++)
		say_block(1, 128, 0, NULL, i + 1)->p[40] ^= 1;
	CHECK_INT(receive(MODEM_XMODEM), R_LINE_NOISE);
	CHECK_INT(line.out_len, 1 + MODEM_TRIES);
}

static void ymodem(void)
{
	uint64_t from;

	start();
	say_block(0, 128, 0, "a file.raucb|1100 0 0", 1);
	say_block(1, 1024, 0, NULL, 3);
	say_block(2, 128, 1024, NULL, 4);
	say("\4", 1, 5, 1);
	say_block(0, 128, 0, "", 7);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(1100));
	CHECK(sent("C\6C\6\6\6C\6", 8));
	CHECK_STR(m.feed.ops->name, "ymodem");
	CHECK_STR(m.feed.name, "a file.raucb");
	CHECK_INT(m.feed.size, 1100);

	/* another file: cancelled, but ours is whole */
	start();
	say_block(0, 128, 0, "x|128", 1);
	say_block(1, 128, 0, NULL, 3);
	say("\4", 1, 4, 1);
	say_block(0, 128, 0, "y|128", 6);
	CHECK_INT(receive(MODEM_YMODEM), 0);
	CHECK(got_is(128));
	CHECK(cancelled());

	/* no size, no last block; a control character in the name; the answer
	 * to the first block was lost */
	start();
	from = line.clock;
	say_block(0, 128, 0, "\x1b[2J\x7f\xff|", 1);
	say_block(0, 128, 0, "\x1b[2J\x7f\xff|", 3);
	say_block(1, 128, 0, NULL, 5);
	say("\4", 1, 6, 1);
	say("\4", 1, 7, 1);
	CHECK_INT(receive(MODEM_YMODEM), 0);
	CHECK(got_is(128));
	CHECK(sent("C\6C\6C\6\x15\6CCC", 11));
	CHECK_STR(m.feed.name, "?[2J?");
	/* 500 ms for the block that came twice, and three questions */
	CHECK(line.clock - from < 500 + 3 * 3000 + 500);
	CHECK(m.feed.size == FEED_UNKNOWN);

	/* a name that cannot be shown is one */
	start();
	say_block(0, 128, 0, "\xfc.raucb|128", 1);
	say_block(1, 128, 0, NULL, 3);
	say("\4", 1, 4, 1);
	say_block(0, 128, 0, "", 6);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(128));
	CHECK_STR(m.feed.name, "");

	start();
	say_block(0, 128, 0, "x|0", 1);
	say("\4", 1, 3, 1);
	say_block(0, 128, 0, "", 5);
	CHECK_INT(receive(MODEM_YMODEM), 0);
	CHECK(got_is(0));

	/* more and less than announced */
	start();
	say_block(0, 128, 0, "x|128", 1);
	say_block(1, 128, 0, NULL, 3);
	say_block(2, 128, 128, NULL, 4);
	CHECK_INT(receive(MODEM_YMODEM), R_NET_SIZE);
	CHECK(cancelled());
	start();
	say_block(0, 128, 0, "x|129", 1);
	say_block(1, 128, 0, NULL, 3);
	say("\4", 1, 4, 1);
	say("\4", 1, 5, 1);
	CHECK_INT(receive(MODEM_YMODEM), R_NET_SIZE);

	start();
	say_block(0, 128, 0, "", 1);
	CHECK_INT(receive(MODEM_YMODEM), R_LINE_CANCELLED);

	/* -G: no answers, and nothing twice; the sender is gone at the end */
	start();
	say_block(0, 128, 0, "x|128", 1);
	say_block(1, 128, 0, NULL, 2);
	say("\4", 1, 2, 1);
	CHECK_INT(receive(MODEM_YMODEM_G), 0);
	CHECK(got_is(128) && sent("GG\6G", 4));
	start();
	say_block(0, 128, 0, "x|2048", 1);
	say_block(1, 1024, 0, NULL, 2);
	say_block(2, 1024, 1024, NULL, 2);
	say("\4", 1, 2, 1);
	say_block(0, 128, 0, "", 4);
	CHECK_INT(receive(MODEM_YMODEM_G), 0);
	CHECK(got_is(2048));
	CHECK(sent("GG\6G\6", 5));
	CHECK_STR(m.feed.ops->name, "ymodem-g");
	start();
	say_block(0, 128, 0, "x|2048", 1);
	say_block(1, 1024, 0, NULL, 2)->p[9] ^= 1;
	CHECK_INT(receive(MODEM_YMODEM_G), R_LINE_NOISE);
	CHECK(cancelled());
}

/* ---- the beginning */

static void beginnings(void)
{
	struct modem_request q = {&line.io, MODEM_AUTO, 25, 2048};

	/* what is sent to invite, and that it ends */
	start();
	CHECK_INT(modem_open(&m, &q, &diag), R_LINE_SILENT);
	CHECK(line.clock == 12345 + 25000);
	CHECK(memcmp(line.out,
	          "CCC\x15"
	          "C**\x18"
	          "B0100080023",
	          19) == 0);
	CHECK(!cancelled());
	start();
	say("login: ", 7, 1, 10);
	CHECK_INT(modem_open(&m, &q, &diag), R_LINE_PROTOCOL);
	start();
	line.flood = true;
	CHECK_INT(modem_open(&m, &q, &diag), R_LINE_PROTOCOL);
	CHECK(line.clock <= 12345 + 35000);
	start();
	line.gone = true;
	CHECK_INT(modem_open(&m, &q, &diag), R_IO);
	start();
	say("\x18\x18\x18\x18\x18", 5, 1, 10);
	CHECK_INT(modem_open(&m, &q, &diag), R_LINE_CANCELLED);

	/* sx that has seen C, and then our ZRINIT as rubbish */
	start();
	say_block(1, 128, 0, NULL, 4 + 1 + 21);
	say_block(1, 128, 0, NULL, 4 + 1 + 21 + 1);
	say("\4", 1, 28, 1);
	say("\4", 1, 29, 1);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(128));
	CHECK(memcmp(line.out + line.out_len - 4, "\x15\6\x15\6", 4) == 0);

	/* gone in the middle; given up in the middle */
	start();
	say_block(1, 128, 0, NULL, 1);
	q.protocol = MODEM_XMODEM;
	CHECK_INT(modem_open(&m, &q, &diag), 0);
	modem_close(&m);
	CHECK(cancelled());
	modem_close(&m);
	CHECK_INT(line.out_len, 18);

	/* rubbish without end after the beginning */
	start();
	say_block(1, 128, 0, NULL, 1);
	CHECK_INT(modem_open(&m, &q, &diag), 0);
	line.flood = true;
	while (diag.reason == 0) {
		size_t n;

		(void)!m.feed.ops->read(&m.feed, got, 128, &n, &diag);
	}
	CHECK(line.clock < 12345 + 1000 * (MODEM_STALL_S + 6));
	CHECK(cancelled());
}

static void words(void)
{
	CHECK_INT(
	    modem_protocol((struct slice){"ymodem-g", 8}), MODEM_YMODEM_G);
	CHECK_INT(modem_protocol((struct slice){"zmodem", 6}), MODEM_ZMODEM);
	CHECK_INT(modem_protocol((struct slice){"kermit", 6}), -1);
}

int main(void)
{
	xmodem();
	xmodem_noise();
	ymodem();
	beginnings();
	words();
	return check_done("modem_test");
}
