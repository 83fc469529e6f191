"""`GET /api/v1/mattermost/config`: whether there is a chat, and where."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from bridge.errors import EquaUnavailable, NotSignedIn, TooManyRequests
from handlers.http import visitors
from handlers.http.app_keys import SERVICES
from handlers.http.models import Model, reply
from handlers.http.route import Reply, Route


class _Config(Model):
    enabled: bool
    base_url: Annotated[str | None, Field(description="Where the chat is; null unless enabled.")]


async def config(request: web.Request) -> web.Response:
    """Answer anybody who is signed in to Equa, member or not."""
    await visitors.person(request)
    services = request.app[SERVICES]
    enabled = services.sign_in_service is not None and services.public_url is not None
    return reply(_Config(enabled=enabled, base_url=services.public_url if enabled else None))


ROUTE = Route(
    method="GET",
    path="/api/v1/mattermost/config",
    handler=config,
    operation="config",
    summary="Whether there is a chat, and where",
    caller="person",
    cors=True,
    replies={200: Reply("The configuration.", _Config)},
    errors=(NotSignedIn, TooManyRequests, EquaUnavailable),
)
