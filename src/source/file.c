/* SPDX-License-Identifier: 0BSD */
#include "source/source.h"

#include "base/fmt.h"

static int file_list(struct source *s, struct diag *d)
{
	if (s->media == 0)
		return diag_fail(d, R_NO_BUNDLE, "no file was given");
	fmt(s->file[0].where, sizeof s->file[0].where, "%s", s->medium[0].name);
	s->files = 1;
	return 0;
}

static int file_open(
    struct source *s, unsigned i, struct blk **out, struct diag *d)
{
	(void)i;
	(void)d;
	*out = s->medium[0].blk;
	return 0;
}

const struct source_ops source_file = {"file", file_list, file_open};
