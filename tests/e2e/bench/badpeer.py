"""The scripted server: an Upstream whose connections each play a rule of a script (script.py), and that tells what it
saw as lines of JSON."""

import asyncio
import copy
import json
import pathlib
import socket
import ssl
import tempfile
import time

from . import messages, records, upstream
from .certificates import Certificate
from .script import ENDINGS, Script

CLIENT_RANDOM = slice(11, 43)  # in the first record of a client: headers of 5 and 4 octets, the version, then this
TLS_VERSIONS = {
    "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3,
}


class Peer(upstream.Upstream):
    """Listens at once. `certificates` is a folder made by certificates.set_in()."""

    def __init__(self, certificates, script="", listener=None, log=None):
        self.script = Script(script)
        self.certificates, self.events, self._log = pathlib.Path(certificates), [], log
        self._turns = {}  # how often each `name` rule was used
        self.stopping = False
        self._keys = tempfile.TemporaryDirectory(prefix="badpeer-")
        super().__init__(listener=listener)
        self.note("ready", address=self._address[0], port=self.port)

    def change(self, text):
        """Goes on by another script; connections that are open, too."""
        self.call(self._change, Script(text))

    def note(self, event, connection=None, **facts):
        """Remembers and logs an event."""
        number = {} if connection is None else {"connection": connection.number}
        entry = {"time": round(time.time(), 6), "event": event, **number, **facts}
        self.events.append(entry)
        if self._log:
            print(json.dumps(entry), file=self._log, flush=True)

    def stop(self):
        self.stopping = True
        super().stop()
        self._keys.cleanup()

    def context_for(self, options):
        """What a `tls` step asks for."""
        which = options.get("certificate", "good")
        known = self.certificates / f"{which}.pem"
        file = known if known.exists() else pathlib.Path(which)
        lowest, highest = options.get("version", ("1.2", "1.3"))
        alpn = () if options.get("alpn") == "none" else (options.get("alpn", "dot"),)
        context = upstream.server_context(
            Certificate(file, file, None), (TLS_VERSIONS[lowest], TLS_VERSIONS[highest]), alpn
        )
        if "group" in options:
            context.set_ecdh_curve(options["group"])
        if "no-tickets" in options:
            context.options |= ssl.OP_NO_TICKET
            context.num_tickets = 0
        if "ask-certificate" in options:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(self.certificates / "ca.pem")
        context.keylog_filename = str(self.key_log)
        return context

    @property
    def key_log(self):
        return pathlib.Path(self._keys.name) / "keys"

    # -- in the event loop

    async def _open(self):
        self._contexts = {}
        self._address = self._listener.getsockname()
        self._accepting = None
        self._listen_or_not(self._listener)
        return self  # close() is all that is asked of a server

    def close(self):
        if self._accepting:
            self._accepting.cancel()
            self._listener.close()
            self._accepting = None

    def context_of(self, rule):
        """One for all rules that ask for the same: a session of one can be resumed in the other, and nowhere else."""
        wanted = repr(sorted(rule.tls.items()))
        if wanted not in self._contexts:
            self._contexts[wanted] = self.context_for(rule.tls)
        return self._contexts[wanted]

    def _change(self, script):
        self.script, self._turns = script, {}
        self.note("script", text=script.text)
        for connection in self.connections:
            if connection.open and not connection.closing:
                connection.play(script.now or script.rule_for(connection.number))
        self._listen_or_not()

    def _listen_or_not(self, listener=None):
        """Listens if the next connection is not to be refused."""
        if self.script.rule_for(len(self.connections) + 1).refuse:
            if listener:
                listener.close()
            self.close()
        elif not self._accepting:
            self._listener = listener or upstream.listen(*self._address[:2])
            self._listener.listen(1024)
            self._listener.setblocking(False)
            self._accepting = self._loop.create_task(self._accept(self._listener))

    async def _accept(self, listener):
        while True:
            accepted, _ = await self._loop.sock_accept(listener)
            await self._loop.connect_accepted_socket(lambda: Played(self), accepted)
            self._listen_or_not()

    def _arrived(self, connection, wire):
        try:
            query = upstream.Query(connection, wire)
        except Exception as error:
            self.errors.append((wire, error))
            self.note("unreadable", connection, wire=wire.hex(), error=repr(error))
            return
        connection.queries.append(query)
        self.queries.append(query)
        asked = query.asked
        self.note("query", connection, name=asked.name, type=asked.type, id=asked.id, wire=wire.hex())
        steps = self.script.steps_for(asked.name)
        if steps is None:
            connection.take(query)
        else:
            turn = self._turns[id(steps)] = self._turns.get(id(steps), 0) + 1
            connection.respond(steps[min(turn, len(steps)) - 1], [query])


class Played(upstream.Connection):
    """A connection that plays a rule."""

    def __init__(self, peer):
        super().__init__(peer)
        self.number = None
        self._player, self._inbox, self._owed = None, asyncio.Queue(), set()
        self._writing = asyncio.Lock()  # an answer in pieces is not interrupted by another
        self._established, self._deaf = asyncio.Event(), True
        self._fed = self._records = 0  # octets given to TLS; records sent under the keys of after the handshake
        self._moved = self._now()  # when something came or went
        self._ours = None  # how we ended the connection
        self._said_goodbye = False  # close_notify: TLS carries nothing behind it

    def play(self, rule):
        """Leaves what it was doing and does this."""
        if self._player:
            self._player.cancel()
        self._player = asyncio.get_running_loop().create_task(self._play(rule))
        self._player.add_done_callback(self._played)

    def take(self, query):
        """For the step that is waiting for queries, or the one that will."""
        self._moved = self._now()
        self._inbox.put_nowait(query)

    def respond(self, step, queries):
        task = asyncio.get_running_loop().create_task(self._respond(step, queries))
        self._owed.add(task)
        task.add_done_callback(self._responded)

    def write(self, octets):
        if not self._said_goodbye:
            super().write(octets)

    def close(self, how="notify"):
        if not self.closing:
            self._ours = how
            super().close(how)

    # -- asyncio.Protocol

    def connection_made(self, transport):
        super().connection_made(transport)
        self.number = len(self.upstream.connections)
        self.upstream.note("accept", self, peer="%s:%d" % transport.get_extra_info("peername")[:2])
        rule = self.upstream.script.rule_for(self.number)
        if rule.refuse:  # it was in the queue of the socket that is being closed
            self.close("reset")
        else:
            self.play(rule)

    def data_received(self, octets):
        self.received += octets
        if not self._deaf:
            self._feed()

    def connection_lost(self, error):
        super().connection_lost(error)
        if self._player:
            self._player.cancel()
        ours = self._ours or self.upstream.stopping and "stop"
        theirs = "reset" if self.was_reset else "close_notify" if self.heard_close_notify else "fin"
        self.upstream.note(
            "end", self, by="us" if ours else "client", how=ours or theirs, octets=len(self.received),
            queries=len(self.queries), answers=self.answered,
        )

    # -- the play

    async def _play(self, rule):
        if rule.refuse:
            return
        if self._deaf:
            for step in rule.bare:
                await self._do(step)
            if rule.tls is None:
                return
            self.context, self._deaf = self.upstream.context_of(rule), False
            self._feed()
        await self._established.wait()
        at = 0
        while at < len(rule.steps):
            step, last = rule.steps[at], at == len(rule.steps) - 1
            at += 1
            if step.takes_queries:
                await self._take_queries(step, for_ever=last)
                continue
            while self._owed:
                await asyncio.wait(self._owed)
            if step.verb == "repeat":
                at = 0
            else:
                await self._do(step)

    async def _take_queries(self, step, for_ever):
        """Takes as many as the step says, and answers them as soon as those are together that belong together."""
        how, amount = step.often or ("x", 1)
        end = self._now() + amount if how == "for" and not for_ever else None
        together = 2 if step.options.get("swap") else step.options.get("reorder") or step.options.get("join") or 1
        taken, group = 0, []
        while for_ever or how != "x" or taken < amount:
            idle_at = None if for_ever or how != "idle" else self._moved + amount
            query = await self._next_query(end or idle_at)
            if query is None:
                if how == "idle" and (self._owed or self._moved + amount > self._now()):
                    continue
                return
            taken += 1
            group.append(query)
            if len(group) >= together:
                self.respond(step, group)
                group = []

    async def _next_query(self, until):
        """None if there is none until then."""
        left = None if until is None else max(0.001, until - self._now())
        try:
            async with asyncio.timeout(left):
                return await self._inbox.get()
        except TimeoutError:
            return None

    async def _do(self, step):
        verb = step.verb
        if verb in ENDINGS:
            self.close(ENDINGS[verb])
        elif verb == "stall":
            await asyncio.sleep(step.value if step.value is not None else 1e9)
        elif verb == "notify":
            self._send_close_notify()
        elif verb == "alert":
            self._send_alert(step.value)
        elif verb == "send":
            self.write(step.value) if self.version else self.transport.write(step.value)
        elif verb == "stop-reading":
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            self.read_no_more()
        elif verb == "read":
            self.transport.resume_reading()
        self.upstream.note("step", self, step=verb)

    async def _respond(self, step, queries):
        if step.verb == "silence":
            return
        options = step.options
        if delay := options.get("after"):
            await asyncio.sleep(delay)
        frames = [frame(asked, options) for asked in _order([q.asked for q in queries], options)]
        frames *= options.get("duplicate", 1)
        async with self._writing:
            for stretch in [b"".join(frames)] if "join" in options else frames:
                await self._send(stretch, options)
        self._moved = self._now()
        self.answered += len(queries)

    async def _send(self, octets, options):
        for word, how in ENDINGS.items():
            if (at := options.get(f"{word}-at")) is not None:
                if at:
                    self.write(octets[:at])
                self.close(how)
                return
        size, pause = options.get("drip", (len(octets), 0))
        cuts = options.get("split") or range(size, len(octets), size)
        for begin, end in zip([0, *cuts], [*cuts, len(octets)]):
            if begin and pause:
                await asyncio.sleep(pause)
            if octets[begin:end] and not self.closing:
                self.write(octets[begin:end])

    def _played(self, task):
        if not task.cancelled() and task.exception():
            self.upstream.errors.append((b"", task.exception()))
            self.upstream.note("error", self, error=repr(task.exception()))

    def _responded(self, task):
        self._owed.discard(task)
        self._played(task)

    # -- TLS

    def _feed(self):
        octets, self._fed = bytes(self.received[self._fed :]), len(self.received)
        failed_before = self.handshake_error
        if octets:
            self.decrypt(octets)
        if self.handshake_error and not failed_before:
            self._ours = "handshake failed"
            self.upstream.note("handshake-failed", self, error=self.handshake_error)

    def _handshake(self):
        done = super()._handshake()
        if done:
            self._established.set()
            self.upstream.note(
                "handshake", self, version=self.version, alpn=self.alpn, name=self.server_name, resumed=self.resumed,
                certificate=self._tls.getpeercert() is not None,
            )
        return done

    def _flush(self):
        if self.version and self._outgoing.pending:
            waiting = self._outgoing.read()
            self._records += records.count(waiting)
            if not self.transport.is_closing():
                self.transport.write(waiting)
            return
        super()._flush()

    def _send_close_notify(self):
        self._said_goodbye = True
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass  # wants the client's; ours is in the buffer
        self._flush()

    def _send_alert(self, number):
        alert = records.alert(number)
        if not self.version:
            self.transport.write(records.bare(records.ALERT, alert))
            return
        secret = records.server_secret(self.upstream.key_log.read_text(), bytes(self.received[CLIENT_RANDOM]))
        self.transport.write(
            records.encrypted(records.ALERT, alert, self._tls.cipher()[0], secret, self._records)
        )

    def _now(self):
        return asyncio.get_running_loop().time()


# ---- answers


def _order(asked, options):
    if "reorder" in options:
        return asked[::-1]
    if "swap" in options:
        return [_like(other, id=one.id) for one, other in zip(asked, asked[::-1])]
    return asked


def _like(asked, **facts):
    changed = copy.copy(asked)
    vars(changed).update(facts)
    return changed


def _about(asked, name=None, qtype=None):
    """The same query for another name or type."""
    other = messages.Asked(messages.query(name or asked.name, qtype or asked.type, qclass=asked.qclass))
    return _like(other, id=asked.id, flags=asked.flags, edns=asked.edns)


def answer(asked, options):
    """The message that a step's modifiers ask for."""
    how = {}
    if "wrong-question" in options:
        asked = _about(asked, name=f"wrong.{asked.name}")
    if "wrong-type" in options:
        asked = _about(asked, qtype=messages.TYPES["TXT" if asked.type == messages.TYPES["A"] else "A"])
    if "other-case" in options:
        asked = _like(asked, question=asked.question[:-4].swapcase() + asked.question[-4:])
    if "wrong-id" in options:
        asked = _like(asked, id=asked.id ^ 0xFFFF)
    if asked.edns and "keepalive" in options:
        tenths = round(options["keepalive"] * 10)
        how["edns"] = messages.opt(options=messages.option(messages.KEEPALIVE, tenths.to_bytes(2, "big")))
    if "no-opt" in options:
        how["edns"] = b""
    if "size" in options:
        return messages.sized(asked, options["size"])
    if "rcode" in options or "tc" in options:
        flags = messages.TC if "tc" in options else 0
        return messages.reply(asked, rcode=options.get("rcode", messages.NOERROR), flags=flags, **how)
    return messages.derived(asked, **how)


def frame(asked, options):
    message = answer(asked, options)
    if "length" in options:
        return options["length"].to_bytes(2, "big") + message
    return messages.frame(message)
