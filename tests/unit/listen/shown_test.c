/* What clients are shown, and who may change it. */
#include "listen/shown.h"

#include "net/visit.h"

static struct tls_front *front_with(const struct party *p)
{
	const struct tls_pair pair = { p->file, p->key_file };

	return front_of(&(struct tls_front_conf){ .pairs = &pair, .count = 1 });
}

static const struct tls_front *shown_now(struct shown *s, struct shown_here *here)
{
	return tls_server_front(shown_server(s, here));
}

CASE(what_replaces_something_that_is_shown_no_more_is_not_shown)
{
	struct party party = party_of(NULL, NAME, "DNS:" NAME, -60, 3600);
	struct tls_front *first = front_with(&party), *renewed = front_with(&party);
	struct tls_front *of_a_reload = front_with(&party);
	struct shown_here here = { 0 };
	struct shown s;
	struct fault f;

	shown_init(&s);
	s.tickets = tls_tickets_new(NULL, &f);
	shown_set(&s, first);
	OK(shown_now(&s, &here) == first);
	shown_set(&s, of_a_reload);
	OK(!shown_replace(&s, first, renewed));
	OK(shown_now(&s, &here) == of_a_reload);
	OK(shown_replace(&s, of_a_reload, renewed));
	OK(shown_now(&s, &here) == renewed);

	shown_here_clear(&here);
	shown_clear(&s);
	tls_front_free(first);
	tls_front_free(renewed);
	tls_front_free(of_a_reload);
	party_free(&party);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_replaces_something_that_is_shown_no_more_is_not_shown),
	};
	return RUN(cases);
}
