"""Upstreams given as `ddr://ADDRESS`: the resolver there is asked in clear whom it designates, and nothing else; who
that is must have the resolver's address in the certificate before a query goes there (RFC 9462)."""

import shutil
import socket
import struct

import pytest

from bench import daemon, eventually, messages
from bench.certificates import NAME
from bench.clients import Tls, addresses, ask, extended_errors, parse
from bench.daemon import free_port
from bench.messages import SERVFAIL, TC, opt, query, record, reply, unique_name, wire_name
from bench.unbound import beginning as unbound_beginning
from test_plain_upstreams import start_plain  # noqa: F401: a fixture
from test_real_parts import program, serve  # noqa: F401: a fixture
from test_status import status, upstream_of

QUESTION = "_dns.resolver.arpa"
ALPN, PORT, IPV4HINT = 1, 3, 4


def parameter(key, value):
    return struct.pack("!HH", key, len(value)) + value


def service(priority=1, target=NAME, port=None, at=None, alpn=b"\3dot", further=b""):
    """A record that designates somebody."""
    parameters = parameter(ALPN, alpn)
    if port:
        parameters += parameter(PORT, struct.pack("!H", port))
    if at:
        parameters += parameter(IPV4HINT, socket.inet_aton(at))
    return record("SVCB", struct.pack("!H", priority) + wire_name(target) + parameters + further)


def designates(*records):
    return lambda query: query.send(reply(query.asked, records))


def at(text):
    """Knows the address of a host."""

    def behave(query):
        records = [record("A", socket.inet_aton(text))] if query.asked.type == messages.TYPES["A"] else []
        query.send(reply(query.asked, records))

    return behave


def allowed(upstream):
    """A setting that has the sandbox let this port be connected to, since it is another upstream's as well."""
    return {"groups": {"other": [f"tcp://127.0.0.1:{upstream.port}"]}}


def is_answered(sotto):
    name = unique_name()
    return addresses(ask(sotto.address, name)) == [messages.address_of(name)]


def fails(sotto):
    answer = ask(sotto.address, unique_name(), edns=opt())
    return answer.rcode() == SERVFAIL and set(extended_errors(answer)) & {22, 23}


def only_asked_whom_it_designates(resolver):
    return {query.asked.name for query in resolver.queries} == {QUESTION}


@pytest.fixture
def resolver(start_plain):  # noqa: F811
    """At an address of its own, so that no other certificate of these tests has it."""
    return start_plain(host="127.0.0.2")


@pytest.fixture
def endpoint(authority, start_upstream):
    """Who may be designated by the resolver."""
    return start_upstream(authority.issue(addresses=["127.0.0.2"]))


# ---- who is asked


def test_9462_02_whom_the_resolver_designates_is_asked_and_the_resolver_is_not(resolver, endpoint, start_sotto):
    resolver.when(QUESTION, designates(service(port=endpoint.port, at="127.0.0.1")))
    sotto = start_sotto(resolver.address("ddr"), **allowed(endpoint))
    assert all(is_answered(sotto) for _ in range(5))
    assert len(endpoint.queries) == 5
    assert only_asked_whom_it_designates(resolver) and len(resolver.queries) == 1
    query, = resolver.queries
    assert (query.asked.type, query.connection.over) == (messages.TYPES["SVCB"], "udp")
    assert query.asked.edns.options == []
    assert endpoint.connections[0].server_name == NAME, "the target is the server name"
    start = sotto.log_of_start()
    assert start["upstreams"] == resolver.address("ddr") and start["verified"] == "address"
    line, = sotto.wait_for_log(msg="upstream connected")
    assert (line["designated"], line["verified"], line["addr"]) == (NAME, "address", f"127.0.0.1:{endpoint.port}")


def test_tls_that_is_passed_through_goes_to_whom_it_designates(resolver, endpoint, start_sotto):
    resolver.when(QUESTION, designates(service(port=endpoint.port, at="127.0.0.1")))
    port = free_port()
    listen = [f"127.0.0.1:{free_port()}", f"127.0.0.1:{port}?tls=passthrough"]
    start_sotto(resolver.address("ddr"), listen=listen, **allowed(endpoint))
    name = unique_name()
    with Tls(("127.0.0.1", port)) as client:
        assert addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]


def test_9462_02_its_address_is_asked_of_the_same_resolver(resolver, endpoint, start_sotto):
    resolver.when(QUESTION, designates(service(port=endpoint.port)))
    resolver.when(NAME, at("127.0.0.1"))
    sotto = start_sotto(resolver.address("ddr"), **allowed(endpoint))
    assert all(is_answered(sotto) for _ in range(5))
    assert sorted((q.asked.name, q.asked.type) for q in resolver.queries) == [(QUESTION, 64), (NAME, 1), (NAME, 28)]


def test_9462_02_a_truncated_designation_is_asked_for_over_tcp(resolver, endpoint, start_sotto):
    whole = designates(service(port=endpoint.port, at="127.0.0.1"))

    def cut(query):
        if query.connection.over == "udp":
            query.send(reply(query.asked, [], flags=TC))
        else:
            whole(query)

    resolver.when(QUESTION, cut)
    sotto = start_sotto(resolver.address("ddr"), **allowed(endpoint))
    assert is_answered(sotto)
    assert [query.connection.over for query in resolver.queries] == ["udp", "tcp"]


# ---- who must prove what


@pytest.mark.parametrize("certificate_for", [["127.0.0.1"], []], ids=["another address", "no address"])
def test_9462_03_who_has_not_the_resolvers_address_in_the_certificate_is_asked_nothing(
    certificate_for, authority, resolver, start_upstream, start_sotto
):
    impostor = start_upstream(authority.issue(addresses=certificate_for))
    resolver.when(QUESTION, designates(service(port=impostor.port, at="127.0.0.1")))
    sotto = start_sotto(resolver.address("ddr"), **allowed(impostor))
    assert fails(sotto) and fails(sotto)
    assert impostor.connections and not impostor.queries
    assert only_asked_whom_it_designates(resolver)
    line = sotto.wait_for_log(msg="upstream failed", phase="verify")[0]
    assert line["cause"] == "wrong-name" and line["reason"].endswith(", not for 127.0.0.2")


def test_9462_03_a_certificate_of_nobody_who_is_trusted_is_of_no_use(stranger, resolver, start_upstream, start_sotto):
    impostor = start_upstream(stranger.issue(addresses=["127.0.0.2"]))
    resolver.when(QUESTION, designates(service(port=impostor.port, at="127.0.0.1")))
    sotto = start_sotto(resolver.address("ddr"), **allowed(impostor))
    assert fails(sotto)
    assert impostor.connections and not impostor.queries


def test_a_pin_and_a_ca_are_held_to_beside_the_address(authority, stranger, resolver, start_upstream, start_sotto):
    certificate = stranger.issue(addresses=["127.0.0.2"])
    endpoint = start_upstream(certificate)
    resolver.when(QUESTION, designates(service(port=endpoint.port, at="127.0.0.1")))

    def with_pin(pin, ca=stranger.file):
        return start_sotto(f"{resolver.address('ddr')}?pin={pin}&ca={ca}", **allowed(endpoint))

    assert fails(with_pin(authority.pin)) and not endpoint.queries
    assert fails(with_pin(certificate.pin, ca=authority.file)) and not endpoint.queries
    sotto = with_pin(certificate.pin)
    assert is_answered(sotto)
    assert sotto.log_of_start()["verified"] == "address and pin"


def test_9462_06_a_forged_designation_is_forgotten_when_the_resolver_is_asked_again(
    authority, resolver, endpoint, start_upstream, start_sotto
):
    impostor = start_upstream(authority.issue(addresses=["127.0.0.1"]))
    resolver.when(QUESTION, designates(service(port=impostor.port, at="127.0.0.1")))
    sotto = start_sotto(
        resolver.address("ddr"), groups={"other": [f"tcp://127.0.0.1:{one.port}" for one in (impostor, endpoint)]}
    )
    assert fails(sotto)
    resolver.when(QUESTION, designates(service(port=endpoint.port, at="127.0.0.1")))
    assert eventually(lambda: is_answered(sotto), 30)
    assert not impostor.queries


# ---- which of them


def test_9462_04_records_with_keys_that_are_not_understood_are_passed_over(resolver, endpoint, start_sotto):
    strange = struct.pack("!H", 65000)
    mandatory = struct.pack("!HHH", 0, 2, 65000) + parameter(ALPN, b"\3dot") + strange + b"\0\0"
    resolver.when(QUESTION, designates(
        record("SVCB", struct.pack("!H", 1) + wire_name("other.test") + mandatory),
        service(2, target="h2.test", alpn=b"\2h2"),
        service(3, port=endpoint.port, at="127.0.0.1"),
    ))
    sotto = start_sotto(resolver.address("ddr"), **allowed(endpoint))
    assert is_answered(sotto)
    assert endpoint.connections[0].server_name == NAME


def test_9462_04_the_lowest_number_is_asked_and_the_next_one_when_that_fails(
    authority, resolver, endpoint, start_upstream, start_sotto
):
    first = start_upstream(authority.issue(addresses=["127.0.0.2"]))
    resolver.when(QUESTION, designates(
        service(2, target="second.test", port=endpoint.port, at="127.0.0.1"),
        service(1, target="first.test", port=first.port, at="127.0.0.1"),
    ))
    both = {"groups": {"other": [f"tcp://127.0.0.1:{port}" for port in (first.port, endpoint.port)]}}
    sotto = start_sotto(resolver.address("ddr"), **both)
    assert is_answered(sotto)
    assert first.connections[0].server_name == "first.test" and not endpoint.connections
    first.stop_listening()
    first.close_connections("reset")
    assert eventually(lambda: is_answered(sotto))
    assert endpoint.connections[0].server_name == "second.test"


# ---- what is told


@pytest.mark.parametrize(
    "records, reason",
    [
        ([], "designates no encrypted resolver in its place"),
        ([service(alpn=b"\2h2")], "designates nobody who speaks DNS over TLS"),
        ([service(target="resolver.arpa")], "gives no host name of whom it designates"),
        ([service(further=b"\0")], "designates somebody by a record that is malformed"),
    ],
    ids=["nobody", "no dot", "no name", "malformed"],
)
def test_what_is_wrong_with_a_designation_is_told(records, reason, resolver, run_sotto):
    resolver.when(QUESTION, designates(*records))
    sotto = run_sotto(resolver.address("ddr"))
    answer = ask(sotto.address, unique_name(), edns=opt())
    assert answer.rcode() == SERVFAIL
    assert any(reason in option.to_wire().decode(errors="replace") for option in answer.options)
    seen = upstream_of(sotto)
    assert seen["state"] == "down" and seen["last_error"]["phase"] == "resolve"
    assert seen["last_error"]["reason"] == f"127.0.0.2:{resolver.port} {reason}"
    assert (seen["encrypted"], seen["verified"], seen["designated"]) == (True, None, None)
    assert only_asked_whom_it_designates(resolver)


def test_the_status_tells_who_is_designated(resolver, endpoint, run_sotto):
    resolver.when(QUESTION, designates(service(port=endpoint.port, at="127.0.0.1")))
    sotto = run_sotto(resolver.address("ddr"), **allowed(endpoint))
    assert is_answered(sotto)
    seen = upstream_of(sotto)
    assert (seen["designated"], seen["address"]) == (NAME, f"127.0.0.1:{endpoint.port}")
    assert (seen["authentication"], seen["verified"]) == ("address", True)


@pytest.mark.skipif(daemon.SANDBOX == "off", reason="this bench runs without a sandbox")
def test_a_port_that_the_sandbox_forbids_is_told(resolver, endpoint, run_sotto):
    resolver.when(QUESTION, designates(service(port=endpoint.port, at="127.0.0.1")))
    sotto = run_sotto(resolver.address("ddr"))
    if status(sotto)["sandbox"]["landlock"] < 4:
        pytest.skip("this kernel holds no ports back")
    assert fails(sotto)
    assert not endpoint.connections
    line = sotto.wait_for_log(msg="upstream failed", phase="connect")[0]
    assert line["cause"] == "denied" and "sandbox" in line["reason"]


# ---- a resolver that people run


def unbound(serve, directory, certificate):  # noqa: F811
    """Answers in clear and over TLS, and designates itself."""
    plain, tls = free_port(), free_port()
    (directory / "unbound.conf").write_text(
        f"""{unbound_beginning(directory)}
    interface: 127.0.0.1@{plain}
    interface: 127.0.0.1@{tls}
    access-control: 127.0.0.0/8 allow
    tls-port: {tls}
    tls-service-key: "{certificate.key}"
    tls-service-pem: "{certificate.chain}"
    local-zone: resolver.arpa. static
    local-data: "{QUESTION}. 300 IN SVCB 2 {NAME}. alpn=h2 port=443"
    local-data: "{QUESTION}. 300 IN SVCB 1 {NAME}. alpn=dot port={tls}"
    local-zone: test. static
    local-data: "{NAME}. 300 IN A 127.0.0.1"
    local-data: "www.real.test. 300 IN A 192.0.2.80"
remote-control:
    control-enable: no
"""
    )
    copy = directory / "unbound"
    shutil.copy(program("unbound"), copy)
    serve([str(copy), "-d", "-c", str(directory / "unbound.conf")], tls)
    return f"ddr://127.0.0.1:{plain}", {"groups": {"other": [f"tcp://127.0.0.1:{tls}"]}}


def test_9462_02_unbound_designates_itself(authority, serve, tmp_path, start_sotto, over):  # noqa: F811
    address, port = unbound(serve, tmp_path, authority.issue(addresses=["127.0.0.1"]))
    sotto = start_sotto(address, **port)
    assert addresses(ask(sotto.address, "www.real.test", over=over)) == ["192.0.2.80"]
    line, = sotto.wait_for_log(msg="upstream connected")
    assert (line["designated"], line["verified"]) == (NAME, "address")


def test_9462_03_unbound_without_its_address_in_the_certificate_is_not_asked(
    certificate, serve, tmp_path, start_sotto  # noqa: F811
):
    address, port = unbound(serve, tmp_path, certificate)
    sotto = start_sotto(address, **port)
    assert fails(sotto)
    line = sotto.wait_for_log(msg="upstream failed", phase="verify")[0]
    assert line["reason"] == f"the certificate is for {NAME}, not for 127.0.0.1"
