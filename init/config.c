/* SPDX-License-Identifier: 0BSD */
#include "base/embedded.h"
#include "init/init.h"
#include "options.h"

/* Reads it into c->text. Its length; what is wrong with a file that is there
 * goes to d, and the result is negative. */
static int read_text(struct config *c, const char *path, struct diag *d)
{
	int n = early_read(path, c->text, CONFIG_TEXT);

	if (n < 0 && n != R_NOT_FOUND)
		(void)diag_fail(d, n, "cannot be read whole");
	return n;
}

static void say(const char *file, struct diag *d)
{
	if (d->reason != 0)
		log_diag(file, d);
	diag_clear(d);
}

/* The first thing that keeps us from installing; the rest of the life goes
 * on, and says it again and again. */
static void break_with(struct config *c, const char *file, struct diag *d)
{
	if (d->reason != 0)
		(void)diag_fail(&c->broken, d->reason, "%s: %s", file, d->seen);
	say(file, d);
}

void config_read_settings(struct config *c)
{
	static const char path[] = "/etc/lifeboat.conf";
	static const char line[] = "/proc/cmdline";
	struct diag d = {0};
	int n = read_text(c, path, &d);

	settings_default(&c->settings);
	if (n > 0)
		(void)!settings_parse(&c->settings, c->text, (size_t)n, &d);
	/* Whom to trust may stand behind the error. */
	break_with(c, path, &d);
	if (read_text(c, line, &d) > 0)
		(void)!settings_cmdline(&c->settings, c->text, &d);
	say(line, &d);
	if (!keyring_is_development)
		settings_release(&c->settings);
}

/* One file of [encryption]: only crypt bundles need it. */
static void read_secret(struct config *c, const char *path,
    int (*load)(struct recipient *, const char *, size_t, struct diag *))
{
	struct diag d = {0};
	int n;

	if (path[0] == '\0')
		return;
	n = read_text(c, path, &d);
	if (n >= 0)
		(void)!load(&c->recipient, c->text, (size_t)n, &d);
	else
		(void)diag_fail(&d, R_CRYPT_CONF,
		    "no file; keys in a token (pkcs11:) are not supported");
	wipe(c->text, sizeof c->text);
	say(path, &d);
}

void config_read(struct config *c)
{
	static const char path[] = "/etc/rauc/system.conf";
	static const char fw_path[] = "/etc/fw_env.config";
	static const char env_path[] = "/etc/u-boot-initial-env";
	struct diag d = {0};
	int n = read_text(c, path, &d);

	if (n > 0)
		(void)!conf_parse(&c->conf, c->text, (size_t)n, &d);
	else
		(void)diag_fail(&d, R_CONF_MISSING, "missing or empty");
	break_with(c, path, &d);

	n = read_text(c, fw_path, &d);
	c->have_fw_env = n > 0 && fw_env_config_parse(
	                              &c->fw_env, c->text, (size_t)n, &d) == 0;
	break_with(c, fw_path, &d);

	(void)!keyring_load(&c->keyring, keyring_pem, keyring_pem_len, &d);
	break_with(c, "built-in keyring", &d);

	if (OPT_CRYPT) {
		(void)!conf_resolve(c->conf.encryption_key, path, &d);
		(void)!conf_resolve(c->conf.encryption_cert, path, &d);
		say(path, &d);
		read_secret(c, c->conf.encryption_key, recipient_load);
		if (c->recipient.type != RECIPIENT_NONE)
			read_secret(
			    c, c->conf.encryption_cert, recipient_load_cert);
	}

	/* Last: it stays in the buffer. An empty one has a meaning, boot.h. */
	c->initial_env = read_text(c, env_path, &d) >= 0 ? c->text : NULL;
	say(env_path, &d);
}
