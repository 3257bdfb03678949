/* SPDX-License-Identifier: 0BSD */
/*
 * Deliberately wrong installers: the real one, with something between it and
 * the disks, the boot state or the status file. Each must be caught.
 */
#ifndef LIFEBOAT_MUTANTS_H
#define LIFEBOAT_MUTANTS_H

#include "rig.h"

/* Caught by cuts; those from MUTANT_NO_READ_BACK on by a device that keeps
 * something else than it was given. */
#define MUTANT_LIST(X) \
	X(NO_FLUSH, "slots never flushed") \
	X(HEADS_UNFLUSHED, "active before the heads are flushed") \
	X(HEAD_FIRST, "head first") \
	X(HEAD_KEPT, "heads not zeroed") \
	X(HEADS_SWAPPED, "heads in the wrong order") \
	X(HEAD_AT_ONCE, "head in one write, without key sectors") \
	X(KEYS_SWAPPED, "key sectors in the wrong order") \
	X(KEY_UNFLUSHED, "key sectors without a flush in between") \
	X(NO_MARK_BAD, "mark-bad missing") \
	X(ORDER_EMPTIED, "boot order emptied by mark-bad") \
	X(VARIABLE_DROPPED, "foreign variables dropped") \
	X(TWO_WRITES, "two separate environment writes") \
	X(BOTH_COPIES, "both copies of the environment at once") \
	X(IN_PLACE, "environment written into the active copy") \
	X(EARLY_ACTIVE, "active from the beginning") \
	X(ENV_UNFLUSHED, "environment never flushed") \
	X(OTHERS_BAD, "the other group marked bad as well") \
	X(WRONG_SLOT, "another slot written") \
	X(WRONG_PADDING, "garbage behind the image") \
	X(NO_PENDING, "pending not written") \
	X(OK_FIRST, "final status instead of pending") \
	X(OK_UNFLUSHED, "final status before the flush") \
	X(FILE_HASTY, "rename without fsync of the temporary file") \
	X(FILE_LAZY, "rename without fsync of the folder") \
	X(FILE_IN_PLACE, "status file overwritten in place") \
	X(NO_READ_BACK, "no read-back") \
	X(PAGE_CACHE, "read-back from the page cache") \
	X(ENV_PAGE_CACHE, "environment read back from the page cache")

enum mutant {
#define MUTANT_ENUM(name, text) MUTANT_##name,
	MUTANT_LIST(MUTANT_ENUM)
#undef MUTANT_ENUM
	    MUTANTS
};

const char *mutant_text(enum mutant m);

/* The hooks of a mutant; valid until the next call. */
const struct mischief *mutant_make(enum mutant m);

#endif
