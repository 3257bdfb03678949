/* SPDX-License-Identifier: 0BSD */
#include "bundle/crl.h"
#include "options.h"

#define CERTIFICATE "CERTIFICATE-----"
#define CRL "X509 CRL-----"
#define BEGIN "-----BEGIN "
#define END "-----END "

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

/* The lines up to the end, decoded behind what is there. */
static int read_block(
    struct buf *b, const char *end, struct keyring *k, struct diag *d)
{
	struct base64 g = {0};
	struct slice line;

	while (next_line(b, &line)) {
		int r;

		if (slice_is(line, end)) {
			if (g.held == 0)
				return 0;
			return diag_fail(
			    d, R_KEYRING, "the base64 text is cut short");
		}
		r = base64_line(&g, line, k, d);
		if (r)
			return r;
	}
	return diag_fail(d, R_KEYRING, "no line \"%s\"", end);
}

static bool known(const struct slice *list, unsigned n, struct slice der)
{
	for (unsigned i = 0; i < n; i++)
		if (slice_same(list[i], der))
			return true;
	return false;
}

static int parse(struct slice der, bool crl, struct diag *d)
{
	struct crl list;
	struct cert c;

	return OPT_CRL && crl ? crl_parse(der, &list, d)
	                      : x509_parse(der, &c, d);
}

/* A certificate or a CRL; one that is there already does not count. */
static int read_one(struct buf *b, bool crl, struct keyring *k, struct diag *d)
{
	unsigned *count = crl ? &k->crls : &k->count;
	struct slice *list = crl ? k->crl : k->cert;
	size_t from = k->used;
	struct slice der;
	int r = read_block(b, crl ? END CRL : END CERTIFICATE, k, d);

	if (r)
		return r;
	der = (struct slice){(const char *)k->bytes + from, k->used - from};
	if (parse(der, crl, d))
		return R_KEYRING;
	if (known(list, *count, der)) {
		k->used = from;
		return 0;
	}
	if (*count == (crl ? KEYRING_CRLS : KEYRING_CERTS))
		return diag_fail(d, R_LIMIT, "more than %u %s in the keyring",
		    *count, crl ? "CRLs" : "certificates");
	list[(*count)++] = der;
	return 0;
}

int keyring_load(struct keyring *k, const char *pem, size_t len, struct diag *d)
{
	unsigned count = k->count, crls = k->crls, blocks = 0;
	size_t used = k->used;
	struct slice line;
	struct buf b;

	buf_init(&b, pem, len);
	while (next_line(&b, &line)) {
		bool crl = OPT_CRL && slice_is(line, BEGIN CRL);
		struct diag why = {0};
		int r;

		if (!crl && !slice_is(line, BEGIN CERTIFICATE))
			continue;
		blocks++;
		r = read_one(&b, crl, k, &why);
		if (r) {
			k->count = count;
			k->crls = crls;
			k->used = used;
			return diag_fail(d, r,
			    "block %u of the keyring, a %s: %s", blocks,
			    crl ? "CRL" : "certificate", why.seen);
		}
	}
	if (k->count == 0 || blocks == 0)
		return diag_fail(d, R_KEYRING,
		    "%zu bytes without a line \"" BEGIN CERTIFICATE "\"", len);
	return 0;
}
