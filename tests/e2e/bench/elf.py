"""What protects a program, as it stands in its ELF file; readelf tells it."""

import re
import subprocess

ENDBR64 = bytes.fromhex("f30f1efa")  # where an indirect jump may land (IBT)
SEGMENT = re.compile(r"^  (\S+) +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x\w+ ([R ][W ][E ]) ", re.M)


def readelf(what, path):
    done = subprocess.run(["readelf", "-W", what, path], capture_output=True, text=True, env={"LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    return done.stdout


class Segment:
    def __init__(self, found, sections):
        self.kind, self.flags, self.sections = found[1], set(found[5]) - {" "}, sections
        self.offset, self.start, self.size = (int(found[i], 16) for i in (2, 3, 4))


class Program:
    def __init__(self, path):
        self.path = path
        self.header, self.dynamic, self.notes = (readelf(what, path) for what in ("-h", "-d", "-n"))
        self.symbols, segments = readelf("-s", path), readelf("-l", path)
        sections = dict(re.findall(r"^   (\d\d) (.*)$", segments, re.M))
        self.segments = [
            Segment(found, sections[f"{n:02}"].split()) for n, found in enumerate(SEGMENT.finditer(segments))
        ]
        self.undefined = set(re.findall(r" UND (\w+)(?:@|$)", self.symbols, re.M))

    def of_kind(self, kind):
        return [segment for segment in self.segments if segment.kind == kind]

    def first_octets(self, function, count):
        address = int(re.search(rf"(\w+) +\d+ FUNC +\w+ +\w+ +\d+ {function}$", self.symbols, re.M)[1], 16)
        segment, = (s for s in self.of_kind("LOAD") if s.start <= address < s.start + s.size)
        with open(self.path, "rb") as file:
            file.seek(segment.offset + address - segment.start)
            return file.read(count)
