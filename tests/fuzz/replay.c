/* SPDX-License-Identifier: 0BSD */
/*
 * Runs a fuzz target over a folder of files, without libFuzzer: each file
 * twice, so that what one run leaves behind is seen by the next, from memory
 * of exactly its size, so that AddressSanitizer sees every byte too far.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	long size;

	if (!f || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
		return -1;
	rewind(f);
	data = malloc((size_t)size);
	if ((!data && size > 0) ||
	    fread(data, 1, (size_t)size, f) != (size_t)size)
		return -1;
	fclose(f);
	for (int i = 0; i < 2; i++)
		(void)LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	int passed = 0, failed = 0;
	struct dirent *entry;
	char path[1024];
	DIR *dir;

	if (argc != 2 || !(dir = opendir(argv[1]))) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 1;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		/* A crash ends the process: this names the file it was. */
		fprintf(stderr, "%s\n", path);
		if (run_file(path) == 0)
			passed++;
		else
			failed++;
	}
	closedir(dir);
	printf("%s: %d passed, %d failed\n", name ? name + 1 : argv[0], passed,
	    failed);
	return failed != 0 || passed == 0;
}
