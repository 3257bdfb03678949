/* SPDX-License-Identifier: 0BSD */
/*
 * CMS SignedData as RAUC makes it (RFC 5652): content of type data, signed
 * attributes, strict DER. Everything else is refused with a reason of its own,
 * before any of it is believed.
 */
#include "bundle/path.h"
#include "options.h"

#define CMS_CERTS 32      /* certificates that are looked at */
#define CMS_DIGESTS 8     /* entries of digestAlgorithms */
#define CMS_ATTRIBUTES 32 /* signed attributes */

#define PKCS9 "\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define PKCS7 "\x2a\x86\x48\x86\xf7\x0d\x01\x07"

/* One SignerInfo. */
struct signer_info {
	bool by_key_id;
	struct slice issuer;         /* whole TLV */
	struct slice serial, key_id; /* contents */
	struct alg digest_alg, sig_alg;
	struct slice attrs;          /* whole TLV, with its IMPLICIT tag */
	struct slice unsigned_attrs; /* contents: nobody vouches for them */
	struct slice signature;
	struct slice digest; /* messageDigest attribute */
	bool has_time;
	int64_t time; /* signingTime attribute */
};

struct cms {
	struct slice all;
	uint32_t version;
	struct slice digests;      /* contents of the SET */
	struct slice content_type; /* OID */
	bool has_content;
	struct slice content;
	/* not NULL: the content stands elsewhere, and these are its digests */
	struct content_digest *detached;
	unsigned count;
	struct slice cert[CMS_CERTS];
	unsigned signers;
	bool key_ids;                     /* of one of them at least */
	struct slice signer[SIGNERS_MAX]; /* contents of each SignerInfo */
};

static bool pkcs_is(struct slice oid, const char *prefix, uint8_t last)
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

/* The certificates of the SET, all X.509: other choices, which nobody makes,
 * would be bytes that nobody reads. */
static int read_certs(struct cms *m, struct slice set, struct diag *d)
{
	struct buf b = der_buf(set);
	struct der e;

	while (buf_left(&b) > 0) {
		if (!der_get(&b, DER_SEQUENCE, &e))
			return malformed(m, "certificates", d);
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
	struct buf info, v, list, one;
	bool crls;
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
	crls = der_optional(sd, DER_CTX_CONS(1), &e);
	(void)der_get(sd, DER_SET, &signers);
	if (!der_end(sd))
		return malformed(m, "SignedData", d);
	if (crls)
		return diag_fail(d, R_CRL_BAD,
		    "the signature brings CRLs along: only those of the "
		    "keyring count");
	if (!pkcs_is(m->content_type, PKCS7, 1))
		return wrong_type(m->content_type, "the signed content", d);
	if (certs.raw.len > 0) {
		r = read_certs(m, certs.body, d);
		if (r)
			return r;
	}
	list = der_buf(signers.body);
	while (buf_left(&list) > 0) {
		if (!der_get(&list, DER_SEQUENCE, &e))
			return malformed(m, "SignerInfos", d);
		if (m->signers == SIGNERS_MAX)
			return diag_fail(
			    d, R_LIMIT, "more than %u signers", SIGNERS_MAX);
		m->signer[m->signers++] = e.body;
		one = der_buf(e.body);
		(void)der_u31(&one);
		m->key_ids |= der_is(&one, DER_CTX(0));
	}
	if (m->signers == 0)
		return diag_fail(d, R_CMS_SIGNERS, "0 signers");
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
	if (pkcs_is(type, PKCS7, 3) ||
	    (type.len == 11 && memcmp(type.p, PKCS9 "\x10\x01\x17", 11) == 0))
		return diag_fail(d, R_CMS_ENCRYPTED,
		    "an encrypted signature, as of format=crypt");
	if (!pkcs_is(type, PKCS7, 2))
		return wrong_type(type, "the signature", d);
	inner = der_enter(&outer, DER_CTX_CONS(0));
	sd = der_enter(&inner, DER_SEQUENCE);
	if (!der_end(&outer) || !der_end(&inner) || !der_sound(m->all))
		return malformed(m, "ContentInfo", d);
	return read_signed_data(m, &sd, d);
}

static int read_signer(
    const struct cms *m, unsigned i, struct signer_info *si, struct diag *d)
{
	struct buf b = der_buf(m->signer[i]);
	uint32_t version = der_u31(&b);
	uint32_t all = m->key_ids ? 3 : 1, want;
	struct der e, attrs;

	memset(si, 0, sizeof *si);
	si->by_key_id = der_optional(&b, DER_CTX(0), &e);
	if (si->by_key_id) {
		si->key_id = e.body;
	} else {
		struct buf sid = der_enter(&b, DER_SEQUENCE);

		si->issuer = name_read(&sid);
		si->serial = der_integer(&sid);
		if (!der_end(&sid))
			return malformed(m, "signer identifier", d);
	}
	si->digest_alg = alg_read(&b);
	(void)der_optional(&b, DER_CTX_CONS(0), &attrs);
	si->attrs = attrs.raw;
	si->sig_alg = alg_read(&b);
	(void)der_get(&b, DER_OCTET_STRING, &e);
	si->signature = e.body;
	(void)der_optional(&b, DER_CTX_CONS(1), &e);
	si->unsigned_attrs = e.body;
	if (!der_end(&b))
		return malformed(m, "SignerInfo", d);
	want = si->by_key_id ? 3 : 1;
	if (version != want || m->version != all)
		return diag_fail(d, R_CMS_VERSION,
		    "SignedData version %u, SignerInfo version %u, expected "
		    "%u and %u",
		    (unsigned)m->version, (unsigned)version, (unsigned)all,
		    (unsigned)want);
	if (si->attrs.len == 0)
		return diag_fail(d, R_CMS_NO_ATTRS,
		    "the signature has no signed attributes");
	return 0;
}

static int bad_attrs(const char *what, struct diag *d)
{
	return diag_fail(d, R_CMS_ATTRS, "signed attributes: %s", what);
}

enum { HAS_TYPE = 1 << 3, HAS_DIGEST = 1 << 4, HAS_TIME = 1 << 5 };

/* The bit of an attribute that has to be signed and may occur once only. */
static unsigned attribute_bit(struct slice oid)
{
	uint8_t last = oid.len > 0 ? (uint8_t)oid.p[oid.len - 1] : 0;

	if (pkcs_is(oid, PKCS9, last) && last >= 3 && last <= 5)
		return 1u << last;
	/* receiptRequest, signingCertificate, signingCertificateV2 */
	if (oid.len == 11 && memcmp(oid.p, PKCS9 "\x10\x02", 10) == 0)
		return last == 1    ? 1u << 6
		       : last == 12 ? 1u << 7
		       : last == 47 ? 1u << 8
		                    : 0;
	return 0;
}

static const char *what_is(unsigned bit)
{
	return bit == HAS_TYPE     ? "contentType is not one"
	       : bit == HAS_DIGEST ? "messageDigest is not one"
	       : bit == HAS_TIME   ? "signingTime is not one valid time"
	                           : "one is not what it may be";
}

/* The next attribute; a reader of its values. */
static struct buf next_attribute(struct buf *list, struct slice *oid)
{
	struct buf attr = der_enter(list, DER_SEQUENCE);
	struct buf set;

	*oid = der_oid(&attr);
	set = der_enter(&attr, DER_SET);
	list->bad |= !der_end(&attr);
	return set;
}

static int read_attributes(
    const struct cms *m, struct signer_info *si, struct diag *d)
{
	struct buf outer = der_buf(si->attrs);
	struct buf list = der_enter(&outer, DER_CTX_CONS(0));
	unsigned seen = 0;
	struct slice oid;
	struct der e;

	for (unsigned n = 0; buf_left(&list) > 0; n++) {
		struct buf set = next_attribute(&list, &oid);
		unsigned bit = attribute_bit(oid);

		if (list.bad)
			return malformed(m, "signed attributes", d);
		if (n == CMS_ATTRIBUTES)
			return diag_fail(d, R_LIMIT,
			    "more than %u signed attributes", CMS_ATTRIBUTES);
		if (bit & seen || pkcs_is(oid, PKCS9, 6))
			return bad_attrs(what_is(bit), d);
		seen |= bit;
		if (bit == HAS_TYPE) {
			if (!slice_same(der_oid(&set), m->content_type))
				return bad_attrs(
				    "contentType is not that of the content",
				    d);
		} else if (bit == HAS_DIGEST) {
			(void)der_get(&set, DER_OCTET_STRING, &e);
			si->digest = e.body;
		} else if (bit == HAS_TIME) {
			si->time = der_time(&set);
			si->has_time = true;
		} else {
			(void)der_next(&set, &e);
		}
		if (!der_end(&set))
			return bad_attrs(what_is(bit), d);
	}
	if (!(seen & HAS_TYPE))
		return bad_attrs("contentType is missing", d);
	if (!(seen & HAS_DIGEST))
		return bad_attrs("messageDigest is missing", d);
	list = der_buf(si->unsigned_attrs);
	while (buf_left(&list) > 0) {
		(void)next_attribute(&list, &oid);
		if (list.bad)
			return malformed(m, "unsigned attributes", d);
		if (attribute_bit(oid) != 0)
			return bad_attrs("one is not signed", d);
	}
	return 0;
}

static int bad_alg(const char *where, const struct alg *a, struct diag *d)
{
	char text[ALG_TEXT];

	alg_text(text, a);
	return diag_fail(d, R_CMS_ALGORITHM, "%s is %s", where, text);
}

static int check_algorithms(
    const struct cms *m, const struct signer_info *si, struct diag *d)
{
	const struct alg *a = &si->sig_alg;
	struct buf list = der_buf(m->digests);
	bool listed = false;

	if (si->digest_alg.hash == HASH_NONE ||
	    si->digest_alg.key != KEY_UNKNOWN ||
	    !alg_plain(&si->digest_alg, true))
		return bad_alg("the digest algorithm", &si->digest_alg, d);
	/* rsaEncryption leaves the digest to digestAlgorithm. */
	if (a->key == KEY_UNKNOWN || !alg_plain(a, a->key == KEY_RSA) ||
	    (a->hash == HASH_NONE && a->key != KEY_RSA))
		return bad_alg("the signature algorithm", a, d);
	if (a->hash != HASH_NONE && a->hash != si->digest_alg.hash)
		return bad_alg(
		    "the digest differs from that of the signature", a, d);
	for (unsigned n = 0; buf_left(&list) > 0; n++) {
		struct alg one = alg_read(&list);

		if (!buf_ok(&list))
			return malformed(m, "digestAlgorithms", d);
		if (one.hash == HASH_NONE || one.key != KEY_UNKNOWN)
			return bad_alg(
			    "digestAlgorithms has one that", &one, d);
		if (n == CMS_DIGESTS)
			return diag_fail(d, R_LIMIT,
			    "more than %u digest algorithms", CMS_DIGESTS);
		if (slice_same(one.oid, si->digest_alg.oid))
			listed = true;
	}
	if (!listed)
		return bad_alg("digestAlgorithms lacks the signer's, which",
		    &si->digest_alg, d);
	return 0;
}

/* The signer's certificate among those of the CMS: it must be there, being in
 * the keyring is not enough. None of the others may be malformed either. */
static int find_signer(const struct cms *m, const struct signer_info *si,
    struct cert *c, struct diag *d)
{
	unsigned found = m->count;

	for (unsigned i = m->count; i-- > 0;) {
		int r = x509_parse(m->cert[i], c, d);

		if (r)
			return r;
		if (si->by_key_id
		        ? c->ski.len > 0 && slice_same(c->ski, si->key_id)
		        : slice_same(c->issuer, si->issuer) &&
		              slice_same(c->serial, si->serial))
			found = i;
	}
	if (found < m->count)
		return x509_parse(m->cert[found], c, d);
	return diag_fail(d, R_CMS_NO_CERT,
	    "the signer's is not among the %u certificates in the signature",
	    m->count);
}

/* The digest of what was signed: of the inline content, or as known. */
static bool digest_fits(const struct cms *m, const struct signer_info *si)
{
	enum hash_id id = si->digest_alg.hash;
	struct content_digest *c = m->detached;
	uint8_t room[HASH_MAX], *is = room;

	if (si->digest.len != hash_len(id))
		return false;
	if (!c) {
		(void)hash_two(id, m->content, (struct slice){"", 0}, room);
	} else {
		unsigned i = id - HASH_SHA256;

		is = c->of[i];
		if ((c->have >> i & 1) == 0)
			memcpy(is, si->digest.p, si->digest.len);
		c->have |= 1u << i;
	}
	return memcmp(is, si->digest.p, si->digest.len) == 0;
}

static int check_signature(const struct cms *m, const struct signer_info *si,
    const struct cert *c, struct diag *d)
{
	enum hash_id id = si->digest_alg.hash;
	uint8_t digest[HASH_MAX];
	int r;

	if (!digest_fits(m, si))
		return diag_fail(d, R_CMS_DIGEST,
		    "the %s does not have the digest that was signed",
		    m->detached ? "payload" : "signed manifest");
	r = x509_check_key(c, d);
	if (r)
		return r;
	/* Signed is the SET OF that the IMPLICIT tag stands for. */
	(void)hash_two(id, (struct slice){"\x31", 1},
	    (struct slice){si->attrs.p + 1, si->attrs.len - 1}, digest);
	if (c->key.type != si->sig_alg.key)
		return bad_alg(
		    "the signer's key is of another kind: it", &c->key.alg, d);
	if (!key_verify(&c->key, &si->sig_alg, id, digest, si->signature))
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

int trust_now_at(const struct trust_policy *policy, const int64_t *signed_at,
    struct trust_now *at, struct diag *d)
{
	at->now = policy->now;
	at->by = "by the clock";
	if (policy->time == TIME_SIGNING) {
		if (!signed_at)
			return bad_attrs(
			    "use-bundle-signing-time needs a signingTime", d);
		at->now = *signed_at;
		at->by = "by the signing time";
	} else if (policy->time == TIME_FLOOR && policy->now < policy->floor) {
		at->now = policy->floor;
		at->by = "by the date of this image: the clock is behind it";
	}
	return 0;
}

/* One signer, of whom chain and at then tell; *c is his certificate. */
static int verify_signer(const struct cms *m, unsigned i,
    const struct keyring *k, const struct trust_policy *policy, struct cert *c,
    struct signer *who, struct diag *d)
{
	struct signer_info si;
	int r = read_signer(m, i, &si, d);

	if (!r)
		r = read_attributes(m, &si, d);
	if (!r)
		r = check_algorithms(m, &si, d);
	if (!r)
		r = find_signer(m, &si, c, d);
	if (!r)
		r = check_signature(m, &si, c, d);
	if (!r)
		r = trust_now_at(
		    policy, si.has_time ? &si.time : NULL, &who->at, d);
	if (!r)
		r = path_search(c->der, k, m->cert, m->count, policy, &who->at,
		    who->chain, &who->chain_len, d);
	if (!r)
		r = check_cn(policy, c->subject, d);
	who->has_time = si.has_time;
	who->signing_time = si.time;
	return r;
}

static bool is_new_key(const struct signer *who, const struct key *key)
{
	struct cert c;

	for (unsigned i = 0; i < who->signers; i++)
		if (x509_parse(who->all[i], &c, NULL) || key_same(&c.key, key))
			return false;
	return true;
}

/* *c: the first signer's certificate. */
static int verify(struct cms *m, const struct keyring *k,
    const struct trust_policy *policy, struct cert *c, struct signer *who,
    struct diag *d)
{
	unsigned want = policy->min_signers, keys = 0;
	int r = read_content_info(m, d);

	if (!r && m->has_content == (m->detached != NULL))
		r = m->has_content
		        ? diag_fail(d, R_CMS_INLINE,
		              "an inline signature, as of format=verity")
		        : diag_fail(d, R_CMS_DETACHED,
		              "a detached signature, as of format=plain");
	if (!r && want == 0 && m->signers != 1)
		r = diag_fail(d, R_CMS_SIGNERS,
		    "%u signers, expected 1 (no min-signers is set)",
		    m->signers);
	/* From the last to the first, of whom who tells in the end. */
	for (unsigned i = m->signers; !r && i-- > 0;) {
		r = verify_signer(m, i, k, policy, c, who, d);
		if (r)
			break;
		keys += is_new_key(who, &c->key);
		who->all[who->signers++] = c->der;
	}
	if (!r && keys < want)
		r = diag_fail(d, R_CMS_FEW_SIGNERS,
		    "signed with %u different key%s, min-signers=%u", keys,
		    keys == 1 ? "" : "s", want);
	return r;
}

static int verify_all(struct cms *m, const struct keyring *k,
    const struct trust_policy *policy, struct signer *who, struct diag *d)
{
	struct slice cn;
	struct cert c;
	int r;

	memset(who, 0, sizeof *who);
	r = verify(m, k, policy, &c, who, d);
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
	return 0;
}

int cms_verify(const uint8_t *cms, size_t len, const struct keyring *k,
    const struct trust_policy *policy, struct slice *content,
    struct signer *who, struct diag *d)
{
	struct cms m = {.all = {(const char *)cms, len}};
	int r = verify_all(&m, k, policy, who, d);

	*content = r == 0 ? m.content : (struct slice){"", 0};
	return r;
}

int cms_verify_detached(const uint8_t *cms, size_t len,
    struct content_digest *content, const struct keyring *k,
    const struct trust_policy *policy, struct signer *who, struct diag *d)
{
	struct cms m = {
	    .all = {(const char *)cms, len},
	    .detached = content,
	};

	return verify_all(&m, k, policy, who, d);
}

bool cms_is_detached(const uint8_t *cms, size_t len)
{
	struct cms m = {.all = {(const char *)cms, len}};

	return read_content_info(&m, NULL) == 0 && !m.has_content;
}
