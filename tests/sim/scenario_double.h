/* SPDX-License-Identifier: 0BSD */
/* The bundle of a scenario in memory; for programs that use rig.h. Included
 * by exactly one file of a program. */
#ifndef LIFEBOAT_SCENARIO_DOUBLE_H
#define LIFEBOAT_SCENARIO_DOUBLE_H

#include "bundle_double.h"
#include "rig.h"
#include "worker_double.h"

static void scenario_make(const struct scenario *s)
{
	static uint8_t rootfs[RIG_SLOT], kernel[RIG_SLOT];
	struct rig_image root = {.p = rootfs}, kern = {.p = kernel};

	rig_images(s, rootfs, &root.size, kernel, &kern.size);
	double_reset();
	memcpy(double_bundle.manifest.compatible, "dev", 4);
	memcpy(double_bundle.manifest.version, "1.0", 4);
	memset(double_bundle.manifest.sha256, 7, 32);
	double_add("rootfs", rootfs, root.size);
	if (s->classes != CLASSES_ROOTFS)
		double_add("kernel", kernel, kern.size);
	memcpy(&worker_double.bundle, &double_bundle, sizeof double_bundle);
	rig_world_make(s, &root, s->classes != CLASSES_ROOTFS ? &kern : NULL);
}

#endif
