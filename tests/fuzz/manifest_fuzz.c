/* SPDX-License-Identifier: 0BSD */
#include "bundle/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manifest m;
	struct diag d = {0};
	int order;
	int r = manifest_parse(&m, data, size, &d);

	if (r > 0 || r != d.reason || m.images > MANIFEST_IMAGES)
		__builtin_trap();
	if (r == 0 && m.compatible[0] == '\0')
		__builtin_trap();
	if (semver_compare(m.version, m.build, &order, NULL) == 0) {
		int back;

		if (semver_compare(m.build, m.version, &back, NULL) != 0 ||
		    (order < 0) != (back > 0))
			__builtin_trap();
	}
	return 0;
}
