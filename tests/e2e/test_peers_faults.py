"""How other forwarders broke, by what they were sent (S-20 to S-30): each test is named by its row. The sanitizers and the
next query say whether anything broke here."""

import struct

import pytest

from bench import behaviours, messages
from bench.cached import a, cache, error, says
from bench.claims import are_answered, is_answered, names
from bench.clients import Head, addresses, ask, ask_wire, parse
from bench.messages import COOKIE, ECS, NSID, PADDING, RD, frame, header, opt, option, query, record, reply, wire_name
from bench.reader import read


@pytest.fixture(scope="module")
def sotto(shared, upstream):
    return shared.sotto(upstream, cache=cache(stale="0s"))


# ---- S-20, S-22: replies that are hardly any


def test_s_20_frames_of_all_small_lengths_and_a_long_one_of_nothing_are_passed_over(start_upstream, start_sotto, name):
    upstream, good = start_upstream(), start_upstream()
    sotto = start_sotto(upstream, good)
    lengths = {n: f"{n}.{name}" for n in (*range(21), 65535)}
    for n, asked in lengths.items():
        upstream.when(asked, behaviours.stream(lambda a, n=n: frame(a.wire[:2] + b"\x80" * (n - 2) if n > 1 else b"\1" * n)))
    assert are_answered(sotto, list(lengths.values()))
    upstream.when("cut." + name, lambda q: (q.connection.write(b"\xff\xff" + q.asked.wire), q.connection.close("fin")))
    assert is_answered(sotto, "cut." + name)
    assert are_answered(sotto, names(50))


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (0, 1, 0, 0)], ids=["nothing", "an answer"])
def test_s_22_a_reply_without_a_question_is_none(counts, start_upstream, start_sotto, name):
    def without(asked):
        answers = [a(owner=asked.owner)] * counts[1]
        return reply(asked, answers, question=b"", edns=b"", counts=counts)

    first, good = start_upstream(otherwise=behaviours.message(without)), start_upstream()
    sotto = start_sotto(first, good)
    assert is_answered(sotto, name) and first.asked(name)


# ---- S-21, S-23, S-29: RDATA that others read and had no need to

ODD_RDATA = {
    "S-21 an NSEC with a window without octets": (47, b"\0" + b"\0\0"),
    "S-21 an NSEC of pseudo-types": (47, b"\0" + b"\0\x20" + b"\xff" * 32),
    "S-21 an NSEC with windows past its end": (47, b"\0" + b"\xff\xff"),
    "S-23 an SVCB with a parameter past its end": (64, b"\0\1\0" + b"\0\1\xff\xff"),
    "S-23 an HTTPS with a thousand empty parameters": (65, b"\0\1\0" + b"".join(b"%b\0\0" % n.to_bytes(2, "big") for n in range(1000))),
    "S-23 an HTTPS with half an address": (65, b"\0\1\0" + b"\0\4\0\2\x0a\0"),
    "S-23 an SVCB of nothing": (64, b""),
    "S-29 an SRV whose name runs past it": (33, b"\0\1\0\1\0\x35\x3fabc"),
    "S-29 a DNAME whose name runs past it": (39, b"\x3f"),
    "S-29 an RRSIG without its name": (46, bytes(18)),
}


@pytest.mark.parametrize("what", ODD_RDATA)
def test_s_21_s_23_s_29_odd_rdata_of_newer_types_passes_as_it_is(what, sotto, upstream, over, name):
    rtype, rdata = ODD_RDATA[what]
    upstream.when(name, says(record(rtype, rdata)))
    for _ in range(2):
        wire = ask_wire(sotto.address, query(name, rtype, edns=opt()), "tcp" if len(rdata) > 1000 else over)
        assert struct.pack("!H", len(rdata)) + rdata in wire and Head(wire).rcode == messages.NOERROR
    assert is_answered(sotto, "next." + name)


# ---- S-24, S-27, S-28: queries with more than a question


def test_s_24_octets_behind_a_query_that_would_be_a_record_are_never_forwarded(sotto, over, name, not_forwarded):
    behind = record("A", b"\x06\6\6\6", owner=wire_name("victim.test"))
    for edns in (None, opt()):
        with not_forwarded():
            answer = ask_wire(sotto.address, query(name, edns=edns, trailing=behind), over)
        assert Head(answer).rcode == messages.FORMERR


def test_s_24_a_record_that_is_counted_is_not_forwarded_either(sotto, upstream, over, name):
    asked = header(7, RD, 1, additional=2) + messages.question(name) + record("A", b"\x06\6\6\6") + opt()
    assert addresses(parse(ask_wire(sotto.address, asked, over))) == [messages.address_of(name)]
    [seen] = upstream.asked(name)
    assert seen.asked.counts == (1, 0, 0, 1) and len(seen.wire) == 128


MANY_OPTIONS = {
    **{f"S-27 5,000 times option {code}": option(code, b"12345678") * 5000 for code in (NSID, COOKIE, PADDING, ECS)},
    "S-28 16,000 empty options": option(65001) * 16000,
    "S-28 16,000 kinds of options": b"".join(option(number) for number in range(16000)),
}


@pytest.mark.parametrize("what", MANY_OPTIONS)
def test_s_27_s_28_thousands_of_options_are_formerr(what, sotto, name, not_forwarded):
    with not_forwarded():
        answer = parse(ask_wire(sotto.address, query(name, edns=opt(options=MANY_OPTIONS[what])), "tcp"))
    assert answer.rcode() == messages.FORMERR and not answer.options


@pytest.mark.parametrize("code", [NSID, COOKIE, PADDING, ECS])
def test_s_27_as_many_options_as_are_read_bring_none_back(code, sotto, over, name):
    answer = ask(sotto.address, name, over=over, edns=opt(4096, options=option(code, b"12345678") * 64))
    assert addresses(answer) == [messages.address_of(name)] and not answer.options


# ---- S-25, S-30: large replies


@pytest.mark.parametrize("octets", [65500, 65524, 65525, 65535])
def test_s_25_what_is_added_to_a_large_reply_never_takes_it_over_65535_octets(octets, sotto, upstream, name):
    theirs = opt(options=error(15, b"blocked"))

    def build(asked):
        return reply(asked, messages.texts(octets - 12 - len(asked.question) - len(theirs)), edns=theirs)

    upstream.when(name, behaviours.message(build))
    for _ in range(2):
        wire = ask_wire(sotto.address, query(name, "TXT", edns=opt(options=option(messages.KEEPALIVE))), "tcp")
        assert parse(wire).edns == 0 and (Head(wire).truncated or Head(wire).counts[1] > 200)


def many_owners(asked):
    """As many records as an entry of the cache takes, each of an owner of its own: two letters before the owner of an earlier one."""
    wire, pointer = bytearray(12 + len(asked.question)), 12
    records = []
    for number in range(2800):
        owner = bytes([1, 33 + number % 90]) + struct.pack("!H", 0xC000 | pointer)
        pointer = len(wire) if len(wire) < 0x4000 and number % 30 else 12
        records.append(owner + record("A", b"\x0a\0\0\1", owner=b""))
        wire += records[-1]
    return reply(asked, records, edns=b"")


def test_s_30_a_message_full_of_owners_is_relayed_whole(sotto, upstream, name):
    wanted = many_owners(messages.Asked(query(name)))
    upstream.when(name, behaviours.message(lambda asked: asked.wire[:2] + wanted[2:]))
    assert len(wanted) > 50000
    for _ in range(2):
        wire = ask_wire(sotto.address, query(name), "tcp")
        assert len(wire) <= len(wanted) and Head(wire).counts == (1, 2800, 0, 0)
        assert [item.owner for item in read(wire)] == [item.owner for item in read(wanted)]
    assert len(upstream.asked(name)) == 1
