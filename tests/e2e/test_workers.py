"""Several workers and what they share: the questions that any of them is asking, and the cache. ./test runs these on the
build with ThreadSanitizer, too."""

import contextlib
import json
import random
import resource
import threading
import time

import pytest

from bench import behaviours, eventually, messages
from bench.behaviours import Gate
from bench.clients import PATIENCE, Head, Udp, addresses, ask, parse, readable
from bench.control import answer_to
from bench.messages import DO, SERVFAIL, opt, query, unique_name

CLIENTS = 1000
AT_ONCE = 50  # datagrams that any socket's buffer holds
PATIENT = {"query": "60s", "attempt": "30s", "upstream-silent": "60s"}

WORKERS = pytest.mark.parametrize("workers", [2, 4])


@pytest.fixture(autouse=True)
def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = 2 * CLIENTS
    if soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(enough, hard), hard))


@pytest.fixture
def upstream(start_upstream):
    return start_upstream()


@pytest.fixture
def begin(run_sotto, upstream):
    """Starts a sotto whose clients wait for long, since it is slow under a sanitizer."""

    def started(workers, **settings):
        how = {"timeouts": PATIENT, "cache": {"size": "4MiB"}, **settings}
        return run_sotto(upstream, workers=workers, **how)

    return started


def told(sotto, command):
    return json.loads(answer_to(sotto.config["control"], command.encode() + b"\n"))


def shuffled(name):
    """The same name, spelled in another way."""
    return "".join(random.choice((letter.lower(), letter.upper())) for letter in name)


class Client:
    """One client: a port, an ID and a spelling of its own."""

    def __init__(self, sotto, name, id, dnssec_ok=False):
        self.udp = Udp(sotto.address)
        self.message = query(shuffled(name), id=id, edns=opt(flags=DO) if dnssec_ok else b"")
        self.question = self.message[12 : 12 + len(messages.question(name))]

    def answer(self):
        """What came, which must be for this client."""
        wire = self.udp.receive()
        assert wire, "a client got no answer"
        assert wire[:2] == self.message[:2], "a client got the answer to another ID"
        assert wire[12 : 12 + len(self.question)] == self.question, "a client got the answer to another spelling"
        return parse(wire)


@contextlib.contextmanager
def clients(sotto, name, count=CLIENTS, dnssec_ok=lambda number: False):
    """So many clients that have asked for this name, all of them heard by sotto."""
    with contextlib.ExitStack() as stack:
        heard = told(sotto, "status")["dns_requests_total"]["udp"]
        crowd = [Client(sotto, name, id, dnssec_ok(id)) for id in range(count)]
        for number, client in enumerate(crowd, 1):
            stack.callback(client.udp.close)
            client.udp.send(client.message)
            if number % AT_ONCE == 0 or number == count:
                assert eventually(
                    lambda: told(sotto, "status")["dns_requests_total"]["udp"] >= heard + number, PATIENCE  # noqa: B023
                )
        yield crowd


def all_get_the_address(crowd, name):
    assert {tuple(addresses(client.answer())) for client in crowd} == {(messages.address_of(name),)}


def all_get_servfail(crowd):
    assert {client.answer().rcode() for client in crowd} == {SERVFAIL}


# ---- one question is asked once


@WORKERS
def test_a_thousand_clients_of_all_workers_cause_one_query(begin, upstream, name, workers):
    gate = Gate()
    upstream.when(name, gate)
    sotto = begin(workers)
    with clients(sotto, name) as crowd:
        assert eventually(lambda: gate.held)
        gate.open(upstream)
        all_get_the_address(crowd, name)
    assert len(upstream.asked(name)) == 1


@WORKERS
def test_without_a_cache_they_cause_one_query_too(begin, upstream, name, workers):
    gate = Gate()
    upstream.when(name, gate)
    sotto = begin(workers, cache={"size": 0})
    with clients(sotto, name) as crowd:
        gate.open(upstream)
        all_get_the_address(crowd, name)
    assert len(upstream.asked(name)) == 1


@WORKERS
def test_a_thousand_clients_with_and_without_do_cause_two(begin, upstream, name, workers):
    gate = Gate()
    upstream.when(name, gate)
    sotto = begin(workers)
    with clients(sotto, name, dnssec_ok=lambda number: number % 2 == 1) as crowd:
        assert eventually(lambda: len(upstream.asked(name)) == 2)
        gate.open(upstream)
        all_get_the_address(crowd, name)
    assert sorted(bool(asked.asked.edns.flags & DO) for asked in upstream.asked(name)) == [False, True]


# ---- the one who asks fails


@WORKERS
def test_when_the_question_fails_all_are_told_and_nobody_asks_again(begin, upstream, name, workers):
    gate = Gate(then=behaviours.rcode(SERVFAIL))
    upstream.when(name, gate)
    sotto = begin(workers)
    with clients(sotto, name) as crowd:
        gate.open(upstream)
        all_get_servfail(crowd)
    assert len(upstream.asked(name)) == 1


@WORKERS
def test_when_the_connection_dies_it_is_asked_once_more(begin, upstream, name, workers):
    gate = Gate(then=behaviours.close("reset"))
    upstream.when(name, gate)
    sotto = begin(workers)
    with clients(sotto, name) as crowd:
        assert eventually(lambda: gate.held)
        upstream.when(name, behaviours.derive)
        gate.open(upstream)
        all_get_the_address(crowd, name)
    assert len(upstream.asked(name)) == 2


@WORKERS
def test_when_no_answer_comes_everybody_is_told_in_time(begin, upstream, name, workers):
    upstream.when(name, behaviours.silence)
    sotto = begin(workers, timeouts={"query": "3s"})
    with clients(sotto, name, 200) as crowd:
        all_get_servfail(crowd)


def test_who_has_time_left_asks_when_another_worker_has_given_up(begin, upstream):
    # Two clients of each name, of which the second has more time. Where they are of two workers, what the first one's
    # has begun ends with nothing, and the second one's asks.
    sotto = begin(2, timeouts={**PATIENT, "query": "5s", "attempt": "5s"})
    names = [unique_name() for _ in range(24)]
    for name in names:
        upstream.when(name, behaviours.silence)
    with contextlib.ExitStack() as stack:
        early = [Client(sotto, name, id) for id, name in enumerate(names)]
        late = [Client(sotto, name, 1000 + id) for id, name in enumerate(names)]
        for client in early + late:
            stack.callback(client.udp.close)
        for client in early:
            client.udp.send(client.message)
        assert eventually(lambda: all(upstream.asked(name) for name in names))
        time.sleep(1)
        for client in late:
            client.udp.send(client.message)
        for name in names:
            upstream.when(name, behaviours.derive)
        rescued = 0
        for first, second, name in zip(early, late, names):
            told_first, told_second = first.answer(), second.answer()
            for answer in (told_first, told_second):
                assert answer.rcode() == SERVFAIL or addresses(answer) == [messages.address_of(name)]
            rescued += told_first.rcode() == SERVFAIL != told_second.rcode()
    assert rescued > 0


# ---- the end


@WORKERS
def test_who_waits_when_it_ends_is_answered(begin, upstream, name, workers):
    gate = Gate()
    upstream.when(name, gate)
    sotto = begin(workers)
    with clients(sotto, name) as crowd:
        sotto.process.terminate()
        assert not eventually(lambda: sotto.process.poll() is not None, 0.5)
        gate.open(upstream)
        all_get_the_address(crowd, name)
        assert sotto.wait() == 0
    assert len(upstream.asked(name)) == 1


@WORKERS
def test_who_waits_in_vain_when_it_ends_is_told_in_time(begin, upstream, name, workers):
    upstream.when(name, behaviours.silence)
    sotto = begin(workers, timeouts={"query": "3s"})
    with clients(sotto, name, 200) as crowd:
        sotto.process.terminate()
        all_get_servfail(crowd)
        assert sotto.wait() == 0


# ---- the cache under load


class Load(threading.Thread):
    """Asks for names of several kinds through sockets of its own, and judges what comes."""

    def __init__(self, sotto, kinds):
        super().__init__()
        self.address, self.kinds, self.over = sotto.address, kinds, threading.Event()
        self.answered, self.fault = 0, None

    def run(self):
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(Udp(self.address)) for _ in range(8)]
            while not self.over.is_set() and not self.fault:
                try:
                    self.turn(sockets)
                except Exception as fault:
                    self.fault = fault

    def turn(self, sockets):
        """One query from each socket, and their answers."""
        waiting = {}
        for udp in sockets:
            name = random.choice(self.kinds)()
            message = query(shuffled(name), edns=random.choice((b"", opt(), opt(flags=DO))))
            udp.send(message)
            waiting[udp.socket] = (name, message)
        while waiting:
            ready = readable(waiting, PATIENCE)
            assert ready, f"no answer to {[name for name, _ in waiting.values()]}"
            for socket in ready:
                self.judge(socket.recv(65535), *waiting.pop(socket))

    def judge(self, wire, name, message):
        head, end = Head(wire), 12 + len(messages.question(name))
        assert head.id == int.from_bytes(message[:2], "big") and wire[12:end] == message[12:end]
        answer = parse(wire)
        if name.startswith("failing"):
            assert answer.rcode() in (SERVFAIL, messages.NOERROR)
        elif name.startswith("gone"):
            assert answer.rcode() == messages.NXDOMAIN
        else:
            assert addresses(answer) == [messages.address_of(name)], f"{name}: {answer}"
        self.answered += 1


def with_ttl(seconds, delay=0.0):
    """Answers with the address that the name stands for, that long."""

    def build(query):
        asked = query.asked
        rdata = bytes(int(octet) for octet in messages.address_of(asked.name).split("."))
        query.send(messages.reply(asked, [messages.record("A", rdata, seconds)]))

    return behaviours.after(delay, build) if delay else build


def of_kind(query):
    """What is answered to names of the kinds that Load asks for."""
    soa = messages.record("SOA", messages.SOA, owner=b"\0")
    kind = query.asked.name.split("-")[0]
    answer = {
        "popular": with_ttl(10),
        "short": with_ttl(1),
        "slow": with_ttl(1, delay=0.3),
        "failing": random.choice((behaviours.rcode(SERVFAIL), with_ttl(1))),
        "gone": behaviours.answer(authority=[soa], rcode=messages.NXDOMAIN),
    }.get(kind, behaviours.derive)
    return answer(query)


def test_hits_misses_flushes_and_looks_go_on_at_the_same_time(begin, upstream):
    upstream.otherwise = of_kind
    sotto = begin(2, cache={"size": "256KiB", "stale-after": "50ms"})
    named = {kind: [unique_name(kind) for _ in range(8)] for kind in ("popular", "short", "slow", "failing", "gone")}
    kinds = [lambda names=names: random.choice(names) for names in named.values()]
    kinds += [lambda: unique_name("once")] * 2
    loads = [Load(sotto, kinds) for _ in range(3)]
    wanted = [f"cache_{what}_total" for what in ("hits", "misses", "stale", "prefetches", "evictions", "failures")]
    flushed = [name for kind in ("short", "gone") for name in named[kind]]
    seen, forgotten, end = {}, 0, time.monotonic() + 60
    for load in loads:
        load.start()
    try:
        while time.monotonic() < end and all(load.is_alive() for load in loads):
            name = random.choice(flushed)
            assert told(sotto, f"cache lookup {name}")["name"] == name + "."
            forgotten += told(sotto, f"cache flush --below {name}")["entries_forgotten"]
            seen = told(sotto, "cache stats")
            if all(seen[key] for key in wanted):
                break
        for _ in range(100):
            forgotten += told(sotto, "cache flush --all")["entries_forgotten"]
            told(sotto, "cache stats")
    finally:
        for load in loads:
            load.over.set()
        for load in loads:
            load.join()
    assert [load.fault for load in loads] == [None] * len(loads)
    assert forgotten > 0 and not [key for key in wanted if not seen[key]]
    assert addresses(ask(sotto.address, named["popular"][0])) == [messages.address_of(named["popular"][0])]
