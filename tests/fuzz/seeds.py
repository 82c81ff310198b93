#!/usr/bin/env python3
"""Writes the corpora that are made and not found: the first inputs of some targets, from which libFuzzer goes on.

What was found by searching stays as it is; files of the same name are written anew.
"""
import pathlib
import re
import ssl
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"


def frame(message):
    return struct.pack("!H", len(message)) + message


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def query(text="www.example.com", rtype=1, ident=0x1234):
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + name(text) + struct.pack("!HH", rtype, 1)


def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def error(code, text=""):
    return option(15, struct.pack("!H", code) + text.encode())


TEXT = [
    ".", "a", "www.example.com.", "WWW.Example.COM", r"a\.b.c\\d", r"\000\255\032x", r"*.dev.test", "a..b", ".a", r"\25", r"\256",
    "x" * 63 + ".y", "x" * 64, ".".join(["abcdefg"] * 31), ".".join(["abcdefg"] * 32), r"\@\$\"\(\)\;", "TYPE65280", "TYPE", "type0",
    "AAAA", "example.com mx", "--all", "--below example.com", "--below", "example.com TYPE65536", "a b c", "  a.test  A ",
]

URI = [
    "tls://192.0.2.1", "tls://192.0.2.1:8853#dns.example", "tls://[2001:db8::1]#dns.example", "tls://[fe80::1%lo]:853",
    "tls://dns.example?bootstrap=192.0.2.1,2001:db8::1", "tls://192.0.2.1?verify=no", "udp://10.0.0.53:5353", "tcp://[fd00::1]",
    "udp://10.0.0.53?source=10.0.0.1&interface=eth0&weight=7", "tls://dns.example#other.example?ca=/etc/a b.pem&tls=1.3",
    "tls://192.0.2.1?pin=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=&cert=a.pem&key=b.pem", "1.1.1.1@853#cloudflare-dns.com",
    "tcp-tls:1.1.1.1", "tcp+udp:10.0.0.1", "https://dns.example/dns-query", "sdns://AgcAAAAAAAAA", "9.9.9.9", "dns.example", "[/a/]1.1.1.1",
    "tls://::ffff:192.0.2.1", "tls://[::ffff:192.0.2.1]", "tls://dns.example.:853#", "tsl://1.1.1.1", "tls://0.0.0.0", "tls://a?wieght=1",
    "dns.example@1.1.1.1", "1.1.1.1%dns.example", "tls://dns.example?verify=no&tls=1.3&weight=3",
    "tls://192.0.2.1#dns.example?source=192.0.2.7&interface=lo&ca=a.pem&cert=b.pem&key=c.pem&tls=1.3&weight=1000",
    "ddr://192.0.2.1", "ddr://[2001:db8::1]:5353?weight=7&tls=1.3", "ddr://192.0.2.1#dns.example", "ddr://dns.example", "ddr://192.0.2.1?verify=no",
]

# Kinds in the order of rules/pattern.h, with a name each.
PATTERNS = [
    (0, "www.Example.com", "www.example.com"), (0, r"a\.b.c", "a.b.c"), (1, "example.com", "a.b.example.com"), (1, ".", "a"), (2, "b.c", "b.c"),
    (3, "*.example.com", "a.example.com"), (3, "a?*.b*", "ab.b"), (3, "*a*b*c", "aabbcb"), (3, r"\*.a\.b.\255", "a"), (3, "a..*", "a"),
    (3, "*." + "x" * 64, "a"), (4, r"^ads?[0-9]*\.", "ad1.test"), (4, "(a+)+$", "a" * 40 + ".b"), (4, "(*UTF)a(b", "a"),
    (5, "*.google.com", "www.google.com"), (5, "*.wordpress.*", "wordpress.org"), (5, "a.*.b", "b"),
]


def service(priority, target, *parameters):
    rdata = struct.pack("!H", priority) + (name(target) if target else b"\0") + b"".join(parameters)
    return frame(rdata)


def alpn(*protocols):
    return option(1, b"".join(bytes([len(p)]) + p.encode() for p in protocols))


DOT, PORT, V4, V6 = alpn("dot"), option(3, b"\x21\x35"), option(4, b"\xc0\0\2\1"), option(6, b"\x20\1\x0d\xb8" + bytes(11) + b"\1")

SVCB = {
    "dot": service(1, "dns.example", DOT), "all": service(1, "dns.example", alpn("dot", "h2"), PORT, V4, V6),
    "alias": service(0, "dns.example"), "itself": service(1, "", DOT), "arpa": service(1, "resolver.arpa", DOT),
    "mandatory": service(1, "dns.example", option(0, b"\0\1\0\3"), DOT, PORT),
    "unknown": service(1, "dns.example", option(0, b"\xfd\xe8"), DOT, option(65000)),
    "missing": service(1, "dns.example", option(0, b"\0\3"), DOT), "order": service(1, "dns.example", PORT, DOT),
    "twice": service(1, "dns.example", DOT, DOT), "no_default": service(1, "dns.example", DOT, option(2)),
    "port_53": service(1, "dns.example", DOT, option(3, b"\0\x35")), "half_port": service(1, "dns.example", DOT, option(3, b"\1")),
    "half_hint": service(1, "dns.example", DOT, option(4, b"\xc0\0\2")), "nobody": service(1, "dns.example", DOT, option(4, bytes(4))),
    "past_the_end": frame(b"\0\1\0\0\1\0\x09\3dot"), "cut": frame(b"\0\1\3dns"), "empty": frame(b""), "protocol": service(1, "a.b", option(1, b"\4dot")),
    "several": b"".join(service(n, f"{n}.example", DOT, V4) for n in (3, 1, 2, 1, 1)), "many_hints": service(1, "a.b", DOT, option(4, b"\xc0\0\2\1" * 40)),
}

EDNS = {
    "none": b"", "keepalive": option(11), "timeout": option(11, b"\0\x64"), "cookie": option(10, b"12345678"), "padding": option(12, bytes(40)),
    "one_error": error(22, "no reachable authority"), "errors": b"".join(error(n, "text %d" % n) for n in range(6)),
    "long_text": error(0, "x" * 300), "cut_letter": error(0, "x" * 127 + "\u00e4\u00f6"), "no_code": option(15, b"\0"), "too_many": option(3) * 65,
    "as_many": option(3) * 64, "past_the_end": struct.pack("!HH", 12, 9), "half": b"\0\x0c\0", "subnet": option(8, b"\0\1\x18\0\xc0\0\2"),
    "forwarded": option(8, b"\0\2\x0c\0\xfd\x50") + option(65001, bytes(6)) + option(65073, b"00-00:00:00:00:00") + option(65073, b"AAAAAAAA") + option(65074, b"den"),
    "forwarded_twice": option(8, b"\0\1\x18\0\xc0\0\2") * 2 + option(65074, b"den") * 2 + option(65001, b"123456") + option(65001, b"123457"),
    "forwarded_badly": option(65001) + option(65073, b"AAAA.AAA") + option(65073, b"0") + option(65074) + option(8, b"\0\3\1\0\x80"),
}

CONTROL = {
    "status": b"status\n", "no_end": b"status", "return": b"status\r\n", "stats": b"cache stats\n", "lookup": b"cache lookup www.example.com AAAA\n",
    "flush": b"cache flush --below example.com\n", "all": b"cache flush --all\n", "nothing": b"", "empty": b"\n", "two": b"status\nstatus\n",
    "nul": b"status\0\n", "long": b"cache lookup " + b"x" * 2100, "words": b"status a b c d e\n", "unknown": b"cache lokup a\n",
    "rest": b"cache stats\n" + b"y" * 5000,
}


HOSTS = {
    "leases": "0 aa:bb 192.0.2.1 one *\n2000 aa:bb 192.0.2.2 Two.LAN. 01:aa\n1000 aa 192.0.2.3 ended *\nduid 00:01\n2000 12 2001:db8::1 one 00:01\n",
    "leases_odd": "0 aa 192.0.2.1 * *\n-1 aa 192.0.2.1 a *\n0 aa 192.0.2 a *\n0 aa 192.0.2.1 a.b *\n0 aa 192.0.2.1 localhost\nduid\n",
    "one": "127.0.0.1 localhost\n", "several": "192.0.2.1\ta.test b.test  # c\n2001:db8::1 a.test\n192.0.2.2 b.test\n", "scope": "fe80::1%eth0 a\n",
    "no_name": "192.0.2.1\n", "no_address": "a.test 192.0.2.1\n", "empty": "", "comments": "# a\n\n \t\n#", "no_end": "::1 a", "nul": "::1 a\0b\n",
    "return": "::1 a\r\n::1 b\r\n", "escaped": "0.0.0.0 a\\.b \\000.c\n", "dots": "::1 .a\n", "mapped": "::ffff:192.0.2.1 m\n", "again": "::1 a A a.\n",
}

SOA = "@ 60 SOA ns root 1 3600 900 604800 300\n"
ZONE = {
    "soa": SOA, "names": SOA + "a A 192.0.2.1\nb.a TXT \"x;y\" z\n*.y MX 10 a\n", "alias": SOA + "a CNAME b\nb CNAME a\n* CNAME a\n",
    "dname": SOA + "a DNAME y.example.\n@ DNAME test.\n", "cut": SOA + "a NS ns.a\nns.a AAAA ::1\na DS 1 8 1 " + "00" * 20 + "\n",
    "several_lines": "$TTL 1h\n@ IN SOA ( ns\n root 1 2 ; three\n 3 4 5 )\n NS ns\n$ORIGIN y.example.\nx A 192.0.2.1\n", "no_soa": "a A ::1\n",
    "octets": SOA + "a TYPE65280 \\# 2 cafe\na TYPE1 \\# 4 c0000201\na TYPE5 \\# 2 c00c\n", "include": "$INCLUDE a\n", "outside": SOA + "a.test. A 192.0.2.1\n",
    "services": SOA + "a HTTPS 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1 ech=AAAA\na SVCB 0 b mandatory=alpn\n", "loc": SOA + "a LOC 52 22 23 N 4 53 32 E -2m\n",
    "signed": SOA + "a RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AAAA\na NSEC b A RRSIG NSEC\n", "naptr": SOA + 'a NAPTR 1 2 "u" "E" "x" .\n',
    "ttl": SOA + "a 4294967295 A 192.0.2.1\n", "escaped": SOA + "a\\.b\\000 A 192.0.2.1\n\\* TXT \"\\255\\\"\"\n", "caa": SOA + 'a CAA 0 issue "x"\na URI 1 1 "y"\n',
}


def proxy(command=0x21, family=0x11, rest=bytes([192, 0, 2, 7, 203, 0, 113, 1]) + struct.pack("!HH", 40000, 53)):
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", command, family, len(rest)) + rest


OF_6 = bytes.fromhex("20010db8000000000000000000000007" "20010db8000000000000000000000001" "9c400355")
OF_4 = proxy()[16:]
PROXY = {
    "tcp4": proxy() + frame(query()), "udp4": proxy(family=0x12) + query(), "tcp6": proxy(family=0x21, rest=OF_6), "udp6": proxy(family=0x22, rest=OF_6),
    "local": proxy(0x20, 0, b""), "local_of_a_family": proxy(0x20), "unix": proxy(family=0x31, rest=bytes(216)), "unspec": proxy(family=0, rest=b"?"),
    "tlv": proxy(rest=OF_4 + b"\xea\0\2vp" + b"\3\0\4\1\2\3\4"), "tlv_too_long": proxy(rest=OF_4 + b"\xea\0\3vp"),
    "tlv_cut": proxy(rest=OF_4 + b"\xea\0"), "too_short": proxy(rest=OF_4[:11]), "command": proxy(0x22), "version": proxy(0x31),
    "family": proxy(family=0x41), "transport": proxy(family=0x13), "cut": proxy()[:-1], "long": proxy(rest=OF_4 + b"\4\1\0" + bytes(256)),
    "line4": b"PROXY TCP4 192.0.2.7 203.0.113.1 40000 53\r\n" + frame(query()), "line6": b"PROXY TCP6 2001:db8::7 ::1 40000 53\r\n",
    "line_mapped": b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:c000:201 1 2\r\n", "unknown": b"PROXY UNKNOWN\r\n", "unknown_of": b"PROXY UNKNOWN a b c\r\n",
    "line_endless": b"PROXY UNKNOWN " + b"x" * 100, "line_cut": b"PROXY TCP4 192.0.2.7 203.0.113.1 40000 53\r",
    "line_short": b"PROXY TCP4 192.0.2.7\r\n", "line_port": b"PROXY TCP4 192.0.2.7 203.0.113.1 040000 53\r\n", "query": frame(query()),
}


POLICY = b"$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS .\n"
FORMS = ("auto", "hosts", "domains", "adblock", "dnsmasq", "rpz")
LISTS = {
    "hosts": b"# x\n127.0.0.1 localhost\nfe80::1%lo0 localhost\n0.0.0.0 a.example b.example # why\n::\tc.example\n",
    "domains": b"\xef\xbb\xbfa.example\r\n*.b.example # why\n; c\n! d\n\xc3\xbc.example\n192.0.2.1",
    "adblock": b"[Adblock Plus 2.0]\n! x\n||a.example^\n@@||b.example^$important\n||c*.example^|\n||*.d.example^\n##.ad\n/x/\n||e/f\n||g^$script\n",
    "dnsmasq": b"address=/a.example/b.example/\naddress=/c.example/::\nserver=/d.example/#\nlocal=/.e.example/ # x\naddress=/*f/#\naddress=/#/\n",
    "rpz": POLICY + b"a CNAME .\n*.b IN CNAME *.\nc 60 CNAME rpz-passthru.\nd CNAME rpz-drop.\ne CNAME rpz-tcp-only.\nf CNAME x.\ng CNAME g.\n",
    "rpz_data": POLICY + b"$ORIGIN x.\na A 192.0.2.1\n A 192.0.2.2\n TXT ( \"a\"\n \"b\" )\nb MX 1 c\nc TYPE65280 \\# 1 00\n",
    "rpz_addresses": POLICY + b"24.0.2.0.192.rpz-ip CNAME .\n128.1.zz.db8.2001.rpz-ip CNAME .\n48.zz.db8.2001.rpz-ip CNAME .\n",
    "rpz_unseen": POLICY + b"a.rpz-nsdname CNAME .\n32.1.2.0.192.rpz-nsip CNAME .\n32.1.2.0.192.rpz-client-ip CNAME .\na CNAME *.b.\n",
    "domains_fault": b"a.example\n<html>\n", "hosts_fault": b"0.0.0.0\n", "dnsmasq_fault": b"adress=/a/\n", "adblock_none": b"##.ad\n",
    "rpz_outside": b"x. SOA . . 1 2 3 4 5\ny. CNAME .\n", "rpz_beside": POLICY + b"a CNAME .\na A 192.0.2.1\n",
    "rpz_prefix": POLICY + b"24.1.2.0.192.rpz-ip CNAME .\n", "rpz_include": b"$INCLUDE /dev/null\n", "domains_control": b"a\x1b[31m\0\n",
}


def client_streams():
    one = frame(query())
    short, mute = frame(b"\0" * 11), frame(bytes(range(12)))
    yield "one", one
    yield "many", b"".join(frame(query(f"a{n}.test", 1, n * 256)) for n in range(9))
    yield "at_once", b"".join(frame(query("a.test", 1, n * 2048)) for n in range(8))
    yield "too_short", one + short + one
    yield "empty", one + frame(b"") + one
    yield "partial", one + one[:-3]
    yield "half_a_head", one + b"\0"
    yield "large", frame(query() + bytes(2000)) + mute


def server_streams():
    answer = bytes([4, 1, 5, 2, 6, 3, 7, 4])
    refusal = struct.pack("!6H", 0, 0x8181, 0, 0, 0, 0)  # FORMERR, a header alone
    foreign = struct.pack("!6H", 0, 0x8180, 1, 0, 0, 0) + name("z") + struct.pack("!HH", 16, 1)
    yield "answers", answer
    yield "reversed", bytes([7, 4, 6, 3, 5, 2, 4, 1])
    yield "twice", answer + answer
    yield "without_edns", bytes([0, len(refusal)]) + refusal + answer
    yield "mismatch", (bytes([1, len(foreign)]) + foreign) * 18 + answer
    yield "not_a_message", bytes([2, 5]) + b"hello" + answer
    yield "empty_frames", bytes([12, 4, 0, 0, 0, 0]) + answer
    yield "endless", bytes([12, 4]) + b"\xff\xff\0\0" + answer


def hello(version=ssl.TLSVersion.TLSv1_3, alpn=(), server="dns.example", curve=None):
    """What a client of OpenSSL's says first; its random part is another each time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = bool(server)
    context.check_hostname = False
    context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(alpn)
    if curve:
        context.set_ecdh_curve(curve)
    said = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), said, server_hostname=server)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return said.read()


def record(kind, octets):
    return struct.pack("!BHH", kind, 0x0303, len(octets)) + octets


def tls_clients():
    first, older = hello(), hello(ssl.TLSVersion.TLSv1_2)
    change, sealed = record(20, b"\1"), record(23, bytes(range(69)))
    yield "tls13", first + change + sealed
    yield "tls12", older + record(22, b"\x10\0\0\x21\x20" + bytes(range(32))) + change + record(22, bytes(40))
    yield "dot", hello(alpn=["dot"])
    yield "h2", hello(alpn=["h2", "http/1.1"])
    yield "tls12_dot", hello(ssl.TLSVersion.TLSv1_2, ["dot"])
    yield "retry", hello(curve="secp521r1")
    yield "retried", hello(curve="secp384r1") + hello()
    yield "again", first + first
    yield "in_pieces", b"".join(record(22, first[at:at + 64]) for at in range(5, len(first), 64))
    yield "octets", b"".join(record(22, first[at:at + 1]) for at in range(5, 40))
    yield "alert", record(21, b"\2\x28")
    yield "goodbye", record(21, b"\1\0")
    yield "endless", record(22, b"\1\0\x7f\xff" + bytes(2000)) * 16
    yield "http", b"GET / HTTP/1.1\r\n\r\n"
    yield "dns", frame(query())


def in_records(octets, size):
    """The same message in records that hold so many octets of it."""
    message = octets[5:]
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + frame(piece) for piece in pieces)


def hellos():
    tls12, tls13 = hello(ssl.TLSVersion.TLSv1_2), hello()
    tls12, tls13 = (hello(version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3))
    yield "tls12", tls12
    yield "tls13", tls13
    yield "no_name", hello(server=None)
    yield "alpn", hello(alpn=["dot"], server="one.one.one.one")
    yield "half", tls13[:100]
    yield "behind", tls13 + b"\x14\x03\x03\0\1\1"
    yield "records_of_9", in_records(tls12, 9)
    yield "records_of_1", in_records(tls12[:-40], 1)
    yield "bad_name", tls12.replace(b"dns.example", b"dns\0example")
    yield "no_extensions", b"\x16\x03\1\0\x2d\1\0\0\x29\3\3" + bytes(33) + b"\0\2\0\x2f\1\0"


def relays():
    """What the servers do that are tried, the first octets of the client, and what both do then (fuzz_relay.c)."""
    opens, refuses, vanishes, none = range(4)

    def servers(*ways):
        return sum(way << 2 * place for place, way in enumerate((*ways, none)))

    def step(who, kind, n=0):
        return n << 4 | ("some", "more", "much", "end", "reset", "take", "stop", "wait").index(kind) << 1 | (who == "client")

    pause = [step("server", "wait", 15)] * 2
    talk = [*pause, step("client", "some", 5), *pause, step("server", "much", 9), *pause]
    ends = [step("client", "end"), *pause, step("server", "end")]
    flood = [step(who, "much", 15) for who in ("client", "server") for _ in range(9)]
    one = [servers(opens), 9]
    yield "talk", one + talk + ends
    yield "talk_behind_an_end", one + pause + ends[:1] + talk + ends[-1:]
    yield "server_ends_first", one + talk + ends[-1:] + talk + ends[:1]
    for who in ("client", "server"):
        yield f"slow_{who}", one + pause + [step(who, "take", 0)] + flood + pause + [step(who, "take", 1)] + talk + ends
        yield f"stuck_{who}", one + pause + [step(who, "take", 0)] + flood + 16 * pause
        yield f"reset_by_{who}", one + talk + [step(who, "reset")] + talk
    yield "stop", one + talk + [step("client", "stop")] + talk
    yield "next_server", [servers(refuses, vanishes, opens), 0] + 8 * pause + talk + ends
    yield "no_server_opens", [servers(refuses, vanishes, refuses), 1] + talk
    yield "no_server", [servers(), 1] + talk
    yield "names_first", [servers(opens), 2 << 6] + 8 * pause + talk + ends


def signed():
    """What dnspython has signed for the unit tests (tests/unit/ask/signed.py), each array of messages in frames."""
    text = (CORPUS.parent.parent / "unit/ask/signed.h").read_text()
    for array, messages in re.findall(r"(\w+)\[\] = \{(.*?)\};", text, re.S):
        messages = ["".join(re.findall('"(.*?)"', message)) for message in messages.split(",")]
        framed = [frame(bytes.fromhex(message)) for message in messages if message]
        yield array, framed[3] if array == "replies" else b"".join(framed)


def record_of(owner, rtype, rdata):
    return owner + struct.pack("!HHIH", rtype, 1, 300, len(rdata)) + rdata


def soa(serial):
    return record_of(b"\xc0\x0c", 6, b"\0\0" + struct.pack("!5I", serial, 60, 60, 600, 60))


def transfers():
    """A first octet says which kind (fuzz_transfer.c)."""

    def message(*records, rtype=252, flags=0x8400):
        return frame(struct.pack("!6H", 0x1234, flags, 1, len(records), 0, 0) + name("example") + struct.pack("!HH", rtype, 1) + b"".join(records))

    address = record_of(b"\1a\xc0\x0c", 1, b"\xc0\0\2\1")
    axfr, ixfr, signed_axfr = b"\0", b"\1", b"\2"
    yield "whole", axfr + message(soa(7), address, address, soa(7))
    yield "in_messages", axfr + message(soa(7)) + message(address) + message() + message(address, soa(7))
    yield "changed", axfr + message(soa(7), address, soa(8))
    yield "behind_the_end", axfr + message(soa(7), soa(7)) + message(address)
    yield "refused", axfr + message(flags=0x8405)
    yield "empty", axfr + message() * 20
    yield "half", axfr + message(soa(7), address)[:-3]
    yield "current", ixfr + message(soa(3), rtype=251)
    yield "changes", ixfr + message(soa(7), soa(3), address, soa(5), address, soa(5), soa(7), address, soa(7), rtype=251)
    yield "gap", ixfr + message(soa(7), soa(3), soa(5), soa(6), rtype=251)
    yield "fallback", ixfr + message(soa(7), address, soa(7), rtype=251)
    yield "unsigned", signed_axfr + message(soa(7)) + message(address) * 100


def faults():
    """A reply to www.example.com A, broken in one place each."""
    head = struct.pack("!6H", 0x1234, 0x8180, 1, 1, 0, 0) + query()[12:]
    rest = struct.pack("!HHIH", 1, 1, 300, 4) + b"\xc0\0\2\1"
    good = head + b"\xc0\x0c" + rest
    yield "good", good
    yield "question_spelled", head.replace(b"www", b"WwW") + b"\xc0\x0c" + rest
    yield "counts_lie", good[:7] + b"\7" + good[8:]
    yield "left_over", good + b"more"
    yield "half_a_question", head[:-2]
    yield "header", good[:11]
    yield "two_questions", good[:5] + b"\2" + good[6:]
    for kind, owner in (("itself", b"\xc0\x21"), ("header", b"\xc0\2"), ("forward", b"\xc0\x40"), ("label", b"\x40"), ("half", b"\xc0")):
        yield "pointer_" + kind, head + owner + rest
    yield "rdlength", head + b"\xc0\x0c" + rest[:9] + b"\xff" + rest[10:]
    yield "address_of_3", head + b"\xc0\x0c" + rest[:9] + b"\3" + rest[10:13]
    for kind, rtype, rdata in (("mx", 15, b"\0\1\xc0\x0c\0"), ("soa", 6, bytes(6)), ("cname", 5, b"\3www")):
        yield kind, head + record_of(b"\xc0\x0c", rtype, rdata)
    opt = struct.pack("!BHHIH", 0, 41, 1232, 0, 5)
    more = head[:6] + struct.pack("!3H", 0, 0, 1) + head[12:]
    yield "option", more + opt + b"\0\3\0\4\1"
    yield "opt_twice", more[:11] + b"\2" + more[12:] + (opt + b"\0\3\0\1\1") * 2
    yield "opt_as_answer", head + opt + b"\0\3\0\1\1"


def walks():
    """A zone, and what a server answers to who walks it (fuzz_walk.c). Those that are called real_ are of Knot DNS 3.2."""
    zone = name("example")

    def reply(asked, *records, flags=0x8400, authority=()):
        counts = struct.pack("!6H", 0x1234, flags, 1, len(records), len(authority), 0)
        return frame(counts + asked + struct.pack("!HH", 47, 1) + b"".join([*records, *authority]))

    def nsec(owner, to, types=b"\0\1\x40", rtype=47):
        return record_of(owner, rtype, to + types)

    a, b, cut = (name(one + ".example") for one in ("a", "b", "cut"))
    referral = record_of(b"\xc0\x0c", 2, b"\2ns\0")
    begin = reply(zone, nsec(zone, cut))
    yield "round", zone + reply(zone, nsec(zone, a)) + reply(a, nsec(a, b)) + reply(b, nsec(b, zone))
    yield "one_name", zone + reply(zone, nsec(zone, zone))
    yield "in_authority", zone + reply(zone, authority=[nsec(zone, a)])
    yield "back", b + reply(b, nsec(b, a))
    yield "nsec3", zone + reply(zone, authority=[nsec(zone, a, rtype=50)])
    yield "no_nsec", zone + reply(zone)
    yield "refused", zone + reply(zone, flags=0x8405)
    yield "elsewhere", zone + reply(zone, flags=0x8000, authority=[referral])
    yield "broken", zone + reply(zone, nsec(zone, b"\xc0\x0c"))
    yield "white_lies", zone + reply(zone, nsec(zone, b"\1\0" + zone))
    yield "white_lies_in_the_label", a + reply(a, nsec(a, b"\2a\0" + zone))
    behind = b"\4cut\0" + zone
    denial = reply(behind, flags=0x8403, authority=[nsec(cut, zone)])
    yield "cut", zone + begin + reply(cut, flags=0x8000, authority=[referral]) + denial
    yield "cut_has_nsec", zone + begin + reply(cut, flags=0x8000, authority=[referral, nsec(cut, name("d.example"))])
    yield "cut_has_the_child", zone + begin + reply(cut, nsec(cut, zone, b"\0\1\2")) + reply(behind, flags=0x8403)
    yield "cut_refers_again", zone + begin + 2 * reply(cut, flags=0x8000, authority=[referral])
    for kind, longest in (("nothing_is_behind", b"\xff" * 63), ("next_label", b"z" * 62 + b"@")):
        long = b"\x3f" + longest + zone
        yield kind, zone + reply(zone, nsec(zone, long)) + reply(long, flags=0x8000, authority=[referral])


def keys():
    """A first octet says what it is (fuzz_key.c). Those that are called after a program are of it."""
    words, file, private = b"\0", b"\1", b"\2"
    yield "words", words + b"k.example:c2VjcmV0"
    yield "words_with_algorithm", words + b"hmac-sha512:k.example:c2VjcmV0IQ=="
    yield "words_of_dots_and_colons", words + b"hmac-md5:k:\\000.example:c2VjcmU="
    yield "no_secret", words + b"k.example"
    yield "no_name", words + b"k..example:c2VjcmV0"
    yield "no_algorithm", words + b"hmac-sha3:k:c2VjcmV0"
    yield "no_base64", words + b"k:c2Vj=mV0"
    yield "empty_secret", words + b"k:"
    yield "bind_with_comments", file + b'/* a */ // b\n# c\nkey "x" ; key k {secret "c2VjcmV0";algorithm HMAC-MD5.SIG-ALG.REG.INT;};'
    yield "bind_without_end", file + b'key k { algorithm hmac-sha256; secret "c2Vj'
    yield "comment_without_end", file + b"key { /* k"
    yield "record", file + b"; a key\nk.example. 3600 IN KEY 512 3 163 c2Vj cmV0 ; its end\n"
    yield "record_cut_off", file + b"k.example. IN KEY 512 3 163"
    yield "nothing", file
    yield "zero", file + b"key k { algorithm\0hmac-sha256; }"
    yield "too_long", file + b"k. IN KEY 512 3 163 c2VjcmV0" + b" " * 16384
    yield "private", private + b"Private-key-format: v1.3\nAlgorithm: 165 (HMAC_SHA512)\nKey: c2VjcmV0\nBits: AAA=\n"
    yield "private_without_key", private + b"Private-key-format: v1.3\nAlgorithm: 8\nModulus: AAA=\n"


def write(target, name_, octets):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name_).write_bytes(octets)


def main():
    for target, texts in (("text", TEXT), ("uri", URI)):
        for n, text in enumerate(texts):
            write(target, f"{n:02}", text.encode())
    for n, (kind, text, name_) in enumerate(PATTERNS):
        write("pattern", f"{n:02}", bytes([kind]) + text.encode() + b"\0" + name(name_))
    for kind, options in EDNS.items():
        for size in (1200, 40, 61):
            write("edns", f"{kind}_{size}", struct.pack("!H", size) + options)
    for kind, octets in SVCB.items():
        write("svcb", kind, octets)
    for kind, octets in CONTROL.items():
        write("control", kind, b"\x03\x00\x05\x1f" + octets)
    for kind, octets in PROXY.items():
        write("proxy", kind, octets)
    for kind, octets in LISTS.items():
        write("lists", kind, bytes([FORMS.index(kind.partition("_")[0])]) + octets)
        write("lists", f"auto_{kind}", bytes([0]) + octets)
    for target, files in (("hosts", HOSTS), ("zone", ZONE)):
        for kind, text in files.items():
            write(target, kind, text.encode())
    for kind, octets in client_streams():
        write("client_stream", kind, b"\x00\x04\x1f\x01\xff\x0a\x02\x40" + octets)
    for kind, octets in hellos():
        write("hello", kind, octets)
    for kind, octets in relays():
        write("relay", kind, bytes(octets))
    for kind, octets in server_streams():
        write("server_stream", kind, b"\x00\x04\x1f\x01\xff\x0a\x02\x40" + octets)
    made = (("tsig", signed()), ("transfer", transfers()), ("check", faults()), ("walk", walks()), ("key", keys()))
    for target, seeds in made:
        for kind, octets in seeds:
            write(target, kind, octets)
    for kind, octets in tls_clients():
        write("tls_server", kind, b"\0" + octets)


if __name__ == "__main__":
    main()
