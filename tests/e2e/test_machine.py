"""Faults of the machine (failures.md F-42 ff., S-53): memory and system calls that fail, one by one (bench/machine.py),
descriptors that run out, disks that are full, files of the state that are rubbish.

The sweeps go through a sample here; with SWEEP=full, as `./test full` has it, through all."""

import itertools
import json
import os
import pathlib
import select
import socket

import pytest

from bench import eventually, messages, shim
from bench.claims import is_answered
from bench.clients import Head, Tcp, Udp, addresses, parse
from bench.machine import Machine
from bench.messages import query, unique_name

FULL = os.environ.get("SWEEP") == "full"
SWEPT = 5000  # allocations, from the first instruction on
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


@pytest.mark.parametrize("part", range(8 if FULL else 1))
def test_f_42_with_any_allocation_refused_at_start_it_serves_or_says_why_not(part, machine, start, start_on, start_upstream):
    upstream, ends = start_upstream(), []
    for n in list(sample(SWEPT + 1, 30, 199))[part :: 8 if FULL else 1]:
        machine.fail("memory", nth=n)
        sotto = start_on(upstream, serving=False, environment=while_it_starts(machine))
        try:
            ends.append(serves_or_says_why_not(sotto))
        except AssertionError as fault:
            raise AssertionError(f"allocation {n}: {fault}") from fault
        assert machine.failed("memory") == 1
        start.forget(sotto)
    assert ends.count("says") > len(ends) // 4 and ends.count("serves")
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
                return select.select([client.socket], [], [], 0)[0] or self.machine.failed("memory")

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
    assert ends.pop() == "answer" and len(ends) >= 5, ends
    assert set(ends) - {"answer"}, "nothing was refused that mattered"
    sotto.stop()  # nothing is left behind


def test_f_42_with_any_allocation_refused_at_the_first_handshake_the_next_one_is_made(
    machine, start, start_on, start_upstream
):
    """OpenSSL makes ready then what it needs, thousands of pieces of it."""
    upstream, refused = start_upstream(), 0
    for n in sample(5000, 2, 397):
        sotto = start_on(upstream, environment=while_it_starts(machine), timeouts={"query": "2s"})
        machine.fail("memory", nth=n)
        Serving(machine, sotto, upstream, None).udp()
        refused += machine.failed("memory")
        assert is_answered(sotto), f"after allocation {n}"
        sotto.stop()
        start.forget(sotto)
    assert refused > 5


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


def is_answered_again(sotto):
    try:
        return is_answered(sotto)
    except AssertionError:
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
        assert sotto.wait() in (1, 78) and (sotto.log(level="error") or "cannot be read" in sotto.text()), sotto.text()
        sotto.must_be_clean()
    assert machine.failed(call) or machine.calls(call) < nth
