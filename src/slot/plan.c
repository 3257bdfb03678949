/* SPDX-License-Identifier: 0BSD */
#include "slot/install.h"

#define NONE (-1)

/* Slot types that take an image as it is, each 1 << enum slot_type. */
static const uint8_t takes[] = {
    [IMAGE_RAW] = 1 << SLOT_RAW | 1 << SLOT_EXT4 | 1 << SLOT_VFAT,
    [IMAGE_EXT4] = 1 << SLOT_RAW | 1 << SLOT_EXT4,
    [IMAGE_VFAT] = 1 << SLOT_RAW | 1 << SLOT_VFAT,
    [IMAGE_SQUASHFS] = 1 << SLOT_RAW,
    [IMAGE_OTHER] = 0,
};

static int root_of(const struct conf *c, unsigned i)
{
	return c->slot[i].parent < 0 ? (int)i : c->slot[i].parent;
}

/*
 * The first slot of this class in the group, or with NONE the one that no boot
 * loader starts. Two of those (say kernel.0 and kernel.1 without parents) are
 * nobody's: guessing would mix groups.
 */
static int find_slot(const struct conf *c, int group, const char *cls)
{
	int found = NONE;

	for (unsigned i = 0; i < c->slots; i++) {
		int root = root_of(c, i);

		if (strcmp(c->slot[i].slotclass, cls) != 0)
			continue;
		if (group == root)
			return (int)i;
		if (group != NONE || c->slot[root].bootname[0] != '\0')
			continue;
		if (found != NONE)
			return NONE;
		found = (int)i;
	}
	return found;
}

static bool taken(const struct manifest_image *image)
{
	return image->variant[0] == '\0';
}

/* RAUC takes the plain image of a class where no variant is set. */
static int check_variants(const struct manifest *m, struct diag *d)
{
	for (unsigned i = 0; i < m->images; i++) {
		bool plain = false;

		for (unsigned k = 0; k < m->images; k++)
			if (taken(&m->image[k]) &&
			    strcmp(m->image[k].slotclass,
			        m->image[i].slotclass) == 0)
				plain = true;
		if (!plain)
			return diag_fail(d, R_NO_SLOT_CLASS,
			    "image.%s.%s: there is no image without a "
			    "variant",
			    m->image[i].slotclass, m->image[i].variant);
	}
	return 0;
}

/*
 * Fills the items for a group, or for the slots outside of all groups: false
 * when the group has nothing to do with the bundle, or an image, *missing, has
 * no slot. The bootable slot's item goes to the end.
 */
static bool fill(struct plan *p, const struct conf *c, const struct manifest *m,
    int group, const struct manifest_image **missing)
{
	bool any = group == NONE, bootable = false;
	struct plan_item last = {0, 0};

	*missing = NULL;
	p->count = 0;
	for (unsigned i = 0; i < m->images; i++) {
		const struct manifest_image *im = &m->image[i];
		int slot = NONE;

		if (!taken(im))
			continue;
		if (group != NONE)
			slot = find_slot(c, group, im->slotclass);
		if (slot != NONE)
			any = true;
		else
			slot = find_slot(c, NONE, im->slotclass);
		if (slot == NONE) {
			*missing = im;
			return false;
		}
		if (slot == group) {
			last = (struct plan_item){i, (unsigned)slot};
			bootable = true;
		} else {
			p->item[p->count++] =
			    (struct plan_item){i, (unsigned)slot};
		}
	}
	if (bootable)
		p->item[p->count++] = last;
	return any;
}

/* The group that runs now, or NONE. */
static int booted_root(const struct conf *c, const char *booted)
{
	for (unsigned i = 0; i < c->slots; i++)
		if (strcmp(c->slot[i].name, booted) == 0 ||
		    strcmp(c->slot[i].bootname, booted) == 0)
			return root_of(c, i);
	return NONE;
}

/* How much would be lost with this group: 0 nothing, 2 what boots next. */
static int worth(const struct boot_state *boot, int index)
{
	if (!boot || index < 0 || (unsigned)index >= boot->count)
		return 0;
	if (boot->primary == index)
		return 2;
	return boot->name[index].in_order && boot->name[index].attempts > 0;
}

/*
 * The group, and its number among the bootnames. NONE is a choice, too: a
 * bundle for slots outside of all groups. Where no slot has a bootname, every
 * slot without a parent is a group.
 */
static int choose(struct plan *p, const struct conf *c,
    const struct manifest *m, const struct boot_state *boot, int running,
    struct diag *d)
{
	const struct manifest_image *missing, *first = NULL;
	bool excluded = false, bootnames = false;
	int best = 3, root = NONE, index = 0;

	for (unsigned i = 0; i < c->slots; i++)
		if (c->slot[i].bootname[0] != '\0')
			bootnames = true;
	for (unsigned i = 0; i < c->slots; i++) {
		const struct slot *s = &c->slot[i];
		int own = s->bootname[0] != '\0' ? index++ : NONE, w;

		if (s->parent >= 0 || (bootnames && own == NONE))
			continue;
		if (!fill(p, c, m, (int)i, &missing)) {
			if (!first)
				first = missing;
			continue;
		}
		if ((int)i == running) {
			excluded = true;
			continue;
		}
		w = worth(boot, own);
		if (w < best) {
			best = w;
			root = (int)i;
			p->boot_name = boot ? own : NONE;
		}
	}
	if (root == NONE && excluded)
		return diag_fail(d, R_NO_TARGET,
		    "the only slot group for this bundle (%s) is running",
		    c->slot[running].name);
	if (!fill(p, c, m, root, &missing)) {
		if (!first)
			first = missing;
		return diag_fail(d, R_NO_SLOT_CLASS,
		    "image.%s (%s): no group of slots takes all images",
		    first->slotclass, first->filename);
	}
	p->root = root != NONE ? (unsigned)root : p->item[0].slot;
	return 0;
}

static int check_item(
    const struct slot *s, const struct manifest_image *im, struct diag *d)
{
	if ((takes[im->type] >> s->type & 1) == 0)
		return diag_fail(d, R_IMAGE_TYPE,
		    "%s: type %s onto slot %s of type %s", im->filename,
		    im->type_name, s->name, s->type_name);
	if (s->readonly)
		return diag_fail(d, R_TARGET_READ_ONLY,
		    "slot %s is readonly in system.conf", s->name);
	return 0;
}

int install_plan(struct plan *p, const struct conf *c, const struct limits *l,
    const struct manifest *m, const struct boot_state *boot, const char *booted,
    struct diag *d)
{
	int running = NONE, r = 0;

	memset(p, 0, sizeof *p);
	p->boot_name = NONE;
	for (unsigned rule = 0; r == 0 && rule < INSTALL_RULES; rule++)
		r = install_check((enum install_rule)rule, c, l, m, d);
	if (r != 0)
		return r;
	if (m->images == 0)
		return diag_fail(d, R_IMAGE_NONE, "the manifest names none");
	r = check_variants(m, d);
	if (r != 0)
		return r;
	if (booted[0] != '\0') {
		running = booted_root(c, booted);
		if (running == NONE)
			return diag_fail(d, R_NO_TARGET,
			    "the running slot \"%s\" is not in system.conf",
			    booted);
	}
	r = choose(p, c, m, boot, running, d);
	for (unsigned i = 0; r == 0 && i < p->count; i++)
		r = check_item(
		    &c->slot[p->item[i].slot], &m->image[p->item[i].image], d);
	return r;
}
