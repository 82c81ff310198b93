"""What a network does to packets between this namespace and one address, by rules of iptables: it loses some, or all, or those
that are long, and tells nobody."""

import contextlib
import subprocess

from . import netns


def reason_not_to():
    """Why there can be no such rules here; None if there can."""
    if reason := netns.reason_not_to():
        return reason
    space = netns.Namespace()
    try:
        for address in (netns.Link.FAR, netns.Link.FAR6):
            with lossy(space, address, 0.5), black_hole(space, address), mtu_hole(space, address, 1280):
                pass
    except (OSError, subprocess.CalledProcessError) as error:
        return f"iptables cannot be used here: {error}"
    finally:
        space.remove()
    return None


def _iptables(space, address, *arguments):
    netns.run(*space.prefix, "ip6tables" if ":" in address else "iptables", "-w", *arguments)


@contextlib.contextmanager
def _dropping(space, address, *match):
    rules = [("INPUT", "-s", address, *match), ("OUTPUT", "-d", address, *match)]
    with contextlib.ExitStack() as undo:
        for rule in rules:
            _iptables(space, address, "-I", *rule, "-j", "DROP")
            undo.callback(_iptables, space, address, "-D", *rule, "-j", "DROP")
        yield


def black_hole(space, address):
    """A context in which nothing passes, either way: no FIN, no RST, no ICMP."""
    return _dropping(space, address)


def lossy(space, address, share):
    """A context in which this share of the packets of each way is lost."""
    return _dropping(space, address, "-m", "statistic", "--mode", "random", "--probability", str(share))


def mtu_hole(space, address, octets):
    """A context in which no packet longer than this passes, and nobody is told: a path with a smaller MTU whose ICMP is
    filtered. The devices of the link must not join packets (Link.join_no_packets)."""
    return _dropping(space, address, "-m", "length", "--length", f"{octets + 1}:65535")
