"""The one place that speaks HTTP with an agent's server."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from math import inf
from typing import Any

import structlog
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    SocketTimeoutError,
    TCPConnector,
    hdrs,
)
from yarl import URL

from bridge import retry, tracing
from bridge.agent.completions import Answer
from bridge.agent.endpoint import Endpoint
from bridge.agent.optional_fields import refused_field, without
from bridge.agent.receive import Receiving, beginning
from bridge.agent.refusals import Dialect, Refusal, refused
from bridge.agent.silence import SilenceLimit
from bridge.errors import AgentFailed, AgentUnavailable
from bridge.models.agent import AnswerEvent, Done
from bridge.models.proxies import NO_PROXIES, Proxies
from bridge.outgoing import open_session

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 10.0
PING_SECONDS = 5.0


class Silence(AgentUnavailable):
    """No byte came within the time allowed."""


def make_session(proxies: Proxies = NO_PROXIES) -> ClientSession:
    """Return a session fit for some thousand answers at once; it must be made inside the event loop.

    The gateway closes a connection that has been idle for 5 s, and a POST on a closed one is lost: so ours
    are not kept that long.
    """
    connector = TCPConnector(limit=0, limit_per_host=0, keepalive_timeout=2)
    return open_session(connector, proxies, timeout=ClientTimeout(total=None))


class Server:
    """A server of chat completions; `url` is AGENT_URL, `silence` is in seconds."""

    def __init__(
        self, session: ClientSession, *, url: str, token: str, silence: float, dialect: Dialect
    ) -> None:
        self.endpoint = Endpoint.of(url)
        self._session = session
        self._token = token.strip()
        self._silence = silence
        self._dialect = dialect
        self._unknown_fields: frozenset[str] = frozenset()
        """Fields that this server has refused, and answers without."""

    async def answer(
        self,
        body: Mapping[str, Any],
        headers: Mapping[str, str],
        last_waited: Callable[[], float] = lambda: -inf,
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Give the answer as it comes in; raise `AgentUnavailable` or `AgentFailed`.

        The server's own words are a note of the error, for operators; its message is for everybody.
        `last_waited` returns the last moment at which the agent waited for people, see `SilenceLimit`.
        """
        silence = SilenceLimit(self._silence, last_waited)
        answer = Answer(self._dialect, str(body.get("model", "")))
        try:
            async with self._accepted(body, headers, silence) as response:
                receiving = Receiving(response, answer, silence)
                while await receiving.more():
                    for event in answer.news():
                        yield event
            yield Done(answer.text(), answer.usage, answer.model)
        except Refusal as refusal:
            said = refusal.said.replace(self._token, "…") if self._token else refusal.said
            log.warning("agent_refused", error=refusal.error.message, said=said)
            if said:
                refusal.error.add_note(said)
            raise refusal.error from None
        except Silence as silent:
            # The person has waited long enough, and the gateway has used the time to retry its model.
            raise AgentFailed(f"{silent.message} AGENT_TIMEOUT allows no longer.") from None
        except AgentUnavailable as error:
            raise answer.after(error) from None

    async def ping(self, url: URL) -> None:
        """Raise `AgentUnavailable` unless the server answers; a refusal is an answer."""
        async with self._request("GET", url, SilenceLimit(PING_SECONDS)) as response:
            if response.status >= 500:
                raise AgentUnavailable(f"The agent is not well (HTTP {response.status}).")

    @asynccontextmanager
    async def _accepted(
        self, body: Mapping[str, Any], headers: Mapping[str, str], silence: SilenceLimit
    ) -> AsyncIterator[ClientResponse]:
        """Ask, and ask again without each field that the server refuses to know."""
        left_out = self._unknown_fields
        while True:
            asked = without(body, left_out) if left_out else body
            async with self._request(
                "POST", self.endpoint.completions, silence, json=asked, headers=headers
            ) as response:
                refusal = await self._refusal(response)
                if refusal is None:
                    self._remember(left_out)
                    yield response
                    return
            field = refused_field(refusal.status, refusal.report, asked)
            if field is None:
                raise refusal
            left_out |= {field}

    def _remember(self, fields: frozenset[str]) -> None:
        if new := fields - self._unknown_fields:
            log.warning("agent_fields_left_out", fields=sorted(new))
            self._unknown_fields |= new

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        url: URL,
        silence: SilenceLimit,
        *,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[ClientResponse]:
        ours: dict[str, str] = {
            hdrs.ACCEPT: "text/event-stream, application/json",
            hdrs.ACCEPT_ENCODING: "identity",
        }
        if self._token:
            ours[hdrs.AUTHORIZATION] = f"Bearer {self._token}"
        try:
            async with silence.watched():
                response = await self._session.request(
                    method,
                    url,
                    json=json,
                    headers={**ours, **(headers or {}), **tracing.headers()},
                    timeout=ClientTimeout(sock_connect=CONNECT_SECONDS),
                    allow_redirects=False,
                )
            async with response:
                yield response
        except SocketTimeoutError:
            raise Silence(f"The agent was silent for {silence.seconds:g} s.") from None
        except ClientConnectorError as error:
            what = "The proxy to the agent" if isinstance(error, ClientProxyConnectionError) else "The agent"
            reason = error.os_error.strerror or type(error.os_error).__name__
            raise AgentUnavailable(f"{what} cannot be reached: {reason}.") from None
        except ClientHttpProxyError as error:
            raise AgentUnavailable(f"The proxy to the agent refused (HTTP {error.status}).") from None
        except (ClientError, OSError) as error:
            raise AgentUnavailable(f"The connection to the agent broke: {type(error).__name__}.") from None

    async def _refusal(self, response: ClientResponse) -> Refusal | None:
        """Return what a response refuses; None if it is an answer."""
        if response.status == 200:
            return None
        wait = retry.seconds_asked(response.headers.get("Retry-After", ""), time.time())
        body = await beginning(response)
        return refused(response.status, body, self._dialect, retry_after=wait)
