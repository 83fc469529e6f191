"""One open websocket: its writing and its reading side.

Rules: server/channels/app/platform/web_conn.go (`readPump`, `writePump`).
"""

import asyncio
import json
from contextlib import suppress

import structlog
from aiohttp import WSMsgType, web

from bridge.sandbox.mattermost.actions import Actions
from bridge.sandbox.mattermost.connection import Connection
from bridge.sandbox.mattermost.runtime import Runtime

log = structlog.get_logger(__name__)


class Socket:
    """One open socket on a connection."""

    def __init__(
        self,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        connection: Connection,
        runtime: Runtime,
    ) -> None:
        self._ws = ws
        self._transport = transport
        self._connection = connection
        self._runtime = runtime
        self._actions = Actions(runtime.state, runtime.hub, connection)
        self._deaf = False
        self._last_pong = asyncio.get_running_loop().time()

    async def run(self, first: list[str]) -> None:
        """Read and write until either side ends."""
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._write(first)),
                group.create_task(self._watch_authentication()),
                group.create_task(self._ping()),
            ]
            await self._read()
            for helper in helpers:
                helper.cancel()
        self._runtime.hub.unregister(self._connection)

    def _is_deaf(self) -> bool:
        self._deaf = self._deaf or self._runtime.faults.deaf_sockets
        return self._deaf

    async def _read(self) -> None:
        while True:
            message = await self._ws.receive()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return
            if not self._is_deaf() and not await self._heard(message.type, message.data):
                return

    async def _heard(self, kind: WSMsgType, data: str | bytes) -> bool:
        """Act on one frame; false when the socket is to be closed, as for binary ones (msgpack)."""
        match kind:
            case WSMsgType.PING:
                await self._ws.pong(data.encode() if isinstance(data, str) else bytes(data))
            case WSMsgType.PONG:
                self._last_pong = asyncio.get_running_loop().time()
            case WSMsgType.TEXT:
                return self._serve(data)
            case _:
                return False
        return True

    def _serve(self, text: str | bytes) -> bool:
        try:
            request = json.loads(text)
        except ValueError:
            return False
        return isinstance(request, dict) and self._actions.serve(request)

    async def _write(self, first: list[str]) -> None:
        connection = self._connection
        try:
            for frame in first:
                await self._send(frame)
            while not (connection.closing and not connection.queue):
                connection.wake.clear()
                while connection.queue:
                    await self._send(connection.take())
                if not connection.closing:
                    await connection.wake.wait()
            await self._ws.send_frame(b"", WSMsgType.CLOSE)
        except (ConnectionError, TimeoutError):
            log.debug("sandbox socket gone", user_id=connection.user_id)
        self._transport.abort()

    async def _send(self, frame: str | None) -> None:
        if frame is None or self._is_deaf():
            return
        async with asyncio.timeout(self._runtime.timing.write_wait):
            await self._ws.send_str(frame)

    async def _watch_authentication(self) -> None:
        await asyncio.sleep(self._runtime.timing.auth_check)
        if not self._connection.token:
            self._transport.abort()

    async def _ping(self) -> None:
        timing = self._runtime.timing
        loop = asyncio.get_running_loop()
        while loop.time() - self._last_pong < timing.pong_wait:
            await asyncio.sleep(timing.ping_interval)
            if not self._is_deaf():
                with suppress(ConnectionError):  # its reader ends a closed connection
                    await self._ws.ping()
        self._transport.abort()
