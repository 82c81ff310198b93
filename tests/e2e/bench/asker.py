"""`sotto query` as a program that ends, and dig and kdig beside it; what they printed, as data."""

import re
import shlex
import subprocess

from . import daemon

PATIENCE_S = 60
SECTIONS = ("QUESTION", "ANSWER", "AUTHORITY", "ADDITIONAL")
# Exit statuses that are no RCODE (docs/query.md).
USAGE, SILENCE, MALFORMED, UNREACHED, TLS, TSIG, UNKNOWN_HOST, HOST, UNMET = range(64, 73)


class Said:
    """What a run of `sotto query` said."""

    def __init__(self, words, done):
        self.words, self.status, self.out, self.err = words, done.returncode, done.stdout, done.stderr
        assert self.status >= 0 and not daemon.SANITIZER_REPORT.search(self.err), f"{words}\n{self.err}"

    def __str__(self):
        return f"sotto query {shlex.join(self.words)}: {self.status}\n{self.out}\n{self.err}"

    __repr__ = __str__

    @property
    def all(self):
        return self.out + self.err

    def flags(self):
        """Bits of the header by name, as numbers."""
        return {name: int(value) for name, value in re.findall(r"\b(qr|opcode|aa|tc|rd|ra|z|ad|cd)=(\d+)", self.out)}

    def counts(self):
        """Records of each section, as the header counts them."""
        return [int(re.search(rf"\b{name}=(\d+)", self.out)[1]) for name in ("question", "answer", "authority", "additional")]

    def rcode(self):
        return re.search(r"rcode=\d+\((\w+)\)", self.out)[1]

    def sections(self):
        return sections_of(self.out)

    def records(self, section="ANSWER"):
        return self.sections().get(section, [])


def sections_of(text):
    """The records of each section, each as its fields with one blank between them, in an order of their own."""
    found, section = {}, None
    for line in text.splitlines():
        if heading := re.match(r";; (\w+)(?: PSEUDO)? ?SECTION", line):
            section = heading[1]
        elif line and not line.startswith((";", "***")) and section:
            found.setdefault(section, []).append(" ".join(line.split()))
    return {name: sorted(records) for name, records in found.items()}


def query(*words, check=None, timeout=PATIENCE_S, prefix=(), **how):
    """Runs `sotto query`, behind another command if there is one; check: the exit status it must have."""
    words = [str(word) for word in words]
    done = subprocess.run(
        [*prefix, daemon.BINARY, "query", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="backslashreplace", timeout=timeout, check=False, **how
    )
    said = Said(words, done)
    assert check is None or said.status == check, said
    return said


def peer(program, *words):
    """Runs dig or kdig, without what their users may have configured."""
    alone = {"dig": ["-r"], "kdig": []}[program]
    done = subprocess.run(
        [program, *alone, *(str(word) for word in words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="backslashreplace", timeout=PATIENCE_S, check=False, env={"PATH": "/usr/bin", "HOME": "/nonexistent"},
    )
    return done.stdout


class Seen:
    """What dig or kdig showed of a reply, in the words of `sotto query`."""

    def __init__(self, program, text):
        self.text = text
        flags, counts = {
            "dig": (r";; flags: ([\w ]*);", r"QUERY: (\d+), ANSWER: (\d+), AUTHORITY: (\d+), ADDITIONAL: (\d+)"),
            "kdig": (r";; Flags: ([\w ]*);", r"QUERY: (\d+); ANSWER: (\d+); AUTHORITY: (\d+); ADDITIONAL: (\d+)"),
        }[program]
        assert (found := re.search(flags, text)), text
        self.flags = set(found[1].split())
        self.counts = [int(count) for count in re.search(counts, text).groups()]
        self.rcode = re.search(r"status: (\w+)", text)[1]
        self.records = generic(sections_of(text))
        edns = {
            "dig": r"; EDNS: version: (\d+), flags:([\w ]*); (?:MBZ: \w+, )?udp: (\d+)",
            "kdig": r";; Version: (\d+); flags:([\w ]*); UDP size: (\d+) B",
        }[program]
        found = re.search(edns, text)
        self.edns = found and (int(found[1]), found[2].split(), int(found[3]))


def seen_by_sotto(said):
    """The same of ours: flags, counts, rcode, records, EDNS."""
    found = re.search(r";; OPT: edns_version=(\d+), udp_payload=(\d+), flags=([\w ]*),", said.out)
    edns = found and (int(found[1]), found[3].split(), int(found[2]))
    flags = {name for name, value in said.flags().items() if name != "opcode" and value}
    return flags, said.counts(), said.rcode(), edns


def generic(sections):
    """Records in the form of RFC 3597, their data as one word, OPT left out."""
    found = {}
    for section in SECTIONS[1:]:
        for record in sections.get(section, []):
            owner, ttl, rclass, rtype, mark, size, *data = record.split()
            assert mark == "\\#", record
            if rtype not in ("TYPE41", "OPT"):
                rclass = {"IN": "CLASS1", "CH": "CLASS3"}.get(rclass, rclass)  # kdig's words
                found.setdefault(section, []).append((owner, int(ttl), rclass, rtype, int(size), "".join(data).lower()))
    return {section: sorted(records) for section, records in found.items()}
