"""The bench itself: what the scripted upstream says is what a client without sotto between sees."""

import os
import signal
import socket
import ssl

import dns.message
import dns.query
import pytest

from bench import behaviours, clients, messages
from bench.certificates import NAME


@pytest.fixture
def connect(authority, start_upstream):
    opened = []

    def connect(upstream):
        context = ssl.create_default_context(cafile=authority.file)
        context.set_alpn_protocols(["dot"])
        raw = socket.create_connection((upstream.host, upstream.port), timeout=10)
        opened.append(raw)
        tls = context.wrap_socket(raw, server_hostname=NAME)
        opened.append(tls)
        return tls

    yield connect
    for one in opened:
        one.close()


def read(tls):
    size = int.from_bytes(tls.recv(2), "big")
    return tls.recv(size)


def test_the_answer_follows_from_the_name(connect, start_upstream):
    upstream = start_upstream()
    tls = connect(upstream)
    query = messages.query("A.t.test", edns=messages.opt())
    tls.sendall(messages.frame(query))
    answer = dns.message.from_wire(read(tls))
    assert clients.addresses(answer) == [messages.address_of("a.t.test")]
    assert [q.wire for q in upstream.asked("a.t.test")] == [query]
    seen = upstream.connections[0]
    assert (seen.version, seen.server_name, seen.alpn, seen.resumed) == ("TLSv1.3", NAME, "dot", False)
    assert set(seen.record_types()) <= {0x14, 0x16, 0x17}


def test_kdig_accepts_the_upstream(authority, start_upstream):
    if not clients.has_tool("kdig"):
        pytest.skip("kdig is not installed")
    upstream = start_upstream()
    printed = clients.tool(
        "kdig", "@127.0.0.1", "-p", upstream.port, f"+tls-ca={authority.file}", f"+tls-hostname={NAME}",
        "+padding", "+short", "k.t.test",
    )
    assert printed.split() == [messages.address_of("k.t.test")]


def test_a_rule_splits_an_answer_into_records_of_one_octet(connect, start_upstream):
    upstream = start_upstream()
    upstream.when("split.t.test", behaviours.in_records_of(1))
    tls = connect(upstream)
    tls.sendall(messages.frame(messages.query("split.t.test")))
    assert tls.recv(100) == b"\0", "one octet to a record"


@pytest.mark.parametrize("how, ending", [("notify", [24]), ("fin", []), ("reset", ConnectionResetError)])
def test_a_rule_closes_the_connection(how, ending, connect, start_upstream):
    upstream = start_upstream()
    upstream.when("close.t.test", behaviours.close(how))
    tls = connect(upstream)
    tls.sendall(messages.frame(messages.query("a.t.test")))
    read(tls)  # and with it the session tickets
    tls.sendall(messages.frame(messages.query("close.t.test")))
    with socket.socket(fileno=os.dup(tls.fileno())) as raw:
        raw.settimeout(10)
        if how == "reset":
            with pytest.raises(ending):
                raw.recv(100)
        else:
            assert [len(octets) for octets in iter(lambda: raw.recv(100), b"")] == ending


@pytest.mark.parametrize("octets", [1, 3, 4, 64, 65, 66, 67, 128, 129, 130, 250, 254, 255, 256])
def test_a_name_has_the_length_asked_for(octets):
    name = messages.name_of_length(octets)
    assert len(name) == octets and name[-1] == 0


@pytest.mark.parametrize("octets", [512, 513, 1232, 4096, 65000, 65535])
def test_a_sized_reply_has_its_size_and_parses(octets):
    reply = messages.sized(messages.Asked(messages.query("size.t.test", "TXT")), octets)
    assert len(reply) == octets
    dns.message.from_wire(reply)


def test_a_daemon_that_was_ended_by_a_signal_is_a_fault(start, start_upstream, tmp_path):
    (tmp_path / "own").mkdir()
    own = type(start)(start.authority, start.certificate, tmp_path / "own")
    sotto = own.sotto(start_upstream())
    sotto.signal(signal.SIGSYS)  # as the kernel does to who makes a system call that is not foreseen
    sotto.wait()
    with pytest.raises(AssertionError, match="ended by SIGSYS|sandbox: system call"):
        own.stop()


def test_a_server_that_cannot_listen_is_a_fault_and_no_wait(start_upstream):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wrong:
        wrong.bind(("127.0.0.1", 0))
        with pytest.raises(ValueError, match="Stream Socket"):
            start_upstream(listener=wrong)
