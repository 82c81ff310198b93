"""What the tests of the cache share: its settings, records with a lifetime, and polling that no slow machine breaks.

That an entry has expired is told by the upstream being asked again, and when that may be at the soonest is a matter of
the times at which it was asked: never of how long a test took in between.
"""

import struct
import time

import dns.edns

from . import behaviours, eventually, messages
from .clients import addresses, ask
from .messages import record, wire_name

CACHED_ERROR, STALE, STALE_NXDOMAIN, NOT_AUTHORITATIVE = 13, 3, 19, 20


def cache(**more):
    """Settings: a small cache that ends with its daemon; stale_after is `stale-after`."""
    settings = {"size": "4MiB", "keep": False}
    return settings | {key.replace("_", "-"): value for key, value in more.items()}


def a(address="10.9.8.7", ttl=300, owner=b"\xc0\x0c"):
    return record("A", bytes(int(octet) for octet in address.split(".")), ttl=ttl, owner=owner)


def alias(target, ttl=300, owner=b"\xc0\x0c"):
    return record("CNAME", wire_name(target), ttl=ttl, owner=owner)


def soa(ttl=300, minimum=300, owner="t.test"):
    rdata = wire_name("ns.t.test") + b"\0" + struct.pack("!5I", 1, 3600, 600, 86400, minimum)
    return record("SOA", rdata, ttl, wire_name(owner))


def says(*records, authority=(), additional=(), **how):
    """A behaviour of the upstream: these records."""
    return behaviours.message(lambda asked: messages.reply(asked, records, authority, additional, **how))


def error(code, text=b""):
    return messages.option(messages.EDE, struct.pack("!H", code) + text)


def ttls(answer):
    """Of all records but OPT, section by section."""
    return [rrset.ttl for section in (answer.answer, answer.authority, answer.additional) for rrset in section]


def told(answer):
    """The extended errors of an answer: code and text of each."""
    return [(o.code, o.text or "") for o in answer.options if isinstance(o, dns.edns.EDEOption)]


def asked_types(upstream, name):
    return [query.asked.type for query in upstream.asked(name)]


def gaps(upstream, name):
    """The seconds between the queries for a name."""
    times = [query.time for query in upstream.asked(name)]
    return [later - sooner for sooner, later in zip(times, times[1:])]


def ask_until_asked(sotto, upstream, name, count, patience=20.0, **how):
    """Asks again and again until the upstream has been asked so often; all the answers until then."""
    answers = []

    def enough():
        answers.append(ask(sotto.address, name, **how))
        return len(upstream.asked(name)) >= count

    assert eventually(enough, patience), f"the upstream was asked {len(upstream.asked(name))} times in {patience} s"
    return answers


def expire(sotto, name, qtype="A", patience=20.0, **how):
    """Waits until what is kept of a question has expired, without asking the upstream: RD=0 never does."""
    how = {"flags": 0, **how}
    assert eventually(lambda: ask(sotto.address, name, qtype, **how).rcode() == messages.REFUSED, patience)


def is_told(sotto, name, address, **how):
    return addresses(ask(sotto.address, name, **how)) == [address]


def waits(began):
    return time.monotonic() - began
