"""`sotto explain`: what would become of a query, by the code that decides; nobody is asked, and nothing is counted. For each
case, what it says is what a query then gets."""

import json
import subprocess

import pytest

from bench import behaviours, control, daemon, eventually, messages
from bench.clients import Udp, extended_errors, parse, rcode_name
from bench.messages import opt, query, record, unique_name, wire_name

GUEST = "127.0.0.7"  # a client of the view `guests`
LISTED = bytes([203, 0, 113, 9])

RULES = [
    {"exact": "answer.test", "a": "192.0.2.1", "ede": "forged", "ede-text": "ours"},
    {"exact": "nodata.test", "action": "nodata"},
    {"suffix": "gone.test", "action": "nxdomain", "except": ["ok.gone.test"]},
    {"exact": "refuse.test", "action": "refuse", "ede": "prohibited"},
    {"exact": "drop.test", "action": "drop"},
    {"exact": "truncate.test", "action": "truncate"},
    {"exact": "servfail.test", "action": "servfail"},
    {"exact": "alias.test", "cname": "www.alias.test"},
    {"exact": "www.alias.test", "a": "192.0.2.2"},
    {"suffix": "loop.test", "cname": "x.loop.test"},
    {"suffix": "old.test", "rewrite": "new.test"},
    {"suffix": "new.test", "aaaa": "2001:db8::1"},
    {"suffix": "lan.test", "route": "lan"},
    {"exact": "ads.pass.test", "action": "pass"},
    {"below": "typed.test", "type": "TXT", "action": "nodata"},
    {"glob": "a*z.test", "action": "nxdomain"},
    {"exact": "slow.test", "a": "192.0.2.3", "delay": "10ms"},
]


def files(folder):
    (folder / "ads.txt").write_text("# ads\nads.test\nads.pass.test\nlisted.allow.test\n")
    (folder / "allowed.txt").write_text("listed.allow.test\n")
    (folder / "hosts").write_text("192.0.2.4 host.test\n")
    (folder / "home.zone").write_text(
        "@ 60 IN SOA ns.home.test. root.home.test. 1 3600 600 86400 60\n@ 60 IN NS ns.home.test.\nns 60 IN A 192.0.2.5\n"
        "c 60 IN CNAME ns\nout 60 IN CNAME ads.test.\n*.w 60 IN A 192.0.2.6\n"
    )
    (folder / "bad.rpz").write_text(
        "$TTL 60\n@ IN SOA ns root 1 3600 600 86400 60\n@ IN NS ns\n32.9.113.0.203.rpz-ip IN CNAME .\n"
    )
    return folder


def settings(folder, lan):
    return {
        "groups": {"lan": {"upstreams": [lan.address()], "policy": "race"}},
        "zones": {"zone.test": [lan.address()]},
        "cache": {"size": "4MiB"},
        "timeouts": {"upstream-idle": "1h"},  # what stands stays so, however long all cases take
        "lab": True,
        "rules": RULES,
        "hosts-files": [str(folder / "hosts")],
        "zone-files": {"home.test": str(folder / "home.zone")},
        "lists": {
            "ads": {"file": str(folder / "ads.txt"), "format": "domains"},
            "ok": {"file": str(folder / "allowed.txt"), "format": "domains", "allow": True},
            "bad": {"file": str(folder / "bad.rpz"), "format": "rpz"},
        },
        "views": {"guests": {"clients": [GUEST], "rules": [{"exact": "answer.test", "action": "nxdomain"}], "group": "lan"}},
        "protect": {"rebinding": True},
    }


class Told:
    """What was explained."""

    def __init__(self, text):
        self.all = json.loads(text)
        self.outcome, self.answer, self.steps = self.all["outcome"], self.all["answer"], self.all["steps"]
        self.decisions = [step["decision"] for step in self.steps]

    def message(self):
        return parse(bytes.fromhex(self.answer["message"]))

    def said(self):
        """Of each question on the way: who decides, and what."""
        return [(d["tier"], d["action"]) if d else None for d in self.decisions]

    def upstream(self):
        return self.steps[-1]["upstream"]


@pytest.fixture
def lan(start_upstream):
    return start_upstream()


@pytest.fixture
def upstream(start_upstream):
    return start_upstream()


@pytest.fixture
def sotto(run_sotto, upstream, lan, tmp_path):
    return run_sotto(upstream, **settings(files(tmp_path), lan))


def run(sotto, *words, verb="explain"):
    return subprocess.run(
        [daemon.BINARY, verb, "-c", sotto.file, *words], capture_output=True, text=True, timeout=30, check=False
    )


def printed(sotto, *words, verb="explain"):
    done = run(sotto, *words, verb=verb)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def explain(sotto, *words):
    return Told(printed(sotto, "--json", *words))


def ask(sotto, name, qtype="A", client=None):
    """What a client gets."""
    with Udp(sotto.address, source=client) as udp:
        return parse(udp.ask(query(name, qtype, edns=opt())))


def is_silent(sotto, name, qtype, client):
    """Nothing comes back before the answer to what is asked afterwards."""
    with Udp(sotto.address, source=client) as udp:
        udp.send(query(name, qtype))
        fence = query("localhost")
        udp.send(fence)
        return udp.receive()[:2] == fence[:2]


def of_client(client):
    return ("--client", client) if client else ()


def essence(answer):
    """What an answer says, but for TTLs, which run down meanwhile."""
    records = [[(r.name, r.rdtype, sorted(i.to_text() for i in r)) for r in section] for section in answer.sections[1:3]]
    return rcode_name(answer), answer.flags, records, extended_errors(answer)


def asked_of(servers, name):
    return [len(server.asked(name)) for server in servers]


def counters(sotto):
    """All that the daemon tells of itself, but for moments, which are rounded anew each time."""
    status = json.loads(printed(sotto, "--json", verb="status"))
    for part in (status, status["rules"], *status["upstreams"]):
        for key in [key for key in part if key.endswith(("time_seconds", "state_seconds"))]:
            del part[key]
    return status | json.loads(printed(sotto, "stats", "--json", verb="cache"))


def changed(before, after):
    return {key: (before[key], after[key]) for key in before if before[key] != after[key]}


# Who decides and what, of each question on the way; None: nobody.
CASES = {
    "answer.test": [("rules", "answer")],
    "answer.test AAAA": [("rules", "answer")],
    "nodata.test": [("rules", "nodata")],
    "gone.test": [("rules", "nxdomain")],
    "x.gone.test": [("rules", "nxdomain")],
    "ok.gone.test": [None],
    "refuse.test": [("rules", "refuse")],
    "drop.test": [("rules", "drop")],
    "truncate.test": [("rules", "truncate")],
    "servfail.test": [("rules", "servfail")],
    "alias.test": [("rules", "cname"), ("rules", "answer")],
    "loop.test": [("rules", "cname")] * 9,
    "x.old.test AAAA": [("rules", "rewrite"), ("rules", "answer")],
    "x.lan.test": [("rules", "route")],
    "ads.pass.test": [("rules", "pass")],
    "x.typed.test TXT": [("rules", "nodata")],
    "x.typed.test A": [None],
    "abcz.test": [("rules", "nxdomain")],
    "slow.test": [("rules", "answer")],
    "host.test": [("local", "answer")],
    "host.test TXT": [("local", "nodata")],
    "4.2.0.192.in-addr.arpa PTR": [("local", "answer")],
    "home.test SOA": [("local", "answer")],
    "none.home.test": [("local", "nxdomain")],
    "x.w.home.test": [("local", "answer")],
    "c.home.test": [("local", "cname"), ("local", "answer")],
    "out.home.test": [("local", "cname"), ("block", "nxdomain")],
    "zone.test": [("zones", "pass")],
    "listed.allow.test": [("allow", "pass")],
    "ads.test": [("block", "nxdomain")],
    "below.ads.test": [("block", "nxdomain")],
    "localhost": [("special", "answer")],
    "x.invalid": [("special", "nxdomain")],
    "1.168.192.in-addr.arpa PTR": [("special", "nxdomain")],
    "elsewhere.test": [None],
    f"answer.test A {GUEST}": [("view", "nxdomain")],
    f"elsewhere.test A {GUEST}": [None],
    f"ads.test A {GUEST}": [("block", "nxdomain")],
    "refused.test AXFR": [],
    "any.test ANY": [],
    "_dns.resolver.arpa SVCB": [None],
}


def parts(case):
    """Name, type and client of it."""
    words = case.split()
    return words + ["A", None][len(words) - 1 :]


def flat(text):
    """Without what lines are broken and indented by."""
    return "".join(text.split())


def test_for_every_case_it_says_what_a_query_then_gets(sotto, upstream, lan):
    for case, said in CASES.items():
        name, qtype, client = parts(case)
        before = asked_of((upstream, lan), name)
        told = explain(sotto, name, qtype, *of_client(client))
        assert asked_of((upstream, lan), name) == before, case
        if said or told.steps:
            assert told.said() == (said or [None]), case
        if told.outcome == "dropped":
            assert is_silent(sotto, name, qtype, client), case
            continue
        answer = ask(sotto, name, qtype, client)
        if told.outcome == "answered":
            assert essence(told.message()) == essence(answer), case
            assert asked_of((upstream, lan), name) == before, case
        else:
            assert told.all["stage"] == "lookup"
            server = upstream if told.upstream()["group"] == "default" else lan
            asks = [int(server is s) for s in (upstream, lan)]
            assert [n - b for n, b in zip(asked_of((upstream, lan), name), before)] == asks, case
            assert told.upstream()["servers"][0]["upstream"] == server.address(), case
            again = explain(sotto, name, qtype, *of_client(client))
            assert (again.outcome, again.steps[-1]["cache"]["state"]) == ("answered", "fresh"), case
            assert essence(again.message()) == essence(ask(sotto, name, qtype, client)), case


def test_nothing_is_counted_and_nobody_is_asked(sotto, upstream, lan):
    kept = unique_name()
    ask(sotto, kept)
    before = counters(sotto)
    hits = json.loads(printed(sotto, "lookup", kept, "--json", verb="cache"))["entries"][0]["hits"]
    for case in [*CASES, kept]:
        name, qtype, client = parts(case)
        explain(sotto, name, qtype, *of_client(client))
    assert not changed(before, counters(sotto))
    assert json.loads(printed(sotto, "lookup", kept, "--json", verb="cache"))["entries"][0]["hits"] == hits
    assert [len(server.queries) for server in (upstream, lan)] == [len(upstream.asked(kept)), 0]


def test_rules_of_test_benches_are_not_used_up(run_sotto, upstream):
    rule = {"exact": "once.test", "a": "192.0.2.1", "first": 1}
    sotto = run_sotto(upstream, lab=True, rules=[rule])
    for _ in range(3):
        told = explain(sotto, "once.test")
        assert told.said() == [("rules", "answer")] and told.decisions[0]["lab"]["first"] == 1
    assert [r[0].to_text() for r in ask(sotto, "once.test").answer] == ["192.0.2.1"]
    assert not upstream.asked("once.test")


def test_it_says_file_and_line_of_lists_and_rules(sotto, tmp_path):
    listed, = explain(sotto, "below.ads.test").decisions
    assert (listed["file"], listed["line"], listed["list"]) == (str(tmp_path / "ads.txt"), 2, "ads")
    assert listed["extended_error"] == 15
    assert "\n  answer.test. 60 IN A 192.0.2.1\n" in printed(sotto, "answer.test")
    ruled, = explain(sotto, "answer.test").decisions
    assert (ruled["file"], ruled["extended_error"], ruled["extended_error_text"]) == (str(sotto.file), 4, "ours")
    assert flat(f"> block suffix:ads.test. at {tmp_path}/ads.txt:2 answer NXDOMAIN") in flat(printed(sotto, "ads.test"))


@pytest.mark.parametrize("words, file, line", [
    (["host.test"], "hosts", 1), (["4.2.0.192.in-addr.arpa", "PTR"], "hosts", 1), (["home.test", "SOA"], "home.zone", 1),
    (["c.home.test"], "home.zone", 4), (["x.w.home.test"], "home.zone", 6), (["none.home.test"], "home.zone", None),
])  # fmt: skip
def test_it_says_file_and_line_of_local_data(sotto, tmp_path, words, file, line):
    told = explain(sotto, *words)
    decided = told.decisions[0]
    assert (decided["file"], decided["line"]) == (str(tmp_path / file), line)
    tried, = (e for e in told.steps[0]["rules"] if e["tier"] == "local")
    assert (tried["file"], tried["line"]) == (str(tmp_path / file), line)
    assert flat(f" at {tmp_path}/{file}{f':{line}' if line else ''} ") in flat(printed(sotto, *words))


def test_it_says_why_others_did_not_decide(sotto):
    def tried(*words):
        entries = explain(sotto, *words).steps[0]["rules"]
        return {(e["tier"], e["pattern"]): e["why_not"] for e in entries if not e["pattern"].startswith("glob:")}

    assert {e["why_not"] for e in explain(sotto, "elsewhere.test").steps[0]["rules"]} == {"the pattern does not hold"}
    assert tried("ok.gone.test") == {("rules", "suffix:gone.test."): "the name is excepted"}
    assert tried("x.typed.test", "A") == {("rules", "below:typed.test."): "it is about other types"}
    assert tried("ads.pass.test") == {
        ("rules", "exact:ads.pass.test."): None, ("block", "suffix:ads.pass.test."): "another one goes before it",
    }
    assert tried("answer.test") == {
        ("view", "exact:answer.test."): "it is of another view", ("rules", "exact:answer.test."): None,
    }
    assert tried("answer.test", "--client", GUEST)["view", "exact:answer.test."] is None


def test_an_alias_in_the_cache_that_leads_to_what_is_blocked(sotto, upstream, tmp_path):
    name = unique_name()
    target = wire_name("ads.test")
    upstream.when(name, behaviours.answer(record("CNAME", target), record("A", b"\xc0\0\2\1", owner=target)))
    first = ask(sotto, name)
    told = explain(sotto, name)
    step, = told.steps
    assert (step["decision"], step["cache"]["state"], told.outcome) == (None, "fresh", "answered")
    assert (step["objection"]["list"], step["objection"]["line"]) == ("ads", 2)
    assert [e["pattern"] for e in step["judged"] if e["why_not"] is None] == ["suffix:ads.test."]
    assert rcode_name(first) == "NXDOMAIN" and essence(told.message()) == essence(first) == essence(ask(sotto, name))


@pytest.mark.parametrize("address, error", [(bytes([192, 168, 1, 1]), "private address"), (LISTED, None)], ids=["private", "listed"])
def test_an_address_in_the_cache_that_is_objected_to(address, error, sotto, upstream):
    name = unique_name()
    upstream.when(name, behaviours.answer(record("A", address)))
    first = ask(sotto, name)
    told = explain(sotto, name)
    assert told.steps[0]["objection"]["extended_error_text"] == error
    assert told.steps[0]["objection"]["list"] == (None if error else "bad")
    assert essence(told.message()) == essence(first) and not first.answer
    assert "but its answer" in printed(sotto, name)


def test_dns64_asks_for_a_and_says_so_before(run_sotto, upstream):
    name = unique_name()
    upstream.when(name, lambda q: (
        behaviours.answer(record("A", b"\xc0\0\2\1")) if q.asked.type == 1
        else behaviours.answer(authority=[record("SOA", messages.SOA, owner=b"\0")])
    )(q))
    sotto = run_sotto(upstream, cache={"size": "4MiB"}, dns64={"prefix": "64:ff9b::/96"})
    assert explain(sotto, name, "AAAA").upstream()["dns64"] and not explain(sotto, name, "A").upstream()["dns64"]
    answer = ask(sotto, name, "AAAA")
    told = explain(sotto, name, "AAAA")
    assert [(step["type"], step["cache"]["kind"]) for step in told.steps] == [("AAAA", "nodata"), ("A", "positive")]
    assert essence(told.message()) == essence(answer) and "64:ff9b::c000:201" in answer.answer[0].to_text()


def test_servers_in_the_order_in_which_they_are_asked(run_sotto, start_upstream):
    first, second = start_upstream(), start_upstream()
    sotto = run_sotto(first, second)

    def states():
        return [(s["upstream"], s["state"]) for s in explain(sotto, "order.test").upstream()["servers"]]

    assert states() == [(first.address(), "untried"), (second.address(), "untried")]
    first.stop()

    def has_fallen_behind():
        ask(sotto, unique_name())
        return states() in ([(second.address(), "answers"), (first.address(), state)] for state in ("late", "down"))

    assert eventually(has_fallen_behind, 20)
    told = explain(sotto, "order.test").upstream()
    assert "refused" in told["servers"][1]["last_error"] and not told["all_down"]
    text = flat(printed(sotto, "order.test"))
    assert flat(f"1. {second.address()}: answers for") in text and flat(f"2. {first.address()}: ") in text


def test_a_group_that_is_down(run_sotto, start_upstream):
    upstream = start_upstream()
    sotto = run_sotto(upstream)
    upstream.stop()

    def is_down():
        ask(sotto, unique_name())
        return explain(sotto, "down.test").upstream()["all_down"]

    assert eventually(is_down, 20)
    server, = explain(sotto, "down.test").upstream()["servers"]
    assert server["state"] == "down" and "refused" in server["last_error"]
    assert "ALL OF IT DOWN" in printed(sotto, "down.test")


def test_what_has_failed_and_what_has_expired(run_sotto, upstream):
    sotto = run_sotto(upstream, cache={"size": "4MiB", "failure": "5m", "ttl-max": "1s", "stale": "1h"})
    failed, expired = unique_name(), unique_name()
    upstream.when(failed, behaviours.rcode(messages.SERVFAIL))
    ask(sotto, failed)
    ask(sotto, expired)
    told = explain(sotto, failed)
    if told.outcome == "answered":  # unless its first second is over
        assert told.steps[0]["cache"]["state"] == "failure" and told.answer["rcode"] == "SERVFAIL"
    assert eventually(lambda: explain(sotto, expired).steps[0]["cache"]["state"] == "stale")
    told = explain(sotto, expired)
    assert told.outcome == "asked" and told.steps[0]["cache"]["ttl_seconds"] <= 0
    assert len(upstream.asked(expired)) == 1


def test_who_may_not_ask_is_told_so(run_sotto, upstream):
    sotto = run_sotto(upstream, allow=["127.0.0.1"])
    told = explain(sotto, "a.test", "--client", "192.0.2.1")
    assert (told.outcome, told.all["stage"], told.answer["rcode"], told.steps) == ("answered", "admit", "REFUSED", [])
    assert told.answer["extended_errors"][0]["code"] == 18
    assert "not taken" in printed(sotto, "a.test", "--client", "192.0.2.1")


def test_identity_and_listener_are_looked_at(start_front, upstream, control_path):
    sotto = start_front(upstream, control=control_path, rules=[
        {"exact": "who.test", "identity": "*.staff.test", "a": "192.0.2.1"},
    ])
    assert explain(sotto, "who.test").said() == [None]
    assert explain(sotto, "who.test", "--identity", "ann.staff.test").said() == [("rules", "answer")]
    there = "tls://127.0.0.1:%d" % sotto.front[1]
    assert explain(sotto, "who.test", "--at", there).all["listener"] == there
    done = run(sotto, "who.test", "--at", "127.0.0.1:1")
    assert done.returncode == 1 and "it does not listen there" in done.stderr


def test_for_whom_a_forwarder_asks_is_looked_at(run_sotto, upstream):
    views = {"den": {"cpe-ids": ["den"]}, "desk": {"macs": ["00:11:22:aa:bb:cc"]}, "net": {"clients": ["10.0.0.0/24"]}}
    sotto = run_sotto(upstream, views=views, **{"trusted-forwarders": ["127.0.0.5"]})
    said = {"--subnet": ("10.0.0.0/25", "net"), "--cpe-id": ("den", "den"), "--mac": ("00-11-22-AA-BB-CC", "desk")}
    for option, (value, view) in said.items():
        words = ["a.test", "--client", "127.0.0.5", option, value]
        told = explain(sotto, *words)
        assert told.all["view"] == view and told.all["said"]["believed"]
        assert f", for {value.replace('-', ':').lower()}\n" in printed(sotto, *words)
        told = explain(sotto, "a.test", option, value)
        assert told.all["view"] is None and not told.all["said"]["believed"]
        assert "but it is not in trusted-forwarders" in " ".join(printed(sotto, "a.test", option, value).split())
    assert explain(sotto, "a.test", "--client", "127.0.0.5").all["said"] is None


@pytest.mark.parametrize("words, why", [
    ([], "a name is missing"), (["a..b"], "no domain name"), (["a.test", "NOTYPE"], "no such type"),
    (["a.test", "A", "b"], "too many words"), (["a.test", "--client", "x"], "--client is an address"),
    (["a.test", "--client"], "a value is missing"), (["a.test", "--all"], "--client, --at, --identity, --subnet, --mac and --cpe-id"),
    (["a.test", "--below", "A"], "--client, --at, --identity, --subnet, --mac and --cpe-id"), (["a.test", "--identity", "a b"], "in a line"),
])
def test_words_that_mean_nothing_are_wrong_use(words, why, tmp_path):
    file = tmp_path / "sotto.yaml"
    file.write_text("control: none\n")
    done = subprocess.run(
        [daemon.BINARY, "explain", "-c", file, *words], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 64 and why in done.stderr, done


def test_every_key_is_in_the_documentation_and_the_other_way_round(sotto, upstream):
    name = unique_name()
    upstream.when(name, behaviours.answer(record("A", LISTED)))
    ask(sotto, name)
    seen = set()
    for words in (["slow.test"], ["elsewhere.test", "--mac", "00:11:22:aa:bb:cc"], [name], ["refuse.test"]):
        seen |= set(control.keys(explain(sotto, *words).all))
    assert seen == set(control.documented("Explain"))
