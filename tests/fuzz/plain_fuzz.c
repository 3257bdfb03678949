/* SPDX-License-Identifier: 0BSD */
/*
 * A medium that changes between reads: two bytes of size (so many pieces and
 * so many bytes), then operations of five: change a byte, or read. Whatever is
 * read is what was hashed.
 */
#include "bundle/plain.h"

#define MOST (3 * PLAIN_PIECE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t medium[MOST], truth[MOST], got[MOST];
	static struct plain p;
	static bool made;
	struct content_digest is;
	struct blk_mem m;
	uint64_t bytes;

	if (size < 2)
		return 0;
	bytes = data[0] % 3u * PLAIN_PIECE + data[1];
	for (size_t i = 0; i < MOST && !made; i++)
		truth[i] = (uint8_t)(i * 31 >> 3);
	made = true;
	memcpy(medium, truth, MOST);
	blk_mem_init(&m, medium, MOST, false);
	if (plain_init(&p, &m.blk, bytes, NULL) != 0)
		return 0;
	if (plain_hash(&p, data[0] >> 5, &is, NULL, NULL, NULL) != 0)
		__builtin_trap();
	for (size_t i = 2; i + 5 <= size && i < 200; i += 5) {
		uint64_t at = load_le16(data + i) * 3u;
		size_t n = load_le16(data + i + 2);

		if (data[i + 4] & 1) {
			medium[at] ^= (uint8_t)n;
			continue;
		}
		if (blk_read(&p.blk, at, got, n) == 0 &&
		    memcmp(got, truth + at, n) != 0)
			__builtin_trap();
	}
	return 0;
}
