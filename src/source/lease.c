/* SPDX-License-Identifier: 0BSD */
#include "source/lease.h"

enum {
	IP,
	SUBNET,
	ROUTER,
	MTU,
	/* in the order in which they are taken */
	TFTP,
	SNAME,
	SIADDR,
	SERVERID,
	BOOTFILE,
	BOOT_FILE,
	KEYS
};

static const char *const keys[KEYS] = {
    [IP] = "ip=",
    [SUBNET] = "subnet=",
    [ROUTER] = "router=",
    [MTU] = "mtu=",
    [TFTP] = "tftp=",
    [SNAME] = "sname=",
    [SIADDR] = "siaddr=",
    [SERVERID] = "serverid=",
    [BOOTFILE] = "bootfile=",
    [BOOT_FILE] = "boot_file=",
};

static void take_text(char *dst, size_t cap, struct slice s)
{
	if (dst[0] == '\0' && slice_printable(s))
		(void)!slice_copy(dst, cap, s);
}

/* The first of several addresses that is one machine's. */
static bool take_host(uint8_t ip[IPV4_LEN], struct slice s)
{
	struct slice word;

	while (slice_word(&s, &word))
		if (ipv4_parse(ip, word) && ipv4_is_host(ip))
			return true;
	memset(ip, 0, IPV4_LEN);
	return false;
}

static int bad(struct diag *d, const char *what, const uint8_t ip[IPV4_LEN])
{
	return diag_fail(d, R_NET_LEASE,
	    "the DHCP server's answer: %s is " IPV4_FMT, what, IPV4_ARGS(ip));
}

static int check_address(const struct lease *l, struct diag *d)
{
	if (!ipv4_is_host(l->ip))
		return bad(d, "the address", l->ip);
	if (!ipv4_is_mask(l->mask))
		return bad(d, "the netmask", l->mask);
	return 0;
}

int lease_read(struct lease *l, const char *const *env, struct diag *d)
{
	struct slice v[KEYS] = {{NULL, 0}};
	uint64_t mtu;

	memset(l, 0, sizeof *l);
	for (unsigned i = 0; i < LEASE_VARS && env[i]; i++)
		for (unsigned k = 0; k < KEYS; k++) {
			size_t n = strlen(keys[k]);

			if (strncmp(env[i], keys[k], n) == 0)
				v[k] = (struct slice){
				    env[i] + n, strlen(env[i] + n)};
		}
	(void)take_host(l->ip, v[IP]);
	if (v[SUBNET].len == 0)
		ipv4_class_mask(l->mask, l->ip);
	else
		(void)!ipv4_parse(l->mask, v[SUBNET]);
	(void)take_host(l->gateway, v[ROUTER]);
	if (slice_u64(v[MTU], &mtu) && mtu >= LEASE_MTU_MIN &&
	    mtu <= LEASE_MTU_MAX)
		l->mtu = (uint32_t)mtu;
	for (unsigned k = TFTP; k <= SERVERID; k++) {
		if (take_host(l->server, v[k]))
			break;
		take_text(l->server_name, sizeof l->server_name, v[k]);
	}
	take_text(l->file, sizeof l->file, v[BOOTFILE]);
	take_text(l->file, sizeof l->file, v[BOOT_FILE]);
	return check_address(l, d);
}

/* A text that ends within its field. */
static bool text_ok(const char *s, size_t cap)
{
	const char *end = memchr(s, '\0', cap);

	return end && (end == s || slice_printable(
	                               (struct slice){s, (size_t)(end - s)}));
}

static bool host_or_none(const uint8_t ip[IPV4_LEN])
{
	return ipv4_none(ip) || ipv4_is_host(ip);
}

int lease_check(const struct lease *l, struct diag *d)
{
	if (!host_or_none(l->gateway) || !host_or_none(l->server) ||
	    (l->mtu != 0 &&
	        (l->mtu < LEASE_MTU_MIN || l->mtu > LEASE_MTU_MAX)) ||
	    !text_ok(l->server_name, sizeof l->server_name) ||
	    !text_ok(l->file, sizeof l->file))
		return diag_fail(d, R_NET_LEASE, "udhcpc: damaged answer");
	return check_address(l, d);
}
