/* SPDX-License-Identifier: 0BSD */
#include "media/text.h"

static size_t utf8_put(char out[4], uint32_t c)
{
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	return n;
}

bool text_utf16(char *dst, size_t cap, const uint8_t *src, size_t units)
{
	size_t len = 0;

	for (size_t i = 0; i < units; i++) {
		uint32_t c = load_le16(src + 2 * i);
		uint32_t low = i + 1 < units ? load_le16(src + 2 * i + 2) : 0;
		char out[4];
		size_t n;

		if (c == 0)
			break;
		if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 &&
		    low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i++;
		} else if (c >= 0xd800 && c < 0xe000) {
			c = 0xfffd;
		}
		n = utf8_put(out, c);
		if (n >= cap - len) {
			dst[0] = '\0';
			return false;
		}
		memcpy(dst + len, out, n);
		len += n;
	}
	dst[len] = '\0';
	return true;
}

void text_uuid(char *dst, const uint8_t uuid[16], bool mixed)
{
	static const uint8_t order[16] = {
	    3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*dst++ = '-';
		hex_encode(dst, &uuid[mixed ? order[i] : i], 1);
		dst += 2;
	}
}

void text_padded(char *dst, const uint8_t *src, size_t n)
{
	while (n > 0 && (src[n - 1] == ' ' || src[n - 1] == '\0'))
		n--;
	for (size_t i = 0; i < n; i++)
		dst[i] = src[i] >= 0x20 && src[i] < 0x7f ? (char)src[i] : '_';
	dst[n] = '\0';
}
