/* SPDX-License-Identifier: 0BSD */
/* ZMODEM over a line that is made up. */
#include "line_double.h"

/* ---- ZMODEM */

static uint8_t z[BYTES];
static size_t z_len;

static void z_escaped(uint8_t c)
{
	if (c == CAN || (c & 0x7f) == 0x11 || (c & 0x7f) == 0x13) {
		z[z_len++] = CAN;
		c ^= 0x40;
	} else if (c == 0x7f || c == 0xff) {
		z[z_len++] = CAN;
		c = c == 0x7f ? 'l' : 'm';
	}
	z[z_len++] = c;
}

static void z_header(char kind, unsigned type, uint32_t pos)
{
	uint8_t b[9] = {(uint8_t)type};
	uint16_t crc;

	store_le32(b + 1, pos);
	crc = crc16(b, 5);
	z[z_len++] = '*';
	if (kind == 'B')
		z[z_len++] = '*';
	z[z_len++] = CAN;
	z[z_len++] = (uint8_t)kind;
	b[5] = (uint8_t)(crc >> 8);
	b[6] = (uint8_t)crc;
	if (kind == 'C')
		store_le32(b + 5, crc32_update(0, b, 5));
	for (size_t i = 0; i < (kind == 'C' ? 9 : 7); i++) {
		if (kind != 'B') {
			z_escaped(b[i]);
			continue;
		}
		hex_encode((char *)z + z_len, b + i, 1);
		z_len += 2;
	}
	if (kind == 'B') {
		memcpy(z + z_len, "\r\x8a\x11", 3);
		z_len += 3;
	}
}

static void z_data(bool wide, const void *p, size_t n, char how)
{
	static uint8_t b[BYTES];
	uint8_t check[4];
	uint16_t crc;

	memcpy(b, p, n);
	b[n] = (uint8_t)how;
	crc = crc16(b, n + 1);
	store_le32(check, crc32_update(0, b, n + 1));
	for (size_t i = 0; i < n; i++)
		z_escaped(b[i]);
	z[z_len++] = CAN;
	z[z_len++] = (uint8_t)how;
	for (size_t i = 0; wide && i < 4; i++)
		z_escaped(check[i]);
	if (!wide) {
		z_escaped((uint8_t)(crc >> 8));
		z_escaped((uint8_t)crc);
	}
}

static void z_content(bool wide, size_t from, size_t n, char how)
{
	static uint8_t b[BYTES];

	for (size_t i = 0; i < n; i++)
		b[i] = content(from + i);
	z_data(wide, b, n, how);
}

static struct step *z_say(size_t after)
{
	struct step *s = say(z, z_len, after, 1);

	z_len = 0;
	return s;
}

static void z_file(const char *text, size_t n)
{
	z_header('C', 4, 0);
	z_data(true, text, n, 'k');
}

/* How many headers of this type we have written so far. */
static unsigned answers(const char *type)
{
	unsigned n = 0;

	for (size_t i = 0; i + 14 < line.out_len; i++)
		n += memcmp(line.out + i,
		         "**\x18"
		         "B",
		         4) == 0 &&
		     memcmp(line.out + i + 4, type, strlen(type)) == 0;
	return n;
}

#define Z_RINIT 21 /* bytes of an answer */
#define Z_ACK 20

static void zmodem(void)
{
	/* with each CRC, in both kinds of frame, and other files to skip */
	for (int wide = 0; wide < 2; wide++) {
		char kind = wide ? 'C' : 'A';

		start();
		memcpy(z, "rz\r", 3);
		z_len = 3;
		z_header('B', 0, 0);
		z_say(0);
		z_header(kind, 4, 0);
		z_data(wide,
		    "some name\0"
		    "9000 1 2 3",
		    20, 'k');
		z_say(Z_RINIT);
		z_header(kind, 10, 0);
		z_content(wide, 0, 1024, 'i');
		z_content(wide, 1024, 1024, 'j');
		z_content(wide, 2048, 1000, 'k');
		z_say(2 * Z_RINIT);
		z_header(kind, 10, 3048);
		z_content(wide, 3048, 5952, 'h');
		z_header(kind, 11, 9000);
		z_say(2 * Z_RINIT + 2 * Z_ACK);
		z_header(kind, 4, 0);
		z_data(wide,
		    "other\0"
		    "5",
		    7, 'k');
		z_say(3 * Z_RINIT + 2 * Z_ACK);
		z_header('B', 8, 0);
		z_say(4 * Z_RINIT + 2 * Z_ACK);
		say("OO", 2, 4 * Z_RINIT + 3 * Z_ACK, 1);
		CHECK_INT(receive(MODEM_AUTO), 0);
		CHECK(got_is(9000));
		CHECK_STR(m.feed.ops->name, "zmodem");
		CHECK_STR(m.feed.name, "some name");
		CHECK_INT(m.feed.size, 9000);
		CHECK_INT(answers("01"), 2);
		CHECK_INT(answers("05"), 1);
		CHECK_INT(answers("08"), 1);
		CHECK(!cancelled());
	}
}

/* Up to 2000 of 4000 bytes, and how that ends. */
static size_t z_part(char how)
{
	start();
	z_header('B', 0, 0);
	z_say(0);
	z_file("x\0"
	       "4000 1",
	    8);
	z_say(Z_RINIT);
	z_header('C', 10, 0);
	z_content(true, 0, 1000, 'i');
	z_content(true, 1000, 1000, how);
	z_say(2 * Z_RINIT);
	return 2 * Z_RINIT;
}

static size_t z_half(void)
{
	return z_part('i');
}

static void z_end(size_t after, unsigned from)
{
	z_header('C', 10, from);
	z_content(true, from, 4000 - from, 'h');
	z_header('C', 11, 4000);
	z_header('B', 8, 0);
	z_say(after);
}

static void zmodem_again(void)
{
	size_t at;

	/* a damaged subpacket, and the rest of the stream behind it */
	at = z_half();
	z_content(true, 2000, 1000, 'i');
	z_content(true, 3000, 1000, 'h');
	z_say(at)->p[77] ^= 1;
	z_end(at + Z_RINIT, 2000);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(4000));
	CHECK_INT(answers("09"), 2);

	/* what is sent from further back is passed over */
	at = z_half();
	z_header('C', 10, 500);
	z_content(true, 500, 1000, 'j');
	z_content(true, 1500, 1000, 'h');
	z_header('C', 10, 2500);
	z_content(true, 2500, 1500, 'h');
	z_header('C', 11, 4000);
	z_header('B', 8, 0);
	line.step[2].p[line.step[2].len - 4] ^= 1; /* asked for again */
	z_say(at + Z_RINIT);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(4000));
	CHECK_INT(answers("03"), 1);

	/* silence: asked again; then the sender is started anew */
	at = z_half();
	z_header('B', 0, 0);
	z_say(at)->delay = 60000;
	z_file("x\0"
	       "4000 1",
	    8);
	z_say(0);
	z_end(0, 2000);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(4000));
	CHECK(memcmp(line.out + 2 * Z_RINIT,
	          "**\x18"
	          "B09d0070000",
	          14) == 0);

	/* ... and its answer is lost: it gets what it waits for */
	at = z_half();
	z_header('B', 0, 0);
	z_say(at)->delay = 10;
	z_file("x\0"
	       "4000 1",
	    8);
	z_say(at + 2 * Z_RINIT)->delay = 10;
	z_end(0, 2000);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(4000));
	CHECK_INT(answers("01"), 4);
	CHECK_INT(answers("09"), 2);

	/* headers with a damaged position, and an end that is none */
	(void)z_half();
	line.steps--;
	z_header('C', 10, 0);
	z_content(true, 0, 2000, 'h');
	at = 2 * Z_RINIT;
	z_say(at);
	z_header('C', 10, 1000);
	z_content(true, 0, 3000, 'h');
	z_header('A', 10, 1000);
	z_content(true, 0, 3000, 'h');
	z_header('B', 10, 1000);
	z_content(true, 0, 3000, 'h');
	for (size_t i = 0; i + 5 < z_len; i++)
		if (memcmp(z + i, "*\x18", 2) == 0)
			z[i + (z[i + 2] == 'B' ? 7 : 4)] ^= 1;
	z_header('C', 11, 4000);
	z_say(at);
	z_end(at + Z_RINIT, 2000);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(4000));

	/* ... with another file */
	at = z_half();
	z_header('B', 0, 0);
	z_say(at)->delay = 4000;
	z_file("x\0"
	       "4001 1",
	    8);
	z_say(0);
	CHECK_INT(receive(MODEM_AUTO), R_STREAM_CUT);
	CHECK(got_is(2000));
	CHECK(cancelled());

	/* ... or not at all */
	at = z_half();
	CHECK_INT(receive(MODEM_AUTO), R_TIMEOUT);
	CHECK(line.clock < 12345 + 130000);
	CHECK(cancelled());

	/* the end: too early, and of a file that is too long */
	at = z_half();
	z_header('B', 8, 0);
	z_header('B', 8, 0);
	z_say(at);
	line.step[2].p[line.step[2].len - 7] = 'h';
	CHECK(receive(MODEM_AUTO) != 0);
	start();
	z_file("x\0"
	       "999",
	    5);
	z_say(0);
	z_header('A', 10, 0);
	z_content(false, 0, 1000, 'h');
	z_say(0);
	CHECK_INT(receive(MODEM_ZMODEM), R_NET_SIZE);
	start();
	z_file("x\0"
	       "1001",
	    6);
	z_say(0);
	z_header('A', 10, 0);
	z_content(false, 0, 1000, 'h');
	z_header('A', 11, 1000);
	z_say(0);
	CHECK_INT(receive(MODEM_ZMODEM), R_NET_SIZE);
	CHECK(cancelled());

	/* by the sender */
	at = z_half();
	say("\x18\x18\x18\x18\x18\x18\x18\x18", 8, at, 1);
	CHECK_INT(receive(MODEM_AUTO), R_LINE_CANCELLED);
	start();
	z_header('B', 8, 0);
	z_say(0);
	CHECK_INT(receive(MODEM_AUTO), R_LINE_CANCELLED);

	/* bad without end */
	at = z_half();
	for (unsigned i = 0; i < 40; i++) {
		z_header('C', 10, 2000);
		z_content(true, 2000, 30, 'h');
		z_say(at)->p[20] ^= 64;
	}
	CHECK_INT(receive(MODEM_AUTO), R_LINE_NOISE);

	/* a subpacket longer than any may be, none without a size, empty ones
	 * without end */
	start();
	z_file("y", 2);
	z_say(0);
	z_header('C', 10, 0);
	z_content(true, 0, MODEM_BLOCK + 1, 'i');
	z_say(0);
	z_header('C', 10, 0);
	z_content(true, 0, MODEM_BLOCK, 'h');
	z_header('C', 11, MODEM_BLOCK);
	z_header('B', 8, 0);
	z_say(0)->delay = 2000;
	CHECK_INT(receive(MODEM_ZMODEM), 0);
	CHECK(got_is(MODEM_BLOCK));
	CHECK(m.feed.size == FEED_UNKNOWN);
	/* a name without its end, first and amid the file */
	start();
	z_file("xyz", 3);
	z_say(0);
	z_file("x\0"
	       "10",
	    4);
	z_say(Z_RINIT);
	z_header('A', 4, 0);
	z_data(false, "xyz", 3, 'k');
	z_header('A', 10, 0);
	z_content(false, 0, 10, 'h');
	z_header('A', 11, 10);
	z_header('B', 8, 0);
	z_say(0);
	CHECK_INT(receive(MODEM_ZMODEM), 0);
	CHECK(got_is(10));
	CHECK_INT(answers("06"), 2);
	/* options of the sender, a question, a window */
	start();
	z_header('B', 2, 0);
	z_data(false, "attn", 5, 'k');
	z_say(0);
	z_header('B', 17, 0);
	z_say(0);
	z_file("y\0"
	       "0",
	    3);
	z_say(0);
	z_header('A', 11, 0);
	z_header('B', 8, 0);
	z_say(0);
	CHECK_INT(receive(MODEM_ZMODEM), 0);
	CHECK(got_is(0));
	CHECK_INT(answers("03"), 2);
}

/* A header or subpacket whose only fault is its check counts for nothing,
 * whatever it says. */
static void zmodem_checks(void)
{
	static const char kinds[] = "ABC";
	size_t at, from;

	for (unsigned i = 0; i < 3; i++) {
		at = z_part('h');
		z_header(kinds[i], 10, 2000); /* its last digit or byte */
		z[z_len - (kinds[i] == 'B' ? 4 : 1)] ^= 1;
		z_content(kinds[i] == 'C', 0, 2000, 'h');
		z_say(at);
		z_end(at + Z_RINIT, 2000);
		CHECK_INT(receive(MODEM_AUTO), 0);
		CHECK(got_is(4000));
	}
	at = z_half();
	line.steps--;
	z_header('A', 10, 0);
	from = z_len;
	z_content(false, 0, 1000, 'h');
	z_say(2 * Z_RINIT)->p[from + 500] ^= 1;
	z_end(at + Z_RINIT, 0);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(4000));

	/* the eighth bit of digits, and XON and XOFF of all kinds in between */
	at = z_part('h');
	for (size_t i = 0; i < line.step[0].len; i++)
		if (line.step[0].p[i] >= '0' && line.step[0].p[i] <= '9')
			line.step[0].p[i] |= 0x80;
	from = line.step[2].len - 40;
	memmove(line.step[2].p + from + 4, line.step[2].p + from, 40);
	memcpy(line.step[2].p + from, "\x11\x13\x91\x93", 4);
	line.step[2].len += 4;
	z_end(at, 2000);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(4000));
	CHECK_INT(answers("09"), 1);
	CHECK(line.clock < 12345 + 5000);
}

/* Data that is ahead is not taken, and asked for once in a second; what lies
 * far back is let come up. */
static void zmodem_places(void)
{
	size_t at = z_part('h');

	for (unsigned i = 0; i < 20; i++) {
		z_header('C', 10, 2500);
		z_content(true, 2500, 500, 'h');
		z_say(at)->delay = 100;
	}
	z_header('C', 10, 0);
	z_content(true, 0, 1000, 'j');
	z_content(true, 1000, 1500, 'k');
	z_say(at);
	z_end(0, 2500);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(got_is(4000));
	CHECK(answers("09") >= 2 && answers("09") <= 4);
	/* both questions were answered, each with where it was */
	CHECK_INT(answers("03e8030000"), 1);
	CHECK_INT(answers("03c4090000"), 1);
}

/* How long what takes. */
static void zmodem_times(void)
{
	size_t at;

	/* asked after 3, 6, 12 seconds of silence, and so on */
	at = z_part('h');
	CHECK_INT(receive(MODEM_AUTO), R_TIMEOUT);
	CHECK_INT(answers("09"), 1 + 2 + 9);
	/* ... and after 3 again, once something came */
	at = z_part('h');
	z_header('C', 10, 2000);
	z_content(true, 2000, 1000, 'h');
	z_say(at)->delay = 60000;
	z_end(at + 7 * Z_RINIT, 3000);
	CHECK_INT(receive(MODEM_AUTO), 0);
	CHECK(line.clock > 12345 + 63000 && line.clock < 12345 + 68000);

	/* who speaks at the last moment gets his time, but not for ever */
	start();
	z_header('B', 0, 0);
	z_say(0)->delay = 29900;
	z_file("x\0"
	       "0",
	    3);
	z_say(0)->delay = 5000;
	z_header('A', 11, 0);
	z_header('B', 8, 0);
	z_say(0);
	CHECK_INT(receive(MODEM_ZMODEM), 0);
	start();
	for (unsigned i = 0; i < STEPS; i++) {
		z_header('B', 0, 0);
		z_say(0)->delay = 2000;
	}
	CHECK_INT(receive(MODEM_AUTO), R_LINE_PROTOCOL);
	CHECK(line.clock <= 12345 + 40000 + 6000);
	CHECK(cancelled());

	/* files without end behind the end */
	start();
	z_file("x\0"
	       "0",
	    3);
	z_say(0);
	z_header('A', 11, 0);
	z_say(0);
	for (unsigned i = 0; i < 50; i++) {
		z_file("y\0"
		       "1",
		    3);
		z_say(0)->delay = 1000;
	}
	CHECK_INT(receive(MODEM_ZMODEM), 0);
	CHECK(answers("05") >= 10 && line.clock < 12345 + 17000);

	/* rubbish without end behind the end */
	{
		struct modem_request q = {&line.io, MODEM_AUTO, 30, 0};
		size_t n = 1;

		at = z_part('h');
		z_end(at, 2000);
		CHECK_INT(modem_open(&m, &q, &diag), 0);
		while (n > 0 && got_len < 4000) {
			CHECK_INT(m.feed.ops->read(&m.feed, got + got_len,
			              sizeof got - got_len, &n, &diag),
			    0);
			got_len += n;
		}
		line.flood = true;
		line.clock = 0;
		CHECK_INT(m.feed.ops->read(&m.feed, got, 1, &n, &diag), 0);
		CHECK_INT(n, 0);
		CHECK(line.clock < 13000);
	}
}

/* The sender gives up; another file of the same size; a long name. */
static void zmodem_senders(void)
{
	static const unsigned ends[] = {7, 12, 16};
	static char text[400];
	size_t at;

	for (unsigned i = 0; i < ARRAY_LEN(ends); i++) {
		at = z_part('h');
		z_header('B', ends[i], 0);
		z_say(at);
		CHECK_INT(receive(MODEM_AUTO), R_LINE_CANCELLED);
	}
	at = z_half();
	z_header('B', 0, 0);
	z_say(at)->delay = 4000;
	z_file("y\0"
	       "4000 1",
	    8);
	z_say(0);
	CHECK_INT(receive(MODEM_AUTO), R_STREAM_CUT);
	start();
	memset(text, 'n', sizeof text - 3);
	text[sizeof text - 2] = '0';
	z_file(text, sizeof text);
	z_say(0);
	z_header('A', 11, 0);
	z_header('B', 8, 0);
	z_say(0);
	CHECK_INT(receive(MODEM_ZMODEM), 0);
	CHECK_INT(strlen(m.feed.name), sizeof m.feed.name - 1);
}

int main(void)
{
	zmodem();
	zmodem_again();
	zmodem_checks();
	zmodem_places();
	zmodem_times();
	zmodem_senders();
	return check_done("zmodem_test");
}
