/* SPDX-License-Identifier: 0BSD */
/* IPv4 addresses as the wire has them: four bytes. Pure. */
#ifndef LIFEBOAT_IPV4_H
#define LIFEBOAT_IPV4_H

#include "base/base.h"

#define IPV4_LEN 4
#define IPV4_FMT "%u.%u.%u.%u"
#define IPV4_ARGS(ip) (ip)[0], (ip)[1], (ip)[2], (ip)[3]

/* "192.168.0.1" and nothing else; false leaves ip as it was. */
bool ipv4_parse(uint8_t ip[IPV4_LEN], struct slice s) MUST_CHECK;

/* 0.0.0.0: none. */
bool ipv4_none(const uint8_t ip[IPV4_LEN]);

/* An address that one machine can have: not of the networks 0 and 127, no
 * multicast, no broadcast. */
bool ipv4_is_host(const uint8_t ip[IPV4_LEN]);

/* Ones, then zeros; a one at least. */
bool ipv4_is_mask(const uint8_t mask[IPV4_LEN]);

/* The mask that an address has when nobody names one: 255.0.0.0,
 * 255.255.0.0 or 255.255.255.0, by its class. */
void ipv4_class_mask(uint8_t mask[IPV4_LEN], const uint8_t ip[IPV4_LEN]);

#endif
