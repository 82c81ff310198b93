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


def reason_not_to_drop():
    """Why packets cannot be dropped here; None if they can."""
    if reason := reason_not_to():
        return reason
    space = Namespace()
    try:
        run(*space.prefix, "iptables", "-w", "-A", "INPUT", "-j", "DROP")
    except (OSError, subprocess.CalledProcessError) as error:
        return f"packets cannot be dropped here: {error}"
    finally:
        space.remove()
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


def in_place_of(target, source):
    """What to put before a command, for which the file `source` stands in the place of `target`."""
    return ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', str(source), target)


def reason_not_to_mount():
    """Why nothing can be mounted that others do not see, as in a chroot that is no mount point; None if it can."""
    try:
        run(*in_place_of("/etc/hosts", "/etc/hosts"), "true")
    except (OSError, subprocess.CalledProcessError) as error:
        return f"mounts cannot be kept private here: {error}"
    return None


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

    def join_no_packets(self):
        """Long packets that are only cut by hardware, which there is none of, are cut before."""
        for space, device in ((self.near, "near"), (self.far, "far")):
            space.ip("link", "set", device, "gso_max_segs", "1")

    def remove(self):
        self.near.remove()
        self.far.remove()


class Star:
    """A namespace in the middle, and so many around it, each at the end of a cable of its own.

    The n-th of them (from 1) has the address 10.53.n.2; the middle reaches it through `ray-n`.
    """

    def __init__(self, rays):
        self.middle, self.ends = Namespace(), []
        for n in range(1, rays + 1):
            end = Namespace()
            self.ends.append(end)
            self.middle.ip("link", "add", f"ray-{n}", "type", "veth", "peer", "name", "end", "netns", end.path)
            self.middle.ip("addr", "add", f"10.53.{n}.1/24", "dev", f"ray-{n}")
            end.ip("addr", "add", f"{self.address(n)}/24", "dev", "end")
            end.ip("link", "set", "end", "up")
            self.middle.ip("link", "set", f"ray-{n}", "up")

    @staticmethod
    def address(n):
        return f"10.53.{n}.2"

    def cut(self, n):
        """From now on nothing reaches the n-th end or leaves it, and nobody is told."""
        for chain in ("INPUT", "OUTPUT"):
            run(*self.ends[n - 1].prefix, "iptables", "-w", "-A", chain, "-j", "DROP")

    def heal(self, n):
        run(*self.ends[n - 1].prefix, "iptables", "-w", "-F")

    def down(self, n):
        """The cable is pulled at the middle."""
        self.middle.ip("link", "set", f"ray-{n}", "down")

    def up(self, n):
        self.middle.ip("link", "set", f"ray-{n}", "up")

    def remove(self):
        for space in (self.middle, *self.ends):
            space.remove()
