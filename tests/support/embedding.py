"""The whole of it as a browser meets it: the demo's web app, the bridge, and the chat in its frame."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bridge import config
from bridge.db.pool import unchecked_pool
from bridge.sandbox import chat, demo_data, equa, site
from bridge.sandbox.mattermost import Server, Store
from bridge.sandbox.site import proxy
from tests.support.environ import environ_of
from tests.support.mattermost import QUICK
from tests.support.ports import reserved_port
from tests.support.services import built

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Embedding:
    equa: equa.Server
    chat: Server
    bridge_url: str


@asynccontextmanager
async def embedding(dsn: str, *origins: str) -> AsyncIterator[Embedding]:
    """Serve all three, each on a port of its own; pages of the other origins may embed the bridge too."""
    port = reserved_port()
    url = f"http://{HOST}:{port}"
    store = Store(seed=1)
    pages = [*chat.pages(), proxy.login(url)]
    async with (
        Server(store, timing=QUICK, pages=pages, spa=proxy.framed(chat.spa, url)) as mattermost,
        equa.Server(pages=site.pages(demo_data.COMPANIES, bridge_url=url, token="unused")) as platform,
        _bridge(
            environ_of(dsn, mattermost, platform, WEB_ORIGINS=",".join((platform.url, url, *origins))), port
        ),
    ):
        yield Embedding(platform, mattermost, url)


@asynccontextmanager
async def _bridge(environ: Mapping[str, str], port: int) -> AsyncIterator[None]:
    dsn = environ["DATABASE_URL"]
    async with await unchecked_pool(dsn) as pool, built(config.load(environ), dsn, pool) as process:
        runner = web.AppRunner(process.api(), shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port).start()
            yield
        finally:
            await runner.cleanup()
