/* A key of TSIG as people and name servers write it: a first octet says whether it is in words, in
 * a file, or in a file with the name of a private key; then it comes. What is taken signs, and
 * written in words it is the same key. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ask/key.h"
#include "ask/tsig.h"
#include "fuzz.h"

enum { WORDS, PRIVATE = 2 };

#define NAME_OF_KEY "Kk.example.+163+01234.private"

static char folder[] = "/tmp/sotto-fuzz-XXXXXX", private_path[sizeof(folder) + sizeof(NAME_OF_KEY)];

static void clean(void)
{
	unlink(private_path);
	rmdir(folder);
}

/* The name of a private file counts; it leads to the octets in memory. */
static const char *path_of(bool private, int fd)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!private)
		return path;
	if (!*private_path) {
		HOLDS(mkdtemp(folder));
		snprintf(private_path, sizeof(private_path), "%s/" NAME_OF_KEY, folder);
		atexit(clean);
	}
	unlink(private_path);
	HOLDS(symlink(path, private_path) == 0);
	return private_path;
}

static bool read_file(struct ask_key *key, struct memory *memory, bool private, struct span text,
	char why[WHY_MAX])
{
	int fd = memfd_create("key", MFD_CLOEXEC);

	HOLDS(fd >= 0 && write(fd, text.at, text.len) == (ssize_t)text.len);
	bool taken = key_read_file(key, memory, path_of(private, fd), why);

	close(fd);
	return taken;
}

static void signs(const struct ask_key *key)
{
	uint8_t message[1024] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1";
	struct tsig t;

	HOLDS(tsig_knows(key->algorithm));
	tsig_init(&t, key);
	HOLDS(tsig_sign(&t, message, 29, sizeof(message), 1700000000));
	tsig_clear(&t);
}

/* But in a record, where it may be in pieces, the secret stands as it would be written again. */
static bool stands_in(struct span text, int kind, const char *base64)
{
	if (kind != WORDS && !memchr(text.at, '{', text.len))
		return true;
	return memmem(text.at, text.len, base64, strlen(base64));
}

static const char *base64_of(const struct ask_key *key, struct memory *memory)
{
	char *base64 = memory_take(memory, key->secret_len * 2 + 5);

	EVP_EncodeBlock((unsigned char *)base64, key->secret, (int)key->secret_len);
	return base64;
}

static void is_the_same_in_words(
	const struct ask_key *key, struct memory *memory, const char *base64)
{
	char name[NAME_TEXT], why[WHY_MAX];
	struct ask_key again = { 0 };

	const char *words = memory_format(
		memory, "%s:%s:%s", key->algorithm, name_to_text(key->name, name), base64);

	HOLDS(key_read_words(&again, memory, words, why));
	HOLDS(strcmp(again.algorithm, key->algorithm) == 0);
	HOLDS(again.name_len == key->name_len);
	HOLDS(memcmp(again.name, key->name, key->name_len) == 0);
	HOLDS(again.secret_len == key->secret_len);
	HOLDS(memcmp(again.secret, key->secret, key->secret_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const int kind = len ? *data % 3 : 0;
	const struct span text = { data + (len > 0), len - (len > 0) };
	struct memory memory = { 0 };
	struct ask_key key = { 0 };
	char why[WHY_MAX] = "";
	bool taken;

	if (kind == WORDS)
		taken = key_read_words(
			&key, &memory, memory_copy(&memory, (const char *)text.at, text.len), why);
	else
		taken = read_file(&key, &memory, kind == PRIVATE, text, why);
	HOLDS(memchr(why, 0, WHY_MAX) && taken == (*why == 0));
	if (taken) {
		HOLDS(key.secret_len > 0 && key.secret_len < len);
		const char *base64 = base64_of(&key, &memory);

		HOLDS(stands_in(text, kind, base64));
		signs(&key);
		is_the_same_in_words(&key, &memory, base64);
	}
	memory_clear(&memory);
	return 0;
}
