"""A scripted server of plain DNS, over UDP and TCP on one port: what upstream.py is for TLS."""

import asyncio
import socket
import struct

from . import daemon
from .upstream import Upstream, listen


class Stream(asyncio.Protocol):
    """One TCP connection."""

    over = "tcp"

    def __init__(self, upstream):
        self.upstream, self.queries, self.open, self.closing = upstream, [], True, False
        self._received = bytearray()

    def write(self, octets):
        self.transport.write(octets)

    def close(self, how="fin"):
        self.closing = True
        if how == "reset":
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.transport.abort()
        else:
            self.transport.close()

    def connection_made(self, transport):
        self.transport = transport
        self.upstream.connections.append(self)

    def connection_lost(self, error):
        self.open = False

    def data_received(self, octets):
        self._received += octets
        while len(self._received) >= 2 + (size := int.from_bytes(self._received[:2], "big")):
            wire = bytes(self._received[2 : 2 + size])
            del self._received[: 2 + size]
            self.upstream._arrived(self, wire)


class Peer:
    """Whoever sent a datagram: in the place of a connection."""

    over = "udp"

    def __init__(self, upstream, transport, address):
        self.upstream, self.address, self.queries = upstream, address, []
        self._transport = transport

    def write(self, framed):
        self.send_raw(framed[2:])

    def send_raw(self, octets):
        self._transport.sendto(octets, self.address)


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, upstream):
        self.upstream = upstream

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, wire, address):
        self.upstream._arrived(Peer(self.upstream, self._transport, address), wire)


class Plain(Upstream):
    """Takes rules and behaviours as Upstream does; query.connection.over is the transport."""

    in_clear = True

    def __init__(self, host="127.0.0.1", *, port=None, tcp=True, **how):
        self._tcp = tcp
        super().__init__(host=host, listener=listen(host, port or daemon.free_port(host)), **how)

    def address(self, scheme="udp", **_):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"

    def over(self, transport):
        """The queries that came so."""
        return [query for query in list(self.queries) if query.connection.over == transport]

    def go_deaf(self):
        """Datagrams are answered by ICMP from now on."""
        self.call(self._endpoint.abort)

    def hear_again(self):
        asyncio.run_coroutine_threadsafe(self._hear(), self._loop).result(10)

    async def _hear(self):
        self._endpoint, _ = await self._loop.create_datagram_endpoint(
            lambda: Datagrams(self), local_addr=(self.host, self.port)
        )
        self._endpoint.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)

    async def _open(self):
        await self._hear()
        if not self._tcp:
            self._listener.close()
            return self._endpoint
        return await self._loop.create_server(lambda: Stream(self), sock=self._listener, backlog=1024)
