"""Sockets that a service manager binds and hands over (sd_listen_fds(3)): sotto listens on them and on nothing else, and what
comes while it is restarted waits in them."""

import contextlib
import os
import pathlib
import socket
import threading

import pytest

from bench import clients, daemon, eventually, manager, messages
from bench.clients import Tcp, Udp, addresses, ask

CLOSE_ON_EXEC = 0o2000000


def answered(address, name, over):
    return addresses(ask(address, name, over=over)) == [messages.address_of(name)]


@pytest.fixture
def sockets():
    """Makes them, and closes them at the end, which sotto does not outlive."""
    made = []

    def make(*hosts, **how):
        new = [one for host in hosts for one in manager.pair(host, **how)]
        made.extend(new)
        return new

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_they_are_the_listeners_where_none_are_configured(workers, sockets, start_upstream, start_sotto, name, over):
    handed = sockets("127.0.0.1", "::1")
    sotto = start_sotto(start_upstream(), listen=None, handed=handed, workers=workers)
    for one in handed:
        for i in range(5):
            assert answered(one.getsockname()[:2], f"{i}-{one.fileno()}.{name}", over)
    assert sotto.log_of_start()["listen"].split() == [
        f"127.0.0.1:{handed[0].getsockname()[1]}", f"[::1]:{handed[2].getsockname()[1]}"
    ]


def test_those_that_listen_names_are_used_and_the_others_are_bound(sockets, start_upstream, start_sotto, name, over):
    handed = sockets("127.0.0.1")
    there, own = handed[0].getsockname(), ("127.0.0.1", daemon.free_port())
    start_sotto(start_upstream(), listen=[f"{host}:{port}" for host, port in (own, there)], handed=handed, workers=2)
    assert answered(there, name, over) and answered(own, "own." + name, over)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_worker_that_stands_still_does_not_keep_the_others_from_them(
    number, sockets, start_upstream, start_sotto, name
):
    handed = sockets("127.0.0.1")
    sotto = start_sotto(start_upstream(), listen=None, handed=handed, workers=3)
    ask(sotto.address, "before." + name)
    with manager.Held(manager.threads_of(sotto.process)[number]):
        for i in range(20):
            assert answered(sotto.address, f"{i}.{name}", "udp")
            assert answered(sotto.address, f"tcp-{i}.{name}", "tcp")


def test_one_datagram_wakes_one_worker(sockets, start_upstream, start_sotto):
    sotto = start_sotto(start_upstream(), listen=None, handed=sockets("127.0.0.1"), workers=4)

    def wakes():
        tasks = pathlib.Path(f"/proc/{sotto.process.pid}/task").glob("*/status")
        return sum(int(task.read_text().partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for task in tasks)

    with Udp(sotto.address) as udp:
        before = wakes()
        for i in range(200):
            udp.ask(i.to_bytes(2, "big") + b"\x10\0" + bytes(8))  # STATUS: not implemented, and nobody is asked
        assert wakes() - before < 2 * 200


def test_an_answer_comes_from_the_address_that_was_asked(sockets, start_upstream, start_sotto, name):
    handed = sockets("0.0.0.0")
    sotto = start_sotto(start_upstream(), listen=None, handed=handed)
    for host in ("127.0.0.1", "127.0.0.2"):  # the client's socket is connected to it
        assert answered((host, sotto.port), f"{host[-1]}.{name}", "udp")


def test_one_of_both_families_serves_both(sockets, start_upstream, start_sotto, name, over):
    handed = sockets("::", both_families=True)
    sotto = start_sotto(start_upstream(), listen=None, handed=handed)
    for host in ("::1", "127.0.0.1", "127.0.0.2"):
        assert answered((host, sotto.port), f"{host[-1]}{':' in host}.{name}", over)


def test_what_comes_while_none_runs_is_answered_by_the_next_one(sockets, start_upstream, start_sotto, name):
    handed = sockets("127.0.0.1")
    upstream = start_upstream()
    first = start_sotto(upstream, listen=None, handed=handed, workers=2)
    ask(first.address, "first." + name)
    first.stop()
    with Udp(first.address) as udp, Tcp(first.address) as tcp:
        udp.send(messages.query(name))
        tcp.send(messages.query("tcp." + name))
        start_sotto(upstream, listen=None, handed=handed, workers=2)
        assert addresses(clients.parse(udp.receive())) == [messages.address_of(name)]
        assert addresses(clients.parse(tcp.receive())) == [messages.address_of("tcp." + name)]


def test_no_client_notices_a_restart(sockets, start_upstream, start_sotto, name):
    """Three processes come and go. Each datagram is sent once, and has an answer; no connection is refused, and one that
    a process had accepted when it was told to end is closed, as RFC 7766 §6.2.4 has it, once at most for each."""
    handed = sockets("127.0.0.1")
    address, upstream = handed[0].getsockname(), start_upstream()
    done, faults, closed, counts = threading.Event(), [], [], {"udp": 0, "tcp": 0}

    def keep_asking(over):
        while not done.is_set() and not faults:
            asked = f"{counts[over]}.{over}.{name}"
            try:
                if over == "tcp":
                    with Tcp(address) as tcp:
                        with contextlib.suppress(ConnectionError):
                            tcp.send(messages.query(asked))
                        wire = tcp.receive()
                    if wire is None:
                        closed.append(asked)
                        continue
                else:
                    with Udp(address) as udp:
                        wire = udp.ask(messages.query(asked))
                assert addresses(clients.parse(wire)) == [messages.address_of(asked)]
            except Exception as fault:  # any is a client that noticed
                faults.append(f"{asked}: {fault!r}")
            counts[over] += 1

    clients_of_it = [threading.Thread(target=keep_asking, args=(over,)) for over in counts]
    for one in clients_of_it:
        one.start()
    for _ in range(3):
        sotto = start_sotto(upstream, listen=None, handed=handed, workers=2)
        before = dict(counts)
        assert eventually(lambda: all(counts[over] > before[over] + 20 for over in counts) or faults)
        sotto.stop()
    last = start_sotto(upstream, listen=None, handed=handed)
    done.set()
    for one in clients_of_it:
        one.join()
    last.stop()
    assert not faults
    assert len(closed) <= 3


def refused(start, *handed, **how):
    """What sotto says, which does not start on these sockets."""
    sotto = start.sotto("tls://127.0.0.1:1#upstream.test", serving=False, handed=handed, **{"listen": None, **how})
    assert sotto.wait() == 78
    return sotto.text()


def test_one_that_listen_does_not_name_is_an_error(start, sockets):
    handed = sockets("127.0.0.1")
    said = refused(start, *handed, listen=["127.0.0.1:1053"])
    assert f"hands over a socket at 127.0.0.1:{handed[0].getsockname()[1]}, which is not listed" in said
    assert said.count("hands over") == 1


@pytest.mark.parametrize("left, word", [(0, "UDP only: add ListenStream="), (1, "TCP only: add ListenDatagram=")])
def test_an_address_with_only_one_of_udp_and_tcp_is_an_error(left, word, start, sockets):
    assert word in refused(start, sockets("127.0.0.1")[left])


def wrong_kinds():
    listener = manager.bound("127.0.0.1", 0, socket.SOCK_STREAM)
    peer = socket.create_connection(listener.getsockname())
    connection, _ = listener.accept()
    connected = manager.bound("127.0.0.1", 0, socket.SOCK_DGRAM)
    connected.connect(("127.0.0.1", 9))
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    unix, other = socket.socketpair(type=socket.SOCK_DGRAM)
    file = open(os.devnull)
    unbound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    twice = manager.bound("127.0.0.1", 0, socket.SOCK_DGRAM)
    return [listener, peer, other], {
        "a connection": ([connection], "it is connected"),
        "a connected datagram socket": ([connected], "it is connected"),
        "a stream that does not listen": ([deaf], "it does not listen"),
        "a unix socket of datagrams": ([unix], "a unix socket has to be one of streams"),
        "a file": ([file], "it is no socket"),
        "a socket that is not bound": ([unbound], "it is not bound to a port"),
        "the same twice": ([twice, twice], "another one is bound to the same address"),
    }


@pytest.mark.parametrize("kind", list(wrong_kinds()[1]))
def test_what_cannot_be_served_is_an_error_with_its_name(kind, start):
    kept, kinds = wrong_kinds()
    handed, why = kinds[kind]
    said = refused(start, *handed, environment={"LISTEN_FDNAMES": "one:two"})
    number = 3 + len(handed) - 1
    assert f"descriptor {number} ({['one', 'two'][number - 3]}) cannot be served: {why}" in said
    for one in kept + handed:
        one.close()


def test_a_descriptor_that_is_not_open_is_an_error(start, sockets):
    said = refused(start, *sockets("127.0.0.1"), environment={"LISTEN_FDS": "3"})
    assert "descriptor 5 (?) cannot be served: it is not open" in said


@pytest.mark.parametrize("count", ["-1", "many", "129", ""])
def test_a_number_of_sockets_that_is_none_is_an_error(count, start, sockets):
    said = refused(start, *sockets("127.0.0.1"), environment={"LISTEN_FDS": count})
    assert f"LISTEN_FDS={count}: a number of at most 128 is wanted" in said


def test_those_of_another_process_are_not_taken(start_upstream, start_sotto, sockets, name, over):
    handed, own = sockets("127.0.0.1"), ("127.0.0.1", daemon.free_port())
    start_sotto(
        start_upstream(), handed=handed, environment={"LISTEN_PID": "1"}, listen=[f"{own[0]}:{own[1]}"]
    )
    assert answered(own, name, over)


def test_nobody_inherits_them_from_sotto(start_upstream, start_sotto, sockets):
    sotto = start_sotto(start_upstream(), listen=None, handed=sockets("127.0.0.1"))
    for fd in (3, 4):
        flags, = (
            int(line.split()[1], 8)
            for line in pathlib.Path(f"/proc/{sotto.process.pid}/fdinfo/{fd}").read_text().splitlines()
            if line.startswith("flags:")
        )
        assert flags & CLOSE_ON_EXEC and flags & os.O_NONBLOCK
