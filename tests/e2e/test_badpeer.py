"""badpeer: every word of its language does what the manual (bench/script.py) says, as a raw TLS client sees it."""

import ast
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

from bench import certificates, eventually, messages, records, script
from bench.badpeer import Peer
from bench.certificates import NAME
from bench.clients import Head, parse
from bench.messages import Edns, frame, opt

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "badpeer"
CLOSE_NOTIFY = 24  # octets of its record in TLS 1.3


@pytest.fixture(scope="session")
def shown(tmp_path_factory):
    """The certificates of badpeer."""
    return certificates.set_in(tmp_path_factory.mktemp("shown"))


class Client:
    """A TLS client that reads record by record."""

    def __init__(self, port, context, session=None):
        self.raw = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = context.wrap_socket(self.raw, server_hostname=NAME, session=session)
        self._buffer = b""

    def ask(self, *names, qtype="A"):
        """Asks for them, with IDs 1, 2, ...; all in one write."""
        self.tls.sendall(b"".join(
            frame(messages.query(name, qtype, id=n, edns=opt())) for n, name in enumerate(names, 1)
        ))

    def record(self):
        """What is in the next record; nothing at the end of the connection."""
        return self.tls.recv(65536)

    def message(self):
        while len(self._buffer) < 2 or len(self._buffer) < 2 + int.from_bytes(self._buffer[:2], "big"):
            octets = self.record()
            assert octets, "the connection ended"
            self._buffer += octets
        size = int.from_bytes(self._buffer[:2], "big")
        message, self._buffer = self._buffer[2 : 2 + size], self._buffer[2 + size :]
        return message

    def answer(self, name):
        """The right answer to this name is the next message."""
        assert is_right(self.message(), name)

    def hears_nothing(self, seconds=0.2):
        self.tls.settimeout(seconds)
        try:
            octets = self.record()
        except TimeoutError:
            self.tls.settimeout(10)
            return True
        raise AssertionError(f"heard {octets}")

    def end(self):
        """How the server ends it behind what was read: notify, fin or reset."""
        with socket.socket(fileno=os.dup(self.tls.fileno())) as wire:
            wire.settimeout(10)
            try:
                return {CLOSE_NOTIFY: "notify", 0: "fin"}.get(len(wire.recv(65536)), "data")
            except ConnectionResetError:
                return "reset"

    def close(self):
        self.tls.close()


def is_right(message, name, id=None):
    answer = parse(message)
    assert answer.question[0].name.to_text(omit_final_dot=True).lower() == name.lower()
    assert [rr.to_text() for rrset in answer.answer for rr in rrset] == [messages.address_of(name)]
    return id is None or answer.id == id


@pytest.fixture
def badpeer(shown):
    """Starts a Peer with a script."""
    started = []

    def start(text):
        started.append(Peer(shown, text))
        return started[-1]

    yield start
    for peer in started:
        peer.stop()
        assert not peer.errors, peer.errors


@pytest.fixture
def connect(shown):
    """Connects a Client, verified, and closes it."""
    opened = []

    def connect(peer, session=None, certificate=None, highest=None, alpn=("dot",), context=None):
        if context is None:
            context = ssl.create_default_context(cafile=shown / "ca.pem")
            context.set_alpn_protocols(list(alpn))
        if certificate:
            context.load_cert_chain(certificate)
        if highest:
            context.maximum_version = highest
        opened.append(Client(peer.port, context, session))
        return opened[-1]

    yield connect
    for client in opened:
        client.close()


def tcp(peer):
    raw = socket.create_connection(("127.0.0.1", peer.port), timeout=10)
    return raw


def events(peer, kind):
    return [entry for entry in list(peer.events) if entry["event"] == kind]


# ---- which connections


def test_without_a_script_it_answers_everything(badpeer, connect):
    client = connect(badpeer(""))
    client.ask("A.example", "b.example")
    client.answer("a.example")
    client.answer("b.example")


def test_each_connection_has_the_first_rule_that_fits(badpeer, connect):
    peer = badpeer(
        "connection 1: answer rcode 1\n connections 2-3: answer rcode 2 # two\n connections 4..: answer rcode 3"
    )
    seen = []
    for _ in range(5):
        client = connect(peer)
        client.ask("a.example")
        seen.append(Head(client.message()).rcode)
    assert seen == [1, 2, 2, 3, 3]


def test_each_comes_after_what_is_more_special(badpeer, connect):
    peer = badpeer("connection 2: answer rcode 2; each: answer")
    for expected in (0, 2, 0):
        client = connect(peer)
        client.ask("a.example")
        assert Head(client.message()).rcode == expected


def test_a_name_has_a_rule_on_whatever_connection(badpeer, connect):
    peer = badpeer("name odd.example: silence, answer rcode 2; name *.odd.example: answer tc; each: answer")
    client = connect(peer)
    client.ask("odd.example", "x.odd.example", "a.example")
    assert Head(client.message()).truncated
    client.answer("a.example")
    other = connect(peer)
    other.ask("ODD.example", "odd.example")
    assert [Head(other.message()).rcode for _ in range(2)] == [2, 2]


def test_now_is_for_the_connections_that_are_open(badpeer, connect):
    peer = badpeer("each: answer")
    old = connect(peer)
    old.ask("a.example")
    old.answer("a.example")
    peer.change("now: fin; each: answer rcode 3")
    assert old.end() == "fin"
    new = connect(peer)
    new.ask("a.example")
    assert Head(new.message()).rcode == 3


def test_a_new_script_holds_for_open_connections_and_answers_begun_still_go_out(badpeer, connect):
    peer = badpeer("each: answer after 300ms")
    client = connect(peer)
    client.ask("a.example")
    assert eventually(lambda: events(peer, "query"))
    peer.change("each: answer rcode 2")
    client.ask("b.example")
    assert Head(client.message()).rcode == 2
    client.answer("a.example")


# ---- before TLS


def test_refuse_refuses_from_that_connection_on_until_another_script(badpeer, connect):
    peer = badpeer("connection 1: answer; connections 2..: refuse")
    client = connect(peer)
    with pytest.raises(ConnectionRefusedError):
        eventually(lambda: tcp(peer).close())
    client.ask("a.example")
    client.answer("a.example")
    peer.change("each: answer rcode 2")
    again = connect(peer)
    again.ask("a.example")
    assert Head(again.message()).rcode == 2
    peer.change("each: refuse")
    with pytest.raises(ConnectionRefusedError):
        tcp(peer)


def test_refuse_from_the_start(badpeer):
    peer = badpeer("each: refuse")
    with pytest.raises(ConnectionRefusedError):
        tcp(peer)


def test_on_tcp_it_may_stall_before_the_server_hello(badpeer):
    peer = badpeer("each: tcp, stall")
    with tcp(peer) as raw:
        raw.sendall(b"\x16\x03\x01\x00\x05hello")
        raw.settimeout(0.3)
        with pytest.raises(TimeoutError):
            raw.recv(1)


def test_on_tcp_it_may_stall_for_a_time(badpeer, connect):
    peer = badpeer("each: tcp, stall 300ms, tls, answer")
    begin = time.monotonic()
    client = connect(peer)
    assert time.monotonic() - begin >= 0.3
    client.ask("a.example")
    client.answer("a.example")


def test_on_tcp_it_says_what_it_is_told(badpeer):
    with tcp(badpeer("each: tcp, send 5353482d, fin")) as raw:
        assert raw.recv(100) == b"SSH-" and raw.recv(100) == b""


@pytest.mark.parametrize("how", ["close", "fin", "reset"])
def test_on_tcp_it_ends_the_connection(how, badpeer):
    with tcp(badpeer(f"each: tcp, stall 50ms, {how}")) as raw:
        if how == "reset":
            with pytest.raises(ConnectionResetError):
                raw.recv(1)
        else:
            assert raw.recv(1) == b""


def test_on_tcp_it_sends_an_alert(badpeer, connect):
    with pytest.raises(ssl.SSLError, match="alert handshake failure"):
        connect(badpeer("each: tcp, stall 50ms, alert handshake_failure, fin"))
    with pytest.raises(ssl.SSLError, match="alert no application protocol"):
        connect(badpeer("each: tcp, stall 50ms, alert 120, fin"))


# ---- TLS


@pytest.mark.parametrize("version, agreed", [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3"), ("1.2-1.3", "TLSv1.3")])
def test_tls_has_the_version(version, agreed, badpeer, connect):
    assert connect(badpeer(f"each: tls version {version}")).tls.version() == agreed


def test_tls_may_be_too_old(badpeer, connect):
    with pytest.raises(ssl.SSLError):
        connect(badpeer("each: tls version 1.1"))


@pytest.mark.parametrize("alpn, agreed", [("none", None), ("h2", "h2"), ("dot", "dot")])
def test_tls_speaks_alpn(alpn, agreed, badpeer, connect):
    peer = badpeer(f"each: tls alpn {alpn}")
    assert connect(peer, alpn=("dot", "h2")).tls.selected_alpn_protocol() == agreed


@pytest.mark.parametrize("which, complaint", [
    ("expired", "has expired"), ("not-yet", "not yet valid"), ("wrong-name", "Hostname mismatch"),
    ("self-signed", "self-signed certificate \\("), ("other-ca", "self-signed certificate in certificate chain"),
])
def test_tls_shows_a_certificate_that_is_wrong(which, complaint, badpeer, connect):
    with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
        connect(badpeer(f"each: tls certificate {which}"))


def test_tls_shows_the_certificate_of_a_file(shown, badpeer, connect):
    connect(badpeer(f"each: tls certificate {shown}/good.pem"))
    with pytest.raises(ssl.SSLCertVerificationError, match="has expired"):
        connect(badpeer(f"each: tls certificate {shown}/expired.pem"))


@pytest.mark.parametrize("options, hellos", [("", 1), ("group secp384r1", 2)])
def test_tls_asks_for_another_group(options, hellos, badpeer, connect):
    peer = badpeer(f"each: tls {options}")
    connect(peer)
    assert peer.connections[0].record_types().count(0x16) == hellos


@pytest.mark.parametrize("options, resumed", [("", True), ("no-tickets", False)])
def test_tls_gives_tickets_or_not(options, resumed, badpeer, connect, shown):
    peer = badpeer(f"each: tls {options}")
    context = ssl.create_default_context(cafile=shown / "ca.pem")
    first = connect(peer, context=context)
    first.ask("a.example")
    first.answer("a.example")
    assert connect(peer, context=context, session=first.tls.session).tls.session_reused == resumed


@pytest.mark.parametrize("then, resumed", [("each: answer rcode 2", True), ("each: tls certificate other-ca", False)])
def test_a_session_is_resumed_where_the_tls_options_are_the_same(then, resumed, badpeer, connect, shown):
    peer = badpeer("each: answer")
    context = ssl.create_default_context(cafile=shown / "ca.pem")
    first = connect(peer, context=context)
    first.ask("a.example")
    first.answer("a.example")
    peer.change(then)
    if resumed:
        assert connect(peer, context=context, session=first.tls.session).tls.session_reused
    else:
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(peer, context=context, session=first.tls.session)


@pytest.mark.parametrize("options, seen", [("", False), ("ask-certificate", True)])
def test_tls_asks_for_the_clients_certificate(options, seen, badpeer, connect, shown):
    peer = badpeer(f"each: tls {options}")
    client = connect(peer, certificate=_client_pem(shown))
    client.ask("a.example")
    client.answer("a.example")
    assert events(peer, "handshake")[0]["certificate"] == seen


def test_the_client_may_have_no_certificate(badpeer, connect):
    client = connect(badpeer("each: tls ask-certificate"))
    client.ask("a.example")
    client.answer("a.example")


def _client_pem(shown):
    """A client's certificate of an authority that badpeer trusts too."""
    file = shown / "client.pem"
    if not file.exists():
        usage = certificates.ExtendedKeyUsageOID.CLIENT_AUTH
        authority = certificates.Authority(shown / "clients", "clients")
        issued = authority.issue(usage=usage)
        file.write_bytes(issued.chain.read_bytes() + issued.key.read_bytes())
        with open(shown / "ca.pem", "ab") as trust:
            trust.write(authority.file.read_bytes())
    return file


# ---- how many queries a step takes


def test_a_step_takes_one_query_and_the_last_all_others(badpeer, connect):
    client = connect(badpeer("each: answer, answer rcode 1, answer rcode 2"))
    client.ask(*"abcde")
    assert [Head(client.message()).rcode for _ in range(5)] == [0, 1, 2, 2, 2]


def test_a_step_takes_as_many_as_it_says(badpeer, connect):
    client = connect(badpeer("each: answer x3, silence x2, answer rcode 2"))
    client.ask(*"abcdef")
    heads = [Head(client.message()) for _ in range(4)]
    assert [(head.id, head.rcode) for head in heads] == [(1, 0), (2, 0), (3, 0), (6, 2)]


def test_until_idle_counts_from_the_last_answer(badpeer, connect):
    client = connect(badpeer("each: answer until idle 300ms after 50ms, close"))
    for _ in range(3):
        time.sleep(0.15)
        client.ask("a.example")
        client.answer("a.example")
    begin = time.monotonic()
    assert client.end() == "notify"
    assert 0.25 < time.monotonic() - begin < 0.6


def test_until_idle_closes_a_connection_on_which_nothing_is_asked(badpeer, connect):
    client = connect(badpeer("each: answer until idle 200ms, close"))
    begin = time.monotonic()
    assert client.record() == b""
    assert 0.1 < time.monotonic() - begin < 0.5


def test_for_ends_at_its_time_though_queries_come(badpeer, connect):
    client = connect(badpeer("each: answer for 300ms, answer rcode 2"))
    begin, rcodes = time.monotonic(), []
    while time.monotonic() - begin < 0.6:
        client.ask("a.example")
        rcodes.append((time.monotonic() - begin < 0.25, Head(client.message()).rcode))
        time.sleep(0.02)
    assert all(rcode == 0 for early, rcode in rcodes if early)
    assert rcodes[-1] == (False, 2) and rcodes[0] == (True, 0)


# ---- answers


def test_after_delays_one_answer_and_no_other(badpeer, connect):
    client = connect(badpeer("each: answer after 200ms, answer"))
    begin = time.monotonic()
    client.ask("a.example", "b.example")
    client.answer("b.example")
    assert time.monotonic() - begin < 0.15
    client.answer("a.example")
    assert time.monotonic() - begin >= 0.2


def test_drip_sends_records_of_so_many_octets_and_others_wait(badpeer, connect):
    client = connect(badpeer("each: answer drip 10 per 20ms, answer"))
    begin = time.monotonic()
    client.ask("a.example", "b.example")
    sizes = []
    while sum(sizes) < 56:
        sizes.append(len(client.record()))
    assert sizes == [10, 10, 10, 10, 10, 6]
    assert time.monotonic() - begin >= 0.1
    client.answer("b.example")


def test_split_begins_new_records(badpeer, connect):
    client = connect(badpeer("each: answer split 1 2 7"))
    client.ask("a.example")
    assert [len(client.record()) for _ in range(4)] == [1, 1, 5, 49]


def test_join_puts_answers_into_one_record(badpeer, connect):
    client = connect(badpeer("each: answer join 3"))
    client.ask("a", "b")
    assert client.hears_nothing()
    client.ask("c")
    assert len(client.record()) == 3 * 48


def test_reorder_turns_the_order_round(badpeer, connect):
    client = connect(badpeer("each: answer reorder 3"))
    client.ask("a", "b", "c", "d")
    assert all(is_right(client.message(), name, id) for name, id in (("c", 3), ("b", 2), ("a", 1)))
    assert client.hears_nothing()


def test_swap_gives_each_the_others_answer(badpeer, connect):
    client = connect(badpeer("each: answer swap"))
    client.ask("a", "b")
    assert is_right(client.message(), "b", 1)
    assert is_right(client.message(), "a", 2)


def test_duplicate_sends_it_so_often(badpeer, connect):
    client = connect(badpeer("each: answer duplicate 3"))
    client.ask("a.example")
    for _ in range(3):
        client.answer("a.example")
    assert client.hears_nothing()


def test_a_wrong_id_is_another(badpeer, connect):
    client = connect(badpeer("each: answer wrong-id"))
    client.ask("a.example")
    message = client.message()
    assert Head(message).id == 0xFFFE and is_right(message, "a.example")


def test_a_wrong_question_has_the_data_of_the_wrong_name(badpeer, connect):
    client = connect(badpeer("each: answer wrong-question"))
    client.ask("a.example")
    assert is_right(client.message(), "wrong.a.example", id=1)


def test_a_wrong_type_is_another(badpeer, connect):
    client = connect(badpeer("each: answer wrong-type"))
    client.ask("a.example")
    client.ask("a.example", qtype="AAAA")
    types = [parse(client.message()).question[0].rdtype for _ in range(2)]
    assert types == [messages.TYPES["TXT"], messages.TYPES["A"]]


def test_the_other_case_is_the_same_name(badpeer, connect):
    client = connect(badpeer("each: answer other-case"))
    client.ask("aB.example")
    message = client.message()
    assert b"\2Ab\7EXAMPLE" in message and is_right(message, "ab.example")


def test_an_rcode_comes_without_data(badpeer, connect):
    client = connect(badpeer("each: answer rcode SERVFAIL, answer rcode REFUSED, answer rcode 23"))
    client.ask("a", "b", "c")
    heads = [client.message() for _ in range(3)]
    assert [parse(message).rcode() for message in heads] == [2, 5, 23]
    assert all(Head(message).counts[1] == 0 for message in heads)


def test_tc_comes_without_data(badpeer, connect):
    client = connect(badpeer("each: answer tc"))
    client.ask("a.example")
    head = Head(client.message())
    assert head.truncated and head.counts[1] == 0


def test_a_size_is_met(badpeer, connect):
    client = connect(badpeer("each: answer size 700"))
    client.ask("a.example")
    assert len(client.message()) == 700


def test_a_length_field_lies(badpeer, connect):
    client = connect(badpeer("each: answer length 1000"))
    client.ask("a.example")
    record = client.record()
    assert record[:2] == b"\x03\xe8" and is_right(record[2:], "a.example")


def test_keepalive_is_in_tenths_of_seconds(badpeer, connect):
    client = connect(badpeer("each: answer keepalive 1.5s"))
    client.ask("a.example")
    assert Edns(client.message()[-17:]).options == [(messages.KEEPALIVE, b"\0\x0f")]


def test_no_opt_leaves_the_opt_out(badpeer, connect):
    client = connect(badpeer("each: answer, answer no-opt"))
    client.ask("a", "b")
    assert [Head(client.message()).counts[3] for _ in range(2)] == [1, 0]


@pytest.mark.parametrize("word, how", [("close-at", "notify"), ("fin-at", "fin"), ("reset-at", "reset")])
@pytest.mark.parametrize("octets", [0, 1, 2, 30])
def test_the_connection_ends_within_an_answer(word, how, octets, badpeer, connect):
    client = connect(badpeer(f"each: answer, answer {word} {octets}"))
    client.ask("a.example")
    client.answer("a.example")
    client.ask("b.example")
    if how == "reset":  # which may overtake what was sent before
        assert "reset" in (client.end(), client.end())
        return
    if octets:
        assert len(client.record()) == octets
    assert client.end() == how


# ---- other steps


@pytest.mark.parametrize("word, how", [("close", "notify"), ("fin", "fin"), ("reset", "reset")])
def test_the_connection_ends_when_the_answers_are_out(word, how, badpeer, connect):
    peer = badpeer(f"each: answer x2 after 100ms, {word}")
    client = connect(peer)
    client.ask("a.example", "b.example", "c.example")
    client.answer("a.example")
    client.answer("b.example")
    assert client.end() == how
    (end,) = eventually(lambda: events(peer, "end"))
    assert (end["by"], end["how"], end["queries"], end["answers"]) == ("us", how, 3, 2)


def test_notify_leaves_the_connection_open(badpeer, connect):
    peer = badpeer("each: answer, notify, answer")
    client = connect(peer)
    client.ask("a.example")
    client.answer("a.example")
    assert client.end() == "notify"
    client.tls.sendall(frame(messages.query("b.example")))
    assert eventually(lambda: len(peer.asked("b.example")) == 1)
    assert not events(peer, "end")


@pytest.mark.parametrize("alert, text", [
    ("internal_error", "alert internal error"), ("decrypt_error", "alert decrypt error"), ("112", "unrecognized name"),
])
def test_an_alert_comes_encrypted_behind_the_handshake(alert, text, badpeer, connect):
    client = connect(badpeer(f"each: answer x2, alert {alert}"))
    client.ask("a.example", "b.example")
    client.answer("a.example")
    client.answer("b.example")
    with pytest.raises(ssl.SSLError, match=text):
        client.record()


def test_the_alert_close_notify_is_a_warning(badpeer, connect):
    assert records.alert(script.ALERTS["close_notify"]) == bytes([1, 0])
    client = connect(badpeer("each: answer, alert close_notify"))
    client.ask("a.example")
    client.answer("a.example")
    assert client.end() == "notify"


@pytest.mark.parametrize("cipher", [
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
])
def test_an_alert_is_understood_under_every_cipher(cipher, badpeer, shown):
    peer = badpeer("each: alert internal_error")
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{peer.port}", "-CAfile", shown / "ca.pem",
         "-ciphersuites", cipher, "-ign_eof"],
        stdin=subprocess.PIPE, capture_output=True, text=True, timeout=20,
    )
    assert "SSL alert number 80" in done.stderr


def test_send_sends_octets_of_the_stream(badpeer, connect):
    client = connect(badpeer("each: send 0000, answer"))
    client.ask("a.example")
    assert client.message() == b""
    client.answer("a.example")


def test_queries_wait_while_it_stalls(badpeer, connect):
    client = connect(badpeer("each: answer, stall 200ms, answer x1, stall"))
    client.ask("a.example", "b.example", "c.example")
    client.answer("a.example")
    begin = time.monotonic()
    client.answer("b.example")
    assert time.monotonic() - begin >= 0.15
    assert client.hears_nothing()


def test_the_window_closes_when_it_stops_reading_and_opens_when_it_reads(badpeer, connect):
    peer = badpeer("each: stop-reading, stall 2s, read, silence")
    client = connect(peer)
    client.tls.settimeout(0.3)
    query = frame(messages.query("a.example"))
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 64 << 20:
            client.tls.sendall(query * 100)
            sent += 100 * len(query)
    seen = len(peer.connections[0].received)
    time.sleep(0.2)
    assert len(peer.connections[0].received) == seen
    assert eventually(lambda: len(peer.connections[0].received) > seen, 5)


def test_repeat_begins_again_behind_the_handshake(badpeer, connect):
    client = connect(badpeer("each: tls, answer x2, answer rcode 2, repeat"))
    client.ask(*"abcdef")
    assert [Head(client.message()).rcode for _ in range(6)] == [0, 0, 2, 0, 0, 2]


# ---- what it says


def test_it_tells_what_it_saw(badpeer, connect):
    peer = badpeer("each: answer")
    client = connect(peer)
    client.ask("a.example")
    client.answer("a.example")
    client.tls.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.tls.unwrap()  # sends close_notify, and waits for the peer's
    client.close()
    assert eventually(lambda: events(peer, "end"))
    assert [entry["event"] for entry in peer.events] == ["ready", "accept", "handshake", "query", "end"]
    _, accept, handshake, query, end = peer.events
    assert all(entry["connection"] == 1 for entry in peer.events[1:])
    assert accept["peer"].startswith("127.0.0.1:")
    assert (handshake["version"], handshake["alpn"], handshake["name"]) == ("TLSv1.3", "dot", NAME)
    assert (query["name"], query["type"], query["id"]) == ("a.example", 1, 1)
    assert bytes.fromhex(query["wire"]) == messages.query("a.example", id=1, edns=opt())
    assert (end["by"], end["how"], end["queries"], end["answers"]) == ("client", "close_notify", 1, 1)


@pytest.mark.parametrize("end, how", [("close", "fin"), ("reset", "reset"), ("stop", "stop")])
def test_it_tells_how_a_connection_ended(end, how, badpeer, connect):
    peer = badpeer("each: answer")
    client = connect(peer)
    client.ask("a.example")
    client.answer("a.example")  # and the tickets: what is not read makes a reset of a close
    if end == "stop":
        peer.stop()
    elif end == "reset":
        client.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    else:
        client.close()
    (ended,) = eventually(lambda: events(peer, "end"))
    assert (ended["by"], ended["how"]) == ("us" if end == "stop" else "client", how)


def test_answers_that_would_end_a_connection_twice_end_it_once(badpeer, connect):
    peer = badpeer("each: answer after 50ms reset-at 0, answer after 100ms reset-at 0")
    client = connect(peer)
    client.ask(*"abc")
    assert client.end() == "data" and client.end() == "reset"  # the tickets come first
    time.sleep(0.2)
    assert len(events(peer, "end")) == 1 and not events(peer, "error")


def test_it_tells_of_a_handshake_that_failed(badpeer, connect):
    peer = badpeer("each: tls certificate expired")
    with pytest.raises(ssl.SSLError):
        connect(peer)
    assert eventually(lambda: events(peer, "end"))
    (failed,) = events(peer, "handshake-failed")
    assert "EXPIRED" in failed["error"].upper()


# ---- scripts that are wrong


@pytest.mark.parametrize("text, complaint", [
    ("answer", "a rule starts with one of"),
    ("some: answer", "a rule starts with one of"),
    ("each 1: answer", "no choice of connections"),
    ("connection: answer", "no choice of connections"),
    ("connection x: answer", "x"),
    ("each: dance", "`dance` is no step"),
    ("each: answer,", "a step is empty"),
    ("each: answer sideways", "`sideways` does not belong to answer"),
    ("each: silence after 1s", "`after` does not belong to silence"),
    ("each: answer after", "a duration is missing"),
    ("each: answer after 5", "`5` is no duration"),
    ("each: answer drip 0 per 1s", "at least one octet"),
    ("each: answer drip 1 every 1s", "`per` is expected"),
    ("each: answer rcode FAIL", "`FAIL` is no rcode"),
    ("each: tls version 1.4", "`1.4` is no version"),
    ("each: tls colour red", "`colour` does not belong to tls"),
    ("each: close now", "`now` does not belong to close"),
    ("each: tcp, answer", "`answer` needs TLS"),
    ("each: close, repeat", "`repeat` would never wait"),
    ("each: tls version 1.2, answer, alert 80", "needs TLS 1.3"),
    ("name a.example: close", "one a query"),
])
def test_a_script_that_is_wrong_is_refused_and_says_where(text, complaint):
    with pytest.raises(script.ScriptError, match=complaint) as error:
        script.Script(f"each: silence\n{text}")
    assert text in str(error.value)


def test_a_script_that_is_wrong_changes_nothing(badpeer, connect):
    peer = badpeer("each: answer")
    with pytest.raises(script.ScriptError):
        peer.change("each: dance")
    client = connect(peer)
    client.ask("a.example")
    client.answer("a.example")


def test_the_scripts_in_the_tree_are_scripts():
    found = sorted((PROGRAM.parent / "faults" / "scripts").glob("*.script"))
    assert found
    for file in found:
        script.Script(file.read_text())


def test_every_word_is_in_a_test_and_in_the_manual():
    words = set()
    for node in ast.walk(ast.parse(pathlib.Path(__file__).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in ("badpeer", "change"):
            words.update(re.findall(r"[a-z][a-z-]*", ast.unparse(node)))
    parametrized = {"close-at", "fin-at", "reset-at", "reset", "group", "no-tickets", "ask-certificate"}
    assert script.WORDS - words - parametrized == set()
    assert {word for word in script.WORDS if not re.search(rf"(?<![\w-]){word}(?![\w-])", script.__doc__)} == set()


# ---- the program


@pytest.fixture
def program(shown, tmp_path):
    """Starts tests/badpeer; its port and log follow from its first line."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [PROGRAM, "-c", shown, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        process.port = json.loads(process.stdout.readline())["port"]
        process.seen = []
        threading.Thread(target=lambda: process.seen.extend(map(json.loads, process.stdout)), daemon=True).start()
        return process

    yield start
    for process in started:
        process.terminate()
        assert process.wait(10) == 0


def rcode_of(client):
    client.ask("a.example")
    return Head(client.message()).rcode


def test_the_program_obeys_lines_on_standard_input(program, connect):
    process = program("-e", "each: answer rcode 1")
    client = connect(process)
    assert rcode_of(client) == 1
    print("each: answer rcode 2; name x: silence", file=process.stdin, flush=True)
    assert eventually(lambda: rcode_of(client) == 2)
    print("each: dance", file=process.stdin, flush=True)
    assert rcode_of(client) == 2
    assert eventually(lambda: [entry["text"] for entry in process.seen if entry["event"] == "script"])


def test_the_program_reads_its_file_again_at_sighup(program, connect, tmp_path):
    file = tmp_path / "a.script"
    file.write_text("each: answer rcode 1\n")
    process = program(file)
    client = connect(process)
    assert rcode_of(client) == 1
    file.write_text("# another\neach: answer rcode 2\n")
    process.send_signal(signal.SIGHUP)
    assert eventually(lambda: rcode_of(client) == 2)


def test_the_program_refuses_a_wrong_script(shown):
    done = subprocess.run([PROGRAM, "-c", shown, "-e", "each: dance"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "`dance` is no step" in done.stderr


def test_the_help_is_the_manual():
    shown = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True, timeout=20).stdout
    assert script.__doc__.strip() in shown
