"""Reads a message whole, by the tables of the RFCs and not by those of the program under test."""

import struct

from .messages import TYPES

# RDATA that holds names which may be compressed (RFC 3597 section 4; RFC 1035): a letter for each part, N a name, S a
# character string, digits so many octets, * the rest.
NAMES_IN = {
    2: "N", 3: "N", 4: "N", 5: "N", 6: "NN20", 7: "N", 8: "N", 9: "N", 12: "N", 14: "NN", 15: "2N", 17: "NN", 18: "2N",
    21: "2N", 24: "18N*", 26: "2NN", 30: "N*", 33: "6N", 35: "4SSSN",
}


def parts_of(shape):
    at = 0
    while at < len(shape):
        end = at + 1
        while shape[at].isdigit() and end < len(shape) and shape[end].isdigit():
            end += 1
        yield int(shape[at:end]) if shape[at].isdigit() else shape[at]
        at = end


class Item:
    """A record as a reader sees it, all names of it written out in lower case."""

    def __init__(self, section, owner, rtype, rclass, ttl, rdata, ttl_at):
        self.section, self.owner, self.rtype, self.rclass, self.ttl, self.rdata, self.ttl_at = (
            section, owner, rtype, rclass, ttl, rdata, ttl_at,
        )
        self.says = (section, owner, rtype, rclass, rdata)
        self.rrset = (section, owner, rtype, rclass)


def read_name(wire, at):
    """(the name written out, in lower case; where it ends)"""
    out, end = [], None
    while wire[at]:
        if wire[at] >= 0xC0:
            end = end or at + 2
            target = (wire[at] & 0x3F) << 8 | wire[at + 1]
            assert target < at, "a pointer forward"
            at = target
            continue
        assert wire[at] < 64
        out.append(wire[at : at + 1 + wire[at]])
        at += 1 + wire[at]
    name = b"".join(out) + b"\0"
    assert len(name) <= 255
    return name.lower(), end or at + 1


def read_rdata(wire, at, end, rtype):
    shape = NAMES_IN.get(rtype)
    if not shape or at == end:
        return wire[at:end]
    out = b""
    for part in parts_of(shape):
        if part == "N":
            name, at = read_name(wire, at)
            out += name
        else:
            size = 1 + wire[at] if part == "S" else end - at if part == "*" else part
            out += wire[at : at + size]
            at += size
    assert at == end, "octets left over in RDATA"
    return out


def read(wire):
    """All records of a message but OPT; an octet too many or too few is an error."""
    counts = struct.unpack_from("!4H", wire, 4)
    _, at = read_name(wire, 12)
    at += 4
    items = []
    for section in (1, 2, 3):
        for _ in range(counts[section]):
            owner, at = read_name(wire, at)
            rtype, rclass, ttl, size = struct.unpack_from("!HHIH", wire, at)
            end = at + 10 + size
            if rtype != TYPES["OPT"]:
                items.append(Item(section, owner, rtype, rclass, ttl, read_rdata(wire, at + 10, end, rtype), at + 4))
            at = end
    assert at == len(wire), "octets left over"
    return items
