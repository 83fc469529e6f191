"""The HTTP API: all of its routes on one screen."""

from aiohttp import web

from handlers.http import (
    cors,
    events,
    health,
    login,
    openapi,
    session,
    session_paths,
    sync,
    sync_paths,
    team_mapping,
)
from handlers.http.app_keys import DOCUMENT, SERVICES, Services
from handlers.http.background_tasks import background_tasks
from handlers.http.errors import LARGEST_BODY
from handlers.http.limits import PEOPLE, TIMEOUTS, RateLimiter, Timeouts
from handlers.http.middleware import observer
from handlers.http.tickets import TICKETS, TicketLimits
from handlers.http.visitors import EQUA_THROTTLE, EquaThrottle
from handlers.web import pages

ROUTES = (
    web.post("/api/v1/mattermost/session", session.create),
    web.options("/api/v1/mattermost/session", cors.preflight),
    web.get("/api/v1/mattermost/config", session.config),
    web.options("/api/v1/mattermost/config", cors.preflight),
    web.get("/api/v1/mattermost/team-mapping/{teamId}", team_mapping.team_mapping),
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
    team_mapping.PATHS,
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
    app[TIMEOUTS] = Timeouts()
    app[PEOPLE] = RateLimiter(burst=10, per_second=0.5)
    app[TICKETS] = TicketLimits()
    app[EQUA_THROTTLE] = EquaThrottle()
    app.cleanup_ctx.append(background_tasks)
    app.on_response_prepare.append(cors.share)
    app.add_routes(ROUTES)
    return app
