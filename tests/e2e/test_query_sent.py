"""`sotto query` sends what dig and kdig send for the same words: octet for octet, but for the ID. What one of them has no word
for is compared with the other, and what neither has, with octets that are written here."""

import pytest

from bench import asker, messages
from bench.plain import Plain

NAMED = """A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP SIG KEY PX GPOS AAAA LOC
NXT SRV NAPTR KX CERT DNAME APL DS SSHFP IPSECKEY RRSIG NSEC DNSKEY DHCID NSEC3 NSEC3PARAM TLSA SMIMEA HIP CDS CDNSKEY OPENPGPKEY
CSYNC ZONEMD SVCB HTTPS SPF NID L32 L64 LP EUI48 EUI64 ANY URI CAA""".split()
NEWER = {"EID": 31, "NIMLOC": 32, "ATMA": 34, "SINK": 40, "NINFO": 56, "RKEY": 57, "TALINK": 58, "NXNAME": 128, "AVC": 258, "DOA": 259, "AMTRELAY": 260, "RESINFO": 261, "WALLET": 262, "TA": 32768,
         "DLV": 32769, "DELEG": 65287}  # fmt: skip

# What `sotto query` is told; what dig is; what kdig is. `=`: the same words, `-`: it has none.
CASES = """
name.test A +noedns                         | =                                 | =
name.test +noedns                           | =                                 | =
+noedns name.test A                         | name.test A +noedns               | name.test A +noedns
+noedns MX name.test                        | name.test MX +noedns              | name.test MX +noedns
. NS +noedns                                | =                                 | =
NaMe.TeSt A +noedns                         | =                                 | -
a\\.b.name.test A +noedns                   | =                                 | =
a\\000b\\255.name.test A +noedns            | =                                 | =
*.name.test A +noedns                       | =                                 | =
name.test. A +noedns                        | =                                 | =
name.test TYPE65280 +noedns                 | =                                 | =
name.test TYPE1 +noedns                     | =                                 | =
name.test A CH +noedns                      | =                                 | =
name.test A HS +noedns                      | =                                 | -
name.test A CLASS254 +noedns                | =                                 | =
name.test A CLASS65280 +noedns              | =                                 | =
-x 192.0.2.7 +noedns                        | =                                 | =
-x 2001:db8::7 +noedns                      | =                                 | =
name.test A +noedns +tcp                    | =                                 | =
name.test A +noedns +norecurse              | =                                 | =
name.test A +noedns +aaonly                 | =                                 | name.test A +noedns +aaflag
name.test A +noedns +adflag                 | =                                 | =
name.test A +noedns +cdflag                 | =                                 | =
name.test A +noedns +adflag +cdflag         | =                                 | =
name.test A +noedns +tcflag                 | =                                 | =
name.test A +noedns +raflag                 | =                                 | =
name.test A +noedns +zflag                  | =                                 | =
name.test A +noedns +norecurse +aaonly +adflag +cdflag +tcflag +raflag +zflag | = | name.test A +noedns +norecurse +aaflag +adflag +cdflag +tcflag +raflag +zflag
name.test A +noedns +opcode=2               | =                                 | -
name.test A +noedns +opcode=4               | =                                 | -
name.test A +noedns +opcode=15              | =                                 | -
name.test A +edns                           | =                                 | name.test A +edns +bufsize=1232
name.test A +edns=0                         | =                                 | name.test A +edns=0 +bufsize=1232
name.test A +edns=1                         | =                                 | name.test A +edns=1 +bufsize=1232
name.test A +edns=255                       | =                                 | name.test A +edns=255 +bufsize=1232
name.test A +bufsize=4096                   | =                                 | =
name.test A +bufsize=512                    | =                                 | =
name.test A +bufsize=65535                  | -                                 | =
name.test A +bufsize=1                      | =                                 | -
name.test A +dnssec                         | =                                 | name.test A +dnssec +bufsize=1232
name.test A +dnssec +cdflag                 | =                                 | name.test A +dnssec +bufsize=1232 +cd
name.test A +edns +ednsflags=0x2000         | =                                 | -
name.test A +edns +ednsflags=16383          | =                                 | -
name.test A +edns +ednsflags=0              | =                                 | -
name.test A +nsid                           | =                                 | name.test A +nsid +bufsize=1232
name.test A +expire                         | =                                 | name.test A +ednsopt=9 +bufsize=1232
name.test A +keepalive                      | =                                 | name.test A +ednsopt=11 +bufsize=1232
name.test A +cookie=0123456789abcdef        | =                                 | name.test A +cookie=0123456789abcdef +bufsize=1232
name.test A +cookie=0123456789abcdef0123456789abcdef0123456789abcdef | =       | name.test A +cookie=0123456789abcdef0123456789abcdef0123456789abcdef +bufsize=1232
name.test A +subnet=192.0.2.0/24            | =                                 | name.test A +subnet=192.0.2.0/24 +bufsize=1232
name.test A +subnet=192.0.2.255/25          | =                                 | name.test A +subnet=192.0.2.255/25 +bufsize=1232
name.test A +subnet=192.0.2.7/32            | =                                 | name.test A +subnet=192.0.2.7/32 +bufsize=1232
name.test A +subnet=0.0.0.0/0               | =                                 | name.test A +subnet=0.0.0.0/0 +bufsize=1232
name.test A +subnet=2001:db8::/32           | =                                 | name.test A +subnet=2001:db8::/32 +bufsize=1232
name.test A +subnet=2001:db8:ffff:ffff::/56 | =                                 | name.test A +subnet=2001:db8:ffff:ffff::/56 +bufsize=1232
name.test A +subnet=2001:db8::1/128         | =                                 | name.test A +subnet=2001:db8::1/128 +bufsize=1232
name.test A +ednsopt=65001                  | =                                 | name.test A +ednsopt=65001 +bufsize=1232
name.test A +ednsopt=65001:00ff             | =                                 | name.test A +ednsopt=65001:00ff +bufsize=1232
name.test A +ednsopt=65001:00ff +ednsopt=65002:aa | =                           | name.test A +ednsopt=65001:00ff +ednsopt=65002:aa +bufsize=1232
name.test A +padding=128                    | =                                 | -
name.test A +padding=256                    | =                                 | -
name.test A +padding=1                      | =                                 | -
name.test A +padding=128 +nsid              | =                                 | -
name.test A +noedns +header-only            | =                                 | -
name.test IXFR=7 +noedns +tcp +norecurse    | =                                 | =
name.test AXFR +noedns +norecurse           | =                                 | =
""".strip().splitlines()


class Keeper(Plain):
    """Keeps messages as octets, whatever they are."""

    def __init__(self):
        self.heard = []
        super().__init__()

    def _arrived(self, connection, wire):
        self.heard.append(wire)
        empty = wire[:2] + bytes([wire[2] | 0x80]) + wire[3:4] + wire[4:6] + bytes(6)
        at = 12
        if wire[4:6] != b"\0\0":
            while wire[at]:
                at += 1 + wire[at]
            at += 5
        connection.write(messages.frame(empty + wire[12:at]))


@pytest.fixture(scope="module")
def keeper():
    started = Keeper()
    yield started
    started.stop()


def heard_from(keeper, run):
    """The one message that it sent, without its ID."""
    before = len(keeper.heard)
    said = run()
    assert len(keeper.heard) > before, f"nothing was sent:\n{said}"
    return keeper.heard[before][2:]


def sent_by_sotto(keeper, *words):
    return heard_from(keeper, lambda: asker.query("@127.0.0.1", "-p", keeper.port, "+tries=1", *words))


def sent_by(keeper, program, *words):
    quiet = {"dig": ["+noadflag", "+nocookie", "+tries=1", "+time=5"], "kdig": ["+noadflag", "+noretry", "+time=5"]}[program]
    return heard_from(keeper, lambda: asker.peer(program, "@127.0.0.1", "-p", keeper.port, *quiet, *words))


def readable(wire):
    return wire.hex(" ", 2)


def alike(keeper, own, **others):
    ours = sent_by_sotto(keeper, *own)
    for program, words in others.items():
        theirs = sent_by(keeper, program, *words)
        assert readable(ours) == readable(theirs), program


@pytest.mark.parametrize("case", CASES, ids=[case.partition("|")[0].strip() for case in CASES])
def test_the_same_words_send_the_same_octets(keeper, case):
    own, of_dig, of_kdig = (part.strip() for part in case.split("|"))
    others = {"dig": of_dig, "kdig": of_kdig}
    split = {program: (own if words == "=" else words).split() for program, words in others.items() if words != "-"}
    assert split
    alike(keeper, own.split(), **split)


@pytest.mark.parametrize("qtype", NAMED)
def test_a_type_has_the_number_that_it_has_for_dig(keeper, qtype):
    alike(keeper, ["name.test", qtype, "+noedns"], dig=["name.test", "-t", qtype, "+noedns", "+notcp"])


@pytest.mark.parametrize("qtype", NEWER)
def test_a_type_that_peers_may_be_too_old_for_has_its_number(keeper, qtype):
    sent = sent_by_sotto(keeper, "name.test", qtype, "+noedns")
    assert int.from_bytes(sent[-4:-2], "big") == NEWER[qtype]


@pytest.mark.parametrize("words, flags", [
    ("+ednsflags=0x4000", 0x4000), ("+ednsflags=65535", 0xFFFF), ("+dnssec", 0x8000), ("+compactok", 0x4000), ("+delegok", 0x2000),
    ("+dnssec +compactok +delegok", 0xE000), ("+dnssec +ednsflags=0", 0),
])  # fmt: skip
def test_flags_of_edns_are_sent_whole(keeper, words, flags):
    """dig sends no more than the lower 14."""
    sent = sent_by_sotto(keeper, "name.test", "A", *words.split())
    assert int.from_bytes(sent[-4:-2], "big") == flags


@pytest.mark.parametrize("words, octets", [
    ("+zoneversion", "0013 0000"), ("+chainquery", "000d 0001 00"), ("+chainquery=com", "000d 0005 03 636f6d 00"),
    ("+nsid", "0003 0000"), ("+cookie=0011223344556677", "000a 0008 0011223344556677"),
    ("+ednsopt=1:aa +ednsopt=1:bb", "0001 0001 aa 0001 0001 bb"), ("+nsid +nsid", "0003 0000"), ("+nsid +nonsid", ""),
])  # fmt: skip
def test_options_of_edns_octet_for_octet(keeper, words, octets):
    octets = bytes.fromhex(octets)
    sent = sent_by_sotto(keeper, "name.test", "A", *words.split())
    assert sent.endswith(len(octets).to_bytes(2, "big") + octets), sent.hex()


def test_a_cookie_is_of_eight_octets_that_change(keeper):
    cookies = {sent_by_sotto(keeper, "name.test", "A", "+cookie")[-12:] for _ in range(3)}
    assert len(cookies) == 3 and all(cookie.startswith(bytes.fromhex("000a0008")) for cookie in cookies)


@pytest.mark.parametrize("words", ["+padding", "+padding=128", "+padding=468", "+padding +nsid", "+padding +dnssec"])
def test_a_padded_message_has_a_multiple_of_its_block(keeper, words):
    block = 468 if "468" in words else 128
    assert (2 + len(sent_by_sotto(keeper, "name.test", "A", *words.split()))) % block == 0
