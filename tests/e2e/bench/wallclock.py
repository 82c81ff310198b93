"""The date as sotto sees it, set by a test."""

import datetime
import math
import mmap
import os
import pathlib
import shutil
import struct

from . import clients

DAY_S = 86400


class WallClock:
    """What sotto is told when it asks for the date; a process started with `environment` believes it. At first it is
    the real one, and synchronised."""

    def __init__(self, directory):
        self._file = directory / "clock"
        self._file.write_bytes(bytes(mmap.PAGESIZE))
        self.environment = {
            "LD_PRELOAD": str(_shim(directory)),
            "CLOCK_SHIM": str(self._file),
            # A program under AddressSanitizer wants to be the first to be loaded.
            "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:verify_asan_link_order=0",
        }
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


def _shim(directory):
    source, built = pathlib.Path(__file__).with_name("clock_shim.c"), directory / "clock_shim.so"
    compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
    clients.tool(*compiler.split(), "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", built, source)
    return built
