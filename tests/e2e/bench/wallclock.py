"""The date as sotto sees it, set by a test."""

import datetime
import math
import mmap
import struct

from . import shim

DAY_S = 86400


class WallClock:
    """What sotto is told when it asks for the date; a process started with `environment` believes it. At first it is
    the real one, and synchronised."""

    def __init__(self, directory):
        self._file = directory / "clock"
        self._file.write_bytes(bytes(mmap.PAGESIZE))
        self.environment = {**shim.environment_with("clock_shim", directory), "CLOCK_SHIM": str(self._file)}
        self.set(days=0)

    def set(self, days=None, year=None, synchronised=True):
        """So many days from the real date; or the first of January of a year."""
        if year is not None:
            now = datetime.datetime.now(datetime.timezone.utc)
            ahead = math.ceil((datetime.datetime(year, 1, 1, tzinfo=now.tzinfo) - now).total_seconds())
        else:
            ahead = days * DAY_S
        with self._file.open("r+b") as file:
            file.write(struct.pack("=qq", ahead, synchronised))

