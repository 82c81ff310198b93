"""Behind a load balancer: who is listed in `proxies` says by a PROXY header whom it speaks for, and nobody else does."""

import json

import pytest

from bench import clients, daemon, eventually, messages, proxied
from bench.behaviours import Gate
from bench.clients import Head, Udp, addresses, parse
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
        assert eventually(lambda: len(gate.held) == 1)
        send(client, proxied.v2(INSIDE), slow[1])
        assert rcode(client.receive()) == SERVFAIL
        second = send(client, proxied.v2(INSIDE_6, server=INSIDE_6), slow[2])
        assert eventually(lambda: len(gate.held) == 2)
        gate.open(upstream)
        assert {client.receive()[:2] for _ in range(2)} == {first, second}


def test_the_health_check_of_a_host_that_is_a_proxy_speaks_for_itself(behind):
    sotto = behind(proxies=["127.0.0.0/8"], allow=[INSIDE])
    done = clients.tool(daemon.BINARY, "healthcheck", "--config", sotto.file)
    assert done == "" and malformed(sotto) == 0


def test_who_is_a_proxy_changes_by_a_reload(sotto, name):
    assert addresses(parse(sent_by(PROXY, proxied.v2(INSIDE), name, sotto)))
    sotto.config.update(proxies=[OTHER])
    sotto.file.write_text(json.dumps(sotto.config))
    assert json.loads(answer_to(sotto.config["control"], b"reload\n"))["changed"] == "proxies"
    assert addresses(parse(sent_by(OTHER, proxied.v2(INSIDE), name, sotto)))
    assert rcode(sent_by(PROXY, b"", name, sotto)) == REFUSED  # as it is not allowed itself
