/* SPDX-License-Identifier: 0BSD */
/*
 * Assertions for tests: no framework. A failed CHECK prints where and goes on;
 * check_done() is main's return value and prints the closing line.
 */
#ifndef LIFEBOAT_CHECK_H
#define LIFEBOAT_CHECK_H

#include <stdio.h>
#include <string.h>

static int check_passed, check_failed;

/* What takes long the builds of the two compilers share: 0 with gcc, 1 with
 * clang. */
#ifdef __clang__
#define TURN 1
#else
#define TURN 0
#endif

#define CHECK(cond) \
	do { \
		if (cond) { \
			check_passed++; \
		} else { \
			check_failed++; \
			fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, \
			    __LINE__, #cond); \
		} \
	} while (0)

#define CHECK_INT(got, want) \
	do { \
		long long check_g = (long long)(got); \
		long long check_w = (long long)(want); \
		if (check_g == check_w) { \
			check_passed++; \
		} else { \
			check_failed++; \
			fprintf(stderr, "%s:%d: %s is %lld, expected %lld\n", \
			    __FILE__, __LINE__, #got, check_g, check_w); \
		} \
	} while (0)

#define CHECK_STR(got, want) \
	do { \
		const char *check_g = (got); \
		const char *check_w = (want); \
		if (strcmp(check_g, check_w) == 0) { \
			check_passed++; \
		} else { \
			check_failed++; \
			fprintf(stderr, \
			    "%s:%d: %s is \"%s\", expected \"%s\"\n", \
			    __FILE__, __LINE__, #got, check_g, check_w); \
		} \
	} while (0)

#define CHECK_MEM(got, want, n) CHECK(memcmp((got), (want), (n)) == 0)

static inline int check_done(const char *name)
{
	printf("%s: %d passed, %d failed\n", name, check_passed, check_failed);
	return check_failed != 0 || check_passed == 0;
}

#endif
