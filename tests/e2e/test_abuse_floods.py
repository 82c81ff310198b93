"""Many queries: from one client that means harm, from many that mean none. Whoever is not the flood has every one of its
queries answered right while the flood goes on; the flood has its share, and no more. Rows are those of the list of
failures (F-70 and on)."""

import contextlib
import itertools
import threading

import pytest

from bench import eventually, messages
from bench.behaviours import Gate, derive, message
from bench.cached import cache
from bench.clients import Head, Tcp, Udp, addresses, ask, extended_errors, parse
from bench.daemon import free_port
from bench.messages import opt, query, unique_name

PATIENT = {"query": "60s", "attempt": "30s", "upstream-silent": "60s"}
BATCH = 50  # of a flood: many more at once would be lost in the kernel, which says nothing about sotto


def everywhere():
    """All of 127.0.0.0/8 is ours: many clients with addresses of their own."""
    return [f"0.0.0.0:{free_port('0.0.0.0')}"]


def fence(client):
    """What was sent before has been read; returns the answers until then. Without RD, nobody is asked."""
    client.send(query(unique_name(), id=0, flags=0))
    answers = []
    while Head(answer := client.receive()).id:
        answers.append(answer)
    assert Head(answer).rcode == messages.REFUSED
    return answers


class Flood:
    """One client that asks for names nobody answers, over UDP, as fast as they are read."""

    def __init__(self, address, source):
        self.refused, self.sent = [], 0
        self._client, self._over = Udp(address, source=source), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._over.is_set():
            for id in range(1, BATCH + 1):
                self._client.send(query(unique_name("flood"), id=id, edns=opt()))
            self.refused += fence(self._client)
            self.sent += BATCH

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._client.close()


def is_served(address, known, source):
    """Over UDP and TCP, from the cache and from the upstream."""
    with Udp(address, source=source) as udp, Tcp(address, source=source) as tcp:
        for client, name in itertools.product((udp, tcp), (known, unique_name("bystander"))):
            answer = parse(client.ask(query(name)))
            assert addresses(answer) == [messages.address_of(name)], answer
    return True


@pytest.fixture
def flooded(start, start_upstream):
    """An upstream that answers what the flood asks when the test is over."""
    gate = Gate()
    upstream = start_upstream(otherwise=lambda q: (gate if q.asked.name.startswith("flood") else derive)(q))
    upstream.flood = lambda: {q.asked.name for q in list(gate.held)}
    yield upstream
    gate.open(upstream)


@pytest.mark.parametrize("limits, most", [({"queries": 300}, 150), ({"queries-per-client": 64}, 64), ({"queries-per-client": 500}, 500)])
def test_f_70_a_flood_of_random_names_has_its_share_and_the_others_all_they_ask_for(limits, most, flooded, start_sotto):
    sotto = start_sotto(flooded, listen=everywhere(), cache=cache(), limits=limits, timeouts=PATIENT)
    address, known = ("127.0.0.1", sotto.port), unique_name("known")
    assert is_served(address, known, "127.0.0.2")
    with Flood(address, "127.0.0.9") as flood:
        assert eventually(lambda: len(flood.refused) > 100, 60), f"{flood.sent} sent, none refused"
        for host in range(10, 35):
            assert is_served(address, known, f"127.0.0.{host}")
        seen = len(flood.refused)
        assert eventually(lambda: len(flood.refused) > seen + 100), "the flood had ended"
        assert len(flooded.flood()) <= most
    assert len(flooded.flood()) > most // 2, "the flood was refused what it may have"
    for answer in map(parse, flood.refused[:100]):
        assert answer.rcode() == messages.SERVFAIL and extended_errors(answer) == [0]


def test_f_70_four_floods_together_leave_places_for_others(flooded, start_sotto):
    sotto = start_sotto(flooded, listen=everywhere(), cache=cache(), limits={"queries": 100}, timeouts=PATIENT)
    address, known = ("127.0.0.1", sotto.port), unique_name("known")
    assert is_served(address, known, "127.0.0.2")
    with contextlib.ExitStack() as stack:
        floods = [stack.enter_context(Flood(address, f"127.0.0.{host}")) for host in (5, 6, 7, 8)]
        assert eventually(lambda: all(len(flood.refused) > 100 for flood in floods), 60)
        for host in range(10, 20):
            assert is_served(address, known, f"127.0.0.{host}")
        assert len(flooded.flood()) < 100


def test_f_76_ten_thousand_clients_of_one_slow_name_are_one_question_and_all_answered(start_upstream, start_sotto):
    upstream, gate, name = start_upstream(), Gate(), unique_name("slow")
    upstream.when(name, gate)
    sotto = start_sotto(upstream, listen=everywhere(), workers=2, cache=cache(), timeouts=PATIENT)
    clients = [Udp(("127.0.0.1", sotto.port), source=f"127.0.1.{host}") for host in range(1, 101)]
    for client in clients:
        for id in range(1, 101):
            client.send(query(name, id=id))
        assert not fence(client)
    assert eventually(lambda: gate.held)
    gate.open(upstream)
    for client in clients:
        answers = [client.receive() for _ in range(100)]
        assert {Head(answer).id for answer in answers} == set(range(1, 101))
        assert {answer[-4:] for answer in answers} == {bytes(map(int, messages.address_of(name).split(".")))}
        client.close()
    assert 1 <= len(upstream.asked(name)) <= 3  # sends of one lookup


def test_f_77_of_sixteen_thousand_pipelined_queries_so_many_wait_and_all_are_answered(start_upstream, start_sotto):
    gate = Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(upstream, cache=cache(), timeouts=PATIENT)
    names = [unique_name() for _ in range(1024)]
    asked = [names[id % len(names)] for id in range(16384)]
    with Tcp(sotto.address) as client:
        writer = threading.Thread(target=client.send, args=[query(name, id=id) for id, name in enumerate(asked)])
        writer.start()
        assert eventually(lambda: len(gate.held) >= 256)
        with Udp(sotto.address) as other:
            assert Head(other.ask(query(unique_name(), flags=0))).rcode == messages.REFUSED
        assert len(gate.names()) == 256
        gate.open(upstream)
        seen = {}
        for _ in asked:
            answer = client.receive()
            seen[Head(answer).id] = answer[-4:]
        writer.join()
    told = {name: bytes(map(int, messages.address_of(name).split("."))) for name in names}
    assert seen == {id: told[name] for id, name in enumerate(asked)}


# ---- answers that are larger than questions


@pytest.mark.parametrize("edns", [None, 512, 1232, 65535])
def test_f_74_what_is_large_comes_over_udp_as_no_more_than_its_question(edns, start_upstream, start_sotto):
    upstream = start_upstream(otherwise=message(lambda asked: messages.sized(asked, 4000)))
    sotto = start_sotto(upstream, cache=cache())
    with Udp(sotto.address) as client:
        for qtype, asked_upstream in (("ANY", 0), ("TXT", 1)):
            name = unique_name()
            asked = query(name, qtype, edns=edns and opt(size=edns))
            for _ in range(2):  # a miss and a hit
                answer = client.ask(asked)
                assert Head(answer).truncated and len(answer) <= 3 * len(asked)
            assert len(upstream.asked(name)) == asked_upstream


def test_f_74_who_may_not_ask_is_told_so_in_few_octets(start_sotto, flooded):
    sotto = start_sotto(flooded, listen=everywhere(), allow=["127.0.0.1"])
    asked = query(unique_name(), edns=opt())
    with Udp(("127.0.0.1", sotto.port), source="127.0.0.2") as stranger:
        answer = stranger.ask(asked)
    assert Head(answer).rcode == messages.REFUSED and len(answer) <= 3 * len(asked)
