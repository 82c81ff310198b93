"""What a service manager does for sotto: it binds sockets and listens to what it is told; and a hand that holds a thread."""

import ctypes
import os
import pathlib
import socket
import threading

from . import daemon, eventually

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WAIT_FOR_THREADS = 0x40000000  # __WALL


class Ear:
    """A socket to be told on; `told` is every message so far, as a dict of its lines."""

    def __init__(self, path):
        self.told = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + path[1:] if path.startswith("@") else path)
        self.path = path
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while message := self._socket.recv(4096):
            self.told.append(dict(line.split("=", 1) for line in message.decode().splitlines()))

    def count(self, **wanted):
        return sum(all(message.get(k) == v for k, v in wanted.items()) for message in list(self.told))

    def wait_for(self, count=1, timeout=10, **wanted):
        assert eventually(lambda: self.count(**wanted) >= count, timeout), f"no {wanted} in {self.told}"


def bound(host, port, kind, both_families=False):
    """A socket as a socket unit makes it."""
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    if ":" in host:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both_families)
    if kind == socket.SOCK_STREAM:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((host, port))
    if kind == socket.SOCK_STREAM:
        one.listen(128)
    return one


def pair(host, both_families=False):
    """UDP and TCP at one address."""
    port = daemon.free_port("::" if both_families else host)
    return [bound(host, port, kind, both_families) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]


def threads_of(process):
    """The ids of its threads in the order in which they began: workers come first."""
    return sorted(int(task.name) for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir())


class Held:
    """A context in which one thread stands still, whatever it was doing, while all others of its process run."""

    def __init__(self, thread):
        self.thread, self._release = thread, threading.Event()
        self._held, self._fault = threading.Event(), None
        # Only the thread that seized another one may let it go.
        self._holder = threading.Thread(target=self._hold, daemon=True)

    def _hold(self):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        libc.ptrace.restype = ctypes.c_long
        for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
            if libc.ptrace(request, self.thread, None, None) < 0:
                self._fault = os.strerror(ctypes.get_errno())
                self._held.set()
                return
        os.waitpid(self.thread, WAIT_FOR_THREADS)
        self._held.set()
        self._release.wait()
        libc.ptrace(PTRACE_DETACH, self.thread, None, None)

    def __enter__(self):
        self._holder.start()
        self._held.wait()
        assert not self._fault, f"thread {self.thread} cannot be held: {self._fault}"
        return self

    def __exit__(self, *_):
        self._release.set()
        self._holder.join()
