/* run_corpus: the main program of a target where there is no libFuzzer. Runs every file that is
 * named, and every file of the folders that are named. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

/* No message is longer; what a file has beyond it is left unread. */
#define INPUT_MAX 65536

/* The copy is exactly as long as the file, so that a sanitizer sees a read past its end. */
static void run_file(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		exit(1);
	}
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);

	uint8_t *copy = malloc(len ? len : 1);
	if (!copy)
		abort();
	for (size_t i = 0; i < len; i++)
		copy[i] = bytes[i];
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static unsigned run(const char *path)
{
	DIR *folder = opendir(path);
	unsigned files = 0;

	if (!folder) {
		run_file(path);
		return 1;
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		char name[PATH_MAX];

		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) <
			(int)sizeof(name)) {
			run_file(name);
			files++;
		}
	}
	closedir(folder);
	return files;
}

int main(int argc, char **argv)
{
	unsigned files = 0;

	for (int i = 1; i < argc; i++)
		files += run(argv[i]);
	printf("%u inputs\n", files);
	return files == 0;
}
