#include "ask/tsig.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>
#include <strings.h>

#include "base/bug.h"
#include "dns/message.h"
#include "dns/name.h"
#include "dns/reader.h"
#include "dns/text.h"
#include "dns/types.h"
#include "dns/writer.h"

enum { CLASS_ANY = 255, TIME_LEN = 6, ADDITIONAL_AT = 10 };

struct algorithm {
	const char *name; /* as people write it */
	const char *digest; /* as OpenSSL calls it */
	const char *host; /* its name on the wire, as text */
};

static const struct algorithm algorithms[] = {
	{ "hmac-md5", "MD5", "HMAC-MD5.SIG-ALG.REG.INT." },
	{ "hmac-sha1", "SHA1", "hmac-sha1." },
	{ "hmac-sha224", "SHA224", "hmac-sha224." },
	{ "hmac-sha256", "SHA256", "hmac-sha256." },
	{ "hmac-sha384", "SHA384", "hmac-sha384." },
	{ "hmac-sha512", "SHA512", "hmac-sha512." },
};

static const struct algorithm *algorithm_of(const char *name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (strcasecmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

static const struct algorithm *algorithm_of_key(const struct ask_key *key)
{
	const struct algorithm *algorithm = algorithm_of(key->algorithm);

	MUST(algorithm);
	return algorithm;
}

/* What a TSIG record says; time to other are read from its RDATA (RFC 8945 §4.2). */
struct signature {
	size_t at; /* where the record starts, which is where the signed message ends */
	uint8_t key[NAME_MAX_WIRE], algorithm[NAME_MAX_WIRE];
	size_t key_len, algorithm_len;
	uint64_t time_s;
	uint16_t fudge;
	struct span mac;
	uint16_t id, error;
	struct span other;
};

bool tsig_knows(const char *algorithm)
{
	return algorithm_of(algorithm);
}

void tsig_init(struct tsig *t, const struct ask_key *key)
{
	*t = (struct tsig){ .key = key };
}

void tsig_clear(struct tsig *t)
{
	EVP_MAC_CTX_free(t->digest);
	t->digest = NULL;
}

static bool digest_start(struct tsig *t)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char *name = (char *)algorithm_of_key(t->key)->digest;
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
					      OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end() };

	t->digest = EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac);
	if (t->digest && !EVP_MAC_init(t->digest, t->key->secret, t->key->secret_len, params))
		tsig_clear(t);
	return t->digest;
}

/* An update that fails leaves no digest, which digest_end() tells. */
static void digest_add(struct tsig *t, const void *octets, size_t len)
{
	if (t->digest && !EVP_MAC_update(t->digest, octets, len))
		tsig_clear(t);
}

static void digest_add_u16(struct tsig *t, size_t v)
{
	uint8_t octets[2];

	put_u16(octets, (uint16_t)v);
	digest_add(t, octets, sizeof(octets));
}

static void digest_add_name(struct tsig *t, const uint8_t *name, size_t len)
{
	uint8_t folded[NAME_MAX_WIRE];

	memcpy(folded, name, len);
	name_lower(folded, len);
	digest_add(t, folded, len);
}

static void put_time(uint8_t at[TIME_LEN], uint64_t time_s)
{
	put_u16(at, (uint16_t)(time_s >> 32));
	put_u32(at + 2, (uint32_t)time_s);
}

static uint64_t get_time(const uint8_t at[TIME_LEN])
{
	return (uint64_t)get_u16(at) << 32 | get_u32(at + 2);
}

static void digest_add_timers(struct tsig *t, const struct signature *s)
{
	uint8_t time[TIME_LEN];

	put_time(time, s->time_s);
	digest_add(t, time, sizeof(time));
	digest_add_u16(t, s->fudge);
}

/* RFC 8945 §4.3.3. */
static void digest_add_variables(struct tsig *t, const struct signature *s)
{
	digest_add_name(t, s->key, s->key_len);
	digest_add_u16(t, CLASS_ANY);
	digest_add_u16(t, 0); /* the TTL, in two halves */
	digest_add_u16(t, 0);
	digest_add_name(t, s->algorithm, s->algorithm_len);
	digest_add_timers(t, s);
	digest_add_u16(t, s->error);
	digest_add_u16(t, s->other.len);
	digest_add(t, s->other.at, s->other.len);
}

/* The length of the MAC; 0: there is none, for want of memory. */
static size_t digest_end(struct tsig *t, uint8_t mac[TSIG_MAC_MAX])
{
	size_t len = 0;

	if (t->digest && !EVP_MAC_final(t->digest, mac, &len, TSIG_MAC_MAX))
		len = 0;
	tsig_clear(t);
	return len;
}

static size_t append(const struct tsig *t, const struct signature *s, uint8_t *message, size_t cap)
{
	struct writer w = { message, s->at, cap < DNS_MESSAGE_MAX ? cap : DNS_MESSAGE_MAX, true };
	uint8_t time[TIME_LEN];

	put_time(time, s->time_s);
	put_bytes(&w, s->key, s->key_len);
	put_number(&w, TYPE_TSIG);
	put_number(&w, CLASS_ANY);
	put_number(&w, 0); /* the TTL, in two halves */
	put_number(&w, 0);
	put_number(&w, (uint16_t)(s->algorithm_len + TIME_LEN + 10 + t->mac_len));
	put_bytes(&w, s->algorithm, s->algorithm_len);
	put_bytes(&w, time, sizeof(time));
	put_number(&w, s->fudge);
	put_number(&w, (uint16_t)t->mac_len);
	put_bytes(&w, t->mac, t->mac_len);
	put_number(&w, s->id);
	put_number(&w, 0); /* no error */
	put_number(&w, 0); /* nothing other */
	return w.ok ? w.len : 0;
}

size_t tsig_sign(struct tsig *t, uint8_t *message, size_t len, size_t cap, uint64_t now_s)
{
	const struct ask_key *key = t->key;
	struct signature s = {
		.at = len,
		.key_len = key->name_len,
		.time_s = now_s,
		.fudge = TSIG_FUDGE,
		.id = get_u16(message),
	};

	memcpy(s.key, key->name, key->name_len);
	s.algorithm_len = name_from_text(algorithm_of_key(key)->host, s.algorithm);
	tsig_clear(t);
	if (!digest_start(t))
		return 0;
	digest_add(t, message, len);
	digest_add_variables(t, &s);
	t->mac_len = digest_end(t, t->mac);
	t->is_later = t->failed = false;
	t->unsigned_count = 0;

	size_t signed_len = t->mac_len ? append(t, &s, message, cap) : 0;
	if (signed_len)
		put_u16(message + ADDITIONAL_AT, (uint16_t)(get_u16(message + ADDITIONAL_AT) + 1));
	return signed_len;
}

static struct span read_span(struct reader *r, size_t len)
{
	const uint8_t *at = read_bytes(r, len);

	return (struct span){ at, at ? len : 0 };
}

static bool read_signature(struct span m, const struct record *rec, struct signature *s)
{
	struct reader r = { { m.at, rec->end }, rec->rdata, true };

	s->at = rec->owner;
	s->key_len = name_copy(m, rec->owner, s->key);
	s->algorithm_len = name_len(r.m, r.at);
	r.ok = s->algorithm_len > 0;

	struct span algorithm = read_span(&r, s->algorithm_len);
	const uint8_t *time = read_bytes(&r, TIME_LEN);
	s->fudge = read_u16(&r);
	s->mac = read_span(&r, read_u16(&r));
	s->id = read_u16(&r);
	s->error = read_u16(&r);
	s->other = read_span(&r, read_u16(&r));
	if (!reader_done(&r))
		return false;
	memcpy(s->algorithm, algorithm.at, algorithm.len);
	s->time_s = get_time(time);
	return rec->class == CLASS_ANY && rec->ttl == 0;
}

/* Finds the signature: the last record of the message, and there is no other. BAD: a TSIG that is
 * elsewhere, or broken. */
static enum tsig_verdict find(const struct reply *reply, struct signature *s, char why[WHY_MAX])
{
	struct record rec = { .type = TYPE_A };
	size_t at = reply->section[SECTION_ANSWER];

	while (at < reply->message.len) {
		if (rec.type == TYPE_TSIG)
			break;
		message_record(reply->message, &at, &rec);
	}
	if (rec.type != TYPE_TSIG)
		return TSIG_UNSIGNED;
	if (rec.end != reply->message.len || rec.owner < reply->section[SECTION_ADDITIONAL])
		return why_say(why, "the TSIG record at octet %zu is not the last one", rec.owner);
	if (!read_signature(reply->message, &rec, s))
		return why_say(why, "the TSIG record at octet %zu is broken", rec.owner);
	return TSIG_GOOD;
}

/* Without a signature, what came is only added up: the next signed message vouches for it. */
static enum tsig_verdict take_unsigned(struct tsig *t, struct span m, char why[WHY_MAX])
{
	if (!t->is_later)
		return why_say(why, "it is not signed");
	if (++t->unsigned_count > TSIG_UNSIGNED_MAX)
		return why_say(why, "more than %d messages are not signed", TSIG_UNSIGNED_MAX);
	digest_add(t, m.at, m.len);
	return TSIG_UNSIGNED;
}

static bool is_of_our_key(const struct tsig *t, const struct signature *s)
{
	uint8_t host[NAME_MAX_WIRE];
	size_t len = name_from_text(algorithm_of_key(t->key)->host, host);

	return s->key_len == t->key->name_len && name_equals(s->key, t->key->name, s->key_len) &&
		s->algorithm_len == len && name_equals(s->algorithm, host, len);
}

static bool mac_is_right(struct tsig *t, struct span m, const struct signature *s)
{
	uint8_t mac[TSIG_MAC_MAX], header[DNS_HEADER];

	memcpy(header, m.at, sizeof(header));
	put_u16(header, s->id);
	put_u16(header + ADDITIONAL_AT, (uint16_t)(get_u16(header + ADDITIONAL_AT) - 1));
	digest_add(t, header, sizeof(header));
	digest_add(t, m.at + DNS_HEADER, s->at - DNS_HEADER);
	if (t->is_later)
		digest_add_timers(t, s);
	else
		digest_add_variables(t, s);

	size_t len = digest_end(t, mac);
	if (len == 0 || len != s->mac.len || CRYPTO_memcmp(mac, s->mac.at, len) != 0)
		return false;
	memcpy(t->mac, mac, len);
	t->mac_len = len;
	return true;
}

/* What the server found wrong with our signature (RFC 8945 §5.2). */
static enum tsig_verdict refused(const struct signature *s, uint64_t now_s, char why[WHY_MAX])
{
	char text[TEXT_MAX];
	/* 16 is BADVERS elsewhere. */
	const char *error = s->error == 16 ? "BADSIG" : text_rcode(s->error, text);

	if (s->error != RCODE_BADTIME || s->other.len != TIME_LEN)
		return why_say(why, "the server says %s", error);

	uint64_t theirs = get_time(s->other.at);
	return why_say(why, "the server says BADTIME: its clock is %llu s %s ours",
		(unsigned long long)(theirs > now_s ? theirs - now_s : now_s - theirs),
		theirs > now_s ? "ahead of" : "behind");
}

static enum tsig_verdict judge(
	struct tsig *t, struct span m, const struct signature *s, uint64_t now_s, char why[WHY_MAX])
{
	char text[NAME_TEXT];

	if (!is_of_our_key(t, s))
		return why_say(why, "it is signed by another key or algorithm: %.60s",
			name_to_text(s->key, text));
	/* Who does not know the key, or our MAC, cannot sign (RFC 8945 §5.3.2). */
	if (s->error && s->mac.len == 0)
		return refused(s, now_s, why);
	if (s->mac.len < t->mac_len)
		return why_say(why, "its MAC is cut to %zu octets of %zu", s->mac.len, t->mac_len);
	if (!mac_is_right(t, m, s))
		return why_say(why, "its MAC is wrong");
	if (s->error)
		return refused(s, now_s, why);

	uint64_t off = now_s > s->time_s ? now_s - s->time_s : s->time_s - now_s;
	if (off > s->fudge)
		return why_say(why, "it was signed %llu s %s, and may be %u s off",
			(unsigned long long)off, now_s > s->time_s ? "ago" : "ahead", s->fudge);
	return TSIG_GOOD;
}

static enum tsig_verdict verify(
	struct tsig *t, uint8_t *message, size_t *len, uint64_t now_s, char why[WHY_MAX])
{
	struct span m = { message, *len };
	struct reply reply;
	struct signature s;

	if (t->failed)
		return why_say(why, "a message before it was not good");
	if (!reply_parse(m, &reply))
		return why_say(why, "it is malformed");
	if (!t->digest) {
		if (!digest_start(t))
			return why_say(why, "out of memory");
		digest_add_u16(t, t->mac_len);
		digest_add(t, t->mac, t->mac_len);
	}

	enum tsig_verdict found = find(&reply, &s, why);
	if (found == TSIG_UNSIGNED)
		return take_unsigned(t, m, why);
	if (found == TSIG_BAD || judge(t, m, &s, now_s, why) == TSIG_BAD)
		return TSIG_BAD;
	t->is_later = true;
	t->unsigned_count = 0;
	put_u16(message + ADDITIONAL_AT, (uint16_t)(get_u16(message + ADDITIONAL_AT) - 1));
	*len = s.at;
	return TSIG_GOOD;
}

enum tsig_verdict tsig_verify(
	struct tsig *t, uint8_t *message, size_t *len, uint64_t now_s, char why[WHY_MAX])
{
	*why = 0;
	enum tsig_verdict verdict = verify(t, message, len, now_s, why);

	t->failed |= verdict == TSIG_BAD;
	return verdict;
}
