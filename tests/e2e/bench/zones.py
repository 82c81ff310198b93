"""Zones served by Knot DNS and NSD as Debian has them: a signed one with a record of every type, one that changes, one that is
large, one that wants a key."""

import base64
import contextlib
import hashlib
import re
import subprocess

import dns.rdata
import dns.rdatatype

from . import clients, daemon, eventually, messages

SIGNED, CHANGED, LARGE, CLOSED, WALKED = "signed.test", "changed.test", "large.test", "closed.test", "walked.test"
LARGE_COUNT = 5000  # a transfer of several messages
SERIALS = (1, 2, 3)  # of CHANGED, in turn
NSID = "the proof"

ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
ON_THE_WIRE = {"hmac-md5": "hmac-md5.sig-alg.reg.int"}  # where it is another name
SECRETS = {name: base64.b64encode(hashlib.sha512(name.encode()).digest()[:32]).decode() for name in ALGORITHMS}

HEAD = """$ORIGIN {zone}.
$TTL 300
@ 3600 IN SOA ns1 hostmaster {serial} 3600 600 864000 60
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
ns2 A 192.0.2.2
"""

# One owner for each type, called as the type is.
TYPES = {
    "A": "192.0.2.7", "PTR": "host", "HINFO": '"a machine" "a system"', "MINFO": "host other", "MX": "10 host",
    "TXT": '"one" "two; three" "q\\"uote" "\\000\\255"', "RP": "host text", "AFSDB": "1 host", "RT": "2 host",
    "AAAA": "2001:db8::7", "LOC": "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m", "SRV": "0 5 443 host",
    "NAPTR": '100 50 "s" "z3950+I2L+I2C" "" host', "KX": "1 host", "CERT": "1 2 8 AQIDBA==", "DNAME": "elsewhere.test.",
    "APL": "1:192.0.2.0/24 !2:2001:db8::/32", "SSHFP": "4 2 " + "ab" * 32,
    "IPSECKEY": "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
    "DHCID": "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=", "TLSA": "3 1 1 " + "cd" * 32,
    "SMIMEA": "3 1 1 " + "ef" * 32, "OPENPGPKEY": "AQIDBAUG", "CSYNC": "66 3 A NS AAAA", "SPF": '"v=spf1 -all"',
    "NID": "10 0014:4fff:ff20:ee64", "L32": "10 10.1.2.0", "L64": "10 2001:0db8:1140:1000", "LP": "10 host",
    "EUI48": "00-00-5e-00-53-2a", "EUI64": "00-00-5e-ef-10-00-00-2a", "URI": '10 1 "https://www.example/path"',
    "CAA": '0 issue "ca.example"',
}
# Those that one of the servers has no text for, in the form of RFC 3597.
HOST = messages.wire_name("host." + SIGNED).hex()
GENERIC = {
    7: HOST, 8: HOST, 9: HOST, 10: "00ff", 19: "0c333131303631373030393536", 20: "0f31353038363230323830303332313703303034",
    22: "47000580005a0000000001e133ffffff00016100", 25: "010003080102030405060708", 26: "000a" + HOST + HOST,
    27: "082d33322e36383832083131362e38363532" + "0431302e30", 31: "0102", 32: "0304", 34: "0031323334", 40: "00000102",
    55: "0401000820010111aabbccdd0102030403666f6f00", 56: "03666f6f", 57: "00000d0dabcd", 58: HOST + HOST,
    64: "000100000100030268320003000201bb", 65: "0001000001000302683200040004c0000207", 256: "000a0001783a79",
    258: "0461766320", 260: "0a01c0000207", 261: "03666f6f", 32769: "ec450d02" + "aa" * 32, 65280: "", 65281: "00ff",
}


EXTRA = """alias CNAME target
alias2 CNAME alias
target A 192.0.2.9
*.wild TXT "by a wildcard"
wide TXT {wide}
child NS ns.child
ns.child A 192.0.2.3
secure NS ns.secure
secure DS 60485 13 2 {digest}
ns.secure AAAA 2001:db8::3
MiXed A 192.0.2.10
empty.non.terminal A 192.0.2.11
\\000odd\\.label A 192.0.2.12
_25._tcp.mail TLSA 3 1 1 {digest}
zero 0 IN A 192.0.2.13
7.2.0.192.in-addr.arpa PTR host
"""


def signed_text():
    lines = [HEAD.format(zone=SIGNED, serial=2026)]
    lines += [f"{of.lower()} {of} {text}" for of, text in TYPES.items()]
    for number, octets in GENERIC.items():
        lines.append(f"type{number} TYPE{number} \\# {len(octets) // 2} {octets}".rstrip())
    wide = " ".join(f'"{n:02}{"w" * 198}"' for n in range(12))  # too much for 1232 octets
    lines.append(EXTRA.format(wide=wide, digest="5a" * 32))
    return "\n".join(lines)


def owners():
    """Each owner of a record of its own type, and the type."""
    named = [(f"{of.lower()}.{SIGNED}", of) for of in TYPES]
    return named + [(f"type{number}.{SIGNED}", f"TYPE{number}") for number in GENERIC]


def changed_text(serial):
    """Each serial has a host of its own, and those before but one."""
    hosts = [f"host{n} A 192.0.2.{100 + n}" for n in range(max(1, serial - 1), serial + 1)]
    return HEAD.format(zone=CHANGED, serial=serial) + "\n".join(hosts) + "\n"


def large_text():
    hosts = "\n".join(f"host{n} TXT \"{n} {'l' * 60}\"" for n in range(LARGE_COUNT))
    return HEAD.format(zone=LARGE, serial=1) + hosts + "\nancient 2147483647 IN A 192.0.2.14\n"


def walked_text():
    """Signed, and without delegations."""
    return HEAD.format(zone=WALKED, serial=1) + "\n".join(f"host{n} A 192.0.2.{n}" for n in range(60)) + "\n"


ZONES = {
    SIGNED: signed_text(), CHANGED: changed_text(SERIALS[0]), LARGE: large_text(),
    CLOSED: HEAD.format(zone=CLOSED, serial=1), WALKED: walked_text(),
}  # fmt: skip


def has_serial(address, serial):
    """Whether CHANGED comes to it, in a while."""
    return eventually(lambda: f" {serial} " in clients.ask(address, CHANGED, "SOA").answer[0].to_text(), 20)


class Server:
    """A program in the foreground, until it is stopped."""

    def __init__(self, directory, command):
        self.log = directory / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory
            )

    def wait_for(self, zones, address):
        """Until it answers for all of them."""

        def serves(zone):
            with contextlib.suppress(OSError, AssertionError):
                return clients.ask(address, zone, "SOA", over="tcp").answer

        if not eventually(lambda: self.process.poll() is not None or all(serves(zone) for zone in zones), 20):
            self.stop()
        assert self.process.poll() is None, self.log.read_text()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Knot(Server):
    """Takes every algorithm, and signs SIGNED and WALKED; CHANGED has gone through its serials, and is had by IXFR from the first."""

    def __init__(self, directory):
        directory.mkdir()
        self.directory, self.zones, self.port = directory, directory / "zones", daemon.free_port()
        self.address = ("127.0.0.1", self.port)
        self.zones.mkdir()
        for zone, text in ZONES.items():
            (self.zones / zone).write_text(text)
        self.file = directory / "knot.conf"
        self.file.write_text(self._configuration())
        super().__init__(directory, ["knotd", "-c", self.file])
        self.wait_for([SIGNED, CHANGED, LARGE, WALKED], self.address)
        try:
            for serial in SERIALS[1:]:
                self._change(serial)
        except BaseException:
            self.stop()
            raise

    def dump(self, zone):
        """As text that every server reads: in the form of RFC 3597."""
        secret = f"hmac-sha256:hmac-sha256-key:{SECRETS['hmac-sha256']}"
        text = clients.tool(
            "dig", f"@{self.address[0]}", "-p", self.port, "-y", secret, "axfr", zone, "+onesoa", "+unknownformat", "+noall",
            "+answer",
        )
        assert ";" not in text, text  # a message that dig takes for broken
        return re.sub(r"\bCLASS1\b", "IN", text)

    def _change(self, serial):
        (self.zones / CHANGED).write_text(changed_text(serial))
        clients.tool("knotc", "-c", self.file, "-b", "zone-reload", CHANGED)
        assert has_serial(self.address, serial), self.log.read_text()

    def _configuration(self):
        keys = "".join(f"  - id: {name}-key\n    algorithm: {name}\n    secret: {SECRETS[name]}\n" for name in ALGORITHMS)
        names = ", ".join(f"{name}-key" for name in ALGORITHMS)
        served = "".join(
            f"  - domain: {zone}\n    acl: [ {'keyed' if zone == CLOSED else 'keyed, anybody'} ]\n"
            f"    dnssec-signing: {'on' if zone in (SIGNED, WALKED) else 'off'}\n"
            for zone in ZONES
        )
        return f"""server:
    rundir: {self.directory}
    listen: 127.0.0.1@{self.port}
    nsid: "{NSID}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: {self.directory}
key:
{keys}acl:
  - id: keyed
    action: transfer
    key: [ {names} ]
  - id: anybody
    action: transfer
    address: 127.0.0.0/8
template:
  - id: default
    storage: {self.zones}
    file: "%s"
    journal-content: changes
    zonefile-load: difference
    zonefile-sync: -1
    semantic-checks: off
zone:
{served}log:
  - target: stdout
    any: info
"""


def with_words(dump):
    """NSD 4.12 misreads two of the records that are in the form of RFC 3597: NSEC of more than one window, and DLV."""

    def in_words(found):
        number, octets = int(found[1]), bytes.fromhex(found[2])
        rdata = dns.rdata.from_wire("IN", number, octets, 0, len(octets))
        if number == dns.rdatatype.DLV:
            return f"DLV {rdata.to_text()}"
        if len(rdata.windows) == 1:
            return found[0]
        bits = [(n, window, bitmap) for window, bitmap in rdata.windows for n in range(8 * len(bitmap))]
        types = [256 * window + n for n, window, bitmap in bits if bitmap[n // 8] & 0x80 >> n % 8]
        return f"NSEC {rdata.next} " + " ".join(f"TYPE{n}" for n in types)

    return re.sub(r"\bTYPE(47|32769)\s+\\# \d+ (.+)$", in_words, dump, flags=re.MULTILINE)


class Nsd(Server):
    """Has the zones of a Knot, over TLS as well (RFC 9103); without HMAC-MD5. CHANGED it has in its first serial, and the changes from
    there by IXFR, which it keeps."""

    def __init__(self, directory, knot, certificate):
        directory.mkdir()
        for zone in ZONES:
            (directory / zone).write_text(with_words(knot.dump(zone)))
        (directory / CHANGED).write_text(changed_text(SERIALS[0]))
        self.primary = f"{knot.address[0]}@{knot.port}"
        self.directory, self.port, self.tls_port = directory, daemon.free_port(), daemon.free_port()
        self.address, self.certificate = ("127.0.0.1", self.port), certificate
        self.file = directory / "nsd.conf"
        self.file.write_text(self._configuration())
        super().__init__(directory, ["nsd", "-d", "-c", self.file])
        self.wait_for([SIGNED, LARGE], self.address)
        if not has_serial(self.address, SERIALS[-1]):
            self.stop()
            raise AssertionError(self.log.read_text())

    def _configuration(self):
        algorithms = [name for name in ALGORITHMS if name != "hmac-md5"]
        keys = "".join(
            f'key:\n    name: {name}-key\n    algorithm: {name}\n    secret: "{SECRETS[name]}"\n' for name in algorithms
        )
        allowed = "".join(f"    provide-xfr: 127.0.0.1 {name}-key\n" for name in algorithms)
        served = "".join(
            f"zone:\n    name: {zone}\n    zonefile: {self.directory / zone}\n{allowed}"
            + ("" if zone == CLOSED else "    provide-xfr: 127.0.0.1 NOKEY\n")
            + (f"    request-xfr: {self.primary} NOKEY\n    store-ixfr: yes\n" if zone == CHANGED else "")
            for zone in ZONES
        )
        return f"""server:
    ip-address: 127.0.0.1@{self.port}
    ip-address: 127.0.0.1@{self.tls_port}
    tls-port: {self.tls_port}
    tls-service-pem: "{self.certificate.chain}"
    tls-service-key: "{self.certificate.key}"
    username: ""
    chroot: ""
    zonesdir: "{self.directory}"
    database: ""
    pidfile: "{self.directory}/pid"
    xfrdfile: "{self.directory}/xfrd.state"
    zonelistfile: "{self.directory}/zone.list"
    xfrdir: "{self.directory}"
    server-count: 1
    rrl-ratelimit: 0
    nsid: "ascii_{NSID}"
remote-control:
    control-enable: no
{keys}{served}"""


