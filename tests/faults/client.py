"""The client: asks for names that nobody asked for before, and remembers for each what came and when."""

import random
import selectors
import socket
import time

from bench import messages

GIVE_UP = 5.0  # seconds; what comes later came for nobody
SEED = 4711


class Asked:
    """One query: times in seconds from the start, None for what did not come."""

    FIELDS = ("sent", "answered", "rcode", "right", "name")

    def __init__(self, sent, name, answered=None, rcode=None, right=False):
        self.sent, self.name, self.answered, self.rcode, self.right = sent, name, answered, rcode, right

    def line(self):
        """As the raw log has it."""
        answered = "-" if self.answered is None else f"{self.answered:.6f}"
        rcode = "-" if self.rcode is None else self.rcode
        return f"{self.sent:.6f}\t{answered}\t{rcode}\t{'yes' if self.right else 'no'}\t{self.name}"

    @classmethod
    def from_line(cls, line):
        sent, answered, rcode, right, name = line.split("\t")
        return cls(
            float(sent), name, None if answered == "-" else float(answered), None if rcode == "-" else int(rcode),
            right == "yes",
        )


def moments(seconds, rate, even):
    """When queries are sent. At random (a Poisson process) they meet every state of a connection."""
    chance, at = random.Random(SEED), 0.0
    while at < seconds - 1e-9:
        yield at
        at += 1 / rate if even else chance.expovariate(rate)


class Client:
    """Sends on one UDP socket of the forwarder's namespace, each query once."""

    def __init__(self, udp, run, meanwhile=lambda: None):
        self._udp, self._run, self._meanwhile = udp, run, meanwhile
        self._waiting, self.asked = {}, []
        self._udp.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(udp, selectors.EVENT_READ)

    def ask_at(self, moments, timeline):
        """Sends a query at each moment, and does what the timeline [(time, function)] says meanwhile."""
        self._begin = time.monotonic()
        todo = sorted([(at, n, None) for n, at in enumerate(moments)] + [(at, -1, do) for at, do in timeline],
                      key=lambda entry: entry[:2])
        for at, number, do in todo:
            self._listen_until(at)
            if do:
                do()
            else:
                self._send(number)
        self._listen_until(self._now() + GIVE_UP, until_all_came=True)
        return self.asked

    def _now(self):
        return time.monotonic() - self._begin

    def _send(self, number):
        name = f"q{number}-{self._run}.faults.example"
        number = random.randrange(65536)
        while number in self._waiting:
            number = random.randrange(65536)
        asked = Asked(self._now(), name)
        self.asked.append(asked)
        self._waiting[number] = asked
        try:
            self._udp.send(messages.query(name, id=number, edns=messages.opt()))
        except OSError:
            pass  # nobody listens there: it stays unanswered

    def _listen_until(self, at, until_all_came=False):
        while (left := at - self._now()) > 0 and not (until_all_came and not self._waiting):
            self._meanwhile()
            for _ in self._selector.select(min(left, 0.1)):
                self._receive()
            late = [n for n, asked in self._waiting.items() if self._now() - asked.sent > GIVE_UP]
            for number in late:
                del self._waiting[number]

    def _receive(self):
        try:
            wire = self._udp.recv(65535)
        except OSError:
            return
        now = self._now()
        asked = self._waiting.pop(int.from_bytes(wire[:2], "big"), None)
        if asked and now - asked.sent <= GIVE_UP:
            asked.answered, asked.rcode, asked.right = now, wire[3] & 15, is_right(wire, asked.name)


def is_right(wire, name):
    """Is it NOERROR with this question and the one address that belongs to the name?"""
    question = messages.question(name)
    rdata = bytes(map(int, messages.address_of(name).split(".")))
    answer = wire[12 + len(question) :]
    owners = (b"\xc0\x0c", messages.wire_name(name))
    found = any(
        answer.startswith(owner + b"\0\1\0\1") and answer[len(owner) + 8 :][:6] == b"\0\4" + rdata for owner in owners
    )
    counts = wire[4:8] == b"\0\1\0\1"
    return bool(wire[2] & 0x80) and not wire[3] & 15 and counts and wire[12:].startswith(question) and found
