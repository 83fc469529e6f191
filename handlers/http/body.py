"""The body of a request: read within a size and a time, whatever a stranger sends."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import web

from bridge.errors import InvalidRequest, PayloadTooLarge, RequestTimeout
from bridge.limited_body import read_limited
from handlers.http.app_keys import LIMITS

log = structlog.get_logger(__name__)

LARGEST_BODY = 64 * 1024
"""Bytes, unless a route says otherwise."""


async def read_body(request: web.Request, limit: int = LARGEST_BODY) -> bytes:
    """Return the body, decompressed.

    Raises `PayloadTooLarge`, `RequestTimeout`, and `InvalidRequest` for one that breaks off or does not
    decode.
    """
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(request.app[LIMITS].timeouts.body):
            body = await read_limited(request.content.iter_any(), limit)
    except TimeoutError:
        raise RequestTimeout("The body took too long to arrive.") from None
    except (web.RequestPayloadError, ConnectionError) as error:
        log.info("body_unreadable", reason=type(error).__name__)
        raise InvalidRequest("The body breaks off, or is not encoded as its headers say.") from None
    if body is None:
        raise _too_large(limit)
    return body


async def read_object(request: web.Request) -> Mapping[str, Any]:
    """Return the JSON object that the body is; raise what `read_body` raises."""
    try:
        body = json.loads(await read_body(request))
    except (ValueError, RecursionError):
        raise InvalidRequest("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise InvalidRequest("The body has to be a JSON object.")
    return body


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"A body may have {limit} bytes at most here.")
