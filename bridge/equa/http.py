"""The one place that speaks HTTP with Equa.

Equa's sessions are rolling: every answer sends its Set-Cookie anew. A person's is dropped on purpose: Equa
has extended the session on its side already, the browser hears of it at its next call to Equa itself, and
passed on through us it would leave a second copy of the session cookie on our host.
"""

import time
from collections.abc import Mapping

import structlog
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)

from bridge import retry, tracing
from bridge.equa.reply import Reply
from bridge.errors import EquaUnavailable
from bridge.limited_body import read_limited
from bridge.models.proxies import NO_PROXIES, Proxies
from bridge.outgoing import open_session

log = structlog.get_logger(__name__)

QUESTION_SECONDS = 5.0
ROSTER_SECONDS = 15.0
"""A roster of 10,000 members is some megabytes out of a slow query; nobody's page load waits for it."""

BODY_LIMIT = 8 << 20
"""Bytes, after decompression."""


def make_session(proxies: Proxies = NO_PROXIES) -> ClientSession:
    """Return a session fit for `Server`; it must be made inside the event loop.

    Node closes a connection that has been idle for 5 s, so ours are not kept that long.
    """
    return open_session(TCPConnector(keepalive_timeout=4), proxies)


class Server:
    """Equa at `url`, e.g. `https://app.equa.cc/api/v1`."""

    def __init__(self, session: ClientSession, url: str) -> None:
        if not isinstance(session.cookie_jar, DummyCookieJar):
            raise TypeError("A session that keeps cookies would ask for one person with another's.")
        self._session = session
        self._url = url.rstrip("/")

    async def request(
        self,
        method: str,
        path: str,
        *,
        cookie: str = "",
        json: Mapping[str, str] | None = None,
        seconds: float = QUESTION_SECONDS,
    ) -> Reply:
        """Return Equa's answer; raise `EquaUnavailable` if there is none or it is not Equa's."""
        try:
            return _checked(await self._exchange(method, path, cookie, json, seconds))
        except EquaUnavailable as error:
            log.warning("equa_unavailable", method=method, path=path, reason=error.message)
            raise
        except (ClientError, OSError) as error:
            log.warning("equa_unavailable", method=method, path=path, reason=_reason(error))
            raise EquaUnavailable(_sentence(error)) from None

    async def _exchange(
        self, method: str, path: str, cookie: str, json: Mapping[str, str] | None, seconds: float
    ) -> Reply:
        headers = {"Accept": "application/json", "User-Agent": "equabot-bridge"}
        if cookie:
            headers["Cookie"] = cookie
        with tracing.span(f"equa {method}") as span:
            async with self._session.request(
                method,
                self._url + path,
                headers={**headers, **tracing.headers()},
                json=json,
                timeout=ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                span.set(status=response.status)
                return await _reply(response)


def _sentence(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "Equa did not answer in time."
        case ClientConnectorError():
            return "Equa cannot be reached."
        case _:
            return "The connection to Equa broke."


def _reason(error: Exception) -> str:
    """Name what happened for the log; the error's own text may hold our headers."""
    if isinstance(error, ClientConnectorError):
        return str(error.os_error)
    return type(error).__name__


async def _reply(response: ClientResponse) -> Reply:
    body = await read_limited(response.content.iter_any(), BODY_LIMIT)
    if body is None:
        raise EquaUnavailable("Equa sent an answer that is too long.")
    set_cookies = tuple(response.headers.getall("Set-Cookie", ()))
    return Reply(response.status, body, response.headers, set_cookies)


def _checked(reply: Reply) -> Reply:
    """Return an answer that may be a verdict.

    A redirect is not followed, wherever it leads, because the cookie would go with it. A web page with a 401,
    403 or 404 comes from a proxy, a firewall or Express' own "Cannot GET", not from what was asked.
    """
    status = reply.status
    wait = retry.seconds_asked(reply.headers.get("Retry-After", ""), time.time())
    if 300 <= status < 400:
        raise EquaUnavailable(f"Equa redirects (HTTP {status}): EQUA_API_URL has to say where it leads.")
    if status == 429:
        raise EquaUnavailable("Equa asked to try again later (HTTP 429).", retry_after=wait)
    if status >= 500:
        raise EquaUnavailable(f"Equa is not well (HTTP {status}).", retry_after=wait)
    if reply.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise EquaUnavailable(f"Instead of Equa a web page answered (HTTP {status}): is EQUA_API_URL right?")
    return reply
