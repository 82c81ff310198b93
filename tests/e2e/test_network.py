"""What the network does to sotto: in namespaces of our own, with links that are slow, lossy, or go away."""

import socket

import pytest

from bench import behaviours, clients, eventually, messages
from bench.clients import addresses, ask
from bench.daemon import free_port
from bench.messages import unique_name


def is_answered(space, sotto):
    """Asked from within the namespace, it answers with the right data."""
    name = unique_name()
    with space.entered():
        answer = ask(sotto.address, name)
    assert addresses(answer) == [messages.address_of(name)], answer
    return True


def gets_servfail(space, sotto):
    with space.entered():
        answer = ask(sotto.address, unique_name())
    assert answer.rcode() == messages.SERVFAIL, answer
    return True


@pytest.fixture
def across(link, start):
    """across(...): sotto at the near end of the link, its upstream at the far end. Arguments are sotto's settings."""

    def begin(listener=None, **settings):
        with link.far.entered():
            upstream = start.upstream(host=link.FAR, listener=listener)
        sotto = start.sotto(upstream, prefix=link.near.prefix, listen=[f"127.0.0.1:{free_port()}"], **settings)
        return sotto, upstream

    return begin


# ---- TCP fast open


@pytest.fixture
def known(link, across):
    """(sotto, upstream) that have met before: the next SYN takes the ClientHello along."""
    for space in (link.near, link.far):
        space.sysctl("ipv4/tcp_fastopen", 3)
    with link.far.entered():
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        listener.bind((link.FAR, 0))
    sotto, upstream = across(listener)
    assert is_answered(link.near, sotto)
    assert link.near.tcp_counter("TCPFastOpenActive") == 0, "without a cookie, there is no fast open"
    upstream.close_connections()
    return sotto, upstream


def failures(sotto):
    return [(line["phase"], line["cause"]) for line in sotto.wait_for_log(msg="upstream failed")]


def test_fast_open_takes_the_client_hello_along(link, known):
    sotto, upstream = known
    assert is_answered(link.near, sotto)
    assert link.near.tcp_counter("TCPFastOpenActive") == 1
    assert set(upstream.connections[-1].record_types()) <= {0x14, 0x15, 0x16, 0x17}, "nothing but TLS is in the SYN"


def test_fast_open_to_one_that_refuses_fails_while_connecting(link, known):
    sotto, upstream = known
    upstream.stop_listening()
    assert gets_servfail(link.near, sotto)
    assert set(failures(sotto)) == {("connect", "refused")}


def test_fast_open_to_one_that_resets_fails_in_the_handshake(link, known):
    sotto, upstream = known
    upstream.instead_of_tls = behaviours.reset
    assert gets_servfail(link.near, sotto)
    assert set(failures(sotto)) == {("handshake", "reset")}


def test_fast_open_where_the_route_is_gone_fails_while_connecting(link, known):
    sotto, upstream = known
    link.near.ip("route", "add", "unreachable", f"{link.FAR}/32")
    assert gets_servfail(link.near, sotto)
    assert set(failures(sotto)) == {("connect", "unreachable")}


# ---- what happens to the host


def test_a_route_that_comes_back_is_noticed_at_once(link, across):
    sotto, upstream = across()
    link.near.ip("route", "add", "unreachable", f"{link.FAR}/32")
    assert gets_servfail(link.near, sotto)
    assert gets_servfail(link.near, sotto)
    link.near.ip("route", "delete", "unreachable", f"{link.FAR}/32")
    sotto.wait_for_log(count=2, msg="the network has changed: servers are tried afresh")
    assert is_answered(link.near, sotto)


def connections_from(link, address):
    """Those that stand, at the near end."""
    shown = clients.tool(*link.near.prefix, "ss", "-Htn", "state", "established", "src", address)
    return len(shown.splitlines())


def test_every_worker_leaves_connections_from_an_address_that_is_gone(link, across):
    sotto, upstream = across(workers=2)
    assert eventually(lambda: is_answered(link.near, sotto) and connections_from(link, link.NEAR) == 2)
    link.near.ip("address", "delete", f"{link.NEAR}/24", "dev", "near")
    link.near.ip("address", "add", "10.53.0.9/24", "dev", "near")
    assert eventually(lambda: connections_from(link, link.NEAR) == 0, 4), "and not when it is idle or silent for long"
    assert is_answered(link.near, sotto)
    assert upstream.connections[-1].peer[0] == "10.53.0.9"


def test_a_connection_from_the_source_that_is_configured_outlives_changes_elsewhere(link, start):
    link.near.ip("address", "add", "10.53.0.7/24", "dev", "near")
    with link.far.entered():
        upstream = start.upstream(host=link.FAR)
    sotto = start.sotto(f"{upstream.address()}?source=10.53.0.7", prefix=link.near.prefix)
    assert is_answered(link.near, sotto)
    assert upstream.connections[0].peer[0] == "10.53.0.7"
    link.near.ip("address", "add", "10.53.0.8/24", "dev", "near")
    sotto.wait_for_log(msg="the network has changed: servers are tried afresh")
    assert is_answered(link.near, sotto)
    assert len(upstream.connections) == 1
    link.near.ip("address", "delete", "10.53.0.7/24", "dev", "near")
    assert eventually(lambda: connections_from(link, "10.53.0.7") == 0, 4)
