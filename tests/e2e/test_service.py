"""What a service manager hears (sd_notify(3)), and what it does not when something hangs."""

import os
import signal
import socket
import time

import pytest

from bench import behaviours, daemon, eventually, manager, messages
from bench.clients import Udp, ask

WATCHDOG_S = 0.4


@pytest.fixture
def ear(tmp_path):
    return manager.Ear(str(tmp_path / "notify"))


def told_to(ear, **more):
    return {"NOTIFY_SOCKET": ear.path, **more}


def test_it_is_ready_when_it_serves(ear, start_upstream, start, name, over):
    sotto = start.sotto(start_upstream(), serving=False, environment=told_to(ear))
    ear.wait_for(READY="1")
    ask(sotto.address, name, over=over)
    assert ear.told == [{"READY": "1", "STATUS": "serving, with 1 worker; `sotto status` tells more"}]


def test_a_name_without_a_file_is_heard_too(start_upstream, start_sotto):
    ear = manager.Ear(f"@sotto-test-{os.getpid()}")
    start_sotto(start_upstream(), environment=told_to(ear))
    ear.wait_for(READY="1")


def test_it_is_not_ready_when_it_cannot_listen(ear, start):
    with manager.bound("127.0.0.1", 0, socket.SOCK_STREAM) as taken:
        sotto = start.sotto(
            "tls://127.0.0.1:1#upstream.test", serving=False, environment=told_to(ear),
            listen=[f"127.0.0.1:{taken.getsockname()[1]}"],
        )
        assert sotto.wait() == 1
    assert not ear.told


def test_it_says_that_it_stops_while_it_still_answers(ear, start_upstream, start_sotto, name):
    gate = behaviours.Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(upstream, environment=told_to(ear))
    with Udp(sotto.address) as udp:
        udp.send(messages.query(name))
        assert eventually(lambda: gate.held)
        sotto.signal(signal.SIGTERM)
        ear.wait_for(STOPPING="1")
        gate.open(upstream)
        assert udp.receive()
    assert sotto.wait() == 0
    assert [list(message)[0] for message in ear.told] == ["READY", "STOPPING"]


def test_it_says_when_it_reloads_and_not_any_more_when_it_stops(ear, start_upstream, start_sotto, name):
    gate = behaviours.Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(upstream, environment=told_to(ear))
    sotto.signal(signal.SIGHUP)
    ear.wait_for(2, READY="1")
    with Udp(sotto.address) as udp:
        udp.send(messages.query(name))
        assert eventually(lambda: gate.held)
        sotto.signal(signal.SIGTERM)
        sotto.signal(signal.SIGHUP)
        sotto.wait_for_log(msg="stopping: answering what is in flight")
        gate.open(upstream)
        assert udp.receive()
    assert sotto.wait() == 0
    told = [list(message)[0] for message in ear.told]
    assert told[:3] == ["READY", "RELOADING", "READY"] and told[-1] == "STOPPING"


@pytest.mark.parametrize("path", ["vsock:2:1234", "/nowhere/at/all", "x" * 200])
def test_a_manager_that_cannot_be_told_is_no_reason_not_to_serve(path, start_upstream, start_sotto, name):
    sotto = start_sotto(start_upstream(), environment={"NOTIFY_SOCKET": path})
    ask(sotto.address, name)
    assert len(sotto.log(msg="cannot tell the service manager")) == 1


@pytest.mark.parametrize("workers, number", [(1, 0), (3, 0), (3, 1), (3, 2)])
def test_the_watchdog_hears_of_sotto_until_one_worker_hangs(workers, number, ear, start_upstream, start_sotto):
    sotto = start_sotto(
        start_upstream(), workers=workers,
        environment=told_to(ear, WATCHDOG_USEC=str(int(WATCHDOG_S * 1e6))),
    )
    ear.wait_for(WATCHDOG="1", count=3)
    threads = manager.threads_of(sotto.process)
    assert len(threads) >= workers  # the workers', and behind them those that help
    with manager.Held(threads[number]):
        time.sleep(WATCHDOG_S / 2)  # for what was said before
        heard = ear.count(WATCHDOG="1")
        time.sleep(5 * WATCHDOG_S)
        assert ear.count(WATCHDOG="1") == heard
    ear.wait_for(WATCHDOG="1", count=heard + 2)


@pytest.mark.parametrize("of", [{"WATCHDOG_PID": "1", "WATCHDOG_USEC": "100000"}, {}, {"WATCHDOG_USEC": "0"}])
def test_a_watchdog_of_somebody_else_hears_nothing(of, ear, start_upstream, start_sotto):
    start_sotto(start_upstream(), environment=told_to(ear, **of))
    ear.wait_for(READY="1")
    time.sleep(WATCHDOG_S)
    assert not ear.count(WATCHDOG="1")
