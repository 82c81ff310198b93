"""Conformance, row by row: options that say who asks, padding, cookies, and extended errors (RFC 7830, 7871, 7873,
8914). Each test is named by its row."""

import struct

import pytest

from bench import behaviours, messages
from bench.cached import a, cache, error, says, told
from bench.clients import addresses, ask, ask_wire, parse
from bench.messages import COOKIE, ECS, PADDING, opt, option, query


@pytest.fixture(scope="module")
def sotto(shared, upstream):
    return shared.sotto(upstream, cache=cache(stale="0s"))


def subnet(family, prefix, scope, address):
    return option(ECS, struct.pack("!HBB", family, prefix, scope) + address)


def all_hear_the_same(sotto, upstream, name, options, over):
    """Who sends one of these options after the other gets the one answer, without any option."""
    for sent in options:
        answer = ask(sotto.address, name, over=over, edns=opt(options=sent))
        assert addresses(answer) == [messages.address_of(name)] and not answer.options
    assert len(upstream.asked(name)) == 1, "an option of a client made another question"
    return True


# ---- 7871: client subnet

SUBNETS = [subnet(1, 0, 0, b""), subnet(1, 24, 0, b"\xc0\0\2"), subnet(2, 56, 0, b"\xfd" + bytes(6)), b""]


def test_7871_02_every_subnet_gets_the_one_answer_and_nothing_of_it_back(sotto, upstream, over, name):
    assert all_hear_the_same(sotto, upstream, name, SUBNETS, over)


MALFORMED_SUBNETS = {
    "no octet": option(ECS), "half a head": option(ECS, b"\0\1"), "family 0": subnet(0, 0, 0, b""),
    "family 3": subnet(3, 24, 0, b"\1\2\3"), "family 65535": subnet(65535, 8, 0, b"\1"),
    "a prefix of 255": subnet(1, 255, 0, b"\xff" * 32), "a prefix of 255 and nothing": subnet(1, 255, 0, b""),
    "an address too short": subnet(1, 24, 0, b"\xc0"), "an address too long": subnet(1, 8, 0, b"\xff" * 200),
    "a scope in a query": subnet(1, 24, 24, b"\xc0\0\2"), "two of them": subnet(1, 8, 0, b"\1") * 2,
}


@pytest.mark.parametrize("what", MALFORMED_SUBNETS)
def test_7871_03_a_subnet_that_makes_no_sense_is_ignored(what, sotto, upstream, over, name):
    assert all_hear_the_same(sotto, upstream, name, [MALFORMED_SUBNETS[what]], over)
    assert ECS not in upstream.asked(name)[0].asked.edns.codes()


def test_7871_01_what_the_upstream_says_of_a_subnet_is_not_passed_on(sotto, upstream, over, name):
    theirs = opt(options=subnet(1, 24, 24, b"\xc0\0\2"))
    upstream.when(name, behaviours.message(lambda asked: messages.derived(asked, edns=theirs)))
    assert all_hear_the_same(sotto, upstream, name, [subnet(1, 24, 0, b"\xc0\0\2"), b""], over)


# ---- 7873, 7830: cookies and padding


def test_7873_03_another_cookie_is_no_other_question(sotto, upstream, over, name):
    cookies = [b"", b"12345678", b"87654321", b"12345678" + bytes(8), b"12345678" + b"\xff" * 32]
    assert all_hear_the_same(sotto, upstream, name, [cookie and option(COOKIE, cookie) for cookie in cookies], over)


@pytest.mark.parametrize("length", [0, 1, 7, 9, 41])
def test_7873_01_a_cookie_of_no_lawful_length_is_ignored_as_well(length, sotto, upstream, over, name):
    assert all_hear_the_same(sotto, upstream, name, [option(COOKIE, b"c" * length)], over)
    assert COOKIE not in upstream.asked(name)[0].asked.edns.codes()


def test_7830_02_padding_makes_no_other_question(sotto, upstream, over, name):
    assert all_hear_the_same(sotto, upstream, name, [option(PADDING, bytes(n)) for n in (0, 1, 100, 400)], over)


def test_7830_02_the_padding_of_the_upstream_reaches_nobody(sotto, upstream, over, name):
    theirs = opt(options=option(PADDING, bytes(300)))
    upstream.when(name, behaviours.message(lambda asked: messages.derived(asked, edns=theirs)))
    asked = query(name, edns=opt(options=option(PADDING)))
    wires = [ask_wire(sotto.address, asked, over) for _ in range(2)]
    assert all(len(wire) == len(asked) - 4 + 16 for wire in wires), "an answer in clear is padded"
    assert len(upstream.asked(name)) == 1


# ---- 8914: extended errors

TEXT_MAX, ERRORS_MAX = 128, 4


def test_8914_01_several_errors_come_in_their_order(sotto, upstream, over, name):
    theirs = [(15, "blocked"), (17, ""), (0, "ä" * 20), (65535, "private")]
    options = b"".join(error(code, text.encode()) for code, text in theirs)
    upstream.when(name, says(a(), edns=opt(options=options)))
    for _ in range(2):
        assert told(ask(sotto.address, name, over=over, edns=opt())) == theirs
    assert ask(sotto.address, name, over=over).edns == -1
    assert len(upstream.asked(name)) == 1


def texts(wire):
    return [text for _, text in told(parse(wire))]


def test_8914_02_a_text_of_60_kb_is_cut_on_a_miss_and_on_a_hit(sotto, upstream, over, name):
    upstream.when(name, says(a(), edns=opt(options=error(15, b"x" * 60000))))
    for _ in range(2):
        assert texts(ask_wire(sotto.address, query(name, edns=opt()), over)) == ["x" * TEXT_MAX]
    assert len(upstream.asked(name)) == 1


def test_8914_02_a_text_is_cut_between_characters(sotto, upstream, over, name):
    upstream.when(name, says(a(), edns=opt(options=error(15, ("x" + "ä" * 100).encode()))))
    for _ in range(2):
        [text] = texts(ask_wire(sotto.address, query(name, edns=opt()), over))
        assert text == "x" + "ä" * ((TEXT_MAX - 1) // 2)


def test_8914_02_of_many_errors_four_come(sotto, upstream, over, name):
    upstream.when(name, says(a(), edns=opt(options=b"".join(error(code) for code in range(1, 60)))))
    for _ in range(2):
        assert [code for code, _ in told(ask(sotto.address, name, over=over, edns=opt()))] == [1, 2, 3, 4][:ERRORS_MAX]
