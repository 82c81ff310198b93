"""Who an upstream must be: the authentication matrix (failures.md 4.3; rows of RFC 8310 are named), who we are, and
whoever answers.

A row of the matrix is a certificate. Each is tried with TLS 1.2 and 1.3, on an upstream configured by name, by IP
address, by pin, and by name and pin: a cell each. All cells of a row that must be refused are the upstreams of one
daemon, and no octet of a query may reach any of them; so are all that must be taken, which are used one after the
other.
"""

import time

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bench import eventually, messages
from bench.certificates import MUST_STAPLE, NAME
from bench.claims import are_answered, fails, is_answered, names, reconnect
from bench.clients import addresses, ask
from bench.hello import offers_session
from bench.messages import unique_name
from bench.upstream import BOTH_VERSIONS, V12, V13
from test_reload import reload

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
    assert sotto.wait() == 78 and "upstreams[0]: the private key in " in sotto.text()
    assert f" is not that of the certificate in {ours.chain}; name a PEM file with the private key" in sotto.text()


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


def test_without_certificates_of_authorities_who_need_not_be_proved_is_asked(start, start_upstream, certificate, control_path, tmp_path, name):
    """Nor who is known by a key. At the start, and by a reload."""
    upstream, missing = start_upstream(certificate), {"SSL_CERT_FILE": str(tmp_path / "none.pem")}
    settings = {"tls": None, "require": "nothing", "control": control_path}
    encrypted, clear = f"tls://{upstream.host}:{upstream.port}?verify=no", f"tcp://{upstream.host}:{upstream.port}"
    sotto = start.sotto(clear, environment=missing, **settings)
    reload(sotto, upstreams=[encrypted])
    assert addresses(ask(sotto.address, name)) == [messages.address_of(name)]
    pinned = f"tls://{upstream.host}:{upstream.port}?pin={certificate.pin}"
    for known in (encrypted, pinned):
        again = start.sotto(known, environment=missing, **{**settings, "control": "none"})
        assert addresses(ask(again.address, messages.unique_name()))
