"""What day it is: hosts whose clock is wrong (users.md 1.7, F-40). sotto sees the clock of bench/wallclock.py."""

import time

import pytest

from bench import eventually
from bench.claims import fails, is_answered, reconnect
from bench.hello import offers_session
from bench.upstream import BOTH_VERSIONS
from bench.wallclock import DAY_S, WallClock

LONG_AGO = -3650


@pytest.fixture
def clock(tmp_path):
    return WallClock(tmp_path)


@pytest.fixture
def start_at(clock, start_upstream, start_sotto):
    """A daemon that sees this clock, and its upstream, which has this certificate."""

    def start_at(certificate, **settings):
        upstream = start_upstream(certificate)
        return upstream, start_sotto(upstream, environment=clock.environment, **settings)

    return start_at


def works_again(sotto, within):
    """Without a restart."""

    def works():
        try:
            return is_answered(sotto)
        except AssertionError:
            return False

    return eventually(works, within)


def cause_of(sotto):
    """Why it failed; what is already in the log is no answer."""
    before = len(sotto.log(msg="upstream failed"))
    fails(sotto)
    return sotto.wait_for_log(before + 1, msg="upstream failed")[-1]


def test_f_40_in_1970_certificates_are_judged_by_the_day_of_the_build(clock, authority, start_at):
    clock.set(year=1970)
    _, sotto = start_at(authority.issue(begin=LONG_AGO))
    is_answered(sotto)
    warning = sotto.wait_for_log(level="warn")[0]
    assert "the system clock says 1970-01-01, older than this build (20" in warning["reason"] and warning["hint"]


def test_f_40_in_1970_what_had_expired_before_the_build_is_refused(clock, authority, start_at):
    clock.set(year=1970)
    upstream, sotto = start_at(authority.issue(begin=LONG_AGO, end=LONG_AGO // 2))
    line = cause_of(sotto)
    assert line["cause"] == "clock" and "expired on 20" in line["reason"]
    assert not upstream.queries


def test_f_40_in_1970_a_new_certificate_is_refused_until_the_clock_is_set(clock, authority, start_at):
    clock.set(year=1970)
    upstream, sotto = start_at(authority.issue(begin=2))
    line = cause_of(sotto)
    assert line["cause"] == "clock" and not upstream.queries
    assert "the system clock says 1970-01-01" in line["reason"] and "not valid before 20" in line["reason"]
    clock.set(days=3)
    assert works_again(sotto, within=20)


def test_f_40_in_1970_the_name_counts_as_ever(clock, authority, start_at):
    clock.set(year=1970)
    upstream, sotto = start_at(authority.issue(begin=LONG_AGO, names=("other.test",)))
    assert cause_of(sotto)["cause"] == "wrong-name" and not upstream.queries


def test_f_40_in_2040_all_has_expired(clock, authority, start_at):
    clock.set(year=2040)
    upstream, sotto = start_at(authority.issue(begin=LONG_AGO))
    line = cause_of(sotto)
    assert line["cause"] == "expired" and "here it is 2040-01-01" in line["reason"]
    assert not upstream.queries
    clock.set(days=0)
    assert works_again(sotto, within=20)


@BOTH_VERSIONS
def test_f_40_a_session_is_not_resumed_beyond_the_end_of_its_certificate(version, clock, authority, start_upstream, start_sotto):
    """The server has got a new one since, and the next handshake is a full one."""
    upstream = start_upstream(authority.issue(end=2), versions=(version, version))
    sotto = start_sotto(upstream, environment=clock.environment)
    is_answered(sotto)
    upstream.show(authority.issue(end=20), keep_tickets=True)
    clock.set(days=5)
    again = reconnect(sotto, upstream)
    assert not offers_session(again) and not again.resumed
    assert not sotto.log(msg="upstream failed")


def test_an_unsynchronised_clock_that_is_waited_for_is_named(clock, authority, start_at):
    clock.set(days=60, synchronised=False)
    upstream, sotto = start_at(authority.issue(), tls={"ca": str(authority.file), "unsynced-clock": "wait"})
    line = cause_of(sotto)
    assert line["cause"] == "clock" and "is not synchronised yet" in line["reason"]
    assert not upstream.queries
    clock.set(days=0, synchronised=True)
    assert works_again(sotto, within=20)
    clock.set(days=60, synchronised=True)
    upstream.close_connections()
    assert cause_of(sotto)["cause"] == "expired"


def test_an_unsynchronised_clock_is_believed_where_it_is_not_waited_for(clock, authority, start_at):
    clock.set(days=60, synchronised=False)
    _, sotto = start_at(authority.issue())
    assert cause_of(sotto)["cause"] == "expired"


def saved_time(tmp_path):
    return int((tmp_path / "clock").read_text())


def test_the_date_is_kept_over_a_restart(clock, authority, state, start_at):
    upstream, sotto = start_at(authority.issue(begin=2), state=str(state))
    assert cause_of(sotto)["cause"] == "not-yet-valid"
    sotto.stop()
    assert not list(state.iterdir()), "a date that nothing has confirmed was saved"
    clock.set(days=3)
    _, sotto = start_at(authority.issue(begin=2), state=str(state))
    is_answered(sotto)
    sotto.stop()
    assert abs(saved_time(state) - time.time() - 3 * DAY_S) < 600
    clock.set(year=1970)
    _, sotto = start_at(authority.issue(begin=2), state=str(state))
    is_answered(sotto)
    assert "an earlier run has saved that it is 20" in sotto.wait_for_log(level="warn")[0]["reason"]
    sotto.stop()
    assert abs(saved_time(state) - time.time() - 3 * DAY_S) < 600, "the date went back"


@pytest.mark.parametrize("octets", [b"", b"yesterday\n", b"9" * 100000, b"1\n\0", bytes(range(256))])
def test_a_saved_date_that_is_none_is_ignored_with_a_warning(octets, clock, authority, state, start_at):
    (state / "clock").write_bytes(octets)
    _, sotto = start_at(authority.issue(), state=str(state))
    is_answered(sotto)
    assert [line["file"] for line in sotto.wait_for_log(msg="the saved date is ignored")] == [str(state / "clock")]
    sotto.stop()
    assert abs(saved_time(state) - time.time()) < 600
