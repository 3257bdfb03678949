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

/* Their DER, decoded from PEM, in all: bounds the entries of the lists, too. */
#define KEYRING_BYTES 49152
#define KEYRING_CERTS 32 /* certificates in one keyring */
#define KEYRING_CRLS 16  /* and revocation lists */
#define TRUST_CNS 8      /* entries of allowed-signer-cns */
#define TRUST_CN 64      /* ub-common-name of RFC 5280 */

/* RAUC's check-purpose; PURPOSE_SMIMESIGN is its default. */
enum purpose { PURPOSE_SMIMESIGN, PURPOSE_CODESIGN, PURPOSE_ANY };

/* What "now" is when the dates of certificates and CRLs are judged. */
enum time_policy {
	TIME_FLOOR,   /* the clock, but never before floor */
	TIME_CLOCK,   /* the clock, whatever it says */
	TIME_SIGNING, /* the signer's signingTime: use-bundle-signing-time */
};

struct trust_policy {
	enum purpose purpose;
	enum time_policy time;
	int64_t now;   /* seconds since 1970: the clock, read by the caller */
	int64_t floor; /* SOURCE_DATE_EPOCH of the image; 0 for none */
	bool allow_partial_chain;
	bool check_crl; /* every certificate and the root, as RAUC */
	/* 0: exactly one signer, as RAUC. Otherwise one or several, which must
	 * all be good, with so many different keys at least. */
	unsigned min_signers;
	unsigned cns; /* entries in cn; 0: every signer is allowed */
	char cn[TRUST_CNS][TRUST_CN + 1];
};

/* The "now" that was taken. */
struct trust_now {
	int64_t now;
	const char *by; /* for people: "by the clock" */
};

/* Of a signature that was made at *signed_at; NULL: it does not say.
 * R_CMS_ATTRS: the policy asks for that. */
int trust_now_at(const struct trust_policy *policy, const int64_t *signed_at,
    struct trust_now *at, struct diag *d) MUST_CHECK;

/* Filled by keyring_load; about 50 KiB, so static or a member of its owner. */
struct keyring {
	unsigned count;
	struct slice cert[KEYRING_CERTS]; /* DER, into bytes */
	unsigned crls;
	struct slice crl[KEYRING_CRLS];
	size_t used;
	uint8_t bytes[KEYRING_BYTES];
};

/*
 * Adds every certificate and CRL of a PEM text (other PEM blocks are passed
 * over). Call once per file; start with {0}. R_KEYRING: malformed PEM or DER,
 * nothing in it, or no certificate so far; R_LIMIT: too many or too large.
 */
int keyring_load(
    struct keyring *k, const char *pem, size_t len, struct diag *d) MUST_CHECK;

#define SIGNER_NAME 256
#define CHAIN_MAX 8
#define SIGNERS_MAX 8

/* Who signed: for people and for `info`. Text is RFC 2253-like, cut. */
struct signer {
	struct slice cert; /* DER, into the CMS */
	char subject[SIGNER_NAME];
	char issuer[SIGNER_NAME];
	char cn[TRUST_CN + 1];
	int64_t signing_time; /* seconds since 1970; valid if has_time */
	bool has_time;
	struct trust_now at;
	unsigned chain_len;            /* signer first, anchor last */
	struct slice chain[CHAIN_MAX]; /* DER of each */
	/* The certificates of all signers, the first's last; all of the above
	 * tells of the first. */
	unsigned signers;
	struct slice all[SIGNERS_MAX];
};

/*
 * Verifies a DER CMS SignedData with inline content against the keyring:
 * signature, signed attributes, path, dates, revocation, purpose, for every
 * signer. Only when it returns 0 is *content (into cms) what was signed; in
 * every other case it is empty, and who too. Resource limits are named in
 * cms.c and path.c. Returns any R_CMS_*, R_CERT_* or R_CRL_*, R_LIMIT.
 */
int cms_verify(const uint8_t *cms, size_t len, const struct keyring *k,
    const struct trust_policy *policy, struct slice *content,
    struct signer *who, struct diag *d) MUST_CHECK;

/* A signature whose content stands elsewhere (format=plain: the payload). */
enum {
	DIGEST_SHA256 = 1 << 0,
	DIGEST_SHA384 = 1 << 1,
	DIGEST_SHA512 = 1 << 2,
};

struct content_digest {
	unsigned have; /* DIGEST_*, or-ed: which of these are filled */
	/* SHA-256, SHA-384, SHA-512: each fills the front of its row */
	uint8_t of[3][64];
};

/* True when the content is not in it. This reads and does not verify. */
bool cms_is_detached(const uint8_t *cms, size_t len);

/*
 * As cms_verify, of a detached signature. What content has already is compared
 * (R_CMS_DIGEST); what it lacks and the signature is over is added: 0 means
 * that what has these digests was signed. Inline content is R_CMS_INLINE.
 */
int cms_verify_detached(const uint8_t *cms, size_t len,
    struct content_digest *content, const struct keyring *k,
    const struct trust_policy *policy, struct signer *who,
    struct diag *d) MUST_CHECK;

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
