"""Common to every request: an id, one line in the log, errors in one shape, careful headers."""

import itertools
import re
import secrets
import time
from collections.abc import Container, Iterator
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import istr

from bridge import tracing
from bridge.errors import BridgeError
from handlers.http.cors import share
from handlers.http.errors import code_of, failure, http_refusal, refusal
from handlers.http.request_log import EndedRequest, RequestLog

_PROBES = {"/healthz", "/readyz", "/metrics"}
"""Requested all the time and of no interest in a trace."""

_REQUEST_ID = istr("X-Request-Id")
_CONTENT_TYPE_OPTIONS = istr("X-Content-Type-Options")
_CACHE_CONTROL = istr("Cache-Control")

_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_Answer = tuple[web.StreamResponse, str | None]
"""A response and, if it is an error, its code."""

log = structlog.get_logger(__name__)


def observer(request_log: RequestLog, shared: Container[str] = ()) -> Middleware:
    """Return the middleware.

    `shared` are the routes whose responses pages of other origins may read.
    """
    ids = map(f"{secrets.token_hex(6)}-{{:x}}".format, itertools.count(1))

    @web.middleware
    async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        request_id = _request_id(request, ids)
        route = _route(request)
        # aiohttp serves each request in a context of its own, so nobody else gets this id.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        answered = _traced if tracing.enabled() and route not in _PROBES else _answered
        response, error = await answered(request, handler, request_id)
        add_headers(response, request_id)
        if route in shared and not response.prepared:
            share(request, response)
        seconds = time.perf_counter() - started
        request_log.add(EndedRequest(request.method, route, response.status, error, seconds, request_id))
        if isinstance(response, web.HTTPException):
            raise response
        return response

    return observed


def _request_id(request: web.Request, ids: Iterator[str]) -> str:
    proposed = request.headers.get(_REQUEST_ID)
    return proposed if proposed and _GOOD_ID.fullmatch(proposed) else next(ids)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"


async def _traced(request: web.Request, handler: Handler, request_id: str) -> _Answer:
    route = _route(request)
    with tracing.served(
        f"{request.method} {route}", request.headers, route=route, request_id=request_id
    ) as span:
        response, error = await _answered(request, handler, request_id)
        span.set(status=response.status, code=error or "")
    return response, error


async def _answered(request: web.Request, handler: Handler, request_id: str) -> _Answer:
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
    headers = response.headers
    headers[_REQUEST_ID] = request_id
    headers[_CONTENT_TYPE_OPTIONS] = "nosniff"
    headers.setdefault(_CACHE_CONTROL, "no-store")
