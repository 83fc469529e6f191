"""`GET` and `PUT /api/v1/mattermost/settings/{orgId}`: what an organization has set about its agent."""

from typing import Annotated

from aiohttp import web
from pydantic import Field, WithJsonSchema

from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.errors import (
    DatabaseUnavailable,
    EquaUnavailable,
    ForbiddenOrigin,
    InvalidRequest,
    NotAnAdmin,
    NotSignedIn,
    PayloadTooLarge,
    RequestTimeout,
    SettingsChanged,
    TooManyRequests,
    UnsupportedMediaType,
    VersionRequired,
)
from bridge.models.audit import Actor
from bridge.models.equa import OrganizationId
from bridge.models.organization_settings import VersionedSettings
from handlers.http import etags, visitors
from handlers.http.app_keys import SERVICES
from handlers.http.body import read_object
from handlers.http.models import Input, OfOrganization, parsed, reply
from handlers.http.route import Reply, Route
from handlers.http.settings_models import GivenSettings, ShownSettings, read_settings, shown

PATH = "/api/v1/mattermost/settings/{orgId}"


class _IfMatch(Input):
    if_match: Annotated[
        str,
        WithJsonSchema({"type": "string", "pattern": '^("[0-9]{1,18}"|\\*)$'}),
        Field(alias="If-Match", description="The ETag of the settings that are replaced; `*` is any."),
    ]


async def show(request: web.Request) -> web.Response:
    """Answer an administrator of the organization."""
    organization = parsed(OfOrganization, request.match_info).org_id
    await visitors.admin(request, organization)
    settings = _settings(request)
    return _answer(organization, await settings.stored(organization), settings)


async def replace(request: web.Request) -> web.Response:
    """Store all settings anew, unless they have changed since the administrator saw them."""
    organization = parsed(OfOrganization, request.match_info).org_id
    person = await visitors.admin(request, organization, afresh=True)
    settings = _settings(request)
    is_expected = etags.expected(request)
    given = await read_object(request)
    before = await settings.stored(organization)
    wanted = read_settings(given, settings.bounds, before.settings)
    actor = Actor(person.id, role="admin")
    stored = await settings.replace(organization, wanted, actor, is_expected=is_expected)
    return _answer(organization, stored, settings)


def _settings(request: web.Request) -> SettingsOfOrganizations:
    settings = request.app[SERVICES].organization_settings
    assert settings is not None
    return settings


def _answer(
    organization: OrganizationId, stored: VersionedSettings, settings: SettingsOfOrganizations
) -> web.Response:
    return reply(
        shown(organization, stored, settings.bounds), headers={"ETag": etags.of_version(stored.version)}
    )


_ETAG = {"ETag": "The version, for `If-Match`."}

GET = Route(
    method="GET",
    path=PATH,
    handler=show,
    operation="organizationSettings",
    summary="What an organization has set about its agent, and what it can choose",
    caller="person",
    cors=True,
    path_model=OfOrganization,
    replies={200: Reply("The settings.", ShownSettings, headers=_ETAG)},
    errors=(InvalidRequest, NotSignedIn, NotAnAdmin, TooManyRequests, EquaUnavailable, DatabaseUnavailable),
)

PUT = Route(
    method="PUT",
    path=PATH,
    handler=replace,
    operation="replaceOrganizationSettings",
    summary="Replace an organization's settings",
    description="For its administrators, within the operator's bounds. To store what is stored already"
    " changes nothing, so a request may be repeated; each change is a row of the audit.",
    caller="person",
    cors=True,
    path_model=OfOrganization,
    header_model=_IfMatch,
    body=GivenSettings,
    replies={200: Reply("The settings as they are now.", ShownSettings, headers=_ETAG)},
    errors=(
        InvalidRequest,
        NotSignedIn,
        NotAnAdmin,
        ForbiddenOrigin,
        RequestTimeout,
        SettingsChanged,
        PayloadTooLarge,
        UnsupportedMediaType,
        VersionRequired,
        TooManyRequests,
        EquaUnavailable,
        DatabaseUnavailable,
    ),
)
