/* SPDX-License-Identifier: 0BSD */
#include "check.h"

#include "slot/conf.h"

static struct settings s;
static struct diag d;

static int parse(const char *text)
{
	diag_clear(&d);
	settings_default(&s);
	return settings_parse(&s, text, strlen(text), &d);
}

static int cmdline(const char *text)
{
	diag_clear(&d);
	settings_default(&s);
	return settings_cmdline(&s, text, &d);
}

static void test_default(void)
{
	settings_default(&s);
	CHECK_INT(s.settle_ms, 500);
	CHECK_INT(s.wait_s, 60);
	CHECK_INT(s.retries, 2);
	CHECK_INT(s.stall_s, 60);
	CHECK_INT(s.watchdog_s, 60);
	CHECK_STR(s.watchdog, "/dev/watchdog");
	CHECK_STR(s.bundle, "");
	CHECK_STR(s.rauc_slot, "");
	CHECK(!s.reinstall && !s.poweroff);
	CHECK_STR(s.data_device, "");
	CHECK_STR(s.data_type, "ext4");
	CHECK_STR(s.data_mount_point, "/data");
	CHECK_STR(s.data_options, "errors=remount-ro");
}

static void test_data(void)
{
	CHECK_INT(parse("[data]\n"
	                "device=PARTLABEL=data\ntype=f2fs\n"
	                "mount-point=/mnt/data\noptions=noacl,nodev\n"
	                "later=x\n"),
	    0);
	CHECK_STR(s.data_device, "PARTLABEL=data");
	CHECK_STR(s.data_type, "f2fs");
	CHECK_STR(s.data_mount_point, "/mnt/data");
	CHECK_STR(s.data_options, "noacl,nodev");
	CHECK_INT(s.wait_s, 60);
	CHECK_INT(parse("[data]\noptions=\n"), 0);
	CHECK_STR(s.data_options, "");
	CHECK_INT(parse("[data]\ndevice=\n"), R_CONF_VALUE);
	CHECK_INT(parse("[data]\ntype=\n"), R_CONF_VALUE);
	CHECK_INT(parse("[data]\nmount-point=\n"), R_CONF_VALUE);
	CHECK_INT(parse("[data]\ntype=sixteen-letters-\n"), R_CONF_VALUE);
	CHECK_INT(parse("[data]\ntype=fifteen-letters\n"), 0);
	/* a matter of the image, not of the command line */
	CHECK_INT(cmdline("device=/dev/x lifeboat.device=/dev/x "
	                  "lifeboat.mount-point=/y"),
	    0);
	CHECK_STR(s.data_device, "");
	CHECK_STR(s.data_mount_point, "/data");
}

static void test_file(void)
{
	CHECK_INT(parse("[recovery]\nsettle=50\nwait=7\n"
	                "retries=0\nstall=5\nwatchdog=0\n"
	                "watchdog-device=/dev/watchdog1\n"
	                "bundle=update.raucb\nreinstall=true\npoweroff=1\n"
	                "later=x\n"),
	    0);
	CHECK_INT(s.settle_ms, 50);
	CHECK_INT(s.wait_s, 7);
	CHECK_INT(s.retries, 0);
	CHECK_INT(s.stall_s, 5);
	CHECK_INT(s.watchdog_s, 0);
	CHECK_STR(s.watchdog, "/dev/watchdog1");
	CHECK_STR(s.bundle, "update.raucb");
	CHECK(s.reinstall && s.poweroff);
	CHECK_INT(parse(""), 0);
	CHECK_INT(parse("[recovery]\nretries=100\n"), R_CONF_VALUE);
	CHECK_INT(d.reason, R_CONF_VALUE);
	CHECK_INT(parse("[recovery]\nstall=4\n"), R_CONF_VALUE);
	CHECK_INT(parse("[recovery]\nwait=\n"), R_CONF_VALUE);
	CHECK_INT(parse("[recovery]\nwait=-1\n"), R_CONF_VALUE);
	CHECK_INT(parse("[recovery]\nreinstall=yes\n"), R_CONF_VALUE);
	CHECK_INT(parse("[recovery]\nwatchdog-device="
	                "/dev/a-very-long-name-that-does-not-fit\n"),
	    R_CONF_VALUE);
	CHECK_INT(parse("wait=1\n"), R_KEYFILE_SYNTAX);
}

/* A rule in a group whose name is wrong would be no rule. */
static void test_groups(void)
{
	static const char *const bad[] = {"trusst", "Trust", "trust ", "system",
	    "keyring", "encryption", "command line", "slot.rootfs.0", "other"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[80];

		snprintf(
		    text, sizeof text, "[data]\ntype=f2fs\n[%s]\n", bad[i]);
		CHECK_INT(parse(text), R_CONF_VALUE);
		snprintf(text, sizeof text,
		    "[%s]: expected recovery, trust, data, network or tftp",
		    bad[i]);
		CHECK_STR(d.seen, text);
	}
	CHECK_INT(parse("[trust]\n[trust]\nmin-signers=2\n"), 0);
	CHECK_INT(s.min_signers, 2);
}

static void test_cmdline(void)
{
	CHECK_INT(cmdline("console=ttyS0 panic=5 lifeboat.wait=3 "
	                  "lifeboat.retries=1\tlifeboat.stall=30 "
	                  "lifeboat.watchdog=10 lifeboat.settle=0 "
	                  "lifeboat.reinstall lifeboat.poweroff=0 "
	                  "lifeboat.bundle=\"a b.raucb\" rauc.slot=B quiet\n"),
	    0);
	CHECK_INT(s.wait_s, 3);
	CHECK_INT(s.retries, 1);
	CHECK_INT(s.stall_s, 30);
	CHECK_INT(s.watchdog_s, 10);
	CHECK_INT(s.settle_ms, 0);
	CHECK(s.reinstall && !s.poweroff);
	CHECK_STR(s.bundle, "a b.raucb");
	CHECK_STR(s.rauc_slot, "B");

	CHECK_INT(cmdline("\"lifeboat.bundle=c d\" lifeboat.poweroff"), 0);
	CHECK_STR(s.bundle, "c d");
	CHECK(s.poweroff);
	CHECK_INT(cmdline("rauc.external rauc.slot=A"), 0);
	CHECK_STR(s.rauc_slot, "");
	CHECK_INT(cmdline(""), 0);
	CHECK_INT(cmdline("xlifeboat.wait=x"), 0);
	CHECK_INT(cmdline("lifeboat.nothing=1"), 0);

	/* A bad word is told, the others hold all the same. */
	CHECK_INT(
	    cmdline("lifeboat.wait=soon lifeboat.retries=1"), R_CONF_VALUE);
	CHECK_INT(s.wait_s, 60);
	CHECK_INT(s.retries, 1);
	CHECK(strstr(d.seen, "wait=soon") != NULL);
	CHECK_INT(cmdline("lifeboat.wait"), R_CONF_VALUE);
	CHECK_INT(cmdline("lifeboat.bundle"), R_CONF_VALUE);
	CHECK_INT(
	    cmdline("rauc.slot=ABCDEFGHIJKLMNOPQRSTUVWXYZ"), R_CONF_VALUE);
	CHECK_INT(cmdline("lifeboat.bundle=\"open"), 0);
	CHECK_STR(s.bundle, "open");
}

/* [trust] is strict, and out of reach of the command line. */
static void test_trust(void)
{
	struct trust_policy t = {.time = TIME_SIGNING};

	CHECK_INT(parse("[trust]\nmin-signers=2\ntime=clock\n"), 0);
	CHECK_INT(s.min_signers, 2);
	settings_apply(&s, &t);
	CHECK_INT(t.min_signers, 2);
	CHECK_INT(t.time, TIME_CLOCK);
	CHECK_INT(parse("[trust]\ntime=floor\n"), 0);
	settings_apply(&s, &t);
	CHECK_INT(t.min_signers, 0);
	CHECK_INT(t.time, TIME_FLOOR);
	CHECK_INT(parse("[trust]\ntime=signing\nmin-signers=0\n"), 0);
	settings_apply(&s, &t);
	CHECK_INT(t.time, TIME_SIGNING);
	/* as system.conf has it */
	CHECK_INT(parse(""), 0);
	settings_apply(&s, &t);
	CHECK_INT(t.time, TIME_SIGNING);
	t.time = TIME_FLOOR;
	settings_apply(&s, &t);
	CHECK_INT(t.time, TIME_FLOOR);

	CHECK_INT(parse("[trust]\nmin-version=1.2-rc.1\nstatus-floor=true\n"
	                "ignore-hooks=install-check;pre-install\n"),
	    0);
	CHECK_STR(s.min_version, "1.2-rc.1");
	CHECK(s.status_floor);
	CHECK_INT(s.ignore_hooks, CODE_INSTALL_CHECK | CODE_PRE_INSTALL);
	CHECK_INT(parse("[trust]\nignore-hooks=install-check\n"), 0);
	CHECK_INT(s.ignore_hooks, CODE_INSTALL_CHECK);
	CHECK_INT(parse("[trust]\nignore-hooks=\n"), 0);
	CHECK_INT(s.ignore_hooks, 0);
	CHECK_STR(s.min_version, "");
	CHECK(!s.status_floor);
	/* what makes the system that is installed cannot be left out */
	CHECK_INT(parse("[trust]\nignore-hooks=install\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\nignore-hooks=install-check;post-install\n"),
	    R_CONF_VALUE);
	CHECK_INT(parse("[trust]\nignore-hooks=handler\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\nignore-hooks=true\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\nmin-version=spring\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\nmin-version=\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\nmin-version=1.2.3.4\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\nstatus-floor=maybe\n"), R_CONF_VALUE);
	/* nor may a rule be in the wrong group, or stand there twice */
	CHECK_INT(parse("[recovery]\nmin-version=2\n"), R_CONF_VALUE);
	CHECK_STR(d.seen,
	    "[recovery] min-version=2: expected min-version, in its own group");
	CHECK_INT(parse("[data]\nignore-hook=x\n"), R_CONF_VALUE);
	CHECK_INT(parse("[data]\nwait=9\n"), R_CONF_VALUE);
	CHECK_INT(parse("[recovery]\nmount-point=/x\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\ncheck-crl=true\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\nmin-signers=2\n[data]\ntype=f2fs\n"
	                "[trust]\nmin-signers=0\n"),
	    R_CONF_VALUE);
	CHECK_STR(d.seen,
	    "[trust] min-signers=0: expected it only once, not in line 6");
	CHECK_INT(cmdline("lifeboat.wait=1 lifeboat.wait=2"), 0);
	CHECK_INT(s.wait_s, 2);
	CHECK_INT(cmdline("lifeboat.min-version=1 lifeboat.status-floor=0 "
	                  "lifeboat.ignore-hooks=install-check"),
	    0);
	CHECK_INT(s.ignore_hooks, 0);
	CHECK(!s.ignore_floor);
	CHECK_INT(cmdline("lifeboat.ignore-floor"), 0);
	CHECK(s.ignore_floor);
	settings_release(&s);
	CHECK(!s.ignore_floor);

	CHECK_INT(parse("[trust]\nmin-signers=9\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\nmin-signers=two\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\nmin-signer=2\n"), R_CONF_VALUE);
	CHECK(strstr(d.seen, "min-signer=2") != NULL);
	CHECK_INT(parse("[trust]\ntime=never\n"), R_CONF_VALUE);
	CHECK_INT(parse("[trust]\ntime=\n"), R_CONF_VALUE);
	CHECK_INT(parse("[recovery]\nmin-signers=2\n"), R_CONF_VALUE);
	CHECK_INT(s.min_signers, 0);
	CHECK_INT(cmdline("lifeboat.min-signers=2 min-signers=2 "
	                  "lifeboat.time=signing trust.time=signing"),
	    0);
	CHECK_INT(s.min_signers, 0);
	CHECK_INT(s.time, 0);
}

int main(void)
{
	test_default();
	test_data();
	test_file();
	test_groups();
	test_cmdline();
	test_trust();
	return check_done("settings");
}
