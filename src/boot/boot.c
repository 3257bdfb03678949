/* SPDX-License-Identifier: 0BSD */
#include "boot/boot.h"

#include "base/fmt.h"
#include "boot/backends.h"
#include "options.h"

static const struct boot_ops *const backends[] = {
    OPT_UBOOT ? &boot_uboot : NULL,
    &boot_noop,
};

/* What holds where nothing can be read: scripts try all, the first first. */
void boot_state_default(struct boot_state *s, const char *why)
{
	s->valid = false;
	for (unsigned i = 0; i < s->count; i++) {
		s->name[i].in_order = true;
		s->name[i].known = false;
		s->name[i].attempts = BOOT_ATTEMPTS_UNSET;
	}
	s->primary = s->first = s->count > 0 ? 0 : -1;
	s->tries = 0;
	memset(s->tries_id, 0, sizeof s->tries_id);
	fmt(s->text, sizeof s->text, "%s", why);
}

static int set_names(struct boot_state *s, const char *const *names,
    unsigned count, struct diag *d)
{
	if (count > BOOT_NAMES)
		return diag_fail(
		    d, R_LIMIT, "%u bootnames, at most %u", count, BOOT_NAMES);
	s->count = count;
	for (unsigned i = 0; i < count; i++) {
		struct slice name = {names[i], strlen(names[i])};

		if (name.len == 0 ||
		    !slice_copy(s->name[i].name, BOOT_NAME, name))
			return diag_fail(d, R_BOOT_NAME,
			    "\"%s\": 1 to %u characters", names[i],
			    BOOT_NAME - 1);
	}
	return 0;
}

int boot_open(struct boot *b, const char *bootloader, struct blk *const *store,
    unsigned stores, const char *const *names, unsigned count, struct diag *d)
{
	int r;

	b->ops = NULL;
	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		if (backends[i] && strcmp(backends[i]->name, bootloader) == 0)
			b->ops = backends[i];
	if (!b->ops)
		return diag_fail(
		    d, R_BOOT_UNSUPPORTED, "bootloader=%s", bootloader);
	if (stores > BOOT_STORES)
		return diag_fail(d, R_BOOT_CONFIG,
		    "%u copies of the environment, at most %u", stores,
		    BOOT_STORES);
	memset(&b->state, 0, sizeof b->state);
	b->stores = stores;
	for (unsigned i = 0; i < stores; i++)
		b->store[i] = store[i];
	r = set_names(&b->state, names, count, d);
	return r != 0 ? r : b->ops->load(b, d);
}

static int change(struct boot *b, unsigned i, enum boot_place place,
    unsigned attempts, struct diag *d)
{
	if (i >= b->state.count)
		return diag_fail(d, R_BOOT_NAME, "no bootname number %u", i);
	if (place != BOOT_OUT && attempts == 0)
		attempts = BOOT_ATTEMPTS_UNSET;
	return b->ops->change(b, i, place, MIN(attempts, BOOT_ATTEMPTS_MAX), d);
}

int boot_mark_bad(struct boot *b, unsigned i, struct diag *d)
{
	return change(b, i, BOOT_OUT, 0, d);
}

int boot_mark_good(
    struct boot *b, unsigned i, unsigned attempts, struct diag *d)
{
	return change(b, i, BOOT_REPAIRED, attempts, d);
}

int boot_set_primary(
    struct boot *b, unsigned i, unsigned attempts, struct diag *d)
{
	return change(b, i, BOOT_FIRST, attempts, d);
}

/* ---- bootloader=noop: something else chooses what boots ---- */

static int noop_load(struct boot *b, struct diag *d)
{
	(void)d;
	boot_state_default(
	    &b->state, "bootloader=noop: there is no boot state");
	return 0;
}

static int noop_change(struct boot *b, unsigned i, enum boot_place place,
    unsigned attempts, struct diag *d)
{
	(void)b;
	(void)i;
	(void)place;
	(void)attempts;
	(void)d;
	return 0;
}

const struct boot_ops boot_noop = {"noop", noop_load, noop_change};
