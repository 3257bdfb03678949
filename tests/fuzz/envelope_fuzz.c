/* SPDX-License-Identifier: 0BSD */
/*
 * The first byte chooses: an envelope for a device with an RSA key or with one
 * on P-256, or a key or certificate file without its first "-----BEGIN ". The
 * two operations on the key are
 * the identity here, so that the input decides what comes out of them.
 */
#include <bearssl.h>

#include "bundle/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

uint32_t br_rsa_i31_private(unsigned char *x, const br_rsa_private_key *sk)
{
	(void)x;
	return sk->n_bitlen == 2048;
}

static uint32_t mul(unsigned char *point, size_t len, const unsigned char *x,
    size_t x_len, int curve)
{
	(void)x;
	(void)x_len;
	(void)curve;
	return len > 0 && point[0] == 4;
}

const br_ec_impl br_ec_prime_i31 = {.mul = mul};

static struct recipient *device(bool ec)
{
	static struct recipient r;

	memset(&r, 0, sizeof r);
	memset(r.key, 0xa5, 512);
	r.type = ec ? RECIPIENT_EC : RECIPIENT_RSA;
	r.curve = BR_EC_secp256r1;
	r.n = (struct slice){(const char *)r.key, 256};
	r.x = (struct slice){(const char *)r.key, 32};
	return &r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct recipient r;
	static uint8_t out[65536 + 16];
	static char pem[65536 + 16] = "-----BEGIN ";
	struct diag d = {0};
	size_t n = 0;
	bool whole;
	int res;

	if (size < 1 || size > 65536)
		return 0;
	data++;
	size--;
	switch (data[-1] % 4) {
	case 0:
	case 1:
		memset(out + size, 0x5a, 16);
		res = envelope_open(
		    device(data[-1] & 1), data, size, out, &n, &whole, &d);
		if (res > 0 || res != d.reason || n > size)
			__builtin_trap();
		for (size_t i = 0; i < 16; i++)
			if (out[size + i] != 0x5a)
				__builtin_trap();
		return 0;
	case 2:
		memcpy(pem + 11, data, size);
		res = recipient_load(&r, pem, size + 11, &d);
		break;
	default:
		memcpy(pem + 11, data, size);
		res = recipient_load_cert(&r, pem, size + 11, &d);
		break;
	}
	if (res > 0 || res != d.reason)
		__builtin_trap();
	return 0;
}
