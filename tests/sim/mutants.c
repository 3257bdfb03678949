/* SPDX-License-Identifier: 0BSD */
#include "mutants.h"

#include <string.h>

static const char *const texts[MUTANTS] = {
#define MUTANT_TEXT(name, text) text,
    MUTANT_LIST(MUTANT_TEXT)
#undef MUTANT_TEXT
};

/* A blk between the installer and a slot or a copy of the environment. */
struct between {
	struct blk blk;
	struct blk *below;
	unsigned number; /* of the slot or the copy */
	bool head_written;
	bool last; /* the last write was that of the key sector at 0 */
	uint8_t written[RIG_SLOT]; /* the page cache */
};

static enum mutant mutant;
static struct between slots[RIG_SLOTS], envs[2];
static struct boot_ops boot_ops;
static const struct boot_ops *real_ops;

const char *mutant_text(enum mutant m)
{
	return texts[m];
}

/* ---- slots ---- */

static const uint8_t *image_of(const struct between *m)
{
	return rig_world.image[m->number % 2].p;
}

static int slot_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	return blk_read(((struct between *)b)->below, off, dst, len);
}

static int slot_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct between *m = (struct between *)b;
	const uint8_t *image = image_of(m);
	bool zero = all_zero(src, len);
	uint8_t changed[RIG_SLOT];

	memcpy(m->written + off, src, len);
	m->last = off == 0 && len == INSTALL_KEY;
	if (off == 0)
		m->head_written = !zero;
	if (mutant == MUTANT_HEAD_FIRST && off < INSTALL_HEAD)
		src = image + off;
	if (mutant == MUTANT_HEAD_KEPT && off < INSTALL_HEAD && zero)
		return 0;
	if (mutant == MUTANT_HEAD_AT_ONCE && off == 0 && !zero)
		src = image;
	if (mutant == MUTANT_KEYS_SWAPPED && !zero && len == INSTALL_KEY &&
	    off < INSTALL_HEAD) {
		off = off == 0 ? 1024 : 0;
		src = image + off;
	}
	if (mutant == MUTANT_WRONG_PADDING && off >= INSTALL_HEAD) {
		memcpy(changed, src, len);
		changed[len - 1] = 0x5a;
		src = changed;
	}
	return blk_write(m->below, off, src, len);
}

static int slot_flush(struct blk *b)
{
	struct between *m = (struct between *)b;

	if (mutant == MUTANT_NO_FLUSH ||
	    (mutant == MUTANT_HEADS_UNFLUSHED && m->head_written))
		return 0;
	/* only behind the last one, which is at 0 */
	if (mutant == MUTANT_KEY_UNFLUSHED && m->head_written && !m->last)
		return 0;
	if (mutant == MUTANT_OK_UNFLUSHED && m->head_written)
		rig_record(STATUS_OK);
	return blk_flush(m->below);
}

static int slot_read_back(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct between *m = (struct between *)b;

	if (mutant == MUTANT_PAGE_CACHE)
		memcpy(dst, m->written + off, len);
	else if (mutant == MUTANT_NO_READ_BACK)
		memcpy(dst, image_of(m) + off, len);
	else if (mutant == MUTANT_WRONG_PADDING &&
	         off + len > rig_world.image[m->number % 2].size)
		memcpy(dst, m->written + off, len);
	else
		return blk_read_back(m->below, off, dst, len);
	return 0;
}

static const struct blk_ops slot_ops = {
    slot_read, slot_write, slot_flush, slot_read_back};

static struct blk *wrap(struct between *m, const struct blk_ops *ops,
    unsigned number, struct blk *below)
{
	m->blk = *below;
	m->blk.ops = ops;
	m->below = below;
	m->number = number;
	m->head_written = false;
	return &m->blk;
}

/* A slot of the group that is not meant. */
static struct blk *wrong_slot(struct blk *b, unsigned slot)
{
	static struct blk_window w;
	const struct blk_window *right = (const struct blk_window *)b;
	struct simdisk *d = (struct simdisk *)right->below;

	w = *right;
	if (rig_world.sc.shared)
		w.off = (slot ^ 2u) * RIG_SLOT;
	else
		w.below = &d->sim->disk[slot ^ 2u].blk;
	return &w.blk;
}

static struct blk *hook_slot(void *ctx, unsigned slot, struct blk *b)
{
	(void)ctx;
	if (mutant == MUTANT_WRONG_SLOT)
		return slot % 2 == 0 ? wrong_slot(b, slot) : b;
	return wrap(&slots[slot], &slot_ops, slot, b);
}

/* ---- the environment ---- */

static int env_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	return blk_read(((struct between *)b)->below, off, dst, len);
}

static int env_write(struct blk *b, uint64_t off, const void *src, size_t len)
{
	struct between *m = (struct between *)b;
	struct between *o = &envs[1 - m->number];
	int r = 0;

	memcpy(m->written + off, src, len);
	m->head_written = true;
	if (rig_world.copies == 2 && mutant == MUTANT_IN_PLACE)
		return blk_write(o->below, off, src, len);
	if (rig_world.copies == 2 && mutant == MUTANT_BOTH_COPIES)
		r = blk_write(o->below, off, src, len);
	return r == 0 ? blk_write(m->below, off, src, len) : r;
}

static int env_flush(struct blk *b)
{
	struct between *m = (struct between *)b;
	int r = 0;

	if (mutant == MUTANT_ENV_UNFLUSHED)
		return 0;
	if (mutant == MUTANT_IN_PLACE || mutant == MUTANT_BOTH_COPIES)
		r = blk_flush(envs[1 - m->number].below);
	return r == 0 ? blk_flush(m->below) : r;
}

static int env_read_back(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct between *m = (struct between *)b;

	if (!m->head_written ||
	    (mutant != MUTANT_IN_PLACE && mutant != MUTANT_ENV_PAGE_CACHE))
		return blk_read_back(m->below, off, dst, len);
	memcpy(dst, m->written + off, len);
	return 0;
}

static const struct blk_ops env_ops = {
    env_read, env_write, env_flush, env_read_back};

static struct blk *hook_env(void *ctx, unsigned i, struct blk *b)
{
	(void)ctx;
	if (rig_world.copies == 1)
		envs[1].below = b;
	return wrap(&envs[i], &env_ops, i, b);
}

/* ---- the boot state ---- */

/* Writes another text than the right one, as programs do that set one
 * variable at a time. */
static int write_text(struct boot *b, const char *text, size_t n)
{
	static uint8_t e[RIG_ENV];
	size_t head = b->stores == 2 ? 5 : 4;
	int r;

	memset(e, 0, sizeof e);
	memcpy(e + head, text, n);
	if (head == 5)
		e[4] = (uint8_t)(b->serial + (b->nor ? 0 : 1));
	store_le32(e, crc32_update(0, e + head, RIG_ENV - head));
	r = blk_write(
	    b->store[b->stores == 2 ? 1 - b->active : 0], 0, e, RIG_ENV);
	return r != 0 ? r
	              : blk_flush(b->store[b->stores == 2 ? 1 - b->active : 0]);
}

static size_t our_text(char *dst, const char *order)
{
	static const char rest[] = "BOOT_A_LEFT=0\0BOOT_B_LEFT=2\0also=kept\0";
	size_t n = 0;

	memcpy(dst, "keep=", 5);
	memset(dst + 5, '0', 459);
	dst[5 + 459] = '1';
	n = 5 + 460 + 1;
	dst[n - 1] = '\0';
	memcpy(dst + n, order, strlen(order) + 1);
	n += strlen(order) + 1;
	memcpy(dst + n, rest, sizeof rest);
	return n + sizeof rest;
}

static int change(struct boot *b, unsigned i, enum boot_place place,
    unsigned attempts, struct diag *d)
{
	char text[RIG_ENV];
	size_t n;
	int r;

	if (place != BOOT_OUT)
		return real_ops->change(b, i, place, attempts, d);
	switch ((int)mutant) {
	case MUTANT_NO_MARK_BAD:
		return 0;
	case MUTANT_EARLY_ACTIVE:
		return real_ops->change(b, i, BOOT_FIRST, 3, d);
	case MUTANT_OTHERS_BAD:
		r = b->state.count > 1
		        ? real_ops->change(b, 1 - i, place, attempts, d)
		        : 0;
		return r == 0 ? real_ops->change(b, i, place, attempts, d) : r;
	case MUTANT_ORDER_EMPTIED:
		r = real_ops->change(b, i, place, attempts, d);
		n = our_text(text, "BOOT_ORDER=");
		return r == 0 ? write_text(b, text, n) : r;
	case MUTANT_VARIABLE_DROPPED:
		r = real_ops->change(b, i, place, attempts, d);
		n = our_text(text, "BOOT_ORDER=A") - sizeof "also=kept";
		memset(text + n - 1, 0, 3);
		return r == 0 ? write_text(b, text, n + 1) : r;
	case MUTANT_TWO_WRITES: /* the order is deleted, then made anew */
		n = our_text(text, "BOOT_X=1");
		r = write_text(b, text, n);
		return r == 0 ? real_ops->change(b, i, place, attempts, d) : r;
	default:
		return real_ops->change(b, i, place, attempts, d);
	}
}

static void hook_boot(void *ctx, struct boot *b)
{
	(void)ctx;
	real_ops = b->ops;
	boot_ops = *real_ops;
	boot_ops.change = change;
	b->ops = &boot_ops;
}

/* ---- the rest ---- */

static void hook_plan(void *ctx, struct plan *p)
{
	(void)ctx;
	if (mutant == MUTANT_HEADS_SWAPPED && p->count == 2) {
		struct plan_item it = p->item[0];

		p->item[0] = p->item[1];
		p->item[1] = it;
	}
}

static void hook_file(void *ctx, struct simfile *f)
{
	(void)ctx;
	f->hasty = mutant == MUTANT_FILE_HASTY;
	f->lazy = mutant == MUTANT_FILE_LAZY;
	f->in_place = mutant == MUTANT_FILE_IN_PLACE;
}

static bool hook_record(void *ctx, enum status_kind *kind)
{
	(void)ctx;
	if (*kind == STATUS_PENDING && mutant == MUTANT_NO_PENDING)
		return false;
	if (*kind == STATUS_PENDING && mutant == MUTANT_OK_FIRST)
		*kind = STATUS_OK;
	return true;
}

const struct mischief *mutant_make(enum mutant m)
{
	static const struct mischief mischief = {.slot = hook_slot,
	    .env = hook_env,
	    .boot = hook_boot,
	    .plan = hook_plan,
	    .file = hook_file,
	    .record = hook_record};

	mutant = m;
	return &mischief;
}
