"""The bench of faults (tests/faults): what it counts, what it writes down, and one short run of it."""

import pathlib
import subprocess
import sys

import pytest

from bench import daemon, messages, netns

FAULTS = pathlib.Path(__file__).resolve().parents[1] / "faults"
sys.path.insert(0, str(FAULTS))

from client import Asked, is_right, moments  # noqa: E402
from document import BEGIN, END, Tables, generated_part, replaced  # noqa: E402
from figures import HEADINGS, figures, quantile, seconds  # noqa: E402
from forwarders import all_of_them  # noqa: E402
from rows import ROWS, Row  # noqa: E402
from stage import CannotRun, Stage  # noqa: E402

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "faults.md"


def right(sent, wait):
    return Asked(sent, "n", sent + wait, 0, True)


# ---- figures


def test_each_query_is_counted_once():
    asked = [
        right(0.0, 0.02), right(1.0, 0.04), Asked(2.0, "n", 2.1, 0, False), Asked(3.0, "n", 3.1, 2),
        Asked(4.0, "n", 4.1, 5), Asked(5.0, "n"),
    ]
    found = figures(asked, 12, 6.0)
    assert (found.queries, found.right, found.wrong, found.servfail, found.other, found.lost) == (6, 2, 1, 1, 1, 1)
    assert found.asked == 2.0
    assert found.cells()[HEADINGS.index("back")] == "-"


def test_waits_are_those_of_right_answers():
    asked = [right(n * 0.01, n / 1000) for n in range(1, 101)] + [Asked(2.0, "n", 7.0, 2)]
    found = figures(asked, 101, 3.0)
    assert found.told == 5.0
    assert (round(found.p50, 6), round(found.p99, 6), round(found.max, 6)) == (0.05, 0.099, 0.1)


def test_the_outage_is_the_longest_time_without_a_right_answer():
    asked = [right(0.0, 0.5), right(1.0, 0.1), Asked(2.0, "n", 2.1, 2), right(4.0, 0.25), right(5.0, 0.1)]
    assert figures(asked, 5, 5.5).outage == pytest.approx(3.15)
    assert figures(asked, 5, 9.1).outage == pytest.approx(4.0), "the end counts"
    assert figures([Asked(0.0, "n")], 0, 8.0).outage == 8.0


def test_back_is_from_the_end_of_the_fault_to_the_next_right_answer():
    asked = [right(0.0, 0.1), Asked(1.0, "n"), right(3.0, 0.25)]
    assert figures(asked, 3, 4.0, heal=2.0).back == pytest.approx(1.25)
    assert figures(asked, 3, 4.0, heal=3.5).cells()[HEADINGS.index("back")] == "never"


@pytest.mark.parametrize("values, share, expected", [
    ([], 0.5, None), ([7], 0.99, 7), ([1, 2], 0.5, 1), ([1, 2, 3], 0.5, 2), (list(range(1, 201)), 0.99, 198),
])
def test_a_quantile_is_a_value_that_was_seen(values, share, expected):
    assert quantile(values, share) == expected


@pytest.mark.parametrize("value, text", [(None, "-"), (0.0234, "23 ms"), (0.9996, "1.00 s"), (12.345, "12.35 s")])
def test_times_are_read_easily(value, text):
    assert seconds(value) == text


# ---- the client


def test_a_line_of_the_log_says_it_all():
    for asked in (right(1.5, 0.25), Asked(2.0, "x.example"), Asked(3.0, "x.example", 3.5, 2)):
        assert vars(Asked.from_line(asked.line())) == vars(asked)


def test_only_the_data_of_the_name_is_right():
    asked = messages.Asked(messages.query("q1.faults.example"))
    other = messages.Asked(messages.query("q2.faults.example"))
    good = messages.derived(asked)
    assert is_right(good, "q1.faults.example")
    assert not is_right(good, "q2.faults.example")
    assert not is_right(messages.reply(asked, messages.derived_records(other)), "q1.faults.example")
    assert not is_right(messages.reply(asked), "q1.faults.example")
    assert not is_right(messages.reply(asked, messages.derived_records(asked), rcode=2), "q1.faults.example")


def test_all_forwarders_are_asked_at_the_same_moments():
    first, second = list(moments(10, 100, even=False)), list(moments(10, 100, even=False))
    assert first == second and 900 < len(first) < 1100 and first[-1] < 10
    assert list(moments(2.2, 1 / 1.1, even=True)) == pytest.approx([0, 1.1])


# ---- the document

LINE = ["10", "9", "0", "1", "0", "0", "20 ms", "21 ms", "22 ms", "5 ms", "100 ms", "-", "1.00"]


def test_a_run_replaces_its_own_lines_and_no_others():
    tables, names = Tables(), ["sotto", "unbound"]
    tables.programs = {"sotto": "1", "unbound": "2"}
    for name in names:
        tables.put(ROWS[0], name, LINE)
    text = replaced(f"before\n{BEGIN}\n{END}\nafter\n", tables.text(ROWS, names))
    again = Tables.read(text)
    again.put(ROWS[0], "sotto", ["11", *LINE[1:]])
    again.programs["sotto"] = "3"
    text = replaced(text, again.text(ROWS, names))
    assert text.startswith(f"before\n{BEGIN}\n") and text.endswith(f"{END}\nafter\n")
    assert "| unbound | " + " | ".join(LINE) + " |" in text and "| sotto | 11 | 9 |" in text
    assert "- sotto: 3\n- unbound: 2\n" in text
    assert Tables.read(text).lines[ROWS[0].name, "unbound"] == LINE


def test_what_could_not_run_says_why():
    tables = Tables()
    tables.put(ROWS[0], "stubby", ["it does not listen"])
    text = tables.text(ROWS, ["stubby"])
    assert f"| {ROWS[0].name} | it does not listen |" in text
    assert "| stubby | it does not listen |" in text


def test_at_a_glance_says_what_was_missed():
    tables = Tables()
    tables.put(ROWS[0], "sotto", LINE)
    tables.put(ROWS[1], "sotto", ["10", "10", *LINE[2:-2], "700 ms", "1.00"])
    text = tables.text(ROWS, ["sotto"])
    assert f"| {ROWS[0].name} | 1 of 10 not, p99 21 ms, out 100 ms |" in text
    assert f"| {ROWS[1].name} | all right, p99 21 ms, out 100 ms, back 700 ms |" in text


def test_the_document_has_every_row_of_every_forwarder():
    tables = Tables.read(DOCUMENT.read_text())
    assert set(tables.lines) == {(row.name, name) for row in ROWS for name in all_of_them("")}
    assert generated_part(DOCUMENT.read_text()).strip() == tables.text(ROWS, all_of_them("")).strip()


# ---- a run


@pytest.fixture(scope="module")
def dropping():
    if reason := netns.reason_not_to_drop():
        pytest.skip(reason)


def test_a_row_that_is_not_there_is_refused():
    done = subprocess.run([FAULTS / "run", "F-0"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "there is no row F-0; there are F-01, " in done.stderr


def test_a_fault_that_could_not_be_made_is_said_and_no_figures_come_of_it(dropping, tmp_path):
    row = Row("T-2", "a cut that fails", 0.5, ["each: answer"], [(0.1, "cut", lambda stage: stage.star.cut(7))])
    with pytest.raises(CannotRun, match="fault not made: cut"):
        Stage(row, all_of_them(daemon.BINARY)["sotto"], tmp_path, tmp_path / "certificates").play()


def test_a_forwarder_that_is_not_there_is_said(dropping, tmp_path):
    row = Row("T-3", "no program", 0.5, ["each: answer"])
    with pytest.raises(CannotRun, match="there is no /nowhere/sotto"):
        Stage(row, all_of_them("/nowhere/sotto")["sotto"], tmp_path, tmp_path / "certificates").play()


def test_a_forwarder_that_dies_is_seen(dropping, tmp_path):
    row = Row("T-4", "it dies", 1, ["each: answer"], [(0.3, "kill", lambda stage: stage.process.kill())])
    stage = Stage(row, all_of_them(daemon.BINARY)["sotto"], tmp_path, tmp_path / "certificates")
    asked, _ = stage.play()
    assert stage.death == -9
    assert asked[0].right and asked[-1].answered is None


def test_a_run_sees_the_outage_that_it_makes(dropping, tmp_path):
    row = Row(
        "T-1", "the upstream vanishes for 1.5 s", 4, ["each: answer after 20ms"],
        [(1, "cut", lambda stage: stage.star.cut(stage.busiest() + 1)),
         (2.5, "heal", lambda stage: stage.star.heal(stage.victim + 1))], heal=2.5,
    )
    stage = Stage(row, all_of_them(daemon.BINARY)["sotto"], tmp_path, tmp_path / "certificates")
    asked, seen = stage.play()
    found = figures(asked, seen, row.seconds, row.heal)
    assert stage.happened == ["cut (upstream 1)", "heal (upstream 1)"] and stage.death is None
    assert found.queries > 50 and found.right > 20 and found.wrong == 0
    assert 1.4 < found.outage < 4.0
    assert 0.0 <= found.back < 1.5
    early = [one for one in asked if one.sent < 0.9]
    assert all(one.right and one.answered - one.sent >= 0.02 for one in early)
