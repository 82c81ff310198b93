"""Files of rules: read at the start, at a reload, and when they have changed. What is broken is told with its line, and replaces
nothing; nobody who asks notices."""

import json
import subprocess

import pytest

from bench import daemon, eventually
from test_reload import RATE, Load, answer_of, reload, run, status

CHANGED = "files of rules have changed: in force from now on"
KEPT = "a file of rules has changed, and what was before is kept"
MANY = 1_000_000
BROKEN = "ok.example\n127.0.0.1 ok.example extra/path\n"  # of the form `domains`


def write(file, text):
    """In one step, as whoever changes such a file should."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(file)


def domains(count, first="first.example"):
    return first + "\n" + "".join(f"host{n}.blocked{n % 1000}.example\n" for n in range(count - 1))


@pytest.fixture
def ads(tmp_path):
    file = tmp_path / "ads.txt"
    write(file, domains(3))
    return file


@pytest.fixture
def start(start_sotto, upstream, control_path, ads):
    def begin(**settings):
        lists = {"ads": {"file": str(ads), "format": "domains"}}
        return start_sotto(upstream, control=control_path, log={"level": "info"}, **{"lists": lists, **settings})

    return begin


def entries(sotto):
    return status(sotto)["rules"]["list_entries"]


def test_a_broken_list_is_told_with_file_and_line_and_there_is_no_start(tmp_path, ads):
    write(ads, BROKEN)
    file = tmp_path / "sotto.yaml"
    file.write_text(json.dumps({"lists": {"ads": {"file": str(ads), "format": "domains"}}}))
    for verb in ("check", "run"):
        done = subprocess.run([daemon.BINARY, verb, "-c", file], capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stdout) == (78, "")
        assert done.stderr.startswith(f"{ads}:2: ") and done.stderr.endswith("\n1 error\n"), done.stderr


@pytest.mark.parametrize("settings", [
    {"lists": {"ads": "FILE"}}, {"hosts-files": ["FILE"]}, {"zone-files": {"home.example": "FILE"}}
], ids=["list", "hosts", "zone"])
def test_a_file_that_is_not_there_is_told(tmp_path, settings):
    missing = tmp_path / "missing"
    file = tmp_path / "sotto.yaml"
    file.write_text(json.dumps(settings).replace("FILE", str(missing)))
    done = subprocess.run([daemon.BINARY, "check", file], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (78, "")
    assert str(missing) in done.stderr and "No such file" in done.stderr, done.stderr


def test_check_says_what_was_loaded(tmp_path, ads):
    file = tmp_path / "sotto.yaml"
    file.write_text(json.dumps({"lists": {"ads": str(ads)}}))
    done = subprocess.run([daemon.BINARY, "check", file], capture_output=True, text=True, timeout=30)
    assert "entries of lists: 3\n" in done.stdout, done.stdout + done.stderr


def test_a_broken_list_at_a_reload_changes_nothing(start, ads):
    sotto = start()
    write(ads, BROKEN)
    assert f"{ads}:2: " in answer_of(sotto)["error"]
    assert entries(sotto) == 3


def test_a_reload_reads_the_list_again_and_says_so(start, ads):
    sotto = start()
    write(ads, domains(7))
    assert "files of rules" in reload(sotto)
    assert entries(sotto) == 7
    assert reload(sotto) == []


def test_a_reload_has_other_rules(start):
    sotto = start()
    assert reload(sotto, rules=[{"suffix": "a.example", "action": "nxdomain"}], lists={}) == ["rules", "lists", "files of rules"]
    now = status(sotto)["rules"]
    assert (now["rules"], now["list_entries"], now["error"]) == (1, 0, None)


def test_a_list_that_changes_is_in_force_without_a_reload(start, ads):
    sotto = start(workers=2)
    write(ads, domains(5))
    line, = sotto.wait_for_log(msg=CHANGED)
    assert (line["entries"], entries(sotto)) == ("5", 5)
    assert "5 entries of lists" in run(sotto, "status").stdout


def test_a_hosts_file_that_changes_is_in_force(start, tmp_path):
    hosts = tmp_path / "hosts"
    write(hosts, "192.0.2.1 one.lan\n")
    sotto = start(**{"hosts-files": [str(hosts)]})
    before = status(sotto)["rules"]["names"]
    write(hosts, "192.0.2.1 one.lan\n192.0.2.2 two.lan\n")
    sotto.wait_for_log(msg=CHANGED)
    assert status(sotto)["rules"]["names"] > before


def test_a_list_that_breaks_is_told_once_and_changes_nothing(start, ads):
    sotto = start()
    write(ads, BROKEN)
    line, = sotto.wait_for_log(msg=KEPT)
    assert (line["level"], line["file"], line["line"]) == ("warn", str(ads), "2") and line["reason"]
    now = status(sotto)["rules"]
    assert now["list_entries"] == 3
    assert (now["error"]["file"], now["error"]["line"]) == (str(ads), 2)
    assert "FAILED" in run(sotto, "status").stdout
    write(ads, domains(4))
    sotto.wait_for_log(msg=CHANGED)
    assert status(sotto)["rules"]["error"] is None
    assert len(sotto.log(msg=KEPT)) == 1


def test_a_list_is_replaced_in_the_strict_sandbox(start, ads):
    """Whatever is done for it that is not allowed ends the daemon."""
    sotto = start(sandbox="strict", rules=[{"name": "me.example", "a": "@iface:lo"}, {"regex": "^a+$", "action": "nodata"}])
    write(ads, domains(4))
    sotto.wait_for_log(msg=CHANGED)
    assert "policy" in reload(sotto, policy="race")
    assert entries(sotto) == 4


def test_a_million_entries_come_and_go_under_load_and_nothing_is_lost(start, ads, monkeypatch):
    monkeypatch.setattr(daemon, "BINARY", daemon.RELEASE)  # test_rules_load.py looks at it with sanitizers
    sotto = start(workers=2)
    with Load(sotto, RATE) as load:
        write(ads, domains(MANY))
        assert eventually(lambda: sotto.log(msg=CHANGED), 180), sotto.text()
        assert entries(sotto) == MANY
        assert reload(sotto, policy="race") == ["policy", "files of rules"]
        assert entries(sotto) == MANY
        write(ads, domains(3))
        assert eventually(lambda: len(sotto.log(msg=CHANGED)) == 2, 180), sotto.text()
        assert entries(sotto) == 3
    load.must_have_lost_nothing()
