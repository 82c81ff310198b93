"""Conformance: what fails does not multiply (RFC 4697, RFC 9520, loops of forwarders), what ends is gone (S-46), and who
is a stranger stays outside (RFC 5625)."""

import json
import socket
import struct
import time

import pytest

from bench import eventually, messages
from bench.claims import fails, is_answered, names
from bench.clients import Tcp, Udp, addresses, ask, extended_errors, parse, tool
from bench.control import answer_to
from bench.daemon import free_port
from bench.messages import REFUSED, SERVFAIL, frame, opt, query, unique_name


def slam(connection):
    """Accepts, and closes at the first octet."""
    connection.transport.close()


# Until it is known to be down a server is dialled a few times, then probed after 100 ms, 200 ms and so on, soon once in
# a second at most.
FIRST_DIALS = 12


def test_4697_01_clients_that_go_on_asking_cause_no_storm(start_upstream, start_sotto):
    upstreams = [start_upstream(instead_of_tls=slam) for _ in range(2)]
    sotto = start_sotto(*upstreams)
    fails(sotto)
    began, asked = time.monotonic(), names(1000)
    with Tcp(sotto.address) as client:
        for at in range(0, 1000, 20):
            client.send(*(query(name, id=at + n) for n, name in enumerate(asked[at : at + 20])))
            time.sleep(0.08)
        answers = [parse(client.receive()) for _ in asked]
    elapsed = time.monotonic() - began
    assert {answer.rcode() for answer in answers} == {SERVFAIL}
    assert {answer.id for answer in answers} == set(range(1000))
    for upstream in upstreams:
        assert len(upstream.connections) <= FIRST_DIALS + elapsed
        assert not upstream.queries


def test_s_47_a_server_that_closes_each_connection_is_dialled_a_few_times_for_a_query(start_upstream, start_sotto):
    upstream = start_upstream(instead_of_tls=slam)
    sotto = start_sotto(upstream)
    began = time.monotonic()
    fails(sotto)
    assert 1 <= len(upstream.connections) <= FIRST_DIALS + time.monotonic() - began


# ---- loops


def requests_of(path):
    return sum(json.loads(answer_to(path, b"status\n"))["dns_requests_total"].values())


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_loop_01_two_forwarders_that_point_at_each_other_end_a_query(scheme, start_sotto, tmp_path, control_path):
    ports = [free_port(), free_port()]
    paths = [control_path, control_path + "2"]
    first, second = (
        start_sotto(f"{scheme}://127.0.0.1:{other}", listen=[f"127.0.0.1:{own}"], control=path)
        for own, other, path in zip(ports, reversed(ports), paths)
    )
    for count, sotto in enumerate((first, second), 1):
        answer = ask(sotto.address, unique_name(), edns=opt())
        assert answer.rcode() == SERVFAIL and set(extended_errors(answer)) & {22, 23}
    assert sum(requests_of(path) for path in paths) <= 24, "the query went round and round"


# ---- what ends is gone


def close_waits(*ports):
    """Connections that the other side has closed, and this one has not."""
    wanted = " or ".join(f"sport = :{port} or dport = :{port}" for port in ports)
    return tool("ss", "-Htn", "state", "close-wait", f"( {wanted} )")


def leave(client, how):
    if how == "reset":
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if how == "half":
        client.end()
        client.receive()
    client.close()


def test_s_46_nothing_stays_in_close_wait(start_upstream, start_sotto):
    upstream = start_upstream()
    sotto = start_sotto(upstream)
    for how in ("fin", "reset", "half"):
        for octets in (b"", b"\0", frame(query(unique_name())), frame(query(unique_name()))[:-1], frame(b"")):
            client = Tcp(sotto.address)
            client.write(octets)
            leave(client, how)
    for how in ("notify", "fin", "reset"):
        is_answered(sotto)
        upstream.close_connections(how)
    is_answered(sotto)
    assert eventually(lambda: not close_waits(sotto.port, upstream.port)), close_waits(sotto.port, upstream.port)


# ---- who may ask, and early data


def test_5625_05_by_default_a_public_address_is_refused_and_a_private_one_answered(link, start, over):
    near, far, port = link.NEAR, "203.0.113.2", free_port()
    link.far.ip("addr", "add", f"{far}/32", "dev", "far")
    link.near.ip("route", "add", f"{far}/32", "dev", "near")
    with link.near.entered():
        upstream = start.upstream()
    sotto = start.sotto(upstream, prefix=link.near.prefix, listen=[f"{near}:{port}"])
    told = {}
    for source in (far, link.FAR):
        with link.far.entered():
            client = {"udp": Udp, "tcp": Tcp}[over](sotto.address, source=source)
        with client:
            told[source] = parse(client.ask(query(name := unique_name(), edns=opt())))
    assert (told[far].rcode(), extended_errors(told[far])) == (REFUSED, [18])
    assert addresses(told[link.FAR]) == [messages.address_of(name)]


def test_8446_01_early_data_cannot_be_sent(sotto):
    """OpenSSL sends and takes it by functions of its own, and the program has none of them but the one that says that none is
    taken."""
    called = tool("nm", "--dynamic", "--undefined-only", f"/proc/{sotto.process.pid}/exe")
    assert "SSL_do_handshake" in called or "SSL_connect" in called, "this does not show what is called"
    assert "early_data" not in called.replace("SSL_CTX_set_max_early_data", "")
