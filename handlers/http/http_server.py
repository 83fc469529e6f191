"""Where the API is listened for, and what a request gets that is none.

aiohttp answers and logs such a request with an excerpt, and that may be a whole session cookie.
"""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from bridge.errors import StartupError
from handlers.http.errors import unreadable
from handlers.http.middleware import add_headers

log = structlog.get_logger(__name__)

LONGEST_HEADER = 32 * 1024
"""Bytes. Cookies of the parent domain make long headers; the proxy in deploy/ passes as much on."""

_FINISH_SECONDS = 5
"""For answers that are being made when the listening ends."""


class Protocol(web.RequestHandler):
    """aiohttp's, but for what it answers to bytes that it cannot read."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer in our shape, and quote nothing of what came."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        request_id, reason = secrets.token_hex(8), type(exc).__name__
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


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve the application; gives the port.

    `::` is every address of the machine, IPv4 too where it has that. Raises `StartupError` when it cannot be
    listened there.
    """
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_FINISH_SECONDS)
    await runner.setup()
    try:
        server = await _listen(runner, host, port)
        listened: int = server.sockets[0].getsockname()[1]
        log.info("listening", host=host, port=listened)
        try:
            yield listened
        finally:
            server.close()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> asyncio.Server:
    loop, manager = asyncio.get_running_loop(), runner.server
    assert manager

    def protocol() -> Protocol:
        return Protocol(manager, loop=loop, max_field_size=LONGEST_HEADER)

    try:
        if host == "::" and socket.has_dualstack_ipv6():
            both = socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
            return await loop.create_server(protocol, sock=both)
        return await loop.create_server(protocol, host, port)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "that is no name of a host"
        raise StartupError(
            f"The API cannot listen on {host} port {port} ({reason}): set BRIDGE_HOST or BRIDGE_PORT."
        ) from None
