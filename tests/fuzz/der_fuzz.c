/* SPDX-License-Identifier: 0BSD */
#include <stdlib.h>

#include "bundle/der.h"

/* Reads every element as every type, level by level. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice all = {(const char *)data, len};
	char oid[OID_TEXT], when[TIME_TEXT];
	struct buf level;
	struct der e;

	buf_init(&level, data, len);
	while (buf_left(&level) > 0) {
		struct buf b = level;
		struct slice s;

		time_text(when, der_time(&b));
		b = level;
		s = der_oid(&b);
		if (buf_ok(&b))
			oid_text(oid, s);
		b = level;
		s = der_magnitude(der_integer(&b));
		if (buf_ok(&b) && s.len > len)
			abort();
		b = level;
		(void)der_u31(&b);
		b = level;
		(void)der_boolean(&b);
		b = level;
		s = der_bits(&b);
		if (buf_ok(&b) && s.len > len)
			abort();
		if (!der_next(&level, &e))
			break;
		/* Strict: what was read is never BER at its own level. */
		if (e.raw.len < 2 || (uint8_t)e.raw.p[1] == 0x80)
			abort();
		if (e.tag & 0x20)
			level = der_buf(e.body);
	}
	if (der_sound(all) && der_is_ber(all))
		abort();
	(void)der_ecdsa_ok(all, 66);
	return 0;
}
