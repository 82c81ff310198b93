"""More than a thousand different replies as servers send them, the same ones in every run.

Each is a Case: a question, and the reply to it as bytes.
"""

import random
import struct

from . import messages
from .cached import error
from .messages import AD, NOERROR, NXDOMAIN, opt, wire_name
from .reader import NAMES_IN, parts_of

# The types that ldns 1.8 knows, by number, but for those that are no data: OPT, IXFR, AXFR, ANY.
LDNS_TYPES = [
    *range(1, 41), *range(42, 54), *range(55, 66), *range(99, 110), *range(256, 261), 32768, 32769,
    65324, 65325,
]
CNAME, SOA, TXT, RRSIG, NSEC, NSEC3 = 5, 6, 16, 46, 47, 50
PLAIN_TYPES = [number for number in LDNS_TYPES if number not in (CNAME, RRSIG, NSEC, NSEC3)]
NEVER_COMPRESSED = {36: "2N", 39: "N", 46: "18N*", 47: "N*", 107: "2N"}  # names all the same
COMPRESSED = {number for number in NAMES_IN if number < 17}  # as senders do today (RFC 3597 section 4)


class Writer:
    """A message that grows; names are compressed as `style` says: none, owners, all, suffixes."""

    def __init__(self, question, style):
        self.octets, self.style = bytearray(12) + question, style
        self.counts = [1, 0, 0, 0]
        self._places = {}
        self._note(question[:-4], 12)

    def _note(self, name, at):
        while name[0] and at < 0x4000:
            self._places.setdefault(name.lower(), at)
            at += 1 + name[0]
            name = name[1 + name[0] :]

    def name(self, name, compressed):
        """The name as written here and now."""
        out, at, rest = b"", len(self.octets), name
        while compressed and rest[0]:
            if rest.lower() in self._places:
                out += struct.pack("!H", 0xC000 | self._places[rest.lower()])
                break
            out += rest[: 1 + rest[0]]
            rest = rest[1 + rest[0] :]
        else:
            out += rest
        # Only what is written out here can be pointed to.
        while len(name) > len(rest) and at < 0x4000:
            self._places.setdefault(name.lower(), at)
            at += 1 + name[0]
            name = name[1 + name[0] :]
        if not compressed:
            self._note(rest, at)
        return out

    def record(self, section, owner, rtype, ttl, rdata, rclass=1):
        """rdata: a list of names (bytes in a tuple) and octets."""
        self.octets += self.name(owner, self.style != "none")
        head = len(self.octets)
        self.octets += struct.pack("!HHIH", rtype, rclass, ttl, 0)
        compressed = self.style == "suffixes" and rtype in NAMES_IN or self.style == "all" and rtype in COMPRESSED
        for part in rdata:
            self.octets += self.name(part[0], compressed) if isinstance(part, tuple) else part
        self.octets[head + 8 : head + 10] = struct.pack("!H", len(self.octets) - head - 10)
        self.counts[section] += 1

    def raw(self, section, octets):
        self.octets += octets
        self.counts[section] += 1

    def message(self, asked, rcode=NOERROR, flags=0):
        head = messages.QR | messages.RA | asked.flags & (messages.RD | messages.CD) | flags | rcode & 15
        return struct.pack("!HH4H", asked.id, head, *self.counts) + bytes(self.octets[12:])


class Case:
    """kept: True, False, or None where it is not for this corpus to say. failure: an rcode that is remembered."""

    def __init__(self, number, what, qtype, build, kept=True, failure=False, rcode=NOERROR):
        self.number, self.what, self.qtype, self.kept, self.failure, self.rcode = (
            number, what, qtype, kept, failure, rcode,
        )
        self.name = wire_name(f"case-{number}.corpus.test")
        self._build = build

    def reply(self, asked):
        """The same records each time, for who sets DO and who does not."""
        rng = random.Random(self.number)
        return self._build(self, asked, rng)

    def __repr__(self):
        return f"case {self.number}, {self.what}"


STYLES = ["none", "owners", "all", "suffixes"]


def some_name(rng, zone):
    octets = b"abcdefghijklmnopqrstuvwxyz0123456789-_"
    labels = [bytes(rng.choices(octets, k=rng.randint(1, 12))) for _ in range(rng.randint(0, 3))]
    return b"".join(bytes([len(label)]) + label for label in labels) + zone


def some_rdata(rng, rtype, zone):
    """RDATA of the form that the type asks for, as far as names go; of A and AAAA also the length."""
    shape = NAMES_IN.get(rtype) or NEVER_COMPRESSED.get(rtype) or {1: "4", 28: "16", 16: "S", 99: "S"}.get(rtype)
    if not shape:
        return [rng.randbytes(rng.choice([0, 1, 2, 7, 20, 64, 255]))]
    rdata = []
    for part in parts_of(shape):
        if part == "N":
            rdata.append((some_name(rng, zone),))
        elif part == "S":
            size = rng.randint(0, 40)
            rdata.append(bytes([size]) + rng.randbytes(size))
        else:
            rdata.append(rng.randbytes(rng.randint(1, 60) if part == "*" else part))
    return rdata


def soa_rdata(rng, zone, minimum=3000):
    numbers = struct.pack("!5I", rng.getrandbits(32), 3600, 600, 86400, minimum)
    return [(some_name(rng, zone),), (some_name(rng, zone),), numbers]


def signature(rng, covered, zone):
    return [struct.pack("!HBBIIIH", covered, 13, 3, 3600, 2**31, 2**30, 4711), (zone,), rng.randbytes(64)]


def finish(w, asked, rcode=NOERROR, flags=0, options=b""):
    if asked.edns:
        w.raw(3, opt(1232, flags=asked.edns.flags & messages.DO, rcode_high=rcode >> 4, options=options))
    return w.message(asked, rcode, flags)


ZONE = wire_name("corpus.test")


def of_type(style, count):
    """Records of the type that is asked for."""

    def build(case, asked, rng):
        w = Writer(asked.question, style)
        for _ in range(count):
            w.record(1, asked.owner, case.qtype, 3600, some_rdata(rng, case.qtype, ZONE))
        for _ in range(rng.randint(0, 2)):
            w.record(2, ZONE, 2, 7200, [(some_name(rng, ZONE),)])
        for _ in range(rng.randint(0, 2)):
            kind = rng.choice([1, 28])
            w.record(3, some_name(rng, ZONE), kind, 1800, some_rdata(rng, kind, ZONE))
        return finish(w, asked)

    return build


def chain(style, length, end):
    """Aliases, and at the end an address, nothing of the type, or no name."""

    def build(case, asked, rng):
        w = Writer(asked.question, style)
        owner = asked.owner
        for at in range(length):
            link = bytes([2]) + b"%02d" % at  # no name is an alias twice
            target = link + some_name(rng, ZONE if rng.random() < 0.5 else owner[1 + owner[0] :])
            w.record(1, owner, CNAME, rng.randint(600, 90000), [(target,)])
            owner = target
        if end == "address":
            w.record(1, owner, case.qtype, 3600, some_rdata(rng, case.qtype, ZONE))
        else:
            w.record(2, ZONE, SOA, 3600, soa_rdata(rng, ZONE))
        return finish(w, asked, NXDOMAIN if end == "no name" else NOERROR)

    return build


def negative(style, rcode, with_soa, proof=False):
    def build(case, asked, rng):
        w = Writer(asked.question, style)
        do = asked.edns and asked.edns.flags & messages.DO
        if with_soa:
            w.record(2, ZONE, SOA, rng.randint(600, 100000), soa_rdata(rng, ZONE, rng.randint(600, 100000)))
            if do and proof:
                w.record(2, ZONE, RRSIG, 3600, signature(rng, SOA, ZONE))
        for _ in range(rng.randint(1, 3) if do and proof else 0):
            kind = rng.choice([NSEC, NSEC3])
            owner = some_name(rng, ZONE)
            w.record(2, owner, kind, 3600, some_rdata(rng, kind, ZONE))
            w.record(2, owner, RRSIG, 3600, signature(rng, kind, ZONE))
        if not with_soa and rng.random() < 0.5:
            w.record(2, ZONE, 2, 3600, [(some_name(rng, ZONE),)])
        return finish(w, asked, rcode, AD if proof else 0)

    return build


def signed(style, qtype_count):
    def build(case, asked, rng):
        w = Writer(asked.question, style)
        do = asked.edns and asked.edns.flags & messages.DO
        for _ in range(qtype_count):
            w.record(1, asked.owner, case.qtype, 3600, some_rdata(rng, case.qtype, ZONE))
        if do:
            w.record(1, asked.owner, RRSIG, 3600, signature(rng, case.qtype, ZONE))
        w.record(2, ZONE, 2, 3600, [(some_name(rng, ZONE),)])
        if do:
            w.record(2, ZONE, RRSIG, 3600, signature(rng, 2, ZONE))
        return finish(w, asked, NOERROR, AD)

    return build


def failing(rcode, errors):
    def build(case, asked, rng):
        w = Writer(asked.question, "none")
        if rng.random() < 0.3:
            w.record(2, ZONE, SOA, 3600, soa_rdata(rng, ZONE))
        options = b"".join(error(code, text) for code, text in errors)
        return finish(w, asked, rcode, 0, options)

    return build


def times(style, ttls):
    """One RRset whose records differ in TTL, between others."""

    def build(case, asked, rng):
        w = Writer(asked.question, style)
        for ttl in ttls:
            w.record(1, asked.owner, 1, ttl, [rng.randbytes(4)])
        w.record(2, ZONE, 2, rng.randint(600, 10**6), [(some_name(rng, ZONE),)])
        w.record(2, ZONE, 2, rng.randint(600, 10**6), [(some_name(rng, ZONE),)])
        return finish(w, asked)

    return build


def opt_between(style, before, behind):
    """OPT is not the last of the additional records, and those behind it point to each other."""

    def build(case, asked, rng):
        w = Writer(asked.question, style)
        w.record(1, asked.owner, case.qtype, 3600, some_rdata(rng, case.qtype, ZONE))
        servers = [some_name(rng, ZONE) for _ in range(before + behind)]
        for server in servers:
            w.record(2, ZONE, 2, 3600, [(server,)])
        for at, server in enumerate(servers):
            if at == before and asked.edns:
                w.raw(3, opt(4096, flags=asked.edns.flags & messages.DO, options=error(18, b"between")))
            kind = rng.choice([1, 28, 15, 33, 6, 14, 99])
            w.record(3, server, kind, 3600, some_rdata(rng, kind, ZONE if at < before else wire_name("behind.test")))
        return w.message(asked)

    return build


def with_errors(errors):
    def build(case, asked, rng):
        w = Writer(asked.question, "owners")
        w.record(1, asked.owner, 1, 3600, [rng.randbytes(4)])
        options = b"".join(error(code, text) for code, text in errors)
        options += messages.option(messages.PADDING, bytes(rng.randint(0, 64)))
        return finish(w, asked, options=options)

    return build


def large(octets):
    def build(case, asked, rng):
        return messages.sized(asked, octets)

    return build


def many_records(style, count):
    def build(case, asked, rng):
        w = Writer(asked.question, style)
        for _ in range(count):
            w.record(1, asked.owner, 15, 3600, [rng.randbytes(2), (some_name(rng, ZONE),)])
        return finish(w, asked)

    return build


def into_rdata(case, asked, rng):
    """Owners that point into the text of a record before them, which is a name to who reads it so."""
    w = Writer(asked.question, "owners")
    w.record(1, asked.owner, TXT, 3600, [])
    del w.octets[-2:]
    hidden = len(w.octets) + 3
    text = b"\4text" + ZONE
    w.octets += struct.pack("!HB", 1 + len(text), len(text)) + text
    w.raw(3, struct.pack("!HHHIH", 0xC000 | hidden, 1, 1, 3600, 4) + rng.randbytes(4))
    w.raw(3, struct.pack("!HHHIHHH", 0xC00C, 15, 1, 3600, 4, 10, 0xC000 | hidden))
    return finish(w, asked)


def truncated(style):
    def build(case, asked, rng):
        w = Writer(asked.question, style)
        for _ in range(rng.randint(0, 2)):
            w.record(1, asked.owner, 1, 3600, [rng.randbytes(4)])
        return finish(w, asked, flags=messages.TC)

    return build


def mixture(case, asked, rng):
    """Anything that has a place in a message; the records of an RRset together."""
    w = Writer(asked.question, rng.choice(STYLES))
    w.record(1, asked.owner, case.qtype, rng.randint(600, 10**6), some_rdata(rng, case.qtype, ZONE))
    if asked.edns and asked.edns.flags & messages.DO:
        w.record(1, asked.owner, RRSIG, 700, signature(rng, case.qtype, ZONE))
    seen = {(asked.owner, case.qtype)}
    for section in (1, 2, 3):
        for _ in range(rng.randint(0, 5)):
            owner = asked.owner if rng.random() < 0.4 else some_name(rng, ZONE)
            rtype = rng.choice([*PLAIN_TYPES, rng.randint(262, 65000)])
            if (owner, rtype) not in seen:
                for _ in range(rng.randint(1, 3)):
                    w.record(section, owner, rtype, rng.randint(600, 10**6), some_rdata(rng, rtype, ZONE))
            seen.add((owner, rtype))
    return finish(w, asked, flags=rng.choice([0, 0, AD, messages.AA]))


class Corpus:
    def __init__(self, seed=20):
        self.cases = []
        rng = random.Random(seed)
        for what, fill in (
            ("a type that is known", self._types), ("a type that nobody knows", self._unknown),
            ("aliases", self._chains), ("what is not there", self._negatives), ("signed", self._signed),
            ("a failure", self._failures), ("TTLs that differ", self._times), ("OPT in between", self._opts),
            ("extended errors", self._errors), ("large", self._large), ("truncated", self._truncated),
            ("pointers into RDATA", self._pointers), ("a mixture", self._mixtures),
        ):
            self._what = what
            fill(rng)

    def add(self, qtype, build, **facts):
        self.cases.append(Case(len(self.cases), self._what, qtype, build, **facts))

    def __call__(self, query):
        """As a behaviour of an upstream."""
        label = query.asked.name.split(".")[0]
        query.send(self.cases[int(label.split("-")[1])].reply(query.asked))

    def _types(self, rng):
        for qtype in LDNS_TYPES:
            for style in STYLES[:4] if qtype in NAMES_IN else STYLES[:2]:
                self.add(qtype, of_type(style, rng.randint(1, 4)))

    def _unknown(self, rng):
        for qtype in rng.sample(range(262, 32768), 50) + rng.sample(range(32770, 65000), 50):
            self.add(qtype, of_type(rng.choice(STYLES), rng.randint(1, 4)))

    def _chains(self, rng):
        for length in (1, 2, 3, 5, 8):
            for style in STYLES:
                for end in ("address", "no type", "no name"):
                    rcode = NXDOMAIN if end == "no name" else NOERROR
                    self.add(rng.choice([1, 28, 15]), chain(style, length, end), rcode=rcode)

    def _negatives(self, rng):
        for style in STYLES:
            for rcode in (NOERROR, NXDOMAIN):
                for with_soa in (True, False):
                    for proof in (True, False):
                        for _ in range(4):
                            qtype = rng.choice([1, 28, 15, 16, 65, 65280])
                            self.add(qtype, negative(style, rcode, with_soa, proof), kept=with_soa, rcode=rcode)

    def _signed(self, rng):
        for style in STYLES:
            for qtype in (1, 2, 6, 15, 16, 28, 33, 43, 48, 52, 257, 65281):
                self.add(qtype, signed(style, rng.randint(1, 4)))

    def _failures(self, rng):
        texts = [(), ((22, b""),), ((6, b"signature expired"), (22, b"")), ((0, "\u00e4".encode() * 80),)]
        for rcode in (1, 2, *range(4, 24), 3841, 4095):
            for errors in texts[:2] if rcode > 5 else texts:
                self.add(1, failing(rcode, errors), kept=False, failure=True, rcode=rcode)

    def _times(self, rng):
        for style in STYLES:
            for _ in range(12):
                self.add(1, times(style, [rng.randint(600, 10**6) for _ in range(rng.randint(2, 6))]))
            for odd in (0, 0x80000000, 0xFFFFFFFF):
                self.add(1, times(style, [3600, odd, 7200]), kept=False)
            self.add(1, times(style, [0x7FFFFFFF, 0x7FFFFFFF]))

    def _opts(self, rng):
        for style in STYLES:
            for before, behind in ((0, 1), (0, 3), (1, 1), (2, 2), (3, 1)):
                for qtype in (1, 15, 33, 16):
                    self.add(qtype, opt_between(style, before, behind))

    def _errors(self, rng):
        for count in (1, 2, 3, 4, 5, 8):
            for size in (0, 1, 20, 127, 128, 129, 300):
                codes = rng.choices([0, 3, 4, 15, 18, 29, 65535], k=count)
                self.add(1, with_errors([(code, b"e" * size) for code in codes]))
        self.add(1, with_errors([(15, "\u20ac".encode() * 50)]))

    def _large(self, rng):
        edges = [size + by for size in (512, 1232, 4096) for by in (-12, -11, -10, -1, 0, 1)]
        for octets in (*edges, 400, 800, 2000, 3000, 5000, 9000, 16384, 20000, 32768, 40000, 50000, 60000):
            self.add(TXT, large(octets))
        for octets in (64000, 65000, 65500, 65524, 65535):
            self.add(TXT, large(octets), kept=None)
        for style in STYLES:
            for count in (20, 40, 100, 500):
                self.add(15, many_records(style, count))

    def _truncated(self, rng):
        for style in STYLES * 2:
            self.add(1, truncated(style), kept=False)

    def _pointers(self, rng):
        for _ in range(8):
            self.add(TXT, into_rdata)

    def _mixtures(self, rng):
        for _ in range(300):
            self.add(rng.choice([1, 2, 12, 15, 16, 28, 33, 35, 43, 64, 65, 257, 65282]), mixture)
