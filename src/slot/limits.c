/* SPDX-License-Identifier: 0BSD */
#include "base/fmt.h"
#include "slot/install.h"

void limits_init(struct limits *l, const struct settings *s)
{
	memset(l, 0, sizeof *l);
	l->ignored = s->ignore_hooks;
	if (s->min_version[0] != '\0' && !s->ignore_floor)
		(void)!limits_raise(
		    l, s->min_version, "min-version of lifeboat.conf", NULL);
}

int limits_raise(
    struct limits *l, const char *version, const char *by, struct diag *d)
{
	int order = 0;
	int r = semver_compare(
	    version, l->floor[0] != '\0' ? l->floor : version, &order, d);

	if (r != 0)
		return r;
	if (order <= 0 && l->floor[0] != '\0')
		return 0;
	fmt(l->floor, sizeof l->floor, "%s", version);
	l->floor_by = by;
	return 0;
}

static int check_code(
    const struct limits *l, const struct manifest *m, struct diag *d)
{
	unsigned left = m->code & ~((l ? l->ignored : 0) | CODE_FILE);
	unsigned never =
	    left & (CODE_INSTALL | CODE_POST_INSTALL | CODE_HANDLER);
	char words[80];

	/* A file that no hook is in is not run by RAUC either. */
	if (m->wants_code[0] == '\0' || (m->code != 0 && left == 0))
		return 0;
	manifest_code_text(words, never != 0 ? never : left);
	return diag_fail(d, R_MANIFEST_HOOK,
	    never != 0 ? "%s: not run here: %s"
	               : "%s: ignore-hooks does not name %s",
	    m->wants_code, words);
}

static int check_version(
    const char *version, const char *least, const char *by, struct diag *d)
{
	int order = -1, r = 0;

	if (least[0] == '\0')
		return 0;
	if (version[0] == '\0')
		version = "no version";
	else
		r = semver_compare(version, least, &order, d);
	if (r == 0 && order < 0)
		r = diag_fail(d, R_MANIFEST_VERSION,
		    "the bundle's version: %s, at least %s is asked for by %s",
		    version, least, by);
	return r;
}

int install_check(enum install_rule rule, const struct conf *c,
    const struct limits *l, const struct manifest *m, struct diag *d)
{
	switch (rule) {
	case RULE_COMPATIBLE:
		if (strcmp(m->compatible, c->compatible) == 0)
			return 0;
		return diag_fail(d, R_COMPATIBLE,
		    "the bundle is for \"%s\", this device is \"%s\"",
		    m->compatible, c->compatible);
	case RULE_CODE:
		return check_code(l, m, d);
	case RULE_MIN_VERSION:
		return check_version(m->version, c->min_bundle_version,
		    "min-bundle-version of system.conf", d);
	case RULE_FLOOR:
		return l ? check_version(m->version, l->floor, l->floor_by, d)
		         : 0;
	case INSTALL_RULES:
		break;
	}
	return R_INTERNAL;
}
