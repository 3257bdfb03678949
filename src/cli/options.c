/* SPDX-License-Identifier: 0BSD */
#include "cli/cli.h"

/* In the order of enum cli_verb. */
static const struct {
	const char *name;
	const char *usage;
} verbs[] = {
    {"", ""},
    {"info", "  info BUNDLE\tshow what an authentic bundle says\n"},
    {"install", "  install BUNDLE\tverify a bundle, write it to its slots\n"},
    {"status", "  status [--detailed]\tshow slots and boot state\n"
               "  status mark-good|mark-bad|mark-active [booted|other|SLOT]\n"},
    {"extract", "  extract BUNDLE DIR\tverify a bundle, unpack its files\n"},
    {"fetch", "  fetch ADDRESS FILE\treceive a file, unverified\n"},
    {"send", "  send FILE ADDRESS\tsend a file to a TFTP server\n"},
    {"stream",
        "  stream [--restore] IN OUT\tbundle to stream order, and back\n"},
};

const char cli_options[] =
    "BUNDLE may be \"-\", tftp://IP[:PORT]/FILE or "
    "serial:DEVICE[,BAUD][,PROTOCOL]\n"
    "Options:\n"
    "  -c, --conf=FILE\tsystem.conf (default: as rauc)\n"
    "  -C GROUP:KEY=VALUE\toverride one key of it\n"
    "  --keyring=FILE\tPEM certificates to trust\n"
    "  --fw-env-config=FILE\tdefault: /etc/fw_env.config\n"
    "  --override-boot-slot=S\tbootname or slot that runs, or _external_\n"
    "  --give-up-last-good\tfor a bundle that cannot be verified before\n"
    "  --output-format=F\treadable, shell, json, json-pretty\n"
    "  -d, --debug\n"
    "  --version\n"
    "  -h, --help\n";

const char *cli_usage(enum cli_verb verb)
{
	return verbs[verb].usage;
}

const char *cli_verb_name(enum cli_verb verb)
{
	return verbs[verb].name;
}

/* Those that take a value, as "--name=value", "--name value", "-n value" and
 * "-nvalue"; then those that do not. */
enum option {
	ARG_CONF,
	ARG_SET,
	ARG_KEYRING,
	ARG_FW_ENV,
	ARG_BOOT_SLOT,
	ARG_FORMAT,
	ARG_MOUNT,
	ARG_DEBUG,
	ARG_VERSION,
	ARG_HELP,
	ARG_DETAILED,
	ARG_PROGRESS,
	ARG_LAST_GOOD,
	ARG_RESTORE,
};

static const struct {
	const char *name;
	char letter;
	enum option option;
	enum cli_verb only; /* CLI_NONE: any */
} options[] = {
    {"conf", 'c', ARG_CONF, CLI_NONE},
    {"confopt", 'C', ARG_SET, CLI_NONE},
    {"keyring", 0, ARG_KEYRING, CLI_NONE},
    {"fw-env-config", 0, ARG_FW_ENV, CLI_NONE},
    {"override-boot-slot", 0, ARG_BOOT_SLOT, CLI_NONE},
    {"output-format", 0, ARG_FORMAT, CLI_NONE},
    {"mount", 0, ARG_MOUNT, CLI_NONE}, /* nothing is mounted */
    {"debug", 'd', ARG_DEBUG, CLI_NONE},
    {"version", 0, ARG_VERSION, CLI_NONE},
    {"help", 'h', ARG_HELP, CLI_NONE},
    {"detailed", 0, ARG_DETAILED, CLI_STATUS},
    {"progress", 0, ARG_PROGRESS, CLI_INSTALL}, /* it is always shown */
    {"give-up-last-good", 0, ARG_LAST_GOOD, CLI_INSTALL},
    {"restore", 0, ARG_RESTORE, CLI_STREAM},
};

static int parse_format(struct cli *o, const char *value, struct diag *d)
{
	static const struct {
		const char *name;
		enum job_format format;
	} formats[] = {
	    {"readable", JOB_READABLE},
	    {"shell", JOB_SHELL},
	    {"json", JOB_JSON},
	    {"json-pretty", JOB_JSON_PRETTY},
	};

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(formats[i].name, value) == 0) {
			o->format = formats[i].format;
			return 0;
		}
	return diag_fail(d, R_USAGE,
	    "unknown output format %s (readable, shell, json, json-pretty)",
	    value);
}

static int apply(
    struct cli *o, enum option option, const char *value, struct diag *d)
{
	switch (option) {
	case ARG_CONF:
		o->conf = value;
		break;
	case ARG_SET:
		if (o->overrides == CLI_OVERRIDES)
			return diag_fail(
			    d, R_USAGE, "more than %u times -C", CLI_OVERRIDES);
		o->override[o->overrides++] = value;
		break;
	case ARG_KEYRING:
		o->keyring = value;
		break;
	case ARG_FW_ENV:
		o->fw_env = value;
		break;
	case ARG_BOOT_SLOT:
		o->boot_slot = value;
		break;
	case ARG_FORMAT:
		return parse_format(o, value, d);
	case ARG_DEBUG:
		o->debug = true;
		break;
	case ARG_VERSION:
		o->version = true;
		break;
	case ARG_HELP:
		o->help = true;
		break;
	case ARG_DETAILED:
		o->detailed = true;
		break;
	case ARG_LAST_GOOD:
		o->last_good = true;
		break;
	case ARG_RESTORE:
		o->restore = true;
		break;
	case ARG_MOUNT:
	case ARG_PROGRESS:
		break;
	}
	return 0;
}

/* The index of the option that arg is, or -1; *value is what is attached. */
static int find_option(const char *arg, const char **value)
{
	*value = NULL;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const char *name = options[i].name;
		size_t n = strlen(name);

		if (arg[1] == '-' && strncmp(arg + 2, name, n) == 0 &&
		    (arg[2 + n] == '\0' || arg[2 + n] == '=')) {
			if (arg[2 + n] == '=')
				*value = arg + 3 + n;
			return (int)i;
		}
		if (options[i].letter != 0 && arg[1] == options[i].letter) {
			if (arg[2] != '\0')
				*value = arg + 2;
			return (int)i;
		}
	}
	return -1;
}

static int parse_verb(struct cli *o, const char *word, struct diag *d)
{
	for (size_t i = 1; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, word) == 0) {
			o->verb = (enum cli_verb)i;
			return 0;
		}
	return diag_fail(d, R_USAGE, "invalid command '%s'", word);
}

int cli_parse(struct cli *o, int argc, char **argv, struct diag *d)
{
	const char *only[CLI_VERBS] = {NULL}; /* the last option for a verb */
	bool words = false;                   /* behind "--" */

	memset(o, 0, sizeof *o);
	o->format = JOB_READABLE;
	for (int i = 1; i < argc; i++) {
		const char *value;
		int at, r = 0;

		if (!words && strcmp(argv[i], "--") == 0) {
			words = true;
			continue;
		}
		if (words || argv[i][0] != '-' || argv[i][1] == '\0') {
			if (o->verb == CLI_NONE)
				r = parse_verb(o, argv[i], d);
			else if (o->args < CLI_ARGS)
				o->arg[o->args++] = argv[i];
			else
				r = diag_fail(d, R_USAGE,
				    "too many arguments: %s", argv[i]);
			if (r != 0)
				return r;
			continue;
		}
		at = find_option(argv[i], &value);
		if (at < 0)
			return diag_fail(
			    d, R_USAGE, "unknown option %s", argv[i]);
		if (options[at].option <= ARG_MOUNT && !value) {
			if (i + 1 == argc)
				return diag_fail(d, R_USAGE,
				    "missing argument for %s", argv[i]);
			value = argv[++i];
		} else if (options[at].option > ARG_MOUNT && value) {
			return diag_fail(
			    d, R_USAGE, "unknown option %s", argv[i]);
		}
		only[options[at].only] = options[at].name;
		r = apply(o, options[at].option, value, d);
		if (r != 0)
			return r;
	}
	for (unsigned i = CLI_INFO; i < CLI_VERBS; i++)
		if (only[i] && i != (unsigned)o->verb)
			return diag_fail(
			    d, R_USAGE, "unknown option --%s", only[i]);
	return 0;
}
