"""Reads capture files (the classic pcap format, of raw IP packets) by what is written down of that format, and not by our program."""

import collections
import ipaddress
import struct

Packet = collections.namedtuple("Packet", "time source destination ports message")
MAGIC, RAW, UDP = 0xA1B2C3D4, 101, 17


def _sum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _packet(when, ip):
    if ip[0] >> 4 == 4:
        assert ip[0] == 0x45 and _sum(ip[:20]) == 0xFFFF and struct.unpack_from("!H", ip, 2)[0] == len(ip)
        protocol, hosts, udp = ip[9], ip[12:20], ip[20:]
    else:
        assert ip[0] >> 4 == 6 and struct.unpack_from("!H", ip, 4)[0] == len(ip) - 40
        protocol, hosts, udp = ip[6], ip[8:40], ip[40:]
    source_port, port, length, checksum = struct.unpack_from("!4H", udp)
    assert (protocol, length) == (UDP, len(udp)) and checksum
    assert _sum(hosts + struct.pack("!HH", UDP, len(udp)) + udp) == 0xFFFF
    source, destination = (str(ipaddress.ip_address(half)) for half in (hosts[: len(hosts) // 2], hosts[len(hosts) // 2 :]))
    return Packet(when, source, destination, (source_port, port), udp[8:])


def read(octets):
    """The packets of a file, which must be whole; an AssertionError says that it is not."""
    order = ">" if struct.unpack_from(">I", octets)[0] == MAGIC else "<"
    magic, major, minor, _, _, snaplen, network = struct.unpack_from(order + "IHHiIII", octets)
    assert (magic, major, minor, network) == (MAGIC, 2, 4, RAW)
    packets, at = [], 24
    while at < len(octets):
        seconds, microseconds, kept, whole = struct.unpack_from(order + "4I", octets, at)
        assert kept <= whole and kept <= snaplen and at + 16 + kept <= len(octets), "a record is torn"
        packets.append(_packet(seconds + microseconds / 1e6, octets[at + 16 : at + 16 + kept]))
        at += 16 + kept
    return packets
