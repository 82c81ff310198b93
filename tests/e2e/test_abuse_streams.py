"""Connections: millions of queries on one, ten thousand of nothing, clients that take no answers, that come and go. What is
measured in memory is measured on the release, and never in time: who is "unaffected" is answered while the others go
on. Rows are those of the list of failures (S-40 and on, F-71 and on)."""

import contextlib
import os
import pathlib
import resource
import socket
import struct
import threading
import time

import pytest

from bench import daemon, eventually, messages
from bench.behaviours import close_after, derive, message
from bench.cached import cache
from bench.claims import are_answered, names
from bench.clients import Head, Tcp, Udp, addresses, parse
from bench.messages import frame, query, unique_name

RELEASE = os.environ.get("RELEASE", daemon.BINARY)
LASTING = {"client-idle": "1h", "message": "1h"}
CLOSE_WAIT = "08"  # as /proc/net/tcp has it


def release(before="true"):
    """A prefix that runs the release instead of what is tested, behind a command of the shell."""
    if pathlib.Path(RELEASE).samefile(daemon.BINARY) and b"__asan_init" in daemon.BINARY.read_bytes():
        pytest.skip("there is no release to measure")
    return ("sh", "-c", f'{before} && shift && exec "$0" "$@"', RELEASE)


def resident(sotto):
    """Octets of memory."""
    status = pathlib.Path(f"/proc/{sotto.process.pid}/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def ticks(sotto):
    """Hundredths of a second that its threads have run."""
    fields = pathlib.Path(f"/proc/{sotto.process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def files(sotto):
    return len(os.listdir(f"/proc/{sotto.process.pid}/fd"))


def half_closed(sotto):
    """Its connections that a client has ended, and sotto has not."""
    ours = set()
    for fd in pathlib.Path(f"/proc/{sotto.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            ours.add(os.readlink(fd))
    lines = pathlib.Path(f"/proc/{sotto.process.pid}/net/tcp").read_text().splitlines()[1:]
    return [f for f in map(str.split, lines) if f[3] == CLOSE_WAIT and f"socket:[{f[9]}]" in ours]


def is_served(sotto, name):
    """Over UDP, a connection of its own, from the cache and from the upstream."""
    with Udp(sotto.address) as udp, Tcp(sotto.address) as tcp:
        for client in (udp, tcp):
            for asked in (name, unique_name("bystander")):
                assert addresses(parse(client.ask(query(asked)))) == [messages.address_of(asked)]
    return True


@pytest.fixture
def many_files():
    """Descriptors for ten thousand connections, here and in whom we start."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 11000:
        pytest.skip("needs 11,000 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 11000), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


# ---- many queries on one connection


class Torrent:
    """A client that pipelines the same queries, block after block, and reads what comes as fast as it can."""

    def __init__(self, address, name):
        self.block = b"".join(frame(query(name, id=id)) for id in range(1000))
        self.client, self.taken, self.error = Tcp(address), 0, None
        self._over = threading.Event()
        self._threads = [threading.Thread(target=t) for t in (self._write, self._read)]
        for thread in self._threads:
            thread.start()

    def _write(self):
        while not self._over.is_set():
            self.client.write(self.block)
        self.client.end()

    def _read(self):
        while octets := self.client.socket.recv(1 << 20):
            self.taken += len(octets)

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.client.close()


def pour(client, block, blocks):
    for _ in range(blocks):
        client.write(block)
    client.end()


@pytest.mark.parametrize("workers", [1, 2])
def test_s_40_a_million_queries_on_one_connection_need_no_stack(workers, start_sotto, start_upstream, name):
    """The stacks of all threads are 128 KiB."""
    sotto = start_sotto(
        start_upstream(), cache=cache(), workers=workers, log={"level": "info"}, prefix=release("ulimit -s 128")
    )
    limit, = (line.split() for line in pathlib.Path(f"/proc/{sotto.process.pid}/limits").read_text().splitlines()
              if line.startswith("Max stack size"))
    assert limit[3] == str(128 * 1024)
    with Tcp(sotto.address) as client:
        one = client.ask(query(name, id=0))
        block = b"".join(frame(query(name, id=id)) for id in range(1000))
        writer = threading.Thread(target=pour, args=(client, block, 1000))
        writer.start()
        size, count, left = 2 + len(one), 0, b""
        while octets := client.socket.recv(1 << 20):
            left += octets
            whole = len(left) // size * size
            ids = zip(left[2:whole:size], left[3:whole:size])
            assert all(256 * high + low == (count + n) % 1000 for n, (high, low) in enumerate(ids))
            assert left[size - 4 : whole : size] == one[-4:-3] * (whole // size)
            count, left = count + whole // size, left[whole:]
        writer.join()
    assert (count, left) == (1_000_000, b"")


def test_s_41_others_are_answered_while_one_pours_in_queries_without_end(start_sotto, upstream, name):
    sotto = start_sotto(upstream, cache=cache(), log={"level": "info"})
    assert is_served(sotto, name)
    torrent = Torrent(sotto.address, name)
    try:
        for _ in range(20):
            before = torrent.taken
            assert is_served(sotto, name)
            assert eventually(lambda: torrent.taken > before), "there is no torrent"
    finally:
        torrent.stop()


# ---- who takes no answers


def test_s_43_f_81_what_is_kept_for_clients_that_never_read_is_bounded(start_sotto, start_upstream, name):
    upstream, large = start_upstream(), unique_name("large")
    upstream.when(large, message(lambda asked: messages.sized(asked, 60000)))
    sotto = start_sotto(
        upstream, cache=cache(), workers=1, limits={"unsent": "4MiB"}, timeouts={"write": "1h"}, prefix=release()
    )
    assert is_served(sotto, name)
    before, held = resident(sotto), []
    for _ in range(200):  # without the bound: 50 MiB
        held.append(Tcp(sotto.address, receive_buffer=4096))
        held[-1].send(*(query(large, "TXT") for _ in range(100)))
        assert is_served(sotto, name)
    assert resident(sotto) - before < 16 << 20
    assert sotto.wait_for_log(msg="clients do not take their answers: who left most is disconnected")
    assert sum(client.is_closed(0.001) for client in held) >= 100
    assert is_served(sotto, name)
    for client in held:
        client.close()


def test_s_43_who_takes_its_answers_is_not_disconnected_for_those_who_do_not(start_sotto, start_upstream):
    upstream, large = start_upstream(), unique_name("large")
    upstream.when(large, message(lambda asked: messages.sized(asked, 60000)))
    sotto = start_sotto(upstream, cache=cache(), limits={"unsent": "1MiB"}, timeouts={"write": "1h"})
    with Tcp(sotto.address) as reader, contextlib.ExitStack() as mutes:
        for _ in range(30):
            mute = mutes.enter_context(Tcp(sotto.address, receive_buffer=4096))
            mute.send(*(query(large, "TXT") for _ in range(100)))
            assert len(reader.ask(query(large, "TXT"))) == 60000
    assert sotto.log(msg="clients do not take their answers: who left most is disconnected")


# ---- ten thousand of nothing


def test_f_71_ten_thousand_idle_connections_stay_cost_little_and_the_oldest_gives_way(many_files, start_sotto, upstream, name):
    limits = {"connections": 10000, "connections-per-client": 20000}
    sotto = start_sotto(
        upstream, cache=cache(), workers=1, limits=limits, timeouts=LASTING, log={"level": "info"}, prefix=release()
    )
    assert is_served(sotto, name) and eventually(lambda: not half_closed(sotto))
    asked, before, held = frame(query(name, id=7)), resident(sotto), []
    for _ in range(10000):
        held.append(Tcp(sotto.address))
        held[-1].write(asked)
    assert all(Head(client.receive()).id == 7 for client in held)
    each = (resident(sotto) - before) / len(held)
    assert each <= 6 * 1024, f"{each:.0f} octets for each connection"
    ran = ticks(sotto)
    time.sleep(3)
    assert ticks(sotto) - ran <= 15, "idle connections keep it busy"
    assert all(client.is_open() for client in held)
    newcomers = [Tcp(sotto.address) for _ in range(5)]
    assert all(Head(client.ask(query(name))).rcode == messages.NOERROR for client in newcomers)
    assert all(client.is_closed() for client in held[:5])
    assert all(client.is_open() for client in held[5:])
    for client in held + newcomers:
        client.close()
    assert eventually(lambda: not half_closed(sotto))


# ---- coming and going


def leave(client, how):
    if how == "reset":
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_f_72_s_46_clients_that_come_and_go_leave_nothing_behind(start_sotto, start_upstream):
    """By FIN and by RST, before, within and behind a query; the upstream ends each connection behind its answer."""
    upstream = start_upstream(otherwise=close_after(1))
    sotto = start_sotto(upstream, timeouts={"upstream-idle": "0s"}, log={"level": "info"})
    assert are_answered(sotto, names(1)) and eventually(lambda: not half_closed(sotto))
    before = files(sotto)
    for turn in range(300):
        for how in ("fin", "reset"):
            client, asked = Tcp(sotto.address), frame(query(unique_name()))
            client.write(asked[: (0, 1, 2, 20, len(asked))[turn % 5]])
            if turn % 10 == 9:
                assert client.receive()
            leave(client, how)
    assert are_answered(sotto, names(5))
    assert eventually(lambda: files(sotto) <= before and not half_closed(sotto)), (files(sotto), half_closed(sotto))


def test_f_72_connections_to_the_upstream_that_come_and_go_are_resumed_and_leave_nothing_behind(start_sotto, start_upstream):
    upstream = start_upstream(otherwise=close_after(1))
    sotto = start_sotto(upstream, log={"level": "info"})
    assert are_answered(sotto, names(1))
    before = files(sotto)
    for name in names(200):
        assert are_answered(sotto, [name])
    made = [c for c in upstream.connections if c.version]
    assert len(made) >= 200 and sum(bool(c.resumed) for c in made) > len(made) * 0.9
    assert eventually(lambda: files(sotto) <= before)


# ---- a long time


def test_s_49_names_without_end_take_no_more_than_the_cache_may(start_sotto, start_upstream):
    """For SOAK_SECONDS: some in ./test, minutes in ./test full."""
    upstream = start_upstream()
    sotto = start_sotto(upstream, cache=cache(size="1MiB"), workers=1, log={"level": "info"}, prefix=release())

    def fill(queries):
        for _ in range(queries // 250):
            assert are_answered(sotto, names(250))
            upstream.queries.clear()
            for connection in upstream.connections:
                connection.queries.clear()
                connection.received.clear()

    fill(10000)  # more than there is room for
    warm, end = resident(sotto), time.monotonic() + float(os.environ.get("SOAK_SECONDS", 3))
    while time.monotonic() < end:
        fill(1000)
    assert resident(sotto) - warm <= max(0.02 * warm, 256 * 1024)
