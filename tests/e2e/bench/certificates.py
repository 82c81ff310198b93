"""A throw-away certificate authority: every certificate a server may show, right and wrong."""

import base64
import datetime
import fcntl
import functools
import hashlib
import ipaddress
import itertools
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import clients

NAME = "upstream.test"
FRONT = "front.test"  # what clients call sotto
DAY = datetime.timedelta(days=1)
MUST_STAPLE = x509.TLSFeature([x509.TLSFeatureType.status_request])


class Certificate:
    """Files for a server: the chain, the key; and the pin of its public key. weak: OpenSSL's servers refuse to show
    it unless they are told to."""

    def __init__(self, chain, key, pin, weak=False):
        self.chain, self.key, self.pin, self.weak = chain, key, pin, weak


class Authority:
    """Signs itself, unless it is signed by another. Its file is what a client trusts; `above` is what its servers send
    behind their own certificates: it and those above it."""

    def __init__(self, directory, name="sotto test authority", signed_by=None, ca=True, only_for=None):
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self._numbers = signed_by._numbers if signed_by else itertools.count(1)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _name(name)
        serial, now = next(self._numbers), _now()
        builder = (
            x509.CertificateBuilder(
                signed_by._subject if signed_by else self._subject,
                self._subject, self._key.public_key(), serial, now - 3650 * DAY, now + 30 * DAY,
            )
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        )
        if only_for:
            builder = builder.add_extension(x509.NameConstraints([x509.DNSName(only_for)], None), critical=True)
        self._certificate = builder.sign(signed_by._key if signed_by else self._key, hashes.SHA256())
        self.above = _pem(self._certificate) + (signed_by.above if signed_by else b"")
        self.file = self._write(f"{serial}-ca", _pem(self._certificate))
        self.pin = _pin(self._key)

    def intermediate(self, name="sotto test intermediate", **how):
        """An authority below this one."""
        return Authority(self.directory, name, signed_by=self, **how)

    def issue(
        self, names=(NAME,), addresses=(), begin=-1, end=30, common_name=NAME, self_signed=False, extra=(),
        usage=ExtendedKeyUsageOID.SERVER_AUTH, rsa_bits=None, sha1=False, with_chain=True,
    ):
        """A certificate valid from `begin` to `end`, in days from now."""
        key = _rsa_key(rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
        subject, serial, now = _name(common_name), next(self._numbers), _now()
        issuer, signer = (subject, key) if self_signed else (self._subject, self._key)
        alternatives = [x509.DNSName(n) for n in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(a)) for a in addresses]
        extensions = [
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            *extra,
        ]
        if usage:
            extensions.append(x509.ExtendedKeyUsage([usage]))
        if alternatives:
            extensions.append(x509.SubjectAlternativeName(alternatives))
        builder = x509.CertificateBuilder(
            issuer, subject, key.public_key(), serial, now + begin * DAY, now + end * DAY
        ).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        own = _pem(builder.sign(signer, hashes.SHA256())) if not sha1 else self._sign_by_sha1(serial, subject, key, extensions)
        chain = own + (self.above if with_chain and not self_signed else b"")
        return Certificate(
            self._write(f"{serial}-chain", chain), self._write(f"{serial}-key", _key_pem(key)), _pin(key),
            weak=sha1 or rsa_bits is not None,
        )

    def padded(self, certificate, octets):
        """The same certificate, with others behind it until the chain has so many octets (of PEM, 4/3 of DER)."""
        chain = certificate.chain.read_bytes()
        filler = self.issue(names=[f"{n}.filler.test" for n in range(50)], with_chain=False).chain.read_bytes()
        chain += filler * ((octets - len(chain)) // len(filler) + 1)
        return Certificate(self._write(f"{next(self._numbers)}-padded", chain), certificate.key, certificate.pin)

    def _sign_by_sha1(self, serial, subject, key, extensions):
        """Newer libraries do not sign so any more; OpenSSL does."""
        request = x509.CertificateSigningRequestBuilder(subject)
        for extension in extensions:
            request = request.add_extension(extension, critical=False)
        return clients.tool(
            "openssl", "x509", "-req", "-sha1", "-days", 30, "-copy_extensions", "copyall",
            "-in", self._write(f"{serial}-request", _pem(request.sign(key, hashes.SHA256()))),
            "-CA", self.file, "-CAkey", self._write(f"{serial}-sha1-key", _key_pem(self._key)),
        ).encode()

    def _write(self, stem, octets):
        path = self.directory / f"{stem}.pem"
        path.write_bytes(octets)
        path.chmod(0o644)
        return path


@functools.cache
def _rsa_key(bits):
    """One for all, since it takes a second to find."""
    return rsa.generate_private_key(65537, bits)


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


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


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
