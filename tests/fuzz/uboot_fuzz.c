/* SPDX-License-Identifier: 0BSD */
/*
 * One or two copies of a U-Boot environment, in every condition. What is
 * written must be read back as what was asked for.
 */
#include <stdlib.h>

#include "boot/boot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct boot b;
static const char *const names[] = {"A", "B", "system0"};

static void must(bool v)
{
	if (!v)
		abort();
}

static void load(struct blk *const *store, unsigned copies, struct diag *d)
{
	must(boot_open(&b, "uboot", store, copies, names, 3, d) == 0);
	must(b.state.primary >= -1 && b.state.primary < 3);
	for (unsigned i = 0; i < 3; i++)
		must(b.state.name[i].attempts <= BOOT_ATTEMPTS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[2][4096];
	struct blk_mem mem[2];
	struct blk *store[2] = {&mem[0].blk, &mem[1].blk};
	struct diag d = {0};
	unsigned copies, i;
	size_t head, len;
	uint8_t how;

	if (size < 40)
		return 0;
	how = data[0];
	copies = how & 1 ? 2 : 1;
	head = copies == 2 ? 5 : 4;
	len = MIN((size - 1) / copies, sizeof bytes[0]);
	for (i = 0; i < copies; i++) {
		memcpy(bytes[i], data + 1 + i * len, len);
		if (how & 2 << i)
			store_le32(bytes[i],
			    crc32_update(0, bytes[i] + head, len - head));
		blk_mem_init(&mem[i], bytes[i], len, true);
	}
	memset(&b, 0, sizeof b - sizeof b.env);
	b.nor = how & 8;
	if (how & 16) {
		b.defaults.p = (const char *)data;
		b.defaults.len = how & 32 ? size : 0;
	}
	load(store, copies, &d);
	for (unsigned verb = 0; verb < 3; verb++) {
		bool writable = b.state.valid || b.defaults.p;
		int r;

		i = (how >> 6) % 3;
		b.state.tries = 5;
		d = (struct diag){0};
		r = verb == 0   ? boot_mark_bad(&b, i, &d)
		    : verb == 1 ? boot_set_primary(&b, i, 4, &d)
		                : boot_mark_good(&b, i, 9, &d);
		must(r == d.reason);
		must(r == 0 || r == R_BOOT_FULL);
		if (r != 0 || !writable)
			continue;
		load(store, copies, &d);
		must(b.state.valid);
		must(verb != 0 || (b.state.name[i].attempts == 0 &&
		                      b.state.primary != (int)i));
		must(verb != 1 || (b.state.name[i].attempts == 4 &&
		                      b.state.primary == (int)i));
		must(verb != 2 || b.state.name[i].attempts == 9);
		must(b.state.tries == (verb == 2 ? 0 : 5));
	}
	return 0;
}
