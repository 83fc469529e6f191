"""What every request has in common: an id, one line in the log, errors in one shape, careful headers."""

import asyncio
import itertools
import math
import re
import secrets
import time
from collections import deque
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bridge.errors import BridgeError
from handlers.auth import NoBearer
from handlers.keys import SERVICES

LARGEST_BODY = 64 * 1024
"""Bytes."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_RETRY_AFTER = 5
"""Seconds, where nobody told us better."""

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method; the Allow header names those that it takes.",
    413: f"A body may have {LARGEST_BODY} bytes at most.",
}

_CODES = {400: "invalid_request", 413: "payload_too_large"}

_request_ids = map(f"{secrets.token_hex(6)}-{{:x}}".format, itertools.count(1))
"""Ours begin with what no other process has."""

Ended = tuple[web.Request, int, str|None, str, float]
Log = structlog.typing.FilteringBoundLogger


def observer() -> Middleware:
    """Return the middleware; the log is configured before."""
    # Binding it for every line would take as long as writing the line.
    log: Log = structlog.get_logger(__name__).bind()
    ended: deque[Ended] = deque()

    def tell() -> None:
        while ended:
            _tell(ended.popleft(), log)

    @web.middleware
    async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        request_id = _request_id(request)
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response, code = await _answered(request, handler, request_id, log)
        finally:
            structlog.contextvars.reset_contextvars(**bound)
        _add_headers(response, request_id)
        if not ended:
            asyncio.get_running_loop().call_soon(tell)
        ended.append((request, response.status, code, request_id, time.perf_counter() - started))
        if isinstance(response, web.HTTPException):
            raise response
        return response

    return observed


async def _answered(
    request: web.Request, handler: Handler, request_id: str, log: Log
) -> tuple[web.StreamResponse, str | None]:
    """Return the answer and, if it is an error, its code."""
    try:
        if (request.content_length or 0) > LARGEST_BODY:
            return _of_http(web.HTTPRequestEntityTooLarge(LARGEST_BODY))
        return await handler(request), None
    except BridgeError as error:
        return _refusal(error), error.code
    except web.HTTPException as error:
        return (error, None) if error.status < HTTPStatus.BAD_REQUEST else _of_http(error)
    except Exception:
        log.exception("request_failed")
        message = f"Something went wrong here. The request's id is {request_id}."
        return _error("internal_error", message, 500), "internal_error"


def _refusal(error: BridgeError) -> web.Response:
    response = _error(error.code, error.message, error.status)
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(math.ceil(error.retry_after or _RETRY_AFTER))
    if isinstance(error, NoBearer):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _of_http(error: web.HTTPException) -> tuple[web.Response, str]:
    code = _CODES.get(error.status) or error.reason.lower().replace(" ", "_")
    response = _error(code, _SENTENCES.get(error.status, f"{error.reason}."), error.status)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response, code


def _error(code: str, message: str, status: int) -> web.Response:
    return web.json_response({"error": code, "message": message}, status=status)


def _request_id(request: web.Request) -> str:
    given = request.headers.get("X-Request-Id", "")
    return given if _REQUEST_ID.fullmatch(given) else next(_request_ids)


def _add_headers(response: web.StreamResponse, request_id: str) -> None:
    response.headers["X-Request-Id"] = request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")


def _tell(end: Ended, log: Log) -> None:
    request, status, code, request_id, seconds = end
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "none"
    request.app[SERVICES].metrics.http_request(route, status, seconds)
    tell = log.warning if status >= HTTPStatus.INTERNAL_SERVER_ERROR else log.info
    tell(
        "request",
        method=request.method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        error=code,
        request_id=request_id,
    )
