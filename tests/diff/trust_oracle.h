/* SPDX-License-Identifier: 0BSD */
/*
 * The verdicts on one scene: lifeboat's, libcrypto's as `openssl cms -verify`
 * asks for it, the same as RAUC 1.8 asks for it, and that of BearSSL's own
 * path engine.
 */
#ifndef LIFEBOAT_TRUST_ORACLE_H
#define LIFEBOAT_TRUST_ORACLE_H

#include "bundle/path.h"
#include "trust_pki.h"

#define RING_MAX 12
#define PATH_MAX_CERTS 6

enum format { VERITY, PLAIN, CRYPT, FORMATS };

struct scene {
	X509 *ring[RING_MAX];
	unsigned rings;
	X509_CRL *crl[RING_MAX];
	unsigned crls;
	struct trust_policy policy;
	enum format format;
	/* the bundle: what stands before the signature; of format=plain, what
	 * the signature has to be of */
	const unsigned char *payload;
	size_t payload_len;
	unsigned char *cms; /* SignedData */
	size_t cms_len;
	/* the same without certificates that lead nowhere; NULL */
	unsigned char *alone;
	size_t alone_len;
	unsigned char *envelope; /* around cms; NULL: none */
	size_t envelope_len;
	EVP_PKEY *device;  /* opens the envelope; NULL: there is none */
	X509 *device_cert; /* NULL: none */
	/* signer first, without the anchor: what the second engine is given */
	X509 *path[PATH_MAX_CERTS];
	unsigned paths;
};

/* 0 or the reason, of bundle_open of the whole bundle; of what stands in an
 * envelope its own reason, though people are not told. */
int lifeboat_says(const struct scene *s, struct diag *d);

/* As openssl, which takes any number of signers and knows no signing time. */
bool openssl_says(const struct scene *s);

/* As RAUC: exactly one signer, purposes of its own, the signing time; and the
 * names of signers, as RAUC 1.15 has them. */
bool rauc_says(const struct scene *s);

/* Of the path alone, from the signer's certificate with those that the
 * signature brings: 0 or the reason; 0 or BearSSL's number. */
int path_says(const struct scene *s);
unsigned engine_says(const struct scene *s);

/* The keyring as PEM; returns its length. */
size_t scene_pem(const struct scene *s, char *dst, size_t cap);

/* The whole bundle; as above. */
size_t scene_bundle(const struct scene *s, unsigned char *dst, size_t cap);

#endif
