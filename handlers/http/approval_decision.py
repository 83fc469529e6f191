"""`POST /api/v1/mattermost/approvals/{orgId}/{approvalId}`: an administrator decides on the page."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from bridge.errors import (
    ApprovalEnded,
    DatabaseUnavailable,
    EquaUnavailable,
    ForbiddenOrigin,
    InvalidRequest,
    MattermostNotConfigured,
    NotAnAdmin,
    NotFound,
    NotSignedIn,
    PayloadTooLarge,
    RequestTimeout,
    TooManyRequests,
    UnsupportedMediaType,
)
from bridge.models.approval_records import RecordId
from bridge.models.approvals import Decision
from handlers.http import visitors
from handlers.http.app_keys import LIMITS
from handlers.http.approvals import ApprovalView, desk_of, views
from handlers.http.body import read_object
from handlers.http.models import Input, OrganizationUuid, Uuid, parsed, reply
from handlers.http.route import Reply, Route

_DECISIONS: dict[str, Decision] = {"approve": "allow-once", "deny": "deny"}


class _OfApproval(Input):
    org_id: OrganizationUuid
    approval_id: Uuid


class _Given(Input):
    decision: Annotated[Literal["approve", "deny"], Field(description="approve or deny")]


async def decide(request: web.Request) -> web.Response:
    """Store the decision; it reaches the agent and the post a moment later."""
    wanted = parsed(_OfApproval, request.match_info)
    given = parsed(_Given, await read_object(request))
    person = await visitors.admin(request, wanted.org_id, afresh=True)
    request.app[LIMITS].presses.use(person.id)
    desk = desk_of(request)
    record = await desk.approvals.get(RecordId(wanted.approval_id))
    if record is None or record.organization_id != wanted.org_id:
        raise NotFound("There is no such approval of this organization.")
    name = person.name or person.username
    decided = await desk.by_admin(record, _DECISIONS[given.decision], person.id, name)
    (shown,) = await views(request, [decided])
    return reply(shown)


ROUTE = Route(
    method="POST",
    path="/api/v1/mattermost/approvals/{orgId}/{approvalId}",
    handler=decide,
    operation="decideApproval",
    summary="Decide about a tool call of the agent",
    description="For administrators of the organization, whose role is looked up at that moment. The first"
    " decision counts.",
    caller="person",
    cors=True,
    path_model=_OfApproval,
    body=_Given,
    replies={200: Reply("The approval as it is decided.", ApprovalView)},
    errors=(
        InvalidRequest,
        NotSignedIn,
        ForbiddenOrigin,
        NotAnAdmin,
        NotFound,
        RequestTimeout,
        ApprovalEnded,
        PayloadTooLarge,
        UnsupportedMediaType,
        TooManyRequests,
        MattermostNotConfigured,
        EquaUnavailable,
        DatabaseUnavailable,
    ),
)
