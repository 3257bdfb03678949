/* SPDX-License-Identifier: 0BSD */
#include "media/fat.h"

#include "media/text.h"

#define BOOT_MAGIC 0xaa55u
#define ENTRY 32u

#define ATTR_LABEL 0x08u
#define ATTR_DIR 0x10u
#define ATTR_LONG 0x0fu
#define ATTR_MASK 0x3fu

/* the label is one of the first entries of the root folder */
#define LABEL_SEARCH 16384u

#define NAME_END 0x00u
#define NAME_DELETED 0xe5u

/* Microsoft's limits: fewer clusters make a FAT12, a FAT16 */
#define FAT12_CLUSTERS 4085u
#define FAT16_CLUSTERS 65525u
#define FAT32_CLUSTERS 0x0ffffff5u

static bool power_of_two(uint32_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

bool fat_parse(struct fat_geo *g, const uint8_t boot[512])
{
	uint32_t sector = load_le16(boot + 11);
	uint32_t per_cluster = boot[13];
	uint32_t reserved = load_le16(boot + 14);
	uint32_t fats = boot[16];
	uint32_t root_entries = load_le16(boot + 17);
	uint64_t total = load_le16(boot + 19);
	uint64_t table = load_le16(boot + 22);
	const uint8_t *ext = boot + 36;
	uint64_t meta, count;

	memset(g, 0, sizeof *g);
	g->damaged = R_FAT_DAMAGED;
	g->entries = FAT_DIR_ENTRIES;
	if (total == 0)
		total = load_le32(boot + 32);
	if (load_le16(boot + 510) != BOOT_MAGIC ||
	    (boot[0] != 0xeb && boot[0] != 0xe9) || !power_of_two(sector) ||
	    sector < 512 || sector > 4096 || !power_of_two(per_cluster) ||
	    reserved == 0 || fats == 0 || (boot[21] != 0xf0 && boot[21] < 0xf8))
		return false;

	g->fat_off = (uint64_t)reserved * sector;
	if (table == 0) {
		uint32_t flags = load_le16(boot + 40);

		g->bits = 32;
		table = load_le32(boot + 36);
		g->root_cluster = load_le32(boot + 44);
		/* bit 7: only the table named by the low bits is kept up */
		if (flags & 0x80) {
			if ((flags & 0x0f) >= fats)
				return false;
			g->fat_off += (flags & 0x0f) * table * sector;
		}
		ext = boot + 64;
	} else if (root_entries == 0) {
		return false;
	}
	g->has_serial = ext[2] == 0x28 || ext[2] == 0x29;
	g->serial = load_le32(ext + 3);
	if (ext[2] == 0x29 && memcmp(ext + 7, "NO NAME    ", 11) != 0)
		text_padded(g->label, ext + 7, 11);

	g->root_len = root_entries * ENTRY;
	meta = reserved + fats * table + (g->root_len + sector - 1) / sector;
	if (table == 0 || total <= meta)
		return false;
	count = (total - meta) / per_cluster;
	if (g->bits == 0)
		g->bits = count < FAT12_CLUSTERS ? 12 : 16;
	if (count == 0 || (g->bits == 16 && count >= FAT16_CLUSTERS))
		return false;
	g->fat_len = table * sector;
	if (g->fat_len * 8 / g->bits < 3)
		return false;
	count = MIN(count, g->fat_len * 8 / g->bits - 2);
	g->clusters = (uint32_t)MIN(count, FAT32_CLUSTERS);
	/* four bits of a FAT32 entry are not part of the number */
	g->mask = g->bits == 32 ? 0x0fffffff : (1u << g->bits) - 1;
	g->end = g->mask & ~7u;
	g->cluster = sector * per_cluster;
	g->data_off = meta * sector;
	g->root_off = ((uint64_t)reserved + fats * table) * sector;
	g->size = total * sector;
	return g->bits != 32 ||
	       (g->root_cluster >= 2 && g->root_cluster - 2 < g->clusters);
}

bool fat_is_cluster(const struct fat_geo *g, uint32_t c)
{
	return c >= 2 && c - 2 < g->clusters;
}

int fat_bad_cluster(
    const struct fat *f, const char *whose, uint32_t c, struct diag *d)
{
	return diag_fail(d, f->geo.damaged, "%s: cluster %u of 2 to %u", whose,
	    c, f->geo.clusters + 1);
}

static uint64_t cluster_off(const struct fat_geo *g, uint32_t c)
{
	return g->data_off + (uint64_t)(c - 2) * g->cluster;
}

int fat_load(struct fat *f, uint64_t off, size_t need, uint64_t end,
    const uint8_t **p, struct diag *d)
{
	int r;

	if (off < f->window_off || off - f->window_off + need > f->window_len) {
		f->window_off = off & ~(uint64_t)511;
		f->window_len = 0;
		end = MIN(end - f->window_off, sizeof f->window);
		r = blk_read(f->b, f->window_off, f->window, (size_t)end);
		if (r != 0)
			return diag_fail(d, r,
			    "read error at byte %llu of the file system",
			    (unsigned long long)off);
		f->window_len = (size_t)end;
	}
	*p = f->window + (off - f->window_off);
	return 0;
}

int fat_open(struct fat *f, struct blk *b, struct diag *d)
{
	const uint8_t *boot;
	int r;

	memset(f, 0, sizeof *f);
	f->b = b;
	if (b->size < 512)
		return diag_fail(d, R_FAT_DAMAGED, "no boot sector");
	r = fat_load(f, 0, 512, 512, &boot, d);
	if (r != 0)
		return r;
	if (!fat_parse(&f->geo, boot))
		return diag_fail(d, R_FAT_DAMAGED, "invalid boot sector");
	if (f->geo.size > b->size)
		return diag_fail(d, R_FAT_DAMAGED,
		    "FAT%u of %llu bytes on a partition of %llu", f->geo.bits,
		    (unsigned long long)f->geo.size,
		    (unsigned long long)b->size);
	return 0;
}

int fat_label(const struct fat_geo *g, struct blk *b, char *label)
{
	uint64_t off =
	    g->root_cluster ? cluster_off(g, g->root_cluster) : g->root_off;
	uint32_t len = g->root_cluster ? g->cluster : g->root_len;

	memcpy(label, g->label, sizeof g->label);
	len = MIN(len, LABEL_SEARCH);
	for (uint32_t i = 0; i < len; i += ENTRY) {
		uint8_t e[ENTRY];
		int r = blk_read(b, off + i, e, sizeof e);

		if (r != 0)
			return r == R_RANGE ? 0 : r;
		if (e[0] == NAME_END)
			break;
		if (e[0] == NAME_DELETED ||
		    (e[11] & (ATTR_LABEL | ATTR_DIR)) != ATTR_LABEL ||
		    (e[11] & ATTR_MASK) == ATTR_LONG)
			continue;
		text_padded(label, e, 11);
		break;
	}
	return 0;
}

/* The cluster behind c, 0 if c is the last one. c must be a cluster. */
static int next_cluster(
    struct fat *f, uint32_t c, uint32_t *next, struct diag *d)
{
	const struct fat_geo *g = &f->geo;
	uint64_t off = (uint64_t)c * g->bits / 8;
	const uint8_t *p = NULL;
	uint32_t v;
	int r = fat_load(f, g->fat_off + off, g->bits == 32 ? 4 : 2,
	    g->fat_off + g->fat_len, &p, d);

	if (r != 0)
		return r;
	v = g->bits == 32 ? load_le32(p) : load_le16(p);
	if (g->bits == 12 && c & 1)
		v >>= 4;
	v &= g->mask;
	*next = v;
	if (v >= g->end)
		*next = 0;
	else if (!fat_is_cluster(g, v))
		return fat_bad_cluster(f, "damaged chain", v, d);
	return 0;
}

void fat_dir_start(const struct fat *f, struct fat_dir *dir, uint32_t cluster)
{
	memset(dir, 0, sizeof *dir);
	dir->cluster = cluster;
	dir->left = f->geo.entries;
}

void fat_dir_root(const struct fat *f, struct fat_dir *dir)
{
	fat_dir_start(f, dir, f->geo.root_cluster);
}

int fat_dir_sub(const struct fat *f, const struct fat_entry *e,
    struct fat_dir *dir, struct diag *d)
{
	fat_dir_start(f, dir, e->start);
	return fat_is_cluster(&f->geo, e->start)
	           ? 0
	           : fat_bad_cluster(f, e->name, e->start, d);
}

int fat_dir_raw(
    struct fat *f, struct fat_dir *dir, const uint8_t **e, struct diag *d)
{
	const struct fat_geo *g = &f->geo;
	uint64_t off = g->root_off;
	int r;

	if (dir->sized && dir->left == 0)
		return 0;
	if (dir->cluster != 0) {
		if (dir->off == g->cluster) {
			uint32_t next = dir->cluster + 1;

			r = dir->contiguous
			        ? 0
			        : next_cluster(f, dir->cluster, &next, d);
			if (r != 0 || next == 0)
				return r;
			dir->cluster = next;
			dir->off = 0;
		}
		off = cluster_off(g, dir->cluster);
	} else if (g->root_len - dir->off < ENTRY) {
		return 0;
	}
	if (dir->left == 0)
		return diag_fail(d, g->damaged,
		    "a folder has more than %u entries", g->entries);
	dir->left--;
	off += dir->off;
	dir->off += ENTRY;
	r = fat_load(f, off, ENTRY, (off | 511) + 1, e, d);
	return r == 0 ? 1 : r;
}

/* A long name comes last piece first, directly before its short entry. */
struct long_name {
	unsigned units;   /* 0: none */
	unsigned missing; /* pieces that have to follow */
	uint8_t sum;
};

static void long_piece(struct fat *f, struct long_name *l, const uint8_t *e)
{
	unsigned number = e[0] & 0x3f;
	uint8_t *to;

	if ((e[0] & 0x40) && number <= FAT_LONG_PARTS) {
		l->units = number * 13;
		l->missing = number;
		l->sum = e[13];
	}
	if (number == 0 || number != l->missing || e[13] != l->sum) {
		l->units = 0;
		l->missing = 0;
		return;
	}
	l->missing--;
	to = f->long_name + (size_t)l->missing * 26;
	memcpy(to, e + 1, 10);
	memcpy(to + 10, e + 14, 12);
	memcpy(to + 22, e + 28, 4);
}

static uint8_t short_sum(const uint8_t *e)
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < 11; i++)
		sum = (uint8_t)((sum << 7 | sum >> 1) + e[i]);
	return sum;
}

static void short_part(char *dst, const uint8_t *src, size_t n, bool lower)
{
	text_padded(dst, src, n);
	for (; *dst != '\0'; dst++)
		if (lower && *dst >= 'A' && *dst <= 'Z')
			*dst = (char)(*dst + 'a' - 'A');
}

static void short_name(char *dst, const uint8_t *e)
{
	size_t n;

	short_part(dst, e, 8, e[12] & 0x08);
	n = strlen(dst);
	short_part(dst + n + 1, e + 8, 3, e[12] & 0x10);
	if (dst[n + 1] != '\0')
		dst[n] = '.';
}

int fat_dir_next(
    struct fat *f, struct fat_dir *dir, struct fat_entry *out, struct diag *d)
{
	struct long_name l = {0, 0, 0};
	const uint8_t *e;
	int r;

	out->contiguous = false;
	out->damaged = false;
	while ((r = fat_dir_raw(f, dir, &e, d)) > 0) {
		bool is_long;

		if (e[0] == NAME_END)
			return 0;
		if (e[0] != NAME_DELETED && (e[11] & ATTR_MASK) == ATTR_LONG) {
			long_piece(f, &l, e);
			continue;
		}
		is_long = l.units > 0 && l.missing == 0 &&
		          short_sum(e) == l.sum && load_le16(f->long_name) != 0;
		if (e[0] == NAME_DELETED || e[0] == '.' ||
		    (e[11] & ATTR_LABEL)) {
			l.units = 0;
			continue;
		}
		if (!is_long)
			short_name(out->name, e);
		else if (!text_utf16(out->name, sizeof out->name, f->long_name,
		             l.units)) {
			l.units = 0;
			continue;
		}
		for (char *p = out->name; *p != '\0'; p++)
			if ((unsigned char)*p < 0x20 || *p == '/')
				*p = '_';
		out->is_dir = (e[11] & ATTR_DIR) != 0;
		out->start = load_le16(e + 26);
		if (f->geo.bits == 32)
			out->start |= (uint32_t)load_le16(e + 20) << 16;
		out->size = load_le32(e + 28);
		out->valid = out->size;
		return 1;
	}
	return r;
}

/* Cluster c comes behind the run: as its last one, or as a new run. */
static void extend_run(struct fat_file *file, uint32_t c)
{
	if (c == file->run_cluster + file->run_len) {
		file->run_len++;
		return;
	}
	file->run_index += file->run_len;
	file->run_cluster = c;
	file->run_len = 1;
}

int fat_file_open(struct fat *f, struct fat_file *file, uint32_t start,
    uint64_t size, struct diag *d)
{
	const struct fat_geo *g = &f->geo;
	uint64_t last = (size - 1) / g->cluster;
	uint32_t c = start;

	memset(file, 0, sizeof *file);
	if (size == 0)
		return 0;
	if (last >= g->clusters || !fat_is_cluster(g, c))
		return fat_bad_cluster(f, "start of a file", c, d);
	file->clusters = (uint32_t)last + 1;
	file->step = file->clusters / FAT_POINTS + 1;
	for (uint32_t i = 0; i <= last; i++) {
		int r;

		if (i % file->step == 0)
			file->point[i / file->step] = c;
		extend_run(file, c);
		r = next_cluster(f, c, &c, d);
		if (r != 0)
			return r;
		if ((c == 0) != (i == last))
			return diag_fail(d, g->damaged,
			    "a file of %llu bytes has %s than %u clusters",
			    (unsigned long long)size, c == 0 ? "less" : "more",
			    file->clusters);
	}
	return 0;
}

/* Makes the run hold cluster number index of the file and, as far as they lie
 * behind it on the medium, want - 1 more. */
static int find_run(
    struct fat *f, struct fat_file *file, uint32_t index, uint32_t want)
{
	uint32_t point = index / file->step;
	uint32_t end = MIN(want, file->clusters - index) + index;

	if (index < file->run_index ||
	    point * file->step >= file->run_index + file->run_len) {
		file->run_index = point * file->step;
		file->run_cluster = file->point[point];
		file->run_len = 1;
	}
	while (file->run_index + file->run_len < end) {
		uint32_t behind = file->run_cluster + file->run_len;
		uint32_t next;
		int r = next_cluster(f, behind - 1, &next, NULL);

		if (r != 0)
			return r;
		if (next == 0)
			return f->geo.damaged;
		if (next != behind && file->run_index + file->run_len > index)
			break;
		extend_run(file, next);
	}
	return 0;
}

int fat_file_read(
    struct fat *f, struct fat_file *file, uint64_t off, void *dst, size_t len)
{
	const struct fat_geo *g = &f->geo;
	uint8_t *to = dst;

	while (len > 0) {
		uint32_t index = (uint32_t)(off / g->cluster);
		uint32_t in = (uint32_t)(off % g->cluster);
		uint64_t want =
		    ((uint64_t)in + len + g->cluster - 1) / g->cluster;
		uint64_t from, left;
		size_t n;
		int r = find_run(
		    f, file, index, (uint32_t)MIN(want, FAT32_CLUSTERS));

		if (r != 0)
			return r;
		index -= file->run_index;
		from = cluster_off(g, file->run_cluster + index) + in;
		left = (uint64_t)(file->run_len - index) * g->cluster - in;
		n = (size_t)MIN(left, len);
		r = blk_read(f->b, from, to, n);
		if (r != 0)
			return r;
		to += n;
		off += n;
		len -= n;
	}
	return 0;
}
