"""under_unit.py UNIT COMMAND...: becomes the command, restricted by seccomp and capabilities as systemd restricts the unit:
SystemCallFilter=, MemoryDenyWriteExecute=, RestrictAddressFamilies=, CapabilityBoundingSet=, NoNewPrivileges=. What is refused
fails with the error that the unit names; nothing of the unit is written here a second time."""

import ctypes
import errno
import mmap
import os
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import seccomp  # noqa: E402

from bench import units  # noqa: E402

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
CAPABILITIES = {"CAP_NET_BIND_SERVICE": 10}
LAST_CAPABILITY = 40
SHM_EXEC = 0o100000

libc = ctypes.CDLL(None, use_errno=True)


def drop_capabilities(settings):
    kept = {CAPABILITIES[word] for line in settings["CapabilityBoundingSet"] for word in line.split()}
    for number in range(LAST_CAPABILITY + 1):
        if number not in kept and libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0:
            sys.exit(f"capability {number} cannot be dropped: {os.strerror(ctypes.get_errno())}")


def restrict_memory(deny):
    """Nothing is writable and executable, and nothing becomes executable (systemd.exec(5))."""
    both = mmap.PROT_WRITE | mmap.PROT_EXEC
    deny("mmap", seccomp.Arg(2, seccomp.MASKED_EQ, both, both))
    for call in ("mprotect", "pkey_mprotect"):
        deny(call, seccomp.Arg(2, seccomp.MASKED_EQ, mmap.PROT_EXEC, mmap.PROT_EXEC))
    deny("shmat", seccomp.Arg(2, seccomp.MASKED_EQ, SHM_EXEC, SHM_EXEC))


def restrict_families(settings, deny):
    families = {getattr(socket, word) for line in settings["RestrictAddressFamilies"] for word in line.split()}
    for family in range(socket.AF_VSOCK + 10):
        if family not in families:
            deny("socket", seccomp.Arg(0, seccomp.EQ, family))


def load(default, rules):
    filter = seccomp.SyscallFilter(default)
    rules(filter)
    filter.load()


def main():
    unit, command = sys.argv[1], sys.argv[2:]
    settings, allowed = units.settings(unit), units.allowed_calls(unit)
    refusal = seccomp.ERRNO(getattr(errno, settings["SystemCallErrorNumber"][0]))
    assert settings["NoNewPrivileges"] == settings["MemoryDenyWriteExecute"] == ["yes"]
    drop_capabilities(settings)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)

    def refused(filter):
        def deny(call, argument):
            filter.add_rule(seccomp.ERRNO(errno.EPERM), call, argument)
        restrict_memory(deny)
        restrict_families(settings, deny)

    def listed(filter):
        for call in sorted(allowed):
            if seccomp.resolve_syscall(seccomp.Arch(), call) != -1:
                filter.add_rule(seccomp.ALLOW, call)

    load(seccomp.ALLOW, refused)
    load(refusal, listed)  # the last: it may refuse to be followed by another one
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
