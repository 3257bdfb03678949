/* SPDX-License-Identifier: 0BSD */
#include "source/lease.h"

#include "check.h"

static struct lease l;
static struct diag d;

static int read_env(const char *const *env)
{
	d = (struct diag){0};
	return lease_read(&l, env, &d);
}

#define READ(...) read_env((const char *const[]){__VA_ARGS__, NULL})

static bool ip_is(const uint8_t ip[IPV4_LEN], const char *text)
{
	uint8_t want[IPV4_LEN];

	return ipv4_parse(want, (struct slice){text, strlen(text)}) &&
	       memcmp(ip, want, sizeof want) == 0;
}

static void test_addresses(void)
{
	static const char *const bad[] = {"", "1", "1.2.3", "1.2.3.",
	    "1.2.3.4.", "1.2.3.4.5", "256.1.1.1", "1.2.3.-4", " 1.2.3.4",
	    "1.2.3.4 ", "0001.2.3.4", "1..3.4", "0x1.2.3.4", "1.2.3.4/24",
	    "a.b.c.d"};
	uint8_t ip[IPV4_LEN] = {9, 9, 9, 9};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!ipv4_parse(ip, (struct slice){bad[i], strlen(bad[i])}));
	CHECK(ip_is(ip, "9.9.9.9"));
	CHECK(ipv4_parse(ip, (struct slice){"255.0.10.200", 12}));
	CHECK(ip_is(ip, "255.0.10.200"));
	CHECK(!ipv4_parse(ip, (struct slice){NULL, 0}));

	CHECK(!ipv4_is_host((const uint8_t[]){0, 0, 0, 0}));
	CHECK(!ipv4_is_host((const uint8_t[]){0, 1, 2, 3}));
	CHECK(!ipv4_is_host((const uint8_t[]){127, 0, 0, 1}));
	CHECK(!ipv4_is_host((const uint8_t[]){224, 0, 0, 1}));
	CHECK(!ipv4_is_host((const uint8_t[]){255, 255, 255, 255}));
	CHECK(ipv4_is_host((const uint8_t[]){223, 0, 0, 1}));
	CHECK(ipv4_is_host((const uint8_t[]){126, 0, 0, 1}));

	CHECK(ipv4_is_mask((const uint8_t[]){255, 255, 255, 255}));
	CHECK(ipv4_is_mask((const uint8_t[]){128, 0, 0, 0}));
	CHECK(ipv4_is_mask((const uint8_t[]){255, 255, 254, 0}));
	CHECK(!ipv4_is_mask((const uint8_t[]){0, 0, 0, 0}));
	CHECK(!ipv4_is_mask((const uint8_t[]){255, 0, 255, 0}));
	CHECK(!ipv4_is_mask((const uint8_t[]){0, 255, 255, 255}));
	CHECK(!ipv4_is_mask((const uint8_t[]){255, 255, 253, 0}));
}

static void test_whole(void)
{
	CHECK_INT(
	    READ("PATH=/bin", "interface=eth0", "ip=10.0.2.15", "mask=24",
	        "subnet=255.255.255.0", "router=10.0.2.2 10.0.2.3", "mtu=1400",
	        "tftp=10.0.2.4", "bootfile=sub/x.raucb", "siaddr=10.0.2.5",
	        "serverid=10.0.2.6", "boot_file=y.raucb", "sname=10.0.2.7"),
	    0);
	CHECK(ip_is(l.ip, "10.0.2.15"));
	CHECK(ip_is(l.mask, "255.255.255.0"));
	CHECK(ip_is(l.gateway, "10.0.2.2"));
	CHECK(ip_is(l.server, "10.0.2.4"));
	CHECK_INT(l.mtu, 1400);
	CHECK_STR(l.server_name, "");
	CHECK_STR(l.file, "sub/x.raucb");
	CHECK_INT(lease_check(&l, &d), 0);
}

static void test_order(void)
{
	CHECK_INT(READ("ip=10.0.2.15", "siaddr=10.0.2.5", "serverid=10.0.2.6",
	              "sname=10.0.2.7", "boot_file=y.raucb"),
	    0);
	CHECK(ip_is(l.server, "10.0.2.7"));
	CHECK_STR(l.file, "y.raucb");
	CHECK_INT(
	    READ("ip=10.0.2.15", "siaddr=10.0.2.5", "serverid=10.0.2.6"), 0);
	CHECK(ip_is(l.server, "10.0.2.5"));
	CHECK_INT(
	    READ("ip=10.0.2.15", "siaddr=0.0.0.0", "serverid=10.0.2.6"), 0);
	CHECK(ip_is(l.server, "10.0.2.6"));
	/* by name: the next one, and the first name is kept */
	CHECK_INT(READ("ip=10.0.2.15", "tftp=pxe.example", "sname=other",
	              "siaddr=10.0.2.5"),
	    0);
	CHECK(ip_is(l.server, "10.0.2.5"));
	CHECK_STR(l.server_name, "pxe.example");
	CHECK_INT(READ("ip=10.0.2.15", "tftp=pxe.example"), 0);
	CHECK(ipv4_none(l.server));
	/* an empty 67 is none */
	CHECK_INT(READ("ip=10.0.2.15", "bootfile=", "boot_file=y.raucb"), 0);
	CHECK_STR(l.file, "y.raucb");
}

static void test_optional(void)
{
	char name[300];

	/* by class */
	CHECK_INT(READ("ip=10.0.2.15"), 0);
	CHECK(ip_is(l.mask, "255.0.0.0"));
	CHECK_INT(READ("ip=172.16.2.15"), 0);
	CHECK(ip_is(l.mask, "255.255.0.0"));
	CHECK_INT(READ("ip=192.168.2.15"), 0);
	CHECK(ip_is(l.mask, "255.255.255.0"));
	CHECK(ipv4_none(l.gateway));
	CHECK_INT(l.mtu, 0);
	CHECK_STR(l.file, "");
	/* at the ends of the classes */
	CHECK_INT(READ("ip=126.0.0.1"), 0);
	CHECK(ip_is(l.mask, "255.0.0.0"));
	CHECK_INT(READ("ip=128.0.0.1"), 0);
	CHECK(ip_is(l.mask, "255.255.0.0"));
	CHECK_INT(READ("ip=191.0.0.1"), 0);
	CHECK(ip_is(l.mask, "255.255.0.0"));
	CHECK_INT(READ("ip=192.0.0.1"), 0);
	CHECK(ip_is(l.mask, "255.255.255.0"));
	/* no router that is one machine's */
	CHECK_INT(READ("ip=192.168.2.15", "router=224.0.0.1"), 0);
	CHECK(ipv4_none(l.gateway));
	/* of no use, and passed over */
	CHECK_INT(READ("ip=192.168.2.15", "router=x 255.255.255.255 10.1.1.1",
	              "mtu=575", "tftp=\033[2J", "bootfile=a\nb"),
	    0);
	CHECK(ip_is(l.gateway, "10.1.1.1"));
	CHECK_INT(l.mtu, 0);
	CHECK_STR(l.server_name, "");
	CHECK_STR(l.file, "");
	CHECK_INT(READ("ip=192.168.2.15", "mtu=65536", "bootfile=\xff"), 0);
	CHECK_INT(l.mtu, 0);
	CHECK_STR(l.file, "");
	CHECK_INT(READ("ip=192.168.2.15", "mtu=65535", "bootfile=\xc2\x9b"), 0);
	CHECK_INT(l.mtu, 65535);
	CHECK_STR(l.file, "");
	CHECK_INT(READ("ip=192.168.2.15", "bootfile=Gr\xc3\xbc\xc3\x9f"), 0);
	CHECK_STR(l.file, "Gr\xc3\xbc\xc3\x9f");
	/* to the last byte */
	memset(name, 'a', sizeof name);
	memcpy(name, "bootfile=", 9);
	name[9 + LEASE_FILE - 1] = '\0';
	CHECK_INT(READ("ip=192.168.2.15", name), 0);
	CHECK_INT(strlen(l.file), LEASE_FILE - 1);
	name[9 + LEASE_FILE - 1] = 'a';
	name[9 + LEASE_FILE] = '\0';
	CHECK_INT(READ("ip=192.168.2.15", name), 0);
	CHECK_STR(l.file, "");
}

static void test_refused(void)
{
	static const char *many[LEASE_VARS + 2];

	CHECK_INT(READ("interface=eth0"), R_NET_LEASE);
	CHECK(strstr(d.seen, "the address is 0.0.0.0"));
	CHECK_INT(READ("ip=127.0.0.1"), R_NET_LEASE);
	CHECK_INT(READ("ip=224.0.0.1"), R_NET_LEASE);
	CHECK_INT(READ("ip=10.0.0.1x"), R_NET_LEASE);
	CHECK_INT(READ("ip=10.0.0.1", "subnet=255.0.255.0"), R_NET_LEASE);
	CHECK(strstr(d.seen, "the netmask is 255.0.255.0"));
	CHECK_INT(READ("ip=10.0.0.1", "subnet=0.0.0.0"), R_NET_LEASE);
	CHECK_INT(READ("ip=10.0.0.1", "subnet=24"), R_NET_LEASE);
	/* behind the last that is looked at */
	for (unsigned i = 0; i < LEASE_VARS; i++)
		many[i] = "x=y";
	many[LEASE_VARS] = "ip=10.0.0.1";
	CHECK_INT(read_env(many), R_NET_LEASE);
	many[LEASE_VARS - 1] = "ip=10.0.0.1";
	CHECK_INT(read_env(many), 0);
}

static int check_changed(size_t at, uint8_t to)
{
	struct lease c;

	CHECK_INT(READ("ip=10.0.2.15", "tftp=pxe", "router=10.0.2.2",
	              "siaddr=10.0.2.3", "bootfile=x.raucb"),
	    0);
	c = l;
	((uint8_t *)&c)[at] = to;
	return lease_check(&c, NULL);
}

static void test_struct(void)
{
	size_t name = offsetof(struct lease, server_name);
	size_t file = offsetof(struct lease, file);

	CHECK_INT(sizeof l, 4 * IPV4_LEN + 4 + LEASE_NAME + LEASE_FILE);
	CHECK_INT(check_changed(0, 10), 0);
	CHECK_INT(check_changed(0, 0), R_NET_LEASE);
	CHECK_INT(check_changed(offsetof(struct lease, mask), 0), R_NET_LEASE);
	CHECK_INT(
	    check_changed(offsetof(struct lease, gateway), 127), R_NET_LEASE);
	CHECK_INT(
	    check_changed(offsetof(struct lease, server), 255), R_NET_LEASE);
	CHECK_INT(check_changed(offsetof(struct lease, mtu), 1), R_NET_LEASE);
	/* 65536 and more, in one byte order */
	CHECK_INT(
	    check_changed(offsetof(struct lease, mtu) + 2, 1), R_NET_LEASE);
	CHECK_INT(check_changed(name, '\033'), R_NET_LEASE);
	CHECK_INT(check_changed(file + 1, '\n'), R_NET_LEASE);
	CHECK_INT(check_changed(file, 0x80), R_NET_LEASE);
	/* no end */
	memset(l.file, 'a', sizeof l.file);
	CHECK_INT(lease_check(&l, NULL), R_NET_LEASE);
	l.file[sizeof l.file - 1] = '\0';
	CHECK_INT(lease_check(&l, NULL), 0);
	memset(l.server_name, 'a', sizeof l.server_name);
	CHECK_INT(lease_check(&l, NULL), R_NET_LEASE);
}

int main(void)
{
	test_addresses();
	test_whole();
	test_order();
	test_optional();
	test_refused();
	test_struct();
	return check_done("lease");
}
