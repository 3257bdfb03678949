/* SPDX-License-Identifier: 0BSD */
/* Options in every order rauc takes them, and which slot runs. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "cli/cli.h"

static struct cli o;
static struct diag d;

/* Parses the words of a line. */
static int parse(const char *line)
{
	static char words[512];
	char *argv[24];
	int argc = 0;

	snprintf(words, sizeof words, "lifeboat %s", line);
	for (char *p = strtok(words, " "); p; p = strtok(NULL, " "))
		argv[argc++] = p;
	memset(&d, 0, sizeof d);
	return cli_parse(&o, argc, argv, &d);
}

static void test_order(void)
{
	static const char *const same[] = {
	    "--conf=s.conf --keyring k.pem info -d a.raucb",
	    "info a.raucb --conf s.conf -d --keyring=k.pem",
	    "-c s.conf info --keyring=k.pem --debug -- a.raucb",
	    "-cs.conf -d info --keyring=k.pem a.raucb",
	};

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		CHECK_INT(parse(same[i]), 0);
		CHECK_INT(o.verb, CLI_INFO);
		CHECK_STR(o.conf, "s.conf");
		CHECK_STR(o.keyring, "k.pem");
		CHECK(o.debug);
		CHECK_INT(o.args, 1);
		CHECK_STR(o.arg[0], "a.raucb");
		CHECK_INT(o.format, JOB_READABLE);
	}
}

static void test_all(void)
{
	CHECK_INT(parse("install --fw-env-config=f --override-boot-slot=A "
	                "--output-format=json --progress --mount=/mnt "
	                "-C system:compatible=x -Ckeyring:path=y b"),
	    0);
	CHECK_INT(o.verb, CLI_INSTALL);
	CHECK_STR(o.fw_env, "f");
	CHECK_STR(o.boot_slot, "A");
	CHECK_INT(o.format, JOB_JSON);
	CHECK_INT(o.overrides, 2);
	CHECK_STR(o.override[0], "system:compatible=x");
	CHECK_STR(o.override[1], "keyring:path=y");
	CHECK_INT(parse("status"), 0);
	CHECK(!o.detailed);
	CHECK_INT(parse("status --detailed mark-good other"), 0);
	CHECK(o.detailed);
	CHECK_INT(o.verb, CLI_STATUS);
	CHECK_INT(o.args, 2);
	CHECK_INT(parse("--version"), 0);
	CHECK(o.version);
	CHECK_INT(parse("extract -h"), 0);
	CHECK(o.help);
	CHECK_INT(parse("info --output-format=json-pretty -"), 0);
	CHECK_INT(o.format, JOB_JSON_PRETTY);
	CHECK_STR(o.arg[0], "-");
	CHECK_INT(parse("info --output-format=shell -- --odd"), 0);
	CHECK_STR(o.arg[0], "--odd");
}

static void test_refused(void)
{
	static const char *const bad[] = {
	    "frobnicate",
	    "info --frobnicate",
	    "info --output-format=xml a",
	    "info --debug=yes a",
	    "info --conf",
	    "info -x a",
	    "info --detailed a",
	    "status --progress",
	    "info --keyringx=a b",
	    "extract a b c d",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse(bad[i]) != R_USAGE)
			fprintf(stderr, "accepted: %s\n", bad[i]);
		CHECK_INT(d.reason, R_USAGE);
	}
	CHECK(strstr(cli_usage(CLI_INSTALL), "install BUNDLE") != NULL);
	CHECK(strstr(cli_usage(CLI_EXTRACT), "extract BUNDLE DIR") != NULL);
}

static struct cli_files f;

static void booted(const char *cmdline, bool known, const char *slot)
{
	cli_booted(&f, cmdline);
	if (f.booted_known != known || strcmp(f.booted, slot) != 0)
		fprintf(stderr, "command line: %s\n", cmdline);
	CHECK_INT(f.booted_known, known);
	CHECK_STR(f.booted, slot);
}

static void test_booted(void)
{
	char name[] = "/tmp/cli_test.XXXXXX";

	memset(&f, 0, sizeof f);
	f.conf.slots = 3;
	strcpy(f.conf.slot[0].name, "rootfs.0");
	strcpy(f.conf.slot[0].bootname, "A");
	strcpy(f.conf.slot[0].device, "/dev/disk/by-partlabel/rootfs.0");
	strcpy(f.conf.slot[1].name, "rootfs.1");
	strcpy(f.conf.slot[1].bootname, "B");
	strcpy(f.conf.slot[1].device, "PARTUUID=1234-02");
	strcpy(f.conf.slot[2].name, "kernel.0");
	strcpy(f.conf.slot[2].device, "/dev/nothing");
	booted("quiet rauc.slot=A root=/dev/sda2\n", true, "A");
	booted("rauc.slot=rootfs.1", true, "rootfs.1");
	booted("rauc.slot=C", false, "");
	booted("xrauc.slot=A", false, "");
	booted("rauc.external rauc.slot=A", true, "");
	booted("root=/dev/nfs", true, "");
	booted("root=PARTLABEL=rootfs.0 ro", true, "rootfs.0");
	booted("ro root=PARTUUID=1234-02", true, "rootfs.1");
	booted("root=PARTUUID=1234-03", false, "");
	booted("nfsroot=PARTUUID=1234-02", false, "");
	booted("", false, "");
	/* slots that are files run nowhere */
	close(mkstemp(name));
	for (unsigned i = 0; i < 3; i++)
		strcpy(f.conf.slot[i].device, name);
	booted("root=/dev/vda", true, "");
	booted("rauc.slot=B", true, "B");
	unlink(name);
}

int main(void)
{
	test_order();
	test_all();
	test_refused();
	test_booted();
	return check_done("cli");
}
