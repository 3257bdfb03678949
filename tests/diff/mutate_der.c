/* SPDX-License-Identifier: 0BSD */
#include "mutate_der.h"

#include <string.h>

#define DEPTH 40

/* ---- dice */

static uint64_t state;

void dice_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15u ^ 0x2545f4914f6cdd1du;
	for (int i = 0; i < 4; i++)
		(void)dice(2);
}

uint32_t dice(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? (uint32_t)((state * 0x2545f4914f6cdd1du) >> 32) % below
	             : 0;
}

/* ---- the tree */

static bool header(const uint8_t *p, size_t len, size_t *head, size_t *body)
{
	unsigned octets;

	if (len < 2 || (p[0] & 0x1f) == 0x1f)
		return false;
	*head = 2;
	*body = p[1];
	if (p[1] >= 0x80) {
		octets = p[1] & 0x7f;
		if (octets == 0 || octets > 3 || len < 2 + octets)
			return false;
		*body = 0;
		for (unsigned i = 0; i < octets; i++)
			*body = *body << 8 | p[2 + i];
		*head += octets;
	}
	return *body <= len - *head;
}

/* Where DER may stand in a string. */
static bool holds_der(const struct node *n)
{
	size_t head, body, skip = n->tag == 0x03;

	return (n->tag == 0x03 || n->tag == 0x04) && n->len > 2 + skip &&
	       (!skip || n->body[0] == 0) &&
	       strchr("\x30\x31\x01\x02\x03\x04\x05", n->body[skip]) &&
	       header(n->body + skip, n->len - skip, &head, &body) &&
	       head + body == n->len - skip;
}

static uint16_t parse(struct tree *t, const uint8_t *p, size_t len,
    uint32_t path, unsigned depth, bool *ok);

static void parse_below(struct tree *t, unsigned i, unsigned depth, bool *ok)
{
	struct node *n = &t->n[i];
	unsigned count = t->count;
	size_t skip = n->tag == 0x03;
	bool inner = true;

	if (n->tag & 0x20) {
		n->parent_of = true;
		n->child = parse(t, n->body, n->len, n->path, depth + 1, ok);
	} else if (holds_der(n)) {
		uint16_t child = parse(t, n->body + skip, n->len - skip,
		    n->path, depth + 1, &inner);

		if (!inner) {
			t->count = count;
			return;
		}
		n->parent_of = true;
		n->child = child;
		n->prefix_len = (uint8_t)skip;
	}
}

static uint16_t parse(struct tree *t, const uint8_t *p, size_t len,
    uint32_t path, unsigned depth, bool *ok)
{
	uint16_t first = 0, last = 0;
	size_t head, body;

	while (len > 0 && *ok) {
		unsigned i = t->count;

		if (depth > DEPTH || i >= NODES / 2 ||
		    !header(p, len, &head, &body)) {
			*ok = false;
			return 0;
		}
		t->count++;
		memset(&t->n[i], 0, sizeof t->n[i]);
		t->n[i].tag = p[0];
		t->n[i].path = (path + p[0]) * 2654435761u;
		t->n[i].body = p + head;
		t->n[i].len = body;
		parse_below(t, i, depth, ok);
		if (last)
			t->n[last].next = (uint16_t)i;
		else
			first = (uint16_t)i;
		last = (uint16_t)i;
		p += head + body;
		len -= head + body;
	}
	return first;
}

bool tree_parse(struct tree *t, const uint8_t *bytes, size_t len)
{
	bool ok = true;

	t->count = 1;
	t->used = 0;
	return parse(t, bytes, len, 0, 0, &ok) == 1 && ok && t->n[1].next == 0;
}

void tree_copy(struct tree *to, const struct tree *from)
{
	memcpy(to->n, from->n, from->count * sizeof to->n[0]);
	to->count = from->count;
	to->used = 0;
}

struct out {
	uint8_t *start, *p;
	bool full;
};

static void put(struct out *o, const void *p, size_t len)
{
	if (o->full || (size_t)(o->p - o->start) < len) {
		o->full = true;
		return;
	}
	o->p -= len;
	if (len > 0)
		memcpy(o->p, p, len);
}

static void put_octet(struct out *o, unsigned v)
{
	uint8_t octet = (uint8_t)v;

	put(o, &octet, 1);
}

static void put_length(struct out *o, size_t len, unsigned form)
{
	unsigned octets = 0;

	if (form == INDEFINITE) {
		put_octet(o, 0x80);
		return;
	}
	if (len < 0x80 && form != LONG && form != LONGER) {
		put_octet(o, (unsigned)len);
		return;
	}
	do {
		put_octet(o, len & 0xff);
		len >>= 8;
		octets++;
	} while (len > 0);
	if (form == LONGER) {
		put_octet(o, 0);
		octets++;
	}
	put_octet(o, 0x80 | octets);
}

static void encode(
    const struct tree *t, unsigned i, bool all, struct out *o, unsigned depth)
{
	const struct node *n = &t->n[i];
	const uint8_t *end;
	size_t len;

	if (i == 0 || o->full)
		return;
	if (depth > 2 * DEPTH + NODES) {
		o->full = true;
		return;
	}
	if (all)
		encode(t, n->next, true, o, depth + 1);
	if (n->form == INDEFINITE)
		put(o, "\0\0", 2);
	end = o->p;
	if (n->parent_of)
		encode(t, n->child, true, o, depth + 1);
	else
		put(o, n->body, n->len);
	if (n->prefix_len)
		put_octet(o, n->prefix);
	len = (size_t)(end - o->p);
	put_length(
	    o, n->form == WRONG_BY ? len + (size_t)n->off : len, n->form);
	put_octet(o, n->tag);
}

const uint8_t *tree_encode(
    const struct tree *t, unsigned node, uint8_t dst[ENCODED], size_t *len)
{
	struct out o = {dst, dst + ENCODED, false};

	encode(t, node, false, &o, 0);
	*len = (size_t)(dst + ENCODED - o.p);
	return o.full ? NULL : o.p;
}

unsigned tree_child(const struct tree *t, unsigned node, unsigned n)
{
	unsigned i = t->n[node].parent_of ? t->n[node].child : 0;

	while (i && n-- > 0)
		i = t->n[i].next;
	return i;
}

static uint8_t *room(struct tree *t, size_t len)
{
	uint8_t *p = t->room + t->used;

	if (len > sizeof t->room - t->used)
		return NULL;
	t->used += len;
	return p;
}

void tree_set(struct tree *t, unsigned node, const uint8_t *p, size_t len)
{
	struct node *n = &t->n[node];
	uint8_t *to = room(t, len);

	if (!to)
		return;
	if (len > 0)
		memcpy(to, p, len);
	n->parent_of = false;
	n->body = to;
	n->len = len;
}

/* ---- changes */

const char *const mutation_name[MUTATIONS] = {"bits", "octet", "tag",
    "length form", "wrong length", "delete", "duplicate", "reorder",
    "swap with another of its kind", "take from another message",
    "take another tag's", "move", "integer", "unused bits", "object identifier",
    "parameters", "cut", "lengthen", "insert", "strip attributes",
    "string type", "time", "boolean", "wrap"};
unsigned long mutation_count[MUTATIONS];

static unsigned new_node(struct tree *t)
{
	if (t->count >= NODES)
		return 0;
	memset(&t->n[t->count], 0, sizeof t->n[0]);
	return t->count++;
}

/* A copy of what stands in another tree, or in this one. */
static unsigned graft(
    struct tree *t, const struct tree *from, unsigned i, unsigned depth)
{
	unsigned copy = new_node(t), last = 0;

	if (copy == 0 || depth > 2 * DEPTH)
		return 0;
	t->n[copy] = from->n[i];
	t->n[copy].next = t->n[copy].child = 0;
	if (!from->n[i].parent_of)
		return copy;
	for (unsigned c = from->n[i].child; c; c = from->n[c].next) {
		unsigned one = graft(t, from, c, depth + 1);

		if (one == 0)
			break;
		if (last)
			t->n[last].next = (uint16_t)one;
		else
			t->n[copy].child = (uint16_t)one;
		last = one;
	}
	return copy;
}

/* Puts what copy is where i is. */
static void replace(struct tree *t, unsigned i, unsigned copy)
{
	uint16_t next = t->n[i].next;

	if (copy == 0 || copy == i)
		return;
	t->n[i] = t->n[copy];
	t->n[i].next = next;
}

struct list {
	uint16_t n[NODES];
	unsigned count;
};

static void collect(
    const struct tree *t, unsigned i, bool all, struct list *l, unsigned depth)
{
	for (; i && l->count < NODES && depth < 2 * DEPTH;
	     i = all ? t->n[i].next : 0) {
		l->n[l->count++] = (uint16_t)i;
		if (t->n[i].parent_of)
			collect(t, t->n[i].child, true, l, depth + 1);
	}
}

/* The link that leads to node i; NULL for the root. */
static uint16_t *link_to(struct tree *t, unsigned i)
{
	for (unsigned k = 1; k < t->count; k++) {
		if (t->n[k].next == i)
			return &t->n[k].next;
		if (t->n[k].parent_of && t->n[k].child == i)
			return &t->n[k].child;
	}
	return NULL;
}

static uint8_t *own_body(struct tree *t, struct node *n, size_t extra)
{
	uint8_t *p = room(t, n->len + extra);

	if (!p || n->parent_of)
		return NULL;
	if (n->len > 0)
		memcpy(p, n->body, n->len);
	n->body = p;
	return p;
}

/* Any node of these trees that fits. */
static void take(struct tree *t, unsigned i, const struct tree *donors,
    unsigned donor_count, bool same_place)
{
	for (unsigned tries = 0; tries < 8; tries++) {
		const struct tree *from = &donors[dice(donor_count)];
		unsigned first = 1 + dice(from->count - 1);

		for (unsigned k = 0; k < from->count - 1; k++) {
			unsigned at = 1 + (first + k) % (from->count - 1);

			if (same_place ? from->n[at].path == t->n[i].path
			               : from->n[at].tag == t->n[i].tag) {
				replace(t, i, graft(t, from, at, 0));
				return;
			}
		}
	}
}

static void swap_alike(struct tree *t, unsigned i)
{
	unsigned first = dice(t->count);

	for (unsigned k = 0; k < t->count; k++) {
		unsigned at = (first + k) % t->count;
		struct node a = t->n[i], b = t->n[at];

		if (at == 0 || at == i || a.path != b.path)
			continue;
		t->n[i] = b;
		t->n[i].next = a.next;
		t->n[at] = a;
		t->n[at].next = b.next;
		return;
	}
}

static void reorder(struct tree *t, unsigned i)
{
	uint16_t child[64];
	unsigned n = 0;

	for (unsigned c = tree_child(t, i, 0); c && n < 64; c = t->n[c].next)
		child[n++] = (uint16_t)c;
	if (n < 2 || t->n[child[n - 1]].next)
		return;
	for (unsigned k = n - 1; k > 0; k--) {
		unsigned o = dice(k + 1);
		uint16_t keep = child[k];

		child[k] = child[o];
		child[o] = keep;
	}
	t->n[i].child = child[0];
	for (unsigned k = 0; k < n; k++)
		t->n[child[k]].next = k + 1 < n ? child[k + 1] : 0;
}

static void change_integer(struct tree *t, struct node *n)
{
	uint8_t *p = own_body(t, n, 2);

	if (!p)
		return;
	switch (dice(6)) {
	case 0: /* padding that is not needed */
	case 1:
		memmove(p + 1, p, n->len);
		p[0] = dice(2) ? 0xff : 0;
		n->len++;
		break;
	case 2:
		if (n->len > 0) {
			n->body++;
			n->len--;
		}
		break;
	case 3:
		if (n->len > 0)
			p[0] ^= 0x80;
		break;
	case 4:
		if (n->len > 0)
			p[n->len - 1] =
			    (uint8_t)(p[n->len - 1] + (dice(2) ? 1 : -1));
		break;
	default:
		n->len = dice(2);
		p[0] = (uint8_t)dice(4);
	}
}

/* SEQUENCE { OBJECT IDENTIFIER, ... }: its parameters. */
static void change_params(struct tree *t, unsigned i)
{
	static const uint8_t some[] = {0x05, 0x30, 0x04, 0x02, 0x06, 0x01};
	unsigned oid = tree_child(t, i, 0), fresh;

	if (!oid || t->n[oid].tag != 0x06)
		return;
	if (t->n[oid].next && dice(2)) {
		t->n[oid].next = dice(4) ? 0 : t->n[t->n[oid].next].next;
		return;
	}
	fresh = new_node(t);
	if (!fresh)
		return;
	t->n[fresh].tag = dice(2) ? 0x05 : some[dice(sizeof some)];
	t->n[fresh].next = dice(2) ? t->n[oid].next : 0;
	t->n[oid].next = (uint16_t)fresh;
}

static void insert(struct tree *t, unsigned i)
{
	static const uint8_t tags[] = {0x05, 0x01, 0x02, 0x04, 0x30, 0x31, 0xa0,
	    0xa1, 0x80, 0x03, 0x06, 0x0c, 0xa2, 0xa3, 0x00};
	unsigned fresh = new_node(t);

	if (!fresh)
		return;
	t->n[fresh].tag = tags[dice(sizeof tags)];
	if (dice(2)) {
		uint8_t octet = (uint8_t)(dice(3) * 0x7f);

		tree_set(t, fresh, &octet, 1);
	}
	if (t->n[i].parent_of && dice(2)) {
		t->n[fresh].next = t->n[i].child;
		t->n[i].child = (uint16_t)fresh;
	} else if (i != 1) {
		t->n[fresh].next = t->n[i].next;
		t->n[i].next = (uint16_t)fresh;
	}
}

static void change_time(struct tree *t, struct node *n)
{
	static const char *const some[] = {"491231235959Z", "500101000000Z",
	    "20500101000000Z", "19491231235959Z", "2501010000Z",
	    "250101000000+0000", "20250101000000.0Z", "99991231235959Z",
	    "20250101000000", "250229000000Z", "250101000060Z",
	    "20250101000000z", "000101000000Z", "00000101000000Z"};
	const char *s = some[dice(sizeof some / sizeof some[0])];
	uint8_t *p;

	if (dice(3) == 0) {
		n->tag ^= 0x17 ^ 0x18;
	} else if (dice(2) && (p = own_body(t, n, 2))) {
		if (n->tag == 0x17 && dice(2)) {
			/* the same as the other type */
			memmove(p + 2, p, n->len);
			memcpy(p, p[2] < '5' ? "20" : "19", 2);
			n->tag = 0x18;
			n->len += 2;
		} else if (n->len > 0) {
			p[dice((uint32_t)n->len)] = (uint8_t)('0' + dice(10));
		}
	} else {
		n->body = (const uint8_t *)s;
		n->len = strlen(s);
		n->tag = n->len == 15 ? 0x18 : 0x17;
	}
}

static bool strip(struct tree *t, unsigned i)
{
	struct list l = {.count = 0};
	unsigned n = 0;

	collect(t, i, false, &l, 0);
	/* [0] and [1] IMPLICIT: attributes, certificates, CRLs, extensions */
	for (unsigned k = 0; k < l.count; k++)
		if ((t->n[l.n[k]].tag & 0xe0) == 0xa0)
			l.n[n++] = l.n[k];
	if (n == 0)
		return false;
	i = l.n[dice(n)];
	if (dice(4) == 0) {
		uint16_t *link = link_to(t, i);

		if (link)
			*link = t->n[i].next;
	} else if (t->n[i].parent_of) {
		unsigned keep = dice(3);

		for (uint16_t *p = &t->n[i].child; *p;) {
			if (dice(3) == keep)
				*p = t->n[*p].next;
			else
				p = &t->n[*p].next;
		}
	}
	return true;
}

static void change_body(struct tree *t, struct node *n, unsigned how)
{
	uint8_t *p = own_body(t, n, 40);
	size_t more = dice(8) ? 1 + dice(3) : 1 + dice(40), at;

	if (!p)
		return;
	switch (how) {
	case 0:
		for (unsigned k = 1 + dice(2); k > 0 && n->len > 0; k--)
			p[dice((uint32_t)n->len)] ^= (uint8_t)(1 << dice(8));
		break;
	case 1:
		if (n->len > 0)
			p[dice((uint32_t)n->len)] = (uint8_t)dice(256);
		break;
	case 16:
		n->len -= n->len > more ? more : n->len;
		if (dice(2))
			n->body += more < 2 ? more : 0;
		break;
	default:
		at = dice(2) ? 0 : n->len;
		memmove(p + at + more, p + at, n->len - at);
		memset(p + at, dice(2) ? 0 : (int)dice(256), more);
		n->len += more;
	}
}

static void change_oid(
    struct tree *t, unsigned i, const struct tree *donors, unsigned count)
{
	static const struct {
		const char *p;
		uint8_t len;
	} some[] = {{"\x60\x86\x48\x01\x65\x03\x04\x02\x01", 9},
	    {"\x60\x86\x48\x01\x65\x03\x04\x02\x03", 9},
	    {"\x60\x86\x48\x01\x65\x03\x04\x02\x04", 9},
	    {"\x2b\x0e\x03\x02\x1a", 5},
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9},
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 9},
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9},
	    {"\x2a\x86\x48\xce\x3d\x04\x03\x02", 8},
	    {"\x2a\x86\x48\xce\x3d\x04\x03\x04", 8},
	    {"\x2a\x86\x48\xce\x3d\x04\x01", 7},
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04", 9},
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 9},
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9}, {"\x55\x1d\x13", 3},
	    {"\x55\x1d\x0f", 3}, {"\x55\x1d\x25", 3}, {"\x55\x1d\x23", 3},
	    {"\x55\x1d\x0e", 3}, {"\x55\x1d\x1e", 3}, {"\x55\x1d\x24", 3},
	    {"\x55\x1d\x20", 3}, {"\x55\x1d\x11", 3}, {"\x55\x1d\x1f", 3},
	    {"\x55\x1d\x1b", 3}, {"\x55\x1d\x1c", 3}, {"\x55\x1d\x15", 3},
	    {"\x55\x1d\x1d", 3}, {"\x55\x1d\x14", 3}};

	if (dice(3) == 0) {
		take(t, i, donors, count, false);
	} else {
		unsigned k = dice(sizeof some / sizeof some[0]);

		tree_set(t, i, (const uint8_t *)some[k].p, some[k].len);
	}
}

static bool one_change(struct tree *t, unsigned i, const struct tree *donors,
    unsigned count, unsigned how)
{
	static const uint8_t tags[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a,
	    0x0c, 0x13, 0x16, 0x17, 0x18, 0x30, 0x31, 0xa0, 0xa1, 0x80, 0x1e,
	    0x24, 0x23, 0x14, 0x1c};
	static const uint8_t strings[] = {0x0c, 0x13, 0x16, 0x14, 0x1e, 0x1c};
	struct node *n = &t->n[i];
	unsigned copy;
	uint16_t *link;

	switch (how) {
	case 0:
	case 1:
	case 16:
	case 17:
		if (n->parent_of)
			return false;
		change_body(t, n, how);
		break;
	case 2:
		n->tag = dice(3) ? tags[dice(sizeof tags)]
		                 : n->tag ^ (uint8_t)(1 << dice(8));
		break;
	case 3:
		n->form = (uint8_t)(LONG + dice(3));
		break;
	case 4:
		n->form = WRONG_BY;
		n->off = (int8_t)((int)dice(9) - 4);
		break;
	case 5:
		link = link_to(t, i);
		if (!link)
			return false;
		*link = n->next;
		break;
	case 6:
		copy = i == 1 ? 0 : graft(t, t, i, 0);
		if (!copy)
			return false;
		t->n[copy].next = n->next;
		n->next = (uint16_t)copy;
		break;
	case 7:
		if (!n->parent_of)
			return false;
		reorder(t, i);
		break;
	case 8:
		swap_alike(t, i);
		break;
	case 9:
		take(t, i, donors, count, true);
		break;
	case 10:
		take(t, i, donors, count, false);
		break;
	case 11:
		link = link_to(t, i);
		copy = 1 + dice(t->count - 1);
		if (!link || copy == i)
			return false;
		/* a copy, so that nothing hangs on itself */
		copy = graft(t, t, copy, 0);
		if (!copy)
			return false;
		t->n[copy].next = *link;
		*link = (uint16_t)copy;
		break;
	case 12:
		if (n->tag != 0x02 && n->tag != 0x0a)
			return false;
		change_integer(t, n);
		break;
	case 13:
		if (n->tag != 0x03)
			return false;
		if (n->parent_of) {
			n->prefix = (uint8_t)dice(9);
		} else {
			uint8_t *p = own_body(t, n, 0);

			if (p && n->len > 0)
				p[0] = (uint8_t)dice(9);
		}
		break;
	case 14:
		if (n->tag != 0x06)
			return false;
		change_oid(t, i, donors, count);
		break;
	case 15:
		if (n->tag != 0x30)
			return false;
		change_params(t, i);
		break;
	case 18:
		insert(t, i);
		break;
	case 19:
		return strip(t, i);
	case 20:
		if (n->tag != 0x0c && n->tag != 0x13 && n->tag != 0x16)
			return false;
		n->tag = strings[dice(sizeof strings)];
		break;
	case 21:
		if (n->tag != 0x17 && n->tag != 0x18)
			return false;
		change_time(t, n);
		break;
	case 22:
		if (n->tag != 0x01)
			return false;
		copy = dice(3) * 0x7f + dice(2);
		tree_set(t, i, (const uint8_t[]){(uint8_t)copy}, dice(8) != 0);
		break;
	default:
		/* a string in pieces, or anything in a further element */
		copy = graft(t, t, i, 0);
		if (!copy)
			return false;
		n->parent_of = true;
		n->prefix_len = 0;
		n->child = (uint16_t)copy;
		n->form = dice(2) ? INDEFINITE : SHORTEST;
		n->tag =
		    n->tag & 0x20 ? tags[dice(sizeof tags)] : n->tag | 0x20;
	}
	return true;
}

void tree_mutate(
    struct tree *t, unsigned node, const struct tree *donors, unsigned count)
{
	struct list l = {.count = 0};

	collect(t, node, false, &l, 0);
	for (unsigned tries = 0; tries < 100; tries++) {
		unsigned how = dice(MUTATIONS);

		if (one_change(t, l.n[dice(l.count)], donors, count, how)) {
			mutation_count[how]++;
			return;
		}
	}
}
