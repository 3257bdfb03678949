/* SPDX-License-Identifier: 0BSD */
/* What the decompressors must not get: memory, or memory that lies wrong. */
#include "bundle/codec.h"
#include "check.h"

void *libdeflate_malloc(size_t size);
void libdeflate_free(void *p);

int main(void)
{
	static _Alignas(16) uint8_t work[CODEC_WORK + 1];
	uint8_t out[16];
	size_t n = 0;

	CHECK(libdeflate_malloc(1) == NULL);
	libdeflate_free(NULL);
	CHECK_INT(codec_zstd.decode(work + 1, "", 0, out, sizeof out, &n),
	    R_INTERNAL);
	return check_done("codec_edge");
}
