"""Faults of the machine (failures.md F-42 ff., S-53): memory and system calls that fail, one by one (bench/machine.py),
descriptors that run out, disks that are full, files of the state that are rubbish.

The sweeps go through a sample here; with SWEEP=full, as `./test full` has it, through all."""

import itertools
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest

from bench import behaviours, daemon, eventually, messages, shim
from bench.claims import is_answered
from bench.clients import Head, Tcp, Udp, addresses, ask_wire, parse, readable
from bench.machine import Machine
from bench.messages import query, unique_name

FULL = os.environ.get("SWEEP") == "full"
PARTS = 8 if FULL else 1  # for processes that share the work
SWEPT = 5000  # allocations, from the first instruction on
BEYOND_ALL = 2**32  # of them
SUPPRESSIONS = pathlib.Path(__file__).resolve().parents[1] / "lsan.supp"


def while_it_starts(machine):
    """OpenSSL leaks then, what only whole traces tell from leaks of ours; they are slow."""
    options = machine.environment["ASAN_OPTIONS"] + (":fast_unwind_on_malloc=0" if FULL else ":detect_leaks=0")
    return {"ASAN_OPTIONS": options, "LSAN_OPTIONS": f"suppressions={SUPPRESSIONS}:print_suppressions=0"}


def sample(end, first, step):
    """From 1 up to that end: all; or the first ones, and then one in so many."""
    return range(1, end) if FULL else itertools.chain(range(1, first + 1), range(first + step, end, step))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return shim.environment_with("machine_shim", tmp_path_factory.mktemp("shim"))


@pytest.fixture
def machine(built, tmp_path):
    return Machine(tmp_path, built)


@pytest.fixture
def start_on(machine, start):
    """Starts a sotto on that machine."""

    def start_on(*upstreams, environment=None, **how):
        return start.sotto(*upstreams, environment={**machine.environment, **(environment or {})}, **how)

    return start_on


# ---- F-42: no memory


def of_libfyaml(sotto):
    """libfyaml writes through the NULL that it got, in one place; nobody but who starts sotto sees it."""
    return "SEGV" in sotto.text() and "#0" in sotto.text() and " in fy_" in sotto.text().split("#0", 1)[1].split("\n")[0]


def serves_or_says_why_not(sotto):
    """With the configuration that it was given; or status 1 and a line about it."""
    assert eventually(lambda: sotto.log_of_start() or sotto.process.poll() is not None, 30)
    if line := sotto.log_of_start():
        assert line["listen"] == sotto.config["listen"][0] and line["upstreams"] == sotto.config["upstreams"][0], line
        is_answered(sotto)
        sotto.stop()
        return "serves"
    status = sotto.wait()
    if of_libfyaml(sotto):
        return "libfyaml"
    assert status in (1, 78) and "memory" in sotto.text(), f"status {status}\n{sotto.text()}"
    sotto.must_be_clean()
    return "says"


@pytest.mark.parametrize("part", range(PARTS))
def test_f_42_with_any_allocation_refused_at_start_it_serves_or_says_why_not(part, machine, start, start_on, start_upstream):
    upstream, ends = start_upstream(), []
    for n in list(sample(SWEPT + 1, 30, 199))[part::PARTS]:
        machine.fail("memory", nth=n)
        sotto = start_on(upstream, serving=False, environment=while_it_starts(machine))
        try:
            ends.append(serves_or_says_why_not(sotto))
        except AssertionError as fault:
            raise AssertionError(f"allocation {n}: {fault}") from fault
        assert machine.failed("memory") == 1
        start.forget(sotto)
    assert ends.count("says") > len(ends) // 4
    assert ends.count("libfyaml") <= len(ends) // 20


class Serving:
    """A daemon that has served already, and what is asked of it while memory is refused. Each returns what came of it:
    an answer, SERVFAIL, nothing, or the end of the connection."""

    def __init__(self, machine, sotto, upstream, control):
        self.machine, self.sotto, self.upstream, self.control = machine, sotto, upstream, control

    def judged(self, name, wire):
        head = Head(wire)
        if head.rcode == messages.NOERROR:
            assert addresses(parse(wire)) == [messages.address_of(name)]
            return "answer"
        assert head.rcode == messages.SERVFAIL, wire
        return "SERVFAIL"

    def udp(self):
        name = unique_name()
        with Udp(self.sotto.address) as client:
            client.send(query(name))

            def over():
                return readable([client.socket], 0) or self.machine.failed("memory")

            assert eventually(over, 20)
            self.machine.heal()
            is_answered(self.sotto)  # a later one
            answer = client.receive(5 if not self.machine.failed("memory") else 0)
            assert client.receive(0) is None, "answered twice"
            return self.judged(name, answer) if answer else "nothing"

    def over_a_new_connection(self):
        self.upstream.close_connections()
        assert eventually(lambda: not any(c.open for c in self.upstream.connections))
        return self.udp()

    def tcp(self):
        name = unique_name()
        with Tcp(self.sotto.address) as client:
            client.send(query(name))
            answer = client.receive()
            return self.judged(name, answer) if answer else "closed"

    def status(self):
        with socket.socket(socket.AF_UNIX) as asker:
            asker.settimeout(20)
            asker.connect(self.control)
            try:
                asker.sendall(b"status\n")
                answer = asker.makefile().read()
            except ConnectionError:
                return "closed"
        if not answer:
            return "closed"
        answer = json.loads(answer)
        assert answer.get("error") == "out of memory" or self.shape(answer) == self.whole
        return "SERVFAIL" if "error" in answer else "answer"

    def shape(self, value):
        if isinstance(value, dict):
            return {key: self.shape(v) for key, v in value.items()}
        return [self.shape(v) for v in value] if isinstance(value, list) else type(value) in (int, float, str)


@pytest.mark.parametrize("ask, first, step", [
    ("udp", 400, 1), ("tcp", 400, 1), ("status", 10, 3), ("over_a_new_connection", 10, 37),
])
def test_f_42_with_any_allocation_refused_while_it_serves_the_next_query_is_answered(
    ask, first, step, machine, start_on, start_upstream, control_path
):
    upstream = start_upstream()
    sotto = start_on(upstream, control=control_path, cache={"size": "1MiB"}, timeouts={"query": "2s"})
    is_answered(sotto)
    serving, ends = Serving(machine, sotto, upstream, control_path), []
    with socket.socket(socket.AF_UNIX) as asker:
        asker.connect(control_path)
        asker.sendall(b"status\n")
        serving.whole = serving.shape(json.loads(asker.makefile().read()))
    for n in sample(10000, first, step):
        machine.fail("memory", nth=n)
        ends.append(getattr(serving, ask)())
        machine.heal()
        assert is_answered(sotto) and is_answered(sotto, over="tcp"), f"after allocation {n}"
        if not machine.failed("memory"):
            break
    assert ends.pop() == "answer" and len(ends) >= 4, ends
    assert set(ends) - {"answer"}, "nothing was refused that mattered"
    sotto.stop()  # nothing is left behind


@pytest.mark.parametrize("part", range(PARTS))
def test_f_42_with_any_allocation_refused_at_the_first_handshake_the_next_one_is_made(
    part, machine, start, start_on, start_upstream
):
    """OpenSSL makes ready then what it needs: hundreds of pieces of it, or thousands, by its release."""
    upstream = start_upstream()

    def first_query(nth):
        """Asks it. How many allocations were refused of how many there were."""
        sotto = start_on(upstream, environment=while_it_starts(machine), timeouts={"query": "2s"})
        before = machine.calls("memory")
        machine.fail("memory", nth=nth)
        Serving(machine, sotto, upstream, None).udp()
        refused, made = machine.failed("memory"), machine.calls("memory") - before
        assert eventually(lambda: is_answered_again(sotto)), f"after allocation {nth} of {made}"
        sotto.stop()
        start.forget(sotto)
        return refused, made

    none, made = first_query(BEYOND_ALL)
    assert not none
    tried = list(sample(made + 1, 2, made // 10))[part::PARTS]
    assert sum(first_query(n)[0] for n in tried) > len(tried) * 0.8  # some are the later query's


def test_f_42_without_any_memory_for_a_while_it_lives_and_recovers(machine, start_on, start_upstream):
    upstream = start_upstream()
    sotto = start_on(upstream, timeouts={"query": "2s"})
    is_answered(sotto)
    with Udp(sotto.address) as udp, Tcp(sotto.address) as tcp:
        tcp.ask(query(unique_name()))
        for begin, times in ((1, 20), (1, 200), (5, 2000)):
            machine.fail("memory", nth=begin, times=times)
            upstream.close_connections()
            for _ in range(50):
                udp.send(query(unique_name()))
            with Tcp(sotto.address) as other:
                other.send(query(unique_name()))
                assert eventually(lambda: machine.failed("memory") >= min(times, 20))
            machine.heal()
            assert eventually(lambda: is_answered_again(sotto)), "no recovery"


@pytest.mark.parametrize("nth, times", [(1, 1), (2, 1000), (3, 1), (4, 1)])
def test_f_42_without_memory_to_begin_with_a_reload_changes_nothing(nth, times, machine, start_on, start_upstream):
    """The first ones are the job, the room that there must be, what problems are written to, and the configuration."""
    sotto = start_on(start_upstream())
    sotto.signal(signal.SIGHUP)
    sotto.wait_for_log(msg="reloaded")
    with machine.failing("memory", nth=nth, times=times):
        sotto.signal(signal.SIGHUP)
        line = sotto.wait_for_log(msg="reload failed: nothing has changed")[0]
    assert line["reason"] == "out of memory"
    assert is_answered(sotto)
    sotto.signal(signal.SIGHUP)
    sotto.wait_for_log(2, msg="reloaded")


def is_answered_again(sotto):
    try:
        return is_answered(sotto)
    except (AssertionError, ConnectionError):  # not served yet
        return False


# ---- S-53, F-46: system calls

# What fails, how, and so many times; each time, a query over UDP and one over TCP are answered, over a connection to the
# upstream that has yet to be made. None is lost: not even a datagram.
CALLS_THAT_FAIL = [
    ("recvmmsg", ("EINTR", "EAGAIN", "ENOMEM", "ENOBUFS"), (1, 5)),
    ("sendmmsg", ("EINTR",), (1, 5)),
    ("sendmmsg", ("EAGAIN", "ENOBUFS"), (1,)),
    ("recv", ("EINTR", "EAGAIN"), (1, 5)),
    ("send", ("EINTR", "EAGAIN"), (1, 5)),
    ("epoll_wait", ("EINTR",), (1, 5)),
    ("accept4", ("EINTR", "EAGAIN", "ECONNABORTED", "EPERM", "EPROTO", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"), (1, 2)),
    ("socket", ("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EACCES"), (1,)),
    ("connect", ("ENETUNREACH", "EHOSTUNREACH", "EPERM", "EADDRNOTAVAIL", "ECONNREFUSED", "EAGAIN", "EINTR"), (1,)),
    ("setsockopt", ("ENOPROTOOPT", "ENOMEM", "EPERM"), (1, 50)),
    ("getsockopt", ("ENOBUFS",), (1, 50)),
    ("epoll_ctl", ("ENOMEM", "ENOSPC"), (1,)),
    ("write", ("EINTR", "EAGAIN", "ENOSPC", "EPIPE", "EIO"), (1, 5)),  # the log
]


@pytest.fixture(scope="module")
def failing(shared, upstream, built, tmp_path_factory):
    """One daemon for all of them, on a machine of its own."""
    machine = Machine(tmp_path_factory.mktemp("machine"), built)
    return machine, upstream, shared.sotto(upstream, environment=machine.environment)


def asks_anew(failing, call, *how, **more):
    """The upstream has to be connected to again; then a query each way, while that call fails."""
    machine, upstream, sotto = failing
    is_answered(sotto)
    upstream.close_connections()
    assert eventually(lambda: not any(c.open for c in upstream.connections))
    with machine.failing(call, *how, **more):
        is_answered(sotto)
        is_answered(sotto, over="tcp")
    assert sotto.process.poll() is None


@pytest.mark.parametrize("call, error, times", [
    (call, error, times) for call, errors, counts in CALLS_THAT_FAIL for error in errors for times in counts
])
def test_s_53_f_46_no_query_is_lost_by_a_system_call_that_fails(call, error, times, failing):
    asks_anew(failing, call, error, times=times)


@pytest.mark.parametrize("call", ["recv", "send", "recvmmsg", "sendmmsg"])
def test_f_46_what_is_done_one_octet_or_message_at_a_time_gets_done(call, failing):
    asks_anew(failing, call, error=None, part=1, times=500)


@pytest.mark.parametrize("call, error", [
    ("socket", "EMFILE"), ("socket", "ENOBUFS"), ("bind", "EADDRINUSE"), ("bind", "EACCES"), ("listen", "EADDRINUSE"),
    ("setsockopt", "ENOPROTOOPT"), ("epoll_create1", "EMFILE"), ("epoll_ctl", "ENOMEM"), ("eventfd", "EMFILE"),
    ("timerfd_create", "EMFILE"), ("timerfd_settime", "EPERM"), ("getrandom", "EINTR"), ("read", "EINTR"),
    ("open", "EACCES"), ("open", "EMFILE"), ("fopen", "EMFILE"), ("pthread_create", "EAGAIN"),
])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_s_53_by_a_system_call_that_fails_at_start_it_serves_all_the_same_or_says_why_not(
    call, error, nth, machine, start_on, upstream
):
    machine.fail(call, error, nth=nth)
    sotto = start_on(upstream, serving=False, workers=2)
    assert eventually(lambda: sotto.log_of_start() or sotto.process.poll() is not None, 30)
    if sotto.log_of_start():
        is_answered(sotto)
        is_answered(sotto, over="tcp")
        sotto.stop()
    else:
        assert sotto.wait() in (1, 78) and (sotto.log(level="error") or "cannot" in sotto.text()), sotto.text()
        sotto.must_be_clean()
    assert machine.failed(call) or machine.calls(call) < nth


# ---- F-41: no descriptors


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("files", [64, 256])
def test_f_41_with_few_descriptors_the_oldest_give_way_and_nothing_over_udp_is_lost(files, start_sotto, start_upstream):
    limits = ("prlimit", f"--nofile={files}:{files}")
    sotto = start_sotto(
        start_upstream(), prefix=limits, limits={"connections-per-client": 1000}, timeouts={"client-idle": "1m"})
    busy = Tcp(sotto.address)
    held = []
    for _ in range(files + 50):
        held.append(Tcp(sotto.address))
        busy.ask(query(unique_name()))  # it is never the one that has been quiet longest
    assert held[0].is_closed() and held[49].is_closed()
    assert held[-1].ask(query(unique_name()))
    for _ in range(100):
        is_answered(sotto)
    sotto.signal(signal.SIGSTOP)  # it hears of all these ends and of a newcomer at once
    for client in held:
        client.close()
    with Tcp(sotto.address) as late:
        sotto.signal(signal.SIGCONT)
        assert late.ask(query(unique_name())) and busy.ask(query(unique_name()))
    busy.close()


def test_f_41_without_a_descriptor_accepting_pauses_and_does_not_spin(start_sotto, start_upstream):
    """All that the process gets of the processor in a second is seen, and a loop that spins gets nearly all of it."""
    sotto = start_sotto(start_upstream())
    is_answered(sotto)
    pid = sotto.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with Tcp(sotto.address) as old:
        old.ask(query(unique_name()))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
        with Tcp(sotto.address) as waits:
            sotto.wait_for_log(msg="cannot accept connections: clients wait")
            ticks = cpu_ticks(pid)
            time.sleep(1)
            assert cpu_ticks(pid) - ticks < os.sysconf("SC_CLK_TCK") / 2
            for _ in range(50):
                is_answered(sotto)  # over the connection to the upstream that there is
            assert old.ask(query(unique_name()))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
            assert waits.ask(query(unique_name()))


# ---- F-43, F-44: little memory, little time


def limit(sotto, left=0):
    """It has the addresses that it has, and so many octets more. What was its limit."""
    pid = sotto.process.pid
    size = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    return resource.prlimit(pid, resource.RLIMIT_AS, (size + left, resource.prlimit(pid, resource.RLIMIT_AS)[1]))


def test_f_43_at_the_limit_of_its_memory_it_lives_and_recovers(monkeypatch, start_sotto, start_upstream):
    """RLIMIT_AS stands in for the limit of a control group, which kills instead of refusing; not under AddressSanitizer,
    which needs all the addresses that there are."""
    monkeypatch.setattr(daemon, "BINARY", pathlib.Path(os.environ["RELEASE"]))
    sotto = start_sotto(start_upstream(), cache={"size": "64MiB"}, timeouts={"query": "2s"})
    is_answered(sotto)
    before = limit(sotto)
    clients = [Tcp(sotto.address) for _ in range(150)]
    for client in clients:
        client.send(*(query(unique_name(), id=n) for n in range(50)))
    for client in clients:
        while answer := client.receive():
            assert Head(answer).rcode in (messages.NOERROR, messages.SERVFAIL)
            if int.from_bytes(answer[:2], "big") == 49:
                break
        client.close()
    resource.prlimit(sotto.process.pid, resource.RLIMIT_AS, before)
    assert eventually(lambda: is_answered_again(sotto)) and sotto.process.poll() is None


@pytest.mark.parametrize("left", [0, 256, 1536])
def test_f_43_a_reload_that_would_reach_the_limit_is_not_begun(left, monkeypatch, start_sotto, start_upstream):
    """Reading takes more KiB than that; libfyaml would not live through it. A thread's own arena has addresses in store,
    from which it can be read at the limit, too: none has one."""
    monkeypatch.setattr(daemon, "BINARY", pathlib.Path(os.environ["RELEASE"]))
    sotto = start_sotto(start_upstream(), environment={"GLIBC_TUNABLES": "glibc.malloc.arena_max=1"})
    sotto.signal(signal.SIGHUP)
    sotto.wait_for_log(msg="reloaded")
    before = limit(sotto, left * 1024)
    sotto.signal(signal.SIGHUP)
    assert sotto.wait_for_log(msg="reload failed: nothing has changed")[0]["reason"] == "out of memory"
    resource.prlimit(sotto.process.pid, resource.RLIMIT_AS, before)
    assert is_answered(sotto)
    sotto.signal(signal.SIGHUP)
    sotto.wait_for_log(2, msg="reloaded")


def test_f_44_starved_of_the_processor_it_loses_nothing_and_answers_nothing_twice(start_sotto, start_upstream):
    """Stopped and let go on, in pulses: what a quota of a control group does, but to the extreme."""
    sotto = start_sotto(start_upstream(), timeouts={"query": "60s", "attempt": "30s", "upstream-silent": "60s"})
    is_answered(sotto)
    names = [unique_name() for _ in range(400)]
    with Udp(sotto.address) as udp, Tcp(sotto.address) as tcp:
        for at in range(0, 400, 20):
            sotto.signal(signal.SIGSTOP)
            for id in range(at, at + 20, 2):
                udp.send(query(names[id], id=id))
            tcp.send(*(query(names[id], id=id) for id in range(at + 1, at + 20, 2)))
            sotto.signal(signal.SIGCONT)
            time.sleep(0.005)
        answers = [parse(client.receive()) for client in (udp, tcp) for _ in range(200)]
        assert sorted(answer.id for answer in answers) == list(range(400))
        assert all(addresses(answer) == [messages.address_of(names[answer.id])] for answer in answers)
        is_answered(sotto)
        assert udp.receive(0) is None and tcp.is_open()


# ---- F-45: no room on the disk


def on_a_disk(state, *then):
    """A prefix: the state is on a disk of its own, on which this is done first."""
    script = " && ".join(('mount -t tmpfs -o size=64k none "$0"', *then, 'exec "$@"'))
    return ("unshare", "--mount", "sh", "-c", script, str(state))


LOST = "nothing will be kept over a restart: the state folder cannot be written"


def test_f_45_a_full_disk_is_said_and_no_more(mounts, state, kept, start_upstream):
    full = on_a_disk(state, '{ head -c 1000000 /dev/zero >"$0/fill" 2>/dev/null || true; }')
    sotto = kept(start_upstream(), prefix=full, cache={"save-every": "50ms"})
    is_answered(sotto)
    sotto.wait_for_log(msg="the cache cannot be saved", reason="No space left on device")
    is_answered(sotto)
    sotto.stop()


def test_f_45_a_disk_that_cannot_be_written_is_said_at_start(mounts, state, kept, start_upstream):
    sotto = kept(start_upstream(), prefix=on_a_disk(state, 'mount -o remount,ro "$0"'))
    is_answered(sotto)
    line, = sotto.wait_for_log(msg=LOST)
    assert (line["level"], line["file"], line["reason"]) == ("warn", str(state), "Read-only file system")
    sotto.stop()


def test_f_45_a_folder_that_vanishes_is_said_and_no_more(state, kept, start_upstream):
    sotto = kept(start_upstream(), cache={"save-every": "50ms"})
    is_answered(sotto)
    assert eventually((state / "cache").exists)
    shutil.rmtree(state)
    sotto.wait_for_log(msg="the cache cannot be saved", reason="No such file or directory")
    is_answered(sotto)
    sotto.stop()
    assert not sotto.log(msg=LOST)


def test_f_45_a_log_on_a_full_disk_holds_up_nothing(start, upstream):
    sotto = start.sotto(upstream, serving=False, prefix=("sh", "-c", 'exec "$@" 2>/dev/full', "sh"))
    assert eventually(lambda: is_answered_again(sotto), 30)
    is_answered(sotto, over="tcp")
    sotto.stop()


# ---- F-48: the end under load


def test_f_48_under_load_the_end_loses_no_query(start_upstream, start_sotto):
    sotto = start_sotto(start_upstream(otherwise=behaviours.after(0.2)), workers=2)
    names = [unique_name() for _ in range(200)]
    udp, tcp = [Udp(sotto.address) for _ in range(10)], [Tcp(sotto.address) for _ in range(10)]
    for id, name in enumerate(names):
        (udp + tcp)[id % 20].send(query(name, id=id))
    sotto.signal(signal.SIGTERM)
    answers = [parse(client.receive()) for client in udp + tcp for _ in range(10)]
    assert sorted(answer.id for answer in answers) == list(range(200))
    assert all(addresses(answer) == [messages.address_of(names[answer.id])] for answer in answers)
    assert all(client.is_closed() for client in tcp)
    assert sotto.wait() == 0
    for client in udp + tcp:
        client.close()


# ---- F-50: killed, and started with what is there


def test_f_50_killed_again_and_again_it_starts_with_what_is_there(state, kept, start_upstream):
    upstream = start_upstream()
    for n in range(8):
        sotto = kept(upstream, cache={"save-every": "10ms"})
        is_answered(sotto)
        for _ in range(20 * n):
            is_answered(sotto)
        assert not sotto.log(msg="the saved cache is ignored") and not sotto.log(msg="the saved date is ignored")
        sotto.kill()
    assert sotto.wait_for_log(msg="the cache of the last run is back")


def rubbish(path, kind):
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a link to itself":
        path.symlink_to(path)
    elif kind == "a device without end":
        path.symlink_to("/dev/zero")
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    else:
        path.write_bytes({"empty": b"", "random": random.Random(50).randbytes(100_000), "lines": b"\n" * 5000}[kind])


KINDS = ["empty", "random", "lines", "huge", "a folder", "a pipe", "a link to itself", "a device without end"]


@pytest.mark.parametrize("kind", KINDS)
def test_f_50_rubbish_in_the_state_is_said_and_no_more(kind, state, kept, start_upstream):
    files = [state / name for name in ("cache", "clock", "addresses", "cache.new")]
    for path in files:
        rubbish(path, kind)
    sotto = kept(start_upstream())
    is_answered(sotto)
    ignored = ["the saved cache is ignored", "the saved date is ignored"]
    ignored += [] if kind == "empty" else ["saved addresses are ignored"]
    for path, msg in zip(files, ignored):
        line, = sotto.wait_for_log(msg=msg)
        assert (line["level"], line["file"]) == ("warn", str(path)) and line["reason"]
    sotto.stop()


# ---- F-51: clocks that began long ago


def time_namespace(**ahead):
    return ("unshare", "--time", *(f"--{clock}={int(seconds)}" for clock, seconds in ahead.items()))


@pytest.fixture
def time_namespaces(namespaces):
    if subprocess.run([*time_namespace(boottime=1), "true"], capture_output=True).returncode:
        pytest.skip("time namespaces are not permitted here")


def test_f_51_a_host_that_has_been_up_for_a_century_is_served_like_any_other(time_namespaces, kept, start_upstream, name):
    upstream = start_upstream()
    for _ in range(2):
        sotto = kept(upstream, prefix=time_namespace(boottime=3_000_000_000, monotonic=3_000_000_000))
        is_answered(sotto, name)
        sotto.stop()
    assert sotto.log(msg="the cache of the last run is back", answers="1")


def test_f_51_timers_fire_beyond_2_to_the_32_milliseconds(time_namespaces, start_upstream, start_sotto):
    """And beyond 2^31, of milliseconds and of seconds."""
    for seconds in (2**32 / 1000, 2**31 / 1000, 2**31)[: 3 if FULL else 1]:
        ahead = seconds - time.monotonic() - 1
        upstream = start_upstream()
        sotto = start_sotto(
            upstream, prefix=time_namespace(monotonic=ahead), timeouts={"client-idle": "1500ms", "query": "1s"}
        )
        is_answered(sotto)
        with Tcp(sotto.address) as client:
            assert client.ask(query(unique_name()))
            assert client.is_closed()  # by a timer that was set before and fires behind it
        is_answered(sotto)
        upstream.otherwise = behaviours.silence
        assert Head(ask_wire(sotto.address, query(unique_name()))).rcode == messages.SERVFAIL
        sotto.stop()
