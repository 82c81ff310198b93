"""Runs a command as on a kernel, or in a container, that lacks something: python3 old_kernel.py WITHOUT COMMAND...

WITHOUT is `landlock`, `seccomp` or both with a comma: the system calls fail as they do where they are not known.
"""

import ctypes
import errno
import os
import sys

ALLOW, ERRNO = 0x7FFF0000, 0x00050000
CALLS = {
    "landlock": ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"],
    "seccomp": ["seccomp"],
}
PR_SET_SECCOMP = 22


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("how", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def confine(without):
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Comparison)
    ]

    filter = library.seccomp_init(ALLOW)

    def refuse(name, error, *comparisons):
        number = library.seccomp_syscall_resolve_name(name.encode())
        array = (Comparison * len(comparisons))(*comparisons)
        assert library.seccomp_rule_add_array(filter, ERRNO | error, number, len(comparisons), array) == 0

    for word in without:
        for name in CALLS[word]:
            refuse(name, errno.ENOSYS)
        if word == "seccomp":  # the older way to the same
            refuse("prctl", errno.EINVAL, Comparison(0, 4, PR_SET_SECCOMP, 0))  # 4: equal
    assert library.seccomp_load(filter) == 0


if __name__ == "__main__":
    confine(sys.argv[1].split(","))
    os.execv(sys.argv[2], sys.argv[2:])
