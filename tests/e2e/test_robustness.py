"""What surrounds it may be broken: descriptors that are closed, a log that nobody reads, a signal at any moment, a port
that is taken, a disk that is full. And a command line as people type it."""

import fcntl
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from bench import behaviours, daemon, eventually, messages
from bench.clients import Tcp, addresses, ask, parse
from bench.messages import query, unique_name

TOP = pathlib.Path(__file__).resolve().parents[2]


def run(*arguments, **how):
    how = {"stdout": subprocess.PIPE, **how}
    return subprocess.run([daemon.BINARY, *arguments], stderr=subprocess.PIPE, text=True, timeout=30, **how)


def is_answered(sotto, over="udp"):
    name = unique_name()
    return addresses(ask(sotto.address, name, over=over)) == [messages.address_of(name)]


def redirected(redirections):
    """A prefix that starts a program with these redirections of the shell."""
    return ("sh", "-c", f'exec "$@" {redirections}', "sh")


def start_without_log(start, *upstreams, **how):
    """Like start.sotto(), for a log that cannot be read."""
    sotto = start.sotto(*upstreams, serving=False, **how)

    def listens():
        try:
            Tcp(sotto.address).close()
            return True
        except ConnectionRefusedError:
            return False

    assert eventually(listens, 30)
    return sotto


# ---- descriptors and the log


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]])
def test_it_serves_and_ends_with_standard_files_closed(closed, start, upstream):
    sotto = start_without_log(start, upstream, prefix=redirected(" ".join(f"{fd}>&-" for fd in closed)))
    assert is_answered(sotto) and is_answered(sotto, "tcp")
    assert {os.readlink(f"/proc/{sotto.process.pid}/fd/{fd}") for fd in closed} == {"/dev/null"}
    sotto.stop()


class Pipe:
    """The smallest pipe there is, with a name; nobody reads it but read()."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path, self.end = path, os.open(path, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self.end, fcntl.F_SETPIPE_SZ, 4096)

    def read(self):
        try:
            return os.read(self.end, 65536).decode()
        except BlockingIOError:
            return ""


@pytest.fixture
def pipe(tmp_path):
    made = Pipe(tmp_path / "pipe")
    yield made
    os.close(made.end)


@pytest.fixture
def talkative(start_upstream):
    """An upstream that makes sotto log a line for each query: it closes each connection behind the answer."""
    return start_upstream(otherwise=behaviours.close_after(1))


def test_a_log_that_nobody_reads_holds_up_neither_answers_nor_the_end(start, talkative, pipe):
    sotto = start_without_log(start, talkative, prefix=redirected(f'2>"{pipe.path}"'))
    for _ in range(50):
        assert is_answered(sotto)
    assert is_answered(sotto, "tcp")
    sotto.stop()


def test_a_terminal_that_stands_still_holds_up_neither_answers_nor_the_end(start, talkative):
    master, terminal = os.openpty()
    sotto = start_without_log(start, talkative, prefix=redirected(f'2>"{os.ttyname(terminal)}"'))
    for _ in range(200):
        assert is_answered(sotto)
    sotto.stop()
    os.close(terminal)
    os.close(master)


def test_a_reader_of_the_log_hears_how_many_lines_it_missed(start, talkative, pipe):
    sotto = start_without_log(start, talkative, prefix=redirected(f'2>"{pipe.path}"'))
    for _ in range(50):
        assert is_answered(sotto)
    pipe.read()
    assert is_answered(sotto)
    note = daemon.parse_line(pipe.read())
    assert (note["level"], note["msg"]) == ("warn", "lines of the log are lost: nobody took them")
    assert int(note["lost"]) >= 40


# ---- signals


@pytest.fixture
def starting(tmp_path):
    """Starts a sotto that has not read its configuration yet: the file is a pipe that has no end."""
    config, started = tmp_path / "config", []
    os.mkfifo(config)

    def start(*prefix):
        process = subprocess.Popen([*prefix, daemon.BINARY, "run", "--config", config], stderr=subprocess.DEVNULL)
        started.append((process, os.open(config, os.O_WRONLY)))  # waits for sotto to open it
        return process

    yield start
    for process, writer in started:
        os.close(writer)
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_before_it_serves_it_ends_with_status_0(number, starting):
    process = starting()
    process.send_signal(number)
    assert process.wait(10) == 0


def test_the_first_process_of_a_container_ends_before_it_serves_too(namespaces, starting):
    unshare = starting("unshare", "--pid", "--fork", "--kill-child")
    first, = pathlib.Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGTERM)
    assert unshare.wait(10) == 0


def test_a_connection_that_came_before_the_signal_is_answered(start_sotto, upstream):
    sotto = start_sotto(upstream)
    assert is_answered(sotto)
    sotto.signal(signal.SIGSTOP)
    with Tcp(sotto.address) as client:  # with the kernel
        names = [unique_name() for _ in range(50)]
        client.send(*(query(name) for name in names))
        sotto.signal(signal.SIGTERM)
        sotto.signal(signal.SIGCONT)
        answers = [client.receive() for _ in names]
        assert None not in answers, "the connection was closed instead of an answer"
        assert {tuple(addresses(parse(answer))) for answer in answers} == {(messages.address_of(n),) for n in names}
        assert client.is_closed()
    assert sotto.wait() == 0


# ---- a port that is taken

HOLDER = """
import socket, sys
kind, host, port, dual = getattr(socket, sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == "dual"
taken = socket.socket(socket.AF_INET6, kind)
taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
taken.bind((host, port))
if kind == socket.SOCK_STREAM:
    taken.listen()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold():
    """Starts processes that hold a port in IPv6, dual-stack or not."""
    started = []

    def start(kind, host, port, stack="alone"):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, kind, host, str(port), stack], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        process.communicate()


def holder_told(start, listen):
    sotto = start.sotto("tls://127.0.0.1:1#upstream.test", serving=False, listen=[listen])
    assert sotto.wait() == 1
    line, = sotto.log(msg="cannot listen")
    return line["holder"]


@pytest.mark.parametrize("kind", ["SOCK_DGRAM", "SOCK_STREAM"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_dual_stack_socket_is_found_to_hold_a_port_of_ipv4(host, kind, start, hold):
    port = daemon.free_port("::")  # of both families
    holder = hold(kind, "::", port, "dual")
    assert holder_told(start, f"{host}:{port}").startswith(f"pid {holder.pid} (")


@pytest.mark.parametrize("kind", ["SOCK_DGRAM", "SOCK_STREAM"])
@pytest.mark.parametrize("other_first", [True, False])
def test_a_socket_at_another_address_is_not_blamed(other_first, kind, start, hold):
    port = daemon.free_port("::1", "127.0.0.1")
    if other_first:
        hold(kind, "::ffff:127.0.0.1", port, "dual")
    holder = hold(kind, "::1", port)
    if not other_first:
        hold(kind, "::ffff:127.0.0.1", port, "dual")
    assert holder_told(start, f"[::1]:{port}").startswith(f"pid {holder.pid} (")


# ---- the command line


@pytest.mark.parametrize(
    "arguments, word",
    [(["-v", "-xq"], "-x"), (["-vx"], "-x"), (["--config=a", "-xv"], "-x"), (["-v", "--bogus"], "--bogus"),
     (["-q", "--verbose=3"], "--verbose=3"), (["check", "-Z"], "-Z"), (["-v", "chekc"], "chekc")],
)
def test_what_is_wrong_on_the_command_line_is_named(arguments, word):
    done = run(*arguments)
    assert done.returncode == 64 and f" {word}" in done.stderr.replace(";", "").replace(":", "").split("see")[0] + " "


@pytest.mark.parametrize("arguments", [["check", "-v"], ["-v", "check"], ["-t", "-v"], ["--check", "run", "--verbose"]])
def test_options_may_stand_before_the_command(arguments, authority):
    done = run(*arguments, "--set", f"tls.ca={authority.file}")
    assert done.returncode == 0 and "level: debug" in done.stdout


@pytest.mark.parametrize("arguments", [["check", "FILE"], ["-t", "FILE"], ["-v", "check", "FILE"], ["check", "--", "FILE"]])
def test_the_file_to_check_may_stand_anywhere_behind_the_command(arguments, authority, tmp_path):
    file = tmp_path / "sotto.yaml"
    file.write_text(f"tls: {{ca: {authority.file}}}\nudp-size: 1000\n")
    done = run(*(str(file) if word == "FILE" else word for word in arguments))
    assert done.returncode == 0 and "udp-size: 1000" in done.stdout


@pytest.mark.parametrize("arguments", [["check"], ["--version"], ["version"], ["options"], ["--help"], ["help"]])
def test_output_that_cannot_be_written_is_an_error(arguments, authority):
    environment = {**os.environ, "SOTTO_TLS_CA": str(authority.file)}
    with open("/dev/full", "w") as full:
        done = run(*arguments, stdout=full, env=environment)
    assert done.returncode == 1 and "standard output" in done.stderr


def test_check_refuses_what_run_would_refuse(tmp_path):
    missing = tmp_path / "none.pem"
    done = run("check", "--set", f"tls.ca={missing}")
    assert done.returncode == 78 and str(missing) in done.stderr and not done.stdout


@pytest.mark.parametrize(
    "option", [["--listen", "WHERE"], ["--lis", "WHERE"], ["--li=WHERE"], ["-vl", "WHERE"], ["-lWHERE"],
               ["--set", "listen=WHERE"], ["--se=listen=WHERE"], ["run", "-l", "WHERE"]],
)
def test_the_script_leaves_the_address_to_who_gives_one(option, authority):
    where = f"127.0.0.1:{daemon.free_port()}"
    arguments = [word.replace("WHERE", where) for word in option]
    started = subprocess.Popen(
        [TOP / "run", *arguments, "--set", f"tls.ca={authority.file}"], stderr=subprocess.PIPE, text=True
    )
    try:
        lines = (daemon.parse_line(line) for line in started.stderr)
        first = next(line for line in lines if "listen" in line)
    finally:
        started.terminate()
        started.communicate()
    assert first["listen"] == where
