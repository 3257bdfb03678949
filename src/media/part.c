/* SPDX-License-Identifier: 0BSD */
#include "media/part.h"

#include "base/fmt.h"
#include "base/log.h"
#include "media/fs.h"
#include "media/text.h"

#define SECTOR 512u
#define MBR_TABLE 446u
#define MBR_MAGIC 0xaa55u
#define MBR_PROTECTIVE 0xeeu

/* Extended boot records followed: a longer chain is a loop. */
#define EBR_MAX 128

#define GPT_HEADER 92u
#define GPT_ENTRY 128u
#define GPT_CHUNK 1024u   /* also the largest entry */
#define GPT_ENTRIES 1024u /* sgdisk makes 128, rarely 256 */

struct scan {
	struct part_table *t;
	struct blk *medium;
	unsigned used;    /* entries that are not empty */
	unsigned dropped; /* of these, outside the medium or overlapping */
};

/* The partition to fill in, or NULL when it is not usable. */
static struct part *add(
    struct scan *s, unsigned number, uint64_t off, uint64_t size)
{
	struct part_table *t = s->t;
	struct part *p;

	s->used++;
	if (size == 0 || off > s->medium->size ||
	    size > s->medium->size - off || t->count == PART_MAX) {
		s->dropped++;
		return NULL;
	}
	for (unsigned i = 0; i < t->count; i++) {
		p = &t->part[i];
		if (off < p->off + p->size && p->off < off + size) {
			s->dropped++;
			return NULL;
		}
	}
	p = &t->part[t->count++];
	memset(p, 0, sizeof *p);
	p->number = number;
	p->off = off;
	p->size = size;
	return p;
}

static void say_dropped(const struct scan *s)
{
	if (s->dropped > 0)
		log_warn("%u of %u partitions are passed over: outside the "
		         "medium, overlapping, or more than %d",
		    s->dropped, s->used, PART_MAX);
}

static int read_whole(struct scan *s)
{
	s->t->kind = PART_NONE;
	s->t->count = 0;
	s->dropped = 0;
	(void)add(s, 0, 0, s->medium->size);
	return 0;
}

struct mbr_entry {
	uint8_t flag;
	uint8_t type;
	uint64_t off; /* bytes, relative */
	uint64_t size;
};

static struct mbr_entry mbr_entry(
    const uint8_t *table, unsigned i, uint32_t sector)
{
	const uint8_t *p = table + MBR_TABLE + 16 * (size_t)i;
	struct mbr_entry e = {p[0], p[4], (uint64_t)load_le32(p + 8) * sector,
	    (uint64_t)load_le32(p + 12) * sector};

	return e;
}

static bool is_extended(const struct mbr_entry *e)
{
	return e->type == 0x05 || e->type == 0x0f || e->type == 0x85;
}

static bool is_magic(const uint8_t *table)
{
	return load_le16(table + SECTOR - 2) == MBR_MAGIC;
}

static void add_mbr(
    struct scan *s, unsigned number, uint32_t disk, uint64_t off, uint64_t size)
{
	struct part *p = add(s, number, off, size);

	if (p)
		fmt(p->uuid, sizeof p->uuid, "%08x-%02x", disk, number);
}

/* Logical partitions: each record has one, and a link to the next record that
 * counts from the start of the extended partition. */
static int read_logical(struct scan *s, const struct mbr_entry *ext,
    uint32_t sector, uint32_t disk, unsigned *number)
{
	uint64_t at = 0;

	for (unsigned n = 0; n < EBR_MAX; n++) {
		uint8_t table[SECTOR];
		unsigned dropped = s->dropped;
		uint64_t next = 0;
		int r;

		if (at >= ext->size)
			break;
		r = blk_read(s->medium, ext->off + at, table, sizeof table);
		if (r == R_RANGE || (r == 0 && !is_magic(table)))
			break;
		if (r != 0)
			return r;
		for (unsigned i = 0; i < 4; i++) {
			struct mbr_entry e = mbr_entry(table, i, sector);

			if (e.size == 0)
				continue;
			if (is_extended(&e)) {
				if (next == 0)
					next = e.off;
			} else if (i < 2) {
				add_mbr(s, (*number)++, disk,
				    ext->off + at + e.off, e.size);
			}
		}
		if (next == 0)
			return 0;
		/* a loop comes back to partitions that are there already */
		if (s->dropped != dropped)
			break;
		at = next;
	}
	log_warn("the chain of logical partitions is damaged");
	return 0;
}

static int read_mbr(struct scan *s, const uint8_t *table, uint32_t sector)
{
	uint32_t disk = load_le32(table + 440);
	unsigned logical = 5;

	s->t->kind = PART_MBR;
	for (unsigned i = 0; i < 4; i++) {
		struct mbr_entry e = mbr_entry(table, i, sector);

		if (e.size != 0 && !is_extended(&e))
			add_mbr(s, i + 1, disk, e.off, e.size);
	}
	for (unsigned i = 0; i < 4; i++) {
		struct mbr_entry e = mbr_entry(table, i, sector);
		int r;

		if (e.size == 0 || !is_extended(&e))
			continue;
		s->used++;
		r = read_logical(s, &e, sector, disk, &logical);
		if (r != 0)
			return r;
	}
	return 0;
}

struct gpt {
	uint64_t alternate;
	uint64_t entries; /* LBA */
	uint32_t count;
	uint32_t entry; /* bytes */
	uint32_t crc;   /* of all entries */
};

/* R_PART_TABLE when it is none, or damaged. */
static int gpt_header(
    struct blk *medium, uint32_t sector, uint64_t lba, struct gpt *g)
{
	uint8_t h[SECTOR];
	uint32_t size, crc;
	int r;

	if (lba >= medium->size / sector)
		return R_PART_TABLE;
	r = blk_read(medium, lba * sector, h, sizeof h);
	if (r != 0)
		return r;
	size = load_le32(h + 12);
	crc = load_le32(h + 16);
	memset(h + 16, 0, 4);
	if (memcmp(h, "EFI PART", 8) != 0 || size < GPT_HEADER ||
	    size > sizeof h || crc32_update(0, h, size) != crc ||
	    load_le64(h + 24) != lba)
		return R_PART_TABLE;
	g->alternate = load_le64(h + 32);
	g->entries = load_le64(h + 72);
	g->count = load_le32(h + 80);
	g->entry = load_le32(h + 84);
	g->crc = load_le32(h + 88);
	if (g->entries >= medium->size / sector || g->count > GPT_ENTRIES ||
	    g->entry < GPT_ENTRY || g->entry > GPT_CHUNK ||
	    (g->entry & (g->entry - 1)) != 0)
		return R_PART_TABLE;
	return 0;
}

static void add_gpt(
    struct scan *s, unsigned number, uint32_t sector, const uint8_t *e)
{
	uint64_t first = load_le64(e + 32);
	uint64_t last = load_le64(e + 40);
	uint64_t end = s->medium->size / sector;
	struct part *p;

	if (all_zero(e, 16))
		return;
	/* size 0 is not usable, which is what such an entry is */
	if (first > last || last >= end)
		first = last = end;
	p = add(s, number, first * sector,
	    last == end ? 0 : (last - first + 1) * sector);
	if (!p)
		return;
	text_uuid(p->uuid, e + 16, true);
	/* always fits */
	if (!text_utf16(p->label, sizeof p->label, e + 56, 36))
		p->label[0] = '\0';
}

/* What was found so far is given up when a table turns out to be damaged. */
static int gpt_try(struct scan *s, uint32_t sector, uint64_t lba)
{
	struct gpt g = {0};
	uint8_t chunk[GPT_CHUNK];
	uint32_t crc = 0;
	unsigned number = 1;
	uint64_t off, left;
	int r = gpt_header(s->medium, sector, lba, &g);

	if (r != 0)
		return r;
	s->t->count = s->used = s->dropped = 0;
	off = g.entries * sector;
	left = (uint64_t)g.count * g.entry;
	while (left > 0) {
		size_t n = (size_t)MIN(left, sizeof chunk);

		r = blk_read(s->medium, off, chunk, n);
		if (r != 0)
			return r == R_RANGE ? R_PART_TABLE : r;
		crc = crc32_update(crc, chunk, n);
		for (size_t i = 0; i < n; i += g.entry)
			add_gpt(s, number++, sector, chunk + i);
		off += n;
		left -= n;
	}
	return crc == g.crc ? 0 : R_PART_TABLE;
}

static int read_gpt(struct scan *s, struct diag *d)
{
	static const uint32_t guess[] = {512, 4096};
	const uint32_t *sector = guess;
	unsigned n = ARRAY_LEN(guess);
	int worst = R_PART_TABLE;

	if (s->medium->sector != 0) {
		sector = &s->medium->sector;
		n = 1;
	}
	s->t->kind = PART_GPT;
	for (unsigned i = 0; i < 3 * n; i++) {
		uint32_t size = sector[i % n];
		uint64_t last = s->medium->size / size - 1;
		uint64_t lba = i < n ? 1 : last;
		int r;

		if (s->medium->size / size < 2)
			continue;
		/* second round: where an intact header says the backup is,
		 * for a table that was copied to a larger medium */
		if (i >= n && i < 2 * n) {
			struct gpt g = {0};

			r = gpt_header(s->medium, size, 1, &g);
			if (r != 0)
				continue;
			lba = g.alternate;
		}
		r = gpt_try(s, size, lba);
		if (r == 0) {
			s->t->backup = i >= n;
			if (s->t->backup)
				log_warn("the first GPT is damaged: "
				         "using its backup");
			say_dropped(s);
			return 0;
		}
		if (r != R_PART_TABLE)
			worst = r;
	}
	s->t->count = 0;
	return diag_fail(d, worst,
	    "protective MBR, but neither GPT nor its backup is valid");
}

int part_read(struct part_table *t, struct blk *medium, struct diag *d)
{
	struct scan s = {t, medium, 0, 0};
	struct fs_id id;
	uint8_t table[SECTOR];
	uint32_t sector = medium->sector != 0 ? medium->sector : SECTOR;
	bool flags_ok = true;
	bool gpt = false;
	int r;

	memset(t, 0, sizeof *t);
	if (medium->size < SECTOR)
		return read_whole(&s);
	r = blk_read(medium, 0, table, sizeof table);
	if (r != 0)
		return diag_fail(d, r, "first sector: read error");
	if (!is_magic(table))
		return read_whole(&s);
	for (unsigned i = 0; i < 4; i++) {
		struct mbr_entry e = mbr_entry(table, i, sector);

		if (e.flag != 0 && e.flag != 0x80)
			flags_ok = false;
		if (e.type == MBR_PROTECTIVE)
			gpt = true;
	}
	if (flags_ok && gpt)
		return read_gpt(&s, d);
	if (flags_ok) {
		r = read_mbr(&s, table, sector);
		if (r != 0)
			return diag_fail(
			    d, r, "logical partitions: read error");
		if (t->count > 0) {
			say_dropped(&s);
			return 0;
		}
	}
	/*
	 * The boot sector of a file system ends in the same two bytes; where
	 * a table would be, it has code, text or zeros.
	 */
	r = fs_identify(medium, &id, d);
	if (r != 0)
		return r;
	if ((flags_ok && s.used == 0) ||
	    (id.kind != FS_UNKNOWN && id.kind != FS_EMPTY))
		return read_whole(&s);
	t->kind = PART_MBR;
	return diag_fail(d, R_PART_TABLE,
	    "55AA, but no entry of the MBR is valid for %llu bytes",
	    (unsigned long long)medium->size);
}
