/* SPDX-License-Identifier: 0BSD */
#include "bundle/path.h"

#include "bundle/crl.h"
#include "options.h"

/* Bounds the work a hostile bundle can cause: 64 times RSA-4096. */
#define SIGNATURE_CHECKS_MAX 64

#define NAME_TEXT 72 /* two names and two dates fit a struct diag */

struct search {
	const struct keyring *keyring;
	const struct slice *certs;
	unsigned count;
	const struct trust_policy *policy;
	const struct trust_now *at;
	struct slice *chain;
	unsigned len;
	unsigned next[CHAIN_MAX]; /* the candidate to try next, each link */
	unsigned checks;
	/* What to report: the first of the highest rank. */
	unsigned rank;
	struct diag why;
};

enum { RANK_NO_ISSUER = 1, RANK_LINK, RANK_PATH, RANK_REFUSED };

/* Everything is to be looked at, and what cannot be may be revoked. */
static bool all_paths(const struct search *s)
{
	return OPT_CRL && s->policy->check_crl;
}

static int gave_up(struct diag *d)
{
	return diag_fail(d, R_LIMIT,
	    "gave up after %u signature checks of certificates",
	    SIGNATURE_CHECKS_MAX);
}

static void note(struct search *s, unsigned rank, const struct diag *why)
{
	if (rank <= s->rank)
		return;
	s->rank = rank;
	s->why = *why;
}

static bool contains(const struct slice *list, unsigned n, struct slice der)
{
	for (unsigned i = 0; i < n; i++)
		if (slice_same(list[i], der))
			return true;
	return false;
}

/* OpenSSL, and so RAUC, counts the last second as over. */
static int judge_dates(const struct cert *c, const char *name,
    const struct trust_now *at, struct diag *d)
{
	bool early = at->now < c->not_before;
	char limit[TIME_TEXT], clock[TIME_TEXT];

	if (!early && at->now < c->not_after)
		return 0;
	time_text(limit, early ? c->not_before : c->not_after);
	time_text(clock, at->now);
	if (early)
		return diag_fail(d, R_CERT_NOT_YET,
		    "\"%s\" is not valid before %s; judged at %s, %s", name,
		    limit, clock, at->by);
	return diag_fail(d, R_CERT_EXPIRED,
	    "\"%s\" expired on %s; judged at %s, %s", name, limit, clock,
	    at->by);
}

/* What a certificate must allow, by RAUC's rules: OpenSSL's smimesign, or
 * RAUC's own codesign. */
static int judge_purpose(const struct cert *c, const char *name, bool issuer,
    enum purpose purpose, struct diag *d)
{
	bool code = purpose == PURPOSE_CODESIGN;
	unsigned want = code ? EKU_CODE_SIGNING : EKU_EMAIL;
	uint8_t bits = KU_DIGITAL_SIGNATURE | (code ? 0 : KU_NON_REPUDIATION);
	const char *missing = NULL;

	if (purpose == PURPOSE_ANY)
		return 0;
	if (c->has_eku ? !(c->eku & want) : code && !issuer)
		missing = code ? "extendedKeyUsage codeSigning"
		               : "extendedKeyUsage emailProtection";
	else if (!issuer && c->has_ku && !(c->ku & bits))
		missing = "keyUsage digitalSignature";
	if (!missing)
		return 0;
	return diag_fail(d, R_CERT_PURPOSE,
	    "check-purpose=%s: \"%s\" has no %s",
	    code ? "codesign" : "smimesign", name, missing);
}

/* One certificate of a path, which has below intermediates under it that are
 * not self-issued. */
static int judge_cert(const struct cert *c, bool issuer, unsigned below,
    const struct search *s, struct diag *d)
{
	char name[NAME_TEXT], oid[OID_TEXT];
	int r = x509_check_key(c, d);

	name_text(name, sizeof name, c->subject);
	if (r)
		return r;
	if (c->unhandled.len > 0) {
		oid_text(oid, c->unhandled);
		return diag_fail(d, R_CERT_CRITICAL,
		    "\"%s\" has extension %s, which restricts it in a way that "
		    "is not implemented",
		    name, oid);
	}
	r = judge_dates(c, name, s->at, d);
	if (r)
		return r;
	if (issuer && !c->ca)
		return diag_fail(d, R_CERT_NOT_CA,
		    "\"%s\" has no basicConstraints CA:TRUE", name);
	if (issuer && c->has_ku && !(c->ku & KU_CERT_SIGN))
		return diag_fail(d, R_CERT_NOT_CA,
		    "\"%s\" has no keyUsage keyCertSign", name);
	if (issuer && c->has_pathlen && below > c->pathlen)
		return diag_fail(d, R_CERT_PATHLEN,
		    "\"%s\" allows %u intermediates below it, there are %u",
		    name, (unsigned)c->pathlen, below);
	return judge_purpose(c, name, issuer, s->policy->purpose, d);
}

/* A certificate against its issuer's CRL. */
static int judge_serial(struct search *s, unsigned i, struct diag *d)
{
	bool last = i + 1 == s->len;
	struct slice serial, subject;
	char name[NAME_TEXT];
	struct cert c;
	int r = x509_parse(s->chain[i], &c, d);

	if (r)
		return r;
	serial = c.serial;
	subject = c.subject;
	if (last && !x509_self_signed(&c)) {
		name_text(name, sizeof name, subject);
		return diag_fail(d, R_CRL_MISSING,
		    "check-crl: the issuer of \"%s\", which would revoke it, "
		    "is not in its chain",
		    name);
	}
	if (s->checks++ >= SIGNATURE_CHECKS_MAX)
		return gave_up(d);
	if (!last)
		r = x509_parse(s->chain[i + 1], &c, d);
	return r ? r : crl_check(s->keyring, serial, subject, &c, s->at, d);
}

/* No other path makes up for it. */
static bool is_final(int r)
{
	return r == R_CERT_REVOKED || r == R_LIMIT;
}

/* Every certificate and the anchor: one that is revoked before one of which
 * that is not known. */
static int judge_revocation(struct search *s, struct diag *d)
{
	int first = 0;

	for (unsigned i = 0; i < s->len; i++) {
		struct diag why = {0};
		int r = judge_serial(s, i, &why);

		if (r != 0 && (first == 0 || is_final(r))) {
			first = r;
			*d = why;
		}
		if (is_final(r))
			break;
	}
	return first;
}

/* A frame of its own: those of all it is called by are long. */
__attribute__((noinline)) static int judge_path(
    struct search *s, struct diag *d)
{
	struct diag why = {0};
	unsigned below = 0;
	struct cert c;
	/* Of a path that is no good for another reason, too. */
	int revoked = all_paths(s) ? judge_revocation(s, &why) : 0;

	for (unsigned i = 0; i < s->len && !is_final(revoked); i++) {
		int r = x509_parse(s->chain[i], &c, d);

		if (!r)
			r = judge_cert(&c, i > 0, below, s, d);
		if (r)
			return r;
		if (i > 0 && !slice_same(c.subject, c.issuer))
			below++;
	}
	return revoked ? diag_fail(d, revoked, "%s", why.seen) : 0;
}

/* The next character that counts, in lower case; NUL at the end. */
static char next_char(const char **p)
{
	char c;

	do
		c = *(*p)++;
	while (c == ' ');
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* A signer's certificate that is self-signed is trusted for being in the
 * keyring or not at all, whoever else has its name and key. Its name is its
 * own, but for case, blanks and the type of its text. */
static bool stands_alone(const struct cert *c)
{
	char subject[SIGNER_NAME], issuer[SIGNER_NAME];
	const char *a = subject, *b = issuer;
	struct cert own = *c;
	char next;

	name_text(subject, sizeof subject, c->subject);
	name_text(issuer, sizeof issuer, c->issuer);
	do {
		next = next_char(&a);
		if (next != next_char(&b))
			return false;
	} while (next != '\0');
	own.subject = c->issuer;
	return x509_self_signed(&own);
}

/* Puts the next candidate whose key did sign c on the chain; false when there
 * is none left. */
static bool extend(struct search *s, const struct cert *c)
{
	unsigned *next = &s->next[s->len - 1];
	unsigned in_keyring = s->keyring->count;

	if (s->len == 1 && stands_alone(c))
		return false;
	for (; *next < in_keyring + s->count; ++*next) {
		bool own = *next < in_keyring;
		struct slice der = own ? s->keyring->cert[*next]
		                       : s->certs[*next - in_keyring];
		unsigned rank = all_paths(s) ? RANK_REFUSED : RANK_LINK;
		struct diag why = {0};
		struct cert issuer;

		if (contains(s->chain, s->len, der) ||
		    (!own && contains(s->keyring->cert, in_keyring, der)))
			continue;
		if (x509_parse(der, &issuer, NULL) ||
		    !x509_names_issuer(c->issuer, &c->aki, &issuer))
			continue;
		if (s->len == CHAIN_MAX) {
			diag_fail(&why, R_CERT_PATHLEN,
			    "no trusted certificate among the first %u of the "
			    "chain",
			    CHAIN_MAX);
		} else if (s->checks >= SIGNATURE_CHECKS_MAX) {
			gave_up(&why);
		} else {
			rank = RANK_LINK;
			s->checks++;
			if (x509_check_signature(
			        &c->sig, c->subject, &issuer, &why) == 0) {
				++*next;
				s->chain[s->len] = der;
				s->next[s->len] = 0;
				s->len++;
				return true;
			}
		}
		note(s, rank, &why);
	}
	return false;
}

/* The certificate stands in the keyring and is one that is trusted there. */
static bool is_anchor(const struct search *s, const struct cert *c)
{
	return contains(s->keyring->cert, s->keyring->count, c->der) &&
	       (s->policy->allow_partial_chain || x509_self_signed(c));
}

static void note_no_issuer(struct search *s, const struct cert *c)
{
	char name[NAME_TEXT], issuer[NAME_TEXT];
	struct diag why = {0};

	name_text(name, sizeof name, c->subject);
	name_text(issuer, sizeof issuer, c->issuer);
	diag_fail(&why, R_CERT_UNKNOWN,
	    "\"%s\" leads to no trusted certificate: its issuer \"%s\" is not "
	    "in the keyring",
	    name, issuer);
	note(s, RANK_NO_ISSUER, &why);
}

/* One step: true when the chain is complete and good. A frame of its own. */
__attribute__((noinline)) static bool step(struct search *s)
{
	struct diag why = {0};
	struct cert c;

	if (x509_parse(s->chain[s->len - 1], &c, &why)) {
		note(s, RANK_LINK, &why);
	} else if (s->next[s->len - 1] == 0 && is_anchor(s, &c)) {
		if (judge_path(s, &why) == 0)
			return true;
		note(s, is_final(why.reason) ? RANK_REFUSED : RANK_PATH, &why);
	} else if (extend(s, &c)) {
		return false;
	} else {
		note_no_issuer(s, &c);
	}
	s->len--;
	return false;
}

int path_search(struct slice signer, const struct keyring *k,
    const struct slice *certs, unsigned count,
    const struct trust_policy *policy, const struct trust_now *at,
    struct slice chain[CHAIN_MAX], unsigned *chain_len, struct diag *d)
{
	struct search s = {
	    .keyring = k,
	    .certs = certs,
	    .count = count,
	    .policy = policy,
	    .at = at,
	    .chain = chain,
	    .len = 1,
	    /* whatever happens, no search ends well without a chain */
	    .why = {.reason = R_CERT_UNKNOWN},
	};
	struct slice good[CHAIN_MAX];

	chain[0] = signer;
	*chain_len = 0;
	while (s.len > 0 && s.rank < RANK_REFUSED) {
		if (!step(&s))
			continue;
		*chain_len = s.len;
		memcpy(good, chain, sizeof good);
		/* Another path may know of a revocation. */
		s.len = all_paths(&s) ? s.len - 1 : 0;
	}
	if (*chain_len > 0 && s.rank < RANK_REFUSED) {
		memcpy(chain, good, sizeof good);
		return 0;
	}
	*chain_len = 0;
	return diag_fail(d, s.why.reason, "%s", s.why.seen);
}
