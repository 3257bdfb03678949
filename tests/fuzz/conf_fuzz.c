/* SPDX-License-Identifier: 0BSD */
/* system.conf (and a plan made from it), lifeboat.conf, fw_env.config and the
 * kernel command line. */
#include <stdlib.h>

#include "slot/install.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool v)
{
	if (!v)
		abort();
}

static void try_plan(const struct conf *c)
{
	static struct manifest m = {.compatible = "dev",
	    .version = "1.0",
	    .format = FORMAT_VERITY,
	    .images = 2,
	    .image = {{.slotclass = "rootfs", .type = IMAGE_EXT4},
	        {.slotclass = "kernel", .type = IMAGE_RAW}}};
	static const char *const booted[] = {"", "A", "rootfs.1"};
	struct boot_state boot = {.primary = 0};
	struct plan p;

	memcpy(m.compatible, c->compatible, sizeof m.compatible);
	for (unsigned i = 0; i < c->slots; i++)
		if (c->slot[i].bootname[0] != '\0')
			boot.count++;
	for (unsigned i = 0; i < 3; i++) {
		struct diag d = {0};
		int r = install_plan(
		    &p, c, NULL, &m, i == 1 ? NULL : &boot, booted[i], &d);

		must(r == d.reason);
		if (r != 0)
			continue;
		must(p.count > 0 && p.count <= 2 && p.root < c->slots);
		for (unsigned k = 0; k < p.count; k++)
			must(p.item[k].slot < c->slots && p.item[k].image < 2);
		must(p.boot_name < (int)boot.count);
	}
}

static void check_net(const struct net_conf *n)
{
	must(memchr(n->interface, 0, sizeof n->interface));
	must(memchr(n->file, 0, sizeof n->file));
	must(!strchr(n->interface, '/'));
	must(n->how <= NET_STATIC && n->port > 0);
	must(n->how != NET_STATIC ||
	     (ipv4_is_host(n->ip) && ipv4_is_mask(n->mask)));
	must(ipv4_none(n->server) || ipv4_is_host(n->server));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf c;
	static struct settings s;
	static struct fw_env_config f;
	static char text[65537];
	struct diag d = {0};
	int r;

	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';

	r = conf_parse(&c, data, size, &d);
	must(r <= 0 && r == d.reason);
	if (r == 0) {
		for (unsigned i = 0; i < c.slots; i++)
			must(c.slot[i].parent < (int)c.slots);
		try_plan(&c);
		r = conf_override(&c, text, &d);
		must(r <= 0 && r == d.reason);
	}
	d = (struct diag){0};
	settings_default(&s);
	r = settings_parse(&s, data, size, &d);
	must(r <= 0 && r == d.reason);
	d = (struct diag){0};
	check_net(&s.net);
	r = settings_cmdline(&s, text, &d);
	must(r <= 0 && r == d.reason);
	check_net(&s.net);
	d = (struct diag){0};
	r = fw_env_config_parse(&f, data, size, &d);
	must(r <= 0 && r == d.reason && f.copies <= BOOT_STORES);
	return 0;
}
