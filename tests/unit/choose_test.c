/* SPDX-License-Identifier: 0BSD */
/* Which bundle is taken, and what is said of it and of the others: the rule,
 * with bundles that are what the test says they are. */
#include "worker/judge.c"

#include <stdio.h>

#include "check.h"

static struct installer installer;
struct installer *volatile const installer_at = &installer;

/* ---- the bundles */

static const struct one {
	const char *where, *version;
	int64_t signed_at;
	unsigned content; /* bundles with the same one are the same */
	int bad;          /* its head is refused so */
	int rotten;       /* and so a block of its contents */
} * world;

static const struct one *open_one;
static unsigned forward; /* a bit for each that is said to come once */

int pipe_list(struct pipe_blk *p, unsigned i, char *where, unsigned *count,
    struct diag *d)
{
	(void)p;
	(void)d;
	snprintf(where, SOURCE_WHERE, "%s", world[i].where);
	for (*count = 0; world[*count].where; ++*count)
		;
	return 0;
}

int pipe_open(struct pipe_blk *p, unsigned i, struct diag *d)
{
	(void)d;
	open_one = &world[i];
	p->forward = (forward >> i & 1) != 0;
	return 0;
}

int bundle_open(struct bundle *b, struct blk *blk, const struct keyring *k,
    const struct trust_policy *t, struct diag *d)
{
	(void)blk;
	(void)k;
	(void)t;
	if (open_one->bad)
		return diag_fail(d, open_one->bad, "bad head");
	snprintf(b->manifest.version, sizeof b->manifest.version, "%s",
	    open_one->version);
	memset(b->manifest.sha256, (int)open_one->content + 1,
	    sizeof b->manifest.sha256);
	b->signer.has_time = open_one->signed_at != 0;
	b->signer.signing_time = open_one->signed_at;
	return 0;
}

int bundle_verify(
    struct bundle *b, bundle_progress *progress, void *ctx, struct diag *d)
{
	(void)b;
	(void)progress;
	(void)ctx;
	return open_one->rotten ? diag_fail(d, open_one->rotten, "bad block")
	                        : 0;
}

int install_plan(struct plan *plan, const struct conf *c,
    const struct limits *limits, const struct manifest *m,
    const struct boot_state *state, const char *booted, struct diag *d)
{
	(void)plan;
	(void)c;
	(void)limits;
	(void)m;
	(void)state;
	(void)booted;
	(void)d;
	return 0;
}

int child_progress(
    void *ctx, enum install_phase phase, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)phase;
	(void)done;
	(void)total;
	return 0;
}

/* ---- what is said */

static char said[16384];
static char menu[JOB_CANDIDATES][LOG_LINE];
static char menu_where[JOB_CANDIDATES][SOURCE_WHERE];
static unsigned menus;

void child_candidate(const char *where, const char *line)
{
	CHECK(menus < JOB_CANDIDATES);
	snprintf(menu[menus], LOG_LINE, "%s", line);
	snprintf(menu_where[menus++], SOURCE_WHERE, "%s", where);
}

static void on_line(void *ctx, enum log_level level, const char *line)
{
	size_t n = strlen(said);

	(void)ctx;
	(void)level;
	snprintf(said + n, sizeof said - n, "%s\n", line);
}

static bool says(const char *text)
{
	if (strstr(said, text))
		return true;
	fprintf(stderr, "no \"%s\" in\n%s", text, said);
	return false;
}

/* ---- one search */

static struct settings settings;
static int feed;

/* Where the one that is taken lies, or the name of the reason. */
static const char *choose_in(
    const struct one *files, const char *setting, const char *chosen_by_hand)
{
	static struct job_setup setup;
	static struct work work;
	const struct candidate *chosen = NULL;
	struct diag d = {0};
	int r;

	memset(&installer, 0, sizeof installer);
	memset(&work, 0, sizeof work);
	said[0] = '\0';
	menus = 0;
	snprintf(settings.bundle, sizeof settings.bundle, "%s", setting);
	setup = (struct job_setup){.verb = JOB_RESCUE,
	    .settings = &settings,
	    .chosen = chosen_by_hand};
	work.setup = &setup;
	work.feed = feed;
	installer.w = &work;
	world = files;
	log_to(on_line, NULL, LOG_INFO);
	CHECK_INT(list_candidates(&d), 0);
	r = choose_candidate(&chosen, &d);
	CHECK((r == 0) == (chosen != NULL));
	if (r != 0)
		CHECK_INT(d.reason, r);
	return r == 0 ? chosen->where : reason_name(r);
}

static void expect(const struct one *files, const char *where)
{
	CHECK_STR(choose_in(files, "", NULL), where);
}

/* What is open at the end is what was chosen, whatever the source says of the
 * others: of two none comes once. */
static void test_source_that_lies(void)
{
	static const struct one two[] = {
	    {"sda1:/1.raucb", "2.0.0", 100, 1, 0, 0},
	    {"sda1:/2.raucb", "1.0.0", 200, 2, 0, 0}, {0}};
	static const struct one rotten[] = {
	    {"sda1:/1.raucb", "2.0.0", 100, 1, 0, R_VERITY_DATA},
	    {"sda1:/2.raucb", "1.0.0", 200, 2, 0, 0}, {0}};

	forward = 2;
	expect(two, "sda1:/1.raucb");
	CHECK(open_one == &two[0]);
	CHECK(says("sda1:/2.raucb: not taken: the source gave a malformed"));
	expect(rotten, "verity-data");
	forward = 1;
	expect(two, "sda1:/2.raucb");
	CHECK(open_one == &two[1]);
	forward = 3;
	expect(two, "worker-died");
	forward = 0;
}

/* What comes once is verified as it comes, but only where something does. */
static void test_stream(void)
{
	static const struct one one[] = {
	    {"a pipe", "1.0.0", 100, 1, 0, R_VERITY_DATA}, {0}};

	forward = 1;
	expect(one, "a pipe");
	feed = -1;
	expect(one, "worker-died");
	feed = 0;
	forward = 0;
}

/* Every order in which the three may be found gives the same. */
static void expect_in_any_order(const struct one *three, const char *where)
{
	static const uint8_t order[6][3] = {
	    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct one files[4] = {{0}};

		for (unsigned k = 0; k < 3; k++)
			files[k] = three[order[i][k]];
		expect(files, where);
	}
}

static void test_versions(void)
{
	static const struct one three[] = {
	    {"sda1:/1.raucb", "1.9.0", 300, 1, 0, 0},
	    {"sda1:/2.raucb", "1.10.0", 100, 2, 0, 0},
	    {"sda1:/3.raucb", "1.10.0-rc1", 200, 3, 0, 0},
	};
	static const struct one one[] = {
	    {"sda1:/1.raucb", "1", 0, 1, 0, 0}, {0}};
	static const struct one copies[] = {{"sda1:/1.raucb", "1", 0, 1, 0, 0},
	    {"sdb1:/1.raucb", "1", 0, 1, 0, 0}, {0}};

	expect_in_any_order(three, "sda1:/2.raucb");
	CHECK(says("sda1:/2.raucb (1.10.0, signed by no name): taken: the "
	           "highest version\n"));
	CHECK(says("sda1:/1.raucb (1.9.0, signed by no name): not taken: of a "
	           "lower version than sda1:/2.raucb\n"));
	CHECK_INT(menus, 3);
	expect(one, "sda1:/1.raucb");
	CHECK(says("taken: the only one\n"));
	expect(copies, "sda1:/1.raucb");
	CHECK(says("sda1:/1.raucb (1, signed by no name): taken: the only "
	           "one\n"));
	CHECK(says("not taken: the same as sda1:/1.raucb\n"));
}

static void test_versions_that_are_none(void)
{
	/* by version 2 is newer than 1, by time 1 newer than words, and
	 * words newer than 2: so all go by time */
	static const struct one three[] = {
	    {"sda1:/1.raucb", "1.0", 300, 1, 0, 0},
	    {"sda1:/2.raucb", "2.0", 100, 2, 0, 0},
	    {"sda1:/words.raucb", "some words", 200, 3, 0, 0},
	};
	static const struct one none[] = {
	    {"sda1:/1.raucb", "", 100, 1, 0, 0},
	    {"sda1:/2.raucb", "", 200, 2, 0, 0},
	    {"sda1:/3.raucb", "x", 150, 3, 0, 0},
	};
	/* what is not good has no say in it */
	static const struct one bad[] = {
	    {"sda1:/1.raucb", "1.0", 300, 1, 0, 0},
	    {"sda1:/2.raucb", "2.0", 100, 2, 0, 0},
	    {"sda1:/words.raucb", "some words", 400, 3, 0, R_VERITY_DATA},
	};

	expect_in_any_order(three, "sda1:/1.raucb");
	CHECK(says("taken: the newest signing time (versions cannot be "
	           "compared)\n"));
	CHECK(says("not taken: signed before sda1:/1.raucb\n"));
	expect_in_any_order(none, "sda1:/2.raucb");
	expect_in_any_order(bad, "sda1:/2.raucb");
	CHECK(says("sda1:/words.raucb (some words, signed by no name): not "
	           "taken: bad block [verity-data]\n"));
	CHECK(says("taken: the highest version\n"));
}

static void test_rivals(void)
{
	static const struct one versions[] = {
	    {"sda1:/1.raucb", "2.0", 100, 1, 0, 0},
	    {"sda1:/2.raucb", "2.0.0", 200, 2, 0, 0},
	    {"sda1:/3.raucb", "1.0", 300, 3, 0, 0},
	};
	static const struct one words[] = {
	    {"sda1:/1.raucb", "blue", 100, 1, 0, 0},
	    {"sda1:/2.raucb", "blue", 200, 2, 0, 0},
	    {"sda1:/3.raucb", "red", 50, 3, 0, 0},
	};
	static const struct one times[] = {
	    {"sda1:/1.raucb", "", 0, 1, 0, 0},
	    {"sda1:/2.raucb", "", 0, 2, 0, 0},
	    {"sda1:/3.raucb", "", 0, 2, 0, 0},
	};
	static const struct one elsewhere[] = {
	    {"sda1:/1.raucb", "1.0", 100, 1, 0, 0},
	    {"sda1:/2.raucb", "1.0", 200, 2, 0, 0},
	    {"sda1:/3.raucb", "3.0", 50, 3, 0, 0},
	};
	/* what is refused is no rival */
	static const struct one refused[] = {
	    {"sda1:/1.raucb", "2.0", 100, 1, 0, 0},
	    {"sda1:/2.raucb", "2.0", 200, 2, R_CMS_DIGEST, 0},
	    {"sda1:/3.raucb", "1.0", 300, 3, 0, 0},
	};

	expect_in_any_order(versions, "bundle-choice");
	CHECK(says("sda1:/2.raucb (2.0.0) and sda1:/1.raucb (2.0) are "
	           "different bundles, neither newer"));
	CHECK_INT(menus, 3);
	expect_in_any_order(words, "bundle-choice");
	expect_in_any_order(times, "bundle-choice");
	CHECK(says("sda1:/3.raucb (no version) and sda1:/1.raucb (no version) "
	           "are different bundles, neither newer"));
	/* older ones hold nothing up */
	expect_in_any_order(elsewhere, "sda1:/3.raucb");
	expect_in_any_order(refused, "sda1:/1.raucb");
}

static void test_asked_for(void)
{
	static const struct one files[] = {
	    {"sda1:/a.raucb", "2.0", 100, 1, 0, 0},
	    {"sda1:/sub/b.raucb", "2.0", 200, 2, 0, 0},
	    {"sdb1:/a.raucb", "1.0", 300, 3, 0, 0},
	    {"sdb1:/c.raucb", "9.0", 300, 4, R_CMS_DIGEST, 0},
	    {0},
	};

	expect(files, "bundle-choice");
	CHECK_STR(
	    choose_in(files, "", "sda1:/sub/b.raucb"), "sda1:/sub/b.raucb");
	CHECK(says("taken: asked for\n"));
	CHECK(says("sda1:/a.raucb: not taken: not the one asked for\n"));
	/* a person comes before the settings */
	CHECK_STR(
	    choose_in(files, "/sub/b.raucb", "sdb1:/a.raucb"), "sdb1:/a.raucb");
	CHECK_STR(choose_in(files, "b.raucb", NULL), "sda1:/sub/b.raucb");
	/* of two of that name the rule decides */
	CHECK_STR(choose_in(files, "a.raucb", NULL), "sda1:/a.raucb");
	CHECK_STR(choose_in(files, "sdb1:/a.raucb", NULL), "sdb1:/a.raucb");
	CHECK_STR(choose_in(files, "x.raucb", NULL), "no-bundle");
	/* it is judged like any other */
	CHECK_STR(
	    choose_in(files, "", "sdb1:/c.raucb"), reason_name(R_CMS_DIGEST));
}

static void test_menu(void)
{
	struct one files[JOB_CANDIDATES + 4] = {{0}};

	for (unsigned i = 0; i < JOB_CANDIDATES + 3; i++)
		files[i] =
		    (struct one){"sda1:/x.raucb", "1.0", 5, i, R_CMS_DIGEST, 0};
	/* what may be taken comes first, however late it was found */
	files[10] = (struct one){"sda1:/late.raucb", "2.0", 5, 50, 0, 0};
	files[11] = (struct one){"sda1:/rival.raucb", "2.0", 5, 51, 0, 0};
	expect(files, "bundle-choice");
	CHECK_INT(menus, JOB_CANDIDATES);
	CHECK_STR(menu_where[0], "sda1:/late.raucb");
	CHECK_STR(menu_where[1], "sda1:/rival.raucb");
	CHECK(strstr(menu[1], "sda1:/rival.raucb (2.0, signed by no name): not "
	                      "taken: sda1:/late.raucb (2.0) and ") == menu[1]);
	CHECK_STR(menu[2], "sda1:/x.raucb: not taken: bad head");
	CHECK_STR(
	    choose_in(files, "", "sda1:/rival.raucb"), "sda1:/rival.raucb");
	CHECK_STR(menu[0], "sda1:/rival.raucb (2.0, signed by no name): taken: "
	                   "asked for");
}

int main(void)
{
	test_source_that_lies();
	test_stream();
	test_versions();
	test_versions_that_are_none();
	test_rivals();
	test_asked_for();
	test_menu();
	return check_done("choose");
}
