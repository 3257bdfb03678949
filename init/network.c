/* SPDX-License-Identifier: 0BSD */
#include "init/network.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fmt.h"
#include "init/init.h"

#define DEVICES "/proc/net/dev"
#define DEVICES_TEXT 8192
#define LOOK_MS 200  /* between two looks for a link */
#define SAY_MS 10000 /* between two lines while waiting */

/* Times are clock_ms(). */
static struct {
	const struct net_conf *conf;
	struct network_state state;
	int fd; /* for the ioctls */
	uint64_t end, look_at, say_at;
	char tried[NET_NAME]; /* the interface of the last attempt */
	char seen[64];        /* all that there are, for people */
	pid_t client;         /* and its process group, which nobody else has */
	int from;             /* what comes from its script */
} net;

const struct network_state *network_state(void)
{
	return &net.state;
}

/* ---- what the kernel is asked */

static bool ask(uint16_t what, const char *name, struct ifreq *r)
{
	fmt(r->ifr_name, sizeof r->ifr_name, "%s", name);
	return ioctl(net.fd, what, r) == 0;
}

static void put_address(struct sockaddr *to, const uint8_t ip[IPV4_LEN])
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	memcpy(&in.sin_addr, ip, IPV4_LEN);
	memcpy(to, &in, sizeof in);
}

static bool set_address(uint16_t what, const uint8_t ip[IPV4_LEN])
{
	struct ifreq r = {.ifr_flags = 0};

	put_address(&r.ifr_addr, ip);
	return ask(what, net.state.interface, &r);
}

/* An Ethernet that is not wireless: there is nobody to ask for a password. */
static bool is_wired(const char *name)
{
	char path[64];
	struct ifreq r = {.ifr_flags = 0};

	fmt(path, sizeof path, "/sys/class/net/%s/phy80211", name);
	return ask(SIOCGIFHWADDR, name, &r) &&
	       r.ifr_hwaddr.sa_family == ARPHRD_ETHER && access(path, F_OK) < 0;
}

/* Up, which is where a link begins to be looked for. True: it has one. */
static bool has_link(const char *name)
{
	struct ifreq r = {.ifr_flags = 0};

	if (!ask(SIOCGIFFLAGS, name, &r))
		return false;
	if (r.ifr_flags & IFF_UP)
		return r.ifr_flags & IFF_RUNNING;
	r.ifr_flags |= IFF_UP;
	(void)ask(SIOCSIFFLAGS, name, &r);
	return false;
}

/* ---- the end of an attempt */

static void stop_client(void)
{
	if (net.state.phase != NETWORK_LEASE)
		return;
	(void)kill(-net.client, SIGKILL);
	(void)close(net.from);
}

static void fail(void)
{
	stop_client();
	net.state.phase = NETWORK_FAILED;
}

/* The routes go with it. */
static void drop_address(void)
{
	static const uint8_t none[IPV4_LEN];

	(void)set_address(SIOCSIFADDR, none);
}

void network_end(void)
{
	stop_client();
	if (!ipv4_none(net.state.ip))
		drop_address();
	if (net.state.phase != NETWORK_IDLE)
		(void)close(net.fd);
	net.state.phase = NETWORK_IDLE;
}

/* ---- up */

static void add_route(const uint8_t gateway[IPV4_LEN])
{
	static const uint8_t any[IPV4_LEN];
	struct rtentry route = {
	    .rt_flags = RTF_UP | RTF_GATEWAY, .rt_dev = net.state.interface};

	put_address(&route.rt_dst, any);
	put_address(&route.rt_genmask, any);
	put_address(&route.rt_gateway, gateway);
	if (ioctl(net.fd, SIOCADDRT, &route) < 0 && errno != EEXIST)
		log_warn("%s: no route by " IPV4_FMT " (errno %d)",
		    net.state.interface, IPV4_ARGS(gateway), errno);
}

/* Who has the file, and its name: what is configured comes first. True with a
 * server; without a file the reason is kept, for those who ask for it. */
static bool find_file(const struct lease *l)
{
	const struct net_conf *c = net.conf;
	struct network_state *s = &net.state;

	memcpy(s->server,
	    !ipv4_none(c->server)      ? c->server
	    : !ipv4_none(c->ip_server) ? c->ip_server
	                               : l->server,
	    IPV4_LEN);
	s->port = c->port;
	memcpy(s->file, c->file[0] != '\0' ? c->file : l->file, sizeof s->file);
	if (ipv4_none(s->server)) {
		(void)diag_fail(&s->failed, R_NET_CONFIG,
		    "no TFTP server: not by [tftp], ip= or lifeboat.tftp=, nor "
		    "by DHCP%s%s%s",
		    l->server_name[0] != '\0' ? ", which only names " : "",
		    l->server_name,
		    l->server_name[0] != '\0' ? ": no name is looked up" : "");
		return false;
	}
	if (s->file[0] == '\0')
		(void)diag_fail(&s->failed, R_NET_CONFIG,
		    "no file to ask " IPV4_FMT " for: not by [tftp], "
		    "lifeboat.tftp= or DHCP (option 67)",
		    IPV4_ARGS(s->server));
	return true;
}

static void set_up(const struct lease *l)
{
	struct network_state *s = &net.state;
	struct ifreq r = {.ifr_mtu = (int)l->mtu};

	if (l->mtu != 0 && !ask(SIOCSIFMTU, s->interface, &r))
		log_warn("%s: no MTU of %u", s->interface, l->mtu);
	s->mtu = ask(SIOCGIFMTU, s->interface, &r) ? (unsigned)r.ifr_mtu : 0;
	drop_address(); /* that the kernel or somebody else gave it */
	memcpy(s->ip, l->ip, IPV4_LEN);
	if (!set_address(SIOCSIFADDR, l->ip) ||
	    !set_address(SIOCSIFNETMASK, l->mask)) {
		(void)diag_fail(&s->failed, R_NET_CONFIG,
		    "%s: the address " IPV4_FMT " cannot be set (errno %d)",
		    s->interface, IPV4_ARGS(l->ip), errno);
		fail();
		return;
	}
	if (!ipv4_none(l->gateway))
		add_route(l->gateway);
	log_info("%s: address " IPV4_FMT "%s", s->interface, IPV4_ARGS(s->ip),
	    net.conf->how == NET_STATIC ? "" : " by DHCP");
	if (!find_file(l)) {
		fail();
		return;
	}
	stop_client();
	s->phase = NETWORK_UP;
}

static void set_up_static(void)
{
	static struct lease l;

	memcpy(l.ip, net.conf->ip, IPV4_LEN);
	memcpy(l.mask, net.conf->mask, IPV4_LEN);
	memcpy(l.gateway, net.conf->gateway, IPV4_LEN);
	set_up(&l);
}

/* ---- waiting for a link */

static void start_lease(uint64_t now)
{
	struct network_state *s = &net.state;
	pid_t pid;

	if (access(DHCP_CLIENT, X_OK) < 0) {
		(void)diag_fail(&s->failed, R_NET_CONFIG,
		    "no " DHCP_CLIENT " in this image: a static address only");
		fail();
		return;
	}
	pid = dhcp_start(s->interface, &net.from, &s->failed);
	if (pid < 0) {
		fail();
		return;
	}
	net.client = pid;
	net.end = now + net.conf->lease_timeout_s * UINT64_C(1000);
	s->phase = NETWORK_LEASE;
	log_info("%s: asking for an address (DHCP)", s->interface);
}

/* The names of the kernel's list: "  eth0: 0 0 ..." below a head. */
static bool next_name(struct slice *text, char name[NET_NAME])
{
	struct slice line, rest, word;

	while (slice_line(text, &line))
		if (slice_cut(&line, ':', &rest) && slice_word(&line, &word) &&
		    slice_copy(name, NET_NAME, word))
			return true;
	return false;
}

/*
 * The interface to use, in net.state.interface: the one that is named, else
 * the first with a link behind the one that was tried last, else the first.
 */
static bool find_link(void)
{
	static char text[DEVICES_TEXT];
	struct slice left = {text, 0};
	char name[NET_NAME], *best = net.state.interface;
	const char *wanted = net.conf->interface;
	bool behind = false;
	size_t len = 0;

	(void)!early_read(DEVICES, text, sizeof text);
	left.len = strlen(text);
	net.seen[0] = best[0] = '\0';
	while (next_name(&left, name)) {
		bool last = strcmp(name, net.tried) == 0;

		if (wanted[0] != '\0' ? strcmp(name, wanted) != 0
		                      : !is_wired(name))
			continue;
		len += fmt(net.seen + len, sizeof net.seen - len, "%s%s",
		    len > 0 ? ", " : "", name);
		if (has_link(name) && (best[0] == '\0' || behind)) {
			memcpy(best, name, NET_NAME);
			behind = false;
		}
		if (last)
			behind = true;
	}
	return best[0] != '\0';
}

static void look(uint64_t now)
{
	struct network_state *s = &net.state;
	bool found = find_link();

	net.look_at = now + LOOK_MS;
	if (found) {
		memcpy(net.tried, s->interface, NET_NAME);
		if (net.conf->how == NET_STATIC)
			set_up_static();
		else
			start_lease(now);
	} else if (now >= net.end) {
		const char *wanted = net.conf->interface;

		if (net.seen[0] != '\0')
			(void)diag_fail(
			    &s->failed, R_NET_LINK, "%s: no link", net.seen);
		else
			(void)diag_fail(&s->failed, R_NET_DEVICE,
			    "no network interface%s%s",
			    wanted[0] != '\0' ? " " : "", wanted);
		fail();
	} else if (now >= net.say_at) {
		net.say_at = now + SAY_MS;
		log_info("%s: waiting for a link (a cable), %llu s left",
		    net.seen[0] != '\0' ? net.seen : "network",
		    (unsigned long long)(net.end - now + 999) / 1000);
	}
}

/* ---- waiting for a lease */

/* What comes is a child's word: looked at as any foreign byte. */
static void hear(void)
{
	static struct lease l;
	ssize_t n = read(net.from, &l, sizeof l);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof l) {
		(void)diag_fail(&net.state.failed, R_NET_LEASE,
		    "%s: udhcpc ended without a lease", net.state.interface);
		fail();
	} else if (lease_check(&l, &net.state.failed) != 0) {
		fail();
	} else {
		set_up(&l);
	}
}

/* ---- from outside */

void network_begin(const struct net_conf *n, uint64_t now)
{
	network_end();
	memset(&net.state, 0, sizeof net.state);
	net.conf = n;
	net.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	net.state.phase = NETWORK_LINK;
	net.end = now + n->link_timeout_s * UINT64_C(1000);
	net.look_at = now;
	net.say_at = now + LOOK_MS; /* most links are there at once */
}

unsigned network_poll_fds(struct pollfd *p)
{
	if (net.state.phase != NETWORK_LEASE)
		return 0;
	*p = (struct pollfd){.fd = net.from, .events = POLLIN};
	return 1;
}

void network_step(const struct pollfd *p, unsigned count, uint64_t now)
{
	struct network_state *s = &net.state;

	if (s->phase == NETWORK_LINK && now >= net.look_at) {
		look(now);
	} else if (s->phase == NETWORK_LEASE) {
		if (count > 0 && p->revents != 0) {
			hear();
		} else if (now >= net.end) {
			(void)diag_fail(&s->failed, R_NET_LEASE,
			    "%s: no DHCP server answers within %u s",
			    s->interface, net.conf->lease_timeout_s);
			fail();
		}
	}
}

int network_timeout_ms(uint64_t now)
{
	uint64_t at = net.state.phase == NETWORK_LINK ? net.look_at : net.end;

	if (net.state.phase != NETWORK_LINK && net.state.phase != NETWORK_LEASE)
		return -1;
	return at > now ? (int)(at - now) : 0;
}
