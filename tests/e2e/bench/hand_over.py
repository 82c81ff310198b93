"""hand_over.py FD... -- COMMAND...: becomes the command, and hands over these descriptors as a service manager does
(sd_listen_fds(3)): from 3 on, without close-on-exec, announced by LISTEN_FDS to this very process."""

import os
import sys

FIRST = 3


def main():
    descriptors = [int(word) for word in sys.argv[1:sys.argv.index("--")]]
    command = sys.argv[sys.argv.index("--") + 1:]
    aside = [os.dup2(fd, 100 + i) for i, fd in enumerate(descriptors)]  # so that none is overwritten by another
    for i, fd in enumerate(aside):
        os.dup2(fd, FIRST + i, inheritable=True)
        os.close(fd)
    os.closerange(FIRST + len(descriptors), 100)
    os.environ.setdefault("LISTEN_PID", str(os.getpid()))
    os.environ.setdefault("LISTEN_FDS", str(len(descriptors)))
    os.execv(command[0], command)


main()
