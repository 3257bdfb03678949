/* SPDX-License-Identifier: 0BSD */
/*
 * Public keys, the algorithms they are used with, and the one question that
 * is asked of them: is this signature theirs? Signatures are taken in their
 * one canonical encoding only. Pure.
 */
#ifndef LIFEBOAT_KEY_H
#define LIFEBOAT_KEY_H

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
	bool pss;            /* RSA-PSS, MGF1 with the same hash */
	uint32_t salt;       /* of PSS: its length */
	bool null_params;    /* parameters are NULL, absent otherwise */
	struct slice params; /* any that were not understood, whole TLV */
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

size_t hash_len(enum hash_id id);

struct key {
	enum key_type type; /* KEY_UNKNOWN: one we do not verify with */
	struct alg alg;
	unsigned bits;     /* RSA modulus or EC field; 0 when not known */
	int curve;         /* EC: BearSSL's number */
	struct slice n, e; /* RSA: magnitudes */
	struct slice q;    /* EC: uncompressed point */
};

/* The next SubjectPublicKeyInfo, whole TLV. b is bad on malformed DER; a key
 * that is well-formed but not for us is KEY_UNKNOWN. */
struct slice key_read(struct buf *b, struct key *k);

/* The same key, however it is wrapped. */
bool key_same(const struct key *a, const struct key *b);

/*
 * True when signature is this key's over this digest, made by hash id, in the
 * way alg says: RSA PKCS#1 v1.5 and RSA-PSS of exactly the modulus's length
 * and below it, PKCS#1's DigestInfo with its NULL; ECDSA in strict DER with
 * values from 1 to the order less 1.
 */
bool key_verify(const struct key *k, const struct alg *alg, enum hash_id id,
    const uint8_t *digest, struct slice signature);

#endif
