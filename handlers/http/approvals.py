"""`GET /api/v1/mattermost/approvals/{orgId}`: tool calls that wait for a decision, and the last ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from bridge.errors import (
    DatabaseUnavailable,
    EquaUnavailable,
    InvalidRequest,
    MattermostNotConfigured,
    NotAnAdmin,
    NotSignedIn,
    TooManyRequests,
)
from bridge.models.approval_records import ApprovalRecord, ApprovalState, Decider
from bridge.models.approvals import ApprovalKind, Severity
from bridge.models.audit import AuditRole, Via
from bridge.models.chat import UserId
from bridge.models.organization_settings import Approvers
from bridge.text.revealed import not_shown
from handlers.approvals import ApprovalDesk
from handlers.http import visitors
from handlers.http.app_keys import SERVICES
from handlers.http.models import AnyUuid, Model, OfOrganization, parsed, reply
from handlers.http.route import Reply, Route

_MOST_PENDING, _MOST_ENDED = 200, 50

Choice = Annotated[str, Field(json_schema_extra={"enum": ["approve", "deny"]})]


class Decided(Model):
    username: Annotated[str | None, Field(description="In Mattermost; null without an account there.")]
    name: Annotated[str, Field(description="Of a person without an account; may be empty.")]
    role: AuditRole
    via: Via


class ApprovalView(Model):
    id: AnyUuid
    title: Annotated[str, Field(description="The agent's words, like description and tool: text, no markup.")]
    description: str
    tool: str
    kind: ApprovalKind
    severity: Severity
    asked_by: Annotated[str | None, Field(description="The username of who has asked, if that is known.")]
    is_direct: Annotated[bool, Field(description="Whether it was asked in a direct message.")]
    choices: Annotated[tuple[Choice, ...], Field(description="What the agent takes.")]
    created_at: datetime
    expires_at: datetime
    state: ApprovalState
    outcome: Annotated[
        str | None, Field(description="Of one that was decided elsewhere: `allowed` or `denied`.")
    ]
    decided_by: Decided | None
    ended_at: datetime | None
    link: Annotated[
        str | None, Field(description="The post in Mattermost, once it is there; null of a direct message.")
    ]


class ApprovalList(Model):
    approvers: Annotated[Approvers, Field(description="Who may decide in Mattermost.")]
    pending: tuple[ApprovalView, ...]
    ended: Annotated[tuple[ApprovalView, ...], Field(description="The last 50, the newest first.")]


async def look(request: web.Request) -> web.Response:
    """Answer an administrator of the organization."""
    organization = parsed(OfOrganization, request.match_info).org_id
    await visitors.admin(request, organization)
    desk = desk_of(request)
    pending = await desk.approvals.of_organization(organization, pending=True, most=_MOST_PENDING)
    ended = await desk.approvals.of_organization(organization, pending=False, most=_MOST_ENDED)
    approvers = (await desk.settings.effective(organization)).approvers
    shown = await views(request, (*pending, *ended))
    return reply(
        ApprovalList(
            approvers=approvers, pending=tuple(shown[: len(pending)]), ended=tuple(shown[len(pending) :])
        ),
        headers={"Cache-Control": "no-store"},
    )


def desk_of(request: web.Request) -> ApprovalDesk:
    """Return what takes decisions; raise `MattermostNotConfigured` without a bot."""
    desk = request.app[SERVICES].approvals
    if desk is None:
        raise MattermostNotConfigured("MATTERMOST_URL and MATTERMOST_BOT_TOKEN are needed.")
    return desk


async def views(request: web.Request, records: Sequence[ApprovalRecord]) -> Sequence[ApprovalView]:
    """Return approvals as responses show them; the names are there while Mattermost is away, too."""
    deciders = (record.decider.user_id for record in records if record.decider)
    users = {user for user in (*deciders, *(record.asker for record in records)) if user}
    names = await desk_of(request).mappings.usernames(users)
    return [_view(request, record, names) for record in records]


def _view(request: web.Request, record: ApprovalRecord, usernames: Mapping[UserId, str]) -> ApprovalView:
    approval = record.approval
    choices = {"allow-once": "approve", "deny": "deny"}
    return ApprovalView(
        id=record.id,
        title=approval.title,
        description=f"{approval.description}{not_shown(approval.beyond)}",
        tool=approval.tool,
        kind=approval.kind,
        severity=approval.severity,
        asked_by=usernames.get(record.asker) if record.asker else None,
        is_direct=record.is_direct,
        choices=tuple(choices[each] for each in approval.decisions),
        created_at=record.created,
        expires_at=record.expires_at,
        state=record.state,
        outcome=record.outcome if record.state == "elsewhere" else None,
        decided_by=_decided(record.decider, usernames),
        ended_at=record.ended,
        link=_link(request, record),
    )


def _link(request: web.Request, record: ApprovalRecord) -> str | None:
    public_url = request.app[SERVICES].public_url
    if record.is_direct or not public_url or not record.post_id:
        return None
    return f"{public_url}/_redirect/pl/{record.post_id}"


def _decided(by: Decider | None, usernames: Mapping[UserId, str]) -> Decided | None:
    if by is None:
        return None
    username = usernames.get(by.user_id) if by.user_id else None
    return Decided(username=username, name=by.name, role=by.role, via=by.via)


ROUTE = Route(
    method="GET",
    path="/api/v1/mattermost/approvals/{orgId}",
    handler=look,
    operation="approvals",
    summary="The tool calls of the agent that wait for a decision, and those that have ended",
    caller="person",
    cors=True,
    path_model=OfOrganization,
    replies={200: Reply("The approvals.", ApprovalList)},
    errors=(
        InvalidRequest,
        NotSignedIn,
        NotAnAdmin,
        TooManyRequests,
        MattermostNotConfigured,
        EquaUnavailable,
        DatabaseUnavailable,
    ),
)
