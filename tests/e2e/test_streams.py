"""Queries over TCP (RFC 7766, 7828, 9210): pipelining, timers, limits, and clients that misbehave. Rows of
docs/conformance are named. Whatever one client does, another one is served."""

import random
import socket
import time

import pytest

from bench import behaviours, clients, eventually, messages
from bench.behaviours import Gate
from bench.clients import Head, Tcp, addresses, ask, extended_errors, parse
from bench.daemon import free_port
from bench.messages import KEEPALIVE, frame, option, opt, query, unique_name


def address_in(answer):
    return addresses(parse(answer))[0]


def is_served(sotto, source=None):
    """Another client gets its answers over UDP and over TCP."""
    for over in ("udp", "tcp"):
        name = unique_name("bystander")
        with clients.OVER[over](sotto.address, source=source) as client:
            assert address_in(client.ask(query(name))) == messages.address_of(name)
    return True


# ---- 7766: one connection, many queries


def test_7766_01_an_answer_comes_on_the_connection_of_its_query(sotto):
    connections = [Tcp(sotto.address) for _ in range(20)]
    names = [[unique_name() for _ in range(5)] for _ in connections]
    for turn in range(5):
        for id, client in enumerate(connections):
            client.send(query(names[id][turn], id=7))  # the same ID everywhere
    for id, client in enumerate(connections):
        assert {address_in(client.receive()) for _ in range(5)} == {messages.address_of(n) for n in names[id]}
        assert client.is_open()
        client.close()


def test_7766_02_a_slow_query_holds_back_none_of_the_999_behind_it(start_upstream, start_sotto):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts={"query": "60s", "attempt": "30s", "upstream-silent": "30s"})
    slow, gate = unique_name("slow"), Gate()
    upstream.when(slow, gate)
    names = {0: slow, **{id: unique_name() for id in range(1, 1000)}}
    with Tcp(sotto.address) as client:
        client.send(*(query(name, id=id) for id, name in names.items()))
        seen = {}
        for _ in range(999):
            answer = client.receive()
            seen[Head(answer).id] = address_in(answer)
        gate.open(upstream)
        last = client.receive()
    assert Head(last).id == 0
    assert seen == {id: messages.address_of(name) for id, name in names.items() if id}


def test_7766_02_answers_come_as_they_are_ready(sotto, upstream):
    first, second, gate = unique_name(), unique_name(), Gate()
    upstream.when(first, gate)
    with Tcp(sotto.address) as client:
        client.send(query(first, id=1), query(second, id=2))
        assert Head(client.receive()).id == 2
        gate.open(upstream)
        assert Head(client.receive()).id == 1


def test_7766_02_one_id_may_be_used_by_two_queries_at_once(sotto):
    names = [unique_name() for _ in range(2)]
    with Tcp(sotto.address) as client:
        client.send(*(query(name, id=5) for name in names))
        assert {address_in(client.receive()) for _ in names} == {messages.address_of(name) for name in names}


def test_7766_04_a_dripping_message_is_not_kept_alive_by_its_octets(start_sotto, upstream):
    sotto = start_sotto(upstream, timeouts={"message": "1s", "client-idle": "1h"})
    with Tcp(sotto.address) as client:
        closed, octets = False, frame(query("a-name-that-is-long-enough-to-drip-for-a-while.t.test"))
        for at in range(len(octets) - 1):
            try:
                client.write(octets[at : at + 1])
            except ConnectionError:
                closed = True
            if closed or client.is_closed(0.2):
                closed = True
                break
        assert closed, "every octet restarted the timer"
        assert is_served(sotto)


def test_7766_04_answered_queries_restart_the_timer_of_the_next_message(start_sotto, upstream):
    sotto = start_sotto(upstream, timeouts={"message": "60s", "client-idle": "60s"})
    with Tcp(sotto.address) as client:
        for _ in range(3):
            asked = frame(query(unique_name()))
            client.write(asked[:5])
            assert not client.is_closed(0.1)
            client.write(asked[5:])
            assert client.receive()


def test_9210_02_an_idle_connection_is_closed(start_sotto, upstream):
    sotto = start_sotto(upstream, timeouts={"client-idle": "300ms"})
    with Tcp(sotto.address) as fresh, Tcp(sotto.address) as used:
        assert used.ask(query(unique_name()))
        assert fresh.is_closed() and used.is_closed()


def test_9210_02_a_connection_that_waits_for_an_answer_is_not_idle(start_sotto, start_upstream, name):
    upstream, gate = start_upstream(), Gate()
    upstream.when(name, gate)
    sotto = start_sotto(upstream, timeouts={"client-idle": "100ms", "query": "60s", "upstream-silent": "60s"})
    with Tcp(sotto.address) as client:
        client.send(query(name))
        assert not client.is_closed(0.5)
        gate.open(upstream)
        assert address_in(client.receive()) == messages.address_of(name)


def test_7766_05_a_client_that_leaves_before_its_answer_harms_nobody(sotto, upstream):
    for leave in ("fin", "reset"):
        gate, name = Gate(), unique_name("gone")
        upstream.when(name, gate)
        client = Tcp(sotto.address)
        client.send(query(name))
        assert eventually(lambda: gate.held)
        if leave == "reset":
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        is_served(sotto)
        gate.open(upstream)
        is_served(sotto)


def test_7766_07_length_and_answer_come_in_one_segment(sotto):
    with Tcp(sotto.address) as client:
        for _ in range(50):
            client.send(query(unique_name()))
            octets = client.socket.recv(65536)
            assert len(octets) == 2 + int.from_bytes(octets[:2], "big")


def test_7766_07_a_query_to_the_upstream_is_one_record(start_upstream, start_sotto):
    upstream = start_upstream()
    sotto = start_sotto(upstream)
    ask(sotto.address, unique_name())
    before = upstream.connections[0].record_types().count(0x17)
    for _ in range(10):
        ask(sotto.address, unique_name())
    assert upstream.connections[0].record_types().count(0x17) == before + 10


def test_a_client_that_sends_no_more_still_gets_its_answers(sotto, upstream):
    names, gate = [unique_name("half") for _ in range(50)], Gate()
    for name in names:
        upstream.when(name, gate)
    with Tcp(sotto.address) as client:
        client.send(*(query(name) for name in names))
        client.end()
        assert eventually(lambda: len(gate.names()) == len(names))
        gate.open(upstream)
        assert {address_in(client.receive()) for _ in names} == {messages.address_of(name) for name in names}
        assert client.receive() is None, "the connection stays open after the last answer"


def test_a_client_that_ends_within_a_message_is_let_go(sotto, name):
    with Tcp(sotto.address) as client:
        client.write(frame(query(name))[:9])
        client.end()
        assert client.is_closed()
        assert is_served(sotto)


def test_9103_01_a_refused_transfer_leaves_the_pipeline_as_it_was(sotto):
    names = [unique_name() for _ in range(2)]
    with Tcp(sotto.address) as client:
        client.send(query(names[0], id=1), query("t.test", "AXFR", id=2), query(names[1], id=3))
        rcodes = {}
        for _ in range(3):
            head = Head(client.receive())
            rcodes[head.id] = head.rcode
    assert rcodes == {1: messages.NOERROR, 2: messages.REFUSED, 3: messages.NOERROR}


# ---- 7828: keepalive


def keepalives(answer):
    return [o.to_wire() if hasattr(o, "to_wire") else o.data for o in answer.options if int(o.otype) == KEEPALIVE]


def test_7828_01_the_idle_timeout_is_told_over_tcp_to_who_asks(start_sotto, upstream, name):
    sotto = start_sotto(upstream, timeouts={"client-idle": "7s"})
    told = ask(sotto.address, name, over="tcp", edns=opt(options=option(KEEPALIVE)))
    assert keepalives(told) == [(70).to_bytes(2, "big")]


def test_7828_01_it_is_not_told_unasked_or_over_udp(sotto, name):
    assert not keepalives(ask(sotto.address, name, over="tcp", edns=opt()))
    answer = ask(sotto.address, name, over="udp", edns=opt(options=option(KEEPALIVE)))
    assert addresses(answer) and not keepalives(answer)


# ---- 9210: service and limits


def test_9210_01_tcp_needs_no_udp_before_it(start_sotto, upstream, name):
    assert addresses(ask(start_sotto(upstream).address, name, over="tcp")) == [messages.address_of(name)]


def test_9210_02_one_client_has_so_many_connections_and_another_one_its_own(start_sotto, upstream):
    sotto = start_sotto(upstream, listen=[f"0.0.0.0:{free_port('0.0.0.0')}"], limits={"connections-per-client": 5})
    address = ("127.0.0.1", sotto.port)
    held = [Tcp(address) for _ in range(5)]
    for client in held:
        client.ask(query(unique_name()))
    with Tcp(address) as sixth, Tcp(address, source="127.0.0.2") as other:
        assert sixth.is_closed()
        other.ask(query(unique_name()))
    for client in held:
        client.ask(query(unique_name()))
        client.close()

    def served_again():
        with Tcp(address) as again:
            again.send(query(unique_name()))
            return again.receive()

    assert eventually(served_again), "closed connections still count"


def test_9210_02_with_all_connections_taken_the_longest_idle_one_gives_way(start_sotto, upstream):
    sotto = start_sotto(upstream, limits={"connections": 5})
    held = [Tcp(sotto.address) for _ in range(5)]
    for client in held:
        client.ask(query(unique_name()))
    with Tcp(sotto.address) as newest:
        newest.ask(query(unique_name()))
        assert held[0].is_closed()
        for client in held[1:]:
            client.ask(query(unique_name()))
            client.close()


def test_9210_02_a_connection_with_queries_does_not_give_way(start_sotto, start_upstream):
    upstream, gate = start_upstream(), Gate()
    sotto = start_sotto(
        upstream, limits={"connections": 3}, timeouts={"query": "60s", "attempt": "30s", "upstream-silent": "60s"}
    )
    names = [unique_name("held") for _ in range(3)]
    busy = []
    for name in names:
        upstream.when(name, gate)
        busy.append(Tcp(sotto.address))
        busy[-1].send(query(name))
    assert eventually(lambda: len(gate.names()) == 3)
    with Tcp(sotto.address) as turned_away:
        assert turned_away.is_closed()
    gate.open(upstream)
    for client, name in zip(busy, names):
        assert address_in(client.receive()) == messages.address_of(name)
        client.close()


def test_9210_02_one_connection_has_so_many_queries_waiting_and_the_rest_waits_outside(start_sotto, start_upstream):
    gate = Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(
        upstream, limits={"queries-per-connection": 4},
        timeouts={"query": "60s", "attempt": "30s", "upstream-silent": "60s"},
    )
    upstream.when("fence.t.test", behaviours.derive)
    names = {id: unique_name() for id in range(10)}
    with Tcp(sotto.address) as client:
        client.send(*(query(name, id=id) for id, name in names.items()))
        assert eventually(lambda: len(gate.names()) == 4)
        ask(sotto.address, "fence.t.test", over="tcp")
        assert len(gate.names()) == 4, "more were taken than may wait"
        gate.open(upstream)
        answers = [client.receive() for _ in names]
    assert {Head(a).id: address_in(a) for a in answers} == {id: messages.address_of(n) for id, n in names.items()}


def test_a_query_above_the_clients_share_is_answered_servfail(start_sotto, start_upstream):
    gate = Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(
        upstream, limits={"queries": 8}, timeouts={"query": "60s", "attempt": "30s", "upstream-silent": "60s"}
    )
    with Tcp(sotto.address) as client:  # one alone has half of all
        client.send(*(query(unique_name(), id=id) for id in range(4)))
        assert eventually(lambda: len(gate.names()) == 4)
        client.send(query(unique_name(), id=4, edns=opt()))
        answer = parse(client.receive())
        assert (answer.id, answer.rcode()) == (4, messages.SERVFAIL)
        assert extended_errors(answer)
        gate.open(upstream)
        assert {Head(client.receive()).id for _ in range(4)} == {0, 1, 2, 3}


def test_9210_03_with_few_files_the_oldest_idle_connection_gives_way(start_sotto, upstream):
    sotto = start_sotto(
        upstream, prefix=("prlimit", "--nofile=256:256"), limits={"connections-per-client": 1000}
    )
    held = []
    for _ in range(300):
        held.append(Tcp(sotto.address))
        assert address_in(held[-1].ask(query(name := unique_name()))) == messages.address_of(name)
    assert held[0].is_closed()
    assert is_served(sotto)
    for client in held:
        client.close()


# ---- clients that misbehave


def test_a_client_that_never_reads_is_disconnected(start_sotto, start_upstream):
    upstream = start_upstream(otherwise=behaviours.message(lambda asked: messages.sized(asked, 60000)))
    sotto = start_sotto(upstream, timeouts={"write": "1s", "client-idle": "1h"})
    with Tcp(sotto.address, receive_buffer=4096) as client:
        client.socket.settimeout(20)
        disconnected = False
        try:
            for _ in range(200):
                client.send(*(query(unique_name(), "TXT") for _ in range(50)))
                time.sleep(0.05)
        except (ConnectionError, TimeoutError) as error:
            disconnected = isinstance(error, ConnectionError)
        assert disconnected
    with Tcp(sotto.address) as other:
        assert len(other.ask(query(unique_name(), "TXT"))) == 60000


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\xff\xff" + b"\xff" * 65535,
        b"\xff\xff" + b"\0" * 65535,
        frame(b"\xff" * 12),
        frame(b"\xff" * 512),
    ],
    ids=["HTTP", "TLS", "SSH", "ones", "zeroes", "a header of ones", "a message of ones"],
)
def test_garbage_disturbs_nobody(octets, sotto):
    with Tcp(sotto.address) as client:
        client.write(octets)
        assert is_served(sotto)
        client.end()
        assert client.is_closed()
    assert is_served(sotto)


def test_garbage_that_never_becomes_a_message_is_closed_by_the_timer(start_sotto, upstream):
    sotto = start_sotto(upstream, timeouts={"message": "300ms"})
    with Tcp(sotto.address) as client:
        client.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.is_closed()


@pytest.mark.parametrize("length", [0, 1, 11])
def test_a_bad_length_behind_good_queries_costs_them_nothing(length, sotto, upstream):
    name, gate = unique_name(), Gate()
    upstream.when(name, gate)
    with Tcp(sotto.address) as client:
        client.write(frame(query(name)) + frame(b"x" * length))
        assert eventually(lambda: gate.held)
        gate.open(upstream)
        assert address_in(client.receive()) == messages.address_of(name)
        assert client.is_closed()


def test_a_message_of_65535_octets_is_read(sotto, name):
    room = 65535 - len(query(name, edns=opt(options=option(65001))))
    asked = query(name, edns=opt(options=option(65001, b"x" * room)))
    assert len(asked) == 65535
    with Tcp(sotto.address) as client:
        assert address_in(client.ask(asked)) == messages.address_of(name)


def test_an_answer_of_65535_octets_is_delivered(sotto, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 65535)))
    with Tcp(sotto.address) as client:
        assert len(client.ask(query(name, "TXT"))) == 65535


def test_random_octets_over_udp_disturb_nobody(sotto):
    dice = random.Random(9000)
    with clients.Udp(sotto.address) as client:
        for _ in range(500):
            client.send(dice.randbytes(dice.randrange(0, 600)))
    assert is_served(sotto)


def test_random_octets_over_tcp_disturb_nobody(sotto):
    dice = random.Random(9001)
    for _ in range(50):
        with Tcp(sotto.address) as client:
            try:
                client.write(dice.randbytes(dice.randrange(1, 2000)))
            except ConnectionError:
                pass
    assert is_served(sotto)


def test_urgent_data_disturbs_nobody(sotto):
    with Tcp(sotto.address) as client:
        client.write(frame(query(unique_name()))[:10])
        client.socket.send(b"!", socket.MSG_OOB)
        assert is_served(sotto)


def test_five_hundred_connections_at_once_are_served(sotto):
    connections = [Tcp(sotto.address) for _ in range(500)]
    names = [unique_name() for _ in connections]
    for client, name in zip(connections, names):
        client.send(query(name))
    for client, name in zip(connections, names):
        assert address_in(client.receive()) == messages.address_of(name)
        client.close()
    assert is_served(sotto)
