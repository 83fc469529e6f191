"""The HTTP API: all of its routes on one screen."""

from aiohttp import web

from handlers import health, mappings, openapi
from handlers.errors import LARGEST_BODY
from handlers.keys import DOCUMENT, SERVICES, Services
from handlers.middleware import observer
from handlers.web import pages

ROUTES = (
    web.get("/api/v1/mattermost/team-mapping/{teamId}", mappings.team_mapping),
    web.get("/messaging/{orgId}", pages.messaging),
    web.get("/static/{name}", pages.static),
    web.get("/healthz", health.alive),
    web.get("/readyz", health.ready),
    web.get("/metrics", health.figures),
    web.get("/openapi.json", openapi.openapi),
)

DESCRIBED = (mappings.PATHS, pages.PATHS, health.PATHS, openapi.PATHS)


def make_app(services: Services) -> web.Application:
    """Return the application; it owns none of the services and closes none."""
    app = web.Application(middlewares=[observer()], client_max_size=LARGEST_BODY)
    app[SERVICES] = services
    app[DOCUMENT] = openapi.rendered(DESCRIBED)
    app.add_routes(ROUTES)
    return app
