"""What others are shown of queries: the dump, a file of packets, and events, datagrams on a unix socket."""

import contextlib
import json
import pathlib
import re
import socket
import stat
import subprocess
import sys
import time

import pytest

from bench import behaviours, clients, daemon, eventually, messages, pcap
from bench.clients import Head, Tcp, Tls, Udp, addresses, ask, ask_wire, careless, parse, rcode_name
from bench.messages import QR, RD, query, record, unique_name, wire_name
from test_explain import explain
from test_reload import reload, status

RULES = pathlib.Path(__file__).parents[2] / "docs/rules.md"
FAKE = "192.0.2.1"
FULL = "the dump has its size: nothing more is written"


@pytest.fixture
def dump(tmp_path):
    """Where it is written."""
    (tmp_path / "dumps").mkdir()
    return tmp_path / "dumps/dump.pcap"


@pytest.fixture
def dumping(run_sotto, upstream, dump):
    """Starts a sotto that dumps."""

    def begin(*what, rules=(), size="64MiB", asks=None, **settings):
        written = {"file": str(dump), "what": list(what), "size": size}
        return run_sotto(asks or upstream, rules=list(rules), dump=written, **settings)

    return begin


def wires(dump):
    """The messages in the file, if it is whole; one of which a part is being written is not. Else none."""
    with contextlib.suppress(AssertionError, FileNotFoundError, messages.struct.error):
        return [packet.message for packet in pcap.read(dump.read_bytes())]
    return []


def holds(dump, *expected):
    """Sooner or later just these are in it, in some order."""
    return eventually(lambda: dump.exists() and sorted(wires(dump)) == sorted(expected))


def totals(sotto):
    told = status(sotto)
    return told["dump_messages_total"], told["events_total"]


# ---- the dump


def test_net_a_dump_of_all_is_what_tcpdump_shows(dumping, dump, front, over):
    ports = [daemon.free_port(), daemon.free_port("::1"), daemon.free_port()]
    listen = [f"127.0.0.1:{ports[0]}", f"[::1]:{ports[1]}", f"tls://127.0.0.1:{ports[2]}"]
    sotto = dumping("all", rules=[{"below": "evil.test", "a": FAKE}], listen=listen,
                    certificate={"cert": str(front.chain), "key": str(front.key)})  # fmt: skip
    names = [unique_name(), "a.evil.test", unique_name()]
    sent = [ask_wire(("127.0.0.1", ports[0]), query(names[0], id=1), over), ask_wire(("::1", ports[1]), query(names[1], id=2), over)]
    with Tls(("127.0.0.1", ports[2]), careless()) as client:
        sent.append(client.ask(query(names[2], id=3)))
    assert dump.stat().st_mode & 0o777 == stat.S_IRUSR | stat.S_IWUSR
    sotto.stop()
    packets = pcap.read(dump.read_bytes())
    assert [p.message for p in packets[1::2]] == sent
    assert [p.message for p in packets[::2]] == [query(name, id=id) for id, name in enumerate(names, 1)]
    assert [(p.source, p.ports[1]) for p in packets[::2]] == [("127.0.0.1", 53), ("::1", 53), ("127.0.0.1", 53)]
    assert [p.ports for p in packets[1::2]] == [p.ports[::-1] for p in packets[::2]]
    assert all(abs(p.time - time.time()) < 600 for p in packets)
    with dump.open("rb") as file:
        shown = clients.tool("tcpdump", "-nvvr", "-", stdin=file)
    assert all(f"A? {name}." in shown for name in names) and f"A {FAKE}" in shown
    assert shown.count("udp sum ok") == 6 and "bad" not in shown


INVALID = {
    "short": b"\x01\x02\x03", "answer": query("a.test", id=7, flags=QR | RD), "formerr": messages.header(7, RD, 2) + b"\0",
    "opcode": query("a.test", id=7, flags=RD | 2 << 11), "long": query("a.test", id=7, flags=RD | 3 << 11, trailing=b"t" * 200),
}  # fmt: skip


def test_net_a_dump_of_what_is_invalid(dumping, dump):
    sotto = dumping("invalid", rules=[{"a": FAKE}])
    answers = []
    with Udp(sotto.address) as client:
        for number, wire in enumerate(INVALID.values()):
            client.send(wire)
            client.send(query("valid.test", id=number))
            while Head(wire := client.receive()).id != number:
                answers.append(wire)
    assert [Head(answer).rcode for answer in answers] == [messages.FORMERR, messages.NOTIMP, messages.NOTIMP]
    assert holds(dump, *INVALID.values(), *answers)
    lines = sotto.wait_for_log(len(INVALID), msg="a message is no query, or none that is taken")
    shown = [(line["level"], int(line["octets"]), line["hex"]) for line in lines]
    assert shown == [("debug", len(wire), wire[:64].hex()) for wire in INVALID.values()]
    assert totals(sotto)[0] == {"written": len(INVALID) + len(answers), "lost": 0}


def test_net_a_dump_of_rules_is_of_those_that_say_so(dumping, dump, over):
    rules = [{"suffix": "evil.test", "a": FAKE, "dump": True}, {"suffix": "good.test", "a": FAKE, "event": "good"},
             {"suffix": "on.test", "action": "pass", "dump": True}]  # fmt: skip
    sotto = dumping("rules", rules=rules, events={"socket": "/run/nobody"})
    asked = [query(name, id=id) for id, name in enumerate(("x.evil.test", "x.good.test", unique_name(), f"{unique_name()}.on.test"))]
    answers = [ask_wire(sotto.address, wire, over) for wire in asked]
    assert addresses(parse(answers[0])) == [FAKE]
    assert holds(dump, asked[0], answers[0], asked[3], answers[3])


def test_net_a_dump_has_what_is_not_answered(dumping, dump):
    sotto = dumping("rules", rules=[{"suffix": "evil.test", "action": "drop", "dump": True}])
    with Udp(sotto.address) as client:
        client.send(query("x.evil.test", id=1))
    assert holds(dump, query("x.evil.test", id=1))


def test_net_a_dump_of_where_an_answer_leads_has_the_answer(dumping, dump, start_upstream):
    """The query has gone by then."""
    asks = start_upstream(otherwise=behaviours.answer(record("CNAME", wire_name("x.evil.test"))))
    sotto = dumping("rules", rules=[{"suffix": "evil.test", "action": "nxdomain", "dump": True}], asks=asks)
    told = ask_wire(sotto.address, query(unique_name()))
    assert rcode_name(parse(told)) == "NXDOMAIN" and holds(dump, told)


def test_net_a_dump_and_events_are_not_of_what_is_explained(dumping, dump, listener):
    told = {"suffix": "evil.test", "a": FAKE, "dump": True, "event": "e"}
    sotto = dumping("all", rules=[told], events={"socket": listener.getsockname()})
    assert explain(sotto, "x.evil.test").decisions[0]["action"] == "answer"
    asked = query("y.evil.test")
    answer = ask_wire(sotto.address, asked)
    assert holds(dump, asked, answer) and event(listener)["name"] == "y.evil.test."


# ---- where it is written


def test_net_a_dump_has_its_size_and_a_reload_begins_another(dumping, dump):
    sotto = dumping("all", rules=[{"answer": "TXT " + "t" * 200}], size="64KiB")
    with Udp(sotto.address) as client:
        while not sotto.log(msg=FULL):
            client.ask(query("a.test", "TXT", id=1))
        for _ in range(3):
            client.ask(query("a.test", "TXT", id=2))
    written, lost = (totals(sotto)[0][key] for key in ("written", "lost"))
    assert lost >= 6 and eventually(lambda: len(wires(dump)) == written)
    assert 2**16 - 1000 < dump.stat().st_size <= 2**16
    assert len(sotto.log(msg=FULL)) == 1
    before = dump.read_bytes()
    reload(sotto)
    old = dump.with_name("dump.pcap.old")
    assert eventually(lambda: ask(sotto.address, "b.test", "TXT") and old.exists() and len(wires(dump)) > 1)
    assert old.read_bytes() == before


def test_net_a_dump_to_a_full_disk_goes_on_when_there_is_room(mounts, dumping, dump):
    """Nobody waits meanwhile, and no packet is torn, by a reload neither."""
    script = 'mount -t tmpfs -o size=64k none "$0" && { head -c 1000000 /dev/zero >"$0/fill" 2>/dev/null || true; } && exec "$@"'
    sotto = dumping("all", rules=[{"a": FAKE}], prefix=("unshare", "--mount", "sh", "-c", script, str(dump.parent)))
    inside = pathlib.Path(f"/proc/{sotto.process.pid}/root")
    for _ in range(3):
        assert addresses(ask(sotto.address, "a.test")) == [FAKE]
    sotto.wait_for_log(msg="the dump cannot be written: it is tried every second", reason="No space left on device")
    assert addresses(ask(sotto.address, "a.test")) == [FAKE]
    assert not reload(sotto)
    (inside / str(dump.with_name("fill")).lstrip("/")).unlink()
    there = inside / str(dump).lstrip("/")
    assert eventually(lambda: len(wires(there)) == 8)


def test_net_a_file_that_is_no_dump_stays(start_sotto, upstream, dump):
    dump.write_text("mine")
    with pytest.raises(daemon.NotServing, match="is no dump of sotto's, and stays as it is"):
        start_sotto(upstream, dump={"file": str(dump)})
    assert dump.read_text() == "mine"


def test_net_a_reload_switches_a_dump_on_and_off(dumping, dump):
    sotto = dumping("all", rules=[{"a": FAKE}], workers=2)
    first = query("a.test", id=1)
    assert holds(dump, first, ask_wire(sotto.address, first))
    reload(sotto, dump={"file": "none"})
    ask(sotto.address, "b.test")
    assert totals(sotto)[0] == {"written": 2, "lost": 0}
    reload(sotto, dump={"file": str(dump), "what": ["all"]})
    assert eventually(dump.with_name("dump.pcap.old").exists) and eventually(lambda: dump.exists() and dump.stat().st_size == 24)
    second = query("c.test", id=2)
    told = ask_wire(sotto.address, second)
    assert holds(dump, second, told)
    assert len(wires(dump.with_name("dump.pcap.old"))) == 2


def test_net_a_reload_switches_a_dump_on_in_the_folder_of_the_state(run_sotto, upstream, state):
    """Which the sandbox leaves to it, whatever was written at the start."""
    sotto = run_sotto(upstream, rules=[{"a": FAKE}], state=str(state))
    dump = state / "dump.pcap"
    reload(sotto, dump={"file": str(dump), "what": ["all"]})
    assert eventually(lambda: dump.exists() and dump.stat().st_size == 24)
    asked = query("a.test", id=1)
    assert holds(dump, asked, ask_wire(sotto.address, asked))


def test_net_a_reload_to_where_the_sandbox_does_not_let_it_is_said(dumping, tmp_path):
    sotto = dumping("all", rules=[{"a": FAKE}])
    (tmp_path / "elsewhere").mkdir()
    reload(sotto, dump={"file": str(tmp_path / "elsewhere/dump")})
    if any(line.get("msg") == "the sandbox has gaps" for line in sotto.log()):
        pytest.skip("this kernel holds no files back")
    sotto.wait_for_log(msg="the dump cannot be opened", reason="Permission denied")
    assert addresses(ask(sotto.address, "a.test")) == [FAKE]


# ---- events


@pytest.fixture
def socket_path(control_path):
    return control_path.replace("control.sock", "events.sock")


@contextlib.contextmanager
def listening(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(path)
        one.settimeout(clients.PATIENCE)
        yield one


@pytest.fixture
def listener(socket_path):
    with listening(socket_path) as one:
        yield one


def event(listener):
    return json.loads(listener.recv(65536))


@pytest.fixture
def telling(run_sotto, upstream, socket_path):
    """Starts a sotto that tells events of evil.test."""

    def begin(*rules, rate=1000, **settings):
        told = {"suffix": "evil.test", "a": FAKE, "event": "beacon"}
        return run_sotto(upstream, rules=list(rules) or [told], events={"socket": socket_path, "rate": rate}, **settings)

    return begin


def test_net_an_event_says_who_asked_what_and_by_which_rule(telling, listener, over):
    sotto = telling()
    ask(sotto.address, "good.test", over=over)
    ask(sotto.address, 'X"9.Evil.test', "AAAA", over=over)
    told = event(listener)
    assert abs(time.time() - time.mktime(time.strptime(told.pop("time")[:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 600
    line = 1 + sotto.file.read_text().split('"suffix"')[0].count("\n")
    assert told.pop("line") in (line, line - 1) and told.pop("file") == str(sotto.file)
    assert told == {"event": "beacon", "client": "127.0.0.1", "name": 'X\\"9.Evil.test.', "type": "AAAA", "missed": 0}


def test_net_an_event_is_of_a_rule_whatever_it_does(telling, listener):
    acts = ({"action": "drop"}, {"action": "pass"}, {"cname": "x.test"}, {"action": "nxdomain"}, {"rewrite": "y.test"})
    rules = [{"exact": f"{n}.test", "event": f"e{n}", **act} for n, act in enumerate(acts)]
    sotto = telling(*rules)
    with Udp(sotto.address) as client:
        for n in range(len(acts)):
            client.send(query(f"{n}.test", id=n))
    assert sorted(event(listener)["event"] for _ in acts) == [f"e{n}" for n in range(len(acts))]


def test_net_events_beyond_their_rate_are_counted_and_others_are_not_held(telling, listener):
    """Every one that was not told is in the `missed` of one that was."""
    sotto = telling({"suffix": "evil.test", "a": FAKE, "event": "flood"}, {"suffix": "rare.test", "a": FAKE, "event": "rare"}, rate=1)
    listener.setblocking(False)
    asked, told = 0, []
    with Tcp(sotto.address) as client:
        while not any(one["missed"] for one in told):
            client.ask(query("x.evil.test"))
            asked += 1
            with contextlib.suppress(BlockingIOError):
                told.append(event(listener))
        listener.settimeout(clients.PATIENCE)
        client.ask(query("x.rare.test"))
    while (last := event(listener))["event"] == "flood":
        told.append(last)
    assert last["missed"] == 0
    count = totals(sotto)[1]
    assert count == {"told": len(told) + 1, "lost": asked - len(told)} and count["lost"] >= 1
    assert sum(1 + one["missed"] for one in told) <= asked


def test_net_who_listens_may_come_later_and_come_back(telling, socket_path):
    sotto = telling()
    for _ in range(2):
        for _ in range(3):
            assert addresses(ask(sotto.address, "x.evil.test")) == [FAKE]
        with listening(socket_path) as listener:
            ask(sotto.address, "x.evil.test")
            assert event(listener)["missed"] == 3
        pathlib.Path(socket_path).unlink()
    assert totals(sotto)[1] == {"told": 2, "lost": 6}


def test_net_who_listens_runs_what_he_likes(telling, socket_path, tmp_path):
    """The example of docs/rules.md, with a `logger` of ours."""
    program = re.search(r"```python\n(.*?)```", RULES.read_text(), re.DOTALL)[1].replace("/run/watch.sock", socket_path)
    logger, logged = tmp_path / "logger", tmp_path / "logged"
    logger.write_text(f"#!/bin/sh\necho \"$*\" >{logged}\n")
    logger.chmod(0o700)
    sotto = telling()
    listening = subprocess.Popen([sys.executable, "-c", program], env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    try:
        assert eventually(lambda: ask(sotto.address, "x.evil.test") and logged.exists() and logged.read_text())
        assert logged.read_text() == "-t beacon 127.0.0.1 asked for x.evil.test.\n"
    finally:
        listening.kill()
        listening.wait()


def test_net_nobody_waits_for_who_does_not_read(telling, listener):
    sotto = telling(rate=1000000)
    with Tcp(sotto.address) as client:
        for _ in range(2000):
            assert addresses(parse(client.ask(query("x.evil.test")))) == [FAKE]
    told = totals(sotto)[1]
    assert told["told"] + told["lost"] == 2000 and told["lost"] > 0


def test_net_a_reload_that_numbers_events_anew_mixes_none_up(telling, socket_path):
    first, second = ({"exact": f"{name}.test", "a": FAKE, "event": name} for name in ("a", "b"))
    sotto = telling(first, second)
    for _ in range(3):
        ask(sotto.address, "a.test")
    with listening(socket_path) as listener:
        reload(sotto, rules=[second, first])
        ask(sotto.address, "b.test")
        told = event(listener)
    assert (told["event"], told["missed"]) == ("b", 0)


def test_net_a_reload_switches_events_on_and_off(run_sotto, upstream, socket_path, listener):
    sotto = run_sotto(upstream, rules=[{"a": FAKE}], workers=2)
    for name in ("first", "second"):
        reload(sotto, rules=[{"a": FAKE, "event": name}], events={"socket": socket_path})
        ask(sotto.address, "a.test")
        assert event(listener)["event"] == name
        reload(sotto, rules=[{"a": FAKE}], events=None)
        ask(sotto.address, "a.test")
    assert totals(sotto)[1] == {"told": 2, "lost": 0}
