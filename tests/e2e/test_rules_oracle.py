"""dnsmasq as the oracle: dnsmasq and sotto have the same rules, those of dnsmasq's file as `sotto import dnsmasq` carries them, and the
same servers behind them; of 10,000 random questions about names at, above, below and beside the rules, both say the same, in
answers and rcodes (TTLs aside), or differ in a way that is told here, and in docs/rules.md."""

import collections
import contextlib
import ipaddress
import pathlib
import random
import re
import shutil
import subprocess

import dns.rcode
import dns.rdatatype
import pytest
import yaml

from bench import behaviours, daemon, eventually, messages
from bench.clients import Udp, ask, parse
from bench.messages import NXDOMAIN, SOA, query, record, wire_name
from bench.plain import Plain

QUESTIONS = 10_000
OF_FILTERS = 1_000
AT_A_TIME = 50
BOGUS = "64.94.110.11"
TYPES = ("A", "AAAA", "TXT", "MX", "SRV", "PTR", "NS", "SOA", "CNAME", "HTTPS", "NAPTR", "CAA")
CONFIGURATION = """
no-resolv
no-hosts
cache-size=0
local-ttl=30
server=127.0.0.1#{default}
server=/zone.test/127.0.0.1#{other}
server=/back.zone.test/#
local=/local.test/
address=/blocked.test/
address=/addr.test/192.0.2.1
address=/addr.test/2001:db8::1
address=/deep.addr.test/192.0.2.3
address=/v4.test/192.0.2.2
address=/v6.test/2001:db8::2
address=/zero.test/#
host-record=nas.local.test,nas,192.168.1.2,fd00::2
host-record=only4.host.test,192.0.2.4
host-record=in.blocked.test,192.0.2.5
cname=alias.test,nas.local.test
cname=longer.test,alias.test
txt-record=txt.test,"v=spf1 a, -all",second
srv-host=_ldap._tcp.srv.test,ldap.srv.test,389,1,2
mx-host=mail.test,mx.mail.test,50
ptr-record=1.2.0.198.in-addr.arpa,gate.local.test
naptr-record=naptr.test,20,10,s,SIP+D2U,,_sip._udp.naptr.test
caa-record=caa.test,0,issue,letsencrypt.org
addn-hosts={hosts}
bogus-nxdomain=64.94.110.11
stop-dns-rebind
rebind-domain-ok=/ok.test/
synth-domain=made.test,198.18.0.0/28,host-
synth-domain=range.test,198.18.1.5,198.18.1.20
synth-domain=six.test,2a00:db8:5::/64
"""
# What takes records out of answers, or has questions not asked.
FILTERS = """
no-resolv
no-hosts
cache-size=0
local-ttl=30
server=127.0.0.1#{default}
local=/local.test/
filter-{family}
filter-rr=TXT
filterwin2k
bogus-priv
domain-needed
bogus-nxdomain=64.94.110.11
stop-dns-rebind
rebind-domain-ok=/ok.test/
host-record=nas.local.test,nas,192.168.1.2,fd00::2
host-record=pc.inner.local.test,192.168.1.3,fd00::3
txt-record=note.deep.local.test,hello
mx-host=mail.local.test,mx.mail.test,50
srv-host=_ldap._tcp.srv.local.test,ldap.srv.test,389,1,2
cname=alias.below.local.test,nas.local.test
"""
FILTERED = [
    "nas.local.test", "nas", "pc.inner.local.test", "note.deep.local.test", "mail.local.test", "_ldap._tcp.srv.local.test",
    "alias.below.local.test", "plain.example", "_sip._udp.plain.example", "cname.example", "missing.example", "bogus.example", "private.example",
    "private.ok.test", "2.1.168.192.in-addr.arpa", "9.1.168.192.in-addr.arpa", "1.2.3.10.in-addr.arpa", "lonely",
]  # fmt: skip
HOSTS = "192.0.2.20 one.hosts.test One\n2001:db8::20 one.hosts.test\n192.0.2.21 two.hosts.test\n192.0.2.22 two.hosts.test\n"
SIX = "7" + ".0" * 19 + ".{}.0.0.0.8.b.d.0.0.0.a.2.ip6.arpa"
NAMES = [
    "zone.test", "back.zone.test", "local.test", "blocked.test", "addr.test", "deep.addr.test", "v4.test", "v6.test", "zero.test",
    "nas.local.test", "nas", "only4.host.test", "in.blocked.test", "alias.test", "longer.test", "txt.test", "_ldap._tcp.srv.test",
    "mail.test", "1.2.0.198.in-addr.arpa", "naptr.test", "caa.test", "one.hosts.test", "one", "two.hosts.test", "ok.test", "plain.example",
    "20.2.0.192.in-addr.arpa", "private.example", "private.ok.test", "private.zone.test", "bogus.example", "missing.example",
    "host-198-18-0-5.made.test", "host-198-18-0-16.made.test", "host-198-18-00-5.made.test", "198-18-1-5.range.test", "198-18-1-21.range.test",
    "5.0.18.198.in-addr.arpa", "16.0.18.198.in-addr.arpa", "20.1.18.198.in-addr.arpa", "21.1.18.198.in-addr.arpa", "05.0.18.198.in-addr.arpa",
    "2a00-db8-5--7.six.test", "2a00-db8-5-0--7.six.test", "2a00-db8-6--7.six.test", SIX.format("5"), SIX.format("6"),
    "cname.example", "private.cname.example", "mapped.example", "documented.example", "4.2.0.192.in-addr.arpa", "2.1.168.192.in-addr.arpa",
]  # fmt: skip


def server_address(name, qtype, salt):
    """What a server says of A and AAAA."""
    octets = messages.digest(name)
    if name.startswith(("x.private", "private")) and not name.startswith("private.cname"):
        return ipaddress.ip_address("192.168.1.1" if qtype == 1 else "fd00::1")
    if "bogus" in name and qtype == 1:
        return ipaddress.ip_address(BOGUS)
    if "documented" in name and qtype == 1:
        return ipaddress.ip_address("192.0.2.77")
    if "mapped" in name and qtype == 28:
        return ipaddress.ip_address("::ffff:10.0.0.1")
    return ipaddress.ip_address(bytes((198, 51, salt, octets[0])) if qtype == 1 else bytes.fromhex("2a000db800ff") + bytes((salt, *octets[:9])))


def says(salt):
    """A server, told from another one by its salt."""

    def build(asked):
        if "missing" in asked.name:
            return messages.reply(asked, [], [record("SOA", SOA, owner=b"\0")], rcode=NXDOMAIN)
        front, target = [], asked.name
        if "cname" in asked.name:
            target = "private.target.example" if "private" in asked.name else "target.example"
            front = [record("CNAME", wire_name(target))]
        if asked.type in (1, 28):
            address = server_address(target, asked.type, salt).packed
            return messages.reply(asked, [*front, record(asked.type, address, owner=wire_name(target))])
        if asked.type == 16:
            return messages.reply(asked, [*front, record("TXT", bytes((2, 65 + salt % 26, 66)), owner=wire_name(target))])
        return messages.reply(asked, front, [record("SOA", SOA, owner=b"\0")])

    return behaviours.message(build)


@pytest.fixture
def both(start_sotto, start_upstream, tmp_path, request):
    """The addresses of dnsmasq and of sotto, and what was not carried."""
    if not shutil.which("dnsmasq"):
        pytest.skip("there is no dnsmasq")
    plain, other, encrypted = Plain(otherwise=says(1)), Plain(otherwise=says(2)), start_upstream(otherwise=says(1))
    (tmp_path / "hosts").write_text(HOSTS)
    file = tmp_path / "dnsmasq.conf"
    text, family = getattr(request, "param", (CONFIGURATION, None))
    file.write_text(text.format(default=plain.port, other=other.port, hosts=tmp_path / "hosts", family=family))
    done = subprocess.run([daemon.BINARY, "import", "dnsmasq", file], capture_output=True, text=True, timeout=30)
    settings = {key: value for key, value in yaml.safe_load(done.stdout).items() if key not in ("upstreams", "listen")}
    sotto = start_sotto(encrypted, **settings)
    port = daemon.free_port()
    theirs = subprocess.Popen(["dnsmasq", "--keep-in-foreground", f"--conf-file={file}", "--user=", "--pid-file", "--bind-interfaces",
                               "--listen-address=127.0.0.1", f"--port={port}", "--dns-forward-max=1000", "--log-facility=-"],
                              stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        assert eventually(lambda: theirs.poll() is None and is_up(("127.0.0.1", port)))
        yield ("127.0.0.1", port), sotto.address, done.stderr
    finally:
        theirs.terminate()
        theirs.wait(10)
        plain.stop()
        other.stop()


def is_up(address):
    try:
        return ask(address, "nas.local.test", over="tcp").answer
    except OSError:
        return False


def questions(seed, names=NAMES, count=QUESTIONS):
    chance = random.Random(seed)
    ways = (
        lambda n: n, lambda n: "x." + n, lambda n: "y.x." + n, lambda n: n.partition(".")[2] or n, lambda n: "x" + n, lambda n: "-." + n,
        lambda n: n + "x", lambda n: n.swapcase(), lambda n: f"{chance.randrange(10000)}.{n}", lambda n: f"{chance.randrange(10000)}.x.{n}",
    )  # fmt: skip
    return [(chance.choice(ways)(chance.choice(names)), chance.choice(TYPES)) for _ in range(count)]


def all_answers(address, asked):
    """What is said of each question: the rcode, and the records of the answer."""
    said = {}
    with Udp(address) as client:
        for at in range(0, len(asked), AT_A_TIME):
            batch = asked[at : at + AT_A_TIME]
            for number, (name, qtype) in enumerate(batch):
                client.send(query(name, dns.rdatatype.from_text(qtype), id=number))
            left = set(range(len(batch)))
            while left:
                wire = client.receive()
                assert wire, f"no answer to {batch[min(left)]}"
                answer = parse(wire)
                left.discard(answer.id)
                said[batch[answer.id]] = summary(answer)
    return said


def in_short(match):
    with contextlib.suppress(ValueError):
        return str(ipaddress.IPv6Address(match[1].replace("-", ":"))).replace(":", "-") + match[2]
    return match[0]


def summary(answer):
    """dnsmasq 2.91 writes all digits of an address in a name, 2.90 and sotto as few as there need be."""
    records = sorted(f"{s.name} {dns.rdatatype.to_text(s.rdtype)} {r}".lower() for s in answer.answer for r in s)
    records = [re.sub(r"\b([0-9a-f-]+)(\.six\.test\.)", in_short, record) for record in records]
    return dns.rcode.to_text(answer.rcode()), tuple(records)


def is_below(name, *domains):
    return any(name == d or name.endswith("." + d) for d in domains)


POINTERS = ("20.2.0.192.in-addr.arpa", "4.2.0.192.in-addr.arpa", "2.1.168.192.in-addr.arpa")
MADE = ("host-198-18-0-5.made.test", "198-18-1-5.range.test", "5.0.18.198.in-addr.arpa", "20.1.18.198.in-addr.arpa",
        "2a00-db8-5--7.six.test", "2a00-db8-5-0--7.six.test", SIX.format("5"))  # fmt: skip
MADE_DOMAINS = ("0.18.198.in-addr.arpa", "1.18.198.in-addr.arpa", "0.0.0.0.5.0.0.0.8.b.d.0.0.0.a.2.ip6.arpa")
HOSTED = (*MADE, "nas.local.test", "nas", "only4.host.test", "in.blocked.test", "one.hosts.test", "one", "two.hosts.test")

# Ways to differ: what docs/rules.md says of it, and of which questions: name, type, what dnsmasq says and what sotto says.
DIFFERENCES = {
    "names of private and documentation addresses are special": lambda name, qtype, theirs, ours: (
        is_below(name, "2.0.192.in-addr.arpa", "168.192.in-addr.arpa") and (qtype != "PTR" or name not in POINTERS)),
    "one family of a domain's addresses is all of it": lambda name, qtype, theirs, ours: (
        is_below(name, "deep.addr.test", "v4.test", "v6.test") and qtype in ("A", "AAAA") and ours == ("NOERROR", ())),
    "a host has no records of other types": lambda name, qtype, theirs, ours: (
        name in HOSTED and ours == ("NOERROR", ())),
    "what is not the name of an address, to the letter, has no name": lambda name, qtype, theirs, ours: (
        is_below(name, *MADE_DOMAINS) and name not in MADE and qtype == "PTR" and ours == ("NOERROR", ())),
    "servers within this network may know private addresses": lambda name, qtype, theirs, ours: (
        is_below(name, "zone.test") and "private" in name and theirs == ("NOERROR", ()) and len(ours[1]) == 1),
    "documentation addresses are not private": lambda name, qtype, theirs, ours: (
        "documented" in name and theirs == ("NOERROR", ()) and len(ours[1]) == 1),
}  # fmt: skip



# The same of what is filtered.
OF_TYPES = ("A", "AAAA", "TXT", "SOA", "SRV")
DIFFERENCES_OF_FILTERS = {
    "names of private and documentation addresses are special": lambda name, qtype, theirs, ours: (
        is_below(name, "168.192.in-addr.arpa", "10.in-addr.arpa")),
    "what does not exist does so for all types": lambda name, qtype, theirs, ours: (
        is_below(name, "local.test") and qtype in ("SOA", "SRV") and (theirs, ours) == (("NOERROR", ()), ("NXDOMAIN", ()))),
    "what is filtered is not asked for": lambda name, qtype, theirs, ours: (
        qtype in OF_TYPES and ours == ("NOERROR", ()) and (theirs[0] == "NXDOMAIN" or all(" cname " in r for r in theirs[1]))),
}  # fmt: skip


def why(name, qtype, theirs, ours, differences):
    """The first difference that explains these."""
    return next((what for what, holds in differences.items() if holds(name.lower(), qtype, theirs, ours)), None)


def test_each_difference_is_told_to_people():
    page = (pathlib.Path(__file__).parents[2] / "docs/rules.md").read_text()
    assert [what for what in DIFFERENCES | DIFFERENCES_OF_FILTERS if f"| {what} |" not in page] == []


def compare(dnsmasq, sotto, asked, differences):
    """Both say the same, or differ in these ways, each of which is seen."""
    theirs, ours = all_answers(dnsmasq, asked), all_answers(sotto, asked)
    explained, others = collections.Counter(), []
    for question in theirs:
        if theirs[question] == ours[question]:
            continue
        reason = why(*question, theirs[question], ours[question], differences)
        explained[reason] += 1
        if not reason:
            others.append(f"{question}: dnsmasq {theirs[question]}, sotto {ours[question]}")
    assert not others, f"{len(others)} of {len(theirs)}\n" + "\n".join(sorted(others))
    assert set(explained) == set(differences), f"not seen: {set(differences) - set(explained)}"


def test_dnsmasq_says_the_same(both):
    dnsmasq, sotto, left_out = both
    assert left_out.count("\n") == 1 and "names in hosts files win over this there" in left_out
    compare(dnsmasq, sotto, questions(1), DIFFERENCES)


@pytest.mark.parametrize("both", [(FILTERS, "A"), (FILTERS, "AAAA")], ids=["A", "AAAA"], indirect=True)
def test_dnsmasq_filters_the_same(both):
    dnsmasq, sotto, left_out = both
    assert left_out == ""
    compare(dnsmasq, sotto, questions(2, FILTERED, OF_FILTERS), DIFFERENCES_OF_FILTERS)
