"""Conformance, row by row: what must hold of a hit as of a miss. Each test asks twice, and the upstream hears once."""

import collections
import struct

import dns.flags
import pytest

from bench import behaviours, clients, messages
from bench.cached import a, cache, error, says, soa, told, ttls
from bench.clients import Head, Tcp, addresses, ask_wire, parse
from bench.messages import AA, AD, CD, DO, NXDOMAIN, QR, RA, RD, TC, Z, opt, option, query, record, reply, wire_name


@pytest.fixture(scope="module")
def sotto(shared, upstream):
    return shared.sotto(upstream, cache=cache(stale="0s"))


@pytest.fixture
def twice(sotto, upstream, over):
    """Asks twice: the answer of a miss, then that of a hit."""

    def ask(name, qtype="A", over=over, **how):
        before = len(upstream.asked(name))
        wires = [ask_wire(sotto.address, query(name, qtype, **how), over) for _ in range(2)]
        assert len(upstream.asked(name)) == before + 1, "the second answer was no hit"
        return wires

    return ask


def test_1035_01_a_hit_has_its_own_id_and_the_spelling_of_its_client(twice, name):
    spelled = name.swapcase()
    for wire in twice(spelled, id=0x1234):
        assert wire[:2] == b"\x12\x34" and Head(wire).flags == QR | RD | RA
        assert wire[12 : 12 + len(spelled) + 6] == messages.question(spelled)


@pytest.mark.parametrize("octets", [512, 513, 4096])
def test_1035_02_a_hit_over_512_octets_is_truncated_too(octets, twice, over, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, octets)))
    for wire in twice(name, "TXT"):
        assert Head(wire).truncated == (over == "udp" and octets > 512)
        assert len(wire) <= 512 if over == "udp" else len(wire) == octets


def test_1035_03_glued_frames_are_all_answered_from_the_cache(sotto, upstream, name):
    ask_wire(sotto.address, query(name))
    with Tcp(sotto.address) as client:
        client.send(*(query(name, id=id) for id in range(1000)))
        assert {Head(client.receive()).id for _ in range(1000)} == set(range(1000))
    assert len(upstream.asked(name)) == 1


@pytest.mark.parametrize("theirs", [0, AA, Z, AA | Z], ids=hex)
def test_1035_07_aa_and_z_are_clear_and_ra_is_set_on_a_hit_as_on_a_miss(theirs, twice, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.derived(asked, flags=theirs)))
    for wire in twice(name, flags=RD | AA | Z | RA | TC):
        assert Head(wire).flags == QR | RD | RA


def test_1035_09_the_ttl_of_a_hit_is_no_longer_than_that_of_the_miss(twice, upstream, name):
    upstream.when(name, says(a(ttl=100)))
    miss, hit = (ttls(parse(wire))[0] for wire in twice(name))
    assert 40 < hit <= miss == 100


def test_2181_02_an_absurd_ttl_is_a_day_on_a_hit_too(twice, upstream, name):
    upstream.when(name, says(a(ttl=0x7FFFFFFF)))
    assert all(86000 < ttls(parse(wire))[0] <= 86400 for wire in twice(name))


@pytest.mark.parametrize("rdata", [b"\xc0\x0c\xc0\xff\x40", b"", bytes(range(256))], ids=["pointers", "none", "all"])
def test_3597_01_rdata_of_an_unknown_type_is_the_same_on_a_hit(rdata, twice, upstream, name):
    upstream.when(name, behaviours.answer(record(65280, rdata)))
    for wire in twice(name, 65280):
        assert wire.endswith(struct.pack("!H", len(rdata)) + rdata)


# What the types of RFC 1035 that hold names must have there (here the root), and types that are not asked for as data.
ROOT = b"\0"
SHAPED = {
    1: b"\x0a\0\0\1", 28: bytes(16), 6: ROOT * 2 + bytes(20), 14: ROOT * 2, 15: b"\0\1" + ROOT,
    **{t: ROOT for t in (2, 3, 4, 5, 7, 8, 9, 12)},
}
NOT_KEPT = {0, *range(128, 255)}  # meta types (RFC 6895 §3.1), but for ANY
NOT_FORWARDED = {41: messages.FORMERR, 251: messages.REFUSED, 252: messages.REFUSED}


def rdata_of(qtype):
    return SHAPED.get(qtype, bytes((qtype * 31 + at * 7) & 0xFF for at in range(16)))


BATCH = 128


def test_3597_01_all_65536_types_pass_and_a_quarter_of_them_twice(start_sotto, upstream, name):
    sotto = start_sotto(upstream, cache=cache(size="64MiB"), timeouts={"query": "60s", "upstream-silent": "30s"})
    upstream.when(name, behaviours.message(lambda asked: reply(asked, [record(asked.type, rdata_of(asked.type))])))
    with Tcp(sotto.address) as client:
        for first in range(0, 65536, BATCH):
            types = range(first, first + BATCH)
            for _ in range(2 if first // BATCH % 8 < 2 else 1):  # the lowest types among those that are asked twice
                client.send(*(query(name, t, id=t) for t in types))
                answers = [client.receive() for _ in types]
                assert {Head(answer).id for answer in answers} == set(types)
                for answer in answers:
                    head = Head(answer)
                    if head.id in NOT_FORWARDED:
                        assert head.rcode == NOT_FORWARDED[head.id]
                    else:
                        assert head.counts[1] == 1 and answer.endswith(rdata_of(head.id)), head.id
    asked = collections.Counter(q.asked.type for q in upstream.asked(name))
    assert set(asked) == set(range(65536)) - set(NOT_FORWARDED)
    again = {t for t, count in asked.items() if count > 1}
    assert again >= NOT_KEPT - set(NOT_FORWARDED)
    assert len(again - NOT_KEPT) < 1000, "too many for a slow machine, where what is late is asked for once more"


UNCOMPRESSED = {
    "SRV": lambda owner: struct.pack("!HHH", 1, 2, 53) + owner,
    "NAPTR": lambda owner: struct.pack("!HH", 1, 2) + b"\1u\3abc\0" + owner,
    "DNAME": lambda owner: owner,
    "SVCB": lambda owner: b"\0\1" + owner,
}


@pytest.mark.parametrize("qtype", UNCOMPRESSED)
def test_3597_02_names_in_newer_rdata_stay_written_out_in_the_cache(qtype, twice, upstream, name):
    rdata = UNCOMPRESSED[qtype](wire_name(name))
    upstream.when(name, behaviours.answer(record(qtype, rdata)))
    for wire in twice(name, qtype):
        assert wire.endswith(struct.pack("!H", len(rdata)) + rdata)


@pytest.mark.parametrize("octets", [1000, 4000])
def test_5625_02_a_hit_is_as_long_as_the_client_and_the_configuration_take(octets, start_sotto, upstream, name):
    sotto = start_sotto(upstream, cache=cache(), **{"udp-size": 4096})
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, octets)))
    for _ in range(2):
        wire = ask_wire(sotto.address, query(name, "TXT", edns=opt(4096)))
        assert len(wire) == octets + len(opt()) and not Head(wire).truncated
    assert len(upstream.asked(name)) == 1


RCODES = [*range(24), 3841, 4095]


def test_5625_01_every_rcode_passes_and_is_remembered_as_what_it_is(sotto, upstream, over, name):
    """Failures are remembered for a second only, so all are asked at once, and then again."""
    names = {rcode: f"rcode-{rcode}.{name}" for rcode in RCODES}
    for rcode, asked in names.items():
        upstream.when(asked, says(authority=[soa()], rcode=rcode, edns=opt(rcode_high=rcode >> 4)))
    with clients.OVER[over](sotto.address) as client:
        for _ in range(2):
            for rcode, asked in names.items():
                assert parse(client.ask(query(asked, edns=opt()))).rcode() == rcode
    kept = (messages.NOERROR, NXDOMAIN)
    assert all(len(upstream.asked(names[rcode])) == 1 for rcode in kept)


@pytest.mark.parametrize("edns", [None, opt(), opt(flags=DO)], ids=["no OPT", "OPT", "DO"])
def test_6891_01_a_hit_has_opt_if_and_only_if_the_query_had(edns, twice, name):
    for wire in twice(name, edns=edns):
        answer = parse(wire)
        assert (answer.edns == 0) == bool(edns) and addresses(answer) == [messages.address_of(name)]


@pytest.mark.parametrize("version", [1, 100])
def test_6891_02_a_newer_version_is_badvers_also_of_what_is_kept(version, twice, sotto, upstream, over, name):
    twice(name)
    wire = ask_wire(sotto.address, query(name, edns=opt(version=version)), over)
    answer = parse(wire)
    assert (answer.rcode(), answer.edns, Head(wire).counts) == (messages.BADVERS, 0, (1, 0, 0, 1))
    assert len(upstream.asked(name)) == 1


def test_6891_03_options_are_ignored_and_do_not_come_back_on_a_hit(twice, name):
    unknown = b"".join(option(65001 + n, b"x" * n) for n in range(8))
    for wire in twice(name, edns=opt(options=unknown)):
        assert addresses(parse(wire)) == [messages.address_of(name)] and not parse(wire).options


def test_6891_05_unknown_flags_come_back_as_0_on_a_hit(twice, name):
    assert all(parse(wire).ednsflags & 0xFFFF == DO for wire in twice(name, edns=opt(flags=0xFFFF)))


@pytest.mark.parametrize("size", [0, 511, 512])
def test_6891_06_a_size_under_512_means_512_on_a_hit(size, twice, over, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 501)))
    for wire in twice(name, "TXT", "udp", edns=opt(size)):
        assert len(wire) == 512 and not Head(wire).truncated


def test_tc_01_a_truncated_hit_has_whole_rrsets_and_opt(twice, over, upstream, name):
    first = [record("A", struct.pack("!I", 0x0A000000 + n)) for n in range(20)]
    upstream.when(name, says(*first, *messages.texts(2000)))
    for wire in twice(name, "A", "udp", edns=opt()):
        answer = parse(wire)
        assert answer.flags & dns.flags.TC and answer.edns == 0
        assert len(addresses(answer)) == 20 and Head(wire).counts[1] == 20


@pytest.mark.parametrize("error_text", [b"", b"filtered"], ids=["no text", "text"])
def test_8914_01_errors_of_the_upstream_come_with_a_hit_to_who_sent_opt(error_text, twice, upstream, name):
    theirs = opt(options=error(17, error_text) + error(4))
    upstream.when(name, says(authority=[soa()], rcode=NXDOMAIN, edns=theirs))
    for wire in twice(name, edns=opt()):
        assert told(parse(wire)) == [(17, error_text.decode()), (4, "")]
    for wire in twice("plain." + name):
        assert parse(wire).edns == -1


def test_8906_03_flags_are_no_reason_not_to_answer(twice, sotto, name):
    for flags in (Z, TC, RA, AA, AD, CD, Z | TC | RA | AA | AD):
        for wire in twice(f"f{flags}.{name}", flags=RD | flags):
            assert addresses(parse(wire)) and not Head(wire).flags & Z


MALFORMED = {
    "a name of 256 octets": lambda asked: reply(asked, [a("10.6.6.6"), a("10.6.6.6", owner=messages.name_of_length(256))]),
    "a pointer to itself": lambda asked: reply(
        asked, [a("10.6.6.6", owner=struct.pack("!H", 0xC000 | 12 + len(asked.question)))]
    ),
    "RDLENGTH past the end": lambda asked: reply(asked, [a("10.6.6.6"), a("10.6.6.6")[:-6] + b"\xff\xff\1\2\3\4"], edns=b""),
    "more records than octets": lambda asked: reply(asked, [a("10.6.6.6")], counts=(1, 65535, 65535, 65535), edns=b""),
    "a record too many": lambda asked: reply(asked, [a("10.6.6.6")] * 2, counts=(1, 1, 0, 0), edns=b""),
}


@pytest.fixture(scope="module")
def bad_then_good(shared):
    bad, good = shared.upstream(), shared.upstream()
    return shared.sotto(bad, good, cache=cache(stale="0s")), bad, good


def test_9267_01_a_malformed_reply_leaves_nothing_behind_in_the_cache(bad_then_good, over, name):
    sotto, bad, good = bad_then_good
    for number, build in enumerate(MALFORMED.values()):
        asked = f"{number}.{name}"
        bad.when(asked, behaviours.message(build))
        for _ in range(2):
            assert addresses(parse(ask_wire(sotto.address, query(asked), over))) == [messages.address_of(asked)]
        assert len(good.asked(asked)) == 1
