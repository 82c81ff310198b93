#include "control/explain_words.h"

#include "dns/text.h"
#include "dns/types.h"

#include <stdio.h>
#include <string.h>

static const char *take_client(struct explain_words *e, const char *text)
{
	e->has_client = addr_parse(&e->client, text, 0) && !addr_port(&e->client);
	return e->has_client ? NULL : "--client is an address, without a port";
}

static const char *take_listener(struct explain_words *e, const char *text)
{
	e->listener = text;
	return NULL;
}

static const char *take_identity(struct explain_words *e, const char *text)
{
	e->identity = text;
	return NULL;
}

static const char *take_subnet(struct explain_words *e, const char *text)
{
	struct behind *b = &e->behind;
	struct prefix p;

	if (!prefix_parse(&p, text) || !p.bits)
		return "--subnet is an address, or a prefix of some bits and zeros behind them";
	const struct span octets = addr_octets(&p.base);

	b->has_subnet = true;
	b->address_len = (uint8_t)octets.len;
	b->bits = (uint8_t)p.bits;
	memcpy(b->address, octets.at, octets.len);
	return NULL;
}

static const char *take_mac(struct explain_words *e, const char *text)
{
	const struct span s = { (const uint8_t *)text, strlen(text) };

	return behind_read_mac(e->behind.mac, s) ? NULL : "--mac is like 00:11:22:aa:bb:cc";
}

static const char *take_cpe_id(struct explain_words *e, const char *text)
{
	if (!*text || strlen(text) >= sizeof e->behind.cpe_id)
		return "--cpe-id has at most 64 octets";
	snprintf(e->behind.cpe_id, sizeof e->behind.cpe_id, "%s", text);
	return NULL;
}

static const struct {
	const char *name;
	const char *(*take)(struct explain_words *, const char *value); /* why it cannot; NULL */
} options[] = {
	{ "--client", take_client },
	{ "--at", take_listener },
	{ "--identity", take_identity },
	{ "--subnet", take_subnet },
	{ "--mac", take_mac },
	{ "--cpe-id", take_cpe_id },
};

static const char *take_option(struct explain_words *e, const char *option, const char *value)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (strcmp(option, options[i].name) == 0)
			return value ? options[i].take(e, value)
				     : "a value is missing behind the last option";
	return "explain knows --client, --at, --identity, --subnet, --mac and --cpe-id";
}

/* The first is a name, the second a type. */
static const char *take_word(struct explain_words *e, const char *word, unsigned place)
{
	if (place == 0) {
		e->name_len = name_from_text(word, e->name);
		return e->name_len ? NULL : "what is to be explained is no domain name";
	}
	if (place > 1)
		return "too many words: explain NAME [TYPE]";
	return text_read_type(word, &e->type)
		? NULL
		: "there is no such type; those without a name are TYPE1 to TYPE65535";
}

const char *explain_words_read(struct explain_words *e, const struct words *w)
{
	const char *why = NULL;
	unsigned place = 0;

	*e = (struct explain_words){ .type = TYPE_A };
	for (size_t i = 0; i < w->count && !why; i++) {
		if (strncmp(w->at[i], "--", 2) != 0) {
			why = take_word(e, w->at[i], place++);
		} else {
			why = take_option(e, w->at[i], i + 1 < w->count ? w->at[i + 1] : NULL);
			i++;
		}
	}
	if (!why && !place)
		return "a name is missing: explain NAME [TYPE]";
	return why;
}
