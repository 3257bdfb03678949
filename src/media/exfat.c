/* SPDX-License-Identifier: 0BSD */
#include "media/exfat.h"

#include "media/text.h"

#define ENTRY 32u
#define BOOT_SECTORS 11u /* covered by the checksum, which is the next one */
#define BOOT_MAGIC 0xaa55u
#define CLUSTERS_MAX 0xfffffff5u

/* of an entry's type */
#define IN_USE 0x80u
#define SECONDARY 0x40u
#define BENIGN 0x20u

#define TYPE_END 0x00u
#define TYPE_LABEL 0x83u /* behind bitmap and up-case table */
#define TYPE_FILE 0x85u
#define TYPE_STREAM 0xc0u
#define TYPE_NAME 0xc1u

#define ATTR_DIR 0x10u
#define NO_FAT_CHAIN 0x02u
#define NAME_UNITS 15u

static bool parse(struct fat_geo *g, const uint8_t *boot, uint64_t size)
{
	unsigned sector = boot[108], per_cluster = boot[109], fats = boot[110];
	uint64_t table = load_le32(boot + 84);
	uint64_t tables_end, heap = load_le32(boot + 88);
	uint64_t sectors = load_le64(boot + 72);

	if (load_le16(boot + 510) != BOOT_MAGIC ||
	    memcmp(boot,
	        "\xeb\x76\x90"
	        "EXFAT   ",
	        11) != 0 ||
	    !all_zero(boot + 11, 53) || boot[105] != 1 || sector < 9 ||
	    sector > 12 || per_cluster > 25 - sector || fats < 1 || fats > 2 ||
	    sectors > size >> sector)
		return false;
	g->damaged = R_EXFAT_DAMAGED;
	g->bits = 32;
	g->mask = g->end = UINT32_MAX;
	g->cluster = 1u << sector << per_cluster;
	g->clusters = load_le32(boot + 92);
	g->root_cluster = load_le32(boot + 96);
	g->size = sectors << sector;
	g->fat_off = load_le32(boot + 80);
	tables_end = g->fat_off + table * fats;
	/* bit 0: the second table is the one that is kept up */
	if ((boot[106] & 1) != 0) {
		if (fats < 2)
			return false;
		g->fat_off += table;
	}
	g->fat_off <<= sector;
	g->fat_len = table << sector;
	g->data_off = heap << sector;
	/* nor more than there is room for: where a chain is a loop */
	g->entries = (uint32_t)MIN(
	    EXFAT_DIR_ENTRIES, (uint64_t)g->clusters * g->cluster / ENTRY);
	return load_le32(boot + 80) >= 2 * (BOOT_SECTORS + 1) &&
	       tables_end <= heap && heap <= sectors &&
	       g->clusters <= CLUSTERS_MAX &&
	       g->clusters <= (sectors - heap) >> per_cluster &&
	       g->fat_len / 4 >= (uint64_t)g->clusters + 2 &&
	       fat_is_cluster(g, g->root_cluster);
}

/* Of all boot sectors but what changes while the volume is in use. */
static int check_boot(struct fat *f, uint32_t sector, struct diag *d)
{
	uint32_t end = BOOT_SECTORS * sector, sum = 0;

	for (uint32_t off = 0; off < end + sector; off += 512) {
		const uint8_t *p;
		int r = fat_load(f, off, 512, end + sector, &p, d);

		if (r != 0)
			return r;
		for (uint32_t i = 0; off < end && i < 512; i++)
			if (off > 0 || (i != 106 && i != 107 && i != 112))
				sum = (sum << 31 | sum >> 1) + p[i];
		for (uint32_t i = 0; off >= end && i < 512; i += 4)
			if (load_le32(p + i) != sum)
				return diag_fail(d, R_EXFAT_DAMAGED,
				    "checksum of the boot sectors");
	}
	return 0;
}

int exfat_open(struct fat *f, struct blk *b, struct diag *d)
{
	const uint8_t *boot;
	int r;

	memset(f, 0, sizeof *f);
	f->b = b;
	if (b->size < 512)
		return diag_fail(d, R_EXFAT_DAMAGED, "no boot sector");
	r = fat_load(f, 0, 512, 512, &boot, d);
	if (r != 0)
		return r;
	if (!parse(&f->geo, boot, b->size))
		return diag_fail(d, R_EXFAT_DAMAGED,
		    "invalid boot sector, or larger than the partition");
	return check_boot(f, 1u << boot[108], d);
}

/* Whether so many clusters from c on are there. */
static bool are_clusters(const struct fat_geo *g, uint32_t c, uint64_t count)
{
	return fat_is_cluster(g, c) && count <= g->clusters - (c - 2);
}

static uint64_t clusters_of(const struct fat_geo *g, uint64_t size)
{
	return size / g->cluster + (size % g->cluster != 0);
}

int exfat_dir_sub(const struct fat *f, const struct fat_entry *e,
    struct fat_dir *dir, struct diag *d)
{
	const struct fat_geo *g = &f->geo;
	uint64_t count = e->contiguous ? clusters_of(g, e->size) : 1;

	if (e->size / ENTRY > g->entries || !are_clusters(g, e->start, count))
		return fat_bad_cluster(f, e->name, e->start, d);
	fat_dir_start(f, dir, e->start);
	dir->left = (uint32_t)(e->size / ENTRY);
	dir->sized = true;
	dir->contiguous = e->contiguous;
	return 0;
}

static uint32_t set_sum(uint32_t sum, const uint8_t *e, bool first)
{
	for (unsigned i = 0; i < ENTRY; i++)
		if (!first || (i != 2 && i != 3))
			sum = ((sum << 15 | sum >> 1) + e[i]) & 0xffff;
	return sum;
}

static void take_stream(struct fat_entry *out, const uint8_t *e)
{
	out->contiguous = (e[1] & NO_FAT_CHAIN) != 0;
	out->valid = load_le64(e + 8);
	out->start = load_le32(e + 20);
	out->size = load_le64(e + 24);
}

/* The entries behind a file's first one: what they say, and whether that is
 * right, in *out. 1, or R_IO and damage of the folder. */
static int read_set(struct fat *f, struct fat_dir *dir, const uint8_t *e,
    struct fat_entry *out, struct diag *d)
{
	unsigned count = e[1], units = 0, parts = 0;
	uint32_t want = load_le16(e + 2);
	uint32_t sum = set_sum(0, e, true);

	out->is_dir = (e[4] & ATTR_DIR) != 0;
	out->damaged = true;
	out->name[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		int r = fat_dir_raw(f, dir, &e, d);

		if (r <= 0)
			return r < 0 ? r : 1;
		if ((e[0] & (IN_USE | SECONDARY)) != (IN_USE | SECONDARY)) {
			/* it belongs to no file or to the next */
			dir->off -= ENTRY;
			dir->left++;
			return 1;
		}
		sum = set_sum(sum, e, false);
		if (i == 0 && e[0] == TYPE_STREAM) {
			take_stream(out, e);
			units = e[3];
			parts = (units + NAME_UNITS - 1) / NAME_UNITS;
		} else if (i > 0 && i <= parts && e[0] == TYPE_NAME) {
			memcpy(f->long_name + (i - 1) * 2 * NAME_UNITS, e + 2,
			    2 * NAME_UNITS);
		} else if (i <= parts || (e[0] & BENIGN) == 0) {
			units = 0;
		}
	}
	out->damaged = sum != want || units == 0 || count <= parts ||
	               out->valid > out->size;
	if (!text_utf16(out->name, sizeof out->name, f->long_name, units))
		out->name[0] = '\0';
	return 1;
}

int exfat_dir_next(
    struct fat *f, struct fat_dir *dir, struct fat_entry *out, struct diag *d)
{
	const uint8_t *e;
	int r;

	while ((r = fat_dir_raw(f, dir, &e, d)) > 0 && e[0] != TYPE_END) {
		if (e[0] == TYPE_FILE) {
			r = read_set(f, dir, e, out, d);
			if (r < 0)
				return r;
			if (!out->damaged && out->name[0] == '\0')
				continue;
			for (char *p = out->name; *p != '\0'; p++)
				if ((unsigned char)*p < 0x20 || *p == '/')
					*p = '_';
			return 1;
		}
		if ((e[0] & (IN_USE | SECONDARY | BENIGN)) == IN_USE &&
		    (e[0] == IN_USE || e[0] > TYPE_LABEL))
			return diag_fail(d, R_EXFAT_DAMAGED,
			    "an entry of unknown kind 0x%02x", e[0]);
	}
	return MIN(r, 0);
}

int exfat_file_open(struct fat *f, struct fat_file *file, uint32_t start,
    uint64_t size, bool contiguous, struct diag *d)
{
	uint64_t count = clusters_of(&f->geo, size);

	if (!contiguous || size == 0)
		return fat_file_open(f, file, start, size, d);
	if (!are_clusters(&f->geo, start, count))
		return fat_bad_cluster(f, "start of a file", start, d);
	memset(file, 0, sizeof *file);
	file->clusters = file->run_len = (uint32_t)count;
	file->run_cluster = start;
	file->step = file->clusters / FAT_POINTS + 1;
	return 0;
}
