/* SPDX-License-Identifier: 0BSD */
/* NOR flash behind /dev/mtdN, simulated: programming only clears bits, an
 * erase sets a whole block, and both can fail or be the last thing before the
 * power goes. */
#include <errno.h>
#include <mtd/mtd-user.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>

#include "boot/boot.h"
#include "check.h"

#define ERASE 1024u
#define FLASH (4 * ERASE)
#define FOREVER 1000u

static struct {
	uint8_t data[FLASH];
	unsigned erased[FLASH / ERASE];
	unsigned programs;
	unsigned unlocks;
	unsigned left; /* programs and erases until the power goes */
	bool half;     /* the last one is done in part */
	bool dead;
	size_t at_once; /* a program takes at most this many bytes */
	int interrupt;  /* so many calls are interrupted first */
	int read_error;
	int program_error;
	int erase_error;
} nor;

ssize_t nor_pread(int fd, void *dst, size_t len, off_t off);
ssize_t nor_pwrite(int fd, const void *src, size_t len, off_t off);
long nor_syscall(long number, ...);

#define pread nor_pread
#define pwrite nor_pwrite
#define syscall nor_syscall
#include "../../src/worker/blk_mtd.c"
#undef syscall

static int fails(int error)
{
	if (nor.interrupt > 0) {
		nor.interrupt--;
		error = EINTR;
	}
	errno = nor.dead ? EIO : error;
	return errno != 0;
}

/* Of len bytes, how many are reached before the power goes. */
static size_t reached(size_t len)
{
	if (nor.left > 0)
		nor.left--;
	if (nor.left > 0)
		return len;
	nor.dead = true;
	return nor.half ? len / 2 : 0;
}

ssize_t nor_pread(int fd, void *dst, size_t len, off_t off)
{
	CHECK_INT(fd, 7);
	CHECK((size_t)off <= FLASH && len <= FLASH - (size_t)off);
	if (fails(nor.read_error))
		return -1;
	len = MIN(len, (size_t)300);
	memcpy(dst, nor.data + off, len);
	return (ssize_t)len;
}

ssize_t nor_pwrite(int fd, const void *src, size_t len, off_t off)
{
	const uint8_t *p = src;

	CHECK_INT(fd, 7);
	CHECK((size_t)off <= FLASH && len <= FLASH - (size_t)off);
	if (fails(nor.program_error))
		return -1;
	nor.programs++;
	len = MIN(len, nor.at_once);
	for (size_t i = 0, n = reached(len); i < n; i++)
		nor.data[(size_t)off + i] &= p[i];
	return (ssize_t)len;
}

long nor_syscall(long number, ...)
{
	struct erase_info_user *e;
	unsigned long request;
	va_list ap;

	CHECK_INT(number, SYS_ioctl);
	va_start(ap, number);
	CHECK_INT(va_arg(ap, int), 7);
	request = va_arg(ap, unsigned long);
	e = va_arg(ap, struct erase_info_user *);
	va_end(ap);
	CHECK_INT(e->start % ERASE, 0);
	CHECK_INT(e->length, ERASE);
	if (request == MEMUNLOCK) {
		nor.unlocks++;
		errno = EOPNOTSUPP;
		return -1;
	}
	CHECK_INT(request, MEMERASE);
	if (fails(nor.erase_error))
		return -1;
	nor.erased[e->start / ERASE]++;
	memset(nor.data + e->start, 0xff, reached(ERASE));
	return 0;
}

static struct blk_mtd flash;

static void fresh(void)
{
	memset(&nor, 0, sizeof nor);
	memset(nor.data, 0xff, sizeof nor.data);
	nor.left = FOREVER;
	nor.at_once = 400;
	blk_mtd_init(&flash, 7, FLASH, ERASE, true);
}

static void test_write(void)
{
	uint8_t want[FLASH], got[FLASH];

	fresh();
	for (size_t i = 0; i < FLASH; i++)
		want[i] = (uint8_t)(i * 7 + i / 256);
	/* Into what is erased: programmed only. */
	CHECK_INT(blk_write(&flash.blk, 0, want, FLASH), 0);
	CHECK_INT(memcmp(nor.data, want, FLASH), 0);
	CHECK_INT(nor.erased[0] + nor.erased[3], 0);
	/* What is there already is not touched. */
	nor.programs = 0;
	CHECK_INT(blk_write(&flash.blk, 10, want + 10, FLASH - 10), 0);
	CHECK_INT(nor.programs, 0);
	/* Over the border of two blocks: the rest of both is kept. */
	memset(want + ERASE - 5, 0xa5, 10);
	CHECK_INT(blk_write(&flash.blk, ERASE - 5, want + ERASE - 5, 10), 0);
	CHECK_INT(memcmp(nor.data, want, FLASH), 0);
	CHECK_INT(nor.erased[0], 1);
	CHECK_INT(nor.erased[1], 1);
	CHECK_INT(nor.erased[2] + nor.erased[3], 0);
	/* Bits that are only cleared need no erase. */
	want[3 * ERASE] = 0;
	CHECK_INT(blk_write(&flash.blk, 3 * ERASE, want + 3 * ERASE, 1), 0);
	CHECK_INT(nor.erased[3], 0);
	nor.interrupt = 3;
	CHECK_INT(blk_read(&flash.blk, 1, got, FLASH - 1), 0);
	CHECK_INT(memcmp(got, want + 1, FLASH - 1), 0);
	CHECK_INT(blk_read(&flash.blk, 1, got, FLASH), R_RANGE);
	CHECK_INT(blk_write(&flash.blk, 1, got, FLASH), R_RANGE);
	CHECK_INT(blk_flush(&flash.blk), 0);
}

static void test_errors(void)
{
	uint8_t b = 1;

	fresh();
	memset(nor.data, 0, FLASH);
	nor.read_error = EIO;
	CHECK_INT(blk_read(&flash.blk, 0, &b, 1), R_IO);
	CHECK_INT(blk_write(&flash.blk, 0, &b, 1), R_IO);
	nor.read_error = 0;
	nor.erase_error = EIO;
	CHECK_INT(blk_write(&flash.blk, 0, &b, 1), R_IO);
	nor.erase_error = 0;
	nor.program_error = EIO;
	CHECK_INT(blk_write(&flash.blk, 0, &b, 1), R_IO);
	nor.program_error = 0;
	nor.at_once = 0;
	CHECK_INT(blk_write(&flash.blk, 0, &b, 1), R_IO);
	blk_mtd_init(&flash, 7, FLASH, ERASE, false);
	CHECK_INT(blk_write(&flash.blk, 0, &b, 1), R_READ_ONLY);
}

/* ---- the environment on it: copies of 512 bytes, in blocks 1 and 3 */

static struct boot boot;
static struct blk_window copy[2];
static struct diag d;

static void open_environment(void)
{
	static const char *const names[] = {"A", "B"};
	struct blk *stores[2];

	for (unsigned i = 0; i < 2; i++) {
		CHECK_INT(blk_window_init(
		              &copy[i], &flash.blk, ERASE + i * 2 * ERASE, 512),
		    0);
		stores[i] = &copy[i].blk;
	}
	memset(&boot, 0, sizeof boot);
	memset(&d, 0, sizeof d);
	boot.nor = true;
	boot.defaults.p = "keep=me\nBOOT_ORDER=A B\n";
	boot.defaults.len = strlen(boot.defaults.p);
	CHECK_INT(boot_open(&boot, "uboot", stores, 2, names, 2, &d), 0);
}

/* Both copies written once. */
static void made(void)
{
	fresh();
	open_environment();
	CHECK_INT(boot_set_primary(&boot, 0, 3, &d), 0);
	CHECK_INT(boot_set_primary(&boot, 1, 3, &d), 0);
	open_environment();
	CHECK(boot.state.valid);
	CHECK_INT(boot.state.primary, 1);
}

static void test_environment(void)
{
	unsigned old;

	made();
	old = boot.active;
	memset(nor.erased, 0, sizeof nor.erased);
	CHECK_INT(boot_mark_bad(&boot, 1, &d), 0);
	/* Only the older copy is erased; the newer loses its flag. */
	CHECK_INT(nor.erased[1 + 2 * old], 0);
	CHECK_INT(nor.erased[1 + 2 * (1 - old)], 1);
	CHECK_INT(nor.data[ERASE + 2 * old * ERASE + 4], 0);
	CHECK_INT(nor.data[ERASE + 2 * (1 - old) * ERASE + 4], 1);
	CHECK(nor.unlocks > 0);
	open_environment();
	CHECK_INT(boot.active, 1 - old);
	CHECK_INT(boot.state.primary, 0);
	CHECK_INT(boot.state.name[1].attempts, 0);

	nor.erase_error = EIO;
	CHECK_INT(boot_set_primary(&boot, 1, 3, &d), R_BOOT_IO);
	nor.erase_error = EROFS;
	CHECK_INT(boot_set_primary(&boot, 1, 3, &d), R_BOOT_IO);
	nor.erase_error = 0;
	open_environment();
	CHECK_INT(boot.state.primary, 0);
	nor.read_error = EIO;
	CHECK_INT(boot_set_primary(&boot, 1, 3, &d), R_BOOT_IO);
	open_environment();
	CHECK(!boot.state.valid);
}

/* Whenever the power goes, it is the state before or the state after. */
static void test_power_cut(void)
{
	unsigned before = 0, after = 0;

	for (unsigned cut = 1; cut < 20; cut++) {
		for (unsigned half = 0; half < 2; half++) {
			bool old;
			int r;

			made();
			nor.left = cut;
			nor.half = half != 0;
			r = boot_mark_bad(&boot, 1, &d);
			CHECK_INT(r, nor.dead ? R_BOOT_IO : 0);
			nor.dead = false;
			nor.left = FOREVER;
			open_environment();
			CHECK(boot.state.valid);
			old = boot.state.primary == 1;
			CHECK_INT(boot.state.name[1].attempts, old ? 3 : 0);
			before += old;
			after += !old;
			/* And it can be written again. */
			CHECK_INT(boot_mark_bad(&boot, 1, &d), 0);
			open_environment();
			CHECK_INT(boot.state.primary, 0);
		}
	}
	CHECK(before > 0);
	CHECK(after > 0);
}

int main(void)
{
	test_write();
	test_errors();
	test_environment();
	test_power_cut();
	return check_done("blk_mtd");
}
