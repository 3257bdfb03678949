/* SPDX-License-Identifier: 0BSD */
/*
 * Envelopes that nobody makes but who wants to learn from the device's answers:
 * a sender's key beside the curve, and a recipient put beside a good one.
 */
#include <bearssl.h>
#include <stdlib.h>
#include <time.h>

#include "bundle/bundle.h"
#include "bundle/der.h"
#include "check.h"
#include "load.h"

#define DIR "build/tests/bundles/"

static uint8_t file[200000], made[200000], parts[65536];
static char text[20000];
static struct keyring keyring;
static struct trust_policy policy;
static struct recipient rsa, rsa_cert, ec, ec_cert;
static struct bundle bundle;
static struct diag d;

static size_t load(const char *name, void *dst, size_t cap)
{
	size_t n = load_file(dst, cap, DIR "%s", name);

	CHECK(n > 0 && n < cap);
	return n;
}

static void load_key(struct recipient *r, const char *key, const char *cert)
{
	size_t n = load(key, text, sizeof text);

	CHECK_INT(recipient_load(r, text, n, NULL), 0);
	if (!cert)
		return;
	n = load(cert, text, sizeof text);
	CHECK_INT(recipient_load_cert(r, text, n, NULL), 0);
}

/* A bundle in file, of one recipient. */
static struct {
	size_t payload;
	struct slice version, recipient, content; /* whole TLVs */
	struct slice point; /* of key agreement: the BIT STRING's contents */
	struct slice wrapped;
} is;

static void look(const char *name)
{
	size_t size = load(name, file, sizeof file);
	size_t cms = (size_t)load_be64(file + size - 8);
	struct buf b, set, one;
	struct der e = {0};

	is.payload = size - 8 - cms;
	buf_init(&b, file + is.payload, cms);
	b = der_enter(&b, DER_SEQUENCE);
	(void)der_oid(&b);
	b = der_enter(&b, DER_CTX_CONS(0));
	b = der_enter(&b, DER_SEQUENCE);
	CHECK(der_next(&b, &e));
	is.version = e.raw;
	set = der_enter(&b, DER_SET);
	CHECK(der_next(&set, &e) && der_end(&set));
	is.recipient = e.raw;
	one = der_buf(e.body);
	is.point = (struct slice){0};
	while (buf_left(&one) > 0) {
		CHECK(der_next(&one, &e));
		if (e.tag == DER_CTX_CONS(0)) {
			struct buf key = der_buf(e.body);

			key = der_enter(&key, DER_CTX_CONS(1));
			CHECK(der_get(&key, DER_SEQUENCE, &e));
			CHECK(der_get(&key, DER_BIT_STRING, &e));
			is.point = e.body;
		}
	}
	is.wrapped = e.body;
	CHECK(der_next(&b, &e) && der_end(&b));
	is.content = e.raw;
}

/* Puts tag and length in front of the bytes between at and end. */
static uint8_t *wrap(uint8_t *at, const uint8_t *end, uint8_t tag)
{
	size_t len = (size_t)(end - at);

	*--at = (uint8_t)len;
	if (len >= 0x100)
		*--at = (uint8_t)(len >> 8);
	if (len >= 0x80)
		*--at = len < 0x100 ? 0x81 : 0x82;
	*--at = tag;
	return at;
}

static uint8_t *put(uint8_t *at, struct slice s)
{
	return memcpy(at - s.len, s.p, s.len);
}

/* Opens the bundle with these recipients in its envelope. */
static int open_with(struct slice recipients, const struct recipient *r)
{
	static const struct slice type = {
	    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 11};
	uint8_t *end = made + sizeof made - 8, *p = put(end, is.content);
	struct blk_mem mem;
	uint8_t *set = p;

	p = put(p, recipients);
	p = wrap(p, set, DER_SET);
	p = put(p, is.version);
	p = wrap(p, end, DER_SEQUENCE);
	p = wrap(p, end, DER_CTX_CONS(0));
	p = put(p, type);
	p = wrap(p, end, DER_SEQUENCE);
	for (unsigned i = 0; i < 8; i++)
		end[i] = (uint8_t)((uint64_t)(end - p) >> 8 * (7 - i));
	p = put(p, (struct slice){(const char *)file, is.payload});
	diag_clear(&d);
	blk_mem_init(&mem, p, (size_t)(end + 8 - p), false);
	bundle.recipient = r;
	return bundle_open(&bundle, &mem.blk, &keyring, &policy, &d);
}

static const char shut[] =
    "this device's key does not open it, or what is in it is damaged, or not "
    "signed by whom this device trusts";
static const char two[] = "malformed: two recipients are this device";
static const char beside[] =
    "malformed: a sender's key that is no point of the curve";

/* ---- recipients beside a good one */

/* Copies of the recipient, one for each letter: (g)ood; a well-formed wrap of
 * another (k)ey; a padding that is (b)ad. */
static struct slice rsa_list(const char *kinds)
{
	const br_rsa_public_key pk = {(unsigned char *)(uintptr_t)rsa.n.p,
	    rsa.n.len, (unsigned char *)(uintptr_t) "\1\0\1", 3};
	size_t at = (size_t)(is.wrapped.p - is.recipient.p), len = 0;

	for (; *kinds; kinds++, len += is.recipient.len) {
		uint8_t *copy = parts + len, *m = copy + at;

		memcpy(copy, is.recipient.p, is.recipient.len);
		if (*kinds == 'g')
			continue;
		memset(m, 0x5a, is.wrapped.len);
		m[0] = 0;
		m[1] = *kinds == 'k' ? 2 : 1;
		m[is.wrapped.len - 33] = 0;
		CHECK(br_rsa_i31_public(m, is.wrapped.len, &pk));
	}
	return (struct slice){(const char *)parts, len};
}

/* Copies of the encrypted key, as good or bad, under one sender's key. */
static struct slice ec_list(const char *kinds)
{
	struct buf b = der_buf(is.recipient), list;
	uint8_t *end = parts + sizeof parts, *p = end;
	struct der e, item;
	size_t n;

	b = der_enter(&b, DER_CTX_CONS(1));
	n = b.pos;
	do {
		n = b.pos;
		CHECK(der_next(&b, &e));
	} while (buf_left(&b) > 0);
	list = der_buf(e.body);
	CHECK(der_next(&list, &item) && der_end(&list));
	for (size_t i = strlen(kinds); i-- > 0;) {
		p = put(p, item.raw);
		/* the last of its bytes are of the key */
		p[item.raw.len - 1] ^= kinds[i] == 'b';
	}
	p = wrap(p, end, DER_SEQUENCE);
	p = put(p, (struct slice){(const char *)b.p, n});
	p = wrap(p, end, DER_CTX_CONS(1));
	return (struct slice){(const char *)p, (size_t)(end - p)};
}

static void test_beside(const char *name, const struct recipient *r,
    const struct recipient *with_cert, struct slice (*make)(const char *))
{
	static const char *const open[] = {"g", "gg", "gb", "bg", "bbg", "gbb",
	    "bgb", "bbbbbbbbbbbbbbbg", "gbbbbbbbbbbbbbbb", "gk", "kg", "kgk",
	    "bkg", "gkb", "bgk"};
	static const char *const closed[] = {
	    "b", "bb", "bbbbbbbbbbbbbbbb", "k", "kk", "kb", "bk"};
	size_t letters = make == rsa_list ? ARRAY_LEN(open) : 9;

	look(name);
	for (size_t i = 0; i < letters; i++) {
		CHECK_INT(open_with(make(open[i]), r), 0);
		CHECK_STR(bundle.signer.cn, "Test signer");
		CHECK_INT(open_with(make(open[i]), with_cert),
		    i == 0 ? 0 : R_CMS_SYNTAX);
		CHECK_STR(d.seen, i == 0 ? "" : two);
	}
	letters = make == rsa_list ? ARRAY_LEN(closed) : 3;
	for (size_t i = 0; i < letters; i++) {
		bool one = closed[i][1] == '\0';

		CHECK_INT(open_with(make(closed[i]), r), R_CRYPT_KEY);
		CHECK_STR(d.seen, shut);
		CHECK_INT(open_with(make(closed[i]), with_cert),
		    one ? R_CRYPT_KEY : R_CMS_SYNTAX);
		CHECK_STR(d.seen, one ? shut : two);
	}
	CHECK_INT(open_with(make("gbbbbbbbbbbbbbbbb"), r), R_LIMIT);
	CHECK_INT(open_with(make("bbbbbbbbbbbbbbbbb"), r), R_LIMIT);
}

/* ---- points beside the curve */

static int open_point(const struct recipient *r)
{
	return open_with(is.recipient, r);
}

static void refused_point(const struct recipient *r)
{
	CHECK_INT(open_point(r), R_CMS_SYNTAX);
	CHECK_STR(d.seen, beside);
}

/* x and y, as digits, into the file; NULL: y as it is. */
static void set_point(const char *x, const char *y)
{
	uint8_t *p = file + (is.point.p - (const char *)file) + 2;
	size_t len = is.point.len / 2 - 1;
	const char *of[] = {x, y};

	p[-1] = 4;
	for (size_t i = 0; i < 2; i++, p += len) {
		size_t digits = of[i] ? strlen(of[i]) : 0;

		CHECK(digits <= 2 * len && digits % 2 == 0);
		if (!of[i])
			continue;
		memset(p, 0, len);
		for (size_t k = 0; k < digits; k += 2) {
			unsigned v = 0;

			CHECK_INT(sscanf(of[i] + k, "%2x", &v), 1);
			p[len - digits / 2 + k / 2] = (uint8_t)v;
		}
	}
}

static void test_points(
    const char *name, const char *key, const char *p, const char *y0)
{
	static struct recipient r, other;
	static uint8_t good[200];
	uint8_t *at, ones[140];
	char hex[281];

	load_key(&r, key, NULL);
	load_key(&other, "crypt-ec.key", "crypt-no.pem");
	look(name);
	at = file + (is.point.p - (const char *)file) + 1;
	CHECK(is.point.len > 64 && is.point.len <= sizeof good);
	memcpy(good, at, is.point.len - 1);
	CHECK_INT(open_point(&r), 0);
	/* its first octet, compressed and hybrid forms among them */
	for (unsigned i = 0; i < 256; i++) {
		*at = (uint8_t)i;
		CHECK_INT(open_point(&r), i == 4 ? 0 : R_CMS_SYNTAX);
		CHECK_STR(d.seen, i == 4 ? "" : beside);
	}
	*at = 4;
	/* any bit of it */
	for (size_t i = 1; i < is.point.len - 1; i += 7) {
		at[i] ^= 1;
		refused_point(&r);
		at[i] ^= 1;
	}
	/* x^3 - 3x has one of order 2, x^3 - 3x + 2 is no curve at all */
	set_point("00", "00");
	refused_point(&r);
	set_point("02", "02");
	refused_point(&r);
	/* not there for another device, which does not compute with it */
	CHECK_INT(open_point(&other), R_CRYPT_KEY);
	CHECK(strstr(d.seen, "none of which is this device") != NULL);
	/* one that is on the curve is only another's */
	set_point("00", y0);
	CHECK_INT(open_point(&r), R_CRYPT_KEY);
	CHECK_STR(d.seen, shut);
	/* the same, but written as p: not reduced */
	set_point(p, y0);
	refused_point(&r);
	memset(ones, 0xff, sizeof ones);
	hex_encode(hex, ones, is.point.len / 2 - 1);
	set_point(hex, y0);
	refused_point(&r);
	set_point("00", hex);
	refused_point(&r);
	set_point("00", p);
	refused_point(&r);
	memcpy(at, good, is.point.len - 1);
	CHECK_INT(open_point(&r), 0);
}

/* Infinity, and lengths of other curves, are for no device of this one. */
static void test_lengths(void)
{
	look("enc-ec.raucb");
	for (size_t n = 0; n < 140; n++) {
		uint8_t *end = parts + sizeof parts, *p = end, *mid;
		struct buf b = der_buf(is.recipient);
		struct der version, origin, alg;
		uint8_t bits[141] = {0};

		b = der_enter(&b, DER_CTX_CONS(1));
		CHECK(der_next(&b, &version) && der_next(&b, &origin));
		p = put(
		    p, (struct slice){(const char *)b.p + b.pos, buf_left(&b)});
		b = der_buf(origin.body);
		b = der_enter(&b, DER_CTX_CONS(1));
		CHECK(der_next(&b, &alg));
		mid = p;
		memcpy(bits, is.point.p, is.point.len);
		if (n == 1)
			bits[1] = 0;
		p = put(p, (struct slice){(const char *)bits, n + 1});
		p = wrap(p, mid, DER_BIT_STRING);
		p = put(p, alg.raw);
		p = wrap(p, mid, DER_CTX_CONS(1));
		p = wrap(p, mid, DER_CTX_CONS(0));
		p = put(p, version.raw);
		p = wrap(p, end, DER_CTX_CONS(1));
		CHECK_INT(open_with((struct slice){(const char *)p,
		                        (size_t)(end - p)},
		              &ec),
		    n == 65 ? 0 : R_CRYPT_KEY);
		CHECK(n == 65 || strstr(d.seen, "none of which"));
	}
}

int main(void)
{
	if (system("tests/data/mkbundles.sh " DIR " >&2") != 0)
		return 1;
	policy.now = time(NULL);
	CHECK_INT(keyring_load(&keyring, text,
	              load("keyring.pem", text, sizeof text), NULL),
	    0);
	load_key(&rsa, "crypt-rsa.key", NULL);
	load_key(&rsa_cert, "crypt-rsa.key", "crypt-rsa.pem");
	load_key(&ec, "crypt-ec.key", NULL);
	load_key(&ec_cert, "crypt-ec.key", "crypt-ec.pem");
	test_beside("enc-rsa.raucb", &rsa, &rsa_cert, rsa_list);
	test_beside("enc-ec.raucb", &ec, &ec_cert, ec_list);
	test_points("enc-ec.raucb", "crypt-ec.key",
	    "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
	    "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
	test_points("enc-p384.raucb", "crypt-p384.key",
	    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
	    "ffffffff0000000000000000ffffffff",
	    "c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793"
	    "406d80d2b91ad54f9048bd487af1ade1");
	test_points("enc-p521.raucb", "crypt-p521.key",
	    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	    "ffff",
	    "012df13601594a883ef2d935e44bb90bf4d6619b74e52af7552f97769011c071"
	    "9eb439cfab2a88d40fe59a2bed1f43557169a2d0a2ccd280c607b92bbf51ffe0"
	    "b078");
	test_lengths();
	return check_done("oracle");
}
