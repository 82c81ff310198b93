"""One run: a forwarder between a client and scripted upstreams, in network namespaces of its own."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from bench import netns

import client
from forwarders import TOP

PORT = 5300
BADPEER = TOP / "tests" / "badpeer"
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class CannotRun(Exception):
    """The row could not be played with this forwarder; the text says why."""


def _die_with_us():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Peer:
    """A badpeer in its own process, told its script by a line."""

    def __init__(self, space, address, certificates, script, log):
        self.log = log
        self.process = subprocess.Popen(
            [*space.prefix, BADPEER, "-l", f"{address}:853", "-c", certificates, "-o", log, "-e", script],
            stdin=subprocess.PIPE, text=True, preexec_fn=_die_with_us,
        )

    def tell(self, script):
        print(script, file=self.process.stdin, flush=True)

    def events(self, kind):
        if not self.log.exists():
            return []
        whole = self.log.read_text().rpartition("\n")[0]
        return [entry for entry in map(json.loads, whole.splitlines()) if entry["event"] == kind]

    def asked(self, run):
        """How many queries for names of this run came."""
        return sum(entry["name"].endswith(f"-{run}.faults.example") for entry in self.events("query"))


class Stage:
    def __init__(self, row, forwarder, folder, certificates):
        self.row, self.forwarder, self.folder, self.certificates = row, forwarder, folder, certificates
        self.run = f"{row.name.lower().replace('/', '-')}-{os.getpid()}"
        self.victim, self.happened = None, []
        self.star, self.peers, self.process, self.death = None, [], None, None
        self._makers, self._failed = [], []

    # -- what rows do

    def tell(self, number, script):
        self.peers[number].tell(script)

    def busiest(self):
        """The upstream that was asked most so far, which is the victim from now on."""
        counts = [peer.asked(self.run) for peer in self.peers]
        self.victim = counts.index(max(counts))
        return self.victim

    # -- the run

    def play(self):
        """The queries as the client saw them, and how many the upstreams saw."""
        self.star = netns.Star(len(self.row.upstreams))
        try:
            self._start_upstreams()
            if self.row.setup:
                self.row.setup(self)
            self._start_forwarder()
            with self.star.middle.entered():
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with udp:
                udp.connect(("127.0.0.1", PORT))
                self._wait_until_ready(udp)
                asking = client.Client(udp, self.run, self._see_whether_it_lives)
                row = self.row
                asked = asking.ask_at(client.moments(row.seconds, row.rate, row.even), self._timeline())
            self._faults_must_have_happened()
            return asked, sum(peer.asked(self.run) for peer in self.peers)
        finally:
            self._end()

    def _start_upstreams(self):
        for number, script in enumerate(self.row.upstreams, 1):
            self.peers.append(Peer(
                self.star.ends[number - 1], self.star.address(number), self.certificates, script,
                self.folder / f"upstream-{number}.jsonl",
            ))
        _until(lambda: all(peer.events("ready") for peer in self.peers), 20, "an upstream did not start")

    def _start_forwarder(self):
        addresses = [self.star.address(n + 1) for n in range(len(self.peers))]
        command = self.forwarder.command(self.folder, PORT, addresses, self.certificates / "ca.pem")
        if not os.access(command[0], os.X_OK):
            raise CannotRun(f"there is no {command[0]}")
        with open(self.folder / "output.log", "wb") as output:
            self.process = subprocess.Popen(
                [*self.star.middle.prefix, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                preexec_fn=_die_with_us,
            )

    def _wait_until_ready(self, udp):
        _until(lambda: self._is_bound() or self.process.poll() is not None, 15, "it does not listen")
        if self.process.poll() is not None:
            raise CannotRun(f"it ended at the start, with status {self.process.returncode}")
        if not self.row.ready:
            time.sleep(1)
            return
        for attempt in range(30):
            warm = client.Client(udp, f"warm-{attempt}-{self.run}-not")
            if warm.ask_at([0.0], [])[0].right:
                return
            time.sleep(0.2)
        raise CannotRun("it answers nothing, with all upstreams well")

    def _is_bound(self):
        with open(f"/proc/{self.process.pid}/net/udp", encoding="ascii") as table:
            return any(line.split()[1].endswith(f":{PORT:04X}") for line in list(table)[1:])

    def _see_whether_it_lives(self):
        if self.death is None and self.process.poll() is not None:
            self.death = self.process.returncode

    def _timeline(self):
        """Faults are made in threads of their own: the client does not stop listening for them."""
        def starting(what, do):
            def make():
                try:
                    do(self)
                except Exception as error:
                    self._failed.append(f"fault not made: {what}: {error!r}")
                    return
                self.happened.append(what + ("" if self.victim is None else f" (upstream {self.victim + 1})"))

            def start():
                self._makers.append(threading.Thread(target=make))
                self._makers[-1].start()
            return start

        return [(at, starting(what, do)) for at, what, do in self.row.events]

    def _faults_must_have_happened(self):
        for maker in self._makers:
            maker.join()
        if self._failed:
            raise CannotRun("; ".join(self._failed))

    def _end(self):
        """The forwarder first, so that its goodbye is seen."""
        for processes in ([self.process] if self.process else []), [peer.process for peer in self.peers]:
            for process in processes:
                if process.poll() is None:
                    process.terminate()
            for process in processes:
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.star.remove()


def _until(check, patience, otherwise):
    end = time.monotonic() + patience
    while not check():
        if time.monotonic() > end:
            raise CannotRun(otherwise)
        time.sleep(0.02)


def say(text):
    print(text, file=sys.stderr, flush=True)
