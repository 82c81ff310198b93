"""The faults, row by row: which upstreams there are, and what happens to them and when.

Times are seconds from the first query. Upstreams answer 20 ms after the query where nothing else is said.
"""

import dataclasses

GOOD = "each: answer after 20ms"


@dataclasses.dataclass
class Row:
    name: str
    title: str
    seconds: float  # queries are sent for so long
    upstreams: list  # a script of badpeer for each
    events: list = dataclasses.field(default_factory=list)  # (time, what is done, function of the stage)
    rate: float = 20.0  # queries in a second
    heal: float = None  # when all is well again, where everything was broken before
    even: bool = False  # queries at even intervals; otherwise at random ones, the same for all forwarders
    ready: bool = True  # the queries start when one was answered; otherwise 1 s after the start
    setup: object = None  # function of the stage, before the forwarder is started


def _busiest_is(script):
    """The upstream that was asked most so far goes on by this script."""
    return lambda stage: stage.tell(stage.busiest(), script)


def _same_one_is(script):
    return lambda stage: stage.tell(stage.victim, script)


def _all_links(way):
    return lambda stage: [getattr(stage.star, way)(n + 1) for n in range(len(stage.peers))]


def _close_after(answers):
    return Row(
        f"F-02/{answers}", f"the connection is closed after every {_answers(answers)}, with queries in flight", 10,
        [f"each: answer x{answers} after 5ms, close"], rate=100,
    )


def _answers(count):
    return "answer" if count == 1 else f"{count} answers"


def _error(rcode):
    return Row(
        f"F-22/{rcode}", f"one of two upstreams answers {rcode}", 25, [GOOD, GOOD],
        [(5, f"the busier upstream answers {rcode}", _busiest_is(f"each: answer rcode {rcode} after 20ms")),
         (20, "it answers as before", _same_one_is(GOOD))],
    )


ROWS = [
    Row(
        "F-01", "the connection is closed when idle for 1 s, a query comes every 1.1 s", 44,
        ["each: answer until idle 1s after 20ms, close"], rate=1 / 1.1, even=True,
    ),
    _close_after(1),
    _close_after(2),
    _close_after(10),
    Row(
        "F-04/two", "one of two upstreams vanishes: packets are dropped both ways", 25, [GOOD, GOOD],
        [(5, "the busier upstream vanishes", lambda stage: stage.star.cut(stage.busiest() + 1)),
         (20, "it is back", lambda stage: stage.star.heal(stage.victim + 1))],
    ),
    Row(
        "F-04/one", "the only upstream vanishes for 15 s", 30, [GOOD],
        [(5, "the upstream vanishes", lambda stage: stage.star.cut(1)),
         (20, "it is back", lambda stage: stage.star.heal(1))],
        heal=20,
    ),
    Row(
        "F-05", "one of two upstreams resets its connections, accepts new ones, and never speaks TLS", 30, [GOOD, GOOD],
        [(5, "the busier upstream speaks no more TLS", _busiest_is("now: reset; each: tcp, stall")),
         (25, "it does again", _same_one_is("now: reset; each: answer after 20ms"))],
    ),
    _error("SERVFAIL"),
    _error("REFUSED"),
    Row(
        "F-23", "of five upstreams, from the start, one refuses connections, one drops packets, one never speaks TLS,"
        " one never answers; the fifth is good", 25,
        ["each: refuse", GOOD, "each: tcp, stall", "each: silence", GOOD],
        setup=lambda stage: stage.star.cut(2), ready=False,
    ),
    Row(
        "F-30", "the links to both upstreams are down for 20 s", 40, [GOOD, GOOD],
        [(5, "links down", _all_links("down")), (25, "links up", _all_links("up"))],
        heal=25,
    ),
]
