/* SPDX-License-Identifier: 0BSD */
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "init/init.h"

/* Room for a burst: a hub with many sticks sends some hundred events. */
#define RECEIVE_BUFFER (256 * 1024)

int netlink_open(void)
{
	struct sockaddr_nl address = {
	    .nl_family = AF_NETLINK,
	    .nl_groups = 1, /* the kernel's own, not udev's */
	};
	int size = RECEIVE_BUFFER;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	return fd;
}

enum netlink_event netlink_read(int fd, struct uevent *e)
{
	static uint8_t msg[UEVENT_MAX];
	struct sockaddr_nl from = {.nl_pid = 0};
	struct iovec iov = {msg, sizeof msg};
	struct msghdr h = {
	    .msg_name = &from,
	    .msg_namelen = sizeof from,
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	};
	ssize_t n;

	do {
		n = recvmsg(fd, &h, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ENOBUFS ? NETLINK_LOST : NETLINK_NONE;
	if (h.msg_flags & MSG_TRUNC)
		return NETLINK_LOST;
	/* anyone may send here; only the kernel is 0 */
	if (h.msg_namelen != sizeof from || from.nl_pid != 0)
		return NETLINK_OTHER;
	return uevent_parse(e, msg, (size_t)n) ? NETLINK_EVENT : NETLINK_OTHER;
}
