/* SPDX-License-Identifier: 0BSD */
/*
 * A bundle: trailer, CMS, manifest, verity root, verified blocks, squashfs,
 * image bytes, in that order and no other. Whatever these functions hand out
 * was authenticated in memory, in the read that handed it out; there is no
 * other way to a bundle's bytes. Pure.
 */
#ifndef LIFEBOAT_BUNDLE_H
#define LIFEBOAT_BUNDLE_H

#include "base/blk.h"
#include "bundle/crypt.h"
#include "bundle/envelope.h"
#include "bundle/manifest.h"
#include "bundle/plain.h"
#include "bundle/squashfs.h"
#include "bundle/stream.h"
#include "bundle/trust.h"
#include "bundle/verity.h"

#define BUNDLE_SIG_MAX 65536      /* RAUC's default max-bundle-signature-size */
#define BUNDLE_MANIFEST_MAX 65536 /* of format=plain: a file */

/* done and total in bytes. A non-zero return cancels with R_CANCELLED. */
typedef int bundle_progress(void *ctx, uint64_t done, uint64_t total);

/*
 * Large (about 1.5 MiB plus what squashfs.h says, of which a bundle with a
 * hash tree touches 300 KiB), so one zeroed static per process. It can be
 * opened again and again. The caller fills the first part, or leaves it zero.
 */
struct bundle {
	unsigned formats; /* allowed: 1 << enum bundle_format, or-ed; 0: all */
	const struct recipient *recipient; /* what opens crypt bundles */
	bundle_progress *progress;         /* of what bundle_open has to read */
	void *ctx;
	/* The source comes once and in order: it is a stream (stream.h), and
	 * images can only be read in the order in which they lie in it. */
	bool forward;

	struct blk *source;    /* unauthenticated; no other file reads it */
	uint64_t size;         /* of the whole file */
	uint64_t payload_size; /* of data and hash tree: all before the CMS */
	struct manifest manifest;
	struct signer signer;
	bool enveloped;            /* the signature was encrypted */
	struct blk_window payload; /* data and hash tree */
	/* Verified, and decrypted, bytes only: of the one that is used. */
	struct blk *content;
	const struct diag *why; /* content cannot be read */
	struct verity verity;
	struct crypt crypt; /* upon verity */
	struct sqfs sqfs;
	bool mounted;  /* sqfs is open */
	bool verified; /* bundle_verify has read it to its last block */
	size_t cms_len;
	struct slice signature; /* SignedData, in cms or text */
	uint8_t cms[BUNDLE_SIG_MAX];
	/* Of plain the manifest, of crypt the signature, decrypted. */
	uint8_t text[BUNDLE_MANIFEST_MAX];
	struct plain plain;
	struct stream stream; /* upon verity, when forward */
};

/*
 * Reads and judges trailer, CMS and manifest: as much as `rauc info` does. Of
 * format=plain that is all of it. The manifest is to be trusted only when it
 * returns 0. source must outlive the bundle. Returns any bundle, CMS,
 * certificate or manifest reason, R_VERITY_SIZE; R_SQFS_* of format=plain,
 * whose manifest is a file; R_CANCELLED. Of a stream: R_STREAM_HEADER,
 * R_STREAM_CUT, R_STREAM_FORMAT, and no more is read of it than its header and
 * its signature.
 */
int bundle_open(struct bundle *b, struct blk *source, const struct keyring *k,
    const struct trust_policy *policy, struct diag *d) MUST_CHECK;

/*
 * Whether the signature of the bundle that is open would do under another
 * policy, for every signer: 0 or any reason of cms_verify.
 */
int bundle_judge(const struct bundle *b, const struct keyring *k,
    const struct trust_policy *policy, struct diag *d) MUST_CHECK;

/* Leaves no key of it in memory. To open it again, or in vain, does so too. */
void bundle_close(struct bundle *b);

/*
 * The verification pass: every block of data and tree, padding too. Nothing
 * is kept of it but the answer (b->verified). Of format=plain it was made
 * already. progress may be NULL. R_VERITY_*, R_IO. R_STREAM_TWICE: a stream
 * has no such pass, see bundle_finish.
 */
int bundle_verify(struct bundle *b, bundle_progress *progress, void *ctx,
    struct diag *d) MUST_CHECK;

/* Of a stream: lets all that has not come yet pass, every block verified, to
 * the very end. R_VERITY_*, R_STREAM_CUT, R_STREAM_HEADER (it is not the end),
 * R_CANCELLED. */
int bundle_finish(struct bundle *b, struct diag *d) MUST_CHECK;

/* An image, opened for one sequential read. */
struct bundle_image {
	struct bundle *bundle;
	struct sqfs_file file;
	uint64_t size; /* where reading ends */
	uint64_t pos;
};

/*
 * Finds the file in the squashfs's root. R_IMAGE_MISSING, R_IMAGE_SIZE
 * (against the manifest), R_SQFS_*, R_VERITY_*, R_PLAIN_CHANGED; of a stream
 * R_STREAM_INDEX (its index does not hold the squashfs's tables), R_STREAM_CUT.
 */
int bundle_image_open(struct bundle *b, const struct manifest_image *m,
    struct bundle_image *i, struct diag *d) MUST_CHECK;

/*
 * The next bytes, up to cap, into *n (0 at the end); *sparse is set instead
 * of filling dst when all of them are a hole (dst is then not touched).
 * Every byte was authenticated during this call or stands in a cache that was
 * filled by authenticated bytes.
 */
int bundle_image_read(struct bundle_image *i, void *dst, size_t cap, size_t *n,
    bool *sparse, struct diag *d) MUST_CHECK;

/*
 * An image lies in a bundle in two runs, each of which ascends: the blocks of
 * its own, and its last bytes, if they share a block with others. Leaves the
 * first in i and puts the second into *tail (which then is as good as i, and
 * may be empty: pos is size). i was just opened.
 */
void bundle_image_split(struct bundle_image *i, struct bundle_image *tail);

/*
 * Where in the bundle the block lies that the next bytes are in: whoever goes
 * on with the lowest among several images reads the bundle forwards. 0: they
 * are a hole. Not at the end. Reasons as bundle_image_read.
 */
int bundle_image_where(
    struct bundle_image *i, uint64_t *at, struct diag *d) MUST_CHECK;

/*
 * Everything in the squashfs, for `extract`: 1 with the next path in w->path
 * and its inode in i->file (a regular file is ready for bundle_image_read, a
 * link for bundle_readlink), 0 at the end. squashfs.h says what is always true
 * of the paths. R_SQFS_*, R_VERITY_*, R_LIMIT.
 */
int bundle_walk_start(
    struct bundle *b, struct sqfs_walk *w, struct diag *d) MUST_CHECK;
int bundle_walk_next(struct bundle *b, struct sqfs_walk *w,
    struct bundle_image *i, struct diag *d) MUST_CHECK;

/* The text of a symbolic link, as sqfs_readlink; R_VERITY_* too. */
int bundle_readlink(
    struct bundle_image *i, char *dst, size_t cap, struct diag *d) MUST_CHECK;

#endif
