"""docs/conformance.md: the rows of rows.toml, and what a run of the tests says of each.

Which tests belong to a row is told by their names (see rows.toml). A run is a JUnit report; each test notes there what
answers its clients have seen (tests/e2e/bench/seen.py).
"""

import dataclasses
import pathlib
import re
import tomllib
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parents[2]
ROWS = TOP / "tests/conformance/rows.toml"
DOCUMENT = TOP / "docs/conformance.md"
TRANSPORTS = ("udp", "tcp", "tls")  # of listeners
KINDS = ("miss", "hit", "own")
TEST = re.compile(r"^def (test_\w+)", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Row:
    id: str
    of: str
    level: str
    asks: str
    on: str = ""
    tests: tuple = ()
    deviation: str = ""
    absent: str = ""

    def prefixes(self):
        return (f"test_{self.id.lower().replace('-', '_')}_", *self.tests)

    def owns(self, test):
        return test.startswith(self.prefixes())

    def kinds(self, transport):
        """The kinds of answers that must have been seen over this transport."""
        words = {word for group in self.on.split(",") if transport in group.split() for word in group.split()}
        return [kind for kind in KINDS if kind in words]

    def functions(self, known):
        """Those of the known test functions that it has tests in."""
        bases = [prefix.partition("[")[0] if "[" in prefix else prefix for prefix in self.prefixes()]
        return {name for name in known if any(name.startswith(base) for base in bases)}


@dataclasses.dataclass(frozen=True)
class Part:
    title: str
    rows: tuple


@dataclasses.dataclass(frozen=True)
class Case:
    """One test that has run."""

    name: str
    result: str  # passed, failed or skipped
    answers: frozenset  # such as "udp hit"


def parts():
    def part(title, **rows):
        return Part(title, tuple(Row(id, **{**row, "tests": tuple(row.get("tests", ()))}) for id, row in rows.items()))

    return [part(**table) for table in tomllib.loads(ROWS.read_text()).values()]


def functions():
    """Every end-to-end test, by file."""
    return {file: TEST.findall(file.read_text()) for file in sorted((TOP / "tests/e2e").glob("test_*.py"))}


def cases(reports):
    """The tests of JUnit reports; of one that is in several, the last word counts."""

    def result(case):
        if case.find("failure") is not None or case.find("error") is not None:
            return "failed"
        return "skipped" if case.find("skipped") is not None else "passed"

    def answers(case):
        told = [p.get("value") for p in case.iter("property") if p.get("name") == "answers"]
        return frozenset(", ".join(told).split(", "))

    found = {}
    for case in (case for report in reports for case in xml.etree.ElementTree.parse(report).iter("testcase")):
        found[case.get("classname"), case.get("name")] = Case(case.get("name"), result(case), answers(case))
    return list(found.values())


def judge(row, run, known):
    """(met?, in words); None: its tests have not all run."""
    if row.absent:
        return False, f"not built. {row.absent}"
    own = [case for case in run if row.owns(case.name)]
    if failed := sorted(case.name for case in own if case.result == "failed"):
        return False, "FAILED: " + ", ".join(failed)
    ran = {case.name.partition("[")[0] for case in own}
    if not own or row.functions(known) - ran or any(case.result == "skipped" for case in own):
        return None
    seen = frozenset().union(*(case.answers for case in own))
    wanted = [f"{transport} {kind}" for transport in TRANSPORTS for kind in row.kinds(transport)]
    if missing := [answer for answer in wanted if answer not in seen]:
        return False, "NOT SEEN: " + ", ".join(missing)
    return (False, f"deviates. {row.deviation}") if row.deviation else (True, "met")


def line(row, words):
    over = [", ".join(row.kinds(transport)) for transport in TRANSPORTS]
    return "| " + " | ".join([row.id, row.of, row.level, row.asks, *over, words]) + " |"


HEAD = ["row", "of", "level", "what is asked for", *(transport.upper() for transport in TRANSPORTS), "result"]
WORDS = """# Conformance

What the RFCs ask of an encrypting forwarder, and what a run of the end-to-end tests has shown. This page is generated: the rows
are `tests/conformance/rows.toml`, how to run them is told in [testing.md](testing.md#conformance). The columns of transports say
which answers were seen in the tests of a row: by a *miss* (the upstream was asked), by a *hit* (the cache knew), or sotto's *own*
word (it refused, or could not read); a row without any is not about answers to clients.
"""


def document(run):
    """The page; None if the run was not of all tests."""
    known = [name for names in functions().values() for name in names]
    verdicts = {row: judge(row, run, known) for part in parts() for row in part.rows}
    if None in verdicts.values():
        return None
    return render(verdicts)


def summary(verdicts):
    built = [row for row in verdicts if not row.absent]
    met = sum(verdicts[row][0] for row in built)
    deviate = sum(bool(row.deviation) for row in built)
    return (
        f"**{met} of {len(verdicts)} rows are met.** {deviate} deviate, with their reasons; "
        f"{len(verdicts) - len(built)} are about parts that are not built."
    )


def render(verdicts):
    page = [WORDS, summary(verdicts)]
    for part in parts():
        page += ["", f"## {part.title}", "", "| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
        page += [line(row, verdicts[row][1]) for row in part.rows]
    return "\n".join(page) + "\n"


def stale_rows(run, page):
    """What a run, be it of a part of the tests, says otherwise than the page; and how many rows it says nothing of."""
    known = [name for names in functions().values() for name in names]
    stale, unknown = [], 0
    for row in (row for part in parts() for row in part.rows):
        verdict = judge(row, run, known)
        if verdict is None:
            unknown += 1
        elif line(row, verdict[1]) not in page.splitlines():
            stale.append(f"{row.id}: {verdict[1]}")
    return stale, unknown
