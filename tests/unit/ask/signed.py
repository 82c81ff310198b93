#!/usr/bin/env python3
"""Writes signed.h: messages that dnspython has signed (RFC 8945), for tsig_test.c."""
import pathlib
import struct

import dns.message
import dns.name
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.rrset
import dns.tsig

NOW = 1700000000
SECRET = bytes(range(32))
ALGORITHMS = ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"]
KEY = "Key.example."


def key_of(algorithm):
    host = dns.tsig.HMAC_MD5 if algorithm == "hmac-md5" else dns.name.from_text(algorithm)
    return dns.tsig.Key(KEY, SECRET, host)


def question():
    message = dns.message.make_query("www.example.", "A", id=0x1234)
    return message.to_wire()


def reply(n=1):
    message = dns.message.make_response(dns.message.from_wire(question()))
    message.answer.append(dns.rrset.from_text("www.example.", 300, "IN", "A", f"192.0.2.{n}"))
    return message.to_wire()


def rdata_of(key, error=0, other=b"", ident=0x1234):
    return dns.rdtypes.ANY.TSIG.TSIG(
        dns.rdataclass.ANY, dns.rdatatype.TSIG, key.algorithm, NOW, 300, b"", ident, error, other)


def with_record(wire, key, rdata):
    record = key.name.to_wire() + struct.pack("!HHIH", 250, 255, 0, len(rdata.to_wire())) + rdata.to_wire()
    count = struct.unpack("!H", wire[10:12])[0] + 1
    return wire[:10] + struct.pack("!H", count) + wire[12:] + record


def sign(wire, key, request_mac=b"", ctx=None, multi=False, now=NOW, **rdata):
    signed, ctx = dns.tsig.sign(wire, key, rdata_of(key, **rdata), now, request_mac, ctx, multi)
    return with_record(wire, key, signed), signed.mac, ctx


def forwarded(wire):
    """As a forwarder gives it on: under another ID."""
    return b"\x43\x21" + wire[2:]


def show(out, name, messages):
    lines = ",\n".join('\t"' + '"\n\t"'.join(m.hex()[at:at + 88] for at in range(0, 2 * len(m), 88)) + '"' for m in messages)
    out.append(f"static const char *const {name}[] = {{\n{lines},\n}};\n")


def main():
    out = ["/* Written by signed.py: messages that dnspython has signed, in hexadecimal. */", "#ifndef SIGNED_H", "#define SIGNED_H", ""]
    questions, replies = [], []
    for algorithm in ALGORITHMS:
        key = key_of(algorithm)
        wire, mac, _ = sign(question(), key)
        questions.append(wire)
        replies.append(sign(reply(), key, mac)[0])
    show(out, "questions", questions)
    show(out, "replies", replies)

    key = key_of("hmac-sha256")
    mac = sign(question(), key)[1]
    stream, ctx = [], None
    for n in range(1, 6):  # the second and the third are not signed
        if n in (2, 3):
            stream.append(reply(n))
            ctx.update(stream[-1])
            continue
        wire, mac, ctx = sign(reply(n), key, mac, ctx, True)
        stream.append(wire)
    show(out, "stream", stream)

    mac = sign(question(), key)[1]
    theirs = struct.pack("!HI", 0, NOW + 1000)
    show(out, "badtime", [sign(reply(), key, mac, error=18, other=theirs)[0]])
    show(out, "badkey", [with_record(reply(), key, rdata_of(key, error=17)), with_record(reply(), key, rdata_of(key, error=16))])
    wire = sign(reply(), key, mac)[0]
    show(out, "renumbered", [forwarded(wire)])
    full, _ = dns.tsig.sign(reply(), key, rdata_of(key), NOW, mac)
    show(out, "cut_mac", [with_record(reply(), key, full.replace(mac=full.mac[:16]))])
    show(out, "other_key", [sign(reply(), dns.tsig.Key("other.example.", SECRET, key.algorithm), mac)[0]])
    out += ["#endif", ""]
    (pathlib.Path(__file__).parent / "signed.h").write_text("\n".join(out))


if __name__ == "__main__":
    main()
