/* SPDX-License-Identifier: 0BSD */
#include "bundle/squashfs.h"

#define SUPER_SIZE 96u
#define MAGIC 0x73717368u
#define ABSENT UINT64_MAX /* a table that is not there */
#define NO_FRAGMENT UINT32_MAX
#define META_STORED 0x8000u     /* metadata header: not compressed */
#define BLOCK_STORED (1u << 24) /* size word: not compressed */
#define FRAGMENT_ENTRY 16u
#define FRAGMENTS_PER_META (SQFS_META / FRAGMENT_ENTRY)
#define DIR_HEADER 12u
#define DIR_ENTRY 8u
#define DIR_RUN_MAX 256u
#define LISTING_EXTRA 3u /* a directory's size counts "." and ".." */

/* The offsets of the tables, in the superblock. */
#define SUPER_IDS 48u
#define SUPER_XATTRS 56u
#define SUPER_INODES 64u
#define SUPER_DIRS 72u
#define SUPER_FRAGMENTS 80u
#define SUPER_EXPORT 88u

/* Inode bodies, behind the common header. */
#define DIR_BODY 16u
#define LDIR_BODY 24u
#define REG_BODY 16u
#define LREG_BODY 40u
#define LINK_BODY 8u

static int damaged(const struct sqfs *s, const char *what, uint32_t seen)
{
	return diag_fail(s->d, R_SQFS_DAMAGED, "%s: %u", what, seen);
}

static int limited(const struct sqfs *s, const char *what, uint64_t limit)
{
	return diag_fail(s->d, R_LIMIT, "squashfs %s, at most %llu", what,
	    (unsigned long long)limit);
}

/* Do these bytes lie in the area? */
static int check_inside(
    const struct sqfs *s, enum sqfs_area area, uint64_t at, uint64_t len)
{
	uint64_t from = s->bound[area];
	uint64_t to = s->bound[area + 1];

	if (at >= from && at <= to && len <= to - at)
		return 0;
	return diag_fail(s->d, R_SQFS_RANGE,
	    "%llu bytes at %llu, expected between %llu and %llu",
	    (unsigned long long)len, (unsigned long long)at,
	    (unsigned long long)from, (unsigned long long)to);
}

static int read_area(
    struct sqfs *s, enum sqfs_area area, uint64_t at, void *dst, uint32_t len)
{
	int r = check_inside(s, area, at, len);

	return r == 0 ? blk_read(s->blk, at, dst, len) : r;
}

/*
 * mksquashfs writes, and Linux requires: inodes, directories, fragments,
 * export, ids, extended attributes, each before the next.
 */
static int check_tables(struct sqfs *s, const uint8_t *raw, uint64_t bytes)
{
	static const uint8_t order[] = {SUPER_INODES, SUPER_DIRS,
	    SUPER_FRAGMENTS, SUPER_EXPORT, SUPER_IDS, SUPER_XATTRS};
	size_t needed = s->fragments > 0 ? 3 : 2;
	uint64_t *dir_end = &s->bound[SQFS_FRAGMENTS];
	uint64_t floor = SUPER_SIZE;

	s->bound[SQFS_DATA] = SUPER_SIZE;
	*dir_end = s->bound[SQFS_INDEX + 1] = bytes;
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		uint64_t at = load_le64(raw + order[i]);

		if (at == ABSENT && i >= needed)
			continue;
		if (at < floor || at > bytes)
			return diag_fail(s->d, R_SQFS_RANGE,
			    "table %zu at %llu, expected %llu to %llu", i,
			    (unsigned long long)at, (unsigned long long)floor,
			    (unsigned long long)bytes);
		if (i < 2)
			s->bound[SQFS_INODES + i] = at;
		else
			*dir_end = MIN(*dir_end, at);
		/* there is an inode, of the root */
		floor = at + (i == 0);
	}
	s->bound[SQFS_INDEX] = *dir_end;
	return 0;
}

/* The index of the fragment table comes behind the blocks it points to. */
static int check_fragments(struct sqfs *s)
{
	uint64_t index = s->bound[SQFS_INDEX];
	uint64_t *first = &s->bound[SQFS_FRAGMENTS];
	uint8_t raw[8];
	int r;

	if (s->fragments == 0)
		return 0;
	r = check_inside(s, SQFS_INDEX, index,
	    ((s->fragments - 1) / FRAGMENTS_PER_META + 1) * 8);
	if (r == 0)
		r = blk_read(s->blk, index, raw, sizeof raw);
	if (r != 0)
		return r;
	*first = load_le64(raw);
	if (*first > s->bound[SQFS_DIRS] && *first < index)
		return 0;
	return diag_fail(s->d, R_SQFS_RANGE,
	    "fragment table at %llu, its index at %llu",
	    (unsigned long long)*first, (unsigned long long)index);
}

static int check_super(struct sqfs *s, const uint8_t *raw)
{
	const struct codec_ops *ops;
	uint16_t codec = load_le16(raw + 20);
	uint16_t log = load_le16(raw + 22);
	uint32_t version = load_le32(raw + 28);
	uint64_t bytes = load_le64(raw + 40);

	if (load_le32(raw) != MAGIC)
		return diag_fail(s->d, R_SQFS_MAGIC,
		    "payload of %llu bytes starts with %08x, expected 'hsqs'",
		    (unsigned long long)s->blk->size, load_be32(raw));
	s->inodes = load_le32(raw + 4);
	s->block_size = load_le32(raw + 12);
	s->fragments = load_le32(raw + 16);
	s->root = load_le64(raw + 32);
	if (version != 4) /* major; the minor is 0 */
		return diag_fail(s->d, R_SQFS_VERSION, "version %u.%u",
		    version & 0xffff, version >> 16);
	ops = codec_find(codec);
	if (ops != s->codec)
		memset(s->work, 0, sizeof s->work);
	s->codec = ops;
	if (!ops)
		return diag_fail(s->d, R_SQFS_CODEC, "compressed with %s (%u)",
		    codec_name(codec), codec);
	if (log < 12 || log > 20 || s->block_size != 1u << log)
		return damaged(s, "block size", s->block_size);
	if (bytes < SUPER_SIZE || bytes > s->blk->size)
		return diag_fail(s->d, R_SQFS_RANGE,
		    "%llu bytes in %llu bytes of payload",
		    (unsigned long long)bytes,
		    (unsigned long long)s->blk->size);
	return check_tables(s, raw, bytes);
}

/*
 * One block as it is stored at disk offset at, decoded unless its size word
 * says that it is stored plainly. Returns its bytes, cap at most, or a reason.
 */
static int load_block(struct sqfs *s, enum sqfs_area area, uint64_t at,
    uint32_t word, uint8_t *dst, uint32_t cap)
{
	uint32_t len = word & (BLOCK_STORED - 1);
	bool stored = word == (len | BLOCK_STORED);
	size_t n = 0;
	int r;

	/* nobody compresses what then takes more room */
	if ((!stored && word != len) || len == 0 || len > cap)
		return damaged(s, "size word of a block", word);
	r = read_area(s, area, at, stored ? dst : s->in, len);
	if (r != 0)
		return r;
	if (stored)
		return (int)len;
	r = s->codec->decode(s->work, s->in, len, dst, cap, &n);
	if (r == 0)
		return (int)n;
	return diag_fail(s->d, r,
	    "block at %llu: %u bytes of %s do not decode into %u",
	    (unsigned long long)at, len, s->codec->name, cap);
}

/* Fills the cache of the area with the metadata block at hand. */
static int load_meta(
    struct sqfs *s, struct sqfs_meta *m, const struct sqfs_pos *pos)
{
	uint8_t raw[2];
	uint32_t head, len;
	int r;

	if (m->len > 0 && m->at == pos->at)
		return 0;
	m->len = 0;
	r = read_area(s, pos->area, pos->at, raw, sizeof raw);
	if (r != 0)
		return r;
	head = load_le16(raw);
	len = head & (META_STORED - 1);
	m->at = pos->at;
	m->next = pos->at + sizeof raw + len;
	r = load_block(s, pos->area, pos->at + sizeof raw,
	    len | (head & META_STORED) * (BLOCK_STORED / META_STORED), m->data,
	    SQFS_META);
	if (r < 0)
		return r;
	m->len = (uint32_t)r;
	return 0;
}

/* The next len bytes of a table. */
static int take_meta(
    struct sqfs *s, struct sqfs_pos *pos, void *dst, size_t len)
{
	struct sqfs_meta *m = &s->meta[pos->area - SQFS_INODES];
	uint8_t *out = dst;

	while (len > 0) {
		size_t n;
		int r = load_meta(s, m, pos);

		if (r != 0)
			return r;
		if (pos->off == SQFS_META && m->len == SQFS_META) {
			pos->at = m->next;
			pos->off = 0;
			continue;
		}
		/* Only the last block of a table may be short. */
		if (pos->off >= m->len)
			return damaged(
			    s, "metadata block that is too short", m->len);
		n = MIN(len, m->len - pos->off);
		memcpy(out, m->data + pos->off, n);
		out += n;
		len -= n;
		pos->off += (uint32_t)n;
	}
	return 0;
}

static void parse_dir(struct sqfs_file *f, const uint8_t *body, bool extended)
{
	uint32_t size = extended ? load_le32(body + 4) : load_le16(body + 8);

	f->more.off = load_le16(body + (extended ? 18 : 10));
	f->more.at = f->fs->bound[SQFS_DIRS] + load_le32(body + extended * 8u);
	f->more.area = SQFS_DIRS;
	f->listing = size < LISTING_EXTRA ? 0 : size - LISTING_EXTRA;
}

static int parse_reg(struct sqfs_file *f, const uint8_t *body, bool extended)
{
	struct sqfs *s = f->fs;
	const uint8_t *fragment = body + (extended ? 28 : 4);

	f->disk = extended ? load_le64(body) : load_le32(body);
	f->size = extended ? load_le64(body + 8) : load_le32(body + 12);
	f->fragment = load_le32(fragment);
	f->fragment_off = load_le32(fragment + 4);
	if (f->fragment == NO_FRAGMENT)
		return 0;
	if (f->fragment >= s->fragments)
		return diag_fail(s->d, R_SQFS_RANGE, "fragment %u of %u",
		    f->fragment, s->fragments);
	if (f->size % s->block_size == 0 || f->fragment_off >= s->block_size)
		return damaged(s, "impossible fragment", f->fragment);
	return 0;
}

static int open_inode(struct sqfs *s, uint64_t ref, struct sqfs_file *f)
{
	/* by type: 1 to 7 and, extended, 8 to 14 */
	static const uint8_t body_size[15] = {0, DIR_BODY, REG_BODY, LINK_BODY,
	    0, 0, 0, 0, LDIR_BODY, LREG_BODY, LINK_BODY};
	uint8_t head[16], body[LREG_BODY];
	bool extended;
	uint16_t type;
	int r;

	memset(f, 0, sizeof *f);
	f->fs = s;
	f->more.at = s->bound[SQFS_INODES] + (ref >> 16);
	f->more.off = (uint32_t)(ref & 0xffff);
	f->more.area = SQFS_INODES;
	if (ref >> 48 != 0)
		return diag_fail(s->d, R_SQFS_RANGE, "inode reference");
	r = take_meta(s, &f->more, head, sizeof head);
	if (r != 0)
		return r;
	type = load_le16(head);
	f->mode = load_le16(head + 2) & 07777;
	if (type == 0 || type >= sizeof body_size)
		return damaged(s, "inode type", type);
	r = take_meta(s, &f->more, body, body_size[type]);
	if (r != 0)
		return r;
	extended = type > 7;
	switch (extended ? type - 7 : type) {
	case 1:
		f->type = SQFS_DIR;
		parse_dir(f, body, extended);
		return 0;
	case 2:
		f->type = SQFS_REG;
		return parse_reg(f, body, extended);
	case 3:
		f->type = SQFS_LINK;
		f->size = load_le32(body + 4);
		return 0;
	default:
		f->type = SQFS_OTHER;
		return 0;
	}
}

static void dir_open(struct sqfs_dir *dir, const struct sqfs_file *f,
    uint64_t inode, size_t name)
{
	memset(dir, 0, sizeof *dir);
	dir->pos = f->more;
	dir->left = f->listing;
	dir->inode = inode;
	dir->name = (uint16_t)name;
}

/* Opens the root directory. */
static int open_root(struct sqfs *s, struct sqfs_dir *dir)
{
	struct sqfs_file f;
	int r = open_inode(s, s->root, &f);

	if (r == 0 && f.type != SQFS_DIR)
		return damaged(s, "root that is no directory", f.type);
	if (r == 0)
		dir_open(dir, &f, s->root, 0);
	return r;
}

int sqfs_open(struct sqfs *s, struct blk *blk, struct diag *d)
{
	uint8_t raw[SUPER_SIZE] = {0};
	struct sqfs_dir root;
	int r = 0;

	s->blk = blk;
	s->d = d;
	s->out_at = 0;
	for (size_t i = 0; i < ARRAY_LEN(s->meta); i++)
		s->meta[i].len = 0;
	if (blk->size >= sizeof raw)
		r = blk_read(blk, 0, raw, sizeof raw);
	if (r == 0)
		r = check_super(s, raw);
	if (r == 0)
		r = check_fragments(s);
	return r == 0 ? open_root(s, &root) : r;
}

int sqfs_tables(struct blk *blk, uint64_t *at)
{
	uint8_t raw[8] = {0};
	int r = blk_read(blk, SUPER_INODES, raw, sizeof raw);

	*at = load_le64(raw);
	return r;
}

/* Fills out with the block at `at`, unless it holds it. */
static int load_out(
    struct sqfs *s, uint64_t at, uint32_t word, uint32_t expected)
{
	int r;

	if (s->out_at == at && s->out_word == word && s->out_len <= expected)
		return 0;
	s->out_at = 0;
	r = load_block(s, SQFS_DATA, at, word, s->out, expected);
	if (r < 0)
		return r;
	s->out_at = at;
	s->out_word = word;
	s->out_len = (uint32_t)r;
	return 0;
}

static int wrong_length(const struct sqfs *s, uint32_t expected)
{
	return diag_fail(s->d, R_SQFS_DECOMPRESS,
	    "block at %llu: %u bytes, expected %u",
	    (unsigned long long)s->out_at, s->out_len, expected);
}

/* The size word of the block at hand, into f->word. */
static int need_word(struct sqfs_file *f)
{
	uint8_t raw[4];
	int r;

	if (f->have_word)
		return 0;
	r = take_meta(f->fs, &f->more, raw, sizeof raw);
	if (r != 0)
		return r;
	f->word = load_le32(raw);
	f->have_word = true;
	return 0;
}

/* Fills out with the block at hand, which is to be want bytes long. */
static int load_data(struct sqfs_file *f, uint32_t want, bool *hole)
{
	struct sqfs *s = f->fs;
	int r = need_word(f);

	*hole = r == 0 && f->word == 0;
	if (r != 0 || *hole)
		return r;
	r = load_out(s, f->disk, f->word, want);
	if (r == 0 && s->out_len != want)
		return wrong_length(s, want);
	return r;
}

/* Where the file's fragment is, and its size word. */
static int find_fragment(
    const struct sqfs_file *f, uint64_t *at, uint32_t *word)
{
	struct sqfs *s = f->fs;
	struct sqfs_pos pos = {.area = SQFS_FRAGMENTS};
	uint8_t raw[FRAGMENT_ENTRY];
	int r = read_area(s, SQFS_INDEX,
	    s->bound[SQFS_INDEX] + f->fragment / FRAGMENTS_PER_META * 8, raw,
	    8);

	if (r != 0)
		return r;
	pos.at = load_le64(raw);
	pos.off = f->fragment % FRAGMENTS_PER_META * FRAGMENT_ENTRY;
	r = take_meta(s, &pos, raw, sizeof raw);
	if (r != 0)
		return r;
	*at = load_le64(raw);
	*word = load_le32(raw + 8);
	return 0;
}

/* Fills out with the fragment that the last want bytes are part of. */
static int load_fragment(const struct sqfs_file *f, uint32_t want)
{
	struct sqfs *s = f->fs;
	uint32_t end = f->fragment_off + want, word = 0;
	uint64_t at = 0;
	int r = find_fragment(f, &at, &word);

	if (r == 0)
		r = load_out(s, at, word, s->block_size);
	/* both are less than a block, so their sum is no small number */
	if (r == 0 && end > s->out_len)
		return wrong_length(s, end);
	return r;
}

/* Where in the file the bytes begin that are in a fragment, or its end. */
static uint64_t tail_start(const struct sqfs_file *f)
{
	return f->fragment == NO_FRAGMENT
	           ? f->size
	           : f->size - f->size % f->fs->block_size;
}

uint64_t sqfs_split(struct sqfs_file *f)
{
	f->pos = tail_start(f);
	return f->pos;
}

int sqfs_where(struct sqfs_file *f, uint64_t *at, struct diag *d)
{
	uint32_t word;
	int r;

	f->fs->d = d;
	if (f->pos >= tail_start(f))
		return find_fragment(f, at, &word);
	r = need_word(f);
	*at = f->word == 0 ? 0 : f->disk;
	return r;
}

int sqfs_read(struct sqfs_file *f, void *dst, size_t cap, size_t *n, bool *hole,
    struct diag *d)
{
	struct sqfs *s = f->fs;
	uint32_t in = (uint32_t)(f->pos % s->block_size);
	uint64_t start = f->pos - in;
	uint32_t want = (uint32_t)MIN(s->block_size, f->size - start);
	bool tail = start >= tail_start(f);
	int r;

	s->d = d;
	*n = 0;
	*hole = false;
	if (f->type != SQFS_REG)
		return diag_fail(d, R_SQFS_TYPE, "entry is no regular file");
	if (f->pos == f->size || cap == 0)
		return 0;
	r = tail ? load_fragment(f, want) : load_data(f, want, hole);
	if (r != 0)
		return r;
	*n = MIN(cap, want - in);
	if (!*hole)
		memcpy(dst, s->out + in + (tail ? f->fragment_off : 0), *n);
	f->pos += *n;
	if (!tail && f->pos == start + want) {
		f->disk += f->word & (BLOCK_STORED - 1);
		f->have_word = false;
	}
	return 0;
}

int sqfs_readlink(struct sqfs_file *f, char *dst, size_t cap, struct diag *d)
{
	struct sqfs_pos pos = f->more;
	size_t len = (size_t)f->size;
	int r;

	f->fs->d = d;
	if (f->type != SQFS_LINK)
		return diag_fail(d, R_SQFS_TYPE, "entry is no symbolic link");
	if (f->size >= cap)
		return limited(f->fs, "link is too long", cap - 1);
	r = take_meta(f->fs, &pos, dst, len);
	if (r != 0)
		return r;
	if (len == 0 || memchr(dst, '\0', len))
		return damaged(f->fs, "text of a symbolic link", (uint32_t)len);
	dst[len] = '\0';
	return 0;
}

/* The names of one directory. */

static int dir_take(
    struct sqfs *s, struct sqfs_dir *dir, void *dst, uint32_t len)
{
	if (len > dir->left)
		return damaged(s, "directory that ends too early", dir->left);
	dir->left -= len;
	return take_meta(s, &dir->pos, dst, len);
}

static bool name_valid(const char *name, size_t len)
{
	if (len <= 2 && memcmp(name, "..", len) == 0)
		return false;
	return !memchr(name, '/', len) && !memchr(name, '\0', len);
}

/*
 * The next name into name (SQFS_NAME + 1 bytes), NUL-terminated, which holds
 * the one before it. 1, 0 at the end, or a reason.
 */
static int dir_next(
    struct sqfs *s, struct sqfs_dir *dir, char *name, uint64_t *inode)
{
	char next[SQFS_NAME];
	uint8_t raw[DIR_HEADER];
	uint32_t len;
	int r = 0;

	if (dir->run == 0) {
		if (dir->left == 0)
			return 0;
		r = dir_take(s, dir, raw, DIR_HEADER);
		if (r != 0)
			return r;
		dir->run = load_le32(raw) + 1;
		dir->base = load_le32(raw + 4);
		if (dir->run - 1 >= DIR_RUN_MAX)
			return damaged(s, "entries in a directory", dir->run);
	}
	r = dir_take(s, dir, raw, DIR_ENTRY);
	if (r != 0)
		return r;
	len = load_le16(raw + 6) + 1u;
	if (len > SQFS_NAME)
		return damaged(s, "length of a name", len);
	r = dir_take(s, dir, next, len);
	if (r != 0)
		return r;
	if (!name_valid(next, len))
		return damaged(s, "name that is no file name", len);
	r = memcmp(name, next, MIN(len, dir->name_len));
	if (r > 0 || (r == 0 && len <= dir->name_len))
		return damaged(s, "directory that is not sorted", dir->left);
	memcpy(name, next, len);
	name[len] = '\0';
	dir->name_len = (uint16_t)len;
	dir->run--;
	*inode = (uint64_t)dir->base << 16 | load_le16(raw);
	return 1;
}

int sqfs_lookup(
    struct sqfs *s, const char *name, struct sqfs_file *f, struct diag *d)
{
	char at[SQFS_NAME + 1];
	struct sqfs_dir dir;
	uint64_t inode;
	int r;

	s->d = d;
	r = open_root(s, &dir);
	if (r != 0)
		return r;
	do
		r = dir_next(s, &dir, at, &inode);
	while (r == 1 && strcmp(at, name) != 0);
	if (r < 0)
		return r;
	return r == 0 ? R_NOT_FOUND : open_inode(s, inode, f);
}

int sqfs_walk_start(struct sqfs_walk *w, struct sqfs *s, struct diag *d)
{
	s->d = d;
	w->fs = s;
	w->depth = 1;
	w->names = 0;
	w->dirs = 1;
	return open_root(s, &w->dir[0]);
}

/* Makes the directory returned last the one whose names come next. */
static int walk_down(
    struct sqfs_walk *w, const struct sqfs_file *f, uint64_t inode)
{
	const struct sqfs_dir *top = &w->dir[w->depth - 1];
	/* A directory has one name, so there are no more than inodes. */
	bool loop = ++w->dirs > w->fs->inodes;

	for (unsigned i = 0; i < w->depth; i++)
		loop = loop || w->dir[i].inode == inode;
	if (loop)
		return diag_fail(w->fs->d, R_SQFS_LOOP,
		    "directory %s contains itself or has two names", w->path);
	if (w->depth == SQFS_DEPTH)
		return limited(w->fs, "directories are too deep", SQFS_DEPTH);
	dir_open(&w->dir[w->depth++], f, inode,
	    (size_t)top->name + top->name_len + 1);
	return 0;
}

int sqfs_walk_next(struct sqfs_walk *w, struct sqfs_file *f, struct diag *d)
{
	struct sqfs_dir *dir;
	uint64_t inode = 0;
	int r;

	w->fs->d = d;
	for (;;) {
		dir = &w->dir[w->depth - 1];
		if (dir->name > 0)
			w->path[dir->name - 1] = '/';
		if (sizeof w->path - dir->name < SQFS_NAME + 1)
			return limited(w->fs, "path is too long", SQFS_PATH);
		r = dir_next(w->fs, dir, w->path + dir->name, &inode);
		if (r != 0 || w->depth == 1)
			break;
		w->depth--;
	}
	if (r <= 0)
		return r;
	if (++w->names > SQFS_ENTRIES)
		return limited(w->fs, "has too many names", SQFS_ENTRIES);
	r = open_inode(w->fs, inode, f);
	if (r == 0 && f->type == SQFS_DIR)
		r = walk_down(w, f, inode);
	return r == 0 ? 1 : r;
}
