"""What the scripted upstream does with a query. A behaviour is a function of the query; it runs in the upstream's
event loop, may be a coroutine, and acts through query.send() and query.connection."""

import asyncio

from . import messages as dns


def derive(query):
    """The good server: the answer that follows from the question."""
    query.send(dns.derived(query.asked))


def silence(query):
    """Never answers."""


def after(seconds, then=derive):
    async def behave(query):
        await asyncio.sleep(seconds)
        await run(then, query)

    return behave


def answer(*records, **how):
    """A reply with these records, and whatever else messages.reply() takes."""

    def behave(query):
        query.send(dns.reply(query.asked, records, **how))

    return behave


def rcode(number):
    return answer(rcode=number)


def message(build):
    """The message that build(asked) returns, in one frame and one record."""

    def behave(query):
        query.send(build(query.asked))

    return behave


def stream(build):
    """The bytes of the stream that build(asked) returns, frames and all, in one record."""

    def behave(query):
        query.connection.write(build(query.asked))

    return behave


def in_records_of(octets, build=dns.derived):
    """The framed answer, so many octets to a TLS record."""

    def behave(query):
        framed = dns.frame(build(query.asked))
        for at in range(0, len(framed), octets):
            query.connection.write(framed[at : at + octets])

    return behave


def times(count, build=dns.derived):
    """The same answer again and again."""

    def behave(query):
        for _ in range(count):
            query.send(build(query.asked))

    return behave


def close(how="notify", first=b""):
    """Ends the connection (see Connection.close), after these bytes of the stream."""

    def behave(query):
        if first:
            query.connection.write(first(query.asked) if callable(first) else first)
        query.connection.close(how)

    return behave


def close_after(answers, how="notify"):
    """Answers so many queries on each connection, then closes it; later queries on it are lost."""

    def behave(query):
        if query.connection.closing:
            return
        derive(query)
        query.connection.answered += 1
        if query.connection.answered >= answers:
            query.connection.close(how)

    return behave


def gather(count, reply_all):
    """Waits for so many queries of one connection, then hands them all to reply_all(queries)."""

    def behave(query):
        held = query.connection.held
        held.append(query)
        if len(held) == count:
            query.connection.held = []
            reply_all(held)

    return behave


def first_then(*behaviours):
    """One behaviour after the other for the queries as they come; the last one stays."""
    left = list(behaviours)

    async def behave(query):
        await run(left.pop(0) if len(left) > 1 else left[0], query)

    return behave


class Gate:
    """Holds every answer back until it is opened."""

    def __init__(self, then=derive):
        self.held, self._open, self._then = [], False, then

    def __call__(self, query):
        if self._open:
            return self._then(query)
        self.held.append(query)

    def names(self):
        """What is held, however often it was asked: what waits for long is asked over a fresh connection as well."""
        return {query.asked.name for query in list(self.held)}

    def open(self, upstream):
        """Lets them all go; called from the test."""
        upstream.call(self._let_go)

    def _let_go(self):
        self._open = True
        for query in self.held:
            self._then(query)


async def run(behaviour, query):
    outcome = behaviour(query)
    if asyncio.iscoroutine(outcome):
        await outcome


# What a server may do instead of the TLS handshake: functions of the connection, called when the first bytes come.

ALERT_NO_APPLICATION_PROTOCOL = b"\x15\x03\x03\x00\x02\x02\x78"


def mute(connection):
    """Accepts, and never speaks."""


def plain(octets):
    def behave(connection):
        connection.transport.write(octets)

    return behave


def plain_then_close(octets):
    def behave(connection):
        connection.transport.write(octets)
        connection.transport.close()

    return behave


def reset(connection):
    connection.close("reset")
