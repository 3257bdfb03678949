/* SPDX-License-Identifier: 0BSD */
/*
 * The command-line face: verbs, options and exit codes as rauc's.
 */
#ifndef LIFEBOAT_CLI_H
#define LIFEBOAT_CLI_H

#include "slot/conf.h"
#include "worker/job.h"

/* The whole program when it is not process 1. Returns 0 or 1. */
int cli_main(int argc, char **argv);

/* Private to src/cli from here on. */

enum cli_verb {
	CLI_NONE,
	CLI_INFO,
	CLI_INSTALL,
	CLI_STATUS,
	CLI_EXTRACT,
	CLI_FETCH,
	CLI_SEND,
	CLI_STREAM,
	CLI_VERBS
};

#define CLI_OVERRIDES 16
#define CLI_ARGS 3

struct cli {
	enum cli_verb verb;
	const char *conf;
	const char *keyring;
	const char *fw_env;
	const char *boot_slot; /* --override-boot-slot */
	const char *override[CLI_OVERRIDES];
	unsigned overrides;
	enum job_format format;
	bool debug, help, version, detailed, last_good, restore;
	const char *arg[CLI_ARGS];
	unsigned args;
};

/* Options may stand before and after the verb. R_USAGE. */
int cli_parse(struct cli *o, int argc, char **argv, struct diag *d) MUST_CHECK;

/* The lines of one verb; "" for CLI_NONE. */
const char *cli_usage(enum cli_verb verb);
const char *cli_verb_name(enum cli_verb verb);
extern const char cli_options[]; /* what follows every usage */

/* All of standard output or error; a closed pipe is not our trouble. */
void cli_write(int fd, const char *text, size_t len);

/* Runs a job to its end, with what was read in struct cli_files. Its reason,
 * or that of job_start. */
int cli_run(
    struct job_setup *s, struct job_result *r, struct diag *d) MUST_CHECK;

/* The verbs of transfer.c: o has two arguments. Any reason of an origin. */
int cli_fetch(const struct cli *o, struct diag *d) MUST_CHECK;
int cli_send(const struct cli *o, struct diag *d) MUST_CHECK;

/* stream: o has two arguments. The reasons of stream_make and stream_restore,
 * R_USAGE, R_NOT_FOUND, R_SYSTEM, R_FULL, R_IO. */
int cli_stream(const struct cli *o, struct diag *d) MUST_CHECK;

/* What the program reads before it does anything. One static. */
struct cli_files {
	struct conf conf;
	bool have_conf;
	struct settings settings;
	struct keyring keyring;
	struct recipient recipient; /* secret */
	bool development; /* the embedded development keyring is used */
	struct fw_env_config fw_env;
	bool have_fw_env;
	char initial_env[65537];
	bool have_initial_env;
	char booted[SLOT_NAME]; /* bootname or slot name; "": external */
	bool booted_known;
};

/* system.conf (may be missing when it is not needed), fw_env.config,
 * u-boot-initial-env. Reasons of the parsers, R_CONF_MISSING. */
int cli_load_conf(struct cli_files *f, const struct cli *o, bool needed,
    struct diag *d) MUST_CHECK;
/* True when system.conf names no keyring. */
bool cli_keyring_built_in(const struct cli_files *f);
/* The status file, which may be missing or is not configured: empty. *text lies
 * in a buffer of the other calls here. R_STATUS_PLACE, R_NOT_FOUND, R_IO,
 * R_LIMIT. */
int cli_load_status(
    struct cli_files *f, struct slice *text, struct diag *d) MUST_CHECK;
/* --keyring, else system.conf's path and directory, else the embedded one.
 * R_KEYRING, R_LIMIT. */
int cli_load_keyring(
    struct cli_files *f, const struct cli *o, struct diag *d) MUST_CHECK;
/* [encryption] of system.conf. What is wrong with it is said and passed over,
 * since only crypt bundles need it. */
void cli_load_recipient(struct cli_files *f);
/* Which slot runs, from the kernel command line as RAUC does it. */
void cli_find_booted(struct cli_files *f, const struct cli *o);
/* The same for a given command line; pure but for looking at devices. */
void cli_booted(struct cli_files *f, const char *cmdline);

#endif
