/* SPDX-License-Identifier: 0BSD */
/*
 * manifest.raucm: what a bundle says of itself. Strict as RAUC's parser:
 * unknown groups and keys are errors, but for [rollout] and the three image
 * keys RAUC drops. Pure.
 */
#ifndef LIFEBOAT_MANIFEST_H
#define LIFEBOAT_MANIFEST_H

#include "base/base.h"
#include "base/reason.h"

#define MANIFEST_IMAGES 16
#define MANIFEST_TEXT 128 /* longest compatible, version, ..., with NUL */
#define MANIFEST_DESCRIPTION 512

enum bundle_format { FORMAT_PLAIN, FORMAT_VERITY, FORMAT_CRYPT };

/* By `type`, else by file name (RAUC's table, first match wins). */
enum image_type {
	IMAGE_RAW,
	IMAGE_EXT4,
	IMAGE_VFAT,
	IMAGE_SQUASHFS,
	IMAGE_OTHER, /* known to RAUC, not written by lifeboat: type_name */
};

struct manifest_image {
	char slotclass[32];
	char variant[32];   /* empty: none */
	char filename[256]; /* no '/' */
	char type_name[24]; /* RAUC's word: "ext4", "tar", ... */
	enum image_type type;
	uint8_t sha256[32];
	uint64_t size; /* bytes of the image file */
	bool adaptive; /* ignored: the full image is always there */
	uint8_t hooks; /* of the first three of enum manifest_code */
};

/*
 * What a bundle brings that RAUC would run, each a bit: of images the first
 * three. None of it is ever run here; see install_check. CODE_FILE says only
 * which file the hooks are in.
 */
enum manifest_code {
	CODE_INSTALL = 1, /* writes the slot instead of RAUC */
	CODE_PRE_INSTALL = 2,
	CODE_POST_INSTALL = 4,
	CODE_INSTALL_CHECK = 8,
	CODE_HANDLER = 16, /* does all of the install */
	CODE_FILE = 32,
};

/* The words of those in code: "install-check handler". */
void manifest_code_text(char dst[static 80], unsigned code);

struct manifest {
	char compatible[MANIFEST_TEXT];
	char version[MANIFEST_TEXT];
	char description[MANIFEST_DESCRIPTION];
	char build[MANIFEST_TEXT];
	enum bundle_format format;
	bool has_verity;
	uint8_t verity_hash[32];
	uint8_t verity_salt[32];
	uint64_t verity_size; /* bytes of the hash tree */
	uint8_t crypt_key[32];
	/* The first thing that asks for code from the bundle to be run
	 * ("[handler] filename=x"), or empty. The caller refuses. */
	char wants_code[96];
	unsigned code; /* all of it: enum manifest_code, or-ed */
	unsigned images;
	struct manifest_image image[MANIFEST_IMAGES];
	uint8_t sha256[32]; /* of the manifest's bytes: RAUC's bundle.hash */
};

/*
 * Parses a manifest of any format. R_MANIFEST_* (d names line
 * and key), R_LIMIT.
 */
int manifest_parse(struct manifest *m, const void *text, size_t len,
    struct diag *d) MUST_CHECK;

const char *format_name(enum bundle_format f); /* "plain", "verity", "crypt" */

/*
 * Semantic versions as RAUC compares them (semver 2.0.0; missing minor and
 * patch count as 0): *order < 0, 0, > 0. R_MANIFEST_VERSION when one is none.
 */
int semver_compare(
    const char *a, const char *b, int *order, struct diag *d) MUST_CHECK;

#endif
