"""Whom `sotto query` believes over TLS: the authentication matrix (failures.md 4.3) as test_authentication.py has it for the daemon,
the words by which a server is named, who we are; and nothing in clear that was not asked for."""

import os
import re

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bench import asker, messages
from bench.certificates import NAME
from bench.hello import offers_session
from bench.messages import address_of
from bench.plain import Plain
from bench.upstream import BOTH_VERSIONS, V12, V13
from test_authentication import BY, OTHER_PIN, ROWS, Cell, World, rows_that

CAUSES = {
    "expired": "expired", "not-yet-valid": "not valid before", "wrong-name": "not for ", "self-signed": "self-signed",
    "unknown-issuer": "not trusted", "not-a-ca": "CA", "wrong-purpose": "not for a server", "name-constraint": "name",
    "weak-key": "too short", "weak-signature": "hash that is broken", "pin-mismatch": "pin",
}


@pytest.fixture
def cells(authority, stranger, start_upstream):
    def cells(row, refused):
        world = World(authority, stranger)
        wanted = [by for by in BY if (by in row.causes) == refused]
        return [Cell(row, by, version, world, start_upstream) for by in wanted for version in (V12, V13)]

    return cells


def ask(spelled, authority, name, *words, **how):
    trust = [] if "ca=" in spelled else [f"+tls-ca={authority.file}"]
    return asker.query(f"@{spelled}", *trust, name, *words, **how)


def agreed(said):
    """Of each reply: the version, whether it was resumed, and the verdict."""
    return re.findall(r"^;; TLS: (\S+), .*, (not resumed|resumed), (.*)$", said.out, re.MULTILINE)


def is_right(said, name):
    return said.status == 0 and [record.split()[-1] for record in said.records()] == [address_of(name)]


@pytest.mark.parametrize("what", rows_that(are_refused=True))
def test_who_is_someone_else_gets_no_octet_of_a_question(what, cells, authority, name):
    row = ROWS[what]
    for cell in cells(row, refused=True):
        said = ask(cell.spelled, authority, name, "+resume", check=asker.TLS)
        assert len(cell.connections) == 1, "nobody was asked, or one that was refused again"
        cell.must_have_heard_nothing(cell.connections)
        assert row.says in said.err and CAUSES[cell.cause].lower() in said.err.lower(), f"{cell.cause}\n{said}"
        assert not said.records()


@pytest.mark.parametrize("what", rows_that(are_refused=False))
def test_who_is_the_right_one_is_asked(what, cells, authority, name):
    """And again when its session is resumed, with the same verdict."""
    for cell in cells(ROWS[what], refused=False):
        said = ask(cell.spelled, authority, name, "+resume", check=0)
        assert [record.split()[-1] for record in said.records()] == 2 * [address_of(name)], said
        version = {V12: "TLSv1.2", V13: "TLSv1.3"}[cell.version]
        assert agreed(said) == [(version, "not resumed", "verified"), (version, "resumed", "verified")], said


# ---- a certificate is exchanged for another between two connections


def then_shows(upstream, certificate, **how):
    """Behind its first reply, another one."""

    def behave(query):
        query.send(messages.derived(query.asked))
        upstream.show(certificate, **how)

    upstream.otherwise = behave


@BOTH_VERSIONS
def test_a_ticket_is_no_reason_to_believe_another_certificate(version, authority, stranger, start_upstream, name):
    """The server cannot resume the session that it is offered, and begins anew as somebody else."""
    world = World(authority, stranger)
    for what, by in [("unknown CA", "name"), ("expired", "ip"), ("the pin of another key", "pin"), ("wrong name", "name+pin")]:
        cell = Cell(ROWS[what], by, version, world, start_upstream)
        cell.upstream.show(cell.good)
        then_shows(cell.upstream, cell.shown)
        said = ask(cell.spelled, authority, name, "+resume", check=asker.TLS)
        first, second = cell.connections
        assert len(first.queries) == 1 and offers_session(second) and not second.resumed, said
        cell.must_have_heard_nothing([second])
        assert CAUSES[cell.cause].lower() in said.err.lower() and len(agreed(said)) == 1, said


@BOTH_VERSIONS
def test_who_resumes_a_session_is_who_was_verified_in_it(version, authority, stranger, start_upstream, name):
    """Only who has its keys can resume it, whatever he would show to others. Those, he does not convince."""
    upstream = start_upstream(versions=(version, version))
    then_shows(upstream, stranger.issue(), keep_tickets=True)
    said = ask(upstream.address(), authority, name, "+resume", check=0)
    assert [how[1:] for how in agreed(said)] == [("not resumed", "verified"), ("resumed", "verified")], said
    ask(upstream.address(), authority, name, "+resume", check=asker.TLS)
    assert [len(connection.queries) for connection in upstream.connections] == [1, 1, 0]


@BOTH_VERSIONS
def test_a_session_of_whoever_it_was_stays_unverified(version, stranger, start_upstream, name):
    upstream = start_upstream(stranger.issue(), versions=(version, version))
    said = asker.query(*where(upstream), "+tls=noauth", "+resume", name, check=0)
    first, second = agreed(said)
    assert (first[1], second[1]) == ("not resumed", "resumed"), said
    assert first[2] == second[2] and first[2].startswith("NOT VERIFIED"), said


# ---- by options instead of a URI


def where(upstream):
    return [f"@{upstream.host}", "-p", upstream.port, "+tls"]


@BOTH_VERSIONS
def test_options_say_who_it_must_be(authority, start_upstream, name, version):
    shown = authority.issue(addresses=("127.0.0.1",))
    upstream = start_upstream(shown, versions=(version, version))
    ca = f"+tls-ca={authority.file}"
    good = [
        [ca], ["+tls=auth", ca], [ca, f"+tls-hostname={NAME}"], [ca, f"+tls_hostname={NAME}"], [f"+tls-pin={shown.pin}"],
        [f"+tls-pin={OTHER_PIN}", f"+tls-pin={shown.pin}"], [ca, f"+tls-hostname={NAME}", f"+tls-pin={shown.pin}"],
    ]  # fmt: skip
    for words in good:
        assert is_right(asker.query(*where(upstream), name, *words), name), words
    heard = len(upstream.queries)
    bad = [
        [], [ca, "+tls-hostname=other.test"], [f"+tls-pin={OTHER_PIN}"],
        [ca, f"+tls-hostname={NAME}", f"+tls-pin={OTHER_PIN}"], [ca, "+tls-hostname=other.test", f"+tls-pin={shown.pin}"],
    ]  # fmt: skip
    for words in bad:
        assert asker.query(*where(upstream), name, *words).status == asker.TLS, words
    assert len(upstream.queries) == heard
    assert not any(offers_session(connection) for connection in upstream.connections)


def test_the_name_is_sent_to_the_server(authority, start_upstream, name):
    upstream = start_upstream()
    asker.query(*where(upstream), name, f"+tls-ca={authority.file}", f"+tls-hostname={NAME}", check=0)
    assert upstream.connections[0].server_name == NAME and upstream.connections[0].alpn == "dot"


def test_noauth_takes_whoever_it_is_and_says_so(stranger, start_upstream, name):
    upstream = start_upstream(stranger.issue(names=("other.test",), begin=-10, end=-1))
    said = asker.query(*where(upstream), "+tls=noauth", name)
    assert is_right(said, name) and "NOT VERIFIED" in said.out, said


@BOTH_VERSIONS
def test_a_certificate_of_ours_is_shown_when_it_is_wanted(authority, start_upstream, name, version):
    own = authority.issue(names=("client.test",), usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    upstream = start_upstream(versions=(version, version), ask=authority.file, insist=True)
    words = [*where(upstream), name, f"+tls-ca={authority.file}", f"+tls-hostname={NAME}"]
    assert asker.query(*words).status in (asker.TLS, asker.SILENCE)
    assert not upstream.queries
    said = asker.query(*words, f"+tls-cert={own.chain}", f"+tls-key={own.key}")
    assert is_right(said, name), said
    assert upstream.connections[-1].client_certificate


@pytest.mark.parametrize("words", [["A"], ["AXFR"], ["A", "+count=2"]], ids=" ".join)
def test_no_name_in_a_certificate_reaches_a_terminal_as_it_is(authority, start_upstream, name, words):
    upstream = start_upstream(authority.issue(names=("\x1b]0;title\x07.test",)))
    said = asker.query(*where(upstream), name, *words, f"+tls-ca={authority.file}", f"+tls-hostname={NAME}")
    assert said.status in (asker.TLS, asker.SILENCE) and "title" in said.all, said
    assert all(letter == "\n" or " " <= letter < "\x7f" for letter in said.all), said.all.encode()


# ---- nothing in clear


@pytest.fixture
def clear():
    """Plain DNS where TLS is expected."""
    started = Plain()
    yield started
    started.stop()


def test_a_server_without_tls_is_not_asked_in_clear(clear, name):
    said = asker.query(f"@{clear.host}", "-p", clear.port, f"+tls-port={clear.port}", "+tls", "+time=1s", name)
    assert said.status == asker.TLS and "handshake" in said.err, said
    assert not clear.queries


def test_silence_in_tls_leaves_half_of_the_time_for_the_fallback(clear, name):
    words = [f"@{clear.host}", "-p", clear.port, f"+tls-port={clear.port}", "+tls", "+tls-fallback", name]
    said = asker.query(*words, "+time=3s")
    assert is_right(said, name) and "IN CLEAR" in said.err, said


def test_fallback_asks_in_clear_and_says_it_loudly(authority, stranger, start_upstream, clear, name):
    impostor = start_upstream(stranger.issue())
    words = [f"@{clear.host}", "-p", clear.port, f"+tls-port={impostor.port}", f"+tls-ca={authority.file}", name]
    assert asker.query(*words, "+tls").status == asker.TLS
    assert not clear.queries and not impostor.queries
    said = asker.query(*words, "+tls", "+tls_fallback")
    assert is_right(said, name), said
    assert "IN CLEAR" in said.err and "TCP response" in said.out, said
    assert [query.connection.over for query in clear.queries] == ["tcp"] and not impostor.queries


def test_after_a_fallback_the_next_question_is_for_tls_again(authority, stranger, start_upstream, clear, name):
    impostor = start_upstream(stranger.issue())
    words = [f"@{clear.host}", "-p", clear.port, f"+tls-port={impostor.port}", f"+tls-ca={authority.file}"]
    said = asker.query(*words, "+tls", "+tls-fallback", name, f"two.{name}", check=0)
    assert said.err.count("IN CLEAR") == 2 and len(impostor.connections) == 2, said
    assert len(clear.queries) == len(clear.connections) == 2


@pytest.mark.parametrize("how", ["notify", "fin", "reset"])
def test_a_connection_that_ends_without_a_reply_is_silence(authority, start_upstream, name, how):
    upstream = start_upstream(otherwise=lambda query: query.connection.close(how))
    said = ask(upstream.address(), authority, name, check=asker.SILENCE)
    assert said.err and upstream.queries, said


def test_nobody_listens(authority, start_upstream, name):
    upstream = start_upstream()
    upstream.stop_listening()
    said = ask(upstream.address(), authority, name, check=asker.UNREACHED)
    assert "refused" in said.err.lower(), said


def test_where_there_are_no_certificates_of_authorities_nobody_need_be_proved(start_upstream, authority, tmp_path, name):
    """As in a container that has nothing but sotto."""
    upstream = start_upstream()
    alone = {**os.environ, "SSL_CERT_FILE": str(tmp_path / "none.pem")}
    where = [f"@{upstream.host}", f"+tls-port={upstream.port}", "+tls=noauth", name]
    assert is_right(asker.query(*where, env=alone), name)
    said = asker.query(*where[:2], "+tls", name, env=alone)
    assert said.status == asker.HOST and "cannot read the CA certificates" in said.err, said
