"""A machine that fails when a test says so: memory and system calls, one by one."""

import contextlib
import errno
import mmap
import re
import struct

from . import shim

_PLAN = struct.Struct("=QQQii")  # as in machine_shim.c
_STRIDE = 32
CALLS = re.findall(r"X\((\w+)\)", shim.source_of("machine_shim").read_text().split("#define CALLS(X)")[1].split("\n\n")[0])
ALWAYS = 0xFFFFFFFF


class Machine:
    """What a process that was started with `environment` runs on. At first nothing fails."""

    def __init__(self, directory, built=None):
        path = directory / "machine"
        path.write_bytes(bytes(mmap.PAGESIZE))
        with path.open("r+b") as file:
            self._plans = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.environment = {**(built or shim.environment_with("machine_shim", directory)), "MACHINE_SHIM": str(path)}

    def fail(self, call, error="ENOMEM", nth=1, times=1, part=0):
        """The nth such call from now on, and times - 1 behind it, fail; or, without an error, do a part of it only."""
        at = CALLS.index(call) * _STRIDE
        struct.pack_into("=Qii", self._plans, at + 16, 0, getattr(errno, error) if error else 0, part)
        struct.pack_into("=Q", self._plans, at, (nth - 1) << 32 | times)

    def heal(self):
        for at in range(0, len(CALLS) * _STRIDE, _STRIDE):
            struct.pack_into("=Q", self._plans, at, 0)

    def failed(self, call):
        """How many of them did, since fail()."""
        return self._read(call)[2]

    def calls(self, call):
        """How many there were since the process began."""
        return self._read(call)[1]

    @contextlib.contextmanager
    def failing(self, call, *how, **more):
        """While in it; and at least one must have failed."""
        self.fail(call, *how, **more)
        try:
            yield
            assert self.failed(call), f"no {call} was called"
        finally:
            self.heal()

    def _read(self, call):
        return _PLAN.unpack_from(self._plans, CALLS.index(call) * _STRIDE)
