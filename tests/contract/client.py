"""The plainest client of Mattermost that the contract can be stated with."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
import websockets
from websockets.asyncio.client import ClientConnection

DEADLINE = 60.0
"""Seconds after which something expected is taken to be missing."""
QUIET = 0.4
"""Seconds of silence that are taken for nothing more to come."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is decoded if it is JSON."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, Any]
    body: Any

    @property
    def error(self) -> str:
        """Mattermost's id of the error; empty for anything that is no error."""
        return str(self.body.get("id", "")) if self.status >= 400 and isinstance(self.body, dict) else ""


class Api:
    """REST as one account, or as nobody with an empty token. No cookie is kept."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str = "") -> None:
        self._http = http
        self.url = url
        self.token = token

    def as_(self, token: str) -> "Api":
        """Return the same server seen by another account."""
        return Api(self._http, self.url, token)

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request to `/api/v4`; bytes are sent as they are."""
        return await self.raw(method, "/api/v4" + path, body, headers=headers)

    async def raw(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request to any path."""
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        async with self._http.request(
            method, self.url + path, data=data, headers=sent, allow_redirects=False
        ) as response:
            return await _read(response)

    async def get(self, path: str) -> Any:
        """Return the decoded answer of a GET that must succeed."""
        return _good(await self.call("GET", path))

    async def post(self, path: str, body: Any = None) -> Any:
        """Return the decoded answer of a POST that must succeed."""
        return _good(await self.call("POST", path, body))

    async def put(self, path: str, body: Any = None) -> Any:
        """Return the decoded answer of a PUT that must succeed."""
        return _good(await self.call("PUT", path, body))

    async def delete(self, path: str) -> Any:
        """Return the decoded answer of a DELETE that must succeed."""
        return _good(await self.call("DELETE", path))


async def _read(response: aiohttp.ClientResponse) -> Answer:
    text = await response.text()
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    return Answer(response.status, response.headers, response.cookies, body)


def _good(answer: Answer) -> Any:
    assert answer.status < 300, f"{answer.status} {answer.body}"
    return answer.body


class Socket:
    """A websocket of Mattermost; frames come decoded."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._seq = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        await self._connection.wait_closed()

    async def receive(self, within: float = DEADLINE) -> dict[str, Any]:
        """Return the next frame."""
        async with asyncio.timeout(within):
            frame = json.loads(await self._connection.recv())
        assert isinstance(frame, dict)
        return frame

    async def event(self, name: str, **data: Any) -> dict[str, Any]:
        """Return the next event of that name and data, passing over everything else."""
        async with asyncio.timeout(DEADLINE):
            while True:
                frame = await self.receive()
                if frame.get("event") == name and data.items() <= frame["data"].items():
                    return frame

    async def posted(self, message: str) -> dict[str, Any]:
        """Return the next `posted` event with that message."""
        while True:
            frame = await self.event("posted")
            if post_of(frame)["message"] == message:
                return frame

    async def events(self, quiet: float = QUIET, *, answers: bool = True) -> list[dict[str, Any]]:
        """Return all events until it is quiet, and stays so until the server has answered once more.

        Whoever stood still meanwhile has heard nothing either. A connection that is deaf `answers` nothing.
        """
        found: list[dict[str, Any]] = []
        while True:
            try:
                frame = await self.receive(within=quiet)
            except TimeoutError:
                late = await self._before(await self.act("ping")) if answers else []
                if not late:
                    return found
                found += late
            else:
                found += [frame] if "event" in frame else []

    async def _before(self, reply: int) -> list[dict[str, Any]]:
        """Return the events before the reply to an action."""
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(DEADLINE):
            while (frame := await self.receive()).get("seq_reply") != reply:
                found += [frame] if "event" in frame else []
        return found

    async def send(self, frame: str | bytes) -> None:
        await self._connection.send(frame)

    async def act(self, action: str, data: Mapping[str, Any] | None = None) -> int:
        """Send an action and return its number."""
        self._seq += 1
        await self.send(json.dumps({"seq": self._seq, "action": action, "data": data or {}}))
        return self._seq

    async def reply(self, number: int) -> dict[str, Any]:
        """Return the reply to an action, passing over everything else."""
        async with asyncio.timeout(DEADLINE):
            while True:
                frame = await self.receive()
                if frame.get("seq_reply") == number:
                    return frame

    async def ask(self, action: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send an action and return the reply."""
        return await self.reply(await self.act(action, data))

    async def closed(self, within: float = DEADLINE) -> int | None:
        """Wait until the server closed; return the close code, none or 1006 for a bare end."""
        async with asyncio.timeout(within):
            try:
                while True:
                    await self._connection.recv()
            except websockets.ConnectionClosed:
                return self._connection.close_code

    @property
    def extensions(self) -> list[str]:
        """The names of what was agreed on at the handshake."""
        return [extension.name for extension in self._connection.protocol.extensions]

    def cut(self) -> None:
        """End the TCP connection without a close frame."""
        self._connection.transport.abort()


def post_of(frame: Mapping[str, Any]) -> dict[str, Any]:
    """Return the post inside an event."""
    post = json.loads(frame["data"]["post"])
    assert isinstance(post, dict)
    return post
