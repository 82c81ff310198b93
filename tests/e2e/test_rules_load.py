"""Files of rules are replaced fifty times while clients ask: no query is lost, and none that is asked after a change was told
in the log is answered by what was before it."""

import socket

import pytest

from bench import eventually, messages
from bench.clients import Head, parse
from test_reload import Load, reload, status
from test_rules_config import CHANGED, write

RATE = 500
ROUNDS = 50
BY_THEMSELVES = 3  # of them; the others by `sotto reload`, since a file that changes is left alone for some seconds
KINDS = ("hosts", "zone", "list", "server")


class Rounds:
    """Names to ask for: in each is the round that was told when it was asked for."""

    def __init__(self):
        self.written = self.told = 0

    def __len__(self):
        return 1 << 30

    def __getitem__(self, number):
        return f"t{self.told}.{KINDS[number // 2 % 4]}.test"  # two transports take turns


class Changing(Load):
    def __init__(self, sotto, rate, rounds):
        super().__init__(sotto, rate)
        self.names, self.seen = rounds, dict.fromkeys(KINDS, 0)

    def take(self, client, waiting):
        wire = client.receive()
        assert wire, "the connection was closed"
        head = Head(wire)
        name, _ = waiting.pop((client, head.id))
        told, kind = int(name.split(".")[0][1:]), name.split(".")[1]
        written = self.names.written
        if kind in ("hosts", "zone"):
            prefix, number = wire[-4:-1], wire[-1]
            right = head.rcode == messages.NOERROR and prefix == bytes((192, 0, 2)) and told <= number <= written
        else:
            is_blocked = kind == "list" and head.rcode == messages.NXDOMAIN
            may_be_asked = kind == "server" or told < written
            is_servers = head.rcode == messages.NOERROR and wire.endswith(socket.inet_aton(messages.address_of(name)))
            right = is_blocked or (may_be_asked and is_servers)
        assert right, f"{name}, with {written} written: {parse(wire)}"
        self.answered += 1
        self.seen[kind] += 1


def fill(folder, number):
    """What is in force in this round: in each file something of it."""
    write(folder / "hosts", "".join(f"192.0.2.{number} t{n}.hosts.test\n" for n in range(ROUNDS + 1)))
    write(folder / "zone", f"@ 60 SOA a b {number + 1} 2 3 4 5\n* 60 A 192.0.2.{number}\n")
    write(folder / "list", f"t{number}.list.test\n")


@pytest.mark.parametrize("cache", [0, "4MiB"], ids=["uncached", "cached"])
def test_files_are_replaced_under_load(start_sotto, upstream, control_path, tmp_path, cache):
    folder = tmp_path / "files"
    folder.mkdir()
    fill(folder, 0)
    sotto = start_sotto(
        upstream, control=control_path, workers=2, cache={"size": cache}, log={"level": "info"},
        lists={"one": {"file": str(folder / "list"), "format": "domains"}},
        **{"hosts-files": [str(folder / "hosts")], "zone-files": {"zone.test": str(folder / "zone")}},
    )  # fmt: skip
    rounds = Rounds()
    with Changing(sotto, RATE, rounds) as load:
        for number in range(1, ROUNDS + 1):
            rounds.written = number
            fill(folder, number)
            if number == 1:
                sotto.wait_for_log(msg=CHANGED)
            elif number <= BY_THEMSELVES:  # the log says the same thing seldom
                before = status(sotto)["rules"]["time_seconds"]
                assert eventually(lambda: status(sotto)["rules"]["time_seconds"] > before + 1, 60)
            else:
                assert reload(sotto) == ["files of rules"]
            rounds.told = number
    load.must_have_lost_nothing()
    assert all(load.seen.values()), load.seen


# ---- everything else about rules


LATE = "192.0.2.1"
OTHERS = ("target.example", "new.example")


class Asked:
    """Names that rules do something with: wait, lead elsewhere, take another group."""

    def __len__(self):
        return 1 << 30

    def __getitem__(self, number):
        return f"n{number % 50}." + ("late.test", "wait.test", "alias.test", "old.test", "group.test", "judged.test")[number // 2 % 6]


class Ruled(Load):
    def __init__(self, sotto, rate):
        super().__init__(sotto, rate)
        self.names = Asked()

    def take(self, client, waiting):
        wire = client.receive()
        assert wire, "the connection was closed"
        head = Head(wire)
        name, _ = waiting.pop((client, head.id))
        front = name.partition(".")[0]
        may_be = [LATE, *(messages.address_of(n) for n in (name, *OTHERS, f"{front}.new.example"))]
        address = socket.inet_ntoa(wire[-4:])
        assert head.rcode == messages.NOERROR and address in may_be, f"{name}: {parse(wire)}"
        self.answered += 1


def sets_of_rules(upstream, other):
    late = {"suffix": "late.test", "a": LATE, "delay": "30ms", "jitter": "20ms"}
    wait = {"suffix": "wait.test", "action": "pass", "delay": "20ms"}
    alias = {"suffix": "alias.test", "cname": OTHERS[0]}
    old = {"suffix": "old.test", "rewrite": OTHERS[1]}
    group = {"suffix": "group.test", "route": "two"}
    filler = [{"suffix": f"f{n}.test", "action": "nxdomain", "first": 5, "per": "name"} for n in range(50)]
    groups = {"two": [other.address()]}
    here = {"clients": ["127.0.0.0/8"], "rules": [late, group], "group": "two"}
    far = {f"v{n}": {"clients": [f"10.{n}.0.0/16"], "rules": filler[:3]} for n in range(5)}
    return [
        {"rules": [late, wait, alias, old, group], "views": {}, "groups": groups},
        {"rules": [*filler, old, alias, wait], "views": {**far, "here": here}, "groups": groups, "protect": {"block-addresses": ["192.0.2.66"]}},
        {"rules": [], "views": {}, "groups": {}},
        {"rules": [*filler, late], "views": {"here": {**here, "rules": [wait, alias]}}, "groups": {"aaa": [upstream.address()], **groups}},
    ]  # fmt: skip


def test_rules_views_and_groups_are_replaced_under_load(start_sotto, start_upstream, upstream, control_path):
    """While queries wait for a server, for a rule's delay, and behind an alias of rules that are gone."""
    other = start_upstream()
    sets = sets_of_rules(upstream, other)
    sotto = start_sotto(upstream, control=control_path, workers=2, lab=True, log={"level": "info"}, cache={"size": "1MiB", "ttl-max": "1s"}, **sets[0])
    with Ruled(sotto, RATE) as load:
        for number in range(1, ROUNDS + 1):
            reload(sotto, **sets[number % len(sets)])
    load.must_have_lost_nothing()
    assert load.sent > ROUNDS and other.queries
