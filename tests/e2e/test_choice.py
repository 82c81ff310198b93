"""Which upstream is asked: policies, groups and zones, on real sockets. The simulator has the finer claims."""

import time

from bench import behaviours, messages
from bench.clients import Tcp, addresses, ask, parse
from bench.messages import unique_name


def is_answered(sotto, name=None):
    name = name or unique_name()
    assert addresses(ask(sotto.address, name)) == [messages.address_of(name)]


def test_fastest_asks_the_fastest(start_upstream, start_sotto):
    slow = start_upstream(otherwise=behaviours.after(0.08))
    quick = start_upstream(otherwise=behaviours.after(0.01))
    sotto = start_sotto(slow, quick, policy="fastest")
    is_answered(sotto)  # both are asked, since nothing is known of either
    for _ in range(20):
        is_answered(sotto)
    assert len(quick.queries) == 21 and len(slow.queries) <= 1


def test_race_asks_two_at_once(start_upstream, start_sotto):
    one, two, three = (start_upstream(otherwise=behaviours.after(0.02)) for _ in range(3))
    sotto = start_sotto(one, two, three, policy="race")
    for _ in range(5):
        is_answered(sotto)
        time.sleep(0.05)
    assert len(one.queries) + len(two.queries) + len(three.queries) >= 9


def test_spread_gives_each_its_share_and_a_domain_to_one(start_upstream, start_sotto):
    upstreams = [start_upstream() for _ in range(3)]
    sotto = start_sotto(*upstreams, policy="spread")
    for domain in range(60):
        for host in ("www", "mail"):
            is_answered(sotto, f"{host}.{domain}.example")
    seen = [{q.asked.name.split(".", 1)[1] for q in upstream.queries} for upstream in upstreams]
    assert all(8 < len(domains) < 35 for domains in seen), seen
    assert sum(map(len, seen)) == 60, "a domain was asked of two"


def test_names_of_a_zone_go_to_its_servers_and_nowhere_else(start_upstream, start_sotto):
    usual, corp = start_upstream(), start_upstream()
    sotto = start_sotto(usual, zones={"corp.test": [corp.address()]})
    is_answered(sotto, "a.corp.test"), is_answered(sotto, "corp.test"), is_answered(sotto, "notcorp.test")
    assert [q.asked.name for q in corp.queries] == ["a.corp.test", "corp.test"]
    assert [q.asked.name for q in usual.queries] == ["notcorp.test"]
    corp.stop()
    assert ask(sotto.address, "b.corp.test").rcode() == messages.SERVFAIL
    assert len(usual.queries) == 1


def test_a_thousand_who_ask_the_same_are_one_query(start_upstream, start_sotto, name):
    gate = behaviours.Gate()
    upstream = start_upstream(otherwise=gate)
    sotto = start_sotto(upstream, limits={"queries-per-connection": 2000}, timeouts={"query": "20s"})
    with Tcp(sotto.address) as client:
        client.send(*(messages.query(name, id=id) for id in range(1000)))
        time.sleep(0.5)
        gate.open(upstream)
        answers = [parse(client.receive()) for _ in range(1000)]
    assert sorted(a.id for a in answers) == list(range(1000))
    assert all(addresses(a) == [messages.address_of(name)] for a in answers)
    assert len(upstream.asked(name)) <= 2, "one, and one more when the first was late"
