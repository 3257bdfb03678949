/* SPDX-License-Identifier: 0BSD */
/* fetch and send: files over what recovery uses, without looking into them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fmt.h"
#include "cli/cli.h"
#include "worker/device.h"

/* Opens the folder that path lies in; *name is what stands behind it. */
static int open_folder(
    const char *path, const char **name, int *fd, struct diag *d)
{
	const char *slash = strrchr(path, '/');
	char folder[CONF_TEXT] = ".";

	*name = slash ? slash + 1 : path;
	if ((*name)[0] == '\0')
		return diag_fail(d, R_USAGE, "%s: expected a file", path);
	if (slash && !slice_copy(folder, sizeof folder,
	                 (struct slice){path, (size_t)(slash - path) + 1}))
		return diag_fail(d, R_LIMIT, "the path is too long");
	*fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? errno_fail(d, R_SYSTEM, folder) : 0;
}

int cli_fetch(const struct cli *o, struct diag *d)
{
	struct job_setup s = {.verb = JOB_FETCH, .bundle = o->arg[0]};
	struct job_result result = {0};
	char line[96];
	int r = open_folder(o->arg[1], &s.to, &s.extract_dir, d);

	if (r != 0)
		return r;
	if (syscall(SYS_faccessat, s.extract_dir, s.to, F_OK) == 0) {
		errno = EEXIST;
		r = errno_fail(d, R_SYSTEM, o->arg[1]);
	} else {
		r = cli_run(&s, &result, d);
		/* not what somebody else made meanwhile */
		if (r != 0 && result.made)
			(void)syscall(SYS_unlinkat, s.extract_dir, s.to, 0);
	}
	(void)close(s.extract_dir);
	if (r != 0)
		return r;
	fmt(line, sizeof line, "received %llu bytes in %llu.%03llu s\n",
	    (unsigned long long)result.bytes,
	    (unsigned long long)(result.ms / 1000),
	    (unsigned long long)(result.ms % 1000));
	cli_write(STDOUT_FILENO, line, strlen(line));
	return 0;
}

int cli_send(const struct cli *o, struct diag *d)
{
	struct job_setup s = {.verb = JOB_SEND,
	    .bundle = o->arg[0],
	    .to = o->arg[1],
	    .extract_dir = -1};
	struct job_result result;

	return cli_run(&s, &result, d);
}
