/* SPDX-License-Identifier: 0BSD */
/* What comes once: by its first bytes it is a stream, or kept in memory, as
 * much as fits and without what XMODEM put behind it. */
#include <sys/mman.h>
#include <unistd.h>

#include "source/once.c"

#include "../check.h"

#define LIMIT (4u << 20)

static uint8_t data[LIMIT + 2048], back[LIMIT + 2048];
static struct source source;
static struct diag d;

/* A feed of `size` bytes of data, at most `step` of them at a time. */
static struct {
	struct feed feed;
	size_t size, step, at;
	int fail; /* at the end, in place of it */
	unsigned reads;
} made;

static int made_read(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *why)
{
	(void)f;
	made.reads++;
	*n = MIN(MIN(cap, made.step), made.size - made.at);
	memcpy(dst, data + made.at, *n);
	made.at += *n;
	if (*n == 0 && made.fail != 0)
		return diag_fail(why, made.fail, "made up");
	return 0;
}

static int begin(struct source *s, struct feed **feed, struct diag *why)
{
	static const struct feed_ops ops = {"made", made_read};

	(void)s;
	(void)why;
	made.feed.ops = &ops;
	*feed = &made.feed;
	return 0;
}

static uint64_t told, told_total;

static void tell(uint64_t done, uint64_t total)
{
	CHECK(done > told && done <= LIMIT);
	told = done;
	told_total = total;
}

static void start(size_t size, uint64_t announced)
{
	if (source.spool.fd > 0)
		(void)close(source.spool.fd);
	memset(&source, 0, sizeof source);
	memset(&once, 0, sizeof once);
	source.ops = &source_once;
	source.begin = begin;
	source.progress = tell;
	source.spool.fd = memfd_create("spool", MFD_CLOEXEC);
	source.spool.limit = LIMIT;
	source.spool.free = 2 * LIMIT;
	CHECK(source.spool.fd >= 0);
	memcpy(made.feed.name, "a name", 7);
	made.feed.size = announced;
	made.size = size;
	made.step = 777;
	made.at = 0;
	made.fail = 0;
	made.reads = 0;
	told = 0;
	diag_clear(&d);
}

static struct blk *list_and_open(void)
{
	struct blk *b = NULL;

	CHECK_INT(source.ops->list(&source, &d), 0);
	CHECK_INT(source.files, 1);
	CHECK_STR(source.file[0].where, "a name");
	CHECK_INT(source.ops->open(&source, 0, &b, &d), 0);
	return b;
}

/* Is the file the first n bytes? */
static bool has_kept(size_t n)
{
	struct blk *b = list_and_open();

	return !source.forward && b->size == n && told == made.size &&
	       blk_read(b, 0, back, n) == 0 && memcmp(back, data, n) == 0;
}

/* A bundle of so many bytes before the signature, which has cms; padding
 * behind it. Its size. */
static size_t fake(size_t payload, size_t cms, size_t padding)
{
	size_t size = payload + cms + 8;

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 13 + i / 251 + 1);
	for (unsigned i = 0; i < 8; i++)
		data[size - 1 - i] = (uint8_t)((uint64_t)cms >> 8 * i);
	memset(data + size, 0x1a, padding);
	return size;
}

static unsigned wrong;

static void padded(size_t payload, size_t cms, size_t padding)
{
	size_t size = fake(payload, cms, padding);

	start(size + padding, FEED_UNKNOWN);
	if (!has_kept(size)) {
		printf("%zu + %zu + %zu\n", payload, cms, padding);
		wrong++;
	}
}

static void test_padding(void)
{
	size_t size;

	for (size_t n = 0; n < 1024; n += n < 20 || n > 1000 ? 1 : 37) {
		padded(40960, 1500, n);
		padded(819200, 2329, n); /* with one more it looks as good */
		padded(3 * 1048576, 0x5aa, n);
		padded(40960, 0x1a1a, n); /* ends like the padding */
		padded(40960, 65536, n);
		padded(33333, 1500, n); /* plain: no whole blocks */
	}
	CHECK_INT(wrong, 0);
	/* more than XMODEM fills up with */
	size = fake(40960, 1500, 1024);
	start(size + 1024, FEED_UNKNOWN);
	CHECK(has_kept(size + 1024));
	/* what is no bundle, and what is another byte, stay */
	size = fake(40960, 65537, 100);
	start(size + 100, FEED_UNKNOWN);
	CHECK(has_kept(size + 100));
	size = fake(40960, 1500, 100);
	data[size + 50] = 0x1b;
	start(size + 100, FEED_UNKNOWN);
	CHECK(has_kept(size + 100));
	for (size_t n = 1; n < 20; n++) {
		memset(data, 0x1a, n);
		start(n, FEED_UNKNOWN);
		CHECK(has_kept(n));
	}
	/* a sender that tells the size does not fill up */
	size = fake(40960, 1500, 100);
	start(size + 100, size + 100);
	CHECK(has_kept(size + 100));
}

static void test_limit(void)
{
	struct diag why;

	(void)fake(LIMIT - 1508, 1500, 0);
	start(LIMIT, LIMIT);
	CHECK(has_kept(LIMIT));
	CHECK_INT(told_total, LIMIT);
	start(LIMIT, FEED_UNKNOWN);
	CHECK(has_kept(LIMIT));
	CHECK(told_total == FEED_UNKNOWN);
	/* announced: nothing is waited for; not announced, or too little */
	start(LIMIT, LIMIT + 1);
	CHECK_INT(source.ops->list(&source, &d), R_SPOOL_FULL);
	CHECK_STR(d.seen, "4194305 bytes, and of 8388608 bytes of free memory "
	                  "4194304 may be used");
	CHECK(made.at < 1000);
	start(LIMIT + 1, FEED_UNKNOWN);
	CHECK_INT(source.ops->list(&source, &d), R_SPOOL_FULL);
	CHECK(strstr(d.seen, "4194305 bytes or more, ") == d.seen);
	start(LIMIT + 1, 5000);
	CHECK_INT(source.ops->list(&source, &d), R_SPOOL_FULL);
	/* no room after all */
	start(5000, FEED_UNKNOWN);
	(void)close(source.spool.fd);
	source.spool.fd = -1;
	why = (struct diag){0};
	CHECK_INT(source.ops->list(&source, &why), R_FULL);
}

static void test_ends(void)
{
	start(0, FEED_UNKNOWN);
	CHECK_INT(source.ops->list(&source, &d), R_STREAM_CUT);
	start(0, FEED_UNKNOWN);
	made.fail = R_LINE_NOISE;
	CHECK_INT(source.ops->list(&source, &d), R_LINE_NOISE);
	for (size_t n = 1; n < 100000; n += n < 20 ? 1 : 9973) {
		start(n, FEED_UNKNOWN);
		made.fail = R_TIMEOUT;
		CHECK_INT(source.ops->list(&source, &d), R_TIMEOUT);
		CHECK_STR(d.seen, "made up");
	}
}

/* Only what begins as a stream is one, and nothing of it is lost. */
static void test_forward(void)
{
	size_t at = 0, n = 0;
	struct blk *b;

	(void)fake(40960, 1500, 0);
	for (size_t step = 1; step < 20; step++) {
		memcpy(data, STREAM_MAGIC, STREAM_MAGIC_LEN);
		start(20000, 20000);
		made.step = step;
		b = list_and_open();
		CHECK(source.forward && b->size == 20000 && told == 0);
		CHECK(made.at == STREAM_MAGIC_LEN);
		at = 0;
		do {
			CHECK_INT(source.forward->ops->read(
			              source.forward, back + at, 3, &n, &d),
			    0);
			at += n;
		} while (n > 0);
		CHECK(at == 20000 && memcmp(back, data, at) == 0);
		data[STREAM_MAGIC_LEN - 1] ^= 1;
		start(5000, FEED_UNKNOWN);
		made.step = step;
		CHECK(has_kept(5000));
	}
	memcpy(data, STREAM_MAGIC, STREAM_MAGIC_LEN);
	start(STREAM_MAGIC_LEN - 1, FEED_UNKNOWN);
	CHECK(has_kept(STREAM_MAGIC_LEN - 1));
	/* whatever it is */
	memcpy(data, "anything", 8);
	start(100, FEED_UNKNOWN);
	source.raw = true;
	CHECK(list_and_open()->size == FEED_UNKNOWN && source.forward);
}

int main(void)
{
	test_padding();
	test_limit();
	test_ends();
	test_forward();
	return check_done("once");
}
