"""What the running daemon can still do, as the kernel tells of each of its threads. What of the forbidden it cannot do
any more is tried in tests/unit/confine_test.c; and all other tests run with `sandbox: strict`, which ends a daemon that
makes a system call not foreseen."""

import json
import pathlib
import re
import subprocess
import sys

import pytest

from bench import claims, daemon, eventually

OLD_KERNEL = pathlib.Path(__file__).with_name("bench") / "old_kernel.py"
CAPABILITIES = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}

pytestmark = pytest.mark.skipif(daemon.SANDBOX == "off", reason="this bench runs without a sandbox")


def threads(sotto):
    """What /proc says of each thread of it."""
    tasks = pathlib.Path(f"/proc/{sotto.process.pid}/task").iterdir()
    return [dict(re.findall(r"^(\w+):\t(.*)$", (task / "status").read_text(), re.M)) for task in tasks]


def status(sotto, *arguments):
    return subprocess.run(
        [daemon.BINARY, "status", "-c", sotto.file, *arguments], capture_output=True, text=True, timeout=30, check=True
    ).stdout


def sandbox_of(sotto):
    return json.loads(status(sotto, "--json"))["sandbox"]


@pytest.fixture
def kept(tmp_path):
    """Settings with which it does work in further threads."""
    (tmp_path / "state").mkdir()
    return {"state": str(tmp_path / "state"), "cache": {"size": "4MiB"}, "workers": 3}


@pytest.mark.parametrize("mode", ["on", "strict"])
def test_no_thread_has_a_privilege_left(mode, start_upstream, run_sotto, kept):
    sotto = run_sotto(start_upstream(), sandbox=mode, **kept)
    assert claims.is_answered(sotto)
    assert eventually(lambda: len(threads(sotto)) > 3), "no thread for work beside those of the workers"
    for thread in threads(sotto):
        assert {key: int(thread[key], 16) for key in CAPABILITIES} == dict.fromkeys(CAPABILITIES, 0)
        assert (thread["NoNewPrivs"], thread["Seccomp"]) == ("1", "2")


def test_it_leaves_no_core_file(start_upstream, start_sotto):
    limits = pathlib.Path(f"/proc/{start_sotto(start_upstream()).process.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M), limits


def test_the_status_tells_of_it(start_upstream, run_sotto):
    sotto = run_sotto(start_upstream(), sandbox="on")
    seen = sandbox_of(sotto)
    assert (seen["mode"], seen["no_privileges"], seen["seccomp"]) == ("on", True, True)
    assert re.search(r"^sandbox +seccomp, (landlock \d+|NO LANDLOCK), no privileges$", status(sotto), re.M)
    assert bool(seen["landlock"]) == (f"landlock {seen['landlock']}" in status(sotto))


def test_off_takes_nothing(start_upstream, run_sotto):
    sotto = run_sotto(start_upstream(), sandbox="off")
    assert claims.is_answered(sotto)
    own = dict(re.findall(r"^(\w+):\t(.*)$", pathlib.Path("/proc/self/status").read_text(), re.M))
    for thread in threads(sotto):
        assert all(thread[key] == own[key] for key in ("CapEff", "NoNewPrivs", "Seccomp"))
    assert sandbox_of(sotto) == {"mode": "off", "no_privileges": False, "landlock": 0, "seccomp": False}
    assert re.search(r"^sandbox +OFF$", status(sotto), re.M)


@pytest.mark.parametrize("without", ["landlock", "seccomp", "landlock,seccomp"])
def test_what_a_kernel_lacks_is_told_in_one_line_and_it_serves(without, start_upstream, run_sotto):
    sotto = run_sotto(start_upstream(), prefix=(sys.executable, str(OLD_KERNEL), without))
    assert claims.is_answered(sotto)
    line, = sotto.log(msg="the sandbox has gaps")
    lacking = set(without.split(","))
    assert line["level"] == "warn" and {"landlock", "seccomp", "privileges"} & set(line) == lacking
    assert all(line[word] == "Function not implemented" for word in lacking - {"seccomp"})
    seen = sandbox_of(sotto)
    assert {word for word in ("landlock", "seccomp") if not seen[word]} == lacking and seen["no_privileges"]
    assert all(f"NO {word.upper()}" in status(sotto) for word in lacking)


def test_as_no_root_it_is_no_other(start_upstream, start_sotto):
    """Who starts it in a container, as a user without rights, has the same walls."""
    sotto = start_sotto(start_upstream(), prefix=("setpriv", "--bounding-set=-all", "--inh-caps=-all"))
    assert claims.is_answered(sotto)
    assert not sotto.log(msg="the sandbox has gaps")
