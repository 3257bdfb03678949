/* SPDX-License-Identifier: 0BSD */
#include "check.h"

#include "slot/status.h"

static struct conf c = {.slots = 3,
    .slot = {{.name = "rootfs.0"}, {.name = "rootfs.1"}, {.name = "app.1"}}};
static struct status_change ch;
static char out[STATUS_MAX], again[STATUS_MAX];
static size_t len;
static bool changed, damaged;
static struct diag d;

/* 2023-11-14T22:13:20Z */
#define NOW 1700000000
#define HASH "abababababababababababababababababababababababababababababababab"
#define SHA0 "1111111111111111111111111111111111111111111111111111111111111111"
#define SHA1 "2222222222222222222222222222222222222222222222222222222222222222"
#define OLD_SHA \
	"0000000000000000000000000000000000000000000000000000000000000000"

/* One image for rootfs.1. */
static void change(enum status_kind kind)
{
	memset(&ch, 0, sizeof ch);
	ch.kind = kind;
	ch.images = 1;
	ch.activated = -1;
	ch.time = NOW;
	strcpy(ch.compatible, "dev");
	strcpy(ch.version, "2.0");
	memset(ch.hash, 0xab, sizeof ch.hash);
	ch.image[0].slot = 1;
	memset(ch.image[0].sha256, 0x11, sizeof ch.image[0].sha256);
	ch.image[0].size = 4096;
}

static int update_n(const char *old, size_t n)
{
	struct slice s = {old, n};

	diag_clear(&d);
	memset(out, 'X', sizeof out);
	return status_update(out, &len, &changed, &damaged, s, &c, &ch, &d);
}

#define update(old) update_n(old, strlen(old))

static void becomes(int line, const char *old, const char *want)
{
	int r = update(old);

	if (r == 0 && len == strlen(want) && memcmp(out, want, len) == 0 &&
	    !damaged && changed == (strcmp(old, want) != 0)) {
		check_passed++;
		return;
	}
	check_failed++;
	fprintf(stderr, "line %d: %d, changed %d, damaged %d:\n%.*s---\n%s",
	    line, r, changed, damaged, (int)len, out, want);
}

#define BECOMES(old, want) becomes(__LINE__, old, want)

#define NEW_GROUP \
	"[slot.rootfs.1]\nbundle.compatible=dev\nbundle.version=2.0\n" \
	"bundle.hash=" HASH "\nstatus=ok\nsha256=" SHA0 "\nsize=4096\n" \
	"installed.timestamp=2023-11-14T22:13:20Z\ninstalled.count=1\n"

static void test_fresh(void)
{
	change(STATUS_PENDING);
	BECOMES("", "[slot.rootfs.1]\nstatus=pending\n");
	change(STATUS_FAILED);
	BECOMES("", "[slot.rootfs.1]\nstatus=failed\n");
	change(STATUS_OK);
	BECOMES("", NEW_GROUP);
	strcpy(ch.description, "a text");
	strcpy(ch.build, "7");
	ch.activated = 1;
	BECOMES("",
	    "[slot.rootfs.1]\nbundle.compatible=dev\nbundle.version=2.0\n"
	    "bundle.description=a text\nbundle.build=7\nbundle.hash=" HASH
	    "\nstatus=ok\nsha256=" SHA0 "\nsize=4096\n"
	    "installed.timestamp=2023-11-14T22:13:20Z\ninstalled.count=1\n"
	    "activated.timestamp=2023-11-14T22:13:20Z\nactivated.count=1\n");
	change(STATUS_ACTIVATED);
	ch.images = 0;
	ch.activated = 0;
	BECOMES("", "[slot.rootfs.0]\nactivated.timestamp=2023-11-14T22:13:20Z"
	            "\nactivated.count=1\n");
	ch.activated = -1;
	BECOMES("", "");
}

#define OLD_GROUP(state) \
	"[slot.rootfs.1]\nbundle.compatible=dev\nbundle.version=1\n" \
	"bundle.description=old\nbundle.build=3\nbundle.hash=" OLD_SHA \
	"\nstatus=" state
#define OLD_TIMES \
	"installed.transaction=87e7c14d-773d-4eac-a9f7-9bee65fb5f6e\n" \
	"installed.timestamp=2020-01-01T00:00:00Z\ninstalled.count=4\n" \
	"activated.timestamp=2020-01-01T00:00:09Z\nactivated.count=3\n"
#define OLD_OK OLD_GROUP("ok") "\nsha256=" OLD_SHA "\nsize=12\n" OLD_TIMES

static void test_existing(void)
{
	change(STATUS_PENDING);
	BECOMES(OLD_OK, OLD_GROUP("pending") "\n" OLD_TIMES);
	BECOMES(OLD_GROUP("pending") "\n" OLD_TIMES,
	    OLD_GROUP("pending") "\n" OLD_TIMES);
	change(STATUS_FAILED);
	BECOMES(OLD_OK, OLD_GROUP("failed") "\n" OLD_TIMES);
	/* nothing of the old bundle is left, but the counts go on */
	change(STATUS_OK);
	BECOMES(OLD_OK,
	    "[slot.rootfs.1]\nbundle.compatible=dev\nbundle.version=2.0\n"
	    "bundle.hash=" HASH "\nstatus=ok\nsha256=" SHA0 "\nsize=4096\n"
	    "installed.timestamp=2023-11-14T22:13:20Z\ninstalled.count=5\n"
	    "activated.count=3\n");
	ch.activated = 1;
	BECOMES(OLD_OK,
	    "[slot.rootfs.1]\nbundle.compatible=dev\nbundle.version=2.0\n"
	    "bundle.hash=" HASH "\nstatus=ok\nsha256=" SHA0 "\nsize=4096\n"
	    "installed.timestamp=2023-11-14T22:13:20Z\ninstalled.count=5\n"
	    "activated.timestamp=2023-11-14T22:13:20Z\nactivated.count=4\n");
	/* only these two, even when there are images */
	change(STATUS_ACTIVATED);
	ch.activated = 1;
	BECOMES(OLD_GROUP("ok") "\nsha256=" OLD_SHA "\nsize=12\n"
	                        "installed.timestamp=2020-01-01T00:00:00Z\n",
	    OLD_GROUP("ok") "\nsha256=" OLD_SHA "\nsize=12\n"
	                    "installed.timestamp=2020-01-01T00:00:00Z\n"
	                    "activated.timestamp=2023-11-14T22:13:20Z\n"
	                    "activated.count=1\n");
	/* an interrupted install is no activation */
	change(STATUS_PENDING);
	ch.activated = 1;
	BECOMES("", "[slot.rootfs.1]\nstatus=pending\n");
}

static void test_several(void)
{
	change(STATUS_OK);
	ch.images = 2;
	ch.image[1] = ch.image[0];
	ch.image[1].slot = 2;
	memset(ch.image[1].sha256, 0x22, 32);
	ch.image[1].size = UINT64_MAX;
	ch.activated = 0; /* one without an image of its own */
	BECOMES("[slot.app.1]\nstatus=x\n",
	    "[slot.app.1]\nbundle.compatible=dev\nbundle.version=2.0\n"
	    "bundle.hash=" HASH "\nstatus=ok\nsha256=" SHA1
	    "\nsize=18446744073709551615\n"
	    "installed.timestamp=2023-11-14T22:13:20Z\ninstalled.count=1\n"
	    "\n[slot.rootfs.0]\n"
	    "activated.timestamp=2023-11-14T22:13:20Z\nactivated.count=1\n"
	    "\n" NEW_GROUP);
	memcpy(again, out, len);
	CHECK_INT(update_n(again, len), 0);
	CHECK(!changed && !damaged);
	/* the same bundle for other slots, another one's size */
	ch.image[1].size = 1;
	CHECK_INT(update_n(again, len), 0);
	CHECK(changed);
}

static void test_rest_stays(void)
{
	change(STATUS_PENDING);
	BECOMES("# first\r\n\r\n[system]\nboot-id=1\n \t\n"
	        " [slot.rootfs.1] \t\n# in\n  status = ok\r\nlater=5\n"
	        "sha256=x\n\n#size=9\nsize=12\nsize[de]=1\nstatus=no\n"
	        "[slot.rootfs.10]\nsha256=y\n\n[slot.gone.0]\nsize=1\n"
	        "[slot.rootfs.0]\nsize = 4\nsize=5\n[status]\nstatus=s\n"
	        "[recovery]\nstatus=2\n[slot.]\nsize=1\n[slot]\nsize=2",
	    "# first\r\n\r\n[system]\nboot-id=1\n \t\n"
	    " [slot.rootfs.1] \t\nstatus=pending\n# in\nlater=5\n"
	    "\n#size=9\nsize[de]=1\n"
	    "[slot.rootfs.10]\nsha256=y\n\n[slot.gone.0]\nsize=1\n"
	    "[slot.rootfs.0]\nsize = 4\nsize=5\n[status]\nstatus=s\n"
	    "[recovery]\nstatus=2\n[slot.]\nsize=1\n[slot]\nsize=2");
	/* one group in several places; the last of several keys counts */
	BECOMES("[slot.rootfs.1]\nbundle.version=1\ninstalled.count=1\na=1\n"
	        "[slot.rootfs.0]\nb=2\n[slot.rootfs.1]\nc=3\n"
	        "installed.count=7\nsize=1\n#end",
	    "[slot.rootfs.1]\nbundle.version=1\nstatus=pending\n"
	    "installed.count=7\na=1\n"
	    "[slot.rootfs.0]\nb=2\n[slot.rootfs.1]\nc=3\n#end");
	/* values that are kept are kept raw */
	BECOMES("[slot.rootfs.1]\nbundle.version=\\s\\x \nbundle.build=\n",
	    "[slot.rootfs.1]\nbundle.version=\\s\\x \nbundle.build=\n"
	    "status=pending\n");
	/* a last line without an end */
	BECOMES("[slot.rootfs.1]", "[slot.rootfs.1]\nstatus=pending\n");
	BECOMES("[slot.rootfs.0]\na=b",
	    "[slot.rootfs.0]\na=b\n\n[slot.rootfs.1]\nstatus=pending\n");
	BECOMES("[slot.rootfs.0]\na=b\r",
	    "[slot.rootfs.0]\na=b\r\r\n\n[slot.rootfs.1]\n"
	    "status=pending\n");
	BECOMES("[slot.rootfs.1]\nbundle.version=1\r",
	    "[slot.rootfs.1]\nbundle.version=1\r\r\nstatus=pending\n");
	BECOMES("# only\n\n", "# only\n\n[slot.rootfs.1]\nstatus=pending\n");
	BECOMES("#\n", "#\n\n[slot.rootfs.1]\nstatus=pending\n");
	BECOMES("\n", "\n[slot.rootfs.1]\nstatus=pending\n");
}

static void test_idempotent(void)
{
	static const struct {
		const char *from, *to;
	} less[] = {{"status=ok", "status=no"}, {"size=4096", "size=4097"},
	    {"sha256=1", "sha256=2"}, {"hash=a", "hash=b"},
	    {"sha256=1", "#ha256=1"}, {"rootfs.1", "rootfs.0"}};

	change(STATUS_OK);
	CHECK_INT(update(NEW_GROUP "activated.count=1\nother=1\n"), 0);
	CHECK(!changed && !damaged);
	/* not in RAUC's order, or of another day: it says the same */
	CHECK_INT(update("#x\n[slot.rootfs.1]\nsize=4096\nsha256=" SHA0
	                 "\nstatus=ok\nbundle.hash=" HASH "\n"),
	    0);
	CHECK(!changed);
	for (size_t i = 0; i < ARRAY_LEN(less); i++) {
		char text[sizeof NEW_GROUP] = NEW_GROUP;
		char *at = strstr(text, less[i].from);

		CHECK(at != NULL);
		if (at)
			memcpy(at, less[i].to, strlen(less[i].to));
		CHECK_INT(update(text), 0);
		CHECK(changed);
	}
	ch.activated = 1;
	CHECK_INT(update(NEW_GROUP), 0);
	CHECK(changed);
	CHECK_INT(update(NEW_GROUP "activated.count=1\n"), 0);
	CHECK(!changed);
	ch.activated = 0;
	CHECK_INT(update(NEW_GROUP), 0);
	CHECK(changed);
	/* pending again, and then ok, counts as one more */
	change(STATUS_PENDING);
	CHECK_INT(update(NEW_GROUP), 0);
	memcpy(again, out, len);
	change(STATUS_OK);
	CHECK_INT(update_n(again, len), 0);
	out[len] = '\0';
	CHECK(changed && strstr(out, "installed.count=2\n") != NULL);
}

static bool has(const char *line)
{
	out[len] = '\0';
	return strstr(out, line) != NULL;
}

static void test_counts(void)
{
	static const struct {
		const char *old, *new;
	} counts[] = {{"0", "1"}, {"41", "42"}, {"007", "8"}, {"", "1"},
	    {"x", "1"}, {"-1", "1"}, {"5 ", "1"}, {"0x10", "1"},
	    {"4294967294", "4294967295"}, {"4294967295", "4294967295"},
	    {"4294967296", "1"}, {"4294967301", "1"},
	    {"18446744073709551616", "1"}};
	char old[200], line[80];

	change(STATUS_OK);
	ch.activated = 1;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		sprintf(old,
		    "[slot.rootfs.1]\ninstalled.count=%s\n"
		    "activated.count=%s\n",
		    counts[i].old, counts[i].old);
		CHECK_INT(update(old), 0);
		sprintf(line, "\ninstalled.count=%s\n", counts[i].new);
		CHECK(has(line));
		sprintf(line, "\nactivated.count=%s\n", counts[i].new);
		CHECK(has(line));
	}
}

static void stamp(const char *old, int64_t time, const char *want)
{
	char line[80] = "\ninstalled.timestamp=";

	change(STATUS_OK);
	ch.time = time;
	CHECK_INT(update(old), 0);
	strcat(strcat(line, want), "\n");
	CHECK(has(want[0] != '\0' ? line : "\ninstalled.count="));
	if (want[0] == '\0')
		CHECK(!has("timestamp"));
}

static void test_newest(void)
{
	stamp("", NOW, "2023-11-14T22:13:20Z");
	stamp("", 0, "");
	stamp("", -1, "");
	stamp("", 1, "1970-01-01T00:00:01Z");
	stamp("[slot.rootfs.1]\nactivated.timestamp=yesterday\n", 0, "");
	stamp("", INT64_MAX, "9999-12-31T23:59:59Z");
	/* of any slot, known or not, and of either kind */
	stamp("[slot.rootfs.0]\ninstalled.timestamp=2024-02-28T23:59:59Z\n",
	    NOW, "2024-02-29T00:00:00Z");
	stamp("[slot.rootfs.0]\ninstalled.timestamp=2024-02-28T23:59:59Z\n", -5,
	    "2024-02-29T00:00:00Z");
	stamp("[slot.gone.0]\nactivated.timestamp=2023-12-31T23:59:59Z\n"
	      "[slot.rootfs.1]\ninstalled.timestamp=2022-01-01T00:00:00Z\n",
	    NOW, "2024-01-01T00:00:00Z");
	stamp("[slot.rootfs.1]\ninstalled.timestamp=2023-11-14T22:13:20Z\n",
	    NOW, "2023-11-14T22:13:21Z");
	stamp("[slot.rootfs.1]\ninstalled.timestamp=2023-11-14T22:13:19Z\n",
	    NOW, "2023-11-14T22:13:20Z");
	stamp("[slot.rootfs.1]\ninstalled.timestamp=9999-12-31T23:59:59Z\n",
	    NOW, "9999-12-31T23:59:59Z");
	/* what is none, or no slot's */
	stamp("[slot.rootfs.1]\ninstalled.timestamp=2024-02-30T00:00:00Z\n",
	    NOW, "2023-11-14T22:13:20Z");
	stamp("[other]\ninstalled.timestamp=2025-01-01T00:00:00Z\n"
	      "[slot.rootfs.0]\ntimestamp=2025-01-01T00:00:00Z\n",
	    NOW, "2023-11-14T22:13:20Z");
}

static void test_escapes(void)
{
	struct status_slot s;

	change(STATUS_OK);
	strcpy(ch.compatible, "  \t a\\b = #c;[d] ");
	strcpy(ch.version, " ");
	strcpy(ch.description, "\n\r x\ny\rz\t");
	strcpy(ch.build, "\303\274\342\202\254");
	CHECK_INT(update(""), 0);
	CHECK(has("bundle.compatible=\\s\\s\\t\\sa\\\\b = #c;[d] \n"
	          "bundle.version=\\s\n"
	          "bundle.description=\\n\\r\\sx\\ny\\rz\t\n"
	          "bundle.build=\303\274\342\202\254\n"));
	CHECK_INT(status_read(&s, (struct slice){out, len}, "rootfs.1", &d), 0);
	CHECK_STR(s.compatible, ch.compatible);
	CHECK_STR(s.version, ch.version);
	CHECK_STR(s.description, ch.description);
	CHECK_STR(s.build, ch.build);
	/* the longest: every byte escaped, the next one starts a new text */
	memset(ch.description, '\\', sizeof ch.description - 1);
	memset(ch.version, '\n', sizeof ch.version - 1);
	CHECK_INT(update(""), 0);
	CHECK_INT(status_read(&s, (struct slice){out, len}, "rootfs.1", &d), 0);
	CHECK_STR(s.description, ch.description);
	CHECK_STR(s.version, ch.version);
	/* none: left out */
	memset(ch.compatible, 'x', sizeof ch.compatible);
	memset(ch.description, 'x', sizeof ch.description);
	strcpy(ch.version, "\303");
	strcpy(ch.build, "\355\240\200");
	CHECK_INT(update("[slot.rootfs.1]\nbundle.version=1\n"), 0);
	CHECK(has("[slot.rootfs.1]\nbundle.hash="));
}

static void test_damaged(void)
{
	static const char *const bad[] = {"status=ok\n", "[slot.rootfs.1\n",
	    "[slot.rootfs.1]\nstatus\n", "\357\273\277[a]\n", "[a]\n=1\n",
	    "[a]\nb=\377\n", "# \200\n", "[a]\nb=\355\240\200\n"};
	struct status_slot s;

	change(STATUS_PENDING);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct slice text = {bad[i], strlen(bad[i])};

		CHECK_INT(update(bad[i]), 0);
		CHECK(damaged && changed);
		CHECK(
		    has("[slot.rootfs.1]\nstatus=pending\n") && out[0] == '[');
		diag_clear(&d);
		CHECK_INT(
		    status_read(&s, text, "rootfs.1", &d), R_KEYFILE_SYNTAX);
		CHECK_INT(d.reason, R_KEYFILE_SYNTAX);
		CHECK(!s.found && s.status[0] == '\0');
	}
	/* what a cut left: zeros at the end, or nothing else */
	CHECK_INT(update_n("[slot.rootfs.0]\na=1\n\0\0\0", 24), 0);
	CHECK(damaged && len == 31);
	CHECK_INT(update_n("\0\0\0\0", 4), 0);
	CHECK(damaged && changed);
	CHECK_INT(update_n("# a\0b\n", 6), 0);
	CHECK(damaged);
	/* no timestamp of it counts */
	change(STATUS_OK);
	CHECK_INT(update("[slot.a.0]\n"
	                 "installed.timestamp=2030-01-01T00:00:00Z\nx\n"),
	    0);
	CHECK(has("=2023-11-14T22:13:20Z\n"));
	CHECK_INT(update_n(NULL, 0), 0);
	CHECK(!damaged && changed);
	/* and if there is nothing to say, it is nothing */
	change(STATUS_ACTIVATED);
	CHECK_INT(update("x"), 0);
	CHECK(damaged && changed && len == 0);
}

static void test_limits(void)
{
	static char big[STATUS_MAX + 10];
	size_t room = STATUS_MAX - 1 -
	              strlen("\n\n[slot.rootfs.1]\n"
	                     "status=pending\n");

	memset(big, '#', sizeof big);
	change(STATUS_PENDING);
	CHECK_INT(update_n(big, room - 1), 0);
	CHECK_INT(len, STATUS_MAX - 2);
	CHECK(!damaged && changed);
	for (size_t n = room; n <= sizeof big; n += n < room + 40 ? 1 : 5) {
		CHECK_INT(update_n(big, n), R_LIMIT);
		CHECK_INT(d.reason, R_LIMIT);
	}
	memcpy(big, "[slot.rootfs.1]\nsha256=", 23);
	big[sizeof big - 1] = '\n';
	CHECK_INT(update_n(big, sizeof big), 0);
	CHECK_INT(len, strlen("[slot.rootfs.1]\nstatus=pending\n"));

	change(STATUS_OK);
	ch.kind = STATUS_KINDS;
	CHECK_INT(update(""), R_INTERNAL);
	change(STATUS_OK);
	ch.images = MANIFEST_IMAGES + 1;
	CHECK_INT(update(""), R_INTERNAL);
	change(STATUS_OK);
	ch.image[0].slot = 3;
	CHECK_INT(update(""), R_INTERNAL);
	change(STATUS_OK);
	ch.activated = 3;
	CHECK_INT(update(""), R_INTERNAL);
	CHECK_INT(d.reason, R_INTERNAL);
	change(STATUS_OK);
	ch.images = MANIFEST_IMAGES;
	for (unsigned i = 0; i < MANIFEST_IMAGES; i++)
		ch.image[i].slot = i % 3;
	CHECK_INT(update(""), 0);
}

static void test_read(void)
{
	struct status_slot s;
	const char *t =
	    OLD_OK "[slot.x.0]\nsize=7\nstatus=a\\sb\\\\\nbundle.version=\\x\n"
	           "bundle.hash=" OLD_SHA "0\ninstalled.count=4294967296\n"
	           "activated.count=4294967295\n"
	           "installed.timestamp=2020-01-01 \n"
	           "[slot.y.0]\nsha256=ab\nsize=1x\n"
	           "[slot.rootfs.1]\nstatus=again\n[slot.z.0]\n";
	struct slice text = {t, strlen(t)};

	CHECK_INT(status_read(&s, text, "rootfs.1", &d), 0);
	CHECK(s.found);
	CHECK_STR(s.compatible, "dev");
	CHECK_STR(s.version, "1");
	CHECK_STR(s.description, "old");
	CHECK_STR(s.build, "3");
	CHECK_STR(s.hash, OLD_SHA);
	CHECK_STR(s.status, "again");
	CHECK_STR(s.sha256, OLD_SHA);
	CHECK_INT(s.size, 12);
	CHECK_STR(s.installed_timestamp, "2020-01-01T00:00:00Z");
	CHECK_INT(s.installed_count, 4);
	CHECK_STR(s.activated_timestamp, "2020-01-01T00:00:09Z");
	CHECK_INT(s.activated_count, 3);
	CHECK_INT(status_read(&s, text, "x.0", &d), 0);
	CHECK(s.found);
	CHECK_STR(s.status, "a b\\");
	CHECK_STR(s.version, "");
	CHECK_STR(s.hash, "");
	CHECK_INT(s.size, 0); /* without sha256 */
	CHECK_INT(s.installed_count, 0);
	CHECK_INT(s.activated_count, UINT32_MAX);
	CHECK_STR(s.installed_timestamp, "2020-01-01 ");
	CHECK_INT(status_read(&s, text, "y.0", &d), 0);
	CHECK_STR(s.sha256, "ab");
	CHECK_INT(s.size, 0);
	CHECK_INT(status_read(&s, text, "z.0", &d), 0);
	CHECK(s.found && s.status[0] == '\0');
	CHECK_INT(status_read(&s, text, "rootfs.0", &d), 0);
	CHECK(!s.found);
	CHECK_INT(status_read(&s, (struct slice){NULL, 0}, "x.0", &d), 0);
	CHECK(!s.found);
}

static bool parsed(const char *text, int64_t *t)
{
	return status_time_parse((struct slice){text, strlen(text)}, t);
}

static void test_time(void)
{
	static const struct {
		int64_t time;
		const char *text;
	} times[] = {{0, "1970-01-01T00:00:00Z"},
	    {86399, "1970-01-01T23:59:59Z"}, {5097600, "1970-03-01T00:00:00Z"},
	    {951782400, "2000-02-29T00:00:00Z"},
	    {951868800, "2000-03-01T00:00:00Z"}, {NOW, "2023-11-14T22:13:20Z"},
	    {1709164800, "2024-02-29T00:00:00Z"},
	    {1735689599, "2024-12-31T23:59:59Z"},
	    {2147483648, "2038-01-19T03:14:08Z"},
	    {4107542400, "2100-03-01T00:00:00Z"},
	    {253402300799, "9999-12-31T23:59:59Z"}};
	static const char *const bad[] = {"", "2023-11-14T22:13:20",
	    "2023-11-14T22:13:20z", "2023-11-14 22:13:20Z",
	    "2023-11-14T22:13:20ZZ", "2023-11-14T22:13:20+0",
	    "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
	    "2023-00-10T00:00:00Z", "2023-13-10T00:00:00Z",
	    "2023-11-00T00:00:00Z", "2023-11-31T00:00:00Z",
	    "2023-11-14T24:00:00Z", "2023-11-14T22:60:00Z",
	    "2023-11-14T22:13:60Z", "1969-12-31T23:59:59Z",
	    "0000-01-01T00:00:00Z", "2023-1-014T22:13:20Z",
	    "x023-11-14T22:13:20Z", "2023-11-14T22:13:2\377Z"};
	char text[21];
	int64_t t;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		status_time_format(text, times[i].time);
		CHECK_STR(text, times[i].text);
		CHECK(parsed(text, &t));
		CHECK_INT(t, times[i].time);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!parsed(bad[i], &t));
	/* every day has one more than the one before */
	strcpy(again, "1969-12-31");
	for (t = 0; t < 253402300800; t += 86400 * 13) {
		int64_t back;

		status_time_format(text, t + 4711);
		if (strcmp(again, text) >= 0 || !parsed(text, &back) ||
		    back != t + 4711)
			break;
		strcpy(again, text);
	}
	CHECK(t >= 253402300800);
}

static int place(const char *device, const char *mount_point, const char *file,
    const char *want)
{
	static struct conf conf;
	struct settings s;
	char path[CONF_TEXT];
	int r;

	settings_default(&s);
	strcpy(s.data_device, device);
	if (mount_point)
		strcpy(s.data_mount_point, mount_point);
	strcpy(conf.statusfile, file);
	diag_clear(&d);
	r = status_path(path, &conf, &s, &d);
	CHECK_STR(path, want);
	CHECK_INT(d.reason, r);
	return r;
}

static void test_path(void)
{
	static const char *const nowhere[] = {"data/x", "central.raucs", "/",
	    "//", "/data/", "/data/..", "/data/../x", "/data/x/../y", "..",
	    "/../data/x", "/data/x/", "/data//"};
	static const char *const elsewhere[] = {
	    "/x", "/dat/x", "/data", "/database/x", "/var/data/x", "//data/x"};
	char longest[CONF_TEXT];

	CHECK_INT(place("", NULL, "", ""), 0);
	CHECK_INT(place("/dev/x", NULL, "", ""), 0);
	CHECK_INT(place("/dev/x", NULL, "per-slot", ""), 0);
	CHECK_INT(place("", NULL, "/data/c", "/data/c"), 0);
	CHECK_INT(place("", NULL, "/var/lib/c..d", "/var/lib/c..d"), 0);
	CHECK_INT(place("/dev/x", NULL, "/data/c", "c"), 0);
	CHECK_INT(
	    place("/dev/x", NULL, "/data/rauc/c.raucs", "rauc/c.raucs"), 0);
	CHECK_INT(place("/dev/x", NULL, "/data//rauc/..c", "rauc/..c"), 0);
	CHECK_INT(place("/dev/x", "/data/", "/data/c", "c"), 0);
	CHECK_INT(place("/dev/x", "/a/b//", "/a/b/c", "c"), 0);
	CHECK_INT(place("/dev/x", "/", "/rauc/c", "rauc/c"), 0);
	for (size_t i = 0; i < ARRAY_LEN(nowhere); i++) {
		CHECK_INT(place("", NULL, nowhere[i], ""), R_STATUS_PLACE);
		CHECK_INT(
		    place("/dev/x", NULL, nowhere[i], ""), R_STATUS_PLACE);
		CHECK(strstr(d.seen, nowhere[i]) != NULL);
	}
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		CHECK_INT(place("", NULL, elsewhere[i], elsewhere[i]), 0);
		CHECK_INT(
		    place("/dev/x", NULL, elsewhere[i], ""), R_STATUS_PLACE);
		CHECK(strstr(d.seen, "/data") != NULL);
	}
	CHECK_INT(place("/dev/x", "data", "/data/c", ""), R_STATUS_PLACE);
	CHECK_INT(place("/dev/x", "data", "data/c", ""), R_STATUS_PLACE);
	CHECK_INT(place("/dev/x", "/a/../b", "/a/../b/c", ""), R_STATUS_PLACE);
	CHECK_INT(place("/dev/x", "/a/../b", "/b/c", ""), R_STATUS_PLACE);
	memset(longest, 'x', sizeof longest - 1);
	longest[0] = '/';
	longest[sizeof longest - 1] = '\0';
	CHECK_INT(place("", NULL, longest, longest), 0);
	CHECK_INT(place("/dev/x", "/", longest, longest + 1), 0);
	CHECK_INT(place("/dev/x", longest, longest, ""), R_STATUS_PLACE);
}

/* The highest version that stands whole in a slot of system.conf. */
static void test_version(void)
{
	static const struct {
		const char *text, *version;
	} cases[] = {
	    {"", ""},
	    {"[slot.rootfs.0]\nbundle.version=1.2\nstatus=ok\n", "1.2"},
	    /* what did not come to an end is not what was there */
	    {"[slot.rootfs.0]\nbundle.version=1.2\nstatus=ok\n"
	     "[slot.rootfs.1]\nbundle.version=2\nstatus=pending\n"
	     "[slot.app.1]\nbundle.version=3\nstatus=failed\n",
	        "1.2"},
	    {"[slot.rootfs.0]\nbundle.version=1.10\nstatus=ok\n"
	     "[slot.rootfs.1]\nbundle.version=1.9\nstatus=ok\n",
	        "1.10"},
	    {"[slot.rootfs.0]\nbundle.version=1.9\nstatus=ok\n"
	     "[slot.rootfs.1]\nbundle.version=1.10\nstatus=ok\n",
	        "1.10"},
	    {"[slot.rootfs.0]\nbundle.version=2-rc.1\nstatus=ok\n"
	     "[slot.app.1]\nbundle.version=spring\nstatus=ok\n",
	        "2-rc.1"},
	    {"[slot.rootfs.0]\nbundle.version=spring\nstatus=ok\n", ""},
	    {"[slot.rootfs.0]\nbundle.version=1\n", ""},
	    {"[slot.rootfs.0]\nstatus=ok\n", ""},
	    {"[slot.other.0]\nbundle.version=1\nstatus=ok\n", ""},
	    {"[system]\nbundle.version=1\nstatus=ok\n", ""},
	};
	char version[MANIFEST_TEXT];
	struct slice text;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		text = (struct slice){cases[i].text, strlen(cases[i].text)};
		CHECK_INT(status_version(version, text, &c, NULL), 0);
		CHECK_STR(version, cases[i].version);
	}
	text = (struct slice){"[slot", 5};
	CHECK_INT(status_version(version, text, &c, NULL), R_KEYFILE_SYNTAX);
	CHECK_STR(version, "");
	/* it is a question, not something to be written */
	change(STATUS_QUESTION);
	CHECK_INT(update(""), R_INTERNAL);
}

int main(void)
{
	test_fresh();
	test_existing();
	test_several();
	test_rest_stays();
	test_idempotent();
	test_counts();
	test_newest();
	test_escapes();
	test_damaged();
	test_limits();
	test_read();
	test_time();
	test_path();
	test_version();
	return check_done("status");
}
