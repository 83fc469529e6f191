"""`GET /api/v1/mattermost/sync-org/{orgId}/{job}`: the progress of a sync, and its result."""

from aiohttp import web

from bridge.errors import (
    DatabaseUnavailable,
    EquaUnavailable,
    InvalidRequest,
    MattermostNotConfigured,
    NotAnAdmin,
    NotFound,
    NotSignedIn,
    TooManyRequests,
)
from bridge.models.jobs import SyncId
from handlers.http import visitors
from handlers.http.models import parsed, reply
from handlers.http.route import Reply, Route
from handlers.http.sync import configured
from handlers.http.sync_outcome import OfSync, SyncState, shown


async def look(request: web.Request) -> web.Response:
    """Answer whichever process does the sync."""
    wanted = parsed(OfSync, request.match_info)
    await visitors.admin(request, wanted.org_id)
    sync = SyncId(wanted.job)
    state = await configured(request).syncs.look(sync, wanted.org_id)
    if state is None:
        raise NotFound("There is no such sync of this organization.")
    return reply(shown(sync, state))


ROUTE = Route(
    method="GET",
    path="/api/v1/mattermost/sync-org/{orgId}/{job}",
    handler=look,
    operation="syncState",
    summary="How far a sync is, and what it has come to",
    caller="person",
    cors=True,
    path_model=OfSync,
    replies={200: Reply("The sync.", SyncState)},
    errors=(
        InvalidRequest,
        NotSignedIn,
        NotAnAdmin,
        NotFound,
        TooManyRequests,
        MattermostNotConfigured,
        EquaUnavailable,
        DatabaseUnavailable,
    ),
)
