/* SPDX-License-Identifier: 0BSD */
#include "base/ipv4.h"

bool ipv4_parse(uint8_t ip[IPV4_LEN], struct slice s)
{
	struct slice tail = s;
	uint8_t b[IPV4_LEN];
	uint64_t v;

	for (unsigned i = 0; i < IPV4_LEN; i++) {
		s = tail;
		if (slice_cut(&s, '.', &tail) != (i < IPV4_LEN - 1) ||
		    s.len > 3 || !slice_u64(s, &v) || v > 255)
			return false;
		b[i] = (uint8_t)v;
	}
	memcpy(ip, b, IPV4_LEN);
	return true;
}

bool ipv4_none(const uint8_t ip[IPV4_LEN])
{
	return all_zero(ip, IPV4_LEN);
}

bool ipv4_is_host(const uint8_t ip[IPV4_LEN])
{
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
}

bool ipv4_is_mask(const uint8_t mask[IPV4_LEN])
{
	uint32_t rest = ~load_be32(mask);

	return rest != UINT32_MAX && (rest & (rest + 1)) == 0;
}

void ipv4_class_mask(uint8_t mask[IPV4_LEN], const uint8_t ip[IPV4_LEN])
{
	mask[0] = 255;
	mask[1] = ip[0] < 128 ? 0 : 255;
	mask[2] = ip[0] < 192 ? 0 : 255;
	mask[3] = 0;
}
