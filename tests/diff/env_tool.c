/* SPDX-License-Identifier: 0BSD */
/*
 * Our environment code on the files that a fw_env.config names:
 * env_tool CONFIG "NAME..." [bad|good|primary NAME [ATTEMPTS]]
 * Does the verb, loads anew, and prints the state.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/blk_fd.h"
#include "boot/boot.h"

static struct boot boot;
static struct fw_env_config config;
static struct blk_fd file[BOOT_STORES];
static struct blk_window window[BOOT_STORES];
static struct blk *store[BOOT_STORES];
static struct diag d;

static int die(const char *what)
{
	fprintf(stderr, "env_tool: %s: %s: %s\n", what, reason_name(d.reason),
	    d.seen);
	return 1;
}

static int verb(int argc, char **argv, const char *const *name, unsigned n)
{
	unsigned attempts = argc > 5 ? (unsigned)atoi(argv[5]) : 3;
	unsigned i = 0;

	while (i < n && strcmp(name[i], argv[4]) != 0)
		i++;
	if (strcmp(argv[3], "bad") == 0)
		return boot_mark_bad(&boot, i, &d);
	if (strcmp(argv[3], "good") == 0)
		return boot_mark_good(&boot, i, attempts, &d);
	boot.state.tries = 2;
	memcpy(boot.state.tries_id, "\x12\x34\xab\xcd", 4);
	return boot_set_primary(&boot, i, attempts, &d);
}

int main(int argc, char **argv)
{
	static char text[4096];
	const char *name[BOOT_NAMES];
	unsigned n = 0;
	FILE *f = argc > 2 ? fopen(argv[1], "r") : NULL;
	size_t len;

	if (!f)
		return 2;
	len = fread(text, 1, sizeof text, f);
	fclose(f);
	if (fw_env_config_parse(&config, text, len, &d) != 0)
		return die("config");
	for (char *w = strtok(argv[2], " "); w && n < BOOT_NAMES;
	     w = strtok(NULL, " "))
		name[n++] = w;
	for (unsigned i = 0; i < config.copies; i++) {
		const struct fw_env_copy *c = &config.copy[i];
		int fd = open(c->device, O_RDWR);
		off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
		int64_t at = c->offset < 0 ? size + c->offset : c->offset;

		if (size < 0)
			return die(c->device);
		blk_fd_init(&file[i], fd, -1, (uint64_t)size, 512, true);
		if (blk_window_init(
		        &window[i], &file[i].blk, (uint64_t)at, c->size) != 0)
			return die("offset");
		store[i] = &window[i].blk;
	}
	if (boot_open(&boot, "uboot", store, config.copies, name, n, &d) != 0)
		return die("open");
	if (argc > 4 && verb(argc, argv, name, n) != 0)
		return die(argv[3]);
	if (boot_open(&boot, "uboot", store, config.copies, name, n, &d) != 0)
		return die("open");
	printf("valid=%d copy=%u primary=%s\n%s\n", boot.state.valid,
	    boot.active,
	    boot.state.primary < 0 ? "-" : name[boot.state.primary],
	    boot.state.text);
	return 0;
}
