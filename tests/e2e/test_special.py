"""Names that no server outside may be asked (RFC 6761, 6303, 6762, 7686, 7793, 8375, 9476): each of them, and what is below,
of every type of interest, is answered here; beside them, everything is forwarded."""

import pytest

from bench import clients, messages
from bench.clients import addresses, rcode_name
from bench.messages import unique_name

TYPES = ("A", "AAAA", "NS", "SOA", "PTR", "TXT", "MX", "SRV", "HTTPS", "DS", "ANY")

# RFC 6303 §4 and RFC 7793, from their text.
RFC_1918 = ("10", *(f"{n}.172" for n in range(16, 32)), "168.192")
RFC_5735 = ("0", "127", "254.169", "2.0.192", "100.51.198", "113.0.203", "255.255.255.255")
RFC_6598 = tuple(f"{n}.100" for n in range(64, 128))
IPV6 = (".".join("0" * 32), ".".join("1" + "0" * 31), "d.f", *(f"{n}.e.f" for n in "89ab"), "8.b.d.0.1.0.0.2")
ZONES = [f"{z}.in-addr.arpa" for z in RFC_1918 + RFC_5735 + RFC_6598] + [f"{z}.ip6.arpa" for z in IPV6]
HOME = "home.arpa"
BESIDE = (
    "localhost.example", "xlocalhost", "local.example", "invalid.example", "test", "a.test", "arpa", "in-addr.arpa",
    "15.172.in-addr.arpa", "32.172.in-addr.arpa", "63.100.in-addr.arpa", "128.100.in-addr.arpa", "11.in-addr.arpa",
    "c.f.ip6.arpa", "c.e.f.ip6.arpa", "2." + ".".join("0" * 31) + ".ip6.arpa", "169.192.in-addr.arpa",
    "254.255.255.255.in-addr.arpa", "use-application-dns.net", "home", "com", "",
)  # fmt: skip


def ask(address, name, qtype="A", over="udp"):
    """ANY over TCP: over UDP it is told to come that way."""
    return clients.ask(address, name, qtype, over="tcp" if qtype == "ANY" else over)


def does_not_exist(answer, zone=None):
    """NXDOMAIN, with a SOA that says for how long; of the zone, if there is one."""
    assert rcode_name(answer) == "NXDOMAIN" and not answer.answer, answer
    soa, = answer.authority
    assert soa.rdtype == 6 and (not zone or soa.name.to_text(True).lower() == zone), answer


def of_zone(answer, zone, qtype):
    """What an empty zone says at its apex (RFC 6303 §3)."""
    assert rcode_name(answer) == "NOERROR", answer
    kinds = {r.rdtype for r in answer.answer}
    expected = {"SOA": {6}, "NS": {2}, "ANY": {2, 6}}.get(qtype, set())
    assert kinds == expected, answer
    if not expected:
        is_nodata(answer)
        assert answer.authority[0].name.to_text(True) == zone


def is_nodata(answer):
    assert rcode_name(answer) == "NOERROR" and not answer.answer, answer
    assert [r.rdtype for r in answer.authority] == [6], answer


@pytest.mark.parametrize("zone", ZONES)
def test_6303_01_an_empty_zone_is_answered_here(sotto, not_forwarded, zone):
    assert len(ZONES) == 97
    with not_forwarded():
        for qtype in TYPES:
            if qtype != "DS":  # of the parent
                of_zone(ask(sotto.address, zone, qtype), zone, qtype)
            does_not_exist(ask(sotto.address, f"a.{zone}".upper(), qtype), zone)


def is_unknown(sotto, over, name):
    for qtype in TYPES:
        for asked in (name, f"a.{name}", f"_b.a.{name.upper()}"):
            does_not_exist(ask(sotto.address, asked, qtype, over=over))


def test_6761_02_invalid_does_not_exist(sotto, not_forwarded, over):
    with not_forwarded():
        is_unknown(sotto, over, "invalid")


def test_7686_01_onion_does_not_exist(sotto, not_forwarded, over):
    with not_forwarded():
        is_unknown(sotto, over, "onion")


def test_9476_01_alt_does_not_exist(sotto, not_forwarded, over):
    with not_forwarded():
        is_unknown(sotto, over, "alt")


def test_6762_01_local_does_not_exist(sotto, not_forwarded, over):
    with not_forwarded():
        is_unknown(sotto, over, "local")


@pytest.mark.parametrize("name", ["localhost", "a.localhost", "LocalHost"])
def test_6761_01_localhost_is_this_host(sotto, not_forwarded, over, name):
    with not_forwarded():
        assert addresses(ask(sotto.address, name, "A", over=over)) == ["127.0.0.1"]
        assert addresses(ask(sotto.address, name, "AAAA", over=over)) == ["::1"]
        assert sorted(addresses(ask(sotto.address, name, "ANY", over=over))) == ["127.0.0.1", "::1"]
        for qtype in set(TYPES) - {"A", "AAAA", "ANY"}:
            is_nodata(ask(sotto.address, name, qtype, over=over))


def test_8375_01_home_arpa_is_of_this_network_but_for_its_ds(sotto, upstream, not_forwarded):
    with not_forwarded():
        for qtype in set(TYPES) - {"DS"}:
            of_zone(ask(sotto.address, HOME, qtype), HOME, qtype)
            does_not_exist(ask(sotto.address, f"nas.{HOME}", qtype), HOME)
    before = len(upstream.asked(HOME))
    ask(sotto.address, HOME, "DS")
    asked = upstream.asked(HOME)[before:]
    assert [q.asked.type for q in asked] == [43]


@pytest.mark.parametrize("name", ["resolver.arpa", "a.resolver.arpa"])
def test_resolver_arpa_is_answered_here(sotto, not_forwarded, name):
    with not_forwarded():
        for qtype in set(TYPES) - {"SOA", "ANY"}:
            assert not ask(sotto.address, name, qtype).answer


@pytest.mark.parametrize("name", BESIDE)
def test_names_beside_them_are_forwarded(sotto, upstream, name):
    before = len(upstream.asked(name))
    answer = ask(sotto.address, name, "A")
    assert len(upstream.asked(name)) == before + 1
    assert addresses(answer) == [messages.address_of(name)]


def test_8880_01_what_this_networks_servers_say_of_ipv4only_arpa_is_passed_on(sotto, upstream):
    before = len(upstream.asked("ipv4only.arpa"))
    assert addresses(ask(sotto.address, "ipv4only.arpa", "AAAA")) and addresses(ask(sotto.address, "ipv4only.arpa"))
    assert len(upstream.asked("ipv4only.arpa")) == before + 2


def test_the_canary_does_not_exist_if_it_is_said(start_sotto, upstream):
    sotto = start_sotto(upstream, special={"canary": True})
    before = len(upstream.queries)
    for qtype in TYPES:
        does_not_exist(ask(sotto.address, "use-application-dns.net", qtype))
    assert len(upstream.queries) == before


def test_what_is_excepted_is_forwarded_and_nothing_else(start_sotto, upstream):
    sotto = start_sotto(upstream, special={"except": ["local", "16.172.in-addr.arpa", "internal.home.arpa"]})
    for name in ("printer.local", "1.0.16.172.in-addr.arpa", "nas.internal.home.arpa"):
        assert addresses(ask(sotto.address, name)) == [messages.address_of(name)]
    before = len(upstream.queries)
    for name in ("a.onion", "1.0.17.172.in-addr.arpa", "nas.home.arpa"):
        does_not_exist(ask(sotto.address, name))
    assert len(upstream.queries) == before


def test_a_rule_wins_over_a_special_name(start_sotto, upstream):
    sotto = start_sotto(upstream, rules=[{"suffix": "local", "a": "192.0.2.1"}], hosts={"nas.home.arpa": "192.0.2.2"})
    assert addresses(ask(sotto.address, "a.local")) == ["192.0.2.1"]
    assert addresses(ask(sotto.address, "nas.home.arpa")) == ["192.0.2.2"]


def test_an_alias_to_a_special_name_asks_nobody(start_sotto, upstream):
    alias = unique_name()
    sotto = start_sotto(upstream, rules=[{"exact": alias, "cname": "a.localhost"}])
    before = len(upstream.queries)
    assert addresses(ask(sotto.address, alias)) == ["127.0.0.1"]
    assert len(upstream.queries) == before


def test_none_of_it_if_it_is_off(start_sotto, upstream):
    sotto = start_sotto(upstream, special={"names": False})
    for name in ("a.localhost", "a.onion", "1.0.0.10.in-addr.arpa"):
        assert addresses(ask(sotto.address, name)) == [messages.address_of(name)]
