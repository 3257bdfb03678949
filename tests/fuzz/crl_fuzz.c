/* SPDX-License-Identifier: 0BSD */
#include <stdlib.h>

#include "bundle/crl.h"

/*
 * One revocation list, judged for a certificate that its own bytes name: the
 * issuer is who the list says, so that all but the signature is reached.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct keyring ring;
	struct slice der = {(const char *)data, len};
	struct trust_now at = {1767225600, "by the clock"};
	struct cert issuer = {.has_ku = len % 2, .ku = KU_CRL_SIGN};
	struct diag d = {0};
	struct crl c;
	int r = crl_parse(der, &c, &d);

	if (r != 0) {
		if (d.reason != R_CRL_BAD || d.seen[0] == '\0')
			abort();
		return 0;
	}
	if (c.sig.tbs.len >= len || c.revoked.len >= len)
		abort();
	issuer.subject = c.issuer;
	ring.crls = 1;
	ring.crl[0] = der;
	r = crl_check(&ring, issuer.serial, issuer.subject, &issuer, &at, &d);
	/* an unknown key signed nothing */
	if (r == 0 || d.reason != r || d.seen[0] == '\0')
		abort();
	return 0;
}
