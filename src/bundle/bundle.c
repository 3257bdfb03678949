/* SPDX-License-Identifier: 0BSD */
#include "bundle/bundle.h"

#define TRAILER 8u /* the size of the CMS, big-endian */

static int read_trailer(struct bundle *b, struct diag *d)
{
	uint64_t room = b->size - TRAILER;
	uint64_t limit = MIN(room, BUNDLE_SIG_MAX);
	uint8_t raw[TRAILER];
	uint64_t cms;
	int r;

	if (b->size <= TRAILER)
		return diag_fail(d, R_BUNDLE_SHORT, "%llu bytes",
		    (unsigned long long)b->size);
	r = blk_read(b->source, room, raw, sizeof raw);
	if (r != 0)
		return diag_fail(d, r, "reading the end of the bundle");
	cms = load_be64(raw);
	if (cms == 0)
		r = R_SIG_SIZE_ZERO;
	else if (cms > limit)
		r = load_le64(raw) <= limit ? R_SIG_SIZE_LITTLE
		                            : R_SIG_SIZE_LARGE;
	if (r != 0)
		return diag_fail(d, r,
		    "bundle of %llu bytes that ends in %08x%08x, the size of "
		    "its signature: expected 1 to %llu",
		    (unsigned long long)b->size, load_be32(raw),
		    load_be32(raw + 4), (unsigned long long)limit);
	b->payload_size = room - cms;
	if (b->payload_size % VERITY_BLOCK != 0)
		return diag_fail(d, R_PAYLOAD_SIZE, "payload of %llu bytes",
		    (unsigned long long)b->payload_size);
	b->cms_len = (size_t)cms;
	r = blk_read(b->source, b->payload_size, b->cms, b->cms_len);
	return r == 0 ? 0 : diag_fail(d, r, "reading the signature");
}

int bundle_open(struct bundle *b, struct blk *source, const struct keyring *k,
    const struct trust_policy *policy, struct diag *d)
{
	const struct manifest *m = &b->manifest;
	struct slice content = {0};
	int r;

	b->source = source;
	b->size = source->size;
	b->mounted = false;
	b->verified = false;
	r = read_trailer(b, d);
	if (r == 0)
		r = cms_verify(
		    b->cms, b->cms_len, k, policy, &content, &b->signer, d);
	if (r == 0)
		r = manifest_parse(&b->manifest, content.p, content.len, d);
	if (r != 0)
		return r;
	if (m->format != FORMAT_VERITY)
		return diag_fail(d, R_FORMAT_UNSUPPORTED, "format=%s",
		    format_name(m->format));
	r = blk_window_init(&b->payload, source, 0, b->payload_size);
	if (r != 0)
		return r;
	return verity_init(&b->verity, &b->payload.blk, b->payload_size,
	    m->verity_size, m->verity_hash, m->verity_salt, d);
}

int bundle_verify(
    struct bundle *b, bundle_progress *progress, void *ctx, struct diag *d)
{
	int r = verity_check_all(&b->verity, progress, ctx, d);

	b->verified = r == 0;
	return r;
}

/* Of what went wrong below the squashfs, verity knows the block. */
static int explain(const struct bundle *b, int r, struct diag *d)
{
	return r < 0 ? diag_fail(d, r, "%s", b->verity.diag.seen) : r;
}

static int mount(struct bundle *b, struct diag *d)
{
	int r = 0;

	if (!b->mounted)
		r = sqfs_open(&b->sqfs, &b->verity.blk, d);
	b->mounted = r == 0;
	return explain(b, r, d);
}

int bundle_image_open(struct bundle *b, const struct manifest_image *m,
    struct bundle_image *i, struct diag *d)
{
	int r = mount(b, d);

	if (r != 0)
		return r;
	i->bundle = b;
	i->pos = 0;
	i->size = m->size;
	r = sqfs_lookup(&b->sqfs, m->filename, &i->file, d);
	if (r == R_NOT_FOUND)
		return diag_fail(d, R_IMAGE_MISSING, "%s", m->filename);
	if (r == 0 && i->file.type != SQFS_REG)
		return diag_fail(
		    d, R_SQFS_TYPE, "%s is no regular file", m->filename);
	if (r != 0)
		return explain(b, r, d);
	if (i->file.size != m->size)
		return diag_fail(d, R_IMAGE_SIZE,
		    "%s has %llu bytes, the manifest says %llu", m->filename,
		    (unsigned long long)i->file.size,
		    (unsigned long long)m->size);
	return 0;
}

int bundle_image_read(struct bundle_image *i, void *dst, size_t cap, size_t *n,
    bool *sparse, struct diag *d)
{
	int r = sqfs_read(&i->file, dst, cap, n, sparse, d);

	i->pos = i->file.pos;
	return explain(i->bundle, r, d);
}

int bundle_walk_start(struct bundle *b, struct sqfs_walk *w, struct diag *d)
{
	int r = mount(b, d);

	return r == 0 ? explain(b, sqfs_walk_start(w, &b->sqfs, d), d) : r;
}

int bundle_walk_next(struct bundle *b, struct sqfs_walk *w,
    struct bundle_image *i, struct diag *d)
{
	int r = sqfs_walk_next(w, &i->file, d);

	i->bundle = b;
	i->size = i->file.size;
	i->pos = 0;
	return explain(b, r, d);
}

int bundle_readlink(
    struct bundle_image *i, char *dst, size_t cap, struct diag *d)
{
	return explain(i->bundle, sqfs_readlink(&i->file, dst, cap, d), d);
}
