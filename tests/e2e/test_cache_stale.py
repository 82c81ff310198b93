"""What has expired is better than nothing, and worse than anything else (RFC 8767). Tests are named by their rows.

`stale-after` is made so long where an answer must come for another reason, and short where it is the reason: what is
claimed holds however slow the machine is.
"""

import time

import pytest

from bench import behaviours, eventually, messages
from bench.behaviours import Gate, first_then
from bench.cached import (
    NOT_AUTHORITATIVE, STALE, STALE_NXDOMAIN, a, cache, expire, gaps, is_told, soa, told, ttls, waits,
)
from bench.claims import is_answered
from bench.clients import PATIENCE, Udp, addresses, ask, parse
from bench.messages import AD, DO, NOERROR, NXDOMAIN, RD, REFUSED, SERVFAIL, TYPES, opt, query, unique_name

NEVER = "60s"  # longer than a test waits
PATIENT = {"query": NEVER, "attempt": NEVER, "upstream-silent": NEVER}
OLD, NEW = "10.0.0.1", "10.0.0.2"


def stale(**more):
    return cache(**{"stale_after": "300ms", **more})


def brief(address=OLD):
    return behaviours.answer(a(address, ttl=1))


def missing(ttl):
    return behaviours.message(lambda asked: messages.reply(asked, [], [soa(ttl, ttl)], rcode=NXDOMAIN))


def empty(ttl):
    return behaviours.message(lambda asked: messages.reply(asked, [], [soa(ttl, ttl)]))


def fill(sotto, upstream, name, then, first=None, edns=None):
    """Asks once, has it expire, and lets the upstream behave otherwise from then on."""
    upstream.when(name, first or brief())
    assert ask(sotto.address, name, edns=edns).rcode() in (NOERROR, NXDOMAIN)
    upstream.when(name, then)
    expire(sotto, name, edns=edns)


def errors(answer):
    return [code for code, _ in told(answer)]


def is_stale(answer, error=STALE):
    assert error in errors(answer), answer
    assert ttls(answer) and all(ttl == 30 for ttl in ttls(answer)), "30 (RFC 8767 section 4)"
    return True


# ---- 8767-01: when, and how


def test_8767_01_who_has_waited_for_1800_ms_gets_what_is_stale(start_sotto, start_upstream, over, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=cache())
    fill(sotto, upstream, name, behaviours.silence)
    began = time.monotonic()
    answer = ask(sotto.address, name, over=over, edns=opt())
    assert 1.79 <= waits(began) < PATIENCE
    assert is_stale(answer) and addresses(answer) == [OLD]
    assert len(upstream.asked(name)) == 2, "the upstream must have been asked first"


def test_8767_01_the_time_can_be_set(start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale())
    fill(sotto, upstream, name, behaviours.silence)
    began = time.monotonic()
    assert is_stale(ask(sotto.address, name, edns=opt()))
    assert waits(began) >= 0.29


def test_8767_01_who_sent_no_opt_gets_it_too(start_sotto, start_upstream, over, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale())
    fill(sotto, upstream, name, behaviours.silence)
    answer = ask(sotto.address, name, over=over)
    assert addresses(answer) == [OLD] and ttls(answer) == [30] and answer.edns == -1


def test_8767_01_stale_is_also_that_a_name_does_not_exist(start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale())
    fill(sotto, upstream, name, behaviours.silence, first=missing(1))
    answer = ask(sotto.address, name, edns=opt())
    assert answer.rcode() == NXDOMAIN and is_stale(answer, STALE_NXDOMAIN)


def test_8767_01_stale_is_also_that_there_is_no_such_type(start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale())
    fill(sotto, upstream, name, behaviours.silence, first=empty(1))
    answer = ask(sotto.address, name, edns=opt())
    assert answer.rcode() == NOERROR and not answer.answer and is_stale(answer)


@pytest.mark.parametrize("rcode", [SERVFAIL, REFUSED, messages.NOTIMP, 9])
def test_8767_02_a_refresh_that_failed_ends_the_wait(rcode, start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale(stale_after=NEVER))
    fill(sotto, upstream, name, behaviours.rcode(rcode))
    answer = ask(sotto.address, name, edns=opt())
    assert is_stale(answer) and addresses(answer) == [OLD]


def test_8767_02_a_server_that_is_down_ends_the_wait(start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale(stale_after=NEVER))
    fill(sotto, upstream, name, behaviours.derive)
    upstream.stop_listening()
    upstream.close_connections("reset")
    for _ in range(3):
        answer = ask(sotto.address, name, edns=opt())
        assert is_stale(answer) and addresses(answer) == [OLD]


def test_8767_01_nobody_waits_for_a_refresh_that_has_just_failed(start_sotto, start_upstream, name):
    """And the upstream is not asked in that time: not after a failure that was told, and not after silence."""
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale(stale_after=NEVER))
    fill(sotto, upstream, name, first_then(behaviours.rcode(SERVFAIL), behaviours.silence))
    assert is_stale(ask(sotto.address, name, edns=opt()))
    for _ in range(3):
        assert is_stale(ask(sotto.address, name, edns=opt()))
    assert len(upstream.asked(name)) == 2


def test_8767_01_who_comes_while_a_refresh_is_under_way_shares_it(start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale())
    fill(sotto, upstream, name, behaviours.silence)
    for _ in range(3):
        assert is_stale(ask(sotto.address, name, edns=opt()))
    assert len(upstream.asked(name)) == 2


def test_8767_01_the_refresh_goes_on_and_what_it_brings_is_fresh(start_sotto, start_upstream, name):
    gate = Gate(behaviours.answer(a(NEW, ttl=300)))
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale())
    fill(sotto, upstream, name, gate)
    assert is_stale(ask(sotto.address, name, edns=opt()))
    gate.open(upstream)
    assert eventually(lambda: is_told(sotto, name, NEW))
    answer = ask(sotto.address, name, edns=opt())
    assert addresses(answer) == [NEW] and not errors(answer) and ttls(answer)[0] > 30
    assert len(upstream.asked(name)) == 2


def test_8767_01_a_refresh_in_time_is_the_answer(start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale(stale_after=NEVER))
    fill(sotto, upstream, name, behaviours.after(0.3, behaviours.answer(a(NEW, ttl=300))))
    answer = ask(sotto.address, name, edns=opt())
    assert addresses(answer) == [NEW] and not errors(answer)


def test_8767_01_what_is_too_old_is_of_no_use(start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, cache=stale(stale="1s"))
    fill(sotto, upstream, name, behaviours.rcode(SERVFAIL))
    assert eventually(lambda: ask(sotto.address, name).rcode() == SERVFAIL, 20)


@pytest.mark.parametrize("settings", [{"stale": "0s"}, {"fresh_only": ["t.test"]}], ids=["at all", "for its domain"])
def test_8767_01_stale_answers_can_be_switched_off(settings, start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, cache=stale(**settings))
    fill(sotto, upstream, name, behaviours.rcode(SERVFAIL))
    assert ask(sotto.address, name).rcode() == SERVFAIL


@pytest.mark.parametrize("domains", [["other.test"], ["est"], ["x." + "t.test"]])
def test_8767_01_what_is_not_below_those_domains_is_given(domains, start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, cache=stale(fresh_only=domains))
    fill(sotto, upstream, name, behaviours.rcode(SERVFAIL))
    assert is_stale(ask(sotto.address, name, edns=opt()))


@pytest.mark.parametrize("do, ad", [(0, 0), (0, AD), (DO, 0)])
def test_8767_01_a_stale_answer_is_of_the_clients_own_question(do, ad, start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale())
    fill(sotto, upstream, name, behaviours.silence, edns=opt(flags=do))
    asked = query(name.upper(), flags=RD | ad, edns=opt(flags=do))
    with Udp(sotto.address) as client:
        wire = client.ask(asked)
    assert wire[12 : 12 + len(messages.question(name))] == messages.question(name.upper())
    answer = parse(wire)
    assert is_stale(answer) and answer.ednsflags & DO == do


# ---- 8767-02: a refresh that says no is no failure


@pytest.mark.parametrize("no, rcode", [(missing, NXDOMAIN), (empty, NOERROR)], ids=["NXDOMAIN", "NODATA"])
def test_8767_02_what_is_not_there_any_more_is_not_stale(no, rcode, start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale(stale_after=NEVER))
    fill(sotto, upstream, name, no(300))
    for _ in range(2):
        answer = ask(sotto.address, name, edns=opt())
        assert (answer.rcode(), answer.answer, errors(answer)) == (rcode, [], [])
    assert len(upstream.asked(name)) == 2


@pytest.mark.parametrize("no, rcode, error", [(missing, NXDOMAIN, STALE_NXDOMAIN), (empty, NOERROR, STALE)])
def test_8767_02_and_does_not_come_back_when_that_expires(no, rcode, error, start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale(stale_after=NEVER))
    fill(sotto, upstream, name, first_then(no(1), behaviours.rcode(SERVFAIL)))
    assert ask(sotto.address, name).rcode() == rcode
    expire(sotto, name)
    answer = ask(sotto.address, name, edns=opt())
    assert (answer.rcode(), answer.answer) == (rcode, []) and is_stale(answer, error)


def test_8767_02_a_name_that_is_gone_has_no_stale_addresses(start_sotto, start_upstream, name):
    """NXDOMAIN for one type is news for the other."""
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale(stale_after=NEVER))
    fill(sotto, upstream, name, missing(300))
    assert ask(sotto.address, name, "AAAA").rcode() == NXDOMAIN
    answer = ask(sotto.address, name, edns=opt())
    assert (answer.rcode(), answer.answer, errors(answer)) == (NXDOMAIN, [], [])


def test_8767_02_an_address_is_better_than_a_stale_word_that_there_is_no_name(start_sotto, start_upstream, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale(stale_after=NEVER))
    fill(sotto, upstream, name, first_then(behaviours.answer(a(NEW)), behaviours.rcode(SERVFAIL)), first=missing(1))
    for _ in range(2):
        assert is_told(sotto, name, NEW)
    assert [q.asked.type for q in upstream.asked(name)] == [TYPES["A"]] * 2


def test_8767_02_a_name_that_exists_again_is_not_said_to_be_missing(start_sotto, start_upstream, name):
    """Not even when nothing better can be had for another type."""
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale(stale_after=NEVER))
    fill(sotto, upstream, name, first_then(behaviours.answer(a(NEW)), behaviours.rcode(SERVFAIL)), first=missing(1))
    assert is_told(sotto, name, NEW)
    assert ask(sotto.address, name, "AAAA").rcode() == SERVFAIL


# ---- 8767-03: RD=0


def test_8767_03_rd_0_gets_nothing_stale_and_causes_no_refresh(start_sotto, start_upstream, over, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts=PATIENT, cache=stale())
    fill(sotto, upstream, name, behaviours.derive)
    for _ in range(3):
        answer = ask(sotto.address, name, over=over, flags=0, edns=opt())
        assert (answer.rcode(), answer.answer, errors(answer)) == (REFUSED, [], [NOT_AUTHORITATIVE])
    assert is_answered(sotto), "whatever was asked before this has reached the upstream by now"
    assert len(upstream.asked(name)) == 1


# ---- 8767-01: the next refresh


@pytest.fixture(scope="module", autouse=True)
def recheck(shared):
    """(sotto, upstream, name) whose refresh has failed when this file's tests began, for the last one."""
    upstream, name = shared.upstream(), unique_name("recheck")
    sotto = shared.sotto(upstream, timeouts=PATIENT, cache=stale(stale_after=NEVER))
    fill(sotto, upstream, name, first_then(behaviours.rcode(SERVFAIL), behaviours.answer(a(NEW, ttl=300))))
    ask(sotto.address, name)
    return sotto, upstream, name


def test_8767_01_an_upstream_that_is_back_is_found_back_within_half_a_minute_and_not_asked_sooner(recheck):
    sotto, upstream, name = recheck
    assert eventually(lambda: is_told(sotto, name, NEW), 60)
    assert len(upstream.asked(name)) == 3 and gaps(upstream, name)[1] >= 29.9
