"""Libraries of ours that are loaded before sotto and answer for the C library: clock_shim.c, machine_shim.c."""

import os
import pathlib
import shutil

from . import clients


def source_of(name):
    return pathlib.Path(__file__).with_name(f"{name}.c")


def environment_with(name, directory):
    """Builds the shim there; what to set for a process that is to load it."""
    built = directory / f"{name}.so"
    compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
    clients.tool(*compiler.split(), "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", built, source_of(name))
    return {
        "LD_PRELOAD": str(built),
        # A program under AddressSanitizer wants to be the first to be loaded.
        "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:verify_asan_link_order=0",
    }
