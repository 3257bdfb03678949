/* SPDX-License-Identifier: 0BSD */
/*
 * What `info` and `status` print, with rauc's labels, variables and keys. One
 * walk over the data serves every format: each call below prints what its
 * format has for it, and nothing in the others.
 */
#include "worker/work.h"

#include "base/fmt.h"
#include "bundle/der.h"
#include "options.h"

#define ESCAPED 640

static struct {
	enum job_format format;
	unsigned depth; /* of JSON brackets */
	bool first;     /* nothing yet between the innermost ones */
	unsigned index; /* of the image or slot at hand, for the shell */
	bool indexed;
} out;

static bool is_json(void)
{
	return out.format >= JOB_JSON;
}

/* Copies s with what the format needs in front of its special characters. */
static const char *escape(const char *s)
{
	static char text[ESCAPED];
	size_t n = 0;

	for (; *s != '\0' && n + 8 < sizeof text; s++) {
		char c = *s;

		if (out.format == JOB_SHELL && c == '\'') {
			n += fmt(text + n, sizeof text - n, "'\\''");
			continue;
		}
		if (is_json() && (unsigned char)c < 0x20) {
			n += fmt(text + n, sizeof text - n, "\\u%04x", c);
			continue;
		}
		if (is_json() && (c == '"' || c == '\\'))
			text[n++] = '\\';
		text[n++] = c;
	}
	text[n] = '\0';
	return text;
}

/* Where the next item of a list or object goes. */
static void next(void)
{
	if (!out.first)
		child_output(",");
	out.first = false;
	if (out.format != JOB_JSON_PRETTY)
		return;
	child_output("\n");
	for (unsigned i = 0; i < out.depth; i++)
		child_output("  ");
}

static void name(const char *key)
{
	next();
	child_output("\"%s\"%s", escape(key),
	    out.format == JOB_JSON_PRETTY ? " : " : ":");
}

/* key NULL: an item of a list. */
static void open_json(const char *key, const char *bracket)
{
	if (!is_json())
		return;
	if (key)
		name(key);
	else if (out.depth > 0)
		next();
	child_output("%s", bracket);
	out.depth++;
	out.first = true;
}

static void close_json(const char *bracket)
{
	bool empty = out.first;

	if (!is_json())
		return;
	out.depth--;
	out.first = true;
	if (!empty)
		next();
	out.first = false;
	child_output(out.depth > 0 ? "%s" : "%s\n", bracket);
}

enum {
	NULL_IF_EMPTY = 1, /* JSON: null instead of "" */
	HIDE_IF_EMPTY = 2, /* readable: no line */
	NUMBER = 4,        /* no quotes */
	LIST = 8,          /* JSON: a list of at most this one */
};

/* The part of "readable|shell|json" that the format needs: its length. */
static size_t pick(const char **names)
{
	unsigned skip = out.format == JOB_READABLE ? 0
	                : out.format == JOB_SHELL  ? 1
	                                           : 2;
	size_t n = 0;

	while (skip > 0)
		if (*(*names)++ == '|')
			skip--;
	while ((*names)[n] != '|' && (*names)[n] != '\0')
		n++;
	return n;
}

/*
 * One value under its three names, "readable|shell|json", each empty where
 * the format does not have it. A readable one that ends in a quote gets the
 * other one behind the value.
 */
static void field(const char *names, const char *value, unsigned how)
{
	size_t n = pick(&names);
	const char *quote = (how & NUMBER) != 0 ? "" : is_json() ? "\"" : "'";
	char key[48];

	if (n == 0)
		return;
	if (out.format == JOB_READABLE) {
		if ((how & HIDE_IF_EMPTY) == 0 || value[0] != '\0')
			child_output("%.*s%s%s\n", (int)n, names, value,
			    names[n - 1] == '\'' ? "'" : "");
		return;
	}
	fmt(key, sizeof key, "%.*s", (int)n, names);
	if (out.format == JOB_SHELL) {
		child_output("%s", key);
		if (out.indexed)
			child_output("_%u", out.index);
		child_output("=%s%s%s\n", quote, escape(value), quote);
		return;
	}
	if ((how & LIST) != 0) {
		open_json(key, "[");
		if (value[0] != '\0') {
			next();
			child_output("\"%s\"", escape(value));
		}
		close_json("]");
		return;
	}
	name(key);
	if ((how & NULL_IF_EMPTY) != 0 && value[0] == '\0')
		child_output("null");
	else
		child_output("%s%s%s", quote, escape(value), quote);
}

static void number(const char *names, uint64_t value)
{
	char text[24];

	fmt(text, sizeof text, "%llu", (unsigned long long)value);
	field(names, text, NUMBER);
}

static void hash(const char *names, const uint8_t value[32])
{
	char text[65];

	hex_encode(text, value, 32);
	field(names, text, 0);
}

static void start(enum job_format format)
{
	out.format = format;
	out.depth = 0;
	out.first = true;
	out.indexed = false;
}

/* ---- info */

/* "Nov  3 08:07:34 2026 GMT", as OpenSSL writes it. */
static void show_time(const char *label, int64_t t)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char text[TIME_TEXT]; /* "2026-11-03 08:07:34 UTC" */
	int month;

	time_text(text, t);
	month = (text[5] - '0') * 10 + text[6] - '1';
	child_output("   %s %.*s %c%c %.*s %.*s GMT\n", label, 3,
	    months + month * 3, text[8] == '0' ? ' ' : text[8], text[9], 8,
	    text + 11, 4, text);
}

static void show_chain(const struct signer *who)
{
	static struct cert_view v;

	child_output("\nCertificate Chain:\n");
	for (unsigned i = 0; i < who->chain_len; i++) {
		char hex[65];

		if (cert_describe(who->chain[i], &v, NULL) != 0)
			continue;
		child_output("%2u Subject: %s\n   Issuer: %s\n   SPKI sha256: ",
		    i, v.subject, v.issuer);
		hex_encode(hex, v.spki_sha256, 32);
		for (unsigned j = 0; j < 64; j++)
			child_output("%s%c", j > 0 && j % 2 == 0 ? ":" : "",
			    hex[j] >= 'a' ? hex[j] - 'a' + 'A' : hex[j]);
		child_output("\n");
		show_time("Not Before:", v.not_before);
		show_time("Not After: ", v.not_after);
	}
}

static void show_image(const struct manifest_image *im)
{
	if (out.format == JOB_READABLE)
		child_output("  [%s]\n", im->slotclass);
	open_json(NULL, "{");
	open_json(im->slotclass, "{");
	field("|RAUC_IMAGE_NAME|", im->filename, 0);
	field("|RAUC_IMAGE_CLASS|", im->slotclass, 0);
	field("\tVariant:   |RAUC_IMAGE_VARIANT|variant", im->variant,
	    NULL_IF_EMPTY | HIDE_IF_EMPTY);
	field("\tFilename:  ||filename", im->filename, 0);
	hash("\tChecksum:  |RAUC_IMAGE_DIGEST|checksum", im->sha256);
	number("\tSize:      |RAUC_IMAGE_SIZE|size", im->size);
	field("\tType:      ||", im->type_name, 0);
	field("|RAUC_IMAGE_HOOKS|hooks", "", LIST);
	field("||adaptive", "", LIST);
	close_json("}");
	close_json("}");
}

void describe_bundle(const struct bundle *b, enum job_format format)
{
	const struct manifest *m = &b->manifest;

	start(format);
	open_json(NULL, "{");
	field(
	    "Compatible: \t'|RAUC_MF_COMPATIBLE|compatible", m->compatible, 0);
	field("Version:    \t'|RAUC_MF_VERSION|version", m->version,
	    NULL_IF_EMPTY);
	field("Description:\t'|RAUC_MF_DESCRIPTION|description", m->description,
	    NULL_IF_EMPTY);
	field("Build:      \t'|RAUC_MF_BUILD|build", m->build, NULL_IF_EMPTY);
	number("|RAUC_MF_IMAGES|", m->images);
	field("Hooks:      \t'|RAUC_MF_HOOKS|hooks", m->wants_code, LIST);
	field("Bundle Format: \t||", format_name(m->format), 0);
	hash("  Verity Salt: \t'||", m->verity_salt);
	hash("  Verity Hash: \t'||", m->verity_hash);
	number("  Verity Size: \t||", m->verity_size);
	hash("Manifest Hash: \t'||", m->sha256);
	if (format == JOB_READABLE)
		child_output(
		    "\n%u Image%s:\n", m->images, m->images == 1 ? "" : "s");
	open_json("images", "[");
	out.indexed = true;
	for (out.index = 0; out.index < m->images; out.index++)
		show_image(&m->image[out.index]);
	close_json("]");
	close_json("}");
	if (format == JOB_READABLE)
		show_chain(&b->signer);
}

/* ---- status */

static bool is_booted(const struct slot *s, const char *booted)
{
	return booted[0] != '\0' && (strcmp(s->name, booted) == 0 ||
	                                strcmp(s->bootname, booted) == 0);
}

/* "good", "bad", or "" where that is not known. */
static const char *boot_status(const struct boot_state *b, const char *bootname)
{
	for (unsigned i = 0; b->valid && i < b->count; i++)
		if (strcmp(b->name[i].name, bootname) == 0)
			return b->name[i].in_order && b->name[i].attempts > 0
			           ? "good"
			           : "bad";
	return "";
}

/* Of the status file, in rauc's order; a number belongs to the text before. */
static const struct {
	char section[10], key[12];
	uint8_t number; /* its bytes; 0: text */
	uint16_t at;    /* in struct status_slot */
} claims[] = {
#define CLAIM(section, key, number, field) \
	{ \
		section, key, number, offsetof(struct status_slot, field) \
	}
    CLAIM("bundle", "compatible", 0, compatible),
    CLAIM("bundle", "version", 0, version),
    CLAIM("bundle", "description", 0, description),
    CLAIM("bundle", "build", 0, build),
    CLAIM("bundle", "hash", 0, hash),
    CLAIM("checksum", "sha256", 0, sha256),
    CLAIM("checksum", "size", sizeof(uint64_t), size),
    CLAIM("installed", "timestamp", 0, installed_timestamp),
    CLAIM("installed", "count", sizeof(uint32_t), installed_count),
    CLAIM("activated", "timestamp", 0, activated_timestamp),
    CLAIM("activated", "count", sizeof(uint32_t), activated_count),
    CLAIM("", "status", 0, status),
};

static void show_claim(
    const char *section, const char *key, const void *value, unsigned bytes)
{
	char names[80], text[24];
	uint64_t v = 0;

	fmt(names, sizeof names, "%s%s=|RAUC_SLOT_STATUS_%s%s%s|%s",
	    section[0] ? "              " : "          ", key, section,
	    section[0] ? "_" : "", key, key);
	for (char *p = strchr(names, '|') + 1; *p != '|'; p++)
		if (*p >= 'a')
			*p = (char)(*p - 'a' + 'A');
	if (bytes > 0) {
		memcpy((char *)&v + (LITTLE_ENDIAN_HOST ? 0 : sizeof v - bytes),
		    value, bytes);
		fmt(text, sizeof text, "%llu", (unsigned long long)v);
		value = text;
	}
	field(names, value, bytes > 0 ? NUMBER : 0);
}

/* What somebody wrote down about the slot: it is not compared with it. */
static void show_claims(struct slice file, const char *slot)
{
	struct status_slot s;
	const char *section = "", *value = "";

	if (status_read(&s, file, slot, NULL) != 0 || !s.found)
		return;
	if (out.format == JOB_READABLE)
		child_output("      slot status, as the status file has it:\n");
	open_json("slot_status", "{");
	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		const char *at = (const char *)&s + claims[i].at;

		if (claims[i].number == 0)
			value = at;
		if (value[0] == '\0')
			continue;
		if (strcmp(section, claims[i].section) != 0) {
			if (section[0] != '\0')
				close_json("}");
			section = claims[i].section;
			if (section[0] != '\0')
				open_json(section, "{");
			if (section[0] != '\0' && out.format == JOB_READABLE)
				child_output("          %s:\n", section);
		}
		show_claim(section, claims[i].key, at, claims[i].number);
	}
	if (section[0] != '\0')
		close_json("}");
	close_json("}");
}

static void show_slot(const struct work *w, const struct boot_state *b,
    bool intact, unsigned i, const struct slot *primary)
{
	const struct conf *c = w->setup->conf;
	const struct slot *s = &c->slot[i];
	const struct slot *parent = s->parent >= 0 ? &c->slot[s->parent] : NULL;
	const char *booted = w->setup->booted;
	const char *state = is_booted(s, booted)                  ? "booted"
	                    : parent && is_booted(parent, booted) ? "active"
	                                                          : "inactive";
	const char *status = s->bootname[0] ? boot_status(b, s->bootname) : "";

	if (out.format == JOB_READABLE && s->bootname[0] && status[0] == '\0')
		status = "unknown";

	out.index = i + 1;
	if (out.format == JOB_READABLE)
		child_output("%c [%s] (%s, %s, %s)\n",
		    s == primary      ? 'x'
		    : state[0] == 'i' ? ' '
		                      : 'o',
		    s->name, s->device, s->type_name, state);
	open_json(NULL, "{");
	open_json(s->name, "{");
	field("|RAUC_SLOT_NAME|", s->name, 0);
	field("|RAUC_SLOT_CLASS|class", s->slotclass, 0);
	field("|RAUC_SLOT_DEVICE|device", s->device, 0);
	field("|RAUC_SLOT_TYPE|type", s->type_name, 0);
	field("\tbootname: |RAUC_SLOT_BOOTNAME|bootname", s->bootname,
	    NULL_IF_EMPTY | HIDE_IF_EMPTY);
	field("|RAUC_SLOT_STATE|state", state, 0);
	field("\tparent: |RAUC_SLOT_PARENT|parent", parent ? parent->name : "",
	    NULL_IF_EMPTY | HIDE_IF_EMPTY);
	field("\tdata: ||",
	    w->slot[i].reason != 0 ? w->slot[i].seen
	    : intact               ? "present"
	                           : "empty, or an install was interrupted",
	    0);
	field("\tboot status: |RAUC_SLOT_BOOT_STATUS|boot_status", status,
	    NULL_IF_EMPTY | HIDE_IF_EMPTY);
	if (OPT_STATUS && w->setup->status.p)
		show_claims(w->setup->status, s->name);
	close_json("}");
	close_json("}");
}

/* The slot that is booted next, or NULL. */
static const struct slot *primary_slot(
    const struct conf *c, const struct boot_state *b)
{
	for (unsigned i = 0; b->valid && b->primary >= 0 && i < c->slots; i++)
		if (strcmp(c->slot[i].bootname, b->name[b->primary].name) == 0)
			return &c->slot[i];
	return NULL;
}

/* "'a b c'": the names of the slots, or their numbers. */
static void shell_list(const struct conf *c, const char *variable, bool names)
{
	child_output("%s='", variable);
	for (unsigned i = 0; i < c->slots; i++) {
		child_output("%s", i > 0 ? " " : "");
		if (names)
			child_output("%s", c->slot[i].name);
		else
			child_output("%u", i + 1);
	}
	child_output("'\n");
}

void describe_status(
    const struct work *w, const struct boot *boot, const bool *intact)
{
	const struct job_setup *s = w->setup;
	const struct conf *c = s->conf;
	const struct boot_state *b = &boot->state;
	const struct slot *primary = primary_slot(c, b);
	bool readable = s->format == JOB_READABLE;
	const char *booted = s->booted[0]      ? s->booted
	                     : s->booted_known ? "_external_"
	                     : readable        ? "unknown"
	                                       : "";

	start(s->format);
	open_json(NULL, "{");
	field("=== System Info ===\nCompatible:  "
	      "|RAUC_SYSTEM_COMPATIBLE|compatible",
	    c->compatible, 0);
	field("|RAUC_SYSTEM_VARIANT|variant", "", 0);
	field("Booted from: |RAUC_SYSTEM_BOOTED_BOOTNAME|booted", booted, 0);
	field("\n=== Bootloader ===\nType:        ||", c->bootloader_name, 0);
	if (readable)
		child_output("Activated:   %s%s%s%s\n",
		    primary ? primary->name : "",
		    primary    ? " ("
		    : b->valid ? "none: recovery"
		               : "unknown",
		    primary ? primary->bootname : "", primary ? ")" : "");
	else
		field("|RAUC_BOOT_PRIMARY|boot_primary",
		    primary ? primary->name : "", NULL_IF_EMPTY);
	field("State:       ||", b->text, 0);
	if (readable)
		child_output("\n=== Slot States ===\n");
	if (s->format == JOB_SHELL) {
		shell_list(c, "RAUC_SYSTEM_SLOTS", true);
		shell_list(c, "RAUC_SLOTS", false);
	}
	open_json("slots", "[");
	out.indexed = true;
	for (unsigned i = 0; i < c->slots; i++)
		show_slot(w, b, intact[i], i, primary);
	close_json("]");
	close_json("}");
}
