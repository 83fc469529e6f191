"""The whole sandbox as an aiohttp application: REST, websocket, and a page for every other path."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress

from aiohttp import web

from bridge.sandbox.mattermost import gitlab
from bridge.sandbox.mattermost.api import (
    accounts,
    bots,
    buttons,
    channel_lists,
    channel_members,
    channels,
    files,
    post_lists,
    posts,
    preferences,
    reactions,
    signin,
    system,
    team_members,
    teams,
    tokens,
    users,
)
from bridge.sandbox.mattermost.api.call import answer
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.faults import Faults
from bridge.sandbox.mattermost.hub import Hub
from bridge.sandbox.mattermost.ratelimit import RateLimiter
from bridge.sandbox.mattermost.runtime import RUNTIME, PendingPosts, Runtime, Timing
from bridge.sandbox.mattermost.state import State
from bridge.sandbox.mattermost.websocket import SOCKETS, Sockets, connect

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]

FRAME_OPTIONS = "SAMEORIGIN"
CONTENT_SECURITY_POLICY = "frame-ancestors 'self' teams.microsoft.com; script-src 'self' cdn.rudderlabs.com"
"""What 10.4 sends with every page (server/channels/web/handlers.go)."""

_ROOT = "<!doctype html><html><head><title>Mattermost</title></head><body><div id=root></div></body></html>\n"

API_ROUTES = (
    *system.ROUTES,
    *signin.ROUTES,
    *tokens.ROUTES,
    *team_members.ROUTES,
    *teams.ROUTES,
    *channel_members.ROUTES,
    *channel_lists.ROUTES,
    *channels.ROUTES,
    *post_lists.ROUTES,
    *posts.ROUTES,
    *buttons.ROUTES,
    *files.ROUTES,
    *preferences.ROUTES,
    *reactions.ROUTES,
    *bots.ROUTES,
    *accounts.ROUTES,
    *users.ROUTES,
)


def create_app(
    state: State,
    *,
    faults: Faults | None = None,
    timing: Timing | None = None,
    pages: Iterable[web.RouteDef] = (),
    spa: Page | None = None,
) -> web.Application:
    """Return a server on a store.

    `pages` are routes of your own, asked first; `spa` answers every GET that is no route, as Mattermost's web
    client does for `/`, `/login` and `/{team}/channels/{name}`. Both get Mattermost's framing headers.
    """
    app = web.Application(client_max_size=128 * 1024 * 1024)
    faults = faults or Faults()
    hub = Hub(state, faults)
    app[RUNTIME] = Runtime(state, hub, faults, PendingPosts(state), RateLimiter(state), timing or Timing())
    app[SOCKETS] = Sockets()
    app.add_routes([web.route(page.method, page.path, _framed(page.handler)) for page in pages])
    app.add_routes([web.get("/api/v4/websocket", connect), web.get("/api/v4/websocket/", connect)])
    app.add_routes(API_ROUTES)
    app.add_routes([web.get(page.path, _framed(page.handler), allow_head=False) for page in gitlab.PAGES])
    app.add_routes([web.route("*", "/api/{path:.*}", _unknown), web.get("/{path:.*}", _framed(spa or _root))])
    app.cleanup_ctx.append(_run_hub)
    app.on_shutdown.append(_cut)
    return app


async def _run_hub(app: web.Application) -> AsyncIterator[None]:
    runtime, sockets = app[RUNTIME], app[SOCKETS]
    runtime.state.listeners.append(runtime.hub.publish)
    runtime.faults.on_cut(sockets.cut)
    reaper = asyncio.create_task(_release_expired(runtime))
    yield
    reaper.cancel()
    with suppress(asyncio.CancelledError):
        await reaper
    runtime.faults.forget_cut(sockets.cut)
    runtime.state.listeners.remove(runtime.hub.publish)


async def _release_expired(runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(runtime.timing.reap_interval)
        runtime.hub.release_expired()


async def _cut(app: web.Application) -> None:
    app[SOCKETS].cut()


def _framed(page: Page) -> Page:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = await page(request)
        response.headers.setdefault("X-Frame-Options", FRAME_OPTIONS)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("X-Version-Id", request.app[RUNTIME].state.settings.version_id)
        return response

    return serve


async def _root(_request: web.Request) -> web.StreamResponse:
    """Stand in for the web client: the same page whatever the path, `/login/token` included."""
    return web.Response(text=_ROOT, content_type="text/html")


async def _unknown(request: web.Request) -> web.StreamResponse:
    error = ApiError("api.context.404.app_error", 404, "Sorry, we could not find the page.")
    return answer(error.to_json(request.app[RUNTIME].state.new_id()), error.status)
