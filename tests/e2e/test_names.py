"""Upstreams given by host name: who is asked for their addresses, and what happens when nobody can be.

users.md 1.6 in short: sotto starts whatever the network does, never asks itself, and needs no restart.
"""

import socket
import struct
import time

import pytest

from bench import behaviours, eventually, messages, netns
from bench.behaviours import rcode
from bench.certificates import NAME
from bench.clients import addresses, ask, extended_errors
from bench.daemon import free_port
from bench.messages import NXDOMAIN, SERVFAIL, opt, record, unique_name
from bench.upstream import listen


def at(*texts, ttl=300):
    """A bootstrap server's rule for a host that is at these addresses."""

    def behave(query):
        family, kind = (socket.AF_INET6, "AAAA") if query.asked.type == messages.TYPES["AAAA"] else (socket.AF_INET, "A")
        fitting = [socket.inet_pton(family, text) for text in texts if (":" in text) == (family == socket.AF_INET6)]
        query.send(messages.reply(query.asked, [record(kind, rdata, ttl) for rdata in fitting]))

    return behave


def named(upstream, host=NAME, name=None):
    return f"tls://{host}:{upstream.port}" + (f"#{name}" if name else "")


def is_answered(sotto, name=None):
    name = name or unique_name()
    answer = ask(sotto.address, name)
    return addresses(answer) == [messages.address_of(name)]


def failed(sotto, **wanted):
    return sotto.log(msg="upstream failed", **wanted)


@pytest.fixture
def bootstrap(start_upstream):
    return start_upstream(otherwise=rcode(NXDOMAIN))


# ---- bootstrap


def test_an_upstream_is_found_by_its_name_and_verified_by_it(bootstrap, start_upstream, start_sotto):
    upstream = start_upstream()
    bootstrap.when(NAME, at("127.0.0.1"))
    sotto = start_sotto(named(upstream), bootstrap=[bootstrap.address()])
    assert all(is_answered(sotto) for _ in range(5))
    assert sorted((q.asked.name, q.asked.type) for q in bootstrap.queries) == [(NAME, 1), (NAME, 28)]
    assert upstream.connections[0].server_name == NAME


def test_an_upstream_at_the_right_address_with_another_name_gets_nothing(
    authority, bootstrap, start_upstream, start_sotto
):
    impostor = start_upstream(authority.issue(names=("other.test",)))
    bootstrap.when(NAME, at("127.0.0.1"))
    sotto = start_sotto(named(impostor), bootstrap=[bootstrap.address()])
    assert not is_answered(sotto)
    assert impostor.connections and not impostor.queries


def test_aliases_are_followed_and_other_names_are_not_believed(bootstrap, start_upstream, start_sotto):
    upstream = start_upstream()
    target = b"\1b\7example\0"

    def alias(query):
        records = [record("CNAME", target), record("A", bytes([127, 0, 0, 66]), owner=b"\4evil\7example\0")]
        if query.asked.type == messages.TYPES["A"]:
            records.append(record("A", bytes([127, 0, 0, 1]), owner=target))
        query.send(messages.reply(query.asked, records))

    bootstrap.when(NAME, alias)
    sotto = start_sotto(named(upstream), bootstrap=[bootstrap.address()])
    assert is_answered(sotto)
    assert not failed(sotto)


def test_a_bootstrap_server_that_is_somebody_else_is_not_asked(authority, start_upstream, start_sotto):
    impostor, good = start_upstream(authority.issue(names=("other.test",))), start_upstream(otherwise=at("127.0.0.1"))
    upstream = start_upstream()
    sotto = start_sotto(named(upstream), bootstrap=[impostor.address(), good.address()])
    assert is_answered(sotto)
    assert impostor.connections and not impostor.queries


def test_a_mute_bootstrap_server_costs_less_than_a_second(start_upstream, start_sotto):
    mute, good = start_upstream(otherwise=behaviours.silence), start_upstream(otherwise=at("127.0.0.1"))
    upstream = start_upstream()
    sotto = start_sotto(named(upstream), bootstrap=[mute.address(), good.address()], policy="ordered")
    began = time.monotonic()
    assert is_answered(sotto)
    assert time.monotonic() - began < 1.5
    assert mute.queries


def test_where_every_bootstrap_server_is_mute_the_client_is_told_in_time(start_upstream, start_sotto):
    mute, upstream = start_upstream(otherwise=behaviours.silence), start_upstream()
    sotto = start_sotto(named(upstream), bootstrap=[mute.address()])
    began = time.monotonic()
    reply = ask(sotto.address, unique_name(), edns=opt())
    assert reply.rcode() == SERVFAIL and set(extended_errors(reply)) & {22, 23}
    assert time.monotonic() - began < 5
    mute.otherwise = at("127.0.0.1")
    assert eventually(lambda: is_answered(sotto), 10), "it needs no restart"


def test_one_of_three_names_does_not_exist_and_is_told_of_once(authority, bootstrap, start_upstream, start_sotto):
    first, second = start_upstream(), start_upstream(authority.issue(names=("second.test",)))
    bootstrap.when(NAME, at("127.0.0.1"))
    bootstrap.when("second.test", at("127.0.0.1"))
    sotto = start_sotto(
        named(first, "gone.test"), named(first), named(second, "second.test"),
        bootstrap=[bootstrap.address()], policy="ordered",
    )
    began = time.monotonic()
    while time.monotonic() - began < 5:
        assert is_answered(sotto)
        time.sleep(0.05)
    assert [(line["phase"], line["cause"]) for line in failed(sotto, level="warn")] == [("resolve", "no-such-name")]
    assert len(bootstrap.asked("gone.test")) <= 2 * 4, "it is asked for after 1, 2 and 4 seconds"


def test_an_upstream_that_would_be_sotto_itself_is_not_asked(bootstrap, start_sotto):
    port = free_port()
    bootstrap.when(NAME, at("127.0.0.1"))
    sotto = start_sotto(
        f"tls://{NAME}:{port}", bootstrap=[bootstrap.address()], listen=[f"127.0.0.1:{port}"]
    )
    assert ask(sotto.address, unique_name()).rcode() == SERVFAIL
    assert eventually(lambda: [line["cause"] for line in failed(sotto, level="warn")] == ["loop"])


# ---- addresses that change


def test_f_28_the_address_changes_and_the_old_one_dies(certificate, bootstrap, start_upstream, start_sotto):
    old = start_upstream(host="127.0.0.1")
    new = start_upstream(host="127.0.0.2", listener=listen("127.0.0.2", old.port))
    bootstrap.when(NAME, at("127.0.0.1", ttl=3600))
    sotto = start_sotto(named(old), bootstrap=[bootstrap.address()])
    assert is_answered(sotto)
    time.sleep(1.1)  # a name is not asked for twice within a second
    bootstrap.when(NAME, at("127.0.0.2", ttl=3600))
    old.stop_listening()
    old.close_connections("reset")
    began = time.monotonic()
    assert is_answered(sotto)
    assert time.monotonic() - began < 2
    assert new.queries and new.connections[0].server_name == NAME


def test_both_families_race_and_a_refusing_one_costs_nothing(bootstrap, start_upstream, start_sotto):
    upstream = start_upstream()  # on 127.0.0.1 alone
    bootstrap.when(NAME, at("::1", "127.0.0.1"))
    sotto = start_sotto(named(upstream), bootstrap=[bootstrap.address()])
    began = time.monotonic()
    assert is_answered(sotto)
    assert time.monotonic() - began < 1
    assert not failed(sotto)


# ---- over a restart


def test_the_last_good_address_is_used_when_no_bootstrap_server_is_there(tmp_path, bootstrap, start_upstream, start):
    state = tmp_path / "state"
    state.mkdir()
    upstream = start_upstream()
    bootstrap.when(NAME, at("127.0.0.1"))
    settings = {"bootstrap": [bootstrap.address()], "state": str(state)}
    first = start.sotto(named(upstream), workers=3, **settings)
    assert all(is_answered(first) for _ in range(20))
    assert eventually((state / "addresses").exists)
    first.stop()
    assert (state / "addresses").read_text() == f"{NAME} 127.0.0.1\n"
    bootstrap.stop()
    second = start.sotto(named(upstream), **settings)
    began = time.monotonic()
    assert is_answered(second)
    assert time.monotonic() - began < 1


def test_a_file_of_garbage_is_ignored_with_one_warning(tmp_path, bootstrap, start_upstream, start):
    state = tmp_path / "state"
    state.mkdir()
    (state / "addresses").write_bytes(struct.pack("<1000I", *range(1000)) + f"\n{NAME} 127.0.0.9 x\n".encode())
    upstream = start_upstream()
    bootstrap.when(NAME, at("127.0.0.1"))
    sotto = start.sotto(named(upstream), bootstrap=[bootstrap.address()], state=str(state), workers=3)
    assert is_answered(sotto)
    assert len(sotto.log(msg="saved addresses are ignored")) == 1
    assert eventually(lambda: (state / "addresses").read_bytes() == f"{NAME} 127.0.0.1\n".encode())


# ---- without a network


def test_it_serves_at_once_whatever_the_network_does(start_upstream, start_sotto):
    mute = start_upstream(otherwise=behaviours.silence)
    sotto = start_sotto(named(mute), bootstrap=[mute.address()], serving=False)
    began = time.monotonic()
    sotto.wait_until_serving()
    assert time.monotonic() - began < 2, "it waited for somebody"
    assert not mute.connections, "nobody is asked before there is a query"


def test_it_starts_without_a_network_and_works_when_there_is_one(link, start, certificate):
    with link.far.entered():
        upstream = start.upstream(host=link.FAR)
        boot = start.upstream(host=link.FAR, otherwise=at(link.FAR))
    link.near.ip("link", "set", "near", "down")
    sotto = start.sotto(
        named(upstream), bootstrap=[boot.address()], prefix=link.near.prefix, listen=[f"127.0.0.1:{free_port()}"]
    )
    with link.near.entered():
        began = time.monotonic()
        reply = ask(sotto.address, unique_name(), edns=opt())
        assert reply.rcode() == SERVFAIL and set(extended_errors(reply)) & {22, 23}
        assert time.monotonic() - began < 1
        link.near.ip("link", "set", "near", "up")
        link.near.ip("addr", "replace", f"{link.NEAR}/24", "dev", "near")
        began = time.monotonic()
        assert eventually(lambda: is_answered(sotto), 10)
        assert time.monotonic() - began < 2
    start.stop()


# ---- the system's resolver


def test_a_name_of_one_label_is_looked_up_in_the_systems_way(
    mounts, authority, tmp_path, bootstrap, start_upstream, start_sotto
):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost resolver\n")
    upstream = start_upstream(authority.issue(names=("resolver",)))
    sotto = start_sotto(
        named(upstream, "resolver"), bootstrap=[bootstrap.address()], prefix=netns.in_place_of("/etc/hosts", hosts)
    )
    assert is_answered(sotto)
    assert not bootstrap.connections, "the name leaves this host for nobody"


@pytest.fixture
def own_resolver(mounts, tmp_path):
    """What to put before sotto, for which the system's resolver is at 127.0.0.1."""
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\n")
    return netns.in_place_of("/etc/resolv.conf", resolv)


def test_where_sotto_is_the_systems_resolver_it_asks_bootstrap_and_not_itself(own_resolver, link, start):
    with link.near.entered():
        upstream, boot = start.upstream(), start.upstream(otherwise=at("127.0.0.1"))
        sotto = start.sotto(
            named(upstream), bootstrap=[boot.address()], listen=["127.0.0.1:53"],
            prefix=(*link.near.prefix, *own_resolver),
        )
        assert all(is_answered(sotto) for _ in range(3))
        sotto.stop()
    assert sotto.log(msg="stopped")[0]["queries_udp"] == "3", "none but the three came"
    assert "queries_tcp" not in sotto.log(msg="stopped")[0]
    start.stop()


def test_where_sotto_is_the_systems_resolver_a_name_of_one_label_is_told_as_a_loop(own_resolver, link, start):
    with link.near.entered():
        upstream = start.upstream()
        sotto = start.sotto(
            named(upstream, "resolver"), listen=["127.0.0.1:53"], prefix=(*link.near.prefix, *own_resolver)
        )
        began = time.monotonic()
        assert ask(sotto.address, unique_name()).rcode() == SERVFAIL
        assert time.monotonic() - began < 5
        line = sotto.wait_for_log(msg="upstream failed")[0]
        assert (line["phase"], line["cause"]) == ("resolve", "loop"), line
        time.sleep(2)
        sotto.stop()
    came = int(sotto.log(msg="stopped")[0]["queries_udp"])
    assert came < 60, "it goes in circles"
    start.stop()
