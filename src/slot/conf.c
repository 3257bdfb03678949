/* SPDX-License-Identifier: 0BSD */
#include "slot/conf.h"

#include "base/fmt.h"
#include "base/keyfile.h"
#include "base/log.h"
#include "options.h"

#define ATTEMPTS_DEFAULT 3
#define ATTEMPTS_MAX 9 /* the same as BOOT_ATTEMPTS_MAX */

enum group {
	SYSTEM,
	KEYRING,
	RECOVERY,
	ENCRYPTION,
	TRUST,
	DATA,
	NETWORK,
	SERVER,
	COMMAND_LINE,
	SLOT,
	GROUPS
};

/* A file, or one assignment, that is being read. */
struct reading {
	struct conf *c;
	struct settings *s;
	void *base[GROUPS]; /* of each group's struct; NULL: passed over */
	enum group group;   /* GROUPS: an unknown one */
	struct keyfile kf;
	struct diag *d;
};

/* The assignment as written; of a group's name none. */
static struct slice written(const struct keyfile *kf)
{
	struct slice s = kf->key;

	if (s.len > 0 && kf->value.p)
		s.len = (size_t)(kf->value.p + kf->value.len - s.p);
	return s;
}

static int bad(const struct reading *rd, int reason, const char *expected)
{
	struct slice s = written(&rd->kf);

	return diag_fail(rd->d, reason, "[%.*s]%s%.*s: expected %s",
	    (int)MIN(rd->kf.group.len, 40), rd->kf.group.p,
	    s.len > 0 ? " " : "", (int)MIN(s.len, 60), s.p, expected);
}

/* Which word of the list it is, or -1. */
static int word_index(struct slice word, const char *list)
{
	return slice_index((struct slice){list, strlen(list)}, word);
}

/* The same of the value, or the reason; dst, of cap bytes, gets the word. */
static int choose(struct reading *rd, char *dst, size_t cap, const char *list)
{
	int i = word_index(rd->kf.value, list);

	if (i >= 0 && slice_copy(dst, cap, rd->kf.value))
		return i;
	return bad(
	    rd, rd->group == KEYRING ? R_KEYRING_KEY : R_CONF_VALUE, list);
}

/* ---- the keys ---- */

/* Key files have escapes, and RAUC accepts none of these keys empty; ours are
 * taken as they stand. */
static int read_text(struct reading *rd, char *dst, size_t cap, bool empty_too)
{
	int r = R_CONF_VALUE;

	if (rd->c)
		r = kf_string(&rd->kf, dst, cap, NULL);
	else if (slice_copy(dst, cap, rd->kf.value))
		r = 0;
	if (r == 0 && dst[0] == '\0' && !empty_too)
		r = R_CONF_VALUE;
	return r == 0 ? 0
	              : bad(rd, r,
	                    rd->kf.value.len == 0 ? "a text"
	                    : rd->kf.value.len >= cap
	                        ? "a shorter text"
	                        : "escapes \\s \\n \\t \\r \\\\ only");
}

/* A bare word of the command line sets a flag. */
static int read_flag(struct reading *rd, bool *flag)
{
	if (!rd->kf.value.p)
		*flag = true;
	else if (kf_bool(&rd->kf, flag, NULL) != 0)
		return bad(rd, rd->c ? R_KEYFILE_VALUE : R_CONF_VALUE,
		    "true or false");
	return 0;
}

static int read_number(
    struct reading *rd, unsigned *out, unsigned min, unsigned max)
{
	uint64_t v;
	char range[48];

	if (slice_u64(rd->kf.value, &v) && v >= min && v <= max) {
		*out = (unsigned)v;
		return 0;
	}
	fmt(range, sizeof range, "a number from %u to %u", min, max);
	return bad(rd, R_CONF_VALUE, range);
}

static int read_attempts(struct reading *rd, unsigned *out)
{
	struct slice s = written(&rd->kf);
	uint64_t v;

	if (!slice_u64(rd->kf.value, &v))
		return bad(rd, R_KEYFILE_VALUE, "a decimal number");
	if (v > ATTEMPTS_MAX) {
		log_warn("system.conf: %.*s is taken as %u, the most that "
		         "every boot script reads alike",
		    (int)s.len, s.p, ATTEMPTS_MAX);
		v = ATTEMPTS_MAX;
	}
	*out = v == 0 ? ATTEMPTS_DEFAULT : (unsigned)v;
	return 0;
}

/* In the order of enum bootloader; all from the third on are BOOT_OTHER. */
static int read_bootloader(struct reading *rd)
{
	struct conf *c = rd->c;
	int i = choose(rd, c->bootloader_name, sizeof c->bootloader_name,
	    "noop uboot barebox grub efi custom");

	if (i < 0)
		return i;
	c->bootloader = (enum bootloader)MIN(i, BOOT_OTHER);
	return 0;
}

/* In the order of enum slot_type; all from the fourth on are SLOT_OTHER. */
static int read_type(struct reading *rd, struct slot *s)
{
	int i = choose(rd, s->type_name, sizeof s->type_name,
	    "raw ext4 vfat ubifs ubivol nand nor jffs2 boot-emmc "
	    "boot-mbr-switch boot-gpt-switch boot-raw-fallback");

	if (i < 0)
		return i;
	s->type = (enum slot_type)MIN(i, SLOT_OTHER);
	return 0;
}

/* In the order of enum purpose, then RAUC's other word for one of them. */
static int read_purpose(struct reading *rd)
{
	char word[16];
	int i = choose(
	    rd, word, sizeof word, "smimesign codesign any codesign-rauc");

	if (i < 0)
		return i;
	rd->c->trust.purpose = i == 3 ? PURPOSE_CODESIGN : (enum purpose)i;
	return 0;
}

/* "plain verity", or modifiers of the default: "-plain +crypt". */
static int read_formats(struct reading *rd)
{
	struct slice left = rd->kf.value, word;
	unsigned formats = rd->c->formats;
	bool modifiers = false, plain_words = false;

	if (left.len == 0 || memchr(left.p, '\t', left.len))
		return bad(rd, R_CONF_VALUE, "words separated by blanks");

	while (slice_word(&left, &word)) {
		char sign = word.p[0];
		int i;

		if (sign == '+' || sign == '-') {
			word.p++;
			word.len--;
			modifiers = true;
		} else if (!plain_words) {
			formats = 0;
			plain_words = true;
		}
		i = word_index(word, "plain verity crypt");
		if (i < 0)
			return bad(rd, R_CONF_VALUE, "plain, verity or crypt");
		formats |= 1u << i;
		if (sign == '-')
			formats ^= 1u << i;
	}
	if (modifiers && plain_words)
		return bad(rd, R_CONF_VALUE,
		    "words with or without +/-, "
		    "not mixed");
	if (formats == 0)
		return bad(rd, R_CONF_VALUE,
		    "one at least: no bundle format "
		    "is left");
	rd->c->formats = formats;
	return 0;
}

/* An empty list would allow everyone, so it is an error. */
static int read_cns(struct reading *rd)
{
	struct trust_policy *t = &rd->c->trust;
	struct slice list = rd->kf.value;
	size_t pos = 0;

	t->cns = 0;
	while (kf_list_next(list, &pos, &rd->kf.value)) {
		int r;

		if (t->cns == TRUST_CNS)
			return bad(rd, R_LIMIT, "fewer names");
		r = read_text(rd, t->cn[t->cns], sizeof t->cn[0], false);
		if (r != 0)
			return r;
		t->cns++;
	}
	return t->cns > 0 ? 0 : bad(rd, R_CONF_VALUE, "a list of names");
}

static int read_time(struct reading *rd)
{
	bool on = false;
	int r = read_flag(rd, &on);

	rd->c->trust.time = on ? TIME_SIGNING : TIME_FLOOR;
	return r;
}

/* In the order of enum time_policy. */
static int read_time_policy(struct reading *rd)
{
	char word[16];
	int i = choose(rd, word, sizeof word, "floor clock signing");

	rd->s->time = (unsigned)(i + 1);
	return MIN(i, 0);
}

/* What it compares to itself with is a semantic version. */
static int read_version(struct reading *rd, char *dst, size_t cap)
{
	int order, r = read_text(rd, dst, cap, false);

	if (r == 0 && semver_compare(dst, dst, &order, NULL) != 0)
		r = bad(rd, R_CONF_VALUE, "a semantic version");
	return r;
}

/* The other hooks, and handlers, make what is installed. */
static int read_ignored(struct reading *rd)
{
	struct slice list = rd->kf.value, item;
	size_t pos = 0;

	rd->s->ignore_hooks = 0;
	while (kf_list_next(list, &pos, &item)) {
		int i = word_index(item, "install-check pre-install");

		if (i < 0)
			return bad(
			    rd, R_CONF_VALUE, "install-check, pre-install");
		rd->s->ignore_hooks |=
		    i == 0 ? CODE_INSTALL_CHECK : CODE_PRE_INSTALL;
	}
	return 0;
}

static int not_implemented(const struct reading *rd)
{
	return bad(rd, rd->group == KEYRING ? R_KEYRING_KEY : R_CONF_VALUE,
	    "a key that lifeboat implements");
}

static int read_crl(struct reading *rd)
{
	bool *on = &rd->c->trust.check_crl;
	int r = read_flag(rd, on);

	return r == 0 && *on && !OPT_CRL ? not_implemented(rd) : r;
}

/* It becomes part of a variable's name and a word of the boot order. */
static int read_bootname(struct reading *rd, char *name)
{
	int r = read_text(rd, name, BOOTNAME, false);

	for (; r == 0 && *name; name++)
		if (*name <= ' ' || *name > '~' || *name == '=' || *name == '"')
			r = bad(rd, R_CONF_VALUE,
			    "printable characters only, "
			    "no blank, quote or '='");
	return r;
}

static int read_net(struct reading *rd, unsigned key)
{
	const char *expected =
	    net_conf_read(&rd->s->net, (enum net_key)key, rd->kf.value);

	return expected ? bad(rd, R_NET_CONFIG, expected) : 0;
}

enum kind {
	TEXT, /* of max bytes, with its NUL */
	FLAG,
	NUMBER,
	ATTEMPTS,
	BOOTLOADER,
	FORMATS,
	PURPOSE,
	CNS,
	TIME,
	CRL,
	TIME_POLICY,
	SEMVER,
	HOOKS,
	TYPE,
	NAME,
	NET /* min: enum net_key */
};

#define KEY(name, group, kind, type, member, min) \
	{ \
		name, group, kind, offsetof(type, member), min, \
		    sizeof(((type *)0)->member) \
	}
#define RANGE(name, group, member, min, max) \
	{ \
		name, group, NUMBER, offsetof(struct settings, member), min, \
		    max \
	}

#define EMPTY_TOO 1 /* min of a TEXT */

static const struct key {
	const char *name;
	uint8_t group, kind;
	uint16_t offset; /* of where it is kept, in the group's struct */
	uint32_t min : 8, max : 24;
} keys[] = {
    KEY("compatible", SYSTEM, TEXT, struct conf, compatible, 0),
    KEY("bootloader", SYSTEM, BOOTLOADER, struct conf, bootloader, 0),
    KEY("bundle-formats", SYSTEM, FORMATS, struct conf, formats, 0),
    KEY("min-bundle-version", SYSTEM, TEXT, struct conf, min_bundle_version, 0),
    KEY("boot-attempts", SYSTEM, ATTEMPTS, struct conf, boot_attempts, 0),
    KEY("boot-attempts-primary", SYSTEM, ATTEMPTS, struct conf,
        boot_attempts_primary, 0),
    KEY("activate-installed", SYSTEM, FLAG, struct conf, activate_installed, 0),
    KEY("statusfile", SYSTEM, TEXT, struct conf, statusfile, 0),
    KEY("data-directory", SYSTEM, TEXT, struct conf, data_directory, 0),
    KEY("path", KEYRING, TEXT, struct conf, keyring_path, 0),
    KEY("directory", KEYRING, TEXT, struct conf, keyring_directory, 0),
    KEY("check-purpose", KEYRING, PURPOSE, struct conf, trust, 0),
    KEY("allowed-signer-cns", KEYRING, CNS, struct conf, trust, 0),
    KEY("allow-partial-chain", KEYRING, FLAG, struct conf,
        trust.allow_partial_chain, 0),
    KEY("use-bundle-signing-time", KEYRING, TIME, struct conf, trust, 0),
    KEY("check-crl", KEYRING, CRL, struct conf, trust, 0),
    KEY("key", ENCRYPTION, TEXT, struct conf, encryption_key, 0),
    KEY("cert", ENCRYPTION, TEXT, struct conf, encryption_cert, 0),
    KEY("device", SLOT, TEXT, struct slot, device, 0),
    KEY("type", SLOT, TYPE, struct slot, type, 0),
    KEY("bootname", SLOT, NAME, struct slot, bootname, 0),
    KEY("parent", SLOT, TEXT, struct slot, parent_name, 0),
    KEY("readonly", SLOT, FLAG, struct slot, readonly, 0),
    RANGE("settle", RECOVERY, settle_ms, 0, 60000),
    RANGE("wait", RECOVERY, wait_s, 0, 604800),
    RANGE("retries", RECOVERY, retries, 0, 99),
    RANGE("stall", RECOVERY, stall_s, 5, 86400),
    RANGE("watchdog", RECOVERY, watchdog_s, 0, 3600),
    KEY("watchdog-device", RECOVERY, TEXT, struct settings, watchdog, 0),
    KEY("bundle", RECOVERY, TEXT, struct settings, bundle, 0),
    KEY("reinstall", RECOVERY, FLAG, struct settings, reinstall, 0),
    KEY("poweroff", RECOVERY, FLAG, struct settings, poweroff, 0),
    KEY("ignore-floor", RECOVERY, FLAG, struct settings, ignore_floor, 0),
    RANGE("min-signers", TRUST, min_signers, 0, SIGNERS_MAX),
    KEY("time", TRUST, TIME_POLICY, struct settings, time, 0),
    KEY("min-version", TRUST, SEMVER, struct settings, min_version, 0),
    KEY("status-floor", TRUST, FLAG, struct settings, status_floor, 0),
    KEY("ignore-hooks", TRUST, HOOKS, struct settings, ignore_hooks, 0),
    KEY("device", DATA, TEXT, struct settings, data_device, 0),
    KEY("type", DATA, TEXT, struct settings, data_type, 0),
    KEY("mount-point", DATA, TEXT, struct settings, data_mount_point, 0),
    KEY("options", DATA, TEXT, struct settings, data_options, EMPTY_TOO),
    KEY("interface", NETWORK, NET, struct settings, net, NET_INTERFACE),
    KEY("ip", NETWORK, NET, struct settings, net, NET_IP),
    RANGE("link-timeout", NETWORK, net.link_timeout_s, 1, 3600),
    RANGE("lease-timeout", NETWORK, net.lease_timeout_s, 1, 3600),
    KEY("server", SERVER, NET, struct settings, net, NET_SERVER),
    KEY("file", SERVER, NET, struct settings, net, NET_FILE_NAME),
    KEY("serial", RECOVERY, TEXT, struct settings, serial, 0),
    KEY("report", RECOVERY, TEXT, struct settings, report, 0),
    KEY("tftp", RECOVERY, NET, struct settings, net, NET_URL),
    KEY("ip", COMMAND_LINE, NET, struct settings, net, NET_IP),
    KEY("rauc.slot", COMMAND_LINE, TEXT, struct settings, rauc_slot, 0),
};

static int read_kind(struct reading *rd, const struct key *k, void *at)
{
	switch ((enum kind)k->kind) {
	case TEXT:
		return read_text(rd, at, k->max, k->min == EMPTY_TOO);
	case FLAG:
		return read_flag(rd, at);
	case NUMBER:
		return read_number(rd, at, k->min, k->max);
	case ATTEMPTS:
		return read_attempts(rd, at);
	case BOOTLOADER:
		return read_bootloader(rd);
	case FORMATS:
		return read_formats(rd);
	case PURPOSE:
		return read_purpose(rd);
	case CNS:
		return read_cns(rd);
	case TIME:
		return read_time(rd);
	case CRL:
		return read_crl(rd);
	case TIME_POLICY:
		return read_time_policy(rd);
	case SEMVER:
		return read_version(rd, at, k->max);
	case HOOKS:
		return read_ignored(rd);
	case TYPE:
		return read_type(rd, rd->base[SLOT]);
	case NAME:
		return read_bootname(rd, at);
	case NET:
		return read_net(rd, k->min);
	}
	return R_INTERNAL;
}

/* ---- names that are unknown */

static int pass_over(const struct reading *rd)
{
	log_warn("[%.*s]%s%.*s is unknown and passed over",
	    (int)MIN(rd->kf.group.len, 40), rd->kf.group.p,
	    rd->kf.key.len > 0 ? " " : "", (int)MIN(rd->kf.key.len, 40),
	    rd->kf.key.p);
	return 0;
}

/* A rule that is misspelt, or in the wrong group, would be no rule. The command
 * line has none. */
static int unknown_key(const struct reading *rd, const char *meant)
{
	char expected[48];

	if (rd->base[COMMAND_LINE])
		return rd->group == RECOVERY ? pass_over(rd) : 0;
	if (meant) {
		fmt(expected, sizeof expected, "%s, in its own group", meant);
		return bad(rd,
		    rd->group == KEYRING ? R_KEYRING_KEY : R_CONF_VALUE,
		    expected);
	}
	return rd->group == KEYRING || rd->group == TRUST ? not_implemented(rd)
	                                                  : pass_over(rd);
}

static int repeated(const struct reading *rd)
{
	char expected[40];

	fmt(expected, sizeof expected, "it only once, not in line %u",
	    rd->kf.line);
	return bad(rd, R_CONF_VALUE, expected);
}

static int read_key(struct reading *rd)
{
	char *base = rd->group < GROUPS ? rd->base[rd->group] : NULL;
	const char *meant = NULL;

	if (!base)
		return 0;
	for (const struct key *k = keys; k < keys + ARRAY_LEN(keys); k++) {
		if (k->group == rd->group && slice_is(rd->kf.key, k->name))
			return kf_repeated(&rd->kf)
			           ? repeated(rd)
			           : read_kind(rd, k, base + k->offset);
		if (slice_resembles(rd->kf.key, k->name))
			meant = k->name;
	}
	return unknown_key(rd, meant);
}

/* ---- the groups ---- */

/* Takes the prefix off s, or leaves it. */
static bool strip(struct slice *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->len < n || memcmp(s->p, prefix, n) != 0)
		return false;
	s->p += n;
	s->len -= n;
	return true;
}

/* Finds the slot of this name or adds it. */
static int enter_slot(struct reading *rd, struct slice name)
{
	struct conf *c = rd->c;
	const char *dot = memchr(name.p, '.', name.len);
	struct slice cls = {name.p, dot ? (size_t)(dot - name.p) : 0};
	unsigned i = 0;
	struct slot *s;

	if (cls.len == 0 || cls.len + 1 == name.len ||
	    memchr(dot + 1, '.', name.len - cls.len - 1))
		return bad(rd, R_CONF_VALUE, "slot.CLASS.INDEX");
	while (i < c->slots && !slice_is(name, c->slot[i].name))
		i++;
	if (i == CONF_SLOTS)
		return bad(rd, R_LIMIT, "fewer slots");
	s = &c->slot[i];
	rd->group = SLOT;
	rd->base[SLOT] = s;
	if (i < c->slots)
		return 0;
	if (!slice_copy(s->name, sizeof s->name, name) ||
	    !slice_copy(s->slotclass, sizeof s->slotclass, cls))
		return bad(rd, R_CONF_VALUE, "a shorter name");
	memcpy(s->type_name, "raw", 4);
	s->type = SLOT_RAW;
	c->slots++;
	return 0;
}

static int enter_group(struct reading *rd)
{
	static const char groups[] =
	    "system keyring recovery encryption trust data network tftp";
	struct slice name = rd->kf.group, left = {groups, strlen(groups)}, word;
	char meant[16];
	int i = word_index(name, groups);

	rd->group = i < 0 ? GROUPS : (enum group)i;
	if (i >= 0 && rd->base[i])
		return 0;
	if (rd->s)
		return bad(
		    rd, R_CONF_VALUE, "recovery, trust, data, network or tftp");
	if (i >= 0)
		return bad(rd, R_CONF_VALUE, "it in lifeboat.conf");
	if (strip(&name, "slot."))
		return enter_slot(rd, name);
	while (slice_word(&left, &word))
		if (slice_copy(meant, sizeof meant, word) &&
		    slice_resembles(name, meant))
			return bad(rd, R_CONF_VALUE, meant);
	return pass_over(rd);
}

static int read_file(struct reading *rd, const void *data, size_t len)
{
	int item, r = 0;

	kf_init(&rd->kf, data, len);
	while (r == 0 && (item = kf_next(&rd->kf, rd->d)) != KF_END)
		r = item < 0           ? item
		    : item == KF_GROUP ? enter_group(rd)
		                       : read_key(rd);
	return r;
}

/* ---- system.conf as a whole ---- */

int conf_parse(struct conf *c, const void *data, size_t len, struct diag *d)
{
	struct reading rd = {.c = c, .base = {c, c, [ENCRYPTION] = c}, .d = d};
	int r;

	memset(c, 0, sizeof *c);
	c->formats =
	    1u << FORMAT_PLAIN | 1u << FORMAT_VERITY | 1u << FORMAT_CRYPT;
	c->boot_attempts = c->boot_attempts_primary = ATTEMPTS_DEFAULT;
	c->activate_installed = true;
	r = read_file(&rd, data, len);
	return r != 0 ? r : conf_check(c, d);
}

int conf_override(struct conf *c, const char *assignment, struct diag *d)
{
	struct reading rd = {.c = c, .base = {c, c, [ENCRYPTION] = c}, .d = d};
	const char *colon = strchr(assignment, ':');
	const char *eq = colon ? strchr(colon, '=') : NULL;
	int r;

	if (c->statusfile_derived)
		c->statusfile[0] = '\0';
	if (!eq || colon == assignment || eq == colon + 1)
		return diag_fail(d, R_CONF_VALUE,
		    "%s: expected group:key=value", assignment);
	rd.kf.group.p = assignment;
	rd.kf.group.len = (size_t)(colon - assignment);
	rd.kf.key.p = colon + 1;
	rd.kf.key.len = (size_t)(eq - rd.kf.key.p);
	rd.kf.value.p = eq + 1;
	rd.kf.value.len = strlen(eq + 1);
	r = enter_group(&rd);
	if (r == 0)
		r = read_key(&rd);
	return r != 0 ? r : conf_check(c, d);
}

/* ---- lifeboat.conf and the kernel command line ---- */

int settings_parse(
    struct settings *s, const void *data, size_t len, struct diag *d)
{
	struct reading rd = {
	    .s = s, .base = {[RECOVERY] = s, [TRUST] = s, s, s, s}, .d = d};

	return read_file(&rd, data, len);
}

/* The kernel's own splitting: blanks outside of double quotes. */
static bool next_argument(const char **p, struct slice *word)
{
	bool quoted = false;

	while (**p != '\0' && (unsigned char)**p <= ' ')
		(*p)++;
	word->p = *p;
	for (; **p != '\0' && (quoted || (unsigned char)**p > ' '); (*p)++)
		if (**p == '"')
			quoted = !quoted;
	word->len = (size_t)(*p - word->p);
	return word->len > 0;
}

static struct slice unquoted(struct slice s)
{
	if (strip(&s, "\"") && s.len > 0 && s.p[s.len - 1] == '"')
		s.len--;
	return s;
}

int settings_cmdline(struct settings *s, const char *cmdline, struct diag *d)
{
	struct reading rd = {.s = s,
	    .base = {[RECOVERY] = s, [COMMAND_LINE] = s},
	    .kf.group = {"command line", 12},
	    .d = d};
	struct keyfile *kf = &rd.kf;
	bool external = false;
	int first = 0;

	while (next_argument(&cmdline, &kf->key)) {
		const char *eq;
		int r;

		kf->key = unquoted(kf->key);
		kf->value.p = NULL;
		kf->value.len = 0;
		eq = memchr(kf->key.p, '=', kf->key.len);
		if (eq) {
			kf->value = kf->key;
			kf->key.len = (size_t)(eq - kf->key.p);
			kf->value.p = eq + 1;
			kf->value.len -= kf->key.len + 1;
			kf->value = unquoted(kf->value);
		}
		if (slice_is(kf->key, "rauc.external"))
			external = true;
		rd.group =
		    strip(&kf->key, "lifeboat.") ? RECOVERY : COMMAND_LINE;
		r = read_key(&rd);
		if (first == 0)
			first = r;
	}
	if (external)
		s->rauc_slot[0] = '\0';
	return first;
}
