/* SPDX-License-Identifier: 0BSD */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/blk_fd.h"
#include "base/buf.h"
#include "base/fmt.h"
#include "base/keyfile.h"
#include "base/log.h"

#include "../check.h"

static struct slice text(const char *s)
{
	struct slice r = {s, strlen(s)};

	return r;
}

static void test_slices(void)
{
	static const struct slice none = {NULL, 0};
	char out[8];
	uint8_t raw[4];
	uint64_t v = 7;

	CHECK(slice_is(text("abc"), "abc"));
	CHECK(!slice_is(text("abc"), "ab"));
	CHECK(!slice_is(text("ab"), "abc"));
	CHECK(slice_is(none, ""));

	CHECK(slice_copy(out, sizeof out, text("1234567")));
	CHECK_STR(out, "1234567");
	CHECK(!slice_copy(out, sizeof out, text("12345678")));
	CHECK_STR(out, "");
	CHECK(!slice_copy(out, sizeof out, (struct slice){"a\0b", 3}));
	CHECK(slice_copy(out, sizeof out, none));
	CHECK_STR(out, "");
	CHECK(!slice_copy(out, 0, none));

	CHECK(slice_u64(text("0"), &v) && v == 0);
	CHECK(slice_u64(text("007"), &v) && v == 7);
	CHECK(slice_u64(text("18446744073709551615"), &v) && v == UINT64_MAX);
	CHECK(!slice_u64(text("18446744073709551616"), &v));
	CHECK(!slice_u64(text("99999999999999999999"), &v));
	CHECK(!slice_u64(text(""), &v));
	CHECK(!slice_u64(text("-1"), &v));
	CHECK(!slice_u64(text("+1"), &v));
	CHECK(!slice_u64(text("1 "), &v));
	CHECK(!slice_u64(text("1K"), &v));
	CHECK(!slice_u64(text("0x1"), &v));
	CHECK(v == UINT64_MAX);

	CHECK(slice_hex(text("00fFa5C3"), raw, 4));
	CHECK_MEM(raw, "\x00\xff\xa5\xc3", 4);
	CHECK(!slice_hex(text("00fFa5C"), raw, 4));
	CHECK(!slice_hex(text("00fFa5C3"), raw, 3));
	CHECK(!slice_hex(text("00fFa5C30"), raw, 4));
	CHECK(!slice_hex(text("00fg"), raw, 2));
	CHECK(slice_hex(none, raw, 0));
	CHECK_MEM(raw, "\x00", 1);
	hex_encode(out, (const uint8_t *)"\x00\xff\xa5", 3);
	CHECK_STR(out, "00ffa5");

	CHECK(all_zero("\0\0", 2));
	CHECK(!all_zero("\0\1", 2));
	CHECK(all_zero(NULL, 0));
}

static void test_words_and_lines(void)
{
	struct slice left = text(" a\tbc \r\n"), s;

	CHECK(slice_word(&left, &s) && slice_is(s, "a"));
	CHECK(slice_word(&left, &s) && slice_is(s, "bc"));
	CHECK(!slice_word(&left, &s));
	left = (struct slice){NULL, 0};
	CHECK(!slice_word(&left, &s) && !slice_line(&left, &s));
	left = (struct slice){"\0 ", 2}; /* a NUL is no blank */
	CHECK(slice_word(&left, &s) && s.len == 1);

	CHECK_INT(slice_index(text("raw  ext4 vfat"), text("ext4")), 1);
	CHECK_INT(slice_index(text("raw ext4"), text("ext")), -1);
	CHECK_INT(slice_index(text("raw ext4"), text("ext4 ")), -1);
	CHECK_INT(slice_index(text("raw ext4"), text("")), -1);
	CHECK_INT(slice_index(text(""), text("raw")), -1);

	left = text("one\r\n\ntwo\r");
	CHECK(slice_line(&left, &s) && slice_is(s, "one"));
	CHECK(slice_line(&left, &s) && slice_is(s, ""));
	CHECK(slice_line(&left, &s) && slice_is(s, "two"));
	CHECK(!slice_line(&left, &s));
}

static void test_utf8(void)
{
	static const struct {
		const char *s;
		size_t len;
	} cases[] = {{"a", 1}, {"\302\200", 2}, {"\301\200", 0}, {"\302", 0},
	    {"\302a", 0}, {"\200", 0}, {"\340\240\200", 3}, {"\340\237\277", 0},
	    {"\355\237\277", 3}, {"\355\240\200", 0}, {"\357\277\275", 3},
	    {"\360\220\200\200", 4}, {"\360\217\277\277", 0},
	    {"\364\217\277\277", 4}, {"\364\220\200\200", 0},
	    {"\365\200\200\200", 0}, {"\377", 0}, {"\342\202", 0}, {"", 0}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_INT(utf8_len(text(cases[i].s)), cases[i].len);
}

static void test_numbers(void)
{
	uint8_t b[8];

	store_le64(b, 0x8877665544332211);
	CHECK_MEM(b, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	CHECK_INT(load_le16(b), 0x2211);
	CHECK_INT(load_le32(b + 4), 0x88776655);
	CHECK(load_le64(b) == 0x8877665544332211);
	CHECK_INT(load_be16(b + 6), 0x7788);
	CHECK_INT(load_be32(b + 4), 0x55667788);
	CHECK(load_be64(b) == 0x1122334455667788);
	memset(b, 0xff, 8);
	CHECK(load_be64(b) == UINT64_MAX && load_le64(b) == UINT64_MAX);
	CHECK_INT(load_be32(b), 0xffffffff);

	CHECK_INT(crc32_update(0, "123456789", 9), 0xcbf43926);
	CHECK_INT(
	    crc32_update(crc32_update(0, "1234", 4), "56789", 5), 0xcbf43926);
	CHECK_INT(crc32_update(0, "", 0), 0);
}

static void test_buf(void)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	struct buf b, sub;

	buf_init(&b, data, sizeof data);
	CHECK_INT(buf_u8(&b), 1);
	CHECK_INT(buf_le16(&b), 0x0302);
	CHECK_INT(buf_be32(&b), 0x04050607);
	CHECK_INT(buf_left(&b), 3);
	CHECK(buf_ok(&b));
	/* too long: zero, and it stays where it is, for good */
	CHECK_INT(buf_le32(&b), 0);
	CHECK(!buf_ok(&b));
	CHECK_INT(b.pos, 7);
	CHECK_INT(buf_u8(&b), 0);
	buf_seek(&b, 0);
	CHECK_INT(buf_u8(&b), 0);
	CHECK(!buf_ok(&b) && b.pos == 7);

	buf_init(&b, data, sizeof data);
	CHECK(buf_le64(&b) == 0x0807060504030201);
	buf_seek(&b, 2);
	CHECK(buf_be64(&b) == 0x030405060708090a);
	CHECK(buf_ok(&b) && buf_left(&b) == 0);
	buf_seek(&b, sizeof data);
	CHECK(buf_ok(&b));
	buf_seek(&b, sizeof data + 1);
	CHECK(!buf_ok(&b));

	buf_init(&b, data, sizeof data);
	CHECK(buf_take(&b, SIZE_MAX) == NULL && !buf_ok(&b));
	buf_init(&b, data, sizeof data);
	buf_skip(&b, 3);
	CHECK(buf_take(&b, SIZE_MAX - 2) == NULL && b.pos == 3);
	buf_init(&b, data, sizeof data);
	sub = buf_sub(&b, 4);
	CHECK_INT(buf_left(&sub), 4);
	CHECK_INT(buf_be16(&sub), 0x0102);
	CHECK_INT(b.pos, 4);
	buf_skip(&sub, 3);
	CHECK(!buf_ok(&sub) && buf_ok(&b));
	sub = buf_sub(&b, 7);
	CHECK(!buf_ok(&sub) && !buf_ok(&b) && buf_left(&sub) == 0);
	CHECK_INT(buf_u8(&sub), 0);
	buf_init(&b, NULL, 0);
	CHECK(buf_ok(&b) && buf_left(&b) == 0);
	CHECK_INT(buf_u8(&b), 0);
}

static void test_fmt(void)
{
	char out[64];
	char tiny[4];

	CHECK_INT(
	    fmt(out, sizeof out, "%s|%5s|%.*s|%c", "a", "bc", 2, "def", 'x'),
	    12);
	CHECK_STR(out, "a|   bc|de|x");
	fmt(out, sizeof out, "%d %d %d", 0, -1, INT32_MIN);
	CHECK_STR(out, "0 -1 -2147483648");
	fmt(out, sizeof out, "%lld", (long long)INT64_MIN);
	CHECK_STR(out, "-9223372036854775808");
	fmt(out, sizeof out, "%llu %lu %u", (unsigned long long)UINT64_MAX, 7ul,
	    UINT32_MAX);
	CHECK_STR(out, "18446744073709551615 7 4294967295");
	fmt(out, sizeof out, "%zu %08x %4d|%04d|%02x", (size_t)9, 0xbeefu, -5,
	    -5, 0x123u);
	CHECK_STR(out, "9 0000beef   -5|-005|123");
	fmt(out, sizeof out, "100%%");
	CHECK_STR(out, "100%");
	CHECK_INT(fmt(tiny, sizeof tiny, "%s", "abcdef"), 3);
	CHECK_STR(tiny, "abc");
	CHECK_INT(fmt(tiny, 1, "%d", 5), 0);
	CHECK_STR(tiny, "");
	CHECK_INT(fmt(NULL, 0, "%s", "abc"), 0);
	/* not terminated: no byte behind the precision is read */
	CHECK_INT(fmt(out, sizeof out, "%.*s", 3, (const char[3]){"abc"}), 3);
	CHECK_STR(out, "abc");
}

static void test_diag(void)
{
	struct diag d = {0};

	CHECK_INT(diag_fail(&d, R_IO, "first %d", 1), R_IO);
	CHECK_INT(diag_fail(&d, R_RANGE, "second"), R_RANGE);
	CHECK_INT(d.reason, R_IO);
	CHECK_STR(d.seen, "first 1");
	diag_clear(&d);
	CHECK(d.reason == 0 && d.seen[0] == '\0');
	CHECK_INT(diag_fail(NULL, R_IO, "nowhere"), R_IO);
	CHECK_STR(reason_name(0), "ok");
	CHECK_STR(reason_name(R_FAT_DAMAGED), "fat-damaged");
	CHECK_STR(reason_name(-9999), "unknown");
	CHECK_STR(reason_name(1), "unknown");
	CHECK(strlen(reason_help(R_FAT_DAMAGED)) > 0);
	CHECK_STR(reason_help(1), "");
}

static void test_reasons(void)
{
	static const struct {
		int reason;
		const char *name, *help;
	} all[] = {
#define ROW(code, value, name, help) {code, name, help},
	    REASONS(ROW)
#undef ROW
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		CHECK(all[i].reason < 0);
		CHECK(all[i].help[0] != '\0');
		CHECK(strspn(all[i].name,
		          "abcdefghijklmnopqrstuvwxyz0123456789-") ==
		      strlen(all[i].name));
		for (size_t k = 0; k < i; k++) {
			CHECK(all[i].reason != all[k].reason);
			CHECK(strcmp(all[i].name, all[k].name) != 0);
		}
	}
}

static void check_clean(const char *in, const char *want)
{
	char line[100];

	strcpy(line, in);
	log_clean(line);
	CHECK_STR(line, want);
}

static char logged[2000];

static void keep(void *ctx, enum log_level level, const char *line)
{
	size_t n = strlen(logged);

	CHECK(ctx == logged);
	logged[n] = (char)('0' + (int)level);
	strcpy(logged + n + 1, line);
	strcat(logged, "\n");
}

static void test_log(void)
{
	struct diag d = {0};
	char big[1000];

	check_clean("plain ~", "plain ~");
	check_clean("\033[31m\r\n\t\177", "?[31m????");
	check_clean("gr\303\274n \342\202\254 \360\237\222\276",
	    "gr\303\274n \342\202\254 \360\237\222\276");
	check_clean("\302\233m \302\240", "??m \302\240");
	check_clean("\303", "?");
	check_clean("a\377\303b\342\202", "a?\?b?\?");
	check_clean("\355\240\200\300\200", "?????");
	check_clean("", "");

	log_line(LOG_ERR, "before there is a sink");
	log_to(keep, logged, LOG_INFO);
	log_err("e%d", 1);
	log_debug("not shown");
	log_info("i\033");
	CHECK_STR(logged, "0e1\n2i?\n");
	logged[0] = '\0';
	(void)diag_fail(&d, R_FAT_DAMAGED, "seen\n");
	log_diag("here", &d);
	CHECK(strncmp(logged,
	          "0here: seen? [fat-damaged]\n0  what to do: ", 42) == 0);
	logged[0] = '\0';
	log_diag(NULL, &d);
	CHECK(strncmp(logged, "0seen? [fat-damaged]\n", 21) == 0);
	/* cut, and not in the middle of a character */
	memset(big, 'x', sizeof big);
	memcpy(big + LOG_LINE - 2, "\303\274", 3);
	logged[0] = '\0';
	log_err("%s", big);
	CHECK_INT(strlen(logged), LOG_LINE + 1);
	CHECK_INT(logged[LOG_LINE - 1], '?');
	log_to(NULL, NULL, LOG_DEBUG);
	logged[0] = '\0';
	log_err("gone");
	CHECK_STR(logged, "");
}

static void test_blk(void)
{
	uint8_t data[100], got[100];
	struct blk_mem mem, ro;
	struct blk_window w, inner;

	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)i;
	blk_mem_init(&mem, data, sizeof data, true);
	CHECK_INT(blk_read(&mem.blk, 90, got, 10), 0);
	CHECK_MEM(got, data + 90, 10);
	CHECK_INT(blk_read(&mem.blk, 90, got, 11), R_RANGE);
	CHECK_INT(blk_read(&mem.blk, 101, got, 0), R_RANGE);
	CHECK_INT(blk_read(&mem.blk, 100, got, 0), 0);
	CHECK_INT(blk_read(&mem.blk, UINT64_MAX, got, 2), R_RANGE);
	CHECK_INT(blk_read(&mem.blk, 1, got, SIZE_MAX), R_RANGE);
	CHECK_INT(blk_write(&mem.blk, 99, "z", 1), 0);
	CHECK_INT(data[99], 'z');
	CHECK_INT(blk_write(&mem.blk, 99, "zz", 2), R_RANGE);
	CHECK_INT(blk_flush(&mem.blk), 0);
	CHECK_INT(blk_read_back(&mem.blk, 99, got, 1), 0);
	CHECK_INT(got[0], 'z');
	CHECK_INT(blk_read_back(&mem.blk, 99, got, 2), R_RANGE);
	blk_mem_init_const(&ro, data, sizeof data);
	CHECK_INT(blk_write(&ro.blk, 0, "x", 1), R_READ_ONLY);

	CHECK_INT(blk_window_init(&w, &mem.blk, 10, 91), R_RANGE);
	CHECK_INT(blk_window_init(&w, &mem.blk, UINT64_MAX, 2), R_RANGE);
	CHECK_INT(blk_window_init(&w, &mem.blk, 10, 50), 0);
	CHECK_INT(blk_window_init(&inner, &w.blk, 49, 1), 0);
	CHECK_INT(blk_read(&inner.blk, 0, got, 1), 0);
	CHECK_INT(got[0], 59);
	CHECK_INT(blk_read(&w.blk, 50, got, 1), R_RANGE);
	CHECK_INT(blk_write(&inner.blk, 0, "y", 1), 0);
	CHECK_INT(data[59], 'y');
	CHECK_INT(blk_read_back(&inner.blk, 0, got, 1), 0);
	CHECK_INT(blk_flush(&inner.blk), 0);
	CHECK_INT(blk_window_init(&w, &ro.blk, 0, 1), 0);
	CHECK_INT(blk_write(&w.blk, 0, "x", 1), R_READ_ONLY);
}

static void test_blk_fd(void)
{
	char name[] = "build/base_test.XXXXXX";
	static uint8_t got[200000], data[150001];
	struct blk_fd b;
	int fd, direct, dir;

	(void)!system("mkdir -p build");
	fd = mkstemp(name);
	CHECK(fd >= 0);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	blk_fd_init(&b, fd, -1, sizeof data, 512, true);
	CHECK_INT(b.blk.sector, 512);
	CHECK_INT(blk_write(&b.blk, 0, data, sizeof data), 0);
	CHECK_INT(blk_flush(&b.blk), 0);
	CHECK_INT(blk_read(&b.blk, 1, got, sizeof data - 1), 0);
	CHECK_MEM(got, data + 1, sizeof data - 1);
	CHECK_INT(blk_read_back(&b.blk, 5, got, 100), 0);
	CHECK_MEM(got, data + 5, 100);
	direct = open(name, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (direct >= 0) { /* tmpfs has none */
		b.direct_fd = direct;
		memset(got, 0, sizeof got);
		CHECK_INT(blk_read_back(&b.blk, 0, got, sizeof data), 0);
		CHECK_MEM(got, data, sizeof data);
		CHECK_INT(blk_read_back(&b.blk, 4095, got, 70000), 0);
		CHECK_MEM(got, data + 4095, 70000);
		CHECK_INT(blk_read_back(&b.blk, 150000, got, 1), 0);
		CHECK_INT(got[0], data[150000]);
		close(direct);
	}
	/* shorter than it was said to be: an error, not zeros */
	blk_fd_init(&b, fd, -1, sizeof data + 1, 512, false);
	CHECK_INT(blk_read(&b.blk, sizeof data - 1, got, 2), R_IO);
	CHECK(b.err != 0);
	CHECK_INT(blk_write(&b.blk, 0, data, 1), R_READ_ONLY);
	close(fd);
	unlink(name);
	blk_fd_init(&b, -1, -1, 10, 0, true);
	CHECK_INT(blk_read(&b.blk, 0, got, 1), R_IO);
	CHECK_INT(blk_write(&b.blk, 0, got, 1), R_IO);
	CHECK_INT(blk_flush(&b.blk), R_IO);
	dir = open("/dev/full", O_RDWR | O_CLOEXEC);
	blk_fd_init(&b, dir, -1, 10, 0, true);
	CHECK_INT(blk_write(&b.blk, 0, got, 1), R_FULL);
	close(dir);
}

/* "group" lines as "[g]", keys as "k=v", each followed by '|'; at an error
 * "!LINE". */
static const char *items(const char *s, size_t len)
{
	static char out[1000];
	struct keyfile kf;
	struct diag d = {0};
	size_t n = 0;
	int r;

	kf_init(&kf, s, len);
	while ((r = kf_next(&kf, &d)) > 0) {
		if (r == KF_GROUP)
			n += fmt(out + n, sizeof out - n, "[%.*s]|",
			    (int)kf.group.len, kf.group.p);
		else
			n += fmt(out + n, sizeof out - n, "%.*s=%.*s|",
			    (int)kf.key.len, kf.key.p, (int)kf.value.len,
			    kf.value.p);
	}
	out[n] = '\0';
	if (r < 0) {
		CHECK_INT(r, R_KEYFILE_SYNTAX);
		CHECK_INT(d.reason, R_KEYFILE_SYNTAX);
		fmt(out + n, sizeof out - n, "!%u", kf.line);
		/* an error is the end */
		CHECK_INT(kf_next(&kf, &d), KF_END);
	}
	return out;
}

#define ITEMS(s, want) CHECK_STR(items(s, sizeof(s) - 1), want)

static void test_keyfile(void)
{
	ITEMS("", "");
	ITEMS("\n \n# c\n  # [x] c=d\n", "");
	ITEMS("[g]\na=b", "[g]|a=b|");
	ITEMS("[g]\r\na=b\r\n", "[g]|a=b|");
	ITEMS("[g] \t\na=b", "[g]|a=b|");
	ITEMS("  [g]\n  a =  b \n", "[g]|a=b |");
	ITEMS("[g]\na=\nb= = \n", "[g]|a=|b== |");
	ITEMS("[g]\na b=c # no comment\n", "[g]|a b=c # no comment|");
	ITEMS(
	    "[slot.a.0]\n[a b]\n[\303\274]\n", "[slot.a.0]|[a b]|[\303\274]|");
	ITEMS("[g]\na=1\na=2\n[h]\n[g]\nb=3\n", "[g]|a=1|a=2|[h]|[g]|b=3|");
	ITEMS("[g]\nname[de]=x\nname[sr@latin]=y", "[g]|name[de]=x|"
	                                           "name[sr@latin]=y|");
	ITEMS("# gr\374n\n[g]\n", "[g]|"); /* comments may be Latin-1 */
	/* errors */
	ITEMS("a=b\n[g]\n", "!1");
	ITEMS("\n\nfoo\n", "!3");
	ITEMS("[g]\nfoo\n", "[g]|!2");
	ITEMS("[g]\n=foo\n", "[g]|!2");
	ITEMS("[g]\n =foo\n", "[g]|!2");
	ITEMS("[]\n", "!1");
	ITEMS("[g\n", "!1");
	ITEMS("[g]x\n", "!1");
	ITEMS("[g]h]\n", "!1");
	ITEMS("[g[h]\n", "!1");
	ITEMS("[g\001h]\n", "!1");
	ITEMS("[g]\r\r\n", "!1");
	ITEMS("[g]\na]=b\n", "[g]|!2");
	ITEMS("[g]\na[b=c\n", "[g]|!2");
	ITEMS("[g]\na[b]c=d\n", "[g]|!2");
	ITEMS("[g]\na[b c]=d\n", "[g]|!2");
	ITEMS("\357\273\277[g]\n", "!1");
	ITEMS("[g]\na=\377\n", "[g]|!2");
	ITEMS("[g]\na=b\0c\n", "[g]|!2");
	ITEMS("[g]\na\355\240\200=\n", "[g]|!2");
}

static void test_keyfile_repeated(void)
{
	static const char s[] = "[g]\na=1\nb=1\n[h]\na=1\n# a=1\n[g]\n"
	                        "aa=1\na[de]=1\nb =2\nA=1\na=3";
	/* of the lines with keys */
	static const char want[] = "no no no no no yes no yes ";
	char out[sizeof want];
	struct keyfile kf;
	size_t n = 0;
	int r;

	kf_init(&kf, s, sizeof s - 1);
	while ((r = kf_next(&kf, NULL)) > 0)
		if (r == KF_KEY)
			n += fmt(out + n, sizeof out - n, "%s ",
			    kf_repeated(&kf) ? "yes" : "no");
	CHECK_STR(out, want);
}

static void test_resembles(void)
{
	static const char *const yes[] = {"check-crl", "CHECK-CRL", "check_crl",
	    "check-crls", "heck-crl", "check-clr", "chekc-crl", "check-cr"};
	static const char *const no[] = {"", "path", "check", "check-purpose",
	    "chuck-crl-list", "hceck-rcl"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		CHECK(slice_resembles(text(yes[i]), "check-crl"));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		CHECK(!slice_resembles(text(no[i]), "check-crl"));
	CHECK(slice_resembles(text("keys"), "key"));
	CHECK(!slice_resembles(text("kye"), "key"));
	CHECK(!slice_resembles(text("type"), "time"));
}

static struct keyfile with_value(const char *v)
{
	struct keyfile kf;

	kf_init(&kf, "", 0);
	kf.line = 3;
	kf.key = text("key");
	kf.value = text(v);
	return kf;
}

static int string_of(const char *v, char *out, size_t cap)
{
	struct keyfile kf = with_value(v);
	struct diag d = {0};
	int r = kf_string(&kf, out, cap, &d);

	CHECK_INT(d.reason, r);
	CHECK(r == 0 || strncmp(d.seen, "line 3: key=", 12) == 0);
	return r;
}

static int bool_of(const char *v)
{
	struct keyfile kf = with_value(v);
	bool b = false;

	return kf_bool(&kf, &b, NULL) == 0 ? b : -1;
}

static void test_keyfile_values(void)
{
	struct keyfile kf;
	struct slice item;
	size_t pos = 0;
	uint64_t v;
	uint8_t raw[2];
	char out[8];

	CHECK_INT(string_of("a\\sb\\n\\t\\r\\\\", out, sizeof out), 0);
	CHECK_STR(out, "a b\n\t\r\\");
	CHECK_INT(string_of("", out, sizeof out), 0);
	CHECK_STR(out, "");
	CHECK_INT(string_of("1234567", out, sizeof out), 0);
	CHECK_INT(string_of("12345678", out, sizeof out), R_KEYFILE_VALUE);
	CHECK_STR(out, "");
	CHECK_INT(string_of("a\\x", out, sizeof out), R_KEYFILE_VALUE);
	CHECK_INT(string_of("a\\;", out, sizeof out), R_KEYFILE_VALUE);
	CHECK_INT(string_of("a\\", out, sizeof out), R_KEYFILE_VALUE);
	CHECK_INT(string_of("a", out, 0), R_KEYFILE_VALUE);

	CHECK_INT(bool_of("true"), 1);
	CHECK_INT(bool_of("1"), 1);
	CHECK_INT(bool_of("false \t"), 0);
	CHECK_INT(bool_of("0"), 0);
	CHECK_INT(bool_of(""), -1);
	CHECK_INT(bool_of("yes"), -1);
	CHECK_INT(bool_of("TRUE"), -1);
	CHECK_INT(bool_of("true1"), -1);
	CHECK_INT(bool_of("tru"), -1);

	kf = with_value("4096");
	CHECK(kf_u64(&kf, &v, NULL) == 0 && v == 4096);
	kf = with_value("12 ");
	CHECK_INT(kf_u64(&kf, &v, NULL), R_KEYFILE_VALUE);
	kf = with_value("0x10");
	CHECK_INT(kf_u64(&kf, &v, NULL), R_KEYFILE_VALUE);
	kf = with_value("a5C3");
	CHECK(kf_hex(&kf, raw, 2, NULL) == 0 && raw[1] == 0xc3);
	CHECK_INT(kf_hex(&kf, raw, 1, NULL), R_KEYFILE_VALUE);

	CHECK(kf_list_next(text("a; b;;c;"), &pos, &item));
	CHECK(slice_is(item, "a"));
	CHECK(kf_list_next(text("a; b;;c;"), &pos, &item));
	CHECK(slice_is(item, " b"));
	CHECK(kf_list_next(text("a; b;;c;"), &pos, &item));
	CHECK(slice_is(item, ""));
	CHECK(kf_list_next(text("a; b;;c;"), &pos, &item));
	CHECK(slice_is(item, "c"));
	CHECK(!kf_list_next(text("a; b;;c;"), &pos, &item));
	pos = 0;
	CHECK(!kf_list_next(text(""), &pos, &item));
	CHECK(kf_list_next(text("x"), &pos, &item) && slice_is(item, "x"));
	CHECK(!kf_list_next(text("x"), &pos, &item));
}

int main(void)
{
	test_slices();
	test_words_and_lines();
	test_utf8();
	test_numbers();
	test_buf();
	test_fmt();
	test_diag();
	test_reasons();
	test_log();
	test_blk();
	test_blk_fd();
	test_keyfile();
	test_keyfile_repeated();
	test_resembles();
	test_keyfile_values();
	return check_done("base");
}
