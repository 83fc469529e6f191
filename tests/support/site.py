"""The demo's web app, with a bridge that reads events as the real one does and keeps them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from bridge.errors import InvalidRequest
from bridge.events.read import read
from bridge.events.types import Event
from bridge.sandbox import demo_data, site
from bridge.sandbox.equa import Server
from tests.support.agent import serving

TOKEN = "a-token-of-the-platform"


@dataclass(slots=True)
class Bridge:
    events: list[Event] = field(default_factory=list)
    refuses: bool = False

    async def receive(self, request: web.Request) -> web.Response:
        if self.refuses or request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "not_signed_in", "message": "No."}, status=401)
        try:
            self.events += read(await request.read(), request.content_type)
        except InvalidRequest as error:
            return web.json_response({"error": error.code, "message": error.message}, status=400)
        return web.json_response({"accepted": 1, "duplicates": 0}, status=202)


@dataclass(slots=True)
class Demo:
    """Both; `bridge_url` is where the page leads to."""

    equa: Server
    bridge: Bridge
    bridge_url: str


@asynccontextmanager
async def demonstrated() -> AsyncIterator[Demo]:
    bridge, app = Bridge(), web.Application()
    app.add_routes([web.post("/api/v1/mattermost/events", bridge.receive)])
    async with serving(app) as url:
        routes = site.pages(demo_data.COMPANIES, bridge_url=f"{url}/", token=TOKEN)
        async with Server(pages=routes) as equa:
            yield Demo(equa, bridge, url)
