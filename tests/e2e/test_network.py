"""What the network does to sotto: in namespaces of our own, with links that are slow, lossy, or go away."""

import contextlib
import socket
import time

import pytest

from bench import behaviours, clients, eventually, iptables, messages, tun
from bench.clients import addresses, ask
from bench.daemon import free_port
from bench.messages import unique_name


def is_answered(space, sotto):
    """Asked from within the namespace, it answers with the right data."""
    name = unique_name()
    with space.entered():
        answer = ask(sotto.address, name)
    assert addresses(answer) == [messages.address_of(name)], answer
    return True


def gets_servfail(space, sotto):
    with space.entered():
        answer = ask(sotto.address, unique_name())
    assert answer.rcode() == messages.SERVFAIL, answer
    return True


@pytest.fixture
def across(link, start):
    """across(...): sotto at the near end of the link, its upstream at the far end. Arguments are sotto's settings."""

    def begin(listener=None, **settings):
        return begin_across(link, start, listener, **settings)

    return begin


def begin_across(link, start, listener=None, **settings):
    with link.far.entered():
        upstream = start.upstream(host=link.FAR, listener=listener)
    return start.sotto(upstream, prefix=link.near.prefix, **settings), upstream


@pytest.fixture
def slow_link():
    """slow_link(seconds): one whose packets take so long each way."""
    if reason := tun.reason_not_to():
        pytest.skip(reason)
    with contextlib.ExitStack() as made:

        def make(delay):
            link = tun.SlowLink(delay)
            made.callback(link.remove)
            return link

        yield make


@pytest.fixture
def rules():
    if reason := iptables.reason_not_to():
        pytest.skip(reason)


# ---- the bench itself


def udp_pair(link):
    """A socket at the far end, and one at the near end that is connected to it."""
    with link.far.entered():
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        far.bind((link.FAR, 0))
    with link.near.entered():
        near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        near.connect(far.getsockname())
    return near, far


def arrivals(far, patience=0.5):
    """What comes until nothing has come for so long."""
    far.settimeout(patience)
    came = []
    with contextlib.suppress(socket.timeout):
        while True:
            came.append(far.recv(65535))
    return came


def test_bench_a_slow_link_delays_each_way(slow_link):
    link = slow_link(0.05)
    with link.far.entered():
        listener = socket.create_server((link.FAR, 0))
    with link.near.entered():
        began = time.monotonic()
        client = socket.create_connection(listener.getsockname())
    assert 0.1 <= time.monotonic() - began < 0.2, "a round trip"
    link.there.delay = 0.0
    began = time.monotonic()
    client.sendall(b"x")
    assert listener.accept()[0].recv(1) == b"x"
    assert time.monotonic() - began < 0.05, "that way is quick now"
    client.close(), listener.close()


def test_bench_a_slow_link_reorders_and_doubles_as_it_is_told(slow_link):
    link = slow_link(0.01)
    near, far = udp_pair(link)
    numbers = [b"%03d" % n for n in range(200)]
    for number in numbers:
        near.send(number)
    assert arrivals(far) == numbers
    link.there.late, link.there.late_by = 0.2, 0.05
    for number in numbers:
        near.send(number)
    came = arrivals(far)
    assert came != numbers and sorted(came) == numbers
    link.there.late, link.there.twice = 0, 0.2
    for number in numbers:
        near.send(number)
    came = arrivals(far)
    assert len(came) > 210 and sorted(set(came)) == numbers
    near.close(), far.close()


def test_bench_rules_drop_what_they_say_and_end_with_their_context(link, rules):
    link.join_no_packets()
    near, far = udp_pair(link)

    def passing(size=100):
        for _ in range(200 if size < 1000 else 20):
            with contextlib.suppress(PermissionError):  # dropped on its way out
                near.send(bytes(size))
        return len(arrivals(far, 0.2))

    assert passing() == 200
    with iptables.lossy(link.near, link.FAR, 0.3):
        assert 100 < passing() < 180
    with iptables.black_hole(link.near, link.FAR):
        assert passing() == 0
    with iptables.mtu_hole(link.near, link.FAR, 1280):
        assert passing(1252) == 20
        assert passing(1253) == 0
    assert passing() == 200
    near.close(), far.close()


@pytest.mark.parametrize("octets, passes", [(1500, True), (1280, False)])
def test_bench_no_long_stream_passes_a_hole_that_is_narrower_than_the_link(link, rules, octets, passes):
    link.join_no_packets()
    with link.far.entered():
        listener = socket.create_server((link.FAR, 0))
    with link.near.entered():
        client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    client.settimeout(2), server.settimeout(2)
    received, began = 0, time.monotonic()
    with iptables.mtu_hole(link.near, link.FAR, octets), contextlib.suppress(socket.timeout):
        client.sendall(bytes(20_000))
        while received < 20_000:
            received += len(server.recv(65536))
        took = time.monotonic() - began
    assert received == (20_000 if passes else 0)
    assert not passes or took < 0.2, "nothing was sent a second time"
    client.close(), server.close(), listener.close()


# ---- TCP fast open


@pytest.fixture
def known(link, across):
    """(sotto, upstream) that have met before: the next SYN takes the ClientHello along."""
    for space in (link.near, link.far):
        space.sysctl("ipv4/tcp_fastopen", 3)
    with link.far.entered():
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        listener.bind((link.FAR, 0))
    sotto, upstream = across(listener)
    assert is_answered(link.near, sotto)
    assert link.near.tcp_counter("TCPFastOpenActive") == 0, "without a cookie, there is no fast open"
    upstream.close_connections()
    return sotto, upstream


def failures(sotto):
    return [(line["phase"], line["cause"]) for line in sotto.wait_for_log(msg="upstream failed")]


def test_fast_open_takes_the_client_hello_along(link, known):
    sotto, upstream = known
    assert is_answered(link.near, sotto)
    assert link.near.tcp_counter("TCPFastOpenActive") == 1
    assert set(upstream.connections[-1].record_types()) <= {0x14, 0x15, 0x16, 0x17}, "nothing but TLS is in the SYN"


def test_fast_open_to_one_that_refuses_fails_while_connecting(link, known):
    sotto, upstream = known
    upstream.stop_listening()
    assert gets_servfail(link.near, sotto)
    assert set(failures(sotto)) == {("connect", "refused")}


def test_fast_open_to_one_that_resets_fails_in_the_handshake(link, known):
    sotto, upstream = known
    upstream.instead_of_tls = behaviours.reset
    assert gets_servfail(link.near, sotto)
    assert set(failures(sotto)) == {("handshake", "reset")}


def test_fast_open_where_the_route_is_gone_fails_while_connecting(link, known):
    sotto, upstream = known
    link.near.ip("route", "add", "unreachable", f"{link.FAR}/32")
    assert gets_servfail(link.near, sotto)
    assert set(failures(sotto)) == {("connect", "unreachable")}


# ---- what happens to the host


def test_a_route_that_comes_back_is_noticed_at_once(link, across):
    sotto, upstream = across()
    link.near.ip("route", "add", "unreachable", f"{link.FAR}/32")
    assert gets_servfail(link.near, sotto)
    assert gets_servfail(link.near, sotto)
    link.near.ip("route", "delete", "unreachable", f"{link.FAR}/32")
    sotto.wait_for_log(count=2, msg="the network has changed: servers are tried afresh")
    assert is_answered(link.near, sotto)


def connections_from(link, address):
    """Those that stand, at the near end."""
    shown = clients.tool(*link.near.prefix, "ss", "-Htn", "state", "established", "src", address)
    return len(shown.splitlines())


def test_every_worker_leaves_connections_from_an_address_that_is_gone(link, across):
    sotto, upstream = across(workers=2)
    assert eventually(lambda: is_answered(link.near, sotto) and connections_from(link, link.NEAR) == 2)
    link.near.ip("address", "delete", f"{link.NEAR}/24", "dev", "near")
    link.near.ip("address", "add", "10.53.0.9/24", "dev", "near")
    assert eventually(lambda: connections_from(link, link.NEAR) == 0, 4), "and not when it is idle or silent for long"
    assert is_answered(link.near, sotto)
    assert upstream.connections[-1].peer[0] == "10.53.0.9"


def test_a_connection_from_the_source_that_is_configured_outlives_changes_elsewhere(link, start):
    link.near.ip("address", "add", "10.53.0.7/24", "dev", "near")
    with link.far.entered():
        upstream = start.upstream(host=link.FAR)
    sotto = start.sotto(f"{upstream.address()}?source=10.53.0.7", prefix=link.near.prefix)
    assert is_answered(link.near, sotto)
    assert upstream.connections[0].peer[0] == "10.53.0.7"
    link.near.ip("address", "add", "10.53.0.8/24", "dev", "near")
    sotto.wait_for_log(msg="the network has changed: servers are tried afresh")
    assert is_answered(link.near, sotto)
    assert len(upstream.connections) == 1
    link.near.ip("address", "delete", "10.53.0.7/24", "dev", "near")
    assert eventually(lambda: connections_from(link, "10.53.0.7") == 0, 4)


# ---- links that are slow or lossy


def time_to_answer(link, sotto):
    began = time.monotonic()
    assert is_answered(link.near, sotto)
    return time.monotonic() - began


def test_a_first_answer_takes_three_round_trips_and_with_fast_open_two(slow_link, start):
    link = slow_link(0.2)
    for space in (link.near, link.far):
        space.sysctl("ipv4/tcp_fastopen", 3)
    with link.far.entered():
        listener = socket.socket()
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        listener.bind((link.FAR, 0))
    sotto, upstream = begin_across(link, start, listener)
    assert time_to_answer(link, sotto) >= 1.2, "TCP, TLS, and the query"
    assert 0.4 <= min(time_to_answer(link, sotto) for _ in range(3)) < 0.8, "the query alone"

    def time_to_answer_anew():
        upstream.close_connections()
        assert eventually(lambda: not any(c.open for c in upstream.connections))
        return time_to_answer(link, sotto)

    quickest = min(time_to_answer_anew() for _ in range(3))
    assert quickest >= 0.8, "TLS along with TCP, and the query"
    hello = int.from_bytes(upstream.connections[-1].received[3:5], "big")
    if hello < 1200:  # one with a hybrid key share does not fit into a SYN
        assert quickest < 1.2


def test_late_and_doubled_packets_do_no_harm(slow_link, start):
    link = slow_link(0.01)
    for way in (link.there, link.back):
        way.late, way.late_by, way.twice = 0.2, 0.02, 0.2
    sotto, _ = begin_across(link, start)
    for _ in range(50):
        assert is_answered(link.near, sotto)


def test_a_lossy_link_loses_no_answer(link, across, rules):
    sotto, _ = across()
    with iptables.lossy(link.near, link.FAR, 0.05):
        for _ in range(50):
            assert is_answered(link.near, sotto)


def test_a_black_hole_is_gone_round(link, start, rules):
    link.far.ip("address", "add", "10.53.0.3/24", "dev", "far")
    with link.far.entered():
        one, two = start.upstream(host=link.FAR), start.upstream(host="10.53.0.3")
    sotto = start.sotto(one, two, prefix=link.near.prefix)
    for _ in range(10):
        assert is_answered(link.near, sotto)
    best = one if len(one.queries) > len(two.queries) else two
    with iptables.black_hole(link.near, best.host):
        for _ in range(10):
            assert time_to_answer(link, sotto) < 1
    for _ in range(10):
        assert is_answered(link.near, sotto)


def test_f_25_a_server_that_becomes_slow_is_waited_for(slow_link, start):
    link = slow_link(0.005)
    sotto, upstream = begin_across(link, start)
    for _ in range(10):
        assert is_answered(link.near, sotto)
    link.there.delay = link.back.delay = 0.15
    for _ in range(12):
        assert is_answered(link.near, sotto)
    before = len(upstream.queries)
    for _ in range(10):
        assert is_answered(link.near, sotto)
    assert len(upstream.queries) - before == 10, "once it is known to be slow, nothing is asked twice"


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_f_26_a_lossy_path_costs_time_and_no_answer(share, link, across, rules):
    sotto, _ = across()
    assert is_answered(link.near, sotto)
    with iptables.lossy(link.near, link.FAR, share):
        for _ in range(25):
            assert is_answered(link.near, sotto)


def large(asked):
    """An answer of some three thousand octets."""
    texts = [messages.record("TXT", bytes([200]) + bytes([n]) * 200) for n in range(14)]
    return messages.reply(asked, [*messages.derived_records(asked), *texts])


def is_whole(space, sotto):
    with space.entered():
        answer = ask(sotto.address, unique_name(), over="tcp")
    return answer.rcode() == 0 and len(answer.answer) == 2 and len(answer.answer[1]) == 14


def test_f_29_a_path_that_became_too_narrow_for_large_answers_carries_them_still(link, across, rules):
    link.join_no_packets()
    sotto, upstream = across()
    upstream.otherwise = behaviours.message(large)
    assert is_whole(link.near, sotto)
    with iptables.mtu_hole(link.near, link.FAR, 1300):
        assert eventually(lambda: is_whole(link.near, sotto), 10)
        before = len(upstream.connections)
        assert is_whole(link.near, sotto)
        assert len(upstream.connections) == before, "the connection that was made then takes them all"


# ---- a host without IPv6


def test_without_ipv6_the_default_is_the_address_that_there_is(link, start):
    """Who has named no address need not be told that [::1] is none of this host; who has named it must be."""
    link.near.sysctl("ipv6/conf/all/disable_ipv6", 1)
    sotto = start.sotto("tls://192.0.2.1#unused.test", prefix=link.near.prefix, listen=None)
    assert sotto.log_of_start()["listen"] == "127.0.0.1:53"
    sotto.stop()
    named = start.sotto("tls://192.0.2.1#unused.test", prefix=link.near.prefix, listen=["[::1]:53"], serving=False)
    assert named.wait() == 1 and named.log(msg="cannot listen", addr="[::1]:53")
