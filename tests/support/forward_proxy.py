"""A small forwarding proxy: absolute addresses for HTTP, CONNECT for everything else."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class ForwardProxy:
    """Forwards to the addresses that it is asked for, and records each request line and login."""

    def __init__(self, login: str = "") -> None:
        self.lines: list[str] = []
        self.logins: list[str] = []
        self.url = ""
        self._login = login
        """The value of `Proxy-Authorization` that it wants, if it wants one."""
        self._open: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def served(self) -> AsyncIterator["ForwardProxy"]:
        server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            server.close()
            for task in list(self._open):
                task.cancel()
            await asyncio.gather(*list(self._open), return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            await _close(writer)
            self._open.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split(" ", 2)
        self.lines.append(f"{method} {target}")
        login = re.search(r"(?i)\r\nproxy-authorization: ([^\r]*)", head)
        self.logins.append(login[1] if login else "")
        if self._login and self.logins[-1] != self._login:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        authority, path = target, ""
        if method != "CONNECT":
            authority, path = re.fullmatch(r"http://([^/]*)(.*)", target).groups()  # type: ignore[union-attr]
        host, _, port = authority.partition(":")
        there, onward = await asyncio.open_connection(host, int(port))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            head = re.sub(r"(?i)\r\nproxy-authorization: [^\r]*|\r\nconnection: [^\r]*", "", head)
            rest = head.split("\r\n", 1)[1]
            onward.write(f"{method} {path} HTTP/1.1\r\nConnection: close\r\n{rest}".encode("latin-1"))
        await _both_ways(reader, writer, there, onward)


async def _both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    there: asyncio.StreamReader,
    onward: asyncio.StreamWriter,
) -> None:
    up = asyncio.create_task(_pump(reader, onward), name="up")
    try:
        await _pump(there, writer)
    finally:
        up.cancel()
        await asyncio.wait({up})
        await _close(onward)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
