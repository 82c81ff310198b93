"""A DNS-over-TLS server that does what its rules say, and remembers everything that reached it."""

import asyncio
import socket
import ssl
import struct
import threading
import time
import warnings

import pytest

from . import behaviours, messages, seen
from .certificates import NAME

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
BOTH_VERSIONS = pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])


class Query:
    """One query that arrived."""

    def __init__(self, connection, wire):
        self.connection, self.wire, self.time = connection, wire, time.monotonic()
        self.asked = messages.Asked(wire)

    def send(self, message):
        self.connection.write(messages.frame(message))


class Connection(asyncio.Protocol):
    """One connection. TLS runs over memory buffers, so each write is a record of its own and the raw bytes are
    seen."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.received = bytearray()  # raw, from the wire
        self.queries = []
        self.answered, self.held = 0, []  # for behaviours
        self.version = self.server_name = self.alpn = self.resumed = None  # known after the handshake
        self.client_certificate = None  # DER
        self.open, self.closing = True, False
        self.speaks_tls = False  # whatever the upstream does instead
        self.heard_close_notify = self.was_reset = False
        self.handshake_error = None
        self.context = upstream.context
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = None
        self._plain = bytearray()

    # -- what behaviours use

    def write(self, octets):
        """Sends these bytes of the stream as one TLS record."""
        if self.transport.is_closing() or self._tls is None:
            return
        self._tls.write(octets)
        self._flush()

    def close(self, how="notify"):
        """notify: close_notify and FIN; fin: FIN alone; reset: RST."""
        self.closing = True
        if how == "reset":
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.transport.abort()
            return
        if how == "notify" and self._tls is not None:
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                pass  # wants the peer's close_notify; ours is in the buffer
            self._flush()
        self.transport.close()

    def read_no_more(self):
        """Leaves what comes in the kernel: the window closes."""
        self.transport.pause_reading()

    # -- what tests look at

    def record_types(self):
        """The first byte of every TLS record that came, an unfinished one included."""
        types, at = [], 0
        while at < len(self.received):
            types.append(self.received[at])
            at += 5 + int.from_bytes(self.received[at + 3 : at + 5], "big") if at + 5 <= len(self.received) else 5
        return types

    # -- asyncio.Protocol

    def connection_made(self, transport):
        self.transport = transport
        self.peer = transport.get_extra_info("peername")
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.upstream.connections.append(self)

    def data_received(self, octets):
        self.received += octets
        if self.upstream.instead_of_tls and not self.speaks_tls:
            if len(self.received) == len(octets):
                self.upstream.instead_of_tls(self)
            if not self.speaks_tls:
                return
        self.decrypt(octets)

    def decrypt(self, octets):
        """Takes bytes of TLS from the wire."""
        self._incoming.write(octets)
        if self.version is None and not self._handshake():
            return
        self._read()

    def eof_received(self):
        return False

    def connection_lost(self, error):
        self.open = False
        self.was_reset = isinstance(error, ConnectionResetError)

    # -- TLS

    def _handshake(self):
        if self._tls is None:
            self._tls = self.context.wrap_bio(self._incoming, self._outgoing, server_side=True)
            self._tls.connection = self
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            if self.upstream.behind_hello:
                self.transport.write(self.upstream.behind_hello)
            return False
        except ssl.SSLError as error:
            self.handshake_error = str(error)
            self._flush()
            self.transport.close()
            return False
        self.alpn, self.resumed = self._tls.selected_alpn_protocol(), self._tls.session_reused
        self.version = self._tls.version()
        self.client_certificate = self._tls.getpeercert(binary_form=True)
        self._flush()
        return True

    def _read(self):
        try:
            while octets := self._tls.read(65536):
                self._plain += octets
            self.heard_close_notify = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.heard_close_notify = True
        except ssl.SSLError as error:
            self.handshake_error = str(error)  # in TLS 1.3 the client's verdict comes after our handshake
            self.transport.close()
        while len(self._plain) >= 2 and len(self._plain) >= 2 + (size := int.from_bytes(self._plain[:2], "big")):
            wire = bytes(self._plain[2 : 2 + size])
            del self._plain[: 2 + size]
            self.upstream._arrived(self, wire)

    def _flush(self):
        if self._outgoing.pending and not self.transport.is_closing():
            self.transport.write(self._outgoing.read())


class Upstream:
    """Answers every query by messages.derived() unless a rule for its name, or `otherwise`, says something else.
    Runs in a thread of its own."""

    in_clear = False  # by its nature

    def __init__(
        self, certificate=None, *, host="127.0.0.1", listener=None, otherwise=behaviours.derive, instead_of_tls=None,
        behind_hello=b"", **tls,
    ):
        """behind_hello: octets that are sent in clear behind its first flight; tls: see server_context()."""
        self.host = host
        self.connections, self.queries, self.errors = [], [], []
        self.otherwise, self._rules = otherwise, {}
        self.instead_of_tls, self.behind_hello = instead_of_tls, behind_hello
        self._tls = tls
        self.context = server_context(certificate, **tls) if certificate else None
        self._listener = listener or listen(host)
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._fault = None
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        if self._fault:
            raise self._fault

    def address(self, name=NAME, **options):
        """This server as sotto's configuration spells it; name None for a bare tls://IP."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return server_address(host, self.port, name, **options)

    def when(self, name, behaviour):
        """A rule for one name."""
        self._rules[name.lower()] = behaviour

    def asked(self, name):
        """The queries for this name so far."""
        return [query for query in list(self.queries) if query.asked.name == name.lower()]

    def show(self, certificate, keep_tickets=False):
        """Shows another certificate to those who connect from now on; tickets it gave out are worth nothing then,
        unless they are kept."""
        if keep_tickets:
            self.context.load_cert_chain(certificate.chain, certificate.key)
        else:
            self.context = server_context(certificate, **self._tls)

    def call(self, function, *arguments):
        """Runs a function in the event loop and returns what it returned."""

        async def wrapped():
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(wrapped(), self._loop).result(10)

    def close_connections(self, how="notify"):
        self.call(lambda: [c.close(how) for c in self.connections if c.open and not c.closing])

    def stop_listening(self):
        """From now on connecting is refused; connections stay. The port stays ours."""

        def stop():
            self._server.close()

        self.call(stop)

    def stop(self):
        if not self._thread.is_alive():
            return

        def finish():
            self._server.close()
            for connection in self.connections:
                if connection.open:
                    connection.transport.abort()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.call_later(0.01, self._loop.stop)

        self._loop.call_soon_threadsafe(finish)
        self._thread.join()

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)
        try:
            self._server = self._loop.run_until_complete(self._open())
        except Exception as error:  # who waits for us is told
            self._fault = error
            ready.set()
            return
        self._loop.call_soon(ready.set)
        self._loop.run_forever()
        self._loop.close()

    async def _open(self):
        return await self._loop.create_server(lambda: Connection(self), sock=self._listener, backlog=1024)

    def _arrived(self, connection, wire):
        try:
            query = Query(connection, wire)
        except Exception as error:  # a query that cannot be read is sotto's fault, and a test's to report
            self.errors.append((wire, error))
            return
        seen.forwarded(wire)
        connection.queries.append(query)
        self.queries.append(query)
        behaviour = self._rules.get(query.asked.name, self.otherwise)
        try:
            outcome = behaviour(query)
        except Exception as error:
            self.errors.append((wire, error))
            return
        if asyncio.iscoroutine(outcome):
            task = self._loop.create_task(outcome)
            task.add_done_callback(lambda t: t.cancelled() or t.exception() and self.errors.append((wire, t.exception())))


def server_address(host, port, name, pins=(), **parameters):
    """tls://HOST:PORT#NAME?pin=...&ca=..."""
    options = [f"pin={pin}" for pin in pins] + [f"{key}={value}" for key, value in parameters.items() if value]
    return f"tls://{host}:{port}" + (f"#{name}" if name else "") + ("?" + "&".join(options) if options else "")


def listen(host, port=0):
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def server_context(
    certificate, versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3), alpn=("dot",), curve=None, ask=None,
    insist=False,
):
    """curve: the only group there is. ask: clients are asked for a certificate of this CA, which they need not show
    unless insist."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is deprecated: that is the test
        context.minimum_version, context.maximum_version = versions
        if versions[0] < ssl.TLSVersion.TLSv1_2 or certificate.weak:
            context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(certificate.chain, certificate.key)
    if curve:
        context.set_ecdh_curve(curve)
    if ask:
        context.load_verify_locations(ask)
        context.verify_mode = ssl.CERT_REQUIRED if insist else ssl.CERT_OPTIONAL
    if alpn:
        context.set_alpn_protocols(list(alpn))

    def name_sent(tls, name, _context):
        tls.connection.server_name = name

    context.sni_callback = name_sent
    return context
