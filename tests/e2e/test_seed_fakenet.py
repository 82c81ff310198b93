"""What FakeNet-NG's DNS listener does, row by row of docs/seeds.md; and what dnsmasq in front needs."""

import pathlib
import socket
import time

import dns.rdatatype
import pytest
import yaml

from bench import behaviours, daemon, messages
from bench.clients import PATIENCE, Udp, addresses, ask, ask_wire, parse, rcode_name
from bench.messages import AA, AD, CD, DO, RA, opt, query, record, unique_name
from bench.plain import Plain
from test_reload import reload

FAKE = "192.0.2.1"
SHIPPED = pathlib.Path(__file__).parents[2] / "packaging/connectivity-check.yaml"


def records(answer):
    return sorted(f"{dns.rdatatype.to_text(s.rdtype)} {r}" for s in answer.answer for r in s)


@pytest.fixture
def lab(run_sotto, upstream):
    """A daemon of a test bench with these rules."""

    def begin(*rules, **settings):
        return run_sotto(upstream, lab=True, rules=list(rules), **settings)

    return begin


# ---- addresses


def test_net_self_is_the_address_that_was_asked(lab, over):
    ports = [daemon.free_port(), daemon.free_port()]
    lab({"answer": ["A @self", "AAAA @self"]}, listen=[f"127.0.0.1:{ports[0]}", f"0.0.0.0:{ports[1]}"])
    for host, port in (("127.0.0.1", ports[0]), ("127.0.0.1", ports[1]), ("127.0.0.5", ports[1])):
        assert addresses(ask((host, port), "a.test", over=over)) == [host]
        assert rcode_name(empty := ask((host, port), "a.test", "AAAA", over=over)) == "NOERROR" and not empty.answer


def test_net_self_over_ipv6(lab, over):
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6")
    port = daemon.free_port("::1")
    lab({"answer": ["A @self", "AAAA @self"]}, listen=[f"[::1]:{port}"])
    assert addresses(ask(("::1", port), "a.test", "AAAA", over=over)) == ["::1"]
    assert not ask(("::1", port), "a.test", "A", over=over).answer


def test_net_an_interfaces_address(lab):
    sotto = lab({"a": "@iface:lo"})
    assert "127.0.0.1" in addresses(ask(sotto.address, "a.test"))


def of_this_host(name):
    return {info[4][0] for info in socket.getaddrinfo(name, None, socket.AF_INET)}


@pytest.mark.parametrize("macro", ["@hostname", "@first-nonloopback"])
def test_net_this_hosts_address(lab, macro):
    """Which may be none, in a host without a network or without its name in /etc/hosts; never that of another one."""
    try:
        sotto = lab({"a": macro})
    except daemon.NotServing as told:
        assert macro in str(told)
        return
    found = addresses(ask(sotto.address, "a.test"))
    if macro == "@hostname":
        assert set(found) <= of_this_host(socket.gethostname())
    else:
        assert not [a for a in found if a.startswith("127.")]


# ---- listeners


def test_net_a_listener_that_is_off(lab, tmp_path):
    """It is checked and printed, and nothing is there; it is in nobody's way; a reload enables it, and takes that back."""
    first, other, path = daemon.free_port(), daemon.free_port(), tmp_path / "off.sock"
    listen = [f"127.0.0.1:{first}", f"127.0.0.1:{first}?tls=terminate&enabled=no", f"127.0.0.1:{other}", f"unix:{path}?enabled=no"]
    sotto = lab({"listener": f"127.0.0.1:{other}", "a": FAKE}, {"a": "192.0.2.2"}, listen=listen)
    assert addresses(ask(("127.0.0.1", first), "a.test")) == ["192.0.2.2"]
    assert not path.exists()
    for enabled in (True, False, True):
        reload(sotto, listen=[listen[0], f"127.0.0.1:{other}?enabled={'yes' if enabled else 'no'}"])
        if enabled:
            assert addresses(ask(("127.0.0.1", other), "a.test", over="tcp")) == [FAKE]
        else:
            with pytest.raises(ConnectionRefusedError):
                ask(("127.0.0.1", other), "a.test", over="tcp")


def test_net_a_listener_that_is_off_at_the_start_is_switched_on_by_a_reload(lab, tmp_path):
    first, other, path = f"127.0.0.1:{daemon.free_port()}", daemon.free_port(), tmp_path / "off.sock"
    sotto = lab({"a": FAKE}, sandbox="strict", listen=[first, f"127.0.0.1:{other}?enabled=no", f"unix:{path}?enabled=no"])
    reload(sotto, listen=[first, f"127.0.0.1:{other}", f"unix:{path}"])
    assert addresses(ask(("127.0.0.1", other), "a.test", over="tcp")) == [FAKE] and path.exists()


# ---- every name


def test_net_mx_and_txt_of_every_name(lab, upstream):
    sotto = lab({"type": "MX", "answer": "MX 10 mail.evil.test"}, {"type": "TXT", "answer": "TXT FAKENET"}, {"type": "A", "a": FAKE},
                {"action": "nodata"})  # fmt: skip
    before = len(upstream.queries)
    for name in (unique_name(), "com", "a.b.c.d.example"):
        assert records(ask(sotto.address, name, "MX")) == ["MX 10 mail.evil.test."]
        assert records(ask(sotto.address, name, "TXT")) == ['TXT "FAKENET"']
        assert addresses(ask(sotto.address, name)) == [FAKE]
        for qtype in ("AAAA", "NS", "HTTPS", "SRV", "CNAME", "SOA"):
            answer = ask(sotto.address, name, qtype)
            assert rcode_name(answer) == "NOERROR" and not answer.answer and answer.authority[0].rdtype == 6
    assert len(upstream.queries) == before


# ---- the first N


FAILURES = {
    "nodata": {"action": "nodata"}, "nxdomain": {"action": "nxdomain"}, "servfail": {"action": "servfail"}, "refuse": {"action": "refuse"},
}  # fmt: skip
WORDS = {"nodata": "NOERROR", "nxdomain": "NXDOMAIN", "servfail": "SERVFAIL", "refuse": "REFUSED"}


@pytest.mark.parametrize("how", FAILURES)
def test_net_the_first_n_fail(lab, how):
    sotto = lab({"suffix": "c2.test", "type": "A", "first": 3, "priority": 1, **FAILURES[how]}, {"suffix": "c2.test", "a": FAKE})
    for name in ("a.c2.test", "b.c2.test", "a.c2.test"):
        answer = ask(sotto.address, name)
        assert rcode_name(answer) == WORDS[how] and not answer.answer
        assert rcode_name(ask(sotto.address, name, "TXT")) == "NOERROR"  # not counted: the rule is about A
    assert addresses(ask(sotto.address, "a.c2.test")) == addresses(ask(sotto.address, "c.c2.test")) == [FAKE]


def test_net_the_first_n_of_each_name(lab):
    sotto = lab({"suffix": "c2.test", "first": 2, "per": "name", "action": "nxdomain", "priority": 1}, {"suffix": "c2.test", "a": FAKE})
    for name in ("a.c2.test", "b.c2.test"):
        said = [rcode_name(ask(sotto.address, spelled)) for spelled in (name, name.upper(), name)]
        assert said == ["NXDOMAIN", "NXDOMAIN", "NOERROR"]


def test_net_the_first_n_of_each_client(lab):
    sotto = lab({"first": 2, "per": "client", "action": "nxdomain", "priority": 1}, {"a": FAKE}, workers=2)
    for source in ("127.0.0.2", "127.0.0.3"):
        said = []
        for number in range(4):
            with Udp(sotto.address, source) as client:  # of another port, so perhaps for another worker
                said.append(rcode_name(parse(client.ask(query(f"n{number}.test")))))
        assert said == ["NXDOMAIN", "NXDOMAIN", "NOERROR", "NOERROR"]


def test_net_the_first_n_are_dropped(lab):
    sotto = lab({"first": 2, "action": "drop", "priority": 1}, {"a": FAKE})
    with Udp(sotto.address) as client:
        for number in range(4):
            client.send(query("a.test", id=number))
        assert [parse(client.receive()).id for _ in range(2)] == [2, 3]


def test_net_the_first_n_are_late(lab):
    sotto = lab({"first": 1, "delay": "300ms", "a": FAKE, "priority": 1}, {"a": FAKE})
    with Udp(sotto.address) as client:
        begun = time.monotonic()
        client.send(query("a.test", id=1))
        client.send(query("a.test", id=2))
        assert [parse(client.receive(PATIENCE)).id for _ in range(2)] == [2, 1]
        assert time.monotonic() - begun >= 0.3


def test_net_the_first_n_begin_again_with_a_reload(lab):
    rules = [{"first": 1, "action": "nxdomain", "priority": 1}, {"a": FAKE}]
    sotto = lab(*rules)
    for n in range(2):
        assert [rcode_name(ask(sotto.address, "a.test")) for _ in range(3)] == ["NXDOMAIN", "NOERROR", "NOERROR"]
        reload(sotto, rules=[*rules, {"exact": f"another-{n}.test", "a": FAKE}])


def test_net_none_of_it_without_lab(start_sotto, upstream):
    with pytest.raises(daemon.NotServing, match="lab: true"):
        start_sotto(upstream, rules=[{"first": 1, "action": "nxdomain"}])


# ---- what hosts ask to learn whether there is an internet


def test_net_connectivity_checks_are_answered(start_sotto, upstream):
    shipped = yaml.safe_load(SHIPPED.read_text())
    sotto = start_sotto(upstream, **shipped)
    before = len(upstream.queries)
    assert addresses(ask(sotto.address, "dns.msftncsi.com")) == ["131.107.255.255"]
    assert addresses(ask(sotto.address, "dns.msftncsi.com", "AAAA")) == ["fd3e:4f5a:5b81::1"]
    for name in set(shipped["hosts"]) - {"dns.msftncsi.com"}:
        assert addresses(ask(sotto.address, name)) == ["127.0.0.1"], name
        assert not ask(sotto.address, name, "AAAA").answer
    assert len(upstream.queries) == before


def test_net_the_connectivity_map_is_taken_from_conf_d(tmp_path):
    (tmp_path / "sotto.yaml").write_text('hosts: { mine.test: "192.0.2.9" }\n')
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/connectivity-check.yaml").write_text(SHIPPED.read_text())
    printed = daemon.subprocess.run([daemon.BINARY, "check", tmp_path / "sotto.yaml"], capture_output=True, text=True, timeout=30)
    assert printed.returncode == 0 and "dns.msftncsi.com" in printed.stdout and "mine.test" in printed.stdout, printed.stderr


# ---- what an answer is like


def test_net_answers_have_ttl_and_edns_as_they_should(lab, over):
    sotto = lab({"exact": "own.test", "a": FAKE, "ttl": "0s"}, {"exact": "two.test", "answer": "77 A 192.0.2.1"}, {"a": FAKE})
    for name, ttl in (("own.test", 0), ("two.test", 77), ("any.test", 60)):
        answer = ask(sotto.address, name, over=over, edns=opt(flags=DO))
        assert answer.answer[0].ttl == ttl and answer.flags & (AA | RA) == AA | RA
        assert answer.edns == 0 and answer.ednsflags & DO


def test_net_a_ttl_of_zero_is_zero(start_sotto, upstream, tmp_path):
    """Wherever it is said: FakeNet-NG and DNSChef know no other one."""
    zone = tmp_path / "zone"
    zone.write_text("@ SOA a b 1 2 3 4 0\na A 192.0.2.1\n$TTL 5\nb A 192.0.2.1\n$TTL 0\nc A 192.0.2.1\nd 9 A 192.0.2.1\n")
    sotto = start_sotto(
        upstream, local={"ttl": "0s"}, hosts={"h.test": FAKE}, **{"zone-files": {"z.test": str(zone)}},
        rules=[{"exact": "a.test", "a": FAKE, "ttl": "0s"}, {"exact": "t.test", "answer": ["TXT t", "MX 1 m.test"], "ttl": "0s"},
               {"exact": "n.test", "action": "nodata", "ttl": "0s"}, {"exact": "one.test", "answer": "1 TXT t", "ttl": "0s"}],
    )  # fmt: skip
    expected = {("h.test", "A"): 0, ("a.test", "A"): 0, ("t.test", "TXT"): 0, ("t.test", "MX"): 0, ("one.test", "TXT"): 1,
                ("a.z.test", "A"): 0, ("b.z.test", "A"): 5, ("c.z.test", "A"): 0, ("d.z.test", "A"): 9}  # fmt: skip
    assert {asked: ask(sotto.address, *asked).answer[0].ttl for asked in expected} == expected
    for name in ("n.test", "no.z.test"):
        assert ask(sotto.address, name).authority[0].ttl == 0


# ---- dnsmasq in front


def test_masq_the_probe_of_its_loop_detection_is_forwarded(start_sotto, upstream):
    """dnsmasq asks TXT of <hex>.test; it sees the loop when that comes back to it."""
    sotto = start_sotto(upstream)
    for _ in range(3):
        probe = f"{messages.random.getrandbits(32):08x}.test"
        ask(sotto.address, probe, "TXT")
        assert [q.asked.type for q in upstream.asked(probe)] == [16]


@pytest.mark.parametrize("ruled", [False, True], ids=["without rules", "with rules"])
def test_masq_proxy_dnssec_keeps_bits_and_signatures(start_sotto, start_upstream, over, ruled):
    name = unique_name()
    signature = messages.struct.pack("!HBBIIIH", 1, 13, 2, 300, 2**31, 1, 1) + messages.wire_name("test") + b"s" * 64
    upstream = start_upstream(otherwise=behaviours.answer(record("A", bytes((192, 0, 2, 9))), record("RRSIG", signature), flags=AD))
    more = {"rules": [{"suffix": "other.test", "a": FAKE}], "protect": {"rebinding": True}} if ruled else {}
    sotto = start_sotto(upstream, cache={"size": "4MiB"}, **more)
    for _ in range(2):
        answer = parse(ask_wire(sotto.address, query(name, flags=messages.RD | AD | CD, edns=opt(flags=DO)), over))
        assert answer.flags & (AD | CD) == AD | CD and answer.ednsflags & DO
        assert {s.rdtype for s in answer.answer} == {1, 46}
    assert upstream.queries[0].asked.flags & CD and upstream.queries[0].asked.edns.flags & DO


def test_masq_all_servers_say_the_same(start_sotto, start_upstream):
    """Of one configuration, every instance, whatever its random numbers: so it does not matter which one is first."""
    rules = [{"suffix": "a.test", "a": [FAKE, "192.0.2.2"]}, {"glob": "*b*", "action": "nxdomain"}, {"regex": "c", "action": "refuse"}]
    upstream = start_upstream()
    instances = [start_sotto(upstream, rules=rules, hosts={"h.test": FAKE}) for _ in range(3)]
    for name in ("a.test", "x.a.test", "ab.test", "cab.test", "c.test", "h.test", "localhost", "d.test"):
        asked = query(name, id=7, edns=opt())
        assert len({ask_wire(sotto.address, asked) for sotto in instances}) == 1, name


def test_masq_a_failure_is_said_so_that_it_moves_on(start_sotto):
    server = Plain(otherwise=behaviours.rcode(messages.REFUSED))
    try:
        sotto = start_sotto(server.address())
        assert rcode_name(ask(sotto.address, unique_name())) in ("REFUSED", "SERVFAIL")
    finally:
        server.stop()
