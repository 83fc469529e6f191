"""`GET /login/equa/user`: Mattermost asks who an access token stands for."""

import asyncio

from aiohttp import web

from bridge.errors import (
    BridgeError,
    DatabaseUnavailable,
    MattermostNotConfigured,
    MattermostRefused,
    MattermostUnavailable,
    NoBearer,
    NotFound,
)
from handlers.http.app_keys import LIMITS, SERVICES
from handlers.http.bearer import bearer_token
from handlers.http.models import Model, reply
from handlers.http.route import Reply, Route


class _User(Model):
    """As GitLab shows it (server/channels/app/oauthproviders/gitlab/gitlab.go)."""

    id: int
    username: str
    name: str
    email: str


async def show(request: web.Request) -> web.Response:
    """Show the person to Mattermost, which signs them in; refuse everybody who may not come in."""
    oauth = request.app[SERVICES].oauth
    if oauth is None:
        raise MattermostNotConfigured("Signing in with Equa is not set up here.")
    token = bearer_token(request)
    profile = None
    try:
        async with asyncio.timeout(request.app[LIMITS].timeouts.login):
            profile = await oauth.provider.profile(token) if token else None
    except TimeoutError:
        raise MattermostUnavailable("Mattermost does not answer.") from None
    request.app[SERVICES].metrics.signed_in("done" if profile else "refused")
    if profile is None:
        raise NoBearer("This access token is not good, or not any more.")
    user = _User(id=profile.auth_data, username=profile.username, name=profile.name, email=profile.email)
    return reply(user, headers={"Cache-Control": "no-store"})


ROUTE = Route(
    method="GET",
    path="/login/equa/user",
    handler=show,
    operation="signInUser",
    summary="Show the person that an access token stands for",
    description="Mattermost calls it, nobody else. HEAD would use the token up: 405.",
    head=False,
    internal=True,
    replies={200: Reply("The account's person.", _User)},
    errors=(
        NoBearer,
        NotFound,
        MattermostNotConfigured,
        BridgeError,
        MattermostRefused,
        MattermostUnavailable,
        DatabaseUnavailable,
    ),
)
