"""Conformance, row by row: what is kept, and for how long (RFC 1035, 2181, 2308). Each test is named by its row.

For whom it is kept is in test_conformance_cache_keys.py; failures (RFC 9520), stale answers (RFC 8767) and who shares
what have files of their own, test_cache_*.py.
"""

import struct
import time

import dns.flags
import pytest

from bench import behaviours, messages
from bench.behaviours import first_then
from bench.cached import (
    a, alias, ask_until_asked, asked_types, cache, expire, gaps, is_told, says, soa, told, ttls,
)
from bench.claims import is_answered
from bench.clients import Head, Tcp, addresses, ask, ask_wire, parse
from bench.messages import NOERROR, NXDOMAIN, SERVFAIL, TYPES, opt, query, record, unique_name, wire_name
from bench.reader import read
from test_plain_upstreams import start_plain  # noqa: F401: a fixture


@pytest.fixture(scope="module")
def sotto(shared, upstream):
    return shared.sotto(upstream, cache=cache(stale="0s"))


# ---- 1035-09: TTLs


def test_1035_09_a_ttl_counts_down_and_is_never_above_the_original(sotto, upstream, name):
    upstream.when(name, says(a(ttl=100)))
    began = time.monotonic()
    assert ttls(ask(sotto.address, name)) == [100]
    answered = time.monotonic()
    for _ in range(3):
        time.sleep(0.8)
        soonest = time.monotonic() - answered
        [ttl] = ttls(ask(sotto.address, name))
        assert 100 - (time.monotonic() - began) - 1 <= ttl <= 100 - int(soonest)
    assert len(upstream.asked(name)) == 1


def test_1035_09_an_answer_is_asked_for_again_when_its_time_is_over_and_not_before(sotto, upstream, name):
    upstream.when(name, says(a(ttl=2)))
    answers = ask_until_asked(sotto, upstream, name, 2)
    assert gaps(upstream, name)[0] >= 1.99
    assert all(0 <= ttl <= 2 for answer in answers for ttl in ttls(answer))
    assert ttls(answers[-1]) == [2]


def test_1035_09_a_ttl_of_0_is_of_no_use_to_a_later_query(sotto, upstream, over, name):
    upstream.when(name, says(a(ttl=0)))
    for count in (1, 2, 3):
        answer = ask(sotto.address, name, over=over)
        assert addresses(answer) and ttls(answer) == [0]
        assert len(upstream.asked(name)) == count


@pytest.mark.parametrize("first, last", [(2, 100), (100, 2)])
def test_1035_09_an_answer_lives_as_long_as_the_first_of_its_records(first, last, sotto, upstream, name):
    upstream.when(name, says(alias("b.t.test", first), a(ttl=last, owner=wire_name("b.t.test"))))
    assert ttls(ask(sotto.address, name)) == [first, last]
    ask_until_asked(sotto, upstream, name, 2)
    assert gaps(upstream, name)[0] >= 1.99


@pytest.mark.parametrize("section", ["authority", "additional"])
def test_1035_09_the_other_sections_count_too(section, sotto, upstream, name):
    brief = [record("NS", b"\2ns\0", ttl=2)] if section == "authority" else [a(ttl=2, owner=wire_name("ns"))]
    upstream.when(name, says(a(ttl=300), **{section: brief}))
    ask_until_asked(sotto, upstream, name, 2)
    assert 1.99 <= gaps(upstream, name)[0] < 60


@pytest.mark.parametrize("first, then", [("udp", "tcp"), ("tcp", "udp")])
def test_what_came_over_one_transport_is_kept_for_the_other(first, then, sotto, upstream, name):
    assert is_answered(sotto, name, first) and is_answered(sotto, name, then)
    assert len(upstream.asked(name)) == 1


def test_a_cache_of_size_0_keeps_nothing(start_sotto, upstream, name):
    sotto = start_sotto(upstream, cache=cache(size=0))
    assert all(is_answered(sotto, name) for _ in range(3))
    assert len(upstream.asked(name)) == 3


# ---- 2181-01, 2181-02: one RRset, one TTL, within bounds


def test_2181_01_the_records_of_an_rrset_have_its_lowest_ttl(sotto, upstream, over, name):
    upstream.when(name, says(a("10.0.0.1", 5), a("10.0.0.2", 50), a("10.0.0.3", 500)))
    for count in (1, 2):
        answer = ask(sotto.address, name, over=over)
        assert len(addresses(answer)) == 3 and max(ttls(answer)) <= 5
    ask_until_asked(sotto, upstream, name, len(upstream.asked(name)) + 1)
    assert gaps(upstream, name)[-1] >= 4.99


def raw_ttls(wire, asked):
    """The TTLs of an answer all of whose records are addresses of the question's name."""
    return [int.from_bytes(wire[at + 6 : at + 10], "big") for at in range(len(asked), len(wire), 16)]


def test_2181_01_each_record_says_so_on_the_wire(sotto, upstream, name):
    upstream.when(name, says(a("10.0.0.1", 500), a("10.0.0.2", 60), a("10.0.0.3", 5000)))
    asked = query(name)
    for _ in range(2):
        first, *rest = raw_ttls(ask_wire(sotto.address, asked), asked)
        assert 30 < first <= 60 and rest == [first, first]


@pytest.mark.parametrize("ttl", [0x80000000, 0x80000001, 0xFFFFFFFF])
def test_2181_02_a_ttl_with_the_top_bit_set_is_0(ttl, sotto, upstream, name):
    upstream.when(name, says(a(ttl=ttl)))
    for count in (1, 2):
        assert ttls(ask(sotto.address, name)) == [0]
        assert len(upstream.asked(name)) == count


def test_2181_02_a_ttl_of_years_is_a_day(sotto, upstream, name):
    upstream.when(name, says(a(ttl=0x7FFFFFFF)))
    assert ttls(ask(sotto.address, name)) == [86400]
    assert 80000 < ttls(ask(sotto.address, name))[0] <= 86400
    assert len(upstream.asked(name)) == 1


def test_2181_02_the_ceiling_of_ttls_can_be_set(start_sotto, upstream, name):
    sotto = start_sotto(upstream, cache=cache(ttl_max="2s", stale="0s"))
    upstream.when(name, says(alias("b.t.test", 1), a(ttl=300, owner=wire_name("b.t.test"))))
    assert ttls(ask(sotto.address, name)) == [1, 2]
    upstream.when(name, says(a(ttl=300)))
    count = len(upstream.asked(name)) + 2
    ask_until_asked(sotto, upstream, name, count)
    assert 1.99 <= gaps(upstream, name)[-1] < 60


def test_2181_02_the_floor_of_ttls_can_be_set(start_sotto, upstream, name):
    sotto = start_sotto(upstream, cache=cache(ttl_min="60s"))
    upstream.when(name, says(alias("b.t.test", 1), a(ttl=300, owner=wire_name("b.t.test"))))
    assert ttls(ask(sotto.address, name)) == [60, 300]
    time.sleep(1.2)
    assert is_told(sotto, name, "10.9.8.7")
    assert len(upstream.asked(name)) == 1


def test_2181_01_also_when_others_stand_between_them(sotto, upstream, name):
    upstream.when(name, says(a("10.0.0.1", 500), record("TXT", b"\1t", ttl=400), a("10.0.0.2", 60)))
    for _ in range(2):
        items = read(ask_wire(sotto.address, query(name)))
        first, last = [item.ttl for item in items if item.rtype == TYPES["A"]]
        assert 30 < first == last <= 60


@pytest.mark.parametrize("at", [0, 2])
def test_a_name_that_leads_through_a_ttl_is_given_to_nobody(at, sotto, upstream, over, name):
    """A TTL of 300 is also a root label, then 0 1 44: a name that would be another one when the TTL counts down."""

    def through(asked):
        first = a(ttl=300 if at == 0 else 0x100)
        owner = struct.pack("!H", 0xC000 | len(asked.question) + 12 + 6 + at)
        return messages.reply(asked, [first, a("10.0.0.2", owner=owner)])

    upstream.when(name, behaviours.message(through))
    for _ in range(2):
        answer = ask(sotto.address, name, over=over, edns=opt())
        assert (answer.rcode(), answer.answer) == (SERVFAIL, []) and 24 in [code for code, _ in told(answer)]


# ---- 2181-03: TC, and sizes (users 1.16)


@pytest.mark.parametrize("records", [[], [a("10.0.0.1")]], ids=["empty", "one record"])
def test_2181_03_a_truncated_answer_is_not_kept(records, sotto, upstream, over, name):
    whole = [a("10.0.0.1"), a("10.0.0.2")]
    upstream.when(name, first_then(says(*records, flags=messages.TC), says(*whole)))
    assert ask(sotto.address, name, over=over).flags & dns.flags.TC
    for _ in range(2):
        answer = ask(sotto.address, name, over=over)
        assert addresses(answer) == ["10.0.0.1", "10.0.0.2"] and not answer.flags & dns.flags.TC
    assert len(upstream.asked(name)) == 2


@pytest.mark.parametrize("records", [[], [a("10.0.0.1")]], ids=["empty", "one record"])
def test_2181_03_what_udp_truncates_is_kept_as_tcp_brought_it(
    records, start_plain, start_sotto, over, name  # noqa: F811
):
    def behave(query):
        truncated = query.connection.over == "udp"
        whole = [a("10.0.0.1"), a("10.0.0.2")]
        query.send(messages.reply(query.asked, records if truncated else whole, flags=messages.TC if truncated else 0))

    plain = start_plain(otherwise=behave)
    sotto = start_sotto(plain, cache=cache())
    for _ in range(3):
        answer = ask(sotto.address, name, over=over)
        assert addresses(answer) == ["10.0.0.1", "10.0.0.2"] and not answer.flags & dns.flags.TC
    assert [q.connection.over for q in plain.asked(name)] == ["udp", "tcp"]


def test_2181_03_what_is_cut_for_one_client_is_whole_for_the_next(sotto, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 3000)))
    for _ in range(2):
        for size in (None, 512, 1232):
            wire = ask_wire(sotto.address, query(name, "TXT", edns=size and opt(size)))
            assert Head(wire).truncated and len(wire) <= (size or 512)
            assert bool(size) == (parse(wire).edns == 0)
        wire = ask_wire(sotto.address, query(name, "TXT"), "tcp")
        assert not Head(wire).truncated and len(wire) == 3000
    assert len(upstream.asked(name)) == 1


def test_1_16_more_hits_than_a_client_takes_at_once_all_come(sotto, upstream):
    names = [unique_name("large") for _ in range(16)]
    for name in names:
        upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 60000)))
        assert len(ask_wire(sotto.address, query(name, "TXT"), "tcp")) == 60000
    with Tcp(sotto.address) as client:
        client.send(*(query(name, "TXT", id=id) for id, name in enumerate(names)))
        client.end()
        assert [len(client.receive()) for _ in names] == [60000] * 16
    assert all(len(upstream.asked(name)) == 1 for name in names)


@pytest.mark.parametrize("octets, count", [(400, 1), (30000, 1), (60000, 1), (65535, 3)])
def test_what_takes_more_than_64_kib_is_relayed_and_not_kept(octets, count, sotto, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, octets)))
    for _ in range(3):
        assert len(ask_wire(sotto.address, query(name, "TXT"), "tcp")) == octets
    assert len(upstream.asked(name)) == count


# ---- 2308: what is not there


def test_2308_01_a_name_that_does_not_exist_has_no_type_at_all(sotto, upstream, over, name):
    upstream.when(name, says(authority=[soa()], rcode=NXDOMAIN))
    for qtype in ("A", "AAAA", "MX", 65280):
        asked = query(name, qtype)
        answer = ask_wire(sotto.address, asked, over)
        assert answer[12 : len(asked)] == asked[12:]
        assert Head(answer).rcode == NXDOMAIN and Head(answer).counts == (1, 0, 1, 0)
    assert asked_types(upstream, name) == [TYPES["A"]]


def test_2308_01_what_has_no_records_of_a_type_may_have_others(sotto, upstream, name):
    for qtype in ("AAAA", "A", "AAAA", "A"):
        upstream.when(name, says(authority=[soa()]) if qtype == "AAAA" else behaviours.derive)
        answer = ask(sotto.address, name, qtype)
        assert answer.rcode() == NOERROR and bool(answer.answer) == (qtype == "A")
    assert asked_types(upstream, name) == [TYPES["AAAA"], TYPES["A"]]


def test_2308_01_an_answer_holds_while_another_type_is_told_that_there_is_no_such_name(sotto, upstream, name):
    assert is_answered(sotto, name)
    upstream.when(name, says(authority=[soa()], rcode=NXDOMAIN))
    assert ask(sotto.address, name, "AAAA").rcode() == NXDOMAIN
    assert is_answered(sotto, name)
    assert ask(sotto.address, name, "MX").rcode() == NXDOMAIN
    assert asked_types(upstream, name) == [TYPES["A"], TYPES["AAAA"]]


def test_2308_01_a_name_that_exists_again_is_not_said_to_be_missing(sotto, upstream, name):
    upstream.when(name, says(authority=[soa(1, 1)], rcode=NXDOMAIN))
    assert ask(sotto.address, name).rcode() == NXDOMAIN
    upstream.when(name, behaviours.derive)
    expire(sotto, name)
    assert is_answered(sotto, name)
    assert ask(sotto.address, name, "AAAA").rcode() == NOERROR
    assert asked_types(upstream, name) == [TYPES["A"], TYPES["A"], TYPES["AAAA"]]


def test_2308_01_a_missing_name_says_nothing_of_a_zone_below_it_with_servers_of_its_own(
    start_upstream, start_sotto, name
):
    outside, inside = start_upstream(otherwise=says(authority=[soa()], rcode=NXDOMAIN)), start_upstream()
    sotto = start_sotto(outside, zones={"inner." + name: [inside.address()]}, cache=cache())
    for _ in range(2):
        assert ask(sotto.address, name).rcode() == NXDOMAIN
        assert is_answered(sotto, "inner." + name) and is_answered(sotto, "a.inner." + name)
    assert len(outside.queries) == 1 and len(inside.queries) == 2


NEGATIVES = pytest.mark.parametrize("rcode", [NXDOMAIN, NOERROR], ids=["NXDOMAIN", "NODATA"])


@NEGATIVES
@pytest.mark.parametrize(
    "ttl, minimum, least", [(3600, 300, 300), (300, 3600, 300), (86400, 86400, 3600), (3600, 0x7FFFFFFF, 3600)]
)
def test_2308_02_the_soa_says_how_long_and_an_hour_is_the_most(rcode, ttl, minimum, least, sotto, upstream, name):
    upstream.when(name, says(authority=[soa(ttl, minimum)], rcode=rcode))
    for _ in range(2):
        answer = ask(sotto.address, name)
        assert answer.rcode() == rcode and answer.authority[0].rdtype == TYPES["SOA"]
        assert least - 60 < ttls(answer)[0] <= least
    assert len(upstream.asked(name)) == 1


@NEGATIVES
def test_2308_02_the_ttl_of_the_soa_counts_down(rcode, sotto, upstream, name):
    upstream.when(name, says(authority=[soa(100, 100)], rcode=rcode))
    ask(sotto.address, name)
    time.sleep(1.1)
    assert 40 < ttls(ask(sotto.address, name))[0] <= 99
    assert len(upstream.asked(name)) == 1


@NEGATIVES
@pytest.mark.parametrize("ttl, minimum", [(300, 1), (1, 300)], ids=["its minimum", "its TTL"])
def test_2308_02_when_the_soas_time_is_over_it_is_asked_again(rcode, ttl, minimum, sotto, upstream, name):
    upstream.when(name, says(authority=[soa(ttl, minimum)], rcode=rcode))
    ask_until_asked(sotto, upstream, name, 2)
    assert 0.99 <= gaps(upstream, name)[0] < 60


@NEGATIVES
def test_2308_02_the_most_for_what_is_not_there_can_be_set(rcode, start_sotto, upstream, name):
    sotto = start_sotto(upstream, cache=cache(ttl_negative="1s", stale="0s"))
    upstream.when(name, says(authority=[soa(3600, 3600)], rcode=rcode))
    ask_until_asked(sotto, upstream, name, 2)
    assert 0.99 <= gaps(upstream, name)[0] < 60
    other = "other." + name
    upstream.when(other, says(a(ttl=300)))
    assert 200 < ttls(ask(sotto.address, other))[0] <= 300


@NEGATIVES
@pytest.mark.parametrize("others", [[], [record("NS", b"\2ns\0")]], ids=["empty", "with NS"])
def test_2308_03_a_negative_answer_without_soa_is_not_kept(rcode, others, sotto, upstream, name):
    upstream.when(name, says(authority=others, rcode=rcode))
    for count in (1, 2):
        assert ask(sotto.address, name).rcode() == rcode
        assert len(upstream.asked(name)) == count


@NEGATIVES
def test_2308_03_one_whose_soa_has_a_ttl_of_0_is_not_kept_either(rcode, sotto, upstream, name):
    upstream.when(name, says(authority=[soa(300, 0)], rcode=rcode))
    for count in (1, 2):
        assert ask(sotto.address, name).rcode() == rcode
        assert len(upstream.asked(name)) == count


def test_2308_04_an_alias_of_a_missing_name_exists_itself(sotto, upstream, name):
    """NXDOMAIN is said of the last name: it is kept for the type that was asked."""
    target = "gone." + name
    upstream.when(name, says(alias(target), authority=[soa()], rcode=NXDOMAIN))
    for qtype in ("A", "A", "AAAA", "AAAA", "A"):
        answer = ask(sotto.address, name, qtype)
        assert answer.rcode() == NXDOMAIN and answer.answer[0].rdtype == TYPES["CNAME"]
    assert asked_types(upstream, name) == [TYPES["A"], TYPES["AAAA"]]
    assert is_answered(sotto, target), "what was said of an alias is taken for the answer to its target"


def test_2308_04_an_alias_of_a_name_without_such_records_is_kept_for_this_type(sotto, upstream, name):
    upstream.when(name, says(alias("none." + name), authority=[soa()]))
    for qtype in ("AAAA", "AAAA", "A"):
        assert ask(sotto.address, name, qtype).answer[0].rdtype == TYPES["CNAME"]
    assert asked_types(upstream, name) == [TYPES["AAAA"], TYPES["A"]]


def test_2308_04_an_alias_and_nothing_else_is_not_kept_without_soa(sotto, upstream, name):
    upstream.when(name, says(alias("none." + name), rcode=NXDOMAIN))
    for count in (1, 2):
        assert ask(sotto.address, name).rcode() == NXDOMAIN
        assert len(upstream.asked(name)) == count
