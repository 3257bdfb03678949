/* SPDX-License-Identifier: 0BSD */
/*
 * One X.509 certificate, its algorithms and its key: reading, never judging.
 * What a certificate may be used for is decided in path.c. All slices point
 * into the certificate's DER, which outlives the view. Pure.
 */
#ifndef LIFEBOAT_X509_H
#define LIFEBOAT_X509_H

#include "base/reason.h"
#include "bundle/der.h"

enum key_type { KEY_UNKNOWN, KEY_RSA, KEY_EC };

/* BearSSL's numbers, which its vtables carry. */
enum hash_id { HASH_NONE = 0, HASH_SHA256 = 4, HASH_SHA384, HASH_SHA512 };
#define HASH_MAX 64

/* An AlgorithmIdentifier. */
struct alg {
	struct slice oid;
	/* What the table knows of it; all zero when it does not. */
	enum key_type key;   /* of a public key or a signature */
	enum hash_id hash;   /* of a digest or a signature */
	bool null_params;    /* parameters are NULL, absent otherwise */
	struct slice params; /* any other parameters, whole TLV */
};

/* The next AlgorithmIdentifier; makes b bad when it is malformed. */
struct alg alg_read(struct buf *b);

/* True when it has no parameters but, if allowed, a NULL. */
bool alg_plain(const struct alg *a, bool null_allowed);

#define ALG_TEXT (OID_TEXT + 24)
/* "SHA-1 (1.3.14.3.2.26)" or the bare number, into dst (ALG_TEXT bytes). */
void alg_text(char *dst, const struct alg *a);

/* SHA-256, 384 or 512 of a and then b; returns its length. id is not
 * HASH_NONE. */
size_t hash_two(
    enum hash_id id, struct slice a, struct slice b, uint8_t out[HASH_MAX]);

struct key {
	enum key_type type; /* KEY_UNKNOWN: one we do not verify with */
	struct alg alg;
	unsigned bits;     /* RSA modulus or EC field; 0 when not known */
	int curve;         /* EC: BearSSL's number */
	struct slice n, e; /* RSA: magnitudes */
	struct slice q;    /* EC: uncompressed point */
};

/* True when signature is this key's over this digest: RSA PKCS#1 v1.5 or
 * ECDSA in strict DER. */
bool key_verify(const struct key *k, enum hash_id id, const uint8_t *digest,
    struct slice signature);

/* keyUsage bits, as X.509 numbers them */
enum {
	KU_DIGITAL_SIGNATURE = 0x80,
	KU_NON_REPUDIATION = 0x40,
	KU_CERT_SIGN = 0x04
};
/* extKeyUsage purposes */
enum { EKU_CODE_SIGNING = 1, EKU_EMAIL = 2 };

struct cert {
	struct slice der;
	struct slice tbs;
	struct slice serial;          /* contents of the INTEGER */
	struct slice issuer, subject; /* whole TLV: compared byte by byte */
	int64_t not_before, not_after;
	struct slice spki; /* whole TLV */
	struct key key;
	struct alg sig_alg;
	struct slice signature;
	bool ca; /* basicConstraints: cA */
	bool has_pathlen;
	uint32_t pathlen;
	bool has_ku;
	uint8_t ku; /* the first eight bits */
	bool has_eku;
	unsigned eku;            /* the purposes above; others are not kept */
	struct slice ski, aki;   /* key identifiers; empty: none */
	struct slice aki_serial; /* authorityCertSerialNumber; empty: none */
	/* An extension that must be understood and is not; empty: none. */
	struct slice unhandled;
};

/*
 * Reads one certificate, which must fill der. Extensions: each at most once;
 * unknown ones that are not critical are passed over. A key or an algorithm
 * that cannot be verified here is no error before it is needed.
 * R_CERT_SYNTAX: the text names the part.
 */
int x509_parse(struct slice der, struct cert *c, struct diag *d) MUST_CHECK;

/* True when issuer's name and key identifiers fit c: worth trying its key. */
bool x509_names_issuer(const struct cert *c, const struct cert *issuer);

/* Verifies c's signature with issuer's key. R_CERT_ALGORITHM, R_CERT_KEY,
 * R_CERT_SIGNATURE. */
int x509_check_signature(
    const struct cert *c, const struct cert *issuer, struct diag *d) MUST_CHECK;

/* R_CERT_KEY unless the key is one we verify with, and strong enough. */
int x509_check_key(const struct cert *c, struct diag *d) MUST_CHECK;

/* A Name as "CN=..,O=.." (last part first; other characters than printable
 * ASCII as \XX) into dst, NUL-terminated and cut to cap. */
void name_text(char *dst, size_t cap, struct slice name);

/*
 * The first commonName of a Name. False, and empty, when there is none, or
 * its type or a character in it is not one that can be compared byte by byte:
 * UTF8String, PrintableString, IA5String without control characters.
 */
bool name_cn(struct slice name, struct slice *cn);

#endif
