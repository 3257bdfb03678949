/* SPDX-License-Identifier: 0BSD */
#include "check.h"

#include "base/fmt.h"
#include "base/log.h"
#include "slot/conf.h"

static struct conf c;
static struct diag d;

static int parse(const char *text)
{
	diag_clear(&d);
	return conf_parse(&c, text, strlen(text), &d);
}

#define SYSTEM "[system]\ncompatible=dev\nbootloader=uboot\n"
#define SLOT_A "[slot.rootfs.0]\ndevice=/dev/a\nbootname=A\n"

/* Expects the reason, and that the text says what it is about. */
static void refused(const char *text, int reason, const char *about)
{
	CHECK_INT(parse(text), reason);
	CHECK_INT(d.reason, reason);
	if (!strstr(d.seen, about))
		CHECK_STR(d.seen, about);
}

static void test_full(void)
{
	CHECK_INT(parse("# RAUC\n[system]\r\ncompatible=vendor board\n"
	                "bootloader=uboot\nbundle-formats=-plain\n"
	                "min-bundle-version=1.2.3\nboot-attempts=5\n"
	                "boot-attempts-primary=0\nactivate-installed=false\n"
	                "data-directory=/data\nvariant-name=x\n"
	                "[keyring]\npath=keys.pem\ncheck-crl=false\n"
	                "use-bundle-signing-time=true\ncheck-purpose=codesign\n"
	                "allow-partial-chain=1\n"
	                "allowed-signer-cns=Build One;Build\\sTwo;\n"
	                "[future]\nkey=value\n"
	                "[slot.kernel.0]\ndevice=PARTLABEL=kernel.0\n"
	                "parent=rootfs.0\n"
	                "[slot.rootfs.0]\ndevice=/dev/sda2\ntype=ext4\n"
	                "bootname=A\nresize=true\n"
	                "[slot.rescue.0]\ndevice=/dev/sda1\ntype=vfat\n"
	                "readonly=true\n"
	                "[slot.rootfs.0]\nallow-mounted=true\n"),
	    0);
	CHECK_STR(c.compatible, "vendor board");
	CHECK_STR(c.bootloader_name, "uboot");
	CHECK_INT(c.bootloader, BOOT_UBOOT);
	CHECK_INT(c.formats, 1 << FORMAT_VERITY | 1 << FORMAT_CRYPT);
	CHECK_STR(c.min_bundle_version, "1.2.3");
	CHECK_INT(c.boot_attempts, 5);
	CHECK_INT(c.boot_attempts_primary, 3);
	CHECK(!c.activate_installed);
	CHECK_STR(c.statusfile, "/data/central.raucs");
	CHECK_STR(c.keyring_path, "keys.pem");
	CHECK_INT(c.trust.purpose, PURPOSE_CODESIGN);
	CHECK_INT(c.trust.time, TIME_SIGNING);
	CHECK(c.trust.allow_partial_chain);
	CHECK_INT(c.trust.cns, 2);
	CHECK_STR(c.trust.cn[1], "Build Two");
	CHECK_INT(c.slots, 3);
	CHECK_STR(c.slot[0].slotclass, "kernel");
	CHECK_INT(c.slot[0].type, SLOT_RAW);
	CHECK_STR(c.slot[0].type_name, "raw");
	CHECK_INT(c.slot[0].parent, 1);
	CHECK_INT(c.slot[1].type, SLOT_EXT4);
	CHECK_STR(c.slot[1].device, "/dev/sda2");
	CHECK_STR(c.slot[1].bootname, "A");
	CHECK_INT(c.slot[1].parent, -1);
	CHECK(c.slot[2].readonly);
	CHECK_INT(conf_slot(&c, "rootfs.0"), 1);
	CHECK_INT(conf_slot(&c, "rootfs.1"), -1);
}

static void test_defaults(void)
{
	CHECK_INT(parse("[system]\ncompatible=x\nbootloader=noop\n"), 0);
	CHECK_INT(c.formats,
	    1 << FORMAT_PLAIN | 1 << FORMAT_VERITY | 1 << FORMAT_CRYPT);
	CHECK_INT(c.boot_attempts, 3);
	CHECK_INT(c.boot_attempts_primary, 3);
	CHECK(c.activate_installed);
	CHECK_INT(c.trust.purpose, PURPOSE_SMIMESIGN);
	CHECK_INT(c.trust.time, TIME_FLOOR);
	CHECK_INT(c.slots, 0);
	CHECK_INT(parse("[system]\ncompatible=x\nbootloader=grub\n"), 0);
	CHECK_INT(c.bootloader, BOOT_OTHER);
	CHECK_INT(parse(SYSTEM "bundle-formats=verity\n"), 0);
	CHECK_INT(c.formats, 1 << FORMAT_VERITY);
	CHECK_INT(parse(SYSTEM "bundle-formats=plain  crypt \n"), 0);
	CHECK_INT(c.formats, 1 << FORMAT_PLAIN | 1 << FORMAT_CRYPT);
	CHECK_INT(parse(SYSTEM "statusfile=/s\ndata-directory=/d\n"), 0);
	CHECK_STR(c.statusfile, "/s");
}

static char warned[LOG_LINE];
static unsigned warnings;

static void sink(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	if (level == LOG_WARN) {
		fmt(warned, sizeof warned, "%s", line);
		warnings++;
	}
}

static void test_attempts_capped(void)
{
	log_to(sink, NULL, LOG_DEBUG);
	warned[0] = '\0';
	CHECK_INT(parse(SYSTEM "boot-attempts=9\n"), 0);
	CHECK_STR(warned, "");
	CHECK_INT(parse(SYSTEM "boot-attempts=10\n"), 0);
	CHECK_INT(c.boot_attempts, 9);
	CHECK(strstr(warned, "boot-attempts=10") != NULL);
	log_to(NULL, NULL, LOG_ERR);
}

static void test_parents(void)
{
	CHECK_INT(parse(SYSTEM "[slot.c.0]\ndevice=c\nparent=b.0\n"
	                       "[slot.b.0]\ndevice=b\nparent=a.0\n"
	                       "[slot.a.0]\ndevice=a\nbootname=A\n"),
	    0);
	CHECK_INT(c.slot[0].parent, 2);
	CHECK_INT(c.slot[1].parent, 2);
	CHECK_INT(c.slot[2].parent, -1);
	refused(
	    SYSTEM "[slot.a.0]\ndevice=a\nparent=a.0\n", R_CONF_VALUE, "loop");
	refused(SYSTEM "[slot.a.0]\ndevice=a\nparent=b.0\n"
	               "[slot.b.0]\ndevice=b\nparent=a.0\n",
	    R_CONF_VALUE, "loop");
	refused(SYSTEM "[slot.x.0]\ndevice=x\nparent=a.0\n"
	               "[slot.a.0]\ndevice=a\nparent=b.0\n"
	               "[slot.b.0]\ndevice=b\nparent=a.0\n",
	    R_CONF_VALUE, "loop");
	refused(SYSTEM "[slot.a.0]\ndevice=a\nparent=gone.0\n", R_CONF_VALUE,
	    "gone.0");
}

static void test_refusals(void)
{
	refused("", R_CONF_MISSING, "compatible");
	refused("[system]\ncompatible=x\n", R_CONF_MISSING, "bootloader");
	refused("[system]\ncompatible=\n", R_CONF_VALUE, "compatible");
	refused("[system]\nbootloader=lilo\n", R_CONF_VALUE, "lilo");
	refused("key=value\n", R_KEYFILE_SYNTAX, "line 1");
	refused(SYSTEM "[broken\n", R_KEYFILE_SYNTAX, "line 4");
	refused(SYSTEM "activate-installed=yes\n", R_KEYFILE_VALUE, "yes");
	refused(SYSTEM "boot-attempts=-1\n", R_KEYFILE_VALUE, "boot-attempts");
	CHECK_INT(parse(SYSTEM SLOT_A "[encryption]\nkey=/etc/k.pem\n"
	                              "cert=/etc/c.pem\nother=1\n"),
	    0);
	CHECK_STR(c.encryption_key, "/etc/k.pem");
	CHECK_STR(c.encryption_cert, "/etc/c.pem");
	CHECK_INT(parse(SYSTEM SLOT_A), 0);
	CHECK_STR(c.encryption_key, "");
	refused(SYSTEM "[encryption]\nkey=\n", R_CONF_VALUE, "key");
	refused(SYSTEM "bundle-formats=tar\n", R_CONF_VALUE, "tar");
	refused(SYSTEM "bundle-formats=\n", R_CONF_VALUE, "bundle-formats");
	refused(SYSTEM "bundle-formats= \n", R_CONF_VALUE, "bundle-formats");
	refused(SYSTEM "bundle-formats=\\s\n", R_CONF_VALUE, "bundle-formats");
	refused(SYSTEM "bundle-formats=plain\tverity\n", R_CONF_VALUE,
	    "separated by blanks");
	refused(SYSTEM "bundle-formats=plain -crypt\n", R_CONF_VALUE, "mixed");
	refused(SYSTEM "bundle-formats=-plain -verity -crypt\n", R_CONF_VALUE,
	    "no bundle format");
	refused(SYSTEM "statusfile=per-slot\ndata-directory=/d\n", R_CONF_VALUE,
	    "per-slot");
	refused(
	    SYSTEM "[slot.rootfs.0]\ntype=raw\n", R_CONF_MISSING, "rootfs.0");
	refused(SYSTEM "[slot.rootfs.0]\ndevice=\n", R_CONF_VALUE, "device");
	refused(SYSTEM "[slot.rootfs]\ndevice=a\n", R_CONF_VALUE,
	    "slot.CLASS.INDEX");
	refused(SYSTEM "[slot.a.b.c]\ndevice=a\n", R_CONF_VALUE,
	    "slot.CLASS.INDEX");
	refused(
	    SYSTEM "[slot..0]\ndevice=a\n", R_CONF_VALUE, "slot.CLASS.INDEX");
	refused(
	    SYSTEM "[slot.a.]\ndevice=a\n", R_CONF_VALUE, "slot.CLASS.INDEX");
	refused(
	    SYSTEM "[slot.a.0]\ndevice=a\ntype=btrfs\n", R_CONF_VALUE, "btrfs");
	refused(SYSTEM SLOT_A "[slot.rootfs.1]\ndevice=b\nbootname=A\n",
	    R_CONF_VALUE, "same bootname");
	refused(SYSTEM SLOT_A "[slot.k.0]\ndevice=b\nparent=rootfs.0\n"
	                      "bootname=B\n",
	    R_CONF_VALUE, "exclude");
	refused(SYSTEM "[slot.a.0]\ndevice=a\nbootname=A B\n", R_CONF_VALUE,
	    "bootname");
	refused(SYSTEM "[slot.a.0]\ndevice=a\nbootname=A\\tB\n", R_CONF_VALUE,
	    "bootname");
	refused(SYSTEM "[slot.a.0]\ndevice=a\nbootname=A=B\n", R_CONF_VALUE,
	    "bootname");
	refused(SYSTEM "[slot.a.0]\ndevice=a\nbootname="
	               "ABCDEFGHIJKLMNOPQRSTUVWXYZ\n",
	    R_KEYFILE_VALUE, "bootname");
}

static void test_keyring(void)
{
	CHECK_INT(parse(SYSTEM "[keyring]\ndirectory=/etc/keys\n"), 0);
	CHECK_STR(c.keyring_directory, "/etc/keys");
	refused(
	    SYSTEM "[keyring]\nfolder=/etc/keys\n", R_KEYRING_KEY, "folder");
	refused(
	    SYSTEM "[keyring]\ncheck-crl=yes\n", R_KEYFILE_VALUE, "check-crl");
	CHECK_INT(parse(SYSTEM "[keyring]\ncheck-crl=true\n"), 0);
	CHECK(c.trust.check_crl);
	CHECK_INT(parse(SYSTEM "[keyring]\ncheck-crl=false\n"), 0);
	CHECK(!c.trust.check_crl);
	CHECK_INT(parse(SYSTEM "[keyring]\nuse-bundle-signing-time=true\n"), 0);
	CHECK_INT(c.trust.time, TIME_SIGNING);
	CHECK_INT(
	    parse(SYSTEM "[keyring]\nuse-bundle-signing-time=false\n"), 0);
	CHECK_INT(c.trust.time, TIME_FLOOR);
	refused(SYSTEM "[keyring]\ncheck-purpose=timestampsign\n",
	    R_KEYRING_KEY, "timestampsign");
	refused(SYSTEM "[keyring]\ncheck-purpose=\n", R_KEYRING_KEY,
	    "check-purpose");
	refused(SYSTEM "[keyring]\nsome-future-key=1\n", R_KEYRING_KEY,
	    "some-future-key");
	refused(SYSTEM "[keyring]\nallowed-signer-cns=\n", R_CONF_VALUE,
	    "allowed-signer-cns");
	refused(SYSTEM "[keyring]\nallowed-signer-cns=a;;b\n", R_CONF_VALUE,
	    "allowed-signer-cns");
	refused(SYSTEM "[keyring]\n"
	               "allowed-signer-cns=1;2;3;4;5;6;7;8;9\n",
	    R_LIMIT, "allowed-signer-cns");
	refused(SYSTEM "[keyring]\nuse-bundle-signing-time=maybe\n",
	    R_KEYFILE_VALUE, "maybe");
	CHECK_INT(parse(SYSTEM "[keyring]\ncheck-purpose=codesign-rauc\n"), 0);
	CHECK_INT(c.trust.purpose, PURPOSE_CODESIGN);
	CHECK_INT(parse(SYSTEM "[keyring]\ncheck-purpose=any\n"), 0);
	CHECK_INT(c.trust.purpose, PURPOSE_ANY);
}

/* Nobody may believe that a rule holds which was written into the wrong file;
 * what a newer RAUC knows is no business of ours. */
static void test_groups(void)
{
	refused(SYSTEM "[trust]\nmin-signers=2\n", R_CONF_VALUE,
	    "[trust]: expected it in lifeboat.conf");
	refused(SYSTEM "[recovery]\n", R_CONF_VALUE, "[recovery]: ");
	refused(SYSTEM "[data]\n", R_CONF_VALUE, "[data]: ");
	CHECK_INT(parse(SYSTEM "[casync]\nstorepath=/x\n[log.a]\n"
	                       "[keyring]\n[streaming]\nsandbox-user=x\n"),
	    0);
	CHECK_INT(parse(SYSTEM), 0);
	CHECK_INT(conf_override(&c, "trust:min-signers=1", &d), R_CONF_VALUE);
	CHECK_STR(
	    d.seen, "[trust] min-signers=1: expected it in lifeboat.conf");
}

/* RAUC refuses a key that comes twice; the last of them would undo a rule. */
static void test_twice(void)
{
	refused(SYSTEM "[keyring]\ncheck-crl=true\ncheck-crl=false\n",
	    R_CONF_VALUE,
	    "[keyring] check-crl=false: expected it only once, not in line 6");
	refused(SYSTEM "[keyring]\ncheck-crl=true\n" SLOT_A
	               "[keyring]\npath=k\ncheck-crl=true\n",
	    R_CONF_VALUE, "only once");
	refused(SYSTEM "compatible=dev\n", R_CONF_VALUE, "compatible");
	refused(SYSTEM SLOT_A "[slot.rootfs.0]\ndevice=/dev/b\n", R_CONF_VALUE,
	    "/dev/b");
	CHECK_INT(parse(SYSTEM SLOT_A "[system]\nbundle-formats=verity\n"
	                              "[slot.rootfs.1]\ndevice=/dev/b\n"
	                              "[future]\nx=1\nx=2\n"),
	    0);
	CHECK_INT(c.formats, 1 << FORMAT_VERITY);
}

/* What RAUC knows is told, line by line; what may be a rule refuses. */
static void test_names(void)
{
	static const char *const bad[][2] = {
	    {"[Keyring]\ncheck-crl=true\n", "[Keyring]: expected keyring"},
	    {"[keyrings]\n", "[keyrings]: expected keyring"},
	    {"[keyirng]\n", "expected keyring"},
	    {"[keyring ]\n", "expected keyring"},
	    {"[System]\n", "expected system"},
	    {"[encryptoin]\n", "expected encryption"},
	    {"bundle-format=verity\n", "expected bundle-formats, in its own"},
	    {"bundle_formats=verity\n", "expected bundle-formats, in its own"},
	    {"min-bundle-versions=9\n", "expected min-bundle-version, "},
	    {"min-bundle-versoin=9\n", "expected min-bundle-version, "},
	    {"Min-Bundle_Version=9\n", "expected min-bundle-version, "},
	    {"check-crl=true\n", "expected check-crl, in its own group"},
	    {"min-signers=2\n", "expected min-signers, in its own group"},
	    {"[encryption]\nkeys=k\n", "expected key, "},
	    {"[slot.a.0]\ndevice=a\nread-only=1\n", "expected readonly, "},
	};
	static const char *const keyring[][2] = {
	    {"Check-crl=true", "expected check-crl, "},
	    {"allowed-signer-cn=x", "expected allowed-signer-cns, "},
	    {"allow-partial-chains=1", "expected allow-partial-chain, "},
	    {"future=1", "expected a key that lifeboat implements"},
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		fmt(text, sizeof text, SYSTEM "%s", bad[i][0]);
		refused(text, R_CONF_VALUE, bad[i][1]);
	}
	for (size_t i = 0; i < ARRAY_LEN(keyring); i++) {
		fmt(text, sizeof text, SYSTEM "[keyring]\n%s\n", keyring[i][0]);
		refused(text, R_KEYRING_KEY, keyring[i][1]);
	}
	log_to(sink, NULL, LOG_DEBUG);
	warnings = 0;
	CHECK_INT(parse(SYSTEM "grubenv=/x\n"), 0);
	CHECK_STR(warned, "[system] grubenv is unknown and passed over");
	CHECK_INT(parse(SYSTEM "[log.x]\nfilename=/x\nformat=y\n"), 0);
	CHECK_STR(warned, "[log.x] is unknown and passed over");
	CHECK_INT(warnings, 2);
	/* all that RAUC 1.15 has beyond ours */
	CHECK_INT(
	    parse(SYSTEM "mountprefix=x\nbarebox-statename=x\n"
	                 "barebox-dtbpath=x\nefi-use-bootnext=x\n"
	                 "max-bundle-download-size=1\n"
	                 "max-bundle-signature-size=1\nvariant-name=x\n"
	                 "variant-file=x\nvariant-dtb=x\nperform-pre-check=x\n"
	                 "prevent-late-fallback=x\n"
	                 "[casync]\n[streaming]\n[polling]\n[autoinstall]\n"
	                 "path=/x\n[handlers]\n[artifacts.data]\n" SLOT_A
	                 "allow-mounted=x\ninstall-same=x\nresize=x\n"
	                 "force-install-same=x\nignore-checksum=x\n"
	                 "extra-mount-opts=x\nextra-mkfs-opts=x\nsize-limit=x\n"
	                 "region-start=x\nregion-size=x\nefi-loader=x\n"
	                 "efi-cmdline=x\n"),
	    0);
	CHECK_INT(warnings, 2 + 11 + 6 + 12);
	log_to(NULL, NULL, LOG_ERR);
}

static void test_resolve(void)
{
	static const char conf[] = "/etc/rauc/system.conf";
	static const char *const cases[][2] = {{"k.pem", "/etc/rauc/k.pem"},
	    {"../k", "/etc/rauc/../k"}, {"/k", "/k"}, {"", ""},
	    {"pkcs11:x", "pkcs11:x"}};
	char path[CONF_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fmt(path, sizeof path, "%s", cases[i][0]);
		CHECK_INT(conf_resolve(path, conf, &d), 0);
		CHECK_STR(path, cases[i][1]);
	}
	memset(path, 'a', sizeof path);
	path[CONF_TEXT - 10] = '\0';
	diag_clear(&d);
	CHECK_INT(conf_resolve(path, conf, &d), R_LIMIT);
	CHECK_INT(conf_resolve(path, "system.conf", &d), 0);
	path[CONF_TEXT - 11] = '\0';
	CHECK_INT(conf_resolve(path, conf, &d), 0);
	CHECK_INT(strlen(path), CONF_TEXT - 1);
}

static void test_limits(void)
{
	char text[4096];
	size_t n = fmt(text, sizeof text, SYSTEM);

	for (unsigned i = 0; i < CONF_SLOTS; i++)
		n += fmt(text + n, sizeof text - n, "[slot.s.%u]\ndevice=d%u\n",
		    i, i);
	CHECK_INT(parse(text), 0);
	CHECK_INT(c.slots, CONF_SLOTS);
	fmt(text + n, sizeof text - n, "[slot.s.x]\ndevice=x\n");
	refused(text, R_LIMIT, "slots");

	n = fmt(text, sizeof text, SYSTEM);
	for (unsigned i = 0; i < BOOTNAMES + 1; i++)
		n += fmt(text + n, sizeof text - n,
		    "[slot.s.%u]\ndevice=d%u\nbootname=N%u\n", i, i, i);
	refused(text, R_LIMIT, "bootnames");
}

static void test_override(void)
{
	const char *text =
	    SYSTEM SLOT_A "[slot.k.0]\ndevice=k\nparent=rootfs.0\n";

	CHECK_INT(parse(text), 0);
	CHECK_INT(conf_override(&c, "keyring:path=/x", &d), 0);
	CHECK_STR(c.keyring_path, "/x");
	CHECK_INT(conf_override(&c, "slot.rootfs.0:device=/f=1", &d), 0);
	CHECK_STR(c.slot[0].device, "/f=1");
	CHECK_INT(c.slot[1].parent, 0);
	CHECK_INT(conf_override(&c, "system:compatible=other", &d), 0);
	CHECK_STR(c.compatible, "other");
	CHECK_INT(conf_override(&c, "other:key=1", &d), 0);
	CHECK_INT(conf_override(&c, "keyring:folder=/x", &d), R_KEYRING_KEY);
	diag_clear(&d);
	CHECK_INT(conf_override(&c, "system:check-crl=true", &d), R_CONF_VALUE);
	CHECK_INT(conf_override(&c, "keyring", &d), R_CONF_VALUE);
	CHECK_INT(conf_override(&c, ":a=b", &d), R_CONF_VALUE);
	CHECK_INT(conf_override(&c, "a:=b", &d), R_CONF_VALUE);
	CHECK_INT(conf_override(&c, "slot.new.0:type=raw", &d), R_CONF_MISSING);

	CHECK_INT(parse(SYSTEM "data-directory=/a\n"), 0);
	CHECK_INT(conf_override(&c, "system:boot-attempts=2", &d), 0);
	CHECK_STR(c.statusfile, "/a/central.raucs");
	CHECK_INT(conf_override(&c, "system:data-directory=/b", &d), 0);
	CHECK_STR(c.statusfile, "/b/central.raucs");
	CHECK_INT(conf_override(&c, "system:statusfile=/s", &d), 0);
	CHECK_INT(conf_override(&c, "system:data-directory=/c", &d), 0);
	CHECK_STR(c.statusfile, "/s");
}

int main(void)
{
	test_full();
	test_defaults();
	test_attempts_capped();
	test_parents();
	test_refusals();
	test_keyring();
	test_groups();
	test_twice();
	test_names();
	test_resolve();
	test_limits();
	test_override();
	return check_done("conf");
}
