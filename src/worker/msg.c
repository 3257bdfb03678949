/* SPDX-License-Identifier: 0BSD */
#include "worker/msg.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(MSG_FDS * sizeof(int))];
};

bool msg_send(int fd, const struct msg *m, const int *fds, unsigned count)
{
	struct iovec iov = {(void *)(uintptr_t)m, sizeof *m};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	union control c;
	ssize_t n;

	if (count > MSG_FDS)
		return false;
	if (count > 0) {
		memset(&c, 0, sizeof c);
		h.msg_control = &c;
		h.msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof(int));
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		c.head.cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&c.head), fds, count * sizeof(int));
	}
	do
		n = sendmsg(fd, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof *m;
}

/* Takes what fits and closes the rest, whatever the sender put in. The kernel
 * gathers all descriptors of a message in one header. */
static unsigned take_fds(struct msghdr *h, int *fds, unsigned room)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	unsigned count = 0;
	size_t n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = ((size_t)c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < n; i++) {
		int got;

		memcpy(&got, CMSG_DATA(c) + i * sizeof got, sizeof got);
		if (count < room)
			fds[count++] = got;
		else
			(void)close(got);
	}
	return count;
}

int msg_receive(int fd, struct msg *m, int *fds, unsigned *count, bool wait)
{
	struct iovec iov = {m, sizeof *m};
	union control c;
	struct msghdr h = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &c,
	    .msg_controllen = sizeof c};
	unsigned room = count ? *count : 0;
	unsigned got;
	ssize_t n;

	do
		n = recvmsg(
		    fd, &h, (wait ? 0 : MSG_DONTWAIT) | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN && !wait ? 0 : -1;
	got = take_fds(&h, fds, room);
	if (count)
		*count = got;
	if (n != (ssize_t)sizeof *m || (h.msg_flags & MSG_TRUNC) != 0)
		return -1;
	return 1;
}
