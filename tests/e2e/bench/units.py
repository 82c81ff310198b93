"""The units of systemd as files: their settings, and the system calls that they leave."""

import functools
import pathlib
import subprocess

from . import daemon

FOLDER = pathlib.Path(daemon.RELEASE).parent / "packaging" / "systemd"


def settings(unit):
    """What is set in it, all sections together: a list for each key, in order."""
    found = {}
    for line in (FOLDER / unit).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def analyze(*arguments):
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, timeout=60,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
    )


@functools.cache
def calls_of(word):
    """The system calls that a word of SystemCallFilter= stands for."""
    if not word.startswith("@"):
        return {word}
    listed = analyze("syscall-filter", word)
    assert listed.returncode == 0, listed.stderr
    words = [line.strip() for line in listed.stdout.splitlines()[1:]]
    return {call for one in words if one and not one.startswith("#") for call in calls_of(one)}


def allowed_calls(unit):
    """What SystemCallFilter= comes to: an allow list, to which lines add, and from which those with ~ take away."""
    allowed = set()
    for line in settings(unit)["SystemCallFilter"]:
        words = {call for word in line.lstrip("~").split() for call in calls_of(word)}
        allowed = allowed - words if line.startswith("~") else allowed | words
    # systemd itself adds what is needed to start and end a process at all.
    return allowed | calls_of("@default") | {"execve", "exit", "exit_group"}
