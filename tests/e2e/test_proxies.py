"""Behind a load balancer: who is listed in `proxies` says by a PROXY header whom it speaks for, and nobody else does."""

import json

import pytest

from bench import clients, daemon, eventually, messages, proxied
from bench.behaviours import Gate
from bench.clients import Head, Tcp, Udp, addresses, parse
from bench.control import answer_to
from bench.messages import REFUSED, SERVFAIL, query, unique_name

PROXY, OTHER = "127.0.0.5", "127.0.0.6"
INSIDE, INSIDE_6, OUTSIDE = "192.0.2.7", "2001:db8:1::7", "198.51.100.7"
ALLOWED = ["192.0.2.0/24", "2001:db8:1::/48"]
PATIENT = {"query": "60s", "attempt": "30s", "upstream-silent": "60s"}


@pytest.fixture
def upstream(start_upstream):
    return start_upstream()


@pytest.fixture
def behind(run_sotto, upstream):
    """Starts a sotto behind PROXY, which takes clients of ALLOWED; every address of this host reaches it."""

    def begin(**settings):
        listen = [f"0.0.0.0:{daemon.free_port('0.0.0.0')}"]
        return run_sotto(upstream, **{"listen": listen, "proxies": [PROXY], "allow": ALLOWED, **settings})

    return begin


@pytest.fixture
def sotto(behind):
    return behind()


def malformed(sotto):
    return json.loads(answer_to(sotto.config["control"], b"status\n"))["proxies_malformed_total"]


def send(client, header, name, **how):
    """A datagram as a proxy sends it; the ID that was asked with."""
    message = query(name, **how)
    client.socket.send(header + message)
    return message[:2]


def sent_by(source, header, name, sotto, **how):
    """What comes back to that address."""
    with Udp(("127.0.0.1", sotto.port), source=source) as client:
        id = send(client, header, name, **how)
        answer = client.receive()
        assert answer[:2] == id
        return answer


def rcode(answer):
    return Head(answer).flags & 15


def open_by(source, sotto, *octets):
    """A connection of that address, on which it has said so much."""
    client = Tcp(("127.0.0.1", sotto.port), source=source)
    for part in octets:
        client.socket.sendall(part)
    return client


def framed(name):
    return messages.frame(query(name))


# ---- datagrams


@pytest.mark.parametrize("client", [INSIDE, INSIDE_6])
def test_a_client_that_may_ask_is_answered_through_its_proxy(client, sotto, name):
    header = proxied.v2(client, server=client)
    assert addresses(parse(sent_by(PROXY, header, name, sotto))) == [messages.address_of(name)]


def test_a_client_that_may_not_ask_is_refused_whoever_speaks_for_it(sotto, upstream, name):
    assert rcode(sent_by(PROXY, proxied.v2(OUTSIDE), name, sotto)) == REFUSED
    assert not upstream.asked(name)


def test_tlvs_are_passed_over(sotto, name):
    header = proxied.v2(INSIDE, tlvs=proxied.tlv(3, b"\0\0\0\0") + proxied.tlv(0xEA, b"x" * 1000) + proxied.tlv(4, b""))
    assert addresses(parse(sent_by(PROXY, header, name, sotto))) == [messages.address_of(name)]


@pytest.mark.parametrize("header", proxied.NOBODY.values(), ids=proxied.NOBODY)
@pytest.mark.parametrize("allowed", [True, False])
def test_who_speaks_for_nobody_is_the_client_itself(header, allowed, behind, name):
    sotto = behind(allow=[PROXY if allowed else INSIDE])
    answer = sent_by(PROXY, header, name, sotto)
    assert (addresses(parse(answer)) == [messages.address_of(name)]) == allowed
    assert (rcode(answer) == REFUSED) != allowed


MALFORMED = {
    "nothing": b"", "another command": proxied.block(0x22, 0x12, bytes(12)),
    "another version": proxied.block(0x11, 0x12, bytes(12)), "another family": proxied.block(0x21, 0x42, bytes(12)),
    "too short": proxied.block(0x21, 0x12, bytes(11)), "tlv too long": proxied.v2(INSIDE, tlvs=b"\4\0\4xyz"),
    "too long": proxied.block(0x21, 0x12, bytes(12))[:14] + b"\xff\xff" + bytes(12), "version 1": proxied.v1(INSIDE),
}


@pytest.mark.parametrize("header", MALFORMED.values(), ids=MALFORMED)
def test_a_datagram_of_a_proxy_without_a_header_is_dropped_and_counted(header, behind, upstream, name):
    sotto = behind(allow=["any"])
    with Udp(("127.0.0.1", sotto.port), source=PROXY) as client:
        send(client, header, name)
        id = send(client, proxied.v2(INSIDE), unique_name("fence"))
        assert client.receive()[:2] == id
    assert malformed(sotto) == 1 and not upstream.asked(name)
    assert sotto.log(level="warn", msg="what a proxy sends has no PROXY header in front: it is not taken")


@pytest.mark.parametrize("header", [proxied.v2(INSIDE), proxied.LOCAL_V2, proxied.v1(INSIDE)], ids=["v2", "local", "v1"])
def test_a_header_of_somebody_else_is_what_it_looks_like(header, behind, upstream, name):
    sotto = behind(allow=["any"])
    with Udp(("127.0.0.1", sotto.port), source=OTHER) as client:
        send(client, header, name)
        id = send(client, b"", unique_name("fence"))
        while (answer := client.receive())[:2] != id:  # an error, if it looked like a question
            assert not Head(answer).counts[1]
    assert malformed(sotto) == 0 and not upstream.asked(name)


def test_the_answer_leaves_from_the_address_that_the_proxy_asked(sotto, name):
    with Udp(("127.0.0.9", sotto.port), source=PROXY) as client:  # connected: no other address would be heard
        send(client, proxied.v2(INSIDE), name)
        assert addresses(parse(client.receive())) == [messages.address_of(name)]


def test_clients_of_one_proxy_have_their_places_each(behind, upstream):
    gate, slow = Gate(), [unique_name("slow") for _ in range(3)]
    for name in slow:
        upstream.when(name, gate)
    sotto = behind(limits={"queries-per-client": 1}, timeouts=PATIENT)
    with Udp(("127.0.0.1", sotto.port), source=PROXY) as client:
        first = send(client, proxied.v2(INSIDE), slow[0])
        assert eventually(lambda: len(gate.names()) == 1)
        send(client, proxied.v2(INSIDE), slow[1])
        assert rcode(client.receive()) == SERVFAIL
        second = send(client, proxied.v2(INSIDE_6, server=INSIDE_6), slow[2])
        assert eventually(lambda: len(gate.names()) == 2)
        gate.open(upstream)
        assert {client.receive()[:2] for _ in range(2)} == {first, second}


# ---- streams

SAID = [proxied.v2(INSIDE, transport=proxied.STREAM), proxied.v2(INSIDE_6, server=INSIDE_6), proxied.v1(INSIDE)]
SAID += [proxied.v1(INSIDE_6, server=INSIDE_6), proxied.v2(INSIDE, tlvs=proxied.tlv(0xEA, bytes(20000)))]
SAID_OF = ["v2", "v2 of IPv6", "v1", "v1 of IPv6", "v2 of 20 KB"]


@pytest.mark.parametrize("header", SAID, ids=SAID_OF)
def test_a_connection_is_the_clients_that_its_header_names(header, sotto, name):
    other = unique_name()
    with open_by(PROXY, sotto, header + framed(name)) as client:
        assert addresses(parse(client.receive())) == [messages.address_of(name)]
        assert addresses(parse(client.ask(query(other)))) == [messages.address_of(other)]


@pytest.mark.parametrize("header", [proxied.v2(OUTSIDE), proxied.v1(OUTSIDE)], ids=["v2", "v1"])
def test_over_a_connection_too_the_client_must_be_allowed(header, sotto, upstream, name):
    with open_by(PROXY, sotto, header + framed(name)) as client:
        assert rcode(client.receive()) == REFUSED
    assert not upstream.asked(name)


@pytest.mark.parametrize("header", [*proxied.NOBODY.values(), proxied.UNKNOWN_V1], ids=[*proxied.NOBODY, "unknown"])
@pytest.mark.parametrize("allowed", [True, False])
def test_a_connection_for_nobody_is_of_the_proxy_itself(header, allowed, behind, name):
    sotto = behind(allow=[PROXY if allowed else INSIDE])
    with open_by(PROXY, sotto, header + framed(name)) as client:
        assert (rcode(client.receive()) == REFUSED) != allowed


@pytest.mark.parametrize("header", [proxied.v2(INSIDE), proxied.v1(INSIDE)], ids=["v2", "v1"])
def test_a_header_may_come_by_single_octets(header, sotto, name):
    with open_by(PROXY, sotto) as client:
        for octet in header + framed(name):
            client.socket.sendall(bytes([octet]))
        assert addresses(parse(client.receive())) == [messages.address_of(name)]
    assert malformed(sotto) == 0


NO_HEADER = {
    "a query": b"", "another command": proxied.block(0x22, 0x11, bytes(12)), "another family": proxied.block(0x21, 0x41, bytes(12)),
    "too short": proxied.block(0x21, 0x11, bytes(11)), "tlv too long": proxied.v2(INSIDE, tlvs=b"\4\0\4xyz"),
    "a line too long": b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n", "a port too many": proxied.v1(INSIDE)[:-2] + b" 1\r\n",
    "HTTP": b"GET / HTTP/1.1\r\n\r\n", "TLS": b"\x16\x03\x01\0\xf0\1",
}


@pytest.mark.parametrize("octets", NO_HEADER.values(), ids=NO_HEADER)
def test_a_connection_of_a_proxy_without_a_header_is_closed_and_counted(octets, behind, upstream, name):
    sotto = behind(allow=["any"], timeouts={"message": "1h", "client-idle": "1h"})
    with open_by(PROXY, sotto, octets + framed(name)) as client:
        assert client.is_closed()
    assert malformed(sotto) == 1 and not upstream.asked(name)


@pytest.mark.parametrize("octets", [b"", proxied.v2(INSIDE)[:20], proxied.v1(INSIDE)[:-1]], ids=["none", "v2", "v1"])
def test_a_header_must_be_whole_in_the_time_of_a_message(octets, behind):
    sotto = behind(timeouts={"message": "200ms", "client-idle": "1h"})
    with open_by(PROXY, sotto, octets) as client:
        assert client.is_closed()
    assert malformed(sotto) == 0


@pytest.mark.parametrize("header", [proxied.v2(INSIDE), proxied.v1(INSIDE), proxied.LOCAL_V2], ids=["v2", "v1", "local"])
def test_over_a_connection_of_somebody_else_a_header_is_none(header, behind, upstream, name):
    sotto = behind(allow=["any"], timeouts={"message": "200ms"})
    with open_by(OTHER, sotto, header + framed(name)) as client:
        assert client.receive() is None
    assert not upstream.asked(name)


def test_after_its_header_a_connection_has_the_time_of_any_other(behind, name):
    sotto = behind(timeouts={"message": "200ms", "client-idle": "1h"})
    with open_by(PROXY, sotto, proxied.v2(INSIDE)) as client:
        with open_by(PROXY, sotto, proxied.v2(INSIDE)[:20]) as one_that_began_later:
            assert one_that_began_later.is_closed()
        assert client.is_open()
        assert addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]


def test_connections_count_for_the_client_that_they_are_for(behind):
    sotto = behind(limits={"connections-per-client": 2})
    held = [open_by(PROXY, sotto, proxied.v2(client)) for client in (INSIDE, "192.0.2.8", INSIDE, "192.0.2.8")]
    assert all(not Head(client.ask(query(unique_name()))).flags & 15 for client in held)
    with open_by(PROXY, sotto, proxied.v2(INSIDE)) as one_too_many:
        assert one_too_many.is_closed()
    held.pop(0).close()
    assert eventually(lambda: is_taken(sotto, proxied.v2(INSIDE)))
    for client in held:
        client.close()


def is_taken(sotto, header):
    with open_by(PROXY, sotto, header + framed(unique_name())) as client:
        return client.receive() is not None


def test_a_proxy_may_have_more_connections_than_a_client(behind):
    sotto = behind(limits={"connections-per-client": 1}, allow=[PROXY])
    held = [open_by(PROXY, sotto, proxied.LOCAL_V2 + framed(unique_name())) for _ in range(3)]
    assert all(not rcode(client.receive()) for client in held)
    for client in held:
        client.close()


def test_connections_of_a_proxy_count_for_the_whole(behind):
    sotto = behind(limits={"connections": 3})
    held = [open_by(PROXY, sotto, proxied.v2(f"192.0.2.{i}") + framed(unique_name())) for i in range(3)]
    assert all(not rcode(client.receive()) for client in held)
    with open_by(PROXY, sotto, proxied.v2(INSIDE) + framed(unique_name())) as newest:
        assert not rcode(newest.receive())
        assert held[0].is_closed()
    for client in held:
        client.close()


@pytest.mark.parametrize("plain", ["accept", "refuse"])
@pytest.mark.parametrize("header", [proxied.v2(INSIDE), proxied.v1(INSIDE), proxied.v1(OUTSIDE)], ids=["v2", "v1", "outside"])
def test_before_tls_the_header_is_in_clear(header, plain, behind, certificate, name):
    sotto = behind(
        listen=[f"0.0.0.0:{daemon.free_port('0.0.0.0')}", f"127.0.0.1:{daemon.free_port()}?tls=terminate&plain={plain}"],
        certificate={"cert": str(certificate.chain), "key": str(certificate.key)},
    )
    sotto.port = int(sotto.config["listen"][1].split("?")[0].rpartition(":")[2])
    with open_by(PROXY, sotto, header) as client:
        client.socket = clients.careless().wrap_socket(client.socket)
        assert rcode(client.ask(query(name))) == (REFUSED if header == proxied.v1(OUTSIDE) else 0)


# ---- both


def test_the_health_check_of_a_host_that_is_a_proxy_speaks_for_itself(behind):
    sotto = behind(proxies=["127.0.0.0/8"], allow=[INSIDE])
    done = clients.tool(daemon.BINARY, "healthcheck", "--config", sotto.file)
    assert done == "" and malformed(sotto) == 0


def test_who_is_a_proxy_changes_by_a_reload(sotto, name):
    before = open_by(PROXY, sotto, proxied.v2(INSIDE) + framed(name))
    assert addresses(parse(before.receive()))
    assert addresses(parse(sent_by(PROXY, proxied.v2(INSIDE), name, sotto)))
    sotto.config.update(proxies=[OTHER])
    sotto.file.write_text(json.dumps(sotto.config))
    assert json.loads(answer_to(sotto.config["control"], b"reload\n"))["changed"] == "proxies"
    assert addresses(parse(sent_by(OTHER, proxied.v2(INSIDE), name, sotto)))
    assert rcode(sent_by(PROXY, b"", name, sotto)) == REFUSED  # as it is not allowed itself
    assert addresses(parse(before.ask(query(name))))  # of whom it was for already
    before.close()


@pytest.mark.parametrize("qtype", ["A", "AAAA"])
def test_no_address_of_ours_is_known_to_who_comes_by_a_proxy(qtype, behind):
    """@self is the address that the client asked, which is the proxy's."""
    sotto = behind(rules=[{"exact": "self.test", "answer": ["A @self", "AAAA @self"]}])
    answer = parse(sent_by(PROXY, proxied.v2(INSIDE), "self.test", sotto, qtype=qtype))
    assert (answer.rcode(), answer.answer) == (0, [])
