/* SPDX-License-Identifier: 0BSD */
/* One block. The first byte chooses the codec, two more the room for it. */
#include "bundle/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct codec_ops *const codecs[] = {
	    &codec_gzip, &codec_zstd, &codec_xz, &codec_lz4};
	static _Alignas(16) uint8_t work[ARRAY_LEN(codecs)][CODEC_WORK];
	static uint8_t out[65536 + 16];
	size_t which, cap, n = 0;

	if (size < 3)
		return 0;
	which = data[0] % ARRAY_LEN(codecs);
	cap = load_le16(data + 1);
	memset(out + cap, 0x5a, 16);
	if (codecs[which]->decode(
	        work[which], data + 3, size - 3, out, cap, &n) == 0 &&
	    n > cap)
		__builtin_trap();
	for (size_t i = 0; i < 16; i++)
		if (out[cap + i] != 0x5a)
			__builtin_trap();
	return 0;
}
