/* SPDX-License-Identifier: 0BSD */
#include "bundle/manifest.h"

struct semver {
	uint64_t core[3];
	struct slice pre; /* len 0: none */
};

/* Takes the text up to the next '.' off s, which is without text (p NULL)
 * behind the last one. */
static struct slice next_field(struct slice *s)
{
	struct slice field = *s;

	(void)slice_cut(&field, '.', s);
	return field;
}

static bool identifiers_valid(struct slice s)
{
	while (s.p)
		if (!slice_alnum(next_field(&s), "-"))
			return false;
	return true;
}

static bool semver_parse(struct semver *v, const char *text)
{
	struct slice s = {text, strlen(text)};
	struct slice build;

	memset(v->core, 0, sizeof v->core);
	(void)slice_cut(&s, '+', &build);
	(void)slice_cut(&s, '-', &v->pre);
	if (!identifiers_valid(build) || !identifiers_valid(v->pre))
		return false;
	for (unsigned i = 0; s.p; i++)
		if (i == ARRAY_LEN(v->core) ||
		    !slice_u64(next_field(&s), &v->core[i]))
			return false;
	return true;
}

static int order_of(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Numbers compare as numbers and stand before words. */
static int compare_field(struct slice a, struct slice b)
{
	uint64_t na, nb;
	bool a_number = slice_u64(a, &na);
	bool b_number = slice_u64(b, &nb);
	int order;

	if (a_number && b_number)
		return order_of(na, nb);
	if (a_number != b_number)
		return a_number ? -1 : 1;
	order = memcmp(a.p, b.p, MIN(a.len, b.len));
	return order != 0 ? order : order_of(a.len, b.len);
}

static int compare_pre(struct slice a, struct slice b)
{
	/* A version with a pre-release stands before the one without. */
	if (a.len == 0 || b.len == 0)
		return order_of(a.len == 0, b.len == 0);
	while (a.p && b.p) {
		int order = compare_field(next_field(&a), next_field(&b));

		if (order != 0)
			return order;
	}
	return order_of(a.p != NULL, b.p != NULL);
}

int semver_compare(const char *a, const char *b, int *order, struct diag *d)
{
	struct semver va, vb;

	*order = 0;
	if (!semver_parse(&va, a))
		return diag_fail(
		    d, R_MANIFEST_VERSION, "'%s' is no semantic version", a);
	if (!semver_parse(&vb, b))
		return diag_fail(
		    d, R_MANIFEST_VERSION, "'%s' is no semantic version", b);
	for (unsigned i = 0; *order == 0 && i < ARRAY_LEN(va.core); i++)
		*order = order_of(va.core[i], vb.core[i]);
	if (*order == 0)
		*order = compare_pre(va.pre, vb.pre);
	return 0;
}
