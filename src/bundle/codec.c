/* SPDX-License-Identifier: 0BSD */
#include "bundle/codec.h"

#include "options.h"

static const struct codec_ops *const codecs[] = {
    OPT_GZIP ? &codec_gzip : NULL,
    OPT_ZSTD ? &codec_zstd : NULL,
    OPT_XZ ? &codec_xz : NULL,
    OPT_LZ4 ? &codec_lz4 : NULL,
};

const struct codec_ops *codec_find(uint16_t id)
{
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (codecs[i] && codecs[i]->id == id)
			return codecs[i];
	return NULL;
}

const char *codec_name(uint16_t id)
{
	static const char names[][8] = {
	    "unknown", "gzip", "lzma", "lzo", "xz", "lz4", "zstd"};

	return names[id < ARRAY_LEN(names) ? id : 0];
}
