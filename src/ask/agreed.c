#include "ask/agreed.h"

#include "ask/object.h"

#include <time.h>

#define DAY_S 86400

static void keep(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "");
}

void agreed_keep(struct agreed *a, const struct tls_facts *f)
{
	*a = (struct agreed){ .resumed = f->resumed, .verified = f->verified };
	keep(a->version, sizeof a->version, f->version);
	keep(a->cipher, sizeof a->cipher, f->cipher);
	keep(a->group, sizeof a->group, f->group);
	keep(a->alpn, sizeof a->alpn, f->alpn);
	keep(a->doubt, sizeof a->doubt, f->doubt ? f->doubt->reason : NULL);
	a->count = tls_chain(f, a->links, AGREED_LINKS);
}

/* ---- for people ---- */

/* "2026-01-31T00:00:00Z"; only the day, where len is DAY. */
#define DAY    11
#define MOMENT 21
static const char *date(int64_t at_s, char *text, size_t len)
{
	char whole[MOMENT] = "?";
	time_t at = (time_t)at_s;
	struct tm tm;

	if (at_s && gmtime_r(&at, &tm))
		strftime(whole, sizeof whole, "%FT%TZ", &tm);
	snprintf(text, len, "%.*s", (int)len - 1, whole);
	return text;
}

static int64_t days_left(const struct tls_link *l, int64_t now_s)
{
	int64_t left_s = l->not_after_s - now_s;

	return left_s < 0 ? -1 : left_s / DAY_S;
}

static void put_link(const struct tls_link *l, int64_t now_s, FILE *out)
{
	char from[DAY], to[DAY];
	int64_t days = days_left(l, now_s);

	fprintf(out, ";; certificate: %s\n;;   by %s\n;;   %s to %s, ", l->subject, l->issuer,
		date(l->not_before_s, from, sizeof from), date(l->not_after_s, to, sizeof to));
	if (days < 0)
		fputs("expired\n", out);
	else
		fprintf(out, "%lld day%s left\n", (long long)days, days == 1 ? "" : "s");
	fprintf(out, ";;   pin=%s\n", l->pin);
}

void agreed_put(const struct agreed *a, int64_t now_s, FILE *out)
{
	fprintf(out, ";; TLS: %s, %s, %s, %s%s, %s, %s\n", a->version, a->cipher,
		*a->group ? a->group : "no group", *a->alpn ? "ALPN " : "no ALPN", a->alpn,
		a->resumed ? "resumed" : "not resumed", a->verified ? "verified" : "NOT VERIFIED");
	for (size_t i = 0; i < a->count; i++)
		put_link(&a->links[i], now_s, out);
}

/* ---- for programs ---- */

static json_t *link_json(const struct tls_link *l, int64_t now_s)
{
	char from[MOMENT], to[MOMENT];

	return json_pack("{so so ss ss sI ss}", "subject", object_word(l->subject), "issuer",
		object_word(l->issuer), "not_before", date(l->not_before_s, from, sizeof from),
		"not_after", date(l->not_after_s, to, sizeof to), "days_left",
		(json_int_t)days_left(l, now_s), "pin", l->pin);
}

static json_t *word(const char *text)
{
	return *text ? json_string(text) : json_null();
}

json_t *agreed_json(const struct agreed *a, int64_t now_s)
{
	json_t *chain = json_array();

	for (size_t i = 0; i < a->count; i++)
		json_array_append_new(chain, link_json(&a->links[i], now_s));
	return json_pack("{so so so so sb sb so so}", "version", word(a->version), "cipher",
		word(a->cipher), "group", word(a->group), "alpn", word(a->alpn), "resumed",
		a->resumed, "verified", a->verified, "doubt",
		*a->doubt ? object_word(a->doubt) : json_null(), "chain", chain);
}
