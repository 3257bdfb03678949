/* SPDX-License-Identifier: 0BSD */
#include <bearssl.h>
#include <stdlib.h>

#include "bundle/der.h"
#include "bundle/trust.h"

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

/*
 * A CMS against a keyring of all certificates it brings along, so that the
 * path search is reached: nothing here is trusted for any other reason.
 */
static struct keyring ring;

static void trust_all(const uint8_t *data, size_t len)
{
	struct buf b;
	struct der e;

	ring.count = 0;
	buf_init(&b, data, len);
	/* ContentInfo, [0], SignedData: then the parts of it */
	b = der_enter(&b, DER_SEQUENCE);
	(void)der_next(&b, &e);
	b = der_enter(&b, DER_CTX_CONS(0));
	b = der_enter(&b, DER_SEQUENCE);
	while (buf_left(&b) > 0 && der_next(&b, &e)) {
		struct buf certs = der_buf(e.body);

		if (e.tag != DER_CTX_CONS(0))
			continue;
		while (ring.count < KEYRING_CERTS && buf_left(&certs) > 0 &&
		       der_get(&certs, DER_SEQUENCE, &e))
			ring.cert[ring.count++] = e.raw;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct signer who;
	static struct trust_policy policy = {.now = 1767225600};
	struct content_digest digest = {0};
	struct slice content;
	struct diag d = {0};
	int r;

	if (len == 0)
		return 0;
	policy.purpose = (enum purpose)(len % 3);
	policy.allow_partial_chain = len % 2;
	policy.min_signers = (unsigned)(len % 5);
	policy.check_crl = len % 7 == 0;
	policy.time = (enum time_policy)(len % 11 % 3);
	trust_all(data, len);
	r = cms_verify(data, len, &ring, &policy, &content, &who, &d);
	if (r == 0 ? content.len > len || who.chain_len == 0 ||
	                 who.signers < policy.min_signers
	           : content.len != 0 || d.reason != r || d.seen[0] == '\0')
		abort();
	if (r != R_CMS_DETACHED)
		return 0;
	diag_clear(&d);
	if (!cms_is_detached(data, len))
		abort();
	digest.have = 7;
	r = cms_verify_detached(data, len, &digest, &ring, &policy, &who, &d);
	/* nothing has a digest of zeros */
	if (r == 0 || d.reason != r)
		abort();
	return 0;
}
