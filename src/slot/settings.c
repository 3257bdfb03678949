/* SPDX-License-Identifier: 0BSD */
#include "base/log.h"
#include "slot/conf.h"

void settings_default(struct settings *s)
{
	memset(s, 0, sizeof *s);
	s->settle_ms = 500;
	s->wait_s = 60;
	s->retries = 2;
	s->stall_s = 60;
	s->watchdog_s = 60;
	memcpy(s->watchdog, "/dev/watchdog", sizeof "/dev/watchdog");
	memcpy(s->data_type, "ext4", sizeof "ext4");
	memcpy(s->data_mount_point, "/data", sizeof "/data");
	memcpy(
	    s->data_options, "errors=remount-ro", sizeof "errors=remount-ro");
	net_conf_default(&s->net);
}

void settings_release(struct settings *s)
{
	if (s->ignore_floor)
		log_warn("ignore-floor is for development images: it has no "
		         "effect");
	s->ignore_floor = false;
}

void settings_apply(const struct settings *s, struct trust_policy *t)
{
	t->min_signers = s->min_signers;
	if (s->time > 0)
		t->time = (enum time_policy)(s->time - 1);
}
