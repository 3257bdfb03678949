/* SPDX-License-Identifier: 0BSD */
#include "bundle/x509.h"

#include "base/fmt.h"
#include "bundle/trust.h"

#define EXTENSIONS_MAX 32

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
	uint8_t unused = buf_u8(&bits), last = buf_u8(&bits);

	c->has_ku = true;
	c->ku = last;
	if (buf_left(&bits) > 0) /* decipherOnly */
		last = buf_u8(&bits);
	/* OpenSSL refuses one that allows nothing. */
	if (unused > 7 || (uint8_t)(last << (8 - unused)) || !der_end(&bits) ||
	    (c->ku | last) == 0)
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

/* One attribute of a Name: its type and its value. */
static bool next_attribute(struct buf *rdn, struct slice *type, struct der *v)
{
	struct buf seq = der_enter(rdn, DER_SEQUENCE);

	*type = der_oid(&seq);
	return der_next(&seq, v) && der_end(&seq);
}

/* What the parts of a Name may be. */
#define NAME_STRINGS \
	(1u << DER_UTF8 | 1u << DER_NUMERIC | 1u << DER_PRINTABLE | \
	    1u << DER_T61 | 1u << DER_IA5)

/* The parts of a Name that stand together: one at least. */
static void read_attributes(struct buf *b, uint8_t tag)
{
	struct buf set = der_enter(b, tag);
	struct slice type;
	struct der v;

	do {
		b->bad |= !next_attribute(&set, &type, &v) || v.tag > 31 ||
		          !(NAME_STRINGS & 1u << v.tag);
	} while (!b->bad && buf_left(&set) > 0);
}

struct slice name_read(struct buf *b)
{
	struct buf rdns;
	struct der e;

	(void)der_get(b, DER_SEQUENCE, &e);
	rdns = der_buf(e.body);
	while (buf_left(&rdns) > 0 && buf_ok(&rdns))
		read_attributes(&rdns, DER_SET);
	b->bad |= rdns.bad;
	return e.raw;
}

/* GeneralNames with this tag, of the kinds that certificates have. */
static void read_general_names(struct buf *b, uint8_t tag)
{
	struct buf names = der_enter(b, tag), v;
	struct der e;

	while (buf_left(&names) > 0 && der_next(&names, &e)) {
		/* mail, host, URI, address: any octets */
		if (e.tag == DER_CTX(1) || e.tag == DER_CTX(2) ||
		    e.tag == DER_CTX(6) || e.tag == DER_CTX(7))
			continue;
		v = der_buf(e.body);
		if (e.tag == DER_CTX_CONS(4)) {
			(void)name_read(&v);
		} else { /* otherName, the last that is read */
			struct buf any;

			names.bad |= e.tag != DER_CTX_CONS(0);
			(void)der_oid(&v);
			any = der_enter(&v, DER_CTX_CONS(0));
			(void)der_next(&any, &e);
			names.bad |= !der_end(&any);
		}
		names.bad |= !der_end(&v);
	}
	b->bad |= names.bad;
}

/* A BIT STRING with this tag, if there is one. */
static void skip_bits(struct buf *b, uint8_t tag)
{
	struct der e;

	if (der_optional(b, tag, &e) && !der_bits_ok(e.body))
		b->bad = true;
}

/* Nothing here asks a distribution point; it has to be one all the same. */
static void read_distribution_points(struct buf *v)
{
	struct buf list = der_enter(v, DER_SEQUENCE), point, name;
	struct der e;

	while (buf_left(&list) > 0 && buf_ok(&list)) {
		point = der_enter(&list, DER_SEQUENCE);
		if (der_optional(&point, DER_CTX_CONS(0), &e)) {
			name = der_buf(e.body);
			if (der_is(&name, DER_CTX_CONS(1)))
				read_attributes(&name, DER_CTX_CONS(1));
			else
				read_general_names(&name, DER_CTX_CONS(0));
			list.bad |= !der_end(&name);
		}
		skip_bits(&point, DER_CTX(1));
		if (der_is(&point, DER_CTX_CONS(2)))
			read_general_names(&point, DER_CTX_CONS(2));
		list.bad |= !der_end(&point);
	}
	v->bad |= list.bad;
}

struct authority_key authority_key_read(struct buf *v)
{
	struct buf seq = der_enter(v, DER_SEQUENCE);
	struct authority_key a = {0};
	struct buf names, name;
	struct der e;

	if (der_optional(&seq, DER_CTX(0), &e))
		a.id = e.body;
	if (der_optional(&seq, DER_CTX_CONS(1), &e)) {
		names = der_buf(e.body);
		while (buf_left(&names) > 0 && der_next(&names, &e)) {
			if (e.tag != DER_CTX_CONS(4))
				continue;
			name = der_buf(e.body);
			(void)name_read(&name);
			names.bad |= !der_end(&name);
			if (a.issuer.len == 0)
				a.issuer = e.body;
		}
		if (!der_end(&names))
			v->bad = true;
	}
	if (der_optional(&seq, DER_CTX(2), &e))
		a.serial = e.body;
	if (!der_end(&seq))
		v->bad = true;
	return a;
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
		bool pkix =
		    oid.len == 8 &&
		    memcmp(oid.p, "\x2b\x06\x01\x05\x05\x07\x01", 7) == 0;

		/* netscape-cert-type, the addresses and numbers of networks
		 * (RFC 3779), and proxyCertInfo restrict */
		if (critical ||
		    oid_is(oid, "\x60\x86\x48\x01\x86\xf8\x42\x01\x01", 9) ||
		    (pkix && memchr("\x07\x08\x0e", oid.p[7], 3)))
			c->unhandled = oid;
		return true;
	}
	switch (oid.p[2]) {
	case 14: /* subjectKeyIdentifier */
		(void)der_get(&v, DER_OCTET_STRING, &e);
		c->ski = e.body;
		break;
	case 15:
		understood = true;
		read_key_usage(&v, c);
		break;
	case 17: /* subjectAltName: nothing here asks for it */
		understood = true;
		read_general_names(&v, DER_SEQUENCE);
		break;
	case 31:
		read_distribution_points(&v);
		break;
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
		c->aki = authority_key_read(&v);
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

const char *extension_next(
    struct buf *list, struct slice *oid, bool *critical, struct slice *value)
{
	size_t from = list->pos;
	struct buf seq = der_enter(list, DER_SEQUENCE);
	struct der e;

	*oid = der_oid(&seq);
	*critical = false;
	if (der_is(&seq, DER_BOOLEAN))
		*critical = der_boolean(&seq);
	if (!der_get(&seq, DER_OCTET_STRING, &e) || !der_end(&seq))
		return "extension";
	*value = e.body;
	if (seen_before(*list, from, *oid))
		return "an extension that occurs twice";
	return NULL;
}

/* NULL, or what is wrong. */
static const char *read_extensions(struct buf *tbs, struct cert *c)
{
	struct buf outer = der_enter(tbs, DER_CTX_CONS(3));
	struct buf list = der_enter(&outer, DER_SEQUENCE);
	struct slice oid, value;
	unsigned n = 0;
	bool critical;

	if (!der_end(&outer) || buf_left(&list) == 0)
		return "extensions";
	while (buf_left(&list) > 0) {
		const char *what =
		    extension_next(&list, &oid, &critical, &value);

		if (what)
			return what;
		if (++n > EXTENSIONS_MAX)
			return "more than 32 extensions";
		if (!read_extension(c, oid, critical, value))
			return "the contents of an extension";
	}
	return NULL;
}

struct buf x509_unwrap(struct slice der, struct x509_signed *s)
{
	struct buf b = der_buf(der);
	struct buf outer = der_enter(&b, DER_SEQUENCE);
	struct der e;
	struct buf tbs, alg;

	(void)der_get(&outer, DER_SEQUENCE, &e);
	s->tbs = e.raw;
	tbs = der_buf(e.body);
	(void)der_get(&outer, DER_SEQUENCE, &e);
	s->alg_raw = e.raw;
	alg = der_buf(e.raw);
	s->alg = alg_read(&alg);
	s->value = der_bits(&outer);
	tbs.bad = alg.bad || !der_end(&outer) || !der_end(&b);
	return tbs;
}

/* NULL, or the part that is malformed. */
static const char *read_cert(struct slice der, struct cert *c)
{
	struct buf t = x509_unwrap(der, &c->sig);
	uint32_t version = 0;
	struct der e;
	struct buf v;

	if (t.bad)
		return "outer structure";
	if (der_optional(&t, DER_CTX_CONS(0), &e)) {
		v = der_buf(e.body);
		version = der_u31(&v);
		/* DER leaves the default, 0, out. */
		if (!der_end(&v) || version < 1 || version > 2)
			return "version";
	}
	c->serial = der_integer(&t);
	if (!der_get(&t, DER_SEQUENCE, &e))
		return "serial number";
	if (!slice_same(e.raw, c->sig.alg_raw))
		return "two different signature algorithms";
	c->issuer = name_read(&t);
	if (t.bad)
		return "issuer";
	v = der_enter(&t, DER_SEQUENCE);
	c->not_before = der_time(&v);
	c->not_after = der_time(&v);
	if (!der_end(&v))
		return "validity";
	c->subject = name_read(&t);
	if (t.bad)
		return "subject";
	c->spki = key_read(&t, &c->key);
	if (t.bad)
		return "public key";
	if (version >= 1) {
		skip_bits(&t, DER_CTX(1));
		skip_bits(&t, DER_CTX(2));
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
	if (!what && !der_sound(der))
		what = "an element that is not DER";
	if (!what)
		return 0;
	memset(c, 0, sizeof *c);
	return diag_fail(d, R_CERT_SYNTAX,
	    "certificate of %zu bytes: malformed: %s", der.len, what);
}

bool x509_names_issuer(struct slice name, const struct authority_key *aki,
    const struct cert *issuer)
{
	if (!slice_same(name, issuer->subject))
		return false;
	if (aki->id.p && issuer->ski.p && !slice_same(aki->id, issuer->ski))
		return false;
	if (aki->issuer.len > 0 && !slice_same(aki->issuer, issuer->issuer))
		return false;
	return !aki->serial.p || slice_same(aki->serial, issuer->serial);
}

bool x509_self_signed(const struct cert *c)
{
	enum key_type by = c->sig.alg.key;

	/* A root is trusted for being there: with what it signed itself, and
	 * be it SHA-1, does not matter. */
	return x509_names_issuer(c->issuer, &c->aki, c) &&
	       (by == KEY_UNKNOWN || by == c->key.alg.key);
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

int x509_check_signature(const struct x509_signed *s, struct slice subject,
    const struct cert *issuer, struct diag *d)
{
	const struct alg *a = &s->alg;
	char name[80], alg[ALG_TEXT];
	uint8_t digest[HASH_MAX];
	int r = x509_check_key(issuer, d);

	if (r)
		return r;
	name_text(name, sizeof name, subject);
	if (a->hash == HASH_NONE || a->key == KEY_UNKNOWN ||
	    !alg_plain(a, a->key == KEY_RSA)) {
		alg_text(alg, a);
		return diag_fail(
		    d, R_CERT_ALGORITHM, "\"%s\" is signed with %s", name, alg);
	}
	(void)hash_two(a->hash, s->tbs, (struct slice){"", 0}, digest);
	if (key_verify(&issuer->key, a, a->hash, digest, s->value))
		return 0;
	return diag_fail(d, R_CERT_SIGNATURE,
	    "\"%s\" names an issuer in the keyring or bundle whose key did not "
	    "sign it",
	    name);
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
