"""Local data that dnsmasq has, row by row of docs/seeds.md."""

import json
import subprocess

import pytest

from bench import daemon, eventually
from bench.clients import addresses, ask, rcode_name
from test_reload import status
from test_rules_config import KEPT, write


@pytest.fixture
def begin(run_sotto, upstream):
    """A daemon with these settings, and one that asks it."""

    def start(**settings):
        sotto = run_sotto(upstream, **settings)
        sotto.told = lambda name, qtype="A": addresses(ask(sotto.address, name, qtype))
        return sotto

    return start


def fault_of(tmp_path, **settings):
    """What `sotto check` says of them."""
    file = tmp_path / "sotto.yaml"
    file.write_text(json.dumps(settings))
    done = subprocess.run([daemon.BINARY, "check", file], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (78, "")
    return done.stderr


# ---- folders of hosts files


def test_masq_a_folder_of_hosts_files(begin, tmp_path):
    """As hostsdir: its files come, change and go without a reload, also when they are written in their place."""
    folder = tmp_path / "hosts.d"
    folder.mkdir()
    write(folder / "one", "192.0.2.1 one.lan\n192.0.2.9 both.lan\n")
    write(folder / ".hidden", "garbage\n")
    write(folder / "one~", "garbage\n")
    sotto = begin(sandbox="strict", **{"hosts-files": [str(folder)]})
    assert sotto.told("one.lan") == ["192.0.2.1"]
    write(folder / "two", "192.0.2.2 two.lan\n192.0.2.8 both.lan\n")
    assert eventually(lambda: sotto.told("two.lan") == ["192.0.2.2"])
    assert sorted(sotto.told("both.lan")) == ["192.0.2.8", "192.0.2.9"]
    (folder / "two").write_text("192.0.2.3 two.lan\n")
    assert eventually(lambda: sotto.told("two.lan") == ["192.0.2.3"])
    (folder / "one").unlink()
    assert eventually(lambda: sotto.told("one.lan") not in ([], ["192.0.2.1"]))  # the server's
    assert sotto.told("two.lan") == ["192.0.2.3"]


def test_masq_a_broken_file_of_a_folder_changes_nothing(begin, tmp_path):
    folder = tmp_path / "hosts.d"
    folder.mkdir()
    write(folder / "a", "192.0.2.1 one.lan\n")
    sotto = begin(**{"hosts-files": [str(folder)]})
    write(folder / "a", "192.0.2.7 one.lan\n")
    write(folder / "b", "192.0.2.2 two.lan\n\nnonsense two.lan\n")
    line, = sotto.wait_for_log(msg=KEPT)
    assert (line["file"], line["line"]) == (str(folder / "b"), "3")
    assert status(sotto)["rules"]["error"]["file"] == str(folder / "b")
    assert sotto.told("one.lan") == ["192.0.2.1"]
    write(folder / "b", "192.0.2.2 two.lan\n")
    assert eventually(lambda: (sotto.told("one.lan"), sotto.told("two.lan")) == (["192.0.2.7"], ["192.0.2.2"]))


def test_masq_what_is_wrong_in_a_folder_is_told_at_the_start(tmp_path):
    folder = tmp_path / "hosts.d"
    folder.mkdir()
    write(folder / "b", "nonsense two.lan\n")
    assert fault_of(tmp_path, **{"hosts-files": [str(folder)]}).startswith(f"{folder}/b:1: nonsense: not an address")
