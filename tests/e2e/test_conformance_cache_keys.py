"""Conformance, row by row: what an answer is known by in the cache (RFC 2181, 4035, 6840), and that nothing but the
answer to a question is ever known by it (S-15, F-64). Each test is named by its row.
"""

import struct

import dns.flags
import pytest

from bench import behaviours, clients, messages
from bench.cached import NOT_AUTHORITATIVE, a, alias, asked_types, cache, says, soa, told
from bench.claims import is_answered
from bench.clients import Head, addresses, ask, ask_wire, parse
from bench.daemon import free_port
from bench.messages import AD, CD, DO, NOERROR, NXDOMAIN, RD, REFUSED, SERVFAIL, TYPES, opt, query, record, wire_name
from test_plain_upstreams import start_plain  # noqa: F401: a fixture


@pytest.fixture(scope="module")
def sotto(shared, upstream):
    return shared.sotto(upstream, cache=cache(stale="0s"))


# ---- 2181-04: names are octets

ODD_NAMES = {
    "a zero": b"\3a\0b", "a space": b"\3a b", "the last octet": b"\2\xff\xfe", "a dot": b"\3a.b",
    "a backslash": b"\3a\\b", "a letter of Latin-1": b"\2a\xc4",
    "all there is below a letter": bytes([63]) + bytes(range(63)),
    "all there is above": bytes([63]) + bytes(range(193, 256)),
}


def below(label, name):
    return label + wire_name(name)


@pytest.mark.parametrize("what", ODD_NAMES)
def test_2181_04_a_label_holds_any_octets_on_a_miss_and_on_a_hit(what, sotto, upstream, over, name):
    asked = query(below(ODD_NAMES[what], name))
    before = len(upstream.queries)
    answers = [ask_wire(sotto.address, asked, over) for _ in range(2)]
    assert all(answer[12 : len(asked)] == asked[12:] for answer in answers)
    assert addresses(parse(answers[0])) == addresses(parse(answers[1])) != []
    assert [q.asked.owner.lower() for q in upstream.queries[before:]] == [asked[12:-4].lower()]


NEIGHBOURS = {
    "a zero": (b"\3a\0b", b"\3a\0c"), "a zero and nothing": (b"\3a\0b", b"\1a"), "a dot": (b"\3a.b", b"\1a\1b"),
    "@ and `": (b"\1@", b"\1`"), "[ and {": (b"\1[", b"\1{"), "letters of Latin-1": (b"\1\xc4", b"\1\xe4"),
    "the highest bit": (b"\1a", b"\1\xe1"), "0 and space": (b"\1\0", b"\1 "),
}


@pytest.mark.parametrize("what", NEIGHBOURS)
def test_2181_04_names_that_differ_in_more_than_ascii_letters_differ(what, sotto, upstream, name):
    names = [below(label, name) for label in NEIGHBOURS[what]]
    before = len(upstream.queries)
    for _ in range(2):
        for owner in names:
            assert Head(ask_wire(sotto.address, query(owner))).rcode == NOERROR
    assert [q.asked.owner for q in upstream.queries[before:]] == names


def test_2181_04_letters_have_no_case_and_each_client_gets_its_own_spelling(sotto, upstream, over, name):
    for spelling in (name, name.upper(), name.title(), name.swapcase()):
        asked = query(spelling)
        answer = ask_wire(sotto.address, asked, over)
        assert answer[12 : len(asked)] == asked[12:]
        assert addresses(parse(answer)) == [messages.address_of(name)]
    assert len(upstream.asked(name)) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_2181_05_a_hit_comes_from_the_address_that_was_asked(host, start_sotto, upstream, over, name):
    sotto = start_sotto(upstream, listen=[f"0.0.0.0:{free_port('0.0.0.0')}"], cache=cache())
    for _ in range(2):
        assert addresses(ask((host, sotto.port), name, over=over)) == [messages.address_of(name)]
    assert len(upstream.asked(name)) == 1


# ---- 4035, 6840: CD, DO, AD

FORMS = [(cd, do) for cd in (0, CD) for do in (0, DO)]


def flags_asked(upstream, name):
    return [(q.asked.flags & CD, q.asked.edns.flags & DO) for q in upstream.asked(name)]


def test_4035_01_cd_comes_back_and_do_comes_back_from_the_cache_too(sotto, upstream, over, name):
    for _ in range(2):
        for cd, do in FORMS:
            answer = ask(sotto.address, name, over=over, flags=RD | cd, edns=opt(flags=do))
            assert (answer.flags & CD, answer.ednsflags & DO) == (cd, do)
    assert flags_asked(upstream, name) == FORMS


@pytest.mark.parametrize("first", [0, CD])
def test_4035_02_an_answer_that_was_not_checked_is_not_for_who_wants_it_checked(first, sotto, upstream, name):
    def validator(query):
        bogus = not query.asked.flags & CD
        query.send(messages.reply(query.asked, [] if bogus else [a()], rcode=SERVFAIL if bogus else NOERROR))

    upstream.when(name, validator)
    for cd in (first, first ^ CD, first):
        answer = ask(sotto.address, name, flags=RD | cd)
        assert answer.rcode() == (NOERROR if cd else SERVFAIL) and bool(answer.answer) == bool(cd)


@pytest.mark.parametrize("rcode", [NXDOMAIN, NOERROR], ids=["NXDOMAIN", "NODATA"])
def test_4035_02_what_is_not_there_is_kept_apart_as_well(rcode, sotto, upstream, name):
    upstream.when(name, says(authority=[soa()], rcode=rcode))
    for _ in range(2):
        for cd, do in FORMS:
            assert ask(sotto.address, name, flags=RD | cd, edns=opt(flags=do)).rcode() == rcode
    assert flags_asked(upstream, name) == FORMS


def signed(query):
    """A signature for who sets DO, or asks for it."""
    fixed = struct.pack("!HBBIIIH", TYPES["A"], 13, 2, 300, 2**31, 2**30, 7)
    signature = record("RRSIG", fixed + wire_name("t.test") + b"s" * 64)
    wants = query.asked.edns.flags & DO
    if query.asked.type == TYPES["RRSIG"]:
        query.send(messages.reply(query.asked, [signature]))
    else:
        query.send(messages.reply(query.asked, [a(), signature] if wants else [a()], flags=AD))


def types_told(answer):
    return [int(rrset.rdtype) for rrset in answer.answer]


@pytest.mark.parametrize("first", [0, DO])
def test_4035_04_signatures_come_to_who_set_do_and_to_nobody_else(first, sotto, upstream, over, name):
    upstream.when(name, signed)
    for do in (first, first ^ DO, first, first ^ DO):
        wanted = [TYPES["A"], TYPES["RRSIG"]] if do else [TYPES["A"]]
        assert types_told(ask(sotto.address, name, over=over, edns=opt(flags=do))) == wanted
    assert types_told(ask(sotto.address, name, over=over)) == [TYPES["A"]]
    assert len(upstream.asked(name)) == 2


def test_4035_04_who_asks_for_signatures_gets_them_without_do(sotto, upstream, name):
    upstream.when(name, signed)
    for _ in range(2):
        assert types_told(ask(sotto.address, name, "RRSIG")) == [TYPES["RRSIG"]]
    assert len(upstream.asked(name)) == 1


AD_FORMS = {  # what a client sends, and whether it hears of AD
    "neither": ((RD, opt()), False), "no OPT": ((RD, None), False), "AD": ((RD | AD, None), True),
    "AD and OPT": ((RD | AD, opt()), True), "DO": ((RD, opt(flags=DO)), True), "both": ((RD | AD, opt(flags=DO)), True),
}


@pytest.mark.parametrize("first", AD_FORMS)
def test_6840_01_ad_comes_to_who_set_ad_or_do_whoever_asked_first(first, sotto, upstream, over, name):
    upstream.when(name, says(a(), flags=AD))
    for what in (first, *AD_FORMS, *AD_FORMS):
        (flags, edns), hears = AD_FORMS[what]
        answer = ask_wire(sotto.address, query(name, flags=flags, edns=edns), over)
        assert bool(Head(answer).flags & AD) == hears, what
    assert len(upstream.asked(name)) == 2, "DO=0 and DO=1"
    assert all(q.asked.flags & AD for q in upstream.asked(name)), "the upstream must be asked for AD"


def test_6840_01_ad_is_not_invented_by_a_hit(sotto, name):
    for _ in range(2):
        answer = ask_wire(sotto.address, query(name, flags=RD | AD, edns=opt(flags=DO)))
        assert not Head(answer).flags & AD


def hears_ad(sotto, name):
    """Twice: of a miss and of a hit."""
    asked = query(name, flags=RD | AD, edns=opt(flags=DO))
    return [bool(Head(ask_wire(sotto.address, asked)).flags & AD) for _ in range(2)]


def test_4035_03_ad_of_an_authenticated_upstream_is_passed_on(sotto, upstream, name):
    upstream.when(name, says(a(), flags=AD))
    assert hears_ad(sotto, name) == [True, True]


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_4035_03_ad_of_an_upstream_in_clear_is_cleared(scheme, start_plain, start_sotto, name):  # noqa: F811
    plain = start_plain(otherwise=says(a(), flags=AD))
    assert hears_ad(start_sotto(plain.address(scheme), cache=cache()), name) == [False, False]
    assert len(plain.asked(name)) == 1


def test_4035_03_ad_of_an_unverified_upstream_is_cleared(start_upstream, start_sotto, name):
    upstream = start_upstream(otherwise=says(a(), flags=AD))
    sotto = start_sotto(upstream.address(None, verify="no"), require="encrypted", cache=cache())
    assert hears_ad(sotto, name) == [False, False]


# ---- RD=0: what is known, and nothing else


def test_rd_0_is_answered_from_what_is_kept(sotto, upstream, over, name):
    assert is_answered(sotto, name)
    answer = ask(sotto.address, name, over=over, flags=0)
    assert addresses(answer) == [messages.address_of(name)]
    assert answer.flags & (dns.flags.RD | dns.flags.RA) == dns.flags.RA
    assert len(upstream.asked(name)) == 1


def test_rd_0_is_refused_when_nothing_is_kept(sotto, upstream, over, name):
    answer = ask(sotto.address, name, over=over, flags=0, edns=opt())
    assert answer.rcode() == REFUSED and [code for code, _ in told(answer)] == [NOT_AUTHORITATIVE]
    assert not upstream.asked(name)


def test_rd_0_of_who_may_not_ask_learns_nothing(start_sotto, upstream, over, name):
    sotto = start_sotto(upstream, allow=["127.0.0.1"], cache=cache())
    assert is_answered(sotto, name)
    with clients.OVER[over](sotto.address, source="127.0.0.9") as outsider:
        for flags in (0, RD):
            answer = parse(outsider.ask(query(name, flags=flags, edns=opt())))
            assert (answer.rcode(), answer.answer, [code for code, _ in told(answer)]) == (REFUSED, [], [18])


# ---- S-15, F-64: what else is in a reply is not known by it


@pytest.mark.parametrize("section", ["answer", "authority", "additional"])
@pytest.mark.parametrize("kind", ["address", "servers", "alias of the zone", "alias"])
def test_s_15_what_a_reply_says_of_other_names_is_not_kept_for_them(section, kind, sotto, upstream, name):
    victim = "victim." + name
    extra = {
        "address": a("10.6.6.6", owner=wire_name(victim)),
        "servers": record("NS", wire_name("ns.liar.test"), owner=wire_name(victim)),
        "alias of the zone": record("DNAME", wire_name("liar.test"), owner=wire_name(name)),
        "alias": alias("liar.test", owner=wire_name(victim)),
    }[kind]
    sections = {"answer": [a()], "authority": [], "additional": []}
    sections[section].append(extra)
    upstream.when(
        "first." + name,
        behaviours.message(lambda asked: messages.reply(asked, *(sections[s] for s in sections))),
    )
    for _ in range(2):
        assert "10.9.8.7" in addresses(ask(sotto.address, "first." + name))
    for owner in (victim, "below." + victim, name):
        assert is_answered(sotto, owner)
        assert len(upstream.asked(owner)) == 1
    assert ask(sotto.address, victim, "NS").rcode() == NOERROR and TYPES["NS"] in asked_types(upstream, victim)


def test_s_15_the_target_of_an_alias_is_asked_for_itself(sotto, upstream, name):
    target = "target." + name
    upstream.when(name, says(alias(target), a("10.6.6.6", owner=wire_name(target))))
    assert addresses(ask(sotto.address, name)) == ["10.6.6.6"]
    assert is_answered(sotto, target)
    assert addresses(ask(sotto.address, name)) == ["10.6.6.6"]
