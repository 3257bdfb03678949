/* SPDX-License-Identifier: 0BSD */
#include "init/origins.h"

#include "base/fmt.h"
#include "init/init.h"
#include "init/network.h"
#include "options.h"

#define PAUSE_MS 5000       /* after the first round; each next twice that, */
#define PAUSE_MAX_MS 300000 /* up to this */

enum place { PLACE_TFTP, PLACE_SERIAL, PLACES };

static struct {
	const struct settings *settings;
	bool wanted;
	bool trying; /* one was handed out */
	unsigned place;
	uint64_t at; /* not before */
	uint64_t pause;
} origins;

static bool is_named(unsigned place)
{
	const struct settings *s = origins.settings;

	if (place == PLACE_TFTP)
		return OPT_TFTP && net_conf_wanted(&s->net);
	return OPT_SERIAL && s->serial[0] != '\0';
}

void origins_begin(const struct settings *s)
{
	memset(&origins, 0, sizeof origins);
	origins.settings = s;
}

void origins_want(uint64_t now_ms)
{
	if (origins.wanted)
		return;
	origins.wanted = is_named(PLACE_TFTP) || is_named(PLACE_SERIAL);
	origins.at = now_ms;
}

void origins_forget(void)
{
	if (OPT_TFTP && origins.wanted)
		network_end();
	origins_begin(origins.settings);
}

/* The place after this one; after the last a pause. */
static void move_on(uint64_t now)
{
	origins.trying = false;
	if (OPT_TFTP && origins.place == PLACE_TFTP)
		network_end();
	if (++origins.place < PLACES)
		return;
	origins.place = 0;
	origins.pause = origins.pause == 0
	                    ? PAUSE_MS
	                    : MIN(origins.pause * 2, PAUSE_MAX_MS);
	origins.at = now + origins.pause;
}

void origins_tried(uint64_t now_ms)
{
	if (origins.trying)
		move_on(now_ms);
}

static int try_network(char *origin, uint64_t now, struct diag *d)
{
	const struct network_state *n = network_state();

	switch (n->phase) {
	case NETWORK_IDLE:
		network_begin(&origins.settings->net, now);
		return 0;
	case NETWORK_LINK:
	case NETWORK_LEASE:
		return 0;
	case NETWORK_UP:
		if (n->file[0] == '\0')
			break;
		fmt(origin, FEED_NAME, "tftp://%u.%u.%u.%u:%u/%s", n->server[0],
		    n->server[1], n->server[2], n->server[3], n->port, n->file);
		return 1;
	case NETWORK_FAILED:
		break;
	}
	*d = n->failed;
	return d->reason;
}

/* A console is the operator's: it is not taken away every few seconds. */
static int name_line(char *origin, struct diag *d)
{
	fmt(origin, FEED_NAME, "serial:%s", origins.settings->serial);
	if (!console_is(origin))
		return 1;
	(void)diag_fail(d, R_LINE_CONFIG,
	    "%s is a console: start sz there, or press x", origin);
	origin[0] = '\0';
	return R_LINE_CONFIG;
}

int origins_step(char *origin, uint64_t now_ms, struct diag *d)
{
	int r = 1;

	while (origins.wanted && !origins.trying && now_ms >= origins.at &&
	       !is_named(origins.place))
		move_on(now_ms);
	if (!origins.wanted || origins.trying || now_ms < origins.at)
		return 0;
	if (OPT_TFTP && origins.place == PLACE_TFTP)
		r = try_network(origin, now_ms, d);
	else
		r = name_line(origin, d);
	origins.trying = r == 1;
	if (r < 0)
		move_on(now_ms);
	return r;
}

int origins_timeout_ms(uint64_t now_ms)
{
	if (!origins.wanted || origins.trying)
		return -1;
	if (now_ms < origins.at)
		return (int)(origins.at - now_ms);
	return OPT_TFTP && origins.place == PLACE_TFTP &&
	               network_state()->phase != NETWORK_IDLE
	           ? network_timeout_ms(now_ms)
	           : 0;
}
