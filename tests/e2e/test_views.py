"""Split horizon: what a client is told depends on its address, or on the certificate that it shows; and nothing of what one
view is told ever reaches another, be it from rules, from local data, from a server or from the cache, fresh or stale.

Servers of a view answer by their address (`RED`, `BLUE`): so an answer betrays where it is from."""

import random
import ssl

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bench import behaviours, daemon, messages
from bench.certificates import FRONT
from bench.clients import Tcp, Tls, Udp, addresses, parse, rcode_name, strict
from bench.messages import NXDOMAIN, SERVFAIL, opt, query, record, unique_name
from bench.plain import Plain

RED, BLUE, REST = "127.0.0.2", "127.0.0.3", "127.0.0.4"
QUESTIONS = 2000
OURS = {RED: "192.0.2.2", BLUE: "192.0.2.3", REST: "192.0.2.4"}  # of local data
FROM = {RED: "198.51.100.2", BLUE: "198.51.100.3", REST: "198.51.100.4"}  # of servers
CLIENT = {"usage": ExtendedKeyUsageOID.CLIENT_AUTH}


def a(address, ttl=300):
    return record("A", bytes(map(int, address.split("."))), ttl)


@pytest.fixture
def servers():
    """One for each view, which has one answer to everything."""
    made = {view: Plain(otherwise=behaviours.answer(a(FROM[view]))) for view in (RED, BLUE, REST)}
    yield made
    for server in made.values():
        server.stop()
        assert not server.errors


@pytest.fixture
def lists(tmp_path):
    """What is blocked in one view is not in the other."""
    for view, name in (("red", "for-blue"), ("blue", "for-red")):
        (tmp_path / view).write_text(f"{name}.list.test\nblocked-{view}.list.test\n")
    return {view: {"file": str(tmp_path / view), "format": "domains"} for view in ("red", "blue")}


@pytest.fixture
def split(start_front, servers, lists):
    """A daemon with two views, each with rules, hosts, a list and servers of its own; the rest of the world is in none."""

    def begin(**settings):
        def view(name, source):
            return {
                "clients": [source], "group": name, "lists": [name], "hosts": {"host.test": OURS[source]},
                "rules": [{"suffix": "rule.test", "a": OURS[source]}, {"exact": f"only-{name}.test", "a": OURS[source]},
                          {"exact": f"gone-{name}.test", "action": "nxdomain"},
                          {"exact": "alias.test", "cname": f"{name}.target.test"}],
            }  # fmt: skip

        return start_front(
            servers[REST].address(),
            **{
                "groups": {"red": [servers[RED].address()], "blue": [servers[BLUE].address()]},
                "views": {"red": view("red", RED), "blue": view("blue", BLUE)},
                "hosts": {"host.test": OURS[REST]}, "rules": [{"suffix": "rule.test", "a": OURS[REST]}], "lists": lists,
                "cache": {"size": "4MiB"}, "workers": 2, **settings,
            },
        )  # fmt: skip

    return begin


def told(answer):
    """What an answer says, in a word or two."""
    return addresses(answer) or [rcode_name(answer)]


def expected(name, source):
    """What a client there is to be told of A of this name."""
    mine = {RED: "red", BLUE: "blue"}.get(source)
    other = {RED: "blue", BLUE: "red"}.get(source)
    if name == f"gone-{mine}.test" or name in (f"for-{other}.list.test", f"blocked-{mine}.list.test"):
        return ["NXDOMAIN"]
    if name.endswith("rule.test") or name in ("host.test", f"only-{mine}.test"):
        return [OURS[source]]
    return [FROM[source]]


FIXED = [
    "host.test", "rule.test", "x.rule.test", "only-red.test", "only-blue.test", "gone-red.test", "gone-blue.test", "alias.test",
    "for-red.list.test", "for-blue.list.test", "blocked-red.list.test", "blocked-blue.list.test", "a.example", "b.example",
]  # fmt: skip


def connect(sotto, over, source):
    if over == "tls":
        return Tls(sotto.front, source=source)
    return {"udp": Udp, "tcp": Tcp}[over](sotto.address, source=source)


@pytest.mark.parametrize("over", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("source", [RED, BLUE, REST])
def test_each_view_is_told_what_is_its_own(split, over, source):
    sotto = split()
    for again in range(2):  # from the server, then from the cache
        for name in FIXED:
            with connect(sotto, over, source) as client:
                assert told(parse(client.ask(query(name)))) == expected(name, source), (name, again)


def test_an_alias_of_a_view_is_of_that_view(split, servers):
    sotto = split()
    for source, view in ((RED, "red"), (BLUE, "blue")):
        with connect(sotto, "udp", source) as client:
            alias = parse(client.ask(query("alias.test"))).answer[0]
            assert alias[0].target.to_text(True) == f"{view}.target.test"
            assert [q.asked.name for q in servers[source].queries] == [f"{view}.target.test"]


def ask_all(sotto, names, seed):
    """Mixed questions of three clients over three transports, a hundred under way at a time: an answer's ID says to whom it belongs."""
    chance = random.Random(seed)
    clients = {(over, source): connect(sotto, over, source) for over in ("udp", "tcp", "tls") for source in (RED, BLUE, REST)}
    count = 0
    for batch in range(QUESTIONS // 100):
        waiting = {}
        for number in range(100):
            who = chance.choice(list(clients))
            name = chance.choice(names)
            waiting.setdefault(who, {})[number] = name
            clients[who].send(query(name, id=number))
        for who, asked in waiting.items():
            while asked:
                answer = parse(clients[who].receive())
                name = asked.pop(answer.id)
                assert told(answer) == expected(name, who[1]), (who, name, batch)
                count += 1
    for client in clients.values():
        client.close()
    return count


def test_nothing_of_one_view_appears_in_another(split, servers):
    sotto = split()
    names = FIXED + [f"{n}.many.example" for n in range(200)]
    assert ask_all(sotto, names, 1) == QUESTIONS
    before = {view: len(server.queries) for view, server in servers.items()}
    assert ask_all(sotto, names, 2) == QUESTIONS  # nearly all of it from the cache
    assert sum(len(server.queries) for server in servers.values()) - sum(before.values()) < QUESTIONS / 4


def test_nothing_stale_of_one_view_appears_in_another(split, servers):
    """The servers' answers expire at once, and then they fail: what can be told is what each view was told before."""
    for view, server in servers.items():
        server.otherwise = behaviours.answer(a(FROM[view], ttl=0))
    sotto = split(cache={"size": "4MiB", "ttl-min": "1s"}, timeouts={"query": "20s"})
    names = [f"{n}.stale.example" for n in range(50)]
    clients = {source: connect(sotto, "tcp", source) for source in (RED, BLUE, REST)}
    for source, client in clients.items():
        for name in names:
            assert told(parse(client.ask(query(name)))) == [FROM[source]]
    for server in servers.values():
        server.otherwise = behaviours.rcode(SERVFAIL)
    stale = 0
    while not stale:  # until they have expired
        for source, client in clients.items():
            for name in names:
                answer = parse(client.ask(query(name, edns=opt())))
                assert told(answer) == [FROM[source]]
                stale += any(int(o.otype) == messages.EDE for o in answer.options)
    for client in clients.values():
        client.close()


def test_who_waits_for_a_rule_is_still_of_its_view(start_sotto, servers, tmp_path):
    """A rule delays the query, and somebody of another view, to whom all is told, asks meanwhile."""
    (tmp_path / "list").write_text("blocked.test\n")
    blocked = b"\7blocked\4test\0"
    address = record("A", bytes((198, 51, 100, 9)), owner=blocked)
    servers[REST].when("alias.test", behaviours.answer(record("CNAME", blocked), address))
    sotto = start_sotto(
        servers[REST].address(), lab=True, workers=1, cache={"size": "4MiB"},
        rules=[{"exact": "alias.test", "clients": [RED], "route": "default", "delay": "500ms"}],
        lists={"ads": {"file": str(tmp_path / "list"), "format": "domains"}},
        views={"red": {"clients": [RED], "lists": ["ads"]}, "blue": {"clients": [BLUE], "lists": []}},
    )  # fmt: skip
    with Udp(sotto.address, source=BLUE) as blue, Udp(sotto.address, source=RED) as red:
        assert rcode_name(parse(blue.ask(query("alias.test")))) == "NOERROR"
        red.send(query("alias.test"))
        assert rcode_name(parse(blue.ask(query("alias.test")))) == "NOERROR"
        assert rcode_name(parse(red.receive())) == "NXDOMAIN"


def test_what_a_view_knows_not_to_exist_another_may_find(split, servers):
    name = unique_name()
    servers[RED].when(name, behaviours.rcode(NXDOMAIN))
    sotto = split()
    for _ in range(2):
        for source, word in ((RED, ["NXDOMAIN"]), (BLUE, [FROM[BLUE]]), (REST, [FROM[REST]])):
            with connect(sotto, "udp", source) as client:
                assert told(parse(client.ask(query(name)))) == word


# ---- by who they are


def showing(authority, names):
    context = strict(authority)
    shown = authority.issue(names=names, **CLIENT)
    context.load_cert_chain(shown.chain, shown.key)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_who_shows_a_certificate_is_told_what_is_for_its_name(start_front, start_upstream, authority, version):
    upstream = start_upstream()
    name = unique_name()
    sotto = start_front(
        upstream, clients={"ca": str(authority.file)}, cache={"size": "4MiB"},
        rules=[{"exact": name, "identity": "red.test", "a": OURS[RED]}, {"exact": name, "identity": "*.blue.test", "a": OURS[BLUE]}],
    )  # fmt: skip
    nobody = [messages.address_of(name)]
    cases = [(("red.test",), [OURS[RED]]), (("x.blue.test",), [OURS[BLUE]]), (("y.x.BLUE.test",), [OURS[BLUE]]),
             (("blue.test",), nobody), (("xred.test",), nobody), (("notblue.test",), nobody), (None, nobody)]  # fmt: skip
    for _ in range(2):
        for names, word in cases:
            context = showing(authority, names) if names else strict(authority)
            context.minimum_version = context.maximum_version = version
            with Tls(sotto.front, context, FRONT) as client:
                assert told(parse(client.ask(query(name)))) == word, names
        for over in ("udp", "tcp"):
            with connect(sotto, over, RED) as client:
                assert told(parse(client.ask(query(name)))) == nobody


def test_a_resumed_session_is_still_of_who_showed_the_certificate(start_front, start_upstream, authority):
    name = unique_name()
    sotto = start_front(start_upstream(), clients={"ca": str(authority.file)}, rules=[{"exact": name, "identity": "red.test", "a": OURS[RED]}])
    context = showing(authority, ("red.test",))
    with Tls(sotto.front, context, FRONT) as client:
        assert told(parse(client.ask(query(name)))) == [OURS[RED]]
        session = client.socket.session
    with Tls(sotto.front, context, FRONT, session=session) as client:
        assert told(parse(client.ask(query(name)))) == [OURS[RED]]
        assert client.socket.session_reused


def test_a_rule_is_for_one_listener(start_sotto, start_upstream):
    name, ports = unique_name(), [daemon.free_port(), daemon.free_port()]
    listen = [f"127.0.0.1:{port}" for port in ports]
    sotto = start_sotto(start_upstream(), listen=listen, rules=[{"exact": name, "listener": listen[1], "a": OURS[RED]}])
    for port, word in zip(ports, (messages.address_of(name), OURS[RED])):
        for over in (Udp, Tcp):
            with over((sotto.host, port)) as client:
                assert told(parse(client.ask(query(name)))) == [word]
