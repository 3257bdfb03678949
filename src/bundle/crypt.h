/* SPDX-License-Identifier: 0BSD */
/*
 * The payload of format=crypt as dm-crypt has it (aes-cbc-plain64 with
 * sectors of 4096 bytes): AES-256-CBC, each sector on its own, whose IV is the
 * number of its first 512 bytes, little-endian. The hash tree is over what is
 * encrypted, so what lies below is verified already. Pure.
 */
#ifndef LIFEBOAT_CRYPT_H
#define LIFEBOAT_CRYPT_H

#include <bearssl_block.h>

#include "base/blk.h"

#define CRYPT_SECTOR 4096u

struct crypt {
	struct blk blk; /* decrypted, read-only */
	struct blk *below;
	br_aes_ct64_cbcdec_keys key;
	uint64_t held; /* the sector in memory; UINT64_MAX: none */
	uint8_t sector[CRYPT_SECTOR];
};

/* Reads nothing. below outlives c, and its size is a multiple of
 * CRYPT_SECTOR. Reads of c->blk fail as those of below do. */
void crypt_init(struct crypt *c, struct blk *below, const uint8_t key[32]);

#endif
