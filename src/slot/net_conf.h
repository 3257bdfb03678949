/* SPDX-License-Identifier: 0BSD */
/*
 * What lifeboat.conf and the kernel command line say of the network:
 *
 *   [network] interface=NAME ip=IP link-timeout=S lease-timeout=S
 *   [tftp]    server=ADDRESS[:PORT] file=PATH
 *   command line: ip=IP lifeboat.tftp=URL
 *
 * IP is the kernel's: CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:HOW, or HOW
 * alone: dhcp, on and any are DHCP, off and none no network. With a CLIENT the
 * address is that one, whatever HOW says. HOST and what follows HOW is passed
 * over. URL: tftp://ADDRESS[:PORT]/FILE, ADDRESS:FILE, or nothing: all from
 * DHCP. There is no resolver, so every ADDRESS is of four numbers. Pure.
 */
#ifndef LIFEBOAT_NET_CONF_H
#define LIFEBOAT_NET_CONF_H

#include "base/ipv4.h"

#define NET_NAME 16  /* of an interface, with its NUL: the kernel's */
#define NET_FILE 128 /* of a file name on a server, with its NUL */
#define NET_TFTP_PORT 69

enum net_how {
	NET_UNSAID, /* DHCP, if a TFTP server or file is named */
	NET_OFF,
	NET_DHCP,
	NET_STATIC,
};

struct net_conf {
	uint8_t how;              /* enum net_how */
	bool tftp;                /* something of TFTP is named */
	char interface[NET_NAME]; /* empty: the first one with a link */
	uint8_t ip[IPV4_LEN];     /* NET_STATIC */
	uint8_t mask[IPV4_LEN];
	uint8_t gateway[IPV4_LEN];   /* none: no route */
	uint8_t ip_server[IPV4_LEN]; /* of ip=, if nothing else names one */
	uint8_t server[IPV4_LEN];    /* none: as DHCP says */
	uint16_t port;
	char file[NET_FILE];      /* empty: as DHCP says */
	unsigned link_timeout_s;  /* for a link; 20 */
	unsigned lease_timeout_s; /* for a lease; 30 */
};

void net_conf_default(struct net_conf *n);

/* The network is to be used when no medium has what is needed. */
bool net_conf_wanted(const struct net_conf *n);

enum net_key { NET_INTERFACE, NET_IP, NET_SERVER, NET_FILE_NAME, NET_URL };

/* Takes one value. NULL, or what was expected, and *n is as it was. */
const char *net_conf_read(
    struct net_conf *n, enum net_key key, struct slice value) MUST_CHECK;

#endif
