/* SPDX-License-Identifier: 0BSD */
#include "media/fs.h"

#include "base/fmt.h"
#include "base/log.h"
#include "media/text.h"
#include "options.h"

/* Folder entries read in one walk: a stick made to keep us busy ends it. */
#define WALK_ENTRIES (8u * FAT_DIR_ENTRIES)
#define WALK_WARNINGS 8

#define EXT_OFF 1024
#define EXT_MAGIC 0xef53u
#define EXT_MAX_LOG 6u /* blocks of 64 KiB */
#define ISO_OFF 32768

_Static_assert(FS_NAME == FAT_NAME, "one length of names");

const char *fs_kind_name(enum fs_kind k)
{
	static const char names[][9] = {
	    [FS_UNKNOWN] = "unknown",
	    [FS_FAT] = "FAT",
	    [FS_EXFAT] = "exFAT",
	    [FS_NTFS] = "NTFS",
	    [FS_EXT4] = "ext4",
	    [FS_ISO9660] = "ISO 9660",
	    [FS_SQUASHFS] = "squashfs",
	    [FS_EMPTY] = "empty",
	};

	return (size_t)k < ARRAY_LEN(names) ? names[k] : names[FS_UNKNOWN];
}

/* 512 bytes at off; zeros stand for what lies behind the end. */
static int probe(struct blk *b, uint64_t off, uint8_t p[512], struct diag *d)
{
	int r;

	memset(p, 0, 512);
	if (off >= b->size)
		return 0;
	r = blk_read(b, off, p, (size_t)MIN(b->size - off, 512u));
	if (r != 0)
		return diag_fail(
		    d, r, "read error at byte %llu", (unsigned long long)off);
	return 0;
}

static void put_serial(char *dst, uint64_t serial, unsigned digits)
{
	while (digits-- > 0)
		*dst++ = "0123456789ABCDEF"[serial >> 4 * digits & 15];
	*dst = '\0';
}

/* FAT's and exFAT's have a dash. */
static void put_short_serial(char *dst, uint32_t serial)
{
	put_serial(dst, serial >> 16, 4);
	dst[4] = '-';
	put_serial(dst + 5, serial, 4);
}

/* "2024010203040506" of a volume descriptor, as blkid writes it. */
static bool iso_date(char *dst, const uint8_t *p)
{
	char *start = dst;
	bool zero = p[16] == 0;

	for (unsigned i = 0; i < 16; i++) {
		if (p[i] < '0' || p[i] > '9') {
			*start = '\0';
			return false;
		}
		zero = zero && p[i] == '0';
		if (i >= 4 && i % 2 == 0)
			*dst++ = '-';
		*dst++ = (char)p[i];
	}
	*(zero ? start : dst) = '\0';
	return !zero;
}

static void identify_ext(struct fs_id *id, const uint8_t *p)
{
	id->kind = FS_EXT4;
	text_uuid(id->uuid, p + 104, false);
	memcpy(id->label, p + 120, 16);
	id->label[16] = '\0';
	log_clean(id->label);
}

static int identify_iso(
    struct blk *b, struct fs_id *id, uint8_t *p, struct diag *d)
{
	int r;

	id->kind = FS_ISO9660;
	text_padded(id->label, p + 40, 32);
	r = probe(b, ISO_OFF + 768, p, d);
	if (r == 0 && !iso_date(id->uuid, p + 830 - 768))
		(void)iso_date(id->uuid, p + 813 - 768);
	return r;
}

int fs_identify(struct blk *b, struct fs_id *id, struct diag *d)
{
	struct fat_geo geo;
	uint8_t p[512];
	bool zero;
	int r;

	memset(id, 0, sizeof *id);
	r = probe(b, 0, p, d);
	if (r != 0)
		return r;
	zero = all_zero(p, sizeof p);
	if (memcmp(p + 3, "EXFAT   ", 8) == 0) {
		id->kind = FS_EXFAT;
		put_short_serial(id->uuid, load_le32(p + 100));
		return 0;
	}
	if (memcmp(p + 3, "NTFS    ", 8) == 0) {
		id->kind = FS_NTFS;
		put_serial(id->uuid, load_le64(p + 72), 16);
		return 0;
	}
	if (memcmp(p, "hsqs", 4) == 0) {
		id->kind = FS_SQUASHFS;
		return 0;
	}
	if (fat_parse(&geo, p)) {
		id->kind = FS_FAT;
		if (geo.has_serial)
			put_short_serial(id->uuid, geo.serial);
		r = fat_label(&geo, b, id->label);
		if (r != 0)
			return diag_fail(d, r, "the root folder: read error");
		return 0;
	}
	r = probe(b, EXT_OFF, p, d);
	if (r != 0)
		return r;
	zero = zero && all_zero(p, sizeof p);
	if (load_le16(p + 56) == EXT_MAGIC &&
	    load_le32(p + 24) <= EXT_MAX_LOG) {
		identify_ext(id, p);
		return 0;
	}
	r = probe(b, ISO_OFF, p, d);
	if (r != 0)
		return r;
	if (memcmp(p, "\1CD001", 6) == 0)
		return identify_iso(b, id, p, d);
	if (zero && all_zero(p, sizeof p))
		id->kind = FS_EMPTY;
	return 0;
}

int fs_open(struct fs *fs, struct blk *b, struct diag *d)
{
	struct fs_id id;
	int r = fs_identify(b, &id, d);

	if (r != 0)
		return r;
	fs->kind = id.kind;
	if (id.kind == FS_FAT)
		return fat_open(&fs->fat, b, d);
	if (OPT_EXFAT && id.kind == FS_EXFAT)
		return exfat_open(&fs->fat, b, d);
	return diag_fail(d,
	    id.kind == FS_EMPTY || id.kind == FS_UNKNOWN ? R_FS_UNKNOWN
	                                                 : R_FS_UNSUPPORTED,
	    OPT_EXFAT ? "the file system is %s, not FAT or exFAT"
	              : "the file system is %s, not FAT",
	    fs_kind_name(id.kind));
}

struct walk {
	struct fs *fs;
	fs_found *found;
	void *ctx;
	uint32_t left; /* entries that may still be read */
	unsigned warnings;
};

static bool is_exfat(const struct fs *fs)
{
	return OPT_EXFAT && fs->kind == FS_EXFAT;
}

/* As fat_dir_next, but no more than the walk may still read, and no damaged
 * ones. sub is that of walk_files. */
static int next_entry(struct walk *w, struct fat_dir *dir, const char *sub,
    struct fat_entry *e, struct diag *d)
{
	struct fat *f = &w->fs->fat;

	while (w->left > 0) {
		int r = is_exfat(w->fs) ? exfat_dir_next(f, dir, e, d)
		                        : fat_dir_next(f, dir, e, d);

		if (r <= 0)
			return r;
		w->left--;
		if (!OPT_EXFAT || !e->damaged)
			return r;
		if (sub && w->warnings++ < WALK_WARNINGS)
			log_warn("a damaged entry of %s/ is passed over", sub);
	}
	return 0;
}

/* A folder's files; folders only give way to what comes behind them. sub is
 * "" for the root folder, else "/NAME". Damage of the folder is returned. */
static int walk_files(
    struct walk *w, struct fat_dir *dir, const char *sub, struct diag *d)
{
	struct fat_entry e;
	int r;

	while ((r = next_entry(w, dir, sub, &e, d)) > 0) {
		struct fs_file f = {0};

		if (e.is_dir)
			continue;
		/* cut would be another name */
		if (fmt(f.path, sizeof f.path, "%s/%s", sub, e.name) <
		    strlen(sub) + 1 + strlen(e.name))
			continue;
		f.size = e.size;
		f.valid = e.valid;
		f.start = e.start;
		f.contiguous = e.contiguous;
		r = w->found(w->ctx, &f);
		if (r != 0)
			return r;
	}
	return r;
}

int fs_walk(struct fs *fs, fs_found *found, void *ctx, struct diag *d)
{
	struct walk w = {fs, found, ctx, WALK_ENTRIES, 0};
	struct fat_dir root, sub;
	struct fat_entry e;
	char path[FS_NAME + 1];
	int r;

	fat_dir_root(&fs->fat, &root);
	r = walk_files(&w, &root, "", d);
	if (r != 0)
		return r;
	fat_dir_root(&fs->fat, &root);
	while ((r = next_entry(&w, &root, NULL, &e, d)) > 0) {
		struct diag inner = {0};

		if (!e.is_dir)
			continue;
		fmt(path, sizeof path, "/%s", e.name);
		r = is_exfat(fs) ? exfat_dir_sub(&fs->fat, &e, &sub, &inner)
		                 : fat_dir_sub(&fs->fat, &e, &sub, &inner);
		if (r == 0)
			r = walk_files(&w, &sub, path, &inner);
		/* one broken folder does not hide the others */
		if (r == fs->fat.geo.damaged && inner.reason == r) {
			if (w.warnings++ < WALK_WARNINGS)
				log_warn(
				    "%s is passed over: %s", path, inner.seen);
			continue;
		}
		/* a reason without a text is that of found */
		if (r != 0)
			return inner.reason == 0
			           ? r
			           : diag_fail(d, r, "%s", inner.seen);
	}
	if (w.left == 0)
		log_warn("more than %u folder entries: the rest is passed over",
		    WALK_ENTRIES);
	return r;
}

static int file_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct fs_blk *f = (struct fs_blk *)b;
	size_t n = len;

	if (is_exfat(f->fs)) {
		n = (size_t)MIN(len, f->valid - MIN(off, f->valid));
		memset((uint8_t *)dst + n, 0, len - n);
	}
	return fat_file_read(&f->fs->fat, &f->fat, off, dst, n);
}

static const struct blk_ops file_ops = {file_read, NULL, NULL, NULL};

int fs_file_open(
    struct fs *fs, const struct fs_file *f, struct fs_blk *out, struct diag *d)
{
	out->blk.ops = &file_ops;
	out->blk.size = f->size;
	out->blk.sector = 0;
	out->fs = fs;
	out->valid = f->valid;
	if (is_exfat(fs))
		return exfat_file_open(
		    &fs->fat, &out->fat, f->start, f->size, f->contiguous, d);
	return fat_file_open(&fs->fat, &out->fat, f->start, f->size, d);
}

static bool has_extension(const char *name, char last)
{
	static const char ext[] = ".rauc";
	size_t n = strlen(name);

	if (name[0] == '.' || n <= sizeof ext)
		return false;
	name += n - sizeof ext;
	/* 0x20 makes letters lower case and keeps the dot */
	for (size_t i = 0; i < sizeof ext - 1; i++)
		if ((name[i] | 0x20) != ext[i])
			return false;
	return (name[sizeof ext - 1] | 0x20) == last;
}

bool fs_is_bundle_name(const char *name)
{
	return has_extension(name, 'b');
}

bool fs_is_stream_name(const char *name)
{
	return has_extension(name, 's');
}
