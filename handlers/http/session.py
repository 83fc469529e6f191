"""`POST /api/v1/mattermost/session`: from an Equa session to the organization's chat."""

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated

import structlog
from aiohttp import web
from pydantic import Field, WithJsonSchema

from bridge.errors import (
    AccountConflict,
    DatabaseUnavailable,
    MattermostNotConfigured,
    MattermostUnavailable,
    NotAMember,
    Unavailable,
)
from bridge.models.equa import Organization, Person
from bridge.models.ids import MATTERMOST_ID
from handlers.http import visitors
from handlers.http.app_keys import BACKGROUND_TASKS, LIMITS, SERVICES, Health, Services
from handlers.http.body import read_object
from handlers.http.models import AnyUserId, Input, Model, OrganizationUuid, parsed, reply
from handlers.http.route import CHANGE_ERRORS, Reply, Route
from provisioning.profiles import ColorScheme
from provisioning.provisioner import Session
from provisioning.sign_in_service import SignInService, new_ticket

log = structlog.get_logger(__name__)

_COME_BACK = 3.0
"""Seconds; a visit that took too long goes on by itself, and the next one finds what it has done."""


class _Request(Input):
    organization_id: OrganizationUuid
    scheme: Annotated[
        ColorScheme | None,
        WithJsonSchema({"type": "string", "enum": ["light", "dark"]}),
        Field(description="`light` or `dark`, as the page is: the chat follows it at the first visit."),
    ] = None


class _Session(Model):
    token: Annotated[
        str,
        WithJsonSchema({"type": "string", "pattern": f"^{MATTERMOST_ID}$"}),
        Field(description="Signs a browser in at `{baseUrl}/login/token`: once, within a minute."),
    ]
    base_url: str
    team_name: Annotated[str, Field(description="The organization's team, as it stands in addresses.")]
    mm_user_id: AnyUserId


async def create(request: web.Request) -> web.Response:
    """Let a member of the organization in, with whatever is missing for it in Mattermost."""
    wanted = parsed(_Request, await read_object(request))
    deadline = asyncio.get_running_loop().time() + request.app[LIMITS].timeouts.visit
    person, organization = await visitors.member(request, wanted.organization_id)
    service, base_url = _configured(request.app[SERVICES])
    request.app[LIMITS].visits.use(person.id)
    try:
        session, token = await _let_in(
            request, _Visit(service, person, organization, wanted.scheme), deadline
        )
    except TimeoutError:
        raise await _too_slow(request) from None
    return reply(
        _Session(token=token, base_url=base_url, team_name=session.team_name, mm_user_id=session.user_id)
    )


@dataclass(frozen=True, slots=True)
class _Visit:
    service: SignInService
    person: Person
    organization: Organization
    scheme: ColorScheme | None
    ticket: str = field(default_factory=new_ticket, repr=False)
    """Its own: equal visits share what is under way, and never a ticket."""


async def _let_in(request: web.Request, visit: _Visit, deadline: float) -> tuple[Session, str]:
    tasks, now = request.app[BACKGROUND_TASKS], asyncio.get_running_loop().time
    person, organization = visit.person.id, visit.organization.id
    session = await tasks.result((person, organization), deadline - now(), partial(_opened, request, visit))
    token = visit.service.ready_token(session, visit.ticket)
    if token is None:
        issuing = partial(visit.service.issue_ticket, person, organization)
        token = await tasks.result(object(), deadline - now(), issuing)
    return session, token


async def _opened(request: web.Request, visit: _Visit) -> Session:
    organization = visit.organization
    if not organization.name and not await visit.service.has_team(organization.id):
        name = await visitors.organization_name(request, organization.id)
        organization = replace(organization, name=name)
    return await visit.service.open(visit.person, organization, visit.scheme, visit.ticket)


async def _too_slow(request: web.Request) -> Unavailable:
    """Return the error of a visit that took too long, after a look at what it was waiting for."""

    async def look() -> Health:
        return await request.app[SERVICES].health()

    seconds = request.app[LIMITS].timeouts.diagnosis
    try:
        seen = await request.app[BACKGROUND_TASKS].result("health", seconds, look)
    except TimeoutError:
        database = False
    else:
        database = all(part.ok for part in seen.parts if part.name == "database")
    if database:
        return MattermostUnavailable("Mattermost takes long; what was begun goes on.", retry_after=_COME_BACK)
    return DatabaseUnavailable("The database does not answer.", retry_after=_COME_BACK)


def _configured(services: Services) -> tuple[SignInService, str]:
    if services.sign_in_service is None or services.public_url is None:
        raise MattermostNotConfigured(
            "Messaging is not set up: MATTERMOST_URL and MATTERMOST_ADMIN_BOT_TOKEN are needed."
        )
    return services.sign_in_service, services.public_url


ROUTE = Route(
    method="POST",
    path="/api/v1/mattermost/session",
    handler=create,
    operation="createSession",
    summary="Let a member of an organization into its team",
    description="Creates the team and the account where they are missing. May be repeated.",
    caller="person",
    cors=True,
    body=_Request,
    replies={200: Reply("The session.", _Session)},
    errors=(*CHANGE_ERRORS, NotAMember, AccountConflict),
)
