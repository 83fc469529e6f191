"""Errors as responses: `{"error": code, "message": sentence}`."""

import math
from http import HTTPStatus

from aiohttp import web

from bridge.errors import BridgeError, NoBearer

_RETRY_AFTER = 5
"""Seconds, where nobody has named another time."""

_CODES = {400: "invalid_request", 413: "payload_too_large", 417: "invalid_request"}

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method; the Allow header names those that it takes.",
}


def error_answer(status: int, code: str, message: str) -> web.Response:
    """Return an error in the shape that all errors have."""
    return web.json_response({"error": code, "message": message}, status=status)


def refusal(error: BridgeError) -> web.Response:
    """Return the response for one of our errors."""
    response = error_answer(error.status, error.code, error.message)
    if error.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        response.headers["Retry-After"] = str(math.ceil(error.retry_after or _RETRY_AFTER))
    if isinstance(error, NoBearer):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def code_of(error: web.HTTPException) -> str:
    """Return the code of one of aiohttp's errors, such as `not_found` or `method_not_allowed`."""
    return _CODES.get(error.status) or error.reason.lower().replace(" ", "_")


def http_refusal(error: web.HTTPException) -> web.Response:
    """Return aiohttp's error in our shape."""
    message = _SENTENCES.get(error.status, f"{error.reason}.")
    response = error_answer(error.status, code_of(error), message)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def unreadable(status: int) -> web.Response:
    """Return the response to bytes that are not a valid request, or to a header that is too long."""
    return error_answer(status, "invalid_request", "This is not an HTTP request that can be read.")


def failure(request_id: str) -> web.Response:
    """Return the response to a fault of our own: only the id under which the log has it."""
    return error_answer(
        500, "internal_error", f"Something went wrong here. The request's id is {request_id}."
    )
