#include "ask/key.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ask/tsig.h"
#include "base/replace.h"
#include "dns/name.h"

enum { FILE_MAX = 16384, SECRET_MAX = 1024, WORD_MAX = NAME_TEXT };

__attribute__((format(printf, 2, 3))) static bool bad(char why[KEY_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, KEY_WHY, format, args);
	va_end(args);
	return false;
}

/* Base64, of which EVP_DecodeBlock() takes some that is none: encoded again it has to be the same.
 */
static bool take_secret(
	struct ask_key *key, struct memory *memory, const char *text, char why[KEY_WHY])
{
	uint8_t octets[SECRET_MAX], again[SECRET_MAX * 2];
	size_t len = strlen(text), pad = 0;

	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	if (len == 0 || len > SECRET_MAX)
		return bad(why, "a secret of %zu characters", len);

	int decoded = EVP_DecodeBlock(octets, (const unsigned char *)text, (int)len);
	if (EVP_EncodeBlock(again, octets, decoded - (int)pad) != (int)len ||
		memcmp(again, text, len) != 0)
		return bad(why, "the secret is not Base64");
	key->secret_len = (size_t)decoded - pad;
	key->secret = (const uint8_t *)memory_copy(memory, (const char *)octets, key->secret_len);
	return true;
}

static bool take(struct ask_key *key, struct memory *memory, const char *algorithm,
	const char *name, const char *secret, char why[KEY_WHY])
{
	size_t len = strlen(algorithm);

	if (len > 0 && algorithm[len - 1] == '.')
		len--;
	/* Its name on the wire is its own. */
	if (len > 8 && strncasecmp(algorithm, "hmac-md5.", 9) == 0)
		len = 8;
	key->algorithm = memory_copy(memory, algorithm, len);
	if (!tsig_knows(key->algorithm))
		return bad(why, "there is no algorithm \"%.40s\"", algorithm);
	key->name_len = name_from_text(name, key->name);
	if (key->name_len == 0)
		return bad(why, "\"%.60s\" is no name of a key", name);
	return take_secret(key, memory, secret, why);
}

bool key_read_words(
	struct ask_key *key, struct memory *memory, const char *words, char why[KEY_WHY])
{
	char *copy = memory_copy(memory, words, strlen(words));
	char *secret = strrchr(copy, ':'), *algorithm = copy;

	if (!secret)
		return bad(why, "a key is [ALGORITHM:]NAME:SECRET");
	*secret++ = 0;
	char *name = strchr(copy, ':');
	if (!name)
		return take(key, memory, "hmac-sha256", copy, secret, why);
	*name++ = 0;
	return take(key, memory, algorithm, name, secret, why);
}

/* The text of a file, cut into words. */
struct text {
	const char *at;
	bool is_zone; /* `;` begins a comment, and is no word */
	char word[WORD_MAX];
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Past blanks and comments. */
static void skip(struct text *t)
{
	for (;;) {
		t->at += strspn(t->at, " \t\r\n");
		if (strncmp(t->at, "/*", 2) == 0) {
			const char *end = strstr(t->at + 2, "*/");

			t->at = end ? end + 2 : t->at + strlen(t->at);
		} else if (*t->at == '#' || strncmp(t->at, "//", 2) == 0 ||
			(t->is_zone && *t->at == ';')) {
			t->at += strcspn(t->at, "\n");
		} else {
			return;
		}
	}
}

/* The next word, without its quotes; false at the end. A word too long is cut, and then means
 * nothing. */
static bool next_word(struct text *t)
{
	size_t len = 0;

	skip(t);
	if (!*t->at)
		return false;
	if (*t->at == '"') {
		t->at++;
		while (*t->at && *t->at != '"' && *t->at != '\n' && len < WORD_MAX - 1)
			t->word[len++] = *t->at++;
		if (*t->at == '"')
			t->at++;
	} else if (!t->is_zone && strchr("{};", *t->at)) {
		t->word[len++] = *t->at++;
	} else {
		while (*t->at && !is_blank(*t->at) && !strchr(t->is_zone ? ";" : "{};\"", *t->at) &&
			len < WORD_MAX - 1)
			t->word[len++] = *t->at++;
	}
	t->word[len] = 0;
	return true;
}

/* Puts what comes next into word, for as long as the memory. */
static const char *keep_word(struct text *t, struct memory *memory)
{
	return next_word(t) ? memory_copy(memory, t->word, strlen(t->word)) : NULL;
}

/* `key "name" { algorithm hmac-sha256; secret "..."; };` */
static bool read_bind(
	struct ask_key *key, struct memory *memory, const char *file, char why[KEY_WHY])
{
	struct text t = { .at = file };
	const char *name = NULL, *algorithm = NULL, *secret = NULL;

	while (next_word(&t))
		if (strcmp(t.word, "key") == 0) {
			name = keep_word(&t, memory);
			if (next_word(&t) && strcmp(t.word, "{") == 0)
				break;
			name = NULL;
		}
	while (name && next_word(&t) && strcmp(t.word, "}") != 0) {
		if (strcmp(t.word, "algorithm") == 0)
			algorithm = keep_word(&t, memory);
		else if (strcmp(t.word, "secret") == 0)
			secret = keep_word(&t, memory);
	}
	if (!name || !algorithm || !secret)
		return bad(why, "there is no key with name, algorithm and secret in it");
	return take(key, memory, algorithm, name, secret, why);
}

/* The algorithms of dnssec-keygen's files have numbers. */
static const char *algorithm_of_number(const char *number)
{
	static const struct {
		const char *number, *name;
	} numbers[] = { { "157", "hmac-md5" }, { "161", "hmac-sha1" }, { "162", "hmac-sha224" },
		{ "163", "hmac-sha256" }, { "164", "hmac-sha384" }, { "165", "hmac-sha512" } };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(numbers[i].number, number) == 0)
			return numbers[i].name;
	return number;
}

/* `name. [TTL] IN KEY 512 3 163 Base64...` */
static bool read_record(
	struct ask_key *key, struct memory *memory, const char *file, char why[KEY_WHY])
{
	struct text t = { .at = file, .is_zone = true };
	const char *name = keep_word(&t, memory), *algorithm = "";
	char secret[SECRET_MAX + 1] = "";
	size_t len = 0;
	unsigned field = 0;

	while (name && next_word(&t)) {
		if (field > 0)
			field++;
		else if (strcasecmp(t.word, "KEY") == 0)
			field = 1;
		if (field == 4)
			algorithm = memory_copy(memory, t.word, strlen(t.word));
		else if (field > 4 && strlen(t.word) <= SECRET_MAX - len)
			len += (size_t)snprintf(secret + len, sizeof(secret) - len, "%s", t.word);
	}
	if (field <= 4)
		return bad(why, "there is no key in it");
	return take(key, memory, algorithm_of_number(algorithm), name, secret, why);
}

/* `Private-key-format: ...`, with the name of the key in that of the file: Kname.+163+12345.private
 */
static bool read_private(struct ask_key *key, struct memory *memory, const char *file,
	const char *path, char why[KEY_WHY])
{
	struct text t = { .at = file, .is_zone = true };
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	const char *plus = strstr(base, ".+"), *algorithm = NULL, *secret = NULL;

	while (next_word(&t)) {
		if (strcmp(t.word, "Algorithm:") == 0)
			algorithm = keep_word(&t, memory);
		else if (strcmp(t.word, "Key:") == 0)
			secret = keep_word(&t, memory);
	}
	if (*base != 'K' || !plus)
		return bad(why, "its name is not that of a key, as Kname.+163+12345.private");
	if (!algorithm || !secret)
		return bad(why, "there is no key of TSIG in it");
	return take(key, memory, algorithm_of_number(algorithm),
		memory_copy(memory, base + 1, (size_t)(plus - base)), secret, why);
}

bool key_read_file(struct ask_key *key, struct memory *memory, const char *path, char why[KEY_WHY])
{
	char *text = memory_take(memory, FILE_MAX + 1), reason[KEY_WHY];
	FILE *file = replace_read(path);
	size_t len = file ? fread(text, 1, FILE_MAX, file) : 0;
	bool taken;

	if (!file || ferror(file)) {
		bad(why, "%.70s: %s", path, strerror(errno));
		if (file)
			fclose(file);
		return false;
	}
	fclose(file);
	text[len] = 0;
	if (strncmp(text, "Private-key-format:", 19) == 0)
		taken = read_private(key, memory, text, path, reason);
	else if (strchr(text, '{'))
		taken = read_bind(key, memory, text, reason);
	else
		taken = read_record(key, memory, text, reason);
	return taken || bad(why, "%.50s: %.60s", path, reason);
}
