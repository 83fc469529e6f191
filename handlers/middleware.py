"""What every request has in common: an id, one line in the log, errors in one shape, careful headers."""

import math
import re
import secrets
import time
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

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

log = structlog.get_logger(__name__)


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request, whatever happens, and tell of it in one line and in the metrics."""
    started = time.perf_counter()
    request_id = _request_id(request)
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        response, code = await _answered(request, handler, request_id)
        _add_headers(response, request_id)
        _tell(request, response, code, time.perf_counter() - started)
    if isinstance(response, web.HTTPException):
        raise response
    return response


async def _answered(
    request: web.Request, handler: Handler, request_id: str
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
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _add_headers(response: web.StreamResponse, request_id: str) -> None:
    response.headers["X-Request-Id"] = request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")


def _tell(request: web.Request, response: web.StreamResponse, code: str | None, seconds: float) -> None:
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "none"
    request.app[SERVICES].metrics.http_request(route, response.status, seconds)
    tell = log.warning if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR else log.info
    tell(
        "request",
        method=request.method,
        route=route,
        status=response.status,
        ms=round(seconds * 1000, 1),
        error=code,
    )
