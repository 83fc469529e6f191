"""`POST /api/v1/mattermost/events`: events are stored, and posted in their channels later.

The platform reports what happened there; a peer may only let the agent say something.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field

from bridge.errors import (
    ConversationUnknown,
    DatabaseUnavailable,
    InvalidRequest,
    NoBearer,
    NotPermitted,
    PayloadTooLarge,
    RequestTimeout,
)
from bridge.events.cloudevents import BATCH, EITHER, MOST, SINGLE, Envelope
from bridge.events.fields import schema_of
from bridge.events.plan import jobs_for, without_muted
from bridge.events.read import read
from bridge.events.types import TYPES, AgentMessage
from bridge.models.equa import OrganizationId
from handlers.http.app_keys import SERVICES, Services
from handlers.http.bearer import require_platform_or_peer
from handlers.http.body import read_body
from handlers.http.models import Count, Model, reply
from handlers.http.route import Reply, Route, Schema

PATH = "/api/v1/mattermost/events"

LARGEST_BODY = 1024 * 1024
"""Bytes."""


class _Counts(Model):
    accepted: Annotated[Count, Field(description="Events that are stored now.")]
    duplicates: Annotated[Count, Field(description="Events of a `source` and `id` that were stored before.")]


async def receive(request: web.Request) -> web.Response:
    """Store all events or none; those that are known already are counted and change nothing."""
    sender = require_platform_or_peer(request)
    events = read(await read_body(request, LARGEST_BODY), request.content_type)
    if sender == "peer" and not all(isinstance(event.data, AgentMessage) for event in events):
        raise NotPermitted(
            f"A token of GATEWAY_TOKENS may send {AgentMessage.TYPE} alone; one of PLATFORM_TOKENS all."
        )
    now = datetime.now(UTC)
    services = request.app[SERVICES]
    muted = await _muted(services, {event.organization_id for event in events})
    planned = [
        without_muted(jobs_for(event, now), muted.get(event.organization_id, frozenset())) for event in events
    ]
    new = await services.inbox.put_all([entry for jobs in planned for entry in jobs])
    # A list may hold the same event twice, so the keys are counted and not the events.
    accepted = len(new & {jobs[0].dedupe for jobs in planned})
    return reply(_Counts(accepted=accepted, duplicates=len(events) - accepted), HTTPStatus.ACCEPTED)


async def _muted(
    services: Services, organizations: Collection[OrganizationId]
) -> Mapping[OrganizationId, frozenset[str]]:
    """Return the types of events that each organization has muted."""
    if services.organization_settings is None:
        return {}
    settings = await services.organization_settings.effective_of(organizations)
    return {organization: each.muted_notices for organization, each in settings.items()}


def _event_schema(name: str) -> Schema:
    envelope = schema_of(Envelope)
    return {
        "type": "object",
        "title": name,
        "properties": {**envelope["properties"], "type": {"const": name}, "data": schema_of(TYPES[name])},
        "required": [*envelope["required"], "type", "data"],
    }


_SCHEMA_OF = f"#/paths/{PATH.replace('/', '~1')}/post/requestBody/content/{{}}/schema"
_ONE: Schema = {"$ref": _SCHEMA_OF.format(SINGLE.replace("/", "~1"))}
_MANY: Schema = {"$ref": _SCHEMA_OF.format(BATCH.replace("/", "~1"))}

ROUTE = Route(
    method="POST",
    path=PATH,
    handler=receive,
    operation="receiveEvents",
    summary="What happened on the platform or the agent says: one CloudEvents 1.0 event or a list",
    description="All are stored or none; a 202 means that each will appear in its channel once."
    f" A token of a peer may send `{AgentMessage.TYPE}` alone.",
    caller="platform or peer",
    body={
        SINGLE: {"oneOf": [_event_schema(name) for name in sorted(TYPES)]},
        BATCH: {"type": "array", "minItems": 1, "maxItems": MOST, "items": _ONE},
        EITHER: {"oneOf": [_ONE, _MANY]},
    },
    replies={202: Reply("Stored.", _Counts)},
    errors=(
        InvalidRequest,
        NoBearer,
        NotPermitted,
        ConversationUnknown,
        RequestTimeout,
        PayloadTooLarge,
        DatabaseUnavailable,
    ),
)
