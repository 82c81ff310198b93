"""A throw-away certificate authority: every certificate a server may show, right and wrong."""

import base64
import datetime
import fcntl
import hashlib
import ipaddress
import itertools
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "upstream.test"
DAY = datetime.timedelta(days=1)


class Certificate:
    """Files for a server: the chain, the key; and the pin of its public key."""

    def __init__(self, chain, key, pin):
        self.chain, self.key, self.pin = chain, key, pin


class Authority:
    def __init__(self, directory, name="sotto test authority"):
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self._serial = itertools.count(1)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        self._certificate = (
            x509.CertificateBuilder(self._subject, self._subject, self._key.public_key(), 1, now - DAY, now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.file = self._write("ca", _pem(self._certificate))

    def issue(self, names=(NAME,), addresses=(), begin=-1, end=30, common_name=NAME, self_signed=False, usage=None):
        """A certificate valid from `begin` to `end`, in days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        issuer, signer = (subject, key) if self_signed else (self._subject, self._key)
        now = datetime.datetime.now(datetime.timezone.utc)
        alternatives = [x509.DNSName(n) for n in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(a)) for a in addresses]
        serial = next(self._serial) + 1
        builder = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), serial, now + begin * DAY, now + end * DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage or ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        certificate = builder.sign(signer, hashes.SHA256())
        chain = _pem(certificate) if self_signed else _pem(certificate) + _pem(self._certificate)
        return Certificate(
            self._write(f"{serial}-chain", chain), self._write(f"{serial}-key", _key_pem(key)), _pin(key)
        )

    def _write(self, stem, octets):
        path = self.directory / f"{stem}.pem"
        path.write_bytes(octets)
        path.chmod(0o644)
        return path


SET_LASTS_S = 7 * 86400


def set_in(directory):
    """Returns the folder of what a server may show, each a file of chain and key: good.pem, expired.pem, ...; clients
    trust ca.pem. Made if it is not there, or old; of several processes, one does it."""
    directory.mkdir(parents=True, exist_ok=True)
    trust = directory / "ca.pem"
    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not trust.exists() or trust.stat().st_mtime + SET_LASTS_S < time.time():
            _make_set(directory, trust)
    return directory


def _make_set(directory, trust):
    authority = Authority(directory / "authority")
    shown = {
        "good": authority.issue(),
        "expired": authority.issue(begin=-20, end=-10),
        "not-yet": authority.issue(begin=10, end=20),
        "wrong-name": authority.issue(names=("someone-else.test",), common_name="someone-else.test"),
        "self-signed": authority.issue(self_signed=True),
        "other-ca": Authority(directory / "stranger", "a stranger").issue(),
    }
    for name, certificate in shown.items():
        (directory / f"{name}.pem").write_bytes(certificate.chain.read_bytes() + certificate.key.read_bytes())
    trust.write_bytes(authority.file.read_bytes())


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pin(key):
    info = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "sha256/" + base64.b64encode(hashlib.sha256(info).digest()).decode()
