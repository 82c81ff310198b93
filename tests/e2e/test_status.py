"""`sotto status`: what the running proxy knows of itself and its upstreams, over the control socket, and that nobody
who asks there can do any harm. The keys are those of docs/control.md."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from bench import behaviours, clients, control, daemon, eventually, messages
from bench.clients import Udp, ask, addresses
from bench.control import Asker, answer_to
from bench.messages import unique_name
from bench.wallclock import DAY_S, WallClock

PLACES = 16
PATIENCE_S = 5


@pytest.fixture
def path(control_path):
    return control_path


def status_text(sotto, *arguments, check=True):
    done = subprocess.run(
        [daemon.BINARY, "status", "-c", sotto.file, *arguments], capture_output=True, text=True, timeout=30
    )
    assert not check or (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def status(sotto):
    return json.loads(status_text(sotto, "--json"))


def upstream_of(sotto, index=0):
    return status(sotto)["upstreams"][index]


def is_answered(sotto, over="udp"):
    name = unique_name()
    assert addresses(ask(sotto.address, name, over=over)) == [messages.address_of(name)]
    return True


# ---- what it tells


def test_the_process_is_told(run_sotto, start_upstream):
    before = int(time.time())
    sotto = run_sotto(start_upstream(), workers=2)
    is_answered(sotto)
    is_answered(sotto, "tcp")
    seen = status(sotto)
    assert (seen["pid"], seen["workers"]) == (sotto.process.pid, 2)
    assert seen["version"] in sotto.log_of_start()["msg"]
    assert before <= seen["start_time_seconds"] <= seen["time_seconds"] <= time.time()
    assert seen["config"] == str(sotto.file)
    assert seen["listen"] == sotto.config["listen"]
    assert seen["dns_requests_total"] == {"udp": 1, "tcp": 1, "tls": 0}
    assert seen["dns_responses_total"] == {"upstream": 2, "error": 0}


def test_a_clock_that_is_set_makes_it_neither_older_nor_younger(run_sotto, start_upstream, tmp_path):
    clock = WallClock(tmp_path)
    sotto = run_sotto(start_upstream(), environment=clock.environment)
    for days in (3000, -3000):
        clock.set(days=days)
        seen = status(sotto)
        assert abs(seen["time_seconds"] - time.time() - days * DAY_S) < 60
        assert 0 <= seen["time_seconds"] - seen["start_time_seconds"] < 60
        assert re.search(r", for \d+ s, since ", status_text(sotto))


def test_answers_of_its_own_are_told_apart(run_sotto):
    sotto = run_sotto(f"tls://127.0.0.1:{daemon.free_port()}#upstream.test")
    ask(sotto.address, unique_name())
    seen = status(sotto)
    assert seen["dns_responses_total"] == {"upstream": 0, "error": 1}
    assert seen["dns_servfails_total"] == 1


def test_an_upstream_that_nobody_needed_is_untried_and_counts_nothing(run_sotto, start_upstream):
    seen = upstream_of(run_sotto(start_upstream()))
    assert (seen["state"], seen["upstream_up"]) == ("untried", 1)
    assert seen["encrypted"] and seen["verified"] is None and seen["last_error"] is None
    for key in ("address", "tls_version", "tls_cipher", "tls_group", "tls_resumed", "upstream_cert_not_after_seconds"):
        assert seen[key] is None, key
    assert not any(value for key, value in seen.items() if key.endswith("_total") and isinstance(value, int))
    assert set(seen["upstream_request_duration_seconds"].values()) == {None}


def test_what_was_agreed_on_and_proved_is_told(run_sotto, start_upstream, authority):
    upstream = start_upstream(authority.issue(end=42.5))
    sotto = run_sotto(upstream)
    is_answered(sotto)
    seen = upstream_of(sotto)
    assert seen["upstream"] == upstream.address() and seen["address"] == f"127.0.0.1:{upstream.port}"
    assert (seen["encrypted"], seen["verified"]) == (True, True)
    assert (seen["authentication"], seen["auth_name"]) == ("name", "upstream.test")
    line, = sotto.log(msg="upstream connected")
    assert (seen["tls_version"], seen["tls_cipher"]) == (line["tls"], line["cipher"])
    assert (seen["tls_group"], seen["tls_resumed"]) == (line["group"], False)
    assert 42 <= (seen["upstream_cert_not_after_seconds"] - time.time()) / 86400 <= 43
    text = status_text(sotto)
    assert "  encrypted, verified: name upstream.test; certificate ends in 42 days\n" in text
    assert f"  {line['tls']}, {line['cipher']}, {line['group']}, full handshake\n" in text


def test_a_certificate_that_ends_soon_is_told_loudly(run_sotto, start_upstream, authority):
    sotto = run_sotto(start_upstream(authority.issue(end=3.5)))
    is_answered(sotto)
    assert "ITS CERTIFICATE ENDS IN 3 days" in status_text(sotto)


@pytest.mark.parametrize("way", ["address", "pin", "name and pin"])
def test_each_way_of_proof_is_told(way, run_sotto, start_upstream, authority):
    certificate = authority.issue(addresses=["127.0.0.1"])
    upstream = start_upstream(certificate)
    sotto = run_sotto(
        upstream.address("upstream.test" if "name" in way else None, pins=[certificate.pin] if "pin" in way else [])
    )
    is_answered(sotto)
    seen = upstream_of(sotto)
    assert (seen["authentication"], seen["verified"]) == (way, True)


def test_a_session_that_was_resumed_is_told(run_sotto, start_upstream):
    upstream = start_upstream()
    sotto = run_sotto(upstream)
    is_answered(sotto)
    upstream.close_connections()
    assert eventually(lambda: upstream_of(sotto)["upstream_connections"] == 0)
    is_answered(sotto)
    seen = upstream_of(sotto)
    assert seen["tls_resumed"] is True and seen["upstream_connections_resumed_total"] == 1
    assert (seen["upstream_connections_opened_total"], seen["upstream_connections"]) == (2, 1)
    assert ", resumed\n" in status_text(sotto)


def test_queries_and_replies_are_counted(run_sotto, start_upstream):
    upstream = start_upstream()
    sotto = run_sotto(upstream)
    for _ in range(5):
        is_answered(sotto)
    bad = unique_name()
    upstream.when(bad, behaviours.rcode(messages.SERVFAIL))
    ask(sotto.address, bad)
    seen = upstream_of(sotto)
    asked = len(upstream.queries)
    assert seen["upstream_requests_total"] == seen["upstream_responses_total"] == asked
    assert seen["upstream_servfails_total"] == len(upstream.asked(bad))
    durations = seen["upstream_request_duration_seconds"]
    assert 0 < durations["0.5"] <= durations["0.95"] <= durations["0.99"] < 5
    assert f"{asked} asked, {asked} answered, {len(upstream.asked(bad))} SERVFAIL" in status_text(sotto)


def test_what_is_in_flight_is_told(run_sotto, start_upstream):
    gate = behaviours.Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = run_sotto(upstream, timeouts={"query": "60s", "attempt": "30s", "upstream-silent": "30s"})
    with Udp(sotto.address) as client:
        for _ in range(3):
            client.send(messages.query(unique_name()))
        assert eventually(lambda: len(gate.names()) == 3)
        assert upstream_of(sotto)["upstream_inflight_queries"] == 3
        gate.open(upstream)
        for _ in range(3):
            assert client.receive()
    assert upstream_of(sotto)["upstream_inflight_queries"] == 0


def test_a_server_goes_down_and_comes_back(run_sotto, start_upstream):
    upstream = start_upstream()
    sotto = run_sotto(upstream)
    is_answered(sotto)
    assert upstream_of(sotto)["state"] == "answers"
    port = upstream.port
    upstream.stop()

    def fails():
        ask(sotto.address, unique_name())
        return upstream_of(sotto)["state"] in ("late", "down")

    assert eventually(fails)

    def is_down():
        ask(sotto.address, unique_name())
        seen = upstream_of(sotto)
        return seen["state"] == "down" and seen["upstream_up"] == 0

    assert eventually(is_down, 20)
    assert re.search(r"DOWN for \d+ s$", status_text(sotto), re.MULTILINE)
    again = socket.socket()
    again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    again.bind(("127.0.0.1", port))
    start_upstream(listener=again)

    def is_back():
        ask(sotto.address, unique_name())
        return upstream_of(sotto)["state"] == "answers"

    assert eventually(is_back, 40)
    seen = upstream_of(sotto)
    assert seen["upstream_up"] == 1 and seen["upstream_errors_total"]["connect"] > 0


def test_a_refused_connection_is_an_error_of_connect(run_sotto):
    sotto = run_sotto(f"tls://127.0.0.1:{daemon.free_port()}#upstream.test")
    ask(sotto.address, unique_name())
    seen = upstream_of(sotto)
    errors = seen["upstream_errors_total"]
    assert errors.pop("connect") > 0 and not any(errors.values())
    assert (seen["last_error"]["phase"], seen["last_error"]["cause"]) == ("connect", "refused")
    assert 0 <= seen["last_error"]["age_seconds"] < 30
    assert "(connect): the server refused the connection" in status_text(sotto)


def test_a_server_that_is_another_is_an_error_of_verify_and_never_verified(run_sotto, start_upstream, authority):
    sotto = run_sotto(start_upstream(authority.issue(names=["other.test"])))
    ask(sotto.address, unique_name())
    seen = upstream_of(sotto)
    errors = seen["upstream_errors_total"]
    assert errors.pop("verify") > 0 and not any(errors.values())
    assert seen["last_error"]["phase"] == "verify" and "other.test" in seen["last_error"]["reason"]
    assert seen["verified"] is None and seen["upstream_responses_total"] == 0
    assert "it must prove: name upstream.test" in status_text(sotto)


def test_two_workers_are_added_up(run_sotto, start_upstream):
    upstream = start_upstream()
    sotto = run_sotto(upstream, workers=2)

    def both_have_connected():
        is_answered(sotto)
        return len(upstream.connections) == 2

    assert eventually(both_have_connected)
    seen = status(sotto)
    asked = len(upstream.queries)
    assert seen["dns_requests_total"]["udp"] == asked
    assert seen["upstreams"][0]["upstream_requests_total"] == asked
    assert seen["upstreams"][0]["upstream_connections"] == 2
    assert seen["upstreams"][0]["upstream_connections_opened_total"] == 2


def test_twelve_upstreams_fit_into_eighty_columns(run_sotto, start_upstream):
    upstream = start_upstream()
    others = [f"tls://127.0.0.{n}:{daemon.free_port()}#upstream.test" for n in range(2, 13)]
    sotto = run_sotto(*others[:5], upstream, *others[5:])
    is_answered(sotto)
    text = status_text(sotto)
    assert max(map(len, text.splitlines())) <= 80
    assert len(status(sotto)["upstreams"]) == 12
    assert re.search(r"^upstreams +12: ", text, re.MULTILINE)
    for uri in (*others, upstream.address()):
        assert re.search(rf"^{re.escape(uri)} ", text, re.MULTILINE)


def test_every_key_is_in_the_documentation_and_the_other_way_round(run_sotto, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.1 a.test\n")
    sotto = run_sotto(f"tls://127.0.0.1:{daemon.free_port()}#upstream.test", **{"hosts-files": [str(hosts)]})
    ask(sotto.address, unique_name())
    hosts.write_text("no address\n")
    sotto.wait_for_log(msg="a file of rules has changed, and what was before is kept")
    right = sotto.file.read_text()
    sotto.file.write_text("no-such-key: 1\n")
    answer_to(sotto.config["control"], b"reload\n")
    sotto.file.write_text(right)

    assert sorted(set(control.keys(status(sotto)))) == sorted(control.documented("The status"))


# ---- the socket


def processor_seconds(sotto):
    with open(f"/proc/{sotto.process.pid}/stat") as stat_of_process:
        fields = stat_of_process.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_the_socket_is_for_its_user_and_group(run_sotto, start_upstream, path):
    run_sotto(start_upstream())
    mode = os.stat(path).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660


def test_a_shell_can_ask(run_sotto, start_upstream, path):
    sotto = run_sotto(start_upstream())
    for octets, end in ((b"status\n", False), (b"status\r\n", False), (b"status", True), (b"status\nand more\n", False)):
        answer = answer_to(path, octets, end)
        assert answer.endswith(b"\n") and answer.count(b"\n") == 1
        assert json.loads(answer)["pid"] == sotto.process.pid


@pytest.mark.parametrize("octets", [
    b"a" * 3000, b"\n", b"statu\n", b"STATUS\n", b"status\0\n", b"\0\n", b"\xff\xfe\n", b"a" * 2047 + b"\n", b"a" * 2048,
    b"a" * 200000, b"GET / HTTP/1.1\r\nHost: sotto\r\n\r\n",
], ids=lambda octets: f"{octets[:6]}x{len(octets)}")
def test_garbage_is_answered_with_an_error(octets, run_sotto, start_upstream, path):
    sotto = run_sotto(start_upstream())
    with Asker(path) as asker:
        try:
            asker.send(octets)
        except BrokenPipeError:
            pass  # it has answered, and hung up on the rest
        answer = asker.socket.recv(4096)
        if len(octets) < 65536:
            answer += asker.rest()  # an orderly end
    answer = json.loads(answer)
    assert answer["error"] in ("unknown command", "the line is too long")
    assert ("too long" in answer["error"]) == (len(octets) >= 2048 and b"\n" not in octets[:2048])
    assert "status" in answer["commands"]
    assert status(sotto)["pid"] == sotto.process.pid


@pytest.mark.parametrize("line, error", [
    (b"status now", "status takes no words"), (b"status a b c d e f g h i", "too many words"),
])
def test_words_that_mean_nothing_are_refused(line, error, run_sotto, start_upstream, path):
    run_sotto(start_upstream())
    assert json.loads(answer_to(path, line + b"\n")) == {"error": error}


def test_who_is_silent_is_cut_off_and_who_drips_too(run_sotto, start_upstream, path):
    run_sotto(start_upstream())
    begin = time.monotonic()
    with Asker(path) as silent, Asker(path) as dripping:
        for octet in b"stat":
            dripping.send(bytes([octet]))
            time.sleep(1)
        assert silent.rest() == dripping.rest() == b""
    assert PATIENCE_S - 1 < time.monotonic() - begin < PATIENCE_S + 3


def test_sixteen_who_do_nothing_keep_no_query_waiting_and_no_other_for_long(run_sotto, start_upstream, path):
    sotto = run_sotto(start_upstream())
    askers = [Asker(path) for _ in range(PLACES)]
    begin = time.monotonic()
    assert is_answered(sotto)
    assert time.monotonic() - begin < 2
    busy = processor_seconds(sotto)
    with Asker(path) as late:
        late.send(b"status\n")
        assert json.loads(late.rest())["pid"] == sotto.process.pid
        assert PATIENCE_S - 1 < time.monotonic() - begin < PATIENCE_S + 3
    assert processor_seconds(sotto) - busy < 1
    assert all(asker.rest() == b"" for asker in askers)


# An answer for so many upstreams does not fit into what the kernel keeps for a client.
MANY = [f"tls://127.0.1.{n}:{n}#{('long-' * 11 + 'name.') * 3}{n}.test" for n in range(1, 32)]


def test_who_does_not_read_keeps_no_query_waiting_and_no_other_for_long(run_sotto, start_upstream, path):
    sotto = run_sotto(start_upstream(), *MANY)
    whole = len(status_text(sotto, "--json"))
    askers = [Asker(path) for _ in range(PLACES)]
    begin = time.monotonic()
    for asker in askers:
        asker.send(b"status\n")
    assert is_answered(sotto)
    assert time.monotonic() - begin < 2
    with Asker(path) as late:
        late.send(b"status\n")
        assert json.loads(late.rest())["pid"] == sotto.process.pid
    assert PATIENCE_S - 1 < time.monotonic() - begin < PATIENCE_S + 3
    assert eventually(lambda: all(asker.was_cut_off() for asker in askers))
    got = [len(asker.rest()) for asker in askers]
    assert 0 < min(got) and max(got) < whole, (got, whole)


def test_who_reads_slowly_gets_all_of_it(run_sotto, start_upstream, path):
    sotto = run_sotto(start_upstream(), *MANY)
    whole, octets, times = len(status_text(sotto, "--json")), b"", 0
    with Asker(path) as asker:
        asker.send(b"status\n")
        while not octets.endswith(b"\n"):
            time.sleep(2)  # and then a quarter of it, or what is there
            times += 1
            more = asker.socket.recv(whole // 4)
            assert more, f"the connection was closed after {len(octets)} octets of {whole}"
            octets += more
    assert times * 2 > PATIENCE_S
    assert json.loads(octets)["pid"] == sotto.process.pid
    assert octets.endswith(b"}\n")


def test_who_goes_away_at_any_moment_does_no_harm(run_sotto, start_upstream, path):
    sotto = run_sotto(start_upstream(), workers=2)
    for octets in (b"", b"sta", b"status\n", b"status\n" * 100, b"x" * 5000):
        for _ in range(20):
            with Asker(path) as asker:
                try:
                    asker.send(octets)
                except BrokenPipeError:
                    pass
    assert status(sotto)["pid"] == sotto.process.pid
    assert is_answered(sotto)


def test_many_ask_at_once_and_all_are_answered(run_sotto, start_upstream, path):
    sotto = run_sotto(start_upstream(), workers=2)
    askers = [Asker(path) for _ in range(PLACES)]
    for asker in askers:
        asker.send(b"status\n")
    for asker in askers:
        assert json.loads(asker.rest())["pid"] == sotto.process.pid


# ---- its life


def test_the_socket_goes_with_the_daemon(run_sotto, start_upstream, path):
    sotto = run_sotto(start_upstream())
    assert os.path.exists(path)
    sotto.stop()
    assert not os.path.exists(path)


def test_draining_cuts_off_who_asks(run_sotto, start_upstream, path):
    sotto = run_sotto(start_upstream(), workers=2)
    with Asker(path) as idle, Asker(path) as asking:
        asking.send(b"status\n")
        assert json.loads(asking.rest())
        begin = time.monotonic()
        sotto.stop()
        assert time.monotonic() - begin < PATIENCE_S - 1
        assert idle.rest() == b""


def test_who_asks_at_the_last_moment_is_cut_off_cleanly(run_sotto, start_upstream, path):
    """Answers are on their way through the workers when these begin to end: nothing may be left, or used again."""
    sotto = run_sotto(start_upstream(), workers=4)
    told_to_end = threading.Event()

    def ask_again_and_again():
        while not told_to_end.is_set() or os.path.exists(path):
            with contextlib.suppress(OSError):
                with Asker(path) as asker:
                    asker.send(b"status\n")
                    asker.rest()

    asking = [threading.Thread(target=ask_again_and_again) for _ in range(6)]
    for thread in asking:
        thread.start()
    time.sleep(0.3)
    told_to_end.set()
    sotto.stop()
    for thread in asking:
        thread.join()


def test_what_a_killed_daemon_left_is_replaced(run_sotto, start_upstream, path):
    killed = run_sotto(start_upstream())
    killed.signal(signal.SIGKILL)
    killed.process.wait()
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    sotto = run_sotto(start_upstream())
    assert status(sotto)["pid"] == sotto.process.pid
    sotto.stop()
    assert not os.path.exists(path)


def test_a_socket_that_is_answered_is_left_alone(run_sotto, start, start_upstream, path):
    first = run_sotto(start_upstream())
    second = start.sotto("tls://127.0.0.1:1#upstream.test", serving=False, control=path)
    assert second.wait() == 1
    line, = second.log(msg="no control socket")
    assert (line["path"], line["level"]) == (path, "error") and "another sotto" in line["reason"]
    assert status(first)["pid"] == first.process.pid


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_left_alone(kind, start, path):
    if kind == "file":
        pathlib.Path(path).write_text("precious")
    elif kind == "folder":
        os.mkdir(path)
    else:
        os.symlink("/nowhere", path)
    before = os.lstat(path)
    sotto = start.sotto("tls://127.0.0.1:1#upstream.test", serving=False, control=path)
    assert sotto.wait() == 1
    assert os.lstat(path) == before


def test_a_socket_of_a_later_daemon_is_not_removed(run_sotto, start_upstream, path):
    first = run_sotto(start_upstream())
    os.unlink(path)
    second = run_sotto(start_upstream())
    first.stop()
    assert status(second)["pid"] == second.process.pid


def test_no_folder_for_the_socket_that_was_asked_for_is_an_error(start, path):
    sotto = start.sotto("tls://127.0.0.1:1#upstream.test", serving=False, control=path + "/none/control.sock")
    assert sotto.wait() == 1
    assert sotto.log(msg="no control socket")[0]["hint"]


def test_auto_is_the_runtime_directory_and_needs_none(start, start_upstream, path):
    folder = os.path.dirname(path)
    environment = {"RUNTIME_DIRECTORY": folder}
    first = start.sotto(start_upstream(), control="auto", environment=environment)
    seen = subprocess.run(
        [daemon.BINARY, "status", "--json"], capture_output=True, text=True, env=environment, timeout=30
    )
    assert json.loads(seen.stdout)["pid"] == first.process.pid
    second = start.sotto(start_upstream(), control="auto", environment=environment)
    line, = second.log(msg="no control socket")
    assert line["level"] == "warn"
    assert is_answered(second)


def test_none_opens_no_socket(start, start_upstream, path):
    start.sotto(start_upstream(), control="none", environment={"RUNTIME_DIRECTORY": os.path.dirname(path)})
    assert not os.path.exists(path)


# ---- from the command line


def run(*arguments, **environment):
    return subprocess.run(
        [daemon.BINARY, *arguments], env=environment, capture_output=True, text=True, timeout=30
    )


def test_without_a_daemon_it_says_where_it_looked_and_how_to_start_one(path):
    done = run("status", "--set", f"control={path}")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{path}: there is no such socket" in done.stderr and "sotto run" in done.stderr
    done = run("status", "--json", RUNTIME_DIRECTORY="/nowhere", XDG_RUNTIME_DIR="/never")
    assert (done.returncode, done.stdout) == (1, "")
    for place in ("/nowhere/control.sock", "/run/sotto/control.sock", "/never/sotto.sock"):
        assert place in done.stderr
    assert done.stderr.count("its folder is not there") >= 2  # a sotto that runs all the same has no socket
    assert "control: none" in run("status", "--set", "control=none").stderr


def test_a_socket_that_was_left_behind_is_told_from_none(run_sotto, start_upstream, path):
    killed = run_sotto(start_upstream())
    killed.signal(signal.SIGKILL)
    killed.process.wait()
    done = run("status", "-c", killed.file)
    assert done.returncode == 1 and "nobody listens there any more" in done.stderr


def test_who_holds_the_socket_and_does_not_answer_is_told_from_nobody(run_sotto, start_upstream, path):
    """One that is stopped; and one at whose socket no further place is to be had."""
    full = f"{path}-full"
    sotto = run_sotto(start_upstream())
    with socket.socket(socket.AF_UNIX) as holder, socket.socket(socket.AF_UNIX) as queued:
        holder.bind(full)
        holder.listen(0)
        queued.connect(full)
        sotto.signal(signal.SIGSTOP)
        asking = [
            subprocess.Popen([daemon.BINARY, "status", "--set", f"control={at}"], stderr=subprocess.PIPE, text=True)
            for at in (path, full)
        ]
        told = [process.communicate(timeout=30)[1] for process in asking]
        sotto.signal(signal.SIGCONT)
    for at, process, text in zip((path, full), asking, told):
        assert process.returncode == 1
        assert f"  {at}: a process holds it and does not answer" in text and "sotto run" not in text


@pytest.mark.parametrize("said, words", [
    (b"hello\n", "no sotto"), (b"[1]\n", "no sotto"), (b"", "hung up"), (b'{"error": "not now"}\n', "answers: not now"),
])
def test_what_is_no_status_is_told(said, words, path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()
        asking = subprocess.Popen(
            [daemon.BINARY, "status", "--set", f"control={path}"], stderr=subprocess.PIPE, text=True
        )
        connection, _ = other.accept()
        connection.recv(100)
        connection.sendall(said)
        connection.close()
        assert words in asking.communicate(timeout=30)[1]
        assert asking.returncode == 1


def test_wrong_use_and_wrong_configuration_are_told_as_usual(path):
    assert run("status", "now").returncode == 64
    assert run("--json").returncode == 64
    assert run("check", "--json").returncode == 64
    assert run("status", "--set", "control=relative").returncode == 78
    assert run("status", "--set", "control=/" + 107 * "a").returncode == 78
    assert run("check", "--set", "control=/" + 106 * "a").returncode == 0


def test_what_cannot_be_written_is_an_error(run_sotto, start_upstream):
    sotto = run_sotto(start_upstream())
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [daemon.BINARY, "status", "-c", sotto.file], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30
        )
    assert done.returncode == 1 and "standard output" in done.stderr
