"""Which pages may call the routes that a session cookie opens."""

from collections.abc import Iterable, Iterator
from functools import wraps
from itertools import groupby

from aiohttp import web

from bridge.errors import ForbiddenOrigin, InvalidRequest, UnsupportedMediaType
from handlers.http.app_keys import SERVICES
from handlers.http.models import parsed
from handlers.http.route import JSON, Handler, Reply, Route

_SECONDS = "600"
"""For which a browser remembers what it was allowed."""


def require_origin(request: web.Request) -> None:
    """Raise `ForbiddenOrigin` if the request comes from a page of an origin that is not configured.

    Browsers send an Origin with every POST; a request without one comes from no page of another origin.
    """
    if not all(_is_known(request, origin) for origin in request.headers.getall("Origin", ())):
        raise ForbiddenOrigin("Pages of this origin may not do that; WEB_ORIGINS names those that may.")


def require_json(request: web.Request) -> None:
    """Raise `UnsupportedMediaType` unless the body is declared as JSON, which no form of another site can."""
    if request.content_type != JSON:
        raise UnsupportedMediaType("The body has to be JSON, with Content-Type: application/json.")


def guarded(route: Route) -> Handler:
    """Return the route's handler behind the checks that keep other sites' pages out."""
    if not (route.cors and route.changes):
        return route.handler

    @wraps(route.handler)
    async def handler(request: web.Request) -> web.StreamResponse:
        require_origin(request)
        require_json(request)
        return await route.handler(request)

    return handler


def preflights(routes: Iterable[Route]) -> Iterator[Route]:
    """Yield an OPTIONS route for each path that pages of other origins may call."""
    for path, group in groupby((route for route in routes if route.cors), lambda route: route.path):
        of_path = list(group)
        yield _preflight(path, of_path[0], ", ".join(sorted(route.method for route in of_path)))


def _preflight(path: str, route: Route, methods: str) -> Route:
    async def preflight(request: web.Request) -> web.Response:
        if route.path_model:
            parsed(route.path_model, request.match_info)
        require_origin(request)
        headers = {
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": "Content-Type, If-Match, X-Request-Id",
            "Access-Control-Max-Age": _SECONDS,
        }
        return web.Response(status=204, headers=headers)

    return Route(
        method="OPTIONS",
        path=path,
        handler=preflight,
        operation=f"{route.operation}Preflight",
        summary="Ask what a page of another origin may send here",
        replies={204: Reply("Pages of `WEB_ORIGINS` may call it with the person's cookies.")},
        errors=(InvalidRequest, ForbiddenOrigin) if route.path_model else (ForbiddenOrigin,),
        path_model=route.path_model,
    )


def shared(routes: Iterable[Route]) -> frozenset[str]:
    """Return the paths whose answers and errors pages of `WEB_ORIGINS` may read."""
    return frozenset(route.path for route in routes if route.cors)


def share(request: web.Request, response: web.StreamResponse) -> None:
    """Let pages of `WEB_ORIGINS` read a response."""
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin", "")
    if _is_known(request, origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = "ETag, Retry-After, X-Request-Id"


def _is_known(request: web.Request, origin: str) -> bool:
    return origin in request.app[SERVICES].web_origins
