/* SPDX-License-Identifier: 0BSD */
/* What the recorder answers of a status file that is not there, holds nothing
 * or cannot be read: the last is no empty one. */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "worker/work.h"

static struct work w;
static struct msg m;

static int answer(const char *path, enum status_kind kind)
{
	static struct conf conf = {.slots = 1, .slot[0].name = "rootfs.0"};
	static const struct settings settings;
	struct job_setup setup = {.conf = &conf, .settings = &settings};
	struct status_change change = {.kind = kind, .activated = -1};
	int pair[2], status = 0;
	pid_t pid;

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	w.setup = &setup;
	w.owner = getpid();
	w.data.fd = -1;
	w.change = &change;
	strcpy(w.status_path, path);
	pid = fork();
	if (pid == 0)
		recorder_child(&w, pair[1]);
	close(pair[1]);
	memset(&m, 0, sizeof m);
	CHECK_INT(msg_receive(pair[0], &m, NULL, NULL, true), 1);
	CHECK_INT(m.type, MSG_RESULT);
	close(pair[0]);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	return m.u.result.reason;
}

int main(void)
{
	char name[] = "/tmp/recorder_test.XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	CHECK_INT(answer(name, STATUS_QUESTION), 0);
	CHECK_STR(m.u.result.seen, "");
	CHECK_INT(write(fd, "junk\n", 5), 5);
	CHECK_INT(answer(name, STATUS_QUESTION), R_KEYFILE_SYNTAX);
	CHECK_INT(unlink(name), 0);
	CHECK_INT(answer(name, STATUS_QUESTION), 0);
	CHECK_STR(m.u.result.seen, "");
	/* a regular file whose first byte is an error */
	CHECK_INT(answer("/proc/self/mem", STATUS_QUESTION), R_STATUS_MOUNT);
	CHECK_STR(m.u.result.seen, "mem: error 5");
	CHECK_INT(answer("/proc/self/mem", STATUS_ACTIVATED), R_STATUS_WRITE);
	close(fd);
	return check_done("recorder");
}
