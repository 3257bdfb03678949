/* SPDX-License-Identifier: 0BSD */
/*
 * Whom to believe: a keyring and the rules it is used with. Parsed X.509
 * certificates point into the PEM's decoded bytes, which live in the keyring
 * itself, so a keyring can be built once and used for every bundle. Pure.
 */
#ifndef LIFEBOAT_TRUST_H
#define LIFEBOAT_TRUST_H

#include "base/base.h"
#include "base/reason.h"

#define KEYRING_CERTS 32    /* certificates in one keyring */
#define KEYRING_BYTES 49152 /* their DER, decoded from PEM, in all */
#define TRUST_CNS 8         /* entries of allowed-signer-cns */
#define TRUST_CN 64         /* ub-common-name of RFC 5280 */

/* RAUC's check-purpose; PURPOSE_SMIMESIGN is its default. */
enum purpose { PURPOSE_SMIMESIGN, PURPOSE_CODESIGN, PURPOSE_ANY };

/* What "now" is when a certificate's dates are judged. */
enum time_policy {
	TIME_CLOCK,   /* the clock, but never before floor */
	TIME_SIGNING, /* the bundle's signingTime: use-bundle-signing-time */
};

struct trust_policy {
	enum purpose purpose;
	enum time_policy time;
	int64_t now;   /* seconds since 1970: the clock, read by the caller */
	int64_t floor; /* SOURCE_DATE_EPOCH of the image; 0 for none */
	bool allow_partial_chain;
	unsigned cns; /* entries in cn; 0: every signer is allowed */
	char cn[TRUST_CNS][TRUST_CN + 1];
};

/* Filled by keyring_load; about 50 KiB, so static or a member of its owner. */
struct keyring {
	unsigned count;
	struct slice cert[KEYRING_CERTS]; /* DER, into bytes */
	size_t used;
	uint8_t bytes[KEYRING_BYTES];
};

/*
 * Adds every certificate of a PEM text (other PEM blocks are passed over).
 * Call once per file; start with {0}. R_KEYRING: malformed PEM or DER, or no
 * certificate in it; R_LIMIT: too many or too large.
 */
int keyring_load(
    struct keyring *k, const char *pem, size_t len, struct diag *d) MUST_CHECK;

#define SIGNER_NAME 256
#define CHAIN_MAX 8

/* Who signed: for people and for `info`. Text is RFC 2253-like, cut. */
struct signer {
	struct slice cert; /* DER, into the CMS */
	char subject[SIGNER_NAME];
	char issuer[SIGNER_NAME];
	char cn[TRUST_CN + 1];
	int64_t signing_time; /* seconds since 1970; valid if has_time */
	bool has_time;
	unsigned chain_len;            /* signer first, anchor last */
	struct slice chain[CHAIN_MAX]; /* DER of each */
};

/*
 * Verifies a DER CMS SignedData with inline content against the keyring:
 * signature, signed attributes, path, dates, purpose. Only when it returns 0
 * is *content (into cms) what the signer signed; in every other case it is
 * empty, and who too. Resource limits are named in cms.c and path.c.
 * Returns any R_CMS_* or R_CERT_*, R_LIMIT.
 */
int cms_verify(const uint8_t *cms, size_t len, const struct keyring *k,
    const struct trust_policy *policy, struct slice *content,
    struct signer *who, struct diag *d) MUST_CHECK;

/* "CN=..,O=.." of one DER certificate's subject and issuer, its validity and
 * SHA-256 of its SubjectPublicKeyInfo: what `info` prints of a chain. */
struct cert_view {
	char subject[SIGNER_NAME];
	char issuer[SIGNER_NAME];
	int64_t not_before, not_after;
	uint8_t spki_sha256[32];
};

int cert_describe(
    struct slice der, struct cert_view *v, struct diag *d) MUST_CHECK;

#endif
