/* SPDX-License-Identifier: 0BSD */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/embedded.h"
#include "base/fmt.h"
#include "init/init.h"
#include "options.h"

#define RING 8192 /* what may wait for a slow serial line, bytes */
#define NAME 24
#define PREFIX "lifeboat: "

struct console {
	int out, in;   /* -1: closed */
	bool screen;   /* a virtual terminal: one line can be redrawn */
	bool progress; /* that line stands there now */
	bool lent;     /* what is said waits until it is back */
	unsigned seen; /* of zmodem[], in a row */
	unsigned lost; /* lines that found no room */
	size_t head, len;
	char ring[RING];
	char name[NAME];
};

static struct console consoles[CONSOLES];
static unsigned console_count;

#define CONSOLE_END (consoles + console_count)

static bool is_space(char c)
{
	return c == ' ' || c == '\n';
}

bool console_name_next(const char **active, char *dst, size_t cap)
{
	const char *p = *active;
	size_t len;

	for (;; p += len) {
		while (is_space(*p))
			p++;
		for (len = 0; p[len] != '\0' && !is_space(p[len]);)
			len++;
		*active = p + len;
		if (len == 0)
			return false;
		if (!memchr(p, '/', len) &&
		    slice_copy(dst, cap, (struct slice){p, len}))
			return true;
	}
}

/* "tty" and a number is a screen; ttyS0, ttyAMA0, hvc0 are lines. */
static bool is_screen(const char *name)
{
	return strncmp(name, "tty", 3) == 0 && name[3] >= '0' && name[3] <= '9';
}

/* Keys one by one and not echoed; output never stopped by what arrives (a
 * floating receive line may look like XOFF). */
static void set_up_tty(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return;
	t.c_lflag = 0;
	t.c_iflag = ICRNL;
	t.c_oflag = OPOST | ONLCR;
	t.c_cflag |= CLOCAL | CREAD;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	(void)tcsetattr(fd, TCSANOW, &t);
}

static void put(struct console *c, const char *text)
{
	for (; *text != '\0'; text++)
		c->ring[(c->head + c->len++) % RING] = *text;
}

/* All of prefix, line, end or nothing. */
static bool put_line(
    struct console *c, const char *prefix, const char *line, const char *end)
{
	if (strlen(prefix) + strlen(line) + strlen(end) > RING - c->len)
		return false;
	put(c, prefix);
	put(c, line);
	put(c, end);
	return true;
}

static void add(int out, int in, const char *name)
{
	struct console *c = &consoles[console_count++];

	memset(c, 0, sizeof *c);
	c->out = out;
	c->in = in;
	fmt(c->name, sizeof c->name, "%s", name);
	c->screen = is_screen(name);
	set_up_tty(out);
	/* each says it, whenever it comes */
	if (keyring_is_development)
		(void)put_line(c, PREFIX, DEVELOPMENT_WARNING, "\n");
}

static void open_named(const char *name)
{
	char path[NAME + 8];
	int fd;

	for (struct console *c = consoles; c < CONSOLE_END; c++)
		if (strcmp(c->name, name) == 0)
			return;
	if (console_count == CONSOLES)
		return;
	fmt(path, sizeof path, "/dev/%s", name);
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		add(fd, fd, name);
}

/* Without any console the kernel lists, whatever process 1 was given. */
static void open_inherited(void)
{
	for (int fd = 0; fd < 2; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags >= 0)
			(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	}
	add(STDOUT_FILENO, STDIN_FILENO, "console");
}

void console_open(void)
{
	char active[256];
	char name[NAME];
	const char *p = active;

	(void)!early_read(
	    "/sys/class/tty/console/active", active, sizeof active);
	while (console_name_next(&p, name, sizeof name))
		open_named(name);
	if (console_count == 0)
		open_named("console");
	if (console_count == 0)
		open_inherited();
}

static bool may_come_later(int err)
{
	return err == EAGAIN || err == EINTR;
}

static void flush(struct console *c)
{
	while (c->out >= 0 && c->len > 0 && !c->lent) {
		size_t run = MIN(c->len, RING - c->head);
		ssize_t n = write(c->out, c->ring + c->head, run);

		if (n < 0 && !may_come_later(errno)) {
			/* unplugged; 0 to 2 stay open for those who expect
			 * them */
			if (c->out > 2)
				(void)close(c->out);
			if (c->in == c->out)
				c->in = -1;
			c->out = -1;
		}
		if (n <= 0)
			return;
		c->head = (c->head + (size_t)n) % RING;
		c->len -= (size_t)n;
	}
}

static void say(const char *prefix, const char *line)
{
	for (struct console *c = consoles; c < CONSOLE_END; c++) {
		char note[64];

		if (c->out < 0)
			continue;
		if (c->progress) {
			(void)put_line(c, "\r", "\033[K", "");
			c->progress = false;
		}
		if (c->lost > 0) {
			fmt(note, sizeof note, "%u lines did not fit here",
			    c->lost);
			if (put_line(c, PREFIX, note, "\n"))
				c->lost = 0;
		}
		if (c->lost > 0 || !put_line(c, prefix, line, "\n"))
			c->lost++;
		flush(c);
	}
}

void console_sink(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	if (OPT_TFTP)
		report_line(line);
	say(PREFIX, line);
}

void console_say(const char *line)
{
	say("", line);
}

void console_progress(const char *text, bool line)
{
	for (struct console *c = consoles; c < CONSOLE_END; c++) {
		if (c->out < 0 || c->lent)
			continue;
		if (c->screen && c->len == 0)
			c->progress = put_line(c, "\r", text, "\033[K");
		else if (!c->screen && line && !put_line(c, PREFIX, text, "\n"))
			c->lost++;
		flush(c);
	}
}

unsigned console_poll_fds(struct pollfd *p)
{
	unsigned n = 0;

	for (struct console *c = consoles; c < CONSOLE_END; c++) {
		/* a negative descriptor is passed over: without it, a
		 * console that hung up would wake us for ever */
		p[n++] = (struct pollfd){
		    .fd = c->lent ? -1 : c->in, .events = POLLIN};
		p[n++] =
		    (struct pollfd){.fd = c->len > 0 && !c->lent ? c->out : -1,
		        .events = POLLOUT};
	}
	return n;
}

/* How a ZMODEM sender begins, whoever listens. */
static const unsigned char zmodem[] = "**\030B00";

static int read_key(struct console *c)
{
	unsigned char key;
	ssize_t n = read(c->in, &key, 1);

	if (n == 1 && !OPT_SERIAL)
		return key;
	if (n == 1) {
		c->seen = key == zmodem[c->seen]            ? c->seen + 1
		          : key == zmodem[0] && c->seen > 0 ? MIN(c->seen, 2u)
		                                            : 0;
		if (zmodem[c->seen] != '\0')
			return key;
		c->seen = 0;
		return CONSOLE_ZMODEM;
	}
	if (n == 0 || !may_come_later(errno))
		c->in = -1;
	return 0;
}

bool console_is(const char *origin)
{
	static const char before[] = "serial:/dev/";
	const size_t n = sizeof before - 1;

	if (strncmp(origin, before, n) != 0)
		return false;
	for (struct console *c = consoles; c < CONSOLE_END; c++) {
		size_t len = strlen(c->name);

		if (strncmp(origin + n, c->name, len) == 0 &&
		    (origin[n + len] == '\0' || origin[n + len] == ','))
			return true;
	}
	return false;
}

static struct console *lent;
static int lent_fd;

int console_lend(unsigned which, char *name, size_t cap)
{
	struct console *c = &consoles[which];

	if (lent || c->screen || c->in < 0)
		return R_LINE_CONFIG;
	lent_fd = fcntl(c->in, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (lent_fd < 0)
		return R_SYSTEM;
	lent = c;
	c->lent = true;
	fmt(name, cap, "%s", c->name);
	return lent_fd;
}

void console_take_back(void)
{
	if (!lent)
		return;
	(void)close(lent_fd);
	lent->lent = false;
	set_up_tty(lent->in);
	flush(lent);
	lent = NULL;
}

int console_handle(const struct pollfd *p, unsigned count, unsigned *which)
{
	const struct pollfd *end = p + count;
	int key = 0;

	for (struct console *c = consoles; c < CONSOLE_END; c++) {
		if (p == end)
			break;
		if (p++->revents != 0 && c->in >= 0 && key == 0) {
			key = read_key(c);
			*which = (unsigned)(c - consoles);
		}
		if (p++->revents != 0)
			flush(c);
	}
	return key;
}

/* The ring, and what the driver still holds: the UART's own time. */
static bool is_pending(struct console *c)
{
	int held = 0;

	flush(c);
	if (c->out < 0)
		return false;
	return c->len > 0 || (ioctl(c->out, TIOCOUTQ, &held) == 0 && held > 0);
}

void console_drain(unsigned ms)
{
	bool pending = true;

	for (; pending && ms > 0; ms--) {
		pending = false;
		for (struct console *c = consoles; c < CONSOLE_END; c++)
			pending |= is_pending(c);
		if (pending)
			(void)poll(NULL, 0, 1);
	}
}

void console_forget(void)
{
	for (struct console *c = consoles; c < CONSOLE_END; c++)
		c->len = 0;
}

size_t progress_format(char *dst, size_t cap, enum install_phase phase,
    uint64_t done, uint64_t total, uint64_t rate)
{
	static const char *const names[] = {
	    [PHASE_VERIFY] = "verifying the bundle",
	    [PHASE_COMPARE] = "comparing with the slots",
	    [PHASE_CHECK] = "checking the images",
	    [PHASE_WRITE] = "writing",
	    [PHASE_READ_BACK] = "reading back",
	    [PHASE_RECEIVE] = "receiving",
	};
	bool known = phase != PHASE_RECEIVE || total != UINT64_MAX;
	unsigned long long now, all, speed, left, percent = 100;
	size_t n;

	if (done < total)
		percent = done / (total / 100 + 1);
	else
		done = total;
	now = done / 100000;
	all = total / 100000;
	n = fmt(dst, cap, "%s %llu.%llu", names[phase], now / 10, now % 10);
	if (!known)
		n += fmt(dst + n, cap - n, " MB");
	else
		n += fmt(dst + n, cap - n, " of %llu.%llu MB, %llu %%",
		    all / 10, all % 10, percent);
	if (rate == 0)
		return n;
	speed = rate / 100000;
	n += fmt(dst + n, cap - n, ", %llu.%llu MB/s", speed / 10, speed % 10);
	if (!known)
		return n;
	left = (total - done + rate - 1) / rate;
	return left == 0 ? n : n + fmt(dst + n, cap - n, ", %llu s left", left);
}
