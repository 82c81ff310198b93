"""How it starts, ends, and is used from the command line."""

import signal
import socket
import subprocess

import pytest

from bench import behaviours, clients, daemon, eventually, messages
from bench.clients import Tcp, Udp, ask, addresses


def run(*arguments, **how):
    return subprocess.run([daemon.BINARY, *arguments], capture_output=True, text=True, timeout=30, **how)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_in_flight_is_answered_before_the_end(number, start_upstream, start_sotto, name):
    gate = behaviours.Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(upstream)
    with Udp(sotto.address) as udp, Tcp(sotto.address) as tcp:
        udp.send(messages.query(name))
        tcp.send(messages.query("tcp." + name))
        assert eventually(lambda: len(gate.names()) == 2)
        sotto.signal(number)
        sotto.wait_for_log(msg="stopping: answering what is in flight")
        gate.open(upstream)
        assert addresses(clients.parse(udp.receive())) == [messages.address_of(name)]
        assert addresses(clients.parse(tcp.receive())) == [messages.address_of("tcp." + name)]
        assert tcp.is_closed()
    assert sotto.wait() == 0


def test_a_second_query_is_not_taken_while_it_stops(start_upstream, start_sotto, name):
    gate = behaviours.Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(upstream)
    with Udp(sotto.address) as udp:
        udp.send(messages.query(name))
        assert eventually(lambda: gate.held)
        sotto.signal(signal.SIGTERM)
        sotto.wait_for_log(msg="stopping: answering what is in flight")
        udp.send(messages.query("late." + name))
        gate.open(upstream)
        udp.receive()
    assert sotto.wait() == 0
    assert not upstream.asked("late." + name)


def test_the_end_is_said_to_upstreams_with_close_notify(start_upstream, start_sotto, name):
    upstream = start_upstream()
    sotto = start_sotto(upstream)
    ask(sotto.address, name)
    sotto.stop()
    assert eventually(lambda: not upstream.connections[0].open)
    assert upstream.connections[0].heard_close_notify and not upstream.connections[0].was_reset


@pytest.mark.parametrize("kind, proto", [(socket.SOCK_DGRAM, "udp"), (socket.SOCK_STREAM, "tcp")])
def test_a_port_that_is_taken_is_said_with_its_holder(kind, proto, start):
    port = daemon.free_port()
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        for workers in (1, 2):
            sotto = start.sotto(
                "tls://127.0.0.1:1#upstream.test", serving=False, listen=[f"127.0.0.1:{port}"], workers=workers
            )
            assert sotto.wait() == 1
            line, = sotto.log(msg="cannot listen")
            assert (line["addr"], line["proto"]) == (f"127.0.0.1:{port}", proto)
            assert f"pid {daemon.os.getpid()} (" in line["holder"]
            assert "--listen" in line["hint"]


def test_it_starts_and_answers_although_no_upstream_can_be_reached(start, name, over):
    sotto = start.sotto(f"tls://127.0.0.1:{daemon.free_port()}#upstream.test")
    answer = ask(sotto.address, name, over=over, edns=messages.opt())
    assert clients.rcode_name(answer) == "SERVFAIL"
    assert clients.extended_errors(answer)


def test_two_workers_serve_and_end(start_upstream, start_sotto, name, over):
    sotto = start_sotto(start_upstream(), workers=2)
    for i in range(20):  # a new source port each, so that both get some
        asked = f"{i}.{name}"
        assert addresses(ask(sotto.address, asked, over=over)) == [messages.address_of(asked)]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_health_check_finds_a_running_one_and_needs_no_upstream(host, start):
    sotto = start.sotto(f"tls://127.0.0.1:{daemon.free_port()}#upstream.test", listen=[f"{host}:{daemon.free_port()}"])
    assert run("healthcheck", "--config", sotto.file).returncode == 0
    sotto.stop()
    after = run("healthcheck", "--config", sotto.file)
    assert after.returncode == 1 and str(sotto.port) in after.stderr


def test_a_configuration_that_is_not_there_is_an_error_and_no_reason_for_another(tmp_path):
    done = run("run", "--config", tmp_path / "none.yaml")
    assert done.returncode == 78
    assert str(tmp_path / "none.yaml") in done.stderr


@pytest.mark.parametrize("arguments", [["--lisen", "x"], ["chekc"], ["--listen"], ["run", "too", "much"], ["--set", "x"]])
def test_wrong_use_is_told_with_status_64(arguments):
    done = run(*arguments)
    assert done.returncode == 64 and "sotto help" in done.stderr


def test_the_version_names_what_it_is_built_with():
    done = run("--version")
    assert done.returncode == 0
    for word in ("sotto", "OpenSSL", "libuv", "libfyaml"):
        assert word in done.stdout


def test_the_help_fits_on_a_screen():
    done = run("--help")
    assert done.returncode == 0 and len(done.stdout.splitlines()) <= 30
