/* SPDX-License-Identifier: 0BSD */
#include "bundle/manifest.h"

struct semver {
	uint64_t core[3];
	struct slice pre; /* p NULL: none */
};

/* Cuts s at its last c: what stands behind it, or p NULL. */
static struct slice cut_last(struct slice *s, char c)
{
	for (size_t n = s->len; n > 0; n--)
		if (s->p[n - 1] == c) {
			struct slice tail = {s->p + n, s->len - n};

			s->len = n - 1;
			return tail;
		}
	return (struct slice){NULL, 0};
}

/* Takes the text up to the next '.' off s, which is without text (p NULL)
 * behind the last one. */
static struct slice next_field(struct slice *s)
{
	struct slice field = *s;

	(void)slice_cut(&field, '.', s);
	return field;
}

/* RAUC looks for the signs from the end, and at what is behind them not at
 * all. */
static bool semver_parse(struct semver *v, const char *text)
{
	struct slice s = {text, strlen(text)};

	memset(v->core, 0, sizeof v->core);
	(void)cut_last(&s, '+');
	v->pre = cut_last(&s, '-');
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
	if (!a.p || !b.p)
		return order_of(!a.p, !b.p);
	/* Nothing is no field. */
	if (a.len == 0 || b.len == 0)
		return order_of(a.len, b.len);
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
