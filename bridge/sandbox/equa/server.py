"""A sandbox Equa as an aiohttp application, and as a server on a port of this machine."""

from collections.abc import Iterable
from typing import Self

from aiohttp import web

from bridge.sandbox.equa.calls import PREFIX, answer, disturb
from bridge.sandbox.equa.controls import CONTROLS, STORE, Controls
from bridge.sandbox.equa.routes import ROUTES
from bridge.sandbox.equa.store import Store

HOST = "127.0.0.1"


def create_app(
    store: Store, *, controls: Controls | None = None, pages: Iterable[web.RouteDef] = ()
) -> web.Application:
    """Return an Equa on a store; `pages` are routes of your own beside the API, which is under `/api/v1`."""
    api = web.Application(middlewares=[disturb, answer])
    api.add_routes(ROUTES)
    app = web.Application()
    for each in (app, api):
        each[STORE] = store
    api[CONTROLS] = controls or Controls()
    app.add_routes([web.get("/health", _health), *pages])
    app.add_subapp(PREFIX, api)
    return app


class Server:
    """Serves a store; `api_url` is what `EQUA_API_URL` has to be."""

    def __init__(self, store: Store | None = None, *, pages: Iterable[web.RouteDef] = ()) -> None:
        self.store = store or Store.of_the_world()
        self.controls = Controls()
        self.port = 0
        self._pages = tuple(pages)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def api_url(self) -> str:
        return self.url + PREFIX

    async def start(self, port: int = 0) -> None:
        """Start on `port`, by default any free one."""
        app = create_app(self.store, controls=self.controls, pages=self._pages)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop; doing so twice does nothing."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})
