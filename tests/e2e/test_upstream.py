"""DNS over TLS to the upstreams: what they may see, and what happens when they fail. Who they must be is in
test_authentication.py.

Rows of docs/conformance (RFC 7858, 8467, 9520) and docs/failures (F-..) are named. Every answer is derived from its
name, so a mixed-up one betrays itself; "is answered" means with the right data.
"""

import collections
import socket
import time

import pytest

from bench import behaviours, eventually, messages
from bench.behaviours import Gate
from bench.certificates import NAME
from bench.claims import are_answered, fails, is_answered, names
from bench.clients import Tcp, addresses, ask, ask_wire, parse
from bench.messages import frame, opt, option, query, record, reply, unique_name
from bench.upstream import server_address

PATIENT = {"query": "60s", "attempt": "30s", "upstream-silent": "30s"}


# ---- what goes over the wire


def test_7858_02_only_tls_reaches_the_upstream(sotto, upstream):
    are_answered(sotto, names(200))
    for connection in upstream.connections:
        assert set(connection.record_types()) <= {0x14, 0x15, 0x16, 0x17}


def test_7858_02_no_clear_text_after_a_failed_handshake(start_upstream, start_sotto):
    upstream = start_upstream(instead_of_tls=behaviours.plain_then_close(b"220 welcome\r\n"))
    sotto = start_sotto(upstream)
    fails(sotto), fails(sotto)
    assert upstream.connections
    for connection in upstream.connections:
        assert set(connection.record_types()) <= {0x15, 0x16}


def test_7858_04_the_message_and_its_length_are_one_record(sotto, upstream):
    is_answered(sotto)
    connection = upstream.connections[-1]
    before = len(connection.record_types())
    is_answered(sotto)
    assert len(connection.record_types()) == before + 1


def test_7858_05_a_thousand_queries_take_one_connection(start_upstream, start_sotto):
    upstream = start_upstream()
    sotto = start_sotto(upstream)
    for _ in range(10):
        are_answered(sotto, names(100))
    assert len(upstream.connections) == 1


def test_queries_that_come_together_go_in_few_records(start_upstream, start_sotto):
    upstream = start_upstream()
    sotto = start_sotto(upstream)
    is_answered(sotto)
    before = len(upstream.connections[0].record_types())
    are_answered(sotto, names(200))
    assert len(upstream.connections[0].record_types()) - before < 100


@pytest.mark.parametrize("edns", [None, opt(flags=messages.DO)], ids=["plain", "DO"])
def test_8467_01_every_query_is_padded_to_a_multiple_of_128(edns, sotto, upstream):
    lengths = [1, *range(3, 251)]
    before = len(upstream.queries)
    with Tcp(sotto.address) as client:
        client.send(*(query(messages.name_of_length(octets), "A", edns=edns) for octets in lengths))
        for _ in lengths:
            client.receive()
    seen = upstream.queries[before:]
    assert sorted(len(q.asked.owner) for q in seen) == lengths
    for q in seen:
        assert len(q.wire) % 128 == 0
        assert q.asked.edns.options[-1][0] == messages.PADDING and not q.asked.edns.options[-1][1].strip(b"\0")


def test_5452_ids_are_random_and_never_the_clients(sotto, upstream):
    before = len(upstream.queries)
    with Tcp(sotto.address) as client:
        for batch in range(8):
            client.send(*(query(unique_name(), id=id) for id in range(batch * 250, batch * 250 + 250)))
            for _ in range(250):
                client.receive()
    seen = [q.asked.id for q in upstream.queries[before:]]
    assert sum(ours == theirs for theirs, ours in enumerate(seen)) < 8
    steps = collections.Counter((b - a) % 65536 for a, b in zip(seen, seen[1:]))
    assert max(steps.values()) < 8, "one ID follows from the other"
    quarters = collections.Counter(id >> 14 for id in seen)
    assert all(380 < quarters[q] < 620 for q in range(4)), "some IDs are likelier than others"


def test_7766_03_no_id_is_used_twice_at_the_same_time(start_upstream, start_sotto):
    gate = Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(upstream, timeouts=PATIENT, limits={"queries-per-connection": 5000, "queries-per-client": 5000})
    asked = names(3000)
    with Tcp(sotto.address) as client:
        client.send(*(query(name, id=id) for id, name in enumerate(asked)))
        assert eventually(lambda: len(gate.names()) == len(asked))
        assert len({(id(q.connection), q.asked.id) for q in gate.held}) == len(asked)
        gate.open(upstream)
        for _ in asked:
            answer = parse(client.receive())
            assert addresses(answer) == [messages.address_of(asked[answer.id])]


# ---- connections that end


@pytest.mark.parametrize("how", ["notify", "fin", "reset"])
def test_f_01_an_idle_close_is_no_failure_and_no_log_line(how, start_upstream, start_sotto):
    upstream = start_upstream()
    sotto = start_sotto(upstream, log={"level": "info"})
    for _ in range(5):
        is_answered(sotto)
        upstream.close_connections(how)
        assert eventually(lambda: all(not c.open for c in upstream.connections))
    is_answered(sotto)
    assert len(upstream.queries) == 6, "a query was sent more than once"
    assert len(upstream.connections) == 6
    sotto.stop()
    assert not [line for line in sotto.log() if line.get("level") in ("warn", "error")], sotto.text()
    assert not sotto.log(msg="upstream failed")


@pytest.mark.parametrize("how", ["notify", "fin", "reset"])
@pytest.mark.parametrize("answers", [1, 2, 10, 100])
def test_f_02_queries_in_flight_on_a_dying_connection_are_sent_again(answers, how, start_upstream, start_sotto):
    upstream = start_upstream(otherwise=behaviours.close_after(answers, how))
    good = start_upstream()
    sotto = start_sotto(upstream, good, timeouts=PATIENT)  # no timer helps: the end itself must be noticed
    for _ in range(5):
        are_answered(sotto, names(40))


def test_f_02_an_upstream_of_one_query_per_connection_is_enough(start_upstream, start_sotto):
    upstream = start_upstream(otherwise=behaviours.close_after(1))
    sotto = start_sotto(upstream)
    for _ in range(20):
        is_answered(sotto)
    assert len(upstream.queries) == 20


def test_7766_06_a_query_is_sent_again_when_its_connection_dies(start_upstream, start_sotto, name):
    upstream = start_upstream()
    upstream.when(name, behaviours.first_then(behaviours.close("reset"), behaviours.derive))
    sotto = start_sotto(upstream, timeouts=PATIENT)
    assert is_answered(sotto, name)
    assert len(upstream.asked(name)) == 2


@pytest.mark.parametrize("how", ["fin", "reset", "notify"])
@pytest.mark.parametrize("kept", [1, 2, 3, 13, 14, 40])
def test_f_03_half_an_answer_is_no_answer(kept, how, start_upstream, start_sotto, name):
    def half(asked):
        return frame(messages.derived(asked))[:kept]

    upstream = start_upstream()
    upstream.when(name, behaviours.first_then(behaviours.close(how, first=half), behaviours.derive))
    assert is_answered(start_sotto(upstream, timeouts=PATIENT), name)


def test_f_06_a_refused_connection_sends_the_query_to_the_next(start_upstream, start_sotto):
    closed, good = start_upstream(), start_upstream()
    closed.stop_listening()
    sotto = start_sotto(closed, good, timeouts=PATIENT)
    are_answered(sotto, names(20))


@pytest.mark.parametrize(
    "fault",
    [behaviours.mute, behaviours.reset, behaviours.plain(b"SSH-2.0-x\r\n")],
    ids=["mute", "reset", "not TLS"],
)
def test_f_05_a_failed_handshake_sends_the_query_to_the_next(fault, start_upstream, start_sotto):
    bad, good = start_upstream(instead_of_tls=fault), start_upstream()
    sotto = start_sotto(bad, good, timeouts={"attempt": "300ms", "connect": "500ms", "query": "20s"})
    for _ in range(3):
        is_answered(sotto)
    assert bad.connections and not bad.queries


def test_a_silent_upstream_leaves_the_query_to_the_next(start_upstream, start_sotto):
    silent, good = start_upstream(otherwise=behaviours.silence), start_upstream()
    sotto = start_sotto(silent, good, timeouts={"attempt": "200ms", "query": "20s"})
    are_answered(sotto, names(20))
    assert silent.queries


def test_f_09_silence_for_one_name_costs_the_others_nothing(start_upstream, start_sotto):
    upstream, other = start_upstream(), start_upstream()
    odd = unique_name("odd")
    upstream.when(odd, behaviours.silence)
    sotto = start_sotto(upstream, other, timeouts={"attempt": "200ms", "query": "20s"})
    are_answered(sotto, [odd, *names(20)])
    are_answered(sotto, names(20))
    assert len(upstream.connections) == 1


def test_f_07_a_dripping_answer_does_not_hold_the_query(start_upstream, start_sotto, name):
    async def drip(query):
        import asyncio

        for octet in frame(messages.derived(query.asked)):
            query.connection.write(bytes([octet]))
            await asyncio.sleep(0.2)

    slow, good = start_upstream(otherwise=drip), start_upstream()
    sotto = start_sotto(slow, good, timeouts={"attempt": "300ms", "query": "20s"})
    assert is_answered(sotto, name)
    assert good.asked(name)


# ---- deadlines and counts


def test_rule_12_the_deadline_is_absolute(start_upstream, start_sotto, name):
    upstream = start_upstream(otherwise=behaviours.silence)
    sotto = start_sotto(upstream, timeouts={"query": "1s", "attempt": "100ms"})
    begin = time.monotonic()
    assert fails(sotto, name)
    assert time.monotonic() - begin >= 0.9


def test_rule_12_the_deadline_is_4_seconds_by_default(start_upstream, start_sotto, name):
    upstream = start_upstream(otherwise=behaviours.silence)
    sotto = start_sotto(upstream)
    begin = time.monotonic()
    assert fails(sotto, name)
    assert 3.9 <= time.monotonic() - begin < 8


@pytest.mark.parametrize("count", [1, 2])
def test_9520_01_a_query_is_sent_to_a_server_at_most_three_times(count, start_upstream, start_sotto, name):
    upstreams = [start_upstream(otherwise=behaviours.silence) for _ in range(count)]
    sotto = start_sotto(*upstreams, timeouts={"query": "2s", "attempt": "100ms"})
    assert fails(sotto, name)
    for upstream in upstreams:
        assert 1 <= len(upstream.asked(name)) <= 3


def test_9520_01_also_when_every_connection_dies(start_upstream, start_sotto, name):
    upstream = start_upstream(otherwise=behaviours.close("reset"))
    assert fails(start_sotto(upstream), name)
    assert 1 <= len(upstream.asked(name)) <= 3


def test_all_upstreams_dead_in_different_ways_is_servfail_and_says_so(authority, start_upstream, start_sotto):
    dead = [
        start_upstream(instead_of_tls=behaviours.mute),
        start_upstream(instead_of_tls=behaviours.reset),
        start_upstream(authority.issue(names=("other.test",))),
        start_upstream(),
    ]
    dead[-1].stop_listening()
    fails(start_sotto(*dead, timeouts={"connect": "300ms"}))


def error_texts(answer):
    return [o.to_wire()[2:].decode() for o in answer.options if int(o.otype) == messages.EDE]


def test_the_reason_is_told_to_clients_while_it_lasts(start_upstream, start_sotto):
    upstream = start_upstream()
    upstream.stop_listening()
    sotto = start_sotto(upstream)
    for _ in range(3):
        assert error_texts(ask(sotto.address, unique_name(), edns=opt())) == ["the server refused the connection"]


def test_an_upstream_that_comes_back_is_used_without_a_restart(start_upstream, start_sotto):
    upstream = start_upstream()
    upstream.instead_of_tls = behaviours.reset
    sotto = start_sotto(upstream)
    fails(sotto)
    upstream.instead_of_tls = None

    def works():
        name = unique_name()
        return addresses(ask(sotto.address, name)) == [messages.address_of(name)]

    assert eventually(works, 20)


def test_f_24_four_dead_upstreams_do_not_hide_the_fifth(start_upstream, start_sotto):
    dead = [start_upstream() for _ in range(4)]
    for upstream in dead:
        upstream.stop_listening()
    are_answered(start_sotto(*dead, start_upstream()), names(50))


# ---- what an upstream answers


def in_reverse(held):
    for query in reversed(held):
        behaviours.derive(query)


def test_f_10_answers_may_come_in_any_order(start_upstream, start_sotto):
    upstream = start_upstream(otherwise=behaviours.gather(100, in_reverse))
    are_answered(start_sotto(upstream, timeouts=PATIENT), names(100))


@pytest.mark.parametrize("times", [2, 1000])
def test_f_11_the_first_of_duplicate_answers_counts(times, start_upstream, start_sotto):
    upstream = start_upstream(otherwise=behaviours.times(times))
    sotto = start_sotto(upstream)
    are_answered(sotto, names(20))
    are_answered(sotto, names(20))
    assert len(upstream.queries) == 40


LIES = {
    "F-12 another ID": lambda a: reply(a, [record("A", b"\x06\6\6\6")], id=a.id ^ 0x5555),
    "F-13 another name": lambda a: reply(a, [record("A", b"\x06\6\6\6")], question=messages.question("liar.test")),
    "F-13 another type": lambda a: reply(a, [record("A", b"\x06\6\6\6")], question=a.owner + b"\0\x1c\0\1"),
    "F-13 another class": lambda a: reply(a, [record("A", b"\x06\6\6\6")], question=a.owner + b"\0\1\0\3"),
    "F-13 no question": lambda a: reply(
        a, [record("A", b"\x06\6\6\6", owner=a.owner)], question=b"", counts=(0, 1, 0, 0), edns=b""
    ),
    "F-13 two questions": lambda a: reply(
        a, [record("A", b"\x06\6\6\6")], question=a.question * 2, counts=(2, 1, 0, 0), edns=b""
    ),
    "a query": lambda a: a.wire,
    "an answer to another opcode": lambda a: reply(a, [record("A", b"\x06\6\6\6")], flags=4 << 11),
}


@pytest.mark.parametrize("what", LIES)
def test_a_reply_that_does_not_match_is_passed_over_and_the_right_one_counts(what, sotto, upstream, name):
    lie = LIES[what]
    upstream.when(name, behaviours.stream(lambda a: frame(lie(a)) + frame(messages.derived(a))))
    assert is_answered(sotto, name, over="tcp")


@pytest.mark.parametrize("what", LIES)
def test_a_reply_that_does_not_match_is_made_up_for_by_the_next_upstream(what, start_upstream, start_sotto, name):
    liar, good = start_upstream(otherwise=behaviours.message(LIES[what])), start_upstream()
    sotto = start_sotto(liar, good, timeouts={"attempt": "200ms", "query": "20s"})
    assert is_answered(sotto, name)
    assert liar.asked(name)


def test_f_13_the_question_may_come_back_in_lower_case(sotto, upstream, name):
    def lower(asked):
        return reply(asked, messages.derived_records(asked), question=asked.question.lower())

    upstream.when(name, behaviours.message(lower))
    asked = query(name.upper())
    answer = ask_wire(sotto.address, asked)
    assert answer[12 : len(asked)] == asked[12:], "the client's own spelling comes back"
    assert addresses(parse(answer)) == [messages.address_of(name)]


def swapped(held):
    first, second = held
    first.send(reply(second.asked, messages.derived_records(second.asked), id=first.asked.id))
    second.send(reply(first.asked, messages.derived_records(first.asked), id=second.asked.id))


def test_f_14_swapped_answers_are_never_delivered(start_upstream, start_sotto):
    liar, good = start_upstream(otherwise=behaviours.gather(2, swapped)), start_upstream()
    sotto = start_sotto(liar, good, timeouts={"attempt": "300ms", "query": "20s"})
    for _ in range(5):
        are_answered(sotto, names(2))
    assert liar.queries


@pytest.mark.parametrize("length", [0, 1, 11, 12])
def test_f_15_a_frame_that_holds_no_message_is_passed_over(length, start_upstream, start_sotto, name):
    upstream, good = start_upstream(), start_upstream()
    upstream.when(name, behaviours.stream(lambda a: frame(b"\0" * length) + frame(messages.derived(a))))
    assert is_answered(start_sotto(upstream, good), name)


def test_f_15_a_frame_longer_than_what_comes_is_half_an_answer(start_upstream, start_sotto, name):
    upstream, good = start_upstream(), start_upstream()
    upstream.when(
        name, behaviours.close("notify", first=lambda asked: b"\xff\xff" + messages.derived(asked))
    )
    assert is_answered(start_sotto(upstream, good), name)


def test_f_15_a_frame_of_65535_octets_is_relayed(sotto, upstream, name):
    upstream.when(name, behaviours.message(lambda asked: messages.sized(asked, 65535)))
    assert len(ask_wire(sotto.address, query(name, "TXT"), "tcp")) == 65535


@pytest.mark.parametrize("octets", [1, 2, 3, 16, 16384])
def test_f_16_an_answer_may_come_in_any_records(octets, sotto, upstream, name):
    upstream.when(name, behaviours.in_records_of(octets))
    assert is_answered(sotto, name)


@pytest.mark.parametrize("octets", [1, 16384])
def test_f_16_a_large_answer_may_come_in_any_records(octets, sotto, upstream, name):
    size = 300 if octets == 1 else 60000
    upstream.when(name, behaviours.in_records_of(octets, lambda asked: messages.sized(asked, size)))
    assert len(ask_wire(sotto.address, query(name, "TXT"), "tcp")) == size


def in_one_record(held):
    held[0].connection.write(b"".join(frame(messages.derived(query.asked)) for query in held))


def split_across_records(held):
    octets = b"".join(frame(messages.derived(query.asked)) for query in held)
    for at in range(0, len(octets), 41):
        held[0].connection.write(octets[at : at + 41])


@pytest.mark.parametrize("reply_all", [in_one_record, split_across_records])
def test_f_16_several_answers_may_share_records(reply_all, start_upstream, start_sotto):
    upstream = start_upstream(otherwise=behaviours.gather(50, reply_all))
    are_answered(start_sotto(upstream, timeouts=PATIENT), names(50))


WORSE = [messages.SERVFAIL, messages.REFUSED, messages.NOTIMP, messages.FORMERR]


@pytest.mark.parametrize("rcode", WORSE)
def test_f_22_an_error_of_one_upstream_lets_the_next_be_asked(rcode, start_upstream, start_sotto, name):
    bad, good = start_upstream(otherwise=behaviours.rcode(rcode)), start_upstream()
    assert is_answered(start_sotto(bad, good, timeouts=PATIENT), name)
    assert bad.asked(name) and good.asked(name)


@pytest.mark.parametrize("rcode", WORSE)
def test_f_22_an_error_of_all_upstreams_is_the_answer(rcode, start_upstream, start_sotto, name):
    sotto = start_sotto(*(start_upstream(otherwise=behaviours.rcode(rcode)) for _ in range(3)), timeouts=PATIENT)
    assert ask(sotto.address, name).rcode() == rcode


@pytest.mark.parametrize("rcode", [messages.NXDOMAIN, messages.NOERROR], ids=["NXDOMAIN", "NODATA"])
def test_f_22_a_negative_answer_is_final(rcode, start_upstream, start_sotto, name):
    negative = behaviours.answer(record("SOA", messages.SOA, owner=b"\0"), rcode=rcode)
    first, second = start_upstream(otherwise=negative), start_upstream()
    answer = ask(start_sotto(first, second, timeouts=PATIENT).address, name)
    assert answer.rcode() == rcode and not addresses(answer)
    assert not second.queries


# ---- keepalive, idle


def test_7828_02_a_timeout_of_0_ends_the_use_of_a_connection(start_upstream, start_sotto):
    never_again = opt(options=option(messages.KEEPALIVE, b"\0\0"))
    upstream = start_upstream(otherwise=behaviours.message(lambda asked: messages.derived(asked, edns=never_again)))
    sotto = start_sotto(upstream, log={"level": "info"})
    for _ in range(3):
        is_answered(sotto)
        assert eventually(lambda: all(not c.open for c in upstream.connections))
    assert [len(c.queries) for c in upstream.connections] == [1, 1, 1]
    assert not sotto.log(msg="upstream failed")


def test_7828_02_a_connection_is_closed_before_the_upstreams_timeout(start_upstream, start_sotto):
    soon = opt(options=option(messages.KEEPALIVE, b"\0\x0a"))
    upstream = start_upstream(otherwise=behaviours.message(lambda asked: messages.derived(asked, edns=soon)))
    sotto = start_sotto(upstream, timeouts={"upstream-idle": "1h"})
    is_answered(sotto)
    assert eventually(lambda: not upstream.connections[0].open)
    assert upstream.connections[0].heard_close_notify


def test_an_idle_connection_is_closed_with_close_notify(start_upstream, start_sotto):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts={"upstream-idle": "200ms"})
    is_answered(sotto)
    assert eventually(lambda: not upstream.connections[0].open)
    assert upstream.connections[0].heard_close_notify and not upstream.connections[0].was_reset
    is_answered(sotto)


def test_a_silent_connection_is_given_up_and_a_new_one_made(start_upstream, start_sotto):
    upstream = start_upstream()
    sotto = start_sotto(upstream, timeouts={"upstream-silent": "300ms", "attempt": "200ms", "query": "20s"})
    is_answered(sotto)
    upstream.call(upstream.connections[0].read_no_more)
    is_answered(sotto)
    assert len(upstream.connections) >= 2


def test_no_connection_is_made_before_the_first_query(start_upstream, start_sotto):
    upstream = start_upstream()
    start_sotto(upstream)
    time.sleep(0.2)
    assert not upstream.connections


def test_an_address_without_a_port_means_853(start_sotto, name):
    """Nothing listens there, as a rule; the log says where sotto went."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.53", 853)) == 0:
            pytest.skip("something listens on port 853 here")
    sotto = start_sotto(server_address("127.0.0.53", 853, NAME).replace(":853", ""))
    fails(sotto, name)
    assert sotto.wait_for_log(msg="upstream failed")[0]["addr"].endswith(":853")
