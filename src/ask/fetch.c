#include "ask/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/message.h"
#include "ask/record.h"
#include "ask/transfer.h"
#include "base/clock.h"
#include "base/list.h"
#include "config/problems.h"
#include "dns/types.h"

/* A transfer under way. Large: not for the stack. */
struct fetch {
	struct means *means;
	struct ask_message sent;
	struct tsig tsig;
	struct transfer transfer;
	struct way *way;
	struct timer patience; /* with the connection, then with each message */
	int status;
	bool over;
	uint8_t octets[65535];
};

static void end(struct fetch *f, int status)
{
	f->over = true;
	f->status = status;
	way_close(f->way);
	f->way = NULL;
	timer_stop(f->means->loop, &f->patience);
	loop_stop(f->means->loop);
}

static void fail(struct fetch *f, int status, const char *why)
{
	fprintf(stderr, ";; Transfer failed: %s\n", why);
	end(f, status);
}

static void wait(struct fetch *f)
{
	timer_start(f->means->loop, &f->patience, means_patience_ms(f->means));
}

static void on_patience(struct timer *t)
{
	struct fetch *f = container_of(t, struct fetch, patience);

	fputs(";; Nothing came for too long\n", stderr);
	fail(f, ASK_SILENCE, transfer_lacks(&f->transfer));
}

static void on_record(void *arg, struct span message, const struct record *rec)
{
	struct fetch *f = arg;

	const struct ask_show *s = &f->means->plan->show;

	if (s->is_short) {
		record_put_data(s, message, rec, stdout);
		putchar('\n');
	} else if (s->answer) {
		record_put(s, message, rec, stdout);
	}
}

static int status_of(const struct transfer *t)
{
	if (t->signed_bad || (t->tsig && t->tsig->unsigned_count))
		return ASK_TSIG;
	return t->rcode && t->rcode < ASK_USAGE ? t->rcode : ASK_MALFORMED;
}

static void on_message(void *arg, struct span m)
{
	struct fetch *f = arg;
	char why[WHY_MAX];

	memcpy(f->octets, m.at, m.len);
	switch (transfer_take(
		&f->transfer, f->octets, m.len, (uint64_t)clock_system_ms() / 1000, why)) {
	case TRANSFER_MORE:
		if (ferror(stdout))
			fail(f, ASK_HOST, "its records cannot be printed");
		else
			wait(f);
		break;
	case TRANSFER_DONE:
		end(f, 0);
		break;
	case TRANSFER_BAD:
		fail(f, status_of(&f->transfer), why);
		break;
	}
}

static void on_opened(void *arg, const struct tls_facts *facts)
{
	struct fetch *f = arg;

	(void)facts;
	wait(f);
	if (!way_send(f->way, (struct span){ f->sent.octets, f->sent.len }))
		fail(f, ASK_HOST, "out of memory");
}

static void on_closed(void *arg, const struct fault *fault)
{
	struct fetch *f = arg;

	if (fault->phase != PHASE_NONE) {
		fprintf(stderr, ";; %s: ", phase_name(fault->phase));
		problems_put(stderr, fault->reason, strlen(fault->reason));
		fputc('\n', stderr);
	}
	fail(f, means_status(fault), transfer_lacks(&f->transfer));
}

/* As pydig has them. */
static void put_statistics(const struct transfer *t)
{
	unsigned long signatures = t->signed_good + t->signed_bad;

	if (t->form == TRANSFER_CURRENT)
		printf("\n;; Nothing is newer: the zone has serial %u\n", t->serial);
	else if (t->form == TRANSFER_CHANGES)
		printf("\n;; Changes from serial %u to %u\n", t->question->serial, t->serial);
	else
		putchar('\n');
	printf(";; Total RRs transferred: %llu, Total messages: %lu\n",
		(unsigned long long)t->records, t->messages);
	printf(";; Message sizes: %zu max, %zu min, %llu average\n", t->size_max, t->size_min,
		(unsigned long long)(t->messages ? t->octets / t->messages : 0));
	if (t->tsig)
		printf(";; TSIG records: %lu, success: %lu, failure: %lu\n", signatures,
			t->signed_good, t->signed_bad);
}

static int fetch(struct fetch *f, const struct ask_question *q)
{
	static const struct way_events events = {
		.opened = on_opened, .got = on_message, .closed = on_closed
	};
	const struct ask_plan *p = f->means->plan;
	bool is_tls = means_scheme(f->means) == SCHEME_TLS;
	struct way_conf conf = {
		.scheme = is_tls ? SCHEME_TLS : SCHEME_TCP, .events = &events, .arg = f
	};

	if (!message_make(&f->sent, p, q, p->has_id ? p->id : rand_u16(&f->means->rand))) {
		fputs("sotto query: the message does not fit, or cannot be signed\n", stderr);
		return ASK_USAGE;
	}
	f->transfer = (struct transfer){ .question = q,
		.id = f->sent.id,
		.tsig = p->key.algorithm ? &f->tsig : NULL,
		.on_record = on_record,
		.arg = f };
	tsig_init(&f->tsig, &p->key);
	memcpy(f->tsig.mac, f->sent.mac, f->sent.mac_len);
	f->tsig.mac_len = f->sent.mac_len;
	f->over = false;
	f->patience.fire = on_patience;

	int err = means_way(f->means, &f->way, &conf);
	if (err < 0) {
		fprintf(stderr, "sotto query: cannot connect: %s\n", strerror(-err));
		return ASK_UNREACHED;
	}
	wait(f);
	if (!f->over)
		loop_run(f->means->loop);
	tsig_clear(&f->tsig);
	if (p->show.stats && !p->show.is_short)
		put_statistics(&f->transfer);
	return f->status;
}

bool fetch_suits(const struct ask_plan *p)
{
	for (size_t i = 0; i < p->question_count; i++)
		if (p->questions[i].type != TYPE_AXFR && p->questions[i].type != TYPE_IXFR)
			return false;
	return p->question_count > 0;
}

int fetch_each(struct means *m)
{
	struct fetch *f = calloc(1, sizeof(*f));
	int status = f ? 0 : ASK_HOST;

	for (size_t i = 0; f && i < m->plan->question_count; i++) {
		f->means = m;
		status = fetch(f, &m->plan->questions[i]);
	}
	free(f);
	return status < ASK_USAGE && m->plan->exit_zero ? 0 : status;
}
