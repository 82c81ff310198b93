"""SIGHUP and `sotto reload`: the configuration is read again and swapped in, and nobody who asks notices. ./test runs
these on the build with ThreadSanitizer, too."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from bench import behaviours, daemon, eventually, messages
from bench.behaviours import Gate
from bench.clients import PATIENCE, Head, Tcp, Udp, addresses, ask, parse, rcode_name, readable
from bench.control import answer_to
from bench.messages import query, unique_name

RELOADS = 100
RATE = 1000  # queries per second, of both transports together
SUPPRESSIONS = pathlib.Path(__file__).resolve().parents[1] / "tsan.supp"
WAITING = 200  # at the same time: more would be lost by the buffers of a machine that is slower than that


def rewrite(sotto, **settings):
    """The file says this from now on, beside what it said; None takes a key away."""
    for key, value in settings.items():
        sotto.config[key] = value
        if value is None:
            del sotto.config[key]
    fresh = sotto.file.with_suffix(".new")
    fresh.write_text(json.dumps(sotto.config, indent=2) + "\n")
    fresh.rename(sotto.file)


def answer_of(sotto):
    """What the daemon says to `reload` on its control socket."""
    return json.loads(answer_to(sotto.config["control"], b"reload\n"))


def reload(sotto, **settings):
    """Reloads, which must go well; what has changed."""
    rewrite(sotto, **settings)
    answer = answer_of(sotto)
    assert "error" not in answer, answer
    return answer["changed"].split(",") if answer["changed"] else []


def status(sotto):
    return json.loads(answer_to(sotto.config["control"], b"status\n"))


def run(sotto, *words):
    return subprocess.run([daemon.BINARY, *words, "-c", sotto.file], capture_output=True, text=True, timeout=60)


def says(number):
    """Answers every name with one address, of ten minutes."""
    return behaviours.answer(messages.record("A", bytes((192, 0, 2, number)), 600))


def address(sotto, name, **how):
    answer = ask(sotto.address, name, **how)
    return addresses(answer) or rcode_name(answer)


@pytest.fixture
def confined(start_sotto, control_path):
    """Starts a sotto in the sandbox that all tests have."""
    return lambda *upstreams, **settings: start_sotto(*upstreams, control=control_path, **settings)


@pytest.fixture
def run_sotto(confined):
    """Starts one without: these tests reload to ports that nobody named at the start, which a sandbox forbids."""
    return lambda *upstreams, **settings: confined(*upstreams, sandbox="off", **settings)


@pytest.fixture
def upstream(start_upstream):
    return start_upstream()


@pytest.fixture
def sotto(run_sotto, upstream):
    return run_sotto(upstream, workers=2, cache={"size": "4MiB"})


def with_ports_held(sotto):
    version = status(sotto)["sandbox"]["landlock"]
    if version < 4:
        pytest.skip(f"no sandbox that knows ports: Landlock {version}")
    return sotto


def is_open(upstream):
    return [connection for connection in upstream.connections if connection.open]


# ---- what stays


def test_connections_cache_and_sockets_stay(sotto, upstream, name):
    other = unique_name()
    with Tcp(sotto.address) as client:
        client.ask(query(name))
        before = list(upstream.connections)
        assert reload(sotto, timeouts={"query": "3s"}) == ["timeouts.query"]
        client.ask(query(name))
        assert len(upstream.asked(name)) == 1
        client.ask(query(other))
    assert upstream.connections == before and len(upstream.asked(other)) == 1


def test_how_often_the_cache_is_saved_is_said_anew(run_sotto, upstream, name, tmp_path):
    saved = tmp_path / "cache"
    sotto = run_sotto(upstream, cache={"size": "4MiB"}, state=str(tmp_path))
    ask(sotto.address, name)
    assert not saved.exists(), "at the end only"
    assert reload(sotto, cache={"size": "4MiB", "save-every": "50ms"}) == ["cache.save-every"]
    assert eventually(lambda: saved.exists() and messages.wire_name(name) in saved.read_bytes())


def test_sighup_is_the_same(sotto, upstream, name):
    with Tcp(sotto.address) as client:
        client.ask(query(name))
        rewrite(sotto, policy="race")
        sotto.signal(signal.SIGHUP)
        sotto.wait_for_log(msg="reloaded", changed="policy")
        client.ask(query(name))
    assert status(sotto)["groups"]["default"]["policy"] == "race"
    assert len(upstream.asked(name)) == 1


def test_in_the_sandbox_it_reloads_and_says_what_is_forbidden(confined, upstream, name):
    sotto = confined(upstream, workers=2, cache={"size": "4MiB"})
    address(sotto, name)
    assert reload(sotto, policy="race") == ["policy"]
    assert address(sotto, name) == [messages.address_of(name)] and len(upstream.asked(name)) == 1
    spoil(sotto)
    assert f"{sotto.file}:2:1" in answer_of(sotto)["error"]
    assert address(sotto, unique_name()) != "SERVFAIL"


def test_in_the_sandbox_a_port_that_is_new_refuses_the_whole(confined, start_upstream, upstream, name):
    """Or everything would go on, but for the server that can never be connected to."""
    sotto = with_ports_held(confined(upstream))
    rewrite(sotto, upstreams=[start_upstream().address()], policy="race")
    error = answer_of(sotto)["error"]
    assert "nothing has changed" in error and "the sandbox" in error and "restart" in error
    sotto.wait_for_log(msg="reload failed: nothing has changed")
    assert status(sotto)["groups"]["default"]["policy"] == "ordered"
    assert address(sotto, name) == [messages.address_of(name)]


def test_in_the_sandbox_a_new_listener_is_refused_with_what_to_do(confined, upstream):
    sotto = with_ports_held(confined(upstream))
    rewrite(sotto, listen=[f"127.0.0.1:{daemon.free_port()}"])
    error = answer_of(sotto)["error"]
    assert "cannot listen" in error and "the sandbox" in error and "restart" in error


def test_in_the_sandbox_a_file_out_of_reach_is_told_with_what_to_do(confined, upstream, tmp_path, authority):
    """It is there, anybody may read it, and `sotto check` finds nothing wrong."""
    sotto = confined(upstream)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    rewrite(sotto, tls={"ca": bundle(elsewhere, authority)})
    assert run(sotto, "check").returncode == 0
    done = run(sotto, "reload")
    assert done.returncode == 78 and "Permission denied" in done.stderr
    assert re.search(r"goes on as before; the sandbox allows .* restart", done.stderr), done.stderr


def test_without_memory_for_it_a_reload_fails_and_the_next_one_does_not(monkeypatch, start_sotto, start_upstream, control_path):
    """Not under AddressSanitizer, which needs all the addresses that there are."""
    monkeypatch.setattr(daemon, "BINARY", pathlib.Path(os.environ["RELEASE"]))
    sotto = start_sotto(start_upstream(), control=control_path)
    pid = sotto.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    size = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    rewrite(sotto, policy="race")
    resource.prlimit(pid, resource.RLIMIT_AS, (size + 1024 * 1024, before[1]))
    assert "out of memory" in answer_of(sotto)["error"]
    assert address(sotto, unique_name()) != "SERVFAIL"
    resource.prlimit(pid, resource.RLIMIT_AS, before)
    assert answer_of(sotto)["changed"] == "policy"


def test_who_waits_is_answered(sotto, upstream, name):
    gate = Gate()
    upstream.when(name, gate)
    with Udp(sotto.address) as udp, Tcp(sotto.address) as tcp:
        udp.send(query(name, id=1))
        tcp.send(query(name, id=2))
        assert eventually(lambda: gate.held)
        for query_timeout in ("3s", "5s", "6s"):
            reload(sotto, timeouts={"query": query_timeout})
        gate.open(upstream)
        assert [addresses(parse(c.receive())) for c in (udp, tcp)] == [[messages.address_of(name)]] * 2
    assert len(upstream.connections) == 1


# ---- upstreams


def test_a_server_that_is_gone_finishes_and_a_new_one_is_asked(sotto, upstream, start_upstream, name):
    gate, new = Gate(), start_upstream()
    upstream.when(name, gate)
    with Udp(sotto.address) as client:
        client.send(query(name))
        assert eventually(lambda: gate.held)
        assert reload(sotto, upstreams=[new.address()]) == ["upstreams"]
        later = unique_name()
        assert address(sotto, later) == [messages.address_of(later)]
        assert [len(u.asked(later)) for u in (upstream, new)] == [0, 1]
        gate.open(upstream)
        assert addresses(parse(client.receive())) == [messages.address_of(name)]
    assert eventually(lambda: not is_open(upstream))
    assert all(connection.heard_close_notify for connection in upstream.connections)
    assert len(new.connections) == 1


def test_a_server_that_comes_back_is_asked_again(sotto, upstream, start_upstream):
    new = start_upstream()
    for server in (new, upstream, new, upstream):
        reload(sotto, upstreams=[server.address()])
        name = unique_name()
        assert address(sotto, name) == [messages.address_of(name)] and server.asked(name)


def bundle(directory, *authorities):
    """A file of CA certificates, replaced in one step."""
    file, fresh = directory / "ca.pem", directory / "ca.new"
    fresh.write_text("".join(authority.file.read_text() for authority in authorities))
    fresh.rename(file)
    return str(file)


def test_trust_that_changes_under_the_same_name_is_another_server(
    run_sotto, upstream, authority, stranger, tmp_path, name
):
    sotto = run_sotto(upstream, tls={"ca": bundle(tmp_path, authority)}, cache={"size": "4MiB"})
    address(sotto, name)
    bundle(tmp_path, authority)
    assert reload(sotto) == []  # the same certificates in another file
    address(sotto, unique_name())
    assert len(upstream.connections) == 1
    bundle(tmp_path, authority, stranger)
    assert reload(sotto) == ["certificates"]
    address(sotto, unique_name())
    assert len(upstream.connections) == 2 and not upstream.connections[1].resumed
    bundle(tmp_path, stranger)
    assert reload(sotto) == ["certificates"]
    assert address(sotto, unique_name()) == "SERVFAIL"
    assert address(sotto, name) == "SERVFAIL"  # what the cache knew, it knew from somebody who is trusted no more


def test_a_pin_that_changes_is_another_server(run_sotto, upstream, certificate, name):
    sotto = run_sotto(upstream)
    address(sotto, name)
    reload(sotto, upstreams=[upstream.address(pins=[certificate.pin])])
    assert address(sotto, unique_name()) and len(upstream.connections) == 2
    assert not upstream.connections[1].resumed
    wrong = "sha256/" + "A" * 43 + "="
    reload(sotto, upstreams=[upstream.address(pins=[wrong])])
    assert address(sotto, unique_name()) == "SERVFAIL"


# ---- the cache


def test_a_zone_that_moves_to_another_group_takes_no_answers_along(run_sotto, start_upstream):
    one, two = start_upstream(otherwise=says(1)), start_upstream(otherwise=says(2))
    sotto = run_sotto(one, workers=2, cache={"size": "4MiB"}, groups={"lan": [two.address()]}, zones={})
    assert address(sotto, "www.corp.test") == ["192.0.2.1"]
    reload(sotto, zones={"corp.test": "lan"})
    assert address(sotto, "www.corp.test") == ["192.0.2.2"]
    reload(sotto, zones={})
    assert address(sotto, "www.corp.test") == ["192.0.2.1"]
    assert [len(u.asked("www.corp.test")) for u in (one, two)] == [1, 1]


def test_a_group_keeps_its_answers_while_its_servers_stay(run_sotto, start_upstream):
    one, two = start_upstream(otherwise=says(1)), start_upstream(otherwise=says(2))
    sotto = run_sotto(one, workers=2, cache={"size": "4MiB"})
    assert address(sotto, "a.test") == ["192.0.2.1"]
    reload(sotto, upstreams=[two.address(), one.address()])
    assert address(sotto, "a.test") == ["192.0.2.1"]  # from the cache
    reload(sotto, upstreams=[two.address()])
    assert address(sotto, "a.test") == ["192.0.2.2"]  # nobody is left who could have said the other thing
    assert [len(u.asked("a.test")) for u in (one, two)] == [1, 1]


def test_groups_that_change_places_do_not_change_answers(run_sotto, start_upstream):
    servers = [start_upstream(otherwise=says(number)) for number in range(3)]
    zones = {f"z{number}.test": [server.address()] for number, server in enumerate(servers)}
    sotto = run_sotto(servers[0], workers=2, cache={"size": "4MiB"}, zones=zones)
    names = [f"www.{zone}" for zone in zones]
    for order in itertools.permutations(zones.items()):
        reload(sotto, zones=dict(order))
        assert [address(sotto, name) for name in names] == [[f"192.0.2.{number}"] for number in range(3)]
    assert [len(servers[number].asked(name)) for number, name in enumerate(names)] == [1, 1, 1]


# ---- where it listens


def test_listeners_come_and_go(sotto, upstream, name):
    first, second = sotto.config["listen"][0], f"127.0.0.1:{daemon.free_port()}"
    place = ("127.0.0.1", int(second.rpartition(":")[2]))
    with Tcp(sotto.address) as client:
        client.ask(query(name))
        reload(sotto, listen=[first, second])
        for over in ("udp", "tcp"):
            assert addresses(ask(place, name, over=over)) == [messages.address_of(name)]
        reload(sotto, listen=[second])
        assert client.is_closed()
    assert addresses(ask(place, name)) == [messages.address_of(name)]
    with pytest.raises(ConnectionRefusedError):
        Tcp(sotto.address)
    reload(sotto, listen=[first])
    assert address(sotto, name) == [messages.address_of(name)]


def test_who_waits_at_a_listener_that_goes_is_answered(sotto, upstream, name):
    gate = Gate()
    upstream.when(name, gate)
    with Udp(sotto.address) as udp, Tcp(sotto.address) as tcp:
        udp.send(query(name, id=1))
        tcp.send(query(name, id=2))
        assert eventually(lambda: status(sotto)["dns_requests_total"] == {"udp": 1, "tcp": 1, "tls": 0})
        reload(sotto, listen=[f"127.0.0.1:{daemon.free_port()}"])
        gate.open(upstream)
        assert [addresses(parse(c.receive())) for c in (udp, tcp)] == [[messages.address_of(name)]] * 2
        assert tcp.is_closed()


def test_where_it_cannot_listen_nothing_changes(sotto, name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        held, free = f"127.0.0.1:{holder.getsockname()[1]}", daemon.free_port()
        rewrite(sotto, listen=[sotto.config["listen"][0], f"127.0.0.1:{free}", held], policy="race")
        answer = answer_of(sotto)
    assert held in answer["error"] and answer["problems"] is None
    assert address(sotto, name) == [messages.address_of(name)]
    told = status(sotto)
    assert told["groups"]["default"]["policy"] == "ordered" and len(told["listen"]) == 1
    with pytest.raises(ConnectionRefusedError):
        Tcp(("127.0.0.1", free))


# ---- what is wrong


def spoil(sotto):
    """Writes a file with two mistakes; where they are."""
    sotto.file.write_text('policy: race\nworkerz: 2\nlisten: [127.0.0.1:53]\ntimeouts: {query: never}\n')
    return f"{sotto.file}:2:1", f"{sotto.file}:4:19"


def test_a_broken_file_changes_nothing_and_says_where(sotto, upstream, name):
    before = status(sotto)
    assert before["config_error"] is None
    places = spoil(sotto)
    answer = answer_of(sotto)
    assert places[0] in answer["error"] and all(place in answer["problems"] for place in places)
    line = sotto.wait_for_log(msg="reload failed: nothing has changed")[0]
    assert line["level"] == "error" and places[0] in line["reason"]
    told = status(sotto)
    assert places[0] in told["config_error"]["reason"]
    assert [told[key] for key in ("listen", "groups", "config_time_seconds")] == [
        before[key] for key in ("listen", "groups", "config_time_seconds")
    ]
    assert address(sotto, name) == [messages.address_of(name)]
    assert "last reload    FAILED" in run_status(sotto)
    rewrite(sotto)
    assert reload(sotto) == [] and status(sotto)["config_error"] is None


@pytest.mark.parametrize("place", ["the file", "conf.d", "tls.ca", "key"])
def test_a_pipe_is_refused_and_not_waited_for(place, run_sotto, upstream, certificate, authority, tmp_path, name):
    """Who opened it would wait for its other end, perhaps for ever: for further reloads, too, and for the end."""
    ca, key = bundle(tmp_path, authority), tmp_path / "key.pem"
    shutil.copy(certificate.key, key)
    server = upstream.address(cert=certificate.chain, key=key)
    sotto = run_sotto(upstream, upstreams=[server], tls={"ca": ca})
    (sotto.file.parent / "conf.d").mkdir()
    pipe = {"the file": sotto.file, "conf.d": sotto.file.parent / "conf.d" / "10.yaml", "tls.ca": ca, "key": key}[place]
    with contextlib.suppress(FileNotFoundError):
        os.unlink(pipe)
    os.mkfifo(pipe)
    assert str(pipe) in answer_of(sotto)["error"]
    assert address(sotto, name) == [messages.address_of(name)]


def run_status(sotto):
    done = subprocess.run(
        [daemon.BINARY, "status", "-c", "/dev/null", "--set", f"control={sotto.config['control']}"],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done
    return done.stdout


def test_sighup_with_a_broken_file_is_a_line_of_the_log(sotto, name):
    places = spoil(sotto)
    sotto.signal(signal.SIGHUP)
    assert places[0] in sotto.wait_for_log(msg="reload failed: nothing has changed")[0]["reason"]
    assert address(sotto, name) == [messages.address_of(name)]


def test_the_command_ends_with_the_status_of_a_wrong_configuration(sotto):
    good = sotto.file.with_name("good.yaml")
    shutil.copy(sotto.file, good)
    places = spoil(sotto)
    asked = subprocess.run([daemon.BINARY, "reload", "-c", good], capture_output=True, text=True, timeout=60)
    unasked = run(sotto, "reload")
    for done in (asked, unasked):
        assert done.returncode == 78 and done.stdout == ""
        assert all(place in done.stderr for place in places) and "goes on as before" in done.stderr
        assert "^" in done.stderr  # the caret below the place


def test_a_file_that_cannot_be_read_changes_nothing(sotto, name):
    sotto.file.rename(sotto.file.with_name("gone"))
    assert str(sotto.file) in answer_of(sotto)["error"]
    assert address(sotto, name) == [messages.address_of(name)]


def test_certificates_that_cannot_be_read_change_nothing(sotto, upstream, name):
    rewrite(sotto, tls={"ca": "/none.pem"}, policy="race")
    assert "/none.pem" in answer_of(sotto)["error"]
    assert address(sotto, name) == [messages.address_of(name)]
    assert status(sotto)["groups"]["default"]["policy"] == "ordered"


def let_in(path):
    """Anybody may read it, and come to it."""
    path.chmod(0o644)
    for folder in path.parents:
        if folder.stat().st_uid == os.getuid() and folder != folder.parent and not folder.stat().st_mode & 0o005 == 0o005:
            folder.chmod(0o755)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up root")
def test_without_privileges_it_says_so_and_changes_nothing(start, start_upstream, name):
    server = start_upstream()
    let_in(start.authority.file)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
    # Read by ThreadSanitizer, where it is: from here, since the tree may be in a home that is its owner's alone.
    rules = start.directory / SUPPRESSIONS.name
    shutil.copy(SUPPRESSIONS, rules)
    let_in(rules)
    sotto = start.sotto(server, prefix=nobody, environment={"TSAN_OPTIONS": f"suppressions={rules}"})
    rewrite(sotto, listen=[sotto.config["listen"][0], "127.0.0.1:1"])
    let_in(sotto.file)
    sotto.signal(signal.SIGHUP)
    line = sotto.wait_for_log(msg="reload failed: nothing has changed")[0]
    assert "127.0.0.1:1" in line["reason"] and "Permission denied" in line["reason"]
    sotto.file.chmod(0)
    sotto.signal(signal.SIGHUP)
    line = sotto.wait_for_log(msg="reload failed: nothing has changed", count=2)[1]
    assert str(sotto.file) in line["reason"] and "Permission denied" in line["reason"]
    assert address(sotto, name) == [messages.address_of(name)]


def test_wrong_use_is_refused(sotto):
    assert "words" in json.loads(answer_to(sotto.config["control"], b"reload now\n"))["error"]
    assert run(sotto, "reload", "now").returncode == 64


# ---- what it says


def test_the_command_says_what_has_changed(sotto):
    done = run(sotto, "reload")
    assert (done.returncode, done.stdout, done.stderr) == (0, "nothing has changed\n", "")
    rewrite(sotto, policy="spread", hedge=False, workers=3)
    done = run(sotto, "reload")
    assert (done.returncode, done.stdout, done.stderr) == (
        0, "changed: policy,hedge\n  only a restart changes: workers\n", "",
    )
    assert json.loads(run(sotto, "reload", "--json").stdout) == {"changed": "", "after_restart": "workers"}


def test_what_only_a_restart_changes_is_named_and_the_rest_applied(sotto):
    changed = reload(sotto, workers=3, cache={"size": "8MiB", "keep": False, "stale": "0s"}, policy="race")
    assert changed == ["policy", "cache.stale"]
    line = sotto.wait_for_log(msg="only a restart changes some settings: they are what they were")[0]
    assert line["level"] == "warn" and line["settings"] == "workers,cache.size,cache.keep"
    told = status(sotto)
    assert told["workers"] == 2 and told["groups"]["default"]["policy"] == "race"
    stats = json.loads(answer_to(sotto.config["control"], b"cache stats\n"))
    assert stats["cache_size_bytes"] == 4 << 20


def test_limits_and_rights_hold_at_once(sotto, name):
    reload(sotto, allow=["192.0.2.1"], log={"level": "warn"})
    assert address(sotto, name) == "REFUSED"
    reload(sotto, allow=["local"], limits={"connections-per-client": 1})
    with Tcp(sotto.address) as one, Tcp(sotto.address) as two:
        answered = 0
        for client in (one, two):
            client.send(query(unique_name()))
            answered += client.receive() is not None
    assert answered in (1, 2)  # of one worker or two
    assert not sotto.log(level="info", changed="allow,limits.connections-per-client")


# ---- many


class Load(threading.Thread):
    """Asks, at a steady rate and over both transports, until it is over; every answer must be right."""

    def __init__(self, sotto, rate):
        super().__init__()
        self.address, self.pause, self.over = sotto.address, 1 / rate, threading.Event()
        self.names = [unique_name() for _ in range(500)]
        self.sent, self.answered, self.fault = 0, 0, None

    def run(self):
        try:
            with Udp(self.address) as udp, Tcp(self.address) as tcp:
                self.ask_on(udp, tcp)
        except Exception as fault:
            self.fault = fault

    def ask_on(self, udp, tcp):
        waiting, ids, due = {}, itertools.cycle(range(65536)), time.monotonic()
        clients = {udp.socket: udp, tcp.socket: tcp}
        while not self.over.is_set() or waiting:
            now = time.monotonic()
            while due <= now and not self.over.is_set() and len(waiting) < WAITING:
                client, number = (udp, tcp)[self.sent % 2], next(ids)
                name = self.names[self.sent % len(self.names)]
                waiting[client, number] = (name, now)
                client.send(query(name, id=number))
                self.sent += 1
                due += self.pause
            for ready in readable(clients, max(0.0, min(due - now, 0.05))):
                self.take(clients[ready], waiting)
                while tcp.has_more():
                    self.take(tcp, waiting)
            if waiting:
                name, since = next(iter(waiting.values()))
                assert time.monotonic() - since < PATIENCE, f"{len(waiting)} queries are lost, the first is {name}"

    def take(self, client, waiting):
        wire = client.receive()
        assert wire, "the connection was closed"
        head = Head(wire)
        name, _ = waiting.pop((client, head.id))
        right = socket.inet_aton(messages.address_of(name))  # it is the last thing in it
        assert head.rcode == messages.NOERROR and wire.endswith(right), f"{name}: {parse(wire)}"
        self.answered += 1

    def __enter__(self):
        self.start()
        assert eventually(lambda: self.answered > 100 or self.fault)
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def must_have_lost_nothing(self):
        assert self.fault is None, self.fault
        assert self.sent == self.answered


# For clients that do not come to their turn on a busy machine.
PATIENT = {"client-idle": "1m", "message": "1m", "write": "1m"}
# A cache that forgets at once, so that upstreams are asked all the time.
BUSY = {"size": "1MiB", "ttl-max": "1s", "stale": "0s", "prefetch": False}


def test_a_hundred_reloads_at_a_thousand_queries_a_second_lose_nothing(run_sotto, start_upstream):
    stays, comes, goes = start_upstream(), start_upstream(), start_upstream()
    sotto = run_sotto(stays, goes, workers=2, cache=BUSY, log={"level": "info"})
    sets = [[stays, goes], [comes, stays], [stays], [goes, stays, comes]]
    with Load(sotto, RATE) as load:
        for number in range(RELOADS):
            servers = [server.address() for server in sets[number % len(sets)]]
            changed = reload(sotto, upstreams=servers, timeouts={"query": f"{5000 + number}ms"})
            assert "timeouts.query" in changed
    load.must_have_lost_nothing()
    assert load.sent > RELOADS
    assert len(stays.connections) <= 2  # of two workers: none was made anew
    print(f"{load.sent} queries, {load.answered} answers, {RELOADS} reloads")


def test_a_hundred_reloads_of_nothing_make_no_connection(run_sotto, start_upstream):
    server = start_upstream()
    sotto = run_sotto(server, workers=2, cache=BUSY, log={"level": "info"})
    with Load(sotto, RATE) as load:
        for _ in range(RELOADS):
            assert reload(sotto) == []
    load.must_have_lost_nothing()
    assert len(server.connections) <= 2


def test_a_storm_of_signals_loses_nothing(run_sotto, start_upstream):
    one, two = start_upstream(), start_upstream()
    sotto = run_sotto(one, workers=2, cache=BUSY, log={"level": "info"}, timeouts=PATIENT)
    with Load(sotto, RATE) as load:
        for number in range(1000):
            if number % 100 == 0:
                rewrite(sotto, upstreams=[(one, two)[number // 100 % 2].address(), one.address()][: 1 + number // 100 % 2])
            sotto.signal(signal.SIGHUP)
            time.sleep(0.001)
        rewrite(sotto, upstreams=[two.address()])
        assert reload(sotto) in (["upstreams"], [])
    load.must_have_lost_nothing()
    assert [group for u in status(sotto)["upstreams"] for group in u["groups"]] == ["default"]


def test_a_broken_file_under_load_loses_nothing(sotto):
    with Load(sotto, RATE) as load:
        for number in range(20):
            if number % 2:
                rewrite(sotto)
            else:
                spoil(sotto)
            answer_of(sotto)
    load.must_have_lost_nothing()


def test_who_asks_while_one_is_under_way_is_told_of_the_next(sotto):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(answer_of(sotto))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"changed": "", "after_restart": ""}] * 10


def test_commands_wait_while_configurations_are_swapped(sotto, name):
    over, faults = threading.Event(), []

    def look():
        while not over.is_set():
            for line in (b"status\n", b"cache stats\n", f"cache lookup {name}\n".encode()):
                if "error" in (told := json.loads(answer_to(sotto.config["control"], line))):
                    faults.append(told)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for number in range(30):
            reload(sotto, groups={f"g{k}": ["udp://127.0.0.1:1"] for k in range(number % 5)})
    finally:
        over.set()
        looker.join()
    assert faults == []


@pytest.mark.parametrize("signals", [(signal.SIGHUP, signal.SIGTERM), (signal.SIGTERM, signal.SIGHUP)])
def test_the_end_comes_during_a_reload(sotto, upstream, name, signals):
    gate = Gate()
    upstream.when(name, gate)
    with Udp(sotto.address) as client:
        client.send(query(name))
        assert eventually(lambda: gate.held)
        for number in signals:
            sotto.signal(number)
        gate.open(upstream)
        assert addresses(parse(client.receive())) == [messages.address_of(name)]
    assert sotto.wait() == 0
