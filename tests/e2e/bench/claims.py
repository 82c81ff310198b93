"""What most tests claim of a daemon: it answers, and with the right data; or it says that it cannot."""

from . import eventually, messages
from .clients import Tcp, addresses, ask, extended_errors, parse
from .messages import opt, query, unique_name


def is_answered(sotto, name=None, over="udp"):
    name = name or unique_name()
    answer = ask(sotto.address, name, over=over)
    assert addresses(answer) == [messages.address_of(name)], answer
    return True


def are_answered(sotto, names):
    """All of these, pipelined on one connection."""
    with Tcp(sotto.address) as client:
        client.send(*(query(name, id=id) for id, name in enumerate(names)))
        for _ in names:
            answer = parse(client.receive())
            assert addresses(answer) == [messages.address_of(names[answer.id])], answer
    return True


def fails(sotto, name=None):
    """SERVFAIL, and an extended error that says why."""
    answer = ask(sotto.address, name or unique_name(), edns=opt())
    assert answer.rcode() == messages.SERVFAIL, answer
    assert set(extended_errors(answer)) & {22, 23}, "no extended error says that the network failed"
    return True


def names(count):
    return [unique_name() for _ in range(count)]


def reconnect(sotto, upstream):
    """Answered over a new connection, which is returned."""
    before = len(upstream.connections)
    upstream.close_connections()
    assert eventually(lambda: not any(c.open for c in upstream.connections))
    is_answered(sotto)
    assert len(upstream.connections) == before + 1
    return upstream.connections[-1]
