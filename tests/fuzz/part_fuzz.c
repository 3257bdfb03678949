/* SPDX-License-Identifier: 0BSD */
/*
 * Partition tables: as they come, then with the checksums of a GPT put right,
 * so that the fields behind them are reached. What is accepted has to keep
 * what part.h promises.
 */
#include "media/part.h"

#define SIZE 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t img[SIZE];

static void seal(uint64_t at, uint32_t sector)
{
	uint8_t *h = img + at;
	uint64_t lba, len;

	if (at > SIZE - 512 || memcmp(h, "EFI PART", 8) != 0)
		return;
	lba = load_le64(h + 72);
	len = (uint64_t)load_le32(h + 80) * load_le32(h + 84);
	if (lba < SIZE / sector && len <= SIZE - lba * sector)
		store_le32(
		    h + 88, crc32_update(0, img + lba * sector, (size_t)len));
	store_le32(h + 16, 0);
	if (load_le32(h + 12) <= 512)
		store_le32(h + 16, crc32_update(0, h, load_le32(h + 12)));
}

static void check(uint32_t sector)
{
	static struct part_table t;
	struct diag d = {0};
	struct blk_mem m;

	blk_mem_init_const(&m, img, SIZE);
	m.blk.sector = sector;
	if (part_read(&t, &m.blk, &d) != 0) {
		if (d.reason == 0)
			__builtin_trap();
		return;
	}
	for (unsigned i = 0; i < t.count; i++) {
		const struct part *p = &t.part[i];

		if (p->off > SIZE || p->size > SIZE - p->off || p->size == 0 ||
		    strlen(p->label) >= PART_LABEL ||
		    strlen(p->uuid) >= PARTUUID_TEXT)
			__builtin_trap();
		for (unsigned k = 0; k < i; k++)
			if (p->off < t.part[k].off + t.part[k].size &&
			    t.part[k].off < p->off + p->size)
				__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(img, 0, sizeof img);
	if (size > 0)
		memcpy(img, data, MIN(size, SIZE));
	check(512);
	seal(512, 512);
	seal(4096, 4096);
	seal(SIZE - 512, 512);
	seal(SIZE - 4096, 4096);
	check(0);
	check(512);
	check(4096);
	return 0;
}
