/* SPDX-License-Identifier: 0BSD */
#include "bundle/crl.h"

#define NAME_TEXT 72

/* CRLReason, by number */
static const char reasons[][21] = {"unspecified", "keyCompromise",
    "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
    "certificateHold", "7", "removeFromCRL", "privilegeWithdrawn",
    "aACompromise"};

#define REMOVED 8

struct entry {
	struct slice serial;
	int64_t date;
	unsigned reason;
	struct slice unhandled;
};

/* The reasonCode; any other extension that is critical, or that gives the
 * entry to another issuer, is not handled. False: malformed. */
static bool read_entry_extensions(struct buf list, struct entry *e)
{
	struct slice oid, value;
	bool critical;

	while (buf_left(&list) > 0) {
		if (extension_next(&list, &oid, &critical, &value))
			return false;
		if (oid_is(oid, "\x55\x1d\x15", 3)) {
			const char *v = value.p;

			if (value.len != 3 || v[0] != DER_ENUMERATED ||
			    v[1] != 1 || v[2] < 0 || v[2] == 7 ||
			    (size_t)v[2] >= ARRAY_LEN(reasons))
				return false;
			e->reason = (unsigned)v[2];
		} else if (critical || oid_is(oid, "\x55\x1d\x1d", 3)) {
			e->unhandled = oid;
		}
	}
	return buf_ok(&list);
}

static bool read_entry(struct buf *b, uint32_t version, struct entry *e)
{
	struct buf seq = der_enter(b, DER_SEQUENCE);
	struct der list;

	memset(e, 0, sizeof *e);
	e->serial = der_integer(&seq);
	e->date = der_time(&seq);
	if (!buf_ok(&seq) || buf_left(&seq) == 0)
		return der_end(&seq);
	return version == 1 && der_get(&seq, DER_SEQUENCE, &list) &&
	       der_end(&seq) && list.body.len > 0 &&
	       read_entry_extensions(der_buf(list.body), e);
}

static const char *read_extensions(struct buf *tbs, struct crl *c)
{
	struct buf outer = der_enter(tbs, DER_CTX_CONS(0));
	struct buf list = der_enter(&outer, DER_SEQUENCE);
	struct slice oid, value;
	bool critical;

	if (!der_end(&outer) || buf_left(&list) == 0)
		return "extensions";
	while (buf_left(&list) > 0) {
		const char *what =
		    extension_next(&list, &oid, &critical, &value);
		struct buf v = der_buf(value);

		if (what)
			return what;
		if (oid_is(oid, "\x55\x1d\x23", 3)) {
			c->aki = authority_key_read(&v);
			if (!der_end(&v))
				return "authorityKeyIdentifier";
		} else if (critical ||
		           /* deltaCRLIndicator, issuingDistributionPoint */
		           oid_is(oid, "\x55\x1d\x1b", 3) ||
		           oid_is(oid, "\x55\x1d\x1c", 3)) {
			c->unhandled = oid;
		}
	}
	return NULL;
}

/* NULL, or the part that is malformed. */
static const char *read_crl(struct slice der, struct crl *c)
{
	struct buf t = x509_unwrap(der, &c->sig), entries;
	struct entry entry;
	struct der e;

	if (t.bad)
		return "outer structure";
	if (der_is(&t, DER_INTEGER))
		c->version = der_u31(&t) == 1 ? 1 : 2;
	if (!der_get(&t, DER_SEQUENCE, &e) || c->version > 1)
		return "version";
	if (!slice_same(e.raw, c->sig.alg_raw))
		return "two different signature algorithms";
	if (!der_get(&t, DER_SEQUENCE, &e))
		return "issuer";
	c->issuer = e.raw;
	c->this_update = der_time(&t);
	c->has_next =
	    der_is(&t, DER_UTC_TIME) || der_is(&t, DER_GENERALIZED_TIME);
	if (c->has_next)
		c->next_update = der_time(&t);
	if (t.bad)
		return "thisUpdate or nextUpdate";
	if (der_optional(&t, DER_SEQUENCE, &e)) {
		c->revoked = e.body;
		if (e.body.len == 0)
			return "revokedCertificates";
	}
	entries = der_buf(c->revoked);
	while (buf_left(&entries) > 0) {
		if (!read_entry(&entries, c->version, &entry))
			return "an entry";
		if (entry.unhandled.len > 0)
			c->unhandled = entry.unhandled;
	}
	if (c->version == 1 && buf_left(&t) > 0) {
		const char *what = read_extensions(&t, c);

		if (what)
			return what;
	}
	return der_end(&t) ? NULL : "data behind the last field";
}

int crl_parse(struct slice der, struct crl *c, struct diag *d)
{
	const char *what;

	memset(c, 0, sizeof *c);
	what = read_crl(der, c);
	if (!what && !der_sound(der))
		what = "an element that is not DER";
	if (!what)
		return 0;
	memset(c, 0, sizeof *c);
	return diag_fail(
	    d, R_CRL_BAD, "CRL of %zu bytes: malformed: %s", der.len, what);
}

static bool is_current(const struct crl *c, int64_t now)
{
	return now >= c->this_update && c->has_next && now < c->next_update;
}

static int bad_dates(const struct crl *c, const char *name,
    const struct trust_now *at, struct diag *d)
{
	bool early = at->now < c->this_update;
	char limit[TIME_TEXT], now[TIME_TEXT];

	time_text(limit, early ? c->this_update : c->next_update);
	time_text(now, at->now);
	if (early)
		return diag_fail(d, R_CRL_NOT_YET,
		    "the CRL of \"%s\" is not valid before %s; judged at %s, "
		    "%s",
		    name, limit, now, at->by);
	if (!c->has_next)
		return diag_fail(
		    d, R_CRL_BAD, "the CRL of \"%s\" has no nextUpdate", name);
	return diag_fail(d, R_CRL_EXPIRED,
	    "the CRL of \"%s\" expired on %s; judged at %s, %s", name, limit,
	    now, at->by);
}

static int check_serial(const struct crl *c, struct slice serial,
    struct slice subject, struct diag *d)
{
	struct buf entries = der_buf(c->revoked);
	char name[NAME_TEXT], date[TIME_TEXT];
	struct entry e;

	while (buf_left(&entries) > 0) {
		if (!read_entry(&entries, c->version, &e))
			return diag_fail(d, R_CRL_BAD, "an entry");
		if (!slice_same(e.serial, serial) || e.reason == REMOVED)
			continue;
		name_text(name, sizeof name, subject);
		time_text(date, e.date);
		return diag_fail(d, R_CERT_REVOKED,
		    "\"%s\" was revoked on %s: %s", name, date,
		    reasons[e.reason]);
	}
	return 0;
}

static int check_issuer(
    const struct crl *c, const struct cert *issuer, struct diag *d)
{
	if (issuer->has_ku && !(issuer->ku & KU_CRL_SIGN))
		return diag_fail(
		    d, R_CRL_BAD, "its issuer has no keyUsage cRLSign");
	return x509_check_signature(&c->sig, c->issuer, issuer, d);
}

int crl_check(const struct keyring *k, struct slice serial,
    struct slice subject, const struct cert *issuer, const struct trust_now *at,
    struct diag *d)
{
	char name[NAME_TEXT], oid[OID_TEXT];
	struct crl c, best = {0};
	struct diag why = {0};  /* best's signature cannot be used */
	struct diag part = {0}; /* one cannot be used as a whole */
	bool current, good = false;

	name_text(name, sizeof name, issuer->subject);
	/* Best is a current one before any other, then the newest. */
	for (unsigned i = 0; i < k->crls; i++) {
		struct diag bad = {0};
		int r = crl_parse(k->crl[i], &c, d);

		if (r)
			return r;
		if (!x509_names_issuer(c.issuer, &c.aki, issuer))
			continue;
		if (c.unhandled.len > 0) {
			oid_text(oid, c.unhandled);
			diag_fail(&part, R_CRL_BAD,
			    "the CRL of \"%s\" has extension %s, which is not "
			    "implemented",
			    name, oid);
			continue; /* another one may say: revoked */
		}
		if (check_issuer(&c, issuer, &bad) == 0) {
			r = check_serial(&c, serial, subject, d);
			if (r)
				return r;
		}
		current = is_current(&c, at->now);
		if (best.issuer.len > 0 &&
		    (good > current ||
		        (good == current && best.this_update >= c.this_update)))
			continue;
		best = c;
		good = current;
		why = bad;
	}
	if (part.reason != 0)
		return diag_fail(d, R_CRL_BAD, "%s", part.seen);
	if (best.issuer.len == 0)
		return diag_fail(d, R_CRL_MISSING,
		    "check-crl: the keyring has no CRL of \"%s\"", name);
	if (!good)
		return bad_dates(&best, name, at, d);
	if (why.reason != 0)
		return diag_fail(
		    d, R_CRL_BAD, "the CRL of \"%s\": %s", name, why.seen);
	return 0;
}
