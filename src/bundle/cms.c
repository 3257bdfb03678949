/* SPDX-License-Identifier: 0BSD */
/*
 * CMS SignedData as RAUC makes it (RFC 5652): inline content of type data,
 * one signer, signed attributes, strict DER. Everything else is refused with
 * a reason of its own, before any of it is believed.
 */
#include "bundle/path.h"

#define CMS_CERTS 32      /* certificates that are looked at */
#define CMS_DIGESTS 8     /* entries of digestAlgorithms */
#define CMS_ATTRIBUTES 32 /* signed attributes */

#define PKCS9 "\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define PKCS7 "\x2a\x86\x48\x86\xf7\x0d\x01\x07"

struct cms {
	struct slice all;
	uint32_t version;
	struct slice digests;      /* contents of the SET */
	struct slice content_type; /* OID */
	bool has_content;
	struct slice content;
	bool other_certs; /* of another kind than X.509 */
	unsigned count;
	struct slice cert[CMS_CERTS];
	struct slice signer; /* contents of the one SignerInfo */
	/* of it: */
	bool by_key_id;
	struct slice issuer;         /* whole TLV */
	struct slice serial, key_id; /* contents */
	struct alg digest_alg, sig_alg;
	struct slice attrs; /* whole TLV, with its IMPLICIT tag */
	struct slice signature;
	struct slice digest; /* messageDigest attribute */
	bool has_time;
	int64_t time; /* signingTime attribute */
};

static bool oid_is(struct slice oid, const char *prefix, uint8_t last)
{
	return oid.len == 9 && memcmp(oid.p, prefix, 8) == 0 &&
	       (uint8_t)oid.p[8] == last;
}

static int malformed(const struct cms *m, const char *what, struct diag *d)
{
	if (der_is_ber(m->all))
		return diag_fail(d, R_CMS_BER,
		    "the signature is BER (indefinite length or constructed "
		    "string), expected DER");
	return diag_fail(d, R_CMS_SYNTAX, "malformed: %s", what);
}

static int wrong_type(struct slice oid, const char *where, struct diag *d)
{
	char text[OID_TEXT];

	oid_text(text, oid);
	return diag_fail(d, R_CMS_TYPE, "%s is %s", where, text);
}

/* X.509 certificates of the SET; other choices are passed over. */
static int read_certs(struct cms *m, struct slice set, struct diag *d)
{
	struct buf b = der_buf(set);
	struct der e;

	while (buf_left(&b) > 0) {
		if (!der_next(&b, &e))
			return malformed(m, "certificates", d);
		if (e.tag != DER_SEQUENCE) {
			m->other_certs = true;
			continue;
		}
		if (m->count == CMS_CERTS)
			return diag_fail(d, R_LIMIT,
			    "more than %u certificates in the signature",
			    CMS_CERTS);
		m->cert[m->count++] = e.raw;
	}
	return 0;
}

static int read_signed_data(struct cms *m, struct buf *sd, struct diag *d)
{
	struct der digests, certs, e, signers;
	struct buf info, v, list;
	unsigned n = 0;
	int r;

	m->version = der_u31(sd);
	(void)der_get(sd, DER_SET, &digests);
	m->digests = digests.body;
	info = der_enter(sd, DER_SEQUENCE);
	m->content_type = der_oid(&info);
	if (der_optional(&info, DER_CTX_CONS(0), &e)) {
		v = der_buf(e.body);
		m->has_content = der_get(&v, DER_OCTET_STRING, &e);
		m->content = e.body;
		if (!der_end(&v))
			return malformed(m, "encapsulated content", d);
	}
	if (!der_end(&info))
		return malformed(m, "encapsulated content", d);
	(void)der_optional(sd, DER_CTX_CONS(0), &certs);
	(void)der_optional(sd, DER_CTX_CONS(1), &e);
	(void)der_get(sd, DER_SET, &signers);
	if (!der_end(sd))
		return malformed(m, "SignedData", d);
	if (!oid_is(m->content_type, PKCS7, 1))
		return wrong_type(m->content_type, "the signed content", d);
	if (!m->has_content)
		return diag_fail(d, R_CMS_DETACHED,
		    "a detached signature, as of format=plain");
	if (certs.raw.len > 0) {
		r = read_certs(m, certs.body, d);
		if (r)
			return r;
	}
	list = der_buf(signers.body);
	while (buf_left(&list) > 0) {
		if (!der_get(&list, DER_SEQUENCE, &e))
			return malformed(m, "SignerInfos", d);
		m->signer = e.body;
		n++;
	}
	if (n != 1)
		return diag_fail(d, R_CMS_SIGNERS, "%u signers, expected 1", n);
	return 0;
}

static int read_content_info(struct cms *m, struct diag *d)
{
	struct buf b = der_buf(m->all);
	struct buf outer = der_enter(&b, DER_SEQUENCE);
	struct slice type = der_oid(&outer);
	struct buf inner, sd;

	if (!buf_ok(&outer))
		return malformed(m, "ContentInfo", d);
	if (buf_left(&b) > 0)
		return diag_fail(d, R_CMS_SYNTAX,
		    "%zu bytes between the signature and its size",
		    buf_left(&b));
	/* enveloped-data, and authEnvelopedData by its prefix smime-ct */
	if (oid_is(type, PKCS7, 3) ||
	    (type.len == 11 && memcmp(type.p, PKCS9 "\x10\x01\x17", 11) == 0))
		return diag_fail(d, R_CMS_ENCRYPTED,
		    "an encrypted signature, as of format=crypt");
	if (!oid_is(type, PKCS7, 2))
		return wrong_type(type, "the signature", d);
	inner = der_enter(&outer, DER_CTX_CONS(0));
	sd = der_enter(&inner, DER_SEQUENCE);
	if (!der_end(&outer) || !der_end(&inner))
		return malformed(m, "ContentInfo", d);
	return read_signed_data(m, &sd, d);
}

static int read_signer(struct cms *m, struct diag *d)
{
	struct buf b = der_buf(m->signer);
	uint32_t version = der_u31(&b);
	struct der e, attrs;
	uint32_t want;

	m->by_key_id = der_optional(&b, DER_CTX(0), &e);
	if (m->by_key_id) {
		m->key_id = e.body;
	} else {
		struct buf sid = der_enter(&b, DER_SEQUENCE);

		(void)der_get(&sid, DER_SEQUENCE, &e);
		m->issuer = e.raw;
		m->serial = der_integer(&sid);
		if (!der_end(&sid))
			return malformed(m, "signer identifier", d);
	}
	m->digest_alg = alg_read(&b);
	(void)der_optional(&b, DER_CTX_CONS(0), &attrs);
	m->attrs = attrs.raw;
	m->sig_alg = alg_read(&b);
	(void)der_get(&b, DER_OCTET_STRING, &e);
	m->signature = e.body;
	/* Unsigned attributes: nobody vouches for them, nobody reads them. */
	(void)der_optional(&b, DER_CTX_CONS(1), &e);
	if (!der_end(&b))
		return malformed(m, "SignerInfo", d);
	want = m->by_key_id ? 3 : 1;
	if (version != want ||
	    (m->other_certs ? m->version < 3 || m->version > 5
	                    : m->version != want))
		return diag_fail(d, R_CMS_VERSION,
		    "SignedData version %u, SignerInfo version %u, expected %u",
		    (unsigned)m->version, (unsigned)version, (unsigned)want);
	if (m->attrs.len == 0)
		return diag_fail(d, R_CMS_NO_ATTRS,
		    "the signature has no signed attributes");
	return 0;
}

static int bad_attrs(const char *what, struct diag *d)
{
	return diag_fail(d, R_CMS_ATTRS, "signed attributes: %s", what);
}

static int read_attributes(struct cms *m, struct diag *d)
{
	struct buf outer = der_buf(m->attrs);
	struct buf list = der_enter(&outer, DER_CTX_CONS(0));
	bool has_type = false, has_digest = false;
	struct der e;

	for (unsigned n = 0; buf_left(&list) > 0; n++) {
		struct buf attr = der_enter(&list, DER_SEQUENCE);
		struct slice oid = der_oid(&attr);
		struct buf set = der_enter(&attr, DER_SET);

		if (!der_end(&attr))
			return malformed(m, "signed attributes", d);
		if (n == CMS_ATTRIBUTES)
			return diag_fail(d, R_LIMIT,
			    "more than %u signed attributes", CMS_ATTRIBUTES);
		if (oid_is(oid, PKCS9, 3)) {
			struct slice type = der_oid(&set);

			if (has_type || !der_end(&set))
				return bad_attrs("contentType is not one", d);
			if (!slice_same(type, m->content_type))
				return bad_attrs(
				    "contentType is not that of the content",
				    d);
			has_type = true;
		} else if (oid_is(oid, PKCS9, 4)) {
			(void)der_get(&set, DER_OCTET_STRING, &e);
			if (has_digest || !der_end(&set))
				return bad_attrs("messageDigest is not one", d);
			m->digest = e.body;
			has_digest = true;
		} else if (oid_is(oid, PKCS9, 5)) {
			m->time = der_time(&set);
			if (m->has_time || !der_end(&set))
				return bad_attrs(
				    "signingTime is not one valid time", d);
			m->has_time = true;
		}
	}
	if (!has_type)
		return bad_attrs("contentType is missing", d);
	if (!has_digest)
		return bad_attrs("messageDigest is missing", d);
	return 0;
}

static int bad_alg(const char *where, const struct alg *a, struct diag *d)
{
	char text[ALG_TEXT];

	alg_text(text, a);
	return diag_fail(d, R_CMS_ALGORITHM, "%s is %s", where, text);
}

static int check_algorithms(const struct cms *m, struct diag *d)
{
	const struct alg *a = &m->sig_alg;
	struct buf list = der_buf(m->digests);
	bool listed = false;

	if (m->digest_alg.hash == HASH_NONE ||
	    m->digest_alg.key != KEY_UNKNOWN ||
	    !alg_plain(&m->digest_alg, true))
		return bad_alg("the digest algorithm", &m->digest_alg, d);
	/* rsaEncryption leaves the digest to digestAlgorithm. */
	if (a->key == KEY_UNKNOWN || !alg_plain(a, a->key == KEY_RSA) ||
	    (a->hash == HASH_NONE && a->key != KEY_RSA))
		return bad_alg("the signature algorithm", a, d);
	if (a->hash != HASH_NONE && a->hash != m->digest_alg.hash)
		return bad_alg(
		    "the digest differs from that of the signature", a, d);
	for (unsigned n = 0; buf_left(&list) > 0; n++) {
		struct alg one = alg_read(&list);

		if (!buf_ok(&list))
			return malformed(m, "digestAlgorithms", d);
		if (n == CMS_DIGESTS)
			return diag_fail(d, R_LIMIT,
			    "more than %u digest algorithms", CMS_DIGESTS);
		if (slice_same(one.oid, m->digest_alg.oid))
			listed = true;
	}
	if (!listed)
		return bad_alg("digestAlgorithms lacks the signer's, which",
		    &m->digest_alg, d);
	return 0;
}

/* The signer's certificate among those of the CMS: it must be there, being in
 * the keyring is not enough. None of the others may be malformed either. */
static int find_signer(const struct cms *m, struct cert *c, struct diag *d)
{
	unsigned found = m->count;

	for (unsigned i = m->count; i-- > 0;) {
		int r = x509_parse(m->cert[i], c, d);

		if (r)
			return r;
		if (m->by_key_id
		        ? c->ski.len > 0 && slice_same(c->ski, m->key_id)
		        : slice_same(c->issuer, m->issuer) &&
		              slice_same(c->serial, m->serial))
			found = i;
	}
	if (found < m->count)
		return x509_parse(m->cert[found], c, d);
	return diag_fail(d, R_CMS_NO_CERT,
	    "the signer's is not among the %u certificates in the signature",
	    m->count);
}

static int check_signature(
    const struct cms *m, const struct cert *c, struct diag *d)
{
	enum hash_id id = m->digest_alg.hash;
	uint8_t digest[HASH_MAX];
	size_t len = hash_two(id, m->content, (struct slice){"", 0}, digest);
	int r;

	if (!slice_same(m->digest, (struct slice){(const char *)digest, len}))
		return diag_fail(d, R_CMS_DIGEST,
		    "the signed manifest does not have the digest that was "
		    "signed");
	r = x509_check_key(c, d);
	if (r)
		return r;
	/* Signed is the SET OF that the IMPLICIT tag stands for. */
	hash_two(id, (struct slice){"\x31", 1},
	    (struct slice){m->attrs.p + 1, m->attrs.len - 1}, digest);
	if (c->key.type != m->sig_alg.key)
		return bad_alg(
		    "the signer's key is of another kind: it", &c->key.alg, d);
	if (!key_verify(&c->key, id, digest, m->signature))
		return diag_fail(d, R_CMS_SIGNATURE,
		    "the signature does not belong to this manifest and the "
		    "signer's key");
	return 0;
}

static int check_cn(
    const struct trust_policy *policy, struct slice subject, struct diag *d)
{
	char name[96];
	struct slice cn;

	if (policy->cns == 0)
		return 0;
	if (name_cn(subject, &cn))
		for (unsigned i = 0; i < policy->cns && i < TRUST_CNS; i++)
			if (slice_is(cn, policy->cn[i]))
				return 0;
	name_text(name, sizeof name, subject);
	return diag_fail(d, R_CERT_CN,
	    "signed by \"%s\", allowed-signer-cns allows \"%s\"%s", name,
	    policy->cn[0], policy->cns > 1 ? " and others" : "");
}

static int judged_at(const struct cms *m, const struct trust_policy *policy,
    int64_t *now, struct diag *d)
{
	if (policy->time == TIME_CLOCK) {
		*now =
		    policy->now > policy->floor ? policy->now : policy->floor;
		return 0;
	}
	*now = m->time;
	if (m->has_time)
		return 0;
	return bad_attrs("use-bundle-signing-time needs a signingTime", d);
}

static int verify(struct cms *m, const struct keyring *k,
    const struct trust_policy *policy, struct cert *c, struct signer *who,
    struct diag *d)
{
	int64_t now;
	int r = read_content_info(m, d);

	if (!r)
		r = read_signer(m, d);
	if (!r)
		r = read_attributes(m, d);
	if (!r)
		r = check_algorithms(m, d);
	if (!r)
		r = find_signer(m, c, d);
	if (!r)
		r = check_signature(m, c, d);
	if (!r)
		r = judged_at(m, policy, &now, d);
	if (!r)
		r = path_search(c->der, k, m->cert, m->count, policy, now,
		    who->chain, &who->chain_len, d);
	if (!r)
		r = check_cn(policy, c->subject, d);
	return r;
}

int cms_verify(const uint8_t *cms, size_t len, const struct keyring *k,
    const struct trust_policy *policy, struct slice *content,
    struct signer *who, struct diag *d)
{
	struct cms m = {.all = {(const char *)cms, len}};
	struct slice cn;
	struct cert c;
	int r;

	*content = (struct slice){"", 0};
	memset(who, 0, sizeof *who);
	r = verify(&m, k, policy, &c, who, d);
	if (r) {
		memset(who, 0, sizeof *who);
		return r;
	}
	who->cert = c.der;
	name_text(who->subject, sizeof who->subject, c.subject);
	name_text(who->issuer, sizeof who->issuer, c.issuer);
	/* One that is too long is left out, not cut. */
	if (name_cn(c.subject, &cn) && !slice_copy(who->cn, sizeof who->cn, cn))
		who->cn[0] = '\0';
	who->has_time = m.has_time;
	who->signing_time = m.time;
	*content = m.content;
	return 0;
}
