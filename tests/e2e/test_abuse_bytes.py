"""Bytes that mean harm: queries by the octet, other protocols, ends at each moment, and handshakes that break at each message of the
server's. Rows are those of the list of failures (F-80 and on, S-45 and on); what clients do over TLS is in test_dot_abuse.py."""

import contextlib
import itertools
import select
import socket
import ssl
import struct
import threading

from bench import behaviours, eventually, messages
from bench.behaviours import Gate, silence
from bench.claims import is_answered
from bench.clients import Head, Tcp, Udp, addresses, parse
from bench.messages import frame, query, unique_name
from bench.upstream import BOTH_VERSIONS, listen, server_address

PATIENT = {"query": "60s", "attempt": "30s", "upstream-silent": "60s"}


def are_all_answered(client, asked):
    """asked: names by ID."""
    answers = [parse(client.receive()) for _ in asked]
    assert {a.id: addresses(a) for a in answers} == {id: [messages.address_of(name)] for id, name in asked.items()}
    return True


# ---- by the octet


def test_f_80_hundreds_that_send_a_query_by_the_octet_hold_up_nobody_and_are_let_go(start_sotto, upstream):
    sotto = start_sotto(upstream, timeouts={"message": "2s", "client-idle": "1h"})
    octets, slow = frame(query("a-name-that-is-long-enough-to-go-by-the-octet-for-long.t.test")), []
    begun = [1 + i % 40 for i in range(300)]
    for first in begun:
        slow.append(Tcp(sotto.address))
        slow[-1].write(octets[:first])
    for at in range(20):
        for first, client in zip(begun, slow):
            with contextlib.suppress(ConnectionError):
                client.write(octets[first + at : first + at + 1])
        assert is_answered(sotto) and is_answered(sotto, over="tcp")
    assert all(client.is_closed() for client in slow)
    for client in slow:
        client.close()


def test_f_80_a_query_by_the_octet_is_a_query(sotto, name):
    with Tcp(sotto.address) as client:
        client.drip(frame(query(name, id=1)))
        assert are_all_answered(client, {1: name})


# ---- ends


def test_f_83_an_end_in_the_same_segment_as_the_queries_costs_no_answer(sotto):
    """More of them than may wait: the rest is read when the first are answered, behind the end."""
    asked = {id: unique_name() for id in range(600)}
    with Tcp(sotto.address) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        client.send(*(query(name, id=id) for id, name in asked.items()))
        client.end()
        assert are_all_answered(client, asked)
        assert client.receive() is None


def test_f_83_with_its_side_closed_a_client_waits_for_what_is_slow(start_sotto, start_upstream):
    gate, asked = Gate(), {id: unique_name() for id in range(300)}
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(upstream, timeouts={**PATIENT, "client-idle": "100ms", "message": "400ms"})
    with Tcp(sotto.address) as client:
        client.send(*(query(name, id=id) for id, name in asked.items()))
        client.end()
        assert eventually(lambda: len(gate.names()) == 256) and not client.is_closed(0.5)
        gate.open(upstream)
        assert are_all_answered(client, asked)
        assert client.receive() is None


def test_f_83_an_octet_out_of_band_is_not_in_the_query(sotto, name):
    octets = frame(query(name, id=1))
    with Tcp(sotto.address) as client:
        for at in (1, 2, 9, 20):
            client.write(octets[:at])
            client.socket.send(b"!", socket.MSG_OOB)
            client.write(octets[at:])
            assert are_all_answered(client, {1: name})


def test_f_84_a_reset_at_each_octet_of_two_queries_and_while_they_wait_harms_nobody(start_sotto, start_upstream):
    gate, octets = Gate(), b"".join(frame(query(unique_name("gone"))) for _ in range(2))
    upstream = start_upstream(otherwise=lambda q: (gate if q.asked.name.startswith("gone") else behaviours.derive)(q))
    sotto = start_sotto(upstream, timeouts=PATIENT)
    for at in range(len(octets) + 1):
        client = Tcp(sotto.address)
        client.write(octets[:at])
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert at % 10 or is_answered(sotto, over="tcp")
    gate.open(upstream)
    assert is_answered(sotto) and is_answered(sotto, over="tcp")


# ---- other protocols


def hello():
    """The ClientHello of a real client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="dns.test")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


OTHERS = {
    "HTTP": b"POST /dns-query HTTP/1.1\r\nHost: dns.test\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    "TLS": hello(),
    "PROXY": b"PROXY TCP4 192.0.2.1 192.0.2.2 4000 53\r\n",
    "QUIC": b"\xc0\0\0\0\1\x08" + b"x" * 1194,
    "an answer": b"\0\1\x84\0\0\1\0\0\0\0\0\0\0\0\1\0\1",
}


def test_f_84_other_protocols_are_let_go_in_silence(start_sotto, upstream):
    """Not one octet of an answer, over UDP at most one that says FORMERR or NOTIMP; not one line in the log."""
    sotto = start_sotto(upstream, timeouts={"message": "300ms", "client-idle": "1s"}, log={"level": "info"})
    assert is_answered(sotto)
    for octets in OTHERS.values():
        with Tcp(sotto.address) as tcp, Udp(sotto.address) as udp:
            tcp.write(octets)
            udp.send(octets)
            assert tcp.receive() is None
            assert is_answered(sotto) and is_answered(sotto, over="tcp")
            told = udp.receive(0)
            assert not told or (len(told) <= len(octets) and Head(told).rcode in (messages.FORMERR, messages.NOTIMP))
    assert not sotto.log(level="warn") and not sotto.log(level="error")


# ---- handshakes that break


class Breaker:
    """Stands in front of an upstream, and breaks each connection within the record of this number that the upstream sends."""

    def __init__(self, upstream, number, how):
        self.number, self.how, self.broke, self._upstream = number, how, 0, upstream
        self._listener = listen("127.0.0.1")
        self._listener.listen(16)
        threading.Thread(target=self._run, daemon=True).start()

    def address(self):
        return server_address("127.0.0.1", self._listener.getsockname()[1], "upstream.test")

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self):
        try:
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
        except OSError:
            pass

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self._upstream.port)) as server:
            try:
                self._relay(client, server)
            except OSError:
                pass

    def _relay(self, client, server):
        sent = b""
        for seen in itertools.count():
            while len(sent) < 5 or len(sent) < 5 + int.from_bytes(sent[3:5], "big"):
                ready, _, _ = select.select([client, server], [], [])
                if client in ready:
                    octets = client.recv(65536)
                    if not octets:
                        return
                    server.sendall(octets)
                if server in ready:
                    octets = server.recv(65536)
                    if not octets:
                        return
                    sent += octets
            size = 5 + int.from_bytes(sent[3:5], "big")
            record, sent = sent[:size], sent[size:]
            if seen == self.number:
                self.broke += 1
                self._break(client, record)
                return
            client.sendall(record)

    def _break(self, client, record):
        if self.how == "spoiled":
            client.sendall(record[:-1] + bytes([record[-1] ^ 1]))
        elif self.how != "nothing":
            client.sendall(record[: len(record) // 2])
        if self.how == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif self.how == "spoiled":
            while client.recv(65536):
                pass


# What the server sends before any answer, in records: 1.2: its hello, certificate, key exchange, done; ticket, change of cipher,
# finished. 1.3: its hello, change of cipher, extensions, certificate, its proof, finished; tickets.
RECORDS = {ssl.TLSVersion.TLSv1_2: 7, ssl.TLSVersion.TLSv1_3: 7}


@BOTH_VERSIONS
def test_s_45_a_handshake_that_breaks_at_whatever_message_leaves_the_query_to_the_next(version, start_upstream, start_sotto):
    behind, good = start_upstream(otherwise=silence, versions=(version, version)), start_upstream()
    cases = itertools.product(range(RECORDS[version]), ("nothing", "half", "reset", "spoiled"))
    broken = [Breaker(behind, number, how) for number, how in cases]
    sotto = start_sotto(*(b.address() for b in broken), good, timeouts={**PATIENT, "attempt": "200ms"})
    assert is_answered(sotto)
    assert eventually(lambda: all(b.broke for b in broken)), [(b.number, b.how) for b in broken if not b.broke]
    assert good.queries and is_answered(sotto)
    for b in broken:
        b.close()


def test_s_47_a_server_that_accepts_and_closes_is_tried_a_few_times_for_all_queries_together(start_upstream, start_sotto):
    bad = start_upstream(instead_of_tls=lambda connection: connection.close("fin"))
    sotto = start_sotto(bad)
    with Tcp(sotto.address) as client:
        client.send(*(query(unique_name(), id=id) for id in range(200)))
        assert {Head(client.receive()).rcode for _ in range(200)} == {messages.SERVFAIL}
    assert 1 <= len(bad.connections) <= 20  # how often in which time is told by down-server-is-dialled-seldom.play
