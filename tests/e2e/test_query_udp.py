"""`sotto query` over UDP: what is no reply to the question is said, and waited on; three tries, each with twice the patience; TCP
where TC says so."""

import socket

import pytest

from bench import asker, daemon, messages
from bench.messages import address_of
from bench.plain import Plain


@pytest.fixture(scope="module")
def server():
    started = Plain()
    yield started
    started.stop()


def ask(server, *words, **how):
    return asker.query(f"@{server.host}", "-p", server.port, *words, **how)


def then_right(*wrong):
    """Sends these messages, made of the question, and the right one behind them."""

    def behave(query):
        for make in wrong:
            query.send(make(query.asked))
        query.send(messages.derived(query.asked))

    return behave


def is_right(said, name):
    return said.status == 0 and [record.split()[-1] for record in said.records()] == [address_of(name)]


STRANGE = {
    "wrong ID": (lambda asked: messages.derived(asked, id=asked.id ^ 1), "its ID is"),
    "wrong name": (
        lambda asked: messages.derived(asked, question=messages.question("other.test")), "another question: other.test. A"
    ),
    "wrong type": (
        lambda asked: messages.derived(asked, question=messages.question(asked.owner, "AAAA")), "another question:"
    ),
    "wrong class": (
        lambda asked: messages.derived(asked, question=messages.question(asked.owner, "A", messages.CH)), "another question:"
    ),
    "no question": (lambda asked: messages.reply(asked, question=b"", counts=(0, 0, 0, 1)), "no question"),
    "a query": (lambda asked: asked.wire, "QR is 0"),
    "another opcode": (lambda asked: messages.derived(asked, flags=4 << 11), "its opcode is 4"),
}


@pytest.mark.parametrize("what", STRANGE)
def test_what_is_no_reply_to_the_question_is_said_and_waited_on(server, name, what):
    make, words = STRANGE[what]
    server.when(name, then_right(make))
    said = ask(server, name)
    assert words in said.err, said
    assert is_right(said, name), said
    assert len(server.asked(name)) == 1, "it was asked again"


def test_many_strangers_do_not_hide_the_reply(server, name):
    make = STRANGE["wrong ID"][0]
    server.when(name, then_right(*[make] * 50))
    said = ask(server, name)
    assert said.err.count("its ID is") == 50, said
    assert is_right(said, name), said


def test_a_reply_from_elsewhere_is_said_and_waited_on(server, name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))

        def behave(query):
            stranger.sendto(messages.derived(query.asked, flags=messages.AA), query.connection.address)
            query.send(messages.derived(query.asked))

        server.when(name, behave)
        said = ask(server, name)
    assert "unexpected source 127.0.0.2:" in said.err, said
    assert is_right(said, name), said
    assert not said.flags()["aa"], "the stranger was believed"


def test_it_is_asked_three_times_each_with_twice_the_patience(server, name):
    server.when(name, lambda query: None)
    said = ask(server, name, check=asker.SILENCE)
    first, second, third = [query.time for query in server.asked(name)]
    assert second - first >= 0.45 and third - second >= 0.95, said
    assert len({query.asked.id for query in server.asked(name)}) == 1, "a late reply to the first would be lost"


def test_a_reply_to_a_later_try_is_taken(server, name):
    server.when(name, lambda query: len(server.asked(name)) == 3 and query.send(messages.derived(query.asked)))
    assert is_right(ask(server, name), name)


def test_a_late_reply_to_the_first_try_is_taken(server, name):
    first = []

    def behave(query):
        first.append(query)
        if len(first) == 2:
            first[0].send(messages.derived(first[0].asked))

    server.when(name, behave)
    assert is_right(ask(server, name), name)


@pytest.mark.parametrize("words, count", [
    (["+tries=1"], 1), (["+retry=1"], 2), (["+tries=1", "+time=100ms"], 1), (["+tries=9", "+time=100ms"], 1), (["+tries=9", "+time=1s"], 2),
])
def test_there_are_as_many_tries_as_are_wanted_within_the_time(server, name, words, count):
    server.when(name, lambda query: None)
    ask(server, name, *words, check=asker.SILENCE)
    assert len(server.asked(name)) == count


def test_nobody_there(server, name):
    said = ask(server, name, "-p", daemon.free_port())
    assert said.status in (asker.SILENCE, asker.UNREACHED) and "refused" in said.err.lower(), said


# ---- truncation


def truncating(query):
    """Over UDP nothing but TC."""
    if query.connection.over == "udp":
        query.send(messages.reply(query.asked, flags=messages.TC))
    else:
        query.send(messages.derived(query.asked))


def test_a_truncated_reply_is_asked_for_over_tcp(server, name):
    server.when(name, truncating)
    said = ask(server, name)
    assert is_right(said, name), said
    assert "truncated" in said.err and "TCP response" in said.out, said
    assert [query.connection.over for query in server.asked(name)] == ["udp", "tcp"]


def test_the_time_is_that_of_udp_and_tcp_together(server, name):
    """Without it, the reply over TCP would be waited for longer than the test waits."""
    server.when(name, lambda query: query.connection.over == "udp" and truncating(query))
    said = ask(server, name, "+time=1s", check=asker.SILENCE, timeout=4)
    assert "TCP response failure" in said.err, said
    assert [query.connection.over for query in server.asked(name)] == ["udp", "tcp"]


def test_ignore_keeps_a_truncated_reply(server, name):
    server.when(name, truncating)
    said = ask(server, name, "+ignore", check=0)
    assert said.flags()["tc"] and not said.records(), said
    assert [query.connection.over for query in server.asked(name)] == ["udp"]


def test_truncation_without_tcp_is_a_failure(name):
    server = Plain(tcp=False, otherwise=truncating)
    try:
        said = ask(server, name)
        assert said.status == asker.UNREACHED, said
        assert [query.connection.over for query in server.asked(name)] == ["udp"]
    finally:
        server.stop()


def test_tc_over_tcp_is_shown_and_no_loop(server, name):
    server.when(name, lambda query: query.send(messages.reply(query.asked, flags=messages.TC)))
    said = ask(server, name, check=0)
    assert said.flags()["tc"], said
    assert [query.connection.over for query in server.asked(name)] == ["udp", "tcp"]


# ---- where from


def test_the_address_to_ask_from_is_that_which_is_said(server, name):
    for over in ([], ["+tcp"]):
        ask(server, name, "-b", "127.0.0.9", *over, check=0)
    udp, tcp = server.asked(name)
    assert udp.connection.address[0] == "127.0.0.9"
    assert tcp.connection.transport.get_extra_info("peername")[0] == "127.0.0.9"


def test_tcp_takes_a_reply_octet_by_octet(server, name):
    def behave(query):
        for octet in messages.frame(messages.derived(query.asked)):
            query.connection.write(bytes([octet]))

    server.when(name, behave)
    assert is_right(ask(server, name, "+tcp"), name)


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_connection_that_ends_without_a_reply_is_silence(server, name, how):
    server.when(name, lambda query: query.connection.close(how))
    said = ask(server, name, "+tcp", check=asker.SILENCE)
    assert said.err, said
