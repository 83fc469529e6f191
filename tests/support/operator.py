"""A Mattermost for operators: every setting that setup knows, some from its environment, and local mode."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.sandbox.mattermost import Settings, Store, create_app

QUICK = RetryPolicy(timeout=5, tries=2, total=1, first_delay=0.01, longest_delay=0.02)


@dataclass(slots=True)
class Pinned(Settings):
    """Settings of which some come from the server's environment: a change of those has no effect."""

    pinned: Collection[str] = ()

    def patch(self, changes: dict[str, Any]) -> None:
        free = {
            section: {name: value for name, value in values.items() if f"{section}.{name}" not in self.pinned}
            for section, values in changes.items()
        }
        Settings.patch(self, free)


def server_settings(*pinned: str) -> Pinned:
    """Return Mattermost's defaults."""
    settings = Pinned(pinned=pinned)
    settings.sections["ServiceSettings"] |= {
        "EnableDesktopLandingPage": True,
        "ExperimentalEnableDefaultChannelLeaveJoinMessages": True,
        "FrameAncestors": "",
        "EnableLinkPreviews": True,
        "EnableTutorial": True,
        "EnableOnboardingFlow": True,
    }
    settings.sections["TeamSettings"]["TeammateNameDisplay"] = "username"
    settings.sections["PrivacySettings"] = {"ShowEmailAddress": True}
    return settings


@asynccontextmanager
async def operating(url: str, token: str) -> AsyncIterator[RestOperator]:
    async with client_session() as session:
        yield RestOperator(Transport(session, url, token, lambda *_: None, QUICK))


@asynccontextmanager
async def local_mode(store: Store, socket: Path) -> AsyncIterator[str]:
    """Serve a store on a socket to whoever can open it, without the route that local mode has not.

    There nobody is signed in and everything is allowed; here it is a bot, whose token works in any case.
    """
    root = store.create_token(store.create_bot("local-mode", roles="system_user system_admin")).token

    @web.middleware
    async def as_anybody(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "POST" and request.path == "/api/v4/bots":
            return web.json_response({"id": "api.context.404.app_error", "message": "No."}, status=404)
        return await handler(request.clone(headers={**request.headers, "Authorization": f"Bearer {root}"}))

    app = create_app(store)
    app.middlewares.append(as_anybody)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(socket)).start()
        yield str(socket)
    finally:
        await runner.cleanup()
