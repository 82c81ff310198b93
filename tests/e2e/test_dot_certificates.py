"""What is shown to clients over TLS: the certificate chosen by name, clients that show one, certificates that change under load,
sessions that are resumed by whichever worker and host (RFC 8446 §2.2, §4.6.1, RFC 9525)."""

import os
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bench import eventually, messages
from bench.certificates import FRONT
from bench.clients import Tls, addresses, careless, parse, strict
from bench.messages import query, unique_name
from bench.wallclock import WallClock
from test_reload import answer_of, reload

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
BOTH = pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
CHANGED = "certificates have changed: shown from now on"
KEPT = "certificates have changed, and those before are shown"


def pair(certificate):
    return {"cert": str(certificate.chain), "key": str(certificate.key)}


def is_answered(client):
    name = unique_name()
    return addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]


class Shown:
    """The files of a certificate that is replaced."""

    def __init__(self, directory, certificate):
        self.directory, self.paths = directory, {"cert": str(directory / "cert.pem"), "key": str(directory / "key.pem")}
        self.put(certificate)

    def put(self, certificate):
        for name, source in (("cert", certificate.chain), ("key", certificate.key)):
            self.write(name, source.read_bytes())

    def write(self, name, octets):
        """As who renews it does: whole, or not at all."""
        fresh = self.directory / f"{name}.new"
        fresh.write_bytes(octets)
        fresh.rename(self.directory / f"{name}.pem")


# ---- by name


@pytest.mark.parametrize("asked, shown", [
    ("one.test", 0), ("two.test", 1), ("TWO.test", 1), ("x.wild.test", 2), ("own.wild.test", 1), ("x.y.wild.test", 0),
    ("wild.test", 0), ("nobody.test", 0), (None, 0),
])  # fmt: skip
def test_the_certificate_is_that_for_the_name_or_the_first(start_front, upstream, authority, asked, shown):
    all_names = [("one.test",), ("two.test", "own.wild.test"), ("*.wild.test",)]
    sotto = start_front(upstream, certificate=[pair(authority.issue(names=names)) for names in all_names])
    for version in (V12, V13):
        with Tls(sotto.front, careless(minimum_version=version, maximum_version=version), asked) as client:
            seen = x509.load_der_x509_certificate(client.socket.getpeercert(binary_form=True))
            names = seen.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            assert tuple(names.get_values_for_type(x509.DNSName)) == all_names[shown]
            assert is_answered(client)


# ---- clients that show one


def showing(authority, version, certificate):
    context = strict(authority)
    context.minimum_version = context.maximum_version = version
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    return context


def is_taken(sotto, context, session=None):
    """In TLS 1.3 a client learns of it behind its handshake."""
    try:
        with Tls(sotto.front, context, FRONT, session=session) as client:
            client.send(query(unique_name()))
            return bool(client.receive())
    except (OSError, ssl.SSLError):
        return False


@BOTH
@pytest.mark.parametrize("required", [False, True], ids=["may", "must"])
def test_who_shows_a_certificate_must_be_who_it_says(start_front, upstream, authority, stranger, version, required):
    client = {"usage": ExtendedKeyUsageOID.CLIENT_AUTH}
    sotto = start_front(upstream, clients={"ca": str(authority.file), "required": required})
    cases = [
        ("none", None, not required),
        ("good", authority.issue(names=("laptop.test",), **client), True),
        ("of a stranger", stranger.issue(names=("laptop.test",), **client), False),
        ("expired", authority.issue(names=("laptop.test",), begin=-9, end=-2, **client), False),
        ("to come", authority.issue(names=("laptop.test",), begin=2, **client), False),
        ("for servers", authority.issue(names=("laptop.test",)), False),
    ]
    for what, shown, taken in cases:
        assert is_taken(sotto, showing(authority, version, shown)) == taken, what
    assert {line.get("proved") for line in sotto.log(msg="a client has come over TLS")} <= {None, "laptop.test"}
    assert sotto.wait_for_log(msg="a client has come over TLS", proved="laptop.test")


def test_a_reason_is_told_for_who_is_refused(start_front, upstream, authority, stranger):
    sotto = start_front(upstream, clients={"ca": str(authority.file), "required": True})
    assert not is_taken(sotto, showing(authority, V13, None))
    assert not is_taken(sotto, showing(authority, V13, stranger.issue(usage=ExtendedKeyUsageOID.CLIENT_AUTH)))
    reasons = [line["reason"] for line in sotto.wait_for_log(2, msg="a client's TLS handshake failed")]
    assert len(set(reasons)) == 2 and all(reasons)


# ---- that change


@pytest.mark.skipif("SOAK_SECONDS" not in os.environ, reason="takes twenty seconds: ./test full")
def test_a_bad_pair_changes_nothing_and_is_told_once(start_front, upstream, authority, tmp_path):
    """A key that is not the certificate's; files are looked at every few seconds, several times in this test."""
    shown = Shown(tmp_path, authority.issue(names=(FRONT,)))
    sotto = start_front(upstream, certificate=shown.paths)
    shown.write("key", authority.issue().key.read_bytes())
    told = eventually(lambda: sotto.log(msg=KEPT), 30)
    assert told and "key" in told[0]["reason"] and told[0]["hint"]
    for _ in range(3):
        with Tls(sotto.front, strict(authority), FRONT) as client:
            assert is_answered(client)
    shown.put(authority.issue(names=("mended.test",)))
    assert eventually(lambda: sotto.log(msg=CHANGED), 30)
    with Tls(sotto.front, strict(authority), "mended.test") as client:
        assert is_answered(client)
    assert len(sotto.log(msg=KEPT)) == 1


class Load(threading.Thread):
    """Asks over connections that stay, in even time, and counts what was not answered rightly."""

    def __init__(self, address, context, connections, rate):
        super().__init__()
        self.clients = [Tls(address, context, FRONT) for _ in range(connections)]
        self.rate, self.asked, self.answered, self.error = rate, 0, 0, None
        self.over = threading.Event()

    def run(self):
        try:
            self._ask()
        except (AssertionError, OSError) as error:
            self.error = error
        for client in self.clients:
            client.close()

    def _ask(self):
        every = len(self.clients) / self.rate
        while not self.over.is_set():
            began = time.monotonic()
            names = [unique_name() for _ in self.clients]
            for client, name in zip(self.clients, names):
                client.send(query(name))
                self.asked += 1
            for client, name in zip(self.clients, names):
                answer = client.receive()
                assert answer and addresses(parse(answer)) == [messages.address_of(name)], "an answer was lost"
                self.answered += 1
            self.over.wait(max(0, began + every - time.monotonic()))


def test_certificates_change_under_load_and_reload_and_nobody_notices(start_front, upstream, authority, tmp_path, control_path):
    """1,000 queries a second over 20 connections, and newcomers that verify, all the time."""
    shown = Shown(tmp_path, authority.issue(names=(FRONT,)))
    sotto = start_front(
        upstream, certificate=shown.paths, control=control_path, workers=2, log={"level": "info"}, timeouts={"client-idle": "1m"}
    )
    load, seen = Load(sotto.front, strict(authority), 20, 1000), set()
    load.start()
    try:
        for turn in range(6):
            shown.put(authority.issue(names=(FRONT,)))
            if turn == 3:
                shown.write("key", b"no key\n")  # told, and nothing else
                assert "error" in answer_of(sotto)
            else:
                reload(sotto)
            for _ in range(10):
                with Tls(sotto.front, strict(authority), FRONT) as newcomer:
                    seen.add(newcomer.socket.getpeercert()["serialNumber"])
                    assert is_answered(newcomer)
    finally:
        load.over.set()
        load.join()
    assert load.error is None and load.asked == load.answered >= 20
    assert len(seen) == 5
    assert not [line for line in sotto.log() if line.get("level") == "error" and line["msg"] != "reload failed: nothing has changed"]


# ---- tickets


def session_of(sotto, context):
    """A session whose ticket has come: in TLS 1.3 before the first answer."""
    with Tls(sotto.front, context, FRONT) as client:
        assert is_answered(client)
        return client.socket.session


def resumes(sotto, context, session):
    with Tls(sotto.front, context, FRONT, session=session) as client:
        assert is_answered(client)
        return client.socket.session_reused


def one_version(version, authority):
    context = strict(authority)
    context.minimum_version = context.maximum_version = version
    return context


@BOTH
def test_sessions_are_resumed_by_whichever_worker(start_front, upstream, authority, version):
    sotto, context = start_front(upstream, workers=2), one_version(version, authority)
    for _ in range(12):  # both workers have made one, and taken one: each connection is of a worker by chance
        assert resumes(sotto, context, session_of(sotto, context))


@BOTH
def test_sessions_are_resumed_after_a_reload_and_a_renewal(start_front, upstream, authority, tmp_path, control_path, version):
    shown = Shown(tmp_path, authority.issue(names=(FRONT,)))
    sotto = start_front(upstream, certificate=shown.paths, control=control_path, workers=2)
    context = one_version(version, authority)
    session = session_of(sotto, context)
    reload(sotto, timeouts={"client-idle": "9s"})
    assert resumes(sotto, context, session)
    session = session_of(sotto, context)
    shown.put(authority.issue(names=(FRONT,)))
    reload(sotto)
    assert resumes(sotto, context, session)


@BOTH
def test_a_session_is_not_resumed_where_clients_are_judged_otherwise(start_front, upstream, authority, control_path, version):
    sotto, context = start_front(upstream, control=control_path), one_version(version, authority)
    session = session_of(sotto, context)
    reload(sotto, clients={"ca": str(authority.file), "required": True})
    assert not is_taken(sotto, context, session)


@BOTH
def test_8446_04_keys_change_every_six_hours_and_open_nothing_after_twelve(start_front, upstream, authority, tmp_path, version):
    clock, context = WallClock(tmp_path), one_version(version, authority)
    sotto = start_front(upstream, environment=clock.environment)
    sessions = [session_of(sotto, context)]
    clock.sleep(hours=5)
    assert resumes(sotto, context, sessions[0])
    clock.sleep(hours=2)
    sessions.append(session_of(sotto, context))
    assert all(resumes(sotto, context, session) for session in sessions)
    clock.sleep(hours=6)
    assert [resumes(sotto, context, session) for session in sessions] == [False, True]


@BOTH
def test_8446_04_hosts_with_the_same_ticket_keys_resume_each_others_sessions(
    start_front, upstream, authority, tmp_path, control_path, version
):
    """And the key that was the first is good while it is in the file, and then no more."""
    keys, first, second = tmp_path / "keys", os.urandom(80), os.urandom(80)
    keys.write_bytes(first)
    here = start_front(upstream, tls={"ca": str(authority.file), "ticket-keys": str(keys)}, control=control_path)
    theirs = tmp_path / "theirs"
    theirs.write_bytes(first)
    there = start_front(upstream, tls={"ca": str(authority.file), "ticket-keys": str(theirs)})
    alone = start_front(upstream)
    context = one_version(version, authority)
    assert resumes(there, context, session_of(here, context)) and resumes(here, context, session_of(there, context))
    assert not resumes(alone, context, session_of(here, context))
    old = session_of(here, context)
    keys.write_bytes(second + first)
    reload(here)
    assert eventually(lambda: not resumes(there, context, session_of(here, context))), "the file is not read again"
    assert resumes(here, context, old)
    old = session_of(there, context)
    keys.write_bytes(second)
    reload(here)
    assert eventually(lambda: not resumes(here, context, old))


def test_ticket_keys_that_are_damaged_change_nothing(start_front, upstream, authority, tmp_path, control_path):
    keys = tmp_path / "keys"
    keys.write_bytes(os.urandom(80))
    sotto = start_front(upstream, tls={"ca": str(authority.file), "ticket-keys": str(keys)}, control=control_path)
    context = strict(authority)
    session = session_of(sotto, context)
    keys.write_bytes(os.urandom(79))
    assert "ticket keys" in answer_of(sotto)["error"]
    assert resumes(sotto, context, session)
