/* SPDX-License-Identifier: 0BSD */
/*
 * What the key decides is decided without a branch: a content key that cannot
 * be unwrapped is replaced by one that only this device can compute, and the
 * content is decrypted all the same. How long it is its own DER says; its
 * padding is judged only once its signature is verified, when nobody can have
 * changed it. So from outside there is one failure, of what came out being no
 * signature, whether the cause was a PKCS#1 padding (Bleichenbacher), OAEP's
 * (Manger), the content's (Vaudenay), or another device's key. That failure
 * has one text for all that can be wrong with the signature too: CBC lets
 * whoever holds an envelope move its blocks into, say, the name in a
 * certificate, and a text that shows that name would show what is encrypted.
 *
 * Of several keys that may be the content's, the one is taken under which the
 * content begins as a signature, not the one whose padding is right: with a key
 * of his own for a content of his own, an attacker else learns from every other
 * recipient that he puts beside it whether its padding is.
 *
 * What is left is time: a content that is a signature in form costs a
 * signature check more than one that is none.
 */
#include "bundle/envelope.h"

#include <bearssl.h>

#include "bundle/der.h"
#include "bundle/x509.h"

#define RSA_MAX 512   /* bytes of a modulus */
#define TRIES_MAX 16  /* recipients that may be this device */
#define UKM_MAX 64    /* bytes of user keying material */
#define POINT_MAX 133 /* uncompressed, P-521 */
#define AES_MAX 32    /* bytes of a key */

#define OID_PKCS7 "\x2a\x86\x48\x86\xf7\x0d\x01\x07"
#define OID_AUTH_ENVELOPED "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"
#define OID_RSA "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_EC "\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_OAEP "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"
#define OID_MGF1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define OID_SHA1 "\x2b\x0e\x03\x02\x1a"
#define OID_SHA2 "\x60\x86\x48\x01\x65\x03\x04\x02"
#define OID_AES "\x60\x86\x48\x01\x65\x03\x04\x01"
#define OID_ECDH_SHA1 "\x2b\x81\x05\x10\x86\x48\x3f\x00\x02"
#define OID_ECDH_SHA2 "\x2b\x81\x04\x01\x0b"

/* An AlgorithmIdentifier whose parameters are somebody else's to read. */
struct ident {
	struct slice raw, oid;
	struct slice params; /* whole TLV; empty: none */
};

/* One way to the content key. */
struct wrapped {
	struct slice issuer, serial, ski; /* whom it is for: as in recipient */
	struct ident alg;
	struct slice key; /* encrypted */
	/* of key agreement */
	struct slice point, ukm;
	bool agreed; /* e->point is what both know */
};

struct envelope {
	struct slice all;
	size_t key_len; /* of the content key */
	struct slice iv, content;
	const struct recipient *who;
	unsigned count, tried;
	const char *bad;      /* what is wrong with a recipient, or NULL */
	bool many;            /* there are more than are tried */
	struct slice unknown; /* the first algorithm that is not known */
	/* From here on secret: nothing that is stands anywhere else, and all
	 * of it is wiped in the end. */
	uint8_t key[HASH_MAX]; /* the content's: the first key_len bytes */
	uint8_t m[RSA_MAX], point[POINT_MAX], kek[64], unwrapped[AES_MAX];
	br_hash_compat_context hash;
	br_aes_ct64_cbcdec_keys aes;
};

static bool is_oid(struct slice oid, const char *bytes, size_t len)
{
	return slice_same(oid, (struct slice){bytes, len});
}

#define IS_OID(oid, bytes) is_oid(oid, bytes, sizeof(bytes) - 1)

/* The last octet of an OID that otherwise is prefix; 0 when it is not. */
static uint8_t oid_below(struct slice oid, const char *prefix, size_t len)
{
	if (oid.len != len + 1 || memcmp(oid.p, prefix, len) != 0)
		return 0;
	return (uint8_t)oid.p[len];
}

#define OID_BELOW(oid, prefix) oid_below(oid, prefix, sizeof(prefix) - 1)

static struct ident ident_read(struct buf *b)
{
	struct ident a = {0};
	struct der e, params = {0};
	struct buf seq;

	(void)der_get(b, DER_SEQUENCE, &e);
	seq = der_buf(e.body);
	a.raw = e.raw;
	a.oid = der_oid(&seq);
	if (buf_left(&seq) > 0)
		(void)der_next(&seq, &params);
	a.params = params.raw;
	if (!der_end(&seq))
		b->bad = true;
	return a;
}

/* No parameters, or NULL. */
static bool no_params(const struct ident *a)
{
	return a->params.len == 0 || is_oid(a->params, "\x05\x00", 2);
}

/* ---- without branches: each is 1 or 0 */

static uint32_t ct_zero(uint32_t v)
{
	return 1 ^ (v | (0 - v)) >> 31;
}

static uint32_t ct_same(uint32_t a, uint32_t b)
{
	return ct_zero(a ^ b);
}

/* a > b, both below 2^31 */
static uint32_t ct_above(uint32_t a, uint32_t b)
{
	return (b - a) >> 31;
}

/* Takes candidate for the content key if ok, and if the content, decrypted
 * with it, begins as a SignedData of 256 to 65535 bytes. */
static void ct_take(struct envelope *e, uint32_t ok, const uint8_t *candidate)
{
	static const char head[] = "\x30\x82\0\0\x06\x09" OID_PKCS7 "\x02";
	uint8_t block[16], iv[16];

	memcpy(block, e->content.p, sizeof block);
	memcpy(iv, e->iv.p, sizeof iv);
	br_aes_ct64_cbcdec_init(&e->aes, candidate, e->key_len);
	br_aes_ct64_cbcdec_run(&e->aes, iv, block, sizeof block);
	block[2] = block[3] = 0; /* the length */
	for (size_t i = 0; i < sizeof head - 1; i++)
		ok &= ct_same(block[i], (uint8_t)head[i]);
	for (size_t i = 0; i < e->key_len; i++)
		e->key[i] ^= (uint8_t)((0 - ok) & (e->key[i] ^ candidate[i]));
}

/* ---- RSA: key transport */

/* OAEP's hash, which its MGF1 has to use too; NULL: not known. A label is
 * not. */
static const br_hash_class *oaep_hash(struct slice params)
{
	static const br_hash_class *const hashes[] = {
	    &br_sha256_vtable, &br_sha384_vtable, &br_sha512_vtable};
	const br_hash_class *found[2] = {&br_sha1_vtable, &br_sha1_vtable};
	struct buf b = der_buf(params);
	struct buf seq = der_enter(&b, DER_SEQUENCE);

	for (uint8_t i = 0; i < 2; i++) {
		struct der e;
		struct buf v;
		struct ident alg;
		uint8_t last;

		if (!der_optional(&seq, DER_CTX_CONS(i), &e))
			continue;
		v = der_buf(e.body);
		alg = ident_read(&v);
		if (i == 1) {
			struct buf mgf = der_buf(alg.params);

			if (!IS_OID(alg.oid, OID_MGF1))
				return NULL;
			alg = ident_read(&mgf);
			v.bad = v.bad || !der_end(&mgf);
		}
		last = OID_BELOW(alg.oid, OID_SHA2);
		if (!der_end(&v) || !no_params(&alg))
			return NULL;
		if (last >= 1 && last <= 3)
			found[i] = hashes[last - 1];
		else if (!IS_OID(alg.oid, OID_SHA1))
			return NULL;
	}
	return der_end(&b) && der_end(&seq) && found[0] == found[1] ? found[0]
	                                                            : NULL;
}

/* False when it is not for this key as far as everybody can see. */
static bool unwrap_rsa(struct envelope *e, const struct wrapped *w)
{
	const struct recipient *r = e->who;
	bool oaep = IS_OID(w->alg.oid, OID_OAEP);
	const br_hash_class *hash = oaep ? oaep_hash(w->alg.params) : NULL;
	size_t k = r->n.len, len = k, from = k - e->key_len;
	br_rsa_private_key sk = {.plen = r->p.len,
	    .qlen = r->q.len,
	    .dplen = r->dp.len,
	    .dqlen = r->dq.len,
	    .iqlen = r->iq.len};
	uint32_t ok;

	if (oaep ? !hash
	         : !IS_OID(w->alg.oid, OID_RSA) || !no_params(&w->alg)) {
		if (e->unknown.len == 0)
			e->unknown = w->alg.oid;
		return false;
	}
	if (w->key.len != k)
		return false;
	sk.n_bitlen = (uint32_t)(8 * k);
	for (uint8_t top = (uint8_t)r->n.p[0]; top < 0x80; top *= 2)
		sk.n_bitlen--;
	sk.p = (unsigned char *)(uintptr_t)r->p.p;
	sk.q = (unsigned char *)(uintptr_t)r->q.p;
	sk.dp = (unsigned char *)(uintptr_t)r->dp.p;
	sk.dq = (unsigned char *)(uintptr_t)r->dq.p;
	sk.iq = (unsigned char *)(uintptr_t)r->iq.p;
	memcpy(e->m, w->key.p, k);
	if (oaep) {
		ok = br_rsa_i31_oaep_decrypt(hash, NULL, 0, &sk, e->m, &len);
		ok &= ct_same((uint32_t)len, (uint32_t)e->key_len);
		ct_take(e, ok, e->m);
	} else {
		/* As br_rsa_ssl_decrypt, which is for keys of 48 bytes: the
		 * length that is expected is known, so there is one place
		 * where the zero has to be. */
		ok = br_rsa_i31_private(e->m, &sk);
		ok &= ct_zero(e->m[0]) & ct_same(e->m[1], 2);
		for (size_t i = 2; i < from - 1; i++)
			ok &= 1 ^ ct_zero(e->m[i]);
		ok &= ct_zero(e->m[from - 1]);
		ct_take(e, ok, e->m + from);
	}
	return true;
}

/* ---- EC: key agreement */

/* RFC 3394 with the key-encryption key. */
static void unwrap_aes(struct envelope *e, size_t kek_len, struct slice wrapped)
{
	uint8_t block[16], *key = e->unwrapped;
	uint32_t n = (uint32_t)(e->key_len / 8), ok = 1;

	br_aes_ct64_cbcdec_init(&e->aes, e->kek, kek_len);
	memcpy(block, wrapped.p, 8);
	memcpy(key, wrapped.p + 8, e->key_len);
	for (uint32_t t = 6 * n; t > 0; t--) {
		uint8_t *part = key + 8 * ((t - 1) % n);
		uint8_t iv[16] = {0};

		block[7] ^= (uint8_t)t;
		memcpy(block + 8, part, 8);
		/* One block of CBC with a zero IV is one of ECB. */
		br_aes_ct64_cbcdec_run(&e->aes, iv, block, sizeof block);
		memcpy(part, block + 8, 8);
	}
	for (unsigned i = 0; i < 8; i++)
		ok &= ct_same(block[i], 0xa6);
	ct_take(e, ok, key);
}

/* The key-encryption key, of len bytes, from the point: ANSI X9.63's
 * derivation with the shared information of RFC 5753. */
static void derive(struct envelope *e, const br_hash_class *hash,
    const struct wrapped *w, const struct ident *wrap, size_t len)
{
	const br_hash_class **ctx = &e->hash.vtable;
	size_t out = hash->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
	struct slice ukm = w->ukm;
	size_t ukm_len = ukm.p ? ukm.len + 4 : 0;
	const uint8_t head[] = {
	    DER_SEQUENCE, (uint8_t)(wrap->raw.len + ukm_len + 8)};
	const uint8_t ukm_head[] = {DER_CTX_CONS(0), (uint8_t)(ukm.len + 2),
	    DER_OCTET_STRING, (uint8_t)ukm.len};
	const uint8_t tail[] = {DER_CTX_CONS(2), 6, DER_OCTET_STRING, 4, 0, 0,
	    (uint8_t)(8 * len >> 8), (uint8_t)(8 * len)};

	/* kek has room for the last digest as a whole. */
	for (size_t done = 0, i = 1; done < len; done += out, i++) {
		const uint8_t counter[4] = {0, 0, 0, (uint8_t)i};

		hash->init(ctx);
		hash->update(ctx, e->point + 1, w->point.len / 2);
		hash->update(ctx, counter, sizeof counter);
		hash->update(ctx, head, sizeof head);
		hash->update(ctx, wrap->raw.p, wrap->raw.len);
		if (ukm_len > 0) {
			hash->update(ctx, ukm_head, sizeof ukm_head);
			hash->update(ctx, ukm.p, ukm.len);
		}
		hash->update(ctx, tail, sizeof tail);
		hash->out(ctx, e->kek + done);
	}
}

/*
 * The point that the device and the sender agree upon, once for all recipients
 * of a key. False when the sender's is none of the curve: multiplied all the
 * same it would be one of a curve of the sender's choice, of few points, and
 * with them he would learn the private key piece by piece.
 */
static bool agree(struct envelope *e, struct wrapped *w)
{
	const struct recipient *r = e->who;

	if (!w->agreed) {
		memcpy(e->point, w->point.p, w->point.len);
		w->agreed =
		    br_ec_prime_i31.mul(e->point, w->point.len,
		        (const uint8_t *)r->x.p, r->x.len, r->curve) == 1;
	}
	return w->agreed;
}

/* As unwrap_rsa. */
static bool unwrap_ec(struct envelope *e, struct wrapped *w)
{
	static const br_hash_class *const hashes[] = {
	    &br_sha256_vtable, &br_sha384_vtable, &br_sha512_vtable};
	const struct recipient *r = e->who;
	uint8_t scheme = OID_BELOW(w->alg.oid, OID_ECDH_SHA2);
	const br_hash_class *hash =
	    scheme >= 1 && scheme <= 3 ? hashes[scheme - 1] : &br_sha1_vtable;
	struct buf b = der_buf(w->alg.params);
	struct ident wrap = ident_read(&b);
	uint8_t kind = OID_BELOW(wrap.oid, OID_AES);
	size_t kek_len = kind == 5 ? 16 : kind == 25 ? 24 : 32;

	if ((scheme == 0 || scheme > 3) && !IS_OID(w->alg.oid, OID_ECDH_SHA1))
		kind = 0;
	if (!der_end(&b) || !no_params(&wrap) ||
	    (kind != 5 && kind != 25 && kind != 45)) {
		if (e->unknown.len == 0)
			e->unknown = w->alg.oid;
		return false;
	}
	if (w->point.len != 2 * r->x.len + 1 ||
	    w->point.len > sizeof e->point || w->ukm.len > UKM_MAX ||
	    w->key.len != e->key_len + 8)
		return false;
	if (!agree(e, w)) {
		e->bad = "a sender's key that is no point of the curve";
		return false;
	}
	derive(e, hash, w, &wrap, kek_len);
	unwrap_aes(e, kek_len, w->key);
	return true;
}

/* ---- the envelope */

static int malformed(const struct envelope *e, const char *what, struct diag *d)
{
	if (der_is_ber(e->all))
		return diag_fail(d, R_CMS_BER,
		    "the envelope is BER (indefinite length or constructed "
		    "string), expected DER");
	return diag_fail(d, R_CMS_SYNTAX, "malformed: %s", what);
}

int envelope_failed(struct diag *d)
{
	return diag_fail(d, R_CRYPT_KEY,
	    "this device's key does not open it, or what is in it is damaged, "
	    "or not signed by whom this device trusts");
}

static bool for_us(const struct recipient *r, const struct wrapped *w)
{
	if (r->issuer.len == 0)
		return true;
	if (w->ski.len > 0)
		return slice_same(w->ski, r->ski);
	return slice_same(w->issuer, r->issuer) &&
	       slice_same(w->serial, r->serial);
}

/* False when that recipient is refused: e->bad or e->many. */
static bool unwrap(
    struct envelope *e, enum recipient_type type, struct wrapped *w)
{
	e->count++;
	if (type != e->who->type || !for_us(e->who, w))
		return true;
	if (e->tried > 0 && e->who->issuer.len > 0)
		e->bad = "two recipients are this device";
	e->many = e->tried == TRIES_MAX;
	if (e->many || e->bad)
		return false;
	if (type == RECIPIENT_RSA ? unwrap_rsa(e, w) : unwrap_ec(e, w))
		e->tried++;
	return !e->bad;
}

/* IssuerAndSerialNumber. */
static void read_name(struct buf *b, struct wrapped *w)
{
	struct buf seq = der_enter(b, DER_SEQUENCE);

	w->issuer = name_read(&seq);
	w->serial = der_integer(&seq);
	if (!der_end(&seq))
		b->bad = true;
}

/* KeyTransRecipientInfo. */
static bool read_transport(struct envelope *e, struct slice body, bool *old)
{
	struct buf b = der_buf(body);
	struct wrapped w = {0};
	uint32_t version = der_u31(&b);
	struct der id, key;

	*old = !der_optional(&b, DER_CTX(0), &id);
	w.ski = id.body;
	if (*old)
		read_name(&b, &w);
	w.alg = ident_read(&b);
	(void)der_get(&b, DER_OCTET_STRING, &key);
	w.key = key.body;
	if (!der_end(&b) || version != (*old ? 0 : 2))
		return false;
	return unwrap(e, RECIPIENT_RSA, &w);
}

/* KeyAgreeRecipientInfo. */
static bool read_agreement(struct envelope *e, struct slice body)
{
	struct buf b = der_buf(body);
	struct wrapped w = {0};
	uint32_t version = der_u31(&b);
	struct buf origin = der_enter(&b, DER_CTX_CONS(0));
	struct buf list, key;
	struct der ukm, item;
	struct ident alg;

	/* Only a key of the sender's own serves; RFC 5753 knows no other. */
	key = der_enter(&origin, DER_CTX_CONS(1));
	alg = ident_read(&key);
	w.point = der_bits(&key);
	if (!der_end(&origin) || !der_end(&key) || !no_params(&alg) ||
	    !IS_OID(alg.oid, OID_EC))
		return false;
	if (der_optional(&b, DER_CTX_CONS(1), &ukm)) {
		struct buf v = der_buf(ukm.body);

		(void)der_get(&v, DER_OCTET_STRING, &ukm);
		w.ukm = ukm.body;
		if (!der_end(&v))
			return false;
	}
	w.alg = ident_read(&b);
	list = der_enter(&b, DER_SEQUENCE);
	if (!der_end(&b) || version != 3)
		return false;
	while (buf_left(&list) > 0) {
		struct buf one = der_enter(&list, DER_SEQUENCE);

		w.issuer = w.serial = w.ski = (struct slice){0};
		if (der_optional(&one, DER_CTX_CONS(0), &item)) {
			struct buf id = der_buf(item.body);

			(void)der_get(&id, DER_OCTET_STRING, &item);
			w.ski = item.body;
			if (!der_end(&id))
				return false;
		} else {
			read_name(&one, &w);
		}
		(void)der_get(&one, DER_OCTET_STRING, &item);
		w.key = item.body;
		if (!der_end(&one) || !unwrap(e, RECIPIENT_EC, &w))
			return false;
	}
	return buf_ok(&list);
}

/* Takes the content key from those of the recipients that may be this device;
 * *version is what the envelope's has to be. */
static int read_recipients(
    struct envelope *e, struct slice set, uint32_t *version, struct diag *d)
{
	struct buf b = der_buf(set);
	struct der one;

	*version = 0;
	while (buf_left(&b) > 0) {
		bool ok = der_next(&b, &one), old = false;

		if (ok && one.tag == DER_SEQUENCE)
			ok = read_transport(e, one.body, &old);
		else if (ok && one.tag == DER_CTX_CONS(1))
			ok = read_agreement(e, one.body);
		else /* by password and the like: rauc makes none */
			ok = false;
		if (e->many)
			return diag_fail(d, R_LIMIT,
			    "more than %u recipients may be this device: set "
			    "cert= in [encryption]",
			    TRIES_MAX);
		if (!ok)
			return malformed(e, e->bad ? e->bad : "a recipient", d);
		if (!old)
			*version = 2;
	}
	return 0;
}

static int wrong_alg(struct slice oid, const char *what, struct diag *d)
{
	char text[OID_TEXT];

	oid_text(text, oid);
	return diag_fail(d, R_CMS_ALGORITHM, "%s is %s", what, text);
}

/* EncryptedContentInfo. */
static int read_content(struct envelope *e, struct buf *b, struct diag *d)
{
	struct buf seq = der_enter(b, DER_SEQUENCE);
	struct slice type = der_oid(&seq);
	struct ident alg = ident_read(&seq);
	uint8_t kind = OID_BELOW(alg.oid, OID_AES);
	struct buf params = der_buf(alg.params);
	struct der iv, content;

	(void)der_get(&seq, DER_CTX(0), &content);
	if (!der_end(&seq))
		return malformed(e, "encrypted content", d);
	if (!IS_OID(type, OID_PKCS7 "\x01"))
		return wrong_alg(type, "the type of what is encrypted", d);
	if (kind != 2 && kind != 22 && kind != 42)
		return wrong_alg(alg.oid, "the content's encryption", d);
	e->key_len = kind == 2 ? 16 : kind == 22 ? 24 : 32;
	(void)der_get(&params, DER_OCTET_STRING, &iv);
	if (!der_end(&params) || iv.body.len != 16 || content.body.len == 0 ||
	    content.body.len % 16 != 0)
		return malformed(e, "the content's encryption", d);
	e->iv = iv.body;
	e->content = content.body;
	return 0;
}

static int read_envelope(struct envelope *e, struct diag *d)
{
	struct buf b = der_buf(e->all);
	struct buf outer = der_enter(&b, DER_SEQUENCE);
	struct slice type = der_oid(&outer);
	struct buf inner = der_enter(&outer, DER_CTX_CONS(0));
	struct buf data = der_enter(&inner, DER_SEQUENCE);
	uint32_t version, want;
	struct der set;
	int r;

	if (IS_OID(type, OID_AUTH_ENVELOPED))
		return diag_fail(d, R_CMS_TYPE,
		    "authenticated encryption (AES-GCM), expected AES-CBC as "
		    "rauc encrypt makes it");
	version = der_u31(&data);
	(void)der_get(&data, DER_SET, &set);
	if (!der_end(&b) || !der_end(&outer) || !der_end(&inner) ||
	    !buf_ok(&data) || !der_sound(e->all))
		return malformed(e, "EnvelopedData", d);
	r = read_content(e, &data, d);
	if (r == 0 && !der_end(&data))
		r = malformed(e, "EnvelopedData", d);
	if (r != 0)
		return r;
	/* What the key is when no recipient gives one. */
	hash_two(HASH_SHA256,
	    (struct slice){(const char *)e->who->key, sizeof e->who->key},
	    e->all, e->key);
	r = read_recipients(e, set.body, &want, d);
	if (r != 0)
		return r;
	if (version != want)
		return diag_fail(d, R_CMS_VERSION,
		    "EnvelopedData version %u, expected %u", version, want);
	if (e->tried > 0)
		return 0;
	if (e->unknown.len > 0)
		return wrong_alg(e->unknown, "the key's encryption", d);
	return diag_fail(d, R_CRYPT_KEY,
	    "encrypted for %u recipients, none of which is this device",
	    e->count);
}

bool envelope_is(const uint8_t *cms, size_t len)
{
	struct buf b, outer;
	struct slice type;

	buf_init(&b, cms, len);
	outer = der_enter(&b, DER_SEQUENCE);
	type = der_oid(&outer);
	return IS_OID(type, OID_PKCS7 "\x03") ||
	       IS_OID(type, OID_AUTH_ENVELOPED);
}

/* Decrypts the content into dst. */
static void read_inside(
    struct envelope *e, uint8_t *dst, size_t *n, bool *whole)
{
	size_t len = e->content.len;
	struct der signature;
	uint32_t pad, ok;
	uint8_t iv[16];
	struct buf b;

	memcpy(dst, e->content.p, len);
	memcpy(iv, e->iv.p, sizeof iv);
	br_aes_ct64_cbcdec_init(&e->aes, e->key, e->key_len);
	br_aes_ct64_cbcdec_run(&e->aes, iv, dst, len);
	buf_init(&b, dst, len);
	(void)der_next(&b, &signature);
	*n = signature.raw.len;
	pad = (uint32_t)(len - *n);
	ok = ct_above(pad, 0) & ct_above(17, pad);
	for (uint32_t i = 1; i <= 16; i++)
		ok &= ct_above(i, pad) | ct_same(dst[len - i], pad);
	*whole = ok;
}

int envelope_open(const struct recipient *r, const uint8_t *cms, size_t len,
    uint8_t *dst, size_t *n, bool *whole, struct diag *d)
{
	struct envelope e = {.all = {(const char *)cms, len}, .who = r};
	int res;

	*n = 0;
	*whole = false;
	if (!r || r->type == RECIPIENT_NONE)
		return diag_fail(d, R_CMS_ENCRYPTED,
		    "an encrypted signature, as of format=crypt");
	res = read_envelope(&e, d);
	if (res == 0)
		read_inside(&e, dst, n, whole);
	wipe(&e, sizeof e);
	return res;
}
