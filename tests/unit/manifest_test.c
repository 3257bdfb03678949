/* SPDX-License-Identifier: 0BSD */
#include "bundle/manifest.h"

#include <errno.h>
#include <stdlib.h>

#include "check.h"

#define HEX32 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define UPDATE "[update]\ncompatible=Board\n"
#define BUNDLE(format, size) \
	"[bundle]\nformat=" format "\nverity-hash=" HEX32 \
	"\nverity-salt=" HEX32 "\nverity-size=" size "\n"
#define VERITY BUNDLE("verity", "4096")
#define HASHED "sha256=" HEX32 "\nsize=10\n"
#define IMAGE "[image.rootfs]\n" HASHED "filename=a.ext4\n"
#define WHOLE UPDATE VERITY IMAGE

static struct manifest m;

static int parse(const char *text, struct diag *d)
{
	return manifest_parse(&m, text, strlen(text), d);
}

static void test_real(void)
{
	/* As rauc 1.8 writes it. */
	static const char text[] =
	    "[update]\ncompatible=Test Config\nversion=2011.03-2\n"
	    "description=a b\\sc\nbuild=20240101\n\n" VERITY "\n"
	    "[image.rootfs]\nsha256=" HEX32 "\nsize=1912345\n"
	    "filename=rootfs.ext4\n\n"
	    "[image.appfs.v1.2]\nsha256=" HEX32 "\nsize=18446744073709551615\n"
	    "filename=app.img\nadaptive=block-hash-index;\n"
	    "[meta.foo-1_A]\nany=thing\n[rollout]\nx=y\n";
	static const uint8_t start[] = {0, 0x11, 0x22, 0x33};
	struct diag d = {0};

	CHECK_INT(parse(text, &d), 0);
	CHECK_STR(d.seen, "");
	CHECK_STR(m.compatible, "Test Config");
	CHECK_STR(m.version, "2011.03-2");
	CHECK_STR(m.description, "a b c");
	CHECK_STR(m.build, "20240101");
	CHECK_INT(m.format, FORMAT_VERITY);
	CHECK(m.has_verity);
	CHECK_MEM(m.verity_hash, start, 4);
	CHECK_INT(m.verity_salt[31], 0xff);
	CHECK_INT(m.verity_size, 4096);
	CHECK_STR(m.wants_code, "");
	CHECK_INT(m.images, 2);
	CHECK_STR(m.image[0].slotclass, "rootfs");
	CHECK_STR(m.image[0].variant, "");
	CHECK_STR(m.image[0].filename, "rootfs.ext4");
	CHECK_STR(m.image[0].type_name, "ext4");
	CHECK_INT(m.image[0].size, 1912345);
	CHECK(!m.image[0].adaptive);
	CHECK_STR(m.image[1].slotclass, "appfs");
	CHECK_STR(m.image[1].variant, "v1.2");
	CHECK_INT(m.image[1].type, IMAGE_RAW);
	CHECK(m.image[1].size == UINT64_MAX);
	CHECK(m.image[1].adaptive);
	CHECK_MEM(m.image[1].sha256, start, 4);
}

/* RAUC's bundle.hash: of the bytes as they are. */
static void test_hash(void)
{
	static const uint8_t want[] = {0x34, 0x32, 0x29, 0x3c};
	static const uint8_t empty[] = {0xe3, 0xb0, 0xc4, 0x42};

	CHECK_INT(parse("", NULL), R_MANIFEST_MISSING);
	CHECK_MEM(m.sha256, empty, 4);
	CHECK_INT(parse(WHOLE, NULL), 0);
	CHECK_MEM(m.sha256, want, 4);
}

static void test_refused(void)
{
	static const struct {
		int reason;
		const char *text;
		const char *seen;
	} cases[] = {
	    /* syntax */
	    {R_MANIFEST_SYNTAX, "x=y\n", "line 1"},
	    {R_MANIFEST_SYNTAX, UPDATE "nonsense\n", "line 3"},
	    {R_MANIFEST_SYNTAX, "\xef\xbb\xbf" WHOLE, "line 1"},
	    {R_MANIFEST_SYNTAX, WHOLE "[image.x\n", "[group]"},
	    {R_MANIFEST_SYNTAX, WHOLE "a=\xff\n", "UTF-8"},
	    /* groups and keys */
	    {R_MANIFEST_KEY, WHOLE "[future]\n", "[future]: unknown group"},
	    {R_MANIFEST_KEY, WHOLE "[image]\n", "unknown group"},
	    {R_MANIFEST_KEY, WHOLE "[image.]\n", "[image.CLASS]"},
	    {R_MANIFEST_KEY, WHOLE "[image.a.]\n", "[image.CLASS]"},
	    {R_MANIFEST_KEY, WHOLE "[image..v]\n", "[image.CLASS]"},
	    {R_MANIFEST_KEY, WHOLE "[image.repo/app]\n", "artifact"},
	    {R_MANIFEST_KEY, WHOLE "[image.repo/app.v]\n", "artifact"},
	    {R_MANIFEST_KEY, WHOLE "[meta.a.b]\n", "unknown group"},
	    {R_MANIFEST_KEY, WHOLE "[meta.]\n", "unknown group"},
	    {R_MANIFEST_KEY, WHOLE "[meta]\n", "unknown group"},
	    {R_MANIFEST_KEY, WHOLE "[Update]\n", "unknown group"},
	    {R_MANIFEST_KEY, UPDATE "color=red\n", "[update] color"},
	    {R_MANIFEST_KEY, UPDATE "version[de]=1\n", "version[de]"},
	    /* twice: RAUC refuses it, too */
	    {R_MANIFEST_VALUE, UPDATE "version=1\nversion=2\n",
	        "line 4: [update] version: stands here twice"},
	    {R_MANIFEST_VALUE, WHOLE UPDATE, "compatible: stands here twice"},
	    {R_MANIFEST_VALUE, WHOLE "[image.rootfs]\nfilename=b.ext4\n",
	        "filename: stands here twice"},
	    {R_MANIFEST_KEY, WHOLE "[bundle]\nverity-x=1\n", "verity-x"},
	    {R_MANIFEST_KEY, WHOLE "[hooks]\nx=1\n", "[hooks] x"},
	    {R_MANIFEST_KEY, WHOLE "[handler]\nx=1\n", "[handler] x"},
	    {R_MANIFEST_KEY, WHOLE "[image.rootfs]\nx=1\n", "] x"},
	    {R_MANIFEST_KEY, WHOLE "[image.a]\nconvert=keep\n", "converted"},
	    {R_MANIFEST_KEY, WHOLE "[image.a]\nconverted=x\n", "converted"},
	    /* missing */
	    {R_MANIFEST_MISSING, VERITY IMAGE, "[update] lacks compatible"},
	    {R_MANIFEST_MISSING, UPDATE "[bundle]\nformat=verity\n",
	        "verity-hash"},
	    {R_MANIFEST_MISSING,
	        UPDATE "[bundle]\nformat=verity\nverity-hash=" HEX32 "\n",
	        "verity-salt"},
	    {R_MANIFEST_MISSING,
	        UPDATE "[bundle]\nformat=verity\nverity-hash=" HEX32
	               "\nverity-salt=" HEX32 "\n",
	        "verity-size"},
	    {R_MANIFEST_MISSING, UPDATE BUNDLE("crypt", "4096"), "crypt-key"},
	    {R_MANIFEST_MISSING, WHOLE "[image.a]\n" HASHED,
	        "[image.a] lacks filename"},
	    {R_MANIFEST_MISSING, WHOLE "[image.a]\nfilename=x.img\nsize=1\n",
	        "sha256"},
	    {R_MANIFEST_MISSING,
	        WHOLE "[image.a]\nfilename=x.img\nsha256=" HEX32 "\n",
	        "lacks size"},
	    {R_MANIFEST_MISSING, WHOLE "[handler]\nargs=x\n", "filename"},
	    {R_MANIFEST_MISSING, WHOLE "[hooks]\nhooks=install-check\n",
	        "[hooks] lacks filename"},
	    {R_MANIFEST_MISSING, WHOLE "[image.rootfs]\nhooks=post-install\n",
	        "[hooks] lacks filename"},
	    /* values */
	    {R_MANIFEST_VALUE, "[update]\ncompatible=\n", "is empty"},
	    {R_MANIFEST_VALUE, "[update]\ncompatible=a\\x\n", "escapes"},
	    {R_MANIFEST_VALUE, UPDATE "min-rauc-version=x\n", "semantic"},
	    {R_MANIFEST_VALUE, UPDATE "[bundle]\nformat=Verity\n", "neither"},
	    {R_MANIFEST_VALUE, UPDATE "[bundle]\nformat=verity \n", "neither"},
	    {R_MANIFEST_VALUE, UPDATE "[bundle]\nverity-hash=00\n", "hexa"},
	    {R_MANIFEST_VALUE, UPDATE "[bundle]\nverity-size=0x10\n",
	        "decimal"},
	    {R_MANIFEST_VALUE, UPDATE "[bundle]\nverity-size=-1\n", "decimal"},
	    {R_MANIFEST_VALUE, UPDATE "[bundle]\nverity-size=4096 \n",
	        "decimal"},
	    {R_MANIFEST_VALUE,
	        UPDATE "[bundle]\nverity-size=18446744073709551616\n",
	        "decimal"},
	    {R_MANIFEST_VALUE, UPDATE BUNDLE("verity", "0"), "verity-size=0"},
	    {R_MANIFEST_VALUE, UPDATE BUNDLE("verity", "4097"),
	        "verity-size=4097"},
	    {R_MANIFEST_VALUE, UPDATE BUNDLE("plain", "4096"), "format=plain"},
	    {R_MANIFEST_VALUE, WHOLE "[bundle]\ncrypt-key=" HEX32 "\n",
	        "crypt keys with format=verity"},
	    {R_MANIFEST_VALUE, WHOLE "[image.b]\nfilename=a/b.img\n", "'/'"},
	    {R_MANIFEST_VALUE, WHOLE "[image.b]\nfilename=\n", "empty"},
	    {R_MANIFEST_VALUE, WHOLE "[image.b]\n" HASHED "filename=a.bin\n",
	        "unknown image type"},
	    {R_MANIFEST_VALUE, WHOLE "[image.rootfs]\ntype=ext5\n",
	        "unknown image type"},
	    {R_MANIFEST_VALUE, WHOLE "[image.rootfs]\ntype=\n", "empty"},
	    {R_MANIFEST_VALUE, WHOLE "[image.rootfs]\nhooks=reboot\n",
	        "unknown hook"},
	    {R_MANIFEST_VALUE, WHOLE "[hooks]\nhooks=install\n",
	        "unknown hook"},
	    {R_LIMIT, WHOLE "[image.a2345678901234567890123456789012]\n", "31"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag d = {0};
		int r = parse(cases[i].text, &d);

		CHECK_INT(r, cases[i].reason);
		CHECK_INT(d.reason, r);
		if (!strstr(d.seen, cases[i].seen)) {
			fprintf(stderr, "case %zu: \"%s\" lacks \"%s\"\n", i,
			    d.seen, cases[i].seen);
			check_failed++;
		}
	}
}

static void test_tolerated(void)
{
	static const char *const texts[] = {
	    WHOLE,
	    UPDATE "version=\ndescription=\nbuild=\n" VERITY IMAGE,
	    UPDATE "min-rauc-version=1.14\n" VERITY IMAGE,
	    WHOLE "version=1\ndescription=x\nbuild=2\n", /* of the image */
	    WHOLE "[rollout]\nanything=at all\n",
	    WHOLE "[meta.label]\nsome key=x\n",
	    WHOLE "[hooks]\nfilename=\nhooks=\n",
	    WHOLE "[handler]\nfilename=\nargs=\n",
	    "# comment\r\n" UPDATE VERITY IMAGE "\r\n",
	    "[update]\nbuild=1\n" UPDATE VERITY IMAGE,
	    WHOLE "[rollout]\nx=1\nx=2\n[meta.a]\nx=1\nx=2\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct diag d = {0};

		CHECK_INT(parse(texts[i], &d), 0);
		CHECK_STR(d.seen, "");
		CHECK_STR(m.compatible, "Board");
		CHECK_STR(m.wants_code, "");
		CHECK_INT(m.code, 0);
		CHECK_INT(m.images, 1);
	}
	CHECK_INT(parse(UPDATE, NULL), 0);
	CHECK_INT(m.format, FORMAT_PLAIN);
	CHECK(!m.has_verity);
	CHECK_INT(
	    parse(UPDATE BUNDLE("crypt", "4096") "crypt-key=" HEX32 "\n" IMAGE,
	        NULL),
	    0);
	CHECK_INT(m.format, FORMAT_CRYPT);
}

static void test_code(void)
{
	static const struct {
		const char *text;
		const char *code;
		unsigned bits;
		const char *words;
	} cases[] = {
	    {WHOLE "[handler]\nfilename=install.sh\n",
	        "[handler] filename=install.sh", CODE_HANDLER, "handler"},
	    {WHOLE "[hooks]\nfilename=hook.sh\n", "[hooks] filename=hook.sh",
	        CODE_FILE, ""},
	    {WHOLE "[hooks]\nfilename=hook.sh\nhooks=install-check\n",
	        "[hooks] filename=hook.sh", CODE_FILE | CODE_INSTALL_CHECK,
	        "install-check"},
	    {WHOLE "hooks=pre-install;post-install;\n[hooks]\nfilename=h\n",
	        "[image.rootfs] hooks=pre-install;post-install;",
	        CODE_FILE | CODE_PRE_INSTALL | CODE_POST_INSTALL,
	        "pre-install post-install"},
	    /* An install hook does without a file, a type and a size. */
	    {WHOLE "[hooks]\nfilename=h\n[image.a]\nhooks=install\n",
	        "[hooks] filename=h", CODE_FILE | CODE_INSTALL, "install"},
	    {WHOLE "[hooks]\nfilename=h\n[image.a]\nhooks=install\n"
	           "filename=strange.bin\nsha256=" HEX32 "\n",
	        "[hooks] filename=h", CODE_FILE | CODE_INSTALL, "install"},
	    {WHOLE "hooks=install;pre-install;post-install\n[hooks]\n"
	           "filename=h\nhooks=install-check\n[handler]\nfilename=x\n",
	        "[image.rootfs] hooks=install;pre-install;post-install", 63,
	        "install pre-install post-install install-check handler"},
	};
	char words[80];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag d = {0};

		CHECK_INT(parse(cases[i].text, &d), 0);
		CHECK_STR(d.seen, "");
		CHECK_STR(m.wants_code, cases[i].code);
		CHECK_INT(m.code, cases[i].bits);
		CHECK_INT(m.image[0].hooks | m.image[1].hooks,
		    cases[i].bits &
		        (CODE_INSTALL | CODE_PRE_INSTALL | CODE_POST_INSTALL));
		manifest_code_text(words, m.code);
		CHECK_STR(words, cases[i].words);
	}
}

static void test_types(void)
{
	static const struct {
		const char *file, *word;
		enum image_type type;
	} cases[] = {
	    {"a.ext4", "ext4", IMAGE_EXT4},
	    {"a.vfat", "vfat", IMAGE_VFAT},
	    {"a.img", "raw", IMAGE_RAW},
	    {"a.squashfs", "squashfs", IMAGE_SQUASHFS},
	    {"a.squashfs-xz", "squashfs", IMAGE_SQUASHFS},
	    {"a.squashfs-xz.caibx", "squashfs-caibx", IMAGE_OTHER},
	    {"a.ext4.caibx", "ext4-caibx", IMAGE_OTHER},
	    {"a.img.caibx", "raw-caibx", IMAGE_OTHER},
	    {"a.tar.zst", "tar", IMAGE_OTHER},
	    {"a.tar.ext4", "tar", IMAGE_OTHER},
	    {"a.tgz", "tar", IMAGE_OTHER},
	    {"a.caidx", "caidx", IMAGE_OTHER},
	    {"a.catar", "catar", IMAGE_OTHER},
	    {"a.ubifs", "ubifs", IMAGE_OTHER},
	    {".img", "raw", IMAGE_RAW},
	    {"img.img.img", "raw", IMAGE_RAW},
	    {"a.img.ext4.vfat", "vfat", IMAGE_VFAT},
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof text,
		    "%s[image.x]\n" HASHED "filename=%s\n", WHOLE,
		    cases[i].file);
		CHECK_INT(parse(text, NULL), 0);
		CHECK_STR(m.image[1].type_name, cases[i].word);
		CHECK_INT(m.image[1].type, cases[i].type);
	}
	/* The type key wins, wherever it stands. */
	CHECK_INT(parse(WHOLE "type=raw\n", NULL), 0);
	CHECK_INT(m.image[0].type, IMAGE_RAW);
	CHECK_INT(parse(WHOLE "[image.b]\ntype=emptyfs\n", NULL), 0);
	CHECK_STR(m.image[1].type_name, "emptyfs");
}

static void test_limits(void)
{
	static char text[64 * 1024];
	size_t n;

	for (unsigned count = 16; count <= 17; count++) {
		n = (size_t)snprintf(text, sizeof text, "%s", UPDATE VERITY);
		for (unsigned i = 0; i < count; i++)
			n += (size_t)snprintf(text + n, sizeof text - n,
			    "[image.class%u]\n" HASHED "filename=%u.img\n", i,
			    i);
		CHECK_INT(parse(text, NULL), count == 16 ? 0 : R_LIMIT);
	}
	/* A file name as long as squashfs allows, and one more byte. */
	for (int len = 251; len <= 252; len++) {
		snprintf(text, sizeof text,
		    "%s[image.b]\n" HASHED "filename=%0*d.img\n", WHOLE, len,
		    1);
		CHECK_INT(parse(text, NULL), len == 251 ? 0 : R_MANIFEST_VALUE);
	}
}

/* Any prefix, and any byte changed, is judged without harm. */
static void test_mutations(void)
{
	static char text[] = WHOLE "hooks=install\n[hooks]\nfilename=h\n";
	size_t len = sizeof text - 1;

	for (size_t n = 0; n <= len; n++)
		CHECK(manifest_parse(&m, text, n, NULL) <= 0);
	for (size_t i = 0; i < len; i++) {
		for (int c = 0; c < 256; c += 5) {
			char old = text[i];

			text[i] = (char)c;
			CHECK(manifest_parse(&m, text, len, NULL) <= 0);
			text[i] = old;
		}
	}
}

/* What RAUC (1.12 and later) does with versions, written down anew with
 * strrchr and strsep: false when a is none. */
static bool rauc_number(const char *s, unsigned long long *out)
{
	char *end;

	*out = 0;
	if (s[0] < '0' || s[0] > '9')
		return false;
	errno = 0;
	*out = strtoull(s, &end, 10);
	return *end == '\0' && errno == 0;
}

static bool rauc_parse(char *s, unsigned long long core[3], char **pre)
{
	char *build = strrchr(s, '+'), *dash;
	int n = 0;

	if (build)
		*build = '\0';
	dash = strrchr(s, '-');
	*pre = dash ? dash + 1 : NULL;
	if (dash)
		*dash = '\0';
	core[0] = core[1] = core[2] = 0;
	for (char *field; (field = strsep(&s, ".")) != NULL; n++)
		if (n == 3 || !rauc_number(field, &core[n]))
			return false;
	return true;
}

static int rauc_order(const char *va, const char *vb, bool *valid)
{
	unsigned long long a[3], b[3], x, y;
	char ca[64], cb[64], *pa, *pb, *fa, *fb;
	bool na, nb;

	snprintf(ca, sizeof ca, "%s", va);
	snprintf(cb, sizeof cb, "%s", vb);
	*valid = rauc_parse(ca, a, &pa) && rauc_parse(cb, b, &pb);
	if (!*valid)
		return 0;
	for (int i = 0; i < 3; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	if (!pa || !pb)
		return pa ? -1 : pb ? 1 : 0;
	if (*pa == '\0')
		pa = NULL;
	if (*pb == '\0')
		pb = NULL;
	while (pa && pb) {
		int order;

		fa = strsep(&pa, ".");
		fb = strsep(&pb, ".");
		na = rauc_number(fa, &x);
		nb = rauc_number(fb, &y);
		order = na && nb   ? (x > y) - (x < y)
		        : na || nb ? (na ? -1 : 1)
		                   : strcmp(fa, fb);
		if (order != 0)
			return order < 0 ? -1 : 1;
	}
	return pa ? 1 : pb ? -1 : 0;
}

static void same_order(const char *a, const char *b)
{
	bool valid;
	int order, expected = rauc_order(a, b, &valid);
	int r = semver_compare(a, b, &order, NULL);

	order = (order > 0) - (order < 0);
	if (r != (valid ? 0 : R_MANIFEST_VERSION) || order != expected)
		fprintf(stderr, "\"%s\" and \"%s\": %d, %d, not %d\n", a, b, r,
		    order, expected);
	CHECK_INT(r, valid ? 0 : R_MANIFEST_VERSION);
	CHECK_INT(order, expected);
}

static void random_version(char *dst)
{
	static const char digits[] = "0123.", signs[] = "01a.-+";
	size_t n = 1 + (size_t)rand() % 4;

	for (size_t i = 0; i < n; i++)
		*dst++ = digits[(size_t)rand() % (sizeof digits - 1)];
	for (n = (size_t)rand() % 8; n > 0; n--)
		*dst++ = signs[(size_t)rand() % (sizeof signs - 1)];
	*dst = '\0';
}

static void test_semver(void)
{
	static const char *const ascending[] = {"0", "0.0.1", "0.1-alpha",
	    "1-1", "1.0.0-1.2", "1.0.0-2", "1.0.0-10", "1.0.0-1abc.3",
	    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
	    "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-foo", "1.0.0-foop",
	    "1.0.0-goo", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2", "1.10", "2",
	    "2024.1.0", "2024.1.1", "18446744073709551615"};
	static const char *const equal[][2] = {{"1", "1.0.0"}, {"1.2", "1.2.0"},
	    {"1.0.0+a", "1.0.0+b"}, {"1-a+x.y", "1.0-a"}, {"0", "0.0"},
	    {"01.02", "1.2"}, {"1.0.0-a+1-2", "1-a"}, {"1+", "1"},
	    {"1-", "1.0-"}, {"1-a+", "1-a"}};
	static const char *const bad[] = {"", "a", "1.", ".1", "1..2", "..",
	    "1.2.3.4", "v1.2.3", "1.foo.3", "1 ", " 1", "-1", "+1", "-", "+",
	    "1.2.x", "18446744073709551616", "1+a+b", "1.0.0-alpha-1", "1.-a",
	    "1--1"};
	struct diag d = {0};
	int order;

	for (size_t i = 0; i < ARRAY_LEN(ascending); i++) {
		for (size_t k = 0; k < ARRAY_LEN(ascending); k++) {
			CHECK_INT(semver_compare(
			              ascending[i], ascending[k], &order, &d),
			    0);
			CHECK((order < 0) == (i < k));
			CHECK((order > 0) == (i > k));
			same_order(ascending[i], ascending[k]);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(equal); i++) {
		CHECK_INT(
		    semver_compare(equal[i][0], equal[i][1], &order, &d), 0);
		CHECK_INT(order, 0);
		same_order(equal[i][0], equal[i][1]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK_INT(semver_compare(bad[i], "1", &order, NULL),
		    R_MANIFEST_VERSION);
		CHECK_INT(semver_compare("1", bad[i], &order, NULL),
		    R_MANIFEST_VERSION);
		same_order(bad[i], "1");
	}
	same_order("1-18446744073709551616", "1-2");
	same_order("1-", "1-1");
	same_order("1-", "1-a");
	same_order("1-", "1");
	same_order("1-a..b", "1-a.1");
	same_order("1-\xc3\xa4", "1-z");
	srand(1);
	for (unsigned i = 0; i < 100000; i++) {
		char a[16], b[16];

		random_version(a);
		random_version(b);
		same_order(a, b);
		same_order(a, a);
	}
}

int main(void)
{
	test_real();
	test_hash();
	test_refused();
	test_tolerated();
	test_code();
	test_types();
	test_limits();
	test_mutations();
	test_semver();
	CHECK_STR(format_name(FORMAT_CRYPT), "crypt");
	return check_done("manifest");
}
