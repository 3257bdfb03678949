/* SPDX-License-Identifier: 0BSD */
/*
 * Certificate revocation lists (RFC 5280, 5), complete and direct ones: what
 * restricts their scope (issuingDistributionPoint, deltas, entries of other
 * issuers) is refused, never passed over. Pure.
 */
#ifndef LIFEBOAT_CRL_H
#define LIFEBOAT_CRL_H

#include "bundle/trust.h"
#include "bundle/x509.h"

struct crl {
	struct x509_signed sig;
	struct slice issuer; /* whole TLV */
	int64_t this_update, next_update;
	bool has_next;
	uint32_t version;     /* 0: v1, without extensions; 1: v2 */
	struct slice revoked; /* the entries, one behind the other */
	struct authority_key aki;
	/* An extension that restricts it, or is critical; empty: none. */
	struct slice unhandled;
};

/* Reads a CRL, which must fill der, with all its entries. R_CRL_BAD. */
int crl_parse(struct slice der, struct crl *c, struct diag *d) MUST_CHECK;

/*
 * 0 when the newest CRL of issuer in the keyring is current and signed by it,
 * and none that it signed, however old, lists the serial number; subject is
 * whose that is, for people.
 * R_CRL_MISSING, R_CRL_NOT_YET, R_CRL_EXPIRED, R_CRL_BAD, R_CERT_REVOKED.
 */
int crl_check(const struct keyring *k, struct slice serial,
    struct slice subject, const struct cert *issuer, const struct trust_now *at,
    struct diag *d) MUST_CHECK;

#endif
