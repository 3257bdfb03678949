/* SPDX-License-Identifier: 0BSD */
/*
 * info: who signed, and a yes or no for each policy there is, be it in force
 * or not, so that an owner sees what a change of policy would change. What is
 * judged is the signature as a whole, of every signer.
 */
#include "base/fmt.h"
#include "bundle/der.h"
#include "options.h"
#include "worker/installer.h"
#include "worker/show.h"

static void show_signers(const struct signer *who)
{
	static struct cert_view v;
	char text[TIME_TEXT] = "";

	if (who->has_time)
		time_text(text, who->signing_time);
	show_own("\nSigning Time: ", "signing-time", text, NULL_IF_EMPTY);
	time_text(text, who->at.now);
	show_own("Judged at:    ", "judged-at", text, 0);
	show_own("", "judged-by", who->at.by, 0);
	showing.indexed = true;
	show_open("signers", "[");
	/* the first one stands last */
	for (showing.index = 0; showing.index < who->signers; showing.index++)
		if (cert_describe(who->all[who->signers - 1 - showing.index],
		        &v, NULL) == 0) {
			show_field(
			    "Signed by:    |LIFEBOAT_SIGNER|", v.subject, 0);
			show_item(v.subject);
		}
	show_close("]");
	showing.indexed = false;
}

/* The policies, in the order in which they are shown. */
static const char names[] = "signature\0"
                            "purpose-smimesign\0"
                            "purpose-codesign\0"
                            "purpose-any\0"
                            "time-floor\0"
                            "time-clock\0"
                            "time-signing\0"
                            "check-crl\0"
                            "compatible\0"
                            "hooks\0"
                            "min-bundle-version\0"
                            "min-version\0"
                            "install";
static const char *name;

static void skip(void)
{
	name += strlen(name) + 1;
}

/* The next one. force: what the device is set to. r: 0 or the reason, which d
 * explains. */
static void show_verdict(bool force, int r, const struct diag *d)
{
	const char *reason = r == 0 ? "" : reason_name(r);
	char shell[48];

	if (showing.format == JOB_READABLE) {
		child_output(
		    r == 0 ? "  %c yes  %s\n" : "  %c no   %s: %s [%s]\n",
		    force ? '*' : ' ', name, d->seen, reason);
	} else {
		show_open(name, "{");
		fmt(shell, sizeof shell, "|LIFEBOAT_VERDICT_%s|", name);
		show_field(shell, r == 0 ? "yes" : "no", 0);
		fmt(shell, sizeof shell, "|LIFEBOAT_REASON_%s|reason", name);
		show_field(shell, reason, NULL_IF_EMPTY);
		show_field("||seen", d->seen, NULL_IF_EMPTY);
		show_field("||accepted", r == 0 ? "true" : "false", NUMBER);
		show_field("||in-force", force ? "true" : "false", NUMBER);
		show_close("}");
	}
	skip();
}

static void judge(bool force, const struct trust_policy *policy)
{
	struct diag d = {0};
	int r = bundle_judge(&self.bundle, self.w->setup->keyring, policy, &d);

	show_verdict(force, r, &d);
}

static void judge_signature(void)
{
	const struct trust_policy *set = &self.trust;
	struct trust_policy t = *set;

	for (unsigned i = PURPOSE_SMIMESIGN; i <= PURPOSE_ANY; i++) {
		t.purpose = (enum purpose)i;
		judge(t.purpose == set->purpose, &t);
	}
	t = *set;
	for (unsigned i = TIME_FLOOR; i <= TIME_SIGNING; i++) {
		t.time = (enum time_policy)i;
		judge(t.time == set->time, &t);
	}
	t = *set;
	t.check_crl = true;
	if (OPT_CRL)
		judge(set->check_crl, &t);
	else
		skip();
}

/* Rules about bundles as such; of them, one that is not in force says yes. */
static void judge_rules(void)
{
	const struct conf *c = self.conf;
	const bool force[INSTALL_RULES] = {
	    [RULE_COMPATIBLE] = true,
	    [RULE_CODE] = true,
	    [RULE_MIN_VERSION] = c && c->min_bundle_version[0] != '\0',
	    [RULE_FLOOR] = self.limits.floor[0] != '\0',
	};
	struct diag first = {0};

	for (unsigned i = 0; i < INSTALL_RULES; i++) {
		struct diag d = {0};
		int r;

		if (!c && i != RULE_CODE) {
			skip();
			continue;
		}
		r = install_check((enum install_rule)i, c, &self.limits,
		    &self.bundle.manifest, &d);
		if (OPT_VERDICT)
			show_verdict(force[i], r, &d);
		if (r != 0)
			(void)diag_fail(&first, r, "%s", d.seen);
	}
	if (OPT_VERDICT)
		show_verdict(c != NULL, first.reason, &first);
	if (first.reason != 0)
		log_warn("this bundle cannot be installed here: %s [%s]",
		    first.seen, reason_name(first.reason));
}

void describe_trust(void)
{
	struct diag none = {0};

	name = names;
	if (OPT_VERDICT) {
		show_signers(&self.bundle.signer);
		show_open("verdict", "{");
		if (showing.format == JOB_READABLE)
			child_output("\nAccepted (* as this device is set):\n");
		show_verdict(true, 0, &none);
		judge_signature();
	}
	judge_rules();
	if (OPT_VERDICT)
		show_close("}");
}
