/* SPDX-License-Identifier: 0BSD */
#include "init/init.h"

#include "check.h"

static struct module m;

static void test_order_file(void)
{
	char text[] = "# order\n"
	              "\n"
	              "kernel/usb-common.ko\n"
	              "  usb-storage.ko \t delay_use=0 quirks=a:b:c \r\n"
	              "   # indented comment\n"
	              "\t\n"
	              "x\n"
	              "last.ko";
	char *p = text;

	CHECK(module_next(&p, &m));
	CHECK_STR(m.path, "kernel/usb-common.ko");
	CHECK_STR(m.params, "");
	CHECK(module_next(&p, &m));
	CHECK_STR(m.path, "usb-storage.ko");
	CHECK_STR(m.params, "delay_use=0 quirks=a:b:c");
	CHECK(module_next(&p, &m));
	CHECK_STR(m.path, "x");
	CHECK_STR(m.params, "");
	CHECK(module_next(&p, &m));
	CHECK_STR(m.path, "last.ko");
	CHECK_STR(m.params, "");
	CHECK(!module_next(&p, &m));
	CHECK(!module_next(&p, &m));
}

/* Every text over a small alphabet: ASan watches the edges, and what comes
 * out has no blanks where they do not belong. */
static void test_all_short_texts(void)
{
	static const char alphabet[] = "a#\n \r";
	const unsigned base = sizeof alphabet - 1;
	unsigned texts = 0;

	for (unsigned n = 0; n < base * base * base * base * base; n++) {
		char text[6];
		char *p = text;
		unsigned rest = n;
		unsigned found = 0;

		for (unsigned i = 0; i < 5; i++, rest /= base)
			text[i] = alphabet[rest % base];
		text[5] = '\0';
		while (module_next(&p, &m)) {
			found++;
			if (m.path[0] == '\0' || m.path[0] == '#' ||
			    strpbrk(m.path, " \r\n") ||
			    strchr(m.params, '\n') || m.params[0] == ' ' ||
			    p > text + 5)
				CHECK(text[0] == '?'); /* never */
		}
		texts += found > 0;
	}
	CHECK(texts > 1000);
}

int main(void)
{
	test_order_file();
	test_all_short_texts();
	return check_done("modules");
}
