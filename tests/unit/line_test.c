/* SPDX-License-Identifier: 0BSD */
/* A serial line set up, used, put back, and gone: a pseudo-terminal. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "source/line.h"

#include "../check.h"

int main(void)
{
	int far = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	struct termios before, during, after;
	struct line_saved saved = {0};
	struct diag d = {0};
	struct line_fd l;
	uint8_t b[16];
	uint64_t from;
	size_t n;
	int fd;

	CHECK(far >= 0 && grantpt(far) == 0 && unlockpt(far) == 0);
	fd = open(ptsname(far), O_RDWR | O_NOCTTY | O_NONBLOCK);
	CHECK(fd >= 0 && tcgetattr(fd, &before) == 0);
	CHECK((before.c_lflag & ICANON) != 0);
	before.c_lflag &= ~(tcflag_t)ECHO; /* of what is written below */
	CHECK(tcsetattr(fd, TCSANOW, &before) == 0);

	/* what came before stays, and is there as it was */
	CHECK_INT(write(far, "ab", 2), 2);
	CHECK_INT(line_set(fd, 1500000, LINE_FLOW_AUTO, &saved, &d), 0);
	CHECK(saved.valid && tcgetattr(fd, &during) == 0);
	CHECK_INT(during.c_lflag, 0);
	CHECK_INT(during.c_oflag, 0);
	CHECK_INT(during.c_iflag, IXOFF);
	CHECK((during.c_cflag & CRTSCTS) == 0);
	CHECK((during.c_cflag & CSIZE) == CS8);
	CHECK((during.c_cflag & CLOCAL) != 0);
	CHECK(during.c_cc[VMIN] == 0 && during.c_cc[VTIME] == 0);
	line_fd_init(&l, fd);
	CHECK_INT(l.io.read(&l.io, b, sizeof b, &n, 100, &d), 0);
	CHECK(n == 2 && memcmp(b, "ab", 2) == 0);

	/* every byte, both ways; silence takes its time */
	CHECK_INT(write(far, "\3\4\x11\r\n\x7f\0\xff", 8), 8);
	CHECK_INT(l.io.read(&l.io, b, sizeof b, &n, 100, &d), 0);
	CHECK(n == 8 && memcmp(b, "\3\4\x11\r\n\x7f\0\xff", 8) == 0);
	CHECK_INT(l.io.write(&l.io, "\r\n\4", 3, &d), 0);
	CHECK(read(far, b, sizeof b) == 3 && memcmp(b, "\r\n\4", 3) == 0);
	from = l.io.now(&l.io);
	CHECK_INT(l.io.read(&l.io, b, sizeof b, &n, 30, &d), 0);
	CHECK(n == 0 && l.io.now(&l.io) - from >= 30);

	/* asked for, and not */
	CHECK_INT(line_set(fd, 0, LINE_FLOW_ON, NULL, &d), 0);
	CHECK(tcgetattr(fd, &during) == 0 && (during.c_cflag & CRTSCTS) != 0);
	CHECK_INT(line_set(fd, 0, LINE_FLOW_OFF, NULL, &d), 0);
	CHECK(tcgetattr(fd, &during) == 0 && during.c_iflag == 0);
	CHECK((during.c_cflag & CRTSCTS) == 0);

	/* what comes late is not typed */
	CHECK_INT(write(far, "late\n", 5), 5);
	line_restore(fd, &saved);
	CHECK_INT(read(fd, b, sizeof b), -1);
	CHECK(!saved.valid && tcgetattr(fd, &after) == 0);
	CHECK(after.c_iflag == before.c_iflag &&
	      after.c_oflag == before.c_oflag &&
	      after.c_lflag == before.c_lflag &&
	      after.c_cflag == before.c_cflag);
	line_restore(fd, &saved);

	/* the other end is gone */
	close(far);
	CHECK_INT(l.io.read(&l.io, b, sizeof b, &n, 100, &d), R_IO);
	CHECK_INT(n, 0);
	CHECK_INT(l.io.write(&l.io, "x", 1, &d), R_IO);
	close(fd);

	fd = open("/dev/null", O_RDWR);
	diag_clear(&d);
	CHECK_INT(
	    line_set(fd, 115200, LINE_FLOW_AUTO, &saved, &d), R_LINE_CONFIG);
	CHECK(!saved.valid && d.seen[0] != '\0');
	close(fd);

	CHECK_INT(line_baud((struct slice){"115200", 6}), 115200);
	CHECK_INT(line_baud((struct slice){"4000000", 7}), 4000000);
	CHECK_INT(line_baud((struct slice){"4000001", 7}), 0);
	CHECK_INT(line_baud((struct slice){"49", 2}), 0);
	CHECK_INT(line_baud((struct slice){"fast", 4}), 0);
	return check_done("line_test");
}
