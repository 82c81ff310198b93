#include "service.h"

#include "dns/name.h"
#include "dns/octets.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a value may take of the room. */
#define VALUE_MAX 256

/* ---- values ---- */

static size_t put_protocol(uint8_t *out, const char *one)
{
	out[0] = (uint8_t)strlen(one);
	memcpy(out + 1, one, out[0]);
	return 1u + out[0];
}

static size_t put_port(uint8_t *out, const char *one)
{
	put_u16(out, (uint16_t)strtoul(one, NULL, 10));
	return 2;
}

static size_t put_ipv4(uint8_t *out, const char *one)
{
	return inet_pton(AF_INET, one, out) == 1 ? 4 : 0;
}

static size_t put_ipv6(uint8_t *out, const char *one)
{
	return inet_pton(AF_INET6, one, out) == 1 ? 16 : 0;
}

static size_t put_octets(uint8_t *out, const char *one)
{
	size_t len = strlen(one) / 2;

	for (size_t i = 0; i < len; i++) {
		unsigned octet = 0;

		if (sscanf(one + 2 * i, "%2x", &octet) != 1)
			return 0;
		out[i] = (uint8_t)octet;
	}
	return len;
}

static const struct {
	const char *name;
	uint16_t key;
	size_t (*put)(uint8_t *out, const char *one);
} keys[] = {
	{ "alpn=", 1, put_protocol },
	{ "port=", 3, put_port },
	{ "ipv4hint=", 4, put_ipv4 },
	{ "ipv6hint=", 6, put_ipv6 },
};

/* Finds out what the word is about, and what comes behind that. */
static size_t (*reader_of(char *word, uint16_t *key, char **value))(uint8_t *, const char *)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		size_t len = strlen(keys[i].name);

		if (strncmp(word, keys[i].name, len) != 0)
			continue;
		*key = keys[i].key;
		*value = word + len;
		return keys[i].put;
	}
	if (strncmp(word, "key", 3) != 0 || !isdigit((unsigned char)word[3]))
		return NULL;
	*key = (uint16_t)strtoul(word + 3, value, 10);
	return *(*value)++ == '=' ? put_octets : NULL;
}

static size_t put_parameter(uint8_t *out, char *word)
{
	uint16_t key;
	char *value, *rest;
	size_t (*put)(uint8_t *, const char *) = reader_of(word, &key, &value);
	size_t len = 4;

	if (!put || strlen(value) > VALUE_MAX)
		return 0;
	for (char *one = strtok_r(value, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
		size_t n = put(out + len, one);

		if (!n)
			return 0;
		len += n;
	}
	put_u16(out, key);
	put_u16(out + 2, (uint16_t)(len - 4));
	return len;
}

/* ---- the record ---- */

size_t service_make(const char *words, uint8_t rdata[SERVICE_MAX])
{
	char copy[512], *rest, *word;
	size_t len = 2;

	snprintf(copy, sizeof copy, "%s", words);
	word = strtok_r(copy, " ", &rest);
	if (!word)
		return 0;
	put_u16(rdata, (uint16_t)strtoul(word, NULL, 10));
	word = strtok_r(NULL, " ", &rest);
	size_t name_len = word ? name_from_text(word, rdata + len) : 0;

	if (!name_len)
		return 0;
	len += name_len;
	while ((word = strtok_r(NULL, " ", &rest))) {
		size_t n = len + 4 + 2 * VALUE_MAX > SERVICE_MAX ? 0
								 : put_parameter(rdata + len, word);

		if (!n)
			return 0;
		len += n;
	}
	return len;
}
