"""The HTTP API: all of its routes on one screen."""

from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from handlers.http import (
    access_token,
    actions,
    approval_decision,
    approvals,
    audit,
    authorize,
    completion,
    config,
    cors,
    events,
    files,
    healthz,
    login,
    metrics,
    middleware,
    openapi,
    readyz,
    session,
    settings,
    sign_in_user,
    sync,
    sync_state,
    team_mapping,
    usage,
)
from handlers.http.app_keys import BACKGROUND_TASKS, LIMITS, SERVICES, Limits, Services
from handlers.http.background_tasks import BackgroundTasks
from handlers.http.expect import expected
from handlers.http.inside import kept_inside
from handlers.http.request_log import RequestLog
from handlers.web import agent_page, page, sign_in, static

_TABLE = (
    session.ROUTE,
    config.ROUTE,
    team_mapping.ROUTE,
    sync.ROUTE,
    sync_state.ROUTE,
    usage.ROUTE,
    events.ROUTE,
    files.ROUTE,
    settings.GET,
    settings.PUT,
    audit.ROUTE,
    actions.ROUTE,
    approvals.ROUTE,
    approval_decision.ROUTE,
    login.ROUTE,
    authorize.ROUTE,
    completion.ROUTE,
    access_token.ROUTE,
    sign_in_user.ROUTE,
    sign_in.ROUTE,
    page.ROUTE,
    agent_page.ROUTE,
    static.ROUTE,
    healthz.ROUTE,
    readyz.ROUTE,
    metrics.ROUTE,
)

ROUTES = openapi.described((*_TABLE, *cors.preflights(_TABLE)))


def make_app(services: Services, *, log_pause: float = 0.0) -> web.Application:
    """Return the application; it owns none of the services and closes none.

    Lines about the requests of `log_pause` seconds are written together. Call it after logging is configured.
    """
    request_log = RequestLog(middleware.__name__, services.metrics, log_pause)
    app = web.Application(middlewares=[middleware.observer(request_log, cors.shared(_TABLE))])
    app[SERVICES] = services
    app[LIMITS] = Limits()
    app.cleanup_ctx.append(_background_tasks)
    app.on_cleanup.append(partial(_write, request_log))
    for route in ROUTES:
        handler = kept_inside(route, cors.guarded(route))
        if route.method == "GET":
            app.router.add_get(route.path, handler, allow_head=route.head, expect_handler=expected)
        else:
            app.router.add_route(route.method, route.path, handler, expect_handler=expected)
    return app


async def _write(request_log: RequestLog, _app: web.Application) -> None:
    request_log.write()


async def _background_tasks(app: web.Application) -> AsyncIterator[None]:
    app[BACKGROUND_TASKS] = BackgroundTasks()
    yield
    await app[BACKGROUND_TASKS].close()
