"""The one place where Mattermost is asked something over HTTP.

`Transport` has the verbs of mattermostdriver's client, as coroutines, so that its endpoint classes
(`Users(transport)`, `Posts(transport)` and the others) work on it as they are.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import aiohttp
from yarl import URL

from bridge import tracing
from bridge.clock import Clock, boot_time
from bridge.limited_body import TooLong, limited, read_limited
from bridge.mattermost.rest.paths import checked, template
from bridge.mattermost.rest.responses import (
    Answer,
    Endless,
    NoAnswer,
    Passing,
    Throttled,
    TooLarge,
    content,
    seconds_to_wait,
    taken,
    too_large,
    value,
)
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.models.proxies import NO_PROXIES, Proxies
from bridge.outgoing import open_session

Method = Literal["get", "post", "put", "delete"]

Observe = Callable[[str, int | Literal["error"], float], None]
"""Told of every try: the endpoint with its ids replaced, the HTTP status, the seconds it took."""

Take = Callable[[AsyncIterable[bytes]], Awaitable[Any]]
"""Makes something of a body while it comes."""

Reply = Coroutine[Any, Any, Any]

Params = Mapping[str, Any] | None

_SMALLEST_LIMIT = 64 << 10
"""Bytes; an answer that is an error has fewer."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a request carries: at most one of a value as JSON and bytes as they come."""

    params: Params
    json: Any = None
    data: AsyncIterable[bytes] | None = None


def client_session(proxies: Proxies = NO_PROXIES) -> aiohttp.ClientSession:
    """Return the session that all transports share; close it.

    No cookies are kept: Mattermost sets `MMAUTHTOKEN` on answers, and a cookie would win over the
    header (`ParseAuthTokenFromRequest` in server/channels/app/authentication.go). Idle connections
    are closed before the server does, after 60 s.
    """
    return open_session(aiohttp.TCPConnector(keepalive_timeout=30), proxies)


@dataclass(frozen=True, slots=True)
class Transport:
    """Mattermost's REST interface as one token sees it."""

    session: aiohttp.ClientSession
    url: str
    """Of the server, with its subpath if it has one."""
    token: str = field(repr=False)
    observe: Observe
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    largest_answer: int = 64 << 20
    """Bytes."""
    clock: Clock = boot_time
    understand: Callable[[Answer], Any] = value
    """Returns what an answer means, or raises the error that it is."""
    take: Take | None = None
    """Gets the body of each success; None reads it whole."""

    def acting(self, token: str) -> "Transport":
        """Return the same as another account."""
        return replace(self, token=token)

    def with_policy(self, retry_policy: RetryPolicy) -> "Transport":
        """Return the same with other numbers; `resend_for` only for what is safe to repeat."""
        return replace(self, retry_policy=retry_policy)

    def taking(self, take: Take, largest_answer: int) -> "Transport":
        """Return the same for a long answer, of which `take` makes something; each try begins anew."""
        return replace(self, take=take, understand=taken, largest_answer=largest_answer)

    async def upload(self, endpoint: str, params: Mapping[str, Any], body: AsyncIterable[bytes]) -> Any:
        """Post bytes as they come, which cannot be sent again; return the decoded answer."""
        url = URL(f"{self.url.rstrip('/')}/api/v4{checked(endpoint)}", encoded=True)
        return await self._ask("post", url, template(endpoint), Content(params, data=body))

    async def download(self, endpoint: str, limit: int) -> bytes | None:
        """Return the bytes at the endpoint, None if there are more than the limit."""
        transport = replace(self, understand=content, largest_answer=max(limit, _SMALLEST_LIMIT))
        try:
            found: bytes = await transport.get(endpoint)
        except (TooLarge, Endless):
            return None
        return found if len(found) <= limit else None

    def get(self, endpoint: str, options: Any = None, params: Mapping[str, Any] | None = None) -> Reply:
        return self.make_request("get", endpoint, options, params)

    def post(self, endpoint: str, options: Any = None, params: Mapping[str, Any] | None = None) -> Reply:
        return self.make_request("post", endpoint, options, params)

    def put(self, endpoint: str, options: Any = None, params: Mapping[str, Any] | None = None) -> Reply:
        return self.make_request("put", endpoint, options, params)

    def delete(self, endpoint: str, options: Any = None, params: Mapping[str, Any] | None = None) -> Reply:
        return self.make_request("delete", endpoint, options, params)

    async def make_request(
        self, method: Method, endpoint: str, options: Any = None, params: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the decoded answer, None if it is empty; trying again where that is safe.

        `options` is sent as JSON. Raises `TokenRefused`, `MattermostRefused`, `MattermostFull`,
        `MattermostUnavailable`, or `InvalidRequest` for a path that could lead elsewhere.
        """
        url = URL(f"{self.url.rstrip('/')}/api/v4{checked(endpoint)}", encoded=True)
        began = self.clock()
        repeatable = True
        for tried in itertools.count(1):
            try:
                return await self._ask(method, url, template(endpoint), Content(params, options))
            except Passing as error:
                repeatable = repeatable and (method != "post" or isinstance(error, Throttled))
                if not await self._may_repeat(error, tried, began, repeatable=repeatable):
                    raise
        raise AssertionError("the tries never end by themselves")

    async def _may_repeat(self, error: Passing, tried: int, began: float, *, repeatable: bool) -> bool:
        """Wait for the next try's moment; False when there is none, or when we slept through it.

        Whoever is stopped or suspended while waiting goes on at any time later: by then the server may have
        forgotten a `pending_post_id`, and somebody else may have posted.
        """
        deadline = began + self.retry_policy.deadline(repeatable=repeatable)
        delay = self.retry_policy.delay(error, tried)
        if delay is None or self.clock() + delay >= deadline:
            return False
        await asyncio.sleep(delay)
        return self.clock() < deadline

    async def _ask(self, method: Method, url: URL, name: str, sent: Content) -> Any:
        began = time.perf_counter()
        status: int | Literal["error"] = "error"
        try:
            with tracing.span(f"mattermost {method.upper()} {name}") as span:
                answer = await self._exchange(method, url, sent)
                status = answer.status
                span.set(status=status)
        except (aiohttp.ClientError, OSError) as error:
            # Not chained: the frames of aiohttp hold the token.
            raise NoAnswer(f"Mattermost does not answer ({type(error).__name__}).") from None
        finally:
            self.observe(name, status, time.perf_counter() - began)
        return self.understand(answer)

    async def _exchange(self, method: Method, url: URL, sent: Content) -> Answer:
        async with self.session.request(
            method,
            url,
            params=sent.params,
            json=sent.json,
            data=sent.data,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=aiohttp.ClientTimeout(total=self.retry_policy.timeout, sock_connect=5),
            allow_redirects=False,
        ) as response:
            return await self._read(response)

    async def _read(self, response: aiohttp.ClientResponse) -> Answer:
        made, body = None, b""
        if self.take and response.status < 300:
            made = await self._taken(response, self.take)
        else:
            body = await self._whole(response)
        waits = (
            *response.headers.getall("Retry-After", ()),
            *response.headers.getall("X-RateLimit-Reset", ()),
        )
        return Answer(response.status, response.content_type, body, seconds_to_wait(waits, time.time()), made)

    async def _taken(self, response: aiohttp.ClientResponse, take: Take) -> Any:
        try:
            return await take(limited(response.content.iter_any(), self.largest_answer))
        except TooLong:
            raise too_large(response.status, response.content_type) from None

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        body = await read_limited(response.content.iter_any(), self.largest_answer)
        if body is None:
            raise too_large(response.status, response.content_type)
        return body
