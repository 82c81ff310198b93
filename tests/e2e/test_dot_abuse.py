"""Clients in bad faith or in great numbers, over TLS: handshakes that break or hang at each message of the client's, records of one
octet and without end, connections of nothing, that come and go, that are never read. Rows are those of the list of failures
(F-71 and on). Who is served meanwhile is asked over connections of its own."""

import itertools
import os
import socket
import ssl
import struct
import time

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bench import eventually, messages
from bench.behaviours import Gate, derive, message
from bench.cached import cache
from bench.certificates import FRONT
from bench.clients import Head, Tcp, Tls, addresses, careless, parse
from bench.messages import frame, query, unique_name
from test_abuse_bytes import OTHERS, PATIENT, are_all_answered
from test_abuse_streams import LASTING, files, half_closed, leave, many_files, release, resident, ticks  # noqa: F401
from test_dot_certificates import BOTH, V12, V13

ANYBODY = careless()
FAILED = "a client's TLS handshake failed"


def only(version, **how):
    return careless(minimum_version=version, maximum_version=version, **how)


def is_served(sotto, context=ANYBODY):
    """A newcomer."""
    name = unique_name("bystander")
    with Tls(sotto.front, context) as client:
        assert addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]
    return True


def is_closed(client):
    with client:
        return client.is_closed()


# ---- clients that break off, or hang


def records(octets):
    while octets:
        size = 5 + int.from_bytes(octets[3:5], "big")
        yield octets[:size]
        octets = octets[size:]


class Shaker:
    """A client whose records are sent by its test."""

    def __init__(self, address, context):
        self.tcp, self._came, self._said, self._plain = Tcp(address), ssl.MemoryBIO(), ssl.MemoryBIO(), bytearray()
        self._tls = context.wrap_bio(self._came, self._said, server_hostname=FRONT)

    def handshake(self):
        """Gives the records that it says, one by one."""
        while not self._is_done():
            yield from records(self._said.read())
            self._came.write(self.tcp.socket.recv(65536))
        yield from records(self._said.read())

    def sealed(self, octets):
        self._tls.write(octets)
        return self._said.read()

    def receive(self):
        """As Tcp.receive()."""
        while len(self._plain) < 2 or len(self._plain) < 2 + int.from_bytes(self._plain[:2], "big"):
            try:
                self._plain += self._tls.read(65536)
            except ssl.SSLWantReadError:
                octets = self.tcp.socket.recv(65536)
                if not octets:
                    return None
                self._came.write(octets)
        size = 2 + int.from_bytes(self._plain[:2], "big")
        answer = bytes(self._plain[2:size])
        del self._plain[:size]
        return answer

    def _is_done(self):
        try:
            self._tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False


def hangs(tcp, record):
    tcp.write(record[: len(record) // 2])


def ends(tcp, record):
    hangs(tcp, record)
    tcp.end()


def resets(tcp, record):
    hangs(tcp, record)
    leave(tcp, "reset")


def spoils(tcp, record):
    tcp.write(record[:-1] + bytes([record[-1] ^ 1]))


# What a client says that has a certificate: 1.2: hello, certificate, key exchange, proof, change of cipher, finished. 1.3: hello,
# change of cipher, certificate, proof, finished.
RECORDS = {V12: 6, V13: 5}


def break_at(shaker, number, how):
    for at, record in enumerate(shaker.handshake()):
        if at == number:
            return how(shaker.tcp, record)
        shaker.tcp.write(record)
    raise AssertionError(f"there is no record {number}")


@BOTH
def test_f_82_a_handshake_that_breaks_or_hangs_at_whatever_message_ends_and_holds_up_nobody(
    version, start_front, upstream, authority
):
    own = authority.issue(names=("laptop.test",), usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    context = only(version)
    context.load_cert_chain(own.chain, own.key)
    clients = {"ca": str(authority.file), "required": True}
    sotto = start_front(upstream, clients=clients, timeouts={**LASTING, "client-handshake": "1500ms"})
    assert len(list(write_all(Shaker(sotto.front, context)))) == RECORDS[version]
    assert is_served(sotto, context) and eventually(lambda: not half_closed(sotto))
    before, broken = files(sotto), []
    for number, how in itertools.product(range(RECORDS[version]), (hangs, ends, resets, spoils)):
        broken.append(Shaker(sotto.front, context))
        break_at(broken[-1], number, how)
        assert is_served(sotto, context)
    assert all(is_closed(shaker.tcp) for shaker in broken if shaker.tcp.socket.fileno() >= 0)
    assert eventually(lambda: len(sotto.log(msg=FAILED)) == len(broken))
    assert is_served(sotto, context)
    assert eventually(lambda: files(sotto) <= before and not half_closed(sotto))


def test_f_84_who_says_a_few_octets_of_a_hello_is_let_go(start_front, upstream):
    sotto = start_front(upstream, timeouts={"client-idle": "1h", "message": "300ms", "client-handshake": "300ms"})
    held = [Tcp(sotto.front) for _ in range(7)]
    for octets, client in enumerate(held, 1):
        client.write(OTHERS["TLS"][:octets])
    assert all(is_closed(client) for client in held)


# ---- octets and records


def write_all(shaker, write=Tcp.write):
    """Shakes hands, and gives the records that were written."""
    for record in shaker.handshake():
        write(shaker.tcp, record)
        yield record


def in_records_of_one_octet(tcp, record):
    """As far as it may be cut without the keys."""
    is_whole = int.from_bytes(record[6:9], "big") == len(record) - 9  # else it is sealed, and may begin with anything
    if record[0] == 22 and record[5] in (1, 16) and is_whole:  # ClientHello, ClientKeyExchange
        record = b"".join(record[:3] + b"\0\1" + record[at : at + 1] for at in range(5, len(record)))
    tcp.write(record)


@BOTH
@pytest.mark.parametrize("write", [Tcp.drip, in_records_of_one_octet], ids=["octets", "records"])
def test_f_80_a_handshake_and_a_query_by_the_octet_are_as_any(version, write, start_front, upstream, name):
    shaker = Shaker(start_front(upstream).front, only(version))
    assert len(list(write_all(shaker, write))) >= 3
    for octet in frame(query(name, id=1)):
        write(shaker.tcp, shaker.sealed(bytes([octet])))
    assert are_all_answered(shaker, {1: name})
    shaker.tcp.close()


def test_f_80_a_hundred_that_send_a_query_in_records_of_one_octet_are_let_go(start_front, upstream):
    sotto = start_front(upstream, timeouts={"message": "1s", "client-idle": "1h"})
    octets, slow = frame(query("a-name-that-is-long-enough-to-go-by-the-octet-for-long.t.test")), []
    for _ in range(100):
        slow.append(Tls(sotto.front, ANYBODY))
        slow[-1].write(octets[:1])
    for at in range(1, 20):
        for client in slow:
            try:
                client.write(octets[at : at + 1])
            except OSError:
                pass
        assert is_served(sotto)
    assert all(is_closed(client) for client in slow)


@pytest.mark.parametrize("size, taken", [(15000, True), (50000, False)])
@BOTH
def test_f_82_a_hello_may_be_large_and_not_huge(version, size, taken, start_front, upstream, name):
    context, sotto = only(version), start_front(upstream)
    context.set_alpn_protocols(["x" * 249] * (size // 250) + ["dot"])
    if taken:
        with Tls(sotto.front, context) as client:
            assert addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]
    else:
        with pytest.raises(OSError):
            Tls(sotto.front, context)
        assert "too long" in sotto.wait_for_log(msg=FAILED)[0]["reason"]
    assert is_served(sotto)


WITHOUT_END = {
    "a hello": struct.pack("!BHH", 22, 0x0301, 16384) + bytes(16384),
    "octets of a hello": struct.pack("!BHHB", 22, 0x0301, 1, 0),
    "records of nothing": struct.pack("!BHH", 22, 0x0301, 0),
    "warnings": struct.pack("!BHHH", 21, 0x0301, 2, 0x0164),
    "changes of cipher": struct.pack("!BHHB", 20, 0x0303, 1, 1),
}


def test_f_82_what_goes_on_without_end_in_a_handshake_is_cut_off(start_front, upstream):
    """For what it is, or because there is too much of it; not by the time, which is an hour."""
    sotto = start_front(upstream, timeouts={**LASTING, "client-handshake": "1h"})
    for turn, (what, octets) in enumerate(WITHOUT_END.items(), 1):
        block = octets * (1 + 65536 // len(octets))
        with Tcp(sotto.front) as client:
            client.write(bytes.fromhex("16030100040101f000"))
            with pytest.raises(ConnectionError):
                for _ in range(1000):
                    client.socket.sendall(block)
        reason = sotto.wait_for_log(turn, msg=FAILED)[-1]["reason"]
        assert ("too long" in reason) == ("hello" in what), reason
        assert is_served(sotto)


# ---- behind the handshake


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "instead"])
def test_f_84_other_protocols_inside_of_tls_or_in_its_place_are_let_go(inside, start_front, upstream):
    sotto = start_front(upstream, timeouts={"message": "300ms", "client-idle": "1s"}, log={"level": "info"})
    others = {what: Shaker(sotto.front, ANYBODY) for what in OTHERS}
    for what, shaker in others.items():
        assert list(write_all(shaker))
        shaker.tcp.write(shaker.sealed(OTHERS[what]) if inside else OTHERS[what])
    assert is_served(sotto)
    assert all(is_closed(shaker.tcp) for shaker in others.values())
    assert is_served(sotto) and not sotto.log(level="warn") and not sotto.log(level="error")


@BOTH
def test_f_83_who_ends_without_close_notify_has_its_answers_all_the_same(version, start_front, start_upstream):
    gate, asked = Gate(), {id: unique_name() for id in range(50)}
    upstream = start_upstream(otherwise=gate)
    sotto = start_front(upstream, timeouts=PATIENT)
    shaker = Shaker(sotto.front, only(version))
    assert list(write_all(shaker))
    shaker.tcp.write(shaker.sealed(b"".join(frame(query(name, id=id)) for id, name in asked.items())))
    shaker.tcp.end()
    assert eventually(lambda: len(gate.names()) == len(asked))
    gate.open(upstream)
    assert are_all_answered(shaker, asked) and is_closed(shaker.tcp)


def test_f_84_who_is_reset_while_its_queries_wait_harms_nobody(start_front, start_upstream):
    gate = Gate()
    upstream = start_upstream(otherwise=lambda q: (gate if q.asked.name.startswith("gone") else derive)(q))
    sotto = start_front(upstream, timeouts=PATIENT)
    assert is_served(sotto) and eventually(lambda: not half_closed(sotto))
    before = files(sotto)
    for turn in range(1, 21):
        client = Tls(sotto.front, ANYBODY)
        client.send(*(query(unique_name("gone")) for _ in range(5)))
        assert eventually(lambda: len(gate.names()) == 5 * turn)  # noqa: B023
        leave(client, "reset")
        assert is_served(sotto)
    gate.open(upstream)
    assert is_served(sotto) and eventually(lambda: files(sotto) <= before)


# ---- who takes no answers


@pytest.mark.parametrize("why", ["room", "time"])
def test_f_81_who_never_reads_over_tls_is_let_go_when_it_has_what_it_may(why, start_front, start_upstream):
    upstream, large = start_upstream(), unique_name("large")
    upstream.when(large, message(lambda asked: messages.sized(asked, 60000)))
    limits, timeouts = ({"unsent": "1MiB"}, {"write": "1h"}) if why == "room" else ({}, {"write": "500ms"})
    sotto = start_front(upstream, cache=cache(), limits=limits, timeouts={**timeouts, "client-idle": "1h"})
    assert is_served(sotto) and eventually(lambda: not half_closed(sotto))
    before, held = files(sotto), []
    for _ in range(12):
        held.append(Tls(sotto.front, ANYBODY))
        held[-1].socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        held[-1].send(*(query(large, "TXT") for _ in range(200)))
        assert is_served(sotto)
    if why == "room":
        assert sotto.wait_for_log(msg="clients do not take their answers: who left most is disconnected")
    else:
        assert eventually(lambda: files(sotto) <= before)
    assert is_served(sotto)
    for client in held:
        client.close()


# ---- in great numbers


def open_idle(sotto, count, name):
    asked, held = frame(query(name, id=7)), []
    for _ in range(count):
        held.append(Tls(sotto.front, ANYBODY))
        held[-1].write(asked)
        assert Head(held[-1].receive()).id == 7
    return held


MANY = {"connections": 10500, "connections-per-client": 10500}


def test_f_71_hundreds_of_idle_connections_over_tls_stay_and_nothing_runs(start_front, upstream, name):
    sotto = start_front(upstream, cache=cache(), limits=MANY, timeouts=LASTING, log={"level": "info"})
    held = open_idle(sotto, 300, name)
    ran = ticks(sotto)
    time.sleep(3)
    assert ticks(sotto) - ran <= 3, "idle connections keep it busy"
    assert all(client.is_open() for client in held)
    for client in held:
        assert Head(client.ask(query(name))).rcode == messages.NOERROR
        client.close()
    assert eventually(lambda: not half_closed(sotto))


def test_f_71_an_idle_connection_over_tls_costs_little(many_files, start_front, upstream, name):  # noqa: F811
    """20 KiB each at most, by OpenSSL 3.0; ten thousand of them in ./test full."""
    sotto = start_front(
        upstream, cache=cache(), limits=MANY, timeouts=LASTING, log={"level": "info"}, prefix=release()
    )
    assert is_served(sotto) and eventually(lambda: not half_closed(sotto))
    before = resident(sotto)
    held = open_idle(sotto, int(os.environ.get("IDLE", 10000 if "SOAK_SECONDS" in os.environ else 500)), name)
    each = (resident(sotto) - before) / len(held)
    most = 20 if ssl.OPENSSL_VERSION_INFO < (3, 2) else 32  # KiB: what OpenSSL 3.5 keeps of a session is more
    assert each <= most * 1024, f"{each:.0f} octets for each connection"
    assert all(client.is_open() for client in held)
    for client in held:
        client.close()


@BOTH
def test_f_72_connections_over_tls_that_come_and_go_are_resumed_and_leave_nothing(version, start_front, upstream):
    """By close_notify, FIN and RST, before and behind an answer."""
    sotto, context, session, resumed = start_front(upstream, log={"level": "info"}), only(version), None, 0
    assert is_served(sotto) and eventually(lambda: not half_closed(sotto))
    before = files(sotto)
    for turn in range(200):
        client = Tls(sotto.front, context, FRONT, session=session)
        resumed += client.socket.session_reused
        if turn % 2 == 0:
            assert client.ask(query(unique_name()))
            session = client.socket.session
        if turn % 3 == 0:
            client.socket = client.socket.unwrap()
        leave(client, "reset" if turn % 3 == 1 else "fin")
    assert resumed == 199
    assert is_served(sotto)
    assert eventually(lambda: files(sotto) <= before and not half_closed(sotto)), (files(sotto), half_closed(sotto))


def test_f_73_a_client_with_all_its_connections_gets_no_more_and_others_do(start_front, upstream):
    sotto = start_front(upstream, limits={"connections-per-client": 10}, timeouts=LASTING)
    held = [Tls(sotto.front, ANYBODY, source="127.0.0.9") for _ in range(10)]
    for _ in range(10):
        with pytest.raises(OSError):
            Tls(sotto.front, ANYBODY, source="127.0.0.9")
        assert is_served(sotto)
    for client in held:
        assert Head(client.ask(query(unique_name()))).rcode == messages.NOERROR
        client.close()


def test_f_73_a_client_with_all_its_queries_waiting_over_tls_holds_up_nobody(start_front, start_upstream):
    """256 of a connection wait; the others are read when they are answered."""
    gate, slow = Gate(), {id: unique_name("slow") for id in range(600)}
    upstream = start_upstream()
    for held_back in slow.values():
        upstream.when(held_back, gate)
    sotto = start_front(upstream, timeouts=PATIENT)
    with Tls(sotto.front, ANYBODY) as client:
        client.send(*(query(name, id=id) for id, name in slow.items()))
        assert eventually(lambda: len(gate.names()) == 256) and is_served(sotto)
        gate.open(upstream)
        assert are_all_answered(client, slow)
