#include "query/tell.h"

#include "base/log.h"

#include <stdio.h>

/* Octets of what is no query that a line of the log shows. */
#define SHOWN 64

/* ---- what is no query ---- */

static void log_octets(const struct query *q)
{
	const struct span m = q->message;
	char host[ADDR_TEXT], hex[2 * SHOWN + 1] = "";
	struct log_line l;

	for (size_t i = 0; i < m.len && i < SHOWN; i++)
		snprintf(hex + 2 * i, sizeof hex - 2 * i, "%02x", m.at[i]);
	log_begin(&l, LOG_DEBUG, "a message is no query, or none that is taken");
	log_str(&l, "client", addr_print(q->client->peer, host));
	log_fmt(&l, "octets", "%zu", m.len);
	log_str(&l, "hex", hex);
	log_end(&l);
}

void tell_invalid(struct query *q)
{
	if (log_on(LOG_DEBUG))
		log_octets(q);
	if (q->env->conf->dump & DUMP_INVALID)
		query_dump(q);
}

/* ---- events ---- */

static void tell_event(struct query *q, const struct rule_conf *rule)
{
	struct query_env *env = q->env;
	const struct rule_event event = { .name = rule->event,
		.number = rule->event_number,
		.client = q->client->peer,
		.asked = q->asked->name,
		.type = q->asked->type,
		.file = rule->place.file,
		.line = rule->place.line };

	if (events_tell(env->shared->events, &env->conf->events, &event, loop_now(env->loop)))
		env->metrics->events++;
	else
		env->metrics->events_lost++;
}

void tell_decided(struct query *q, const struct rule_conf *rule)
{
	if (rule->dump && q->env->conf->dump & DUMP_RULES)
		query_dump(q);
	if (rule->event && q->env->conf->events.socket)
		tell_event(q, rule);
}
