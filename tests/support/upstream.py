"""A web server that records what reaches it, answers as told, and echoes on its websocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web
from multidict import CIMultiDict, CIMultiDictProxy


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived; `from_port` tells connections apart."""

    method: str
    target: str
    headers: CIMultiDictProxy[str]
    from_port: int


@dataclass(slots=True)
class Upstream:
    """What has arrived, and what is answered: `reply` is sent with every response."""

    seen: list[Seen] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    reply: CIMultiDict[str] = field(default_factory=CIMultiDict)
    status: int = 200
    body: bytes = b"{}"
    url: str = ""

    @property
    def only(self) -> Seen:
        """The one request that arrived."""
        (one,) = self.seen
        return one

    @asynccontextmanager
    async def served(self) -> AsyncIterator["Upstream"]:
        app = web.Application()
        app.router.add_get("/api/v4/websocket", self._echo)
        app.router.add_route("*", "/{anything:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, max_field_size=64 * 1024)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}"
            yield self
        finally:
            await runner.cleanup()

    def _record(self, request: web.Request) -> None:
        assert request.transport is not None
        _, port = request.transport.get_extra_info("peername")
        self.seen.append(Seen(request.method, request.raw_path, request.headers, port))
        self.arrived.set()

    async def _answer(self, request: web.Request) -> web.Response:
        self._record(request)
        response = web.Response(status=self.status, body=self.body)
        response.headers.popall("Content-Type", None)
        response.headers.extend(self.reply)
        return response

    async def _echo(self, request: web.Request) -> web.WebSocketResponse:
        self._record(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket
