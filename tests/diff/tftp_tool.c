/* SPDX-License-Identifier: 0BSD */
/*
 * The TFTP client on a command line, for the tests:
 *   tftp_tool get HOST PORT FILE OUT [MTU [WINDOW [TIMEOUT [PAUSE]]]]
 *   tftp_tool put HOST PORT FILE IN [MTU]
 * PAUSE: milliseconds that the reader sleeps once, at the first MiB. Prints
 * one line: "ok BYTES MILLISECONDS repeated N turned N", or the reason.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "source/tftp.h"

static struct tftp t;
static uint8_t buf[1 << 16];

struct file_feed {
	struct feed feed;
	int fd;
};

static int file_read(
    struct feed *f, void *dst, size_t cap, size_t *n, struct diag *d)
{
	ssize_t got = read(((struct file_feed *)f)->fd, dst, cap);

	if (got < 0)
		return diag_fail(d, R_IO, "cannot be read");
	*n = (size_t)got;
	return 0;
}

static double now_ms(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static unsigned arg(int argc, char **argv, int i, unsigned other)
{
	return argc > i ? (unsigned)atoi(argv[i]) : other;
}

static int get(int fd, unsigned pause, struct diag *d)
{
	bool paused = pause == 0;
	size_t n;
	int r;

	do {
		r = t.feed.ops->read(&t.feed, buf, sizeof buf, &n, d);
		if (r == 0 && write(fd, buf, n) != (ssize_t)n)
			r = diag_fail(d, R_FULL, "cannot be written");
		if (!paused && t.bytes >= 1u << 20) {
			paused = true;
			usleep(pause * 1000);
		}
	} while (r == 0 && n > 0);
	tftp_close(&t);
	return r;
}

int main(int argc, char **argv)
{
	static const struct feed_ops file_ops = {"file", file_read};
	struct tftp_request q = {.mtu = arg(argc, argv, 6, 1500),
	    .window = arg(argc, argv, 7, 0),
	    .timeout = arg(argc, argv, 8, 0)};
	struct file_feed in = {{&file_ops, FEED_UNKNOWN, ""}, -1};
	struct tftp_socket s;
	struct diag d = {0};
	struct in_addr host;
	double start = now_ms();
	int r, fd;

	if (argc < 6 || inet_pton(AF_INET, argv[2], &host) != 1)
		return 2;
	q.server.host = ntohl(host.s_addr);
	q.server.port = (uint16_t)atoi(argv[3]);
	q.file = argv[4];
	r = fd = tftp_socket_open(&d);
	if (r < 0)
		goto out;
	tftp_socket_io(&s, fd);
	if (argv[1][0] == 'g') {
		int out = open(argv[5], O_WRONLY | O_CREAT | O_TRUNC, 0666);

		r = tftp_open(&t, &s.io, &q, &d);
		if (r == 0)
			r = get(out, arg(argc, argv, 9, 0), &d);
	} else {
		in.fd = open(argv[5], O_RDONLY);
		in.feed.size = (uint64_t)lseek(in.fd, 0, SEEK_END);
		lseek(in.fd, 0, SEEK_SET);
		r = tftp_put(&t, &s.io, &q, &in.feed, &d);
	}
out:
	if (r < 0) {
		printf("%s: %s\n", reason_name(r), d.seen);
		return 1;
	}
	printf("ok %llu %.0f repeated %u turned %u\n",
	    (unsigned long long)t.bytes, now_ms() - start, t.repeated,
	    t.turned);
	return 0;
}
