"""Fetch a page for a check, without following redirects unless asked to."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientSession,
    ClientTimeout,
)
from multidict import CIMultiDictProxy

from bridge.errors import Unavailable

_SECONDS = 10.0

_LARGEST = 256 << 10
"""Bytes of a body that are read."""


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    asked_at: float
    """Seconds since 1970, in the middle of the exchange."""
    seconds: float


async def fetch(  # noqa: PLR0913  # the parts of a request, each by keyword
    session: ClientSession,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    follow: bool = False,
) -> Page:
    """Return the response, whatever its status; raise `Unavailable` with a sentence if there is none."""
    began = time.time()
    try:
        async with session.request(
            method,
            url,
            headers=headers,
            json=json,
            allow_redirects=follow,
            timeout=ClientTimeout(total=_SECONDS),
        ) as response:
            body = await response.content.read(_LARGEST)
            took = time.time() - began
            return Page(response.status, response.headers, body, began + took / 2, took)
    except (ClientError, OSError) as error:
        # Not chained: the frames of aiohttp hold the headers, and with them tokens.
        raise Unavailable(f"{_origin(url)} {_reason(error)}.") from None


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _reason(error: Exception) -> str:
    match error:
        case asyncio.TimeoutError():
            return f"does not answer within {_SECONDS:g} s"
        case ClientConnectorDNSError():
            return "has a host name that does not resolve"
        case ClientConnectorCertificateError():
            return "has a certificate that browsers do not accept"
        case ClientProxyConnectionError() | ClientHttpProxyError():
            return "cannot be reached through the proxy of HTTP_PROXY or HTTPS_PROXY"
        case ClientConnectorError():
            number = error.os_error.errno
            return f"cannot be reached ({os.strerror(number) if number else type(error.os_error).__name__})"
        case _:
            return f"broke the connection ({type(error).__name__})"
