"""What servers answer may be judged before it is told: private addresses (DNS rebinding), aliases to blocked names (CNAME
cloaking), addresses that are blocked. Fresh from the server or from the cache, and over both transports."""

import ipaddress

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from bench import behaviours, messages
from bench.behaviours import answer
from bench.clients import Tcp, addresses, ask, extended_errors, parse, rcode_name
from bench.messages import opt, query, record, unique_name, wire_name
from bench.plain import Plain
from test_reload import reload

PUBLIC, PUBLIC6 = "192.0.2.1", "2001:db8::1"
BLOCKED = 15
PRIVATE = (
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "127.0.0.1", "127.255.0.1", "169.254.1.1",
    "0.0.0.0", "0.1.2.3", "100.64.0.1", "fd00::1", "fc00::1", "fe80::1", "::1", "::", "::ffff:10.0.0.1", "::ffff:192.168.1.1",
    "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1",
)  # fmt: skip
NOT_PRIVATE = ("192.0.2.1", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
               "126.0.0.1", "2001:db8::1", "::ffff:192.0.2.1", "64:ff9b::192.0.2.1")  # fmt: skip


def address(text, owner=b"\xc0\x0c", ttl=300):
    ip = ipaddress.ip_address(text)
    return record("A" if ip.version == 4 else "AAAA", ip.packed, ttl, owner)


def alias(owner, target, rtype="CNAME"):
    return record(rtype, wire_name(target), owner=owner)


def any_record(rtype, text, owner=b"\xc0\x0c"):
    kind = dns.rdatatype.from_text(rtype)
    return record(kind, dns.rdata.from_text(dns.rdataclass.IN, kind, text).to_wire(), owner=owner)


def type_of(text):
    return "AAAA" if ":" in text else "A"


@pytest.fixture
def begin(start_sotto, upstream):
    """Answers are cached, so that each is judged again from there."""

    def begin(**settings):
        return start_sotto(upstream, cache={"size": "4MiB"}, **settings)

    return begin


def asked_thrice(sotto, name, qtype="A"):
    """What is told from the server, from the cache, and over TCP: the same each time."""
    told = [ask(sotto.address, name, qtype, over=over, edns=opt()) for over in ("udp", "udp", "tcp")]
    said = {(rcode_name(t), tuple(str(r) for rrset in t.answer for r in rrset), tuple(extended_errors(t))) for t in told}
    assert len(said) == 1, said
    return told[0]


def is_kept_back(sotto, name, qtype="A"):
    told = asked_thrice(sotto, name, qtype)
    assert rcode_name(told) == "NOERROR" and not told.answer and BLOCKED in extended_errors(told), told


def is_blocked(sotto, name, qtype="A"):
    told = asked_thrice(sotto, name, qtype)
    assert rcode_name(told) == "NXDOMAIN" and not told.answer and BLOCKED in extended_errors(told), told


def is_told(sotto, name, qtype="A"):
    told = asked_thrice(sotto, name, qtype)
    assert rcode_name(told) == "NOERROR" and told.answer and not extended_errors(told), told
    return told


# ---- private addresses


@pytest.fixture(scope="module")
def guarded(shared, upstream):
    return shared.sotto(upstream, protect={"rebinding": True, "rebinding-except": ["inside.test"]}, cache={"size": "4MiB"})


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_address_is_not_told(guarded, upstream, name, text):
    upstream.when(name, answer(address(text)))
    is_kept_back(guarded, name, type_of(text))


@pytest.mark.parametrize("text", NOT_PRIVATE)
def test_any_other_address_is_told(guarded, upstream, name, text):
    upstream.when(name, answer(address(text)))
    told = is_told(guarded, name, type_of(text))
    assert [ipaddress.ip_address(a) for a in addresses(told)] == [ipaddress.ip_address(text)]


def test_one_private_address_among_others_spoils_all(guarded, upstream, name):
    upstream.when(name, answer(address(PUBLIC), address("192.0.2.2"), address("192.168.1.1")))
    is_kept_back(guarded, name)


@pytest.mark.parametrize("section", ["authority", "additional"])
def test_one_beside_the_answer_does_too(guarded, upstream, name, section):
    upstream.when(name, answer(address(PUBLIC), **{section: [address("10.0.0.1")]}))
    is_kept_back(guarded, name)


def test_one_behind_an_alias_does_too(guarded, upstream, name):
    upstream.when(name, answer(alias(name, "x.alias.test"), address("10.0.0.1", wire_name("x.alias.test"))))
    is_kept_back(guarded, name)


@pytest.mark.parametrize("qtype", ["HTTPS", "SVCB"])
@pytest.mark.parametrize("hints", ["ipv4hint=192.0.2.1,10.0.0.1", "ipv6hint=2001:db8::1,fd00::1", "ipv6hint=::ffff:192.168.0.1",
                                   "alpn=h2 ipv4hint=127.0.0.1 ipv6hint=2001:db8::1"])  # fmt: skip
def test_a_private_hint_is_an_address(guarded, upstream, name, qtype, hints):
    upstream.when(name, answer(any_record(qtype, f"1 . {hints}")))
    is_kept_back(guarded, name, qtype)


@pytest.mark.parametrize("qtype", ["HTTPS", "SVCB"])
def test_a_public_hint_is_told(guarded, upstream, name, qtype):
    upstream.when(name, answer(any_record(qtype, "1 . ipv4hint=192.0.2.1 ipv6hint=2001:db8::1")))
    is_told(guarded, name, qtype)


@pytest.mark.parametrize("stem", ["inside.test", "a.inside.test", "A.B.Inside.TEST"])
def test_domains_that_are_excepted_may_have_them(guarded, upstream, stem):
    upstream.when(stem, answer(address("10.0.0.1")))
    assert addresses(is_told(guarded, stem)) == ["10.0.0.1"]


def test_an_alias_into_an_excepted_domain_excepts_nobody(guarded, upstream, name):
    upstream.when(name, answer(alias(name, "x.inside.test"), address("10.0.0.1", wire_name("x.inside.test"))))
    is_kept_back(guarded, name)


def test_what_is_of_here_may_be_private(begin):
    sotto = begin(protect={"rebinding": True}, hosts={"nas.test": "192.168.1.2"}, rules=[{"exact": "r.test", "a": "10.0.0.1"}])
    assert addresses(is_told(sotto, "nas.test")) == ["192.168.1.2"]
    assert addresses(is_told(sotto, "r.test")) == ["10.0.0.1"]


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_a_server_that_is_asked_in_clear_within_this_network_may_know_private_addresses(begin, upstream, scheme, name):
    server = Plain(otherwise=answer(address("192.168.1.2")))
    try:
        sotto = begin(protect={"rebinding": True}, zones={"lan.test": [server.address(scheme)]})
        upstream.when(name, answer(address("192.168.1.2")))
        assert addresses(is_told(sotto, "nas.lan.test")) == ["192.168.1.2"]
        is_kept_back(sotto, name)
    finally:
        server.stop()


def test_it_is_off_unless_it_is_said(begin, upstream, name):
    upstream.when(name, answer(address("10.0.0.1")))
    assert addresses(is_told(begin(), name)) == ["10.0.0.1"]


def test_dns64_makes_no_way_around_it(begin, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.reply(asked, [address("10.0.0.1")] if asked.type == 1 else [])))
    sotto = begin(protect={"rebinding": True}, dns64={"prefix": "64:ff9b::/96"})
    for over in ("udp", "udp", "tcp"):
        assert not ask(sotto.address, name, "AAAA", over=over).answer


# ---- aliases


@pytest.fixture
def ads(tmp_path):
    file = tmp_path / "ads"
    file.write_text("tracker.test\n")
    return {"ads": {"file": str(file), "format": "domains"}}


CHAINS = {
    "one alias": lambda name: [alias(name, "tracker.test"), address(PUBLIC, wire_name("tracker.test"))],
    "below the blocked name": lambda name: [alias(name, "x.y.TRACKER.test"), address(PUBLIC, wire_name("x.y.TRACKER.test"))],
    "the last of three": lambda name: [
        alias(name, "b.chain.test"), alias("b.chain.test", "c.chain.test"), alias("c.chain.test", "tracker.test"),
        address(PUBLIC, wire_name("tracker.test")),
    ],
    "the middle of three": lambda name: [
        alias(name, "b.chain.test"), alias("b.chain.test", "tracker.test"), alias("tracker.test", "d.chain.test"),
        address(PUBLIC, wire_name("d.chain.test")),
    ],
    "nothing behind it": lambda name: [alias(name, "tracker.test")],
    "a dname": lambda name: [
        alias(name.partition(".")[2], "tracker.test", "DNAME"), alias(name, name.partition(".")[0] + ".tracker.test"),
        address(PUBLIC, wire_name(name.partition(".")[0] + ".tracker.test")),
    ],
    "a dname and no alias made of it": lambda name: [alias(name.partition(".")[2], "tracker.test", "DNAME")],
}  # fmt: skip


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("qtype", ["A", "AAAA", "HTTPS"])
def test_an_alias_to_a_blocked_name_is_blocked(begin, upstream, ads, name, chain, qtype):
    upstream.when(name, answer(*CHAINS[chain](name)))
    is_blocked(begin(lists=ads), name, qtype)
    is_told(begin(), name, qtype)


def test_an_alias_to_another_name_is_told(begin, upstream, ads, name):
    upstream.when(name, answer(alias(name, "nottracker.test"), address(PUBLIC, wire_name("nottracker.test"))))
    assert addresses(is_told(begin(lists=ads), name)) == [PUBLIC]


@pytest.mark.parametrize("action", ["nxdomain", "nodata", "refuse"])
def test_a_rule_blocks_aliases_too(begin, upstream, name, action):
    upstream.when(name, answer(alias(name, "x.tracker.test"), address(PUBLIC, wire_name("x.tracker.test"))))
    sotto = begin(rules=[{"suffix": "tracker.test", "action": action}])
    told = asked_thrice(sotto, name)
    assert not told.answer and rcode_name(told) == {"nxdomain": "NXDOMAIN", "nodata": "NOERROR", "refuse": "REFUSED"}[action]


def test_a_rule_that_drops_drops_aliases_too(begin, upstream, name):
    upstream.when(name, answer(alias(name, "x.tracker.test"), address(PUBLIC, wire_name("x.tracker.test"))))
    sotto = begin(rules=[{"suffix": "tracker.test", "action": "drop"}])
    with Tcp(sotto.address) as client:
        client.send(query(name, id=1), query(name, id=2), query(unique_name(), id=3))
        assert parse(client.receive()).id == 3
    assert len(upstream.asked(name)) >= 1


def test_who_lets_a_name_pass_lets_pass_where_it_leads(begin, upstream, ads, tmp_path, name):
    upstream.when(name, answer(alias(name, "tracker.test"), address(PUBLIC, wire_name("tracker.test"))))
    (tmp_path / "ok").write_text(name + "\n")
    allowed = ads | {"ok": {"file": str(tmp_path / "ok"), "format": "domains", "allow": True}}
    assert addresses(is_told(begin(lists=allowed), name)) == [PUBLIC]
    assert addresses(is_told(begin(lists=ads, rules=[{"exact": name, "action": "pass"}]), name)) == [PUBLIC]


def test_an_alias_of_ours_to_a_blocked_name_is_blocked(begin, upstream, ads, tmp_path):
    """By rule, by rewrite, by zone; straight, and by way of a name that the server has an alias for."""
    upstream.when("way.test", answer(alias("way.test", "tracker.test"), address(PUBLIC, wire_name("tracker.test"))))
    zone = tmp_path / "zone"
    zone.write_text("@ SOA a b 1 2 3 4 5\nz CNAME tracker.test.\nzz CNAME way.test.\n")
    sotto = begin(
        lists=ads, **{"zone-files": {"home.test": str(zone)}},
        rules=[{"exact": "c.test", "cname": "tracker.test"}, {"exact": "cc.test", "cname": "way.test"},
               {"exact": "r.test", "rewrite": "x.tracker.test"}, {"exact": "rr.test", "rewrite": "way.test"}],
    )  # fmt: skip
    for name in ("c.test", "cc.test", "r.test", "rr.test", "z.home.test", "zz.home.test"):
        told = asked_thrice(sotto, name)
        assert rcode_name(told) == "NXDOMAIN" and not addresses(told) and BLOCKED in extended_errors(told), (name, told)
    assert not upstream.asked("tracker.test") and not upstream.asked("x.tracker.test")


# ---- addresses


def test_an_answer_with_a_blocked_address_is_blocked(begin, upstream):
    sotto = begin(protect={"block-addresses": ["198.51.100.0/24", "2001:db8:bad::/48"]})
    for text in ("198.51.100.0", "198.51.100.255", "2001:db8:bad::1", "::ffff:198.51.100.7"):
        name = unique_name()
        upstream.when(name, answer(address(PUBLIC), address(PUBLIC6), address(text)))
        is_blocked(sotto, name, type_of(text))
    for text in ("198.51.101.0", "198.51.99.255", "2001:db8:bae::1"):
        name = unique_name()
        upstream.when(name, answer(address(text)))
        assert addresses(is_told(sotto, name, type_of(text))) == [text]


def test_a_bogus_address_says_that_the_name_does_not_exist(begin, upstream, name):
    sotto = begin(protect={"bogus-addresses": ["64.94.110.11"]})
    upstream.when(name, answer(address("64.94.110.11")))
    told = asked_thrice(sotto, name)
    assert rcode_name(told) == "NXDOMAIN" and not told.answer and told.authority[0].rdtype == 6


def test_a_list_blocks_by_address(begin, upstream, tmp_path, name):
    (tmp_path / "rpz").write_text("$TTL 60\n@ SOA a b 1 2 3 4 5\n24.0.100.51.198.rpz-ip CNAME .\n")
    sotto = begin(lists={"rpz": {"file": str(tmp_path / "rpz"), "format": "rpz"}})
    upstream.when(name, answer(address(PUBLIC), address("198.51.100.9")))
    is_blocked(sotto, name)


def test_what_is_in_the_cache_is_judged_by_the_rules_of_the_moment(run_sotto, upstream, name):
    upstream.when(name, answer(alias(name, "tracker.test"), address("10.0.0.1", wire_name("tracker.test"))))
    sotto = run_sotto(upstream, cache={"size": "4MiB"})
    assert addresses(is_told(sotto, name)) == ["10.0.0.1"]
    reload(sotto, rules=[{"suffix": "tracker.test", "action": "nxdomain", "ede": "blocked"}])
    is_blocked(sotto, name)
    reload(sotto, rules=[], protect={"rebinding": True})
    is_kept_back(sotto, name)
    reload(sotto, protect={"rebinding": False})
    is_told(sotto, name)
    assert len(upstream.asked(name)) == 1
