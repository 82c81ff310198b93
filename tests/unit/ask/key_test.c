#include "ask/key.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"

static struct ask_key key;
static struct memory memory;
static char why[WHY_MAX];

/* Reads a file of this name and octets. */
static bool reads_as(const char *name, const char *octets, size_t len)
{
	char folder[] = "/tmp/sotto-key-XXXXXX", path[200];

	OK(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	OK(file);
	fwrite(octets, 1, len, file);
	fclose(file);
	memset(&key, 0, sizeof(key));
	bool taken = key_read_file(&key, &memory, path, why);
	unlink(path);
	rmdir(folder);
	return taken;
}

static bool reads_octets(const char *octets, size_t len)
{
	return reads_as("key", octets, len);
}

static bool reads_named(const char *name, const char *text)
{
	return reads_as(name, text, strlen(text));
}

static bool reads(const char *text)
{
	return reads_named("key", text);
}

static bool reads_words(const char *words)
{
	memset(&key, 0, sizeof(key));
	return key_read_words(&key, &memory, words, why);
}

static void is(const char *algorithm, const char *name, const char *secret)
{
	char text[NAME_TEXT];

	STR(key.algorithm, algorithm);
	STR(name_to_text(key.name, text), name);
	EQ(key.secret_len, strlen(secret));
	MEM(key.secret, secret, key.secret_len);
}

CASE(a_key_of_bind_is_read)
{
	OK(reads(
		"key \"k.example\" {\n\talgorithm hmac-sha512;\n\tsecret \"c2VjcmV0IQ==\";\n};\n"));
	is("hmac-sha512", "k.example.", "secret!");
	OK(reads("// a key\nkey k.example{algorithm \"hmac-sha1\";secret c2VjcmV0;};"));
	is("hmac-sha1", "k.example.", "secret");
	OK(reads("# key other {\n/* key another { */ options { key; };\n"
		 "key a { secret \"c2VjcmV0\"; algorithm HMAC-MD5.SIG-ALG.REG.INT; };"));
	is("HMAC-MD5", "a.", "secret");
}

CASE(a_record_of_a_key_is_read)
{
	OK(reads("; a comment\nk.example. 3600 IN KEY 512 3 163 c2Vj cmV0\n"));
	is("hmac-sha256", "k.example.", "secret");
	OK(reads("k.example. IN KEY 512 3 157 c2VjcmV0"));
	is("hmac-md5", "k.example.", "secret");
	OK(reads("k.example.\tIN\tKEY\t0 3 159 c2VjcmV0"));
	is("hmac-sha256", "k.example.", "secret");
}

CASE(a_private_file_is_read)
{
	static const char text[] = "Private-key-format: v1.3\nAlgorithm: 165 (HMAC_SHA512)\n"
				   "Key: c2VjcmV0\nBits: AAA=\n";

	OK(reads_named("Kk.example.+165+01234.private", text));
	is("hmac-sha512", "k.example.", "secret");
	OK(!reads_named("other", text));
	OK(strstr(why, "its name is not that of a key"));
}

/* In words of a record that are no longer than others write them; in one word elsewhere. */
CASE(a_long_secret_is_read_whole)
{
	enum { OCTETS = 9000 };
	static char secret[OCTETS + 1], base64[OCTETS * 2], cut[OCTETS * 2], text[OCTETS * 2 + 100];
	size_t len = 0;

	memset(secret, 's', OCTETS);
	EVP_EncodeBlock((unsigned char *)base64, (unsigned char *)secret, OCTETS);
	for (size_t i = 0; base64[i]; i++) {
		cut[len++] = base64[i];
		if (i % 56 == 55)
			cut[len++] = ' ';
	}
	snprintf(text, sizeof(text), "k. IN KEY 512 3 163 %s", cut);
	OK(reads(text));
	is("hmac-sha256", "k.", secret);
	snprintf(text, sizeof(text), "key k { algorithm hmac-sha256; secret \"%s\"; };", base64);
	OK(reads(text));
	is("hmac-sha256", "k.", secret);
	snprintf(text, sizeof(text), "Private-key-format: v1.3\nAlgorithm: 163\nKey: %s\n", base64);
	OK(reads_named("Kk.+163+00001.private", text));
	is("hmac-sha256", "k.", secret);
}

CASE(a_file_that_is_too_long_is_told)
{
	static char text[16384 + 2];

	memset(text, ' ', 16384);
	memcpy(text, "k. IN KEY 512 3 163 c2VjcmV0", 28);
	OK(reads(text));
	text[16384] = ' ';
	OK(!reads(text));
	OK(strstr(why, "it is longer than 16384 octets"));
}

CASE(a_file_with_a_zero_in_it_is_told)
{
	static const char text[] = "key k { algorithm hmac-sha256; secret \"c2VjcmV0\"; };\0";

	OK(!reads_octets(text, sizeof(text)));
	OK(strstr(why, "octet 52 is zero: it is no text"));
}

CASE(what_is_no_key_is_told)
{
	static const char *const texts[] = { "", "key", "key a", "key a {", "key a { algorithm",
		"key a { algorithm hmac-sha256; };", "key a { secret \"c2VjcmV0\"; };", "/*", "\"",
		"{", "a. IN KEY 512 3 163", "a. IN KEY", "a.", "Private-key-format:" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		*why = 0;
		OK(!reads(texts[i]));
		OK(*why);
	}
	OK(!key_read_file(&key, &memory, "/nonexistent/key", why));
	STR(why, "/nonexistent/key: No such file or directory");
	OK(!key_read_file(&key, &memory, "/", why));
}

CASE(a_key_is_in_words)
{
	OK(reads_words("k.example:c2VjcmV0"));
	is("hmac-sha256", "k.example.", "secret");
	OK(reads_words("hmac-sha384:k.example.:c2VjcmV0"));
	is("hmac-sha384", "k.example.", "secret");
	OK(reads_words("hmac-md5:k:c2VjcmV0"));
	is("hmac-md5", "k.", "secret");
}

CASE(words_that_are_no_key_are_told)
{
	OK(!reads_words("k.example"));
	STR(why, "a key is [ALGORITHM:]NAME:SECRET");
	OK(!reads_words("hmac-sha3:k:c2VjcmV0"));
	STR(why, "there is no algorithm \"hmac-sha3\"");
	OK(!reads_words("k..example:c2VjcmV0"));
	STR(why, "\"k..example\" is no name of a key");
	OK(!reads_words("k:c2VjcmV"));
	STR(why, "the secret is not Base64");
	OK(!reads_words("k:c2Vj=mV0"));
	OK(!reads_words("k:===="));
	OK(!reads_words("k:"));
	OK(!reads_words(":"));
	OK(!reads_words("::c2VjcmV0"));
}

CASE(it_ends)
{
	memory_clear(&memory);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_key_of_bind_is_read),
		CLAIM(a_record_of_a_key_is_read),
		CLAIM(a_private_file_is_read),
		CLAIM(a_long_secret_is_read_whole),
		CLAIM(a_file_that_is_too_long_is_told),
		CLAIM(a_file_with_a_zero_in_it_is_told),
		CLAIM(what_is_no_key_is_told),
		CLAIM(a_key_is_in_words),
		CLAIM(words_that_are_no_key_are_told),
		CLAIM(it_ends),
	};
	return RUN(cases);
}
