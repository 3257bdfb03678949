/* SPDX-License-Identifier: 0BSD */
/* A device's own key, which opens what is encrypted for it. */
#include <bearssl_ec.h>

#include "bundle/envelope.h"
#include "bundle/x509.h"

#define RSA_MIN 256 /* bytes of a modulus */
#define RSA_MAX 512

static int bad_key(struct diag *d, const char *what)
{
	return diag_fail(d, R_CRYPT_CONF, "%s", what);
}

static int read_rsa(struct recipient *r, struct slice der, struct diag *d)
{
	struct slice *const parts[] = {
	    &r->n, NULL, NULL, &r->p, &r->q, &r->dp, &r->dq, &r->iq};
	struct buf b = der_buf(der);
	struct buf seq = der_enter(&b, DER_SEQUENCE);
	uint32_t version = der_u31(&seq);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct slice s = der_magnitude(der_integer(&seq));

		if (s.len == 0)
			seq.bad = true;
		if (parts[i])
			*parts[i] = s;
	}
	if (!der_end(&b) || !der_end(&seq) || version != 0)
		return bad_key(d, "a malformed RSA key");
	if (r->n.len < RSA_MIN || r->n.len > RSA_MAX ||
	    r->p.len + r->q.len > r->n.len + 1)
		return bad_key(d, "an RSA key not of 2048 to 4096 bits");
	r->type = RECIPIENT_RSA;
	return 0;
}

/* curve: an OID's contents, of PKCS#8; empty: it stands in the key. */
static int read_ec(
    struct recipient *r, struct slice der, struct slice curve, struct diag *d)
{
	static const struct {
		uint8_t number, bytes, len;
		char oid[9];
	} curves[] = {
	    {BR_EC_secp256r1, 32, 8, "\x2a\x86\x48\xce\x3d\x03\x01\x07"},
	    {BR_EC_secp384r1, 48, 5, "\x2b\x81\x04\x00\x22"},
	    {BR_EC_secp521r1, 66, 5, "\x2b\x81\x04\x00\x23"},
	};
	struct buf b = der_buf(der);
	struct buf seq = der_enter(&b, DER_SEQUENCE);
	uint32_t version = der_u31(&seq);
	struct der x, e;

	(void)der_get(&seq, DER_OCTET_STRING, &x);
	if (der_optional(&seq, DER_CTX_CONS(0), &e) && curve.len == 0) {
		struct buf params = der_buf(e.body);

		curve = der_oid(&params);
	}
	(void)der_optional(&seq, DER_CTX_CONS(1), &e);
	if (!der_end(&b) || !der_end(&seq) || version != 1)
		return bad_key(d, "a malformed EC key");
	for (size_t i = 0; i < ARRAY_LEN(curves); i++)
		if (slice_same(
		        curve, (struct slice){curves[i].oid, curves[i].len}) &&
		    x.body.len == curves[i].bytes) {
			r->curve = curves[i].number;
			r->x = x.body;
			r->type = RECIPIENT_EC;
			return 0;
		}
	return bad_key(d, "an EC key not on P-256, P-384 or P-521");
}

static int read_pkcs8(struct recipient *r, struct slice der, struct diag *d)
{
	struct buf b = der_buf(der);
	struct buf seq = der_enter(&b, DER_SEQUENCE);
	uint32_t version = der_u31(&seq);
	struct alg alg = alg_read(&seq);
	struct der key, e;

	(void)der_get(&seq, DER_OCTET_STRING, &key);
	(void)der_optional(&seq, DER_CTX_CONS(0), &e);
	if (!der_end(&b) || !der_end(&seq) || version != 0)
		return bad_key(d, "a malformed private key");
	if (alg.key == KEY_RSA)
		return read_rsa(r, key.body, d);
	if (alg.key == KEY_EC) {
		struct buf params = der_buf(alg.params);

		return read_ec(r, key.body, der_oid(&params), d);
	}
	return bad_key(d, "a private key that is neither RSA nor EC");
}

/* Six bits, or -1. */
static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
	                             "pqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Decodes the first block of one of these labels, each with its length in
 * front; *which is its place among them. */
static int read_pem(const char *pem, size_t len, const char *const *labels,
    unsigned *which, uint8_t *dst, size_t cap, struct slice *der,
    struct diag *d)
{
	struct slice left = {pem, len}, line;
	struct slice end = {0};
	unsigned held = 0, pads = 0;
	uint32_t bits = 0;
	size_t n = 0;

	while (end.len == 0 && slice_line(&left, &line)) {
		if (line.len < 16 || memcmp(line.p, "-----BEGIN ", 11) != 0)
			continue;
		line.p += 11;
		line.len -= 11;
		for (*which = 0; labels[*which]; ++*which)
			if (slice_is(line, labels[*which])) {
				end = line;
				break;
			}
	}
	while (end.len > 0 && slice_line(&left, &line)) {
		if (line.len == end.len + 9 &&
		    memcmp(line.p, "-----END ", 9) == 0 &&
		    memcmp(line.p + 9, end.p, end.len) == 0 && held == 0) {
			*der = (struct slice){(const char *)dst, n};
			return 0;
		}
		for (size_t i = 0; i < line.len; i++) {
			int v = base64_value(line.p[i]);

			if (line.p[i] == '=' && held >= 2) {
				pads++;
				v = 0;
			}
			if (v < 0 || (v > 0 && pads > 0))
				return bad_key(
				    d, "no base64: is it encrypted?");
			bits = bits << 6 | (uint32_t)v;
			held = (held + 1) % 4;
			for (unsigned k = 0; held == 0 && k + pads < 3; k++) {
				if (n == cap)
					return bad_key(d, "too large");
				dst[n++] = (uint8_t)(bits >> (16 - 8 * k));
			}
		}
	}
	return bad_key(d, end.len > 0 ? "cut short" : "no such PEM block");
}

int recipient_load(
    struct recipient *r, const char *pem, size_t len, struct diag *d)
{
	static const char *const labels[] = {"PRIVATE KEY-----",
	    "RSA PRIVATE KEY-----", "EC PRIVATE KEY-----",
	    "ENCRYPTED PRIVATE KEY-----", NULL};
	struct slice der;
	unsigned which;
	int res;

	memset(r, 0, sizeof *r);
	res =
	    read_pem(pem, len, labels, &which, r->key, sizeof r->key, &der, d);
	if (res == 0 && which == 3)
		res = bad_key(d, "an encrypted private key");
	if (res == 0)
		res = which == 0   ? read_pkcs8(r, der, d)
		      : which == 1 ? read_rsa(r, der, d)
		                   : read_ec(r, der, (struct slice){0}, d);
	if (res != 0)
		recipient_wipe(r);
	return res;
}

int recipient_load_cert(
    struct recipient *r, const char *pem, size_t len, struct diag *d)
{
	static const char *const labels[] = {"CERTIFICATE-----", NULL};
	struct diag why = {0};
	struct slice der;
	struct cert c;
	unsigned which;
	int res = read_pem(
	    pem, len, labels, &which, r->cert, sizeof r->cert, &der, d);

	if (res != 0)
		return res;
	if (x509_parse(der, &c, &why) != 0)
		return bad_key(d, why.seen);
	r->issuer = c.issuer;
	r->serial = c.serial;
	r->ski = c.ski;
	return 0;
}

void recipient_wipe(struct recipient *r)
{
	wipe(r, sizeof *r);
}
