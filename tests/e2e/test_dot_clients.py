"""DNS over TLS as real programs speak it: kdig, openssl s_client, unbound, dnsdist and systemd-resolved (RFC 7858, 8446)."""

import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from bench import eventually, messages
from bench.certificates import FRONT
from bench.clients import Tcp, addresses, ask, readable, tool
from bench.control import answer_to
from bench.daemon import free_port
from bench.messages import frame, query, unique_name
from bench.unbound import beginning as unbound_beginning


@pytest.fixture
def serve(tmp_path):
    """Runs programs until the test is over."""
    started = []

    def begin(*command):
        """With a copy of the program: AppArmor may keep one in /usr/sbin from reading what a test wrote."""
        found = shutil.which(command[0]) or shutil.which(command[0], path="/usr/sbin:/sbin")
        if not found:
            pytest.skip(f"{command[0]} is not installed")
        copy = shutil.copy(found, tmp_path)
        with (tmp_path / "programs.log").open("ab") as log:
            started.append(
                subprocess.Popen([copy, *command[1:]], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            )

    yield begin
    for process in started:
        process.terminate()
    for process in started:
        process.wait(10)


# ---- kdig


def kdig(sotto, *options, names=None, check=True):
    """What kdig prints of the answers to all of these names."""
    host, port = sotto.front
    asked = [word for name in names or [unique_name()] for word in (name, "A")]
    return tool("kdig", f"@{host}", "-p", port, "+tls", "+retry=0", "+timeout=10", *options, *asked, check=check)


def told(printed):
    return re.findall(r"^\S+\s+\d+\s+IN\s+A\s+(\S+)$", printed, re.MULTILINE)


def test_kdig_that_verifies_the_name_is_answered(start_front, upstream, authority):
    sotto, name = start_front(upstream), unique_name()
    printed = kdig(sotto, f"+tls-ca={authority.file}", f"+tls-hostname={FRONT}", names=[name])
    assert told(printed) == [messages.address_of(name)] and "TLS session (TLS1.3)" in printed


def test_kdig_that_looks_for_another_name_asks_nothing(start_front, start_upstream, authority):
    upstream = start_upstream()
    sotto = start_front(upstream)
    assert not told(kdig(sotto, f"+tls-ca={authority.file}", "+tls-hostname=another.test", check=False))
    assert not upstream.queries


def test_kdig_takes_the_pin_that_is_told_and_no_other(start_front, upstream, front, stranger):
    sotto = start_front(upstream)
    pin = sotto.wait_for_log(msg="shown to clients over TLS")[0]["pin"]
    assert pin == front.pin
    assert told(kdig(sotto, f"+tls-pin={pin.removeprefix('sha256/')}"))
    assert not told(kdig(sotto, f"+tls-pin={stranger.pin.removeprefix('sha256/')}", check=False))


def test_kdig_keeps_its_connection(start_front, upstream, control_path):
    """One handshake, for all of its questions."""
    sotto, names = start_front(upstream, control=control_path), [unique_name() for _ in range(20)]
    assert told(kdig(sotto, "+keepopen", names=names)) == [messages.address_of(name) for name in names]
    assert json.loads(answer_to(control_path, b"status\n"))["clients_tls_total"] == 1


def test_7830_01_kdig_that_pads_gets_padding(start_front, upstream):
    sotto = start_front(upstream)
    for option, padded in (("+padding", True), ("+nopadding", False)):
        printed = kdig(sotto, option)
        size = int(re.search(r"Received (\d+) B", printed)[1])
        assert told(printed) and (size % 468 == 0) == padded and ("PADDING" in printed) == padded


# ---- openssl s_client


def s_client(sotto, *options, said=b"", until="Verify return code", writes=None):
    """What it prints until that comes, or has been written, or it ends by itself. It says these octets."""
    host, port = sotto.front
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", FRONT, *map(str, options)]
    printed, end = b"", time.monotonic() + 20

    def is_there():
        return writes.exists() and writes.stat().st_size if writes else until.encode() in printed

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        process.stdin.write(said)
        process.stdin.flush()
        while not is_there() and time.monotonic() < end:
            if readable([process.stdout], 0.05):
                octets = process.stdout.read1(65536)
                if not octets:
                    break
                printed += octets
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        printed += process.stdout.read()
    return printed.decode(errors="replace")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_s_client_shakes_hands_in_both_versions_and_finds_dot(start_front, upstream, authority, version):
    sotto = start_front(upstream)
    flag = f"-tls{version.replace('.', '_')}"
    printed = s_client(sotto, flag, "-alpn", "dot", "-CAfile", authority.file, "-verify_return_error", "-verify_hostname", FRONT)
    assert f"New, TLSv{version}" in printed
    assert "ALPN protocol: dot" in printed and "Verify return code: 0 (ok)" in printed
    assert "Compression: NONE" in printed


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_s_client_does_not_get_older_versions(start_front, upstream, version):
    printed = s_client(start_front(upstream), version, "-cipher", "ALL:@SECLEVEL=0")
    assert "alert protocol version" in printed and "BEGIN CERTIFICATE" not in printed


def test_s_client_that_offers_no_dot_gets_an_alert(start_front, upstream):
    sotto = start_front(upstream)
    assert "alert no application protocol" in s_client(sotto, "-alpn", "h2")
    assert "ALPN protocol: dot" in s_client(sotto, "-alpn", "h2,dot")
    assert "No ALPN negotiated" in s_client(sotto)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_7858_08_s_client_resumes_its_session(start_front, upstream, tmp_path, version):
    sotto, session = start_front(upstream), tmp_path / "session"
    assert "New, " in s_client(sotto, version, "-sess_out", session, writes=session)
    assert "Reused, " in s_client(sotto, version, "-sess_in", session)


def test_8446_04_early_data_is_not_taken(start_front, upstream, tmp_path):
    """No ticket allows any; a client that sends some all the same is not heard."""
    sotto, session, early = start_front(upstream), tmp_path / "session", tmp_path / "early"
    early.write_bytes(frame(query(unique_name())))
    printed = s_client(sotto, "-tls1_3", "-sess_out", session, writes=session)
    assert "Max Early Data: 0" in printed
    printed = s_client(sotto, "-tls1_3", "-sess_in", session, "-early_data", early)
    assert "Reused, " in printed and "Early data was accepted" not in printed


def test_s_client_may_not_renegotiate(start_front, upstream):
    """`R` at the beginning of a line asks for it."""
    sotto = start_front(upstream)
    printed = s_client(sotto, "-tls1_2", said=b"R\n", until="no renegotiation")
    assert "RENEGOTIATING" in printed and "no renegotiation" in printed
    assert addresses(ask(sotto.front, unique_name(), over="tls"))


# ---- forwarders


def is_asked_through(port, name):
    try:
        return addresses(ask(("127.0.0.1", port), name, over="tcp")) == [messages.address_of(name)]
    except (OSError, AssertionError):
        return False


def forwards(port):
    return eventually(lambda: is_asked_through(port, unique_name()), 20)


def unbound_before(serve, directory, sotto, authority, name):
    port = free_port()
    (directory / "unbound.conf").write_text(f"""{unbound_beginning(directory)}
    do-not-query-localhost: no
    local-zone: "test." nodefault
    interface: 127.0.0.1@{port}
    tls-upstream: yes
    tls-cert-bundle: "{authority.file}"
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@{sotto.front[1]}#{name}
remote-control:
    control-enable: no
""")
    serve("unbound", "-d", "-c", str(directory / "unbound.conf"))
    return port


def test_unbound_forwards_to_it_and_verifies(start_front, upstream, serve, tmp_path, authority):
    port = unbound_before(serve, tmp_path, start_front(upstream), authority, FRONT)
    assert forwards(port)
    assert all(is_asked_through(port, unique_name()) for _ in range(50))


def test_unbound_that_looks_for_another_name_gets_nothing(start_front, start_upstream, serve, tmp_path, authority):
    upstream = start_upstream()
    port = unbound_before(serve, tmp_path, start_front(upstream), authority, "another.test")
    assert eventually(lambda: can_connect(port), 20)
    assert ask(("127.0.0.1", port), unique_name(), over="tcp").rcode() == messages.SERVFAIL
    assert not upstream.queries


def can_connect(port):
    try:
        Tcp(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False


def test_dnsdist_forwards_to_it_and_verifies(start_front, upstream, serve, tmp_path, authority):
    sotto, port = start_front(upstream), free_port()
    (tmp_path / "dnsdist.conf").write_text(f"""setLocal("127.0.0.1:{port}")
setSecurityPollSuffix("")
newServer{{address="127.0.0.1:{sotto.front[1]}", tls="openssl", subjectName="{FRONT}", caStore="{authority.file}",
    validateCertificates=true, healthCheckMode="up"}}
""")
    serve("dnsdist", "--supervised", "--disable-syslog", "-C", str(tmp_path / "dnsdist.conf"))
    assert forwards(port)
    assert all(is_asked_through(port, unique_name()) for _ in range(50))


# ---- systemd-resolved

# It would take over the host's /etc/resolv.conf if it were installed. Its user is not there either, nor a bus.
RESOLVED = """
mount --bind passwd /etc/passwd && mount --bind group /etc/group && mount -t tmpfs none /run || exit 1
install -d -o 992 -g 992 /run/systemd/resolve
install -D -m 644 resolved.conf /run/systemd/resolved.conf.d/here.conf
install -m 644 "$1" /run/ca.pem # what lies here it may not read
SSL_CERT_FILE=/run/ca.pem SYSTEMD_LOG_LEVEL=debug exec "$0"
"""


def with_line(file, line):
    return pathlib.Path(file).read_text() + line + "\n"


@pytest.fixture
def resolved(tmp_path):
    """The program, out of Debian's package of the version that the system's other parts have."""
    version = tool("dpkg-query", "-W", "-f", "${Version}", "systemd", check=False)
    tool("apt-get", "download", f"systemd-resolved={version}", check=False, cwd=tmp_path, timeout=120)
    packages = list(tmp_path.glob("systemd-resolved_*.deb"))
    if not packages:
        pytest.skip(f"there is no package systemd-resolved {version} to be had")
    tool("dpkg-deb", "-x", packages[0], tmp_path / "unpacked")
    return next((tmp_path / "unpacked").glob("**/systemd/systemd-resolved"))


# Without a link, it takes the network to be down.
def test_systemd_resolved_asks_over_tls_alone(mounts, link, start, front, authority, resolved, tmp_path):
    (tmp_path / "passwd").write_text(with_line("/etc/passwd", "systemd-resolve:x:992:992::/:/usr/sbin/nologin"))
    (tmp_path / "group").write_text(with_line("/etc/group", "systemd-resolve:x:992:"))
    (tmp_path / "resolved.conf").write_text(
        f"[Resolve]\nDNS=127.0.0.1:853#{FRONT}\nDNSOverTLS=yes\nDNSSEC=no\nLLMNR=no\nMulticastDNS=no\nDomains=~.\n"
    )
    with link.near.entered():
        upstream = start.upstream()
    sotto = start.sotto(
        upstream, prefix=link.near.prefix, listen=["tls://127.0.0.1:853"],
        certificate={"cert": str(front.chain), "key": str(front.key)},
    )
    command = [*link.near.prefix, "unshare", "--mount", "sh", "-c", RESOLVED, resolved, authority.file]
    with (tmp_path / "resolved.log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        with link.near.entered():
            assert eventually(lambda: stub_answers(unique_name()), 20), (tmp_path / "resolved.log").read_text()
    finally:
        process.terminate()
        process.wait(10)
    assert sotto.log(msg="a client has come over TLS")
    assert "confidential" in (tmp_path / "resolved.log").read_text()


def stub_answers(name):
    try:
        return addresses(ask(("127.0.0.53", 53), name)) == [messages.address_of(name)]
    except OSError:
        return False
