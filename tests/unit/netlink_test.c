/* SPDX-License-Identifier: 0BSD */
/* The checks at the socket, with a sender that is not the kernel. */
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "init/init.h"

static const char message[] = "add@/x\0ACTION=add\0SUBSYSTEM=block";

static int sender, receiver;
static struct sockaddr_nl to = {.nl_family = AF_NETLINK};

static bool open_both(void)
{
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	socklen_t len = sizeof to;

	sender = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK);
	receiver =
	    socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, NETLINK_USERSOCK);
	return sender >= 0 && receiver >= 0 &&
	       bind(sender, (struct sockaddr *)&any, sizeof any) == 0 &&
	       bind(receiver, (struct sockaddr *)&any, sizeof any) == 0 &&
	       getsockname(receiver, (struct sockaddr *)&to, &len) == 0;
}

static bool send_bytes(const void *p, size_t len)
{
	return sendto(sender, p, len, 0, (struct sockaddr *)&to, sizeof to) ==
	       (ssize_t)len;
}

int main(void)
{
	static char large[UEVENT_MAX + 1];
	struct uevent e;
	int pair[2];

	if (!open_both()) {
		printf("netlink: skipped: no netlink sockets here\n");
		return 0;
	}
	CHECK_INT(netlink_read(receiver, &e), NETLINK_NONE);

	/* well-formed, but another process sent it */
	CHECK(uevent_parse(&e, message, sizeof message));
	CHECK(send_bytes(message, sizeof message));
	CHECK_INT(netlink_read(receiver, &e), NETLINK_OTHER);
	CHECK_INT(netlink_read(receiver, &e), NETLINK_NONE);

	/* cut: whatever it was, look at everything again */
	CHECK(send_bytes(large, sizeof large));
	CHECK_INT(netlink_read(receiver, &e), NETLINK_LOST);
	CHECK_INT(netlink_read(receiver, &e), NETLINK_NONE);

	/* no netlink address at all */
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	CHECK(write(pair[1], message, sizeof message) == sizeof message);
	CHECK_INT(netlink_read(pair[0], &e), NETLINK_OTHER);
	CHECK_INT(netlink_read(-1, &e), NETLINK_NONE);
	return check_done("netlink");
}
