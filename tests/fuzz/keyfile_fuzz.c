/* SPDX-License-Identifier: 0BSD */
/* Key files: every item, read as every type. */
#include "base/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keyfile kf;
	struct diag d = {0};
	size_t items = 0;
	int r;

	kf_init(&kf, data, size);
	while ((r = kf_next(&kf, &d)) > 0) {
		struct slice item;
		size_t pos = 0, parts = 0;
		uint8_t raw[4];
		char s[64];
		uint64_t v;
		bool b;

		if (++items > size || kf.pos > size || kf.group.len == 0)
			__builtin_trap();
		if (r == KF_GROUP)
			continue;
		if (kf.key.len == 0 || kf.key.len + kf.value.len >= size)
			__builtin_trap();
		if (kf_string(&kf, s, sizeof s, &d) == 0 &&
		    strlen(s) > kf.value.len)
			__builtin_trap();
		(void)!kf_bool(&kf, &b, &d);
		(void)!kf_u64(&kf, &v, &d);
		(void)!kf_hex(&kf, raw, sizeof raw, &d);
		while (kf_list_next(kf.value, &pos, &item))
			if (++parts > kf.value.len)
				__builtin_trap();
	}
	if (r < 0 && d.reason == 0)
		__builtin_trap();
	return 0;
}
