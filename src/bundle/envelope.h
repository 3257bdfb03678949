/* SPDX-License-Identifier: 0BSD */
/*
 * CMS EnvelopedData (RFC 5652, 5753, 3560), as format=crypt puts it around the
 * signature: who can open it, and what is inside. Nothing in an envelope is
 * authenticated: what it holds is believed once its own signature is verified,
 * and until then every failure has to look the same from outside. Pure.
 */
#ifndef LIFEBOAT_ENVELOPE_H
#define LIFEBOAT_ENVELOPE_H

#include "base/base.h"
#include "base/reason.h"

#define RECIPIENT_KEY 4096  /* bytes of a private key's DER */
#define RECIPIENT_CERT 8192 /* and of its certificate's */

enum recipient_type { RECIPIENT_NONE, RECIPIENT_RSA, RECIPIENT_EC };

/* A device's key, secret; all slices point into key or cert. */
struct recipient {
	enum recipient_type type;
	/* RSA: magnitudes; the modulus's bits are n's */
	struct slice n, p, q, dp, dq, iq;
	/* EC: BearSSL's number of the curve, and the scalar */
	int curve;
	struct slice x;
	/* Of the certificate, if there is one: whole TLVs, and the key id. */
	struct slice issuer, serial, ski;
	uint8_t key[RECIPIENT_KEY];
	uint8_t cert[RECIPIENT_CERT];
};

/*
 * Reads a private key, PEM, not encrypted: PKCS#8, PKCS#1 (RSA PRIVATE KEY) or
 * SEC1 (EC PRIVATE KEY); RSA of 2048 to 4096 bits or EC on P-256, P-384,
 * P-521. R_CRYPT_CONF: anything else, by name.
 */
int recipient_load(struct recipient *r, const char *pem, size_t len,
    struct diag *d) MUST_CHECK;

/* Its certificate, PEM: only what is encrypted to it is then tried, and once
 * only; without, up to 16 recipients of the key's kind are. R_CRYPT_CONF. */
int recipient_load_cert(struct recipient *r, const char *pem, size_t len,
    struct diag *d) MUST_CHECK;

/* Leaves nothing of it in memory. */
void recipient_wipe(struct recipient *r);

/* True when this is an EnvelopedData, or AuthEnvelopedData. */
bool envelope_is(const uint8_t *cms, size_t len);

/*
 * Decrypts into dst, which has room for len bytes, and sets *n to where the
 * first element in it ends, 0 when there is none; a key that does not open it
 * on a SignedData of 256 bytes or more is not this device's. *whole tells
 * whether what follows is the padding and nothing else; to ask before the
 * signature is verified is to tell others. Whatever depends on the key, and so
 * on secrets, is no failure here; those say what the envelope, which everybody
 * can read, is: R_CMS_SYNTAX, R_CMS_BER, R_CMS_TYPE, R_CMS_ALGORITHM,
 * R_CMS_VERSION; R_CRYPT_KEY when none of it is for r, R_LIMIT when too much
 * may be; R_CMS_ENCRYPTED when r is NULL. Of the keys it leaves nothing in
 * memory.
 */
int envelope_open(const struct recipient *r, const uint8_t *cms, size_t len,
    uint8_t *dst, size_t *n, bool *whole, struct diag *d) MUST_CHECK;

/* R_CRYPT_KEY with that text: for all that is wrong with what came out, until
 * its signature is verified. */
int envelope_failed(struct diag *d);

#endif
