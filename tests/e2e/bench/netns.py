"""Network namespaces: small networks of our own, for what loopback cannot show. They need root."""

import contextlib
import ctypes
import os
import subprocess

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


def reason_not_to():
    """Why namespaces cannot be had here; None if they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        Namespace().remove()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces are not permitted here: {error}"
    return None


class Namespace:
    """A network namespace with its loopback up.

    It has no name in /run/netns, whose mounts a chroot does not permit: it lives as long as our
    descriptor of it, which is its path.
    """

    def __init__(self):
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _check(_libc.unshare(CLONE_NEWNET), "unshare")
            self._there = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        finally:
            _check(_libc.setns(home, CLONE_NEWNET), "setns")
            os.close(home)
        self.path = f"/proc/{os.getpid()}/fd/{self._there}"
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        run(*self.prefix, "ip", *arguments)

    def sysctl(self, name, value):
        """Sets net.NAME, written with slashes."""
        run(*self.prefix, "sh", "-c", f"echo {value} >/proc/sys/net/{name}")

    def tcp_counter(self, name):
        """A number of the TcpExt rows of /proc/net/netstat."""
        shown = subprocess.run([*self.prefix, "cat", "/proc/net/netstat"], check=True, capture_output=True, text=True)
        names, values = [line.split() for line in shown.stdout.splitlines() if line.startswith("TcpExt:")]
        return int(values[names.index(name)])

    @property
    def prefix(self):
        """What to put before a command to run it here."""
        return ("nsenter", f"--net={self.path}")

    @contextlib.contextmanager
    def entered(self):
        """Sockets made by this thread meanwhile belong to the namespace, and stay there."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _check(_libc.setns(self._there, CLONE_NEWNET), "setns")
            yield
        finally:
            _check(_libc.setns(home, CLONE_NEWNET), "setns")
            os.close(home)

    def remove(self):
        os.close(self._there)


def _check(result, call):
    if result:
        raise OSError(ctypes.get_errno(), call)


class Link:
    """Two namespaces joined by a cable (veth), one IPv4 and one IPv6 address at each end."""

    NEAR, FAR = "10.53.0.1", "10.53.0.2"
    NEAR6, FAR6 = "fd53::1", "fd53::2"

    def __init__(self, mtu=1500):
        self.near, self.far = Namespace(), Namespace()
        self.near.ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", self.far.path)
        for space, device, v4, v6 in (
            (self.near, "near", self.NEAR, self.NEAR6),
            (self.far, "far", self.FAR, self.FAR6),
        ):
            space.ip("addr", "add", f"{v4}/24", "dev", device)
            if mtu >= 1280:  # IPv6 exists on no smaller link
                space.ip("addr", "add", f"{v6}/64", "dev", device, "nodad")
            space.ip("link", "set", device, "mtu", str(mtu), "up")

    def remove(self):
        self.near.remove()
        self.far.remove()
