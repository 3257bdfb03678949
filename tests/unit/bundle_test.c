/* SPDX-License-Identifier: 0BSD */
/*
 * Whole bundles, made by rauc (tests/data/mkbundles.sh): from the file's last
 * eight bytes to the bytes of an image, and everything that must not work.
 */
#include <stdlib.h>
#include <time.h>

#include "bundle/bundle.h"
#include "check.h"
#include "load.h"

#define DIR "build/tests/bundles/"
#define FILE_MAX 4000000

static uint8_t file[FILE_MAX], image[FILE_MAX], want[FILE_MAX];
static struct keyring keyring;
static struct trust_policy policy;
static struct bundle bundle;

static size_t load(const char *name, uint8_t *dst)
{
	size_t n = load_file(dst, FILE_MAX, DIR "%s", name);

	CHECK(n > 0 && n < FILE_MAX);
	return n;
}

static struct blk_mem mem;

static int open_bytes(size_t size, struct diag *d)
{
	blk_mem_init(&mem, file, size, false);
	return bundle_open(&bundle, &mem.blk, &keyring, &policy, d);
}

static int open_bundle(const char *name, struct diag *d)
{
	return open_bytes(load(name, file), d);
}

/* All of an image through reads of at most cap bytes; holes as zeros. */
static int read_image(const struct manifest_image *m, size_t cap, size_t *size,
    size_t *holes, struct diag *d)
{
	static struct bundle_image i;
	int r = bundle_image_open(&bundle, m, &i, d);

	*size = *holes = 0;
	while (r == 0) {
		size_t n = 0;
		bool sparse = false;

		r = bundle_image_read(&i, image + *size,
		    MIN(cap, sizeof image - *size), &n, &sparse, d);
		if (r != 0 || n == 0)
			break;
		if (sparse)
			memset(image + *size, 0, n);
		*holes += sparse ? n : 0;
		*size += n;
	}
	return r;
}

static void test_read(const char *name)
{
	static const size_t caps[] = {1000000, 65536, 4096, 1001};
	struct diag d = {0};
	size_t size, holes;

	CHECK_INT(open_bundle(name, &d), 0);
	CHECK_STR(d.seen, "");
	CHECK_STR(bundle.manifest.compatible, "Test");
	CHECK_STR(bundle.manifest.version, "2024.1");
	CHECK_INT(bundle.manifest.format, FORMAT_VERITY);
	CHECK_INT(bundle.manifest.images, 2);
	CHECK_STR(bundle.manifest.image[0].slotclass, "rootfs");
	CHECK_INT(bundle.manifest.image[0].type, IMAGE_EXT4);
	CHECK_INT(bundle.manifest.image[1].type, IMAGE_RAW);
	CHECK_STR(bundle.signer.cn, "Test signer");
	CHECK_INT(bundle_verify(&bundle, NULL, NULL, &d), 0);
	for (size_t k = 0; k < ARRAY_LEN(caps); k++) {
		for (unsigned i = 0; i < bundle.manifest.images; i++) {
			const struct manifest_image *m =
			    &bundle.manifest.image[i];
			size_t n = load(m->filename, want);

			CHECK_INT(read_image(m, caps[k], &size, &holes, &d), 0);
			CHECK_INT(size, n);
			CHECK_INT(m->size, n);
			CHECK_MEM(image, want, n);
			/* rootfs.ext4 is a million zeros in the middle. */
			CHECK(i == 1 || bundle.sqfs.block_size > 500000 ||
			      holes > 500000);
		}
	}
}

static int count_calls(void *ctx, uint64_t done, uint64_t total)
{
	unsigned *left = ctx;

	CHECK(done <= total);
	return (*left)-- == 0;
}

/* One image, of any format and codec. */
static void test_kernel(const char *name, enum bundle_format format)
{
	struct diag d = {0};
	size_t size, holes, n;

	CHECK_INT(open_bundle(name, &d), 0);
	CHECK_STR(d.seen, "");
	CHECK_INT(bundle.manifest.format, format);
	CHECK(!bundle.verified);
	CHECK_INT(bundle_verify(&bundle, NULL, NULL, &d), 0);
	CHECK(bundle.verified);
	CHECK_INT(bundle.manifest.images, 1);
	n = load("kernel.img", want);
	CHECK_INT(
	    read_image(&bundle.manifest.image[0], 65536, &size, &holes, &d), 0);
	CHECK_INT(size, n);
	CHECK_MEM(image, want, n);
}

/* bundle-formats: each mask against each format. */
static void test_formats(void)
{
	static const char *const names[] = {
	    [FORMAT_PLAIN] = "plain.raucb",
	    [FORMAT_VERITY] = "small.raucb",
	    [FORMAT_CRYPT] = "crypt.raucb",
	};

	for (unsigned f = FORMAT_PLAIN; f <= FORMAT_CRYPT; f++) {
		size_t size = load(names[f], file);

		for (unsigned mask = 0; mask < 8; mask++) {
			struct diag d = {0};
			bool may = mask == 0 || (mask >> f & 1) != 0;

			bundle.formats = mask;
			CHECK_INT(open_bytes(size, &d),
			    may ? 0 : R_FORMAT_UNSUPPORTED);
			CHECK(may || strncmp(d.seen, "format=", 7) == 0);
			CHECK(may || (mask & 2) == 0 ||
			      strstr(d.seen, " verity"));
		}
	}
	bundle.formats = 0;
}

/* A plain bundle's manifest is what its payload has, and its payload is what
 * was signed. */
static void test_plain_refused(void)
{
	struct diag d = {0};
	size_t size = load("plain.raucb", file);
	unsigned stop = 0;

	file[5000] ^= 1;
	CHECK_INT(open_bytes(size, &d), R_CMS_DIGEST);
	CHECK(strstr(d.seen, "payload"));
	file[5000] ^= 1;
	diag_clear(&d);
	bundle.progress = count_calls;
	bundle.ctx = &stop;
	/* Who it is from is judged first, and then the payload is read. */
	file[size - 9] ^= 1;
	CHECK_INT(open_bytes(size, &d), R_CMS_SIGNATURE);
	CHECK_INT(stop, 0);
	file[size - 9] ^= 1;
	diag_clear(&d);
	bundle.ctx = &stop;
	CHECK_INT(open_bytes(size, &d), R_CANCELLED);
	bundle.progress = NULL;
	diag_clear(&d);
	CHECK_INT(open_bundle("plainverity.raucb", &d), R_MANIFEST_VALUE);
	CHECK(strstr(d.seen, "format=verity"));
	diag_clear(&d);
	CHECK_INT(open_bundle("plainbare.raucb", &d), R_MANIFEST_MISSING);
	CHECK(strstr(d.seen, "manifest.raucm"));
	diag_clear(&d);
	CHECK_INT(open_bundle("plainlarge.raucb", &d), R_LIMIT);
	diag_clear(&d);
	CHECK_INT(open_bundle("plainodd.raucb", &d), 0);
	CHECK(bundle.payload_size % 4096 != 0);
	diag_clear(&d);
	CHECK_INT(open_bundle("inlineplain.raucb", &d), R_MANIFEST_VALUE);
	CHECK(strstr(d.seen, "format=plain"));
}

static void test_refused(void)
{
	static const struct {
		const char *name;
		int reason;
		const char *seen;
	} cases[] = {
	    {"veritysize.raucb", R_VERITY_SIZE, "hash tree of"},
	    {"verityless.raucb", R_VERITY_SIZE, "hash tree of 8192 bytes"},
	    {"unknownkey.raucb", R_MANIFEST_KEY, "verity-colour"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag d = {0};

		CHECK_INT(open_bundle(cases[i].name, &d), cases[i].reason);
		CHECK_INT(d.reason, cases[i].reason);
		CHECK(strstr(d.seen, cases[i].seen));
	}
}

static void test_images_refused(void)
{
	struct diag d = {0};
	size_t size, holes;
	struct manifest_image m;

	CHECK_INT(open_bundle("imagesize.raucb", &d), 0);
	CHECK_INT(
	    read_image(&bundle.manifest.image[0], 4096, &size, &holes, &d),
	    R_IMAGE_SIZE);
	CHECK_STR(
	    d.seen, "rootfs.ext4 has 1912345 bytes, the manifest says 1912346");
	diag_clear(&d);
	CHECK_INT(open_bundle("imagename.raucb", &d), 0);
	CHECK_INT(
	    read_image(&bundle.manifest.image[1], 4096, &size, &holes, &d),
	    R_IMAGE_MISSING);
	CHECK_STR(d.seen, "other.img");
	diag_clear(&d);
	CHECK_INT(open_bundle("lzo.raucb", &d), 0);
	CHECK_INT(
	    read_image(&bundle.manifest.image[0], 4096, &size, &holes, &d),
	    R_SQFS_CODEC);
	CHECK(strstr(d.seen, "lzo"));
	diag_clear(&d);
	CHECK_INT(open_bundle("hook.raucb", &d), 0);
	CHECK_STR(bundle.manifest.wants_code, "[hooks] filename=hook");
	m = bundle.manifest.image[0];
	CHECK_INT(read_image(&m, 4096, &size, &holes, &d), 0);
}

static void put_size(size_t end, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		file[end - 1 - i] = (uint8_t)(v >> 8 * i);
}

static void test_trailer(void)
{
	struct diag d = {0};
	size_t size = load("small.raucb", file);
	uint64_t cms = load_be64(file + size - 8);

	CHECK_INT(open_bytes(size, &d), 0);
	for (size_t n = 0; n <= 8; n++)
		CHECK_INT(open_bytes(n, NULL), R_BUNDLE_SHORT);
	put_size(size, 0);
	CHECK_INT(open_bytes(size, NULL), R_SIG_SIZE_ZERO);
	put_size(size, size - 8);
	CHECK(open_bytes(size, NULL) != 0);
	put_size(size, size - 7);
	CHECK_INT(open_bytes(size, NULL), R_SIG_SIZE_LARGE);
	put_size(size, BUNDLE_SIG_MAX + 1);
	CHECK_INT(open_bytes(size, NULL), R_SIG_SIZE_LARGE);
	put_size(size, UINT64_MAX);
	CHECK_INT(open_bytes(size, NULL), R_SIG_SIZE_LARGE);
	put_size(size, __builtin_bswap64(cms));
	CHECK_INT(open_bytes(size, &d), R_SIG_SIZE_LITTLE);
	put_size(size, cms - 1);
	CHECK_INT(open_bytes(size, NULL), R_CMS_SYNTAX);
	put_size(size, cms + 4096);
	CHECK(open_bytes(size, NULL) != 0);
	put_size(size, cms);
	CHECK_INT(open_bytes(size, NULL), 0);
	/* There would be room for it, but max-bundle-signature-size. */
	size = load("good.raucb", file);
	put_size(size, BUNDLE_SIG_MAX + 1);
	CHECK_INT(open_bytes(size, NULL), R_SIG_SIZE_LARGE);
}

/* As a copy that was broken off: no prefix of a bundle is one. */
static void test_truncated(void)
{
	size_t size = load("small.raucb", file);
	unsigned accepted = 0;

	for (size_t n = 0; n < size; n++)
		accepted += open_bytes(n, NULL) == 0;
	CHECK_INT(accepted, 0);
}

static int flipped(size_t at)
{
	int r;

	file[at] ^= 0x10;
	r = bundle_verify(&bundle, NULL, NULL, NULL);
	file[at] ^= 0x10;
	return r;
}

/* authenticated-before-written: every byte of data and tree is checked. */
static void test_authenticated_before_written(void)
{
	struct diag d = {0};
	unsigned refused = 0, right = 0;
	size_t size = load("small.raucb", file);
	uint64_t data, payload;

	CHECK_INT(open_bytes(size, &d), 0);
	data = bundle.verity.blk.size;
	payload = bundle.payload_size;
	for (size_t at = 0; at < payload; at++) {
		int r = flipped(at);

		refused += r != 0;
		right += at < data
		             ? r == R_VERITY_DATA
		             : r == R_VERITY_TREE || r == R_VERITY_PADDING;
	}
	CHECK_INT(refused, payload);
	CHECK_INT(right, payload);
	CHECK_INT(bundle_verify(&bundle, NULL, NULL, &d), 0);
	/* And of what comes behind them. */
	refused = 0;
	for (size_t at = (size_t)payload; at < size; at++) {
		file[at] ^= 0x10;
		refused += open_bytes(size, NULL) != 0;
		file[at] ^= 0x10;
	}
	CHECK_INT(refused, size - payload);
}

static void test_damaged_image(void)
{
	struct diag d = {0};
	size_t size, holes;

	CHECK_INT(open_bundle("good.raucb", &d), 0);
	file[4096 * 3 + 7] ^= 1;
	CHECK_INT(
	    read_image(&bundle.manifest.image[0], 65536, &size, &holes, &d),
	    R_VERITY_DATA);
	CHECK(strstr(d.seen, "data block 3 of "));
	/* below the decryption */
	diag_clear(&d);
	CHECK_INT(open_bundle("crypt.raucb", &d), 0);
	file[4096 + 7] ^= 1;
	CHECK_INT(
	    read_image(&bundle.manifest.image[0], 65536, &size, &holes, &d),
	    R_VERITY_DATA);
	CHECK(strstr(d.seen, "data block 1 of "));
}

static void test_progress(void)
{
	struct diag d = {0};
	unsigned left = 1000000;

	CHECK_INT(open_bundle("good.raucb", &d), 0);
	CHECK_INT(bundle_verify(&bundle, count_calls, &left, &d), 0);
	CHECK(left < 1000000);
	left = 2;
	CHECK_INT(bundle_verify(&bundle, count_calls, &left, &d), R_CANCELLED);
}

static void test_walk(void)
{
	static struct sqfs_walk w;
	static struct bundle_image i;
	struct diag d = {0};
	char all[256] = "";
	int r;

	CHECK_INT(open_bundle("good.raucb", &d), 0);
	r = bundle_walk_start(&bundle, &w, &d);
	CHECK_INT(r, 0);
	while (r >= 0 && (r = bundle_walk_next(&bundle, &w, &i, &d)) == 1) {
		strcat(all, w.path);
		strcat(all, "\n");
	}
	CHECK_INT(r, 0);
	CHECK_STR(all, "kernel.img\nmanifest.raucm\nrootfs.ext4\n");
}

int main(void)
{
	size_t n;

	if (system("tests/data/mkbundles.sh " DIR " >&2") != 0)
		return 1;
	policy.now = time(NULL);
	n = load("keyring.pem", file);
	CHECK_INT(keyring_load(&keyring, (const char *)file, n, NULL), 0);
	test_read("good.raucb");
	test_read("zstd.raucb");
	test_kernel("xz.raucb", FORMAT_VERITY);
	test_kernel("lz4.raucb", FORMAT_VERITY);
	test_kernel("plain.raucb", FORMAT_PLAIN);
	test_kernel("crypt.raucb", FORMAT_CRYPT);
	test_formats();
	test_plain_refused();
	test_refused();
	test_images_refused();
	test_trailer();
	test_truncated();
	test_authenticated_before_written();
	test_damaged_image();
	test_progress();
	test_walk();
	return check_done("bundle");
}
