"""The one place that speaks HTTP with an agent's server."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    SocketTimeoutError,
    TCPConnector,
)

from bridge import retry, tracing
from bridge.agent.completions import Answer
from bridge.agent.refusals import Dialect, Refusal, refused
from bridge.agent.sse import EventStream, EventTooLong
from bridge.errors import AgentFailed, AgentUnavailable

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 10.0
PING_SECONDS = 5.0
GRACE_SECONDS = 1.0
"""How long the rest of a finished stream is waited for, so that its connection can be used again."""

BODY_LIMIT = 4 << 20
ERROR_LIMIT = 64 << 10
STREAM_LIMIT = 64 << 20
"""Bytes; an answer of `ANSWER_LIMIT` characters has about 42 MB when each comes in a chunk of its own."""


class Silence(AgentUnavailable):
    """No byte came for as long as was to be waited."""


def make_session() -> ClientSession:
    """Return a session fit for some thousand answers at once; it must be made inside the event loop.

    The gateway closes a connection that has been idle for 5 s, and a POST on a closed one is lost: so ours
    are not kept that long.
    """
    return ClientSession(
        connector=TCPConnector(limit=0, limit_per_host=0, keepalive_timeout=2),
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None),
        trust_env=False,
    )


class Server:
    """A server of chat completions; `url` with or without its `/v1`, `silence` in seconds."""

    def __init__(
        self, session: ClientSession, *, url: str, token: str, silence: float, dialect: Dialect
    ) -> None:
        self._session = session
        self._base = url.rstrip("/").removesuffix("/v1").rstrip("/")
        self._token = token.strip()
        self._silence = silence
        self._dialect = dialect

    async def complete(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """Return the whole answer; raise `AgentUnavailable` or `AgentFailed`."""
        try:
            async with self._request(
                "POST", "/v1/chat/completions", self._silence, json=body, headers=headers
            ) as response:
                return await self._answer(response)
        except Refusal as refusal:
            said = refusal.said.replace(self._token, "…") if self._token else refusal.said
            log.warning("agent_refused", error=refusal.error.message, said=said)
            raise refusal.error from None
        except Silence as silence:
            # The person has waited long enough, and the gateway has used the time to retry its model.
            raise AgentFailed(f"{silence.message} AGENT_TIMEOUT allows no longer.") from None

    async def ping(self, path: str) -> None:
        """Raise `AgentUnavailable` unless the server answers, be it with a refusal."""
        async with self._request("GET", path, PING_SECONDS) as response:
            if response.status >= 500:
                raise AgentUnavailable(f"The agent is not well (HTTP {response.status}).")

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        silence: float,
        *,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[ClientResponse]:
        ours = {"Accept": "text/event-stream, application/json", "Accept-Encoding": "identity"}
        if self._token:
            ours["Authorization"] = f"Bearer {self._token}"
        try:
            async with self._session.request(
                method,
                self._base + path,
                json=json,
                headers={**ours, **(headers or {}), **tracing.headers()},
                timeout=ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=silence),
                allow_redirects=False,
            ) as response:
                yield response
        except SocketTimeoutError:
            raise Silence(f"The agent was silent for {silence:g} s.") from None
        except ClientConnectorError as error:
            reason = error.os_error.strerror or type(error.os_error).__name__
            raise AgentUnavailable(f"The agent cannot be reached: {reason}.") from None
        except (ClientError, OSError) as error:
            # Before the first byte and behind some text alike: the gateway stops its run when the connection
            # goes and keeps the question in the session, so asking again is right.
            raise AgentUnavailable(f"The connection to the agent broke: {type(error).__name__}.") from None

    async def _answer(self, response: ClientResponse) -> str:
        if response.status != 200:
            wait = retry.seconds_asked(response.headers.get("Retry-After", ""), time.time())
            body = await _read(response, ERROR_LIMIT)
            raise refused(response.status, body[:ERROR_LIMIT], self._dialect, retry_after=wait)
        match response.content_type:
            case "text/event-stream":
                return await self._stream(response)
            case "application/json":
                return await self._whole(response)
            case other:
                raise Refusal(
                    AgentFailed("AGENT_URL leads to something else than chat completions."), other[:100]
                )

    async def _stream(self, response: ClientResponse) -> str:
        answer = Answer(self._dialect)
        try:
            await _read_stream(response, answer)
        except (ClientError, TimeoutError):
            if not answer.finished:
                raise
        except EventTooLong:
            raise Refusal(AgentFailed("The agent sent an event that is too long for an answer.")) from None
        return answer.text()

    async def _whole(self, response: ClientResponse) -> str:
        body = await _read(response, BODY_LIMIT)
        if len(body) > BODY_LIMIT:
            raise Refusal(AgentFailed("The agent's answer is too long."))
        answer = Answer(self._dialect)
        answer.take_body(body)
        return answer.text()


async def _read_stream(response: ClientResponse, answer: Answer) -> None:
    events = EventStream()
    size = 0
    async with asyncio.timeout(None) as grace:
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > STREAM_LIMIT:
                raise EventTooLong
            for event in events.feed(piece):
                answer.take_event(event)
            if answer.full:
                return
            if answer.finished and grace.when() is None:
                grace.reschedule(asyncio.get_running_loop().time() + GRACE_SECONDS)


async def _read(response: ClientResponse, limit: int) -> bytes:
    """Return the body; of one that is longer than `limit` a little more than that."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > limit:
            break
    return bytes(body)
