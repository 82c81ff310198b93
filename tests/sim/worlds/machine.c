/* The daemon's host: memory, descriptors, clocks, networks, and who tells the daemon to forget. */
#include "drama.h"

#include "cache/cache.h"
#include "dns/name.h"
#include "faults.h"

#include <errno.h>
#include <string.h>

/* Of the allocations to come, so many may succeed before some fail. */
#define SPARED_MOST 200

uint64_t machine_slept_ms(const struct drama *d, uint64_t until_ms)
{
	uint64_t slept = 0;

	for (unsigned i = 0; i < d->sleeps; i++)
		if (d->slept_at[i] <= until_ms)
			slept += 3600000;
	return slept;
}

int machine_denied(void *drama, enum need need)
{
	struct drama *d = drama;

	if (need == NEED_MEMORY)
		return faults_strike() ? -ENOMEM : 0;
	return drama_now(d) < d->no_files_ms ? -EMFILE : 0;
}

static void move(struct drama *d)
{
	happened(&d->chronicle, "the host has another address");
	world_moves(d->daemon.loop);
	for (unsigned i = 0; i < d->server_count; i++)
		server_lines_die(&d->servers[i]);
}

static void sleep_an_hour(struct drama *d)
{
	happened(&d->chronicle, "the host sleeps, and wakes up");
	d->slept_at[d->sleeps++] = drama_now(d);
	world_jumps(d->daemon.loop, true);
}

static void flush(struct drama *d)
{
	struct cache *cache = d->daemon.shared.query.cache;

	if (!cache)
		return;
	happened(&d->chronicle, "the cache is told to forget");
	if (chance_of(&d->chance, 500)) {
		cache_flush_all(cache);
		d->flushed_ms = drama_now(d);
	} else {
		cache_flush_name(cache, (const uint8_t *)"\4test", 6, true);
		d->flushed_ms = drama_now(d);
	}
}

static void reload(struct drama *d)
{
	do {
		plan_reload(d, chance_below(&d->chance, 4), strikes(d, FAULT_unreadable));
	} while (strikes(d, FAULT_storm));
}

/* Each of these, now and then. */
void machine_acts(struct drama *d)
{
	struct server_peer *s = &d->servers[chance_below(&d->chance, d->server_count)];
	uint64_t now = drama_now(d);

	if (strikes(d, FAULT_memory))
		faults_arm(chance_below(&d->chance, SPARED_MOST), chance_between(&d->chance, 1, 8));
	if (strikes(d, FAULT_files))
		d->no_files_ms = now + chance_between(&d->chance, 1, 5000);
	if (strikes(d, FAULT_clock))
		world_jumps(d->daemon.loop, false);
	if (d->sleeps < SLEEPS_MOST && strikes(d, FAULT_sleep))
		sleep_an_hour(d);
	if (strikes(d, FAULT_network))
		world_changes(d->daemon.loop);
	if (strikes(d, FAULT_move))
		move(d);
	if (strikes(d, FAULT_flush))
		flush(d);
	if (strikes(d, FAULT_reload))
		reload(d);
	if (strikes(d, FAULT_burst))
		s->burst_ms = now + chance_between(&d->chance, 100, 10000);
	if (strikes(d, FAULT_outage))
		server_outage(s, now + chance_between(&d->chance, 100, 20000));
	if (strikes(d, FAULT_unasked))
		server_says_unasked(s);
}
