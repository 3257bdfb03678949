/* SPDX-License-Identifier: 0BSD */
/* How it ends: what was said goes to a TFTP server, where one is to have it,
 * and the machine goes down. */
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fmt.h"
#include "init/init.h"
#include "init/network.h"
#include "options.h"
#include "worker/job.h"

#define REPORT_BYTES 16384u
#define REPORT_MS 60000 /* in all, from the network up */
#define LOOK_MS 100     /* at the network meanwhile */

static struct {
	size_t len;
	char text[REPORT_BYTES];
	char path[32]; /* of the file in memory, for the worker */
	char to[192];
} report;

static struct {
	const struct settings *settings;
	const char *why; /* NULL: the machine stays */
	bool poweroff;
	bool sending;
	uint64_t until; /* the report is given up */
} departure;

void report_line(const char *line)
{
	static const char gap[] = "...\n";
	size_t n = strlen(line) + 1;

	if (n > REPORT_BYTES - report.len) {
		/* how it began matters, and how it ended */
		const size_t quarter = REPORT_BYTES / 4;
		char *cut = memchr(
		    report.text + 2 * quarter, '\n', report.len - 2 * quarter);
		size_t from =
		    cut ? (size_t)(cut + 1 - report.text) : report.len;
		size_t to = quarter;

		while (to > 0 && report.text[to - 1] != '\n')
			to--;
		memcpy(report.text + to, gap, sizeof gap - 1);
		to += sizeof gap - 1;
		memmove(
		    report.text + to, report.text + from, report.len - from);
		report.len = to + report.len - from;
	}
	if (n > REPORT_BYTES - report.len)
		return;
	memcpy(report.text + report.len, line, n - 1);
	report.text[report.len + n - 1] = '\n';
	report.len += n;
}

/* The interface's address without colons, which no other device has. */
static void read_serial(const char *interface, char *dst, size_t cap)
{
	char path[64], text[32];
	size_t n = 0;

	fmt(path, sizeof path, "/sys/class/net/%s/address", interface);
	(void)!early_read(path, text, sizeof text);
	for (const char *s = text; *s != '\0' && n + 1 < cap; s++)
		if (hex_digit(*s) >= 0)
			dst[n++] = *s;
	dst[n] = '\0';
}

/* A file in memory with what was kept, and where it goes. */
static int prepare(struct job_setup *s)
{
	const struct network_state *n = network_state();
	const char *name = departure.settings->report;
	const char *mark = strstr(name, "%s");
	char serial[24] = "";
	int fd = (int)syscall(SYS_memfd_create, "report", MFD_CLOEXEC);

	if (fd < 0 || write(fd, report.text, report.len) != (ssize_t)report.len)
		return R_SYSTEM;
	if (mark)
		read_serial(n->interface, serial, sizeof serial);
	fmt(report.path, sizeof report.path, "/proc/self/fd/%d", fd);
	fmt(report.to, sizeof report.to, "tftp://%u.%u.%u.%u:%u/%.*s%s%s",
	    n->server[0], n->server[1], n->server[2], n->server[3], n->port,
	    mark ? (int)(mark - name) : (int)strlen(name), name, serial,
	    mark ? mark + 2 : "");
	s->bundle = report.path;
	s->to = report.to;
	return 0;
}

static void end_report(int reason, const char *seen)
{
	if (reason != 0)
		log_warn("the report was not sent: %s [%s]", seen,
		    reason_name(reason));
	else
		log_info("the report is sent: %s", report.to);
	departure.until = 0;
}

static void on_log(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	log_line(level, "%s", line);
}

static void send_report(void)
{
	static struct job_setup setup;
	struct diag d = {0};
	int r;

	setup = (struct job_setup){.verb = JOB_SEND,
	    .settings = departure.settings,
	    .extract_dir = -1,
	    .log = on_log};
	r = prepare(&setup);
	if (r == 0)
		r = job_start(&setup, &d);
	departure.sending = r == 0;
	if (r != 0)
		end_report(r, d.seen);
}

void departure_begin(
    const struct settings *s, bool poweroff, const char *why, uint64_t now_ms)
{
	departure.settings = s;
	departure.why = why;
	departure.poweroff = poweroff;
	departure.sending = false;
	departure.until = 0;
	if (OPT_TFTP && s->report[0] != '\0' && net_conf_wanted(&s->net))
		departure.until = now_ms + REPORT_MS;
}

static void step_network(uint64_t now)
{
	const struct network_state *n = network_state();

	switch (n->phase) {
	case NETWORK_IDLE:
		network_begin(&departure.settings->net, now);
		break;
	case NETWORK_LINK:
	case NETWORK_LEASE:
		break;
	case NETWORK_FAILED:
		end_report(n->failed.reason, n->failed.seen);
		break;
	case NETWORK_UP:
		send_report();
		break;
	}
}

bool departure_step(uint64_t now_ms)
{
	static struct job_result r;

	if (!departure.why)
		return false;
	if (departure.sending && job_step(NULL, 0, now_ms, &r) == 0) {
		departure.sending = false;
		end_report(r.reason, r.seen);
	}
	if (now_ms >= departure.until)
		leave(departure.poweroff, departure.why);
	if (OPT_TFTP && !departure.sending)
		step_network(now_ms);
	return true;
}

int departure_timeout_ms(uint64_t now_ms)
{
	if (!departure.why)
		return -1;
	return now_ms < departure.until ? LOOK_MS : 0;
}
