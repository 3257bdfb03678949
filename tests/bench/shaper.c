/* SPDX-License-Identifier: 0BSD */
/*
 * shaper PID PID MBIT DELAY LOSS [QUEUE [TWICE [LATE [SEED]]]]: a wire between
 * the network namespaces of two processes. In each it makes the TUN device
 * wire0, reads IP packets there and hands them to the other side, in each
 * direction: MBIT   million bits of IP packets each second; 0: no limit DELAY
 * microseconds on the way, after the last bit was sent LOSS   of a million
 * packets so many are lost, chosen by a generator that starts at SEED, so that
 * the same ones are lost in every run QUEUE  bytes that may wait for being
 * sent; what comes on top is lost TWICE  of a million so many come twice LATE
 * of a million so many come up to a millisecond later, behind others Says
 * "ready" once both devices are there; SIGUSR1 starts the generators again.
 * Ends with SIGTERM, and says how many packets went each way, how many were
 * lost by chance, and for want of room.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET 2048
#define RING 8192 /* packets on the way, at most */

struct packet {
	uint64_t due; /* nanoseconds */
	size_t len;
	uint8_t data[PACKET];
};

struct way {
	int in, out;
	uint64_t free; /* when the last bit of what waits is sent */
	uint64_t random;
	unsigned first, count;
	unsigned passed, lost, full;
	struct packet ring[RING];
};

static struct way ways[2];
static uint64_t seed = 1, twice, late;
static volatile sig_atomic_t again, done;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		again = 1;
	else
		done = 1;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int make_tun(const char *pid)
{
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	char path[64];
	int ns, fd;

	snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
	ns = open(path, O_RDONLY);
	if (ns < 0 || setns(ns, CLONE_NEWNET) != 0) {
		perror(path);
		exit(1);
	}
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	strcpy(r.ifr_name, "wire0");
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) != 0) {
		perror("/dev/net/tun");
		exit(1);
	}
	return fd;
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void restart(void)
{
	again = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct way *w = &ways[i];

		w->random = seed * 2 + i;
		w->passed = w->lost = w->full = 0;
	}
}

/* In the order in which they are due. */
static void put(struct way *w, const struct packet *p)
{
	unsigned at = w->count;

	if (w->count == RING)
		return;
	for (; at > 0 && w->ring[(w->first + at - 1) % RING].due > p->due; at--)
		w->ring[(w->first + at) % RING] =
		    w->ring[(w->first + at - 1) % RING];
	w->ring[(w->first + at) % RING] = *p;
	w->count++;
}

static void take(
    struct way *w, uint64_t mbit, uint64_t delay, uint64_t loss, uint64_t queue)
{
	for (unsigned n = 0; n < 64; n++) {
		struct packet *p = &w->ring[(w->first + w->count) % RING];
		ssize_t len = read(w->in, p->data, PACKET);
		uint64_t at;

		if (len <= 0)
			return;
		at = now();
		if (next_random(&w->random) % 1000000 < loss) {
			w->lost++;
			continue;
		}
		if (w->free < at)
			w->free = at;
		if (w->count == RING ||
		    (mbit &&
		        (w->free - at) * mbit / 8000 + (size_t)len > queue)) {
			w->full++;
			continue;
		}
		if (mbit)
			w->free += (uint64_t)len * 8000 / mbit;
		p->due = w->free + delay * 1000;
		if (late && next_random(&w->random) % 1000000 < late)
			p->due += next_random(&w->random) % 1000000;
		p->len = (size_t)len;
		put(w, p);
		if (twice && next_random(&w->random) % 1000000 < twice)
			put(w, p);
		w->passed++;
	}
}

/* Returns when the next one is due. */
static uint64_t give(struct way *w)
{
	while (w->count > 0) {
		struct packet *p = &w->ring[w->first];

		if (p->due > now())
			return p->due;
		if (write(w->out, p->data, p->len) < 0 && errno == EAGAIN)
			return p->due + 100000;
		w->first = (w->first + 1) % RING;
		w->count--;
	}
	return UINT64_MAX;
}

int main(int argc, char **argv)
{
	uint64_t mbit, delay, loss, queue = 1 << 18;
	struct pollfd p[2];

	if (argc < 6)
		return 2;
	mbit = strtoull(argv[3], NULL, 10);
	delay = strtoull(argv[4], NULL, 10);
	loss = strtoull(argv[5], NULL, 10);
	if (argc > 6)
		queue = strtoull(argv[6], NULL, 10);
	if (argc > 7)
		twice = strtoull(argv[7], NULL, 10);
	if (argc > 8)
		late = strtoull(argv[8], NULL, 10);
	if (argc > 9)
		seed = strtoull(argv[9], NULL, 10);
	signal(SIGUSR1, on_signal);
	signal(SIGTERM, on_signal);
	prctl(PR_SET_TIMERSLACK, 1L);
	ways[0].in = ways[1].out = make_tun(argv[1]);
	ways[1].in = ways[0].out = make_tun(argv[2]);
	restart();
	for (unsigned i = 0; i < 2; i++)
		p[i] = (struct pollfd){ways[i].in, POLLIN, 0};
	puts("ready");
	fflush(stdout);
	while (!done) {
		uint64_t a = give(&ways[0]), b = give(&ways[1]);
		uint64_t due = a < b ? a : b, at = now();
		struct timespec t = {1, 0};

		if (again)
			restart();
		if (due < at)
			due = at;
		if (due - at < 1000000000)
			t = (struct timespec){0, (long)(due - at)};
		if (ppoll(p, 2, &t, NULL) > 0)
			for (unsigned i = 0; i < 2; i++)
				if (p[i].revents)
					take(
					    &ways[i], mbit, delay, loss, queue);
	}
	for (unsigned i = 0; i < 2; i++)
		printf("%u passed, %u lost, %u for want of room\n",
		    ways[i].passed, ways[i].lost, ways[i].full);
	return 0;
}
