/* SPDX-License-Identifier: 0BSD */
#include "trust_pki.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const kind_name[KINDS] = {"rsa2048", "rsa3072", "rsa4096",
    "rsa2049", "p256", "p384", "p521", "rsa1024", "rsa4104", "rsa-pss", "p224",
    "k1", "brainpool", "compressed", "ed25519", "ed448"};

void need(bool ok, const char *what, int line)
{
	if (ok)
		return;
	fprintf(stderr, "trust_pki: line %d: %s\n", line, what);
	ERR_print_errors_fp(stderr);
	exit(2);
}

/* RSA for PSS only, or P-256 with another encoding. */
static EVP_PKEY *make_odd_key(enum kind kind)
{
	const char *type = kind == RSA_PSS ? "RSA-PSS" : "EC";
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *k = NULL;

	NEED(EVP_PKEY_keygen_init(ctx) == 1);
	if (kind == RSA_PSS)
		NEED(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1);
	else
		NEED(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(
		         ctx, NID_X9_62_prime256v1) == 1);
	NEED(EVP_PKEY_keygen(ctx, &k) == 1);
	if (kind == COMPRESSED)
		NEED(EVP_PKEY_set_utf8_string_param(k,
		         OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
		         OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED) == 1);
	EVP_PKEY_CTX_free(ctx);
	return k;
}

static EVP_PKEY *make_key(enum kind kind)
{
	static const struct {
		unsigned bits;
		const char *curve;
	} how[KINDS] = {
	    [RSA2048] = {2048, NULL},
	    [RSA3072] = {3072, NULL},
	    [RSA4096] = {4096, NULL},
	    [RSA2049] = {2049, NULL},
	    [RSA1024] = {1024, NULL},
	    [RSA4104] = {4104, NULL},
	    [P256] = {0, "P-256"},
	    [P384] = {0, "P-384"},
	    [P521] = {0, "P-521"},
	    [P224] = {0, "P-224"},
	    [K1] = {0, "secp256k1"},
	    [BRAINPOOL] = {0, "brainpoolP256r1"},
	};

	if (kind == ED25519 || kind == ED448)
		return EVP_PKEY_Q_keygen(
		    NULL, NULL, kind == ED448 ? "ED448" : "ED25519");
	if (how[kind].bits)
		return EVP_RSA_gen(how[kind].bits);
	return how[kind].curve ? EVP_EC_gen(how[kind].curve)
	                       : make_odd_key(kind);
}

static const char *keys_folder;

void keys_in(const char *folder)
{
	keys_folder = folder;
}

static EVP_PKEY *load_key(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *k;

	if (!f)
		return NULL;
	k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	return k;
}

/* Under its name at once, or not at all: another process may do the same. */
static void save_key(EVP_PKEY *k, const char *path)
{
	char temporary[300];
	FILE *f;

	snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
	f = fopen(temporary, "w");
	need(f != NULL, temporary, __LINE__);
	NEED(PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1);
	NEED(fclose(f) == 0);
	NEED(rename(temporary, path) == 0);
}

EVP_PKEY *key_of(enum kind kind, enum role role)
{
	static EVP_PKEY *keys[KINDS][ROLES];
	EVP_PKEY **k = &keys[kind][role];
	char path[256];

	if (*k)
		return *k;
	snprintf(
	    path, sizeof path, "%s/%s-%u", keys_folder, kind_name[kind], role);
	*k = load_key(path);
	if (!*k) {
		*k = make_key(kind);
		NEED(*k != NULL);
		save_key(*k, path);
	}
	return *k;
}

static const EVP_MD *digest(EVP_PKEY *key, const struct sig *sig)
{
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return NULL;
	return EVP_get_digestbyname(sig->md ? sig->md : "sha256");
}

static void pad(EVP_PKEY_CTX *ctx, EVP_PKEY *key, const struct sig *sig)
{
	if (!sig->pss || !EVP_PKEY_is_a(key, "RSA"))
		return;
	NEED(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1);
	NEED(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, sig->salt) == 1);
	if (sig->mgf)
		NEED(EVP_PKEY_CTX_set_rsa_mgf1_md(
		         ctx, EVP_get_digestbyname(sig->mgf)) == 1);
}

static EVP_MD_CTX *signing(EVP_PKEY *key, const struct sig *sig)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;

	NEED(EVP_DigestSignInit(m, &ctx, digest(key, sig), NULL, key) == 1);
	pad(ctx, key, sig);
	return m;
}

static ASN1_INTEGER *next_serial(void)
{
	static long serial = 0x1000;
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	NEED(ASN1_INTEGER_set(n, ++serial) == 1);
	return n;
}

/* NULL when no part is wanted. */
static AUTHORITY_KEYID *make_aki(const struct aki *a, X509 *issuer)
{
	AUTHORITY_KEYID *k = AUTHORITY_KEYID_new();
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(issuer);
	GENERAL_NAME *g;

	if (a->id != ABSENT && ski) {
		k->keyid = ASN1_OCTET_STRING_dup(ski);
		if (a->id == WRONG)
			k->keyid->data[0] ^= 1;
	}
	if (a->issuer != ABSENT) {
		g = GENERAL_NAME_new();
		g->type = GEN_DIRNAME;
		g->d.directoryName =
		    X509_NAME_dup(X509_get_issuer_name(issuer));
		if (a->issuer == WRONG)
			NEED(
			    X509_NAME_add_entry_by_txt(g->d.directoryName, "OU",
			        MBSTRING_ASC, (const unsigned char *)"else", -1,
			        -1, 0) == 1);
		k->issuer = GENERAL_NAMES_new();
		sk_GENERAL_NAME_push(k->issuer, g);
	}
	if (a->serial == RIGHT)
		k->serial = ASN1_INTEGER_dup(X509_get0_serialNumber(issuer));
	else if (a->serial == WRONG)
		k->serial = next_serial();
	return k;
}

static X509_EXTENSION *next_ext(char **line, X509V3_CTX *ctx)
{
	char *name = *line, *end = strchr(name, '|'), *eq;
	X509_EXTENSION *e;

	*line = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	eq = strchr(name, '=');
	NEED(eq != NULL);
	*eq = '\0';
	e = X509V3_EXT_nconf(NULL, ctx, name, eq + 1);
	need(e != NULL, name, __LINE__);
	return e;
}

static bool any(const struct aki *a)
{
	return a->id != ABSENT || a->issuer != ABSENT || a->serial != ABSENT;
}

static void add_exts(X509 *x, X509 *issuer, const struct cert_spec *s)
{
	char text[512], *line = text;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	snprintf(text, sizeof text, "%s", s->ext ? s->ext : "");
	while (line && *line) {
		X509_EXTENSION *e = next_ext(&line, &ctx);

		NEED(X509_add_ext(x, e, -1) == 1);
		X509_EXTENSION_free(e);
	}
	if (any(&s->aki)) {
		AUTHORITY_KEYID *k = make_aki(&s->aki, issuer);

		NEED(X509_add1_ext_i2d(
		         x, NID_authority_key_identifier, k, 0, 0) == 1);
		AUTHORITY_KEYID_free(k);
	}
}

/* Without libcrypto's limits on types and lengths. */
static void add_cn(X509_NAME *name, const char *cn, int type, int len)
{
	X509_NAME_ENTRY *e = X509_NAME_ENTRY_new();
	ASN1_STRING *v = ASN1_STRING_type_new(type ? type : V_ASN1_UTF8STRING);

	NEED(ASN1_STRING_set(v, cn, len ? len : -1) == 1);
	NEED(X509_NAME_ENTRY_set_object(e, OBJ_nid2obj(NID_commonName)) == 1);
	NEED(X509_NAME_ENTRY_set_data(e, ASN1_STRING_type(v),
	         ASN1_STRING_get0_data(v), ASN1_STRING_length(v)) == 1);
	NEED(X509_NAME_add_entry(name, e, -1, 0) == 1);
	ASN1_STRING_free(v);
	X509_NAME_ENTRY_free(e);
}

X509 *cert_make(const struct cert_spec *s)
{
	X509 *x = X509_new(), *issuer = s->issuer ? s->issuer : x, *again;
	X509_NAME *name = X509_get_subject_name(x);
	ASN1_INTEGER *serial = next_serial();
	EVP_PKEY *by = s->by ? s->by : s->key;
	EVP_MD_CTX *m = signing(by, &s->sig);
	unsigned char *der = NULL;
	const unsigned char *p;
	int len;

	NEED(X509_set_version(x, s->v1 ? 0 : 2) == 1);
	NEED(X509_set_serialNumber(x, serial) == 1);
	ASN1_INTEGER_free(serial);
	if (s->cn)
		add_cn(name, s->cn, s->cn_type, s->cn_len);
	else
		NEED(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
		         (const unsigned char *)"Nameless", -1, -1, 0) == 1);
	if (s->more)
		add_cn(name, s->more, 0, 0);
	NEED(X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1);
	NEED(ASN1_TIME_set(X509_getm_notBefore(x), s->from) != NULL);
	NEED(ASN1_TIME_set(X509_getm_notAfter(x), s->to) != NULL);
	NEED(X509_set_pubkey(x, s->key) == 1);
	if (!s->v1)
		add_exts(x, issuer, s);
	NEED(X509_sign_ctx(x, m) > 0);
	EVP_MD_CTX_free(m);
	/* What libcrypto has read, and not what it has built. */
	len = i2d_X509(x, &der);
	p = der;
	again = d2i_X509(NULL, &p, len);
	NEED(again != NULL);
	OPENSSL_free(der);
	X509_free(x);
	return again;
}

static void add_revoked(X509_CRL *c, const struct crl_spec *s)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, s->from);
	ASN1_ENUMERATED *why = ASN1_ENUMERATED_new();

	NEED(X509_REVOKED_set_serialNumber(
	         r, X509_get_serialNumber(s->revoked)) == 1);
	NEED(X509_REVOKED_set_revocationDate(r, t) == 1);
	NEED(ASN1_ENUMERATED_set(why, s->reason) == 1);
	if (s->reason >= 0)
		NEED(X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, why, 0, 0) ==
		     1);
	NEED(X509_CRL_add0_revoked(c, r) == 1);
	ASN1_ENUMERATED_free(why);
	ASN1_TIME_free(t);
}

static void add_crl_exts(X509_CRL *c, const struct crl_spec *s)
{
	char text[256], *line = text;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, s->issuer, NULL, NULL, c, 0);
	X509V3_set_ctx_nodb(&ctx);
	snprintf(text, sizeof text, "%s", s->ext ? s->ext : "");
	while (line && *line) {
		X509_EXTENSION *e = next_ext(&line, &ctx);

		NEED(X509_CRL_add_ext(c, e, -1) == 1);
		X509_EXTENSION_free(e);
	}
	if (any(&s->aki)) {
		AUTHORITY_KEYID *k = make_aki(&s->aki, s->issuer);

		NEED(X509_CRL_add1_ext_i2d(
		         c, NID_authority_key_identifier, k, 0, 0) == 1);
		AUTHORITY_KEYID_free(k);
	}
}

X509_CRL *crl_make(const struct crl_spec *s)
{
	X509_CRL *c = X509_CRL_new(), *again;
	EVP_MD_CTX *m = signing(s->by, &s->sig);
	ASN1_TIME *t = ASN1_TIME_set(NULL, s->from);
	unsigned char *der = NULL;
	const unsigned char *p;
	int len;

	NEED(s->v1 || X509_CRL_set_version(c, 1) == 1);
	NEED(
	    X509_CRL_set_issuer_name(c, X509_get_subject_name(s->issuer)) == 1);
	NEED(X509_CRL_set1_lastUpdate(c, t) == 1);
	if (s->to) {
		NEED(ASN1_TIME_set(t, s->to) != NULL);
		NEED(X509_CRL_set1_nextUpdate(c, t) == 1);
	}
	ASN1_TIME_free(t);
	if (s->revoked)
		add_revoked(c, s);
	if (!s->v1)
		add_crl_exts(c, s);
	NEED(X509_CRL_sign_ctx(c, m) > 0);
	EVP_MD_CTX_free(m);
	len = i2d_X509_CRL(c, &der);
	p = der;
	again = d2i_X509_CRL(NULL, &p, len);
	NEED(again != NULL);
	OPENSSL_free(der);
	X509_CRL_free(c);
	return again;
}

CMS_SignerInfo *signer_add(CMS_ContentInfo *cms, X509 *cert, EVP_PKEY *key,
    const struct sig *sig, unsigned flags, int64_t signing_time)
{
	CMS_SignerInfo *si = CMS_add1_signer(cms, cert, key, digest(key, sig),
	    flags | CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP | CMS_KEY_PARAM);
	ASN1_TIME *t = ASN1_TIME_set(NULL, signing_time);

	NEED(si != NULL);
	pad(CMS_SignerInfo_get0_pkey_ctx(si), key, sig);
	if (signing_time)
		NEED(CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime,
		         ASN1_STRING_type(t), t, -1) == 1);
	ASN1_TIME_free(t);
	return si;
}

/* ---- what i2d does not write */

struct tlv {
	const unsigned char *raw, *body;
	size_t raw_len, len;
	unsigned char tag;
};

/* The next one; *p moves behind it. */
static struct tlv next_tlv(const unsigned char **p, const unsigned char *end)
{
	struct tlv t = {.raw = *p, .tag = **p};
	const unsigned char *q = *p;
	int tag, class;
	long n;

	NEED(!(ASN1_get_object(&q, &n, &tag, &class, end - q) & 0x80));
	t.body = q;
	t.len = (size_t)n;
	*p = q + n;
	t.raw_len = (size_t)(*p - t.raw);
	return t;
}

/* In front of the len bytes that end at end: tag and length. */
static unsigned char *wrap(unsigned char *at, unsigned char tag, size_t len)
{
	NEED(len >= 256 && len < 65536);
	at -= 4;
	at[0] = tag;
	at[1] = 0x82;
	at[2] = (unsigned char)(len >> 8);
	at[3] = (unsigned char)len;
	return at;
}

static unsigned char *put(unsigned char *at, const void *p, size_t len)
{
	return memcpy(at - len, p, len);
}

void certs_rewrite(unsigned char **der, size_t *len, enum rewrite how)
{
	static unsigned char room[1 << 16];
	unsigned char *end = room + sizeof room, *at = end, *certs_end;
	const unsigned char *p = *der, *stop = p + *len;
	struct tlv outer = next_tlv(&p, stop), oid, inner, data, certs, one;
	const unsigned char *rest;

	p = outer.body;
	oid = next_tlv(&p, stop);
	inner = next_tlv(&p, stop);
	p = inner.body;
	data = next_tlv(&p, stop);
	p = data.body;
	for (int i = 0; i < 3; i++)
		(void)next_tlv(&p, stop);
	certs = next_tlv(&p, stop);
	NEED(certs.tag == 0xa0);
	rest = certs.body + certs.len;

	/* from the end to the beginning */
	at = put(at, rest, (size_t)(data.body + data.len - rest));
	certs_end = at;
	p = certs.body;
	if (how == DOUBLED) {
		one = next_tlv(&p, rest);
		at = put(at, one.raw, one.raw_len);
		at = put(at, certs.body, certs.len);
	} else {
		while (p < rest) {
			one = next_tlv(&p, rest);
			at = put(at, one.raw, one.raw_len);
		}
	}
	at = wrap(at, 0xa0, (size_t)(certs_end - at));
	at = put(at, data.body, (size_t)(certs.raw - data.body));
	at = wrap(at, 0x30, (size_t)(end - at));
	at = wrap(at, 0xa0, (size_t)(end - at));
	at = put(at, oid.raw, oid.raw_len);
	at = wrap(at, 0x30, (size_t)(end - at));
	OPENSSL_free(*der);
	*len = (size_t)(end - at);
	*der = OPENSSL_memdup(at, *len);
	NEED(*der != NULL);
}

static void set_recipients(CMS_ContentInfo *cms, const struct envelope_spec *s)
{
	STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);

	for (int i = 0; i < sk_CMS_RecipientInfo_num(all); i++) {
		CMS_RecipientInfo *ri = sk_CMS_RecipientInfo_value(all, i);
		EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
		bool agrees = CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_AGREE;

		if (s->oaep && !agrees)
			NEED(EVP_PKEY_CTX_set_rsa_padding(
			         ctx, RSA_PKCS1_OAEP_PADDING) == 1);
		if (s->kdf && agrees)
			NEED(EVP_PKEY_CTX_set_ecdh_kdf_md(
			         ctx, EVP_get_digestbyname(s->kdf)) == 1);
	}
}

unsigned char *envelope_make(const unsigned char *der, size_t *len,
    STACK_OF(X509) * to, const struct envelope_spec *s)
{
	unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_KEY_PARAM |
	                 (s->keyid ? CMS_USE_KEYID : 0);
	CMS_ContentInfo *cms = CMS_encrypt(
	    NULL, NULL, s->cipher ? s->cipher : EVP_aes_256_cbc(), flags);
	BIO *in = BIO_new_mem_buf(der, (int)*len);
	unsigned char *out = NULL;
	int n;

	NEED(cms != NULL);
	for (int i = 0; i < sk_X509_num(to); i++)
		NEED(CMS_add1_recipient_cert(
		         cms, sk_X509_value(to, i), flags) != NULL);
	set_recipients(cms, s);
	NEED(CMS_final(cms, in, NULL, flags) == 1);
	n = i2d_CMS_ContentInfo(cms, &out);
	NEED(n > 0);
	*len = (size_t)n;
	BIO_free(in);
	CMS_ContentInfo_free(cms);
	return out;
}
