"""`POST /api/v1/mattermost/session` and `GET …/config`: from an Equa session to the organization's chat."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from aiohttp import web

from bridge.errors import (
    DatabaseUnavailable,
    InvalidRequest,
    MattermostNotConfigured,
    MattermostUnavailable,
    TokenRefused,
    Unavailable,
)
from bridge.models.equa import Organization, Person
from handlers.http import visitors
from handlers.http.app_keys import SERVICES, Health, Services
from handlers.http.background_tasks import BACKGROUND_TASKS
from handlers.http.cors import require_json, require_origin
from handlers.http.identifiers import organization_id
from handlers.http.limits import PEOPLE, TIMEOUTS
from provisioning.provisioner import Session
from provisioning.sign_in_service import SignInService

log = structlog.get_logger(__name__)

_COME_BACK = 3.0
"""Seconds; a visit that took too long goes on by itself, and the next one finds what it has done."""


async def create(request: web.Request) -> web.Response:
    """Let a member of the organization in, with whatever is missing for it in Mattermost."""
    require_origin(request)
    require_json(request)
    organization = organization_id((await _object(request)).get("organizationId"))
    deadline = asyncio.get_running_loop().time() + request.app[TIMEOUTS].visit
    person, joined = await visitors.member(request, organization)
    services = request.app[SERVICES]
    sign_in_service, base_url = _configured(services)
    request.app[PEOPLE].use(person.id)
    try:
        session, token = await _let_in(request, sign_in_service, person, joined, deadline)
    except TimeoutError:
        raise await _too_slow(request) from None
    except TokenRefused as error:
        log.error("token_refused", reason=error.message)
        raise MattermostNotConfigured(error.message) from error
    return web.json_response(
        {"token": token, "baseUrl": base_url, "teamName": session.team_name, "mmUserId": session.user_id}
    )


async def config(request: web.Request) -> web.Response:
    """Tell whether there is a chat, and where."""
    await visitors.person(request)
    services = request.app[SERVICES]
    enabled = services.sign_in_service is not None and services.public_url is not None
    return web.json_response({"enabled": enabled, "baseUrl": services.public_url if enabled else None})


async def _let_in(
    request: web.Request,
    sign_in_service: SignInService,
    person: Person,
    organization: Organization,
    deadline: float,
) -> tuple[Session, str]:
    background_tasks, now = request.app[BACKGROUND_TASKS], asyncio.get_running_loop().time
    key = (person.id, organization.id)
    opening = partial(_opened, request, sign_in_service, person, organization)
    session = await background_tasks.result(key, deadline - now(), opening)
    issuing = partial(sign_in_service.token, session, person.id, organization.id)
    return session, await background_tasks.result(object(), deadline - now(), issuing)


async def _opened(
    request: web.Request, sign_in_service: SignInService, person: Person, organization: Organization
) -> Session:
    if not organization.name and not await sign_in_service.has_team(organization.id):
        name = await visitors.organization_name(request, organization.id)
        organization = replace(organization, name=name)
    return await sign_in_service.open(person, organization)


async def _too_slow(request: web.Request) -> Unavailable:
    """Return what a visit came to that took too long: it waited for the database or for Mattermost."""
    health, seconds = request.app[SERVICES].health, request.app[TIMEOUTS].diagnosis
    try:
        seen = await request.app[BACKGROUND_TASKS].result("health", seconds, lambda: _preview(health))
    except TimeoutError:
        database = False
    else:
        database = all(part.ok for part in seen.parts if part.name == "database")
    if database:
        return MattermostUnavailable("Mattermost takes long; what was begun goes on.", retry_after=_COME_BACK)
    return DatabaseUnavailable("The database does not answer.", retry_after=_COME_BACK)


async def _preview(health: Callable[[], Awaitable[Health]]) -> Health:
    return await health()


async def _object(request: web.Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise InvalidRequest("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise InvalidRequest("The body has to be a JSON object with organizationId.")
    return body


def _configured(services: Services) -> tuple[SignInService, str]:
    if services.sign_in_service is None or services.public_url is None:
        raise MattermostNotConfigured(
            "Messaging is not set up: MATTERMOST_URL and MATTERMOST_ADMIN_BOT_TOKEN are needed."
        )
    return services.sign_in_service, services.public_url
