/* SPDX-License-Identifier: 0BSD */
/* What the command line reads itself: files that belong to the device. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/embedded.h"
#include "base/fmt.h"
#include "base/log.h"
#include "slot/status.h"
#include "worker/device.h"

static char room[131072];

/* All of a file into dst, with a NUL behind it. */
static int read_file_with(int flags, const char *path, char *dst, size_t cap,
    size_t *len, struct diag *d)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	struct stat st;
	ssize_t n = 0;

	*len = 0;
	if (fd < 0)
		return errno_fail(d, R_NOT_FOUND, path);
	if (flags != 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)))
		return diag_fail(d, R_STATUS_PLACE, "%s is no file", path);
	while (*len < cap && (n = read(fd, dst + *len, cap - *len)) > 0)
		*len += (size_t)n;
	(void)close(fd);
	if (n < 0)
		return errno_fail(d, R_IO, path);
	if (*len == cap)
		return diag_fail(
		    d, R_LIMIT, "%s: at most %zu bytes", path, cap - 1);
	dst[*len] = '\0';
	return 0;
}

static int read_file(
    const char *path, char *dst, size_t cap, size_t *len, struct diag *d)
{
	return read_file_with(0, path, dst, cap, len, d);
}

/* Names the file in front of what its parser said. */
static int in_file(const char *path, const struct diag *inner, struct diag *d)
{
	return diag_fail(d, inner->reason, "%s: %s", path, inner->seen);
}

static int resolve_device(char *device, const char *conf, struct diag *d)
{
	struct spec spec;

	spec_parse(&spec, device);
	return spec.kind == SPEC_PATH ? conf_resolve(device, conf, d) : 0;
}

static int parse_conf(
    struct cli_files *f, const struct cli *o, const char *path, struct diag *d)
{
	struct diag inner = {0};
	size_t len;
	int r = read_file(path, room, sizeof room, &len, d);

	if (r != 0)
		return r;
	if (conf_parse(&f->conf, room, len, &inner) != 0)
		return in_file(path, &inner, d);
	for (unsigned i = 0; r == 0 && i < o->overrides; i++)
		r = conf_override(&f->conf, o->override[i], d);
	for (unsigned i = 0; r == 0 && i < f->conf.slots; i++)
		r = resolve_device(f->conf.slot[i].device, path, d);
	if (r == 0)
		r = conf_resolve(f->conf.keyring_path, path, d);
	if (r == 0)
		r = conf_resolve(f->conf.keyring_directory, path, d);
	if (r == 0)
		r = conf_resolve(f->conf.encryption_key, path, d);
	if (r == 0)
		r = conf_resolve(f->conf.encryption_cert, path, d);
	if (r == 0 && strcmp(f->conf.statusfile, "per-slot") != 0)
		r = conf_resolve(f->conf.statusfile, path, d);
	f->have_conf = r == 0;
	return r;
}

static int load_system_conf(
    struct cli_files *f, const struct cli *o, bool needed, struct diag *d)
{
	static const char *const places[] = {
	    "/etc/rauc/system.conf",
	    "/run/rauc/system.conf",
	    "/usr/lib/rauc/system.conf",
	};

	if (o->conf)
		return parse_conf(f, o, o->conf, d);
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (access(places[i], F_OK) == 0)
			return parse_conf(f, o, places[i], d);
	if (needed || o->overrides > 0)
		return diag_fail(d, R_CONF_MISSING,
		    "there is no %s: name one with --conf", places[0]);
	return 0;
}

int cli_load_conf(
    struct cli_files *f, const struct cli *o, bool needed, struct diag *d)
{
	static const char own[] = "/etc/lifeboat.conf";
	const char *path = o->fw_env ? o->fw_env : "/etc/fw_env.config";
	struct diag inner = {0};
	size_t len;
	int r = load_system_conf(f, o, needed, d);

	settings_default(&f->settings);
	if (r == 0 && access(own, F_OK) == 0) {
		r = read_file(own, room, sizeof room, &len, d);
		if (r == 0 &&
		    settings_parse(&f->settings, room, len, &inner) != 0)
			r = in_file(own, &inner, d);
	}
	if (r != 0 || !needed)
		return r;
	if (o->fw_env || access(path, F_OK) == 0) {
		r = read_file(path, room, sizeof room, &len, d);
		if (r != 0)
			return r;
		if (fw_env_config_parse(&f->fw_env, room, len, &inner) != 0)
			return in_file(path, &inner, d);
		f->have_fw_env = true;
	}
	f->have_initial_env =
	    read_file("/etc/u-boot-initial-env", f->initial_env,
	        sizeof f->initial_env, &len, NULL) == 0;
	return 0;
}

int cli_load_status(struct cli_files *f, struct slice *text, struct diag *d)
{
	char path[CONF_TEXT];
	int r = status_path(path, &f->conf, &f->settings, d);

	*text = (struct slice){room, 0};
	if (r != 0 || path[0] == '\0' ||
	    (access(path, F_OK) != 0 && errno == ENOENT))
		return r;
	return read_file_with(O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, path, room,
	    STATUS_MAX + 1, &text->len, d);
}

bool cli_keyring_built_in(const struct cli_files *f)
{
	return f->conf.keyring_path[0] == '\0' &&
	       f->conf.keyring_directory[0] == '\0';
}

static int load_keyring(struct keyring *k, const char *path, struct diag *d)
{
	struct diag inner = {0};
	size_t len;

	if (read_file(path, room, sizeof room, &len, &inner) != 0)
		return diag_fail(d, R_KEYRING, "keyring %s", inner.seen);
	if (keyring_load(k, room, len, &inner) != 0)
		return in_file(path, &inner, d);
	return 0;
}

/* [keyring] directory, as openssl rehash makes it. */
struct folder {
	struct keyring *k;
	const char *path;
	bool crls; /* the second round: keyring_load wants certificates first */
	struct diag *d;
};

/* Of HHHHHHHH.N (certificates) and HHHHHHHH.rN (CRLs) OpenSSL opens those from
 * 0 up to the first that is missing, and takes nothing else out of them. */
static void load_hashed(void *ctx, const char *name)
{
	struct folder *in = ctx;
	struct keyring *k = in->k;
	const unsigned before = in->crls ? k->count : k->crls;
	char path[CONF_TEXT + 32];
	struct stat st;

	for (unsigned i = 0; i < 8; i++)
		if (!(name[i] >= '0' && name[i] <= '9') &&
		    !(name[i] >= 'a' && name[i] <= 'f'))
			return;
	if (strcmp(name + 8, in->crls ? ".r0" : ".0") != 0)
		return;
	for (unsigned n = 0; in->d->reason == 0; n++) {
		fmt(path, sizeof path, "%s/%.*s%s%u", in->path, 9, name,
		    in->crls ? "r" : "", n);
		if (stat(path, &st) != 0)
			return;
		if (!S_ISREG(st.st_mode) ||
		    (load_keyring(k, path, in->d) == 0 &&
		        (in->crls ? k->count : k->crls) != before))
			(void)diag_fail(in->d, R_KEYRING,
			    "%s: expected a file of %s only", path,
			    in->crls ? "CRLs" : "certificates");
	}
}

static int load_directory(struct keyring *k, const char *path, struct diag *d)
{
	struct folder in = {.k = k, .path = path, .d = d};

	for (unsigned round = 0; round < 2; round++) {
		in.crls = round > 0;
		if (!folder_each(path, &in, load_hashed))
			return errno_fail(d, R_KEYRING, path);
	}
	if (d->reason == 0 && k->count == 0)
		return diag_fail(d, R_KEYRING,
		    "%s: no certificate with the name of its hash: see openssl "
		    "rehash",
		    path);
	return d->reason;
}

int cli_load_keyring(struct cli_files *f, const struct cli *o, struct diag *d)
{
	const char *path = o->keyring ? o->keyring : f->conf.keyring_path;
	const char *directory = f->conf.keyring_directory;
	int r = 0;

	if (!o->keyring && (!f->have_conf || cli_keyring_built_in(f))) {
		f->development = keyring_is_development;
		return keyring_load(
		    &f->keyring, keyring_pem, keyring_pem_len, d);
	}
	if (path[0] != '\0')
		r = load_keyring(&f->keyring, path, d);
	if (r == 0 && directory[0] != '\0')
		r = load_directory(&f->keyring, directory, d);
	return r;
}

/* One file of [encryption]. */
static void load_secret(struct recipient *r, const char *path,
    int (*load)(struct recipient *, const char *, size_t, struct diag *))
{
	struct diag d = {0};
	size_t len;

	if (path[0] == '\0')
		return;
	if (strncmp(path, "pkcs11:", 7) == 0)
		(void)diag_fail(
		    &d, R_CRYPT_CONF, "keys in a token are not supported");
	else if (read_file(path, room, sizeof room, &len, &d) == 0)
		(void)!load(r, room, len, &d);
	wipe(room, sizeof room);
	if (d.reason != 0)
		log_diag(path, &d);
}

void cli_load_recipient(struct cli_files *f)
{
	load_secret(&f->recipient, f->conf.encryption_key, recipient_load);
	if (f->recipient.type != RECIPIENT_NONE)
		load_secret(&f->recipient, f->conf.encryption_cert,
		    recipient_load_cert);
}

/* ---- which slot runs (facts: RAUC's context.c) */

/* The value of name= among the words of the command line. */
static bool cmdline_word(
    const char *cmdline, const char *name, char *dst, size_t cap)
{
	struct slice left = {cmdline, strlen(cmdline)};
	struct slice word;
	size_t n = strlen(name);

	while (slice_word(&left, &word))
		if (word.len > n && memcmp(word.p, name, n) == 0)
			return slice_copy(
			    dst, cap, (struct slice){word.p + n, word.len - n});
	return false;
}

static bool same_device(const char *a, const char *b)
{
	struct spec x, y;
	struct stat sa, sb;

	spec_parse(&x, a);
	spec_parse(&y, b);
	if (x.kind == y.kind && strcmp(x.value, y.value) == 0)
		return true;
	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && S_ISBLK(sa.st_mode) &&
	       S_ISBLK(sb.st_mode) && sa.st_rdev == sb.st_rdev;
}

/* PARTUUID= names what a slot may name otherwise: the running root's device
 * number decides then. */
static bool is_root(const char *device)
{
	struct stat root, st;

	return stat("/", &root) == 0 && stat(device, &st) == 0 &&
	       S_ISBLK(st.st_mode) && st.st_rdev == root.st_dev;
}

static bool match_slot(struct cli_files *f, const char *word)
{
	const struct conf *c = &f->conf;

	for (unsigned i = 0; i < c->slots; i++)
		if (strcmp(c->slot[i].bootname, word) == 0 ||
		    strcmp(c->slot[i].name, word) == 0) {
			fmt(f->booted, sizeof f->booted, "%s", word);
			f->booted_known = true;
			return true;
		}
	return false;
}

static bool only_files(const struct conf *c)
{
	for (unsigned i = 0; i < c->slots; i++) {
		struct stat st;

		if (stat(c->slot[i].device, &st) != 0 || !S_ISREG(st.st_mode))
			return false;
	}
	return c->slots > 0;
}

void cli_booted(struct cli_files *f, const char *cmdline)
{
	const struct conf *c = &f->conf;
	char word[CONF_TEXT];

	f->booted[0] = '\0';
	f->booted_known = false;
	/* RAUC looks for it anywhere, not only as a word */
	if (strstr(cmdline, "rauc.external")) {
		f->booted_known = true;
		return;
	}
	if (cmdline_word(cmdline, "rauc.slot=", word, sizeof word)) {
		if (!match_slot(f, word))
			log_warn(
			    "rauc.slot=%s is no slot of system.conf", word);
		return;
	}
	/* files are nobody's root */
	if (only_files(c)) {
		f->booted_known = true;
		return;
	}
	if (!cmdline_word(cmdline, "root=", word, sizeof word))
		word[0] = '\0';
	if (strcmp(word, "/dev/nfs") == 0) {
		f->booted_known = true;
		return;
	}
	for (unsigned i = 0; i < c->slots; i++)
		if ((word[0] != '\0' && same_device(c->slot[i].device, word)) ||
		    is_root(c->slot[i].device)) {
			(void)match_slot(f, c->slot[i].name);
			return;
		}
}

void cli_find_booted(struct cli_files *f, const struct cli *o)
{
	size_t len;

	if (o->boot_slot) {
		f->booted[0] = '\0';
		f->booted_known = strcmp(o->boot_slot, "_external_") == 0;
		if (!f->booted_known && !match_slot(f, o->boot_slot))
			log_warn("%s is no slot of system.conf", o->boot_slot);
		return;
	}
	if (read_file("/proc/cmdline", room, sizeof room, &len, NULL) != 0)
		room[0] = '\0';
	cli_booted(f, room);
}
