/* SPDX-License-Identifier: 0BSD */
/*
 * What a DHCP server says, as busybox's udhcpc hands it to its script in the
 * environment, made into one struct of fixed size that is checked twice: by
 * the script, which is lifeboat itself without rights, and by process 1, which
 * gets it over a pipe. No system call, no state.
 *
 * The server of the file is the first that is an address: option 66, sname,
 * siaddr, the DHCP server itself. The file is option 67, else the field file.
 */
#ifndef LIFEBOAT_LEASE_H
#define LIFEBOAT_LEASE_H

#include "base/ipv4.h"
#include "base/reason.h"

#define LEASE_VARS 256u /* in the environment; more are not looked at */
#define LEASE_NAME 64   /* of a server, with its NUL */
#define LEASE_FILE 128  /* of a file on it, with its NUL */
#define LEASE_MTU_MIN 576u
#define LEASE_MTU_MAX 65535u

/* Crosses a pipe: no pointers, no padding. */
struct lease {
	uint8_t ip[IPV4_LEN];
	uint8_t mask[IPV4_LEN];
	uint8_t gateway[IPV4_LEN];    /* none: no route */
	uint8_t server[IPV4_LEN];     /* none */
	uint32_t mtu;                 /* 0: not said, or out of range */
	char server_name[LEASE_NAME]; /* the name of a server that was passed
	                               * over, because nothing here resolves
	                               * names: for people; or empty */
	char file[LEASE_FILE];        /* or empty: none that can be asked for */
};

/* Makes *l of "name=value" texts, NULL behind the last. What is optional and
 * of no use is passed over. R_NET_LEASE: no address, or a mask that is none. */
int lease_read(
    struct lease *l, const char *const *env, struct diag *d) MUST_CHECK;

/* Is it such as lease_read makes? R_NET_LEASE. */
int lease_check(const struct lease *l, struct diag *d) MUST_CHECK;

#endif
