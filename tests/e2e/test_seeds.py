"""docs/seeds.md is of the tests that are there."""

import pathlib
import re

TESTS = pathlib.Path(__file__).parent
PAGE = TESTS.parents[1] / "docs/seeds.md"
KNOWN = {name for file in TESTS.glob("test_*.py") for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)}
ROWS = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
NAMED = {name for row in ROWS for name in re.findall(r"`(test_\w+)`", row[-1])}


def test_every_row_has_a_test_or_a_reason():
    for row in ROWS:
        assert len(row) == 2, row
        assert row[1] == "shown by" or "`test_" in row[1] or "Not here: " in row[1], row


def test_every_test_that_a_row_names_is_there():
    assert NAMED and [name for name in NAMED if not any(test.startswith(name) for test in KNOWN)] == []


def test_every_test_of_a_seed_is_in_a_row():
    own = {test for test in KNOWN if test.startswith(("test_chef_", "test_net_", "test_masq_"))}
    assert own and [test for test in own if not test.startswith(tuple(NAMED))] == []
