/* SPDX-License-Identifier: 0BSD */
#include "source/tftp.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A window of the largest blocks, as the kernel counts them. */
#define RECEIVE_BUFFER (1 << 20)

static uint32_t socket_now(struct tftp_io *io)
{
	struct timespec t = {0, 0};

	(void)io;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint32_t)t.tv_sec * 1000u + (uint32_t)(t.tv_nsec / 1000000);
}

static void socket_send(
    struct tftp_io *io, struct tftp_peer to, const void *p, size_t len)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons(to.port),
	    .sin_addr.s_addr = htonl(to.host)};
	struct iovec iov = {(void *)(uintptr_t)p, len};
	struct msghdr h = {.msg_name = &at,
	    .msg_namelen = sizeof at,
	    .msg_iov = &iov,
	    .msg_iovlen = 1};
	int fd = ((struct tftp_socket *)io)->fd;

	/* An error that came before is told, once, instead of sending. */
	if (sendmsg(fd, &h, MSG_NOSIGNAL) < 0)
		(void)sendmsg(fd, &h, MSG_NOSIGNAL);
}

static int socket_receive(struct tftp_io *io, struct tftp_peer *from,
    uint8_t head[4], void *body, size_t cap, size_t *len, uint32_t *wait)
{
	int fd = ((struct tftp_socket *)io)->fd;

	short told = 0;

	for (;;) {
		struct sockaddr_in at = {.sin_family = AF_UNSPEC};
		struct iovec iov[2] = {{head, 4}, {body, cap}};
		struct msghdr h = {.msg_name = &at,
		    .msg_namelen = sizeof at,
		    .msg_iov = iov,
		    .msg_iovlen = 2};
		struct pollfd p = {fd, POLLIN, 0};
		ssize_t n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_TRUNC);
		bool refused = n < 0 && errno == ECONNREFUSED;
		uint32_t start, waited;

		if (n < 0 && (told || errno != EAGAIN)) {
			/* Its copy in the queue would keep poll() awake, and
			 * tells to whom it went. */
			h.msg_iovlen = 0;
			(void)recvmsg(fd, &h, MSG_DONTWAIT | MSG_ERRQUEUE);
		}
		from->host = ntohl(at.sin_addr.s_addr);
		from->port = ntohs(at.sin_port);
		if (n >= 0) {
			*len = (size_t)n;
			return 1;
		}
		/* Other errors may pass: no route yet, no neighbour yet. */
		if (refused)
			return R_NET_SERVER;
		if (*wait == 0)
			return 0;
		start = socket_now(io);
		(void)poll(&p, 1, (int)*wait);
		told = p.revents & POLLERR;
		waited = socket_now(io) - start;
		*wait -= MIN(waited, *wait);
	}
}

static const struct tftp_io_ops ops = {socket_send, socket_receive, socket_now};

void tftp_socket_io(struct tftp_socket *s, int fd)
{
	s->io.ops = &ops;
	s->fd = fd;
}

int tftp_socket_open(struct diag *d)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int size = RECEIVE_BUFFER, on = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return diag_fail(d, R_SYSTEM, "no UDP socket (CONFIG_INET)");
	/* As large as we may; refusals by ICMP are told. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)&any, sizeof any) != 0) {
		(void)close(fd);
		return diag_fail(d, R_SYSTEM, "no UDP port is free");
	}
	return fd;
}
