/* SPDX-License-Identifier: 0BSD */
#include "bundle/bundle.h"

#include "base/fmt.h"
#include "options.h"

#define TRAILER 8u /* the size of the CMS, big-endian */

/* What is right for a pipe and was copied to a stick, or named as a file. */
static bool in_stream_order(const struct bundle *b)
{
	uint8_t head[STREAM_MAGIC_LEN];

	return OPT_STREAM && blk_read(b->source, 0, head, sizeof head) == 0 &&
	       memcmp(head, STREAM_MAGIC, sizeof head) == 0;
}

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
	if (r != 0 && in_stream_order(b))
		return diag_fail(
		    d, R_STREAM_TWICE, "in stream order, expected a bundle");
	if (r != 0)
		return diag_fail(d, r,
		    "bundle of %llu bytes that ends in %08x%08x, the size of "
		    "its signature: expected 1 to %llu",
		    (unsigned long long)b->size, load_be32(raw),
		    load_be32(raw + 4), (unsigned long long)limit);
	b->payload_size = room - cms;
	b->cms_len = (size_t)cms;
	r = blk_read(b->source, b->payload_size, b->cms, b->cms_len);
	return r == 0 ? 0 : diag_fail(d, r, "reading the signature");
}

static int read_stream(struct bundle *b, struct diag *d)
{
	int r = stream_open(&b->stream, b->source, b->cms, d);

	b->payload_size = b->stream.header.payload;
	b->cms_len = b->stream.header.cms;
	b->size = b->payload_size + b->cms_len + TRAILER;
	return r;
}

/* Of what went wrong below the squashfs, its blk knows more. */
static int explain(const struct bundle *b, int r, struct diag *d)
{
	return r < 0 ? diag_fail(d, r, "%s", b->why->seen) : r;
}

/* Everything about the files has to be in what a stream brings first: block 0
 * and the index. */
static int check_index(struct bundle *b, struct diag *d)
{
	const struct stream_header *h = &b->stream.header;
	uint64_t first = (h->blocks - h->index) * VERITY_BLOCK, tables = 0;
	int r = sqfs_tables(b->content, &tables);

	if (r == 0 && tables < first && first > VERITY_BLOCK)
		return diag_fail(d, R_STREAM_INDEX,
		    "the squashfs's tables begin at %llu, the index of the "
		    "stream at %llu",
		    (unsigned long long)tables, (unsigned long long)first);
	return r;
}

static bool is_stream(const struct bundle *b)
{
	return OPT_STREAM && b->forward;
}

static int mount(struct bundle *b, struct diag *d)
{
	int r = 0;

	if (!b->mounted && is_stream(b))
		r = check_index(b, d);
	if (r == 0 && !b->mounted)
		r = sqfs_open(&b->sqfs, b->content, d);
	b->mounted = r == 0;
	return explain(b, r, d);
}

/* Is this format one that system.conf allows? */
static int check_allowed(
    const struct bundle *b, enum bundle_format format, struct diag *d)
{
	char allowed[32];
	size_t n = 0;

	if (b->formats == 0 || (b->formats >> format & 1) != 0)
		return 0;
	for (unsigned f = FORMAT_PLAIN; f <= FORMAT_CRYPT; f++)
		if ((b->formats >> f & 1) != 0)
			n += fmt(allowed + n, sizeof allowed - n, " %s",
			    format_name((enum bundle_format)f));
	return diag_fail(d, R_FORMAT_UNSUPPORTED,
	    "format=%s, bundle-formats of system.conf allows%s",
	    format_name(format), allowed);
}

/* The manifest says a format; the way it came says which ones it may say. */
static int wrong_format(const struct bundle *b, struct diag *d)
{
	return diag_fail(d, R_MANIFEST_VALUE,
	    "[bundle] format=%s in a manifest of %s",
	    format_name(b->manifest.format),
	    b->content == &b->plain.blk ? "a detached signature"
	                                : "an inline signature");
}

/* The manifest of a plain bundle is a file. */
static int read_manifest(struct bundle *b, struct diag *d)
{
	struct sqfs_file f;
	size_t size, len = 0;
	int r = mount(b, d);

	if (r != 0)
		return r;
	r = sqfs_lookup(&b->sqfs, "manifest.raucm", &f, d);
	if (r == R_NOT_FOUND || (r == 0 && f.type != SQFS_REG))
		return diag_fail(d, R_MANIFEST_MISSING,
		    "the bundle has no file manifest.raucm");
	if (r == 0 && f.size > sizeof b->text)
		return diag_fail(d, R_LIMIT,
		    "manifest.raucm has %llu bytes, at most %zu",
		    (unsigned long long)f.size, sizeof b->text);
	size = (size_t)f.size;
	while (r == 0 && len < size) {
		size_t n = 0;
		bool hole = false;

		r = sqfs_read(&f, b->text + len, size - len, &n, &hole, d);
		if (hole)
			memset(b->text + len, 0, n);
		len += n;
	}
	if (r != 0)
		return explain(b, r, d);
	r = manifest_parse(&b->manifest, b->text, size, d);
	if (r == 0 && b->manifest.format != FORMAT_PLAIN)
		r = wrong_format(b, d);
	return r;
}

/* All that is signed is the digest of the payload, which is read only when
 * everything else is right. */
static int open_plain(struct bundle *b, const struct keyring *k,
    const struct trust_policy *policy, struct diag *d)
{
	struct content_digest want = {0}, is = {0};
	int r = check_allowed(b, FORMAT_PLAIN, d);

	b->content = &b->plain.blk;
	b->why = &b->plain.diag;
	if (r == 0)
		r = plain_init(&b->plain, &b->payload.blk, b->payload_size, d);
	if (r == 0)
		r = cms_verify_detached(
		    b->cms, b->cms_len, &want, k, policy, &b->signer, d);
	if (r == 0)
		r = plain_hash(
		    &b->plain, want.have, &is, b->progress, b->ctx, d);
	for (unsigned i = 0; r == 0 && i < ARRAY_LEN(is.of); i++)
		if ((want.have >> i & 1) != 0 &&
		    memcmp(is.of[i], want.of[i], sizeof is.of[i]) != 0)
			r = diag_fail(d, R_CMS_DIGEST,
			    "the %s does not have the digest that was signed",
			    "payload");
	return r == 0 ? read_manifest(b, d) : r;
}

/* What is signed is the manifest. whole: nothing else was in the envelope. */
static int open_inline(struct bundle *b, bool whole, const struct keyring *k,
    const struct trust_policy *policy, struct diag *d)
{
	const struct manifest *m = &b->manifest;
	struct slice content = {0};
	struct diag why = {0};
	int r = cms_verify((const uint8_t *)b->signature.p, b->signature.len, k,
	    policy, &content, &b->signer, &why);

	if (!whole)
		r = R_CRYPT_KEY;
	if (r != 0)
		return b->enveloped ? envelope_failed(d)
		                    : diag_fail(d, r, "%s", why.seen);
	r = manifest_parse(&b->manifest, content.p, content.len, d);
	if (r != 0)
		return r;
	b->content = &b->verity.blk;
	b->why = &b->verity.diag;
	if (m->format == FORMAT_PLAIN)
		return wrong_format(b, d);
	r = check_allowed(b, m->format, d);
	if (r == 0 && b->payload_size % VERITY_BLOCK != 0)
		r = diag_fail(d, R_PAYLOAD_SIZE, "payload of %llu bytes",
		    (unsigned long long)b->payload_size);
	if (r == 0)
		r = verity_init(&b->verity,
		    is_stream(b) ? &b->stream.raw.blk : &b->payload.blk,
		    b->payload_size, m->verity_size, m->verity_hash,
		    m->verity_salt, d);
	if (r == 0 && is_stream(b)) {
		stream_init(&b->stream, &b->verity);
		b->stream.progress = b->progress;
		b->stream.ctx = b->ctx;
		b->content = &b->stream.blk;
		b->why = &b->stream.diag;
	}
	if (r == 0 && m->format == FORMAT_CRYPT) {
		if (!OPT_CRYPT)
			return diag_fail(d, R_FORMAT_UNSUPPORTED,
			    "format=crypt is left out of this build");
		crypt_init(&b->crypt, b->content, m->crypt_key);
		b->content = &b->crypt.blk;
	}
	return r;
}

/* The signature of an encrypted bundle, decrypted into text. */
static int open_envelope(struct bundle *b, bool *whole, struct diag *d)
{
	int r = check_allowed(b, FORMAT_CRYPT, d);

	if (r == 0)
		r = envelope_open(b->recipient, b->cms, b->cms_len, b->text,
		    &b->signature.len, whole, d);
	b->signature.p = (const char *)b->text;
	b->enveloped = true;
	return r;
}

static int open_any(struct bundle *b, struct blk *source,
    const struct keyring *k, const struct trust_policy *policy, struct diag *d)
{
	bool whole = true;
	int r;

	b->source = source;
	b->size = source->size;
	b->mounted = false;
	b->verified = false;
	r = is_stream(b) ? read_stream(b, d) : read_trailer(b, d);
	if (r == 0 && !is_stream(b))
		r = blk_window_init(&b->payload, source, 0, b->payload_size);
	b->signature = (struct slice){(const char *)b->cms, b->cms_len};
	if (r == 0 && OPT_CRYPT && envelope_is(b->cms, b->cms_len))
		r = open_envelope(b, &whole, d);
	else if (r == 0 && OPT_PLAIN && cms_is_detached(b->cms, b->cms_len))
		return is_stream(b) ? diag_fail(d, R_STREAM_FORMAT,
		                          "a stream of format=plain")
		                    : open_plain(b, k, policy, d);
	return r == 0 ? open_inline(b, whole, k, policy, d) : r;
}

int bundle_open(struct bundle *b, struct blk *source, const struct keyring *k,
    const struct trust_policy *policy, struct diag *d)
{
	int r;

	bundle_close(b);
	r = open_any(b, source, k, policy, d);
	if (r != 0) {
		b->content = NULL;
		bundle_close(b);
	}
	return r;
}

int bundle_judge(const struct bundle *b, const struct keyring *k,
    const struct trust_policy *policy, struct diag *d)
{
	const uint8_t *cms = (const uint8_t *)b->signature.p;
	/* the payload had the digests that are signed */
	struct content_digest same = {0};
	struct slice content;
	struct signer who;

	if (b->content == &b->plain.blk)
		return cms_verify_detached(
		    cms, b->signature.len, &same, k, policy, &who, d);
	return cms_verify(cms, b->signature.len, k, policy, &content, &who, d);
}

void bundle_close(struct bundle *b)
{
	if (b->enveloped)
		wipe(b->text, sizeof b->text);
	b->enveloped = false;
	wipe(b->manifest.crypt_key, sizeof b->manifest.crypt_key);
	wipe(&b->crypt, sizeof b->crypt);
}

int bundle_verify(
    struct bundle *b, bundle_progress *progress, void *ctx, struct diag *d)
{
	int r = 0;

	if (is_stream(b))
		return diag_fail(d, R_STREAM_TWICE,
		    "what comes once cannot be verified before");
	if (b->manifest.format != FORMAT_PLAIN)
		r = verity_check_all(&b->verity, progress, ctx, d);
	b->verified = r == 0;
	return r;
}

int bundle_finish(struct bundle *b, struct diag *d)
{
	return explain(b, stream_finish(&b->stream), d);
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
	int r = sqfs_read(&i->file, dst,
	    (size_t)MIN(cap, i->size - i->file.pos), n, sparse, d);

	i->pos = i->file.pos;
	return explain(i->bundle, r, d);
}

void bundle_image_split(struct bundle_image *i, struct bundle_image *tail)
{
	*tail = *i;
	i->size = sqfs_split(&tail->file);
	tail->pos = i->size;
}

int bundle_image_where(struct bundle_image *i, uint64_t *at, struct diag *d)
{
	return explain(i->bundle, sqfs_where(&i->file, at, d), d);
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
