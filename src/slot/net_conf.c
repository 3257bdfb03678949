/* SPDX-License-Identifier: 0BSD */
#include "slot/net_conf.h"

void net_conf_default(struct net_conf *n)
{
	memset(n, 0, sizeof *n);
	n->port = NET_TFTP_PORT;
	n->link_timeout_s = 20;
	n->lease_timeout_s = 30;
}

bool net_conf_wanted(const struct net_conf *n)
{
	return n->how >= NET_DHCP || (n->how == NET_UNSAID && n->tftp);
}

static bool read_file(struct net_conf *n, struct slice s)
{
	return slice_printable(s) && slice_copy(n->file, sizeof n->file, s);
}

static bool read_interface(struct net_conf *n, struct slice s)
{
	return slice_alnum(s, "-_.") && s.p[0] != '.' &&
	       slice_copy(n->interface, sizeof n->interface, s);
}

/* "10.0.0.1" or "10.0.0.1:69". */
static bool read_server(struct net_conf *n, struct slice s)
{
	struct slice port;
	uint64_t v = NET_TFTP_PORT;

	if ((slice_cut(&s, ':', &port) && !slice_u64(port, &v)) || v == 0 ||
	    v > UINT16_MAX || !ipv4_parse(n->server, s))
		return false;
	n->port = (uint16_t)v;
	return ipv4_is_host(n->server);
}

static bool read_url(struct net_conf *n, struct slice s)
{
	static const char scheme[] = "tftp://";
	const size_t len = sizeof scheme - 1;
	bool url = s.len >= len && memcmp(s.p, scheme, len) == 0;
	struct slice file;

	memset(n->server, 0, sizeof n->server);
	n->port = NET_TFTP_PORT;
	n->file[0] = '\0';
	if (s.len == 0)
		return true;
	if (url) {
		s.p += len;
		s.len -= len;
	}
	return slice_cut(&s, url ? '/' : ':', &file) && read_server(n, s) &&
	       (file.len == 0 || read_file(n, file));
}

/* ---- ip= */

enum { CLIENT, SERVER, GATEWAY, MASK, HOST, DEVICE, HOW, FIELDS };

static bool read_how(struct net_conf *n, struct slice s)
{
	static const char words[] = "off none dhcp on any";
	int i = slice_index((struct slice){words, sizeof words - 1}, s);

	n->how = i < 2 ? NET_OFF : NET_DHCP;
	return i >= 0;
}

/* An empty field leaves none. */
static bool read_address(uint8_t ip[IPV4_LEN], struct slice s)
{
	memset(ip, 0, IPV4_LEN);
	return s.len == 0 || ipv4_parse(ip, s);
}

static bool read_host(uint8_t ip[IPV4_LEN], struct slice s)
{
	return read_address(ip, s) && (ipv4_none(ip) || ipv4_is_host(ip));
}

static bool read_ip(struct net_conf *n, struct slice s)
{
	struct slice field[FIELDS] = {{NULL, 0}}, tail;

	if (!memchr(s.p, ':', s.len) && read_how(n, s))
		return true;
	for (unsigned i = 0; i < FIELDS && s.p; i++) {
		(void)slice_cut(&s, ':', &tail);
		field[i] = s;
		s = tail;
	}
	if (!read_host(n->ip, field[CLIENT]) ||
	    !read_host(n->ip_server, field[SERVER]) ||
	    !read_host(n->gateway, field[GATEWAY]) ||
	    !read_address(n->mask, field[MASK]) ||
	    (field[DEVICE].len > 0 && !read_interface(n, field[DEVICE])))
		return false;
	n->how = NET_DHCP;
	if (field[HOW].len > 0 && !read_how(n, field[HOW]))
		return false;
	if (ipv4_none(n->ip))
		return field[DEVICE].len > 0 || field[HOW].len > 0;
	n->how = NET_STATIC;
	if (ipv4_none(n->mask))
		ipv4_class_mask(n->mask, n->ip);
	return ipv4_is_mask(n->mask);
}

const char *net_conf_read(
    struct net_conf *n, enum net_key key, struct slice value)
{
	static const struct {
		bool (*read)(struct net_conf *n, struct slice s);
		const char *expected;
	} keys[] = {
	    [NET_INTERFACE] = {read_interface, "a name like eth0"},
	    [NET_IP] = {read_ip,
	        "dhcp, off or "
	        "CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:HOW, "
	        "with addresses of four numbers"},
	    [NET_SERVER] = {read_server, "ADDRESS[:PORT], of four numbers"},
	    [NET_FILE_NAME] = {read_file, "a file name"},
	    [NET_URL] = {read_url, "tftp://ADDRESS[:PORT]/FILE, of four "
	                           "numbers"},
	};
	struct net_conf was = *n;

	if (!value.p) /* a bare word */
		value = (struct slice){"", 0};
	if (!keys[key].read(n, value)) {
		*n = was;
		return keys[key].expected;
	}
	if (key >= NET_SERVER)
		n->tftp = true;
	return NULL;
}
