/* SPDX-License-Identifier: 0BSD */
/*
 * The network, when it is wanted: an interface with a link, an address that is
 * given or DHCP's, and where the bundle lies. A state machine that never waits.
 * DHCP is busybox's udhcpc, a child without rights; its script is this program
 * again, also without, which hands over one struct of fixed size.
 */
#ifndef LIFEBOAT_NETWORK_H
#define LIFEBOAT_NETWORK_H

#include <poll.h>
#include <sys/types.h>

#include "base/reason.h"
#include "slot/net_conf.h"
#include "source/lease.h"

enum network_phase {
	NETWORK_IDLE,   /* not begun, or ended */
	NETWORK_LINK,   /* waiting for a link */
	NETWORK_LEASE,  /* waiting for DHCP */
	NETWORK_UP,     /* all below holds */
	NETWORK_FAILED, /* failed says why */
};

struct network_state {
	enum network_phase phase;
	char interface[NET_NAME]; /* may be empty before NETWORK_LEASE */
	uint8_t ip[IPV4_LEN];
	uint8_t server[IPV4_LEN];
	uint16_t port;
	char file[NET_FILE]; /* empty: failed says why there is none */
	unsigned mtu;        /* of the interface, as it is */
	struct diag failed;
};

const struct network_state *network_state(void);

/*
 * Begins an attempt, from nothing: interface, link, address. n stays valid
 * until it has ended. Where several interfaces have a link, an attempt after
 * one that failed takes the next of them. R_NET_DEVICE, R_NET_LINK,
 * R_NET_LEASE, R_NET_CONFIG.
 */
void network_begin(const struct net_conf *n, uint64_t now_ms);

/* Ends it: no child, no address. */
void network_end(void);

/* Polling as with job.h. */
#define NETWORK_FDS 1
unsigned network_poll_fds(struct pollfd *p);
void network_step(const struct pollfd *p, unsigned count, uint64_t now_ms);

/* Milliseconds until network_step has something to do; -1: nothing. */
int network_timeout_ms(uint64_t now_ms);

/* ---- dhcp.c: udhcpc and its script */

#define DHCP_CLIENT "/bin/udhcpc"

/* Starts it on an interface that is up, in a process group of its own. *fd is
 * what the struct lease comes from, non-blocking. Its pid, or R_SYSTEM. */
pid_t dhcp_start(const char *interface, int *fd, struct diag *d) MUST_CHECK;

/* Is this program udhcpc's script, started by a client of dhcp_start's? And
 * being it: returns main's result. */
bool dhcp_is_script(int argc, char **argv);
int dhcp_script(int argc, char **argv);

#endif
