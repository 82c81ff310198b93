"""What a client says first, read from the octets that reached an upstream."""

import struct

SESSION_TICKET, PRE_SHARED_KEY = 35, 41


def client_hello(connection):
    """The extensions of the ClientHello: number to octets."""
    octets = bytes(connection.received)
    at = 5 + 4 + 2 + 32
    at += 1 + octets[at]
    at += 2 + int.from_bytes(octets[at : at + 2], "big")
    at += 1 + octets[at]
    end = at + 2 + int.from_bytes(octets[at : at + 2], "big")
    at += 2
    extensions = {}
    while at < end:
        extension, size = struct.unpack_from("!HH", octets, at)
        extensions[extension] = octets[at + 4 : at + 4 + size]
        at += 4 + size
    return extensions


def offers_session(connection):
    """The ticket that a ClientHello offers, of TLS 1.3 or older; None if it offers none."""
    extensions = client_hello(connection)
    if offer := extensions.get(PRE_SHARED_KEY):
        return offer[4 : 4 + int.from_bytes(offer[2:4], "big")]
    return extensions.get(SESSION_TICKET) or None
