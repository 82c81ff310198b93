"""What is asked for the cache's own sake: before it expires, for it is popular; and what came too late for its client
(F-27)."""

import time

import pytest

from bench import behaviours, eventually, messages
from bench.behaviours import Gate
from bench.cached import a, ask_until_asked, cache, gaps, is_told
from bench.claims import is_answered
from bench.clients import Tcp, Udp, ask, parse
from bench.messages import SERVFAIL, query, unique_name

NEVER = "60s"  # longer than a test waits


# ---- F-27: what comes too late for its client


def test_f_27_a_late_reply_is_kept_for_the_next_client(start_sotto, start_upstream):
    """It is waited for no longer than two seconds, which a loaded machine may miss: hence some tries."""
    upstream = start_upstream()
    sotto = start_sotto(
        upstream, timeouts={"query": "500ms", "attempt": "500ms", "upstream-silent": NEVER}, hedge=False, cache=cache()
    )

    def is_kept(name):
        gate = Gate()
        upstream.when(name, gate)
        with Udp(sotto.address) as client:
            assert parse(client.ask(query(name))).rcode() == SERVFAIL
            time.sleep(0.1)
            gate.open(upstream)
            assert eventually(lambda: is_told(sotto, name, messages.address_of(name)))
            assert client.receive(0.1) is None, "one query, two answers"
        return len(upstream.asked(name)) == 1

    assert any(is_kept(unique_name("late")) for _ in range(5))


def test_f_27_also_when_its_client_has_gone(start_sotto, start_upstream, name):
    gate = Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(upstream, timeouts={"query": NEVER, "attempt": NEVER}, cache=cache())
    with Tcp(sotto.address) as client:
        client.send(query(name))
        assert eventually(lambda: gate.held)
    gate.open(upstream)
    assert is_answered(sotto, name)
    assert len(upstream.asked(name)) == 1


# ---- prefetch: what is popular is fresh before it expires


POPULAR, UNPOPULAR, OFF = (unique_name(stem) for stem in ("popular", "unpopular", "off"))
SNOOPED = unique_name("snooped")  # by RD=0 alone
BOTH = unique_name("both")  # by RD=0 first
LIFETIME = 10


@pytest.fixture(scope="module")
def last_tenth(shared):
    """A history: names of 10 seconds to live, asked 5 times in the beginning, the popular one now and then, and every
    50 ms in their last tenth, until each would have expired. If the machine slept through that tenth, once more."""
    for _ in range(4):
        history = History(shared)
        if history.was_awake:
            break
    return history


class History:
    def __init__(self, shared):
        self.upstream = shared.upstream(otherwise=behaviours.answer(a(ttl=LIFETIME)))
        self.sotto = shared.sotto(self.upstream, cache=cache(stale="0s"))
        self.without = shared.sotto(self.upstream, cache=cache(stale="0s", prefetch=False))
        for _ in range(5):
            self.ask(POPULAR, SNOOPED, BOTH, OFF)
        self.ask(UNPOPULAR)
        filled = time.monotonic()
        while (left := filled + 0.9 * LIFETIME + 0.05 - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))
            self.ask(POPULAR)
        self.ask(UNPOPULAR)
        self.was_awake = time.monotonic() < self.begins() + LIFETIME - 0.1
        while time.monotonic() < filled + LIFETIME - 0.1:
            for name in (SNOOPED, BOTH):
                ask(self.sotto.address, name, flags=0)
            self.ask(POPULAR, BOTH, OFF)
            time.sleep(0.05)
        self.fence()

    def begins(self):
        return min(query.time for query in self.upstream.queries)

    def ask(self, *names):
        for name in names:
            ask((self.without if name == OFF else self.sotto).address, name)

    def fence(self):
        for sotto in (self.sotto, self.without):
            ask(sotto.address, unique_name("fence"))

    def soon(self, name):
        """The queries that came before what was kept of the name had expired."""
        first, *rest = [query.time for query in self.upstream.asked(name)]
        return [time - first for time in rest if time - first < LIFETIME]


def test_what_is_popular_is_asked_for_in_the_last_tenth_of_its_life(last_tenth):
    assert last_tenth.was_awake
    [when] = last_tenth.soon(POPULAR)
    assert when >= 0.9 * LIFETIME - 0.01


def test_what_was_asked_once_or_twice_is_left_to_expire(last_tenth):
    assert not last_tenth.soon(UNPOPULAR)


def test_8767_03_who_asks_with_rd_0_makes_nothing_be_asked_for(last_tenth):
    assert not last_tenth.soon(SNOOPED)


def test_8767_03_who_asks_with_rd_0_leaves_it_to_who_comes_next(last_tenth):
    assert len(last_tenth.soon(BOTH)) == 1


def test_nothing_is_asked_for_ahead_when_that_is_switched_off(last_tenth):
    assert not last_tenth.soon(OFF)


def test_what_lives_for_less_than_10_seconds_is_left_to_expire(start_sotto, upstream, name):
    sotto = start_sotto(upstream, cache=cache(stale="0s"))
    upstream.when(name, behaviours.answer(a(ttl=3)))
    ask_until_asked(sotto, upstream, name, 2)
    assert gaps(upstream, name)[0] >= 2.99
