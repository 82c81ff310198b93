"""Limits of the whole: whichever listener clients come by, however few descriptors there are."""

import contextlib
import json
import re
import resource
import socket
import time

import pytest

from bench import clients, daemon, eventually, messages
from bench.behaviours import Gate
from bench.cached import cache
from bench.clients import Head, Tcp, Udp, addresses, ask, parse
from bench.messages import KEEPALIVE, option, opt, query, unique_name

PATIENT = {"query": "60s", "attempt": "30s", "upstream-silent": "60s"}


def is_answered(client):
    name = unique_name()
    return addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]


def two_addresses():
    return [f"{host}:{daemon.free_port(host)}" for host in ("127.0.0.1", "127.0.0.2")]


def status(sotto):
    return json.loads(clients.tool(daemon.BINARY, "status", "--json", "-c", sotto.file))


def endpoint(text):
    host, _, port = text.rpartition(":")
    return (host, int(port))


# ---- connections


def test_the_limit_of_connections_holds_for_all_listeners_together(start_sotto, upstream):
    sotto = start_sotto(upstream, listen=two_addresses(), limits={"connections": 10})
    held = []
    for i in range(20):
        held.append(Tcp(endpoint(sotto.config["listen"][i % 2])))
        assert is_answered(held[-1])
    assert all(client.is_closed() for client in held[:10])
    assert all(is_answered(client) for client in held[10:])
    for client in held:
        client.close()


def test_the_limit_of_one_client_holds_for_all_listeners_together(start_sotto, upstream):
    sotto = start_sotto(upstream, listen=two_addresses(), limits={"connections-per-client": 3})
    first, second = (endpoint(text) for text in sotto.config["listen"])
    held = [Tcp(address, source="127.0.0.9") for address in (first, second, first)]
    assert all(is_answered(client) for client in held)
    with Tcp(second, source="127.0.0.9") as one_too_many, Tcp(second, source="127.0.0.8") as other:
        assert one_too_many.is_closed()
        assert is_answered(other)
    for client in held:
        client.close()


def test_clients_of_a_unix_socket_are_one_whatever_they_call_themselves(start_sotto, upstream, control_path):
    path = control_path.replace("control", "dns")
    listen = [f"[::1]:{daemon.free_port('::1')}", f"unix:{path}"]
    sotto = start_sotto(upstream, listen=listen, limits={"connections-per-client": 1})
    with Tcp(sotto.address) as other:
        assert is_answered(other)
        held = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        heard = []
        for client, letter in zip(held, "abc"):
            client.settimeout(clients.PATIENCE)
            client.bind("\0" + letter * 20 + path)
            client.connect(path)
            with contextlib.suppress(BrokenPipeError):
                client.sendall(messages.frame(query(unique_name())))
            try:
                heard.append(len(client.recv(4096)) > 0)
            except ConnectionResetError:
                heard.append(False)
        assert heard == [True, False, False]
    for client in held:
        client.close()


def test_newcomers_are_taken_while_the_oldest_connection_waits(start_sotto, start_upstream):
    upstream, gate, slow = start_upstream(), Gate(), unique_name("slow")
    upstream.when(slow, gate)
    sotto = start_sotto(upstream, limits={"connections": 5}, timeouts=PATIENT)
    oldest, *idle = held = [Tcp(sotto.address) for _ in range(5)]
    oldest.send(query(slow))
    assert eventually(lambda: gate.held)
    for _ in range(6):
        held.append(Tcp(sotto.address))
        assert is_answered(held[-1])
    assert all(client.is_closed() for client in idle)
    gate.open(upstream)
    assert addresses(parse(oldest.receive())) == [messages.address_of(slow)]
    for client in held:
        client.close()


def test_who_was_quiet_longest_gives_way_and_not_who_has_just_been_answered(start_sotto, upstream):
    sotto = start_sotto(upstream, limits={"connections": 3})
    held = [Tcp(sotto.address) for _ in range(3)]
    assert all(is_answered(client) for client in held)
    assert is_answered(held[0])
    with Tcp(sotto.address) as newest:
        assert is_answered(newest)
        assert held[1].is_closed()
        assert is_answered(held[0]) and is_answered(held[2])
    for client in held:
        client.close()


def test_a_client_at_its_own_limit_drives_nobody_away(start_sotto, upstream):
    sotto = start_sotto(
        upstream, listen=[f"0.0.0.0:{daemon.free_port('0.0.0.0')}"],
        limits={"connections": 4, "connections-per-client": 2},
    )
    address = ("127.0.0.1", sotto.port)
    others = [Tcp(address, source="127.0.0.2") for _ in range(2)]
    greedy = [Tcp(address) for _ in range(2)]
    assert all(is_answered(client) for client in others + greedy)
    for _ in range(5):
        with Tcp(address) as one_too_many:
            assert one_too_many.is_closed()
    assert all(is_answered(client) for client in others + greedy)
    for client in others + greedy:
        client.close()


def test_9210_02_a_connection_brings_as_many_queries_as_it_may_and_ends_in_order(run_sotto, upstream):
    sotto = run_sotto(upstream, limits={"queries-before-close": 5})
    names = [unique_name() for _ in range(6)]
    with Tcp(sotto.address) as client:
        client.send(*[query(name) for name in names])
        answered = {addresses(parse(client.receive()))[0] for _ in names[:5]}
        assert answered == {messages.address_of(name) for name in names[:5]}
        assert client.receive() is None
    assert not upstream.asked(names[5])
    with Tcp(sotto.address) as client:
        assert all(is_answered(client) for _ in range(5))
        assert client.is_closed()
    assert status(sotto)["clients_closed_total"]["queries"] == 2


def test_9210_02_a_connection_lasts_as_long_as_it_may_however_busy_it_is(run_sotto, upstream):
    sotto = run_sotto(upstream, timeouts={"client-lifetime": "1s"})
    with Tcp(sotto.address) as busy, Tcp(sotto.address) as idle:
        end = time.monotonic() + clients.PATIENCE
        while not busy.is_closed(0.01) and time.monotonic() < end:
            busy.send(query(unique_name()))
            if not busy.receive():
                break
        assert busy.is_closed() and idle.is_closed()
    assert status(sotto)["clients_closed_total"]["lifetime"] == 2


def test_9210_02_why_a_connection_was_closed_is_counted(run_sotto, upstream):
    sotto = run_sotto(
        upstream, listen=[f"0.0.0.0:{daemon.free_port('0.0.0.0')}"],
        limits={"connections": 3, "connections-per-client": 2}, timeouts={"client-idle": "2s", "message": "1s"},
    )
    address = ("127.0.0.1", sotto.port)
    held = [Tcp(address, source="127.0.0.9") for _ in range(2)]
    assert all(is_answered(client) for client in held)
    with Tcp(address, source="127.0.0.9") as third:
        assert third.is_closed()
    held += [Tcp(address, source=f"127.0.0.{host}") for host in (7, 8)]
    held[3].write(b"\0")
    assert all(client.is_closed() for client in held)
    closed = status(sotto)["clients_closed_total"]
    assert {why: n for why, n in closed.items() if n} == {"client_full": 1, "gave_way": 1, "idle": 2, "message": 1}
    for client in held:
        client.close()


# ---- descriptors


@pytest.mark.parametrize("workers", [1, 2])
def test_clients_leave_the_descriptors_that_the_upstream_needs(workers, start_sotto, start_upstream):
    sotto = start_sotto(
        start_upstream(), listen=two_addresses(), workers=workers, prefix=("prlimit", "--nofile=200:200")
    )
    held = [Tcp(endpoint(sotto.config["listen"][i % 2])) for i in range(300)]
    assert eventually(lambda: sum(client.is_closed(0.001) for client in held) >= 100)
    name = unique_name()
    assert addresses(ask(sotto.address, name)) == [messages.address_of(name)]
    assert not sotto.log(cause="no-files")
    for client in held:
        client.close()


@pytest.mark.parametrize("files", [8, 10, 12, 14, 16, 18, 20, 24, 32])
def test_with_few_descriptors_it_serves_few_clients_or_says_why_not(files, start, upstream):
    sotto = start.sotto(upstream, serving=False, prefix=("prlimit", f"--nofile={files}:{files}"))
    assert eventually(lambda: sotto.log_of_start() or sotto.process.poll() is not None)
    if sotto.log_of_start():
        for over in ("udp", "tcp"):
            name = unique_name()
            assert addresses(ask(sotto.address, name, over=over)) == [messages.address_of(name)]
    else:
        assert sotto.wait() == 1
        line = sotto.log(level="error")[-1]
        assert re.search("descriptors|Too many open files", line[""]) and "ulimit -n" in line["hint"]


@pytest.mark.parametrize("limits, files, hint", [
    ({}, 64, "ulimit -n"), ({"connections": 20}, 1024, "limits.connections"),
    ({"connections-per-client": 20}, 1024, "limits.connections-per-client"),
])
def test_that_clients_have_all_their_connections_is_said_once(limits, files, hint, start_sotto, upstream):
    sotto = start_sotto(upstream, limits=limits, workers=1, prefix=("prlimit", f"--nofile={files}:{files}"))
    held = [Tcp(sotto.address) for _ in range(15)]
    assert is_answered(held[-1]) and not sotto.log(level="warn")
    held += [Tcp(sotto.address) for _ in range(85)]
    line, = sotto.wait_for_log(level="warn")
    assert "all the connections" in line["msg"] and hint in line["hint"]
    assert eventually(lambda: sum(client.is_closed(0.001) for client in held) >= 40)
    assert len(sotto.log(level="warn")) == 1
    for client in held:
        client.close()


def test_that_no_connection_can_be_accepted_is_said_once(start_sotto, upstream):
    sotto = start_sotto(upstream, workers=1)
    before = resource.prlimit(sotto.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(sotto.process.pid, resource.RLIMIT_NOFILE, (3, before[1]))
    with Tcp(sotto.address) as client:
        line, = sotto.wait_for_log(level="warn")
        time.sleep(0.5)  # some more attempts
        assert len(sotto.log(level="warn")) == 1
        resource.prlimit(sotto.process.pid, resource.RLIMIT_NOFILE, before)
        assert is_answered(client)
    assert line["msg"] == "cannot accept connections: clients wait" and "ulimit -n" in line["hint"]


# ---- queries


def test_what_is_not_admitted_is_refused_in_the_same_way_when_all_places_are_taken(start_sotto, start_upstream, over):
    gate = Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(
        upstream, listen=[f"0.0.0.0:{daemon.free_port('0.0.0.0')}"], allow=["127.0.0.1"], limits={"queries": 1},
        timeouts=PATIENT,
    )
    address, name = ("127.0.0.1", sotto.port), unique_name()
    cases = {
        "a stranger": ("127.0.0.2", query(name, id=1, edns=opt())),
        "a STATUS query": ("127.0.0.1", query(name, id=2, flags=2 << 11)),
        "a query without RD": ("127.0.0.1", query(name, id=3, flags=0, edns=opt())),
        "a transfer": ("127.0.0.1", query(name, "AXFR", id=4)),
        "another EDNS version": ("127.0.0.1", query(name, id=5, edns=opt(version=1))),
    }

    def answers():
        out = {}
        for case, (source, message) in cases.items():
            with clients.OVER[over](address, source=source) as client:
                out[case] = client.ask(message)
        return out

    with_room = answers()
    with Tcp(address) as busy:
        busy.send(query(unique_name()))
        assert eventually(lambda: gate.held)
        assert answers() == with_room
        assert Head(with_room["a stranger"]).rcode == messages.REFUSED
        with Udp(address) as one_too_many:
            assert Head(one_too_many.ask(query(name))).rcode == messages.SERVFAIL
        gate.open(upstream)
        assert Head(busy.receive()).rcode == messages.NOERROR


# ---- how often


def test_above_its_rate_a_client_hears_tc_or_nothing_over_udp_and_others_hear_everything(run_sotto, start_upstream):
    address, name = ("127.0.0.1", daemon.free_port("0.0.0.0")), unique_name()
    sotto = run_sotto(
        start_upstream(), listen=[f"0.0.0.0:{address[1]}"], limits={"queries-per-second": 5}, cache=cache(), workers=2
    )
    sent, heard = 0, []
    with Udp(address, source="127.0.0.9") as client, Udp(address, source="127.0.0.8") as other:
        other.ask(query(name))
        for _ in range(10):
            for _ in range(20):
                client.send(query(name))
            sent += 20
            assert eventually(lambda: status(sotto)["dns_requests_total"]["udp"] == 1 + sent)
            while answer := client.receive(0):
                heard.append(Head(answer))
        assert not Head(other.ask(query(name))).truncated
    over = status(sotto)["dns_over_rate_total"]
    cut = [answer for answer in heard if answer.truncated]
    assert over["truncated"] == len(cut) > 0 and over["dropped"] - over["truncated"] in (0, 1)
    assert all(answer.counts[1:3] == (0, 0) and answer.rcode == messages.NOERROR for answer in cut)
    assert len(heard) - len(cut) >= 5 and len(heard) + over["dropped"] == sent
    line, = sotto.log(level="warn")
    assert "asks more than it may" in line["msg"] and "limits.queries-per-second" in line["hint"]


def test_above_its_rate_a_connection_waits_and_is_answered_in_full(run_sotto, start_upstream):
    sotto = run_sotto(start_upstream(), limits={"queries-per-second": 10})
    names = [unique_name() for _ in range(15)]
    with Udp(sotto.address) as udp, Tcp(sotto.address) as tcp:
        for _ in range(30):  # more than may come, which is no matter of the connection
            udp.send(query(unique_name()))
        tcp.send(*[query(name) for name in names])
        tcp.end()
        answered = {addresses(parse(tcp.receive()))[0] for _ in names}
        assert answered == {messages.address_of(name) for name in names}
        assert tcp.receive() is None
    assert status(sotto)["dns_over_rate_total"]["held"] > 0


# ---- what is told of them


@pytest.mark.parametrize("idle", ["2h", "6553600ms", "1d"])
def test_an_idle_timeout_that_is_too_long_to_be_told_is_told_as_the_longest(idle, start_sotto, upstream, name):
    sotto = start_sotto(upstream, timeouts={"client-idle": idle})
    answer = ask(sotto.address, name, over="tcp", edns=opt(options=option(KEEPALIVE)))
    told, = [o.data for o in answer.options if int(o.otype) == KEEPALIVE]
    assert told == (65535).to_bytes(2, "big")
