/* SPDX-License-Identifier: 0BSD */
/*
 * One X.509 certificate: reading, never judging.
 * What a certificate may be used for is decided in path.c. All slices point
 * into the certificate's DER, which outlives the view. Pure.
 */
#ifndef LIFEBOAT_X509_H
#define LIFEBOAT_X509_H

#include "bundle/key.h"

/* keyUsage bits, as X.509 numbers them */
enum {
	KU_DIGITAL_SIGNATURE = 0x80,
	KU_NON_REPUDIATION = 0x40,
	KU_CERT_SIGN = 0x04,
	KU_CRL_SIGN = 0x02,
};
/* extKeyUsage purposes */
enum { EKU_CODE_SIGNING = 1, EKU_EMAIL = 2 };

/* What X.509 wraps around all that is signed. */
struct x509_signed {
	struct slice tbs;
	struct alg alg;
	struct slice alg_raw; /* whole TLV; it has to stand in tbs, too */
	struct slice value;
};

/* Reads the wrapping, which must fill der; a reader of the contents of tbs,
 * which is bad when anything is malformed. */
struct buf x509_unwrap(struct slice der, struct x509_signed *s);

struct authority_key {
	struct slice id;     /* keyIdentifier; p NULL: none */
	struct slice issuer; /* the first Name of authorityCertIssuer */
	struct slice serial; /* authorityCertSerialNumber; p NULL: none */
};

/* The contents of an authorityKeyIdentifier; makes v bad. */
struct authority_key authority_key_read(struct buf *v);

/* The next extension, which must occur once in list, the reader of all of
 * them: NULL, or what is wrong with it. */
const char *extension_next(
    struct buf *list, struct slice *oid, bool *critical, struct slice *value);

struct cert {
	struct slice der;
	struct x509_signed sig;
	struct slice serial;          /* contents of the INTEGER */
	struct slice issuer, subject; /* whole TLV: compared byte by byte */
	int64_t not_before, not_after;
	struct slice spki; /* whole TLV */
	struct key key;
	bool ca; /* basicConstraints: cA */
	bool has_pathlen;
	uint32_t pathlen;
	bool has_ku;
	uint8_t ku; /* the first eight bits */
	bool has_eku;
	unsigned eku;     /* the purposes above; others are not kept */
	struct slice ski; /* key identifier; p NULL: none */
	struct authority_key aki;
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

/* True when issuer's name and key identifiers fit: its key is worth trying on
 * what names this issuer. */
bool x509_names_issuer(struct slice name, const struct authority_key *aki,
    const struct cert *issuer);

/* True when c says that it is signed with its own key. */
bool x509_self_signed(const struct cert *c);

/* Verifies a signature, of which what (a name) tells, with issuer's key.
 * R_CERT_ALGORITHM, R_CERT_KEY, R_CERT_SIGNATURE. */
int x509_check_signature(const struct x509_signed *s, struct slice subject,
    const struct cert *issuer, struct diag *d) MUST_CHECK;

/* R_CERT_KEY unless the key is one we verify with, and strong enough. */
int x509_check_key(const struct cert *c, struct diag *d) MUST_CHECK;

/* The next Name, whole; makes b bad when it is not one of text. */
struct slice name_read(struct buf *b);

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
