"""`sotto query` with TSIG (RFC 8945), and zones transferred (RFC 5936, RFC 1995), also over TLS (RFC 9103), from Knot DNS and NSD;
the walk along NSEC."""

import os
import re
import subprocess

import pytest

from bench import asker, daemon, messages, zones
from bench.clients import Tcp
from bench.plain import Plain
from bench.wallclock import WallClock
from bench.zones import ALGORITHMS, CHANGED, CLOSED, LARGE, LARGE_COUNT, SECRETS, SIGNED, WALKED

KEY = "hmac-sha256"
OTHER_SECRET = "b3RoZXIgc2VjcmV0IG90aGVyIHNlY3JldCBvdGhlciE="


def where(server):
    return [f"@{server.address[0]}", "-p", server.address[1]]


def over_tls(nsd, authority):
    return [f"@tls://127.0.0.1:{nsd.tls_port}?ca={authority.file}"]


def signed_with(algorithm, secret=None, name=None):
    return ["-y", f"{algorithm}:{name or algorithm + '-key'}:{secret or SECRETS[algorithm]}"]


# ---- a question


@pytest.mark.parametrize("over", [[], ["+tcp"]], ids=["udp", "tcp"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_is_signed_and_verified(knot, algorithm, over):
    said = asker.query(*where(knot), *over, SIGNED, "SOA", *signed_with(algorithm), check=0)
    assert ";; TSIG: ok" in said.out and said.records(), said


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "hmac-md5"])
def test_each_algorithm_over_tls(nsd, authority, algorithm):
    said = asker.query(*over_tls(nsd, authority), SIGNED, "SOA", *signed_with(algorithm), check=0)
    assert ";; TSIG: ok" in said.out and ";; TLS: " in said.out, said


def test_the_algorithm_is_sha256_unless_another_is_said(knot):
    said = asker.query(*where(knot), SIGNED, "SOA", "-y", f"{KEY}-key:{SECRETS[KEY]}", check=0)
    assert ";; TSIG: ok" in said.out, said


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "hmac-sha512"])
def test_a_key_is_read_from_a_file(knot, tmp_path, algorithm):
    (tmp_path / "key").write_text(f'key "{algorithm}-key" {{\n\talgorithm {algorithm};\n\tsecret "{SECRETS[algorithm]}";\n}};\n')
    said = asker.query(*where(knot), SIGNED, "SOA", "-k", tmp_path / "key", check=0)
    assert ";; TSIG: ok" in said.out, said


@pytest.mark.parametrize("words", [["-k", "/nonexistent/key"], ["-y", "hmac-sha3:key:AAAA"], ["-y", "key:no base64!"], ["-y", "key"]])
def test_a_key_that_is_none_is_wrong_use(knot, words):
    said = asker.query(*where(knot), SIGNED, "SOA", *words, check=asker.USAGE)
    assert said.err and not said.out


@pytest.mark.parametrize("server", ["knot", "nsd"])
def test_a_key_that_the_server_does_not_know(request, server):
    server = request.getfixturevalue(server)
    said = asker.query(*where(server), SIGNED, "SOA", *signed_with(KEY, name="nobody-s-key"), check=asker.TSIG)
    unsigned = "rcode=9(NOTAUTH)" in said.out and "TSIG: it is not signed" in said.out  # by Knot 3.4
    assert ("BADKEY" in said.all or unsigned) and ";; TSIG: ok" not in said.out, said


@pytest.mark.parametrize("server", ["knot", "nsd"])
def test_a_secret_that_is_another(request, server):
    server = request.getfixturevalue(server)
    said = asker.query(*where(server), SIGNED, "SOA", *signed_with(KEY, OTHER_SECRET), check=asker.TSIG)
    assert "BADSIG" in said.all and ";; TSIG: ok" not in said.out, said


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_wrong(knot, tmp_path, days):
    clock = WallClock(tmp_path)
    clock.set(days=days)
    said = asker.query(
        *where(knot), SIGNED, "SOA", *signed_with(KEY), check=asker.TSIG, env={**os.environ, **clock.environment}
    )
    assert "BADTIME" in said.all and ";; TSIG: ok" not in said.out, said


# ---- a reply that is tampered with


class Between(Plain):
    """Passes queries on to a server over TCP, and all messages of its answer back, as they are changed on the way."""

    def __init__(self, server, change):
        def behave(query):
            with Tcp(server.address) as there:
                there.send(query.wire)
                there.end()
                for number in range(1000):
                    if (message := there.receive()) is None:
                        break
                    query.send(change(number, message))

        super().__init__(otherwise=behave)


@pytest.fixture
def between(knot):
    started = []

    def begin(change):
        started.append(Between(knot, change))
        return [f"@{started[-1].host}", "-p", started[-1].port, "+tcp"]

    yield begin
    for one in started:
        one.stop()


def flipped(message, at):
    return message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]


def unsigned(message):
    """Without its last record, which is TSIG and starts with the name of the key."""
    at = message.rindex(messages.wire_name(f"{KEY}-key"))
    return message[:10] + (int.from_bytes(message[10:12], "big") - 1).to_bytes(2, "big") + message[12:at]


CHANGES = {
    "a record": lambda message: flipped(message, message.index(b"\x00\x06\x00\x01", 12 + len(SIGNED) + 6) + 7),
    "a flag": lambda message: flipped(message, 3),
    "the signature": lambda message: flipped(message, len(message) - 10),
    "no signature": unsigned,
}


def test_what_passes_unchanged_is_verified(between):
    said = asker.query(*between(lambda _, message: message), SIGNED, "SOA", *signed_with(KEY), check=0)
    assert ";; TSIG: ok" in said.out, said


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_changed_on_the_way_is_not_believed(between, what):
    said = asker.query(*between(lambda _, message: CHANGES[what](message)), SIGNED, "SOA", *signed_with(KEY), check=asker.TSIG)
    assert ";; TSIG: ok" not in said.out, said


# ---- transfers


def transferred(text):
    """Records in the order in which they came, in the form of RFC 3597."""
    records = [line.split() for line in text.splitlines() if line and not line.startswith((";", "***"))]
    return [
        (owner, int(ttl), rtype, "".join(data).lower()) for owner, ttl, _, rtype, mark, _, *data in records if mark == "\\#"
    ]


def of_dig(server, *words):
    return transferred(asker.peer("dig", *where(server), *words, "+unknownformat", "+noall", "+answer"))


def statistics(said):
    found = re.search(r";; Total RRs transferred: (\d+), Total messages: (\d+)", said.out)
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("zone", [SIGNED, CHANGED, LARGE])
@pytest.mark.parametrize("server", ["knot", "nsd"])
def test_axfr_is_what_dig_transfers(request, server, zone):
    server = request.getfixturevalue(server)
    said = asker.query(*where(server), zone, "AXFR", "+generic", check=0)
    records = transferred(said.out)
    assert records == of_dig(server, zone, "AXFR") and records[0] == records[-1]
    assert statistics(said)[0] == len(records), said.out[-500:]


def test_a_large_zone_comes_in_many_messages(knot):
    said = asker.query(*where(knot), LARGE, "AXFR", *signed_with(KEY), check=0)
    records, count = statistics(said)
    assert records > LARGE_COUNT and count > 5
    good = re.search(r";; TSIG records: (\d+), success: (\d+), failure: 0", said.out)
    assert 1 < int(good[1]) == int(good[2]) <= count, said.out[-500:]
    sizes = re.search(r";; Message sizes: (\d+) max, (\d+) min, (\d+) average", said.out)
    assert 65535 >= int(sizes[1]) >= int(sizes[3]) >= int(sizes[2]) > 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_zone_that_wants_a_key(knot, algorithm):
    said = asker.query(*where(knot), CLOSED, "AXFR", "+generic", *signed_with(algorithm), check=0)
    assert transferred(said.out) == of_dig(knot, CLOSED, "AXFR", *signed_with(algorithm))


@pytest.mark.parametrize("words, status", [([], (5, 9)), (signed_with(KEY, OTHER_SECRET), (asker.TSIG,))], ids=["none", "wrong"])
@pytest.mark.parametrize("server", ["knot", "nsd"])
def test_a_zone_that_wants_a_key_is_not_had_without(request, server, words, status):
    server = request.getfixturevalue(server)
    said = asker.query(*where(server), CLOSED, "AXFR", "+generic", *words)
    assert said.status in status and not transferred(said.out) and "Transfer failed" in said.err, said


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "hmac-md5"])
def test_axfr_over_tls(nsd, authority, algorithm):
    said = asker.query(*over_tls(nsd, authority), CLOSED, "AXFR", "+generic", *signed_with(algorithm), check=0)
    assert transferred(said.out) == of_dig(nsd, CLOSED, "AXFR", *signed_with(algorithm))


def test_a_transfer_shows_the_parts_that_are_wanted(knot):
    whole = asker.query(*where(knot), CHANGED, "AXFR", check=0)
    only, data, none = (
        asker.query(*where(knot), CHANGED, "AXFR", *words, check=0).out.splitlines()
        for words in (["+noall", "+answer"], ["+short"], ["+noall"])
    )
    assert [line for line in only if line] == [line for line in whole.out.splitlines() if line and not line.startswith(";")]
    assert [line for line in data if line][-1].startswith("ns1.") and len([line for line in data if line]) == len([line for line in only if line])
    assert not [line for line in none if line]


def test_axfr_over_tls_without_a_key(nsd, authority):
    said = asker.query(*over_tls(nsd, authority), LARGE, "AXFR", check=0)
    assert statistics(said)[0] > LARGE_COUNT


@pytest.mark.parametrize("serial", [1, 2, 3])
@pytest.mark.parametrize("key", [[], signed_with(KEY)], ids=["plain", "signed"])
def test_ixfr_is_what_dig_transfers(knot, serial, key):
    said = asker.query(*where(knot), CHANGED, f"IXFR={serial}", "+tcp", "+generic", *key, check=0)
    assert transferred(said.out) == of_dig(knot, CHANGED, f"IXFR={serial}", *key)
    assert len(transferred(said.out)) == {1: 9, 2: 6, 3: 1}[serial], said


@pytest.mark.parametrize("serial, form", [(1, "Changes from serial 1 to 3"), (2, ""), (3, "Nothing is newer")])
def test_ixfr_over_tls_is_what_kdig_transfers(nsd, authority, serial, form):
    """NSD 4.6 has heard of the changes from 1 to 3 in one step: since 2, it has nothing but the whole zone. 4.12 has both."""
    said = asker.query(*over_tls(nsd, authority), CHANGED, f"IXFR={serial}", "+generic", check=0)
    seen = transferred(asker.peer("kdig", *where(nsd)[:1], "-p", nsd.tls_port, "+tls", "+generic", f"ixfr={serial}", CHANGED))
    assert transferred(said.out) == seen
    assert transferred(said.out) == of_dig(nsd, CHANGED, f"IXFR={serial}")
    assert len(seen) in {1: (7, 9), 2: (9, 6), 3: (1,)}[serial] and form in said.out, said
    if serial == 2 and len(seen) == 9:
        assert transferred(said.out) == of_dig(nsd, CHANGED, "AXFR")


@pytest.mark.parametrize("what", ["flip", "unsigned"])
def test_a_transfer_that_is_changed_in_its_middle_fails(between, what):
    change = {"flip": lambda message: flipped(message, len(message) // 2), "unsigned": unsigned}[what]
    words = between(lambda number, message: change(message) if number == 2 else message)
    said = asker.query(*words, LARGE, "AXFR", *signed_with(KEY))
    assert said.status == asker.TSIG and "Transfer failed" in said.err, said.err


def test_a_connection_that_ends_without_a_word_of_the_zone_is_silence():
    server = Plain(otherwise=lambda query: query.connection.close("fin"))
    try:
        said = asker.query(f"@{server.host}", "-p", server.port, LARGE, "AXFR", check=asker.SILENCE)
        assert "nothing came" in said.err, said
    finally:
        server.stop()


def into_a_full_disk(*words):
    """Runs `sotto query` with nowhere to print: what it said of that."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [daemon.BINARY, "query", *map(str, words)], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == asker.HOST and "No space left" in done.stderr, done
    return done.stderr


def test_a_transfer_that_cannot_be_printed_ends(knot):
    assert "cannot be printed" in into_a_full_disk(*where(knot), LARGE, "AXFR")


def test_a_transfer_that_is_cut_off_fails(between):
    words = between(lambda number, message: message if number < 3 else b"")
    said = asker.query(*words, LARGE, "AXFR", "+time=2s")
    assert said.status >= 64 and "Transfer failed" in said.err, said.err


# ---- the walk


@pytest.mark.parametrize("zone", [WALKED, SIGNED])
def test_the_walk_finds_each_name_once(knot, zone):
    said = asker.query(*where(knot), zone, "+walk=0", check=0)
    walked = [line.split()[0].lower() for line in said.out.splitlines() if line and not line.startswith(";")]
    names = {record[0].lower() for record in of_dig(knot, zone, "AXFR") if record[2] == "TYPE47"}
    assert len(walked) == len(set(walked)) and set(walked) == names


def test_a_walk_that_cannot_be_printed_ends(knot):
    proxy = Between(knot, lambda _, message: message)
    try:
        into_a_full_disk(f"@{proxy.host}", "-p", proxy.port, "+tcp", WALKED, "+walk=0")
        assert len(proxy.queries) == 1
    finally:
        proxy.stop()


def test_the_walk_leaves_time_between_two_questions(knot):
    """As much as it is told, at least."""
    proxy = Between(knot, lambda _, message: message)
    try:
        said = asker.query(f"@{proxy.host}", "-p", proxy.port, "+tcp", CHANGED, "+walk=100")
        assert said.status, "a zone without NSEC was walked"
        asker.query(f"@{proxy.host}", "-p", proxy.port, "+tcp", WALKED, "+walk=20", check=0)
        times = [query.time for query in proxy.queries[1:]]
        assert len(times) > 50 and all(later - before >= 0.015 for before, later in zip(times, times[1:]))
    finally:
        proxy.stop()
