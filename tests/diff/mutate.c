/* SPDX-License-Identifier: 0BSD */
/*
 * mutate PART PARTS CERTS WORK SEED COUNT [KIND [NUMBER]]: changes the
 * structure of signed messages, of the certificates and revocation lists they
 * are judged with, and of envelopes around them; half of the changes inside of
 * what is signed are then signed again. Whatever lifeboat accepts, libcrypto
 * has to accept, too, as openssl and as RAUC ask it, with the same content and
 * the same signers. CERTS: of mkcerts.sh; WORK: of mutate.sh, where a mutant
 * that only lifeboat accepts is left as KIND-NUMBER.der. A mutant depends on
 * SEED, KIND and NUMBER only. Of several that run at once each takes the
 * kinds of its PART, from 0, of all PARTS.
 */
/* before libcrypto, which has macros of the same names */
#include "trust_oracle.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bundle/envelope.h"
#include "bundle/key.h"
#include "mutate_der.h"

#define NOW 3597523200 /* 2084: all is valid */
#define FILE_MAX_BYTES 65536
#define COVERED_MAX 12
#define KEYS 16
/* of so many mutants libcrypto is asked about one in any case */
#define SAMPLE 64

enum what { MESSAGE, DETACHED, RING, ENVELOPE };

struct subject {
	const char *name;
	enum what what;
	const char *cms;
	/* the keyring; of RING the first is what is changed */
	const char *ring[4];
	unsigned share; /* in 1000 mutants */
	struct trust_policy policy;
	const char *key; /* of an envelope */
	bool refused;    /* as it is, by lifeboat */
};

#define PARTIAL \
	{ \
		.now = NOW, .time = TIME_CLOCK, .allow_partial_chain = true \
	}
#define CRLS \
	{ \
		.now = NOW, .time = TIME_CLOCK, .check_crl = true \
	}
#define CLOCK \
	{ \
		.now = NOW, .time = TIME_CLOCK \
	}
#define SIGNERS \
	{ \
		.now = NOW, .time = TIME_CLOCK, .min_signers = 2 \
	}
#define SIGNING \
	{ \
		.now = NOW, .time = TIME_SIGNING \
	}
#define CODESIGN \
	{ \
		.now = NOW, .time = TIME_CLOCK, .purpose = PURPOSE_CODESIGN \
	}
#define ANY \
	{ \
		.now = NOW, .time = TIME_CLOCK, .purpose = PURPOSE_ANY \
	}

static const struct subject kinds[] = {
    {"rsa2048", MESSAGE, "rsa.cms", {"root-rsa.pem"}, 60, CLOCK, 0, 0},
    {"rsa2048-sha512", MESSAGE, "rsa-sha512.cms", {"root-rsa.pem"}, 40, ANY, 0,
        0},
    {"rsa4096", MESSAGE, "rsa4096.cms", {"rsa4096.pem"}, 30, CLOCK, 0, 0},
    {"rsa-chain", MESSAGE, "chain.cms", {"chain-root.pem"}, 50, CLOCK, 0, 0},
    {"pss", MESSAGE, "pss-32.cms", {"root-rsa.pem"}, 50, CLOCK, 0, 0},
    {"pss-sha512", MESSAGE, "pss-sha512.cms", {"root-rsa.pem"}, 40, CLOCK, 0,
        0},
    {"pss-certificate", MESSAGE, "pss-cert.cms", {"root-rsa.pem"}, 40, CLOCK, 0,
        0},
    {"p256", MESSAGE, "signer.cms", {"root.pem"}, 60, CLOCK, 0, 0},
    {"p384", MESSAGE, "p384.cms", {"root.pem"}, 20, CLOCK, 0, 0},
    {"p521", MESSAGE, "p521.cms", {"root.pem"}, 10, CLOCK, 0, 0},
    {"no-attributes", MESSAGE, "noattr.cms", {"root.pem"}, 10, CLOCK, 0, true},
    {"two-signers", MESSAGE, "twice.cms", {"root.pem", "root-rsa.pem"}, 50,
        SIGNERS, 0, 0},
    {"three-signers", MESSAGE, "thrice.cms", {"root.pem", "root-rsa.pem"}, 20,
        SIGNERS, 0, 0},
    {"one-of-two", MESSAGE, "twice.cms", {"root.pem", "root-rsa.pem"}, 20,
        CLOCK, 0, true},
    {"intermediate", MESSAGE, "with-int.cms", {"root.pem"}, 60, CLOCK, 0, 0},
    {"partial-chain", MESSAGE, "with-int.cms", {"int.pem"}, 30, PARTIAL, 0, 0},
    {"key-identifier", MESSAGE, "keyid.cms", {"root.pem"}, 40, CLOCK, 0, 0},
    {"code-signing", MESSAGE, "eku-code-ds.cms", {"root.pem"}, 40, CODESIGN, 0,
        0},
    {"signing-time", MESSAGE, "cades.cms", {"root.pem"}, 40, SIGNING, 0, 0},
    {"self-signed", MESSAGE, "self.cms", {"self.pem"}, 20, CLOCK, 0, 0},
    {"expired", MESSAGE, "expired.cms", {"root.pem"}, 10, CLOCK, 0, true},
    {"detached", DETACHED, "detached.cms", {"root.pem"}, 40, CLOCK, 0, 0},
    {"detached-sha512", DETACHED, "detached-sha512.cms", {"root.pem"}, 20,
        CLOCK, 0, 0},
    {"with-crls", MESSAGE, "with-int.cms", {"root.pem", "root.crl", "int.crl"},
        20, CRLS, 0, 0},
    {"crl", RING, "signer.cms", {"root.crl", "root.pem"}, 30, CRLS, 0, 0},
    {"crl-others", RING, "signer.cms", {"root-many.crl", "root.pem"}, 20, CRLS,
        0, 0},
    {"crl-revoked", RING, "signer.cms", {"root-signer.crl", "root.pem"}, 20,
        CRLS, 0, true},
    {"keyring-root", RING, "signer.cms", {"root.pem"}, 30, CLOCK, 0, 0},
    {"keyring-intermediate", RING, "under-int.cms", {"int.pem", "root.pem"}, 30,
        CLOCK, 0, 0},
    {"keyring-partial", RING, "under-int.cms", {"int.pem"}, 20, PARTIAL, 0, 0},
    {"envelope-rsa", ENVELOPE, "env-rsa.cms", {"root.pem"}, 10, CLOCK,
        "rsa.key", 0},
    {"envelope-oaep", ENVELOPE, "env-oaep.cms", {"root.pem"}, 10, CLOCK,
        "rsa.key", 0},
    {"envelope-ec", ENVELOPE, "env-ec.cms", {"root.pem"}, 10, CLOCK, "p384.key",
        0},
};
#define KINDS_OF_MESSAGE (sizeof kinds / sizeof kinds[0])

static struct tree trees[KINDS_OF_MESSAGE];
static uint8_t bytes[KINDS_OF_MESSAGE][FILE_MAX_BYTES];
static size_t lengths[KINDS_OF_MESSAGE];
static const char *certs_dir, *work_dir;
static EVP_PKEY *keys[KEYS];
static unsigned key_count;
static char content[FILE_MAX_BYTES];
static struct content_digest digests = {.have = 7};

/* What is signed in the message at hand, and how. */
struct covered {
	unsigned what, value; /* nodes */
	bool attrs;           /* or a certificate, or a list */
	unsigned digest;      /* of attrs: messageDigest */
	unsigned issuer;      /* of attrs: issuerAndSerialNumber */
	unsigned cert;        /* and whose these are */
	EVP_PKEY *key;
	const EVP_MD *md;
	bool pss;
};

/* One kind, loaded. */
static struct {
	const struct subject *k;
	const struct tree *tree;
	struct covered part[COVERED_MAX];
	unsigned parts;
	unsigned content; /* node of the inline content */
	uint8_t cms[FILE_MAX_BYTES];
	size_t cms_len;
	struct slice ring[4]; /* DER */
	bool is_crl[4];
	unsigned rings;
	struct keyring keyring;
	struct recipient recipient;
	EVP_PKEY *key; /* of the envelope */
} now;

static struct {
	unsigned long mutants, both, alone, detours, asked, asked_both;
	unsigned long lax[256]; /* libcrypto accepts, by -reason */
	unsigned long resigned, resigned_both;
} count;

/* ---- files */

static FILE *open_either(const char *name)
{
	const char *dirs[] = {work_dir, certs_dir};
	char path[500];

	for (unsigned i = 0; i < 2; i++) {
		FILE *f;

		snprintf(path, sizeof path, "%s/%s", dirs[i], name);
		f = fopen(path, "rb");
		if (f)
			return f;
	}
	perror(name);
	exit(2);
}

static size_t load(const char *name, void *dst, size_t cap)
{
	FILE *f = open_either(name);
	size_t n = fread(dst, 1, cap, f);

	NEED(n > 0 && n < cap);
	fclose(f);
	return n;
}

static bool is_list(const char *name)
{
	return strcmp(name + strlen(name) - 4, ".crl") == 0;
}

/* The DER of a PEM file, which is kept for ever. */
static struct slice load_pem(const char *name)
{
	FILE *f = open_either(name);
	char *label, *header;
	unsigned char *der;
	long len;

	NEED(PEM_read(f, &label, &header, &der, &len) == 1);
	fclose(f);
	return (struct slice){(char *)der, (size_t)len};
}

static void load_keys(void)
{
	static const char *const names[] = {"root.key", "int.key", "signer.key",
	    "rsa.key", "p384.key", "p521.key", "rsa4096.key", "chain.key",
	    "chain-int.key", "chain-root.key"};

	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		FILE *f = open_either(names[i]);

		keys[key_count] = PEM_read_PrivateKey(f, NULL, NULL, NULL);
		NEED(keys[key_count++] != NULL);
		fclose(f);
	}
}

/* ---- what is signed */

static uint8_t coded[ENCODED];

static unsigned find_tag(const struct tree *t, unsigned node, uint8_t tag)
{
	for (unsigned i = tree_child(t, node, 0); i; i = t->n[i].next)
		if (t->n[i].tag == tag)
			return i;
	return 0;
}

static EVP_PKEY *key_like(EVP_PKEY *public)
{
	for (unsigned i = 0; public && i < key_count; i++)
		if (EVP_PKEY_eq(public, keys[i]) == 1)
			return keys[i];
	return NULL;
}

/* A certificate or a list; without the key that has signed it: not a part. */
static void add_signed(const struct tree *t, unsigned node, bool crl)
{
	struct covered p = {
	    .what = tree_child(t, node, 0), .value = tree_child(t, node, 2)};
	size_t len;
	const uint8_t *der = tree_encode(t, node, coded, &len);
	X509 *x = crl ? NULL : d2i_X509(NULL, &der, (long)len);
	X509_CRL *c = crl ? d2i_X509_CRL(NULL, &der, (long)len) : NULL;
	int nid =
	    crl ? X509_CRL_get_signature_nid(c) : X509_get_signature_nid(x);
	int md = NID_sha256;

	p.pss = nid == NID_rsassaPss;
	if (!p.pss)
		NEED(OBJ_find_sigid_algs(nid, &md, NULL) == 1);
	p.md = EVP_get_digestbynid(md);
	for (unsigned i = 0; i < key_count; i++)
		if (crl ? X509_CRL_verify(c, keys[i]) == 1
		        : X509_verify(x, keys[i]) == 1)
			p.key = keys[i];
	X509_free(x);
	X509_CRL_free(c);
	ERR_clear_error();
	if (p.key && now.parts < COVERED_MAX)
		now.part[now.parts++] = p;
}

/* The messageDigest's OCTET STRING. */
static unsigned find_digest(const struct tree *t, unsigned attrs)
{
	for (unsigned i = tree_child(t, attrs, 0); i; i = t->n[i].next) {
		unsigned oid = tree_child(t, i, 0);

		if (t->n[oid].len == 9 &&
		    memcmp(t->n[oid].body, "\x2a\x86\x48\x86\xf7\x0d\1\x09\4",
		        9) == 0)
			return tree_child(t, tree_child(t, i, 1), 0);
	}
	return 0;
}

static void add_signer(
    const struct tree *t, unsigned node, unsigned n, CMS_ContentInfo *cms)
{
	CMS_SignerInfo *si =
	    sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), (int)n);
	struct covered p = {.attrs = true};
	X509_ALGOR *md, *sig;
	EVP_PKEY *public;
	X509 *cert;

	CMS_SignerInfo_get0_algs(si, &public, &cert, &md, &sig);
	p.what = find_tag(t, node, 0xa0);
	for (unsigned i = tree_child(t, node, 0); i; i = t->n[i].next)
		if (t->n[i].tag == 0x04)
			p.value = i;
	p.key = key_like(X509_get0_pubkey(cert));
	p.md = EVP_get_digestbyobj(md->algorithm);
	p.pss = OBJ_obj2nid(sig->algorithm) == NID_rsassaPss;
	p.issuer = tree_child(t, node, 1);
	if (t->n[p.issuer].tag != 0x30)
		p.issuer = 0;
	if (!p.what || !p.key || now.parts == COVERED_MAX)
		return;
	p.digest = find_digest(t, p.what);
	NEED(p.digest && p.value);
	now.part[now.parts++] = p;
}

/* The parts of a SignedData: certificates, then signers. */
static void find_parts(const struct tree *t)
{
	unsigned data = tree_child(t, tree_child(t, 1, 1), 0);
	unsigned info = find_tag(t, data, 0x30), set = tree_child(t, data, 2);
	unsigned certs = find_tag(t, data, 0xa0), n = 0;
	const unsigned char *p = now.cms;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)now.cms_len);

	NEED(cms && data && info && CMS_set1_signers_certs(cms, NULL, 0) > 0);
	now.content = tree_child(t, find_tag(t, info, 0xa0), 0);
	for (unsigned i = tree_child(t, certs, 0); i; i = t->n[i].next)
		add_signed(t, i, false);
	while (t->n[set].next)
		set = t->n[set].next;
	for (unsigned i = tree_child(t, set, 0); i; i = t->n[i].next)
		add_signer(t, i, n++, cms);
	CMS_ContentInfo_free(cms);
}

static void sign(struct tree *t, const struct covered *p)
{
	uint8_t value[1024];
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	size_t len, n = sizeof value - 1;
	uint8_t *der;

	der = (uint8_t *)(uintptr_t)tree_encode(t, p->what, coded, &len);
	if (!der)
		goto out;
	/* Signed is the SET OF that the IMPLICIT tag stands for. */
	if (p->attrs)
		der[0] = 0x31;
	NEED(EVP_DigestSignInit(m, &ctx, p->md, NULL, p->key) == 1);
	if (p->pss) {
		NEED(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) ==
		     1);
		NEED(EVP_PKEY_CTX_set_rsa_pss_saltlen(
		         ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
	}
	NEED(EVP_DigestSign(m, value + 1, &n, der, len) == 1);
	value[0] = 0;
	t->n[p->value].prefix_len = 0;
	tree_set(t, p->value, value + p->attrs, n + !p->attrs);
out:
	EVP_MD_CTX_free(m);
}

/* Signs again what was changed in part p, and what that is part of. */
static void sign_again(struct tree *t, unsigned p)
{
	const struct node *c = &t->n[now.content];
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (!now.part[p].attrs) {
		sign(t, &now.part[p]);
		return;
	}
	/* of the inline content as it is now */
	if (now.content && !c->parent_of && dice(4)) {
		NEED(EVP_Digest(c->body, c->len, digest, &len, now.part[p].md,
		         NULL) == 1);
		tree_set(t, now.part[p].digest, digest, len);
	}
	sign(t, &now.part[p]);
}

/* ---- verdicts */

static size_t ring_pem(const struct slice *ring, char *dst, size_t cap)
{
	size_t n = 0;

	for (unsigned i = 0; i < now.rings; i++) {
		const char *label = now.is_crl[i] ? "X509 CRL" : "CERTIFICATE";

		NEED(n + ring[i].len / 3 * 4 + 100 < cap);
		n += (size_t)sprintf(dst + n, "-----BEGIN %s-----\n", label);
		n += (size_t)EVP_EncodeBlock((unsigned char *)dst + n,
		    (const unsigned char *)ring[i].p, (int)ring[i].len);
		n += (size_t)sprintf(dst + n, "\n-----END %s-----\n", label);
	}
	return n;
}

static uint8_t opened[FILE_MAX_BYTES * 4];

/* 0 or the reason; *got is what was signed, *signature in what message. */
static int lifeboat(const uint8_t *p, size_t len, struct slice *got,
    struct slice *signature, struct signer *who)
{
	static struct keyring changed;
	static char pem[1 << 17];
	const struct keyring *k = &now.keyring;
	const struct trust_policy *policy = &now.k->policy;
	int r;

	*signature = (struct slice){(const char *)p, len};
	*got = (struct slice){content, strlen(content)};
	if (now.k->what == RING) {
		struct slice ring[4];

		memcpy(ring, now.ring, sizeof ring);
		ring[0] = *signature;
		*signature = (struct slice){(const char *)now.cms, now.cms_len};
		changed.count = changed.crls = 0;
		changed.used = 0;
		if (len > FILE_MAX_BYTES)
			return R_LIMIT;
		r = keyring_load(
		    &changed, pem, ring_pem(ring, pem, sizeof pem), NULL);
		if (r)
			return r;
		k = &changed;
	} else if (now.k->what == ENVELOPE) {
		bool whole;
		size_t n;

		if (len > sizeof opened)
			return R_LIMIT;
		if (!envelope_is(p, len))
			return R_CMS_TYPE;
		r = envelope_open(
		    &now.recipient, p, len, opened, &n, &whole, NULL);
		if (r)
			return r;
		*signature = (struct slice){(const char *)opened, n};
		if (!whole)
			return R_CRYPT_KEY;
	}
	if (now.k->what == DETACHED)
		return cms_verify_detached(
		    p, len, &digests, k, policy, who, NULL);
	return cms_verify((const uint8_t *)signature->p, signature->len, k,
	    policy, got, who, NULL);
}

static bool open_envelope(const uint8_t *p, size_t len, struct slice want)
{
	const unsigned char *at = p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)len);
	BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	bool ok =
	    cms && CMS_decrypt(cms, now.key, NULL, NULL, out, CMS_BINARY) == 1;
	long n = BIO_get_mem_data(out, &data);

	ok = ok && n == (long)want.len && memcmp(data, want.p, want.len) == 0;
	BIO_free(out);
	CMS_ContentInfo_free(cms);
	return ok;
}

/* Of the same content and the same signers, in whatever order. */
static bool same(
    CMS_ContentInfo *cms, struct slice got, const struct signer *who)
{
	ASN1_OCTET_STRING **os = CMS_get0_content(cms);
	STACK_OF(X509) * all;
	bool ok = true;

	if (os && *os)
		ok = (size_t)ASN1_STRING_length(*os) == got.len &&
		     memcmp(ASN1_STRING_get0_data(*os), got.p, got.len) == 0;
	(void)CMS_set1_signers_certs(cms, NULL, 0);
	all = CMS_get0_signers(cms);
	ok = ok && sk_X509_num(all) == (int)who->signers;
	for (int i = 0; ok && i < sk_X509_num(all); i++) {
		unsigned char *der = NULL;
		int n = i2d_X509(sk_X509_value(all, i), &der);
		bool found = false;

		for (unsigned k = 0; k < who->signers; k++)
			found |= n == (int)who->all[k].len &&
			         memcmp(der, who->all[k].p, (size_t)n) == 0;
		ok = found;
		OPENSSL_free(der);
	}
	sk_X509_free(all);
	return ok;
}

static bool parse_ring(struct scene *s, const uint8_t *p, size_t len)
{
	bool ok = true;

	for (unsigned i = 0; i < now.rings; i++) {
		bool first = i == 0 && now.k->what == RING;
		const unsigned char *at =
		    first ? p : (const unsigned char *)now.ring[i].p;
		long n = (long)(first ? len : now.ring[i].len);

		if (now.is_crl[i])
			ok = ok &&
			     (s->crl[s->crls++] = d2i_X509_CRL(NULL, &at, n));
		else
			ok = ok &&
			     (s->ring[s->rings++] = d2i_X509(NULL, &at, n));
	}
	return ok;
}

/* What libcrypto had against the last one. */
static char why[400];

static void note(const char *what)
{
	char detail[256] = "";
	const char *data = "";
	int flags = 0;
	unsigned long e = ERR_peek_error_all(NULL, NULL, NULL, NULL, NULL);

	if (e)
		ERR_error_string_n(e, detail, sizeof detail);
	(void)ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
	snprintf(why, sizeof why, "%s %s %s", what, detail,
	    flags & ERR_TXT_STRING ? data : "");
}

/* libcrypto's word on the same; who NULL: on its own. */
static bool libcrypto(const uint8_t *p, size_t len, struct slice signature,
    struct slice got, const struct signer *who)
{
	struct scene s = {.policy = now.k->policy,
	    .format = now.k->what == DETACHED ? PLAIN : VERITY,
	    .payload = (unsigned char *)content,
	    .payload_len = strlen(content)};
	const unsigned char *at = (const unsigned char *)signature.p;
	CMS_ContentInfo *cms =
	    d2i_CMS_ContentInfo(NULL, &at, (long)signature.len);
	bool ok = cms && parse_ring(&s, p, len);

	if (!ok)
		note(cms ? "keyring" : "message");
	s.cms = (unsigned char *)(uintptr_t)signature.p;
	s.cms_len = signature.len;
	/* openssl knows neither RAUC's purpose nor its time */
	if (ok && now.k->policy.purpose != PURPOSE_CODESIGN &&
	    now.k->policy.time != TIME_SIGNING && !(ok = openssl_says(&s)))
		note("openssl");
	/* and RAUC takes one signer */
	if (ok && now.k->policy.min_signers == 0 && !(ok = rauc_says(&s)))
		note("rauc");
	if (ok && who && !(ok = same(cms, got, who)))
		note("another content or signer");
	if (ok && now.k->what == ENVELOPE &&
	    !(ok = open_envelope(p, len, signature)))
		note("envelope");
	for (unsigned i = 0; i < s.rings; i++)
		X509_free(s.ring[i]);
	for (unsigned i = 0; i < s.crls; i++)
		X509_CRL_free(s.crl[i]);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return ok;
}

/* Of several certificates with one name and key libcrypto tries one; the
 * others must not be what makes it good: the same with those only that the
 * chain of the one signer is made of. */
static bool without_detour(const uint8_t *p, size_t len, struct slice signature,
    struct slice got, const struct signer *who)
{
	static struct tree t;
	static uint8_t out[ENCODED], one[ENCODED];
	const uint8_t *der;
	uint16_t *link;
	unsigned data, certs;

	if (who->signers != 1 || now.k->what == ENVELOPE ||
	    !tree_parse(&t, (const uint8_t *)signature.p, signature.len))
		return false;
	data = tree_child(&t, tree_child(&t, 1, 1), 0);
	certs = find_tag(&t, data, 0xa0);
	for (link = &t.n[certs].child; certs && *link;) {
		bool used = false;
		size_t n;

		der = tree_encode(&t, *link, one, &n);
		for (unsigned i = 0; der && i < who->chain_len; i++)
			used |= who->chain[i].len == n &&
			        memcmp(who->chain[i].p, der, n) == 0;
		if (used)
			link = &t.n[*link].next;
		else
			*link = t.n[*link].next;
	}
	der = tree_encode(&t, 1, out, &signature.len);
	signature.p = (const char *)der;
	return der && libcrypto(p, len, signature, got, who);
}

static void keep(unsigned long n, const uint8_t *p, size_t len, bool again)
{
	char path[500];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s-%lu.der", work_dir, now.k->name, n);
	f = fopen(path, "wb");
	NEED(f && fwrite(p, 1, len, f) == len && fclose(f) == 0);
	fprintf(stderr, "FAILED %s: accepted by lifeboat only%s: %s\n", path,
	    again ? ", signed again" : "", why);
}

/* Whether both accept it. */
static bool judge(unsigned long n, const uint8_t *p, size_t len, bool again)
{
	static struct signer who;
	struct slice got, signature;
	int r = lifeboat(p, len, &got, &signature, &who);

	count.mutants++;
	if (r == 0) {
		if (libcrypto(p, len, signature, got, &who)) {
			count.both++;
			return true;
		}
		if (without_detour(p, len, signature, got, &who)) {
			count.detours++;
			return false;
		}
		count.alone++;
		keep(n, p, len, again);
		return false;
	}
	if (n % SAMPLE != 0 || now.k->policy.time == TIME_SIGNING ||
	    now.k->what == ENVELOPE)
		return false;
	count.asked++;
	if (libcrypto(p, len, signature, got, NULL))
		count.lax[-r & 255]++;
	return false;
}

/* ---- kinds */

static void load_kind(unsigned i)
{
	const struct subject *k = &kinds[i];
	static char pem[1 << 17];

	memset(&now, 0, sizeof now);
	now.k = k;
	now.tree = &trees[i];
	now.cms_len = load(k->cms, now.cms, sizeof now.cms);
	for (; now.rings < 4 && k->ring[now.rings]; now.rings++) {
		now.ring[now.rings] = load_pem(k->ring[now.rings]);
		now.is_crl[now.rings] = is_list(k->ring[now.rings]);
	}
	NEED(keyring_load(&now.keyring, pem,
	         ring_pem(now.ring, pem, sizeof pem), NULL) == 0);
	if (k->what == RING)
		add_signed(now.tree, 1, now.is_crl[0]);
	else if (k->what != ENVELOPE)
		find_parts(now.tree);
	if (k->key) {
		size_t n = load(k->key, pem, sizeof pem);
		BIO *in = BIO_new_mem_buf(pem, (int)n);

		NEED(recipient_load(&now.recipient, pem, n, NULL) == 0);
		now.key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
		NEED(now.key != NULL);
		BIO_free(in);
	}
}

static void load_trees(void)
{
	for (unsigned i = 0; i < KINDS_OF_MESSAGE; i++) {
		const struct subject *k = &kinds[i];
		struct slice der;

		if (k->what == RING) {
			der = load_pem(k->ring[0]);
			memcpy(bytes[i], der.p, der.len);
			lengths[i] = der.len;
		} else {
			lengths[i] = load(k->cms, bytes[i], sizeof bytes[i]);
		}
		NEED(tree_parse(&trees[i], bytes[i], lengths[i]));
	}
}

static uint64_t mix(uint64_t seed, const char *name, unsigned long n)
{
	for (; *name; name++)
		seed = (seed ^ (uint8_t)*name) * 0x100000001b3u;
	return (seed ^ n) * 0xff51afd7ed558ccdu;
}

/* The nth mutant of the kind at hand. */
static void mutant(uint64_t seed, unsigned long n)
{
	static struct tree t;
	static uint8_t out[ENCODED];
	const uint8_t *p;
	bool again;
	size_t len;

	dice_seed(mix(seed, now.k->name, n));
	tree_copy(&t, now.tree);
	again = now.parts > 0 && dice(2);
	if (again) {
		unsigned i = dice(now.parts), node = now.part[i].what;

		if (now.part[i].attrs && now.content && dice(4) == 0)
			node = now.content;
		for (unsigned k = 1 + dice(2); k > 0; k--)
			tree_mutate(&t, node, trees, KINDS_OF_MESSAGE);
		sign_again(&t, i);
	} else {
		for (unsigned k = 1 + dice(3) / 2; k > 0; k--)
			tree_mutate(&t, 1, trees, KINDS_OF_MESSAGE);
	}
	p = tree_encode(&t, 1, out, &len);
	if (!p)
		return;
	if (dice(200) == 0 && p - out > 100)
		len -= dice((uint32_t)len);
	count.resigned += again;
	if (judge(n, p, len, again))
		count.resigned_both += again;
}

static void run_kind(
    unsigned i, uint64_t seed, unsigned long mutants, const char *only)
{
	unsigned long both = count.both;
	clock_t from = clock();
	static struct signer who;
	struct slice got, signature;
	int r;

	load_kind(i);
	r = lifeboat(bytes[i], lengths[i], &got, &signature, &who);
	if ((r != 0) != now.k->refused ||
	    (r == 0 &&
	        !libcrypto(bytes[i], lengths[i], signature, got, &who))) {
		fprintf(stderr, "%s: not judged as expected: %s\n", now.k->name,
		    reason_name(r));
		exit(2);
	}
	if (only)
		mutant(seed, strtoul(only, NULL, 0));
	for (unsigned long n = 1; !only && n <= mutants; n++)
		mutant(seed, n);
	printf("%-22s %8lu mutants %6lu accepted by both %4u parts "
	       "%7.3f ms each\n",
	    now.k->name, mutants, count.both - both, now.parts,
	    1e3 * (double)(clock() - from) / CLOCKS_PER_SEC /
	        (double)(mutants ? mutants : 1));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned long mutants, shares = 0, part, parts;
	unsigned kinds_run = 0;
	uint64_t seed;

	if (argc < 7)
		return 2;
	part = strtoul(argv[1], NULL, 0);
	parts = strtoul(argv[2], NULL, 0);
	certs_dir = argv[3];
	work_dir = argv[4];
	seed = strtoul(argv[5], NULL, 0);
	mutants = strtoul(argv[6], NULL, 0);
	NEED(part < parts);
	load_keys();
	content[load("manifest", content, sizeof content - 1)] = '\0';
	for (unsigned i = 0; i < 3; i++)
		(void)hash_two((enum hash_id)(HASH_SHA256 + i),
		    (struct slice){content, strlen(content)},
		    (struct slice){"", 0}, digests.of[i]);
	load_trees();
	for (unsigned i = 0; i < KINDS_OF_MESSAGE; i++)
		shares += kinds[i].share;
	for (unsigned i = 0; i < KINDS_OF_MESSAGE; i++) {
		bool all = argc < 8;

		if (all ? i % parts != part
		        : strcmp(argv[7], kinds[i].name) != 0)
			continue;
		kinds_run++;
		run_kind(i, seed,
		    all ? mutants * kinds[i].share / shares + 1 : mutants,
		    argc > 8 ? argv[8] : NULL);
	}
	for (unsigned i = 0; i < MUTATIONS; i++)
		printf(
		    "change: %s: %lu\n", mutation_name[i], mutation_count[i]);
	for (int i = 0; i < 256; i++)
		if (count.lax[i])
			printf("accepted by libcrypto only: %s: %lu\n",
			    reason_name(-i), count.lax[i]);
	printf("kinds: %u\nmutants: %lu\nsigned again: %lu\n"
	       "accepted by both: %lu\nof them signed again: %lu\n"
	       "accepted by another of the issuer's certificates: %lu\n"
	       "accepted by lifeboat only: %lu\n"
	       "refused by lifeboat, libcrypto asked, too: %lu\n",
	    kinds_run, count.mutants, count.resigned, count.both,
	    count.resigned_both, count.detours, count.alone, count.asked);
	return count.alone != 0 || kinds_run == 0;
}
