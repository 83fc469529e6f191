"""Which pages may call the routes that a session cookie opens."""

from aiohttp import web

from bridge.errors import ForbiddenOrigin, UnsupportedMediaType
from handlers.http.app_keys import SERVICES

BROWSER_ROUTES = (
    "/api/v1/mattermost/session",
    "/api/v1/mattermost/config",
    "/api/v1/mattermost/sync-org/",
)
"""Beginnings of their paths."""

_ONCE_IN = "600"
"""Seconds for which a browser remembers what it was allowed."""


def require_origin(request: web.Request) -> None:
    """Raise `ForbiddenOrigin` if the request says that it comes from a page of which we do not know.

    What has no Origin comes from no page of another origin: browsers send it with every POST.
    """
    if not all(_is_known(request, origin) for origin in request.headers.getall("Origin", ())):
        raise ForbiddenOrigin("Pages of this origin may not do that; WEB_ORIGINS names those that may.")


def require_json(request: web.Request) -> None:
    """Raise `UnsupportedMediaType` unless the body is declared as JSON, which no form of another site can."""
    if request.content_type != "application/json":
        raise UnsupportedMediaType("The body has to be JSON, and Content-Type: application/json say so.")


async def preflight(request: web.Request) -> web.Response:
    """Answer a browser that asks what a page of another origin may send."""
    require_origin(request)
    headers = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Content-Type, X-Request-Id",
        "Access-Control-Max-Age": _ONCE_IN,
    }
    return web.Response(status=204, headers=headers)


async def share(request: web.Request, response: web.StreamResponse) -> None:
    """Let pages of `WEB_ORIGINS` read an answer, an error no less; a signal for `on_response_prepare`."""
    if not request.path.startswith(BROWSER_ROUTES):
        return
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin", "")
    if _is_known(request, origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = "Retry-After, X-Request-Id"


def _is_known(request: web.Request, origin: str) -> bool:
    return origin in request.app[SERVICES].web_origins
