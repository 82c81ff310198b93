#include "ask/once.h"

#include "ask/patience.h"
#include "ask/tsig.h"
#include "base/clock.h"
#include "config/problems.h"
#include "dns/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A question under way. */
struct asking_state {
	struct means *means;
	struct once *once;
	const struct ask_question *question;
	struct way *way;
	enum scheme scheme;
	struct task start;
	struct timer timer;
	unsigned tries;
	uint64_t began_us; /* the way */
	uint64_t asked_us; /* the question */
	int status;
};

static void begin(struct asking_state *, enum scheme);

/* ---- the end of it ---- */

static void end(struct asking_state *s, int status)
{
	s->status = status;
	way_close(s->way);
	s->way = NULL;
	timer_stop(s->means->loop, &s->timer);
	loop_stop(s->means->loop);
}

static const char *scheme_name(enum scheme scheme)
{
	static const char *const names[] = {
		[SCHEME_TLS] = "TLS", [SCHEME_TCP] = "TCP", [SCHEME_UDP] = "UDP"
	};
	return names[scheme];
}

static void say_where(const struct asking_state *s, const char *what)
{
	char text[ADDR_TEXT];

	fprintf(stderr, ";; %s response failure from %s: %s", scheme_name(s->scheme),
		addr_print(&s->once->from, text), what);
}

/* For -d: what happens, step by step. */
static void say_step(const struct asking_state *s, const char *what, size_t octets)
{
	char text[ADDR_TEXT];
	uint64_t us = loop_now_us(s->means->loop) - s->began_us;

	if (s->means->plan->show.debug)
		fprintf(stderr, ";; %u.%03u ms: %s, %zu octets, %s %s, try %u\n",
			(unsigned)(us / 1000), (unsigned)(us % 1000), what, octets,
			scheme_name(s->scheme), addr_print(&s->once->from, text), s->tries);
}

/* ---- tries ---- */

/* Rounded up, since a timer fires up to a millisecond early: when all of the time was waited for,
 * it is over. */
static uint64_t passed_ms(const struct asking_state *s)
{
	return (loop_now_us(s->means->loop) - s->asked_us + 999) / 1000;
}

static unsigned wait_ms(const struct asking_state *s, unsigned which)
{
	return patience_reply_ms(s->means->plan, s->scheme, which, passed_ms(s));
}

static void give_up(struct asking_state *s)
{
	say_where(s, "no reply\n");
	end(s, ASK_SILENCE);
}

/* No more than its patience is spent on a try, whatever comes meanwhile. */
static void try_once(struct asking_state *s)
{
	struct span message = { s->once->sent.octets, s->once->sent.len };
	unsigned ms = wait_ms(s, ++s->tries);

	if (!ms) {
		give_up(s);
		return;
	}
	say_step(s, "sending", message.len);
	timer_start(s->means->loop, &s->timer, ms);
	if (!way_send(s->way, message))
		end(s, ASK_HOST);
}

static bool may_try_again(const struct asking_state *s)
{
	return s->scheme == SCHEME_UDP && s->tries < s->means->plan->tries &&
		wait_ms(s, s->tries + 1);
}

static void on_patience(struct timer *t)
{
	struct asking_state *s = container_of(t, struct asking_state, timer);

	if (may_try_again(s))
		try_once(s);
	else
		give_up(s);
}

/* ---- what comes ---- */

static void warn(const char *what, const char *why)
{
	fputs(";; Warning: ", stderr);
	fputs(what, stderr);
	problems_put(stderr, why, strlen(why));
	fputc('\n', stderr);
}

static bool verify(struct once *o, const struct ask_plan *p)
{
	struct ask_reply *r = &o->reply;
	struct tsig t;
	char why[WHY_MAX] = "";

	if (!p->key.algorithm)
		return true;
	tsig_init(&t, &p->key);
	memcpy(t.mac, o->sent.mac, o->sent.mac_len);
	t.mac_len = o->sent.mac_len;
	enum tsig_verdict verdict = tsig_verify(
		&t, o->octets, &r->message.len, (uint64_t)clock_system_ms() / 1000, why);

	tsig_clear(&t);
	snprintf(o->tsig, sizeof o->tsig, "%s",
		verdict == TSIG_GOOD          ? "ok"
			: verdict == TSIG_BAD ? why
					      : "the reply is not signed");
	r->tsig = o->tsig;
	return verdict == TSIG_GOOD;
}

int once_take(struct once *o, const struct ask_plan *p, struct span m, enum check verdict)
{
	struct ask_reply *r = &o->reply;

	memcpy(o->octets, m.at, m.len);
	r->sent = &o->sent;
	r->message = (struct span){ o->octets, m.len };
	r->from = &o->from;
	r->remark = *o->remark ? o->remark : NULL;
	bool proved = verify(o, p);

	return verdict == CHECK_MALFORMED ? ASK_MALFORMED : proved ? 0 : ASK_TSIG;
}

/* The reply is there, good or bad. */
static void take(struct asking_state *s, struct span m, enum check verdict)
{
	struct once *o = s->once;

	o->reply = (struct ask_reply){ .question = s->question,
		.over = s->scheme,
		.took_us = loop_now_us(s->means->loop) - s->began_us,
		.tries = s->tries,
		.tls = s->scheme == SCHEME_TLS ? &o->tls : NULL };
	end(s, once_take(o, s->means->plan, m, verdict));
}

static bool is_truncated(const struct asking_state *s, struct span m)
{
	return s->scheme == SCHEME_UDP && m.len >= DNS_HEADER && get_u16(m.at + 2) & DNS_TC &&
		!s->means->plan->ignore_tc;
}

static void on_message(void *arg, struct span m)
{
	struct asking_state *s = arg;
	char why[WHY_MAX] = "";
	enum check verdict = check_reply(s->means->plan, &s->once->sent, s->question, m, why);

	say_step(s, "heard", m.len);
	snprintf(s->once->remark, sizeof s->once->remark, "%s", why);
	if (verdict == CHECK_OTHER) {
		warn("waiting on: ", why);
	} else if (verdict != CHECK_MALFORMED && is_truncated(s, m)) {
		fputs(";; UDP Response was truncated. Retrying using TCP ...\n", stderr);
		begin(s, SCHEME_TCP);
	} else {
		take(s, m, verdict);
	}
}

static void on_strayed(void *arg, const struct addr *from, struct span m)
{
	char text[ADDR_TEXT];

	(void)arg, (void)m;
	warn("waiting on: UDP response from unexpected source ", addr_print(from, text));
}

/* ---- the way ---- */

static void on_opened(void *arg, const struct tls_facts *facts)
{
	struct asking_state *s = arg;

	if (facts)
		agreed_keep(&s->once->tls, facts);
	try_once(s);
}

static void say_fault(const struct asking_state *s, const struct fault *f)
{
	say_where(s, "");
	if (f->phase == PHASE_NONE) {
		fputs("the connection was closed without a reply\n", stderr);
		return;
	}
	fprintf(stderr, "%s: ", phase_name(f->phase));
	problems_put(stderr, f->reason, strlen(f->reason));
	fprintf(stderr, "%s%s\n", f->hint ? "; " : "", f->hint ? f->hint : "");
}

/* Over UDP a port that is closed may be open a moment later; with TLS, in clear is another way only
 * if somebody asked for it. */
static void on_closed(void *arg, const struct fault *f)
{
	struct asking_state *s = arg;

	way_close(s->way);
	s->way = NULL;
	say_fault(s, f);
	if (may_try_again(s)) {
		begin(s, SCHEME_UDP);
	} else if (s->scheme == SCHEME_TLS && s->means->plan->tls_fallback) {
		fputs(";; TLS fallback to TCP, IN CLEAR ...\n", stderr);
		addr_set_port(&s->means->server.addr, s->means->plan->fallback_port);
		begin(s, SCHEME_TCP);
	} else {
		end(s, means_status(f));
	}
}

static void begin(struct asking_state *s, enum scheme scheme)
{
	static const struct way_events events = { on_opened, on_message, on_strayed, on_closed };

	if (s->scheme != scheme)
		s->tries = 0;
	s->scheme = scheme;
	way_close(s->way);
	s->way = NULL;
	timer_stop(s->means->loop, &s->timer);
	s->once->from = s->means->server.addr;
	s->began_us = loop_now_us(s->means->loop);
	struct way_conf conf = { .scheme = scheme,
		.open_ms = patience_open_ms(s->means->plan, scheme, passed_ms(s)),
		.events = &events,
		.arg = s };

	if (!conf.open_ms) {
		give_up(s);
		return;
	}
	int err = means_way(s->means, &s->way, &conf);

	if (err < 0) {
		struct fault f;

		fault_from_errno(&f, PHASE_CONNECT, -err);
		say_fault(s, &f);
		end(s, err == -ENETUNREACH || err == -EHOSTUNREACH ? ASK_UNREACHED : ASK_HOST);
	}
}

/* In the loop's time: since its last turn, there may have been much to do. */
static void on_start(struct task *t)
{
	struct asking_state *s = container_of(t, struct asking_state, start);

	s->asked_us = loop_now_us(s->means->loop);
	begin(s, means_scheme(s->means));
}

int once_ask(struct means *m, const struct ask_question *q, struct once *o)
{
	const struct ask_plan *p = m->plan;
	struct asking_state s = { .means = m, .once = o, .question = q, .scheme = SCHEME_TCP };
	const struct addr server = m->server.addr; /* a fallback has another port */

	*o->remark = '\0';
	if (!message_make(&o->sent, p, q, p->has_id ? p->id : rand_u16(&m->rand))) {
		fputs("sotto query: the message does not fit, or cannot be signed\n", stderr);
		return ASK_USAGE;
	}
	s.timer.fire = on_patience;
	s.start.run = on_start;
	loop_later(m->loop, &s.start);
	loop_run(m->loop);
	m->server.addr = server;
	return s.status;
}
