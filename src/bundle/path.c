/* SPDX-License-Identifier: 0BSD */
#include "bundle/path.h"

/* Bounds the work a hostile bundle can cause: 64 times RSA-4096. */
#define SIGNATURE_CHECKS_MAX 64

#define NAME_TEXT 72 /* two names and two dates fit a struct diag */

struct search {
	const struct keyring *keyring;
	const struct slice *certs;
	unsigned count;
	const struct trust_policy *policy;
	int64_t now;
	struct slice *chain;
	unsigned len;
	unsigned next[CHAIN_MAX]; /* the candidate to try next, each link */
	unsigned checks;
	/* What to report: the first of the highest rank. */
	unsigned rank;
	struct diag why;
};

enum { RANK_NO_ISSUER = 1, RANK_LINK, RANK_PATH };

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

static int judge_dates(
    const struct cert *c, const char *name, int64_t now, struct diag *d)
{
	bool early = now < c->not_before;
	char limit[TIME_TEXT], clock[TIME_TEXT];

	if (!early && now <= c->not_after)
		return 0;
	time_text(limit, early ? c->not_before : c->not_after);
	time_text(clock, now);
	if (early)
		return diag_fail(d, R_CERT_NOT_YET,
		    "\"%s\" is not valid before %s; judged at %s", name, limit,
		    clock);
	return diag_fail(d, R_CERT_EXPIRED,
	    "\"%s\" expired on %s; judged at %s", name, limit, clock);
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
	r = judge_dates(c, name, s->now, d);
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

static int judge_path(const struct search *s, struct diag *d)
{
	unsigned below = 0;
	struct cert c;

	for (unsigned i = 0; i < s->len; i++) {
		int r = x509_parse(s->chain[i], &c, d);

		if (!r)
			r = judge_cert(&c, i > 0, below, s, d);
		if (r)
			return r;
		if (i > 0 && !slice_same(c.subject, c.issuer))
			below++;
	}
	return 0;
}

/* Puts the next candidate whose key did sign c on the chain; false when there
 * is none left. */
static bool extend(struct search *s, const struct cert *c)
{
	unsigned *next = &s->next[s->len - 1];
	unsigned in_keyring = s->keyring->count;

	for (; *next < in_keyring + s->count; ++*next) {
		bool own = *next < in_keyring;
		struct slice der = own ? s->keyring->cert[*next]
		                       : s->certs[*next - in_keyring];
		struct diag why = {0};
		struct cert issuer;

		if (contains(s->chain, s->len, der) ||
		    (!own && contains(s->keyring->cert, in_keyring, der)))
			continue;
		if (x509_parse(der, &issuer, NULL) ||
		    !x509_names_issuer(c, &issuer))
			continue;
		if (s->len == CHAIN_MAX) {
			diag_fail(&why, R_CERT_PATHLEN,
			    "no trusted certificate among the first %u of the "
			    "chain",
			    CHAIN_MAX);
		} else if (s->checks == SIGNATURE_CHECKS_MAX) {
			diag_fail(&why, R_CERT_UNKNOWN,
			    "gave up after %u signature checks",
			    SIGNATURE_CHECKS_MAX);
		} else {
			s->checks++;
			if (x509_check_signature(c, &issuer, &why) == 0) {
				++*next;
				s->chain[s->len] = der;
				s->next[s->len] = 0;
				s->len++;
				return true;
			}
		}
		note(s, RANK_LINK, &why);
	}
	return false;
}

/* The certificate stands in the keyring and is one that is trusted there. */
static bool is_anchor(const struct search *s, const struct cert *c)
{
	return contains(s->keyring->cert, s->keyring->count, c->der) &&
	       (s->policy->allow_partial_chain || x509_names_issuer(c, c));
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

/* One step: true when the chain is complete and good. */
static bool step(struct search *s)
{
	struct diag why = {0};
	struct cert c;

	if (x509_parse(s->chain[s->len - 1], &c, &why)) {
		note(s, RANK_LINK, &why);
	} else if (s->next[s->len - 1] == 0 && is_anchor(s, &c)) {
		if (judge_path(s, &why) == 0)
			return true;
		note(s, RANK_PATH, &why);
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
    const struct trust_policy *policy, int64_t now,
    struct slice chain[CHAIN_MAX], unsigned *chain_len, struct diag *d)
{
	struct search s = {
	    .keyring = k,
	    .certs = certs,
	    .count = count,
	    .policy = policy,
	    .now = now,
	    .chain = chain,
	    .len = 1,
	    /* whatever happens, no search ends well without a chain */
	    .why = {.reason = R_CERT_UNKNOWN},
	};

	chain[0] = signer;
	*chain_len = 0;
	while (s.len > 0) {
		if (step(&s)) {
			*chain_len = s.len;
			return 0;
		}
	}
	return diag_fail(d, s.why.reason, "%s", s.why.seen);
}
