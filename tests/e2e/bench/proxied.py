"""PROXY headers, as a load balancer puts them in front of what it passes on (HAProxy's proxy-protocol.txt)."""

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
STREAM, DATAGRAM = 1, 2


def block(command, family, addresses, tlvs=b""):
    """Version 2, whatever it says."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(addresses + tlvs)) + addresses + tlvs


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def v2(client, server="203.0.113.1", transport=DATAGRAM, tlvs=b""):
    """Version 2: for this client."""
    ends = [ipaddress.ip_address(text) for text in (client, server)]
    family = 1 if ends[0].version == 4 else 2
    return block(PROXY, family << 4 | transport, ends[0].packed + ends[1].packed + struct.pack("!2H", 40000, 53), tlvs)


def v1(client, server="203.0.113.1"):
    """Version 1: for this client."""
    version = ipaddress.ip_address(client).version
    return f"PROXY TCP{version} {client} {server} 40000 53\r\n".encode()


LOCAL_V2 = block(LOCAL, 0, b"")
UNSPEC_V2 = block(PROXY, 0, b"")
UNIX_V2 = block(PROXY, 0x31, bytes(216))
UNKNOWN_V1 = b"PROXY UNKNOWN\r\n"
NOBODY = {"local": LOCAL_V2, "unspec": UNSPEC_V2, "unix": UNIX_V2}
