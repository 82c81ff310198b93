/* Connections of the peers: what is said over them, and how they end. */
#include "drama.h"

#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

#define PIECES_MOST 4

static void on_deed(struct event *e)
{
	struct deed *deed = container_of(e, struct deed, event);

	deed->act(deed);
}

struct deed *deed_post(
	struct drama *d, uint64_t at_ms, void (*act)(struct deed *), void *who, struct span bytes)
{
	struct deed *deed = calloc(1, sizeof *deed + bytes.len);

	MUST(deed);
	deed->event = (struct event){ .owned = true, .happen = on_deed };
	deed->drama = d;
	deed->act = act;
	deed->who = who;
	deed->len = bytes.len;
	if (bytes.len)
		memcpy(deed->bytes, bytes.at, bytes.len);
	event_post(d->daemon.loop, &deed->event, at_ms);
	return deed;
}

struct line *line_new(struct drama *d, struct list *lines)
{
	struct line *l = calloc(1, sizeof *l);

	(void)d;
	MUST(l);
	l->left_ms = l->spoiled_ms = NEVER;
	list_push(lines, &l->node);
	return l;
}

void line_free(struct line *l)
{
	for (int i = 0; i < RECENT; i++)
		free((void *)(uintptr_t)l->recent[i].at);
	list_remove(&l->node);
	buf_clear(&l->in);
	free(l);
}

void line_end(struct line *l, enum ending ending)
{
	if (l->over || ending == GOES_ON)
		return;
	l->over = true;
	if (ending == RESETS)
		wire_reset(l->wire);
	else
		wire_end(l->wire);
}

/* ---- saying ---- */

static void on_say(struct deed *deed)
{
	struct line *l = deed->who;

	if (deed->len && !l->over && !l->deaf)
		wire_send(l->wire, (struct span){ deed->bytes, deed->len });
}

static void on_close(struct deed *deed)
{
	line_end(deed->who, CLOSES);
}

static void on_reset(struct deed *deed)
{
	line_end(deed->who, RESETS);
}

void line_say(struct drama *d, struct line *l, struct span m, uint64_t at_ms, enum ending ending)
{
	if (l->say_ms < at_ms)
		l->say_ms = at_ms;
	for (int i = 1; i < PIECES_MOST && m.len > 1 && strikes(d, FAULT_pieces); i++) {
		size_t len = chance_between(&d->chance, 1, (uint32_t)m.len - 1);

		deed_post(d, l->say_ms, on_say, l, (struct span){ m.at, len });
		m = (struct span){ m.at + len, m.len - len };
		l->say_ms += chance_between(&d->chance, 0, 20);
	}
	deed_post(d, l->say_ms, on_say, l, m);
	if (ending != GOES_ON)
		deed_post(d, l->say_ms, ending == CLOSES ? on_close : on_reset, l,
			(struct span){ NULL, 0 });
}
