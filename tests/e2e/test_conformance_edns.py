"""Conformance, row by row: EDNS and size (RFC 6891, 9715), the DNSSEC bits that a forwarder carries (RFC 4035, 6840),
and transparency (RFC 5625). Each test is named by its row.

Row 9715-02 speaks of upstreams over UDP; here they are reached over TLS only, so what is left of it is the size our
own OPT offers (see 6891-07).
"""

import contextlib
import struct

import dns.flags
import pytest

from bench import behaviours, clients, messages, netns
from bench.clients import Head, addresses, ask, ask_wire, extended_errors, parse
from bench.daemon import free_port
from bench.messages import DO, option, opt, query, record, reply, type_number, unique_name, wire_name

# ---- 6891-01: OPT in the answer if and only if the query had one


def upstream_says(rcode):
    return behaviours.message(lambda asked: messages.derived(asked, rcode=rcode))


BIG = behaviours.message(lambda asked: messages.sized(asked, 3000))
ANSWERS = {  # what the upstream does (None: it is not asked), what is asked, and the rcode that comes
    "from upstream": (behaviours.derive, {}, messages.NOERROR),
    "NXDOMAIN": (upstream_says(messages.NXDOMAIN), {}, messages.NXDOMAIN),
    "SERVFAIL": (upstream_says(messages.SERVFAIL), {}, messages.SERVFAIL),
    "upstream without OPT": (
        behaviours.message(lambda asked: messages.derived(asked, edns=b"")), {}, messages.NOERROR,
    ),
    "upstream with OPT": (
        behaviours.message(lambda asked: messages.derived(asked, edns=opt(4096))), {}, messages.NOERROR,
    ),
    "truncated": (BIG, {"qtype": "TXT"}, messages.NOERROR),
    "refused": (None, {"qclass": messages.CH}, messages.REFUSED),
    "not implemented": (None, {"flags": 4 << 11}, messages.NOTIMP),
    "transfer": (None, {"qtype": "AXFR"}, messages.REFUSED),
    "formerr": (None, {"trailing": b"x"}, messages.FORMERR),
    "rd=0": (None, {"flags": 0}, messages.REFUSED),
}


@pytest.mark.parametrize("edns", [None, opt()], ids=["no OPT", "OPT"])
@pytest.mark.parametrize("what", ANSWERS)
def test_6891_01_opt_comes_back_if_and_only_if_it_was_sent(what, edns, sotto, upstream, over, name):
    behaviour, asked, rcode = ANSWERS[what]
    if behaviour:
        upstream.when(name, behaviour)
    wire = ask_wire(sotto.address, query(name, edns=edns, **asked), over)
    answer = parse(wire)
    assert answer.rcode() == rcode
    assert Head(wire).truncated == (what == "truncated" and over == "udp")
    assert bool(upstream.asked(name)) == bool(behaviour)
    assert (answer.edns == 0) == bool(edns)
    if edns:
        assert answer.payload == 1232 and not answer.ednsflags & 0xFFFF


@pytest.mark.parametrize("edns", [None, opt()], ids=["no OPT", "OPT"])
def test_6891_01_holds_for_any_over_udp(edns, sotto, name):
    answer = ask(sotto.address, name, "ANY", edns=edns)
    assert answer.flags & dns.flags.TC and (answer.edns == 0) == bool(edns)


@pytest.mark.parametrize("edns", [None, opt()], ids=["no OPT", "OPT"])
def test_6891_01_holds_when_no_upstream_can_be_reached(edns, dead, over, name):
    answer = ask(dead.address, name, over=over, edns=edns)
    assert answer.rcode() == messages.SERVFAIL
    assert (answer.edns == 0) == bool(edns)
    assert extended_errors(answer) in ([[22], [23]] if edns else [[]])


@pytest.fixture(scope="module")
def dead(shared):
    closed = shared.upstream()
    closed.stop_listening()
    return shared.sotto(closed)


# ---- 6891-02 to -06: what a query's OPT may say


@pytest.mark.parametrize(
    "asked",
    [{}, {"flags": 0}, {"qclass": messages.CH}, {"qtype": "AXFR"}],
    ids=["a query", "rd=0", "another class", "a transfer"],
)
@pytest.mark.parametrize("version", [1, 2, 100, 255])
def test_6891_02_a_newer_version_is_badvers_whatever_is_asked(version, asked, sotto, over, name, not_forwarded):
    with not_forwarded():
        wire = ask_wire(sotto.address, query(name, edns=opt(version=version, flags=DO), **asked), over)
    assert Head(wire).counts == (1, 0, 0, 1)
    answer = parse(wire)
    assert (answer.rcode(), answer.edns, answer.ednsflags & 0xFFFF) == (messages.BADVERS, 0, DO)


UNKNOWN_OPTIONS = {
    "one": option(65001, b"x"),
    "empty": option(65001),
    "several": b"".join(option(65001 + n, b"x" * n) for n in range(8)),
    "fifty": b"".join(option(65001 + n % 3, b"x") for n in range(50)),
    "known by others": option(messages.NSID) + option(messages.COOKIE, b"12345678") + option(messages.ECS, b"\0\1\0\0"),
}


@pytest.mark.parametrize("what", UNKNOWN_OPTIONS)
def test_6891_03_options_not_understood_are_ignored_and_not_echoed(what, sotto, over, name):
    answer = ask(sotto.address, name, over=over, edns=opt(options=UNKNOWN_OPTIONS[what]))
    assert addresses(answer) == [messages.address_of(name)]
    assert not answer.options


def test_6891_03_an_option_of_60_kb_is_ignored(sotto, name):
    answer = ask(sotto.address, name, over="tcp", edns=opt(options=option(65001, b"x" * 60000)))
    assert addresses(answer) == [messages.address_of(name)]


@pytest.mark.parametrize("options", [b"\0", b"\0\x0a\0", b"\0\x0a\0\x09xx", option(10, b"12345678") + b"\xff\xff\xff"])
def test_6891_03_an_option_past_its_opt_is_formerr(options, sotto, over, name, not_forwarded):
    with not_forwarded():
        answer = ask_wire(sotto.address, query(name, edns=opt(options=options)), over)
    assert Head(answer).rcode == messages.FORMERR


def with_sections(answers=b"", authority=b"", additional=b"", counts=(0, 0, 0)):
    def build(name):
        return (
            messages.header(77, messages.RD, 1, *counts)
            + messages.question(name) + answers + authority + additional
        )

    return build


BAD_OPTS = {
    "two": with_sections(additional=opt() * 2, counts=(0, 0, 2)),
    "of another owner": with_sections(additional=opt(owner=b"\1x\0"), counts=(0, 0, 1)),
    "in the answer section": with_sections(answers=opt(), counts=(1, 0, 0)),
    "in the authority section": with_sections(authority=opt(), counts=(0, 1, 0)),
    "in the authority section, and one in its place": with_sections(
        authority=opt(), additional=opt(), counts=(0, 1, 1)
    ),
}


@pytest.mark.parametrize("what", BAD_OPTS)
def test_6891_04_an_opt_where_none_may_be_is_formerr(what, sotto, over, name, not_forwarded):
    with not_forwarded():
        assert Head(ask_wire(sotto.address, BAD_OPTS[what](name), over)).rcode == messages.FORMERR


@pytest.mark.parametrize("flags", [0x4000, 0x0001, 0x7FFF, DO, 0xFFFF])
def test_6891_05_do_is_copied_and_unknown_flags_come_back_as_0(flags, sotto, upstream, over, name):
    answer = ask(sotto.address, name, over=over, edns=opt(flags=flags))
    assert addresses(answer) == [messages.address_of(name)]
    assert answer.ednsflags & 0xFFFF == flags & DO
    assert upstream.asked(name)[0].asked.edns.flags == flags & DO


@pytest.mark.parametrize("flags", [0x7FFF, DO])
def test_6891_05_do_is_copied_in_answers_of_our_own(flags, sotto, over, name):
    answer = ask(sotto.address, name, over=over, qclass=messages.CH, edns=opt(flags=flags))
    assert answer.ednsflags & 0xFFFF == flags & DO


@pytest.mark.parametrize("size", [0, 1, 511, 512])
def test_6891_06_a_size_under_512_means_512(size, sotto, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 501)))
    fits = ask_wire(sotto.address, query(name, "TXT", edns=opt(size)))
    assert len(fits) == 512 and not Head(fits).truncated
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 502)))
    assert Head(ask_wire(sotto.address, query(name, "TXT", edns=opt(size)))).truncated


# ---- 6891-07, 6891-08: our own OPT, hop by hop


@pytest.mark.parametrize(
    "sent",
    [
        option(messages.ECS, b"\0\1\x18\0\xc0\0\2"),
        option(messages.COOKIE, b"12345678"),
        option(messages.NSID),
        option(messages.PADDING, b"\0" * 31),
        option(messages.KEEPALIVE),
        option(messages.EDE, b"\0\x0fspy"),
        option(65001, b"secret"),
    ],
    ids=["client subnet", "cookie", "nsid", "padding", "keepalive", "extended error", "unknown"],
)
def test_6891_07_no_option_of_the_client_is_passed_on(sent, sotto, upstream, over, name):
    ask(sotto.address, name, over=over, edns=opt(4096, options=sent))
    [seen] = upstream.asked(name)
    assert seen.asked.counts == (1, 0, 0, 1)
    assert (seen.asked.edns.size, seen.asked.edns.version) == (1232, 0)
    assert seen.asked.edns.codes() == [messages.KEEPALIVE, messages.PADDING]
    assert not any(data.strip(b"\0") for _, data in seen.asked.edns.options)
    assert len(seen.wire) == 128, "padded to one block, whatever the client sent"


def test_6891_07_no_record_of_the_client_is_passed_on(sotto, upstream, over, name):
    asked = messages.header(5, messages.RD, 1, 0, 0, 2) + messages.question(name) + opt() + record("TXT", b"\3spy")
    assert addresses(parse(ask_wire(sotto.address, asked, over))) == [messages.address_of(name)]
    [seen] = upstream.asked(name)
    assert seen.asked.counts == (1, 0, 0, 1) and b"spy" not in seen.wire


def test_6891_07_who_sends_no_opt_is_asked_for_with_ours(sotto, upstream, over, name):
    ask(sotto.address, name, over=over)
    [seen] = upstream.asked(name)
    assert (seen.asked.edns.size, seen.asked.edns.flags) == (1232, 0)


def test_6891_07_no_option_of_the_upstream_is_passed_on_but_extended_errors(sotto, upstream, over, name):
    theirs = b"".join(
        [
            option(messages.PADDING, b"\0" * 100),
            option(messages.COOKIE, b"1234567812345678"),
            option(messages.KEEPALIVE, b"\0\x64"),
            option(messages.EDE, b"\0\x0fblocked"),
        ]
    )
    upstream.when(name, behaviours.message(lambda asked: messages.derived(asked, edns=opt(options=theirs))))
    answer = ask(sotto.address, name, over=over, edns=opt())
    assert [int(o.otype) for o in answer.options] == [messages.EDE]
    assert extended_errors(answer) == [15]


def header_only(asked, rcode):
    return messages.header(asked.id, messages.QR | messages.RD | rcode)


def without_opt(asked, rcode):
    return reply(asked, rcode=rcode, edns=b"")


@pytest.mark.parametrize("build", [header_only, without_opt])
@pytest.mark.parametrize("rcode", [messages.FORMERR, messages.NOTIMP])
def test_6891_08_an_upstream_without_edns_is_asked_without_and_remembered(rcode, build, start_upstream, start_sotto):
    def knows_no_edns(query):
        query.send(build(query.asked, rcode) if query.asked.edns else messages.derived(query.asked))

    upstream = start_upstream(otherwise=knows_no_edns)
    sotto = start_sotto(upstream)
    first, second = unique_name(), unique_name()
    answer = ask(sotto.address, first, edns=opt(flags=DO))
    assert addresses(answer) == [messages.address_of(first)]
    assert answer.edns == 0 and not answer.flags & dns.flags.AD
    assert [bool(q.asked.edns) for q in upstream.asked(first)] == [True, False]
    assert addresses(ask(sotto.address, second)) == [messages.address_of(second)]
    assert [bool(q.asked.edns) for q in upstream.asked(second)] == [False]


NO_SIGN_OF_MISSING_EDNS = {
    "SERVFAIL": (behaviours.answer(rcode=messages.SERVFAIL), messages.SERVFAIL),
    "SERVFAIL without OPT": (behaviours.answer(rcode=messages.SERVFAIL, edns=b""), messages.SERVFAIL),
    "REFUSED without OPT": (behaviours.answer(rcode=messages.REFUSED, edns=b""), messages.REFUSED),
    "FORMERR with OPT": (behaviours.answer(rcode=messages.FORMERR), messages.FORMERR),
    "NOTIMP with OPT": (behaviours.answer(rcode=messages.NOTIMP), messages.NOTIMP),
    "an answer without OPT": (behaviours.answer(edns=b""), messages.NOERROR),
}


@pytest.mark.parametrize("what", NO_SIGN_OF_MISSING_EDNS)
def test_6891_08_what_is_no_sign_of_missing_edns_changes_nothing(what, start_upstream, start_sotto):
    behaviour, rcode = NO_SIGN_OF_MISSING_EDNS[what]
    upstream = start_upstream(otherwise=behaviour)
    sotto = start_sotto(upstream)
    for name in (unique_name(), unique_name()):
        assert ask(sotto.address, name).rcode() == rcode
        assert [bool(q.asked.edns) for q in upstream.asked(name)] == [True]


# ---- TC-01: truncation leaves whole RRsets


def address_records(count, owner):
    return [record("A", struct.pack("!I", 0x0A000000 + n), owner=owner) for n in range(count)]


def rrsig(covered, owner):
    rdata = struct.pack("!HBBIIIH", type_number(covered), 13, 2, 300, 2**31, 2**30, 7)
    return record("RRSIG", rdata + wire_name("t.test") + b"s" * 64, owner=owner)


def signed(section, *records):
    """One RRset with its signature: (section, records)."""
    owner, rtype = records[0][: records[0].index(b"\0") + 1], records[0][records[0].index(b"\0") + 1 :][:2]
    return section, [*records, rrsig(int.from_bytes(rtype, "big"), owner)]


def rich(name):
    """RRsets of every section, signed, in their order: 1230 octets or so in all, no name compressed."""
    alias, glue, zone = wire_name("alias." + name), wire_name("ns." + name), wire_name("t.test")
    return [
        signed(1, record("CNAME", alias, owner=wire_name(name))),
        signed(1, *address_records(3, alias)),
        signed(1, record("AAAA", bytes(16), owner=alias)),
        signed(2, record("NS", glue, owner=zone)),
        signed(3, *address_records(2, glue)),
        signed(3, record("AAAA", bytes(16), owner=glue)),
    ]


def message_of(asked, rrsets, edns):
    sections = [[rr for at, records in rrsets for rr in records if at == section] for section in (1, 2, 3)]
    return reply(asked, *sections, edns=edns)


def whole_rrsets_within(asked, rrsets, size):
    """What an answer of at most so many octets must be, ID and flags aside: as many RRsets as fit, and OPT."""
    kept = max(n for n in range(len(rrsets) + 1) if len(message_of(asked, rrsets[:n], opt(flags=DO))) <= size)
    lost = any(section < 3 for section, _ in rrsets[kept:])
    return message_of(asked, rrsets[:kept], opt(flags=DO))[4:], lost


@pytest.mark.parametrize("theirs", [b"", opt(), opt(options=option(messages.PADDING, bytes(100)))], ids=len)
def test_tc_01_truncation_leaves_as_many_whole_rrsets_as_fit_and_opt(theirs, sotto, upstream, name):
    rrsets, asked = rich(name), messages.Asked(query(name, edns=opt(flags=DO)))
    ends = [len(message_of(asked, rrsets[:n], opt(flags=DO))) for n in range(1, len(rrsets) + 1)]
    sizes = {512, 1232} | {size for end in ends for size in (end - 1, end, end + 1) if 512 <= size <= 1232}
    assert len(sizes) > 9, "the ends of the RRsets are not where they should be"
    upstream.when(name, behaviours.message(lambda asked: message_of(asked, rrsets, theirs)))
    for size in sorted(sizes):
        answer = ask_wire(sotto.address, query(name, edns=opt(size, flags=DO)))
        wanted, lost = whole_rrsets_within(asked, rrsets, size)
        assert len(answer) <= size
        assert answer[4:] == wanted, size
        assert Head(answer).truncated == lost, "TC says that something but additional data is missing"
        parse(answer)


def test_tc_01_a_stream_carries_65535_octets_and_no_more(sotto, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 65535)))
    assert len(ask_wire(sotto.address, query(name, "TXT"), "tcp")) == 65535
    with_opt = ask_wire(sotto.address, query(name, "TXT", edns=opt()), "tcp")
    assert Head(with_opt).truncated and parse(with_opt).edns == 0


def test_tc_01_an_extended_error_is_kept_when_there_is_room(sotto, upstream, name):
    theirs = opt(options=option(messages.EDE, b"\0\x04"))
    upstream.when(
        name, behaviours.message(lambda asked: reply(asked, address_records(100, b"\xc0\x0c"), edns=theirs))
    )
    answer = ask(sotto.address, name, edns=opt())
    assert answer.flags & dns.flags.TC and extended_errors(answer) == [4]


@pytest.mark.parametrize("room, told", [(0, []), (5, []), (6, [b"\0\x04"]), (9, [b"\0\x04"]), (10, [b"\0\x04text"])])
def test_tc_01_an_extended_error_gives_way_to_data(room, told, sotto, upstream, name):
    theirs = opt(options=option(messages.EDE, b"\0\x04text"))

    def build(asked):
        return reply(asked, messages.texts(1232 - room - len(opt()) - 12 - len(asked.question)), edns=theirs)

    upstream.when(name, behaviours.message(build))
    wire = ask_wire(sotto.address, query(name, "TXT", edns=opt()))
    assert not Head(wire).truncated and len(wire) <= 1232
    answer = parse(wire)
    assert len(answer.answer[0]) > 0 and [o.to_wire() for o in answer.options] == told


# ---- 9715: sizes on real links


@pytest.mark.parametrize("size", [1232, 4096, 65535])
def test_9715_01_an_answer_over_udp_keeps_to_1232_octets(size, sotto, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 1300)))
    answer = ask_wire(sotto.address, query(name, "TXT", edns=opt(size)))
    assert len(answer) <= 1232 and Head(answer).truncated
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 1221)))
    answer = ask_wire(sotto.address, query(name, "TXT", edns=opt(size)))
    assert len(answer) == 1232 and not Head(answer).truncated


def test_5625_02_a_larger_size_may_be_configured(start_upstream, start_sotto, name):
    upstream = start_upstream(otherwise=behaviours.message(lambda asked: messages.sized(asked, 4000)))
    sotto = start_sotto(upstream, **{"udp-size": 4096})
    answer = ask_wire(sotto.address, query(name, "TXT", edns=opt(4096)))
    assert len(answer) == 4011 and not Head(answer).truncated


@contextlib.contextmanager
def across(mtu, start, host, **settings):
    """sotto and its upstream at the near end of a link of this MTU: (sotto, upstream, link)."""
    link = netns.Link(mtu)
    try:
        with link.near.entered():
            upstream = start.upstream()
        port = free_port()
        listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        yield start.sotto(upstream, prefix=link.near.prefix, listen=[listen], **settings), upstream, link
    finally:
        start.stop()
        link.remove()


def fragments(link):
    """Fragments made at the near end, of both families."""
    made = 0
    for file in ("snmp", "snmp6"):
        text = clients.tool(*link.near.prefix, "cat", f"/proc/net/{file}")
        if file == "snmp":
            names, values = [line.split() for line in text.splitlines() if line.startswith("Ip:")]
            made += int(values[names.index("FragCreates")])
        else:
            made += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Ip6FragCreates"))
    return made


@pytest.mark.parametrize("host", [netns.Link.NEAR, netns.Link.NEAR6])
def test_9715_03_a_size_that_is_configured_makes_no_fragments_either(host, namespaces, start, name):
    with across(1280, start, host, **{"udp-size": 4096}) as (sotto, upstream, link):
        upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 3000)))
        with link.far.entered(), clients.Udp(sotto.address) as client:
            answer = client.ask(query(name, "TXT", edns=opt(4096)))
        assert Head(answer).truncated and parse(answer).edns == 0
        assert fragments(link) == 0


@pytest.mark.parametrize("host", [netns.Link.NEAR, netns.Link.NEAR6])
def test_9715_01_no_answer_is_fragmented_on_a_link_of_1280(host, namespaces, start, name):
    with across(1280, start, host) as (sotto, upstream, link):
        upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 1221)))
        with link.far.entered(), clients.Udp(sotto.address) as client:
            answer = client.ask(query(name, "TXT", edns=opt(4096)))
        assert len(answer) == 1232 and not Head(answer).truncated
        assert fragments(link) == 0


def test_9715_03_what_the_link_does_not_carry_is_truncated(namespaces, start, name):
    with across(576, start, netns.Link.NEAR) as (sotto, upstream, link):
        upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 1200)))
        with link.far.entered(), clients.Udp(sotto.address) as client:
            asked = query(name, "TXT", edns=opt(4096, flags=DO))
            answer = client.ask(asked)
        assert Head(answer).flags == messages.QR | messages.TC | messages.RD | messages.RA
        assert answer[4:] == asked[4:-len(opt())] + opt(1232, flags=DO), "the question, OPT, and nothing between"
        assert fragments(link) == 0


# ---- 4035-01, 6840-01: CD, DO, AD


@pytest.mark.parametrize("cd", [0, messages.CD])
@pytest.mark.parametrize("do", [0, DO])
def test_4035_01_cd_and_do_reach_the_upstream_and_cd_comes_back(cd, do, sotto, upstream, over, name):
    answer = ask_wire(sotto.address, query(name, flags=messages.RD | cd, edns=opt(flags=do)), over)
    seen = upstream.asked(name)[0].asked
    assert (seen.flags & messages.CD, seen.edns.flags) == (cd, do)
    assert Head(answer).flags & messages.CD == cd


@pytest.mark.parametrize("ad", [0, messages.AD])
@pytest.mark.parametrize("edns", [None, opt(), opt(flags=DO)], ids=["no OPT", "DO=0", "DO=1"])
def test_6840_01_ad_comes_to_who_set_ad_or_do(ad, edns, sotto, upstream, over, name):
    upstream.when(name, behaviours.message(lambda asked: messages.derived(asked, flags=messages.AD)))
    answer = ask_wire(sotto.address, query(name, flags=messages.RD | ad, edns=edns), over)
    assert bool(Head(answer).flags & messages.AD) == bool(ad or edns == opt(flags=DO))


def test_6840_01_ad_is_not_invented(sotto, over, name):
    answer = ask_wire(sotto.address, query(name, flags=messages.RD | messages.AD, edns=opt(flags=DO)), over)
    assert not Head(answer).flags & messages.AD


# ---- 5625-01: what the upstream says is what the client hears


@pytest.mark.parametrize("rcode", [*range(1, 24), 3841, 4095])
def test_5625_01_every_rcode_passes(rcode, sotto, upstream, over, name):
    upstream.when(name, behaviours.rcode(rcode))
    assert ask(sotto.address, name, over=over, edns=opt()).rcode() == rcode


@pytest.mark.parametrize("rcode", [16, 22, 3840])
def test_5625_01_an_extended_rcode_is_servfail_to_who_sent_no_opt(rcode, sotto, upstream, over, name):
    upstream.when(name, behaviours.rcode(rcode))
    assert Head(ask_wire(sotto.address, query(name), over)).rcode == messages.SERVFAIL
