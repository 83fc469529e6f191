"""The HTTP server, and its answer to bytes that are not a valid request.

aiohttp answers and logs such a request with an excerpt, which may be a whole session cookie, and lets
strangers take as long as they like.
"""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import StreamReader, web
from aiohttp.http import HttpProcessingError

from bridge.errors import RequestTimeout, StartupError, Unavailable
from handlers.http import healthz, metrics, readyz
from handlers.http.connections import ConnectionLimits, Connections, limits_of_process
from handlers.http.errors import refusal, unreadable
from handlers.http.middleware import add_headers

log = structlog.get_logger(__name__)

LONGEST_HEADER = 32 * 1024
"""Bytes. Cookies of the parent domain make long headers; the proxy in deploy/ passes as much on."""

_FINISH_SECONDS = 5
"""For answers that are being made when the listening ends."""


_LINGER_SECONDS = 5.0
"""For the rest of a body that nobody reads."""

_PROBES = {healthz.PATH, readyz.PATH, metrics.PATH}

_BY_THE_OTHER_SIDE = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
"""Errors that strangers can cause at will."""


class Protocol(web.RequestHandler):
    """aiohttp's, but for how long it waits and what it answers to bytes that it cannot read."""

    __slots__ = ("_body", "_connections", "_lingering", "_unreadable", "busy_since", "waits_since")

    def __init__(self, server: web.Server, connections: Connections) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            max_field_size=LONGEST_HEADER,
            lingering_time=_LINGER_SECONDS,
        )
        self._connections = connections
        self._body: StreamReader | None = None
        self._lingering: asyncio.Transport | None = None
        self._unreadable = False
        self.waits_since: float | None = None
        self.busy_since: float | None = None

    @property
    def owes_body(self) -> bool:
        return self._body is not None and not self._body.is_eof()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.waits_since = self._loop.time()
        if not self._connections.add(self):
            self._request_handler = self._probes_only

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        is_body = self.owes_body
        super().data_received(data)
        if self._messages:
            self._body = self._messages[-1][1]
            if self.busy_since is None:
                self.waits_since, self.busy_since = None, self._loop.time()
                self._connections.becomes_busy(self)
        elif self.busy_since is None and self.waits_since is None and not is_body:
            self.waits_since = self._loop.time()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if self._cannot_read_on:
            resp.force_close()
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            if self._unreadable:
                self.force_close()
            if self.transport is not None and not self._messages:
                self.busy_since = None
                self._connections.becomes_idle(self)

    @property
    def _cannot_read_on(self) -> bool:
        return self._unreadable or (self._body is not None and self._body.exception() is not None)

    def force_close(self) -> None:
        """Close the connection; behind the answer to what cannot be read, take the rest of it first.

        Whoever still sends when a connection is closed gets an error in place of the answer.
        """
        if isinstance(self.transport, asyncio.Transport) and self._cannot_read_on:
            self._lingering, self.transport = self.transport, None
            self._lingering.write_eof()
            self._loop.call_later(_LINGER_SECONDS, self._lingering.abort)
        super().force_close()

    def give_up(self, *, late: bool) -> None:
        """Close the connection; a request that has begun and is late gets an answer."""
        if self._lingering is not None:
            self._lingering.abort()
        if self.transport is not None:
            if late and self.waits_since is not None and self._request_count == 0:
                self.transport.write(_too_late())
            if self.busy_since is not None:
                self.transport.abort()
        self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer in our shape, and quote nothing of what came."""
        if not isinstance(exc, _BY_THE_OTHER_SIDE):
            return super().handle_error(request, status, exc, message)
        self._unreadable = True
        request_id, reason = secrets.token_hex(8), type(exc).__name__
        status = status if status < HTTPStatus.INTERNAL_SERVER_ERROR else HTTPStatus.BAD_REQUEST
        log.info(
            "request",
            route="none",
            status=status,
            error="invalid_request",
            reason=reason,
            request_id=request_id,
        )
        answer = unreadable(status)
        add_headers(answer, request_id)
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log a fault of ours; what the other side did to its connection is none."""
        error = kw.get("exc_info")
        if isinstance(error, _BY_THE_OTHER_SIDE):
            log.info("request_broken_off", reason=type(error).__name__)
        else:
            super().log_exception(*args, **kw)

    async def _probes_only(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer while every other connection is busy."""
        if request.path in _PROBES and self._manager is not None:
            response: web.StreamResponse = await self._manager.request_handler(request)
        else:
            response = refusal(Unavailable("Too many requests are being answered; please try again."))
            add_headers(response, secrets.token_hex(8))
        response.force_close()
        return response


def _too_late() -> bytes:
    error = RequestTimeout("The request took too long to arrive.")
    body = json.dumps({"error": error.code, "message": error.message}).encode()
    head = "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def http_server(
    app: web.Application, host: str, port: int, limits: ConnectionLimits | None = None
) -> AsyncIterator[int]:
    """Serve the application; give the port.

    `::` is every address of the machine, IPv4 too where it has that. Raises `StartupError` when the address
    cannot be used.
    """
    connections = Connections(limits or limits_of_process())
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_FINISH_SECONDS)
    await runner.setup()
    try:
        server = await _listen(runner, connections, host, port)
        own_port: int = server.sockets[0].getsockname()[1]
        log.info("listening", host=host, port=own_port, connections=connections.limits.most)
        try:
            async with connections.watched():
                yield own_port
        finally:
            server.close()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, connections: Connections, host: str, port: int) -> asyncio.Server:
    loop, manager = asyncio.get_running_loop(), runner.server
    assert manager

    def protocol() -> Protocol:
        return Protocol(manager, connections)

    try:
        if host == "::" and socket.has_dualstack_ipv6():
            both = socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
            return await loop.create_server(protocol, sock=both)
        return await loop.create_server(protocol, host, port)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not the name of a host"
        raise StartupError(
            f"The API cannot listen on {host} port {port} ({reason}): set BRIDGE_HOST or BRIDGE_PORT."
        ) from None
