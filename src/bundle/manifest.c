/* SPDX-License-Identifier: 0BSD */
#include "bundle/manifest.h"

#include <bearssl_hash.h>

#include "base/fmt.h"
#include "base/keyfile.h"

/* What was met of the keys that a manifest must or must not have together:
 * of the whole, or of one image. */
enum seen {
	SEEN_HASH = 1,
	SEEN_SALT = 2,
	SEEN_SIZE = 4,
	SEEN_CRYPT_KEY = 8,
	SEEN_HANDLER = 16,
	SEEN_HANDLER_ARGS = 32,
	SEEN_HOOKS_FILE = 64,
	SEEN_HOOK = 128,
	SEEN_SHA256 = SEEN_HASH,
	SEEN_TYPE = 16,
	SEEN_INSTALL_HOOK = 32,
};

/* The first four in the order of take_group's list. */
enum group {
	G_UPDATE,
	G_BUNDLE,
	G_HANDLER,
	G_HOOKS,
	G_IMAGE,
	G_ANY, /* [rollout] and [meta.*]: no key of theirs matters */
};

struct parser {
	struct keyfile kf;
	struct manifest *m;
	struct manifest_image *image; /* of the group at hand, or NULL */
	enum group group;
	unsigned seen;
	unsigned image_seen[MANIFEST_IMAGES];
	unsigned *group_seen; /* of these two, that of the group at hand */
	struct diag *d;
};

/* How a value is taken. */
enum take {
	TAKE_TEXT,   /* not empty */
	TAKE_STRING, /* may be empty: as if it were not there */
	TAKE_HEX,
	TAKE_U64,
	TAKE_FORMAT,
	TAKE_TYPE,
	TAKE_FILE,
	TAKE_SEMVER,
	TAKE_CODE, /* names something to be run */
	TAKE_HOOKS,
	TAKE_ADAPTIVE,
	TAKE_NOTHING,
	TAKE_REFUSED,
};

#define OF(member) offsetof(struct manifest, member)
#define OF_IMAGE(member) offsetof(struct manifest_image, member)

static const struct key {
	char name[17];
	uint8_t group, take, seen;
	uint16_t offset; /* in struct manifest or manifest_image */
	uint16_t cap;    /* of a text */
} keys[] = {
    {"compatible", G_UPDATE, TAKE_TEXT, 0, OF(compatible), MANIFEST_TEXT},
    {"version", G_UPDATE, TAKE_STRING, 0, OF(version), MANIFEST_TEXT},
    {"description", G_UPDATE, TAKE_STRING, 0, OF(description),
        MANIFEST_DESCRIPTION},
    {"build", G_UPDATE, TAKE_STRING, 0, OF(build), MANIFEST_TEXT},
    {"min-rauc-version", G_UPDATE, TAKE_SEMVER, 0, 0, 0},
    {"format", G_BUNDLE, TAKE_FORMAT, 0, 0, 0},
    {"verity-hash", G_BUNDLE, TAKE_HEX, SEEN_HASH, OF(verity_hash), 0},
    {"verity-salt", G_BUNDLE, TAKE_HEX, SEEN_SALT, OF(verity_salt), 0},
    {"verity-size", G_BUNDLE, TAKE_U64, SEEN_SIZE, OF(verity_size), 0},
    {"crypt-key", G_BUNDLE, TAKE_HEX, SEEN_CRYPT_KEY, OF(crypt_key), 0},
    {"filename", G_HANDLER, TAKE_CODE, SEEN_HANDLER, 0, 0},
    {"args", G_HANDLER, TAKE_CODE, SEEN_HANDLER_ARGS, 0, 0},
    {"filename", G_HOOKS, TAKE_CODE, SEEN_HOOKS_FILE, 0, 0},
    {"hooks", G_HOOKS, TAKE_HOOKS, 0, 0, 0},
    {"filename", G_IMAGE, TAKE_FILE, 0, OF_IMAGE(filename), 256},
    {"sha256", G_IMAGE, TAKE_HEX, SEEN_SHA256, OF_IMAGE(sha256), 0},
    {"size", G_IMAGE, TAKE_U64, SEEN_SIZE, OF_IMAGE(size), 0},
    {"type", G_IMAGE, TAKE_TYPE, SEEN_TYPE, 0, 0},
    {"hooks", G_IMAGE, TAKE_HOOKS, 0, 0, 0},
    {"adaptive", G_IMAGE, TAKE_ADAPTIVE, 0, 0, 0},
    {"version", G_IMAGE, TAKE_NOTHING, 0, 0, 0},
    {"description", G_IMAGE, TAKE_NOTHING, 0, 0, 0},
    {"build", G_IMAGE, TAKE_NOTHING, 0, 0, 0},
    {"convert", G_IMAGE, TAKE_REFUSED, 0, 0, 0},
    {"converted", G_IMAGE, TAKE_REFUSED, 0, 0, 0},
};

/* Says what is wrong with the line at hand, a group or a key. */
static int refuse(const struct parser *p, int reason, const char *why)
{
	const struct keyfile *kf = &p->kf;

	return diag_fail(p->d, reason, "line %u: [%.*s]%s%.*s: %s", kf->line,
	    (int)MIN(kf->group.len, 80), kf->group.p, kf->key.len ? " " : "",
	    (int)MIN(kf->key.len, 48), kf->key.p, why);
}

static int refuse_value(const struct parser *p, const char *why)
{
	return refuse(p, R_MANIFEST_VALUE, why);
}

static int missing(struct diag *d, const char *group, const char *key)
{
	return diag_fail(d, R_MANIFEST_MISSING, "[%s] lacks %s", group, key);
}

static void want_code(struct parser *p, unsigned code)
{
	const struct keyfile *kf = &p->kf;
	struct manifest *m = p->m;

	m->code |= code;
	if (p->image)
		p->image->hooks |= (uint8_t)code;
	if (m->wants_code[0] == '\0')
		fmt(m->wants_code, sizeof m->wants_code, "[%.*s] %.*s=%.*s",
		    (int)MIN(kf->group.len, 40), kf->group.p, (int)kf->key.len,
		    kf->key.p, (int)MIN(kf->value.len, 60), kf->value.p);
}

/* Where a word stands in a list of words, or -1. */
static int index_of(const char *list, struct slice word)
{
	return slice_index((struct slice){list, strlen(list)}, word);
}

static int take_hooks(struct parser *p)
{
	struct slice item;
	size_t pos = 0;

	while (kf_list_next(p->kf.value, &pos, &item)) {
		int hook =
		    index_of(p->image ? "install pre-install post-install"
		                      : "install-check",
		        item);

		if (hook < 0)
			return refuse_value(p, "unknown hook");
		if (p->image && hook == 0)
			*p->group_seen |= SEEN_INSTALL_HOOK;
		p->seen |= SEEN_HOOK;
		want_code(p, p->image ? 1u << hook : CODE_INSTALL_CHECK);
	}
	return 0;
}

/* Does name match a pattern in which '*' stands for any text? */
static bool glob_match(struct slice pattern, const char *name)
{
	const char *p = pattern.p;
	const char *end = pattern.p + pattern.len;
	const char *star = NULL;
	const char *retry = NULL;

	while (*name != '\0') {
		if (p < end && *p == '*') {
			star = ++p;
			retry = name;
		} else if (p < end && *p == *name) {
			p++;
			name++;
		} else if (star) {
			p = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

/* RAUC's words for image types: those that lifeboat writes first, in the
 * order of enum image_type. */
static const char types[] =
    "raw ext4 vfat squashfs "
    "ubifs tar emptyfs raw-caibx ext4-caibx vfat-caibx squashfs-caibx "
    "ubifs-caibx caidx catar";

/* And by file name: pattern and type; the first match wins. */
static const char file_types[] = "*.ext4.caibx ext4-caibx "
                                 "*.vfat.caibx vfat-caibx "
                                 "*.ubifs.caibx ubifs-caibx "
                                 "*.img.caibx raw-caibx "
                                 "*.squashfs.caibx squashfs-caibx "
                                 "*.squashfs-*.caibx squashfs-caibx "
                                 "*.catar catar "
                                 "*.caidx caidx "
                                 "*.tar* tar "
                                 "*.tgz tar "
                                 "*.ext4 ext4 "
                                 "*.vfat vfat "
                                 "*.img raw "
                                 "*.squashfs-* squashfs "
                                 "*.squashfs squashfs "
                                 "*.ubifs ubifs";

/* False when RAUC does not know the word. */
static bool set_type(struct manifest_image *i, struct slice word)
{
	int type = index_of(types, word);

	if (type < 0 || !slice_copy(i->type_name, sizeof i->type_name, word))
		return false;
	i->type = type < IMAGE_OTHER ? (enum image_type)type : IMAGE_OTHER;
	return true;
}

static bool set_type_by_name(struct manifest_image *i)
{
	struct slice left = {file_types, sizeof file_types - 1};
	struct slice pattern, word;

	while (slice_word(&left, &pattern) && slice_word(&left, &word))
		if (glob_match(pattern, i->filename))
			return set_type(i, word);
	return false;
}

static int take_format(struct parser *p, const char *word)
{
	for (unsigned f = FORMAT_PLAIN; f <= FORMAT_CRYPT; f++) {
		if (strcmp(word, format_name((enum bundle_format)f)) == 0) {
			p->m->format = (enum bundle_format)f;
			return 0;
		}
	}
	return refuse_value(p, "is neither plain, verity nor crypt");
}

/* A value that is text, of which `text` is a copy. */
static int take_text(struct parser *p, enum take take, const char *text)
{
	int order;

	if (text[0] == '\0' && take != TAKE_STRING && take != TAKE_CODE)
		return refuse_value(p, "is empty");
	if (take == TAKE_FORMAT)
		return take_format(p, text);
	if (take == TAKE_TYPE &&
	    !set_type(p->image, (struct slice){text, strlen(text)}))
		return refuse_value(p, "unknown image type");
	if (take == TAKE_FILE && strchr(text, '/'))
		return refuse_value(p, "contains a '/'");
	/* It speaks of RAUC's features; what lifeboat lacks of them it refuses
	 * by their own keys. */
	if (take == TAKE_SEMVER && semver_compare(text, "0", &order, NULL) != 0)
		return refuse_value(p, "is no semantic version");
	return 0;
}

static int take_value(
    struct parser *p, const struct key *key, void *dst, struct diag *d)
{
	char text[MANIFEST_DESCRIPTION];
	int r;

	switch ((enum take)key->take) {
	case TAKE_HEX:
		return kf_hex(&p->kf, dst, 32, d);
	case TAKE_U64:
		return kf_u64(&p->kf, dst, d);
	case TAKE_HOOKS:
		return take_hooks(p);
	case TAKE_ADAPTIVE:
		p->image->adaptive = true;
		return 0;
	case TAKE_NOTHING:
		return 0;
	case TAKE_REFUSED:
		return refuse(p, R_MANIFEST_KEY,
		    "converted artifact images are not supported");
	case TAKE_TEXT:
	case TAKE_STRING:
	case TAKE_FORMAT:
	case TAKE_TYPE:
	case TAKE_FILE:
	case TAKE_SEMVER:
	case TAKE_CODE:
		break;
	}
	if (key->cap == 0)
		dst = text;
	r = kf_string(&p->kf, dst, key->cap ? key->cap : sizeof text, d);
	return r == 0 ? take_text(p, (enum take)key->take, dst) : r;
}

static int take_key(struct parser *p)
{
	const struct key *key = keys;
	struct diag inner = {0};
	char *base = p->image ? (char *)p->image : (char *)p->m;
	int r;

	if (p->group == G_ANY)
		return 0;
	while (key->group != p->group || !slice_is(p->kf.key, key->name))
		if (++key == keys + ARRAY_LEN(keys))
			return refuse(p, R_MANIFEST_KEY, "unknown key");
	if (kf_repeated(&p->kf))
		return refuse_value(p, "stands here twice");
	r = take_value(p, key, base + key->offset, &inner);
	if (r == R_KEYFILE_VALUE)
		return diag_fail(p->d, R_MANIFEST_VALUE, "%s", inner.seen);
	if (r != 0 || (key->take == TAKE_CODE && p->kf.value.len == 0))
		return r;
	if (key->take == TAKE_CODE)
		want_code(p, p->group == G_HOOKS ? CODE_FILE : CODE_HANDLER);
	*p->group_seen |= key->seen;
	return 0;
}

/* CLASS or CLASS.VARIANT; the variant may contain more dots. */
static int group_image(struct parser *p, struct slice class)
{
	struct manifest *m = p->m;
	struct slice variant;
	bool dot = slice_cut(&class, '.', &variant);
	unsigned n = 0;

	if (class.len > 0 && memchr(class.p, '/', class.len))
		return refuse(
		    p, R_MANIFEST_KEY, "artifact images are not supported");
	if (class.len == 0 || (dot && variant.len == 0))
		return refuse(p, R_MANIFEST_KEY, "expected [image.CLASS]");
	while (n < m->images && !(slice_is(class, m->image[n].slotclass) &&
	                            slice_is(variant, m->image[n].variant)))
		n++;
	if (n == MANIFEST_IMAGES)
		return refuse(p, R_LIMIT, "more than 16 images");
	p->image = &m->image[n];
	p->group_seen = &p->image_seen[n];
	if (n < m->images)
		return 0;
	if (!slice_copy(
	        p->image->slotclass, sizeof p->image->slotclass, class) ||
	    !slice_copy(p->image->variant, sizeof p->image->variant, variant))
		return refuse(
		    p, R_LIMIT, "class or variant longer than 31 bytes");
	m->images++;
	return 0;
}

/* If s starts with prefix: the rest of it. */
static bool after(struct slice s, const char *prefix, struct slice *rest)
{
	size_t n = strlen(prefix);

	if (s.len < n || memcmp(s.p, prefix, n) != 0)
		return false;
	rest->p = s.p + n;
	rest->len = s.len - n;
	return true;
}

static int take_group(struct parser *p)
{
	struct slice rest;
	int known = index_of("update bundle handler hooks", p->kf.group);

	p->image = NULL;
	p->group_seen = &p->seen;
	p->group = (enum group)known;
	if (known >= 0)
		return 0;
	p->group = G_IMAGE;
	if (after(p->kf.group, "image.", &rest))
		return group_image(p, rest);
	p->group = G_ANY;
	if (slice_is(p->kf.group, "rollout") ||
	    (after(p->kf.group, "meta.", &rest) && slice_alnum(rest, "-_")))
		return 0;
	return refuse(p, R_MANIFEST_KEY, "unknown group");
}

static int check_bundle(const struct parser *p)
{
	static const char names[][12] = {
	    "verity-hash", "verity-salt", "verity-size", "crypt-key"};
	struct manifest *m = p->m;
	unsigned met = p->seen & 15;
	unsigned want = m->format == FORMAT_PLAIN    ? 0
	                : m->format == FORMAT_VERITY ? 7
	                                             : 15;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (want & ~met & 1u << i)
			return missing(p->d, "bundle", names[i]);
	if (met != want)
		return diag_fail(p->d, R_MANIFEST_VALUE,
		    "[bundle] verity or crypt keys with format=%s",
		    format_name(m->format));
	if (want == 0)
		return 0;
	m->has_verity = true;
	if (m->verity_size == 0 || m->verity_size % 4096 != 0)
		return diag_fail(p->d, R_MANIFEST_VALUE,
		    "[bundle] verity-size=%llu: expected a multiple of 4096",
		    (unsigned long long)m->verity_size);
	return 0;
}

static int check_image(struct manifest_image *i, unsigned seen, struct diag *d)
{
	bool hooked = seen & SEEN_INSTALL_HOOK;
	char group[sizeof "image." + sizeof i->slotclass];

	fmt(group, sizeof group, "image.%s", i->slotclass);
	/* RAUC's emptyfs has no file; nor needs one what a hook installs. */
	if (i->filename[0] == '\0')
		return hooked || strcmp(i->type_name, "emptyfs") == 0
		           ? 0
		           : missing(d, group, "filename");
	if (!(seen & SEEN_SHA256))
		return missing(d, group, "sha256");
	if (!(seen & SEEN_SIZE) && !hooked)
		return missing(d, group, "size");
	if (seen & SEEN_TYPE || set_type_by_name(i))
		return 0;
	i->type = IMAGE_OTHER;
	if (hooked)
		return 0;
	return diag_fail(d, R_MANIFEST_VALUE,
	    "[%s] filename=%s: unknown image type", group, i->filename);
}

static int check_whole(const struct parser *p)
{
	struct manifest *m = p->m;
	int r;

	if (m->compatible[0] == '\0')
		return missing(p->d, "update", "compatible");
	if ((p->seen & (SEEN_HANDLER | SEEN_HANDLER_ARGS)) == SEEN_HANDLER_ARGS)
		return missing(p->d, "handler", "filename");
	if ((p->seen & (SEEN_HOOKS_FILE | SEEN_HOOK)) == SEEN_HOOK)
		return missing(p->d, "hooks", "filename");
	r = check_bundle(p);
	for (unsigned i = 0; r == 0 && i < m->images; i++)
		r = check_image(&m->image[i], p->image_seen[i], p->d);
	return r;
}

static void hash_text(uint8_t digest[32], const void *text, size_t len)
{
	br_sha256_context ctx;

	br_sha256_init(&ctx);
	br_sha256_update(&ctx, text, len);
	br_sha256_out(&ctx, digest);
}

int manifest_parse(
    struct manifest *m, const void *text, size_t len, struct diag *d)
{
	struct parser p = {.m = m, .d = d};
	int r = 0;

	memset(m, 0, sizeof *m);
	hash_text(m->sha256, text, len);
	kf_init(&p.kf, text, len);
	while (r == 0) {
		struct diag inner = {0};
		int item = kf_next(&p.kf, &inner);

		if (item < 0)
			return diag_fail(
			    d, R_MANIFEST_SYNTAX, "%s", inner.seen);
		if (item == KF_END)
			return check_whole(&p);
		r = item == KF_GROUP ? take_group(&p) : take_key(&p);
	}
	return r;
}

void manifest_code_text(char dst[static 80], unsigned code)
{
	static const char words[] = "install pre-install post-install "
	                            "install-check handler";
	struct slice left = {words, sizeof words - 1}, word;
	size_t n = 0;

	dst[0] = '\0';
	for (; slice_word(&left, &word); code >>= 1)
		if ((code & 1) != 0)
			n += fmt(dst + n, 80 - n, "%s%.*s", n > 0 ? " " : "",
			    (int)word.len, word.p);
}

const char *format_name(enum bundle_format f)
{
	static const char names[][8] = {"plain", "verity", "crypt"};

	return names[f];
}
