/* SPDX-License-Identifier: 0BSD */
#include "source/origin.h"

#include "base/fmt.h"
#include "base/ipv4.h"
#include "base/log.h"
#include "options.h"

static int bad(struct diag *d, int reason, const char *text, const char *want)
{
	return diag_fail(d, reason, "%.*s: expected %s", 80, text, want);
}

static int parse_tftp(struct origin *o, const char *text, struct diag *d)
{
	static const char want[] = "tftp://ADDRESS[:PORT]/FILE, with an IPv4 "
	                           "address";
	struct tftp_request *t = &o->tftp;
	struct slice host = {text + 7, strlen(text + 7)};
	struct slice file, port;
	uint64_t v = TFTP_PORT;
	uint8_t ip[IPV4_LEN];

	if (!slice_cut(&host, '/', &file) ||
	    (slice_cut(&host, ':', &port) && !slice_u64(port, &v)) || v == 0 ||
	    v > 65535 || !ipv4_parse(ip, host) || file.len == 0 ||
	    !slice_copy(o->file, sizeof o->file, file))
		return bad(d, R_NET_CONFIG, text, want);
	t->server.host = load_be32(ip);
	t->server.port = (uint16_t)v;
	t->file = o->file;
	return 0;
}

static bool serial_word(struct origin *o, struct slice word)
{
	int protocol = modem_protocol(word);
	unsigned baud = line_baud(word);

	if (protocol >= 0)
		o->protocol = (enum modem_protocol)protocol;
	else if (slice_is(word, "rtscts"))
		o->flow = LINE_FLOW_ON;
	else if (slice_is(word, "noflow"))
		o->flow = LINE_FLOW_OFF;
	else if (baud > 0)
		o->baud = baud;
	else
		return false;
	return true;
}

static int parse_serial(struct origin *o, const char *text, struct diag *d)
{
	static const char want[] = "serial:DEVICE[,BAUD][,PROTOCOL][,rtscts]";
	struct slice left = {text + 7, strlen(text + 7)};
	struct slice tail;
	bool more = slice_cut(&left, ',', &tail);

	if (left.len == 0 || !slice_copy(o->device, sizeof o->device, left))
		return bad(d, R_LINE_CONFIG, text, want);
	while (more) {
		left = tail;
		more = slice_cut(&left, ',', &tail);
		if (!serial_word(o, left))
			return bad(d, R_LINE_CONFIG, text, want);
	}
	return 0;
}

int origin_parse(struct origin *o, const char *text, struct diag *d)
{
	memset(o, 0, sizeof *o);
	fmt(o->name, sizeof o->name, "%s", text);
	log_clean(o->name);
	if (strcmp(text, "-") == 0) {
		o->kind = ORIGIN_PIPE;
		fmt(o->name, sizeof o->name, "standard input");
	} else if (OPT_TFTP && strncmp(text, "tftp://", 7) == 0) {
		o->kind = ORIGIN_TFTP;
		return parse_tftp(o, text, d);
	} else if (OPT_SERIAL && strncmp(text, "serial:", 7) == 0) {
		o->kind = ORIGIN_SERIAL;
		return parse_serial(o, text, d);
	}
	return 0;
}
