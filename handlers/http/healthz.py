"""`GET /healthz`: alive."""

from typing import Literal

from aiohttp import web

from handlers.http.models import Model, reply
from handlers.http.route import Reply, Route

PATH = "/healthz"


class _Alive(Model):
    status: Literal["ok"] = "ok"


async def alive(_request: web.Request) -> web.Response:
    """Answer as long as the event loop runs, whatever else is broken: a restart would not repair that."""
    return reply(_Alive())


ROUTE = Route(
    method="GET",
    path=PATH,
    handler=alive,
    operation="alive",
    summary="Alive",
    replies={200: Reply("The event loop runs.", _Alive)},
)
