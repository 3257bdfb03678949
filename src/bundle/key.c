/* SPDX-License-Identifier: 0BSD */
#include "bundle/key.h"

#include <bearssl.h>

#include "base/fmt.h"
#include "options.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define POINT_MAX 133 /* uncompressed, P-521 */

#define PSS "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define MGF1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define PSS_SALT 20 /* when the parameters do not say */

/* Algorithms that are verified here, and some worth refusing by name. */
static const struct {
	uint8_t key;
	uint8_t hash;
	uint8_t len;
	char oid[10];
	char name[20];
} algs[] = {
    {0, HASH_SHA256, 9, "\x60\x86\x48\x01\x65\x03\x04\x02\x01", "SHA-256"},
    {0, HASH_SHA384, 9, "\x60\x86\x48\x01\x65\x03\x04\x02\x02", "SHA-384"},
    {0, HASH_SHA512, 9, "\x60\x86\x48\x01\x65\x03\x04\x02\x03", "SHA-512"},
    {KEY_RSA, 0, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", "RSA"},
    {KEY_RSA, HASH_SHA256, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
        "RSA with SHA-256"},
    {KEY_RSA, HASH_SHA384, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c",
        "RSA with SHA-384"},
    {KEY_RSA, HASH_SHA512, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d",
        "RSA with SHA-512"},
    {OPT_PSS ? KEY_RSA : 0, 0, 9, PSS, "RSA-PSS"},
    {KEY_EC, 0, 7, "\x2a\x86\x48\xce\x3d\x02\x01", "EC"},
    {KEY_EC, HASH_SHA256, 8, "\x2a\x86\x48\xce\x3d\x04\x03\x02",
        "ECDSA with SHA-256"},
    {KEY_EC, HASH_SHA384, 8, "\x2a\x86\x48\xce\x3d\x04\x03\x03",
        "ECDSA with SHA-384"},
    {KEY_EC, HASH_SHA512, 8, "\x2a\x86\x48\xce\x3d\x04\x03\x04",
        "ECDSA with SHA-512"},
    {0, 0, 8, "\x2a\x86\x48\x86\xf7\x0d\x02\x05", "MD5"},
    {0, 0, 5, "\x2b\x0e\x03\x02\x1a", "SHA-1"},
    {0, 0, 9, "\x60\x86\x48\x01\x65\x03\x04\x02\x04", "SHA-224"},
    {0, 0, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "RSA with MD5"},
    {0, 0, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "RSA with SHA-1"},
    {0, 0, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e", "RSA with SHA-224"},
    {0, 0, 7, "\x2a\x86\x48\xce\x3d\x04\x01", "ECDSA with SHA-1"},
    {0, 0, 8, "\x2a\x86\x48\xce\x3d\x04\x03\x01", "ECDSA with SHA-224"},
    {0, 0, 7, "\x2a\x86\x48\xce\x38\x04\x01", "DSA"},
    {0, 0, 3, "\x2b\x65\x70", "Ed25519"},
    {0, 0, 3, "\x2b\x65\x71", "Ed448"},
};

static size_t alg_find(struct slice oid)
{
	size_t i = 0;

	while (i < ARRAY_LEN(algs) && !oid_is(oid, algs[i].oid, algs[i].len))
		i++;
	return i;
}

/* An AlgorithmIdentifier's OID; what follows it goes to params, all zero when
 * nothing does. */
static struct slice read_oid(struct buf *b, struct der *params)
{
	struct buf seq = der_enter(b, DER_SEQUENCE);
	struct slice oid = der_oid(&seq);

	memset(params, 0, sizeof *params);
	if (buf_left(&seq) > 0)
		(void)der_next(&seq, params);
	if (!der_end(&seq) || (params->tag == DER_NULL && params->body.len > 0))
		b->bad = true;
	return oid;
}

/* A digest's AlgorithmIdentifier. */
static enum hash_id read_hash(struct buf *b)
{
	struct der params;
	size_t i = alg_find(read_oid(b, &params));
	bool plain = params.raw.len == 0 || params.tag == DER_NULL;

	if (!plain || i == ARRAY_LEN(algs) || algs[i].key != KEY_UNKNOWN)
		return HASH_NONE;
	return (enum hash_id)algs[i].hash;
}

/* RSASSA-PSS-params with MGF1 over the same hash; the defaults, which are
 * SHA-1, do not pass. False when it is anything else. */
static bool read_pss(struct alg *a, struct slice params)
{
	struct buf b = der_buf(params);
	struct buf seq = der_enter(&b, DER_SEQUENCE);
	struct buf v = der_enter(&seq, DER_CTX_CONS(0));
	enum hash_id id = read_hash(&v);
	struct buf mgf = der_enter(&seq, DER_CTX_CONS(1));
	struct buf alg = der_enter(&mgf, DER_SEQUENCE);
	bool mgf1 = oid_is(der_oid(&alg), MGF1, 9);
	bool same = read_hash(&alg) == id;
	uint32_t salt = PSS_SALT;

	if (!der_end(&v) || !der_end(&mgf) || !der_end(&alg))
		return false;
	if (buf_left(&seq) > 0) {
		v = der_enter(&seq, DER_CTX_CONS(2));
		salt = der_u31(&v);
		/* DER leaves a default out. */
		if (!der_end(&v) || salt == PSS_SALT)
			return false;
	}
	if (!der_end(&seq) || !der_end(&b) || !mgf1 || !same)
		return false;
	a->pss = true;
	a->hash = id;
	a->salt = salt;
	return id != HASH_NONE;
}

struct alg alg_read(struct buf *b)
{
	struct alg a = {0};
	struct der params;
	size_t i;

	a.oid = read_oid(b, &params);
	a.null_params = params.tag == DER_NULL;
	if (!a.null_params)
		a.params = params.raw;
	i = alg_find(a.oid);
	if (i == ARRAY_LEN(algs))
		return a;
	a.key = (enum key_type)algs[i].key;
	a.hash = (enum hash_id)algs[i].hash;
	if (OPT_PSS && oid_is(a.oid, PSS, 9)) {
		if (read_pss(&a, params.raw))
			a.params.len = 0;
		else
			a.key = KEY_UNKNOWN;
	}
	return a;
}

bool alg_plain(const struct alg *a, bool null_allowed)
{
	return a->params.len == 0 && (null_allowed || !a->null_params);
}

void alg_text(char *dst, const struct alg *a)
{
	char number[OID_TEXT];
	size_t i = alg_find(a->oid);

	oid_text(number, a->oid);
	if (OPT_PSS && oid_is(a->oid, PSS, 9) && !a->pss)
		fmt(dst, ALG_TEXT, "RSA-PSS with other parameters");
	else if (i < ARRAY_LEN(algs))
		fmt(dst, ALG_TEXT, "%s (%s)", algs[i].name, number);
	else
		fmt(dst, ALG_TEXT, "%s", number);
}

size_t hash_two(
    enum hash_id id, struct slice a, struct slice b, uint8_t out[HASH_MAX])
{
	const br_hash_class *h = id == HASH_SHA256   ? &br_sha256_vtable
	                         : id == HASH_SHA384 ? &br_sha384_vtable
	                                             : &br_sha512_vtable;
	br_hash_compat_context ctx;

	h->init(&ctx.vtable);
	h->update(&ctx.vtable, a.p, a.len);
	h->update(&ctx.vtable, b.p, b.len);
	h->out(&ctx.vtable, out);
	return h->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
}

size_t hash_len(enum hash_id id)
{
	return id == HASH_SHA256 ? 32 : id == HASH_SHA384 ? 48 : 64;
}

/* What PKCS#1 v1.5 pads a digest to, as long as the modulus: no part of a
 * signature is parsed. */
static void pkcs1_encode(
    enum hash_id id, const uint8_t *digest, uint8_t *em, size_t len)
{
	static const uint8_t info[] = {0x30, 0, 0x30, 0x0d, 0x06, 0x09, 0x60,
	    0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0, 0x05, 0x00, 0x04, 0};
	size_t hash = hash_len(id);
	uint8_t *p = em + len - hash - sizeof info;

	memset(em, 0xff, len);
	em[0] = 0;
	em[1] = 1;
	p[-1] = 0;
	memcpy(p, info, sizeof info);
	p[1] = (uint8_t)(sizeof info - 2 + hash);
	p[14] = (uint8_t)(1 + id - HASH_SHA256);
	p[18] = (uint8_t)hash;
	memcpy(p + sizeof info, digest, hash);
}

/* EMSA-PSS-VERIFY of RFC 8017, 9.1.2, of em, which this changes; bits is the
 * modulus's length less 1. */
static bool pss_verify(enum hash_id id, uint32_t salt, const uint8_t *digest,
    uint8_t *em, unsigned bits)
{
	static const uint8_t zeros[8];
	size_t hash = hash_len(id), len = (bits + 7) / 8, db = len - hash - 1;
	uint8_t unused = (uint8_t)(0xff >> (8 * len - bits));
	uint8_t mask[HASH_MAX], counter[4] = {0};
	uint8_t m[sizeof zeros + HASH_MAX];
	const uint8_t *h = em + db;
	size_t zero;

	if (salt > db - 1 || em[len - 1] != 0xbc || em[0] & ~unused)
		return false;
	for (size_t i = 0; i < db; i++) {
		if (i % hash == 0) {
			(void)hash_two(id,
			    (struct slice){(const char *)h, hash},
			    (struct slice){(const char *)counter, 4}, mask);
			counter[3]++;
		}
		em[i] ^= mask[i % hash];
	}
	em[0] &= unused;
	zero = db - 1 - salt;
	if (!all_zero(em, zero) || em[zero] != 1)
		return false;
	memcpy(m, zeros, sizeof zeros);
	memcpy(m + sizeof zeros, digest, hash);
	(void)hash_two(id, (struct slice){(const char *)m, sizeof zeros + hash},
	    (struct slice){(const char *)em + zero + 1, salt}, mask);
	return memcmp(mask, h, hash) == 0;
}

static bool rsa_verify(const struct key *k, const struct alg *alg,
    enum hash_id id, const uint8_t *digest, struct slice signature)
{
	uint8_t n[RSA_BITS_MAX / 8], em[RSA_BITS_MAX / 8], e[4];
	br_rsa_public_key pk = {n, k->n.len, e, k->e.len};

	if (k->n.len > sizeof n || k->e.len > sizeof e ||
	    signature.len != k->n.len)
		return false;
	memcpy(n, k->n.p, k->n.len);
	memcpy(e, k->e.p, k->e.len);
	memcpy(em, signature.p, signature.len);
	/* It says no to a value that is not below the modulus. */
	if (br_rsa_i31_public(em, signature.len, &pk) != 1)
		return false;
	if (OPT_PSS && alg->pss) {
		/* A modulus of 8k+1 bits leaves the first octet unused. */
		size_t skip = k->bits % 8 == 1;

		return (skip == 0 || em[0] == 0) &&
		       pss_verify(
		           id, alg->salt, digest, em + skip, k->bits - 1);
	}
	pkcs1_encode(id, digest, n, signature.len);
	return memcmp(em, n, signature.len) == 0;
}

static bool ec_verify(const struct key *k, enum hash_id id,
    const uint8_t *digest, struct slice signature)
{
	uint8_t q[POINT_MAX];
	br_ec_public_key pk = {k->curve, q, k->q.len};

	if (k->q.len > sizeof q || !der_ecdsa_ok(signature, (k->bits + 7) / 8))
		return false;
	memcpy(q, k->q.p, k->q.len);
	return br_ecdsa_i31_vrfy_asn1(&br_ec_prime_i31, digest, hash_len(id),
	           &pk, signature.p, signature.len) == 1;
}

bool key_verify(const struct key *k, const struct alg *alg, enum hash_id id,
    const uint8_t *digest, struct slice signature)
{
	if (k->type != alg->key)
		return false;
	if (k->type == KEY_RSA)
		return rsa_verify(k, alg, id, digest, signature);
	return k->type == KEY_EC && ec_verify(k, id, digest, signature);
}

static unsigned bit_length(struct slice magnitude)
{
	unsigned bits = (unsigned)magnitude.len * 8;

	if (magnitude.len == 0)
		return 0;
	for (uint8_t top = (uint8_t)magnitude.p[0]; !(top & 0x80); bits--)
		top = (uint8_t)(top << 1);
	return bits;
}

static void key_rsa(struct key *k, struct slice bits)
{
	struct buf b = der_buf(bits);
	struct buf seq = der_enter(&b, DER_SEQUENCE);

	k->n = der_magnitude(der_integer(&seq));
	k->e = der_magnitude(der_integer(&seq));
	if (!der_end(&seq) || !der_end(&b) || k->n.len == 0)
		return;
	k->bits = bit_length(k->n);
	/* An even modulus or exponent, or 1, is no RSA key. */
	if (k->bits >= RSA_BITS_MIN && k->bits <= RSA_BITS_MAX &&
	    k->n.p[k->n.len - 1] & 1 && k->e.len >= 1 && k->e.len <= 4 &&
	    k->e.p[k->e.len - 1] & 1 && bit_length(k->e) > 1)
		k->type = KEY_RSA;
}

static void key_ec(struct key *k, struct slice point)
{
	static const struct {
		uint16_t bits;
		uint8_t curve;
		uint8_t len;
		char oid[10]; /* with its tag and length */
	} curves[] = {
	    {256, BR_EC_secp256r1, 10,
	        "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"},
	    {384, BR_EC_secp384r1, 7, "\x06\x05\x2b\x81\x04\x00\x22"},
	    {521, BR_EC_secp521r1, 7, "\x06\x05\x2b\x81\x04\x00\x23"},
	};

	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		if (!oid_is(k->alg.params, curves[i].oid, curves[i].len))
			continue;
		k->bits = curves[i].bits;
		k->curve = curves[i].curve;
		k->q = point;
		if (point.len == 1 + 2 * ((k->bits + 7) / 8) &&
		    point.p[0] == 0x04)
			k->type = KEY_EC;
	}
}

struct slice key_read(struct buf *b, struct key *k)
{
	struct der e;
	struct buf seq;
	struct slice bits;

	if (!der_get(b, DER_SEQUENCE, &e))
		return e.raw;
	seq = der_buf(e.body);
	k->alg = alg_read(&seq);
	bits = der_bits(&seq);
	if (!der_end(&seq))
		b->bad = true;
	else if (k->alg.key == KEY_RSA && k->alg.hash == HASH_NONE &&
	         alg_plain(&k->alg, true))
		key_rsa(k, bits);
	else if (k->alg.key == KEY_EC && k->alg.hash == HASH_NONE)
		key_ec(k, bits);
	return e.raw;
}

bool key_same(const struct key *a, const struct key *b)
{
	return a->type == b->type && a->curve == b->curve &&
	       slice_same(a->n, b->n) && slice_same(a->q, b->q);
}
