"""The log says what is wrong, where, in which phase, and what to do: users.md's fourteen failures, each induced."""

import ssl
import time

import pytest

from bench import behaviours, clients, daemon, messages
from bench.clients import ask

OLD = (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)


def shown(start, authority, **certificate):
    return start.upstream(authority.issue(**certificate)).address()


def self_signed(start, authority, stranger):
    return shown(start, authority, self_signed=True)


def refusing(start, authority, stranger):
    upstream = start.upstream()
    upstream.stop_listening()
    return upstream.address()


def speaking(start, octets):
    return start.upstream(instead_of_tls=behaviours.plain_then_close(octets)).address()


# What the server does, the phase it shows in, and the token it has.
FAILURES = {
    "expired": ("verify", lambda s, a, x: shown(s, a, begin=-9, end=-2)),
    "not-yet-valid": ("verify", lambda s, a, x: shown(s, a, begin=2, end=9)),
    "wrong-name": ("verify", lambda s, a, x: shown(s, a, names=("other.test",))),
    "self-signed": ("verify", self_signed),
    "unknown-issuer": ("verify", lambda s, a, x: s.upstream(x.issue()).address()),
    "alpn-refused": ("handshake", lambda s, a, x: speaking(s, behaviours.ALERT_NO_APPLICATION_PROTOCOL)),
    "tls-version": ("handshake", lambda s, a, x: s.upstream(versions=OLD).address()),
    "refused": ("connect", refusing),
    "timeout": ("handshake", lambda s, a, x: s.upstream(instead_of_tls=behaviours.mute).address()),
    "reset": ("handshake", lambda s, a, x: s.upstream(instead_of_tls=behaviours.reset).address()),
    "not-tls": ("handshake", lambda s, a, x: speaking(s, b"HTTP/1.1 400 Bad Request\r\n\r\n")),
}


def must_explain(line, upstream, phase, cause):
    assert line["level"] == "warn"
    assert line["upstream"] == upstream
    assert line["addr"] == upstream.removeprefix("tls://").partition("#")[0]
    assert (line["phase"], line["cause"]) == (phase, cause)
    assert " " in line["reason"] and " " in line["hint"]


@pytest.mark.parametrize("cause", FAILURES)
def test_a_failure_is_explained_in_one_line(cause, start, authority, stranger, name):
    phase, induce = FAILURES[cause]
    upstream = induce(start, authority, stranger)
    sotto = start.sotto(upstream, timeouts={"connect": "500ms"})
    answer = ask(sotto.address, name, edns=messages.opt())
    assert clients.rcode_name(answer) == "SERVFAIL"
    assert clients.extended_errors(answer)
    line, = sotto.wait_for_log(msg="upstream failed")
    must_explain(line, upstream, phase, cause)


@pytest.mark.parametrize("scheme", ["tls", "tcp"])
def test_a_refusal_is_explained_for_tls_and_for_plain_dns(scheme, start, name):
    sotto = start.sotto(f"{scheme}://127.0.0.1:{daemon.free_port()}")
    ask(sotto.address, name)
    line = sotto.wait_for_log(msg="upstream failed")[0]
    assert line["cause"] == "refused"
    assert line["hint"].endswith("its address and port: usually 853 for DNS over TLS, 53 for plain DNS")


def test_a_failure_without_a_route_is_explained(namespaces, start, link, name):
    upstream = "tls://192.0.2.1#upstream.test"
    sotto = start.sotto(upstream, prefix=link.near.prefix, listen=["127.0.0.1:5300"])
    with link.near.entered():
        assert clients.rcode_name(ask(sotto.address, name)) == "SERVFAIL"
    line, = sotto.wait_for_log(msg="upstream failed")
    must_explain({**line, "addr": "192.0.2.1"}, upstream, "connect", "unreachable")


@pytest.mark.parametrize(
    "words, content", [("cannot read the CA certificates", None), ("there is no CA certificate", "no certificate here\n")]
)
def test_without_certificates_it_does_not_start(words, content, start, tmp_path):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    sotto = start.sotto("tls://127.0.0.1:853#upstream.test", serving=False, tls={"ca": str(file)})
    assert sotto.wait() == 78
    assert f"tls.ca: {words} in {file}" in sotto.text() and sotto.text().endswith("^\n1 error\n")


def test_a_failure_that_repeats_is_counted_and_not_written_again(start, authority, stranger, name):
    sotto = start.sotto(refusing(start, authority, stranger))
    for _ in range(3):
        sotto_failures = len(sotto.log(msg="upstream failed"))
        assert sotto_failures <= 1
        ask(sotto.address, name)
        time.sleep(1.1)  # the next attempt to connect is due
    sotto.stop()
    first, *rest = sotto.log(msg="upstream failed")
    assert "suppressed" not in first
    assert [int(line["suppressed"]) >= 1 for line in rest] == [True]


def test_the_first_line_says_where_it_listens_where_it_sends_and_how_that_is_verified(sotto, upstream):
    first = sotto.log()[0]
    assert first["listen"] == "%s:%d" % sotto.address
    assert first["upstreams"] == upstream.address()
    assert "TLS" in first["encrypted"]
    assert "upstream.test" in first["verified"]


def test_the_first_connection_says_what_was_agreed_on(sotto, upstream, name):
    ask(sotto.address, name)
    line = sotto.wait_for_log(msg="upstream connected")[0]
    assert line["tls"] == "TLSv1.3"
    assert line["verified"] == "name upstream.test"
