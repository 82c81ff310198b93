"""What malformed answers (rows F-60 to F-68 of failures) do to `sotto query`: it says what is wrong and at which octet, ends with
status 66, and never by a crash; what it shows is safe for a terminal, and memory is bounded."""

import os
import struct
import subprocess

import pytest

from bench import asker, daemon, messages
from bench.messages import header, opt, option, record, reply, unique_name, wire_name
from bench.plain import Plain

C0 = b"\xc0"
ADDRESS = bytes([192, 0, 2, 1])


@pytest.fixture(scope="module")
def server():
    started = Plain()
    yield started
    started.stop()


def ask(server, *words, **how):
    return asker.query(f"@{server.host}", "-p", server.port, *words, **how)


def at(asked, more=0):
    """The octet so far behind the question."""
    return len(asked.question) + 12 + more


# ---- malformed, and where

# The message, and the words that must be said of it; {end}: the octet behind the question.
MALFORMED = {
    "F-60 nothing behind the ID": (lambda q: q.wire[:2], "2 octets are no message"),
    "F-60 a header cut off": (lambda q: messages.derived(q)[:11], "11 octets are no message"),
    "F-60 cut off in the question": (lambda q: reply(q)[: at(q, -2)], "cut off"),
    "F-60 cut off in a record": (lambda q: reply(q, [record("A", ADDRESS)], edns=b"")[:-1], "RDLENGTH at octet"),
    "F-60 octets behind the end": (lambda q: reply(q, edns=b"") + b"\0\0\0", "3 octets left over at octet {end}"),
    "F-61 a pointer to itself": (
        lambda q: reply(q, [record("A", ADDRESS, owner=C0 + bytes([at(q)]))], edns=b""),
        "the compression pointer at octet {end} does not lead back",
    ),
    "F-61 a pointer ahead": (
        lambda q: reply(q, [record("A", ADDRESS, owner=C0 + bytes([at(q, 4)]))], edns=b""),
        "the compression pointer at octet {end} does not lead back",
    ),
    "F-61 a pointer into the header": (
        lambda q: reply(q, [record("A", ADDRESS, owner=C0 + b"\x04")], edns=b""), "at octet {end} leads into the header",
    ),
    "F-61 half a pointer": (lambda q: reply(q, edns=b"", counts=(1, 1, 0, 0)) + C0, "half a compression pointer at octet {end}"),
    "F-61 a label of an unknown kind": (
        lambda q: reply(q, [record("A", ADDRESS, owner=b"\x80\0")], edns=b""), "an unknown kind (0x80) at octet {end}",
    ),
    "F-61 a name of 256 octets": (
        lambda q: reply(q, [record("A", ADDRESS, owner=messages.name_of_length(256))], edns=b""), "longer than 255 octets",
    ),
    "F-61 a name that ends behind its RDATA": (
        lambda q: reply(q, [record("CNAME", b"\x03www\x03abc"), record("A", ADDRESS)], edns=b""), "runs past octet",
    ),
    "F-61 too many pointers in a row": (
        lambda q: reply(q, [record(10, b"\0" + chain(at(q, 13), 127)), record("A", ADDRESS, owner=last(at(q, 13), 127))], edns=b""),
        "compression pointers from octet",
    ),
    "F-62 more answers than there are": (
        lambda q: reply(q, [record("A", ADDRESS)], edns=b"", counts=(1, 2, 0, 0)),
        "the header counts 2 in the answer section, and 1 are there",
    ),
    "F-62 fewer answers than there are": (
        lambda q: reply(q, [record("A", ADDRESS)] * 2, edns=b"", counts=(1, 1, 0, 0)), "16 octets left over at octet",
    ),
    "F-62 65535 answers": (lambda q: reply(q, edns=b"", counts=(1, 65535, 0, 0)), "the header counts 65535"),
    "F-62 two questions": (
        lambda q: header(q.id, messages.QR, 2) + q.question * 2, "2 questions, by the header's octet 4",
    ),
    "F-62 RDLENGTH beyond the end": (
        lambda q: reply(q, [record("A", ADDRESS)[:-6] + struct.pack("!H", 400) + ADDRESS], edns=b""), "is 400, and 4 octets are left",
    ),
    "F-63 two OPT": (lambda q: reply(q, [], edns=b"", additional=[opt(), opt()]), "a second OPT at octet"),
    "F-63 OPT among the answers": (lambda q: reply(q, [opt()], edns=b""), "OPT at octet {end} in the answer section"),
    "F-63 OPT of another name": (
        lambda q: reply(q, edns=opt(owner=wire_name("x.test"))), "OPT at octet {end} does not belong to the root",
    ),
    "F-63 half an option": (lambda q: reply(q, edns=opt(options=b"\0\x03\0")), "half an option at octet"),
    "F-63 an option beyond the OPT": (lambda q: reply(q, edns=opt(options=b"\0\x03\0\x09abc")), "option 3 at octet"),
    "F-63 4000 options": (lambda q: reply(q, edns=opt(options=option(65001) * 4000)), "options, at octet"),
}  # fmt: skip


def chain(start, length):
    """Pointers, each to the one before it, the first to a root label right before `start`."""
    return b"".join(struct.pack("!H", 0xC000 | (start + 2 * (n - 1) if n else start - 1)) for n in range(length))


def last(start, length):
    """A name that is a pointer to the last of these."""
    return struct.pack("!H", 0xC000 | (start + 2 * (length - 1)))


@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.parametrize("over", ["udp", "tcp"])
def test_malformed_answers_are_said_to_be_and_where(server, name, over, what):
    make, words = MALFORMED[what]
    ends = []

    def behave(query):
        ends.append(at(query.asked))
        query.send(make(query.asked))

    server.when(name, behave)
    said = ask(server, name, *(["+tcp"] if over == "tcp" else []), check=asker.MALFORMED)
    assert words.format(end=ends[0]) in said.all, said


def test_f62_an_address_of_five_octets_is_shown_as_octets_and_remarked(server, name):
    """As the daemon would pass it on: what types of their own hold is opaque (RFC 3597)."""
    ends = []

    def make(asked):
        ends.append(at(asked))
        return reply(asked, [record("A", ADDRESS + b"\0")])

    said = answers(server, name, make)
    assert said.records() == [f"{name}. 300 IN A \\# 5 c000020100"], said
    assert f"the RDATA of A at octet {ends[0] + 12} is not what its type asks for" in said.out, said


# ---- mutations

VALUES = (0, 1, 0x3F, 0x7F, 0xC0, 0xFF)


def seed(asked):
    """A reply with something of everything."""
    name = b"\x03www\xc0\x0c"
    signature = struct.pack("!HBBIIIH", 1, 13, 3, 300, 2**31, 0, 7) + b"\0" + b"s" * 16
    return reply(
        asked,
        [record("CNAME", name), record("A", ADDRESS, owner=name), record("RRSIG", signature, owner=name),
         record("TXT", b"\x04text\x00"), record("HTTPS", b"\0\x01\0\0\x01\0\x03\x02h2")],
        [record("SOA", name + C0 + b"\x0c" + bytes(20)), record(47, b"\0\0\x02\x40\x01")],
        edns=opt(options=option(15, b"\0\x16because") + option(10, b"c" * 16) + option(12, bytes(4))),
    )  # fmt: skip


def mutants(message):
    """Cut off everywhere, and each octet behind the ID set to other values."""
    cut = [message[:size] for size in range(2, len(message))]
    changed = [
        message[:place] + bytes([value]) + message[place + 1 :]
        for place in range(2, len(message)) for value in VALUES if message[place] != value
    ]  # fmt: skip
    return cut + changed


def test_f60_no_mutation_of_an_answer_does_harm(server):
    """Behind each mutant stands the right reply, for those that are taken for somebody else's."""
    count = len(mutants(seed(messages.Asked(messages.query("m-00000.t.test", edns=opt())))))
    assert count > 1500
    sent = set()

    def behave(query):
        number = int(query.asked.name.split(".")[0][2:])
        query.send(mutants(seed(query.asked))[number])
        query.send(messages.derived(query.asked))
        sent.add(number)

    server.otherwise, before = behave, server.otherwise
    try:
        for first in range(0, count, 250):
            names = [f"m-{number:05}.t.test" for number in range(first, min(first + 250, count))]
            said = ask(server, *names, "+time=10s", "+tries=5")
            ends = said.out.count(" response from (") + said.err.count("response failure")
            assert ends >= len(names), said
    finally:
        server.otherwise = before
    assert sent == set(range(count))


# ---- what is valid, and large or strange


def answers(server, name, make, *words):
    server.when(name, lambda query: query.send(make(query.asked)))
    return ask(server, name, *words)


def test_f63_a_message_of_65535_octets_is_shown(server, name):
    said = answers(server, name, lambda q: messages.sized(q, 65535), "+tcp", "+noedns")
    assert said.status == 0 and ", 65535 bytes" in said.out, said.err
    assert len(said.records()) == said.counts()[1] > 200


def test_f63_a_loop_of_aliases_is_shown(server, name):
    said = answers(server, name, lambda q: reply(q, [record("CNAME", b"\xc0\x0c")]), "+tcp")
    assert said.status == 0 and said.records() == [f"{name}. 300 IN CNAME {name}."], said


def test_f63_an_error_text_of_60_kilobytes_is_shown(server, name):
    said = answers(server, name, lambda q: reply(q, edns=opt(options=option(15, b"\0\x17" + b"e" * 60000))), "+tcp")
    assert said.status == 0 and "Network Error" in said.out and "e" * 1000 in said.out


@pytest.mark.parametrize("ttl", [0, 2**31 - 1, 2**31, 2**32 - 1])
def test_f65_times_to_live_are_shown_as_they_came(server, name, ttl):
    said = answers(server, name, lambda q: reply(q, [record("A", ADDRESS, ttl=ttl)]))
    assert said.records() == [f"{name}. {ttl} IN A 192.0.2.1"], said


@pytest.mark.parametrize("rcode", [*range(1, 24), 3841, 4095])
def test_f66_the_rcode_is_the_exit_status_up_to_63(server, name, rcode):
    said = answers(server, name, lambda q: reply(q, rcode=rcode))
    assert f"rcode={rcode}(" in said.out and said.status == min(rcode, 63), said
    assert len(server.asked(name)) == 1


def test_f68_ad_that_nobody_asked_for_is_remarked(server, name):
    said = answers(server, name, lambda q: messages.derived(q, flags=messages.AD))
    assert said.flags()["ad"] and "AD" in said.out.split("WARNING")[1], said


@pytest.mark.parametrize("what", ["owner", "text", "error"])
def test_nothing_that_came_reaches_a_terminal_as_it_is(server, name, what):
    evil = b"\x1b]0;title\x07\x9b\r\n\x7f"

    def make(asked):
        if what == "owner":
            return reply(asked, [record("A", ADDRESS, owner=bytes([len(evil)]) + evil + b"\0")])
        if what == "text":
            return reply(asked, [record("TXT", bytes([len(evil)]) + evil)])
        return reply(asked, edns=opt(options=option(15, b"\0\x17" + evil) + option(3, evil)))

    said = answers(server, name, make)
    assert said.status == 0, said
    assert all(letter == "\n" or letter == "\t" or " " <= letter < "\x7f" for letter in said.all), said.all.encode()


# ---- memory


def peak_of(*words):
    """The most memory that it had resident, in octets; how many TXT records it printed."""
    environment = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}
    with subprocess.Popen(
        [daemon.BINARY, "query", *map(str, words)], stdout=subprocess.PIPE, env=environment
    ) as started:
        records = sum(b"\tTXT\t" in line for line in started.stdout)
        _, status, usage = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0
    return usage.ru_maxrss * 1024, records


def transfer_of(messages_count):
    """AXFR in so many messages of 53 kB."""

    def behave(query):
        soa = record("SOA", messages.SOA)
        body = [record("TXT", b"\xff" + b"t" * 255)] * 200
        for number in range(messages_count):
            first, end = [soa] * (number == 0), [soa] * (number == messages_count - 1)
            query.send(reply(query.asked, first + body + end, edns=b""))

    return behave


def test_a_transfer_of_any_size_takes_bounded_memory(server):
    small, large = unique_name(), unique_name()
    server.when(small, transfer_of(2))
    server.when(large, transfer_of(1000))
    where = [f"@{server.host}", "-p", server.port, "AXFR", "+noedns"]
    of_small, records = peak_of(*where, small)
    assert records == 2 * 200
    of_large, records = peak_of(*where, large)
    assert records == 1000 * 200
    assert of_large < of_small + (8 << 20)
