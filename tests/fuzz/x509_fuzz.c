/* SPDX-License-Identifier: 0BSD */
#include <stdlib.h>

#include "bundle/trust.h"
#include "bundle/x509.h"

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
		if (c.tbs.len >= len || c.key.n.len > len)
			abort();
		(void)x509_names_issuer(&c, &c);
		(void)!x509_check_signature(&c, &c, NULL);
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
