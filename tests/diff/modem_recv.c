/* SPDX-License-Identifier: 0BSD */
/*
 * modem_recv TTY PROTOCOL [OPTION...]: receives one file over a terminal that
 * is there already, to standard output. Says on standard error, in one line,
 * the protocol, the size announced, the bytes that came, the milliseconds
 * from the first byte, and the reason (ok, or its name and text). Options:
 *   patience=S  window=N  stop=N (gives up after N bytes)
 *   pause=MS,N  (stands still so long after every N bytes)
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "source/modem.h"

static unsigned long option(int argc, char **argv, const char *name)
{
	for (int i = 3; i < argc; i++)
		if (strncmp(argv[i], name, strlen(name)) == 0)
			return strtoul(argv[i] + strlen(name), NULL, 10);
	return 0;
}

int main(int argc, char **argv)
{
	static struct modem m;
	static char chunk[3000];
	struct line_saved saved = {0};
	struct modem_request q = {0};
	struct diag d = {0};
	struct line_fd l;
	unsigned long stop, pause_ms, every = 0, since = 0;
	unsigned long long bytes = 0;
	const char *comma;
	uint64_t from = 0;
	int fd, rc, protocol;
	size_t n = 1;

	protocol =
	    argc < 3 ? -1
	             : modem_protocol((struct slice){argv[2], strlen(argv[2])});
	if (protocol < 0) {
		fprintf(stderr, "usage: modem_recv TTY PROTOCOL [OPTION]\n");
		return 2;
	}
	q.protocol = (enum modem_protocol)protocol;
	q.patience = (unsigned)option(argc, argv, "patience=");
	q.window = (unsigned)option(argc, argv, "window=");
	if (!q.patience)
		q.patience = 30;
	stop = option(argc, argv, "stop=");
	pause_ms = option(argc, argv, "pause=");
	for (int i = 3; i < argc; i++)
		if (strncmp(argv[i], "pause=", 6) == 0 &&
		    (comma = strchr(argv[i], ',')))
			every = strtoul(comma + 1, NULL, 10);
	fd = open(argv[1], O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		perror(argv[1]);
		return 2;
	}
	rc = line_set(
	    fd, 0, q.window ? LINE_FLOW_OFF : LINE_FLOW_AUTO, &saved, &d);
	line_fd_init(&l, fd);
	q.io = &l.io;
	if (rc == 0)
		rc = modem_open(&m, &q, &d);
	from = l.io.now(&l.io);
	while (rc == 0 && n > 0) {
		rc = m.feed.ops->read(&m.feed, chunk, sizeof chunk, &n, &d);
		if (rc == 0 && fwrite(chunk, 1, n, stdout) != n)
			return 2;
		bytes += n;
		since += n;
		if (stop && bytes >= stop) {
			modem_close(&m);
			rc = R_CANCELLED;
			break;
		}
		if (every && since >= every) {
			struct timespec t = {(time_t)(pause_ms / 1000),
			    (long)(pause_ms % 1000) * 1000000};

			since = 0;
			nanosleep(&t, NULL);
		}
	}
	fflush(stdout);
	fprintf(stderr, "%s \"%s\" size=%lld bytes=%llu ms=%llu %s %s\n",
	    m.feed.ops ? m.feed.ops->name : "-", m.feed.name,
	    (long long)m.feed.size, bytes,
	    (unsigned long long)(l.io.now(&l.io) - from), reason_name(rc),
	    d.seen);
	line_restore(fd, &saved);
	return rc != 0;
}
