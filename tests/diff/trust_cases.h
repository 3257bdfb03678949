/* SPDX-License-Identifier: 0BSD */
/* The cases of trust_matrix: each is made, named by "key=value" words and
 * handed over to judge(). */
#ifndef LIFEBOAT_TRUST_CASES_H
#define LIFEBOAT_TRUST_CASES_H

#include "trust_recipe.h"

/* After recipe_begin(). only: the part of this name; NULL: all. */
void cases_run(const char *only);

#endif
