/* SPDX-License-Identifier: 0BSD */
/*
 * trust_case KEYRING CMS [KEY=VALUE...]: one decision under a clock of its
 * own, for comparisons with openssl. Keys: purpose (smimesign, codesign, any),
 * partial, crl (0 or 1), time (floor, clock, signing), now, floor, signers,
 * content (a file: the signature is detached). Prints "ok" or the reason's
 * name and what was seen; exit 0 or 1, 2 when it cannot run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bundle/key.h"
#include "bundle/trust.h"
#include "load.h"

static struct keyring ring;
static struct signer who;
static uint8_t cms[1 << 17], content[1 << 20];
static char pem[1 << 20];

static size_t load(const char *path, void *dst, size_t cap)
{
	size_t n = load_file(dst, cap, "%s", path);

	if (n == 0) {
		perror(path);
		exit(2);
	}
	return n;
}

static unsigned word(const char *value, const char *const *words)
{
	for (unsigned i = 0; words[i]; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	fprintf(stderr, "%s?\n", value);
	exit(2);
}

static void set(
    struct trust_policy *p, const char *key, const char *value, size_t *len)
{
	static const char *const purposes[] = {
	    "smimesign", "codesign", "any", NULL};
	static const char *const times[] = {"floor", "clock", "signing", NULL};
	static const char *const keys[] = {"purpose", "partial", "crl", "time",
	    "now", "floor", "signers", "content", NULL};

	switch (word(key, keys)) {
	case 0:
		p->purpose = (enum purpose)word(value, purposes);
		break;
	case 1:
		p->allow_partial_chain = atoi(value);
		break;
	case 2:
		p->check_crl = atoi(value);
		break;
	case 3:
		p->time = (enum time_policy)word(value, times);
		break;
	case 4:
		p->now = atoll(value);
		break;
	case 5:
		p->floor = atoll(value);
		break;
	case 6:
		p->min_signers = (unsigned)atoi(value);
		break;
	default:
		*len = load(value, content, sizeof content);
	}
}

static int verify(
    size_t cms_len, size_t len, const struct trust_policy *p, struct diag *d)
{
	struct content_digest c = {.have = 7};
	struct slice s = {(const char *)content, len};

	if (len == 0)
		return cms_verify(cms, cms_len, &ring, p, &s, &who, d);
	for (unsigned i = 0; i < 3; i++)
		(void)hash_two((enum hash_id)(HASH_SHA256 + i), s,
		    (struct slice){"", 0}, c.of[i]);
	return cms_verify_detached(cms, cms_len, &c, &ring, p, &who, d);
}

int main(int argc, char **argv)
{
	struct trust_policy p = {.now = time(NULL), .time = TIME_CLOCK};
	struct diag d = {0};
	size_t cms_len, len = 0;
	int r;

	if (argc < 3)
		return 2;
	for (int i = 3; i < argc; i++) {
		char *eq = strchr(argv[i], '=');

		if (!eq)
			return 2;
		*eq = '\0';
		set(&p, argv[i], eq + 1, &len);
	}
	cms_len = load(argv[2], cms, sizeof cms);
	r = keyring_load(&ring, pem, load(argv[1], pem, sizeof pem), &d);
	if (r == 0)
		r = verify(cms_len, len, &p, &d);
	printf("%s%s%s\n", reason_name(r), r ? ": " : "", d.seen);
	return r != 0;
}
