"""Common to every request: an id, one line in the log, errors in one shape, careful headers."""

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import NamedTuple

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bridge import tracing
from bridge.errors import BridgeError
from handlers.http.app_keys import SERVICES
from handlers.http.errors import code_of, failure, http_refusal, refusal

_PROBES = {"/healthz", "/readyz", "/metrics"}
"""Requested all the time and of no interest in a trace."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_Logger = structlog.typing.FilteringBoundLogger


class _Ended(NamedTuple):
    """A request that was answered, with everything that is logged about it."""

    request: web.Request
    request_id: str
    status: int
    error: str | None
    seconds: float


def observer() -> Middleware:
    """Return the middleware; call it after logging is configured.

    It logs a request right after the response was written, so that nobody waits for that.
    """
    # Binding it for every line would take as long as writing the line.
    log: _Logger = structlog.get_logger(__name__).bind()
    ids = map(f"{secrets.token_hex(6)}-{{:x}}".format, itertools.count(1))
    ended: list[_Ended] = []

    def log_ended() -> None:
        batch = ended.copy()
        ended.clear()
        for end in batch:
            _log(end, log)

    @web.middleware
    async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        request_id = _request_id(request, ids)
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            with _span(request, request_id) as span:
                response, error = await _answered(request, handler, request_id, log)
                span.set(status=response.status, code=error or "")
        finally:
            structlog.contextvars.reset_contextvars(**bound)
        add_headers(response, request_id)
        if not ended:
            asyncio.get_running_loop().call_soon(log_ended)
        ended.append(_Ended(request, request_id, response.status, error, time.perf_counter() - started))
        if isinstance(response, web.HTTPException):
            raise response
        return response

    return observed


def _request_id(request: web.Request, ids: Iterator[str]) -> str:
    proposed = request.headers.get("X-Request-Id", "")
    return proposed if _REQUEST_ID.fullmatch(proposed) else next(ids)


async def _answered(
    request: web.Request, handler: Handler, request_id: str, log: _Logger
) -> tuple[web.StreamResponse, str | None]:
    """Return the response and, if it is an error, its code."""
    try:
        return await handler(request), None
    except BridgeError as error:
        return refusal(error), error.code
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            return error, None
        return http_refusal(error), code_of(error)
    except Exception:
        log.exception("request_failed")
        return failure(request_id), "internal_error"


def add_headers(response: web.StreamResponse, request_id: str) -> None:
    """Add the headers that every response has."""
    response.headers["X-Request-Id"] = request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")


def _span(request: web.Request, request_id: str) -> AbstractContextManager[tracing.Span]:
    if not tracing.enabled() or (route := _route(request)) in _PROBES:
        return tracing.SILENT
    return tracing.served(f"{request.method} {route}", request.headers, route=route, request_id=request_id)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"


def _log(end: _Ended, log: _Logger) -> None:
    route = _route(end.request)
    end.request.app[SERVICES].metrics.http_request(route, end.status, end.seconds)
    write = log.warning if end.status >= HTTPStatus.INTERNAL_SERVER_ERROR else log.info
    write(
        "request",
        method=end.request.method,
        route=route,
        status=end.status,
        ms=round(end.seconds * 1000, 1),
        error=end.error,
        request_id=end.request_id,
    )
