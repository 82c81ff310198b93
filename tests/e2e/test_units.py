"""The units of packaging/systemd: what systemd thinks of them, and that sotto does its work under what they forbid."""

import json
import os
import re
import socket
import subprocess
import sys

import pytest

from bench import daemon, manager, messages, units
from bench.clients import addresses, ask

SERVICES = {"sotto.service": 1.6, "sotto-activated.service": 1.2}  # the exposure that is allowed, of 10
SO_RCVBUFFORCE = 33
UNDER_UNIT = daemon.HAND_OVER.with_name("under_unit.py")

pytestmark = pytest.mark.skipif(
    not units.FOLDER.is_dir(), reason="the program that is tested was not built with its units: see ./run build"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder into which the release was installed."""
    folder = tmp_path_factory.mktemp("installed")
    done = subprocess.run(
        ["meson", "install", "-C", daemon.RELEASE.parent, "--no-rebuild", "--destdir", folder],
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_units_are_installed_where_systemd_looks_for_them(installed):
    folder, = (path for path in installed.rglob("system") if path.parent.name == "systemd")
    assert str(folder.relative_to(installed)) in ("usr/local/lib/systemd/system", "usr/lib/systemd/system")
    assert {path.name for path in folder.iterdir()} == {"sotto.service", "sotto-activated.service", "sotto.socket"}


def test_what_the_units_point_to_is_installed(installed):
    for unit in units.FOLDER.iterdir():
        for url in units.settings(unit.name)["Documentation"]:
            assert (installed / url.removeprefix("file:///")).is_file()
    for service in SERVICES:
        program = units.settings(service)["ExecStart"][0].split()[0]
        assert os.access(installed / program.lstrip("/"), os.X_OK)


def test_systemd_finds_nothing_wrong_with_the_units(installed, tmp_path):
    for unit in units.FOLDER.iterdir():  # with the program where it is
        text = unit.read_text()
        for word in re.findall(r"^ExecStart=(\S+)", text, re.M) + re.findall(r"file://(\S+)", text):
            text = text.replace(word, str(installed / word.lstrip("/")))
        (tmp_path / unit.name).write_text(text)
    said = units.analyze("verify", "--man=no", "--recursive-errors=no", *sorted(map(str, tmp_path.iterdir())))
    about_ours = [line for line in said.stderr.splitlines() if "sotto" in line]
    assert not about_ours and said.returncode == 0, said.stderr


@pytest.mark.parametrize("unit, allowed", SERVICES.items())
def test_the_exposure_is_low(unit, allowed):
    said = units.analyze("security", "--offline=true", "--json=off", str(units.FOLDER / unit))
    level = re.search(rf"Overall exposure level for {re.escape(unit)}: (\d+\.\d+)", said.stdout)
    assert level, said.stdout + said.stderr
    assert float(level[1]) <= allowed, said.stdout
    assert not said.stderr


def test_an_unprotected_unit_is_seen_to_be_exposed(tmp_path):
    """The figure is not low whatever is written."""
    bare = tmp_path / "sotto.service"
    bare.write_text("[Service]\nExecStart=/bin/true\n")
    said = units.analyze("security", "--offline=true", str(bare))
    assert float(re.search(r"level for sotto.service: (\d+\.\d+)", said.stdout)[1]) > 9


def test_both_services_forbid_the_same():
    """They differ in who binds the ports, and in nothing else."""
    own, activated = (units.settings(unit) for unit in SERVICES)
    differing = {key for key in own.keys() | activated.keys() if own.get(key) != activated.get(key)}
    assert differing == {
        "CapabilityBoundingSet", "AmbientCapabilities", "PrivateUsers", "Conflicts", "Requires", "After", "Also"
    }
    assert activated["CapabilityBoundingSet"] == [""]


def test_the_socket_unit_gives_each_address_both_transports():
    said = units.settings("sotto.socket")
    assert said["ListenDatagram"] == said["ListenStream"] == ["127.0.0.1:53", "[::1]:53"]
    assert said["Service"] == ["sotto-activated.service"]



@pytest.fixture
def start_under(start, control_path, monkeypatch):
    """Starts the release under what a unit forbids."""
    monkeypatch.setattr(daemon, "BINARY", daemon.RELEASE)

    def begin(unit, *upstreams, **how):
        return start.sotto(*upstreams, prefix=(sys.executable, UNDER_UNIT, unit), control=control_path, **how)

    return begin


def complaints(sotto):
    return [line[""] for line in sotto.log() if line["level"] in ("warn", "error")]


@pytest.mark.parametrize("unit", SERVICES)
def test_under_the_unit_everything_works(unit, start_under, start_upstream, name, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    ear = manager.Ear(str(tmp_path / "notify"))
    handed = manager.pair("127.0.0.1") if unit == "sotto-activated.service" else ()
    sotto = start_under(
        unit, start_upstream(), handed=handed, workers=2, cache={"size": "1MiB"}, state=str(state),
        environment={"NOTIFY_SOCKET": ear.path, "WATCHDOG_USEC": "200000"}, **({"listen": None} if handed else {}),
    )
    for over in ("udp", "tcp"):
        assert addresses(ask(sotto.address, f"{over}.{name}", over=over)) == [messages.address_of(f"{over}.{name}")]
    ear.wait_for(WATCHDOG="1", count=2)
    told = subprocess.run(
        [daemon.RELEASE, "status", "--json", "--config", sotto.file], capture_output=True, text=True, timeout=30
    )
    assert json.loads(told.stdout)["upstreams"][0]["upstream_up"] == 1, told.stderr
    status = status_of(sotto)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    sotto.stop()
    ear.wait_for(STOPPING="1")
    assert (state / "cache").is_file()
    assert not complaints(sotto)


def test_under_the_unit_a_socket_keeps_the_buffer_that_it_was_given(start_under, start_upstream, name):
    handed = manager.pair("127.0.0.1")
    handed[0].setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 3 << 20)
    given = handed[0].getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert given > 4 << 20  # more than sotto itself may ask for there
    sotto = start_under("sotto-activated.service", start_upstream(), handed=handed, listen=None)
    ask(sotto.address, name)
    assert handed[0].getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == given


def status_of(sotto):
    with open(f"/proc/{sotto.process.pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def test_what_the_unit_forbids_is_refused_there(start_under, start_upstream, monkeypatch, tmp_path):
    """Without AF_NETLINK in its list, the restriction is felt: the test above does not pass for want of one."""
    text = (units.FOLDER / "sotto.service").read_text()
    assert " AF_NETLINK\n" in text
    changed = tmp_path / "sotto.service"
    changed.write_text(text.replace(" AF_NETLINK\n", "\n"))
    sotto = start_under(str(changed), start_upstream())
    assert any("cannot watch the host" in line for line in complaints(sotto))
