/* SPDX-License-Identifier: 0BSD */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/init.h"

#define ORDER "/lib/modules/order"
#define ORDER_MAX 8192

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *skip_blanks(char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

bool module_next(char **text, struct module *m)
{
	while (**text != '\0') {
		char *p = skip_blanks(*text), *end = p;

		while (*end != '\0' && *end != '\n')
			end++;
		*text = end + (*end != '\0');
		*end = '\0';
		while (end > p && is_blank(end[-1]))
			*--end = '\0';
		if (*p == '\0' || *p == '#')
			continue;
		m->path = p;
		while (*p != '\0' && !is_blank(*p))
			p++;
		m->params = skip_blanks(p);
		*p = '\0';
		return true;
	}
	return false;
}

static void load(const struct module *m)
{
	int fd = open(m->path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || syscall(SYS_finit_module, fd, m->params, 0) < 0)
		err = errno;
	/* not in this image, no such device here, built in or loaded */
	if (err != 0 && err != ENOENT && err != ENODEV && err != EEXIST)
		log_warn("module %s: not loaded (errno %d)", m->path, err);
	if (fd >= 0)
		(void)close(fd);
}

static void load_all(char *text)
{
	struct module m;

	if (chdir("/lib/modules") < 0)
		return;
	while (module_next(&text, &m))
		load(&m);
}

pid_t modules_start(void)
{
	static char text[ORDER_MAX];
	int len = early_read(ORDER, text, sizeof text);
	pid_t pid;

	if (len == R_NOT_FOUND)
		return 0;
	if (len < 0)
		log_warn(
		    "%s: cannot be read whole [%s]", ORDER, reason_name(len));
	pid = fork();
	if (pid < 0)
		return R_SYSTEM;
	if (pid == 0) {
		console_forget();
		load_all(text);
		console_drain(500);
		_exit(0);
	}
	return pid;
}
