/* SPDX-License-Identifier: 0BSD */
/* What nobody reads has to be DER all the same. */
#include "bundle/der.h"
#include "check.h"

#define S(s) s, sizeof(s) - 1

static const struct {
	const char *what, *der;
	size_t len;
	bool sound;
} rows[] = {
    {"nothing", S(""), true},
    {"one", S("\x02\x01\x00"), true},
    {"two", S("\x05\x00\x05\x00"), true},
    {"levels", S("\x30\x07\x31\x05\xa0\x03\x02\x01\x07"), true},
    {"levels that go on", S("\x30\x04\x31\x02\x30\x00\x05\x00"), true},
    {"empty levels", S("\x30\x04\x30\x00\x31\x00"), true},
    {"of no universal type", S("\x80\x00\x81\x01x\xbf\x00"), false},
    {"of another class", S("\x80\x00\x81\x01x\xa1\x00\xc2\x01\xff"), true},
    {"cut", S("\x02\x01"), false},
    {"longer than what holds it", S("\x30\x03\x04\x02x\x05\x00"), false},
    {"shorter than what holds it", S("\x30\x03\x04\x00x"), false},
    {"deep and longer", S("\x30\x06\x30\x04\x30\x02\x04\x01"), false},
    {"indefinite", S("\x30\x80\x00\x00"), false},
    {"end of contents", S("\x30\x02\x00\x00"), false},
    {"a long length of a short one", S("\x04\x81\x01x"), false},
    {"a high tag", S("\x1f\x01\x00"), false},
    {"BOOLEAN", S("\x01\x01\xff\x01\x01\x00"), true},
    {"BOOLEAN of 1", S("\x01\x01\x01"), false},
    {"BOOLEAN of two octets", S("\x01\x02\xff\xff"), false},
    {"BOOLEAN of none", S("\x01\x00"), false},
    {"INTEGER of none", S("\x02\x00"), false},
    {"INTEGER, padded", S("\x02\x02\x00\x01"), false},
    {"INTEGER, negative and padded", S("\x02\x02\xff\x80"), false},
    {"INTEGER with its sign", S("\x02\x02\x00\x80\x02\x02\xff\x7f"), true},
    {"ENUMERATED of none", S("\x0a\x00"), false},
    {"ENUMERATED", S("\x0a\x01\x01"), true},
    {"BIT STRING", S("\x03\x01\x00\x03\x02\x07\x80"), true},
    {"BIT STRING of nothing", S("\x03\x00"), false},
    {"BIT STRING, 8 unused", S("\x03\x02\x08\x00"), false},
    {"BIT STRING, unused of none", S("\x03\x01\x01"), false},
    {"NULL of one octet", S("\x05\x01\x00"), false},
    {"OBJECT IDENTIFIER", S("\x06\x03\x2a\x86\x48"), true},
    {"OBJECT IDENTIFIER, cut", S("\x06\x02\x2a\x86"), false},
    {"OBJECT IDENTIFIER, filled", S("\x06\x03\x2a\x80\x01"), false},
    {"OBJECT IDENTIFIER of none", S("\x06\x00"), false},
    {"SEQUENCE as a string", S("\x10\x00"), false},
    {"SET as a string", S("\x11\x00"), false},
    {"strings in pieces", S("\x24\x03\x04\x01x"), false},
    {"INTEGER in pieces", S("\x22\x03\x02\x01\x01"), false},
    {"times in pieces", S("\x37\x00"), false},
    {"UTF8String",
        S("\x0c\x0b"
          "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\xa3!"),
        true},
    {"UTF-8 of no first octet", S("\x0c\x01\x80"), false},
    {"UTF-8, cut", S("\x0c\x01\xc3"), false},
    {"UTF-8, cut by another", S("\x0c\x02\xc3\xc3"), false},
    {"UTF-8, longer than needed", S("\x0c\x02\xc1\xbf"), false},
    {"UTF-8, three for two", S("\x0c\x03\xe0\x9f\xbf"), false},
    {"UTF-8, four for three", S("\x0c\x04\xf0\x8f\xbf\xbf"), false},
    {"UTF-8, first of four", S("\x0c\x04\xf0\x90\x80\x80"), true},
    {"UTF-8, last", S("\x0c\x04\xf4\x8f\xbf\xbf"), true},
    {"UTF-8, one more", S("\x0c\x04\xf4\x90\x80\x80"), false},
    {"UTF-8 of five", S("\x0c\x05\xf8\x88\x80\x80\x80"), false},
    {"UTF-8, before the surrogates", S("\x0c\x03\xed\x9f\xbf"), true},
    {"UTF-8, first surrogate", S("\x0c\x03\xed\xa0\x80"), false},
    {"UTF-8, last surrogate", S("\x0c\x03\xed\xbf\xbf"), false},
    {"UTF-8, behind the surrogates", S("\x0c\x03\xee\x80\x80"), true},
    {"BMPString", S("\x1e\x02\x00x"), true},
    {"BMPString, odd", S("\x1e\x01x"), false},
    {"UniversalString", S("\x1c\x04\x00\x00\x00x"), true},
    {"UniversalString, cut", S("\x1c\x02\x00x"), false},
    {"other strings", S("\x13\x01x\x14\x01\xe4\x16\x01x\x17\x00\x04\x00"),
        true},
};

static void test_depth(void)
{
	uint8_t deep[80];

	for (unsigned n = 1; n < sizeof deep / 2; n++) {
		for (unsigned i = 0; i < n; i++) {
			deep[2 * i] = DER_SEQUENCE;
			deep[2 * i + 1] = (uint8_t)(2 * (n - i - 1));
		}
		CHECK_INT(
		    der_sound((struct slice){(char *)deep, 2ul * n}), n <= 30);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct slice s = {rows[i].der, rows[i].len};
		int before = check_failed;

		CHECK_INT(der_sound(s), rows[i].sound);
		if (check_failed != before)
			fprintf(stderr, "  in %s\n", rows[i].what);
	}
	test_depth();
	return check_done("der_sound");
}
