/* SPDX-License-Identifier: 0BSD */
/*
 * Keys, certificates, CRLs and signatures for comparisons, made by libcrypto
 * in this process. Whatever cannot be made ends the program: a matrix with
 * holes proves nothing.
 */
#ifndef LIFEBOAT_TRUST_PKI_H
#define LIFEBOAT_TRUST_PKI_H

#include <openssl/cms.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>

enum kind {
	RSA2048,
	RSA3072,
	RSA4096,
	RSA2049, /* one octet of the modulus has one bit */
	P256,
	P384,
	P521,
	/* what lifeboat does not take */
	RSA1024,
	RSA4104,
	RSA_PSS,
	P224,
	K1,
	BRAINPOOL,
	COMPRESSED, /* P-256, of the point only x */
	ED25519,
	ED448,
	KINDS
};
extern const char *const kind_name[KINDS];

/* The one key of a kind that plays this role; made when first asked for, and
 * kept in the folder that keys_in() names. */
void keys_in(const char *folder);
enum role { LEAF, THIRD, SUB, INT, ROOT, OTHER, ROLES };
EVP_PKEY *key_of(enum kind kind, enum role role);

/* How something is signed; md NULL: SHA-256, or what the key wants. */
struct sig {
	const char *md;
	bool pss;
	int salt; /* RSA_PSS_SALTLEN_DIGEST, _MAX, or octets */
	const char *mgf;
};

/* The parts of an authorityKeyIdentifier. */
enum part { ABSENT, RIGHT, WRONG, PARTS };
struct aki {
	enum part id, issuer, serial;
};

struct cert_spec {
	const char *cn;
	int cn_type;      /* V_ASN1_*; 0: UTF8String */
	int cn_len;       /* in octets; 0: it ends in NUL */
	const char *more; /* another commonName behind it; NULL: none */
	EVP_PKEY *key;
	X509 *issuer; /* NULL: self-signed */
	EVP_PKEY *by; /* NULL: key */
	struct sig sig;
	const char *ext; /* openssl.cnf lines, separated by '|' */
	struct aki aki;
	int64_t from, to;
	bool v1;
};
X509 *cert_make(const struct cert_spec *s);

struct crl_spec {
	X509 *issuer;
	EVP_PKEY *by;
	struct sig sig;
	struct aki aki;
	X509 *revoked;    /* NULL: none */
	int reason;       /* -1: none */
	int64_t from, to; /* to 0: no nextUpdate */
	const char *ext;
	bool v1;
};
X509_CRL *crl_make(const struct crl_spec *s);

/* Adds a signer; signing_time 0: none but now. */
CMS_SignerInfo *signer_add(CMS_ContentInfo *cms, X509 *cert, EVP_PKEY *key,
    const struct sig *sig, unsigned flags, int64_t signing_time);

/* The same SignedData with its certificates in another way, which i2d cannot
 * write: one behind the other from the last to the first; or the first one
 * once more. Replaces *der and *len. */
enum rewrite { REVERSED, DOUBLED };
void certs_rewrite(unsigned char **der, size_t *len, enum rewrite how);

/* EnvelopedData around der for all of to. kdf: of key agreement, or NULL. */
struct envelope_spec {
	const EVP_CIPHER *cipher;
	bool oaep;
	const char *kdf;
	bool keyid; /* names the recipient by its key's identifier */
};
unsigned char *envelope_make(const unsigned char *der, size_t *len,
    STACK_OF(X509) * to, const struct envelope_spec *s);

#define NEED(x) need((x), #x, __LINE__)
void need(bool ok, const char *what, int line);

#endif
