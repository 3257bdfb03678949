/* SPDX-License-Identifier: 0BSD */
#include "bundle/trust.h"
#include "bundle/x509.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

/* The next line, without its end and blanks behind it; false at the end. */
static bool next_line(struct buf *b, struct slice *line)
{
	size_t from = b->pos;

	if (!buf_ok(b) || buf_left(b) == 0)
		return false;
	while (buf_left(b) > 0 && buf_u8(b) != '\n')
		;
	*line = (struct slice){(const char *)b->p + from, b->pos - from};
	while (line->len > 0 && strchr("\r\n\t ", line->p[line->len - 1]))
		line->len--;
	return true;
}

/* Six bits, or -1. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct base64 {
	unsigned held; /* characters of the group so far */
	unsigned pads; /* of them '=' */
	uint32_t bits;
};

static int base64_line(
    struct base64 *g, struct slice line, struct keyring *k, struct diag *d)
{
	for (size_t i = 0; i < line.len; i++) {
		bool pad = line.p[i] == '=';
		int v = pad ? 0 : base64_value(line.p[i]);

		/* Padding ends the text and fills at most two places. */
		if (v < 0 || (g->pads > 0 && (!pad || g->held == 0)) ||
		    (pad && g->held < 2))
			return diag_fail(d, R_KEYRING,
			    "character %u is no base64",
			    (unsigned)(unsigned char)line.p[i]);
		g->bits = g->bits << 6 | (uint32_t)v;
		g->pads += pad;
		g->held = (g->held + 1) % 4;
		if (g->held != 0)
			continue;
		for (unsigned n = 0; n < 3 - g->pads; n++) {
			if (k->used == KEYRING_BYTES)
				return diag_fail(d, R_LIMIT,
				    "the keyring is larger than %u bytes",
				    KEYRING_BYTES);
			k->bytes[k->used++] =
			    (uint8_t)(g->bits >> (16 - 8 * n));
		}
	}
	return 0;
}

/* The lines up to END, decoded behind what is there. */
static int read_block(struct buf *b, struct keyring *k, struct diag *d)
{
	struct base64 g = {0};
	struct slice line;

	while (next_line(b, &line)) {
		int r;

		if (slice_is(line, END)) {
			if (g.held == 0)
				return 0;
			return diag_fail(
			    d, R_KEYRING, "the base64 text is cut short");
		}
		r = base64_line(&g, line, k, d);
		if (r)
			return r;
	}
	return diag_fail(d, R_KEYRING, "no line \"" END "\"");
}

static bool known(const struct keyring *k, struct slice der)
{
	for (unsigned i = 0; i < k->count; i++)
		if (slice_same(k->cert[i], der))
			return true;
	return false;
}

static int read_cert(struct buf *b, struct keyring *k, struct diag *d)
{
	size_t from = k->used;
	struct slice der;
	struct cert c;
	int r = read_block(b, k, d);

	if (r)
		return r;
	der = (struct slice){(const char *)k->bytes + from, k->used - from};
	if (x509_parse(der, &c, d))
		return R_KEYRING;
	if (known(k, der)) {
		k->used = from;
		return 0;
	}
	if (k->count == KEYRING_CERTS)
		return diag_fail(d, R_LIMIT,
		    "more than %u certificates in the keyring", KEYRING_CERTS);
	k->cert[k->count++] = der;
	return 0;
}

int keyring_load(struct keyring *k, const char *pem, size_t len, struct diag *d)
{
	unsigned before = k->count, n = 0;
	size_t used = k->used;
	struct slice line;
	struct buf b;

	buf_init(&b, pem, len);
	while (next_line(&b, &line)) {
		struct diag why = {0};
		int r;

		if (!slice_is(line, BEGIN))
			continue;
		n++;
		r = read_cert(&b, k, &why);
		if (r) {
			k->count = before;
			k->used = used;
			return diag_fail(d, r,
			    "certificate %u of the keyring: %s", n, why.seen);
		}
	}
	if (n == 0)
		return diag_fail(d, R_KEYRING,
		    "%zu bytes without a line \"" BEGIN "\"", len);
	return 0;
}
