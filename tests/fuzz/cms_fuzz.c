/* SPDX-License-Identifier: 0BSD */
#include <stdlib.h>

#include "bundle/der.h"
#include "bundle/trust.h"

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
	struct slice content;
	struct diag d = {0};
	int r;

	if (len == 0)
		return 0;
	policy.purpose = (enum purpose)(len % 3);
	policy.allow_partial_chain = len % 2;
	trust_all(data, len);
	r = cms_verify(data, len, &ring, &policy, &content, &who, &d);
	if (r == 0 ? content.len > len || who.chain_len == 0
	           : content.len != 0 || d.reason != r || d.seen[0] == '\0')
		abort();
	return 0;
}
