"""`GET /metrics`: the metrics in Prometheus' text format."""

from aiohttp import web

from bridge.errors import NotFound
from bridge.metrics import CONTENT_TYPE
from handlers.http.app_keys import SERVICES
from handlers.http.route import TEXT, Reply, Route

PATH = "/metrics"


async def metrics(request: web.Request) -> web.Response:
    """Serve what has been measured in this process."""
    return web.Response(body=request.app[SERVICES].metrics.render(), headers={"Content-Type": CONTENT_TYPE})


ROUTE = Route(
    method="GET",
    path=PATH,
    handler=metrics,
    operation="metrics",
    summary="Prometheus metrics",
    errors=(NotFound,),
    internal=True,
    replies={200: Reply("Text format.", str, (TEXT,))},
)
