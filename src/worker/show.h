/* SPDX-License-Identifier: 0BSD */
/*
 * Private to the installer child: text for people, shells and JSON readers, by
 * rauc's labels, variables and keys. One walk over the data serves every
 * format: each call prints what its format has for it, and nothing in the
 * others.
 */
#ifndef LIFEBOAT_SHOW_H
#define LIFEBOAT_SHOW_H

#include "base/base.h"
#include "worker/job.h"

struct showing {
	enum job_format format;
	unsigned depth; /* of JSON brackets */
	bool first;     /* nothing yet between the innermost ones */
	unsigned index; /* of the image or slot at hand, for the shell */
	bool indexed;
};
extern struct showing showing;

enum {
	NULL_IF_EMPTY = 1, /* JSON: null instead of "" */
	HIDE_IF_EMPTY = 2, /* readable: no line */
	NUMBER = 4,        /* no quotes */
	LIST = 8,          /* JSON: a list of the words, plain ones */
};

void show_start(enum job_format format);

/* A bracket of JSON; key NULL: an item of a list. */
void show_open(const char *key, const char *bracket);
void show_close(const char *bracket);

/* JSON: a text in a list. */
void show_item(const char *text);

/*
 * One value under its three names, "readable|shell|json", each empty where
 * the format does not have it. A readable one that ends in a quote gets the
 * other one behind the value; the shell's is put in upper case, with _ for -.
 */
void show_field(const char *names, const char *value, unsigned how);
/* One that rauc does not have: "label|LIFEBOAT_name|name". */
void show_own(
    const char *label, const char *name, const char *value, unsigned how);
void show_number(const char *names, uint64_t value);
void show_hash(const char *names, const uint8_t value[32]);

#endif
