"""Conformance: nobody who asks is met with silence (RFC 8906), with RD and without. Each test is named by its row.

Opcodes are in test_conformance_basic.py.
"""

import pytest

from bench import messages
from bench.cached import NOT_AUTHORITATIVE, cache, told
from bench.clients import Head, addresses, ask_wire, parse
from bench.messages import AA, AD, CD, RA, RD, TC, Z, opt, option, query


@pytest.fixture(scope="module")
def sotto(shared, upstream):
    return shared.sotto(upstream, cache=cache(stale="0s"))


UNKNOWN_OPTION = option(65001, b"what is this")
ASKED = {  # what RFC 8906 §8 has testers send
    "plain": {}, "an unknown type": {"qtype": 1000}, "flag Z": {"flags": Z}, "TC": {"flags": TC}, "RA": {"flags": RA},
    "AA": {"flags": AA}, "AD": {"flags": AD}, "CD": {"flags": CD}, "all flags": {"flags": Z | TC | RA | AA | AD | CD},
    "OPT": {"edns": opt()}, "an unknown option": {"edns": opt(options=UNKNOWN_OPTION)},
    "an unknown flag of EDNS": {"edns": opt(flags=0x40)}, "DO": {"edns": opt(flags=messages.DO)},
    "all of EDNS": {"edns": opt(4096, flags=0xFFFF, options=UNKNOWN_OPTION)},
}


def message(what, name, flags):
    how = dict(ASKED[what])
    return query(name, how.pop("qtype", "A"), flags=flags | how.pop("flags", 0), **how)


def kinds(*words):
    return pytest.mark.parametrize("what", [what for what in ASKED if any(word in what for word in words)])


def is_answered_twice(sotto, upstream, what, name, over):
    asked = message(what, name, RD)
    for _ in range(2):
        wire = ask_wire(sotto.address, asked, over)
        assert Head(wire).rcode == messages.NOERROR and not Head(wire).flags & (Z | TC | AA)
        assert parse(wire).options == () and wire[12 : 12 + len(name) + 6] == asked[12 : 12 + len(name) + 6]
    assert len(upstream.asked(name)) == 1
    return True


@kinds("plain", "type")
def test_8906_02_it_is_answered(what, sotto, upstream, over, name):
    assert is_answered_twice(sotto, upstream, what, name, over)


@kinds("flag Z", "TC", "RA", "AA", "AD", "CD", "all flags")
def test_8906_03_a_flag_is_no_reason_for_silence(what, sotto, upstream, over, name):
    assert is_answered_twice(sotto, upstream, what, name, over)


@kinds("OPT", "option", "EDNS", "DO")
def test_8906_04_what_is_unknown_of_edns_is_ignored(what, sotto, upstream, over, name):
    assert is_answered_twice(sotto, upstream, what, name, over)


@pytest.mark.parametrize("flags", [RD, 0], ids=["RD", "no RD"])
def test_8906_04_another_version_of_edns_is_told_ours(flags, sotto, over, name, not_forwarded):
    with not_forwarded():
        answer = parse(ask_wire(sotto.address, query(name, flags=flags, edns=opt(version=1)), over))
    assert (answer.rcode(), answer.edns) == (messages.BADVERS, 0)


@pytest.mark.parametrize("what", ASKED)
def test_8906_06_without_rd_it_is_refused_until_it_is_known(what, sotto, upstream, over, name):
    unasked = message(what, name, 0)
    refused = parse(ask_wire(sotto.address, unasked, over))
    assert refused.rcode() == messages.REFUSED
    assert [code for code, _ in told(refused)] == ([NOT_AUTHORITATIVE] if "edns" in ASKED[what] else [])
    assert not upstream.asked(name)
    ask_wire(sotto.address, message(what, name, RD), over)
    known = ask_wire(sotto.address, unasked, over)
    assert Head(known).rcode == messages.NOERROR and not Head(known).flags & (RD | Z | TC | AA)
    assert len(upstream.asked(name)) == 1
    if ASKED[what].get("qtype") is None:
        assert addresses(parse(known)) == [messages.address_of(name)]
