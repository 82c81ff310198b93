"""DNS messages as bytes, built by hand: what a library would refuse to build is what a test wants to send."""

import hashlib
import itertools
import random
import struct

QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010
DO = 0x8000
IN, CH, HS, NONE, ANY_CLASS = 1, 3, 4, 254, 255
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "NAPTR": 35,
    "DNAME": 39, "OPT": 41, "DS": 43, "RRSIG": 46, "SVCB": 64, "HTTPS": 65, "IXFR": 251, "AXFR": 252, "ANY": 255,
}
ECS, COOKIE, NSID, KEEPALIVE, PADDING, EDE = 8, 10, 3, 11, 12, 15

_numbers = itertools.count(1)


def unique_name(stem="x"):
    """A name that nothing else in this run asks for."""
    return f"{stem}-{next(_numbers)}-{random.getrandbits(32):08x}.t.test"


def type_number(qtype):
    return TYPES[qtype] if isinstance(qtype, str) else qtype


def wire_name(name):
    """'a.b.test' on the wire; bytes are taken as they are."""
    if isinstance(name, bytes):
        return name
    labels = [label.encode("latin-1") for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def name_of_length(octets):
    """A wire name of so many octets, its root label included."""
    name = b""
    while octets - 1 - len(name) > 0:
        room = octets - 1 - len(name)
        label = min(64, room) - 1
        if room - label - 1 == 1:  # a single octet left over could hold no label
            label -= 1
        name += bytes([label]) + b"n" * label
    return name + b"\0"


def header(id=0, flags=0, questions=0, answers=0, authority=0, additional=0):
    return struct.pack("!6H", id, flags, questions, answers, authority, additional)


def question(name, qtype="A", qclass=IN):
    return wire_name(name) + struct.pack("!HH", type_number(qtype), qclass)


def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def opt(size=1232, flags=0, version=0, rcode_high=0, options=b"", owner=b"\0"):
    ttl = rcode_high << 24 | version << 16 | flags
    return owner + struct.pack("!HHIH", TYPES["OPT"], size, ttl, len(options)) + options


def record(rtype, rdata, ttl=300, owner=b"\xc0\x0c", rclass=IN):
    return wire_name(owner) + struct.pack("!HHIH", type_number(rtype), rclass, ttl, len(rdata)) + rdata


def query(name, qtype="A", *, id=None, flags=RD, qclass=IN, edns=None, trailing=b""):
    """A query; edns is the bytes of an OPT record, from opt()."""
    id = random.getrandbits(16) if id is None else id
    return (
        header(id, flags, 1, additional=1 if edns else 0) + question(name, qtype, qclass) + (edns or b"") + trailing
    )


def frame(message):
    return struct.pack("!H", len(message)) + message


class Asked:
    """What a well-formed query says; `edns` is None or the OPT record's parts."""

    def __init__(self, wire):
        self.wire = wire
        self.id, self.flags, self.counts = struct.unpack_from("!HH", wire)[0], struct.unpack_from("!HH", wire)[1], None
        self.counts = struct.unpack_from("!4H", wire, 4)
        at = 12
        while wire[at]:
            at += 1 + wire[at]
        self.owner = wire[12 : at + 1]
        self.type, self.qclass = struct.unpack_from("!HH", wire, at + 1)
        self.end = at + 5
        self.question = wire[12 : self.end]
        self.name = text_name(self.owner)
        self.edns = Edns(wire[self.end :]) if self.counts[3] else None


class Edns:
    """The OPT record at the start of these bytes; its owner must be the root."""

    def __init__(self, wire):
        owner, rtype, self.size, self.rcode_high, self.version, self.flags, length = struct.unpack_from(
            "!BHHBBHH", wire
        )
        assert (owner, rtype) == (0, TYPES["OPT"]), "not an OPT record"
        self.options, at = [], 11
        while at < 11 + length:
            code, size = struct.unpack_from("!HH", wire, at)
            self.options.append((code, wire[at + 4 : at + 4 + size]))
            at += 4 + size

    def codes(self):
        return [code for code, _ in self.options]


def text_name(owner):
    """A wire name as lower-case text, for rules and logs."""
    labels, at = [], 0
    while owner[at]:
        labels.append(owner[at + 1 : at + 1 + owner[at]].decode("latin-1"))
        at += 1 + owner[at]
    return ".".join(labels).lower()


def reply(
    asked, answers=(), authority=(), additional=(), *, rcode=NOERROR, flags=0, id=None, question=None, edns=None,
    ttl_of_opt=None, counts=None,
):
    """The bytes of a reply to `asked`: with an OPT record if the query had one, unless `edns` gives another
    (b"" for none)."""
    if edns is None:
        edns = opt(rcode_high=rcode >> 4) if asked.edns else b""
    extra = list(additional) + ([edns] if edns else [])
    counts = counts or (1, len(answers), len(authority), len(extra))
    head = struct.pack(
        "!HH4H", asked.id if id is None else id, QR | RA | asked.flags & (RD | CD) | flags | rcode & 15, *counts
    )
    body = asked.question if question is None else question
    return head + body + b"".join(answers) + b"".join(authority) + b"".join(extra)


def digest(name):
    """16 octets that belong to a name and to no other."""
    return hashlib.sha256(name.lower().encode("latin-1")).digest()[:16]


def address_of(name):
    """The A record that the scripted upstream gives to a name: a mixed-up answer betrays itself."""
    return "10." + ".".join(str(octet) for octet in digest(name)[:3])


def derived_records(asked):
    octets = digest(asked.name)
    rdata = {
        TYPES["A"]: bytes([10]) + octets[:3],
        TYPES["AAAA"]: b"\xfd" + octets[:15],
        TYPES["TXT"]: bytes([32]) + octets.hex().encode(),
    }.get(asked.type)
    return [record(asked.type, rdata)] if rdata else []


SOA = b"\0\0" + struct.pack("!5I", 1, 3600, 600, 86400, 60)


def derived(asked, **how):
    """The answer that follows from the question alone."""
    records = derived_records(asked)
    return reply(asked, records, [] if records else [record("SOA", SOA, owner=b"\0")], **how)


def texts(octets):
    """TXT records (one RRset) so that the records alone fill exactly this many octets."""
    out, left = [], octets
    while left:
        size = min(left, 12 + 1 + 255)
        if 0 < left - size < 13:  # the next record needs its 13 octets
            size -= 13
        out.append(record("TXT", bytes([size - 13]) + b"t" * (size - 13)))
        left -= size
    return out


def sized(asked, octets):
    """A reply without OPT of exactly this many octets."""
    return reply(asked, texts(octets - 12 - len(asked.question)), edns=b"")
