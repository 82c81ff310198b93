"""Answers are kept over a restart, in the file `cache` of the state folder: checked, aged, and of the same servers."""

import stat
import time

import pytest

from bench import eventually, messages
from bench.claims import is_answered
from bench.clients import addresses, ask, extended_errors
from bench.messages import EDE, NXDOMAIN, opt, option, unique_name

BACK, IGNORED = "the cache of the last run is back", "the saved cache is ignored"


def is_back(sotto):
    """What the log says once the file has been read."""
    return sotto.wait_for_log(msg=BACK)[0]


def ttl_of(sotto, name, **how):
    answer = ask(sotto.address, name, **how)
    assert addresses(answer) == [messages.address_of(name)], answer
    return answer.answer[0].ttl


def test_an_answer_survives_a_restart_and_ages_meanwhile(state, kept, start_upstream, name):
    upstream = start_upstream()
    sotto = kept(upstream)
    began = time.monotonic()
    assert ttl_of(sotto, name) == 300
    sotto.stop()
    time.sleep(2)
    sotto = kept(upstream)
    assert is_back(sotto)["answers"] == "1"
    ttl = ttl_of(sotto, name)
    assert 300 - (time.monotonic() - began) - 1 <= ttl <= 298
    assert len(upstream.asked(name)) == 1


def test_an_answer_survives_a_second_restart(kept, start_upstream, name):
    upstream = start_upstream()
    sotto = kept(upstream)
    is_answered(sotto, name)
    for _ in range(3):
        sotto.stop()
        sotto = kept(upstream)
        is_back(sotto)
    is_answered(sotto, name)
    assert len(upstream.asked(name)) == 1


def test_all_workers_write_into_one_file(kept, start_upstream):
    upstream = start_upstream()
    sotto = kept(upstream, workers=3)
    names = [unique_name() for _ in range(60)]
    for name in names:
        is_answered(sotto, name)
    sotto.stop()
    sotto = kept(upstream, workers=2)
    assert is_back(sotto)["answers"] == "60"
    for name in names:
        is_answered(sotto, name)
    assert len(upstream.queries) == 60


def test_what_does_not_exist_survives_with_the_error_that_explains_it(kept, start_upstream, name):
    explained = opt(options=option(EDE, b"\0\x0fblocked"))
    upstream = start_upstream()
    upstream.when(name, lambda query: query.send(messages.reply(
        query.asked, [], [messages.record("SOA", messages.SOA, owner=b"\0")], rcode=NXDOMAIN, edns=explained)))
    sotto = kept(upstream)
    before = ask(sotto.address, name, edns=opt())
    sotto.stop()
    sotto = kept(upstream)
    assert is_back(sotto)["answers"] == "1"
    after = ask(sotto.address, name, edns=opt())
    assert before.rcode() == after.rcode() == NXDOMAIN
    assert extended_errors(before) == extended_errors(after) == [15]
    assert ask(sotto.address, name, "AAAA").rcode() == NXDOMAIN
    assert len(upstream.asked(name)) == 1


def test_only_who_runs_it_may_read_the_names_in_it(state, kept, start_upstream, name):
    sotto = kept(start_upstream())
    is_answered(sotto, name)
    sotto.stop()
    assert stat.S_IMODE((state / "cache").stat().st_mode) == 0o600
    assert [file.name for file in state.iterdir() if file.name.startswith("cache")] == ["cache"]


def flipped(octets):
    """In the address of the answer, in front of the twenty octets of the end."""
    return octets[:-22] + bytes([octets[-22] ^ 1]) + octets[-21:]


@pytest.mark.parametrize("spoil, reason", [
    pytest.param(flipped, "it is not as it was written", id="flipped"),
    pytest.param(lambda octets: octets[:-1], "it ends too early", id="short"),
    pytest.param(lambda octets: octets + b"\n", "something follows its end", id="long"),
    pytest.param(lambda octets: b"", "it is nothing that sotto has written", id="empty"),
    pytest.param(lambda octets: bytes(range(256)) * 400, "it is nothing that sotto has written", id="foreign"),
    pytest.param(lambda octets: octets[:12] + b"\xff" + octets[13:], "another version of sotto has written it", id="version"),
])
def test_a_file_that_is_not_ours_is_refused_with_a_line_and_replaced(spoil, reason, state, kept, start_upstream, name):
    upstream = start_upstream()
    sotto = kept(upstream)
    is_answered(sotto, name)
    sotto.stop()
    (state / "cache").write_bytes(spoil((state / "cache").read_bytes()))
    sotto = kept(upstream)
    line, = sotto.wait_for_log(msg=IGNORED)
    assert (line["level"], line["file"], line["reason"]) == ("warn", str(state / "cache"), reason) and line["hint"]
    is_answered(sotto, name)
    assert len(upstream.asked(name)) == 2, "it was believed"
    sotto.stop()
    assert len(sotto.log(msg=IGNORED)) == 1 and not sotto.log(msg=BACK)
    sotto = kept(upstream)
    assert is_back(sotto)["answers"] == "1"
    is_answered(sotto, name)
    assert len(upstream.asked(name)) == 2


def test_answers_of_other_servers_are_left_behind(kept, start_upstream, name):
    sotto = kept(start_upstream())
    is_answered(sotto, name)
    sotto.stop()
    other = start_upstream()
    sotto = kept(other)
    line = is_back(sotto)
    assert (line["answers"], line["of"], line["other_servers"]) == ("0", "1", "1")
    is_answered(sotto, name)
    assert len(other.asked(name)) == 1


def test_answers_of_a_zone_stay_with_its_servers(kept, start_upstream):
    """Whatever zones come before it, and though the group of all others is another one."""
    lan, was, now = start_upstream(), start_upstream(), start_upstream()
    inside, outside = "host.corp.test", unique_name()
    sotto = kept(was, zones={"corp.test": [lan.address()]})
    is_answered(sotto, inside)
    is_answered(sotto, outside)
    sotto.stop()
    sotto = kept(now, zones={"aaa.test": [was.address()], "corp.test": [lan.address()]})
    line = is_back(sotto)
    assert (line["answers"], line["of"], line["other_servers"]) == ("1", "2", "1")
    is_answered(sotto, inside)
    is_answered(sotto, outside)
    assert (len(lan.asked(inside)), len(now.asked(outside))) == (1, 1)


def test_what_a_crash_has_left_is_harmless(state, kept, start_upstream, name):
    upstream = start_upstream()
    sotto = kept(upstream)
    is_answered(sotto, name)
    sotto.stop()
    (state / "cache.new").write_bytes((state / "cache").read_bytes()[:-10])
    sotto = kept(upstream)
    assert is_back(sotto)["answers"] == "1"
    sotto.stop()
    assert not (state / "cache.new").exists() and not sotto.log(level="warn")
    sotto = kept(upstream)
    assert is_back(sotto)["answers"] == "1"


@pytest.mark.parametrize("cache", [{"keep": False}, {"size": 0}], ids=["keep", "size"])
def test_nothing_is_kept_where_it_is_not_wanted(cache, state, kept, start_upstream, name):
    upstream = start_upstream()
    sotto = kept(upstream, cache=cache)
    is_answered(sotto, name)
    sotto.stop()
    assert not list(state.glob("cache*"))
    sotto = kept(upstream)
    is_answered(sotto, name)
    sotto.stop()
    before = (state / "cache").read_bytes()
    asked = len(upstream.asked(name))
    sotto = kept(upstream, cache=cache)
    is_answered(sotto, name)
    assert len(upstream.asked(name)) == asked + 1
    sotto.stop()
    assert (state / "cache").read_bytes() == before


def test_it_can_be_kept_while_sotto_runs_and_survive_a_crash(state, kept, start_upstream, name):
    upstream = start_upstream()
    sotto = kept(upstream, cache={"save-every": "50ms"})
    is_answered(sotto, name)
    written = messages.wire_name(name)
    assert eventually(lambda: (state / "cache").exists() and written in (state / "cache").read_bytes())
    sotto.kill()
    sotto = kept(upstream)
    assert is_back(sotto)["answers"] == "1"
    is_answered(sotto, name)
    assert len(upstream.asked(name)) == 1


def test_without_being_asked_it_is_written_at_the_end_only(state, kept, start_upstream, name):
    sotto = kept(start_upstream())
    is_answered(sotto, name)
    assert not (state / "cache").exists()
    sotto.stop()
    assert (state / "cache").exists()
    assert sotto.log(msg="cache saved")[0]["answers"] == "1"


def test_a_folder_that_takes_no_file_does_no_harm(state, kept, start_upstream, name):
    (state / "cache").mkdir()
    sotto = kept(start_upstream())
    is_answered(sotto, name)
    sotto.stop()
    assert [line["file"] for line in sotto.log(msg="the cache cannot be saved")] == [str(state / "cache")]
