"""What DNSChef does, row by row of docs/seeds.md, and where sotto does better."""

import socket
import subprocess

import dns.rdata
import dns.rdatatype
import dns.reversename
import pytest

from bench import clients, daemon, messages
from bench.clients import Head, Udp, addresses, ask, ask_wire, extended_errors, parse, rcode_name
from bench.messages import AA, FORMERR, NOTIMP, RA, RD, header, opt, query, question, unique_name

FAKE, FAKE6 = "192.0.2.1", "2001:db8::1"


def records(answer):
    return sorted(f"{dns.rdatatype.to_text(s.rdtype)} {r}" for s in answer.answer for r in s)


def is_proxied(upstream, sotto, name, qtype="A"):
    before = len(upstream.asked(name))
    ask(sotto.address, name, qtype)
    return len(upstream.asked(name)) == before + 1


@pytest.fixture
def cook(start_sotto, upstream):
    """A daemon with these rules."""

    def begin(*rules, **settings):
        return start_sotto(upstream, rules=list(rules), **settings)

    return begin


def test_chef_fakeip(cook, over):
    sotto = cook({"suffix": "a.test", "a": [FAKE, "192.0.2.2"], "ttl": "5m"})
    for flags in (RD, 0):
        answer = parse(ask_wire(sotto.address, query("x.a.test", flags=flags, edns=opt()), over))
        assert addresses(answer) == [FAKE, "192.0.2.2"] and {s.ttl for s in answer.answer} == {300}
        assert answer.flags & (AA | RA | RD) == AA | RA | flags and answer.edns == 0
    assert ask(sotto.address, "x.a.test", over=over).edns == -1


def test_chef_fakeip_without_aa(cook):
    sotto = cook({"suffix": "a.test", "a": FAKE}, local={"authoritative": False})
    assert not ask(sotto.address, "a.test").flags & AA


def test_chef_fakeipv6_and_nothing_escapes(cook, upstream):
    sotto = cook({"exact": "six.test", "aaaa": FAKE6}, {"exact": "both.test", "a": FAKE, "aaaa": FAKE6})
    before = len(upstream.queries)
    assert addresses(ask(sotto.address, "six.test", "AAAA")) == [FAKE6]
    assert addresses(ask(sotto.address, "both.test", "AAAA")) == [FAKE6] and addresses(ask(sotto.address, "both.test")) == [FAKE]
    for name, qtype in (("six.test", "A"), ("six.test", "HTTPS"), ("six.test", "SVCB"), ("both.test", "HTTPS")):
        answer = ask(sotto.address, name, qtype)
        assert rcode_name(answer) == "NOERROR" and not answer.answer and answer.authority
    assert len(upstream.queries) == before


def test_chef_fakeipv6_alone_if_one_likes(cook, upstream):
    sotto = cook({"exact": "six.test", "type": "AAAA", "aaaa": FAKE6})
    assert addresses(ask(sotto.address, "six.test", "AAAA")) == [FAKE6] and is_proxied(upstream, sotto, "six.test")


def test_chef_fakemail(cook):
    sotto = cook({"suffix": "m.test", "answer": ["MX 10 a.mail.test", "MX 20 b.mail.test"]})
    assert records(ask(sotto.address, "m.test", "MX")) == ["MX 10 a.mail.test.", "MX 20 b.mail.test."]


def test_chef_fakealias(cook, upstream):
    target = unique_name()
    sotto = cook({"exact": "c.test", "cname": target}, {"exact": "here.test", "cname": "end.test"}, {"exact": "end.test", "a": FAKE})
    for qtype in ("A", "AAAA", "TXT"):
        first, *behind = ask(sotto.address, "c.test", qtype).answer
        assert str(first[0]) == target + "." and len(behind) == 1
    assert records(ask(sotto.address, "c.test", "CNAME")) == [f"CNAME {target}."]
    assert records(ask(sotto.address, "here.test")) == [f"A {FAKE}", "CNAME end.test."]


def test_chef_fakens(cook):
    sotto = cook({"suffix": "n.test", "answer": "NS ns.n.test"})
    assert records(ask(sotto.address, "n.test", "NS")) == ["NS ns.n.test."]


FORMATS = {
    "A": "192.0.2.1", "AAAA": "2001:db8::1", "MX": "10 mail.test.", "NS": "ns.test.", "CNAME": "c.test.", "TXT": '"hello"',
    "PTR": "p.test.", "SOA": "m.test. r.test. 1 2 3 4 5", "NAPTR": '1 2 "u" "E2U+sip" "!^.*$!sip:a@b!" .', "SRV": "1 2 3 t.test.",
    "DNSKEY": "257 3 13 AwEAAQ==", "RRSIG": "A 13 2 60 20300101000000 20200101000000 1 test. AwEAAQ==",
    "HTTPS": '1 . alpn="h2" ipv4hint=192.0.2.1', "TYPE65280": "\\# 3 010203", "CAA": '0 issue "ca.test"',
}  # fmt: skip


@pytest.mark.parametrize("qtype", FORMATS)
def test_chef_record_formats(cook, qtype):
    name = unique_name()
    sotto = cook({"exact": name, "answer": f"{qtype} {FORMATS[qtype]}"})
    number = dns.rdatatype.from_text(qtype)
    found, = ask(sotto.address, name, number, over="tcp").answer
    expected = str(dns.rdata.from_text("IN", number, FORMATS[qtype]))
    assert str(found[0]).lower() == expected.lower()


@pytest.mark.parametrize("ini, line", [("[A]\na=192.0.2\n", 2), ("[SRV]\na=1 2 3\n", 2), ("[SOA]\n\na=m r 1 2 3\n", 3), ("[RRSIG]\na=A 13\n", 2)])
def test_chef_record_formats_say_the_line(ini, line):
    done = subprocess.run([daemon.BINARY, "import", "dnschef", "-"], input=ini, capture_output=True, text=True, timeout=30)
    assert done.returncode in (1, 78) and f":{line}: " in done.stderr


PATTERNS = {
    "*.google.test": (["google.test", "www.google.test", "WWW.Google.Test"], ["a.b.google.test", "xgoogle.test", "google.testx"]),
    "*.wordpress.*": (["wordpress.test", "a.wordpress.com"], ["b.a.wordpress.com", "wordpress.co.uk"]),
    "*.*.deep.test": (["deep.test", "a.deep.test", "b.a.deep.test"], ["c.b.a.deep.test"]),
    "www.*.here.test": (["www.a.here.test"], ["a.here.test", "www.b.a.here.test"]),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_chef_pattern(cook, upstream, pattern):
    sotto = cook({"dnschef": pattern, "a": FAKE})
    does, does_not = PATTERNS[pattern]
    for name in does:
        assert addresses(ask(sotto.address, name)) == [FAKE], name
    for name in does_not:
        assert is_proxied(upstream, sotto, name), name


LONG = ".".join("123456789abcdef0123456789abcdef0") + ".ip6.test"


def test_chef_catch_all(cook, upstream):
    sotto = cook({"type": "A", "a": FAKE})
    for name in ("test", "com", "a.b.c.d.e.f.g.h.i.j.k.l.test", LONG, ""):
        assert addresses(ask(sotto.address, name)) == [FAKE], name
    assert is_proxied(upstream, sotto, "a.test", "TXT")
    as_there = cook({"dnschef": "*.*.*.*.*.*.*.*.*.*", "a": FAKE})
    assert addresses(ask(as_there.address, "a.b.c.d.e.f.g.h.i.test")) == [FAKE] and is_proxied(upstream, as_there, LONG)


def test_chef_precedence(cook):
    sotto = cook(
        {"suffix": "test", "a": "192.0.2.1"}, {"suffix": "b.test", "a": "192.0.2.2"}, {"below": "b.test", "a": "192.0.2.3"},
        {"exact": "a.b.test", "a": "192.0.2.4"}, {"exact": "a.b.test", "a": "192.0.2.5"}, {"glob": "p*.test", "a": "192.0.2.6", "priority": 1},
    )  # fmt: skip
    expected = {"x.test": 1, "b.test": 2, "x.b.test": 2, "a.b.test": 4, "px.b.test": 6, "pa.test": 6}
    assert {name: int(addresses(ask(sotto.address, name))[0].rpartition(".")[2]) for name in expected} == expected


def test_chef_fakedomains(cook, upstream):
    sotto = cook({"suffix": ["a.test", "b.test"], "a": FAKE})
    assert addresses(ask(sotto.address, "x.a.test")) == addresses(ask(sotto.address, "b.test")) == [FAKE]
    assert is_proxied(upstream, sotto, "c.test")


def test_chef_truedomains(cook, upstream):
    sotto = cook({"a": FAKE, "except": ["ok.test", "exact:one.test", "glob:*-true.test"]})
    for name in ("ok.test", "x.ok.test", "OK.test", "one.test", "very-true.test"):
        assert is_proxied(upstream, sotto, name.lower()), name
    for name in ("a.test", "x.one.test", "nok.test"):
        assert addresses(ask(sotto.address, name)) == [FAKE], name


@pytest.mark.parametrize("how, expected", [("all", [f"A {FAKE}", f"AAAA {FAKE6}", 'TXT "t"']), ("hinfo", ['HINFO "RFC8482" ""']), ("refuse", None)])
def test_chef_any(cook, upstream, how, expected):
    sotto = cook({"exact": "any.test", "answer": [f"A {FAKE}", f"AAAA {FAKE6}", "TXT t"]}, local={"any": how})
    answer = ask(sotto.address, "any.test", "ANY", over="tcp")
    if expected:
        assert rcode_name(answer) == "NOERROR" and records(answer) == expected
    else:
        assert rcode_name(answer) == "REFUSED" and not answer.answer
    over_udp = Head(ask_wire(sotto.address, query("any.test", "ANY")))
    assert over_udp.truncated and over_udp.counts[1] == 0  # what amplifiers ask for comes over a stream
    assert not upstream.asked("any.test")


def test_chef_ptr(cook):
    sotto = cook({"dnschef": "*.2.0.192.in-addr.arpa", "answer": "PTR fake.test"}, hosts={"nas.test": ["198.51.100.7", "2001:db8:1::7"]})
    assert records(ask(sotto.address, "9.2.0.192.in-addr.arpa", "PTR")) == ["PTR fake.test."]
    for reverse in ("7.100.51.198.in-addr.arpa", dns.reversename.from_address("2001:db8:1::7").to_text(True)):
        assert records(ask(sotto.address, reverse, "PTR")) == ["PTR nas.test."]


def test_chef_interfaces(cook):
    ports = [daemon.free_port(), daemon.free_port()]
    sotto = cook({"a": FAKE}, listen=[f"127.0.0.1:{ports[0]}", f"127.0.0.2:{ports[1]}?free-bind=yes"])
    assert addresses(ask(("127.0.0.1", ports[0]), "a.test")) == addresses(ask(("127.0.0.2", ports[1]), "a.test", over="tcp")) == [FAKE]
    assert sotto


def test_chef_name_case(cook, over):
    sotto = cook({"suffix": "case.test", "a": FAKE})
    asked = query("wWw.CaSe.TeSt")
    answer = ask_wire(sotto.address, asked, over)
    assert answer[12 : len(asked)] == asked[12:] and parse(answer).answer[0].name.to_text() == "wWw.CaSe.TeSt."


@pytest.mark.parametrize("wire", [header(7, RD, 1) + b"\x03ab", header(7, RD, 2) + 2 * question("a.test"), header(7, RD, 0)], ids=["cut", "two", "none"])
def test_chef_invalid_packet(cook, wire):
    sotto = cook({"a": FAKE})
    head = Head(ask_wire(sotto.address, wire))
    assert (head.id, head.is_answer, head.rcode, head.counts[1]) == (7, True, FORMERR, 0)


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
def test_chef_non_query(cook, opcode):
    sotto = cook({"a": FAKE})
    assert Head(ask_wire(sotto.address, query("a.test", flags=RD | opcode << 11))).rcode == NOTIMP


def test_chef_an_answer_is_no_query(cook):
    sotto = cook({"a": FAKE})
    with Udp(sotto.address) as client:
        client.send(query("a.test", id=1, flags=messages.QR | RD))
        client.send(query("b.test", id=2))
        assert Head(client.receive()).id == 2


def test_chef_a_port_that_is_held_is_told(tmp_path):
    """And whoever holds it lives."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        done = subprocess.run([daemon.BINARY, "fake", "--ip", FAKE, "--listen", f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and f"127.0.0.1:{port}" in done.stderr and "in use" in done.stderr.lower()


def test_chef_failure_is_told(start_sotto, cook):
    sotto = start_sotto(f"tcp://127.0.0.1:{daemon.free_port()}", rules=[{"suffix": "a.test", "a": FAKE}])
    assert rcode_name(failed := ask(sotto.address, unique_name(), edns=opt())) == "SERVFAIL" and extended_errors(failed)
    assert addresses(clients.ask(sotto.address, "a.test")) == [FAKE]
