/* SPDX-License-Identifier: 0BSD */
#include <bearssl.h>
#include <stdlib.h>

#include "bundle/trust.h"
#include "bundle/x509.h"

/*
 * The two operations on keys are what the input makes of them: a signature on
 * a curve is one when its last octet says so, and RSA's is what it encrypts.
 * So what stands behind a good signature is reached, and reached fast.
 */
uint32_t br_ecdsa_i31_vrfy_asn1(const br_ec_impl *impl, const void *hash,
    size_t hash_len, const br_ec_public_key *pk, const void *sig,
    size_t sig_len)
{
	(void)impl;
	(void)hash;
	(void)hash_len;
	(void)pk;
	return sig_len > 0 && (((const uint8_t *)sig)[sig_len - 1] & 7) != 0;
}

uint32_t br_rsa_i31_public(
    unsigned char *x, size_t len, const br_rsa_public_key *pk)
{
	(void)x;
	return len == pk->nlen;
}

/* A certificate, and the same bytes as a PEM keyring. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct keyring ring;
	struct slice der = {(const char *)data, len};
	struct diag d = {0};
	struct cert_view v;
	struct cert c;
	struct slice cn;

	if (x509_parse(der, &c, &d) == 0) {
		if (c.sig.tbs.len >= len || c.key.n.len > len)
			abort();
		(void)x509_self_signed(&c);
		(void)!x509_check_signature(&c.sig, c.subject, &c, NULL);
		(void)name_cn(c.subject, &cn);
		if (cert_describe(der, &v, NULL))
			abort();
	} else if (d.seen[0] == '\0') {
		abort();
	}
	ring.count = 0;
	ring.used = 0;
	if (keyring_load(&ring, der.p, der.len, NULL) && ring.count != 0)
		abort();
	return 0;
}
