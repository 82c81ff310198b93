"""One question is asked once, however many ask it at the same time (5452-03, users 1.20), and one memory is shared by
all answers (users 1.11).

That all of them have asked before the upstream answers is made sure of by a fence: another question behind theirs, on
the same connection or socket, whose answer says that what came before it has been read.
"""

import contextlib

import pytest

from bench import behaviours, messages
from bench.behaviours import Gate
from bench.cached import a, cache
from bench.claims import is_answered
from bench.clients import Head, Tcp, Udp, addresses, parse
from bench.messages import CD, DO, RD, SERVFAIL, opt, query, unique_name

PATIENT = {"query": "60s", "attempt": "60s", "upstream-silent": "60s"}
FLEETING = behaviours.answer(a(ttl=0))  # of no use to whoever comes later


@pytest.fixture
def upstream(start_upstream):
    return start_upstream()


@pytest.fixture(params=[1, 2], ids=["1 worker", "2 workers"])
def sotto(request, start_sotto, upstream):
    limits = {"queries-per-connection": 2000, "queries-per-client": 10000}
    return start_sotto(upstream, workers=request.param, timeouts=PATIENT, limits=limits, cache=cache(), hedge=False)


class Crowd:
    """Clients that all ask before anybody is answered."""

    def __init__(self, sotto, over, count):
        self._stack = contextlib.ExitStack()
        kind = {"udp": Udp, "tcp": Tcp}[over]
        self.clients = [self._stack.enter_context(kind(sotto.address)) for _ in range(count)]

    def ask(self, queries):
        """These, dealt out in turn; returns when all have been read."""
        self.owed = [[] for _ in self.clients]
        for at, asked in enumerate(queries):
            self.clients[at % len(self.clients)].send(asked)
            self.owed[at % len(self.clients)].append(asked)
        self.fence()

    def fence(self):
        name = unique_name("fence")
        for client in self.clients:
            client.ask(query(name, id=0xFFFF))

    def answers(self):
        """(what was asked, what came) of all."""
        pairs = []
        for client, owed in zip(self.clients, self.owed):
            came = {int.from_bytes(wire[:2], "big"): wire for wire in (client.receive() for _ in owed)}
            pairs += [(asked, came[int.from_bytes(asked[:2], "big")]) for asked in owed]
        return pairs

    def close(self):
        self._stack.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def spelled(name, number):
    """One of many spellings of a name."""
    return "".join(c.upper() if number >> at % 10 & 1 else c for at, c in enumerate(name))


def a_thousand(name):
    """Each with its own ID and spelling, some with OPT."""
    return [
        query(spelled(name, number), id=number, edns=[None, opt(512), opt(4096)][number % 3]) for number in range(1000)
    ]


@pytest.mark.parametrize("clients", [1, 50])
def test_5452_03_a_thousand_who_ask_at_once_are_one_question(clients, sotto, upstream, over, name):
    """And each hears its own ID, spelling and OPT."""
    gate = Gate(FLEETING)
    upstream.when(name, gate)
    with Crowd(sotto, over, clients) as crowd:
        queries = a_thousand(name)
        if over == "udp" and clients == 1:
            queries = queries[:100]  # as many answers as a socket holds
        crowd.ask(queries)
        gate.open(upstream)
        for asked, wire in crowd.answers():
            end = 12 + len(messages.question(name))
            assert wire[12:end] == asked[12:end], "another client's spelling"
            answer = parse(wire)
            assert addresses(answer) == ["10.9.8.7"]
            assert (answer.edns == 0) == (len(asked) > end)
    assert len(upstream.asked(name)) == 1


def test_1_20_do_and_cd_make_it_another_question(sotto, upstream, name):
    gate = Gate(FLEETING)
    upstream.when(name, gate)
    with Crowd(sotto, "tcp", 8) as crowd:
        crowd.ask([
            query(name, id=number, flags=RD | (number & 1 and CD), edns=opt(flags=number & 2 and DO))
            for number in range(400)
        ])
        gate.open(upstream)
        for asked, wire in crowd.answers():
            assert Head(wire).flags & CD == int.from_bytes(asked[2:4], "big") & CD
            assert parse(wire).ednsflags & DO == messages.Asked(asked).edns.flags & DO
    assert len(upstream.asked(name)) == 4


def test_1_20_ad_does_not(sotto, upstream, name):
    gate = Gate(behaviours.answer(a(ttl=0), flags=messages.AD))
    upstream.when(name, gate)
    with Crowd(sotto, "tcp", 8) as crowd:
        crowd.ask([query(name, id=number, flags=RD | (number & 1 and messages.AD)) for number in range(100)])
        gate.open(upstream)
        for asked, wire in crowd.answers():
            assert Head(wire).flags & messages.AD == int.from_bytes(asked[2:4], "big") & messages.AD
    assert len(upstream.asked(name)) == 1


def test_1_20_who_leaves_does_not_take_the_others_along(sotto, upstream, name):
    gate = Gate(FLEETING)
    upstream.when(name, gate)
    with Crowd(sotto, "tcp", 8) as stay:
        with Crowd(sotto, "tcp", 1) as first:
            first.ask([query(name)])
            stay.ask([query(name, id=number) for number in range(80)])
        stay.fence()
        gate.open(upstream)
        assert all(addresses(parse(wire)) == ["10.9.8.7"] for _, wire in stay.answers())
    assert len(upstream.asked(name)) == 1


def test_1_20_a_failure_is_shared_as_well(sotto, upstream, name):
    gate = Gate(behaviours.rcode(SERVFAIL))
    upstream.when(name, gate)
    with Crowd(sotto, "tcp", 8) as crowd:
        crowd.ask([query(name, id=number) for number in range(200)])
        gate.open(upstream)
        assert all(Head(wire).rcode == SERVFAIL for _, wire in crowd.answers())
    assert len(upstream.asked(name)) == 1


def test_what_one_worker_has_asked_for_all_of_them_keep(sotto, upstream, over, name):
    assert is_answered(sotto, name)
    with Crowd(sotto, over, 50) as crowd:
        for client in crowd.clients:
            assert addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]
    assert len(upstream.asked(name)) == 1


def test_many_questions_by_many_workers_are_each_asked_once(sotto, upstream):
    names = [unique_name() for _ in range(100)]
    gate = Gate(FLEETING)
    for name in names:
        upstream.when(name, gate)
    with Crowd(sotto, "tcp", 16) as crowd:
        crowd.ask([query(names[number % 100], id=number) for number in range(1600)])
        gate.open(upstream)
        assert all(addresses(parse(wire)) == ["10.9.8.7"] for _, wire in crowd.answers())
    assert all(len(upstream.asked(name)) == 1 for name in names)


# ---- 1.11: one memory


def of_some_length(asked):
    """The answer that belongs to the name, between 100 and 3,000 octets behind it."""
    octets = messages.digest(asked.name)
    filling = [messages.record("TXT", b"\xff" + b"f" * 255, owner=b"\0") for _ in range(octets[0] % 12)]
    return messages.reply(asked, messages.derived_records(asked), additional=filling)


def test_1_11_what_has_no_room_is_forgotten_and_nothing_is_confused(start_upstream, start_sotto):
    """1,500 names of about 1.5 KiB in a cache of 512 KiB, asked for by two connections."""
    upstream = start_upstream(otherwise=behaviours.message(of_some_length))
    sotto = start_sotto(upstream, workers=2, cache=cache(size="512KiB"))
    names = [unique_name() for _ in range(1500)]
    order = [names[at * 7919 % 1500 if at % 3 else at * 31 % 40] for at in range(4400)]
    with Tcp(sotto.address) as one, Tcp(sotto.address) as other:
        for begin in range(0, len(order), 200):
            some = order[begin : begin + 200]
            for client in (one, other):
                client.send(*(query(name, id=id) for id, name in enumerate(some)))
            for client in (one, other):
                for _ in some:
                    answer = parse(client.receive())
                    assert addresses(answer) == [messages.address_of(some[answer.id])]
    assert len(upstream.asked(names[0])) < 20, "what is popular is kept"
    assert len(upstream.queries) > 1500, "there was room for all of them: this has shown nothing"
