/* SPDX-License-Identifier: 0BSD */
/*
 * A whole bundle whose signer is believed whatever he says: what stands where
 * the CMS belongs is the manifest, or, if it starts with a 'P', a detached
 * signature.
 */
#include "bundle/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int cms_verify(const uint8_t *cms, size_t len, const struct keyring *k,
    const struct trust_policy *policy, struct slice *content,
    struct signer *who, struct diag *d)
{
	(void)k;
	(void)policy;
	(void)d;
	memset(who, 0, sizeof *who);
	content->p = (const char *)cms;
	content->len = len;
	return 0;
}

bool cms_is_detached(const uint8_t *cms, size_t len)
{
	return len > 0 && cms[0] == 'P';
}

int cms_verify_detached(const uint8_t *cms, size_t len,
    struct content_digest *content, const struct keyring *k,
    const struct trust_policy *policy, struct signer *who, struct diag *d)
{
	(void)cms;
	(void)len;
	(void)k;
	(void)policy;
	(void)d;
	if (content->have != 0)
		__builtin_trap();
	memset(who, 0, sizeof *who);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bundle b;
	static struct sqfs_walk w;
	static struct bundle_image i;
	static uint8_t piece[5000];
	struct blk_mem m;
	struct diag d = {0};
	size_t n = 1;
	bool sparse;
	int r;

	blk_mem_init_const(&m, data, size);
	r = bundle_open(&b, &m.blk, NULL, NULL, &d);
	if (r > 0 || r != d.reason)
		__builtin_trap();
	if (r != 0)
		return 0;
	if (bundle_verify(&b, NULL, NULL, NULL) > 0)
		__builtin_trap();
	for (unsigned k = 0; k < b.manifest.images; k++) {
		if (bundle_image_open(&b, &b.manifest.image[k], &i, &d) != 0)
			continue;
		for (unsigned c = 0; c < 100 && n > 0; c++)
			if (bundle_image_read(
			        &i, piece, sizeof piece, &n, &sparse, &d) != 0)
				break;
	}
	if (bundle_walk_start(&b, &w, &d) == 0)
		for (unsigned k = 0; k < 100; k++)
			if (bundle_walk_next(&b, &w, &i, &d) != 1)
				break;
	return 0;
}
