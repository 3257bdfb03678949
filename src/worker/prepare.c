/* SPDX-License-Identifier: 0BSD */
/* What the children get: the devices that are meant, opened read-only. */
#include "base/fmt.h"
#include "base/log.h"
#include "options.h"
#include "worker/owner.h"

/* The slots, the copies of the environment, the data partition. */
static const char *device_text(const struct work *w, unsigned i)
{
	const struct job_setup *s = w->setup;

	if (i < w->slots)
		return s->conf->slot[i].device;
	if (i >= CONF_SLOTS && i - CONF_SLOTS < w->stores)
		return s->fw_env->copy[i - CONF_SLOTS].device;
	if (OPT_STATUS && i == MSG_SPECS - 1 && w->status_path[0] != '\0' &&
	    s->settings->data_device[0] != '\0')
		return s->settings->data_device;
	return NULL;
}

bool parse_specs(struct work *w)
{
	bool probe = false;

	for (unsigned i = 0; i < MSG_SPECS; i++) {
		const char *text = device_text(w, i);

		if (!text)
			continue;
		spec_parse(&w->spec[i], text);
		probe = probe || w->spec[i].kind != SPEC_PATH;
	}
	return probe;
}

/* Every disk that carries nothing of the device itself. */
static void find_media(struct work *w)
{
	const struct devices *t = &w->devices;
	bool own[DEVICES] = {false};

	for (unsigned i = 0; i < MSG_SPECS - 1; i++)
		if (w->target[i].device >= 0)
			own[devices_disk(t, (unsigned)w->target[i].device)] =
			    true;
	for (unsigned i = 0; i < t->count; i++) {
		const struct device *m = &t->d[i];

		if (own[i] || m->number != 0 || m->no_medium || m->fd < 0 ||
		    device_mounted(t, i))
			continue;
		if (w->media == SOURCE_MEDIA)
			log_warn("%s: only %u media are looked at", m->name,
			    SOURCE_MEDIA);
		else
			w->medium[w->media++] = i;
	}
}

/* What the probe found, or the path as it stands. */
static void open_target(struct work *w, unsigned i, const int32_t *index)
{
	const struct spec *s = &w->spec[i];
	struct target *t = &w->target[i];
	char path[DEVICE_NAME + 8];
	int32_t found = index ? index[i] : -1;

	if (s->kind == SPEC_PATH) {
		target_open(
		    t, &w->devices, s->value, i - CONF_SLOTS < w->stores);
	} else if (found < -1 ||
	           (found >= 0 && w->devices.count == DEVICES - 1)) {
		/* where the table is full none is known to be the only one */
		target_fail(
		    t, R_TARGET_AMBIGUOUS, "several devices are %s", s->value);
	} else if (found < 0) {
		target_fail(t, R_TARGET_MISSING, "no device is %s", s->value);
	} else {
		const struct device *d = &w->devices.d[found];

		fmt(path, sizeof path, "/dev/%s", d->name);
		target_open(t, &w->devices, path, false);
		if (t->reason == 0 &&
		    (t->kind != TARGET_BLOCK || t->dev != d->dev))
			target_fail(t, R_TARGET_MISSING,
			    "%s is another device than before", path);
	}
}

static int open_targets(struct work *w, const int32_t *index, struct diag *d)
{
	for (unsigned i = 0; i < MSG_SPECS; i++) {
		const struct target *t = &w->target[i];

		if (!device_text(w, i))
			continue;
		open_target(w, i, index);
		if (i - CONF_SLOTS < w->stores && t->reason != 0)
			return diag_fail(d,
			    t->reason == R_TARGET_AMBIGUOUS ? t->reason
			                                    : R_BOOT_IO,
			    "boot environment: %s", t->seen);
	}
	return 0;
}

/* The data partition is one, is neither a slot nor the environment's, and lies
 * on a disk that has one of those: no file system of a medium is mounted,
 * whatever its name is. */
static void check_data(struct work *w)
{
	struct target *t = &w->data;
	const struct devices *all = &w->devices;
	bool own = false, other = t->device < 0;
	int disk = other ? -1 : all->d[t->device].disk;

	for (unsigned i = 0; i < MSG_SPECS - 1; i++) {
		int device = w->target[i].device;

		if (device < 0)
			continue;
		own = own || (int)devices_disk(all, (unsigned)device) == disk;
		/* an environment may lie between a disk's partitions */
		other = other || device == t->device ||
		        (device == disk && i < CONF_SLOTS);
	}
	if (other || !own)
		target_fail(t, R_STATUS_PLACE,
		    "%s is no partition of its own beside the slots", t->path);
}

int start_workers(const int32_t *index, struct diag *d)
{
	struct work *w = &job.work;
	int pipe[2] = {-1, -1};
	int r;

	if (open_targets(w, index, &w->no_env) != 0) {
		if (w->setup->verb != JOB_STATE ||
		    w->setup->format == JOB_QUIET)
			return diag_fail(
			    d, w->no_env.reason, "%s", w->no_env.seen);
		w->stores = 0;
	}
	if (OPT_STATUS && w->data.fd >= 0)
		check_data(w);
	if (job_needs(NEEDS_MEDIA))
		find_media(w);
	r = 0;
	if (job_needs(NEEDS_SOURCE)) {
		r = start_child(SOURCE, -1, d);
	} else if (job_needs(NEEDS_MEDIA | NEEDS_BUNDLE)) {
		r = socket_pair(pipe, d);
		if (r == 0)
			r = start_child(SOURCE, pipe[0], d);
	}
	if (r == 0 && !job_needs(NEEDS_SOURCE))
		r = start_child(INSTALLER, pipe[1], d);
	close_fd(&pipe[0]);
	close_fd(&pipe[1]);
	job.stage = WORKING;
	return r;
}
