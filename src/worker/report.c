/* SPDX-License-Identifier: 0BSD */
/* What the installer child has the status file say. */
#include "options.h"
#include "worker/installer.h"

_Static_assert(offsetof(struct manifest, format) ==
                   offsetof(struct status_change, hash) -
                       offsetof(struct status_change, compatible),
    "the texts of a status_change are the first ones of a manifest");

#define TRIES_MAX 5 /* before storing "pending" is suspected of ending them */

static void ask(enum status_kind kind)
{
	const struct work *w = self.w;

	if (w->status_path[0] == '\0' && w->no_status.reason == 0)
		return;
	if (kind == STATUS_PENDING && self.tries >= TRIES_MAX) {
		log_warn("status file: left alone until the slots are written, "
		         "since %u attempts were cut short",
		    self.tries);
		return;
	}
	self.report.type = MSG_STATUS;
	self.report.u.status.kind = kind;
	child_ask(&self.report, NULL, NULL);
}

void report_status(void *ctx, enum status_kind kind)
{
	const struct manifest *m = &self.bundle.manifest;
	const struct plan *p = &self.plan;
	struct status_change *ch = &self.report.u.status;

	(void)ctx;
	memcpy((char *)ch + offsetof(struct status_change, compatible), m,
	    offsetof(struct manifest, format));
	memcpy(ch->hash, m->sha256, sizeof ch->hash);
	ch->activated = self.conf->activate_installed && p->boot_name >= 0
	                    ? (int32_t)p->root
	                    : -1;
	ch->images = p->count;
	for (unsigned i = 0; i < p->count; i++) {
		const struct manifest_image *im = &m->image[p->item[i].image];

		ch->image[i].slot = p->item[i].slot;
		ch->image[i].size = im->size;
		memcpy(ch->image[i].sha256, im->sha256, sizeof im->sha256);
	}
	ask(kind);
}

void report_activated(unsigned slot)
{
	self.report.u.status.activated = (int32_t)slot;
	ask(STATUS_ACTIVATED);
}

/* The owner of the old system may have written it, so one that says nothing
 * is no reason to leave a device without a rescue. */
static void learn_status(void)
{
	const struct job_setup *s = self.w->setup;
	const char *version = self.report.u.grant.version;
	static char text[MANIFEST_TEXT];
	struct diag d = {0};

	if (s->status.p) {
		if (status_version(text, s->status, self.conf, &d) != 0)
			log_warn("status file: %s", d.seen);
		version = text;
	} else {
		ask(STATUS_QUESTION);
	}
	if (version[0] == '\0' ||
	    limits_raise(&self.limits, version, "the status file", NULL) != 0)
		log_warn("status-floor: the status file names no version that "
		         "was installed: it sets no floor");
}

void learn_limits(void)
{
	const struct job_setup *s = self.w->setup;
	struct limits *l = &self.limits;

	if (!s->settings || !self.conf)
		return;
	limits_init(l, s->settings);
	if (s->settings->ignore_floor)
		log_warn("ignore-floor: no version is too old");
	else if (OPT_STATUS && s->settings->status_floor)
		learn_status();
	if (l->floor[0] != '\0')
		log_info("no bundle older than %s is taken: %s", l->floor,
		    l->floor_by);
}
