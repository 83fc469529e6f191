"""`/api/v4/websocket`: upgrade, and which connection the socket belongs to, a fresh or a resumed one.

Rules: server/channels/api4/websocket.go, server/channels/app/platform/web_conn.go (`PopulateWebConnConfig`).
"""

import asyncio
from urllib.parse import urlsplit

from aiohttp import web

from bridge.sandbox.mattermost.api.routing import refusal
from bridge.sandbox.mattermost.connection import Connection
from bridge.sandbox.mattermost.credentials import token_of
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.ids import is_id
from bridge.sandbox.mattermost.runtime import RUNTIME, Runtime
from bridge.sandbox.mattermost.sessions import find_session
from bridge.sandbox.mattermost.socket import Socket

MAX_FRAME = 8 * 1024
"""Bytes of a frame from a client, `SocketMaxMessageSizeKb`."""


class Sockets:
    """The open sockets of one server, so that they can be cut."""

    def __init__(self) -> None:
        self._transports: set[asyncio.Transport] = set()

    def add(self, transport: asyncio.Transport) -> None:
        self._transports.add(transport)

    def discard(self, transport: asyncio.Transport) -> None:
        self._transports.discard(transport)

    def cut(self) -> None:
        """Cut all of them without a close frame, as a dying server or network does."""
        for transport in list(self._transports):
            transport.abort()


SOCKETS: web.AppKey[Sockets] = web.AppKey("sockets", Sockets)


async def connect(request: web.Request) -> web.StreamResponse:
    """Serve one websocket until it ends."""
    runtime = request.app[RUNTIME]
    transport = request.transport
    if transport is None or runtime.faults.refuse_sockets:
        if transport is not None:
            transport.abort()
        return web.Response(status=503)
    if not _origin_is_ours(request, runtime):
        return refusal(ApiError("api.web_socket.connect.upgrade.app_error", 400), runtime)
    ws = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=MAX_FRAME, timeout=1.0)
    await ws.prepare(request)
    sockets = request.app[SOCKETS]
    sockets.add(transport)
    try:
        opened = _open(request, runtime)
        if opened is not None:
            connection, first = opened
            if connection.authenticated:
                runtime.hub.presence.come(connection.user_id)
            await Socket(ws, transport, connection, runtime).run(first)
    finally:
        sockets.discard(transport)
        transport.abort()
    return ws


def _origin_is_ours(request: web.Request, runtime: Runtime) -> bool:
    """Compare `Origin` with the site (server/channels/app/server.go `OriginChecker`); no header is fine."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    service = runtime.state.settings.sections["ServiceSettings"]
    site = urlsplit(service["SiteURL"] or f"{request.scheme}://{request.host}")
    allowed = [f"{site.scheme}://{site.netloc}", *str(service["AllowCorsFrom"]).split()]
    return origin in allowed or "*" in allowed


def _open(request: web.Request, runtime: Runtime) -> tuple[Connection, list[str]] | None:
    """Return a fresh or a resumed connection and its first frames; none to close the socket at once."""
    state, hub = runtime.state, runtime.hub
    session = find_session(state, token_of(request).token)
    wanted_id = request.query.get("connection_id", "")
    if session is None:
        return Connection(state, state.new_id(), "", ""), []
    if wanted_id and not is_id(wanted_id):
        return None
    old = hub.take_over(session.user_id, wanted_id) if wanted_id else None
    if old is None:
        fresh = Connection(state, state.new_id(), session.user_id, session.token)
        hub.register(fresh)
        return fresh, []
    wanted = _sequence_number(request)
    return None if wanted is None else (old, _resume(runtime, old, session.token, wanted))


def _sequence_number(request: web.Request) -> int | None:
    try:
        number = int(request.query.get("sequence_number", ""))
    except ValueError:
        return None
    return number if number >= 0 else None


def _resume(runtime: Runtime, connection: Connection, token: str, wanted: int) -> list[str]:
    connection.token = token
    connection.reused = True
    connection.last_activity = runtime.state.now()
    first = connection.replay(wanted)
    if first is None:
        connection.start_over(runtime.state.new_id())
        first = [connection.number(runtime.hub.hello(connection))]
    runtime.hub.register(connection)
    return first
