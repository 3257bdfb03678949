/* SPDX-License-Identifier: 0BSD */
/*
 * What the build puts into the binary; src/embed.sh writes the definitions.
 */
#ifndef LIFEBOAT_EMBEDDED_H
#define LIFEBOAT_EMBEDDED_H

#include "base/base.h"

/* The trusted certificates, PEM, as given with make KEYRING=FILE. */
extern const char keyring_pem[];
extern const size_t keyring_pem_len;

/* True when the keyring is the throw-away one of the development PKI:
 * whoever built this binary can sign for it. */
extern const bool keyring_is_development;
#define DEVELOPMENT_WARNING \
	"DEVELOPMENT KEYS: whoever built this program can sign for it"

extern const char lifeboat_version[];    /* "0.1.0" */
extern const char lifeboat_built_with[]; /* "bearssl 0.6-1, ..., musl 1.2.3" */

/* SOURCE_DATE_EPOCH of the build, seconds since 1970: no true clock is
 * earlier. 0: unknown. */
extern const long long build_epoch;

#endif
