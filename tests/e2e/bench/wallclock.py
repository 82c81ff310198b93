"""The date as sotto sees it, and how long its machine has slept, set by a test."""

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
        self._asleep_s = 0
        self.set(days=0)

    def sleep(self, hours):
        """The machine sleeps: the clock of the boot goes on, that of the timers does not, and the date stays what was set."""
        self._asleep_s += round(3600 * hours)
        self._write(16, self._asleep_s)

    def set(self, days=None, year=None, synchronised=True):
        """So many days from the real date; or the first of January of a year."""
        if year is not None:
            now = datetime.datetime.now(datetime.timezone.utc)
            ahead = math.ceil((datetime.datetime(year, 1, 1, tzinfo=now.tzinfo) - now).total_seconds())
        else:
            ahead = days * DAY_S
        self._write(0, ahead, synchronised)

    def _write(self, at, *numbers):
        with self._file.open("r+b") as file:
            file.seek(at)
            file.write(struct.pack(f"={len(numbers)}q", *numbers))

