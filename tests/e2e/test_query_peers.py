"""`sotto query` shows what dig and kdig show of what Knot DNS and NSD say: records, flags, counts, RCODE and EDNS, over UDP,
TCP and TLS. Records are compared in the form of RFC 3597, octet by octet; and what we write as text is read back by dnspython."""

import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from bench import asker, zones
from bench.zones import CHANGED, LARGE, SIGNED

AS_WE_ASK = {
    "dig": ["+noadflag", "+nocookie", "+noednsnegotiation", "+unknownformat", "+tries=1", "+time=10"],
    "kdig": ["+noadflag", "+generic", "+noretry", "+time=10"],
}
EDNS_AS_WE_ASK = ["+edns=0", "+bufsize=1232"]
OVER = {"udp": [], "tcp": ["+tcp"]}
# Names of the signed zone, unless they end with a dot; whatever stands behind them is the same word for all three.
SITUATIONS = """
@ SOA
@ NS
@ DNSKEY
@ NSEC
@ RRSIG
@ CDS
@ ANY
@ TXT
a AAAA
a ANY
nobody A
nobody A +dnssec
below.nobody A +dnssec
x.wild TXT
x.wild TXT +dnssec
x.wild A +dnssec
x.y.wild TXT +dnssec
alias A
alias A +dnssec
alias CNAME
alias2 A
alias2 AAAA +dnssec
below.dname A
below.dname A +dnssec
dname DNAME +dnssec
child A
child NS
child DS +dnssec
x.child A
secure A
secure A +dnssec
secure DS +dnssec
x.secure A +dnssec
ns.secure AAAA
mixed A
MIXED A
MiXeD A +dnssec
empty.non.terminal A
non.terminal A
non.terminal A +dnssec
\\000odd\\.label A
zero A
wide TXT +ignore
wide TXT +dnssec +ignore
wide TXT +bufsize=512 +ignore
wide TXT +bufsize=4096
@ SOA +norecurse
@ SOA +cdflag
@ SOA +adflag
@ SOA +adflag +cdflag +norecurse
@ SOA +opcode=4
@ SOA +opcode=2
@ SOA +edns=1
@ SOA +edns=100
@ SOA +noedns
nobody A +noedns
wide TXT +noedns +ignore
@ SOA +nsid
@ SOA +nsid +dnssec
@ SOA +subnet=192.0.2.0/24
@ SOA +subnet=2001:db8::/32
@ SOA +cookie=0123456789abcdef
@ SOA +ednsopt=65001:00ff
@ SOA +zflag
elsewhere. A
elsewhere. A +dnssec
. NS
version.bind. TXT CH
id.server. TXT CH
hostname.bind. TXT CH
@ SOA CH
@ TYPE65279
type65280 TYPE65280 +dnssec
""".strip().splitlines()


def words_of(situation):
    name, *rest = situation.split()
    if not name.endswith("."):
        name = SIGNED if name == "@" else f"{name}.{SIGNED}"
    return [name, *rest]


def is_for(situation, program):
    """Does it have all of these words?"""
    return program == "dig" or not {"+opcode=4", "+opcode=2"} & set(situation.split())


def in_lower_case(records):
    """The kdig of Debian 12 asks so, and a server repeats it."""
    return {section: sorted((owner.lower(), *rest) for owner, *rest in found) for section, found in records.items()}


def are_alike(address, words, over, programs=("dig", "kdig"), ours=(), theirs=()):
    """We, dig and kdig ask the server; what is shown is the same."""
    where = [f"@{address[0]}", "-p", address[1]]
    own = asker.query(*where, *OVER.get(over, ours), *words)
    wire = asker.query(*where, *OVER.get(over, ours), *words, "+generic")
    flags, counts, rcode, edns = asker.seen_by_sotto(own)
    records = asker.generic(wire.sections())
    for program in programs:
        asked = AS_WE_ASK[program] + ([] if "+noedns" in words else EDNS_AS_WE_ASK)
        seen = asker.Seen(program, asker.peer(program, *where, *asked, *OVER.get(over, theirs), *words))
        shown = f"\n{own}\n{seen.text}"
        assert flags == seen.flags, shown
        assert counts == seen.counts, shown
        assert rcode == seen.rcode, shown
        assert edns == seen.edns, shown
        if program == "kdig":
            assert in_lower_case(records) == in_lower_case(seen.records), shown
        else:
            assert records == seen.records, shown
    assert own.status == dns.rcode.from_text(rcode), own
    return own


@pytest.mark.parametrize("name, qtype", zones.owners(), ids=lambda value: value.partition(".")[0])
def test_a_record_of_each_type(knot, name, qtype):
    said = are_alike(knot.address, [name, qtype], "udp")
    assert said.records(), said


@pytest.mark.parametrize("name, qtype", zones.owners(), ids=lambda value: value.partition(".")[0])
def test_a_record_of_each_type_and_its_signature(knot, name, qtype):
    said = are_alike(knot.address, [name, qtype, "+dnssec"], "tcp")
    assert len(said.records()) == 2, said


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("server", ["knot", "nsd"])
def test_what_a_server_may_say(request, server, over, situation):
    programs = [program for program in ("dig", "kdig") if is_for(situation, program)]
    are_alike(request.getfixturevalue(server).address, words_of(situation), over, programs)


@pytest.mark.parametrize("situation", [situation for situation in SITUATIONS if is_for(situation, "kdig")])
def test_over_tls_it_is_what_kdig_shows(nsd, authority, situation):
    are_alike(
        ("127.0.0.1", nsd.tls_port), words_of(situation), "tls", ["kdig"],
        ours=["+tls", f"+tls-ca={authority.file}"], theirs=["+tls", f"+tls-ca={authority.file}", "+tls-hostname=127.0.0.1"],
    )


def test_the_longest_time_to_live(knot):
    are_alike(knot.address, [f"ancient.{LARGE}", "A"], "udp")


# ---- text


def known_to_dnspython(qtype):
    number = dns.rdatatype.from_text(qtype)
    return dns.rdata.get_rdata_class(dns.rdataclass.IN, number) is not dns.rdata.GenericRdata


@pytest.mark.parametrize("name, qtype", [pair for pair in zones.owners() if known_to_dnspython(pair[1])],
                         ids=lambda value: value.partition(".")[0])  # fmt: skip
def test_what_is_written_as_text_is_what_came(knot, name, qtype):
    where = [f"@{knot.address[0]}", "-p", knot.port, name, qtype]
    (shown,) = asker.query(*where, check=0).records()
    ((_, _, _, _, _, wire),) = asker.generic(asker.query(*where, "+generic", check=0).sections())["ANSWER"]
    _, _, rclass, rtype, data = shown.split(maxsplit=4)
    read = dns.rdata.from_text(rclass, rtype, data, relativize=False).to_wire()
    assert read.hex() == wire, shown


def test_short_is_dig_s_short(knot):
    for name, qtype in ((f"alias2.{SIGNED}", "A"), (SIGNED, "NS"), (f"mx.{SIGNED}", "MX"), (f"txt.{SIGNED}", "TXT"), (CHANGED, "SOA")):
        where = [f"@{knot.address[0]}", "-p", knot.port, name, qtype, "+short"]
        assert asker.query(*where, check=0).out == asker.peer("dig", *where)
