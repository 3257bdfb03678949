/* SPDX-License-Identifier: 0BSD */
/*
 * trust_matrix SQUASHFS KEYS [-v] [-a] [-o PART] [-j N] [-w DIR N]: who
 * believes which bundle, over a matrix of keys, paddings, chains, purposes,
 * CRLs, clocks, identifiers, formats, recipients, names and several signers,
 * made on the spot; lifeboat against libcrypto, asked as openssl and as RAUC
 * ask it, and, for what it has an opinion about, against BearSSL's path engine.
 * Every difference has to be one of the lists below, which name the word of the
 * case that makes it, and the reason; and every entry has to make one.
 * SQUASHFS, with a manifest in it, is the payload of plain bundles; KEYS the
 * folder that keys are kept in.
 *
 * -a takes each case in each format and not in one, and asks the engine of
 * more. -o: this part only, and an entry may make no difference. -j: so many
 * processes. -w writes every Nth case to DIR, for the real programs:
 * NUMBER.raucb, .cms, .pem, .conf and a line in DIR/cases.PROCESS. Exit 1 when
 * somebody disagrees in another way.
 */
#include "trust_cases.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct difference {
	const char *word; /* of the case's name */
	const char *reason;
	const char *why;
};

static const struct difference stricter[] = {
    {"md=sha1", "signature-algorithm", "SHA-1 can be forged"},
    {"md=sha1", "certificate-algorithm", "SHA-1 can be forged"},
    {"md=sha1", "crl-unusable", "SHA-1 can be forged"},
    {"md=sha224", "signature-algorithm", "SHA-224 is not offered"},
    {"md=sha224", "certificate-algorithm", "SHA-224 is not offered"},
    {"md=sha224", "crl-unusable", "SHA-224 is not offered"},
    {"md=sha512-256", "signature-algorithm", "SHA-512/256 is not offered"},
    {"md=sha512-256", "certificate-algorithm", "SHA-512/256 is not offered"},
    {"md=sha512-256", "crl-unusable", "SHA-512/256 is not offered"},
    {"pad=pss-mgf-sha1", "signature-algorithm", "MGF1 with another hash"},
    {"pad=pss-mgf-sha1", "certificate-algorithm", "MGF1 with another hash"},
    {"pad=pss-mgf-sha1", "crl-unusable", "MGF1 with another hash"},
    {"pad=pss-mgf-sha384", "signature-algorithm", "MGF1 with another hash"},
    {"pad=pss-mgf-sha384", "certificate-algorithm", "MGF1 with another hash"},
    {"pad=pss-mgf-sha384", "crl-unusable", "MGF1 with another hash"},
    {"key=rsa1024", "certificate-key", "RSA-1024 can be broken"},
    {"key=rsa-pss", "certificate-key", "keys for PSS only are not offered"},
    {"key=rsa4104", "certificate-key", "larger than RSA-4096"},
    {"key=p224", "certificate-key", "P-224 is not offered"},
    {"key=brainpool", "certificate-key", "no NIST curve"},
    {"key=compressed", "certificate-key", "points have x and y"},
    {"key=ed448", "certificate-key", "Ed448 is not implemented"},
    {"key=k1", "certificate-key", "secp256k1 is no NIST curve"},
    {"key=ed25519", "certificate-key", "Ed25519 is not implemented"},
    {"crl=endless", "crl-unusable", "without an end it would count for ever"},
    {"crl=forgiven", "certificate-revoked",
        "what one list says no newer one takes back"},
    {"crl=later", "certificate-revoked", "nor does it wait for its date"},
    {"crl=idp", "crl-unusable", "lists for some certificates only"},
    {"ca=v1", "certificate-not-a-ca", "version 1 cannot say that it is a CA"},
    {"ca=no-bc-ku", "certificate-not-a-ca", "basicConstraints says who is"},
    {"ca=policy", "certificate-critical-extension", "not implemented"},
    {"ca=no-any", "certificate-critical-extension", "not implemented"},
    {"ca=names", "certificate-critical-extension", "not implemented"},
    {"ca=names-soft", "certificate-critical-extension", "it restricts"},
    {"ca=ns-ssl", "certificate-critical-extension", "it restricts"},
    {"ca=ns-email", "certificate-critical-extension", "it restricts"},
    {"leaf=ns-server", "certificate-critical-extension", "it restricts"},
    {"leaf=ns-email", "certificate-critical-extension", "it restricts"},
    {"leaf=ku-none", "keyring", "an empty keyUsage"},
    {"ext=crlDistributionPoints", "certificate-critical-extension",
        "nobody asks there"},
    {"ext=policyMappings", "certificate-critical-extension",
        "policies are not implemented"},
    {"ext=certificatePolicies", "certificate-syntax",
        "read, though nobody asks for policies"},
    {"ext=extendedKeyUsage", "certificate-syntax", "an empty one"},
    {"ext=subjectAltName", "certificate-syntax", "read, though unused"},
    {"part=own-crls", "crl-unusable", "only the lists of the keyring count"},
    {"way=3des", "signature-algorithm", "AES only"},
    {"way=camellia", "signature-algorithm", "AES only"},
    {"for=rsa1024", "cms-encrypted", "RSA-1024 can be broken"},
    {"for=p224", "cms-encrypted", "P-224 is not offered"},
    {"cn=tab", "signer-not-allowed", "no control characters"},
    {"cn=t61", "signer-not-allowed", "of no certain encoding"},
    {"by=floor-late", "certificate-expired", "time=floor of a later image"},
    {"n=2", "cms-signers", "several only with min-signers"},
    {"n=3", "cms-signers", "several only with min-signers"},
    {"n=1", "cms-too-few-signers", "min-signers asks for more"},
    {"n=2", "cms-too-few-signers", "min-signers asks for more"},
    {"n=3", "cms-too-few-signers", "min-signers asks for more"},
};

/* What BearSSL's engine does not look at, or cannot do. "engine N" is its
 * number, when it alone refuses. */
#define ANCHOR "of an anchor it has name and key only"
static const struct difference engine[] = {
    {"at=root", "certificate-critical-extension", ANCHOR},
    {"at=root", "certificate-not-a-ca", ANCHOR},
    {"at=root", "certificate-path-length", ANCHOR},
    {"of=root", "certificate-expired", ANCHOR},
    {"of=root", "certificate-not-yet-valid", ANCHOR},
    {"of=anchor", "certificate-expired", ANCHOR},
    {"of=anchor", "certificate-not-yet-valid", ANCHOR},
    {"at=100", "certificate-expired", "it counts the last second"},
    {"pad=pss-digest", "engine 49", "it has no PSS"},
    {"pad=pss-0", "engine 49", "it has no PSS"},
    {"pad=pss-20", "engine 49", "it has no PSS"},
    {"pad=pss-32", "engine 49", "it has no PSS"},
    {"pad=pss-max", "engine 49", "it has no PSS"},
    {"pad=pss-mgf-sha384", "engine 49", "it has no PSS"},
    {"leaf=time", "engine 57", "it has no critical extendedKeyUsage"},
    {"leaf=code-ds", "engine 57", "it has no critical extendedKeyUsage"},
    {"leaf=ns-server", "certificate-critical-extension", "it passes them over"},
    {"leaf=ns-email", "certificate-critical-extension", "it passes them over"},
    {"ext=certificatePolicies", "engine 41", "it reads policies"},
    {"key=rsa1024", "certificate-key", "of an anchor it takes any size"},
    {"key=rsa4104", "certificate-key", "of a signer it takes any size"},
    {"key=compressed", "certificate-key", "of a signer it looks at no key"},
    {"cn=bmp", "certificate-syntax", "it compares names and reads none"},
    {"cn=nul", "certificate-syntax", "it compares names and reads none"},
    {"part=aki", "signer-unknown", "it does not read key identifiers"},
    {"ca=server", "engine 57", "it has no critical extendedKeyUsage"},
    {"ca=names-soft", "certificate-critical-extension", "it passes them over"},
    {"ca=ns-ssl", "certificate-critical-extension", "it passes them over"},
    {"ca=ns-email", "certificate-critical-extension", "it passes them over"},
    {"shape=anchor-leaf", "engine 62", "an anchor has to be an issuer"},
    {"part=malformed", "certificate-syntax", "it reads few extensions"},
    {"part=malformed", "certificate-critical-extension",
        "it passes over what no path needs"},
    {"part=malformed", "signer-unknown",
        "what is malformed is no issuer, nor what another identifier names"},
};

/*
 * What lifeboat accepts and RAUC refuses: nothing, but for these. proof says
 * whether the case is one, and nothing worse.
 */
static bool is_several(const struct scene *s);
static bool is_floor(const struct scene *s);
static bool is_detour(const struct scene *s);
static struct {
	const char *name;
	bool (*proof)(const struct scene *s);
	const char *why;
} laxer[] = {
    {"min-signers", is_several,
        "off by default: several signers, all of whom openssl believes"},
    {"time=floor", is_floor,
        "only in a recovery image, with a clock that is behind its date: "
        "openssl and rauc believe it at that date"},
    {"another-path", is_detour,
        "two certificates with the issuer's name and key of which one leads "
        "nowhere: libcrypto tries one, and without that one believes it"},
};
#define LAXER (sizeof laxer / sizeof laxer[0])

/* What is counted, by all processes in the end. */
static struct totals {
	unsigned long cases, agreed, differ, failed, opinions, engines, written;
	unsigned long laxer[LAXER];
	unsigned long stricter[sizeof stricter / sizeof stricter[0]];
	unsigned long engine[sizeof engine / sizeof engine[0]];
} total;

static bool verbose, whole;
static const char *only, *out_dir;
static unsigned out_every, process;
static FILE *out_list;

static bool has_word(const char *name, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = name; (p = strstr(p, word)); p += n)
		if ((p == name || p[-1] == ' ') &&
		    (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static bool listed(const struct difference *list, unsigned long *seen, size_t n,
    const char *name, const char *reason)
{
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		if (!has_word(name, list[i].word) ||
		    strcmp(list[i].reason, reason) != 0)
			continue;
		seen[i]++;
		found = true;
	}
	return found;
}

#define LISTED(list, name, reason) \
	listed(list, total.list, LEN(list), name, reason)

static void complain(const char *name, const char *what, const char *seen)
{
	total.failed++;
	fprintf(stderr, "FAILED %s: %s: %s\n", name, what, seen);
}

/* Of paths only: signatures, CRLs and purposes are not the engine's. */
static void ask_engine(const struct scene *s, const char *name)
{
	struct scene path = *s;
	char number[40];
	unsigned e;
	int l;

	if (s->paths == 0 || (!whole && (s->policy.check_crl ||
	                                    s->policy.purpose != PURPOSE_ANY)))
		return;
	path.policy.check_crl = false;
	path.policy.purpose = PURPOSE_ANY;
	l = path_says(&path);
	e = engine_says(&path);
	total.opinions++;
	if ((e == 0) == (l == 0)) {
		total.engines++;
		return;
	}
	snprintf(number, sizeof number, "engine %u", e);
	if (!LISTED(engine, name, e ? number : reason_name(l)))
		complain(name, reason_name(l), number);
}

static void write_file(
    const char *suffix, unsigned long n, const void *p, size_t len)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof path, "%s/%lu%s", out_dir, n, suffix);
	f = fopen(path, "wb");
	NEED(f != NULL);
	NEED(fwrite(p, 1, len, f) == len);
	NEED(fclose(f) == 0);
}

/* As PEM, for [encryption]; returns whether there is one. */
static bool write_device(const struct scene *s, unsigned long n)
{
	char path[300];
	FILE *f;

	if (!s->device)
		return false;
	snprintf(path, sizeof path, "%s/%lu.device", out_dir, n);
	f = fopen(path, "w");
	NEED(f != NULL);
	NEED(PEM_write_PrivateKey(f, s->device, NULL, NULL, 0, NULL, NULL));
	if (s->device_cert)
		NEED(PEM_write_X509(f, s->device_cert) == 1);
	NEED(fclose(f) == 0);
	return true;
}

#define CONF_MAX 1200

/* Returns what it adds to a file of at octets. */
static int add_line(
    char *conf, int at, const char *key, const char *value, bool leave_out)
{
	if (leave_out)
		return 0;
	return snprintf(
	    conf + at, CONF_MAX - (size_t)at, "%s=%s\n", key, value);
}

static int add_flag(
    char *conf, int at, const char *key, bool on, unsigned long n)
{
	return add_line(
	    conf, at, key, on ? "true" : "false", !on && n / 100 % 2);
}

/* Named signers are not for RAUC 1.8; several, and floors, not for a
 * system.conf. */
static void write_case(
    const struct scene *s, const char *name, bool r, bool o, int l)
{
	static const char *const purposes[] = {"smimesign", "codesign", "any"};
	static unsigned char file[1 << 18];
	static char pem[1 << 17];
	const struct trust_policy *p = &s->policy;
	unsigned long n;
	char conf[CONF_MAX];
	int at;

	if (!out_dir || total.cases % out_every || p->cns > 0 ||
	    p->min_signers > 0 || p->floor != 0)
		return;
	n = ++total.written * 100 + process;
	write_file(".pem", n, pem, scene_pem(s, pem, sizeof pem));
	write_file(".raucb", n, file, scene_bundle(s, file, sizeof file));
	write_file(".cms", n, s->envelope ? s->envelope : s->cms,
	    s->envelope ? s->envelope_len : s->cms_len);
	at = snprintf(conf, sizeof conf,
	    "[system]\ncompatible=lifeboat test\nbootloader=uboot\n"
	    "[slot.rootfs.0]\ndevice=/dev/null\nbootname=A\n"
	    "[keyring]\npath=%s/%lu.pem\n",
	    out_dir, n);
	/* every other file says nothing of what is the default */
	at += add_line(conf, at, "check-purpose", purposes[p->purpose],
	    p->purpose == PURPOSE_SMIMESIGN && n / 100 % 2);
	at += add_flag(
	    conf, at, "allow-partial-chain", p->allow_partial_chain, n);
	at += add_flag(
	    conf, at, "use-bundle-signing-time", p->time == TIME_SIGNING, n);
	at += add_flag(conf, at, "check-crl", p->check_crl, n);
	if (write_device(s, n))
		at += snprintf(conf + at, sizeof conf - (size_t)at,
		    "[encryption]\nkey=%s/%lu.device\n", out_dir, n);
	if (s->device && s->device_cert)
		at += snprintf(conf + at, sizeof conf - (size_t)at,
		    "cert=%s/%lu.device\n", out_dir, n);
	write_file(".conf", n, conf, (size_t)at);
	fprintf(out_list, "%lu %d %d %d %lld %s %d %d %s %s\n", n, r, o, l == 0,
	    has_word(name, "moved") ? (long long)p->now : 0LL,
	    purposes[p->purpose], p->allow_partial_chain, p->check_crl,
	    l ? reason_name(l) : "-", name);
}

static bool is_several(const struct scene *s)
{
	return s->policy.min_signers > 0 && openssl_says(s);
}

static bool is_floor(const struct scene *s)
{
	struct scene then = *s;

	if (s->policy.time != TIME_FLOOR || s->policy.now >= s->policy.floor)
		return false;
	then.policy.now = s->policy.floor;
	return openssl_says(&then) && rauc_says(&then);
}

static bool is_detour(const struct scene *s)
{
	struct scene alone = *s;

	if (!s->alone)
		return false;
	alone.envelope = NULL;
	alone.cms = s->alone;
	alone.cms_len = s->alone_len;
	return openssl_says(&alone) && rauc_says(&alone);
}

static bool is_extension(const struct scene *s)
{
	for (size_t i = 0; i < LAXER; i++) {
		if (laxer[i].proof(s)) {
			total.laxer[i]++;
			return true;
		}
	}
	return false;
}

void judge(const struct scene *s, const char *name)
{
	const struct trust_policy *p = &s->policy;
	struct diag d = {0};
	int l = lifeboat_says(s, &d);
	bool o = openssl_says(s), r = rauc_says(s);
	/* openssl has no code signing, no signing time, and no list of names:
	 * RAUC's word only. */
	bool alone = p->purpose == PURPOSE_CODESIGN ||
	             p->time == TIME_SIGNING || p->cns > 0;

	total.cases++;
	if (verbose)
		printf("%s: lifeboat %s, rauc %d, openssl %d\n", name,
		    reason_name(l), r, o);
	write_case(s, name, r, o, l);
	ask_engine(s, name);
	if (l == 0 && r && (o || alone)) {
		total.agreed++;
	} else if (l == 0) {
		if (!is_extension(s))
			complain(name, "LAX", r ? "openssl" : "rauc");
	} else if (!r && (alone || !o)) {
		total.agreed++;
	} else if (LISTED(stricter, name, reason_name(l))) {
		total.differ++;
	} else {
		complain(name, reason_name(l), d.seen);
	}
}

static void report(const char *what, const struct difference *list,
    const unsigned long *seen, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("%s: %s: %s: %s (%lu)\n", what, list[i].word,
		    list[i].reason, list[i].why, seen[i]);
		if (seen[i] == 0 && !only)
			complain(list[i].word, list[i].reason, "is not seen");
	}
}

static void report_all(void)
{
	unsigned long extended = 0;

	report("stricter", stricter, total.stricter, LEN(stricter));
	report("engine", engine, total.engine, LEN(engine));
	for (size_t i = 0; i < LAXER; i++) {
		extended += total.laxer[i];
		printf("extension: %s: %s (%lu)\n", laxer[i].name, laxer[i].why,
		    total.laxer[i]);
		if (total.laxer[i] == 0 && !only)
			complain(laxer[i].name, "extension", "is not seen");
	}
	printf("matrix: %lu cases, %lu agreed, %lu stricter, %lu by a named "
	       "extension, %lu disagreed; engine: asked about %lu, agreed on "
	       "%lu; %lu written\n",
	    total.cases, total.agreed, total.differ, extended, total.failed,
	    total.opinions, total.engines, total.written);
}

/* One process's share; 2 when it cannot be done. */
static int work(const char *payload, unsigned of)
{
	char path[300];

	if (out_dir) {
		snprintf(path, sizeof path, "%s/cases.%u", out_dir, process);
		out_list = fopen(path, "w");
		need(out_list != NULL, path, __LINE__);
	}
	recipe_begin(time(NULL), payload, whole, process, of);
	cases_run(only);
	return out_list && fclose(out_list) != 0 ? 2 : 0;
}

/* All processes; their totals go to total. */
static int work_all(const char *payload, unsigned of)
{
	struct totals *shared = mmap(NULL, of * sizeof *shared,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int bad = 0, status;

	NEED(shared != MAP_FAILED);
	/* whole lines, of several processes */
	NEED(setvbuf(stdout, NULL, _IOLBF, 0) == 0);
	for (process = 0; process < of; process++) {
		pid_t pid = fork();

		NEED(pid >= 0);
		if (pid == 0) {
			bad = work(payload, of);
			shared[process] = total;
			exit(bad);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	for (unsigned i = 0; i < of; i++) {
		const unsigned long *from = (const unsigned long *)&shared[i];
		unsigned long *to = (unsigned long *)&total;

		for (size_t n = 0; n < sizeof total / sizeof *to; n++)
			to[n] += from[n];
	}
	return bad ? 2 : 0;
}

int main(int argc, char **argv)
{
	unsigned of = 1;

	if (argc < 3)
		return 2;
	keys_in(argv[2]);
	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0) {
			verbose = true;
		} else if (strcmp(argv[i], "-a") == 0) {
			whole = true;
		} else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc) {
			only = argv[++i];
		} else if (strcmp(argv[i], "-j") == 0 && i + 1 < argc) {
			of = (unsigned)atoi(argv[++i]);
		} else if (strcmp(argv[i], "-w") == 0 && i + 2 < argc) {
			out_dir = argv[++i];
			out_every = (unsigned)atoi(argv[++i]);
		} else {
			return 2;
		}
	}
	if (of == 0 || of > 64 || (out_dir && out_every == 0))
		return 2;
	if (work_all(argv[1], of) != 0) {
		fprintf(stderr, "trust_matrix: a process did not finish\n");
		return 2;
	}
	report_all();
	return total.failed != 0;
}
