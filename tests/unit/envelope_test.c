/* SPDX-License-Identifier: 0BSD */
/*
 * Encrypted bundles, made by rauc and by openssl in every way that either has:
 * who can open them, and that whoever cannot learns one thing only.
 */
#include <bearssl.h>
#include <stdlib.h>
#include <time.h>
#include <ucontext.h>

#include "bundle/bundle.h"
#include "bundle/der.h"
#include "check.h"
#include "load.h"

#define DIR "build/tests/bundles/"
#define FILE_MAX 200000

#define STEP 10

static uint8_t file[FILE_MAX], want[FILE_MAX], image[FILE_MAX];
static char text[20000];
static struct keyring keyring;
static struct trust_policy policy;
static struct recipient rsa, rsa_cert, ec, ec_cert, no, no_cert;
static struct bundle bundle;
static struct blk_mem mem;
static struct diag d;

static size_t load(const char *name, void *dst, size_t cap)
{
	size_t n = load_file(dst, cap, DIR "%s", name);

	CHECK(n > 0 && n < cap);
	return n;
}

static void load_key(struct recipient *r, const char *key, const char *cert)
{
	size_t n = load(key, text, sizeof text);

	diag_clear(&d);
	CHECK_INT(recipient_load(r, text, n, &d), 0);
	if (!cert)
		return;
	n = load(cert, text, sizeof text);
	CHECK_INT(recipient_load_cert(r, text, n, &d), 0);
	CHECK_STR(d.seen, "");
}

static int open_for(const char *name, const struct recipient *r)
{
	diag_clear(&d);
	blk_mem_init(&mem, file, load(name, file, sizeof file), false);
	bundle.recipient = r;
	return bundle_open(&bundle, &mem.blk, &keyring, &policy, &d);
}

/* Opens, verifies and reads the image through all layers. */
static void opens(const char *name, const struct recipient *r)
{
	static struct bundle_image i;
	size_t size = load("kernel.img", want, sizeof want), len = 0, n = 1;
	bool hole;

	CHECK_INT(open_for(name, r), 0);
	if (d.reason != 0) {
		printf("%s: %s\n", name, d.seen);
		return;
	}
	CHECK(bundle.enveloped);
	CHECK_INT(bundle.manifest.format, FORMAT_CRYPT);
	CHECK_STR(bundle.signer.cn, "Test signer");
	CHECK_INT(bundle_verify(&bundle, NULL, NULL, &d), 0);
	CHECK_INT(
	    bundle_image_open(&bundle, &bundle.manifest.image[0], &i, &d), 0);
	while (n > 0 && bundle_image_read(&i, image + len, sizeof image - len,
	                    &n, &hole, &d) == 0)
		len += n;
	CHECK_INT(len, size);
	CHECK_MEM(image, want, size);
}

static void refused(
    const char *name, const struct recipient *r, int reason, const char *seen)
{
	CHECK_INT(open_for(name, r), reason);
	CHECK_INT(d.reason, reason);
	CHECK(strstr(d.seen, seen));
	if (d.reason != reason || !strstr(d.seen, seen))
		printf("%s: %s (%s)\n", name, d.seen, reason_name(d.reason));
}

static const char shut[] =
    "this device's key does not open it, or what is in it is damaged, or not "
    "signed by whom this device trusts";

static void test_rsa(void)
{
	static const char *const names[] = {"enc.raucb", "enc-rsa.raucb",
	    "enc-rsa128.raucb", "enc-rsa192.raucb", "enc-keyid.raucb",
	    "enc-oaep.raucb", "enc-oaep256.raucb", "enc-oaep512.raucb",
	    "enc-both.raucb"};

	opens("enc-late.raucb", &rsa);
	opens("enc-late.raucb", &rsa_cert);
	opens("enc-late.raucb", &no);
	opens("enc-late.raucb", &no_cert);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		opens(names[i], &rsa);
		opens(names[i], &rsa_cert);
		refused(names[i], &no_cert, R_CRYPT_KEY,
		    "none of which is this device");
		refused(names[i], &no, R_CRYPT_KEY, shut);
		refused(names[i], NULL, R_CMS_ENCRYPTED, "format=crypt");
	}
}

static void test_ec(void)
{
	static const char *const names[] = {"enc.raucb", "enc-ec.raucb",
	    "enc-ec128.raucb", "enc-eckeyid.raucb", "enc-ec256.raucb",
	    "enc-ec384.raucb", "enc-ec512.raucb", "enc-both.raucb",
	    "enc-late.raucb"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		opens(names[i], &ec);
		opens(names[i], &ec_cert);
	}
	for (size_t i = 1; i < 7; i++) {
		refused(names[i], &rsa, R_CRYPT_KEY, "1 recipients, none");
		refused(names[i], &no_cert, R_CRYPT_KEY, "1 recipients, none");
	}
}

static void test_curves(void)
{
	struct recipient r;

	load_key(&r, "crypt-p384.key", NULL);
	opens("enc-p384.raucb", &r);
	load_key(&r, "crypt-p521.key", "crypt-p521.pem");
	opens("enc-p521.raucb", &r);
	refused("enc-p384.raucb", &r, R_CRYPT_KEY, "none of which");
	refused("enc-p384.raucb", &ec, R_CRYPT_KEY, "none of which");
	load_key(&r, "crypt-3072.key", NULL);
	opens("enc-3072.raucb", &r);
}

static void test_refused(void)
{
	refused("enc-other.raucb", &rsa, R_CRYPT_KEY, shut);
	refused("enc-other.raucb", &rsa_cert, R_CRYPT_KEY, "none of which");
	refused("enc-gcm.raucb", &rsa, R_CMS_TYPE, "AES-GCM");
	refused("enc-des3.raucb", &rsa, R_CMS_ALGORITHM, "1.2.840.113549.3.7");
	refused("enc-oaepmix.raucb", &rsa, R_CMS_ALGORITHM, "113549.1.1.7");
	refused("enc-label.raucb", &rsa, R_CMS_ALGORITHM, "113549.1.1.7");
	refused("enc-stream.raucb", &rsa, R_CMS_BER, "BER");
	/* opens, and holds half of a signature */
	refused("enc-cut.raucb", &rsa, R_CRYPT_KEY, shut);
	CHECK_INT(open_for("crypt.raucb", &rsa), 0);
	CHECK(!bundle.enveloped);
	bundle.formats = 1 << FORMAT_PLAIN | 1 << FORMAT_VERITY;
	refused("enc-rsa.raucb", &rsa, R_FORMAT_UNSUPPORTED,
	    "format=crypt, bundle-formats of system.conf allows plain verity");
	refused("crypt.raucb", &rsa, R_FORMAT_UNSUPPORTED, "format=crypt");
	bundle.formats = 0;
}

/* As many recipients as the signature has room for; but not as many attempts
 * with the device's key. */
static void test_many(void)
{
	static const char cert[] =
	    "more than 16 recipients may be this device: set cert=";
	static const char two[] = "malformed: two recipients are this device";

	refused("enc-fleet.raucb", &rsa, R_LIMIT, cert);
	opens("enc-fleet.raucb", &ec);
	opens("enc-fleet.raucb", &rsa_cert);
	opens("enc-fleet.raucb", &ec_cert);
	opens("enc-tries.raucb", &ec);
	opens("enc-tries.raucb", &rsa_cert);
	refused("enc-tries.raucb", &ec_cert, R_CMS_SYNTAX, two);
	refused("enc-limit.raucb", &ec, R_LIMIT, cert);
	refused("enc-limit.raucb", &ec_cert, R_CMS_SYNTAX, two);
	opens("enc-limit.raucb", &rsa_cert);
	opens("enc-twins.raucb", &rsa);
	refused("enc-twins.raucb", &rsa_cert, R_CMS_SYNTAX, two);
}

/*
 * Whoever changes what is secret of an envelope gets the same answer wherever
 * the change is: the wrapped key, the IV, the content, its padding.
 */
static void test_one_answer(const char *name, const struct recipient *r)
{
	size_t size = load(name, file, sizeof file), last = 0, same = 0;
	uint64_t cms = load_be64(file + size - 8);
	unsigned opened = 0;

	for (size_t at = size - 8 - (size_t)cms + TURN * STEP / 2;
	     at < size - 8; at += STEP) {
		int res;

		file[at] ^= 0x40;
		diag_clear(&d);
		blk_mem_init(&mem, file, size, false);
		bundle.recipient = r;
		res = bundle_open(&bundle, &mem.blk, &keyring, &policy, &d);
		file[at] ^= 0x40;
		opened += res == 0;
		if (res != R_CRYPT_KEY || strcmp(d.seen, shut) != 0)
			last = at;
		else
			same++;
	}
	/* What differs is the front, which everybody can read: tags, lengths,
	 * algorithms, names. */
	CHECK(last < size - 8 - cms + 450);
	CHECK(same > 1000 / STEP);
	/* With the certificate, whom it is for matters too. */
	CHECK_INT(opened, 0);
}

/* EFAIL: blocks of the envelope moved to where a text would show them. */
static void test_no_plaintext(void)
{
	size_t size = load("enc-rsa.raucb", file, sizeof file);
	size_t end = size - 8, start = end - 1100, shown = 0;

	/* the manifest is in front, the certificate behind it */
	for (size_t at = start; at + 32 < end; at += 16) {
		uint8_t was[32];

		memcpy(was, file + at, 32);
		memcpy(file + at, file + start - 96, 32);
		diag_clear(&d);
		blk_mem_init(&mem, file, size, false);
		bundle.recipient = &rsa;
		if (bundle_open(&bundle, &mem.blk, &keyring, &policy, &d) !=
		        R_CRYPT_KEY ||
		    strcmp(d.seen, shut) != 0)
			shown++;
		memcpy(file + at, was, 32);
	}
	CHECK_INT(shown, 0);
}

/* What the device computes from enc-rsa.raucb, by other means. */
static struct {
	uint8_t *iv, *content; /* in file */
	size_t len, size;      /* of the content, of the file */
	uint8_t block[256];    /* PKCS#1's, around the content key */
	uint8_t key[32];
} inside;

static void look_inside(const char *name)
{
	const struct recipient *r = &rsa;
	br_rsa_private_key sk = {.n_bitlen = 2048,
	    .p = (unsigned char *)(uintptr_t)r->p.p,
	    .plen = r->p.len,
	    .q = (unsigned char *)(uintptr_t)r->q.p,
	    .qlen = r->q.len,
	    .dp = (unsigned char *)(uintptr_t)r->dp.p,
	    .dplen = r->dp.len,
	    .dq = (unsigned char *)(uintptr_t)r->dq.p,
	    .dqlen = r->dq.len,
	    .iq = (unsigned char *)(uintptr_t)r->iq.p,
	    .iqlen = r->iq.len};
	size_t size = load(name, file, sizeof file);
	size_t cms = (size_t)load_be64(file + size - 8);
	struct buf b, set, one, info, alg;
	struct der e = {0};

	buf_init(&b, file + size - 8 - cms, cms);
	b = der_enter(&b, DER_SEQUENCE);
	(void)der_oid(&b);
	b = der_enter(&b, DER_CTX_CONS(0));
	b = der_enter(&b, DER_SEQUENCE);
	(void)der_integer(&b);
	set = der_enter(&b, DER_SET);
	one = der_enter(&set, DER_SEQUENCE);
	while (buf_left(&one) > 0)
		CHECK(der_next(&one, &e));
	CHECK_INT(e.body.len, sizeof inside.block);
	memcpy(inside.block, e.body.p, sizeof inside.block);
	CHECK(br_rsa_i31_private(inside.block, &sk));
	memcpy(inside.key, inside.block + 224, 32);
	info = der_enter(&b, DER_SEQUENCE);
	(void)der_oid(&info);
	alg = der_enter(&info, DER_SEQUENCE);
	(void)der_oid(&alg);
	CHECK(der_get(&alg, DER_OCTET_STRING, &e));
	inside.iv = file + (e.body.p - (const char *)file);
	CHECK(der_get(&info, DER_CTX(0), &e));
	inside.content = file + (e.body.p - (const char *)file);
	inside.len = e.body.len;
	inside.size = size;
}

static void decrypt(uint8_t *dst)
{
	br_aes_ct64_cbcdec_keys aes;
	uint8_t iv[16];

	memcpy(iv, inside.iv, 16);
	memcpy(dst, inside.content, inside.len);
	br_aes_ct64_cbcdec_init(&aes, inside.key, 32);
	br_aes_ct64_cbcdec_run(&aes, iv, dst, inside.len);
}

static void encrypt(const uint8_t *src)
{
	br_aes_ct64_cbcenc_keys aes;
	uint8_t iv[16];

	memcpy(iv, inside.iv, 16);
	memcpy(inside.content, src, inside.len);
	br_aes_ct64_cbcenc_init(&aes, inside.key, 32);
	br_aes_ct64_cbcenc_run(&aes, iv, inside.content, inside.len);
}

static uint8_t plain[65536];

/* Where what is inside ends its own length says; and what may follow. */
static void test_length(void)
{
	/* of a SignedData, which is all that a content key is taken for */
	static const uint8_t head[] = {DER_SEQUENCE, 0x82, 0, 0, DER_OID, 9,
	    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2};
	static uint8_t out[65536];
	size_t n, cms;
	bool whole;

	look_inside("enc-rsa.raucb");
	cms = (size_t)load_be64(file + inside.size - 8);
	for (size_t pad = 0; pad < 300; pad++) {
		size_t len = inside.len - pad;

		memset(plain, (int)pad, inside.len);
		memcpy(plain, head, sizeof head);
		plain[2] = (uint8_t)((len - 4) >> 8);
		plain[3] = (uint8_t)(len - 4);
		encrypt(plain);
		CHECK_INT(envelope_open(&rsa, file + inside.size - 8 - cms, cms,
		              out, &n, &whole, &d),
		    0);
		CHECK_INT(n, len);
		CHECK_INT(whole, pad >= 1 && pad <= 16);
	}
}

/* Opens enc-rsa.raucb with another padding. */
static int repadded(const uint8_t *padding, size_t len)
{
	size_t size = load("enc-rsa.raucb", file, sizeof file);

	decrypt(plain);
	memcpy(plain + inside.len - len, padding, len);
	encrypt(plain);
	diag_clear(&d);
	blk_mem_init(&mem, file, size, false);
	bundle.recipient = &rsa;
	return bundle_open(&bundle, &mem.blk, &keyring, &policy, &d);
}

/* Vaudenay: nobody learns whether the content's padding was right who cannot
 * put a verified signature in front of it. */
static void test_padding(void)
{
	size_t cms = load("crypt.raucb", file, sizeof file);
	uint8_t right[16], wrong[16];
	size_t n;

	cms = (size_t)load_be64(file + cms - 8);
	look_inside("enc-rsa.raucb");
	n = inside.len - cms;
	CHECK(n >= 1 && n <= 16);
	memset(right, (int)n, n);
	CHECK_INT(repadded(right, n), 0);
	CHECK_STR(bundle.signer.cn, "Test signer");
	for (size_t at = 0; at < n; at++) {
		for (unsigned v = 0; v < 256; v++) {
			memcpy(wrong, right, n);
			wrong[at] = (uint8_t)v;
			if (v == n || v % (at + 1 < n ? 51 : 3) != 0)
				continue;
			memset(&bundle.signer, 0, sizeof bundle.signer);
			CHECK_INT(repadded(wrong, n), R_CRYPT_KEY);
			CHECK_STR(d.seen, shut);
			/* it was the last thing that was looked at */
			CHECK_STR(bundle.signer.cn, "Test signer");
		}
	}
}

/* envelope_open, on a stack of its own that can be looked at afterwards. */
static ucontext_t here, there;
static uint8_t stack[1 << 20];
static const struct recipient *device;

static void open_there(void)
{
	static uint8_t out[65536];
	size_t size = load_be64(file + inside.size - 8), n;
	bool whole;

	CHECK_INT(envelope_open(device, file + inside.size - 8 - size, size,
	              out, &n, &whole, &d),
	    0);
	CHECK(n > 0 && whole);
}

static void test_wiped(const char *name, const struct recipient *r)
{
	look_inside(name);
	device = r;
	memset(stack, 0, sizeof stack);
	CHECK_INT(getcontext(&there), 0);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof stack;
	there.uc_link = &here;
	makecontext(&there, open_there, 0);
	CHECK_INT(swapcontext(&here, &there), 0);
	/* It was that stack. */
	CHECK(!all_zero(stack + sizeof stack / 2, sizeof stack / 2));
	CHECK(!memmem(stack, sizeof stack, inside.key, sizeof inside.key));
	CHECK(!memmem(stack, sizeof stack, inside.block, sizeof inside.block));
}

/* What a bundle's keys are kept in is empty once it is closed, or was opened
 * in vain. */
static void test_closed(void)
{
	uint8_t key[32];
	char hex[65];

	opens("enc-rsa.raucb", &rsa);
	memcpy(key, bundle.manifest.crypt_key, sizeof key);
	hex_encode(hex, key, sizeof key);
	CHECK(!all_zero(key, sizeof key));
	CHECK(memmem(&bundle, sizeof bundle, key, sizeof key));
	CHECK(memmem(&bundle, sizeof bundle, hex, 64));
	CHECK(!all_zero(&bundle.crypt.key, sizeof bundle.crypt.key));
	bundle_close(&bundle);
	CHECK(!memmem(&bundle, sizeof bundle, key, sizeof key));
	CHECK(!memmem(&bundle, sizeof bundle, hex, 64));
	CHECK(all_zero(&bundle.crypt, sizeof bundle.crypt));
	/* a signature that is none, and a padding that is none */
	refused("enc-cut.raucb", &rsa, R_CRYPT_KEY, shut);
	CHECK(!memmem(&bundle, sizeof bundle, "Test CA", 7));
	look_inside("enc-rsa.raucb");
	CHECK_INT(repadded((const uint8_t *)"", 1), R_CRYPT_KEY);
	CHECK(!memmem(&bundle, sizeof bundle, hex, 64));
}

static void test_same(const char *pem_a, const char *pem_b)
{
	static struct recipient a, b;

	load_key(&a, pem_a, NULL);
	load_key(&b, pem_b, NULL);
	CHECK_INT(a.type, b.type);
	CHECK_INT(a.curve, b.curve);
	CHECK(a.x.len == b.x.len && a.p.len == b.p.len);
	CHECK(a.x.len + a.p.len > 0);
	if (a.x.len > 0)
		CHECK_MEM(a.x.p, b.x.p, a.x.len);
	if (a.p.len > 0)
		CHECK_MEM(a.p.p, b.p.p, a.p.len);
}

static void bad_key(const char *pem, size_t len, const char *seen)
{
	struct recipient r;

	diag_clear(&d);
	CHECK_INT(recipient_load(&r, pem, len, &d), R_CRYPT_CONF);
	CHECK(strstr(d.seen, seen));
	if (!strstr(d.seen, seen))
		printf("%s\n", d.seen);
	CHECK(all_zero(&r, sizeof r));
}

static void test_keys(void)
{
	static const char none[] = "-----BEGIN CERTIFICATE-----\nAAAA\n";
	struct recipient r;
	size_t n;

	test_same("crypt-rsa.key", "crypt-rsa1.key");
	test_same("crypt-ec.key", "crypt-ec1.key");
	bad_key("", 0, "no such PEM block");
	bad_key(none, sizeof none - 1, "no such PEM block");
	n = load("crypt-rsa.pem", text, sizeof text);
	bad_key(text, n, "no such PEM block");
	n = load("crypt-rsa.locked", text, sizeof text);
	bad_key(text, n, "an encrypted private key");
	n = load("crypt-rsa1.locked", text, sizeof text);
	bad_key(text, n, "is it encrypted");
	n = load("crypt-1024.key", text, sizeof text);
	bad_key(text, n, "2048 to 4096 bits");
	n = load("crypt-ed.key", text, sizeof text);
	bad_key(text, n, "neither RSA nor EC");
	n = load("crypt-koblitz.key", text, sizeof text);
	bad_key(text, n, "P-256, P-384 or P-521");
	/* Every length it can be cut to, every byte changed: an answer. */
	n = load("crypt-rsa.key", text, sizeof text);
	for (size_t i = 0; i + 2 < n; i++)
		CHECK(recipient_load(&r, text, i, NULL) == R_CRYPT_CONF);
	for (size_t i = 0; i < n; i++) {
		text[i] ^= 4;
		CHECK(recipient_load(&r, text, n, NULL) <= 0);
		text[i] ^= 4;
	}
	CHECK_INT(recipient_load_cert(&r, text, n, NULL), R_CRYPT_CONF);
	recipient_wipe(&r);
	CHECK(all_zero(&r, sizeof r));
}

int main(void)
{
	size_t n;

	if (system("tests/data/mkbundles.sh " DIR " >&2") != 0)
		return 1;
	policy.now = time(NULL);
	n = load("keyring.pem", text, sizeof text);
	CHECK_INT(keyring_load(&keyring, text, n, NULL), 0);
	load_key(&rsa, "crypt-rsa.key", NULL);
	load_key(&rsa_cert, "crypt-rsa.key", "crypt-rsa.pem");
	load_key(&ec, "crypt-ec.key", NULL);
	load_key(&ec_cert, "crypt-ec.key", "crypt-ec.pem");
	load_key(&no, "crypt-no.key", NULL);
	load_key(&no_cert, "crypt-no.key", "crypt-no.pem");
	test_rsa();
	test_ec();
	test_curves();
	test_refused();
	test_one_answer("enc-rsa.raucb", &rsa_cert);
	test_one_answer("enc-oaep256.raucb", &rsa_cert);
	test_one_answer("enc-ec.raucb", &ec_cert);
	test_no_plaintext();
	test_length();
	test_padding();
	test_wiped("enc-rsa.raucb", &rsa);
	test_wiped("enc-both.raucb", &rsa);
	test_wiped("enc-both.raucb", &ec);
	test_closed();
	test_many();
	test_keys();
	return check_done("envelope");
}
