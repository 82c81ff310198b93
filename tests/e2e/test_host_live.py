"""`sotto host` on a host, not an image: in namespaces, where /etc and /var/lib are folders of the test."""

import os
import pathlib
import shutil
import subprocess

import pytest

from bench import daemon
from test_host import RESOLV, RESOLVED, build, picture

SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$0.log"
[ ! -e "$0.fails" ]
"""


@pytest.fixture
def live(mounts, link, tmp_path):
    made = Live(link.near, tmp_path)
    yield made


class Live:
    """A host whose sotto, if there is one, is in the near end of the link."""

    def __init__(self, space, directory):
        self.space, self.root, self.programs = space, directory / "host", directory / "programs"
        build(self.root, {RESOLV: "nameserver 192.0.2.1\n", "etc/nsswitch.conf": "hosts: dns\n"})
        (self.root / RESOLV).chmod(0o644)
        self.programs.mkdir()
        (self.programs / "systemctl").write_text(SYSTEMCTL)
        (self.programs / "systemctl").chmod(0o755)

    def run(self, *words, before="true", prefix=()):
        """Runs it there; what it says, and its status. before: a line of shell."""
        script = f'mount --bind {self.root}/etc /etc && mount --bind {self.root}/var/lib /var/lib && {before} && exec "$@"'
        return subprocess.run(
            [*self.space.prefix, "unshare", "-m", "sh", "-c", script, "sh", *prefix, *words],
            capture_output=True, text=True, timeout=60,
            env=os.environ | {"PATH": f"{self.programs}:{os.environ['PATH']}"},
        )

    def host(self, *words, status=0, **how):
        done = self.run(daemon.BINARY, "host", *words, **how)
        assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        assert not daemon.SANITIZER_REPORT.search(done.stderr), done.stderr
        return done.stdout + done.stderr

    def told(self):
        """What systemctl was told."""
        log = self.programs / "systemctl.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def served(live, link, start):
    """The same with a sotto on port 53 of loopback, and the upstream that it asks."""
    with link.far.entered():
        live.upstream = start.upstream(host=link.FAR)
    start.sotto(live.upstream, prefix=link.near.prefix, listen=["127.0.0.1:53"])
    return live


def test_programs_ask_sotto_until_it_is_disabled(served, name):
    before = picture(served.root)
    served.host("enable")
    printed = served.run("getent", "ahostsv4", name)
    assert served.upstream.asked(name), printed.stderr
    assert printed.stdout.startswith("10."), printed.stderr
    served.host("disable")
    assert picture(served.root) == before
    assert served.run("cat", "/etc/resolv.conf").stdout == "nameserver 192.0.2.1\n"
    assert served.told() == []


def test_nobody_is_asked_who_does_not_answer(live):
    before = picture(live.root)
    assert "nobody answers at 127.0.0.1:53" in live.host("enable", status=1)
    assert picture(live.root) == before
    live.host("enable", "--force")
    assert "127.0.0.1" in (live.root / RESOLV).read_text()


def test_systemd_resolved_is_told_of_both(served):
    (served.root / RESOLV).unlink()
    (served.root / RESOLV).symlink_to("../run/systemd/resolve/stub-resolv.conf")
    (served.root / "etc/systemd").mkdir()
    before = picture(served.root)
    served.host("enable")
    assert served.told() == ["try-reload-or-restart systemd-resolved.service"]
    served.host("disable")
    assert served.told() == ["try-reload-or-restart systemd-resolved.service"] * 2
    assert picture(served.root) == before


def test_a_unit_that_cannot_be_told_is_said(served):
    (served.root / RESOLV).write_text("nameserver 127.0.0.53\n")
    (served.root / "etc/systemd").mkdir()
    (served.programs / "systemctl.fails").touch()
    said = served.host("enable", status=1)
    assert "if systemd-resolved.service runs, it has to be restarted" in said
    assert (served.root / RESOLVED).exists()


def test_a_resolv_conf_that_is_mounted_is_told(served, tmp_path):
    """As the resolver of a container is."""
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.2\n")
    before = picture(served.root)
    said = served.host("enable", before=f"mount --bind {tmp_path}/resolv.conf /etc/resolv.conf", status=1)
    assert "it is a mount of its own, as in a container" in said
    assert picture(served.root) == before


def test_a_folder_that_cannot_be_written_is_told(served):
    before = picture(served.root)
    said = served.host("enable", before="mount -o remount,ro,bind /etc", status=1)
    assert "/etc/resolv.conf: Read-only file system" in said
    assert picture(served.root) == before


def test_a_full_disk_is_told(served):
    """Of the state: before it is kept, nothing is changed."""
    before = picture(served.root)
    full = "mount -t tmpfs -o size=4k none /var/lib && ! dd if=/dev/zero of=/var/lib/all bs=8k count=1 2>/dev/null"
    said = served.host("enable", before=full, status=1)
    assert "changes.json: No space left" in said
    assert picture(served.root) == before


def test_only_root_may(live):
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    program = pathlib.Path("/run") / f"sotto-{os.getpid()}"
    shutil.copy(daemon.BINARY, program)  # where anybody may read it
    try:
        before = picture(live.root)
        for words in (["enable"], ["disable"], ["intercept", "--apply", "--exempt-uid", "0"], ["intercept", "--remove"]):
            done = live.run(program, "host", *words, prefix=nobody)
            assert done.returncode == 1 and "only root may" in done.stderr, done
        done = live.run(program, "host", "enable", "--dry-run", prefix=nobody)
        assert done.returncode == 0 and "would write /etc/resolv.conf" in done.stdout, done
        assert live.run(program, "host", "status", prefix=nobody).stdout.startswith("not enabled")
        assert picture(live.root) == before
    finally:
        program.unlink()


# -- the real systemd-resolved --

# Debian's package takes over the resolver of the machine that it is installed on; unpacked anywhere it takes over none.
RESOLVED_PROGRAM = os.environ.get("SYSTEMD_RESOLVED", "/lib/systemd/systemd-resolved")

# Its user, its folder, and a systemctl that starts it anew.
RESOLVED_BEGINS = """
mount -t tmpfs none /run && mkdir -p /run/systemd/resolve && chown -R 990:990 /run/systemd/resolve
cat >/run/begin <<'END'
#!/bin/sh
[ ! -e /run/pid ] || kill "$(cat /run/pid)"
"$SYSTEMD_RESOLVED" >/run/log 2>&1 &
echo $! >/run/pid
END
chmod +x /run/begin && mount --bind /run/begin "$SYSTEMCTL" && "$SYSTEMCTL"
tries() { n=0; until "$@"; do n=$((n + 1)); [ $n -lt 100 ] || { cat /run/log; return 1; }; sleep 0.1; done; }
tries test -e /run/systemd/resolve/stub-resolv.conf
"""


@pytest.mark.skipif(not os.access(RESOLVED_PROGRAM, os.X_OK), reason="no systemd-resolved: name it by SYSTEMD_RESOLVED")
def test_through_systemd_resolved_sotto_is_asked(live, link, start, name):
    (live.root / RESOLV).unlink()
    (live.root / RESOLV).symlink_to("../run/systemd/resolve/stub-resolv.conf")
    (live.root / "etc/systemd/resolved.conf.d").mkdir(parents=True)
    (live.root / "etc/systemd/resolved.conf.d/mine.conf").write_text("[Resolve]\nDNS=192.0.2.1\nDomains=mine.example\n")
    (live.root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nsystemd-resolve:x:990:990::/:/bin/false\n")
    (live.root / "etc/group").write_text("root:x:0:\nsystemd-resolve:x:990:\n")
    before = picture(live.root)
    with link.far.entered():
        upstream = start.upstream(host=link.FAR)
    start.sotto(upstream, prefix=link.near.prefix, listen=["127.0.0.1:5300"])
    script = f"""{RESOLVED_BEGINS}
{daemon.BINARY} host enable --listen 127.0.0.1:5300 && tries getent ahostsv4 {name} && {daemon.BINARY} host disable
"""
    done = subprocess.run(
        [*link.near.prefix, "unshare", "-m", "--pid", "--fork", "--kill-child", "sh", "-c",
         f"mount -t proc proc /proc && mount --bind {live.root}/etc /etc && mount --bind {live.root}/var/lib /var/lib && {script}"],
        capture_output=True, text=True, timeout=60,
        env=os.environ | {
            "PATH": f"{live.programs}:{os.environ['PATH']}", "SYSTEMCTL": str(live.programs / "systemctl"),
            "SYSTEMD_RESOLVED": RESOLVED_PROGRAM,
        },
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert upstream.asked(name) and "10." in done.stdout, f"{done.stdout}\n{done.stderr}"
    assert picture(live.root) == before
