/* SPDX-License-Identifier: 0BSD */
#include "init/uevent.h"

#include "check.h"

#define MSG(s) (s), sizeof(s) /* with its last NUL */

static struct uevent e;

static void test_kernel_messages(void)
{
	CHECK(uevent_parse(
	    &e, MSG("add@/devices/pci0/usb1/sda/sda1\0ACTION=add\0"
	            "DEVPATH=/devices/pci0/usb1/sda/sda1\0SUBSYSTEM=block\0"
	            "MAJOR=8\0MINOR=1\0DEVNAME=sda1\0DEVTYPE=partition\0"
	            "DISKSEQ=9\0PARTN=1\0SEQNUM=1501")));
	CHECK_INT(e.action, UEVENT_ADD);
	CHECK(slice_is(e.subsystem, "block"));
	CHECK(slice_is(e.devname, "sda1"));
	CHECK(!e.media_change);

	CHECK(uevent_parse(
	    &e, MSG("change@/block/sdb\0ACTION=change\0SUBSYSTEM=block\0"
	            "DISK_MEDIA_CHANGE=1\0DEVNAME=sdb")));
	CHECK_INT(e.action, UEVENT_CHANGE);
	CHECK(e.media_change);

	CHECK(uevent_parse(&e, MSG("remove@/x\0ACTION=remove\0SUBSYSTEM=usb")));
	CHECK_INT(e.action, UEVENT_REMOVE);
	CHECK(slice_is(e.subsystem, "usb"));
	CHECK_INT(e.devname.len, 0);

	CHECK(uevent_parse(&e, MSG("move@/x\0ACTION=move")));
	CHECK_INT(e.action, UEVENT_OTHER);
}

static void test_refused(void)
{
	static const char full[] =
	    "add@/x\0ACTION=add\0SUBSYSTEM=block\0DEVNAME=sda";
	char many[2 + 2 * (UEVENT_VARS + 1) + 1] = "a@";
	size_t n = 3;

	CHECK(!uevent_parse(&e, "", 0));
	CHECK(!uevent_parse(&e, MSG("")));
	CHECK(!uevent_parse(&e, MSG("libudev\0ACTION=add")));
	/* every cut but those behind a whole text */
	for (size_t len = 1; len < sizeof full; len++) {
		bool whole = full[len - 1] == '\0';

		CHECK_INT(uevent_parse(&e, full, len), whole);
		if (!whole)
			CHECK(e.action == UEVENT_OTHER && e.subsystem.len == 0);
	}
	for (unsigned i = 0; i < UEVENT_VARS; i++, n += 2)
		many[n] = 'V';
	CHECK(uevent_parse(&e, many, n));
	many[n] = 'V';
	CHECK(!uevent_parse(&e, many, n + 2));
}

static void test_oddities(void)
{
	/* empty texts, keys without value, a key that only begins so */
	CHECK(uevent_parse(&e, MSG("add@\0\0ACTION\0=\0DEVNAMES=x\0ACTION=")));
	CHECK_INT(e.action, UEVENT_OTHER);
	CHECK_INT(e.devname.len, 0);
	/* the last of two wins */
	CHECK(uevent_parse(&e, MSG("add@x\0DEVNAME=a\0DEVNAME=b")));
	CHECK(slice_is(e.devname, "b"));
}

int main(void)
{
	test_kernel_messages();
	test_refused();
	test_oddities();
	return check_done("uevent");
}
