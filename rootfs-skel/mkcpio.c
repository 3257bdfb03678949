/* SPDX-License-Identifier: 0BSD */
/*
 * mkcpio EPOCH < list > archive: writes a "newc" cpio archive from a list,
 * so that an initramfs needs neither root nor device nodes on the disk.
 * One entry a line, in the order given; every entry is root's and has the
 * time EPOCH:
 *
 *	dir PATH MODE
 *	file PATH MODE SOURCE
 *	nod PATH MODE c|b MAJOR MINOR
 *	slink PATH TARGET
 *
 * No blanks in names. A host tool: it may print and end itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned long epoch, inode, written;

static void die(const char *what, const char *name)
{
	fprintf(stderr, "mkcpio: %s: %s\n", what, name);
	exit(1);
}

static void put(const void *p, size_t n)
{
	if (fwrite(p, 1, n, stdout) != n)
		die("cannot write", "archive");
	written += n;
}

static void pad(void)
{
	put("\0\0\0", (4 - written % 4) % 4);
}

static void header(const char *path, unsigned long mode, unsigned long size,
    unsigned long major, unsigned long minor)
{
	unsigned long field[13] = {0};
	char text[9];

	while (*path == '/')
		path++;
	field[0] = inode++;
	field[1] = mode;
	field[4] = 1; /* links */
	field[5] = epoch;
	field[6] = size;
	field[9] = major;
	field[10] = minor;
	field[11] = strlen(path) + 1;
	put("070701", 6);
	for (int i = 0; i < 13; i++) {
		snprintf(text, sizeof(text), "%08lX", field[i] & 0xffffffff);
		put(text, 8);
	}
	put(path, strlen(path) + 1);
	pad();
}

static void put_file(const char *path, unsigned long mode, const char *source)
{
	static char data[65536];
	struct stat st;
	FILE *f = fopen(source, "rb");
	unsigned long start;
	size_t n;

	if (!f || fstat(fileno(f), &st) != 0)
		die("cannot read", source);
	header(path, S_IFREG | mode, (unsigned long)st.st_size, 0, 0);
	start = written;
	while ((n = fread(data, 1, sizeof(data), f)) > 0)
		put(data, n);
	if (ferror(f) || written - start != (unsigned long)st.st_size)
		die("changed or unreadable", source);
	fclose(f);
	pad();
}

int main(int argc, char **argv)
{
	char line[1024], path[256], arg[512], type[8];
	unsigned long mode, major, minor;
	char kind;

	epoch = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (sscanf(line, "%7s %255s", type, path) != 2)
			die("bad line", line);
		if (!strcmp(type, "dir") &&
		    sscanf(line, "%*s %*s %lo", &mode) == 1) {
			header(path, S_IFDIR | mode, 0, 0, 0);
		} else if (!strcmp(type, "file") &&
		           sscanf(line, "%*s %*s %lo %511s", &mode, arg) == 2) {
			put_file(path, mode, arg);
		} else if (!strcmp(type, "slink") &&
		           sscanf(line, "%*s %*s %511s", arg) == 1) {
			header(path, S_IFLNK | 0777, strlen(arg), 0, 0);
			put(arg, strlen(arg));
			pad();
		} else if (!strcmp(type, "nod") &&
		           sscanf(line, "%*s %*s %lo %c %lu %lu", &mode, &kind,
		               &major, &minor) == 4) {
			header(path, (kind == 'b' ? S_IFBLK : S_IFCHR) | mode,
			    0, major, minor);
		} else {
			die("bad line", line);
		}
	}
	header("TRAILER!!!", 0, 0, 0, 0);
	if (fflush(stdout) != 0)
		die("cannot write", "archive");
	return 0;
}
