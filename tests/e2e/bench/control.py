"""The control socket of a daemon, and what docs/control.md says of it."""

import pathlib
import re
import select
import socket

DOCUMENT = pathlib.Path(__file__).parents[3] / "docs" / "control.md"


class Asker:
    """A client of the socket that controls every byte."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(20)

    def send(self, octets):
        self.socket.sendall(octets)

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)

    def rest(self):
        """Everything that comes until the end."""
        octets = b""
        while more := self.socket.recv(65536):
            octets += more
        return octets

    def was_cut_off(self):
        """The other side has closed, whatever is still to be read."""
        poll = select.poll()
        poll.register(self.socket)
        return any(events & select.POLLHUP for _, events in poll.poll(0))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def answer_to(path, octets, end=False):
    with Asker(path) as asker:
        asker.send(octets)
        if end:
            asker.end()
        return asker.rest()


def documented(title):
    """The keys in the chapter of this title."""
    chapter = re.search(rf"^##+ {title}\n(.*?)(?=^##|\Z)", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^\| `([\w.\[\]]+)` \|", chapter, re.MULTILINE)


def keys(value, where=""):
    """All keys of an object, as the document writes them; some twice."""
    if isinstance(value, list):
        for element in value:
            yield from keys(element, where + "[]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            key = "GROUP" if where == "groups" else key
            yield f"{where}.{key}" if where else key
            yield from keys(inner, f"{where}.{key}" if where else key)
