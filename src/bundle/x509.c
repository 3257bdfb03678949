/* SPDX-License-Identifier: 0BSD */
#include "bundle/x509.h"

#include <bearssl.h>

#include "base/fmt.h"
#include "bundle/trust.h"

#define EXTENSIONS_MAX 32
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define POINT_MAX 133 /* uncompressed, P-521 */

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
    {0, 0, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "RSA-PSS"},
    {0, 0, 7, "\x2a\x86\x48\xce\x3d\x04\x01", "ECDSA with SHA-1"},
    {0, 0, 8, "\x2a\x86\x48\xce\x3d\x04\x03\x01", "ECDSA with SHA-224"},
    {0, 0, 7, "\x2a\x86\x48\xce\x38\x04\x01", "DSA"},
    {0, 0, 3, "\x2b\x65\x70", "Ed25519"},
    {0, 0, 3, "\x2b\x65\x71", "Ed448"},
};

static bool oid_is(struct slice oid, const char *bytes, size_t len)
{
	return slice_same(oid, (struct slice){bytes, len});
}

static size_t alg_find(struct slice oid)
{
	size_t i = 0;

	while (i < ARRAY_LEN(algs) && !oid_is(oid, algs[i].oid, algs[i].len))
		i++;
	return i;
}

struct alg alg_read(struct buf *b)
{
	struct buf seq = der_enter(b, DER_SEQUENCE);
	struct alg a = {0};
	struct der params;
	size_t i;

	a.oid = der_oid(&seq);
	if (buf_left(&seq) > 0 && der_next(&seq, &params)) {
		a.null_params = params.tag == DER_NULL;
		if (!a.null_params)
			a.params = params.raw;
		else if (params.body.len != 0)
			b->bad = true;
	}
	if (!der_end(&seq))
		b->bad = true;
	i = alg_find(a.oid);
	if (i < ARRAY_LEN(algs)) {
		a.key = (enum key_type)algs[i].key;
		a.hash = (enum hash_id)algs[i].hash;
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
	if (i < ARRAY_LEN(algs))
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

static size_t hash_len(enum hash_id id)
{
	return id == HASH_SHA256 ? 32 : id == HASH_SHA384 ? 48 : 64;
}

static bool rsa_verify(const struct key *k, enum hash_id id,
    const uint8_t *digest, struct slice signature)
{
	uint8_t n[RSA_BITS_MAX / 8], e[4], found[HASH_MAX];
	br_rsa_public_key pk = {n, k->n.len, e, k->e.len};
	const unsigned char *oid = id == HASH_SHA256   ? BR_HASH_OID_SHA256
	                           : id == HASH_SHA384 ? BR_HASH_OID_SHA384
	                                               : BR_HASH_OID_SHA512;

	if (k->n.len > sizeof n || k->e.len > sizeof e)
		return false;
	memcpy(n, k->n.p, k->n.len);
	memcpy(e, k->e.p, k->e.len);
	return br_rsa_i31_pkcs1_vrfy((const unsigned char *)signature.p,
	           signature.len, oid, hash_len(id), &pk, found) == 1 &&
	       memcmp(found, digest, hash_len(id)) == 0;
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

bool key_verify(const struct key *k, enum hash_id id, const uint8_t *digest,
    struct slice signature)
{
	if (k->type == KEY_RSA)
		return rsa_verify(k, id, digest, signature);
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

/* Makes b bad on malformed DER; a key that is well-formed but not for us is
 * KEY_UNKNOWN. */
static struct slice key_read(struct buf *b, struct key *k)
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

static void read_basic_constraints(struct buf *v, struct cert *c)
{
	struct buf seq = der_enter(v, DER_SEQUENCE);

	if (der_is(&seq, DER_BOOLEAN))
		c->ca = der_boolean(&seq);
	if (buf_left(&seq) > 0) {
		c->has_pathlen = true;
		c->pathlen = der_u31(&seq);
	}
	if (!der_end(&seq) || (c->has_pathlen && !c->ca))
		v->bad = true;
}

static void read_key_usage(struct buf *v, struct cert *c)
{
	struct buf bits = der_enter(v, DER_BIT_STRING);
	uint8_t unused = buf_u8(&bits);

	c->has_ku = true;
	c->ku = buf_u8(&bits);
	if (unused > 7 || bits.bad)
		v->bad = true;
}

static void read_ext_key_usage(struct buf *v, struct cert *c)
{
	struct buf seq = der_enter(v, DER_SEQUENCE);

	c->has_eku = true;
	do {
		struct slice oid = der_oid(&seq);

		if (oid_is(oid, "\x2b\x06\x01\x05\x05\x07\x03\x03", 8))
			c->eku |= EKU_CODE_SIGNING;
		if (oid_is(oid, "\x2b\x06\x01\x05\x05\x07\x03\x04", 8))
			c->eku |= EKU_EMAIL;
	} while (buf_ok(&seq) && buf_left(&seq) > 0);
	if (!buf_ok(&seq))
		v->bad = true;
}

static void read_authority_key(struct buf *v, struct cert *c)
{
	struct buf seq = der_enter(v, DER_SEQUENCE);
	struct der e;

	if (der_optional(&seq, DER_CTX(0), &e))
		c->aki = e.body;
	(void)der_optional(&seq, DER_CTX_CONS(1), &e);
	if (der_optional(&seq, DER_CTX(2), &e))
		c->aki_serial = e.body;
	if (!der_end(&seq))
		v->bad = true;
}

/*
 * The contents of one extension; false when they are malformed. Those that
 * restrict in a way that is not implemented count as unhandled even when they
 * are not critical.
 */
static bool read_extension(
    struct cert *c, struct slice oid, bool critical, struct slice value)
{
	struct buf v = der_buf(value);
	bool understood = !critical;
	struct der e;

	if (oid.len != 3 || oid.p[0] != 0x55 || oid.p[1] != 0x1d) {
		/* netscape-cert-type and proxyCertInfo restrict */
		if (critical ||
		    oid_is(oid, "\x60\x86\x48\x01\x86\xf8\x42\x01\x01", 9) ||
		    oid_is(oid, "\x2b\x06\x01\x05\x05\x07\x01\x0e", 8))
			c->unhandled = oid;
		return true;
	}
	switch (oid.p[2]) {
	case 14: /* subjectKeyIdentifier */
		if (der_get(&v, DER_OCTET_STRING, &e))
			c->ski = e.body;
		break;
	case 15:
		understood = true;
		read_key_usage(&v, c);
		break;
	case 17: /* subjectAltName: nothing here asks for it */
	case 32: /* certificatePolicies: nor for this */
		understood = true;
		(void)der_get(&v, DER_SEQUENCE, &e);
		break;
	case 19:
		understood = true;
		read_basic_constraints(&v, c);
		break;
	case 30: /* nameConstraints restrict */
		understood = false;
		(void)der_next(&v, &e);
		break;
	case 35:
		read_authority_key(&v, c);
		break;
	case 37:
		understood = true;
		read_ext_key_usage(&v, c);
		break;
	default:
		buf_skip(&v, buf_left(&v));
	}
	if (!understood)
		c->unhandled = oid;
	return der_end(&v);
}

static bool seen_before(struct buf extensions, size_t until, struct slice oid)
{
	extensions.pos = 0;
	while (extensions.pos < until) {
		struct buf seq = der_enter(&extensions, DER_SEQUENCE);

		if (slice_same(der_oid(&seq), oid))
			return true;
	}
	return false;
}

/* NULL, or what is wrong. */
static const char *read_extensions(struct buf *tbs, struct cert *c)
{
	struct buf outer = der_enter(tbs, DER_CTX_CONS(3));
	struct buf list = der_enter(&outer, DER_SEQUENCE);
	unsigned n = 0;

	if (!der_end(&outer) || buf_left(&list) == 0)
		return "extensions";
	while (buf_left(&list) > 0) {
		size_t from = list.pos;
		struct buf seq = der_enter(&list, DER_SEQUENCE);
		struct slice oid = der_oid(&seq);
		bool critical = false;
		struct der value;

		if (der_is(&seq, DER_BOOLEAN))
			critical = der_boolean(&seq);
		if (!der_get(&seq, DER_OCTET_STRING, &value) || !der_end(&seq))
			return "extension";
		if (++n > EXTENSIONS_MAX)
			return "more than 32 extensions";
		if (seen_before(list, from, oid))
			return "an extension that occurs twice";
		if (!read_extension(c, oid, critical, value.body))
			return "the contents of an extension";
	}
	return NULL;
}

/* NULL, or the part that is malformed. */
static const char *read_cert(struct slice der, struct cert *c)
{
	struct buf b = der_buf(der);
	struct buf outer = der_enter(&b, DER_SEQUENCE);
	uint32_t version = 0;
	struct der e, inner_alg, outer_alg;
	struct buf t, v;

	if (!der_get(&outer, DER_SEQUENCE, &e))
		return "outer structure";
	c->tbs = e.raw;
	t = der_buf(e.body);
	v = outer;
	if (!der_get(&outer, DER_SEQUENCE, &outer_alg))
		return "signature algorithm";
	c->sig_alg = alg_read(&v);
	c->signature = der_bits(&outer);
	if (v.bad || !der_end(&outer) || !der_end(&b))
		return "outer structure";
	if (der_optional(&t, DER_CTX_CONS(0), &e)) {
		v = der_buf(e.body);
		version = der_u31(&v);
		/* DER leaves the default, 0, out. */
		if (!der_end(&v) || version < 1 || version > 2)
			return "version";
	}
	c->serial = der_integer(&t);
	if (!der_get(&t, DER_SEQUENCE, &inner_alg))
		return "serial number";
	if (!slice_same(inner_alg.raw, outer_alg.raw))
		return "two different signature algorithms";
	if (!der_get(&t, DER_SEQUENCE, &e))
		return "issuer";
	c->issuer = e.raw;
	v = der_enter(&t, DER_SEQUENCE);
	c->not_before = der_time(&v);
	c->not_after = der_time(&v);
	if (!der_end(&v))
		return "validity";
	if (!der_get(&t, DER_SEQUENCE, &e))
		return "subject";
	c->subject = e.raw;
	c->spki = key_read(&t, &c->key);
	if (t.bad)
		return "public key";
	if (version >= 1) {
		(void)der_optional(&t, DER_CTX(1), &e);
		(void)der_optional(&t, DER_CTX(2), &e);
	}
	if (version == 2 && buf_left(&t) > 0) {
		const char *what = read_extensions(&t, c);

		if (what)
			return what;
	}
	return der_end(&t) ? NULL : "data behind the last field";
}

int x509_parse(struct slice der, struct cert *c, struct diag *d)
{
	const char *what;

	memset(c, 0, sizeof *c);
	c->der = der;
	what = read_cert(der, c);
	if (!what)
		return 0;
	memset(c, 0, sizeof *c);
	return diag_fail(d, R_CERT_SYNTAX,
	    "certificate of %zu bytes: malformed: %s", der.len, what);
}

bool x509_names_issuer(const struct cert *c, const struct cert *issuer)
{
	if (!slice_same(c->issuer, issuer->subject))
		return false;
	if (c->aki.len > 0 && issuer->ski.len > 0 &&
	    !slice_same(c->aki, issuer->ski))
		return false;
	return c->aki_serial.len == 0 ||
	       slice_same(c->aki_serial, issuer->serial);
}

int x509_check_key(const struct cert *c, struct diag *d)
{
	char name[80], alg[ALG_TEXT];

	if (c->key.type != KEY_UNKNOWN)
		return 0;
	name_text(name, sizeof name, c->subject);
	alg_text(alg, &c->key.alg);
	return diag_fail(d, R_CERT_KEY, "the key of \"%s\" is %s, %u bits",
	    name, alg, c->key.bits);
}

int x509_check_signature(
    const struct cert *c, const struct cert *issuer, struct diag *d)
{
	const struct alg *a = &c->sig_alg;
	char name[80], alg[ALG_TEXT];
	uint8_t digest[HASH_MAX];
	int r = x509_check_key(issuer, d);

	if (r)
		return r;
	name_text(name, sizeof name, c->subject);
	if (a->hash == HASH_NONE || a->key == KEY_UNKNOWN ||
	    !alg_plain(a, a->key == KEY_RSA)) {
		alg_text(alg, a);
		return diag_fail(
		    d, R_CERT_ALGORITHM, "\"%s\" is signed with %s", name, alg);
	}
	hash_two(a->hash, c->tbs, (struct slice){"", 0}, digest);
	if (a->key == issuer->key.type &&
	    key_verify(&issuer->key, a->hash, digest, c->signature))
		return 0;
	return diag_fail(d, R_CERT_SIGNATURE,
	    "\"%s\" names an issuer in the keyring or bundle whose key did not "
	    "sign it",
	    name);
}

/* One attribute of a Name: its type and its value. */
static bool next_attribute(struct buf *rdn, struct slice *type, struct der *v)
{
	struct buf seq = der_enter(rdn, DER_SEQUENCE);

	*type = der_oid(&seq);
	return der_next(&seq, v) && der_end(&seq);
}

struct text {
	char *p;
	size_t cap, len;
};

static void text_add(struct text *t, const char *s)
{
	t->len += fmt(t->p + t->len, t->cap - t->len, "%s", s);
}

static void text_type(struct text *t, struct slice oid)
{
	static const struct {
		uint8_t id;
		char name[3];
	} short_names[] = {
	    {3, "CN"}, {6, "C"}, {7, "L"}, {8, "ST"}, {10, "O"}, {11, "OU"}};
	char number[OID_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(short_names); i++) {
		const char id[] = {0x55, 0x04, (char)short_names[i].id};

		if (oid_is(oid, id, 3)) {
			text_add(t, short_names[i].name);
			return;
		}
	}
	oid_text(number, oid);
	text_add(t, number);
}

static void text_value(struct text *t, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = (uint8_t)s.p[i];
		char out[4] = {(char)c, '\0'};

		if (c < 0x20 || c > 0x7e)
			fmt(out, sizeof out, "\\%02x", c);
		else if (memchr(",+\"\\<>;", c, 7))
			fmt(out, sizeof out, "\\%c", c);
		text_add(t, out);
	}
}

void name_text(char *dst, size_t cap, struct slice name)
{
	struct text t = {dst, cap, 0};
	struct buf b = der_buf(name);
	struct buf rdns = der_enter(&b, DER_SEQUENCE);
	unsigned n = 0;
	struct der e;

	dst[0] = '\0';
	for (struct buf count = rdns;
	     buf_left(&count) > 0 && der_next(&count, &e);)
		n++;
	/* From the last to the first, as RFC 2253 has it. */
	for (; n > 0 && t.len + 1 < cap; n--) {
		struct buf walk = rdns, set;
		struct slice type;
		struct der v;

		for (unsigned i = 0; i < n; i++)
			(void)der_next(&walk, &e);
		set = der_buf(e.body);
		while (next_attribute(&set, &type, &v)) {
			text_type(&t, type);
			text_add(&t, "=");
			text_value(&t, v.body);
			if (buf_left(&set) == 0)
				break;
			text_add(&t, "+");
		}
		if (n > 1)
			text_add(&t, ",");
	}
}

bool name_cn(struct slice name, struct slice *cn)
{
	struct buf b = der_buf(name);
	struct buf rdns = der_enter(&b, DER_SEQUENCE);
	struct slice type;
	struct der v;

	*cn = (struct slice){"", 0};
	while (buf_ok(&rdns) && buf_left(&rdns) > 0) {
		struct buf set = der_enter(&rdns, DER_SET);

		while (buf_left(&set) > 0 && next_attribute(&set, &type, &v)) {
			if (!oid_is(type, "\x55\x04\x03", 3))
				continue;
			if (v.tag != DER_UTF8 && v.tag != DER_PRINTABLE &&
			    v.tag != DER_IA5)
				return false;
			for (size_t i = 0; i < v.body.len; i++)
				if ((uint8_t)v.body.p[i] < 0x20 ||
				    v.body.p[i] == 0x7f)
					return false;
			*cn = v.body;
			return true;
		}
	}
	return false;
}

int cert_describe(struct slice der, struct cert_view *v, struct diag *d)
{
	uint8_t digest[HASH_MAX];
	struct cert c;
	int r = x509_parse(der, &c, d);

	memset(v, 0, sizeof *v);
	if (r)
		return r;
	name_text(v->subject, sizeof v->subject, c.subject);
	name_text(v->issuer, sizeof v->issuer, c.issuer);
	v->not_before = c.not_before;
	v->not_after = c.not_after;
	hash_two(HASH_SHA256, c.spki, (struct slice){"", 0}, digest);
	memcpy(v->spki_sha256, digest, sizeof v->spki_sha256);
	return 0;
}
