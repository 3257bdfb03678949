/* SPDX-License-Identifier: 0BSD */
#include "check.h"

#include "boot/boot.h"

static struct fw_env_config c;
static struct diag d;

static int parse(const char *text)
{
	diag_clear(&d);
	return fw_env_config_parse(&c, text, strlen(text), &d);
}

static void refused(const char *text, int reason, const char *about)
{
	CHECK_INT(parse(text), reason);
	CHECK_INT(d.reason, reason);
	if (!strstr(d.seen, about))
		CHECK_STR(d.seen, about);
}

int main(void)
{
	CHECK_INT(parse("# Device Offset Size\n\n"
	                "/dev/mtd1\t0x10000  0x4000 0x10000 1\r\n"
	                "  # second\n"
	                "/dev/mtd1 131072 0x4000 0x10000 0x2"),
	    0);
	CHECK_INT(c.copies, 2);
	CHECK_STR(c.copy[0].device, "/dev/mtd1");
	CHECK_INT(c.copy[0].offset, 0x10000);
	CHECK_INT(c.copy[0].size, 0x4000);
	CHECK_INT(c.copy[0].sector, 0x10000);
	CHECK_INT(c.copy[0].sectors, 1);
	CHECK_INT(c.copy[1].offset, 131072);
	CHECK_INT(c.copy[1].sectors, 2);

	CHECK_INT(parse("env.img -0x4000 0x4000\n"), 0);
	CHECK_INT(c.copies, 1);
	CHECK_INT(c.copy[0].offset, -0x4000);
	CHECK_INT(c.copy[0].sector, 0);
	CHECK_INT(parse("PARTLABEL=env 0 0x1000"), 0);
	CHECK_STR(c.copy[0].device, "PARTLABEL=env");

	refused("", R_BOOT_CONFIG, "no copy");
	refused("# nothing\n", R_BOOT_CONFIG, "no copy");
	refused("/dev/a\n", R_BOOT_CONFIG, "line 1");
	refused("\n/dev/a 0\n", R_BOOT_CONFIG, "line 2");
	/* libubootenv would read 0x4096 here, u-boot-tools 4096. */
	refused("/dev/a 0 4096\n", R_BOOT_CONFIG, "0x");
	refused("/dev/a 010 0x1000\n", R_BOOT_CONFIG, "offset");
	refused("/dev/a x 0x1000\n", R_BOOT_CONFIG, "offset");
	refused("/dev/a 0 0x1000 512\n", R_BOOT_CONFIG, "sector");
	refused("/dev/a 0 0x1000 0x200 10\n", R_BOOT_CONFIG, "sectors");
	refused("/dev/a 0 0x10000000000000000\n", R_BOOT_CONFIG, "size");
	refused("/dev/a 0x4000000000000000 0x1000\n", R_BOOT_CONFIG, "offset");
	refused("/dev/a 0 0xf\n", R_BOOT_CONFIG, "small");
	refused("/dev/a 0 0x40001\n", R_LIMIT, "262145");
	CHECK_INT(parse("/dev/a 0 0x40000\n"), 0);
	refused(
	    "/dev/a 0 0x1000\n/dev/a 0x1000 0x2000\n", R_BOOT_CONFIG, "differ");
	refused(
	    "a 0 0x1000\nb 0 0x1000\nc 0 0x1000\n", R_BOOT_CONFIG, "line 3");
	return check_done("fw_env");
}
