"""What compiler and linker were asked for, in meson.build, is in the release. Each claim is also made of a program that was
built without it, and must be wrong there."""

import re
import subprocess

import pytest

from bench import daemon
from bench.elf import ENDBR64, Program, readelf

# Their checked forms take no size that might be unknown: wherever one of these is called, it can be the checked one.
ALWAYS_CHECKED = {"printf", "fprintf", "vprintf", "vfprintf", "vsnprintf", "sprintf", "vsprintf"}
CODE = {".init", ".plt", ".plt.got", ".plt.sec", ".text", ".fini"}

SOURCE = r"""
#include <stdio.h>
#include <string.h>
int main(int n, char **v)
{
	char text[64];
	memcpy(text, v[0], (size_t)n);
	return printf("%s%n", text, &n);
}
#ifdef ABSOLUTE
__asm__(".text; .quad pointed_to; .data; pointed_to: .quad 0; .text");
#endif
#ifdef WRITABLE
__asm__(".section .both,\"awx\"; .quad 0; .text");
#endif
"""


def is_position_independent(p):
    return "DYN (Position-Independent" in p.header and re.search(r"FLAGS_1\).*\bPIE\b", p.dynamic)


def has_all_relocations_read_only(p):
    return p.of_kind("GNU_RELRO") and re.search(r"\(FLAGS\).*\bBIND_NOW\b", p.dynamic)


def has_no_executable_stack(p):
    return ["E" in segment.flags for segment in p.of_kind("GNU_STACK")] == [False]


def has_no_path_to_libraries(p):
    return not re.search(r"\((RPATH|RUNPATH)\)", p.dynamic)


def guards_its_stack(p):
    return "__stack_chk_fail" in p.undefined


def prints_by_checked_functions_only(p):
    return not p.undefined & ALWAYS_CHECKED and {"__fprintf_chk", "__printf_chk"} & p.undefined


def copies_by_checked_functions(p):
    return "__memcpy_chk" in p.undefined


def marks_where_jumps_may_land(p):
    return p.first_octets("main", len(ENDBR64)) == ENDBR64


def keeps_code_apart(p):
    with_code = [segment for segment in p.of_kind("LOAD") if "E" in segment.flags]
    return len(with_code) == 1 and with_code[0].offset > 0 and set(with_code[0].sections) <= CODE


def has_nothing_writable_and_executable(p):
    return not any({"W", "E"} <= segment.flags for segment in p.segments)


def has_no_relocations_in_code(p):
    return "TEXTREL" not in p.dynamic


WITHOUT = {
    is_position_independent: ["-no-pie"],
    has_all_relocations_read_only: ["-Wl,-z,lazy"],
    has_no_executable_stack: ["-Wl,-z,execstack"],
    has_no_path_to_libraries: ["-Wl,-rpath,/tmp"],
    guards_its_stack: ["-fno-stack-protector"],
    prints_by_checked_functions_only: ["-U_FORTIFY_SOURCE"],
    copies_by_checked_functions: ["-U_FORTIFY_SOURCE"],
    marks_where_jumps_may_land: ["-fcf-protection=none"],
    keeps_code_apart: ["-Wl,-z,noseparate-code"],
    has_nothing_writable_and_executable: ["-DWRITABLE"],
    has_no_relocations_in_code: ["-DABSOLUTE", "-Wl,-z,notext"],
}


@pytest.fixture(scope="module")
def release():
    program = Program(daemon.RELEASE)
    if "__asan_init" in program.undefined:
        pytest.skip("no release to look at: see ./run build")
    return program


def build(folder, *flags):
    (folder / "main.c").write_text(SOURCE)
    everything = [
        "-O2", "-fPIE", "-pie", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-fcf-protection=full",
        "-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code",
    ]
    done = subprocess.run(
        ["gcc", "-w", *everything, *flags, "main.c", "-o", "main"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return Program(folder / "main")


def applies_here(claim):
    """Other processors have other marks."""
    return claim is not marks_where_jumps_may_land or "X86-64" in readelf("-h", daemon.RELEASE)


@pytest.mark.parametrize("claim", WITHOUT, ids=lambda claim: claim.__name__)
def test_the_release(claim, release, tmp_path):
    if not applies_here(claim):
        pytest.skip("not on this processor")
    assert claim(release)
    assert claim(build(tmp_path)), "the claim is wrong of a program that has everything"
    assert not claim(build(tmp_path, *WITHOUT[claim])), "the claim holds of a program without it"


def test_the_release_says_that_control_flow_is_protected_if_the_platform_does(release):
    """The linker takes the note away when one of the objects lacks it, as the C library's of Debian 12 do."""
    asked = subprocess.run(["gcc", "-print-file-name=crt1.o"], capture_output=True, text=True, check=True)
    for mark in ("IBT", "SHSTK"):
        if mark in readelf("-n", asked.stdout.strip()):
            assert re.search(rf"x86 feature:.*\b{mark}\b", release.notes)
