/* SPDX-License-Identifier: 0BSD */
/* What was said reaches a TFTP server before the machine goes down, or it goes
 * down all the same. */
#include "init/report.c"

#include <setjmp.h>

#include "check.h"

static jmp_buf left_by;
static const char *left_why;
static struct network_state net;
static unsigned begun;
static struct settings settings;
static struct {
	int fails, ends; /* reasons of its start and its end; 1: never ends */
	unsigned started;
	char to[192], text[REPORT_BYTES + 1];
} job;

void leave(bool poweroff, const char *why)
{
	CHECK(!poweroff);
	left_why = why;
	longjmp(left_by, 1);
}

const struct network_state *network_state(void)
{
	return &net;
}

void network_begin(const struct net_conf *n, uint64_t now_ms)
{
	CHECK(n == &settings.net && now_ms > 0);
	begun++;
	net.phase = NETWORK_LINK;
}

int early_read(const char *path, char *dst, size_t cap)
{
	CHECK_STR(path, "/sys/class/net/eth0/address");
	return (int)fmt(dst, cap, "52:54:00:12:34:56\n");
}

int job_start(const struct job_setup *s, struct diag *d)
{
	int fd = open(s->bundle, O_RDONLY);
	ssize_t n = read(fd, job.text, sizeof job.text - 1);

	(void)close(fd);
	CHECK(n > 0);
	job.text[n > 0 ? n : 0] = '\0';
	CHECK_INT(s->verb, JOB_SEND);
	fmt(job.to, sizeof job.to, "%s", s->to);
	job.started++;
	return job.fails != 0 ? diag_fail(d, job.fails, "no start") : 0;
}

int job_step(const struct pollfd *p, unsigned count, uint64_t now_ms,
    struct job_result *r)
{
	CHECK(!p && count == 0 && now_ms > 0);
	if (job.ends > 0)
		return 1;
	r->reason = job.ends;
	fmt(r->seen, sizeof r->seen, "the end");
	return 0;
}

static char all[4096];

static void sink(void *ctx, enum log_level level, const char *line)
{
	size_t n = strlen(all);

	(void)ctx;
	(void)level;
	fmt(all + n, sizeof all - n, "%s\n", line);
}

/* Until it leaves: after how many seconds. */
static unsigned live(const char *name)
{
	static uint64_t now, start;

	memset(&departure, 0, sizeof departure);
	fmt(settings.report, sizeof settings.report, "%s", name);
	settings.net.tftp = true;
	all[0] = '\0';
	begun = 0;
	job.started = 0;
	log_to(sink, NULL, LOG_INFO);
	now = start = 5000;
	CHECK(!departure_step(now));
	CHECK_INT(departure_timeout_ms(now), -1);
	left_why = NULL;
	departure_begin(&settings, false, "done", now);
	if (setjmp(left_by) == 0)
		for (;;) {
			int ms = departure_timeout_ms(now);

			CHECK(departure_step(now));
			now += (uint64_t)ms;
			if (net.phase == NETWORK_LINK && now - start > 2000)
				net.phase = net.failed.reason != 0
				                ? NETWORK_FAILED
				                : NETWORK_UP;
			if (now - start > 100000)
				break;
		}
	CHECK_STR(left_why ? left_why : "", "done");
	return (unsigned)((now - start) / 1000);
}

static void test_kept(void)
{
	static char line[REPORT_BYTES - REPORT_BYTES / 4];

	memset(&report, 0, sizeof report);
	report_line("first");
	report_line("second");
	CHECK_INT(report.len, 13);
	CHECK_MEM(report.text, "first\nsecond\n", 13);
	for (unsigned i = 0; i < 5000; i++) {
		fmt(line, 200, "line %u %0100u", i, i);
		report_line(line);
		CHECK(report.len <= REPORT_BYTES);
	}
	/* what does not fit even then */
	memset(line, 'x', sizeof line - 1);
	report_line(line);
	CHECK(report.len < REPORT_BYTES);
	CHECK(!memchr(report.text, 'x', report.len));
	report.text[report.len - 1] = '\0';
	CHECK(strncmp(report.text, "first\nsecond\nline 0 0", 21) == 0);
	CHECK(strstr(report.text, "\n...\nline 4") != NULL);
	CHECK(strstr(report.text, "line 4999 ") != NULL);
	/* whole lines */
	for (char *s = strchr(report.text, '\n'); s; s = strchr(s + 1, '\n'))
		CHECK(strncmp(s + 1, "line ", 5) == 0 ||
		      strncmp(s + 1, "...\n", 4) == 0 ||
		      strncmp(s + 1, "second", 6) == 0);
}

static void test_departure(void)
{
	memset(&report, 0, sizeof report);
	report_line("installed 2.0");
	net.server[0] = 10;
	net.server[3] = 2;
	net.port = 69;
	fmt(net.interface, sizeof net.interface, "eth0");

	net.phase = NETWORK_IDLE;
	CHECK_INT(live(""), 0);
	CHECK_INT(begun + job.started, 0);
	settings.net.how = NET_OFF;
	CHECK_INT(live("log.txt"), 0);
	CHECK_INT(begun + job.started, 0);
	settings.net.how = NET_UNSAID;

	CHECK_INT(live("log-%s.txt"), 2);
	CHECK_INT(begun, 1);
	CHECK_INT(job.started, 1);
	CHECK_STR(job.to, "tftp://10.0.0.2:69/log-525400123456.txt");
	CHECK_STR(job.text, "installed 2.0\n");
	CHECK(strstr(all, "the report is sent: tftp://10.0.0.2:69/log-"));

	/* up already */
	CHECK_INT(live("log.txt"), 0);
	CHECK_INT(begun, 0);
	CHECK_STR(job.to, "tftp://10.0.0.2:69/log.txt");

	job.ends = R_TFTP_ACCESS;
	CHECK_INT(live("log.txt"), 0);
	CHECK(strstr(all, "was not sent: the end [tftp-access-denied]"));
	job.ends = 1;
	CHECK_INT(live("log.txt"), REPORT_MS / 1000);
	job.fails = R_SYSTEM;
	CHECK_INT(live("log.txt"), 0);
	CHECK(strstr(all, "was not sent: no start [system]"));
	net.phase = NETWORK_IDLE;
	(void)diag_fail(&net.failed, R_NET_LINK, "eth0: no cable");
	CHECK_INT(live("log.txt"), 2);
	CHECK(strstr(all, "was not sent: eth0: no cable [no-link]"));
}

int main(void)
{
	test_kept();
	test_departure();
	return check_done("report");
}
