"""TLS that is passed through to an upstream as it is: `listen: ADDRESS?tls=passthrough` (decision 014)."""

import concurrent.futures
import json
import os
import pathlib
import random
import select
import signal
import socket
import ssl
import struct
import time

import pytest

from bench import clients, eventually, messages
from bench.certificates import NAME
from bench.clients import Tcp, Tls, Udp, addresses, careless, parse, strict
from bench.daemon import free_port
from bench.messages import query, unique_name
from bench.upstream import listen, server_address
from test_real_parts import program, serve, unbound  # noqa: F401: serve is a fixture

# What the kernel may hold between two ends with a program between them.
KERNELS = 2 * sum(
    int(pathlib.Path(f"/proc/sys/net/ipv4/tcp_{kind}").read_text().split()[2]) for kind in ("rmem", "wmem")
)
INTERNAL_ERROR = bytes([21, 3, 3, 0, 2, 2, 80])


@pytest.fixture
def start_passing(start_sotto):
    """A sotto that passes TLS through at `front`."""

    def begin(*upstreams, **settings):
        port = free_port()
        places = [f"127.0.0.1:{free_port()}", f"127.0.0.1:{port}?tls=passthrough"]
        sotto = start_sotto(*upstreams, listen=places, **settings)
        sotto.front = ("127.0.0.1", port)
        return sotto

    return begin


class Far:
    """An upstream that is nothing but octets."""

    def __init__(self):
        self.listener = listen("127.0.0.1")
        self.listener.listen(64)
        self.listener.settimeout(clients.PATIENCE)
        self.port = self.listener.getsockname()[1]

    def address(self, name=NAME):
        return server_address("127.0.0.1", self.port, name)

    def accept(self):
        connection = self.listener.accept()[0]
        connection.settimeout(clients.PATIENCE)
        return connection

    def close(self):
        self.listener.close()


@pytest.fixture
def far():
    server = Far()
    yield server
    server.close()


def client_hello(name=NAME):
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        careless().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def connect(sotto, first=b""):
    client = socket.create_connection(sotto.front, clients.PATIENCE)
    client.sendall(first)
    return client


def pair(sotto, far):
    """A client and the server that it has got to, and its ClientHello there."""
    hello = client_hello()
    client = connect(sotto, hello)
    server = far.accept()
    assert receive(server, len(hello)) == hello
    return client, server


def receive(connection, size):
    octets = b""
    while len(octets) < size and (more := connection.recv(size - len(octets))):
        octets += more
    return octets


def rest(connection):
    """All that comes until the end; a reset is one."""
    octets = b""
    try:
        while more := connection.recv(65536):
            octets += more
    except ConnectionError:
        pass
    return octets


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_answered(client):
    name = unique_name()
    return addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]


def descriptors(sotto):
    return len(os.listdir(f"/proc/{sotto.process.pid}/fd"))


# ---- who is at the other end


@pytest.mark.parametrize("name", [NAME, "other.test"])
def test_kdig_verifies_the_resolver_behind_it(serve, tmp_path, certificate, authority, start_passing, name):
    sotto = start_passing(unbound(serve, tmp_path, certificate))
    printed = clients.tool(
        program("kdig"), "@127.0.0.1", "-p", sotto.front[1], f"+tls-ca={authority.file}", f"+tls-hostname={name}",
        "+short", "+retry=0", "www.real.example", check=False,
    )
    assert ("192.0.2.80" in printed) == (name == NAME)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_client_that_verifies_is_answered_by_the_upstream_itself(start_passing, start_upstream, authority, version):
    upstream = start_upstream()
    sotto = start_passing(upstream)
    context = strict(authority)
    context.maximum_version = ssl.TLSVersion[version]
    with Tls(sotto.front, context, NAME) as client:
        assert all(is_answered(client) for _ in range(20))
    assert [connection.server_name for connection in upstream.connections] == [NAME]


def test_a_session_is_resumed_through_it(start_passing, start_upstream, authority):
    sotto = start_passing(start_upstream())
    with Tls(sotto.front, context := strict(authority), NAME) as client:
        assert is_answered(client)
        session = client.socket.session
    with Tls(sotto.front, context, NAME, session=session) as client:
        assert is_answered(client) and client.socket.session_reused


# ---- which upstream


@pytest.fixture
def two(start_upstream, authority):
    """Two upstreams with names of their own, and what the configuration calls them."""
    names = ["one.test", "two.test"]
    started = [start_upstream(authority.issue(names=(name,))) for name in names]
    return started, [one.address(name) for one, name in zip(started, names)]


@pytest.mark.parametrize("asked, met", [("one.test", 0), ("two.test", 1), ("TWO.test", 1), ("three.test", 0), (None, 0)])
def test_the_name_that_is_asked_for_decides_or_else_the_policy(start_passing, two, asked, met):
    upstreams, written = two
    sotto = start_passing(*written)
    with Tls(sotto.front, None, asked) as client:
        assert is_answered(client)
    assert [len(upstream.connections) for upstream in upstreams] == [met == 0, met == 1]
    assert sotto.wait_for_log(msg="TLS passed through")[0]["upstream"] == written[met]


def test_one_that_is_known_by_its_host_is_found_at_its_address(start_passing, start_upstream, authority):
    upstream = start_upstream()
    sotto = start_passing(f"tls://{NAME}:{upstream.port}?bootstrap=127.0.0.1")
    for name in (NAME, "other.test"):
        with Tls(sotto.front, None, name) as client:
            assert is_answered(client)


def test_when_one_cannot_be_reached_the_next_one_is(start_passing, upstream):
    sotto = start_passing(f"tls://127.0.0.1:{free_port()}#down.test", upstream)
    with Tls(sotto.front) as client:
        assert is_answered(client)
    sotto.wait_for_log(msg="upstream failed", cause="refused")


@pytest.mark.parametrize("name", ["down.test", None])
def test_when_none_can_be_reached_the_client_is_told_at_once(start_passing, name, upstream):
    down = f"tls://127.0.0.1:{free_port()}#down.test"
    sotto = start_passing(down, *([upstream] if name else []))
    with connect(sotto, client_hello(name)) as client:
        assert rest(client) == INTERNAL_ERROR
    with pytest.raises(ssl.SSLError, match="INTERNAL_ERROR"):
        Tls(sotto.front, None, name)


def test_only_an_upstream_with_tls_is_of_use(start_passing, upstream):
    sotto = start_passing("tcp://127.0.0.1:9", upstream, require="nothing")
    with Tls(sotto.front) as client:
        assert is_answered(client)


# ---- octets


@pytest.mark.parametrize("size", [1, 100, 65536])
def test_octets_are_the_same_at_both_ends(start_passing, far, size):
    sotto = start_passing(far)
    count = 300 if size == 1 else 1 << 20
    there, back = random.Random(1).randbytes(count), random.Random(2).randbytes(count)
    client, server = pair(sotto, far)

    def send(connection, octets):
        for at in range(0, count, size):
            connection.sendall(octets[at : at + size])

    with client, server, concurrent.futures.ThreadPoolExecutor() as pool:
        senders = [pool.submit(send, client, there), pool.submit(send, server, back)]
        got = [pool.submit(receive, server, count), pool.submit(receive, client, count)]
        assert [one.result() for one in got] == [there, back]
        for sender in senders:
            sender.result()


def test_a_client_hello_may_come_octet_by_octet_and_more_behind_it(start_passing, far):
    sotto = start_passing(far)
    sent = client_hello() + b"more"
    with Tcp(sotto.front) as client:
        client.drip(sent)
        with far.accept() as server:
            assert receive(server, len(sent)) == sent


def test_what_is_plain_is_answered_at_the_same_port_meanwhile(start_passing, start_upstream):
    sotto = start_passing(start_upstream())
    with Tls(sotto.front) as tls, Tcp(sotto.front) as tcp, Udp(sotto.front) as udp:
        for _ in range(5):
            assert is_answered(tls) and is_answered(tcp) and is_answered(udp)


@pytest.mark.parametrize("broken", ["length", "name", "version"])
def test_what_is_no_client_hello_reaches_nobody(start_passing, far, broken):
    sotto = start_passing(far)
    octets = bytearray(client_hello())
    if broken == "length":
        octets[5 + 4 + 2 + 32] += 1
    elif broken == "name":
        octets[octets.index(NAME.encode()) + 2] = 0
    else:
        octets[9] = 2
    with connect(sotto, octets) as client:
        assert rest(client) == b""
    far.listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        far.listener.accept()


# ---- ends


def test_each_end_of_sending_is_passed_on_and_the_other_side_goes_on(start_passing, far):
    sotto = start_passing(far)
    for first in (0, 1):
        ends = pair(sotto, far)
        early, late = ends[first], ends[1 - first]
        with early, late:
            early.sendall(b"last")
            early.shutdown(socket.SHUT_WR)
            assert rest(late) == b"last"
            for _ in range(3):
                late.sendall(b"still here")
                assert receive(early, 10) == b"still here"
            late.close()
            assert rest(early) == b""


@pytest.mark.parametrize("how", [reset, socket.socket.close], ids=["reset", "close"])
@pytest.mark.parametrize("who", [0, 1], ids=["client", "server"])
def test_when_one_side_is_gone_the_other_one_is_told(start_passing, far, who, how):
    sotto = start_passing(far)
    ends = pair(sotto, far)
    ends[who].sendall(b"last")
    assert receive(ends[1 - who], 4) == b"last"
    how(ends[who])
    assert rest(ends[1 - who]) == b""
    ends[1 - who].close()


@pytest.mark.parametrize("who", [0, 1], ids=["client", "server"])
def test_who_takes_nothing_holds_the_other_up_until_it_does(start_passing, far, who):
    sotto = start_passing(far, timeouts={"write": "60s", "client-idle": "60s"})
    ends = pair(sotto, far)
    stuck, sender = ends[who], ends[1 - who]
    sent, piece = 0, bytes(65536)
    with stuck, sender:
        while select.select([], [sender], [], 1)[1]:
            sent += sender.send(piece, socket.MSG_DONTWAIT)
            assert sent < KERNELS + (8 << 20), "nobody was held up"
        sender.shutdown(socket.SHUT_WR)
        assert len(rest(stuck)) == sent


@pytest.mark.parametrize("who", [0, 1], ids=["client", "server"])
def test_who_takes_nothing_for_too_long_is_left(start_passing, far, who):
    sotto = start_passing(far, timeouts={"write": "500ms", "client-idle": "60s"})
    ends = pair(sotto, far)
    with ends[0], ends[1]:
        with pytest.raises(ConnectionError):
            while True:
                ends[1 - who].sendall(bytes(65536))
        rest(ends[who])


def test_after_some_time_without_an_octet_it_ends(start_passing, far):
    sotto = start_passing(far, timeouts={"client-idle": "500ms"})
    client, server = pair(sotto, far)
    with client, server:
        assert rest(client) == b"" and rest(server) == b""


def test_it_lasts_as_long_as_a_connection_may_however_busy_it_is(start_passing, far):
    sotto = start_passing(far.address(), timeouts={"client-lifetime": "1s"})
    client, server = pair(sotto, far)
    with client, server:
        until = time.monotonic() + clients.PATIENCE
        while time.monotonic() < until:
            client.send(b"x")
            if not server.recv(1):
                break
            time.sleep(0.05)
        else:
            raise AssertionError("it goes on")
        assert rest(client) == b""


def test_a_client_hello_that_does_not_come_to_its_end_is_not_waited_for(start_passing, far):
    sotto = start_passing(far, timeouts={"message": "500ms", "client-idle": "60s"})
    with connect(sotto, client_hello()[:100]) as client:
        assert rest(client) == b""


def test_a_daemon_that_stops_ends_them(start_passing, far):
    sotto = start_passing(far)
    client, server = pair(sotto, far)
    with client, server:
        sotto.stop()
        assert rest(client) == b"" and rest(server) == b""


def test_a_reload_leaves_them_alone_and_sends_new_ones_elsewhere(start_passing, far, upstream):
    sotto = start_passing(far, sandbox="off")  # which would not let it ask at a new port
    client, server = pair(sotto, far)
    with client, server:
        sotto.config["upstreams"] = [upstream.address()]
        sotto.file.write_text(json.dumps(sotto.config) + "\n")
        sotto.signal(signal.SIGHUP)
        sotto.wait_for_log(msg="reloaded")
        for one, other in ((client, server), (server, client)):
            one.sendall(b"still here")
            assert receive(other, 10) == b"still here"
        with Tls(sotto.front) as new:
            assert is_answered(new)


# ---- limits


def test_they_count_as_connections_of_their_client(start_passing, far):
    sotto = start_passing(far, limits={"connections-per-client": 2})
    held = [pair(sotto, far) for _ in range(2)]
    with connect(sotto) as refused:
        assert rest(refused) == b""
    for end in held[0]:
        end.close()

    def taken():
        with connect(sotto, client_hello()) as client:
            client.settimeout(0.2)
            try:
                return client.recv(1) != b""
            except TimeoutError:
                return True
            except ConnectionError:
                return False

    assert eventually(taken)
    for end in held[1]:
        end.close()


def test_who_was_quiet_longest_gives_way(start_passing, far):
    sotto = start_passing(far, limits={"connections": 3})
    first, quiet, second = (pair(sotto, far) for _ in range(3))
    first[0].sendall(b"x")
    assert receive(first[1], 1) == b"x"
    newcomer = pair(sotto, far)
    assert rest(quiet[0]) == b"" and rest(quiet[1]) == b""
    for client, server in (first, second, newcomer):
        server.sendall(b"still here")
        assert receive(client, 10) == b"still here"
    for end in (*quiet, *first, *second, *newcomer):
        end.close()


def end_them(how, client, server):
    if how == "client closes":
        client.close()
    elif how == "server closes":
        server.close()
    elif how == "client resets":
        reset(client)
    elif how == "server resets":
        reset(server)
    else:
        client.shutdown(socket.SHUT_WR)
        rest(server)
        server.shutdown(socket.SHUT_WR)
        rest(client)
    client.close()
    server.close()


@pytest.mark.parametrize(
    "how", ["client closes", "server closes", "client resets", "server resets", "both end"]
)
def test_however_they_end_nothing_is_left(start_passing, far, how):
    sotto = start_passing(far)
    before = descriptors(sotto)
    held = [pair(sotto, far) for _ in range(20)]
    assert descriptors(sotto) == before + 40
    for client, server in held:
        end_them(how, client, server)
    assert eventually(lambda: descriptors(sotto) == before)
