#include "ask/key.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ask/tsig.h"
#include "base/replace.h"
#include "dns/name.h"

enum { FILE_MAX = 16384 };

#define BLANKS " \t\r\n"

/* Base64, of which EVP_DecodeBlock() takes some that is none: encoded again it has to be the same.
 */
static bool take_secret(
	struct ask_key *key, struct memory *memory, const char *text, char why[WHY_MAX])
{
	size_t len = strlen(text), pad = 0;
	uint8_t *octets = memory_take(memory, len + 1), *again = memory_take(memory, len + 5);

	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	if (len == 0)
		return why_say(why, "the secret is empty");

	int decoded = EVP_DecodeBlock(octets, (const unsigned char *)text, (int)len);
	if (EVP_EncodeBlock(again, octets, decoded - (int)pad) != (int)len ||
		memcmp(again, text, len) != 0)
		return why_say(why, "the secret is not Base64");
	key->secret_len = (size_t)decoded - pad;
	key->secret = octets;
	return true;
}

static bool take(struct ask_key *key, struct memory *memory, const char *algorithm,
	const char *name, const char *secret, char why[WHY_MAX])
{
	size_t len = strlen(algorithm);

	if (len > 0 && algorithm[len - 1] == '.')
		len--;
	/* Its name on the wire is its own. */
	if (len > 8 && strncasecmp(algorithm, "hmac-md5.", 9) == 0)
		len = 8;
	key->algorithm = memory_copy(memory, algorithm, len);
	if (!tsig_knows(key->algorithm))
		return why_say(why, "there is no algorithm \"%.40s\"", algorithm);
	key->name_len = name_from_text(name, key->name);
	if (key->name_len == 0)
		return why_say(why, "\"%.60s\" is no name of a key", name);
	return take_secret(key, memory, secret, why);
}

bool key_read_words(
	struct ask_key *key, struct memory *memory, const char *words, char why[WHY_MAX])
{
	char *copy = memory_copy(memory, words, strlen(words));
	char *secret = strrchr(copy, ':'), *algorithm = copy;

	if (!secret)
		return why_say(why, "a key is [ALGORITHM:]NAME:SECRET");
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
	struct span word; /* in the text, without its quotes */
};

/* Past blanks and comments. */
static void skip(struct text *t)
{
	for (;;) {
		t->at += strspn(t->at, BLANKS);
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

/* Up to the first of these. */
static void take_until(struct text *t, const char *ends)
{
	t->word = (struct span){ (const uint8_t *)t->at, strcspn(t->at, ends) };
	t->at += t->word.len;
}

/* False at the end. */
static bool next_word(struct text *t)
{
	skip(t);
	if (!*t->at)
		return false;
	if (*t->at == '"') {
		t->at++;
		take_until(t, "\"\n");
		t->at += *t->at == '"';
	} else if (!t->is_zone && strchr("{};", *t->at)) {
		t->word = (struct span){ (const uint8_t *)t->at++, 1 };
	} else {
		take_until(t, t->is_zone ? BLANKS ";" : BLANKS "{};\"");
	}
	return true;
}

static bool is_word(const struct text *t, const char *word)
{
	return t->word.len == strlen(word) &&
		strncasecmp((const char *)t->word.at, word, t->word.len) == 0;
}

/* The next word, for as long as the memory. */
static const char *keep_word(struct text *t, struct memory *memory)
{
	return next_word(t) ? memory_copy(memory, (const char *)t->word.at, t->word.len) : NULL;
}

/* `key "name" { algorithm hmac-sha256; secret "..."; };` */
static bool read_bind(
	struct ask_key *key, struct memory *memory, const char *file, char why[WHY_MAX])
{
	struct text t = { .at = file };
	const char *name = NULL, *algorithm = NULL, *secret = NULL;

	while (next_word(&t))
		if (is_word(&t, "key")) {
			name = keep_word(&t, memory);
			if (next_word(&t) && is_word(&t, "{"))
				break;
			name = NULL;
		}
	while (name && next_word(&t) && !is_word(&t, "}")) {
		if (is_word(&t, "algorithm"))
			algorithm = keep_word(&t, memory);
		else if (is_word(&t, "secret"))
			secret = keep_word(&t, memory);
	}
	if (!name || !algorithm || !secret)
		return why_say(why, "there is no key with name, algorithm and secret in it");
	return take(key, memory, algorithm, name, secret, why);
}

/* The algorithms of such files have numbers: dnssec-keygen has those from 161 on for what
 * ldns-keygen has 158 and 159 for. */
static const char *algorithm_of_number(const char *number)
{
	static const struct {
		const char *number, *name;
	} numbers[] = { { "157", "hmac-md5" }, { "158", "hmac-sha1" }, { "159", "hmac-sha256" },
		{ "161", "hmac-sha1" }, { "162", "hmac-sha224" }, { "163", "hmac-sha256" },
		{ "164", "hmac-sha384" }, { "165", "hmac-sha512" } };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(numbers[i].number, number) == 0)
			return numbers[i].name;
	return number;
}

/* `name. [TTL] IN KEY 512 3 163 Base64...` */
static bool read_record(
	struct ask_key *key, struct memory *memory, const char *file, char why[WHY_MAX])
{
	struct text t = { .at = file, .is_zone = true };
	const char *name = keep_word(&t, memory), *algorithm = "";
	char *secret = memory_take(memory, strlen(file) + 1), *end = secret;
	unsigned field = 0;

	while (name && next_word(&t)) {
		if (field > 0)
			field++;
		else if (is_word(&t, "KEY"))
			field = 1;
		if (field == 4)
			algorithm = memory_copy(memory, (const char *)t.word.at, t.word.len);
		else if (field > 4)
			end = (char *)memcpy(end, t.word.at, t.word.len) + t.word.len;
	}
	*end = 0;
	if (field <= 4)
		return why_say(why, "there is no key in it");
	return take(key, memory, algorithm_of_number(algorithm), name, secret, why);
}

/* `Private-key-format: ...`, with the name of the key in that of the file: Kname.+163+12345.private
 */
static bool read_private(struct ask_key *key, struct memory *memory, const char *file,
	const char *path, char why[WHY_MAX])
{
	struct text t = { .at = file, .is_zone = true };
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	const char *plus = strstr(base, ".+"), *algorithm = NULL, *secret = NULL;

	while (next_word(&t)) {
		if (is_word(&t, "Algorithm:"))
			algorithm = keep_word(&t, memory);
		else if (is_word(&t, "Key:"))
			secret = keep_word(&t, memory);
	}
	if (*base != 'K' || !plus)
		return why_say(why, "its name is not that of a key, as Kname.+163+12345.private");
	if (!algorithm || !secret)
		return why_say(why, "there is no key of TSIG in it");
	return take(key, memory, algorithm_of_number(algorithm),
		memory_copy(memory, base + 1, (size_t)(plus - base)), secret, why);
}

bool key_read_file(struct ask_key *key, struct memory *memory, const char *path, char why[WHY_MAX])
{
	char *text = memory_take(memory, FILE_MAX + 2), reason[WHY_MAX];
	FILE *file = replace_read(path);
	size_t len = file ? fread(text, 1, FILE_MAX + 1, file) : 0;
	bool taken;

	if (!file || ferror(file)) {
		why_say(why, "%.70s: %s", path, strerror(errno));
		if (file)
			fclose(file);
		return false;
	}
	fclose(file);
	text[len] = 0;
	if (len > FILE_MAX)
		taken = why_say(reason, "it is longer than %d octets", FILE_MAX);
	else if (strlen(text) < len)
		taken = why_say(reason, "octet %zu is zero: it is no text", strlen(text));
	else if (strncmp(text, "Private-key-format:", 19) == 0)
		taken = read_private(key, memory, text, path, reason);
	else if (strchr(text, '{'))
		taken = read_bind(key, memory, text, reason);
	else
		taken = read_record(key, memory, text, reason);
	return taken || why_say(why, "%.50s: %.60s", path, reason);
}
