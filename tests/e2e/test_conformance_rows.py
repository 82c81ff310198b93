"""The table of conformance and its page, without a run: what names promise is there, and the page is of this table."""

import pathlib
import re
import sys

import pytest

TOP = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "tests/conformance"))

import conformance  # noqa: E402
from conformance import Case, Row  # noqa: E402

ROWS = [row for part in conformance.parts() for row in part.rows]
TESTS = {name for names in conformance.functions().values() for name in names}
NAMED = re.compile(r"test_(\d{4}|tc|loop)_(\d\d)_")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_is_whole(row):
    assert row.level in ("MUST", "SHOULD", "MAY", "CHOICE")
    assert set(row.on.replace(",", " ").split()) <= {*conformance.TRANSPORTS, *conformance.KINDS}
    assert "|" not in row.asks + row.of + row.deviation + row.absent
    if row.absent:
        assert not row.on and not row.deviation and not row.functions(TESTS), "it has tests, so it is there"
    else:
        assert row.functions(TESTS), "no test has its name"
    for prefix in row.tests:
        base = prefix.partition("[")[0]
        assert any(test.startswith(base) for test in TESTS), f"there is no test {prefix}"


def test_no_row_stands_twice():
    assert len({row.id for row in ROWS}) == len(ROWS)


def test_every_test_that_is_named_by_a_row_has_one():
    rows = {row.prefixes()[0] for row in ROWS}
    assert not [test for test in TESTS if (found := NAMED.match(test)) and found[0] not in rows]


def test_the_page_has_every_row_as_it_is_in_the_table():
    page = conformance.DOCUMENT.read_text().splitlines()
    shown = [line for line in page if line.startswith("| ") and not line.startswith("| row ")]
    assert len(shown) == len(ROWS)
    for row, shown_row in zip(ROWS, shown):
        assert shown_row.startswith(conformance.line(row, "").removesuffix(" |")), row.id
        assert conformance.line(row, f"not built. {row.absent}") == shown_row or not row.absent


# ---- what is made of a run

ROW = Row("1-01", "RFC 1", "MUST", "Something.", on="udp tcp miss")
KNOWN = ["test_1_01_a", "test_1_01_b"]


def judged(*cases, row=ROW):
    return conformance.judge(row, [Case(name, result, frozenset(seen)) for name, result, seen in cases], KNOWN)


def test_a_row_is_met_when_all_its_tests_passed_and_all_its_answers_were_seen():
    assert judged(("test_1_01_a[udp]", "passed", ["udp miss"]), ("test_1_01_b", "passed", ["tcp miss"])) == (True, "met")


def test_an_answer_that_was_not_seen_is_named():
    met, words = judged(("test_1_01_a", "passed", ["udp miss", "tcp hit"]), ("test_1_01_b", "passed", []))
    assert not met and words == "NOT SEEN: tcp miss"


def test_a_test_that_failed_is_named():
    met, words = judged(("test_1_01_a", "passed", ["udp miss"]), ("test_1_01_b[tcp]", "failed", ["tcp miss"]))
    assert not met and words == "FAILED: test_1_01_b[tcp]"


@pytest.mark.parametrize("result", [None, "skipped"])
def test_a_row_whose_tests_have_not_all_run_is_not_judged(result):
    cases = [("test_1_01_a", "passed", ["udp miss", "tcp miss"])] + ([("test_1_01_b", result, [])] if result else [])
    assert judged(*cases) is None


def test_a_page_of_another_run_is_told_row_by_row():
    row = ROWS[0]
    failed = [Case(f"{row.prefixes()[0]}x", "failed", frozenset())]
    page = "\n".join(conformance.line(row, "met") for row in ROWS)
    stale, unknown = conformance.stale_rows(failed, page)
    assert f"{row.id}: FAILED: {row.prefixes()[0]}x" in stale and unknown == len(ROWS) - len(stale)
