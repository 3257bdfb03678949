/* SPDX-License-Identifier: 0BSD */
#include "bundle/crypt.h"

static int get_sector(struct crypt *c, uint64_t index)
{
	uint8_t iv[16] = {0};
	int r;

	if (c->held == index)
		return 0;
	c->held = UINT64_MAX;
	r = blk_read(
	    c->below, index * CRYPT_SECTOR, c->sector, sizeof c->sector);
	if (r != 0)
		return r;
	store_le64(iv, index * (CRYPT_SECTOR / 512));
	br_aes_ct64_cbcdec_run(&c->key, iv, c->sector, sizeof c->sector);
	c->held = index;
	return 0;
}

static int crypt_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct crypt *c = (struct crypt *)b;
	uint8_t *out = dst;

	while (len > 0) {
		size_t in = (size_t)(off % CRYPT_SECTOR);
		size_t n = MIN(len, CRYPT_SECTOR - in);
		int r = get_sector(c, off / CRYPT_SECTOR);

		if (r != 0)
			return r;
		memcpy(out, c->sector + in, n);
		out += n;
		off += n;
		len -= n;
	}
	return 0;
}

static const struct blk_ops crypt_ops = {.read = crypt_read};

void crypt_init(struct crypt *c, struct blk *below, const uint8_t key[32])
{
	c->blk.ops = &crypt_ops;
	c->blk.size = below->size;
	c->blk.sector = 0;
	c->below = below;
	c->held = UINT64_MAX;
	br_aes_ct64_cbcdec_init(&c->key, key, 32);
}
