/* SPDX-License-Identifier: 0BSD */
/* A line whose other end takes nothing, or little at a time. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/line.h"

#undef LINE_WRITE_MS
#define LINE_WRITE_MS 150

#include "source/line.c"

#include "../check.h"

static uint8_t sent[300000];

/* Reads slowly, and says whether it was what was sent. */
static int reader(int fd)
{
	uint8_t b[7000];
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, b, sizeof b)) > 0) {
		struct timespec t = {0, 200000};

		if ((size_t)n > sizeof sent - at ||
		    memcmp(b, sent + at, (size_t)n) != 0)
			return 1;
		at += (size_t)n;
		(void)nanosleep(&t, NULL);
	}
	return at == sizeof sent ? 0 : 2;
}

int main(void)
{
	struct diag d = {0};
	struct line_fd l;
	uint64_t from;
	int pair[2], status = -1;
	pid_t pid;

	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (uint8_t)(i * 7 + i / 251);
	CHECK_INT(pipe2(pair, O_NONBLOCK), 0);
	line_fd_init(&l, pair[1]);
	from = l.io.now(&l.io);
	CHECK_INT(l.io.write(&l.io, sent, sizeof sent, &d), R_TIMEOUT);
	CHECK_INT(d.reason, R_TIMEOUT);
	CHECK(l.io.now(&l.io) - from >= LINE_WRITE_MS);
	CHECK(l.io.now(&l.io) - from < 10 * LINE_WRITE_MS);
	(void)close(pair[0]);
	(void)close(pair[1]);

	CHECK_INT(pipe(pair), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(pair[1]);
		_exit(reader(pair[0]));
	}
	(void)close(pair[0]);
	CHECK(fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0);
	line_fd_init(&l, pair[1]);
	CHECK_INT(l.io.write(&l.io, sent, sizeof sent, &d), 0);
	(void)close(pair[1]);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	return check_done("line_held");
}
