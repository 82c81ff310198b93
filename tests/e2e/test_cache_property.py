"""What an answer from the cache is: the answer of a miss, octet by octet, but for its ID and its TTLs.

Every reply of a corpus of more than a thousand (bench/corpus.py) is asked for in several forms, over UDP and TCP: of a
daemon that keeps nothing, which makes each answer that of a miss; and twice of one that has a cache. What the upstream
said itself is compared as well, or else what both of them do to a reply would not be seen.
"""

import collections

import pytest

from bench import messages
from bench.cached import CACHED_ERROR, cache
from bench.clients import OVER, Head
from bench.corpus import Corpus
from bench.messages import AD, CD, DO, QR, RA, RD, TC, option, opt, query
from bench.reader import read

AT_ONCE = 16  # queries under way: as many as a socket holds answers to
FORMS = {  # what the OPT of a query says, and its flags
    "no OPT": (None, RD),
    "512 and AD": (opt(512), RD | AD),
    "1232 and DO": (opt(1232, flags=DO), RD),
    "4096 and CD": (opt(4096), RD | CD),
}
ASKED_IN = [(form, over) for form in FORMS for over in ("udp", "tcp")]


def ask_all(sotto, cases, form, over):
    """The answers to all of these, asked over one socket or connection, a few at a time."""
    edns, flags = FORMS[form]
    answers = []
    with OVER[over](sotto.address) as client:
        for begin in range(0, len(cases), AT_ONCE):
            some = cases[begin : begin + AT_ONCE]
            for case in some:
                client.send(query(case.name, case.qtype, id=case.number, flags=flags, edns=edns))
            came = {int.from_bytes(wire[:2], "big"): wire for wire in (client.receive() for _ in some)}
            answers += [came[case.number] for case in some]
    return answers


class Told:
    """All that was asked and answered."""

    def __init__(self, shared):
        self.corpus = Corpus()
        self.cases = self.corpus.cases
        self.upstream, behind = (shared.upstream(otherwise=self.corpus) for _ in range(2))
        settings = {"udp-size": 4096}
        keeps = shared.sotto(self.upstream, cache=cache(size="64MiB"), **settings)
        keeps_nothing = shared.sotto(behind, cache=cache(size=0), **settings)
        self.first, self.second, self.missed = {}, {}, {}
        for form in ASKED_IN:
            self.first[form] = ask_all(keeps, self.cases, *form)
            self.second[form] = ask_all(keeps, self.cases, *form)
            self.missed[form] = ask_all(keeps_nothing, self.cases, *form)


@pytest.fixture(scope="module")
def told(shared):
    return Told(shared)


def without_ttls(wire):
    """The message with ID and TTLs blanked, and its TTLs."""
    blank, ttls = bytearray(wire), []
    blank[:2] = b"\0\0"
    for item in read(wire):
        blank[item.ttl_at : item.ttl_at + 4] = bytes(4)
        ttls.append(item.ttl)
    return bytes(blank), ttls


CACHED = option(messages.EDE, CACHED_ERROR.to_bytes(2, "big"))


def without_cached_error(wire):
    """The message as if Cached Error (RFC 8914 section 4.14) were not the first of its extended errors."""
    at = wire.find(CACHED, 12)
    if at < 0:
        return wire
    length = int.from_bytes(wire[at - 2 : at], "big") - len(CACHED)
    return wire[: at - 2] + length.to_bytes(2, "big") + wire[at + len(CACHED) :]


def test_the_corpus_is_large_and_of_all_kinds(told):
    assert len(told.cases) >= 1000
    replies = {case.reply(messages.Asked(query(case.name, case.qtype, id=0, edns=opt()))) for case in told.cases}
    assert len(replies) == len(told.cases), "two are the same"
    assert len({case.qtype for case in told.cases}) > 180
    assert {case.rcode for case in told.cases} >= set(range(24))
    assert max(map(len, replies)) == 65535


@pytest.mark.parametrize("form", ASKED_IN, ids=" over ".join)
def test_a_hit_is_what_a_miss_is_but_for_id_and_ttls(form, told):
    for case, missed, *kept in zip(told.cases, told.missed[form], told.first[form], told.second[form]):
        blank, ttls = without_ttls(missed)
        for answer in kept:
            if case.failure:
                answer = without_cached_error(answer)
            its_blank, its_ttls = without_ttls(answer)
            assert its_blank == blank, f"{case}:\n{missed.hex()}\n{answer.hex()}"
            assert all(0 <= ttl - its <= 600 for ttl, its in zip(ttls, its_ttls)), case


def test_the_upstream_is_asked_once_for_what_is_kept_and_always_for_what_is_not(told):
    asked = collections.Counter(
        (q.asked.name, bool(q.asked.edns.flags & DO), bool(q.asked.flags & CD)) for q in told.upstream.queries
    )
    for case in told.cases:
        name = messages.text_name(case.name)
        # Over UDP nobody is told all of it, but it is kept; each form is asked 4 times, two of the four have one key.
        counts = {key: asked[(name, *key)] for key in ((False, False), (True, False), (False, True))}
        if case.kept:
            assert set(counts.values()) == {1}, f"{case}: {counts}"
        elif case.kept is False and not case.failure:
            assert list(counts.values()) == [8, 4, 4], f"{case}: {counts}"
        else:
            assert all(1 <= count <= 8 for count in counts.values()), f"{case}: {counts}"


@pytest.mark.parametrize("form", FORMS)
def test_a_client_hears_what_the_upstream_said(form, told):
    edns, flags = FORMS[form]
    do = opt(1232, flags=messages.Edns(edns).flags & DO if edns else 0)
    for case, wire in zip(told.cases, told.second[form, "tcp"]):
        said = case.reply(messages.Asked(query(case.name, case.qtype, flags=flags, edns=do)))
        head = Head(wire)
        assert head.rcode == (case.rcode & 15 if edns or case.rcode < 16 else messages.SERVFAIL), case
        assert head.flags & (QR | RA | RD | CD) == QR | RA | flags & (RD | CD), case
        hears_ad = flags & AD or edns and messages.Edns(edns).flags & DO
        assert head.flags & AD == (Head(said).flags & AD if hears_ad else 0), case
        heard, wanted = read(wire), read(said)
        if head.flags & TC and not Head(said).truncated:
            assert len(said) + len(edns or b"") > 65535, case
        else:
            assert [item.says for item in heard] == [item.says for item in wanted], case


def test_ttls_are_no_longer_than_the_upstream_said_and_one_for_an_rrset(told):
    for case, wire in zip(told.cases, told.second["no OPT", "tcp"]):
        said = read(case.reply(messages.Asked(query(case.name, case.qtype, edns=opt()))))
        lowest = {}
        for item in said:
            ttl = item.ttl if item.ttl < 2**31 else 0
            lowest[item.rrset] = min(ttl, lowest.get(item.rrset, 86400))
        for item in read(wire):
            assert item.ttl <= lowest[item.rrset], case
        assert len({(item.rrset, item.ttl) for item in read(wire)}) == len({item.rrset for item in read(wire)}), case


@pytest.mark.parametrize("form", FORMS)
def test_answers_over_udp_keep_to_the_clients_size_and_say_tc(form, told):
    edns, _ = FORMS[form]
    limit = messages.Edns(edns).size if edns else 512
    for case, udp, tcp in zip(told.cases, told.second[form, "udp"], told.second[form, "tcp"]):
        assert len(udp) <= limit, case
        data = [item.says for item in read(tcp) if item.section < 3]
        assert [item.says for item in read(udp) if item.section < 3] == data[: len(data)] or Head(udp).truncated, case
