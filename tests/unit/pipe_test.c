/* SPDX-License-Identifier: 0BSD */
/* The block pipe: right over an honest source, harmless over a hostile one,
 * and a source that stands a hostile installer. */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "worker/pipe.h"

#define SIZE 300000u

static uint8_t content[SIZE];
static struct pipe_blk client;
static struct source source;
static struct blk_mem mem;
static bool gone; /* the medium answers no more */

static int fragile_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	(void)b;
	if (gone && off > 200000)
		return R_MEDIUM_GONE;
	memcpy(dst, content + off, len);
	return 0;
}

static const struct blk_ops fragile = {fragile_read, NULL, NULL, NULL};

static pid_t start(int *fd, void (*server)(int fd, int how), int how)
{
	int pair[2];
	pid_t pid;

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		server(pair[1], how);
		_exit(0);
	}
	close(pair[1]);
	*fd = pair[0];
	return pid;
}

static void stop(pid_t pid, int fd)
{
	int status = -1;

	close(fd);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

static void honest(int fd, int how)
{
	gone = how == 1;
	mem.blk.ops = &fragile;
	source.ops = &source_file;
	strcpy(source.medium[0].name, "a.raucb");
	source.medium[0].blk = &mem.blk;
	source.media = how == 2 ? 0 : 1;
	pipe_serve(fd, &source);
}

static void test_reads(void)
{
	static uint8_t got[SIZE];
	struct diag d = {0};
	char where[SOURCE_WHERE];
	unsigned count = 0;
	int fd;
	pid_t pid = start(&fd, honest, 0);

	pipe_init(&client, fd);
	CHECK_INT(pipe_list(&client, 0, where, &count, &d), 0);
	CHECK_STR(where, "a.raucb");
	CHECK_INT(count, 1);
	CHECK_INT(pipe_open(&client, 0, &d), 0);
	CHECK_INT(client.blk.size, SIZE);
	/* in order, in blocks, with a block from elsewhere now and then */
	for (size_t off = 0; off < SIZE; off += 4096) {
		size_t n = MIN(SIZE - off, 4096);

		CHECK_INT(blk_read(&client.blk, off, got + off, n), 0);
		if (off / 4096 % 5 == 0) {
			size_t at = (size_t)rand() % (SIZE - 4096);
			uint8_t other[4096];

			CHECK_INT(blk_read(&client.blk, at, other, 4096), 0);
			CHECK_MEM(other, content + at, 4096);
		}
	}
	CHECK_MEM(got, content, SIZE);
	for (unsigned i = 0; i < 2000; i++) {
		size_t off = (size_t)rand() % SIZE;
		size_t len = (size_t)rand() % (i % 2 ? 200000 : 9000);

		len = MIN(len, SIZE - off);
		CHECK_INT(blk_read(&client.blk, off, got, len), 0);
		CHECK_MEM(got, content + off, len);
	}
	CHECK_INT(blk_read(&client.blk, SIZE - 1, got, 2), R_RANGE);
	CHECK_INT(pipe_open(&client, 1, &d), R_INTERNAL);
	stop(pid, fd);
}

static void test_source_fails(void)
{
	struct diag d = {0};
	char where[SOURCE_WHERE];
	unsigned count;
	uint8_t got[16];
	int fd;
	pid_t pid = start(&fd, honest, 1);

	pipe_init(&client, fd);
	CHECK_INT(pipe_list(&client, 0, where, &count, &d), 0);
	CHECK_INT(pipe_open(&client, 0, &d), 0);
	CHECK_INT(blk_read(&client.blk, 250000, got, 16), R_MEDIUM_GONE);
	CHECK_INT(client.diag.reason, R_MEDIUM_GONE);
	CHECK(strstr(client.diag.seen, "250000") != NULL);
	stop(pid, fd);

	pid = start(&fd, honest, 2);
	pipe_init(&client, fd);
	CHECK_INT(pipe_list(&client, 0, where, &count, &d), R_NO_BUNDLE);
	stop(pid, fd);
}

/* Answers every request with something that is none. */
static void hostile(int fd, int how)
{
	static uint8_t room[sizeof(struct pipe_answer) + 2 * PIPE_DATA];
	struct pipe_request q;

	while (recv(fd, &q, sizeof q, 0) == (ssize_t)sizeof q) {
		struct pipe_answer a = {.count = 1, .size = SIZE};
		size_t len = sizeof a;

		memset(room, 0xff, sizeof room);
		if (q.op == PIPE_READ)
			a.len = q.len;
		switch (how) {
		case 0: /* too short for an answer */
			len = 3;
			break;
		case 1: /* more data than asked for */
			a.len = 2 * PIPE_DATA;
			break;
		case 2: /* says more than it sends */
			a.len += 100;
			break;
		case 3: /* a reason that is none */
			a.reason = 7;
			break;
		case 4: /* a text without end, and controls */
			a.reason = R_IO;
			a.len = 0;
			memset(a.seen, '\033', sizeof a.seen);
			break;
		case 5: /* candidates without number */
			a.count = 1u << 31;
			break;
		case 6: /* silence */
			return;
		default: /* half of what was asked for */
			a.len /= 2;
			break;
		}
		memcpy(room, &a, MIN(len, sizeof a));
		if (len == sizeof a && how != 2)
			len += MIN(a.len, (uint32_t)(2 * PIPE_DATA));
		if (send(fd, room, len, MSG_NOSIGNAL) < 0)
			return;
	}
}

static void test_hostile_source(void)
{
	for (int how = 0; how < 8; how++) {
		struct diag d = {0};
		char where[SOURCE_WHERE] = "";
		unsigned count = 1;
		uint8_t got[8192];
		int fd, r;
		pid_t pid = start(&fd, hostile, how);

		pipe_init(&client, fd);
		client.blk.size = SIZE;
		r = pipe_list(&client, 0, where, &count, &d);
		if (how == 4) {
			CHECK_INT(r, R_IO);
			CHECK_INT(d.seen[0], '?');
		} else if (how < 7) {
			CHECK_INT(r, R_CHILD);
		}
		CHECK(count <= SOURCE_FILES);
		r = blk_read(&client.blk, 0, got, sizeof got);
		if (how != 5)
			CHECK_INT(r, how == 4 ? R_IO : R_CHILD);
		stop(pid, fd);
	}
}

/* Whatever it is asked, the source stays up and answers with a reason. */
static void test_hostile_installer(void)
{
	static const struct pipe_request asked[] = {
	    {PIPE_READ, 0, 0, 16},
	    {PIPE_OPEN, 0, 0, 0},
	    {PIPE_LIST, 99, 0, 0},
	    {77, 0, 0, 0},
	    {PIPE_LIST, 0, 0, 0},
	    {PIPE_OPEN, 1, 0, 0},
	    {PIPE_OPEN, UINT32_MAX, 0, 0},
	    {PIPE_OPEN, 0, 0, 0},
	    {PIPE_READ, 0, 0, PIPE_DATA + 1},
	    {PIPE_READ, 0, UINT64_MAX, 16},
	    {PIPE_READ, 0, SIZE, 1},
	    {PIPE_READ, 0, 0, 16},
	};
	static const bool good[] = {false, false, false, false, true, false,
	    false, true, false, false, false, true};
	struct pipe_answer a;
	uint8_t room[sizeof a + 64];
	int fd;
	pid_t pid = start(&fd, honest, 0);

	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		CHECK_INT(
		    send(fd, &asked[i], sizeof asked[i], 0), sizeof asked[i]);
		CHECK(recv(fd, room, sizeof room, 0) >= (ssize_t)sizeof a);
		memcpy(&a, room, sizeof a);
		CHECK_INT(a.reason == 0, good[i]);
	}
	stop(pid, fd);
	/* a request that is none ends it */
	pid = start(&fd, honest, 0);
	CHECK_INT(send(fd, "x", 1, 0), 1);
	CHECK_INT(recv(fd, room, sizeof room, 0), 0);
	stop(pid, fd);
}

/* ---- what comes once */

static size_t fed;

static int feed_read(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d)
{
	(void)f;
	(void)d;
	*n = MIN(MIN(cap, 1000), SIZE - fed);
	memcpy(dst, content + fed, *n);
	fed += *n;
	return 0;
}

static int feed_begin(struct source *s, struct feed **feed, struct diag *d)
{
	static const struct feed_ops ops = {"made", feed_read};
	static struct feed f = {&ops, SIZE, "made up"};

	(void)s;
	(void)d;
	*feed = &f;
	return 0;
}

static void once(int fd, int how)
{
	(void)how;
	source.ops = &source_once;
	source.begin = feed_begin;
	source.raw = true;
	pipe_serve(fd, &source);
}

/* Only forwards, to its end, and no byte twice. */
static void test_once(void)
{
	static uint8_t got[SIZE];
	struct diag d = {0};
	char where[SOURCE_WHERE];
	unsigned count = 0;
	size_t at = 0, n = 1;
	int fd;
	pid_t pid = start(&fd, once, 0);

	pipe_init(&client, fd);
	CHECK_INT(pipe_list(&client, 0, where, &count, &d), 0);
	CHECK_STR(where, "made up");
	CHECK_INT(pipe_open(&client, 0, &d), 0);
	CHECK(client.forward && client.announced == SIZE);
	for (; at < SIZE; at += n) {
		n = MIN(SIZE - at, 1 + at % 5000);
		CHECK_INT(blk_read(&client.blk, at, got + at, n), 0);
	}
	CHECK_MEM(got, content, SIZE);
	CHECK_INT(blk_read(&client.blk, SIZE, got, 1), R_STREAM_CUT);
	CHECK_INT(blk_read(&client.blk, SIZE, got, 1), R_STREAM_CUT);
	CHECK_INT(blk_read(&client.blk, 5, got, 1), R_STREAM_TWICE);
	CHECK_INT(blk_read(&client.blk, SIZE + 1, got, 1), R_STREAM_TWICE);
	stop(pid, fd);

	pid = start(&fd, once, 0);
	pipe_init(&client, fd);
	CHECK_INT(pipe_list(&client, 0, where, &count, &d), 0);
	CHECK_INT(pipe_open(&client, 0, &d), 0);
	for (at = 0; n > 0; at += n) {
		const uint8_t *p = NULL;

		CHECK_INT(pipe_next(&client, &p, &n, &d), 0);
		CHECK(n <= SIZE - at && memcmp(p, content + at, n) == 0);
	}
	CHECK_INT(at, SIZE);
	stop(pid, fd);
}

int main(void)
{
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (uint8_t)(i * 2654435761u >> 13);
	blk_mem_init_const(&mem, content, SIZE);
	test_reads();
	test_source_fails();
	test_hostile_source();
	test_hostile_installer();
	test_once();
	return check_done("pipe");
}
