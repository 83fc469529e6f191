"""A TCP port that leads to PostgreSQL's unix socket, and that can be closed, cut or deaf."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, urlsplit


@dataclass
class Relay:
    """Until `open` the port refuses connections; while `deaf` what is sent stays unanswered."""

    to: str
    """A DSN with the socket's directory as `host`."""
    deaf: bool = False
    deaf_to: bytes = b""
    """What a request has in it that, and everything behind it on its connection, stays unanswered."""
    ignored: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once there was such a request."""
    accepted: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Released once for each connection."""
    _socket: socket.socket = field(default_factory=socket.socket)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket.bind(("127.0.0.1", 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def dsn(self) -> str:
        parts = urlsplit(self.to)
        host, port = self._socket.getsockname()
        login = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{login}@{host}:{port}", query="sslmode=disable").geturl()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:

            def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                group.create_task(self._serve(reader, writer))

            server = await asyncio.start_server(accept, sock=self._socket)
            try:
                yield
            finally:
                server.close()
                self.cut()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        directory = parse_qs(urlsplit(self.to).query)["host"][0]
        answers, requests = await asyncio.open_unix_connection(f"{directory}/.s.PGSQL.5432")
        self._writers += [writer, requests]
        self.accepted.release()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(reader, requests))
            group.create_task(self._pump(answers, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            is_ignored = False
            while data := await reader.read(65536):
                if self.deaf_to and self.deaf_to in data:
                    is_ignored = True
                    self.ignored.set()
                if not (self.deaf or is_ignored):
                    writer.write(data)
                    await writer.drain()
        writer.close()
