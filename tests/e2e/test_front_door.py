"""The front door: DNS over TLS, one port for all, unix sockets (RFC 7858, 7766, decision 014)."""

import os
import socket
import ssl

import pytest

from bench import clients, daemon, messages
from bench.behaviours import Gate, message
from bench.cached import cache
from bench.certificates import FRONT as NAME
from bench.clients import Tcp, Tls, addresses, careless, parse, strict
from bench.daemon import free_port
from bench.messages import query, unique_name
from test_passthrough import client_hello

PADDED = messages.opt(options=messages.option(messages.PADDING, bytes(20)))


def is_answered(connection, name=None):
    name = name or unique_name()
    return addresses(parse(connection.ask(query(name)))) == [messages.address_of(name)]


def test_a_client_that_verifies_is_answered_over_tls(start_front, upstream, authority):
    sotto = start_front(upstream)
    with Tls(sotto.front, strict(authority), NAME) as client:
        assert client.socket.selected_alpn_protocol() == "dot"
        assert client.socket.version() == "TLSv1.3"
        assert all(is_answered(client) for _ in range(20))


def test_one_port_takes_what_is_plain_and_what_is_tls(start_front, upstream):
    sotto = start_front(upstream, how="127.0.0.1:{}?tls=terminate")
    for over in ("udp", "tcp", "tls"):
        with clients.OVER[over](sotto.front) as client:
            assert is_answered(client)


@pytest.mark.parametrize("over", ["tcp", "tls"])
def test_what_is_not_taken_there_gets_no_octet(start_front, upstream, over):
    sotto = start_front(upstream, how="tls://127.0.0.1:{}" if over == "tcp" else "127.0.0.1:{}")
    hello = bytes.fromhex("1603010005010000010000")
    with Tcp(sotto.front) as client:
        client.socket.sendall(hello if over == "tls" else messages.frame(query(unique_name())))
        assert client.socket.recv(100) == b""


@pytest.mark.parametrize("request_line", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
@pytest.mark.parametrize("over", ["tcp", "tls"])
def test_a_browser_is_told_that_it_is_at_the_wrong_door(start_front, upstream, over, request_line):
    sotto = start_front(upstream, how="127.0.0.1:{}?tls=terminate")
    with clients.OVER[over](sotto.front) as client:
        client.socket.sendall(request_line)
        said = b""
        while octets := client.socket.recv(4096):
            said += octets
        assert said.startswith(b"HTTP/1.1 400 ") and said.endswith(b"does not speak HTTP.\n")


def test_a_unix_socket_takes_frames(start_sotto, upstream, control_path):
    path = control_path.replace("control", "dns")
    sotto = start_sotto(upstream, listen=[f"127.0.0.1:{free_port()}", f"unix:{path}?mode=0600"])
    assert os.stat(path).st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(path)
        name = unique_name()
        client.sendall(messages.frame(query(name)))
        answer = client.recv(4096)
        assert addresses(parse(answer[2:])) == [messages.address_of(name)]
    sotto.stop()
    assert not os.path.exists(path)


def test_a_throw_away_certificate_is_made_and_its_pin_told(start_front, upstream):
    sotto = start_front(upstream, certificate="self-signed")
    assert sotto.wait_for_log(msg="shown to clients over TLS")[0]["pin"].startswith("sha256/")
    with Tls(sotto.front) as client:
        assert is_answered(client)


def test_a_certificate_that_changes_is_shown_without_a_restart(start_front, upstream, authority, front, tmp_path):
    shown = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}

    def write(certificate):
        (tmp_path / "cert.pem").write_bytes(open(certificate.chain, "rb").read())
        (tmp_path / "key.pem").write_bytes(open(certificate.key, "rb").read())

    write(front)
    sotto = start_front(upstream, certificate=shown, timeouts={"client-idle": "1m"})
    with Tls(sotto.front, strict(authority), NAME) as before:
        assert is_answered(before)
        write(authority.issue(names=("renewed.test",)))
        sotto.wait_for_log(msg="certificates have changed: shown from now on")
        with Tls(sotto.front, strict(authority), "renewed.test") as after:
            assert is_answered(after)
        assert is_answered(before)
        (tmp_path / "key.pem").write_text("no key\n")
        sotto.wait_for_log(msg="certificates have changed, and those before are shown")
        with Tls(sotto.front, strict(authority), "renewed.test") as after:
            assert is_answered(after)


def test_7830_01_answers_are_padded_where_the_query_was_and_it_is_encrypted(start_front, upstream):
    sotto = start_front(upstream, how="127.0.0.1:{}?tls=terminate")
    for over, fits in (("tls", True), ("tcp", False), ("udp", False)):
        with clients.OVER[over](sotto.front) as client:
            assert (len(client.ask(query(unique_name(), edns=PADDED))) % 468 == 0) == fits
            assert len(client.ask(query(unique_name(), edns=messages.opt()))) % 468


def test_8467_02_whoever_knows_the_answer_its_length_is_one_of_few(start_front, start_upstream):
    """The upstream, the cache, or sotto itself, who is asked where it is to be had (RFC 9462)."""
    upstream = start_upstream()
    sotto = start_front(upstream, cache=cache())
    with Tls(sotto.front) as client:
        for size, padded in ((100, 468), (440, 468), (470, 936), (1300, 1404), (3000, 3276)):
            name = unique_name()
            upstream.when(name, message(lambda asked, size=size: messages.sized(asked, size)))
            for _ in ("a miss", "a hit"):
                assert len(client.ask(query(name, "TXT", edns=PADDED))) == padded
            assert len(upstream.asked(name)) == 1
        assert len(client.ask(query("_dns.resolver.arpa", "SVCB", edns=PADDED))) == 468


@pytest.mark.parametrize("end", ["the client ends", "it is idle", "sotto stops"])
def test_7858_08_a_connection_ends_by_close_notify(start_front, upstream, end):
    """Whoever is not sent one is told of a connection that was torn."""
    sotto = start_front(upstream, timeouts={"client-idle": "200ms" if end == "it is idle" else "1h"})
    context = careless()
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    with Tcp(sotto.front) as client:
        client.socket = context.wrap_socket(client.socket, suppress_ragged_eofs=False)
        assert is_answered(client)
        if end == "the client ends":
            client.socket = client.socket.unwrap()  # which waits for the other's
        elif end == "sotto stops":
            sotto.stop()
        assert client.socket.recv(1) == b""


def test_queries_that_came_with_the_end_are_answered_all_the_same(start_front, start_upstream):
    """More than may wait, and close_notify behind them, in one read; and those that wait are answered in one turn."""
    upstream = start_upstream()
    sotto = start_front(upstream, limits={"queries-per-connection": 4})
    slow, gate = unique_name("slow"), Gate()
    upstream.when(slow, gate)
    names = [slow] * 4 + [unique_name() for _ in range(8)]
    with Tls(sotto.front) as client:
        client.socket.sendall(b"".join(messages.frame(query(name, id=id)) for id, name in enumerate(names)))
        client.socket.settimeout(0.001)
        with pytest.raises((OSError, TimeoutError)):
            client.socket.unwrap()  # says close_notify, and does not wait for the other's
        gate.open(upstream)
        assert {clients.Head(client.receive()).id for _ in names} == set(range(12))


def test_its_health_can_be_seen_where_only_tls_is_taken(start_sotto, upstream, authority, front):
    shown = {"cert": str(front.chain), "key": str(front.key)}
    sotto = start_sotto(
        upstream, listen=["tls://127.0.0.1:" + str(free_port())], certificate=shown,
        clients={"ca": str(authority.file), "required": True},
    )
    check = [daemon.BINARY, "healthcheck", "--config", sotto.file]
    assert clients.tool(*check) == ""
    sotto.stop()
    with pytest.raises(AssertionError, match="nothing answers"):
        clients.tool(*check)


@pytest.mark.parametrize("how", ["terminate", "passthrough"])
def test_a_daemon_that_stops_waits_for_nobody_however_far_he_has_got(start_front, upstream, how):
    patient = {"client-idle": "1m", "message": "1m"}
    sotto = start_front(upstream, how="127.0.0.1:{}?tls=" + how, proxies=["127.0.0.3"], timeouts=patient)
    hello = client_hello()
    beginnings = [b"", b"\x16\x03", hello[:40], b"\0", b"GET"] + [hello] * 20
    held = [(Tcp(sotto.front), octets) for octets in beginnings]
    held += [(Tcp(sotto.front, source="127.0.0.3"), octets) for octets in (b"", b"PROXY TCP4 1")]
    for client, octets in held:
        client.socket.sendall(octets)
    with Tls(sotto.front) as client:
        assert is_answered(client)
        sotto.stop()
    for client, _ in held:
        client.close()
