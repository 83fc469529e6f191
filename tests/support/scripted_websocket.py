"""A websocket server that does what a test tells it to, over real sockets."""

import asyncio
import http
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.support.mattermost_frames import fail, ok


@dataclass(slots=True)
class Peer:
    """One connection as the server sees it."""

    path: str
    query: dict[str, str]
    authorization: str
    opened_at: float
    connection: ServerConnection
    actions: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, *frames: str) -> None:
        for frame in frames:
            await self.connection.send(frame)

    async def answer(self, error_id: str = "") -> None:
        """Answer every action, with the error if there is one, until the connection ends."""
        async for text in self.connection:
            action = json.loads(text)
            self.actions.append(action)
            await self.send(fail(action["seq"], error_id) if error_id else ok(action["seq"]))

    def cut(self) -> None:
        """Break the connection without a close frame."""
        self.connection.transport.abort()


Behaviour = Callable[[Peer], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An upgrade that is answered with a status instead."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class ScriptedWebsocket:
    """Treats connections in turn as `script` says; the last entry is repeated."""

    url: str = ""
    script: deque[Behaviour | Refusal] = field(default_factory=deque)
    peers: list[Peer] = field(default_factory=list)
    tried: int = 0

    def does(self, *steps: Behaviour | Refusal) -> None:
        self.script.extend(steps)

    def refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        self.tried += 1
        url = urlsplit(request.path)
        peer = Peer(
            url.path,
            {key: values[0] for key, values in parse_qs(url.query).items()},
            request.headers.get("Authorization", ""),
            asyncio.get_running_loop().time(),
            connection,
        )
        self.peers.append(peer)
        step = self.script[0]
        if not isinstance(step, Refusal):
            return None
        self._next()
        response = connection.respond(http.HTTPStatus(step.status), "")
        for name, value in step.headers:
            response.headers[name] = value
        return response

    async def handle(self, connection: ServerConnection) -> None:
        step = self._next()
        assert not isinstance(step, Refusal)
        peer = next(peer for peer in self.peers if peer.connection is connection)
        with suppress(ConnectionClosed):
            await step(peer)

    def _next(self) -> Behaviour | Refusal:
        return self.script.popleft() if len(self.script) > 1 else self.script[0]


def talks(*frames: str, error_id: str = "") -> Behaviour:
    """Send the frames, then answer actions."""

    async def act(peer: Peer) -> None:
        await peer.send(*frames)
        await peer.answer(error_id)

    return act


def drops(*frames: str) -> Behaviour:
    """Send the frames, then break the connection once they were written."""

    async def act(peer: Peer) -> None:
        await peer.send(*frames)
        with suppress(ConnectionClosed):
            await (await peer.connection.ping())
        peer.cut()

    return act


def falls_silent(*frames: str) -> Behaviour:
    """Send the frames, then neither answer nor close."""

    async def act(peer: Peer) -> None:
        await peer.send(*frames)
        await peer.connection.wait_closed()

    return act


async def hangs_up(_peer: Peer) -> None:
    """Close at once."""


@asynccontextmanager
async def scripted_websocket() -> AsyncIterator[ScriptedWebsocket]:
    """Serve a script on a free port."""
    scripted = ScriptedWebsocket()
    async with serve(
        scripted.handle,
        "127.0.0.1",
        0,
        process_request=scripted.refuse,
        ping_interval=None,
        close_timeout=0.2,
    ) as server:
        port = server.sockets[0].getsockname()[1]
        scripted.url = f"http://127.0.0.1:{port}"
        yield scripted
