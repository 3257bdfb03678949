/* SPDX-License-Identifier: 0BSD */
/*
 * From a signer's certificate to one the keyring trusts. Every candidate
 * issuer is tried (rotated CAs share a name), depth first, without
 * recursion; a path that reaches an anchor is then judged as a whole. Pure.
 */
#ifndef LIFEBOAT_PATH_H
#define LIFEBOAT_PATH_H

#include "bundle/trust.h"
#include "bundle/x509.h"

/*
 * Anchors are the keyring's self-signed certificates, and all of the
 * keyring's with allow_partial_chain; an anchor that is itself the signer
 * need not be a CA. Intermediates come from the keyring and from certs (count
 * of them, as the bundle brought them). at is what dates are judged by.
 *
 * On success chain holds the DER of signer first and anchor last. Otherwise
 * the most telling reason: what is wrong with a path that does lead to an
 * anchor, else why a link does not hold, else R_CERT_UNKNOWN. With check_crl
 * all paths are looked at, and a revoked certificate on any of them refuses:
 * its key may have made the others. So does a path that cannot be looked at,
 * being too long (R_CERT_PATHLEN) or one too many (R_LIMIT).
 */
int path_search(struct slice signer, const struct keyring *k,
    const struct slice *certs, unsigned count,
    const struct trust_policy *policy, const struct trust_now *at,
    struct slice chain[CHAIN_MAX], unsigned *chain_len,
    struct diag *d) MUST_CHECK;

#endif
