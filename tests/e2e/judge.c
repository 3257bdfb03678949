/* SPDX-License-Identifier: 0BSD */
/*
 * Shows whole disks to the oracle of the simulation (oracle.h).
 *
 *	judge BASE LOG STATUS ENV-SIZE NAME:KIND:OFFSET:SIZE[:IMAGE:SHA256]...
 *
 * BASE is the disk before anything was written and STATUS the status file on
 * it, LOG a file with what was written; a status file that is empty is none.
 * The areas come in the order in which they stand on the disk; what is in
 * none of them must never change. IMAGE is what a target is to hold. KINDs:
 *	env     a copy of U-Boot's environment is its first ENV-SIZE bytes
 *	kernel  a target that is known by its first sector
 *	ext4    a target that is known by its superblock
 *	own     the device's own, which may change
 *
 * Each line of the input is a disk:
 *	log NAME OFFSET:LENGTH:AT...  BASE with pieces of the log put over it;
 *	                              its status file is not looked at
 *	cut NAME PATH STATUS          a disk that was cut, and its status file
 *	up NAME PATH STATUS           one on which the new system has run
 *	done NAME PATH STATUS         the same, after a rescue that was not cut
 * The answer is a line "NAME HASH VERDICT": equal disks have equal hashes;
 * VERDICT is what is started next (old, new, recovery), or "wrong: " and why.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/oracle.h"

#define PAGE 4096u
#define AREAS 6u
#define SECTOR 512u

enum kind { ENV, KERNEL, ROOT, OWN };

struct area {
	const char *name;
	enum kind kind;
	size_t off, size;
	const uint8_t *image; /* of a target */
	size_t image_size;
	const char *sha256; /* of the image */
};

static struct area area[AREAS];
static unsigned areas;
static size_t env_size;
static const uint8_t *base, *written;
static size_t size, written_size;
static struct oracle_status status_before;

static void die(const char *what, const char *name)
{
	fprintf(stderr, "judge: %s: %s\n", name, what);
	exit(1);
}

/* NULL if it is empty. */
static uint8_t *map(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *p;

	if (fd < 0 || fstat(fd, &st) != 0)
		die("cannot be read", path);
	*len = (size_t)st.st_size;
	if (*len == 0) {
		close(fd);
		return NULL;
	}
	p = mmap(NULL, *len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		die("cannot be mapped", path);
	close(fd);
	return p;
}

static void add_area(char *text)
{
	static const char *const kinds[] = {"env", "kernel", "ext4", "own"};
	struct area *a = &area[areas];
	char *word[6], *rest = NULL;
	unsigned n = 0, k = 0;
	size_t end = areas ? a[-1].off + a[-1].size : 0;

	for (char *w = strtok_r(text, ":", &rest); w && n < 6;
	     w = strtok_r(NULL, ":", &rest))
		word[n++] = w;
	while (n >= 4 && k < OWN + 1 && strcmp(word[1], kinds[k]) != 0)
		k++;
	if (n < 4 || k > OWN || areas == AREAS ||
	    ((k == KERNEL || k == ROOT) && n < 6))
		die("no area", text);
	a->name = word[0];
	a->kind = (enum kind)k;
	a->off = strtoull(word[2], NULL, 0);
	a->size = strtoull(word[3], NULL, 0);
	if (a->off < end || a->off > size || a->size > size - a->off)
		die("not where it can be", text);
	if (k == KERNEL || k == ROOT) {
		a->image = map(word[4], &a->image_size);
		if (a->image_size > a->size)
			die("larger than its slot", word[4]);
		a->sha256 = word[5];
	}
	areas++;
}

/* ---- what the oracle sees ---- */

static void add_slot(struct oracle *o, const struct area *a, const uint8_t *p)
{
	struct oracle_slot *s = &o->slot[o->slots++];

	s->name = a->name;
	s->group = 0;
	s->kind = a->kind == ROOT ? ORACLE_EXT4 : ORACLE_SECTOR0;
	s->size = a->size;
	s->now = p + a->off;
	s->before = base + a->off;
	s->image = a->image;
	s->image_size = a->image_size;
	s->image_sha256 = a->sha256;
	s->sector = SECTOR;
}

static void add_keep(
    struct oracle *o, const char *name, const uint8_t *p, size_t off, size_t to)
{
	struct oracle_keep *k = &o->keep[o->keeps++];

	k->name = name;
	k->now = p + off;
	k->before = base + off;
	k->len = to - off;
}

static struct oracle see(const uint8_t *p, enum oracle_when when)
{
	static const char *const names[] = {"A"};
	struct oracle o = {.when = when, .marks = true};
	size_t at = 0;

	o.model.names = o.model_before.names = names;
	o.model.count = o.model_before.count = 1;
	o.model.size = o.model_before.size = env_size;
	for (unsigned i = 0; i < areas; i++) {
		const struct area *a = &area[i];
		unsigned copy = o.model.copies;

		if (a->off > at)
			add_keep(&o, a->name, p, at, a->off);
		at = a->off + a->size;
		if (a->kind == ENV && copy < 2) {
			o.model.copy[copy] = p + a->off;
			o.model_before.copy[copy] = base + a->off;
			o.model.copies = o.model_before.copies = copy + 1;
			if (a->size > env_size)
				add_keep(&o, a->name, p, a->off + env_size, at);
		} else if (a->kind == KERNEL || a->kind == ROOT) {
			add_slot(&o, a, p);
		}
	}
	if (at < size)
		add_keep(&o, "the end", p, at, size);
	return o;
}

static void judge(const char *name, struct oracle *o, const uint64_t hash[2])
{
	struct oracle_verdict v;
	bool good;

	model_load(&o->model_before);
	good = oracle_judge(o, &v);

	printf("%s %016" PRIx64 "%016" PRIx64 " ", name, hash[0], hash[1]);
	if (good)
		printf("%s", v.boots < 0            ? "recovery"
		             : v.whole_new[v.boots] ? "new"
		                                    : "old");
	for (unsigned i = 0, n = 0; i < ORACLE_BITS; i++)
		if (v.wrong & 1u << i)
			printf("%s%s", n++ ? "; " : "wrong: ",
			    oracle_text((enum oracle_bit)i));
	printf("%s%s%s\n", good ? "" : " (", v.where, good ? "" : ")");
	fflush(stdout);
}

/* ---- hashes: of the pages that are not as in BASE ---- */

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93;
	h ^= h >> 32;
	return h;
}

static void page_hash(const uint8_t *disk, size_t page, uint64_t h[2])
{
	uint64_t a = page, b = ~page, v;

	for (size_t i = 0; i < PAGE; i += 8) {
		memcpy(&v, disk + page * PAGE + i, 8);
		a = (a ^ v) * 0x9e3779b97f4a7c15;
		a ^= a >> 29;
		b = (b + v) * 0xc2b2ae3d27d4eb4f;
		b ^= b >> 31;
	}
	h[0] += mix(a);
	h[1] += mix(b);
}

static void hash(
    const uint8_t *disk, size_t from, size_t to, uint8_t *done, uint64_t h[2])
{
	for (size_t page = from / PAGE; page * PAGE < to; page++) {
		if (done[page])
			continue;
		done[page] = 1;
		if (memcmp(disk + page * PAGE, base + page * PAGE, PAGE) != 0)
			page_hash(disk, page, h);
	}
}

/* ---- the two kinds of lines ---- */

static void judge_file(
    const char *name, char *paths, uint8_t *done, const char *what)
{
	uint64_t h[2] = {0};
	size_t len = 0;
	char *rest = NULL, *path = strtok_r(paths, " ", &rest);
	char *status = path ? strtok_r(NULL, " ", &rest) : NULL;
	uint8_t *disk, *text;
	struct oracle o;

	if (!status)
		die("no status file is named", name);
	disk = map(path, &len);
	if (len != size)
		die("has another size", path);
	memset(done, 0, size / PAGE);
	hash(disk, 0, size, done, h);
	o = see(disk, strcmp(what, "cut") == 0 ? ORACLE_CUT : ORACLE_DONE);
	text = map(status, &o.status.len);
	o.status.text = (const char *)text;
	o.status_before = status_before;
	o.status_works = strcmp(what, "done") == 0 && status_before.text;
	judge(name, &o, h);
	munmap(disk, len);
	if (text)
		munmap(text, o.status.len);
}

/* Applies the pieces, or takes them back. */
static void apply(
    uint8_t *disk, const char *pieces, bool back, uint8_t *done, uint64_t h[2])
{
	size_t off, len, at;
	int n = 0;

	while (sscanf(pieces, "%zu:%zu:%zu%n", &off, &len, &at, &n) == 3) {
		if (off > size || len > size - off || at > written_size ||
		    len > written_size - at)
			die("not on the disk, or not in the log", pieces);
		if (h)
			hash(disk, off, off + len, done, h);
		else
			memcpy(
			    disk + off, back ? base + off : written + at, len);
		pieces += n;
	}
	if (pieces[strspn(pieces, " \n")])
		die("no piece", pieces);
}

static void judge_log(
    const char *name, const char *pieces, uint8_t *disk, uint8_t *done)
{
	struct oracle o = see(disk, ORACLE_CUT);
	uint64_t h[2] = {0};

	memset(done, 0, size / PAGE);
	apply(disk, pieces, false, NULL, NULL);
	apply(disk, pieces, false, done, h);
	judge(name, &o, h);
	apply(disk, pieces, true, NULL, NULL);
}

int main(int argc, char **argv)
{
	char *line = NULL, *rest = NULL;
	size_t cap = 0, len = 0;
	uint8_t *disk, *done;

	if (argc < 6)
		die("usage: judge BASE LOG STATUS ENV-SIZE AREA...", "judge");
	base = map(argv[1], &size);
	disk = map(argv[1], &len);
	written = map(argv[2], &written_size);
	status_before.text = (const char *)map(argv[3], &status_before.len);
	env_size = strtoull(argv[4], NULL, 0);
	for (int i = 5; i < argc; i++)
		add_area(argv[i]);
	done = malloc(size / PAGE + 1);
	if (!base || size % PAGE != 0 || !done)
		die("no disk", argv[1]);
	while (getline(&line, &cap, stdin) > 0) {
		char *what = strtok_r(line, " \n", &rest);
		char *name = what ? strtok_r(NULL, " \n", &rest) : NULL;

		if (name && strcmp(what, "log") == 0) {
			judge_log(name, rest ? rest : "", disk, done);
		} else if (name && rest) {
			rest[strcspn(rest, "\n")] = '\0';
			judge_file(name, rest, done, what);
		} else {
			die("no command", line);
		}
	}
	free(done);
	free(line);
	return 0;
}
