/* SPDX-License-Identifier: 0BSD */
/*
 * Payloads without a hash tree: sizes at every edge, media that change, and
 * the largest one there may be. usage: plain_test [full]; full hashes 2 GiB.
 */
#include <bearssl_hash.h>

#include "bundle/plain.h"
#include "check.h"

static struct plain p;

/* Bytes made from their offset: a medium of any size. */
struct made {
	struct blk blk;
	uint64_t reads;
	uint64_t from, to; /* these bytes are others */
	int fail;
};

static uint8_t byte_at(uint64_t off)
{
	return (uint8_t)(off * 2654435761u >> 13);
}

static int made_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct made *m = (struct made *)b;
	uint8_t *out = dst;

	m->reads++;
	CHECK(off + len <= b->size);
	if (b->size > 1u << 26) {
		memset(dst, (int)(off >> 20), len); /* fast */
		return m->fail;
	}
	for (size_t i = 0; i < len; i++)
		out[i] =
		    byte_at(off + i) ^ (off + i >= m->from && off + i < m->to);
	return m->fail;
}

static const struct blk_ops made_ops = {.read = made_read};
static struct made m = {.blk.ops = &made_ops};

static int start(
    uint64_t size, unsigned wanted, struct content_digest *is, struct diag *d)
{
	int r;

	diag_clear(d);
	m.from = m.to = 0;
	m.blk.size = size;
	r = plain_init(&p, &m.blk, size, d);
	return r == 0 ? plain_hash(&p, wanted, is, NULL, NULL, d) : r;
}

static void test_size(uint64_t size)
{
	static uint8_t all[5 * PLAIN_PIECE], got[5 * PLAIN_PIECE];
	static const size_t steps[] = {1000, 4096, 65536, 100001};
	struct content_digest is;
	struct diag d;
	br_sha256_context c256;
	br_sha384_context c384;
	br_sha512_context c512;
	uint8_t digest[64];

	for (size_t i = 0; i < size; i++)
		all[i] = byte_at(i);
	CHECK_INT(start(size, DIGEST_SHA384 | DIGEST_SHA512, &is, &d), 0);
	CHECK_INT(is.have, DIGEST_SHA256 | DIGEST_SHA384 | DIGEST_SHA512);
	br_sha256_init(&c256);
	br_sha256_update(&c256, all, size);
	br_sha256_out(&c256, digest);
	CHECK_MEM(is.of[0], digest, 32);
	br_sha384_init(&c384);
	br_sha384_update(&c384, all, size);
	br_sha384_out(&c384, digest);
	CHECK_MEM(is.of[1], digest, 48);
	br_sha512_init(&c512);
	br_sha512_update(&c512, all, size);
	br_sha512_out(&c512, digest);
	CHECK_MEM(is.of[2], digest, 64);
	CHECK_INT(p.blk.size, size);
	CHECK_INT(blk_read(&p.blk, 0, got, size), 0);
	CHECK_MEM(got, all, size);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		for (uint64_t at = 0; at < size; at += steps[i]) {
			size_t n = MIN(steps[i], size - at);

			CHECK_INT(blk_read(&p.blk, at, got, n), 0);
			CHECK_MEM(got, all + at, n);
		}
	}
	CHECK_INT(blk_read(&p.blk, size, got, 1), R_RANGE);
	/* Backwards, so that every piece is read anew, with one byte changed
	 * in each that is at an edge of something. */
	for (uint64_t at = size; at-- > 0;) {
		if (at % PLAIN_PIECE > 70 &&
		    at % PLAIN_PIECE < PLAIN_PIECE - 70 && at + 70 < size)
			continue;
		p.held = UINT64_MAX;
		m.from = at;
		m.to = at + 1;
		memset(got, 0x5a, 8);
		CHECK_INT(
		    blk_read(&p.blk, at & ~7u, got, MIN(8, size - (at & ~7u))),
		    R_PLAIN_CHANGED);
		CHECK(got[0] == 0);
		CHECK_INT(p.diag.reason, R_PLAIN_CHANGED);
	}
	m.from = m.to = 0;
	CHECK_INT(blk_read(&p.blk, 0, got, size), 0);
}

static void test_edges(void)
{
	static const struct {
		uint64_t size;
		int reason;
	} cases[] = {
	    {0, R_PLAIN_SIZE},
	    {1, 0},
	    {PLAIN_MAX - 1, 0},
	    {PLAIN_MAX, 0},
	    {PLAIN_MAX + 1ull, R_PLAIN_SIZE},
	    {UINT32_MAX, R_PLAIN_SIZE},
	    {1ull << 32, R_PLAIN_SIZE},
	    {(1ull << 32) + 1, R_PLAIN_SIZE},
	    {(1ull << 32) + 4096, R_PLAIN_SIZE},
	    {UINT64_MAX, R_PLAIN_SIZE},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag d = {0};

		m.blk.size = cases[i].size;
		m.reads = 0;
		CHECK_INT(
		    plain_init(&p, &m.blk, cases[i].size, &d), cases[i].reason);
		CHECK_INT(d.reason, cases[i].reason);
		/* Nothing is handed out before it was hashed. */
		CHECK_INT(blk_read(&p.blk, 0, &d, 1), R_RANGE);
		CHECK_INT(m.reads, 0);
	}
}

static int stop_at(void *ctx, uint64_t done, uint64_t total)
{
	CHECK(done <= total);
	return done == *(uint64_t *)ctx;
}

static void test_failures(void)
{
	struct content_digest is;
	struct diag d = {0};
	uint64_t stop = 2 * PLAIN_PIECE;
	uint8_t byte;

	m.fail = R_MEDIUM_GONE;
	CHECK_INT(start(1000, DIGEST_SHA256, &is, &d), R_MEDIUM_GONE);
	CHECK_INT(is.have, 0);
	CHECK_INT(p.blk.size, 0);
	m.fail = 0;
	CHECK_INT(start(3 * PLAIN_PIECE, DIGEST_SHA256, &is, &d), 0);
	m.fail = R_IO;
	CHECK_INT(blk_read(&p.blk, 5, &byte, 1), R_IO);
	CHECK_INT(p.diag.reason, R_IO);
	m.fail = 0;
	CHECK_INT(plain_hash(&p, DIGEST_SHA256, &is, stop_at, &stop, &d),
	    R_CANCELLED);
	CHECK_INT(p.blk.size, 0);
}

/* The table's last entry, and the digest of all of it. */
static void test_largest(void)
{
	static uint8_t piece[PLAIN_PIECE];
	struct content_digest is;
	struct diag d = {0};
	br_sha256_context c;
	uint8_t digest[32], tail[3];

	CHECK_INT(start(PLAIN_MAX, DIGEST_SHA256, &is, &d), 0);
	br_sha256_init(&c);
	for (uint64_t at = 0; at < PLAIN_MAX; at += sizeof piece) {
		memset(piece, (int)(at >> 20), sizeof piece);
		br_sha256_update(&c, piece, MIN(sizeof piece, PLAIN_MAX - at));
	}
	br_sha256_out(&c, digest);
	CHECK_MEM(is.of[0], digest, 32);
	CHECK_INT(blk_read(&p.blk, PLAIN_MAX - 3, tail, 3), 0);
	CHECK_INT(tail[2], 0xff);
	CHECK_INT(blk_read(&p.blk, PLAIN_MAX - 2, tail, 3), R_RANGE);
	CHECK_INT(blk_read(&p.blk, PLAIN_MAX / 2, tail, 3), 0);
}

int main(int argc, char **argv)
{
	static const uint64_t sizes[] = {1, 63, 64, 65, 4096, PLAIN_PIECE - 1,
	    PLAIN_PIECE, PLAIN_PIECE + 1, 2 * PLAIN_PIECE - 64, 2 * PLAIN_PIECE,
	    3 * PLAIN_PIECE + 4096, 4 * PLAIN_PIECE + 5661};

	test_edges();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		test_size(sizes[i]);
	test_failures();
	if (argc > 1 && strcmp(argv[1], "full") == 0)
		test_largest();
	return check_done("plain");
}
