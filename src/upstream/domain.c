#include "upstream/domain.h"

#include "base/span.h"
#include "dns/name.h"

#include <ctype.h>
#include <libpsl.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const psl_ctx_t *list; /* for the life of the process; NULL: there is none */

static void load(void)
{
	list = psl_latest(NULL);
}

/* FNV-1a. */
static uint64_t number_of(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * 0x100000001b3;
	return h;
}

/* Where the last two labels begin. */
static const char *last_two(const char *text, size_t len)
{
	unsigned dots = 0;
	const char *at = text + len;

	while (at > text && (at[-1] != '.' || ++dots < 2))
		at--;
	return at;
}

uint64_t domain_number(const uint8_t *name)
{
	char text[NAME_TEXT];
	const char *domain = NULL;
	size_t len;

	pthread_once(&once, load);
	name_to_text(name, text);
	len = strlen(text) - 1; /* without the last dot */
	text[len] = '\0';
	for (size_t i = 0; i < len; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
	if (list)
		domain = psl_registrable_domain(list, text);
	if (!domain)
		domain = last_two(text, len);
	return number_of(domain, strlen(domain));
}

const char *domain_list(void)
{
	return psl_dist_filename();
}
