/* SPDX-License-Identifier: 0BSD */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/embedded.h"
#include "base/fmt.h"
#include "base/log.h"
#include "options.h"
#include "worker/device.h"

FAR(struct cli_files, files);

/* State of the progress line on standard error. */
static struct {
	bool tty;
	bool open; /* a line without its end is on the terminal */
	enum install_phase phase;
	unsigned percent;
	char targets[128];
	char version[MANIFEST_TEXT];
	int lost; /* errno of what did not get to standard output */
} ui;

/* ---- output */

void cli_write(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		/* a reader that goes away has seen enough */
		if (n < 0 && fd == STDOUT_FILENO && errno != EPIPE)
			ui.lost = errno;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static void say(int fd, const char *text)
{
	cli_write(fd, text, strlen(text));
}

static void end_line(void)
{
	if (ui.open)
		say(STDERR_FILENO, "\n");
	ui.open = false;
}

static void to_stderr(void *ctx, enum log_level level, const char *line)
{
	static const char *const prefix[] = {
	    "lifeboat: ", "lifeboat: warning: ", "", "debug: "};

	(void)ctx;
	end_line();
	say(STDERR_FILENO, prefix[level]);
	say(STDERR_FILENO, line);
	say(STDERR_FILENO, "\n");
}

static void on_log(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	log_line(level, "%s", line);
}

static void on_output(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	cli_write(STDOUT_FILENO, text, len);
}

static void on_progress(
    void *ctx, enum install_phase phase, uint64_t done, uint64_t total)
{
	static const char *const words[] = {"verifying the bundle",
	    "comparing with the slots", "checking the images", "writing",
	    "reading back", "receiving"};
	bool known = total != UINT64_MAX;
	unsigned percent =
	    done == total ? 100 : (unsigned)(done / (total / 100 + 1));
	char line[64];

	(void)ctx;
	/* where nobody said how much there is, each million is a step */
	if (!known)
		percent = 101 + (unsigned)(done / 1000000);
	/* in a file only the ends of the phases are worth a line */
	if ((phase == ui.phase && percent == ui.percent) ||
	    (!ui.tty && percent != 100))
		return;
	if (phase != ui.phase)
		end_line();
	ui.phase = phase;
	ui.percent = percent;
	fmt(line, sizeof line, "%s%s: %u %s%s", ui.tty ? "\r" : "",
	    words[phase], known ? percent : percent - 101, known ? "%" : "MB",
	    ui.tty ? "" : "\n");
	say(STDERR_FILENO, line);
	ui.open = ui.tty;
}

static enum policy_action on_facts(void *ctx, const struct job_facts *f)
{
	(void)ctx;
	fmt(ui.targets, sizeof ui.targets, "%s", f->targets);
	fmt(ui.version, sizeof ui.version, "%s", f->version);
	log_info("installing %s%sto %s", f->version, f->version[0] ? " " : "",
	    f->targets);
	return POLICY_INSTALL;
}

/* ---- running a job */

static uint64_t now_ms(clockid_t clock)
{
	struct timespec t = {0};

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int cli_run(struct job_setup *s, struct job_result *r, struct diag *d)
{
	struct pollfd p[JOB_FDS];
	int e;

	s->settings = &files->settings;
	s->keyring = &files->keyring;
	s->recipient = &files->recipient;
	s->conf = files->have_conf ? &files->conf : NULL;
	s->fw_env = files->have_fw_env ? &files->fw_env : NULL;
	s->initial_env = files->have_initial_env ? files->initial_env : NULL;
	s->booted = files->booted;
	s->booted_known = files->booted_known;
	s->now = (int64_t)(now_ms(CLOCK_REALTIME) / 1000);
	/* A system that runs is believed its clock, as RAUC believes it. */
	s->floor = files->settings.time != 0 ? build_epoch : 0;
	s->log = on_log;
	s->progress = on_progress;
	s->output = on_output;
	e = job_start(s, d);
	if (e != 0)
		return e;
	for (;;) {
		unsigned n = job_poll_fds(p);
		uint64_t now = now_ms(CLOCK_BOOTTIME);

		if (poll(p, n, job_timeout_ms(now)) < 0)
			n = 0;
		if (job_step(p, n, now_ms(CLOCK_BOOTTIME), r) == 0)
			break;
	}
	end_line();
	if (r->reason == 0 && ui.lost != 0) {
		errno = ui.lost;
		return errno_fail(
		    d, errno == ENOSPC ? R_FULL : R_IO, "standard output");
	}
	return r->reason == 0 ? 0 : diag_fail(d, r->reason, "%s", r->seen);
}

static void warn_keyring(bool used)
{
	if (used)
		log_warn(DEVELOPMENT_WARNING);
}

/* ---- the verbs */

static int need_args(
    const struct cli *o, unsigned count, const char *what, struct diag *d)
{
	if (o->args == count)
		return 0;
	return diag_fail(d, R_USAGE,
	    o->args < count ? "missing: %s" : "expected only: %s", what);
}

/* The last that is read: its text lies where all others did. */
static void load_status(struct job_setup *s)
{
	struct diag why = {0};

	if (cli_load_status(files, &s->status, &why) != 0)
		log_warn(
		    "status file: %s [%s]", why.seen, reason_name(why.reason));
}

static int do_bundle(const struct cli *o, struct job_setup *s, struct diag *d)
{
	bool install = s->verb == JOB_INSTALL;
	struct job_result result;
	char line[320];
	int r = cli_load_conf(files, o, install, d);

	if (r == 0)
		r = cli_load_keyring(files, o, d);
	if (r != 0)
		return r;
	warn_keyring(files->development);
	if (OPT_CRYPT)
		cli_load_recipient(files);
	s->bundle = o->arg[0];
	s->format = o->format;
	if (install) {
		cli_find_booted(files, o);
		if (!files->booted_known)
			return diag_fail(d, R_NO_TARGET,
			    "it is not known which slot is booted");
		s->decide = on_facts;
	}
	if (!files->development)
		settings_release(&files->settings);
	if (OPT_STATUS && !install && files->settings.status_floor &&
	    files->have_conf)
		load_status(s);
	r = cli_run(s, &result, d);
	if (r != 0 || !install)
		return r;
	fmt(line, sizeof line, "installed %s%sto %s in %llu.%llu s\n",
	    ui.version, ui.version[0] ? " " : "", ui.targets,
	    (unsigned long long)(result.ms / 1000),
	    (unsigned long long)(result.ms % 1000 / 100));
	say(STDOUT_FILENO, line);
	return 0;
}

static int do_info(const struct cli *o, struct diag *d)
{
	struct job_setup s = {.verb = JOB_INFO, .extract_dir = -1};
	int r = need_args(o, 1, "the name of a bundle", d);

	return r == 0 ? do_bundle(o, &s, d) : r;
}

static int do_install(const struct cli *o, struct diag *d)
{
	struct job_setup s = {.verb = JOB_INSTALL,
	    .extract_dir = -1,
	    .give_up_good = o->last_good};
	int r = need_args(o, 1, "the name of a bundle", d);

	return r == 0 ? do_bundle(o, &s, d) : r;
}

static int do_transfer(const struct cli *o, struct diag *d)
{
	int r = need_args(o, 2,
	    o->verb == CLI_FETCH ? "an address and a file"
	                         : "a file and an address",
	    d);

	if (r != 0)
		return r;
	settings_default(&files->settings);
	return o->verb == CLI_FETCH ? cli_fetch(o, d) : cli_send(o, d);
}

static int do_stream(const struct cli *o, struct diag *d)
{
	int r = need_args(o, 2, "a file to read and one to write", d);

	return r == 0 ? cli_stream(o, d) : r;
}

static int do_extract(const struct cli *o, struct diag *d)
{
	struct job_setup s = {.verb = JOB_EXTRACT};
	int r = need_args(o, 2, "a bundle and a folder", d);

	if (r != 0)
		return r;
	if (mkdir(o->arg[1], 0777) != 0 && errno != EEXIST)
		return errno_fail(d, R_SYSTEM, o->arg[1]);
	s.extract_dir = open(o->arg[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.extract_dir < 0)
		return errno_fail(d, R_SYSTEM, o->arg[1]);
	r = do_bundle(o, &s, d);
	(void)close(s.extract_dir);
	return r;
}

/* The slot with a bootname that "booted", "other" or a name means. */
static int find_mark_slot(
    const char *word, const struct slot **out, struct diag *d)
{
	const struct conf *c = &files->conf;
	bool other = strcmp(word, "other") == 0;
	bool booted = strcmp(word, "booted") == 0;

	if ((booted || other) && files->booted[0] == '\0')
		return diag_fail(
		    d, R_NO_TARGET, "it is not known which slot is booted");
	for (unsigned i = 0; i < c->slots; i++) {
		const struct slot *s = &c->slot[i];
		bool is = strcmp(s->name, files->booted) == 0 ||
		          strcmp(s->bootname, files->booted) == 0;

		if (s->bootname[0] == '\0')
			continue;
		if (booted ? is : other ? !is : strcmp(s->name, word) == 0) {
			*out = s;
			return 0;
		}
	}
	return diag_fail(
	    d, R_BOOT_NAME, "%s: no such slot with a bootname", word);
}

static int do_mark(const struct cli *o, struct diag *d)
{
	static const struct {
		const char *word;
		enum job_mark mark;
	} marks[] = {
	    {"good", JOB_MARK_GOOD},
	    {"bad", JOB_MARK_BAD},
	    {"active", JOB_MARK_ACTIVE},
	};
	struct job_setup s = {.verb = JOB_MARK, .extract_dir = -1};
	const struct slot *slot = NULL;
	struct job_result result;
	char line[128];

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		int r;

		if (strncmp(o->arg[0], "mark-", 5) != 0 ||
		    strcmp(o->arg[0] + 5, marks[i].word) != 0)
			continue;
		r = find_mark_slot(
		    o->args > 1 ? o->arg[1] : "booted", &slot, d);
		if (r != 0)
			return r;
		s.mark = marks[i].mark;
		s.mark_slot = slot->name;
		r = cli_run(&s, &result, d);
		if (r != 0)
			return r;
		fmt(line, sizeof line, "marked slot %s as %s\n", slot->name,
		    marks[i].word);
		say(STDOUT_FILENO, line);
		return 0;
	}
	return diag_fail(d, R_USAGE, "invalid command 'status %s'", o->arg[0]);
}

static int do_status(const struct cli *o, struct diag *d)
{
	struct job_setup s = {.verb = JOB_STATE, .extract_dir = -1};
	struct job_result result;
	int r;

	if (o->args > 2)
		return need_args(o, 2, "a mark and a slot", d);
	r = cli_load_conf(files, o, true, d);
	if (r != 0)
		return r;
	cli_find_booted(files, o);
	if (o->args > 0)
		return do_mark(o, d);
	warn_keyring(keyring_is_development && cli_keyring_built_in(files));
	s.format = o->format;
	if (OPT_STATUS && o->detailed)
		load_status(&s);
	return cli_run(&s, &result, d);
}

static void show_version(void)
{
	char line[400];

	fmt(line, sizeof line, "lifeboat %s\n%s\nkeyring: %s\n",
	    lifeboat_version, lifeboat_built_with,
	    keyring_is_development ? "DEVELOPMENT" : "as built");
	say(STDOUT_FILENO, line);
}

static int run_verb(const struct cli *o, struct diag *d)
{
	switch (o->verb) {
	case CLI_INFO:
		return do_info(o, d);
	case CLI_INSTALL:
		return do_install(o, d);
	case CLI_STATUS:
		return do_status(o, d);
	case CLI_EXTRACT:
		return do_extract(o, d);
	case CLI_FETCH:
	case CLI_SEND:
		if (OPT_FEED)
			return do_transfer(o, d);
		break;
	case CLI_STREAM:
		if (OPT_STREAM)
			return do_stream(o, d);
		break;
	case CLI_NONE:
	case CLI_VERBS:
		break;
	}
	return diag_fail(d, R_USAGE,
	    o->verb == CLI_NONE ? "a command is missing"
	                        : "this build is without it");
}

/* Of one verb, or of all. */
static void show_usage(int fd, enum cli_verb verb)
{
	say(fd, "Usage: lifeboat [OPTION...] COMMAND\n");
	for (unsigned i = CLI_INFO; i < CLI_VERBS; i++)
		if (verb == CLI_NONE || verb == (enum cli_verb)i)
			say(fd, cli_usage((enum cli_verb)i));
	say(fd, cli_options);
}

int cli_main(int argc, char **argv)
{
	struct diag d = {0};
	struct cli o;
	int r, fd;

	/* what is opened below must not be taken for the output; for reading:
	 * what is written there is lost all the same */
	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
	/* a reader that goes away must not end an install */
	(void)signal(SIGPIPE, SIG_IGN);
	log_to(to_stderr, NULL, LOG_INFO);
	ui.tty = isatty(STDERR_FILENO) == 1;
	ui.percent = 100;
	ui.phase = PHASE_READ_BACK;
	r = cli_parse(&o, argc, argv, &d);
	if (r == 0 && o.version) {
		show_version();
		return 0;
	}
	if (r == 0 && o.help) {
		show_usage(STDOUT_FILENO, o.verb);
		return 0;
	}
	if (o.debug)
		log_to(to_stderr, NULL, LOG_DEBUG);
	if (r == 0)
		r = run_verb(&o, &d);
	if (r == 0)
		return 0;
	(void)diag_fail(&d, r, "%s", reason_help(r));
	log_diag(o.verb == CLI_NONE ? NULL : cli_verb_name(o.verb), &d);
	if (d.reason == R_USAGE)
		show_usage(STDERR_FILENO, o.verb);
	return 1;
}
