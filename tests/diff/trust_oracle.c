/* SPDX-License-Identifier: 0BSD */
#include "trust_oracle.h"

#include <bearssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/bundle.h"

size_t scene_pem(const struct scene *s, char *dst, size_t cap)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *data;
	long n;

	for (unsigned i = 0; i < s->rings; i++)
		NEED(PEM_write_bio_X509(out, s->ring[i]) == 1);
	for (unsigned i = 0; i < s->crls; i++)
		NEED(PEM_write_bio_X509_CRL(out, s->crl[i]) == 1);
	n = BIO_get_mem_data(out, &data);
	NEED(n > 0 && (size_t)n < cap);
	memcpy(dst, data, (size_t)n);
	BIO_free(out);
	return (size_t)n;
}

size_t scene_bundle(const struct scene *s, unsigned char *dst, size_t cap)
{
	const unsigned char *sig = s->envelope ? s->envelope : s->cms;
	size_t n = s->envelope ? s->envelope_len : s->cms_len;
	size_t at = s->payload_len + n;

	NEED(at + 8 <= cap);
	memcpy(dst, s->payload, s->payload_len);
	memcpy(dst + s->payload_len, sig, n);
	for (unsigned i = 0; i < 8; i++)
		dst[at + i] = (unsigned char)((uint64_t)n >> (56 - 8 * i));
	return at + 8;
}

static const struct recipient *load_device(const struct scene *s)
{
	static struct recipient r;
	struct diag d = {0};
	BIO *out;
	char *data;
	long n;

	if (!s->device)
		return NULL;
	out = BIO_new(BIO_s_mem());
	recipient_wipe(&r);
	NEED(PEM_write_bio_PrivateKey(
	         out, s->device, NULL, NULL, 0, NULL, NULL) == 1);
	n = BIO_get_mem_data(out, &data);
	if (recipient_load(&r, data, (size_t)n, &d) != 0) {
		BIO_free(out);
		return NULL;
	}
	if (s->device_cert) {
		NEED(BIO_reset(out) == 1);
		NEED(PEM_write_bio_X509(out, s->device_cert) == 1);
		n = BIO_get_mem_data(out, &data);
		NEED(recipient_load_cert(&r, data, (size_t)n, &d) == 0);
	}
	BIO_free(out);
	return &r;
}

int lifeboat_says(const struct scene *s, struct diag *d)
{
	static struct keyring ring;
	static struct bundle bundle;
	static struct signer who;
	static char pem[1 << 17];
	static unsigned char file[1 << 18];
	struct slice content;
	struct blk_mem mem;
	struct diag why = {0};
	int r, inner;

	memset(&ring, 0, sizeof ring);
	r = keyring_load(&ring, pem, scene_pem(s, pem, sizeof pem), d);
	if (r)
		return r;
	bundle.recipient = load_device(s);
	blk_mem_init_const(&mem, file, scene_bundle(s, file, sizeof file));
	r = bundle_open(&bundle, &mem.blk, &ring, &s->policy, d);
	if (r == 0)
		NEED(strcmp(bundle.manifest.compatible, "lifeboat test") == 0);
	if (r == 0 || !s->envelope)
		return r;
	inner = cms_verify(
	    s->cms, s->cms_len, &ring, &s->policy, &content, &who, &why);
	return inner ? inner : r;
}

/* RAUC's own purpose: an EKU that names code signing, a KU that allows
 * signatures; of a CA, an EKU that names code signing or none. */
static int code_sign(const X509_PURPOSE *purpose, const X509 *cert, int ca)
{
	X509 *x = (X509 *)(uintptr_t)cert;
	uint32_t flags = X509_get_extension_flags(x);
	bool code = X509_get_extended_key_usage(x) & XKU_CODE_SIGN;

	(void)purpose;
	if (ca)
		return (!(flags & EXFLAG_XKUSAGE) || code) && X509_check_ca(x);
	return (flags & EXFLAG_XKUSAGE) && code &&
	       (X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE);
}

static int codesign_purpose(void)
{
	static int id;
	char name[] = "RAUC code signing", sname[] = "codesign-rauc";

	if (id == 0) {
		id = X509_PURPOSE_get_count() + 1;
		NEED(X509_PURPOSE_add(id, X509_TRUST_OBJECT_SIGN, 0, code_sign,
		         name, sname, NULL) == 1);
	}
	return id;
}

static X509_STORE *make_store(const struct scene *s, int64_t now)
{
	const struct trust_policy *p = &s->policy;
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
	unsigned long flags = 0;
	int purpose = X509_PURPOSE_SMIME_SIGN;

	for (unsigned i = 0; i < s->rings; i++)
		NEED(X509_STORE_add_cert(store, s->ring[i]) == 1);
	for (unsigned i = 0; i < s->crls; i++)
		NEED(X509_STORE_add_crl(store, s->crl[i]) == 1);
	if (p->check_crl)
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
		         X509_V_FLAG_EXTENDED_CRL_SUPPORT;
	if (p->allow_partial_chain)
		flags |= X509_V_FLAG_PARTIAL_CHAIN;
	NEED(X509_STORE_set_flags(store, flags) == 1);
	if (p->purpose == PURPOSE_CODESIGN)
		purpose = codesign_purpose();
	else if (p->purpose == PURPOSE_ANY)
		purpose = X509_PURPOSE_ANY;
	NEED(X509_STORE_set_purpose(store, purpose) == 1);
	X509_VERIFY_PARAM_set_time(param, now);
	return store;
}

static CMS_ContentInfo *parse(const unsigned char *p, size_t len)
{
	return d2i_CMS_ContentInfo(NULL, &p, (long)len);
}

/* The SignedData as the device sees it; NULL when it cannot be opened. */
static CMS_ContentInfo *opened(const struct scene *s)
{
	CMS_ContentInfo *cms, *inner = NULL;
	BIO *out;
	char *data;
	long n;

	if (!s->envelope)
		return parse(s->cms, s->cms_len);
	if (!s->device)
		return NULL;
	cms = parse(s->envelope, s->envelope_len);
	NEED(cms != NULL);
	out = BIO_new(BIO_s_mem());
	if (OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_enveloped &&
	    CMS_decrypt(cms, s->device, s->device_cert, NULL, out, 0) == 1) {
		n = BIO_get_mem_data(out, &data);
		inner = parse((const unsigned char *)data, (size_t)n);
	}
	BIO_free(out);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return inner;
}

static bool libcrypto_says(
    const struct scene *s, CMS_ContentInfo *cms, X509_STORE *store)
{
	BIO *out = BIO_new(BIO_s_mem()), *in = NULL;
	bool ok;

	if (s->format == PLAIN)
		in = BIO_new_mem_buf(s->payload, (int)s->payload_len);
	ok = CMS_verify(cms, NULL, store, in, out, CMS_BINARY) == 1;
	BIO_free(in);
	BIO_free(out);
	ERR_clear_error();
	return ok;
}

bool openssl_says(const struct scene *s)
{
	CMS_ContentInfo *cms = opened(s);
	X509_STORE *store = make_store(s, s->policy.now);
	bool ok = cms && libcrypto_says(s, cms, store);

	X509_STORE_free(store);
	CMS_ContentInfo_free(cms);
	return ok;
}

static int64_t signing_time(CMS_SignerInfo *si)
{
	int i = CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1);
	ASN1_TYPE *t;
	struct tm tm;

	if (i < 0)
		return -1;
	t = X509_ATTRIBUTE_get0_type(CMS_signed_get_attr(si, i), 0);
	NEED(ASN1_TIME_to_tm(t->value.asn1_string, &tm) == 1);
	return timegm(&tm);
}

/* The first commonName's octets are one of the list. */
static bool name_allowed(const struct trust_policy *p, X509 *x)
{
	X509_NAME *name = X509_get_subject_name(x);
	int i = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *cn;
	const void *data;
	size_t len;

	if (i < 0)
		return false;
	cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
	data = ASN1_STRING_get0_data(cn);
	len = (size_t)ASN1_STRING_length(cn);
	for (unsigned n = 0; n < p->cns; n++)
		if (len == strlen(p->cn[n]) && memcmp(data, p->cn[n], len) == 0)
			return true;
	return false;
}

/* cms_get_cert_chain(): one signer, whose chain is built a second time. */
static bool chain_again(
    const struct scene *s, CMS_ContentInfo *cms, X509_STORE *store)
{
	STACK_OF(X509) *signers = CMS_get0_signers(cms);
	STACK_OF(X509) *with = CMS_get1_certs(cms);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = sk_X509_num(signers) == 1;

	if (ok) {
		NEED(X509_STORE_CTX_init(
		         ctx, store, sk_X509_value(signers, 0), with) == 1);
		ok = X509_verify_cert(ctx) == 1 &&
		     (s->policy.cns == 0 ||
		         name_allowed(&s->policy, sk_X509_value(signers, 0)));
	}
	X509_STORE_CTX_free(ctx);
	sk_X509_free(signers);
	sk_X509_pop_free(with, X509_free);
	ERR_clear_error();
	return ok;
}

bool rauc_says(const struct scene *s)
{
	CMS_ContentInfo *cms = opened(s);
	X509_STORE *store;
	int64_t now = s->policy.now;
	bool ok = cms != NULL;

	if (ok && s->policy.time == TIME_SIGNING)
		now = signing_time(
		    sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0));
	store = make_store(s, now);
	ok = ok && now >= 0 && libcrypto_says(s, cms, store) &&
	     chain_again(s, cms, store);
	X509_STORE_free(store);
	CMS_ContentInfo_free(cms);
	return ok;
}

/* ---- paths alone */

/* The time that lifeboat judges by. */
static int64_t clock_of(const struct scene *s)
{
	const struct trust_policy *p = &s->policy;
	CMS_ContentInfo *cms;
	int64_t now = p->now;

	if (p->time == TIME_FLOOR && now < p->floor)
		now = p->floor;
	if (p->time == TIME_SIGNING) {
		cms = parse(s->cms, s->cms_len);
		now = signing_time(
		    sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0));
		CMS_ContentInfo_free(cms);
	}
	return now;
}

int path_says(const struct scene *s)
{
	static struct keyring ring;
	static char pem[1 << 17];
	CMS_ContentInfo *cms = parse(s->cms, s->cms_len);
	STACK_OF(X509) *with = CMS_get1_certs(cms);
	struct trust_now at = {clock_of(s), "by the test"};
	struct slice certs[16], signer = {0}, chain[CHAIN_MAX];
	unsigned n = 0, len;
	struct diag d = {0};
	int r;

	for (int i = 0; i < sk_X509_num(with); i++) {
		X509 *x = sk_X509_value(with, i);
		unsigned char *der = NULL;
		int size = i2d_X509(x, &der);

		NEED(size > 0 && n < 16);
		certs[n] = (struct slice){(char *)der, (size_t)size};
		if (X509_cmp(x, s->path[0]) == 0)
			signer = certs[n];
		n++;
	}
	NEED(signer.len > 0);
	memset(&ring, 0, sizeof ring);
	r = keyring_load(&ring, pem, scene_pem(s, pem, sizeof pem), &d);
	if (!r)
		r = path_search(
		    signer, &ring, certs, n, &s->policy, &at, chain, &len, &d);
	while (n > 0)
		OPENSSL_free((void *)(uintptr_t)certs[--n].p);
	sk_X509_pop_free(with, X509_free);
	CMS_ContentInfo_free(cms);
	return r;
}

struct bytes {
	uint8_t p[600];
	size_t len;
};

static void append_dn(void *ctx, const void *p, size_t len)
{
	struct bytes *b = ctx;

	NEED(b->len + len <= sizeof b->p);
	memcpy(b->p + b->len, p, len);
	b->len += len;
}

/* False when the engine cannot hold such a key. */
static bool make_anchor(br_x509_trust_anchor *ta, struct bytes *dn,
    br_x509_decoder_context *dc, X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	br_x509_pkey *key;

	br_x509_decoder_init(dc, append_dn, dn);
	br_x509_decoder_push(dc, der, (size_t)len);
	OPENSSL_free(der);
	key = br_x509_decoder_get_pkey(dc);
	if (!key)
		return false;
	/* dc, which the caller keeps, holds the key */
	ta->dn.data = dn->p;
	ta->dn.len = dn->len;
	ta->flags = BR_X509_TA_CA;
	ta->pkey = *key;
	return true;
}

unsigned engine_says(const struct scene *s)
{
	static br_x509_minimal_context mc;
	static br_x509_decoder_context dc[RING_MAX];
	static struct bytes dn[RING_MAX];
	br_x509_trust_anchor ta[RING_MAX];
	const br_x509_class **c = &mc.vtable;
	int64_t now = clock_of(s);
	size_t n = 0;

	for (unsigned i = 0; i < s->rings; i++) {
		X509 *x = s->ring[i];

		dn[n].len = 0;
		if ((s->policy.allow_partial_chain ||
		        X509_NAME_cmp(X509_get_subject_name(x),
		            X509_get_issuer_name(x)) == 0) &&
		    make_anchor(&ta[n], &dn[n], &dc[n], x))
			n++;
	}
	br_x509_minimal_init(&mc, &br_sha256_vtable, ta, n);
	br_x509_minimal_set_hash(&mc, br_sha256_ID, &br_sha256_vtable);
	br_x509_minimal_set_hash(&mc, br_sha384_ID, &br_sha384_vtable);
	br_x509_minimal_set_hash(&mc, br_sha512_ID, &br_sha512_vtable);
	br_x509_minimal_set_rsa(&mc, br_rsa_i31_pkcs1_vrfy);
	br_x509_minimal_set_ecdsa(
	    &mc, &br_ec_prime_i31, br_ecdsa_i31_vrfy_asn1);
	br_x509_minimal_set_minrsa(&mc, 256);
	br_x509_minimal_set_time(
	    &mc, (uint32_t)(now / 86400 + 719528), (uint32_t)(now % 86400));
	(*c)->start_chain(c, NULL);
	for (unsigned i = 0; i < s->paths; i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(s->path[i], &der);

		(*c)->start_cert(c, (uint32_t)len);
		(*c)->append(c, der, (size_t)len);
		(*c)->end_cert(c);
		OPENSSL_free(der);
	}
	return (*c)->end_chain(c);
}
