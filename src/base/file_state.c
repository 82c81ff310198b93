#include "base/file_state.h"

#include "base/folder.h"

#include <sys/stat.h>

static void mix(uint64_t *sum, uint64_t word)
{
	*sum = (*sum ^ word) * 0x9e3779b97f4a7c15u;
	*sum ^= *sum >> 29;
}

static bool add(void *arg, const char *path)
{
	struct stat st = { 0 };
	uint64_t *sum = arg;

	stat(path, &st); /* one that is missing is a state as well */
	mix(sum, st.st_dev);
	mix(sum, st.st_ino);
	mix(sum, (uint64_t)st.st_size);
	mix(sum, (uint64_t)st.st_mtim.tv_sec);
	mix(sum, (uint64_t)st.st_mtim.tv_nsec);
	mix(sum, (uint64_t)st.st_ctim.tv_sec);
	mix(sum, (uint64_t)st.st_ctim.tv_nsec);
	return true;
}

void file_state_add(uint64_t *sum, const char *path)
{
	if (!path)
		return;
	add(sum, path);
	folder_each(path, add, sum);
}
