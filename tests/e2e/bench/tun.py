"""A slow link: two namespaces joined by a relay of ours between two TUN devices, since this kernel may have no netem.

Every packet of either way waits for `delay` seconds, so that SYNs and TLS handshakes take real round trips; if asked to, some
are held back so that later ones overtake them, and some are delivered twice. All of it can be changed at any time.
"""

import contextlib
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import threading
import time

from . import netns

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
PACKET_MAX = 65535


def reason_not_to():
    """Why there can be no TUN device here; None if there can."""
    if reason := netns.reason_not_to():
        return reason
    space = netns.Namespace()
    try:
        os.close(_open(space, "try"))
    except OSError as error:
        return f"TUN devices are not permitted here: {error}"
    finally:
        space.remove()
    return None


def _open(space, device):
    """A TUN device of that name in the namespace; as long as the descriptor is open."""
    with space.entered():
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
        except OSError:
            os.close(descriptor)
            raise
    return descriptor


class Way:
    """One direction, and what happens to its packets."""

    def __init__(self, delay):
        self.delay = delay  # seconds
        self.late = 0.0  # the share of packets that is held back ...
        self.late_by = 0.0  # ... for so many seconds more
        self.twice = 0.0  # the share that is delivered twice
        self.passed = 0  # packets that came in


class SlowLink:
    """Like netns.Link, but slow: `there` leads from near to far, `back` the other way."""

    NEAR, FAR, NEAR6, FAR6 = netns.Link.NEAR, netns.Link.FAR, netns.Link.NEAR6, netns.Link.FAR6

    def __init__(self, delay, seed=1):
        self.near, self.far = netns.Namespace(), netns.Namespace()
        self.there, self.back = Way(delay), Way(delay)
        self._random = random.Random(seed)
        self._ends = [_open(self.near, "near"), _open(self.far, "far")]
        for space, device, v4, v6 in (
            (self.near, "near", self.NEAR, self.NEAR6),
            (self.far, "far", self.FAR, self.FAR6),
        ):
            space.ip("addr", "add", f"{v4}/24", "dev", device)
            space.ip("addr", "add", f"{v6}/64", "dev", device, "nodad")
            space.ip("link", "set", device, "up")
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()

    def remove(self):
        os.close(self._waker)
        self._thread.join()
        for descriptor in (*self._ends, self._wake):
            os.close(descriptor)
        self.near.remove()
        self.far.remove()

    def _relay(self):
        waiting, order = [], itertools.count()  # (due, order, where to, packet)
        while True:
            patience = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            ready = select.select([*self._ends, self._wake], [], [], patience)[0]
            if self._wake in ready:
                return
            for end, other, way in zip(self._ends, reversed(self._ends), (self.there, self.back)):
                for packet in _packets(end) if end in ready else ():
                    way.passed += 1
                    for due in self._when(way):
                        heapq.heappush(waiting, (due, next(order), other, packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, other, packet = heapq.heappop(waiting)
                with contextlib.suppress(OSError):  # the device is down, say
                    os.write(other, packet)

    def _when(self, way):
        """When a packet that came now is delivered: once or twice."""
        due = time.monotonic() + way.delay
        if self._random.random() < way.late:
            due += way.late_by
        return [due, due] if self._random.random() < way.twice else [due]


def _packets(end):
    """What the kernel has for us at this end, a bounded number of it."""
    with contextlib.suppress(BlockingIOError, OSError):
        for _ in range(256):
            yield os.read(end, PACKET_MAX)
