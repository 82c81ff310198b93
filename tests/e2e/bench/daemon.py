"""sotto as a process: started with a configuration, its log read line by line, its end judged."""

import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import threading

from . import eventually

BINARY = pathlib.Path(
    os.environ.get("SOTTO") or pathlib.Path(__file__).resolve().parents[3] / "build" / "sotto"
)
RELEASE = pathlib.Path(os.environ.get("RELEASE") or BINARY)
HAND_OVER = pathlib.Path(__file__).with_name("hand_over.py")
# So that a system call that is missing in its table is seen; `off` where the tests bring more, as valgrind does.
SANDBOX = os.environ.get("BENCH_SANDBOX", "strict")
SANITIZER_REPORT = re.compile(
    r"ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer|^==\d+== |bug: |sandbox: system call", re.MULTILINE
)
ENDED_BY_A_TEST = {-signal.SIGKILL}
PAIR = re.compile(r'([\w.-]+)=("(?:[^"\\]|\\.)*"|\S*)')


class NotServing(AssertionError):
    """sotto ended instead of serving."""


def ports():
    """Of this process, below those that outgoing connections take: each of pytest's workers has its share, so that none
    takes what another one has found free."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return range(10000 + worker, 32000, workers)


def free_port(*hosts):
    """A port free for UDP and TCP at each of the hosts; at 127.0.0.1, without one."""
    while True:
        port = random.SystemRandom().choice(ports())
        try:
            with contextlib.ExitStack() as held:
                for host in hosts or ("127.0.0.1",):
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        one = held.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind))
                        one.bind((host, port))
            return port
        except OSError:
            continue


def parse_line(line):
    """key=value as a dict; the raw line is kept under ''."""
    fields = {key: _unquote(value) for key, value in PAIR.findall(line)}
    fields[""] = line
    return fields


def _unquote(value):
    if not value.startswith('"'):
        return value
    return re.sub(r"\\(x[0-9a-f]{2}|.)", lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 3 else m[1], value[1:-1])


def host_and_port(one):
    """Of a socket; of anything else, which sotto will refuse, none."""
    is_ip = getattr(one, "family", None) in (socket.AF_INET, socket.AF_INET6)
    return one.getsockname()[:2] if is_ip else (None, None)


class Sotto:
    """One running daemon."""

    def __init__(self, directory, config, prefix=(), environment=None, handed=()):
        """handed: sockets that it is given as a service manager gives them."""
        self.file = directory / "sotto.yaml"
        self.file.write_text(json.dumps(config, indent=2) + "\n")  # JSON is YAML
        self.config, self.host, self.port = config, None, None
        self.lines, self._lock = [], threading.Lock()
        if config.get("listen"):
            self.host, _, port = config["listen"][0].rpartition(":")
            self.host, self.port = self.host.strip("[]"), int(port)
        if handed:
            prefix = (sys.executable, HAND_OVER, *(str(one.fileno()) for one in handed), "--", *prefix)
            self.host, self.port = host_and_port(handed[0])
        self.process = subprocess.Popen(
            [*prefix, BINARY, "run", "--config", self.file],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, errors="backslashreplace", env=_environment(environment),
            pass_fds=[one.fileno() for one in handed],
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def address(self):
        return (self.host, self.port)

    def wait_until_serving(self):
        def serving():
            return self.log_of_start() or self.process.poll() is not None

        if not eventually(serving, 120) or self.process.poll() is not None:
            self.kill()
            raise NotServing(f"exit status {self.process.returncode}\n{self.text()}")

    def log_of_start(self):
        """The line that says what is served; None before it is."""
        return next((line for line in self.log() if line.get("msg", "").endswith("is ready")), None)

    def log(self, **wanted):
        """The log lines so far that have these fields."""
        with self._lock:
            lines = list(self.lines)
        return [line for line in lines if all(line.get(k) == v for k, v in wanted.items())]

    def wait_for_log(self, count=1, **wanted):
        """The lines with these fields, once there are so many."""
        found = eventually(lambda: len(seen := self.log(**wanted)) >= count and seen)
        assert found, f"no {count} lines with {wanted} in:\n{self.text()}"
        return found

    def text(self):
        with self._lock:
            return "".join(line[""] for line in self.lines)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=30):
        """The exit status, once it ended; the log is whole then."""
        status = self.process.wait(timeout)
        self._reader.join()
        return status

    def stop(self):
        """Asks for an orderly end and insists on it: exit status 0, nothing from a sanitizer."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"sotto did not end after SIGTERM\n{self.text()}") from None
        self.must_be_clean()
        assert status == 0, f"exit status {status}\n{self.text()}"

    def must_be_clean(self):
        report = SANITIZER_REPORT.search(self.text())
        assert not report, self.text()[report.start() - 200 if report.start() > 200 else 0 :]
        status = self.process.returncode
        assert status >= 0 or status in ENDED_BY_A_TEST, f"ended by {signal.Signals(-status).name}\n{self.text()}"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()

    def _read(self):
        for line in self.process.stderr:
            fields = parse_line(line)
            with self._lock:
                self.lines.append(fields)


def _environment(extra):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SOTTO_")}
    environment["ASAN_OPTIONS"] = "exitcode=99:detect_leaks=1:" + environment.get("ASAN_OPTIONS", "")
    environment["UBSAN_OPTIONS"] = "halt_on_error=1:print_stacktrace=1:" + environment.get("UBSAN_OPTIONS", "")
    environment.update(extra or {})
    return environment
