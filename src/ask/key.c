#include "ask/key.h"

bool key_read_file(struct ask_key *key, struct memory *memory, const char *path, char why[KEY_WHY])
{
	(void)key, (void)memory, (void)path;
	*why = 0;
	return false;
}

bool key_read_words(
	struct ask_key *key, struct memory *memory, const char *words, char why[KEY_WHY])
{
	(void)key, (void)memory, (void)words;
	*why = 0;
	return false;
}
