/* SPDX-License-Identifier: 0BSD */
/*
 * A signature has one encoding: each valid one is bent in every way that some
 * reader takes, signed anew where the bending is inside, and refused.
 */
#include "bundle/key.h"

#include <bearssl.h>
#include <stdlib.h>

#include "bundle/x509.h"
#include "check.h"
#include "load.h"

static uint8_t file[4096];
static br_skey_decoder_context skey;
static struct cert cert;
static uint8_t cert_der[4096];
static uint8_t sig[1024];
static size_t sig_len;

static size_t load(const char *name, uint8_t *dst, size_t cap)
{
	size_t n = load_file(dst, cap, "build/tests/certs/%s.der", name);

	CHECK(n > 0);
	return n;
}

static void load_cert(const char *name)
{
	size_t n = load(name, cert_der, sizeof cert_der);

	CHECK_INT(
	    x509_parse((struct slice){(char *)cert_der, n}, &cert, NULL), 0);
}

static void load_pair(const char *name)
{
	char key[32];
	size_t n;

	load_cert(name);
	snprintf(key, sizeof key, "%s.key", name);
	n = load(key, file, sizeof file);
	br_skey_decoder_init(&skey);
	br_skey_decoder_push(&skey, file, n);
	CHECK_INT(br_skey_decoder_last_error(&skey), 0);
}

static const uint8_t digest[HASH_MAX] = {1, 2, 3, 4, 5, 6, 7, 8};
static const struct alg rsa_alg = {.key = KEY_RSA};
static const struct alg ec_alg = {.key = KEY_EC};

static bool accepts(const struct alg *alg, enum hash_id id, const uint8_t *d)
{
	static uint8_t copy[1024];
	uint8_t *end = copy + sizeof copy - sig_len;

	memcpy(end, sig, sig_len); /* so that a read past it is noticed */
	return key_verify(
	    &cert.key, alg, id, d, (struct slice){(char *)end, sig_len});
}

/* ---- RSA */

static size_t modulus_len(void)
{
	return cert.key.n.len;
}

static void rsa_private(void)
{
	sig_len = modulus_len();
	CHECK_INT(br_rsa_i31_private(sig, br_skey_decoder_get_rsa(&skey)), 1);
}

static void rsa_public(void)
{
	static uint8_t n[512], e[4];
	br_rsa_public_key pk = {n, cert.key.n.len, e, cert.key.e.len};

	memcpy(n, cert.key.n.p, pk.nlen);
	memcpy(e, cert.key.e.p, pk.elen);
	CHECK_INT(br_rsa_i31_public(sig, sig_len, &pk), 1);
}

/* Signs 00 TYPE FILL.. 00 INFO DIGEST REST; fill is what is left. */
static void pkcs1(uint8_t type, uint8_t fill, const char *info, size_t info_len,
    size_t hash, size_t rest)
{
	size_t len = modulus_len();
	size_t at = len - info_len - hash - rest;

	memset(sig, fill, len);
	sig[0] = 0;
	sig[1] = type;
	sig[at - 1] = 0;
	memcpy(sig + at, info, info_len);
	memcpy(sig + at + info_len, digest, hash);
	memset(sig + at + info_len + hash, 0, rest);
	rsa_private();
}

#define SHA256_INFO \
	"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00" \
	"\x04\x20"
#define SHA384_INFO \
	"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00" \
	"\x04\x30"
#define SHA512_INFO \
	"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00" \
	"\x04\x40"

static void test_pkcs1(void)
{
#define INFO(s) s, sizeof(s) - 1
	static const struct {
		const char *name;
		bool good;
		enum hash_id id;
		uint8_t type, fill;
		const char *info;
		size_t len, hash, rest;
	} rows[] = {
	    {"SHA-256", true, HASH_SHA256, 1, 0xff, INFO(SHA256_INFO), 32, 0},
	    {"SHA-384", true, HASH_SHA384, 1, 0xff, INFO(SHA384_INFO), 48, 0},
	    {"SHA-512", true, HASH_SHA512, 1, 0xff, INFO(SHA512_INFO), 64, 0},
	    {"another digest", false, HASH_SHA384, 1, 0xff, INFO(SHA256_INFO),
	        32, 0},
	    {"no NULL", false, HASH_SHA256, 1, 0xff,
	        INFO("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02"
	             "\x01\x04\x20"),
	        32, 0},
	    {"NULL of one octet", false, HASH_SHA256, 1, 0xff,
	        INFO("\x30\x32\x30\x0e\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02"
	             "\x01\x05\x01\x00\x04\x20"),
	        32, 0},
	    {"another parameter", false, HASH_SHA256, 1, 0xff,
	        INFO("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02"
	             "\x01\x04\x00\x04\x20"),
	        32, 0},
	    {"long lengths", false, HASH_SHA256, 1, 0xff,
	        INFO("\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04"
	             "\x02\x01\x05\x00\x04\x20"),
	        32, 0},
	    {"other digest's OID", false, HASH_SHA256, 1, 0xff,
	        INFO("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02"
	             "\x02\x05\x00\x04\x20"),
	        32, 0},
	    {"no DigestInfo", false, HASH_SHA256, 1, 0xff, INFO(""), 32, 0},
	    {"a byte behind", false, HASH_SHA256, 1, 0xff, INFO(SHA256_INFO),
	        32, 1},
	    {"many bytes behind", false, HASH_SHA256, 1, 0xff,
	        INFO(SHA256_INFO), 32, 190},
	    {"digest cut", false, HASH_SHA256, 1, 0xff, INFO(SHA256_INFO), 31,
	        0},
	    {"block type 0", false, HASH_SHA256, 0, 0, INFO(SHA256_INFO), 32,
	        0},
	    {"block type 2", false, HASH_SHA256, 2, 0x77, INFO(SHA256_INFO), 32,
	        0},
	    {"padding of other bytes", false, HASH_SHA256, 1, 0xfe,
	        INFO(SHA256_INFO), 32, 0},
	};

	load_pair("rsa");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		pkcs1(rows[i].type, rows[i].fill, rows[i].info, rows[i].len,
		    rows[i].hash, rows[i].rest);
		CHECK_INT(accepts(&rsa_alg, rows[i].id, digest), rows[i].good);
		if (accepts(&rsa_alg, rows[i].id, digest) != rows[i].good)
			fprintf(stderr, "  %s\n", rows[i].name);
		/* the right padding's, but an ECDSA key's or unknown */
		CHECK(!accepts(&ec_alg, rows[i].id, digest));
	}
	/* one bit of the padding, each */
	for (size_t i = 0; i < modulus_len() - 32; i += 3) {
		pkcs1(1, 0xff, INFO(SHA256_INFO), 32, 0);
		rsa_public();
		sig[i] ^= (uint8_t)(i == 0 ? 0x20 : 1 << i % 8);
		rsa_private();
		CHECK(!accepts(&rsa_alg, HASH_SHA256, digest));
	}
}

/* big-endian: a += b, false when it does not fit */
static bool add(uint8_t *a, const uint8_t *b, size_t len)
{
	unsigned carry = 0;

	while (len-- > 0) {
		carry += (unsigned)a[len] + b[len];
		a[len] = (uint8_t)carry;
		carry >>= 8;
	}
	return carry == 0;
}

/* a = b - a */
static void subtract_from(uint8_t *a, const uint8_t *b, size_t len)
{
	int borrow = 0;

	while (len-- > 0) {
		int v = b[len] - a[len] - borrow;

		borrow = v < 0;
		a[len] = (uint8_t)v;
	}
}

static void test_rsa_range(void)
{
	const uint8_t *n;
	size_t len;
	bool tried = false;

	load_pair("rsa");
	n = (const uint8_t *)cert.key.n.p;
	len = modulus_len();
	/* the same value, longer and shorter */
	pkcs1(1, 0xff, INFO(SHA256_INFO), 32, 0);
	CHECK(accepts(&rsa_alg, HASH_SHA256, digest));
	memmove(sig + 1, sig, len);
	sig[0] = 0;
	sig_len = len + 1;
	CHECK(!accepts(&rsa_alg, HASH_SHA256, digest));
	memmove(sig, sig + 1, len);
	sig[len] = 0;
	CHECK(!accepts(&rsa_alg, HASH_SHA256, digest));
	sig_len = len - 1;
	CHECK(!accepts(&rsa_alg, HASH_SHA256, digest));
	sig_len = 0;
	CHECK(!accepts(&rsa_alg, HASH_SHA256, digest));
	sig_len = sizeof sig;
	CHECK(!accepts(&rsa_alg, HASH_SHA256, digest));
	/* the value plus the modulus, where that fits */
	for (unsigned i = 0; i < 256 && !tried; i++) {
		uint8_t other[HASH_MAX] = {(uint8_t)i};

		pkcs1(1, 0xff, INFO(SHA256_INFO), 32, 0);
		rsa_public();
		memcpy(sig + len - 32, other, 32);
		rsa_private();
		CHECK(accepts(&rsa_alg, HASH_SHA256, other));
		tried = add(sig, n, len);
		if (tried)
			CHECK(!accepts(&rsa_alg, HASH_SHA256, other));
	}
	CHECK(tried);
	/* a value that starts with a zero, without it */
	tried = false;
	for (unsigned i = 0; i < 65536 && !tried; i++) {
		uint8_t other[HASH_MAX] = {(uint8_t)i, (uint8_t)(i >> 8)};

		pkcs1(1, 0xff, INFO(SHA256_INFO), 32, 0);
		rsa_public();
		memcpy(sig + len - 32, other, 32);
		rsa_private();
		tried = sig[0] == 0;
		if (!tried)
			continue;
		CHECK(accepts(&rsa_alg, HASH_SHA256, other));
		memmove(sig, sig + 1, len - 1);
		sig_len = len - 1;
		CHECK(!accepts(&rsa_alg, HASH_SHA256, other));
		sig_len = len;
	}
	CHECK(tried);
	memset(sig, 0, len);
	sig_len = len;
	CHECK(!accepts(&rsa_alg, HASH_SHA256, digest));
	sig[len - 1] = 1;
	CHECK(!accepts(&rsa_alg, HASH_SHA256, digest));
	memcpy(sig, n, len);
	CHECK(!accepts(&rsa_alg, HASH_SHA256, digest));
}

static uint8_t fill = 0x5a; /* of the salt */

/* A PSS block of this salt's length, by RFC 8017. */
static void pss(enum hash_id id, size_t salt, size_t len)
{
	size_t hash = hash_len(id), db = len - hash - 1;
	uint8_t m[8 + HASH_MAX + 512] = {0}, mask[HASH_MAX], counter[4] = {0};
	uint8_t *h = sig + db;

	memcpy(m + 8, digest, hash);
	memset(m + 8 + hash, fill, salt);
	(void)hash_two(id, (struct slice){(char *)m, 8 + hash + salt},
	    (struct slice){"", 0}, h);
	memset(sig, 0, db);
	sig[db - salt - 1] = 1;
	memset(sig + db - salt, fill, salt);
	for (size_t i = 0; i < db; i++) {
		if (i % hash == 0) {
			(void)hash_two(id, (struct slice){(char *)h, hash},
			    (struct slice){(char *)counter, 4}, mask);
			counter[3]++;
		}
		sig[i] ^= mask[i % hash];
	}
	sig[len - 1] = 0xbc;
}

static void test_pss(void)
{
	static const enum hash_id ids[] = {
	    HASH_SHA256, HASH_SHA384, HASH_SHA512};

	load_pair("rsa");
	for (size_t k = 0; k < ARRAY_LEN(ids); k++) {
		size_t len = modulus_len(), hash = hash_len(ids[k]);
		size_t most = len - hash - 2, db = len - hash - 1;
		const size_t salts[] = {0, 1, 20, hash, most};

		for (size_t i = 0; i < ARRAY_LEN(salts); i++) {
			struct alg alg = {.key = KEY_RSA,
			    .hash = ids[k],
			    .pss = true,
			    .salt = (uint32_t)salts[i]};

			pss(ids[k], salts[i], len);
			sig[0] &= 0x7f;
			rsa_private();
			CHECK(accepts(&alg, ids[k], digest));
			CHECK(!accepts(&rsa_alg, ids[k], digest));
			/* another length of salt than was said */
			alg.salt++;
			CHECK(!accepts(&alg, ids[k], digest));
			alg.salt -= 2;
			CHECK(!accepts(&alg, ids[k], digest));
			alg.salt = UINT32_MAX;
			CHECK(!accepts(&alg, ids[k], digest));
			alg.salt = (uint32_t)len;
			CHECK(!accepts(&alg, ids[k], digest));
			alg.salt = (uint32_t)salts[i];
			/* each byte of it */
			for (size_t at = 0; at < len; at += 19) {
				pss(ids[k], salts[i], len);
				sig[0] &= 0x7f;
				sig[at] ^= 0x01;
				rsa_private();
				CHECK(!accepts(&alg, ids[k], digest));
			}
			pss(ids[k], salts[i], len);
			sig[0] &= 0x7f;
			sig[db - salts[i] - 1] ^= 0x03; /* 02 before the salt */
			rsa_private();
			CHECK(!accepts(&alg, ids[k], digest));
			pss(ids[k], salts[i], len);
			sig[0] &= 0x7f;
			sig[len - 1] = 0xcc;
			rsa_private();
			CHECK(!accepts(&alg, ids[k], digest));
		}
	}
}

/* Numbers that look random, the same in every run. */
static void generate(const br_prng_class **ctx, void *out, size_t len)
{
	static uint64_t state = 88172645463325252;
	uint8_t *p = out;

	(void)ctx;
	while (len-- > 0) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		*p++ = (uint8_t)state;
	}
}

static const br_prng_class rng_class = {.generate = generate};

/* A modulus of 8k+1 bits: the block is a byte shorter, with no bit unused. */
static void test_pss_odd(void)
{
	struct alg alg = {
	    .key = KEY_RSA, .hash = HASH_SHA256, .pss = true, .salt = 32};
	static uint8_t priv[BR_RSA_KBUF_PRIV_SIZE(2049)];
	static uint8_t pub[BR_RSA_KBUF_PUB_SIZE(2049)];
	const br_prng_class *rng = &rng_class;
	br_rsa_private_key sk;
	br_rsa_public_key pk;
	size_t len;

	CHECK_INT(br_rsa_i31_keygen(&rng, &sk, priv, &pk, pub, 2049, 3), 1);
	cert.key.n = (struct slice){(char *)pk.n, pk.nlen};
	cert.key.e = (struct slice){(char *)pk.e, pk.elen};
	cert.key.bits = 2049;
	len = modulus_len();
	CHECK_INT(len, 257);
	CHECK_INT(pk.n[0], 1);
	for (unsigned first = 0; first < 2; first++) {
		pss(HASH_SHA256, 32, len - 1);
		memmove(sig + 1, sig, len - 1);
		sig[0] = (uint8_t)first;
		/* with a first byte it has to be below the modulus */
		if (first == 1 && memcmp(sig, cert.key.n.p, len) >= 0)
			continue;
		sig_len = len;
		CHECK_INT(br_rsa_i31_private(sig, &sk), 1);
		CHECK_INT(accepts(&alg, HASH_SHA256, digest), first == 0);
	}
}

/* The topmost bit of the block is unused, and has to be 0. */
static void test_pss_top_bit(void)
{
	struct alg alg = {
	    .key = KEY_RSA, .hash = HASH_SHA256, .pss = true, .salt = 0};
	unsigned tried = 0;

	load_pair("rsa");
	for (unsigned i = 0; i < 2000 && tried < 4; i++) {
		alg.salt = 1 + i % 200;
		fill = (uint8_t)(i / 200);
		pss(HASH_SHA256, alg.salt, modulus_len());
		sig[0] |= 0x80;
		if (memcmp(sig, cert.key.n.p, modulus_len()) >= 0)
			continue;
		tried++;
		rsa_private();
		CHECK(!accepts(&alg, HASH_SHA256, digest));
		rsa_public();
		sig[0] &= 0x7f;
		rsa_private();
		CHECK(accepts(&alg, HASH_SHA256, digest));
	}
	CHECK(tried > 0);
}

/* ---- ECDSA */

struct pair {
	uint8_t r[68], s[68]; /* right-aligned */
};

#define ROOM sizeof(((struct pair *)0)->r)

static size_t put_integer(uint8_t *dst, const uint8_t *v)
{
	size_t skip = 0, n;

	while (skip + 1 < ROOM && v[skip] == 0 && !(v[skip + 1] & 0x80))
		skip++;
	n = ROOM - skip;
	dst[0] = DER_INTEGER;
	dst[1] = (uint8_t)n;
	memcpy(dst + 2, v + skip, n);
	return n + 2;
}

static void put_pair(const struct pair *p)
{
	uint8_t body[2 * ROOM + 4];
	size_t n = put_integer(body, p->r);

	n += put_integer(body + n, p->s);
	sig[0] = DER_SEQUENCE;
	sig_len = 1;
	if (n > 127)
		sig[sig_len++] = 0x81;
	sig[sig_len++] = (uint8_t)n;
	memcpy(sig + sig_len, body, n);
	sig_len += n;
}

static void get_pair(struct pair *p)
{
	struct buf b = der_buf((struct slice){(char *)sig, sig_len});
	struct buf seq = der_enter(&b, DER_SEQUENCE);
	struct slice r = der_magnitude(der_integer(&seq));
	struct slice s = der_magnitude(der_integer(&seq));

	memset(p, 0, sizeof *p);
	memcpy(p->r + ROOM - r.len, r.p, r.len);
	memcpy(p->s + ROOM - s.len, s.p, s.len);
	CHECK(der_end(&b) && der_end(&seq));
}

static bool try_pair(const struct pair *p)
{
	put_pair(p);
	return accepts(&ec_alg, HASH_SHA256, digest);
}

/* Inserts or removes at a place, and corrects the length of the sequence and
 * of one integer. */
static bool try_bent(const struct pair *p, size_t at, int more, const char *by)
{
	size_t head;

	put_pair(p);
	head = sig[1] == 0x81 ? 3 : 2;
	if (more > 0) {
		memmove(
		    sig + head + at + 1, sig + head + at, sig_len - head - at);
		sig[head + at] = (uint8_t)by[0];
	}
	sig_len = (size_t)((int)sig_len + more);
	sig[head - 1] = (uint8_t)(sig[head - 1] + more);
	return accepts(&ec_alg, HASH_SHA256, digest);
}

static void test_ecdsa(const char *name, const uint8_t *order, size_t len)
{
	uint8_t n[ROOM] = {0};
	struct pair good, p;
	size_t head, tail;
	char path[32];

	load_cert(name);
	memcpy(n + ROOM - len, order, len);
	snprintf(path, sizeof path, "%s.sig", name);
	sig_len = load(path, sig, sizeof sig);
	CHECK(sig_len > 0);
	CHECK(accepts(&ec_alg, HASH_SHA256, digest));
	CHECK(!accepts(&rsa_alg, HASH_SHA256, digest));
	get_pair(&good);
	CHECK(try_pair(&good));
	/* the other s is as good: nobody asked for the low one */
	p = good;
	subtract_from(p.s, n, ROOM);
	CHECK(try_pair(&p));

	/* values out of range */
	p = good;
	CHECK(add(p.r, n, ROOM));
	CHECK(!try_pair(&p));
	p = good;
	CHECK(add(p.s, n, ROOM));
	CHECK(!try_pair(&p));
	p = good;
	memset(p.r, 0, ROOM);
	CHECK(!try_pair(&p));
	p = good;
	memset(p.s, 0, ROOM);
	CHECK(!try_pair(&p));
	p = good;
	memcpy(p.r, n, ROOM);
	CHECK(!try_pair(&p));
	p = good;
	memcpy(p.s, n, ROOM);
	CHECK(!try_pair(&p));
	/* negative: two's complement of the value */
	p = good;
	{
		uint8_t zero[ROOM] = {0};

		subtract_from(p.r, zero, ROOM);
		CHECK(!try_pair(&p));
		p = good;
		subtract_from(p.s, zero, ROOM);
		CHECK(!try_pair(&p));
	}

	/* encodings of the good values */
	put_pair(&good);
	head = sig[1] == 0x81 ? 3 : 2;
	tail = sig_len - head;
	CHECK(!try_bent(&good, tail, 1, "\0")); /* inside the sequence */
	put_pair(&good);
	sig[sig_len++] = 0; /* behind it */
	CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	for (size_t cut = 0; cut + 1 < sig_len; cut++) {
		size_t whole;

		put_pair(&good);
		whole = sig_len;
		sig_len = cut;
		CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
		sig_len = whole;
	}
	/* a leading zero too many, in r and in s */
	put_pair(&good);
	sig[head + 1]++;
	memmove(sig + head + 3, sig + head + 2, sig_len - head - 2);
	sig[head + 2] = 0;
	sig[head - 1]++;
	sig_len++;
	CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	put_pair(&good);
	{
		size_t at = head + 2 + sig[head + 1];

		sig[at + 1]++;
		memmove(sig + at + 3, sig + at + 2, sig_len - at - 2);
		sig[at + 2] = 0;
		sig[head - 1]++;
		sig_len++;
		CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	}
	/* a leading zero too few: then the number is negative */
	for (unsigned i = 0; i < 2; i++) {
		size_t at;

		put_pair(&good);
		at = head + (i == 0 ? 0 : 2u + sig[head + 1]);
		if (sig[at + 2] != 0)
			continue;
		sig[at + 1]--;
		memmove(sig + at + 2, sig + at + 3, sig_len - at - 3);
		sig[head - 1]--;
		sig_len--;
		CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	}
	/* lengths in a longer form than needed: of the sequence, of r */
	put_pair(&good);
	memmove(sig + 2, sig + 1, sig_len - 1);
	sig[1] = head == 2 ? 0x81 : 0x82;
	if (head == 3)
		sig[2] = 0;
	sig_len++;
	CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	put_pair(&good);
	memmove(sig + head + 2, sig + head + 1, sig_len - head - 1);
	sig[head + 1] = 0x81;
	sig[head - 1]++;
	sig_len++;
	CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	{
		size_t at;

		put_pair(&good);
		at = head + 2 + sig[head + 1];
		memmove(sig + at + 2, sig + at + 1, sig_len - at - 1);
		sig[at + 1] = 0x81;
		sig[head - 1]++;
		sig_len++;
		CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	}
	/* a third element, and one alone */
	put_pair(&good);
	memcpy(sig + sig_len, "\x05", 2);
	sig[head - 1] = (uint8_t)(sig[head - 1] + 2);
	sig_len += 2;
	CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	put_pair(&good);
	sig_len = head + 2 + sig[head + 1];
	sig[head - 1] = (uint8_t)(sig_len - head);
	CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	/* no octets in an integer */
	for (unsigned i = 0; i < 2; i++) {
		size_t at, octets;

		put_pair(&good);
		at = head + (i == 0 ? 0 : 2u + sig[head + 1]);
		octets = sig[at + 1];
		memmove(sig + at + 2, sig + at + 2 + octets,
		    sig_len - at - 2 - octets);
		sig[at + 1] = 0;
		sig[head - 1] = (uint8_t)(sig[head - 1] - octets);
		sig_len -= octets;
		CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	}
	/* indefinite */
	put_pair(&good);
	if (head == 2) {
		sig[1] = 0x80;
		sig[sig_len++] = 0;
		sig[sig_len++] = 0;
		CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	}
	/* other tags */
	put_pair(&good);
	sig[0] = DER_SET;
	CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	put_pair(&good);
	sig[head] = DER_BIT_STRING;
	CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	sig[head] = DER_INTEGER | 0x20; /* constructed */
	CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	put_pair(&good);
	sig[head + 2u + sig[head + 1]] = DER_OCTET_STRING;
	CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
	/* a bit of every byte */
	put_pair(&good);
	for (size_t i = 0; i < sig_len * 8; i += 9) {
		sig[i / 8] ^= (uint8_t)(1 << i % 8);
		CHECK(!accepts(&ec_alg, HASH_SHA256, digest));
		sig[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

static const uint8_t order_p521[] = {0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xfa, 0x51, 0x86, 0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b, 0x7f,
    0xcc, 0x01, 0x48, 0xf7, 0x09, 0xa5, 0xd0, 0x3b, 0xb5, 0xc9, 0xb8, 0x89,
    0x9c, 0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38, 0x64, 0x09};
static const uint8_t order_p384[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d,
    0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19,
    0x6a, 0xcc, 0xc5, 0x29, 0x73};
static const uint8_t order_p256[] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00,
    0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25,
    0x51};

/* ---- algorithms and keys */

#define PSS_OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define HASH256 "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define HASH256_NULL \
	"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
#define HASH384 "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02"
#define MGF_OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"

static void test_pss_params(void)
{
	static const struct {
		const char *name;
		bool good;
		uint32_t salt;
		const char *der;
		size_t len;
	} rows[] = {
	    {"plain", true, 20,
	        INFO("\x30\x38" PSS_OID "\x30\x2b\xa0\x0d" HASH256
	             "\xa1\x1a\x30\x18" MGF_OID HASH256)},
	    {"NULLs, salt 32", true, 32,
	        INFO("\x30\x41" PSS_OID "\x30\x34\xa0\x0f" HASH256_NULL
	             "\xa1\x1c\x30\x1a" MGF_OID HASH256_NULL
	             "\xa2\x03\x02\x01\x20")},
	    {"default written out", false, 0,
	        INFO(
	            "\x30\x3d" PSS_OID "\x30\x30\xa0\x0d" HASH256
	            "\xa1\x1a\x30\x18" MGF_OID HASH256 "\xa2\x03\x02\x01\x14")},
	    {"negative salt", false, 0,
	        INFO(
	            "\x30\x3d" PSS_OID "\x30\x30\xa0\x0d" HASH256
	            "\xa1\x1a\x30\x18" MGF_OID HASH256 "\xa2\x03\x02\x01\xff")},
	    {"trailer field", false, 0,
	        INFO(
	            "\x30\x3d" PSS_OID "\x30\x30\xa0\x0d" HASH256
	            "\xa1\x1a\x30\x18" MGF_OID HASH256 "\xa3\x03\x02\x01\x01")},
	    {"other trailer", false, 0,
	        INFO(
	            "\x30\x3d" PSS_OID "\x30\x30\xa0\x0d" HASH256
	            "\xa1\x1a\x30\x18" MGF_OID HASH256 "\xa3\x03\x02\x01\x02")},
	    {"other MGF hash", false, 0,
	        INFO("\x30\x38" PSS_OID "\x30\x2b\xa0\x0d" HASH256
	             "\xa1\x1a\x30\x18" MGF_OID HASH384)},
	    {"other MGF", false, 0,
	        INFO("\x30\x38" PSS_OID "\x30\x2b\xa0\x0d" HASH256
	             "\xa1\x1a\x30\x18" PSS_OID HASH256)},
	    {"default MGF", false, 0,
	        INFO("\x30\x1c" PSS_OID "\x30\x0f\xa0\x0d" HASH256)},
	    {"default hash", false, 0,
	        INFO("\x30\x29" PSS_OID "\x30\x1c"
	             "\xa1\x1a\x30\x18" MGF_OID HASH256)},
	    {"all defaults", false, 0, INFO("\x30\x0d" PSS_OID "\x30\x00")},
	    {"no parameters", false, 0, INFO("\x30\x0b" PSS_OID)},
	    {"NULL", false, 0, INFO("\x30\x0d" PSS_OID "\x05\x00")},
	    {"something behind", false, 0,
	        INFO("\x30\x3a" PSS_OID "\x30\x2d\xa0\x0d" HASH256
	             "\xa1\x1a\x30\x18" MGF_OID HASH256 "\x05\x00")},
	};
	char text[ALG_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct slice der = {rows[i].der, rows[i].len};
		struct buf b = der_buf(der);
		struct alg a = alg_read(&b);

		CHECK(der_end(&b));
		CHECK_INT(a.pss, rows[i].good);
		CHECK_INT(a.key, rows[i].good ? KEY_RSA : KEY_UNKNOWN);
		if (a.pss != rows[i].good)
			fprintf(stderr, "  %s\n", rows[i].name);
		alg_text(text, &a);
		CHECK_STR(text, rows[i].good ? "RSA-PSS (1.2.840.113549.1.1.10)"
		                             : "RSA-PSS with other parameters");
		if (!rows[i].good)
			continue;
		CHECK_INT(a.salt, rows[i].salt);
		CHECK_INT(a.hash, HASH_SHA256);
		CHECK(alg_plain(&a, false));
	}
}

static void test_same(void)
{
	struct cert a;
	static uint8_t der[4096];
	size_t n = load("rsa", der, sizeof der);

	CHECK_INT(x509_parse((struct slice){(char *)der, n}, &a, NULL), 0);
	load_pair("rsa");
	CHECK(key_same(&a.key, &cert.key));
	load_cert("signer");
	CHECK(!key_same(&a.key, &cert.key));
	n = load("eku-both", der, sizeof der); /* the same key */
	CHECK_INT(x509_parse((struct slice){(char *)der, n}, &a, NULL), 0);
	CHECK(key_same(&a.key, &cert.key));
	n = load("root", der, sizeof der);
	CHECK_INT(x509_parse((struct slice){(char *)der, n}, &a, NULL), 0);
	CHECK(!key_same(&a.key, &cert.key));
}

int main(void)
{
	if (system("sh tests/data/mkcerts.sh build/tests/certs") != 0)
		return 1;
	test_pkcs1();
	test_rsa_range();
	test_pss();
	test_pss_odd();
	test_pss_top_bit();
	test_pss_params();
	test_ecdsa("signer", order_p256, sizeof order_p256);
	test_ecdsa("p384", order_p384, sizeof order_p384);
	test_ecdsa("p521", order_p521, sizeof order_p521);
	test_same();
	return check_done("key_test");
}
