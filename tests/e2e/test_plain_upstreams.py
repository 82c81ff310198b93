"""Upstreams in clear, over UDP and TCP: asked for by name, in this network, and told apart from whoever guesses.

Rows of docs/conformance and docs/failures are named (F-.., S-..).
"""

import asyncio
import collections
import shutil
import subprocess

import pytest

from bench import behaviours, clients, eventually, messages
from bench.clients import Tcp, addresses, ask, extended_errors, parse
from bench.daemon import free_port
from bench.messages import FORMERR, NOTIMP, REFUSED, SERVFAIL, TC, opt, query, record, reply, unique_name
from bench.plain import Plain
from bench.unbound import beginning as unbound_beginning
from test_real_parts import program, serve  # noqa: F401: a fixture


@pytest.fixture
def start_plain(start):
    def begin(**how):
        plain = Plain(**how)
        start._upstreams.append(plain)
        return plain

    return begin


def is_answered(sotto, name=None, over="udp"):
    name = name or unique_name()
    answer = ask(sotto.address, name, over=over)
    assert addresses(answer) == [messages.address_of(name)], answer
    return True


def fails(sotto, name, over="udp"):
    answer = ask(sotto.address, name, edns=opt(), over=over)
    assert answer.rcode() == SERVFAIL, answer
    assert set(extended_errors(answer)) & {22, 23}
    return True


def forged(asked, **how):
    """The reply that somebody else would like to be taken for the server's."""
    return reply(asked, [record("A", bytes([192, 0, 2, 66]))], **how)


# ---- what is sent


def test_over_udp_and_tcp_the_answer_is_right(start_plain, start_sotto):
    plain = start_plain()
    over_udp, over_tcp = start_sotto(plain), start_sotto(plain.address("tcp"))
    assert all(is_answered(over_udp, over=over) for over in ("udp", "tcp"))
    assert len(plain.over("udp")) == 2 and not plain.over("tcp")
    assert all(is_answered(over_tcp, over=over) for over in ("udp", "tcp"))
    assert len(plain.over("udp")) == 2 and len(plain.over("tcp")) == 2
    assert len(plain.connections) == 1


def test_over_udp_our_own_opt_goes_without_padding_and_keepalive(start_plain, start_sotto):
    plain = start_plain()
    sotto = start_sotto(plain)
    ask(sotto.address, unique_name(), edns=opt(size=4096, flags=messages.DO, options=b"\0\x0a\0\x08" + b"c" * 8))
    edns = plain.queries[0].asked.edns
    assert (edns.size, edns.flags, edns.options) == (1232, messages.DO, [])


def test_s_09_ports_and_ids_are_drawn_for_each_question(start_plain, start_sotto):
    plain = start_plain()
    sotto = start_sotto(plain, limits={"queries-per-connection": 1000})
    with Tcp(sotto.address) as client:
        for batch in range(25):
            client.send(*(query(unique_name(), id=id) for id in range(100)))
            for _ in range(100):
                assert parse(client.receive()).answer
    seen = plain.queries
    assert len(seen) >= 2500
    assert len({q.connection.address[1] for q in seen[:2500]}) >= 2000, "ports come again"
    ids = [q.asked.id for q in seen[:2500]]
    steps = collections.Counter((b - a) % 65536 for a, b in zip(ids, ids[1:]))
    assert max(steps.values()) < 8, "one ID follows from the other"
    quarters = collections.Counter(id >> 14 for id in ids)
    assert all(500 < quarters[q] < 750 for q in range(4)), "some IDs are likelier than others"


def test_a_socket_is_closed_with_its_answer(start_plain, start_sotto):
    plain = start_plain()
    sotto = start_sotto(plain)
    assert is_answered(sotto)
    before = open_files(sotto)
    for _ in range(50):
        is_answered(sotto)
    assert open_files(sotto) <= before


def open_files(sotto):
    listed = subprocess.run(["ls", f"/proc/{sotto.process.pid}/fd"], capture_output=True, text=True, check=True)
    return len(listed.stdout.split())


def test_few_descriptors_are_shared_between_clients_and_questions(start_plain, start_sotto):
    """With 100 in all, 500 questions at once wait for their turn, and clients still get in."""
    plain = start_plain(otherwise=behaviours.after(0.02))
    sotto = start_sotto(plain, prefix=("prlimit", "--nofile=100:100"), limits={"queries-per-connection": 1000})
    names = [unique_name() for _ in range(500)]
    with Tcp(sotto.address) as client:
        client.send(*(query(name, id=id) for id, name in enumerate(names)))
        for _ in names:
            answer = parse(client.receive())
            assert addresses(answer) == [messages.address_of(names[answer.id])], answer
        assert is_answered(sotto, over="tcp")


# ---- what comes back


NEAR_MISSES = {
    "another ID": lambda a: forged(a, id=a.id ^ 1),
    "another name": lambda a: forged(a, question=b"\5other\4test\0" + a.question[-4:]),
    "another type": lambda a: forged(a, question=a.owner + b"\0\x10\0\1"),
    "another class": lambda a: forged(a, question=a.owner + a.question[-4:-2] + b"\0\3"),
    "a query": lambda a: a.wire,
    "another opcode": lambda a: forged(a, flags=0x2000),
    "another ID, refused": lambda a: reply(a, rcode=REFUSED, id=a.id ^ 0x8000),
}


@pytest.mark.parametrize("what", NEAR_MISSES)
def test_s_01_a_near_miss_is_dropped_and_the_question_goes_on_over_tcp(what, start_plain, start_sotto):
    plain = start_plain()
    sotto = start_sotto(plain)
    name = unique_name()

    def behave(q):
        if q.connection.over == "tcp":
            behaviours.derive(q)
        else:
            q.send(NEAR_MISSES[what](q.asked))

    plain.when(name, behave)
    assert is_answered(sotto, name)
    udp, tcp = plain.asked(name)
    assert (udp.connection.over, tcp.connection.over) == ("udp", "tcp")
    assert tcp.time - udp.time < 0.5 and udp.asked.id != tcp.asked.id


@pytest.mark.parametrize("what", NEAR_MISSES)
def test_s_01_where_there_is_no_tcp_the_right_answer_is_waited_for(what, start_plain, start_sotto):
    plain = start_plain(tcp=False)
    sotto = start_sotto(plain)
    name = unique_name()

    async def behave(q):
        q.send(NEAR_MISSES[what](q.asked))
        await asyncio.sleep(0.2)
        behaviours.derive(q)

    plain.when(name, behave)
    assert is_answered(sotto, name)


NOTHING_AT_ALL = {
    "an empty datagram": lambda a: b"",
    "eleven octets": lambda a: a.wire[:2] + b"\x81\x82" + b"\0" * 7,
    "a header with SERVFAIL": lambda a: reply(a, rcode=SERVFAIL, question=b"", edns=b"", counts=(0, 0, 0, 0)),
    "a header with REFUSED": lambda a: reply(a, rcode=REFUSED, question=b"", edns=b"", counts=(0, 0, 0, 0)),
    "a header with FORMERR": lambda a: reply(a, rcode=FORMERR, question=b"", edns=b"", counts=(0, 0, 0, 0)),
    "half an answer": lambda a: messages.derived(a)[:-5],
}


@pytest.mark.parametrize("what", NOTHING_AT_ALL)
def test_s_16_what_makes_no_answer_ends_nothing(what, start_plain, start_sotto):
    plain = start_plain()
    sotto = start_sotto(plain)
    name = unique_name()

    async def behave(q):
        q.connection.send_raw(NOTHING_AT_ALL[what](q.asked))
        await asyncio.sleep(0.2)
        behaviours.derive(q)

    plain.when(name, behave)
    assert is_answered(sotto, name)
    assert len(plain.asked(name)) == 1


def test_s_16_an_icmp_error_ends_nothing(start_plain, start_sotto):
    first = start_plain()
    sotto = start_sotto(first)
    assert is_answered(sotto)
    first.go_deaf()
    name = unique_name()
    with clients.Udp(sotto.address) as client:
        client.send(query(name, id=7))
        assert client.receive(0.2) is None, "the port is unreachable, and that is no answer"
        first.hear_again()
        answer = parse(client.receive(3))
    assert addresses(answer) == [messages.address_of(name)]


@pytest.mark.parametrize("code", [FORMERR, NOTIMP])
def test_a_server_without_edns_is_asked_without(code, start_plain, start_sotto):
    def old(q):
        if q.asked.edns:
            q.connection.send_raw(reply(q.asked, rcode=code, question=b"", edns=b"", counts=(0, 0, 0, 0)))
        else:
            behaviours.derive(q)

    sotto = start_sotto(start_plain(otherwise=old))
    assert is_answered(sotto) and is_answered(sotto)


# ---- truncation


def truncated_over_udp(q):
    if q.connection.over == "udp":
        q.send(reply(q.asked, flags=TC))
    else:
        q.send(reply(q.asked, messages.texts(4000)))


def test_what_is_truncated_is_asked_for_over_tcp(start_plain, start_sotto):
    plain = start_plain()
    sotto = start_sotto(plain)
    name = unique_name()
    plain.when(name, truncated_over_udp)
    assert len(clients.ask_wire(sotto.address, query(name, "TXT"), over="tcp")) > 4000
    assert [q.connection.over for q in plain.asked(name)] == ["udp", "tcp"]


def test_f_20_truncated_and_tcp_refused_is_servfail_in_time(start_plain, start_sotto):
    plain = start_plain(tcp=False)
    sotto = start_sotto(plain)
    assert is_answered(sotto)
    name = unique_name()
    plain.when(name, truncated_over_udp)
    with clients.Udp(sotto.address) as client:
        client.send(query(name, "TXT", edns=opt()))
        answer = parse(client.receive(4.5))
    assert answer.rcode() == SERVFAIL and 23 in extended_errors(answer)
    assert len(plain.asked(name)) <= 3
    assert is_answered(sotto), "it is as good as ever for everything else"


# ---- loss


def test_9520_a_question_that_is_lost_is_sent_three_times_at_most(start_plain, start_sotto):
    plain = start_plain(otherwise=behaviours.silence)
    sotto = start_sotto(plain)
    name = unique_name()
    assert fails(sotto, name)
    asked = plain.asked(name)
    assert len(asked) == 3
    assert len({q.asked.id for q in asked}) == 1 and len({q.connection.address for q in asked}) == 1
    assert 0.4 < asked[1].time - asked[0].time < 0.9 and 0.9 < asked[2].time - asked[1].time < 1.6


def test_a_lost_datagram_costs_half_a_second(start_plain, start_sotto):
    plain = start_plain()
    sotto = start_sotto(plain)
    name = unique_name()
    plain.when(name, behaviours.first_then(behaviours.silence, behaviours.derive))
    assert is_answered(sotto, name)
    assert len(plain.asked(name)) == 2


def test_the_other_server_answers_when_one_is_silent(start_plain, start_sotto):
    silent, good = start_plain(otherwise=behaviours.silence), start_plain()
    sotto = start_sotto(silent, good, policy="ordered")
    assert all(is_answered(sotto) for _ in range(10))
    assert eventually(lambda: len(good.queries) >= 10)


# ---- real servers


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_knot_resolver_answers_in_clear(scheme, serve, tmp_path, start_sotto):  # noqa: F811
    port = free_port()
    (tmp_path / "kresd.conf").write_text(
        f"""net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
modules = {{ 'hints > iterate' }}
trust_anchors.remove('.')
hints['www.real.example.'] = '192.0.2.80'
"""
    )
    serve([program("kresd"), "-n", "-q", "-c", str(tmp_path / "kresd.conf"), str(tmp_path)], port)
    sotto = start_sotto(f"{scheme}://127.0.0.1:{port}")
    assert addresses(ask(sotto.address, "www.real.example")) == ["192.0.2.80"]


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_unbound_answers_in_clear_and_what_is_long_over_tcp(scheme, serve, tmp_path, start_sotto):  # noqa: F811
    port = free_port()
    long = "\n".join(f"""    local-data: 'long.real.example. 300 IN TXT "{n:0200d}"'""" for n in range(20))
    (tmp_path / "unbound.conf").write_text(
        f"""{unbound_beginning(tmp_path)}
    interface: 127.0.0.1@{port}
    local-zone: real.example. static
    local-data: "www.real.example. 300 IN A 192.0.2.80"
{long}
remote-control:
    control-enable: no
"""
    )
    copy = tmp_path / "unbound"
    shutil.copy(program("unbound"), copy)
    serve([str(copy), "-d", "-c", str(tmp_path / "unbound.conf")], port)
    sotto = start_sotto(f"{scheme}://127.0.0.1:{port}")
    assert addresses(ask(sotto.address, "www.real.example")) == ["192.0.2.80"]
    answer = ask(sotto.address, "long.real.example", "TXT", over="tcp")
    assert sum(len(rrset) for rrset in answer.answer) == 20


def test_the_first_line_says_that_it_is_in_clear(start_plain, start_sotto):
    plain = start_plain()
    line = start_sotto(plain).log_of_start()
    assert line["encrypted"] == "nothing" and line["in-clear"] == plain.address()
