/* SPDX-License-Identifier: 0BSD */
/*
 * A DER message as a tree that can be changed and encoded again with the
 * right lengths around the change, so that it gets as deep as it was made.
 * OCTET and BIT STRINGs that hold DER are part of the tree.
 */
#ifndef LIFEBOAT_MUTATE_DER_H
#define LIFEBOAT_MUTATE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODES 4096
#define ENCODED 262144

enum form { SHORTEST, LONG, LONGER, INDEFINITE, WRONG_BY };

struct node {
	uint8_t tag;
	uint8_t prefix_len, prefix; /* BIT STRING: the octet of unused bits */
	uint8_t form;               /* of the length */
	bool parent_of;             /* children count, body otherwise */
	int8_t off;                 /* WRONG_BY: by how much */
	uint16_t child, next;       /* 0: none; the root is node 1 */
	uint32_t path;              /* same tags above: same number */
	const uint8_t *body;
	size_t len;
};

struct tree {
	struct node n[NODES];
	unsigned count; /* node 0 is not used */
	/* what a change needs room for */
	uint8_t room[ENCODED];
	size_t used;
};

/* False when it is no DER. bytes have to outlive the tree. */
bool tree_parse(struct tree *t, const uint8_t *bytes, size_t len);

/* Copies nodes only: what they point to stays where it is. */
void tree_copy(struct tree *to, const struct tree *from);

/* The node and all below it, to the end of dst; NULL when it is too large. */
const uint8_t *tree_encode(
    const struct tree *t, unsigned node, uint8_t dst[ENCODED], size_t *len);

/* The nth child, from 0; 0 for none. */
unsigned tree_child(const struct tree *t, unsigned node, unsigned n);

/* Makes it a string of these bytes, which are copied. */
void tree_set(struct tree *t, unsigned node, const uint8_t *p, size_t len);

/* Random numbers: the same for the same seed. */
void dice_seed(uint64_t seed);
uint32_t dice(uint32_t below);

/* One change of the node or of something below it; parts of other trees are
 * taken from the donors. */
void tree_mutate(struct tree *t, unsigned node, const struct tree *donors,
    unsigned donor_count);

#define MUTATIONS 24
extern const char *const mutation_name[MUTATIONS];
extern unsigned long mutation_count[MUTATIONS];

#endif
