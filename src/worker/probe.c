/* SPDX-License-Identifier: 0BSD */
/* Which device is meant: reads every partition table and superblock that is
 * there, and answers with indices. */
#include "worker/work.h"

#include "base/blk_fd.h"
#include "media/fs.h"
#include "media/part.h"

static bool same_uuid(const char *a, const char *b)
{
	for (; *a != '\0' || *b != '\0'; a++, b++) {
		char x = *a, y = *b;

		if (x >= 'A' && x <= 'Z')
			x = (char)(x + 'a' - 'A');
		if (y >= 'A' && y <= 'Z')
			y = (char)(y + 'a' - 'A');
		if (x != y)
			return false;
	}
	return true;
}

static void match(int32_t *index, unsigned device)
{
	*index = *index == -1 ? (int32_t)device : -2;
}

/* The kernel's partition with this entry of the table, or -1: both must agree
 * on where it lies. */
static int partition(const struct work *w, unsigned disk, const struct part *p)
{
	const struct devices *t = &w->devices;

	for (unsigned i = 0; i < t->count; i++)
		if (t->d[i].disk == (int)disk && t->d[i].number == p->number &&
		    t->d[i].start == p->off && t->d[i].size == p->size)
			return (int)i;
	return -1;
}

static void look_at_table(
    const struct work *w, unsigned disk, struct blk *b, struct msg_probed *out)
{
	static struct part_table table;
	struct diag d = {0};

	if (part_read(&table, b, &d) != 0) {
		log_debug("%s: %s", w->devices.d[disk].name, d.seen);
		return;
	}
	for (unsigned i = 0; i < table.count; i++) {
		const struct part *p = &table.part[i];
		int device = partition(w, disk, p);

		for (unsigned s = 0; device >= 0 && s < MSG_SPECS; s++) {
			const struct spec *spec = &w->spec[s];

			if ((spec->kind == SPEC_PARTLABEL &&
			        p->label[0] != '\0' &&
			        strcmp(spec->value, p->label) == 0) ||
			    (spec->kind == SPEC_PARTUUID &&
			        p->uuid[0] != '\0' &&
			        same_uuid(spec->value, p->uuid)))
				match(&out->index[s], (unsigned)device);
		}
	}
}

static void look_at_fs(const struct work *w, unsigned device, struct blk *b,
    struct msg_probed *out)
{
	struct fs_id id;

	if (fs_identify(b, &id, NULL) != 0 || id.uuid[0] == '\0')
		return;
	for (unsigned s = 0; s < MSG_SPECS; s++)
		if (w->spec[s].kind == SPEC_UUID &&
		    same_uuid(w->spec[s].value, id.uuid))
			match(&out->index[s], device);
}

static bool wanted(const struct work *w, enum spec_kind kind)
{
	for (unsigned s = 0; s < MSG_SPECS; s++)
		if (w->spec[s].kind == kind)
			return true;
	return false;
}

void probe_child(const struct work *w, int fd)
{
	static struct msg m;
	const struct devices *t = &w->devices;
	bool tables = wanted(w, SPEC_PARTLABEL) || wanted(w, SPEC_PARTUUID);
	bool uuids = wanted(w, SPEC_UUID);
	int keep[DEVICES + 1] = {fd};
	unsigned count = 1;
	struct diag d = {0};

	for (unsigned i = 0; i < t->count; i++)
		if (t->d[i].fd >= 0)
			keep[count++] = t->d[i].fd;
	if (child_enter(w, SANDBOX_READ, fd, keep, count, &d) != 0) {
		child_end(&d, POLICY_WAIT, 0);
		return;
	}
	m.type = MSG_PROBED;
	for (unsigned s = 0; s < MSG_SPECS; s++)
		m.u.probed.index[s] = -1;
	for (unsigned i = 0; i < t->count; i++) {
		struct blk_fd b;

		if (t->d[i].fd < 0)
			continue;
		blk_fd_init(
		    &b, t->d[i].fd, -1, t->d[i].size, t->d[i].sector, false);
		if (tables && t->d[i].number == 0)
			look_at_table(w, i, &b.blk, &m.u.probed);
		if (uuids)
			look_at_fs(w, i, &b.blk, &m.u.probed);
	}
	if (!msg_send(fd, &m, NULL, 0))
		d.reason = R_CHILD;
	child_end(&d, POLICY_WAIT, 0);
}
