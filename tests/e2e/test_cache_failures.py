"""What failed is remembered for a moment, and hides nothing (RFC 9520; users 1.14). Tests are named by their rows.

A failure is remembered for a second and more, so what is claimed of it is claimed of the times at which the upstream
was asked, and of every answer that came without asking it.
"""

import pytest

from bench import behaviours, eventually, messages
from bench.behaviours import first_then
from bench.cached import CACHED_ERROR, a, ask_until_asked, cache, error, expire, gaps, is_told, told
from bench.claims import is_answered
from bench.clients import ask
from bench.messages import CD, DO, FORMERR, NOTIMP, RD, REFUSED, SERVFAIL, opt, unique_name

FAILURES = pytest.mark.parametrize("rcode", [FORMERR, SERVFAIL, NOTIMP, REFUSED, 9, 23])


@pytest.fixture(scope="module")
def sotto(shared, upstream):
    return shared.sotto(upstream, cache=cache(stale="0s"))


def failing(rcode, *errors):
    return behaviours.message(
        lambda asked: messages.reply(asked, rcode=rcode, edns=opt(rcode_high=rcode >> 4, options=b"".join(errors)))
    )


def ask_noting(sotto, upstream, name, count, **how):
    """Asks until the upstream was asked so often: (answers that the upstream gave, those of the cache)."""
    fresh, remembered = [], []

    def enough():
        before = len(upstream.asked(name))
        answer = ask(sotto.address, name, edns=opt(), **how)
        (fresh if len(upstream.asked(name)) > before else remembered).append(answer)
        return len(upstream.asked(name)) >= count

    assert eventually(enough, 30)
    return fresh, remembered


@FAILURES
def test_9520_02_a_failure_is_remembered_for_a_second_and_told_as_such(rcode, sotto, upstream, over, name):
    upstream.when(name, failing(rcode, error(7, b"expired"), error(22)))
    fresh, remembered = ask_noting(sotto, upstream, name, 2, over=over)
    assert gaps(upstream, name)[0] >= 0.99
    assert {answer.rcode() for answer in fresh + remembered} == {rcode}
    assert all(told(answer) == [(7, "expired"), (22, "")] for answer in fresh)
    assert remembered
    for answer in remembered:
        (first, _), *rest = told(answer)
        assert first == CACHED_ERROR and rest == [(7, "expired"), (22, "")]


def test_9520_02_each_further_failure_is_remembered_for_longer(sotto, upstream, name):
    upstream.when(name, failing(SERVFAIL))
    ask_until_asked(sotto, upstream, name, 4, patience=40)
    assert all(gap >= least - 0.01 for gap, least in zip(gaps(upstream, name), (1, 2, 4)))


def test_9520_02_but_never_for_longer_than_configured(start_sotto, upstream, name):
    """With twice the time for each, the sixth would come 31 seconds after the first."""
    sotto = start_sotto(upstream, cache=cache(failure="1s", stale="0s"))
    upstream.when(name, failing(SERVFAIL))
    ask_until_asked(sotto, upstream, name, 6, patience=25)
    assert all(gap >= 0.99 for gap in gaps(upstream, name))


def test_9520_02_a_failure_is_one_questions_own(sotto, upstream, name):
    failing_type = messages.TYPES["A"]

    def behave(query):
        failure = query.asked.type == failing_type and not query.asked.edns.flags & DO and not query.asked.flags & CD
        (failing(SERVFAIL) if failure else behaviours.derive)(query)

    upstream.when(name, behave)
    assert ask(sotto.address, name).rcode() == SERVFAIL
    for how in ({"qtype": "AAAA"}, {"edns": opt(flags=DO)}, {"flags": RD | CD}):
        answer = ask(sotto.address, name, **how)
        assert answer.rcode() == messages.NOERROR and answer.answer
    assert is_answered(sotto, "other." + name)


def test_9520_02_what_nobody_answered_is_remembered_for_a_second_too(start_upstream, start_sotto, name):
    """The silent upstream is sent one query for each lookup, and the next one begins a second after the last."""
    upstream = start_upstream(otherwise=behaviours.silence)
    timeouts = {"query": "300ms", "attempt": "300ms", "upstream-silent": "20s"}
    sotto = start_sotto(upstream, timeouts=timeouts, cache=cache(), hedge=False)
    answers = ask_until_asked(sotto, upstream, name, 3, edns=opt())
    assert all(gap >= 0.8 for gap in gaps(upstream, name))  # 1.3 s, less what a busy machine adds to the first
    assert {answer.rcode() for answer in answers} == {SERVFAIL}
    codes = [[code for code, _ in told(answer)] for answer in answers]
    assert all({22, 23} & {*some} and some[0] in (CACHED_ERROR, 22, 23) for some in codes)
    assert any(some[0] == CACHED_ERROR for some in codes)


def test_9520_02_who_could_not_be_asked_is_asked_when_it_is_back(start_upstream, start_sotto, name):
    upstream = start_upstream(instead_of_tls=behaviours.reset)
    sotto = start_sotto(upstream, cache=cache())
    assert ask(sotto.address, name).rcode() == SERVFAIL
    upstream.instead_of_tls = None
    assert eventually(lambda: ask(sotto.address, name).rcode() == messages.NOERROR, 20)


def test_9520_03_a_failure_of_one_server_does_not_hide_another(start_upstream, start_sotto, name):
    bad, good = start_upstream(otherwise=failing(SERVFAIL)), start_upstream()
    sotto = start_sotto(bad, good, cache=cache())
    assert is_answered(sotto, name) and is_answered(sotto, name)
    assert len(bad.asked(name)) == len(good.asked(name)) == 1


def test_9520_03_a_failure_of_one_group_does_not_hide_another(start_upstream, start_sotto, name):
    bad, good = start_upstream(otherwise=failing(SERVFAIL)), start_upstream()
    sotto = start_sotto(bad, zones={"good." + name: [good.address()]}, cache=cache())
    for _ in range(2):
        assert ask(sotto.address, name).rcode() == SERVFAIL
        assert is_answered(sotto, "good." + name)


def test_9520_03_a_success_ends_a_failure(sotto, upstream, name):
    upstream.when(name, first_then(failing(SERVFAIL), failing(SERVFAIL), behaviours.derive))
    ask_until_asked(sotto, upstream, name, 3)
    assert is_answered(sotto, name) and is_answered(sotto, name)
    assert len(upstream.asked(name)) == 3


def test_9520_03_and_the_next_failure_is_the_first_again(sotto, upstream, name):
    """The success between them forgot the first two; or the third would be remembered for four seconds."""
    success = behaviours.answer(a(ttl=1))
    upstream.when(name, first_then(failing(SERVFAIL), failing(SERVFAIL), success, failing(SERVFAIL), success))
    ask_until_asked(sotto, upstream, name, 5, patience=30)
    assert all(gap >= least - 0.01 for gap, least in zip(gaps(upstream, name), (1, 2, 1, 1)))
    assert gaps(upstream, name)[3] < 3.5


@pytest.mark.parametrize("rcode", [SERVFAIL, REFUSED, NOTIMP])
def test_users_1_14_a_failure_does_not_take_the_place_of_an_answer_that_has_expired(rcode, start_sotto, upstream, name):
    sotto = start_sotto(upstream, cache=cache(stale="1h"))
    upstream.when(name, first_then(behaviours.answer(a(ttl=1)), failing(rcode)))
    assert is_told(sotto, name, "10.9.8.7")
    expire(sotto, name)
    for _ in range(3):
        assert is_told(sotto, name, "10.9.8.7")
    assert len(upstream.asked(name)) >= 2


def test_users_1_14_an_answer_is_the_answer_again_after_a_failure(start_sotto, upstream, name):
    """cache.stale 0: the failure is told while it lasts; then the upstream is asked, and nothing hides what it says."""
    sotto = start_sotto(upstream, cache=cache(stale="0s"))
    upstream.when(name, first_then(behaviours.answer(a(ttl=1)), failing(SERVFAIL), behaviours.answer(a("10.1.1.1"))))
    assert is_told(sotto, name, "10.9.8.7")
    expire(sotto, name)
    assert ask(sotto.address, name).rcode() == SERVFAIL
    assert eventually(lambda: is_told(sotto, name, "10.1.1.1"), 20)
    assert len(upstream.asked(name)) == 3


def test_rule_18_a_failure_does_not_replace_what_others_were_told_of_the_name(sotto, upstream, name):
    """SERVFAIL for one type leaves a fresh answer for another as it is, and what a flood of failures fills as well."""
    assert is_answered(sotto, name)
    upstream.when(name, failing(SERVFAIL))
    assert ask(sotto.address, name, "AAAA").rcode() == SERVFAIL
    for _ in range(50):
        other = unique_name("flood")
        upstream.when(other, failing(SERVFAIL))
        ask(sotto.address, other)
    assert is_answered(sotto, name)
    assert len(upstream.asked(name)) == 2
