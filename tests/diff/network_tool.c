/* SPDX-License-Identifier: 0BSD */
/*
 * network_tool ATTEMPTS [KEY=VALUE...]: brings the network up as process 1
 * does, and prints what came of each attempt. Keys: interface, ip, server,
 * file, tftp, link, lease (seconds). The address stays when it ends. Started
 * as udhcpc it is a bad one: the file /fake says of what kind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "init/init.h"
#include "init/network.h"

static struct net_conf conf;

uint64_t clock_ms(void)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void say(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	printf("log: %s\n", line);
}

static void set(const char *argument)
{
	static const char *const keys[] = {"interface=", "ip=", "server=",
	    "file=", "tftp=", "link=", "lease="};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t n = strlen(keys[i]);
		const char *v = argument + n, *bad = NULL;

		if (strncmp(argument, keys[i], n) != 0)
			continue;
		if (i == 5)
			conf.link_timeout_s = (unsigned)atoi(v);
		else if (i == 6)
			conf.lease_timeout_s = (unsigned)atoi(v);
		else
			bad = net_conf_read(&conf, (enum net_key)i,
			    (struct slice){v, strlen(v)});
		if (!bad)
			return;
		printf("expected %s\n", bad);
		exit(2);
	}
	exit(2);
}

static void attempt(void)
{
	const struct network_state *s = network_state();
	struct pollfd p[NETWORK_FDS];

	network_begin(&conf, clock_ms());
	while (s->phase == NETWORK_LINK || s->phase == NETWORK_LEASE) {
		unsigned n = network_poll_fds(p);

		(void)poll(p, n, network_timeout_ms(clock_ms()));
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		network_step(p, n, clock_ms());
	}
	if (s->phase == NETWORK_UP && s->file[0] != '\0')
		printf("up %s " IPV4_FMT " server " IPV4_FMT " port %u mtu %u "
		       "file %s\n",
		    s->interface, IPV4_ARGS(s->ip), IPV4_ARGS(s->server),
		    s->port, s->mtu, s->file);
	else
		printf("failed %s: %s\n", reason_name(s->failed.reason),
		    s->failed.seen);
	fflush(stdout);
	/* its child is not left behind */
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* What process 1 reads is a child's word; 9: see dhcp.c. */
static int fake_client(void)
{
	static uint8_t bytes[4 * sizeof(struct lease)];
	struct lease l = {.ip = {10, 9, 0, 66},
	    .mask = {255, 255, 255, 0},
	    .server = {10, 9, 0, 1},
	    .file = "x.raucb"};
	size_t n = sizeof l;
	char kind[16];

	if (early_read("/fake", kind, sizeof kind) < 0)
		return 1;
	memset(bytes, 0xff, sizeof bytes);
	memcpy(bytes, &l, sizeof l);
	switch (kind[0]) {
	case 'b': /* bytes of no meaning */
		memset(bytes, 0xff, sizeof bytes);
		break;
	case 's': /* a short answer */
		n--;
		break;
	case 'm': /* more than one, and on for ever */
		n = sizeof bytes;
		break;
	case 'e': /* the end at once */
		return 0;
	case 'c': /* a child stays behind */
		if (fork() > 0)
			return 0;
		n = 0;
		break;
	default: /* silent */
		n = 0;
	}
	(void)!write(9, bytes, n);
	if (kind[0] != 's')
		for (;;)
			(void)pause();
	return 0;
}

int main(int argc, char **argv)
{
	if (strcmp(argv[0], "udhcpc") == 0)
		return fake_client();
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* A script whose client was ended is ours to reap: until somebody does
	 * it counts as one of the few processes that its user may have. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	log_to(say, NULL, LOG_DEBUG);
	net_conf_default(&conf);
	for (int i = 2; i < argc; i++)
		set(argv[i]);
	for (int i = argc > 1 ? atoi(argv[1]) : 1; i > 0; i--)
		attempt();
	return 0;
}
