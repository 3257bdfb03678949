/* SPDX-License-Identifier: 0BSD */
/* system.conf as a whole. */
#include "base/fmt.h"
#include "slot/conf.h"

static int bad_slot(struct diag *d, int reason, const struct slot *s,
    const char *what, const char *other)
{
	return diag_fail(d, reason, "slot %s: %s%s", s->name, what, other);
}

/* Parents by index, each slot's being the root of its group. */
static int link_parents(struct conf *c, struct diag *d)
{
	for (unsigned i = 0; i < c->slots; i++) {
		struct slot *s = &c->slot[i];

		s->parent = conf_slot(c, s->parent_name);
		if (s->parent < 0 && s->parent_name[0] != '\0')
			return bad_slot(d, R_CONF_VALUE, s,
			    "its parent is no slot: ", s->parent_name);
	}
	for (unsigned i = 0; i < c->slots; i++) {
		struct slot *s = &c->slot[i];

		for (unsigned steps = 0; s->parent >= 0; steps++) {
			int next = c->slot[s->parent].parent;

			if (next < 0)
				break;
			if (steps == CONF_SLOTS)
				return bad_slot(d, R_CONF_VALUE, s,
				    "its parents form a loop", "");
			s->parent = next;
		}
	}
	return 0;
}

static int check_slots(const struct conf *c, struct diag *d)
{
	unsigned names = 0;

	for (unsigned i = 0; i < c->slots; i++) {
		const struct slot *s = &c->slot[i];

		if (s->device[0] == '\0')
			return bad_slot(d, R_CONF_MISSING, s, "device", "");
		if (s->bootname[0] == '\0')
			continue;
		if (s->parent >= 0)
			return bad_slot(d, R_CONF_VALUE, s,
			    "bootname and parent exclude each other", "");
		if (++names > BOOTNAMES)
			return bad_slot(
			    d, R_LIMIT, s, "too many bootnames", "");
		for (unsigned k = 0; k < i; k++)
			if (strcmp(c->slot[k].bootname, s->bootname) == 0)
				return bad_slot(d, R_CONF_VALUE, s,
				    "the same bootname as ", c->slot[k].name);
	}
	return 0;
}

int conf_resolve(char *path, const char *conf, struct diag *d)
{
	const char *slash = strrchr(conf, '/');
	char old[CONF_TEXT];

	if (path[0] == '\0' || path[0] == '/' || !slash ||
	    strncmp(path, "pkcs11:", 7) == 0)
		return 0;
	fmt(old, sizeof old, "%s", path);
	if ((size_t)(slash - conf) + 1 + strlen(old) >= CONF_TEXT)
		return diag_fail(d, R_LIMIT, "%s: the path is too long", old);
	fmt(path, CONF_TEXT, "%.*s%s", (int)(slash - conf + 1), conf, old);
	return 0;
}

int conf_check(struct conf *c, struct diag *d)
{
	const char *missing = c->compatible[0] == '\0'        ? "compatible"
	                      : c->bootloader_name[0] == '\0' ? "bootloader"
	                                                      : NULL;
	int r;

	if (missing)
		return diag_fail(d, R_CONF_MISSING, "[system] %s", missing);
	if (c->data_directory[0] != '\0') {
		if (strcmp(c->statusfile, "per-slot") == 0)
			return diag_fail(d, R_CONF_VALUE,
			    "statusfile=per-slot and data-directory "
			    "exclude each other");
		c->statusfile_derived = c->statusfile[0] == '\0';
		if (c->statusfile_derived)
			fmt(c->statusfile, sizeof c->statusfile,
			    "%s/central.raucs", c->data_directory);
	}
	r = link_parents(c, d);
	return r != 0 ? r : check_slots(c, d);
}

int conf_slot(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->slots; i++)
		if (strcmp(c->slot[i].name, name) == 0)
			return (int)i;
	return -1;
}
