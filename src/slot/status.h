/* SPDX-License-Identifier: 0BSD */
/*
 * RAUC's status file (central.raucs: data-directory= or statusfile= of
 * system.conf): what was installed where, for RAUC and for people. lifeboat
 * never concludes from it what stands in a slot; with status-floor, which
 * version is too old to be installed. Keys, order and meaning are
 * RAUC's; src/FORMAT.md lists them. Pure: text in, text out.
 */
#ifndef LIFEBOAT_STATUS_H
#define LIFEBOAT_STATUS_H

#include "slot/conf.h"

#define STATUS_MAX 65536u /* files are shorter than this, bytes */

/*
 * Where the file is: statusfile= or data-directory= of system.conf. Without
 * settings.data_device as it stands there, with it relative to that
 * partition's root ("rauc/central.raucs"). Empty: there is none, or each slot
 * has its own. R_STATUS_PLACE: not absolute, not below data_mount_point, no
 * name at its end, or ".." in it.
 */
int status_path(char dst[static CONF_TEXT], const struct conf *c,
    const struct settings *s, struct diag *d) MUST_CHECK;

enum status_kind {
	STATUS_PENDING, /* before the first write: no sha256, no size */
	STATUS_OK,
	STATUS_FAILED,    /* as pending: no sha256, no size */
	STATUS_ACTIVATED, /* made primary: only the activated.* keys */
	STATUS_KINDS,
	/* no change: which version the file names (status_version) */
	STATUS_QUESTION = STATUS_KINDS,
};

/* One image in its slot. */
struct status_image {
	uint32_t slot; /* index in conf.slot */
	uint8_t sha256[32];
	uint64_t size;
};

/* What happened. Fixed size, no pointers: it may come from another process. A
 * text that is empty, has no NUL or is not UTF-8 is left out. */
struct status_change {
	uint32_t kind;   /* enum status_kind */
	uint32_t images; /* entries in image, at most MANIFEST_IMAGES */
	/* STATUS_OK: index in conf.slot of the one made primary as well, or
	 * -1. STATUS_ACTIVATED: of the one it is about. */
	int32_t activated;
	int64_t time; /* seconds since 1970; <= 0: not known */
	char compatible[MANIFEST_TEXT];
	char version[MANIFEST_TEXT];
	char description[MANIFEST_DESCRIPTION];
	char build[MANIFEST_TEXT];
	uint8_t hash[32]; /* SHA-256 of the manifest: RAUC's bundle.hash */
	struct status_image image[MANIFEST_IMAGES];
};

/*
 * Writes into dst (STATUS_MAX bytes) what old becomes by the change. In the
 * groups of the change's slots the keys that RAUC knows stand first and in its
 * order; all else, unknown keys and comments included, stays byte for byte. A
 * file that is no key file counts as empty, and *damaged says so. Timestamps
 * are UTC with Z and newer than any in the file, so that the slot counts as
 * the newest even where the clock has stopped; there is none where neither
 * knows one. Counts end at 2^32 - 1.
 * *changed is false when the file need not be written: it says all of it
 * already (STATUS_OK: the slots are ok with this hash, sha256 and size, and
 * the one to activate has been so before). R_LIMIT: it would not be shorter
 * than STATUS_MAX. R_INTERNAL: ch names what is not there.
 */
int status_update(char *dst, size_t *len, bool *changed, bool *damaged,
    struct slice old, const struct conf *c, const struct status_change *ch,
    struct diag *d) MUST_CHECK;

/* What the file says of one slot; empty text and 0: it says nothing. */
struct status_slot {
	bool found; /* there is a group for it */
	char compatible[MANIFEST_TEXT];
	char version[MANIFEST_TEXT];
	char description[MANIFEST_DESCRIPTION];
	char build[MANIFEST_TEXT];
	char hash[65];
	char status[32];
	char sha256[65];
	uint64_t size;
	char installed_timestamp[40];
	uint32_t installed_count;
	char activated_timestamp[40];
	uint32_t activated_count;
};

/* Reads the group of the slot of this name. What cannot be read is left
 * empty, as in RAUC. R_KEYFILE_SYNTAX: it is no key file. */
int status_read(struct status_slot *s, struct slice text, const char *name,
    struct diag *d) MUST_CHECK;

/*
 * The highest version of what the file says is whole ("ok") in a slot of
 * system.conf; empty: there is none. What is no semantic version is passed
 * over with a warning. R_KEYFILE_SYNTAX: it is no key file.
 */
int status_version(char dst[static MANIFEST_TEXT], struct slice text,
    const struct conf *c, struct diag *d) MUST_CHECK;

/* Seconds since 1970 as YYYY-MM-DDThh:mm:ssZ (21 bytes with NUL), and back:
 * false when text is none. Years 1970 to 9999. */
void status_time_format(char dst[static 21], int64_t time);
bool status_time_parse(struct slice text, int64_t *time);

#endif
