"""Clients that control every byte, and the answers as they see them."""

import select
import shutil
import socket
import ssl
import subprocess
import time

import dns.message
import dns.rcode

from . import messages, seen

PATIENCE = 20.0  # for an answer that must come; slow machines are not the subject


def family_of(address):
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def readable(sockets, timeout):
    """Those of the sockets that there is something to read from. select(2) knows no descriptor above 1023."""
    poll, of = select.poll(), {s.fileno(): s for s in sockets}
    for descriptor in of:
        poll.register(descriptor, select.POLLIN)
    return [of[descriptor] for descriptor, _ in poll.poll(timeout * 1000)]


class Udp:
    """One UDP socket, connected, so that an answer from another address does not count."""

    def __init__(self, address, source=None):
        self.socket = socket.socket(family_of(address), socket.SOCK_DGRAM)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(address)
        self._talk = seen.Talk("udp", address)

    def send(self, message):
        self._talk.asked(message)
        self.socket.send(message)

    def receive(self, timeout=PATIENCE):
        """The next answer; None if there is none in time."""
        if not readable([self.socket], timeout):
            return None
        message = self.socket.recv(65535)
        self._talk.heard(message)
        return message

    def ask(self, message):
        """The answer with this message's ID; others are passed over."""
        self.send(message)
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            answer = self.receive(left)
            if answer and answer[:2] == message[:2]:
                return answer
        raise AssertionError("no answer over UDP")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Tcp:
    """One TCP connection."""

    def __init__(self, address, source=None, receive_buffer=None):
        self.socket = socket.socket(family_of(address))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(PATIENCE)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._talk = seen.Talk("tcp", address)

    def send(self, *queries):
        """All of these, framed, in one write."""
        self.write(b"".join(messages.frame(query) for query in queries))

    def write(self, octets):
        self._talk.wrote(octets)
        self.socket.sendall(octets)

    def drip(self, octets, pause=0.0):
        """One octet to a segment."""
        for at in range(len(octets)):
            self.write(octets[at : at + 1])
            time.sleep(pause)

    def end(self):
        """Half-close: no more queries, but answers are awaited."""
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self, timeout=PATIENCE):
        """The next message; None if the connection ended (or was reset) before one was whole."""
        end = time.monotonic() + timeout
        while not self._whole():
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                octets = self.socket.recv(65536)
            except TimeoutError:
                raise AssertionError("no answer over TCP") from None
            except ConnectionError:
                return None
            if not octets:
                return None
            self._buffer += octets
        size = int.from_bytes(self._buffer[:2], "big")
        message = bytes(self._buffer[2 : 2 + size])
        del self._buffer[: 2 + size]
        self._talk.heard(message)
        return message

    def has_more(self):
        """A whole message has come already."""
        return self._whole()

    def ask(self, message):
        self.send(message)
        answer = self.receive()
        assert answer is not None, "the connection was closed instead of an answer"
        assert answer[:2] == message[:2], "the answer has another ID"
        return answer

    def is_closed(self, timeout=PATIENCE):
        """Waits for the peer to close; anything it sends before is thrown away."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if not self.socket.recv(65536):
                    return True
            except TimeoutError:
                return False
            except ConnectionError:
                return True
        return False

    def is_open(self):
        """Nothing has come yet, and no end either."""
        return not readable([self.socket], 0)

    def close(self):
        self.socket.close()

    def _whole(self):
        return len(self._buffer) >= 2 and len(self._buffer) >= 2 + int.from_bytes(self._buffer[:2], "big")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Tls(Tcp):
    """One connection over TLS. context: an ssl.SSLContext, or None: whoever answers is taken; session: to be resumed."""

    def __init__(self, address, context=None, name=None, session=None, source=None):
        super().__init__(address, source)
        self._talk = seen.Talk("tls", address)
        self.socket = (context or careless()).wrap_socket(self.socket, server_hostname=name, session=session)

    def end(self):
        """Only close_notify says it in TLS, and Python's waits for the answer's."""
        raise NotImplementedError


def careless(**how):
    """A context that takes whoever answers; how: what else is set in it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for key, value in how.items():
        setattr(context, key, value)
    return context


def strict(authority):
    """A context that verifies."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.file)
    context.set_alpn_protocols(["dot"])
    return context


OVER = {"udp": Udp, "tcp": Tcp, "tls": Tls}


def ask_wire(address, message, over="udp"):
    with OVER[over](address) as client:
        return client.ask(message)


def ask(address, name, qtype="A", over="udp", **how):
    """Asks and reads strictly: a trailing octet or a bad pointer in the answer is an error."""
    return parse(ask_wire(address, messages.query(name, qtype, **how), over))


def parse(wire):
    return dns.message.from_wire(wire, one_rr_per_rrset=False)


class Head:
    """The header of an answer that may hold nothing else."""

    def __init__(self, wire):
        self.id, self.flags = int.from_bytes(wire[:2], "big"), int.from_bytes(wire[2:4], "big")
        self.counts = tuple(int.from_bytes(wire[at : at + 2], "big") for at in range(4, 12, 2))
        self.rcode = self.flags & 15
        self.is_answer = bool(self.flags & messages.QR)
        self.truncated = bool(self.flags & messages.TC)


def rcode_name(answer):
    return dns.rcode.to_text(answer.rcode())


def addresses(answer):
    """The addresses in the answer section."""
    return [item.to_text() for rrset in answer.answer for item in rrset if item.rdtype in (1, 28)]


def extended_errors(answer):
    """The codes of the Extended DNS Errors in an answer."""
    return [int.from_bytes(o.to_wire()[:2], "big") for o in answer.options if int(o.otype) == messages.EDE]


def tool(*command, timeout=30, check=True, **how):
    """Runs a program from the system and returns what it printed."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout, check=False, **how
    )
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def has_tool(name):
    return shutil.which(name) is not None
