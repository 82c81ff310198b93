"""The rows of docs/conformance: message basics (RFC 1034, 1035, 2181, 3597, 9267, 9619), each named by its row.

Every row is asked as a miss. Hits wait for the cache, and with them row 2181-01 (TTLs of one RRset), which speaks of
the cache alone.
"""

import random
import struct

import pytest

from bench import behaviours, clients, messages
from bench.clients import Head, Tcp, Udp, addresses, ask, ask_wire, extended_errors, parse
from bench.daemon import free_port
from bench.messages import header, option, opt, query, question, record, reply, unique_name, wire_name


def random_case(name):
    return "".join(random.choice((letter.upper(), letter)) for letter in name)


# ---- 1035-01: the answer belongs to the question


def test_1035_01_a_thousand_answers_copy_id_question_and_rd(sotto, over):
    with clients.OVER[over](sotto.address) as client:
        for _ in range(1000):
            asked = query(random_case(unique_name("Id")), random.choice(["A", "AAAA", "TXT"]))
            answer = client.ask(asked)
            head = Head(answer)
            assert head.flags == messages.QR | messages.RD | messages.RA
            assert head.counts == (1, 1, 0, 0)
            assert answer[12 : len(asked)] == asked[12:], "the question came back changed"


def test_1035_01_rd_0_is_refused_and_copied(sotto, over, name, not_forwarded):
    with not_forwarded():
        head = Head(ask_wire(sotto.address, query(name, flags=0), over))
    assert head.flags == messages.QR | messages.RA | messages.REFUSED


# ---- 1035-02: size over UDP without EDNS


@pytest.mark.parametrize("octets", [511, 512, 513, 1232, 4096, 65000])
def test_1035_02_an_answer_over_512_octets_is_truncated_and_whole_over_tcp(octets, sotto, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, octets)))
    over_udp = ask_wire(sotto.address, query(name, "TXT"), "udp")
    over_tcp = ask_wire(sotto.address, query(name, "TXT"), "tcp")
    assert len(over_udp) <= 512
    assert Head(over_udp).truncated == (octets > 512)
    assert len(over_tcp) == octets and not Head(over_tcp).truncated
    parse(over_udp), parse(over_tcp)


# ---- 1035-03: frames on a stream


def test_1035_03_a_query_may_come_one_octet_to_a_segment(sotto, name):
    with Tcp(sotto.address) as client:
        client.drip(messages.frame(query(name)))
        assert addresses(parse(client.receive())) == [messages.address_of(name)]


def test_1035_03_the_length_may_come_apart_from_the_message(sotto, name):
    asked = query(name)
    with Tcp(sotto.address) as client:
        client.write(struct.pack("!H", len(asked)))
        assert not client.is_closed(0.2), "the connection was closed over an unfinished read"
        client.write(asked)
        assert addresses(parse(client.receive())) == [messages.address_of(name)]


def test_1035_03_a_hundred_glued_frames_get_a_hundred_answers(sotto):
    asked = {id: unique_name("glued") for id in random.sample(range(65536), 100)}
    with Tcp(sotto.address) as client:
        client.send(*(query(name, id=id) for id, name in asked.items()))
        answers = [parse(client.receive()) for _ in asked]
    assert {answer.id: addresses(answer)[0] for answer in answers} == {
        id: messages.address_of(name) for id, name in asked.items()
    }


# ---- 1035-04: frames too short to be a message


@pytest.mark.parametrize("length", range(12))
def test_1035_04_a_frame_of_0_to_11_octets_closes_its_connection_alone(length, sotto, name):
    with Tcp(sotto.address) as bystander, Tcp(sotto.address) as client:
        bystander.write(messages.frame(query(name))[:7])
        client.write(messages.frame(b"\x12" * length))
        assert client.is_closed()
        bystander.write(messages.frame(query(name))[7:])
        bystander.receive()


# ---- 1035-05: names

QTYPE_QCLASS = struct.pack("!HH", 1, 1)
BAD_NAMES = {
    "a name of 256 octets": messages.name_of_length(256),
    "a label of type 01": b"\x40" + b"l" * 64 + b"\0",
    "a label of type 10": b"\x80" + b"l" * 64 + b"\0",
    "a pointer into the header": b"\xc0\x00",
    "a pointer to itself": b"\xc0\x0c",
    "a pointer after a label": b"\x01a\xc0\x0c",
    "a pointer past the end": b"\xc0\xff",
    "half a pointer": b"\xc0",
    "a label past the end": b"\x3fabc",
}
BAD_QUESTIONS = {
    **{what: name + QTYPE_QCLASS for what, name in BAD_NAMES.items()},
    "a name without its root": b"\x01a",
    "no name": b"",
    "no class": b"\x01a\0\0\1",
}


@pytest.mark.parametrize("what", BAD_QUESTIONS)
def test_1035_05_a_bad_name_in_a_query_is_formerr(what, sotto, over, not_forwarded):
    bad = header(0x1234, messages.RD, 1) + BAD_QUESTIONS[what]
    with not_forwarded():
        head = Head(ask_wire(sotto.address, bad, over))
    assert head.rcode == messages.FORMERR and head.is_answer


@pytest.mark.parametrize("octets", [1, 3, 4, 64, 65, 66, 128, 254, 255])
def test_1035_05_a_name_of_1_to_255_octets_is_answered(octets, sotto, over):
    asked = query(messages.name_of_length(octets))
    answer = ask_wire(sotto.address, asked, over)
    assert Head(answer).rcode == messages.NOERROR
    assert answer[12 : len(asked)] == asked[12:]


def pointer(at):
    return struct.pack("!H", 0xC000 | at)


def with_owner(owner):
    return lambda asked: reply(asked, [record("A", b"\x0a\0\0\1", owner=owner)])


def with_rdata(rtype, rdata, length=None):
    def build(asked):
        rr = record(rtype, rdata)
        if length is not None:
            rr = rr[:10] + struct.pack("!H", length) + rdata
        return reply(asked, [rr])

    return build


BAD_REPLIES = {
    **{f"{what} as owner": with_owner(name) for what, name in BAD_NAMES.items() if "pointer" not in what},
    "a pointer into the header as owner": with_owner(b"\xc0\x00"),
    "a pointer to itself as owner": lambda asked: with_owner(pointer(12 + len(asked.question)))(asked),
    "a pointer to the label before it as owner": lambda asked: with_owner(b"\1a" + pointer(12 + len(asked.question)))(
        asked
    ),
    "a pointer forward as owner": lambda asked: with_owner(pointer(12 + len(asked.question) + 12))(asked),
    "a pointer past the end as owner": with_owner(b"\xff\xff"),
    "half a pointer as owner": lambda asked: reply(asked, counts=(1, 1, 0, 0), edns=b"") + b"\xc0",
    "a CNAME that points to itself": lambda asked: reply(
        asked, [record("CNAME", pointer(12 + len(asked.question) + 12))]
    ),
    "a CNAME longer than its RDATA": with_rdata("CNAME", b"\x03abc\0", 2),
    "a CNAME shorter than its RDATA": with_rdata("CNAME", b"\x03abc\0junk"),
    "an MX without a name": with_rdata("MX", b"\0\1"),
    "an SOA without its numbers": with_rdata("SOA", b"\0\0\0\0"),
}


@pytest.fixture
def bad_then_good(start_upstream, start_sotto):
    """sotto with two upstreams: the first replies as told, the second one well."""

    def begin(bad):
        first, second = start_upstream(otherwise=bad), start_upstream()
        return start_sotto(first, second, timeouts={"attempt": "300ms"}), first

    return begin


@pytest.mark.parametrize("what", BAD_REPLIES)
def test_1035_05_a_reply_with_a_bad_name_does_not_count(what, bad_then_good, name):
    sotto, bad = bad_then_good(behaviours.message(BAD_REPLIES[what]))
    assert addresses(ask(sotto.address, name)) == [messages.address_of(name)]
    assert bad.asked(name)


# ---- 1035-06, 1035-07, 1035-08: what a query may say of itself


def test_1035_06_an_answer_sent_to_us_is_never_answered(sotto, over, name, not_forwarded):
    with clients.OVER[over](sotto.address) as client, not_forwarded():
        client.send(query(name, id=1, flags=messages.QR | messages.RD))
        if over == "udp":
            client.ask(query(unique_name("fence"), flags=0))
            assert client.receive(0.5) is None
        else:
            assert not client.is_closed(0.5) or not client.receive(0.5)


@pytest.mark.parametrize("flags", [messages.Z, messages.AA, messages.RA, messages.TC, messages.Z | messages.AA | messages.RA | messages.TC], ids=hex
)
def test_1035_07_odd_flags_in_a_query_are_ignored(flags, sotto, upstream, over, name):
    answer = Head(ask_wire(sotto.address, query(name, flags=messages.RD | flags), over))
    assert answer.flags == messages.QR | messages.RD | messages.RA
    assert upstream.asked(name)[0].asked.flags == messages.RD


@pytest.mark.parametrize("flags", [messages.AA, messages.Z, messages.AA | messages.Z], ids=hex)
def test_1035_07_aa_and_z_of_a_reply_are_cleared(flags, sotto, upstream, over, name):
    upstream.when(name, behaviours.message(lambda asked: messages.derived(asked, flags=flags)))
    assert Head(ask_wire(sotto.address, query(name), over)).flags == messages.QR | messages.RD | messages.RA


def test_1035_07_ra_is_set_whatever_the_upstream_says(sotto, upstream, over, name):
    def without_ra(asked):
        wire = bytearray(messages.derived(asked))
        wire[3] &= 0x7F
        return bytes(wire)

    upstream.when(name, behaviours.message(without_ra))
    assert Head(ask_wire(sotto.address, query(name), over)).flags == messages.QR | messages.RD | messages.RA


@pytest.mark.parametrize("qclass", [0, 2, messages.CH, messages.HS, messages.NONE, messages.ANY_CLASS, 65535])
def test_1035_08_a_class_other_than_in_is_refused(qclass, sotto, over, name, not_forwarded):
    with not_forwarded():
        answer = ask_wire(sotto.address, query(name, qclass=qclass), over)
    assert Head(answer).rcode == messages.REFUSED


def test_1035_08_our_version_is_not_told(sotto, over, not_forwarded):
    with not_forwarded():
        answer = ask_wire(sotto.address, query("version.bind", "TXT", qclass=messages.CH), over)
    assert Head(answer).rcode == messages.REFUSED and Head(answer).counts[1] == 0


# ---- 1035-09, 2181-02: TTLs


def with_ttls(*ttls):
    return behaviours.message(
        lambda asked: reply(asked, [record("A", bytes([10, 0, 0, n]), ttl=ttl) for n, ttl in enumerate(ttls)])
    )


@pytest.mark.parametrize("ttl", [0, 1, 10, 86400])
def test_1035_09_a_fresh_answer_keeps_its_ttl(ttl, sotto, upstream, over, name):
    upstream.when(name, with_ttls(ttl))
    assert ask(sotto.address, name, over=over).answer[0].ttl == ttl


def test_1035_09_ttl_0_is_not_used_for_a_later_query(sotto, upstream, name):
    upstream.when(name, with_ttls(0))
    ask(sotto.address, name), ask(sotto.address, name)
    assert len(upstream.asked(name)) == 2


@pytest.mark.parametrize("ttl", [0x80000000, 0x80000001, 0xFFFFFFFF], ids=hex)
def test_2181_02_a_ttl_with_the_top_bit_is_0(ttl, sotto, upstream, over, name):
    upstream.when(name, with_ttls(ttl))
    assert ask(sotto.address, name, over=over).answer[0].ttl == 0


def test_2181_02_an_absurd_ttl_is_at_most_a_week(sotto, upstream, over, name):
    upstream.when(name, with_ttls(0x7FFFFFFF))
    assert 0 < ask(sotto.address, name, over=over).answer[0].ttl <= 7 * 86400


# ---- 2181-03: a truncated reply


@pytest.mark.parametrize("records", [0, 1])
def test_2181_03_a_truncated_reply_is_never_passed_on_as_a_whole_one(records, sotto, upstream, name):
    def partial(asked):
        return reply(asked, [record("A", b"\x0a\0\0\1")] * records, flags=messages.TC)

    whole = behaviours.answer(record("A", b"\x0a\0\0\1"), record("A", b"\x0a\0\0\2"))
    upstream.when(name, behaviours.first_then(behaviours.message(partial), whole))
    answer = parse(ask_wire(sotto.address, query(name), "tcp"))
    if answer.rcode() == messages.NOERROR and not answer.flags & messages.TC:
        assert addresses(answer) == ["10.0.0.1", "10.0.0.2"]
    assert addresses(parse(ask_wire(sotto.address, query(name), "tcp"))) == ["10.0.0.1", "10.0.0.2"]


# ---- 2181-04: labels are octets

ODD_LABELS = [b"\0", b" ", b"\xff", b".", b"a\0b", b"\\", b'"', b"\x80\xc0", b"\xc3\x84", bytes(range(63))]


@pytest.mark.parametrize("label", ODD_LABELS, ids=lambda label: label[:4].hex())
def test_2181_04_any_octet_may_stand_in_a_label(label, sotto, upstream, over):
    name = bytes([len(label)]) + label + wire_name(unique_name())
    asked = query(name)
    answer = ask_wire(sotto.address, asked, over)
    assert answer[12 : len(asked)] == asked[12:]
    assert Head(answer).counts[1] == 1
    assert upstream.queries[-1].asked.owner == name


def test_2181_04_a_label_does_not_end_at_its_zero_octet(sotto, name):
    tail = wire_name(name)
    plain, zero = (ask_wire(sotto.address, query(label + tail)) for label in (b"\1a", b"\3a\0b"))
    assert plain[-4:] != zero[-4:], "two names got one answer"


# ---- 2181-05: the answer comes from the address that was asked


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.2", "127.8.7.6"])
def test_2181_05_a_wildcard_listener_answers_from_the_address_asked(asked, wildcard, over, name):
    assert addresses(ask((asked, wildcard.port), name, over=over)) == [messages.address_of(name)]


@pytest.fixture(scope="module")
def wildcard(shared, upstream):
    return shared.sotto(upstream, listen=[f"0.0.0.0:{free_port('0.0.0.0')}"])


# ---- 3597: types that nobody knows


def test_3597_01_rdata_of_an_unknown_type_is_opaque(sotto, upstream, over, name):
    rdata = b"\xc0\x0c\xc0\xff\x40"
    upstream.when(name, behaviours.answer(record(65280, rdata)))
    answer = ask_wire(sotto.address, query(name, 65280), over)
    assert answer.endswith(struct.pack("!H", len(rdata)) + rdata)


# Types whose RDATA must hold a name, and types that ask for something else than a record of that type.
NOT_OPAQUE = {2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15}
NOT_DATA = {0, 41, *range(249, 256)}


@pytest.mark.parametrize("first", range(0, 65536, 8192))
def test_3597_01_every_type_passes_with_any_rdata(first, sotto, upstream, name):
    rdata = bytes(random.getrandbits(8) for _ in range(16))
    sizes = {1: 4, 28: 16}
    upstream.when(
        name,
        behaviours.message(lambda asked: reply(asked, [record(asked.type, rdata[: sizes.get(asked.type, 16)])])),
    )
    types = [t for t in range(first, first + 8192) if t not in NOT_OPAQUE | NOT_DATA]
    with Tcp(sotto.address) as client:
        for at in range(0, len(types), 128):
            batch = types[at : at + 128]
            client.send(*(query(name, t, id=t) for t in batch))
            seen = set()
            for _ in batch:
                answer = client.receive()
                qtype = Head(answer).id
                seen.add(qtype)
                assert answer.endswith(rdata[: sizes.get(qtype, 16)]) and Head(answer).counts[1] == 1, qtype
            assert seen == set(batch)


def rrsig(signer, covered="A"):
    return struct.pack("!HBBIIIH", messages.type_number(covered), 13, 2, 300, 2**31, 2**30, 7) + signer + b"s" * 64


UNCOMPRESSED = {
    "SRV": lambda owner: struct.pack("!HHH", 1, 2, 53) + owner,
    "NAPTR": lambda owner: struct.pack("!HH", 1, 2) + b"\1u\3abc\0" + owner,
    "DNAME": lambda owner: owner,
    "SVCB": lambda owner: b"\0\1" + owner,
    "RRSIG": rrsig,
}


@pytest.mark.parametrize("qtype", UNCOMPRESSED)
def test_3597_02_names_in_newer_rdata_are_not_compressed(qtype, sotto, upstream, over, name):
    rdata = UNCOMPRESSED[qtype](wire_name(name))
    upstream.when(name, behaviours.answer(record(qtype, rdata, owner=wire_name(name))))
    answer = ask_wire(sotto.address, query(name, qtype), over)
    assert answer.endswith(struct.pack("!H", len(rdata)) + rdata)
    parse(answer)


# ---- 9619: one question

TWO_QUESTIONS = {
    "of two names": question("a.test") + question("b.test"),
    "of two types": question("a.test") + question("a.test", "AAAA"),
    "of two classes": question("a.test") + question("a.test", "A", messages.CH),
    "twice the same": question("a.test") * 2,
}


@pytest.mark.parametrize("what", TWO_QUESTIONS)
def test_9619_01_two_questions_are_formerr(what, sotto, over, not_forwarded):
    with not_forwarded():
        head = Head(ask_wire(sotto.address, header(7, messages.RD, 2) + TWO_QUESTIONS[what], over))
    assert head.rcode == messages.FORMERR


@pytest.mark.parametrize("extra", [b"", opt(options=option(messages.COOKIE, b"12345678"))], ids=["bare", "with a cookie"])
def test_9619_02_no_question_is_formerr(extra, sotto, over, not_forwarded):
    with not_forwarded():
        head = Head(ask_wire(sotto.address, header(8, messages.RD, 0, additional=1 if extra else 0) + extra, over))
    assert head.rcode == messages.FORMERR


# ---- 9267-01: the six anti-patterns, in a query and in a reply

ONE = question("a.test")
A_RECORD = record("A", b"\x0a\0\0\1")
BAD_QUERIES = {
    "a pointer past the end in a record": header(9, messages.RD, 1, additional=1) + ONE + record("A", b"1234", owner=b"\xc0\xff"),
    "a pointer to itself in a record": header(9, messages.RD, 1, additional=1)
    + ONE
    + record("A", b"1234", owner=pointer(12 + len(ONE))),
    "a label of 64 octets": header(9, messages.RD, 1) + b"\x40" + b"l" * 64 + b"\0" + QTYPE_QCLASS,
    "a name of 256 octets": header(9, messages.RD, 1) + messages.name_of_length(256) + QTYPE_QCLASS,
    "a name without its end": header(9, messages.RD, 1) + b"\x3f" + b"l" * 63,
    "RDLENGTH past the end": header(9, messages.RD, 1, additional=1) + ONE + A_RECORD[:-6] + b"\xff\xff1234",
    "a record cut in its head": header(9, messages.RD, 1, additional=1) + ONE + A_RECORD[:7],
    "more records than octets": header(9, messages.RD, 1, 65535, 65535, 65535) + ONE,
    "more questions than octets": header(9, messages.RD, 65535),
    "trailing octets": query("a.test", trailing=b"\0"),
}


@pytest.mark.parametrize("what", BAD_QUERIES)
def test_9267_01_a_malformed_query_is_formerr(what, sotto, over, not_forwarded):
    with not_forwarded():
        head = Head(ask_wire(sotto.address, BAD_QUERIES[what], over))
    assert head.rcode == messages.FORMERR and head.is_answer


MALFORMED_REPLIES = {
    "a pointer past the end": with_owner(b"\xc0\xff"),
    "a label past the end": with_owner(b"\x3fabc"),
    "a name of 256 octets": with_owner(messages.name_of_length(256)),
    "a name without its end": lambda asked: reply(asked, counts=(1, 1, 0, 0), edns=b"") + b"\x3f" + b"l" * 63,
    "RDLENGTH past the end": with_rdata("A", b"1234", 65535),
    "a record cut in its head": lambda asked: reply(asked, counts=(1, 1, 0, 0), edns=b"") + A_RECORD[:7],
    "more records than octets": lambda asked: reply(asked, counts=(1, 65535, 65535, 65535), edns=b""),
    "fewer records than octets": lambda asked: reply(asked, [A_RECORD], counts=(1, 0, 0, 0), edns=b""),
    "trailing octets": lambda asked: messages.derived(asked) + b"\0",
    "a header cut short": lambda asked: messages.derived(asked)[:11],
    "a question cut short": lambda asked: messages.derived(asked)[:20],
    "an option past its OPT": lambda asked: reply(asked, [A_RECORD], edns=opt(options=b"\0\x0f\0\x09xx")),
    "two OPT records": lambda asked: reply(asked, [A_RECORD], edns=opt(), additional=[opt()]),
}


@pytest.mark.parametrize("what", MALFORMED_REPLIES)
def test_9267_01_a_malformed_reply_does_not_count(what, bad_then_good, name):
    sotto, bad = bad_then_good(behaviours.message(MALFORMED_REPLIES[what]))
    assert addresses(ask(sotto.address, name)) == [messages.address_of(name)]
    assert bad.asked(name)


# ---- zone transfers, other opcodes, ANY


@pytest.mark.parametrize("qtype", ["AXFR", "IXFR"])
def test_axfr_and_ixfr_are_refused_as_not_supported(qtype, sotto, over, name, not_forwarded):
    with not_forwarded():
        answer = parse(ask_wire(sotto.address, query(name, qtype, edns=opt()), over))
    assert answer.rcode() == messages.REFUSED
    assert extended_errors(answer) == [21]


@pytest.mark.parametrize("opcode", range(1, 16))
def test_8906_another_opcode_is_notimp_never_silence(opcode, sotto, over, name, not_forwarded):
    with not_forwarded():
        head = Head(ask_wire(sotto.address, query(name, flags=opcode << 11 | messages.RD), over))
    assert head.rcode == messages.NOTIMP
    assert head.flags >> 11 & 15 == opcode


def test_8482_any_over_udp_is_sent_to_tcp(sotto, name, not_forwarded):
    asked = query(name, "ANY")
    with not_forwarded():
        answer = ask_wire(sotto.address, asked, "udp")
    assert Head(answer).truncated and len(answer) <= 3 * len(asked)


def test_8482_any_over_tcp_is_forwarded(sotto, upstream, name):
    ask_wire(sotto.address, query(name, "ANY"), "tcp")
    assert len(upstream.asked(name)) == 1


def test_a_datagram_shorter_than_a_header_is_dropped(sotto, name):
    with Udp(sotto.address) as client:
        for length in range(12):
            client.send(b"\x12" * length)
        assert Head(client.ask(query(name))).rcode == messages.NOERROR
        assert client.receive(0.3) is None


# ---- 5625-05: who may ask


@pytest.fixture(scope="module")
def closed(shared, upstream):
    return shared.sotto(upstream, allow=["127.0.0.1"], listen=[f"0.0.0.0:{free_port('0.0.0.0')}"])


@pytest.mark.parametrize("edns", [None, opt()], ids=["plain", "with OPT"])
def test_5625_05_who_may_not_ask_is_refused(edns, closed, upstream, over, name):
    with clients.OVER[over](("127.0.0.1", closed.port), source="127.0.0.9") as outsider:
        answer = parse(outsider.ask(query(name, edns=edns)))
    assert answer.rcode() == messages.REFUSED
    assert extended_errors(answer) == ([18] if edns else [])
    assert not upstream.asked(name)
    assert ask(("127.0.0.1", closed.port), name, over=over).rcode() == messages.NOERROR
