"""A TLS 1.3 record of our own making: what a TLS library would not send."""

import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

ALERT, APPLICATION_DATA = 21, 23
WARNINGS = (0, 90)  # close_notify and user_canceled; all other alerts are fatal (RFC 8446 section 6)
CIPHERS = {
    "TLS_AES_128_GCM_SHA256": (AESGCM, 16, hashes.SHA256()),
    "TLS_AES_256_GCM_SHA384": (AESGCM, 32, hashes.SHA384()),
    "TLS_CHACHA20_POLY1305_SHA256": (ChaCha20Poly1305, 32, hashes.SHA256()),
}


def alert(number):
    return bytes([1 if number in WARNINGS else 2, number])


def bare(content_type, content):
    return struct.pack("!BHH", content_type, 0x0303, len(content)) + content


def encrypted(content_type, content, cipher, secret, sequence):
    """A record under a traffic secret, the sequence-th under it (RFC 8446 section 5.2)."""
    aead, key_size, hash_ = CIPHERS[cipher]
    key, iv = _expand(secret, b"key", key_size, hash_), _expand(secret, b"iv", 12, hash_)
    nonce = (int.from_bytes(iv, "big") ^ sequence).to_bytes(12, "big")
    inner = content + bytes([content_type])
    head = struct.pack("!BHH", APPLICATION_DATA, 0x0303, len(inner) + 16)
    return head + aead(key).encrypt(nonce, inner, head)


def count(octets):
    """How many whole records these are."""
    records, at = 0, 0
    while at < len(octets):
        at += 5 + int.from_bytes(octets[at + 3 : at + 5], "big")
        records += 1
    return records


def server_secret(key_log, client_random):
    """The secret of what the server sends after the handshake, from the lines of an SSLKEYLOGFILE."""
    for line in key_log.splitlines():
        if line.startswith(f"SERVER_TRAFFIC_SECRET_0 {client_random.hex()} "):
            return bytes.fromhex(line.split()[2])
    raise LookupError("no secret is logged for this connection")


def _expand(secret, label, length, hash_):
    label = b"tls13 " + label
    info = struct.pack("!HB", length, len(label)) + label + b"\0"
    return HKDFExpand(hash_, length, info).derive(secret)
