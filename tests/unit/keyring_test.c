/* SPDX-License-Identifier: 0BSD */
#include "bundle/trust.h"

#include <stdlib.h>

#include "check.h"

static char root[8192], rsa[8192], crl[8192];
static char text[1 << 20];
static struct keyring ring;

static void load(const char *path, char *dst, size_t cap)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(dst, 1, cap - 1, f) : 0;

	CHECK(n > 0);
	dst[n] = '\0';
	if (f)
		fclose(f);
}

static int try(const char *pem, struct diag *d)
{
	memset(&ring, 0, sizeof ring);
	diag_clear(d);
	return keyring_load(&ring, pem, strlen(pem), d);
}

static void test_good(void)
{
	struct diag d = {0};
	size_t used;

	CHECK_INT(try(root, &d), 0);
	CHECK_INT(ring.count, 1);
	CHECK_INT(ring.cert[0].len, ring.used);
	used = ring.used;
	/* a second file adds; a certificate that is there already does not */
	CHECK_INT(keyring_load(&ring, rsa, strlen(rsa), &d), 0);
	CHECK_INT(ring.count, 2);
	CHECK_INT(keyring_load(&ring, root, strlen(root), &d), 0);
	CHECK_INT(ring.count, 2);
	CHECK_INT(ring.used, used + ring.cert[1].len);
	/* text, blanks, CRLF and other blocks around it */
	snprintf(text, sizeof text,
	    "a comment\n-----BEGIN PUBLIC KEY-----\n?\n-----END PUBLIC "
	    "KEY-----\r\n%s\n# more\n%s",
	    root, rsa);
	CHECK_INT(try(text, &d), 0);
	CHECK_INT(ring.count, 2);
	CHECK_INT(d.reason, 0);
	/* no line end behind the last line */
	snprintf(text, sizeof text, "%s", root);
	text[strlen(text) - 1] = '\0';
	CHECK_INT(try(text, &d), 0);
}

static void test_crlf(void)
{
	struct diag d = {0};
	size_t n = 0;

	for (const char *p = root; *p; p++) {
		if (*p == '\n')
			text[n++] = '\r';
		text[n++] = *p;
	}
	text[n] = '\0';
	CHECK_INT(try(text, &d), 0);
	CHECK_INT(ring.count, 1);
}

static void test_bad(void)
{
#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"
	static const struct {
		const char *pem, *says;
	} rows[] = {
	    {"", "0 bytes without"},
	    {"hello\n", "without a line"},
	    {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
	        "without a line"},
	    {BEGIN, "no line"},
	    {BEGIN "MAAA\n", "no line"},
	    {BEGIN END, "malformed"},
	    {BEGIN "AAAA\n" END, "malformed"},
	    {BEGIN "MAA\n" END, "cut short"},
	    {BEGIN "MA=A\n" END, "no base64"},
	    {BEGIN "M===\n" END, "no base64"},
	    {BEGIN "MA==\nMA==\n" END, "no base64"},
	    {BEGIN "M!AA\n" END, "no base64"},
	};
	struct diag d = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(try(rows[i].pem, &d), R_KEYRING);
		CHECK_INT(d.reason, R_KEYRING);
		CHECK(strstr(d.seen, rows[i].says) != NULL);
		CHECK_INT(ring.count, 0);
		CHECK_INT(ring.used, 0);
	}
}

static void test_crl(void)
{
	struct diag d = {0};
	size_t used;
	char *p;

	snprintf(text, sizeof text, "%s%s%s", crl, root, crl);
	CHECK_INT(try(text, &d), 0);
	CHECK_INT(ring.count, 1);
	CHECK_INT(ring.crls, 1);
	CHECK_INT(ring.used, ring.cert[0].len + ring.crl[0].len);
	/* one alone, beside a certificate that is there, and alone */
	CHECK_INT(try(root, &d), 0);
	CHECK_INT(keyring_load(&ring, crl, strlen(crl), &d), 0);
	CHECK_INT(ring.crls, 1);
	used = ring.used;
	CHECK_INT(keyring_load(&ring, "x", 1, NULL), R_KEYRING);
	CHECK_INT(ring.used, used);
	CHECK_INT(try(crl, &d), R_KEYRING);
	/* malformed */
	snprintf(text, sizeof text, "%s%s", root, crl);
	p = strstr(text, "X509 CRL-----") + 40;
	*p = *p == 'A' ? 'B' : 'A';
	CHECK_INT(try(text, &d), R_KEYRING);
	CHECK(strstr(d.seen, "block 2 of the keyring, a CRL: CRL of") != NULL);
	CHECK_INT(ring.count, 0);
	CHECK_INT(ring.crls, 0);
	/* too many */
	snprintf(text, sizeof text, "%s", root);
	for (unsigned i = 0; i <= KEYRING_CRLS; i++) {
		char *from = strstr(crl, "-----END") - 30;

		*from = (char)('A' + i); /* in the CRL */
		strcat(text, crl);
	}
	CHECK_INT(try(text, &d), R_LIMIT);
	CHECK(strstr(d.seen, "16 CRLs") != NULL);
	CHECK_INT(ring.crls, 0);
}

/* One bad certificate refuses the file, and leaves what was there before. */
static void test_all_or_nothing(void)
{
	struct diag d = {0};
	char *p;

	CHECK_INT(try(root, &d), 0);
	snprintf(text, sizeof text, "%s%s", rsa, root);
	p = strstr(text, rsa) + strlen(rsa) + 40;
	*p = *p == 'A' ? 'B' : 'A';
	CHECK_INT(keyring_load(&ring, text, strlen(text), &d), R_KEYRING);
	CHECK(strstr(d.seen, "block 2 of the keyring, a certificate") != NULL);
	CHECK_INT(ring.count, 1);
	CHECK_INT(ring.used, ring.cert[0].len);
}

static void test_limits(void)
{
	struct diag d = {0};
	char links[32768];

	memset(&ring, 0, sizeof ring);
	load("build/tests/certs/many.pem", links, sizeof links);
	CHECK_INT(keyring_load(&ring, links, strlen(links), &d), R_LIMIT);
	CHECK(strstr(d.seen, "32 certificates") != NULL);
	CHECK_INT(ring.count, 0);

	/* one block that is larger than the keyring */
	strcpy(text, "-----BEGIN CERTIFICATE-----\n");
	memset(text + strlen(text), 'A', KEYRING_BYTES * 4 / 3 + 8);
	diag_clear(&d);
	CHECK_INT(keyring_load(&ring, text, strlen(text), &d), R_LIMIT);
	CHECK(strstr(d.seen, "49152") != NULL);
	CHECK_INT(ring.used, 0);
}

int main(void)
{
	if (system("sh tests/data/mkcerts.sh build/tests/certs") != 0)
		return 1;
	load("build/tests/certs/root.pem", root, sizeof root);
	load("build/tests/certs/root-rsa.pem", rsa, sizeof rsa);
	load("build/tests/certs/root.crl", crl, sizeof crl);
	test_good();
	test_crlf();
	test_bad();
	test_crl();
	test_all_or_nothing();
	test_limits();
	return check_done("keyring_test");
}
