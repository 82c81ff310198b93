"""Conformance, row by row: message basics (RFC 1034, 1035, 2181, 3597, 9267, 9619). Each test is named by its row.

Every row is asked as a miss; what the cache has to do with them is in test_cache.py.
"""

import random
import socket
import struct

import pytest

from bench import behaviours, clients, messages
from bench.clients import Head, Tcp, Udp, addresses, ask, ask_wire, extended_errors, parse
from bench.daemon import free_port
from bench.messages import header, option, opt, query, question, record, reply, unique_name, wire_name


def random_case(name):
    return "".join(random.choice((letter.upper(), letter)) for letter in name)


def refused_on_the_spot(client):
    """Asks what is refused without anybody being asked, and says whether that answer is the next one to come."""
    fence = query(unique_name("fence"), flags=0)
    client.send(fence)
    answer = client.receive()
    return answer is not None and answer[:2] == fence[:2] and Head(answer).rcode == messages.REFUSED


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


@pytest.mark.parametrize("respelled", [bytes.lower, bytes.upper], ids=["lower", "upper"])
def test_1035_01_the_spelling_is_the_client_s_whatever_the_upstream_s_is(respelled, sotto, upstream, over, name):
    def in_its_own_spelling(asked):
        return messages.derived(asked, question=respelled(asked.owner) + asked.question[-4:])

    upstream.when(name, behaviours.message(in_its_own_spelling))
    asked = query(random_case(name))
    answer = ask_wire(sotto.address, asked, over)
    assert answer[12 : len(asked)] == asked[12:]
    assert addresses(parse(answer)) == [messages.address_of(name)]


def test_1035_01_rd_0_is_refused_and_copied(sotto, over, name, not_forwarded):
    with not_forwarded():
        head = Head(ask_wire(sotto.address, query(name, flags=0), over))
    assert head.flags == messages.QR | messages.RA | messages.REFUSED


# ---- 1035-02: size over UDP without EDNS


@pytest.mark.parametrize("octets", [511, 512, 513, 1232, 4096, 65000])
def test_1035_02_an_answer_over_512_octets_is_truncated_and_whole_over_tcp(octets, sotto, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, octets)))
    asked = query(name, "TXT")
    over_udp, over_tcp = (ask_wire(sotto.address, asked, over) for over in ("udp", "tcp"))
    assert over_tcp[2:] == messages.sized(messages.Asked(asked), octets)[2:], "over TCP all of it comes"
    if octets <= 512:
        assert over_udp == over_tcp
    else:
        assert Head(over_udp).flags == Head(over_tcp).flags | messages.TC
        assert over_udp[4:] == over_tcp[4:6] + bytes(6) + asked[12:], "nothing of the one RRset is there"


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
    asked = messages.frame(query(name))
    with Tcp(sotto.address) as bystander, Tcp(sotto.address) as client:
        bystander.write(asked[:7])
        client.write(messages.frame(b"\x12" * length))
        assert client.receive() is None, "such a frame has an answer"
        bystander.write(asked[7:])
        assert addresses(parse(bystander.receive())) == [messages.address_of(name)]


def test_1035_04_what_was_asked_before_a_short_frame_is_answered_and_nothing_behind_it(sotto, upstream, name):
    with Tcp(sotto.address) as client:
        client.write(messages.frame(query(name)) + messages.frame(b"") + messages.frame(query("behind." + name)))
        assert addresses(parse(client.receive())) == [messages.address_of(name)]
        assert client.receive() is None
    assert not upstream.asked("behind." + name)


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
FORMERR_WITHOUT_QUESTION = header(0, messages.QR | messages.RD | messages.RA | messages.FORMERR)[2:]
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
        answer = ask_wire(sotto.address, bad, over)
    assert answer[2:] == FORMERR_WITHOUT_QUESTION


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
    "a pointer to a zero of the header as owner": with_owner(pointer(4)),
    "a pointer to itself as owner": lambda asked: with_owner(pointer(12 + len(asked.question)))(asked),
    "a pointer to the label before it as owner": lambda asked: with_owner(b"\1a" + pointer(12 + len(asked.question)))(
        asked
    ),
    "a pointer forward as owner": lambda asked: with_owner(pointer(12 + len(asked.question) + 12))(asked),
    "a pointer past the end as owner": with_owner(b"\xff\xff"),
    "half a pointer as owner": lambda asked: reply(asked, counts=(1, 1, 0, 0), edns=b"") + b"\xc0",
    "a CNAME that points to a zero of the header": with_rdata("CNAME", pointer(4)),
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
        return start_sotto(first, second, timeouts={"attempt": "300ms"}), first, second

    return begin


def is_answered_by_the_second(sotto, first, second):
    """The first one has been asked; on a busy machine, that it is not reached in time comes before that."""
    for _ in range(5):
        name = unique_name()
        assert addresses(ask(sotto.address, name)) == [messages.address_of(name)]
        if first.asked(name):
            return second.asked(name)
    return False


@pytest.mark.parametrize("what", BAD_REPLIES)
def test_1035_05_a_reply_with_a_bad_name_does_not_count(what, bad_then_good):
    assert is_answered_by_the_second(*bad_then_good(behaviours.message(BAD_REPLIES[what])))


GOOD_ADDRESS = b"\x0a\0\0\1"
GOOD_REPLIES = {
    "an owner written out": lambda asked: [record("A", GOOD_ADDRESS, owner=asked.owner)],
    "an owner of 255 octets": lambda asked: [record("A", GOOD_ADDRESS, owner=messages.name_of_length(255))],
    "a label before a pointer": lambda asked: [record("A", GOOD_ADDRESS, owner=b"\1a" + pointer(12))],
    "a pointer to the second label": lambda asked: [
        record("A", GOOD_ADDRESS, owner=pointer(12 + 1 + asked.owner[0]))
    ],
    "a pointer to a pointer to a pointer": lambda asked: [
        record("A", GOOD_ADDRESS),
        record("A", GOOD_ADDRESS, owner=b"\1a" + pointer(12 + len(asked.question))),
        record("A", GOOD_ADDRESS, owner=b"\1b" + pointer(12 + len(asked.question) + 16)),
    ],
    "a compressed CNAME": lambda asked: [record("CNAME", b"\1a" + pointer(12)), record("A", GOOD_ADDRESS)],
    "a compressed MX": lambda asked: [record("MX", b"\0\1\1a" + pointer(12)), record("A", GOOD_ADDRESS)],
    "a compressed SOA": lambda asked: [
        record("SOA", pointer(12) + b"\1a" + pointer(12) + bytes(20)),
        record("A", GOOD_ADDRESS),
    ],
}


@pytest.mark.parametrize("what", GOOD_REPLIES)
def test_1035_05_a_reply_with_a_good_name_counts(what, sotto, upstream, over, name):
    upstream.when(name, behaviours.message(lambda asked: reply(asked, GOOD_REPLIES[what](asked))))
    answer = parse(ask_wire(sotto.address, query(name), over))
    assert set(addresses(answer)) == {"10.0.0.1"}
    assert len(upstream.asked(name)) == 1


# ---- 1035-06, 1035-07, 1035-08: what a query may say of itself

ANSWER = messages.QR | messages.RD
SENT_ANSWERS = {
    "an answer": query("a.test", id=1, flags=ANSWER),
    "an answer of another opcode": query("a.test", id=1, flags=ANSWER | 4 << 11),
    "an answer of another class": query("a.test", id=1, flags=ANSWER, qclass=messages.CH),
    "an answer without RD": query("a.test", id=1, flags=messages.QR),
    "a malformed answer": query("a.test", id=1, flags=ANSWER, trailing=b"\0"),
    "an answer with OPT of another version": query("a.test", id=1, flags=ANSWER, edns=opt(version=1)),
    "the header of an answer": header(1, ANSWER),
}


@pytest.mark.parametrize("what", SENT_ANSWERS)
def test_1035_06_an_answer_sent_to_us_is_never_answered(what, sotto, over, not_forwarded):
    with clients.OVER[over](sotto.address) as client:
        with not_forwarded():
            client.send(SENT_ANSWERS[what])
            assert refused_on_the_spot(client)
        assert refused_on_the_spot(client), "an answer came late"


ODD_FLAGS = [messages.Z, messages.AA, messages.RA, messages.TC]


@pytest.mark.parametrize("flags", [*ODD_FLAGS, sum(ODD_FLAGS)], ids=hex)
def test_1035_07_odd_flags_in_a_query_are_ignored(flags, sotto, upstream, over, name):
    answer = Head(ask_wire(sotto.address, query(name, flags=messages.RD | flags), over))
    assert answer.flags == messages.QR | messages.RD | messages.RA
    assert upstream.asked(name)[0].asked.flags == messages.RD | messages.AD  # RFC 6840 §5.7: AD asks for AD


@pytest.mark.parametrize("flags", [*ODD_FLAGS, sum(ODD_FLAGS), messages.AD], ids=hex)
def test_1035_07_odd_flags_in_a_query_that_is_refused_are_ignored(flags, sotto, over, name):
    answer = ask_wire(sotto.address, query(name, flags=messages.RD | messages.CD | flags, qclass=messages.CH), over)
    assert Head(answer).flags == messages.QR | messages.RD | messages.RA | messages.CD | messages.REFUSED


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
def test_1035_08_a_class_other_than_in_is_refused_as_not_supported(qclass, sotto, over, name, not_forwarded):
    with not_forwarded():
        answer = parse(ask_wire(sotto.address, query(name, qclass=qclass, edns=opt()), over))
    assert answer.rcode() == messages.REFUSED and extended_errors(answer) == [21]


@pytest.mark.parametrize("asked", ["version.bind", "version.server", "hostname.bind", "id.server"])
def test_1035_08_our_version_is_not_told(asked, sotto, over, not_forwarded):
    with not_forwarded():
        answer = ask_wire(sotto.address, query(asked, "TXT", qclass=messages.CH), over)
    assert Head(answer).rcode == messages.REFUSED and Head(answer).counts == (1, 0, 0, 0)


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


DAY = 86400


@pytest.mark.parametrize("ttl, told", [(DAY, DAY), (DAY + 1, DAY), (0x7FFFFFFF, DAY)])
def test_2181_02_an_absurd_ttl_is_brought_down_to_a_day(ttl, told, sotto, upstream, over, name):
    upstream.when(name, with_ttls(ttl))
    assert ask(sotto.address, name, over=over).answer[0].ttl == told


@pytest.mark.parametrize("section", [1, 2, 3], ids=["answer", "authority", "additional"])
def test_2181_02_holds_in_every_section_and_for_no_opt(section, sotto, upstream, over, name):
    def build(asked):
        sections = [[], [], []]
        sections[section - 1] = [
            record("A", b"\x0a\0\0\1", ttl=5),
            record("AAAA", bytes(16), ttl=0x80000000),
            record("TXT", b"\1t", ttl=0x7FFFFFFF),
        ]
        return reply(asked, *sections, rcode=3841, edns=opt(rcode_high=3841 >> 4))

    upstream.when(name, behaviours.message(build))
    answer = ask(sotto.address, name, over=over, edns=opt(flags=messages.DO))
    assert [rrset.ttl for rrset in answer.sections[section]] == [5, 0, DAY]
    assert answer.rcode() == 3841 and answer.ednsflags & 0xFFFF == messages.DO


# ---- 2181-03: a truncated reply


@pytest.mark.parametrize("records", [0, 1])
def test_2181_03_a_truncated_reply_is_never_passed_on_as_a_whole_one(records, sotto, upstream, over, name):
    def partial(asked):
        return reply(asked, [record("A", b"\x0a\0\0\1")] * records, flags=messages.TC)

    whole = behaviours.answer(record("A", b"\x0a\0\0\1"), record("A", b"\x0a\0\0\2"))
    upstream.when(name, behaviours.first_then(behaviours.message(partial), whole))
    assert Head(ask_wire(sotto.address, query(name), over)).truncated
    again = ask_wire(sotto.address, query(name), over)
    assert not Head(again).truncated and addresses(parse(again)) == ["10.0.0.1", "10.0.0.2"]


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


@pytest.mark.parametrize("label", [b"\1a", b"\3a\0b"], ids=["a", "a zero b"])
def test_2181_04_a_label_does_not_end_at_its_zero_octet(label, sotto, name):
    asked = label + wire_name(name)
    answer = parse(ask_wire(sotto.address, query(asked)))
    assert addresses(answer) == [messages.address_of(messages.text_name(asked))], "two names got one answer"


@pytest.mark.parametrize("pair", [b"@`", b"[{", b"\xc4\xe4", b"\0 ", b"\r-"], ids=bytes.hex)
def test_2181_04_only_letters_are_the_same_in_both_cases(pair, bad_then_good, name):
    octet, other = pair[:1], pair[1:]

    def of_another_name(asked):
        return messages.derived(asked, question=asked.question.replace(octet, other, 1))

    sotto, bad, good = bad_then_good(behaviours.message(of_another_name))
    asked = b"\3a" + octet + b"b" + wire_name(name)
    answer = parse(ask_wire(sotto.address, query(asked)))
    assert addresses(answer) == [messages.address_of(messages.text_name(asked))]
    assert [server.queries[-1].asked.owner for server in (bad, good)] == [asked, asked]


# ---- 2181-05: the answer comes from the address that was asked


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.2", "127.8.7.6"])
def test_2181_05_a_wildcard_listener_answers_from_the_address_asked(asked, wildcard, over, name):
    assert addresses(ask((asked, wildcard.port), name, over=over)) == [messages.address_of(name)]


@pytest.fixture(scope="module")
def wildcard(shared, upstream):
    return shared.sotto(upstream, listen=[f"0.0.0.0:{free_port('0.0.0.0')}"])


@pytest.fixture
def across_a_link(link, start):
    """sotto on the wildcard of IPv6 at the near end of a link, and the far end."""
    for address in ("fd53::9/64", "fe80::9/64"):
        link.near.ip("addr", "add", address, "dev", "near", "nodad")
    link.far.ip("addr", "add", "fe80::2/64", "dev", "far", "nodad")
    with link.near.entered():
        upstream = start.upstream()
    port = free_port()
    return start.sotto(upstream, prefix=link.near.prefix, listen=[f"[::]:{port}"]), link.far


@pytest.mark.parametrize("asked", ["fd53::1", "fd53::9", "fe80::9%far"])
def test_2181_05_holds_for_ipv6_and_link_local_addresses(asked, across_a_link, over, name):
    sotto, far = across_a_link
    with far.entered():
        host, _, device = asked.partition("%")
        scope = socket.if_nametoindex(device) if device else 0
        client = clients.OVER[over]((host, sotto.port, 0, scope))
    with client:
        assert addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]


# ---- 3597: types that nobody knows


def test_3597_01_rdata_of_an_unknown_type_is_opaque(sotto, upstream, over, name):
    rdata = b"\xc0\x0c\xc0\xff\x40"
    upstream.when(name, behaviours.answer(record(65280, rdata)))
    answer = ask_wire(sotto.address, query(name, 65280), over)
    assert answer.endswith(struct.pack("!H", len(rdata)) + rdata)


@pytest.mark.parametrize("behind", [False, True], ids=["OPT last", "OPT first"])
def test_3597_01_nothing_changes_where_the_upstream_puts_its_opt(behind, sotto, upstream, over, name):
    """Records that move forward, into the place of an OPT that goes, take their names along."""
    rdata = b"\xc0\x0c\xc0\xff\x40"

    def build(asked):
        theirs = opt(options=option(messages.PADDING, b"\0" * 9))
        mx = 12 + len(asked.question) + (len(theirs) if behind else 0)
        extra = [
            record("MX", b"\0\1\2mx" + pointer(12)),
            record("A", b"\x0a\0\0\1", owner=pointer(mx + 14)),
            record(65280, rdata, owner=pointer(mx + 14)),
        ]
        return reply(asked, [], [], [theirs, *extra] if behind else [*extra, theirs], edns=b"")

    upstream.when(name, behaviours.message(build))
    answer = parse(ask_wire(sotto.address, query(name, edns=opt()), over))
    seen = {rrset.rdtype: (rrset.name.to_text(), rrset[0]) for rrset in answer.additional}
    assert (seen[15][0], seen[15][1].exchange.to_text()) == (name + ".", f"mx.{name}.")
    assert (seen[1][0], seen[1][1].address) == (f"mx.{name}.", "10.0.0.1")
    assert (seen[65280][0], seen[65280][1].data) == (f"mx.{name}.", rdata)


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
        answer = ask_wire(sotto.address, header(7, messages.RD, 2) + TWO_QUESTIONS[what], over)
    assert answer[2:] == FORMERR_WITHOUT_QUESTION


@pytest.mark.parametrize("extra", [b"", opt(options=option(messages.COOKIE, b"12345678"))], ids=["bare", "cookie"])
def test_9619_02_no_question_is_formerr(extra, sotto, over, not_forwarded):
    with not_forwarded():
        answer = ask_wire(sotto.address, header(8, messages.RD, 0, additional=1 if extra else 0) + extra, over)
    assert Head(answer).rcode == messages.FORMERR and Head(answer).counts == (0, 0, 0, 1 if extra else 0)


# ---- 9267-01: the six anti-patterns, in a query and in a reply

ONE = question("a.test")
A_RECORD = record("A", b"\x0a\0\0\1")
BAD_QUERIES = {
    "a pointer past the end in a record": header(9, messages.RD, 1, additional=1)
    + ONE
    + record("A", b"1234", owner=b"\xc0\xff"),
    "a pointer to a zero of the header in a record": header(9, messages.RD, 1, additional=1)
    + ONE
    + record("A", b"1234", owner=pointer(4)),
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
    "a query behind a query": query("a.test") + query("a.test"),
    "a record in the answer section": header(9, messages.RD, 1, 1) + ONE + A_RECORD,
    "a record in the authority section": header(9, messages.RD, 1, 0, 1) + ONE + A_RECORD,
    "a question for OPT": query("a.test", "OPT"),
}


@pytest.mark.parametrize("what", BAD_QUERIES)
def test_9267_01_a_malformed_query_is_formerr(what, sotto, over, not_forwarded):
    with not_forwarded():
        head = Head(ask_wire(sotto.address, BAD_QUERIES[what], over))
    assert head.rcode == messages.FORMERR and head.is_answer


def ends_with(rr, section):
    """A reply that ends with this record, in that section."""

    def build(asked):
        sections = [[], [], []]
        sections[section - 1] = [A_RECORD, rr]
        return reply(asked, *sections, edns=b"")

    return build


BAD_RECORDS = {
    "a pointer past the end": record("A", b"1234", owner=b"\xc0\xff"),
    "a label past the end": b"\x3fabc",
    "a name of 256 octets": record("A", b"1234", owner=messages.name_of_length(256)),
    "a name without its end": b"\x3f" + b"l" * 63,
    "RDLENGTH past the end": A_RECORD[:-6] + b"\xff\xff1234",
    "a record cut in its head": A_RECORD[:7],
}
MALFORMED_REPLIES = {
    **{
        f"{what}, {place}": ends_with(rr, section)
        for what, rr in BAD_RECORDS.items()
        for section, place in enumerate(["answer", "authority", "additional"], 1)
    },
    "more records than octets": lambda asked: reply(asked, counts=(1, 65535, 65535, 65535), edns=b""),
    "fewer records than octets": lambda asked: reply(asked, [A_RECORD], counts=(1, 0, 0, 0), edns=b""),
    "trailing octets": lambda asked: messages.derived(asked) + b"\0",
    "a header cut short": lambda asked: messages.derived(asked)[:11],
    "a question cut short": lambda asked: messages.derived(asked)[:20],
    "two questions": lambda asked: reply(asked, question=asked.question * 2, counts=(2, 0, 0, 0), edns=b""),
    "an option past its OPT": lambda asked: reply(asked, [A_RECORD], edns=opt(options=b"\0\x0f\0\x09xx")),
    "two OPT records": lambda asked: reply(asked, [A_RECORD], edns=opt(), additional=[opt()]),
    "an OPT as answer": lambda asked: reply(asked, [A_RECORD, opt()], edns=b""),
    "an OPT of another owner": lambda asked: reply(asked, [A_RECORD], edns=opt(owner=b"\1x\0")),
}


@pytest.mark.parametrize("what", MALFORMED_REPLIES)
def test_9267_01_a_malformed_reply_does_not_count(what, bad_then_good):
    assert is_answered_by_the_second(*bad_then_good(behaviours.message(MALFORMED_REPLIES[what])))


# ---- zone transfers, other opcodes, ANY


@pytest.mark.parametrize("qtype", ["AXFR", "IXFR"])
def test_5936_01_axfr_and_ixfr_are_refused_as_not_supported(qtype, sotto, over, name, not_forwarded):
    with not_forwarded():
        answer = parse(ask_wire(sotto.address, query(name, qtype, edns=opt()), over))
    assert answer.rcode() == messages.REFUSED
    assert extended_errors(answer) == [21]


def test_5936_01_ixfr_with_the_soa_it_is_asked_by_is_refused_too(sotto, over, name, not_forwarded):
    soa = record("SOA", messages.SOA)
    asked = header(3, messages.RD, 1, authority=1, additional=1) + question(name, "IXFR") + soa + opt()
    with not_forwarded():
        answer = parse(ask_wire(sotto.address, asked, over))
    assert answer.rcode() == messages.REFUSED
    assert extended_errors(answer) == [21]


def test_9103_01_a_transfer_amid_a_stream_disturbs_no_other_query(sotto):
    names = [unique_name() for _ in range(2)]
    with Tcp(sotto.address) as client:
        client.send(query(names[0], id=1), query(names[0], "AXFR", id=2), query(names[1], id=3))
        answers = {answer.id: answer for answer in (parse(client.receive()) for _ in range(3))}
    assert answers[2].rcode() == messages.REFUSED
    assert [addresses(answers[id]) for id in (1, 3)] == [[messages.address_of(name)] for name in names]


@pytest.mark.parametrize("opcode", range(1, 16))
def test_8906_01_another_opcode_is_notimp_never_silence(opcode, sotto, over, name, not_forwarded):
    with not_forwarded():
        head = Head(ask_wire(sotto.address, query(name, flags=opcode << 11 | messages.RD), over))
    assert head.flags == messages.QR | opcode << 11 | messages.RD | messages.RA | messages.NOTIMP


@pytest.mark.parametrize("opcode", range(1, 16))
def test_8906_01_another_opcode_is_notimp_whatever_else_is_in_the_message(opcode, sotto, over, not_forwarded):
    with not_forwarded():
        head = Head(ask_wire(sotto.address, header(5, opcode << 11, 0, 3, 2, 1) + b"\xff\xff", over))
    assert head.flags == messages.QR | opcode << 11 | messages.RA | messages.NOTIMP


def test_8482_01_any_over_udp_is_sent_to_tcp(sotto, name, not_forwarded):
    asked = query(name, "ANY")
    with not_forwarded():
        answer = ask_wire(sotto.address, asked, "udp")
    assert Head(answer).flags == messages.QR | messages.TC | messages.RD | messages.RA
    assert answer[12:] == asked[12:], "it is no larger than the question"


def test_8482_01_any_over_tcp_is_forwarded(sotto, upstream, name):
    upstream.when(name, behaviours.answer(record("A", b"\x0a\0\0\1"), record("TXT", b"\1t")))
    answer = parse(ask_wire(sotto.address, query(name, "ANY"), "tcp"))
    assert [rrset.rdtype for rrset in answer.answer] == [1, 16]
    assert len(upstream.asked(name)) == 1


@pytest.mark.parametrize("length", range(12))
def test_a_datagram_shorter_than_a_header_is_dropped(length, sotto):
    with Udp(sotto.address) as client:
        client.send(b"\x12" * length)
        assert refused_on_the_spot(client)


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
