"""A running sandbox that can be stopped and started again on the same port with the same store."""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Self

from aiohttp import web

from bridge.sandbox.mattermost.app import Page, create_app
from bridge.sandbox.mattermost.faults import Faults
from bridge.sandbox.mattermost.records import User
from bridge.sandbox.mattermost.runtime import RUNTIME, Timing
from bridge.sandbox.mattermost.store import Store
from bridge.sandbox.ports import HOST, ReservedPort


class Server:
    """Serves a store on a port of this machine.

    A stop closes the REST listener first and then cuts the websockets without a close frame; after the next
    start every `connection_id` and `pending_post_id` is unknown, as with the real server.
    """

    def __init__(
        self,
        store: Store,
        *,
        faults: Faults | None = None,
        timing: Timing | None = None,
        pages: Iterable[web.RouteDef] = (),
        spa: Page | None = None,
    ) -> None:
        self.store = store
        self.faults = faults or Faults()
        self._timing = timing
        self._pages = tuple(pages)
        self._spa = spa
        self._runner: web.AppRunner | None = None
        self._reserved: ReservedPort | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self, port: int | None = None) -> str:
        """Start on `port`, by default the one used before or any free one, and return the URL."""
        app = create_app(
            self.store, faults=self.faults, timing=self._timing, pages=self._pages, spa=self._spa
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        site = web.TCPSite(runner, HOST, self.port if port is None else port, reuse_address=True)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]
        return self.url

    async def stop(self) -> None:
        """Stop; doing so twice does nothing."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def open_sockets(self, user: User) -> int:
        """Return how many websockets of a user are open as far as is noticed; 0 while stopped."""
        return 0 if self._runner is None else self._runner.app[RUNTIME].hub.open_sockets(user.id)

    async def restart(self) -> None:
        """Stop and start again on the same port."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        """Start; until the end of the context nobody else gets the port, even while the server is stopped."""
        with ExitStack() as stack:
            reserved = stack.enter_context(ReservedPort(self.port))
            await self.start(reserved.port)
            self._reserved = reserved
            stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        if self._reserved:
            self._reserved.close()
