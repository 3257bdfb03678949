/* SPDX-License-Identifier: 0BSD */
#include "slot/conf.h"

#include "check.h"

static struct settings s;
static struct diag d;

static int file(const char *text)
{
	settings_default(&s);
	d = (struct diag){0};
	return settings_parse(&s, text, strlen(text), &d);
}

static int line(const char *text)
{
	settings_default(&s);
	d = (struct diag){0};
	return settings_cmdline(&s, text, &d);
}

/* "how interface ip mask gateway server" of an ip= alone. */
static const char *ip(const char *value)
{
	static char text[160];
	const struct net_conf *n = &s.net;
	char words[128] = "ip=";

	strncat(words, value, sizeof words - 4);
	if (line(words) != 0)
		return "refused";
	snprintf(text, sizeof text,
	    "%u %s " IPV4_FMT " " IPV4_FMT " " IPV4_FMT " " IPV4_FMT, n->how,
	    n->interface[0] ? n->interface : "-", IPV4_ARGS(n->ip),
	    IPV4_ARGS(n->mask), IPV4_ARGS(n->gateway), IPV4_ARGS(n->ip_server));
	return text;
}

#define NONE "0.0.0.0"

static void test_ip(void)
{
	static const char *const refused[] = {"", "x", "bootp", "rarp", "both",
	    "10.0.0", "10.0.0.256", "127.0.0.1", "255.255.255.255",
	    "::::::", ":", "10.0.0.1:x", "10.0.0.1::x",
	    "10.0.0.1:::255.0.255.0", "10.0.0.1:::24", "10.0.0.1:::::eth0:nfs",
	    ":::::../x:dhcp", ":::::a/b:dhcp", ":::::.a:dhcp",
	    ":::::abcdefghijklmnop:dhcp", "[fe80::1]",
	    "10.0.0.2:255.255.255.255", ":127.0.0.1::::eth0:dhcp",
	    "10.0.0.2::224.0.0.1"};

	CHECK_STR(ip("dhcp"), "2 - " NONE " " NONE " " NONE " " NONE);
	CHECK_STR(ip("on"), "2 - " NONE " " NONE " " NONE " " NONE);
	CHECK_STR(ip("any"), "2 - " NONE " " NONE " " NONE " " NONE);
	CHECK_STR(ip("off"), "1 - " NONE " " NONE " " NONE " " NONE);
	CHECK_STR(ip("none"), "1 - " NONE " " NONE " " NONE " " NONE);
	CHECK_STR(
	    ip(":::::eth0:dhcp"), "2 eth0 " NONE " " NONE " " NONE " " NONE);
	CHECK_STR(ip(":::::eth1"), "2 eth1 " NONE " " NONE " " NONE " " NONE);
	CHECK_STR(ip("::::::dhcp"), "2 - " NONE " " NONE " " NONE " " NONE);
	CHECK_STR(ip("::::::off"), "1 - " NONE " " NONE " " NONE " " NONE);
	CHECK_STR(ip(":10.0.0.9:::::dhcp"),
	    "2 - " NONE " " NONE " " NONE " 10.0.0.9");
	CHECK_STR(ip("10.0.0.2:10.0.0.3:10.0.0.1:255.255.255.0:host:eth0:off"),
	    "3 eth0 10.0.0.2 255.255.255.0 10.0.0.1 10.0.0.3");
	CHECK_STR(ip("10.0.0.2:10.0.0.3:10.0.0.1:255.255.255.0:host:eth0:off:"
	             "10.0.0.4:10.0.0.5:10.0.0.6"),
	    "3 eth0 10.0.0.2 255.255.255.0 10.0.0.1 10.0.0.3");
	/* by class, as the kernel does */
	CHECK_STR(ip("10.0.0.2"), "3 - 10.0.0.2 255.0.0.0 " NONE " " NONE);
	CHECK_STR(ip("192.168.0.2::192.168.0.1"),
	    "3 - 192.168.0.2 255.255.255.0 192.168.0.1 " NONE);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		CHECK_STR(ip(refused[i]), "refused");
		CHECK_INT(d.reason, R_NET_CONFIG);
		CHECK_INT(s.net.how, NET_UNSAID);
		CHECK(ipv4_none(s.net.ip) && s.net.interface[0] == '\0');
	}
	CHECK_INT(line("ip"), R_NET_CONFIG);
	/* what is wrong leaves what was right before */
	CHECK_INT(line("ip=10.0.0.2 ip=10.0.0.3:::7"), R_NET_CONFIG);
	CHECK_INT(s.net.how, NET_STATIC);
	CHECK_INT(s.net.ip[3], 2);
	CHECK_INT(s.net.mask[3], 0);
}

static bool server_is(const char *text)
{
	char have[32];

	snprintf(have, sizeof have, IPV4_FMT ":%u", IPV4_ARGS(s.net.server),
	    s.net.port);
	return strcmp(have, text) == 0;
}

static void test_url(void)
{
	static const char *const refused[] = {"tftp://", "tftp://10.0.0.1",
	    "tftp://host/x", "host:x", "10.0.0.1", "tftp://10.0.0.1:0/x",
	    "tftp://10.0.0.1:65536/x", "tftp://10.0.0.1:/x",
	    "http://10.0.0.1/x", "tftp:///x", "tftp://10.0.0.1/a\177b",
	    "tftp://224.0.0.1/x",
	    "10.0.0.1:"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	char words[256];

	CHECK_INT(line("lifeboat.tftp=tftp://10.0.0.1/a/b.raucb"), 0);
	CHECK(server_is("10.0.0.1:69"));
	CHECK_STR(s.net.file, "a/b.raucb");
	CHECK(net_conf_wanted(&s.net));
	CHECK_INT(line("lifeboat.tftp=tftp://10.0.0.1:6969//abs"), 0);
	CHECK(server_is("10.0.0.1:6969"));
	CHECK_STR(s.net.file, "/abs");
	CHECK_INT(line("lifeboat.tftp=tftp://10.0.0.1/"), 0);
	CHECK(server_is("10.0.0.1:69"));
	CHECK_STR(s.net.file, "");
	CHECK_INT(line("lifeboat.tftp=10.0.0.1:b:c.raucb"), 0);
	CHECK(server_is("10.0.0.1:69"));
	CHECK_STR(s.net.file, "b:c.raucb");
	CHECK_INT(line("lifeboat.tftp="), 0);
	CHECK(server_is("0.0.0.0:69"));
	CHECK(net_conf_wanted(&s.net));
	CHECK_INT(line("lifeboat.tftp"), 0);
	CHECK(net_conf_wanted(&s.net));
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		snprintf(words, sizeof words, "lifeboat.tftp=%s", refused[i]);
		CHECK_INT(line(words), R_NET_CONFIG);
		CHECK(!net_conf_wanted(&s.net));
		CHECK(server_is("0.0.0.0:69") && s.net.file[0] == '\0');
	}
}

static void test_file(void)
{
	CHECK_INT(file("[network]\ninterface=eth0\nip=dhcp\nlink-timeout=5\n"
	               "lease-timeout=7\n[tftp]\nserver=10.0.0.1:6969\n"
	               "file=x y.raucb\n"),
	    0);
	CHECK_INT(s.net.how, NET_DHCP);
	CHECK_STR(s.net.interface, "eth0");
	CHECK_INT(s.net.link_timeout_s, 5);
	CHECK_INT(s.net.lease_timeout_s, 7);
	CHECK(server_is("10.0.0.1:6969"));
	CHECK_STR(s.net.file, "x y.raucb");
	/* the command line comes first, and may take back */
	CHECK_INT(settings_cmdline(&s, "lifeboat.tftp=", &d), 0);
	CHECK(server_is("0.0.0.0:69"));
	CHECK_INT(settings_cmdline(&s, "lifeboat.tftp=10.0.0.2:z", &d), 0);
	CHECK(server_is("10.0.0.2:69"));
	CHECK_STR(s.net.file, "z");
	CHECK_INT(settings_cmdline(&s, "lifeboat.tftp=", &d), 0);
	CHECK(server_is("0.0.0.0:69"));
	CHECK_STR(s.net.file, "");
	CHECK_INT(settings_cmdline(&s, "ip=off", &d), 0);
	CHECK(!net_conf_wanted(&s.net));

	CHECK_INT(file("[network]\nip=fe80::1\n"), R_NET_CONFIG);
	CHECK(strstr(d.seen, "[network] ip=fe80::1"));
	CHECK_INT(file("[network]\ninterface=a/b\n"), R_NET_CONFIG);
	CHECK_INT(file("[network]\ninterface=\n"), R_NET_CONFIG);
	CHECK_INT(file("[network]\nlink-timeout=0\n"), R_CONF_VALUE);
	CHECK_INT(file("[network]\nlease-timeout=3601\n"), R_CONF_VALUE);
	CHECK_INT(file("[tftp]\nserver=host\n"), R_NET_CONFIG);
	CHECK_INT(file("[tftp]\nfile=\n"), R_NET_CONFIG);
	/* misspelt, in the other group, twice, in a group that is none */
	CHECK_INT(file("[network]\nlink_timeout=5\n"), R_CONF_VALUE);
	CHECK_INT(file("[network]\nlink-timout=5\n"), R_CONF_VALUE);
	CHECK_INT(file("[network]\nserver=10.0.0.1\n"), R_CONF_VALUE);
	CHECK_INT(file("[tftp]\nfile=a\nfile=b\n"), R_CONF_VALUE);
	CHECK_INT(file("[netwrk]\nip=dhcp\n"), R_CONF_VALUE);
}

static void test_wanted(void)
{
	settings_default(&s);
	CHECK(!net_conf_wanted(&s.net));
	CHECK_INT(s.net.link_timeout_s, 20);
	CHECK_INT(s.net.lease_timeout_s, 30);
	CHECK_INT(line("quiet root=/dev/sda1 console=ttyS0"), 0);
	CHECK(!net_conf_wanted(&s.net));
	CHECK_INT(file("[network]\ninterface=eth0\nlink-timeout=5\n"), 0);
	CHECK(!net_conf_wanted(&s.net));
	CHECK_INT(file("[tftp]\nfile=x.raucb\n"), 0);
	CHECK(net_conf_wanted(&s.net));
	CHECK_INT(file("[network]\nip=off\n[tftp]\nfile=x.raucb\n"), 0);
	CHECK(!net_conf_wanted(&s.net));
	CHECK_INT(line("ip=10.0.0.2"), 0);
	CHECK(net_conf_wanted(&s.net));
}

int main(void)
{
	test_ip();
	test_url();
	test_file();
	test_wanted();
	return check_done("net_conf");
}
