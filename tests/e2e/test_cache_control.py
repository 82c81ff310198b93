"""`sotto cache stats | lookup | flush`: what is cached, and to forget it, over the control socket. The keys are those of
docs/control.md."""

import json
import subprocess

import pytest

from bench import behaviours, control, daemon, messages
from bench.clients import Udp, addresses, ask, rcode_name
from bench.messages import DO, opt, query, record, unique_name

TTL = 300  # of the answers of the scripted upstream


@pytest.fixture
def upstream(start_upstream):
    return start_upstream()


@pytest.fixture
def sotto(run_sotto, upstream):
    return run_sotto(upstream, cache={"size": "4MiB"})


def run(sotto, *words, **how):
    return subprocess.run(
        [daemon.BINARY, "cache", "-c", sotto.file, *words], capture_output=True, text=True, timeout=30, **how
    )


def cache_text(sotto, *words):
    done = run(sotto, *words)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def cache(sotto, *words):
    return json.loads(cache_text(sotto, "--json", *words))


def entries(sotto, *words):
    return cache(sotto, "lookup", *words)["entries"]


def types(sotto, name):
    return sorted(entry["type"] for entry in entries(sotto, name))


def forgotten(sotto, *words):
    return cache(sotto, "flush", *words)["entries_forgotten"]


def is_asked_upstream(sotto, upstream, name, qtype="A", **how):
    """Whether an answer to this question takes one from there."""
    before = len(upstream.asked(name))
    ask(sotto.address, name, qtype, **how)
    return len(upstream.asked(name)) > before


# ---- stats


def test_stats_count_what_is_kept_and_what_was_asked(sotto, upstream):
    kept, gone = unique_name(), unique_name()
    upstream.when(gone, behaviours.answer(authority=[record("SOA", messages.SOA, owner=b"\0")], rcode=messages.NXDOMAIN))
    for name in (kept, kept, kept, gone):
        ask(sotto.address, name)
    seen = cache(sotto, "stats")
    assert seen["cache_size_bytes"] == 4 << 20
    assert 0 < seen["cache_used_bytes"] <= 4096
    assert (seen["cache_entries"], seen["cache_entries_expired"]) == (2, 0)
    assert (seen["cache_hits_total"], seen["cache_misses_total"], seen["cache_hit_ratio"]) == (2, 2, 0.5)
    for key in ("evictions", "refusals", "stale", "failures", "prefetches"):
        assert seen[f"cache_{key}_total"] == 0
    text = cache_text(sotto, "stats")
    assert " of 4.0 MiB in use\n" in text and "2 hits, 2 missed: 50.0 % from the cache\n" in text


def test_stats_of_a_cache_that_nobody_has_asked(sotto):
    seen = cache(sotto, "stats")
    assert seen.pop("cache_size_bytes") == 4 << 20 and seen.pop("cache_hit_ratio") is None
    assert set(seen.values()) == {0}


def test_all_workers_share_one_cache_and_are_added_up(run_sotto, upstream):
    sotto = run_sotto(upstream, workers=2, cache={"size": "4MiB"})
    name = unique_name()
    for _ in range(40):  # each from a port of its own: both workers get some
        ask(sotto.address, name)
    seen = cache(sotto, "stats")
    assert seen["cache_hits_total"] + seen["cache_misses_total"] == 40
    assert len(upstream.asked(name)) == 1 and len(entries(sotto, name)) == 1
    assert forgotten(sotto, name) == 1
    assert is_asked_upstream(sotto, upstream, name)
    assert not any(is_asked_upstream(sotto, upstream, name) for _ in range(20))


# ---- lookup


def test_lookup_shows_what_is_kept_of_a_name(sotto):
    name = unique_name("MiXed")
    ask(sotto.address, name)
    ask(sotto.address, name)
    for spelling in (name, name.upper() + "."):
        entry, = entries(sotto, spelling)
        assert (entry["type"], entry["kind"], entry["rcode"], entry["group"]) == ("A", "positive", "NOERROR", "default")
        assert not entry["dnssec_ok"] and not entry["checking_disabled"] and entry["extended_errors"] == []
        assert entry["hits"] == 1 and 0 < entry["bytes"] < 200
        assert 0 <= entry["age_seconds"] < 60 and entry["ttl_seconds"] == TTL - entry["age_seconds"]


def test_lookup_shows_records_as_in_a_zone(sotto):
    name = unique_name()
    ask(sotto.address, name)
    ask(sotto.address, name, "TXT")
    entry, = entries(sotto, name, "A")
    message = bytes.fromhex(entry["message"])
    rdata = bytes(int(octet) for octet in messages.address_of(name).split("."))
    assert message[-10:] == record("A", rdata, entry["ttl_seconds"])[-10:]
    title, facts, line = cache_text(sotto, "lookup", name, "A").splitlines()
    assert title == f"{name}. A, positive, of group default"
    assert facts.startswith("  expires in ") and " old, 0 hits, " in facts
    assert line.split() == [f"{name}.", line.split()[1], "IN", "A", messages.address_of(name)]
    assert TTL - 60 <= int(line.split()[1]) <= TTL
    assert f'IN TXT "{messages.digest(name).hex()}"\n' in cache_text(sotto, "lookup", name, "TXT")


def test_lookup_tells_questions_of_a_name_apart(sotto):
    name = unique_name()
    ask(sotto.address, name)
    ask(sotto.address, name, "AAAA")
    ask(sotto.address, name, "MX")
    ask(sotto.address, name, edns=opt(flags=DO))
    ask(sotto.address, name, flags=messages.RD | messages.CD)
    seen = {(e["type"], e["dnssec_ok"], e["checking_disabled"]): e["kind"] for e in entries(sotto, name)}
    assert seen == {
        ("A", False, False): "positive", ("AAAA", False, False): "positive", ("MX", False, False): "nodata",
        ("A", True, False): "positive", ("A", False, True): "positive",
    }
    assert len(entries(sotto, name, "a")) == 3 and len(entries(sotto, name, "TYPE28")) == 1
    text = cache_text(sotto, "lookup", name)
    assert f"{name}. A +do, positive" in text and f"{name}. A +cd, positive" in text
    assert text.count("\n\n") == 4


def test_lookup_shows_that_a_name_does_not_exist_whatever_the_type(sotto, upstream):
    name = unique_name()
    upstream.when(name, behaviours.answer(authority=[record("SOA", messages.SOA, owner=b"\0")], rcode=messages.NXDOMAIN))
    ask(sotto.address, name)
    entry, = entries(sotto, name, "MX")
    assert (entry["type"], entry["kind"], entry["rcode"]) == (None, "nxdomain", "NXDOMAIN")
    assert f"{name}., nxdomain (NXDOMAIN), of group default\n" in cache_text(sotto, "lookup", name)


def test_lookup_shows_a_failure_that_is_remembered(run_sotto, upstream):
    sotto = run_sotto(upstream, cache={"size": "4MiB", "failure": "5s"})
    name = unique_name()
    upstream.when(name, behaviours.rcode(messages.SERVFAIL))
    assert rcode_name(ask(sotto.address, name)) == "SERVFAIL"
    entry, = entries(sotto, name)
    assert (entry["kind"], entry["rcode"], entry["ttl_seconds"]) == ("failure", "SERVFAIL", None)


def test_lookup_names_the_group_that_was_asked(run_sotto, upstream, start_upstream):
    other = start_upstream()
    sotto = run_sotto(
        upstream, cache={"size": "4MiB"}, groups={"lan": [other.address()]}, zones={"lan.test": "lan"}
    )
    name = f"{unique_name().partition('.')[0]}.lan.test"
    ask(sotto.address, name)
    assert [entry["group"] for entry in entries(sotto, name)] == ["lan"]


def test_lookup_of_a_name_that_nobody_asked_for_is_no_error(sotto):
    assert cache(sotto, "lookup", "Never.Test") == {"name": "never.test.", "entries": [], "entries_left_out": 0}
    assert cache_text(sotto, "lookup", "never.test") == "nothing is known of never.test.\n"


def test_names_with_escapes_and_the_longest_ones_are_found(sotto):
    odd = b"\x04a. \\\x04test\0"
    longest = b"".join(b"\x3f" + b"\x01" * 63 for _ in range(3)) + b"\x3d" + b"\x01" * 61 + b"\0"
    assert len(longest) == 255
    with Udp(sotto.address) as client:
        for name in (odd, longest):
            assert client.ask(query(name))
    assert [e["type"] for e in entries(sotto, "a\\.\\032\\\\.test")] == ["A"]
    assert [e["type"] for e in entries(sotto, "\\A\\. \\092.TEST.")] == ["A"]
    text = "".join("\\001" * n + "." for n in (63, 63, 63, 61))
    assert [e["type"] for e in entries(sotto, text, "TYPE1")] == ["A"]
    assert forgotten(sotto, "--below", text) == 1


# ---- flush


def test_a_name_is_forgotten_whatever_was_asked_of_it_and_no_other_name(sotto, upstream):
    name, other = unique_name(), unique_name()
    below = f"www.{name}"
    for each in (name, other, below):
        ask(sotto.address, each)
    ask(sotto.address, name, "AAAA")
    ask(sotto.address, name, edns=opt(flags=DO))
    assert cache_text(sotto, "flush", name.upper()) == "3 entries forgotten\n"
    assert entries(sotto, name) == []
    assert not is_asked_upstream(sotto, upstream, other) and not is_asked_upstream(sotto, upstream, below)
    assert is_asked_upstream(sotto, upstream, name)
    assert is_asked_upstream(sotto, upstream, name, "AAAA")
    assert is_asked_upstream(sotto, upstream, name, edns=opt(flags=DO))


def test_that_a_name_does_not_exist_is_forgotten_too(sotto, upstream):
    name = unique_name()
    upstream.when(name, behaviours.answer(authority=[record("SOA", messages.SOA, owner=b"\0")], rcode=messages.NXDOMAIN))
    assert rcode_name(ask(sotto.address, name)) == "NXDOMAIN"
    upstream.when(name, behaviours.derive)
    assert rcode_name(ask(sotto.address, name)) == "NXDOMAIN"
    assert cache_text(sotto, "flush", name) == "1 entry forgotten\n"
    assert addresses(ask(sotto.address, name)) == [messages.address_of(name)]


def test_below_a_name_is_the_name_and_what_ends_in_its_labels(sotto, upstream):
    zone = unique_name()
    inside = [zone, f"www.{zone}", f"a.b.c.{zone}"]
    outside = [f"not{zone}", zone.partition(".")[2], f"{zone}.test", f"www.{zone.replace('.', '-', 1)}"]
    for name in inside + outside:
        ask(sotto.address, name)
    assert forgotten(sotto, "--below", zone) == len(inside)
    assert not any(is_asked_upstream(sotto, upstream, name) for name in outside)
    assert all(is_asked_upstream(sotto, upstream, name) for name in inside)


def test_all_is_everything(sotto, upstream):
    names = [unique_name() for _ in range(20)]
    for name in names:
        ask(sotto.address, name)
    assert cache_text(sotto, "flush", "--all") == "20 entries forgotten\n"
    seen = cache(sotto, "stats")
    assert (seen["cache_entries"], seen["cache_used_bytes"]) == (0, 0)
    assert all(is_asked_upstream(sotto, upstream, name) for name in names)


def test_what_is_not_there_is_forgotten_without_an_error(sotto):
    for words in (["never.test"], ["--below", "never.test"], ["--below", "."], ["--all"]):
        assert cache_text(sotto, "flush", *words) == "0 entries forgotten\n"


# ---- what cannot be done


@pytest.mark.parametrize("words, error", [
    (["stats", "now"], "too many words"),
    (["lookup"], "a name is missing"),
    (["lookup", "a..b"], "no domain name"),
    (["lookup", "a.test", "ADDRESS"], "no such type"),
    (["flush"], "flush NAME, flush --below NAME, or flush --all"),
    (["flush", "--below"], "a name is missing"),
    (["flush", "a..b"], "no domain name"),
    (["flush", "a.test", "b.test"], "too many words"),
    (["flush", "--all", "a.test"], "too many words"),
])
def test_wrong_words_do_nothing_but_tell(words, error, sotto, control_path):
    ask(sotto.address, "a.test")
    done = run(sotto, *words)
    assert (done.returncode, done.stdout) == (64, "") and error in done.stderr
    answer = json.loads(control.answer_to(control_path, " ".join(["cache", *words]).encode() + b"\n"))
    assert list(answer) == ["error"] and error in answer["error"]
    assert len(entries(sotto, "a.test")) == 1


def test_the_command_that_was_meant_is_named(sotto):
    for word, meant in (("flsh", "flush"), ("stat", "stats"), ("lokup", "lookup")):
        done = run(sotto, word)
        assert done.returncode == 64 and f"cache {word}: did you mean {meant}" in done.stderr
    done = run(sotto)
    assert done.returncode == 64 and all(word in done.stderr for word in ("stats", "lookup", "flush"))
    done = run(sotto, "flush", "--bellow", "a.test")
    assert done.returncode == 64 and "did you mean --below" in done.stderr
    done = subprocess.run([daemon.BINARY, "cashe", "stats"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 64 and "did you mean cache" in done.stderr


def test_no_other_command_takes_its_options():
    for words in (["status", "--all"], ["check", "--below"], ["--all"]):
        done = subprocess.run([daemon.BINARY, *words], capture_output=True, text=True, timeout=30)
        assert done.returncode == 64, words


@pytest.mark.parametrize("words", [["stats"], ["lookup", "a.test"], ["flush", "--all"]])
def test_without_a_cache_that_is_told(words, run_sotto, upstream):
    sotto = run_sotto(upstream, cache={"size": "0"})
    done = run(sotto, *words)
    assert (done.returncode, done.stdout) == (1, "") and "there is no cache: cache.size is 0" in done.stderr


def test_without_a_daemon_it_says_where_it_looked(control_path):
    done = subprocess.run(
        [daemon.BINARY, "cache", "flush", "--all", "--set", f"control={control_path}"],
        capture_output=True, text=True, timeout=30,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{control_path}: there is no such socket" in done.stderr and "sotto cache flush --all -c FILE" in done.stderr


def test_many_commands_at_once_are_all_done(run_sotto, upstream, control_path):
    sotto = run_sotto(upstream, workers=2, cache={"size": "4MiB"})
    names = [unique_name() for _ in range(16)]
    for name in names:
        ask(sotto.address, name)
    askers = [control.Asker(control_path) for _ in names]
    for asker, name in zip(askers, names):
        asker.send(f"cache flush {name}\n".encode())
    assert [json.loads(asker.rest()) for asker in askers] == [{"entries_forgotten": 1}] * len(names)


def test_who_does_not_wait_for_the_answer_does_no_harm(run_sotto, upstream, control_path):
    sotto = run_sotto(upstream, workers=2, cache={"size": "4MiB"})
    for _ in range(20):
        ask(sotto.address, unique_name())
        for line in (b"cache stats\n", b"cache lookup a.test\n", b"cache flush a.test\n"):
            with control.Asker(control_path) as asker:
                asker.send(line)
    assert cache(sotto, "stats")["cache_entries"] == 20


def test_every_key_is_in_the_documentation_and_the_other_way_round(sotto):
    ask(sotto.address, "a.test")
    for words in (["stats"], ["lookup", "a.test"], ["flush", "a.test"]):
        told = sorted(set(control.keys(cache(sotto, *words))))
        assert told == sorted(control.documented(f"cache {words[0]}"))
