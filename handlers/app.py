"""The HTTP API: all of its routes on one screen."""

from aiohttp import web

from handlers import (
    events,
    health,
    login,
    mappings,
    openapi,
    origin,
    session_paths,
    sessions,
    sync,
    sync_paths,
)
from handlers.errors import LARGEST_BODY
from handlers.keys import DOCUMENT, SERVICES, Services
from handlers.limits import DEADLINES, PEOPLE, Allowance, Deadlines
from handlers.middleware import observer
from handlers.overtime import overtime
from handlers.tickets import TICKETS, TicketLimits
from handlers.visitors import TURNSTILE, Turnstile
from handlers.web import pages

ROUTES = (
    web.post("/api/v1/mattermost/session", sessions.create),
    web.options("/api/v1/mattermost/session", origin.preflight),
    web.get("/api/v1/mattermost/config", sessions.config),
    web.options("/api/v1/mattermost/config", origin.preflight),
    web.get("/api/v1/mattermost/team-mapping/{teamId}", mappings.team_mapping),
    web.post(sync.PATH, sync.start),
    web.options(sync.PATH, sync.preflight),
    web.get(sync.PATH_OF_ONE, sync.look),
    web.options(sync.PATH_OF_ONE, sync.preflight),
    web.post(events.PATH, events.receive),
    # HEAD would use a ticket up without signing anybody in.
    web.get("/login/token", login.sign_in, allow_head=False),
    web.get("/messaging/{orgId}", pages.messaging),
    web.get("/static/{name}", pages.static),
    web.get("/healthz", health.alive),
    web.get("/readyz", health.ready),
    web.get("/metrics", health.figures),
    web.get("/openapi.json", openapi.openapi),
)

DESCRIBED = (
    session_paths.PATHS,
    mappings.PATHS,
    sync_paths.PATHS,
    events.PATHS,
    login.PATHS,
    pages.PATHS,
    health.PATHS,
    openapi.PATHS,
)


def make_app(services: Services) -> web.Application:
    """Return the application; it owns none of the services and closes none."""
    app = web.Application(middlewares=[observer()], client_max_size=LARGEST_BODY)
    app[SERVICES] = services
    app[DOCUMENT] = openapi.rendered(DESCRIBED)
    app[DEADLINES] = Deadlines()
    app[PEOPLE] = Allowance(burst=10, per_second=0.5)
    app[TICKETS] = TicketLimits()
    app[TURNSTILE] = Turnstile()
    app.cleanup_ctx.append(overtime)
    app.on_response_prepare.append(origin.share)
    app.add_routes(ROUTES)
    return app
