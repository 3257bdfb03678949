/* SPDX-License-Identifier: 0BSD */
/* What `status` prints, with rauc's labels, variables and keys. */
#include "base/fmt.h"
#include "options.h"
#include "worker/show.h"
#include "worker/work.h"

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
	if (bytes > 0) {
		memcpy((char *)&v + (LITTLE_ENDIAN_HOST ? 0 : sizeof v - bytes),
		    value, bytes);
		fmt(text, sizeof text, "%llu", (unsigned long long)v);
		value = text;
	}
	show_field(names, value, bytes > 0 ? NUMBER : 0);
}

/* What somebody wrote down about the slot: it is not compared with it. */
static void show_claims(struct slice file, const char *slot)
{
	struct status_slot s;
	const char *section = "", *value = "";

	if (status_read(&s, file, slot, NULL) != 0 || !s.found)
		return;
	if (showing.format == JOB_READABLE)
		child_output("      slot status, as the status file has it:\n");
	show_open("slot_status", "{");
	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		const char *at = (const char *)&s + claims[i].at;

		if (claims[i].number == 0)
			value = at;
		if (value[0] == '\0')
			continue;
		if (strcmp(section, claims[i].section) != 0) {
			if (section[0] != '\0')
				show_close("}");
			section = claims[i].section;
			if (section[0] != '\0')
				show_open(section, "{");
			if (section[0] != '\0' &&
			    showing.format == JOB_READABLE)
				child_output("          %s:\n", section);
		}
		show_claim(section, claims[i].key, at, claims[i].number);
	}
	if (section[0] != '\0')
		show_close("}");
	show_close("}");
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

	if (showing.format == JOB_READABLE && s->bootname[0] &&
	    status[0] == '\0')
		status = "unknown";

	showing.index = i + 1;
	if (showing.format == JOB_READABLE)
		child_output("%c [%s] (%s, %s, %s)\n",
		    s == primary      ? 'x'
		    : state[0] == 'i' ? ' '
		                      : 'o',
		    s->name, s->device, s->type_name, state);
	show_open(NULL, "{");
	show_open(s->name, "{");
	show_field("|RAUC_SLOT_NAME|", s->name, 0);
	show_field("|RAUC_SLOT_CLASS|class", s->slotclass, 0);
	show_field("|RAUC_SLOT_DEVICE|device", s->device, 0);
	show_field("|RAUC_SLOT_TYPE|type", s->type_name, 0);
	show_field("\tbootname: |RAUC_SLOT_BOOTNAME|bootname", s->bootname,
	    NULL_IF_EMPTY | HIDE_IF_EMPTY);
	show_field("|RAUC_SLOT_STATE|state", state, 0);
	show_field("\tparent: |RAUC_SLOT_PARENT|parent",
	    parent ? parent->name : "", NULL_IF_EMPTY | HIDE_IF_EMPTY);
	show_field("\tdata: ||",
	    w->slot[i].reason != 0 ? w->slot[i].seen
	    : intact               ? "present"
	                           : "empty, or an install was interrupted",
	    0);
	show_field("\tboot status: |RAUC_SLOT_BOOT_STATUS|boot_status", status,
	    NULL_IF_EMPTY | HIDE_IF_EMPTY);
	if (OPT_STATUS && w->setup->status.p)
		show_claims(w->setup->status, s->name);
	show_close("}");
	show_close("}");
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

	show_start(s->format);
	show_open(NULL, "{");
	show_field("=== System Info ===\nCompatible:  "
	           "|RAUC_SYSTEM_COMPATIBLE|compatible",
	    c->compatible, 0);
	show_field("|RAUC_SYSTEM_VARIANT|variant", "", 0);
	show_field(
	    "Booted from: |RAUC_SYSTEM_BOOTED_BOOTNAME|booted", booted, 0);
	show_field(
	    "\n=== Bootloader ===\nType:        ||", c->bootloader_name, 0);
	if (readable)
		child_output("Activated:   %s%s%s%s\n",
		    primary ? primary->name : "",
		    primary    ? " ("
		    : b->valid ? "none: recovery"
		               : "unknown",
		    primary ? primary->bootname : "", primary ? ")" : "");
	else
		show_field("|RAUC_BOOT_PRIMARY|boot_primary",
		    primary ? primary->name : "", NULL_IF_EMPTY);
	show_field("State:       ||", b->text, 0);
	if (readable)
		child_output("\n=== Slot States ===\n");
	if (s->format == JOB_SHELL) {
		shell_list(c, "RAUC_SYSTEM_SLOTS", true);
		shell_list(c, "RAUC_SLOTS", false);
	}
	show_open("slots", "[");
	showing.indexed = true;
	for (unsigned i = 0; i < c->slots; i++)
		show_slot(w, b, intact[i], i, primary);
	show_close("]");
	show_close("}");
}
