"""Who an upstream must be: the authentication matrix (failures.md 4.3), and TLS as servers really speak it (F-17, F-18,
F-19; rows of RFC 7858, 8310 and 8446 are named).

A row of the matrix is a certificate. Each is tried with TLS 1.2 and 1.3, on an upstream configured by name, by IP
address, by pin, and by name and pin: a cell each. All cells of a row that must be refused are the upstreams of one
daemon, and no octet of a query may reach any of them; so are all that must be taken, which are used one after the
other.
"""

import ssl
import struct
import time

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bench import behaviours, eventually
from bench.certificates import MUST_STAPLE, NAME
from bench.claims import are_answered, fails, is_answered, names
from bench.messages import unique_name
from bench.wallclock import DAY_S, WallClock

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
BOTH_VERSIONS = pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
HERE = "127.0.0.1"
OTHER_PIN = "sha256/" + "A" * 43 + "="

# ---- the matrix

BY = ("name", "ip", "pin", "name+pin")
ONE_AT_A_TIME = {"policy": "ordered", "hedge": False}


class Row:
    """A certificate, who issues it, and for each way to configure its server the cause for which it is refused; where
    none is given it is taken. `says` must be in the log beside that."""

    def __init__(
        self, certificate=None, refused=None, *, says="", by=lambda w: w.authority, name=NAME, trust=None, pins=("own",)
    ):
        self.certificate = {"addresses": (HERE,)} | (certificate or {})
        self.causes, self.says, self.by, self.name = refused or {}, says, by, name
        self.trust = trust  # an authority that counts for these servers only
        self.pins = pins  # where there are pins: 'own', 'issuer', or one as it is

    def pins_of(self, shown, issuer):
        named = {"own": shown.pin, "issuer": issuer.pin}
        return [named.get(pin, pin) for pin in self.pins]


def all_but_pin(cause):
    return {by: cause for by in BY if by != "pin"}


def by_name(cause):
    return {"name": cause, "name+pin": cause}


ROWS = {
    "valid": Row(),
    "valid, one of several names": Row({"names": ("other.test", NAME)}),
    "valid, its key is RSA": Row({"rsa_bits": 2048}),
    "valid, no extended key usage": Row({"usage": None}),
    "valid, of an intermediate": Row(by=lambda w: w.authority.intermediate()),
    "valid, of a CA of its own": Row(by=lambda w: w.stranger, trust=lambda w: w.stranger),
    "expired": Row({"begin": -10, "end": -1}, all_but_pin("expired"), says="expired on 20"),
    "not yet valid": Row({"begin": 1, "end": 10}, all_but_pin("not-yet-valid"), says="not valid before 20"),
    "wrong name": Row(
        {"names": ("other.test",), "addresses": ("127.0.0.2",)}, all_but_pin("wrong-name"),
        says="is for other.test, 127.0.0.2, not for ",
    ),
    "the name only as common name": Row(
        {"names": (), "addresses": ()}, all_but_pin("wrong-name"), says="is for no name at all, not for "
    ),
    "the name as common name beside another": Row({"names": ("other.test",)}, by_name("wrong-name"), says=f"not for {NAME}"),
    "a wildcard": Row({"names": ("*.upstream.test",)}, name="a.upstream.test"),
    "a wildcard two labels above": Row({"names": ("*.upstream.test",)}, by_name("wrong-name"), name="a.b.upstream.test"),
    "a wildcard beside the name itself": Row({"names": ("*.upstream.test",)}, by_name("wrong-name")),
    "a wildcard for a whole top-level domain": Row({"names": ("*.test",)}, by_name("wrong-name")),
    "a wildcard for part of a label": Row({"names": ("a*.upstream.test",)}, by_name("wrong-name"), name="ab.upstream.test"),
    "the IP address instead of the name": Row({"names": ()}, by_name("wrong-name"), says=f"is for {HERE}, not for {NAME}"),
    "no IP address": Row({"addresses": ()}, {"ip": "wrong-name"}, says=f"is for {NAME}, not for {HERE}"),
    "another IP address": Row({"addresses": ("127.0.0.2",)}, {"ip": "wrong-name"}),
    "the IP address as a name": Row({"names": (NAME, HERE), "addresses": ()}, {"ip": "wrong-name"}),
    "self-signed": Row({"self_signed": True}, all_but_pin("self-signed"), says=f"self-signed (/CN={NAME})"),
    "unknown CA": Row({}, all_but_pin("unknown-issuer"), by=lambda w: w.stranger, says="not trusted here: /CN=a stranger"),
    "another CA than the one that is named": Row(
        {}, all_but_pin("unknown-issuer"), trust=lambda w: w.stranger, says="not trusted here: /CN=sotto test authority"
    ),
    "intermediate missing": Row(
        {"with_chain": False}, all_but_pin("unknown-issuer"), by=lambda w: w.authority.intermediate("missing"),
        says="not trusted here: /CN=missing",
    ),
    "of a CA that is none": Row(
        {}, all_but_pin("not-a-ca"), by=lambda w: w.authority.intermediate("no CA", ca=False), says="of /CN=no CA "
    ),
    "not for servers": Row({"usage": ExtendedKeyUsageOID.CLIENT_AUTH}, all_but_pin("wrong-purpose")),
    "of a CA for other names": Row(
        {}, all_but_pin("name-constraint"), by=lambda w: w.authority.intermediate("other", only_for="other.test")
    ),
    "RSA of 1024 bits": Row({"rsa_bits": 1024}, all_but_pin("weak-key")),
    "signed by SHA-1": Row({"sha1": True}, all_but_pin("weak-signature")),
    "a backup pin fits": Row(pins=(OTHER_PIN, "own")),
    "the pin of its issuer": Row({}, {"pin": "pin-mismatch"}, pins=("issuer",), says="the server's key is sha256/"),
    "the pin of another key": Row({}, {"pin": "pin-mismatch", "name+pin": "pin-mismatch"}, pins=(OTHER_PIN,)),
    # We do not ask for OCSP staples, so there is none to miss (docs/decisions/004).
    "must-staple, and no staple": Row({"extra": (MUST_STAPLE,)}),
}


class World:
    """Who can issue certificates."""

    def __init__(self, authority, stranger):
        self.authority, self.stranger = authority, stranger


class Cell:
    """One upstream of a row: how it is configured, and which TLS it speaks."""

    def __init__(self, row, by, version, world, start_upstream):
        self.row, self.by, self.version = row, by, version
        self.cause = row.causes.get(by)
        issuer = row.by(world)
        self.shown = issuer.issue(**row.certificate)
        self.good = (row.trust or (lambda w: w.authority))(world).issue(names=(row.name,), addresses=(HERE,))
        self.upstream = start_upstream(self.shown, versions=(version, version))
        trust = row.trust and row.trust(world).file
        pins = [*row.pins_of(self.shown, issuer), self.good.pin] if "pin" in by else []
        self.spelled = self.upstream.address(row.name if "name" in by else None, pins=pins, ca=trust)

    def __repr__(self):
        return f"<by {self.by}, {self.version.name}>"

    @property
    def connections(self):
        return self.upstream.connections

    @property
    def key(self):
        """What its lines in the log are found by."""
        return {"upstream": self.spelled.partition("?")[0]}

    def must_have_heard_nothing(self, connections):
        """More than an alert was not sent, and that in a record of TLS."""
        for connection in connections:
            assert not connection.queries, self
            assert set(types := connection.record_types()) <= {0x14, 0x15, 0x16, 0x17}, self
            assert types.count(0x17) <= 1, self

    def must_be_explained(self, line):
        assert (line["phase"], line["cause"]) == ("verify", self.cause), self
        assert self.row.says in line["reason"], self
        assert " " in line["hint"], self

    def turn_bad(self):
        """From now on it shows the certificate of its row, to whoever connects again."""
        self.upstream.show(self.shown)
        self.upstream.close_connections()
        assert eventually(lambda: not any(c.open for c in self.connections))


@pytest.fixture
def cells(authority, stranger, start_upstream):
    def cells(row, refused):
        world = World(authority, stranger)
        wanted = [by for by in BY if (by in row.causes) == refused]
        return [Cell(row, by, version, world, start_upstream) for by in wanted for version in (V12, V13)]

    return cells


def rows_that(are_refused):
    return [name for name, row in ROWS.items() if (row.causes if are_refused else len(row.causes) < len(BY))]


def answered_by(sotto, cells):
    """Asks something; which of the cells was asked last?"""
    name = unique_name()
    is_answered(sotto, name)
    asked = [cell for cell in cells if cell.upstream.asked(name)]
    assert len(asked) == 1, asked
    return asked[0]


@pytest.mark.parametrize("what", rows_that(are_refused=True))
def test_8310_an_upstream_that_is_someone_else_gets_no_octet_of_a_query(what, cells, start_sotto):
    refused = cells(ROWS[what], refused=True)
    sotto = start_sotto(*(cell.spelled for cell in refused), **ONE_AT_A_TIME)
    begin = time.monotonic()
    fails(sotto)
    assert time.monotonic() - begin < 3, "the client had to wait for its deadline"
    for cell in refused:
        cell.must_be_explained(sotto.wait_for_log(msg="upstream failed", **cell.key)[0])
        assert cell.connections and not cell.upstream.queries, cell
        cell.must_have_heard_nothing(cell.connections)
        assert not sotto.log(msg="upstream connected", **cell.key), cell


@pytest.mark.parametrize("what", rows_that(are_refused=True))
def test_8310_an_upstream_that_turns_into_someone_else_is_refused_though_it_was_trusted(what, cells, start_sotto):
    """The certificate changes between connections; tickets of the good days are left, and are offered."""
    good = cells(ROWS[what], refused=True)
    turned = []
    for cell in good:
        cell.upstream.show(cell.good)
    sotto = start_sotto(*(cell.spelled for cell in good), **ONE_AT_A_TIME)
    while good:
        cell = answered_by(sotto, good)
        if not cell.connections[-1].resumed:
            assert len(cell.connections) == 1, f"{cell}: the session was not resumed"
            cell.upstream.close_connections()
            continue
        turned.append((cell, len(cell.connections)))
        good.remove(cell)
        cell.turn_bad()
    fails(sotto)
    for cell, before in turned:
        after = cell.connections[before:]
        assert after, cell
        assert offers_session(after[0]) and not any(c.resumed for c in after), cell
        cell.must_have_heard_nothing(after)
        cell.must_be_explained(sotto.wait_for_log(msg="upstream failed", **cell.key)[0])


@pytest.mark.parametrize("what", rows_that(are_refused=False))
def test_8310_an_upstream_is_used_when_it_is_who_it_must_be(what, cells, start_sotto):
    taken = cells(ROWS[what], refused=False)
    sotto = start_sotto(*(cell.spelled for cell in taken), **ONE_AT_A_TIME)
    while taken:
        cell = answered_by(sotto, taken)
        cell.upstream.close_connections()
        assert eventually(lambda: not any(c.open for c in cell.connections))  # noqa: B023
        if cell.connections[-1].resumed:
            cell.upstream.stop_listening()
            taken.remove(cell)
            first, second = sotto.wait_for_log(2, msg="upstream connected", **cell.key)
            assert (first["resumed"], second["resumed"]) == ("no", "yes"), cell
            assert first["tls"] == second["tls"] == cell.connections[0].version, cell
            assert first["group"] == second["group"] != "none", cell
            assert not first["verified"].startswith("no"), cell
        else:
            assert len(cell.connections) == 1, f"{cell}: the session was not resumed"


def test_8310_an_unverified_upstream_leaves_the_query_to_the_next_one(authority, start_upstream, start_sotto):
    impostor, good = start_upstream(authority.issue(names=("other.test",))), start_upstream()
    sotto = start_sotto(impostor, good)
    are_answered(sotto, names(20))
    assert impostor.connections and not impostor.queries


# ---- sessions


def client_hello(connection):
    """The extensions of the ClientHello: number to octets."""
    octets = bytes(connection.received)
    at = 5 + 4 + 2 + 32
    at += 1 + octets[at]
    at += 2 + int.from_bytes(octets[at : at + 2], "big")
    at += 1 + octets[at]
    end = at + 2 + int.from_bytes(octets[at : at + 2], "big")
    at += 2
    extensions = {}
    while at < end:
        extension, size = struct.unpack_from("!HH", octets, at)
        extensions[extension] = octets[at + 4 : at + 4 + size]
        at += 4 + size
    return extensions


SESSION_TICKET, PRE_SHARED_KEY = 35, 41


def offers_session(connection):
    """The ticket that a ClientHello offers, of TLS 1.3 or older; None if it offers none."""
    extensions = client_hello(connection)
    if offer := extensions.get(PRE_SHARED_KEY):
        return offer[4 : 4 + int.from_bytes(offer[2:4], "big")]
    return extensions.get(SESSION_TICKET) or None


def reconnect(sotto, upstream):
    """Answered over a new connection, which is returned."""
    before = len(upstream.connections)
    upstream.close_connections()
    assert eventually(lambda: not any(c.open for c in upstream.connections))
    is_answered(sotto)
    assert len(upstream.connections) == before + 1
    return upstream.connections[-1]


@BOTH_VERSIONS
def test_7858_06_a_session_is_resumed_when_connecting_again(version, start_upstream, start_sotto):
    upstream = start_upstream(versions=(version, version))
    sotto = start_sotto(upstream)
    is_answered(sotto)
    assert all(reconnect(sotto, upstream).resumed for _ in range(3))
    assert not upstream.connections[0].resumed and not offers_session(upstream.connections[0])


def test_8446_02_a_session_ticket_is_used_once(start_upstream, start_sotto):
    upstream = start_upstream(versions=(V13, V13))
    sotto = start_sotto(upstream)
    is_answered(sotto)
    upstream.context.num_tickets = 0  # there were two
    first, second, third = [offers_session(reconnect(sotto, upstream)) for _ in range(3)]
    assert first and second and first != second and not third


@BOTH_VERSIONS
def test_f_19_a_server_that_lost_its_ticket_keys_is_met_from_the_beginning(version, certificate, start_upstream, start_sotto):
    upstream = start_upstream(versions=(version, version))
    sotto = start_sotto(upstream, log={"level": "info"})
    is_answered(sotto)
    upstream.show(certificate)
    again = reconnect(sotto, upstream)
    assert offers_session(again) and not again.resumed
    assert reconnect(sotto, upstream).resumed
    assert not sotto.log(msg="upstream failed")


@BOTH_VERSIONS
def test_f_19_a_resumption_that_breaks_off_is_followed_by_a_full_handshake(version, start_upstream, start_sotto):
    upstream = start_upstream(versions=(version, version))
    sotto = start_sotto(upstream)
    is_answered(sotto)
    upstream.close_connections()
    assert eventually(lambda: not any(c.open for c in upstream.connections))

    def break_off(connection):
        if offers_session(connection):
            connection.transport.write(alert(INTERNAL_ERROR))
        else:
            connection.speaks_tls = True

    upstream.instead_of_tls = break_off
    is_answered(sotto)
    with_ticket, without = upstream.connections[1:]
    assert offers_session(with_ticket) and not offers_session(without)


@BOTH_VERSIONS
def test_f_19_a_session_outlives_a_change_of_the_certificate_and_not_of_the_trust(
    version, authority, start_upstream, start_sotto
):
    """While the server honours its tickets it has proved to be the one that got them, whatever it shows to others."""
    upstream = start_upstream(versions=(version, version))
    sotto = start_sotto(upstream)
    is_answered(sotto)
    upstream.show(authority.issue(names=("other.test",)), keep_tickets=True)
    assert reconnect(sotto, upstream).resumed
    upstream.show(authority.issue(names=("other.test",)))
    upstream.close_connections()
    before = len(upstream.queries)
    fails(sotto)
    assert len(upstream.queries) == before


# ---- TLS as servers speak it


def test_8446_03_the_name_and_dot_are_sent_and_tls_is_new(start_upstream, start_sotto):
    upstream = start_upstream()
    is_answered(start_sotto(upstream))
    seen = upstream.connections[0]
    assert (seen.server_name, seen.alpn, seen.version) == (NAME, "dot", "TLSv1.3")


def test_8446_03_f_18_tls_1_2_is_spoken_where_there_is_no_newer(start_upstream, start_sotto):
    upstream = start_upstream(versions=(V12, V12))
    sotto = start_sotto(upstream)
    are_answered(sotto, names(50))
    assert upstream.connections[0].version == "TLSv1.2"


def test_8446_03_f_18_tls_1_1_is_refused(start_upstream, start_sotto):
    upstream = start_upstream(versions=(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1))
    fails(start_sotto(upstream))
    assert not upstream.queries


def test_an_upstream_that_ignores_alpn_is_used(start_upstream, start_sotto):
    upstream = start_upstream(alpn=())
    is_answered(start_sotto(upstream))


def test_f_18_a_hello_retry_request_is_followed(start_upstream, start_sotto):
    upstream = start_upstream(versions=(V13, V13), curve="secp384r1")
    sotto = start_sotto(upstream)
    is_answered(sotto)
    reconnect(sotto, upstream)
    hellos = [c.record_types().count(0x16) for c in upstream.connections]
    assert hellos == [2, 2], "there was no second ClientHello"
    assert [line["group"] for line in sotto.wait_for_log(2, msg="upstream connected")] == ["secp384r1"] * 2


@BOTH_VERSIONS
def test_f_18_a_certificate_chain_of_60_kb_is_read(version, authority, certificate, start_upstream, start_sotto):
    upstream = start_upstream(authority.padded(certificate, 80 * 1024), versions=(version, version))
    sotto = start_sotto(upstream)
    is_answered(sotto)
    assert reconnect(sotto, upstream).resumed


@BOTH_VERSIONS
def test_f_18_a_certificate_chain_without_end_is_not(version, authority, certificate, start_upstream, start_sotto):
    upstream = start_upstream(authority.padded(certificate, 200 * 1024), versions=(version, version))
    sotto = start_sotto(upstream)
    fails(sotto)
    assert not upstream.queries
    assert "excessive message size" in sotto.wait_for_log(msg="upstream failed")[0]["reason"]


@BOTH_VERSIONS
def test_f_18_a_server_that_would_like_a_certificate_gets_none(version, authority, start_upstream, start_sotto):
    upstream = start_upstream(versions=(version, version), ask=authority.file)
    is_answered(start_sotto(upstream))
    assert upstream.connections[0].client_certificate is None


@BOTH_VERSIONS
def test_f_18_a_server_that_insists_on_a_certificate_leaves_the_query_to_the_next(
    version, authority, start_upstream, start_sotto
):
    bad, good = start_upstream(versions=(version, version), ask=authority.file, insist=True), start_upstream()
    sotto = start_sotto(bad, good)
    is_answered(sotto)
    line = sotto.wait_for_log(msg="upstream failed", upstream=bad.address())[0]
    assert line["cause"] == "alert" and "certificate" in line["hint"] + line["reason"]
    assert not bad.queries


# ---- F-17: alerts, at each moment

INTERNAL_ERROR = 80
ALERTS = {
    "handshake_failure": (40, "nothing in common with us"),
    "decrypt_error": (51, "decrypt error"),
    "internal_error": (INTERNAL_ERROR, "internal error"),
    "unrecognized_name": (112, "unrecognized name"),
    "no_application_protocol": (120, 'refuses the protocol "dot"'),
}


def alert(number, level=2):
    return bytes([0x15, 3, 3, 0, 2, level, number])


CLOSE_NOTIFY = alert(0, level=1)


def one_refuses_the_other_answers(bad, good, sotto):
    """The query goes to the next, and the log names the one it did not get to; which line is returned."""
    is_answered(sotto)
    assert bad.connections and not bad.queries and good.queries
    return sotto.wait_for_log(msg="upstream failed", upstream=bad.address())[0]


@pytest.mark.parametrize("what", ALERTS)
def test_f_17_an_alert_instead_of_a_hello_leaves_the_query_to_the_next(what, start_upstream, start_sotto):
    number, words = ALERTS[what]
    bad, good = start_upstream(instead_of_tls=behaviours.plain(alert(number))), start_upstream()
    line = one_refuses_the_other_answers(bad, good, start_sotto(bad, good))
    assert line["phase"] == "handshake" and words in line["reason"]


def test_f_17_a_goodbye_instead_of_a_hello_leaves_the_query_to_the_next(start_upstream, start_sotto):
    bad, good = start_upstream(instead_of_tls=behaviours.plain(CLOSE_NOTIFY)), start_upstream()
    line = one_refuses_the_other_answers(bad, good, start_sotto(bad, good))
    assert (line["phase"], line["cause"]) == ("handshake", "closed")


@BOTH_VERSIONS
def test_f_17_an_alert_behind_the_hello_leaves_the_query_to_the_next(version, start_upstream, start_sotto):
    bad = start_upstream(versions=(version, version), behind_hello=alert(INTERNAL_ERROR))
    good = start_upstream()
    one_refuses_the_other_answers(bad, good, start_sotto(bad, good))


@BOTH_VERSIONS
@pytest.mark.parametrize("octets", [alert(INTERNAL_ERROR), b"not a record of TLS"], ids=["alert", "noise"])
def test_f_17_what_was_never_encrypted_ends_a_connection_that_stands(octets, version, start_upstream, start_sotto, name):
    def spoil(query):
        query.connection.transport.write(octets)

    bad, good = start_upstream(versions=(version, version)), start_upstream()
    bad.when(name, spoil)
    sotto = start_sotto(bad, good, timeouts={"query": "60s", "attempt": "30s", "upstream-silent": "30s"})
    is_answered(sotto)
    assert is_answered(sotto, name), "no timer helps: the connection itself must be given up"
    assert len(bad.asked(name)) == 1 and eventually(lambda: not bad.connections[0].open)


def test_f_17_a_warning_that_the_name_is_unknown_is_no_refusal(start_upstream, start_sotto):
    """Servers that have one certificate for all names send it, and go on (RFC 6066 §3)."""

    def warn(connection):
        connection.transport.write(alert(112, level=1))
        connection.speaks_tls = True

    is_answered(start_sotto(start_upstream(versions=(V12, V12), instead_of_tls=warn)))


# ---- who we are, and whoever answers


@BOTH_VERSIONS
def test_f_18_a_server_that_asks_is_shown_our_certificate(version, authority, stranger, start_upstream, start_sotto):
    ours = stranger.issue(names=("us.test",), usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    asks = start_upstream(versions=(version, version), ask=stranger.file, insist=True)
    does_not, other = start_upstream(versions=(version, version)), start_upstream(ask=stranger.file)
    shown = {"cert": ours.chain, "key": ours.key}
    is_answered(start_sotto(asks.address(**shown)))
    is_answered(start_sotto(does_not.address(**shown)))
    sotto = start_sotto(asks.address(**shown), other)
    asks.stop_listening()
    is_answered(sotto)
    assert asks.connections[0].client_certificate
    assert does_not.connections[0].client_certificate is None
    assert other.connections[0].client_certificate is None, "it was shown to another server"


def test_a_certificate_of_ours_without_its_key_is_an_error_at_start(stranger, certificate, start_upstream, start_sotto):
    ours = stranger.issue()
    sotto = start_sotto(start_upstream().address(cert=ours.chain, key=certificate.key), serving=False)
    assert sotto.wait() == 78 and "(key-mismatch)" in sotto.text()


@BOTH_VERSIONS
def test_8310_whoever_answers_is_taken_only_where_that_is_wanted_and_never_in_silence(
    version, stranger, start_upstream, start_sotto
):
    upstream = start_upstream(stranger.issue(), versions=(version, version))
    sotto = start_sotto(upstream.address(None, verify="no"), require="encrypted")
    is_answered(sotto)
    assert reconnect(sotto, upstream).resumed
    first, second = sotto.wait_for_log(2, msg="upstream connected")
    assert first["level"] == "warn" and first["resumed"] == "no" and second["resumed"] == "yes"
    assert first["verified"] == second["verified"] and first["verified"].startswith("no: the certificate")


@BOTH_VERSIONS
def test_8310_where_whoever_answers_is_taken_one_may_prove_who_it_is(version, authority, start_upstream, start_sotto):
    upstream = start_upstream(authority.issue(addresses=(HERE,)), versions=(version, version))
    sotto = start_sotto(upstream.address(None, verify="no"), require="encrypted")
    is_answered(sotto)
    assert reconnect(sotto, upstream).resumed
    assert [line["verified"] for line in sotto.wait_for_log(2, msg="upstream connected")] == ["address"] * 2


# ---- 1.7: what day it is

LONG_AGO = -3650


@pytest.fixture
def clock(tmp_path):
    return WallClock(tmp_path)


@pytest.fixture
def start_at(clock, start_upstream, start_sotto):
    """A daemon that sees this clock, and its upstream, which has this certificate."""

    def start_at(certificate, **settings):
        upstream = start_upstream(certificate)
        return upstream, start_sotto(upstream, environment=clock.environment, **settings)

    return start_at


def works_again(sotto, within):
    """Without a restart."""

    def works():
        try:
            return is_answered(sotto)
        except AssertionError:
            return False

    return eventually(works, within)


def cause_of(sotto):
    """Why it failed; what is already in the log is no answer."""
    before = len(sotto.log(msg="upstream failed"))
    fails(sotto)
    return sotto.wait_for_log(before + 1, msg="upstream failed")[-1]


def test_f_40_in_1970_certificates_are_judged_by_the_day_of_the_build(clock, authority, start_at):
    clock.set(year=1970)
    _, sotto = start_at(authority.issue(begin=LONG_AGO))
    is_answered(sotto)
    warning = sotto.wait_for_log(level="warn")[0]
    assert "the system clock says 1970-01-01, older than this build (20" in warning["reason"] and warning["hint"]


def test_f_40_in_1970_what_had_expired_before_the_build_is_refused(clock, authority, start_at):
    clock.set(year=1970)
    upstream, sotto = start_at(authority.issue(begin=LONG_AGO, end=LONG_AGO // 2))
    line = cause_of(sotto)
    assert line["cause"] == "clock" and "expired on 20" in line["reason"]
    assert not upstream.queries


def test_f_40_in_1970_a_new_certificate_is_refused_until_the_clock_is_set(clock, authority, start_at):
    clock.set(year=1970)
    upstream, sotto = start_at(authority.issue(begin=2))
    line = cause_of(sotto)
    assert line["cause"] == "clock" and not upstream.queries
    assert "the system clock says 1970-01-01" in line["reason"] and "not valid before 20" in line["reason"]
    clock.set(days=3)
    assert works_again(sotto, within=20)


def test_f_40_in_1970_the_name_counts_as_ever(clock, authority, start_at):
    clock.set(year=1970)
    upstream, sotto = start_at(authority.issue(begin=LONG_AGO, names=("other.test",)))
    assert cause_of(sotto)["cause"] == "wrong-name" and not upstream.queries


def test_f_40_in_2040_all_has_expired(clock, authority, start_at):
    clock.set(year=2040)
    upstream, sotto = start_at(authority.issue(begin=LONG_AGO))
    line = cause_of(sotto)
    assert line["cause"] == "expired" and "here it is 2040-01-01" in line["reason"]
    assert not upstream.queries
    clock.set(days=0)
    assert works_again(sotto, within=20)


@BOTH_VERSIONS
def test_f_40_a_session_is_not_resumed_beyond_the_end_of_its_certificate(version, clock, authority, start_upstream, start_sotto):
    """The server has got a new one since, and the next handshake is a full one."""
    upstream = start_upstream(authority.issue(end=2), versions=(version, version))
    sotto = start_sotto(upstream, environment=clock.environment)
    is_answered(sotto)
    upstream.show(authority.issue(end=20), keep_tickets=True)
    clock.set(days=5)
    again = reconnect(sotto, upstream)
    assert not offers_session(again) and not again.resumed
    assert not sotto.log(msg="upstream failed")


def test_an_unsynchronised_clock_that_is_waited_for_is_named(clock, authority, start_at):
    clock.set(days=60, synchronised=False)
    upstream, sotto = start_at(authority.issue(), tls={"ca": str(authority.file), "unsynced-clock": "wait"})
    line = cause_of(sotto)
    assert line["cause"] == "clock" and "is not synchronised yet" in line["reason"]
    assert not upstream.queries
    clock.set(days=0, synchronised=True)
    assert works_again(sotto, within=20)
    clock.set(days=60, synchronised=True)
    upstream.close_connections()
    assert cause_of(sotto)["cause"] == "expired"


def test_an_unsynchronised_clock_is_believed_where_it_is_not_waited_for(clock, authority, start_at):
    clock.set(days=60, synchronised=False)
    _, sotto = start_at(authority.issue())
    assert cause_of(sotto)["cause"] == "expired"


def saved_time(tmp_path):
    return int((tmp_path / "clock").read_text())


@pytest.fixture
def state(tmp_path):
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


def test_the_date_is_kept_over_a_restart(clock, authority, state, start_at):
    upstream, sotto = start_at(authority.issue(begin=2), state=str(state))
    assert cause_of(sotto)["cause"] == "not-yet-valid"
    sotto.stop()
    assert not list(state.iterdir()), "a date that nothing has confirmed was saved"
    clock.set(days=3)
    _, sotto = start_at(authority.issue(begin=2), state=str(state))
    is_answered(sotto)
    sotto.stop()
    assert abs(saved_time(state) - time.time() - 3 * DAY_S) < 600
    clock.set(year=1970)
    _, sotto = start_at(authority.issue(begin=2), state=str(state))
    is_answered(sotto)
    assert "an earlier run has saved that it is 20" in sotto.wait_for_log(level="warn")[0]["reason"]
    sotto.stop()
    assert abs(saved_time(state) - time.time() - 3 * DAY_S) < 600, "the date went back"


@pytest.mark.parametrize("octets", [b"", b"yesterday\n", b"9" * 100000, b"1\n\0", bytes(range(256))])
def test_a_saved_date_that_is_none_is_ignored_with_a_warning(octets, clock, authority, state, start_at):
    (state / "clock").write_bytes(octets)
    _, sotto = start_at(authority.issue(), state=str(state))
    is_answered(sotto)
    assert [line["file"] for line in sotto.wait_for_log(msg="the saved date is ignored")] == [str(state / "clock")]
    sotto.stop()
    assert abs(saved_time(state) - time.time()) < 600
